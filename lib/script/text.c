/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads numbers and words, and writes messages. */
#include "script/internal.h"

#include <stdarg.h>

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int ms_number(const char *s, size_t len, uint64_t *value)
{
	unsigned int base = 10;

	if (len > 2 && s[0] == '0' && s[1] == 'x') {
		base = 16;
		s += 2;
		len -= 2;
	}
	if (!len)
		return -EINVAL;
	uint64_t v = 0;
	bool overflow = false;
	for (size_t i = 0; i < len; i++) {
		int d = digit(s[i]);

		if (d < 0 || (unsigned int)d >= base)
			return -EINVAL;
		overflow |= __builtin_mul_overflow(v, (uint64_t)base, &v);
		overflow |= __builtin_add_overflow(v, (uint64_t)d, &v);
	}
	*value = v;
	return overflow ? -ERANGE : 0;
}

bool ms_word_is(struct ms_word word, const char *s)
{
	return word.len == strlen(s) && !memcmp(word.s, s, word.len);
}

bool ms_word_next(struct ms_word *rest, char sep, struct ms_word *word)
{
	if (!rest->s)
		return false;
	const char *end = memchr(rest->s, sep, rest->len);
	if (!end) {
		*word = *rest;
		*rest = (struct ms_word){ NULL, 0 };
		return true;
	}
	*word = (struct ms_word){ rest->s, (size_t)(end - rest->s) };
	*rest = (struct ms_word){ end + 1, rest->len - word->len - 1 };
	return true;
}

bool ms_word_split(struct ms_word word, struct ms_word *key, struct ms_word *value)
{
	*value = word;
	return ms_word_next(value, '=', key) && value->s;
}

const struct ms_named *ms_named_find(const struct ms_named *table, struct ms_word word)
{
	for (; table->name; table++) {
		if (ms_word_is(word, table->name))
			return table;
	}
	return NULL;
}

const char *ms_named_of(const struct ms_named *table, uint64_t value)
{
	for (; table->name; table++) {
		if (table->value == value)
			return table->name;
	}
	return NULL;
}

void ms_script_no_error(struct ms_script_error *err)
{
	if (err)
		*err = (struct ms_script_error){ 0 };
}

int ms_script_fail(struct ms_script_error *err, uint64_t line, const char *format, ...)
{
	va_list args;

	if (!err)
		return -EINVAL;
	va_start(args, format);
	err->line = line;
	vsnprintf(err->what, sizeof(err->what), format, args);
	va_end(args);
	return -EINVAL;
}

int ms_script_no_memory(struct ms_script_error *err)
{
	ms_script_fail(err, 0, "no memory");
	return -ENOMEM;
}

void *ms_script_null(int err)
{
	errno = -err;
	return NULL;
}
