/* SPDX-License-Identifier: GPL-2.0-only */
/* Single leaves and marks: what map, set and mark_mmio do to what is there. */
#include "host.h"

static void a_leaf_of_each_size_translates_all_its_addresses(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_1G, PA, RWX), 0);
	assert_int_equal(ms_tdp_map(tdp, IPA + MS_1G, MS_TDP_2M, PA, RX), 0);
	assert_int_equal(ms_tdp_map(tdp, IPA + MS_1G + MS_2M, MS_TDP_4K, PA + MS_4K, RX), 0);
	assert_log(&h, "map 80000000+40000000/3 pa=4000000000 rwx hmad\n"
		       "map c0000000+200000/2 pa=4000000000 r-x --a-\n"
		       "map c0200000+1000/1 pa=4000001000 r-x --a-\n");
	assert_leaf(tdp, IPA + MS_1G - 1, IPA, MS_1G, PA, RWX);
	assert_leaf(tdp, IPA + MS_1G + MS_2M - 1, IPA + MS_1G, MS_2M, PA, RX);
	assert_leaf(tdp, IPA + MS_1G + MS_2M, IPA + MS_1G + MS_2M, MS_4K, PA + MS_4K, RX);
	assert_nothing(tdp, IPA + MS_1G + MS_2M + MS_4K);
	assert_int_equal(ms_tdp_tables(tdp), 3);
	test_tdp_end(&h, tdp);
}

static void misaligned_and_unknown_sizes_and_far_addresses_are_refused(void **state)
{
	const ms_ipa_t limit = UINT64_C(1) << 40;
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_limit(tdp), limit);
	assert_int_equal(ms_tdp_map(tdp, IPA, 0, PA, RX), -EINVAL);
	assert_int_equal(ms_tdp_map(tdp, IPA, 4, PA, RX), -EINVAL);
	assert_int_equal(ms_tdp_map(tdp, IPA + 1, MS_TDP_4K, PA, RX), -EINVAL);
	assert_int_equal(ms_tdp_map(tdp, IPA + MS_4K, MS_TDP_2M, PA, RX), -EINVAL);
	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_2M, PA + MS_4K, RX), -EINVAL);
	assert_int_equal(ms_tdp_map(tdp, limit, MS_TDP_4K, PA, RX), -ERANGE);
	assert_int_equal(ms_tdp_map(tdp, UINT64_MAX - MS_1G + 1, MS_TDP_1G, PA, RX), -ERANGE);
	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_4K, limit, RX), -ERANGE);
	assert_int_equal(ms_tdp_map(tdp, limit - MS_4K, MS_TDP_4K, limit - MS_4K, RX), 0);
	assert_int_equal(ms_tdp_map(tdp, limit - MS_4K, MS_TDP_4K, limit, RX), -ERANGE);
	test_tdp_end(&h, tdp);
}

static void four_levels_reach_no_further_than_48_bits(void **state)
{
	struct ms_tdp_config config = test_config();
	struct test_host h;
	struct ms_tdp *tdp;

	config.pa_bits = 50;
	tdp = test_tdp(&h, config);
	assert_int_equal(ms_tdp_map(tdp, UINT64_C(1) << 48, MS_TDP_4K, 0, RX), -ERANGE);
	assert_int_equal(ms_tdp_map(tdp, 0, MS_TDP_4K, UINT64_C(1) << 48, RX), 0);
	test_tdp_end(&h, tdp);
	config.levels = 5;
	tdp = test_tdp(&h, config);
	assert_int_equal(ms_tdp_map(tdp, UINT64_C(1) << 48, MS_TDP_4K, 0, RX), 0);
	assert_int_equal(ms_tdp_tables(tdp), 4);
	test_tdp_end(&h, tdp);
}

static void the_same_leaf_again_is_no_change(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_2M, PA, RWX), 0);
	forget_log(&h);
	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_2M, PA, RWX), 0);
	assert_log(&h, "");
	test_tdp_end(&h, tdp);
}

