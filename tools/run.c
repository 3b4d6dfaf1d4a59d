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
};

/* 0, or -1: bad options. */
static int parse(struct run *run, int argc, char **argv)
{
	static const struct option options[] = {
		{ "kernel", required_argument, NULL, 'k' },
		{ "arch", required_argument, NULL, 'a' },
		{ "explain", no_argument, NULL, 'e' },
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
	return ret;
}

static int play(const struct run *run, const char *path)
{
	struct ms_script *script = read_script(path, &run->kernel);
	struct ms_script_error err;

	if (!script)
		return EXIT_UNREADABLE;
	rules_apply(&run->rules, script);
	int ret = ms_script_run(script, run->flags, stdout, &err);
	if (ret)
		script_warn(path, &err);
	else if (run->flags & MS_SCRIPT_EXPLAIN)
		ret = print_inferred(script, stdout);
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
