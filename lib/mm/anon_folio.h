/* SPDX-License-Identifier: GPL-2.0-only */
/* An anonymous huge page whose leaf may have been split, and its pages' entries in one process. */
#ifndef MS_MM_ANON_FOLIO_H
#define MS_MM_ANON_FOLIO_H

#include "mm/internal.h"

/* vma maps one of its pages; addr: where it would map the first, which may lie below the VMA. */
struct ms_anon_folio {
	struct ms_vma *vma;
	ms_pfn_t head;
	unsigned int order;
	ms_hva_t addr;
};

/* Where a page of it is mapped. */
struct ms_anon_place {
	struct ms_vma *vma;
	uint64_t *slot; // NULL: nowhere
};

/* Page i: where vma has it by its address, else a VMA that mremap moved it to. */
struct ms_anon_place ms_anon_folio_find(const struct ms_anon_folio *f, uint64_t i);

/*
 * rmap_walk_anon(), as far as this process goes: the VMAs that show a part of it, whether or not
 * they map it. prev: the one before, NULL: none. O(number of VMAs) where several have its anon_vma.
 */
struct ms_vma *ms_anon_folio_next_vma(const struct ms_anon_folio *f, const struct ms_vma *prev);
/* vma_address() and vma_address_end(): where vma shows it; false: nowhere */
bool ms_anon_folio_range(const struct ms_anon_folio *f, const struct ms_vma *vma, ms_hva_t *start,
			 ms_hva_t *end);
/* How many of its pages vma maps. */
uint64_t ms_anon_folio_mapped_in(const struct ms_anon_folio *f, const struct ms_vma *vma);
/* folio_mapcount(), as far as this process goes */
uint64_t ms_anon_folio_mapped(const struct ms_anon_folio *f);

#endif
