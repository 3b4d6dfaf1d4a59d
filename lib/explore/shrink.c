/* SPDX-License-Identifier: GPL-2.0-only */
/* A shorter and simpler script that shows the same. */
#include "explore/internal.h"

#include <string.h>

static void drop(struct ms_plan *plan, unsigned int i, unsigned int n)
{
	memmove(&plan->op[i], &plan->op[i + n], (plan->nr - i - n) * sizeof(plan->op[0]));
	plan->nr -= n;
}

/* Tries to do without each run of n operations. 1: some were dropped. */
static int drop_runs(const struct ms_explore *x, struct ms_plan *plan, ms_plan_shows_fn *shows,
		     const void *what, unsigned int n)
{
	int any = 0;

	for (unsigned int i = plan->nr; i-- > 0;) {
		struct ms_plan shorter = *plan;

		if (i + n > plan->nr)
			continue;
		drop(&shorter, i, n);
		int ret = shows(x, &shorter, what);
		if (ret < 0)
			return ret;
		if (ret)
			*plan = shorter;
		any |= ret;
	}
	return any;
}

/*
 * Letters of one line of the world follow each other, the simplest arguments first: tries those
 * before.
 */
static int simplify(const struct ms_explore *x, struct ms_plan *plan, ms_plan_shows_fn *shows,
		    const void *what)
{
	const struct ms_world *w = x->world;

	for (unsigned int i = 0; i < plan->nr; i++) {
		const size_t own = plan->op[i].op - x->letters.nr_setup;

		if (plan->op[i].op < x->letters.nr_setup || own >= x->letters.nr_script)
			continue;
		for (size_t k = 0; k < own; k++) {
			struct ms_plan simpler = *plan;

			if (w->letters.line[k] != w->letters.line[own])
				continue;
			simpler.op[i].op = (uint32_t)(x->letters.nr_setup + k);
			int ret = shows(x, &simpler, what);
			if (ret < 0)
				return ret;
			if (!ret)
				continue;
			*plan = simpler;
			break;
		}
	}
	return 0;
}

int ms_plan_shrink(const struct ms_explore *x, struct ms_plan *plan, ms_plan_shows_fn *shows,
		   const void *what)
{
	int ret = shows(x, plan, what);

	// on a machine of its own it must be found again, or nothing could be said of shorter ones
	if (ret <= 0)
		return ret;
	do {
		ret = drop_runs(x, plan, shows, what, 1);
		// a mapping and what takes it away again
		if (!ret)
			ret = drop_runs(x, plan, shows, what, 2);
	} while (ret > 0);
	return ret ? ret : simplify(x, plan, shows, what);
}
