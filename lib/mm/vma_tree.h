/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMAs of an address space: disjoint ranges in order, in a B+-tree by their ends.
 *
 * Leaves hold the borders beside the pointers, so that a search reads no VMA. A cursor stays at the
 * leaf of the last search, since the next one is mostly in the same leaf. So neighbours are cheap
 * to find without links from VMA to VMA.
 *
 * Costs, with n VMAs: each operation is O(log n), and O(1) if it stays within the cursor's leaf;
 * ms_vma_tree_detach() of k VMAs is O((k + 1) log n), ms_vma_tree_highest_gap() is O(log n)
 * amortised over the insertions. Sparse nodes are not joined, only empty ones are freed; so n is
 * the number of insertions that there were, not that of the VMAs that are left.
 *
 * Nothing here fails but ms_vma_tree_init() and ms_vma_tree_reserve(), which comes before each
 * insertion.
 */
#ifndef MS_MM_VMA_TREE_H
#define MS_MM_VMA_TREE_H

#include "mm/processes.h"

#include <mapsim/mm.h>

#define MS_VMA_LEAF 19u  /* VMAs of a leaf */
#define MS_VMA_INNER 30u /* children of an inner node */

/*
 * Levels of inner nodes. A new inner node has 15 children. So to fill a level takes 15 times as
 * many insertions as to fill the one below it, whatever is removed meanwhile: 16 levels are never
 * filled.
 */
#define MS_VMA_TREE_MAX_HEIGHT 16u

struct ms_vma_slot {
	ms_hva_t end;
	struct ms_vma *vma;
};

/*
 * `gap` of a node: no VMA below the node has more free addresses right before it. It is an upper
 * bound: it stays when a gap is filled, and becomes exact when a search has looked in vain.
 */
struct ms_vma_leaf {
	/* The first n are used; the end of all others is UINT64_MAX, and there is always one such.
	 * What a search reads lies together, in few cache lines. */
	struct ms_vma_slot slot[MS_VMA_LEAF + 1];
	ms_hva_t start[MS_VMA_LEAF];
	struct ms_vma_leaf *prev, *next;
	uint64_t gap;
	unsigned int n;
};

struct ms_vma_inner {
	/* VMAs of child c end in (bound[c], bound[c + 1]]; all behind bound[n] are UINT64_MAX */
	ms_hva_t bound[MS_VMA_INNER + 2];
	void *child[MS_VMA_INNER];
	uint64_t gap;
	unsigned int n;
};

union ms_vma_node {
	struct ms_vma_leaf leaf;
	struct ms_vma_inner inner;
};

struct ms_vma_tree {
	struct ms_machine *machine;
	void *root;          /* a leaf where height is 0 */
	unsigned int height; /* levels of inner nodes */

	/* The cursor: a VMA whose end is in (below, above] belongs into `leaf`. */
	struct ms_vma_leaf *leaf;
	ms_hva_t below, above;
	/* Its last answer: a change of the tree mostly follows a search for the same address. */
	ms_hva_t asked; /* UINT64_MAX: there is no valid answer */
	unsigned int answer;
};

/* The neighbours of a range in which there is no VMA. */
struct ms_vma_gap {
	struct ms_vma *prev, *next;    /* NULL: none */
	ms_hva_t prev_end, next_start; /* 0: none */
};

int ms_vma_tree_init(struct ms_vma_tree *t, struct ms_machine *m); /* -ENOMEM */
/* Frees the nodes, not the VMAs. */
void ms_vma_tree_destroy(struct ms_vma_tree *t);

/*
 * The nodes that `pending` insertions may take: each a leaf, an inner node of every level, a root.
 * Each may make a tree higher than the tallest one that there ever was.
 */
static inline size_t ms_vma_tree_nodes(const struct ms_processes *p, size_t pending)
{
	return (p->tallest + pending + 1) * pending;
}
/*
 * Reserves the nodes that the insertion of one more VMA may take, in any of the machine's trees.
 * The insertion ends the reservation, or ms_vma_tree_unreserve(). false: no memory.
 */
static inline bool ms_vma_tree_reserve(struct ms_machine *m)
{
	if (!ms_pool_reserve(&m->processes->vma_nodes,
			     ms_vma_tree_nodes(m->processes, m->processes->vmas_pending + 1)))
		return false;
	m->processes->vmas_pending++;
	return true;
}
static inline void ms_vma_tree_unreserve(struct ms_machine *m)
{
	m->processes->vmas_pending--;
}

/* ---- changes (vma_tree_update.c) ---- */

/* Also counts the VMA. It was pending: room for it was reserved when it was made. */
void ms_vma_tree_insert(struct ms_mm *mm, struct ms_vma *vma);
void ms_vma_tree_remove(struct ms_mm *mm, struct ms_vma *vma);
/*
 * Removes the VMAs of [start, end), none of which may reach out of it. Answers them as a chain
 * through next_detached, by address. *gap: the neighbours that stay.
 */
struct ms_vma *ms_vma_tree_detach(struct ms_mm *mm, ms_hva_t start, ms_hva_t end,
				  struct ms_vma_gap *gap);
/* Gives a VMA in the tree other borders; its place among the others stays. */
void ms_vma_tree_move(struct ms_mm *mm, struct ms_vma *vma, ms_hva_t start, ms_hva_t end);

/* ---- questions (vma_tree.c, vma_gap.c); ms_find_vma() and others are in <mapsim/mm.h> ---- */

struct ms_vma *ms_vma_prev(const struct ms_vma *vma);
/* The last VMA with vm_end <= addr or that contains addr - 1; NULL: none. */
struct ms_vma *ms_find_vma_before(struct ms_mm *mm, ms_hva_t addr);
/* The first VMA that overlaps [start, end), or NULL. */
struct ms_vma *ms_find_vma_intersection(struct ms_mm *mm, ms_hva_t start, ms_hva_t end);
/* As above; if the answer is NULL, *gap becomes the neighbours of [start, end). */
struct ms_vma *ms_find_gap(struct ms_mm *mm, ms_hva_t start, ms_hva_t end, struct ms_vma_gap *gap);
/*
 * The end of the highest gap of at least `len` bytes (len > 0) between 0 and `limit`; 0: none. No
 * VMA may lie above `limit`.
 */
ms_hva_t ms_vma_tree_highest_gap(struct ms_vma_tree *t, ms_hva_t limit, uint64_t len);

#endif
