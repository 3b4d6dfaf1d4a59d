/* SPDX-License-Identifier: GPL-2.0-only */
/* What a driver says: printk() becomes an event, WARN() a violation. */
#include "linux/state.h"

#define MAX_LINE 1024 /* bytes; PRINTKRB_RECORD_MAX */

/* Each KERN_SOH and its level's letter: of the text, as "%s" and "%pV" may have brought them. */
static const char *skip_levels(const char *text)
{
	while (text[0] == '\001' && text[1])
		text += 2;
	return text;
}

/*
 * Without the newline at its end: an event is a line of its own. Where the kernel warns of the
 * format (format_decode), or it cannot be printed here, that is a violation.
 */
static const char *message(struct ms_machine *m, const char *format, va_list args)
{
	char line[MAX_LINE], complaint[MS_LINUX_COMPLAINT];
	const char *text;
	size_t len;

	ms_linux_format(line, sizeof(line), complaint, format, args);
	if (*complaint) {
		text = ms_text(m, "%s", complaint);
		ms_violation(m, text ? text : "a format of printk that is not supported", 0);
	}
	len = strlen(line);
	while (len && line[len - 1] == '\n')
		line[--len] = '\0';
	text = ms_text(m, "%s", skip_levels(line));
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

int ms_linux_refuse(int err, const char *text)
{
	struct ms_machine *m = ms_linux_here(text);

	return m ? ms_refuse(m, err, "%s", ms_refusal_text(text)) : err;
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
