/* SPDX-License-Identifier: GPL-2.0-only */
/* mlock, munlock, and how ranges are populated. */
#include "world_of.h"

static void mlock_sets_the_flag_and_faults_every_page_in(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 4 * PAGE, MS_PROT_RW);
	assert_int_equal(ms_mlock(w.mm, A + PAGE, PAGE), 0);
	assert_int_equal(ms_mm_map_count(w.mm), 3);
	assert_true(flags_at(&w, A + PAGE) & MS_VM_LOCKED);
	assert_true(present(&w, A + PAGE));
	assert_false(present(&w, A));
	world_end(&w);
}

/*
 *  mlock    |lo* lo* lo* lo*|
 *  munlock  |0*  1* |lo* lo*|
 *  munlock  |0*  1*  2*  3* |
 */
static void munlock_takes_the_flag_only_and_the_parts_join(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 4 * PAGE, MS_PROT_RW);
	assert_int_equal(ms_mlock(w.mm, A, 4 * PAGE), 0);
	assert_int_equal(ms_munlock(w.mm, A, 2 * PAGE), 0);
	assert_vma(&w, A, A + 2 * PAGE);
	assert_int_equal(ms_munlock(w.mm, A + 2 * PAGE, 2 * PAGE), 0);
	assert_vma(&w, A, A + 4 * PAGE);
	assert_true(present(&w, A));
	world_end(&w);
}

/*
 *  VMA    |0   1   2   3  |
 *  mlock      []                the last byte of page 0 and the first of page 1
 *  after  |lo* lo*|2   3  |
 */
static void the_range_grows_to_whole_pages(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 4 * PAGE, MS_PROT_RW);
	assert_int_equal(ms_mlock(w.mm, A + PAGE - 1, 2), 0);
	assert_vma(&w, A, A + 2 * PAGE);
	assert_int_equal(ms_mlock(w.mm, A + 2 * PAGE, 0), 0);
	assert_false(flags_at(&w, A + 2 * PAGE) & MS_VM_LOCKED);
	assert_int_equal(ms_munlock(w.mm, A, UINT64_MAX), 0);
	world_end(&w);
}

/*
 *  before  |0  | . |2  |
 *  mlock   [-----------)    -ENOMEM
 *  after   |lo | . |2  |
 */
static void a_hole_is_ENOMEM_and_what_is_before_it_stays_locked(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, PAGE, MS_PROT_RW);
	map_anon(&w, A + 2 * PAGE, PAGE, MS_PROT_RW);
	assert_int_equal(ms_mlock(w.mm, A, 3 * PAGE), -ENOMEM);
	assert_true(flags_at(&w, A) & MS_VM_LOCKED);
	assert_false(flags_at(&w, A + 2 * PAGE) & MS_VM_LOCKED);
	assert_false(present(&w, A));
	assert_int_equal(ms_mlock(w.mm, A + PAGE, PAGE), -ENOMEM);
	assert_int_equal(ms_munlock(w.mm, A, 2 * PAGE), -ENOMEM);
	assert_false(flags_at(&w, A) & MS_VM_LOCKED);
	world_end(&w);
}

static void a_range_that_wraps_is_EINVAL(void **state)
{
	struct world w = world("6.12.117");

	assert_int_equal(ms_mlock(w.mm, A, UINT64_MAX - 2 * PAGE), -EINVAL);
	assert_int_equal(ms_munlock(w.mm, A, UINT64_MAX - 2 * PAGE), -EINVAL);
	world_end(&w);
}

