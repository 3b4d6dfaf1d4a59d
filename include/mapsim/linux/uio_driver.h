/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * <linux/uio_driver.h>: the mapping part of drivers/uio. A device is opened as "uio0", "uio1" …,
 * the lowest number that is free; page N of the file is mem[N]. Not modelled: interrupts and what
 * read() waits for, ports, attributes in sysfs.
 */
#include <mapsim/linux.h>
#ifndef MAPSIM_LINUX_UIO_DRIVER_H
#define MAPSIM_LINUX_UIO_DRIVER_H

#define UIO_MEM_NONE 0
#define UIO_MEM_PHYS 1
#define UIO_MEM_LOGICAL 2
#define UIO_MEM_VIRTUAL 3
#define UIO_MEM_IOVA 4
#if MS_LINUX_SINCE(6, 9)
#define UIO_MEM_DMA_COHERENT 5
#endif
#define UIO_IRQ_NONE 0
#define UIO_IRQ_CUSTOM (-1)
#define UIO_PORT_NONE 0
#define UIO_PORT_X86 1
#define UIO_PORT_GPIO 2
#define UIO_PORT_OTHER 3
#define MAX_UIO_MAPS 5
#define MAX_UIO_PORT_REGIONS 5

struct uio_map;
struct uio_portio;
struct uio_info;

struct uio_mem {
	const char *name;
	phys_addr_t addr; ///< of PHYS and IOVA; else an address of the kernel's
	dma_addr_t dma_addr;
	unsigned long offs;
	resource_size_t size; ///< bytes; 0: there is no such memory
	int memtype;          ///< UIO_MEM_
	void __iomem *internal_addr;
	struct device *dma_device;
	struct uio_map *map;
};

struct uio_port {
	const char *name;
	unsigned long start, size;
	int porttype;
	struct uio_portio *portio;
};

struct uio_device {
	struct module *owner;
	struct device dev;
	int minor;
	atomic_t event;
	wait_queue_head_t wait;
	struct uio_info *info; ///< NULL: it was unregistered
	struct mutex info_lock;
	struct miscdevice ms_misc;
	char ms_node[16];
	unsigned int ms_users; // files, and the registration
};

struct uio_info {
	struct uio_device *uio_dev;
	const char *name, *version;
	struct uio_mem mem[MAX_UIO_MAPS];
	struct uio_port port[MAX_UIO_PORT_REGIONS];
	long irq;
	unsigned long irq_flags;
	void *priv;
	int (*handler)(int irq, struct uio_info *dev_info);
	int (*mmap)(struct uio_info *info, struct vm_area_struct *vma);
	int (*open)(struct uio_info *info, struct inode *inode);
	int (*release)(struct uio_info *info, struct inode *inode);
	int (*irqcontrol)(struct uio_info *info, s32 irq_on);
};

/* ---- mapping ---- */

static inline struct uio_mem *ms_uio_mem(const struct vm_area_struct *vma)
{
	struct uio_device *idev = (struct uio_device *)vma->vm_private_data;

	if (vma->vm_pgoff >= MAX_UIO_MAPS || !idev->info->mem[vma->vm_pgoff].size)
		return NULL;
	return &idev->info->mem[vma->vm_pgoff];
}

/* mirrors uio_vma_fault(), drivers/uio/uio.c, 5.10+ */
static inline vm_fault_t ms_uio_fault(struct vm_fault *vmf)
{
	struct uio_device *idev = (struct uio_device *)vmf->vma->vm_private_data;
	const struct uio_mem *mem;
	vm_fault_t ret = 0;
	char *addr;

	mutex_lock(&idev->info_lock);
	mem = idev->info ? ms_uio_mem(vmf->vma) : NULL;
	if (mem) {
		addr = (char *)(unsigned long)mem->addr +
		       ((vmf->pgoff - vmf->vma->vm_pgoff) << PAGE_SHIFT);
		vmf->page = mem->memtype == UIO_MEM_LOGICAL ? virt_to_page(addr)
							    : vmalloc_to_page(addr);
		if (vmf->page)
			get_page(vmf->page);
		else
			ret = VM_FAULT_SIGBUS; // the kernel would read what is no struct page
	} else {
		ret = VM_FAULT_SIGBUS;
	}
	mutex_unlock(&idev->info_lock);
	return ret;
}

static inline int ms_uio_mmap_logical(struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = ms_uio_fault };

	ms_linux_vma_start_write(vma);
	vma->vm_flags_word |= VM_DONTEXPAND | VM_DONTDUMP;
	vma->vm_ops = &ops;
	return 0;
}

