/* SPDX-License-Identifier: GPL-2.0-only */
/* A hole in a memory file. A huge page that lies in it only partly is unmapped everywhere and
 * split. */
#include "mm/lock.h"
#include "mm/memfile.h"
#include "mm/pgtable.h"
#include "phys/split.h"

/* A folio of the page cache. */
struct folio {
	struct ms_mapping *mapping;
	uint64_t index; // of its first page
	ms_pfn_t pfn;
	unsigned int order;
};

static uint64_t folio_pages(const struct folio *f)
{
	return UINT64_C(1) << f->order;
}

static bool find_folio(struct ms_mapping *mapping, uint64_t index, struct folio *f)
{
	struct ms_machine *m = mapping->machine;
	ms_pfn_t pfn = ms_cache_find(mapping, index);

	if (!pfn)
		return false;
	*f = (struct folio){
		.mapping = mapping,
		.pfn = ms_folio_head(m, pfn),
		.order = ms_folio_order(m, pfn),
	};
	f->index = index - (pfn - f->pfn);
	return true;
}

/* The cache has one reference for each page; every further one is an entry's. */
static bool is_mapped(const struct folio *f)
{
	return ms_pfn_to_page(f->mapping->machine, f->pfn)->refcount > folio_pages(f);
}

static void remove_index(struct ms_mapping *mapping, uint64_t index)
{
	ms_pfn_t pfn = ms_cache_find(mapping, index);

	if (!pfn)
		return;
	ms_cache_set(mapping, index, 0);
	ms_page_put(mapping->machine, pfn, 1);
}

/* ---- unmapping a folio everywhere ---- */

static void unmap_entry(struct ms_vma *vma, uint64_t *slot, ms_hva_t addr, unsigned int level,
			void *arg)
{
	const struct folio *f = arg;
	uint64_t entry = *slot;
	ms_pfn_t pfn = ms_pte_pfn(ms_vma_machine(vma), entry);

	(void)addr;
	if ((entry & MS_PTE_SPECIAL) || pfn < f->pfn || pfn >= f->pfn + folio_pages(f))
		return;
	*slot = 0;
	ms_drop_leaf(vma, entry, level);
}

// mirrors try_to_unmap_one(), mm/rmap.c, 5.10+
static void unmap_from(struct folio *f, struct ms_vma *vma)
{
	const struct ms_machine *m = f->mapping->machine;
	unsigned int level;
	ms_hva_t start, end;

	ms_vma_shows(vma, f->index, f->index + folio_pages(f) - 1, &start, &end);
	// split_huge_pmd_address(), up to 6.10: wherever there is a PMD table
	if (m->policy.folio_unmap_notify == MS_FOLIO_UNMAP_NOTIFY_PMD_AND_RANGE) {
		ms_pt_walk(vma->vm_mm, start, &level);
		if (level >= MS_LEVEL_PMD)
			ms_split_huge_pmd(vma, start);
	}
	ms_notify_start(vma->vm_mm, start, end, MS_NOTIFY_CLEAR);
	ms_pt_for_each_leaf(vma, start, end, unmap_entry, f);
	ms_notify_end(vma->vm_mm, start, end, MS_NOTIFY_CLEAR);
}

/*
 * Unmaps from one VMA after another, in the order of the tree, until nobody maps the folio. The
 * first VMA's notifiers are called even if it does not map it.
 * mirrors unmap_page(), mm/huge_memory.c, 5.10 .. 5.10; unmap_folio(), mm/huge_memory.c, 6.1+
 */
static void unmap_folio(struct folio *f)
{
	uint64_t last = f->index + folio_pages(f) - 1;
	struct ms_vma *vma;

	for (vma = ms_i_mmap_first(f->mapping, f->index, last); vma;
	     vma = ms_i_mmap_next(vma, f->index, last)) {
		unmap_from(f, vma);
		if (!is_mapped(f))
			return;
	}
}

/* Has a process an entry for it? is_mapped() counts who holds a reference without one, too. */
static bool has_entry(const struct folio *f)
{
	const uint64_t last = f->index + folio_pages(f) - 1;
	const struct ms_machine *m = f->mapping->machine;
	struct ms_vma *vma;

	if (!is_mapped(f))
		return false;
	for (vma = ms_i_mmap_first(f->mapping, f->index, last); vma;
	     vma = ms_i_mmap_next(vma, f->index, last)) {
		ms_hva_t addr, end;
		unsigned int level;

		ms_vma_shows(vma, f->index, last, &addr, &end);
		for (; addr < end; addr += m->page_size) {
			const uint64_t entry = ms_pt_walk(vma->vm_mm, addr, &level);
			const ms_pfn_t pfn = ms_pte_pfn(m, entry);

			if ((entry & MS_PTE_PRESENT) && !(entry & MS_PTE_SPECIAL) &&
			    pfn >= f->pfn && pfn < f->pfn + folio_pages(f))
				return true;
		}
	}
	return false;
}

/*
 * A hook has let a fault around a page outside of the hole map this one again. With the lock of the
 * folio nobody does so a second time.
 * mirrors truncate_cleanup_page(), mm/truncate.c, 5.10 .. 5.15; truncate_cleanup_folio(),
 * mm/truncate.c, 5.16+
 */
