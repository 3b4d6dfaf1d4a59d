/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting: <linux/wait.h>, <linux/completion.h>, <linux/poll.h>, <linux/delay.h>, <linux/jiffies.h>,
 * <linux/ktime.h>. There is one thread: but for work that is queued and timers (workqueue.h), which
 * run when somebody sleeps, nobody comes to make true what is waited for. So a wait for what is not
 * true then is a violation that says that it sleeps for ever, and goes on; one that a signal may
 * end answers as if one had come; one with a time limit reaches the limit, which is no violation.
 * Time does not pass: jiffies and the clocks stand still, and a delay is none.
 */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_WAIT_H)
#define MAPSIM_LINUX_WAIT_H

/* ---- time ---- */

#ifdef CONFIG_HZ
#define HZ CONFIG_HZ
#else
#define HZ 250
#endif
#define jiffies ((unsigned long)4294892296UL)
#define MAX_JIFFY_OFFSET ((LONG_MAX >> 1) - 1)
#define MAX_SCHEDULE_TIMEOUT LONG_MAX
#define NSEC_PER_USEC 1000L
#define USEC_PER_MSEC 1000L
#define USEC_PER_SEC 1000000L
#define MSEC_PER_SEC 1000L
#define NSEC_PER_MSEC 1000000L
#define NSEC_PER_SEC 1000000000L
#define msecs_to_jiffies(ms) ((unsigned long)(ms)*HZ / 1000)
#define usecs_to_jiffies(us) ((unsigned long)(us)*HZ / 1000000)
#define secs_to_jiffies(s) ((unsigned long)(s)*HZ)
#define jiffies_to_msecs(j) ((unsigned int)((j)*1000 / HZ))
#define time_after(a, b) ((long)((b) - (a)) < 0)
#define time_before(a, b) time_after(b, a)
#define time_after_eq(a, b) ((long)((a) - (b)) >= 0)
#define time_before_eq(a, b) time_after_eq(b, a)
#define get_jiffies_64() ((u64)jiffies)
#define round_jiffies_relative(j) (j)

typedef s64 ktime_t;
#define ktime_get() ((ktime_t)0)
#define ktime_get_ns() ((u64)0)
#define ktime_get_raw() ((ktime_t)0)
#define ktime_get_real() ((ktime_t)0)
#define ktime_get_boottime() ((ktime_t)0)
#define ktime_add_us(t, us) ((t) + (s64)(us)*1000)
#define ktime_add_ms(t, ms) ((t) + (s64)(ms)*1000000)
#define ktime_sub(a, b) ((a) - (b))
#define ktime_to_ns(t) (t)
#define ktime_to_us(t) ((t) / 1000)
#define ktime_to_ms(t) ((t) / 1000000)
#define ktime_after(a, b) ((a) > (b))
#define ktime_before(a, b) ((a) < (b))

#define ndelay(n) ((void)(n))
#define udelay(n) ((void)(n))
#define mdelay(n) ((void)(n))
#define msleep(n) ms_linux_sleeps("msleep", msecs_to_jiffies(n))
#define ssleep(n) msleep((n)*1000)
#define fsleep(n) ms_linux_sleeps("fsleep", usecs_to_jiffies(n))
#define usleep_range(from, to) ((void)(from), ms_linux_sleeps("usleep_range", usecs_to_jiffies(to)))

static inline unsigned long msleep_interruptible(unsigned int msecs)
{
	ms_linux_sleeps("msleep_interruptible", msecs_to_jiffies(msecs));
	return 0;
}

static inline void schedule(void)
{
	ms_linux_sleeps("schedule", ULONG_MAX);
	if (current->__state != TASK_RUNNING)
		ms_linux_violation("schedule(): nobody wakes this task: it sleeps for ever");
	current->__state = TASK_RUNNING;
}

/* The time is over. */
static inline long schedule_timeout(long timeout)
{
	if (timeout == MAX_SCHEDULE_TIMEOUT)
		schedule();
	else
		ms_linux_sleeps("schedule_timeout", (unsigned long)timeout);
	current->__state = TASK_RUNNING;
	return 0;
}

#define schedule_timeout_interruptible(timeout) schedule_timeout(timeout)
#define schedule_timeout_uninterruptible(timeout) schedule_timeout(timeout)

/* ---- wait queues ---- */

struct wait_queue_entry {
	unsigned int flags;
	void *private;
	int (*func)(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key);
	struct list_head entry;
};
typedef struct wait_queue_entry wait_queue_entry_t;

