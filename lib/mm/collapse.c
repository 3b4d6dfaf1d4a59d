/* SPDX-License-Identifier: GPL-2.0-only */
/* MADV_COLLAPSE, for anonymous memory here. The switches in sysfs do not count for it. */
#include "mm/collapse.h"
#include "mm/lock.h"
#include "mm/memfile.h"
#include "mm/pgtable.h"

/*
 * Why a collapse that madvise asked for cannot be; NULL: it can.
 * mirrors hugepage_vma_check(), mm/huge_memory.c, 6.0 .. 6.7; __thp_vma_allowable_orders(),
 * mm/huge_memory.c, 6.8+
 */
static const char *why_not(const struct ms_vma *vma)
{
	const struct ms_machine *m = ms_vma_machine(vma);

	if (vma->vm_flags & (MS_VM_NOHUGEPAGE | MS_VM_SPECIAL | MS_VM_HUGETLB))
		return "is VM_NOHUGEPAGE, hugetlb or a driver's";
	if (!ms_thp_suitable(vma, vma->vm_end - ms_pmd_size(m)))
		return "has no room for a huge page, or its offset does not match";
	if (ms_vma_is_shmem(vma) && m->config.shmem == MS_THP_DENY)
		return "is shared memory, and shmem_enabled is deny";
	if (ms_vma_is_shmem(vma))
		return ms_cache_takes_huge(m) ? NULL : "is of a file that takes no huge pages";
	if (!ms_vma_is_anonymous(vma))
		return "is a file's that has no huge pages";
	return vma->anon_vma ? NULL : "has no anonymous page yet";
}

// mirrors madvise_collapse_errno(), mm/khugepaged.c, 6.1+
static int scan_errno(enum ms_scan result)
{
	switch (result) {
	case MS_SCAN_SUCCEED:
		return 0;
	case MS_SCAN_NO_MEMORY:
		return -ENOMEM;
	case MS_SCAN_LOCKED:
		return -EAGAIN;
	case MS_SCAN_REFUSED:
	case MS_SCAN_STOP:
		break;
	}
	return -EINVAL;
}

enum ms_scan ms_scan_refuse(const struct ms_vma *vma, ms_hva_t addr, enum ms_scan result,
			    const char *why)
{
	ms_refuse(ms_vma_machine(vma), scan_errno(result), "%s, at %x", ms_refusal_text(why), addr);
	return result;
}

static bool holds_page(const struct ms_machine *m, uint64_t entry)
{
	return !ms_pte_none(entry) && !ms_is_zero_pfn(m, ms_pte_pfn(m, entry));
}

/*
 * Up to 6.17 at least one page has to be writable.
 * mirrors hpage_collapse_scan_pmd(), mm/khugepaged.c, 6.1 .. 7.0; collapse_scan_pmd(),
 * mm/khugepaged.c, 7.1+
 */
static enum ms_scan scan_table(const struct ms_vma *vma, ms_hva_t addr, const uint64_t *table)
{
	const struct ms_machine *m = ms_vma_machine(vma);
	bool writable = m->policy.collapse_read_only == MS_COLLAPSE_READ_ONLY_ALLOWED;

	for (uint64_t i = 0; i < UINT64_C(1) << ms_pmd_order(m); i++) {
		if (!holds_page(m, table[i]))
			continue;
		if (table[i] & MS_PTE_WRITE)
			writable = true;
		if (!ms_pfn_is_ram(m, ms_pte_pfn(m, table[i])))
			return ms_scan_refuse(vma, addr, MS_SCAN_REFUSED,
					      "a page of the block is not RAM");
	}
	if (writable)
		return MS_SCAN_SUCCEED;
	return ms_scan_refuse(vma, addr, MS_SCAN_REFUSED, "no page of the block is writable");
}

/* The table whose place the leaf takes is kept for the leaf's split.
 * mirrors pgtable_trans_huge_deposit(), mm/pgtable-generic.c, 5.10+ */
static void deposit_table(struct ms_mm *mm, uint64_t *table)
{
	table[0] = (uintptr_t)mm->deposits;
	mm->deposits = table;
}

/*
 * Notifiers are called and the table is taken out before the pages are copied. Then one leaf takes
 * the place of all entries.
 * mirrors collapse_huge_page(), mm/khugepaged.c, 5.10+
 */
static enum ms_scan collapse_table(struct ms_vma *vma, ms_hva_t addr, uint64_t *slot)
{
	struct ms_mm *mm = vma->vm_mm;
	struct ms_machine *m = mm->machine;
	const ms_hva_t end = addr + ms_pmd_size(m);
	uint64_t *table = ms_pte_table(*slot);
	ms_pfn_t pfn;

