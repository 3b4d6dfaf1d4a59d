/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * <linux/rcupdate.h>, <linux/srcu.h>. There is no other reader than this thread: a grace period ends
 * when it holds no rcu_read_lock(), so that a kfree_rcu() frees at once, or at the unlock. Waiting
 * for a grace period, or sleeping, inside of a reader is a violation.
 */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_RCUPDATE_H)
#define MAPSIM_LINUX_RCUPDATE_H

struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
};
#define callback_head rcu_head

typedef void (*rcu_callback_t)(struct rcu_head *head);

static inline void rcu_read_lock(void)
{
	ms_linux_rcu_read_lock();
}

static inline void rcu_read_unlock(void)
{
	ms_linux_rcu_read_unlock();
}

static inline bool rcu_read_lock_held(void)
{
	return ms_linux_rcu_depth() != 0;
}

/* Runs func as soon as no reader is left. */
static inline void call_rcu(struct rcu_head *head, rcu_callback_t func)
{
	ms_linux_call_rcu(head, (void (*)(void *))func);
}

static inline void synchronize_rcu(void)
{
	ms_linux_synchronize_rcu("synchronize_rcu");
}

static inline void rcu_barrier(void)
{
	ms_linux_synchronize_rcu("rcu_barrier");
}

#define synchronize_rcu_expedited() synchronize_rcu()
#define synchronize_sched() synchronize_rcu()

/* The head is somewhere in what kmalloc gave; below 4096 bytes from its start, as in the kernel. */
#define MS_LINUX_KFREE_RCU_1(ptr) ms_linux_kfree_rcu(NULL, ptr)
#define MS_LINUX_KFREE_RCU_2(ptr, member) \
	do { \
		__typeof__(ptr) ms_ptr = (ptr); \
		if (ms_ptr) \
			ms_linux_kfree_rcu(&ms_ptr->member, ms_ptr); \
	} while (0)
#define MS_LINUX_KFREE_RCU(a, b, name, ...) name
#define kfree_rcu(...) \
	MS_LINUX_KFREE_RCU(__VA_ARGS__, MS_LINUX_KFREE_RCU_2, MS_LINUX_KFREE_RCU_1)(__VA_ARGS__)
#define kvfree_rcu(...) kfree_rcu(__VA_ARGS__)
#define kfree_rcu_mightsleep(ptr) MS_LINUX_KFREE_RCU_1(ptr)

#define rcu_access_pointer(p) READ_ONCE(p)
#define rcu_dereference_raw(p) READ_ONCE(p)
#define RCU_INIT_POINTER(p, v) WRITE_ONCE(p, v)
#define rcu_assign_pointer(p, v) WRITE_ONCE(p, v)
#define rcu_replace_pointer(p, v, condition) \
	({ \
		__typeof__(p) ms_former = rcu_dereference_protected(p, condition); \
		rcu_assign_pointer(p, v); \
		ms_former; \
	})
/* What the pointer leads to is safe for a reader, or where the driver's condition holds. */
#define rcu_dereference_check(p, condition) \
	({ \
		if (!(condition) && !rcu_read_lock_held()) \
			ms_linux_violation("suspicious rcu_dereference_check() usage: " #p); \
		READ_ONCE(p); \
	})
#define rcu_dereference(p) rcu_dereference_check(p, false)
#define rcu_dereference_protected(p, condition) \
	({ \
		if (!(condition)) \
			ms_linux_violation("suspicious rcu_dereference_protected() usage: " #p); \
		READ_ONCE(p); \
	})

#define list_add_rcu(entry, head) list_add(entry, head)
#define list_add_tail_rcu(entry, head) list_add_tail(entry, head)
#define list_for_each_entry_rcu(pos, head, member, ...) list_for_each_entry(pos, head, member)

/* Readers may still be on their way through it: it keeps its next. */
static inline void list_del_rcu(struct list_head *entry)
{
	ms_list_unlink(entry);
	entry->prev = LIST_POISON2;
}

/* ---- SRCU: readers of one structure, which may sleep ---- */

struct srcu_struct {
	int readers;
};

#define DEFINE_SRCU(name) struct srcu_struct name = { 0 }
#define DEFINE_STATIC_SRCU(name) static struct srcu_struct name = { 0 }

static inline int init_srcu_struct(struct srcu_struct *srcu)
{
	srcu->readers = 0;
	return 0;
}

static inline void cleanup_srcu_struct(struct srcu_struct *srcu)
{
	if (srcu->readers)
		ms_linux_violation("cleanup_srcu_struct while somebody reads");
}

static inline int srcu_read_lock(struct srcu_struct *srcu)
{
	return srcu->readers++ & 1;
}

static inline void srcu_read_unlock(struct srcu_struct *srcu, int index)
{
	(void)index;
	if (!srcu->readers)
		ms_linux_violation("srcu_read_unlock without srcu_read_lock");
	else
		srcu->readers--;
}

static inline bool srcu_read_lock_held(const struct srcu_struct *srcu)
{
	return srcu->readers != 0;
}

static inline void synchronize_srcu(struct srcu_struct *srcu)
{
	ms_linux_might_sleep("synchronize_srcu");
	if (srcu->readers)
		ms_linux_violation("synchronize_srcu inside of its own reader: a deadlock");
}

#define synchronize_srcu_expedited(srcu) synchronize_srcu(srcu)
#define srcu_dereference(p, srcu) \
	({ \
		if (!srcu_read_lock_held(srcu)) \
			ms_linux_violation("suspicious srcu_dereference() usage: " #p); \
		READ_ONCE(p); \
	})

#endif
