/* SPDX-License-Identifier: GPL-2.0-only */
/* alloc_pages() and its kin, and what drivers ask of a struct page. */
#include "linux/state.h"

static bool alloc_frames(struct ms_machine *m, unsigned int order, bool compound, ms_pfn_t *pfn)
{
	if (!compound || !order)
		return ms_block_alloc(m, order, pfn);
	if (!ms_page_alloc(m, order, 0, pfn))
		return false;
	ms_pfn_to_page(m, *pfn)->driver = true;
	return true;
}

static void free_frames(struct ms_machine *m, ms_pfn_t pfn, unsigned int order, bool compound)
{
	if (compound)
		ms_page_put(m, pfn, 1);
	else
		ms_block_free(m, pfn, order);
}

struct ms_block *ms_linux_pages_new(struct ms_machine *m, unsigned int order, bool compound)
{
	struct ms_block *block;
	ms_pfn_t pfn;

	if (order > MS_MAX_ORDER || !alloc_frames(m, order, compound, &pfn))
		return NULL;
	// its struct pages: the kernel's were there before
	block = ms_pfn_to_page_struct(m, pfn)
			? ms_block_new(m, pfn, m->page_size << order, NULL, NULL)
			: NULL;
	if (!block)
		free_frames(m, pfn, order, compound);
	return block;
}

/* The last reference to a page goes: its bytes do, too. */
static void forget_freed(struct ms_machine *m, ms_pfn_t head, const struct ms_page *page)
{
	if (m->kernel)
		ms_blocks_forget(m, head, UINT64_C(1) << page->order);
}

void ms_linux_pages_put(struct ms_machine *m, ms_pfn_t pfn)
{
	const ms_pfn_t head = ms_page_head(m, pfn);
	const struct ms_page *page = ms_pfn_to_page(m, head);

	if (!page)
		return;
	if (page->refcount == 1 && !(page->flags & MS_PG_RESERVED))
		forget_freed(m, head, page);
	ms_page_put(m, head, 1);
}

// mirrors __free_pages(), mm/page_alloc.c, 5.10+
void ms_linux_pages_free(struct ms_machine *m, ms_pfn_t pfn, unsigned int order)
{
	const struct ms_page *page = ms_pfn_to_page(m, pfn);
	const uint64_t npages = UINT64_C(1) << order;

	if (!page)
		return;
	if (page->flags & MS_PG_TAIL) {
		ms_violation(m, "free_pages of a tail of a compound page", pfn << m->page_shift);
		return;
	}
	if (page->order || !order) {
		if (page->order && page->order != order)
			ms_violation(m, "free_pages of another order than was allocated",
				     pfn << m->page_shift);
		ms_linux_pages_put(m, pfn);
		return;
	}
	if (m->kernel) {
		if (page->refcount == 1)
			ms_blocks_forget(m, pfn, npages);
		else
			ms_blocks_forget(m, pfn + 1, npages - 1);
	}
	ms_block_free(m, pfn, order);
}

/* ---- as driver code calls them ---- */

static struct ms_struct_page *alloc_pages(struct ms_machine *m, unsigned int gfp,
					  unsigned int order)
{
	struct ms_linux *lx = ms_linux_of(m);
	struct ms_block *block;

	if (!ms_ram_pages(m))
		return ms_refuse_null(m, -ENOMEM,
				      "alloc_pages: the machine has no RAM; ms_ram_add() adds some");
	block = lx ? ms_linux_pages_new(m, order, gfp & MS_LINUX_GFP_COMP) : NULL;
	if (!block)
		return NULL;
	if ((gfp & MS_LINUX_GFP_ZERO) && !ms_block_bytes(m, block, true)) {
		ms_linux_pages_free(m, block->pfn, order);
		return NULL;
	}
	return ms_pfn_to_page_struct(m, block->pfn);
}

