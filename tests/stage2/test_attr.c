/* SPDX-License-Identifier: GPL-2.0-only */
#include "host.h"

#define IPA UINT64_C(0x80000000)
#define PA UINT64_C(0x4000000000)

static void wrprotect_takes_write_permission_and_issues_no_tlbi(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, 3 * MS_4K, PA, MS_PROT_RW), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_wrprotect(s2, IPA + MS_4K, MS_4K), 0);
	assert_log(&h, "desc 80001000/3 leaf -> leaf\n");
	assert_leaf(s2, IPA, IPA, MS_4K, PA, MS_PROT_RW);
	assert_leaf(s2, IPA + MS_4K, IPA + MS_4K, MS_4K, PA + MS_4K, MS_PROT_R);
	assert_leaf(s2, IPA + 2 * MS_4K, IPA + 2 * MS_4K, MS_4K, PA + 2 * MS_4K, MS_PROT_RW);
	test_s2_end(&h, s2);
}

static void wrprotect_of_a_part_of_a_block_takes_it_from_the_whole_block(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, 2 * MS_2M, PA, MS_PROT_RW), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_wrprotect(s2, IPA + MS_2M - MS_4K, 2 * MS_4K), 0);
	assert_log(&h, "desc 80000000/2 leaf -> leaf\n"
		       "desc 80200000/2 leaf -> leaf\n");
	assert_leaf(s2, IPA, IPA, MS_2M, PA, MS_PROT_R);
	assert_leaf(s2, IPA + MS_2M, IPA + MS_2M, MS_2M, PA + MS_2M, MS_PROT_R);
	test_s2_end(&h, s2);
}

static void wrprotect_skips_what_is_not_mapped_or_not_writable(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R), 0);
	assert_int_equal(test_map(s2, IPA + MS_1G - MS_4K, MS_4K, PA, MS_PROT_RW), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_wrprotect(s2, IPA - MS_1G, 3 * MS_1G), 0);
	assert_log(&h, "desc bffff000/3 leaf -> leaf\n");
	assert_int_equal(ms_s2_wrprotect(s2, 0, UINT64_C(1) << 40), 0);
	assert_log(&h, "");
	assert_int_equal(ms_s2_wrprotect(s2, 0, (UINT64_C(1) << 40) + 1), -ERANGE);
	test_s2_end(&h, s2);
}

static void relax_adds_permissions_and_never_removes(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_relax(s2, IPA, MS_PROT_W), 0);
	assert_log(&h, "desc 80000000/3 leaf -> leaf\n"
		       "tlbi nsh 80000000/3\n");
	assert_leaf(s2, IPA, IPA, MS_4K, PA, MS_PROT_RW);
	assert_int_equal(ms_s2_relax(s2, IPA, 0), 0);
	assert_log(&h, "tlbi nsh 80000000/3\n");
	assert_leaf(s2, IPA, IPA, MS_4K, PA, MS_PROT_RW);
	test_s2_end(&h, s2);
}

static void relax_without_execution_takes_it_away_where_the_kernel_sets_the_bits_anew(void **state)
{
	struct ms_s2_config config = test_config();
	struct test_host h;
	struct ms_s2 *s2;

	config.relax_takes_exec = true;
	s2 = test_s2(&h, config);
	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R | MS_PROT_X), 0);
	assert_int_equal(ms_s2_relax(s2, IPA, MS_PROT_RW), 0);
	assert_leaf(s2, IPA, IPA, MS_4K, PA, MS_PROT_RW);
	assert_int_equal(ms_s2_relax(s2, IPA, MS_PROT_X), 0);
	assert_leaf(s2, IPA, IPA, MS_4K, PA, MS_PROT_RW | MS_PROT_X);
	test_s2_end(&h, s2);
}

static void relax_works_on_the_leaf_whatever_its_size(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, MS_1G, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_relax(s2, IPA + 9 * MS_4K, MS_PROT_RW), 0);
	assert_log(&h, "desc 80000000/1 leaf -> leaf\n"
		       "tlbi nsh 80009000/1\n");
	assert_leaf(s2, IPA, IPA, MS_1G, PA, MS_PROT_RW);
	test_s2_end(&h, s2);
}

