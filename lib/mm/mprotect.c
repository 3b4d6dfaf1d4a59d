/* SPDX-License-Identifier: GPL-2.0-only */
/* mprotect(2). */
#include "mm/lock.h"
#include "mm/pgtable.h"

struct change {
	ms_hva_t start, end;
	ms_pgprot_t newprot;
	bool writenotify; // shared, and the driver asks to see the first write
};

/*
 * Has the driver been told of a write to this shared page?
 * mirrors can_change_pte_writable(), mm/mprotect.c, 6.0+; can_change_shared_pte_writable(),
 * mm/mprotect.c, 7.2+
 */
static bool write_was_noticed(const struct ms_vma *vma, uint64_t entry)
{
	if (!(entry & MS_PTE_DIRTY))
		return false;
	return ms_vma_machine(vma)->policy.mprotect_shared_upgrade ==
		       MS_MPROTECT_SHARED_UPGRADE_DIRTY ||
	       (entry & MS_PTE_SOFT_DIRTY) || !(vma->vm_flags & MS_VM_SOFTDIRTY);
}

/*
 * May the entry become writable at once, without a fault?
 * mirrors change_pte_range(), mm/mprotect.c, 5.10 .. 5.19; can_change_pte_writable(),
 * mm/mprotect.c, 6.0+; can_change_pmd_writable(), mm/huge_memory.c, 6.2+
 */
static bool may_write_at_once(struct ms_vma *vma, const struct change *ch, uint64_t entry,
			      unsigned int level)
{
	const bool pmd = level == MS_LEVEL_PMD;
	struct ms_machine *m = ms_vma_machine(vma);
	const struct ms_policy *policy = &m->policy;
	const struct ms_page *page;

	if (!(vma->vm_flags & MS_VM_WRITE) || !(entry & MS_PTE_PRESENT))
		return false;
	// change_huge_pud() gives no more rights than the protection has
	if (level == MS_LEVEL_PUD ||
	    (pmd && policy->mprotect_pmd_upgrade == MS_MPROTECT_PMD_UPGRADE_NO))
		return false;
	if (vma->vm_flags & MS_VM_SHARED)
		return ch->writenotify && write_was_noticed(vma, entry);
	if (!pmd && policy->mprotect_pte_upgrade == MS_MPROTECT_PTE_UPGRADE_SHARED_ONLY)
		return false;
	if (!pmd && policy->mprotect_pte_upgrade == MS_MPROTECT_PTE_UPGRADE_ANON_DIRTY &&
	    !(entry & MS_PTE_DIRTY))
		return false;
	if (entry & MS_PTE_SPECIAL)
		return false;
	page = ms_pfn_to_page(m, ms_pte_pfn(m, entry));
	return page && (page->flags & MS_PG_ANON) && (page->flags & MS_PG_ANON_EXCLUSIVE);
}

// mirrors change_pte_range(), mm/mprotect.c, 5.10+; change_huge_pmd(), mm/huge_memory.c, 5.10+
static void change_leaf(struct ms_vma *vma, uint64_t *slot, ms_hva_t addr, unsigned int level,
			void *arg)
{
	const struct ms_machine *m = ms_vma_machine(vma);
	const struct change *ch = arg;
	uint64_t size = ms_level_size(m, level);

	if (addr < ch->start || addr + size > ch->end) {
		ms_split_huge_leaf(vma, addr, level);
		return;
	}
	*slot = ms_pte_modify(m, *slot, ch->newprot);
	if (may_write_at_once(vma, ch, *slot, level))
		*slot |= MS_PTE_WRITE;
}

/* First address in [start, end) whose entry at `level` is not empty; end: none. A level above those
 * that the page table has (a folded one) is never empty. */
