/* SPDX-License-Identifier: GPL-2.0-only */
/* The ordered ranges under the memtype list, against a flat array that does the same slowly. */
#include "pat/internal.h"
#include "pat/ranges_leaf.h"

#include <mapsim/machine.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define FLAT_MAX 6000u

struct flat {
	struct {
		uint64_t start, end;
		enum ms_cache type;
	} v[FLAT_MAX];
	size_t n;
};

struct world {
	struct ms_machine *m;
	struct ms_ranges t;
	struct flat flat;
	uint64_t seed;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	w->m = ms_machine_new(ms_policy_linux("6.12.107", MS_ARCH_X86_64));
	ms_ranges_init(&w->t, &w->m->alloc);
	w->seed = 12345;
	*state = w;
	return w->m ? 0 : -1;
}

static int teardown(void **state)
{
	struct world *w = *state;

	ms_ranges_destroy(&w->t);
	ms_machine_free(w->m);
	free(w);
	return 0;
}

static uint64_t rnd(struct world *w, uint64_t n)
{
	w->seed = w->seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (w->seed >> 33) % n;
}

static void flat_insert(struct flat *f, uint64_t start, uint64_t end, enum ms_cache type)
{
	size_t i = f->n;

	assert_true(f->n < FLAT_MAX);
	for (; i && f->v[i - 1].start > start; i--)
		f->v[i] = f->v[i - 1];
	f->v[i].start = start;
	f->v[i].end = end;
	f->v[i].type = type;
	f->n++;
}

static void flat_remove(struct flat *f, size_t i)
{
	memmove(&f->v[i], &f->v[i + 1], (f->n - i - 1) * sizeof(f->v[0]));
	f->n--;
}

/* Whether the tree holds exactly what the array holds, in its order. */
static void assert_same(const struct world *w)
{
	struct ms_ranges_pos pos;
	const struct ms_range *r = ms_ranges_from(&w->t, 0, &pos);

	assert_null(ms_ranges_check(&w->t));
	assert_int_equal(w->t.count, w->flat.n);
	for (size_t i = 0; i < w->flat.n; i++) {
		assert_int_equal(r->start, w->flat.v[i].start);
		assert_int_equal(r->end, w->flat.v[i].end);
		assert_int_equal(ms_range_type(r), w->flat.v[i].type);
		r = ms_ranges_next(&w->t, &pos);
	}
	assert_null(r);
}

static int try_insert(struct world *w, uint64_t start, uint64_t end, enum ms_cache type)
{
	const struct ms_range *r = ms_ranges_above(&w->t, start);

	if (r && r->start < end)
		ms_ranges_forward(&w->t, start + 1);
	return ms_ranges_insert(&w->t, start, end, ms_range_tag(NULL, type));
}

static bool go_to(struct world *w, uint64_t start)
{
	if (w->t.root && !ms_ranges_at_finger(&w->t, start))
		ms_ranges_descend_above(&w->t, start);
	return w->t.root;
}

/* The way that is tried first; false: it is not for this one. */
static bool insert_quickly(struct world *w, uint64_t start, uint64_t end, enum ms_cache type)
{
	const struct ms_ranges_pos *pos = &w->t.finger;

	if (!go_to(w, start))
		return false;
	switch (ms_ranges_insert_quickly(&w->t, start, end, ms_range_tag(NULL, type))) {
	case MS_QUICKLY:
		return true;
	case MS_OVERLAPS:
		return ms_range_type(ms_leaf_range(pos->leaf, pos->i)) == type &&
		       ms_ranges_insert_alias_quickly(&w->t, start, end);
	default:
		return false;
	}
}

static void insert(struct world *w, uint64_t start, uint64_t end, enum ms_cache type)
{
	if (!rnd(w, 2) || !insert_quickly(w, start, end, type))
		assert_int_equal(try_insert(w, start, end, type), 0);
	flat_insert(&w->flat, start, end, type);
}

