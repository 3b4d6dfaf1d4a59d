/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mapsim explore --diff: for each rule in which two kernels differ the shortest script whose
 * answers differ because of that rule alone, as a text in Markdown.
 */
#include "explore_diff.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The shortest script that tells a rule's values apart, and the kernel that it is played on. */
struct best {
	char *script;
	size_t ops;
	int base; /* 0 or 1 */
	enum ms_arch arch;
	size_t seed, world; /* the number of the one that it comes from; of the other SIZE_MAX */
};

static const char *value_name(const struct diff *d, size_t rule, int kernel, enum ms_arch arch)
{
	return ms_policy_value_name(rule, ms_policy_field(d->policy[arch][kernel], rule));
}

static bool differs(const struct diff *d, size_t rule, enum ms_arch arch)
{
	return d->policy[arch][0] && ms_policy_field_applies(rule, arch) &&
	       ms_policy_field(d->policy[arch][0], rule) !=
		       ms_policy_field(d->policy[arch][1], rule);
}

/* ---- the search ---- */

static size_t length(const char *script)
{
	size_t n = 0;

	for (; (script = strstr(script, "\n> ")); script++)
		n++;
	return n;
}

/* Takes the script over. */
static void add(struct best *best, const struct best *other)
{
	if (other->script && (!best->script || other->ops < best->ops)) {
		free(best->script);
		*best = *other;
	} else {
		free(other->script);
	}
}

static int in_seed(struct diff *d, size_t seed, size_t rule, int base, struct best *best)
{
	const struct seed *s = &d->seeds.seed[seed];
	struct ms_script_error err;
	struct ms_witness w;

	if (!s->script[base])
		return 0;
	int ret = ms_explore_rule_in(s->script[base], ms_policy_field_name(rule),
				     value_name(d, rule, !base, s->arch), &w, &err);
	if (ret < 0) {
		script_warn(s->path, &err);
		return EXIT_TROUBLE;
	}
	if (ret)
		add(best,
		    &(struct best){ w.script, length(w.script), base, s->arch, seed, SIZE_MAX });
	return 0;
}

/* Not beyond the length that a script is known of. */
static int in_world(struct diff *d, size_t world, enum ms_arch arch, size_t rule, int base,
		    struct best *best)
{
	struct ms_explore_config config = d->e->config;
	struct ms_script_error err;
	struct ms_witness w;

	config.release = d->release[base];
	config.arch = ms_arch_name(arch);
	if (!config.depth)
		config.depth = ms_world_depth(d->world[world]);
	if (best->script && config.depth >= best->ops)
		config.depth = (unsigned int)best->ops - 1;
	if (!config.depth)
		return 0;
	int ret = ms_explore_rule(d->world[world], &config, ms_policy_field_name(rule),
				  value_name(d, rule, !base, arch), &w, &err);
	if (ret < 0) {
		script_warn(d->world_path[world], &err);
		return EXIT_TROUBLE;
	}
	d->cut |= w.cut;
	if (ret)
		add(best,
		    &(struct best){ w.script, length(w.script), base, arch, SIZE_MAX, world });
	return 0;
}

static int search(struct diff *d, size_t rule, struct best *best)
{
	int code = 0;

	for (int base = 0; !code && base < 2; base++) {
		for (size_t i = 0; !code && i < d->seeds.nr; i++) {
			if (differs(d, rule, d->seeds.seed[i].arch))
				code = in_seed(d, i, rule, base, best);
		}
	}
	for (size_t i = 0; !code && i < d->nr_worlds; i++) {
		for (int a = MS_ARCH_ARM64; !code && a <= MS_ARCH_X86_64; a++) {
			if (!differs(d, rule, a) || !ms_world_has_arch(d->world[i], a))
				continue;
			code = in_world(d, i, a, rule, 0, best);
			if (!code)
				code = in_world(d, i, a, rule, 1, best);
		}
	}
	return code;
}

/* ---- both answers ---- */

/* The script whose text it is, with the rule set if setting. NULL after a message. */
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

/* Prints the lines of an answer that the other one does not have. */
static void print_answer(const char *name, const char *answer, const char *other)
{
	while (*answer) {
		int len = (int)strcspn(answer, "\n");
		const char *same = other;

		while ((same = strchr(same, *answer)) &&
		       ((same != other && same[-1] != '\n') || strncmp(same, answer, (size_t)len) ||
			(same[len] && same[len] != '\n')))
			same++;
		if (!same)
			printf("    %s < %.*s\n", name, len, answer);
		answer += len + (answer[len] == '\n');
	}
}

static void print_answers(const struct diff *d, const char *own, const char *other)
{
	if (!strcmp(own, other))
		return;
	// lines that are in both need not be read twice; if only their order differs all are told
	print_answer(d->release[0], own, other);
	print_answer(d->release[1], other, own);
}

