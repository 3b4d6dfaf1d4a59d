/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A run of page frame numbers is mapped into a VMA, always by pages.
 *
 * The kernel's version decides in which order the checks and the tracking of the memory type come
 * (policy remap_checks), and what happens to the entries if it fails (policy remap_error).
 */
#include "mm/lock.h"
#include "mm/pgtable.h"

#define REMAP_FLAGS (MS_VM_IO | MS_VM_PFNMAP | MS_VM_DONTEXPAND | MS_VM_DONTDUMP)

struct remap {
	struct ms_vma *vma;
	ms_hva_t addr, end; // end: rounded up to pages
	ms_pfn_t pfn;
	ms_pgprot_t prot;
	bool ram; // some of it is RAM
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
	return ms_refuse_alignment(m, r->addr);
}

/*
 * A COW mapping is mapped as a whole or not at all. Its vm_pgoff becomes the pfn, by which machines
 * without special entries tell raw pages from copied ones.
 * mirrors remap_pfn_range(), mm/memory.c, 5.10 .. 5.12; remap_pfn_range_notrack(), mm/memory.c,
 * 5.13 .. 6.18; get_remap_pgoff(), mm/memory.c, 6.19+
 */
static int check_cow(struct remap *r)
{
	if (!ms_is_cow_mapping(r->vma->vm_flags))
		return 0;
	if (!covers_vma(r))
		return ms_refuse(ms_vma_machine(r->vma), -EINVAL,
				 MS_VMA_WORDS " is private: %x-%x is not all of it",
				 MS_VMA_NUMBERS(r->vma), r->addr, r->end);
	r->vma->vm_pgoff = r->pfn;
	ms_handlers_note(r->vma);
	return 0;
}

/* From 7.0 on not by vm_flags_set(), and so without its assertion. */
static void set_flags(const struct remap *r)
{
	if (ms_vma_machine(r->vma)->policy.vma_flags_lock !=
	    MS_VMA_FLAGS_LOCK_ASSERTED_NOT_BY_REMAP)
		ms_vma_flags_assert_locked(r->vma);
	r->vma->vm_flags |= REMAP_FLAGS;
	ms_handlers_note(r->vma);
}

// mirrors remap_pfn_range(), mm/memory.c, 5.10 .. 6.18; remap_pfn_range_track(), mm/memory.c, 7.2+
static int track(struct remap *r)
{
	return ms_track_pfn_remap(r->vma, &r->prot, r->pfn, r->addr, r->end - r->addr);
}

/* Maps what one page table covers. *addr and *pfn move on past what was written.
 * mirrors remap_pte_range(), mm/memory.c, 5.10+ */
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
		if (r->ram && !ms_raw_add(m, *pfn, 1))
			return -ENOMEM;
		*slot = ms_mk_pte(m, (*pfn)++, r->prot) | MS_PTE_SPECIAL;
	}
	return 0;
present:
	ms_violation(m, "remap_pfn_range: entry already present", *addr);
	return ms_refuse(m, -EBUSY, "%x is mapped already", *addr);
}

/* mirrors remap_pfn_range(), mm/memory.c, 5.10 .. 5.12; remap_pfn_range_notrack(), mm/memory.c,
 * 5.13 .. 6.11; remap_pfn_range_internal(), mm/memory.c, 6.12+ */
static int remap_pages(const struct remap *r)
{
	ms_pfn_t pfn = r->pfn;
	int err = 0;

	ms_vma_hook(r->vma->vm_mm, MS_HOOK_DRIVER_INSERT, r->addr);
	ms_check_target(r->vma, r->addr, r->pfn,
			(r->end - r->addr) >> ms_vma_machine(r->vma)->page_shift);
	for (ms_hva_t addr = r->addr; !err && addr < r->end;)
		err = remap_table(r, &addr, &pfn);
	return err;
}

/* Takes back the tracking that came before the failure. */
static void undo_tracking(const struct remap *r)
{
	if (ms_vma_machine(r->vma)->policy.untrack_at != MS_UNTRACK_AT_LAST_VMA_FREED)
		ms_untrack_pfn(r->vma, r->pfn, r->end - r->addr, 0);
	else if (covers_vma(r))
		ms_pfnmap_ctx_put(r->vma);
}

