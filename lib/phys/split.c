/* SPDX-License-Identifier: GPL-2.0-only */
/* Splitting a compound page. */
#include "phys/split.h"
#include "phys/phys.h"

static bool make_frames(struct ms_machine *m, struct ms_ram *ram, ms_pfn_t pfn, uint64_t npages)
{
	for (uint64_t i = 0; i < npages; i += MS_SECTION_PAGES)
		if (!ms_ram_frames(m, ram, pfn + i))
			return false;
	return true;
}

static struct ms_section *section_of(const struct ms_ram *ram, ms_pfn_t pfn)
{
	return &ram->area[ms_area_index(ram, pfn)]->section[ms_section_index(pfn)];
}

/* The tree of a section: its pages of the block are from now on taken in parts of 2^new_order. */
static void break_section(struct ms_ram *ram, ms_pfn_t pfn, unsigned int order,
			  unsigned int new_order)
{
	struct ms_free_tree t = ms_frames_tree(section_of(ram, pfn)->frames);
	unsigned int top = order < MS_SECTION_ORDER ? order : MS_SECTION_ORDER;

	if (new_order < MS_SECTION_ORDER)
		ms_free_tree_break(t, ms_free_tree_node(t, ms_page_index(pfn), top), new_order);
}

static void break_trees(struct ms_ram *ram, ms_pfn_t pfn, unsigned int order,
			unsigned int new_order)
{
	struct ms_free_tree t = ms_area_tree(ram->area[ms_area_index(ram, pfn)]);

	if (order >= MS_SECTION_ORDER)
		ms_free_tree_break(t, ms_free_tree_node(t, ms_section_index(pfn), order),
				   new_order > MS_SECTION_ORDER ? new_order : MS_SECTION_ORDER);
	for (uint64_t i = 0; i < UINT64_C(1) << order; i += MS_SECTION_PAGES)
		break_section(ram, pfn + i, order, new_order);
}

/*
 * Makes the frames of one part: its head, which is to be as `head` is, and its tails. What the
 * pages contain stays.
 * mirrors __split_huge_page_tail(), mm/huge_memory.c, 5.10 .. 6.12; __split_folio_to_order(),
 * mm/huge_memory.c, 7.2+
 */
static void make_part(struct ms_machine *m, ms_pfn_t pfn, const struct ms_page *head)
{
	for (uint64_t i = 0; i < UINT64_C(1) << head->order; i++) {
		struct ms_page *page = ms_pfn_to_page(m, pfn + i);

		page->order = head->order;
		page->refcount = i ? 0 : head->refcount;
		page->active = head->active;
		page->flags = (page->flags & MS_PG_WRITTEN) | head->flags | (i ? MS_PG_TAIL : 0);
	}
}

/* Notes the order of the parts in each section, for parts that cover whole sections. */
static void set_sections(struct ms_ram *ram, ms_pfn_t pfn, uint64_t npages, unsigned int order)
{
	for (uint64_t i = 0; i < npages; i += MS_SECTION_PAGES)
		section_of(ram, pfn + i)->order = order >= MS_SECTION_ORDER ? (uint8_t)order : 0;
}

bool ms_page_disband(struct ms_machine *m, ms_pfn_t pfn, unsigned int order)
{
	struct ms_ram *ram = ms_ram_of(m, pfn);
	const struct ms_page plain = { .order = 0 };

	if (!make_frames(m, ram, pfn, UINT64_C(1) << order))
		return false;
	if (!order)
		return true;
	break_trees(ram, pfn, order, 0);
	for (uint64_t i = 0; i < UINT64_C(1) << order; i++)
		make_part(m, pfn + i, &plain);
	set_sections(ram, pfn, UINT64_C(1) << order, 0);
	return true;
}

bool ms_page_split(struct ms_machine *m, ms_pfn_t pfn, unsigned int new_order)
{
	struct ms_ram *ram = ms_ram_of(m, pfn);
	const struct ms_page *head;
	uint64_t npages, part = UINT64_C(1) << new_order;
	struct ms_page as;
	unsigned int order;

	pfn = ms_page_head(m, pfn);
	head = ms_pfn_to_page(m, pfn);
	if (!head)
		return false;
	if (new_order >= head->order)
		return true;
	order = head->order;
	npages = UINT64_C(1) << order;
	if (!make_frames(m, ram, pfn, npages))
		return false;
	as = *head;
	as.order = (uint8_t)new_order;
	as.refcount >>= order - new_order;
	as.flags &= (uint8_t)~MS_PG_WRITTEN;
	// somebody else has a reference, too; the kernel's can_split_folio() says no then
	if ((uint64_t)as.refcount << (order - new_order) != head->refcount || !as.refcount)
		return false;
	break_trees(ram, pfn, order, new_order);
	for (uint64_t i = 0; i < npages; i += part)
		make_part(m, pfn + i, &as);
	set_sections(ram, pfn, npages, new_order);
	return true;
}
