/* SPDX-License-Identifier: GPL-2.0-only */
/* A fault where a VMA with vm_ops has no entry. A read maps what is cached around it as well
 * (fault-around). */
#include "mm/lock.h"
#include "mm/memfile.h"
#include "mm/pgtable.h"

#define FAULT_AROUND_BYTES UINT64_C(65536)

static bool is_write(const struct ms_vm_fault *vmf)
{
	return vmf->flags & MS_FAULT_FLAG_WRITE;
}

static bool pmd_none(const struct ms_vm_fault *vmf)
{
	const uint64_t *slot = ms_pt_slot(vmf->vma->vm_mm, vmf->address, MS_LEVEL_PMD);

	return !slot || ms_pte_none(*slot);
}

/* ---- the driver's answer ---- */

/*
 * Answers 0 and a page in vmf->pfn, or what ends the fault. A handler that installed an entry
 * itself says NOPAGE; whether that is true shows when the access is repeated.
 * mirrors __do_fault(), mm/memory.c, 5.10+
 */
static ms_vm_fault_t call_fault(struct ms_vm_fault *vmf)
{
	struct ms_machine *m = ms_vma_machine(vmf->vma);
	ms_hva_t addr = vmf->address;
	ms_vm_fault_t ret = ms_vma_call_fault(vmf);

	if (ret & MS_VM_FAULT_FALLBACK) {
		ms_vma_violation(vmf->vma, MS_VIOLATION_DRIVER,
				 "fault handler answers FALLBACK to a fault of one page", addr, 0);
		return ms_refuse_fault(m, "the handler answers FALLBACK to a fault of one page",
				       addr);
	}
	if (ret & (MS_VM_FAULT_ERROR | MS_VM_FAULT_NOPAGE | MS_VM_FAULT_RETRY))
		return ret;
	if (!ms_pfn_is_ram(m, vmf->pfn)) {
		ms_vma_violation(vmf->vma, MS_VIOLATION_DRIVER,
				 "fault handler gives no page of RAM", addr, 0);
		return ms_refuse_fault(m, "the handler gives no page of RAM", addr);
	}
	return ms_pfn_to_page(m, ms_page_head(m, vmf->pfn)) ? 0 : MS_VM_FAULT_OOM;
}

/* What a shared mapping's driver says before a page becomes writable; done: the fault is over. */
static ms_vm_fault_t call_page_mkwrite(struct ms_vm_fault *vmf, bool *done)
{
	const struct ms_vm_ops *ops = vmf->vma->vm_ops;
	ms_vm_fault_t ret;

	*done = true;
	if (!ops) {
		ms_vma_violation(vmf->vma, MS_VIOLATION_DRIVER,
				 "fault handler gives a page and takes the VMA's operations away",
				 vmf->address, 0);
		return ms_refuse_fault(ms_vma_machine(vmf->vma),
				       "the handler has taken the VMA's operations away",
				       vmf->address);
	}
	*done = false;
	if (!ops->page_mkwrite)
		return 0;
	ret = ms_do_page_mkwrite(vmf, done);
	*done |= ret != 0;
	return ret;
}

/* ---- entries ---- */

/* Maps the whole folio by one leaf; FALLBACK: it has to be mapped by pages.
 * mirrors do_set_pmd(), mm/memory.c, 5.10+ */
static ms_vm_fault_t set_pmd(struct ms_vm_fault *vmf, ms_pfn_t pfn)
{
	struct ms_vma *vma = vmf->vma;
	struct ms_machine *m = ms_vma_machine(vma);
	uint64_t *slot;

	if (!ms_vma_is_shmem(vma) || ms_folio_order(m, pfn) != ms_pmd_order(m))
		return MS_VM_FAULT_FALLBACK;
	if (m->policy.file_pmd_map == MS_FILE_PMD_MAP_NOT_IF_NOHUGEPAGE &&
	    (vma->vm_flags & MS_VM_NOHUGEPAGE))
		return MS_VM_FAULT_FALLBACK;
	if (m->policy.file_pmd_map == MS_FILE_PMD_MAP_HEAD_PAGE_ONLY &&
	    pfn != ms_folio_head(m, pfn))
		return MS_VM_FAULT_FALLBACK;
	if (!ms_thp_suitable(vma, vmf->address))
		return MS_VM_FAULT_FALLBACK;
	slot = ms_pt_alloc_slot(vma->vm_mm, vmf->address, MS_LEVEL_PMD);
	if (!slot)
		return MS_VM_FAULT_OOM;
	pfn = ms_folio_head(m, pfn);
	ms_page_get(m, pfn, 1);
	*slot = ms_fault_entry(vma, pfn, is_write(vmf));
	return 0;
}

