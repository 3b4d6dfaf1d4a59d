/* SPDX-License-Identifier: GPL-2.0-only */
/* zap_vma_ptes and unmap_mapping_range. */
#include "pfnmap_world.h"

#define B (A + MS_1G) /* a second place */

static void fill(struct ms_vma *vma, uint64_t npages)
{
	for (uint64_t i = 0; i < npages; i++)
		assert_int_equal(ms_vmf_insert_pfn(vma, vma->vm_start + i * PAGE, BAR_PFN + i),
				 MS_VM_FAULT_NOPAGE);
}

/*
 *  before  |0*  1*  2*  3* |
 *  range       [-------)
 *  after   |0*  1   2   3* |
 */
static void zap_vma_ptes_takes_the_range_and_nothing_else(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 4, PFNMAP_FLAGS);

	fill(vma, 4);
	ms_zap_vma_ptes(vma, A + PAGE, 2 * PAGE);
	assert_int_not_equal(entry_at(&w, A, PAGE), 0);
	assert_int_equal(entry_at(&w, A + PAGE, PAGE), 0);
	assert_int_equal(entry_at(&w, A + 2 * PAGE, PAGE), 0);
	assert_int_not_equal(entry_at(&w, A + 3 * PAGE, PAGE), 0);
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A + PAGE, 2 * PAGE);
	assert_event(&w, MS_EV_ZAP, 0, A + PAGE, 2 * PAGE);
	world_end(&w);
}

/*
 *  VMA         |0*  1*  2*  3* |
 *  ranges                  [-------)
 *          [-------)
 */
static void zap_vma_ptes_is_silent_outside_of_the_vma_and_without_pfnmap(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 4, MS_VM_MIXEDMAP);

	fill(vma, 4);
	ms_zap_vma_ptes(vma, A, 4 * PAGE);
	vma->vm_flags ^= MS_VM_MIXEDMAP | MS_VM_PFNMAP;
	ms_zap_vma_ptes(vma, A + 3 * PAGE, 2 * PAGE);
	ms_zap_vma_ptes(vma, A - PAGE, 2 * PAGE);
	ms_zap_vma_ptes(vma, A, UINT64_MAX);
	assert_int_equal(ms_trace_count(w.m, MS_EV_ZAP), 0);
	assert_int_equal(ms_trace_count(w.m, MS_EV_NOTIFIER_START), 0);
	world_end(&w);
}

/* range_in_vma() has nothing against an empty range, and the notifiers are told of it. */
static void zap_vma_ptes_of_nothing_still_tells_the_notifiers(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 1, PFNMAP_FLAGS);

	fill(vma, 1);
	ms_zap_vma_ptes(vma, A, 0);
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A, 0);
	assert_int_equal(ms_trace_count(w.m, MS_EV_ZAP), 0);
	assert_int_not_equal(entry_at(&w, A, PAGE), 0);
	world_end(&w);
}

/*
 *    file pages   0   1   2   3   4   5
 *    at A         [   :   ]
 *    at B             [   :   :   :   ]
 *    range                [       )
 */
static void unmap_mapping_range_takes_the_overlap_of_each_vma(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *a = map_at(&w, A, 2, 0, MS_MAP_SHARED, PFNMAP_FLAGS);
	struct ms_vma *b = map_at(&w, B, 4, 1, MS_MAP_SHARED, PFNMAP_FLAGS);

	fill(a, 2);
	fill(b, 4);
	ms_unmap_mapping_range(w.file, PAGE, 2 * PAGE, true);
	assert_int_equal(ms_trace_count(w.m, MS_EV_ZAP), 2);
	assert_event(&w, MS_EV_ZAP, 0, A + PAGE, PAGE);
	assert_event(&w, MS_EV_ZAP, 1, B, 2 * PAGE);
	assert_int_not_equal(entry_at(&w, A, PAGE), 0);
	assert_int_equal(entry_at(&w, A + PAGE, PAGE), 0);
	assert_int_equal(entry_at(&w, B + PAGE, PAGE), 0);
	assert_int_not_equal(entry_at(&w, B + 2 * PAGE, PAGE), 0);
	world_end(&w);
}

