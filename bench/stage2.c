/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What operations on a stage-2 table cost: 40 bits of IPA, pages of 4K, three levels; ns per leaf.
 *
 *	stage2           TLB invalidations and cache maintenance are counted
 *	stage2.desc      and every descriptor that changes, each with a call of its own, not as a
 *run stage2.silent    nobody hears of anything stage2.legacy    as stage2, on a CPU with neither
 *FWB nor range TLBI
 *
 * Memory for tables comes from a pool of touched pages and is cleared when it is handed out, within
 * the measured time.
 */
#include <mapsim/stage2.h>

#include "bench.h"
#include "tables.h"

#include <stdlib.h>
#include <string.h>

enum { LOOKUPS = 1000000 };

#define PA0 UINT64_C(0x4000000000)
#define RWX (MS_PROT_RW | MS_PROT_X)

struct bench {
	const struct bench_run *run;
	struct tables pool;
	uint64_t tlbi, cmo, descs;
	struct ms_s2_config config;
	struct ms_s2_host host;
	struct ms_s2 *s2;
	struct ms_s2_cache cache;
	ms_ipa_t addresses[LOOKUPS]; /* any; to be masked */
};

#define REQUIRE(what) bench_require(what, #what)

/* ---- the host ---- */

static void *pool_alloc(void *ctx, size_t size)
{
	struct bench *b = ctx;

	if (size == MS_4K)
		return memset(tables_take(&b->pool), 0, size);
	return memset(aligned_alloc(size, size), 0, size);
}

