/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is physical memory consistent? Ranges and devices lie apart, the trees of free blocks agree with
 * each other and with the page frames, and each page has as many references as the checks of the
 * other rooms have counted holders.
 */
#include "core/check.h"
#include "phys/phys.h"

/* What the nodes above a node say of all pages below it. */
enum believed { IN_PARTS, ALL_FREE, ALL_TAKEN };

struct walk {
	struct ms_check *c;
	struct ms_ram *ram;
	uint64_t free; /* pages found so far */
};

typedef void leaf_fn(struct walk *w, ms_pfn_t first, unsigned int value, enum believed b);

/* ---- holders ---- */

const char *ms_page_check_holder(struct ms_check *c, uint64_t pfn)
{
	const struct ms_page *head;

	pfn = ms_page_head(c->machine, pfn);
	head = ms_page_look(c->machine, pfn);
	if (!head)
		return ms_pfn_is_ram(c->machine, pfn) ? "has no page frame" : "is no System RAM";
	ms_check_meet(c, ms_key_of_page(pfn));
	return head->refcount ? NULL : "is free";
}

void ms_page_check_others(struct ms_check *c, uint64_t pfn)
{
	const struct ms_page *head = ms_page_look(c->machine, ms_page_head(c->machine, pfn));

	if (head)
		ms_check_meet(c, ms_key_of(head));
}

/* The zero pages hold themselves. */
static void check_zero_page(struct ms_check *c, const char *which, ms_pfn_t pfn)
{
	const char *error = pfn ? ms_page_check_holder(c, pfn) : NULL;

	if (error)
		ms_check_found(c, "%s: holds page %#" PRIx64 ", which %s", which, pfn, error);
}

static void compare_holders(struct ms_check *c, ms_pfn_t pfn, const struct ms_page *page)
{
	const uint32_t counted = ms_check_take_met(c, ms_key_of_page(pfn));
	const bool others = ms_check_take_met(c, ms_key_of(page));

	if (c->no_memory)
		return;
	if (others ? counted > page->refcount : counted != page->refcount)
		ms_check_found(c, "page %#" PRIx64 ": %" PRIu32 " references, %" PRIu32 " holders",
			       pfn, page->refcount, counted);
}

/* ---- pages ---- */

static bool handed_out(const struct ms_ram *ram, ms_pfn_t pfn)
{
	return pfn >= ram->usable_start && pfn < ram->end;
}

static const char *free_page_error(const struct ms_page *page)
{
	if (page->refcount)
		return "is free and has references";
	return page->order || page->flags ? "is free and has what a page in use has" : NULL;
}

static const char *used_page_error(const struct ms_page *page, ms_pfn_t pfn, unsigned int section)
{
	bool tail = !ms_aligned(pfn, UINT64_C(1) << page->order);

	if (page->order > MS_MAX_ORDER ||
	    section != (page->order >= MS_SECTION_ORDER ? page->order : 0))
		return "does not know how large its compound page is";
	if (tail != !!(page->flags & MS_PG_TAIL))
		return tail ? "is a tail and does not say so" : "is a head that says it is a tail";
	if (tail && page->refcount)
		return "is a tail with references of its own";
	if (page->part && page->refcount)
		return "is part of a block, and has references";
	if (!tail && !page->refcount && !page->part && !(page->flags & MS_PG_RESERVED))
		return "is neither free nor has it a reference";
	return NULL;
}

static void check_page(struct walk *w, ms_pfn_t pfn, unsigned int value, enum believed b)
{
	struct ms_section *section =
		&w->ram->area[ms_area_index(w->ram, pfn)]->section[ms_section_index(pfn)];
	struct ms_page *page = &section->frames->page[ms_page_index(pfn)];
	const char *error = NULL;

	(void)value;
	if (!handed_out(w->ram, pfn)) {
		if (b == ALL_FREE)
			error = "is free and never handed out";
	} else if (b == ALL_FREE) {
		w->free++;
		error = free_page_error(page);
	} else {
		error = used_page_error(page, pfn, section->order);
	}
	if (error)
		ms_check_found(w->c, "page %#" PRIx64 ": %s", pfn, error);
	// the section may begin in another range, or end in one
	if (pfn >= w->ram->start && pfn < w->ram->end)
		compare_holders(w->c, pfn, page);
}

/* ---- trees ---- */

/* No frames exist in this block yet: each page that may be handed out is free. */
static void count_untouched(struct walk *w, ms_pfn_t first, unsigned int order, enum believed b)
{
	ms_pfn_t start = ms_max_u64(first, w->ram->usable_start);
	ms_pfn_t end = ms_min_u64(first + (UINT64_C(1) << order), w->ram->end);

	if (b != ALL_TAKEN && start < end)
		w->free += end - start;
}

