/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mremap: arguments, what a refused call leaves, resizing in place, many VMAs. The moving itself is
 * in test_move.c.
 */
#include "world_of.h"

#define MAYMOVE MS_MREMAP_MAYMOVE
#define FIXED (MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED)
#define DONTUNMAP (MS_MREMAP_MAYMOVE | MS_MREMAP_DONTUNMAP)

static void bad_arguments_are_EINVAL(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);
		struct ms_mm *mm = w.mm;

		map_anon(&w, A, 4 * PAGE, MS_PROT_RW);
		assert_int_equal(ms_mremap(mm, A, PAGE, PAGE, 0x8, 0), -EINVAL);
		assert_int_equal(ms_mremap(mm, A, PAGE, PAGE, MS_MREMAP_FIXED, B), -EINVAL);
		assert_int_equal(ms_mremap(mm, A, PAGE, PAGE, MS_MREMAP_DONTUNMAP, B), -EINVAL);
		assert_int_equal(ms_mremap(mm, A, PAGE, 2 * PAGE, DONTUNMAP, B), -EINVAL);
		assert_int_equal(ms_mremap(mm, A + 1, PAGE, PAGE, FIXED, B), -EINVAL);
		assert_int_equal(ms_mremap(mm, A, PAGE, 0, FIXED, B), -EINVAL);
		assert_int_equal(ms_mremap(mm, A, PAGE, PAGE, FIXED, B + 1), -EINVAL);
		assert_int_equal(ms_mremap(mm, A, PAGE, PAGE, FIXED, UINT64_C(1) << 48), -EINVAL);
		assert_int_equal(move_to(&w, A, 4 * PAGE, A + 2 * PAGE), -EINVAL);
		assert_vma(&w, A, A + 4 * PAGE);
		assert_int_equal(ms_mm_map_count(mm), 1);
		world_end(&w);
	}
}

/*
 *  A  |0   1   2   3  |
 *     [------------)        3 pages and a byte
 *  B  |0   1   2   3  |
 */
static void lengths_are_rounded_up_to_pages(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 4 * PAGE, MS_PROT_RW);
	assert_int_equal(move_to(&w, A, 3 * PAGE + 1, B), (int64_t)B);
	assert_vma(&w, B, B + 4 * PAGE);
	assert_int_equal(ms_mm_map_count(w.mm), 1);
	world_end(&w);
}

/*
 * What an EFAULT leaves at the destination:
 *
 *  mapped    |a  | .
 *  hole          [---)    nothing is mapped at the old address
 *  crossing  [-------)    the old range ends behind its VMA
 */
static void check_destination(enum ms_policy_mremap_fixed_order order, bool after_hole,
			      bool after_crossing)
{
	struct ms_policy p = *ms_policy_linux("6.12.117", MS_ARCH_ARM64);
	struct world w;

	p.mremap_fixed_order = order;
	w = world_of(&p, MS_THP_NEVER);
	map_anon(&w, A, PAGE, MS_PROT_RW);
	map_anon(&w, B, PAGE, MS_PROT_RW);
	assert_int_equal(move_to(&w, A + PAGE, PAGE, B), -EFAULT);
	assert_int_equal(ms_vma_lookup(w.mm, B) != NULL, after_hole);
	map_anon(&w, B, PAGE, MS_PROT_RW);
	assert_int_equal(move_to(&w, A, 2 * PAGE, B), -EFAULT);
	assert_int_equal(ms_vma_lookup(w.mm, B) != NULL, after_crossing);
	assert_vma(&w, A, A + PAGE);
	world_end(&w);
}

static void a_refused_move_has_emptied_the_destination_as_the_order_says(void **state)
{
	check_destination(MS_MREMAP_FIXED_ORDER_DEST_FIRST, false, false);
	check_destination(MS_MREMAP_FIXED_ORDER_LOOKUP_THEN_DEST, true, false);
	check_destination(MS_MREMAP_FIXED_ORDER_ALL_CHECKS_THEN_DEST, true, true);
}

