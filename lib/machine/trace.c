/* SPDX-License-Identifier: GPL-2.0-only */
/* The trace: kept events in an array that grows, and for each type a count of all events. */
#include "machine/internal.h"

#include <stdlib.h>

static_assert(MS_EV_TYPES <= 32, "a type is one bit of the keep mask");

#define FIRST_CAPACITY 64

static bool trace_grow(struct ms_machine *m)
{
	struct ms_trace *trace = &m->trace;
	size_t capacity = trace->capacity ? trace->capacity * 2 : FIRST_CAPACITY;
	struct ms_event *events =
		ms_reallocarray(m, trace->events, capacity, sizeof(*trace->events));

	if (!events)
		return false;
	trace->events = events;
	trace->capacity = capacity;
	return true;
}

void ms_trace_store(struct ms_machine *m, const struct ms_event *ev)
{
	struct ms_trace *trace = &m->trace;

	if (trace->len == trace->capacity && !trace_grow(m)) {
		trace->lost++;
		return;
	}
	trace->events[trace->len++] = *ev;
	trace->kept[ev->type]++;
}

size_t ms_trace_len(const struct ms_machine *m)
{
	return m ? m->trace.len : 0;
}

const struct ms_event *ms_trace_get(const struct ms_machine *m, size_t i)
{
	return m && i < m->trace.len ? &m->trace.events[i] : NULL;
}

static bool type_valid(enum ms_event_type type)
{
	return (unsigned int)type < MS_EV_TYPES;
}

size_t ms_trace_count(const struct ms_machine *m, enum ms_event_type type)
{
	return m && type_valid(type) ? m->trace.kept[type] : 0;
}

uint64_t ms_trace_total(const struct ms_machine *m, enum ms_event_type type)
{
	return m && type_valid(type) ? m->trace.total[type] : 0;
}

const struct ms_event *ms_trace_last(const struct ms_machine *m, enum ms_event_type type)
{
	if (ms_trace_count(m, type) == 0)
		return NULL;
	for (size_t i = m->trace.len; i-- > 0;) {
		if (m->trace.events[i].type == type)
			return &m->trace.events[i];
	}
	return NULL;
}

void ms_trace_clear(struct ms_machine *m)
{
	if (!m)
		return;
	m->trace.len = 0;
	memset(m->trace.kept, 0, sizeof(m->trace.kept));
}

void ms_trace_keep(struct ms_machine *m, uint32_t types)
{
	if (m)
		m->trace.keep = types;
}

uint64_t ms_trace_lost(const struct ms_machine *m)
{
	return m ? m->trace.lost : 0;
}

uint64_t ms_violations(const struct ms_machine *m)
{
	return ms_trace_total(m, MS_EV_VIOLATION);
}

const struct ms_event *ms_violation_get(const struct ms_machine *m, size_t i)
{
	for (size_t at = 0; m && at < m->trace.len; at++) {
		if (m->trace.events[at].type == MS_EV_VIOLATION && i-- == 0)
			return &m->trace.events[at];
	}
	return NULL;
}

void ms_violation(struct ms_machine *m, const char *condition, uint64_t addr)
{
	ms_violation_entry(m, condition, addr, 0);
}

void ms_violation_entry(struct ms_machine *m, const char *condition, uint64_t addr, uint64_t pa)
{
	const struct ms_event ev = {
		.type = MS_EV_VIOLATION, .addr = addr, .pa = pa, .reason = condition
	};

	ms_emit(m, &ev);
	if (!m->config.fatal_violations)
		return;
	fflush(stdout);
	fputs("mapsim: ", stderr);
	ms_event_print(m, &ev, stderr);
	abort();
}

void ms_log(struct ms_machine *m, const char *message, uint64_t addr, uint64_t size)
{
	MS_EMIT(m, .type = MS_EV_LOG, .addr = addr, .size = size, .reason = message);
}

void ms_trace_init(struct ms_machine *m)
{
	m->trace.keep = ~(1u << MS_EV_S2_DESC | 1u << MS_EV_TLBI | 1u << MS_EV_CMO);
}

void ms_trace_destroy(struct ms_machine *m)
{
	ms_free(m, m->trace.events);
	m->trace.events = NULL;
}
