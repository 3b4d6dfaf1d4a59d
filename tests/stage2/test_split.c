/* SPDX-License-Identifier: GPL-2.0-only */
#include "host.h"

#define IPA UINT64_C(0x80000000)
#define PA UINT64_C(0x4000000000)

static void split_of_a_2m_block_maps_the_same_with_pages(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	struct ms_s2_cache cache = { .count = 0 };

	assert_int_equal(test_map(s2, IPA, 2 * MS_2M, PA, MS_PROT_R | MS_PROT_X), 0);
	assert_int_equal(ms_s2_cache_fill(s2, &cache, 1, 1), 0);
	assert_int_equal(ms_s2_split(s2, IPA, MS_4K, &cache), 0);
	assert_int_equal(cache.count, 0);
	for (uint64_t off = 0; off < MS_2M; off += MS_4K)
		assert_leaf(s2, IPA + off, IPA + off, MS_4K, PA + off, MS_PROT_R | MS_PROT_X);
	assert_leaf(s2, IPA + MS_2M, IPA + MS_2M, MS_2M, PA + MS_2M, MS_PROT_R | MS_PROT_X);
	assert_int_equal(ms_s2_table_pages(s2), 2);
	test_s2_end(&h, s2);
}

/* The new table is whole before the block is broken, and there is no cache maintenance. */
static void split_breaks_the_block_and_links_the_table(void **state)
{
	struct test_host h;
	struct ms_s2_config config = test_config();
	struct ms_s2_cache cache = { .count = 0 };
	const char *tail;
	struct ms_s2 *s2;

	config.fwb = false;
	s2 = test_s2(&h, config);
	assert_int_equal(test_map(s2, IPA, MS_2M, PA, MS_PROT_R | MS_PROT_X), 0);
	assert_int_equal(ms_s2_cache_fill(s2, &cache, 1, 1), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_split(s2, IPA + MS_4K, MS_4K, &cache), 0);
	assert_null(strstr(h.log, "cache"));
	tail = strstr(h.log, "desc 801ff000/3");
	assert_non_null(tail);
	assert_string_equal(tail, "desc 801ff000/3 0 -> leaf\n"
				  "desc 80000000/2 leaf -> 0\n"
				  "tlbi ipa 80001000/2\n"
				  "desc 80000000/2 0 -> table\n");
	test_s2_end(&h, s2);
}

static void split_with_tables_for_all_makes_pages_of_a_1g_block_at_once(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	struct ms_s2_cache cache = { .count = 0 };

	assert_int_equal(ms_s2_split_tables(s2, MS_1G), 513);
	assert_int_equal(test_map(s2, IPA, MS_1G, PA, MS_PROT_R), 0);
	assert_int_equal(ms_s2_cache_fill(s2, &cache, 513, 513), 0);
	assert_int_equal(cache.count, 513);
	assert_int_equal(ms_s2_split(s2, IPA, MS_2M, &cache), 0);
	assert_int_equal(cache.count, 0);
	assert_leaf(s2, IPA + MS_1G - 1, IPA + MS_1G - MS_4K, MS_4K, PA + MS_1G - MS_4K, MS_PROT_R);
	assert_int_equal(ms_s2_table_pages(s2), 513);
	test_s2_end(&h, s2);
}

/*
 *   |-------------------- 1G ---------------------|     with 2 tables and a range of 2M:
 *   |-pages-|-2M-|-2M-|  ...                 |-2M-|
 */
static void split_with_few_tables_makes_blocks_of_the_next_level_first(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	struct ms_s2_cache cache = { .count = 0 };

	assert_int_equal(test_map(s2, IPA, MS_1G, PA, MS_PROT_RW), 0);
	assert_int_equal(ms_s2_cache_fill(s2, &cache, 2, 2), 0);
	assert_int_equal(ms_s2_split(s2, IPA, MS_2M, &cache), 0);
	assert_leaf(s2, IPA + 1, IPA, MS_4K, PA, MS_PROT_RW);
	assert_leaf(s2, IPA + MS_2M, IPA + MS_2M, MS_2M, PA + MS_2M, MS_PROT_RW);
	assert_leaf(s2, IPA + MS_1G - 1, IPA + MS_1G - MS_2M, MS_2M, PA + MS_1G - MS_2M,
		    MS_PROT_RW);
	test_s2_end(&h, s2);
}

