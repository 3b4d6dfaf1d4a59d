/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every interleaving of two short scripts of operations, one after the other, without a thread.
 *
 * While an operation of one side runs and comes to a hook point, either nothing happens or the next
 * operations of the other side run there, to their ends. Between operations either side may go on.
 *
 *     side 0:   read ----*------------*---- done        *: hook points
 *     side 1:            |            `- munmap
 *                        `- nothing
 *
 * A schedule is a list of such choices. They are tried depth first, and for each one the world is
 * built anew, so that a schedule means the same each time. An operation that would have to wait for
 * a lock has not run: the kernel has no such interleaving, and it is not counted.
 */
#ifndef TESTS_INTERLEAVE_EXPLORE_H
#define TESTS_INTERLEAVE_EXPLORE_H

#include <mapsim/machine.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define EXPLORE_DONE 0
#define EXPLORE_WAITS 1 /* the operation needs a lock that is held: nothing was done */

struct explore_op {
	const char *name; /* NULL ends a script */
	int (*run)(void *world);
};

struct explore_run;

struct explore {
	/* A new world and its machine; run is for explore_point(). */
	void *(*build)(const void *arg, struct explore_run *run, struct ms_machine **m);
	void (*destroy)(void *world);
	const struct explore_op *side[2];
	/* Asked at the end of each schedule; that the machine is whole is asked in any case. */
	bool (*holds)(void *world);
	unsigned int max_points; /* of an operation that are used, from the first; 0: all */
	const void *arg;         /* of build */
};

struct explore_found {
	unsigned int schedules; /* that ran to their end */
	unsigned int failing;   /* those after which the predicate did not hold, or the machine was
				   not whole */
	unsigned int waiting;   /* not counted: somebody would have had to wait */
	/*
	 * The failing schedule with the fewest changes of sides, the first found of these; "" when
	 * there is none. "read[s2-pfn-found: zap, fill], touch": zap and fill ran while read was at
	 * that point.
	 */
	char shortest[256];
};

struct explore_found explore(const struct explore *e);

/* A hook point of the test's own, for a driver that is part of the test. */
void explore_point(struct explore_run *run, const char *name);

#endif
