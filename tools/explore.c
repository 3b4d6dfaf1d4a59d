/* SPDX-License-Identifier: GPL-2.0-only */
/* mapsim explore: searches a world for what is wrong with a kernel. */
#include "explore.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char explore_help[] =
	"usage: mapsim explore [OPTION...] WORLD\n"
	"       mapsim explore --diff [OPTION...] R S PATH...\n"
	"       mapsim explore --merge DIR...\n"
	"\n"
	"Plays all scripts over the alphabet of a world, the short ones first, on the model of a kernel,\n"
	"and prints the shortest script of each thing that it finds wrong: what the kernel lets stand\n"
	"wrong, a violation, a fault that never ends. docs/worlds.md in the sources of mapsim describes\n"
	"worlds; examples/worlds has some.\n"
	"\n"
	"  --kernel R[,R...]  upstream releases, in place of those that the world names; without either\n"
	"                     the newest recorded one\n"
	"  --arch ARCH        arm64 or x86_64, of a world for both\n"
	"  --depth N          operations of a script, at most\n"
	"  --states N         bound of different states\n"
	"  --go-on            goes on also from states in which something is wrong\n"
	"  --race             plays operations also in the middle of others, at each hook point, and prints\n"
	"                     what no order of the two brings about\n"
	"  --random N         random walks after the search, and their --seed S\n"
	"  --seed S\n"
	"  --walk N           operations of a random walk (24)\n"
	"  --jobs N           threads; the answer does not depend on it\n"
	"  --shard I/N        the I-th of N parts, from 1 on, which can be done anywhere\n"
	"  --out DIR          writes the scripts there, one file each, for 'mapsim run'\n"
	"  --resume           with --out: goes on where a search was stopped (by SIGINT or SIGTERM)\n"
	"  --merge            joins the findings of searches and shards: those in the folders DIR\n"
	"  --diff             for each rule in which the kernels R and S differ prints the shortest script\n"
	"                     that tells them apart because of that rule alone, in Markdown. A PATH is a\n"
	"                     world, or a script or recording (.ms, .rec), parts of which are tried; or a\n"
	"                     folder of these\n"
	"  --quiet            no progress on standard error\n"
	"  -h, --help         prints this\n"
	"\n" RULES_HELP "\n"
	"exit codes:\n"
	"  0  nothing was found\n"
	"  1  something was found\n"
	"  2  the command line is wrong, or something could not be read, played or written\n"
	"  3  the search was stopped before its end\n"
	"\n"
	"examples:\n"
	"  mapsim explore --kernel 6.12.107,6.12.117 examples/worlds/vfio-arm64.world\n"
	"  mapsim explore --depth 7 --jobs 4 --out found examples/worlds/vfio-x86.world\n"
	"  mapsim explore --merge shard1 shard2\n";

/* SIGINT and SIGTERM set it: the search stops at the next place where it can go on again. */
static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

enum {
	OPT_STATES = 256,
	OPT_GO_ON,
	OPT_RANDOM,
	OPT_SEED,
	OPT_WALK,
	OPT_JOBS,
	OPT_SHARD,
	OPT_OUT,
	OPT_RESUME,
	OPT_MERGE,
	OPT_DIFF,
	OPT_RACE,
};

static int number(const char *name, const char *text, uint64_t most, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || *value > most)
		return misused("%s: not a number from 0 to %llu \"%s\"", name,
			       (unsigned long long)most, text);
	return 0;
}

static int small_number(const char *name, const char *text, unsigned int most, unsigned int *value)
{
	uint64_t n;
	int ret = number(name, text, most, &n);

	if (!ret && !n)
		return misused("%s: at least 1", name);
	if (!ret)
		*value = (unsigned int)n;
	return ret;
}

static int shard(const char *text, struct ms_explore_config *config)
{
	char extra;

	if (sscanf(text, "%u/%u%c", &config->shard, &config->shards, &extra) != 2 ||
	    !config->shard || config->shard > config->shards)
		return misused("--shard: not I/N with I from 1 to N \"%s\"", text);
	config->shard--;
	return 0;
}

