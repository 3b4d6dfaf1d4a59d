/* SPDX-License-Identifier: GPL-2.0-only */
/* get_user_pages as KVM uses it: which pages it gives, what it faults in, what it refuses. */
#include "world_of.h"

static void a_page_is_faulted_in_and_handed_out(void **state)
{
	struct world w = world("6.12.117");
	ms_pfn_t pfn;
	bool writable;

	map_anon(&w, A, PAGE, MS_PROT_RW);
	assert_int_equal(ms_get_user_page(w.mm, A + 5, true, &pfn, &writable), 0);
	assert_true(writable);
	assert_int_equal(pfn << 12, leaf_pa(&w, A));
	world_end(&w);
}

static void a_read_of_untouched_memory_gives_the_zero_page(void **state)
{
	struct world w = world("6.12.117");
	ms_pfn_t zero, pfn;
	bool writable;

	map_anon(&w, A, PAGE, MS_PROT_RW);
	assert_int_equal(ms_get_user_page(w.mm, A, false, &zero, &writable), 0);
	assert_false(writable);
	assert_int_equal(ms_get_user_page(w.mm, A, true, &pfn, NULL), 0);
	assert_int_not_equal(pfn, zero);
	world_end(&w);
}

static void a_page_inside_of_a_huge_leaf_is_its_own(void **state)
{
	struct world w = world_huge("6.12.117");
	ms_pfn_t pfn;

	map_anon(&w, A, MS_2M, MS_PROT_RW);
	assert_int_equal(ms_get_user_page(w.mm, A + 7 * PAGE, true, &pfn, NULL), 0);
	assert_int_equal(leaf_size(&w, A), MS_2M);
	assert_int_equal(pfn, (leaf_pa(&w, A) >> 12) + 7);
	assert_int_equal(ms_get_user_page_fast(w.mm, A + 9 * PAGE, true, &pfn), 0);
	assert_int_equal(pfn, (leaf_pa(&w, A) >> 12) + 9);
	world_end(&w);
}

static void the_mapping_has_to_grant_the_access(void **state)
{
	struct world w = world("6.12.117");
	ms_pfn_t pfn;

	map_anon(&w, A, PAGE, MS_PROT_R);
	map_anon(&w, B, PAGE, 0);
	assert_int_equal(ms_get_user_page(w.mm, A, true, &pfn, NULL), -EFAULT);
	assert_int_equal(ms_get_user_page(w.mm, A, false, &pfn, NULL), 0);
	assert_int_equal(ms_get_user_page(w.mm, B, false, &pfn, NULL), -EFAULT);
	assert_int_equal(ms_get_user_page(w.mm, B + PAGE, false, &pfn, NULL), -EFAULT);
	assert_false(present(&w, B));
	world_end(&w);
}

static void device_memory_is_refused_before_any_fault(void **state)
{
	struct driver d = { .ops = { .fault = driver_fault }, .vm_flags = MS_VM_PFNMAP };
	struct world w = world("6.12.117");
	ms_pfn_t pfn;

	map_shared(&w, driver_file(&w, &d), A, PAGE, 0);
	assert_int_equal(ms_get_user_page(w.mm, A, true, &pfn, NULL), -EFAULT);
	assert_false(present(&w, A));
	touch(&w, A, MS_PROT_R);
	assert_int_equal(ms_get_user_page_fast(w.mm, A, false, &pfn), -EFAULT);
	world_end(&w);
}

static ms_vm_fault_t late_pfnmap(struct ms_vm_fault *vmf)
{
	const struct ms_vma *vma = vmf->vma;

	return ms_remap_pfn_range(vmf->vma, vma->vm_start, BAR / PAGE, PAGE, vma->vm_page_prot)
		       ? MS_VM_FAULT_SIGBUS
		       : MS_VM_FAULT_NOPAGE;
}

