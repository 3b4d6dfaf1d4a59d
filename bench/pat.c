/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the memtype list costs. Lines: `mapsim OP PARAM ns_per_op`, the median of 7 rounds after one
 * to warm up; one thread. N ranges of 8 KiB every 16 KiB, type WC.
 *
 *	OP          events are counted
 *	OP.trace    and kept
 *
 * Every phase is checked.
 */
#include "bench.h"

#include <mapsim/machine.h>
#include <mapsim/pat.h>
#include <mapsim/phys.h>
#include <mapsim/policy.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { RANGES_MAX = 100000, QUERIES = 200000, OPS = 200000 };

#define BASE UINT64_C(0x1000000000)
#define STRIDE UINT64_C(0x4000)
#define LEN UINT64_C(0x2000)

enum op { RESERVE_SEQ, FREE_SEQ, RESERVE_RAND, FREE_RAND, CONFLICT, ALIAS, LOOKUP, OPERATIONS };

static const char *const op_name[OPERATIONS] = {
	[RESERVE_SEQ] = "pat-reserve-seq",   [FREE_SEQ] = "pat-free-seq",
	[RESERVE_RAND] = "pat-reserve-rand", [FREE_RAND] = "pat-free-rand",
	[CONFLICT] = "pat-conflict",         [ALIAS] = "pat-alias-reserve+free",
	[LOOKUP] = "pat-lookup-rand",
};

struct bench {
	struct ms_machine *m;
	const char *suffix;
	uint32_t n;
	uint32_t in_order[RANGES_MAX], order[RANGES_MAX], other_order[RANGES_MAX];
	uint32_t query[QUERIES];
	struct bench_series series[OPERATIONS];
	double sum[OPERATIONS]; /* of the round's pieces, ns */
	double clock;           /* what a pair of readings costs */
};

/* A short piece of a round that is measured in many. */
static void add_piece(struct bench *b, enum op op, double since)
{
	b->sum[op] += bench_now() - since - b->clock;
}

static double cost_of_reading_the_clock(void)
{
	double least = 1e9;

	for (int i = 0; i < 10000; i++) {
		double since = bench_now(), ns = bench_now() - since;

		if (ns < least)
			least = ns;
	}
	return least;
}

static void print(const struct bench *b)
{
	char name[64], param[32];

	snprintf(param, sizeof(param), "N=%u", b->n);
	for (int op = 0; op < OPERATIONS; op++) {
		snprintf(name, sizeof(name), "%s%s", op_name[op], b->suffix);
		bench_print(name, param, &b->series[op]);
	}
}

/* ---- workloads ---- */

static ms_pa_t start_of(uint32_t i)
{
	return BASE + i * STRIDE;
}

static void reserve_all(struct bench *b, enum op op, const uint32_t *order)
{
	int bad = 0;
	double since;

	ms_trace_clear(b->m);
	since = bench_now();
	for (uint32_t i = 0; i < b->n; i++) {
		ms_pa_t start = start_of(order[i]);

		bad |= ms_memtype_reserve(b->m, start, start + LEN, MS_CACHE_WC, NULL);
	}
	add_piece(b, op, since);
	bench_require(!bad, "a reservation failed");
}

static void free_all(struct bench *b, enum op op, const uint32_t *order)
{
	int bad = 0;
	double since;

	ms_trace_clear(b->m);
	since = bench_now();
	for (uint32_t i = 0; i < b->n; i++) {
		ms_pa_t start = start_of(order[i]);

		bad |= ms_memtype_free(b->m, start, start + LEN);
	}
	add_piece(b, op, since);
	bench_require(!bad, "a free failed");
	bench_require(!ms_memtype_get(b->m, 0, &(struct ms_memtype){ 0 }), "the list is not empty");
}

static void look_up(struct bench *b)
{
	uint64_t sum = 0;
	double since = bench_now();

	for (uint32_t i = 0; i < QUERIES; i++)
		sum += ms_memtype_lookup(b->m, start_of(b->query[i]));
	add_piece(b, LOOKUP, since);
	bench_require(sum == QUERIES * (uint64_t)MS_CACHE_WC, "a lookup failed");
}

