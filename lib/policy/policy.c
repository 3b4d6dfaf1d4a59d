/* SPDX-License-Identifier: GPL-2.0-only */
/* The rules of a policy, read and written by name. */
#include "policy/internal.h"

#include <errno.h>
#include <string.h>

static const struct ms_rule *rule_at(size_t field)
{
	return field < ms_nr_rules ? &ms_rules[field] : NULL;
}

static unsigned int get(const struct ms_policy *p, const struct ms_rule *rule)
{
	unsigned int value;

	memcpy(&value, (const char *)p + rule->offset, sizeof(value));
	return value;
}

static const struct ms_rule_value *value_at(size_t field, int value)
{
	const struct ms_rule *rule = rule_at(field);

	return rule && value >= 0 && (unsigned int)value < rule->nr_values ? &rule->value[value]
									   : NULL;
}

size_t ms_policy_nr_fields(void)
{
	return ms_nr_rules;
}

const char *ms_policy_field_name(size_t field)
{
	const struct ms_rule *rule = rule_at(field);

	return rule ? rule->name : NULL;
}

const char *ms_policy_field_doc(size_t field)
{
	const struct ms_rule *rule = rule_at(field);

	return rule ? rule->what : NULL;
}

const char *ms_policy_field_functions(size_t field)
{
	const struct ms_rule *rule = rule_at(field);

	return rule ? rule->functions : NULL;
}

const char *ms_policy_field_subject(size_t field)
{
	const struct ms_rule *rule = rule_at(field);

	return rule ? rule->subject : NULL;
}

bool ms_policy_field_applies(size_t field, enum ms_arch arch)
{
	const struct ms_rule *rule = rule_at(field);

	return rule && (arch == MS_ARCH_ARM64 || arch == MS_ARCH_X86_64) &&
	       (rule->arches & (1u << arch));
}

int ms_policy_field(const struct ms_policy *p, size_t field)
{
	const struct ms_rule *rule = rule_at(field);

	return p && rule ? (int)get(p, rule) : -1;
}

const char *ms_policy_value_name(size_t field, int value)
{
	const struct ms_rule_value *v = value_at(field, value);

	return v ? v->name : NULL;
}

const char *ms_policy_value_doc(size_t field, int value)
{
	const struct ms_rule_value *v = value_at(field, value);

	return v ? v->what : NULL;
}

/* `name` is len bytes. */
static bool is(const char *known, const char *name, size_t len)
{
	return strlen(known) == len && !memcmp(known, name, len);
}

static int set(struct ms_policy *p, const char *name, size_t name_len, const char *value,
	       size_t value_len)
{
	const struct ms_rule *rule = ms_rules;

	while (rule < ms_rules + ms_nr_rules && !is(rule->name, name, name_len))
		rule++;
	if (rule == ms_rules + ms_nr_rules)
		return -ENOENT;
	for (unsigned int i = 0; i < rule->nr_values; i++) {
		if (!is(rule->value[i].name, value, value_len))
			continue;
		memcpy((char *)p + rule->offset, &i, sizeof(i));
		return 0;
	}
	return -EINVAL;
}

int ms_policy_set(struct ms_policy *p, const char *field, const char *value)
{
	if (!p || !field || !value)
		return -EINVAL;
	return set(p, field, strlen(field), value, strlen(value)) ? -EINVAL : 0;
}

const char *ms_policy_value_never(size_t field, int value)
{
	const struct ms_rule_value *v = value_at(field, value);

	return v ? v->never : NULL;
}

/* "RULE=VALUE" of len bytes. */
static int set_text(struct ms_policy *p, const char *s, size_t len)
{
	const char *eq = memchr(s, '=', len);

	return eq ? set(p, s, (size_t)(eq - s), eq + 1, (size_t)(s + len - eq - 1)) : -EINVAL;
}

int ms_policy_set_text(struct ms_policy *p, const char *setting)
{
	return p && setting ? set_text(p, setting, strlen(setting)) : -EINVAL;
}

/* A line without its comment, and without blanks around what is left. */
static int set_line(struct ms_policy *p, const char *line, size_t len)
{
	const char *comment = memchr(line, '#', len);

	if (comment)
		len = (size_t)(comment - line);
	while (len && strchr(" \t\r", line[len - 1]))
		len--;
	for (; len && strchr(" \t", *line); len--)
		line++;
	if (is("arch=arm64", line, len))
		return p->arch == MS_ARCH_ARM64 ? 0 : -EXDEV;
	if (is("arch=x86_64", line, len))
		return p->arch == MS_ARCH_X86_64 ? 0 : -EXDEV;
	return len ? set_text(p, line, len) : 0;
}

int ms_policy_set_lines(struct ms_policy *p, const char *text, uint64_t *line)
{
	uint64_t number = 1;

	if (!p || !text)
		return -EINVAL;
	struct ms_policy changed = *p;
	for (;; number++) {
		size_t len = strcspn(text, "\n");
		int ret = set_line(&changed, text, len);

		if (ret) {
			if (line)
				*line = number;
			return ret;
		}
		text += len;
		if (!*text++)
			break;
	}
	*p = changed;
	return 0;
}

const char *ms_policy_refusal(const struct ms_policy *p)
{
	if (p->arch != MS_ARCH_ARM64 && p->arch != MS_ARCH_X86_64)
		return "policy: arch is neither arm64 nor x86_64";
	for (size_t i = 0; i < ms_nr_rules; i++) {
		if (get(p, &ms_rules[i]) >= ms_rules[i].nr_values)
			return ms_rules[i].invalid;
	}
	return NULL;
}