static void pool_free(void *ctx, void *table, size_t size)
{
	struct bench *b = ctx;

	if (size == MS_4K)
		tables_put(&b->pool, table);
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

/* ---- phases ---- */

static void fresh(struct bench *b)
{
	b->s2 = ms_s2_new(&b->config, &b->host);
	REQUIRE(b->s2);
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
	REQUIRE(b->pool.nr_free == b->pool.nr);
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

/* ---- one leaf size: by leaf and in one call ---- */

enum size_op { MAP, TOPUP, WHOLE, UNMAP, UNMAP_WHOLE, SIZE_OPS };
static const char *const size_op_name[SIZE_OPS] = {
	[MAP] = "map%s-seq",
	[TOPUP] = "map%s-seq-shared",
	[WHOLE] = "map%s-one-call",
	[UNMAP] = "unmap%s-per-page",
	[UNMAP_WHOLE] = "unmap%s-one-call",
};

struct leaf_size {
	const char *name;
	uint64_t step;
	ms_pa_t one_call_pa; /* that allows nothing larger */
};

/* Large sizes vary little, and take long. */
static unsigned int rounds_for(const struct bench_run *run, uint64_t leaves)
{
	return leaves > UINT64_C(1) << 22 && run->rounds > 3 ? 3 : run->rounds;
}

static void map_by_leaf(struct bench *b, uint64_t total, uint64_t step, struct bench_series *series,
			uint64_t *tables)
{
	double n = (double)(total / step), t;

	fresh(b);
	t = bench_now();
	map_each(b, total, step);
	bench_sample(&series[MAP], t, n);
	*tables = ms_s2_table_pages(b->s2);
	REQUIRE(leaf_is(b, total - 1, step, PA0 + total - step));
	t = bench_now();
	unmap_each(b, total, step);
	bench_sample(&series[UNMAP], t, n);
	REQUIRE(!ms_s2_table_pages(b->s2));
	all_gone(b);
}

static void map_as_faults_do(struct bench *b, uint64_t total, uint64_t step,
			     struct bench_series *series)
{
	double n = (double)(total / step), t;

	fresh(b);
	REQUIRE(!ms_s2_cache_topup(b->s2, &b->cache, 1));
	t = bench_now();
	map_each_with_topup(b, total, step);
	bench_sample(&series[TOPUP], t, n);
	t = bench_now();
	ms_s2_unmap(b->s2, 0, total);
	bench_sample(&series[UNMAP_WHOLE], t, n);
	REQUIRE(!ms_s2_table_pages(b->s2));
	all_gone(b);
}

static void map_whole(struct bench *b, uint64_t total, const struct leaf_size *w,
		      struct bench_series *series)
{
	double t;

	fresh(b);
	t = bench_now();
	REQUIRE(!ms_s2_map(b->s2, 0, total, w->one_call_pa, RWX, &b->cache));
	bench_sample(&series[WHOLE], t, (double)(total / w->step));
	REQUIRE(leaf_is(b, total - 1, w->step, w->one_call_pa + total - w->step));
	all_gone(b);
}

static void bench_leaves(struct bench *b, const struct leaf_size *w, uint64_t total)
{
	struct bench_series series[SIZE_OPS] = { 0 };
	uint64_t leaves = total / w->step, tables = 0;
	char param[16], op[64];

	for (unsigned int round = 0; round <= rounds_for(b->run, leaves); round++) {
		map_by_leaf(b, total, w->step, series, &tables);
		map_as_faults_do(b, total, w->step, series);
		map_whole(b, total, w, series);
	}
	tables_size_name(total, param);
	for (int i = 0; i < SIZE_OPS; i++) {
		snprintf(op, sizeof(op), size_op_name[i], w->name);
		bench_print(b->run, op, param, (double)leaves, &series[i]);
	}
	snprintf(op, sizeof(op), "tables%s-per-GiB", w->name);
	bench_print_number(b->run, op, "pages(+2-pgd)",
			   (double)tables * (double)MS_1G / (double)total);
}

/* ---- what is done to pages that are mapped ---- */

enum page_op { WRPROTECT, WRPROTECT_EACH, RELAX, YOUNG, RANDOM, SEQUENTIAL, DESTROY, PAGE_OPS };
static const char *const page_op_name[PAGE_OPS] = {
	[WRPROTECT] = "wrprotect4k-one-call",
	[WRPROTECT_EACH] = "wrprotect4k-per-page",
	[RELAX] = "relax-perms4k-per-page",
	[YOUNG] = "test-clear-young4k-one-call",
	[RANDOM] = "get-leaf-random",
	[SEQUENTIAL] = "get-leaf-seq",
	[DESTROY] = "destroy4k",
};
static const char *const page_op_param[PAGE_OPS] = {
	[RANDOM] = "-4k-1e6",
	[SEQUENTIAL] = "-4k",
	[DESTROY] = "(ns_per_pte)",
};

static void change_pages(struct bench *b, uint64_t total, struct bench_series *series)
{
	double n = (double)(total / MS_4K), t = bench_now();
	struct ms_s2_leaf leaf;

	REQUIRE(!ms_s2_wrprotect(b->s2, 0, total));
	bench_sample(&series[WRPROTECT], t, n);
	REQUIRE(ms_s2_get_leaf(b->s2, 12345 * MS_4K, &leaf) && !(leaf.prot & MS_PROT_W));
	t = bench_now();
	for (ms_ipa_t at = 0; at < total; at += MS_4K)
		ms_s2_relax(b->s2, at, RWX);
	bench_sample(&series[RELAX], t, n);
	REQUIRE(ms_s2_get_leaf(b->s2, 12345 * MS_4K, &leaf) && (leaf.prot & MS_PROT_W));
	t = bench_now();
	for (ms_ipa_t at = 0; at < total; at += MS_4K)
		ms_s2_wrprotect(b->s2, at, MS_4K);
	bench_sample(&series[WRPROTECT_EACH], t, n);
	t = bench_now();
	REQUIRE(ms_s2_test_clear_young(b->s2, 0, total, true));
	bench_sample(&series[YOUNG], t, n);
}

static void look_at_pages(struct bench *b, uint64_t total, struct bench_series *series)
{
	struct ms_s2_leaf leaf;
	uint64_t sum = 0;
	double t = bench_now();

	for (unsigned int i = 0; i < LOOKUPS; i++) {
		ms_s2_get_leaf(b->s2, b->addresses[i] & (total - 1), &leaf);
		sum += leaf.desc;
	}
	bench_sample(&series[RANDOM], t, LOOKUPS);
	t = bench_now();
	for (ms_ipa_t at = 0; at < total; at += MS_4K) {
		ms_s2_get_leaf(b->s2, at, &leaf);
		sum += leaf.desc;
	}
	bench_sample(&series[SEQUENTIAL], t, (double)(total / MS_4K));
	REQUIRE(sum);
}

static void bench_pages(struct bench *b, uint64_t total)
{
	struct bench_series series[PAGE_OPS] = { 0 };
	uint64_t leaves = total / MS_4K;
	char size[16], param[64];

	for (unsigned int round = 0; round <= rounds_for(b->run, leaves); round++) {
		double t;

		fresh(b);
		map_each(b, total, MS_4K);
		change_pages(b, total, series);
		look_at_pages(b, total, series);
		t = bench_now();
		gone(b);
		bench_sample(&series[DESTROY], t, (double)leaves);
	}
	tables_size_name(total, size);
	for (int i = 0; i < PAGE_OPS; i++) {
		snprintf(param, sizeof(param), "%s%s", size,
			 page_op_param[i] ? page_op_param[i] : "");
		bench_print(b->run, page_op_name[i], param, (double)leaves, &series[i]);
	}
}

/* ---- blocks and tables that replace each other ---- */

enum block_op { REPLACE, COLLAPSE, SPLIT, BLOCK_OPS };

static void replace_blocks(struct bench *b, uint64_t total, struct bench_series *series)
{
	unsigned int tables = ms_s2_split_tables(b->s2, total);
	double n = (double)(total / MS_2M), t = bench_now();

	map_each(b, total, MS_4K);
	bench_sample(&series[REPLACE], t, n);
	REQUIRE(leaf_is(b, 5 * MS_2M, MS_4K, PA0 + 5 * MS_2M));
	t = bench_now();
	map_each(b, total, MS_2M);
	bench_sample(&series[COLLAPSE], t, n);
	REQUIRE(leaf_is(b, 5 * MS_2M, MS_2M, PA0 + 5 * MS_2M));
	REQUIRE(ms_s2_table_pages(b->s2) == 1);
	t = bench_now();
	REQUIRE(!ms_s2_cache_fill(b->s2, &b->cache, tables, tables));
	REQUIRE(!ms_s2_split(b->s2, 0, total, &b->cache));
	bench_sample(&series[SPLIT], t, n);
	REQUIRE(leaf_is(b, 5 * MS_2M, MS_4K, PA0 + 5 * MS_2M));
	REQUIRE(ms_s2_table_pages(b->s2) == 1 + total / MS_2M);
}

static void bench_blocks(struct bench *b, uint64_t total)
{
	struct bench_series series[BLOCK_OPS] = { 0 };
	double leaves = (double)(total / MS_4K);

	for (unsigned int round = 0; round <= b->run->rounds; round++) {
		fresh(b);
		map_each(b, total, MS_2M);
		REQUIRE(leaf_is(b, 5 * MS_2M, MS_2M, PA0 + 5 * MS_2M));
		replace_blocks(b, total, series);
		all_gone(b);
	}
	bench_print(b->run, "block-replace", "ns_per_2M_block(512x4K)", leaves, &series[REPLACE]);
	bench_print(b->run, "table-to-block", "ns_per_2M_block", leaves, &series[COLLAPSE]);
	bench_print(b->run, "split-eager", "ns_per_2M_block", leaves, &series[SPLIT]);
}

/* ---- all ---- */

static void bench_large_leaves(struct bench *b)
{
	static const struct leaf_size block = { "2m", MS_2M, PA0 + MS_2M };
	static const struct leaf_size huge_block = { "1g", MS_1G, PA0 };
	enum bench_sizes sizes = b->run->sizes;

	bench_leaves(b, &block, sizes == BENCH_SMOKE ? MS_1G : 64 * MS_1G);
	if (sizes >= BENCH_GROWTH)
		bench_leaves(b, &block, 1024 * MS_1G);
	bench_leaves(b, &huge_block, 256 * MS_1G);
	if (sizes >= BENCH_GROWTH)
		bench_leaves(b, &huge_block, 1024 * MS_1G);
}

static void configure(struct bench *b)
{
	b->config = (struct ms_s2_config){
		.page_shift = 12,
		.ipa_bits = 40,
		.fwb = !bench_is(b->run, "legacy"),
		.tlbi_range = !bench_is(b->run, "legacy"),
		.same_leaf_eagain = true,
		.table_to_block_range = true,
		.unmap_defer = true,
		.relax_local = true,
		.absent_eagain = true,
	};
	b->host = (struct ms_s2_host){ .ctx = b, .alloc = pool_alloc, .free = pool_free };
	if (bench_is(b->run, "silent"))
		return;
	b->host.tlbi = count_tlbi;
	b->host.cmo = count_cmo;
	if (bench_is(b->run, "desc"))
		b->host.desc = count_desc;
	else
		b->host.run = count_run;
}

void bench_stage2(const struct bench_run *run)
{
	static const struct leaf_size page = { "4k", MS_4K, PA0 + MS_4K };
	struct bench *b = bench_alloc(1, sizeof(*b));
	uint64_t totals[TABLES_SIZES], seed = 7;
	size_t n = tables_page_sizes(run, totals);

	b->run = run;
	for (unsigned int i = 0; i < LOOKUPS; i++)
		b->addresses[i] = bench_random(&seed);
	tables_init(&b->pool, totals[n - 1] / MS_2M + 2048);
	configure(b);
	for (size_t i = 0; i < n; i++)
		bench_leaves(b, &page, totals[i]);
	bench_large_leaves(b);
	for (size_t i = 0; i < n; i++)
		bench_pages(b, totals[i]);
	bench_blocks(b, run->sizes == BENCH_SMOKE ? totals[0] : MS_1G);
	fprintf(stderr, "%s: tlbi %llu, cmo %llu, descriptors %llu\n", run->workload,
		(unsigned long long)b->tlbi, (unsigned long long)b->cmo,
		(unsigned long long)b->descs);
	tables_destroy(&b->pool);
	free(b);
}
