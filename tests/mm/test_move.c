/* SPDX-License-Identifier: GPL-2.0-only */
/* How mremap moves: the VMA and its flags, the events, leaves and tables. */
#include "world_of.h"

static const struct ms_policy *late(void)
{
	return ms_policy_linux("6.12.117", MS_ARCH_ARM64);
}

/* ---- a VMA moves ---- */

/*
 *             A                     B
 *  before     |0   1*  2   3  |
 *  after       .   .   .   .        |0   1*  2   3  |
 */
static void pages_move_along(void **state)
{
	struct world w = world("6.12.117");
	ms_pa_t pa;

	map_anon(&w, A, 4 * PAGE, MS_PROT_RW);
	touch(&w, A + PAGE, MS_PROT_W);
	pa = leaf_pa(&w, A + PAGE);
	assert_int_equal(move_to(&w, A, 4 * PAGE, B), (int64_t)B);
	assert_null(ms_vma_lookup(w.mm, A));
	assert_vma(&w, B, B + 4 * PAGE);
	assert_int_equal(leaf_pa(&w, B + PAGE), pa);
	assert_false(present(&w, B));
	world_end(&w);
}

/*
 * Of the old range once for the tables and once for its unmap, of the new one never:
 *
 *             A             B
 *  before     |0*  1  |
 *  after       .   .        |0*  1  |
 *  notifiers  [-------)
 *             [-------)
 */
static void notifiers_hear_of_the_old_range_twice(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 2 * PAGE, MS_PROT_RW);
	touch(&w, A, MS_PROT_W);
	ms_trace_clear(w.m);
	move_to(&w, A, 2 * PAGE, B);
	assert_int_equal(ms_trace_count(w.m, MS_EV_NOTIFIER_START), 2);
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A, 2 * PAGE);
	assert_int_equal(event(&w, MS_EV_NOTIFIER_START, 0)->notifier, MS_NOTIFY_UNMAP);
	assert_event(&w, MS_EV_NOTIFIER_START, 1, A, 2 * PAGE);
	assert_int_equal(ms_trace_count(w.m, MS_EV_ZAP), 1);
	assert_event(&w, MS_EV_ZAP, 0, A, 2 * PAGE);
	world_end(&w);
}

/*
 *          A                             B
 *  before  |0*  1*  2*  3*  4*  5* |
 *  after   |0*  1* | .   . |4*  5* |     |2*  3* |
 */
static void a_part_moves_and_the_rest_stays(void **state)
{
	struct world w = world("6.12.117");

	map_shared(&w, ms_memfd_new(w.m, 8 * PAGE), A, 6 * PAGE, 0);
	for (int i = 0; i < 6; i++)
		touch(&w, A + (unsigned int)i * PAGE, MS_PROT_W);
	assert_int_equal(move_to(&w, A + 2 * PAGE, 2 * PAGE, B), (int64_t)B);
	assert_vma(&w, A, A + 2 * PAGE);
	assert_vma(&w, A + 4 * PAGE, A + 6 * PAGE);
	assert_int_equal(ms_vma_lookup(w.mm, B)->vm_pgoff, 2);
	assert_true(present(&w, A + PAGE));
	assert_true(present(&w, A + 4 * PAGE));
	assert_true(present(&w, B + PAGE));
	world_end(&w);
}

/*
 *          A                             B
 *  before  |ac* ac  ac  ac  ac  ac |
 *  after   |ac* ac | .   . |ac  ac |     |ac  ac |
 */
static void the_charge_stays_on_what_is_left(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);

		map_anon(&w, A, 6 * PAGE, MS_PROT_RW);
		touch(&w, A, MS_PROT_W);
		assert_int_equal(move_to(&w, A + 2 * PAGE, 2 * PAGE, B), (int64_t)B);
		assert_true(flags_at(&w, A) & MS_VM_ACCOUNT);
		assert_true(flags_at(&w, A + 5 * PAGE) & MS_VM_ACCOUNT);
		assert_true(flags_at(&w, B) & MS_VM_ACCOUNT);
		world_end(&w);
	}
}

/*
 *           A       A + 2M     B       B + 2M
 *  before   |u  |   |t* |                        u: untouched, t: touched
 *  after     .       .         |u  |   |t* |     u has the pgoff of B, t that of A + 2M
 */
