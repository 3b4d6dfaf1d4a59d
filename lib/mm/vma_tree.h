/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMAs of an address space: disjoint ranges in order, in a B+-tree by their ends.
 *
 * Leaves hold the borders beside the pointers, so that whoever looks for a place, or for a hole,
 * reads no VMA. A hand stays on the leaf of the last question: the next one is mostly about the
 * same, which makes neighbours cheap without links from VMA to VMA.
 *
 * Insertion does not fail: ms_vma_tree_reserve() comes before it. Nodes do not join when they
 * become sparse; they go when they are empty.
 */
#ifndef MS_MM_VMA_TREE_H
#define MS_MM_VMA_TREE_H

#include "machine/internal.h"

#include <mapsim/mm.h>

#define MS_VMA_LEAF 19u  /* VMAs of a leaf */
#define MS_VMA_INNER 31u /* children of an inner node */

/*
 * Levels of inner nodes. A new inner node has 15 children or more, so that each level takes 15
 * times the insertions of the one below it to become full again, whatever goes in between: there
 * will never be so many.
 */
#define MS_VMA_TREE_MAX_HEIGHT 16u
/* Nodes that an insertion may take: a leaf, an inner node of every level, a root. */
#define MS_VMA_TREE_NODES (MS_VMA_TREE_MAX_HEIGHT + 2)

struct ms_vma_slot {
	ms_hva_t end;
	struct ms_vma *vma;
};

struct ms_vma_leaf {
	/* The first n are used, the others, and one more, have UINT64_MAX as their end.
	 * What a search reads lies together; so it reads few cache lines. */
	struct ms_vma_slot slot[MS_VMA_LEAF + 1];
	ms_hva_t start[MS_VMA_LEAF];
	struct ms_vma_leaf *prev, *next;
	unsigned int n;
};

struct ms_vma_inner {
	/* VMAs of child c end in (bound[c], bound[c + 1]]; UINT64_MAX behind bound[n] */
	ms_hva_t bound[MS_VMA_INNER + 1];
	void *child[MS_VMA_INNER];
	unsigned int n;
};

struct ms_vma_tree {
	struct ms_machine *machine;
	void *root;          /* a leaf where height is 0 */
	unsigned int height; /* levels of inner nodes */

	/* The hand: a VMA with an end in (below, above] belongs into `leaf`. */
	struct ms_vma_leaf *leaf;
	ms_hva_t below, above;
	/* Its last answer: whoever changes the tree has mostly looked there before. */
	ms_hva_t asked; /* UINT64_MAX: no longer true */
	unsigned int answer;
};

/* What lies around an address that no VMA holds. */
struct ms_vma_hole {
	struct ms_vma *prev, *next;    /* NULL: none */
	ms_hva_t prev_end, next_start; /* 0: none */
};

int ms_vma_tree_init(struct ms_vma_tree *t, struct ms_machine *m); /* -ENOMEM */
/* Forgets the VMAs. */
void ms_vma_tree_destroy(struct ms_vma_tree *t);

/*
 * Room for one VMA more on its way into one of the machine's trees. It is given back by the
 * insertion, or by ms_vma_tree_unreserve(). false: no memory.
 */
static inline bool ms_vma_tree_reserve(struct ms_machine *m)
{
	if (!ms_pool_reserve(m, &m->vma_nodes, MS_VMA_TREE_NODES * (m->vmas_pending + 1)))
		return false;
	m->vmas_pending++;
	return true;
}
static inline void ms_vma_tree_unreserve(struct ms_machine *m)
{
	m->vmas_pending--;
}

#endif
