/* SPDX-License-Identifier: GPL-2.0-only */
/* hugetlb memory: fork, unmapping, protection, moves, holes. */
#include "files.h"

#define B (A + 4 * MS_1G) /* a second place */
#define K64 UINT64_C(0x10000)
#define M32 UINT64_C(0x2000000)

/* ---- fork ---- */

static void fork_of_a_private_mapping_copies_on_the_next_write(void **state)
{
	struct world w = world("6.12.117");
	struct ms_mm *child;
	ms_pa_t pa;

	map_file(&w, hugetlb(&w, MS_2M, MS_2M), A, 0, MS_2M, MS_MAP_PRIVATE);
	touch(&w, A, MS_PROT_W);
	pa = pa_of(w.mm, A);
	ms_trace_clear(w.m);
	child = ms_fork(w.mm);
	assert_non_null(child);
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A, MS_2M);
	assert_int_equal(notifications(&w), 1);
	assert_int_equal(pa_of(child, A), pa);
	touch(&w, A, MS_PROT_W);
	assert_int_not_equal(pa_of(w.mm, A), pa);
	assert_int_equal(pa_of(child, A), pa);
	assert_event(&w, MS_EV_NOTIFIER_START, 1, A, MS_2M);
	ms_mm_exit(child);
	world_end(&w);
}

static void fork_copies_a_shared_mapping_up_to_5_19(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);
		struct ms_mm *child;

		map_file(&w, hugetlb(&w, MS_2M, MS_2M), A, 0, MS_2M, MS_MAP_SHARED);
		touch(&w, A, MS_PROT_W);
		ms_trace_clear(w.m);
		child = ms_fork(w.mm);
		assert_non_null(child);
		assert_int_equal(leaf_size(child, A) != 0,
				 k->hugetlb_fork == MS_HUGETLB_FORK_COPIES);
		assert_int_equal(notifications(&w), 0);
		assert_int_equal(ms_touch(child, A, MS_PROT_R), MS_ACCESS_OK);
		assert_int_equal(pa_of(child, A), pa_of(w.mm, A));
		ms_mm_exit(child);
		world_end(&w);
	}
}

static void a_fork_without_memory_fails_and_leaves_nothing(void **state)
{
	struct world w = world("6.12.117");
	struct ms_mm *child = NULL;
	ms_pa_t pa;

	map_file(&w, hugetlb(&w, MS_2M, MS_2M), A, 0, MS_2M, MS_MAP_PRIVATE);
	touch(&w, A, MS_PROT_W);
	pa = pa_of(w.mm, A);
	for (uint64_t n = 1; !child; n++) {
		ms_machine_fail_alloc(w.m, n);
		child = ms_fork(w.mm);
		ms_machine_fail_alloc(w.m, 0);
		if (!child)
			assert_int_equal(errno, ENOMEM);
	}
	ms_mm_exit(child);
	touch(&w, A, MS_PROT_W);
	assert_int_equal(pa_of(w.mm, A), pa);
	world_end(&w);
}

/* ---- unmapping ---- */

static void old_kernels_notify_a_second_time_from_inside_of_the_unmap(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);

		const size_t count =
			k->hugetlb_unmap_notify == MS_HUGETLB_UNMAP_NOTIFY_TWICE ? 2 : 1;

		map_file(&w, hugetlb(&w, 2 * MS_2M, MS_2M), A, 0, 2 * MS_2M, MS_MAP_SHARED);
		touch(&w, A, MS_PROT_W);
		ms_trace_clear(w.m);
		assert_int_equal(ms_munmap(w.mm, A - MS_2M, 2 * MS_2M), 0);
		assert_int_equal(notifications(&w), count);
		assert_event(&w, MS_EV_NOTIFIER_START, 0, A - MS_2M, 2 * MS_2M);
		if (count == 2)
			assert_event(&w, MS_EV_NOTIFIER_START, 1, A, MS_2M);
		assert_event(&w, MS_EV_ZAP, 0, A, MS_2M);
		world_end(&w);
	}
}

