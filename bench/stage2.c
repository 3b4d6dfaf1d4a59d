/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What operations on a stage-2 table cost. Lines: `mapsim OP PARAM ns_per_op`, the median of 7
 * rounds after one to warm up; one thread, 40 bits of IPA, pages of 4K, three levels.
 *
 *	OP          TLB invalidations and cache maintenance are counted
 *	OP.desc     and every descriptor that changes, each with a call of its own, never as a run
 *	OP.silent   nobody hears of anything
 *	OP.legacy   as OP, on a CPU with neither FWB nor range TLBI
 *
 * Memory for tables comes from a pool of touched pages and is cleared when it is handed out, within
 * the measured time. Every phase is checked.
 */
#include <mapsim/stage2.h>

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { POOL_PAGES = 8192, LOOKUPS = 1000000 };

#define PA0 UINT64_C(0x4000000000)
#define RWX (MS_PROT_RW | MS_PROT_X)

struct bench {
	const char *suffix;
	char *pool;
	uint32_t free_pages[POOL_PAGES];
	uint32_t nr_free;
	uint64_t tlbi, cmo, descs;
	struct ms_s2_config config;
	struct ms_s2_host host;
	struct ms_s2 *s2;
	struct ms_s2_cache cache;
};

static void print(const struct bench *b, const char *op, const char *param,
		  const struct bench_series *series)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%s", op, b->suffix);
	bench_print(name, param, series);
	fflush(stdout);
}
#define REQUIRE(what) bench_require(what, #what)

/* ---- the host ---- */

static void *pool_alloc(void *ctx, size_t size)
{
	struct bench *b = ctx;

	if (size == MS_4K) {
		REQUIRE(b->nr_free);
		return memset(b->pool + b->free_pages[--b->nr_free] * MS_4K, 0, size);
	}
	return memset(aligned_alloc(size, size), 0, size);
}

static void pool_free(void *ctx, void *table, size_t size)
{
	struct bench *b = ctx;

	if (size == MS_4K)
		b->free_pages[b->nr_free++] = (uint32_t)(((char *)table - b->pool) / MS_4K);
	else
		free(table);
}

static void count_desc(void *ctx, ms_ipa_t ipa, unsigned int level, uint64_t old, uint64_t desc)
{
	struct bench *b = ctx;

	(void)ipa, (void)level, (void)old, (void)desc;
	b->descs++;
}

static void count_tlbi(void *ctx, enum ms_tlbi_kind kind, ms_ipa_t ipa, uint64_t size,
		       unsigned int level)
{
	struct bench *b = ctx;

	(void)kind, (void)ipa, (void)size, (void)level;
	b->tlbi++;
}

static void count_cmo(void *ctx, enum ms_cmo_kind kind, ms_pa_t pa, uint64_t size)
{
	struct bench *b = ctx;

	(void)kind, (void)pa, (void)size;
	b->cmo++;
}

static void count_run(void *ctx, const struct ms_s2_run *run)
{
	const struct ms_s2_totals totals = ms_s2_run_count(run);
	struct bench *b = ctx;

	b->descs += totals.desc;
	b->tlbi += totals.tlbi;
	b->cmo += totals.dcache + totals.icache;
}

static void pool_init(struct bench *b)
{
	size_t bytes = (size_t)(POOL_PAGES + 512) * MS_4K;
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(p != MAP_FAILED);
	b->pool = (char *)(((uintptr_t)p + MS_2M - 1) & ~(MS_2M - 1));
	madvise(b->pool, (size_t)POOL_PAGES * MS_4K, MADV_HUGEPAGE);
	memset(b->pool, 0, (size_t)POOL_PAGES * MS_4K);
	for (uint32_t i = 0; i < POOL_PAGES; i++)
		b->free_pages[i] = POOL_PAGES - 1 - i;
	b->nr_free = POOL_PAGES;
}

/* ---- phases ---- */

static void fresh(struct bench *b)
{
	REQUIRE(!ms_s2_new(&b->s2, &b->config, &b->host));
	REQUIRE(ms_s2_start_level(b->s2) == 1 && ms_s2_root_pages(b->s2) == 2);
}

static void gone(struct bench *b)
{
	ms_s2_cache_free(b->s2, &b->cache);
	ms_s2_free(b->s2);
}

static void all_gone(struct bench *b)
{
	gone(b);
	REQUIRE(b->nr_free == POOL_PAGES);
}

static bool leaf_is(const struct bench *b, ms_ipa_t ipa, uint64_t size, ms_pa_t pa)
{
	struct ms_s2_leaf leaf;

	return ms_s2_get_leaf(b->s2, ipa, &leaf) && leaf.size == size && leaf.pa == pa;
}

static void map_each(struct bench *b, uint64_t total, uint64_t step)
{
	for (uint64_t at = 0; at < total; at += step)
		if (ms_s2_map(b->s2, at, step, PA0 + at, RWX, &b->cache))
			bench_require(false, "map");
}

