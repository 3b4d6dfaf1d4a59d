/* SPDX-License-Identifier: GPL-2.0-only */
/* A function of a driver's is called with each entry of a range, and may change it. */
#include "mm/lock.h"
#include "mm/pgtable.h"
#include "mm/view.h"

struct apply {
	struct ms_mm *mm;
	ms_hva_t end;
	bool create;
	ms_pte_fn *fn;
	void *arg;
};

/* The entry of a page takes no reference: that is the function's to do. false: no memory. */
static bool count(struct ms_machine *m, uint64_t entry)
{
	const ms_pfn_t pfn = ms_pte_pfn(m, entry);

	if (!entry || !ms_pfn_is_ram(m, pfn))
		return true;
	if (entry & MS_PTE_SPECIAL)
		return ms_raw_add(m, pfn, 1);
	return ms_pfn_to_page(m, ms_page_head(m, pfn));
}

static void uncount(struct ms_machine *m, uint64_t was, uint64_t entry, ms_hva_t addr)
{
	const ms_pfn_t pfn = ms_pte_pfn(m, was);

	if (was & MS_PTE_SPECIAL)
		ms_raw_drop(m, pfn, 1);
	else if (was && ms_pfn_is_ram(m, pfn) &&
		 (entry & MS_PTE_SPECIAL || !entry || ms_pte_pfn(m, entry) != pfn))
		ms_violation_entry(m,
				   "apply_to_page_range: the function overwrites the entry of a "
				   "page, whose reference is lost",
				   addr, pfn << m->page_shift);
}

/* The function gets a copy of the entry, so that no driver keeps a pointer into a table; and it may
 * have done anything to the process meanwhile. */
static int apply_to_entry(const struct apply *a, uint64_t *slot, ms_hva_t addr)
{
	struct ms_machine *m = a->mm->machine;
	const uint64_t was = *slot;
	uint64_t entry = was;
	struct ms_mmap_hold hold;
	int err;

	if (!ms_call_begin(m, addr))
		return -EBUSY;
	hold = ms_mmap_hold(a->mm);
	err = a->fn(&entry, addr, a->arg);
	if (!ms_mmap_unhold(a->mm, &hold))
		ms_violation(m, "apply_to_page_range: the function returns with the mmap lock not "
				"as it was",
			     addr);
	ms_call_end(m);
	if (entry == was)
		return err;
	if (entry && !ms_pgprot_is_valid(m, (entry & ~(MS_PTE_PA_MASK | MS_PTE_SPECIAL)))) {
		ms_violation(m, "apply_to_page_range: the function makes an entry of bits that no "
				"entry has",
			     addr);
		return err;
	}
	slot = ms_pt_slot(a->mm, addr, MS_LEVEL_PTE);
	if (!slot || *slot != was)
		return err;
	if (!count(m, entry))
		return ms_refuse(m, -ENOMEM, "no memory");
	uncount(m, was, entry, addr);
	*slot = entry;
	return err;
}

/* What one table covers, or a hole of the size of a higher entry. *addr moves on past it.
 * mirrors apply_to_pte_range(), mm/memory.c, 5.10+; apply_to_pmd_range(), mm/memory.c, 5.10+ */
static int apply_to_table(const struct apply *a, ms_hva_t *addr)
{
	struct ms_machine *m = a->mm->machine;
	unsigned int level;
	const uint64_t entry = ms_pt_walk(a->mm, *addr, &level);
	const uint64_t covers = ms_level_size(m, level == MS_LEVEL_PTE ? level - 1 : level);
	const ms_hva_t next = ms_min_u64(ms_align_down(*addr, covers) + covers, a->end);
	uint64_t *slot;
	int err = 0;

	if (level != MS_LEVEL_PTE && !ms_pte_none(entry)) {
		ms_violation(m, "apply_to_page_range: a huge entry is in the way", *addr);
		return ms_refuse(m, -EINVAL, "a huge entry maps %x", *addr);
	}
	if (level != MS_LEVEL_PTE && !a->create) {
		*addr = next;
		return 0;
	}
	slot = ms_pt_alloc_slot(a->mm, *addr, MS_LEVEL_PTE);
	if (!slot)
		return ms_refuse(m, -ENOMEM, "no memory");
	const ms_hva_t table_end =
		ms_min_u64(ms_align_down(*addr, ms_pmd_size(m)) + ms_pmd_size(m), a->end);
	for (; !err && *addr < table_end; *addr += m->page_size) {
		slot = ms_pt_slot(a->mm, *addr, MS_LEVEL_PTE);
		if (slot && (a->create || !ms_pte_none(*slot)))
			err = apply_to_entry(a, slot, *addr);
	}
	return err;
}

// mirrors __apply_to_page_range(), mm/memory.c, 5.10+
int ms_apply_to_page_range(struct ms_mm *mm, ms_hva_t addr, uint64_t size, bool create,
			   ms_pte_fn *fn, void *arg)
{
	if (!mm || !fn)
		return -EINVAL;
	struct ms_machine *m = mm->machine;
	const struct apply a = {
		.mm = mm, .end = addr + size, .create = create, .fn = fn, .arg = arg
	};
	const uint64_t before = ms_refusals(m);
	int err = 0;

	if (a.end <= addr) {
		ms_violation(m, "apply_to_page_range: empty or wrapping range", addr);
		return ms_refuse(m, -EINVAL, "%x bytes at %x are none, or wrap", size, addr);
	}
	if (a.end > mm->task_size || !ms_aligned(addr, m->page_size))
		return ms_refuse(m, -EINVAL, "%x-%x: not whole pages of user space", addr, a.end);
	while (!err && addr < a.end)
		err = apply_to_table(&a, &addr);
	return (int)ms_answered(m, before, err, "apply_to_page_range: the function answers this");
}