static void the_same_size_in_place_changes_nothing(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 2 * PAGE, MS_PROT_RW);
	ms_trace_clear(w.m);
	assert_int_equal(ms_mremap(w.mm, A, PAGE, PAGE, 0, 0), (int64_t)A);
	assert_int_equal(ms_trace_len(w.m), 0);
	assert_vma(&w, A, A + 2 * PAGE);
	world_end(&w);
}

static void an_address_without_a_vma_is_EFAULT_where_the_kernel_looks_it_up(void **state)
{
	struct ms_policy p = *ms_policy_linux("6.12.117", MS_ARCH_ARM64);
	struct world w = world_of(&p, MS_THP_NEVER);

	assert_int_equal(ms_mremap(w.mm, A, 2 * PAGE, PAGE, 0, 0), -EFAULT);
	world_end(&w);
	p.mremap_inplace_needs_vma = MS_MREMAP_INPLACE_NEEDS_VMA_NO;
	w = world_of(&p, MS_THP_NEVER);
	assert_int_equal(ms_mremap(w.mm, A, 2 * PAGE, PAGE, 0, 0), (int64_t)A);
	assert_int_equal(ms_mremap(w.mm, A, PAGE, 2 * PAGE, 0, 0), -EFAULT);
	world_end(&w);
}

/*
 *  before  |0   1   2   3  |
 *  after   |0  | .   .   .
 */
static void shrinking_unmaps_the_tail(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 4 * PAGE, MS_PROT_RW);
	ms_trace_clear(w.m);
	assert_int_equal(ms_mremap(w.mm, A, 4 * PAGE, PAGE, 0, 0), (int64_t)A);
	assert_vma(&w, A, A + PAGE);
	assert_event(&w, MS_EV_ZAP, 0, A + PAGE, 3 * PAGE);
	world_end(&w);
}

/* The tail to be unmapped ends behind the last user address. */
static void shrinking_beyond_the_last_user_address_is_EINVAL(void **state)
{
	const uint64_t end = UINT64_C(1) << 48;
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);
		// or is the VMA looked for before the tail goes?
		const int err = k->mremap_inplace_needs_vma == MS_MREMAP_INPLACE_NEEDS_VMA_YES
					? -EFAULT
					: -EINVAL;

		assert_int_equal(ms_mremap(w.mm, end + PAGE, 3 * PAGE, PAGE, MAYMOVE, 0), err);
		assert_int_equal(ms_mremap(w.mm, end + PAGE, 3 * PAGE, PAGE, FIXED, A), err);
		map_anon(&w, A, 4 * PAGE, MS_PROT_RW);
		assert_int_equal(ms_mremap(w.mm, A, end, PAGE, MAYMOVE, 0), -EINVAL);
		assert_int_equal(ms_mremap(w.mm, A, end, PAGE, FIXED, B), -EINVAL);
		assert_vma(&w, A, A + 4 * PAGE);
		world_end(&w);
	}
}

/* The destination is the source, the old length is absurd: which of the two is found first? */
static void a_source_that_goes_with_the_destination_is_EFAULT_from_6_17(void **state)
{
	const uint64_t absurd = -(uint64_t)PAGE;

	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);

		map_anon(&w, A, PAGE, MS_PROT_RW);
		assert_int_equal(ms_mremap(w.mm, A, absurd, PAGE, FIXED, A),
				 k->mremap_fixed_order == MS_MREMAP_FIXED_ORDER_ALL_CHECKS_THEN_DEST
					 ? -EFAULT
					 : -EINVAL);
		assert_int_equal(ms_mm_map_count(w.mm), 0);
		world_end(&w);
	}
}

/*
 *  A  |1   2  |    pages of the file
 *  B  |2  |        from the second page of A on
 */
