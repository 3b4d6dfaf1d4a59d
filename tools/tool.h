/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands of mapsim. */
#ifndef MAPSIM_TOOL_H
#define MAPSIM_TOOL_H

#include <mapsim/script.h>

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
/* Sets them in a script. */
void rules_apply(const struct rules *rules, struct ms_script *script);
void rules_free(struct rules *rules);

/* What an answer of the script rests on that is only inferred, as comments. -1: no memory. */
int print_inferred(struct ms_script *script, FILE *out);

/* Reads a script from a file ("-": standard input); NULL after a message on standard error. */
struct ms_script *read_script(const char *path, const struct ms_script_kernel *kernel);
/* An error of reading or playing, as a message. */
void script_warn(const char *path, const struct ms_script_error *err);

#endif
