/* SPDX-License-Identifier: GPL-2.0-only */
/* mapsim draw: a script as a picture. */
#define _GNU_SOURCE /* basename */
#include "../tool.h"
#include "page.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

const char draw_help[] =
	"usage: mapsim draw [--kernel RELEASE]... [--arch ARCH] [--step N] [--set RULE=VALUE]...\n"
	"                   [--policy FILE]... --output PICTURE FILE\n"
	"\n"
	"Plays a script, or the operations of a recording, and draws what is mapped: VMAs, the leaves of\n"
	"page tables, memslots, the leaves of guests' tables, devices, claims and memory types, one\n"
	"below the other at the addresses of the process. What the last operation changed stands out,\n"
	"and what is wrong (the hazards of 'mapsim run') is marked. The axis is to scale, but for what\n"
	"is long and has nothing in it, which is cut. FILE may be -, which is standard input.\n"
	"\n"
	"  -o, --output PICTURE  NAME.svg is a picture of one moment; NAME.html a page that steps through\n"
	"                        the operations, with their answers, events and reasons\n"
	"  --kernel RELEASE      an upstream release, in place of the one that the header names; given\n"
	"                        twice, two kernels beside each other\n"
	"  --arch ARCH           arm64 or x86_64, likewise\n"
	"  --step N              the moment of an SVG: after N operations; all of them if not said\n"
	"  -h, --help            prints this\n"
	"\n" RULES_HELP "\n"
	"exit codes:\n"
	"  0  the picture was drawn\n"
	"  2  the command line is wrong, or something could not be read, played or written\n"
	"\n"
	"examples:\n"
	"  mapsim draw --output beyond.svg beyond_the_vma.ms\n"
	"  mapsim draw --kernel 6.12.107 --kernel 6.12.117 -o beyond.html beyond_the_vma.ms\n";

struct draw {
	const char *releases[MAX_PICTURES], *arch, *output;
	size_t nr_releases, step;
	struct rules rules;
	bool html;
};

static int set_step(struct draw *draw, const char *text)
{
	char *end;

	errno = 0;
	draw->step = strtoul(text, &end, 10);
	if (!*text || *end || errno || *text == '-')
		return misused("--step %s: not a number", text);
	return 0;
}

static int add_release(struct draw *draw, const char *release)
{
	if (draw->nr_releases == MAX_PICTURES)
		return misused("--kernel: two at most");
	draw->releases[draw->nr_releases++] = release;
	if (ms_policy_linux(release, MS_ARCH_ARM64))
		return 0;
	warnx("--kernel %s: %s", release, ms_release_known(release, MS_ARCH_ARM64).text);
	return EXIT_TROUBLE;
}

/* 0: go on. Else what draw_command() answers. */
static int check(struct draw *draw, int left)
{
	const char *suffix = draw->output ? strrchr(draw->output, '.') : NULL;

	if (left != 1)
		return misused(left ? "one FILE at a time" : "a FILE is missing");
	if (!draw->output)
		return misused("--output is missing");
	draw->html = suffix && !strcmp(suffix, ".html");
	if (!draw->html && (!suffix || strcmp(suffix, ".svg") != 0))
		return misused("--output %s: neither .svg nor .html", draw->output);
	if (draw->html && draw->step != SIZE_MAX)
		return misused("--step: only of an SVG; an HTML page has all steps");
	return 0;
}

static int parse(struct draw *draw, int argc, char **argv)
{
	static const struct option options[] = {
		{ "kernel", required_argument, NULL, 'k' },
		{ "arch", required_argument, NULL, 'a' },
		{ "output", required_argument, NULL, 'o' },
		{ "step", required_argument, NULL, 'n' },
		{ "set", required_argument, NULL, 's' },
		{ "policy", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c, ret = 0;

	while (!ret && (c = getopt_long(argc, argv, "ho:", options, NULL)) != -1) {
		if (c == 'k')
			ret = add_release(draw, optarg);
		else if (c == 'a')
			draw->arch = optarg;
		else if (c == 'o')
			draw->output = optarg;
		else if (c == 'n')
			ret = set_step(draw, optarg);
		else if (c == 's')
			ret = rules_set(&draw->rules, optarg) ? EXIT_TROUBLE : 0;
		else if (c == 'p')
			ret = rules_read(&draw->rules, optarg) ? EXIT_TROUBLE : 0;
		else
			ret = c == 'h' ? SHOW_HELP : misused(NULL);
	}
	return ret ? ret : check(draw, argc - optind);
}

/* The script for one of the kernels. */
static struct ms_script *read_for(const struct draw *draw, size_t i, const char *path)
{
	const struct ms_script_kernel kernel = { draw->releases[i], draw->arch };
	struct ms_script *script = read_script(path, &kernel);

	if (script && rules_apply(&draw->rules, path, script)) {
		ms_script_free(script);
		return NULL;
	}
	return script;
}

/* -1 after a message. */
static int write_picture(const struct draw *draw, const struct picture *pictures, size_t n,
			 const char *path)
{
	const char *title = strcmp(path, "-") ? basename(path) : "a script";
	struct layout layout;
	FILE *out;

	if (draw->step != SIZE_MAX && draw->step >= pictures->nr_frames) {
		warnx("--step %zu: %s has %zu operations", draw->step, path,
		      pictures->nr_frames - 1);
		return -1;
	}
	if (layout_make(&layout, pictures, n)) {
		warnx("%s: no memory", path);
		return -1;
	}
	out = fopen(draw->output, "we");
	if (out && draw->html)
		page_html(&layout, pictures, n, title, out);
	else if (out)
		page_svg(&layout, pictures, n, draw->step, out);
	layout_free(&layout);
	bool failed = !out || ferror(out);
	if (out && fclose(out))
		failed = true;
	if (failed)
		warn("%s", draw->output);
	return failed ? -1 : 0;
}

static int draw(const struct draw *draw, const char *path)
{
	const size_t n = draw->nr_releases ? draw->nr_releases : 1;
	struct picture pictures[MAX_PICTURES] = { 0 };
	struct ms_script *scripts[MAX_PICTURES] = { 0 };
	int ret = 0;

	if (n > 1 && !strcmp(path, "-"))
		return misused("two kernels need a FILE that can be read twice");
	for (size_t i = 0; i < n && !ret; i++) {
		scripts[i] = read_for(draw, i, path);
		ret = scripts[i] ? picture_take(&pictures[i], scripts[i], path) : -1;
	}
	if (!ret)
		ret = write_picture(draw, pictures, n, path);
	for (size_t i = 0; i < n; i++) {
		picture_free(&pictures[i]);
		ms_script_free(scripts[i]);
	}
	return ret ? EXIT_TROUBLE : EXIT_DONE;
}

int draw_command(int argc, char **argv)
{
	struct draw options = { .step = SIZE_MAX };
	int code = parse(&options, argc, argv);

	if (!code)
		code = draw(&options, argv[optind]);
	rules_free(&options.rules);
	return code;
}
