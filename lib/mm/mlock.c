/* SPDX-License-Identifier: GPL-2.0-only */
/* mlock(2) and munlock(2). The caller has CAP_IPC_LOCK, so that no limit applies. */
#include "mm/lock.h"
#include "mm/move.h"
#include "mm/pgtable.h"

/* For other VMAs the call succeeds and does nothing.
 * mirrors vma_supports_mlock(), mm/internal.h, 6.12+ */
static bool supports_mlock(const struct ms_vma *vma)
{
	return !(vma->vm_flags & MS_VM_SPECIAL) && !ms_vma_is_hugetlb(vma);
}

static void deactivate(struct ms_vma *vma, uint64_t *slot, ms_hva_t addr, unsigned int level,
		       void *arg)
{
	struct ms_machine *m = ms_vma_machine(vma);

	(void)addr;
	(void)arg;
	if (level == MS_LEVEL_PTE && !(*slot & MS_PTE_SPECIAL))
		ms_lru_deactivate(m, ms_pte_pfn(m, *slot));
}

/* The queues are emptied before and after pages move to another list.
 * mirrors mlock_vma_pages_range(), mm/mlock.c, 5.18+ */
static void mlock_pages_range(struct ms_vma *vma, ms_hva_t start, ms_hva_t end)
{
	struct ms_machine *m = ms_vma_machine(vma);

	ms_lru_drain(m);
	if ((vma->vm_flags & MS_VM_LOCKED) && m->policy.lru_activate == MS_LRU_ACTIVATE_QUEUED)
		ms_pt_for_each_leaf(vma, start, end, deactivate, NULL);
}

/* *pvma becomes the VMA that covers the range afterwards.
 * mirrors mlock_fixup(), mm/mlock.c, 5.10+ */
static int mlock_fixup(struct ms_vma **pvma, ms_hva_t start, ms_hva_t end, bool lock)
{
	struct ms_vma *vma = *pvma;
	uint64_t newflags = (vma->vm_flags & ~MS_VM_LOCKED) | (lock ? MS_VM_LOCKED : 0);
	int err;

	if (newflags == vma->vm_flags || !supports_mlock(vma))
		return 0;
	err = ms_vma_modify_flags(vma, start, end, newflags, &vma);
	if (err)
		return err;
	vma->vm_flags = newflags;
	if (ms_vma_machine(vma)->policy.anon_reuse != MS_ANON_REUSE_SOLE_REFERENCE)
		mlock_pages_range(vma, start, end);
	else if (!lock)
		ms_munlock_range(vma, start, end);
	*pvma = vma;
	return 0;
}

/* A hole ends it with an error; what lies before the hole keeps its new flag.
 * mirrors apply_vma_lock_flags(), mm/mlock.c, 5.10+ */
static int apply_lock(struct ms_mm *mm, ms_hva_t start, uint64_t len, bool lock)
{
	const ms_hva_t end = start + len;
	struct ms_vma *vma;

	if (end < start)
		return ms_refuse_wrap(mm->machine, -EINVAL, start, len);
	if (end == start)
		return 0;
	vma = ms_vma_lookup(mm, start);
	if (!vma)
		return ms_refuse_no_vma(mm, -ENOMEM, start);
	for (;;) {
		int err = mlock_fixup(&vma, start, ms_min_u64(vma->vm_end, end), lock);

		if (err)
			return err;
		start = vma->vm_end;
		if (start >= end)
			return 0;
		vma = ms_vma_next(vma);
		if (!vma || vma->vm_start != start)
			return ms_refuse_no_vma(mm, -ENOMEM, start);
	}
}

/* Rounds the range outward to whole pages, and ignores a tag. */
static void round_range(const struct ms_mm *mm, ms_hva_t *addr, uint64_t *len)
{
	const uint64_t page_size = mm->machine->page_size;

	*addr = ms_untagged_addr(mm->machine, *addr);
	*len = ms_align_up(*len + (*addr & (page_size - 1)), page_size);
	*addr = ms_align_down(*addr, page_size);
}

// mirrors do_mlock(), mm/mlock.c, 5.10+
int ms_mlock(struct ms_mm *mm, ms_hva_t addr, uint64_t len)
{
	uint64_t before;
	int err;

	if (!mm)
		return -EINVAL;
	before = ms_refusals(mm->machine);
	round_range(mm, &addr, &len);
	if (!ms_mmap_write_trylock(mm))
		return ms_mmap_waits(mm);
	err = apply_lock(mm, addr, len, true);
	ms_mmap_write_unlock(mm);
	if (err)
		return (int)ms_answered(mm->machine, before, err, NULL);
	err = ms_mm_populate_strict(mm, addr, len);
	// __mlock_posix_error_return()
	return err ? ms_answered_as(mm->machine, before, err == -ENOMEM ? -EAGAIN : -ENOMEM) : 0;
}

// mirrors munlock(), mm/mlock.c, 5.10+
int ms_munlock(struct ms_mm *mm, ms_hva_t addr, uint64_t len)
{
	uint64_t before;
	int err;

	if (!mm)
		return -EINVAL;
	before = ms_refusals(mm->machine);
	round_range(mm, &addr, &len);
	if (!ms_mmap_write_trylock(mm))
		return ms_mmap_waits(mm);
	err = apply_lock(mm, addr, len, false);
	ms_mmap_write_unlock(mm);
	return (int)ms_answered(mm->machine, before, err, NULL);
}
