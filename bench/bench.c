/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

void bench_add(struct bench_series *s, double ns, double ops)
{
	bench_require(s->count <= BENCH_ROUNDS, "too many rounds");
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

void bench_print(const char *op, const char *param, const struct bench_series *s)
{
	double ns[BENCH_ROUNDS];
	unsigned int n = s->count - 1;

	bench_require(s->count == BENCH_ROUNDS + 1, "rounds are missing");
	memcpy(ns, s->ns + 1, sizeof(ns));
	qsort(ns, n, sizeof(*ns), by_value);
	printf("mapsim %s %s %.3f # %.3f\n", op, param, ns[n / 2], ns[n - 1]);
}

void bench_require(bool what, const char *text)
{
	if (what)
		return;
	fprintf(stderr, "bench: %s\n", text);
	exit(1);
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
