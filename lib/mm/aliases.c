/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Physical memory that is mapped with two cache types at the same time: what the memtype list is
 * there to prevent. Processes are looked at through mm.h alone.
 */
#include "pat/tracking.h"

#include <mapsim/mm.h>
#include <mapsim/pfnmap.h>

#include <stdlib.h>

/* At pa a mapping begins (by +1) or ends (by -1). */
struct border {
	ms_pa_t pa;
	enum ms_cache type;
	int by; /* +1 or -1 */
};

struct borders {
	struct border *v; /* NULL: only counted */
	size_t n;
};

static void add_mapping(struct borders *b, ms_pa_t start, ms_pa_t end, enum ms_cache type)
{
	if (b->v) {
		b->v[b->n] = (struct border){ start, type, 1 };
		b->v[b->n + 1] = (struct border){ end, type, -1 };
	}
	b->n += 2;
}

/* Entries that the hardware uses; neighbours that continue each other are one mapping. */
static void add_process(struct borders *b, const struct ms_mm *mm)
{
	ms_pa_t start = 0, end = 0;
	enum ms_cache type = MS_CACHE_WB;
	struct ms_host_leaf leaf;

	for (ms_hva_t va = 0; ms_host_next_leaf(mm, va, UINT64_MAX, &leaf);
	     va = leaf.start + leaf.size) {
		ms_pa_t pa = leaf.entry & MS_PTE_PA_MASK;

		if (!(leaf.entry & MS_PTE_PRESENT))
			continue;
		if (pa != end || ms_pgprot_cache(leaf.entry) != type) {
			add_mapping(b, start, end, type); // the first one is empty
			start = pa;
			type = ms_pgprot_cache(leaf.entry);
		}
		end = pa + leaf.size;
	}
	add_mapping(b, start, end, type);
}

static void add_ioremap(const struct ms_memtype *range, void *arg)
{
	add_mapping(arg, range->start, range->end, range->type);
}

static void add_all(struct borders *b, struct ms_machine *m)
{
	b->n = 0;
	for (const struct ms_mm *mm = ms_mm_next(m, NULL); mm; mm = ms_mm_next(m, mm))
		add_process(b, mm);
	ms_pat_walk_ioremaps(m, add_ioremap, b);
}

static int by_pa(const void *a, const void *b)
{
	const struct border *x = a, *y = b;

	return (x->pa > y->pa) - (x->pa < y->pa);
}

/* Whether the set has two types or more. */
static bool several(unsigned int types)
{
	return types & (types - 1);
}

/* Goes over the sorted borders and tells where more than one type is in use. */
static int sweep(const struct borders *b,
		 void (*fn)(const struct ms_memtype_alias *alias, void *arg), void *arg)
{
	size_t users[MS_CACHE_NGNRNE + 1] = { 0 };
	struct ms_memtype_alias alias = { 0 };
	int found = 0;

	for (size_t i = 0; i < b->n;) {
		ms_pa_t pa = b->v[i].pa;
		unsigned int types = 0;

		for (; i < b->n && b->v[i].pa == pa; i++)
			users[b->v[i].type] += (size_t)b->v[i].by;
		for (unsigned int type = 0; type <= MS_CACHE_NGNRNE; type++)
			types |= (unsigned int)(users[type] != 0) << type;
		if (types == alias.types)
			continue;
		alias.end = pa;
		if (several(alias.types)) {
			found++;
			if (fn)
				fn(&alias, arg);
		}
		alias = (struct ms_memtype_alias){ .start = pa, .types = types };
	}
	return found;
}

int ms_memtype_aliases(struct ms_machine *m,
		       void (*fn)(const struct ms_memtype_alias *alias, void *arg), void *arg)
{
	struct borders b = { 0 };
	int found;

	if (!m)
		return -EINVAL;
	add_all(&b, m);
	if (!b.n)
		return 0;
	b.v = ms_calloc(&m->alloc, b.n, sizeof(*b.v));
	if (!b.v)
		return ms_refuse(m, -ENOMEM, "no memory");
	add_all(&b, m);
	qsort(b.v, b.n, sizeof(*b.v), by_pa);
	found = sweep(&b, fn, arg);
	ms_free(&m->alloc, b.v);
	return found;
}
