/* SPDX-License-Identifier: GPL-2.0-only */
/* MREMAP_DONTUNMAP: what is left behind, and whom the copy joins. */
#include "world_of.h"

static const struct ms_policy *late(void)
{
	return ms_policy_linux("6.12.117", MS_ARCH_ARM64);
}

/*
 *          A             B
 *  before  |lo* lo*|                 lo: locked
 *  after   |0   1  |     |lo* lo*|
 */
static void the_source_stays_empty_and_unlocked(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 2 * PAGE, MS_PROT_RW);
	assert_int_equal(ms_mlock(w.mm, A, 2 * PAGE), 0);
	ms_trace_clear(w.m);
	assert_int_equal(copy_to(&w, A, 2 * PAGE, B), (int64_t)B);
	assert_vma(&w, A, A + 2 * PAGE);
	assert_false(present(&w, A));
	assert_true(present(&w, B));
	assert_false(flags_at(&w, A) & MS_VM_LOCKED);
	assert_true(flags_at(&w, B) & MS_VM_LOCKED);
	assert_int_equal(ms_trace_count(w.m, MS_EV_NOTIFIER_START), 1);
	assert_int_equal(ms_trace_count(w.m, MS_EV_ZAP), 0);
	world_end(&w);
}

/*
 *  alone    |s  | .     ->  |s   c  |  or  |s  |c  |
 *  between  |s  | . |n  |   ->  |s   c   n  |  or  |s  |c   n  |  or  |s  |c  |n  |
 */
static void an_untouched_copy_beside_its_source_joins_whom_the_kernel_lets(void **state)
{
	const unsigned int alone[] = { 1, 2, 2 }, between[] = { 1, 2, 3 };

	for (unsigned int i = 0; i < 3; i++) {
		struct ms_policy p = *late();
		struct world w;

		p.dontunmap_self_merge = (enum ms_policy_dontunmap_self_merge)i;
		w = world_of(&p, MS_THP_NEVER);
		map_anon(&w, A, PAGE, MS_PROT_RW);
		copy_to(&w, A, PAGE, A + PAGE);
		assert_int_equal(ms_mm_map_count(w.mm), alone[i]);
		ms_munmap(w.mm, A, 2 * PAGE);
		map_anon(&w, A, PAGE, MS_PROT_RW);
		map_anon(&w, A + 2 * PAGE, PAGE, MS_PROT_RW);
		copy_to(&w, A, PAGE, A + PAGE);
		assert_int_equal(ms_mm_map_count(w.mm), between[i]);
		world_end(&w);
	}
}

/*
 * The copy and its source are one VMA then, and nothing else of it is in the range:
 *
 *  before  |0   1   2  |
 *  copied      [---)
 *  after   |0   1   2   1  |
 */
static void a_copy_that_joins_its_source_is_moved_once(void **state)
{
	struct ms_policy p = *late();
	struct world w;

	p.mremap_many_vmas = MS_MREMAP_MANY_VMAS_MOVES_EACH;
	p.dontunmap_self_merge = MS_DONTUNMAP_SELF_MERGE_YES;
	w = world_of(&p, MS_THP_NEVER);
	map_anon(&w, A, 3 * PAGE, MS_PROT_RW);
	assert_int_equal(copy_to(&w, A + PAGE, PAGE, A + 3 * PAGE), (int64_t)(A + 3 * PAGE));
	assert_vma(&w, A, A + 4 * PAGE);
	world_end(&w);
}

/*
 *            A        B
 *  touched   |0* |
 *  moved      .       |0* |    its pgoff is that of A
 *  DONTUNMAP |0* |    |0  |    what is left at B may lose its anon_vma, and its pgoff
 */
static void the_source_of_a_whole_touched_mapping_may_become_as_new(void **state)
{
	for (unsigned int i = 0; i < 3; i++) {
		struct ms_policy p = *late();
		const struct ms_vma *vma;
		struct world w;

		p.dontunmap_source = (enum ms_policy_dontunmap_source)i;
		w = world_of(&p, MS_THP_NEVER);
		map_anon(&w, A, PAGE, MS_PROT_RW);
		touch(&w, A, MS_PROT_W);
		move_to(&w, A, PAGE, B);
		copy_to(&w, B, PAGE, A);
		vma = ms_vma_lookup(w.mm, B);
		assert_int_equal(vma->anon_vma != NULL, i == MS_DONTUNMAP_SOURCE_KEEPS_ANON_VMA);
		assert_int_equal(vma->vm_pgoff,
				 (i == MS_DONTUNMAP_SOURCE_DROPS_ANON_VMA_AND_PGOFF ? B : A) /
					 PAGE);
		world_end(&w);
	}
}

/*
 *          A                  B
 *  before  |lo* lo* lo*|
 *  after   |lo*|1  |lo*|      |lo*|    4 VMAs
 *  or      |0*  1   2* |      |lo*|    2 VMAs
 */
static void a_part_of_a_locked_mapping_is_split_off_or_all_is_unlocked(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct ms_policy p = *late();
		struct world w;

		p.dontunmap_locked = (enum ms_policy_dontunmap_locked)i;
		w = world_of(&p, MS_THP_NEVER);
		map_anon(&w, A, 3 * PAGE, MS_PROT_RW);
		ms_mlock(w.mm, A, 3 * PAGE);
		assert_int_equal(copy_to(&w, A + PAGE, PAGE, B), (int64_t)B);
		assert_false(flags_at(&w, A + PAGE) & MS_VM_LOCKED);
		assert_int_equal(!!(flags_at(&w, A) & MS_VM_LOCKED), i);
		assert_int_equal(ms_mm_map_count(w.mm), i ? 4 : 2);
		world_end(&w);
	}
}

/*
 *          A                      B
 *  before  |ac  ac  ac |n  |
 *  after   |ac  ac  ac |n  |      |ac |
 *  or      |ac  ac  ac |ac |      |ac |    in 5.10
 */
static void a_copy_out_of_the_middle_may_charge_the_next_mapping(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct ms_policy p = *late();
		struct world w;

		p.dontunmap_account = (enum ms_policy_dontunmap_account)i;
		w = world_of(&p, MS_THP_NEVER);
		map_anon(&w, A, 3 * PAGE, MS_PROT_RW);
		map_anon(&w, A + 3 * PAGE, PAGE, MS_PROT_R);
		copy_to(&w, A + PAGE, PAGE, B);
		assert_int_equal(!!(flags_at(&w, A + 3 * PAGE) & MS_VM_ACCOUNT), !i);
		assert_true(flags_at(&w, A) & MS_VM_ACCOUNT);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_that_joins_its_source_is_moved_once),
		cmocka_unit_test(the_source_stays_empty_and_unlocked),
		cmocka_unit_test(an_untouched_copy_beside_its_source_joins_whom_the_kernel_lets),
		cmocka_unit_test(the_source_of_a_whole_touched_mapping_may_become_as_new),
		cmocka_unit_test(a_part_of_a_locked_mapping_is_split_off_or_all_is_unlocked),
		cmocka_unit_test(a_copy_out_of_the_middle_may_charge_the_next_mapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
