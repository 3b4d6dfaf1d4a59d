/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What has happened: the events that are kept, in their order, and a counter a type that never
 * stops. Only the functions here touch the arrays. <mapsim/trace.h> is how a user sees it.
 */
#ifndef MS_TRACE_EVENTS_H
#define MS_TRACE_EVENTS_H

#include "base/alloc.h"

#include <mapsim/trace.h>

struct ms_events {
	struct ms_alloc *alloc;
	struct ms_event *event;
	size_t len, capacity;
	uint32_t keep; /* bit 1 << type: events of the type are kept */
	uint64_t lost;
	size_t kept[MS_EV_TYPES];    /* of `len` */
	uint64_t total[MS_EV_TYPES]; /* ever */
};

void ms_events_init(struct ms_events *t, struct ms_alloc *alloc);
void ms_events_destroy(struct ms_events *t);

/* Counts an event. true: it is to be stored. Mostly it is not, and the caller need not build it. */
static inline bool ms_events_count(struct ms_events *t, enum ms_event_type type)
{
	t->total[type]++;
	return t->keep & (1u << type);
}
/* Counts n events of a type that is not kept. */
static inline void ms_events_count_many(struct ms_events *t, enum ms_event_type type, uint64_t n)
{
	t->total[type] += n;
}
static inline uint64_t ms_events_total(const struct ms_events *t, enum ms_event_type type)
{
	return t->total[type];
}
/* Whether any of these types (bits 1 << type) is kept. */
static inline bool ms_events_keeps(const struct ms_events *t, uint32_t types)
{
	return t->keep & types;
}
/* Keeps an event that has been counted; without memory for it, it is lost, and that is counted. */
void ms_events_store(struct ms_events *t, const struct ms_event *ev);

#define MS_EVENT_NOT_KEPT SIZE_MAX
/* The same for an event whose outcome is not known yet; answers its place for ms_events_end(). */
size_t ms_events_begin(struct ms_events *t, const struct ms_event *ev);
/* The event gets ev's ret, and its reason if there is one. Nothing if it was lost or cleared. */
void ms_events_end(struct ms_events *t, size_t at, const struct ms_event *ev);

/* The violation at this place is met once more. false: it is not kept there any more. */
bool ms_events_repeat(struct ms_events *t, size_t at, const struct ms_event *ev);

/* The i-th kept event, NULL: there is none. */
static inline const struct ms_event *ms_events_get(const struct ms_events *t, size_t i)
{
	return i < t->len ? &t->event[i] : NULL;
}
/* The last kept event of a type, the n-th (from 0) of it; NULL: there is none. */
const struct ms_event *ms_events_last(const struct ms_events *t, enum ms_event_type type);
const struct ms_event *ms_events_nth(const struct ms_events *t, enum ms_event_type type, size_t n);
void ms_events_clear(struct ms_events *t);
/* NULL, or what is wrong. *type: of which type. */
const char *ms_events_check(const struct ms_events *t, enum ms_event_type *type);

#endif
