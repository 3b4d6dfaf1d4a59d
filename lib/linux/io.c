/* SPDX-License-Identifier: GPL-2.0-only */
/* A driver's own hold on physical ranges: claims, and ioremap with its memory type. */
#include "linux/state.h"

#include <mapsim/drivers.h>

#define COOKIES UINT64_C(0x5b0000000000)

void *ms_linux_request_region(uint64_t start, uint64_t len)
{
	struct ms_machine *m = ms_linux_here("request_mem_region");
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	struct ms_region *region = lx ? ms_zalloc(&m->alloc, sizeof(*region)) : NULL;

	if (!region)
		return NULL;
	if (ms_iomem_claim(m, start, len)) {
		ms_free(&m->alloc, region);
		return NULL;
	}
	region->start = start;
	region->len = len;
	LIST_INSERT_HEAD(&lx->regions, region, link);
	return (void *)(uintptr_t)COOKIES;
}

static void forget_region(struct ms_machine *m, uint64_t start, uint64_t len)
{
	struct ms_linux *lx = ms_linux_of(m);
	struct ms_region *region;

	if (!lx)
		return;
	LIST_FOREACH (region, &lx->regions, link)
		if (region->start == start && region->len == len)
			break;
	if (!region)
		return;
	LIST_REMOVE(region, link);
	ms_free(&m->alloc, region);
}

void ms_linux_release_region(uint64_t start, uint64_t len)
{
	struct ms_machine *m = ms_linux_here("release_mem_region");

	if (!m)
		return;
	if (ms_iomem_release(m, start, len))
		ms_violation(m, "Trying to free nonexistent resource", start);
	else
		forget_region(m, start, len);
}

void *ms_linux_ioremap(uint64_t start, uint64_t len, enum ms_cache type)
{
	struct ms_machine *m = ms_linux_here("ioremap");
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	struct ms_remapping *map = lx ? ms_zalloc(&m->alloc, sizeof(*map)) : NULL;

	if (!map)
		return NULL;
	if (ms_ioremap(m, start, len, type)) {
		ms_free(&m->alloc, map);
		return NULL;
	}
	map->start = start;
	map->len = len;
	map->cookie = (void *)(uintptr_t)(COOKIES + lx->next_cookie + start % m->page_size);
	lx->next_cookie += ms_align_up(start % m->page_size + len, m->page_size) + m->page_size;
	LIST_INSERT_HEAD(&lx->remappings, map, link);
	return map->cookie;
}

void ms_linux_iounmap(const volatile void *cookie)
{
	struct ms_machine *m = ms_linux_here("iounmap");
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	struct ms_remapping *map;

	if (!lx || !cookie)
		return;
	LIST_FOREACH (map, &lx->remappings, link)
		if (map->cookie == cookie)
			break;
	if (!map) {
		ms_violation(m, "iounmap of what ioremap did not give", 0);
		return;
	}
	ms_iounmap(m, map->start, map->len);
	LIST_REMOVE(map, link);
	ms_free(&m->alloc, map);
}

void ms_linux_io_destroy(struct ms_machine *m)
{
	struct ms_remapping *map;
	struct ms_region *region;

	while ((region = LIST_FIRST(&m->kernel->regions))) {
		LIST_REMOVE(region, link);
		ms_free(&m->alloc, region);
	}
	while ((map = LIST_FIRST(&m->kernel->remappings))) {
		LIST_REMOVE(map, link);
		ms_free(&m->alloc, map);
	}
}
