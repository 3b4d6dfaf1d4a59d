/* SPDX-License-Identifier: GPL-2.0-only */
/* What a script says about itself. */
#include "script/internal.h"

const char *ms_script_release(const struct ms_script *s)
{
	return s->header.release;
}

enum ms_arch ms_script_arch(const struct ms_script *s)
{
	return s->header.arch;
}

const char *ms_script_kernel_name(const struct ms_script *s)
{
	return s->header.label;
}

size_t ms_script_nr_ops(const struct ms_script *s)
{
	return s->nr_ops;
}

struct ms_script_op ms_script_get_op(const struct ms_script *s, size_t i)
{
	const struct ms_script_entry *entry = &s->ops[i];
	const struct ms_item *item = &s->items[entry->item];

	return (struct ms_script_op){ item->text, item->line, entry->nr_answers };
}

const char *ms_script_get_answer(const struct ms_script *s, size_t i, size_t j, uint64_t *line)
{
	const struct ms_item *item = &s->items[s->answers[s->ops[i].first_answer + j]];

	if (line)
		*line = item->line;
	return item->text;
}
