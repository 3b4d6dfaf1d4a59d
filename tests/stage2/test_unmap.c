/* SPDX-License-Identifier: GPL-2.0-only */
#include "host.h"

#define IPA UINT64_C(0x80000000)
#define PA UINT64_C(0x4000000000)

static struct ms_s2_config each_leaf_config(void)
{
	struct ms_s2_config config = test_config();

	config.unmap_defer = false;
	return config;
}

static void unmap_of_one_page_of_two_keeps_the_other_and_the_table(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, each_leaf_config());

	assert_int_equal(test_map(s2, IPA, 2 * MS_4K, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_unmap(s2, IPA, MS_4K), 0);
	assert_log(&h, "desc 80000000/3 leaf -> 0\n"
		       "tlbi ipa 80000000/3\n");
	assert_nothing(s2, IPA);
	assert_leaf(s2, IPA + MS_4K, IPA + MS_4K, MS_4K, PA + MS_4K, MS_PROT_R);
	assert_int_equal(ms_s2_table_pages(s2), 2);
	test_s2_end(&h, s2);
}

static void unmap_of_the_last_page_frees_the_tables_above_it(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, each_leaf_config());

	assert_int_equal(test_map(s2, IPA + MS_4K, MS_4K, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_unmap(s2, IPA + MS_4K, MS_4K), 0);
	assert_log(&h, "desc 80001000/3 leaf -> 0\n"
		       "tlbi ipa 80001000/3\n"
		       "desc 80000000/2 table -> 0\n"
		       "tlbi ipa 80001000/0\n"
		       "desc 80000000/1 table -> 0\n"
		       "tlbi ipa 80001000/0\n");
	assert_int_equal(ms_s2_table_pages(s2), 0);
	test_s2_end(&h, s2);
}

/*
 *   |---- table ----|---- table ----|     unmap from the middle of the first on: the TLBI of
 *        [==========================)     each table names where the walk entered it
 */
static void unmap_invalidates_a_table_at_the_address_where_the_walk_entered_it(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, each_leaf_config());
	ms_ipa_t start = IPA + MS_2M - 2 * MS_4K;

	assert_int_equal(test_map(s2, IPA + MS_2M - MS_4K, 2 * MS_4K, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_unmap(s2, start, MS_2M), 0);
	assert_log(&h, "desc 801ff000/3 leaf -> 0\n"
		       "tlbi ipa 801ff000/3\n"
		       "desc 80000000/2 table -> 0\n"
		       "tlbi ipa 801fe000/0\n"
		       "desc 80200000/3 leaf -> 0\n"
		       "tlbi ipa 80200000/3\n"
		       "desc 80200000/2 table -> 0\n"
		       "tlbi ipa 80200000/0\n"
		       "desc 80000000/1 table -> 0\n"
		       "tlbi ipa 801fe000/0\n");
	test_s2_end(&h, s2);
}

/*
 *   |--------- block 2M ---------|
 *            [page)                       all of it goes
 */
static void unmap_of_a_part_of_a_block_removes_the_whole_block(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, each_leaf_config());

	assert_int_equal(test_map(s2, IPA, MS_1G, PA, MS_PROT_R), 0);
	assert_int_equal(test_map(s2, IPA + MS_1G, MS_2M, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_unmap(s2, IPA + 5 * MS_4K, MS_4K), 0);
	assert_log(&h, "desc 80000000/1 leaf -> 0\n"
		       "tlbi ipa 80005000/1\n");
	assert_int_equal(ms_s2_unmap(s2, IPA + MS_1G + 5 * MS_4K, MS_4K), 0);
	assert_log(&h, "desc c0000000/2 leaf -> 0\n"
		       "tlbi ipa c0005000/2\n"
		       "desc c0000000/1 table -> 0\n"
		       "tlbi ipa c0005000/0\n");
	assert_nothing(s2, IPA);
	assert_nothing(s2, IPA + MS_1G);
	test_s2_end(&h, s2);
}

/* The walk's address is in the middle of the first block, and where the second begins. */
static void unmap_over_two_blocks_removes_both(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, each_leaf_config());

	assert_int_equal(test_map(s2, IPA, 3 * MS_2M, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_unmap(s2, IPA + MS_4K, MS_2M), 0);
	assert_log(&h, "desc 80000000/2 leaf -> 0\n"
		       "tlbi ipa 80001000/2\n"
		       "desc 80200000/2 leaf -> 0\n"
		       "tlbi ipa 80200000/2\n");
	assert_nothing(s2, IPA);
	assert_nothing(s2, IPA + MS_2M);
	assert_leaf(s2, IPA + 2 * MS_2M, IPA + 2 * MS_2M, MS_2M, PA + 2 * MS_2M, MS_PROT_R);
	test_s2_end(&h, s2);
}

