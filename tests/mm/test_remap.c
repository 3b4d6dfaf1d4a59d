/* SPDX-License-Identifier: GPL-2.0-only */
/* remap_pfn_range and vm_iomap_memory. */
#include "pfnmap_world.h"

/*
 *  VMA   |0   1   2   3  |
 *  pfns   +5  +6  +7  +8     of the BAR
 */
static void remap_maps_each_page_and_sets_the_four_flags(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 4, 0);

	assert_int_equal(ms_remap_pfn_range(vma, A, BAR_PFN + 5, 4 * PAGE, vma->vm_page_prot), 0);
	assert_int_equal(vma->vm_flags & PFNMAP_FLAGS, PFNMAP_FLAGS);
	for (uint64_t i = 0; i < 4; i++) {
		assert_int_equal(pa_at(&w, A + i * PAGE), BAR + (5 + i) * PAGE);
		assert_true(entry_at(&w, A + i * PAGE, PAGE) & MS_PTE_SPECIAL);
	}
	world_end(&w);
}

static void entries_take_the_protection_given_and_the_vma_keeps_its_own(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 1, 0);
	ms_pgprot_t before = vma->vm_page_prot;

	assert_int_equal(ms_remap_pfn_range(vma, A, BAR_PFN, PAGE, ms_pgprot_noncached(before)), 0);
	assert_int_equal(ms_pgprot_cache(entry_at(&w, A, PAGE)), MS_CACHE_NGNRNE);
	assert_int_equal(vma->vm_page_prot, before);
	world_end(&w);
}

static void a_fresh_entry_of_a_shared_writable_vma_is_writable_and_clean(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 1, 0);

	assert_int_equal(ms_remap_pfn_range(vma, A, BAR_PFN, PAGE, vma->vm_page_prot), 0);
	assert_int_equal(entry_at(&w, A, PAGE) & (MS_PTE_WRITE | MS_PTE_DIRTY), MS_PTE_WRITE);
	world_end(&w);
}

static void remap_never_makes_a_huge_leaf(void **state)
{
	struct world w = world("7.2.13", MS_ARCH_X86_64);
	struct ms_vma *vma = map_shared(&w, 1024, 0);

	assert_int_equal(ms_remap_pfn_range(vma, A, BAR_PFN, 4 * MS_1G >> 10, vma->vm_page_prot),
			 0);
	for (uint64_t i = 0; i < 1024; i++)
		assert_int_equal(pa_at(&w, A + i * PAGE), BAR + i * PAGE);
	world_end(&w);
}

/*
 *  VMA     |0   1   2   3  |
 *  remap   [----)              a page and a byte
 *  after   |0*  1*  2   3  |
 */
static void size_is_rounded_up_to_pages(void **state)
{
	struct world w = world("6.1.192", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 4, 0);

	assert_int_equal(ms_remap_pfn_range(vma, A, BAR_PFN, PAGE + 1, vma->vm_page_prot), 0);
	assert_int_equal(pa_at(&w, A + PAGE), BAR + PAGE);
	assert_int_equal(entry_at(&w, A + 2 * PAGE, PAGE), 0);
	world_end(&w);
}

static void the_last_page_of_user_addresses_can_be_remapped(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	ms_hva_t last = w.mm->task_size - PAGE;
	struct ms_vma *vma = map_at(&w, last, 1, 0, MS_MAP_SHARED, 0);

	assert_int_equal(ms_remap_pfn_range(vma, last, BAR_PFN, PAGE, vma->vm_page_prot), 0);
	assert_int_equal(pa_at(&w, last), BAR);
	world_end(&w);
}

static void an_empty_range_is_a_violation(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 1, 0);

	assert_int_equal(ms_remap_pfn_range(vma, A, BAR_PFN, 0, vma->vm_page_prot), -EINVAL);
	assert_int_equal(violations(&w), 1);
	assert_false(vma->vm_flags & MS_VM_PFNMAP);
	world_end(&w);
}

static void an_unaligned_address_is_refused_with_a_warning(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release, MS_ARCH_ARM64);
		struct ms_vma *vma = map_shared(&w, 4, 0);

		assert_int_equal(ms_remap_pfn_range(vma, A + 8, BAR_PFN, PAGE, vma->vm_page_prot),
				 -EINVAL);
		assert_int_equal(violations(&w), 1);
		assert_int_equal(entry_at(&w, A, PAGE), 0);
		world_end(&w);
	}
}

