/* SPDX-License-Identifier: GPL-2.0-only */
/* Pools of objects. */
#include "base/pool.h"
#include "core/core.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct world {
	struct ms_machine *m;
	struct ms_pool pool;
};

static int setup(void **state)
{
	static struct world w;

	w.m = ms_machine_new(ms_policy_linux("6.12.107", MS_ARCH_ARM64));
	ms_pool_init(&w.pool, &w.m->alloc, 200);
	*state = &w;
	return w.m ? 0 : -1;
}

static int teardown(void **state)
{
	struct world *w = *state;

	ms_pool_destroy(&w->pool);
	ms_machine_free(w->m);
	return 0;
}

/* Enough for chunks of every size. */
enum { MANY = 30000 };

static void objects_are_aligned_and_do_not_overlap(void **state)
{
	struct world *w = *state;
	static unsigned char *object[MANY];

	for (unsigned int i = 0; i < MANY; i++) {
		object[i] = ms_pool_get(&w->pool);
		assert_non_null(object[i]);
		assert_int_equal((uintptr_t)object[i] % MS_POOL_ALIGN, 0);
		memset(object[i], (int)(i % 251), 200);
	}
	for (unsigned int i = 0; i < MANY; i++) {
		assert_int_equal(object[i][0], i % 251);
		assert_int_equal(object[i][199], i % 251);
	}
}

static void a_freed_object_is_handed_out_again(void **state)
{
	struct world *w = *state;
	static void *object[MANY];
	size_t bytes;

	for (unsigned int i = 0; i < MANY; i++)
		object[i] = ms_pool_get(&w->pool);
	bytes = w->pool.bytes;
	for (unsigned int i = 0; i < MANY; i += 3)
		ms_pool_put(&w->pool, object[i]);
	for (unsigned int i = 0; i < MANY; i += 3)
		assert_non_null(ms_pool_get(&w->pool));
	assert_int_equal(w->pool.bytes, bytes);
}

static void objects_in_a_row_lie_in_a_row(void **state)
{
	struct world *w = *state;
	char *first = ms_pool_get(&w->pool), *second = ms_pool_get(&w->pool),
	     *third = ms_pool_get(&w->pool);

	assert_ptr_equal(second, first + w->pool.size);
	assert_ptr_equal(third, second + w->pool.size);
	// the lowest one that is free comes first
	ms_pool_put(&w->pool, third);
	ms_pool_put(&w->pool, first);
	assert_ptr_equal(ms_pool_get(&w->pool), first);
	assert_ptr_equal(ms_pool_get(&w->pool), third);
}

static void every_object_is_counted(void **state)
{
	struct world *w = *state;
	uint64_t allocs = ms_machine_allocs(w->m), live = w->m->alloc.live;
	void *object[100];

	for (unsigned int i = 0; i < 100; i++)
		object[i] = ms_pool_get(&w->pool);
	assert_int_equal(ms_machine_allocs(w->m), allocs + 100);
	assert_int_equal(w->m->alloc.live, live + 100);
	for (unsigned int i = 0; i < 100; i++)
		ms_pool_put(&w->pool, object[i]);
	assert_int_equal(w->m->alloc.live, live);
}

static void every_object_can_be_refused(void **state)
{
	struct world *w = *state;
	uint64_t live = w->m->alloc.live;

	for (unsigned int i = 1; i < 200; i++) {
		ms_machine_fail_alloc(w->m, 1);
		assert_null(ms_pool_get(&w->pool));
		assert_non_null(ms_pool_get(&w->pool));
		assert_int_equal(w->m->alloc.live, live + i);
	}
}

static void reserved_objects_are_there(void **state)
{
	struct world *w = *state;
	uint64_t allocs;

	assert_true(ms_pool_reserve(&w->pool, 300));
	allocs = ms_machine_allocs(w->m);
	// what is there already is no request
	assert_true(ms_pool_reserve(&w->pool, 300));
	for (unsigned int i = 0; i < 300; i++)
		assert_non_null(ms_pool_take(&w->pool));
	assert_int_equal(ms_machine_allocs(w->m), allocs);
}

static void a_reservation_can_be_refused(void **state)
{
	struct world *w = *state;
	uint64_t live = w->m->alloc.live;

	ms_machine_fail_alloc(w->m, 2);
	assert_false(ms_pool_reserve(&w->pool, 500));
	assert_int_equal(w->m->alloc.live, live);
	assert_true(ms_pool_reserve(&w->pool, 500));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(objects_are_aligned_and_do_not_overlap),
		TEST(a_freed_object_is_handed_out_again),
		TEST(objects_in_a_row_lie_in_a_row),
		TEST(every_object_is_counted),
		TEST(every_object_can_be_refused),
		TEST(reserved_objects_are_there),
		TEST(a_reservation_can_be_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
