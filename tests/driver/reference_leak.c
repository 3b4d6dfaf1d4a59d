// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer of pages, of which each fault hands one out with a reference: and takes one more for
 * itself, which nobody gives back, unless FIXED.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>

#define BUFFER_PAGES 4u

static struct page *pages[BUFFER_PAGES];

static void free_buffer(void)
{
	for (unsigned int i = 0; i < BUFFER_PAGES && pages[i]; i++) {
		__free_page(pages[i]);
		pages[i] = NULL;
	}
}

static vm_fault_t reference_leak_fault(struct vm_fault *vmf)
{
	if (vmf->pgoff >= BUFFER_PAGES)
		return VM_FAULT_SIGBUS;
#ifndef FIXED
	get_page(pages[vmf->pgoff]);
#endif
	get_page(pages[vmf->pgoff]);
	vmf->page = pages[vmf->pgoff];
	return 0;
}

static const struct vm_operations_struct reference_leak_vm_ops = {
	.fault = reference_leak_fault,
};

static int reference_leak_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (vma->vm_pgoff >= BUFFER_PAGES || vma_pages(vma) > BUFFER_PAGES - vma->vm_pgoff)
		return -EINVAL;
	vma->vm_ops = &reference_leak_vm_ops;
	return 0;
}

static const struct file_operations reference_leak_fops = {
	.owner = THIS_MODULE,
	.mmap = reference_leak_mmap,
};

static struct miscdevice reference_leak_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "reference_leak",
	.fops = &reference_leak_fops,
};

static int __init reference_leak_init(void)
{
	int err;

	for (unsigned int i = 0; i < BUFFER_PAGES; i++) {
		pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!pages[i]) {
			free_buffer();
			return -ENOMEM;
		}
	}
	err = misc_register(&reference_leak_misc);
	if (err)
		free_buffer();
	return err;
}

static void __exit reference_leak_exit(void)
{
	misc_deregister(&reference_leak_misc);
	free_buffer();
}

module_init(reference_leak_init);
module_exit(reference_leak_exit);

MODULE_LICENSE("GPL");
