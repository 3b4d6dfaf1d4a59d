// SPDX-License-Identifier: GPL-2.0-only
/* Registers that are mapped: wherever the caller wants, unless FIXED says how many there are. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>

#define REGS_START 0xfd000000ul
#define REGS_SIZE (64ul << 10)

static int no_bounds_mmap(struct file *file, struct vm_area_struct *vma)
{
#ifdef FIXED
	const unsigned long pages = REGS_SIZE >> PAGE_SHIFT;

	if (vma->vm_pgoff >= pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;
#endif
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	return io_remap_pfn_range(vma, vma->vm_start, PHYS_PFN(REGS_START) + vma->vm_pgoff,
				  vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

static const struct file_operations no_bounds_fops = {
	.owner = THIS_MODULE,
	.mmap = no_bounds_mmap,
};

static struct miscdevice no_bounds_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "no_bounds",
	.fops = &no_bounds_fops,
};
module_misc_device(no_bounds_misc);

MODULE_LICENSE("GPL");
