/* SPDX-License-Identifier: GPL-2.0-only */
/* Is a machine consistent? Asks every room, and checks what the machine itself keeps. */
#include "machine/rooms.h"

static void check_events(struct ms_check *c)
{
	enum ms_event_type type;
	const char *broken = ms_events_check(&c->machine->events, &type);

	if (broken && type < MS_EV_TYPES)
		ms_check_found(c, "trace: %s: %s", ms_event_name(type), broken);
	else if (broken)
		ms_check_found(c, "trace: %s", broken);
}

/* What is held only while a driver's code or a hook runs. */
static void check_idle(struct ms_check *c)
{
	const struct ms_machine *m = c->machine;

	if (m->in_hook)
		ms_check_found(c, "machine: %u hooks are running", m->in_hook);
	if (m->call.mm || m->call.mmap_again || m->call.depth || m->call.handlers)
		ms_check_found(c, "machine: a call into a driver has not come back");
	if (m->call.locks)
		ms_check_found(c, "machine: driver code holds %u locks", m->call.locks);
}

size_t ms_machine_check(const struct ms_machine *m, FILE *out)
{
	struct ms_check c = { .machine = m, .out = out };

	if (!m)
		return 0;
	ms_rooms_check(&c);
	check_events(&c);
	check_idle(&c);
	ms_check_destroy(&c);
	if (out && c.found > MS_CHECK_MAX_LINES)
		fprintf(out, "... and %zu more\n", c.found - MS_CHECK_MAX_LINES);
	return c.found;
}
