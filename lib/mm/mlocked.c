/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PageMlocked up to 5.17, mm/mlock.c: mlock takes a page off the LRU list that it had to reach
 * first, and queues it anew, once. munlock puts it back. What is queued has one holder more, which
 * counts where a write asks whether a page is its own (policy anon_reuse).
 *
 * Not modelled: munlock marks a page again that another locked VMA maps (try_to_munlock()).
 */
#include "mm/internal.h"

static bool matters(const struct ms_machine *m)
{
	return m->policy.anon_reuse == MS_ANON_REUSE_SOLE_REFERENCE;
}

/* A page that is on a list by itself; NULL: none. */
static struct ms_page *listed_page(struct ms_machine *m, uint64_t entry)
{
	struct ms_page *page;

	if (!ms_pte_present(entry) || (entry & MS_PTE_SPECIAL))
		return NULL;
	page = ms_pfn_to_page(m, ms_pte_pfn(m, entry));
	return page && !page->order ? page : NULL;
}

void ms_lru_add_new(const struct ms_vma *vma, ms_pfn_t pfn)
{
	struct ms_machine *m = ms_vma_machine(vma);
	struct ms_page *page = matters(m) ? ms_pfn_to_page(m, pfn) : NULL;

	if (page && (vma->vm_flags & (MS_VM_LOCKED | MS_VM_SPECIAL)) == MS_VM_LOCKED)
		page->flags |= MS_PG_MLOCKED;
	ms_lru_add(m, pfn);
}

/* mlock_vma_page() */
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

/* Neighbouring pages of one table. */
struct batch {
	ms_hva_t next; // the address after the last of them
	unsigned int n;
	ms_pfn_t pfn[MS_LRU_QUEUE];
};

/* page_mapcount() > 1, of a page that is not queued */
static bool is_shared(const struct ms_page *page)
{
	const uint32_t file = page->flags & MS_PG_ANON ? 0 : 1;

	return page->refcount > 1 + file;
}

/* __munlock_pagevec(): pages that were on no list let go of the queue (pagevec_release()) */
static void munlock_batch(struct ms_machine *m, struct batch *b)
{
	bool isolated[MS_LRU_QUEUE], skips = false;

	for (unsigned int i = 0; i < b->n; i++) {
		struct ms_page *page = ms_pfn_to_page(m, b->pfn[i]);

		isolated[i] = (page->flags & MS_PG_MLOCKED) && !ms_lru_queued(m, b->pfn[i]);
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

static void munlock_leaf(struct ms_vma *vma, uint64_t *slot, ms_hva_t addr, unsigned int level,
			 void *arg)
{
	struct ms_machine *m = ms_vma_machine(vma);
	struct batch *b = arg;

	if (b->n == MS_LRU_QUEUE || addr != b->next || ms_aligned(addr, ms_pmd_size(m)))
		munlock_batch(m, b);
	if (level != MS_LEVEL_PTE || !listed_page(m, *slot))
		return;
	b->pfn[b->n++] = ms_pte_pfn(m, *slot);
	b->next = addr + m->page_size;
}

void ms_munlock_range(struct ms_vma *vma, ms_hva_t start, ms_hva_t end)
{
	struct batch b = { 0 };

	if (!matters(ms_vma_machine(vma)))
		return;
	ms_pt_for_each_leaf(vma, start, end, munlock_leaf, &b);
	munlock_batch(ms_vma_machine(vma), &b);
}

void ms_munlock_copied(struct ms_machine *m, uint64_t entry)
{
	struct ms_page *page = matters(m) ? listed_page(m, entry) : NULL;

	if (!page || !(page->flags & MS_PG_MLOCKED))
		return;
	page->flags &= (uint8_t)~MS_PG_MLOCKED;
	if (!ms_lru_queued(m, ms_pte_pfn(m, entry)))
		ms_lru_add(m, ms_pte_pfn(m, entry));
}
