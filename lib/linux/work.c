/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work that runs later, and timers. What is queued forms one list in the order of its time, through
 * the driver's own structures; equal times in the order in which they came. Written against
 * linux.h, as file.c.
 */
#include <mapsim/linux.h>

#include <mapsim/linux/workqueue.h>

#include "linux/bridge.h"

static struct ms_linux_pending **first_of(struct ms_machine *m)
{
	return m ? (struct ms_linux_pending **)ms_linux_works(m) : NULL;
}

/* The link that points to it; NULL: it is not queued on m. */
static struct ms_linux_pending **link_of(struct ms_machine *m, const struct ms_linux_pending *p)
{
	struct ms_linux_pending **link = p->queued ? first_of(m) : NULL;

	while (link && *link && *link != p)
		link = &(*link)->next;
	return link && *link ? link : NULL;
}

static bool take_out(struct ms_machine *m, struct ms_linux_pending *p)
{
	struct ms_linux_pending **link = link_of(m, p);

	if (!link)
		return false;
	*link = p->next;
	p->next = NULL;
	p->queued = false;
	return true;
}

static bool is_made(const struct ms_linux_pending *p)
{
	if (p->kind == MS_LINUX_PENDING_WORK || p->kind == MS_LINUX_PENDING_TIMER)
		return true;
	ms_linux_violation("work or a timer is used that was not initialised");
	return false;
}

/* mirrors queue_work_on() and mod_delayed_work_on(), kernel/workqueue.c, 5.10+; mod_timer(),
 * kernel/time/timer.c, 5.10+ */
bool ms_linux_queue_pending(struct ms_linux_pending *p, const void *wq, unsigned long due,
			    bool move)
{
	struct ms_machine *m = ms_linux_machine();
	struct ms_linux_pending **link = first_of(m);
	bool was;

	if (!p || !link || !is_made(p))
		return false;
	was = p->queued;
	if (was && !move)
		return false;
	take_out(m, p);
	while (*link && (*link)->due <= due)
		link = &(*link)->next;
	p->wq = wq;
	p->due = due;
	p->queued = true;
	p->next = *link;
	*link = p;
	return !was;
}

bool ms_linux_cancel_pending(struct ms_linux_pending *p)
{
	struct ms_machine *m = ms_linux_machine();

	return p && m && take_out(m, p);
}

/* As a kernel thread, which runs for no process; a timer's function as an interrupt. */
static void run(struct ms_machine *m, struct ms_linux_pending *p)
{
	struct mm_struct *former = ms_linux_set_current_mm(m, NULL);
	struct timer_list *timer;
	struct work_struct *work;
	bool atomic;

	take_out(m, p);
	p->due = 0;
	if (p->kind == MS_LINUX_PENDING_TIMER) {
		atomic = ms_linux_set_atomic(m, true);
		timer = container_of(p, struct timer_list, ms);
		timer->function(timer);
		ms_linux_set_atomic(m, atomic);
	} else {
		work = container_of(p, struct work_struct, ms);
		work->func(work);
	}
	ms_linux_set_current_mm(m, former);
}

bool ms_linux_run_one_pending(struct ms_linux_pending *p)
{
	struct ms_machine *m = ms_linux_machine();

	if (!p || !m || !link_of(m, p))
		return false;
	run(m, p);
	return true;
}

/* How many are queued that are due by then. What runs may queue others, or itself, again; so many
 * run at most, lest what arms itself for ever goes on for ever. */
static size_t due_by(struct ms_machine *m, unsigned long due)
{
	struct ms_linux_pending **link = first_of(m);
	size_t n = 0;

	for (struct ms_linux_pending *p = link ? *link : NULL; p && p->due <= due; p = p->next)
		n++;
	return n;
}

size_t ms_linux_run_pending(struct ms_machine *m, unsigned long due)
{
	struct ms_machine *former;
	const size_t n = m ? due_by(m, due) : 0;
	size_t done = 0;

	if (!n)
		return 0;
	former = ms_linux_use(m);
	for (; done < n && due_by(m, due); done++)
		run(m, *first_of(m));
	ms_linux_use(former);
	return done;
}

void ms_linux_flush_pending(const void *wq)
{
	struct ms_machine *m = ms_linux_machine();
	size_t n = m ? due_by(m, 0) : 0;

	while (n--) {
		struct ms_linux_pending *p = *first_of(m);

		while (p && (p->due || p->wq != wq || p->kind != MS_LINUX_PENDING_WORK))
			p = p->next;
		if (!p)
			return;
		run(m, p);
	}
}

void ms_linux_queue_is_gone(const void *wq)
{
	struct ms_linux_pending **link = first_of(ms_linux_machine());

	for (struct ms_linux_pending *p = link ? *link : NULL; p; p = p->next) {
		if (p->wq != wq || p->kind != MS_LINUX_PENDING_WORK)
			continue;
		ms_linux_violation("a workqueue is destroyed, and delayed work is queued on it");
		return;
	}
}

void ms_linux_works_walk(struct ms_machine *m,
			 void (*fn)(struct ms_machine *m, const char *what, const char *name))
{
	struct ms_linux_pending **link = first_of(m);

	for (struct ms_linux_pending *p = link ? *link : NULL; p; p = p->next)
		fn(m,
		   p->kind == MS_LINUX_PENDING_TIMER ? "a timer is still armed"
						     : "work is queued and never runs",
		   "");
}

bool ms_linux_work_in(struct ms_machine *m, const void *at, size_t size)
{
	struct ms_linux_pending **link = first_of(m);
	struct ms_linux_pending *p = link ? *link : NULL;

	while (p && (unsigned long)p - (unsigned long)at >= size)
		p = p->next;
	if (p)
		take_out(m, p);
	return p;
}
