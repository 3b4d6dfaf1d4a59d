/* SPDX-License-Identifier: GPL-2.0-only */
/* MADV_COLLAPSE of a memory file. The page cache changes for everybody who maps the file. */
#include "mm/collapse.h"
#include "mm/lock.h"
#include "mm/memfile.h"
#include "mm/pgtable.h"

/* A block of the page cache: 2^order pages from `first` on, aligned. */
struct block {
	struct ms_mapping *mapping;
	uint64_t first, npages;
};

static struct block block_of(const struct ms_vma *vma, ms_hva_t addr)
{
	return (struct block){
		.mapping = vma->vm_file->mapping,
		.first = ms_vma_pgoff_of(vma, addr),
		.npages = UINT64_C(1) << ms_pmd_order(ms_vma_machine(vma)),
	};
}

static bool is_huge(const struct block *b)
{
	struct ms_machine *m = b->mapping->machine;
	ms_pfn_t pfn = ms_cache_find(b->mapping, b->first);

	return pfn && ms_folio_order(m, pfn) == ms_pmd_order(m);
}

static bool is_empty(const struct block *b)
{
	for (uint64_t i = 0; i < b->npages; i++)
		if (ms_cache_find(b->mapping, b->first + i))
			return false;
	return true;
}

/* ---- old pages out, the new one in ---- */

static void unmap_entry(struct ms_vma *vma, uint64_t *slot, ms_hva_t addr, unsigned int level,
			void *arg)
{
	uint64_t entry = *slot;
	ms_pfn_t pfn = ms_pte_pfn(ms_vma_machine(vma), entry);

	(void)addr;
	// copies in private mappings stay
	if ((entry & MS_PTE_SPECIAL) || ms_page_head(ms_vma_machine(vma), pfn) != *(ms_pfn_t *)arg)
		return;
	*slot = 0;
	ms_drop_leaf(vma, entry, level);
}

/*
 * Unmaps a folio of the block, all of whose entries map single pages, from one VMA after another
 * until no entry is left.
 * mirrors try_to_unmap(), mm/rmap.c, 5.10+
 */
static void unmap_folio(const struct block *b, uint64_t index, ms_pfn_t head, uint64_t npages)
{
	const struct ms_page *page = ms_pfn_to_page(b->mapping->machine, head);
	const uint64_t last = index + npages - 1;
	struct ms_vma *vma;

	for (vma = ms_i_mmap_first(b->mapping, index, last); vma && page->refcount > npages;
	     vma = ms_i_mmap_next(vma, index, last)) {
		ms_hva_t start, end;

		ms_vma_shows(vma, index, last, &start, &end);
		ms_notify_start(vma->vm_mm, start, end, MS_NOTIFY_CLEAR);
		ms_pt_for_each_leaf(vma, start, end, unmap_entry, &head);
		ms_notify_end(vma->vm_mm, start, end, MS_NOTIFY_CLEAR);
	}
}

/* Indices without a page get their part of the new page first: this is the only step that needs
 * memory. */
static bool fill_holes(const struct block *b, ms_pfn_t pfn, uint64_t *filled)
{
	for (*filled = 0; *filled < b->npages; (*filled)++) {
		uint64_t index = b->first + *filled;

		if (!ms_cache_find(b->mapping, index) &&
		    ms_cache_set(b->mapping, index, pfn + *filled))
			return false;
	}
	return true;
}

static void empty_holes(const struct block *b, ms_pfn_t pfn, uint64_t filled)
{
	for (uint64_t i = 0; i < filled; i++)
		if (ms_cache_find(b->mapping, b->first + i) == pfn + i)
			ms_cache_set(b->mapping, b->first + i, 0);
}

static void replace_pages(const struct block *b, ms_pfn_t pfn)
{
	struct ms_machine *m = b->mapping->machine;

	for (uint64_t i = 0; i < b->npages; i++) {
		uint64_t index = b->first + i;
		ms_pfn_t old = ms_cache_find(b->mapping, index), head;

		if (old == pfn + i)
			continue;
		head = ms_folio_head(m, old);
		if (old == head)
			unmap_folio(b, index, head, UINT64_C(1) << ms_folio_order(m, head));
		ms_cache_set(b->mapping, index, pfn + i);
		ms_page_put(m, old, 1);
	}
}

