// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that are mapped by their number, which holds no reference. They are freed when a mapping of
 * them is closed, though another may be left; FIXED frees them with the module.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>

#define BUFFER_ORDER 2u
#define BUFFER_PAGES (1u << BUFFER_ORDER)

static struct page *buffer;

static void free_buffer(void)
{
	if (buffer)
		__free_pages(buffer, BUFFER_ORDER);
	buffer = NULL;
}

#ifndef FIXED
static void freed_while_mapped_close(struct vm_area_struct *vma)
{
	free_buffer();
}

static const struct vm_operations_struct freed_while_mapped_vm_ops = {
	.close = freed_while_mapped_close,
};
#endif

static int freed_while_mapped_mmap(struct file *file, struct vm_area_struct *vma)
{
	int err;

	if (vma->vm_pgoff || vma_pages(vma) > BUFFER_PAGES)
		return -EINVAL;
	if (!buffer)
		buffer = alloc_pages(GFP_KERNEL | __GFP_ZERO, BUFFER_ORDER);
	if (!buffer)
		return -ENOMEM;
	err = remap_pfn_range(vma, vma->vm_start, page_to_pfn(buffer), vma->vm_end - vma->vm_start,
			      vma->vm_page_prot);
#ifndef FIXED
	if (!err)
		vma->vm_ops = &freed_while_mapped_vm_ops;
#endif
	return err;
}

static const struct file_operations freed_while_mapped_fops = {
	.owner = THIS_MODULE,
	.mmap = freed_while_mapped_mmap,
};

static struct miscdevice freed_while_mapped_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "freed_while_mapped",
	.fops = &freed_while_mapped_fops,
};

static int __init freed_while_mapped_init(void)
{
	return misc_register(&freed_while_mapped_misc);
}

static void __exit freed_while_mapped_exit(void)
{
	misc_deregister(&freed_while_mapped_misc);
	free_buffer();
}

module_init(freed_while_mapped_init);
module_exit(freed_while_mapped_exit);

MODULE_LICENSE("GPL");
