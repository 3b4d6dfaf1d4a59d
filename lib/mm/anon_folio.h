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
/* folio_mapcount(), as far as this process goes; *in_place: of these, where f->addr says */
uint64_t ms_anon_folio_mapped(const struct ms_anon_folio *f, uint64_t *in_place);

#endif
