/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The queue of new pages to the LRU lists, which counts up to 5.15: a queued page has one holder
 * more. mlock takes pages off their list and queues them anew, once each (PageMlocked). Left out:
 * that munlock looks for another locked VMA of the page, and what loses its last entry by other
 * ways than munmap.
 */
#include "flat.h"

void flat_lru_add(struct flat *f, unsigned int frame)
{
	f->lru[f->lrus++] = frame;
	// a huge page does not wait
	if (f->lrus == 15 || f->folio[frame])
		flat_lru_drain(f);
}

void flat_lru_drain(struct flat *f)
{
	f->lrus = 0;
}

bool flat_queued(const struct flat *f, unsigned int frame)
{
	for (unsigned int i = 0; i < f->lrus; i++)
		if (f->lru[i] == frame)
			return true;
	return false;
}

/* The page's frame, where it is one that a list may have; 0: none. */
static unsigned int listed(const struct flat *f, const struct entry *e)
{
	if (e->kind != E_FRAME && e->kind != E_CACHE)
		return 0;
	return f->folio[e->what] ? 0 : (unsigned int)e->what;
}

/* follow_page_pte() with FOLL_MLOCK */
void flat_mlock_page(struct flat *f, const struct process *p, unsigned int page)
{
	unsigned int frame = listed(f, &p->e[page]);

	if (!frame || !(p->a[page].flags & MS_VM_LOCKED))
		return;
	flat_lru_drain(f);
	if (!f->mlocked[frame])
		flat_lru_add(f, frame);
	f->mlocked[frame] = true;
}

/* __munlock_pagevec(): of pages that are not on a list the queue is emptied. */
static void munlock_batch(struct flat *f, const unsigned int *frame, unsigned int n)
{
	bool isolated[15], skips = false;

	for (unsigned int i = 0; i < n; i++) {
		isolated[i] = f->mlocked[frame[i]] && !flat_queued(f, frame[i]);
		f->mlocked[frame[i]] = false;
		skips |= !isolated[i];
	}
	if (skips)
		flat_lru_drain(f);
	for (unsigned int i = 0; i < n; i++)
		if (isolated[i] && flat_users(f, frame[i]) > 1)
			flat_lru_add(f, frame[i]);
}

/* munlock_vma_pages_range(): up to 15 neighbours of one table at a time */
void flat_munlock(struct flat *f, const struct process *p, unsigned int at, unsigned int end)
{
	unsigned int batch[15], n = 0;

	if (f->policy->anon_reuse != MS_ANON_REUSE_SOLE_REFERENCE)
		return;
	for (; at < end; at++) {
		unsigned int frame = listed(f, &p->e[at]);

		if (n == 15 || !frame || at % BLOCK == 0) {
			munlock_batch(f, batch, n);
			n = 0;
		}
		if (frame)
			batch[n++] = frame;
	}
	munlock_batch(f, batch, n);
}

/* munmap's munlock, after which the queue is emptied anyhow. */
void flat_unmark(struct flat *f, const struct process *p, unsigned int at, unsigned int end)
{
	for (; at < end; at++)
		if (p->a[at].flags & MS_VM_LOCKED && listed(f, &p->e[at]))
			f->mlocked[p->e[at].what] = false;
}

/* A copy for a locked VMA. What it was copied from is let go of, as munlock_vma_page() does. */
void flat_lock_copy(struct flat *f, unsigned int frame, const struct entry *old)
{
	unsigned int other = listed(f, old);

	f->mlocked[frame] = true;
	if (!other || !f->mlocked[other])
		return;
	f->mlocked[other] = false;
	if (!flat_queued(f, other))
		flat_lru_add(f, other);
}