static ms_hva_t first_populated(const struct ms_mm *mm, ms_hva_t start, ms_hva_t end,
				unsigned int level)
{
	uint64_t size = ms_level_size(mm->machine, level);

	if (!ms_pt_has_level(mm, level))
		return start;
	for (ms_hva_t addr = start; addr < end; addr = ms_align_down(addr, size) + size) {
		const uint64_t *slot = ms_pt_slot(mm, addr, level);
		unsigned int at;

		if (slot ? *slot != 0 : ms_pt_walk(mm, addr, &at) != 0)
			return addr;
	}
	return end;
}

/*
 * One piece of the range, between notifier calls if there is any entry in it.
 * mirrors change_pmd_range(), mm/mprotect.c, 5.10 .. 6.11; change_pud_range(), mm/mprotect.c, 6.12+
 */
static void change_piece(struct ms_vma *vma, struct change *ch, ms_hva_t start, ms_hva_t end,
			 unsigned int level)
{
	struct ms_mm *mm = vma->vm_mm;
	ms_hva_t first = first_populated(mm, start, end, level);

	if (first == end)
		return;
	ms_notify_start(mm, first, end, MS_NOTIFY_PROTECTION_VMA);
	ms_pt_for_each_leaf(vma, start, end, change_leaf, ch);
	ms_notify_end(mm, first, end, MS_NOTIFY_PROTECTION_VMA);
}

/*
 * Up to 6.11 notifiers are called for each PUD, from the first PMD entry on; later for each
 * top-level entry, from the first PUD entry on.
 * mirrors change_protection(), mm/mprotect.c, 5.10+
 */
static void change_protection(struct ms_vma *vma, struct change *ch)
{
	const struct ms_machine *m = ms_vma_machine(vma);
	const unsigned int top = vma->vm_mm->start_level;
	bool per_pud = m->policy.mprotect_notify == MS_MPROTECT_NOTIFY_PER_1G_FROM_FIRST_PMD;
	unsigned int level = per_pud ? MS_LEVEL_PMD : MS_LEVEL_PUD;
	uint64_t piece = ms_level_size(m, level - 1 > top ? level - 1 : top);

	if (ms_pt_is_empty(vma->vm_mm))
		return;
	for (ms_hva_t addr = ch->start, next; addr < ch->end; addr = next) {
		next = ms_min_u64(ms_align_down(addr, piece) + piece, ch->end);
		change_piece(vma, ch, addr, next, level);
	}
}

/* VM_ACCOUNT comes with write access, and may go with it. Part of mprotect_fixup(). */
static uint64_t account(const struct ms_vma *vma, uint64_t newflags)
{
	const uint64_t never =
		MS_VM_ACCOUNT | MS_VM_WRITE | MS_VM_HUGETLB | MS_VM_SHARED | MS_VM_NORESERVE;

	if (newflags & MS_VM_WRITE) {
		if (!(vma->vm_flags & never))
			newflags |= MS_VM_ACCOUNT;
	} else if ((vma->vm_flags & MS_VM_ACCOUNT) && ms_vma_is_anonymous(vma) && !vma->anon_vma &&
		   ms_vma_machine(vma)->policy.mprotect_unaccount ==
			   MS_MPROTECT_UNACCOUNT_UNTOUCHED_ANON) {
		newflags &= ~MS_VM_ACCOUNT;
	}
	return newflags;
}

// mirrors mprotect_fixup(), mm/mprotect.c, 5.10+
static int mprotect_fixup(struct ms_vma **pvma, ms_hva_t start, ms_hva_t end, uint64_t newflags)
{
	struct ms_vma *vma = *pvma;
	uint64_t oldflags = vma->vm_flags;
	struct change ch = { .start = start, .end = end };
	ms_pgprot_t shared_prot;
	int err;

	if (newflags == oldflags)
		return 0;
	newflags = account(vma, newflags);
	if ((newflags & ~oldflags & MS_VM_ACCOUNT) &&
	    ms_obvious_overcommit(ms_vma_machine(vma), end - start))
		return ms_refuse_overcommit(ms_vma_machine(vma), end - start);
	err = ms_vma_modify_flags(vma, start, end, newflags, &vma);
	if (err)
		return err;
	*pvma = vma;
	vma->vm_flags = newflags | (vma->vm_flags & MS_VM_SOFTDIRTY);
	ms_vma_set_page_prot(vma);
	ch.newprot = vma->vm_page_prot;
	shared_prot = ms_vm_get_page_prot(ms_vma_machine(vma), vma->vm_flags);
	ch.writenotify = (shared_prot & MS_PTE_WRITE) && !(vma->vm_page_prot & MS_PTE_WRITE);
	if (ms_vma_is_hugetlb(vma))
		ms_hugetlb_change_protection(vma, start, end);
	else
		change_protection(vma, &ch);
	if ((oldflags & (MS_VM_WRITE | MS_VM_SHARED | MS_VM_LOCKED)) == MS_VM_LOCKED &&
	    (newflags & MS_VM_WRITE))
		ms_mm_populate(vma->vm_mm, start, end - start);
	return 0;
}