static void relax_invalidates_the_icache_before_a_leaf_becomes_executable(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, MS_2M, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_relax(s2, IPA, MS_PROT_R | MS_PROT_X), 0);
	assert_log(&h, "icache 4000000000+200000\n"
		       "desc 80000000/2 leaf -> leaf\n"
		       "tlbi nsh 80000000/2\n");
	assert_int_equal(ms_s2_relax(s2, IPA, MS_PROT_R | MS_PROT_X), 0);
	assert_log(&h, "tlbi nsh 80000000/2\n");
	test_s2_end(&h, s2);
}

static void relax_where_nothing_is_mapped_answers_eagain_after_a_local_tlbi(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(ms_s2_relax(s2, IPA, MS_PROT_R), -EAGAIN);
	assert_log(&h, "tlbi nsh 80000000/0\n");
	test_s2_end(&h, s2);
}

static void relax_up_to_6_6_invalidates_nothing_where_it_is_eagain(void **state)
{
	struct test_host h;
	struct ms_s2_config config = test_config();
	struct ms_s2 *s2;

	config.eagain_no_tlbi = true;
	s2 = test_s2(&h, config);
	assert_int_equal(ms_s2_relax(s2, IPA, MS_PROT_R), -EAGAIN);
	assert_log(&h, "");
	assert_int_equal(test_map(s2, IPA, MS_2M, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_relax(s2, IPA, MS_PROT_RW), 0);
	assert_log(&h, "desc 80000000/2 leaf -> leaf\n"
		       "tlbi nsh 80000000/2\n");
	test_s2_end(&h, s2);
}

static void relax_on_older_kernels_accepts_that_nothing_is_mapped(void **state)
{
	struct test_host h;
	struct ms_s2_config config = test_config();
	struct ms_s2 *s2;

	config.absent_eagain = false;
	s2 = test_s2(&h, config);
	assert_int_equal(ms_s2_relax(s2, IPA, MS_PROT_R), 0);
	assert_log(&h, "tlbi nsh 80000000/0\n");
	test_s2_end(&h, s2);
}

static void relax_on_older_kernels_invalidates_every_cpu(void **state)
{
	struct test_host h;
	struct ms_s2_config config = test_config();
	struct ms_s2 *s2;

	config.relax_local = false;
	s2 = test_s2(&h, config);
	assert_int_equal(ms_s2_relax(s2, IPA, MS_PROT_R), -EAGAIN);
	assert_log(&h, "tlbi ipa 80000000/0\n");
	assert_int_equal(test_map(s2, IPA, MS_2M, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_relax(s2, IPA, MS_PROT_RW), 0);
	assert_log(&h, "desc 80000000/2 leaf -> leaf\n"
		       "tlbi ipa 80000000/2\n");
	test_s2_end(&h, s2);
}

static void relax_of_one_exception_level_replaces_the_other(void **state)
{
	struct test_host h;
	struct ms_s2_config config = test_config();
	struct ms_s2 *s2;

	config.xn_two_bits = true;
	s2 = test_s2(&h, config);
	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R | MS_PROT_UX), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_relax(s2, IPA, MS_PROT_PX), 0);
	assert_log(&h, "desc 80000000/3 leaf -> leaf\n"
		       "tlbi nsh 80000000/3\n");
	assert_leaf(s2, IPA, IPA, MS_4K, PA, MS_PROT_R | MS_PROT_PX);
	assert_int_equal(ms_s2_relax(s2, IPA, MS_PROT_X), 0);
	assert_leaf(s2, IPA, IPA, MS_4K, PA, MS_PROT_R | MS_PROT_X);
	test_s2_end(&h, s2);
}

static void relax_refuses_one_exception_level_where_there_is_one_bit(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(ms_s2_relax(s2, IPA, MS_PROT_PX), -EINVAL);
	assert_int_equal(ms_s2_relax(s2, IPA, MS_PROT_UX), -EINVAL);
	assert_int_equal(ms_s2_relax(s2, UINT64_C(1) << 40, MS_PROT_R), -ERANGE);
	assert_log(&h, "");
	test_s2_end(&h, s2);
}

