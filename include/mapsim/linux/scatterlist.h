/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * <linux/scatterlist.h>: lists of pages in one array. Chained arrays are not modelled, and not there.
 */
#include <mapsim/linux.h>
#ifndef MAPSIM_LINUX_SCATTERLIST_H
#define MAPSIM_LINUX_SCATTERLIST_H

struct scatterlist {
	struct page *ms_page;
	unsigned int offset, length; ///< bytes
	dma_addr_t dma_address;
	unsigned int dma_length;
	bool ms_last;
};

struct sg_table {
	struct scatterlist *sgl;
	unsigned int nents, orig_nents;
};

#define SG_MAX_SINGLE_ALLOC (PAGE_SIZE / sizeof(struct scatterlist))
#define sg_dma_address(sg) ((sg)->dma_address)
#define sg_dma_len(sg) ((sg)->dma_length)

static inline struct page *sg_page(struct scatterlist *sg)
{
	return sg->ms_page;
}

static inline void sg_set_page(struct scatterlist *sg, struct page *page, unsigned int len,
			       unsigned int offset)
{
	sg->ms_page = page;
	sg->offset = offset;
	sg->length = len;
}

static inline bool sg_is_last(const struct scatterlist *sg)
{
	return sg->ms_last;
}

static inline struct scatterlist *sg_next(struct scatterlist *sg)
{
	return sg->ms_last ? NULL : sg + 1;
}

static inline void sg_mark_end(struct scatterlist *sg)
{
	sg->ms_last = true;
}

static inline void sg_init_table(struct scatterlist *sgl, unsigned int nents)
{
	memset(sgl, 0, sizeof(*sgl) * nents);
	if (nents)
		sg_mark_end(&sgl[nents - 1]);
}

static inline phys_addr_t sg_phys(struct scatterlist *sg)
{
	return page_to_phys(sg_page(sg)) + sg->offset;
}

static inline void *sg_virt(struct scatterlist *sg)
{
	return (char *)page_address(sg_page(sg)) + sg->offset;
}

static inline int sg_nents(struct scatterlist *sg)
{
	int n = 0;

	for (; sg; sg = sg_next(sg))
		n++;
	return n;
}

#define for_each_sg(sglist, sg, nr, i) \
	for (i = 0, sg = (sglist); i < (nr); i++, sg = sg_next(sg))
#define for_each_sgtable_sg(sgt, sg, i) for_each_sg((sgt)->sgl, sg, (sgt)->orig_nents, i)
#define for_each_sgtable_dma_sg(sgt, sg, i) for_each_sg((sgt)->sgl, sg, (sgt)->nents, i)

static inline int sg_alloc_table(struct sg_table *table, unsigned int nents, gfp_t gfp)
{
	memset(table, 0, sizeof(*table));
	if (!nents)
		return -EINVAL;
	table->sgl = (struct scatterlist *)kcalloc(nents, sizeof(*table->sgl), gfp);
	if (!table->sgl)
		return -ENOMEM;
	sg_init_table(table->sgl, nents);
	table->nents = table->orig_nents = nents;
	return 0;
}

static inline void sg_free_table(struct sg_table *table)
{
	kfree(table->sgl);
	memset(table, 0, sizeof(*table));
}

/* size bytes of the pages, the first of which begin at `offset`; neighbours become one entry. */
static inline int sg_alloc_table_from_pages(struct sg_table *table, struct page **pages,
					    unsigned int n_pages, unsigned int offset,
					    unsigned long size, gfp_t gfp)
{
	unsigned int entries = n_pages ? 1 : 0, at = 0;
	int err;

	for (unsigned int i = 1; i < n_pages; i++)
		entries += page_to_pfn(pages[i]) != page_to_pfn(pages[i - 1]) + 1;
	err = sg_alloc_table(table, entries, gfp);
	for (unsigned int i = 0; !err && i < n_pages; at++) {
		const unsigned int first = i;
		unsigned long len;

		for (i++; i < n_pages && page_to_pfn(pages[i]) == page_to_pfn(pages[i - 1]) + 1;)
			i++;
		len = min((unsigned long)(i - first) * PAGE_SIZE - offset, size);
		sg_set_page(&table->sgl[at], pages[first], (unsigned int)len, offset);
		size -= len;
		offset = 0;
	}
	return err;
}

