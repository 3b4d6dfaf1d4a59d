/* SPDX-License-Identifier: GPL-2.0-only */
/* Clock, series, and what is printed of them. */
#include "bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

double bench_clock_cost(void)
{
	double least = 1e9;

	for (int i = 0; i < 10000; i++) {
		double since = bench_now(), ns = bench_now() - since;

		if (ns < least)
			least = ns;
	}
	return least;
}

void bench_add(struct bench_series *s, double ns, double ops)
{
	bench_require(s->count <= BENCH_ROUNDS_MAX, "too many rounds");
	s->ns[s->count++] = ns / ops;
}

void bench_sample(struct bench_series *s, double since, double ops)
{
	bench_add(s, bench_now() - since, ops);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

struct spread {
	unsigned int n;
	double min, median, p90, mad;
};

/* Middle of n sorted values. */
static double middle(const double *sorted, unsigned int n)
{
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* Of the rounds but the first. mad: the median of how far a round is from the median. */
static struct spread spread_of(const struct bench_series *s)
{
	struct spread spread = { .n = s->count - 1 };
	double ns[BENCH_ROUNDS_MAX];

	bench_require(s->count > 1, "rounds are missing");
	memcpy(ns, s->ns + 1, spread.n * sizeof(*ns));
	qsort(ns, spread.n, sizeof(*ns), by_value);
	spread.min = ns[0];
	spread.median = middle(ns, spread.n);
	spread.p90 = ns[(spread.n * 9 + 9) / 10 - 1];
	for (unsigned int i = 0; i < spread.n; i++)
		ns[i] = fabs(ns[i] - spread.median);
	qsort(ns, spread.n, sizeof(*ns), by_value);
	spread.mad = middle(ns, spread.n);
	return spread;
}

static void print_name(const struct bench_run *run, const char *op, const char *param)
{
	printf("mapsim %s%s%s %s ", op, *run->variant ? "." : "", run->variant, param);
}

void bench_print(const struct bench_run *run, const char *op, const char *param, double size,
		 const struct bench_series *s)
{
	const struct spread spread = spread_of(s);

	print_name(run, op, param);
	printf("%.3f # min %.3f p90 %.3f mad %.3f\n", spread.median, spread.min, spread.p90,
	       spread.mad);
	fflush(stdout);
	if (!run->csv)
		return;
	fprintf(run->csv, "%s,%s,%s,%s,%.0f,%u,%.3f,%.3f,%.3f,%.3f\n", run->workload, op,
		run->variant, param, size, spread.n, spread.min, spread.median, spread.p90,
		spread.mad);
	fflush(run->csv);
}

void bench_print_number(const struct bench_run *run, const char *op, const char *param,
			double number)
{
	print_name(run, op, param);
	printf("%.3f\n", number);
}

void bench_csv_head(FILE *csv)
{
	fputs("workload,op,variant,param,size,rounds,min_ns,median_ns,p90_ns,mad_ns\n", csv);
}

void bench_require(bool what, const char *text)
{
	if (what)
		return;
	fprintf(stderr, "bench: %s\n", text);
	exit(1);
}

void *bench_alloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	bench_require(p, "no memory");
	return memset(p, 0, n * size);
}

uint64_t bench_random(uint64_t *seed)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return *seed * UINT64_C(2685821657736338717);
}

void bench_shuffle(uint32_t *a, uint32_t n, uint64_t seed)
{
	for (uint32_t i = 0; i < n; i++)
		a[i] = i;
	for (uint32_t i = n; i > 1; i--) {
		uint32_t j = (uint32_t)(bench_random(&seed) % i), t = a[i - 1];

		a[i - 1] = a[j];
		a[j] = t;
	}
}
