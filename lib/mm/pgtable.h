/* SPDX-License-Identifier: GPL-2.0-only */
/* The host page table: its entries, and the walks over it. */
#ifndef MS_MM_PGTABLE_H
#define MS_MM_PGTABLE_H

#include "mm/internal.h"

#define MS_LEVEL_PTE 3u
#define MS_LEVEL_PMD 2u
#define MS_LEVEL_PUD 1u

/* mirrors pte_none(), arch/x86/include/asm/pgtable.h, 5.10+; pte_none(),
 * arch/arm64/include/asm/pgtable.h, 5.10+ */
static inline bool ms_pte_none(uint64_t e)
{
	return e == 0;
}
/*
 * A huge page of an anonymous VMA, or the huge zero page: one for which a spare table was
 * deposited. A raw leaf in such a VMA is of a driver that has installed a leaf larger than its own
 * VMA.
 */
static inline bool ms_is_anon_huge(const struct ms_vma *vma, uint64_t e, unsigned int level)
{
	return level == MS_LEVEL_PMD && ms_vma_is_anonymous(vma) && !(e & MS_PTE_SPECIAL);
}
/*
 * Also an entry with PROT_NONE is present.
 * mirrors pte_present(), arch/x86/include/asm/pgtable.h, 5.10+; pte_present(),
 * arch/arm64/include/asm/pgtable.h, 5.10+
 */
static inline bool ms_pte_present(uint64_t e)
{
	return e & (MS_PTE_PRESENT | MS_PTE_PROTNONE);
}
/*
 * Of a leaf. On x86 one of 1G with PROT_NONE is not present.
 * mirrors pud_present(), arch/x86/include/asm/pgtable.h, 5.10+; pud_present(),
 * arch/arm64/include/asm/pgtable.h, 5.10+
 */
static inline bool ms_leaf_present(const struct ms_machine *m, uint64_t e, unsigned int level)
{
	return ms_is_x86(m) && level == MS_LEVEL_PUD ? e & MS_PTE_PRESENT : ms_pte_present(e);
}
static inline bool ms_pte_is_table(uint64_t e)
{
	return e & MS_PTE_TABLE;
}
static inline bool ms_pte_is_leaf(uint64_t e)
{
	return e && !(e & MS_PTE_TABLE);
}
static inline uint64_t *ms_pte_table(uint64_t e)
{
	return (uint64_t *)(uintptr_t)(e & ~MS_PTE_TABLE);
}
static inline ms_pa_t ms_pte_pa(uint64_t e)
{
	return e & MS_PTE_PA_MASK;
}
static inline ms_pfn_t ms_pte_pfn(const struct ms_machine *m, uint64_t e)
{
	return ms_pte_pa(e) >> m->page_shift;
}
/*
 * An entry from a protection.
 * mirrors pfn_pte(), arch/x86/include/asm/pgtable.h, 5.10+; pfn_pte(),
 * arch/arm64/include/asm/pgtable.h, 5.10+
 */
static inline uint64_t ms_mk_pte(const struct ms_machine *m, ms_pfn_t pfn, ms_pgprot_t prot)
{
	return (pfn << m->page_shift) | (prot & ~MS_PTE_X86) | MS_PTE_YOUNG;
}

/* The pfn behind addr, of the leaf at `level` that translates it. */
static inline ms_pfn_t ms_leaf_pfn(const struct ms_machine *m, uint64_t e, unsigned int level,
				   ms_hva_t addr)
{
	return ms_pte_pfn(m, e) + ((addr & (ms_level_size(m, level) - 1)) >> m->page_shift);
}
/* What the kernel makes dirty is soft-dirty, too. The CPU sets the dirty bit alone.
 * mirrors pte_mkdirty(), arch/x86/include/asm/pgtable.h, 5.10+ */
#define MS_PTE_MKDIRTY (MS_PTE_DIRTY | MS_PTE_SOFT_DIRTY)

// mirrors maybe_mkwrite(), include/linux/mm.h, 5.10+
static inline uint64_t ms_maybe_mkwrite(const struct ms_vma *vma, uint64_t e)
{
	return vma->vm_flags & MS_VM_WRITE ? e | MS_PTE_WRITE : e;
}
/* The entry that a fault makes for a page: dirty for a write, and writable if the VMA is. */
static inline uint64_t ms_fault_entry(const struct ms_vma *vma, ms_pfn_t pfn, bool write)
{
	uint64_t e = ms_mk_pte(ms_vma_machine(vma), pfn, vma->vm_page_prot);

	return write ? ms_maybe_mkwrite(vma, e | MS_PTE_MKDIRTY) : e;
}

/*
 * The top byte of a user address (bit 55 is 0) may hold a tag, which the CPU and most system calls
 * ignore.
 * mirrors untagged_addr(), arch/arm64/include/asm/memory.h, 5.10+
 */
static inline ms_hva_t ms_untagged_addr(const struct ms_machine *m, ms_hva_t addr)
{
	return ms_is_x86(m) || (addr & (UINT64_C(1) << 55)) ? addr : addr & (UINT64_MAX >> 8);
}

/* Is nothing mapped? There is no table besides the top one, which holds no leaves. */
static inline bool ms_pt_is_empty(const struct ms_mm *mm)
{
	return mm->nr_tables == 1 && mm->start_level < MS_LEVEL_PUD;
}
/* The slot at `level` for addr; NULL: there is no table of that level, because an entry above is
 * empty or a leaf. */
uint64_t *ms_pt_slot(const struct ms_mm *mm, ms_hva_t addr, unsigned int level);
/* As above, but makes missing tables. NULL: no memory (or a leaf above, a caller's bug). */
uint64_t *ms_pt_alloc_slot(struct ms_mm *mm, ms_hva_t addr, unsigned int level);
/* The entry that translates addr (leaf, or 0) and the level where the walk ended. */
uint64_t ms_pt_walk(const struct ms_mm *mm, ms_hva_t addr, unsigned int *level);
uint64_t *ms_pt_new_table(struct ms_mm *mm);
void ms_pt_free_table(struct ms_mm *mm, uint64_t *table);
void ms_pt_free_tables(struct ms_mm *mm); /* all that the process has */
/* Frees the tables of [start, end), except those that reach below floor or above ceiling (0: no
 * ceiling). */
void ms_free_pgd_range(struct ms_mm *mm, ms_hva_t start, ms_hva_t end, ms_hva_t floor,
		       ms_hva_t ceiling);
/* Deposits a spare table for a PMD leaf (0 or -ENOMEM); withdraws one, which must be there. */
int ms_pt_deposit(struct ms_mm *mm);
uint64_t *ms_pt_withdraw(struct ms_mm *mm);
/* pte_modify(): a new protection; the address and the state bits stay. x86 also keeps the cache
 * bits, arm64 takes the new ones. */
uint64_t ms_pte_modify(const struct ms_machine *m, uint64_t e, ms_pgprot_t newprot);

/*
 * Calls fn for each slot at PTE level, and for each PMD or PUD slot that holds a leaf, that
 * overlaps [start, end) and is not empty. addr: start of the slot's range; fn may clear or replace
 * the slot by another leaf or 0.
 */
typedef void ms_leaf_fn(struct ms_vma *vma, uint64_t *slot, ms_hva_t addr, unsigned int level,
			void *arg);
void ms_pt_for_each_leaf(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, ms_leaf_fn *fn,
			 void *arg);
/* `to` gets a table wherever `from` has one in the range, even an empty one. false: no memory. */
bool ms_pt_copy_tables(struct ms_mm *to, const struct ms_mm *from, ms_hva_t start, ms_hva_t end);

#endif
