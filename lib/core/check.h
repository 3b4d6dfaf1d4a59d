/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ms_machine_check() from the inside: each room looks at its own state, in lib/ROOM/check*.c.
 *
 * A room counts what it holds of another room's things: lib/mm counts a holder of each page that is
 * mapped, and of each reservation that a VMA holds. The room that owns the pages or reservations
 * then compares the counts with its own. So a room is asked before those below it. The counters are
 * 0 before and after.
 */
#ifndef MS_CORE_CHECK_H
#define MS_CORE_CHECK_H

#include "core/core.h"

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

#endif