static void old_length_0_duplicates_a_shared_mapping(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *f = ms_memfd_new(w.m, 4 * PAGE);

	map_shared(&w, f, A, 2 * PAGE, PAGE);
	assert_int_equal(ms_mremap(w.mm, A + PAGE, 0, PAGE, FIXED, B), (int64_t)B);
	assert_vma(&w, A, A + 2 * PAGE);
	assert_int_equal(ms_vma_lookup(w.mm, B)->vm_pgoff, 2);
	map_anon(&w, A + 4 * PAGE, PAGE, MS_PROT_RW);
	assert_int_equal(ms_mremap(w.mm, A + 4 * PAGE, 0, PAGE, FIXED, B + MS_2M), -EINVAL);
	world_end(&w);
}

static void VM_DONTEXPAND_does_not_grow(void **state)
{
	struct driver d = { .vm_flags = MS_VM_DONTEXPAND };
	struct world w = world("6.12.117");

	map_shared(&w, driver_file(&w, &d), A, PAGE, 0);
	assert_int_equal(ms_mremap(w.mm, A, PAGE, 2 * PAGE, MAYMOVE, 0), -EFAULT);
	assert_int_equal(move_to(&w, A, PAGE, B), (int64_t)B);
	world_end(&w);
}

static void dontunmap_of_a_file_is_EINVAL_up_to_5_12(void **state)
{
	struct ms_policy p = *ms_policy_linux("6.12.117", MS_ARCH_ARM64);
	struct driver d = { .vm_flags = MS_VM_DONTEXPAND };
	struct world w = world_of(&p, MS_THP_NEVER);

	map_shared(&w, ms_memfd_new(w.m, PAGE), A, PAGE, 0);
	assert_int_equal(copy_to(&w, A, PAGE, B), (int64_t)B);
	map_shared(&w, driver_file(&w, &d), A + MS_2M, PAGE, 0);
	assert_int_equal(copy_to(&w, A + MS_2M, PAGE, B + MS_2M), -EINVAL);
	world_end(&w);

	p.mremap_dontunmap = MS_MREMAP_DONTUNMAP_PRIVATE_ANON_ONLY;
	w = world_of(&p, MS_THP_NEVER);
	map_shared(&w, ms_memfd_new(w.m, PAGE), A, PAGE, 0);
	assert_int_equal(copy_to(&w, A, PAGE, B), -EINVAL);
	map_anon(&w, A + MS_2M, PAGE, MS_PROT_RW);
	assert_int_equal(copy_to(&w, A + MS_2M, PAGE, B), (int64_t)B);
	world_end(&w);
}

/* ---- growing ---- */

/*
 *  before  |0   1  | .   .
 *  after   |0   1   2   3  |
 */
static void a_mapping_grows_in_place_where_nothing_follows(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 2 * PAGE, MS_PROT_RW);
	assert_int_equal(ms_mremap(w.mm, A + PAGE, PAGE, 3 * PAGE, 0, 0), (int64_t)(A + PAGE));
	assert_vma(&w, A, A + 4 * PAGE);
	assert_int_equal(ms_trace_count(w.m, MS_EV_NOTIFIER_START), 0);
	world_end(&w);
}

/*
 *  mapped    |rw  rw | . |r  |
 *  whole     [-------)         to 4 pages: runs into the neighbour
 *  1st page  [---)             to 2 pages: the second is in the way
 */
static void a_mapping_does_not_grow_into_a_neighbour_or_out_of_the_middle(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 2 * PAGE, MS_PROT_RW);
	map_anon(&w, A + 3 * PAGE, PAGE, MS_PROT_R);
	assert_int_equal(ms_mremap(w.mm, A, 2 * PAGE, 4 * PAGE, 0, 0), -ENOMEM);
	assert_int_equal(ms_mremap(w.mm, A, PAGE, 2 * PAGE, 0, 0), -ENOMEM);
	assert_vma(&w, A, A + 2 * PAGE);
	world_end(&w);
}

/*
 *  before  |rw*|r  |
 *  after    .  |r  |    ...    |rw* rw |
 */
