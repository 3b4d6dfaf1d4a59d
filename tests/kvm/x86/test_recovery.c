// SPDX-License-Identifier: GPL-2.0-only
/*
 * A dirty log is switched off: what becomes of the small entries, where a larger one is allowed
 * again.
 *
 *   host   HVA |------- 2M -------|------- 2M -------|
 *   guest  GPA |||||||||||||||||||||||||||||||||||||||    while the log is on
 *              |------- 2M -------|------- 2M -------|    again
 */
#include "world.h"

#define TWO (2 * MS_2M)
/* Equal neighbours are told of in one line. */
#define FIRST_ZAPPED "s2.zap ipa=0x80000000 size=0x1000 leaf=0x1000\n"
#define REST_ZAPPED "s2.zap ipa=0x80001000 size=0x1ff000 leaf=0x1000\n"

static struct world logged(const char *recovery, uint64_t len)
{
	struct world w = x86_world_with("7.2.13", "tdp_log_recovery", recovery);

	map_anon(&w, HVA, len);
	host_write(&w, HVA);
	if (len > MS_2M)
		host_write(&w, HVA + MS_2M);
	show(&w, len, MS_SLOT_LOG_DIRTY);
	return w;
}

static void log_off(struct world *w, uint64_t len)
{
	events(w);
	show(w, len, 0);
}

/* All pages but the first were protected since. */
static struct world protected_but_the_first(const char *recovery)
{
	struct world w = x86_world_with("7.2.13", "tdp_log_recovery", recovery);

	map_anon(&w, HVA, MS_2M);
	show(&w, MS_2M, 0);
	guest(&w, GPA, MS_PROT_W);
	show(&w, MS_2M, MS_SLOT_LOG_DIRTY);
	guest(&w, GPA, MS_PROT_W);
	return w;
}

static void small_entries_are_zapped_and_the_next_access_maps_the_block(void **state)
{
	struct world w = protected_but_the_first("ZAPPED");

	log_off(&w, MS_2M);
	assert_string_equal(events(&w), FIRST_ZAPPED REST_ZAPPED);
	guest(&w, GPA + PAGE, MS_PROT_R);
	assert_string_equal(events(&w),
			    "s2.map ipa=0x80000000 size=0x200000 pa=ram " RWX " leaf=0x200000\n");
	world_end(&w);
}

static void in_place_the_block_is_as_its_first_page_was(void **state)
{
	struct world w = protected_but_the_first("IN_PLACE");

	log_off(&w, MS_2M);
	assert_string_equal(events(&w), FIRST_ZAPPED REST_ZAPPED
			    "s2.map ipa=0x80000000 size=0x200000 pa=ram " RWX " leaf=0x200000\n");
	world_end(&w);
}

static void in_place_a_protected_first_page_protects_the_block(void **state)
{
	struct world w = protected_but_the_first("IN_PLACE");

	get_dirty(&w);
	guest(&w, GPA + PAGE, MS_PROT_W);
	log_off(&w, MS_2M);
	assert_string_equal(events(&w), FIRST_ZAPPED
			    "s2.zap ipa=0x80001000 size=0x1000 leaf=0x1000\n"
			    "s2.zap ipa=0x80002000 size=0x1fe000 leaf=0x1000\n"
			    "s2.map ipa=0x80000000 size=0x200000 pa=ram prot=rx type=WB bits=hmad "
			    "leaf=0x200000\n");
	// the first write gives all of it back
	guest(&w, GPA + 7 * PAGE, MS_PROT_W);
	assert_string_equal(events(&w), "s2.fast ipa=0x80007000 prot=rwx bits=hmad\n");
	assert_int_equal(leaf_at(&w, GPA).prot, MS_PROT_RW | MS_PROT_X);
	world_end(&w);
}

static void a_block_that_is_protected_is_made_anew_where_only_pages_are_fast(void **state)
{
	static const char *const slow[] = { "NONE", "PAGES" };

	for (size_t i = 0; i < 2; i++) {
		struct world w = x86_world_with("7.2.13", "tdp_fast_fault", slow[i]);

		map_anon(&w, HVA, MS_2M);
		show(&w, MS_2M, 0);
		guest(&w, GPA, MS_PROT_W);
		ms_kvm_set_eager_page_split(w.m, false);
		show(&w, MS_2M, MS_SLOT_LOG_DIRTY);
		log_off(&w, MS_2M);
		assert_string_equal(events(&w), ""); // the block was never split
		guest(&w, GPA + PAGE, MS_PROT_W);
		assert_string_equal(events(&w), "s2.relax ipa=0x80000000 size=0x200000 prot=rwx "
						"bits=hmad leaf=0x200000\n");
		world_end(&w);
	}
}