static void check_node(struct walk *w, struct ms_free_tree t, size_t node, unsigned int order,
		       ms_pfn_t first, enum believed b, leaf_fn *leaf)
{
	const unsigned int value = t.node[node];
	const bool full = order <= MS_MAX_ORDER && value == ms_free_tree_full(order);

	if (b == ALL_FREE && !full) {
		ms_check_found(w->c, "pages %#" PRIx64 "-%#" PRIx64 ": not free in a free block",
			       first, first + (UINT64_C(1) << order));
		return;
	}
	if (b == IN_PARTS && full)
		b = ALL_FREE;
	if (b == IN_PARTS && !value)
		b = ALL_TAKEN;
	if (order == t.leaf_order) {
		leaf(w, first, value, b);
		return;
	}
	if (b == IN_PARTS &&
	    value != ms_free_tree_merged(order, t.node[2 * node], t.node[2 * node + 1]))
		ms_check_found(w->c,
			       "pages %#" PRIx64 "-%#" PRIx64
			       ": largest free block is not that of the halves",
			       first, first + (UINT64_C(1) << order));
	check_node(w, t, 2 * node, order - 1, first, b, leaf);
	check_node(w, t, 2 * node + 1, order - 1, first + (UINT64_C(1) << (order - 1)), b, leaf);
}

/* Goes on from a leaf of one tree to the root of the tree below it. */
static void check_root(struct walk *w, struct ms_free_tree t, ms_pfn_t first, unsigned int value,
		       enum believed b, leaf_fn *leaf)
{
	unsigned int order = t.leaf_order + t.depth;

	if (b != ALL_TAKEN && ms_free_tree_largest(t) != value)
		ms_check_found(w->c,
			       "pages %#" PRIx64 "-%#" PRIx64
			       ": two trees say different things of the largest free block",
			       first, first + (UINT64_C(1) << order));
	check_node(w, t, 1, order, first, b, leaf);
}

static void check_section(struct walk *w, ms_pfn_t first, unsigned int value, enum believed b)
{
	struct ms_area *area = w->ram->area[ms_area_index(w->ram, first)];
	struct ms_section *section = &area->section[ms_section_index(first)];

	if (section->order && b != ALL_TAKEN)
		ms_check_found(w->c, "pages %#" PRIx64 ": part of a compound page, and free",
			       first);
	if (section->frames)
		check_root(w, ms_frames_tree(section->frames), first, value, b, check_page);
	else
		count_untouched(w, first, MS_SECTION_ORDER, b);
}

static void check_area(struct walk *w, ms_pfn_t first, unsigned int value, enum believed b)
{
	struct ms_area *area = NULL;

	if (first < w->ram->end)
		area = w->ram->area[ms_area_index(w->ram, first)];
	if (area)
		check_root(w, ms_area_tree(area), first, value, b, check_section);
	else
		count_untouched(w, first, MS_MAX_ORDER, b);
}

static uint64_t check_ram(struct ms_check *c, struct ms_ram *ram)
{
	struct walk w = { .c = c, .ram = ram };
	struct ms_free_tree t = ms_ram_tree(ram);

	check_node(&w, t, 1, t.leaf_order + t.depth, ram->base, IN_PARTS, check_area);
	return w.free;
}

/* ---- ranges ---- */

static void check_ranges(struct ms_check *c)
{
	const struct ms_phys *phys = c->machine->phys;

	for (size_t i = 0; i < phys->nr_ram; i++) {
		const struct ms_ram *ram = &phys->ram[i];

		if (ram->start >= ram->end || (i && ram[-1].end > ram->start))
			ms_check_found(c,
				       "RAM pages %#" PRIx64 "-%#" PRIx64
				       ": empty, or not behind the range before",
				       ram->start, ram->end);
	}
}

static void check_devices(struct ms_check *c)
{
	const struct ms_phys *phys = c->machine->phys;
	const unsigned int shift = c->machine->page_shift;
	const struct ms_device *dev;

	TAILQ_FOREACH (dev, &phys->by_age, by_age) {
		ms_pa_t end = dev->pa + dev->size;
		size_t i = ms_ram_after(phys, dev->pa >> shift);

		if (end <= dev->pa || ms_device_after(phys, dev->pa) != dev)
			ms_check_found(c, "device %s: empty, or overlaps another", dev->name);
		if (i < phys->nr_ram && phys->ram[i].start << shift < end)
			ms_check_found(c, "device %s: overlaps System RAM", dev->name);
	}
}

void ms_phys_check(struct ms_check *c)
{
	struct ms_phys *phys = c->machine->phys;
	uint64_t free = 0;

	check_ranges(c);
	check_devices(c);
	check_zero_page(c, "zero page", phys->zero_pfn);
	check_zero_page(c, "huge zero page", phys->huge_zero_pfn);
	for (size_t i = 0; i < phys->nr_ram; i++)
		free += check_ram(c, &phys->ram[i]);
	if (free != phys->free_pages)
		ms_check_found(c, "RAM: %" PRIu64 " pages are free, %" PRIu64 " are counted", free,
			       phys->free_pages);
}
