/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of mapsim explore share. */
#ifndef MAPSIM_TOOL_EXPLORE_H
#define MAPSIM_TOOL_EXPLORE_H

#include "tool.h"

#include <mapsim/explore.h>

/* A finding, and the kernels that have it. */
struct found {
	char *signature, *kernels, *rule, *script;
};

struct found_list {
	struct found *found;
	size_t nr;
};

struct explore {
	struct ms_explore_config config;
	struct rules rules;
	const char *path, *kernels, *out;
	bool resume, merge, diff, quiet, was_stopped;
	struct found_list found;
	/* of the search at hand */
	char kernel[64];
	double began, printed;
	uint64_t states_before;
};

/* Adds a kernel's finding to those that are alike; `without` may be NULL, rule too. 0, -1 after a
 * message. */
int found_add(struct found_list *list, const char *signature, const char *kernels, const char *rule,
	      const char *without, const char *script);
void found_free(struct found_list *list);
/* Prints what was found, and writes it to the folder of --out. 0, or an exit code. */
int found_print(struct explore *e);

/* NULL after a message. */
struct ms_world *read_world(const char *path);
/* Carries out --diff with the arguments R S PATH... 0, or an exit code. */
int diff_kernels(struct explore *e, int argc, char **argv);

/* Makes the folder of --out, if there is one. 0, or an exit code. */
int out_begin(const struct explore *e);
/* A search's standing in that folder: it is gone when the search has come to its end. */
int standing_write(const struct explore *e, const struct ms_explore *x);
int standing_read(const struct explore *e, struct ms_explore *x);
/* Adds the findings in a folder. 0, or an exit code. */
int merge_read(struct explore *e, const char *dir);

#endif
