/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What VMAs cost: N anonymous private mappings of 3 pages every 4 pages.
 *
 *	vma          events are counted
 *	vma.trace    and kept
 */
#include "bench.h"

#include <mapsim/machine.h>
#include <mapsim/mm.h>
#include <mapsim/policy.h>

#include <stdlib.h>

enum { OPS = 100000, QUERIES = 200000, SPLITS = 20000 };

#define PAGE UINT64_C(0x1000)
#define BASE UINT64_C(0x100000000000)
#define LEN (3 * PAGE)

struct bench {
	struct ms_machine *m;
	struct ms_mm *mm;
	uint32_t n, splits, loops;
	uint32_t *order, *other_order, *query;
	struct bench_series mmap_seq, munmap_seq, mmap_rand, munmap_rand, split3, merge3, hole,
		fill, replace, merge_left, lookup;
};

static ms_hva_t start_of(uint32_t i)
{
	return BASE + i * 4 * PAGE;
}

static void map(struct bench *b, ms_hva_t addr, uint64_t len)
{
	int64_t ret = ms_mmap(b->mm, addr, len, MS_PROT_RW,
			      MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS, NULL, 0);

	bench_require(ret == (int64_t)addr, "mmap");
}

static void unmap(struct bench *b, ms_hva_t addr, uint64_t len)
{
	bench_require(!ms_munmap(b->mm, addr, len), "munmap");
}

static void protect(struct bench *b, ms_hva_t addr, unsigned int prot)
{
	bench_require(!ms_mprotect(b->mm, addr, PAGE, prot), "mprotect");
}

static void begin(struct bench *b)
{
	ms_trace_clear(b->m);
	b->mm = ms_mm_new(b->m);
	bench_require(b->mm, "no memory");
}

static void end(struct bench *b)
{
	bench_require(ms_mm_map_count(b->mm) == 0, "VMAs are left");
	ms_mm_exit(b->mm);
}

static double map_all(struct bench *b, const uint32_t *order)
{
	double t = bench_now();

	for (uint32_t i = 0; i < b->n; i++)
		map(b, start_of(order ? order[i] : i), LEN);
	t = bench_now() - t;
	bench_require(ms_mm_map_count(b->mm) == b->n, "every mapping is a VMA");
	return t;
}

static double unmap_all(struct bench *b, const uint32_t *order)
{
	double t = bench_now();

	for (uint32_t i = 0; i < b->n; i++)
		unmap(b, start_of(order ? order[i] : i), LEN);
	return bench_now() - t;
}

static void look_up(struct bench *b)
{
	uint64_t sum = 0;
	double t = bench_now();

	for (uint32_t i = 0; i < QUERIES; i++)
		sum += ms_vma_lookup(b->mm, start_of(b->query[i] % b->n) + PAGE)->vm_start;
	bench_sample(&b->lookup, t, QUERIES);
	bench_require(sum, "lookup");
}

/* The middle page of three gets other rights and its own back; is unmapped and mapped; all is
 * replaced. */
static void split_and_merge(struct bench *b)
{
	double t = bench_now();

	for (uint32_t i = 0; i < b->splits; i++)
		protect(b, start_of(b->other_order[i]) + PAGE, MS_PROT_R | MS_PROT_X);
	bench_sample(&b->split3, t, b->splits);
	bench_require(ms_mm_map_count(b->mm) == b->n + 2 * b->splits, "split in three");
	t = bench_now();
	for (uint32_t i = 0; i < b->splits; i++)
		protect(b, start_of(b->other_order[i]) + PAGE, MS_PROT_RW);
	bench_sample(&b->merge3, t, b->splits);
	bench_require(ms_mm_map_count(b->mm) == b->n, "merged from three");
	t = bench_now();
	for (uint32_t i = 0; i < b->splits; i++)
		unmap(b, start_of(b->other_order[i]) + PAGE, PAGE);
	bench_sample(&b->hole, t, b->splits);
	t = bench_now();
	for (uint32_t i = 0; i < b->splits; i++)
		map(b, start_of(b->other_order[i]) + PAGE, PAGE);
	bench_sample(&b->fill, t, b->splits);
	bench_require(ms_mm_map_count(b->mm) == b->n, "holes are filled");
	t = bench_now();
	for (uint32_t i = 0; i < b->splits; i++)
		map(b, start_of(b->other_order[i]), LEN);
	bench_sample(&b->replace, t, b->splits);
}