static void other_rights_for_the_same_address_change_the_leaf(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_4K, PA, RX), 0);
	forget_log(&h);
	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_4K, PA, RWX), 0);
	assert_log(&h, "change 80000000+1000/1 r-x --a- -> rwx hmad\n");
	assert_leaf(tdp, IPA, IPA, MS_4K, PA, RWX);
	test_tdp_end(&h, tdp);
}

static void a_leaf_to_another_address_must_be_zapped_first(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_4K, PA, RX), 0);
	forget_log(&h);
	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_4K, PA + MS_4K, RX), -EEXIST);
	assert_log(&h, "");
	assert_leaf(tdp, IPA, IPA, MS_4K, PA, RX);
	assert_int_equal(ms_tdp_zap(tdp, IPA, MS_4K), 1);
	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_4K, PA + MS_4K, RX), 0);
	test_tdp_end(&h, tdp);
}

/*
 *  before  |4K|4K| . |4K| ...   |
 *  map     |--------- 2M -------|
 */
static void a_huge_leaf_replaces_a_table_whose_leaves_are_zapped_first(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_4K, PA, RX), 0);
	assert_int_equal(ms_tdp_map(tdp, IPA + MS_4K, MS_TDP_4K, PA + MS_1G, RX), 0);
	assert_int_equal(ms_tdp_map(tdp, IPA + 3 * MS_4K, MS_TDP_4K, PA, RX), 0);
	assert_int_equal(ms_tdp_mark_mmio(tdp, IPA + 4 * MS_4K, 1), 0);
	assert_int_equal(ms_tdp_tables(tdp), 3);
	forget_log(&h);
	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_2M, PA, RWX), 0);
	assert_log(&h, "zap 80000000+2000/1\n"
		       "zap 80003000+1000/1\n"
		       "map 80000000+200000/2 pa=4000000000 rwx hmad\n");
	assert_int_equal(ms_tdp_tables(tdp), 2);
	test_tdp_end(&h, tdp);
}

static void a_leaf_of_1g_replaces_two_levels_of_tables(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_map(tdp, IPA + MS_2M, MS_TDP_4K, PA, RX), 0);
	assert_int_equal(ms_tdp_map(tdp, IPA + 2 * MS_2M, MS_TDP_2M, PA, RX), 0);
	assert_int_equal(ms_tdp_map(tdp, IPA + 3 * MS_2M, MS_TDP_2M, PA, RWX), 0);
	forget_log(&h);
	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_1G, PA, RWX), 0);
	assert_log(&h, "zap 80200000+1000/1\n"
		       "zap 80400000+200000/2\n"
		       "zap 80600000+200000/2\n"
		       "map 80000000+40000000/3 pa=4000000000 rwx hmad\n");
	assert_int_equal(ms_tdp_tables(tdp), 1);
	test_tdp_end(&h, tdp);
}

/*
 *  before  |-------------- 2M --------------|
 *  map        |4K|
 *  after   | .|4K| .                        |
 */
static void a_huge_leaf_above_is_zapped_by_the_older_kernels(void **state)
{
	struct ms_tdp_config config = test_config();
	struct test_host h;
	struct ms_tdp *tdp;

	config.map_splits = false;
	tdp = test_tdp(&h, config);
	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_2M, PA, RX), 0);
	forget_log(&h);
	assert_int_equal(ms_tdp_map(tdp, IPA + MS_4K, MS_TDP_4K, PA + MS_1G, RWX), 0);
	assert_log(&h, "zap 80000000+200000/2\n"
		       "map 80001000+1000/1 pa=4040000000 rwx hmad\n");
	assert_nothing(tdp, IPA);
	test_tdp_end(&h, tdp);
}

/*
 *  before  |-------------- 1G --------------|
 *  map        |4K|
 *  after   |r |rw|r | ...  |  2M  |  2M  |..|
 */
