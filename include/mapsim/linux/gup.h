/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages of a process: get_user_pages, pin_user_pages and what gives them back, of <linux/mm.h>.
 *
 * A page of another kind of mapping than raw pfns may be taken: by reference, given back by
 * put_page(), or by a pin, given back by unpin_user_page(). What is never given back is told by
 * ms_linux_leaks(). A fork copies what may be pinned at once, so that the parent and the driver go
 * on to see the same page. Memory of hugetlb is not copied so early, and pages are never moved,
 * so that FOLL_LONGTERM is refused only where a mapping's driver wants to hear of writes.
 *
 * In all of them: start in bytes, the page that has it is the first; nr_pages in pages. They answer
 * how many were taken, or, of none, -EFAULT, -ENOMEM, -EHWPOISON; -EINVAL, and a violation: flags
 * that may not be said.
 */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_GUP_H)
#define MAPSIM_LINUX_GUP_H

#define FOLL_WRITE MS_LINUX_FOLL_WRITE
#define FOLL_GET MS_LINUX_FOLL_GET
#define FOLL_FORCE MS_LINUX_FOLL_FORCE
#define FOLL_LONGTERM MS_LINUX_FOLL_LONGTERM

/* The last argument that was given, of one or two. */
#define MS_LINUX_SECOND(a, b, ...) b

/*
 * The caller holds the mmap lock, and the pages are those of current. vmas was the last argument up
 * to 6.4, and may be NULL.
 */
#if MS_LINUX_SINCE(6, 5) && defined(MS_LINUX_VERSION_CODE)
#define get_user_pages(start, nr_pages, gup_flags, pages) \
	ms_linux_gup(ms_linux_current_mm(), start, nr_pages, gup_flags, 0, pages, NULL)
#define pin_user_pages(start, nr_pages, gup_flags, pages) \
	ms_linux_gup(ms_linux_current_mm(), start, nr_pages, gup_flags, MS_LINUX_GUP_PIN, pages, \
		     NULL)
#define get_user_pages_remote(mm, start, nr_pages, gup_flags, pages, locked) \
	((void)(locked), ms_linux_gup(mm, start, nr_pages, gup_flags, MS_LINUX_GUP_REMOTE, pages, \
				      NULL))
#define pin_user_pages_remote(mm, start, nr_pages, gup_flags, pages, locked) \
	((void)(locked), ms_linux_gup(mm, start, nr_pages, gup_flags, \
				      MS_LINUX_GUP_REMOTE | MS_LINUX_GUP_PIN, pages, NULL))
