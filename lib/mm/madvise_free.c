/* SPDX-License-Identifier: GPL-2.0-only */
/* MADV_FREE, MADV_COLD and MADV_PAGEOUT. A huge page that only this process has, and that the range
 * cuts, is split. */
#include "mm/anon_folio.h"
#include "mm/madvise.h"
#include "mm/memfile.h"
#include "mm/pgtable.h"
#include "phys/split.h"

struct lazy {
	struct ms_vma *vma;
	ms_hva_t start, end;
	uint64_t clear; // bits that entries lose
	bool free;      // MADV_FREE
};

/*
 * The folio is unmapped for a moment, so that nobody uses it during the split. Each VMA's notifiers
 * are called, until none of its pages is mapped.
 * mirrors try_to_migrate(), mm/rmap.c, 6.1+
 */
static void notify_split(const struct ms_anon_folio *f, uint64_t mapped)
{
	struct ms_mm *mm = f->vma->vm_mm;
	struct ms_vma *vma = NULL;
	ms_hva_t start, end;

	while (mapped && (vma = ms_anon_folio_next_vma(f, vma))) {
		ms_anon_folio_range(f, vma, &start, &end);
		if (mm->machine->policy.anon_split_notify == MS_ANON_SPLIT_NOTIFY_TWICE)
			ms_split_huge_pmd(vma, start);
		ms_notify_start(mm, start, end, MS_NOTIFY_CLEAR);
		ms_notify_end(mm, start, end, MS_NOTIFY_CLEAR);
		mapped -= ms_anon_folio_mapped_in(f, vma);
	}
}

/* A page in which nobody has stored anything is replaced by the zero page.
 * mirrors try_to_map_unused_to_zeropage(), mm/migrate.c, 6.12+ */
static void map_zero_page(const struct ms_anon_folio *f, uint64_t i,
			  const struct ms_anon_place *place)
{
	struct ms_machine *m = ms_vma_machine(f->vma);
	ms_pfn_t zero;

	if (m->policy.anon_split_zero == MS_ANON_SPLIT_ZERO_STAYS ||
	    (place->vma->vm_flags & MS_VM_LOCKED) ||
	    (ms_pfn_to_page(m, f->head + i)->flags & MS_PG_WRITTEN))
		return;
	zero = ms_zero_pfn(m);
	if (!zero)
		return;
	*place->slot = ms_mk_pte(m, zero, place->vma->vm_page_prot) | MS_PTE_SPECIAL;
	ms_page_put(m, f->head + i, 1);
}

/*
 * Splits a folio that is mapped by pages, and in this process alone. Pages that are not mapped are
 * freed.
 * mirrors split_huge_page_to_list(), mm/huge_memory.c, 5.10 .. 6.1;
 * split_huge_page_to_list_to_order(), mm/huge_memory.c, 6.12 .. 6.12; __folio_split(),
 * mm/huge_memory.c, 7.2+
 */
static void split_pages(const struct ms_anon_folio *f, uint64_t mapped)
{
	struct ms_machine *m = ms_vma_machine(f->vma);
	const uint64_t npages = UINT64_C(1) << f->order;
	const uint32_t missing = (uint32_t)(npages - mapped);

	// The split gives each page one reference; pages that are not mapped lose it again.
	if (missing)
		ms_page_get(m, f->head, missing);
	if (!ms_page_split(m, f->head, 0)) {
		if (missing)
			ms_page_put(m, f->head, missing);
		return;
	}
	for (uint64_t i = 0; i < npages; i++) {
		struct ms_anon_place place = ms_anon_folio_find(f, i);

		if (place.slot)
			map_zero_page(f, i, &place);
		else
			ms_page_put(m, f->head + i, 1);
	}
}

/* ---- entries ---- */

/* A PMD leaf. true: it was split, and its pages are still to be looked at one by one.
 * mirrors madvise_free_huge_pmd(), mm/huge_memory.c, 5.10+ */
static bool age_pmd(const struct lazy *lz, uint64_t *slot, ms_hva_t addr, ms_hva_t end)
{
	struct ms_machine *m = ms_vma_machine(lz->vma);
	struct ms_anon_folio f = {
		.vma = lz->vma,
		.head = ms_pte_pfn(m, *slot),
		.order = ms_pmd_order(m),
		.addr = ms_align_down(addr, ms_pmd_size(m)),
	};
	const struct ms_page *page = ms_pfn_to_page(m, f.head);

	if ((*slot & MS_PTE_SPECIAL) || ms_is_huge_zero_pfn(m, f.head) || !page)
		return false;
	if (!ms_vma_is_anonymous(lz->vma) || end - addr == ms_pmd_size(m)) {
		if (page->refcount == 1 || !ms_vma_is_anonymous(lz->vma))
			*slot &= ~lz->clear;
		return false;
	}
	if (page->refcount != 1)
		return false;
	if (m->policy.anon_split_notify == MS_ANON_SPLIT_NOTIFY_TWICE)
		notify_split(&f, UINT64_C(1) << f.order);
	else
		ms_split_huge_pmd(lz->vma, addr);
	split_pages(&f, UINT64_C(1) << f.order);
	return true;
}

