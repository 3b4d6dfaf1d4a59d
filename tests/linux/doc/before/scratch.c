/* SPDX-License-Identifier: GPL-2.0-only */
#include <linux/fs.h>
#include <linux/mm.h>

static vm_fault_t scratch_fault(struct vm_fault *vmf)
{
	return vmf_insert_pfn(vmf->vma, vmf->address, PHYS_PFN(0xfd000000) + vmf->pgoff);
}

static int scratch_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct vm_ops = { .fault = scratch_fault };

	vm_flags_set(vma, VM_IO | VM_PFNMAP);
	vma->vm_ops = &vm_ops;
	return 0;
}
