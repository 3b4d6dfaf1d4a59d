/* SPDX-License-Identifier: GPL-2.0-only */
/* sysfs resource files: who may map what, and what becomes of a mapping. */
#include "world.h"

/*
 *  BAR   |0   1   2   3  |    page 0 is 0xfd000
 *  VMA       |1   2  |        offset 0x1000: vm_pgoff is 0xfd001
 */
static void vm_pgoff_becomes_the_physical_page(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);

	assert_int_equal(map(mm, A, 0x2000, ms_pci_resource(bar_b(m)), 0x1000), A);
	assert_int_equal(ms_vma_lookup(mm, A)->vm_pgoff, 0xfd001);
	assert_int_equal(leaf_pa(mm, A + 0x1000), B_PA + 0x2000);
	assert_int_equal(present(mm, A, A + 0x2000), 2);
	machine_end(m);
}

static void flags_of_a_shared_mapping_are_those_of_smaps(void **state)
{
	struct ms_machine *m = machine("7.2.13", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);
	char buf[MS_VMFLAGS_MAX];

	map(mm, A, B_SIZE, ms_pci_resource(bar_b(m)), 0);
	assert_string_equal(ms_vma_flags_str(ms_vma_lookup(mm, A), buf, sizeof(buf)),
			    "rd,wr,sh,mr,mw,ms,pf,io,de,dd");
	machine_end(m);
}

