/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * remap_pfn_range(), mm/memory.c: a run of page frame numbers into a VMA, always as pages.
 *
 * Three checks and the tracking of the memory type come in an order of the kernel's version (policy
 * remap_checks); what fails after the tracking has to be taken back (policy remap_error).
 */
#include "mm/lock.h"

#define REMAP_FLAGS (MS_VM_IO | MS_VM_PFNMAP | MS_VM_DONTEXPAND | MS_VM_DONTDUMP)

struct remap {
	struct ms_vma *vma;
	ms_hva_t addr, end; // end: rounded up to pages
	ms_pfn_t pfn;
	ms_pgprot_t prot;
};

static bool covers_vma(const struct remap *r)
{
	return r->addr == r->vma->vm_start && r->end == r->vma->vm_end;
}

static int check_align(const struct remap *r)
{
	struct ms_machine *m = ms_vma_machine(r->vma);

	if (ms_aligned(r->addr, m->page_size))
		return 0;
	ms_violation(m, "remap_pfn_range: address not page aligned", r->addr);
	return -EINVAL;
}

/*
 * A COW mapping is remapped whole or not at all: vm_pgoff then tells raw pages from copied ones, on
 * machines whose entries cannot.
 */
static int check_cow(struct remap *r)
{
	if (!ms_is_cow_mapping(r->vma->vm_flags))
		return 0;
	if (!covers_vma(r))
		return -EINVAL;
	r->vma->vm_pgoff = r->pfn;
	return 0;
}

/* In 7.2 not by vm_flags_set(), and so without its assertion. */
static void set_flags(const struct remap *r)
{
	if (ms_vma_machine(r->vma)->policy.vma_flags_lock !=
	    MS_VMA_FLAGS_LOCK_ASSERTED_NOT_BY_REMAP)
		ms_vma_flags_assert_locked(r->vma);
	r->vma->vm_flags |= REMAP_FLAGS;
}

static int track(struct remap *r)
{
	return ms_track_pfn_remap(r->vma, &r->prot, r->pfn, r->addr, r->end - r->addr);
}

/* remap_pte_range() of what one page table covers. *addr and *pfn move on past what was written. */
static int remap_table(const struct remap *r, ms_hva_t *addr, ms_pfn_t *pfn)
{
	struct ms_machine *m = ms_vma_machine(r->vma);
	struct ms_mm *mm = r->vma->vm_mm;
	ms_hva_t next = ms_min_u64(ms_align_down(*addr, ms_pmd_size(m)) + ms_pmd_size(m), r->end);
	unsigned int level;
	uint64_t *slot;

	if (ms_pte_is_leaf(ms_pt_walk(mm, *addr, &level)))
		goto present;
	slot = ms_pt_alloc_slot(mm, *addr, MS_LEVEL_PTE);
	if (!slot)
		return -ENOMEM;
	for (; *addr < next; slot++, *addr += m->page_size) {
		if (!ms_pte_none(*slot))
			goto present;
		*slot = ms_mk_pte(m, (*pfn)++, r->prot) | MS_PTE_SPECIAL;
	}
	return 0;
present:
	ms_violation(m, "remap_pfn_range: entry already present", *addr);
	return -EBUSY;
}

static int remap_pages(const struct remap *r)
{
	ms_pfn_t pfn = r->pfn;
	int err = 0;

	ms_vma_hook(r->vma->vm_mm, MS_HOOK_DRIVER_INSERT, r->addr);
	for (ms_hva_t addr = r->addr; !err && addr < r->end;)
		err = remap_table(r, &addr, &pfn);
	return err;
}

/* The tracking that came before a failure ends with it. */
static void undo_tracking(const struct remap *r)
{
	if (ms_vma_machine(r->vma)->policy.untrack_at != MS_UNTRACK_AT_LAST_VMA_FREED)
		ms_untrack_pfn(r->vma, r->pfn, r->end - r->addr, 0);
	else if (covers_vma(r))
		ms_pfnmap_ctx_put(r->vma);
}

