/* SPDX-License-Identifier: GPL-2.0-only */
/* Mapping where something is mapped already. */
#include "host.h"

#define IPA UINT64_C(0x80000000)
#define PA UINT64_C(0x4000000000)

static void map_of_what_is_mapped_answers_eagain_and_changes_nothing(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R), -EAGAIN);
	assert_log(&h, "");
	test_s2_end(&h, s2);
}

static void map_with_other_permissions_only_answers_eagain_and_changes_nothing(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_RW | MS_PROT_X), -EAGAIN);
	assert_log(&h, "");
	assert_leaf(s2, IPA, IPA, MS_4K, PA, MS_PROT_R);
	test_s2_end(&h, s2);
}

static void map_of_what_is_mapped_succeeds_on_the_oldest_kernels(void **state)
{
	struct test_host h;
	struct ms_s2_config config = test_config();
	struct ms_s2 *s2;

	config.same_leaf_eagain = false;
	s2 = test_s2(&h, config);
	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R), 0);
	assert_log(&h, "");
	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_RW), 0);
	assert_log(&h, "desc 80000000/3 leaf -> 0\n"
		       "tlbi ipa 80000000/3\n"
		       "desc 80000000/3 0 -> leaf\n");
	assert_leaf(s2, IPA, IPA, MS_4K, PA, MS_PROT_RW);
	test_s2_end(&h, s2);
}

/*
 *   |-new-|-new-|-old-|-new-|
 *                  ^ EAGAIN: the fourth is not mapped, the first two stay
 */
static void map_stops_at_the_first_eagain_and_keeps_what_it_wrote(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA + 2 * MS_4K, MS_4K, PA + 2 * MS_4K, MS_PROT_R), 0);
	assert_int_equal(test_map(s2, IPA, 4 * MS_4K, PA, MS_PROT_R), -EAGAIN);
	assert_leaf(s2, IPA + MS_4K, IPA + MS_4K, MS_4K, PA + MS_4K, MS_PROT_R);
	assert_nothing(s2, IPA + 3 * MS_4K);
	test_s2_end(&h, s2);
}

static void map_of_another_pa_breaks_the_leaf_before_it_makes_the_new_one(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(test_map(s2, IPA, MS_4K, PA + MS_4K, MS_PROT_R), 0);
	assert_log(&h, "desc 80000000/3 leaf -> 0\n"
		       "tlbi ipa 80000000/3\n"
		       "desc 80000000/3 0 -> leaf\n");
	assert_leaf(s2, IPA, IPA, MS_4K, PA + MS_4K, MS_PROT_R);
	test_s2_end(&h, s2);
}

static void map_over_an_old_leaf_is_no_change_of_permissions_only(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R), 0);
	assert_true(ms_s2_test_clear_young(s2, IPA, MS_4K, true));
	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R), 0);
	assert_true(ms_s2_test_clear_young(s2, IPA, MS_4K, false));
	test_s2_end(&h, s2);
}

