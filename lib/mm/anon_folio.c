/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the pages of an anonymous huge page are mapped: rmap_walk_anon(), mm/rmap.c. */
#include "mm/anon_folio.h"

/* vma_address(): where page i of the folio would be mapped by vma; false: vma does not show it */
static bool address_in(const struct ms_anon_folio *f, const struct ms_vma *vma, uint64_t i,
		       ms_hva_t *addr)
{
	const unsigned int shift = ms_vma_machine(vma)->page_shift;
	// The sums may wrap: f->addr may lie below its VMA.
	uint64_t pgoff = f->vma->vm_pgoff + ((f->addr - f->vma->vm_start) >> shift);

	pgoff &= UINT64_MAX >> shift;
	*addr = vma->vm_start + ((pgoff + i - vma->vm_pgoff) << shift);
	return *addr >= vma->vm_start && *addr < vma->vm_end;
}

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

/* rmap_walk_anon(): a page that mremap moved keeps its page offset, and so does its new VMA */
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

uint64_t ms_anon_folio_mapped(const struct ms_anon_folio *f, uint64_t *in_place)
{
	uint64_t n = 0;

	*in_place = 0;
	for (uint64_t i = 0; i < UINT64_C(1) << f->order; i++) {
		struct ms_anon_place place = ms_anon_folio_find(f, i);

		n += place.slot != NULL;
		*in_place += place.slot && place.vma == f->vma;
	}
	return n;
}
