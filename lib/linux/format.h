/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A message while it is put together: format.c reads its format and prints numbers and texts,
 * format_pointer.c what %p and the letters behind it ask for.
 */
#ifndef MS_LINUX_FORMAT_H
#define MS_LINUX_FORMAT_H

#include "linux/state.h"

#include <ctype.h>
#include <stdio.h>

struct ms_conversion {
	bool left, plus, space, special, zero; /* "-+ #0" */
	char length;          /* 'H' for hh, 'h', 'l', 'L' for ll and L, 'z', 't'; 0: int */
	char type;            /* '\0': the format ends here */
	const char *letters;  /* of %p: what follows it */
	int width, precision; /* -1: none */
};

struct ms_output {
	char *text;
	size_t size, len; /* len < size: what does not fit is cut off, as printk cuts it */
	va_list args;
	unsigned int nested;
	char *complaint; /* the first one; MS_LINUX_COMPLAINT bytes */
	bool refused;    /* the text ends here */
};

/* The first complaint is kept. */
__attribute__((format(printf, 2, 3))) void ms_format_complain(struct ms_output *out,
							      const char *format, ...);
void ms_format_bytes(struct ms_output *out, const char *bytes, size_t n);
void ms_format_char(struct ms_output *out, char c);
/* string_nocheck(): the precision limits how much of s is read. */
void ms_format_text(struct ms_output *out, const char *s, const struct ms_conversion *conv);
/* number(): sign '\0' or what stands before the number. */
void ms_format_number(struct ms_output *out, unsigned long long value, char sign,
		      const struct ms_conversion *conv);
void ms_format_signed(struct ms_output *out, long long value, const struct ms_conversion *conv);
/* check_pointer(): true, and the text says so: nothing can be read at p. */
bool ms_format_bad_pointer(struct ms_output *out, const void *p, const struct ms_conversion *conv);
/* pointer(): takes the argument of a %p. */
void ms_format_pointer(struct ms_output *out, const struct ms_conversion *conv);
/* The whole of a format, with the arguments of out. */
void ms_format_print(struct ms_output *out, const char *format);

#endif