/*
 *  VMA    |0   1   2   3  |
 *  remap  [-------)            -EINVAL
 *  remap  [---------------)    vm_pgoff becomes the pfn
 */
static void a_private_mapping_is_remapped_whole_or_not_at_all(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release, MS_ARCH_ARM64);
		struct ms_vma *vma = map_private(&w, 4, 0);

		assert_int_equal(ms_remap_pfn_range(vma, A, BAR_PFN, 2 * PAGE, vma->vm_page_prot),
				 -EINVAL);
		assert_int_equal(vma->vm_pgoff, 0);
		assert_int_equal(ms_remap_pfn_range(vma, A, BAR_PFN, 4 * PAGE, vma->vm_page_prot),
				 0);
		assert_int_equal(vma->vm_pgoff, BAR_PFN);
		world_end(&w);
	}
}

static void a_shared_mapping_keeps_its_page_offset(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_at(&w, A, 4, 7, MS_MAP_SHARED, 0);

	assert_int_equal(ms_remap_pfn_range(vma, A, BAR_PFN, 4 * PAGE, vma->vm_page_prot), 0);
	assert_int_equal(vma->vm_pgoff, 7);
	world_end(&w);
}

/*
 * The COW rule stands before the tracking in old and new kernels, behind it in between.
 *
 *  VMA    |0   1   2   3  |    private
 *  remap      [-------)        -EINVAL
 *  zap        [-------)        or nothing
 */
static void a_broken_cow_rule_zaps_only_where_it_is_found_behind_the_tracking(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct world w = world(k->release, MS_ARCH_X86_64);
		struct ms_vma *vma = map_private(&w, 4, 0);
		const bool zaps = k->remap_checks == MS_REMAP_CHECKS_TRACK_ALIGN_COW &&
				  k->remap_error == MS_REMAP_ERROR_ZAP;

		assert_int_equal(
			ms_remap_pfn_range(vma, A + PAGE, BAR_PFN, 2 * PAGE, vma->vm_page_prot),
			-EINVAL);
		assert_int_equal(ms_trace_count(w.m, MS_EV_ZAP), zaps);
		if (zaps)
			assert_event(&w, MS_EV_ZAP, 0, A + PAGE, 2 * PAGE);
		world_end(&w);
	}
}

/*
 *  VMA      |0   1   2*  3  |
 *  remap    [---------------)    -EBUSY
 */
static void a_present_entry_is_a_violation_and_stays(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 4, 0);

	assert_int_equal(ms_remap_pfn_range(vma, A + 2 * PAGE, BAR_PFN, PAGE, vma->vm_page_prot),
			 0);
	assert_int_equal(ms_remap_pfn_range(vma, A, BAR_PFN + 64, 4 * PAGE, vma->vm_page_prot),
			 -EBUSY);
	assert_int_equal(violations(&w), 1);
	assert_int_equal(pa_at(&w, A + 2 * PAGE), BAR);
	world_end(&w);
}

/*
 *  VMA      |------------2M*------------:------------2M-------------|
 *  remap        [4K)                                                    -EBUSY
 */
static void a_huge_leaf_in_the_way_is_a_violation_and_stays(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 1024, PFNMAP_FLAGS);
	struct ms_vm_fault vmf = { .vma = vma, .address = A };

	assert_int_equal(ms_vmf_insert_pfn_pmd(&vmf, BAR_PFN, false), MS_VM_FAULT_NOPAGE);
	assert_int_equal(ms_remap_pfn_range(vma, A + PAGE, BAR_PFN, PAGE, vma->vm_page_prot),
			 -EBUSY);
	assert_int_equal(violations(&w), 1);
	assert_int_equal(entry_at(&w, A, MS_2M) & MS_PTE_PA_MASK, BAR);
	world_end(&w);
}

/*
 * Two page tables are needed; the second one cannot be had.
 *
 *    A-4K       A+4K
 *     |..........|
 *     [ table 1 ][ table 2 ]
 */
static uint64_t entries_after_no_memory(const char *release, uint64_t *zaps)
{
	struct world w = world(release, MS_ARCH_ARM64);
	struct ms_vma *vma = map_at(&w, A - PAGE, 2, 0, MS_MAP_SHARED, 0);
	uint64_t found;

	// the tables above and the first last-level one are there
	assert_int_equal(ms_remap_pfn_range(vma, A - PAGE, BAR_PFN, PAGE, vma->vm_page_prot), 0);
	ms_zap_vma_ptes(vma, A - PAGE, PAGE);
	ms_trace_clear(w.m);
	ms_machine_fail_alloc(w.m, 1);
	assert_int_equal(ms_remap_pfn_range(vma, A - PAGE, BAR_PFN, 2 * PAGE, vma->vm_page_prot),
			 -ENOMEM);
	found = entry_at(&w, A - PAGE, PAGE);
	*zaps = ms_trace_count(w.m, MS_EV_ZAP);
	world_end(&w);
	return found;
}

