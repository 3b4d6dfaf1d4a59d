/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory of a machine: what is got is whole and apart, and can be put back as it was. */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N 300u

struct piece {
	unsigned char *p;
	size_t size, align;
	unsigned char fill;
};

static uint64_t number(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *seed >> 33;
}

/* Mostly small; now and then larger than the first segment. */
static size_t some_size(uint64_t *seed)
{
	const uint64_t n = number(seed);

	if (n % 100 == 0)
		return n % 3000000;
	return n % 20 == 0 ? n % 40000 : n % 700;
}

static void assert_holds(const struct piece *piece)
{
	for (size_t i = 0; i < piece->size; i++)
		if (piece->p[i] != piece->fill)
			fail_msg("byte %zu of %zu is not what was written", i, piece->size);
}

static void get(struct ms_arena *a, struct piece *piece, uint64_t *seed)
{
	static const size_t aligns[] = { 1, 16, 64, 64, 4096, 16384 };

	piece->size = some_size(seed);
	piece->align = aligns[number(seed) % 6];
	piece->p = ms_arena_get(a, piece->align, piece->size);
	assert_non_null(piece->p);
	assert_int_equal((uintptr_t)piece->p % piece->align, 0);
	piece->fill = 0;
	assert_holds(piece);
	piece->fill = (unsigned char)number(seed);
	memset(piece->p, piece->fill, piece->size);
}

static void resize(struct ms_arena *a, struct piece *piece, uint64_t *seed)
{
	const size_t size = some_size(seed), both = size < piece->size ? size : piece->size;

	piece->p = ms_arena_resize(a, piece->p, piece->align, size);
	assert_non_null(piece->p);
	assert_int_equal((uintptr_t)piece->p % piece->align, 0);
	piece->size = both;
	assert_holds(piece);
	piece->size = size;
	memset(piece->p, piece->fill, size);
}

static void some_steps(struct ms_arena *a, struct piece piece[N], uint64_t *seed, size_t steps)
{
	while (steps--) {
		struct piece *one = &piece[number(seed) % N];

		if (!one->p) {
			get(a, one, seed);
		} else if (number(seed) % 3) {
			assert_holds(one);
			ms_arena_put(a, one->p);
			one->p = NULL;
		} else {
			resize(a, one, seed);
		}
	}
}

static void what_is_got_is_zeroed_aligned_and_nobody_elses(void **state)
{
	struct piece piece[N] = { 0 };
	struct ms_arena *a = ms_arena_new();
	uint64_t seed = 1;

	some_steps(a, piece, &seed, 30000);
	for (unsigned int i = 0; i < N; i++)
		if (piece[i].p)
			assert_holds(&piece[i]);
	ms_arena_free(a);
}

static void an_arena_is_put_back_in_any_order(void **state)
{
	enum { COPIES = 12 };
	struct piece now[N] = { 0 }, then[COPIES][N];
	struct ms_arena_copy *copy[COPIES];
	struct ms_arena *a = ms_arena_new();
	uint64_t seed = 2;

	for (unsigned int i = 0; i < COPIES; i++) {
		// the first ones are of an arena that has but the first segment
		some_steps(a, now, &seed, i < 2 ? 40 : 400);
		copy[i] = ms_arena_copy_new(a);
		assert_non_null(copy[i]);
		memcpy(then[i], now, sizeof(now));
	}
	for (unsigned int i = 0; i < 200; i++) {
		const unsigned int n = (unsigned int)(number(&seed) % COPIES);

		ms_arena_put_back(a, copy[n]);
		memcpy(now, then[n], sizeof(now));
		for (unsigned int k = 0; k < N; k++)
			if (now[k].p)
				assert_holds(&now[k]);
		some_steps(a, now, &seed, 300);
	}
	for (unsigned int i = 0; i < COPIES; i++)
		ms_arena_copy_free(copy[i]);
	ms_arena_free(a);
}

static void the_same_requests_are_answered_at_the_same_places(void **state)
{
	struct piece first[N] = { 0 }, second[N] = { 0 };
	struct ms_arena *a = ms_arena_new();
	struct ms_arena_copy *copy = ms_arena_copy_new(a);
	uint64_t seed = 3;

	some_steps(a, first, &seed, 5000);
	ms_arena_put_back(a, copy);
	seed = 3;
	some_steps(a, second, &seed, 5000);
	for (unsigned int i = 0; i < N; i++)
		assert_ptr_equal(first[i].p, second[i].p);
	ms_arena_copy_free(copy);
	ms_arena_free(a);
}

static void what_was_freed_is_used_again(void **state)
{
	struct ms_arena *a = ms_arena_new();
	void *large = ms_arena_get(a, 16, 5000000), *small = ms_arena_get(a, 16, 100);
	const size_t bytes = ms_arena_bytes(a);

	for (unsigned int i = 0; i < 1000; i++) {
		ms_arena_put(a, large);
		ms_arena_put(a, small);
		large = ms_arena_get(a, 16, 5000000);
		small = ms_arena_get(a, 16, 100);
	}
	assert_int_equal(ms_arena_bytes(a), bytes);
	ms_arena_put(a, large);
	assert_true(ms_arena_bytes(a) < bytes - 4000000);
	ms_arena_free(a);
}

static void an_array_that_grows_at_the_end_stays_there(void **state)
{
	struct ms_arena *a = ms_arena_new();
	char *p = ms_arena_get(a, 16, 1000000);

	for (size_t size = 1000000; size < 200000000; size *= 2)
		assert_ptr_equal(ms_arena_resize(a, p, 16, size), p);
	ms_arena_free(a);
}

static void more_than_an_arena_can_be_is_refused(void **state)
{
	struct ms_arena *a = ms_arena_new();
	void *p = ms_arena_get(a, 16, 100);

	assert_null(ms_arena_get(a, 16, MS_ARENA_MAX + 1));
	assert_null(ms_arena_get(a, 16, SIZE_MAX));
	assert_null(ms_arena_resize(a, p, 16, SIZE_MAX));
	assert_null(ms_arena_get_raw(a, 4096, SIZE_MAX));
	assert_non_null(ms_arena_resize(a, p, 16, 100000));
	ms_arena_free(a);
}

static void zeroes_cost_a_copy_next_to_nothing(void **state)
{
	struct ms_arena *a = ms_arena_new();
	struct ms_arena_copy *before = ms_arena_copy_new(a), *after;
	char *p = ms_arena_get(a, 16, 100000);

	memset(p, 0, 100000);
	p[50000] = 1;
	after = ms_arena_copy_new(a);
	// what the arena has rounded the size up by holds anything
	assert_true(ms_arena_copy_bytes(after) < ms_arena_copy_bytes(before) + 50000);
	ms_arena_copy_free(before);
	ms_arena_copy_free(after);
	ms_arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_got_is_zeroed_aligned_and_nobody_elses),
		cmocka_unit_test(an_arena_is_put_back_in_any_order),
		cmocka_unit_test(the_same_requests_are_answered_at_the_same_places),
		cmocka_unit_test(what_was_freed_is_used_again),
		cmocka_unit_test(an_array_that_grows_at_the_end_stays_there),
		cmocka_unit_test(more_than_an_arena_can_be_is_refused),
		cmocka_unit_test(zeroes_cost_a_copy_next_to_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
