/* SPDX-License-Identifier: GPL-2.0-only */
/* Entries, huge leaves and whole tables change their address. */
#include "mm/move.h"
#include "mm/pgtable.h"

struct move {
	struct ms_vma *vma, *new_vma;
	ms_hva_t old_addr, old_end, new_addr;
};

/*
 * How far one step may go: to the end of the entry of `size` on either side.
 *
 *   old   |     a----|          |      |     extent: to the nearer of the two borders
 *   new   |          |  b----|  |            (or to the end of what moves)
 *
 * mirrors get_extent(), mm/mremap.c, 6.1+
 */
static uint64_t step_size(const struct move *mv, uint64_t size)
{
	uint64_t to_old = ms_align_down(mv->old_addr, size) + size - mv->old_addr;
	uint64_t to_new = ms_align_down(mv->new_addr, size) + size - mv->new_addr;

	return ms_min_u64(ms_min_u64(to_old, to_new), mv->old_end - mv->old_addr);
}

/*
 * The kernel tests for a "bad" entry before it looks whether the entry is a leaf, and takes a leaf
 * for bad: a driver's 1G leaf is logged and cleared, and nothing arrives.
 * mirrors get_old_pud(), mm/mremap.c, 6.1+
 */
static uint64_t *old_pud_slot(const struct move *mv)
{
	struct ms_mm *mm = mv->vma->vm_mm;
	uint64_t *slot = ms_pt_slot(mm, mv->old_addr, MS_LEVEL_PUD);

	if (!slot || ms_pte_none(*slot))
		return NULL;
	if (ms_pte_is_leaf(*slot)) {
		ms_log(mm->machine, "bad pud", mv->old_addr, ms_pud_size(mm->machine));
		*slot = 0;
		return NULL;
	}
	return slot;
}

/*
 * Of a leaf that is moved by itself; entries that move with their table stay as they are.
 * mirrors move_soft_dirty_pte(), mm/mremap.c, 5.10+; move_soft_dirty_pmd(), mm/huge_memory.c, 5.10+
 */
static uint64_t moved(uint64_t entry)
{
	return ms_pte_is_leaf(entry) ? entry | MS_PTE_SOFT_DIRTY : entry;
}

/*
 * An entry that leads to a table, or a huge leaf.
 * mirrors move_normal_pmd(), mm/mremap.c, 5.10+; move_normal_pud(), mm/mremap.c, 5.11+;
 * move_huge_pmd(), mm/huge_memory.c, 5.10+; move_huge_pud(), mm/mremap.c, 6.1+
 */
static bool move_entry(uint64_t *old_slot, uint64_t *new_slot)
{
	if (!ms_pte_none(*new_slot))
		return false;
	*new_slot = moved(*old_slot);
	*old_slot = 0;
	return true;
}

/* Both slots are the first of a step that stays inside one table.
 * mirrors move_ptes(), mm/mremap.c, 5.10+ */
static bool move_ptes(const struct move *mv, uint64_t extent)
{
	struct ms_mm *mm = mv->vma->vm_mm;
	uint64_t *old_slot = ms_pt_slot(mm, mv->old_addr, MS_LEVEL_PTE);
	uint64_t *new_slot = ms_pt_alloc_slot(mm, mv->new_addr, MS_LEVEL_PTE);

	if (!new_slot)
		return false;
	for (uint64_t n = extent >> mm->machine->page_shift; n; n--, old_slot++, new_slot++) {
		if (ms_pte_none(*old_slot))
			continue;
		*new_slot = moved(*old_slot);
		*old_slot = 0;
	}
	return true;
}

/* One step at PMD level or below; false: no memory. */
static bool move_pmd_step(const struct move *mv, uint64_t extent)
{
	struct ms_mm *mm = mv->vma->vm_mm;
	const struct ms_machine *m = mm->machine;
	uint64_t *old_slot = ms_pt_slot(mm, mv->old_addr, MS_LEVEL_PMD), *new_slot;
	bool whole = extent == ms_pmd_size(m);

	if (!old_slot || ms_pte_none(*old_slot))
		return true;
	new_slot = ms_pt_alloc_slot(mm, mv->new_addr, MS_LEVEL_PMD);
	if (!new_slot)
		return false;
	if (ms_pte_is_leaf(*old_slot)) {
		if (whole && move_entry(old_slot, new_slot))
			return true;
		ms_split_huge_pmd(mv->vma, mv->old_addr);
		if (ms_pte_none(*old_slot))
			return true;
	} else if (whole && m->policy.mremap_table_move != MS_MREMAP_TABLE_MOVE_NONE) {
		if (move_entry(old_slot, new_slot))
			return true;
	}
	return move_ptes(mv, extent);
}