static void an_untouched_anonymous_mapping_gets_the_pgoff_of_its_new_place(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, PAGE, MS_PROT_RW);
	map_anon(&w, A + MS_2M, PAGE, MS_PROT_RW);
	touch(&w, A + MS_2M, MS_PROT_W);
	move_to(&w, A, PAGE, B);
	move_to(&w, A + MS_2M, PAGE, B + MS_2M);
	assert_int_equal(ms_vma_lookup(w.mm, B)->vm_pgoff, B / PAGE);
	assert_int_equal(ms_vma_lookup(w.mm, B + MS_2M)->vm_pgoff, (A + MS_2M) / PAGE);
	world_end(&w);
}

/*
 *          A             B
 *  before  |0  | .       |1  |    pages of the file
 *  after   |0   1  |      .
 */
static void a_moved_mapping_joins_its_new_neighbour(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *f = ms_memfd_new(w.m, 4 * PAGE);

	map_shared(&w, f, A, PAGE, 0);
	map_shared(&w, f, B, PAGE, PAGE);
	move_to(&w, B, PAGE, A + PAGE);
	assert_vma(&w, A, A + 2 * PAGE);
	assert_int_equal(ms_mm_map_count(w.mm), 1);
	world_end(&w);
}

/*
 *  before   |0   1   2   3  | .   .
 *  copied   |0   1   2   3   2   3  |    one VMA for a moment
 *  after    |0   1  | .   . |2   3  |
 */
static void an_untouched_mapping_may_join_its_own_source(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 4 * PAGE, MS_PROT_RW);
	assert_int_equal(move_to(&w, A + 2 * PAGE, 2 * PAGE, A + 4 * PAGE),
			 (int64_t)(A + 4 * PAGE));
	assert_vma(&w, A, A + 2 * PAGE);
	assert_vma(&w, A + 4 * PAGE, A + 6 * PAGE);
	assert_true(flags_at(&w, A) & MS_VM_ACCOUNT);
	assert_true(flags_at(&w, A + 4 * PAGE) & MS_VM_ACCOUNT);
	world_end(&w);
}

/*
 *          A                   B
 *  before  |rw  rw  rw  rw |   |r   r   r   r  |
 *  zap 1                       [-------)
 *  zap 2           [-------)                       four pages become two
 *  zap 3   [-------)                               moved
 *  after    .   .   .   .      |rw  rw |r   r  |
 */
static void an_emptied_destination_shrinks_the_source_first(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 4 * PAGE, MS_PROT_RW);
	map_anon(&w, B, 4 * PAGE, MS_PROT_R);
	ms_trace_clear(w.m);
	assert_int_equal(
		ms_mremap(w.mm, A, 4 * PAGE, 2 * PAGE, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, B),
		(int64_t)B);
	assert_event(&w, MS_EV_ZAP, 0, B, 2 * PAGE);
	assert_event(&w, MS_EV_ZAP, 1, A + 2 * PAGE, 2 * PAGE);
	assert_event(&w, MS_EV_ZAP, 2, A, 2 * PAGE);
	assert_vma(&w, B, B + 2 * PAGE);
	world_end(&w);
}

/* ---- what a driver sees ---- */

static void open_of_the_copy_comes_and_close_of_the_source(void **state)
{
	struct driver d = { .ops = { .open = driver_open, .close = driver_close } };
	struct world w = world("6.12.117");

	map_shared(&w, driver_file(&w, &d), A, PAGE, 0);
	move_to(&w, A, PAGE, B);
	assert_int_equal(d.opens, 1);
	assert_int_equal(d.closes, 1);
	assert_event(&w, MS_EV_VMA_OPEN, 0, B, PAGE);
	assert_event(&w, MS_EV_VMA_CLOSE, 0, A, PAGE);
	world_end(&w);
}

/*
 *             A           B
 *  before     |0*  1  |
 *  moved      |0   1  |   |0*  1  |    notifier of A
 *  veto       |0*  1  |   |0   1  |    notifier of B
 *  after      |0*  1  |    .   .       notifier of B
 */