/* UC- over half of a WC range: refused. */
static void conflict(struct bench *b)
{
	uint32_t busy = 0;
	double since;

	ms_trace_clear(b->m);
	since = bench_now();
	for (uint32_t i = 0; i < QUERIES; i++) {
		ms_pa_t start = start_of(b->query[i]) + LEN / 2;

		busy += ms_memtype_reserve(b->m, start, start + LEN / 2, MS_CACHE_UC_MINUS, NULL) ==
			-EBUSY;
	}
	add_piece(b, CONFLICT, since);
	bench_require(busy == QUERIES, "a conflict was not seen");
}

/* The same with a choice: becomes WC, and is given back. */
static void alias(struct bench *b)
{
	uint32_t bad = 0;
	double since;

	ms_trace_clear(b->m);
	since = bench_now();
	for (uint32_t i = 0; i < QUERIES; i++) {
		ms_pa_t start = start_of(b->query[i]) + LEN / 2;
		enum ms_cache got;

		bad += ms_memtype_reserve(b->m, start, start + LEN / 2, MS_CACHE_UC_MINUS, &got) !=
		       0;
		bad += got != MS_CACHE_WC;
		bad += ms_memtype_free(b->m, start, start + LEN / 2) != 0;
	}
	add_piece(b, ALIAS, since);
	bench_require(!bad, "an alias failed");
}

static void one_round(struct bench *b)
{
	uint32_t loops = b->n < OPS ? OPS / b->n : 1;

	for (int op = 0; op < OPERATIONS; op++)
		b->sum[op] = 0;
	for (uint32_t loop = 0; loop < loops; loop++) {
		reserve_all(b, RESERVE_SEQ, b->in_order);
		free_all(b, FREE_SEQ, b->in_order);
	}
	for (uint32_t loop = 0; loop < loops; loop++) {
		reserve_all(b, RESERVE_RAND, b->order);
		if (loop == loops - 1) {
			look_up(b);
			conflict(b);
			alias(b);
		}
		free_all(b, FREE_RAND, b->other_order);
	}
	for (int op = 0; op < OPERATIONS; op++)
		bench_add(&b->series[op], b->sum[op],
			  op <= FREE_RAND ? (double)loops * b->n : QUERIES);
}

static void run(struct bench *b, uint32_t n)
{
	uint64_t seed = 99;

	b->n = n;
	bench_shuffle(b->order, n, 5);
	bench_shuffle(b->other_order, n, 6);
	for (uint32_t i = 0; i < n; i++)
		b->in_order[i] = i;
	for (uint32_t i = 0; i < QUERIES; i++)
		b->query[i] = (uint32_t)(bench_random(&seed) % n);
	for (int op = 0; op < OPERATIONS; op++)
		b->series[op].count = 0;
	for (int round = 0; round <= BENCH_ROUNDS; round++)
		one_round(b);
	print(b);
}

static void run_all(struct bench *b, const char *suffix, uint32_t keep)
{
	b->suffix = suffix;
	ms_trace_keep(b->m, keep);
	run(b, 10);
	run(b, 1000);
	run(b, RANGES_MAX);
	ms_trace_clear(b->m);
}

int main(void)
{
	struct bench *b = calloc(1, sizeof(*b));

	bench_require(b, "no memory");
	b->m = ms_machine_new(ms_policy_linux("6.12.117", MS_ARCH_X86_64));
	bench_require(b->m, "no machine");
	bench_require(!ms_ram_add(b->m, 0x100000, 0xfff00000), "no RAM");
	bench_require(ms_device_add(b->m, "bar", BASE, RANGES_MAX * STRIDE), "no device");
	b->clock = cost_of_reading_the_clock();
	run_all(b, "", 0);
	run_all(b, ".trace", UINT32_MAX);
	ms_machine_free(b->m);
	free(b);
	return 0;
}