/* mirrors alloc_set_pte(), mm/memory.c, 5.10 .. 5.10; do_set_pte(), mm/memory.c, 6.1 .. 6.1;
 * set_pte_range(), mm/memory.c, 6.12+ */
static void set_ptes(struct ms_vm_fault *vmf, uint64_t *slot, ms_pfn_t pfn, uint64_t npages)
{
	struct ms_machine *m = ms_vma_machine(vmf->vma);

	ms_page_get(m, pfn, (uint32_t)npages);
	for (uint64_t i = 0; i < npages; i++)
		slot[i] = ms_fault_entry(vmf->vma, pfn + i, is_write(vmf));
}

static bool all_none(const uint64_t *slot, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		if (!ms_pte_none(slot[i]))
			return false;
	return true;
}

/*
 * Does the whole folio fit into the VMA and into one page table?
 *
 *    VMA        |--------------------------|
 *    folio          [....*......]            * the page of the fault, `index` pages into it
 */
static bool folio_fits(const struct ms_vm_fault *vmf, uint64_t index, uint64_t npages)
{
	const struct ms_vma *vma = vmf->vma;
	const struct ms_machine *m = ms_vma_machine(vma);
	uint64_t in_vma = vmf->pgoff - vma->vm_pgoff;
	uint64_t in_table = (vmf->address & (ms_pmd_size(m) - 1)) >> m->page_shift;

	return in_vma >= index && in_vma + npages - index <= ms_vma_pages(vma) &&
	       in_table >= index && in_table + npages - index <= UINT64_C(1) << ms_pmd_order(m);
}

/* With a page of the file.
 * mirrors finish_fault(), mm/memory.c, 5.10+ */
static ms_vm_fault_t finish_fault(struct ms_vm_fault *vmf)
{
	struct ms_vma *vma = vmf->vma;
	struct ms_machine *m = ms_vma_machine(vma);
	uint64_t *slot, index, npages;
	unsigned int level;

	if (pmd_none(vmf)) {
		ms_vm_fault_t ret = set_pmd(vmf, vmf->pfn);

		if (ret != MS_VM_FAULT_FALLBACK)
			return ret;
	}
	if (ms_pte_is_leaf(ms_pt_walk(vma->vm_mm, vmf->address, &level)))
		return MS_VM_FAULT_NOPAGE;
	slot = ms_pt_alloc_slot(vma->vm_mm, vmf->address, MS_LEVEL_PTE);
	if (!slot)
		return MS_VM_FAULT_OOM;
	if (ms_vma_is_shmem(vma) && m->policy.shmem_map_folio != MS_SHMEM_MAP_FOLIO_ONE_PAGE) {
		npages = UINT64_C(1) << ms_folio_order(m, vmf->pfn);
		index = vmf->pfn - ms_folio_head(m, vmf->pfn);
		if (folio_fits(vmf, index, npages) && all_none(slot - index, npages)) {
			set_ptes(vmf, slot - index, vmf->pfn - index, npages);
			return 0;
		}
	}
	set_ptes(vmf, slot, vmf->pfn, 1);
	return 0;
}

/* ---- fault-around ---- */

/* A window of file pages, and where its first one is mapped. */
struct around {
	uint64_t first, end;
	ms_hva_t addr;
};

/*
 * The window lies inside the VMA and one page table, and begins at a multiple of its size if it
 * can.
 * mirrors do_fault_around(), mm/memory.c, 5.10+
 */
static struct around around_window(const struct ms_vm_fault *vmf)
{
	const struct ms_vma *vma = vmf->vma;
	const struct ms_machine *m = ms_vma_machine(vma);
	uint64_t nr = FAULT_AROUND_BYTES >> m->page_shift;
	uint64_t in_table = (vmf->address & (ms_pmd_size(m) - 1)) >> m->page_shift;
	uint64_t in_vma = vmf->pgoff - vma->vm_pgoff;
	uint64_t from, to;

