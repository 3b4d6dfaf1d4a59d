/* SPDX-License-Identifier: GPL-2.0-only */
/* Changing the tree of ranges: insert, remove, shrink; nodes split when full, join when sparse. */
#include "pat/ranges.h"

#define SPARSE (MS_RANGES_LEAF / 4)      /* a node with fewer looks for a neighbour to join */
#define JOINED (MS_RANGES_LEAF * 3u / 4) /* ... that leaves room in what becomes of both */

_Static_assert(MS_RANGES_LEAF == MS_RANGES_INNER, "one limit serves both kinds of node");

/* What a parent knows of a child. */
struct summary {
	uint64_t start, max;
	uint8_t types;
};

/* ---- leaves ---- */

static struct summary leaf_summary(const struct ms_ranges_leaf *leaf)
{
	return (struct summary){ .start = ms_ranges_slot(leaf, 0)->start,
				 .max = ms_ranges_slot(leaf, leaf->n - 1u)->reach,
				 .types = leaf->types };
}

/* Computes reach anew from slot i on, as far as it changes. */
static void leaf_reach(struct ms_ranges_leaf *leaf, unsigned int i)
{
	uint64_t reach = i ? ms_ranges_slot(leaf, i - 1)->reach : 0;

	for (; i < leaf->n; i++) {
		struct ms_range *r = ms_ranges_slot(leaf, i);

		reach = ms_max_u64(reach, r->end);
		if (r->reach == reach)
			break;
		r->reach = reach;
	}
}

/* Everything that is derived from the ranges. */
static void leaf_derive(struct ms_ranges_leaf *leaf)
{
	uint64_t reach = 0;

	leaf->types = 0;
	for (unsigned int i = 0; i < leaf->n; i++) {
		struct ms_range *r = ms_ranges_slot(leaf, i);

		reach = ms_max_u64(reach, r->end);
		r->reach = reach;
		leaf->types |= (uint8_t)(1u << ms_range_type(r));
	}
}

/* Room for one range at i; the shorter side moves, if there is room on it. */
static struct ms_range *leaf_open(struct ms_ranges_leaf *leaf, unsigned int i)
{
	struct ms_range *r = ms_ranges_slot(leaf, 0);
	bool down = leaf->first && (i < leaf->n / 2u || leaf->first + leaf->n == MS_RANGES_LEAF);

	if (down) {
		if (i)
			memmove(r - 1, r, i * sizeof(*r));
		leaf->first--;
	} else if (i < leaf->n) {
		memmove(r + i + 1, r + i, (leaf->n - i) * sizeof(*r));
	}
	leaf->n++;
	return ms_ranges_slot(leaf, i);
}

static void leaf_insert(struct ms_ranges_leaf *leaf, unsigned int i, uint64_t start, uint64_t end,
			uintptr_t tag)
{
	struct ms_range *r = leaf_open(leaf, i);
	uint64_t reach = i ? ms_max_u64(r[-1].reach, end) : end;

	*r = (struct ms_range){ .start = start, .end = end, .reach = reach, .tag = tag };
	leaf->types |= (uint8_t)(1u << ms_range_type(r));
	while (++i < leaf->n && (++r)->reach < reach)
		r->reach = reach;
}

static void leaf_remove(struct ms_ranges_leaf *leaf, unsigned int i)
{
	struct ms_range *r = ms_ranges_slot(leaf, 0);
	enum ms_cache type = ms_range_type(r + i);
	bool again = (i && ms_range_type(r + i - 1) == type) ||
		     (i + 1u < leaf->n && ms_range_type(r + i + 1) == type);

	if (i < leaf->n / 2u) {
		if (i)
			memmove(r + 1, r, i * sizeof(*r));
		leaf->first++;
	} else if (i + 1u < leaf->n) {
		memmove(r + i, r + i + 1, (leaf->n - i - 1) * sizeof(*r));
	}
	if (!--leaf->n)
		leaf->first = 0;
	if (again)
		leaf_reach(leaf, i);
	else
		leaf_derive(leaf);
}