struct ms_struct_page *ms_linux_alloc_pages(unsigned int gfp, unsigned int order)
{
	struct ms_machine *m = ms_linux_here("alloc_pages");

	if (gfp & MS_LINUX_GFP_MAY_SLEEP)
		ms_linux_might_sleep("alloc_pages");
	return m ? alloc_pages(m, gfp, order) : NULL;
}

void ms_linux_free_pages(struct ms_struct_page *page, unsigned int order)
{
	struct ms_machine *m = ms_linux_here("free_pages");
	const ms_pfn_t pfn = ms_page_struct_to_pfn(m, page);

	if (!m || !page)
		return;
	if (ms_pfn_is_ram(m, pfn))
		ms_linux_pages_free(m, pfn, order);
	else
		ms_violation(m, "free_pages of what is no page of RAM", 0);
}

void ms_linux_split_page(struct ms_struct_page *page, unsigned int order)
{
	struct ms_machine *m = ms_linux_here("split_page");

	if (m && page)
		ms_block_split(m, ms_page_struct_to_pfn(m, page), order);
}

struct ms_struct_page *ms_linux_pfn_to_page(unsigned long pfn)
{
	struct ms_machine *m = ms_linux_here("pfn_to_page");

	return m ? ms_pfn_to_page_struct(m, pfn) : NULL;
}

unsigned long ms_linux_page_to_pfn(const struct ms_struct_page *page)
{
	struct ms_machine *m = ms_linux_here("page_to_pfn");

	return m ? ms_page_struct_to_pfn(m, page) : 0;
}

/* The frame that counts a page's references; NULL: it is no page of RAM. */
static struct ms_page *frame_of(struct ms_machine *m, const struct ms_struct_page *page,
				ms_pfn_t *pfn)
{
	*pfn = ms_page_struct_to_pfn(m, page);
	if (!ms_pfn_is_ram(m, *pfn))
		return NULL;
	*pfn = ms_page_head(m, *pfn);
	return ms_pfn_to_page(m, *pfn);
}

/* mirrors get_page(), include/linux/mm.h, 5.10+: with the check of CONFIG_DEBUG_VM */
void ms_linux_get_page(struct ms_struct_page *page, unsigned int n)
{
	struct ms_machine *m = ms_linux_here("get_page");
	const struct ms_page *frame;
	ms_pfn_t pfn;

	if (!m)
		return;
	frame = frame_of(m, page, &pfn);
	if (!frame) {
		ms_violation(m, "get_page of what is no page of RAM", 0);
		return;
	}
	if ((frame->slab || frame->large) &&
	    m->policy.page_get_kmalloc == MS_PAGE_GET_KMALLOC_WARNED) {
		ms_violation(m, "get_page of memory of kmalloc", pfn << m->page_shift);
		return;
	}
	if (!frame->refcount && !(frame->flags & MS_PG_RESERVED))
		ms_violation(m,
			     frame->part
				     ? "get_page of a page without a reference: the tail of pages "
				       "that were allocated without __GFP_COMP"
				     : "get_page of a page without a reference: it is free",
			     pfn << m->page_shift);
	ms_page_get(m, pfn, n);
}

void ms_linux_put_page(struct ms_struct_page *page, unsigned int n)
{
	struct ms_machine *m = ms_linux_here("put_page");
	const struct ms_page *frame;
	ms_pfn_t pfn;

	if (!m)
		return;
	frame = frame_of(m, page, &pfn);
	if (!frame) {
		ms_violation(m, "put_page of what is no page of RAM", 0);
		return;
	}
	if ((frame->slab || frame->large) &&
	    m->policy.page_get_kmalloc == MS_PAGE_GET_KMALLOC_WARNED)
		return;
	while (n--) {
		ms_got_is_put(m, pfn);
		ms_linux_pages_put(m, pfn);
	}
}

