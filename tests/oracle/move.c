/* SPDX-License-Identifier: GPL-2.0-only */
/* mremap. */
#include "flat.h"

#include <errno.h>

/* vma_to_resize / check_prep_vma: may these pages become `new_len` pages? */
static int check(const struct flat *f, const struct process *p, unsigned int at, unsigned int len,
		 unsigned int new_len, bool dontunmap)
{
	const struct area *a = &p->a[at];
	bool pfnmap = a->flags & (MS_VM_DONTEXPAND | MS_VM_PFNMAP);

	if (!a->vma)
		return -EFAULT;
	if (dontunmap &&
	    (pfnmap || (f->policy->mremap_dontunmap == MS_MREMAP_DONTUNMAP_PRIVATE_ANON_ONLY &&
			(a->file || a->flags & MS_VM_SHARED))))
		return -EINVAL;
	if (at + len > flat_end(p, at))
		return -EFAULT;
	return new_len > len && pfnmap ? -EFAULT : 0;
}

/* The copy of the VMA at its new place (copy_vma). Answers whether it joined its own source. */
static bool copy(struct flat *f, struct process *p, unsigned int at, unsigned int to,
		 unsigned int new_len, bool dontunmap)
{
	struct range r = {
		.a = p->a[at], .at = to, .end = to + new_len, .parent_chain = p->a[at].chain
	};
	bool untouched = !r.a.file && !r.a.anon;
	unsigned int first = flat_first(p, at), end = flat_end(p, at);
	bool merge = true;

	if (untouched)
		r.a.pgoff = (WINDOW >> 12) + to;
	if (!r.a.anon)
		r.a.anon_pgoff = (WINDOW >> 12) + to;
	if (untouched && dontunmap) {
		bool before = to + new_len == first, after = to == end;

		if (f->policy->dontunmap_self_merge == MS_DONTUNMAP_SELF_MERGE_NONE_BESIDE_SOURCE)
			merge = !before && !after;
		else if (f->policy->dontunmap_self_merge == MS_DONTUNMAP_SELF_MERGE_NO) {
			r.not_next = before;
			r.not_prev = after;
		}
	}
	if (merge && flat_merge(f, p, &r))
		return p->a[at].vma == p->a[to].vma;
	f->vmas++;
	for (unsigned int i = 0; i < new_len; i++) {
		p->a[to + i] = flat_page_of(r.a, i);
		p->a[to + i].vma = f->vmas;
		p->a[to + i].listed = 0;
	}
	return false;
}

/* MREMAP_DONTUNMAP: what stays behind, empty. */
static void left_behind(struct flat *f, struct process *p, unsigned int at, unsigned int len,
			bool joined)
{
	unsigned int first = flat_first(p, at), end = flat_end(p, at);
	bool middle = first < at && at + len < end;

	for (unsigned int i = first; i < end; i++)
		p->a[i].flags &= ~MS_VM_LOCKED;
	if (f->policy->dontunmap_account == MS_DONTUNMAP_ACCOUNT_NEXT_VMA_GAINS && middle &&
	    !joined && p->a[at].flags & MS_VM_ACCOUNT) {
		while (end < PAGES && !p->a[end].vma)
			end++;
		if (end < PAGES)
			for (unsigned int i = end, stop = flat_end(p, end); i < stop; i++)
				p->a[i].flags |= MS_VM_ACCOUNT;
		return;
	}
	if (joined || first != at || end != at + len ||
	    f->policy->dontunmap_source == MS_DONTUNMAP_SOURCE_KEEPS_ANON_VMA)
		return;
	for (unsigned int i = at; i < end; i++) {
		p->a[i].anon = p->a[i].chain = 0;
		p->a[i].anon_pgoff = (WINDOW >> 12) + i;
		if (!p->a[i].file &&
		    f->policy->dontunmap_source == MS_DONTUNMAP_SOURCE_DROPS_ANON_VMA_AND_PGOFF)
			p->a[i].pgoff = (WINDOW >> 12) + i;
	}
}

/* One step of move_page_tables: within one 2M on either side. */
static void move_step(struct flat *f, struct process *p, unsigned int at, unsigned int to,
		      unsigned int n)
{
	bool *table = &p->table[at / BLOCK], *leaf = &p->leaf[at / BLOCK];
	bool with_table;

	if (!*table && !*leaf)
		return;
	p->populated = true;
	if (*leaf && n < BLOCK)
		flat_split_leaf(f, p, at / BLOCK);
	if (!*table && !*leaf)
		return;
	with_table = n == BLOCK && *table;
	p->table[to / BLOCK] |= *table;
	p->leaf[to / BLOCK] |= *leaf;
	if (n == BLOCK)
		*table = *leaf = false;
	for (; n; n--, at++, to++) {
		p->e[to] = p->e[at];
		p->e[to].soft |= !with_table;
		p->e[at] = (struct entry){ 0 };
	}
}

/* can_align_down */
static bool begins_above_nothing(const struct process *p, unsigned int at)
{
	unsigned int base = at / BLOCK * BLOCK;

	return flat_first(p, at) == at && flat_empty(p, base, at);
}

/*
 * move_page_tables: whole tables and leaves where both sides are aligned. From 6.7 on a first part
 * above an empty rest of its table is as good as a whole one, if it goes to such a place.
 */
