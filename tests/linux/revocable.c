// SPDX-License-Identifier: GPL-2.0-only
/*
 * revocable - a misc device through which a process maps a window of device memory, page by page as
 * it is touched. Turning the memory off takes every mapping away at once; touching it then is
 * SIGBUS, until it is turned on again.
 *
 * Builds as a kernel module.
 */
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/version.h>

#define REVOCABLE_MEMORY_OFF 0
#define REVOCABLE_MEMORY_ON 1

static unsigned long base;
module_param(base, ulong, 0444);
MODULE_PARM_DESC(base, "physical address of the window");

static unsigned long size;
module_param(size, ulong, 0444);
MODULE_PARM_DESC(size, "its size in bytes");

struct revocable {
	struct miscdevice misc;
	struct rw_semaphore memory_lock; /* the state of the memory, against faults */
	bool memory_on;
	struct mutex open_lock;
	struct address_space *mapping; /* of every file; set by the first open */
	unsigned int opened;
};

static struct revocable *revocable_of(struct file *file)
{
	return file->private_data;
}

static vm_fault_t revocable_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct revocable *dev = vma->vm_private_data;
	vm_fault_t ret = VM_FAULT_SIGBUS;

	down_read(&dev->memory_lock);
	if (dev->memory_on)
		ret = vmf_insert_pfn(vma, vmf->address, PHYS_PFN(base) + vmf->pgoff);
	up_read(&dev->memory_lock);
	return ret;
}

static const struct vm_operations_struct revocable_vm_ops = {
	.fault = revocable_fault,
};

static int revocable_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct revocable *dev = revocable_of(file);
	unsigned long pages = size >> PAGE_SHIFT;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (vma->vm_pgoff >= pages || vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;

	vma->vm_private_data = dev;
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_ops = &revocable_vm_ops;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
#else
	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
#endif
	return 0;
}

static void revocable_set_memory(struct revocable *dev, bool on)
{
	down_write(&dev->memory_lock);
	if (!on && dev->mapping)
		unmap_mapping_range(dev->mapping, 0, size, true);
	dev->memory_on = on;
	up_write(&dev->memory_lock);
	dev_info(dev->misc.this_device, "memory %s\n", on ? "on" : "off");
}

static long revocable_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (arg)
		return -EINVAL;
	switch (cmd) {
	case REVOCABLE_MEMORY_OFF:
	case REVOCABLE_MEMORY_ON:
		revocable_set_memory(revocable_of(file), cmd == REVOCABLE_MEMORY_ON);
		return 0;
	default:
		return -ENOTTY;
	}
}

static int revocable_open(struct inode *inode, struct file *file)
{
	struct revocable *dev = container_of(file->private_data, struct revocable, misc);

	mutex_lock(&dev->open_lock);
	dev->mapping = inode->i_mapping;
	dev->opened++;
	mutex_unlock(&dev->open_lock);
	file->private_data = dev;
	return 0;
}

static int revocable_release(struct inode *inode, struct file *file)
{
	struct revocable *dev = revocable_of(file);

	mutex_lock(&dev->open_lock);
	if (!--dev->opened)
		dev->mapping = NULL;
	mutex_unlock(&dev->open_lock);
	return 0;
}

static const struct file_operations revocable_fops = {
	.owner = THIS_MODULE,
	.open = revocable_open,
	.release = revocable_release,
	.mmap = revocable_mmap,
	.unlocked_ioctl = revocable_ioctl,
};

static struct revocable *the_device;

static int __init revocable_init(void)
{
	struct revocable *dev;
	int err;

	if (!size || !PAGE_ALIGNED(base) || !PAGE_ALIGNED(size))
		return -EINVAL;
	if (!request_mem_region(base, size, "revocable"))
		return -EBUSY;
	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev) {
		err = -ENOMEM;
		goto release_region;
	}
	init_rwsem(&dev->memory_lock);
	mutex_init(&dev->open_lock);
	dev->memory_on = true;
	dev->misc.minor = MISC_DYNAMIC_MINOR;
	dev->misc.name = "revocable";
	dev->misc.fops = &revocable_fops;
	err = misc_register(&dev->misc);
	if (err)
		goto free_device;
	the_device = dev;
	pr_info("revocable: %lu pages at %#lx\n", size >> PAGE_SHIFT, base);
	return 0;

free_device:
	kfree(dev);
release_region:
	release_mem_region(base, size);
	return err;
}

static void __exit revocable_exit(void)
{
	misc_deregister(&the_device->misc);
	kfree(the_device);
	the_device = NULL;
	release_mem_region(base, size);
}

module_init(revocable_init);
module_exit(revocable_exit);

MODULE_DESCRIPTION("Device memory whose mappings can be revoked");
MODULE_LICENSE("GPL");