static void what_was_written_before_an_error_is_zapped_in_later_kernels(void **state)
{
	const struct ms_policy *k;
	uint64_t zaps;

	for_each_step (k, MS_ARCH_ARM64) {
		const bool stays = k->remap_error == MS_REMAP_ERROR_KEEP_PTES;

		assert_int_equal(entries_after_no_memory(k->release, &zaps) != 0, stays);
		assert_int_equal(zaps, !stays);
	}
}

/* x86: reserve, then the entries fail; nothing may be left on the list */
static void a_failed_remap_of_the_whole_vma_gives_its_reservation_back(void **state)
{
	const struct ms_policy *k;
	struct ms_memtype entry;

	for_each_kernel (k, MS_ARCH_X86_64) {
		int err = -ENOMEM;

		for (uint64_t n = 1; err == -ENOMEM || err == -EINVAL; n++) {
			struct world w = world(k->release, MS_ARCH_X86_64);
			struct ms_vma *vma = map_shared(&w, 4, 0);

			ms_machine_fail_alloc(w.m, n);
			err = ms_remap_pfn_range(vma, A, BAR_PFN, 4 * PAGE, vma->vm_page_prot);
			ms_machine_fail_alloc(w.m, 0);
			if (err)
				assert_false(ms_memtype_get(w.m, 0, &entry));
			else
				assert_true(ms_memtype_get(w.m, 0, &entry));
			assert_int_equal(ms_munmap(w.mm, A, 4 * PAGE), 0);
			assert_false(ms_memtype_get(w.m, 0, &entry));
			world_end(&w);
		}
		assert_int_equal(err, 0);
	}
}

/*
 *  before   |0*  1  |
 *  remap     [---)         8 bytes off: -EINVAL
 *  after    |0*  1  |  or  |0   1  |
 */
static void a_misaligned_remap_takes_away_what_was_there_in_newer_kernels(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		struct world w = world(k->release, MS_ARCH_ARM64);
		struct ms_vma *vma = map_shared(&w, 2, 0);

		assert_int_equal(ms_remap_pfn_range(vma, A, BAR_PFN, PAGE, vma->vm_page_prot), 0);
		assert_int_equal(ms_remap_pfn_range(vma, A + 8, BAR_PFN, PAGE, vma->vm_page_prot),
				 -EINVAL);
		assert_int_equal(entry_at(&w, A, PAGE) != 0,
				 k->remap_error == MS_REMAP_ERROR_KEEP_PTES);
		world_end(&w);
	}
}

static int second_remap(const struct ms_policy *k)
{
	struct world w = world(k->release, k->arch);
	struct ms_vma *vma = map_shared(&w, 4, 0);
	int err;

	assert_int_equal(ms_remap_pfn_range(vma, A, BAR_PFN, 4 * PAGE, vma->vm_page_prot), 0);
	ms_zap_vma_ptes(vma, A, 4 * PAGE);
	err = ms_remap_pfn_range(vma, A, BAR_PFN, 4 * PAGE, vma->vm_page_prot);
	world_end(&w);
	return err;
}

static void a_second_remap_of_a_zapped_vma_is_refused_once_the_tracking_is_remembered(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64)
		assert_int_equal(second_remap(k),
				 k->untrack_at == MS_UNTRACK_AT_LAST_VMA_FREED ? -EINVAL : 0);
	for_each_kernel (k, MS_ARCH_ARM64) // tracks nothing
		assert_int_equal(second_remap(k), 0);
}

static void a_failing_piece_leaves_the_tracking_of_the_whole_alone(void **state)
{
	struct world w = world("7.2.13", MS_ARCH_X86_64);
	struct ms_vma *vma = map_shared(&w, 4, 0);
	struct ms_memtype entry;

	assert_int_equal(ms_remap_pfn_range(vma, A, BAR_PFN, 4 * PAGE, vma->vm_page_prot), 0);
	ms_zap_vma_ptes(vma, A, 4 * PAGE);
	assert_int_equal(ms_remap_pfn_range(vma, A + 8, BAR_PFN, PAGE, vma->vm_page_prot), -EINVAL);
	assert_true(ms_memtype_get(w.m, 0, &entry));
	assert_int_equal(entry.end - entry.start, 4 * PAGE);
	world_end(&w);
}