/* One VMA's part of the call; *pvma becomes the VMA that covers it afterwards. */
static int protect_vma(struct ms_vma **pvma, ms_hva_t start, ms_hva_t end, unsigned int prot)
{
	struct ms_vma *vma = *pvma;
	uint64_t newflags = vma->vm_flags & ~(MS_VM_ACCESS | MS_VM_PKEY);

	newflags |= ms_calc_vm_prot_bits(prot) | ms_execute_only_key(ms_vma_machine(vma), prot);
	if (newflags & ~(newflags >> 4) & MS_VM_ACCESS)
		return ms_refuse(ms_vma_machine(vma), -EACCES,
				 MS_VMA_WORDS " may at most become %r, %r was asked for",
				 MS_VMA_NUMBERS(vma), newflags >> 4, newflags);
	if (vma->vm_ops && vma->vm_ops->mprotect) {
		int err = ms_vma_call_mprotect(vma, start, end, newflags);

		if (err)
			return err;
	}
	return mprotect_fixup(pvma, start, end, newflags);
}

static int protect_range(struct ms_mm *mm, ms_hva_t addr, ms_hva_t end, unsigned int prot)
{
	struct ms_vma *vma = ms_vma_lookup(mm, addr);

	if (!vma)
		return ms_refuse_no_vma(mm, -ENOMEM, addr);
	for (;;) {
		ms_hva_t stop = ms_min_u64(vma->vm_end, end);
		int err = protect_vma(&vma, addr, stop, prot);

		if (err)
			return err;
		addr = ms_max_u64(stop, vma->vm_end);
		if (addr >= end)
			return 0;
		vma = ms_vma_next(vma);
		if (!vma || vma->vm_start != addr)
			return ms_refuse_no_vma(mm, -ENOMEM, addr);
	}
}

// mirrors do_mprotect_pkey(), mm/mprotect.c, 5.10+
static int do_mprotect(struct ms_mm *mm, ms_hva_t addr, uint64_t len, unsigned int prot)
{
	struct ms_machine *m = mm->machine;
	ms_hva_t end;
	int err;

	addr = ms_untagged_addr(m, addr);
	if (!ms_aligned(addr, m->page_size))
		return ms_refuse_alignment(m, addr);
	if (!len)
		return 0;
	len = ms_align_up(len, m->page_size);
	end = addr + len;
	if (end <= addr)
		return ms_refuse_wrap(m, -ENOMEM, addr, len);
	if (prot & ~(MS_PROT_R | MS_PROT_W | MS_PROT_X)) // arch_validate_prot()
		return ms_refuse(m, -EINVAL, "prot %x is not known", prot);
	if (!ms_mmap_write_trylock(mm))
		return ms_mmap_waits(mm);
	err = protect_range(mm, addr, end, prot);
	ms_mmap_write_unlock(mm);
	return err;
}

int ms_mprotect(struct ms_mm *mm, ms_hva_t addr, uint64_t len, unsigned int prot)
{
	if (!mm)
		return -EINVAL;
	const uint64_t before = ms_refusals(mm->machine);

	return (int)ms_answered(mm->machine, before, do_mprotect(mm, addr, len, prot), NULL);
}
