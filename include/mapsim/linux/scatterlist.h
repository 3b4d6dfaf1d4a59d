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

#endif
