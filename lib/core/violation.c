/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel would complain about, and what it would log.
 *
 * A handler that is wrong is wrong for every page, so what is the same is one cause with a counter:
 * an event of it is kept once. A violation that there is no memory to remember is an event of its
 * own each time.
 */
#include "core/core.h"

#include <inttypes.h>
#include <stdlib.h>
#include <bsd/sys/tree.h>

struct cause {
	struct ms_violation is; /* first: what a user sees */
	RB_ENTRY(cause) node;
	size_t kept_at; /* in the trace */
};
RB_HEAD(cause_tree, cause);

struct ms_causes {
	struct cause_tree tree;
	struct cause **by_number;
	size_t nr, capacity;
};

static int cmp_number(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int cmp_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

/* In an order that is the same in every run. */
static int cause_cmp(const struct cause *a, const struct cause *b)
{
	int d = cmp_number(a->is.mm, b->is.mm);

	d = d ? d : cmp_number(!a->is.vma_end, !b->is.vma_end);
	d = d ? d : cmp_number(a->is.vma_start, b->is.vma_start);
	// what is about no VMA is about its address
	if (!a->is.vma_end && !b->is.vma_end)
		d = d ? d : cmp_number(a->is.addr, b->is.addr);
	d = d ? d : cmp_number(a->is.whose, b->is.whose);
	d = d ? d : cmp_text(a->is.driver, b->is.driver);
	return d ? d : cmp_text(a->is.condition, b->is.condition);
}

RB_GENERATE_INTERNAL(cause_tree, cause, node, cause_cmp, static __attribute__((unused)))

static struct ms_causes *causes_of(struct ms_machine *m)
{
	if (!m->causes)
		m->causes = ms_zalloc(&m->alloc, sizeof(*m->causes));
	return m->causes;
}

static bool grow(struct ms_machine *m, struct ms_causes *causes)
{
	const size_t capacity = causes->capacity ? causes->capacity * 2 : 8;
	struct cause **by_number;

	if (causes->nr < causes->capacity)
		return true;
	by_number = ms_reallocarray(&m->alloc, causes->by_number, capacity, sizeof(*by_number));
	if (!by_number)
		return false;
	causes->by_number = by_number;
	causes->capacity = capacity;
	return true;
}

/* The cause that is the same, or a new one; NULL: no memory. */
static struct cause *cause_like(struct ms_machine *m, const struct ms_violation *v)
{
	struct ms_causes *causes = causes_of(m);
	struct cause key = { .is = *v }, *cause;

	if (!causes)
		return NULL;
	cause = RB_FIND(cause_tree, &causes->tree, &key);
	if (cause || !grow(m, causes))
		return cause;
	cause = ms_zalloc(&m->alloc, sizeof(*cause));
	if (!cause)
		return NULL;
	cause->is = *v;
	cause->is.number = causes->nr + 1;
	cause->kept_at = MS_EVENT_NOT_KEPT;
	causes->by_number[causes->nr++] = cause;
	RB_INSERT(cause_tree, &causes->tree, cause);
	return cause;
}

/* The program ends, with the kernel's words. */
static _Noreturn void die(const struct ms_violation *v, uint64_t addr, uint64_t pa)
{
	fflush(stdout);
	fprintf(stderr, "mapsim: violation addr=0x%" PRIx64, addr);
	if (pa)
		fprintf(stderr, " pa=0x%" PRIx64, pa);
	if (v->driver)
		fprintf(stderr, " driver=%s", v->driver);
	if (v->vma_end)
		fprintf(stderr, " vma=0x%" PRIx64 "-0x%" PRIx64, v->vma_start, v->vma_end);
	fprintf(stderr, " (%s)\n", v->condition);
	abort();
}

static bool is_fatal(const struct ms_machine *m, enum ms_violation_class whose)
{
	const unsigned int classes = m->config.fatal_classes;

	if (classes)
		return classes & MS_VIOLATION_BIT(whose);
	return m->config.fatal_violations && whose == MS_VIOLATION_DRIVER;
}

/* One event a cause, as long as the trace is not cleared. cause: NULL: there was no memory. */
static void keep(struct ms_machine *m, struct cause *cause, const struct ms_event *ev)
{
	if (!ms_event_kept(m, MS_EV_VIOLATION))
		return;
	if (!cause)
		ms_events_store(&m->events, ev);
	else if (!ms_events_repeat(&m->events, cause->kept_at, ev))
		cause->kept_at = ms_events_begin(&m->events, ev);
}

void ms_violation_at(struct ms_machine *m, enum ms_violation_class whose, const char *condition,
		     uint64_t addr, uint64_t pa, const struct ms_where *place)
{
	const struct ms_violation v = {
		.whose = whose,
		.condition = condition ? condition : MS_VIOLATION_NO_WORDS,
		.driver = place->driver,
		.callback = place->callback,
		.mm = place->mm,
		.vma_start = place->start,
		.vma_end = place->end,
		.addr = addr,
		.pa = pa,
	};
	struct cause *cause = cause_like(m, &v);
	const struct ms_event ev = {
		.type = MS_EV_VIOLATION,
		.mm = v.mm,
		.addr = addr,
		.pa = pa,
		.reason = v.condition,
		.cause = cause ? cause->is.number : 0,
		.times = 1,
	};

	keep(m, cause, &ev);
	m->violations[whose]++;
	if (cause)
		cause->is.times++;
	// what the observer does wrong is counted, and not told to it
	if (m->observer.fn && !m->observer.runs) {
		m->observer.runs = true;
		m->observer.fn(m, cause ? &cause->is : &v, m->observer.arg);
		m->observer.runs = false;
	}
	if (is_fatal(m, whose))
		die(&v, addr, pa);
}

void ms_violation_by(struct ms_machine *m, enum ms_violation_class whose, const char *condition,
		     uint64_t addr, uint64_t pa)
{
	ms_violation_at(m, whose, condition, addr, pa, &m->call.place);
}

void ms_violation_entry(struct ms_machine *m, const char *condition, uint64_t addr, uint64_t pa)
{
	ms_violation_by(m, MS_VIOLATION_DRIVER, condition, addr, pa);
}

void ms_violation(struct ms_machine *m, const char *condition, uint64_t addr)
{
	ms_violation_entry(m, condition, addr, 0);
}

/* ---- calls that never come back ---- */

bool ms_call_begin(struct ms_machine *m, uint64_t addr)
{
	if (!m->call.runaway && m->call.depth < MS_MOST_CALLS) {
		m->call.depth++;
		return true;
	}
	if (!m->call.runaway)
		ms_violation(m, "driver functions call each other without end", addr);
	m->call.runaway = true;
	return false;
}

void ms_call_end(struct ms_machine *m)
{
	if (!--m->call.depth)
		m->call.runaway = false;
}

void ms_too_many_hooks(struct ms_machine *m, uint64_t addr)
{
	ms_violation_by(m, MS_VIOLATION_TEST, "hooks call each other without end", addr, 0);
}

/* ---- asking ---- */

uint64_t ms_causes_count(const struct ms_machine *m, unsigned int classes)
{
	uint64_t count = 0;

	for (unsigned int i = 0; i < MS_VIOLATION_CLASSES; i++)
		if (classes & MS_VIOLATION_BIT(i))
			count += m->violations[i];
	return count;
}

size_t ms_causes_number(const struct ms_machine *m)
{
	return m->causes ? m->causes->nr : 0;
}

const struct ms_violation *ms_causes_get(const struct ms_machine *m, uint64_t number)
{
	return number && number <= ms_causes_number(m) ? &m->causes->by_number[number - 1]->is
						       : NULL;
}

size_t ms_causes_allocs(const struct ms_machine *m)
{
	return m->causes ? 1 + !!m->causes->by_number + m->causes->nr : 0;
}

void ms_causes_destroy(struct ms_machine *m)
{
	for (size_t i = 0; i < ms_causes_number(m); i++)
		ms_free(&m->alloc, m->causes->by_number[i]);
	if (m->causes)
		ms_free(&m->alloc, m->causes->by_number);
	ms_free(&m->alloc, m->causes);
	m->causes = NULL;
}

void ms_log(struct ms_machine *m, const char *message, uint64_t addr, uint64_t size)
{
	MS_EMIT(m, .type = MS_EV_LOG, .addr = addr, .size = size, .reason = message);
}
