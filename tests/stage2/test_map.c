/* SPDX-License-Identifier: GPL-2.0-only */
#include "host.h"

#define IPA UINT64_C(0x80000000)
#define PA UINT64_C(0x4000000000)

/*
 * ipa |--page--|                  pa |--page--|
 */
static void map_of_one_page_writes_one_leaf_and_the_tables_above(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_RW), 0);
	assert_log(&h, "desc 80000000/1 0 -> table\n"
		       "desc 80000000/2 0 -> table\n"
		       "desc 80000000/3 0 -> leaf\n");
	assert_leaf(s2, IPA, IPA, MS_4K, PA, MS_PROT_RW);
	assert_nothing(s2, IPA + MS_4K);
	assert_int_equal(ms_s2_table_pages(s2), 2);
	test_s2_end(&h, s2);
}

static void map_rounds_ipa_and_pa_down_and_size_up_to_pages(void **state)
{
	struct test_host h;
	struct ms_s2_config config = test_config();
	struct ms_s2 *s2;

	config.page_shift = 14;
	s2 = test_s2(&h, config);
	assert_int_equal(test_map(s2, IPA + 0x1000, 0x4000, PA + 0x2345, MS_PROT_R), 0);
	assert_leaf(s2, IPA, IPA, 0x4000, PA, MS_PROT_R);
	assert_nothing(s2, IPA + 0x4000);
	assert_int_equal(test_map(s2, IPA + 0x8000, 1, PA, MS_PROT_R), 0);
	assert_leaf(s2, IPA + 0x8000, IPA + 0x8000, 0x4000, PA, MS_PROT_R);
	test_s2_end(&h, s2);
}

static void map_of_nothing_does_nothing(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, 0, PA, MS_PROT_R), 0);
	assert_int_equal(test_map(s2, UINT64_C(1) << 40, 0, PA, MS_PROT_R), 0);
	assert_log(&h, "");
	test_s2_end(&h, s2);
}

static void map_lays_down_the_largest_block_that_ipa_pa_and_size_allow(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, MS_1G, PA, MS_PROT_R), 0);
	assert_leaf(s2, IPA + 5 * MS_4K, IPA, MS_1G, PA, MS_PROT_R);
	assert_int_equal(ms_s2_table_pages(s2), 0);
	assert_int_equal(test_map(s2, IPA + MS_1G, MS_2M, PA, MS_PROT_R), 0);
	assert_leaf(s2, IPA + MS_1G, IPA + MS_1G, MS_2M, PA, MS_PROT_R);
	test_s2_end(&h, s2);
}

/*
 * A request of 1G whose PA is aligned to 2M only becomes 512 blocks of 2M, and one whose PA is
 * aligned to a page only becomes 512 * 512 pages: 512 + 1 tables.
 */
static void map_of_a_large_request_with_a_pa_aligned_less_uses_smaller_leaves(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, MS_1G, PA + MS_2M, MS_PROT_R), 0);
	assert_leaf(s2, IPA + MS_1G - 1, IPA + MS_1G - MS_2M, MS_2M, PA + MS_1G, MS_PROT_R);
	assert_int_equal(ms_s2_table_pages(s2), 1);
	assert_int_equal(test_map(s2, IPA + MS_1G, MS_1G, PA + MS_4K, MS_PROT_R), 0);
	assert_leaf(s2, IPA + MS_1G * 2 - 1, IPA + MS_1G * 2 - MS_4K, MS_4K, PA + MS_1G, MS_PROT_R);
	assert_int_equal(ms_s2_table_pages(s2), 1 + 513);
	test_s2_end(&h, s2);
}

/*
 *        2M            2M            2M
 *   |------####|#############|###----------|     pages, one block, pages
 */
static void map_of_a_range_off_block_borders_uses_pages_at_both_ends(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	ms_ipa_t start = IPA + MS_2M - 2 * MS_4K;

	assert_int_equal(test_map(s2, start, MS_2M + 5 * MS_4K, PA - 2 * MS_4K, MS_PROT_R), 0);
	assert_nothing(s2, start - 1);
	assert_leaf(s2, start, start, MS_4K, PA - 2 * MS_4K, MS_PROT_R);
	assert_leaf(s2, IPA + MS_2M, IPA + MS_2M, MS_2M, PA, MS_PROT_R);
	assert_leaf(s2, IPA + 2 * MS_2M + 2 * MS_4K, IPA + 2 * MS_2M + 2 * MS_4K, MS_4K,
		    PA + MS_2M + 2 * MS_4K, MS_PROT_R);
	assert_nothing(s2, IPA + 2 * MS_2M + 3 * MS_4K);
	test_s2_end(&h, s2);
}

