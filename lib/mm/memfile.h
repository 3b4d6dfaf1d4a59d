/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What filemap.c, which maps pages of files, shares with the files that keep them: shmem*.c and
 * hugetlb*.c. A folio is a block of 2^order pages of System RAM that the page cache holds as one;
 * the cache has a reference for each of its indices.
 */
#ifndef MS_MM_MEMFILE_H
#define MS_MM_MEMFILE_H

#include "mm/internal.h"

/* The size of the file in pages of the base size, rounded up. */
static inline uint64_t ms_mapping_pages(const struct ms_mapping *mapping)
{
	unsigned int shift = mapping->machine->page_shift;

	return (mapping->size >> shift) + !ms_aligned(mapping->size, UINT64_C(1) << shift);
}

/* The folio that a page belongs to: its first page, and log2 of its pages. */
static inline ms_pfn_t ms_folio_head(struct ms_machine *m, ms_pfn_t pfn)
{
	return ms_page_head(m, pfn);
}
// mirrors folio_order(), include/linux/mm.h, 6.1+
static inline unsigned int ms_folio_order(struct ms_machine *m, ms_pfn_t pfn)
{
	return ms_pfn_to_page(m, ms_page_head(m, pfn))->order;
}

/* A folio as large as a PMD leaf may be too large for the page cache.
 * mirrors MAX_PAGECACHE_ORDER, include/linux/pagemap.h, 6.11+ */
static inline bool ms_cache_takes_huge(const struct ms_machine *m)
{
	return m->policy.shmem_huge != MS_SHMEM_HUGE_SUITABLE_VMA || ms_pmd_order(m) <= 11;
}

/*
 * Where vma maps pages [first, last] (inclusive) of its file; at least one of them lies in its
 * range:
 *
 *    file         first |--------------| last
 *    vma                     |------------------|
 *    [start, end)            |---------|
 */
static inline void ms_vma_shows(const struct ms_vma *vma, uint64_t first, uint64_t last,
				ms_hva_t *start, ms_hva_t *end)
{
	unsigned int shift = ms_vma_machine(vma)->page_shift;
	uint64_t from = ms_max_u64(first, vma->vm_pgoff) - vma->vm_pgoff;
	uint64_t to = ms_min_u64(last - vma->vm_pgoff, ms_vma_pages(vma) - 1) + 1;

	*start = vma->vm_start + (from << shift);
	*end = vma->vm_start + (to << shift);
}

/* Called when a hugetlb VMA is split at addr, after may_split. */
void ms_hugetlb_split(struct ms_vma *vma, ms_hva_t addr);
/* Removes the huge pages that lie in [off, off + len) as a whole. */
int ms_hugetlb_punch_hole(struct ms_file *file, uint64_t off, uint64_t len);

/* ---- hugetlb_pool.c ---- */

/* Adds [from, to) to a set. 0 or -ENOMEM, which leaves it unchanged. */
int ms_regions_add(struct ms_machine *m, struct ms_regions *set, uint64_t from, uint64_t to);
void ms_regions_del(struct ms_machine *m, struct ms_regions *set, uint64_t index);
uint64_t ms_regions_count(const struct ms_regions *set, uint64_t from, uint64_t to);
void ms_regions_free(struct ms_machine *m, struct ms_regions *set);

/* Reserves pages for a new mapping, whose vm_private_data it uses. 0 or -ENOMEM. */
int ms_hugetlb_reserve(struct ms_vma *vma);
/* HPAGE_RESV_OWNER: the VMA belongs to the mapping that made the reservation, not to a child's
 * copy. */
bool ms_hugetlb_is_owner(const struct ms_vma *vma);
/* HPAGE_RESV_UNMAPPED: a page was taken away from the VMA, so it gets no new ones. */
bool ms_hugetlb_is_taken(const struct ms_vma *vma);
void ms_hugetlb_set_taken(struct ms_vma *vma);
/* Takes a page of the pool, with one reference, for an index of vma's file. 0, SIGBUS, or OOM. */
ms_vm_fault_t ms_hugetlb_alloc(struct ms_vma *vma, uint64_t index, bool from_owner, uint8_t flags,
			       ms_pfn_t *pfn);
/* The file has lost its page at index: nothing is reserved there any more. */
void ms_hugetlb_unreserve(struct ms_mapping *mapping, uint64_t index);
/* An entry for pfn is removed from vma; last: nobody else maps the page. */
void ms_hugetlb_restore(const struct ms_vma *vma, uint64_t index, ms_pfn_t pfn, bool last);

/* How a hugetlb VMA is mapped: a huge page has `n` entries, which map `step` bytes each. */
struct ms_hugetlb_geometry {
	uint64_t size; /* bytes of a huge page */
	unsigned int level;
	unsigned int n;
	uint64_t step;
};
struct ms_hugetlb_geometry ms_hugetlb_geometry(const struct ms_vma *vma);
/* The first slot of the huge page at addr, NULL: no table. */
uint64_t *ms_hugetlb_slot(const struct ms_vma *vma, const struct ms_hugetlb_geometry *g,
			  ms_hva_t addr);
/* Sets all entries of a huge page: the first is `entry`, the others continue it. */
void ms_hugetlb_set(const struct ms_hugetlb_geometry *g, uint64_t *slot, uint64_t entry);

struct ms_hash;
/* Of a VMA of hugetlb: its part of the reservations, which is in vm_private_data. */
void ms_hugetlb_hash_resv(struct ms_hash *h, const struct ms_vma *vma);
void ms_regions_hash(struct ms_hash *h, const struct ms_regions *set);

#endif