	from = ms_max_u64(ms_align_down(in_table, nr), in_table - ms_min_u64(in_table, in_vma));
	to = ms_min_u64(from + nr, UINT64_C(1) << ms_pmd_order(m));
	to = ms_min_u64(to, in_table + ms_vma_pages(vma) - in_vma);
	return (struct around){
		.first = vmf->pgoff + from - in_table,
		.end = vmf->pgoff + to - in_table,
		.addr = vmf->address - ((in_table - from) << m->page_shift),
	};
}

/*
 * Gives an entry to those of [pgoff, pgoff + npages) that have none yet. true: the faulting page is
 * among them.
 * mirrors filemap_map_folio_range(), mm/filemap.c, 6.12+
 */
static bool map_cached(struct ms_vm_fault *vmf, uint64_t *slot, uint64_t pgoff, ms_pfn_t pfn,
		       uint64_t npages)
{
	bool solved = false;

	for (uint64_t i = 0; i < npages; i++) {
		if (!ms_pte_none(slot[i]))
			continue;
		set_ptes(vmf, slot + i, pfn + i, 1);
		if (pgoff + i == vmf->pgoff)
			solved = true;
	}
	return solved;
}

/* Is the folio with the page at pgoff to be mapped whole, beyond the window, and does it fit? */
static bool whole_folio(const struct ms_vm_fault *vmf, uint64_t pgoff, uint64_t index,
			uint64_t npages)
{
	const struct ms_vma *vma = vmf->vma;
	struct ms_vm_fault at = *vmf;

	if (ms_vma_machine(vma)->policy.shmem_map_folio != MS_SHMEM_MAP_FOLIO_WHOLE)
		return false;
	at.pgoff = pgoff;
	at.address = vma->vm_start + ((pgoff - vma->vm_pgoff) << ms_vma_machine(vma)->page_shift);
	return folio_fits(&at, index, npages);
}

/* What is locked is not mapped around a fault. 0: nothing is there, or it is locked.
 * mirrors next_uptodate_page(), mm/filemap.c, 5.12 .. 6.4; next_uptodate_folio(),
 * mm/filemap.c, 6.5+ */
static ms_pfn_t find_unlocked(const struct ms_mapping *mapping, uint64_t pgoff)
{
	return ms_folio_is_locked(mapping, pgoff, pgoff + 1, 1) ? 0 : ms_cache_find(mapping, pgoff);
}

/* Answers NOPAGE if that has solved the fault.
 * mirrors filemap_map_pages(), mm/filemap.c, 5.10+ */
static ms_vm_fault_t map_pages(struct ms_vm_fault *vmf, const struct around *w)
{
	struct ms_vma *vma = vmf->vma;
	struct ms_machine *m = ms_vma_machine(vma);
	const struct ms_mapping *mapping = vma->vm_file->mapping;
	uint64_t end = ms_min_u64(w->end, ms_mapping_pages(mapping)), pgoff = w->first;
	bool solved = false;
	uint64_t *slots;

	while (pgoff < end && !find_unlocked(mapping, pgoff))
		pgoff++;
	if (pgoff >= end)
		return 0;
	if (pmd_none(vmf)) {
		ms_vm_fault_t ret = set_pmd(vmf, find_unlocked(mapping, pgoff));

		if (ret != MS_VM_FAULT_FALLBACK)
			return ret ? ret : MS_VM_FAULT_NOPAGE;
	}
	slots = ms_pt_alloc_slot(vma->vm_mm, w->addr, MS_LEVEL_PTE);
	if (!slots)
		return MS_VM_FAULT_OOM;
	while (pgoff < end) {
		ms_pfn_t pfn = find_unlocked(mapping, pgoff);
		uint64_t index, npages;

		if (!pfn) {
			pgoff++;
			continue;
		}
		npages = UINT64_C(1) << ms_folio_order(m, pfn);
		index = pfn - ms_folio_head(m, pfn);
		if (whole_folio(vmf, pgoff, index, npages))
			solved |= map_cached(vmf, slots + (pgoff - w->first) - index, pgoff - index,
					     pfn - index, npages);
		else
			solved |= map_cached(vmf, slots + (pgoff - w->first), pgoff, pfn,
					     ms_min_u64(npages - index, end - pgoff));
		pgoff += npages - index;
	}
	return solved ? MS_VM_FAULT_NOPAGE : 0;
}