static void unmap_defers_the_tlbi_of_leaves_but_not_of_tables(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, 2 * MS_4K, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_unmap(s2, IPA, 2 * MS_4K), 0);
	assert_log(&h, "desc 80000000/3 leaf -> 0\n"
		       "desc 80001000/3 leaf -> 0\n"
		       "desc 80000000/2 table -> 0\n"
		       "tlbi ipa 80000000/0\n"
		       "desc 80000000/1 table -> 0\n"
		       "tlbi ipa 80000000/0\n"
		       "tlbi range 80000000+2000\n");
	test_s2_end(&h, s2);
}

static void unmap_of_nothing_still_ends_with_its_deferred_tlbi(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(ms_s2_unmap(s2, IPA, MS_2M), 0);
	assert_log(&h, "tlbi range 80000000+200000\n");
	test_s2_end(&h, s2);
}

static void unmap_defers_only_with_fwb_and_range_tlbi(void **state)
{
	struct test_host h;
	struct ms_s2_config config = test_config();
	struct ms_s2 *s2;

	config.tlbi_range = false;
	s2 = test_s2(&h, config);
	assert_int_equal(test_map(s2, IPA, MS_1G, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_unmap(s2, IPA, MS_1G), 0);
	assert_log(&h, "desc 80000000/1 leaf -> 0\n"
		       "tlbi ipa 80000000/1\n");
	test_s2_end(&h, s2);
	config.tlbi_range = true;
	config.fwb = false;
	s2 = test_s2(&h, config);
	assert_int_equal(test_map(s2, IPA, MS_1G, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_unmap(s2, IPA, MS_1G), 0);
	assert_log(&h, "desc 80000000/1 leaf -> 0\n"
		       "tlbi ipa 80000000/1\n"
		       "dcache 4000000000+40000000\n");
	test_s2_end(&h, s2);
}

static void range_tlbi_goes_in_pieces_of_what_the_instruction_reaches(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(ms_s2_unmap(s2, 0, UINT64_C(17) << 30), 0);
	assert_log(&h, "tlbi range 0+200000000\n"
		       "tlbi range 200000000+200000000\n"
		       "tlbi range 400000000+40000000\n");
	test_s2_end(&h, s2);
}

static void unmap_without_fwb_cleans_the_dcache_of_cacheable_leaves(void **state)
{
	struct test_host h;
	struct ms_s2_config config = each_leaf_config();
	struct ms_s2 *s2;

	config.fwb = false;
	s2 = test_s2(&h, config);
	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R), 0);
	assert_int_equal(test_map(s2, IPA + MS_4K, MS_4K, PA, MS_PROT_R | MS_PROT_DEVICE), 0);
	assert_int_equal(test_map(s2, IPA + 2 * MS_4K, MS_4K, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_unmap(s2, IPA, 2 * MS_4K), 0);
	assert_log(&h, "desc 80000000/3 leaf -> 0\n"
		       "tlbi ipa 80000000/3\n"
		       "dcache 4000000000+1000\n"
		       "desc 80001000/3 leaf -> 0\n"
		       "tlbi ipa 80001000/3\n");
	test_s2_end(&h, s2);
}

/* A map that found memory for one of two tables leaves an empty one behind. */
static void unmap_frees_an_empty_table_on_its_path(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	struct ms_s2_cache cache = { .count = 0 };

	h.fail_from = h.allocs + 2;
	assert_int_equal(ms_s2_map(s2, IPA, MS_4K, PA, MS_PROT_R, &cache), -ENOMEM);
	assert_int_equal(ms_s2_table_pages(s2), 1);
	assert_null(ms_s2_check(s2));
	forget_log(&h);
	assert_int_equal(ms_s2_unmap(s2, IPA, MS_4K), 0);
	assert_log(&h, "desc 80000000/1 table -> 0\n"
		       "tlbi ipa 80000000/0\n"
		       "tlbi range 80000000+1000\n");
	assert_int_equal(ms_s2_table_pages(s2), 0);
	test_s2_end(&h, s2);
}

static void unmap_beyond_the_ipa_space_is_refused(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(ms_s2_unmap(s2, UINT64_C(1) << 40, MS_4K), -ERANGE);
	assert_int_equal(ms_s2_unmap(s2, 0, (UINT64_C(1) << 40) + 1), -ERANGE);
	assert_log(&h, "");
	test_s2_end(&h, s2);
}

static void unmap_of_everything_leaves_the_root_alone(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, 0, MS_1G, PA + MS_4K, MS_PROT_R), 0);
	assert_int_equal(test_map(s2, UINT64_C(1) << 39, MS_2M, PA, MS_PROT_R), 0);
	assert_int_equal(ms_s2_table_pages(s2), 514);
	assert_int_equal(ms_s2_unmap(s2, 0, UINT64_C(1) << 40), 0);
	assert_int_equal(ms_s2_table_pages(s2), 0);
	test_s2_end(&h, s2);
}