static int one_option(struct explore *e, int c)
{
	struct ms_explore_config *config = &e->config;

	switch (c) {
	case 'k':
		e->kernels = optarg;
		return 0;
	case 'a':
		config->arch = optarg;
		return 0;
	case 'd':
		return small_number("--depth", optarg, MS_EXPLORE_MAX_DEPTH, &config->depth);
	case OPT_STATES:
		return number("--states", optarg, UINT32_MAX, &config->states);
	case OPT_GO_ON:
		config->go_on = true;
		return 0;
	case OPT_RANDOM:
		return number("--random", optarg, UINT32_MAX, &config->walks);
	case OPT_SEED:
		return number("--seed", optarg, UINT64_MAX, &config->seed);
	case OPT_WALK:
		return small_number("--walk", optarg, MS_EXPLORE_MAX_DEPTH, &config->walk_len);
	case OPT_JOBS:
		return small_number("--jobs", optarg, 32, &config->jobs);
	case OPT_SHARD:
		return shard(optarg, config);
	case OPT_OUT:
		e->out = optarg;
		return 0;
	case OPT_RESUME:
		e->resume = true;
		return 0;
	case OPT_MERGE:
		e->merge = true;
		return 0;
	case OPT_RACE:
		config->race = true;
		return 0;
	case OPT_DIFF:
		e->diff = true;
		return 0;
	case 'q':
		e->quiet = true;
		return 0;
	case 's':
		return rules_set(&e->rules, optarg) ? EXIT_TROUBLE : 0;
	case 'p':
		return rules_read(&e->rules, optarg) ? EXIT_TROUBLE : 0;
	case 'h':
		return SHOW_HELP;
	default:
		return misused(NULL);
	}
}

/* 0: go on. Else what explore_command() answers. */
static int parse(struct explore *e, int argc, char **argv)
{
	static const struct option options[] = {
		{ "kernel", required_argument, NULL, 'k' },
		{ "arch", required_argument, NULL, 'a' },
		{ "depth", required_argument, NULL, 'd' },
		{ "states", required_argument, NULL, OPT_STATES },
		{ "go-on", no_argument, NULL, OPT_GO_ON },
		{ "random", required_argument, NULL, OPT_RANDOM },
		{ "seed", required_argument, NULL, OPT_SEED },
		{ "walk", required_argument, NULL, OPT_WALK },
		{ "jobs", required_argument, NULL, OPT_JOBS },
		{ "shard", required_argument, NULL, OPT_SHARD },
		{ "out", required_argument, NULL, OPT_OUT },
		{ "resume", no_argument, NULL, OPT_RESUME },
		{ "merge", no_argument, NULL, OPT_MERGE },
		{ "race", no_argument, NULL, OPT_RACE },
		{ "diff", no_argument, NULL, OPT_DIFF },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ "set", required_argument, NULL, 's' },
		{ "policy", required_argument, NULL, 'p' },
		{ NULL, 0, NULL, 0 },
	};
	int c, ret = 0;

	while (!ret && (c = getopt_long(argc, argv, "h", options, NULL)) != -1)
		ret = one_option(e, c);
	if (ret)
		return ret;
	if (e->merge)
		return optind == argc ? misused("--merge: a folder is missing") : 0;
	if (e->diff)
		return argc - optind < 3 ? misused("--diff: two releases and a PATH are needed")
					 : 0;
	if (optind + 1 != argc)
		return misused(optind == argc ? "a WORLD is missing" : "one WORLD at a time");
	if (e->resume && !e->out)
		return misused("--resume: --out says where the search was stopped");
	return 0;
}

/* ---- progress ---- */

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void print_progress(const struct explore *e, const struct ms_explore_progress *p, double now)
{
	const double took = now - e->began;

	fprintf(stderr,
		"%s: depth %u, %llu states, %llu to go on from, %llu operations, %.0f states/s, "
		"%zu findings",
		e->kernel, p->depth, (unsigned long long)p->states, (unsigned long long)p->frontier,
		(unsigned long long)p->operations,
		took > 0 ? (double)(p->states - e->states_before) / took : 0, p->findings);
	if (p->walks)
		fprintf(stderr, ", %llu walks", (unsigned long long)p->walks);
	fprintf(stderr, "\n");
}

static bool progress(const struct ms_explore_progress *p, void *arg)
{
	struct explore *e = arg;
	const double now = seconds();

	if (!e->quiet && now - e->printed >= 2) {
		print_progress(e, p, now);
		e->printed = now;
	}
	return stopped;
}

/* ---- one kernel ---- */

static int trouble(const struct explore *e, const char *what, int err)
{
	errno = -err;
	warn("%s: %s", e->path, what);
	return EXIT_TROUBLE;
}

