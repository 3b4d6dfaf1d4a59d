/* SPDX-License-Identifier: GPL-2.0-only */
/* munmap: borders, order of events, what a driver's hooks see, which page tables go. */
#include "world.h"

struct hooks {
	ms_hva_t opened_start, opened_end;
	unsigned int opens, closes;
};

static void hook_open(struct ms_vma *vma)
{
	struct hooks *h = vma->vm_private_data;

	h->opens++;
	h->opened_start = vma->vm_start;
	h->opened_end = vma->vm_end;
}

static void hook_close(struct ms_vma *vma)
{
	((struct hooks *)vma->vm_private_data)->closes++;
}

static const struct ms_vm_ops hook_ops = { .open = hook_open, .close = hook_close };

static int hook_mmap(struct ms_file *file, struct ms_vma *vma)
{
	vma->vm_ops = &hook_ops;
	vma->vm_private_data = ms_file_priv(file);
	return 0;
}

static const struct ms_file_ops hook_fops = { .name = "hooks", .mmap = hook_mmap };

static struct world mapped_by_driver(const char *release, struct hooks *h)
{
	struct world w = world(release);
	struct ms_file *f =
		ms_file_new(w.m, &hook_fops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, h);

	assert_int_equal(ms_mmap(w.mm, A, 4 * PAGE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, f, 0),
			 (int64_t)A);
	return w;
}

static void bad_arguments_are_EINVAL(void **state)
{
	struct world w = world("6.12.117");

	assert_int_equal(ms_munmap(w.mm, A + 1, PAGE), -EINVAL);
	assert_int_equal(ms_munmap(w.mm, A, 0), -EINVAL);
	assert_int_equal(ms_munmap(w.mm, UINT64_C(1) << 48, PAGE), -EINVAL);
	assert_int_equal(ms_munmap(w.mm, A, UINT64_MAX), -EINVAL);
	world_end(&w);
}

static void munmap_of_nothing_succeeds_without_events(void **state)
{
	struct world w = world("6.12.117");

	assert_int_equal(ms_munmap(w.mm, A, PAGE), 0);
	assert_int_equal(ms_trace_count(w.m, MS_EV_NOTIFIER_START), 0);
	assert_int_equal(ms_trace_count(w.m, MS_EV_ZAP), 0);
	world_end(&w);
}

/*
 *  before    |a  | .   . |b  |
 *  notifier  [---------------)    one of the call
 *  zap       [---)       [---)    one of each VMA
 */
static void each_call_has_one_notifier_and_each_vma_one_zap(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, PAGE, MS_PROT_RW);
	map_anon(&w, A + 3 * PAGE, PAGE, MS_PROT_RW);
	assert_int_equal(ms_munmap(w.mm, A, 4 * PAGE), 0);
	assert_int_equal(ms_trace_count(w.m, MS_EV_NOTIFIER_START), 1);
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A, 4 * PAGE);
	assert_event(&w, MS_EV_ZAP, 0, A, PAGE);
	assert_event(&w, MS_EV_ZAP, 1, A + 3 * PAGE, PAGE);
	world_end(&w);
}

/*
 *  before  |0   1   2   3  |
 *  after   |0   1  | .   .      open has seen [2, 4)
 */
static void munmap_of_a_tail_opens_the_dying_part_up_to_6_5(void **state)
{
	struct hooks h = { 0 };
	struct world w = mapped_by_driver("6.1.192", &h);

	assert_int_equal(ms_munmap(w.mm, A + 2 * PAGE, 2 * PAGE), 0);
	assert_int_equal(h.opens, 1);
	assert_int_equal(h.opened_start, A + 2 * PAGE);
	assert_int_equal(h.closes, 1);
	world_end(&w);
}

/*
 *  before  |0   1   2   3  |
 *  after   |0   1  | .   .      open has seen [0, 2)
 */
static void munmap_of_a_tail_opens_the_kept_part_from_6_6(void **state)
{
	struct hooks h = { 0 };
	struct world w = mapped_by_driver("6.12.117", &h);

	assert_int_equal(ms_munmap(w.mm, A + 2 * PAGE, 2 * PAGE), 0);
	assert_int_equal(h.opens, 1);
	assert_int_equal(h.opened_start, A);
	assert_int_equal(h.opened_end, A + 2 * PAGE);
	assert_int_equal(h.closes, 1);
	assert_vma(&w, A, A + 2 * PAGE);
	world_end(&w);
}

/*
 * What is above a cut is the new VMA, whether it stays or dies:
 *
 *  before  |0   1   2   3  |
 *  head     .  |1   2   3  |    open has seen [1, 4), which stays
 *  tail     .  |1   2  | .      open has seen [3, 4), which dies
 */
static void munmap_of_both_ends_opens_the_upper_part_where_the_kernel_splits_that_off(void **state)
{
	struct hooks h = { 0 };
	struct world w = mapped_by_driver("6.4", &h);

	assert_int_equal(ms_munmap(w.mm, A, PAGE), 0);
	assert_int_equal(h.opens, 1);
	assert_int_equal(h.opened_start, A + PAGE); // stays
	assert_int_equal(ms_munmap(w.mm, A + 3 * PAGE, PAGE), 0);
	assert_int_equal(h.opens, 2);
	assert_int_equal(h.opened_start, A + 3 * PAGE); // dies
	assert_vma(&w, A + PAGE, A + 3 * PAGE);
	world_end(&w);
}

