/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gaps between VMAs. Every node has an upper bound of the gaps below it, so that a search skips
 * whole subtrees. When a gap grows, the bounds on the way to its VMA are raised. When a gap is
 * filled, the bounds stay; a search that finds nothing below a node corrects them. So each
 * insertion makes at most one search look in vain.
 */
#include "mm/vma_cursor.h"

static uint64_t gap_before(struct ms_vma_leaf *leaf, unsigned int i)
{
	return leaf->start[i] - ms_vma_end_of(ms_vma_place_before(leaf, i));
}

uint64_t ms_vma_leaf_gap(struct ms_vma_leaf *leaf)
{
	uint64_t gap = 0;

	for (unsigned int i = 0; i < leaf->n; i++)
		gap = ms_max_u64(gap, gap_before(leaf, i));
	return gap;
}

/* Raises the bounds of p's leaf and of all nodes above it to `gap`. */
void ms_vma_raise_gap(struct ms_vma_tree *t, struct ms_vma_place p, uint64_t gap)
{
	const ms_hva_t inside = p.leaf->slot[p.i].end - 1;
	void *node = t->root;

	for (unsigned int height = t->height; height; height--) {
		struct ms_vma_inner *in = node;

		in->gap = ms_max_u64(in->gap, gap);
		node = in->child[ms_vma_child_for(in, inside)];
	}
	p.leaf->gap = gap;
}

static ms_hva_t search_leaf(struct ms_vma_leaf *leaf, uint64_t len)
{
	for (unsigned int i = leaf->n; i--;)
		if (gap_before(leaf, i) >= len)
			return leaf->start[i];
	leaf->gap = ms_vma_leaf_gap(leaf);
	return 0;
}

/* Searches from the highest gap downward; answers the end of the gap, or 0. */
static ms_hva_t search(void *node, unsigned int height, uint64_t len)
{
	struct ms_vma_inner *in = node;
	uint64_t largest = 0;
	ms_hva_t end;

	if (!height)
		return search_leaf(node, len);
	for (unsigned int c = in->n; c--;) {
		if (ms_vma_node_gap(in->child[c], height - 1) >= len) {
			end = search(in->child[c], height - 1, len);
			if (end)
				return end;
		}
		largest = ms_max_u64(largest, ms_vma_node_gap(in->child[c], height - 1));
	}
	in->gap = largest;
	return 0;
}

/* mirrors unmapped_area_topdown(), mm/mmap.c, 5.10 .. 6.12; unmapped_area_topdown(), mm/vma.c,
 * 7.2+: its search */
ms_hva_t ms_vma_tree_highest_gap(struct ms_vma_tree *t, ms_hva_t limit, uint64_t len)
{
	unsigned int n = ms_vma_seek(t, limit);

	if (limit - ms_vma_end_of(ms_vma_place_before(t->leaf, n)) >= len)
		return limit;
	return search(t->root, t->height, len);
}
