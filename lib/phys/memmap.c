/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct page as driver code holds it. Those of a gigabyte of RAM (with 4K pages) lie beside each
 * other, so that `page + 1` is the next one's, and are made when somebody first asks for one of
 * them; a page outside of RAM has an address in their manner and nothing behind it, as in a kernel.
 */
#include "phys/phys.h"

#define AREA_PAGES (UINT64_C(1) << MS_MAX_ORDER)

/* Where the struct page of pfn 0 would be, of what is no RAM. */
#define NO_RAM UINT64_C(0x5a0000000000)

static bool holds_pfn(const struct ms_memmap *map, ms_pfn_t pfn)
{
	return pfn >= map->pfn && pfn - map->pfn < map->npages;
}

static bool holds_page(const struct ms_memmap *map, const struct ms_struct_page *page)
{
	const uintptr_t first = (uintptr_t)map->page, at = (uintptr_t)page;

	return at >= first && (at - first) / sizeof(*page) < map->npages;
}

static const struct ms_memmap *find(const struct ms_machine *m, ms_pfn_t pfn)
{
	struct ms_phys *phys = m->phys;

	if (phys->last_memmap < phys->nr_memmap && holds_pfn(&phys->memmap[phys->last_memmap], pfn))
		return &phys->memmap[phys->last_memmap];
	for (size_t i = 0; i < phys->nr_memmap; i++)
		if (holds_pfn(&phys->memmap[i], pfn)) {
			phys->last_memmap = i;
			return &phys->memmap[i];
		}
	return NULL;
}

static const struct ms_memmap *make(struct ms_machine *m, ms_pfn_t pfn)
{
	const struct ms_ram *ram = ms_ram_of(m, pfn);
	struct ms_phys *phys = m->phys;
	struct ms_memmap map, *grown;

	map.pfn = ms_max_u64(ms_align_down(pfn, AREA_PAGES), ram->start);
	map.npages = ms_min_u64(ms_align_down(pfn, AREA_PAGES) + AREA_PAGES, ram->end) - map.pfn;
	grown = ms_reallocarray(&m->alloc, phys->memmap, phys->nr_memmap + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	phys->memmap = grown;
	map.page = ms_calloc(&m->alloc, map.npages, sizeof(*map.page));
	if (!map.page)
		return NULL;
	grown[phys->nr_memmap] = map;
	return &grown[phys->nr_memmap++];
}

// mirrors pfn_to_page(), include/asm-generic/memory_model.h, 5.10+
struct ms_struct_page *ms_pfn_to_page_struct(struct ms_machine *m, ms_pfn_t pfn)
{
	const struct ms_memmap *map;

	if (!m)
		return NULL;
	if (!ms_pfn_is_ram(m, pfn))
		return (struct ms_struct_page *)(uintptr_t)(NO_RAM +
							    pfn * sizeof(struct ms_struct_page));
	map = find(m, pfn);
	if (!map)
		map = make(m, pfn);
	return map ? &map->page[pfn - map->pfn] : NULL;
}

// mirrors page_to_pfn(), include/asm-generic/memory_model.h, 5.10+
ms_pfn_t ms_page_struct_to_pfn(const struct ms_machine *m, const struct ms_struct_page *page)
{
	if (!m)
		return 0;
	for (size_t i = 0; i < m->phys->nr_memmap; i++) {
		const struct ms_memmap *map = &m->phys->memmap[i];

		if (holds_page(map, page))
			return map->pfn + ((uintptr_t)page - (uintptr_t)map->page) / sizeof(*page);
	}
	return ((uintptr_t)page - NO_RAM) / sizeof(*page);
}

const struct ms_struct_page *ms_page_struct_look(const struct ms_machine *m, ms_pfn_t pfn)
{
	const struct ms_memmap *map = m->phys->nr_memmap ? find(m, pfn) : NULL;

	return map ? &map->page[pfn - map->pfn] : NULL;
}

void ms_page_structs_clear(struct ms_machine *m, ms_pfn_t pfn, uint64_t npages)
{
	const struct ms_memmap *map = m->phys->nr_memmap ? find(m, pfn) : NULL;

	if (map)
		memset(&map->page[pfn - map->pfn], 0,
		       ms_min_u64(npages, map->npages - (pfn - map->pfn)) * sizeof(*map->page));
}

void ms_memmap_destroy(struct ms_machine *m)
{
	for (size_t i = 0; i < m->phys->nr_memmap; i++)
		ms_free(&m->alloc, m->phys->memmap[i].page);
	ms_free(&m->alloc, m->phys->memmap);
}