static void test_clear_young_finds_and_clears_the_access_flag_without_tlbi(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, 2 * MS_4K, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_true(ms_s2_test_clear_young(s2, IPA, 2 * MS_4K, false));
	assert_log(&h, "");
	assert_true(ms_s2_test_clear_young(s2, IPA + MS_4K, MS_4K, true));
	assert_log(&h, "desc 80001000/3 leaf -> leaf\n");
	assert_false(ms_s2_test_clear_young(s2, IPA + MS_4K, MS_4K, false));
	assert_true(ms_s2_test_clear_young(s2, IPA, MS_2M, true));
	assert_false(ms_s2_test_clear_young(s2, IPA, MS_2M, true));
	assert_log(&h, "desc 80000000/3 leaf -> leaf\n");
	test_s2_end(&h, s2);
}

static void test_clear_young_of_nothing_is_false(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_false(ms_s2_test_clear_young(s2, 0, UINT64_C(1) << 40, true));
	assert_false(ms_s2_test_clear_young(s2, UINT64_C(1) << 40, MS_4K, true));
	assert_log(&h, "");
	test_s2_end(&h, s2);
}

/* A table's own descriptor has bits where a leaf keeps its access flag. */
static void test_clear_young_leaves_tables_alone(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R), 0);
	assert_int_equal(test_map(s2, IPA + MS_1G, MS_1G, PA, MS_PROT_R), 0);
	assert_true(ms_s2_test_clear_young(s2, 0, UINT64_C(1) << 40, true));
	assert_false(ms_s2_test_clear_young(s2, 0, UINT64_C(1) << 40, true));
	assert_leaf(s2, IPA, IPA, MS_4K, PA, MS_PROT_R);
	test_s2_end(&h, s2);
}

static void mkyoung_sets_the_access_flag_of_a_leaf_of_any_size(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	struct ms_s2_leaf leaf;

	assert_int_equal(test_map(s2, IPA, MS_2M, PA, MS_PROT_R), 0);
	assert_true(ms_s2_test_clear_young(s2, IPA, MS_2M, true));
	assert_true(ms_s2_get_leaf(s2, IPA, &leaf));
	assert_false(leaf.young);
	forget_log(&h);
	assert_int_equal(ms_s2_mkyoung(s2, IPA + 5 * MS_4K), 0);
	assert_log(&h, "desc 80000000/2 leaf -> leaf\n");
	assert_true(ms_s2_get_leaf(s2, IPA, &leaf));
	assert_true(leaf.young);
	test_s2_end(&h, s2);
}

static void mkyoung_where_nothing_is_mapped_answers_as_relax_does(void **state)
{
	struct test_host h;
	struct ms_s2_config config = test_config();
	struct ms_s2 *s2 = test_s2(&h, config);

	assert_int_equal(ms_s2_mkyoung(s2, IPA), -EAGAIN);
	assert_int_equal(ms_s2_mkyoung(s2, UINT64_C(1) << 40), -ERANGE);
	test_s2_end(&h, s2);
	config.absent_eagain = false;
	s2 = test_s2(&h, config);
	assert_int_equal(ms_s2_mkyoung(s2, IPA), 0);
	test_s2_end(&h, s2);
}

static void flush_cleans_every_cacheable_leaf_of_the_range_once(void **state)
{
	struct test_host h;
	struct ms_s2_config config = test_config();
	struct ms_s2 *s2;

	config.fwb = false;
	s2 = test_s2(&h, config);
	assert_int_equal(test_map(s2, IPA, 2 * MS_2M, PA, MS_PROT_R), 0);
	assert_int_equal(test_map(s2, IPA + 2 * MS_2M, 2 * MS_4K, PA, MS_PROT_R), 0);
	assert_int_equal(
		test_map(s2, IPA + 2 * MS_2M + 2 * MS_4K, MS_4K, PA, MS_PROT_R | MS_PROT_DEVICE),
		0);
	forget_log(&h);
	assert_int_equal(ms_s2_flush(s2, IPA + MS_2M + 7 * MS_4K, MS_1G), 0);
	assert_log(&h, "dcache 4000200000+200000\n"
		       "dcache 4000000000+1000\n"
		       "dcache 4000001000+1000\n");
	assert_int_equal(ms_s2_flush(s2, UINT64_C(1) << 40, MS_4K), -ERANGE);
	test_s2_end(&h, s2);
}

static void flush_does_nothing_with_fwb(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, MS_2M, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_flush(s2, 0, UINT64_C(1) << 40), 0);
	assert_log(&h, "");
	test_s2_end(&h, s2);
}

