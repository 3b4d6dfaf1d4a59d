/* SPDX-License-Identifier: GPL-2.0-only */
/* Page-table entries are removed. */
#include "mm/lock.h"
#include "mm/pgtable.h"

struct zap {
	ms_hva_t start, end;
	bool keep_cows; // unmap_mapping_range() without even_cows: copied pages stay
};

void ms_drop_leaf(struct ms_vma *vma, uint64_t entry, unsigned int level)
{
	struct ms_machine *m = ms_vma_machine(vma);
	ms_pfn_t pfn = ms_pte_pfn(m, entry);

	if (entry & MS_PTE_SPECIAL) {
		ms_raw_drop(m, pfn, ms_level_size(m, level) >> m->page_shift);
		return;
	}
	if (level == MS_LEVEL_PMD && ms_is_huge_zero_pfn(m, pfn))
		return;
	if (!ms_pfn_is_ram(m, pfn))
		return;
	// its mappings were never counted as those of a page: the second one that goes is noticed
	if (!ms_vma_is_hugetlb(vma) && level == MS_LEVEL_PTE &&
	    (ms_page_look(m, ms_page_head(m, pfn))->flags & MS_PG_HUGETLB))
		ms_violation_entry(m, "bad page map: a page of hugetlb, mapped by itself",
				   vma->vm_start, ms_pte_pa(entry));
	if ((vma->vm_flags & MS_VM_LOCKED) && level == MS_LEVEL_PTE)
		ms_lru_munlock(m, pfn);
	ms_page_put(m, pfn, 1);
}

/* mirrors should_zap_page(), mm/memory.c, 6.1 .. 6.1; should_zap_folio(), mm/memory.c, 6.12+: of
 * the pages that stay */
static bool is_copied_page(struct ms_vma *vma, uint64_t entry)
{
	struct ms_machine *m = ms_vma_machine(vma);
	const struct ms_page *page;

	if (entry & MS_PTE_SPECIAL)
		return false;
	page = ms_pfn_to_page(m, ms_pte_pfn(m, entry));
	return page && (page->flags & MS_PG_ANON);
}

/* mirrors zap_pte_range(), mm/memory.c, 5.10+; zap_huge_pmd() and zap_huge_pud(), mm/huge_memory.c,
 * 5.10+ */
static void zap_leaf(struct ms_vma *vma, uint64_t *slot, ms_hva_t addr, unsigned int level,
		     void *arg)
{
	const struct ms_machine *m = ms_vma_machine(vma);
	const struct zap *zap = arg;
	uint64_t size = ms_level_size(m, level), entry = *slot;

	if (addr < zap->start || addr + size > zap->end) {
		ms_split_huge_leaf(vma, addr, level);
		return;
	}
	if (zap->keep_cows && is_copied_page(vma, entry))
		return;
	// print_bad_pte(): a raw entry in a VMA that is not marked for such
	if ((entry & MS_PTE_SPECIAL) && !(vma->vm_flags & (MS_VM_PFNMAP | MS_VM_MIXEDMAP)))
		ms_vm_normal_page(vma, addr, entry, NULL);
	*slot = 0;
	ms_drop_leaf(vma, entry, level);
	if (ms_is_anon_huge(vma, entry, level))
		ms_pt_free_table(vma->vm_mm, ms_pt_withdraw(vma->vm_mm));
}

// mirrors unmap_page_range(), mm/memory.c, 5.10 .. 6.12; __zap_vma_range(), mm/memory.c, 7.1+
static void zap_page_range(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, bool keep_cows)
{
	struct zap zap = { .start = start, .end = end, .keep_cows = keep_cows };

	MS_EMIT(ms_vma_machine(vma), .type = MS_EV_ZAP, .mm = vma->vm_mm->id, .va = start,
		.size = end - start);
	ms_pt_for_each_leaf(vma, start, end, zap_leaf, &zap);
}

/* Up to 6.15 a zap or an unmap of a VM_PFNMAP VMA calls untrack_pfn().
 * mirrors unmap_single_vma(), mm/memory.c, 5.10 .. 6.15: of that call */
static void untrack_at_zap(struct ms_vma *vma, bool in_unmap)
{
	const struct ms_machine *m = ms_vma_machine(vma);
	unsigned int level;

	if (!(vma->vm_flags & MS_VM_PFNMAP))
		return;
	switch (m->policy.untrack_at) {
	case MS_UNTRACK_AT_ANY_ZAP:
		break;
	case MS_UNTRACK_AT_UNMAP_ONLY:
		if (!in_unmap)
			return;
		break;
	case MS_UNTRACK_AT_LAST_VMA_FREED:
		return;
	}
	ms_untrack_pfn(vma, 0, 0, ms_pt_walk(vma->vm_mm, vma->vm_start, &level));
}