/* The place of the array's i-th range in the tree. */
static void locate(const struct world *w, size_t i, struct ms_ranges_pos *pos)
{
	size_t first = i;

	while (first && w->flat.v[first - 1].start == w->flat.v[i].start)
		first--;
	ms_ranges_from(&w->t, w->flat.v[i].start, pos);
	for (; first < i; first++)
		ms_ranges_next(&w->t, pos);
}

static size_t first_equal(const struct flat *f, size_t i)
{
	size_t first = i;

	for (size_t j = i; j-- > 0 && f->v[j].start == f->v[i].start;)
		if (f->v[j].end == f->v[i].end)
			first = j;
	return first;
}

static void remove_at(struct world *w, size_t i)
{
	uint64_t start = w->flat.v[i].start, end = w->flat.v[i].end;
	struct ms_ranges_pos pos;

	if (rnd(w, 2) && go_to(w, start) && ms_ranges_remove_quickly(&w->t, start, end)) {
		flat_remove(&w->flat, first_equal(&w->flat, i));
		return;
	}
	locate(w, i, &pos);
	ms_ranges_remove(&w->t, &pos);
	flat_remove(&w->flat, i);
}

static void shrink_at(struct world *w, size_t i, uint64_t end)
{
	struct ms_ranges_pos pos;
	uint64_t start = w->flat.v[i].start;
	enum ms_cache type = w->flat.v[i].type;

	locate(w, i, &pos);
	ms_ranges_shrink(&w->t, &pos, end);
	flat_remove(&w->flat, i);
	flat_insert(&w->flat, start, end, type);
}

/* Every kind of question about [x, y), answered by the array. */
static void assert_same_answers(struct world *w, uint64_t x, uint64_t y)
{
	const struct flat *f = &w->flat;
	const struct ms_range *r = ms_ranges_above(&w->t, x);
	struct ms_ranges_pos pos = w->t.finger;
	unsigned int types = 0;
	size_t i;

	for (i = 0; i < f->n; i++) {
		if (f->v[i].end <= x)
			continue;
		assert_non_null(r);
		assert_int_equal(r->start, f->v[i].start);
		assert_int_equal(r->end, f->v[i].end);
		r = ms_ranges_next_above(&w->t, x, &pos);
	}
	assert_null(r);
	for (i = 0; i < f->n && f->v[i].start < x; i++)
		if (f->v[i].end > x && !types)
			types = 1u << f->v[i].type;
	if (i < f->n && f->v[i].start < y && !types)
		types = 1u << f->v[i].type;
	r = ms_ranges_from(&w->t, x, &pos);
	if (i < f->n)
		assert_int_equal(r->end, f->v[i].end);
	else
		assert_null(r);
	for (; i < f->n && f->v[i].start < y; i++)
		types |= 1u << f->v[i].type;
	if (types && x < y) {
		assert_non_null(ms_ranges_above(&w->t, x));
		assert_int_equal(ms_ranges_types(&w->t, x, y), types);
	}
}

static void change(struct world *w, uint64_t space, uint64_t longest, bool more)
{
	uint64_t start = rnd(w, space), len = 1 + rnd(w, longest);
	size_t i = w->flat.n ? rnd(w, w->flat.n) : 0;
	bool add = rnd(w, 100) < (more ? 70u : 30u);

	if (!w->flat.n || (add && w->flat.n < FLAT_MAX))
		insert(w, start, start + len, (enum ms_cache)rnd(w, 6));
	else if (rnd(w, 3) || w->flat.v[i].end - w->flat.v[i].start < 2)
		remove_at(w, i);
	else
		shrink_at(w, i,
			  w->flat.v[i].start + 1 +
				  rnd(w, w->flat.v[i].end - w->flat.v[i].start - 1));
}

static void rising_starts_fill_the_leaves(void **state)
{
	struct world *w = *state;

	for (uint64_t i = 0; i < 5000; i++)
		insert(w, i * 10, i * 10 + 5, MS_CACHE_WC);
	assert_same(w);
	assert_true(w->t.height <= 3);
	while (w->flat.n)
		remove_at(w, 0);
	assert_same(w);
}