static void what_does_not_fit_into_the_bar_is_refused(void **state)
{
	struct ms_machine *m = machine("6.1.192", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_file *file = ms_pci_resource(bar_b(m));

	assert_int_equal(map(mm, A, 0x5000, file, 0), -EINVAL);
	assert_int_equal(map(mm, A, 0x1000, file, 0x4000), -EINVAL);
	assert_int_equal(map(mm, A, 0x4000, file, 0x1000), -EINVAL);
	assert_int_equal(map(mm, A, 0x1000, file, 0x7ffffffffffff000), -EOVERFLOW);
	assert_null(ms_find_vma(mm, 0));
	machine_end(m);
}

static void a_bar_smaller_than_a_page_is_mapped_as_a_whole_page(void **state)
{
	struct ms_machine *m = machine("6.12.117", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_file *file = ms_pci_resource(ms_device_add(m, "tiny", 0x4000000000, 0x100));

	assert_int_equal(map(mm, A, 0x1000, file, 0), A);
	assert_int_equal(map(mm, A, 0x2000, file, 0), -EINVAL);
	machine_end(m);
}

static void executable_mappings_are_refused_before_all_else(void **state)
{
	struct ms_machine *m = machine("6.12.117", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_file *file = ms_pci_resource(bar_b(m));

	assert_int_equal(ms_mmap(mm, A, 0x5000, MS_PROT_R | MS_PROT_X, MS_MAP_SHARED, file, 0),
			 -EPERM);
	assert_int_equal(ms_trace_count(m, MS_EV_ZAP), 0);
	map(mm, A, 0x1000, file, 0);
	assert_int_equal(ms_mprotect(mm, A, 0x1000, MS_PROT_R | MS_PROT_X), -EACCES);
	machine_end(m);
}

static void the_plain_file_is_uncached_and_the_other_write_combined(void **state)
{
	struct ms_machine *x86 = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_machine *arm = machine("6.12.107", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(x86);
	struct ms_device *b = bar_b(x86);

	map(mm, A, B_SIZE, ms_pci_resource(b), 0);
	assert_int_equal(leaf_cache(mm, A), MS_CACHE_UC_MINUS);
	ms_munmap(mm, A, B_SIZE);
	map(mm, A, B_SIZE, ms_pci_resource_wc(b), 0);
	assert_int_equal(leaf_cache(mm, A), MS_CACHE_WC);
	mm = ms_mm_new(arm);
	b = bar_b(arm);
	map(mm, A, B_SIZE, ms_pci_resource(b), 0);
	map(mm, A + MS_2M, B_SIZE, ms_pci_resource_wc(b), 0);
	assert_int_equal(leaf_cache(mm, A), MS_CACHE_NGNRE);
	assert_int_equal(leaf_cache(mm, A + MS_2M), MS_CACHE_WC);
	machine_end(x86);
	machine_end(arm);
}

static void only_a_prefetchable_bar_has_a_write_combining_file(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_device *b = bar_b(m);

	assert_non_null(ms_pci_resource_wc(b));
	ms_device_set_prefetchable(b, false);
	assert_null(ms_pci_resource_open(b, true, MS_FMODE_READ));
	assert_non_null(ms_pci_resource_open(b, false, MS_FMODE_READ));
	machine_end(m);
}

static void x86_without_pat_has_no_write_combining_file(void **state)
{
	const struct ms_machine_config off = { .pat = MS_FEATURE_ABSENT };
	struct ms_machine *x86 =
		ms_machine_new_config(ms_policy_linux("6.12.107", MS_ARCH_X86_64), &off);

	assert_null(ms_pci_resource_wc(bar_b(x86)));
	machine_end(x86);
}

static void every_caller_gets_the_same_file(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_device *b = bar_b(m), *h = bar_h(m);

	assert_ptr_equal(ms_pci_resource(b), ms_pci_resource(b));
	assert_ptr_not_equal(ms_pci_resource(b), ms_pci_resource(h));
	assert_ptr_not_equal(ms_pci_resource(b), ms_pci_resource_wc(b));
	assert_ptr_not_equal(ms_pci_resource(b),
			     ms_pci_resource_open(b, false, MS_FMODE_READ | MS_FMODE_WRITE));
	machine_end(m);
}

/* One inode, however often it is opened. */
static void every_open_file_shares_the_mappings(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_X86_64);
		struct ms_mm *mm = ms_mm_new(m);
		struct ms_device *b = bar_b(m);

		map(mm, A, B_SIZE, ms_pci_resource_open(b, false, MS_FMODE_READ | MS_FMODE_WRITE),
		    0);
		ms_unmap_mapping_range(ms_pci_resource(b), B_PA, 0x1000, true);
		assert_int_equal(present(mm, A, A + B_SIZE), 3);
		machine_end(m);
	}
}

static void a_closed_file_can_be_had_again(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_device *b = bar_b(m);

	map(mm, A, B_SIZE, ms_pci_resource(b), 0);
	ms_file_put(ms_pci_resource(b));
	assert_int_equal(present(mm, A, A + B_SIZE), 4);
	ms_munmap(mm, A, B_SIZE);
	assert_int_equal(map(mm, A, B_SIZE, ms_pci_resource(b), 0), A);
	machine_end(m);
}

static void a_read_only_file_maps_shared_without_maywrite(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_file *file = ms_pci_resource_open(bar_b(m), false, MS_FMODE_READ);
	const uint64_t gone = MS_VM_SHARED | MS_VM_MAYWRITE;

	assert_int_equal(map(mm, A, B_SIZE, file, 0), -EACCES);
	assert_int_equal(ms_mmap(mm, A, B_SIZE, MS_PROT_R, MS_MAP_SHARED, file, 0), A);
	assert_int_equal(ms_vma_lookup(mm, A)->vm_flags & gone, 0);
	assert_true(ms_vma_lookup(mm, A)->vm_flags & MS_VM_MAYSHARE);
	machine_end(m);
}

/* A refusal by ->mmap comes when the VMA exists: its range is zapped, nothing being there. */
static void a_refusal_zaps_the_new_range(void **state)
{
	struct ms_machine *m = machine("7.2.13", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);

	ms_trace_keep(m, 1u << MS_EV_ZAP);
	map(mm, A, 0x5000, ms_pci_resource(bar_b(m)), 0);
	assert_string_equal(EVENTS(m), "zap 7e0000000000 5000;");
	machine_end(m);
}

static void what_was_zapped_stays_away(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_file *file = ms_pci_resource(bar_b(m));

	map(mm, A, B_SIZE, file, 0);
	ms_unmap_mapping_range(file, B_PA + 0x1000, 0x1000, true);
	assert_int_equal(ms_touch(mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(ms_touch(mm, A + 0x1000, MS_PROT_R), MS_ACCESS_SIGBUS);
	machine_end(m);
}

/* kernfs has page_mkwrite, which makes mprotect leave entries read-only; /dev/mem has not. */
static void entries_stay_read_only_after_mprotect_until_the_host_writes(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_host_leaf leaf;

	map(mm, A, B_SIZE, ms_pci_resource(bar_b(m)), 0);
	ms_mprotect(mm, A, B_SIZE, MS_PROT_R);
	ms_mprotect(mm, A, B_SIZE, MS_PROT_RW);
	ms_host_leaf(mm, A, &leaf);
	assert_false(leaf.entry & MS_PTE_WRITE);
	assert_int_equal(ms_touch(mm, A, MS_PROT_W), MS_ACCESS_OK);
	ms_host_leaf(mm, A, &leaf);
	assert_true(leaf.entry & MS_PTE_WRITE);
	assert_int_equal(leaf_pa(mm, A), B_PA);
	map(mm, A + MS_2M, B_SIZE, ms_devmem_open(m, true), B_PA);
	ms_mprotect(mm, A + MS_2M, B_SIZE, MS_PROT_R);
	ms_mprotect(mm, A + MS_2M, B_SIZE, MS_PROT_RW);
	ms_host_leaf(mm, A + MS_2M, &leaf);
	assert_true(leaf.entry & MS_PTE_WRITE);
	machine_end(m);
}

/* s_maxbytes was that of a file system which says nothing, 2^31 - 1, against a physical offset. */
static void madv_remove_meets_the_size_limit_or_the_missing_operation(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_X86_64);
		struct ms_mm *mm = ms_mm_new(m);
		struct ms_device *low = ms_device_add(m, "low", 0x40000000, 0x1000);

		map(mm, A, B_SIZE, ms_pci_resource(bar_b(m)), 0);
		assert_int_equal(ms_madvise(mm, A, B_SIZE, MS_MADV_REMOVE),
				 k->madv_remove_sysfs == MS_MADV_REMOVE_SYSFS_EFBIG ? -EFBIG
										    : -EOPNOTSUPP);
		map(mm, A, 0x1000, ms_pci_resource(low), 0);
		assert_int_equal(ms_madvise(mm, A, 0x1000, MS_MADV_REMOVE), -EOPNOTSUPP);
		machine_end(m);
	}
}

static void a_refused_memory_type_is_einval(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_device *h = bar_h(m);

	assert_int_equal(ms_ioremap(m, H_PA, 0x1000, MS_CACHE_WB), 0);
	assert_int_equal(map(mm, A, 0x1000, ms_pci_resource(h), 0), -EINVAL);
	machine_end(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vm_pgoff_becomes_the_physical_page),
		cmocka_unit_test(flags_of_a_shared_mapping_are_those_of_smaps),
		cmocka_unit_test(what_does_not_fit_into_the_bar_is_refused),
		cmocka_unit_test(a_bar_smaller_than_a_page_is_mapped_as_a_whole_page),
		cmocka_unit_test(executable_mappings_are_refused_before_all_else),
		cmocka_unit_test(the_plain_file_is_uncached_and_the_other_write_combined),
		cmocka_unit_test(only_a_prefetchable_bar_has_a_write_combining_file),
		cmocka_unit_test(x86_without_pat_has_no_write_combining_file),
		cmocka_unit_test(every_caller_gets_the_same_file),
		cmocka_unit_test(every_open_file_shares_the_mappings),
		cmocka_unit_test(a_closed_file_can_be_had_again),
		cmocka_unit_test(a_read_only_file_maps_shared_without_maywrite),
		cmocka_unit_test(a_refusal_zaps_the_new_range),
		cmocka_unit_test(what_was_zapped_stays_away),
		cmocka_unit_test(entries_stay_read_only_after_mprotect_until_the_host_writes),
		cmocka_unit_test(madv_remove_meets_the_size_limit_or_the_missing_operation),
		cmocka_unit_test(a_refused_memory_type_is_einval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
