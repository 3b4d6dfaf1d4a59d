/* SPDX-License-Identifier: GPL-2.0-only */
/* A sorted array of the VMAs that are in a tree: what the tree must answer. */
#ifndef TESTS_MM_VMA_TREE_ORACLE_H
#define TESTS_MM_VMA_TREE_ORACLE_H

#include "mm/check.h"

#include "world.h"

enum { MAX = 4096 };

#define SPACE UINT64_C(0x100000) /* addresses of the tests, one unit each */

/* The array: every VMA that is in the tree, by address. */
struct oracle {
	struct world w;
	struct ms_vma *vma[MAX];
	unsigned int n;
	uint64_t seed;
};

static inline uint64_t draw(struct oracle *o, uint64_t below)
{
	o->seed ^= o->seed << 13;
	o->seed ^= o->seed >> 7;
	o->seed ^= o->seed << 17;
	return (o->seed >> 11) % below;
}

static inline void check(struct oracle *o)
{
	struct ms_vma_tree_count count;

	assert_null(ms_vma_tree_check(&o->w.mm->vmas, &count));
	assert_int_equal(count.vmas, o->n);
	assert_int_equal(ms_mm_map_count(o->w.mm), o->n);
}

static inline struct oracle *oracle(void)
{
	struct oracle *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	o->w = world("6.12.117");
	o->seed = 88172645463325252;
	return o;
}

/* Whatever is left goes with the mm. */
static inline void done(struct oracle *o)
{
	check(o);
	for (unsigned int i = 0; i < o->n; i++)
		assert_ptr_equal(o->vma[i],
				 i ? ms_vma_next(o->vma[i - 1]) : ms_find_vma(o->w.mm, 0));
	ms_mm_exit(o->w.mm);
	ms_machine_free(o->w.m);
	free(o);
}

/* The first VMA that ends above addr; n: none. */
static inline unsigned int above(const struct oracle *o, ms_hva_t addr)
{
	unsigned int i = 0;

	while (i < o->n && o->vma[i]->vm_end <= addr)
		i++;
	return i;
}

static inline struct ms_vma *at(const struct oracle *o, unsigned int i)
{
	return i < o->n ? o->vma[i] : NULL;
}

/* [start, end) is free. NULL: no memory, and nothing has changed. */
static inline struct ms_vma *insert(struct oracle *o, ms_hva_t start, ms_hva_t end)
{
	struct ms_vma *vma = ms_vma_alloc(o->w.mm);
	unsigned int i = above(o, start);

	if (!vma)
		return NULL;
	vma->vm_start = start;
	vma->vm_end = end;
	ms_vma_tree_insert(o->w.mm, vma);
	memmove(o->vma + i + 1, o->vma + i, (o->n++ - i) * sizeof(*o->vma));
	o->vma[i] = vma;
	return vma;
}

static inline void forget(struct oracle *o, unsigned int i, unsigned int count)
{
	o->n -= count;
	memmove(o->vma + i, o->vma + i + count, (o->n - i) * sizeof(*o->vma));
}

static inline void remove_at(struct oracle *o, unsigned int i)
{
	ms_vma_tree_remove(o->w.mm, o->vma[i]);
	ms_vma_free(o->vma[i], false);
	forget(o, i, 1);
}

static inline void ask(struct oracle *o, ms_hva_t addr)
{
	struct ms_mm *mm = o->w.mm;
	unsigned int i = above(o, addr);
	struct ms_vma *next = at(o, i), *prev = i ? o->vma[i - 1] : NULL;
	bool inside = next && next->vm_start <= addr;
	struct ms_vma_gap gap;

	assert_ptr_equal(ms_find_vma(mm, addr), next);
	assert_ptr_equal(ms_vma_lookup(mm, addr), inside ? next : NULL);
	assert_ptr_equal(ms_find_vma_before(mm, addr), next && next->vm_start < addr ? next : prev);
	assert_ptr_equal(ms_find_vma_intersection(mm, addr, addr + 1), inside ? next : NULL);
	assert_ptr_equal(ms_find_gap(mm, addr, addr + 1, &gap), inside ? next : NULL);
	if (!inside) {
		assert_ptr_equal(gap.prev, prev);
		assert_ptr_equal(gap.next, next);
		assert_int_equal(gap.prev_end, prev ? prev->vm_end : 0);
		assert_int_equal(gap.next_start, next ? next->vm_start : 0);
	}
	if (next) {
		assert_ptr_equal(ms_vma_next(next), at(o, i + 1));
		assert_ptr_equal(ms_vma_prev(next), prev);
	}
}

/* The end of the highest gap of len addresses below SPACE; 0: none. */
static inline ms_hva_t highest_gap(const struct oracle *o, uint64_t len)
{
	ms_hva_t end = SPACE;

	for (unsigned int i = o->n; i--; end = o->vma[i]->vm_start)
		if (end - o->vma[i]->vm_end >= len)
			return end;
	return end >= len ? end : 0;
}

static inline void ask_for_a_gap(struct oracle *o, uint64_t len)
{
	assert_int_equal(ms_vma_tree_highest_gap(&o->w.mm->vmas, SPACE, len), highest_gap(o, len));
}

/* Takes out what lies in [start, end), which cuts no VMA. */
static inline void take(struct oracle *o, ms_hva_t start, ms_hva_t end)
{
	unsigned int i = above(o, start), count = 0;
	struct ms_vma_gap gap;
	struct ms_vma *vma = ms_vma_tree_detach(o->w.mm, start, end, &gap), *next;

	assert_ptr_equal(gap.prev, i ? o->vma[i - 1] : NULL);
	assert_int_equal(gap.prev_end, i ? o->vma[i - 1]->vm_end : 0);
	for (; vma; vma = next, count++) {
		assert_ptr_equal(vma, o->vma[i + count]);
		next = ms_linked(vma)->next_detached;
		ms_vma_free(vma, false);
	}
	next = at(o, i + count);
	assert_true(!next || next->vm_start >= end);
	assert_ptr_equal(gap.next, next);
	assert_int_equal(gap.next_start, next ? next->vm_start : 0);
	forget(o, i, count);
}

#endif