static void a_part_of_a_huge_page_cannot_be_cut_off(void **state)
{
	struct world w = world("6.12.117");

	map_file(&w, hugetlb(&w, 2 * MS_2M, MS_2M), A, 0, 2 * MS_2M, MS_MAP_SHARED);
	assert_int_equal(ms_munmap(w.mm, A, PAGE), -EINVAL);
	assert_int_equal(ms_munmap(w.mm, A + PAGE, MS_2M - PAGE), -EINVAL);
	assert_int_equal(ms_mprotect(w.mm, A, PAGE, MS_PROT_R), -EINVAL);
	assert_vma(&w, A, A + 2 * MS_2M);
	assert_int_equal(ms_munmap(w.mm, A, MS_2M), 0);
	assert_vma(&w, A + MS_2M, A + 2 * MS_2M);
	world_end(&w);
}

static void unmapping_a_part_of_a_huge_page_from_within_is_a_violation(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = hugetlb(&w, MS_2M, MS_2M);

	map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
	touch(&w, A, MS_PROT_W);
	ms_unmap_mapping_range(file, 0, PAGE, true);
	assert_int_equal(ms_trace_total(w.m, MS_EV_VIOLATION), 1);
	assert_true(present(&w, A));
	world_end(&w);
}

/*
 *    VMA          |--2M--[====== 1G ======][====== 1G ======]--2M--|
 *    unmapped                       ##                                  2M
 *    notified            [================]
 */
static void a_zap_where_tables_may_be_shared_notifies_whole_1g(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = hugetlb(&w, MS_2M, MS_2M);
	const ms_hva_t at = A + MS_1G - MS_2M;
	const unsigned int flags = MS_MAP_SHARED | MS_MAP_FIXED | MS_MAP_NORESERVE;

	assert_int_equal(ms_mmap(w.mm, at, 2 * MS_1G + 2 * MS_2M, MS_PROT_RW, flags, file, 0), at);
	assert_int_equal(ms_madvise(w.mm, A + MS_1G + 8 * MS_2M, MS_2M, MS_MADV_DONTNEED), 0);
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A + MS_1G, MS_1G);
	assert_event(&w, MS_EV_ZAP, 0, A + MS_1G + 8 * MS_2M, MS_2M);
	// outside of what a table could be shared for: as it is
	assert_int_equal(ms_madvise(w.mm, at, MS_2M, MS_MADV_DONTNEED), 0);
	assert_event(&w, MS_EV_NOTIFIER_START, 1, at, MS_2M);
	world_end(&w);
}

/* A border outside of what a table could be shared for stays where it is. */
static void each_border_is_widened_for_itself(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = hugetlb(&w, MS_2M, MS_2M);
	const ms_hva_t at = A + MS_1G - 2 * MS_2M;
	const unsigned int flags = MS_MAP_SHARED | MS_MAP_FIXED | MS_MAP_NORESERVE;
	ms_hva_t start = at + MS_2M, end = A + MS_1G + MS_2M;

	assert_int_equal(ms_mmap(w.mm, at, MS_1G + 4 * MS_2M, MS_PROT_RW, flags, file, 0), at);
	ms_hugetlb_widen(ms_vma_lookup(w.mm, at), &start, &end);
	assert_int_equal(start, at + MS_2M);
	assert_int_equal(end, A + 2 * MS_1G);
	start = A + MS_1G + MS_2M;
	end = A + 2 * MS_1G + MS_2M;
	ms_hugetlb_widen(ms_vma_lookup(w.mm, at), &start, &end);
	assert_int_equal(start, A + MS_1G);
	assert_int_equal(end, A + 2 * MS_1G + MS_2M);
	world_end(&w);
}

static void private_mappings_are_never_widened(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = hugetlb(&w, MS_2M, MS_2M);
	const unsigned int flags = MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_NORESERVE;
	ms_hva_t start = A + MS_2M, end = start + MS_2M;

	assert_int_equal(ms_mmap(w.mm, A, MS_1G, MS_PROT_RW, flags, file, 0), A);
	ms_hugetlb_widen(ms_vma_lookup(w.mm, A), &start, &end);
	assert_int_equal(start, A + MS_2M);
	assert_int_equal(end, A + 2 * MS_2M);
	world_end(&w);
}

