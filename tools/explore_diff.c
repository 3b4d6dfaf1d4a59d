/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mapsim explore --diff: for each rule in which two kernels differ the shortest script whose
 * answers differ because of that rule alone, as a text in Markdown.
 */
#include "explore.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct diff {
	struct explore *e;
	struct ms_world **world;
	size_t nr_worlds;
	const char *release[2];
	enum ms_arch arch;
	const struct ms_policy *policy[2];
	size_t nr_without;
};

/* The shortest witness of a rule, and the kernel in which it was looked for: 0 or 1. */
struct best {
	char *script;
	unsigned int letters;
	int base;
};

static const char *value_name(const struct diff *d, size_t rule, int kernel)
{
	return ms_policy_value_name(rule, ms_policy_field(d->policy[kernel], rule));
}

/* Searches one world on one of the kernels, with the other's value. 0, or an exit code. */
static int search(struct diff *d, size_t world, size_t rule, int base, struct best *best)
{
	struct ms_explore_config config = d->e->config;
	struct ms_script_error err;
	struct ms_witness w;

	config.release = d->release[base];
	config.arch = ms_arch_name(d->arch);
	// a longer script than the one that is known is of no use
	if (best->script && best->letters > 1 && (!config.depth || config.depth >= best->letters))
		config.depth = best->letters - 1;
	int ret = ms_explore_rule(d->world[world], &config, ms_policy_field_name(rule),
				  value_name(d, rule, !base), &w, &err);
	if (ret < 0) {
		script_warn(d->e->path, &err);
		return EXIT_TROUBLE;
	}
	if (ret && (!best->script || w.letters < best->letters)) {
		free(best->script);
		*best = (struct best){ w.script, w.letters, base };
	} else {
		free(w.script);
	}
	return 0;
}

/* The script whose text it is, with the rule set if other. NULL after a message. */
static struct ms_player *play(const char *text, const char *setting, struct ms_script **script)
{
	struct ms_script_error err;

	*script = ms_script_parse(text, strlen(text), NULL, &err);
	if (!*script || (setting && ms_script_set_rules(*script, setting, &err))) {
		script_warn("the script that was found", &err);
		return NULL;
	}
	struct ms_player *p = ms_player_new(*script, &err);
	if (!p)
		script_warn("the script that was found", &err);
	return p;
}

static void print_answer(const char *name, const char *answer)
{
	while (*answer) {
		int len = (int)strcspn(answer, "\n");

		printf("    %s < %.*s\n", name, len, answer);
		answer += len + (answer[len] == '\n');
	}
}

/* Prints the operations, and both answers where they differ. */
static int print_script(const struct diff *d, size_t rule, const struct best *best)
{
	struct ms_script *script[2] = { NULL, NULL };
	struct ms_player *p[2] = { NULL, NULL };
	char setting[160];
	int code = EXIT_TROUBLE;

	snprintf(setting, sizeof(setting), "%s=%s", ms_policy_field_name(rule),
		 value_name(d, rule, !best->base));
	p[best->base] = play(best->script, NULL, &script[best->base]);
	p[!best->base] = p[best->base] ? play(best->script, setting, &script[!best->base]) : NULL;
	if (p[!best->base])
		code = 0;
	for (size_t i = 0; !code && i < ms_script_nr_ops(script[0]); i++) {
		const char *a = ms_player_step(p[0], i), *b = ms_player_step(p[1], i);

		printf("    > %s\n", ms_script_get_op(script[0], i).text);
		if (!a || !b) {
			warnx("no memory");
			code = EXIT_TROUBLE;
		} else if (strcmp(a, b)) {
			print_answer(value_name(d, rule, 0), a);
			print_answer(value_name(d, rule, 1), b);
		}
	}
	for (int i = 0; i < 2; i++) {
		ms_player_free(p[i]);
		ms_script_free(script[i]);
	}
	return code;
}

static int one_rule(struct diff *d, size_t rule)
{
	struct best best = { .script = NULL };
	int code = 0;

	for (size_t i = 0; !code && i < d->nr_worlds; i++) {
		if (!ms_world_has_arch(d->world[i], d->arch))
			continue;
		for (int base = 0; !code && base < 2; base++)
			code = search(d, i, rule, base, &best);
	}
	if (code)
		return code;
	printf("### `%s`: %s → %s\n\n%s\n\n", ms_policy_field_name(rule), value_name(d, rule, 0),
	       value_name(d, rule, 1), ms_policy_field_doc(rule));
	for (int i = 0; i < 2; i++)
		printf("- %s: %s\n", value_name(d, rule, i),
		       ms_policy_value_doc(rule, ms_policy_field(d->policy[i], rule)));
	if (best.script) {
		printf("\nOn %s, with this rule as it is and as it is in %s:\n\n",
		       d->release[best.base], d->release[!best.base]);
		code = print_script(d, rule, &best);
		printf("\n");
	} else {
		d->nr_without++;
		printf("\nNo script of the worlds that were searched tells them apart.\n\n");
	}
	free(best.script);
	return code;
}

static int one_arch(struct diff *d, enum ms_arch arch)
{
	int code = 0;
	bool any = false;

	d->arch = arch;
	for (size_t i = 0; i < d->nr_worlds; i++)
		any |= ms_world_has_arch(d->world[i], arch);
	if (!any || (d->e->config.arch && strcmp(d->e->config.arch, ms_arch_name(arch))))
		return 0;
	for (int i = 0; i < 2; i++) {
		d->policy[i] = ms_policy_linux(d->release[i], arch);
		if (d->policy[i])
			continue;
		warnx("%s: %s", d->release[i], ms_release_known(d->release[i], arch).text);
		return EXIT_TROUBLE;
	}
	printf("## %s\n\n", ms_arch_name(arch));
	for (size_t rule = 0; !code && rule < ms_policy_nr_fields(); rule++) {
		if (ms_policy_field_applies(rule, arch) &&
		    ms_policy_field(d->policy[0], rule) != ms_policy_field(d->policy[1], rule))
			code = one_rule(d, rule);
	}
	return code;
}

int diff_worlds(struct explore *e, int argc, char **argv)
{
	struct diff d = { .e = e, .release = { argv[0], argv[1] } };
	int code = 0;

	d.world = calloc((size_t)argc, sizeof(struct ms_world *));
	if (!d.world) {
		warnx("no memory");
		return EXIT_TROUBLE;
	}
	for (int i = 2; !code && i < argc; i++) {
		e->path = argv[i];
		d.world[d.nr_worlds] = read_world(argv[i]);
		if (d.world[d.nr_worlds])
			d.nr_worlds++;
		else
			code = EXIT_TROUBLE;
	}
	if (!code)
		printf("# What changed from Linux %s to %s\n\n", argv[0], argv[1]);
	if (!code)
		code = one_arch(&d, MS_ARCH_ARM64);
	if (!code)
		code = one_arch(&d, MS_ARCH_X86_64);
	for (size_t i = 0; i < d.nr_worlds; i++)
		ms_world_free(d.world[i]);
	free(d.world);
	return code;
}