/* One page after the other, across the entries. */
struct sg_page_iter {
	struct scatterlist *sg;
	unsigned int sg_pgoffset;
	unsigned int __nents;
	int __pg_advance;
};

static inline void __sg_page_iter_start(struct sg_page_iter *iter, struct scatterlist *sgl,
					unsigned int nents, unsigned long pgoffset)
{
	*iter = (struct sg_page_iter){
		.sg = sgl, .sg_pgoffset = (unsigned int)pgoffset, .__nents = nents
	};
}

static inline bool __sg_page_iter_next(struct sg_page_iter *iter)
{
	if (!iter->__nents || !iter->sg)
		return false;
	iter->sg_pgoffset += (unsigned int)iter->__pg_advance;
	iter->__pg_advance = 1;
	while (iter->sg_pgoffset >= PFN_UP(iter->sg->offset + iter->sg->length)) {
		iter->sg_pgoffset -= (unsigned int)PFN_UP(iter->sg->offset + iter->sg->length);
		iter->sg = sg_next(iter->sg);
		if (!--iter->__nents || !iter->sg)
			return false;
	}
	return true;
}

static inline struct page *sg_page_iter_page(struct sg_page_iter *iter)
{
	return nth_page(sg_page(iter->sg), iter->sg_pgoffset);
}

#define for_each_sg_page(sglist, iter, nents, pgoffset) \
	for (__sg_page_iter_start((iter), (sglist), (nents), (pgoffset)); \
	     __sg_page_iter_next(iter);)
#define for_each_sgtable_page(sgt, iter, pgoffset) \
	for_each_sg_page((sgt)->sgl, iter, (sgt)->orig_nents, pgoffset)

/* ---- DMA of lists: <linux/dma-mapping.h> ---- */

/* Answers how many entries the device sees: as many as there are; 0: refused. */
static inline int dma_map_sg_attrs(struct device *dev, struct scatterlist *sgl, int nents,
				   enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg (sgl, sg, nents, i) {
		sg->dma_address = dma_map_page_attrs(dev, sg_page(sg), sg->offset, sg->length, dir,
						     attrs);
		if (dma_mapping_error(dev, sg->dma_address))
			return 0;
		sg->dma_length = sg->length;
	}
	return nents;
}

#define dma_map_sg(dev, sgl, nents, dir) dma_map_sg_attrs(dev, sgl, nents, dir, 0)
#define dma_unmap_sg_attrs(dev, sgl, nents, dir, attrs) \
	((void)(dev), (void)(sgl), (void)(nents), (void)(dir), (void)(attrs))
#define dma_unmap_sg(dev, sgl, nents, dir) dma_unmap_sg_attrs(dev, sgl, nents, dir, 0)
#define dma_unmap_sgtable(dev, sgt, dir, attrs) \
	dma_unmap_sg_attrs(dev, (sgt)->sgl, (sgt)->orig_nents, dir, attrs)
#define dma_sync_sgtable_for_cpu(dev, sgt, dir) dma_unmap_sgtable(dev, sgt, dir, 0)
#define dma_sync_sgtable_for_device(dev, sgt, dir) dma_unmap_sgtable(dev, sgt, dir, 0)

static inline int dma_map_sgtable(struct device *dev, struct sg_table *sgt,
				  enum dma_data_direction dir, unsigned long attrs)
{
	const int nents = dma_map_sg_attrs(dev, sgt->sgl, (int)sgt->orig_nents, dir, attrs);

	sgt->nents = (unsigned int)nents;
	return nents ? 0 : -EIO;
}

