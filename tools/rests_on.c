/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds the rules that a script's answers rest on. Each rule is set to every other value that some
 * kernel has, and the script is played again: if an answer differs, the answers rest on the rule.
 */
#include "tool.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

/* The script printed with its answers, to be freed; NULL: no memory, or it cannot be played. */
static char *play(const struct ms_script *script)
{
	struct ms_script_error error;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	int ret = ms_script_run(script, 0, out, &error);
	if (!fclose(out) && !ret)
		return text;
	free(text);
	return NULL;
}

/* What is printed from the first operation on: not the directives, which name the rule itself. */
static const char *operations(const char *text)
{
	const char *first = strstr(text, "\n> ");

	return first ? first : "";
}

/* Sets one rule of the script. 0, or a negative errno. */
static int set(struct ms_script *script, size_t rule, int value)
{
	struct ms_script_error error;
	char line[160];

	snprintf(line, sizeof(line), "%s=%s", ms_policy_field_name(rule),
		 ms_policy_value_name(rule, value));
	return ms_script_set_rules(script, line, &error);
}

/*
 * The first value of the rule, other than the script's own, with which an answer differs. -1: there
 * is none; -2: no memory.
 */
static int value_that_matters(struct ms_script *script, size_t rule, const char *answers)
{
	const int own = ms_policy_field(ms_script_policy(script), rule);
	int found = -1;

	for (int value = 0; found == -1 && ms_policy_value_name(rule, value); value++) {
		if (value == own || ms_policy_value_never(rule, value))
			continue;
		char *other = set(script, rule, value) ? NULL : play(script);
		if (!other)
			found = -2;
		else if (strcmp(operations(other), operations(answers)))
			found = value;
		free(other);
	}
	if (set(script, rule, own))
		return -2;
	return found;
}

/* Whether the rule has the value of the script's kernel: it was not set by hand. */
static bool is_kernels_own(const struct ms_script *script, const struct ms_release *known,
			   size_t rule)
{
	return ms_policy_field(ms_script_policy(script), rule) ==
	       ms_policy_field(known->policy, rule);
}

/* Prints one rule that answers rest on: its value, how it is known, and a value that differs. */
static void print_rule(const struct ms_script *script, size_t rule, int other, bool own,
		       const struct ms_policy_cell *cell, FILE *out)
{
	fprintf(out, "# rests on %s=%s, ", ms_policy_field_name(rule),
		ms_policy_value_name(rule, ms_policy_field(ms_script_policy(script), rule)));
	if (own)
		fprintf(out, "since %s, %s", cell->since, ms_evidence_name(cell->how));
	else
		fprintf(out, "set by hand");
	fprintf(out, "; %s would answer otherwise\n", ms_policy_value_name(rule, other));
}

int print_rests_on(struct ms_script *script, bool all, FILE *out)
{
	const char *release = ms_script_release(script);
	enum ms_arch arch = ms_script_arch(script);
	struct ms_release known = ms_release_known(release, arch);
	char *answers = play(script);
	int ret = answers ? 0 : -1;

	if (known.beyond || all)
		fprintf(out, "# %s: %s\n", release, known.text);
	for (size_t rule = 0; !ret && rule < ms_policy_nr_fields(); rule++) {
		struct ms_policy_cell cell = ms_policy_cell(release, arch, rule);
		bool own = is_kernels_own(script, &known, rule);
		int other;

		if (!cell.since || (!all && (cell.how != MS_EVIDENCE_INFERRED || !own)))
			continue;
		other = value_that_matters(script, rule, answers);
		if (other >= 0)
			print_rule(script, rule, other, own, &cell, out);
		else if (other == -2)
			ret = -1;
	}
	if (ret)
		warnx("no memory");
	free(answers);
	return ret;
}
