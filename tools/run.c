/* SPDX-License-Identifier: GPL-2.0-only */
/* mapsim run, and the reading of scripts. */
#include "tool.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <string.h>

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
	struct ms_script *script = NULL;
	FILE *in = strcmp(path, "-") ? fopen(path, "re") : stdin;

	if (!in) {
		warn("%s", path);
		return NULL;
	}
	if (ms_script_read(in, kernel, &script, &err)) {
		script_warn(path, &err);
		script = NULL;
	}
	if (in != stdin)
		fclose(in);
	return script;
}

struct run {
	struct ms_script_kernel kernel;
	struct rules rules;
	unsigned int flags;
	bool show_rules;
};

/* A kernel of the command line that no script could be played on: -1 after a message. */
static int check_kernel(const struct run *run)
{
	const char *release = run->kernel.release;

	if (!release || ms_policy_linux(release, MS_ARCH_ARM64))
		return 0;
	warnx("--kernel %s: %s", release, ms_release_known(release, MS_ARCH_ARM64).text);
	return -1;
}

/* 0, or -1: bad options. */
static int parse(struct run *run, int argc, char **argv)
{
	static const struct option options[] = {
		{ "kernel", required_argument, NULL, 'k' },
		{ "arch", required_argument, NULL, 'a' },
		{ "explain", no_argument, NULL, 'e' },
		{ "rules", no_argument, NULL, 'r' },
		{ "set", required_argument, NULL, 's' },
		{ "policy", required_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 },
	};
	int c, ret = 0;

	while (!ret && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'k')
			run->kernel.release = optarg;
		else if (c == 'a')
			run->kernel.arch = optarg;
		else if (c == 'e')
			run->flags |= MS_SCRIPT_EXPLAIN;
		else if (c == 'r')
			run->show_rules = true;
		else if (c == 's')
			ret = rules_set(&run->rules, optarg);
		else if (c == 'p')
			ret = rules_read(&run->rules, optarg);
		else
			ret = -1;
	}
	if (!ret && optind + 1 != argc) {
		warnx("run: one FILE is needed");
		ret = -1;
	}
	return ret ? ret : check_kernel(run);
}

static int play(const struct run *run, const char *path)
{
	struct ms_script *script = read_script(path, &run->kernel);
	struct ms_script_error err;

	if (!script)
		return EXIT_UNREADABLE;
	int ret = rules_apply(&run->rules, path, script);
	if (!ret) {
		ret = ms_script_run(script, run->flags, stdout, &err);
		if (ret)
			script_warn(path, &err);
	}
	if (!ret && (run->show_rules || (run->flags & MS_SCRIPT_EXPLAIN)))
		ret = print_rests_on(script, run->show_rules, stdout);
	ms_script_free(script);
	return ret ? EXIT_UNREADABLE : 0;
}

int run_command(int argc, char **argv)
{
	struct run run = { 0 };
	int ret = parse(&run, argc, argv) ? EXIT_UNREADABLE : play(&run, argv[optind]);

	rules_free(&run.rules);
	return ret;
}
