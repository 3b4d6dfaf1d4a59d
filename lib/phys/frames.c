/* SPDX-License-Identifier: GPL-2.0-only */
/* Page frames: those of a section are made when one of its pages is first looked at. */
#include "phys/phys.h"

/* The tree of the pages from `base` on: free is what the allocator may hand out. */
static void init_tree(struct ms_free_tree t, const struct ms_ram *ram, ms_pfn_t base)
{
	ms_pfn_t start = ms_max_u64(ram->usable_start, base);
	ms_pfn_t end = ms_min_u64(ram->end, base + (UINT64_C(1) << (t.depth + t.leaf_order)));

	ms_free_tree_init(t, start - base, end > base ? end - base : 0);
}

struct ms_area *ms_ram_area(struct ms_machine *m, struct ms_ram *ram, ms_pfn_t pfn)
{
	struct ms_area **area = &ram->area[ms_area_index(ram, pfn)];

	if (*area)
		return *area;
	*area = ms_zalloc(&m->alloc, sizeof(**area));
	if (*area)
		init_tree(ms_area_tree(*area), ram,
			  ms_align_down(pfn, UINT64_C(1) << MS_MAX_ORDER));
	return *area;
}

/* The frames of a section that is part of a compound page. The flags are those of tails, which
 * all pages but the head are. */
static void init_compound(struct ms_frames *frames, const struct ms_section *section)
{
	for (size_t i = 0; i < MS_SECTION_PAGES; i++) {
		frames->page[i].order = section->order;
		frames->page[i].flags = section->flags;
	}
}

/* Frames that the allocator never hands out. */
static void init_reserved(struct ms_frames *frames, const struct ms_ram *ram, ms_pfn_t base)
{
	for (size_t i = 0; i < MS_SECTION_PAGES && base + i < ram->usable_start; i++)
		frames->page[i].flags = MS_PG_RESERVED;
}

struct ms_frames *ms_ram_frames(struct ms_machine *m, struct ms_ram *ram, ms_pfn_t pfn)
{
	struct ms_area *area = ms_ram_area(m, ram, pfn);
	ms_pfn_t base = ms_align_down(pfn, MS_SECTION_PAGES);
	struct ms_section *section;

	if (!area)
		return NULL;
	section = &area->section[ms_section_index(pfn)];
	if (section->frames)
		return section->frames;
	section->frames = ms_zalloc(&m->alloc, sizeof(*section->frames));
	if (!section->frames)
		return NULL;
	init_tree(ms_frames_tree(section->frames), ram, base);
	if (section->order)
		init_compound(section->frames, section);
	else
		init_reserved(section->frames, ram, base);
	return section->frames;
}

static void area_free(struct ms_machine *m, struct ms_area *area)
{
	if (!area)
		return;
	for (size_t i = 0; i < MS_AREA_SECTIONS; i++)
		ms_free(&m->alloc, area->section[i].frames);
	ms_free(&m->alloc, area);
}

void ms_ram_destroy(struct ms_machine *m, struct ms_ram *ram)
{
	for (size_t i = 0; ram->area && i <= ms_area_index(ram, ram->end - 1); i++)
		area_free(m, ram->area[i]);
	ms_free(&m->alloc, ram->area);
	ms_free(&m->alloc, ram->node);
}

static __attribute__((noinline)) struct ms_page *find_page(struct ms_machine *m, ms_pfn_t pfn)
{
	ms_pfn_t base = ms_align_down(pfn, MS_SECTION_PAGES);
	struct ms_ram *ram = ms_ram_of(m, pfn);
	struct ms_frames *frames = ram ? ms_ram_frames(m, ram, pfn) : NULL;

	if (!frames)
		return NULL;
	if (base >= ram->start && base + MS_SECTION_PAGES <= ram->end) {
		m->phys->last_section = pfn >> MS_SECTION_ORDER;
		m->phys->last_frames = frames;
	}
	return &frames->page[ms_page_index(pfn)];
}

struct ms_page *ms_pfn_to_page(struct ms_machine *m, ms_pfn_t pfn)
{
	const struct ms_phys *phys = m->phys;

	if (pfn >> MS_SECTION_ORDER == phys->last_section && phys->last_frames)
		return &phys->last_frames->page[ms_page_index(pfn)];
	return find_page(m, pfn);
}

const struct ms_page *ms_page_look(const struct ms_machine *m, ms_pfn_t pfn)
{
	const struct ms_ram *ram = ms_ram_of(m, pfn);
	const struct ms_area *area = ram ? ram->area[ms_area_index(ram, pfn)] : NULL;
	const struct ms_frames *frames = area ? area->section[ms_section_index(pfn)].frames : NULL;

	return frames ? &frames->page[ms_page_index(pfn)] : NULL;
}

ms_pfn_t ms_frames_next(const struct ms_machine *m, ms_pfn_t pfn)
{
	const struct ms_phys *phys = m->phys;

	for (size_t i = ms_ram_after(phys, pfn); i < phys->nr_ram; i++) {
		const struct ms_ram *ram = &phys->ram[i];

		for (pfn = ms_max_u64(pfn, ram->start); pfn < ram->end;) {
			const struct ms_area *area = ram->area[ms_area_index(ram, pfn)];
			const unsigned int order = area ? MS_SECTION_ORDER : MS_MAX_ORDER;

			if (area && area->section[ms_section_index(pfn)].frames)
				return pfn;
			pfn = ms_align_down(pfn, UINT64_C(1) << order) + (UINT64_C(1) << order);
		}
	}
	return MS_NO_FRAME;
}

/* log2 of the pages of the compound page that pfn is in; makes no frame. */
static unsigned int compound_order(const struct ms_ram *ram, ms_pfn_t pfn)
{
	const struct ms_area *area = ram->area[ms_area_index(ram, pfn)];
	const struct ms_section *section;

	if (!area)
		return 0;
	section = &area->section[ms_section_index(pfn)];
	if (section->order || !section->frames)
		return section->order;
	return section->frames->page[ms_page_index(pfn)].order;
}

ms_pfn_t ms_page_head(const struct ms_machine *m, ms_pfn_t pfn)
{
	const struct ms_ram *ram = ms_ram_of(m, pfn);

	// every block starts at a multiple of its size
	return ram ? ms_align_down(pfn, UINT64_C(1) << compound_order(ram, pfn)) : pfn;
}

void ms_page_write(struct ms_machine *m, ms_pfn_t pfn)
{
	const struct ms_page *head = ms_pfn_to_page(m, ms_page_head(m, pfn));
	struct ms_page *page = head && (head->flags & MS_PG_ANON) ? ms_pfn_to_page(m, pfn) : NULL;

	if (page)
		page->flags |= MS_PG_WRITTEN;
}

void ms_page_copy(struct ms_machine *m, ms_pfn_t to, ms_pfn_t from)
{
	const struct ms_page *page = ms_pfn_to_page(m, from);

	if (page && (page->flags & MS_PG_WRITTEN))
		ms_page_write(m, to);
	if (m->phys->contents || m->phys->driver_bytes)
		ms_page_bytes_copy(m, to, from);
}