static void a_growing_mapping_that_may_move_goes_to_a_free_place(void **state)
{
	struct world w = world("6.12.117");
	int64_t to;

	map_anon(&w, A, PAGE, MS_PROT_RW);
	map_anon(&w, A + PAGE, PAGE, MS_PROT_R);
	touch(&w, A, MS_PROT_W);
	to = ms_mremap(w.mm, A, PAGE, 2 * PAGE, MAYMOVE, 0);
	assert_true(to > 0);
	assert_vma(&w, (ms_hva_t)to, (ms_hva_t)to + 2 * PAGE);
	assert_true(present(&w, (ms_hva_t)to));
	assert_null(ms_vma_lookup(w.mm, A));
	world_end(&w);
}

/*
 *  before  |a  | . |b  |
 *  after   |a   a  |b  |  or  |a   a   b  |
 */
static void a_mapping_that_grows_up_to_the_next_joins_it(void **state)
{
	struct ms_policy p = *ms_policy_linux("6.12.117", MS_ARCH_ARM64);

	for (int i = 0; i < 2; i++) {
		struct world w;

		p.mremap_grow_merge = i ? MS_MREMAP_GROW_MERGE_YES : MS_MREMAP_GROW_MERGE_NO;
		w = world_of(&p, MS_THP_NEVER);
		map_anon(&w, A, PAGE, MS_PROT_RW);
		map_anon(&w, A + 2 * PAGE, PAGE, MS_PROT_RW);
		assert_int_equal(ms_mremap(w.mm, A, PAGE, 2 * PAGE, 0, 0), (int64_t)A);
		assert_vma(&w, A, A + (i ? 3 : 2) * PAGE);
		world_end(&w);
	}
}

/*
 * In a child, which has a from its parent:
 *
 *  before  |a* | . |b  |
 *  after   |a*  a  |b  |  or  |a*  a   b  |
 */
static void a_forked_mapping_that_grows_joins_an_untouched_next_from_6_16(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);
		const bool joins = k->mremap_grow_merge == MS_MREMAP_GROW_MERGE_YES &&
				   k->anon_merge_untouched == MS_ANON_MERGE_UNTOUCHED_ANY;

		map_anon(&w, A, PAGE, MS_PROT_RW);
		touch(&w, A, MS_PROT_W);
		w.mm = ms_fork(w.mm);
		map_anon(&w, A + 2 * PAGE, PAGE, MS_PROT_RW);
		assert_int_equal(ms_mremap(w.mm, A, PAGE, 2 * PAGE, 0, 0), (int64_t)A);
		assert_vma(&w, A, A + (joins ? 3 : 2) * PAGE);
		world_end(&w);
	}
}

/*
 * In a child, which has a from its parent:
 *
 *          A           B
 *  before  |a* |
 *  moved    .  |b  |   |a* |    b is mapped meanwhile
 *  back    |a* |b  |  or  |a*  b  |
 */
static void a_forked_mapping_that_moves_joins_an_untouched_next_from_6_16_to_6_18_7(void **state)
{
	const struct ms_policy *k;
	const unsigned int move = MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED;

	for_each_step (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);
		bool joins = k->anon_merge_untouched == MS_ANON_MERGE_UNTOUCHED_ANY_IF_MOVED;

		map_anon(&w, A, PAGE, MS_PROT_RW);
		touch(&w, A, MS_PROT_W);
		w.mm = ms_fork(w.mm);
		assert_int_equal(ms_mremap(w.mm, A, PAGE, PAGE, move, B), (int64_t)B);
		map_anon(&w, A + PAGE, PAGE, MS_PROT_RW);
		assert_int_equal(ms_mremap(w.mm, B, PAGE, PAGE, move, A), (int64_t)A);
		assert_vma(&w, A, A + (joins ? 2 : 1) * PAGE);
		world_end(&w);
	}
}

