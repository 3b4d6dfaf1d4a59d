/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mmap lock of a process, and the lock of a folio of a memory file, as far as a hook or a
 * driver's callback can meet them.
 *
 * A machine runs in one thread, so nobody ever waits: where the kernel would wait, the call is
 * refused. The mmap lock is held for reading during calls that use a VMA and run somebody else's
 * code, so that the VMA stays; for writing by the system calls that change VMAs. A fault holds the
 * lock of the folio that it found until it has mapped it.
 */
#ifndef MS_MM_LOCK_H
#define MS_MM_LOCK_H

#include "mm/internal.h"

/* Could a fault of this process take the lock for reading, and call notifiers? */
static inline bool ms_mmap_may_read(const struct ms_mm *mm)
{
	return !mm->mmap_writer && !mm->mmu_locked && !mm->held_for_writing;
}
/* For callers that hold the lock already, for reading or for writing. */
static inline void ms_mmap_pin(struct ms_mm *mm)
{
	mm->mmap_readers++;
	mm->held++;
}
static inline void ms_mmap_unpin(struct ms_mm *mm)
{
	mm->mmap_readers--;
	mm->held--;
}

/* For reading or for writing. */
static inline bool ms_mmap_is_locked(const struct ms_mm *mm)
{
	return mm->mmap_readers || mm->mmap_writer;
}

/* Held, but not for writing: VMAs may not be changed. */
static inline bool ms_mmap_only_read(const struct ms_mm *mm)
{
	return mm->mmap_readers && !mm->mmap_writer;
}

/* false: the kernel would wait.
 * mirrors mmap_write_lock(), include/linux/mmap_lock.h, 5.10+ */
static inline bool ms_mmap_write_trylock(struct ms_mm *mm)
{
	if (mm->mmap_readers || mm->held || !ms_mmap_may_read(mm))
		return false;
	mm->mmap_writer = true;
	mm->held++;
	mm->held_for_writing++;
	return true;
}
// mirrors mmap_write_unlock(), include/linux/mmap_lock.h, 5.10+
static inline void ms_mmap_write_unlock(struct ms_mm *mm)
{
	mm->mmap_writer = false;
	mm->held--;
	mm->held_for_writing--;
}
// mirrors mmap_write_downgrade(), include/linux/mmap_lock.h, 5.10+
static inline void ms_mmap_write_downgrade(struct ms_mm *mm)
{
	mm->mmap_writer = false;
	mm->held_for_writing--;
	mm->mmap_readers++;
}

/* Says what a call waits for that may not read, or write: -EBUSY. */
int ms_mmap_waits(struct ms_mm *mm);

/* A folio that is locked while a hook runs: pages [first, end) of a file. */
struct ms_folio_lock {
	const struct ms_folio_lock *outer;
	const struct ms_mapping *mapping;
	uint64_t first, end;
};

/* Would somebody wait for the lock of a folio of `least` pages or more, with a page in [first,
 * end)? */
static inline bool ms_folio_is_locked(const struct ms_mapping *mapping, uint64_t first,
				      uint64_t end, uint64_t least)
{
	const struct ms_folio_lock *lock = mapping->machine->processes->folio_locks;

	for (; lock; lock = lock->outer)
		if (lock->mapping == mapping && lock->first < end && lock->end > first &&
		    lock->end - lock->first >= least)
			return true;
	return false;
}

/*
 * How the lock is held while somebody else's function runs that is called under it. Such code may
 * drop and take the lock, and forget to; what the library has, it has until the function is back.
 */
struct ms_mmap_hold {
	unsigned int readers;
	bool writer, for_writing;
};

static inline struct ms_mmap_hold ms_mmap_hold(struct ms_mm *mm)
{
	const struct ms_mmap_hold hold = {
		.readers = mm->mmap_readers,
		.writer = mm->mmap_writer,
		.for_writing = mm->mmap_writer || mm->held_for_writing,
	};

	mm->held++;
	mm->held_for_writing += hold.for_writing;
	return hold;
}

/* false: the lock was not as it was, and is again. */
static inline bool ms_mmap_unhold(struct ms_mm *mm, const struct ms_mmap_hold *hold)
{
	const bool same = mm->mmap_readers == hold->readers && mm->mmap_writer == hold->writer;

	mm->mmap_readers = hold->readers;
	mm->mmap_writer = hold->writer;
	mm->held--;
	mm->held_for_writing -= hold->for_writing;
	return same;
}

/* A walk over a process's notifiers, of which each may take notifiers off. */
struct ms_notifier_walk {
	struct ms_notifier_walk *outer;
	struct ms_mmu_notifier *next;
	struct ms_mmap_hold hold;
};

/* A hook of somebody who has a VMA of mm in hand. */
void ms_vma_hook_locked(struct ms_mm *mm, enum ms_hook_point point, ms_hva_t addr);
static inline void ms_vma_hook(struct ms_mm *mm, enum ms_hook_point point, ms_hva_t addr)
{
	if (mm->machine->hook[point].fn)
		ms_vma_hook_locked(mm, point, addr);
}

#endif