/* A run that is mapped in part must not stay: the caller may free its pages.
 * mirrors remap_pfn_range_notrack(), mm/memory.c, 5.13+ */
static int fail_after_tracking(const struct remap *r, bool zap, int err)
{
	uint64_t page_size = ms_vma_machine(r->vma)->page_size;

	if (zap)
		ms_zap_page_range_single(r->vma, ms_align_down(r->addr, page_size),
					 r->end - r->addr);
	undo_tracking(r);
	return err;
}

// mirrors remap_pfn_range(), mm/memory.c, 5.10 .. 5.12
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

/*
 * The checks are inside of what is tracked.
 * mirrors remap_pfn_range(), mm/memory.c, 5.13 .. 6.18; remap_pfn_range_notrack(), mm/memory.c,
 * 5.13 .. 6.18
 */
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

/* mirrors remap_pfn_range_prepare_vma(), mm/memory.c, 6.19+; remap_pfn_range_track(), mm/memory.c,
 * 7.2+ */
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

// mirrors remap_pfn_range(), mm/memory.c, 5.10+
int ms_remap_pfn_range(struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn, uint64_t size,
		       ms_pgprot_t prot)
{
	ms_vma_door();
	if (!vma)
		return -EINVAL;
	struct ms_machine *m = ms_vma_machine(vma);
	struct remap r = { .vma = vma, .addr = addr, .pfn = pfn, .prot = prot };
	const uint64_t before = ms_refusals(m);
	int err;

	r.end = addr + ms_align_up(size, m->page_size);
	r.ram = r.end > addr &&
		ms_range_has_ram(m, pfn << m->page_shift, (pfn << m->page_shift) + (r.end - addr));
	if (r.end <= addr) {
		ms_vma_violation(vma, MS_VIOLATION_DRIVER,
				 "remap_pfn_range: empty or wrapping range", addr, 0);
		return ms_refuse(m, -EINVAL, "%x bytes at %x are none, or wrap", size, addr);
	}
	// The kernel maps it nevertheless: in another VMA, or where nobody will remove the entries.
	if (addr < vma->vm_start || r.end > vma->vm_end)
		ms_vma_violation(vma, MS_VIOLATION_DRIVER,
				 "remap_pfn_range: range outside of the VMA", addr, 0);
	if (r.end > vma->vm_mm->task_size)
		return ms_refuse_end(vma->vm_mm, -EINVAL, addr, size);
	if (!ms_may_map_raw(vma, addr, pfn, (r.end - addr) >> m->page_shift, prot))
		return ms_refuse(m, -EINVAL, "pfn %x with protection %x: no entry holds it", pfn,
				 prot);
	err = check_and_track(&r);
	if (!err) {
		err = remap_pages(&r);
		// EBUSY: the kernel has stopped at a BUG, and what it had done by then stays.
		if (err && err != -EBUSY)
			fail_after_tracking(&r, m->policy.remap_error != MS_REMAP_ERROR_KEEP_PTES,
					    err);
	}
	return (int)ms_answered(m, before, err, NULL);
}

// mirrors vm_iomap_memory(), mm/memory.c, 5.10+
int ms_vm_iomap_memory(struct ms_vma *vma, ms_pa_t start, uint64_t len)
{
	ms_vma_door();
	if (!vma)
		return -EINVAL;
	struct ms_machine *m = ms_vma_machine(vma);
	ms_pfn_t pfn = start >> m->page_shift;
	uint64_t pages;

	if (start + len < start)
		return ms_refuse_wrap(m, -EINVAL, start, len);
	// the start may lie inside of a page, which is mapped as a whole
	len += start & (m->page_size - 1);
	pages = (len + m->page_size - 1) >> m->page_shift;
	if (vma->vm_pgoff > pages || ms_vma_pages(vma) > pages - vma->vm_pgoff)
		return ms_refuse(m, -EINVAL, MS_VMA_WORDS " shows page %u onward: there are %u",
				 MS_VMA_NUMBERS(vma), vma->vm_pgoff, pages);
	return ms_remap_pfn_range(vma, vma->vm_start, pfn + vma->vm_pgoff, ms_vma_size(vma),
				  vma->vm_page_prot);
}
