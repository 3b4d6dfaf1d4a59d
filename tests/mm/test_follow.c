/* SPDX-License-Identifier: GPL-2.0-only */
/* follow_pfnmap_start and vm_normal_page. */
#include "pfnmap_world.h"

static void follow_names_the_page_inside_of_a_huge_leaf(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 512, PFNMAP_FLAGS);
	struct ms_vm_fault vmf = { .vma = vma, .address = A };
	struct ms_pfnmap_leaf leaf;

	assert_int_equal(ms_vmf_insert_pfn_pmd(&vmf, BAR_PFN, false), MS_VM_FAULT_NOPAGE);
	assert_int_equal(ms_follow_pfnmap(vma, A + 3 * PAGE, &leaf), 0);
	assert_int_equal(leaf.pfn, BAR_PFN + 3);
	assert_int_equal(leaf.size, MS_2M);
	assert_true(leaf.writable);
	assert_true(leaf.special);
	world_end(&w);
}

static void a_huge_leaf_is_a_violation_where_only_pages_are_known(void **state)
{
	struct world w = world("6.1.192", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 512, PFNMAP_FLAGS);
	struct ms_vm_fault vmf = { .vma = vma, .address = A };
	struct ms_pfnmap_leaf leaf;

	assert_int_equal(ms_vmf_insert_pfn_pmd(&vmf, BAR_PFN, false), MS_VM_FAULT_NOPAGE);
	assert_int_equal(ms_follow_pfnmap(vma, A, &leaf), -EINVAL);
	assert_int_equal(violations(&w), 1);
	world_end(&w);
}

static void an_absent_entry_is_einval(void **state)
{
	const struct ms_policy *k;
	struct ms_pfnmap_leaf leaf;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release, MS_ARCH_ARM64);
		struct ms_vma *vma = map_shared(&w, 2, PFNMAP_FLAGS);

		assert_int_equal(ms_follow_pfnmap(vma, A, &leaf), -EINVAL);
		assert_int_equal(ms_vmf_insert_pfn(vma, A, BAR_PFN), MS_VM_FAULT_NOPAGE);
		assert_int_equal(ms_follow_pfnmap(vma, A, &leaf), 0);
		assert_int_equal(ms_follow_pfnmap(vma, A + PAGE, &leaf), -EINVAL);
		world_end(&w);
	}
}

static void a_prot_none_entry_counts_as_present(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 1, PFNMAP_FLAGS);
	struct ms_pfnmap_leaf leaf;

	assert_int_equal(ms_vmf_insert_pfn(vma, A, BAR_PFN), MS_VM_FAULT_NOPAGE);
	assert_int_equal(ms_mprotect(w.mm, A, PAGE, 0), 0);
	assert_int_equal(ms_follow_pfnmap(vma, A, &leaf), 0);
	assert_false(leaf.writable);
	world_end(&w);
}

static void the_protection_that_is_told_is_the_entrys_own(void **state)
{
	static const enum ms_arch archs[] = { MS_ARCH_ARM64, MS_ARCH_X86_64 };
	struct ms_pfnmap_leaf leaf;

	for (size_t i = 0; i < 2; i++) {
		struct world w = world("6.12.117", archs[i]);
		struct ms_vma *vma = map_shared(&w, 1, PFNMAP_FLAGS);
		uint64_t x86 = archs[i] == MS_ARCH_X86_64 ? MS_PTE_X86 : 0;

		assert_int_equal(ms_vmf_insert_pfn(vma, A, BAR_PFN), MS_VM_FAULT_NOPAGE);
		assert_int_equal(ms_follow_pfnmap(vma, A, &leaf), 0);
		assert_int_equal(leaf.prot, (entry_at(&w, A, PAGE) ^ BAR) | x86);
		assert_int_equal(ms_mprotect(w.mm, A, PAGE, 0), 0);
		assert_int_equal(ms_follow_pfnmap(vma, A, &leaf), 0);
		assert_int_equal(leaf.prot, (entry_at(&w, A, PAGE) ^ BAR) | x86);
		assert_false(leaf.prot & MS_PTE_PRESENT);
		world_end(&w);
	}
}

