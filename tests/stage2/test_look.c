/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading the table, and callers' caches. */
#include "host.h"

#include "stage2/s2.h"

#define IPA UINT64_C(0x80000000)
#define PA UINT64_C(0x4000000000)

static void get_leaf_tells_the_whole_leaf_from_any_address_in_it(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	struct ms_s2_leaf leaf = { .reason = "of before" };

	assert_int_equal(test_map(s2, IPA, MS_2M, PA, MS_PROT_RW), 0);
	assert_true(ms_s2_get_leaf(s2, IPA + 0x12345, &leaf));
	assert_int_equal(leaf.ipa, IPA);
	assert_int_equal(leaf.size, MS_2M);
	assert_int_equal(leaf.pa, PA);
	assert_int_equal(leaf.prot, MS_PROT_RW);
	assert_int_equal(leaf.level, 2);
	assert_true(leaf.young);
	assert_null(leaf.reason);
	test_s2_end(&h, s2);
}

static void get_leaf_beyond_the_ipa_space_finds_nothing(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	for (unsigned int bit = 40; bit < 64; bit++) {
		assert_nothing(s2, UINT64_C(1) << bit);
		assert_nothing(s2, (UINT64_C(2) << bit) - MS_4K);
		assert_nothing(s2, (UINT64_C(2) << bit) - MS_2M);
	}
	test_s2_end(&h, s2);
}

static void walk_level_is_where_the_walk_ends(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, 0, MS_4K, 0, MS_PROT_R), 0);
	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R), 0);
	assert_int_equal(test_map(s2, 2 * IPA, MS_1G, PA, MS_PROT_R), 0);
	assert_int_equal(ms_s2_walk_level(s2, IPA), 3);
	assert_int_equal(ms_s2_walk_level(s2, IPA + MS_4K), 3);
	assert_int_equal(ms_s2_walk_level(s2, IPA + MS_2M), 2);
	assert_int_equal(ms_s2_walk_level(s2, IPA + MS_1G), 1);
	assert_int_equal(ms_s2_walk_level(s2, 2 * IPA), 1);
	assert_int_equal(ms_s2_walk_level(s2, UINT64_C(1) << 40), 1);
	test_s2_end(&h, s2);
}

/*
 *   |-1G block-|   |2M|        |4K|    |4K|        ... in the next root table
 */
static void next_leaf_finds_leaves_in_order(void **state)
{
	static const struct {
		ms_ipa_t ipa;
		uint64_t size;
	} want[] = {
		{ IPA, MS_1G },
		{ IPA + 2 * MS_1G, MS_2M },
		{ IPA + 3 * MS_1G, MS_4K },
		{ IPA + 3 * MS_1G + MS_2M - MS_4K, MS_4K },
		{ UINT64_C(1) << 39, MS_4K },
	};
	const size_t n = sizeof(want) / sizeof(want[0]);
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	ms_ipa_t at = 0, end = UINT64_C(1) << 40;
	struct ms_s2_leaf leaf;

	for (size_t i = 0; i < n; i++)
		assert_int_equal(test_map(s2, want[i].ipa, want[i].size, PA, MS_PROT_R), 0);
	for (size_t i = 0; i < n; i++) {
		assert_true(ms_s2_next_leaf(s2, at, end, &leaf));
		assert_int_equal(leaf.ipa, want[i].ipa);
		assert_int_equal(leaf.size, want[i].size);
		at = leaf.ipa + leaf.size;
	}
	assert_false(ms_s2_next_leaf(s2, at, end, &leaf));
	test_s2_end(&h, s2);
}

static void next_leaf_finds_a_leaf_that_begins_before_the_range(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	struct ms_s2_leaf leaf;

	assert_int_equal(test_map(s2, IPA, MS_2M, PA, MS_PROT_R), 0);
	assert_true(ms_s2_next_leaf(s2, IPA + MS_2M - 1, IPA + MS_2M, &leaf));
	assert_int_equal(leaf.ipa, IPA);
	assert_false(ms_s2_next_leaf(s2, IPA + MS_2M, UINT64_MAX, &leaf));
	assert_false(ms_s2_next_leaf(s2, IPA, IPA, &leaf));
	assert_false(ms_s2_next_leaf(s2, 0, IPA, &leaf));
	test_s2_end(&h, s2);
}

static void topup_fills_to_capacity_only_when_below_the_minimum(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	struct ms_s2_cache cache = { .count = 0 };

	assert_int_equal(ms_s2_cache_topup(s2, &cache, 0), 0);
	assert_int_equal(cache.count, 0);
	assert_int_equal(ms_s2_cache_topup(s2, &cache, 2), 0);
	assert_int_equal(cache.count, MS_S2_CACHE_CAPACITY);
	assert_int_equal(ms_s2_map(s2, IPA, MS_4K, PA, MS_PROT_R, &cache), 0);
	assert_int_equal(ms_s2_cache_topup(s2, &cache, 2), 0);
	assert_int_equal(cache.count, MS_S2_CACHE_CAPACITY - 2);
	assert_int_equal(ms_s2_cache_topup(s2, &cache, MS_S2_CACHE_CAPACITY + 1), -EINVAL);
	ms_s2_cache_free(s2, &cache);
	assert_int_equal(cache.count, 0);
	test_s2_end(&h, s2);
}