/* Prints the operations, and both answers where they differ. */
static int print_script(const struct diff *d, size_t rule, const struct best *best)
{
	struct ms_script *script[2] = { NULL, NULL };
	struct ms_player *p[2] = { NULL, NULL };
	char setting[160];
	int code = EXIT_TROUBLE;

	snprintf(setting, sizeof(setting), "%s=%s", ms_policy_field_name(rule),
		 value_name(d, rule, !best->base, best->arch));
	p[best->base] = play(best->script, NULL, &script[best->base]);
	p[!best->base] = p[best->base] ? play(best->script, setting, &script[!best->base]) : NULL;
	if (p[!best->base])
		code = 0;
	printf("    # mapsim run --kernel %s --arch %s [--set %s]\n", d->release[best->base],
	       ms_arch_name(best->arch), setting);
	for (size_t i = 0; !code && i < ms_script_nr_ops(script[0]); i++) {
		const char *a = ms_player_step(p[0], i), *b = ms_player_step(p[1], i);

		printf("    > %s\n", ms_script_get_op(script[0], i).text);
		if (a && b) {
			print_answers(d, a, b);
		} else {
			warnx("no memory");
			code = EXIT_TROUBLE;
		}
	}
	for (int i = 0; i < 2; i++) {
		ms_player_free(p[i]);
		ms_script_free(script[i]);
	}
	return code;
}

/* ---- a rule ---- */

/* Words of a text begin with a capital letter and end with a full stop, if they do not already. */
static void print_sentence(const char *before, const char *text)
{
	const size_t len = strlen(text);

	printf("%s%s%s\n", before, text, len && text[len - 1] == '.' ? "" : ".");
}

static void print_rule(const struct diff *d, size_t rule)
{
	const bool both = differs(d, rule, MS_ARCH_ARM64) && differs(d, rule, MS_ARCH_X86_64);

	printf("### %s\n\n", ms_policy_field_name(rule));
	print_sentence("", ms_policy_field_doc(rule));
	for (int a = MS_ARCH_ARM64; a <= MS_ARCH_X86_64; a++) {
		if (!differs(d, rule, a) ||
		    (both && a == MS_ARCH_X86_64 &&
		     value_name(d, rule, 0, a) == value_name(d, rule, 0, MS_ARCH_ARM64) &&
		     value_name(d, rule, 1, a) == value_name(d, rule, 1, MS_ARCH_ARM64)))
			continue;
		printf("\n");
		for (int i = 0; i < 2; i++) {
			char before[200];

			snprintf(before, sizeof(before), "- %s%s%s, `%s`: ", d->release[i],
				 both && a == MS_ARCH_ARM64 &&
						 value_name(d, rule, i, a) ==
							 value_name(d, rule, i, MS_ARCH_X86_64)
					 ? ""
					 : " ",
				 both && a == MS_ARCH_ARM64 &&
						 value_name(d, rule, i, a) ==
							 value_name(d, rule, i, MS_ARCH_X86_64)
					 ? ""
					 : ms_arch_name(a),
				 value_name(d, rule, i, a));
			print_sentence(
				before,
				ms_policy_value_doc(rule, ms_policy_field(d->policy[a][i], rule)));
		}
	}
	printf("\n");
}

static int one_rule(struct diff *d, size_t rule)
{
	struct best best = { .script = NULL };
	int code;

	d->cut = false;
	code = search(d, rule, &best);
	if (code)
		return code;
	print_rule(d, rule);
	if (best.script) {
		code = print_script(d, rule, &best);
		d->with++;
	} else {
		printf("No script: none up to the bound%s.\n",
		       d->cut ? " of states" : " in what was searched");
		d->without++;
	}
	printf("\n");
	free(best.script);
	return code;
}

static int find_policies(struct diff *d)
{
	for (int a = MS_ARCH_ARM64; a <= MS_ARCH_X86_64; a++) {
		if (d->e->config.arch && strcmp(d->e->config.arch, ms_arch_name(a)))
			continue;
		for (int i = 0; i < 2; i++) {
			d->policy[a][i] = ms_policy_linux(d->release[i], a);
			if (d->policy[a][i])
				continue;
			warnx("--diff %s: %s", d->release[i],
			      ms_release_known(d->release[i], a).text);
			return EXIT_TROUBLE;
		}
	}
	return 0;
}

static int all_rules(struct diff *d)
{
	const char *subject = NULL;
	int code = 0;

	printf("# What changed from Linux %s to %s\n\n", d->release[0], d->release[1]);
	for (size_t rule = 0; !code && rule < ms_policy_nr_fields(); rule++) {
		if (!differs(d, rule, MS_ARCH_ARM64) && !differs(d, rule, MS_ARCH_X86_64))
			continue;
		if (!subject || strcmp(subject, ms_policy_field_subject(rule)))
			printf("## %s\n\n", ms_policy_field_subject(rule));
		subject = ms_policy_field_subject(rule);
		code = one_rule(d, rule);
		fflush(stdout);
	}
	if (!code)
		printf("%zu rules differ, %zu have a script.\n", d->with + d->without, d->with);
	return code;
}

int diff_kernels(struct explore *e, int argc, char **argv)
{
	struct diff d = { .e = e, .release = { argv[0], argv[1] } };
	int code = find_policies(&d);

	for (int i = 2; !code && i < argc; i++)
		code = diff_read(&d, argv[i]);
	if (!code)
		code = all_rules(&d);
	diff_free(&d);
	return code;
}
