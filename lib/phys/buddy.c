/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The buddy allocator: always the lowest free block that is large enough and naturally aligned.
 *
 * A page that is not reserved is in its range's trees exactly while nobody holds it. Whoever names
 * a free page by its number and takes a reference of it takes it out of the trees.
 */
#include "phys/phys.h"

#define NO_PAGE UINT64_MAX

/* Carries the largest free block of an area up into its range's tree. */
static void area_changed(struct ms_ram *ram, struct ms_area *area, ms_pfn_t pfn)
{
	struct ms_free_tree t = ms_ram_tree(ram);

	ms_free_tree_set(t, ms_free_tree_node(t, ms_area_index(ram, pfn), MS_MAX_ORDER),
			 ms_free_tree_largest(ms_area_tree(area)));
}

/* Carries the largest free block of a section up into its area's tree and its range's. */
static void section_changed(struct ms_ram *ram, struct ms_area *area, ms_pfn_t pfn)
{
	struct ms_free_tree t = ms_area_tree(area);
	size_t leaf = ms_free_tree_node(t, ms_section_index(pfn), MS_SECTION_ORDER);
	struct ms_frames *frames = area->section[ms_section_index(pfn)].frames;

	ms_free_tree_set(t, leaf, ms_free_tree_largest(ms_frames_tree(frames)));
	area_changed(ram, area, pfn);
}

/* Puts a block into the trees or takes it out. The frames of its first section exist. */
static void set_free(struct ms_machine *m, struct ms_ram *ram, ms_pfn_t pfn, unsigned int order,
		     bool is_free)
{
	struct ms_area *area = ram->area[ms_area_index(ram, pfn)];
	unsigned int value = is_free ? ms_free_tree_full(order) : 0;
	struct ms_free_tree t;

	if (m->phys->contents && is_free)
		ms_page_bytes_drop(m, pfn, UINT64_C(1) << order);
	if (order == MS_MAX_ORDER) {
		t = ms_ram_tree(ram);
		ms_free_tree_set(t, ms_free_tree_node(t, ms_area_index(ram, pfn), order), value);
	} else if (order >= MS_SECTION_ORDER) {
		t = ms_area_tree(area);
		ms_free_tree_set(t, ms_free_tree_node(t, ms_section_index(pfn), order), value);
		area_changed(ram, area, pfn);
	} else {
		t = ms_frames_tree(area->section[ms_section_index(pfn)].frames);
		ms_free_tree_set(t, ms_free_tree_node(t, ms_page_index(pfn), order), value);
		section_changed(ram, area, pfn);
	}
	if (is_free)
		m->phys->free_pages += UINT64_C(1) << order;
	else
		m->phys->free_pages -= UINT64_C(1) << order;
}

/* The lowest free block of a section. */
static ms_pfn_t find_pages(struct ms_machine *m, struct ms_ram *ram, ms_pfn_t section,
			   unsigned int order)
{
	struct ms_frames *frames = ms_ram_frames(m, ram, section);
	struct ms_free_tree t;

	if (!frames)
		return NO_PAGE;
	t = ms_frames_tree(frames);
	return section + ms_free_tree_leaf(t, ms_free_tree_find(t, order));
}

/* The lowest free block of a range, with the frame of its first page. NO_PAGE: no memory for it. */
static ms_pfn_t find_block(struct ms_machine *m, struct ms_ram *ram, unsigned int order)
{
	struct ms_free_tree t = ms_ram_tree(ram);
	size_t i = ms_free_tree_leaf(t, ms_free_tree_find(t, order));
	ms_pfn_t pfn = ram->base + ((uint64_t)i << MS_MAX_ORDER);
	struct ms_area *area = ms_ram_area(m, ram, pfn);

	if (!area)
		return NO_PAGE;
	if (order < MS_MAX_ORDER) {
		t = ms_area_tree(area);
		i = ms_free_tree_leaf(t, ms_free_tree_find(t, order));
		pfn += (uint64_t)i << MS_SECTION_ORDER;
	}
	if (order < MS_SECTION_ORDER)
		return find_pages(m, ram, pfn, order);
	return ms_ram_frames(m, ram, pfn) ? pfn : NO_PAGE;
}

/* Makes each page of a block part of a compound page, or a plain page again. */
static void set_pages(struct ms_page *page, size_t count, unsigned int order, uint8_t flags)
{
	for (size_t i = 0; i < count; i++) {
		page[i] = (struct ms_page){
			.order = (uint8_t)order,
			.flags = flags,
			.memtype = page[i].memtype,
		};
	}
}

