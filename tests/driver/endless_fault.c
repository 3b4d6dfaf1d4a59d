// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page that is not ready is waited for in the fault handler: by saying that all is done, so
 * that the process faults for ever. FIXED answers SIGBUS.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>

#define REGS_START 0xfd000000ul
#define REGS_SIZE (64ul << 10)

static vm_fault_t endless_fault_fault(struct vm_fault *vmf)
{
	if (vmf->pgoff & 1)
#ifdef FIXED
		return VM_FAULT_SIGBUS;
#else
		return VM_FAULT_NOPAGE;
#endif
	return vmf_insert_pfn(vmf->vma, vmf->address, PHYS_PFN(REGS_START) + vmf->pgoff);
}

static const struct vm_operations_struct endless_fault_vm_ops = {
	.fault = endless_fault_fault,
};

static int endless_fault_mmap(struct file *file, struct vm_area_struct *vma)
{
	const unsigned long pages = REGS_SIZE >> PAGE_SHIFT;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_pgoff >= pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_ops = &endless_fault_vm_ops;
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	return 0;
}

static const struct file_operations endless_fault_fops = {
	.owner = THIS_MODULE,
	.mmap = endless_fault_mmap,
};

static struct miscdevice endless_fault_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "endless_fault",
	.fops = &endless_fault_fops,
};
module_misc_device(endless_fault_misc);

MODULE_LICENSE("GPL");