static void topup_that_fails_above_the_minimum_is_a_success(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	struct ms_s2_cache cache = { .count = 0 };

	h.fail_from = h.allocs + 3;
	assert_int_equal(ms_s2_cache_topup(s2, &cache, 2), 0);
	assert_int_equal(cache.count, 2);
	assert_int_equal(ms_s2_cache_topup(s2, &cache, 3), -ENOMEM);
	assert_int_equal(cache.count, 2);
	ms_s2_cache_free(s2, &cache);
	test_s2_end(&h, s2);
}

static void a_cache_may_hold_more_than_its_array(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	struct ms_s2_cache cache = { .count = 0 };

	assert_int_equal(ms_s2_cache_fill(s2, &cache, 100, 100), 0);
	assert_int_equal(cache.count, 100);
	assert_null(ms_s2_check(s2));
	assert_int_equal(ms_s2_map(s2, IPA, 70 * MS_2M, PA + MS_4K, MS_PROT_R, &cache), 0);
	assert_int_equal(cache.count, 100 - 71);
	assert_leaf(s2, IPA + 70 * MS_2M - 1, IPA + 70 * MS_2M - MS_4K, MS_4K, PA + 70 * MS_2M,
		    MS_PROT_R);
	ms_s2_cache_free(s2, &cache);
	test_s2_end(&h, s2);
}

/* Their places in the memory of tables are the same; either is found wherever the other was. */
static void tables_that_are_remembered_in_one_place_do_not_mix(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	for (uint64_t off = 0; off < 4 * MS_4K; off += MS_4K) {
		assert_int_equal(test_map(s2, IPA + off, MS_4K, PA + off, MS_PROT_R), 0);
		assert_int_equal(
			test_map(s2, IPA + MS_1G + off, MS_4K, PA + MS_1G + off, MS_PROT_RW), 0);
		assert_leaf(s2, IPA + off, IPA + off, MS_4K, PA + off, MS_PROT_R);
		assert_null(ms_s2_check(s2));
	}
	assert_int_equal(ms_s2_unmap(s2, IPA, MS_4K), 0);
	assert_nothing(s2, IPA);
	assert_leaf(s2, IPA + MS_1G, IPA + MS_1G, MS_4K, PA + MS_1G, MS_PROT_RW);
	test_s2_end(&h, s2);
}

static void free_of_a_table_takes_the_tables_in_caches_with_it(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	struct ms_s2_cache cache = { .count = 0 };

	assert_int_equal(ms_s2_cache_topup(s2, &cache, 2), 0);
	ms_s2_free(s2);
	ms_s2_free(NULL);
	assert_int_equal(h.live, 0);
}

/* Two runs of the same operations give the same descriptors, wherever memory comes from. */
static void descriptors_of_tables_do_not_depend_on_memory(void **state)
{
	uint64_t d[2];

	for (int i = 0; i < 2; i++) {
		struct test_host h;
		struct ms_s2 *s2 = test_s2(&h, test_config());
		void *displaced = i ? host_alloc(&h, 4096) : NULL;

		assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R), 0);
		d[i] = s2->tables[0].words[2];
		if (displaced)
			host_free(&h, displaced, 4096);
		test_s2_end(&h, s2);
	}
	assert_int_equal(d[0], d[1]);
	assert_int_equal(d[0] & 3, 3);
}

/* More tables than are kept for the next. */
static void numbers_of_tables_that_went_are_used_again(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	struct ms_s2_cache cache = { .count = 0 };
	uint32_t numbers;

	assert_int_equal(ms_s2_cache_fill(s2, &cache, 100, 100), 0);
	numbers = s2->numbers;
	for (int i = 0; i < 3; i++) {
		ms_s2_cache_free(s2, &cache);
		assert_int_equal(s2->pooled, S2_POOL_MAX);
		assert_null(ms_s2_check(s2));
		assert_int_equal(ms_s2_cache_fill(s2, &cache, 100, 100), 0);
		assert_int_equal(s2->numbers, numbers);
		assert_null(ms_s2_check(s2));
	}
	ms_s2_cache_free(s2, &cache);
	test_s2_end(&h, s2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(get_leaf_tells_the_whole_leaf_from_any_address_in_it),
		cmocka_unit_test(get_leaf_beyond_the_ipa_space_finds_nothing),
		cmocka_unit_test(walk_level_is_where_the_walk_ends),
		cmocka_unit_test(next_leaf_finds_leaves_in_order),
		cmocka_unit_test(next_leaf_finds_a_leaf_that_begins_before_the_range),
		cmocka_unit_test(topup_fills_to_capacity_only_when_below_the_minimum),
		cmocka_unit_test(topup_that_fails_above_the_minimum_is_a_success),
		cmocka_unit_test(a_cache_may_hold_more_than_its_array),
		cmocka_unit_test(tables_that_are_remembered_in_one_place_do_not_mix),
		cmocka_unit_test(free_of_a_table_takes_the_tables_in_caches_with_it),
		cmocka_unit_test(descriptors_of_tables_do_not_depend_on_memory),
		cmocka_unit_test(numbers_of_tables_that_went_are_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
