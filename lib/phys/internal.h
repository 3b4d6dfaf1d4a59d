/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page frames and the buddy allocator, as the rest of the library sees them.
 */
#ifndef MS_PHYS_INTERNAL_H
#define MS_PHYS_INTERNAL_H

#include "core/core.h"

#include <mapsim/phys.h>

struct ms_check;

/* struct page: one System RAM page. */
struct ms_page {
	uint32_t refcount;  /* holders; those of a compound page are counted in its head */
	uint8_t order;      /* log2 of the pages of the compound page that it is in, head or tail */
	uint8_t flags;      /* MS_PG_*; ms_page_alloc() sets those given to it in each page */
	uint8_t active : 2; /* mm/lru.c: PageReferenced and PageActive, of anonymous pages */
	uint8_t driver : 1; /* lib/linux: driver code has allocated it */
	uint8_t part : 1;   /* of a block of plain pages (blocks.c), and without a reference */
	uint8_t slab : 1;   /* PageSlab */
	uint8_t large : 1;  /* of a kmalloc that no slab serves */
	uint8_t locked : 1; /* PageLocked, by driver code */
	uint8_t raw : 1;    /* page tables show it by its number alone (mm/raw.c) */
	uint8_t memtype;    /* x86: enum ms_cache of RAM pages' own type; survives a free */
};

#define MS_PG_DOUBLE_MAP 0x01u /* PageDoubleMap: leaves of it were split, and others were not */
/* hugetlb_restore_reserve, of hugetlb pages: freeing the page also gives back a reservation */
#define MS_PG_RESTORE_RESERVE MS_PG_DOUBLE_MAP
/* !PageSwapBacked, of anonymous pages that are not compound: MADV_FREE has met it before */
#define MS_PG_LAZYFREE MS_PG_DOUBLE_MAP
#define MS_PG_ANON_EXCLUSIVE 0x02u /* PageAnonExclusive: this process alone may write it */
#define MS_PG_ANON 0x04u
#define MS_PG_TAIL 0x08u /* of a compound page, not its first page */
#define MS_PG_HUGETLB 0x10u
#define MS_PG_RESERVED 0x20u /* never handed out: below 1 MiB (x86), page 0 */
#define MS_PG_MLOCKED 0x80u  /* lib/mm, up to 5.15: mlock has taken it off its LRU list */
#define MS_PG_WRITTEN 0x40u  /* stored into: no longer all zeroes; of each page, also of a tail */

#define MS_MAX_ORDER 18u /* largest block: 1G with 4K pages */

/* Frames are made for so many aligned pages at a time: where one exists, all of these do. */
#define MS_FRAMES_AT_ONCE 512u

/* The frame of a RAM pfn, NULL when pfn is not RAM (or memory for its section cannot be had). */
struct ms_page *ms_pfn_to_page(struct ms_machine *m, ms_pfn_t pfn);
/* The same to look at, NULL also where nobody has asked for the frame yet: none is made. */
const struct ms_page *ms_page_look(const struct ms_machine *m, ms_pfn_t pfn);

#define MS_NO_FRAME UINT64_MAX
/* The first page from pfn on whose frame somebody has asked for; MS_NO_FRAME: none. */
ms_pfn_t ms_frames_next(const struct ms_machine *m, ms_pfn_t pfn);

/*
 * A naturally aligned block of 2^order pages with one reference on its head; order 0 is a plain
 * page. false: no RAM left, or no memory for frames.
 */
bool ms_page_alloc(struct ms_machine *m, unsigned int order, uint8_t flags, ms_pfn_t *pfn);
/* The head of the compound page that pfn is in (pfn itself for a plain page). */
ms_pfn_t ms_page_head(const struct ms_machine *m, ms_pfn_t pfn);
/* A store into a page, which is noted of anonymous pages alone; page `to` gets the content of
 * `from`. */
void ms_page_write(struct ms_machine *m, ms_pfn_t pfn);
void ms_page_copy(struct ms_machine *m, ms_pfn_t to, ms_pfn_t from);
/*
 * A page's bytes, which are zero unless somebody has stored some. NULL: nobody has, and none are to
 * be made; or no RAM; or no memory. They go when the page is freed. Those of pages that driver code
 * has allocated are kept by lib/linux, which is asked for them.
 */
void *ms_page_bytes(struct ms_machine *m, ms_pfn_t pfn, bool make);
/* Bytes of a page that driver code has allocated; *known is set where it has. */
typedef void *ms_driver_bytes_fn(struct ms_machine *m, ms_pfn_t pfn, bool *known);
void ms_phys_ask_driver_bytes(struct ms_machine *m, ms_driver_bytes_fn *fn);
void ms_page_bytes_drop(struct ms_machine *m, ms_pfn_t pfn, uint64_t npages);
/* Page `to` has the bytes of `from` from now on. */
void ms_page_bytes_copy(struct ms_machine *m, ms_pfn_t to, ms_pfn_t from);
/* What is stored in a page that no driver has: words; NULL: all are zero. */
const uint64_t *ms_page_contents(const struct ms_machine *m, ms_pfn_t pfn);
void ms_page_bytes_destroy(struct ms_machine *m);
/*
 * n more / n fewer holders of the compound page; the last put gives it back. The first get of a
 * page that nobody holds takes it from the free pages. A pfn that is not RAM is left alone.
 */
