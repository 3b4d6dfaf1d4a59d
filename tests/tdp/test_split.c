/* SPDX-License-Identifier: GPL-2.0-only */
/* Eager splitting: huge leaves become tables of smaller ones. */
#include "host.h"

static void split_of_2m_maps_the_same_with_pages(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_2M, PA, RWX & ~A), 0);
	forget_log(&h);
	assert_int_equal(ms_tdp_split(tdp, IPA + 7 * MS_4K, MS_4K, MS_TDP_4K), 0);
	assert_log(&h, "split 80000000+200000/2\n");
	for (unsigned int i = 0; i < 512; i++)
		assert_leaf(tdp, IPA + i * MS_4K, IPA + i * MS_4K, MS_4K, PA + i * MS_4K, RWX & ~A);
	assert_int_equal(ms_tdp_tables(tdp), 3);
	test_tdp_end(&h, tdp);
}

/*
 *  before  |------------- 1G -------------|
 *  split           [----)  of 2M, to 4K
 *  after   | 2M |..| 4K.. | 2M | ...      |
 */
static void split_of_1g_goes_down_only_where_the_range_is(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_1G, PA, RX), 0);
	forget_log(&h);
	assert_int_equal(ms_tdp_split(tdp, IPA + 3 * MS_2M + MS_4K, MS_2M, MS_TDP_4K), 0);
	assert_log(&h, "split 80000000+40000000/3\n"
		       "split 80600000+200000/2\n"
		       "split 80800000+200000/2\n");
	assert_leaf(tdp, IPA + 2 * MS_2M, IPA + 2 * MS_2M, MS_2M, PA + 2 * MS_2M, RX);
	assert_leaf(tdp, IPA + 3 * MS_2M, IPA + 3 * MS_2M, MS_4K, PA + 3 * MS_2M, RX);
	assert_leaf(tdp, IPA + 5 * MS_2M, IPA + 5 * MS_2M, MS_2M, PA + 5 * MS_2M, RX);
	test_tdp_end(&h, tdp);
}

static void split_to_2m_leaves_2m_as_it_is(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_1G, PA, RX), 0);
	assert_int_equal(ms_tdp_map(tdp, IPA + MS_1G, MS_TDP_2M, PA, RX), 0);
	forget_log(&h);
	assert_int_equal(ms_tdp_split(tdp, 0, UINT64_MAX, MS_TDP_2M), 0);
	assert_log(&h, "split 80000000+40000000/3\n");
	assert_leaf(tdp, IPA, IPA, MS_2M, PA, RX);
	assert_int_equal(ms_tdp_split(tdp, 0, UINT64_MAX, MS_TDP_2M), 0);
	assert_log(&h, "");
	test_tdp_end(&h, tdp);
}

static void only_pages_become_executable_under_the_workaround(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	ms_tdp_set_nx_huge_pages(tdp, true);
	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_1G, PA, RX), 0);
	assert_int_equal(ms_tdp_split(tdp, IPA, MS_4K, MS_TDP_4K), 0);
	assert_leaf(tdp, IPA, IPA, MS_4K, PA, RX);
	assert_leaf(tdp, IPA + MS_2M, IPA + MS_2M, MS_2M, PA + MS_2M, R | A);
	ms_tdp_set_nx_huge_pages(tdp, false);
	assert_int_equal(ms_tdp_split(tdp, IPA + MS_2M, MS_4K, MS_TDP_4K), 0);
	assert_leaf(tdp, IPA + MS_2M, IPA + MS_2M, MS_4K, PA + MS_2M, R | A);
	test_tdp_end(&h, tdp);
}

/* X is put by with the other rights. */
static void pages_of_a_leaf_that_was_not_accessed_become_executable_at_the_next_access(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config_ept(true));
	struct ms_tdp_leaf leaf;

	ms_tdp_set_nx_huge_pages(tdp, true);
	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_2M, PA, R | X), 0);
	assert_true(ms_tdp_get_leaf(tdp, IPA, &leaf));
	assert_int_equal(leaf.saved, R);
	assert_int_equal(ms_tdp_split(tdp, IPA, MS_4K, MS_TDP_4K), 0);
	assert_true(ms_tdp_get_leaf(tdp, IPA + MS_4K, &leaf));
	assert_int_equal(leaf.prot, 0);
	assert_int_equal(leaf.saved, R | X);
	test_tdp_end(&h, tdp);
}

static void split_to_1g_or_to_nothing_is_refused(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_split(tdp, IPA, MS_4K, MS_TDP_1G), -EINVAL);
	assert_int_equal(ms_tdp_split(tdp, IPA, MS_4K, 0), -EINVAL);
	assert_int_equal(ms_tdp_split(tdp, UINT64_MAX, MS_4K, MS_TDP_4K), 0);
	test_tdp_end(&h, tdp);
}

/* 1 + 512 tables: the last allocation fails, and nothing is split. */
static void split_without_memory_changes_nothing(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());
	unsigned long before;

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_1G, PA, RX), 0);
	forget_log(&h);
	before = h.allocs;
	h.fail_at = before + 513;
	assert_int_equal(ms_tdp_split(tdp, IPA, MS_1G, MS_TDP_4K), -ENOMEM);
	assert_log(&h, "");
	assert_leaf(tdp, IPA, IPA, MS_1G, PA, RX);
	assert_null(ms_tdp_check(tdp));
	assert_int_equal(ms_tdp_split(tdp, IPA, MS_1G, MS_TDP_4K), 0);
	assert_leaf(tdp, IPA + MS_1G - 1, IPA + MS_1G - MS_4K, MS_4K, PA + MS_1G - MS_4K, RX);
	assert_int_equal(ms_tdp_tables(tdp), 514);
	test_tdp_end(&h, tdp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_of_2m_maps_the_same_with_pages),
		cmocka_unit_test(split_of_1g_goes_down_only_where_the_range_is),
		cmocka_unit_test(split_to_2m_leaves_2m_as_it_is),
		cmocka_unit_test(only_pages_become_executable_under_the_workaround),
		cmocka_unit_test(
			pages_of_a_leaf_that_was_not_accessed_become_executable_at_the_next_access),
		cmocka_unit_test(split_to_1g_or_to_nothing_is_refused),
		cmocka_unit_test(split_without_memory_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
