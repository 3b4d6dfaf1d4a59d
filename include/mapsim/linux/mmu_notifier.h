/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * <linux/mmu_notifier.h>: who has page tables that follow those of a process hears of each range
 * that changes. Not modelled, and so not there: change_pte, invalidate_range.
 */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_MMU_NOTIFIER_H)
#define MAPSIM_LINUX_MMU_NOTIFIER_H

enum mmu_notifier_event {
	MMU_NOTIFY_UNMAP,
	MMU_NOTIFY_CLEAR,
	MMU_NOTIFY_PROTECTION_VMA,
	MMU_NOTIFY_PROTECTION_PAGE,
	MMU_NOTIFY_SOFT_DIRTY,
	MMU_NOTIFY_RELEASE,
	MMU_NOTIFY_MIGRATE,
	MMU_NOTIFY_EXCLUSIVE,
};

#define MMU_NOTIFIER_RANGE_BLOCKABLE 1u

struct mmu_notifier_range {
	struct mm_struct *mm;
	unsigned long start, end; ///< [start, end)
	unsigned int flags;       ///< always BLOCKABLE
	enum mmu_notifier_event event;
	void *owner;
};

struct mmu_notifier;
struct mmu_interval_notifier;

struct mmu_notifier_ops {
	void (*release)(struct mmu_notifier *mn, struct mm_struct *mm);
	int (*invalidate_range_start)(struct mmu_notifier *mn,
				      const struct mmu_notifier_range *range);
	void (*invalidate_range_end)(struct mmu_notifier *mn,
				     const struct mmu_notifier_range *range);
	int (*clear_flush_young)(struct mmu_notifier *mn, struct mm_struct *mm,
				 unsigned long start, unsigned long end);
	int (*clear_young)(struct mmu_notifier *mn, struct mm_struct *mm, unsigned long start,
			   unsigned long end);
	int (*test_young)(struct mmu_notifier *mn, struct mm_struct *mm, unsigned long address);
	/* For mmu_notifier_get() and _put(); alloc_notifier answers one, or an ERR_PTR. */
	struct mmu_notifier *(*alloc_notifier)(struct mm_struct *mm);
	void (*free_notifier)(struct mmu_notifier *mn);
};

struct mmu_notifier {
	const struct mmu_notifier_ops *ops;
	struct mm_struct *mm;
	unsigned int users;
	struct ms_mmu_notifier ms;
	bool ms_registered;
};

struct mmu_interval_notifier_ops {
	/* Has to call mmu_interval_set_seq(). true: done. */
	bool (*invalidate)(struct mmu_interval_notifier *interval_sub,
			   const struct mmu_notifier_range *range, unsigned long cur_seq);
};

struct mmu_interval_notifier {
	struct {
		unsigned long start, last; ///< inclusive
	} interval_tree;
	const struct mmu_interval_notifier_ops *ops;
	struct mm_struct *mm;
	unsigned long invalidate_seq;
	struct ms_mmu_notifier ms;
	unsigned long ms_next_seq;
	bool ms_registered;
};

int ms_linux_mmu_notifier_register(struct mmu_notifier *mn, struct mm_struct *mm);
void ms_linux_mmu_notifier_unregister(struct mmu_notifier *mn, struct mm_struct *mm);
struct mmu_notifier *ms_linux_mmu_notifier_get(const struct mmu_notifier_ops *ops,
					       struct mm_struct *mm);
void ms_linux_mmu_notifier_put(struct mmu_notifier *mn);
int ms_linux_mmu_interval_notifier_insert(struct mmu_interval_notifier *mni, struct mm_struct *mm,
					  unsigned long start, unsigned long length,
					  const struct mmu_interval_notifier_ops *ops);
void ms_linux_mmu_interval_notifier_remove(struct mmu_interval_notifier *mni);

#define mmu_notifier_register(mn, mm) ms_linux_mmu_notifier_register(mn, mm)
#define __mmu_notifier_register(mn, mm) ms_linux_mmu_notifier_register(mn, mm)
#define mmu_notifier_unregister(mn, mm) ms_linux_mmu_notifier_unregister(mn, mm)
/* The process's notifier with these operations: one that is there, with one more user, or a new
 * one. An ERR_PTR: -ENOMEM, or what alloc_notifier answers. */
#define mmu_notifier_get(ops, mm) ms_linux_mmu_notifier_get(ops, mm)
#define mmu_notifier_get_locked(ops, mm) ms_linux_mmu_notifier_get(ops, mm)
/* With the last user it hears no more, and free_notifier is called at once. */
#define mmu_notifier_put(mn) ms_linux_mmu_notifier_put(mn)
#define mmu_notifier_synchronize() ms_linux_might_sleep("mmu_notifier_synchronize")
#define mmu_interval_notifier_insert(mni, mm, start, length, ops) \
	ms_linux_mmu_interval_notifier_insert(mni, mm, start, length, ops)
#define mmu_interval_notifier_insert_locked(mni, mm, start, length, ops) \
	ms_linux_mmu_interval_notifier_insert(mni, mm, start, length, ops)
#define mmu_interval_notifier_remove(mni) ms_linux_mmu_interval_notifier_remove(mni)

static inline bool mmu_notifier_range_blockable(const struct mmu_notifier_range *range)
{
	return range->flags & MMU_NOTIFIER_RANGE_BLOCKABLE;
}

static inline void mmu_interval_set_seq(struct mmu_interval_notifier *mni, unsigned long cur_seq)
{
	WRITE_ONCE(mni->invalidate_seq, cur_seq);
}

static inline unsigned long mmu_interval_read_begin(struct mmu_interval_notifier *mni)
{
	return mni->invalidate_seq;
}

/* true: the range was invalidated in between. */
static inline bool mmu_interval_read_retry(struct mmu_interval_notifier *mni, unsigned long seq)
{
	return mni->invalidate_seq != seq;
}

static inline bool mmu_interval_check_retry(struct mmu_interval_notifier *mni, unsigned long seq)
{
	return READ_ONCE(mni->invalidate_seq) != seq;
}

#endif
