/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables make room for huge leaves again, when the dirty log is switched off. */
#include "host.h"

static struct ms_tdp *test_recovering(struct test_host *h, bool in_place)
{
	struct ms_tdp_config config = test_config();

	config.recover_in_place = in_place;
	return test_tdp(h, config);
}

/* ctx: the largest level that is allowed. */
static bool up_to(void *ctx, ms_ipa_t ipa, unsigned int level)
{
	return level <= *(const unsigned int *)ctx;
}

static uint64_t recover(struct ms_tdp *tdp, ms_ipa_t ipa, uint64_t size, unsigned int level)
{
	return ms_tdp_recover(tdp, ipa, size, up_to, &level);
}

static void map_page(struct ms_tdp *tdp, unsigned int i, unsigned int attr)
{
	assert_int_equal(ms_tdp_map(tdp, IPA + i * MS_4K, MS_TDP_4K, PA + i * MS_4K, attr), 0);
}

static void older_kernels_zap_the_table(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_recovering(&h, false);

	map_page(tdp, 3, RX);
	map_page(tdp, 4, RX);
	forget_log(&h);
	assert_int_equal(recover(tdp, IPA, MS_2M, MS_TDP_2M), 1);
	assert_log(&h, "zap 80003000+2000/1\n");
	assert_int_equal(ms_tdp_tables(tdp), 2);
	assert_int_equal(recover(tdp, IPA, MS_2M, MS_TDP_2M), 0);
	test_tdp_end(&h, tdp);
}

/*
 *  before  | . |r |rw|rw| ...       |
 *  after   |----------- r ----------|
 */
static void newer_kernels_put_a_leaf_like_the_first_small_one_there(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_recovering(&h, true);

	map_page(tdp, 3, R | X | H | M | A);
	map_page(tdp, 4, RWX);
	map_page(tdp, 5, RWX);
	forget_log(&h);
	assert_int_equal(recover(tdp, IPA, MS_2M, MS_TDP_2M), 1);
	assert_log(&h, "zap 80003000+1000/1\n"
		       "zap 80004000+2000/1\n"
		       "map 80000000+200000/2 pa=4000000000 r-x hma-\n");
	assert_int_equal(ms_tdp_tables(tdp), 2);
	test_tdp_end(&h, tdp);
}

static void a_table_without_leaves_stays_in_place_and_is_zapped_else(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_recovering(&h, true);

	assert_int_equal(ms_tdp_mark_mmio(tdp, IPA, 1), 0);
	forget_log(&h);
	assert_int_equal(recover(tdp, IPA, MS_1G, MS_TDP_1G), 0);
	assert_int_equal(ms_tdp_tables(tdp), 3);
	test_tdp_end(&h, tdp);

	tdp = test_recovering(&h, false);
	assert_int_equal(ms_tdp_mark_mmio(tdp, IPA, 1), 0);
	forget_log(&h);
	assert_int_equal(recover(tdp, IPA, MS_1G, MS_TDP_1G), 1);
	assert_int_equal(ms_tdp_tables(tdp), 1);
	assert_log(&h, "");
	test_tdp_end(&h, tdp);
}

static void the_largest_size_that_is_allowed_is_taken(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_recovering(&h, true);

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_2M, PA, RX), 0);
	map_page(tdp, 513, RX);
	forget_log(&h);
	assert_int_equal(recover(tdp, IPA, MS_1G, MS_TDP_2M), 1);
	assert_log(&h, "zap 80201000+1000/1\n"
		       "map 80200000+200000/2 pa=4000200000 r-x --a-\n");
	assert_int_equal(recover(tdp, IPA, MS_1G, MS_TDP_1G), 1);
	assert_log(&h, "zap 80000000+400000/2\n"
		       "map 80000000+40000000/3 pa=4000000000 r-x --a-\n");
	assert_int_equal(ms_tdp_tables(tdp), 1);
	test_tdp_end(&h, tdp);
}

/*
 *  tables  |-------|-------|-------|
 *  range       [-------)             the first begins before it
 */
static void only_tables_that_begin_in_the_range_are_looked_at(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_recovering(&h, false);

	for (unsigned int i = 0; i < 3; i++)
		map_page(tdp, i * 512, RX);
	forget_log(&h);
	assert_int_equal(recover(tdp, IPA + MS_4K, MS_2M, MS_TDP_1G), 1);
	assert_log(&h, "zap 80200000+1000/1\n");
	assert_int_equal(recover(tdp, IPA, 0, MS_TDP_1G), 0);
	assert_int_equal(recover(tdp, IPA, MS_4K, MS_TDP_4K), 0);
	assert_log(&h, "");
	test_tdp_end(&h, tdp);
}

static void recovered_leaves_are_not_executable_under_the_workaround(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_recovering(&h, true);

	ms_tdp_set_nx_huge_pages(tdp, true);
	map_page(tdp, 0, RWX);
	assert_int_equal(recover(tdp, IPA, MS_2M, MS_TDP_2M), 1);
	assert_leaf(tdp, IPA, IPA, MS_2M, PA, RWX & ~X);
	test_tdp_end(&h, tdp);
}

static void a_split_leaf_comes_back_as_it_was(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config_ept(true));
	uint64_t entry;

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_1G, PA, RWX | ms_tdp_cache(MS_CACHE_UC)), 0);
	entry = entry_at(tdp, IPA);
	assert_int_equal(ms_tdp_split(tdp, IPA, MS_4K, MS_TDP_4K), 0);
	assert_int_equal(recover(tdp, IPA, MS_1G, MS_TDP_1G), 1);
	assert_int_equal(entry_at(tdp, IPA), entry);
	test_tdp_end(&h, tdp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(older_kernels_zap_the_table),
		cmocka_unit_test(newer_kernels_put_a_leaf_like_the_first_small_one_there),
		cmocka_unit_test(a_table_without_leaves_stays_in_place_and_is_zapped_else),
		cmocka_unit_test(the_largest_size_that_is_allowed_is_taken),
		cmocka_unit_test(only_tables_that_begin_in_the_range_are_looked_at),
		cmocka_unit_test(recovered_leaves_are_not_executable_under_the_workaround),
		cmocka_unit_test(a_split_leaf_comes_back_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
