/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the workloads share: a clock, series of rounds, what is said of them, reproducible orders.
 *
 * A workload measures each operation in several rounds; the first warms up and does not count. It
 * checks what it did. `variant` is the part of its name behind the dot, or "".
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { BENCH_ROUNDS_MAX = 99 };

/* Which sizes a workload runs at; each contains the one before. */
enum bench_sizes {
	BENCH_SMOKE,  /* small: whether everything runs */
	BENCH_PEERS,  /* those at which other implementations are measured */
	BENCH_GROWTH, /* decades up to 10^6 VMAs and memory types, 256 GiB of 4K pages */
	BENCH_HUGE,   /* and 1 TiB of 4K pages: 2 GiB of descriptors */
};

struct bench_run {
	const char *workload; /* "pat.trace" */
	const char *variant;  /* "trace" */
	enum bench_sizes sizes;
	unsigned int rounds; /* that count */
	FILE *csv;           /* may be NULL */
};

struct bench_workload {
	const char *name;
	void (*run)(const struct bench_run *run);
	const char *text;
};

void bench_devices(const struct bench_run *run);
void bench_memory(const struct bench_run *run);
void bench_pat(const struct bench_run *run);
void bench_stage2(const struct bench_run *run);
void bench_tdp(const struct bench_run *run);
void bench_vma(const struct bench_run *run);
void bench_fault(const struct bench_run *run);
void bench_state(const struct bench_run *run);

/* Whether this is the variant that runs. */
bool bench_is(const struct bench_run *run, const char *variant);
/* 10 .. 10^6 as the run asks for; returns how many. */
size_t bench_numbers(const struct bench_run *run, uint32_t numbers[6]);

/* ---- measuring ---- */

struct bench_series {
	double ns[BENCH_ROUNDS_MAX + 1]; /* per operation; [0] to warm up */
	unsigned int count;
};

/* Monotonic time in ns. */
double bench_now(void);
/* What a pair of readings costs, for who measures many short pieces. */
double bench_clock_cost(void);
/* One round: the ns since `since`, a piece of `ops` operations. */
void bench_sample(struct bench_series *s, double since, double ops);
/* As above, of a time that was summed up. */
void bench_add(struct bench_series *s, double ns, double ops);
/*
 * Prints `mapsim OP[.VARIANT] PARAM median # min MIN p90 P90 mad MAD`, in ns per operation, and a
 * line of the CSV file. size: of the world it ran in (VMAs, memory types, leaves).
 */
void bench_print(const struct bench_run *run, const char *op, const char *param, double size,
		 const struct bench_series *s);
/* A number that is not a time: the line without what follows the '#'. */
void bench_print_number(const struct bench_run *run, const char *op, const char *param,
			double number);
/* The head of a CSV file. */
void bench_csv_head(FILE *csv);

/* Ends the program with a message when `what` is false. */
void bench_require(bool what, const char *text);
/* Zeroed memory of which every page has been touched; the program ends when there is none. */
void *bench_alloc(size_t n, size_t size);

uint64_t bench_random(uint64_t *seed);
/* Numbers 0 .. n-1 in an order that depends on the seed alone. */
void bench_shuffle(uint32_t *a, uint32_t n, uint64_t seed);

#endif