static void falling_starts_keep_the_order(void **state)
{
	struct world *w = *state;

	for (uint64_t i = 5000; i-- > 0;)
		insert(w, i * 10, i * 10 + 5, MS_CACHE_UC_MINUS);
	assert_same(w);
	while (w->flat.n)
		remove_at(w, w->flat.n - 1);
	assert_same(w);
}

/*
 *  [--)           from 4 to 6, the last but one to come
 *    [-----...)   2000 times from 5 on, to 10 or more
 *      [)         from 6 to 7, the last to come
 */
static void equal_starts_stay_in_order_of_insertion(void **state)
{
	struct world *w = *state;

	for (uint64_t i = 0; i < 2000; i++)
		insert(w, 5, 10 + (i * 7) % 90, MS_CACHE_WC);
	insert(w, 4, 6, MS_CACHE_WC);
	insert(w, 6, 7, MS_CACHE_WC);
	assert_same(w);
	for (uint64_t i = 0; i < 500; i++)
		shrink_at(w, rnd(w, 1500) + 1, 6 + i % 4);
	assert_same(w);
}

/*
 *  before  [1---------)    after  [2-------)
 *          [2-------)             [1----)
 *           [3)                    [3)
 */
static void a_range_that_shrank_stands_behind_its_equals(void **state)
{
	struct world *w = *state;
	struct ms_ranges_pos pos;

	insert(w, 10, 20, MS_CACHE_WC);
	insert(w, 10, 18, MS_CACHE_WC);
	insert(w, 11, 12, MS_CACHE_WC);
	assert_int_equal(ms_ranges_above(&w->t, 18)->end, 20);
	ms_ranges_shrink(&w->t, &w->t.finger, 15);
	assert_int_equal(ms_ranges_from(&w->t, 0, &pos)->end, 18);
	assert_int_equal(ms_ranges_next(&w->t, &pos)->end, 15);
	assert_int_equal(ms_ranges_next(&w->t, &pos)->end, 12);
}

/*
 *  [------------------------------------------)
 *    [)  [)  [)  [)  ...
 */
static void one_long_range_is_found_below_many_short_ones(void **state)
{
	struct world *w = *state;

	insert(w, 0, 100000, MS_CACHE_UC_MINUS);
	for (uint64_t i = 0; i < 3000; i++)
		insert(w, 10 + i * 4, 12 + i * 4, MS_CACHE_WC);
	assert_int_equal(ms_ranges_above(&w->t, 90000)->start, 0);
	assert_null(ms_ranges_next_above(&w->t, 90000, &w->t.finger));
	assert_int_equal(ms_ranges_above(&w->t, 1)->start, 0);
	assert_int_equal(ms_ranges_types(&w->t, 1, 100000),
			 1u << MS_CACHE_WC | 1u << MS_CACHE_UC_MINUS);
}

/*
 *  [-) [-) [-) [-) ... and then one far behind, in the last leaf
 */
static void what_came_last_is_found_though_nobody_was_told(void **state)
{
	struct world *w = *state;
	struct ms_ranges_pos pos;

	for (uint64_t i = 0; i < 3000; i++)
		insert(w, i * 10, i * 10 + 5, MS_CACHE_WC);
	assert_true(insert_quickly(w, 900000, 900005, MS_CACHE_WC));
	assert_int_equal(ms_ranges_above(&w->t, 0)->start, 0);
	pos = w->t.finger;
	assert_int_equal(ms_ranges_next_above(&w->t, 500000, &pos)->start, 900000);
	assert_null(ms_ranges_next_above(&w->t, 500000, &pos));
	assert_null(ms_ranges_check(&w->t));
	assert_true(go_to(w, 900000) && ms_ranges_remove_quickly(&w->t, 900000, 900005));
	assert_null(ms_ranges_above(&w->t, 500000));
	assert_same(w);
}

