/* SPDX-License-Identifier: GPL-2.0-only */
/* What a driver says: printk() becomes an event, WARN() a violation. */
#include "linux/state.h"

#include <ctype.h>
#include <stdio.h>

#define MAX_FORMAT 1024

/*
 * The format with every kind of %p, flags and kernel extensions included, replaced by "(ptr)": a
 * conversion that takes the argument and prints nothing of it follows. false: too long.
 */
static bool hide_pointers(const char *format, char *out, size_t size)
{
	static const char hidden[] = "(ptr)%.0s";
	size_t len = 0;

	for (const char *s = format; *s;) {
		size_t n = 1;

		if (*s == '%') {
			n += strspn(s + 1, "-+ #0123456789.*lhzjtLq");
			if (s[n])
				n++;
		}
		if (len + n + sizeof(hidden) > size)
			return false;
		if (*s == '%' && s[n - 1] == 'p') {
			memcpy(out + len, hidden, sizeof(hidden) - 1);
			len += sizeof(hidden) - 1;
			for (s += n; isalnum((unsigned char)*s);)
				s++;
			continue;
		}
		memcpy(out + len, s, n);
		len += n;
		s += n;
	}
	out[len] = '\0';
	return true;
}

/* KERN_SOH and a level's letter */
static const char *skip_level(const char *format)
{
	return format[0] == '\001' && format[1] ? format + 2 : format;
}

/* Without the newline at its end: an event is a line of its own. */
static const char *message(struct ms_machine *m, const char *format, va_list args)
{
	char line[MAX_FORMAT];
	const char *text;
	size_t len;

	format = skip_level(format);
	if (!hide_pointers(format, line, sizeof(line)))
		return "(a format of more than 1000 characters)";
	len = strlen(line);
	while (len && line[len - 1] == '\n')
		line[--len] = '\0';
	text = ms_linux_vtext(m, line, args);
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
