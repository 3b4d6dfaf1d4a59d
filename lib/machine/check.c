/* SPDX-License-Identifier: GPL-2.0-only */
/* Is a machine consistent? Asks every room, and checks what the machine itself keeps. */
#include "machine/check.h"

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

static void check_trace(struct ms_check *c)
{
	const struct ms_trace *trace = &c->machine->trace;
	size_t kept[MS_EV_TYPES] = { 0 };

	if (trace->len > trace->capacity) {
		ms_check_found(c, "trace: %zu events in room for %zu", trace->len, trace->capacity);
		return;
	}
	for (size_t i = 0; i < trace->len; i++) {
		if ((unsigned int)trace->events[i].type >= MS_EV_TYPES)
			ms_check_found(c, "trace: event %zu is of no type", i);
		else
			kept[trace->events[i].type]++;
	}
	for (unsigned int type = 0; type < MS_EV_TYPES; type++) {
		const char *name = ms_event_name((enum ms_event_type)type);

		if (trace->kept[type] != kept[type])
			ms_check_found(c, "trace: %zu events of %s are kept, %zu are counted",
				       kept[type], name, trace->kept[type]);
		if (trace->kept[type] > trace->total[type])
			ms_check_found(c, "trace: more events of %s are kept than ever were", name);
	}
}

/* What is held only while a driver's code or a hook runs. */
static void check_idle(struct ms_check *c)
{
	const struct ms_machine *m = c->machine;

	if (m->in_hook)
		ms_check_found(c, "machine: %u hooks are running", m->in_hook);
	if (m->driver_mm || m->driver_mmap_again)
		ms_check_found(c, "machine: a call into a driver has not come back");
	if (m->driver_locks)
		ms_check_found(c, "machine: driver code holds %u locks", m->driver_locks);
}

size_t ms_machine_check(const struct ms_machine *m, FILE *out)
{
	static void (*const rooms[])(struct ms_check * c) = {
		ms_kvm_check, ms_linux_check, ms_drivers_check, ms_mm_check,
		ms_pat_check, ms_phys_check,  check_trace,      check_idle,
	};
	struct ms_check c = { .machine = (struct ms_machine *)(uintptr_t)m, .out = out };

	if (!m)
		return 0;
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
		rooms[i](&c);
	if (out && c.found > MS_CHECK_MAX_LINES)
		fprintf(out, "... and %zu more\n", c.found - MS_CHECK_MAX_LINES);
	return c.found;
}