/*
 *  memory   0   1   2   3   4        5 pages
 *  VMA                 |3   4  |     vm_pgoff 3
 */
static void iomap_maps_the_part_that_the_page_offset_names(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_at(&w, A, 2, 3, MS_MAP_SHARED, 0);

	assert_int_equal(ms_vm_iomap_memory(vma, BAR, 5 * PAGE), 0);
	assert_int_equal(pa_at(&w, A), BAR + 3 * PAGE);
	assert_int_equal(pa_at(&w, A + PAGE), BAR + 4 * PAGE);
	world_end(&w);
}

/*
 *  BAR      0   1   2
 *  memory     [---)           from the middle of page 0
 *  VMA     |0   1  |
 */
static void iomap_rounds_a_start_inside_of_a_page_down(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 2, 0);

	assert_int_equal(ms_vm_iomap_memory(vma, BAR + 0x800, PAGE), 0);
	assert_int_equal(pa_at(&w, A), BAR);
	assert_int_equal(pa_at(&w, A + PAGE), BAR + PAGE);
	world_end(&w);
}

/* What counts is the length from the page's start on. */
static void iomap_of_nothing_inside_of_a_page_maps_the_page(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 1, 0);

	assert_int_equal(ms_vm_iomap_memory(vma, BAR, 0), -EINVAL);
	assert_int_equal(ms_vm_iomap_memory(vma, BAR + 0x800, 0), 0);
	assert_int_equal(pa_at(&w, A), BAR);
	world_end(&w);
}

/*
 *  memory   0   1   2   3            4 pages
 *  VMA                 |3   4  |     vm_pgoff 3
 */
static void iomap_refuses_what_does_not_fit(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_at(&w, A, 2, 3, MS_MAP_SHARED, 0);

	assert_int_equal(ms_vm_iomap_memory(vma, BAR, 4 * PAGE), -EINVAL);
	assert_int_equal(ms_vm_iomap_memory(vma, BAR, 2 * PAGE), -EINVAL);
	assert_int_equal(ms_vm_iomap_memory(vma, UINT64_MAX - PAGE, 2 * PAGE), -EINVAL);
	assert_int_equal(entry_at(&w, A, PAGE), 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remap_maps_each_page_and_sets_the_four_flags),
		cmocka_unit_test(entries_take_the_protection_given_and_the_vma_keeps_its_own),
		cmocka_unit_test(a_fresh_entry_of_a_shared_writable_vma_is_writable_and_clean),
		cmocka_unit_test(remap_never_makes_a_huge_leaf),
		cmocka_unit_test(size_is_rounded_up_to_pages),
		cmocka_unit_test(the_last_page_of_user_addresses_can_be_remapped),
		cmocka_unit_test(an_empty_range_is_a_violation),
		cmocka_unit_test(an_unaligned_address_is_refused_with_a_warning),
		cmocka_unit_test(a_private_mapping_is_remapped_whole_or_not_at_all),
		cmocka_unit_test(a_shared_mapping_keeps_its_page_offset),
		cmocka_unit_test(a_broken_cow_rule_zaps_only_where_it_is_found_behind_the_tracking),
		cmocka_unit_test(a_present_entry_is_a_violation_and_stays),
		cmocka_unit_test(a_huge_leaf_in_the_way_is_a_violation_and_stays),
		cmocka_unit_test(what_was_written_before_an_error_is_zapped_in_later_kernels),
		cmocka_unit_test(a_failed_remap_of_the_whole_vma_gives_its_reservation_back),
		cmocka_unit_test(a_misaligned_remap_takes_away_what_was_there_in_newer_kernels),
		cmocka_unit_test(
			a_second_remap_of_a_zapped_vma_is_refused_once_the_tracking_is_remembered),
		cmocka_unit_test(a_failing_piece_leaves_the_tracking_of_the_whole_alone),
		cmocka_unit_test(iomap_maps_the_part_that_the_page_offset_names),
		cmocka_unit_test(iomap_rounds_a_start_inside_of_a_page_down),
		cmocka_unit_test(iomap_of_nothing_inside_of_a_page_maps_the_page),
		cmocka_unit_test(iomap_refuses_what_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
