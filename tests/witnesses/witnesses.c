/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A script for each rule and each two of its values that kernels have: ARCH/RULE.VALUE.VALUE.ms is
 * answered otherwise with the one than with the other. Pairs without a script are named in the file
 * `without`, with the reason.
 *
 *     witnesses WITNESSES                   each script does so, and no pair is forgotten
 *     witnesses --find WITNESSES RECORDING...  writes scripts for pairs that have none, made of
 *                                              recordings and cut short; KERNELS="7.3.4 6.1.192":
 *                                              played on these alone
 */
#include "witnesses.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- pairs ---- */

static bool some_kernel_has(size_t rule, int value, enum ms_arch arch)
{
	const struct ms_policy *p;

	for (size_t i = 0; (p = ms_policy_get(i)); i++) {
		if (p->arch == arch && ms_policy_field(p, rule) == value)
			return true;
	}
	return false;
}

void for_each_pair(void (*fn)(const struct pair *pair, void *arg), void *arg)
{
	for (enum ms_arch a = MS_ARCH_ARM64; a <= MS_ARCH_X86_64; a++) {
		for (size_t rule = 0; rule < ms_policy_nr_fields(); rule++) {
			if (!ms_policy_field_applies(rule, a))
				continue;
			for (int w = 0; ms_policy_value_name(rule, w); w++) {
				for (int v = 0; v < w; v++) {
					const struct pair pair = { a, rule, { v, w } };

					if (some_kernel_has(rule, v, a) &&
					    some_kernel_has(rule, w, a))
						fn(&pair, arg);
				}
			}
		}
	}
}

void path_of(const struct pair *pair, const char *folder, char *path, size_t size)
{
	snprintf(path, size, "%s/%s/%s.%s.%s.ms", folder, ms_arch_name(pair->arch),
		 ms_policy_field_name(pair->rule), ms_policy_value_name(pair->rule, pair->value[0]),
		 ms_policy_value_name(pair->rule, pair->value[1]));
}

/* ---- played ---- */

void set_rule(struct ms_script *script, size_t rule, int value)
{
	struct ms_script_error err;
	char line[160];

	snprintf(line, sizeof(line), "%s=%s", ms_policy_field_name(rule),
		 ms_policy_value_name(rule, value));
	if (ms_script_set_rules(script, line, &err))
		errx(EXIT_FAILURE, "%s", err.what);
}

static struct ms_player *player_with(struct ms_script *script, size_t rule, int value)
{
	set_rule(script, rule, value);
	struct ms_player *p = ms_player_new(script, NULL);
	if (!p)
		errx(EXIT_FAILURE, "no memory");
	return p;
}

bool tells_apart(struct ms_script *script, const bool *keep, const struct pair *pair)
{
	struct ms_player *p[2];
	bool differ = false;

	for (int i = 0; i < 2; i++)
		p[i] = player_with(script, pair->rule, pair->value[i]);
	for (size_t i = 0; !differ && i < ms_script_nr_ops(script); i++) {
		if (!keep || keep[i])
			differ = strcmp(ms_player_step(p[0], i), ms_player_step(p[1], i));
	}
	ms_player_free(p[0]);
	ms_player_free(p[1]);
	return differ;
}

/* ---- the check ---- */

struct check {
	const char *folder;
	char *without; /* the file's text */
	unsigned int with, none, bad;
};

struct ms_script *read_script(const char *path)
{
	struct ms_script_error err;
	FILE *in = fopen(path, "re");

	if (!in)
		return NULL;
	struct ms_script *script = ms_script_read(in, NULL, &err);
	fclose(in);
	if (!script)
		errx(EXIT_FAILURE, "%s: line %llu: %s", path, (unsigned long long)err.line,
		     err.what);
	return script;
}

/* Is there a line "ARCH RULE VALUE VALUE: REASON"? */
static bool has_reason(const struct check *c, const struct pair *pair)
{
	char line[300];

	snprintf(line, sizeof(line), "\n%s %s %s %s: ", ms_arch_name(pair->arch),
		 ms_policy_field_name(pair->rule), ms_policy_value_name(pair->rule, pair->value[0]),
		 ms_policy_value_name(pair->rule, pair->value[1]));
	return strstr(c->without, line);
}

static void check_pair(const struct pair *pair, void *arg)
{
	struct check *c = arg;
	char path[4096];

	path_of(pair, c->folder, path, sizeof(path));
	struct ms_script *script = read_script(path);
	const bool reason = has_reason(c, pair);
	c->with += script != NULL;
	c->none += !script && reason;
	if (script && reason)
		warnx("%s: there is a script, and a reason why there is none", path);
	else if (!script && !reason)
		warnx("%s: there is neither a script nor a reason", path);
	else if (script && !tells_apart(script, NULL, pair))
		warnx("%s: both values answer the same", path);
	else
		c->bad--;
	c->bad++;
	ms_script_free(script);
}

static char *read_text(const char *folder, const char *name)
{
	char path[4096], *text = NULL;
	size_t size = 0;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *in = fopen(path, "re");
	if (!in || getdelim(&text, &size, '\0', in) < 0)
		err(EXIT_FAILURE, "%s", path);
	fclose(in);
	return text;
}

static int check(const char *folder)
{
	struct check c = { .folder = folder, .without = read_text(folder, "without") };

	for_each_pair(check_pair, &c);
	free(c.without);
	printf("%u pairs of values have a script, %u a reason why not, %u are wrong\n", c.with,
	       c.none, c.bad);
	return c.bad ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return check(argv[1]);
	if (argc >= 4 && !strcmp(argv[1], "--find"))
		return find(argv[2], (const char *const *)argv + 3, (size_t)argc - 3);
	errx(EXIT_FAILURE, "usage: witnesses WITNESSES | witnesses --find WITNESSES RECORDING...");
}
