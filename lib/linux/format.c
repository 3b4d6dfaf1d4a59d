/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A driver's printk format: vsnprintf() of lib/vsprintf.c, the same in all kernels. The C library
 * cannot be given such a format: letters behind %p change what it takes ("%*ph" takes a length and
 * bytes, "%pV" another message), numbers differ in corners ("%#x" of 0 is "0x0"), and an address
 * differs from run to run. An address therefore reads "(ptr)".
 */
#include "linux/format.h"

#define MAX_WIDTH ((1 << 23) - 1)     /* FIELD_WIDTH_MAX */
#define MAX_PRECISION ((1 << 15) - 1) /* PRECISION_MAX */

void ms_format_complain(struct ms_output *out, const char *format, ...)
{
	va_list args;

	if (*out->complaint)
		return;
	va_start(args, format);
	vsnprintf(out->complaint, MS_LINUX_COMPLAINT, format, args);
	va_end(args);
}

/* ---- writing ---- */

void ms_format_bytes(struct ms_output *out, const char *bytes, size_t n)
{
	const size_t room = out->size - 1 - out->len;

	if (n > room)
		n = room;
	memcpy(out->text + out->len, bytes, n);
	out->len += n;
	out->text[out->len] = '\0';
}

void ms_format_char(struct ms_output *out, char c)
{
	ms_format_bytes(out, &c, 1);
}

/* n <= 0: nothing */
static void put_repeated(struct ms_output *out, char c, int n)
{
	for (; n > 0 && out->len < out->size - 1; n--)
		ms_format_char(out, c);
}

// mirrors string_nocheck(), lib/vsprintf.c, 5.10+
void ms_format_text(struct ms_output *out, const char *s, const struct ms_conversion *conv)
{
	const size_t n = conv->precision < 0 ? strlen(s) : strnlen(s, (size_t)conv->precision);
	const int spaces = n < MAX_WIDTH ? conv->width - (int)n : 0;

	if (!conv->left)
		put_repeated(out, ' ', spaces);
	ms_format_bytes(out, s, n);
	if (conv->left)
		put_repeated(out, ' ', spaces);
}

// mirrors number(), lib/vsprintf.c, 5.10+
void ms_format_number(struct ms_output *out, unsigned long long value, char sign,
		      const struct ms_conversion *conv)
{
	const bool hex = conv->type == 'x' || conv->type == 'X', octal = conv->type == 'o';
	const char *prefix = "";
	char digits[32];
	int n, precision, padding;

	if (conv->special && hex)
		prefix = conv->type == 'x' ? "0x" : "0X";
	else if (conv->special && octal && value)
		prefix = "0";
	n = snprintf(digits, sizeof(digits),
		     octal               ? "%llo"
		     : conv->type == 'x' ? "%llx"
		     : hex               ? "%llX"
					 : "%llu",
		     value);
	precision = n > conv->precision ? n : conv->precision;
	padding = conv->width - precision - (int)strlen(prefix) - (sign != '\0');
	if (!conv->left && !conv->zero)
		put_repeated(out, ' ', padding);
	if (sign)
		ms_format_char(out, sign);
	ms_format_bytes(out, prefix, strlen(prefix));
	if (!conv->left && conv->zero)
		put_repeated(out, '0', padding);
	put_repeated(out, '0', precision - n);
	ms_format_bytes(out, digits, (size_t)n);
	if (conv->left)
		put_repeated(out, ' ', padding);
}

void ms_format_signed(struct ms_output *out, long long value, const struct ms_conversion *conv)
{
	const unsigned long long bits = (unsigned long long)value;

	if (value < 0)
		ms_format_number(out, -bits, '-', conv);
	else
		ms_format_number(out, bits, conv->plus ? '+' : conv->space ? ' ' : '\0', conv);
}

/* ---- reading a conversion ---- */

static bool in_range(struct ms_output *out, const char *what, int number, int least, int most)
{
	if (number >= least && number <= most)
		return true;
	ms_format_complain(out, "a %s of %d in a format of printk is out of range", what, number);
	return false;
}

static const char *read_digits(const char *s, int *number)
{
	for (*number = 0; isdigit((unsigned char)*s); s++)
		*number = *number > MAX_WIDTH ? *number : *number * 10 + (*s - '0');
	return s;
}