/*
 *  before  |0   1   2   3  |
 *  after   |0  | . |2   3  |
 */
static void munmap_of_the_middle_leaves_two_vmas(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct hooks h = { 0 };
		struct world w = mapped_by_driver(k->release, &h);

		assert_int_equal(ms_munmap(w.mm, A + PAGE, PAGE), 0);
		assert_vma(&w, A, A + PAGE);
		assert_vma(&w, A + 2 * PAGE, A + 4 * PAGE);
		assert_int_equal(ms_vma_lookup(w.mm, A + 2 * PAGE)->vm_pgoff, 2);
		assert_int_equal(h.opens, 2);
		assert_int_equal(h.closes, 1);
		world_end(&w);
	}
}

/*
 *              A                             A + 2M
 *  VMA         |-----------------------------|*----------------------------|
 *  munmap          [4K)
 *  notifier 1  [-----------------------------)    because a table of PMD entries is there
 *  notifier 2      [4K)
 */
static void a_split_inside_a_2m_notifies_the_2m_first(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 2 * MS_2M, MS_PROT_RW);
	assert_int_equal(ms_touch(w.mm, A + MS_2M, MS_PROT_W), MS_ACCESS_OK);
	ms_trace_clear(w.m);
	assert_int_equal(ms_munmap(w.mm, A + PAGE, PAGE), 0);
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A, MS_2M);
	assert_event(&w, MS_EV_NOTIFIER_START, 1, A + PAGE, PAGE);
	assert_null(event(&w, MS_EV_NOTIFIER_START, 2));
	world_end(&w);
}

/*
 *              A                             A + 2M
 *  VMA         |-----------------------------|-----------------------------|
 *  munmap          [4K)
 *  notifier        [4K)
 */
static void without_a_pmd_table_a_split_notifies_nothing_of_its_own(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 2 * MS_2M, MS_PROT_RW);
	assert_int_equal(ms_munmap(w.mm, A + PAGE, PAGE), 0);
	assert_int_equal(ms_trace_count(w.m, MS_EV_NOTIFIER_START), 1);
	world_end(&w);
}

/*
 * The page table goes with the last VMA that shares it, and only then may a huge page come:
 *
 *           A           A + 2M
 *  before   |rw*| . |rw |
 *  munmap    .   .   .
 *  touched  |-----2M*---|
 */
static void page_tables_go_when_no_neighbour_shares_them(void **state)
{
	struct world w = world_huge("6.12.117");
	struct ms_host_leaf leaf;

	map_anon(&w, A, PAGE, MS_PROT_RW);
	map_anon(&w, A + 2 * PAGE, PAGE, MS_PROT_RW);
	ms_touch(w.mm, A, MS_PROT_W);
	ms_munmap(w.mm, A, PAGE);
	ms_munmap(w.mm, A + 2 * PAGE, PAGE);
	map_anon(&w, A, MS_2M, MS_PROT_RW);
	ms_touch(w.mm, A, MS_PROT_W);
	assert_true(ms_host_leaf(w.mm, A, &leaf));
	assert_int_equal(leaf.size, MS_2M);
	world_end(&w);
}

static void every_failing_allocation_leaves_the_vma_as_it_was(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		int err = -ENOMEM;

		for (uint64_t n = 1; err; n++) {
			struct hooks h = { 0 };
			struct world w = mapped_by_driver(k->release, &h);

			ms_machine_fail_alloc(w.m, n);
			err = ms_munmap(w.mm, A + PAGE, PAGE);
			ms_machine_fail_alloc(w.m, 0);
			if (err) {
				assert_int_equal(err, -ENOMEM);
				assert_non_null(ms_vma_lookup(w.mm, A + PAGE));
				assert_int_equal(ms_munmap(w.mm, A + PAGE, PAGE), 0);
			}
			assert_null(ms_vma_lookup(w.mm, A + PAGE));
			world_end(&w);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_arguments_are_EINVAL),
		cmocka_unit_test(munmap_of_nothing_succeeds_without_events),
		cmocka_unit_test(each_call_has_one_notifier_and_each_vma_one_zap),
		cmocka_unit_test(munmap_of_a_tail_opens_the_dying_part_up_to_6_5),
		cmocka_unit_test(munmap_of_a_tail_opens_the_kept_part_from_6_6),
		cmocka_unit_test(
			munmap_of_both_ends_opens_the_upper_part_where_the_kernel_splits_that_off),
		cmocka_unit_test(munmap_of_the_middle_leaves_two_vmas),
		cmocka_unit_test(a_split_inside_a_2m_notifies_the_2m_first),
		cmocka_unit_test(without_a_pmd_table_a_split_notifies_nothing_of_its_own),
		cmocka_unit_test(page_tables_go_when_no_neighbour_shares_them),
		cmocka_unit_test(every_failing_allocation_leaves_the_vma_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
