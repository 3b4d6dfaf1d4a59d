/* SPDX-License-Identifier: GPL-2.0-only */
/* Answers questions about a script. */
#include "script/internal.h"

const char *ms_script_release(const struct ms_script *s)
{
	return s ? s->header.release : NULL;
}

enum ms_arch ms_script_arch(const struct ms_script *s)
{
	return s ? s->header.arch : MS_ARCH_ARM64;
}

const char *ms_script_kernel_name(const struct ms_script *s)
{
	return s ? s->header.label : NULL;
}

const struct ms_policy *ms_script_policy(const struct ms_script *s)
{
	return s ? &s->header.policy : NULL;
}

int ms_script_set_rules(struct ms_script *s, const char *text, struct ms_script_error *err)
{
	uint64_t line = 1;
	int ret;

	if (!s || !text)
		return ms_script_fail(err, 0, s ? "there are no rules" : MS_NO_SCRIPT);
	ret = ms_policy_set_lines(&s->header.policy, text, &line);
	for (uint64_t i = 1; ret && i < line; i++)
		text += strcspn(text, "\n") + 1;
	if (!ret)
		return 0;
	return ms_script_fail(err, line, "%s: \"%.*s\"",
			      ret == -ENOENT  ? "no such rule"
			      : ret == -EXDEV ? "rules of the other architecture"
					      : "not RULE=VALUE, or no such value",
			      (int)strcspn(text, "\n") > 80 ? 80 : (int)strcspn(text, "\n"), text);
}

size_t ms_script_nr_ops(const struct ms_script *s)
{
	return s ? s->nr_ops : 0;
}

struct ms_script_op ms_script_get_op(const struct ms_script *s, size_t i)
{
	if (i >= ms_script_nr_ops(s))
		return (struct ms_script_op){ 0 };
	const struct ms_script_entry *entry = &s->ops[i];
	const struct ms_item *item = &s->items[entry->item];

	return (struct ms_script_op){ item->text, item->line, entry->nr_answers };
}

const char *ms_script_get_answer(const struct ms_script *s, size_t i, size_t j, uint64_t *line)
{
	if (j >= ms_script_get_op(s, i).nr_answers)
		return NULL;
	const struct ms_item *item = &s->items[s->answers[s->ops[i].first_answer + j]];

	if (line)
		*line = item->line;
	return item->text;
}
