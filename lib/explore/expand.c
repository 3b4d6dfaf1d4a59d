/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations with sets: "munmap at={A, A+2M} len=4K" stands for two operations of a script. */
#include "explore/internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct expander {
	const struct ms_world *world;
	uint64_t line;
	struct ms_texts *into;
	struct ms_script_error *err;
};

/* ---- sums ---- */

static int fail_term(uint64_t line, const char *s, size_t len, struct ms_script_error *err)
{
	return ms_world_fail(err, line, "neither a number nor a name \"%.*s\"",
			     (int)(len > 40 ? 40 : len), s);
}

/* A number with or without a unit. */
static int number(const char *s, size_t len, uint64_t *value)
{
	static const char units[] = "KMGT";
	char digits[24], *end;
	unsigned int shift = 0;

	const char *unit = len ? strchr(units, toupper((unsigned char)s[len - 1])) : NULL;
	if (unit) {
		shift = 10 * ((unsigned int)(unit - units) + 1);
		len--;
	}
	if (!len || len >= sizeof(digits) || !isdigit((unsigned char)s[0]))
		return -EINVAL;
	memcpy(digits, s, len);
	digits[len] = '\0';
	bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
	if (strspn(digits + 2 * hex, hex ? "0123456789abcdefABCDEF" : "0123456789") + 2 * hex !=
	    len)
		return -EINVAL;
	errno = 0;
	*value = strtoull(digits, &end, hex ? 16 : 10);
	if (errno || *end || *value > UINT64_MAX >> shift)
		return -EINVAL;
	*value <<= shift;
	return 0;
}

static int term(const struct ms_world *w, const char *s, size_t len, uint64_t line, uint64_t *value,
		struct ms_script_error *err)
{
	if (!number(s, len, value))
		return 0;
	for (size_t i = 0; i < w->nr_names; i++) {
		if (strlen(w->names[i].name) != len || memcmp(w->names[i].name, s, len))
			continue;
		*value = w->names[i].value;
		return 0;
	}
	return fail_term(line, s, len, err);
}

int ms_world_sum(const struct ms_world *w, const char *s, size_t len, uint64_t line,
		 uint64_t *value, struct ms_script_error *err)
{
	bool minus = false;

	*value = 0;
	for (;;) {
		uint64_t one = 0;
		size_t n = 0;

		while (n < len && s[n] != '+' && s[n] != '-')
			n++;
		int ret = term(w, s, n, line, &one, err);
		if (ret)
			return ret;
		*value = minus ? *value - one : *value + one;
		if (n == len)
			return 0;
		minus = s[n] == '-';
		s += n + 1;
		len -= n + 1;
	}
}

/* ---- one operation without sets ---- */

/* Keys whose values are sums. Those of pieces= are lists in which + has another meaning. */
static bool is_sum(const char *key, size_t len)
{
	static const char *const keys[] = { "at",  "gpa",  "hva",   "len", "newlen",
					    "off", "size", "split", "to" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strlen(keys[i]) == len && !memcmp(keys[i], key, len))
			return true;
	}
	return false;
}

/* Writes the value of a key: of a device's address, "@NAME+4K", the reader of scripts makes one. */
static int write_value(const struct expander *e, const char *s, size_t len, FILE *out)
{
	uint64_t value;

	if (len && *s == '@') {
		fprintf(out, "%.*s", (int)len, s);
		return 0;
	}
	int ret = ms_world_sum(e->world, s, len, e->line, &value, e->err);
	if (!ret)
		fprintf(out, "0x%llx", (unsigned long long)value);
	return ret;
}

/* Writes the words with one blank between them, and sums as numbers. */
static int write_words(const struct expander *e, const char *text, FILE *out)
{
	const char *between = "";

	for (;;) {
		text += strspn(text, " ");
		size_t len = strcspn(text, " ");
		if (!len)
			return 0;
		fputs(between, out);
		between = " ";
		const char *equals = memchr(text, '=', len);
		if (equals && is_sum(text, (size_t)(equals - text))) {
			size_t key = (size_t)(equals - text) + 1;

			fprintf(out, "%.*s", (int)key, text);
			int ret = write_value(e, text + key, len - key, out);
			if (ret)
				return ret;
		} else {
			fprintf(out, "%.*s", (int)len, text);
		}
		text += len;
	}
}

static int add_plain(const struct expander *e, const char *text)
{
	char *written = NULL;
	size_t size;
	FILE *out = open_memstream(&written, &size);

	if (!out)
		return -ENOMEM;
	int ret = write_words(e, text, out);
	bool failed = ferror(out);
	if ((fclose(out) || failed || !written) && !ret)
		ret = -ENOMEM;
	if (!ret && size + 2 > MS_SCRIPT_MAX_LINE)
		ret = ms_world_fail(e->err, e->line, "written out the line is longer than %u bytes",
				    MS_SCRIPT_MAX_LINE);
	for (size_t i = 0; !ret && i < e->into->nr; i++) {
		if (strcmp(e->into->text[i], written))
			continue;
		free(written);
		return 0;
	}
	if (ret) {
		free(written);
		return ret;
	}
	return ms_texts_add(e->into, written, e->line);
}

/* ---- sets ---- */

/* The length of a set's element: up to ", " or the set's end. */
static size_t element_len(const char *s, const char *end)
{
	const char *at = s;

	while (at < end && !(at[0] == ',' && (at + 1 == end || at[1] == ' ')))
		at++;
	return (size_t)(at - s);
}

static int expand(const struct expander *e, const char *text);

/* Puts each element in place of the first set of the text, and expands what that gives. */
static int expand_set(const struct expander *e, const char *text, const char *open,
		      const char *close)
{
	size_t before = (size_t)(open - text), after = strlen(close + 1);

	for (const char *at = open + 1; at <= close;) {
		at += strspn(at, " ");
		size_t len = element_len(at, close);
		char *made = malloc(before + len + after + 1);

		if (!made)
			return -ENOMEM;
		memcpy(made, text, before);
		memcpy(made + before, at, len);
		memcpy(made + before + len, close + 1, after + 1);
		int ret = expand(e, made);
		free(made);
		if (ret)
			return ret;
		at += len + 1;
	}
	return 0;
}

static int expand(const struct expander *e, const char *text)
{
	const char *open = strchr(text, '{');
	const char *close = strchr(text, '}');

	if (!open && !close)
		return add_plain(e, text);
	if (!open || !close || close < open)
		return ms_world_fail(e->err, e->line, "a set begins with { and ends with }");
	const char *inner = memchr(open + 1, '{', (size_t)(close - open) - 1);
	if (inner)
		return ms_world_fail(e->err, e->line, "a set in a set");
	if (e->into->nr > MS_WORLD_MAX_LETTERS)
		return ms_world_fail(e->err, e->line, "more than %u letters", MS_WORLD_MAX_LETTERS);
	return expand_set(e, text, open, close);
}

int ms_world_expand(const struct ms_world *world, const char *text, uint64_t line,
		    struct ms_texts *into, struct ms_script_error *err)
{
	const struct expander e = { world, line, into, err };
	int ret = expand(&e, text);

	if (!ret && into->nr > MS_WORLD_MAX_LETTERS)
		return ms_world_fail(err, line, "more than %u letters", MS_WORLD_MAX_LETTERS);
	return ret;
}