typedef struct wait_queue_head {
	spinlock_t lock;
	struct list_head head;
} wait_queue_head_t;

#define __WAIT_QUEUE_HEAD_INITIALIZER(name) \
	{ \
		.lock = __SPIN_LOCK_UNLOCKED(name.lock), .head = LIST_HEAD_INIT(name.head) \
	}
#define DECLARE_WAIT_QUEUE_HEAD(name) \
	wait_queue_head_t name = __WAIT_QUEUE_HEAD_INITIALIZER(name)
#define DECLARE_WAITQUEUE(name, task) \
	struct wait_queue_entry name = { .private = (task), .entry = LIST_HEAD_INIT(name.entry) }
#define DEFINE_WAIT(name) DECLARE_WAITQUEUE(name, current)

#define init_waitqueue_head(wq) \
	do { \
		spin_lock_init(&(wq)->lock); \
		INIT_LIST_HEAD(&(wq)->head); \
	} while (0)

static inline bool waitqueue_active(const struct wait_queue_head *wq)
{
	return !list_empty(&wq->head);
}

#define wq_has_sleeper(wq) waitqueue_active(wq)

static inline void add_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *entry)
{
	list_add(&entry->entry, &wq->head);
}

static inline void remove_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *entry)
{
	(void)wq;
	list_del(&entry->entry);
}

static inline void prepare_to_wait(struct wait_queue_head *wq, struct wait_queue_entry *entry,
				   int state)
{
	if (list_empty(&entry->entry))
		list_add(&entry->entry, &wq->head);
	current->__state = (unsigned int)state;
}

#define prepare_to_wait_exclusive(wq, entry, state) prepare_to_wait(wq, entry, state)

static inline void finish_wait(struct wait_queue_head *wq, struct wait_queue_entry *entry)
{
	(void)wq;
	list_del_init(&entry->entry);
	current->__state = TASK_RUNNING;
}

/* Entries with a function of their own are called; tasks there are none that sleep. */
static inline int __wake_up(struct wait_queue_head *wq, unsigned int mode, int nr, void *key)
{
	struct list_head *at, *next;

	(void)nr;
	list_for_each_safe (at, next, &wq->head) {
		struct wait_queue_entry *entry = list_entry(at, struct wait_queue_entry, entry);

		if (entry->func)
			entry->func(entry, mode, 0, key);
	}
	return 0;
}

#define wake_up(wq) __wake_up(wq, TASK_NORMAL, 1, NULL)
#define wake_up_all(wq) __wake_up(wq, TASK_NORMAL, 0, NULL)
#define wake_up_locked(wq) __wake_up(wq, TASK_NORMAL, 1, NULL)
#define wake_up_interruptible(wq) __wake_up(wq, TASK_INTERRUPTIBLE, 1, NULL)
#define wake_up_interruptible_all(wq) __wake_up(wq, TASK_INTERRUPTIBLE, 0, NULL)
#define wake_up_interruptible_sync(wq) wake_up_interruptible(wq)
#define wake_up_poll(wq, mask) __wake_up(wq, TASK_NORMAL, 1, NULL)
#define wake_up_interruptible_poll(wq, mask) __wake_up(wq, TASK_INTERRUPTIBLE, 1, NULL)
#define wake_up_process(task) ((task)->__state = TASK_RUNNING, 0)

/* true: what is waited for holds. */
static inline bool ms_linux_wait(bool holds, const char *condition)
{
	if (!holds)
		ms_linux_wait_for_ever(condition);
	return holds;
}