/* As far as the page cache; page tables follow.
 * mirrors collapse_file(), mm/khugepaged.c, 5.10+ */
static enum ms_scan collapse_pages(const struct ms_vma *vma, ms_hva_t addr, const struct block *b)
{
	struct ms_machine *m = b->mapping->machine;
	uint64_t filled;
	ms_pfn_t pfn;

	if (!ms_page_alloc(m, ms_pmd_order(m), 0, &pfn))
		return ms_scan_refuse(vma, addr, MS_SCAN_NO_MEMORY, "no huge page of RAM is free");
	if (is_empty(b) || ms_cache_reserve(b->mapping, b->first + b->npages)) {
		ms_page_put(m, pfn, 1);
		return ms_scan_refuse(vma, addr, MS_SCAN_STOP,
				      "no page of the block is cached, or none can be");
	}
	if (!fill_holes(b, pfn, &filled)) {
		empty_holes(b, pfn, filled);
		ms_page_put(m, pfn, 1);
		return ms_scan_refuse(vma, addr, MS_SCAN_STOP, "no memory for the page cache");
	}
	replace_pages(b, pfn);
	// the cache has one reference for each index
	ms_page_get(m, pfn, (uint32_t)b->npages - 1);
	return MS_SCAN_SUCCEED;
}

/* ---- page tables ---- */

/* Frees the table at addr, which holds no entry any more. */
static void retract_table(struct ms_mm *mm, ms_hva_t addr, uint64_t *slot)
{
	ms_hva_t end = addr + ms_pmd_size(mm->machine);
	uint64_t *table = ms_pte_table(*slot);

	ms_notify_start(mm, addr, end, MS_NOTIFY_CLEAR);
	*slot = 0;
	ms_pt_free_table(mm, table);
	ms_notify_end(mm, addr, end, MS_NOTIFY_CLEAR);
}

/* Takes the table out of every mapping that could have the leaf and holds no private copies.
 * mirrors retract_page_tables(), mm/khugepaged.c, 6.6+ */
static void retract_all(const struct block *b)
{
	const struct ms_machine *m = b->mapping->machine;
	struct ms_vma *vma;

	for (vma = ms_i_mmap_first(b->mapping, b->first, b->first); vma;
	     vma = ms_i_mmap_next(vma, b->first, b->first)) {
		ms_hva_t addr = vma->vm_start + ((b->first - vma->vm_pgoff) << m->page_shift);
		uint64_t *slot = ms_pt_slot(vma->vm_mm, addr, MS_LEVEL_PMD);

		if (!vma->anon_vma && ms_aligned(addr, ms_pmd_size(m)) &&
		    addr + ms_pmd_size(m) <= vma->vm_end && slot && ms_pte_is_table(*slot))
			retract_table(vma->vm_mm, addr, slot);
	}
}

// mirrors set_huge_pmd(), mm/khugepaged.c, 6.1+; do_set_pmd(), mm/memory.c, 5.10+
static enum ms_scan install_leaf(struct ms_vma *vma, const struct block *b, uint64_t *slot)
{
	struct ms_machine *m = ms_vma_machine(vma);
	ms_pfn_t pfn = ms_cache_find(b->mapping, b->first);

	ms_page_get(m, pfn, 1);
	*slot = ms_fault_entry(vma, pfn, false);
	return MS_SCAN_SUCCEED;
}

/* Are all entries of the table empty, or those of the huge page's own pages? */
static bool maps_block_only(const struct block *b, const uint64_t *table)
{
	const struct ms_machine *m = b->mapping->machine;
	ms_pfn_t pfn = ms_cache_find(b->mapping, b->first);

	for (uint64_t i = 0; i < b->npages; i++)
		if (!ms_pte_none(table[i]) &&
		    ((table[i] & MS_PTE_SPECIAL) || ms_pte_pfn(m, table[i]) != pfn + i))
			return false;
	return true;
}

