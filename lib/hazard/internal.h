/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of lib/hazard, which looks at a machine from above and changes nothing.
 *
 *   hazard.c   names, printing
 *   judge.c    hazards on their way to who asked: neighbours become one
 *   host.c     what processes have mapped; guest.c: what guests have
 *   device.c   what either must not do with device memory
 *   types.c    two memory types of one page, types that change
 *   access.c   events, and how a guest's access ended
 *   end.c      what is left in the end
 */
#ifndef MS_HAZARD_INTERNAL_H
#define MS_HAZARD_INTERNAL_H

#include "core/core.h"
#include "pat/tracking.h"
#include "phys/internal.h"

#include <mapsim/drivers.h>
#include <mapsim/hazard.h>
#include <mapsim/pat.h>

/* ---- judge.c ---- */

/* Who asks. Of each kind the last hazard waits, since the next one may continue it. */
struct ms_judge {
	const struct ms_machine *m;
	ms_hazard_fn *tell; /* may be NULL */
	void *arg;
	size_t found;
	uint32_t waits; /* bit (1u << kind) each */
	struct ms_hazard last[MS_HAZARD_KINDS];
};
static_assert(MS_HAZARD_KINDS <= 32, "a bit for each kind");

/* A hazard was found; its `value` follows from `rule`. */
void ms_judge_found(struct ms_judge *j, const struct ms_hazard *h);
/* Those that wait are told. Answers how many were found by now. */
size_t ms_judge_end(struct ms_judge *j);

/* ---- what is mapped ---- */

/* A part of what a process or its guest has mapped: of one VMA, and of one kind of memory. */
struct ms_part {
	const struct ms_vma *vma; /* NULL: none is there */
	uint32_t mm, vm;          /* vm 0: it is the process's own */
	uint64_t addr;            /* host address, or ipa */
	ms_hva_t hva;             /* of a guest's; 0: no memslot is there */
	uint64_t size;
	ms_pa_t pa;
	bool ram;
	const struct ms_device *device; /* NULL: RAM, or nothing that is known */
	bool cacheable;                 /* arm64 */
	bool host_cacheable;            /* of a guest's: the process has it so, too */
};
/* Sets size, ram and device: the beginning of [pa, pa + size) that is of one kind of memory. */
void ms_part_of_one_kind(const struct ms_machine *m, struct ms_part *part);
/* A hazard of the part. */
void ms_part_found(struct ms_judge *j, const struct ms_part *part, enum ms_hazard_kind kind,
		   enum ms_blame blame, const char *rule, const char *text);
/* The same of [off, off + size) of the part. */
void ms_part_found_in(struct ms_judge *j, const struct ms_part *part, uint64_t off, uint64_t size,
		      enum ms_hazard_kind kind, enum ms_blame blame, const char *rule,
		      const char *text);

/* device.c: of memory that is not RAM */
void ms_judge_device(struct ms_judge *j, const struct ms_part *part);
void ms_judge_process(struct ms_judge *j, struct ms_mm *mm);
void ms_judge_guest(struct ms_judge *j, const struct ms_vm *vm);
/* types.c. false: no memory */
bool ms_judge_types(struct ms_judge *j);
/* Entries of the list that nobody will give back. */
void ms_judge_type_leaks(struct ms_judge *j);

#endif