/* Digits, or "*" and an argument, which may be negative. */
static const char *read_width(const char *s, struct ms_output *out, struct ms_conversion *conv)
{
	conv->width = -1;
	if (*s == '*') {
		conv->width = va_arg(out->args, int);
		s++;
	} else if (isdigit((unsigned char)*s)) {
		s = read_digits(s, &conv->width);
	} else {
		return s;
	}
	if (!in_range(out, "width", conv->width, -MAX_WIDTH, MAX_WIDTH))
		conv->width = conv->width < 0 ? -MAX_WIDTH : MAX_WIDTH;
	if (conv->width < 0) {
		conv->width = -conv->width;
		conv->left = true;
	}
	return s;
}

/* A "." with nothing behind it is no precision at all, and a negative argument is 0. */
static const char *read_precision(const char *s, struct ms_output *out, struct ms_conversion *conv)
{
	conv->precision = -1;
	if (*s != '.')
		return s;
	s++;
	if (*s == '*') {
		conv->precision = va_arg(out->args, int);
		s++;
		if (conv->precision < 0)
			conv->precision = 0;
	} else if (isdigit((unsigned char)*s)) {
		s = read_digits(s, &conv->precision);
	} else {
		return s;
	}
	if (!in_range(out, "precision", conv->precision, 0, MAX_PRECISION))
		conv->precision = MAX_PRECISION;
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

static const char *read_flags(const char *s, struct ms_conversion *conv)
{
	for (;; s++) {
		switch (*s) {
		case '-':
			conv->left = true;
			break;
		case '+':
			conv->plus = true;
			break;
		case ' ':
			conv->space = true;
			break;
		case '#':
			conv->special = true;
			break;
		case '0':
			conv->zero = true;
			break;
		default:
			return s;
		}
	}
}

/* s is behind the "%". Returns what follows the conversion.
 * mirrors format_decode(), lib/vsprintf.c, 5.10+ */
static const char *read_conversion(const char *s, struct ms_output *out, struct ms_conversion *conv)
{
	*conv = (struct ms_conversion){ 0 };
	s = read_flags(s, conv);
	s = read_width(s, out, conv);
	s = read_precision(s, out, conv);
	s = read_length(s, &conv->length);
	conv->type = *s;
	if (*s)
		s++;
	conv->letters = s;
	if (conv->type == 'p')
		while (isalnum((unsigned char)*s))
			s++;
	return s;
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

/* ---- the whole ---- */

static void put_string(struct ms_output *out, const char *s, const struct ms_conversion *conv)
{
	if (!ms_format_bad_pointer(out, s, conv))
		ms_format_text(out, s, conv);
}

/* A NUL, too, which ends the message for whoever reads it as a text. */
static void put_letter(struct ms_output *out, int c, const struct ms_conversion *conv)
{
	if (!conv->left)
		put_repeated(out, ' ', conv->width - 1);
	ms_format_char(out, (char)c);
	if (conv->left)
		put_repeated(out, ' ', conv->width - 1);
}

static void put_conversion(struct ms_output *out, const struct ms_conversion *conv)
{
	switch (conv->type) {
	case 'd':
	case 'i':
		ms_format_signed(out, signed_argument(out, conv->length), conv);
		break;
	case 'o':
	case 'x':
	case 'X':
	case 'u':
		ms_format_number(out, unsigned_argument(out, conv->length), '\0', conv);
		break;
	case 'c':
		put_letter(out, va_arg(out->args, int), conv);
		break;
	case 's':
		put_string(out, va_arg(out->args, const char *), conv);
		break;
	case 'p':
		ms_format_pointer(out, conv);
		break;
	case '%':
		ms_format_char(out, '%');
		break;
	default: /* the kernel warns and stops, too */
		ms_format_complain(out, "unsupported %%%c in a format of printk",
				   conv->type ? conv->type : '%');
		out->refused = true;
	}
}

void ms_format_print(struct ms_output *out, const char *format)
{
	struct ms_conversion conv;

	for (const char *s = format; *s && !out->refused;) {
		const size_t plain = strcspn(s, "%");

		ms_format_bytes(out, s, plain);
		s += plain;
		if (!*s)
			break;
		s = read_conversion(s + 1, out, &conv);
		put_conversion(out, &conv);
	}
}

// mirrors vsnprintf(), lib/vsprintf.c, 5.10+
void ms_linux_format(char *text, size_t size, char complaint[MS_LINUX_COMPLAINT],
		     const char *format, va_list args)
{
	struct ms_output out = { .text = text, .size = size, .complaint = complaint };

	text[0] = '\0';
	complaint[0] = '\0';
	va_copy(out.args, args);
	ms_format_print(&out, format);
	va_end(out.args);
}
