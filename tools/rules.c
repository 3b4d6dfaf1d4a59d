/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules that are set on the command line: --set RULE=VALUE, --policy FILE. */
#define _GNU_SOURCE /* program_invocation_short_name */
#include "tool.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_POLICY_SIZE (1u << 20) /* bytes of a policy file */

/* Adds lines behind those that were set before. */
static void append(struct rules *rules, const char *text, size_t len)
{
	size_t old = rules->text ? strlen(rules->text) : 0;
	char *grown = realloc(rules->text, old + len + 2);

	if (!grown)
		err(EXIT_TROUBLE, NULL);
	memcpy(grown + old, text, len);
	strcpy(grown + old + len, "\n");
	rules->text = grown;
}

/* The rule of this name, len bytes long; ms_policy_nr_fields(): there is none. */
static size_t rule_of(const char *rule_name, size_t len)
{
	size_t rule = 0;

	for (; rule < ms_policy_nr_fields(); rule++) {
		const char *name = ms_policy_field_name(rule);

		if (strlen(name) == len && !memcmp(name, rule_name, len))
			break;
	}
	return rule;
}

/* Says what is wrong with a setting, len bytes long: where it stands, and what would be right. */
static void complain(const char *where, const char *setting, size_t len)
{
	size_t name_len = strcspn(setting, "=") < len ? strcspn(setting, "=") : len;
	size_t rule = rule_of(setting, name_len);
	const char *value;

	fprintf(stderr, "%s: %s: %.*s: ", program_invocation_short_name, where, (int)len, setting);
	if (rule == ms_policy_nr_fields()) {
		fprintf(stderr, "no such rule; `mapsim kernels RELEASE` lists them\n");
		return;
	}
	fprintf(stderr, "%s; the values of %.*s are", name_len == len ? "no '='" : "no such value",
		(int)name_len, setting);
	for (int i = 0; (value = ms_policy_value_name(rule, i)); i++)
		fprintf(stderr, "%s %s", i ? "," : "", value);
	fprintf(stderr, "\n");
}

int rules_set(struct rules *rules, const char *setting)
{
	struct ms_policy scratch = *ms_policy_get(0);

	if (ms_policy_set_text(&scratch, setting)) {
		complain("--set", setting, strlen(setting));
		return -1;
	}
	append(rules, setting, strlen(setting));
	return 0;
}

/* The text of a policy file, to be freed; NULL after a message. */
static char *read_text(const char *path)
{
	char *text = malloc(MAX_POLICY_SIZE + 1);
	FILE *in = fopen(path, "re");
	size_t len = 0;

	if (!text)
		err(EXIT_TROUBLE, NULL);
	if (in)
		len = fread(text, 1, MAX_POLICY_SIZE + 1, in);
	if (!in || ferror(in))
		warn("%s", path);
	else if (len > MAX_POLICY_SIZE || memchr(text, '\0', len))
		warnx("%s: larger than 1 MiB, or not a text", path);
	else {
		fclose(in);
		text[len] = '\0';
		return text;
	}
	if (in)
		fclose(in);
	free(text);
	return NULL;
}

/* The line of that number, 1 the first, without the blanks before it. */
static const char *line_of(const char *text, uint64_t line)
{
	while (--line)
		text += strcspn(text, "\n") + 1;
	return text + strspn(text, " \t");
}

/* 0: the lines are right for one of the architectures; else *line is the first that is not. */
static int try_text(const char *text, uint64_t *line)
{
	const char *release = ms_policy_get(0)->release;
	int ret = -EXDEV;

	for (enum ms_arch arch = MS_ARCH_ARM64; ret == -EXDEV && arch <= MS_ARCH_X86_64; arch++) {
		struct ms_policy scratch = *ms_policy_linux(release, arch);

		ret = ms_policy_set_lines(&scratch, text, line);
	}
	return ret;
}

int rules_read(struct rules *rules, const char *path)
{
	char *text = read_text(path);
	uint64_t line = 1;
	int ret;

	if (!text)
		return -1;
	ret = try_text(text, &line);
	if (!ret) {
		append(rules, text, strlen(text));
	} else {
		char where[300];
		const char *wrong = line_of(text, line);

		snprintf(where, sizeof(where), "%.250s: line %llu", path, (unsigned long long)line);
		complain(where, wrong, strcspn(wrong, " \t\r\n#"));
	}
	free(text);
	return ret ? -1 : 0;
}

int rules_apply(const struct rules *rules, const char *path, struct ms_script *script)
{
	struct ms_script_error error;

	// rules_read() has tried every line, so that only the architecture can be wrong
	if (!rules->text || !ms_script_set_rules(script, rules->text, &error))
		return 0;
	warnx("%s: --policy: %s", path, error.what);
	return -1;
}

void rules_free(struct rules *rules)
{
	free(rules->text);
	rules->text = NULL;
}