/* The condition is looked at before the task sleeps, and after it was woken. */
#define MS_LINUX_WAITED(condition) \
	(ms_linux_might_sleep("wait_event"), \
	 (condition) || (ms_linux_sleeps("wait_event", ULONG_MAX), \
			 ms_linux_wait(!!(condition), #condition)))
#define wait_event(wq, condition) ((void)(wq), (void)MS_LINUX_WAITED(condition))
#define wait_event_interruptible(wq, condition) \
	((void)(wq), MS_LINUX_WAITED(condition) ? 0 : -ERESTARTSYS)
#define wait_event_killable(wq, condition) wait_event_interruptible(wq, condition)
#define wait_event_freezable(wq, condition) wait_event_interruptible(wq, condition)
#define wait_event_interruptible_exclusive(wq, condition) wait_event_interruptible(wq, condition)
/* What is left of the time, at least 1, where the condition holds; 0: the time is over. */
#define wait_event_timeout(wq, condition, timeout) \
	((void)(wq), ms_linux_might_sleep("wait_event_timeout"), \
	 (condition) || (ms_linux_sleeps("wait_event_timeout", (unsigned long)(timeout)), \
			 (condition)) ? \
		 ((timeout) ? (long)(timeout) : 1L) : \
		 0L)
#define wait_event_interruptible_timeout(wq, condition, timeout) \
	wait_event_timeout(wq, condition, timeout)
#define wait_event_killable_timeout(wq, condition, timeout) \
	wait_event_timeout(wq, condition, timeout)
#define wait_var_event(var, condition) ((void)(var), (void)MS_LINUX_WAITED(condition))
#define wake_up_var(var) ((void)(var))

/* ---- <linux/completion.h> ---- */

struct completion {
	unsigned int done;
	wait_queue_head_t wait;
};

#define COMPLETION_INITIALIZER(work) \
	{ \
		0, __WAIT_QUEUE_HEAD_INITIALIZER((work).wait) \
	}
#define DECLARE_COMPLETION(work) struct completion work = COMPLETION_INITIALIZER(work)
#define DECLARE_COMPLETION_ONSTACK(work) DECLARE_COMPLETION(work)

static inline void init_completion(struct completion *c)
{
	c->done = 0;
	init_waitqueue_head(&c->wait);
}

static inline void reinit_completion(struct completion *c)
{
	c->done = 0;
}

static inline void complete(struct completion *c)
{
	if (c->done != UINT_MAX)
		c->done++;
}

static inline void complete_all(struct completion *c)
{
	c->done = UINT_MAX;
}

static inline bool completion_done(const struct completion *c)
{
	return c->done != 0;
}

static inline bool try_wait_for_completion(struct completion *c)
{
	if (!c->done)
		return false;
	if (c->done != UINT_MAX)
		c->done--;
	return true;
}

static inline int ms_linux_wait_for_completion(struct completion *c)
{
	ms_linux_might_sleep("wait_for_completion");
	if (!c->done)
		ms_linux_sleeps("wait_for_completion", ULONG_MAX);
	ms_linux_wait(c->done != 0, "a completion");
	return try_wait_for_completion(c) ? 0 : -ERESTARTSYS;
}

static inline unsigned long wait_for_completion_timeout(struct completion *c, unsigned long timeout)
{
	ms_linux_might_sleep("wait_for_completion_timeout");
	if (!c->done)
		ms_linux_sleeps("wait_for_completion_timeout", timeout);
	return try_wait_for_completion(c) ? (timeout ? timeout : 1) : 0;
}

#define wait_for_completion(c) ((void)ms_linux_wait_for_completion(c))
#define wait_for_completion_interruptible(c) ms_linux_wait_for_completion(c)
#define wait_for_completion_killable(c) ms_linux_wait_for_completion(c)
#define wait_for_completion_interruptible_timeout(c, timeout) \
	((long)wait_for_completion_timeout(c, timeout))
#define wait_for_completion_killable_timeout(c, timeout) \
	((long)wait_for_completion_timeout(c, timeout))

/* ---- <linux/poll.h>: a test calls f_op->poll, with NULL or a table of its own ---- */

typedef unsigned int __poll_t;

#define EPOLLIN 0x1u
#define EPOLLPRI 0x2u
#define EPOLLOUT 0x4u
#define EPOLLERR 0x8u
#define EPOLLHUP 0x10u
#define EPOLLRDNORM 0x40u
#define EPOLLWRNORM 0x100u
#ifndef POLLIN
#define POLLIN 0x1
#define POLLPRI 0x2
#define POLLOUT 0x4
#define POLLERR 0x8
#define POLLHUP 0x10
#define POLLRDNORM 0x40
#define POLLWRNORM 0x100
#endif

struct poll_table_struct;
typedef void (*poll_queue_proc)(struct file *file, wait_queue_head_t *wq,
				struct poll_table_struct *table);
typedef struct poll_table_struct {
	poll_queue_proc _qproc;
	__poll_t _key;
} poll_table;

static inline void poll_wait(struct file *file, wait_queue_head_t *wq, poll_table *table)
{
	if (table && table->_qproc && wq)
		table->_qproc(file, wq, table);
}

static inline bool poll_does_not_wait(const poll_table *table)
{
	return !table || !table->_qproc;
}

#endif