static void vmas_with_the_same_first_page_go_in_the_order_of_mapping(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);

	map_at(&w, B, 2, 0, MS_MAP_SHARED, PFNMAP_FLAGS);
	map_at(&w, A, 2, 0, MS_MAP_SHARED, PFNMAP_FLAGS);
	ms_unmap_mapping_range(w.file, 0, 2 * PAGE, true);
	assert_event(&w, MS_EV_ZAP, 0, B, 2 * PAGE);
	assert_event(&w, MS_EV_ZAP, 1, A, 2 * PAGE);
	world_end(&w);
}

/*
 *  file pages   0   1   2   3   ...   2^40
 *  at A        |0   1   2   3  |
 *  at B                              |2^40|
 *  range           [--------------------------->
 */
static void length_0_means_to_the_end(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);

	map_at(&w, A, 4, 0, MS_MAP_SHARED, PFNMAP_FLAGS);
	map_at(&w, B, 1, UINT64_C(1) << 40, MS_MAP_SHARED, PFNMAP_FLAGS);
	ms_unmap_mapping_range(w.file, PAGE, 0, true);
	assert_event(&w, MS_EV_ZAP, 0, A + PAGE, 3 * PAGE);
	assert_event(&w, MS_EV_ZAP, 1, B, PAGE);
	world_end(&w);
}

/*
 *  VMA     |0   1   2   3  |
 *  range        []             one byte
 *  zapped      [---)
 */
static void a_part_of_a_page_counts_as_the_page(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);

	map_at(&w, A, 4, 0, MS_MAP_SHARED, PFNMAP_FLAGS);
	ms_unmap_mapping_range(w.file, PAGE + 1, 1, true);
	assert_event(&w, MS_EV_ZAP, 0, A + PAGE, PAGE);
	assert_int_equal(ms_trace_count(w.m, MS_EV_ZAP), 1);
	world_end(&w);
}

static int mmap_physical(struct ms_file *file, struct ms_vma *vma)
{
	static const struct ms_vm_ops none = { .open = NULL };

	vma->vm_ops = &none;
	vma->vm_pgoff += BAR_PFN;
	return ms_remap_pfn_range(vma, vma->vm_start, vma->vm_pgoff, vma->vm_end - vma->vm_start,
				  vma->vm_page_prot);
}

/*
 *  offset    0   1   2   3   ...   BAR
 *  VMA                            |0   1   2   3  |
 *  range 1  [---------------)                         nothing is there
 *  range 2                            [---)
 */
static void a_driver_that_rewrote_vm_pgoff_is_found_there(void **state)
{
	static const struct ms_file_ops ops = { .name = "physical", .mmap = mmap_physical };
	struct world w = world_of("6.12.117", MS_ARCH_ARM64, &ops);

	map_shared(&w, 4, 0);
	ms_unmap_mapping_range(w.file, 0, 4 * PAGE, true);
	assert_int_equal(ms_trace_count(w.m, MS_EV_ZAP), 0);
	ms_unmap_mapping_range(w.file, BAR + PAGE, PAGE, true);
	assert_event(&w, MS_EV_ZAP, 0, A + PAGE, PAGE);
	world_end(&w);
}

/*
 *  before              |c   1* |    c: copied by a write
 *  without the copies  |c   1  |
 *  with the copies     |0   1  |
 */
static void copied_pages_stay_unless_they_are_asked_for(void **state)
{
	static const struct ms_file_ops ops = { .name = "physical", .mmap = mmap_physical };
	struct world w = world_of("6.12.117", MS_ARCH_ARM64, &ops);

	map_private(&w, 2, 0);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	ms_unmap_mapping_range(w.file, BAR, 2 * PAGE, false);
	assert_int_not_equal(entry_at(&w, A, PAGE), 0);
	assert_int_equal(entry_at(&w, A + PAGE, PAGE), 0);
	ms_unmap_mapping_range(w.file, BAR, 2 * PAGE, true);
	assert_int_equal(entry_at(&w, A, PAGE), 0);
	world_end(&w);
}

