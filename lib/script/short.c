/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The short forms of scripts: sizes such as 2M, and @NAME for the address of a device. Lines are
 * written out with numbers in their place before they are read, so that the rest of the reader
 * knows nothing of short forms.
 */
#include "script/internal.h"

#include <ctype.h>
#include <stdlib.h>

struct writer {
	const struct ms_header *header;
	FILE *out;
	uint64_t line;
	struct ms_script_error *err;
};

/* Keys of operations and header lines whose values are addresses or sizes in bytes. */
static bool counts_bytes(struct ms_word key)
{
	static const char *const keys[] = {
		"at", "gpa",       "hva",    "len",  "mmap_min_addr", "newlen", "off",
		"pa", "page_size", "pieces", "size", "split",         "to",
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (ms_word_is(key, keys[i]))
			return true;
	}
	return false;
}

/* The unit that ends the word, as a power of 1024: "K" is 1. 0: it ends in no unit. */
static unsigned int unit_of(struct ms_word word)
{
	static const char units[] = "KMGT";
	const char *unit =
		word.len ? strchr(units, toupper((unsigned char)word.s[word.len - 1])) : NULL;

	return unit ? (unsigned int)(unit - units) + 1 : 0;
}

/* Reads a number that may have a unit. 0; -EINVAL: not such a one; -ERANGE: over 64 bits. */
static int parse_size(struct ms_word word, uint64_t *value)
{
	unsigned int unit = unit_of(word);
	int err = ms_number(word.s, word.len - (unit > 0), value);

	if (err)
		return err;
	if (*value > UINT64_MAX >> (10 * unit))
		return -ERANGE;
	*value <<= 10 * unit;
	return 0;
}

/* Writes a size as a number. What is none stays as it is: who reads the value will refuse it. */
static int write_size(struct writer *w, struct ms_word word)
{
	uint64_t value;
	int err = unit_of(word) ? parse_size(word, &value) : -EINVAL;

	if (err == -ERANGE)
		return ms_script_fail(w->err, w->line, "number out of range \"%.*s\"",
				      MS_SHOWN(word));
	if (err)
		fprintf(w->out, "%.*s", (int)word.len, word.s);
	else
		fprintf(w->out, "0x%llx", (unsigned long long)value);
	return 0;
}

/* Writes the number that NAME, NAME.size, NAME+N or NAME-N stands for. */
static int write_reference(struct writer *w, struct ms_word ref)
{
	static const char name_chars[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	const struct ms_header *h = w->header;
	size_t len = strspn(ref.s, name_chars);
	struct ms_word name = { ref.s, len < ref.len ? len : ref.len };
	struct ms_word tail = { ref.s + name.len, ref.len - name.len };
	struct ms_word distance = { tail.s + 1, tail.len - 1 };

	for (size_t i = 0; i < h->nr_devices; i++) {
		uint64_t value = h->device[i].pa, n = 0;

		if (!ms_word_is(name, h->device[i].name))
			continue;
		if (ms_word_is(tail, ".size"))
			value = h->device[i].size;
		else if (tail.len &&
			 ((*tail.s != '+' && *tail.s != '-') || parse_size(distance, &n)))
			break;
		else if (tail.len)
			value = *tail.s == '+' ? value + n : value - n;
		fprintf(w->out, "0x%llx", (unsigned long long)value);
		return 0;
	}
	return ms_script_fail(w->err, w->line, "not a device's address \"@%.*s\"", MS_SHOWN(ref));
}

/* The part of the word before the first byte that is one of `ends`. */
static struct ms_word part_before(struct ms_word word, const char *ends)
{
	size_t len = strcspn(word.s, ends);

	return (struct ms_word){ word.s, len < word.len ? len : word.len };
}

/* Writes a value: one number, or pieces, which are numbers with separators between them. */
static int write_value(struct writer *w, struct ms_word value)
{
	int err = 0;

	while (!err && value.len) {
		struct ms_word part = { value.s, 1 };

		if (*value.s == '@') {
			part = part_before(value, ",:");
			err = write_reference(w, (struct ms_word){ part.s + 1, part.len - 1 });
		} else if (strchr("+-:,", *value.s)) {
			fputc(*value.s, w->out);
		} else {
			part = part_before(value, "+-:,@");
			err = write_size(w, part);
		}
		value = (struct ms_word){ value.s + part.len, value.len - part.len };
	}
	return err;
}

static int write_line(struct writer *w, struct ms_word rest)
{
	const char *before = "";
	struct ms_word word, key, value;
	int err = 0;

	while (!err && ms_word_next(&rest, ' ', &word)) {
		fputs(before, w->out);
		before = " ";
		if (ms_word_split(word, &key, &value) && counts_bytes(key)) {
			fprintf(w->out, "%.*s=", (int)key.len, key.s);
			err = write_value(w, value);
		} else {
			fprintf(w->out, "%.*s", (int)word.len, word.s);
		}
	}
	return err;
}

int ms_short_write_out(const struct ms_header *header, const char *text, uint64_t line,
		       char **written, struct ms_script_error *err)
{
	size_t size;
	*written = NULL;
	FILE *out = open_memstream(written, &size);
	struct writer w = { header, out, line, err };

	if (!out)
		return -ENOMEM;
	int ret = write_line(&w, (struct ms_word){ text, strlen(text) });
	bool failed = ferror(out);
	if ((fclose(out) || failed || !*written) && !ret)
		ret = -ENOMEM;
	// 2: the "> " of an operation
	if (!ret && size + 2 > MS_SCRIPT_MAX_LINE && strcmp(*written, text))
		ret = ms_script_fail(err, line, "written out the line is longer than %u bytes",
				     MS_SCRIPT_MAX_LINE);
	if (ret)
		free(*written);
	return ret;
}
