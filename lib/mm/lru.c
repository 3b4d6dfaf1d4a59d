/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The queues in which pages wait for their LRU lists. The queue of new pages holds a reference to
 * each, so that up to 5.17 a write to a fresh page that is write-protected copies it:
 * do_wp_page() wants to be the only holder. Later kernels empty the queue before they look.
 */
#include "mm/internal.h"

// mirrors lru_cache_add(), mm/swap.c, 5.10 .. 5.10
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
 * The queue of MADV_FREE. Its pages may still be on an LRU list, so the test whether a page has
 * only one holder does not empty this queue first.
 * mirrors pagevec_lru_move_fn(), mm/swap.c, 5.10 .. 5.10; folio_batch_move_lru(), mm/swap.c,
 * 6.1 .. 7.2; folio_batch_move_lru(), mm/folio.c, 7.3+
 */
static void drain_lazyfree(struct ms_machine *m)
{
	while (m->processes->lazyfree.count)
		ms_page_put(m, m->processes->lazyfree.pfn[--m->processes->lazyfree.count], 1);
}

/* mirrors mark_page_lazyfree(), mm/swap.c, 5.10 .. 6.1; folio_mark_lazyfree(), mm/swap.c,
 * 6.12 .. 7.2; folio_mark_lazyfree(), mm/folio.c, 7.3+ */
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

/* The queue of pages that become active. */
static void drain_activate(struct ms_machine *m)
{
	while (m->processes->activate.count)
		ms_page_put(m, m->processes->activate.pfn[--m->processes->activate.count], 1);
}

/* mirrors mark_page_accessed(), mm/swap.c, 5.10 .. 5.10; folio_mark_accessed(), mm/swap.c,
 * 6.1 .. 7.2; folio_mark_accessed(), mm/folio.c, 7.3+ */
void ms_lru_touched(struct ms_machine *m, ms_pfn_t pfn)
{
	struct ms_page *page = ms_pfn_to_page(m, pfn);

	if (page && !page->order && page->active < MS_LRU_ACTIVE)
		page->active++;
}

/* mirrors activate_page(), mm/swap.c, 5.10 .. 5.10; folio_activate(), mm/swap.c, 6.1 .. 7.2;
 * folio_activate(), mm/folio.c, 7.3+ */
void ms_lru_activate(struct ms_machine *m, ms_pfn_t pfn, bool is_new)
{
	struct ms_page *page = ms_pfn_to_page(m, pfn);

	if (m->policy.lru_activate != MS_LRU_ACTIVATE_QUEUED || !page || page->order ||
	    page->active == MS_LRU_ACTIVE || !(page->flags & MS_PG_ANON) ||
	    (page->flags & MS_PG_MLOCKED))
		return;
	page->active = MS_LRU_ACTIVE;
	// __lru_cache_activate_page(): a queued page will reach the right list by itself
	if (is_new || ms_lru_queued(m, pfn))
		return;
	ms_page_get(m, pfn, 1);
	m->processes->activate.pfn[m->processes->activate.count++] = pfn;
	if (m->processes->activate.count == MS_LRU_QUEUE)
		drain_activate(m);
}

// mirrors lru_add_drain(), mm/swap.c, 5.10 .. 7.2; lru_add_drain(), mm/folio.c, 7.3+
void ms_lru_drain(struct ms_machine *m)
{
	drain_activate(m);
	drain_lazyfree(m);
	while (m->processes->lru.count)
		ms_page_put(m, m->processes->lru.pfn[--m->processes->lru.count], 1);
}
