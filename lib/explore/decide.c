/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rule by which a kernel has a finding: each rule gets each other value that some kernel has;
 * if the finding vanishes with one of them, the rule decides.
 */
#define _GNU_SOURCE /* asprintf */
#include "explore/internal.h"

#include <stdlib.h>
#include <string.h>

/* Adds the values of the rule with which it vanishes to `out`, and answers how many there are. */
static int values_without(const struct ms_explore *x, const struct ms_plan *plan,
			  const char *signature, size_t rule, FILE *out)
{
	const int own = ms_policy_field(ms_script_policy(x->letters.script), rule);
	int nr = 0;

	for (int value = 0; ms_policy_value_name(rule, value); value++) {
		char setting[160];

		if (value == own || ms_policy_value_never(rule, value))
			continue;
		snprintf(setting, sizeof(setting), "%s=%s", ms_policy_field_name(rule),
			 ms_policy_value_name(rule, value));
		int ret = ms_plan_finds(x, plan, setting, signature);
		if (ret < 0)
			return ret;
		if (ret)
			continue;
		fprintf(out, "%s%s", nr ? ", " : "", ms_policy_value_name(rule, value));
		nr++;
	}
	return nr;
}

/* Does the rule decide? Then its texts are made, beside those of rules before it. 0, negative. */
static int try_rule(const struct ms_explore *x, const struct ms_plan *plan, struct ms_found *f,
		    size_t rule)
{
	const struct ms_policy *policy = ms_script_policy(x->letters.script);
	char *values = NULL, *name = NULL, *all = NULL;
	size_t size;
	FILE *out = open_memstream(&values, &size);

	if (!out)
		return -ENOMEM;
	int nr = values_without(x, plan, f->signature + f->judged, rule, out);
	if (fclose(out) && nr >= 0)
		nr = -ENOMEM;
	if (nr > 0 && (asprintf(&name, "%s%s%s=%s", f->rule ? f->rule : "", f->rule ? " and " : "",
				ms_policy_field_name(rule),
				ms_policy_value_name(rule, ms_policy_field(policy, rule))) < 0 ||
		       asprintf(&all, "%s%s%s", f->without ? f->without : "",
				f->without ? " or " : "", values) < 0))
		nr = -ENOMEM;
	free(values);
	if (nr <= 0) {
		free(name);
		return nr;
	}
	free(f->rule);
	free(f->without);
	f->rule = name;
	f->without = all;
	return 0;
}

int ms_found_decide(const struct ms_explore *x, const struct ms_plan *plan, struct ms_found *f)
{
	const enum ms_arch arch = ms_script_arch(x->letters.script);
	int err = ms_plan_finds(x, plan, NULL, f->signature + f->judged);

	if (err <= 0)
		return err;
	err = 0;
	for (size_t rule = 0; !err && rule < ms_policy_nr_fields(); rule++) {
		if (ms_policy_field_applies(rule, arch))
			err = try_rule(x, plan, f, rule);
	}
	return err;
}
