// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers that are mapped page by page as they are touched. A private mapping of raw pages is
 * a BUG: only FIXED refuses it.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>

#define REGS_START 0xfd000000ul
#define REGS_SIZE (64ul << 10)

static vm_fault_t not_shared_fault(struct vm_fault *vmf)
{
	return vmf_insert_pfn(vmf->vma, vmf->address, PHYS_PFN(REGS_START) + vmf->pgoff);
}

static const struct vm_operations_struct not_shared_vm_ops = {
	.fault = not_shared_fault,
};

static int not_shared_mmap(struct file *file, struct vm_area_struct *vma)
{
	const unsigned long pages = REGS_SIZE >> PAGE_SHIFT;

#ifdef FIXED
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
#endif
	if (vma->vm_pgoff >= pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_ops = &not_shared_vm_ops;
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	return 0;
}

static const struct file_operations not_shared_fops = {
	.owner = THIS_MODULE,
	.mmap = not_shared_mmap,
};

static struct miscdevice not_shared_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "not_shared",
	.fops = &not_shared_fops,
};
module_misc_device(not_shared_misc);

MODULE_LICENSE("GPL");
