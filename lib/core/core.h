/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every room of the library sees of a machine: its rules, configuration and geometry, its
 * memory, its events, its hooks. What a room keeps for itself hangs off it behind a pointer that
 * only that room looks through.
 *
 * The rooms lie above this; lib/machine, the roof, makes a machine and ends it.
 */
#ifndef MS_CORE_CORE_H
#define MS_CORE_CORE_H

#include "base/align.h"
#include "base/alloc.h"
#include "core/refusal.h"
#include "trace/events.h"

#include <mapsim/machine.h>
#include <mapsim/policy.h>
#include <mapsim/trace.h>

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <bsd/sys/queue.h>

/* Where something happens: by which driver, in whose VMA. */
struct ms_where {
	const char *driver;   /* text that lives as long as the machine; NULL: none */
	const char *callback; /* the driver's function that runs; NULL: none */
	uint32_t mm;          /* id of the process, 0: none */
	uint64_t start, end;  /* [start, end) of the VMA */
};

/* Bytes that are not the machine's, and part of its state all the same (ms_state_keep()). */
struct ms_kept {
	struct ms_kept *next;
	void *start;
	size_t size;
};

struct ms_machine {
	struct ms_policy policy;
	struct ms_machine_config config;
	unsigned int page_shift;
	unsigned int pmd_shift; /* of one entry of the last table level but one */
	unsigned int pud_shift;
	uint64_t page_size;

	struct ms_alloc alloc;
	struct ms_events events;
	struct ms_refused refused;
	struct ms_causes *causes; /* of violations; NULL: none yet */
	uint64_t violations[MS_VIOLATION_CLASSES];
	struct {
		ms_violation_fn *fn;
		void *arg;
		bool runs;
	} observer;
	struct ms_texts *texts; /* text.h; NULL: none yet */
	struct ms_kept *kept;   /* in the order in which they were named */

	struct {
		ms_hook_fn *fn;
		void *arg;
	} hook[MS_HOOK_POINTS];
	unsigned int in_hook; /* hooks that are running */
	bool ending;          /* it is being freed: nothing new is made in it */

	/* The call into a driver that goes on: what lib/mm, which calls, and lib/linux, which is
	 * called by the driver, must know of each other. */
	struct {
		struct ms_mm *mm;        /* the driver's current->mm */
		unsigned int locks;      /* that driver code holds */
		unsigned int mmap_again; /* times it took an mmap lock that it had */
		bool rcu;                /* it runs under the caller's rcu_read_lock() */
		struct ms_where place;   /* nothing of it is said outside of a call */
		unsigned int depth;      /* functions of drivers and notifiers that are running */
		bool runaway;            /* they have called each other too often: no more now */
		struct ms_handler *handlers; /* those that have a VMA, the innermost first (lib/mm) */
	} call;

	uint32_t nr_mm_ids, nr_vm_ids; /* that were given to a process, to a VM */

	/* a room's own; NULL while there is none */
	struct ms_phys *phys;
	struct ms_pat *pat;
	struct ms_processes *processes; /* lib/mm */
	struct ms_kvm *kvm;
	struct ms_drivers *drivers;
	struct ms_linux *kernel; /* lib/linux: made when a driver first asks for something of it */
};

/* The number of the last refusal (refusal.h). */
static inline uint64_t ms_refusals(const struct ms_machine *m)
{
	return m->refused.number;
}

/* Counts an event. true: it is to be stored. Mostly it is not, and the caller need not build it. */
static inline bool ms_event_kept(struct ms_machine *m, enum ms_event_type type)
{
	return ms_events_count(&m->events, type);
}
/* Counts the event, and stores it if its type is kept. */
static inline void ms_emit(struct ms_machine *m, const struct ms_event *ev)
{
	if (ms_event_kept(m, ev->type))
		ms_events_store(&m->events, ev);
}
/* Emits an event of named fields: MS_EMIT(m, .type = MS_EV_ZAP, .addr = va, .size = len); */
#define MS_EMIT(m, ...) ms_emit((m), &(struct ms_event){ __VA_ARGS__ })

/*
 * What the kernel would BUG or WARN about, by the fault of the driver that is called now, if one is
 * (m->call.place). condition: text that lives as long as the machine. docs/violations.md is made
 * from the calls of these four and of ms_vma_violation(); the condition, and the class of the last
 * three, stand in the call.
 */
