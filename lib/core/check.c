/* SPDX-License-Identifier: GPL-2.0-only */
/* What ms_machine_check() finds, as lines. */
#include "core/check.h"

#include <stdarg.h>

bool ms_check_found(struct ms_check *c, const char *format, ...)
{
	va_list args;

	if (c->found++ >= MS_CHECK_MAX_LINES || !c->out)
		return false;
	va_start(args, format);
	vfprintf(c->out, format, args);
	va_end(args);
	fputc('\n', c->out);
	return false;
}
