/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * <linux/pci.h>: a driver's probe and remove, and the BARs of its device. A test makes the device
 * (ms_linux_pci_device()), gives it BARs (ms_linux_pci_bar()) and lets it be found
 * (ms_linux_pci_found()), before or after the driver registers. Configuration space, interrupts and
 * links are not modelled, and not there.
 */
#include <mapsim/linux.h>
#ifndef MAPSIM_LINUX_PCI_H
#define MAPSIM_LINUX_PCI_H

#define PCI_STD_NUM_BARS 6
#define PCI_ROM_RESOURCE 6
#define DEVICE_COUNT_RESOURCE 17
#define PCI_NUM_RESOURCES 17
#define PCI_ANY_ID (~0u)
#define PCI_DEVFN(slot, func) ((((slot)&0x1f) << 3) | ((func)&0x07))
#define PCI_SLOT(devfn) (((devfn) >> 3) & 0x1f)
#define PCI_FUNC(devfn) ((devfn)&0x07)

struct pci_dev;

struct pci_device_id {
	__u32 vendor, device, subvendor, subdevice, class, class_mask;
	unsigned long driver_data;
	__u32 override_only;
};

#define PCI_DEVICE(vend, dev) \
	.vendor = (vend), .device = (dev), .subvendor = PCI_ANY_ID, .subdevice = PCI_ANY_ID
#define PCI_DEVICE_SUB(vend, dev, subvend, subdev) \
	.vendor = (vend), .device = (dev), .subvendor = (subvend), .subdevice = (subdev)
#define PCI_DEVICE_CLASS(dev_class, dev_class_mask) \
	.class = (dev_class), .class_mask = (dev_class_mask), .vendor = PCI_ANY_ID, \
	.device = PCI_ANY_ID, .subvendor = PCI_ANY_ID, .subdevice = PCI_ANY_ID
#define PCI_VDEVICE(vend, dev) PCI_DEVICE(PCI_VENDOR_ID_##vend, dev)

struct pci_driver {
	const char *name;
	const struct pci_device_id *id_table;
	int (*probe)(struct pci_dev *dev, const struct pci_device_id *id);
	void (*remove)(struct pci_dev *dev);
	void (*shutdown)(struct pci_dev *dev);
	struct device_driver driver;
	struct pci_driver *ms_next;
};

struct pci_bus {
	unsigned char number;
};

struct pci_dev {
	struct device dev;
	struct pci_bus *bus;
	unsigned int devfn;
	unsigned short vendor, device, subsystem_vendor, subsystem_device;
	unsigned int class;
	u8 revision;
	unsigned int irq;
	u64 dma_mask;
	struct pci_driver *driver;
	struct resource resource[DEVICE_COUNT_RESOURCE];
	unsigned int is_busmaster : 1;
	unsigned int non_compliant_bars : 1;
	/* of the library */
	struct pci_dev *ms_next;
	struct pci_bus ms_bus;
	unsigned int ms_enabled, ms_claimed, ms_managed; // the last two: BARs as bits
	bool ms_found;
};

#define to_pci_dev(d) container_of(d, struct pci_dev, dev)
#define to_pci_driver(d) container_of(d, struct pci_driver, driver)

/* ---- what a test calls ---- */

/**
 * A PCI device without BARs, at an address of its own on bus 0. It lives until
 * ms_linux_pci_free(). NULL, and errno says why: EINVAL: no machine; ENOMEM.
 */
struct pci_dev *ms_linux_pci_device(struct ms_machine *m, unsigned int vendor, unsigned int device);
/** BAR `index` (0..5) is [start, start + size), bytes; flags: IORESOURCE_MEM and kin. -EINVAL. */
int ms_linux_pci_bar(struct pci_dev *pdev, unsigned int index, u64 start, u64 size,
		     unsigned long flags);
/** The bus has found it: a driver that is registered, or will be, is probed. Answers what the probe
 * does; 0: no driver is there. -EINVAL: NULL, or it was found before. */
int ms_linux_pci_found(struct pci_dev *pdev);
/** The device is pulled out: its driver's remove is called, and it is freed. NULL is allowed. */
void ms_linux_pci_free(struct pci_dev *pdev);

/* ---- drivers ---- */

/** The i-th driver that is registered on m, the newest first; NULL: no more. */
struct pci_driver *ms_linux_pci_driver_at(struct ms_machine *m, size_t i);
int ms_linux_pci_register_driver(struct pci_driver *driver);
void ms_linux_pci_unregister_driver(struct pci_driver *driver);
#define pci_register_driver(driver) ms_linux_pci_register_driver(driver)
#define __pci_register_driver(driver, owner, name) ms_linux_pci_register_driver(driver)

