/* SPDX-License-Identifier: GPL-2.0-only */
/* Looking things up in the tree of ranges. ranges_update.c changes it. */
#include "pat/ranges.h"

void ms_ranges_init(struct ms_ranges *t, struct ms_alloc *alloc)
{
	*t = (struct ms_ranges){ .alloc = alloc };
	ms_pool_init(&t->leaves, alloc, sizeof(struct ms_ranges_leaf));
	ms_ranges_forget(t);
}

static void free_node(struct ms_ranges *t, void *node, unsigned int height)
{
	struct ms_ranges_inner *in = node;

	for (unsigned int c = 0; height && c < in->n; c++)
		free_node(t, in->child[c], height - 1);
	if (height)
		ms_free(t->alloc, node);
	else
		ms_pool_put(&t->leaves, node);
}

void ms_ranges_destroy(struct ms_ranges *t)
{
	if (t->root)
		free_node(t, t->root, t->height);
	ms_pool_destroy(&t->leaves);
	ms_ranges_init(t, t->alloc);
}

static struct ms_range *range_at(const struct ms_ranges_pos *pos)
{
	return pos->i < pos->leaf->n ? ms_leaf_range(pos->leaf, pos->i) : NULL;
}

void ms_ranges_descend_above(struct ms_ranges *t, uint64_t x)
{
	struct ms_ranges_pos *pos = &t->finger;
	void *node = t->root;
	uint64_t low = 0;
	bool last = true;

	for (unsigned int height = t->height; height; height--) {
		struct ms_ranges_inner *in = node;
		unsigned int c = ms_first_above(in->reach, x), end = in->n - 1u;

		if (c < end)
			last = false;
		else
			c = end;
		if (c)
			low = ms_max_u64(low, in->reach[c - 1]);
		pos->node[height - 1] = in;
		pos->at[height - 1] = c;
		node = in->child[c];
	}
	pos->leaf = node;
	pos->last = last;
	pos->low = low;
	pos->high = last ? UINT64_MAX : pos->node[0]->max[pos->at[0]];
}

unsigned int ms_leaf_tangled_above(struct ms_ranges_leaf *leaf, uint64_t x)
{
	unsigned int i = 0;

	while (i < leaf->n && ms_leaf_range(leaf, i)->end <= x)
		i++;
	return i;
}

/* The first range with end > x below `node`, at `height`, which has one or is the last. */
static struct ms_range *first_below(void *node, unsigned int height, uint64_t x,
				    struct ms_ranges_pos *pos)
{
	for (; height; height--) {
		struct ms_ranges_inner *in = node;
		unsigned int c = ms_first_above(in->reach, x);

		if (c >= in->n)
			c = in->n - 1u;
		pos->node[height - 1] = in;
		pos->at[height - 1] = c;
		node = in->child[c];
	}
	pos->leaf = node;
	pos->i = ms_leaf_above(pos->leaf, x);
	return range_at(pos);
}

/* Whether pos->node[height] is the last node of its height. */
static bool at_the_edge(const struct ms_ranges *t, const struct ms_ranges_pos *pos,
			unsigned int height)
{
	while (++height < t->height)
		if (pos->at[height] + 1u < pos->node[height]->n)
			return false;
	return true;
}

/* The first range with end > x of the leaves behind pos's leaf. */
static struct ms_range *next_leaf_above(const struct ms_ranges *t, uint64_t x,
					struct ms_ranges_pos *pos)
{
	pos->low = UINT64_MAX;
	for (unsigned int height = 0; height < t->height; height++) {
		const struct ms_ranges_inner *in = pos->node[height];

		for (unsigned int c = pos->at[height] + 1; c < in->n; c++)
			if (in->max[c] > x || (c + 1u == in->n && at_the_edge(t, pos, height))) {
				pos->at[height] = c;
				return first_below(in->child[c], height, x, pos);
			}
	}
	pos->i = pos->leaf->n;
	return NULL;
}

struct ms_range *ms_ranges_next_above(const struct ms_ranges *t, uint64_t x,
				      struct ms_ranges_pos *pos)
{
	while (++pos->i < pos->leaf->n) {
		struct ms_range *r = ms_leaf_range(pos->leaf, pos->i);

		if (r->end > x)
			return r;
	}
	return next_leaf_above(t, x, pos);
}

struct ms_range *ms_ranges_next(const struct ms_ranges *t, struct ms_ranges_pos *pos)
{
	return ms_ranges_next_above(t, 0, pos);
}

struct ms_range *ms_ranges_from(const struct ms_ranges *t, uint64_t x, struct ms_ranges_pos *pos)
{
	void *node = t->root;

	if (!t->count)
		return NULL;
	pos->low = UINT64_MAX;
	for (unsigned int height = t->height; height; height--) {
		struct ms_ranges_inner *in = node;
		// ranges with this very start may stand at the end of the child before, too
		unsigned int c = x ? ms_ranges_child_behind(in, x - 1) : 0;

		pos->node[height - 1] = in;
		pos->at[height - 1] = c;
		node = in->child[c];
	}
	pos->leaf = node;
	pos->i = 0;
	while (pos->i < pos->leaf->n && ms_leaf_range(pos->leaf, pos->i)->start < x)
		pos->i++;
	return pos->i < pos->leaf->n ? range_at(pos) : next_leaf_above(t, 0, pos);
}

struct ms_range *ms_ranges_forward(struct ms_ranges *t, uint64_t x)
{
	struct ms_ranges_pos *pos = &t->finger;
	struct ms_ranges_leaf *leaf = pos->leaf;

	while (pos->i < leaf->n && ms_leaf_range(leaf, pos->i)->start < x)
		pos->i++;
	if (pos->i < leaf->n || pos->last)
		return range_at(pos);
	return ms_ranges_from(t, x, pos);
}

static unsigned int leaf_types(const struct ms_ranges_leaf *leaf, uint64_t start, uint64_t end)
{
	unsigned int types = 0;

	for (unsigned int i = 0; i < leaf->n; i++) {
		const struct ms_range *r = &leaf->slot[ms_leaf_slot(leaf, i)];

		if (r->start >= start && r->start < end)
			types |= 1u << ms_range_type(r);
	}
	return types;
}

/* A child that lies whole in [start, end) is known by its summary, so that no more than the two
 * paths to the ends of the range are walked. */
static unsigned int node_types(const void *node, unsigned int height, uint64_t start, uint64_t end)
{
	const struct ms_ranges_inner *in = node;
	unsigned int types = 0, c;

	if (!height)
		return leaf_types(node, start, end);
	c = start ? ms_ranges_child_behind(in, start - 1) : 0;
	for (; c < in->n && in->start[c] < end; c++) {
		bool whole = in->start[c] >= start && c + 1u < in->n && in->start[c + 1] < end;

		types |= whole ? in->types[c] : node_types(in->child[c], height - 1, start, end);
	}
	return types;
}

unsigned int ms_ranges_types(const struct ms_ranges *t, uint64_t start, uint64_t end)
{
	struct ms_ranges_leaf *leaf = t->finger.leaf;
	unsigned int type = 1u << ms_range_type(ms_leaf_range(leaf, t->finger.i));

	// mostly all is in one leaf, and of one type
	if (leaf->types == type &&
	    (t->finger.last || ms_leaf_range(leaf, leaf->n - 1u)->start >= end))
		return type;
	return type | node_types(t->root, t->height, start, end);
}
