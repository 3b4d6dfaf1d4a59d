/* SPDX-License-Identifier: GPL-2.0-only */
/* What must hold in the tree of ranges. */
#include "pat/ranges.h"

static const char *check_order(const struct ms_ranges_leaf *leaf)
{
	unsigned int seen = 0;

	if (leaf->n > MS_RANGES_LEAF)
		return "a leaf has too many ranges";
	for (unsigned int i = 0; i < MS_RANGES_LEAF; i++) {
		unsigned int slot = ms_leaf_slot(leaf, i);

		seen |= 1u << slot;
		if (leaf->end[slot] != (i < leaf->n ? leaf->slot[slot].end : UINT64_MAX))
			return "a slot's end is wrong";
	}
	return seen == (1u << MS_RANGES_LEAF) - 1 ? NULL : "a slot is lost";
}

/* All starts must be from low to high, both included. */
static const char *check_leaf(const struct ms_ranges_leaf *leaf, uint64_t low, uint64_t high,
			      bool root)
{
	uint64_t max = 0;
	unsigned int types = 0;
	bool tangled = false;

	for (unsigned int i = 0; i < leaf->n; i++) {
		const struct ms_range *r = &leaf->slot[ms_leaf_slot(leaf, i)];

		if (r->start >= r->end)
			return "a range is empty";
		if (r->start < low || r->start > high)
			return "a leaf is out of order";
		low = r->start;
		types |= 1u << ms_range_type(r);
		tangled |= r->end < max;
		max = ms_max_u64(max, r->end);
	}
	if (tangled && !leaf->tangled)
		return "a leaf is tangled";
	if (max != leaf->max)
		return "a leaf's largest end is wrong";
	if (types & ~leaf->types)
		return "a leaf's types lack one";
	return root || types == leaf->types ? NULL : "a leaf's types are wrong";
}

/* last: no node is behind the child. */
static const char *check_summary(const struct ms_ranges_inner *in, unsigned int c,
				 unsigned int height, bool last)
{
	const struct ms_ranges_inner *below = in->child[c];
	const struct ms_ranges_leaf *leaf = in->child[c];
	uint64_t max = height == 1 ? leaf->max : below->reach[below->n - 1];
	unsigned int types = height == 1 ? leaf->types : below->all_types;

	if ((in->max[c] != max && !last) || in->types[c] != types || (types & ~in->all_types))
		return "a child's summary is wrong";
	if (in->reach[c] != ms_max_u64(c ? in->reach[c - 1] : 0, in->max[c]))
		return "a child's reach is wrong";
	return NULL;
}

static const char *check_node(const void *node, unsigned int height, uint64_t low, uint64_t high,
			      size_t *count);

static const char *check_inner(const struct ms_ranges_inner *in, unsigned int height, uint64_t high,
			       size_t *count)
{
	const char *bad = NULL;
	unsigned int types = 0;

	if (!in->n || in->n > MS_RANGES_INNER)
		return "an inner node has a wrong number of children";
	for (unsigned int c = 0; c < in->n && !bad; c++) {
		uint64_t next = c + 1u < in->n ? in->start[c + 1] : high;

		types |= in->types[c];
		bad = next < in->start[c] ? "children are out of order"
					  : check_summary(in, c, height, next == UINT64_MAX);
		if (!bad)
			bad = check_node(in->child[c], height - 1, in->start[c], next, count);
	}
	for (unsigned int c = in->n; c < MS_RANGES_INNER && !bad; c++)
		if (in->reach[c] != UINT64_MAX || in->start[c] != UINT64_MAX)
			bad = "an absent child has a place";
	return bad || types == in->all_types ? bad : "an inner node's types are wrong";
}

static const char *check_node(const void *node, unsigned int height, uint64_t low, uint64_t high,
			      size_t *count)
{
	const struct ms_ranges_leaf *leaf = node;
	const struct ms_ranges_inner *in = node;
	const char *bad;

	if (height)
		return in->start[0] < low ? "a child begins before its parent"
					  : check_inner(in, height, high, count);
	bad = check_order(leaf);
	*count += leaf->n;
	return bad ? bad : check_leaf(leaf, low, high, high == UINT64_MAX && !low);
}

const char *ms_ranges_check(const struct ms_ranges *t)
{
	size_t count = 0;
	const char *bad = t->root ? check_node(t->root, t->height, 0, UINT64_MAX, &count) : NULL;
	struct ms_ranges_pos pos;
	uint64_t last = 0;

	if (bad)
		return bad;
	if (count != t->count)
		return "the count is wrong";
	for (struct ms_range *r = ms_ranges_from(t, 0, &pos); r; r = ms_ranges_next(t, &pos)) {
		if (r->start < last)
			return "the order is wrong";
		last = r->start;
		count--;
	}
	return count ? "the walk misses ranges" : NULL;
}
