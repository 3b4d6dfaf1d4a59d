/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A binary tree over the blocks of a power-of-two number of leaves, that knows for each of its
 * nodes the largest free block below it. With it the lowest free block of an order is found, and
 * buddies are merged.
 *
 * A node's value is 0 (nothing free) or 1 + the order of the largest free block in it. Where a node
 * is free as a whole, every node below it says the same of itself; where it was taken as a whole,
 * it is 0 and those below it are left as they are.
 */
#ifndef MS_PHYS_TREE_H
#define MS_PHYS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ms_free_tree {
	uint8_t *node;           /* a heap from 1 on: the children of i are 2i and 2i + 1 */
	unsigned int depth;      /* 1 << depth leaves */
	unsigned int leaf_order; /* log2 of the pages of a leaf */
};

/* Makes [start, end) free, the rest not: pages, from the start of the tree's first leaf. */
void ms_free_tree_init(struct ms_free_tree t, uint64_t start, uint64_t end);
/* The node of the lowest free block of `order`; an order below the leaf's: the lowest leaf that has
 * one inside. 0: none. */
size_t ms_free_tree_find(struct ms_free_tree t, unsigned int order);
/* The node of `order` (the leaf's or larger) that starts at leaf i. */
size_t ms_free_tree_node(struct ms_free_tree t, size_t leaf, unsigned int order);
/* The first leaf below a node. */
size_t ms_free_tree_leaf(struct ms_free_tree t, size_t node);
/* Gives a node a value: 0 takes it, ms_free_tree_full() frees it, another is that of the tree below
 * the leaf. */
void ms_free_tree_set(struct ms_free_tree t, size_t node, unsigned int value);

/* A node that was taken as a whole, or as part of a larger block, is from now on taken in parts of
 * `order`. */
void ms_free_tree_break(struct ms_free_tree t, size_t node, unsigned int order);

/* 1 + order of the largest free block. */
static inline unsigned int ms_free_tree_largest(struct ms_free_tree t)
{
	return t.node[1];
}
/* The value of a block of `order` that is free as a whole. */
static inline unsigned int ms_free_tree_full(unsigned int order)
{
	return order + 1;
}
/* The value of a parent of `order`, from those of its children. */
unsigned int ms_free_tree_merged(unsigned int order, unsigned int left, unsigned int right);

#endif