static void move_tables(struct flat *f, struct process *p, unsigned int at, unsigned int to,
			unsigned int len)
{
	unsigned int end = at + len;

	if (f->policy->mremap_realign == MS_MREMAP_REALIGN_TO_PMD && at % BLOCK &&
	    at % BLOCK == to % BLOCK && len >= BLOCK - at % BLOCK && begins_above_nothing(p, at) &&
	    begins_above_nothing(p, to)) {
		to -= at % BLOCK;
		at -= at % BLOCK;
	}
	flat_notify(f, p, at, end);
	while (at < end) {
		unsigned int n = BLOCK - at % BLOCK;

		n = n < BLOCK - to % BLOCK ? n : BLOCK - to % BLOCK;
		n = n < end - at ? n : end - at;
		move_step(f, p, at, to, n);
		at += n;
		to += n;
	}
}

static void move(struct flat *f, struct process *p, unsigned int at, unsigned int len,
		 unsigned int new_len, unsigned int to, bool dontunmap)
{
	bool locked = p->a[at].flags & MS_VM_LOCKED, joined;

	if (dontunmap && locked &&
	    f->policy->dontunmap_locked == MS_DONTUNMAP_LOCKED_SPLITS_FIRST) {
		flat_split(f, p, at, true);
		flat_split(f, p, at + len, false);
	}
	joined = copy(f, p, at, to, new_len, dontunmap);
	move_tables(f, p, at, to, len);
	if (p->a[at].flags & MS_VM_PFNMAP)
		for (unsigned int i = flat_first(p, at), end = flat_end(p, at); i < end; i++)
			p->a[i].flags &= ~MS_VM_PAT;
	if (dontunmap)
		left_behind(f, p, at, len, joined);
	else
		flat_unmap(f, p, at, at + len);
	if (locked)
		flat_populate(f, p, to + len, to + new_len);
}

static int64_t move_one(struct flat *f, struct process *p, const struct op *op, bool checks_first)
{
	unsigned int len = op->len;
	int err;

	if (checks_first) {
		err = check(f, p, op->at, len > op->new_len ? op->new_len : len, op->new_len,
			    op->dontunmap);
		if (err)
			return err;
	}
	flat_unmap(f, p, op->new_at, op->new_at + op->new_len);
	if (len > op->new_len) {
		flat_unmap(f, p, op->at + op->new_len, op->at + len);
		len = op->new_len;
	}
	err = check(f, p, op->at, len, op->new_len, op->dontunmap);
	if (!err)
		move(f, p, op->at, len, op->new_len, op->new_at, op->dontunmap);
	return err;
}

/* remap_move: each VMA of the range in its turn, holes as wide as they were. */
static int64_t move_each(struct flat *f, struct process *p, const struct op *op)
{
	unsigned int end = op->at + op->len, stop, last_end = op->at, to = op->new_at;
	struct op one = *op;
	int64_t err;

	if (!p->a[op->at].vma)
		return -EFAULT;
	for (unsigned int i = op->at; i < end; i = stop) {
		stop = i + 1;
		if (!p->a[i].vma)
			continue;
		stop = flat_end(p, i);
		one.at = i;
		one.new_at = to + (i - last_end);
		last_end = stop;
		stop = stop < end ? stop : end;
		one.len = one.new_len = stop - i;
		err = move_one(f, p, &one, true);
		if (err)
			return err;
		to = one.new_at + one.len;
	}
	return 0;
}

static int64_t move_to(struct flat *f, struct process *p, const struct op *op)
{
	bool overlap = op->at < op->new_at + op->new_len && op->new_at < op->at + op->len;
	bool lookup = f->policy->mremap_fixed_order == MS_MREMAP_FIXED_ORDER_LOOKUP_THEN_DEST;
	bool all = f->policy->mremap_fixed_order == MS_MREMAP_FIXED_ORDER_ALL_CHECKS_THEN_DEST;

	if (lookup && !p->a[op->at].vma)
		return -EFAULT;
	if (overlap || (op->dontunmap && op->len != op->new_len))
		return -EINVAL;
	if (op->len == op->new_len && f->policy->mremap_many_vmas == MS_MREMAP_MANY_VMAS_MOVES_EACH)
		return move_each(f, p, op);
	return move_one(f, p, op, all);
}

static int64_t grow(struct flat *f, struct process *p, const struct op *op)
{
	unsigned int end = op->at + op->len, new_end = op->at + op->new_len;
	int err = check(f, p, op->at, op->len, op->new_len, false);
	struct range r = { .at = end, .end = new_end };

	if (err)
		return err;
	if (end != flat_end(p, op->at) || new_end > PAGES || !flat_empty(p, end, new_end))
		return FLAT_SKIP; // it goes to a place of the kernel's choice
	r.a = flat_page_of(p->a[end - 1], 1);
	r.not_next = f->policy->mremap_grow_merge == MS_MREMAP_GROW_MERGE_NO;
	flat_merge(f, p, &r);
	if (p->a[op->at].flags & MS_VM_LOCKED)
		flat_populate(f, p, end, new_end);
	return 0;
}

static bool touches_hugetlb(const struct process *p, unsigned int at, unsigned int len)
{
	for (unsigned int i = at; i < PAGES && i < at + len; i++)
		if (flat_hugetlb(&p->a[i]))
			return true;
	return false;
}

int64_t flat_mremap(struct flat *f, struct process *p, const struct op *op)
{
	unsigned int most = op->len > op->new_len ? op->len : op->new_len;

	// what hugetlb adds to the order of all the checks is left out
	if (touches_hugetlb(p, op->at, most) || (op->to && touches_hugetlb(p, op->new_at, most)))
		return FLAT_SKIP;
	if (op->to)
		return move_to(f, p, op);
	if (op->new_len > op->len)
		return grow(f, p, op);
	if (!p->a[op->at].vma &&
	    f->policy->mremap_inplace_needs_vma == MS_MREMAP_INPLACE_NEEDS_VMA_YES)
		return -EFAULT;
	flat_unmap(f, p, op->at + op->new_len, op->at + op->len);
	return 0;
}