static void map_of_a_range_over_concatenated_root_tables_goes_on_in_the_next(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	ms_ipa_t border = UINT64_C(1) << 39;

	assert_int_equal(ms_s2_root_pages(s2), 2);
	assert_int_equal(test_map(s2, border - MS_4K, 2 * MS_4K, PA, MS_PROT_R), 0);
	assert_leaf(s2, border - 1, border - MS_4K, MS_4K, PA, MS_PROT_R);
	assert_leaf(s2, border, border, MS_4K, PA + MS_4K, MS_PROT_R);
	test_s2_end(&h, s2);
}

static void map_beyond_the_ipa_space_is_refused_and_changes_nothing(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	ms_ipa_t limit = UINT64_C(1) << 40;

	assert_int_equal(test_map(s2, limit, MS_4K, PA, MS_PROT_R), -ERANGE);
	assert_int_equal(test_map(s2, limit - MS_4K, 2 * MS_4K, PA, MS_PROT_R), -ERANGE);
	assert_int_equal(test_map(s2, UINT64_MAX, MS_4K, PA, MS_PROT_R), -ERANGE);
	assert_int_equal(test_map(s2, MS_4K, UINT64_MAX, PA, MS_PROT_R), -ERANGE);
	assert_log(&h, "");
	test_s2_end(&h, s2);
}

static void map_of_an_address_that_a_descriptor_cannot_hold_is_refused(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, 2 * MS_4K, (UINT64_C(1) << 48) - MS_4K, MS_PROT_R),
			 -EINVAL);
	assert_int_equal(test_map(s2, IPA, MS_4K, UINT64_MAX, MS_PROT_R), -EINVAL);
	assert_int_equal(test_map(s2, IPA, MS_4K, (UINT64_C(1) << 48) - MS_4K, MS_PROT_R), 0);
	assert_int_equal(test_map(s2, IPA, 0, UINT64_C(1) << 48, MS_PROT_R), 0);
	assert_int_equal(test_map(s2, IPA, 0, (UINT64_C(1) << 48) + MS_4K, MS_PROT_R), -EINVAL);
	test_s2_end(&h, s2);
}

static void map_without_a_cache_fails_where_a_table_is_needed(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(ms_s2_map(s2, IPA, MS_4K, PA, MS_PROT_R, NULL), -ENOMEM);
	assert_int_equal(ms_s2_map(s2, IPA, MS_1G, PA, MS_PROT_R, NULL), 0);
	assert_int_equal(ms_s2_map(s2, IPA, MS_4K, PA, MS_PROT_R, NULL), -ENOMEM);
	assert_leaf(s2, IPA, IPA, MS_1G, PA, MS_PROT_R);
	test_s2_end(&h, s2);
}

static void map_takes_tables_from_the_cache_first(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	struct ms_s2_cache cache = { .count = 0 };
	unsigned long allocs;

	assert_int_equal(ms_s2_cache_topup(s2, &cache, ms_s2_cache_min(s2)), 0);
	allocs = h.allocs;
	assert_int_equal(ms_s2_map(s2, IPA, MS_4K, PA, MS_PROT_R, &cache), 0);
	assert_int_equal(cache.count, MS_S2_CACHE_CAPACITY - 2);
	assert_int_equal(h.allocs, allocs);
	ms_s2_cache_free(s2, &cache);
	test_s2_end(&h, s2);
}

static void map_of_an_executable_page_invalidates_the_icache_before_the_leaf_is_there(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R | MS_PROT_X), 0);
	assert_log(&h, "desc 80000000/1 0 -> table\n"
		       "desc 80000000/2 0 -> table\n"
		       "icache 4000000000+1000\n"
		       "desc 80000000/3 0 -> leaf\n");
	test_s2_end(&h, s2);
}

static void map_without_fwb_cleans_the_dcache_of_cacheable_memory_only(void **state)
{
	struct test_host h;
	struct ms_s2_config config = test_config();
	struct ms_s2 *s2;

	config.fwb = false;
	s2 = test_s2(&h, config);
	assert_int_equal(test_map(s2, IPA, MS_1G, PA, MS_PROT_R | MS_PROT_X), 0);
	assert_log(&h, "dcache 4000000000+40000000\n"
		       "icache 4000000000+40000000\n"
		       "desc 80000000/1 0 -> leaf\n");
	assert_int_equal(test_map(s2, IPA + MS_1G, MS_1G, PA, MS_PROT_R | MS_PROT_DEVICE), 0);
	assert_log(&h, "desc c0000000/1 0 -> leaf\n");
	assert_int_equal(test_map(s2, IPA + 2 * MS_1G, MS_1G, PA, MS_PROT_R | MS_PROT_NORMAL_NC),
			 0);
	assert_log(&h, "desc 100000000/1 0 -> leaf\n");
	test_s2_end(&h, s2);
}