static void device_and_hugetlb_memory_is_not_locked_and_no_error(void **state)
{
	struct driver d = { .ops = { .fault = driver_fault }, .vm_flags = MS_VM_PFNMAP };
	struct world w = world("6.12.117");

	map_shared(&w, driver_file(&w, &d), A, PAGE, 0);
	assert_int_equal(ms_mlock(w.mm, A, PAGE), 0);
	assert_false(flags_at(&w, A) & MS_VM_LOCKED);
	assert_false(present(&w, A));
	map_shared(&w, ms_memfd_hugetlb_new(w.m, MS_2M, MS_2M), B, MS_2M, 0);
	assert_int_equal(ms_mlock(w.mm, B, MS_2M), 0);
	assert_false(flags_at(&w, B) & MS_VM_LOCKED);
	assert_true(present(&w, B));
	world_end(&w);
}

static void what_cannot_be_faulted_in_is_ENOMEM_but_locked(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, PAGE, 0);
	assert_int_equal(ms_mlock(w.mm, A, PAGE), -ENOMEM);
	assert_true(flags_at(&w, A) & MS_VM_LOCKED);
	map_shared(&w, ms_memfd_new(w.m, PAGE), B, 2 * PAGE, 0);
	assert_int_equal(ms_mlock(w.mm, B, 2 * PAGE), -ENOMEM);
	assert_true(present(&w, B));
	world_end(&w);
}

static void no_memory_for_a_page_is_EAGAIN(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, PAGE, MS_PROT_RW);
	ms_machine_fail_alloc(w.m, 1);
	assert_int_equal(ms_mlock(w.mm, A, PAGE), -EAGAIN);
	assert_true(flags_at(&w, A) & MS_VM_LOCKED);
	world_end(&w);
}

/* private writable memory is written to, shared and read-only memory is read */
static void populate_writes_where_a_write_would_copy(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *f = ms_memfd_new(w.m, PAGE);
	struct ms_host_leaf leaf;

	assert_true(ms_mmap(w.mm, A, PAGE, MS_PROT_RW,
			    MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_POPULATE, f, 0) > 0);
	assert_true(ms_host_leaf(w.mm, A, &leaf));
	assert_true(leaf.entry & MS_PTE_DIRTY);
	assert_true(ms_mmap(w.mm, B, PAGE, MS_PROT_RW,
			    MS_MAP_SHARED | MS_MAP_FIXED | MS_MAP_POPULATE, f, 0) > 0);
	assert_true(ms_host_leaf(w.mm, B, &leaf));
	assert_false(leaf.entry & MS_PTE_DIRTY);
	world_end(&w);
}

/*
 *  mlock     |r*  r* |    zero pages
 *  mprotect  |rw*|r* |    a page of its own
 */
static void locked_memory_that_becomes_writable_is_copied_at_once(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);
		struct ms_host_leaf leaf;

		map_anon(&w, A, 2 * PAGE, MS_PROT_R);
		assert_int_equal(ms_mlock(w.mm, A, 2 * PAGE), 0);
		assert_int_equal(ms_mprotect(w.mm, A, PAGE, MS_PROT_RW), 0);
		assert_true(ms_host_leaf(w.mm, A, &leaf));
		assert_true(leaf.entry & MS_PTE_WRITE);
		assert_true(ms_host_leaf(w.mm, A + PAGE, &leaf));
		assert_false(leaf.entry & MS_PTE_WRITE);
		world_end(&w);
	}
}

/*
 *  file    0
 *  VMA    |0*  1  |    page 1 is beyond the end
 */
static void populate_of_mmap_forgives_errors(void **state)
{
	struct world w = world("6.12.117");

	assert_true(ms_mmap(w.mm, A, 2 * PAGE, MS_PROT_RW,
			    MS_MAP_SHARED | MS_MAP_FIXED | MS_MAP_POPULATE, ms_memfd_new(w.m, PAGE),
			    0) > 0);
	assert_true(present(&w, A));
	assert_false(present(&w, A + PAGE));
	world_end(&w);
}

static void populate_takes_huge_pages_in_one_step(void **state)
{
	struct world w = world_huge("6.12.117");

	assert_true(ms_mmap(w.mm, A, 2 * MS_2M, MS_PROT_RW,
			    MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_POPULATE | MS_MAP_ANONYMOUS,
			    NULL, 0) > 0);
	assert_int_equal(leaf_size(&w, A + MS_2M), MS_2M);
	assert_int_equal(ms_trace_count(w.m, MS_EV_HOST_FAULT), 2);
	world_end(&w);
}

