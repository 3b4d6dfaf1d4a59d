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
#include <mapsim/machine.h>
#include <mapsim/pat.h>
#include <mapsim/phys.h>
#include <mapsim/policy.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 7, RANGES_MAX = 100000, QUERIES = 200000, OPS = 200000 };

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
	double ns[OPERATIONS][ROUNDS + 1];
	double empty; /* what a pair of clock readings costs */
	double sum[OPERATIONS];
};

/* ---- measuring ---- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double cost_of_reading_the_clock(void)
{
	double least = 1e9;

	for (int i = 0; i < 10000; i++) {
		double a = now(), b = now();

		if (b - a < least)
			least = b - a;
	}
	return least;
}

static void require(bool what, const char *text)
{
	if (what)
		return;
	fprintf(stderr, "pat: %s\n", text);
	exit(1);
}

static uint64_t rnd(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * UINT64_C(2685821657736338717);
}

static void shuffle(uint32_t *a, uint32_t n, uint64_t seed)
{
	for (uint32_t i = n; i > 1; i--) {
		uint32_t j = (uint32_t)(rnd(&seed) % i), t = a[i - 1];

		a[i - 1] = a[j];
		a[j] = t;
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The first round only warms up. */
static void print(struct bench *b)
{
	for (int op = 0; op < OPERATIONS; op++) {
		qsort(b->ns[op] + 1, ROUNDS, sizeof(double), by_value);
		printf("mapsim %s%s N=%u %.3f\n", op_name[op], b->suffix, b->n,
		       b->ns[op][1 + ROUNDS / 2]);
	}
	fflush(stdout);
}

/* ---- workloads ---- */

static ms_pa_t start_of(uint32_t i)
{
	return BASE + i * STRIDE;
}

static void reserve_all(struct bench *b, enum op op, const uint32_t *order)
{
	int bad = 0;
	double t;

	ms_trace_clear(b->m);
	t = now();
	for (uint32_t i = 0; i < b->n; i++) {
		ms_pa_t start = start_of(order[i]);

		bad |= ms_memtype_reserve(b->m, start, start + LEN, MS_CACHE_WC, NULL);
	}
	b->sum[op] += now() - t - b->empty;
	require(!bad, "a reservation failed");
}

static void free_all(struct bench *b, enum op op, const uint32_t *order)
{
	int bad = 0;
	double t;

	ms_trace_clear(b->m);
	t = now();
	for (uint32_t i = 0; i < b->n; i++) {
		ms_pa_t start = start_of(order[i]);

		bad |= ms_memtype_free(b->m, start, start + LEN);
	}
	b->sum[op] += now() - t - b->empty;
	require(!bad, "a free failed");
	require(!ms_memtype_get(b->m, 0, &(struct ms_memtype){ 0 }), "the list is not empty");
}

static void look_up(struct bench *b)
{
	uint64_t sum = 0;
	double t = now();

	for (uint32_t i = 0; i < QUERIES; i++)
		sum += ms_memtype_lookup(b->m, start_of(b->query[i]));
	b->sum[LOOKUP] += now() - t - b->empty;
	require(sum == QUERIES * (uint64_t)MS_CACHE_WC, "a lookup failed");
}

/* UC- over half of a WC range: refused. */
static void conflict(struct bench *b)
{
	uint32_t busy = 0;
	double t;

	ms_trace_clear(b->m);
	t = now();
	for (uint32_t i = 0; i < QUERIES; i++) {
		ms_pa_t start = start_of(b->query[i]) + LEN / 2;

		busy += ms_memtype_reserve(b->m, start, start + LEN / 2, MS_CACHE_UC_MINUS, NULL) ==
			-EBUSY;
	}
	b->sum[CONFLICT] += now() - t - b->empty;
	require(busy == QUERIES, "a conflict was not seen");
}

/* The same with a choice: becomes WC, and is given back. */
static void alias(struct bench *b)
{
	uint32_t bad = 0;
	double t;

	ms_trace_clear(b->m);
	t = now();
	for (uint32_t i = 0; i < QUERIES; i++) {
		ms_pa_t start = start_of(b->query[i]) + LEN / 2;
		enum ms_cache got;

		bad += ms_memtype_reserve(b->m, start, start + LEN / 2, MS_CACHE_UC_MINUS, &got) !=
		       0;
		bad += got != MS_CACHE_WC;
		bad += ms_memtype_free(b->m, start, start + LEN / 2) != 0;
	}
	b->sum[ALIAS] += now() - t - b->empty;
	require(!bad, "an alias failed");
}

static void round_of(struct bench *b, int round)
{
	uint32_t loops = b->n < OPS ? OPS / b->n : 1;
	double ops = (double)loops * b->n;

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
		b->ns[op][round] = b->sum[op] / (op <= FREE_RAND ? ops : QUERIES);
}

static void run(struct bench *b, uint32_t n)
{
	uint64_t seed = 99;

	b->n = n;
	for (uint32_t i = 0; i < n; i++)
		b->in_order[i] = b->order[i] = b->other_order[i] = i;
	shuffle(b->order, n, 5);
	shuffle(b->other_order, n, 6);
	for (uint32_t i = 0; i < QUERIES; i++)
		b->query[i] = (uint32_t)(rnd(&seed) % n);
	for (int round = 0; round <= ROUNDS; round++)
		round_of(b, round);
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

	require(b, "no memory");
	b->m = ms_machine_new(ms_policy_linux("6.12.117", MS_ARCH_X86_64));
	require(b->m, "no machine");
	require(!ms_ram_add(b->m, 0x100000, 0xfff00000), "no RAM");
	require(ms_device_add(b->m, "bar", BASE, RANGES_MAX * STRIDE), "no device");
	b->empty = cost_of_reading_the_clock();
	run_all(b, "", 0);
	if(!getenv("NOTRACE")) run_all(b, ".trace", UINT32_MAX);
	ms_machine_free(b->m);
	free(b);
	return 0;
}