static void map_leaves_cache_maintenance_to_the_caller_where_the_kernel_does(void **state)
{
	struct test_host h;
	struct ms_s2_config config = test_config();
	struct ms_s2 *s2;

	config.fwb = false;
	config.cmo_by_caller = true;
	s2 = test_s2(&h, config);
	assert_int_equal(test_map(s2, IPA, MS_1G, PA, MS_PROT_R | MS_PROT_X), 0);
	assert_log(&h, "desc 80000000/1 0 -> leaf\n");
	test_s2_end(&h, s2);
}

static void map_of_executable_device_memory_is_refused(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R | MS_PROT_X | MS_PROT_DEVICE),
			 -EINVAL);
	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R | MS_PROT_X | MS_PROT_NORMAL_NC),
			 -EINVAL);
	assert_log(&h, "");
	test_s2_end(&h, s2);
}

static void map_of_device_memory_that_is_normal_too_is_refused(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_DEVICE | MS_PROT_NORMAL_NC), -EINVAL);
	assert_int_equal(test_map(s2, IPA, MS_4K, PA, 0x80), -EINVAL);
	assert_log(&h, "");
	test_s2_end(&h, s2);
}

static void map_for_one_exception_level_needs_two_execute_bits(void **state)
{
	struct test_host h;
	struct ms_s2_config config = test_config();
	struct ms_s2 *s2 = test_s2(&h, config);

	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R | MS_PROT_PX), -EINVAL);
	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R | MS_PROT_UX), -EINVAL);
	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_PX | MS_PROT_UX), 0);
	assert_leaf(s2, IPA, IPA, MS_4K, PA, MS_PROT_X);
	test_s2_end(&h, s2);
	config.xn_two_bits = true;
	s2 = test_s2(&h, config);
	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R | MS_PROT_PX), 0);
	assert_leaf(s2, IPA, IPA, MS_4K, PA, MS_PROT_R | MS_PROT_PX);
	assert_int_equal(test_map(s2, IPA + MS_4K, MS_4K, PA, MS_PROT_R | MS_PROT_UX), 0);
	assert_leaf(s2, IPA + MS_4K, IPA + MS_4K, MS_4K, PA, MS_PROT_R | MS_PROT_UX);
	assert_int_equal(test_map(s2, IPA + MS_2M, MS_4K, PA, MS_PROT_PX | MS_PROT_UX), 0);
	assert_leaf(s2, IPA + MS_2M, IPA + MS_2M, MS_4K, PA, MS_PROT_X);
	assert_int_equal(test_map(s2, IPA + MS_1G, MS_4K, PA, 0), 0);
	assert_leaf(s2, IPA + MS_1G, IPA + MS_1G, MS_4K, PA, 0);
	test_s2_end(&h, s2);
}

/* Whether the table is found by a walk, remembered, or that of the last page. */
static void map_with_bad_permissions_is_refused_wherever_its_table_is_found(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	for (uint64_t off = 0; off < 6 * MS_4K; off += 2 * MS_4K) {
		assert_int_equal(
			test_map(s2, IPA + off, MS_4K, PA, MS_PROT_RW | MS_PROT_X | MS_PROT_DEVICE),
			-EINVAL);
		assert_int_equal(test_map(s2, IPA + off, MS_4K, PA, 0x80), -EINVAL);
		assert_nothing(s2, IPA + off);
		assert_int_equal(test_map(s2, IPA + off + MS_4K, MS_4K, PA, MS_PROT_R), 0);
	}
	test_s2_end(&h, s2);
}

static void map_of_device_memory_for_one_exception_level_is_refused(void **state)
{
	static const unsigned int execute[] = { MS_PROT_PX, MS_PROT_UX };
	static const unsigned int uncached[] = { MS_PROT_DEVICE, MS_PROT_NORMAL_NC };
	struct test_host h;
	struct ms_s2_config config = test_config();
	struct ms_s2 *s2;

	config.xn_two_bits = true;
	s2 = test_s2(&h, config);
	for (int i = 0; i < 4; i++)
		assert_int_equal(
			test_map(s2, IPA, MS_4K, PA, MS_PROT_R | execute[i / 2] | uncached[i % 2]),
			-EINVAL);
	test_s2_end(&h, s2);
}

