/* SPDX-License-Identifier: GPL-2.0-only */
/* One of each text: a message in a loop does not grow without end. */
#include "core/text.h"
#include "core/core.h"

#include <stdio.h>
#include <bsd/sys/tree.h>

struct ms_text {
	RB_ENTRY(ms_text) node;
	char text[];
};

RB_HEAD(ms_texts, ms_text);

static int text_cmp(const struct ms_text *a, const struct ms_text *b)
{
	return strcmp(a->text, b->text);
}

RB_GENERATE_INTERNAL(ms_texts, ms_text, node, text_cmp, static __attribute__((unused)))

static struct ms_texts *texts_of(struct ms_machine *m)
{
	if (!m->texts)
		m->texts = ms_zalloc(&m->alloc, sizeof(*m->texts));
	return m->texts;
}

static const char *keep(struct ms_machine *m, struct ms_text *text)
{
	struct ms_text *same = RB_INSERT(ms_texts, m->texts, text);

	if (!same)
		return text->text;
	ms_free(&m->alloc, text);
	return same->text;
}

const char *ms_text_va(struct ms_machine *m, const char *format, va_list args)
{
	struct ms_text *text;
	va_list again;
	int len;

	if (!texts_of(m))
		return NULL;
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	text = len < 0 ? NULL : ms_zalloc(&m->alloc, sizeof(*text) + (size_t)len + 1);
	if (!text)
		return NULL;
	vsnprintf(text->text, (size_t)len + 1, format, args);
	return keep(m, text);
}

const char *ms_text(struct ms_machine *m, const char *format, ...)
{
	const char *text;
	va_list args;

	va_start(args, format);
	text = ms_text_va(m, format, args);
	va_end(args);
	return text;
}

void ms_texts_destroy(struct ms_machine *m)
{
	struct ms_text *text;

	if (!m->texts)
		return;
	while ((text = RB_ROOT(m->texts))) {
		RB_REMOVE(ms_texts, m->texts, text);
		ms_free(&m->alloc, text);
	}
	ms_free(&m->alloc, m->texts);
	m->texts = NULL;
}
