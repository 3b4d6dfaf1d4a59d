/* SPDX-License-Identifier: GPL-2.0-only */
#include "fuzz.h"

#include <stdarg.h>
#include <stdlib.h>

void fuzz_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("fuzz: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	abort();
}
