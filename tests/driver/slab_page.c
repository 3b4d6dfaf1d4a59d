// SPDX-License-Identifier: GPL-2.0-only
/*
 * A status structure that processes may read: it is kmalloc memory, whose page belongs to the
 * slab, unless FIXED gives it a page of its own.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

static void *status;

static vm_fault_t slab_page_fault(struct vm_fault *vmf)
{
	struct page *page;

	if (vmf->pgoff)
		return VM_FAULT_SIGBUS;
	page = virt_to_page(status);
	get_page(page);
	vmf->page = page;
	return 0;
}

static const struct vm_operations_struct slab_page_vm_ops = {
	.fault = slab_page_fault,
};

static int slab_page_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (vma->vm_pgoff || vma_pages(vma) > 1)
		return -EINVAL;
	vma->vm_ops = &slab_page_vm_ops;
	return 0;
}

static const struct file_operations slab_page_fops = {
	.owner = THIS_MODULE,
	.mmap = slab_page_mmap,
};

static struct miscdevice slab_page_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "slab_page",
	.fops = &slab_page_fops,
};

static void *alloc_status(void)
{
#ifdef FIXED
	return (void *)get_zeroed_page(GFP_KERNEL);
#else
	return kzalloc(256, GFP_KERNEL);
#endif
}

static void free_status(void)
{
#ifdef FIXED
	free_page((unsigned long)status);
#else
	kfree(status);
#endif
}

static int __init slab_page_init(void)
{
	int err;

	status = alloc_status();
	if (!status)
		return -ENOMEM;
	err = misc_register(&slab_page_misc);
	if (err)
		free_status();
	return err;
}

static void __exit slab_page_exit(void)
{
	misc_deregister(&slab_page_misc);
	free_status();
}

module_init(slab_page_init);
module_exit(slab_page_exit);

MODULE_LICENSE("GPL");