static void a_huge_leaf_above_is_split_by_the_newer_kernels(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_1G, PA, RX), 0);
	forget_log(&h);
	assert_int_equal(ms_tdp_map(tdp, IPA + MS_4K, MS_TDP_4K, PA + MS_4K, RWX), 0);
	assert_log(&h, "split 80000000+40000000/3\n"
		       "split 80000000+200000/2\n"
		       "change 80001000+1000/1 r-x --a- -> rwx hmad\n");
	assert_leaf(tdp, IPA, IPA, MS_4K, PA, RX);
	assert_leaf(tdp, IPA + 2 * MS_4K, IPA + 2 * MS_4K, MS_4K, PA + 2 * MS_4K, RX);
	assert_leaf(tdp, IPA + MS_1G - 1, IPA + MS_1G - MS_2M, MS_2M, PA + MS_1G - MS_2M, RX);
	test_tdp_end(&h, tdp);
}

static void a_huge_leaf_above_that_goes_elsewhere_is_not_split(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_2M, PA, RX), 0);
	forget_log(&h);
	assert_int_equal(ms_tdp_map(tdp, IPA + MS_4K, MS_TDP_4K, PA, RX), -EEXIST);
	assert_log(&h, "");
	assert_leaf(tdp, IPA, IPA, MS_2M, PA, RX);
	test_tdp_end(&h, tdp);
}

static void huge_leaves_are_not_executable_under_the_workaround(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_2M, PA, RWX), 0);
	ms_tdp_set_nx_huge_pages(tdp, true);
	for (unsigned int i = 1; i < 4; i++) // by the table that is found quickly, too
		assert_int_equal(ms_tdp_map(tdp, IPA + i * MS_2M, MS_TDP_2M, PA, RWX), 0);
	assert_int_equal(ms_tdp_map(tdp, IPA + MS_1G, MS_TDP_1G, PA, RX), 0);
	assert_int_equal(ms_tdp_map(tdp, IPA + 8 * MS_2M, MS_TDP_4K, PA, RX), 0);
	assert_leaf(tdp, IPA, IPA, MS_2M, PA, RWX);
	assert_leaf(tdp, IPA + MS_2M, IPA + MS_2M, MS_2M, PA, RWX & ~X);
	assert_leaf(tdp, IPA + 3 * MS_2M, IPA + 3 * MS_2M, MS_2M, PA, RWX & ~X);
	assert_leaf(tdp, IPA + MS_1G, IPA + MS_1G, MS_1G, PA, R | A);
	assert_leaf(tdp, IPA + 8 * MS_2M, IPA + 8 * MS_2M, MS_4K, PA, RX);
	test_tdp_end(&h, tdp);
}

static void set_gives_exactly_what_is_asked_and_keeps_address_and_memory_type(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config_ept(true));
	struct ms_tdp_leaf leaf;

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_2M, PA,
				    RX | ms_tdp_cache(MS_CACHE_WC) | MS_TDP_IGNORE_PAT),
			 0);
	forget_log(&h);
	assert_int_equal(ms_tdp_set(tdp, IPA + 5 * MS_4K, RWX & ~X), 0);
	assert_log(&h, "change 80000000+200000/2 r-x --a- -> rw- hmad\n");
	assert_true(ms_tdp_get_leaf(tdp, IPA, &leaf));
	assert_int_equal(leaf.pa, PA);
	assert_int_equal(leaf.cache, MS_CACHE_WC);
	assert_true(leaf.ignore_pat);
	assert_int_equal(ms_tdp_set(tdp, IPA, RWX & ~X), 0);
	assert_log(&h, "");
	test_tdp_end(&h, tdp);
}