#if MS_LINUX_SINCE(5, 13)
/* One run of pages; behind an IOMMU one by one, at one address for the device. */
static inline void dma_free_noncontiguous(struct device *dev, size_t size, struct sg_table *sgt,
					  enum dma_data_direction dir)
{
	const unsigned int order =
		sgt->orig_nents > 1 ? 0 : (unsigned int)get_order(PAGE_ALIGN(size));

	(void)dev, (void)dir;
	for (unsigned int i = 0; i < sgt->orig_nents; i++)
		if (sg_page(&sgt->sgl[i]))
			__free_pages(sg_page(&sgt->sgl[i]), order);
	sg_free_table(sgt);
	kfree(sgt);
}

static inline struct sg_table *dma_alloc_noncontiguous(struct device *dev, size_t size,
						       enum dma_data_direction dir, gfp_t gfp,
						       unsigned long attrs)
{
	const unsigned int pages = (unsigned int)(PAGE_ALIGN(size) >> PAGE_SHIFT);
	const bool apart = ms_linux_dma_how(dev) & MS_LINUX_DMA_IOMMU;
	struct sg_table *sgt = (struct sg_table *)kzalloc(sizeof(*sgt), gfp);
	unsigned int n = apart ? pages : 1;

	(void)attrs;
	if (!sgt || sg_alloc_table(sgt, n, gfp)) {
		kfree(sgt);
		return NULL;
	}
	for (unsigned int i = 0; i < n; i++) {
		struct page *page = alloc_pages(
			gfp | __GFP_ZERO, apart ? 0 : (unsigned int)get_order(PAGE_ALIGN(size)));

		if (!page) {
			dma_free_noncontiguous(dev, size, sgt, dir);
			return NULL;
		}
		sg_set_page(&sgt->sgl[i], page, (pages / n) << PAGE_SHIFT, 0);
	}
	sgt->nents = 1; // as the device sees it
	sgt->sgl->dma_address =
		ms_linux_dma_map(sg_phys(sgt->sgl), PAGE_ALIGN(size), ms_linux_dma_how(dev));
	sgt->sgl->dma_length = pages << PAGE_SHIFT;
	return sgt;
}

/* -ENXIO: the VMA is longer than the memory. */
static inline int dma_mmap_noncontiguous(struct device *dev, struct vm_area_struct *vma, size_t size,
					 struct sg_table *sgt)
{
	const unsigned long count = PAGE_ALIGN(size) >> PAGE_SHIFT;

	if (!vma || !sgt)
		return -EINVAL;
	if (sgt->orig_nents == 1)
		return dma_mmap_pages(dev, vma, size, sg_page(sgt->sgl));
	if (vma->vm_pgoff >= count || vma_pages(vma) > count - vma->vm_pgoff)
		return ms_linux_refuse(-ENXIO, "dma_mmap_noncontiguous: more than the memory has");
	for (unsigned long i = 0; i < vma_pages(vma); i++) {
		int err = vm_insert_page(vma, vma->vm_start + i * PAGE_SIZE,
					 sg_page(&sgt->sgl[vma->vm_pgoff + i]));

		if (err)
			return err;
	}
	return 0;
}

static inline void *dma_vmap_noncontiguous(struct device *dev, size_t size, struct sg_table *sgt)
{
	const unsigned int n = sgt ? sgt->orig_nents : 0;
	struct page **pages;
	void *at;

	(void)dev, (void)size;
	if (n < 2)
		return n ? page_address(sg_page(sgt->sgl)) : NULL;
	pages = (struct page **)kcalloc(n, sizeof(*pages), GFP_KERNEL);
	for (unsigned int i = 0; pages && i < n; i++)
		pages[i] = sg_page(&sgt->sgl[i]);
	at = pages ? vmap(pages, n, VM_MAP, PAGE_KERNEL) : NULL;
	kfree(pages);
	return at;
}

static inline void dma_vunmap_noncontiguous(struct device *dev, void *vaddr)
{
	if (ms_linux_dma_how(dev) & MS_LINUX_DMA_IOMMU)
		vunmap(vaddr);
}
#endif

#endif