static void a_veto_brings_the_entries_back_and_unmaps_the_copy(void **state)
{
	struct driver d = { .ops = { .fault = driver_fault, .mremap = driver_mremap },
			    .vm_flags = MS_VM_PFNMAP,
			    .veto = -EPERM };
	struct world w = world("6.12.117");

	map_shared(&w, driver_file(&w, &d), A, 2 * PAGE, 0);
	touch(&w, A, MS_PROT_R);
	ms_trace_clear(w.m);
	assert_int_equal(move_to(&w, A, 2 * PAGE, B), -EPERM);
	assert_null(ms_vma_lookup(w.mm, B));
	assert_int_equal(leaf_pa(&w, A), BAR);
	// there, back again, and the copy's unmap
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A, 2 * PAGE);
	assert_event(&w, MS_EV_NOTIFIER_START, 1, B, 2 * PAGE);
	assert_event(&w, MS_EV_NOTIFIER_START, 2, B, 2 * PAGE);
	world_end(&w);
}

/*
 *  VMA      |0   1   2   3  |
 *  page 0   [---)                asked at 1
 *  page 3               [---)    asked at 3
 *  all      [---------------)    not asked
 */
static void may_split_is_asked_at_the_borders_that_are_cut(void **state)
{
	struct ms_policy p = *late();
	struct driver d = { .ops = { .may_split = driver_may_split }, .veto = -EBUSY };
	struct world w = world_of(&p, MS_THP_NEVER);

	map_shared(&w, driver_file(&w, &d), A, 4 * PAGE, 0);
	assert_int_equal(move_to(&w, A, PAGE, B), -EBUSY);
	assert_int_equal(d.asked, A + PAGE);
	assert_int_equal(move_to(&w, A + 3 * PAGE, PAGE, B), -EBUSY);
	assert_int_equal(d.asked, A + 3 * PAGE);
	assert_int_equal(ms_mm_map_count(w.mm), 1);
	assert_int_equal(move_to(&w, A, 4 * PAGE, B), (int64_t)B);
	world_end(&w);
}

/*
 *          A                   B
 *  before  |0   1   2   3  |
 *  after   |0   1   2   3  |   |0  |
 */
static void a_veto_that_is_not_asked_for_comes_at_the_unmap_and_both_stay(void **state)
{
	struct ms_policy p = *late();
	struct driver d = { .ops = { .may_split = driver_may_split }, .veto = -EBUSY };
	struct world w;

	p.mremap_may_split = MS_MREMAP_MAY_SPLIT_NOT_ASKED;
	w = world_of(&p, MS_THP_NEVER);
	map_shared(&w, driver_file(&w, &d), A, 4 * PAGE, 0);
	assert_int_equal(move_to(&w, A, PAGE, B), (int64_t)B);
	assert_vma(&w, A, A + 4 * PAGE);
	assert_vma(&w, B, B + PAGE);
	world_end(&w);
}

/*
 *          A                   B
 *  before  |t   t   t   t  |            t: VM_PAT
 *  after    .  |n   n   n  |   |t  |    n: not
 */
static void a_move_forgets_the_tracking_of_the_whole_source(void **state)
{
	struct driver d = { .vm_flags = MS_VM_PFNMAP | MS_VM_PAT };
	struct world w = world_thp("6.12.117", MS_ARCH_X86_64, MS_THP_NEVER);

	map_shared(&w, driver_file(&w, &d), A, 4 * PAGE, 0);
	move_to(&w, A, PAGE, B);
	assert_int_equal(ms_trace_count(w.m, MS_EV_PAT_CLEAR), 1);
	assert_int_equal(event(&w, MS_EV_PAT_CLEAR, 0)->addr, A);
	assert_false(flags_at(&w, A + PAGE) & MS_VM_PAT);
	assert_true(flags_at(&w, B) & MS_VM_PAT);
	world_end(&w);
}

/* ---- leaves and tables ---- */

/*
 *          A               B
 *  before  |------2M*------|
 *  after    .               |------2M*------|
 */
static void a_huge_page_moves_as_one_leaf_to_a_congruent_address(void **state)
{
	struct world w = world_huge("6.12.117");

	map_anon(&w, A, MS_2M, MS_PROT_RW);
	touch(&w, A, MS_PROT_W);
	ms_trace_clear(w.m);
	move_to(&w, A, MS_2M, B);
	assert_int_equal(leaf_size(&w, B), MS_2M);
	assert_int_equal(ms_trace_count(w.m, MS_EV_NOTIFIER_START), 2);
	world_end(&w);
}

/*
 *             A                   B + 4K
 *  before     |--------2M*--------|
 *  after                          |4K*|4K*| ... |4K*|
 *  notifiers  [-------------------)    three times: the move, the split in it, the unmap
 */
