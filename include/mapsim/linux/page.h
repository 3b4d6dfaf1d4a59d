/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct page and struct folio: <linux/mm_types.h>, <linux/page-flags.h>, <linux/page_ref.h>.
 *
 * The members are the driver's: the kernel, too, reads ->mapping when a page becomes writable
 * (vm_operations_struct, ->page_mkwrite), and clears all of them when the page is freed. Counts and
 * flags are asked for by their functions. Pages of an allocation lie beside each other; the struct
 * page of what is no RAM has no memory, and nobody may look into it.
 *
 * Pages of a higher order are compound with __GFP_COMP alone. Without it each page counts for
 * itself, and those behind the first one have no reference, until split_page() gives each its own.
 */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_PAGE_H)
#define MAPSIM_LINUX_PAGE_H

struct address_space;
struct dev_pagemap;

struct page {
	unsigned long flags; // PG_uptodate and the like: those that are the driver's
	union {
		struct list_head lru;
		struct list_head buddy_list;
		struct list_head pcp_list;
		struct {
			struct dev_pagemap *pgmap;
			void *zone_device_data;
		};
	};
	struct address_space *mapping;
	union {
		pgoff_t index;
		unsigned long __folio_index;
		unsigned long share;
	};
	unsigned long private;
	unsigned long ms_rest[2]; // the counts are not here: page_count(), page_mapcount()
};

_Static_assert(sizeof(struct page) == 64, "as in the kernel");

/* The first page of a compound page, or a page that is in none. */
struct folio {
	union {
		struct {
			unsigned long flags;
			struct list_head lru;
			struct address_space *mapping;
			pgoff_t index;
			void *private;
		};
		struct page page;
	};
};

/* ---- page and pfn ---- */

static inline struct page *pfn_to_page(unsigned long pfn)
{
	return ms_linux_pfn_to_page(pfn);
}

static inline unsigned long page_to_pfn(const struct page *page)
{
	return ms_linux_page_to_pfn(page);
}

#define nth_page(page, n) ((page) + (n))

static inline bool pfn_valid(unsigned long pfn)
{
	return ms_linux_pfn_valid(pfn);
}

static inline void *page_address(const struct page *page)
{
	return (void *)ms_linux_page_address((struct page *)(unsigned long)page);
}

static inline void *lowmem_page_address(const struct page *page)
{
	return page_address(page);
}

#define page_to_virt(page) page_address(page)

/* ---- compound pages ---- */

static inline struct page *compound_head(const struct page *page)
{
	return ms_linux_compound_head(page);
}

#define page_folio(page) ((struct folio *)compound_head(page))
#define folio_page(folio, n) (&(folio)->page + (n))

static inline unsigned int compound_order(const struct page *page)
{
	return ms_linux_compound_order(page);
}

static inline unsigned long compound_nr(const struct page *page)
{
	return 1UL << compound_order(page);
}

static inline unsigned int folio_order(const struct folio *folio)
{
	return compound_order(&folio->page);
}

static inline long folio_nr_pages(const struct folio *folio)
{
	return 1L << folio_order(folio);
}

static inline unsigned long folio_pfn(const struct folio *folio)
{
	return page_to_pfn(&folio->page);
}

static inline void *folio_address(const struct folio *folio)
{
	return page_address(&folio->page);
}

static inline void split_page(struct page *page, unsigned int order)
{
	ms_linux_split_page(page, order);
}

/* ---- what a page is ---- */

#define MS_LINUX_PAGE_TEST(name, is) \
	static inline bool Page##name(const struct page *page) \
	{ \
		return ms_linux_page_is(page) & (is); \
	}

MS_LINUX_PAGE_TEST(Head, MS_LINUX_PAGE_HEAD)
MS_LINUX_PAGE_TEST(Tail, MS_LINUX_PAGE_TAIL)
MS_LINUX_PAGE_TEST(Compound, MS_LINUX_PAGE_HEAD | MS_LINUX_PAGE_TAIL)
MS_LINUX_PAGE_TEST(TransCompound, MS_LINUX_PAGE_HEAD | MS_LINUX_PAGE_TAIL)
MS_LINUX_PAGE_TEST(Reserved, MS_LINUX_PAGE_RESERVED)
MS_LINUX_PAGE_TEST(Slab, MS_LINUX_PAGE_SLAB)
MS_LINUX_PAGE_TEST(LargeKmalloc, MS_LINUX_PAGE_LARGE)
MS_LINUX_PAGE_TEST(Locked, MS_LINUX_PAGE_LOCKED)
MS_LINUX_PAGE_TEST(Anon, MS_LINUX_PAGE_ANON)
MS_LINUX_PAGE_TEST(Huge, MS_LINUX_PAGE_HUGETLB)

static inline bool folio_test_slab(const struct folio *folio)
{
	return PageSlab(&folio->page);
}

static inline bool folio_test_anon(const struct folio *folio)
{
	return PageAnon(&folio->page);
}

static inline bool folio_test_hugetlb(const struct folio *folio)
{
	return PageHuge(&folio->page);
}

static inline bool folio_test_large(const struct folio *folio)
{
	return PageHead(&folio->page);
}

/* A page that is freed while it is reserved is a "Bad page state", and lost. */
static inline void SetPageReserved(struct page *page)
{
	ms_linux_page_reserve(page, true);
}

static inline void ClearPageReserved(struct page *page)
{
	ms_linux_page_reserve(page, false);
}