/* Tables that went without being cleared must not show when they are used again. */
static void tables_are_empty_when_they_are_used_again(void **state)
{
	struct ms_s2_host host;
	struct test_host h = { .allocs = 0 };
	struct ms_s2_config config = test_config();
	struct ms_s2 *s2;

	host = test_hooks(&h);
	host.desc = NULL;
	host.cmo = NULL;
	s2 = ms_s2_new(&config, &host);
	assert_non_null(s2);
	assert_int_equal(test_map(s2, IPA, 3 * MS_2M, PA + MS_4K, MS_PROT_R), 0);
	assert_int_equal(ms_s2_unmap(s2, IPA, 3 * MS_2M), 0);
	assert_null(ms_s2_check(s2));
	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R), 0);
	assert_leaf(s2, IPA, IPA, MS_4K, PA, MS_PROT_R);
	assert_nothing(s2, IPA + MS_4K);
	assert_nothing(s2, IPA + MS_2M);
	test_s2_end(&h, s2);
}

/* Neither the first nor the last page of a table is told to anybody: what is left must be right. */
static void pages_go_one_by_one_where_nobody_listens(void **state)
{
	struct test_host h = { .allocs = 0 };
	struct ms_s2_host host = { .ctx = &h, .alloc = host_alloc, .free = host_free };
	struct ms_s2_config config = test_config();
	struct ms_s2 *s2;

	s2 = ms_s2_new(&config, &host);
	assert_non_null(s2);
	for (uint64_t off = 0; off < 4 * MS_4K; off += MS_4K)
		assert_int_equal(test_map(s2, IPA + off, MS_4K, PA + off, MS_PROT_R), 0);
	for (uint64_t off = 0; off < 4 * MS_4K; off += MS_4K) {
		assert_int_equal(ms_s2_unmap(s2, IPA + off, MS_4K), 0);
		assert_int_equal(ms_s2_unmap(s2, IPA + off, MS_4K), 0);
		assert_nothing(s2, IPA + off);
		assert_null(ms_s2_check(s2));
		assert_int_equal(ms_s2_table_pages(s2), off < 3 * MS_4K ? 2 : 0);
	}
	test_s2_end(&h, s2);
}

/* Whoever hears of TLBIs alone hears of each leaf's. */
static void pages_that_go_one_by_one_have_a_tlbi_each(void **state)
{
	struct test_host h = { .allocs = 0 };
	struct ms_s2_host host = test_hooks(&h);
	struct ms_s2_config config = each_leaf_config();
	struct ms_s2 *s2;

	host.desc = NULL;
	host.cmo = NULL;
	s2 = ms_s2_new(&config, &host);
	assert_non_null(s2);
	for (uint64_t off = 0; off < 4 * MS_4K; off += MS_4K)
		assert_int_equal(test_map(s2, IPA + off, MS_4K, PA + off, MS_PROT_R), 0);
	assert_int_equal(ms_s2_unmap(s2, IPA, MS_4K), 0);
	assert_int_equal(ms_s2_unmap(s2, IPA + MS_4K, 2 * MS_4K), 0);
	assert_log(&h, "tlbi ipa 80000000/3\n"
		       "tlbi ipa 80001000/3\n"
		       "tlbi ipa 80002000/3\n");
	test_s2_end(&h, s2);
}

