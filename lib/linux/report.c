/* SPDX-License-Identifier: GPL-2.0-only */
/* What a driver says: printk() becomes an event, WARN() a violation. */
#include "linux/state.h"

#define MAX_LINE 1024 /* bytes; PRINTKRB_RECORD_MAX */

/* KERN_SOH and a level's letter */
static const char *skip_level(const char *format)
{
	return format[0] == '\001' && format[1] ? format + 2 : format;
}

/*
 * Without the newline at its end: an event is a line of its own. A conversion that the kernel does
 * not know ends the message and warns there (format_decode), and is a violation here.
 */
static const char *message(struct ms_machine *m, const char *format, va_list args)
{
	char line[MAX_LINE], unknown;
	const char *text;
	size_t len;

	unknown = ms_linux_format(line, sizeof(line), skip_level(format), args);
	if (unknown)
		ms_violation(m, ms_linux_text(m, "unsupported %%%c in a format of printk", unknown),
			     0);
	len = strlen(line);
	while (len && line[len - 1] == '\n')
		line[--len] = '\0';
	text = ms_linux_text(m, "%s", line);
	return text ? text : "(no memory for the message)";
}

void ms_linux_printk(const char *format, ...)
{
	struct ms_machine *m = ms_linux_here("printk");
	va_list args;

	if (!m)
		return;
	va_start(args, format);
	ms_log(m, message(m, format, args), 0, 0);
	va_end(args);
}

void ms_linux_violation(const char *text)
{
	struct ms_machine *m = ms_linux_here(text);

	if (m)
		ms_violation(m, text, 0);
}

void ms_linux_violation_once(const char *text, const void *place)
{
	if (ms_linux_first_time(place))
		ms_linux_violation(text);
}

void ms_linux_violation_printf(const char *format, ...)
{
	struct ms_machine *m = ms_linux_here("WARN");
	va_list args;

	if (!m)
		return;
	va_start(args, format);
	ms_violation(m, message(m, format, args), 0);
	va_end(args);
}
