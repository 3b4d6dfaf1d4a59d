/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cloud-hypervisor/cloud-hypervisor, PR 6196: a guest's 64-bit BAR has to be naturally aligned.
 *
 * A BAR that the VMM puts at a guest address which is not a multiple of its size costs the large
 * blocks of the second-level table: a block needs guest, host virtual and physical address to be
 * the same modulo its size.
 *
 *   IPA 0x100000000    0x40000000 each     1G, or 2M where the host maps by 2M
 *   IPA 0x100200000                        2M
 *   IPA 0x100001000                        4K
 */
#include "field.h"

#include <mapsim/kvm.h>

#define BAR 0x4000000000ul
#define BAR_SIZE ((uint64_t)SZ_1G)

/* A GPU's driver, mapping as large as it can. */
static vm_fault_t bar_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	unsigned long addr = ALIGN_DOWN(vmf->address, PAGE_SIZE << order);
	unsigned long pfn = PHYS_PFN(BAR) + linear_page_index(vmf->vma, addr);

	if (addr < vmf->vma->vm_start || addr + (PAGE_SIZE << order) > vmf->vma->vm_end ||
	    !IS_ALIGNED(pfn, 1ul << order))
		return VM_FAULT_FALLBACK;
	switch (order) {
	case 0:
		return vmf_insert_pfn(vmf->vma, vmf->address, pfn);
	case PMD_ORDER:
		return vmf_insert_pfn_pmd(vmf, pfn, false);
	default:
		return VM_FAULT_FALLBACK;
	}
}

static vm_fault_t bar_fault(struct vm_fault *vmf)
{
	return bar_huge_fault(vmf, 0);
}

static int bar_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = {
		.fault = bar_fault,
		.huge_fault = bar_huge_fault,
	};

	if (vma->vm_pgoff >= BAR_SIZE >> PAGE_SHIFT ||
	    vma_pages(vma) > (BAR_SIZE >> PAGE_SHIFT) - vma->vm_pgoff)
		return -EINVAL;
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &ops;
	return 0;
}

/* ---- tests ---- */

static struct ms_s2_leaf leaf_at(const char *release, ms_ipa_t ipa)
{
	static const struct file_operations fops = { .mmap = bar_mmap };
	struct ms_machine *m = field_machine(release, MS_ARCH_ARM64);
	struct mm_struct *mm = ms_mm_new(m);
	struct ms_vm *vm = ms_vm_new(mm, 40);
	struct ms_guest_access access;

	ms_device_add(m, "gpu", BAR, BAR_SIZE);
	assert_int_equal(field_mmap(mm, BAR_SIZE, ms_linux_file(m, &fops, O_RDWR, NULL)), VA);
	assert_int_equal(ms_vm_set_slot(vm, 1, ipa, BAR_SIZE, VA, 0), 0);
	access = ms_guest_read(vm, ipa + SZ_4M);
	assert_int_equal(access.exit, MS_GUEST_OK);
	assert_int_equal(ms_violations(m), 0);
	ms_machine_free(m); // the reason is static text
	return access.leaf;
}

/*
 * Where it does not, the driver makes a leaf that KVM cannot look up: the guest faults for ever.
 */
static bool kvm_finds_what_the_driver_maps(const struct ms_policy *k)
{
	return k->pfn_lookup == MS_PFN_LOOKUP_ANY_LEAF ||
	       k->pfnmap_huge_fault == MS_PFNMAP_HUGE_FAULT_NEVER;
}

static void each_alignment_lost_costs_a_size(void **state)
{
	static const struct {
		const char *rule;
		ms_ipa_t ipa;
		uint64_t size;
		const char *reason;
	} c[] = {
		// the VMA decides, and 1G is possible
		{ "FROM_VM_PGOFF", 0x100000000, SZ_1G,
		  "VMA and PA congruent modulo 1G, block inside VMA and memslot" },
		{ "FROM_VM_PGOFF", 0x100200000, SZ_2M,
		  "gpa and hva not congruent modulo 1G, smaller block" },
		{ "FROM_VM_PGOFF", 0x100001000, SZ_4K, "gpa and hva not congruent modulo 2M" },
		// the host's own leaf does, which is 2M
		{ "FROM_HOST_TABLE", 0x100000000, SZ_2M,
		  "host maps at least 2M here, block inside memslot" },
		{ "FROM_HOST_TABLE", 0x100200000, SZ_2M,
		  "host maps at least 2M here, block inside memslot" },
		{ "FROM_HOST_TABLE", 0x100001000, SZ_4K, "gpa and hva not congruent modulo 2M" },
		// no blocks for such memory: alignment saves nothing
		{ "HUGETLB_ONLY", 0x100000000, SZ_4K, "VM_PFNMAP is mapped by pages" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		const struct ms_policy *k;
		unsigned int kernels = 0;

		for_each_kernel (k, MS_ARCH_ARM64) {
			struct ms_s2_leaf leaf;

			if (!kernel_has(k, "s2_pfnmap_block", c[i].rule) ||
			    !kvm_finds_what_the_driver_maps(k))
				continue;
			kernels++;
			leaf = leaf_at(k->release, c[i].ipa);
			assert_int_equal(leaf.size, c[i].size);
			assert_string_equal(leaf.reason, c[i].reason);
		}
		assert_int_not_equal(kernels, 0);
	}
}

/* What it is about: the same gigabyte, touched every 2M. */
static void a_page_off_costs_512_times_the_faults(void **state)
{
	static const struct file_operations fops = { .mmap = bar_mmap };
	unsigned int faults[2] = { 0, 0 };

	for (int off = 0; off <= 1; off++) {
		struct ms_machine *m = field_machine("6.12.0", MS_ARCH_ARM64);
		struct mm_struct *mm = ms_mm_new(m);
		struct ms_vm *vm = ms_vm_new(mm, 40);
		const ms_ipa_t ipa = 0x100000000 + (ms_ipa_t)off * PAGE_SIZE;

		ms_device_add(m, "gpu", BAR, BAR_SIZE);
		field_mmap(mm, BAR_SIZE, ms_linux_file(m, &fops, O_RDWR, NULL));
		assert_int_equal(ms_vm_set_slot(vm, 1, ipa, BAR_SIZE, VA, 0), 0);
		for (uint64_t at = 0; at < BAR_SIZE; at += SZ_2M)
			faults[off] += ms_guest_read(vm, ipa + at).faults;
		ms_machine_free(m);
	}
	assert_int_equal(faults[0], 1);
	assert_int_equal(faults[1], 512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_alignment_lost_costs_a_size),
		cmocka_unit_test(a_page_off_costs_512_times_the_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
