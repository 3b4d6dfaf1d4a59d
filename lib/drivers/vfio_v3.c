/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfio-pci without a list of VMAs: turning memory off is one unmap_mapping_range() over all
 * regions. vm_pgoff stays the file's offset. No open, no close. V2 (6.10, 6.11, late 6.6): the
 * first fault inserts all of the VMA's pages; V3 (from 6.12 on): a fault inserts one page or one
 * huge leaf.
 */
#include "drivers/internal.h"

// The region's index is in the upper bits of vm_pgoff.
// mirrors vma_to_pfn(), drivers/vfio/pci/vfio_pci_core.c, 6.12+
static ms_pfn_t vma_to_pfn(const struct ms_vfio *dev, const struct ms_vma *vma)
{
	const unsigned int shift = dev->machine->page_shift;
	const uint64_t in_region = (UINT64_C(1) << (MS_VFIO_OFFSET_SHIFT - shift)) - 1;

	return (ms_device_pa(dev->bar) >> shift) + (vma->vm_pgoff & in_region);
}

// policy vfio_huge_align: does a leaf of that size, at `addr` and `pfn`, belong to the VMA?
static bool leaf_fits(const struct ms_vfio *dev, const struct ms_vm_fault *vmf, ms_hva_t addr,
		      ms_pfn_t pfn, unsigned int order)
{
	const struct ms_vma *vma = vmf->vma;
	const uint64_t size = dev->machine->page_size << order;
	const enum ms_policy_vfio_huge_align align = dev->machine->policy.vfio_huge_align;

	if (align != MS_VFIO_HUGE_ALIGN_FAULT_ADDRESS && !ms_aligned(pfn, UINT64_C(1) << order))
		return false;
	if (align == MS_VFIO_HUGE_ALIGN_ROUNDED_AND_PFN)
		return addr >= vma->vm_start && addr + size <= vma->vm_end;
	return ms_aligned(vmf->address, size) && vmf->address + size <= vma->vm_end;
}

// A leaf that does not fit is refused before the memory bit is looked at: FALLBACK, then the
// smaller one gets SIGBUS.
// mirrors vfio_pci_mmap_huge_fault(), drivers/vfio/pci/vfio_pci_core.c, 6.12+
static ms_vm_fault_t vfio_pci_mmap_huge_fault(struct ms_vm_fault *vmf, unsigned int order)
{
	struct ms_vfio *dev = vmf->vma->vm_private_data;
	const struct ms_machine *m = dev->machine;
	const ms_hva_t addr = ms_align_down(vmf->address, m->page_size << order);
	const uint64_t pgoff = (addr - vmf->vma->vm_start) >> m->page_shift;
	const ms_pfn_t pfn = vma_to_pfn(dev, vmf->vma) + pgoff;
	ms_vm_fault_t ret;

	if (order && !leaf_fits(dev, vmf, addr, pfn, order))
		return MS_VM_FAULT_FALLBACK;
	if (dev->memory_locked)
		return ms_vfio_fault_waits(dev, "memory_lock");
	if (!dev->memory_enabled)
		return ms_vfio_memory_off(dev, vmf->address);
	dev->memory_readers++;
	ret = ms_insert_pfn_order(vmf, pfn, order);
	dev->memory_readers--;
	return ret;
}

// mirrors vfio_pci_mmap_page_fault(), drivers/vfio/pci/vfio_pci_core.c, 6.12+
static ms_vm_fault_t vfio_pci_mmap_page_fault(struct ms_vm_fault *vmf)
{
	return vfio_pci_mmap_huge_fault(vmf, 0);
}

static const struct ms_vm_ops vfio_pci_mmap_ops = {
	.fault = vfio_pci_mmap_page_fault,
	.huge_fault = vfio_pci_mmap_huge_fault,
};

// The touched page first, then the others as they lie; what cannot be inserted ends that in
// silence.
static ms_vm_fault_t insert_all(const struct ms_vfio *dev, struct ms_vm_fault *vmf)
{
	struct ms_vma *vma = vmf->vma;
	const uint64_t page = dev->machine->page_size;
	ms_pfn_t pfn = vma_to_pfn(dev, vma);
	const ms_vm_fault_t ret =
		ms_vmf_insert_pfn(vma, vmf->address, pfn + (vmf->address - vma->vm_start) / page);

	if (ret & MS_VM_FAULT_ERROR)
		return ret;
	for (ms_hva_t addr = vma->vm_start; addr < vma->vm_end; addr += page, pfn++) {
		if (addr == vmf->address)
			continue;
		if (ms_vmf_insert_pfn(vma, addr, pfn) & MS_VM_FAULT_ERROR)
			break;
	}
	return ret;
}

// mirrors vfio_pci_mmap_fault(), drivers/vfio/pci/vfio_pci_core.c, 6.10 .. 6.11
static ms_vm_fault_t vfio_pci_mmap_fault(struct ms_vm_fault *vmf)
{
	struct ms_vfio *dev = vmf->vma->vm_private_data;
	ms_vm_fault_t ret;

	if (dev->memory_locked)
		return ms_vfio_fault_waits(dev, "memory_lock");
	if (!dev->memory_enabled)
		return ms_vfio_memory_off(dev, vmf->address);
	dev->memory_readers++;
	ret = insert_all(dev, vmf);
	dev->memory_readers--;
	return ret;
}

static const struct ms_vm_ops vfio_pci_mmap_whole_ops = {
	.fault = vfio_pci_mmap_fault,
};

int ms_vfio_v3_mmap(struct ms_vfio *dev, struct ms_vma *vma)
{
	vma->vm_ops = dev->machine->policy.vfio == MS_VFIO_V2 ? &vfio_pci_mmap_whole_ops
							      : &vfio_pci_mmap_ops;
	return 0;
}

// Every mapping of the regions BAR0 .. ROM, touched or not.
// mirrors vfio_pci_zap_bars(), drivers/vfio/pci/vfio_pci_core.c, 6.10+
void ms_vfio_v3_zap(struct ms_file *file)
{
	ms_unmap_mapping_range(file, 0, (uint64_t)MS_VFIO_ROM_REGION << MS_VFIO_OFFSET_SHIFT, true);
}