static void grow(struct bench *b)
{
	double t;

	begin(b);
	t = bench_now();
	for (uint32_t i = 0; i < b->n; i++)
		map(b, BASE + i * PAGE, PAGE);
	bench_sample(&b->merge_left, t, b->n);
	bench_require(ms_mm_map_count(b->mm) == 1, "one growing VMA");
	unmap(b, BASE, b->n * PAGE);
	end(b);
}

static void round_of_all(struct bench *b)
{
	double seq = 0, unseq = 0, rnd = 0, unrnd = 0, ops = (double)b->n * b->loops;

	for (uint32_t k = 0; k < b->loops; k++) {
		begin(b);
		seq += map_all(b, NULL);
		unseq += unmap_all(b, NULL);
		end(b);
		begin(b);
		rnd += map_all(b, b->order);
		if (k == 0) {
			look_up(b);
			split_and_merge(b);
		}
		unrnd += unmap_all(b, b->other_order);
		end(b);
	}
	bench_add(&b->mmap_seq, seq, ops);
	bench_add(&b->munmap_seq, unseq, ops);
	bench_add(&b->mmap_rand, rnd, ops);
	bench_add(&b->munmap_rand, unrnd, ops);
	grow(b);
}

static void print(const struct bench_run *run, const struct bench *b)
{
	char param[32];

	snprintf(param, sizeof(param), "N=%u", b->n);
	bench_print(run, "vma-mmap-seq", param, b->n, &b->mmap_seq);
	bench_print(run, "vma-munmap-seq", param, b->n, &b->munmap_seq);
	bench_print(run, "vma-mmap-rand", param, b->n, &b->mmap_rand);
	bench_print(run, "vma-munmap-rand", param, b->n, &b->munmap_rand);
	bench_print(run, "vma-mprotect-split3", param, b->n, &b->split3);
	bench_print(run, "vma-mprotect-merge3", param, b->n, &b->merge3);
	bench_print(run, "vma-munmap-hole", param, b->n, &b->hole);
	bench_print(run, "vma-mmap-fill-hole", param, b->n, &b->fill);
	bench_print(run, "vma-mmap-fixed-replace", param, b->n, &b->replace);
	bench_print(run, "vma-mmap-merge-left", param, b->n, &b->merge_left);
	bench_print(run, "vma-lookup-rand", param, b->n, &b->lookup);
}

static void one_size(const struct bench_run *run, struct bench *b)
{
	const struct ms_machine_config config = { .max_map_count = UINT32_MAX };
	uint64_t seed = 3;

	b->m = ms_machine_new_config(ms_policy_linux("6.12.117", MS_ARCH_ARM64), &config);
	bench_require(b->m, "no machine");
	b->splits = b->n < SPLITS ? b->n : SPLITS;
	b->loops = b->n >= OPS ? 1 : OPS / b->n;
	bench_shuffle(b->order, b->n, 5);
	bench_shuffle(b->other_order, b->n, 6);
	for (uint32_t i = 0; i < QUERIES; i++)
		b->query[i] = (uint32_t)bench_random(&seed);
	if (!bench_is(run, "trace"))
		ms_trace_keep(b->m, 0);
	for (unsigned int i = 0; i <= run->rounds; i++)
		round_of_all(b);
	print(run, b);
	ms_machine_free(b->m);
}

void bench_vma(const struct bench_run *run)
{
	uint32_t numbers[6];
	size_t count = bench_numbers(run, numbers);

	for (size_t i = 0; i < count; i++) {
		struct bench *b = bench_alloc(1, sizeof(*b));
		uint32_t *memory = bench_alloc(2 * (size_t)numbers[i] + QUERIES, sizeof(*memory));

		b->n = numbers[i];
		b->order = memory;
		b->other_order = b->order + b->n;
		b->query = b->other_order + b->n;
		one_size(run, b);
		free(memory);
		free(b);
	}
}