/* A lazy driver whose first fault makes the mapping VM_PFNMAP: the fault happens, no page comes. */
static void a_mapping_that_turns_out_to_be_a_device_is_faulted_and_then_refused(void **state)
{
	struct driver d = { .ops = { .fault = late_pfnmap } };
	struct world w = world("6.12.117");
	ms_pfn_t pfn;

	map_shared(&w, driver_file(&w, &d), A, PAGE, 0);
	assert_int_equal(ms_get_user_page(w.mm, A, true, &pfn, NULL), -EFAULT);
	assert_int_equal(leaf_pa(&w, A), BAR);
	world_end(&w);
}

static void what_the_fault_ends_in_is_told_apart(void **state)
{
	struct world w = world("6.12.117");
	ms_pfn_t pfn;

	map_shared(&w, ms_memfd_new(w.m, PAGE), A, 2 * PAGE, 0);
	assert_int_equal(ms_get_user_page(w.mm, A + PAGE, false, &pfn, NULL), -EFAULT);
	map_anon(&w, B, PAGE, MS_PROT_RW);
	ms_machine_fail_alloc(w.m, 1);
	assert_int_equal(ms_get_user_page(w.mm, B, true, &pfn, NULL), -ENOMEM);
	world_end(&w);
}

static ms_vm_fault_t poisoned(struct ms_vm_fault *vmf)
{
	return MS_VM_FAULT_HWPOISON;
}

static void poison_is_told_to_who_asks_for_it(void **state)
{
	struct driver d = { .ops = { .fault = poisoned } };
	struct world w = world("6.12.117");
	ms_pfn_t pfn;

	map_shared(&w, driver_file(&w, &d), A, PAGE, 0);
	assert_int_equal(ms_get_user_page(w.mm, A, false, &pfn, NULL), -EHWPOISON);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_POPULATE_READ), -EHWPOISON);
	assert_int_equal(ms_fixup_user_fault(w.mm, A, false), -EFAULT);
	assert_int_equal(ms_mlock(w.mm, A, PAGE), -ENOMEM);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	world_end(&w);
}

static ms_vm_fault_t lies(struct ms_vm_fault *vmf)
{
	return MS_VM_FAULT_NOPAGE;
}

static void a_handler_that_installs_nothing_is_reported_not_asked_for_ever(void **state)
{
	struct driver d = { .ops = { .fault = lies } };
	struct world w = world("6.12.117");
	ms_pfn_t pfn;

	map_shared(&w, driver_file(&w, &d), A, PAGE, 0);
	assert_int_equal(ms_get_user_page(w.mm, A, false, &pfn, NULL), -EFAULT);
	assert_int_equal(ms_trace_count(w.m, MS_EV_VIOLATION), 1);
	world_end(&w);
}

static void the_fast_way_takes_no_fault(void **state)
{
	struct world w = world("6.12.117");
	ms_pfn_t pfn;

	map_anon(&w, A, PAGE, MS_PROT_RW);
	assert_int_equal(ms_get_user_page_fast(w.mm, A, false, &pfn), -EFAULT);
	touch(&w, A, MS_PROT_R);
	assert_int_equal(ms_get_user_page_fast(w.mm, A, false, &pfn), -EFAULT);
	touch(&w, A, MS_PROT_W);
	assert_int_equal(ms_get_user_page_fast(w.mm, A, true, &pfn), 0);
	assert_int_equal(ms_mprotect(w.mm, A, PAGE, MS_PROT_R), 0);
	assert_int_equal(ms_get_user_page_fast(w.mm, A, true, &pfn), -EFAULT);
	assert_int_equal(ms_get_user_page_fast(w.mm, A, false, &pfn), 0);
	world_end(&w);
}

