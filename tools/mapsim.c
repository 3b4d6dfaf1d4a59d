/* SPDX-License-Identifier: GPL-2.0-only */
/* mapsim: plays scripts on the model, and compares the model with recordings of real kernels. */
#define _GNU_SOURCE /* program_invocation_short_name */
#include "tool.h"

#include <err.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: mapsim COMMAND [OPTION...] ...\n"
	"       mapsim help [COMMAND]\n"
	"       mapsim --version\n"
	"\n"
	"Answers what a given Linux kernel would map.\n"
	"\n"
	"commands:\n"
	"  run      plays a script on the model of a kernel, and prints the answers\n"
	"  check    compares the model with recordings of real kernels\n"
	"  kernels  lists the recorded kernels, or the rules of a release and how they are known\n"
	"  draw     draws what a script maps, operation by operation\n"
	"  explore  searches for what is wrong with a kernel\n"
	"  driver   plays with a driver's mapping on every kernel, and prints the driver's mistakes\n"
	"  help     prints the help of a command, as COMMAND --help does\n"
	"\n"
	"exit codes:\n"
	"  0  it was done\n"
	"  1  check: an answer differs; run --exit-code: there was a violation; explore and\n"
	"     driver: something was found\n"
	"  2  the command line is wrong, or something could not be read, played or written\n"
	"  3  explore: it was stopped before its end\n";

static const struct command {
	const char *name;
	const char *program; /* what messages begin with */
	const char *help;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "run", "mapsim run", run_help, run_command },
	{ "check", "mapsim check", check_help, check_command },
	{ "kernels", "mapsim kernels", kernels_help, kernels_command },
	{ "draw", "mapsim draw", draw_help, draw_command },
	{ "explore", "mapsim explore", explore_help, explore_command },
	{ "driver", "mapsim driver", driver_help, driver_command },
};

int misused(const char *format, ...)
{
	va_list args;

	if (format) {
		va_start(args, format);
		vwarnx(format, args);
		va_end(args);
	}
	fprintf(stderr, "Try '%s --help'.\n", program_invocation_short_name);
	return EXIT_TROUBLE;
}

/* The exit code: `code`, or EXIT_TROUBLE after a message when output could not be written. */
static int written(int code)
{
	errno = EIO; // if only an earlier write failed, its errno is lost
	if (!fflush(stdout) && !ferror(stdout))
		return code;
	warn("standard output");
	return EXIT_TROUBLE;
}

/* The command of this name; NULL after a message. */
static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(name, commands[i].name))
			return &commands[i];
	}
	misused("unknown command \"%s\"", name);
	return NULL;
}

static int help(int argc, char **argv)
{
	const struct command *command = argc == 1 ? find_command(argv[0]) : NULL;

	if (argc > 1)
		return misused("help: one command at a time");
	if (argc && !command)
		return EXIT_TROUBLE;
	fputs(command ? command->help : usage, stdout);
	return EXIT_DONE;
}

static int run(const struct command *command, int argc, char **argv)
{
	// messages of getopt() begin with argv[0], those of warn() with the program's name
	argv[0] = (char *)command->program;
	program_invocation_short_name = (char *)command->program;
	int code = command->run(argc, argv);

	if (code != SHOW_HELP)
		return code;
	fputs(command->help, stdout);
	return EXIT_DONE;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	const struct command *command;

	program_invocation_short_name = (char *)"mapsim";
	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		return written(help(0, NULL));
	if (!strcmp(name, "help"))
		return written(help(argc - 2, argv + 2));
	if (!strcmp(name, "--version")) {
		puts("mapsim " MAPSIM_VERSION);
		return written(EXIT_DONE);
	}
	if (!*name) {
		fputs(usage, stderr);
		return EXIT_TROUBLE;
	}
	command = find_command(name);
	return command ? written(run(command, argc - 1, argv + 1)) : EXIT_TROUBLE;
}