	if (!ms_page_alloc(m, ms_pmd_order(m), MS_PG_ANON | MS_PG_ANON_EXCLUSIVE, &pfn))
		return ms_scan_refuse(vma, addr, MS_SCAN_NO_MEMORY, "no huge page of RAM is free");
	ms_notify_start(mm, addr, end, MS_NOTIFY_CLEAR);
	*slot = 0;
	ms_notify_end(mm, addr, end, MS_NOTIFY_CLEAR);
	for (uint64_t i = 0; i < UINT64_C(1) << ms_pmd_order(m); i++) {
		if (holds_page(m, table[i])) {
			ms_page_copy(m, pfn + i, ms_pte_pfn(m, table[i]));
			ms_drop_leaf(vma, table[i], MS_LEVEL_PTE);
		}
		table[i] = 0;
	}
	deposit_table(mm, table);
	*slot = ms_fault_entry(vma, pfn, true);
	return MS_SCAN_SUCCEED;
}

/* One block of the range, as large as a PMD leaf.
 * mirrors collapse_single_pmd(), mm/khugepaged.c, 7.2+ */
static enum ms_scan scan_block(struct ms_vma *vma, ms_hva_t addr)
{
	const struct ms_machine *m = ms_vma_machine(vma);
	uint64_t *slot;
	enum ms_scan result;

	if (!ms_vma_is_anonymous(vma))
		return ms_collapse_file(vma, addr);
	slot = ms_pt_slot(vma->vm_mm, addr, MS_LEVEL_PMD);
	if (!slot || ms_pte_none(*slot))
		return ms_scan_refuse(vma, addr,
				      slot && m->policy.collapse_empty_pmd ==
							      MS_COLLAPSE_EMPTY_PMD_STOPS
					      ? MS_SCAN_STOP
					      : MS_SCAN_REFUSED,
				      MS_SCAN_EMPTY);
	if (ms_pte_is_leaf(*slot))
		return MS_SCAN_SUCCEED;
	result = scan_table(vma, addr, ms_pte_table(*slot));
	return result == MS_SCAN_SUCCEED ? collapse_table(vma, addr, slot) : result;
}

/*
 * collapse_pte_mapped_thp() waits for the lock of a huge page that is no leaf yet; of smaller ones
 * the lock is only tried.
 */
static bool waits_for_folio(const struct ms_vma *vma, ms_hva_t addr)
{
	const struct ms_machine *m = ms_vma_machine(vma);
	const uint64_t npages = UINT64_C(1) << ms_pmd_order(m);
	const uint64_t index = ms_vma_pgoff_of(vma, addr);
	const uint64_t *slot = ms_pt_slot(vma->vm_mm, addr, MS_LEVEL_PMD);

	return vma->vm_file &&
	       ms_folio_is_locked(vma->vm_file->mapping, index, index + npages, npages) &&
	       !(slot && ms_pte_is_leaf(*slot));
}

// mirrors madvise_collapse(), mm/khugepaged.c, 6.1+
int ms_madvise_collapse(struct ms_vma *vma, ms_hva_t start, ms_hva_t end)
{
	struct ms_machine *m = ms_vma_machine(vma);
	const uint64_t size = ms_pmd_size(m);
	const ms_hva_t first = ms_align_up(start, size), stop = ms_align_down(end, size);
	const char *why = why_not(vma);
	enum ms_scan failed = MS_SCAN_SUCCEED;

	if (why)
		return ms_refuse(m, -EINVAL, MS_VMA_WORDS " %s", MS_VMA_NUMBERS(vma),
				 ms_refusal_text(why));
	if (first > stop && m->policy.collapse_small == MS_COLLAPSE_SMALL_EINVAL_UNLESS_EMPTY)
		return ms_refuse(m, -EINVAL, "%x-%x lies inside of one block", start, end);
	for (ms_hva_t addr = first; m->processes->folio_locks && addr < stop; addr += size)
		if (waits_for_folio(vma, addr))
			return ms_refuse(m, -EBUSY, "a hook's caller holds the huge page at %x",
					 addr);
	ms_lru_drain(m);
	for (ms_hva_t addr = first; addr < stop; addr += size) {
		enum ms_scan result = scan_block(vma, addr);

		if (result == MS_SCAN_SUCCEED)
			continue;
		failed = result;
		if (result != MS_SCAN_REFUSED && result != MS_SCAN_LOCKED)
			break;
	}
	return scan_errno(failed);
}
