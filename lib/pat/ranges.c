/* SPDX-License-Identifier: GPL-2.0-only */
/* Looking things up in the tree of ranges; ranges_update.c changes it. */
#include "pat/ranges.h"

void ms_ranges_init(struct ms_ranges *t, struct ms_machine *m)
{
	*t = (struct ms_ranges){ .machine = m };
}

static void free_node(struct ms_ranges *t, void *node, unsigned int height)
{
	struct ms_ranges_inner *in = node;

	for (unsigned int c = 0; height && c < in->n; c++)
		free_node(t, in->child[c], height - 1);
	ms_free(t->machine, node);
}

void ms_ranges_destroy(struct ms_ranges *t)
{
	if (t->root)
		free_node(t, t->root, t->height);
	ms_ranges_init(t, t->machine);
}

/* ms_first_above() of the ranges' reach. */
static unsigned int first_reach_above(const struct ms_range *r, unsigned int n, uint64_t x)
{
	const struct ms_range *p = r;

	while (n > 1) {
		unsigned int half = n / 2;

		p += p[half - 1].reach <= x ? half : 0;
		n -= half;
	}
	return (unsigned int)(p - r) + (p->reach <= x);
}

/* The first i with r[i].start >= x. */
static unsigned int first_start_from(const struct ms_range *r, unsigned int n, uint64_t x)
{
	const struct ms_range *p = r;

	while (n > 1) {
		unsigned int half = n / 2;

		p += p[half - 1].start < x ? half : 0;
		n -= half;
	}
	return (unsigned int)(p - r) + (p->start < x);
}

/* The place behind everything. */
static void go_to_the_end(const struct ms_ranges *t, struct ms_ranges_pos *pos)
{
	void *node = t->root;

	for (unsigned int height = t->height; height; height--) {
		struct ms_ranges_inner *in = node;

		pos->node[height - 1] = in;
		pos->at[height - 1] = in->n - 1u;
		node = in->child[in->n - 1];
	}
	pos->leaf = node;
	pos->i = pos->leaf->n;
}

struct ms_range *ms_ranges_above(const struct ms_ranges *t, uint64_t x, struct ms_ranges_pos *pos)
{
	void *node = t->root;

	pos->leaf = NULL;
	if (!t->count)
		return NULL;
	for (unsigned int height = t->height; height; height--) {
		struct ms_ranges_inner *in = node;
		unsigned int c = ms_first_above(in->reach, in->n, x);

		if (c == in->n) { // only at the root: below it, reach has promised a range
			go_to_the_end(t, pos);
			return NULL;
		}
		pos->node[height - 1] = in;
		pos->at[height - 1] = c;
		node = in->child[c];
	}
	pos->leaf = node;
	pos->i = first_reach_above(ms_ranges_slot(pos->leaf, 0), pos->leaf->n, x);
	return pos->i < pos->leaf->n ? ms_ranges_slot(pos->leaf, pos->i) : NULL;
}

/* The first range of the leaves behind pos's leaf, in a child with max > x. */
static struct ms_range *next_leaf_above(const struct ms_ranges *t, uint64_t x,
					struct ms_ranges_pos *pos)
{
	unsigned int height = 0, c = 0;
	void *node = NULL;

	for (; height < t->height && !node; height++)
		for (c = pos->at[height] + 1; c < pos->node[height]->n && !node; c++)
			if (pos->node[height]->max[c] > x) {
				pos->at[height] = c;
				node = pos->node[height]->child[c];
			}
	if (!node) {
		go_to_the_end(t, pos);
		return NULL;
	}
	for (height--; height; height--) {
		struct ms_ranges_inner *in = node;

		c = ms_first_above(in->reach, in->n, x);
		pos->node[height - 1] = in;
		pos->at[height - 1] = c;
		node = in->child[c];
	}
	pos->leaf = node;
	pos->i = first_reach_above(ms_ranges_slot(pos->leaf, 0), pos->leaf->n, x);
	return ms_ranges_slot(pos->leaf, pos->i);
}

