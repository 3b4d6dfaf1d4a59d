/* SPDX-License-Identifier: GPL-2.0-only */
/* The trace: events in a growing array. */
#include "trace/events.h"

#include <assert.h>
#include <string.h>

static_assert(MS_EV_TYPES <= 32, "a type is one bit of the keep mask");

#define FIRST_CAPACITY 64
#define KEPT_CAPACITY 16384

static bool grow(struct ms_events *t)
{
	size_t capacity = t->capacity ? t->capacity * 2 : FIRST_CAPACITY;
	struct ms_event *event = ms_reallocarray(t->alloc, t->event, capacity, sizeof(*t->event));

	if (!event)
		return false;
	t->event = event;
	t->capacity = capacity;
	return true;
}

void ms_events_store(struct ms_events *t, const struct ms_event *ev)
{
	if (t->len == t->capacity && !grow(t)) {
		t->lost++;
		return;
	}
	t->event[t->len++] = *ev;
	t->kept[ev->type]++;
}

size_t ms_events_begin(struct ms_events *t, const struct ms_event *ev)
{
	size_t at = t->len;

	ms_events_store(t, ev);
	return at;
}

void ms_events_end(struct ms_events *t, size_t at, const struct ms_event *ev)
{
	struct ms_event *kept;

	// There was no memory to keep the event, or a hook has cleared the trace.
	if (at >= t->len)
		return;
	kept = &t->event[at];
	if (kept->type != ev->type || kept->addr != ev->addr || kept->vm != ev->vm)
		return;
	kept->ret = ev->ret;
	if (ev->reason)
		kept->reason = ev->reason;
}

bool ms_events_repeat(struct ms_events *t, size_t at, const struct ms_event *ev)
{
	struct ms_event *kept = at < t->len ? &t->event[at] : NULL;

	// the trace may have been cleared, and something else be there
	if (!kept || kept->type != ev->type || kept->cause != ev->cause)
		return false;
	kept->times++;
	return true;
}

const struct ms_event *ms_events_last(const struct ms_events *t, enum ms_event_type type)
{
	if (!t->kept[type])
		return NULL;
	for (size_t i = t->len; i-- > 0;) {
		if (t->event[i].type == type)
			return &t->event[i];
	}
	return NULL;
}

const struct ms_event *ms_events_nth(const struct ms_events *t, enum ms_event_type type, size_t n)
{
	for (size_t i = 0; i < t->len; i++) {
		if (t->event[i].type == type && n-- == 0)
			return &t->event[i];
	}
	return NULL;
}

void ms_events_clear(struct ms_events *t)
{
	// a trace that has become large once gives its memory back
	if (t->capacity > KEPT_CAPACITY) {
		ms_free(t->alloc, t->event);
		t->event = NULL;
		t->capacity = 0;
	}
	t->len = 0;
	memset(t->kept, 0, sizeof(t->kept));
}

const char *ms_events_check(const struct ms_events *t, enum ms_event_type *type)
{
	size_t kept[MS_EV_TYPES] = { 0 };

	*type = MS_EV_TYPES;
	if (t->len > t->capacity)
		return "more events are kept than there is room for";
	for (size_t i = 0; i < t->len; i++) {
		if ((unsigned int)t->event[i].type >= MS_EV_TYPES)
			return "an event is of no type";
		kept[t->event[i].type]++;
	}
	for (unsigned int i = 0; i < MS_EV_TYPES; i++) {
		*type = (enum ms_event_type)i;
		if (t->kept[i] != kept[i])
			return "another number of events is kept than counted";
		if (t->kept[i] > t->total[i])
			return "more events are kept than ever were";
	}
	return NULL;
}

void ms_events_init(struct ms_events *t, struct ms_alloc *alloc)
{
	*t = (struct ms_events){
		.alloc = alloc,
		.keep = ~(1u << MS_EV_S2_DESC | 1u << MS_EV_TLBI | 1u << MS_EV_CMO),
	};
}

void ms_events_destroy(struct ms_events *t)
{
	ms_free(t->alloc, t->event);
	t->event = NULL;
}