int ms_linux_page_count(const struct ms_struct_page *page)
{
	struct ms_machine *m = ms_linux_here("page_count");
	const ms_pfn_t pfn = ms_page_struct_to_pfn(m, page);
	const struct ms_page *frame = m ? ms_page_look(m, ms_page_head(m, pfn)) : NULL;

	if (!frame || !ms_pfn_is_ram(m, pfn))
		return 0;
	// what is set aside at boot has a reference, which nobody counts here
	return (int)frame->refcount + !!(frame->flags & MS_PG_RESERVED && !frame->driver);
}

int ms_linux_page_mapcount(const struct ms_struct_page *page)
{
	struct ms_machine *m = ms_linux_here("page_mapcount");

	return m ? (int)ms_page_mappings(m, ms_page_struct_to_pfn(m, page)) : 0;
}

/* ---- what a page is ---- */

unsigned int ms_linux_page_is(const struct ms_struct_page *page)
{
	struct ms_machine *m = ms_linux_here("a page's flags");
	const ms_pfn_t pfn = m ? ms_page_struct_to_pfn(m, page) : 0;
	const struct ms_page *frame = m ? ms_page_look(m, pfn) : NULL, *head;

	if (!frame || !ms_pfn_is_ram(m, pfn))
		return 0;
	head = ms_page_look(m, ms_page_head(m, pfn));
	return (frame->order && !(frame->flags & MS_PG_TAIL) ? MS_LINUX_PAGE_HEAD : 0) |
	       (frame->flags & MS_PG_TAIL ? MS_LINUX_PAGE_TAIL : 0) |
	       (frame->flags & MS_PG_RESERVED ? MS_LINUX_PAGE_RESERVED : 0) |
	       (head->slab ? MS_LINUX_PAGE_SLAB : 0) | (head->large ? MS_LINUX_PAGE_LARGE : 0) |
	       (head->locked ? MS_LINUX_PAGE_LOCKED : 0) |
	       (head->flags & MS_PG_ANON ? MS_LINUX_PAGE_ANON : 0) |
	       (head->flags & MS_PG_HUGETLB ? MS_LINUX_PAGE_HUGETLB : 0);
}

unsigned int ms_linux_compound_order(const struct ms_struct_page *page)
{
	struct ms_machine *m = ms_linux_here("compound_order");
	const struct ms_page *frame;

	frame = m ? ms_page_look(m, ms_page_head(m, ms_page_struct_to_pfn(m, page))) : NULL;
	return frame ? frame->order : 0;
}

struct ms_struct_page *ms_linux_compound_head(const struct ms_struct_page *page)
{
	struct ms_machine *m = ms_linux_here("compound_head");

	if (!m || !ms_pfn_is_ram(m, ms_page_struct_to_pfn(m, page)))
		return (struct ms_struct_page *)(uintptr_t)page;
	return ms_pfn_to_page_struct(m, ms_page_head(m, ms_page_struct_to_pfn(m, page)));
}

void ms_linux_page_reserve(struct ms_struct_page *page, bool reserved)
{
	struct ms_machine *m = ms_linux_here("SetPageReserved");
	struct ms_page *frame = m ? ms_pfn_to_page(m, ms_page_struct_to_pfn(m, page)) : NULL;

	if (!frame)
		return;
	if (!frame->driver && !frame->slab) {
		ms_violation(m,
			     "a page that driver code has not allocated is made reserved, or not",
			     ms_page_struct_to_pfn(m, page) << m->page_shift);
		return;
	}
	if (reserved)
		frame->flags |= MS_PG_RESERVED;
	else
		frame->flags &= (uint8_t)~MS_PG_RESERVED;
}

bool ms_linux_trylock_page(struct ms_struct_page *page, bool wait)
{
	struct ms_machine *m = ms_linux_here("lock_page");
	struct ms_page *frame;
	ms_pfn_t pfn;

	if (!m)
		return false;
	if (wait)
		ms_linux_might_sleep("lock_page");
	frame = frame_of(m, page, &pfn);
	if (!frame) {
		ms_violation(m, "lock_page of what is no page of RAM", 0);
		return false;
	}
	if (frame->locked && wait)
		ms_violation(m, "lock_page of a page that is locked: it waits for ever",
			     pfn << m->page_shift);
	if (frame->locked)
		return false;
	frame->locked = true;
	return true;
}

