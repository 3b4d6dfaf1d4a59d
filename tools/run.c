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

int run_command(int argc, char **argv)
{
	static const struct option options[] = {
		{ "kernel", required_argument, NULL, 'k' },
		{ "arch", required_argument, NULL, 'a' },
		{ "explain", no_argument, NULL, 'e' },
		{ NULL, 0, NULL, 0 },
	};
	struct ms_script_kernel kernel = { NULL, NULL };
	struct ms_script_error err;
	unsigned int flags = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'k')
			kernel.release = optarg;
		else if (c == 'a')
			kernel.arch = optarg;
		else if (c == 'e')
			flags |= MS_SCRIPT_EXPLAIN;
		else
			return EXIT_UNREADABLE;
	}
	if (optind + 1 != argc) {
		warnx("run: one FILE is needed");
		return EXIT_UNREADABLE;
	}
	struct ms_script *script = read_script(argv[optind], &kernel);
	if (!script)
		return EXIT_UNREADABLE;
	int ret = ms_script_run(script, flags, stdout, &err);
	if (ret)
		script_warn(argv[optind], &err);
	ms_script_free(script);
	return ret ? EXIT_UNREADABLE : 0;
}