/* Where a close hook keeps a VMA out of merging, it still grows; special ones then do not. */
static void a_close_hook_does_not_keep_a_mapping_from_growing(void **state)
{
	struct driver d = { .ops = { .close = driver_close } },
		      mixed = { .vm_flags = MS_VM_MIXEDMAP };
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);

		map_shared(&w, driver_file(&w, &d), A, PAGE, 0);
		assert_int_equal(ms_mremap(w.mm, A, PAGE, 2 * PAGE, 0, 0), (int64_t)A);
		assert_vma(&w, A, A + 2 * PAGE);
		map_shared(&w, driver_file(&w, &mixed), B, PAGE, 0);
		assert_int_equal(ms_mremap(w.mm, B, PAGE, 2 * PAGE, 0, 0),
				 k->mremap_grow_merge == MS_MREMAP_GROW_MERGE_YES ? -ENOMEM
										  : (int64_t)B);
		world_end(&w);
	}
}

static void the_new_part_of_a_locked_mapping_is_populated(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, PAGE, MS_PROT_RW);
	assert_int_equal(ms_mlock(w.mm, A, PAGE), 0);
	assert_int_equal(ms_mremap(w.mm, A, PAGE, 3 * PAGE, 0, 0), (int64_t)A);
	assert_true(present(&w, A + 2 * PAGE));
	world_end(&w);
}

/* ---- many VMAs ---- */

/*
 *            A                       B
 *  before    |rw*| .   . |r   r  |
 *  moved     [---------------)
 *  after      .   .   .   .  |r  |   |rw*| .   . |r  |
 */
static void a_range_over_several_vmas_moves_each(void **state)
{
	struct world w = world("7.2.13");

	map_anon(&w, A, PAGE, MS_PROT_RW);
	map_anon(&w, A + 3 * PAGE, 2 * PAGE, MS_PROT_R);
	touch(&w, A, MS_PROT_W);
	assert_int_equal(move_to(&w, A, 4 * PAGE, B), (int64_t)B);
	assert_vma(&w, B, B + PAGE);
	assert_vma(&w, B + 3 * PAGE, B + 4 * PAGE);
	assert_vma(&w, A + 4 * PAGE, A + 5 * PAGE);
	assert_null(ms_vma_lookup(w.mm, A));
	assert_true(present(&w, B));
	world_end(&w);
}

/*
 *  mapped    . |rw | .   .   .
 *  first    [-------)
 *  second                   [---)
 */
static void a_range_that_begins_in_a_gap_is_EFAULT(void **state)
{
	struct world w = world("7.2.13");

	map_anon(&w, A + PAGE, PAGE, MS_PROT_RW);
	assert_int_equal(move_to(&w, A, 2 * PAGE, B), -EFAULT);
	assert_int_equal(move_to(&w, A + 4 * PAGE, PAGE, B), -EFAULT);
	assert_vma(&w, A + PAGE, A + 2 * PAGE);
	world_end(&w);
}

/*
 *  mapped  |rw |r  |
 *  old     [-------)
 *  new     [-----------)    always EFAULT
 *  new     [-------)        EFAULT up to 6.16
 */
static void several_vmas_are_EFAULT_up_to_6_16_and_whenever_the_size_changes(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);

		map_anon(&w, A, PAGE, MS_PROT_RW);
		map_anon(&w, A + PAGE, PAGE, MS_PROT_R);
		assert_int_equal(ms_mremap(w.mm, A, 2 * PAGE, 3 * PAGE, FIXED, B), -EFAULT);
		assert_int_equal(ms_mm_map_count(w.mm), 2);
		if (k->mremap_many_vmas == MS_MREMAP_MANY_VMAS_EFAULT)
			assert_int_equal(move_to(&w, A, 2 * PAGE, B), -EFAULT);
		world_end(&w);
	}
}

/* ---- limits ---- */

/* Every second page: n VMAs that do not merge. */
static void fill(struct world *w, unsigned int n)
{
	for (unsigned int i = ms_mm_map_count(w->mm); i < n; i++)
		assert_true(map_anon(w, A + MS_1G + i * 2 * PAGE, PAGE, MS_PROT_RW) > 0);
}