#else
#define get_user_pages(start, nr_pages, gup_flags, pages, ...) \
	ms_linux_gup(ms_linux_current_mm(), start, nr_pages, gup_flags, 0, pages, \
		     MS_LINUX_SECOND(0, ##__VA_ARGS__, NULL))
#define pin_user_pages(start, nr_pages, gup_flags, pages, ...) \
	ms_linux_gup(ms_linux_current_mm(), start, nr_pages, gup_flags, MS_LINUX_GUP_PIN, pages, \
		     MS_LINUX_SECOND(0, ##__VA_ARGS__, NULL))
/* The arguments behind pages are vmas and locked, or locked alone. */
#define get_user_pages_remote(mm, start, nr_pages, gup_flags, pages, ...) \
	ms_linux_gup(mm, start, nr_pages, gup_flags, MS_LINUX_GUP_REMOTE, pages, \
		     ms_linux_vmas(sizeof((const void *[]){ __VA_ARGS__ }), __VA_ARGS__))
#define pin_user_pages_remote(mm, start, nr_pages, gup_flags, pages, ...) \
	ms_linux_gup(mm, start, nr_pages, gup_flags, MS_LINUX_GUP_REMOTE | MS_LINUX_GUP_PIN, \
		     pages, ms_linux_vmas(sizeof((const void *[]){ __VA_ARGS__ }), __VA_ARGS__))

static inline struct vm_area_struct **ms_linux_vmas(size_t bytes, const void *first, ...)
{
	return bytes > sizeof(first) ? (struct vm_area_struct **)(unsigned long)first : NULL;
}
#endif

/* These take the mmap lock themselves, which nobody may hold. */
#define get_user_pages_unlocked(start, nr_pages, pages, gup_flags) \
	ms_linux_gup(ms_linux_current_mm(), start, nr_pages, gup_flags, MS_LINUX_GUP_UNLOCKED, \
		     pages, NULL)
#define pin_user_pages_unlocked(start, nr_pages, pages, gup_flags) \
	ms_linux_gup(ms_linux_current_mm(), start, nr_pages, gup_flags, \
		     MS_LINUX_GUP_UNLOCKED | MS_LINUX_GUP_PIN, pages, NULL)

static inline int get_user_pages_fast(unsigned long start, int nr_pages, unsigned int gup_flags,
				      struct page **pages)
{
	return nr_pages > 0 ? (int)ms_linux_gup(ms_linux_current_mm(), start,
						(unsigned long)nr_pages, gup_flags,
						MS_LINUX_GUP_FAST, pages, NULL)
			    : 0;
}

static inline int pin_user_pages_fast(unsigned long start, int nr_pages, unsigned int gup_flags,
				      struct page **pages)
{
	return nr_pages > 0 ? (int)ms_linux_gup(ms_linux_current_mm(), start,
						(unsigned long)nr_pages, gup_flags,
						MS_LINUX_GUP_FAST | MS_LINUX_GUP_PIN, pages, NULL)
			    : 0;
}

/* Without a fault, and without sleeping: from the page tables alone. */
static inline int get_user_pages_fast_only(unsigned long start, int nr_pages,
					   unsigned int gup_flags, struct page **pages)
{
	return nr_pages > 0
		       ? (int)ms_linux_gup(ms_linux_current_mm(), start, (unsigned long)nr_pages,
					   gup_flags, MS_LINUX_GUP_FAST | MS_LINUX_GUP_ONLY, pages,
					   NULL)
		       : 0;
}

static inline bool get_user_page_fast_only(unsigned long addr, unsigned int gup_flags,
					   struct page **page)
{
	return get_user_pages_fast_only(addr, 1, gup_flags, page) == 1;
}

static inline void unpin_user_page(struct page *page)
{
	ms_linux_unpin(page);
}

static inline void unpin_user_pages(struct page **pages, unsigned long npages)
{
	for (unsigned long i = 0; i < npages; i++)
		ms_linux_unpin(pages[i]);
}

static inline void unpin_user_pages_dirty_lock(struct page **pages, unsigned long npages,
					       bool make_dirty)
{
	for (unsigned long i = 0; i < npages; i++) {
		if (make_dirty)
			set_page_dirty_lock(pages[i]);
		ms_linux_unpin(pages[i]);
	}
}

#if MS_LINUX_SINCE(5, 14)
static inline void unpin_user_page_range_dirty_lock(struct page *page, unsigned long npages,
						    bool make_dirty)
{
	for (unsigned long i = 0; i < npages; i++) {
		struct page *at = page + i;

		unpin_user_pages_dirty_lock(&at, 1, make_dirty);
	}
}
#endif

/* true: also where so many others hold the page. */
static inline bool page_maybe_dma_pinned(const struct page *page)
{
	return ms_linux_maybe_pinned(page);
}

#if MS_LINUX_SINCE(5, 18)
static inline bool folio_maybe_dma_pinned(const struct folio *folio)
{
	return ms_linux_maybe_pinned(&folio->page);
}
#endif

/* The mmap lock is held, and stays so. 0, -EFAULT, -ENOMEM. */
static inline int fixup_user_fault(struct mm_struct *mm, unsigned long address,
				   unsigned int fault_flags, bool *unlocked)
{
	(void)unlocked;
	return ms_linux_fixup_user_fault(mm, address, fault_flags & FAULT_FLAG_WRITE);
}

/* For vm_ops->map_pages: of a memory file what is cached; files of drivers have no cached pages. */
#if MS_LINUX_SINCE(5, 12)
static inline vm_fault_t filemap_map_pages(struct vm_fault *vmf, pgoff_t start_pgoff,
					   pgoff_t end_pgoff)
{
	return ms_linux_filemap_map_pages(vmf, start_pgoff, end_pgoff);
}
#endif

#endif