static void a_huge_page_that_moves_to_another_offset_is_split_within_the_move(void **state)
{
	struct world w = world_huge("6.12.117");
	ms_pa_t pa;

	map_anon(&w, A, MS_2M, MS_PROT_RW);
	touch(&w, A, MS_PROT_W);
	pa = leaf_pa(&w, A);
	ms_trace_clear(w.m);
	move_to(&w, A, MS_2M, B + PAGE);
	assert_int_equal(leaf_size(&w, B + PAGE), PAGE);
	assert_int_equal(leaf_pa(&w, B + MS_2M), pa + MS_2M - PAGE);
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A, MS_2M);
	assert_int_equal(event(&w, MS_EV_NOTIFIER_START, 1)->notifier, MS_NOTIFY_CLEAR);
	assert_event(&w, MS_EV_NOTIFIER_START, 1, A, MS_2M);
	assert_event(&w, MS_EV_NOTIFIER_START, 2, A, MS_2M);
	world_end(&w);
}

/*
 *  A            |---2M*---:---2M*---|
 *  B            |---2M*---|              the first fits
 *  B + 1G + 4K   |4K:4K: .. |         the second does not: its pages fault in again
 */
static void a_drivers_huge_leaf_is_dropped_where_it_does_not_fit(void **state)
{
	struct driver d = { .ops = { .fault = driver_fault, .huge_fault = driver_huge_fault },
			    .vm_flags = MS_VM_PFNMAP };
	struct world w = world_huge("6.12.117");
	struct ms_file *f = driver_file(&w, &d);

	map_shared(&w, f, A, 2 * MS_2M, 0);
	touch(&w, A, MS_PROT_R);
	touch(&w, A + MS_2M, MS_PROT_R);
	move_to(&w, A, MS_2M, B);
	assert_int_equal(leaf_size(&w, B), MS_2M);
	move_to(&w, A + MS_2M, MS_2M, B + MS_1G + PAGE);
	assert_false(present(&w, B + MS_1G + PAGE));
	touch(&w, B + MS_1G + PAGE, MS_PROT_R);
	assert_int_equal(leaf_pa(&w, B + MS_1G + PAGE), BAR + MS_2M);
	world_end(&w);
}

/* get_old_pud() takes a leaf for a bad entry: nothing arrives, not even at a congruent place. */
static void a_1g_leaf_is_lost_in_a_move(void **state)
{
	struct driver d = { .ops = { .fault = driver_fault, .huge_fault = driver_huge_fault },
			    .vm_flags = MS_VM_PFNMAP };
	struct world w = world_thp("6.12.117", MS_ARCH_X86_64, MS_THP_ALWAYS);

	map_shared(&w, driver_file(&w, &d), A, MS_1G, 0);
	touch(&w, A, MS_PROT_R);
	assert_int_equal(leaf_size(&w, A), MS_1G);
	assert_int_equal(move_to(&w, A, MS_1G, B), (int64_t)B);
	assert_false(present(&w, B));
	assert_int_equal(ms_trace_count(w.m, MS_EV_LOG), 1);
	world_end(&w);
}

/* Allocations of a move of one whole table: the VMA, and at a new 1G its tables. */
static uint64_t allocations(enum ms_policy_mremap_table_move rule, uint64_t len)
{
	struct ms_policy p = *late();
	struct world w;
	uint64_t before, n;

	p.mremap_table_move = rule;
	w = world_of(&p, MS_THP_NEVER);
	assert_int_equal(ms_ram_add(w.m, 4 * MS_1G, MS_1G), 0);
	map_anon(&w, A, len, MS_PROT_RW);
	touch(&w, A + PAGE, MS_PROT_W);
	before = ms_machine_allocs(w.m);
	assert_int_equal(move_to(&w, A, len, B), (int64_t)B);
	n = ms_machine_allocs(w.m) - before;
	assert_true(present(&w, B + PAGE));
	world_end(&w);
	return n;
}

static void whole_tables_move_where_the_kernel_can(void **state)
{
	uint64_t entries = allocations(MS_MREMAP_TABLE_MOVE_NONE, MS_1G);

	assert_int_equal(allocations(MS_MREMAP_TABLE_MOVE_PTE_TABLES, MS_1G), entries - 1);
	assert_int_equal(allocations(MS_MREMAP_TABLE_MOVE_PTE_AND_PMD_TABLES, MS_1G), entries - 2);
	assert_int_equal(allocations(MS_MREMAP_TABLE_MOVE_PTE_AND_PMD_TABLES, MS_2M), entries - 1);
	assert_int_equal(allocations(MS_MREMAP_TABLE_MOVE_PTE_TABLES, MS_2M - PAGE), entries);
}

