/* SPDX-License-Identifier: GPL-2.0-only */
/* fork: what the child has, who is told, in which order a driver is asked; and exit. */
#include "world.h"

static struct ms_mm *fork_ok(struct world *w)
{
	struct ms_mm *child = ms_fork(w->mm);

	assert_non_null(child);
	return child;
}

static ms_pa_t pa_at(const struct ms_mm *mm, ms_hva_t addr)
{
	struct ms_host_leaf leaf;

	return ms_host_leaf(mm, addr, &leaf) ? leaf.entry & MS_PTE_PA_MASK : 0;
}

static void the_machine_lists_its_processes_in_order_of_creation(void **state)
{
	struct world w = world("6.12.117");
	struct ms_mm *child = fork_ok(&w);

	assert_ptr_equal(ms_mm_next(w.m, NULL), w.mm);
	assert_ptr_equal(ms_mm_next(w.m, w.mm), child);
	assert_null(ms_mm_next(w.m, child));
	ms_mm_exit(child);
	assert_null(ms_mm_next(w.m, w.mm));
	world_end(&w);
}

static void private_pages_are_shared_until_one_side_writes(void **state)
{
	struct world w = world("6.12.117");
	struct ms_mm *child;

	map_anon(&w, A, PAGE, MS_PROT_RW);
	ms_touch(w.mm, A, MS_PROT_W);
	child = fork_ok(&w);
	assert_int_equal(pa_at(child, A), pa_at(w.mm, A));
	assert_int_equal(ms_touch(child, A, MS_PROT_W), MS_ACCESS_OK);
	assert_int_not_equal(pa_at(child, A), pa_at(w.mm, A));
	// alone again: the parent keeps its page
	ms_trace_clear(w.m);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_trace_count(w.m, MS_EV_NOTIFIER_START), 0);
	world_end(&w);
}

static void the_notifier_hears_of_private_mappings_that_are_copied(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, PAGE, MS_PROT_RW);
	map_anon(&w, A + MS_2M, 2 * PAGE, MS_PROT_RW);
	ms_touch(w.mm, A + MS_2M, MS_PROT_W);
	ms_trace_clear(w.m);
	fork_ok(&w);
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A + MS_2M, 2 * PAGE);
	assert_int_equal(event(&w, MS_EV_NOTIFIER_START, 0)->notifier, MS_NOTIFY_PROTECTION_PAGE);
	assert_null(event(&w, MS_EV_NOTIFIER_START, 1));
	world_end(&w);
}

static void dontfork_leaves_the_vma_out(void **state)
{
	struct world w = world("6.12.117");
	struct ms_mm *child;

	map_anon(&w, A, PAGE, MS_PROT_RW);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_DONTFORK), 0);
	child = fork_ok(&w);
	assert_null(ms_vma_lookup(child, A));
	world_end(&w);
}

struct order {
	bool present_at_open;
	unsigned int opens;
};

static void order_open(struct ms_vma *vma)
{
	struct order *o = vma->vm_private_data;
	struct ms_host_leaf leaf;

	o->opens++;
	o->present_at_open = ms_host_leaf(vma->vm_mm, vma->vm_start, &leaf);
}

static const struct ms_vm_ops order_ops = { .open = order_open };

static int order_mmap(struct ms_file *file, struct ms_vma *vma)
{
	vma->vm_ops = &order_ops;
	vma->vm_private_data = ms_file_priv(file);
	return ms_remap_pfn_range(vma, vma->vm_start, 0x8000000, PAGE, vma->vm_page_prot);
}

static void open_comes_after_the_copy_or_before_it(void **state)
{
	static const struct ms_file_ops fops = { .name = "order", .mmap = order_mmap };
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);
		struct order o = { 0 };
		struct ms_file *f =
			ms_file_new(w.m, &fops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, &o);

		assert_true(ms_mmap(w.mm, A, PAGE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, f, 0) >
			    0);
		fork_ok(&w);
		assert_int_equal(o.opens, 1);
		assert_int_equal(o.present_at_open, k->fork_order == MS_FORK_ORDER_COPY_THEN_OPEN);
		world_end(&w);
	}
}

static void exit_zaps_each_vma_and_gives_every_page_back(void **state)
{
	struct world w = world_huge("6.12.117");
	uint64_t before = ms_ram_free_pages(w.m);

	map_anon(&w, A, MS_2M, MS_PROT_RW);
	map_anon(&w, A + 2 * MS_2M, PAGE, MS_PROT_RW);
	ms_touch(w.mm, A, MS_PROT_W);
	ms_touch(w.mm, A + 2 * MS_2M, MS_PROT_W);
	ms_trace_clear(w.m);
	ms_mm_exit(w.mm);
	assert_event(&w, MS_EV_ZAP, 0, A, MS_2M);
	assert_event(&w, MS_EV_ZAP, 1, A + 2 * MS_2M, PAGE);
	assert_int_equal(ms_ram_free_pages(w.m), before);
	world_end(&w);
}

static void a_failing_allocation_is_ENOMEM_and_leaves_no_child(void **state)
{
	struct ms_mm *child = NULL;

	for (uint64_t n = 1; !child; n++) {
		struct world w = world_huge("6.12.117");
		uint64_t free_pages;

		map_anon(&w, A, 2 * MS_2M, MS_PROT_RW);
		map_anon(&w, A + MS_1G, PAGE, MS_PROT_RW);
		ms_touch(w.mm, A, MS_PROT_W);
		ms_touch(w.mm, A + MS_1G, MS_PROT_W);
		free_pages = ms_ram_free_pages(w.m);
		ms_machine_fail_alloc(w.m, n);
		child = ms_fork(w.mm);
		ms_machine_fail_alloc(w.m, 0);
		if (!child) {
			assert_int_equal(errno, ENOMEM);
			assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
			assert_int_equal(ms_ram_free_pages(w.m), free_pages);
		}
		world_end(&w);
	}
}

/* An empty table, too: there is no huge page in its place. */
static void the_child_has_a_page_table_wherever_the_parent_has_one(void **state)
{
	struct world w = world_huge("6.12.117");
	struct ms_mm *child;
	struct ms_host_leaf leaf;

	map_anon(&w, A, 2 * MS_2M, MS_PROT_RW);
	ms_touch(w.mm, A, MS_PROT_W);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_DONTNEED), 0);
	assert_int_equal(ms_madvise(w.mm, A, MS_2M, MS_MADV_DONTNEED), 0);
	child = fork_ok(&w);
	ms_touch(child, A, MS_PROT_W);
	assert_true(ms_host_leaf(child, A, &leaf));
	assert_int_equal(leaf.size, PAGE);
	ms_touch(child, A + MS_2M, MS_PROT_W);
	assert_true(ms_host_leaf(child, A + MS_2M, &leaf));
	assert_int_equal(leaf.size, MS_2M);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_machine_lists_its_processes_in_order_of_creation),
		cmocka_unit_test(private_pages_are_shared_until_one_side_writes),
		cmocka_unit_test(the_notifier_hears_of_private_mappings_that_are_copied),
		cmocka_unit_test(dontfork_leaves_the_vma_out),
		cmocka_unit_test(the_child_has_a_page_table_wherever_the_parent_has_one),
		cmocka_unit_test(open_comes_after_the_copy_or_before_it),
		cmocka_unit_test(exit_zaps_each_vma_and_gives_every_page_back),
		cmocka_unit_test(a_failing_allocation_is_ENOMEM_and_leaves_no_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
