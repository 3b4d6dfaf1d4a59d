/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Formats of printk with the arguments that they ask for, and a last argument that shows whether
 * each of them was taken. What C prints alike is compared with it. Memory that an argument points
 * to is exactly as large as the format says.
 */
#include "fuzz.h"

#include "linux/state.h"

#include <stdlib.h>

#define MOST_PIECES 6
#define MOST_ARGS (3 * MOST_PIECES + 1)
#define LAST 0x1a57a26eul
#define GUARD 0x5a

struct fuzz {
	const uint8_t *data;
	size_t left;
	char format[1024], expected[4096];
	uint64_t arg[MOST_ARGS];
	unsigned int nr_args;
	void *memory[MOST_PIECES];
	unsigned int nr_memory;
	bool unlike_c;       // what is printed is not what `expected` says
	const char *refused; // the conversion at which the text ends; NULL: none
};

/* What stands between "%" and the letters, for the kernel and for C, which is given no "*". */
struct modifiers {
	char kernel[32], c[32];
	bool special, zero;
	int width, precision; // -1: none
};

static uint8_t next(struct fuzz *f)
{
	if (!f->left)
		return 0;
	f->left--;
	return *f->data++;
}

static uint64_t next_number(struct fuzz *f)
{
	const uint8_t how = next(f);
	uint64_t n = 0;

	for (int i = 0; i <= how % 8; i++)
		n = n << 8 | next(f);
	return how & 0x80 ? -n : n;
}

static void *memory(struct fuzz *f, size_t size)
{
	uint8_t *p = malloc(size);

	if (!p)
		abort();
	for (size_t i = 0; i < size; i++)
		p[i] = next(f);
	f->memory[f->nr_memory++] = p;
	return p;
}

static void argument(struct fuzz *f, uint64_t value)
{
	f->arg[f->nr_args++] = value;
}

static void expect(struct fuzz *f, const char *text)
{
	strcat(f->expected, text);
}

/* A negative width is the flag "-", a negative precision is 0. */
static struct modifiers modifiers(struct fuzz *f)
{
	static const char *const flags[] = { "", "-", "+", " ", "0", "#", "-0", "+ ", "-#", "0+-" };
	const uint8_t how = next(f);
	const char *flag = flags[how & 0x0f ? how % 10 : 0];
	struct modifiers mod = { .width = -1, .precision = -1 };
	bool left = strchr(flag, '-');
	int k = (int)(stpcpy(mod.kernel, flag) - mod.kernel);

	mod.special = strchr(flag, '#');
	mod.zero = strchr(flag, '0');
	if (how & 0x10) {
		mod.width = 1 + next(f) % 70;
		k += sprintf(mod.kernel + k, "%d", mod.width);
	} else if (how & 0x20) {
		mod.width = (int8_t)next(f);
		argument(f, (uint64_t)mod.width);
		k += sprintf(mod.kernel + k, "*");
		left |= mod.width < 0;
		mod.width = abs(mod.width);
	}
	if (how & 0x40) {
		mod.precision = next(f) % 30;
		sprintf(mod.kernel + k, ".%d", mod.precision);
	} else if (how & 0x80) {
		mod.precision = (int8_t)next(f);
		argument(f, (uint64_t)mod.precision);
		sprintf(mod.kernel + k, ".*");
		mod.precision = mod.precision < 0 ? 0 : mod.precision;
	}
	k = sprintf(mod.c, "%s%s%s",
		    left       ? "-"
		    : mod.zero ? "0"
			       : "",
		    strchr(flag, '+') ? "+" : "", strchr(flag, ' ') ? " " : "");
	if (mod.width >= 0)
		k += sprintf(mod.c + k, "%d", mod.width);
	if (mod.precision >= 0)
		sprintf(mod.c + k, ".%d", mod.precision);
	mod.zero = mod.zero && !left;
	return mod;
}

static void conversion(struct fuzz *f, const struct modifiers *mod, const char *letters)
{
	sprintf(f->format + strlen(f->format), "%%%s%s", mod->kernel, letters);
}

