/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The queue of new pages to the LRU lists, mm/swap.c. It holds a reference to each page, which up
 * to 5.15 makes a write to a fresh page copy it (do_wp_page() wants the only reference). Later
 * kernels drain the queue before they judge.
 */
#include "mm/internal.h"

void ms_lru_add(struct ms_machine *m, ms_pfn_t pfn)
{
	if (m->policy.anon_reuse != MS_ANON_REUSE_SOLE_REFERENCE)
		return;
	ms_page_get(m, pfn, 1);
	m->lru.pfn[m->lru.count++] = pfn;
	if (m->lru.count == MS_LRU_QUEUE || ms_pfn_to_page(m, pfn)->order)
		ms_lru_drain(m);
}

bool ms_lru_queued(const struct ms_machine *m, ms_pfn_t pfn)
{
	for (unsigned int i = 0; i < m->lru.count; i++)
		if (m->lru.pfn[i] == pfn)
			return true;
	return false;
}

/*
 * pagevec_lru_move_fn() of lru_lazyfree: a queue of its own, in which a page may still be on its
 * list, so that nobody who judges its references empties the queue first.
 */
static void drain_lazyfree(struct ms_machine *m)
{
	while (m->lazyfree.count)
		ms_page_put(m, m->lazyfree.pfn[--m->lazyfree.count], 1);
}

void ms_lru_lazyfree(struct ms_machine *m, ms_pfn_t pfn)
{
	struct ms_page *page = ms_pfn_to_page(m, pfn);

	if (m->policy.lazyfree_queue == MS_LAZYFREE_QUEUE_OFF_LIST || !page || page->order ||
	    (page->flags & (MS_PG_ANON | MS_PG_LAZYFREE)) != MS_PG_ANON)
		return;
	page->flags |= MS_PG_LAZYFREE;
	ms_page_get(m, pfn, 1);
	m->lazyfree.pfn[m->lazyfree.count++] = pfn;
	if (m->lazyfree.count ==
	    (m->policy.lazyfree_queue == MS_LAZYFREE_QUEUE_ON_LIST_15 ? 15 : MS_LAZYFREE_QUEUE))
		drain_lazyfree(m);
}

void ms_lru_drain(struct ms_machine *m)
{
	drain_lazyfree(m);
	while (m->lru.count)
		ms_page_put(m, m->lru.pfn[--m->lru.count], 1);
}