/* Without FWB whoever hears of cache maintenance alone hears of each leaf's. */
static void pages_that_go_one_by_one_are_cleaned_each(void **state)
{
	struct test_host h = { .allocs = 0 };
	struct ms_s2_host host = test_hooks(&h);
	struct ms_s2_config config = each_leaf_config();
	struct ms_s2 *s2;

	config.fwb = false;
	host.desc = NULL;
	host.tlbi = NULL;
	s2 = ms_s2_new(&config, &host);
	assert_non_null(s2);
	for (uint64_t off = 0; off < 4 * MS_4K; off += MS_4K)
		assert_int_equal(test_map(s2, IPA + off, MS_4K, PA + off, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_unmap(s2, IPA, MS_4K), 0);
	assert_int_equal(ms_s2_unmap(s2, IPA + MS_4K, 2 * MS_4K), 0);
	assert_log(&h, "dcache 4000000000+1000\n"
		       "dcache 4000001000+1000\n"
		       "dcache 4000002000+1000\n");
	test_s2_end(&h, s2);
}

static void a_page_that_goes_from_a_known_table_ends_with_its_range_tlbi(void **state)
{
	struct test_host h = { .allocs = 0 };
	struct ms_s2_host host = test_hooks(&h);
	struct ms_s2_config config = test_config();
	struct ms_s2 *s2;

	host.desc = NULL;
	s2 = ms_s2_new(&config, &host);
	assert_non_null(s2);
	for (uint64_t off = 0; off < 3 * MS_4K; off += MS_4K)
		assert_int_equal(test_map(s2, IPA + off, MS_4K, PA + off, MS_PROT_R), 0);
	for (uint64_t off = 0; off < 3 * MS_4K; off += MS_4K)
		assert_int_equal(ms_s2_unmap(s2, IPA + off, MS_4K), 0);
	assert_log(&h, "tlbi range 80000000+1000\n"
		       "tlbi range 80001000+1000\n"
		       "tlbi ipa 80002000/0\n"
		       "tlbi ipa 80002000/0\n"
		       "tlbi range 80002000+1000\n");
	test_s2_end(&h, s2);
}

/* Two blocks are touched: no single one may be taken for all of the range. */
static void unmap_over_two_blocks_of_a_known_table_removes_both(void **state)
{
	struct test_host h = { .allocs = 0 };
	struct ms_s2_host host = { .ctx = &h, .alloc = host_alloc, .free = host_free };
	struct ms_s2_config config = test_config();
	struct ms_s2 *s2;

	s2 = ms_s2_new(&config, &host);
	assert_non_null(s2);
	for (uint64_t off = 0; off < 4 * MS_2M; off += MS_2M)
		assert_int_equal(test_map(s2, IPA + off, MS_2M, PA + off, MS_PROT_R), 0);
	assert_int_equal(ms_s2_unmap(s2, IPA + MS_4K, MS_2M), 0);
	assert_nothing(s2, IPA);
	assert_nothing(s2, IPA + MS_2M);
	assert_leaf(s2, IPA + 2 * MS_2M, IPA + 2 * MS_2M, MS_2M, PA + 2 * MS_2M, MS_PROT_R);
	test_s2_end(&h, s2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unmap_of_one_page_of_two_keeps_the_other_and_the_table),
		cmocka_unit_test(unmap_of_the_last_page_frees_the_tables_above_it),
		cmocka_unit_test(
			unmap_invalidates_a_table_at_the_address_where_the_walk_entered_it),
		cmocka_unit_test(unmap_of_a_part_of_a_block_removes_the_whole_block),
		cmocka_unit_test(unmap_over_two_blocks_removes_both),
		cmocka_unit_test(unmap_defers_the_tlbi_of_leaves_but_not_of_tables),
		cmocka_unit_test(unmap_of_nothing_still_ends_with_its_deferred_tlbi),
		cmocka_unit_test(unmap_defers_only_with_fwb_and_range_tlbi),
		cmocka_unit_test(range_tlbi_goes_in_pieces_of_what_the_instruction_reaches),
		cmocka_unit_test(unmap_without_fwb_cleans_the_dcache_of_cacheable_leaves),
		cmocka_unit_test(unmap_frees_an_empty_table_on_its_path),
		cmocka_unit_test(unmap_beyond_the_ipa_space_is_refused),
		cmocka_unit_test(unmap_of_everything_leaves_the_root_alone),
		cmocka_unit_test(tables_are_empty_when_they_are_used_again),
		cmocka_unit_test(pages_go_one_by_one_where_nobody_listens),
		cmocka_unit_test(pages_that_go_one_by_one_have_a_tlbi_each),
		cmocka_unit_test(pages_that_go_one_by_one_are_cleaned_each),
		cmocka_unit_test(a_page_that_goes_from_a_known_table_ends_with_its_range_tlbi),
		cmocka_unit_test(unmap_over_two_blocks_of_a_known_table_removes_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