/* ---- inner nodes ---- */

static struct summary inner_summary(const struct ms_ranges_inner *in)
{
	struct summary s = { .start = in->start[0], .max = in->reach[in->n - 1] };

	for (unsigned int c = 0; c < in->n; c++)
		s.types |= in->types[c];
	return s;
}

static struct summary summary_of(const void *node, unsigned int height)
{
	return height ? inner_summary(node) : leaf_summary(node);
}

static unsigned int node_n(const void *node, unsigned int height)
{
	return height ? ((const struct ms_ranges_inner *)node)->n
		      : ((const struct ms_ranges_leaf *)node)->n;
}

static void inner_reach(struct ms_ranges_inner *in, unsigned int c)
{
	uint64_t reach = c ? in->reach[c - 1] : 0;

	for (; c < in->n; c++) {
		reach = ms_max_u64(reach, in->max[c]);
		in->reach[c] = reach;
	}
}

/* Writes down what child c is now. false: it was so before. */
static bool inner_note(struct ms_ranges_inner *in, unsigned int c, struct summary s)
{
	if (in->start[c] == s.start && in->max[c] == s.max && in->types[c] == s.types)
		return false;
	in->start[c] = s.start;
	in->types[c] = s.types;
	if (in->max[c] != s.max) {
		in->max[c] = s.max;
		inner_reach(in, c);
	}
	return true;
}

/* Copies n children of src, from child `from` on, into dst at `to`. */
static void inner_move(struct ms_ranges_inner *dst, unsigned int to,
		       const struct ms_ranges_inner *src, unsigned int from, unsigned int n)
{
	memmove(dst->start + to, src->start + from, n * sizeof(*src->start));
	memmove(dst->max + to, src->max + from, n * sizeof(*src->max));
	memmove(dst->child + to, src->child + from, n * sizeof(*src->child));
	memmove(dst->types + to, src->types + from, n * sizeof(*src->types));
}

static void inner_insert(struct ms_ranges_inner *in, unsigned int c, void *child, struct summary s)
{
	inner_move(in, c + 1, in, c, in->n - c);
	in->n++;
	in->child[c] = child;
	in->start[c] = s.start;
	in->max[c] = s.max;
	in->types[c] = s.types;
	inner_reach(in, c);
}

static void inner_remove(struct ms_ranges_inner *in, unsigned int c)
{
	inner_move(in, c, in, c + 1, in->n - c - 1u);
	in->n--;
	inner_reach(in, c);
}

/* Tells the parents what the node at `height` on the way to pos is now, as far up as it matters. */
static void refresh(const struct ms_ranges *t, const struct ms_ranges_pos *pos, unsigned int height)
{
	const void *node = height ? (const void *)pos->node[height - 1] : pos->leaf;

	for (; height < t->height; height++) {
		if (!inner_note(pos->node[height], pos->at[height], summary_of(node, height)))
			break;
		node = pos->node[height];
	}
}

/* ---- split ---- */

/* Behind everything: rising starts then fill the nodes, instead of leaving them half empty. */
static bool at_the_end(const struct ms_ranges *t, const struct ms_ranges_pos *pos)
{
	if (pos->i < pos->leaf->n)
		return false;
	for (unsigned int height = 0; height < t->height; height++)
		if (pos->at[height] + 1u < pos->node[height]->n)
			return false;
	return true;
}

/* The new right half becomes known to the parent; pos follows its range. */
static void adopt(struct ms_ranges_pos *pos, unsigned int height, void *left, void *right,
		  bool go_right)
{
	struct ms_ranges_inner *parent = pos->node[height];
	unsigned int c = pos->at[height];

	inner_note(parent, c, summary_of(left, height));
	inner_insert(parent, c + 1, right, summary_of(right, height));
	if (go_right)
		pos->at[height]++;
}