static inline void pci_unregister_driver(struct pci_driver *driver)
{
	ms_linux_pci_unregister_driver(driver);
}

#define module_pci_driver(the_driver) \
	module_driver(the_driver, pci_register_driver, pci_unregister_driver)

#define pci_get_drvdata(pdev) dev_get_drvdata(&(pdev)->dev)
#define pci_set_drvdata(pdev, data) dev_set_drvdata(&(pdev)->dev, data)

static inline const char *pci_name(const struct pci_dev *pdev)
{
	return pdev ? dev_name(&pdev->dev) : "";
}

#define pci_dbg(pdev, ...) dev_dbg(&(pdev)->dev, __VA_ARGS__)
#define pci_info(pdev, ...) dev_info(&(pdev)->dev, __VA_ARGS__)
#define pci_notice(pdev, ...) dev_notice(&(pdev)->dev, __VA_ARGS__)
#define pci_warn(pdev, ...) dev_warn(&(pdev)->dev, __VA_ARGS__)
#define pci_err(pdev, ...) dev_err(&(pdev)->dev, __VA_ARGS__)

#define pci_err_ratelimited(pdev, ...) dev_err_ratelimited(&(pdev)->dev, __VA_ARGS__)
#define pci_warn_ratelimited(pdev, ...) dev_warn_ratelimited(&(pdev)->dev, __VA_ARGS__)
#define pci_notice_ratelimited(pdev, ...) dev_notice_ratelimited(&(pdev)->dev, __VA_ARGS__)
#define pci_info_ratelimited(pdev, ...) dev_info_ratelimited(&(pdev)->dev, __VA_ARGS__)
#define pci_warn_once(pdev, ...) dev_warn_once(&(pdev)->dev, __VA_ARGS__)
#define pci_notice_once(pdev, ...) dev_notice_once(&(pdev)->dev, __VA_ARGS__)
#define pci_info_once(pdev, ...) dev_info_once(&(pdev)->dev, __VA_ARGS__)
#define pci_WARN(pdev, condition, ...) WARN(condition, __VA_ARGS__)
#define pci_WARN_ONCE(pdev, condition, ...) WARN_ONCE(condition, __VA_ARGS__)

static inline struct pci_dev *pci_dev_get(struct pci_dev *pdev)
{
	if (pdev)
		get_device(&pdev->dev);
	return pdev;
}

static inline void pci_dev_put(struct pci_dev *pdev)
{
	if (pdev)
		put_device(&pdev->dev);
}

/* ---- on and off ---- */

int ms_linux_pci_enable(struct pci_dev *pdev, bool managed);
void ms_linux_pci_disable(struct pci_dev *pdev);

static inline int pci_enable_device(struct pci_dev *pdev)
{
	return ms_linux_pci_enable(pdev, false);
}

#define pci_enable_device_mem(pdev) pci_enable_device(pdev)
#define pcim_enable_device(pdev) ms_linux_pci_enable(pdev, true)

static inline void pci_disable_device(struct pci_dev *pdev)
{
	ms_linux_pci_disable(pdev);
}

static inline int pci_is_enabled(struct pci_dev *pdev)
{
	return pdev && pdev->ms_enabled;
}

static inline void pci_set_master(struct pci_dev *pdev)
{
	if (pdev)
		pdev->is_busmaster = 1;
}

static inline void pci_clear_master(struct pci_dev *pdev)
{
	if (pdev)
		pdev->is_busmaster = 0;
}

/* ---- BARs ---- */

static inline struct resource *pci_resource_n(struct pci_dev *pdev, unsigned int bar)
{
	return pdev && bar < DEVICE_COUNT_RESOURCE ? &pdev->resource[bar] : NULL;
}

#define pci_resource_start(pdev, bar) ((pdev)->resource[(bar)].start)
#define pci_resource_end(pdev, bar) ((pdev)->resource[(bar)].end)
#define pci_resource_flags(pdev, bar) ((pdev)->resource[(bar)].flags)
#define pci_resource_len(pdev, bar) \
	((pdev)->resource[(bar)].end ? resource_size(&(pdev)->resource[(bar)]) : 0)

int ms_linux_pci_claim(struct pci_dev *pdev, unsigned int bars, const char *name, bool managed);
void ms_linux_pci_unclaim(struct pci_dev *pdev, unsigned int bars);

static inline int pci_request_region(struct pci_dev *pdev, int bar, const char *name)
{
	return ms_linux_pci_claim(pdev, 1u << bar, name, false);
}

static inline void pci_release_region(struct pci_dev *pdev, int bar)
{
	ms_linux_pci_unclaim(pdev, 1u << bar);
}