/* A copied page in a VM_PFNMAP mapping has a struct page: only the slow way asks for the VMA. */
static void the_fast_way_finds_a_copy_in_device_memory(void **state)
{
	struct driver d = { .vm_flags = MS_VM_PFNMAP };
	struct world w = world("6.12.117");
	struct ms_vma *vma;
	ms_pfn_t pfn;

	assert_true(ms_mmap(w.mm, A, PAGE, MS_PROT_RW, MS_MAP_PRIVATE | MS_MAP_FIXED,
			    driver_file(&w, &d), 0) > 0);
	vma = ms_vma_lookup(w.mm, A);
	assert_int_equal(ms_remap_pfn_range(vma, A, BAR >> 12, PAGE, vma->vm_page_prot), 0);
	assert_int_equal(ms_get_user_page_fast(w.mm, A, false, &pfn), -EFAULT);
	touch(&w, A, MS_PROT_W);
	assert_int_equal(ms_get_user_page_fast(w.mm, A, true, &pfn), 0);
	assert_int_equal(ms_get_user_page(w.mm, A, true, &pfn, NULL), -EFAULT);
	world_end(&w);
}

/* The table's index is made of the low 48 bits: A + 2^48 would find A's entry. */
static void beyond_the_address_space_nothing_is_mapped(void **state)
{
	struct world w = world("6.12.117");
	const ms_hva_t far = A + (UINT64_C(1) << 48);
	struct ms_host_leaf leaf;
	uint64_t entry;
	ms_pfn_t pfn;

	map_anon(&w, A, PAGE, MS_PROT_RW);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_get_user_page_fast(w.mm, A, true, &pfn), 0);
	assert_int_equal(ms_get_user_page_fast(w.mm, far, true, &pfn), -EFAULT);
	assert_int_equal(ms_get_user_page(w.mm, far, true, &pfn, NULL), -EFAULT);
	assert_false(ms_host_leaf(w.mm, far, &leaf));
	assert_int_equal(ms_host_walk(w.mm, far, &entry), 0);
	assert_int_equal(entry, 0);
	assert_true(ms_host_next_leaf(w.mm, 0, UINT64_MAX, &leaf));
	assert_int_equal(leaf.start, A);
	assert_false(ms_host_next_leaf(w.mm, A + PAGE, UINT64_MAX, &leaf));
	world_end(&w);
}

static void fixup_user_fault_faults_device_memory_in(void **state)
{
	struct driver d = { .ops = { .fault = driver_fault }, .vm_flags = MS_VM_PFNMAP };
	struct world w = world("6.12.117");

	map_shared(&w, driver_file(&w, &d), A, PAGE, 0);
	assert_int_equal(ms_fixup_user_fault(w.mm, A, true), 0);
	assert_int_equal(leaf_pa(&w, A), BAR);
	assert_int_equal(ms_fixup_user_fault(w.mm, A + PAGE, false), -EFAULT);
	map_anon(&w, B, PAGE, MS_PROT_R);
	assert_int_equal(ms_fixup_user_fault(w.mm, B, true), -EFAULT);
	map_anon(&w, B + PAGE, PAGE, MS_PROT_W);
	assert_int_equal(ms_fixup_user_fault(w.mm, B + PAGE, false), -EFAULT);
	assert_int_equal(ms_fixup_user_fault(w.mm, B + PAGE, true), 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_is_faulted_in_and_handed_out),
		cmocka_unit_test(a_read_of_untouched_memory_gives_the_zero_page),
		cmocka_unit_test(a_page_inside_of_a_huge_leaf_is_its_own),
		cmocka_unit_test(the_mapping_has_to_grant_the_access),
		cmocka_unit_test(device_memory_is_refused_before_any_fault),
		cmocka_unit_test(
			a_mapping_that_turns_out_to_be_a_device_is_faulted_and_then_refused),
		cmocka_unit_test(what_the_fault_ends_in_is_told_apart),
		cmocka_unit_test(poison_is_told_to_who_asks_for_it),
		cmocka_unit_test(a_handler_that_installs_nothing_is_reported_not_asked_for_ever),
		cmocka_unit_test(the_fast_way_takes_no_fault),
		cmocka_unit_test(the_fast_way_finds_a_copy_in_device_memory),
		cmocka_unit_test(beyond_the_address_space_nothing_is_mapped),
		cmocka_unit_test(fixup_user_fault_faults_device_memory_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
