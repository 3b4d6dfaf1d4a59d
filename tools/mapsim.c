/* SPDX-License-Identifier: GPL-2.0-only */
/* mapsim: plays scripts on the model, and compares the model with recordings of real kernels. */
#include "tool.h"

#include <err.h>
#include <string.h>

static const char usage[] =
	"usage: mapsim check [--verbose | --quiet] [--known FILE [--write-known]] [RULES] PATH...\n"
	"       mapsim run [--kernel RELEASE] [--arch ARCH] [--explain] [--rules] [RULES] FILE\n"
	"       mapsim kernels [--arch ARCH] [RELEASE [--explain | --policy]]\n"
	"       mapsim kernels [--arch ARCH] --diff [--explain] RELEASE RELEASE\n"
	"       mapsim --help | --version\n"
	"\n"
	"check    plays recordings (files, or all *.rec in folders) on the model of the kernel that\n"
	"         each names, and compares the answers. Exit code 0: all identical, 1: not all,\n"
	"         2: something could not be read.\n"
	"         --verbose      every answer that differs, with the model's reasons\n"
	"         --quiet        only the numbers\n"
	"         --known FILE   differences listed there are expected: exit code 0 if they and no\n"
	"                        others are found\n"
	"         --write-known  prints FILE as it would have to be\n"
	"run      plays a script, or the operations of a recording, and prints it with the model's\n"
	"         answers. FILE may be -.\n"
	"         --kernel, --arch  in place of the kernel that the header names\n"
	"         --explain         every event of the model with its reason, as comments; at the end\n"
	"                           the rules that answers rest on and that are only inferred\n"
	"         --rules           at the end every rule that an answer rests on, and how it is known\n"
	"kernels  lists the recorded kernels: how many rules of each are recorded, read in the source,\n"
	"         named by a changelog, or inferred. With a RELEASE (an upstream one, known or not):\n"
	"         every rule, its value, since when the release's line has it, and how that is known.\n"
	"         --explain  what the rule and the value mean, and the evidence\n"
	"         --policy   as lines RULE=VALUE, a policy file\n"
	"         --diff     the rules in which two releases differ; --explain: what the values mean\n"
	"         ARCH is arm64 or x86_64; arm64, and both in the list, where it is not said.\n"
	"RULES    --set RULE=VALUE, --policy FILE, any number of them: rules in place of the kernel's;\n"
	"         of two for one rule the last holds. A policy FILE has lines RULE=VALUE, and comments\n"
	"         after #; a line arch=ARCH refuses scripts of the other architecture.\n";

/* The exit code: another one where standard output could not be written. */
static int written(int code)
{
	if (!fflush(stdout) && !ferror(stdout))
		return code;
	warn("standard output");
	return EXIT_UNREADABLE;
}

/* mapsim --help, mapsim COMMAND --help */
static bool asks_for_help(int argc, char **argv)
{
	const char *last = argc == 2 || argc == 3 ? argv[argc - 1] : "";

	return !strcmp(last, "--help") || !strcmp(last, "-h");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = {
		{ "check", check_command },
		{ "run", run_command },
		{ "kernels", kernels_command },
	};
	const char *name = argc > 1 ? argv[1] : "";

	if (asks_for_help(argc, argv)) {
		fputs(usage, stdout);
		return written(0);
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(name, commands[i].name))
			return written(commands[i].run(argc - 1, argv + 1));
	}
	if (!strcmp(name, "--version")) {
		puts("mapsim " MAPSIM_VERSION);
		return written(0);
	}
	if (*name)
		warnx("unknown command \"%s\"", name);
	fputs(usage, stderr);
	return EXIT_UNREADABLE;
}