/*
 *   2M border         border
 *      |      a---------|-----    the notifier begins at the first border, where nothing of
 *      <------+                   another mapping is
 */
static void a_move_begins_at_the_table_where_nothing_is_below(void **state)
{
	struct ms_policy p = *late();

	for (int i = 0; i < 4; i++) {
		bool realign = i != 1, below = i == 2, congruent = i != 3;
		struct world w;

		p.mremap_realign = realign ? MS_MREMAP_REALIGN_TO_PMD : MS_MREMAP_REALIGN_NO;
		w = world_of(&p, MS_THP_NEVER);
		map_anon(&w, A + PAGE, MS_2M, MS_PROT_RW);
		touch(&w, A + PAGE, MS_PROT_W);
		if (below)
			map_anon(&w, A, PAGE, MS_PROT_R);
		ms_trace_clear(w.m);
		move_to(&w, A + PAGE, MS_2M, B + (congruent ? PAGE : 2 * PAGE));
		if (realign && !below && congruent)
			assert_event(&w, MS_EV_NOTIFIER_START, 0, A, MS_2M + PAGE);
		else
			assert_event(&w, MS_EV_NOTIFIER_START, 0, A + PAGE, MS_2M);
		world_end(&w);
	}
}

/* ---- no memory ---- */

static void every_failing_allocation_leaves_the_pages_where_they_were(void **state)
{
	int64_t ret = -ENOMEM;

	for (uint64_t n = 1; ret < 0; n++) {
		struct world w = world("6.12.117");

		map_anon(&w, A, 3 * MS_2M, MS_PROT_RW);
		touch(&w, A + PAGE, MS_PROT_W);
		touch(&w, A + MS_2M + PAGE, MS_PROT_W);
		ms_machine_fail_alloc(w.m, n);
		ret = move_to(&w, A + PAGE, 2 * MS_2M, B + 5 * PAGE);
		ms_machine_fail_alloc(w.m, 0);
		assert_true(ret == -ENOMEM || ret == (int64_t)(B + 5 * PAGE));
		if (ret < 0) {
			assert_null(ms_vma_lookup(w.mm, B + 5 * PAGE));
			assert_true(present(&w, A + PAGE));
			assert_true(present(&w, A + MS_2M + PAGE));
			assert_true(flags_at(&w, A) & MS_VM_ACCOUNT);
		} else {
			assert_true(present(&w, B + 5 * PAGE));
		}
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_move_along),
		cmocka_unit_test(notifiers_hear_of_the_old_range_twice),
		cmocka_unit_test(a_part_moves_and_the_rest_stays),
		cmocka_unit_test(the_charge_stays_on_what_is_left),
		cmocka_unit_test(an_untouched_anonymous_mapping_gets_the_pgoff_of_its_new_place),
		cmocka_unit_test(a_moved_mapping_joins_its_new_neighbour),
		cmocka_unit_test(an_untouched_mapping_may_join_its_own_source),
		cmocka_unit_test(an_emptied_destination_shrinks_the_source_first),
		cmocka_unit_test(open_of_the_copy_comes_and_close_of_the_source),
		cmocka_unit_test(a_veto_brings_the_entries_back_and_unmaps_the_copy),
		cmocka_unit_test(may_split_is_asked_at_the_borders_that_are_cut),
		cmocka_unit_test(a_veto_that_is_not_asked_for_comes_at_the_unmap_and_both_stay),
		cmocka_unit_test(a_move_forgets_the_tracking_of_the_whole_source),
		cmocka_unit_test(a_huge_page_moves_as_one_leaf_to_a_congruent_address),
		cmocka_unit_test(a_huge_page_that_moves_to_another_offset_is_split_within_the_move),
		cmocka_unit_test(a_drivers_huge_leaf_is_dropped_where_it_does_not_fit),
		cmocka_unit_test(a_1g_leaf_is_lost_in_a_move),
		cmocka_unit_test(whole_tables_move_where_the_kernel_can),
		cmocka_unit_test(a_move_begins_at_the_table_where_nothing_is_below),
		cmocka_unit_test(every_failing_allocation_leaves_the_pages_where_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
