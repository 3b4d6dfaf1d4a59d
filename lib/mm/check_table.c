/* SPDX-License-Identifier: GPL-2.0-only */
/* Checks the host page table against the VMAs: where entries are, what they map, and which tables
 * exist. Entries and VMAs are gone through side by side, by rising address. */
#include "mm/check.h"
#include "mm/memfile.h"
#include "mm/pgtable.h"

struct walk {
	struct ms_check *c;
	struct ms_mm *mm;
	struct ms_vma_place place;
	struct ms_vma *vma; /* at `place`: the first that ends above the current address, or NULL */
	uint64_t tables;
	uint64_t deposits; /* leaves for which a spare table must have been deposited */
};

struct leaf {
	ms_hva_t addr;
	uint64_t size, entry;
	unsigned int level;
	ms_pfn_t pfn;
	const uint64_t *slot;
};

static bool found(struct walk *w, const struct leaf *l, const char *what)
{
	return ms_check_found(w->c, "mm %u: entry at %#" PRIx64 " (level %u, pa %#" PRIx64 "): %s",
			      w->mm->id, l->addr, l->level, ms_pte_pa(l->entry), what);
}

/* Moves on to the first VMA that ends above addr. */
static void advance(struct walk *w, ms_hva_t addr)
{
	while (w->vma && w->vma->vm_end <= addr) {
		w->place = ms_check_next(w->place);
		w->vma = ms_check_vma(w->place);
	}
}

/* ---- what an entry may be ---- */

/*
 * Is it a driver's 1G leaf that other things than its VMA lie below? Splitting a VMA does not split
 * PUD leaves; the leaf stays, in all parts, until a part of it is zapped. A fork copies it whole for
 * the first part that the child gets, whatever the child has at the rest. (hazard.h tells of it.)
 */
static bool is_cut_pud(const struct walk *w, const struct leaf *l)
{
	const struct ms_vma *vma;

	if (l->level != MS_LEVEL_PUD || !(l->entry & MS_PTE_SPECIAL))
		return false;
	for (struct ms_vma_place p = w->place; (vma = ms_check_vma(p)); p = ms_check_next(p)) {
		if (vma->vm_start >= l->addr + l->size)
			return false;
		if (vma->vm_flags & MS_VM_PFNMAP)
			return true;
	}
	return false;
}

/* false: the entry is so wrong that no further check of it makes sense. */
static bool check_place(struct walk *w, const struct leaf *l)
{
	const ms_hva_t end = l->addr + l->size;

	advance(w, l->addr);
	if (!w->vma || w->vma->vm_start >= end)
		return found(w, l, "no VMA is there");
	if ((w->vma->vm_start > l->addr || w->vma->vm_end < end) && !is_cut_pud(w, l))
		return found(w, l, "reaches beyond its VMA");
	if (!ms_pte_present(l->entry))
		return found(w, l, "is neither empty nor present");
	return true;
}

/* A raw pfn needs a VMA that is marked for such; the zero page may be in any VMA. */
static void check_special(struct walk *w, const struct leaf *l)
{
	if (l->level == MS_LEVEL_PTE && ms_is_zero_pfn(w->c->machine, l->pfn))
		return;
	if (!(w->vma->vm_flags & (MS_VM_PFNMAP | MS_VM_MIXEDMAP)))
		found(w, l, "a raw pfn in a VMA that is not VM_PFNMAP or VM_MIXEDMAP");
}

static void check_rights(struct walk *w, const struct leaf *l, const struct ms_page *page)
{
	const uint64_t flags = w->vma->vm_flags;

	if ((l->entry & MS_PTE_PRESENT) && !(flags & MS_VM_ACCESS))
		found(w, l, "can be accessed, its VMA cannot");
	if (!(l->entry & MS_PTE_WRITE))
		return;
	if (!(flags & MS_VM_WRITE))
		found(w, l, "is writable, its VMA is not");
	if (!(flags & MS_VM_SHARED) && !(page->flags & MS_PG_ANON))
		found(w, l, "writes of a private mapping go to a page of the file");
}

/* The page that the VMA's file has at addr. */
static ms_pfn_t cached_page(const struct ms_vma *vma, ms_hva_t addr)
{
	const struct ms_mapping *mapping = vma->vm_file->mapping;
	uint64_t pgoff = ms_vma_pgoff_of(vma, addr);
	ms_pfn_t pfn = ms_cache_find(mapping, pgoff >> mapping->order);

	return pfn ? pfn + (pgoff & ((UINT64_C(1) << mapping->order) - 1)) : 0;
}

static void check_kind(struct walk *w, const struct leaf *l, const struct ms_page *head)
{
	const struct ms_vma *vma = w->vma;
	const bool anon = head->flags & MS_PG_ANON;

	if (anon && !vma->anon_vma)
		found(w, l, "an anonymous page, and the VMA has no anon_vma");
	if (anon && !ms_is_cow_mapping(vma->vm_flags) && !ms_vma_is_anonymous(vma))
		found(w, l, "a copied page in a shared mapping");
	if (!anon && ms_vma_is_anonymous(vma))
		found(w, l, "a page that is not anonymous in an anonymous VMA");
	if (!anon && (vma->vm_flags & MS_VM_PFNMAP))
		found(w, l, "an ordinary page that is no copy, in a VM_PFNMAP VMA");
	if (!anon && vma->vm_file && vma->vm_file->kind != MS_FILE_DRIVER &&
	    cached_page(vma, l->addr) != l->pfn)
		found(w, l, "is not the page that the file has there");
}

