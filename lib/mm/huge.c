/* SPDX-License-Identifier: GPL-2.0-only */
/* Huge leaves of ordinary memory, and how any huge leaf is split. */
#include "mm/pgtable.h"

/*
 * What sysfs and madvise say.
 * mirrors __transparent_hugepage_enabled(), include/linux/huge_mm.h, 5.10 .. 5.19;
 * hugepage_vma_check(), mm/huge_memory.c, 6.0 .. 6.7; __thp_vma_allowable_orders(),
 * mm/huge_memory.c, 6.8+
 */
bool ms_thp_allowed(const struct ms_vma *vma)
{
	if (vma->vm_flags & MS_VM_NOHUGEPAGE)
		return false;
	switch (ms_vma_machine(vma)->config.thp) {
	case MS_THP_ALWAYS:
		return true;
	case MS_THP_MADVISE:
		return vma->vm_flags & MS_VM_HUGEPAGE;
	case MS_THP_NEVER:
	default:
		break;
	}
	return false;
}

/* mirrors transhuge_vma_suitable(), include/linux/huge_mm.h, 5.10 .. 6.1; thp_vma_suitable_order(),
 * include/linux/huge_mm.h, 6.12+ */
bool ms_thp_suitable(const struct ms_vma *vma, ms_hva_t addr)
{
	const struct ms_machine *m = ms_vma_machine(vma);
	uint64_t size = ms_pmd_size(m), npages = UINT64_C(1) << ms_pmd_order(m);
	ms_hva_t start = ms_align_down(addr, size);

	if (!ms_vma_is_anonymous(vma) &&
	    !ms_aligned((vma->vm_start >> m->page_shift) - vma->vm_pgoff, npages))
		return false;
	return start >= vma->vm_start && start + size <= vma->vm_end;
}

/* A huge page of an anonymous VMA, or 0. The struct pages of all its parts are made now, so that a
 * split need not allocate them. */
static ms_pfn_t alloc_huge(struct ms_machine *m)
{
	ms_pfn_t pfn;

	if (!ms_page_alloc(m, ms_pmd_order(m), MS_PG_ANON | MS_PG_ANON_EXCLUSIVE, &pfn))
		return 0;
	for (uint64_t i = 0; i < UINT64_C(1) << ms_pmd_order(m); i += MS_FRAMES_AT_ONCE) {
		if (!ms_pfn_to_page(m, pfn + i)) {
			ms_page_put(m, pfn, 1);
			return 0;
		}
	}
	ms_lru_add_large(m);
	return pfn;
}

/* A read gets the huge zero page, a write a fresh one.
 * mirrors do_huge_pmd_anonymous_page(), mm/huge_memory.c, 5.10+ */
ms_vm_fault_t ms_do_huge_anonymous(struct ms_vm_fault *vmf)
{
	struct ms_vma *vma = vmf->vma;
	struct ms_machine *m = ms_vma_machine(vma);
	bool write = vmf->flags & MS_FAULT_FLAG_WRITE;
	uint64_t *slot = ms_pt_slot(vma->vm_mm, vmf->address, MS_LEVEL_PMD);
	ms_pfn_t pfn;

	if (!ms_thp_suitable(vma, vmf->address))
		return MS_VM_FAULT_FALLBACK;
	if (ms_anon_vma_prepare(vma) || ms_pt_deposit(vma->vm_mm))
		return MS_VM_FAULT_OOM;
	pfn = write ? alloc_huge(m) : ms_huge_zero_pfn(m);
	if (!pfn) {
		ms_pt_free_table(vma->vm_mm, ms_pt_withdraw(vma->vm_mm));
		return MS_VM_FAULT_FALLBACK;
	}
	*slot = ms_fault_entry(vma, pfn, write);
	return 0;
}

/* A fresh huge page takes the place of the huge zero page.
 * mirrors do_huge_zero_wp_pmd(), mm/huge_memory.c, 6.13+ */
