/* SPDX-License-Identifier: GPL-2.0-only */
/* mapsim run: plays a script. Also the reading of scripts for other commands. */
#include "tool.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <string.h>

const char run_help[] =
	"usage: mapsim run [--kernel RELEASE] [--arch ARCH] [--explain] [--hazards] [--rules]\n"
	"                  [--exit-code] [--set RULE=VALUE]... [--policy FILE]... FILE\n"
	"\n"
	"Plays a script, or the operations of a recording, on the model of a kernel and prints it with\n"
	"the model's answers: what is printed is a recording of the model. FILE may be -, which is\n"
	"standard input. The format is described in mapsim-script(5).\n"
	"\n"
	"  --kernel RELEASE  an upstream release, in place of the one that the header names\n"
	"  --arch ARCH       arm64 or x86_64, likewise\n"
	"  --explain         prints why an operation is refused, and every event of the model with its\n"
	"                    reason, as comments, and at the end the rules that answers rest on and\n"
	"                    that are only inferred\n"
	"  --hazards         prints after each operation, as comments, what it has brought about that is\n"
	"                    wrong although no rule of the kernel is broken: a guest beyond its VMA, a\n"
	"                    mapping of a device that outlives the device's memory, and at the end what\n"
	"                    is left (docs/findings.md in the sources)\n"
	"  --rules           prints at the end every rule that an answer rests on, and how it is known\n"
	"  --exit-code       exits with 1 if there was a violation, and says on standard error which:\n"
	"                    what the kernel would BUG or WARN about, and some that it does not see\n"
	"  -h, --help        prints this\n"
	"\n" RULES_HELP "\n"
	"exit codes:\n"
	"  0  the script was played\n"
	"  1  with --exit-code: there was a violation\n"
	"  2  the command line is wrong, or something could not be read, played or written\n"
	"\n"
	"examples:\n"
	"  mapsim run --kernel 6.12.107 beyond_the_vma.ms\n"
	"  echo '> mmap big off=0 at=32T len=2M prot=rw flags=shared' | mapsim run --explain -\n"
	"  mapsim run --kernel 6.12.107 --hazards beyond_the_vma.ms\n"
	"  mapsim run --arch x86_64 --set vfio=V3 --exit-code script.ms >answers.rec\n";

void script_warn(const char *path, const struct ms_script_error *err)
{
	if (err->line)
		warnx("%s: line %llu: %s", path, (unsigned long long)err->line, err->what);
	else
		warnx("%s: %s", path, err->what);
}

struct ms_script *read_script(const char *path, const struct ms_script_kernel *kernel)
{
	struct ms_script_error err;
	struct ms_script *script;
	FILE *in = strcmp(path, "-") ? fopen(path, "re") : stdin;

	if (!in) {
		warn("%s", path);
		return NULL;
	}
	script = ms_script_read(in, kernel, &err);
	if (!script)
		script_warn(path, &err);
	if (in != stdin)
		fclose(in);
	return script;
}

struct run {
	struct ms_script_kernel kernel;
	struct rules rules;
	unsigned int flags;
	bool show_rules, exit_code;
};

/* EXIT_TROUBLE after a message: on the kernel of the command line nothing can be played. */
static int check_kernel(const struct run *run)
{
	const char *release = run->kernel.release;

	if (!release || ms_policy_linux(release, MS_ARCH_ARM64))
		return 0;
	warnx("--kernel %s: %s", release, ms_release_known(release, MS_ARCH_ARM64).text);
	return EXIT_TROUBLE;
}

/* 0: go on. Else what run_command() answers. */
static int parse(struct run *run, int argc, char **argv)
{
	static const struct option options[] = {
		{ "kernel", required_argument, NULL, 'k' },
		{ "arch", required_argument, NULL, 'a' },
		{ "explain", no_argument, NULL, 'e' },
		{ "hazards", no_argument, NULL, 'z' },
		{ "rules", no_argument, NULL, 'r' },
		{ "exit-code", no_argument, NULL, 'x' },
		{ "help", no_argument, NULL, 'h' },
		{ "set", required_argument, NULL, 's' },
		{ "policy", required_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 },
	};
	int c, ret = 0;

	while (!ret && (c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'k')
			run->kernel.release = optarg;
		else if (c == 'a')
			run->kernel.arch = optarg;
		else if (c == 'e')
			run->flags |= MS_SCRIPT_EXPLAIN;
		else if (c == 'z')
			run->flags |= MS_SCRIPT_HAZARDS;
		else if (c == 'r')
			run->show_rules = true;
		else if (c == 'x')
			run->exit_code = true;
		else if (c == 'h')
			ret = SHOW_HELP;
		else if (c == 's')
			ret = rules_set(&run->rules, optarg) ? EXIT_TROUBLE : 0;
		else if (c == 'p')
			ret = rules_read(&run->rules, optarg) ? EXIT_TROUBLE : 0;
		else
			ret = misused(NULL);
	}
	if (!ret && optind + 1 != argc)
		ret = misused(optind == argc ? "a FILE is missing" : "one FILE at a time");
	return ret ? ret : check_kernel(run);
}

static int play(const struct run *run, const char *path)
{
	struct ms_script *script = read_script(path, &run->kernel);
	struct ms_script_error err;

	if (!script)
		return EXIT_TROUBLE;
	int ret = rules_apply(&run->rules, path, script);
	if (!ret) {
		ret = ms_script_run(script, run->flags, stdout, &err);
		if (ret == -EIO) {
			warn("standard output");
			clearerr(stdout); // or main() would say it again
		} else if (ret) {
			script_warn(path, &err);
		}
	}
	if (!ret && (run->show_rules || (run->flags & MS_SCRIPT_EXPLAIN)))
		ret = print_rests_on(script, run->show_rules, stdout);
	int code = ret ? EXIT_TROUBLE : EXIT_DONE;
	if (!ret && run->exit_code)
		code = report_violations(script, path);
	ms_script_free(script);
	return code;
}

int run_command(int argc, char **argv)
{
	struct run run = { 0 };
	int code = parse(&run, argc, argv);

	if (!code)
		code = play(&run, argv[optind]);
	rules_free(&run.rules);
	return code;
}
