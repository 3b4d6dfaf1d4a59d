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
	}
	return false;
}