/* Splits the huge page that pfn is in, where it is mapped by pages. */
static void split_if_cut(const struct lazy *lz, ms_hva_t addr, ms_pfn_t pfn)
{
	struct ms_machine *m = ms_vma_machine(lz->vma);
	struct ms_anon_folio f = { .vma = lz->vma, .head = ms_page_head(m, pfn) };
	const struct ms_page *head = ms_pfn_to_page(m, f.head);
	uint64_t npages, mapped;
	ms_hva_t end;

	if (!head || !head->order || !(head->flags & MS_PG_ANON))
		return;
	f.order = head->order;
	f.addr = addr - ((pfn - f.head) << m->page_shift);
	npages = UINT64_C(1) << f.order;
	end = f.addr + (npages << m->page_shift);
	if (head->refcount > npages)
		return;
	mapped = ms_anon_folio_mapped(&f);
	if (head->refcount != mapped)
		return;
	if (m->policy.madv_free_splits == MS_MADV_FREE_SPLITS_CUT_ONLY && f.addr >= lz->start &&
	    end <= lz->end && ms_anon_folio_mapped_in(&f, f.vma) == npages)
		return;
	notify_split(&f, mapped);
	split_pages(&f, mapped);
}

// mirrors madvise_free_pte_range() and madvise_cold_or_pageout_pte_range(), mm/madvise.c, 5.10+
static void age_table(const struct lazy *lz, ms_hva_t addr, ms_hva_t end)
{
	struct ms_machine *m = ms_vma_machine(lz->vma);
	uint64_t *slot = ms_pt_slot(lz->vma->vm_mm, addr, MS_LEVEL_PTE);

	for (; addr < end; addr += m->page_size, slot++) {
		if (!ms_pte_present(*slot) || (*slot & MS_PTE_SPECIAL))
			continue;
		if (ms_vma_is_anonymous(lz->vma))
			split_if_cut(lz, addr, ms_pte_pfn(m, *slot));
		*slot &= ~lz->clear;
		if (lz->free)
			ms_lru_lazyfree(m, ms_pte_pfn(m, *slot));
	}
}

static void age_range(const struct lazy *lz)
{
	const uint64_t size = ms_pmd_size(ms_vma_machine(lz->vma));

	for (ms_hva_t addr = lz->start, next; addr < lz->end; addr = next) {
		uint64_t *slot = ms_pt_slot(lz->vma->vm_mm, addr, MS_LEVEL_PMD);

		next = ms_min_u64(ms_align_down(addr, size) + size, lz->end);
		if (!slot || ms_pte_none(*slot))
			continue;
		if (ms_pte_is_table(*slot) || age_pmd(lz, slot, addr, next))
			age_table(lz, addr, next);
	}
}

// mirrors madvise_free_single_vma(), mm/madvise.c, 5.10+
int ms_madvise_free(struct ms_vma *vma, ms_hva_t start, ms_hva_t end)
{
	const struct lazy lz = {
		.vma = vma,
		.start = start,
		.end = end,
		.clear = MS_PTE_YOUNG | MS_PTE_DIRTY,
		.free = true,
	};

	if (!ms_vma_is_anonymous(vma))
		return ms_refuse(ms_vma_machine(vma), -EINVAL, MS_VMA_WORDS " is not anonymous",
				 MS_VMA_NUMBERS(vma));
	ms_lru_drain(ms_vma_machine(vma));
	ms_notify_start(vma->vm_mm, start, end, MS_NOTIFY_CLEAR);
	age_range(&lz);
	ms_notify_end(vma->vm_mm, start, end, MS_NOTIFY_CLEAR);
	return 0;
}

// mirrors madvise_cold() and madvise_pageout(), mm/madvise.c, 5.10+
void ms_madvise_cold(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, bool pageout)
{
	const struct lazy lz = {
		.vma = vma,
		.start = start,
		.end = end,
		.clear = pageout ? 0 : MS_PTE_YOUNG,
	};

	ms_lru_drain(ms_vma_machine(vma));
	age_range(&lz);
}
