/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading the table, and the runs that it tells of. */
#include "host.h"

static void leaves_are_found_in_the_order_of_their_addresses(void **state)
{
	static const ms_ipa_t at[] = { 0, MS_1G + 5 * MS_4K, MS_1G + MS_2M, UINT64_C(1) << 39 };
	static const unsigned int level[] = { MS_TDP_1G, MS_TDP_4K, MS_TDP_2M, MS_TDP_4K };
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());
	struct ms_tdp_leaf leaf = { .size = 0 };

	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(ms_tdp_map(tdp, at[i], level[i], PA, RX), 0);
	for (unsigned int i = 0; i < 4; i++) {
		assert_true(ms_tdp_next_leaf(tdp, leaf.ipa + leaf.size, UINT64_MAX, &leaf));
		assert_int_equal(leaf.ipa, at[i]);
		assert_int_equal(leaf.level, level[i]);
	}
	assert_false(ms_tdp_next_leaf(tdp, leaf.ipa + leaf.size, UINT64_MAX, &leaf));
	assert_int_equal(leaf.size, 0);
	test_tdp_end(&h, tdp);
}

static void a_leaf_that_only_overlaps_is_found_and_one_behind_the_end_is_not(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());
	struct ms_tdp_leaf leaf;

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_2M, PA, RX), 0);
	assert_true(ms_tdp_next_leaf(tdp, IPA + MS_2M - 1, IPA + MS_2M, &leaf));
	assert_int_equal(leaf.ipa, IPA);
	assert_false(ms_tdp_next_leaf(tdp, 0, IPA, &leaf));
	assert_false(ms_tdp_next_leaf(tdp, IPA, IPA, &leaf));
	assert_false(ms_tdp_next_leaf(tdp, UINT64_MAX, UINT64_MAX, &leaf));
	assert_false(ms_tdp_get_leaf(tdp, UINT64_C(1) << 40, &leaf));
	assert_false(ms_tdp_get_leaf(tdp, UINT64_MAX, &leaf));
	test_tdp_end(&h, tdp);
}

/* Of any size: no table is found where none can be. */
static void beyond_the_last_address_is_nothing(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());
	struct ms_tdp_leaf leaf;

	assert_int_equal(ms_tdp_map(tdp, 0, MS_TDP_4K, PA, RWX), 0);
	for (unsigned int shift = 40; shift < 64; shift++) {
		ms_ipa_t far[] = { UINT64_C(1) << shift, UINT64_MAX << shift,
				   (UINT64_C(2) << shift) - MS_2M };

		for (unsigned int i = 0; i < 3; i++) {
			assert_false(ms_tdp_get_leaf(tdp, far[i], &leaf));
			assert_false(ms_tdp_next_leaf(tdp, far[i], UINT64_MAX, &leaf));
			assert_false(ms_tdp_test_young(tdp, far[i]));
			assert_int_equal(ms_tdp_map(tdp, far[i], MS_TDP_4K, PA, RX), -ERANGE);
			assert_int_equal(ms_tdp_set(tdp, far[i], RX), -ENOENT);
			assert_int_equal(ms_tdp_zap(tdp, far[i], MS_4K), 0);
			assert_false(ms_tdp_wrprotect(tdp, far[i], MS_4K, MS_TDP_4K, 0));
			assert_false(ms_tdp_wrprotect_word(tdp, far[i], UINT64_MAX, 0));
			assert_false(ms_tdp_clear_young(tdp, far[i], MS_4K));
		}
	}
	assert_false(ms_tdp_wrprotect_word(tdp, -MS_4K, UINT64_MAX, MS_TDP_PROTECT_WRITE));
	assert_leaf(tdp, 0, 0, MS_4K, PA, RWX);
	test_tdp_end(&h, tdp);
}

static void marks_are_no_leaves_and_leaves_no_marks(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());
	struct ms_tdp_leaf leaf;
	struct ms_tdp_mark mark;

	assert_int_equal(ms_tdp_mark_mmio(tdp, IPA, 1), 0);
	assert_int_equal(ms_tdp_mark_mmio(tdp, IPA + MS_1G, 2), 0);
	assert_false(ms_tdp_next_leaf(tdp, 0, UINT64_MAX, &leaf));
	assert_int_equal(ms_tdp_map(tdp, IPA + MS_4K, MS_TDP_4K, PA, RX), 0);
	assert_true(ms_tdp_next_leaf(tdp, 0, UINT64_MAX, &leaf));
	assert_int_equal(leaf.ipa, IPA + MS_4K);
	assert_true(ms_tdp_next_mmio(tdp, 0, UINT64_MAX, &mark));
	assert_int_equal(mark.ipa, IPA);
	assert_true(ms_tdp_next_mmio(tdp, IPA + 1, UINT64_MAX, &mark)); // in the page
	assert_int_equal(mark.ipa, IPA);
	assert_true(ms_tdp_next_mmio(tdp, IPA + MS_4K, UINT64_MAX, &mark));
	assert_int_equal(mark.ipa, IPA + MS_1G);
	assert_int_equal(mark.generation, 2);
	assert_false(ms_tdp_next_mmio(tdp, IPA + MS_4K, IPA + MS_1G, &mark));
	assert_int_equal(mark.entry, 0);
	test_tdp_end(&h, tdp);
}

