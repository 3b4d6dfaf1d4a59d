/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Huge pages of anonymous memory: when they come, how they are split, what a write to the zero page
 * does.
 */
#include "world.h"

static uint64_t leaf_size(const struct world *w, ms_hva_t addr)
{
	struct ms_host_leaf leaf;

	return ms_host_leaf(w->mm, addr, &leaf) ? leaf.size : 0;
}

static void an_aligned_2m_inside_the_vma_gets_a_huge_page(void **state)
{
	struct world w = world_huge("6.12.117");

	//   A+1p            A+2M            A+4M
	//    |--- 4K pages ---|----- huge -----|
	map_anon(&w, A + PAGE, 2 * MS_2M - PAGE, MS_PROT_RW);
	assert_int_equal(ms_touch(w.mm, A + 5 * PAGE, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_touch(w.mm, A + MS_2M + 5 * PAGE, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(leaf_size(&w, A + 5 * PAGE), PAGE);
	assert_int_equal(leaf_size(&w, A + MS_2M), MS_2M);
	world_end(&w);
}

static void the_switch_and_the_advice_decide(void **state)
{
	struct world w = world_thp("6.12.117", MS_ARCH_ARM64, MS_THP_MADVISE);

	map_anon(&w, A, 2 * MS_2M, MS_PROT_RW);
	assert_int_equal(ms_madvise(w.mm, A, MS_2M, MS_MADV_HUGEPAGE), 0);
	ms_touch(w.mm, A, MS_PROT_W);
	ms_touch(w.mm, A + MS_2M, MS_PROT_W);
	assert_int_equal(leaf_size(&w, A), MS_2M);
	assert_int_equal(leaf_size(&w, A + MS_2M), PAGE);
	world_end(&w);
}

static void a_page_table_in_the_way_keeps_pages(void **state)
{
	struct world w = world_huge("6.12.117");

	map_anon(&w, A, PAGE, MS_PROT_RW);
	ms_touch(w.mm, A, MS_PROT_W);
	map_anon(&w, A + PAGE, MS_2M - PAGE, MS_PROT_RW);
	ms_touch(w.mm, A + 9 * PAGE, MS_PROT_W);
	assert_int_equal(leaf_size(&w, A + 9 * PAGE), PAGE);
	world_end(&w);
}

static void a_write_to_the_huge_zero_page_copies_one_page_up_to_6_12(void **state)
{
	struct world w = world_huge("6.12.117");

	map_anon(&w, A, MS_2M, MS_PROT_RW);
	ms_touch(w.mm, A, MS_PROT_R);
	assert_int_equal(leaf_size(&w, A), MS_2M);
	ms_trace_clear(w.m);
	ms_touch(w.mm, A + PAGE, MS_PROT_W);
	assert_int_equal(leaf_size(&w, A + PAGE), PAGE);
	assert_true(present(&w, A + MS_2M - PAGE));
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A, MS_2M);
	assert_event(&w, MS_EV_NOTIFIER_START, 1, A + PAGE, PAGE);
	world_end(&w);
}

static void a_write_to_the_huge_zero_page_gets_a_huge_page_from_6_13(void **state)
{
	struct world w = world_huge("7.2.13");

	map_anon(&w, A, MS_2M, MS_PROT_RW);
	ms_touch(w.mm, A, MS_PROT_R);
	ms_trace_clear(w.m);
	ms_touch(w.mm, A + PAGE, MS_PROT_W);
	assert_int_equal(leaf_size(&w, A), MS_2M);
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A, MS_2M);
	assert_null(event(&w, MS_EV_NOTIFIER_START, 1));
	world_end(&w);
}

/*
 * Some kernels make pages writable at once that are marked as written, which a split does not tell:
 *
 *   | rw, 2M, written |  ->  | rw | r | rw ... |  ->  | rw | rw, not yet writable | rw ... |
 */
static void pages_of_a_split_huge_page_are_clean_up_to_6_1(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		struct world w = world_huge(k->release);
		const bool dirty = k->thp_split_dirty == MS_THP_SPLIT_DIRTY_CARRIED;
		struct ms_host_leaf leaf;

		map_anon(&w, A, MS_2M, MS_PROT_RW);
		ms_touch(w.mm, A, MS_PROT_W);
		assert_int_equal(ms_mprotect(w.mm, A + PAGE, PAGE, MS_PROT_R), 0);
		assert_int_equal(ms_mprotect(w.mm, A + PAGE, PAGE, MS_PROT_RW), 0);
		assert_true(ms_host_leaf(w.mm, A, &leaf));
		assert_true(leaf.entry & MS_PTE_WRITE);
		assert_true(ms_host_leaf(w.mm, A + PAGE, &leaf));
		assert_int_equal(
			!!(leaf.entry & MS_PTE_WRITE),
			k->mprotect_pte_upgrade == MS_MPROTECT_PTE_UPGRADE_ANON_ANY ||
				(k->mprotect_pte_upgrade == MS_MPROTECT_PTE_UPGRADE_ANON_DIRTY &&
				 dirty));
		world_end(&w);
	}
}

