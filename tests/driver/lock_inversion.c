// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fault takes the lock of the device under the mmap lock; the ioctl that takes the registers
 * away takes the mmap lock under that of the device. FIXED takes no mmap lock there.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>

#define REGS_START 0xfd000000ul
#define REGS_SIZE (64ul << 10)

static DEFINE_MUTEX(lock);
static bool gone;
static struct address_space *mapping;

static vm_fault_t lock_inversion_fault(struct vm_fault *vmf)
{
	vm_fault_t ret = VM_FAULT_SIGBUS;

	mutex_lock(&lock);
	if (!gone)
		ret = vmf_insert_pfn(vmf->vma, vmf->address, PHYS_PFN(REGS_START) + vmf->pgoff);
	mutex_unlock(&lock);
	return ret;
}

static const struct vm_operations_struct lock_inversion_vm_ops = {
	.fault = lock_inversion_fault,
};

static int lock_inversion_mmap(struct file *file, struct vm_area_struct *vma)
{
	const unsigned long pages = REGS_SIZE >> PAGE_SHIFT;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_pgoff >= pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_ops = &lock_inversion_vm_ops;
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	return 0;
}

static int lock_inversion_open(struct inode *inode, struct file *file)
{
	mapping = inode->i_mapping;
	return 0;
}

/* The registers go away: nobody may reach them any more. */
static long lock_inversion_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (cmd)
		return -ENOTTY;
	mutex_lock(&lock);
	gone = true;
#ifndef FIXED
	mmap_read_lock(current->mm);
#endif
	unmap_mapping_range(mapping, 0, 0, 1);
#ifndef FIXED
	mmap_read_unlock(current->mm);
#endif
	mutex_unlock(&lock);
	return 0;
}

static const struct file_operations lock_inversion_fops = {
	.owner = THIS_MODULE,
	.mmap = lock_inversion_mmap,
	.open = lock_inversion_open,
	.unlocked_ioctl = lock_inversion_ioctl,
};

static struct miscdevice lock_inversion_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "lock_inversion",
	.fops = &lock_inversion_fops,
};
module_misc_device(lock_inversion_misc);

MODULE_LICENSE("GPL");