/* Flags that say something to the driver alone. Only flags, and no set of dirty pages. */
enum pageflags { PG_referenced = 2, PG_uptodate, PG_dirty, PG_error, PG_private, PG_checked };

#define MS_LINUX_PAGE_FLAG(name, bit, folio_name) \
	static inline bool Page##name(const struct page *page) \
	{ \
		return page->flags >> (bit)&1; \
	} \
	static inline void SetPage##name(struct page *page) \
	{ \
		page->flags |= 1UL << (bit); \
	} \
	static inline void ClearPage##name(struct page *page) \
	{ \
		page->flags &= ~(1UL << (bit)); \
	} \
	static inline bool folio_test_##folio_name(const struct folio *folio) \
	{ \
		return Page##name(&folio->page); \
	} \
	static inline void folio_set_##folio_name(struct folio *folio) \
	{ \
		SetPage##name(&folio->page); \
	} \
	static inline void folio_clear_##folio_name(struct folio *folio) \
	{ \
		ClearPage##name(&folio->page); \
	}

MS_LINUX_PAGE_FLAG(Referenced, PG_referenced, referenced)
MS_LINUX_PAGE_FLAG(Uptodate, PG_uptodate, uptodate)
MS_LINUX_PAGE_FLAG(Dirty, PG_dirty, dirty)
MS_LINUX_PAGE_FLAG(Error, PG_error, error)
MS_LINUX_PAGE_FLAG(Private, PG_private, private)
MS_LINUX_PAGE_FLAG(Checked, PG_checked, checked)

/* true: it was not dirty before. Of the whole compound page. */
static inline bool set_page_dirty(struct page *page)
{
	struct page *head = compound_head(page);
	const bool was = PageDirty(head);

	SetPageDirty(head);
	return !was;
}

static inline bool set_page_dirty_lock(struct page *page)
{
	return set_page_dirty(page);
}

static inline bool folio_mark_dirty(struct folio *folio)
{
	return set_page_dirty(&folio->page);
}

static inline unsigned long page_private(const struct page *page)
{
	return page->private;
}

static inline void set_page_private(struct page *page, unsigned long value)
{
	page->private = value;
}

static inline struct address_space *page_mapping(struct page *page)
{
	return PageSlab(page) ? NULL : compound_head(page)->mapping;
}

static inline struct address_space *folio_mapping(struct folio *folio)
{
	return page_mapping(&folio->page);
}

static inline pgoff_t page_index(struct page *page)
{
	return page->index;
}

/* ---- locked pages: what would wait for ever is a violation ---- */

static inline void lock_page(struct page *page)
{
	ms_linux_trylock_page(page, true);
}

static inline bool trylock_page(struct page *page)
{
	return ms_linux_trylock_page(page, false);
}

static inline void unlock_page(struct page *page)
{
	ms_linux_unlock_page(page);
}

static inline void folio_lock(struct folio *folio)
{
	lock_page(&folio->page);
}

static inline bool folio_trylock(struct folio *folio)
{
	return trylock_page(&folio->page);
}

static inline void folio_unlock(struct folio *folio)
{
	unlock_page(&folio->page);
}

static inline bool folio_test_locked(const struct folio *folio)
{
	return PageLocked(&folio->page);
}

/* ---- references: of a compound page, those of all of it ---- */

static inline void get_page(struct page *page)
{
	ms_linux_get_page(page, 1);
}

static inline void put_page(struct page *page)
{
	ms_linux_put_page(page, 1);
}

static inline int page_count(const struct page *page)
{
	return ms_linux_page_count(page);
}

static inline int folio_ref_count(const struct folio *folio)
{
	return page_count(&folio->page);
}

static inline int page_ref_count(const struct page *page)
{
	return PageTail(page) ? 0 : page_count(page);
}

static inline void page_ref_add(struct page *page, int nr)
{
	if (nr > 0)
		ms_linux_get_page(page, (unsigned int)nr);
}

static inline void page_ref_sub(struct page *page, int nr)
{
	if (nr > 0)
		ms_linux_put_page(page, (unsigned int)nr);
}

static inline void page_ref_inc(struct page *page)
{
	page_ref_add(page, 1);
}

static inline void page_ref_dec(struct page *page)
{
	page_ref_sub(page, 1);
}

static inline void folio_get(struct folio *folio)
{
	get_page(&folio->page);
}

static inline void folio_put(struct folio *folio)
{
	put_page(&folio->page);
}

static inline void folio_ref_add(struct folio *folio, int nr)
{
	page_ref_add(&folio->page, nr);
}

static inline void folio_put_refs(struct folio *folio, int refs)
{
	page_ref_sub(&folio->page, refs);
}

/* false: nobody holds it, so that it may be free. */
static inline bool get_page_unless_zero(struct page *page)
{
	if (!page_ref_count(page))
		return false;
	get_page(page);
	return true;
}

static inline bool folio_try_get(struct folio *folio)
{
	return get_page_unless_zero(&folio->page);
}

static inline bool try_get_page(struct page *page)
{
	return get_page_unless_zero(compound_head(page));
}

static inline void release_pages(struct page **pages, int nr)
{
	for (int i = 0; i < nr; i++)
		put_page(pages[i]);
}

/* Entries of page tables that map the page, not by its number alone. The library looks through all
 * page tables for it. */
static inline int page_mapcount(const struct page *page)
{
	return ms_linux_page_mapcount(page);
}

static inline bool page_mapped(const struct page *page)
{
	return page_mapcount(page) > 0;
}

#endif
