// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flags of a VMA are changed in a fault, where the mmap lock is held for reading only. FIXED
 * sets them in ->mmap.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>

#define REGS_START 0xfd000000ul
#define REGS_SIZE (64ul << 10)

static vm_fault_t flags_in_fault_fault(struct vm_fault *vmf)
{
#ifndef FIXED
	vm_flags_set(vmf->vma, VM_DONTDUMP);
#endif
	return vmf_insert_pfn(vmf->vma, vmf->address, PHYS_PFN(REGS_START) + vmf->pgoff);
}

static const struct vm_operations_struct flags_in_fault_vm_ops = {
	.fault = flags_in_fault_fault,
};

static int flags_in_fault_mmap(struct file *file, struct vm_area_struct *vma)
{
	const unsigned long pages = REGS_SIZE >> PAGE_SHIFT;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_pgoff >= pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_ops = &flags_in_fault_vm_ops;
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND);
#ifdef FIXED
	vm_flags_set(vma, VM_DONTDUMP);
#endif
	return 0;
}

static const struct file_operations flags_in_fault_fops = {
	.owner = THIS_MODULE,
	.mmap = flags_in_fault_mmap,
};

static struct miscdevice flags_in_fault_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "flags_in_fault",
	.fops = &flags_in_fault_fops,
};
module_misc_device(flags_in_fault_misc);

MODULE_LICENSE("GPL");
