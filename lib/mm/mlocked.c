/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PageMlocked up to 5.17: mlock brings a page to its LRU list, takes it off that list, and queues
 * it again, once. munlock puts it back. The queue holds a reference to the page, which matters when
 * a write tests whether the page has only one holder (policy anon_reuse).
 *
 * Not modelled: munlock marks a page again that another locked VMA maps (try_to_munlock()).
 */
#include "mm/pgtable.h"

static bool matters(const struct ms_machine *m)
{
	return m->policy.anon_reuse == MS_ANON_REUSE_SOLE_REFERENCE;
}

/* The page of an entry, if it is one that has a place of its own on an LRU list; else NULL. */
static struct ms_page *listed_page(struct ms_machine *m, uint64_t entry)
{
	struct ms_page *page;

	if (!ms_pte_present(entry) || (entry & MS_PTE_SPECIAL))
		return NULL;
	page = ms_pfn_to_page(m, ms_pte_pfn(m, entry));
	return page && !page->order ? page : NULL;
}

// mirrors mlock_vma_page(), mm/mlock.c, 5.10 .. 5.10
void ms_mlock_page(const struct ms_vma *vma, ms_hva_t addr)
{
	struct ms_machine *m = ms_vma_machine(vma);
	unsigned int level;
	uint64_t entry = ms_pt_walk(vma->vm_mm, addr, &level);
	struct ms_page *page = level == MS_LEVEL_PTE ? listed_page(m, entry) : NULL;

	if (!page)
		return;
	ms_lru_drain(m);
	if (!(page->flags & MS_PG_MLOCKED))
		ms_lru_add(m, ms_pte_pfn(m, entry));
	page->flags |= MS_PG_MLOCKED;
}

// mirrors PAGEVEC_SIZE, include/linux/pagevec.h, 5.10 .. 6.8
#define BATCH 15u

/* Pages that follow each other in one table. */
struct batch {
	ms_hva_t next; // the address after the last of them
	unsigned int n;
	ms_pfn_t pfn[BATCH];
};

/* Of a page that is in no queue: does more than one entry map it? (page_mapcount() > 1) */
static bool is_shared(const struct ms_page *page)
{
	const uint32_t file = page->flags & MS_PG_ANON ? 0 : 1;

	return page->refcount > 1 + file;
}

/* If a page was on no list, the queue is emptied at the end (pagevec_release()).
 * mirrors __munlock_pagevec(), mm/mlock.c, 5.10 .. 5.10 */
static void munlock_batch(struct ms_machine *m, struct batch *b)
{
	bool isolated[BATCH], skips = false;

	for (unsigned int i = 0; i < b->n; i++) {
		struct ms_page *page = ms_pfn_to_page(m, b->pfn[i]);

		isolated[i] = (page->flags & MS_PG_MLOCKED) && !ms_lru_is_new(m, b->pfn[i]);
		page->flags &= (uint8_t)~MS_PG_MLOCKED;
		skips |= !isolated[i];
	}
	if (skips)
		ms_lru_drain(m);
	for (unsigned int i = 0; i < b->n; i++)
		if (isolated[i] && is_shared(ms_pfn_to_page(m, b->pfn[i])))
			ms_lru_add(m, b->pfn[i]);
	b->n = 0;
}

// mirrors __munlock_pagevec_fill(), mm/mlock.c, 5.10 .. 5.10
static void munlock_leaf(struct ms_vma *vma, uint64_t *slot, ms_hva_t addr, unsigned int level,
			 void *arg)
{
	struct ms_machine *m = ms_vma_machine(vma);
	struct batch *b = arg;

	if (b->n == BATCH || addr != b->next || ms_aligned(addr, ms_pmd_size(m)))
		munlock_batch(m, b);
	if (level != MS_LEVEL_PTE || !listed_page(m, *slot))
		return;
	b->pfn[b->n++] = ms_pte_pfn(m, *slot);
	b->next = addr + m->page_size;
}

// mirrors munlock_vma_pages_range(), mm/mlock.c, 5.10 .. 5.10
void ms_munlock_range(struct ms_vma *vma, ms_hva_t start, ms_hva_t end)
{
	struct batch b = { 0 };

	if (!matters(ms_vma_machine(vma)))
		return;
	ms_pt_for_each_leaf(vma, start, end, munlock_leaf, &b);
	munlock_batch(ms_vma_machine(vma), &b);
}

// mirrors munlock_vma_page(), mm/mlock.c, 5.10 .. 5.10
void ms_munlock_copied(struct ms_machine *m, uint64_t entry)
{
	struct ms_page *page = matters(m) ? listed_page(m, entry) : NULL;

	if (!page || !(page->flags & MS_PG_MLOCKED))
		return;
	page->flags &= (uint8_t)~MS_PG_MLOCKED;
	if (!ms_lru_is_new(m, ms_pte_pfn(m, entry)))
		ms_lru_add(m, ms_pte_pfn(m, entry));
}