static void unmap_again(const struct folio *f)
{
	struct ms_machine *m = f->mapping->machine;
	const struct ms_folio_lock lock = {
		.outer = m->processes->folio_locks,
		.mapping = f->mapping,
		.first = f->index,
		.end = f->index + folio_pages(f),
	};

	m->processes->folio_locks = &lock;
	ms_unmap_mapping_range(LIST_FIRST(&f->mapping->files), f->index << m->page_shift,
			       folio_pages(f) << m->page_shift, false);
	m->processes->folio_locks = lock.outer;
}

/* ---- splitting ---- */

/* Splits into halves, and the half with page `at` into halves again, down to that page alone.
 * mirrors __split_unmapped_folio(), mm/huge_memory.c, 7.2+ */
static bool split_around(struct ms_machine *m, ms_pfn_t pfn, unsigned int order, ms_pfn_t at)
{
	while (order) {
		if (!ms_page_split(m, pfn, --order))
			return false;
		if (at >= pfn + (UINT64_C(1) << order))
			pfn += UINT64_C(1) << order;
	}
	return true;
}

/* The parts of a huge page that lie beyond the end of the file leave the cache. */
static void drop_beyond_end(const struct folio *f)
{
	uint64_t end = ms_mapping_pages(f->mapping);
	struct folio part = { .order = 0 };

	for (uint64_t i = f->index; i < f->index + folio_pages(f); i += folio_pages(&part)) {
		find_folio(f->mapping, i, &part);
		for (uint64_t j = i; i >= end && j < i + folio_pages(&part); j++)
			remove_index(f->mapping, j);
	}
}

/*
 * `at`: the page where the hole begins or ends.
 * mirrors split_huge_page_to_list(), mm/huge_memory.c, 5.10 .. 6.1;
 * split_huge_page_to_list_to_order(), mm/huge_memory.c, 6.12 .. 6.12; folio_split(),
 * mm/huge_memory.c, 7.2+
 */
static bool split_folio(struct folio *f, uint64_t at)
{
	struct ms_machine *m = f->mapping->machine;

	unmap_folio(f);
	if (m->policy.folio_split == MS_FOLIO_SPLIT_PAGES
		    ? !ms_page_split(m, f->pfn, 0)
		    : !split_around(m, f->pfn, f->order, f->pfn + (at - f->index)))
		return false;
	drop_beyond_end(f);
	return true;
}

/*
 * Splits the folio of page `index` where [first, end) cuts it.
 * mirrors shmem_punch_compound(), mm/shmem.c, 5.10 .. 5.16; truncate_inode_partial_folio(),
 * mm/truncate.c, 5.17+
 */
static void split_partial(struct ms_mapping *mapping, uint64_t index, uint64_t first, uint64_t end)
{
	struct folio f;
	uint64_t from, to;

	if (!find_folio(mapping, index, &f) || !f.order)
		return;
	from = ms_max_u64(first, f.index);
	to = ms_min_u64(end, f.index + folio_pages(&f));
	if (to - from == folio_pages(&f) || !split_folio(&f, from))
		return;
	if (to < f.index + folio_pages(&f) && find_folio(mapping, to, &f) && f.order)
		split_folio(&f, to);
}

/*
 * Folios that the borders of [first, end) cut are split, then every folio inside is removed. A
 * folio that could not be split for lack of memory stays whole.
 * mirrors shmem_undo_range(), mm/shmem.c, 5.10+
 */
static void undo_range(struct ms_mapping *mapping, uint64_t first, uint64_t end)
{
	struct folio f;
	bool same = find_folio(mapping, first, &f) && end <= f.index + folio_pages(&f);
	bool found = false;

	split_partial(mapping, first, first, end);
	if (!same)
		split_partial(mapping, end - 1, first, end);
	for (uint64_t i = first; i < end; i++) {
		if (!find_folio(mapping, i, &f))
			continue;
		found = true;
		if (f.index >= first && f.index + folio_pages(&f) <= end) {
			if (has_entry(&f))
				unmap_again(&f);
			for (uint64_t j = 0; j < folio_pages(&f); j++)
				remove_index(mapping, i + j);
		}
		i = f.index + folio_pages(&f) - 1;
	}
	// pagevec_release(), folio_batch_release()
	if (found)
		ms_lru_drain(mapping->machine);
}

/* With FALLOC_FL_PUNCH_HOLE.
 * mirrors shmem_fallocate(), mm/shmem.c, 5.10+ */
int ms_shmem_punch_hole(struct ms_file *file, uint64_t off, uint64_t len)
{
	struct ms_mapping *mapping = file->mapping;
	uint64_t page_size = file->machine->page_size;
	unsigned int shift = file->machine->page_shift;
	uint64_t start = ms_align_up(off, page_size), end = ms_align_down(off + len, page_size);
	uint64_t cached = (uint64_t)mapping->nr_chunks * MS_CACHE_CHUNK;

	if (off + len < off)
		return ms_refuse_wrap(file->machine, -EINVAL, off, len);
	if (end <= start)
		return 0;
	// the inode's lock, and those of the folios
	if (mapping->hole_end)
		return ms_refuse(file->machine, -EBUSY, "a hole is being made in the file");
	if (ms_folio_is_locked(mapping, start >> shift, end >> shift, 1))
		return ms_refuse(file->machine, -EBUSY,
				 "a hook's caller holds a page of the file in %x-%x", start, end);
	mapping->hole_first = start >> shift;
	mapping->hole_end = end >> shift;
	ms_unmap_mapping_range(file, start, end - start, false);
	end = ms_min_u64(end >> shift, cached);
	if (start >> shift < end)
		undo_range(mapping, start >> shift, end);
	mapping->hole_first = mapping->hole_end = 0;
	return 0;
}
