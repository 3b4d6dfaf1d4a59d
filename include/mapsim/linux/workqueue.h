/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * <linux/workqueue.h> and <linux/timer.h>. There is one thread, and time does not pass. What is
 * queued or armed waits, in the order of its time, until
 *   - driver code sleeps (wait_event, wait_for_completion, msleep ...): what is due by then runs,
 *     which is all of it where no time limit is set;
 *   - it is flushed;
 *   - the test says so: ms_linux_run_work(), ms_linux_run_timers().
 * What is still queued or armed at a test's end is told by ms_linux_leaks().
 *
 * Work runs for no process (current->mm is NULL), with the locks of whoever flushes it: a work that
 * takes a lock which the flushing function holds is the deadlock that it is in the kernel. A
 * timer's function must not sleep.
 */
#include <mapsim/linux.h>
#ifndef MAPSIM_LINUX_WORKQUEUE_H
#define MAPSIM_LINUX_WORKQUEUE_H

struct work_struct;
struct workqueue_struct;
typedef void (*work_func_t)(struct work_struct *work);

struct work_struct {
	struct list_head entry;
	work_func_t func;
	struct ms_linux_pending ms;
};

struct delayed_work {
	struct work_struct work;
	struct workqueue_struct *wq;
};

struct rcu_work {
	struct work_struct work;
};

#define to_delayed_work(w) container_of(w, struct delayed_work, work)

/* ---- what a test calls ---- */

/** Runs what is queued on m without a delay, and what that queues likewise. Answers how many. */
static inline size_t ms_linux_run_work(struct ms_machine *m)
{
	return ms_linux_run_pending(m, 0);
}

/** Lets time pass until nothing is queued or armed: also delayed work and timers, in the order of
 * their time. What arms itself again runs once. Answers how many. */
static inline size_t ms_linux_run_timers(struct ms_machine *m)
{
	return ms_linux_run_pending(m, ULONG_MAX);
}

/* ---- making work ---- */

#define MS_LINUX_WORK(fn) \
	{ \
		.func = (fn), .ms = {.kind = MS_LINUX_PENDING_WORK } \
	}
#define __WORK_INITIALIZER(name, fn) MS_LINUX_WORK(fn)
#define DECLARE_WORK(name, fn) struct work_struct name = MS_LINUX_WORK(fn)
#define DECLARE_DELAYED_WORK(name, fn) struct delayed_work name = { .work = MS_LINUX_WORK(fn) }
#define INIT_WORK(w, fn) (*(w) = (struct work_struct)MS_LINUX_WORK(fn))
#define INIT_WORK_ONSTACK(w, fn) INIT_WORK(w, fn)
#define INIT_DELAYED_WORK(dw, fn) INIT_WORK(&(dw)->work, fn)
#define INIT_DEFERRABLE_WORK(dw, fn) INIT_DELAYED_WORK(dw, fn)
#define INIT_RCU_WORK(rw, fn) INIT_WORK(&(rw)->work, fn)
#define destroy_work_on_stack(w) ((void)(w))

/* ---- queues: in one row, all of them ---- */

#define WQ_UNBOUND 0x2u
#define WQ_FREEZABLE 0x4u
#define WQ_MEM_RECLAIM 0x8u
#define WQ_HIGHPRI 0x10u
#define WQ_CPU_INTENSIVE 0x20u
#define WQ_SYSFS 0x40u
#define WORK_CPU_UNBOUND 64

struct workqueue_struct {
	char name[32];
};

#define system_wq ((struct workqueue_struct *)NULL)
#define system_highpri_wq system_wq
#define system_long_wq system_wq
#define system_unbound_wq system_wq
#define system_freezable_wq system_wq
#if MS_LINUX_SINCE(6, 17)
#define system_percpu_wq system_wq
#define system_dfl_wq system_wq
#endif

static inline struct workqueue_struct *alloc_workqueue(const char *format, unsigned int flags,
						       int max_active, ...)
{
	struct workqueue_struct *wq = (struct workqueue_struct *)kzalloc(sizeof(*wq), GFP_KERNEL);

	(void)flags, (void)max_active;
	if (wq)
		strscpy(wq->name, format, sizeof(wq->name));
	return wq;
}

#define alloc_ordered_workqueue(format, flags, ...) alloc_workqueue(format, flags, 1)
#define create_workqueue(name) alloc_workqueue("%s", 0, 1, name)
#define create_singlethread_workqueue(name) alloc_workqueue("%s", 0, 1, name)

/* All that is queued there without a delay runs. */
static inline void flush_workqueue(struct workqueue_struct *wq)
{
	ms_linux_might_sleep("flush_workqueue");
	ms_linux_flush_pending(wq);
}

#define drain_workqueue(wq) flush_workqueue(wq)
#define flush_scheduled_work() flush_workqueue(system_wq)

static inline void destroy_workqueue(struct workqueue_struct *wq)
{
	if (!wq)
		return;
	flush_workqueue(wq);
	ms_linux_queue_is_gone(wq);
	kfree(wq);
}