/*
 * Up to 5.17 a page on its way to the LRU lists is copied by the next write to it, since it has
 * one reference more. mlock empties the queue: what it faulted in is reused, what it found is
 * queued once more.
 */
static bool next_write_copies(struct world *w, ms_hva_t addr)
{
	ms_pa_t pa = leaf_pa(w, addr);

	assert_int_equal(ms_mprotect(w->mm, addr, PAGE, MS_PROT_R), 0);
	assert_int_equal(ms_mprotect(w->mm, addr, PAGE, MS_PROT_RW), 0);
	touch(w, addr, MS_PROT_W);
	return leaf_pa(w, addr) != pa;
}

static void mlock_empties_the_queue_of_new_pages_up_to_5_17(void **state)
{
	struct world w = world("5.10.223");

	map_anon(&w, A, 3 * PAGE, MS_PROT_RW);
	touch(&w, A, MS_PROT_W);
	touch(&w, A + PAGE, MS_PROT_W);
	assert_int_equal(ms_mlock(w.mm, A, 3 * PAGE), 0);
	assert_false(next_write_copies(&w, A + 2 * PAGE));
	assert_false(next_write_copies(&w, A));
	map_anon(&w, B, PAGE, MS_PROT_RW);
	touch(&w, B, MS_PROT_W);
	assert_int_equal(ms_mlock(w.mm, B, PAGE), 0);
	assert_true(next_write_copies(&w, B));
	world_end(&w);
}

static void a_second_mlock_queues_nothing(void **state)
{
	struct world w = world("5.10.223");

	map_anon(&w, A, PAGE, MS_PROT_RW);
	assert_int_equal(ms_mlock(w.mm, A, PAGE), 0);
	assert_int_equal(ms_mlock(w.mm, A, PAGE), 0);
	assert_false(next_write_copies(&w, A));
	world_end(&w);
}

static void mlock_after_munlock_queues_the_page_up_to_5_17(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);

		map_anon(&w, A, PAGE, MS_PROT_RW);
		assert_int_equal(ms_mlock(w.mm, A, PAGE), 0);
		assert_int_equal(ms_munlock(w.mm, A, PAGE), 0);
		assert_int_equal(ms_mlock(w.mm, A, PAGE), 0);
		assert_int_equal(next_write_copies(&w, A),
				 k->anon_reuse == MS_ANON_REUSE_SOLE_REFERENCE);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mlock_sets_the_flag_and_faults_every_page_in),
		cmocka_unit_test(munlock_takes_the_flag_only_and_the_parts_join),
		cmocka_unit_test(the_range_grows_to_whole_pages),
		cmocka_unit_test(a_hole_is_ENOMEM_and_what_is_before_it_stays_locked),
		cmocka_unit_test(a_range_that_wraps_is_EINVAL),
		cmocka_unit_test(device_and_hugetlb_memory_is_not_locked_and_no_error),
		cmocka_unit_test(what_cannot_be_faulted_in_is_ENOMEM_but_locked),
		cmocka_unit_test(no_memory_for_a_page_is_EAGAIN),
		cmocka_unit_test(populate_writes_where_a_write_would_copy),
		cmocka_unit_test(locked_memory_that_becomes_writable_is_copied_at_once),
		cmocka_unit_test(populate_of_mmap_forgives_errors),
		cmocka_unit_test(populate_takes_huge_pages_in_one_step),
		cmocka_unit_test(mlock_empties_the_queue_of_new_pages_up_to_5_17),
		cmocka_unit_test(a_second_mlock_queues_nothing),
		cmocka_unit_test(mlock_after_munlock_queues_the_page_up_to_5_17),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
