/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host page table. Levels are numbered as by arm64: entries of level 3 map pages. The top level
 * depends on the page size and the number of virtual address bits:
 *
 *   level       0       1 (PUD)   2 (PMD)   3 (PTE)
 *   4K  / 48    512G    1G        2M        4K
 *   16K / 47            64G       32M       16K
 *   64K / 48            4T        512M      64K
 *   16K / 36                      32M       16K
 *   64K / 42                      512M      64K
 */
#include "mm/pgtable.h"

static inline size_t table_entries(const struct ms_machine *m)
{
	return (size_t)1 << (m->page_shift - 3);
}

static inline size_t level_index(const struct ms_machine *m, ms_hva_t addr, unsigned int level)
{
	return (addr >> ms_level_shift(m, level)) & (table_entries(m) - 1);
}

/* First address after addr's entry at `level`, at most end. */
static inline ms_hva_t level_next(const struct ms_machine *m, ms_hva_t addr, ms_hva_t end,
				  unsigned int level)
{
	uint64_t size = ms_level_size(m, level);

	return ms_min_u64(ms_align_down(addr, size) + size, end);
}

uint64_t *ms_pt_new_table(struct ms_mm *mm)
{
	struct ms_pt *pt = ms_zalloc_aligned(&mm->machine->alloc, _Alignof(struct ms_pt),
					     sizeof(*pt) + table_entries(mm->machine) * 8);

	if (!pt)
		return NULL;
	LIST_INSERT_HEAD(&mm->tables, pt, link);
	mm->nr_tables++;
	return pt->entry;
}

static void free_table(struct ms_mm *mm, struct ms_pt *pt)
{
	LIST_REMOVE(pt, link);
	mm->nr_tables--;
	ms_free(&mm->machine->alloc, pt);
}

void ms_pt_free_table(struct ms_mm *mm, uint64_t *table)
{
	free_table(mm, (struct ms_pt *)((char *)table - offsetof(struct ms_pt, entry)));
}

void ms_pt_free_tables(struct ms_mm *mm)
{
	for (struct ms_pt *pt; (pt = LIST_FIRST(&mm->tables));)
		free_table(mm, pt);
}

// mirrors pgtable_trans_huge_deposit(), mm/pgtable-generic.c, 5.10+
int ms_pt_deposit(struct ms_mm *mm)
{
	uint64_t *table = ms_pt_new_table(mm);

	if (!table)
		return -ENOMEM;
	table[0] = (uintptr_t)mm->deposits;
	mm->deposits = table;
	return 0;
}

// mirrors pgtable_trans_huge_withdraw(), mm/pgtable-generic.c, 5.10+
uint64_t *ms_pt_withdraw(struct ms_mm *mm)
{
	uint64_t *table = mm->deposits;

	mm->deposits = (uint64_t *)(uintptr_t)table[0];
	table[0] = 0;
	return table;
}

uint64_t *ms_pt_slot(const struct ms_mm *mm, ms_hva_t addr, unsigned int level)
{
	const struct ms_machine *m = mm->machine;
	uint64_t *table = mm->pgd;

	if (!ms_pt_has_level(mm, level))
		return NULL;
	for (unsigned int l = mm->start_level; l < level; l++) {
		uint64_t e = table[level_index(m, addr, l)];

		if (!ms_pte_is_table(e))
			return NULL;
		table = ms_pte_table(e);
	}
	return &table[level_index(m, addr, level)];
}

// mirrors __pud_alloc(), __pmd_alloc() and __pte_alloc(), mm/memory.c, 5.10+
uint64_t *ms_pt_alloc_slot(struct ms_mm *mm, ms_hva_t addr, unsigned int level)
{
	const struct ms_machine *m = mm->machine;
	uint64_t *table = mm->pgd;

	if (!ms_pt_has_level(mm, level))
		return NULL;
	for (unsigned int l = mm->start_level; l < level; l++) {
		uint64_t *e = &table[level_index(m, addr, l)];

		if (ms_pte_none(*e)) {
			uint64_t *new_table = ms_pt_new_table(mm);

			if (!new_table)
				return NULL;
			*e = (uintptr_t)new_table | MS_PTE_TABLE;
		} else if (!ms_pte_is_table(*e)) {
			return NULL;
		}
		table = ms_pte_table(*e);
	}
	return &table[level_index(m, addr, level)];
}

uint64_t ms_pt_walk(const struct ms_mm *mm, ms_hva_t addr, unsigned int *level)
{
	const struct ms_machine *m = mm->machine;
	uint64_t *table = mm->pgd;

	for (unsigned int l = mm->start_level;; l++) {
		uint64_t e = table[level_index(m, addr, l)];

		if (!ms_pte_is_table(e)) {
			*level = l;
			return e;
		}
		table = ms_pte_table(e);
	}
}

