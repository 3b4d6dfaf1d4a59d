/* SPDX-License-Identifier: GPL-2.0-only */
/* The counting allocator. */
#include "core/core.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int setup(void **state)
{
	*state = ms_machine_new(ms_policy_linux("6.12.107", MS_ARCH_ARM64));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	ms_machine_free(*state);
	return 0;
}

static void memory_is_zeroed(void **state)
{
	struct ms_machine *m = *state;
	unsigned char *p = ms_zalloc(&m->alloc, 300), *q = ms_zalloc_aligned(&m->alloc, 4096, 300);

	for (size_t i = 0; i < 300; i++) {
		assert_int_equal(p[i], 0);
		assert_int_equal(q[i], 0);
	}
	ms_free(&m->alloc, p);
	ms_free(&m->alloc, q);
}

static void aligned_memory_is_aligned(void **state)
{
	struct ms_machine *m = *state;

	for (size_t align = 1; align <= 65536; align *= 2) {
		void *p = ms_zalloc_aligned(&m->alloc, align, 24);

		assert_int_equal((uintptr_t)p % align, 0);
		ms_free(&m->alloc, p);
	}
}

static void every_request_is_counted(void **state)
{
	struct ms_machine *m = *state;
	uint64_t before = ms_machine_allocs(m), live = m->alloc.live;
	void *p[4] = { ms_zalloc(&m->alloc, 8), ms_calloc(&m->alloc, 2, 8),
		       ms_zalloc_aligned(&m->alloc, 64, 64), ms_strdup(&m->alloc, "name") };

	assert_int_equal(ms_machine_allocs(m), before + 4);
	assert_int_equal(m->alloc.live, live + 4);
	for (size_t i = 0; i < 4; i++)
		ms_free(&m->alloc, p[i]);
	assert_int_equal(ms_machine_allocs(m), before + 4);
	assert_int_equal(m->alloc.live, live);
}

static void only_the_nth_request_from_now_fails(void **state)
{
	struct ms_machine *m = *state;
	void *p[4];

	ms_machine_fail_alloc(m, 3);
	for (size_t i = 0; i < 4; i++)
		p[i] = ms_zalloc(&m->alloc, 8);
	assert_non_null(p[0]);
	assert_non_null(p[1]);
	assert_null(p[2]);
	assert_non_null(p[3]);
	for (size_t i = 0; i < 4; i++)
		ms_free(&m->alloc, p[i]);
}

static void failed_requests_are_counted(void **state)
{
	struct ms_machine *m = *state;
	uint64_t before = ms_machine_allocs(m), live = m->alloc.live;

	ms_machine_fail_alloc(m, 1);
	assert_null(ms_zalloc(&m->alloc, 8));
	assert_int_equal(ms_machine_allocs(m), before + 1);
	assert_int_equal(m->alloc.live, live);
}

static void each_kind_of_request_can_fail(void **state)
{
	struct ms_machine *m = *state;

	ms_machine_fail_alloc(m, 1);
	assert_null(ms_calloc(&m->alloc, 1, 8));
	ms_machine_fail_alloc(m, 1);
	assert_null(ms_zalloc_aligned(&m->alloc, 64, 64));
	ms_machine_fail_alloc(m, 1);
	assert_null(ms_strdup(&m->alloc, "name"));
	ms_machine_fail_alloc(m, 1);
	assert_null(ms_reallocarray(&m->alloc, NULL, 1, 8));
}

static void zero_turns_the_failure_off(void **state)
{
	struct ms_machine *m = *state;
	void *p;

	ms_machine_fail_alloc(m, 1);
	ms_machine_fail_alloc(m, 0);
	p = ms_zalloc(&m->alloc, 8);
	assert_non_null(p);
	ms_free(&m->alloc, p);
}

static void array_too_large_for_an_address_space_is_refused(void **state)
{
	struct ms_machine *m = *state;

	assert_null(ms_calloc(&m->alloc, SIZE_MAX / 2, 4));
	assert_null(ms_reallocarray(&m->alloc, NULL, SIZE_MAX / 2, 4));
}

static void array_that_cannot_grow_stays(void **state)
{
	struct ms_machine *m = *state;
	uint32_t *p = ms_reallocarray(&m->alloc, NULL, 2, sizeof(*p)), *grown;
	uint64_t live = m->alloc.live;

	p[0] = 11;
	p[1] = 22;
	ms_machine_fail_alloc(m, 1);
	assert_null(ms_reallocarray(&m->alloc, p, 1000, sizeof(*p)));
	assert_int_equal(p[1], 22);
	grown = ms_reallocarray(&m->alloc, p, 1000, sizeof(*p));
	assert_int_equal(grown[0], 11);
	assert_int_equal(grown[1], 22);
	assert_int_equal(m->alloc.live, live);
	ms_free(&m->alloc, grown);
}

static void string_is_copied(void **state)
{
	struct ms_machine *m = *state;
	char name[] = "bar0";
	char *copy = ms_strdup(&m->alloc, name);

	name[0] = 'x';
	assert_string_equal(copy, "bar0");
	ms_free(&m->alloc, copy);
}

static void nothing_can_be_freed(void **state)
{
	struct ms_machine *m = *state;
	uint64_t live = m->alloc.live;

	ms_free(&m->alloc, NULL);
	assert_int_equal(m->alloc.live, live);
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RULE(memory_is_zeroed),
		RULE(aligned_memory_is_aligned),
		RULE(every_request_is_counted),
		RULE(only_the_nth_request_from_now_fails),
		RULE(failed_requests_are_counted),
		RULE(each_kind_of_request_can_fail),
		RULE(zero_turns_the_failure_off),
		RULE(array_too_large_for_an_address_space_is_refused),
		RULE(array_that_cannot_grow_stays),
		RULE(string_is_copied),
		RULE(nothing_can_be_freed),
	};

	return cmocka_run_group_tests_name("alloc", tests, NULL, NULL);
}
