/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands of mapsim. */
#ifndef MAPSIM_TOOL_H
#define MAPSIM_TOOL_H

#include <mapsim/script.h>

#include <stdbool.h>

enum {
	EXIT_DONE = 0,
	EXIT_DIFFERS = 1,   /* check */
	EXIT_VIOLATION = 1, /* run --exit-code */
	EXIT_TROUBLE = 2,   /* wrong usage; what cannot be read, played or written */
};

/* What a command answers in place of an exit code when it was asked for its help. */
#define SHOW_HELP (-1)

/* Each answers an exit code or SHOW_HELP. What it prints may fail to be written: main() looks. */
int check_command(int argc, char **argv);
int run_command(int argc, char **argv);
int kernels_command(int argc, char **argv);
extern const char check_help[], run_help[], kernels_help[];

/* A command line is wrong: says why (NULL: getopt() did) and where the help is. EXIT_TROUBLE. */
int misused(const char *format, ...) __attribute__((format(printf, 1, 2)));

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
/* The options of all this, for a command's help. */
#define RULES_HELP \
	"rules in place of the kernel's (any number of these; of two for one rule the last holds):\n" \
	"  --set RULE=VALUE  sets a rule\n" \
	"  --policy FILE     sets those of the file's lines RULE=VALUE. What follows a # is a comment;\n" \
	"                    a line arch=ARCH refuses the other architecture. 'mapsim kernels RELEASE\n" \
	"                    --policy' prints such a file.\n"

/* The rules that the script's answers rest on, as comments: all, or those that are only inferred of
 * its kernel. -1: no memory. */
int print_rests_on(struct ms_script *script, bool all, FILE *out);

/* Plays the script, and says on standard error which violations there were. An exit code. */
int report_violations(const struct ms_script *script, const char *path);

/* Reads a script from a file ("-": standard input); NULL after a message on standard error. */
struct ms_script *read_script(const char *path, const struct ms_script_kernel *kernel);
/* An error of reading or playing, as a message. */
void script_warn(const char *path, const struct ms_script_error *err);

#endif