void ms_violation(struct ms_machine *m, const char *condition, uint64_t addr);
/* As above, about a page-table entry that maps pa. */
void ms_violation_entry(struct ms_machine *m, const char *condition, uint64_t addr, uint64_t pa);
/* By somebody else's fault. pa: 0: none. */
void ms_violation_by(struct ms_machine *m, enum ms_violation_class whose, const char *condition,
		     uint64_t addr, uint64_t pa);
/* At a place that the caller knows better. */
void ms_violation_at(struct ms_machine *m, enum ms_violation_class whose, const char *condition,
		     uint64_t addr, uint64_t pa, const struct ms_where *place);
void ms_causes_destroy(struct ms_machine *m);
/* Behind the functions of trace.h. */
uint64_t ms_causes_count(const struct ms_machine *m, unsigned int classes);
/* Allocations that remember them, which are no leak of whoever made the last call. */
size_t ms_causes_allocs(const struct ms_machine *m);
size_t ms_causes_number(const struct ms_machine *m);
const struct ms_violation *ms_causes_get(const struct ms_machine *m, uint64_t number);
/* What the kernel would log. */
void ms_log(struct ms_machine *m, const char *message, uint64_t addr, uint64_t size);

/*
 * Functions of drivers, and of notifiers, that call the library from where they are called again.
 * Each of them is counted, and beyond MS_MOST_CALLS none is called: the kernel's stack would end.
 * false, with a violation: it is not to be called. After a true follows ms_call_end().
 */
#define MS_MOST_CALLS 8u
bool ms_call_begin(struct ms_machine *m, uint64_t addr);
void ms_call_end(struct ms_machine *m);
/* Driver code, a hook or a notifier of the machine is running. */
static inline bool ms_is_called(const struct ms_machine *m)
{
	return m->in_hook || m->call.mm || m->call.depth || m->observer.runs;
}

#define MS_MOST_HOOKS 16u /* in hooks */
void ms_too_many_hooks(struct ms_machine *m, uint64_t addr);

static inline void ms_hook(struct ms_machine *m, enum ms_hook_point point, uint64_t addr)
{
	if (!m->hook[point].fn)
		return;
	if (m->in_hook >= MS_MOST_HOOKS) {
		ms_too_many_hooks(m, addr);
		return;
	}
	// what the interrupted call has said stays its last word
	const struct ms_refused refused = m->refused;

	m->in_hook++;
	m->hook[point].fn(m, point, addr, m->hook[point].arg);
	m->in_hook--;
	m->refused = refused;
}

/*
 * The machine whose driver code this thread is running, or NULL (current.c). Kernel functions that
 * have no argument from which the machine follows, such as kmalloc and printk, use it.
 */
struct ms_machine *ms_current_machine(void);
/* Answers the machine that was set before. */
struct ms_machine *ms_set_current_machine(struct ms_machine *m);

/* What an entry at a level of the host's page table covers; at level 3 a page. A table is one page
 * of eight-byte entries. */
static inline unsigned int ms_level_shift(const struct ms_machine *m, unsigned int level)
{
	return m->page_shift + (3 - level) * (m->page_shift - 3);
}
static inline uint64_t ms_level_size(const struct ms_machine *m, unsigned int level) /* bytes */
{
	return UINT64_C(1) << ms_level_shift(m, level);
}
/* PMD_SIZE, PUD_SIZE: bytes */
static inline uint64_t ms_pmd_size(const struct ms_machine *m)
{
	return UINT64_C(1) << m->pmd_shift;
}
static inline uint64_t ms_pud_size(const struct ms_machine *m)
{
	return UINT64_C(1) << m->pud_shift;
}
/* HPAGE_PMD_ORDER, HPAGE_PUD_ORDER: log2 of pages */
static inline unsigned int ms_pmd_order(const struct ms_machine *m)
{
	return m->pmd_shift - m->page_shift;
}
static inline unsigned int ms_pud_order(const struct ms_machine *m)
{
	return m->pud_shift - m->page_shift;
}
/* Of the machine's own configuration, in which every default is filled in. */
static inline bool ms_has(enum ms_feature feature)
{
	return feature == MS_FEATURE_PRESENT;
}
static inline bool ms_is_x86(const struct ms_machine *m)
{
	return m->policy.arch == MS_ARCH_X86_64;
}

#endif
