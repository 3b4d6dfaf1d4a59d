/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mmap lock of a process, and the lock of a folio of a memory file, as far as a hook or a
 * driver's callback can meet them.
 *
 * A machine runs in one thread, so nobody ever waits: what the kernel would let wait is refused.
 * The mmap lock is held for reading where somebody else is called with a VMA in hand, which keeps
 * the VMA alive; for writing by the system calls that change VMAs. A fault holds the lock of the
 * folio that it found until it has mapped it.
 */
#ifndef MS_MM_LOCK_H
#define MS_MM_LOCK_H

#include "mm/internal.h"

/* Could a fault of this process take the lock for reading, and tell its notifiers? */
static inline bool ms_mmap_may_read(const struct ms_mm *mm)
{
	return !mm->mmap_writer && !mm->mmu_locked;
}
/* For those who hold it already, in one way or the other. */
static inline void ms_mmap_pin(struct ms_mm *mm)
{
	mm->mmap_readers++;
}
static inline void ms_mmap_unpin(struct ms_mm *mm)
{
	mm->mmap_readers--;
}

/* mmap_is_locked(): in one way or the other */
static inline bool ms_mmap_is_locked(const struct ms_mm *mm)
{
	return mm->mmap_readers || mm->mmap_writer;
}

/* Held, but not for writing: VMAs may not be changed. */
static inline bool ms_mmap_only_read(const struct ms_mm *mm)
{
	return mm->mmap_readers && !mm->mmap_writer;
}

/* mmap_write_lock(); false: it would wait. */
static inline bool ms_mmap_write_trylock(struct ms_mm *mm)
{
	if (mm->mmap_readers || !ms_mmap_may_read(mm))
		return false;
	mm->mmap_writer = true;
	return true;
}
static inline void ms_mmap_write_unlock(struct ms_mm *mm)
{
	mm->mmap_writer = false;
}
static inline void ms_mmap_write_downgrade(struct ms_mm *mm)
{
	mm->mmap_writer = false;
	mm->mmap_readers++;
}

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
	const struct ms_folio_lock *lock = mapping->machine->folio_locks;

	for (; lock; lock = lock->outer)
		if (lock->mapping == mapping && lock->first < end && lock->end > first &&
		    lock->end - lock->first >= least)
			return true;
	return false;
}

/* A hook of somebody who has a VMA of mm in hand. */
static inline void ms_vma_hook(struct ms_mm *mm, enum ms_hook_point point, ms_hva_t addr)
{
	if (!mm->machine->hook[point].fn)
		return;
	ms_mmap_pin(mm);
	ms_hook(mm->machine, point, addr);
	ms_mmap_unpin(mm);
}

#endif