static void set_needs_a_leaf_and_rights_that_there_are(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_set(tdp, IPA, RX), -ENOENT);
	assert_int_equal(ms_tdp_set(tdp, UINT64_MAX, RX), -ENOENT);
	assert_int_equal(ms_tdp_mark_mmio(tdp, IPA, 1), 0);
	assert_int_equal(ms_tdp_set(tdp, IPA, RX), -ENOENT);
	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_4K, PA, RX), 0);
	assert_int_equal(ms_tdp_set(tdp, IPA, R | W), -EINVAL);
	assert_int_equal(ms_tdp_set(tdp, IPA, RX | MS_TDP_IGNORE_PAT), -EINVAL);
	assert_int_equal(ms_tdp_set(tdp, IPA, 0), -EINVAL);
	assert_leaf(tdp, IPA, IPA, MS_4K, PA, RX);
	test_tdp_end(&h, tdp);
}

/* ---- marks ---- */

static void a_mark_is_told_when_it_comes_and_when_its_generation_changes(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_mark_mmio(tdp, IPA, 1), 0);
	assert_int_equal(ms_tdp_mark_mmio(tdp, IPA, 1), 0);
	assert_log(&h, "mmio 80000000\n");
	assert_int_equal(ms_tdp_mark_mmio(tdp, IPA, 2), 0);
	assert_log(&h, "mmio 80000000\n");
	test_tdp_end(&h, tdp);
}

static void a_leaf_takes_the_place_of_a_mark_as_a_map(void **state)
{
	struct ms_tdp_mark mark;
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_mark_mmio(tdp, IPA, 1), 0);
	forget_log(&h);
	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_4K, PA, RX), 0);
	assert_log(&h, "map 80000000+1000/1 pa=4000000000 r-x --a-\n");
	assert_false(ms_tdp_next_mmio(tdp, 0, UINT64_MAX, &mark));
	test_tdp_end(&h, tdp);
}

static void no_page_with_a_leaf_is_marked(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_4K, PA, RX), 0);
	assert_int_equal(ms_tdp_map(tdp, IPA + MS_2M, MS_TDP_2M, PA, RX), 0);
	forget_log(&h);
	assert_int_equal(ms_tdp_mark_mmio(tdp, IPA, 1), -EEXIST);
	assert_int_equal(ms_tdp_mark_mmio(tdp, IPA + MS_2M + MS_4K, 1), -EEXIST);
	assert_int_equal(ms_tdp_mark_mmio(tdp, IPA + MS_4K + 8, 1), -EINVAL);
	assert_int_equal(ms_tdp_mark_mmio(tdp, UINT64_C(1) << 40, 1), -ERANGE);
	assert_log(&h, "");
	test_tdp_end(&h, tdp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leaf_of_each_size_translates_all_its_addresses),
		cmocka_unit_test(misaligned_and_unknown_sizes_and_far_addresses_are_refused),
		cmocka_unit_test(four_levels_reach_no_further_than_48_bits),
		cmocka_unit_test(the_same_leaf_again_is_no_change),
		cmocka_unit_test(other_rights_for_the_same_address_change_the_leaf),
		cmocka_unit_test(a_leaf_to_another_address_must_be_zapped_first),
		cmocka_unit_test(a_huge_leaf_replaces_a_table_whose_leaves_are_zapped_first),
		cmocka_unit_test(a_leaf_of_1g_replaces_two_levels_of_tables),
		cmocka_unit_test(a_huge_leaf_above_is_zapped_by_the_older_kernels),
		cmocka_unit_test(a_huge_leaf_above_is_split_by_the_newer_kernels),
		cmocka_unit_test(a_huge_leaf_above_that_goes_elsewhere_is_not_split),
		cmocka_unit_test(huge_leaves_are_not_executable_under_the_workaround),
		cmocka_unit_test(set_gives_exactly_what_is_asked_and_keeps_address_and_memory_type),
		cmocka_unit_test(set_needs_a_leaf_and_rights_that_there_are),
		cmocka_unit_test(a_mark_is_told_when_it_comes_and_when_its_generation_changes),
		cmocka_unit_test(a_leaf_takes_the_place_of_a_mark_as_a_map),
		cmocka_unit_test(no_page_with_a_leaf_is_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
