/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the pages of an anonymous huge page are mapped in one process. */
#include "mm/anon_folio.h"
#include "mm/pgtable.h"

/*
 * The page offset of the folio's first page.
 * mirrors page_to_pgoff(), include/linux/pagemap.h, 5.10 .. 6.12; page_pgoff(),
 * include/linux/pagemap.h, 7.2+
 */
static uint64_t first_pgoff(const struct ms_anon_folio *f)
{
	const unsigned int shift = ms_vma_machine(f->vma)->page_shift;
	// The sum may wrap: f->addr may lie below its VMA.
	uint64_t pgoff = f->vma->vm_pgoff + ((f->addr - f->vma->vm_start) >> shift);

	return pgoff & UINT64_MAX >> shift;
}

/* Where vma would map page i of the folio; false: the page lies outside of vma.
 * mirrors vma_address(), mm/internal.h, 5.10 .. 7.2; vma_anon_address(), mm/internal.h, 7.3+ */
static bool address_in(const struct ms_anon_folio *f, const struct ms_vma *vma, uint64_t i,
		       ms_hva_t *addr)
{
	const unsigned int shift = ms_vma_machine(vma)->page_shift;

	*addr = vma->vm_start + ((first_pgoff(f) + i - vma->vm_pgoff) << shift);
	return *addr >= vma->vm_start && *addr < vma->vm_end;
}

/* May pages of one VMA be found by way of the other? Before a fork both may have shared one
 * anon_vma, and a child's VMAs stay linked with it. */
static bool is_related(const struct ms_vma *a, const struct ms_vma *b)
{
	return a->anon_vma && b->anon_vma && a->anon_vma->root == b->anon_vma->root;
}

/* mirrors vma_address(), mm/internal.h, 5.10 .. 7.2; vma_anon_address(), mm/internal.h, 7.3+;
 * vma_address_end(), mm/internal.h, 5.10+ */
bool ms_anon_folio_range(const struct ms_anon_folio *f, const struct ms_vma *vma, ms_hva_t *start,
			 ms_hva_t *end)
{
	const unsigned int shift = ms_vma_machine(vma)->page_shift;
	uint64_t first = first_pgoff(f), behind = first + (UINT64_C(1) << f->order);
	uint64_t from = vma->vm_pgoff, to = from + ((vma->vm_end - vma->vm_start) >> shift);

	if (!is_related(f->vma, vma) || first >= to || behind <= from)
		return false;
	*start = vma->vm_start + ((ms_max_u64(first, from) - from) << shift);
	*end = vma->vm_start + ((ms_min_u64(behind, to) - from) << shift);
	return true;
}

/*
 * The order of VMAs in the tree of an anon_vma, by page offset.
 * mirrors anon_vma_interval_tree_foreach(), include/linux/mm.h, 5.10 .. 7.2;
 * anon_rmap_tree_foreach(), include/linux/mm.h, 7.3+
 */
static bool comes_before(const struct ms_vma *a, const struct ms_vma *b)
{
	return a->vm_pgoff != b->vm_pgoff ? a->vm_pgoff < b->vm_pgoff : a->vm_start < b->vm_start;
}

// mirrors rmap_walk_anon(), mm/rmap.c, 5.10+
struct ms_vma *ms_anon_folio_next_vma(const struct ms_anon_folio *f, const struct ms_vma *prev)
{
	struct ms_vma *next = NULL;
	ms_hva_t start, end;

	if (f->vma->anon_vma && f->vma->anon_vma->refcount == 1 && f->vma->anon_chain == 1)
		return prev ? NULL : f->vma;
	for (struct ms_vma *vma = ms_find_vma(f->vma->vm_mm, 0); vma; vma = ms_vma_next(vma))
		if (ms_anon_folio_range(f, vma, &start, &end) &&
		    (!prev || comes_before(prev, vma)) && (!next || comes_before(vma, next)))
			next = vma;
	return next;
}

/* The entry by which vma maps page i of the folio; NULL: it does not. */
static uint64_t *slot_in(const struct ms_anon_folio *f, const struct ms_vma *vma, uint64_t i)
{
	const struct ms_machine *m = ms_vma_machine(vma);
	unsigned int level;
	ms_hva_t addr;
	uint64_t entry;

	if (!address_in(f, vma, i, &addr))
		return NULL;
	entry = ms_pt_walk(vma->vm_mm, addr, &level);
	if (level != MS_LEVEL_PTE || !ms_pte_present(entry) || ms_pte_pfn(m, entry) != f->head + i)
		return NULL;
	return ms_pt_slot(vma->vm_mm, addr, MS_LEVEL_PTE);
}

/* A page that mremap moved keeps its page offset, and so does its new VMA.
 * mirrors rmap_walk_anon(), mm/rmap.c, 5.10+ */
struct ms_anon_place ms_anon_folio_find(const struct ms_anon_folio *f, uint64_t i)
{
	struct ms_anon_place place = { .vma = f->vma, .slot = slot_in(f, f->vma, i) };

	if (place.slot)
		return place;
	for (place.vma = ms_find_vma(f->vma->vm_mm, 0); place.vma;
	     place.vma = ms_vma_next(place.vma)) {
		if (place.vma == f->vma || !place.vma->anon_vma)
			continue;
		place.slot = slot_in(f, place.vma, i);
		if (place.slot)
			break;
	}
	return place;
}

uint64_t ms_anon_folio_mapped_in(const struct ms_anon_folio *f, const struct ms_vma *vma)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < UINT64_C(1) << f->order; i++)
		n += slot_in(f, vma, i) != NULL;
	return n;
}

/* mirrors total_mapcount(), mm/huge_memory.c, 5.10 .. 5.10; folio_mapcount(), include/linux/mm.h,
 * 6.12+ */
uint64_t ms_anon_folio_mapped(const struct ms_anon_folio *f)
{
	uint64_t n = 0;

	for (const struct ms_vma *vma = ms_anon_folio_next_vma(f, NULL); vma;
	     vma = ms_anon_folio_next_vma(f, vma))
		n += ms_anon_folio_mapped_in(f, vma);
	return n;
}
