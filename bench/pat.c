/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the memtype list costs. N ranges of 8 KiB every 16 KiB, type WC; in order, and in two orders
 * by chance.
 *
 *	pat          events are counted
 *	pat.trace    and kept
 */
#include "bench.h"

#include <mapsim/machine.h>
#include <mapsim/pat.h>
#include <mapsim/phys.h>
#include <mapsim/policy.h>

#include <errno.h>
#include <stdlib.h>

enum { QUERIES = 200000, OPS = 200000 };

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
	uint32_t n;
	uint32_t *in_order, *order, *other_order, *query;
	struct bench_series series[OPERATIONS];
	double sum[OPERATIONS]; /* of the round's pieces, ns */
	double clock;           /* what a pair of readings costs */
};

/* A short piece of a round that is measured in many. */
static void add_piece(struct bench *b, enum op op, double since)
{
	b->sum[op] += bench_now() - since - b->clock;
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

static struct ms_machine *new_machine(const struct bench_run *run, uint32_t n)
{
	struct ms_machine *m = ms_machine_new(ms_policy_linux("6.12.117", MS_ARCH_X86_64));

	bench_require(m, "no machine");
	bench_require(!ms_ram_add(m, 0x100000, 0xfff00000), "no RAM");
	bench_require(ms_device_add(m, "bar", BASE, n * STRIDE), "no device");
	ms_trace_keep(m, bench_is(run, "trace") ? UINT32_MAX : 0);
	return m;
}

static void one_size(const struct bench_run *run, struct bench *b)
{
	uint64_t seed = 99;
	char param[32];

	bench_shuffle(b->order, b->n, 5);
	bench_shuffle(b->other_order, b->n, 6);
	for (uint32_t i = 0; i < b->n; i++)
		b->in_order[i] = i;
	for (uint32_t i = 0; i < QUERIES; i++)
		b->query[i] = (uint32_t)(bench_random(&seed) % b->n);
	for (unsigned int round = 0; round <= run->rounds; round++)
		one_round(b);
	snprintf(param, sizeof(param), "N=%u", b->n);
	for (int op = 0; op < OPERATIONS; op++)
		bench_print(run, op_name[op], param, b->n, &b->series[op]);
}

void bench_pat(const struct bench_run *run)
{
	uint32_t numbers[6];
	size_t count = bench_numbers(run, numbers);

	for (size_t i = 0; i < count; i++) {
		struct bench *b = bench_alloc(1, sizeof(*b));
		uint32_t *memory = bench_alloc(3 * (size_t)numbers[i] + QUERIES, sizeof(*memory));

		b->n = numbers[i];
		b->in_order = memory;
		b->order = b->in_order + b->n;
		b->other_order = b->order + b->n;
		b->query = b->other_order + b->n;
		b->clock = bench_clock_cost();
		b->m = new_machine(run, b->n);
		one_size(run, b);
		ms_machine_free(b->m);
		free(memory);
		free(b);
	}
}
