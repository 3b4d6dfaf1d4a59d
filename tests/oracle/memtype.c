/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The list of reservations, flat and in the order of debugfs: by start, equal starts as they came.
 * And who tracks what: a flag on the VMA up to 6.15, a counted context from 6.16 on.
 */
#include "flat.h"

#include <errno.h>
#include <string.h>

bool flat_tracks(const struct flat *f)
{
	return f->policy->arch == MS_ARCH_X86_64;
}

static void insert(struct flat *f, struct ms_memtype new)
{
	size_t i = f->memtypes++;

	for (; i && f->memtype[i - 1].start > new.start; i--)
		f->memtype[i] = f->memtype[i - 1];
	f->memtype[i] = new;
	if (f->memtypes == MAX_MEMTYPES)
		f->full = true;
}

static void take_out(struct flat *f, size_t i)
{
	f->memtypes--;
	for (; i < f->memtypes; i++)
		f->memtype[i] = f->memtype[i + 1];
}

enum ms_cache flat_lookup(const struct flat *f, uint64_t pa)
{
	for (size_t i = 0; i < f->memtypes; i++)
		if (f->memtype[i].start < pa + PAGE && pa < f->memtype[i].end)
			return f->memtype[i].type;
	return MS_CACHE_UC_MINUS;
}

/* memtype_reserve: the first that overlaps gives the type, all others must have it. */
int flat_reserve(struct flat *f, uint64_t start, uint64_t end, enum ms_cache want,
		 enum ms_cache *got)
{
	bool found = false;

	if (f->full)
		return -EBUSY;
	for (size_t i = 0; i < f->memtypes; i++) {
		if (f->memtype[i].start >= end || f->memtype[i].end <= start)
			continue;
		if (found && f->memtype[i].type != want)
			return -EBUSY;
		want = f->memtype[i].type;
		found = true;
	}
	insert(f, (struct ms_memtype){ start, end, want });
	*got = want;
	return 0;
}

/* memtype_free: that very range, else (up to 6.15) the tail of one. */
int flat_free(struct flat *f, uint64_t start, uint64_t end)
{
	struct ms_memtype cut;

	for (size_t i = 0; i < f->memtypes; i++) {
		if (f->memtype[i].start == start && f->memtype[i].end == end) {
			take_out(f, i);
			return 0;
		}
	}
	for (size_t i = 0; i < f->memtypes; i++) {
		cut = f->memtype[i];
		if (f->policy->memtype_free != MS_MEMTYPE_FREE_EXACT_OR_TAIL || cut.end != end ||
		    cut.start >= start)
			continue;
		take_out(f, i);
		cut.end = start;
		insert(f, cut);
		return 0;
	}
	return -EINVAL;
}

/* is_new_memtype_allowed */
static bool allowed(enum ms_cache want, enum ms_cache got)
{
	if (got == MS_CACHE_WB)
		return want != MS_CACHE_UC_MINUS && want != MS_CACHE_WC && want != MS_CACHE_WT;
	return got != MS_CACHE_WT || want != MS_CACHE_WC;
}

static int reserve_for(struct flat *f, uint64_t pfn, unsigned int len, bool strict,
		       enum ms_cache *cache)
{
	uint64_t start = pfn << 12, end = start + len * PAGE;
	enum ms_cache got;

	if (flat_reserve(f, start, end, *cache, &got))
		return -EINVAL;
	if (got != *cache && (strict || !allowed(*cache, got))) {
		flat_free(f, start, end);
		return -EINVAL;
	}
	*cache = got;
	return 0;
}

static bool counts(const struct flat *f)
{
	return f->policy->untrack_at == MS_UNTRACK_AT_LAST_VMA_FREED;
}

/* track_pfn_remap / pfnmap_track: of a whole VMA, or of a part, which holds nothing. */
int flat_track(struct flat *f, struct process *p, unsigned int at, unsigned int len, uint64_t pfn,
	       bool whole, enum ms_cache *cache)
{
	unsigned int end = flat_end(p, at);
	int err;

	if (!flat_tracks(f))
		return 0;
	if (!whole) {
		*cache = flat_lookup(f, pfn << 12);
		for (unsigned int i = 1; i < len; i++)
			if (flat_lookup(f, (pfn + i) << 12) != *cache)
				return -EINVAL;
		return 0;
	}
	err = reserve_for(f, pfn, len, false, cache);
	if (err)
		return err;
	if (counts(f)) {
		f->ctxs++;
		f->full |= f->ctxs + 1 == MAX_CONTEXTS;
		f->ctx[f->ctxs].start = pfn << 12;
		f->ctx[f->ctxs].end = (pfn + len) << 12;
	}
	for (; at < end; at++) {
		p->a[at].ctx = counts(f) ? f->ctxs : 0;
		p->a[at].flags |= counts(f) ? 0 : MS_VM_PAT;
	}
	return 0;
}

/*
 * untrack_pfn up to 6.15, of the whole VMA around a page, however little is zapped. Where the first
 * entry tells no address and the VMA is shared, the kernel warns and gives up.
 */
void flat_untrack(struct flat *f, struct process *p, unsigned int page)
{
	unsigned int first = flat_first(p, page), end = flat_end(p, page);
	const struct entry *e = &p->e[first];
	bool by_pgoff = f->policy->untrack_address == MS_UNTRACK_ADDRESS_FIRST_PTE_ELSE_PGOFF;
	uint64_t pfn = p->a[first].pgoff;

	if (!(p->a[first].flags & MS_VM_PAT))
		return;
	if (e->kind == E_PFN)
		pfn = e->what;
	else if (by_pgoff ? !flat_cow(&p->a[first]) : e->kind == E_NONE)
		return;
	if (e->kind != E_FRAME || by_pgoff)
		flat_free(f, pfn << 12, (pfn + end - first) << 12);
	for (; first < end; first++)
		p->a[first].flags &= ~MS_VM_PAT;
}

/* From 6.16 on: what no VMA of any process refers to is given back as it was reserved. */
void flat_collect(struct flat *f)
{
	bool used[MAX_CONTEXTS] = { false };

	if (!f->ctxs)
		return;
	for (unsigned int n = 0; n < PROCESSES; n++)
		for (unsigned int i = 0; f->p[n].alive && i < PAGES; i++)
			used[f->p[n].a[i].ctx] = true;
	for (unsigned int i = 1; i <= f->ctxs; i++) {
		if (used[i] || !f->ctx[i].end)
			continue;
		flat_free(f, f->ctx[i].start, f->ctx[i].end);
		f->ctx[i].end = 0;
	}
}

/* __ioremap_caller */
int flat_ioremap(struct flat *f, const struct op *op)
{
	uint64_t start = BAR_PA + op->off * PAGE, end = start + op->len * PAGE;
	enum ms_cache got = op->type;

	if (f->ioremap[op->slot].end)
		return -EINVAL;
	if (flat_tracks(f)) {
		if (flat_reserve(f, start, end, op->type, &got))
			return -ENOMEM;
		if (got != op->type && !allowed(op->type, got)) {
			flat_free(f, start, end);
			return -ENOMEM;
		}
	}
	f->ioremap[op->slot].start = start;
	f->ioremap[op->slot].end = end;
	return 0;
}

int flat_iounmap(struct flat *f, const struct op *op)
{
	if (!f->ioremap[op->slot].end)
		return -EINVAL;
	if (flat_tracks(f))
		flat_free(f, f->ioremap[op->slot].start, f->ioremap[op->slot].end);
	f->ioremap[op->slot].end = 0;
	return 0;
}
