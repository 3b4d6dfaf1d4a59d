/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A driver's printk format: vsnprintf of lib/vsprintf.c, all kernels. The C library's cannot be
 * given such a format: behind %p stand letters that change what it takes ("%*ph" takes a length
 * and bytes, "%pV" a message), and an address differs from run to run. Every %p reads "(ptr)".
 */
#include "linux/state.h"

#include <ctype.h>
#include <stdio.h>

struct ms_conversion {
	char flags[8]; /* each at most once: "-+ #0" */
	char length;   /* 'H' for hh, 'h', 'l', 'L' for ll and L, 'z', 't'; 0: int */
	char type;
	int width, precision; /* precision < 0: none */
};

struct ms_output {
	char *text;
	size_t size, len; /* len < size: what does not fit is cut off, as printk cuts it */
	va_list args;
};

__attribute__((format(printf, 2, 3))) static void put(struct ms_output *out, const char *format,
						      ...)
{
	size_t room = out->size - out->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(out->text + out->len, room, format, args);
	va_end(args);
	if (n > 0)
		out->len += (size_t)n < room ? (size_t)n : room - 1;
}

/* A width or a precision: digits, or "*" and an argument. A larger one would not fit either. */
static const char *read_number(const char *s, struct ms_output *out, int *number)
{
	const int most = (int)out->size;

	*number = 0;
	if (*s == '*') {
		*number = va_arg(out->args, int);
		s++;
	} else {
		for (; isdigit((unsigned char)*s); s++)
			if (*number < most)
				*number = *number * 10 + (*s - '0');
	}
	if (*number > most)
		*number = most;
	if (*number < -most)
		*number = -most;
	return s;
}

static const char *read_length(const char *s, char *length)
{
	*length = 0;
	if (!*s || !strchr("hlLzt", *s))
		return s;
	*length = *s++;
	if (*length == 'h' && *s == 'h') {
		*length = 'H';
		s++;
	} else if (*length == 'l' && *s == 'l') {
		*length = 'L';
		s++;
	}
	return s;
}

/* s is behind the "%". Returns what follows the conversion.
 * mirrors format_decode(), lib/vsprintf.c, 5.10+ */
static const char *read_conversion(const char *s, struct ms_output *out, struct ms_conversion *conv)
{
	size_t n = 0;

	for (; *s && strchr("-+ #0", *s); s++)
		if (!memchr(conv->flags, *s, n))
			conv->flags[n++] = *s;
	conv->flags[n] = '\0';
	s = read_number(s, out, &conv->width);
	conv->precision = -1;
	if (*s == '.')
		s = read_number(s + 1, out, &conv->precision);
	s = read_length(s, &conv->length);
	conv->type = *s;
	return *s ? s + 1 : s;
}

static long long signed_argument(struct ms_output *out, char length)
{
	switch (length) {
	case 'H':
		return (signed char)va_arg(out->args, int);
	case 'h':
		return (short)va_arg(out->args, int);
	case 'l':
		return va_arg(out->args, long);
	case 'L':
		return va_arg(out->args, long long);
	case 'z':
		return va_arg(out->args, ssize_t);
	case 't':
		return va_arg(out->args, ptrdiff_t);
	default:
		return va_arg(out->args, int);
	}
}

static unsigned long long unsigned_argument(struct ms_output *out, char length)
{
	switch (length) {
	case 'H':
		return (unsigned char)va_arg(out->args, unsigned int);
	case 'h':
		return (unsigned short)va_arg(out->args, unsigned int);
	case 'l':
		return va_arg(out->args, unsigned long);
	case 'L':
		return va_arg(out->args, unsigned long long);
	case 'z':
		return va_arg(out->args, size_t);
	case 't':
		return (unsigned long long)va_arg(out->args, ptrdiff_t);
	default:
		return va_arg(out->args, unsigned int);
	}
}

/* The format is built here from known parts, which the compiler cannot see. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static bool put_conversion(struct ms_output *out, const struct ms_conversion *conv)
{
	char format[sizeof(conv->flags) + sizeof("%*.*llx")];
	const bool number = conv->type && strchr("dioxXu", conv->type);
	const char *string;

	snprintf(format, sizeof(format), "%%%s*%s%s%c", conv->flags, conv->type == 'c' ? "" : ".*",
		 number ? "ll" : "", conv->type);
	switch (conv->type) {
	case 'd':
	case 'i':
		put(out, format, conv->width, conv->precision, signed_argument(out, conv->length));
		return true;
	case 'o':
	case 'x':
	case 'X':
	case 'u':
		put(out, format, conv->width, conv->precision,
		    unsigned_argument(out, conv->length));
		return true;
	case 'c':
		put(out, format, conv->width, va_arg(out->args, int));
		return true;
	case 's':
		string = va_arg(out->args, const char *);
		put(out, format, conv->width, conv->precision, string ? string : "(null)");
		return true;
	case '%':
		put(out, "%%");
		return true;
	default:
		return false;
	}
}

#pragma GCC diagnostic pop

// mirrors vsnprintf(), lib/vsprintf.c, 5.10+
char ms_linux_format(char *text, size_t size, const char *format, va_list args)
{
	struct ms_output out = { .text = text, .size = size };
	struct ms_conversion conv;
	const char *s = format;
	char unknown = 0;

	text[0] = '\0';
	va_copy(out.args, args);
	while (*s && !unknown) {
		const size_t plain = strcspn(s, "%");

		put(&out, "%.*s", (int)(plain < size ? plain : size), s);
		s += plain;
		if (!*s)
			break;
		s = read_conversion(s + 1, &out, &conv);
		if (conv.type == 'p') {
			(void)va_arg(out.args, void *);
			put(&out, "(ptr)");
			while (isalnum((unsigned char)*s))
				s++;
		} else if (!put_conversion(&out, &conv)) {
			unknown = conv.type ? conv.type : '%';
		}
	}
	va_end(out.args);
	return unknown;
}