static void split_leaf(struct ms_ranges_pos *pos, struct ms_ranges_leaf *right, bool at_end)
{
	struct ms_ranges_leaf *left = pos->leaf;
	unsigned int keep = at_end ? left->n - 1u : left->n / 2u;
	bool go_right = pos->i > keep;

	right->n = (uint16_t)(left->n - keep);
	memcpy(right->slot, ms_ranges_slot(left, keep), right->n * sizeof(*right->slot));
	left->n = (uint16_t)keep;
	leaf_derive(left);
	leaf_derive(right);
	adopt(pos, 0, left, right, go_right);
	if (go_right) {
		pos->leaf = right;
		pos->i -= keep;
	}
}

static void split_inner(struct ms_ranges_pos *pos, unsigned int height,
			struct ms_ranges_inner *right, bool at_end)
{
	struct ms_ranges_inner *left = pos->node[height - 1];
	unsigned int keep = at_end ? left->n - 1u : left->n / 2u;
	bool go_right = pos->at[height - 1] >= keep;

	right->n = (uint16_t)(left->n - keep);
	inner_move(right, 0, left, keep, right->n);
	inner_reach(right, 0);
	left->n = (uint16_t)keep;
	adopt(pos, height, left, right, go_right);
	if (go_right) {
		pos->node[height - 1] = right;
		pos->at[height - 1] -= keep;
	}
}

static void grow(struct ms_ranges *t, struct ms_ranges_pos *pos, struct ms_ranges_inner *root)
{
	inner_insert(root, 0, t->root, summary_of(t->root, t->height));
	pos->node[t->height] = root;
	pos->at[t->height] = 0;
	t->root = root;
	t->height++;
}

/* Makes room for one range at pos. All memory is had before anything changes. */
static int make_room(struct ms_ranges *t, struct ms_ranges_pos *pos)
{
	void *spare[MS_RANGES_MAX_HEIGHT + 1] = { NULL };
	unsigned int full = 1, need;
	bool at_end;

	if (pos->leaf->n < MS_RANGES_LEAF)
		return 0;
	while (full <= t->height && pos->node[full - 1]->n == MS_RANGES_INNER)
		full++;
	need = full + (full > t->height);
	if (need > MS_RANGES_MAX_HEIGHT)
		return -ENOMEM;
	for (unsigned int i = 0; i < need; i++) {
		spare[i] = ms_zalloc(t->machine, i ? sizeof(struct ms_ranges_inner)
						   : sizeof(struct ms_ranges_leaf));
		if (!spare[i]) {
			while (i--)
				ms_free(t->machine, spare[i]);
			return -ENOMEM;
		}
	}
	at_end = at_the_end(t, pos);
	if (need > full)
		grow(t, pos, spare[full]);
	for (unsigned int height = full - 1; height; height--)
		split_inner(pos, height, spare[height], at_end);
	split_leaf(pos, spare[0], at_end);
	return 0;
}

/* The place behind all ranges with start <= x. */
static void find_behind(const struct ms_ranges *t, uint64_t x, struct ms_ranges_pos *pos)
{
	void *node = t->root;

	for (unsigned int height = t->height; height; height--) {
		struct ms_ranges_inner *in = node;
		unsigned int c = ms_ranges_child_behind(in, x);

		pos->node[height - 1] = in;
		pos->at[height - 1] = c;
		node = in->child[c];
	}
	pos->leaf = node;
	pos->i = pos->leaf->n;
	while (pos->i && ms_ranges_slot(pos->leaf, pos->i - 1)->start > x)
		pos->i--;
}

