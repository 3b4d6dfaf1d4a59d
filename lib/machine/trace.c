/* SPDX-License-Identifier: GPL-2.0-only */
/* <mapsim/trace.h>: the doors to a machine's events. Printing them is print.c's. */
#include "core/core.h"

static bool type_valid(enum ms_event_type type)
{
	return (unsigned int)type < MS_EV_TYPES;
}

size_t ms_trace_len(const struct ms_machine *m)
{
	return m ? m->events.len : 0;
}

const struct ms_event *ms_trace_get(const struct ms_machine *m, size_t i)
{
	return m ? ms_events_get(&m->events, i) : NULL;
}

size_t ms_trace_count(const struct ms_machine *m, enum ms_event_type type)
{
	return m && type_valid(type) ? m->events.kept[type] : 0;
}

uint64_t ms_trace_total(const struct ms_machine *m, enum ms_event_type type)
{
	return m && type_valid(type) ? ms_events_total(&m->events, type) : 0;
}

const struct ms_event *ms_trace_last(const struct ms_machine *m, enum ms_event_type type)
{
	return m && type_valid(type) ? ms_events_last(&m->events, type) : NULL;
}

void ms_trace_clear(struct ms_machine *m)
{
	if (m)
		ms_events_clear(&m->events);
}

void ms_trace_keep(struct ms_machine *m, uint32_t types)
{
	if (m)
		m->events.keep = types;
}

uint64_t ms_trace_lost(const struct ms_machine *m)
{
	return m ? m->events.lost : 0;
}

uint64_t ms_violations(const struct ms_machine *m)
{
	return ms_trace_total(m, MS_EV_VIOLATION);
}

const struct ms_event *ms_violation_get(const struct ms_machine *m, size_t i)
{
	return m ? ms_events_nth(&m->events, MS_EV_VIOLATION, i) : NULL;
}

uint64_t ms_violations_of(const struct ms_machine *m, unsigned int classes)
{
	return m ? ms_causes_count(m, classes) : 0;
}

size_t ms_violation_causes(const struct ms_machine *m)
{
	return m ? ms_causes_number(m) : 0;
}

const struct ms_violation *ms_violation_cause(const struct ms_machine *m, uint64_t number)
{
	return m ? ms_causes_get(m, number) : NULL;
}

void ms_violation_observe(struct ms_machine *m, ms_violation_fn *fn, void *arg)
{
	if (!m)
		return;
	m->observer.fn = fn;
	m->observer.arg = arg;
}
