/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared memory: the page cache of memfds and of shared anonymous mappings. How pages leave it
 * again is in shmem_punch.c. */
#include "mm/lock.h"
#include "mm/memfile.h"

/*
 * SHMEM_HUGE_WITHIN_SIZE: does the file reach far enough for a huge page at index?
 * mirrors shmem_getpage_gfp(), mm/shmem.c, 5.10 .. 5.14; shmem_is_huge(), mm/shmem.c, 5.15 .. 6.10;
 * shmem_huge_global_enabled(), mm/shmem.c, 6.11+
 */
static bool huge_within_size(const struct ms_mapping *mapping, uint64_t index)
{
	const struct ms_machine *m = mapping->machine;
	uint64_t npages = UINT64_C(1) << ms_pmd_order(m), size = ms_mapping_pages(mapping);

	switch (m->policy.shmem_within_size) {
	case MS_SHMEM_WITHIN_SIZE_NOT_FIRST_PAGE:
		return size >= npages && size >= ms_align_up(index, npages);
	case MS_SHMEM_WITHIN_SIZE_TWO_PAGES:
		return size >= ms_align_up(index + 1, 2);
	case MS_SHMEM_WITHIN_SIZE_WHOLE:
		break;
	}
	return size >= ms_align_up(index + 1, npages);
}

/*
 * On the internal mount, where memory files are.
 * mirrors shmem_getpage_gfp(), mm/shmem.c, 5.10 .. 5.14; shmem_is_huge(), mm/shmem.c, 5.15 .. 6.10;
 * shmem_allowable_huge_orders(), mm/shmem.c, 6.12+
 */
static bool huge_allowed(const struct ms_vma *vma, uint64_t index)
{
	const struct ms_machine *m = ms_vma_machine(vma);

	if ((vma->vm_flags & MS_VM_NOHUGEPAGE) || !ms_cache_takes_huge(m))
		return false;
	switch (m->config.shmem) {
	case MS_THP_ALWAYS:
	case MS_THP_FORCE:
		return true;
	case MS_THP_WITHIN_SIZE:
		if (huge_within_size(vma->vm_file->mapping, index))
			return true;
		return vma->vm_flags & MS_VM_HUGEPAGE;
	case MS_THP_MADVISE:
		return vma->vm_flags & MS_VM_HUGEPAGE;
	case MS_THP_DEFAULT:
	case MS_THP_NEVER:
	case MS_THP_DENY:
		break;
	}
	return false;
}

/* Nothing of the huge page's range is cached yet, and (6.11+) the VMA could map it by one leaf.
 * mirrors shmem_suitable_orders(), mm/shmem.c, 6.11+ */
static bool huge_suitable(const struct ms_vma *vma, uint64_t index)
{
	const struct ms_machine *m = ms_vma_machine(vma);
	const struct ms_mapping *mapping = vma->vm_file->mapping;
	uint64_t npages = UINT64_C(1) << ms_pmd_order(m), first = ms_align_down(index, npages);

	if (m->policy.shmem_huge == MS_SHMEM_HUGE_SUITABLE_VMA &&
	    !ms_thp_suitable(vma, vma->vm_start + ((index - vma->vm_pgoff) << m->page_shift)))
		return false;
	for (uint64_t i = first; i < first + npages; i++)
		if (ms_cache_find(mapping, i))
			return false;
	return true;
}

/*
 * Caches a new folio of 2^order pages around index, and answers the page at index; 0: no memory.
 * mirrors shmem_alloc_and_acct_page(), mm/shmem.c, 5.10 .. 5.10; shmem_alloc_and_acct_folio(),
 * mm/shmem.c, 6.1 .. 6.1; shmem_alloc_and_add_folio(), mm/shmem.c, 6.12+
 */
static ms_pfn_t add_folio(struct ms_mapping *mapping, uint64_t index, unsigned int order)
{
	struct ms_machine *m = mapping->machine;
	uint64_t npages = UINT64_C(1) << order, first = ms_align_down(index, npages);
	ms_pfn_t pfn;

	if (ms_cache_reserve(mapping, first + npages) || !ms_page_alloc(m, order, 0, &pfn))
		return 0;
	for (uint64_t i = 0; i < npages; i++) {
		if (!ms_cache_set(mapping, first + i, pfn + i))
			continue;
		while (i--)
			ms_cache_set(mapping, first + i, 0);
		ms_page_put(m, pfn, 1);
		return 0;
	}
	// the cache has one reference for each index
	if (npages > 1)
		ms_page_get(m, pfn, (uint32_t)npages - 1);
	if (order)
		ms_lru_add_large(m);
	else
		ms_lru_add(m, pfn);
	return pfn + (index - first);
}

/* For somebody who is interrupted by the hook that the fault happens in. */
static ms_vm_fault_t wait(const struct ms_vm_fault *vmf, const char *why)
{
	ms_refuse(ms_vma_machine(vmf->vma), -EBUSY, "%s, at %x", ms_refusal_text(why),
		  vmf->address);
	return MS_VM_FAULT_RETRY;
}

/*
 * A page that is absent is made (SGP_CACHE).
 * mirrors shmem_fault(), mm/shmem.c, 5.10+; shmem_getpage_gfp(), mm/shmem.c, 5.10 .. 6.0;
 * shmem_get_folio_gfp(), mm/shmem.c, 6.1+
 */
static ms_vm_fault_t shmem_fault(struct ms_vm_fault *vmf)
{
	struct ms_vma *vma = vmf->vma;
	struct ms_mapping *mapping = vma->vm_file->mapping;
	uint64_t index = vmf->pgoff;
	ms_pfn_t pfn;

	// shmem_falloc_wait(): the kernel sleeps until the hole is made
	if (index >= mapping->hole_first && index < mapping->hole_end)
		return wait(vmf, "a hole is being made here");
	if (index >= ms_mapping_pages(mapping))
		return ms_refuse_beyond_file(vmf);
	pfn = ms_cache_find(mapping, index);
	if (pfn && ms_folio_is_locked(mapping, index, index + 1, 1))
		return wait(vmf, "a hook's caller holds the page"); // the kernel sleeps
	if (!pfn && huge_allowed(vma, index) && huge_suitable(vma, index))
		pfn = add_folio(mapping, index, ms_pmd_order(mapping->machine));
	if (!pfn)
		pfn = add_folio(mapping, index, 0);
	if (!pfn)
		return ms_refuse_page(mapping->machine);
	vmf->pfn = pfn;
	return MS_VM_FAULT_LOCKED;
}

const struct ms_vm_ops ms_shmem_vm_ops = {
	.fault = shmem_fault,
};