/* As a fault handler does: its cache is filled before each map. */
static void map_each_with_topup(struct bench *b, uint64_t total, uint64_t step)
{
	unsigned int min = ms_s2_cache_min(b->s2);

	for (uint64_t at = 0; at < total; at += step)
		if (ms_s2_cache_topup(b->s2, &b->cache, min) ||
		    ms_s2_map(b->s2, at, step, PA0 + at, RWX, &b->cache))
			bench_require(false, "map after topup");
}

static void unmap_each(struct bench *b, uint64_t total, uint64_t step)
{
	for (uint64_t at = 0; at < total; at += step)
		ms_s2_unmap(b->s2, at, step);
}

/* One leaf size: by leaf and in one call. */
struct leaf_size {
	const char *param;
	uint64_t total, step;
	ms_pa_t one_call_pa;
	const char *map, *topup, *whole, *unmap, *unmap_whole, *tables;
};

static void bench_size(struct bench *b, const struct leaf_size *w)
{
	const uint64_t total = w->total, step = w->step;
	struct bench_series map = { .count = 0 }, topup = { .count = 0 }, whole = { .count = 0 };
	struct bench_series unmap = { .count = 0 }, unmap_whole = { .count = 0 };
	uint64_t n = total / step, tables = 0;

	for (unsigned int round = 0; round <= BENCH_ROUNDS; round++) {
		double t;

		fresh(b);
		t = bench_now();
		map_each(b, total, step);
		bench_sample(&map, t, n);
		tables = ms_s2_table_pages(b->s2);
		REQUIRE(leaf_is(b, total - 1, step, PA0 + total - step));
		t = bench_now();
		unmap_each(b, total, step);
		bench_sample(&unmap, t, n);
		REQUIRE(!ms_s2_table_pages(b->s2));
		all_gone(b);

		fresh(b);
		REQUIRE(!ms_s2_cache_topup(b->s2, &b->cache, 1));
		t = bench_now();
		map_each_with_topup(b, total, step);
		bench_sample(&topup, t, n);
		t = bench_now();
		ms_s2_unmap(b->s2, 0, total);
		bench_sample(&unmap_whole, t, n);
		REQUIRE(!ms_s2_table_pages(b->s2));
		all_gone(b);

		fresh(b);
		t = bench_now();
		REQUIRE(!ms_s2_map(b->s2, 0, total, w->one_call_pa, RWX, &b->cache));
		bench_sample(&whole, t, n);
		REQUIRE(leaf_is(b, total - 1, step, w->one_call_pa + total - step));
		all_gone(b);
	}
	print(b, w->map, w->param, &map);
	print(b, w->topup, w->param, &topup);
	print(b, w->whole, w->param, &whole);
	print(b, w->unmap, w->param, &unmap);
	print(b, w->unmap_whole, w->param, &unmap_whole);
	printf("mapsim %s%s pages(+2-pgd) %.3f\n", w->tables, b->suffix,
	       (double)tables * (double)MS_1G / (double)total);
}

static void bench_pages(struct bench *b, const ms_ipa_t *addresses)
{
	struct bench_series wrprotect = { .count = 0 }, wrprotect_each = { .count = 0 },
			    relax = { .count = 0 };
	struct bench_series young = { .count = 0 }, random = { .count = 0 },
			    sequential = { .count = 0 };
	struct bench_series destroy = { .count = 0 };
	const uint64_t n = MS_1G / MS_4K;
	uint64_t sum = 0;

	for (unsigned int round = 0; round <= BENCH_ROUNDS; round++) {
		struct ms_s2_leaf leaf;
		double t;

		fresh(b);
		map_each(b, MS_1G, MS_4K);
		t = bench_now();
		REQUIRE(!ms_s2_wrprotect(b->s2, 0, MS_1G));
		bench_sample(&wrprotect, t, n);
		REQUIRE(ms_s2_get_leaf(b->s2, 12345 * MS_4K, &leaf) && !(leaf.prot & MS_PROT_W));
		t = bench_now();
		for (ms_ipa_t at = 0; at < MS_1G; at += MS_4K)
			ms_s2_relax(b->s2, at, RWX);
		bench_sample(&relax, t, n);
		REQUIRE(ms_s2_get_leaf(b->s2, 12345 * MS_4K, &leaf) && (leaf.prot & MS_PROT_W));
		t = bench_now();
		for (ms_ipa_t at = 0; at < MS_1G; at += MS_4K)
			ms_s2_wrprotect(b->s2, at, MS_4K);
		bench_sample(&wrprotect_each, t, n);
		t = bench_now();
		REQUIRE(ms_s2_test_clear_young(b->s2, 0, MS_1G, true));
		bench_sample(&young, t, n);
		t = bench_now();
		for (unsigned int i = 0; i < LOOKUPS; i++) {
			ms_s2_get_leaf(b->s2, addresses[i], &leaf);
			sum += leaf.desc;
		}
		bench_sample(&random, t, LOOKUPS);
		t = bench_now();
		for (ms_ipa_t at = 0; at < MS_1G; at += MS_4K) {
			ms_s2_get_leaf(b->s2, at, &leaf);
			sum += leaf.desc;
		}
		bench_sample(&sequential, t, n);
		REQUIRE(sum);
		t = bench_now();
		gone(b);
		bench_sample(&destroy, t, n);
	}
	print(b, "wrprotect4k-one-call", "1GiB", &wrprotect);
	print(b, "wrprotect4k-per-page", "1GiB", &wrprotect_each);
	print(b, "relax-perms4k-per-page", "1GiB", &relax);
	print(b, "test-clear-young4k-one-call", "1GiB", &young);
	print(b, "get-leaf-random", "1GiB-4k-1e6", &random);
	print(b, "get-leaf-seq", "1GiB-4k", &sequential);
	print(b, "destroy4k", "1GiB(ns_per_pte)", &destroy);
}