static bool replace_huge_zero(struct ms_vm_fault *vmf, uint64_t *slot)
{
	struct ms_vma *vma = vmf->vma;
	struct ms_machine *m = ms_vma_machine(vma);
	ms_hva_t start = ms_align_down(vmf->address, ms_pmd_size(m));
	ms_hva_t end = start + ms_pmd_size(m);
	ms_pfn_t pfn = alloc_huge(m);

	if (!pfn)
		return false;
	ms_notify_start(vma->vm_mm, start, end, MS_NOTIFY_CLEAR);
	*slot = ms_fault_entry(vma, pfn, true);
	ms_notify_end(vma->vm_mm, start, end, MS_NOTIFY_CLEAR);
	return true;
}

// mirrors do_huge_pmd_wp_page(), mm/huge_memory.c, 5.10+
ms_vm_fault_t ms_do_huge_wp(struct ms_vm_fault *vmf, uint64_t *slot)
{
	struct ms_vma *vma = vmf->vma;
	struct ms_machine *m = ms_vma_machine(vma);
	ms_pfn_t pfn = ms_pte_pfn(m, *slot);
	struct ms_page *page;

	if (ms_is_huge_zero_pfn(m, pfn)) {
		if (m->policy.thp_zero_write == MS_THP_ZERO_WRITE_REPLACE_BY_PMD &&
		    replace_huge_zero(vmf, slot))
			return 0;
	} else {
		page = ms_pfn_to_page(m, pfn);
		if ((page->flags & MS_PG_ANON_EXCLUSIVE) || page->refcount == 1) {
			page->flags |= MS_PG_ANON_EXCLUSIVE;
			if (vmf->flags & MS_FAULT_FLAG_UNSHARE)
				return 0;
			*slot = ms_maybe_mkwrite(vma, *slot | MS_PTE_YOUNG | MS_PTE_MKDIRTY);
			return 0;
		}
	}
	ms_split_huge_pmd(vma, vmf->address);
	return MS_VM_FAULT_FALLBACK;
}

/* ---- splitting ---- */

static void set_exclusive(struct ms_page *page, bool exclusive)
{
	page->flags &= (uint8_t)~MS_PG_ANON_EXCLUSIVE;
	if (exclusive)
		page->flags |= MS_PG_ANON_EXCLUSIVE;
}

/* The pages of an anonymous leaf get entries of their own; those of the zero page are special.
 * mirrors __split_huge_pmd_locked(), mm/huge_memory.c, 5.10+ */
static void split_anonymous(struct ms_vma *vma, uint64_t *slot)
{
	struct ms_machine *m = ms_vma_machine(vma);
	uint64_t old = *slot, *table = ms_pt_withdraw(vma->vm_mm);
	const uint64_t dirty =
		m->policy.thp_split_dirty == MS_THP_SPLIT_DIRTY_CARRIED ? MS_PTE_DIRTY : 0;
	const uint64_t keep = MS_PTE_WRITE | MS_PTE_YOUNG | MS_PTE_SOFT_DIRTY | dirty;
	const uint64_t npages = UINT64_C(1) << ms_pmd_order(m);
	ms_pfn_t pfn = ms_pte_pfn(m, old);
	bool zero = ms_is_huge_zero_pfn(m, pfn);
	const ms_pfn_t zero_pfn = zero ? ms_zero_pfn(m) : 0; // made by ms_huge_zero_pfn(), too
	bool exclusive = !zero && (ms_pfn_to_page(m, pfn)->flags & MS_PG_ANON_EXCLUSIVE);

	for (uint64_t i = 0; i < npages; i++) {
		uint64_t entry;

		if (zero) {
			entry = ms_mk_pte(m, zero_pfn, vma->vm_page_prot) | MS_PTE_SPECIAL;
		} else {
			entry = (ms_mk_pte(m, pfn + i, vma->vm_page_prot) & ~keep) | (old & keep);
			set_exclusive(ms_pfn_to_page(m, pfn + i), exclusive);
		}
		table[i] = entry;
	}
	if (!zero) {
		struct ms_page *head = ms_pfn_to_page(m, pfn);

		if (head->refcount > 1)
			head->flags |= MS_PG_DOUBLE_MAP;
		ms_page_get(m, pfn, (uint32_t)npages - 1);
	}
	*slot = (uintptr_t)table | MS_PTE_TABLE;
}