/* Each page alone: the table of the first is found by a walk, that of the others is known. */
static void pages_that_come_one_by_one(struct ms_s2_config config, bool desc, unsigned int prot,
				       const char *expected)
{
	struct test_host h = { .allocs = 0 };
	struct ms_s2_host host = test_hooks(&h);
	struct ms_s2 *s2;

	host.desc = desc ? host_desc : NULL;
	s2 = ms_s2_new(&config, &host);
	assert_non_null(s2);
	assert_int_equal(test_map(s2, IPA + 9 * MS_4K, MS_4K, PA, MS_PROT_R), 0);
	forget_log(&h);
	for (uint64_t off = 0; off < 3 * MS_4K; off += MS_4K)
		assert_int_equal(test_map(s2, IPA + off, MS_4K, PA + off, prot), 0);
	assert_log(&h, expected);
	for (uint64_t off = 0; off < 3 * MS_4K; off += MS_4K)
		assert_leaf(s2, IPA + off, IPA + off, MS_4K, PA + off, prot);
	test_s2_end(&h, s2);
}

static void pages_that_come_one_by_one_are_told_each(void **state)
{
	const unsigned int rx = MS_PROT_R | MS_PROT_X;
	struct ms_s2_config config = test_config();

	pages_that_come_one_by_one(config, true, rx,
				   "icache 4000000000+1000\n"
				   "desc 80000000/3 0 -> leaf\n"
				   "icache 4000001000+1000\n"
				   "desc 80001000/3 0 -> leaf\n"
				   "icache 4000002000+1000\n"
				   "desc 80002000/3 0 -> leaf\n");
	pages_that_come_one_by_one(config, false, rx,
				   "icache 4000000000+1000\n"
				   "icache 4000001000+1000\n"
				   "icache 4000002000+1000\n");
	pages_that_come_one_by_one(config, false, MS_PROT_R, "");
	config.fwb = false;
	pages_that_come_one_by_one(config, false, MS_PROT_R,
				   "dcache 4000000000+1000\n"
				   "dcache 4000001000+1000\n"
				   "dcache 4000002000+1000\n");
	config.cmo_by_caller = true;
	pages_that_come_one_by_one(config, false, rx, "");
	pages_that_come_one_by_one(config, true, rx,
				   "desc 80000000/3 0 -> leaf\n"
				   "desc 80001000/3 0 -> leaf\n"
				   "desc 80002000/3 0 -> leaf\n");
}

static void map_rounds_to_pages_wherever_their_table_is_found(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	for (uint64_t off = 0; off < 8 * MS_4K; off += 2 * MS_4K) {
		assert_int_equal(test_map(s2, IPA + off, MS_4K, PA + off + 0x234, MS_PROT_R), 0);
		assert_leaf(s2, IPA + off, IPA + off, MS_4K, PA + off, MS_PROT_R);
		assert_int_equal(
			test_map(s2, IPA + off + MS_4K + 0x800, MS_4K, PA + off, MS_PROT_R), 0);
		assert_leaf(s2, IPA + off + MS_4K, IPA + off + MS_4K, MS_4K, PA + off, MS_PROT_R);
	}
	test_s2_end(&h, s2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_of_one_page_writes_one_leaf_and_the_tables_above),
		cmocka_unit_test(map_rounds_ipa_and_pa_down_and_size_up_to_pages),
		cmocka_unit_test(map_of_nothing_does_nothing),
		cmocka_unit_test(map_lays_down_the_largest_block_that_ipa_pa_and_size_allow),
		cmocka_unit_test(map_of_a_large_request_with_a_pa_aligned_less_uses_smaller_leaves),
		cmocka_unit_test(map_of_a_range_off_block_borders_uses_pages_at_both_ends),
		cmocka_unit_test(map_of_a_range_over_concatenated_root_tables_goes_on_in_the_next),
		cmocka_unit_test(map_beyond_the_ipa_space_is_refused_and_changes_nothing),
		cmocka_unit_test(map_of_an_address_that_a_descriptor_cannot_hold_is_refused),
		cmocka_unit_test(map_without_a_cache_fails_where_a_table_is_needed),
		cmocka_unit_test(map_takes_tables_from_the_cache_first),
		cmocka_unit_test(
			map_of_an_executable_page_invalidates_the_icache_before_the_leaf_is_there),
		cmocka_unit_test(map_without_fwb_cleans_the_dcache_of_cacheable_memory_only),
		cmocka_unit_test(map_leaves_cache_maintenance_to_the_caller_where_the_kernel_does),
		cmocka_unit_test(map_of_executable_device_memory_is_refused),
		cmocka_unit_test(map_of_device_memory_that_is_normal_too_is_refused),
		cmocka_unit_test(map_for_one_exception_level_needs_two_execute_bits),
		cmocka_unit_test(map_of_device_memory_for_one_exception_level_is_refused),
		cmocka_unit_test(map_with_bad_permissions_is_refused_wherever_its_table_is_found),
		cmocka_unit_test(pages_that_come_one_by_one_are_told_each),
		cmocka_unit_test(map_rounds_to_pages_wherever_their_table_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