void ms_linux_unlock_page(struct ms_struct_page *page)
{
	struct ms_machine *m = ms_linux_here("unlock_page");
	struct ms_page *frame;
	ms_pfn_t pfn;

	if (!m)
		return;
	frame = frame_of(m, page, &pfn);
	if (!frame) {
		ms_violation(m, "unlock_page of what is no page of RAM", 0);
		return;
	}
	if (!frame->locked)
		ms_violation(m, "unlock_page of a page that is not locked", pfn << m->page_shift);
	frame->locked = false;
}

bool ms_linux_pfn_valid(unsigned long pfn)
{
	struct ms_machine *m = ms_linux_here("pfn_valid");

	return m && ms_pfn_is_ram(m, pfn);
}

/* ---- where their bytes are ---- */

/* A page of a slab has the slab's bytes. */
static char *slab_bytes(const struct ms_linux *lx, ms_pfn_t pfn)
{
	struct ms_linux *all = (struct ms_linux *)(uintptr_t)lx;
	struct ms_slab *slab;

	RB_FOREACH (slab, ms_slabs_by_addr, &all->slabs_by_addr)
		if (slab->pfn == pfn)
			return slab->at;
	return NULL;
}

void *ms_linux_driver_bytes(struct ms_machine *m, ms_pfn_t pfn, bool *known)
{
	struct ms_linux *lx = m->kernel;
	struct ms_block *block = lx ? ms_block_of_pfn(lx, pfn) : NULL;
	char *slab = lx && !block ? slab_bytes(lx, pfn) : NULL;

	*known = slab || (block && ms_block_is_live(m, block));
	if (slab || !*known)
		return slab;
	return ms_block_bytes(m, block, false) ? block->start + ((pfn - block->pfn) << m->page_shift)
					       : NULL;
}

unsigned long ms_linux_page_address(struct ms_struct_page *page)
{
	struct ms_machine *m = ms_linux_here("page_address");
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	const ms_pfn_t pfn = ms_page_struct_to_pfn(m, page);
	struct ms_block *block;
	char *slab;

	if (!lx || !ms_pfn_is_ram(m, pfn))
		return 0;
	block = ms_block_of_pfn(lx, pfn);
	if (block) {
		if (!ms_block_bytes(m, block, false))
			return 0;
		block->bytes->asked = true;
		return (unsigned long)block->start + ((pfn - block->pfn) << m->page_shift);
	}
	slab = slab_bytes(lx, pfn);
	return (uintptr_t)(slab ? slab : ms_page_bytes(m, pfn, true));
}

/* 0: addr is not in the kernel's linear map of RAM. */
static ms_pfn_t linear_pfn(struct ms_machine *m, struct ms_linux *lx, unsigned long addr)
{
	const struct ms_block *block = ms_block_at(lx, addr);
	struct ms_slab *slab;

	if (block)
		return block->kind == MS_BLOCK_VMALLOC || !block->pfn
			       ? 0
			       : block->pfn + ((addr - (uintptr_t)block->start) >> m->page_shift);
	slab = ms_slab_at(lx, addr);
	return slab ? ms_slab_pfn(m, slab) : 0;
}

struct ms_struct_page *ms_linux_virt_to_page(unsigned long addr)
{
	struct ms_machine *m = ms_linux_here("virt_to_page");
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	const ms_pfn_t pfn = lx ? linear_pfn(m, lx, addr) : 0;

	if (pfn)
		return ms_pfn_to_page_struct(m, pfn);
	if (m)
		ms_violation(m, "virt_to_page of an address that is not in pages of RAM", 0);
	return NULL;
}
