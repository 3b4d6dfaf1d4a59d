/* SPDX-License-Identifier: GPL-2.0-only */
/* Trees of free blocks: see tree.h. */
#include "phys/tree.h"

#include "phys/internal.h"

static unsigned int node_depth(size_t node)
{
	return (unsigned int)(63 - __builtin_clzll((unsigned long long)node));
}

static unsigned int node_order(struct ms_free_tree t, size_t node)
{
	return t.leaf_order + t.depth - node_depth(node);
}

/* 1 + the order of the largest naturally aligned block in [start, end); 0: the range is empty. */
static unsigned int largest_block(uint64_t start, uint64_t end)
{
	for (unsigned int order = MS_MAX_ORDER + 1; order-- > 0;) {
		uint64_t size = UINT64_C(1) << order;

		if (ms_align_up(start, size) + size <= end)
			return ms_free_tree_full(order);
	}
	return 0;
}

/* The value of the node with index i among those of its depth, where [start, end) is free. */
static unsigned int initial_value(unsigned int order, size_t i, uint64_t start, uint64_t end)
{
	uint64_t node_start = (uint64_t)i << order, node_end = (uint64_t)(i + 1) << order;

	return largest_block(ms_max_u64(start, node_start), ms_min_u64(end, node_end));
}

void ms_free_tree_init(struct ms_free_tree t, uint64_t start, uint64_t end)
{
	memset(t.node, 0, (size_t)2 << t.depth);
	if (start >= end)
		return;
	for (unsigned int depth = 0; depth <= t.depth; depth++) {
		unsigned int order = t.leaf_order + t.depth - depth;
		uint8_t *node = t.node + ((size_t)1 << depth);
		size_t first = start >> order, last = (end - 1) >> order;

		// what lies between the two edges is free as a whole
		if (last > first + 1)
			memset(node + first + 1,
			       (int)ms_free_tree_full(order < MS_MAX_ORDER ? order : MS_MAX_ORDER),
			       last - first - 1);
		node[first] = (uint8_t)initial_value(order, first, start, end);
		node[last] = (uint8_t)initial_value(order, last, start, end);
	}
}

size_t ms_free_tree_find(struct ms_free_tree t, unsigned int order)
{
	unsigned int wanted = ms_free_tree_full(order);
	unsigned int depth = order > t.leaf_order ? t.depth - (order - t.leaf_order) : t.depth;
	size_t node = 1;

	if (t.node[1] < wanted)
		return 0;
	while (node >> depth == 0) {
		node *= 2;
		if (t.node[node] < wanted)
			node++;
	}
	return node;
}

size_t ms_free_tree_node(struct ms_free_tree t, size_t leaf, unsigned int order)
{
	return (((size_t)1 << t.depth) + leaf) >> (order - t.leaf_order);
}

size_t ms_free_tree_leaf(struct ms_free_tree t, size_t node)
{
	return (node << (t.depth - node_depth(node))) - ((size_t)1 << t.depth);
}

unsigned int ms_free_tree_merged(unsigned int order, unsigned int left, unsigned int right)
{
	if (left == order && right == order && order <= MS_MAX_ORDER)
		return ms_free_tree_full(order); // both buddies are free as a whole
	return left > right ? left : right;
}

void ms_free_tree_set(struct ms_free_tree t, size_t node, unsigned int value)
{
	unsigned int order = node_order(t, node);

	t.node[node] = (uint8_t)value;
	while (node > 1) {
		node /= 2;
		order++;
		value = ms_free_tree_merged(order, t.node[2 * node], t.node[2 * node + 1]);
		if (t.node[node] == value)
			return;
		t.node[node] = (uint8_t)value;
	}
}

void ms_free_tree_break(struct ms_free_tree t, size_t node, unsigned int order)
{
	size_t depth = node_depth(node), last = node_depth(ms_free_tree_node(t, 0, order));

	for (size_t count = 1; depth <= last; depth++, count *= 2, node *= 2)
		memset(t.node + node, 0, count);
}
