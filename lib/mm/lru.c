/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The queues of the CPU in which pages wait for their LRU lists. Each holds a reference to its
 * pages, so that a write to a page that is write-protected may copy it: do_wp_page() wants to be
 * the only holder. Whether it empties the queues before it looks depends on the kernel (policy
 * wp_drain) and on whether the page is on its list.
 *
 * New pages are the many, and theirs is the one queue whose reference is not counted in the page:
 * who asks adds it (ms_lru_is_new()). A page may be freed and allocated anew while its number is in
 * there; then it is new again, in that queue a second time or in mlock's, or a huge page has
 * emptied the queue.
 *
 * Left out: pages of files that are used a second time, and so become active.
 */
#include "mm/lock.h"

#define REFERENCED 0x01u /* PageReferenced */
#define ACTIVE 0x02u     /* PageActive */

static bool has(const struct ms_lru_queue *queue, uint64_t what)
{
	for (unsigned int i = queue->count; i--;)
		if (queue->pfn[i] == what)
			return true;
	return false;
}

/* `what`: its pfn, maybe with MS_LRU_NEW. Answers whether the queue is full. */
static bool push(struct ms_machine *m, struct ms_lru_queue *queue, struct ms_page *page,
		 uint64_t what)
{
	ms_frame_get(m, page, what & ~MS_LRU_NEW);
	queue->pfn[queue->count++] = what;
	return queue->count >= ms_lru_room(m);
}

/* Takes a page out of a queue that counts its references. NULL: the queue was the last holder. */
static struct ms_page *pop(struct ms_machine *m, struct ms_lru_queue *queue)
{
	const ms_pfn_t pfn = queue->pfn[--queue->count] & ~MS_LRU_NEW;
	struct ms_page *page = ms_pfn_to_page(m, pfn);

	ms_frame_put(m, page, pfn);
	return page->refcount ? page : NULL;
}

/* ---- new pages ---- */

// mirrors lru_cache_add(), mm/swap.c, 5.10 .. 5.10; folio_add_lru(), mm/swap.c, 6.1 .. 7.2;
// folio_add_lru(), mm/folio.c, 7.3+
void ms_lru_add(struct ms_machine *m, ms_pfn_t pfn)
{
	struct ms_lru_queue *queue = &m->processes->lru;

	queue->pfn[queue->count++] = pfn;
	if (queue->count >= ms_lru_room(m))
		queue->count = 0;
}

void ms_lru_add_large(struct ms_machine *m)
{
	m->processes->lru.count = 0;
}

static void drain_mlock(struct ms_machine *m)
{
	while (m->processes->mlock.count)
		pop(m, &m->processes->mlock);
}

/* In a locked VMA: up to 5.17 the page goes the way of others, and is marked.
 * mirrors mlock_new_folio(), mm/mlock.c, 6.1+ */
static void add_locked(struct ms_machine *m, ms_pfn_t pfn)
{
	struct ms_page *page = ms_pfn_to_page(m, pfn);

	if (m->policy.anon_reuse == MS_ANON_REUSE_SOLE_REFERENCE) {
		page->flags |= MS_PG_MLOCKED;
		ms_lru_add(m, pfn);
	} else if (push(m, &m->processes->mlock, page, pfn | MS_LRU_NEW)) {
		drain_mlock(m);
	}
}

// mirrors lru_cache_add_inactive_or_unevictable(), mm/swap.c, 5.10 .. 6.1; folio_add_lru_vma(),
// mm/swap.c, 6.1 .. 7.2; folio_add_lru_vma(), mm/folio.c, 7.3+
void ms_lru_add_new(const struct ms_vma *vma, ms_pfn_t pfn)
{
	struct ms_machine *m = ms_vma_machine(vma);

	if ((vma->vm_flags & (MS_VM_LOCKED | MS_VM_SPECIAL)) == MS_VM_LOCKED)
		add_locked(m, pfn);
	else
		ms_lru_add(m, pfn);
}

// mirrors munlock_folio(), mm/mlock.c, 6.1+
void ms_lru_munlock(struct ms_machine *m, ms_pfn_t pfn)
{
	struct ms_page *page = ms_pfn_to_page(m, pfn);

	if (m->policy.anon_reuse == MS_ANON_REUSE_SOLE_REFERENCE || !page || page->order)
		return;
	if (push(m, &m->processes->mlock, page, pfn))
		drain_mlock(m);
}

bool ms_lru_is_new(const struct ms_machine *m, ms_pfn_t pfn)
{
	const struct ms_processes *p = m->processes;

	// one that waits for mlock has the number of another
	return has(&p->lru, pfn) && !has(&p->mlock, pfn | MS_LRU_NEW);
}

/* ms_lru_is_off_list() for a page that is not in the queue of new ones. */
static bool is_off_list(const struct ms_machine *m, ms_pfn_t pfn)
{
	const struct ms_processes *p = m->processes;

	if (has(&p->mlock, pfn | MS_LRU_NEW))
		return true;
	return m->policy.lazyfree_queue == MS_LAZYFREE_QUEUE_OFF_LIST &&
	       (has(&p->lazyfree, pfn) || has(&p->activate, pfn));
}

