/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RAM that page tables show by its number alone, as remap_pfn_range() and vmf_insert_pfn() leave
 * it. The kernel counts no such entry: who frees the page leaves a process with somebody else's
 * memory, and nobody says a word. Here each page has its number of such entries, and freeing it
 * while there are some is a violation. Only pages that are so mapped cost anything.
 */
#include "mm/pgtable.h"

struct ms_raw_page {
	RB_ENTRY(ms_raw_page) by_pfn;
	ms_pfn_t pfn;
	uint64_t entries;
};

static int pfn_cmp(const struct ms_raw_page *a, const struct ms_raw_page *b)
{
	return a->pfn < b->pfn ? -1 : a->pfn > b->pfn;
}

RB_GENERATE_INTERNAL(ms_raw_pages, ms_raw_page, by_pfn, pfn_cmp, static __attribute__((unused)))

static struct ms_raw_page *find(const struct ms_machine *m, ms_pfn_t pfn)
{
	return RB_FIND(ms_raw_pages, &m->processes->raw_pages, &(struct ms_raw_page){ .pfn = pfn });
}

static bool add_page(struct ms_machine *m, ms_pfn_t pfn)
{
	struct ms_page *page = ms_pfn_to_page(m, pfn);
	struct ms_raw_page *raw = page ? find(m, pfn) : NULL;

	if (!page)
		return false;
	if (!raw) {
		raw = ms_zalloc(&m->alloc, sizeof(*raw));
		if (!raw)
			return false;
		raw->pfn = pfn;
		RB_INSERT(ms_raw_pages, &m->processes->raw_pages, raw);
	}
	raw->entries++;
	ms_page_set_raw(m, page, true);
	return true;
}

static void drop_page(struct ms_machine *m, ms_pfn_t pfn)
{
	struct ms_raw_page *raw = find(m, pfn);

	if (!raw || --raw->entries)
		return;
	ms_page_set_raw(m, ms_pfn_to_page(m, pfn), false);
	RB_REMOVE(ms_raw_pages, &m->processes->raw_pages, raw);
	ms_free(&m->alloc, raw);
}

bool ms_raw_add(struct ms_machine *m, ms_pfn_t pfn, uint64_t npages)
{
	for (uint64_t i = 0; i < npages; i++) {
		if (!ms_pfn_is_ram(m, pfn + i) || ms_is_zero_pfn(m, pfn + i))
			continue;
		if (add_page(m, pfn + i))
			continue;
		ms_raw_drop(m, pfn, i);
		return false;
	}
	return true;
}

void ms_raw_drop(struct ms_machine *m, ms_pfn_t pfn, uint64_t npages)
{
	if (RB_EMPTY(&m->processes->raw_pages))
		return;
	for (uint64_t i = 0; i < npages; i++)
		drop_page(m, pfn + i);
}

void ms_raw_destroy(struct ms_machine *m)
{
	struct ms_raw_page *raw;

	while ((raw = RB_ROOT(&m->processes->raw_pages))) {
		RB_REMOVE(ms_raw_pages, &m->processes->raw_pages, raw);
		ms_free(&m->alloc, raw);
	}
}

/* ---- a page is freed ---- */

/* The first entry that shows one of the pages [pfn, pfn + npages). */
struct shown {
	ms_pfn_t pfn;
	uint64_t npages;
	bool raw; /* by their number alone; else as ordinary pages */
	uint64_t entries;
	ms_hva_t addr;
	ms_pa_t pa;
};

static void look_at_leaf(struct ms_vma *vma, uint64_t *slot, ms_hva_t addr, unsigned int level,
			 void *arg)
{
	const struct ms_machine *m = ms_vma_machine(vma);
	const ms_pfn_t first = ms_pte_pfn(m, *slot);
	const uint64_t npages = ms_level_size(m, level) >> m->page_shift;
	struct shown *s = arg;
	ms_pfn_t from, to;

	if (!(*slot & MS_PTE_SPECIAL) != !s->raw)
		return;
	from = ms_max_u64(first, s->pfn);
	to = ms_min_u64(first + npages, s->pfn + s->npages);
	if (from >= to)
		return;
	if (!s->entries) {
		s->addr = addr + ((from - first) << m->page_shift);
		s->pa = from << m->page_shift;
	}
	s->entries += to - from;
}

/* One violation a VMA. */
static void raw_freed(struct ms_machine *m, ms_pfn_t pfn, uint64_t npages)
{
	struct ms_mm *mm;

	TAILQ_FOREACH (mm, &m->processes->mms, link)
		for (struct ms_vma *vma = ms_find_vma(mm, 0); vma; vma = ms_vma_next(vma)) {
			struct shown s = { .pfn = pfn, .npages = npages, .raw = true };

			if (vma->vm_flags & (MS_VM_PFNMAP | MS_VM_MIXEDMAP))
				ms_pt_for_each_leaf(vma, vma->vm_start, vma->vm_end, look_at_leaf,
						    &s);
			if (!s.entries)
				continue;
			ms_vma_violation(vma, MS_VIOLATION_DRIVER,
					 "RAM is freed while a page table shows it by its pfn",
					 s.addr, s.pa);
		}
}

void ms_raw_memory_freed(struct ms_machine *m, ms_pfn_t pfn)
{
	const struct ms_page *page = ms_page_look(m, pfn);

	if (page && page->raw)
		raw_freed(m, pfn, 1);
}

void ms_raw_init(struct ms_machine *m)
{
	RB_INIT(&m->processes->raw_pages);
	ms_phys_tell_raw_freed(m, raw_freed);
}

/* mirrors page_mapcount(), include/linux/mm.h, 5.10 .. 6.12; folio_precise_page_mapcount(),
 * fs/proc/internal.h, 6.12+ */
uint64_t ms_page_mappings(const struct ms_machine *m, ms_pfn_t pfn)
{
	struct shown s = { .pfn = pfn, .npages = 1 };
	struct ms_mm *mm;

	TAILQ_FOREACH (mm, &m->processes->mms, link)
		for (struct ms_vma *vma = ms_find_vma(mm, 0); vma; vma = ms_vma_next(vma))
			ms_pt_for_each_leaf(vma, vma->vm_start, vma->vm_end, look_at_leaf, &s);
	return s.entries;
}