/* A run that was mapped in part is dangerous: the caller may free its pages. */
static int fail_after_tracking(const struct remap *r, bool zap, int err)
{
	uint64_t page_size = ms_vma_machine(r->vma)->page_size;

	if (zap)
		ms_zap_page_range_single(r->vma, ms_align_down(r->addr, page_size),
					 r->end - r->addr);
	undo_tracking(r);
	return err;
}

/* 5.10 */
static int remap_align_cow_track(struct remap *r)
{
	int err = check_align(r);

	if (!err)
		err = check_cow(r);
	if (!err)
		err = track(r);
	if (!err)
		set_flags(r);
	return err;
}

/* 5.15 .. 6.17: the checks stand inside of what is tracked */
static int remap_track_align_cow(struct remap *r)
{
	enum ms_policy_remap_error on_error = ms_vma_machine(r->vma)->policy.remap_error;
	int err = track(r);

	if (err)
		return err;
	err = check_align(r);
	if (err)
		return fail_after_tracking(r, on_error != MS_REMAP_ERROR_KEEP_PTES, err);
	err = check_cow(r);
	if (err)
		return fail_after_tracking(r, on_error == MS_REMAP_ERROR_ZAP, err);
	set_flags(r);
	return 0;
}

/* 7.2: remap_pfn_range_prepare_vma(), then remap_pfn_range_track() */
static int remap_cow_track_align(struct remap *r)
{
	enum ms_policy_remap_error on_error = ms_vma_machine(r->vma)->policy.remap_error;
	int err = check_cow(r);

	if (err)
		return err;
	set_flags(r);
	err = track(r);
	if (err)
		return err;
	err = check_align(r);
	return err ? fail_after_tracking(r, on_error != MS_REMAP_ERROR_KEEP_PTES, err) : 0;
}

static int check_and_track(struct remap *r)
{
	switch (ms_vma_machine(r->vma)->policy.remap_checks) {
	case MS_REMAP_CHECKS_ALIGN_COW_TRACK:
		return remap_align_cow_track(r);
	case MS_REMAP_CHECKS_TRACK_ALIGN_COW:
		return remap_track_align_cow(r);
	case MS_REMAP_CHECKS_COW_TRACK_ALIGN:
		break;
	}
	return remap_cow_track_align(r);
}

int ms_remap_pfn_range(struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn, uint64_t size,
		       ms_pgprot_t prot)
{
	if (!vma)
		return -EINVAL;
	struct ms_machine *m = ms_vma_machine(vma);
	struct remap r = { .vma = vma, .addr = addr, .pfn = pfn, .prot = prot };
	int err;

	r.end = addr + ms_align_up(size, m->page_size);
	if (r.end <= addr) {
		ms_violation(m, "remap_pfn_range: empty or wrapping range", addr);
		return -EINVAL;
	}
	// The kernel maps it all the same: entries that nobody will take out, or somebody else's.
	if (addr < vma->vm_start || r.end > vma->vm_end)
		ms_violation(m, "remap_pfn_range: range outside of the VMA", addr);
	if (r.end > vma->vm_mm->task_size)
		return -EINVAL;
	err = check_and_track(&r);
	if (err)
		return err;
	err = remap_pages(&r);
	// The kernel has stopped at its BUG: what it had done by then stays as it is.
	if (!err || err == -EBUSY)
		return err;
	return fail_after_tracking(&r, m->policy.remap_error != MS_REMAP_ERROR_KEEP_PTES, err);
}

int ms_vm_iomap_memory(struct ms_vma *vma, ms_pa_t start, uint64_t len)
{
	if (!vma)
		return -EINVAL;
	const struct ms_machine *m = ms_vma_machine(vma);
	ms_pfn_t pfn = start >> m->page_shift;
	uint64_t pages;

	if (start + len < start)
		return -EINVAL;
	// a start inside of a page is allowed: the whole page is mapped
	len += start & (m->page_size - 1);
	pages = (len + m->page_size - 1) >> m->page_shift;
	if (vma->vm_pgoff > pages || ms_vma_pages(vma) > pages - vma->vm_pgoff)
		return -EINVAL;
	return ms_remap_pfn_range(vma, vma->vm_start, pfn + vma->vm_pgoff, ms_vma_size(vma),
				  vma->vm_page_prot);
}