static void a_split_inside_of_a_1g_ends_the_sharing_of_its_table_first(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);
		struct ms_file *file = hugetlb(&w, MS_2M, MS_2M);
		const unsigned int flags = MS_MAP_SHARED | MS_MAP_FIXED | MS_MAP_NORESERVE;
		const bool told = k->hugetlb_split == MS_HUGETLB_SPLIT_NOTIFY_1G;
		struct ms_vma *vma;

		assert_int_equal(ms_mmap(w.mm, A, 2 * MS_1G, MS_PROT_RW, flags, file, 0), A);
		vma = ms_vma_lookup(w.mm, A);
		ms_hugetlb_split(vma, A + MS_1G);
		assert_int_equal(notifications(&w), 0);
		ms_hugetlb_split(vma, A + MS_1G + MS_2M);
		assert_int_equal(notifications(&w), told);
		if (told)
			assert_event(&w, MS_EV_NOTIFIER_START, 0, A + MS_1G, MS_1G);
		world_end(&w);
	}
}

/* ---- protection, moves, holes ---- */

static void mprotect_changes_every_entry_and_notifies_the_range(void **state)
{
	struct world w = world("6.12.117");

	map_file(&w, hugetlb(&w, 4 * K64, K64), A, 0, 4 * K64, MS_MAP_SHARED);
	touch(&w, A, MS_PROT_W);
	ms_trace_clear(w.m);
	assert_int_equal(ms_mprotect(w.mm, A, 2 * K64, MS_PROT_R), 0);
	assert_false(writable(&w, A));
	assert_false(writable(&w, A + K64 - PAGE));
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A, 2 * K64);
	assert_int_equal(ms_mprotect(w.mm, A, 2 * K64, MS_PROT_RW), 0);
	assert_true(writable(&w, A + K64 - PAGE));
	world_end(&w);
}

static bool is_valid(struct world *w, ms_hva_t addr)
{
	struct ms_host_leaf leaf;

	assert_true(ms_host_leaf(w->mm, addr, &leaf));
	return ms_host_leaf_is_valid(w->mm, &leaf);
}

static void contiguous_pages_but_not_pmds_stay_valid_without_any_right_up_to_6_12(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);

		map_file(&w, hugetlb(&w, K64, K64), A, 0, K64, MS_MAP_SHARED);
		map_file(&w, hugetlb(&w, M32, M32), B, 0, M32, MS_MAP_SHARED);
		touch(&w, A, MS_PROT_W);
		touch(&w, B, MS_PROT_W);
		assert_int_equal(ms_mprotect(w.mm, A, K64, 0), 0);
		assert_int_equal(ms_mprotect(w.mm, B, M32, 0), 0);
		assert_int_equal(is_valid(&w, A + K64 - PAGE),
				 k->hugetlb_contiguous == MS_HUGETLB_CONTIGUOUS_ALWAYS_VALID);
		assert_false(is_valid(&w, B + M32 - PAGE));
		assert_int_not_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
		world_end(&w);
	}
}

static void a_private_page_made_writable_again_waits_for_the_next_write(void **state)
{
	struct world w = world("6.12.117");
	ms_pa_t pa;

	map_file(&w, hugetlb(&w, MS_2M, MS_2M), A, 0, MS_2M, MS_MAP_PRIVATE);
	touch(&w, A, MS_PROT_W);
	pa = pa_of(w.mm, A);
	assert_int_equal(ms_mprotect(w.mm, A, MS_2M, MS_PROT_R), 0);
	assert_int_equal(ms_mprotect(w.mm, A, MS_2M, MS_PROT_RW), 0);
	assert_false(writable(&w, A));
	touch(&w, A, MS_PROT_W);
	assert_int_equal(pa_of(w.mm, A), pa);
	world_end(&w);
}

