/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When two VMAs become one (vma_merge, mmap_region and their successors in mm/vma.c):
 *
 *	prev |======|  range |======|  next |======|
 *
 * equal flags, file, offsets that go on, nothing special, and anon_vmas that fit.
 */
#include "flat.h"

#include <errno.h>

#define IGNORED MS_VM_SOFTDIRTY

/*
 * is_mergeable_anon_vma: a neighbour joins a range whose anon_vma is `anon`. A chain of more than
 * one was inherited at fork.
 */
static bool anon_fits(const struct flat *f, const struct area *neighbour, unsigned int anon,
		      const struct range *r)
{
	const enum ms_policy_anon_merge_untouched rule = f->policy->anon_merge_untouched;

	if (neighbour->anon && !anon)
		return neighbour->chain == 1;
	if (!neighbour->anon && anon)
		return rule != MS_ANON_MERGE_UNTOUCHED_TARGET_TOUCHED_ONLY &&
		       (r->parent_chain < 2 ||
			(!r->existing && rule == MS_ANON_MERGE_UNTOUCHED_ANY_IF_MOVED));
	return neighbour->anon == anon;
}

static bool alike(const struct area *a, const struct area *b)
{
	return a->vma && !((a->flags ^ b->flags) & ~IGNORED) && a->file == b->file;
}

/* needs_adjacent_anon_pgoff: b is `distance` pages ahead of a */
static bool offsets_go_on(const struct flat *f, const struct area *a, const struct area *b,
			  uint64_t distance)
{
	if (a->pgoff + distance != b->pgoff)
		return false;
	return f->policy->private_file_merge == MS_PRIVATE_FILE_MERGE_FILE_OFFSET || !a->file ||
	       !flat_cow(a) || a->anon_pgoff + distance == b->anon_pgoff;
}

static const struct area *prev_of(const struct flat *f, const struct process *p,
				  const struct range *r)
{
	const struct area *prev = r->at ? &p->a[r->at - 1] : NULL;

	if (!prev || r->not_prev || !alike(prev, &r->a) || !offsets_go_on(f, prev, &r->a, 1))
		return NULL;
	// the range begins inside of its VMA
	if (r->existing && prev->vma == p->a[r->at].vma)
		return NULL;
	return prev;
}

static const struct area *next_of(const struct flat *f, const struct process *p,
				  const struct range *r)
{
	const struct area *next = r->end < PAGES ? &p->a[r->end] : NULL;

	if (!next || r->not_next || !alike(next, &r->a) ||
	    !offsets_go_on(f, &r->a, next, r->end - r->at))
		return NULL;
	if (r->existing && next->vma == p->a[r->end - 1].vma)
		return NULL;
	return next;
}

/* Linux 6.1's own attempt of a new range: the next VMA first, the other by what that one has. */
static bool next_first(const struct flat *f, const struct range *r, const struct area **prev,
		       const struct area **next)
{
	if (*next && !anon_fits(f, *next, r->a.anon, r))
		*next = NULL;
	if (*prev && !anon_fits(f, *prev, *next ? (*next)->anon : r->a.anon, r))
		*prev = NULL;
	return *prev || *next;
}

static bool both(const struct flat *f, const struct range *r, const struct area **prev,
		 const struct area **next)
{
	if (*prev && !anon_fits(f, *prev, r->a.anon, r))
		*prev = NULL;
	if (*next && !anon_fits(f, *next, r->a.anon, r))
		*next = NULL;
	if (*prev && *next && (*prev)->anon && (*next)->anon && (*prev)->anon != (*next)->anon)
		*next = NULL;
	return *prev || *next;
}

static void give_anon(struct range *r, const struct area *from)
{
	if (from && from->anon && !r->a.anon) {
		r->a.anon = from->anon;
		r->a.chain = from->chain;
	}
}

/* All pages from `at` to `end` become one VMA that goes on as r begins. */
static void paint(struct process *p, const struct range *r, unsigned int at, unsigned int end,
		  unsigned int vma)
{
	for (unsigned int i = at; i < end; i++) {
		p->a[i] = flat_page_of(r->a, (int64_t)i - (int64_t)r->at);
		p->a[i].vma = vma;
	}
}

/*
 * Merges the range with what is beside it. false: nothing fits, nothing was done. The range's pages
 * must be empty, or its own.
 */
bool flat_merge(struct flat *f, struct process *p, struct range *r)
{
	bool strict =
		r->fresh && f->policy->anon_hole_merge == MS_ANON_HOLE_MERGE_NEXT_FIRST_STRICT;
	const struct area *prev = prev_of(f, p, r), *next = next_of(f, p, r);
	unsigned int at, end, vma;

	if (flat_special(&r->a))
		return false;
	if (!(strict ? next_first : both)(f, r, &prev, &next))
		return false;
	at = prev ? flat_first(p, r->at - 1) : r->at;
	end = next ? flat_end(p, r->end) : r->end;
	vma = prev ? prev->vma : next->vma;
	if (r->existing && !next)
		flat_border(f, p, r->end);
	if (r->existing && !prev)
		flat_border(f, p, r->at);
	give_anon(r, prev);
	give_anon(r, next);
	paint(p, r, at, end, vma);
	return true;
}

/*
 * vma_modify: pages of one VMA get other flags, in a VMA of their own if they merge with none.
 * -EINVAL: a huge page would be cut.
 */
int flat_modify(struct flat *f, struct process *p, unsigned int at, unsigned int end,
		uint64_t flags)
{
	struct range r = { .a = p->a[at],
			   .at = at,
			   .end = end,
			   .existing = true,
			   .parent_chain = p->a[at].chain };

	r.a.flags = flags;
	if (flat_merge(f, p, &r))
		return 0;
	if (flat_bad_cut(p, at))
		return -EINVAL;
	flat_split(f, p, at, true);
	if (flat_bad_cut(p, end))
		return -EINVAL;
	flat_split(f, p, end, false);
	for (; at < end; at++)
		p->a[at].flags = flags;
	return 0;
}