/*
 *   guest      |....|4K|..........|                  |
 *              |------- 2M -------|   nothing        |
 */
static void in_place_one_page_is_enough_for_its_block(void **state)
{
	struct world w = logged("IN_PLACE", TWO);

	guest(&w, GPA + 3 * PAGE, MS_PROT_W);
	log_off(&w, TWO);
	assert_string_equal(events(&w),
			    "s2.zap ipa=0x80003000 size=0x1000 leaf=0x1000\n"
			    "s2.map ipa=0x80000000 size=0x200000 pa=ram " RWX " leaf=0x200000\n");
	assert_int_equal(leaf_at(&w, GPA + MS_2M).size, 0);
	world_end(&w);
}

static void where_the_host_has_pages_small_entries_stay(void **state)
{
	static const char *const recovery[] = { "ZAPPED", "IN_PLACE" };

	for (size_t i = 0; i < 2; i++) {
		struct world w = x86_world_with("7.2.13", "tdp_log_recovery", recovery[i]);

		map_pages(&w, HVA, MS_2M);
		show(&w, MS_2M, MS_SLOT_LOG_DIRTY);
		guest(&w, GPA, MS_PROT_W);
		get_dirty(&w);
		log_off(&w, MS_2M);
		assert_string_equal(events(&w), "");
		guest(&w, GPA, MS_PROT_W);
		assert_string_equal(events(&w), "s2.fast ipa=0x80000000 prot=rwx bits=hmad\n");
		world_end(&w);
	}
}

/*
 *   2M     |---------------|---------------|---------------|
 *   slot        |..........|===============|..........|
 */
static void at_the_slot_s_edges_small_entries_stay(void **state)
{
	static const char *const recovery[] = { "ZAPPED", "IN_PLACE" };
	const uint64_t edge = MS_2M / 2, len = 2 * MS_2M;

	for (size_t i = 0; i < 2; i++) {
		struct world w = x86_world_with("7.2.13", "tdp_log_recovery", recovery[i]);

		map_anon(&w, HVA, 3 * MS_2M);
		show_at(&w, 1, GPA + edge, len, HVA + edge, MS_SLOT_LOG_DIRTY);
		guest(&w, GPA + edge, MS_PROT_W);
		guest(&w, GPA + MS_2M, MS_PROT_W);
		guest(&w, GPA + 2 * MS_2M, MS_PROT_W);
		show_at(&w, 1, GPA + edge, len, HVA + edge, 0);
		assert_int_equal(leaf_at(&w, GPA + edge).size, PAGE);
		assert_int_equal(leaf_at(&w, GPA + MS_2M).size, i ? MS_2M : 0);
		assert_int_equal(leaf_at(&w, GPA + 2 * MS_2M).size, PAGE);
		world_end(&w);
	}
}

static void a_block_of_1g_comes_back_as_such(void **state)
{
	static const char *const recovery[] = { "ZAPPED", "IN_PLACE" };

	for (size_t i = 0; i < 2; i++) {
		struct world w = x86_world_with("7.2.13", "tdp_log_recovery", recovery[i]);

		map_hugetlb(&w, HVA, MS_1G, MS_1G);
		show(&w, MS_1G, 0);
		guest(&w, GPA, MS_PROT_W);
		show(&w, MS_1G, MS_SLOT_LOG_DIRTY);
		assert_int_equal(leaf_at(&w, GPA).size, PAGE);
		show(&w, MS_1G, 0);
		assert_int_equal(leaf_at(&w, GPA).size, i ? MS_1G : 0);
		guest(&w, GPA + MS_2M, MS_PROT_R);
		assert_int_equal(leaf_at(&w, GPA).size, MS_1G);
		world_end(&w);
	}
}

static void a_device_s_block_comes_back_where_a_block_may_be_a_device_s(void **state)
{
	static const char *const rule[] = { "COMPOUND", "HOST_LEAF" };

	for (size_t i = 0; i < 2; i++) {
		struct world w = x86_world_with("7.2.13", "tdp_block_page", rule[i]);

		map_lazy_huge(&w, HVA, MS_2M, MS_PROT_RW);
		show(&w, MS_2M, MS_SLOT_LOG_DIRTY);
		guest(&w, GPA + PAGE, MS_PROT_W);
		show(&w, MS_2M, 0);
		assert_int_equal(leaf_at(&w, GPA + PAGE).size, i ? MS_2M : PAGE);
		world_end(&w);
	}
}

