/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What of RAM and devices an operation can notice.
 *
 * A page is hashed where it is met; free ones are counted, with the largest block that each range
 * has. Which of the pages are free is not told, as their numbers are not: the allocator gives the
 * lowest, and who gets it cannot tell it from another.
 */
#include "phys/hash.h"

#include "phys/phys.h"

static uint64_t word_of(const struct ms_page *page)
{
	return page->refcount | (uint64_t)page->order << 32 | (uint64_t)page->flags << 40 |
	       (uint64_t)page->active << 48 | (uint64_t)page->driver << 50 |
	       (uint64_t)page->part << 51 | (uint64_t)page->slab << 52 |
	       (uint64_t)page->large << 53 | (uint64_t)page->locked << 54 |
	       (uint64_t)page->raw << 55 | (uint64_t)page->memtype << 56;
}

/* The pages of a compound page behind its first: each section's, where they are all alike as one.
 */
static void add_tails(struct ms_hash *h, ms_pfn_t head, unsigned int order)
{
	const struct ms_ram *ram = ms_ram_of(h->machine, head);
	const struct ms_area *area = ram->area[ms_area_index(ram, head)];
	const ms_pfn_t end = head + (UINT64_C(1) << order);

	for (ms_pfn_t pfn = head; pfn < end;) {
		const struct ms_section *section = &area->section[ms_section_index(pfn)];
		const size_t i = ms_page_index(pfn);
		const size_t n = ms_min_u64(MS_SECTION_PAGES - i, end - pfn);
		uint64_t last = 0;

		if (!section->frames)
			ms_hash_add(h, (uint64_t)section->order << 8 | section->flags);
		for (size_t k = 0; section->frames && k < n; k++) {
			const uint64_t word = word_of(&section->frames->page[i + k]);

			// a run of equal pages is told where it begins
			if (word != last) {
				ms_hash_add(h, k);
				ms_hash_add(h, word);
			}
			last = word;
		}
		pfn += n;
	}
}

/* What is stored in the pages, where somebody has stored something. A driver's own are told by
 * lib/linux. */
static void add_contents(struct ms_hash *h, ms_pfn_t head, unsigned int order)
{
	const struct ms_machine *m = h->machine;

	for (ms_pfn_t pfn = head; m->phys->contents && pfn < head + (UINT64_C(1) << order); pfn++) {
		const uint64_t *word = ms_page_contents(m, pfn);

		for (size_t i = 0; word && i < m->page_size / sizeof(*word); i++)
			if (word[i]) {
				ms_hash_add(h, (pfn - head) << 16 | i);
				ms_hash_add(h, word[i]);
			}
	}
}

void ms_phys_hash_page(struct ms_hash *h, ms_pfn_t pfn)
{
	const struct ms_machine *m = h->machine;
	const ms_pfn_t head = ms_page_head(m, pfn);
	const struct ms_page *page;

	if (ms_is_zero_pfn(m, pfn) || ms_is_huge_zero_pfn(m, head)) {
		ms_hash_add(h, ~(pfn - head));
		return;
	}
	if (!ms_hash_meet(h, ms_hash_pfn(head))) {
		ms_hash_add(h, pfn - head);
		return;
	}
	page = ms_page_look(m, head);
	ms_hash_add(h, page ? word_of(page) : 0);
	ms_hash_add(h, pfn - head);
	if (page && page->order)
		add_tails(h, head, page->order);
	add_contents(h, head, page ? page->order : 0);
}

ms_pfn_t ms_phys_lowest_free(const struct ms_machine *m)
{
	for (size_t i = 0; i < m->phys->nr_ram; i++) {
		const struct ms_ram *ram = &m->phys->ram[i];
		const struct ms_area *area;
		const struct ms_frames *frames;
		struct ms_free_tree t = ms_ram_tree(ram);
		ms_pfn_t pfn = ram->base;
		size_t at;

		if (!ms_free_tree_largest(t))
			continue;
		at = ms_free_tree_leaf(t, ms_free_tree_find(t, 0));
		pfn += (uint64_t)at << MS_MAX_ORDER;
		area = ram->area[at];
		if (!area)
			return pfn;
		t = (struct ms_free_tree){ (uint8_t *)(uintptr_t)area->node, MS_AREA_DEPTH,
					   MS_SECTION_ORDER };
		at = ms_free_tree_leaf(t, ms_free_tree_find(t, 0));
		pfn += (uint64_t)at << MS_SECTION_ORDER;
		frames = area->section[at].frames;
		if (!frames)
			return pfn;
		t = (struct ms_free_tree){ (uint8_t *)(uintptr_t)frames->node, MS_SECTION_ORDER,
					   0 };
		return pfn + ms_free_tree_leaf(t, ms_free_tree_find(t, 0));
	}
	return 0;
}

static void add_ram(struct ms_hash *h, const struct ms_phys *phys)
{
	// the zero pages count as if they were made from the beginning, as the kernel's is
	uint64_t free_pages = phys->free_pages + !!phys->zero_pfn;

	if (phys->huge_zero_pfn)
		free_pages += UINT64_C(1) << ms_pmd_order(h->machine);
	ms_hash_add(h, free_pages);
	for (size_t i = 0; i < phys->nr_ram; i++) {
		ms_hash_add(h, phys->ram[i].start);
		ms_hash_add(h, phys->ram[i].end);
		ms_hash_add(h, ms_free_tree_largest(ms_ram_tree(&phys->ram[i])));
	}
	for (size_t i = 0; i < MS_HUGETLB_SIZES; i++) {
		const struct ms_hugetlb_pool *pool = &phys->hugetlb[i];

		ms_hash_add(h, pool->order | pool->pages << 8);
		ms_hash_add(h, pool->used);
		ms_hash_add(h, (uint64_t)pool->reserved);
	}
}

static void add_devices(struct ms_hash *h, const struct ms_phys *phys)
{
	const struct ms_device *dev;

	TAILQ_FOREACH (dev, &phys->by_age, by_age) {
		ms_hash_refer(h, dev);
		ms_hash_text(h, dev->name);
		ms_hash_add(h, dev->pa);
		ms_hash_add(h, dev->size);
		ms_hash_add(h, (uint64_t)(uint32_t)dev->mtrr << 2 | (uint64_t)dev->off << 1 |
				       dev->prefetchable);
	}
	ms_hash_add(h, phys->nr_mtrr);
	for (size_t i = 0; i < phys->nr_mtrr; i++) {
		ms_hash_add(h, phys->mtrr[i].start);
		ms_hash_add(h, phys->mtrr[i].end);
		ms_hash_add(h, (uint64_t)(int64_t)phys->mtrr[i].type);
	}
}

void ms_phys_hash(struct ms_hash *h)
{
	const struct ms_phys *phys = h->machine->phys;

	if (phys->nr_ram) {
		h->ram_start = phys->ram[0].start;
		h->ram_pages = phys->ram[phys->nr_ram - 1].end - h->ram_start;
	}
	add_ram(h, phys);
	add_devices(h, phys);
}
