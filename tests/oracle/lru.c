/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The queues to the LRU lists: a queued page has one holder more. Up to 5.17 mlock takes pages off
 * their list and queues them anew, once each (PageMlocked); later it has a queue of its own. Left
 * out: that munlock looks for another locked VMA of the page, and what loses its last entry by
 * other ways than munmap, both up to 5.17.
 */
#include "flat.h"

static unsigned int room(const struct flat *f)
{
	return f->policy->lru_queue == MS_LRU_QUEUE_PAGES_15 ? 15 : 31;
}

void flat_lru_add(struct flat *f, unsigned int frame)
{
	f->lru[f->lrus++] = frame;
	// a huge page does not wait
	if (f->lrus == room(f) || f->folio[frame])
		f->lrus = 0;
}

void flat_lru_drain(struct flat *f)
{
	f->lrus = f->mlocks = 0;
}

/* lru_add_drain() where something is unmapped */
void flat_unmap_drain(struct flat *f)
{
	if (f->policy->unmap_drains == MS_UNMAP_DRAINS_YES)
		flat_lru_drain(f);
}

static bool mlock_has_queue(const struct flat *f, const struct area *a)
{
	return f->policy->anon_reuse == MS_ANON_REUSE_EXCLUSIVE && a->flags & MS_VM_LOCKED;
}

static void mlock_add(struct flat *f, unsigned int frame, bool fresh)
{
	f->mlock[f->mlocks].frame = frame;
	f->mlock[f->mlocks++].fresh = fresh;
	if (f->mlocks == room(f))
		f->mlocks = 0;
}

static unsigned int in_mlock(const struct flat *f, unsigned int frame, bool fresh)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < f->mlocks; i++)
		n += f->mlock[i].frame == frame && f->mlock[i].fresh == fresh;
	return n;
}

/* lru_cache_add_inactive_or_unevictable() */
void flat_lru_add_copy(struct flat *f, const struct area *a, unsigned int frame)
{
	if (mlock_has_queue(f, a) && !flat_special(a))
		mlock_add(f, frame, true);
	else
		flat_lru_add(f, frame);
}

/* wp_can_reuse_anon_folio() of a small page, from 5.18 on */
bool flat_is_sole(struct flat *f, unsigned int frame)
{
	const bool off_list = flat_queued(f, frame) || in_mlock(f, frame, true);
	const unsigned int held = flat_users(f, frame) + off_list + in_mlock(f, frame, false);

	if (held > (f->policy->wp_drain == MS_WP_DRAIN_UP_TO_THREE ? 3u : 1u + off_list))
		return false;
	if (off_list)
		flat_lru_drain(f);
	return flat_users(f, frame) + in_mlock(f, frame, false) == 1;
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

/* munlock_vma_folio(): an entry of a locked VMA goes. */
void flat_left(struct flat *f, const struct area *a, const struct entry *e)
{
	const unsigned int frame = listed(f, e);

	if (frame && mlock_has_queue(f, a))
		mlock_add(f, frame, false);
}

/* follow_page_pte() with FOLL_MLOCK */
void flat_mlock_page(struct flat *f, const struct process *p, unsigned int page)
{
	unsigned int frame = listed(f, &p->e[page]);

	if (!frame || !(p->a[page].flags & MS_VM_LOCKED) || mlock_has_queue(f, &p->a[page]))
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

	if (f->policy->anon_reuse != MS_ANON_REUSE_SOLE_REFERENCE)
		return;
	f->mlocked[frame] = true;
	if (!other || !f->mlocked[other])
		return;
	f->mlocked[other] = false;
	if (!flat_queued(f, other))
		flat_lru_add(f, other);
}