static void munmap_of_a_part_splits_and_keeps_the_other_pages(void **state)
{
	struct world w = world_huge("6.12.117");
	uint64_t before = ms_ram_free_pages(w.m);

	map_anon(&w, A, MS_2M, MS_PROT_RW);
	ms_touch(w.mm, A, MS_PROT_W);
	assert_int_equal(ms_munmap(w.mm, A + PAGE, PAGE), 0);
	assert_true(present(&w, A));
	assert_false(present(&w, A + PAGE));
	assert_true(present(&w, A + 2 * PAGE));
	assert_int_equal(ms_munmap(w.mm, A, MS_2M), 0);
	assert_int_equal(ms_ram_free_pages(w.m), before);
	world_end(&w);
}

static void a_whole_huge_page_stays_huge_over_mprotect_and_its_write_bit_is_the_kernels(
	void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world_huge(k->release);
		struct ms_host_leaf leaf;

		map_anon(&w, A, MS_2M, MS_PROT_RW);
		ms_touch(w.mm, A, MS_PROT_W);
		assert_int_equal(ms_mprotect(w.mm, A, MS_2M, MS_PROT_R), 0);
		assert_int_equal(ms_mprotect(w.mm, A, MS_2M, MS_PROT_RW), 0);
		assert_true(ms_host_leaf(w.mm, A, &leaf));
		assert_int_equal(leaf.size, MS_2M);
		assert_int_equal(!!(leaf.entry & MS_PTE_WRITE),
				 k->mprotect_pmd_upgrade == MS_MPROTECT_PMD_UPGRADE_ANON_EXCLUSIVE);
		world_end(&w);
	}
}

static void a_split_never_fails_for_want_of_memory(void **state)
{
	struct world w = world_huge("6.12.117");

	map_anon(&w, A, MS_2M, MS_PROT_RW);
	ms_touch(w.mm, A, MS_PROT_W);
	// the first allocation of DONTNEED would be the split's
	ms_machine_fail_alloc(w.m, 1);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_DONTNEED), 0);
	assert_int_equal(leaf_size(&w, A + PAGE), PAGE);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_aligned_2m_inside_the_vma_gets_a_huge_page),
		cmocka_unit_test(the_switch_and_the_advice_decide),
		cmocka_unit_test(a_page_table_in_the_way_keeps_pages),
		cmocka_unit_test(a_write_to_the_huge_zero_page_copies_one_page_up_to_6_12),
		cmocka_unit_test(a_write_to_the_huge_zero_page_gets_a_huge_page_from_6_13),
		cmocka_unit_test(pages_of_a_split_huge_page_are_clean_up_to_6_1),
		cmocka_unit_test(munmap_of_a_part_splits_and_keeps_the_other_pages),
		cmocka_unit_test(
			a_whole_huge_page_stays_huge_over_mprotect_and_its_write_bit_is_the_kernels),
		cmocka_unit_test(a_split_never_fails_for_want_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
