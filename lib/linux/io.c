/* SPDX-License-Identifier: GPL-2.0-only */
/* A driver's own hold on physical ranges: claims, and ioremap with its memory type. */
#include "linux/state.h"

#include <mapsim/drivers.h>
#include <mapsim/pat.h>

#define COOKIES UINT64_C(0x5b0000000000)

/* Claims never overlap. */
static int region_cmp(const struct ms_region *a, const struct ms_region *b)
{
	return a->start < b->start ? -1 : a->start > b->start;
}

static int remapping_cmp(const struct ms_remapping *a, const struct ms_remapping *b)
{
	const uintptr_t a_cookie = (uintptr_t)a->cookie, b_cookie = (uintptr_t)b->cookie;

	return a_cookie < b_cookie ? -1 : a_cookie > b_cookie;
}

RB_GENERATE_INTERNAL(ms_regions_by_start, ms_region, node, region_cmp,
		     static __attribute__((unused)))
RB_GENERATE_INTERNAL(ms_remappings, ms_remapping, node, remapping_cmp,
		     static __attribute__((unused)))

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
	RB_INSERT(ms_regions_by_start, &lx->regions, region);
	return (void *)(uintptr_t)COOKIES;
}

static void forget_region(struct ms_machine *m, uint64_t start, uint64_t len)
{
	struct ms_linux *lx = ms_linux_of(m);
	struct ms_region key = { .start = start }, *region;

	region = lx ? RB_FIND(ms_regions_by_start, &lx->regions, &key) : NULL;
	if (!region || region->len != len)
		return;
	RB_REMOVE(ms_regions_by_start, &lx->regions, region);
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
	RB_INSERT(ms_remappings, &lx->remappings, map);
	return map->cookie;
}

void ms_linux_iounmap(const volatile void *cookie)
{
	struct ms_machine *m = ms_linux_here("iounmap");
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	struct ms_remapping key = { .cookie = (void *)(uintptr_t)cookie }, *map;

	if (!lx || !cookie)
		return;
	map = RB_FIND(ms_remappings, &lx->remappings, &key);
	if (!map) {
		ms_violation(m, "iounmap of what ioremap did not give", 0);
		return;
	}
	ms_iounmap(m, map->start, map->len);
	RB_REMOVE(ms_remappings, &lx->remappings, map);
	ms_free(&m->alloc, map);
}

/* ---- memory types that drivers ask for ---- */

// mirrors arch_io_reserve_memtype_wc(), arch/x86/mm/pat/memtype.c, 5.10+
int ms_linux_io_memtype_wc(uint64_t start, uint64_t size)
{
	struct ms_machine *m = ms_linux_here("arch_io_reserve_memtype_wc");
	enum ms_cache got;
	int err;

	if (!m)
		return -EINVAL;
	if (!ms_is_x86(m))
		return 0;
	err = ms_memtype_reserve(m, start, start + size, MS_CACHE_WC, &got);
	if (err || (got != MS_CACHE_WB && got != MS_CACHE_WT))
		return err;
	ms_memtype_free(m, start, start + size);
	return ms_refuse(m, -EBUSY, "%x-%x is held with another type than WC", start, start + size);
}

void ms_linux_io_memtype_free(uint64_t start, uint64_t size)
{
	struct ms_machine *m = ms_linux_here("arch_io_free_memtype_wc");

	if (m && ms_is_x86(m))
		ms_memtype_free(m, start, start + size);
}

// mirrors _set_pages_array(), arch/x86/mm/pat/set_memory.c, 5.10+: of one page
int ms_linux_set_page_type(unsigned long pfn, enum ms_cache type)
{
	struct ms_machine *m = ms_linux_here("set_memory");
	const ms_pa_t start = m ? (ms_pa_t)pfn << m->page_shift : 0;
	enum ms_cache got;

	if (!m)
		return -EINVAL;
	if (!ms_is_x86(m))
		return 0;
	if (type == MS_CACHE_WB)
		return ms_memtype_free(m, start, start + m->page_size);
	return ms_memtype_reserve(m, start, start + m->page_size, type, &got);
}

void ms_linux_io_report(struct ms_machine *m, struct ms_linux *lx)
{
	struct ms_remapping *map;
	struct ms_region *region;

	RB_FOREACH (region, ms_regions_by_start, &lx->regions)
		ms_violation_entry(m, "request_mem_region without release_mem_region",
				   region->start, region->start);
	RB_FOREACH (map, ms_remappings, &lx->remappings)
		ms_violation_entry(m, "ioremap without iounmap", map->start, map->start);
}

void ms_linux_io_destroy(struct ms_machine *m)
{
	struct ms_linux *lx = m->kernel;
	struct ms_remapping *map;
	struct ms_region *region;

	while ((region = RB_ROOT(&lx->regions))) {
		RB_REMOVE(ms_regions_by_start, &lx->regions, region);
		ms_free(&m->alloc, region);
	}
	while ((map = RB_ROOT(&lx->remappings))) {
		RB_REMOVE(ms_remappings, &lx->remappings, map);
		ms_free(&m->alloc, map);
	}
}