static void later_kernels_ask_the_vma_for_its_flags(void **state)
{
	const struct ms_policy *k;
	struct ms_pfnmap_leaf leaf;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release, MS_ARCH_ARM64);
		struct ms_vma *vma = map_shared(&w, 1, MS_VM_MIXEDMAP);

		assert_int_equal(ms_vmf_insert_pfn(vma, A, BAR_PFN), MS_VM_FAULT_NOPAGE);
		assert_int_equal(ms_follow_pfnmap(vma, A, &leaf),
				 k->pfn_lookup == MS_PFN_LOOKUP_ANY_LEAF ? -EINVAL : 0);
		vma->vm_flags |= MS_VM_IO;
		assert_int_equal(ms_follow_pfnmap(vma, A, &leaf), 0);
		world_end(&w);
	}
}

static void an_address_beyond_the_vma_is_einval_where_the_vma_is_asked(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 1, PFNMAP_FLAGS);
	struct ms_vma *next = map_at(&w, A + PAGE, 1, 9, MS_MAP_SHARED, PFNMAP_FLAGS);
	struct ms_pfnmap_leaf leaf;

	assert_int_equal(ms_vmf_insert_pfn(next, A + PAGE, BAR_PFN), MS_VM_FAULT_NOPAGE);
	assert_int_equal(ms_follow_pfnmap(vma, A + PAGE, &leaf), -EINVAL);
	assert_int_equal(ms_follow_pfnmap(next, A + PAGE, &leaf), 0);
	world_end(&w);
}

static void a_raw_entry_has_no_page(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 1, PFNMAP_FLAGS);

	assert_int_equal(ms_vmf_insert_pfn(vma, A, BAR_PFN), MS_VM_FAULT_NOPAGE);
	assert_false(ms_vm_normal_page(vma, A, entry_at(&w, A, PAGE), NULL));
	assert_int_equal(violations(&w), 0);
	world_end(&w);
}

static void a_copied_page_of_a_raw_mapping_is_normal(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_private(&w, 1, 0);
	ms_pfn_t pfn = 0;

	assert_int_equal(ms_remap_pfn_range(vma, A, BAR_PFN, PAGE, vma->vm_page_prot), 0);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	assert_true(ms_vm_normal_page(vma, A, entry_at(&w, A, PAGE), &pfn));
	assert_int_equal(pfn << 12, pa_at(&w, A));
	assert_true(ms_pfn_is_ram(w.m, pfn));
	world_end(&w);
}

static void the_zero_page_is_no_page(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);

	assert_int_equal(ms_mmap(w.mm, A, PAGE, MS_PROT_RW,
				 MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS, NULL, 0),
			 A);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_false(ms_vm_normal_page(ms_vma_lookup(w.mm, A), A, entry_at(&w, A, PAGE), NULL));
	assert_int_equal(violations(&w), 0);
	world_end(&w);
}

static void a_special_entry_in_an_ordinary_vma_is_a_bad_page_map(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 1, 0);

	assert_false(ms_vm_normal_page(vma, A, BAR | MS_PTE_PRESENT | MS_PTE_SPECIAL, NULL));
	assert_int_equal(violations(&w), 1);
	world_end(&w);
}

static void an_ordinary_entry_without_ram_behind_it_is_a_bad_page_map(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 1, PFNMAP_FLAGS);

	assert_false(ms_vm_normal_page(vma, A, BAR | MS_PTE_PRESENT, NULL));
	assert_int_equal(violations(&w), 1);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follow_names_the_page_inside_of_a_huge_leaf),
		cmocka_unit_test(a_huge_leaf_is_a_violation_where_only_pages_are_known),
		cmocka_unit_test(an_absent_entry_is_einval),
		cmocka_unit_test(a_prot_none_entry_counts_as_present),
		cmocka_unit_test(the_protection_that_is_told_is_the_entrys_own),
		cmocka_unit_test(later_kernels_ask_the_vma_for_its_flags),
		cmocka_unit_test(an_address_beyond_the_vma_is_einval_where_the_vma_is_asked),
		cmocka_unit_test(a_raw_entry_has_no_page),
		cmocka_unit_test(a_copied_page_of_a_raw_mapping_is_normal),
		cmocka_unit_test(the_zero_page_is_no_page),
		cmocka_unit_test(a_special_entry_in_an_ordinary_vma_is_a_bad_page_map),
		cmocka_unit_test(an_ordinary_entry_without_ram_behind_it_is_a_bad_page_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
