/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes to pages that are mapped read-only. */
#include "mm/anon_folio.h"
#include "mm/pgtable.h"

// mirrors wp_page_reuse(), mm/memory.c, 5.10+
static ms_vm_fault_t wp_page_reuse(const struct ms_vma *vma, uint64_t *slot)
{
	*slot = ms_maybe_mkwrite(vma, *slot | MS_PTE_YOUNG | MS_PTE_MKDIRTY);
	return 0;
}

/*
 * A new page, for this process alone. The content of device memory is read through the user's
 * address; the copy keeps the cache bits of vm_page_prot.
 * mirrors wp_page_copy(), mm/memory.c, 5.10+
 */
static ms_vm_fault_t wp_page_copy(struct ms_vm_fault *vmf, uint64_t *slot)
{
	const bool unshare = vmf->flags & MS_FAULT_FLAG_UNSHARE;
	struct ms_vma *vma = vmf->vma;
	struct ms_machine *m = ms_vma_machine(vma);
	ms_hva_t end = vmf->address + m->page_size;
	uint64_t old = *slot, entry;
	ms_pfn_t pfn;

	if (ms_anon_vma_prepare(vma) ||
	    !ms_page_alloc(m, 0, MS_PG_ANON | MS_PG_ANON_EXCLUSIVE, &pfn))
		return ms_refuse_page(m);
	ms_lru_add_new(vma, pfn);
	ms_page_copy(m, pfn, ms_pte_pfn(m, old));
	// a page that is only unshared stays as read-only, and as clean, as it was
	entry = ms_fault_entry(vma, pfn, !unshare) | (unshare ? old & MS_PTE_SOFT_DIRTY : 0);
	ms_notify_start(vma->vm_mm, vmf->address, end, MS_NOTIFY_CLEAR);
	*slot = entry;
	ms_notify_change_pte(vma->vm_mm, vmf->address, entry);
	if (vma->vm_flags & MS_VM_LOCKED)
		ms_munlock_copied(m, old);
	ms_drop_leaf(vma, old, MS_LEVEL_PTE);
	ms_notify_end(vma->vm_mm, vmf->address, end, MS_NOTIFY_CLEAR);
	return 0;
}

/* Is every reference to the huge page an entry of this process, and is there more than one?
 * mirrors __wp_can_reuse_large_anon_folio(), mm/memory.c, 6.15+ */
static bool all_mapped_here(struct ms_vm_fault *vmf, ms_pfn_t pfn, const struct ms_page *head)
{
	struct ms_machine *m = ms_vma_machine(vmf->vma);
	struct ms_anon_folio folio = {
		.vma = vmf->vma,
		.head = ms_page_head(m, pfn),
		.order = head->order,
	};

	folio.addr = vmf->address - ((pfn - folio.head) << m->page_shift);
	// the counts often tell without a walk over all entries
	return head->refcount > 1 && head->refcount <= UINT64_C(1) << head->order &&
	       ms_anon_folio_mapped(&folio) == head->refcount;
}

/* Is the entry the only one that holds the small page? The queues to the LRU lists may be emptied
 * for it, which lets go of other pages, too. */
static bool is_sole(struct ms_machine *m, ms_pfn_t pfn, const struct ms_page *page)
{
	const bool is_new = ms_lru_is_new(m, pfn);
	const bool off_list = is_new || ms_lru_is_off_list(m, pfn);
	const uint32_t references = page->refcount + is_new;
	uint32_t most = 1;

	switch (m->policy.wp_drain) {
	case MS_WP_DRAIN_NEVER:
		return references == 1;
	case MS_WP_DRAIN_UP_TO_THREE:
		most = 3;
		break;
	case MS_WP_DRAIN_COULD_BE_SOLE:
		most = 1 + off_list;
		break;
	}
	if (references > most)
		return false;
	if (off_list)
		ms_lru_drain(m);
	return page->refcount == 1;
}

/* Is this process the only one that has the anonymous page?
 * mirrors do_wp_page(), mm/memory.c, 5.10 .. 6.6; wp_can_reuse_anon_folio(), mm/memory.c, 6.7+ */
static bool may_reuse(struct ms_vm_fault *vmf, ms_pfn_t pfn)
{
	struct ms_machine *m = ms_vma_machine(vmf->vma);
	struct ms_page *page = ms_pfn_to_page(m, pfn);
	const struct ms_page *head;
	bool sole;

	if (!page || !(page->flags & MS_PG_ANON))
		return false;
	head = ms_pfn_to_page(m, ms_page_head(m, pfn));
	if (!head)
		return false;
	if (m->policy.anon_reuse != MS_ANON_REUSE_SOLE_REFERENCE &&
	    (page->flags & MS_PG_ANON_EXCLUSIVE))
		return true;
	if (!page->order)
		sole = is_sole(m, pfn, page);
	else if (m->policy.anon_reuse == MS_ANON_REUSE_SOLE_REFERENCE ||
		 m->policy.anon_large_reuse == MS_ANON_LARGE_REUSE_IF_SOLE_REFERENCE)
		sole = head->refcount == 1;
	else
		sole = m->policy.anon_large_reuse == MS_ANON_LARGE_REUSE_IF_ALL_MAPPED_HERE &&
		       all_mapped_here(vmf, pfn, head);
	if (sole)
		page->flags |= MS_PG_ANON_EXCLUSIVE;
	return sole;
}

/* A shared mapping's driver is told of the first write, then the entry becomes writable.
 * mirrors wp_page_shared() and wp_pfn_shared(), mm/memory.c, 5.10+ */
static ms_vm_fault_t wp_shared(struct ms_vm_fault *vmf, uint64_t *slot)
{
	struct ms_vma *vma = vmf->vma;
	const bool pfn = *slot & MS_PTE_SPECIAL;

	if (vma->vm_ops && (pfn ? vma->vm_ops->pfn_mkwrite : vma->vm_ops->page_mkwrite)) {
		ms_vm_fault_t ret;
		bool retry = false;

		if (pfn) {
			vmf->flags |= MS_FAULT_FLAG_MKWRITE;
			ret = ms_vma_call_pfn_mkwrite(vmf);
		} else {
			vmf->pfn = ms_pte_pfn(ms_vma_machine(vma), *slot);
			ret = ms_do_page_mkwrite(vmf, &retry);
		}
		if (retry || (ret & (MS_VM_FAULT_ERROR | MS_VM_FAULT_NOPAGE)))
			return ret;
		// The handler may have taken the entry away: then the access faults anew.
		slot = ms_pt_slot(vma->vm_mm, vmf->address, MS_LEVEL_PTE);
		if (!slot || !ms_pte_present(*slot))
			return 0;
	}
	return wp_page_reuse(vma, slot);
}

// mirrors do_wp_page(), mm/memory.c, 5.10+
ms_vm_fault_t ms_do_wp_page(struct ms_vm_fault *vmf, uint64_t *slot)
{
	struct ms_vma *vma = vmf->vma;
	struct ms_machine *m = ms_vma_machine(vma);

	if (vma->vm_flags & (MS_VM_SHARED | MS_VM_MAYSHARE))
		return wp_shared(vmf, slot);
	if (!(*slot & MS_PTE_SPECIAL) && may_reuse(vmf, ms_pte_pfn(m, *slot)))
		return vmf->flags & MS_FAULT_FLAG_UNSHARE ? 0 : wp_page_reuse(vma, slot);
	return wp_page_copy(vmf, slot);
}
