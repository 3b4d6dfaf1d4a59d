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
	uint32_t refcount; /* holders; of a compound page kept in its head */
	uint32_t counted;  /* holders that ms_machine_check() has met; 0 outside of it */
	uint8_t order;     /* log2 of the pages of the compound page that it is in, head or tail */
	uint8_t flags;     /* MS_PG_*; those given to ms_page_alloc are set in each of its pages */
	uint8_t active;    /* lib/mm: 1: PageReferenced, 2: PageActive, of anonymous pages */
	uint8_t memtype;   /* x86: enum ms_cache of RAM pages' own type; survives a free */
};

#define MS_PG_DOUBLE_MAP 0x01u /* PageDoubleMap: leaves of it were split, and others were not */
/* hugetlb_restore_reserve, of hugetlb pages: with the page a reservation comes back */
#define MS_PG_RESTORE_RESERVE MS_PG_DOUBLE_MAP
/* !PageSwapBacked, of anonymous pages that are not compound: MADV_FREE has met it before */
#define MS_PG_LAZYFREE MS_PG_DOUBLE_MAP
#define MS_PG_ANON_EXCLUSIVE 0x02u /* PageAnonExclusive: this process alone may write it */
#define MS_PG_ANON 0x04u
#define MS_PG_TAIL 0x08u /* of a compound page, not its first page */
#define MS_PG_HUGETLB 0x10u
#define MS_PG_RESERVED 0x20u /* never handed out: below 1 MiB (x86), page 0 */
#define MS_PG_MLOCKED 0x80u  /* lib/mm, up to 5.15: mlock has taken it off its LRU list */
#define MS_PG_WRITTEN 0x40u  /* somebody stored something: no longer all zeroes; each page's own */

#define MS_MAX_ORDER 18u /* largest block: 1G with 4K pages */

/* Frames come into being so many at a time, aligned: where one exists, all of them do. */
#define MS_FRAMES_AT_ONCE 512u

/* The frame of a RAM pfn, NULL when pfn is not RAM (or memory for its section cannot be had). */
struct ms_page *ms_pfn_to_page(struct ms_machine *m, ms_pfn_t pfn);

/*
 * A naturally aligned block of 2^order pages with one reference on its head; order 0 is a plain
 * page. false: no RAM left, or no memory for frames.
 */
bool ms_page_alloc(struct ms_machine *m, unsigned int order, uint8_t flags, ms_pfn_t *pfn);
/* The head of the compound page that pfn is in (pfn itself for a plain page). */
ms_pfn_t ms_page_head(struct ms_machine *m, ms_pfn_t pfn);
/* A store into a page (of anonymous ones alone is noted); the content of another page's copy. */
void ms_page_write(struct ms_machine *m, ms_pfn_t pfn);
void ms_page_copy(struct ms_machine *m, ms_pfn_t to, ms_pfn_t from);
/*
 * n more / n fewer holders of the compound page; the last put gives it back. The first get of a
 * page that nobody holds takes it from the free pages. A pfn that is not RAM is left alone.
 */
void ms_page_get(struct ms_machine *m, ms_pfn_t pfn, uint32_t n);
void ms_page_put(struct ms_machine *m, ms_pfn_t pfn, uint32_t n);

/* All pages of System RAM. */
uint64_t ms_ram_pages(const struct ms_machine *m);

/* Whether a page that [start, end) touches is RAM. */
bool ms_range_has_ram(const struct ms_machine *m, ms_pa_t start, ms_pa_t end);
/* pat_pagerange_is_ram: 0 none, 1 RAM, -1 mixed, with the kernel's blind spots. */
int ms_pagerange_is_ram(const struct ms_machine *m, ms_pa_t start, ms_pa_t end);
/* MTRR type of [start, end): enum ms_cache, or -1: mixed or unknown. */
int ms_mtrr_type(const struct ms_machine *m, ms_pa_t start, ms_pa_t end);
/* The first device that ends after pa, or NULL. */
struct ms_device *ms_device_after(const struct ms_phys *phys, ms_pa_t pa);
/* The device that contains pa, or NULL; next device in order of creation. */
struct ms_device *ms_device_at(const struct ms_machine *m, ms_pa_t pa);
struct ms_device *ms_device_next(const struct ms_machine *m, const struct ms_device *dev);
/* The CPU, at addr of a process or a guest, accesses pa. To be told while m->devices_off. */
void ms_device_accessed(struct ms_machine *m, uint64_t addr, ms_pa_t pa);
struct ms_machine *ms_device_machine(const struct ms_device *dev);
bool ms_device_prefetchable(const struct ms_device *dev);

#endif