/* The C library is given formats that are made here. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static void number(struct fuzz *f)
{
	static const char *const lengths[] = { "", "hh", "h", "l", "ll", "z", "t", "L" };
	const struct modifiers mod = modifiers(f);
	const uint8_t how = next(f);
	const char letters[] = { "dxuioX"[how % 6], '\0' };
	const char *length = lengths[how >> 3 & 7];
	const bool special = mod.special && strchr("xXo", *letters);
	const uint64_t value = next_number(f);
	char format[64], text[256];

	sprintf(text, "%s%s", length, letters);
	conversion(f, &mod, text);
	argument(f, value);
	f->unlike_c |= special || (mod.zero && mod.precision >= 0) || !mod.precision;
	sprintf(format, "%%%s%s%s", mod.c, *length == 'L' ? "ll" : length, letters);
	snprintf(text, sizeof(text), format, value);
	expect(f, text);
}

/* C: flags but "-" are undefined. */
static void text_or_letter(struct fuzz *f, bool letter)
{
	const struct modifiers mod = modifiers(f);
	const char *left = strchr(mod.c, '-') ? "-" : "";
	const size_t len = next(f) % 40;
	const bool ends = mod.precision < 0 || (size_t)mod.precision > len;
	char format[64], text[256], *s;

	conversion(f, &mod, letter ? "c" : "s");
	if (letter) {
		argument(f, 'a' + len % 26);
		snprintf(format, sizeof(format), "%%%s%.0dc", left, mod.width < 0 ? 0 : mod.width);
		snprintf(text, sizeof(text), format, 'a' + (int)len % 26);
		expect(f, text);
		return;
	}
	s = memory(f, len + ends + !(len + ends));
	for (size_t i = 0; i < len; i++)
		s[i] = (char)('a' + (uint8_t)s[i] % 26);
	if (ends)
		s[len] = '\0';
	argument(f, (uintptr_t)s);
	sprintf(format, "%%%s%.0d.*s", left, mod.width < 0 ? 0 : mod.width);
	snprintf(text, sizeof(text), format, mod.precision < 0 ? 255 : mod.precision, s);
	expect(f, text);
}

#pragma GCC diagnostic pop

static void bytes_in_hex(struct fuzz *f)
{
	static const struct {
		const char *letters, *separator;
	} how[] = { { "ph", " " }, { "phC", ":" }, { "phD", "-" }, { "phN", "" } };
	const unsigned int i = next(f) % 4;
	struct modifiers mod = modifiers(f);
	const int n = mod.width < 0 ? 1 : mod.width > 64 ? 64 : mod.width;
	const uint8_t *bytes = memory(f, n ? (size_t)n : 1);
	char text[8];

	conversion(f, &mod, how[i].letters);
	argument(f, (uintptr_t)bytes);
	for (int at = 0; at < n; at++) {
		sprintf(text, "%s%02x", at ? how[i].separator : "", bytes[at]);
		expect(f, text);
	}
}

static void bitmap(struct fuzz *f)
{
	const bool list = next(f) & 1;
	struct modifiers mod = modifiers(f);
	const int bits = mod.width < 0 ? 0 : mod.width;
	const unsigned long *map = memory(f, (size_t)(bits ? bits + 63 : 64) / 64 * 8);

	conversion(f, &mod, list ? "pbl" : "pb");
	argument(f, (uintptr_t)map);
	f->unlike_c |= bits != 0;
}

/* %p of an address, of what is no address, and of what points to something. */
static void pointer(struct fuzz *f)
{
	static const char *const addresses[] = { "p", "px", "pK", "pS", "ps", "pSR", "pB", "pz9" };
	static const char *const refused[] = { "pR",  "pr",   "pM",  "pI4", "pi6", "pE",  "pUb",
					       "pNF", "p4cc", "pd2", "pD",  "pg",  "pGv", "pOF",
					       "pfw", "pt",   "pC",  "pA",  "pus" };
	struct modifiers mod = modifiers(f);
	const uint8_t how = next(f);
	char text[32];

	if (how < 0x80) {
		conversion(f, &mod, addresses[how % 8]);
		argument(f, (uintptr_t)f->format);
		expect(f, "(ptr)");
	} else if (how < 0xa0) {
		const uint64_t *pa = memory(f, sizeof(*pa));

		conversion(f, &mod, how & 1 ? "pa" : how & 2 ? "pad" : "pap");
		argument(f, (uintptr_t)pa);
		sprintf(text, "0x%016llx", (unsigned long long)*pa);
		expect(f, text);
	} else if (how < 0xc0) {
		conversion(f, &mod, "pe");
		argument(f, (uint64_t) - (how & 0x1f) - 1);
		f->unlike_c = true;
	} else if (how < 0xe0) {
		conversion(f, &mod, how & 1 ? "ph" : "s");
		argument(f, how & 2 ? 0 : how);
		f->unlike_c = true;
	} else {
		f->refused = refused[how % 19];
		conversion(f, &mod, f->refused);
	}
}