static void mremap_moves_the_entries_where_it_is_allowed(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);
		const bool moves = k->hugetlb_mremap == MS_HUGETLB_MREMAP_ALLOWED;
		ms_pa_t pa;

		map_file(&w, hugetlb(&w, 2 * MS_2M, MS_2M), A, 0, 2 * MS_2M, MS_MAP_SHARED);
		touch(&w, A, MS_PROT_W);
		pa = pa_of(w.mm, A);
		assert_int_equal(ms_mremap(w.mm, A, 2 * MS_2M, 2 * MS_2M,
					   MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, B),
				 moves ? (int64_t)B : -EINVAL);
		assert_int_equal(pa_of(w.mm, moves ? B : A), pa);
		assert_false(present(&w, moves ? A : B));
		world_end(&w);
	}
}

static void moving_notifies_and_carries_every_entry(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = hugetlb(&w, 4 * K64, K64);
	ms_pa_t pa;

	map_file(&w, file, A, 0, 2 * K64, MS_MAP_SHARED);
	map_file(&w, file, B, 0, 2 * K64, MS_MAP_SHARED);
	touch(&w, A + K64, MS_PROT_W);
	pa = pa_of(w.mm, A + K64);
	ms_trace_clear(w.m);
	assert_int_equal(
		ms_hugetlb_move(ms_vma_lookup(w.mm, A), ms_vma_lookup(w.mm, B), A, B, 2 * K64), 0);
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A, 2 * K64);
	for (uint64_t off = 0; off < K64; off += PAGE) {
		assert_false(present(&w, A + K64 + off));
		assert_int_equal(pa_of(w.mm, B + K64 + off), pa + off);
	}
	world_end(&w);
}

static void a_hole_takes_whole_huge_pages_from_every_mapping(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);
		struct ms_file *file = hugetlb(&w, 4 * MS_2M, MS_2M);
		uint64_t free_pages;

		map_file(&w, file, A, 0, 4 * MS_2M, MS_MAP_SHARED);
		for (uint64_t j = 0; j < 4; j++)
			touch(&w, A + j * MS_2M, MS_PROT_W);
		free_pages = ms_ram_free_pages(w.m);
		ms_trace_clear(w.m);
		assert_int_equal(ms_hugetlb_punch_hole(file, PAGE, 3 * MS_2M), 0);
		assert_event(&w, MS_EV_ZAP, 0, A + MS_2M, 2 * MS_2M);
		assert_event(&w, MS_EV_NOTIFIER_START, 0, A + MS_2M, 2 * MS_2M);
		assert_int_equal(notifications(&w), 1);
		assert_int_equal(ms_ram_free_pages(w.m), free_pages + 1024);
		assert_true(present(&w, A));
		assert_false(present(&w, A + MS_2M));
		assert_true(present(&w, A + 3 * MS_2M));
		assert_int_equal(ms_hugetlb_punch_hole(file, PAGE, MS_2M), 0);
		assert_int_equal(notifications(&w), 1);
		world_end(&w);
	}
}

/*
 *  file  |hole|    |
 *  A     |----|           B  |----|   begins where the hole ends
 */
static void a_hole_asks_the_mapping_behind_it_to_unmap_nothing_up_to_5_16(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);
		struct ms_file *file = hugetlb(&w, 2 * MS_2M, MS_2M);
		const bool next = k->hugetlb_hole == MS_HUGETLB_HOLE_TOUCHES_NEXT;

		map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
		map_file(&w, file, B, MS_2M, MS_2M, MS_MAP_SHARED);
		touch(&w, B, MS_PROT_W);
		ms_trace_clear(w.m);
		assert_int_equal(ms_hugetlb_punch_hole(file, 0, MS_2M), 0);
		assert_int_equal(ms_trace_count(w.m, MS_EV_ZAP), next ? 2 : 1);
		assert_event(&w, MS_EV_ZAP, 0, A, MS_2M);
		if (next)
			assert_event(&w, MS_EV_ZAP, 1, B, 0);
		assert_true(present(&w, B));
		world_end(&w);
	}
}

/*
 * Is the notification before the `zap` (outside of the unmap), or behind it (inside, or because the
 * caller says `zap` before it notifies)?
 */
