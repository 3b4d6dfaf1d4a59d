/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands of mapsim. */
#ifndef MAPSIM_TOOL_H
#define MAPSIM_TOOL_H

#include <mapsim/script.h>

#include <stdbool.h>

/* Exit codes. */
enum { EXIT_SAME = 0, EXIT_DIFFERS = 1, EXIT_UNREADABLE = 2 };

int check_command(int argc, char **argv);
int run_command(int argc, char **argv);
int kernels_command(int argc, char **argv);

/* Rules that were set on the command line, as lines "RULE=VALUE". text may be NULL. */
struct rules {
	char *text;
};
/* --set RULE=VALUE, --policy FILE: 0, or -1 after a message. */
int rules_set(struct rules *rules, const char *setting);
int rules_read(struct rules *rules, const char *path);
/* Sets them in the script of that path: 0, or -1 after a message. */
int rules_apply(const struct rules *rules, const char *path, struct ms_script *script);
void rules_free(struct rules *rules);

/* The rules that the script's answers rest on, as comments: all, or those that are only inferred of
 * its kernel. -1: no memory. */
int print_rests_on(struct ms_script *script, bool all, FILE *out);

/* Reads a script from a file ("-": standard input); NULL after a message on standard error. */
struct ms_script *read_script(const char *path, const struct ms_script_kernel *kernel);
/* An error of reading or playing, as a message. */
void script_warn(const char *path, const struct ms_script_error *err);

#endif
