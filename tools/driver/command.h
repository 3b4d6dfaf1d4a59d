/* SPDX-License-Identifier: GPL-2.0-only */
/* What the command line of `mapsim driver` says, for those who do it. */
#ifndef MAPSIM_TOOLS_DRIVER_COMMAND_H
#define MAPSIM_TOOLS_DRIVER_COMMAND_H

#include "driver.h"

#define DRV_MAX_PLAYS 32

struct command {
	struct drv_config config;
	const char *kernels, *arch;
	struct drv_play play[DRV_MAX_PLAYS]; /* of --play */
	size_t nr_plays;
	const char *only; /* "list" or "search": that alone; NULL: both */
	char *defines[33], *includes[33];
	size_t nr_defines, nr_includes;
	struct drv_modules modules;
	struct drv_findings findings;
};

/* 0, SHOW_HELP, or EXIT_TROUBLE after a message. */
int drv_parse(struct command *c, int argc, char **argv);

#endif