static void few_short_ranges_answer_as_an_array(void **state)
{
	struct world *w = *state;

	for (unsigned int i = 0; i < 20000; i++) {
		change(w, 40, 12, i % 400 < 200);
		assert_null(ms_ranges_check(&w->t));
		if (i % 16 == 0)
			assert_same_answers(w, rnd(w, 50), rnd(w, 60));
	}
	assert_same(w);
}

static void many_ranges_answer_as_an_array(void **state)
{
	struct world *w = *state;

	for (unsigned int i = 0; i < 24000; i++) {
		change(w, 1 << 20, i % 50 ? 300 : 100000, i < 12000);
		if (i % 64 == 0) {
			assert_null(ms_ranges_check(&w->t));
			assert_same_answers(w, rnd(w, 1 << 20), rnd(w, 1 << 20));
		}
	}
	while (w->flat.n) {
		remove_at(w, rnd(w, w->flat.n));
		if (w->flat.n % 64 == 0)
			assert_same(w);
	}
	assert_same(w);
}

static void three_levels_of_nodes_come_and_go(void **state)
{
	struct world *w = *state;
	uint64_t n = 260000, step = 7919; // a prime: every number below n once

	for (uint64_t i = 0; i < n; i++) {
		uint64_t start = i * step % n * 10;

		assert_int_equal(try_insert(w, start, start + 5, MS_CACHE_WC), 0);
	}
	assert_true(w->t.height >= 3);
	assert_null(ms_ranges_check(&w->t));
	for (uint64_t i = n; i-- > 0;) {
		assert_int_equal(ms_ranges_above(&w->t, i * step % n * 10)->end,
				 i * step % n * 10 + 5);
		ms_ranges_remove(&w->t, &w->t.finger);
		if (i % 20000 == 0)
			assert_null(ms_ranges_check(&w->t));
	}
	assert_int_equal(w->t.count, 0);
}

static void an_insert_without_memory_changes_nothing(void **state)
{
	struct world *w = *state;
	unsigned int refused = 0;

	for (unsigned int i = 0; i < 4000; i++) {
		uint64_t start = rnd(w, 100000), end = start + 1 + rnd(w, 50);
		int err;

		ms_machine_fail_alloc(w->m, 1 + rnd(w, 3));
		err = try_insert(w, start, end, MS_CACHE_WC);
		ms_machine_fail_alloc(w->m, 0);
		if (err)
			refused++;
		else
			flat_insert(&w->flat, start, end, MS_CACHE_WC);
		if (err || i % 64 == 0)
			assert_same(w);
	}
	assert_true(refused > 10);
}

static void shrinking_needs_no_memory(void **state)
{
	struct world *w = *state;
	uint64_t before;

	for (uint64_t i = 0; i < 1000; i++)
		insert(w, i / 100, 100, MS_CACHE_WC);
	before = ms_machine_allocs(w->m);
	for (uint64_t i = 0; i < 1000; i++)
		shrink_at(w, i, 50 + i % 40);
	assert_same(w);
	assert_int_equal(ms_machine_allocs(w->m), before);
}

#define RANGES_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RANGES_TEST(rising_starts_fill_the_leaves),
		RANGES_TEST(falling_starts_keep_the_order),
		RANGES_TEST(equal_starts_stay_in_order_of_insertion),
		RANGES_TEST(a_range_that_shrank_stands_behind_its_equals),
		RANGES_TEST(one_long_range_is_found_below_many_short_ones),
		RANGES_TEST(what_came_last_is_found_though_nobody_was_told),
		RANGES_TEST(few_short_ranges_answer_as_an_array),
		RANGES_TEST(many_ranges_answer_as_an_array),
		RANGES_TEST(three_levels_of_nodes_come_and_go),
		RANGES_TEST(an_insert_without_memory_changes_nothing),
		RANGES_TEST(shrinking_needs_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
