/* SPDX-License-Identifier: GPL-2.0-only */
#include "tables.h"

#include <mapsim/types.h>

#include <string.h>
#include <sys/mman.h>

#define MIB UINT64_C(0x100000)

void tables_init(struct tables *pool, size_t pages)
{
	size_t bytes = pages * MS_4K;

	*pool = (struct tables){ .bytes = bytes + MS_2M, .nr = (uint32_t)pages };
	pool->memory =
		mmap(NULL, pool->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bench_require(pool->memory != MAP_FAILED, "no memory for tables");
	madvise(pool->memory, pool->bytes, MADV_HUGEPAGE);
	memset(pool->memory, 0, pool->bytes);
	pool->free_pages = bench_alloc(pages, sizeof(*pool->free_pages));
	while (pages)
		pool->free_pages[pool->nr_free++] = (uint32_t)--pages;
}

void tables_destroy(struct tables *pool)
{
	munmap(pool->memory, pool->bytes);
	free(pool->free_pages);
}

/* Where huge pages can begin. */
static char *first_page(const struct tables *pool)
{
	return (char *)(((uintptr_t)pool->memory + MS_2M - 1) & ~(MS_2M - 1));
}

void *tables_take(struct tables *pool)
{
	bench_require(pool->nr_free, "the pool of tables is empty");
	return first_page(pool) + pool->free_pages[--pool->nr_free] * MS_4K;
}

void tables_put(struct tables *pool, void *page)
{
	pool->free_pages[pool->nr_free++] =
		(uint32_t)((size_t)((char *)page - first_page(pool)) / MS_4K);
}

size_t tables_page_sizes(const struct bench_run *run, uint64_t totals[TABLES_SIZES])
{
	static const uint64_t growth[TABLES_SIZES] = {
		64 * MIB, MS_1G / 4, MS_1G, 16 * MS_1G, 256 * MS_1G, 1024 * MS_1G,
	};

	if (run->sizes >= BENCH_GROWTH) {
		memcpy(totals, growth, sizeof(growth));
		return run->sizes == BENCH_HUGE ? TABLES_SIZES : TABLES_SIZES - 1;
	}
	totals[0] = run->sizes == BENCH_PEERS ? MS_1G : 64 * MIB;
	return 1;
}

void tables_size_name(uint64_t bytes, char name[16])
{
	const char *unit = "MiB";
	uint64_t n = bytes / MIB;

	if (bytes >= 1024 * MS_1G) {
		unit = "TiB";
		n = bytes / (1024 * MS_1G);
	} else if (bytes >= MS_1G) {
		unit = "GiB";
		n = bytes / MS_1G;
	}
	snprintf(name, 16, "%u%s", (unsigned int)n, unit);
}