void ms_page_get(struct ms_machine *m, ms_pfn_t pfn, uint32_t n);
void ms_page_put(struct ms_machine *m, ms_pfn_t pfn, uint32_t n);
/* The same by one for who has the frame at hand, which for a small page is all that is needed. */
static inline void ms_frame_get(struct ms_machine *m, struct ms_page *page, ms_pfn_t pfn)
{
	if (page->order || !page->refcount || page->refcount == UINT32_MAX)
		ms_page_get(m, pfn, 1);
	else
		page->refcount++;
}

static inline void ms_frame_put(struct ms_machine *m, struct ms_page *page, ms_pfn_t pfn)
{
	if (page->order || page->refcount <= 1)
		ms_page_put(m, pfn, 1);
	else
		page->refcount--;
}

/*
 * What alloc_pages() gives without __GFP_COMP: 2^order pages that are no compound page. The first
 * has one reference, the others none, and they are taken nevertheless. `driver` is set in each.
 * false: as of ms_page_alloc().
 */
bool ms_block_alloc(struct ms_machine *m, unsigned int order, ms_pfn_t *pfn);
/* __free_pages() of such a block: its other pages go whoever still holds the first one. What is
 * wrong with one of them is a violation. */
void ms_block_free(struct ms_machine *m, ms_pfn_t pfn, unsigned int order);
/* split_page(): each page of such a block has a reference from now on. */
void ms_block_split(struct ms_machine *m, ms_pfn_t pfn, unsigned int order);
/*
 * A page that page tables show by its number alone, which the kernel does not count. When a block
 * with such pages is freed, fn (of lib/mm) is told, once for the block; the pages have lost the
 * mark by then.
 */
typedef void ms_raw_freed_fn(struct ms_machine *m, ms_pfn_t pfn, uint64_t npages);
void ms_phys_tell_raw_freed(struct ms_machine *m, ms_raw_freed_fn *fn);
void ms_page_set_raw(struct ms_machine *m, struct ms_page *page, bool raw);

/* Free: in no use, and to be handed out. A pfn that is no RAM is not. */
bool ms_page_is_free(const struct ms_machine *m, ms_pfn_t pfn);

/*
 * struct page, as driver code knows it: what the driver itself keeps there. All else about a page
 * is in its ms_page. The kernel's layout, as far as lib/phys and lib/mm read it; linux.h has all.
 */
struct ms_struct_page {
	unsigned long flags;
	void *lru[2];
	const void *mapping;
	unsigned long index;
	unsigned long private_data;
	unsigned long rest[2];
};
static_assert(sizeof(struct ms_struct_page) == 64, "as in the kernel");
/* The same to look at; NULL: nobody has asked for it yet, so that all of it is 0. */
const struct ms_struct_page *ms_page_struct_look(const struct ms_machine *m, ms_pfn_t pfn);

/* The zero page and its sibling of a PMD's size, made when first asked for; 0: no memory. */
ms_pfn_t ms_zero_pfn(struct ms_machine *m);
ms_pfn_t ms_huge_zero_pfn(struct ms_machine *m);
/* Has the zero page, or the huge one, been made? */
bool ms_has_zero_page(const struct ms_machine *m, bool huge);
bool ms_is_zero_pfn(const struct ms_machine *m, ms_pfn_t pfn);
bool ms_is_huge_zero_pfn(const struct ms_machine *m, ms_pfn_t pfn); /* its first page */

/* struct hstate */
struct ms_hugetlb_pool {
	unsigned int order; /* log2 of base pages; 0: no pool */
	uint64_t pages, used;
	int64_t reserved; /* below 0 where the kernel counts wrong */
};
/* The pool of huge pages of an order; NULL: there is none, and they are taken from free RAM. */
struct ms_hugetlb_pool *ms_hugetlb_pool(struct ms_machine *m, unsigned int order);
/* A pool of `pages` huge pages; of an order that has one already nothing happens. */
void ms_hugetlb_pool_add(struct ms_machine *m, unsigned int order, uint64_t pages);

/* Pages that the allocator has handed out. */
uint64_t ms_ram_held_pages(const struct ms_machine *m);
/* All pages of System RAM. */
uint64_t ms_ram_pages(const struct ms_machine *m);

/* Whether a page that [start, end) touches is RAM. */
bool ms_range_has_ram(const struct ms_machine *m, ms_pa_t start, ms_pa_t end);
/* 0: no RAM, 1: RAM, -1: mixed; it overlooks what the kernel overlooks. */
int ms_pagerange_is_ram(const struct ms_machine *m, ms_pa_t start, ms_pa_t end);
/* MTRR type of [start, end): enum ms_cache, or -1: mixed or unknown. */
int ms_mtrr_type(const struct ms_machine *m, ms_pa_t start, ms_pa_t end);
/* The first device that ends after pa, or NULL. */
struct ms_device *ms_device_after(const struct ms_phys *phys, ms_pa_t pa);
/* Is the memory of any device turned off? */
bool ms_device_is_off(const struct ms_machine *m);
/* An access to pa by the CPU, at addr of a process or a guest. It need only be told while a device
 * is off. */
void ms_device_accessed(struct ms_machine *m, uint64_t addr, ms_pa_t pa);
struct ms_machine *ms_device_machine(const struct ms_device *dev);
bool ms_device_prefetchable(const struct ms_device *dev);

/*
 * ms_machine_check(): a holder of the page (of the compound page that it is in) was met. NULL, or
 * what is wrong with holding it.
 */
const char *ms_page_check_holder(struct ms_check *c, ms_pfn_t pfn);
/* The page may have more holders, which nobody can count. */
void ms_page_check_others(struct ms_check *c, ms_pfn_t pfn);

void ms_phys_check(struct ms_check *c);

struct ms_hash;
void ms_phys_hash(struct ms_hash *h);

#endif