static void flush_vmid_is_one_tlbi(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	ms_s2_flush_vmid(s2);
	assert_log(&h, "tlbi vmid\n");
	test_s2_end(&h, s2);
}

/* What comes behind the range stays as it is. */
static void wrprotect_of_a_block_leaves_the_next_one_alone(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, 2 * MS_2M, PA, MS_PROT_RW), 0);
	assert_int_equal(ms_s2_wrprotect(s2, IPA, MS_2M), 0);
	assert_leaf(s2, IPA, IPA, MS_2M, PA, MS_PROT_R);
	assert_leaf(s2, IPA + MS_2M, IPA + MS_2M, MS_2M, PA + MS_2M, MS_PROT_RW);
	test_s2_end(&h, s2);
}

static void wrprotect_rounds_to_a_page_wherever_its_table_is_found(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());

	assert_int_equal(test_map(s2, IPA, 4 * MS_4K, PA, MS_PROT_RW), 0);
	for (uint64_t off = 0; off < 3 * MS_4K; off += MS_4K) {
		assert_int_equal(ms_s2_wrprotect(s2, IPA + off + 0x800, MS_4K), 0);
		assert_leaf(s2, IPA + off, IPA + off, MS_4K, PA + off, MS_PROT_R);
		assert_leaf(s2, IPA + off + MS_4K, IPA + off + MS_4K, MS_4K, PA + off + MS_4K,
			    MS_PROT_RW);
	}
	test_s2_end(&h, s2);
}

static void flush_of_a_block_leaves_the_next_one_alone(void **state)
{
	struct test_host h;
	struct ms_s2_config config = test_config();
	struct ms_s2 *s2;

	config.fwb = false;
	s2 = test_s2(&h, config);
	assert_int_equal(test_map(s2, IPA, 2 * MS_2M, PA, MS_PROT_R), 0);
	forget_log(&h);
	assert_int_equal(ms_s2_flush(s2, IPA, MS_2M), 0);
	assert_log(&h, "dcache 4000000000+200000\n");
	test_s2_end(&h, s2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrprotect_takes_write_permission_and_issues_no_tlbi),
		cmocka_unit_test(wrprotect_of_a_part_of_a_block_takes_it_from_the_whole_block),
		cmocka_unit_test(wrprotect_skips_what_is_not_mapped_or_not_writable),
		cmocka_unit_test(relax_adds_permissions_and_never_removes),
		cmocka_unit_test(
			relax_without_execution_takes_it_away_where_the_kernel_sets_the_bits_anew),
		cmocka_unit_test(relax_works_on_the_leaf_whatever_its_size),
		cmocka_unit_test(relax_invalidates_the_icache_before_a_leaf_becomes_executable),
		cmocka_unit_test(relax_where_nothing_is_mapped_answers_eagain_after_a_local_tlbi),
		cmocka_unit_test(relax_up_to_6_6_invalidates_nothing_where_it_is_eagain),
		cmocka_unit_test(relax_on_older_kernels_accepts_that_nothing_is_mapped),
		cmocka_unit_test(relax_on_older_kernels_invalidates_every_cpu),
		cmocka_unit_test(relax_of_one_exception_level_replaces_the_other),
		cmocka_unit_test(relax_refuses_one_exception_level_where_there_is_one_bit),
		cmocka_unit_test(test_clear_young_finds_and_clears_the_access_flag_without_tlbi),
		cmocka_unit_test(test_clear_young_of_nothing_is_false),
		cmocka_unit_test(test_clear_young_leaves_tables_alone),
		cmocka_unit_test(mkyoung_sets_the_access_flag_of_a_leaf_of_any_size),
		cmocka_unit_test(mkyoung_where_nothing_is_mapped_answers_as_relax_does),
		cmocka_unit_test(flush_cleans_every_cacheable_leaf_of_the_range_once),
		cmocka_unit_test(flush_does_nothing_with_fwb),
		cmocka_unit_test(flush_vmid_is_one_tlbi),
		cmocka_unit_test(wrprotect_of_a_block_leaves_the_next_one_alone),
		cmocka_unit_test(wrprotect_rounds_to_a_page_wherever_its_table_is_found),
		cmocka_unit_test(flush_of_a_block_leaves_the_next_one_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
