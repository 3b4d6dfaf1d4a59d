/* SPDX-License-Identifier: GPL-2.0-only */
/* mapsim driver: plays with a driver what processes, guests and kernels do with its mapping. */
#include "command.h"

#include "../tool.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

/* So that all kernels take some seconds: what a search finds is played on all of them. */
#define STATES_OF_NEWEST 20000u
#define STATES_OF_OTHERS 2000u
#define MAX_FIXED 128
#define MAX_HANGS 3 /* each takes seconds: more tell nothing new */

/* ---- playing ---- */

struct now {
	struct command *command;
	const struct drv_play *play;
	size_t kernel, device;
};

static void found(const struct drv_report *report, void *arg)
{
	struct now *now = arg;

	now->command->findings.hangs += report->hangs;
	drv_findings_add(&now->command->findings, &now->command->config,
			 now->play, now->kernel, now->device, report);
}

static int play_on(struct command *c, const struct drv_play *plays, size_t nr, size_t kernel,
		   size_t device, struct drv_outcome *outcome)
{
	struct now now = { c, plays, kernel, device };

	*outcome = (struct drv_outcome){ 0 };
	if (c->findings.hangs >= MAX_HANGS || !c->config.kernel[kernel].module)
		return 0;
	if (drv_run(&c->config, &c->config.kernel[kernel], device, plays, nr, outcome, found,
		    &now)) {
		warn("a process");
		return EXIT_TROUBLE;
	}
	c->findings.plays += outcome->plays;
	c->findings.steps += outcome->steps;
	c->findings.mapped += outcome->mapped;
	c->findings.refused += outcome->refused;
	return 0;
}

static int play_everywhere(struct command *c, const struct drv_play *plays, size_t nr,
			   size_t device)
{
	struct drv_outcome outcome;
	int ret = 0;

	for (size_t i = 0; !ret && i < c->config.nr_kernels; i++)
		ret = play_on(c, plays, nr, i, device, &outcome);
	return ret;
}

static bool is_newest(const struct drv_config *config, size_t kernel)
{
	return kernel + 1 == config->nr_kernels ||
	       config->kernel[kernel + 1].arch != config->kernel[kernel].arch;
}

/* Each allocation of the play, the model's own included, fails once. */
static int fail_each(struct command *c, const struct drv_play *play, size_t kernel, size_t device)
{
	struct drv_outcome outcome;
	int ret = play_on(c, play, 1, kernel, device, &outcome);
	const size_t nr = outcome.allocs;
	struct drv_play *plays = ret || !nr ? NULL : calloc(nr, sizeof(*plays));

	if (ret || !nr)
		return ret;
	if (!plays) {
		warn(NULL);
		return EXIT_TROUBLE;
	}
	for (size_t i = 0; i < nr; i++) {
		plays[i] = *play;
		plays[i].fail_alloc = nr - i;
	}
	ret = play_on(c, plays, nr, kernel, device, &outcome);
	free(plays);
	return ret;
}

static int play_failing(struct command *c, const char *text, size_t device)
{
	struct drv_play play;
	char wrong[64];
	int ret = 0;

	drv_play_parse(&play, text, wrong, sizeof(wrong));
	for (size_t i = 0; !ret && i < c->config.nr_kernels; i++)
		if (!c->config.quick || is_newest(&c->config, i))
			ret = fail_each(c, &play, i, device);
	return ret;
}

/* All sequences of the letters, on each kernel. */
static int search_on(struct command *c, size_t device)
{
	struct drv_letters letters;
	int ret = 0;

	drv_letters(&letters, &c->config);
	for (size_t i = 0; !ret && i < c->config.nr_kernels; i++) {
		struct drv_search search = { .letters = &letters, .device = device };

		search.depth = c->config.depth;
		search.states = c->config.depth_is_said        ? UINT32_MAX
				: is_newest(&c->config, i) ? STATES_OF_NEWEST
							   : STATES_OF_OTHERS;
		struct now now = { c, NULL, i, device };

		if (c->findings.hangs >= MAX_HANGS)
			break;
		if (!c->config.kernel[i].module)
			continue;
		ret = drv_search(&c->config, &c->config.kernel[i], &search, found,
				 &now);
		if (ret) {
			warn("a process");
			return EXIT_TROUBLE;
		}
		c->findings.states += search.states;
		c->findings.sequences += search.operations;
		c->findings.mapped += search.mapped;
		c->findings.refused += search.refused;
		if (!i || search.depth < c->findings.depth)
			c->findings.depth = search.depth;
		if (search.depth > c->findings.deepest)
			c->findings.deepest = search.depth;
	}
	return ret;
}

/* Those plays of the list that the configuration has something for. */
static int play_fixed(struct command *c, size_t device)
{
	static struct drv_play plays[MAX_FIXED];
	size_t nr = 0;
	const char *text;
	char wrong[256];

	for (size_t i = 0; nr < MAX_FIXED && (text = drv_fixed_play(i)); i++) {
		if (drv_play_parse(&plays[nr], text, wrong, sizeof(wrong))) {
			warnx("%s: %s", text, wrong);
			return EXIT_TROUBLE;
		}
		nr += drv_play_fits(&plays[nr], &c->config);
	}
	return play_everywhere(c, plays, nr, device);
}