static void near_the_limit_of_vmas_nothing_moves(void **state)
{
	const unsigned int limit = 65530;
	struct world w = world_where("mremap_map_count", "MOVE_NEAR_LIMIT");

	ms_trace_keep(w.m, 0);
	fill(&w, limit - 5);
	assert_int_equal(move_to(&w, A + MS_1G, PAGE, B), -ENOMEM);
	assert_int_equal(ms_munmap(w.mm, A + MS_1G + 2 * PAGE, PAGE), 0);
	assert_int_equal(move_to(&w, A + MS_1G, PAGE, B), (int64_t)B);
	world_end(&w);

	w = world_where("mremap_map_count", "WORST_CASE_AND_DONTUNMAP");
	ms_trace_keep(w.m, 0);
	fill(&w, limit - 3);
	assert_int_equal(ms_mremap(w.mm, A + MS_1G, PAGE, PAGE, 0, 0), -ENOMEM);
	assert_int_equal(ms_munmap(w.mm, A + MS_1G + 2 * PAGE, PAGE), 0);
	assert_int_equal(move_to(&w, A + MS_1G, PAGE, B), (int64_t)B);
	assert_int_equal(copy_to(&w, B, PAGE, A), -ENOMEM);
	world_end(&w);
}

static void the_worst_case_counts_what_dontunmap_splits_off_from_7_2_11(void **state)
{
	const unsigned int limit = 65530;
	struct world w = world("7.1");

	ms_trace_keep(w.m, 0);
	fill(&w, limit - 4);
	assert_int_equal(copy_to(&w, A + MS_1G, PAGE, B), (int64_t)B);
	world_end(&w);

	w = world("7.3");
	ms_trace_keep(w.m, 0);
	fill(&w, limit - 4);
	assert_int_equal(copy_to(&w, A + MS_1G, PAGE, B), -ENOMEM);
	assert_int_equal(move_to(&w, A + MS_1G, PAGE, B), (int64_t)B);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_arguments_are_EINVAL),
		cmocka_unit_test(lengths_are_rounded_up_to_pages),
		cmocka_unit_test(a_refused_move_has_emptied_the_destination_as_the_order_says),
		cmocka_unit_test(the_same_size_in_place_changes_nothing),
		cmocka_unit_test(an_address_without_a_vma_is_EFAULT_where_the_kernel_looks_it_up),
		cmocka_unit_test(shrinking_unmaps_the_tail),
		cmocka_unit_test(shrinking_beyond_the_last_user_address_is_EINVAL),
		cmocka_unit_test(a_source_that_goes_with_the_destination_is_EFAULT_from_6_17),
		cmocka_unit_test(old_length_0_duplicates_a_shared_mapping),
		cmocka_unit_test(VM_DONTEXPAND_does_not_grow),
		cmocka_unit_test(dontunmap_of_a_file_is_EINVAL_up_to_5_12),
		cmocka_unit_test(a_mapping_grows_in_place_where_nothing_follows),
		cmocka_unit_test(a_mapping_does_not_grow_into_a_neighbour_or_out_of_the_middle),
		cmocka_unit_test(a_growing_mapping_that_may_move_goes_to_a_free_place),
		cmocka_unit_test(a_mapping_that_grows_up_to_the_next_joins_it),
		cmocka_unit_test(a_forked_mapping_that_grows_joins_an_untouched_next_from_6_16),
		cmocka_unit_test(
			a_forked_mapping_that_moves_joins_an_untouched_next_from_6_16_to_6_18_7),
		cmocka_unit_test(a_close_hook_does_not_keep_a_mapping_from_growing),
		cmocka_unit_test(the_new_part_of_a_locked_mapping_is_populated),
		cmocka_unit_test(a_range_over_several_vmas_moves_each),
		cmocka_unit_test(a_range_that_begins_in_a_gap_is_EFAULT),
		cmocka_unit_test(several_vmas_are_EFAULT_up_to_6_16_and_whenever_the_size_changes),
		cmocka_unit_test(near_the_limit_of_vmas_nothing_moves),
		cmocka_unit_test(the_worst_case_counts_what_dontunmap_splits_off_from_7_2_11),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