/* ---- queueing: false: it was queued before ---- */

static inline bool queue_delayed_work(struct workqueue_struct *wq, struct delayed_work *dwork,
				      unsigned long delay)
{
	dwork->wq = wq;
	return ms_linux_queue_pending(&dwork->work.ms, wq, delay, false);
}

static inline bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *dwork,
				    unsigned long delay)
{
	dwork->wq = wq;
	return ms_linux_queue_pending(&dwork->work.ms, wq, delay, true);
}

static inline bool queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	return ms_linux_queue_pending(&work->ms, wq, 0, false);
}

#define queue_work_on(cpu, wq, work) ((void)(cpu), queue_work(wq, work))
#define queue_delayed_work_on(cpu, wq, dwork, delay) \
	((void)(cpu), queue_delayed_work(wq, dwork, delay))
#define mod_delayed_work_on(cpu, wq, dwork, delay) ((void)(cpu), mod_delayed_work(wq, dwork, delay))
#define schedule_work(work) queue_work(system_wq, work)
#define schedule_work_on(cpu, work) queue_work_on(cpu, system_wq, work)
#define schedule_delayed_work(dwork, delay) queue_delayed_work(system_wq, dwork, delay)
#define schedule_delayed_work_on(cpu, dwork, delay) \
	queue_delayed_work_on(cpu, system_wq, dwork, delay)

static inline bool work_pending(const struct work_struct *work)
{
	return work->ms.queued;
}

#define delayed_work_pending(dwork) work_pending(&(dwork)->work)
#define work_busy(work) ((unsigned int)work_pending(work))

/* true: it was queued, and has run. */
static inline bool flush_work(struct work_struct *work)
{
	ms_linux_might_sleep("flush_work");
	return ms_linux_run_one_pending(&work->ms);
}

#define flush_delayed_work(dwork) flush_work(&(dwork)->work)

/* true: it was queued, and will not run. */
static inline bool cancel_work(struct work_struct *work)
{
	return ms_linux_cancel_pending(&work->ms);
}

static inline bool cancel_work_sync(struct work_struct *work)
{
	ms_linux_might_sleep("cancel_work_sync");
	return cancel_work(work);
}

#define cancel_delayed_work(dwork) cancel_work(&(dwork)->work)
#define cancel_delayed_work_sync(dwork) cancel_work_sync(&(dwork)->work)

/* ---- <linux/timer.h> ---- */

struct timer_list {
	unsigned long expires;
	void (*function)(struct timer_list *timer);
	u32 flags;
	struct ms_linux_pending ms;
};

#define TIMER_DEFERRABLE 0x80000u
#define TIMER_PINNED 0x100000u
#define TIMER_IRQSAFE 0x200000u

#define MS_LINUX_TIMER(fn) \
	{ \
		.function = (fn), .ms = {.kind = MS_LINUX_PENDING_TIMER } \
	}
#define DEFINE_TIMER(name, fn) struct timer_list name = MS_LINUX_TIMER(fn)
#define timer_setup(timer, fn, how) \
	((void)(how), (void)(*(timer) = (struct timer_list)MS_LINUX_TIMER(fn)))
#define timer_setup_on_stack(timer, fn, how) timer_setup(timer, fn, how)
#define destroy_timer_on_stack(timer) ((void)(timer))
#if MS_LINUX_BEFORE(6, 16)
#define from_timer(var, callback_timer, timer_fieldname) \
	container_of(callback_timer, __typeof__(*var), timer_fieldname)
#endif
#if MS_LINUX_SINCE(6, 16)
#define timer_container_of(var, callback_timer, timer_fieldname) \
	container_of(callback_timer, __typeof__(*var), timer_fieldname)
#endif

static inline int timer_pending(const struct timer_list *timer)
{
	return timer->ms.queued;
}

/* expires: jiffies. 1: it was armed before. */
static inline int mod_timer(struct timer_list *timer, unsigned long expires)
{
	timer->expires = expires;
	return !ms_linux_queue_pending(
		&timer->ms, NULL, time_after(expires, jiffies) ? expires - jiffies : 0, true);
}

static inline void add_timer(struct timer_list *timer)
{
	if (timer_pending(timer))
		ms_linux_violation("add_timer of a timer that is armed");
	mod_timer(timer, timer->expires);
}

static inline int ms_linux_timer_delete(struct timer_list *timer, bool sync)
{
	(void)sync;
	return ms_linux_cancel_pending(&timer->ms);
}

#define timer_delete(timer) ms_linux_timer_delete(timer, false)
#define timer_delete_sync(timer) ms_linux_timer_delete(timer, true)
#if MS_LINUX_SINCE(6, 2)
#define timer_shutdown(timer) ms_linux_timer_delete(timer, false)
#define timer_shutdown_sync(timer) ms_linux_timer_delete(timer, true)
#endif
#if MS_LINUX_BEFORE(6, 15)
#define del_timer(timer) ms_linux_timer_delete(timer, false)
#define del_timer_sync(timer) ms_linux_timer_delete(timer, true)
#endif

#endif