static void map_over_a_table_with_a_block_frees_the_table(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R), 0);
	assert_int_equal(test_map(s2, IPA + 7 * MS_4K, MS_4K, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(test_map(s2, IPA, MS_2M, PA, MS_PROT_RW), 0);
	assert_log(&h, "desc 80000000/2 table -> 0\n"
		       "tlbi range 80000000+200000\n"
		       "desc 80000000/2 0 -> leaf\n");
	assert_leaf(s2, IPA + 7 * MS_4K, IPA, MS_2M, PA, MS_PROT_RW);
	assert_int_equal(ms_s2_table_pages(s2), 1);
	test_s2_end(&h, s2);
}

static void map_over_a_table_with_a_block_flushes_the_vmid_on_older_kernels(void **state)
{
	struct test_host h;
	struct ms_s2_config config = test_config();
	struct ms_s2 *s2;

	config.table_to_block_range = false;
	s2 = test_s2(&h, config);
	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(test_map(s2, IPA, MS_2M, PA, MS_PROT_RW), 0);
	assert_log(&h, "desc 80000000/2 table -> 0\n"
		       "tlbi vmid\n"
		       "desc 80000000/2 0 -> leaf\n");
	test_s2_end(&h, s2);
}

static void map_over_a_table_with_a_block_flushes_the_vmid_without_range_tlbi(void **state)
{
	struct test_host h;
	struct ms_s2_config config = test_config();
	struct ms_s2 *s2;

	config.tlbi_range = false;
	s2 = test_s2(&h, config);
	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(test_map(s2, IPA, MS_2M, PA, MS_PROT_RW), 0);
	assert_log(&h, "desc 80000000/2 table -> 0\n"
		       "tlbi vmid\n"
		       "desc 80000000/2 0 -> leaf\n");
	test_s2_end(&h, s2);
}

/* 1G over a table of a 2M block and a table of pages: both tables go. */
static void map_over_tables_of_tables_frees_them_all(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, MS_2M, PA, MS_PROT_R), 0);
	assert_int_equal(test_map(s2, IPA + 3 * MS_2M, MS_4K, PA, MS_PROT_R), 0);
	assert_int_equal(ms_s2_table_pages(s2), 2);
	assert_int_equal(test_map(s2, IPA, MS_1G, PA, MS_PROT_R), 0);
	assert_int_equal(ms_s2_table_pages(s2), 0);
	assert_leaf(s2, IPA + MS_2M, IPA, MS_1G, PA, MS_PROT_R);
	test_s2_end(&h, s2);
}

/*
 *   |--------- block 2M ---------|      then one page of it is mapped anew:
 *   |     |page|                 |      the rest is gone
 */
static void map_of_a_page_over_a_block_loses_the_rest_of_the_block(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	ms_ipa_t page = IPA + 3 * MS_4K;

	assert_int_equal(test_map(s2, IPA, MS_2M, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(test_map(s2, page, MS_4K, PA + 3 * MS_4K, MS_PROT_RW), 0);
	assert_log(&h, "desc 80000000/2 leaf -> 0\n"
		       "tlbi ipa 80003000/2\n"
		       "desc 80000000/2 0 -> table\n"
		       "desc 80003000/3 0 -> leaf\n");
	assert_leaf(s2, page, page, MS_4K, PA + 3 * MS_4K, MS_PROT_RW);
	assert_nothing(s2, page - MS_4K);
	assert_nothing(s2, page + MS_4K);
	test_s2_end(&h, s2);
}

static void map_of_a_page_in_a_1g_block_loses_the_rest_of_the_block(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, MS_1G, PA, MS_PROT_R), 0);
	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R), 0);
	assert_nothing(s2, IPA + MS_4K);
	assert_nothing(s2, IPA + MS_2M);
	assert_int_equal(ms_s2_table_pages(s2), 2);
	test_s2_end(&h, s2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_of_what_is_mapped_answers_eagain_and_changes_nothing),
		cmocka_unit_test(
			map_with_other_permissions_only_answers_eagain_and_changes_nothing),
		cmocka_unit_test(map_of_what_is_mapped_succeeds_on_the_oldest_kernels),
		cmocka_unit_test(map_stops_at_the_first_eagain_and_keeps_what_it_wrote),
		cmocka_unit_test(map_of_another_pa_breaks_the_leaf_before_it_makes_the_new_one),
		cmocka_unit_test(map_over_an_old_leaf_is_no_change_of_permissions_only),
		cmocka_unit_test(map_over_a_table_with_a_block_frees_the_table),
		cmocka_unit_test(map_over_a_table_with_a_block_flushes_the_vmid_on_older_kernels),
		cmocka_unit_test(map_over_a_table_with_a_block_flushes_the_vmid_without_range_tlbi),
		cmocka_unit_test(map_over_tables_of_tables_frees_them_all),
		cmocka_unit_test(map_of_a_page_over_a_block_loses_the_rest_of_the_block),
		cmocka_unit_test(map_of_a_page_in_a_1g_block_loses_the_rest_of_the_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
