/* SPDX-License-Identifier: GPL-2.0-only */
/* munmap(2). */
#include "mm/lock.h"
#include "mm/munmap.h"
#include "mm/pgtable.h"

/* Splits the VMA across `addr`. The kernel's version decides which half is the new object, whose
 * open() is called. *vma becomes the half that is to be unmapped. */
static int split_border(struct ms_mm *mm, ms_hva_t addr, bool dies_above, struct ms_vma **vma)
{
	const enum ms_policy_munmap_split_new new_part = mm->machine->policy.munmap_split_new;
	bool kept_is_new = new_part == MS_MUNMAP_SPLIT_NEW_KEPT_PART;
	bool new_below = new_part != MS_MUNMAP_SPLIT_NEW_UPPER_PART && dies_above == kept_is_new;
	struct ms_vma *half;
	int err = ms_split_vma_nolimit(*vma, addr, new_below, &half);

	if (!err && new_below != dies_above)
		*vma = half;
	return err;
}

/*
 * Splits the VMAs that reach over the borders of the range; vma is the first that overlaps it.
 * mirrors __do_munmap(), mm/mmap.c, 5.10 .. 6.0; do_mas_align_munmap(), mm/mmap.c, 6.1 .. 6.2;
 * do_vmi_align_munmap(), mm/mmap.c, 6.3 .. 6.11; vms_gather_munmap_vmas(), mm/vma.c, 6.12+
 */
static int split_borders(struct ms_munmap *um, struct ms_vma *vma)
{
	struct ms_mm *mm = um->mm;
	struct ms_vma *last;
	int err;

	if (um->start > vma->vm_start) {
		if (um->end < vma->vm_end && mm->map_count >= mm->machine->config.max_map_count)
			return ms_refuse_map_count(mm);
		err = split_border(mm, um->start, true, &vma);
		if (err)
			return err;
	}
	last = vma->vm_end < um->end ? ms_find_vma(mm, um->end - 1) : vma;
	if (last && last->vm_start < um->end && um->end < last->vm_end)
		return split_border(mm, um->end, false, &last);
	return 0;
}

int ms_split_munmap(struct ms_munmap *um, struct ms_vma *vma, ms_hva_t start, ms_hva_t end)
{
	um->mm = vma->vm_mm;
	um->start = start;
	um->end = end;
	um->closed = false;
	return split_borders(um, vma);
}

void ms_detach_munmap(struct ms_munmap *um)
{
	um->vmas = ms_vma_tree_detach(um->mm, um->start, um->end, &um->gap);
}

// mirrors vms_gather_munmap_vmas(), mm/vma.c, 6.12+
int ms_gather_munmap(struct ms_munmap *um, struct ms_vma *vma, ms_hva_t start, ms_hva_t end)
{
	int err = ms_split_munmap(um, vma, start, end);

	if (!err)
		ms_detach_munmap(um);
	return err;
}

/* VMAs that are near each other are treated as one range.
 * mirrors free_pgtables(), mm/memory.c, 5.10+ */
static void free_pgtables(struct ms_mm *mm, const struct ms_vma *vmas, ms_hva_t floor,
			  ms_hva_t ceiling)
{
	const uint64_t near = ms_pmd_size(mm->machine);
	const struct ms_vma *next;

	if (ms_pt_is_empty(mm))
		return;
	for (const struct ms_vma *vma = vmas; vma; vma = next) {
		const ms_hva_t start = vma->vm_start;

		next = ms_linked(vma)->next_detached;
		for (; next && next->vm_start <= vma->vm_end + near;
		     next = ms_linked(next)->next_detached)
			vma = next;
		ms_free_pgd_range(mm, start, vma->vm_end, floor, next ? next->vm_start : ceiling);
	}
}

/* mirrors unmap_region(), mm/mmap.c, 5.10 .. 6.11; unmap_region(), mm/vma.c, 6.12+;
 * vms_clear_ptes(), mm/vma.c, 6.12+ */
void ms_unmap_region(struct ms_mm *mm, struct ms_vma *vmas, ms_hva_t start, ms_hva_t end,
		     ms_hva_t prev_end, ms_hva_t next_start)
{
	for (struct ms_vma *vma = vmas; vma; vma = ms_linked(vma)->next_detached)
		if (vma->vm_flags & MS_VM_LOCKED)
			ms_munlock_range(vma, vma->vm_start, vma->vm_end);
	if (mm->machine->policy.unmap_drains == MS_UNMAP_DRAINS_YES)
		ms_lru_drain(mm->machine);
	ms_notify_start(mm, start, end, MS_NOTIFY_UNMAP);
	for (struct ms_vma *vma = vmas; vma; vma = ms_linked(vma)->next_detached)
		ms_unmap_single_vma(vma, start, end, true);
	ms_notify_end(mm, start, end, MS_NOTIFY_UNMAP);
	ms_vma_hook(mm, MS_HOOK_UNMAP_ZAPPED, start);
	for (struct ms_vma *vma = vmas; vma; vma = ms_linked(vma)->next_detached)
		ms_i_mmap_remove(vma);
	free_pgtables(mm, vmas, prev_end, next_start);
}

