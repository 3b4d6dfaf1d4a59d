/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "KVM: arm64: Correctly handle the mmio faulting" (2021): an mdev driver whose fault handler calls
 * remap_pfn_range sets VM_PFNMAP inside of the very pfn lookup for which KVM has already looked at
 * the VMA's flags.
 *
 * Before: the kernels classify the page by its pfn, and are safe. From 6.17 on the flags are
 * sampled first again: the first page of a lazy driver is mapped as normal, cacheable memory.
 */
#include "seed.h"

static bool is_pfnmap(struct seed *s)
{
	bool pfnmap = ms_vma_lookup(s->mm, HVA)->vm_flags & MS_VM_PFNMAP;

	printf("    VM_PFNMAP: %s\n", pfnmap ? "set" : "not set");
	return pfnmap;
}

struct outcome {
	bool first_is_device;
	uint64_t second_size;
};

static struct outcome lazy_driver(const char *release)
{
	struct seed s = seed_new(ms_policy_linux(release, MS_ARCH_ARM64), NULL, BAR, MS_1G);
	struct outcome out;

	printf("Linux %s, the lazy driver\n", release);
	seed_map(&s, ms_lazy_open(s.bar, 0, MS_CACHE_NGNRE, 0), 0, 2 * MS_2M);
	EXPECT(!ms_vm_set_slot(s.vm, 1, GPA, 2 * MS_2M, HVA, 0));
	EXPECT(!is_pfnmap(&s));
	out.first_is_device = seed_read(&s, GPA).leaf.prot & MS_PROT_DEVICE;
	EXPECT(is_pfnmap(&s));
	out.second_size = seed_read(&s, GPA + PAGE).leaf.size;
	ms_machine_free(s.m);
	return out;
}

/* The remedy that the thread asked of drivers: be complete in ->mmap, as sysfs and vfio-pci are. */
static bool eager_driver_is_device(const char *release)
{
	struct seed s = seed_new(ms_policy_linux(release, MS_ARCH_ARM64), NULL, BAR, MS_1G);
	bool device;

	printf("Linux %s, a driver that sets VM_PFNMAP in mmap\n", release);
	seed_map(&s, ms_pci_resource(s.bar), 0, 2 * MS_2M);
	EXPECT(!ms_vm_set_slot(s.vm, 1, GPA, 2 * MS_2M, HVA, 0));
	EXPECT(is_pfnmap(&s));
	device = seed_read(&s, GPA).leaf.prot & MS_PROT_DEVICE;
	ms_machine_free(s.m);
	return device;
}

int main(void)
{
	const char *release;

	for (size_t i = 0; (release = ms_release_recorded(i, MS_ARCH_ARM64)); i++) {
		const struct ms_policy *k = ms_policy_linux(release, MS_ARCH_ARM64);
		struct outcome o = lazy_driver(release);

		EXPECT(o.first_is_device ==
		       (k->s2_device_test != MS_S2_DEVICE_TEST_VMA_FLAG_AND_NOT_MAP_MEMORY));
		// VMA arithmetic believes vm_pgoff, and takes a block as soon as the flag is there
		EXPECT(o.second_size ==
		       (k->s2_pfnmap_block == MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF ? MS_2M : PAGE));
		EXPECT(eager_driver_is_device(release));
	}
	return 0;
}