/* mirrors pte_modify(), arch/x86/include/asm/pgtable.h, 5.10+; pte_modify(),
 * arch/arm64/include/asm/pgtable.h, 5.10+ */
uint64_t ms_pte_modify(const struct ms_machine *m, uint64_t e, ms_pgprot_t newprot)
{
	uint64_t keep = MS_PTE_PA_MASK | MS_PTE_MKDIRTY | MS_PTE_YOUNG | MS_PTE_SPECIAL;

	if (ms_is_x86(m))
		keep |= MS_PTE_CACHE_MASK;
	return (e & keep) | (newprot & ~keep & ~MS_PTE_X86);
}

/* ---- walking the leaves of a range ---- */

struct walk {
	struct ms_vma *vma;
	ms_leaf_fn *fn;
	void *arg;
};

static void walk_table(const struct walk *w, uint64_t *table, unsigned int level, ms_hva_t addr,
		       ms_hva_t end)
{
	const struct ms_machine *m = ms_vma_machine(w->vma);
	uint64_t size = ms_level_size(m, level);

	for (ms_hva_t next; addr < end; addr = next) {
		uint64_t *slot = &table[level_index(m, addr, level)];

		next = level_next(m, addr, end, level);
		// If fn splits a leaf, the range is then walked in the table that the leaf became.
		if (ms_pte_is_leaf(*slot))
			w->fn(w->vma, slot, ms_align_down(addr, size), level, w->arg);
		if (ms_pte_is_table(*slot))
			walk_table(w, ms_pte_table(*slot), level + 1, addr, next);
	}
}

void ms_pt_for_each_leaf(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, ms_leaf_fn *fn,
			 void *arg)
{
	const struct walk w = { .vma = vma, .fn = fn, .arg = arg };

	if (ms_pt_is_empty(vma->vm_mm))
		return;
	walk_table(&w, vma->vm_mm->pgd, vma->vm_mm->start_level, start, end);
}

/* ---- fork ---- */

struct copy {
	const struct ms_mm *from;
	struct ms_mm *to;
};

// mirrors copy_p4d_range(), copy_pud_range() and copy_pmd_range(), mm/memory.c, 5.10+
static bool copy_tables(const struct copy *c, const uint64_t *table, unsigned int level,
			ms_hva_t addr, ms_hva_t end)
{
	const struct ms_machine *m = c->from->machine;

	for (ms_hva_t next; addr < end; addr = next) {
		uint64_t e = table[level_index(m, addr, level)];

		next = level_next(m, addr, end, level);
		if (!ms_pte_is_table(e))
			continue;
		if (!ms_pt_alloc_slot(c->to, addr, level + 1))
			return false;
		if (level + 1 < MS_LEVEL_PTE &&
		    !copy_tables(c, ms_pte_table(e), level + 1, addr, next))
			return false;
	}
	return true;
}

bool ms_pt_copy_tables(struct ms_mm *to, const struct ms_mm *from, ms_hva_t start, ms_hva_t end)
{
	const struct copy c = { .from = from, .to = to };

	return ms_pt_is_empty(from) || copy_tables(&c, from->pgd, from->start_level, start, end);
}

/* ---- free_pgd_range ---- */

/*
 * A table is freed if the range touches it, and all that it covers lies between floor and ceiling.
 * Entries outside of the range that are still in such a table are lost.
 *
 *        floor        start          end        ceiling
 *   ------|------------|#############|------------|-----
 *     [  table kept  ][ freed ][ freed ][  table kept  ]
 *
 * mirrors free_p4d_range(), free_pud_range() and free_pmd_range(), mm/memory.c, 5.10+
 */
static void free_tables(struct ms_mm *mm, uint64_t *table, unsigned int level, ms_hva_t addr,
			ms_hva_t end, ms_hva_t floor, ms_hva_t ceiling)
{
	const struct ms_machine *m = mm->machine;
	uint64_t size = ms_level_size(m, level);

	for (ms_hva_t next; addr < end; addr = next) {
		uint64_t *e = &table[level_index(m, addr, level)];
		ms_hva_t first = ms_align_down(addr, size);

		next = level_next(m, addr, end, level);
		if (!ms_pte_is_table(*e))
			continue;
		if (level + 1 < MS_LEVEL_PTE)
			free_tables(mm, ms_pte_table(*e), level + 1, addr, next, floor, ceiling);
		if (first >= floor && first + size - 1 <= ceiling - 1) {
			ms_pt_free_table(mm, ms_pte_table(*e));
			*e = 0;
		}
	}
}

// mirrors free_pgd_range(), mm/memory.c, 5.10+
void ms_free_pgd_range(struct ms_mm *mm, ms_hva_t start, ms_hva_t end, ms_hva_t floor,
		       ms_hva_t ceiling)
{
	free_tables(mm, mm->pgd, mm->start_level, start, end, floor, ceiling);
}
