/* SPDX-License-Identifier: GPL-2.0-only */
/* Leaves go: of a range, of a table, all. */
#include "host.h"

static void map_pages(struct ms_tdp *tdp, ms_ipa_t ipa, unsigned int n, ms_pa_t pa)
{
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(ms_tdp_map(tdp, ipa + i * MS_4K, MS_TDP_4K, pa + i * MS_4K, RWX),
				 0);
}

/*
 *  before  |-- 2M --|4K|4K|4K|
 *  zap           [-----)
 *  after   | .      | .|4K|4K|
 */
static void every_leaf_that_the_range_touches_goes_whole(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_2M, PA, RX), 0);
	map_pages(tdp, IPA + MS_2M, 3, PA);
	forget_log(&h);
	assert_int_equal(ms_tdp_zap(tdp, IPA + MS_2M - MS_4K, 2 * MS_4K), 2);
	assert_log(&h, "zap 80000000+200000/2\n"
		       "zap 80200000+1000/1\n");
	assert_nothing(tdp, IPA);
	assert_leaf(tdp, IPA + MS_2M + MS_4K, IPA + MS_2M + MS_4K, MS_4K, PA + MS_4K, RWX);
	test_tdp_end(&h, tdp);
}

static void neighbours_go_as_one_run_up_to_the_end_of_their_table(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	map_pages(tdp, IPA + MS_2M - 3 * MS_4K, 7, PA);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(ms_tdp_map(tdp, IPA + (4 + i) * MS_2M, MS_TDP_2M, PA, RX), 0);
	forget_log(&h);
	assert_int_equal(ms_tdp_zap(tdp, 0, UINT64_MAX), 11);
	assert_log(&h, "zap 801fd000+3000/1\n"
		       "zap 80200000+4000/1\n"
		       "zap 80800000+800000/2\n");
	test_tdp_end(&h, tdp);
}

static void tables_stay_but_take_no_memory(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());
	long live;

	for (unsigned int i = 0; i < 200; i++)
		map_pages(tdp, IPA + i * MS_2M, 2, PA);
	live = h.live;
	assert_int_equal(ms_tdp_tables(tdp), 202);
	assert_int_equal(ms_tdp_zap(tdp, IPA, 100 * MS_2M), 200);
	for (unsigned int i = 100; i < 200; i++) // one by one as well
		for (unsigned int k = 0; k < 2; k++)
			assert_int_equal(ms_tdp_zap(tdp, IPA + i * MS_2M + k * MS_4K, MS_4K), 1);
	assert_int_equal(ms_tdp_tables(tdp), 202);
	assert_true(h.live < live - 100); // some are kept for later
	map_pages(tdp, IPA, 1, PA);
	assert_int_equal(ms_tdp_tables(tdp), 202);
	assert_leaf(tdp, IPA, IPA, MS_4K, PA, RWX);
	assert_nothing(tdp, IPA + MS_4K);
	test_tdp_end(&h, tdp);
}

static void nothing_in_the_range_is_no_change(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	map_pages(tdp, IPA, 2, PA);
	forget_log(&h);
	assert_int_equal(ms_tdp_zap(tdp, IPA, 0), 0);
	assert_int_equal(ms_tdp_zap(tdp, IPA + 2 * MS_4K, MS_1G), 0);
	assert_int_equal(ms_tdp_zap(tdp, 0, IPA), 0);
	assert_int_equal(ms_tdp_zap(tdp, UINT64_C(1) << 40, MS_1G), 0);
	assert_int_equal(ms_tdp_zap(tdp, UINT64_MAX, UINT64_MAX), 0);
	assert_log(&h, "");
	test_tdp_end(&h, tdp);
}

static void a_range_is_rounded_to_pages_and_ends_at_the_last_address(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	map_pages(tdp, IPA, 3, PA);
	assert_int_equal(ms_tdp_zap(tdp, IPA + MS_4K - 1, 2), 2);
	assert_int_equal(ms_tdp_zap(tdp, IPA + 2 * MS_4K + 1, UINT64_MAX), 1);
	test_tdp_end(&h, tdp);
}

/*
 *  before  |4K|mm|4K|mm|
 *  zap     [-----------)
 *  after   | .|mm| .|mm|
 */
static void marks_stay(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());
	struct ms_tdp_mark mark;

	for (unsigned int i = 0; i < 4; i++)
		if (i % 2)
			assert_int_equal(ms_tdp_mark_mmio(tdp, IPA + i * MS_4K, i), 0);
		else
			map_pages(tdp, IPA + i * MS_4K, 1, PA);
	forget_log(&h);
	assert_int_equal(ms_tdp_zap(tdp, IPA, MS_2M), 2);
	assert_log(&h, "zap 80000000+1000/1\nzap 80002000+1000/1\n");
	assert_true(ms_tdp_next_mmio(tdp, IPA, UINT64_MAX, &mark));
	assert_int_equal(mark.ipa, IPA + MS_4K);
	assert_true(ms_tdp_next_mmio(tdp, IPA + 2 * MS_4K, UINT64_MAX, &mark));
	assert_int_equal(mark.ipa, IPA + 3 * MS_4K);
	assert_int_equal(ms_tdp_zap(tdp, IPA + MS_4K, MS_4K), 0);
	test_tdp_end(&h, tdp);
}

