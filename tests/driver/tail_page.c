// SPDX-License-Identifier: GPL-2.0-only
/*
 * A buffer of four pages that are allocated at once. The last three have no reference count of
 * their own, unless FIXED makes one page of them.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>

#define BUFFER_ORDER 2u
#define BUFFER_PAGES (1u << BUFFER_ORDER)
#ifdef FIXED
#define BUFFER_FLAGS (GFP_KERNEL | __GFP_ZERO | __GFP_COMP)
#else
#define BUFFER_FLAGS (GFP_KERNEL | __GFP_ZERO)
#endif

static struct page *buffer;

static vm_fault_t tail_page_fault(struct vm_fault *vmf)
{
	struct page *page;

	if (vmf->pgoff >= BUFFER_PAGES)
		return VM_FAULT_SIGBUS;
	page = buffer + vmf->pgoff;
	get_page(page);
	vmf->page = page;
	return 0;
}

static const struct vm_operations_struct tail_page_vm_ops = {
	.fault = tail_page_fault,
};

static int tail_page_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (vma->vm_pgoff >= BUFFER_PAGES || vma_pages(vma) > BUFFER_PAGES - vma->vm_pgoff)
		return -EINVAL;
	vma->vm_ops = &tail_page_vm_ops;
	return 0;
}

static const struct file_operations tail_page_fops = {
	.owner = THIS_MODULE,
	.mmap = tail_page_mmap,
};

static struct miscdevice tail_page_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "tail_page",
	.fops = &tail_page_fops,
};

static int __init tail_page_init(void)
{
	int err;

	buffer = alloc_pages(BUFFER_FLAGS, BUFFER_ORDER);
	if (!buffer)
		return -ENOMEM;
	err = misc_register(&tail_page_misc);
	if (err)
		__free_pages(buffer, BUFFER_ORDER);
	return err;
}

static void __exit tail_page_exit(void)
{
	misc_deregister(&tail_page_misc);
	__free_pages(buffer, BUFFER_ORDER);
}

module_init(tail_page_init);
module_exit(tail_page_exit);

MODULE_LICENSE("GPL");
