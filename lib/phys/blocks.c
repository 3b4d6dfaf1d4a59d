/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Blocks of plain pages, as alloc_pages() gives them without __GFP_COMP, and what is asked of a
 * page that is about to be free.
 *
 *   compound, order 2    | head 1 | tail . | tail . | tail . |    one count for all
 *   block, order 2       | page 1 | page 0 | page 0 | page 0 |    a count each; "part": 0, not free
 *   block that is split  | page 1 | page 1 | page 1 | page 1 |    nothing holds them together
 */
#include "phys/phys.h"

bool ms_block_alloc(struct ms_machine *m, unsigned int order, ms_pfn_t *pfn)
{
	if (!ms_page_alloc(m, order, 0, pfn))
		return false;
	if (!ms_page_disband(m, *pfn, order)) {
		ms_page_put(m, *pfn, 1);
		return false;
	}
	for (uint64_t i = 0; i < UINT64_C(1) << order; i++) {
		struct ms_page *page = ms_pfn_to_page(m, *pfn + i);

		page->driver = true;
		page->part = i != 0;
		page->refcount = i == 0;
	}
	return true;
}

/* One page of a block, when the block is freed. In a production kernel a page that has references
 * is a "Bad page state", and lost; one that is free already becomes free twice. */
static void free_of_block(struct ms_machine *m, ms_pfn_t pfn)
{
	const struct ms_page *page = ms_pfn_to_page(m, pfn);

	if (page->refcount)
		ms_violation(m, "Bad page state: a page of a block is freed while it is referenced",
			     pfn << m->page_shift);
	else if (!page->part)
		ms_violation(m, "a page of a block is freed a second time", pfn << m->page_shift);
	else
		ms_page_free(m, pfn, 0);
}

/* mirrors __free_pages(), mm/page_alloc.c, 5.10 .. 6.12; ___free_pages(), mm/page_alloc.c, 7.2+: of
 * a page that is not compound */
void ms_block_free(struct ms_machine *m, ms_pfn_t pfn, unsigned int order)
{
	if (!ms_pfn_is_ram(m, pfn + (UINT64_C(1) << order) - 1)) {
		ms_violation(m, "free_pages of more pages than there are", pfn << m->page_shift);
		return;
	}
	for (uint64_t i = UINT64_C(1) << order; --i;)
		if (ms_pfn_to_page(m, pfn + i))
			free_of_block(m, pfn + i);
	ms_page_put(m, pfn, 1);
}

// mirrors split_page(), mm/page_alloc.c, 5.10+
void ms_block_split(struct ms_machine *m, ms_pfn_t pfn, unsigned int order)
{
	const struct ms_page *head = ms_pfn_to_page(m, pfn);

	if (!head || head->order || !head->refcount) {
		ms_violation(m, "split_page of a page that is compound, or free",
			     pfn << m->page_shift);
		return;
	}
	for (uint64_t i = 1; i < UINT64_C(1) << order; i++) {
		struct ms_page *page = ms_pfn_to_page(m, pfn + i);

		if (!page || !page->part) {
			ms_violation(m, "split_page of more pages than were allocated",
				     (pfn + i) << m->page_shift);
			return;
		}
		page->part = false;
		page->refcount = 1;
	}
}

/* May all of the range be reserved? */
static int check_reservable(struct ms_machine *m, ms_pa_t pa, uint64_t size)
{
	if (!size || !ms_aligned(pa | size, m->page_size) || pa + size < pa)
		return ms_refuse(m, -EINVAL, "%x bytes at %x are not whole pages", size, pa);
	for (ms_pa_t at = pa; at < pa + size; at += m->page_size) {
		if (!ms_pfn_is_ram(m, at >> m->page_shift))
			return ms_refuse(m, -EINVAL, "%x is not RAM", at);
		if (!ms_pfn_to_page(m, at >> m->page_shift))
			return ms_refuse(m, -ENOMEM, "no memory");
		if (!ms_page_is_free(m, at >> m->page_shift))
			return ms_refuse(m, -EBUSY, "the page at %x is in use", at);
	}
	return 0;
}

// mirrors memblock_reserve(), mm/memblock.c, 5.10+: of what a kernel's command line asks for
int ms_ram_reserve(struct ms_machine *m, ms_pa_t pa, uint64_t size)
{
	if (!m)
		return -EINVAL;
	int err = check_reservable(m, pa, size);

	for (ms_pa_t at = pa; !err && at < pa + size; at += m->page_size) {
		const ms_pfn_t pfn = at >> m->page_shift;
		struct ms_page *page = ms_pfn_to_page(m, pfn);

		ms_page_get(m, pfn, 1); // no longer free
		page->refcount = 0;
		page->flags |= MS_PG_RESERVED;
	}
	return err;
}

bool ms_page_is_free(const struct ms_machine *m, ms_pfn_t pfn)
{
	const ms_pfn_t head = ms_page_head(m, pfn);
	const struct ms_page *page = ms_page_look(m, head);

	if (!page) // a frame that nobody has asked for yet
		return ms_pfn_is_ram(m, pfn) && !ms_page_is_reserved(m, pfn);
	return !page->refcount && !page->part && !(page->flags & MS_PG_RESERVED);
}

/* ---- what is about to be free ---- */

void ms_page_set_raw(struct ms_machine *m, struct ms_page *page, bool raw)
{
	if (page->raw == raw)
		return;
	page->raw = raw;
	if (raw)
		m->phys->nr_raw++;
	else
		m->phys->nr_raw--;
}

void ms_phys_tell_raw_freed(struct ms_machine *m, ms_raw_freed_fn *fn)
{
	m->phys->raw_freed = fn;
}

static void check_raw(struct ms_machine *m, ms_pfn_t pfn, uint64_t npages)
{
	bool shown = false;

	for (uint64_t i = 0; i < npages; i++) {
		struct ms_page *page = ms_pfn_to_page(m, pfn + i);

		if (!page || !page->raw)
			continue;
		ms_page_set_raw(m, page, false);
		shown = true;
	}
	if (shown && m->phys->raw_freed)
		m->phys->raw_freed(m, pfn, npages);
}

/* The flags that a page must have lost by then, of mm/page_alloc.c's check of a freed page. */
static void check_driver_page(struct ms_machine *m, ms_pfn_t pfn, const struct ms_page *page)
{
	const struct ms_struct_page *as_seen = ms_page_struct_look(m, pfn);

	if (page->locked)
		ms_violation(m, "Bad page state: a page is freed while it is locked",
			     pfn << m->page_shift);
	if (as_seen && as_seen->mapping)
		ms_violation(m, "Bad page state: a page is freed with page->mapping set",
			     pfn << m->page_shift);
}

// mirrors free_pages_prepare(), mm/page_alloc.c, 5.10+: of what it checks
void ms_page_check_freed(struct ms_machine *m, ms_pfn_t pfn, unsigned int order)
{
	const struct ms_page *page = ms_pfn_to_page(m, pfn);

	if (page->driver)
		check_driver_page(m, pfn, page);
	if (m->phys->nr_raw)
		check_raw(m, pfn, UINT64_C(1) << order);
	ms_page_structs_clear(m, pfn, UINT64_C(1) << order);
}
