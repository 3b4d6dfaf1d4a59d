// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver of a PCI device, whose BAR it maps. When the device goes, a mapping of it is left; FIXED
 * takes all mappings away, and makes no more.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>

static DEFINE_MUTEX(lock);
static struct pci_dev *present;
static struct address_space *mapping;

static int pci_unbind_mmap(struct file *file, struct vm_area_struct *vma)
{
	unsigned long pages;
	int err = -ENODEV;

	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	mutex_lock(&lock);
	if (!present)
		goto out;
	pages = pci_resource_len(present, 0) >> PAGE_SHIFT;
	err = -EINVAL;
	if (vma->vm_pgoff >= pages || vma_pages(vma) > pages - vma->vm_pgoff)
		goto out;
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	err = io_remap_pfn_range(vma, vma->vm_start,
				 PHYS_PFN(pci_resource_start(present, 0)) + vma->vm_pgoff,
				 vma->vm_end - vma->vm_start, vma->vm_page_prot);
out:
	mutex_unlock(&lock);
	return err;
}

static int pci_unbind_open(struct inode *inode, struct file *file)
{
	mapping = inode->i_mapping;
	return 0;
}

static const struct file_operations pci_unbind_fops = {
	.owner = THIS_MODULE,
	.open = pci_unbind_open,
	.mmap = pci_unbind_mmap,
};

static struct miscdevice pci_unbind_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "pci_unbind",
	.fops = &pci_unbind_fops,
};

static int pci_unbind_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err = pci_enable_device(pdev);

	if (err)
		return err;
	err = pci_request_regions(pdev, "pci_unbind");
	if (err)
		goto disable;
	present = pdev;
	err = misc_register(&pci_unbind_misc);
	if (!err)
		return 0;
	present = NULL;
	pci_release_regions(pdev);
disable:
	pci_disable_device(pdev);
	return err;
}

static void pci_unbind_remove(struct pci_dev *pdev)
{
	mutex_lock(&lock);
	present = NULL;
	mutex_unlock(&lock);
#ifdef FIXED
	// before the device's inode can go
	if (mapping)
		unmap_mapping_range(mapping, 0, 0, 1);
	mapping = NULL;
#endif
	misc_deregister(&pci_unbind_misc);
	pci_release_regions(pdev);
	pci_disable_device(pdev);
}

static const struct pci_device_id pci_unbind_ids[] = {
	{ PCI_DEVICE(0x1af4, 0x1110) },
	{ 0 },
};
MODULE_DEVICE_TABLE(pci, pci_unbind_ids);

static struct pci_driver pci_unbind_driver = {
	.name = "pci_unbind",
	.id_table = pci_unbind_ids,
	.probe = pci_unbind_probe,
	.remove = pci_unbind_remove,
};
module_pci_driver(pci_unbind_driver);

MODULE_LICENSE("GPL");
