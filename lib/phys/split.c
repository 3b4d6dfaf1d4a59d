/* SPDX-License-Identifier: GPL-2.0-only */
/* A compound page in parts: __split_folio_to_order(), mm/huge_memory.c. */
#include "phys/split.h"
#include "phys/phys.h"

static bool make_frames(struct ms_machine *m, struct ms_ram *ram, ms_pfn_t pfn, uint64_t npages)
{
	for (uint64_t i = 0; i < npages; i += MS_SECTION_PAGES)
		if (!ms_ram_frames(m, ram, pfn + i))
			return false;
	return true;
}

/* What the frames of a section are made from when it is looked at, and what tells a page's block.
 */
static void set_sections(struct ms_ram *ram, ms_pfn_t pfn, uint64_t npages, unsigned int order)
{
	for (uint64_t i = 0; i < npages; i += MS_SECTION_PAGES) {
		struct ms_area *area = ram->area[ms_area_index(ram, pfn + i)];

		area->section[ms_section_index(pfn + i)].order =
			order >= MS_SECTION_ORDER ? (uint8_t)order : 0;
	}
}

bool ms_page_split(struct ms_machine *m, ms_pfn_t pfn, unsigned int new_order)
{
	struct ms_ram *ram = ms_ram_of(m, pfn);
	struct ms_page *head = ms_pfn_to_page(m, pfn), *page;
	const uint64_t part = UINT64_C(1) << new_order;
	uint32_t refs;
	unsigned int order;

	if (!head || !make_frames(m, ram, pfn, UINT64_C(1) << head->order))
		return false;
	order = head->order;
	refs = head->refcount >> (order - new_order);
	for (uint64_t i = 0; i < UINT64_C(1) << order; i++) {
		bool is_head = ms_aligned(i, part);

		page = ms_pfn_to_page(m, pfn + i);
		page->order = (uint8_t)new_order;
		page->refcount = is_head ? refs : 0;
		page->flags = (uint8_t)((head->flags & ~MS_PG_TAIL) | (is_head ? 0 : MS_PG_TAIL));
	}
	set_sections(ram, pfn, UINT64_C(1) << order, new_order);
	return true;
}