/* A huge page of hugetlb is mapped by one entry, or by a run of them (arm64). */
static void check_hugetlb(struct walk *w, const struct leaf *l)
{
	const struct ms_hugetlb_geometry g = ms_hugetlb_geometry(w->vma);
	const uint64_t keep = MS_PTE_YOUNG | MS_PTE_DIRTY;
	const uint64_t in_page = l->addr & (g.size - 1);

	if (l->level != g.level) {
		found(w, l, "is not of the huge page's size");
		return;
	}
	if (in_page) {
		if ((l->slot[-1] & ~keep) + g.step != (l->entry & ~keep))
			found(w, l, "does not continue the huge page before it");
	} else if (g.n > 1 && ms_pte_none(l->slot[g.n - 1])) {
		found(w, l, "part of a huge page is not mapped");
	}
}

static void check_ordinary(struct walk *w, const struct leaf *l)
{
	const struct ms_machine *m = w->c->machine;
	const char *error;
	const struct ms_page *head;

	if (ms_vma_is_anonymous(w->vma) && l->level == MS_LEVEL_PMD)
		w->deposits++;
	if (l->level == MS_LEVEL_PMD && ms_is_huge_zero_pfn(m, l->pfn)) {
		if (!ms_vma_is_anonymous(w->vma) || (l->entry & MS_PTE_WRITE))
			found(w, l, "the huge zero page, writable or in a file's VMA");
		return;
	}
	error = ms_page_check_holder(w->c, l->pfn);
	if (error) {
		ms_check_found(w->c,
			       "mm %u: entry at %#" PRIx64 " maps page %#" PRIx64 ", which %s",
			       w->mm->id, l->addr, l->pfn, error);
		return;
	}
	if (!ms_aligned(ms_pte_pa(l->entry), l->size))
		found(w, l, "its page is not aligned to its size");
	head = ms_page_look(m, ms_page_head(m, l->pfn));
	if (m->page_size << head->order < l->size)
		found(w, l, "is larger than its huge page");
	check_rights(w, l, head);
	check_kind(w, l, head);
	if (ms_vma_is_hugetlb(w->vma))
		check_hugetlb(w, l);
}

static void check_leaf(struct walk *w, const struct leaf *l)
{
	if (!check_place(w, l))
		return;
	if (l->level < MS_LEVEL_PUD)
		found(w, l, "a leaf at a level that has none");
	else if (l->entry & MS_PTE_SPECIAL)
		check_special(w, l);
	else
		check_ordinary(w, l);
}

/* ---- tables ---- */

/* A table that no VMA reaches into should have been freed with the last VMA (free_pgtables()). */
static void check_needed(struct walk *w, ms_hva_t start, uint64_t size, unsigned int level)
{
	advance(w, start);
	if (!w->vma || w->vma->vm_start >= start + size)
		ms_check_found(w->c,
			       "mm %u: the table of level %u at %#" PRIx64
			       " is there, and no VMA needs it",
			       w->mm->id, level, start);
}

static void check_table(struct walk *w, const uint64_t *table, unsigned int level, ms_hva_t start)
{
	const struct ms_machine *m = w->c->machine;
	const uint64_t size = ms_level_size(m, level);
	ms_hva_t addr = start;

	w->tables++;
	for (size_t i = 0; i < (size_t)1 << (m->page_shift - 3); i++, addr += size) {
		if (ms_pte_none(table[i]))
			continue;
		if (ms_pte_is_table(table[i])) {
			if (level == MS_LEVEL_PTE) {
				ms_check_found(w->c,
					       "mm %u: a table below the last level at %#" PRIx64,
					       w->mm->id, addr);
				continue;
			}
			check_needed(w, addr, size, level + 1);
			check_table(w, ms_pte_table(table[i]), level + 1, addr);
			continue;
		}
		check_leaf(w, &(struct leaf){
				      .addr = addr,
				      .size = size,
				      .entry = table[i],
				      .level = level,
				      .pfn = ms_pte_pfn(m, table[i]),
				      .slot = &table[i],
			      });
	}
}

void ms_check_page_table(struct ms_check *c, struct ms_mm *mm)
{
	struct walk w = { .c = c, .mm = mm, .place = ms_check_first(mm) };
	uint64_t deposits = 0;

	w.vma = ms_check_vma(w.place);
	check_table(&w, mm->pgd, mm->start_level, 0);
	for (const uint64_t *t = mm->deposits; t; t = (const uint64_t *)(uintptr_t)t[0])
		deposits++;
	if (deposits != w.deposits)
		ms_check_found(
			c, "mm %u: %" PRIu64 " huge leaves need a table put by, %" PRIu64 " are",
			mm->id, w.deposits, deposits);
	if (mm->nr_tables != w.tables + deposits)
		ms_check_found(c, "mm %u: %" PRIu64 " page tables, %" PRIu64 " are counted", mm->id,
			       w.tables + deposits, mm->nr_tables);
}