/* Begins with a blank: a letter would belong to a %p before it. */
static void plain(struct fuzz *f)
{
	const char text[] = { ' ', (char)(' ' + next(f) % 0x5f), '\0' };

	strcat(f->format, text);
	if (text[1] == '%')
		strcat(f->format, next(f) & 1 ? "-5%" : "%");
	expect(f, text);
}

static void unknown(struct fuzz *f)
{
	static const char *const letters[] = { "f", "n", "k", "j", "lf", "hhn", "LLx", "hhhd" };
	static const char *const named[] = { "f", "n", "k", "j", "f", "n", "L", "h" };
	struct modifiers mod = modifiers(f);
	const uint8_t how = next(f) % 8;

	conversion(f, &mod, letters[how]);
	f->refused = named[how];
}

static void piece(struct fuzz *f)
{
	switch (next(f) % 8) {
	case 0:
	case 1:
		number(f);
		break;
	case 2:
		text_or_letter(f, next(f) & 1);
		break;
	case 3:
		bytes_in_hex(f);
		break;
	case 4:
		bitmap(f);
		break;
	case 5:
		pointer(f);
		break;
	case 6:
		plain(f);
		break;
	case 7:
		if (next(f) < 32)
			unknown(f);
		break;
	}
}

/* ---- the whole ---- */

/* As an int, a long or a pointer a register's worth is taken on both architectures. */
static void print_args(char *text, size_t size, char *complaint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	ms_linux_format(text, size, complaint, format, args);
	va_end(args);
}

static void print_message(char *text, size_t size, char *complaint, const char *format, ...)
{
	struct va_format message = { .fmt = format };
	va_list args;

	va_start(args, format);
	message.va = &args;
	print_args(text, size, complaint, "%pV", &message);
	va_end(args);
}

/* Into `size` bytes; answers the text, which is `size` long and to be freed. */
static char *print(struct fuzz *f, size_t size, bool nested, char *complaint)
{
	void (*how)(char *, size_t, char *, const char *, ...) =
		nested ? print_message : print_args;
	char *text = malloc(size + 1);
	const uint64_t *a = f->arg;

	if (!text)
		abort();
	memset(text, GUARD, size + 1);
	how(text, size, complaint, f->format, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8],
	    a[9], a[10], a[11], a[12], a[13], a[14], a[15], a[16], a[17], a[18]);
	if (text[size] != GUARD || !memchr(text, '\0', size))
		fuzz_fail("\"%s\" is written beyond its %zu bytes", f->format, size);
	return text;
}

static void check_end(const struct fuzz *f, const char *text, const char *complaint)
{
	const char *end = strrchr(text, '|');
	char name[64], *is;

	if (f->refused) {
		sprintf(name, "%%%s in a format of printk", f->refused);
		is = strstr(complaint, name);
		if (!is)
			fuzz_fail("\"%s\": %s", f->format, complaint);
		return;
	}
	if (*complaint)
		fuzz_fail("\"%s\": %s", f->format, complaint);
	if (!end || strtoul(end + 1, NULL, 16) != LAST)
		fuzz_fail("\"%s\" does not take its arguments: %s", f->format, text);
	if (!f->unlike_c && strcmp(text, f->expected))
		fuzz_fail("\"%s\" prints\n%s, not\n%s", f->format, text, f->expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char complaint[MS_LINUX_COMPLAINT], same[MS_LINUX_COMPLAINT];
	struct fuzz f = { .data = data, .left = size };
	const size_t small = 1 + next(&f);
	char *whole, *cut, *nested;

	for (int i = 0; i < MOST_PIECES && f.left && !f.refused; i++)
		piece(&f);
	argument(&f, LAST);
	strcat(f.format, "|%lx");
	sprintf(f.expected + strlen(f.expected), "|%lx", LAST);
	whole = print(&f, sizeof(f.expected), false, complaint);
	nested = print(&f, sizeof(f.expected), true, same);
	cut = print(&f, small, false, same);
	check_end(&f, whole, complaint);
	if (strcmp(whole, nested) || strcmp(complaint, same))
		fuzz_fail("\"%s\" reads otherwise in another message: %s", f.format, nested);
	if (strncmp(whole, cut, strlen(cut)) || (strlen(cut) + 1 < small && strcmp(whole, cut)))
		fuzz_fail("\"%s\" reads otherwise in %zu bytes: %s", f.format, small, cut);
	free(whole);
	free(nested);
	free(cut);
	for (unsigned int i = 0; i < f.nr_memory; i++)
		free(f.memory[i]);
	return 0;
}
