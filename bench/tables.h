/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory for tables, all of it touched before, and sizes of what they map. */
#ifndef BENCH_TABLES_H
#define BENCH_TABLES_H

#include "bench.h"

#include <stdlib.h>

/* A pool of 4K pages; the one given back last is taken next. */
struct tables {
	char *memory;
	size_t bytes;
	uint32_t *free_pages;
	uint32_t nr_free, nr;
};

void tables_init(struct tables *pool, size_t pages);
void tables_destroy(struct tables *pool);
/* Not cleared. */
void *tables_take(struct tables *pool);
void tables_put(struct tables *pool, void *page);

enum { TABLES_SIZES = 6 };
/* How much is mapped with 4K pages, rising; returns how many. */
size_t tables_page_sizes(const struct bench_run *run, uint64_t totals[TABLES_SIZES]);
/* "64MiB", "1GiB", "1TiB" */
void tables_size_name(uint64_t bytes, char name[16]);

#endif
