/* SPDX-License-Identifier: GPL-2.0-only */
/* The inside of the tree of VMAs: the search in nodes, the cursor, and bounds of the gaps. */
#ifndef MS_MM_VMA_CURSOR_H
#define MS_MM_VMA_CURSOR_H

#include "mm/internal.h"

/*
 * Count the ends, or upper bounds, that are not above x; x is below UINT64_MAX. They compute
 * instead of branching, since a CPU would predict such branches wrongly half of the time.
 */
static inline unsigned int ms_vma_slots_not_above(const struct ms_vma_slot *s, ms_hva_t x)
{
	unsigned int i = 5 * ((s[4].end <= x) + (s[9].end <= x) + (s[14].end <= x));

	s += i;
	return i + (s[0].end <= x) + (s[1].end <= x) + (s[2].end <= x) + (s[3].end <= x) +
	       (s[4].end <= x);
}
static inline unsigned int ms_vma_child_for(const struct ms_vma_inner *in, ms_hva_t x)
{
	const ms_hva_t *b = in->bound + 1;
	unsigned int i = 8 * ((b[7] <= x) + (b[15] <= x) + (b[23] <= x));

	b += i;
	return i + (b[0] <= x) + (b[1] <= x) + (b[2] <= x) + (b[3] <= x) + (b[4] <= x) +
	       (b[5] <= x) + (b[6] <= x);
}
static_assert(MS_VMA_LEAF == 19 && MS_VMA_INNER == 30, "the searches are made for these widths");

/* ---- the cursor ---- */

/* Moves the cursor to the leaf for addr. */
void ms_vma_descend(struct ms_vma_tree *t, ms_hva_t addr);

/*
 * Moves the cursor to the leaf for `addr`, which is below UINT64_MAX. Answers the slot of the
 * leaf's first VMA that ends above addr; its number of VMAs if there is none.
 */
static inline unsigned int ms_vma_seek(struct ms_vma_tree *t, ms_hva_t addr)
{
	if (addr - t->below >= t->above - t->below)
		ms_vma_descend(t, addr);
	return ms_vma_slots_not_above(t->leaf->slot, addr);
}

/* As above, and remembers the answer: a change of the tree at the same address may follow. */
static inline unsigned int ms_vma_seek_place(struct ms_vma_tree *t, ms_hva_t addr)
{
	if (addr != t->asked) {
		t->answer = ms_vma_seek(t, addr);
		t->asked = addr;
	}
	return t->answer;
}

/* The slot of a VMA in the tree. It is found by its end, since its start may be below the leaf. */
static inline unsigned int ms_vma_seek_vma(const struct ms_vma *vma)
{
	return ms_vma_seek(&vma->vm_mm->vmas, vma->vm_end - 1);
}

/* ---- places ---- */

/* The place of a VMA: a leaf, and a slot in it. leaf is NULL: there is no such VMA. */
struct ms_vma_place {
	struct ms_vma_leaf *leaf;
	unsigned int i;
};

static inline struct ms_vma_place ms_vma_place_at(struct ms_vma_leaf *leaf, unsigned int i)
{
	if (leaf->slot[i].end == UINT64_MAX)
		return (struct ms_vma_place){ leaf->next, 0 };
	return (struct ms_vma_place){ leaf, i };
}

static inline struct ms_vma_place ms_vma_place_before(struct ms_vma_leaf *leaf, unsigned int i)
{
	if (i)
		return (struct ms_vma_place){ leaf, i - 1 };
	return (struct ms_vma_place){ leaf->prev, leaf->prev ? leaf->prev->n - 1 : 0 };
}

static inline struct ms_vma *ms_vma_of(struct ms_vma_place p)
{
	return p.leaf ? p.leaf->slot[p.i].vma : NULL;
}

/* Only for a place with a VMA. */
static inline ms_hva_t ms_vma_start_of(struct ms_vma_place p)
{
	return p.leaf->start[p.i];
}

/* 0: there is no VMA */
static inline ms_hva_t ms_vma_end_of(struct ms_vma_place p)
{
	return p.leaf ? p.leaf->slot[p.i].end : 0;
}

/* ---- gaps (vma_gap.c) ---- */

/* The largest gap right before a VMA of the leaf. */
uint64_t ms_vma_leaf_gap(struct ms_vma_leaf *leaf);
void ms_vma_raise_gap(struct ms_vma_tree *t, struct ms_vma_place p, uint64_t gap);

static inline uint64_t ms_vma_node_gap(const void *node, unsigned int height)
{
	const struct ms_vma_leaf *leaf = node;
	const struct ms_vma_inner *in = node;

	return height ? in->gap : leaf->gap;
}

/* The VMA at p, if there is one, now follows prev_end: the gap before it has grown. */
static inline void ms_vma_gap_grew(struct ms_vma_tree *t, struct ms_vma_place p, ms_hva_t prev_end)
{
	if (p.leaf && ms_vma_start_of(p) - prev_end > p.leaf->gap)
		ms_vma_raise_gap(t, p, ms_vma_start_of(p) - prev_end);
}

#endif
