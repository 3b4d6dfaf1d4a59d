/* SPDX-License-Identifier: GPL-2.0-only */
/* Looking at a host page table without changing it. */
#include "mm/pgtable.h"

/* As ms_pt_walk(), for any addr. A table is indexed by the low bits of an address, so it must not
 * be asked for an address beyond the address space. */
static uint64_t walk(const struct ms_mm *mm, ms_hva_t addr, unsigned int *level)
{
	*level = mm->start_level;
	return addr < mm->task_size ? ms_pt_walk(mm, addr, level) : 0;
}

unsigned int ms_host_walk(const struct ms_mm *mm, ms_hva_t addr, uint64_t *entry)
{
	unsigned int level = 0;

	*entry = mm ? walk(mm, addr, &level) : 0;
	return level;
}

static void fill(const struct ms_mm *mm, ms_hva_t addr, unsigned int level, uint64_t entry,
		 struct ms_host_leaf *leaf)
{
	leaf->size = ms_level_size(mm->machine, level);
	leaf->start = ms_align_down(addr, leaf->size);
	leaf->entry = entry;
	leaf->level = level;
}

bool ms_host_leaf(const struct ms_mm *mm, ms_hva_t addr, struct ms_host_leaf *leaf)
{
	if (!mm)
		return false;
	unsigned int level;
	uint64_t entry = walk(mm, addr, &level);

	if (!ms_pte_present(entry))
		return false;
	fill(mm, addr, level, entry, leaf);
	return true;
}

/* The first address at or behind addr whose entry at that level is not empty, or where another
 * table of the level begins. */
static ms_hva_t skip_empty(const struct ms_mm *mm, ms_hva_t addr, unsigned int level)
{
	const struct ms_machine *m = mm->machine;
	const unsigned int shift = ms_level_shift(m, level);
	const uint64_t span = UINT64_C(1) << (shift + m->page_shift - 3);
	const uint64_t *slot;
	uint64_t n, i = 0;

	if (ms_aligned(addr, span) || addr >= mm->task_size)
		return addr;
	slot = ms_pt_slot(mm, addr, level);
	if (!slot)
		return addr;
	n = (ms_min_u64(ms_align_down(addr, span) + span, mm->task_size) - addr) >> shift;
	while (i < n && ms_pte_none(slot[i]))
		i++;
	return addr + (i << shift);
}

bool ms_host_next_leaf(const struct ms_mm *mm, ms_hva_t addr, ms_hva_t end,
		       struct ms_host_leaf *leaf)
{
	if (!mm)
		return false;
	end = ms_min_u64(end, mm->task_size);
	while (addr < end) {
		unsigned int level;
		uint64_t entry = ms_pt_walk(mm, addr, &level), size;

		if (ms_pte_present(entry)) {
			fill(mm, addr, level, entry, leaf);
			return true;
		}
		// An empty entry is skipped with all of its range.
		size = ms_level_size(mm->machine, level);
		addr = ms_align_down(addr, size) + size;
		addr = skip_empty(mm, addr, level);
	}
	return false;
}

/* ---- runs ---- */

#define RUN_IGNORES (MS_PTE_PA_MASK | MS_PTE_YOUNG | MS_PTE_DIRTY | MS_PTE_SOFT_DIRTY)

/* Does the entry go on where the run ends? */
static bool continues(const struct ms_host_run *run, uint64_t entry)
{
	return ms_pte_present(entry) && (entry & ~RUN_IGNORES) == run->flags &&
	       ms_pte_pa(entry) == run->pa + run->size;
}

/* Entries of the table of pages that has addr, up to its end. */
static size_t entries_from(const struct ms_machine *m, ms_hva_t addr)
{
	const uint64_t span = ms_pmd_size(m);

	return (size_t)((span - (addr & (span - 1))) >> m->page_shift);
}

/* Lets the run grow over entries of one table of pages. true: over all of them. */
static bool grow_over_pages(const struct ms_machine *m, struct ms_host_run *run,
			    const uint64_t *slot, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!continues(run, slot[i]))
			return false;
		run->size += m->page_size;
	}
	return true;
}

static void grow(const struct ms_mm *mm, struct ms_host_run *run, ms_hva_t end)
{
	const struct ms_machine *m = mm->machine;
	ms_hva_t at;

	while ((at = run->start + run->size) < end) {
		const uint64_t *slot = ms_pt_slot(mm, at, MS_LEVEL_PTE);
		unsigned int level;
		uint64_t entry;

		if (slot) {
			const uint64_t most = (end - at + m->page_size - 1) >> m->page_shift;

			if (!grow_over_pages(m, run, slot, ms_min_u64(most, entries_from(m, at))))
				return;
			continue;
		}
		entry = ms_pt_walk(mm, at, &level);
		if (!continues(run, entry))
			return;
		run->size += ms_level_size(m, level);
	}
}

bool ms_host_next_run(const struct ms_mm *mm, ms_hva_t addr, ms_hva_t end, struct ms_host_run *run)
{
	struct ms_host_leaf leaf;

	if (!ms_host_next_leaf(mm, addr, end, &leaf))
		return false;
	*run = (struct ms_host_run){ leaf.start, leaf.size, ms_pte_pa(leaf.entry),
				     leaf.entry & ~RUN_IGNORES };
	grow(mm, run, ms_min_u64(end, mm->task_size));
	return true;
}