bool ms_lru_is_off_list(const struct ms_machine *m, ms_pfn_t pfn)
{
	return has(&m->processes->lru, pfn) || is_off_list(m, pfn);
}

/* ---- from list to list ---- */

/* A page that is given up is neither active nor referenced.
 * mirrors lru_lazyfree_fn(), mm/swap.c, 5.10 .. 6.1; lru_lazyfree(), mm/swap.c, 6.12 .. 7.2;
 * lru_lazyfree(), mm/folio.c, 7.3+ */
static void drain_lazyfree(struct ms_machine *m)
{
	while (m->processes->lazyfree.count) {
		struct ms_page *page = pop(m, &m->processes->lazyfree);

		if (page)
			page->active = 0;
	}
}

/* mirrors mark_page_lazyfree(), mm/swap.c, 5.10 .. 6.1; folio_mark_lazyfree(), mm/swap.c,
 * 6.12 .. 7.2; folio_mark_lazyfree(), mm/folio.c, 7.3+ */
void ms_lru_lazyfree(struct ms_machine *m, ms_pfn_t pfn)
{
	struct ms_page *page = ms_pfn_to_page(m, pfn);

	if (!page || page->order || (page->flags & (MS_PG_ANON | MS_PG_LAZYFREE)) != MS_PG_ANON)
		return;
	page->flags |= MS_PG_LAZYFREE;
	if (push(m, &m->processes->lazyfree, page, pfn))
		drain_lazyfree(m);
}

// mirrors __activate_page(), mm/swap.c, 5.10 .. 5.10; folio_activate_fn(), mm/swap.c, 6.1 .. 6.1;
// lru_activate(), mm/swap.c, 6.12 .. 7.2; lru_activate(), mm/folio.c, 7.3+
static void drain_activate(struct ms_machine *m)
{
	while (m->processes->activate.count) {
		struct ms_page *page = pop(m, &m->processes->activate);

		if (page)
			page->active |= ACTIVE;
	}
}

/* The head of the page, if its use matters. */
static struct ms_page *used_page(struct ms_machine *m, ms_pfn_t pfn)
{
	struct ms_page *page;

	if (m->policy.lru_activate != MS_LRU_ACTIVATE_QUEUED)
		return NULL;
	page = ms_pfn_to_page(m, pfn);
	if (page && page->order)
		page = ms_pfn_to_page(m, ms_page_head(m, pfn));
	return page && (page->flags & MS_PG_ANON) ? page : NULL;
}

void ms_lru_referenced(struct ms_machine *m, ms_pfn_t pfn)
{
	struct ms_page *page = used_page(m, pfn);

	if (page)
		page->active |= REFERENCED;
}

// mirrors activate_page(), mm/swap.c, 5.10 .. 5.10; folio_activate(), mm/swap.c, 6.1 .. 7.2;
// folio_activate(), mm/folio.c, 7.3+
static void activate(struct ms_machine *m, struct ms_page *page, ms_pfn_t pfn)
{
	if (page->order) {
		// a huge page does not wait, and neither do those that were before it
		drain_activate(m);
		page->active |= ACTIVE;
	} else if (push(m, &m->processes->activate, page, pfn)) {
		drain_activate(m);
	}
}

/* Is the page behind addr kept on its list by mlock? */
static bool is_locked(struct ms_mm *mm, ms_hva_t addr, const struct ms_page *page)
{
	const struct ms_vma *vma;

	if (page->flags & MS_PG_MLOCKED)
		return true;
	vma = ms_vma_lookup(mm, addr);
	return vma && (vma->vm_flags & MS_VM_LOCKED);
}

/* mirrors mark_page_accessed(), mm/swap.c, 5.10 .. 5.10; folio_mark_accessed(), mm/swap.c,
 * 6.1 .. 7.2; folio_mark_accessed(), mm/folio.c, 7.3+ */
void ms_lru_accessed(struct ms_mm *mm, ms_hva_t addr, ms_pfn_t pfn)
{
	struct ms_machine *m = mm->machine;
	struct ms_page *page = used_page(m, pfn);

	if (!page)
		return;
	if (!(page->active & REFERENCED)) {
		page->active |= REFERENCED;
		return;
	}
	if (page->active & ACTIVE)
		return;
	if (ms_lru_is_new(m, pfn))
		page->active |= ACTIVE; // it will reach the right list by itself
	else if (is_locked(mm, addr, page))
		return;
	else if (!is_off_list(m, pfn))
		activate(m, page, pfn);
	page->active &= (uint8_t)~REFERENCED;
}

void ms_lru_deactivate(struct ms_machine *m, ms_pfn_t pfn)
{
	struct ms_page *page = used_page(m, pfn);

	if (page)
		page->active &= (uint8_t)~ACTIVE;
}

/* ---- all queues ---- */

// mirrors lru_add_drain(), mm/swap.c, 5.10 .. 7.2; lru_add_drain(), mm/folio.c, 7.3+
void ms_lru_drain(struct ms_machine *m)
{
	m->processes->lru.count = 0;
	drain_lazyfree(m);
	drain_activate(m);
	drain_mlock(m);
}

size_t ms_lru_references(const struct ms_machine *m)
{
	const struct ms_processes *p = m->processes;

	return p->lazyfree.count + p->activate.count + p->mlock.count;
}
