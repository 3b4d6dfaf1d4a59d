/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ms_machine_check() from the inside: each room looks at its own state, in lib/ROOM/check*.c, and
 * changes nothing.
 *
 * What one room holds of another's is counted on the way: lib/mm meets each page that is mapped,
 * each reservation that a VMA holds; the room that owns the thing compares in the end. So a room is
 * asked before those below it.
 */
#ifndef MS_CORE_CHECK_H
#define MS_CORE_CHECK_H

#include "core/core.h"

#include <mapsim/check.h>

#include <inttypes.h>

/* How often things were met, each by a key that is not 0. */
struct ms_tally {
	struct ms_met {
		uint64_t key; /* 0: an empty slot */
		uint32_t count;
	} * slot;                /* open addressing, at most half of them in use; NULL: none yet */
	size_t nr_slots, in_use; /* nr_slots: a power of two */
};

struct ms_check {
	const struct ms_machine *machine;
	FILE *out;
	size_t found;
	struct ms_tally tally;
	bool no_memory; /* to count with: what was met counts for nothing */
};

void ms_check_destroy(struct ms_check *c);

/* A finding's text begins with the place. Answers false, for callers who go no further. */
__attribute__((format(printf, 2, 3))) bool ms_check_found(struct ms_check *c, const char *format,
							  ...);

/* Keys: what is met is an object (or a part of one, by its own address), or a page. */
static inline uint64_t ms_key_of(const void *object)
{
	return (uintptr_t)object;
}
static inline uint64_t ms_key_of_page(ms_pfn_t pfn)
{
	return pfn << 1 | 1; // no object is at an odd address
}
/* It was met once more. */
void ms_check_meet(struct ms_check *c, uint64_t key);
/* How often it was met; from now on, never. */
uint32_t ms_check_take_met(struct ms_check *c, uint64_t key);

#endif
