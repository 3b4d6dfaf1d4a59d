/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cloud-hypervisor/cloud-hypervisor, PR 7939: on an arm64 host with 64K pages a guest with an NVMe
 * device (BAR 0 of 16K) does not start: EINVAL of KVM_SET_USER_MEMORY_REGION.
 *
 * A memslot's size, and its addresses, are multiples of the host's page. mmap rounds a length up,
 * so the mapping holds a whole page all the same; the fix asks for it in both places. vfio-pci
 * allows that where the BAR is aligned to a page and the rest of the page is nobody's.
 */
#define MS_LINUX_PAGE_SHIFT 16
#include "field.h"

#include <mapsim/kvm.h>

#define BAR 0x630040010000ul
#define BAR_SIZE ((uint64_t)SZ_16K)
#define GPA 0x10000000ul

/* vfio-pci's part of it: the mapping may reach to the end of the page that the BAR ends in. */
static vm_fault_t bar_fault(struct vm_fault *vmf)
{
	return vmf_insert_pfn(vmf->vma, vmf->address, vmf->pgoff);
}

static int bar_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = bar_fault };
	unsigned long pages = PAGE_ALIGN(BAR_SIZE) >> PAGE_SHIFT;

	if (vma->vm_pgoff >= pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;
	vma->vm_pgoff += PHYS_PFN(BAR);
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &ops;
	return 0;
}

/* ---- tests ---- */

struct outcome {
	int64_t mmap;
	int slot;
	struct ms_guest_access access; // at the BAR's last word
};

/* The VMM's part: mmap `size` of the BAR and make a memslot of as many bytes. */
static struct outcome start_guest(const char *release, uint64_t page_size, uint64_t size)
{
	static const struct file_operations fops = { .mmap = bar_mmap };
	const struct ms_machine_config config = { .page_size = page_size };
	struct ms_machine *m =
		ms_machine_new_config(ms_policy_linux(release, MS_ARCH_ARM64), &config);
	struct mm_struct *mm = ms_mm_new(m);
	struct ms_vm *vm = ms_vm_new(mm, 40);
	struct outcome out = { .mmap = -ENODEV };
	struct ms_device *bar = ms_device_add(m, "nvme", BAR, BAR_SIZE);
	struct file *file;

	assert_non_null(bar);
	ms_linux_use(m);
	file = page_size == PAGE_SIZE ? ms_linux_file(m, &fops, O_RDWR, NULL)
				      : ms_pci_resource(bar);
	out.mmap = field_mmap(mm, size, file);
	out.slot = ms_vm_set_slot(vm, 1, GPA, size, VA, 0);
	out.access = ms_guest_read(vm, GPA + BAR_SIZE - 4);
	assert_int_equal(ms_violations(m), 0);
	ms_machine_free(m);
	return out;
}

static void the_bars_own_size_is_no_slot_on_a_64k_host(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct outcome out = start_guest(k->release, SZ_64K, BAR_SIZE);

		assert_int_equal(out.mmap, VA); // rounded up to a page
		assert_int_equal(out.slot, -EINVAL);
		assert_int_equal(out.access.exit, MS_GUEST_MMIO); // every access leaves the guest
	}
}

static void a_whole_page_is_a_slot_on_a_64k_host(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct outcome out = start_guest(k->release, SZ_64K, SZ_64K);

		assert_int_equal(out.mmap, VA);
		assert_int_equal(out.slot, 0);
		assert_int_equal(out.access.exit, MS_GUEST_OK);
		assert_int_equal(out.access.leaf.size, SZ_64K);
		assert_int_equal(out.access.leaf.pa, BAR);
	}
}

static void on_a_4k_host_16k_are_four_pages(void **state)
{
	struct outcome out = start_guest("6.12.117", SZ_4K, BAR_SIZE);

	assert_int_equal(out.mmap, VA);
	assert_int_equal(out.slot, 0);
	assert_int_equal(out.access.exit, MS_GUEST_OK);
	assert_int_equal(out.access.leaf.size, SZ_4K);
	assert_int_equal(out.access.leaf.pa, BAR + BAR_SIZE - SZ_4K);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bars_own_size_is_no_slot_on_a_64k_host),
		cmocka_unit_test(a_whole_page_is_a_slot_on_a_64k_host),
		cmocka_unit_test(on_a_4k_host_16k_are_four_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