/* ---- tables ---- */

static void the_table_of_an_entry_goes_with_its_leaves_and_marks(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());
	struct ms_tdp_mark mark;

	map_pages(tdp, IPA, 2, PA);
	assert_int_equal(ms_tdp_mark_mmio(tdp, IPA + 9 * MS_4K, 1), 0);
	map_pages(tdp, IPA + MS_2M, 1, PA);
	forget_log(&h);
	assert_true(ms_tdp_zap_table(tdp, IPA + 5 * MS_4K, MS_TDP_2M));
	assert_log(&h, "zap 80000000+2000/1\n");
	assert_int_equal(ms_tdp_tables(tdp), 3);
	assert_false(ms_tdp_next_mmio(tdp, 0, UINT64_MAX, &mark));
	assert_false(ms_tdp_zap_table(tdp, IPA, MS_TDP_2M));
	assert_true(ms_tdp_zap_table(tdp, IPA, MS_TDP_1G));
	assert_log(&h, "zap 80200000+1000/1\n");
	assert_int_equal(ms_tdp_tables(tdp), 1);
	test_tdp_end(&h, tdp);
}

static void what_is_no_table_is_not_zapped_as_one(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_2M, PA, RX), 0);
	forget_log(&h);
	assert_false(ms_tdp_zap_table(tdp, IPA, MS_TDP_2M));
	assert_false(ms_tdp_zap_table(tdp, IPA, MS_TDP_4K));
	assert_false(ms_tdp_zap_table(tdp, IPA, 4));
	assert_false(ms_tdp_zap_table(tdp, UINT64_C(1) << 40, MS_TDP_1G));
	assert_log(&h, "");
	test_tdp_end(&h, tdp);
}

/* ---- all ---- */

static void fill(struct ms_tdp *tdp)
{
	assert_int_equal(ms_tdp_map(tdp, 0, MS_TDP_1G, 0, RX), 0);
	map_pages(tdp, MS_1G, 2, PA);
	assert_int_equal(ms_tdp_map(tdp, MS_1G + MS_2M, MS_TDP_2M, PA, RX), 0);
	map_pages(tdp, MS_1G + 2 * MS_2M, 1, PA);
	assert_int_equal(ms_tdp_mark_mmio(tdp, IPA, 1), 0);
	assert_int_equal(ms_tdp_map(tdp, UINT64_C(1) << 39, MS_TDP_2M, PA, RX), 0);
}

static void all_goes_by_address(void **state)
{
	struct ms_tdp_config config = test_config();
	struct ms_tdp_mark mark;
	struct test_host h;
	struct ms_tdp *tdp;

	config.zap_by_size = false;
	tdp = test_tdp(&h, config);
	fill(tdp);
	forget_log(&h);
	ms_tdp_zap_all(tdp);
	assert_log(&h, "zap 0+40000000/3\n"
		       "zap 40000000+2000/1\n"
		       "zap 40200000+200000/2\n"
		       "zap 40400000+1000/1\n"
		       "zap 8000000000+200000/2\n");
	assert_int_equal(ms_tdp_tables(tdp), 0);
	assert_false(ms_tdp_next_mmio(tdp, 0, UINT64_MAX, &mark));
	test_tdp_end(&h, tdp);
}

static void all_goes_by_size_and_then_by_address(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	fill(tdp);
	forget_log(&h);
	ms_tdp_zap_all(tdp);
	assert_log(&h, "zap 40000000+2000/1\n"
		       "zap 40400000+1000/1\n"
		       "zap 40200000+200000/2\n"
		       "zap 8000000000+200000/2\n"
		       "zap 0+40000000/3\n");
	assert_int_equal(ms_tdp_tables(tdp), 0);
	ms_tdp_zap_all(tdp);
	assert_log(&h, "");
	fill(tdp);
	assert_leaf(tdp, MS_1G, MS_1G, MS_4K, PA, RWX);
	test_tdp_end(&h, tdp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_leaf_that_the_range_touches_goes_whole),
		cmocka_unit_test(neighbours_go_as_one_run_up_to_the_end_of_their_table),
		cmocka_unit_test(tables_stay_but_take_no_memory),
		cmocka_unit_test(nothing_in_the_range_is_no_change),
		cmocka_unit_test(a_range_is_rounded_to_pages_and_ends_at_the_last_address),
		cmocka_unit_test(marks_stay),
		cmocka_unit_test(the_table_of_an_entry_goes_with_its_leaves_and_marks),
		cmocka_unit_test(what_is_no_table_is_not_zapped_as_one),
		cmocka_unit_test(all_goes_by_address),
		cmocka_unit_test(all_goes_by_size_and_then_by_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