static inline int pci_request_regions(struct pci_dev *pdev, const char *name)
{
	return ms_linux_pci_claim(pdev, (1u << PCI_STD_NUM_BARS) - 1, name, false);
}

static inline void pci_release_regions(struct pci_dev *pdev)
{
	ms_linux_pci_unclaim(pdev, (1u << PCI_STD_NUM_BARS) - 1);
}

static inline int pci_request_selected_regions(struct pci_dev *pdev, int bars, const char *name)
{
	return ms_linux_pci_claim(pdev, (unsigned int)bars, name, false);
}

static inline void pci_release_selected_regions(struct pci_dev *pdev, int bars)
{
	ms_linux_pci_unclaim(pdev, (unsigned int)bars);
}

#define pcim_request_region(pdev, bar, name) ms_linux_pci_claim(pdev, 1u << (bar), name, true)

static inline int pci_select_bars(struct pci_dev *pdev, unsigned long flags)
{
	int bars = 0;

	for (int i = 0; pdev && i < PCI_STD_NUM_BARS; i++)
		if (pdev->resource[i].flags & flags)
			bars |= 1 << i;
	return bars;
}

/* max 0: all of the BAR. NULL: no memory BAR, or refused. */
static inline void __iomem *pci_iomap_range(struct pci_dev *pdev, int bar, unsigned long offset,
					    unsigned long max)
{
	const struct resource *res = pci_resource_n(pdev, (unsigned int)bar);
	resource_size_t len = res && res->end ? resource_size(res) : 0;

	if (len <= offset || !(res->flags & IORESOURCE_MEM))
		return NULL;
	len -= offset;
	return ioremap(res->start + offset, max && len > max ? max : len);
}

static inline void __iomem *pci_iomap(struct pci_dev *pdev, int bar, unsigned long max)
{
	return pci_iomap_range(pdev, bar, 0, max);
}

static inline void __iomem *pci_iomap_wc(struct pci_dev *pdev, int bar, unsigned long max)
{
	const struct resource *res = pci_resource_n(pdev, (unsigned int)bar);
	const resource_size_t len = res && res->end ? resource_size(res) : 0;

	if (!len || !(res->flags & IORESOURCE_MEM))
		return NULL;
	return ioremap_wc(res->start, max && len > max ? max : len);
}

static inline void pci_iounmap(struct pci_dev *pdev, void __iomem *addr)
{
	(void)pdev;
	iounmap(addr);
}

static inline void __iomem *pci_ioremap_bar(struct pci_dev *pdev, int bar)
{
	return pci_iomap(pdev, bar, 0);
}

static inline void __iomem *pcim_iomap(struct pci_dev *pdev, int bar, unsigned long max)
{
	return pdev ? ms_linux_devm_ioremap(&pdev->dev, pci_iomap(pdev, bar, max)) : NULL;
}

static inline void __iomem *pcim_iomap_region(struct pci_dev *pdev, int bar, const char *name)
{
	void __iomem *p;
	int err = pcim_request_region(pdev, bar, name);

	if (err)
		return ERR_PTR(err);
	p = pcim_iomap(pdev, bar, 0);
	return p ? p : ERR_PTR(-ENOMEM);
}

/* ---- BARs as files of sysfs and procfs map them ---- */

enum pci_mmap_state { pci_mmap_io, pci_mmap_mem };

/* x86 maps no ports; arm64's are memory, and not modelled. */
#define arch_can_pci_mmap_io() 0
/* By the PAT, which the machines that are modelled have; a constant, where the kernel asks. */
#define arch_can_pci_mmap_wc() 1

/* The kernels that are modelled have no bus with another view of a BAR than the CPU. */
static inline void pci_resource_to_user(const struct pci_dev *pdev, int bar,
					const struct resource *res, resource_size_t *start,
					resource_size_t *end)
{
	(void)pdev, (void)bar;
	*start = res->start;
	*end = res->end;
}

/* No ports can be mapped: -EINVAL. */
static inline int pci_iobar_pfn(struct pci_dev *pdev, int bar, struct vm_area_struct *vma)
{
	(void)pdev, (void)bar, (void)vma;
	return -EINVAL;
}

/* vm_pgoff counts from the BAR's beginning, and becomes the page's number. -EINVAL: more than the
 * BAR has, or ports. */
int ms_linux_pci_mmap_resource_range(struct pci_dev *pdev, int bar, struct vm_area_struct *vma,
				     enum pci_mmap_state mmap_state, int write_combine);
#define pci_mmap_resource_range(pdev, bar, vma, mmap_state, write_combine) \
	ms_linux_pci_mmap_resource_range(pdev, bar, vma, mmap_state, write_combine)

#endif