/* One step; *extent: how far it went. false: no memory. */
static bool move_step(const struct move *mv, uint64_t *extent)
{
	struct ms_mm *mm = mv->vma->vm_mm;
	const struct ms_machine *m = mm->machine;
	const uint64_t pud_size = ms_pud_size(m);
	uint64_t *old_slot, *new_slot;

	if (!ms_pt_has_level(mm, MS_LEVEL_PUD)) {
		*extent = step_size(mv, ms_pmd_size(m));
		return move_pmd_step(mv, *extent);
	}
	old_slot = old_pud_slot(mv);
	*extent = step_size(mv, pud_size);
	if (!old_slot)
		return true;
	new_slot = ms_pt_alloc_slot(mm, mv->new_addr, MS_LEVEL_PUD);
	if (!new_slot)
		return false;
	if (*extent == pud_size &&
	    m->policy.mremap_table_move == MS_MREMAP_TABLE_MOVE_PTE_AND_PMD_TABLES &&
	    move_entry(old_slot, new_slot))
		return true;
	*extent = step_size(mv, ms_pmd_size(m));
	return move_pmd_step(mv, *extent);
}

/* Is there nothing between the border below and addr, of this mapping or of another one?
 * mirrors can_align_down(), mm/mremap.c, 6.12+ */
static bool can_align_down(const struct ms_vma *vma, ms_hva_t addr, uint64_t size)
{
	return vma->vm_start == addr &&
	       !ms_find_vma_intersection(vma->vm_mm, ms_align_down(addr, size), addr);
}

/*
 * Begins at the PMD's border, so that the first table can be moved as a whole.
 *
 *   border    border              both ranges begin at the same place in their PMD, the
 *     |    a----|------           range reaches the next border, and below is nothing
 *     |<---+
 *
 * mirrors try_realign_addr(), mm/mremap.c, 6.7+
 */
static void try_realign(struct move *mv)
{
	const struct ms_machine *m = ms_vma_machine(mv->vma);
	uint64_t size = ms_pmd_size(m), offset = mv->old_addr & (size - 1);

	if (m->policy.mremap_realign != MS_MREMAP_REALIGN_TO_PMD || !offset)
		return;
	if (mv->old_end - mv->old_addr < size - offset || (mv->new_addr & (size - 1)) != offset)
		return;
	if (!can_align_down(mv->vma, mv->old_addr, size) ||
	    !can_align_down(mv->new_vma, mv->new_addr, size))
		return;
	mv->old_addr -= offset;
	mv->new_addr -= offset;
}

// mirrors move_page_tables(), mm/mremap.c, 5.10+
uint64_t ms_move_page_tables(struct ms_vma *vma, ms_hva_t old_addr, struct ms_vma *new_vma,
			     ms_hva_t new_addr, uint64_t len)
{
	struct move mv = {
		.vma = vma,
		.new_vma = new_vma,
		.old_addr = old_addr,
		.old_end = old_addr + len,
		.new_addr = new_addr,
	};
	ms_hva_t notified;

	if (!len)
		return 0;
	if (ms_vma_is_hugetlb(vma))
		return ms_hugetlb_move(vma, new_vma, old_addr, new_addr, len) ? 0 : len;
	try_realign(&mv);
	notified = mv.old_addr;
	ms_notify_start(vma->vm_mm, notified, mv.old_end, MS_NOTIFY_UNMAP);
	while (mv.old_addr < mv.old_end) {
		uint64_t extent;

		if (!move_step(&mv, &extent))
			break;
		mv.old_addr += extent;
		mv.new_addr += extent;
	}
	ms_notify_end(vma->vm_mm, notified, mv.old_end, MS_NOTIFY_UNMAP);
	return mv.old_addr > old_addr ? mv.old_addr - old_addr : 0;
}
