/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mmap lock of a process, as far as a hook or a driver's callback can meet it.
 *
 * A machine runs in one thread, so nobody ever waits: where the kernel would wait, the call is
 * refused. The lock is held for reading during calls that use a VMA and run somebody else's code,
 * so that the VMA stays; for writing by the system calls that change VMAs.
 */
#ifndef MS_MM_LOCK_H
#define MS_MM_LOCK_H

#include "mm/internal.h"

/* Could a fault of this process take the lock for reading, and call notifiers? */
static inline bool ms_mmap_may_read(const struct ms_mm *mm)
{
	return !mm->mmap_writer && !mm->mmu_locked;
}
/* For callers that hold the lock already, for reading or for writing. */
static inline void ms_mmap_pin(struct ms_mm *mm)
{
	mm->mmap_readers++;
}
static inline void ms_mmap_unpin(struct ms_mm *mm)
{
	mm->mmap_readers--;
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
	if (mm->mmap_readers || !ms_mmap_may_read(mm))
		return false;
	mm->mmap_writer = true;
	return true;
}
// mirrors mmap_write_unlock(), include/linux/mmap_lock.h, 5.10+
static inline void ms_mmap_write_unlock(struct ms_mm *mm)
{
	mm->mmap_writer = false;
}
// mirrors mmap_write_downgrade(), include/linux/mmap_lock.h, 5.10+
static inline void ms_mmap_write_downgrade(struct ms_mm *mm)
{
	mm->mmap_writer = false;
	mm->mmap_readers++;
}

/* Says what a call waits for that may not read, or write: -EBUSY. */
int ms_mmap_waits(struct ms_mm *mm);

/* Runs a hook while the caller uses a VMA of mm. */
static inline void ms_vma_hook(struct ms_mm *mm, enum ms_hook_point point, ms_hva_t addr)
{
	if (!mm->machine->hook[point].fn)
		return;
	ms_mmap_pin(mm);
	ms_hook(mm->machine, point, addr);
	ms_mmap_unpin(mm);
}

#endif
