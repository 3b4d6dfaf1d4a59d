// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMA that is to be emptied when the registers go away is remembered at mmap: a copy of it,
 * by fork or by mremap, is not known. FIXED empties whatever maps the file.
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
#ifndef FIXED
#define MAX_VMAS 8u
static struct vm_area_struct *vmas[MAX_VMAS];
#endif

static vm_fault_t forgets_fork_fault(struct vm_fault *vmf)
{
	vm_fault_t ret = VM_FAULT_SIGBUS;

	mutex_lock(&lock);
	if (!gone)
		ret = vmf_insert_pfn(vmf->vma, vmf->address, PHYS_PFN(REGS_START) + vmf->pgoff);
	mutex_unlock(&lock);
	return ret;
}

#ifndef FIXED
static bool replace(struct vm_area_struct *old, struct vm_area_struct *new)
{
	for (unsigned int i = 0; i < MAX_VMAS; i++)
		if (vmas[i] == old) {
			vmas[i] = new;
			return true;
		}
	return false;
}

static void forgets_fork_close(struct vm_area_struct *vma)
{
	replace(vma, NULL);
}
#endif

static const struct vm_operations_struct forgets_fork_vm_ops = {
	.fault = forgets_fork_fault,
#ifndef FIXED
	.close = forgets_fork_close,
#endif
};

static int forgets_fork_mmap(struct file *file, struct vm_area_struct *vma)
{
	const unsigned long pages = REGS_SIZE >> PAGE_SHIFT;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_pgoff >= pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;
#ifndef FIXED
	if (!replace(NULL, vma))
		return -EBUSY;
#endif
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_ops = &forgets_fork_vm_ops;
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	return 0;
}

static int forgets_fork_open(struct inode *inode, struct file *file)
{
	mapping = inode->i_mapping;
	return 0;
}

/* The registers go away: nobody may reach them any more. */
static long forgets_fork_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (cmd)
		return -ENOTTY;
	mutex_lock(&lock);
	gone = true;
#ifdef FIXED
	unmap_mapping_range(mapping, 0, 0, 1);
#else
	for (unsigned int i = 0; i < MAX_VMAS; i++)
		if (vmas[i])
			zap_vma_ptes(vmas[i], vmas[i]->vm_start,
				     vmas[i]->vm_end - vmas[i]->vm_start);
#endif
	mutex_unlock(&lock);
	return 0;
}

static const struct file_operations forgets_fork_fops = {
	.owner = THIS_MODULE,
	.mmap = forgets_fork_mmap,
	.open = forgets_fork_open,
	.unlocked_ioctl = forgets_fork_ioctl,
};

static struct miscdevice forgets_fork_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "forgets_fork",
	.fops = &forgets_fork_fops,
};
module_misc_device(forgets_fork_misc);

MODULE_LICENSE("GPL");