/* Notifiers hear of the whole PMD's range, whatever is mapped there.
 * mirrors __split_huge_pmd(), mm/huge_memory.c, 5.10+ */
void ms_split_huge_pmd(struct ms_vma *vma, ms_hva_t addr)
{
	const struct ms_machine *m = ms_vma_machine(vma);
	ms_hva_t start = ms_align_down(addr, ms_pmd_size(m)), end = start + ms_pmd_size(m);
	uint64_t *slot = ms_pt_slot(vma->vm_mm, addr, MS_LEVEL_PMD);

	ms_notify_start(vma->vm_mm, start, end, MS_NOTIFY_CLEAR);
	if (slot && ms_pte_is_leaf(*slot)) {
		if (ms_is_anon_huge(vma, *slot, MS_LEVEL_PMD)) {
			split_anonymous(vma, slot);
		} else {
			uint64_t old = *slot;

			*slot = 0;
			ms_drop_leaf(vma, old, MS_LEVEL_PMD);
		}
	}
	ms_notify_end(vma->vm_mm, start, end, MS_NOTIFY_CLEAR);
}

/* The leaf is removed; faults bring back what is needed of it.
 * mirrors __split_huge_pud(), mm/huge_memory.c, 5.10+ */
static void split_huge_pud(struct ms_vma *vma, ms_hva_t addr)
{
	const struct ms_machine *m = ms_vma_machine(vma);
	uint64_t size = ms_pud_size(m);
	ms_hva_t start = ms_align_down(addr, size);
	uint64_t *slot = ms_pt_slot(vma->vm_mm, addr, MS_LEVEL_PUD);

	ms_notify_start(vma->vm_mm, start, start + size, MS_NOTIFY_CLEAR);
	if (slot && ms_pte_is_leaf(*slot)) {
		uint64_t old = *slot;

		*slot = 0;
		ms_drop_leaf(vma, old, MS_LEVEL_PUD);
	}
	ms_notify_end(vma->vm_mm, start, start + size, MS_NOTIFY_CLEAR);
}

void ms_split_huge_leaf(struct ms_vma *vma, ms_hva_t addr, unsigned int level)
{
	if (level == MS_LEVEL_PMD)
		ms_split_huge_pmd(vma, addr);
	else
		split_huge_pud(vma, addr);
}

/*
 * Splits the PMD leaf that a new border would cut, if the VMA covers the PMD's whole range and its
 * table exists. The kernel's mm_find_pmd() takes any present PUD entry for a table. If it is a
 * leaf, such as a 1G leaf of vfio, the kernel crashes before it reads an entry: it looks for the
 * table's lock in the struct page of the "table", and a BAR has none.
 * mirrors split_huge_pmd_if_needed(), mm/huge_memory.c, 6.1+
 */
static void split_at_border(struct ms_vma *vma, ms_hva_t border)
{
	uint64_t size = ms_pmd_size(ms_vma_machine(vma));
	ms_hva_t start = ms_align_down(border, size);
	unsigned int level;

	if (start == border || start < vma->vm_start || start + size > vma->vm_end)
		return;
	if (ms_pt_slot(vma->vm_mm, border, MS_LEVEL_PMD)) {
		ms_split_huge_pmd(vma, border);
	} else if (ms_pte_is_leaf(ms_pt_walk(vma->vm_mm, border, &level))) {
		ms_vma_violation(
			vma, MS_VIOLATION_KERNEL,
			"kernel crash: a PUD leaf is taken for a table where a VMA is split",
			border, 0);
	}
}

// mirrors vma_adjust_trans_huge(), mm/huge_memory.c, 5.10+
void ms_vma_adjust_trans_huge(struct ms_vma *vma, ms_hva_t start, ms_hva_t end)
{
	split_at_border(vma, start);
	split_at_border(vma, end);
}