static int play_list(struct command *c, size_t device)
{
	const char *text;
	int ret = 0;

	for (size_t i = 0; !ret && i < c->nr_plays; i++)
		if (drv_play_fits(&c->play[i], &c->config))
			ret = play_everywhere(c, &c->play[i], 1, device);
	if (c->nr_plays)
		return ret;
	if (c->config.depth)
		ret = search_on(c, device);
	if (ret || (c->only && strcmp(c->only, "list")))
		return ret;
	ret = play_fixed(c, device);
	for (size_t i = 0; !ret && (text = drv_failing_play(i)); i++)
		ret = play_failing(c, text, device);
	return ret;
}

/* ---- making examples short ---- */

struct wanted {
	struct command *command;
	const struct drv_finding *finding;
	struct now now;
	struct drv_findings seen;
};

static void look_for(const struct drv_report *report, void *arg)
{
	struct wanted *wanted = arg;

	drv_findings_add(&wanted->seen, &wanted->command->config,
			 wanted->now.play, wanted->now.kernel, wanted->now.device, report);
}

/* Does the play show what the finding says? Answers that of the play; freed by the caller. */
static bool shows(struct command *c, const struct drv_finding *finding, const struct drv_play *play,
		  struct drv_finding *shown)
{
	struct wanted wanted = { .command = c,
				 .finding = finding,
				 .now = { c, play, finding->kernel, finding->device } };
	struct drv_outcome outcome;
	bool is = false;

	if (drv_run(&c->config, &c->config.kernel[finding->kernel], finding->device,
		    play, 1, &outcome, look_for, &wanted))
		return false;
	for (size_t i = 0; i < wanted.seen.nr && !is; i++) {
		is = drv_finding_like(&wanted.seen.finding[i], finding);
		if (is)
			*shown = wanted.seen.finding[i];
	}
	drv_findings_free(&wanted.seen);
	return is;
}

/* A play that was found on one kernel shows the same on others, which the search cut short. */
static void try_on_others(struct command *c, struct drv_finding *f)
{
	struct drv_finding there = *f, shown;

	for (size_t i = 0; !f->hangs && i < c->config.nr_kernels; i++) {
		there.kernel = i;
		if (!(f->kernels >> i & 1) && c->config.kernel[i].module && shows(c, &there, &f->play, &shown))
			f->kernels |= UINT64_C(1) << i;
	}
}

static void shorten(struct command *c, struct drv_finding *f)
{
	struct drv_finding shown;

	// another number would fail, or it takes too long
	if (f->play.fail_alloc || f->hangs)
		return;
	f->play.nr = f->steps;
	for (size_t i = f->play.nr; i-- > 0;) {
		struct drv_play less = f->play;

		memmove(&less.step[i], &less.step[i + 1], (less.nr - i - 1) * sizeof(less.step[0]));
		less.nr--;
		if (!shows(c, f, &less, &shown))
			continue;
		shown.kernels = f->kernels;
		shown.play.nr = shown.steps;
		*f = shown;
		if (i > f->play.nr)
			i = f->play.nr;
	}
}

/* ---- all of it ---- */

/* Loads the module once, to see what it registers. */
static int probe(struct command *c, struct drv_outcome *outcome)
{
	const struct drv_play nothing = { 0 };
	struct drv_config *config = &c->config;
	struct now now = { c, &nothing, config->nr_kernels - 1, 0 };
	char wrong[256];

	while (!config->kernel[now.kernel].module)
		now.kernel--;

	if (drv_module_set_params(config->kernel[now.kernel].module, config, wrong, sizeof(wrong))) {
		warnx("--param: %s", wrong);
		return EXIT_TROUBLE;
	}
	if (drv_run(config, &config->kernel[now.kernel], 0, &nothing, 1, outcome, found,
		    &now))
		return EXIT_TROUBLE;
	if (outcome->refused_init) {
		warnx("%s: %s (--device, --bar, --resource and --param say what there is)",
		      config->source, outcome->why);
		return EXIT_TROUBLE;
	}
	config->on_bus = outcome->on_bus;
	if (!outcome->nr_devices && !c->findings.nr) {
		warnx("%s: module_init() registers no device that could be opened", config->source);
		return EXIT_TROUBLE;
	}
	return 0;
}

static int play_all(struct command *c)
{
	struct drv_outcome outcome;
	int ret = probe(c, &outcome);

	for (size_t i = 0; !ret && i < (outcome.nr_devices ? outcome.nr_devices : 1); i++)
		ret = play_list(c, i);
	for (size_t i = 0; !ret && i < c->findings.nr; i++)
		shorten(c, &c->findings.finding[i]);
	for (size_t i = 0; !ret && i < c->findings.nr; i++)
		try_on_others(c, &c->findings.finding[i]);
	return ret;
}

static int answer(const struct command *c)
{
	int code = EXIT_DONE;

	if (c->config.json)
		drv_print_json(&c->findings, &c->config);
	else
		drv_print(&c->findings, &c->config, c->modules.why);
	for (size_t i = 0; i < c->findings.nr; i++)
		if (drv_finding_counts(&c->findings.finding[i]))
			code = EXIT_FOUND;
	return code;
}

int driver_command(int argc, char **argv)
{
	struct command c = { 0 };
	int code = drv_parse(&c, argc, argv);

	if (!code) {
		code = drv_modules_load(&c.modules, &c.config) ? EXIT_TROUBLE : play_all(&c);
		if (!code)
			code = answer(&c);
		drv_modules_unload(&c.modules);
	}
	drv_findings_free(&c.findings);
	return code;
}
