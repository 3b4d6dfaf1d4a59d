/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page frames and the buddy allocator, as the rest of the library sees them.
 */
#ifndef MS_PHYS_INTERNAL_H
#define MS_PHYS_INTERNAL_H

#include "machine/internal.h"

#include <mapsim/phys.h>

/* struct page: one System RAM page. */
struct ms_page {
	uint32_t refcount;    /* holders; of a compound page kept in its head */
	uint32_t mapcount;    /* page-table entries (each PTE 1, a PMD or PUD leaf 1 at the head) */
	uint16_t head_offset; /* pages back to the head of the compound page, saturated: see
				 ms_page_head */
	uint8_t order;        /* head: log2 of its pages. free block's head: its order */
	uint8_t flags;        /* MS_PG_* */
	uint8_t memtype;      /* x86: enum ms_cache of RAM pages' own type */
	uint32_t prev, next;  /* free list, as frame numbers + 1; 0: none */
};

#define MS_PG_FREE 0x01u           /* head of a block on a free list */
#define MS_PG_ANON_EXCLUSIVE 0x02u /* PageAnonExclusive: this process alone may write it */
#define MS_PG_ANON 0x04u
#define MS_PG_TAIL 0x08u
#define MS_PG_HUGETLB 0x10u

#define MS_MAX_ORDER 18u /* largest block: 1G with 4K pages */

/* The frame of a RAM pfn, NULL when pfn is not RAM (or memory for its section cannot be had). */
struct ms_page *ms_pfn_to_page(struct ms_machine *m, ms_pfn_t pfn);

/*
 * A naturally aligned block of 2^order pages with one reference on its head; order 0 is a plain
 * page. false: no RAM left, or no memory for frames.
 */
bool ms_page_alloc(struct ms_machine *m, unsigned int order, uint8_t flags, ms_pfn_t *pfn);
/* The head of the compound page that pfn is in (pfn itself for a plain page). */
ms_pfn_t ms_page_head(struct ms_machine *m, ms_pfn_t pfn);
/* One more / one fewer holder of the compound page; the last put gives it back. */
void ms_page_get(struct ms_machine *m, ms_pfn_t pfn, uint32_t n);
void ms_page_put(struct ms_machine *m, ms_pfn_t pfn, uint32_t n);

/* pat_pagerange_is_ram: 0 none, 1 RAM, -1 mixed, with the kernel's blind spots. */
int ms_pagerange_is_ram(const struct ms_machine *m, ms_pa_t start, ms_pa_t end);
/* MTRR type of [start, end): enum ms_cache, or -1: mixed or unknown. */
int ms_mtrr_type(const struct ms_machine *m, ms_pa_t start, ms_pa_t end);
/* The device that contains pa, or NULL; next device in order of creation. */
struct ms_device *ms_device_at(const struct ms_machine *m, ms_pa_t pa);
struct ms_device *ms_device_next(const struct ms_machine *m, const struct ms_device *dev);

#endif
