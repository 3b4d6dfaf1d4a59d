/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * intel-gpu/xekmd-backports, PR 274; staralt/dxgkrnl-dkms, issue 13; Xilinx-CNS/onload, PR 252: a
 * fault handler that was fine for years WARNs (include/linux/rwsem.h): Linux 6.8 says nothing.
 *
 * A fault holds the mmap lock for reading, and a VMA's flags may change only under the lock for
 * writing. vm_flags_set() and vm_flags_clear() assert that since 6.3, but up to 6.9 the assertion
 * was for debug kernels. remap_pfn_range() sets flags, up to 6.19 by vm_flags_set().
 * vmf_insert_pfn() sets none.
 */
#include "field.h"

#define BAR 0xfd000000ul
#define NR_PAGES 4ul

/* vfio-pci's, backported: the first fault maps all. */
static vm_fault_t remap_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;

	if (io_remap_pfn_range(vma, vma->vm_start, vma->vm_pgoff, vma->vm_end - vma->vm_start,
			       vma->vm_page_prot))
		return VM_FAULT_SIGBUS;
	return VM_FAULT_NOPAGE;
}

/* onload's: the flag that it clears was never set. */
static vm_fault_t clear_fault(struct vm_fault *vmf)
{
	vm_flags_clear(vmf->vma, VM_DONTDUMP);
	return vmf_insert_pfn(vmf->vma, vmf->address, vmf->pgoff);
}

/* The fix. */
static vm_fault_t insert_fault(struct vm_fault *vmf)
{
	return vmf_insert_pfn(vmf->vma, vmf->address, vmf->pgoff);
}

static int bar_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_pgoff += PHYS_PFN(BAR);
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND);
	vma->vm_ops = file->private_data;
	return 0;
}

/* ---- tests ---- */

static uint64_t violations_of(const char *release, vm_fault_t (*fault)(struct vm_fault *vmf))
{
	static const struct file_operations fops = { .mmap = bar_mmap };
	struct vm_operations_struct ops = { .fault = fault };
	struct ms_machine *m = field_machine(release, MS_ARCH_X86_64);
	struct mm_struct *mm = ms_mm_new(m);
	uint64_t n;

	ms_device_add(m, "bar", BAR, NR_PAGES * PAGE_SIZE);
	assert_int_equal(
		field_mmap(mm, NR_PAGES * PAGE_SIZE, ms_linux_file(m, &fops, O_RDWR, &ops)), VA);
	assert_int_equal(ms_violations(m), 0);
	assert_int_equal(ms_touch(mm, VA + PAGE_SIZE, MS_PROT_W), MS_ACCESS_OK);
	n = ms_violations(m);
	if (n)
		assert_string_equal(ms_violation_get(m, 0)->reason,
				    "mmap lock not held for writing");
	ms_machine_free(m);
	return n;
}

static void nobody_notices_in_6_8(void **state)
{
	assert_int_equal(violations_of("6.8", remap_fault), 0);
	assert_int_equal(violations_of("6.8", clear_fault), 0);
}

static void the_first_kernel_that_asserts_warns_at_the_first_touch(void **state)
{
	const char *release = first_release_where(MS_ARCH_X86_64, "vma_flags_lock", "ASSERTED");

	assert_int_equal(violations_of(release, remap_fault), 1);
	assert_int_equal(violations_of(release, clear_fault), 1);
}

/* Later remap_pfn_range() sets its flags without vm_flags_set(): still wrong, and not noticed. */
static void from_7_0_on_only_the_helpers_warn(void **state)
{
	const char *release =
		first_release_where(MS_ARCH_X86_64, "vma_flags_lock", "ASSERTED_NOT_BY_REMAP");

	assert_int_equal(violations_of(release, remap_fault), 0);
	assert_int_equal(violations_of(release, clear_fault), 1);
}

static void every_kernel_notices_as_its_rule_says(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		assert_int_equal(violations_of(k->release, remap_fault),
				 k->vma_flags_lock == MS_VMA_FLAGS_LOCK_ASSERTED);
		assert_int_equal(violations_of(k->release, clear_fault),
				 k->vma_flags_lock != MS_VMA_FLAGS_LOCK_UNCHECKED);
	}
}

static void inserting_pages_is_right_everywhere(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64)
		assert_int_equal(violations_of(k->release, insert_fault), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_notices_in_6_8),
		cmocka_unit_test(the_first_kernel_that_asserts_warns_at_the_first_touch),
		cmocka_unit_test(from_7_0_on_only_the_helpers_warn),
		cmocka_unit_test(every_kernel_notices_as_its_rule_says),
		cmocka_unit_test(inserting_pages_is_right_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