// mirrors should_fault_around(), mm/memory.c, 6.1+; do_fault_around(), mm/memory.c, 5.10+
static ms_vm_fault_t fault_around(struct ms_vm_fault *vmf)
{
	const struct ms_vm_ops *ops = vmf->vma->vm_ops;
	struct around w;

	// a window of one page would bring nothing
	if ((ops != &ms_shmem_vm_ops && !ops->map_pages) ||
	    FAULT_AROUND_BYTES >> ms_vma_machine(vmf->vma)->page_shift <= 1)
		return 0;
	w = around_window(vmf);
	return ops == &ms_shmem_vm_ops ? map_pages(vmf, &w)
				       : ms_vma_call_map_pages(vmf, w.first, w.end - 1);
}

/* Of a file of the driver's no page is cached. */
ms_vm_fault_t ms_filemap_map_pages(struct ms_vm_fault *vmf, uint64_t first, uint64_t last)
{
	const struct ms_vma *vma = vmf->vma;
	struct around w = {
		.first = first,
		.end = last + 1,
		.addr = vma->vm_start +
			((first - vma->vm_pgoff) << ms_vma_machine(vma)->page_shift),
	};

	return ms_vma_is_shmem(vma) && first <= last && first >= vma->vm_pgoff
		       ? map_pages(vmf, &w)
		       : 0;
}

/* ---- the three kinds ---- */

// mirrors do_read_fault(), mm/memory.c, 5.10+
static ms_vm_fault_t do_read_fault(struct ms_vm_fault *vmf)
{
	ms_vm_fault_t ret = fault_around(vmf);

	if (!ret)
		ret = call_fault(vmf);
	return ret ? ret : finish_fault(vmf);
}

/* A write to a private mapping: the file's page is copied at once.
 * mirrors do_cow_fault(), mm/memory.c, 5.10+ */
static ms_vm_fault_t do_cow_fault(struct ms_vm_fault *vmf)
{
	struct ms_vma *vma = vmf->vma;
	struct ms_machine *m = ms_vma_machine(vma);
	ms_vm_fault_t ret;
	unsigned int level;
	uint64_t *slot;
	ms_pfn_t copy;

	if (ms_anon_vma_prepare(vma) ||
	    !ms_page_alloc(m, 0, MS_PG_ANON | MS_PG_ANON_EXCLUSIVE, &copy))
		return ms_refuse_page(m);
	ret = call_fault(vmf);
	if (!ret) {
		slot = ms_pt_alloc_slot(vma->vm_mm, vmf->address, MS_LEVEL_PTE);
		if (slot && ms_pte_none(*slot)) {
			*slot = ms_fault_entry(vma, copy, true);
			ms_lru_add_new(vma, copy);
			return 0;
		}
		ret = ms_pte_is_leaf(ms_pt_walk(vma->vm_mm, vmf->address, &level))
			      ? MS_VM_FAULT_NOPAGE
			      : MS_VM_FAULT_OOM;
	}
	ms_page_put(m, copy, 1);
	return ret;
}

// mirrors do_shared_fault(), mm/memory.c, 5.10+
static ms_vm_fault_t do_shared_fault(struct ms_vm_fault *vmf)
{
	ms_vm_fault_t ret = call_fault(vmf);
	bool done;

	if (ret)
		return ret;
	ret = call_page_mkwrite(vmf, &done);
	return done ? ret : finish_fault(vmf);
}

// mirrors do_fault(), mm/memory.c, 5.10+
ms_vm_fault_t ms_do_fault(struct ms_vm_fault *vmf)
{
	struct ms_vma *vma = vmf->vma;
	unsigned int level;
	ms_vm_fault_t ret;

	if (!vma->vm_ops->fault)
		return ms_pte_is_leaf(ms_pt_walk(vma->vm_mm, vmf->address, &level))
			       ? MS_VM_FAULT_NOPAGE
			       : ms_refuse_fault(ms_vma_machine(vma), "the VMA has no ->fault",
						 vmf->address);
	if (!is_write(vmf))
		ret = do_read_fault(vmf);
	else if (vma->vm_flags & MS_VM_SHARED)
		ret = do_shared_fault(vmf);
	else
		ret = do_cow_fault(vmf);
	ms_put_given_page(vmf);
	return ret;
}