/* mirrors uio_mmap_physical(), drivers/uio/uio.c, 5.10+ */
static inline int ms_uio_mmap_physical(struct vm_area_struct *vma, const struct uio_mem *mem)
{
	static const struct vm_operations_struct ops = { .access = generic_access_phys };

	if (mem->addr & ~PAGE_MASK)
		return ms_linux_refuse(-ENODEV, "uio: the memory begins inside of a page");
	if (vma->vm_end - vma->vm_start > mem->size)
		return ms_linux_refuse(-EINVAL, "uio: more than the memory has");
	vma->vm_ops = &ops;
	if (mem->memtype == UIO_MEM_PHYS)
		vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	return remap_pfn_range(vma, vma->vm_start, PHYS_PFN(mem->addr),
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

#ifdef UIO_MEM_DMA_COHERENT
/* mirrors uio_mmap_dma_coherent(), drivers/uio/uio.c, 6.12+ */
static inline int ms_uio_mmap_coherent(struct vm_area_struct *vma, const struct uio_mem *mem)
{
	const unsigned long index = vma->vm_pgoff;
	int err;

	if ((mem->addr & ~PAGE_MASK) || (mem->dma_addr & ~PAGE_MASK) || !mem->dma_device)
		return ms_linux_refuse(-ENODEV, "uio: no whole pages, or no device, for the DMA");
	if (vma->vm_end - vma->vm_start > mem->size)
		return ms_linux_refuse(-EINVAL, "uio: more than the memory has");
	dev_warn(mem->dma_device, "use of UIO_MEM_DMA_COHERENT is highly discouraged");
	vma->vm_pgoff = 0;
	err = dma_mmap_coherent(mem->dma_device, vma, (void *)(unsigned long)mem->addr,
				mem->dma_addr, vma->vm_end - vma->vm_start);
	vma->vm_pgoff = index;
	return err;
}
#endif

/* The lock is held. */
static inline int ms_uio_mmap_locked(struct uio_device *idev, struct vm_area_struct *vma)
{
	const struct uio_mem *mem = idev->info ? ms_uio_mem(vma) : NULL;

	if (!mem)
		return ms_linux_refuse(-EINVAL, "uio: there is no such memory");
	if (vma_pages(vma) > ((mem->addr & ~PAGE_MASK) + mem->size + PAGE_SIZE - 1) >> PAGE_SHIFT)
		return ms_linux_refuse(-EINVAL, "uio: more than the memory has");
	if (idev->info->mmap)
		return idev->info->mmap(idev->info, vma);
	switch (mem->memtype) {
	case UIO_MEM_IOVA:
	case UIO_MEM_PHYS:
		return ms_uio_mmap_physical(vma, mem);
	case UIO_MEM_LOGICAL:
	case UIO_MEM_VIRTUAL:
		return ms_uio_mmap_logical(vma);
#ifdef UIO_MEM_DMA_COHERENT
	case UIO_MEM_DMA_COHERENT:
		return ms_uio_mmap_coherent(vma, mem);
#endif
	default:
		return ms_linux_refuse(-EINVAL, "uio: the memory's type cannot be mapped");
	}
}

/* mirrors uio_mmap(), drivers/uio/uio.c, 5.10+ */
static inline int ms_uio_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct uio_device *idev = (struct uio_device *)file->private_data;
	int err;

	vma->vm_private_data = idev;
	mutex_lock(&idev->info_lock);
	err = ms_uio_mmap_locked(idev, vma);
	mutex_unlock(&idev->info_lock);
	return err;
}

/* ---- devices ---- */

static inline void ms_uio_put(struct uio_device *idev)
{
	if (!--idev->ms_users)
		kfree(idev);
}

static inline int ms_uio_open(struct inode *inode, struct file *file)
{
	struct uio_device *idev = container_of((struct miscdevice *)file->private_data,
					       struct uio_device, ms_misc);
	int err = 0;

	mutex_lock(&idev->info_lock);
	if (!idev->info)
		err = -EINVAL;
	else if (idev->info->open)
		err = idev->info->open(idev->info, inode);
	mutex_unlock(&idev->info_lock);
	if (err)
		return err;
	file->private_data = idev;
	idev->ms_users++;
	return 0;
}

static inline int ms_uio_release(struct inode *inode, struct file *file)
{
	struct uio_device *idev = (struct uio_device *)file->private_data;
	int err = 0;

	mutex_lock(&idev->info_lock);
	if (idev->info && idev->info->release)
		err = idev->info->release(idev->info, inode);
	mutex_unlock(&idev->info_lock);
	ms_uio_put(idev);
	return err;
}

/* -EINVAL: without a name or a version; -ENOMEM. */
static inline int uio_register_device(struct device *parent, struct uio_info *info)
{
	static const struct file_operations fops = {
		.open = ms_uio_open,
		.release = ms_uio_release,
		.mmap = ms_uio_mmap,
	};
	struct uio_device *idev;
	int err;

	if (!parent || !info || !info->name || !info->version)
		return -EINVAL;
	info->uio_dev = NULL;
	idev = (struct uio_device *)kzalloc(sizeof(*idev), GFP_KERNEL);
	if (!idev)
		return -ENOMEM;
	idev->info = info;
	idev->ms_users = 1;
	mutex_init(&idev->info_lock);
	init_waitqueue_head(&idev->wait);
	for (err = -EEXIST; err == -EEXIST; idev->minor++) {
		snprintf(idev->ms_node, sizeof(idev->ms_node), "uio%d", idev->minor);
		idev->ms_misc = (struct miscdevice){
			.minor = MISC_DYNAMIC_MINOR,
			.name = idev->ms_node,
			.fops = &fops,
			.parent = parent,
		};
		err = misc_register(&idev->ms_misc);
	}
	idev->minor--;
	if (err) {
		kfree(idev);
		return err;
	}
	info->uio_dev = idev;
	return 0;
}

/* Files that are open stay, and map nothing more; what is mapped by raw pfns stays mapped. */
static inline void uio_unregister_device(struct uio_info *info)
{
	struct uio_device *idev = info ? info->uio_dev : NULL;

	if (!idev)
		return;
	mutex_lock(&idev->info_lock);
	idev->info = NULL;
	mutex_unlock(&idev->info_lock);
	misc_deregister(&idev->ms_misc);
	info->uio_dev = NULL;
	ms_uio_put(idev);
}

static inline void uio_event_notify(struct uio_info *info)
{
	atomic_inc(&info->uio_dev->event);
	wake_up_interruptible(&info->uio_dev->wait);
}

static inline void ms_uio_unregister(void *info)
{
	uio_unregister_device((struct uio_info *)info);
}

#if MS_LINUX_SINCE(5, 13)
static inline int devm_uio_register_device(struct device *dev, struct uio_info *info)
{
	int err = uio_register_device(dev, info);

	return err ? err : devm_add_action_or_reset(dev, ms_uio_unregister, info);
}
#endif

#endif
