/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random allocations, references, splits and frees against an array with one byte a page: the
 * allocator hands out the lowest aligned run of free pages, always.
 */
#include "world.h"

#include "phys/split.h"

#include <stdlib.h>

#define BLOCKS_MAX 600u

struct block {
	ms_pfn_t pfn;
	unsigned int order;
	uint32_t refs;
};

struct world {
	struct ms_machine *m;
	uint64_t seed;
	ms_pfn_t start, end;
	unsigned char *held; /* of page start + i */
	struct block block[BLOCKS_MAX];
	size_t nr_blocks;
};

/* xorshift64*: a fixed sequence */
static uint64_t rnd(struct world *w, uint64_t n)
{
	w->seed ^= w->seed >> 12;
	w->seed ^= w->seed << 25;
	w->seed ^= w->seed >> 27;
	return (w->seed * UINT64_C(2685821657736338717) >> 20) % n;
}

static void add_ram(struct world *w, ms_pfn_t start, ms_pfn_t end)
{
	assert_int_equal(ms_ram_add(w->m, start << 12, (end - start) << 12), 0);
	memset(w->held + (start - w->start), 0, end - start);
}

static bool all_free(const struct world *w, ms_pfn_t pfn, uint64_t npages)
{
	for (uint64_t i = 0; i < npages; i++) {
		if (pfn + i >= w->end || w->held[pfn + i - w->start])
			return false;
	}
	return true;
}

/* The lowest aligned run of free pages; 0: none. */
static ms_pfn_t oracle_find(const struct world *w, unsigned int order)
{
	uint64_t npages = UINT64_C(1) << order;

	for (ms_pfn_t pfn = ms_align_up(w->start, npages); pfn < w->end; pfn += npages) {
		if (all_free(w, pfn, npages))
			return pfn;
	}
	return 0;
}

static uint64_t oracle_free_pages(const struct world *w)
{
	uint64_t count = 0;

	for (ms_pfn_t pfn = w->start; pfn < w->end; pfn++)
		count += !w->held[pfn - w->start];
	return count;
}

static void add_block(struct world *w, ms_pfn_t pfn, unsigned int order, uint32_t refs)
{
	w->block[w->nr_blocks++] = (struct block){ pfn, order, refs };
	memset(w->held + (pfn - w->start), 1, (size_t)1 << order);
}

static void random_alloc(struct world *w, unsigned int max_order)
{
	unsigned int order = (unsigned int)rnd(w, rnd(w, max_order + 1) + 1);
	ms_pfn_t pfn, want = oracle_find(w, order);

	if (w->nr_blocks == BLOCKS_MAX)
		return;
	assert_int_equal(ms_page_alloc(w->m, order, 0, &pfn), want != 0);
	if (!want)
		return;
	assert_int_equal(pfn, want);
	add_block(w, pfn, order, 1);
}

/* Somebody picks a page by its number. */
static void random_get(struct world *w)
{
	ms_pfn_t pfn = w->start + rnd(w, w->end - w->start);

	if (w->held[pfn - w->start] || w->nr_blocks == BLOCKS_MAX)
		return;
	ms_page_get(w->m, pfn, 1);
	add_block(w, pfn, 0, 1);
}

static void random_put(struct world *w)
{
	struct block *b = &w->block[rnd(w, w->nr_blocks)];

	ms_page_put(w->m, b->pfn + rnd(w, UINT64_C(1) << b->order), b->refs);
	memset(w->held + (b->pfn - w->start), 0, (size_t)1 << b->order);
	*b = w->block[--w->nr_blocks];
}

static void random_split(struct world *w)
{
	struct block *b = &w->block[rnd(w, w->nr_blocks)], old = *b;
	unsigned int order = (unsigned int)rnd(w, old.order + 1);
	uint64_t parts = UINT64_C(1) << (old.order - order);

	if (w->nr_blocks + parts > BLOCKS_MAX)
		return;
	ms_page_get(w->m, old.pfn, (uint32_t)parts * old.refs - old.refs);
	assert_true(ms_page_split(w->m, old.pfn, order));
	*b = w->block[--w->nr_blocks];
	for (uint64_t i = 0; i < parts; i++)
		add_block(w, old.pfn + (i << order), order, old.refs);
}

static void check(struct world *w)
{
	assert_int_equal(ms_ram_free_pages(w->m), oracle_free_pages(w));
	for (size_t i = 0; i < w->nr_blocks; i++) {
		const struct block *b = &w->block[i];
		ms_pfn_t tail = b->pfn + rnd(w, UINT64_C(1) << b->order);

		assert_int_equal(ms_page_head(w->m, tail), b->pfn);
		assert_int_equal(ms_pfn_to_page(w->m, b->pfn)->refcount, b->refs);
	}
	assert_int_equal(ms_trace_count(w->m, MS_EV_VIOLATION), 0);
}

static void run(struct world *w, unsigned int steps, unsigned int max_order)
{
	for (unsigned int i = 0; i < steps; i++) {
		uint64_t what = rnd(w, 16);

		if (what < 7 || !w->nr_blocks)
			random_alloc(w, max_order);
		else if (what < 8)
			random_get(w);
		else if (what < 9)
			random_split(w);
		else
			random_put(w);
		if (i % 16 == 0)
			check(w);
	}
}

static struct world *world_of(ms_pfn_t start, ms_pfn_t end)
{
	struct world *w = calloc(1, sizeof(*w));

	w->m = machine_of(MS_ARCH_ARM64);
	w->seed = start + 0x9e3779b97f4a7c15;
	w->start = start;
	w->end = end;
	w->held = malloc(end - start);
	memset(w->held, 1, end - start);
	return w;
}

static void world_free(struct world *w)
{
	ms_machine_free(w->m);
	free(w->held);
	free(w);
}

static void small_ram_behaves_as_the_array(void **state)
{
	struct world *w = world_of(0x40003, 0x40003 + 777);

	add_ram(w, 0x40003, 0x40003 + 777);
	run(w, 20000, 7);
	world_free(w);
}

/*  |-------|   |-----------|--|    ranges do not share blocks, even where they touch  */
static void several_ranges_behave_as_the_array(void **state)
{
	struct world *w = world_of(0x40100, 0x41000);

	add_ram(w, 0x40a00, 0x41000);
	add_ram(w, 0x40100, 0x40380);
	add_ram(w, 0x403f1, 0x40a00);
	run(w, 6000, 9);
	world_free(w);
}

static void blocks_larger_than_a_section_behave_as_the_array(void **state)
{
	struct world *w = world_of(0x7c000, 0x7c000 + 0x9000);

	// across the border between two areas
	add_ram(w, 0x7c000, 0x7c000 + 0x9000);
	run(w, 2500, 13);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_ram_behaves_as_the_array),
		cmocka_unit_test(several_ranges_behave_as_the_array),
		cmocka_unit_test(blocks_larger_than_a_section_behave_as_the_array),
	};

	return cmocka_run_group_tests_name("buddy_random", tests, NULL, NULL);
}