static int collect(struct explore *e, struct ms_explore *x)
{
	const size_t findings = ms_explore_progress(x).findings;

	for (size_t i = 0; i < findings; i++) {
		const struct ms_finding f = ms_explore_finding(x, i);

		if (!f.signature)
			return trouble(e, e->kernel, -ENOMEM);
		if (found_add(&e->found, f.signature, e->kernel, f.rule, f.without, f.script))
			return EXIT_TROUBLE;
	}
	return 0;
}

static int search(struct explore *e, struct ms_explore *x)
{
	e->began = e->printed = seconds();
	e->states_before = ms_explore_progress(x).states;
	int ret = ms_explore_run(x);
	if (ret < 0)
		return trouble(e, e->kernel, ret);
	const struct ms_explore_progress p = ms_explore_progress(x);
	if (!e->quiet)
		print_progress(e, &p, seconds());
	if (ms_explore_is_cut(x))
		warnx("%s: %s: cut short at %llu states", e->path, e->kernel,
		      (unsigned long long)p.states);
	if (e->out && standing_write(e, x))
		return EXIT_TROUBLE;
	e->was_stopped |= ret == 1;
	return collect(e, x);
}

static int one_kernel(struct explore *e, const struct ms_world *world, const char *release)
{
	struct ms_script_error err;

	e->config.release = release;
	e->config.rules = e->rules.text;
	e->config.progress = progress;
	e->config.arg = e;
	struct ms_explore *x = ms_explore_new(world, &e->config, &err);
	if (!x) {
		script_warn(e->path, &err);
		return EXIT_TROUBLE;
	}
	snprintf(e->kernel, sizeof(e->kernel), "%s", ms_explore_kernel_name(x));
	int code = e->resume ? standing_read(e, x) : 0;
	if (!code)
		code = search(e, x);
	ms_explore_free(x);
	return code;
}

/* The kernels of the command line, or the world's, or none: the newest. */
static int all_kernels(struct explore *e, const struct ms_world *world)
{
	char release[40];
	const char *next = e->kernels;
	int code = 0;

	if (!next && !ms_world_kernel(world, 0))
		return one_kernel(e, world, NULL);
	for (size_t i = 0; !next && !code && !stopped && ms_world_kernel(world, i); i++)
		code = one_kernel(e, world, ms_world_kernel(world, i));
	while (next && !code && !stopped) {
		size_t len = strcspn(next, ",");

		snprintf(release, sizeof(release), "%.*s", (int)(len > 39 ? 39 : len), next);
		if (!ms_policy_linux(release, MS_ARCH_ARM64)) {
			warnx("--kernel %s: %s", release,
			      ms_release_known(release, MS_ARCH_ARM64).text);
			return EXIT_TROUBLE;
		}
		code = one_kernel(e, world, release);
		next = next[len] ? next + len + 1 : NULL;
	}
	return code;
}

struct ms_world *read_world(const char *path)
{
	struct ms_script_error err;
	FILE *in = strcmp(path, "-") ? fopen(path, "re") : stdin;

	if (!in) {
		warn("%s", path);
		return NULL;
	}
	struct ms_world *world = ms_world_read(in, &err);
	if (!world)
		script_warn(path, &err);
	if (in != stdin)
		fclose(in);
	return world;
}

static int explore(struct explore *e)
{
	struct ms_world *world = read_world(e->path);
	struct sigaction action = { .sa_handler = stop, .sa_flags = SA_RESETHAND };

	if (!world)
		return EXIT_TROUBLE;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	int code = out_begin(e);
	if (!code)
		code = all_kernels(e, world);
	ms_world_free(world);
	return code;
}

int explore_command(int argc, char **argv)
{
	struct explore e = { .quiet = false };
	int code = parse(&e, argc, argv);

	if (!code && e.merge) {
		for (int i = optind; !code && i < argc; i++)
			code = merge_read(&e, argv[i]);
	} else if (!code && e.diff) {
		code = diff_kernels(&e, argc - optind, argv + optind);
	} else if (!code) {
		e.path = argv[optind];
		code = explore(&e);
	}
	if (!code)
		code = found_print(&e);
	if (!code)
		code = e.was_stopped || stopped ? EXIT_STOPPED
		       : e.found.nr             ? EXIT_FOUND
						: EXIT_DONE;
	found_free(&e.found);
	rules_free(&e.rules);
	return code;
}