static void set_block(struct ms_ram *ram, ms_pfn_t pfn, unsigned int block_order,
		      unsigned int order, uint8_t flags)
{
	struct ms_area *area = ram->area[ms_area_index(ram, pfn)];
	struct ms_section *section = &area->section[ms_section_index(pfn)];

	if (block_order < MS_SECTION_ORDER) {
		set_pages(&section->frames->page[ms_page_index(pfn)], (size_t)1 << block_order,
			  order, flags);
		return;
	}
	for (size_t i = 0; i < (size_t)1 << (block_order - MS_SECTION_ORDER); i++) {
		section[i].order = (uint8_t)order;
		section[i].flags = flags;
		if (section[i].frames)
			set_pages(section[i].frames->page, MS_SECTION_PAGES, order, flags);
	}
}

bool ms_page_alloc(struct ms_machine *m, unsigned int order, uint8_t flags, ms_pfn_t *pfn)
{
	struct ms_phys *phys = m->phys;
	struct ms_page *head;
	size_t i = 0;

	if (order > MS_MAX_ORDER)
		return false;
	while (i < phys->nr_ram && ms_free_tree_largest(ms_ram_tree(&phys->ram[i])) <= order)
		i++;
	if (i == phys->nr_ram)
		return false;
	*pfn = find_block(m, &phys->ram[i], order);
	if (*pfn == NO_PAGE)
		return false;
	set_free(m, &phys->ram[i], *pfn, order, false);
	set_block(&phys->ram[i], *pfn, order, order, order ? flags | MS_PG_TAIL : flags);
	head = ms_pfn_to_page(m, *pfn);
	head->flags = flags;
	head->refcount = 1;
	return true;
}

void ms_page_free(struct ms_machine *m, ms_pfn_t pfn, unsigned int order)
{
	struct ms_ram *ram = ms_ram_of(m, pfn);

	ms_page_check_freed(m, pfn, order);
	set_block(ram, pfn, order, 0, 0);
	set_free(m, ram, pfn, order, true);
}

void ms_page_get(struct ms_machine *m, ms_pfn_t pfn, uint32_t n)
{
	struct ms_page *head;

	pfn = ms_page_head(m, pfn);
	head = ms_pfn_to_page(m, pfn);
	if (!head || !n)
		return;
	if (!head->refcount && !head->part && !(head->flags & MS_PG_RESERVED))
		set_free(m, ms_ram_of(m, pfn), pfn, 0, false);
	if (__builtin_add_overflow(head->refcount, n, &head->refcount)) {
		head->refcount = UINT32_MAX;
		ms_violation(m, "page reference count overflows", pfn << m->page_shift);
	}
}

/* The zero pages, which processes map without a reference. A kernel that frees one says "Bad
 * page state". */
static bool is_shared_zero(const struct ms_machine *m, ms_pfn_t pfn)
{
	return ms_is_zero_pfn(m, pfn) || ms_is_huge_zero_pfn(m, pfn);
}

// mirrors free_huge_page(), mm/hugetlb.c, 5.10 .. 6.1; free_huge_folio(), mm/hugetlb.c, 6.12+
static void free_huge_folio(struct ms_machine *m, unsigned int order, uint8_t flags)
{
	struct ms_hugetlb_pool *pool = ms_hugetlb_pool(m, order);

	if (!pool)
		return;
	pool->used--;
	pool->reserved += !!(flags & MS_PG_RESTORE_RESERVE);
}

void ms_page_put(struct ms_machine *m, ms_pfn_t pfn, uint32_t n)
{
	struct ms_page *head;

	pfn = ms_page_head(m, pfn);
	head = ms_pfn_to_page(m, pfn);
	if (!head || !n)
		return;
	if (head->refcount < n) {
		ms_violation(m, "page reference count underflows", pfn << m->page_shift);
		n = head->refcount;
	}
	if (!n)
		return;
	if (head->refcount == n && is_shared_zero(m, pfn)) {
		ms_violation(m, "put_page: the zero page's own reference", pfn << m->page_shift);
		return;
	}
	head->refcount -= n;
	if (head->refcount || (head->flags & MS_PG_RESERVED)) {
		if (!head->refcount && head->driver)
			ms_violation(m, "Bad page state: a page is freed while it is reserved",
				     pfn << m->page_shift);
		return;
	}
	if (head->flags & MS_PG_HUGETLB)
		free_huge_folio(m, head->order, head->flags);
	ms_page_free(m, pfn, head->order);
}

uint64_t ms_ram_free_pages(const struct ms_machine *m)
{
	return m ? m->phys->free_pages : 0;
}

uint64_t ms_ram_held_pages(const struct ms_machine *m)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < m->phys->nr_ram; i++)
		pages += m->phys->ram[i].end - m->phys->ram[i].usable_start;
	return pages - m->phys->free_pages;
}

uint64_t ms_ram_pages(const struct ms_machine *m)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < m->phys->nr_ram; i++)
		pages += m->phys->ram[i].end - m->phys->ram[i].start;
	return pages;
}
