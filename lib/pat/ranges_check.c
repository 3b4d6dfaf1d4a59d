/* SPDX-License-Identifier: GPL-2.0-only */
/* What must hold in the tree of ranges. For tests. */
#include "pat/ranges.h"

static const char *check_leaf(const struct ms_ranges_leaf *leaf)
{
	uint64_t reach = 0;
	unsigned int types = 0;

	if (leaf->lo > leaf->hi || leaf->hi > MS_RANGES_LEAF)
		return "a leaf's borders are wrong";
	for (unsigned int i = 0; i < MS_RANGES_LEAF; i++) {
		const struct ms_range *r = &leaf->slot[i];

		if (i < leaf->lo || i >= leaf->hi) {
			if (leaf->reach[i] != (i < leaf->lo ? 0 : UINT64_MAX))
				return "an empty slot has a reach";
			continue;
		}
		reach = ms_max_u64(reach, r->end);
		types |= 1u << ms_range_type(r);
		if (r->start >= r->end)
			return "a range is empty";
		if (i > leaf->lo && r[-1].start > r->start)
			return "a leaf is out of order";
		if (leaf->reach[i] != reach)
			return "a range's reach is wrong";
	}
	return types == leaf->types ? NULL : "a leaf's types are wrong";
}

static const char *check_child(const struct ms_ranges_inner *in, unsigned int c, uint64_t start,
			       uint64_t max, unsigned int types)
{
	if (in->start[c] != start || in->max[c] != max || in->types[c] != types)
		return "a child's summary is wrong";
	if (in->reach[c] != ms_max_u64(c ? in->reach[c - 1] : 0, max))
		return "a child's reach is wrong";
	if (c && in->start[c - 1] > start)
		return "children are out of order";
	return NULL;
}

static const char *check_summary(const struct ms_ranges_inner *in, unsigned int c,
				 unsigned int height)
{
	const struct ms_ranges_inner *below = in->child[c];
	const struct ms_ranges_leaf *leaf = in->child[c];
	unsigned int types = 0;

	if (height == 1)
		return check_child(in, c, leaf->slot[leaf->lo].start, leaf->reach[leaf->hi - 1],
				   leaf->types);
	for (unsigned int i = 0; i < below->n; i++)
		types |= below->types[i];
	return check_child(in, c, below->start[0], below->reach[below->n - 1], types);
}

static const char *check_node(const void *node, unsigned int height, size_t *count)
{
	const struct ms_ranges_leaf *leaf = node;
	const struct ms_ranges_inner *in = node;
	const char *bad = NULL;

	if (!height) {
		*count += leaf->hi - leaf->lo;
		return check_leaf(leaf);
	}
	if (!in->n || in->n > MS_RANGES_INNER)
		return "an inner node has a wrong number of children";
	for (unsigned int c = 0; c < in->n && !bad; c++) {
		bad = check_node(in->child[c], height - 1, count);
		if (!bad)
			bad = check_summary(in, c, height);
	}
	for (unsigned int c = in->n; c < MS_RANGES_INNER && !bad; c++)
		if (in->reach[c] != UINT64_MAX || in->start[c] != UINT64_MAX)
			bad = "an absent child has a place";
	return bad;
}

const char *ms_ranges_check(const struct ms_ranges *t)
{
	size_t count = 0;
	const char *bad = t->root ? check_node(t->root, t->height, &count) : NULL;
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
