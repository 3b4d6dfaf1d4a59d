/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ms_machine_check() from the inside: each room looks at its own state, in lib/ROOM/check*.c.
 *
 * What one room holds of another's is counted on the way: lib/mm meets each page that is mapped,
 * each context that a VMA holds; the room that owns the thing compares in the end. So the order of
 * the rooms is that of their calls, the callers first. Counters are 0 before and after.
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

/* lib/mm has met a VMA: does what it holds of lib/pat fit its kernel? */
void ms_pat_check_vma(struct ms_check *c, const struct ms_vma *vma);
/*
 * A holder of the page (of the compound page that it is in) was met. NULL, or what is wrong with
 * holding it.
 */
const char *ms_page_check_holder(struct ms_check *c, uint64_t pfn);
/* Others, who cannot be counted, may hold it as well. */
void ms_page_check_others(struct ms_check *c, uint64_t pfn);

#endif
