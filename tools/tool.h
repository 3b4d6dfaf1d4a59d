/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the mapsim command share. */
#ifndef MAPSIM_TOOL_H
#define MAPSIM_TOOL_H

#include <mapsim/script.h>

#include <stdbool.h>

enum {
	EXIT_DONE = 0,
	EXIT_DIFFERS = 1,   /* of check: an answer differs */
	EXIT_VIOLATION = 1, /* of run --exit-code: there was a violation */
	EXIT_FOUND = 1,     /* of explore and driver: something was found */
	EXIT_TROUBLE = 2,   /* the command line is wrong, or something cannot be read or written */
	EXIT_STOPPED = 3,   /* of explore: by a signal */
};

/* What a command answers in place of an exit code, for main() to print its help. */
#define SHOW_HELP (-1)

/*
 * Carry a command out and answer an exit code, or SHOW_HELP. Whether standard output could be
 * written they need not look: main() does.
 */
int check_command(int argc, char **argv);
int draw_command(int argc, char **argv);
int run_command(int argc, char **argv);
int kernels_command(int argc, char **argv);
int explore_command(int argc, char **argv);
int driver_command(int argc, char **argv);
extern const char check_help[], draw_help[], run_help[], kernels_help[], explore_help[], driver_help[];

/*
 * Says what is wrong with the command line (NULL: getopt() has said it) and how to get help.
 * Answers EXIT_TROUBLE.
 */
int misused(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Rules that were set on the command line. */
struct rules {
	char *text; /* lines RULE=VALUE, of which the last for a rule holds; NULL: there are none */
};
/* Add what --set RULE=VALUE and --policy FILE say. 0, or -1 after a message. */
int rules_set(struct rules *rules, const char *setting);
int rules_read(struct rules *rules, const char *path);
/* Sets the rules in a script; path: its own, for messages. 0, or -1 after a message. */
int rules_apply(const struct rules *rules, const char *path, struct ms_script *script);
void rules_free(struct rules *rules);
/* The part of a command's help that describes these options. */
#define RULES_HELP \
	"rules in place of the kernel's (any number of these; of two for one rule the last holds):\n" \
	"  --set RULE=VALUE  sets a rule\n" \
	"  --policy FILE     sets those of the file's lines RULE=VALUE. What follows a # is a comment;\n" \
	"                    a line arch=ARCH refuses the other architecture. 'mapsim kernels RELEASE\n" \
	"                    --policy' prints such a file.\n"

/*
 * Prints the rules that the script's answers rest on, as comments. Not all: only those of which the
 * value is inferred for its kernel. 0, or -1 after a message: no memory.
 */
int print_rests_on(struct ms_script *script, bool all, FILE *out);

/* Plays the script and says on standard error which violations there are. Answers an exit code. */
int report_violations(const struct ms_script *script, const char *path);

/* Reads a script from a file; "-" is standard input. NULL after a message. */
struct ms_script *read_script(const char *path, const struct ms_script_kernel *kernel);
/* Prints why a script could not be read or played. */
void script_warn(const char *path, const struct ms_script_error *err);

#endif