static void bench_blocks(struct bench *b)
{
	struct bench_series replace = { .count = 0 }, collapse = { .count = 0 },
			    split = { .count = 0 };
	const uint64_t n = MS_1G / MS_2M;

	for (unsigned int round = 0; round <= BENCH_ROUNDS; round++) {
		unsigned int tables;
		double t;

		fresh(b);
		map_each(b, MS_1G, MS_2M);
		REQUIRE(leaf_is(b, 5 * MS_2M, MS_2M, PA0 + 5 * MS_2M));
		t = bench_now();
		map_each(b, MS_1G, MS_4K);
		bench_sample(&replace, t, n);
		REQUIRE(leaf_is(b, 5 * MS_2M, MS_4K, PA0 + 5 * MS_2M));
		t = bench_now();
		map_each(b, MS_1G, MS_2M);
		bench_sample(&collapse, t, n);
		REQUIRE(leaf_is(b, 5 * MS_2M, MS_2M, PA0 + 5 * MS_2M));
		REQUIRE(ms_s2_table_pages(b->s2) == 1);
		tables = ms_s2_split_tables(b->s2, MS_1G);
		t = bench_now();
		REQUIRE(!ms_s2_cache_fill(b->s2, &b->cache, tables, tables));
		REQUIRE(!ms_s2_split(b->s2, 0, MS_1G, &b->cache));
		bench_sample(&split, t, n);
		REQUIRE(leaf_is(b, 5 * MS_2M, MS_4K, PA0 + 5 * MS_2M));
		REQUIRE(ms_s2_table_pages(b->s2) == 513);
		all_gone(b);
	}
	print(b, "block-replace", "ns_per_2M_block(512x4K)", &replace);
	print(b, "table-to-block", "ns_per_2M_block", &collapse);
	print(b, "split-eager", "ns_per_2M_block", &split);
}

static void bench_all(struct bench *b, const char *suffix, const ms_ipa_t *addresses)
{
	static const struct leaf_size sizes[] = {
		{ "1GiB", MS_1G, MS_4K, PA0 + MS_4K, "map4k-seq", "map4k-seq-shared",
		  "map4k-one-call", "unmap4k-per-page", "unmap4k-one-call", "tables4k-per-GiB" },
		{ "64GiB", 64 * MS_1G, MS_2M, PA0 + MS_2M, "map2m-seq", "map2m-seq-shared",
		  "map2m-one-call", "unmap2m-per-page", "unmap2m-one-call", "tables2m-per-GiB" },
		{ "256GiB", 256 * MS_1G, MS_1G, PA0, "map1g-seq", "map1g-seq-shared",
		  "map1g-one-call", "unmap1g-per-page", "unmap1g-one-call", "tables1g-per-GiB" },
	};

	b->suffix = suffix;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		bench_size(b, &sizes[i]);
	bench_pages(b, addresses);
	bench_blocks(b);
}

int main(void)
{
	static struct bench b;
	static ms_ipa_t addresses[LOOKUPS];
	uint64_t seed = 7;

	for (unsigned int i = 0; i < LOOKUPS; i++)
		addresses[i] = bench_random(&seed) & (MS_1G - 1);
	pool_init(&b);
	b.config = (struct ms_s2_config){
		.page_shift = 12,
		.ipa_bits = 40,
		.fwb = true,
		.tlbi_range = true,
		.same_leaf_eagain = true,
		.table_to_block_range = true,
		.unmap_defer = true,
		.relax_local = true,
	};
	b.host = (struct ms_s2_host){ .ctx = &b, .alloc = pool_alloc, .free = pool_free };
	bench_all(&b, ".silent", addresses);
	b.host.tlbi = count_tlbi;
	b.host.cmo = count_cmo;
	b.host.run = count_run;
	bench_all(&b, "", addresses);
	b.host.desc = count_desc;
	b.host.run = NULL;
	bench_all(&b, ".desc", addresses);
	b.host.desc = NULL;
	b.host.run = count_run;
	b.config.fwb = false;
	b.config.tlbi_range = false;
	bench_all(&b, ".legacy", addresses);
	fprintf(stderr, "counted: tlbi %llu, cmo %llu, descriptors %llu\n",
		(unsigned long long)b.tlbi, (unsigned long long)b.cmo, (unsigned long long)b.descs);
	return 0;
}
