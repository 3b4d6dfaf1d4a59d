// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two character devices by number, each with half of the registers. The length of a mapping is
 * checked, its offset is not; FIXED checks both.
 */
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>

#define REGS_START 0xfd000000ul
#define REGS_SIZE (64ul << 10)
#define DEVICES 2u

static struct class *class;
static struct cdev cdev;
static dev_t first;

static int cdev_offset_mmap(struct file *file, struct vm_area_struct *vma)
{
	const unsigned long pages = REGS_SIZE / DEVICES >> PAGE_SHIFT;
	const unsigned long start = PHYS_PFN(REGS_START) + iminor(file_inode(file)) * pages;

	if (!(vma->vm_flags & VM_SHARED) || vma_pages(vma) > pages)
		return -EINVAL;
#ifdef FIXED
	if (vma->vm_pgoff > pages - vma_pages(vma))
		return -EINVAL;
#endif
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	return io_remap_pfn_range(vma, vma->vm_start, start + vma->vm_pgoff,
				  vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

static const struct file_operations cdev_offset_fops = {
	.owner = THIS_MODULE,
	.mmap = cdev_offset_mmap,
};

static void destroy(unsigned int devices)
{
	while (devices--)
		device_destroy(class, first + devices);
	class_destroy(class);
}

static int create(void)
{
	struct device *dev;

	class = class_create("cdev_offset");
	if (IS_ERR(class))
		return PTR_ERR(class);
	for (unsigned int i = 0; i < DEVICES; i++) {
		dev = device_create(class, NULL, first + i, NULL, "cdev_offset%u", i);
		if (IS_ERR(dev)) {
			destroy(i);
			return PTR_ERR(dev);
		}
	}
	return 0;
}

static int __init cdev_offset_init(void)
{
	int err = alloc_chrdev_region(&first, 0, DEVICES, "cdev_offset");

	if (err)
		return err;
	cdev_init(&cdev, &cdev_offset_fops);
	err = cdev_add(&cdev, first, DEVICES);
	if (err)
		goto region;
	err = create();
	if (!err)
		return 0;
	cdev_del(&cdev);
region:
	unregister_chrdev_region(first, DEVICES);
	return err;
}

static void __exit cdev_offset_exit(void)
{
	destroy(DEVICES);
	cdev_del(&cdev);
	unregister_chrdev_region(first, DEVICES);
}

module_init(cdev_offset_init);
module_exit(cdev_offset_exit);

MODULE_LICENSE("GPL");