int ms_ranges_insert(struct ms_ranges *t, struct ms_ranges_pos *pos, uint64_t start, uint64_t end,
		     uintptr_t tag)
{
	struct ms_ranges_pos behind;

	if (!t->root) {
		t->root = ms_zalloc(t->machine, sizeof(struct ms_ranges_leaf));
		if (!t->root)
			return -ENOMEM;
	}
	if (!pos || !pos->leaf) {
		pos = &behind;
		find_behind(t, start, pos);
	}
	if (make_room(t, pos))
		return -ENOMEM;
	leaf_insert(pos->leaf, pos->i, start, end, tag);
	t->count++;
	refresh(t, pos, 0);
	return 0;
}

/* ---- remove ---- */

/* Everything of `right` goes behind everything of `left`. */
static void join(void *left, const void *right, unsigned int height)
{
	if (height) {
		struct ms_ranges_inner *l = left;
		const struct ms_ranges_inner *r = right;

		inner_move(l, l->n, r, 0, r->n);
		l->n = (uint16_t)(l->n + r->n);
		inner_reach(l, l->n - r->n);
	} else {
		struct ms_ranges_leaf *l = left;
		const struct ms_ranges_leaf *r = right;

		memmove(l->slot, ms_ranges_slot(l, 0), l->n * sizeof(*l->slot));
		l->first = 0;
		memcpy(l->slot + l->n, ms_ranges_slot(r, 0), r->n * sizeof(*l->slot));
		l->n = (uint16_t)(l->n + r->n);
		leaf_derive(l);
	}
}

/* A node below its parent's child c has become sparse: it goes, or joins a neighbour, if it can. */
static bool shed(struct ms_ranges *t, struct ms_ranges_inner *parent, unsigned int c,
		 unsigned int height)
{
	unsigned int n = node_n(parent->child[c], height);
	unsigned int left;

	if (!n) {
		ms_free(t->machine, parent->child[c]);
		inner_remove(parent, c);
		return true;
	}
	if (c && n + node_n(parent->child[c - 1], height) <= JOINED)
		left = c - 1;
	else if (c + 1u < parent->n && n + node_n(parent->child[c + 1], height) <= JOINED)
		left = c;
	else
		return false;
	join(parent->child[left], parent->child[left + 1], height);
	ms_free(t->machine, parent->child[left + 1]);
	inner_remove(parent, left + 1);
	inner_note(parent, left, summary_of(parent->child[left], height));
	return true;
}

/* The root has shrunk: an only child takes its place. */
static void lower_root(struct ms_ranges *t)
{
	while (t->height) {
		struct ms_ranges_inner *root = t->root;

		if (root->n > 1)
			return;
		t->root = root->n ? root->child[0] : NULL;
		t->height = root->n ? t->height - 1 : 0;
		ms_free(t->machine, root);
	}
}

void ms_ranges_remove(struct ms_ranges *t, struct ms_ranges_pos *pos)
{
	unsigned int height = 0;

	leaf_remove(pos->leaf, pos->i);
	t->count--;
	if (pos->leaf->n >= SPARSE) {
		refresh(t, pos, 0);
		return;
	}
	for (void *node = pos->leaf; height < t->height; node = pos->node[height++])
		if (node_n(node, height) >= SPARSE ||
		    !shed(t, pos->node[height], pos->at[height], height)) {
			refresh(t, pos, height);
			return;
		}
	lower_root(t);
}

/* ---- shrink ---- */

void ms_ranges_shrink(struct ms_ranges *t, struct ms_ranges_pos *pos, uint64_t end)
{
	struct ms_range *r = ms_ranges_slot(pos->leaf, pos->i);
	struct ms_range moved = *r;
	struct ms_ranges_pos here = *pos;

	moved.end = end;
	// the ranges with the same start behind it move up by one place
	for (struct ms_range *next = ms_ranges_next(t, pos); next && next->start == moved.start;
	     next = ms_ranges_next(t, pos)) {
		*r = *next;
		r = next;
		if (pos->leaf != here.leaf) {
			leaf_derive(here.leaf);
			refresh(t, &here, 0);
		}
		here = *pos;
	}
	*r = moved;
	leaf_derive(here.leaf);
	refresh(t, &here, 0);
}
