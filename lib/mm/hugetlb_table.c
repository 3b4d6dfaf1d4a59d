/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations on ranges of hugetlb entries: fork, protection, moves, splits. */
#include "mm/memfile.h"
#include "mm/pgtable.h"

/* ---- fork ---- */

static int copy_page(struct ms_vma *dst, struct ms_vma *src, const struct ms_hugetlb_geometry *g,
		     ms_hva_t addr)
{
	struct ms_machine *m = ms_vma_machine(src);
	uint64_t *from = ms_hugetlb_slot(src, g, addr), *to, entry;
	ms_pfn_t pfn;

	if (!from || ms_pte_none(*from))
		return 0;
	to = ms_pt_alloc_slot(dst->vm_mm, addr, g->level);
	if (!to)
		return -ENOMEM;
	entry = *from;
	pfn = ms_pte_pfn(m, entry);
	if (ms_is_cow_mapping(src->vm_flags)) {
		entry &= ~MS_PTE_WRITE;
		ms_hugetlb_set(g, from, entry);
		ms_pfn_to_page(m, pfn)->flags &= (uint8_t)~MS_PG_ANON_EXCLUSIVE;
	}
	ms_page_get(m, pfn, g->n);
	ms_hugetlb_set(g, to, entry);
	return 0;
}

/* From 5.19 on a child faults in by itself what the file has.
 * mirrors copy_page_range(), mm/memory.c, 5.10 .. 5.18; vma_needs_copy(), mm/memory.c, 5.19+ */
static bool needs_copy(const struct ms_vma *src)
{
	return src->anon_vma || ms_vma_machine(src)->policy.hugetlb_fork == MS_HUGETLB_FORK_COPIES;
}

// mirrors copy_hugetlb_page_range(), mm/hugetlb.c, 5.10+
int ms_hugetlb_copy(struct ms_vma *dst, struct ms_vma *src)
{
	const struct ms_hugetlb_geometry g = ms_hugetlb_geometry(src);
	bool cow = ms_is_cow_mapping(src->vm_flags);
	int err = 0;

	if (!needs_copy(src))
		return 0;
	if (cow)
		ms_notify_start(src->vm_mm, src->vm_start, src->vm_end, MS_NOTIFY_CLEAR);
	for (ms_hva_t addr = src->vm_start; !err && addr < src->vm_end; addr += g.size)
		err = copy_page(dst, src, &g, addr);
	if (cow)
		ms_notify_end(src->vm_mm, src->vm_start, src->vm_end, MS_NOTIFY_CLEAR);
	return err;
}

/* ---- protection ---- */

// mirrors hugetlb_change_protection(), mm/hugetlb.c, 5.10+
void ms_hugetlb_change_protection(struct ms_vma *vma, ms_hva_t start, ms_hva_t end)
{
	const struct ms_hugetlb_geometry g = ms_hugetlb_geometry(vma);
	ms_hva_t from = start, to = end;

	ms_hugetlb_widen(vma, &from, &to);
	ms_notify_start(vma->vm_mm, from, to, MS_NOTIFY_PROTECTION_VMA);
	for (ms_hva_t addr = start; addr < end; addr += g.size) {
		uint64_t *slot = ms_hugetlb_slot(vma, &g, addr);

		if (slot && !ms_pte_none(*slot))
			ms_hugetlb_set(
				&g, slot,
				ms_pte_modify(ms_vma_machine(vma), *slot, vma->vm_page_prot));
	}
	ms_notify_end(vma->vm_mm, from, to, MS_NOTIFY_PROTECTION_VMA);
}

/* Of what mprotect makes of such an entry; pmd_mkcont() sets no valid bit.
 * mirrors pte_mkcont(), arch/arm64/include/asm/pgtable.h, 5.10+ */
bool ms_host_leaf_is_valid(struct ms_mm *mm, const struct ms_host_leaf *leaf)
{
	if (!mm || !leaf)
		return false;
	const struct ms_machine *m = mm->machine;
	const struct ms_vma *vma = ms_vma_lookup(mm, leaf->start);

	if (leaf->entry & MS_PTE_PRESENT)
		return true;
	return m->policy.hugetlb_contiguous == MS_HUGETLB_CONTIGUOUS_ALWAYS_VALID &&
	       leaf->size == m->page_size && vma && ms_vma_is_hugetlb(vma) &&
	       ms_hugetlb_size(vma) > leaf->size;
}

/* ---- moves ---- */

// mirrors move_hugetlb_page_tables(), mm/hugetlb.c, 5.16+
int ms_hugetlb_move(struct ms_vma *vma, struct ms_vma *new_vma, ms_hva_t old_addr,
		    ms_hva_t new_addr, uint64_t len)
{
	const struct ms_hugetlb_geometry g = ms_hugetlb_geometry(vma);
	ms_hva_t from = old_addr, to = old_addr + len;
	int err = 0;

	ms_hugetlb_widen(vma, &from, &to);
	ms_notify_start(vma->vm_mm, from, to, MS_NOTIFY_CLEAR);
	for (uint64_t off = 0; off < len; off += g.size) {
		uint64_t *src = ms_hugetlb_slot(vma, &g, old_addr + off), *dst;

		if (!src || ms_pte_none(*src))
			continue;
		dst = ms_pt_alloc_slot(new_vma->vm_mm, new_addr + off, g.level);
		if (!dst) {
			err = -ENOMEM;
			break;
		}
		ms_hugetlb_set(&g, dst, *src);
		ms_hugetlb_set(&g, src, 0);
	}
	ms_notify_end(vma->vm_mm, from, to, MS_NOTIFY_CLEAR);
	return err;
}

/* ---- splits ---- */

/*
 * A page table can be shared with another process only if the VMA covers the whole of a PUD's
 * range. A split inside of that range ends the sharing first.
 *
 *    VMA        |------[======= 1G =======]------|
 *    addr                   ^
 *
 * mirrors hugetlb_unshare_pmds(), mm/hugetlb.c, 6.2+; hugetlb_split(), mm/hugetlb.c, 6.16+
 */
void ms_hugetlb_split(struct ms_vma *vma, ms_hva_t addr)
{
	const struct ms_machine *m = ms_vma_machine(vma);
	const uint64_t pud = ms_pud_size(m);
	ms_hva_t start = ms_align_down(addr, pud);

	if (m->policy.hugetlb_split == MS_HUGETLB_SPLIT_SILENT || m->page_shift == 16 ||
	    !(vma->vm_flags & MS_VM_MAYSHARE))
		return;
	if (start == addr || start < vma->vm_start || start + pud > vma->vm_end)
		return;
	ms_notify_start(vma->vm_mm, start, start + pud, MS_NOTIFY_CLEAR);
	ms_notify_end(vma->vm_mm, start, start + pud, MS_NOTIFY_CLEAR);
}
