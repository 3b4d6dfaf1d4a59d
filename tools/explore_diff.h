/* SPDX-License-Identifier: GPL-2.0-only */
/* mapsim explore --diff: what it searches. */
#ifndef MAPSIM_TOOL_EXPLORE_DIFF_H
#define MAPSIM_TOOL_EXPLORE_DIFF_H

#include "explore.h"

/* A script, read for both kernels. */
struct seed {
	char *path;
	enum ms_arch arch;
	struct ms_script *script[2]; /* NULL: it cannot be played on that kernel */
};

struct seeds {
	struct seed *seed;
	size_t nr;
};

struct diff {
	struct explore *e;
	const char *release[2];
	const struct ms_policy *policy[2][2]; /* by architecture and kernel; NULL: not asked for */
	struct seeds seeds;
	struct ms_world **world;
	char **world_path;
	size_t nr_worlds;
	size_t with, without; /* rules with a script, and without */
	bool cut;             /* a search of the rule at hand was */
};

/* Adds a world or a script, or those in a folder and those below it, by name. 0, or an exit code.
 */
int diff_read(struct diff *d, const char *path);
void diff_free(struct diff *d);

#endif
