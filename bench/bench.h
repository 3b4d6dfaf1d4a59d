/* SPDX-License-Identifier: GPL-2.0-only */
/* What the benchmarks share: a clock, series of rounds, medians, reproducible orders. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stdint.h>

enum { BENCH_ROUNDS = 7 }; /* measured; one more comes first, to warm up */

struct bench_series {
	double ns[BENCH_ROUNDS + 1];
	unsigned int count;
};

/* Monotonic time in ns. */
double bench_now(void);
/* One round: the ns since `since`, less what reading the clock costs, a piece of `ops` operations.
 */
void bench_sample(struct bench_series *s, double since, double ops);
/* As above, of a time that was summed up. */
void bench_add(struct bench_series *s, double ns, double ops);
/* Prints `mapsim OP PARAM ns_per_op # largest`: the median of the rounds but the first. */
void bench_print(const char *op, const char *param, const struct bench_series *s);
/* Ends the program with a message when `what` is false. */
void bench_require(bool what, const char *text);

uint64_t bench_random(uint64_t *seed);
/* Numbers 0 .. n-1 in an order that depends on the seed alone. */
void bench_shuffle(uint32_t *a, uint32_t n, uint64_t seed);

#endif
