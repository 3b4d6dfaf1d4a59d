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
	m->processes->lru.pfn[m->processes->lru.count++] = pfn;
	if (m->processes->lru.count == MS_LRU_QUEUE || ms_pfn_to_page(m, pfn)->order)
		ms_lru_drain(m);
}

bool ms_lru_queued(const struct ms_machine *m, ms_pfn_t pfn)
{
	for (unsigned int i = 0; i < m->processes->lru.count; i++)
		if (m->processes->lru.pfn[i] == pfn)
			return true;
	return false;
}

/*
 * pagevec_lru_move_fn() of lru_lazyfree: a queue of its own, in which a page may still be on its
 * list, so that nobody who judges its references empties the queue first.
 */
static void drain_lazyfree(struct ms_machine *m)
{
	while (m->processes->lazyfree.count)
		ms_page_put(m, m->processes->lazyfree.pfn[--m->processes->lazyfree.count], 1);
}

void ms_lru_lazyfree(struct ms_machine *m, ms_pfn_t pfn)
{
	struct ms_page *page = ms_pfn_to_page(m, pfn);

	if (m->policy.lazyfree_queue == MS_LAZYFREE_QUEUE_OFF_LIST || !page || page->order ||
	    (page->flags & (MS_PG_ANON | MS_PG_LAZYFREE)) != MS_PG_ANON)
		return;
	page->flags |= MS_PG_LAZYFREE;
	ms_page_get(m, pfn, 1);
	m->processes->lazyfree.pfn[m->processes->lazyfree.count++] = pfn;
	if (m->processes->lazyfree.count ==
	    (m->policy.lazyfree_queue == MS_LAZYFREE_QUEUE_ON_LIST_15 ? 15 : MS_LAZYFREE_QUEUE))
		drain_lazyfree(m);
}

/* The same for pagevec_lru_move_fn() of activate_page. */
static void drain_activate(struct ms_machine *m)
{
	while (m->processes->activate.count)
		ms_page_put(m, m->processes->activate.pfn[--m->processes->activate.count], 1);
}

void ms_lru_touched(struct ms_machine *m, ms_pfn_t pfn)
{
	struct ms_page *page = ms_pfn_to_page(m, pfn);

	if (page && !page->order && page->active < MS_LRU_ACTIVE)
		page->active++;
}

void ms_lru_activate(struct ms_machine *m, ms_pfn_t pfn, bool is_new)
{
	struct ms_page *page = ms_pfn_to_page(m, pfn);

	if (m->policy.lru_activate != MS_LRU_ACTIVATE_QUEUED || !page || page->order ||
	    page->active == MS_LRU_ACTIVE || !(page->flags & MS_PG_ANON) ||
	    (page->flags & MS_PG_MLOCKED))
		return;
	page->active = MS_LRU_ACTIVE;
	// __lru_cache_activate_page(): it goes to the right list at once
	if (is_new || ms_lru_queued(m, pfn))
		return;
	ms_page_get(m, pfn, 1);
	m->processes->activate.pfn[m->processes->activate.count++] = pfn;
	if (m->processes->activate.count == MS_LRU_QUEUE)
		drain_activate(m);
}

void ms_lru_drain(struct ms_machine *m)
{
	drain_activate(m);
	drain_lazyfree(m);
	while (m->processes->lru.count)
		ms_page_put(m, m->processes->lru.pfn[--m->processes->lru.count], 1);
}