// mirrors unmap_single_vma(), mm/memory.c, 5.10 .. 7.0; __zap_vma_range(), mm/memory.c, 7.1+
static void unmap_single(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, bool in_unmap,
			 bool keep_cows)
{
	start = ms_max_u64(start, vma->vm_start);
	end = ms_min_u64(end, vma->vm_end);
	if (start >= end)
		return;
	untrack_at_zap(vma, in_unmap);
	ms_vma_hook(vma->vm_mm, MS_HOOK_ZAP_UNTRACKED, start);
	if (ms_vma_is_hugetlb(vma))
		ms_hugetlb_unmap(vma, start, end);
	else
		zap_page_range(vma, start, end, keep_cows);
}

// mirrors unmap_single_vma(), mm/memory.c, 5.10 .. 7.0; __zap_vma_range(), mm/memory.c, 7.1+
void ms_unmap_single_vma(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, bool in_unmap)
{
	unmap_single(vma, start, end, in_unmap, false);
}

/* mirrors zap_page_range_single(), mm/memory.c, 5.10 .. 6.12; zap_vma_range_batched(), mm/memory.c,
 * 7.2+ */
void ms_zap_range_details(struct ms_vma *vma, ms_hva_t addr, uint64_t size, bool keep_cows)
{
	ms_hva_t start = addr, end = addr + size;

	if (vma->vm_mm->mmu_locked) {
		ms_vma_violation(vma, MS_VIOLATION_TEST, "a hook zaps while the mmu lock is held",
				 addr, 0);
		return;
	}
	if (ms_vma_is_hugetlb(vma))
		ms_hugetlb_widen(vma, &start, &end);
	if (ms_vma_machine(vma)->policy.unmap_drains == MS_UNMAP_DRAINS_YES)
		ms_lru_drain(ms_vma_machine(vma));
	ms_mmap_pin(vma->vm_mm);
	ms_notify_start(vma->vm_mm, start, end, MS_NOTIFY_CLEAR);
	unmap_single(vma, addr, addr + size, false, keep_cows);
	ms_notify_end(vma->vm_mm, start, end, MS_NOTIFY_CLEAR);
	ms_mmap_unpin(vma->vm_mm);
}

// mirrors zap_page_range_single(), mm/memory.c, 5.10 .. 6.12; zap_vma_range(), mm/memory.c, 7.2+
void ms_zap_page_range_single(struct ms_vma *vma, ms_hva_t addr, uint64_t size)
{
	ms_zap_range_details(vma, addr, size, false);
}

static bool table_is_empty(const struct ms_machine *m, const uint64_t *table)
{
	for (size_t i = 0; i < (size_t)1 << (m->page_shift - 3); i++)
		if (table[i])
			return false;
	return true;
}

/*
 * Frees the PTE tables that the zap has emptied, if it covered their whole range.
 * mirrors zap_pte_range(), mm/memory.c, 6.14+; zap_pte_table_if_empty(), mm/memory.c, 7.2+. In 6.14
 * it is try_to_free_pte().
 */
static void reclaim_tables(struct ms_vma *vma, ms_hva_t start, ms_hva_t end)
{
	const struct ms_machine *m = ms_vma_machine(vma);
	uint64_t size = ms_pmd_size(m);

	for (ms_hva_t addr = ms_align_up(start, size); addr + size <= end; addr += size) {
		uint64_t *slot = ms_pt_slot(vma->vm_mm, addr, MS_LEVEL_PMD);

		if (!slot || !ms_pte_is_table(*slot) || !table_is_empty(m, ms_pte_table(*slot)))
			continue;
		ms_pt_free_table(vma->vm_mm, ms_pte_table(*slot));
		*slot = 0;
	}
}

// mirrors madvise_dontneed_single_vma(), mm/madvise.c, 5.10+
void ms_zap_dontneed(struct ms_vma *vma, ms_hva_t addr, uint64_t size)
{
	ms_zap_page_range_single(vma, addr, size);
	if (ms_vma_machine(vma)->policy.pte_table_reclaim == MS_PTE_TABLE_RECLAIM_DONTNEED_2M &&
	    !ms_vma_is_hugetlb(vma))
		reclaim_tables(vma, addr, addr + size);
}
