/* SPDX-License-Identifier: GPL-2.0-only */
/* The mmap lock, for those outside of lib/mm. */
#include "mm/lock.h"

int ms_mmap_waits(struct ms_mm *mm)
{
	struct ms_machine *m = mm->machine;

	if (mm->mmu_locked)
		return ms_refuse(m, -EBUSY, "the MMU lock of a VM of process %u is held", mm->id);
	if (mm->mmap_writer || mm->held_for_writing)
		return ms_refuse(m, -EBUSY, "the mmap lock of process %u is held for writing",
				 mm->id);
	return ms_refuse(m, -EBUSY, "the mmap lock of process %u is held for reading", mm->id);
}

enum ms_mmap_state ms_mm_lock_state(const struct ms_mm *mm)
{
	if (mm->mmap_writer)
		return MS_MMAP_WRITE;
	return mm->mmap_readers ? MS_MMAP_READ : MS_MMAP_FREE;
}

void ms_mm_lock(struct ms_mm *mm, bool read)
{
	if (read)
		mm->mmap_readers++;
	else
		mm->mmap_writer = true;
}

void ms_mm_unlock(struct ms_mm *mm, bool read)
{
	if (read)
		mm->mmap_readers--;
	else
		mm->mmap_writer = false;
}

void ms_mm_lock_downgrade(struct ms_mm *mm)
{
	mm->mmap_writer = false;
	mm->mmap_readers++;
}

bool ms_mm_fault_waits(const struct ms_mm *mm)
{
	return !ms_mmap_may_read(mm);
}

void ms_mm_block_notifiers(struct ms_mm *mm)
{
	mm->mmu_locked++;
}

void ms_mm_unblock_notifiers(struct ms_mm *mm)
{
	mm->mmu_locked--;
}
