/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ms_machine_check() from the inside: each room looks at its own state, in lib/ROOM/check*.c.
 *
 * A room counts what it holds of another room's things: lib/mm counts a holder of each page that is
 * mapped, and of each context that a VMA holds. The room that owns the pages or contexts then
 * compares the counts with its own. So the rooms are asked in the order of their calls, callers
 * first. The counters are 0 before and after.
 */
#ifndef MS_MACHINE_CHECK_H
#define MS_MACHINE_CHECK_H

#include "machine/internal.h"

#include <mapsim/check.h>

#include <inttypes.h>

struct ms_check {
	struct ms_machine *machine; /* looked at, never changed but for the counters */
	FILE *out;
	size_t found;
};

/* A finding's text begins with the place. Answers false, for callers who go no further. */
__attribute__((format(printf, 2, 3))) bool ms_check_found(struct ms_check *c, const char *format,
							  ...);

void ms_kvm_check(struct ms_check *c);
void ms_linux_check(struct ms_check *c);
void ms_drivers_check(struct ms_check *c);
void ms_mm_check(struct ms_check *c);
void ms_pat_check(struct ms_check *c);
void ms_phys_check(struct ms_check *c);

/* For each VMA that lib/mm comes to: does what it holds of lib/pat fit the kernel? Counts it. */
void ms_pat_check_vma(struct ms_check *c, const struct ms_vma *vma);
/*
 * Counts a holder of the page, or of the compound page that it is in. NULL, or what is wrong with
 * holding it.
 */
const char *ms_page_check_holder(struct ms_check *c, uint64_t pfn);
/* The page may have more holders, which nobody can count. */
void ms_page_check_others(struct ms_check *c, uint64_t pfn);

#endif
