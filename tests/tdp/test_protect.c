/* SPDX-License-Identifier: GPL-2.0-only */
/* Leaves lose bits: for the dirty log, and when they are aged. */
#include "host.h"

static void map_pages(struct ms_tdp *tdp, ms_ipa_t ipa, unsigned int n, unsigned int attr)
{
	for (unsigned int i = 0; i < n; i++)
		assert_int_equal(ms_tdp_map(tdp, ipa + i * MS_4K, MS_TDP_4K, PA + i * MS_4K, attr),
				 0);
}

/*
 *  before   |rw|rw|r |rw|rw|
 *  wrprotect   [--------)
 *  after    |rw|r |r |r |rw|
 */
static void write_protection_takes_w_alone_and_only_where_it_is(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	map_pages(tdp, IPA, 5, RWX);
	assert_int_equal(ms_tdp_set(tdp, IPA + 2 * MS_4K, RX), 0);
	forget_log(&h);
	assert_true(ms_tdp_wrprotect(tdp, IPA + MS_4K, 3 * MS_4K, MS_TDP_4K, MS_TDP_PROTECT_WRITE));
	assert_log(&h, "change 80001000+1000/1 rwx hmad -> r-x hmad\n"
		       "change 80003000+1000/1 rwx hmad -> r-x hmad\n");
	assert_leaf(tdp, IPA, IPA, MS_4K, PA, RWX);
	assert_leaf(tdp, IPA + MS_4K, IPA + MS_4K, MS_4K, PA + MS_4K, RWX & ~W);
	assert_leaf(tdp, IPA + 4 * MS_4K, IPA + 4 * MS_4K, MS_4K, PA + 4 * MS_4K, RWX);
	assert_false(
		ms_tdp_wrprotect(tdp, IPA + MS_4K, 3 * MS_4K, MS_TDP_4K, MS_TDP_PROTECT_WRITE));
	assert_log(&h, "");
	test_tdp_end(&h, tdp);
}

static void protection_for_good_takes_the_mark_as_well(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_2M, PA, RWX), 0);
	map_pages(tdp, IPA + MS_2M, 2, RWX & ~W);
	forget_log(&h);
	assert_true(ms_tdp_wrprotect(tdp, IPA + MS_4K, MS_2M, MS_TDP_4K, MS_TDP_PROTECT_FOR_GOOD));
	assert_log(&h, "change 80000000+200000/2 rwx hmad -> r-x h-ad\n"
		       "change 80200000+1000/1 r-x hmad -> r-x h-ad\n");
	test_tdp_end(&h, tdp);
}

static void protection_may_be_for_huge_leaves_only(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_2M, PA, RWX), 0);
	assert_int_equal(ms_tdp_map(tdp, IPA + MS_1G, MS_TDP_1G, PA, RWX), 0);
	map_pages(tdp, IPA + MS_2M, 1, RWX);
	forget_log(&h);
	assert_true(ms_tdp_wrprotect(tdp, IPA, 2 * MS_1G, MS_TDP_2M, MS_TDP_PROTECT_WRITE));
	assert_log(&h, "change 80000000+200000/2 rwx hmad -> r-x hmad\n"
		       "change c0000000+40000000/3 rwx hmad -> r-x hmad\n");
	assert_false(ms_tdp_wrprotect(tdp, IPA + MS_2M, MS_4K, MS_TDP_2M, MS_TDP_PROTECT_WRITE));
	test_tdp_end(&h, tdp);
}

static void dirty_bits_are_taken_where_the_cpu_sets_them_else_write_permission(void **state)
{
	struct test_host h;
	struct ms_tdp_config config = test_config_ept(true);
	struct ms_tdp *tdp = test_tdp(&h, config);

	map_pages(tdp, IPA, 1, RWX);
	forget_log(&h);
	assert_true(ms_tdp_wrprotect(tdp, IPA, MS_2M, MS_TDP_4K, MS_TDP_PROTECT_DIRTY));
	assert_log(&h, "change 80000000+1000/1 rwx hmad -> r-x hmad\n");
	test_tdp_end(&h, tdp);
	config.ad_bits = true;
	tdp = test_tdp(&h, config);
	map_pages(tdp, IPA, 1, RWX);
	forget_log(&h);
	assert_true(ms_tdp_wrprotect(tdp, IPA, MS_2M, MS_TDP_4K, MS_TDP_PROTECT_DIRTY));
	assert_log(&h, "change 80000000+1000/1 rwx hmad -> rwx hma-\n");
	test_tdp_end(&h, tdp);
}

/*
 *  mask      1  1  0  1        of a word that begins three pages before a table ends
 *  before   |rw|rw|rw|rw|rw|
 *  after    |r |r |rw|r |rw|
 */
static void a_word_protects_the_pages_whose_bits_are_set(void **state)
{
	const ms_ipa_t ipa = IPA + MS_2M - 3 * MS_4K;
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	map_pages(tdp, ipa, 5, RWX);
	forget_log(&h);
	assert_true(ms_tdp_wrprotect_word(tdp, ipa, 0xb, MS_TDP_PROTECT_WRITE));
	assert_log(&h, "change 801fd000+2000/1 rwx hmad -> r-x hmad\n"
		       "change 80200000+1000/1 rwx hmad -> r-x hmad\n");
	assert_leaf(tdp, ipa + 2 * MS_4K, ipa + 2 * MS_4K, MS_4K, PA + 2 * MS_4K, RWX);
	assert_false(ms_tdp_wrprotect_word(tdp, ipa, 0, MS_TDP_PROTECT_WRITE));
	assert_false(ms_tdp_wrprotect_word(tdp, ipa, UINT64_MAX << 5, MS_TDP_PROTECT_WRITE));
	assert_log(&h, "");
	assert_true(ms_tdp_wrprotect_word(tdp, ipa, UINT64_MAX, MS_TDP_PROTECT_WRITE));
	assert_log(&h, "change 801ff000+1000/1 rwx hmad -> r-x hmad\n"
		       "change 80201000+1000/1 rwx hmad -> r-x hmad\n");
	test_tdp_end(&h, tdp);
}