struct ms_range *ms_ranges_next_above(const struct ms_ranges *t, uint64_t x,
				      struct ms_ranges_pos *pos)
{
	while (++pos->i < pos->leaf->n) {
		struct ms_range *r = ms_ranges_slot(pos->leaf, pos->i);

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

	pos->leaf = NULL;
	if (!t->count)
		return NULL;
	for (unsigned int height = t->height; height; height--) {
		struct ms_ranges_inner *in = node;
		// ranges with this very start may already stand at the end of the child before
		unsigned int c = x ? ms_ranges_child_behind(in, x - 1) : 0;

		pos->node[height - 1] = in;
		pos->at[height - 1] = c;
		node = in->child[c];
	}
	pos->leaf = node;
	pos->i = first_start_from(ms_ranges_slot(pos->leaf, 0), pos->leaf->n, x);
	if (pos->i < pos->leaf->n)
		return ms_ranges_slot(pos->leaf, pos->i);
	return next_leaf_above(t, 0, pos);
}

static unsigned int leaf_types(const struct ms_ranges_leaf *leaf, uint64_t start, uint64_t end)
{
	unsigned int types = 0;

	for (unsigned int i = 0; i < leaf->n; i++) {
		const struct ms_range *r = ms_ranges_slot(leaf, i);

		if (r->start >= end)
			break;
		if (r->start >= start)
			types |= 1u << ms_range_type(r);
	}
	return types;
}

/* Children that lie whole in [start, end) answer by their summary, so two paths are walked. */
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
	return t->count ? node_types(t->root, t->height, start, end) : 0;
}

static const char *check_leaf(const struct ms_ranges_leaf *leaf)
{
	uint64_t reach = 0;
	unsigned int types = 0;

	if (leaf->first + leaf->n > MS_RANGES_LEAF)
		return "a leaf holds more than it can";
	for (unsigned int i = 0; i < leaf->n; i++) {
		const struct ms_range *r = ms_ranges_slot(leaf, i);

		reach = ms_max_u64(reach, r->end);
		types |= 1u << ms_range_type(r);
		if (r->start >= r->end)
			return "a range is empty";
		if (i && r[-1].start > r->start)
			return "a leaf is out of order";
		if (r->reach != reach)
			return "a range's reach is wrong";
	}
	return types == leaf->types ? NULL : "a leaf's types are wrong";
}

static const char *check_child(const struct ms_ranges_inner *in, unsigned int c,
			       unsigned int height)
{
	const struct ms_ranges_inner *below = in->child[c];
	const struct ms_ranges_leaf *leaf = in->child[c];
	uint64_t start = height > 1 ? below->start[0] : ms_ranges_slot(leaf, 0)->start;
	uint64_t max =
		height > 1 ? below->reach[below->n - 1] : ms_ranges_slot(leaf, leaf->n - 1u)->reach;

	if (in->start[c] != start || in->max[c] != max)
		return "a child's summary is wrong";
	if (in->reach[c] != ms_max_u64(c ? in->reach[c - 1] : 0, max))
		return "a child's reach is wrong";
	if (c && in->start[c - 1] > start)
		return "children are out of order";
	return NULL;
}

static const char *check_node(const void *node, unsigned int height, size_t *count)
{
	const struct ms_ranges_inner *in = node;
	const char *bad = NULL;

	if (!height) {
		*count += ((const struct ms_ranges_leaf *)node)->n;
		return check_leaf(node);
	}
	if (!in->n || in->n > MS_RANGES_INNER)
		return "an inner node has a wrong number of children";
	for (unsigned int c = 0; c < in->n && !bad; c++) {
		bad = check_node(in->child[c], height - 1, count);
		if (!bad)
			bad = check_child(in, c, height);
	}
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