/*
 * The block is huge in the page cache; the caller's entries become a leaf.
 * mirrors collapse_pte_mapped_thp(), mm/khugepaged.c, 5.10+; try_collapse_pte_mapped_thp(),
 * mm/khugepaged.c, 7.2+
 */
static enum ms_scan install_over_pages(struct ms_vma *vma, ms_hva_t addr, const struct block *b)
{
	struct ms_mm *mm = vma->vm_mm;
	struct ms_machine *m = mm->machine;
	const ms_hva_t end = addr + ms_pmd_size(m);
	uint64_t *slot = ms_pt_slot(mm, addr, MS_LEVEL_PMD), *table;

	if (!slot && m->policy.collapse_file == MS_COLLAPSE_FILE_ALL_TABLES_AND_NEW) {
		slot = ms_pt_alloc_slot(mm, addr, MS_LEVEL_PMD);
		if (!slot)
			return ms_scan_refuse(vma, addr, MS_SCAN_STOP, "no memory for a table");
	}
	if (!slot)
		return ms_scan_refuse(vma, addr, MS_SCAN_REFUSED, MS_SCAN_EMPTY);
	if (ms_pte_none(*slot))
		return install_leaf(vma, b, slot);
	if (ms_pte_is_leaf(*slot))
		return MS_SCAN_SUCCEED;
	table = ms_pte_table(*slot);
	if (!maps_block_only(b, table))
		return ms_scan_refuse(vma, addr, MS_SCAN_STOP,
				      "the block maps other pages than the file's");
	ms_notify_start(mm, addr, end, MS_NOTIFY_CLEAR);
	*slot = 0;
	for (uint64_t i = 0; i < b->npages; i++)
		if (!ms_pte_none(table[i]))
			ms_drop_leaf(vma, table[i], MS_LEVEL_PTE);
	ms_pt_free_table(mm, table);
	ms_notify_end(mm, addr, end, MS_NOTIFY_CLEAR);
	return install_leaf(vma, b, slot);
}

/* The leaf takes the place of the caller's table; others are left to khugepaged.
 * mirrors retract_page_tables(), mm/khugepaged.c, 6.1 .. 6.5 */
static enum ms_scan retract_callers(struct ms_vma *vma, ms_hva_t addr, const struct block *b)
{
	uint64_t *slot = ms_pt_slot(vma->vm_mm, addr, MS_LEVEL_PMD);

	if (vma->anon_vma)
		return ms_scan_refuse(vma, addr, MS_SCAN_STOP, "the VMA may have copied pages");
	if (!slot)
		return ms_scan_refuse(vma, addr, MS_SCAN_REFUSED, MS_SCAN_EMPTY);
	if (ms_pte_is_leaf(*slot))
		return MS_SCAN_SUCCEED;
	if (ms_pte_none(*slot))
		return ms_scan_refuse(vma, addr, MS_SCAN_STOP, MS_SCAN_EMPTY);
	retract_table(vma->vm_mm, addr, slot);
	return install_leaf(vma, b, slot);
}

/* mirrors hpage_collapse_scan_file(), mm/khugepaged.c, 6.1 .. 6.12; collapse_scan_file(),
 * mm/khugepaged.c, 7.2+ */
enum ms_scan ms_collapse_file(struct ms_vma *vma, ms_hva_t addr)
{
	const struct block b = block_of(vma, addr);
	enum ms_scan result;

	if (is_huge(&b))
		return install_over_pages(vma, addr, &b);
	if (ms_folio_is_locked(b.mapping, b.first, b.first + b.npages, 1))
		return ms_scan_refuse(vma, addr, MS_SCAN_LOCKED,
				      "a hook's caller holds a page of the block");
	result = collapse_pages(vma, addr, &b);
	if (result != MS_SCAN_SUCCEED)
		return result;
	if (b.mapping->machine->policy.collapse_file == MS_COLLAPSE_FILE_CALLER_ONLY)
		return retract_callers(vma, addr, &b);
	retract_all(&b);
	return install_over_pages(vma, addr, &b);
}