static void a_word_leaves_huge_leaves_alone(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_2M, PA, RWX), 0);
	forget_log(&h);
	assert_false(ms_tdp_wrprotect_word(tdp, IPA, UINT64_MAX, MS_TDP_PROTECT_FOR_GOOD));
	assert_false(ms_tdp_wrprotect_word(tdp, IPA, 1, MS_TDP_PROTECT_FOR_GOOD));
	assert_log(&h, "");
	test_tdp_end(&h, tdp);
}

static void a_word_begins_with_the_page_that_it_names(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	map_pages(tdp, IPA, 2, RWX);
	assert_true(ms_tdp_wrprotect_word(tdp, IPA + MS_4K - 1, 1, MS_TDP_PROTECT_WRITE));
	assert_leaf(tdp, IPA, IPA, MS_4K, PA, RWX & ~W);
	assert_leaf(tdp, IPA + MS_4K, IPA + MS_4K, MS_4K, PA + MS_4K, RWX);
	test_tdp_end(&h, tdp);
}

/* A mark of NPT has the bit of write permission. */
static void marks_are_not_protected(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());
	uint64_t mark;

	assert_int_equal(ms_tdp_mark_mmio(tdp, IPA, 0x7f), 0);
	mark = entry_at(tdp, IPA);
	map_pages(tdp, IPA + MS_4K, 1, RWX);
	forget_log(&h);
	assert_true(ms_tdp_wrprotect(tdp, IPA, MS_2M, MS_TDP_4K, MS_TDP_PROTECT_FOR_GOOD));
	assert_false(ms_tdp_wrprotect(tdp, IPA, MS_4K, MS_TDP_4K, MS_TDP_PROTECT_FOR_GOOD));
	assert_true(ms_tdp_clear_young(tdp, IPA, MS_2M));
	assert_log(&h, "change 80001000+1000/1 rwx hmad -> r-x h-ad\n"
		       "change 80001000+1000/1 r-x h-ad -> r-x h--d\n");
	assert_int_equal(entry_at(tdp, IPA), mark);
	test_tdp_end(&h, tdp);
}

/* ---- ageing ---- */

static void ageing_clears_the_accessed_bit_of_every_leaf_in_the_range(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_2M, PA, RX), 0);
	map_pages(tdp, IPA + MS_2M, 3, RWX);
	forget_log(&h);
	assert_true(ms_tdp_test_young(tdp, IPA + 7 * MS_4K));
	assert_true(ms_tdp_clear_young(tdp, IPA + MS_2M - 1, 2 * MS_4K));
	assert_log(&h, "change 80000000+200000/2 r-x --a- -> r-x ----\n"
		       "change 80200000+2000/1 rwx hmad -> rwx hm-d\n");
	assert_false(ms_tdp_test_young(tdp, IPA + 7 * MS_4K));
	assert_true(ms_tdp_test_young(tdp, IPA + MS_2M + 2 * MS_4K));
	assert_false(ms_tdp_test_young(tdp, IPA + MS_2M + 3 * MS_4K));
	assert_false(ms_tdp_clear_young(tdp, IPA, MS_4K));
	assert_log(&h, "");
	test_tdp_end(&h, tdp);
}

static void ageing_without_accessed_bits_puts_the_rights_by(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config_ept(false));
	struct ms_tdp_leaf leaf;

	map_pages(tdp, IPA, 3, RWX);
	assert_int_equal(ms_tdp_set(tdp, IPA + MS_4K, R | A), 0);
	forget_log(&h);
	assert_true(ms_tdp_clear_young(tdp, IPA, 2 * MS_4K));
	assert_log(&h, "change 80000000+1000/1 rwx hmad -> --- hm--\n"
		       "change 80001000+1000/1 r-- --a- -> --- ----\n");
	assert_true(ms_tdp_get_leaf(tdp, IPA, &leaf));
	assert_int_equal(leaf.saved, R | X);
	assert_true(ms_tdp_get_leaf(tdp, IPA + MS_4K, &leaf));
	assert_int_equal(leaf.saved, R);
	assert_false(ms_tdp_clear_young(tdp, IPA, 2 * MS_4K));
	assert_false(ms_tdp_test_young(tdp, IPA));
	assert_true(ms_tdp_test_young(tdp, IPA + 2 * MS_4K));
	test_tdp_end(&h, tdp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(write_protection_takes_w_alone_and_only_where_it_is),
		cmocka_unit_test(protection_for_good_takes_the_mark_as_well),
		cmocka_unit_test(protection_may_be_for_huge_leaves_only),
		cmocka_unit_test(
			dirty_bits_are_taken_where_the_cpu_sets_them_else_write_permission),
		cmocka_unit_test(a_word_protects_the_pages_whose_bits_are_set),
		cmocka_unit_test(a_word_leaves_huge_leaves_alone),
		cmocka_unit_test(a_word_begins_with_the_page_that_it_names),
		cmocka_unit_test(marks_are_not_protected),
		cmocka_unit_test(ageing_clears_the_accessed_bit_of_every_leaf_in_the_range),
		cmocka_unit_test(ageing_without_accessed_bits_puts_the_rights_by),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
