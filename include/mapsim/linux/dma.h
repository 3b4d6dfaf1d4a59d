/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Coherent DMA memory: <linux/dma-mapping.h>. struct device says what it is made of: dma_coherent
 * and dma_iommu. Behind an IOMMU, and on arm64 where the device is not coherent, its address is as
 * one of vmalloc: virt_to_page() does not take it. A dma_addr_t of an IOMMU is no physical address.
 */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_DMA_H)
#define MAPSIM_LINUX_DMA_H

#define DMA_ATTR_WRITE_COMBINE (1UL << 2)
#define DMA_ATTR_NO_KERNEL_MAPPING (1UL << 4)
#define DMA_ATTR_SKIP_CPU_SYNC (1UL << 5)
#define DMA_ATTR_FORCE_CONTIGUOUS (1UL << 6)
#define DMA_ATTR_NO_WARN (1UL << 8)
#define DMA_MAPPING_ERROR (~(dma_addr_t)0)

enum dma_data_direction { DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_NONE };

static inline bool dev_is_dma_coherent(const struct device *dev)
{
	return dev && dev->dma_coherent;
}

static inline unsigned int ms_linux_dma_how(const struct device *dev)
{
	return (dev && dev->dma_coherent ? MS_LINUX_DMA_COHERENT : 0u) |
	       (dev && dev->dma_iommu ? MS_LINUX_DMA_IOMMU : 0u);
}

/* Zeroed; attrs change nothing that is modelled: DMA_ATTR_WRITE_COMBINE is what arm64 does to
 * devices that are not coherent anyway, and nothing where they are. */
static inline void *dma_alloc_attrs(struct device *dev, size_t size, dma_addr_t *handle,
				    gfp_t flags, unsigned long attrs)
{
	(void)attrs;
	return ms_linux_dma_alloc(size, ms_linux_dma_how(dev), handle, flags);
}

static inline void dma_free_attrs(struct device *dev, size_t size, void *addr, dma_addr_t handle,
				  unsigned long attrs)
{
	(void)attrs, (void)handle;
	ms_linux_dma_free(size, addr, ms_linux_dma_how(dev));
}

static inline void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *handle,
				       gfp_t flags)
{
	return dma_alloc_attrs(dev, size, handle, flags, 0);
}

static inline void dma_free_coherent(struct device *dev, size_t size, void *addr, dma_addr_t handle)
{
	dma_free_attrs(dev, size, addr, handle, 0);
}

static inline void *dma_alloc_wc(struct device *dev, size_t size, dma_addr_t *handle, gfp_t flags)
{
	return dma_alloc_attrs(dev, size, handle, flags, DMA_ATTR_WRITE_COMBINE);
}

static inline void dma_free_wc(struct device *dev, size_t size, void *addr, dma_addr_t handle)
{
	dma_free_attrs(dev, size, addr, handle, DMA_ATTR_WRITE_COMBINE);
}

/* The VMA must not be longer than the buffer; all of it is mapped. -ENXIO: it is longer. */
static inline int dma_mmap_attrs(struct device *dev, struct vm_area_struct *vma, void *addr,
				 dma_addr_t handle, size_t size, unsigned long attrs)
{
	(void)attrs;
	return ms_linux_dma_mmap(vma, addr, handle, size, ms_linux_dma_how(dev));
}

static inline int dma_mmap_coherent(struct device *dev, struct vm_area_struct *vma, void *addr,
				    dma_addr_t handle, size_t size)
{
	return dma_mmap_attrs(dev, vma, addr, handle, size, 0);
}

static inline int dma_mmap_wc(struct device *dev, struct vm_area_struct *vma, void *addr,
			      dma_addr_t handle, size_t size)
{
	return dma_mmap_attrs(dev, vma, addr, handle, size, DMA_ATTR_WRITE_COMBINE);
}

static inline bool dma_can_mmap(struct device *dev)
{
	(void)dev;
	return true;
}

/* Memory that is not coherent, and cached everywhere: pages of RAM. */
static inline struct page *dma_alloc_pages(struct device *dev, size_t size, dma_addr_t *handle,
					   enum dma_data_direction dir, gfp_t gfp)
{
	struct page *page = alloc_pages(gfp | __GFP_ZERO, (unsigned int)get_order(size));

	(void)dev, (void)dir;
	if (page && handle)
		*handle = page_to_phys(page);
	return page;
}

static inline void dma_free_pages(struct device *dev, size_t size, struct page *page,
				  dma_addr_t handle, enum dma_data_direction dir)
{
	(void)dev, (void)handle, (void)dir;
	__free_pages(page, (unsigned int)get_order(size));
}

static inline int dma_mmap_pages(struct device *dev, struct vm_area_struct *vma, size_t size,
				 struct page *page)
{
	const unsigned long count = PAGE_ALIGN(size) >> PAGE_SHIFT;

	(void)dev;
	if (!vma)
		return -EINVAL;
	if (vma->vm_pgoff >= count || vma_pages(vma) > count - vma->vm_pgoff)
		return ms_linux_refuse(-ENXIO, "dma_mmap_pages: the VMA is longer than the memory");
	return remap_pfn_range(vma, vma->vm_start, page_to_pfn(page) + vma->vm_pgoff,
			       vma_pages(vma) << PAGE_SHIFT, vma->vm_page_prot);
}

/* ---- streaming: the memory is the driver's; nothing is moved, and nobody counts the mappings ---- */

/* Behind an IOMMU an address of its own, else the physical one. */
static inline dma_addr_t dma_map_page_attrs(struct device *dev, struct page *page, size_t offset,
					    size_t size, enum dma_data_direction dir,
					    unsigned long attrs)
{
	(void)dir, (void)attrs;
	return ms_linux_dma_map(page_to_phys(page) + offset, size, ms_linux_dma_how(dev));
}

static inline dma_addr_t dma_map_single_attrs(struct device *dev, void *ptr, size_t size,
					      enum dma_data_direction dir, unsigned long attrs)
{
	return dma_map_page_attrs(dev, virt_to_page(ptr), offset_in_page(ptr), size, dir, attrs);
}

#define dma_map_page(dev, page, offset, size, dir) \
	dma_map_page_attrs(dev, page, offset, size, dir, 0)
#define dma_map_single(dev, ptr, size, dir) dma_map_single_attrs(dev, ptr, size, dir, 0)
#define dma_unmap_page_attrs(dev, addr, size, dir, attrs) \
	((void)(dev), (void)(addr), (void)(size), (void)(dir), (void)(attrs))
#define dma_unmap_page(dev, addr, size, dir) dma_unmap_page_attrs(dev, addr, size, dir, 0)
#define dma_unmap_single_attrs(dev, addr, size, dir, attrs) \
	dma_unmap_page_attrs(dev, addr, size, dir, attrs)
#define dma_unmap_single(dev, addr, size, dir) dma_unmap_page_attrs(dev, addr, size, dir, 0)
#define dma_sync_single_for_cpu(dev, addr, size, dir) dma_unmap_page_attrs(dev, addr, size, dir, 0)
#define dma_sync_single_for_device(dev, addr, size, dir) \
	dma_unmap_page_attrs(dev, addr, size, dir, 0)

static inline int dma_mapping_error(const struct device *dev, dma_addr_t addr)
{
	(void)dev;
	return addr == DMA_MAPPING_ERROR ? -ENOMEM : 0;
}

#endif