/* The page of another slot in the same block is none of this slot's business. */
static void another_slot_s_log_is_left_alone(void **state)
{
	struct world w = logged("IN_PLACE", MS_2M);

	show_at(&w, 2, 2 * GPA, MS_2M, HVA, MS_SLOT_LOG_DIRTY);
	guest(&w, GPA, MS_PROT_W);
	guest(&w, 2 * GPA, MS_PROT_W);
	log_off(&w, MS_2M);
	assert_int_equal(leaf_at(&w, GPA).size, MS_2M);
	assert_int_equal(leaf_at(&w, 2 * GPA).size, PAGE);
	world_end(&w);
}

/* ---- which entry that is made where one was has a dirty bit ---- */

/* A small entry that was writable, then a block in place of its table. */
static bool block_over_table_is_dirty(const char *rule)
{
	struct world w = x86_world_with("6.12.117", "tdp_remade_dirty", rule);
	bool dirty;

	map_pages(&w, HVA, MS_2M);
	show(&w, MS_2M, 0);
	guest(&w, GPA, MS_PROT_W);
	assert_int_equal(ms_madvise(w.mm, HVA, MS_2M, MS_MADV_HUGEPAGE), 0);
	assert_int_equal(ms_madvise(w.mm, HVA, MS_2M, MS_MADV_COLLAPSE), 0);
	guest(&w, GPA, MS_PROT_R);
	assert_int_equal(leaf_at(&w, GPA).size, MS_2M);
	dirty = leaf_at(&w, GPA).bits & MS_TDP_DIRTY;
	// the CPU sets it
	guest(&w, GPA, MS_PROT_W);
	assert_true(leaf_at(&w, GPA).bits & MS_TDP_DIRTY);
	world_end(&w);
	return dirty;
}

/* A fetch splits a block, and the page's entry, writable as it is, is made once more. */
static bool entry_over_writable_one_is_dirty(const char *rule)
{
	struct world w = x86_world_with("6.12.117", "tdp_remade_dirty", rule);
	bool dirty;

	ms_kvm_set_nx_huge_pages(w.m, MS_NX_HUGE_PAGES_FORCE);
	map_anon(&w, HVA, MS_2M);
	show(&w, MS_2M, 0);
	guest(&w, GPA, MS_PROT_W);
	guest(&w, GPA, MS_PROT_X);
	dirty = leaf_at(&w, GPA).bits & MS_TDP_DIRTY;
	assert_true(leaf_at(&w, GPA + PAGE).bits & MS_TDP_DIRTY);
	world_end(&w);
	return dirty;
}

static void an_entry_in_place_of_a_writable_one_may_lack_its_dirty_bit(void **state)
{
	assert_true(entry_over_writable_one_is_dirty("NEVER"));
	assert_false(entry_over_writable_one_is_dirty("WRITABLE_OR_TABLE"));
	assert_false(entry_over_writable_one_is_dirty("WRITABLE_LEAF"));
}

static void a_block_in_place_of_a_table_may_lack_its_dirty_bit(void **state)
{
	assert_true(block_over_table_is_dirty("NEVER"));
	assert_false(block_over_table_is_dirty("WRITABLE_OR_TABLE"));
	assert_true(block_over_table_is_dirty("WRITABLE_LEAF"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_entries_are_zapped_and_the_next_access_maps_the_block),
		cmocka_unit_test(in_place_the_block_is_as_its_first_page_was),
		cmocka_unit_test(in_place_a_protected_first_page_protects_the_block),
		cmocka_unit_test(a_block_that_is_protected_is_made_anew_where_only_pages_are_fast),
		cmocka_unit_test(in_place_one_page_is_enough_for_its_block),
		cmocka_unit_test(where_the_host_has_pages_small_entries_stay),
		cmocka_unit_test(at_the_slot_s_edges_small_entries_stay),
		cmocka_unit_test(a_block_of_1g_comes_back_as_such),
		cmocka_unit_test(a_device_s_block_comes_back_where_a_block_may_be_a_device_s),
		cmocka_unit_test(another_slot_s_log_is_left_alone),
		cmocka_unit_test(an_entry_in_place_of_a_writable_one_may_lack_its_dirty_bit),
		cmocka_unit_test(a_block_in_place_of_a_table_may_lack_its_dirty_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
