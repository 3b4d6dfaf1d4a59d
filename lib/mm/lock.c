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

void ms_vma_hook_locked(struct ms_mm *mm, enum ms_hook_point point, ms_hva_t addr)
{
	struct ms_mmap_hold hold;

	ms_mmap_pin(mm);
	hold = ms_mmap_hold(mm);
	ms_hook(mm->machine, point, addr);
	if (!ms_mmap_unhold(mm, &hold))
		ms_violation_by(mm->machine, MS_VIOLATION_DRIVER,
				"a hook returns with the mmap lock not as it was", addr, 0);
	ms_handlers_verify(mm->machine);
	ms_mmap_unpin(mm);
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
		ms_mmap_pin(mm);
	else
		mm->mmap_writer = true;
}

void ms_mm_unlock(struct ms_mm *mm, bool read)
{
	if (read)
		ms_mmap_unpin(mm);
	else
		ms_mmap_write_unlock(mm);
}

void ms_mm_lock_downgrade(struct ms_mm *mm)
{
	ms_mmap_write_downgrade(mm);
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
