/* SPDX-License-Identifier: GPL-2.0-only */
/* An anonymous huge page whose leaf may have been split, and its pages' entries in one process. */
#ifndef MS_MM_ANON_FOLIO_H
#define MS_MM_ANON_FOLIO_H

#include "mm/internal.h"

/* `vma` maps one of its pages; `addr` is where the first page would be, maybe below the VMA. */
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

/* Where page i is mapped: in f->vma, or else in a VMA that mremap moved it to. */
struct ms_anon_place ms_anon_folio_find(const struct ms_anon_folio *f, uint64_t i);

/*
 * Goes through the VMAs of this process whose range covers a part of the folio, whether or not they
 * map it: the one after `prev`, the first one if `prev` is NULL; NULL: no more. Costs O(number of
 * VMAs) where several share its anon_vma.
 */
struct ms_vma *ms_anon_folio_next_vma(const struct ms_anon_folio *f, const struct ms_vma *prev);
/* The part of vma's range that covers the folio; false: there is none. */
bool ms_anon_folio_range(const struct ms_anon_folio *f, const struct ms_vma *vma, ms_hva_t *start,
			 ms_hva_t *end);
/* How many of its pages vma maps. */
uint64_t ms_anon_folio_mapped_in(const struct ms_anon_folio *f, const struct ms_vma *vma);
/* How many entries of this process map one of its pages. */
uint64_t ms_anon_folio_mapped(const struct ms_anon_folio *f);

#endif