static void files_of_one_key_are_reached_together(void **state)
{
	static const struct ms_file_ops ops = { .name = "keyed", .mmap = mmap_nothing };
	static const char key;
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_file *one = ms_file_new(w.m, &ops, MS_FMODE_READ | MS_FMODE_WRITE, 0, &key, NULL);
	struct ms_file *two = ms_file_new(w.m, &ops, MS_FMODE_READ | MS_FMODE_WRITE, 0, &key, NULL);

	w.file = one;
	map_shared(&w, 1, PFNMAP_FLAGS);
	ms_unmap_mapping_range(two, 0, PAGE, true);
	assert_event(&w, MS_EV_ZAP, 0, A, PAGE);
	world_end(&w);
}

/*
 * The leaf goes whole, from inside of the zap:
 *
 *  leaf        [------------2M------------)
 *  range           [4K)
 *  notifier 1      [4K)
 *  notifier 2  [------------2M------------)
 */
static void a_part_of_a_huge_leaf_takes_all_of_it(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 512, PFNMAP_FLAGS);
	struct ms_vm_fault vmf = { .vma = vma, .address = A };

	assert_int_equal(ms_vmf_insert_pfn_pmd(&vmf, BAR_PFN, false), MS_VM_FAULT_NOPAGE);
	ms_unmap_mapping_range(w.file, 3 * PAGE, PAGE, true);
	assert_int_equal(entry_at(&w, A, MS_2M), 0);
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A + 3 * PAGE, PAGE);
	assert_event(&w, MS_EV_NOTIFIER_START, 1, A, MS_2M);
	world_end(&w);
}

/*
 *    file pages  0   1   2   3   4   5 ...
 *                [ ) [ ) [ ) [ ) [ ) [ )      one page each, but for
 *                    [                 )      one that is long, and goes again
 */
static void a_long_mapping_that_went_hides_no_other(void **state)
{
	for (uint64_t gone = 0; gone < 40; gone++) {
		struct world w = world("6.12.117", MS_ARCH_ARM64);

		// from the end on, so that the tree leans to where the last pages are
		for (uint64_t i = 40; i--;)
			map_at(&w, A + i * MS_2M, i == gone ? 50 : 1, i, MS_MAP_SHARED,
			       PFNMAP_FLAGS);
		assert_int_equal(ms_munmap(w.mm, A + gone * MS_2M, 50 * PAGE), 0);
		ms_trace_clear(w.m);
		for (uint64_t i = 0; i < 40; i++)
			ms_unmap_mapping_range(w.file, i * PAGE, PAGE, true);
		assert_int_equal(ms_trace_count(w.m, MS_EV_ZAP), 39);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_mapping_that_went_hides_no_other),
		cmocka_unit_test(zap_vma_ptes_takes_the_range_and_nothing_else),
		cmocka_unit_test(zap_vma_ptes_is_silent_outside_of_the_vma_and_without_pfnmap),
		cmocka_unit_test(zap_vma_ptes_of_nothing_still_tells_the_notifiers),
		cmocka_unit_test(unmap_mapping_range_takes_the_overlap_of_each_vma),
		cmocka_unit_test(vmas_with_the_same_first_page_go_in_the_order_of_mapping),
		cmocka_unit_test(length_0_means_to_the_end),
		cmocka_unit_test(a_part_of_a_page_counts_as_the_page),
		cmocka_unit_test(a_driver_that_rewrote_vm_pgoff_is_found_there),
		cmocka_unit_test(copied_pages_stay_unless_they_are_asked_for),
		cmocka_unit_test(files_of_one_key_are_reached_together),
		cmocka_unit_test(a_part_of_a_huge_leaf_takes_all_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