static void split_stops_with_enomem_when_the_cache_is_empty(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	struct ms_s2_cache cache = { .count = 0 };

	assert_int_equal(test_map(s2, IPA, 2 * MS_2M, PA, MS_PROT_RW), 0);
	assert_int_equal(ms_s2_split(s2, IPA, MS_2M, &cache), -ENOMEM);
	assert_leaf(s2, IPA, IPA, MS_2M, PA, MS_PROT_RW);
	assert_int_equal(ms_s2_cache_fill(s2, &cache, 1, 1), 0);
	assert_int_equal(ms_s2_split(s2, IPA, 2 * MS_2M, &cache), -ENOMEM);
	assert_leaf(s2, IPA, IPA, MS_4K, PA, MS_PROT_RW);
	assert_leaf(s2, IPA + MS_2M, IPA + MS_2M, MS_2M, PA + MS_2M, MS_PROT_RW);
	test_s2_end(&h, s2);
}

static void split_of_pages_and_of_nothing_needs_no_table(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	struct ms_s2_cache cache = { .count = 0 };

	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_RW), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_split(s2, 0, UINT64_C(1) << 40, &cache), 0);
	assert_log(&h, "");
	assert_int_equal(ms_s2_split(s2, UINT64_C(1) << 40, MS_4K, &cache), -ERANGE);
	assert_int_equal(ms_s2_split(s2, IPA, MS_4K, NULL), -EINVAL);
	test_s2_end(&h, s2);
}

static void split_forgets_the_memory_type(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	struct ms_s2_cache cache = { .count = 0 };

	assert_int_equal(test_map(s2, IPA, MS_2M, PA, MS_PROT_RW | MS_PROT_DEVICE), 0);
	assert_int_equal(ms_s2_cache_fill(s2, &cache, 1, 1), 0);
	assert_int_equal(ms_s2_split(s2, IPA, MS_2M, &cache), 0);
	assert_leaf(s2, IPA, IPA, MS_4K, PA, MS_PROT_RW);
	test_s2_end(&h, s2);
}

static void split_keeps_the_execute_permission_of_each_exception_level(void **state)
{
	struct test_host h;
	struct ms_s2_config config = test_config();
	struct ms_s2_cache cache = { .count = 0 };
	struct ms_s2 *s2;

	config.xn_two_bits = true;
	s2 = test_s2(&h, config);
	assert_int_equal(test_map(s2, IPA, MS_2M, PA, MS_PROT_R | MS_PROT_UX), 0);
	assert_int_equal(ms_s2_cache_fill(s2, &cache, 1, 1), 0);
	assert_int_equal(ms_s2_split(s2, IPA, MS_2M, &cache), 0);
	assert_leaf(s2, IPA, IPA, MS_4K, PA, MS_PROT_R | MS_PROT_UX);
	test_s2_end(&h, s2);
}

static void split_makes_every_page_young(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	struct ms_s2_cache cache = { .count = 0 };
	struct ms_s2_leaf leaf;

	assert_int_equal(test_map(s2, IPA, MS_2M, PA, MS_PROT_RW), 0);
	assert_true(ms_s2_test_clear_young(s2, IPA, MS_2M, true));
	assert_int_equal(ms_s2_cache_fill(s2, &cache, 1, 1), 0);
	assert_int_equal(ms_s2_split(s2, IPA, MS_2M, &cache), 0);
	assert_true(ms_s2_get_leaf(s2, IPA + 9 * MS_4K, &leaf));
	assert_true(leaf.young);
	test_s2_end(&h, s2);
}

static void tables_that_a_split_may_need_are_counted_by_level(void **state)
{
	struct test_host h;
	struct ms_s2_config config = test_config();
	struct ms_s2 *s2 = test_s2(&h, config);

	assert_int_equal(ms_s2_split_tables(s2, MS_4K), 2);
	assert_int_equal(ms_s2_split_tables(s2, MS_2M), 2);
	assert_int_equal(ms_s2_split_tables(s2, MS_2M + 1), 3);
	test_s2_end(&h, s2);
	config.page_shift = 16;
	s2 = test_s2(&h, config);
	assert_int_equal(ms_s2_split_tables(s2, UINT64_C(512) << 20), 1);
	test_s2_end(&h, s2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_of_a_2m_block_maps_the_same_with_pages),
		cmocka_unit_test(split_breaks_the_block_and_links_the_table),
		cmocka_unit_test(split_with_tables_for_all_makes_pages_of_a_1g_block_at_once),
		cmocka_unit_test(split_with_few_tables_makes_blocks_of_the_next_level_first),
		cmocka_unit_test(split_stops_with_enomem_when_the_cache_is_empty),
		cmocka_unit_test(split_of_pages_and_of_nothing_needs_no_table),
		cmocka_unit_test(split_forgets_the_memory_type),
		cmocka_unit_test(split_keeps_the_execute_permission_of_each_exception_level),
		cmocka_unit_test(split_makes_every_page_young),
		cmocka_unit_test(tables_that_a_split_may_need_are_counted_by_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