static void walk_tells_entry_and_level(void **state)
{
	struct ms_tdp_config config = test_config();
	unsigned int level = 9;
	struct ms_tdp_leaf leaf;
	struct test_host h;
	struct ms_tdp *tdp;

	config.suppress_ve = false;
	tdp = test_tdp(&h, config);
	assert_int_equal(ms_tdp_walk(tdp, IPA, &level), 0);
	assert_int_equal(level, 4);
	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_2M, PA, RX), 0);
	assert_true(ms_tdp_get_leaf(tdp, IPA, &leaf));
	assert_int_equal(ms_tdp_walk(tdp, IPA + MS_4K, &level), leaf.entry);
	assert_int_equal(level, 2);
	assert_int_equal(ms_tdp_walk(tdp, UINT64_C(1) << 40, &level), 0);
	assert_int_equal(level, 0);
	test_tdp_end(&h, tdp);
}

static void only_leaves_can_be_described(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());
	struct ms_tdp_leaf leaf;
	uint64_t entry;

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_2M, PA, RX), 0);
	assert_int_equal(ms_tdp_mark_mmio(tdp, IPA + MS_2M, 1), 0);
	entry = entry_at(tdp, IPA);
	ms_tdp_describe(tdp, entry, MS_TDP_2M, &leaf);
	assert_int_equal(leaf.size, MS_2M);
	assert_int_equal(leaf.pa, PA);
	ms_tdp_describe(tdp, entry & ~(UINT64_C(1) << 7), MS_TDP_2M, &leaf); // a table's
	assert_int_equal(leaf.size, 0);
	ms_tdp_describe(tdp, entry, 4, &leaf);
	assert_int_equal(leaf.size, 0);
	ms_tdp_describe(tdp, entry_at(tdp, IPA + MS_2M), MS_TDP_4K, &leaf);
	assert_int_equal(leaf.size, 0);
	test_tdp_end(&h, tdp);
}

static void sizes_of_levels(void **state)
{
	assert_int_equal(ms_tdp_level_size(MS_TDP_4K), MS_4K);
	assert_int_equal(ms_tdp_level_size(MS_TDP_2M), MS_2M);
	assert_int_equal(ms_tdp_level_size(MS_TDP_1G), MS_1G);
	assert_int_equal(ms_tdp_level_size(0), 0);
	assert_int_equal(ms_tdp_level_size(4), 0);
}

/* ---- runs ---- */

/* Where the address goes on is told of a map only; else neighbours with equal rights are one. */
static void pieces_are_neighbours_that_were_and_are_equal(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());
	struct ms_tdp_run run = { .tdp = tdp, .level = 1, .ipa = IPA, .count = 6, .leaves = 5 };
	uint64_t entries[6], a, b;
	struct ms_tdp_piece p;

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_4K, PA, RWX), 0);
	assert_int_equal(ms_tdp_map(tdp, IPA + MS_4K, MS_TDP_4K, PA, RX), 0);
	a = entry_at(tdp, IPA);
	b = entry_at(tdp, IPA + MS_4K);
	memcpy(entries, (uint64_t[]){ 0, a, a + MS_4K, a, b, b }, sizeof(entries));
	run.entries = entries;

	run.kind = MS_TDP_ZAP;
	assert_int_equal(ms_tdp_run_piece(&run, 0, &p), 4);
	assert_true(p.ipa == IPA + MS_4K && p.count == 3 && p.size == 3 * MS_4K && p.old == a);
	assert_int_equal(ms_tdp_run_piece(&run, 4, &p), 6);
	assert_true(p.ipa == IPA + 4 * MS_4K && p.count == 2 && p.old == b && !p.entry);
	assert_int_equal(ms_tdp_run_piece(&run, 6, &p), 0);

	run.kind = MS_TDP_MAP;
	assert_int_equal(ms_tdp_run_piece(&run, 0, &p), 3);
	assert_true(p.count == 2 && p.entry == a && !p.old);
	assert_int_equal(ms_tdp_run_piece(&run, 3, &p), 4);
	assert_int_equal(ms_tdp_run_piece(&run, 4, &p), 5);

	run.kind = MS_TDP_CHANGE;
	run.clear = 2; // W
	assert_int_equal(ms_tdp_run_piece(&run, 0, &p), 4);
	assert_true(p.old == a && p.entry == (a & ~UINT64_C(2)));
	assert_int_equal(ms_tdp_run_piece(&run, 4, &p), 0);
	test_tdp_end(&h, tdp);
}

static void nothing_is_different_when_nobody_listens(void **state)
{
	struct ms_tdp_config config = test_config();
	struct test_host h = { .allocs = 0 };
	struct ms_tdp_host host = { &h, host_alloc, host_free, NULL };
	struct ms_tdp *tdp = NULL;

	assert_int_equal(ms_tdp_new(&tdp, &config, &host), 0);
	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_1G, PA, RWX), 0);
	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_4K, PA, RWX), 0);
	assert_true(ms_tdp_wrprotect(tdp, IPA, MS_1G, MS_TDP_4K, MS_TDP_PROTECT_WRITE));
	assert_true(ms_tdp_clear_young(tdp, IPA, MS_2M));
	assert_leaf(tdp, IPA, IPA, MS_4K, PA, RWX & ~W & ~A);
	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_2M, PA, RX), 0);
	assert_int_equal(ms_tdp_zap(tdp, IPA, MS_1G), 512);
	ms_tdp_zap_all(tdp);
	test_tdp_end(&h, tdp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_are_found_in_the_order_of_their_addresses),
		cmocka_unit_test(a_leaf_that_only_overlaps_is_found_and_one_behind_the_end_is_not),
		cmocka_unit_test(beyond_the_last_address_is_nothing),
		cmocka_unit_test(marks_are_no_leaves_and_leaves_no_marks),
		cmocka_unit_test(walk_tells_entry_and_level),
		cmocka_unit_test(only_leaves_can_be_described),
		cmocka_unit_test(sizes_of_levels),
		cmocka_unit_test(pieces_are_neighbours_that_were_and_are_equal),
		cmocka_unit_test(nothing_is_different_when_nobody_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
