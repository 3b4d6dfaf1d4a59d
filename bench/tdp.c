/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What operations on an x86 second-level table cost, on the same patterns as stage2.c: four levels,
 * 40 address bits, NPT; ns per leaf.
 *
 *	tdp         changes are counted, as runs
 *	tdp.pieces  and the pieces of equal changes in each run are looked for
 *	tdp.silent  nobody hears of anything
 *	tdp.ept     as tdp, with EPT and without accessed bits of the CPU
 *
 * Memory for tables comes from a pool of touched pages and is cleared when it is handed out, within
 * the measured time.
 */
#include <mapsim/tdp.h>

#include "bench.h"
#include "tables.h"

#include <stdlib.h>
#include <string.h>

enum { LOOKUPS = 1000000 };

#define PA0 UINT64_C(0x4000000000)
#define RX (MS_PROT_R | MS_PROT_X | MS_TDP_BITS)
#define RWX (RX | MS_PROT_W)

struct bench {
	const struct bench_run *run;
	struct tables pool;
	uint64_t changes, pieces;
	struct ms_tdp_config config;
	struct ms_tdp_host host;
	struct ms_tdp *tdp;
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

static void pool_free(void *ctx, void *memory, size_t size)
{
	struct bench *b = ctx;

	if (size == MS_4K)
		tables_put(&b->pool, memory);
	else
		free(memory);
}

static void count_changes(void *ctx, const struct ms_tdp_run *run)
{
	struct bench *b = ctx;

	b->changes += run->leaves;
}

static void count_pieces(void *ctx, const struct ms_tdp_run *run)
{
	struct bench *b = ctx;
	struct ms_tdp_piece piece;

	for (unsigned int i = 0; (i = ms_tdp_run_piece(run, i, &piece)) != 0;) {
		b->pieces++;
		b->changes += piece.count;
	}
}

/* ---- phases ---- */

static void fresh(struct bench *b)
{
	REQUIRE(!ms_tdp_new(&b->tdp, &b->config, &b->host));
}

static void all_gone(struct bench *b)
{
	ms_tdp_free(b->tdp);
	REQUIRE(b->pool.nr_free == b->pool.nr);
}

static bool leaf_is(const struct bench *b, ms_ipa_t ipa, uint64_t size, ms_pa_t pa)
{
	struct ms_tdp_leaf leaf;

	return ms_tdp_get_leaf(b->tdp, ipa, &leaf) && leaf.size == size && leaf.pa == pa;
}

static unsigned int level_of(uint64_t step)
{
	return step == MS_4K ? MS_TDP_4K : step == MS_2M ? MS_TDP_2M : MS_TDP_1G;
}

static void map_each(struct bench *b, uint64_t total, uint64_t step)
{
	unsigned int level = level_of(step);

	for (uint64_t at = 0; at < total; at += step)
		if (ms_tdp_map(b->tdp, at, level, PA0 + at, RWX))
			bench_require(false, "map");
}

/* Large sizes vary little, and take long. */
static unsigned int rounds_for(const struct bench_run *run, uint64_t leaves)
{
	return leaves > UINT64_C(1) << 22 && run->rounds > 3 ? 3 : run->rounds;
}

/* ---- one leaf size: by leaf and in one call ---- */

enum size_op { MAP, ZAP, ZAP_WHOLE, SIZE_OPS };
static const char *const size_op_name[SIZE_OPS] = {
	[MAP] = "tdp-map%s-seq",
	[ZAP] = "tdp-zap%s-per-page",
	[ZAP_WHOLE] = "tdp-zap%s-one-call",
};

struct leaf_size {
	const char *name;
	uint64_t step;
};

static void map_and_zap(struct bench *b, uint64_t total, uint64_t step, struct bench_series *series,
			uint64_t *tables)
{
	double n = (double)(total / step), t;

	fresh(b);
	t = bench_now();
	map_each(b, total, step);
	bench_sample(&series[MAP], t, n);
	*tables = ms_tdp_tables(b->tdp);
	REQUIRE(leaf_is(b, total - 1, step, PA0 + total - step));
	t = bench_now();
	for (uint64_t at = 0; at < total; at += step)
		ms_tdp_zap(b->tdp, at, step);
	bench_sample(&series[ZAP], t, n);
	REQUIRE(!leaf_is(b, total - 1, step, PA0 + total - step));
	map_each(b, total, step);
	t = bench_now();
	REQUIRE(ms_tdp_zap(b->tdp, 0, total) == total / step);
	bench_sample(&series[ZAP_WHOLE], t, n);
	all_gone(b);
}

static void bench_leaves(struct bench *b, const struct leaf_size *w, uint64_t total)
{
	struct bench_series series[SIZE_OPS] = { 0 };
	uint64_t leaves = total / w->step, tables = 0;
	char param[16], op[64];

	for (unsigned int round = 0; round <= rounds_for(b->run, leaves); round++)
		map_and_zap(b, total, w->step, series, &tables);
	tables_size_name(total, param);
	for (int i = 0; i < SIZE_OPS; i++) {
		snprintf(op, sizeof(op), size_op_name[i], w->name);
		bench_print(b->run, op, param, (double)leaves, &series[i]);
	}
	snprintf(op, sizeof(op), "tdp-tables%s-per-GiB", w->name);
	bench_print_number(b->run, op, "pages(+root)",
			   (double)tables * (double)MS_1G / (double)total);
}

/* ---- what is done to pages that are mapped ---- */

enum page_op {
	WRPROTECT,
	WRPROTECT_EACH,
	WRPROTECT_WORDS,
	SET,
	YOUNG,
	RANDOM,
	SEQUENTIAL,
	DESTROY,
	PAGE_OPS
};
static const char *const page_op_name[PAGE_OPS] = {
	[WRPROTECT] = "tdp-wrprotect4k-one-call",
	[WRPROTECT_EACH] = "tdp-wrprotect4k-per-page",
	[WRPROTECT_WORDS] = "tdp-wrprotect4k-per-word",
	[SET] = "tdp-relax-perms4k-per-page",
	[YOUNG] = "tdp-test-clear-young4k-one-call",
	[RANDOM] = "tdp-get-leaf-random",
	[SEQUENTIAL] = "tdp-get-leaf-seq",
	[DESTROY] = "tdp-destroy4k",
};
static const char *const page_op_param[PAGE_OPS] = {
	[RANDOM] = "-4k-1e6",
	[SEQUENTIAL] = "-4k",
	[DESTROY] = "(ns_per_pte)",
};

static bool is_writable(const struct bench *b, ms_ipa_t ipa)
{
	struct ms_tdp_leaf leaf;

	return ms_tdp_get_leaf(b->tdp, ipa, &leaf) && (leaf.prot & MS_PROT_W);
}

static void relax_each(struct bench *b, uint64_t total)
{
	for (ms_ipa_t at = 0; at < total; at += MS_4K)
		ms_tdp_set(b->tdp, at, RWX);
	REQUIRE(is_writable(b, 12345 * MS_4K));
}

static void change_pages(struct bench *b, uint64_t total, struct bench_series *series)
{
	const enum ms_tdp_protect write = MS_TDP_PROTECT_WRITE;
	double n = (double)(total / MS_4K), t = bench_now();

	REQUIRE(ms_tdp_wrprotect(b->tdp, 0, total, MS_TDP_4K, write));
	bench_sample(&series[WRPROTECT], t, n);
	REQUIRE(!is_writable(b, 12345 * MS_4K));
	t = bench_now();
	relax_each(b, total);
	bench_sample(&series[SET], t, n);
	t = bench_now();
	for (ms_ipa_t at = 0; at < total; at += MS_4K)
		ms_tdp_wrprotect(b->tdp, at, MS_4K, MS_TDP_4K, write);
	bench_sample(&series[WRPROTECT_EACH], t, n);
	REQUIRE(!is_writable(b, 12345 * MS_4K));
	relax_each(b, total);
	t = bench_now();
	for (ms_ipa_t at = 0; at < total; at += 64 * MS_4K)
		ms_tdp_wrprotect_word(b->tdp, at, UINT64_MAX, write);
	bench_sample(&series[WRPROTECT_WORDS], t, n);
	REQUIRE(!is_writable(b, 12345 * MS_4K));
	t = bench_now();
	REQUIRE(ms_tdp_clear_young(b->tdp, 0, total));
	bench_sample(&series[YOUNG], t, n);
}

static void look_at_pages(struct bench *b, uint64_t total, struct bench_series *series)
{
	struct ms_tdp_leaf leaf;
	uint64_t sum = 0;
	double t = bench_now();

	for (unsigned int i = 0; i < LOOKUPS; i++) {
		ms_tdp_get_leaf(b->tdp, b->addresses[i] & (total - 1), &leaf);
		sum += leaf.entry;
	}
	bench_sample(&series[RANDOM], t, LOOKUPS);
	t = bench_now();
	for (ms_ipa_t at = 0; at < total; at += MS_4K) {
		ms_tdp_get_leaf(b->tdp, at, &leaf);
		sum += leaf.entry;
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
		all_gone(b);
		bench_sample(&series[DESTROY], t, (double)leaves);
	}
	tables_size_name(total, size);
	for (int i = 0; i < PAGE_OPS; i++) {
		snprintf(param, sizeof(param), "%s%s", size,
			 page_op_param[i] ? page_op_param[i] : "");
		bench_print(b->run, page_op_name[i], param, (double)leaves, &series[i]);
	}
}

/* ---- huge leaves and tables that replace each other ---- */

enum huge_op { REPLACE, COLLAPSE, SPLIT, HUGE_OPS };

static void replace_huge(struct bench *b, uint64_t total, struct bench_series *series)
{
	double n = (double)(total / MS_2M), t = bench_now();

	map_each(b, total, MS_4K);
	bench_sample(&series[REPLACE], t, n);
	REQUIRE(leaf_is(b, 5 * MS_2M, MS_4K, PA0 + 5 * MS_2M));
	t = bench_now();
	map_each(b, total, MS_2M);
	bench_sample(&series[COLLAPSE], t, n);
	REQUIRE(leaf_is(b, 5 * MS_2M, MS_2M, PA0 + 5 * MS_2M));
	REQUIRE(ms_tdp_tables(b->tdp) == 2);
	t = bench_now();
	REQUIRE(!ms_tdp_split(b->tdp, 0, total, MS_TDP_4K));
	bench_sample(&series[SPLIT], t, n);
	REQUIRE(leaf_is(b, 5 * MS_2M, MS_4K, PA0 + 5 * MS_2M));
	REQUIRE(ms_tdp_tables(b->tdp) == 2 + total / MS_2M);
}

static void bench_huge(struct bench *b, uint64_t total)
{
	struct bench_series series[HUGE_OPS] = { 0 };
	double leaves = (double)(total / MS_4K);

	for (unsigned int round = 0; round <= b->run->rounds; round++) {
		fresh(b);
		map_each(b, total, MS_2M);
		REQUIRE(leaf_is(b, 5 * MS_2M, MS_2M, PA0 + 5 * MS_2M));
		replace_huge(b, total, series);
		all_gone(b);
	}
	bench_print(b->run, "tdp-huge-replace", "ns_per_2M_leaf(512x4K)", leaves, &series[REPLACE]);
	bench_print(b->run, "tdp-table-to-huge", "ns_per_2M_leaf", leaves, &series[COLLAPSE]);
	bench_print(b->run, "tdp-split-eager", "ns_per_2M_leaf", leaves, &series[SPLIT]);
}

/* ---- all ---- */

static void bench_large_leaves(struct bench *b)
{
	static const struct leaf_size huge = { "2m", MS_2M };
	static const struct leaf_size giant = { "1g", MS_1G };
	enum bench_sizes sizes = b->run->sizes;

	bench_leaves(b, &huge, sizes == BENCH_SMOKE ? MS_1G : 64 * MS_1G);
	bench_leaves(b, &giant, 256 * MS_1G);
}

static void configure(struct bench *b)
{
	bool ept = bench_is(b->run, "ept");

	b->config = (struct ms_tdp_config){
		.format = ept ? MS_TDP_EPT : MS_TDP_NPT,
		.levels = 4,
		.pa_bits = 40,
		.ad_bits = !ept,
		.suppress_ve = true,
		.map_splits = false, /* as stage 2 replaces a block */
		.recover_in_place = true,
		.zap_by_size = true,
	};
	b->host = (struct ms_tdp_host){ .ctx = b, .alloc = pool_alloc, .free = pool_free };
	if (bench_is(b->run, "pieces"))
		b->host.change = count_pieces;
	else if (!bench_is(b->run, "silent"))
		b->host.change = count_changes;
}

void bench_tdp(const struct bench_run *run)
{
	static const struct leaf_size page = { "4k", MS_4K };
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
	bench_huge(b, run->sizes == BENCH_SMOKE ? totals[0] : MS_1G);
	fprintf(stderr, "%s: changes %llu, pieces %llu\n", run->workload,
		(unsigned long long)b->changes, (unsigned long long)b->pieces);
	tables_destroy(&b->pool);
	free(b);
}