static void a_hole_notifies_before_the_zap_or_behind_it(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);
		struct ms_file *file = hugetlb(&w, MS_2M, MS_2M);

		map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
		ms_trace_clear(w.m);
		assert_int_equal(ms_hugetlb_punch_hole(file, 0, MS_2M), 0);
		assert_int_equal(ms_trace_get(w.m, 0)->type,
				 k->hugetlb_unmap_notify == MS_HUGETLB_UNMAP_NOTIFY_ONCE &&
						 k->hugetlb_zap == MS_HUGETLB_ZAP_BY_ITSELF
					 ? MS_EV_NOTIFIER_START
					 : MS_EV_ZAP);
		world_end(&w);
	}
}

/*
 * A kernel of no release: hugetlb memory moves, and the VMA is looked up when the destination is
 * empty.
 */
static void a_move_is_by_whole_huge_pages_whenever_the_vma_is_looked_up(void **state)
{
	struct ms_policy policy = *ms_policy_linux("6.12.117", MS_ARCH_ARM64);
	struct world w = { 0 };

	policy.mremap_fixed_order = MS_MREMAP_FIXED_ORDER_DEST_FIRST;
	policy.mremap_inplace_needs_vma = MS_MREMAP_INPLACE_NEEDS_VMA_NO;
	policy.mremap_may_split = MS_MREMAP_MAY_SPLIT_NOT_ASKED;
	w.m = ms_machine_new(&policy);
	assert_int_equal(ms_ram_add(w.m, MS_1G, MS_1G), 0);
	w.mm = ms_mm_new(w.m);
	map_file(&w, hugetlb(&w, 2 * MS_2M, MS_2M), A, 0, 2 * MS_2M, MS_MAP_SHARED);
	assert_int_equal(ms_mremap(w.mm, A, MS_2M, MS_2M, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED,
				   A + MS_1G + PAGE),
			 -EINVAL);
	assert_int_equal(ms_mremap(w.mm, A, MS_2M, 2 * MS_2M, MS_MREMAP_MAYMOVE, 0), -EINVAL);
	assert_int_equal(
		ms_mremap(w.mm, A, PAGE, PAGE, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, A + MS_1G),
		A + MS_1G);
	assert_vma(&w, A + MS_1G, A + MS_1G + MS_2M);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_move_is_by_whole_huge_pages_whenever_the_vma_is_looked_up),
		cmocka_unit_test(fork_of_a_private_mapping_copies_on_the_next_write),
		cmocka_unit_test(fork_copies_a_shared_mapping_up_to_5_19),
		cmocka_unit_test(a_fork_without_memory_fails_and_leaves_nothing),
		cmocka_unit_test(old_kernels_notify_a_second_time_from_inside_of_the_unmap),
		cmocka_unit_test(a_part_of_a_huge_page_cannot_be_cut_off),
		cmocka_unit_test(unmapping_a_part_of_a_huge_page_from_within_is_a_violation),
		cmocka_unit_test(a_zap_where_tables_may_be_shared_notifies_whole_1g),
		cmocka_unit_test(each_border_is_widened_for_itself),
		cmocka_unit_test(private_mappings_are_never_widened),
		cmocka_unit_test(a_split_inside_of_a_1g_ends_the_sharing_of_its_table_first),
		cmocka_unit_test(mprotect_changes_every_entry_and_notifies_the_range),
		cmocka_unit_test(
			contiguous_pages_but_not_pmds_stay_valid_without_any_right_up_to_6_12),
		cmocka_unit_test(a_private_page_made_writable_again_waits_for_the_next_write),
		cmocka_unit_test(mremap_moves_the_entries_where_it_is_allowed),
		cmocka_unit_test(moving_notifies_and_carries_every_entry),
		cmocka_unit_test(a_hole_takes_whole_huge_pages_from_every_mapping),
		cmocka_unit_test(a_hole_asks_the_mapping_behind_it_to_unmap_nothing_up_to_5_16),
		cmocka_unit_test(a_hole_notifies_before_the_zap_or_behind_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