// mirrors vms_clear_ptes(), mm/vma.c, 6.12+
void ms_clear_munmap(struct ms_munmap *um)
{
	ms_unmap_region(um->mm, um->vmas, um->start, um->end, um->gap.prev_end, um->gap.next_start);
}

// mirrors vms_clean_up_area(), mm/vma.c, 6.12+
void ms_close_munmap(struct ms_munmap *um)
{
	for (struct ms_vma *vma = um->vmas; vma; vma = ms_linked(vma)->next_detached) {
		ms_vma_call_close(vma);
		// the reservation is given back before the new mapping asks for one
		if (ms_vma_is_hugetlb(vma))
			ms_hugetlb_close(vma);
	}
	um->closed = true;
}

// mirrors remove_vma_list(), mm/mmap.c, 5.10 .. 5.10; vms_complete_munmap_vmas(), mm/vma.c, 6.12+
void ms_complete_munmap(struct ms_munmap *um)
{
	for (struct ms_vma *vma = um->vmas, *next; vma; vma = next) {
		next = ms_linked(vma)->next_detached;
		ms_vma_free(vma, !um->closed);
	}
	um->vmas = NULL;
}

/*
 * The test of do_munmap()'s arguments; *len is rounded up.
 * mirrors __do_munmap(), mm/mmap.c, 5.10 .. 6.0; do_mas_munmap(), mm/mmap.c, 6.1 .. 6.1;
 * do_vmi_munmap(), mm/vma.c, 6.12+
 */
static int check_range(const struct ms_mm *mm, ms_hva_t start, uint64_t *len)
{
	if (!ms_aligned(start, mm->machine->page_size))
		return ms_refuse_alignment(mm->machine, start);
	if (start > mm->task_size || *len > mm->task_size - start)
		return ms_refuse_end(mm, -EINVAL, start, *len);
	*len = ms_align_up(*len, mm->machine->page_size);
	return *len ? 0 : ms_refuse(mm->machine, -EINVAL, "the length is 0");
}

// mirrors do_munmap(), mm/mmap.c, 5.10+
int ms_do_munmap(struct ms_mm *mm, ms_hva_t start, uint64_t len)
{
	struct ms_munmap um;
	struct ms_vma *vma;
	int err = check_range(mm, start, &len);

	if (err)
		return err;
	vma = ms_find_vma_intersection(mm, start, start + len);
	if (!vma)
		return 0;
	err = ms_gather_munmap(&um, vma, start, start + len);
	if (err)
		return err;
	ms_clear_munmap(&um);
	ms_complete_munmap(&um);
	return 0;
}

/* When the VMAs are out of the tree the lock is downgraded, so that others may fault.
 * mirrors __vm_munmap(), mm/mmap.c, 5.10 .. 6.12; __vm_munmap(), mm/vma.c, 7.2+ */
static int munmap_downgraded(struct ms_mm *mm, ms_hva_t start, ms_hva_t end)
{
	struct ms_munmap um;
	struct ms_vma *vma;
	int err;

	if (!ms_mmap_write_trylock(mm))
		return ms_mmap_waits(mm);
	vma = ms_find_vma_intersection(mm, start, end);
	err = vma ? ms_gather_munmap(&um, vma, start, end) : 0;
	ms_mmap_write_downgrade(mm);
	if (vma && !err) {
		ms_clear_munmap(&um);
		ms_complete_munmap(&um);
	}
	ms_mmap_unpin(mm);
	return err;
}

// mirrors munmap(), mm/mmap.c, 5.10+
int ms_munmap(struct ms_mm *mm, ms_hva_t addr, uint64_t len)
{
	if (!mm)
		return -EINVAL;
	const uint64_t before = ms_refusals(mm->machine);
	int err;

	addr = ms_untagged_addr(mm->machine, addr);
	err = check_range(mm, addr, &len);
	if (!err)
		err = munmap_downgraded(mm, addr, addr + len);
	return (int)ms_answered(mm->machine, before, err, NULL);
}
