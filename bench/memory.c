/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The floor under all bulk work on stage-2 tables: writing the words of as many tables once, in
 * memory that was touched before. ns per descriptor.
 *
 *	clear-tables    memset
 *	write-tables    descriptors that count up, 8 bytes each
 */
#include "bench.h"
#include "tables.h"

#include <mapsim/types.h>

#include <string.h>

enum { WORDS = MS_4K / sizeof(uint64_t) };

static void clear_all(void *const *tables, size_t n)
{
	for (size_t i = 0; i < n; i++)
		memset(tables[i], 0, MS_4K);
}

static void write_all(void *const *tables, size_t n)
{
	uint64_t desc = 0x7ff;

	for (size_t i = 0; i < n; i++) {
		uint64_t *words = tables[i];

		for (unsigned int k = 0; k < WORDS; k++, desc += MS_4K)
			words[k] = desc;
	}
}

static void measure(const struct bench_run *run, struct tables *pool, uint64_t total)
{
	struct bench_series cleared = { .count = 0 }, written = { .count = 0 };
	size_t n = total / MS_2M;
	void **tables = bench_alloc(n, sizeof(*tables));
	double leaves = (double)(n * WORDS);
	char param[16];

	for (size_t i = 0; i < n; i++)
		tables[i] = tables_take(pool);
	for (unsigned int i = 0; i <= run->rounds; i++) {
		double t = bench_now();

		clear_all(tables, n);
		bench_sample(&cleared, t, leaves);
		t = bench_now();
		write_all(tables, n);
		bench_sample(&written, t, leaves);
		bench_require(((uint64_t *)tables[n - 1])[WORDS - 1], "the tables are written");
	}
	while (n)
		tables_put(pool, tables[--n]);
	free(tables);
	tables_size_name(total, param);
	bench_print(run, "clear-tables", param, leaves, &cleared);
	bench_print(run, "write-tables", param, leaves, &written);
}

void bench_memory(const struct bench_run *run)
{
	uint64_t totals[TABLES_SIZES];
	size_t n = tables_page_sizes(run, totals);
	struct tables pool;

	tables_init(&pool, totals[n - 1] / MS_2M);
	for (size_t i = 0; i < n; i++)
		measure(run, &pool, totals[i]);
	tables_destroy(&pool);
}
