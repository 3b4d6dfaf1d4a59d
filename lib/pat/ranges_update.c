/* SPDX-License-Identifier: GPL-2.0-only */
/* Changing the tree of ranges: insert, remove, shrink; nodes split when full, join when sparse. */
#include "pat/ranges_leaf.h"

/* ---- inner nodes ---- */

static struct summary inner_summary(const struct ms_ranges_inner *in)
{
	return (struct summary){ .start = in->start[0],
				 .max = in->reach[in->n - 1],
				 .types = in->all_types };
}

static void inner_derive_types(struct ms_ranges_inner *in)
{
	in->all_types = 0;
	for (unsigned int c = 0; c < in->n; c++)
		in->all_types |= in->types[c];
}

static struct summary summary_of(void *node, unsigned int height)
{
	return height ? inner_summary(node) : leaf_summary(node);
}

static struct ms_ranges_inner *inner_new(struct ms_ranges *t)
{
	struct ms_ranges_inner *in = ms_zalloc(t->alloc, sizeof(*in));

	if (in) {
		memset(in->reach, 0xff, sizeof(in->reach));
		memset(in->start, 0xff, sizeof(in->start));
	}
	return in;
}

static void node_free(struct ms_ranges *t, void *node, unsigned int height)
{
	if (height)
		ms_free(t->alloc, node);
	else
		ms_pool_put(&t->leaves, node);
}

/* Computes reach anew from child c on, up to the first that does not change. */
static void inner_reach(struct ms_ranges_inner *in, unsigned int c)
{
	uint64_t reach = c ? in->reach[c - 1] : 0;

	for (; c < in->n; c++) {
		reach = ms_max_u64(reach, in->max[c]);
		if (in->reach[c] == reach)
			break;
		in->reach[c] = reach;
	}
}

/* Copies n children of src, from child `from` on, into dst at `to`. */
static void inner_move(struct ms_ranges_inner *dst, unsigned int to,
		       const struct ms_ranges_inner *src, unsigned int from, unsigned int n)
{
	memmove(dst->reach + to, src->reach + from, n * sizeof(*src->reach));
	memmove(dst->start + to, src->start + from, n * sizeof(*src->start));
	memmove(dst->max + to, src->max + from, n * sizeof(*src->max));
	memmove(dst->child + to, src->child + from, n * sizeof(*src->child));
	memmove(dst->types + to, src->types + from, n * sizeof(*src->types));
}

static void inner_truncate(struct ms_ranges_inner *in, unsigned int n)
{
	memset(&in->reach[n], 0xff, (in->n - n) * sizeof(*in->reach));
	memset(&in->start[n], 0xff, (in->n - n) * sizeof(*in->start));
	in->n = (uint8_t)n;
	if (!has_one_type(in->all_types))
		inner_derive_types(in);
}

/* Computes all of reach and the types anew. */
static void inner_derive(struct ms_ranges_inner *in)
{
	uint64_t reach = 0;

	for (unsigned int c = 0; c < in->n; c++) {
		reach = ms_max_u64(reach, in->max[c]);
		in->reach[c] = reach;
	}
	inner_derive_types(in);
}

/* Notes the summary of child c; a start is only ever lowered. false: nothing has changed. */
static bool inner_note(struct ms_ranges_inner *in, unsigned int c, struct summary s)
{
	uint8_t types = in->types[c];

	if (in->start[c] <= s.start && in->max[c] == s.max && types == s.types)
		return false;
	in->start[c] = ms_min_u64(in->start[c], s.start);
	in->max[c] = s.max;
	in->types[c] = s.types;
	if (types != s.types)
		inner_derive_types(in);
	inner_reach(in, c);
	return true;
}

static void inner_insert(struct ms_ranges_inner *in, unsigned int c, void *child, struct summary s)
{
	inner_move(in, c + 1, in, c, in->n - c);
	in->n++;
	in->child[c] = child;
	in->start[c] = s.start;
	in->max[c] = s.max;
	in->types[c] = s.types;
	in->all_types |= s.types;
	in->reach[c] = ms_max_u64(c ? in->reach[c - 1] : 0, s.max);
	inner_reach(in, c + 1);
}

static void inner_remove(struct ms_ranges_inner *in, unsigned int c)
{
	inner_move(in, c, in, c + 1, in->n - c - 1u);
	inner_truncate(in, in->n - 1u);
	inner_reach(in, c);
}

/* Notes in the parents the summary of the node at `height` on the way to pos, up to the first
 * that does not change. */
static __attribute__((noinline)) void refresh(const struct ms_ranges *t,
					      const struct ms_ranges_pos *pos, unsigned int height)
{
	void *node = height ? (void *)pos->node[height - 1] : pos->leaf;

	for (; height < t->height; height++) {
		if (!inner_note(pos->node[height], pos->at[height], summary_of(node, height)))
			break;
		node = pos->node[height];
	}
}

/* ---- split ---- */

/* Is pos behind everything? Then a split leaves the left node full: ranges that are inserted
 * with rising starts would else leave all nodes half empty. */
static bool at_the_end(const struct ms_ranges *t, const struct ms_ranges_pos *pos)
{
	if (pos->i < pos->leaf->n)
		return false;
	for (unsigned int height = 0; height < t->height; height++)
		if (pos->at[height] + 1u < pos->node[height]->n)
			return false;
	return true;
}

/* Enters the new right half into the parent; pos goes where its range went. */
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
	unsigned int keep = at_end ? left->n - 1u : MS_RANGES_LEAF / 2;
	bool go_right = pos->i > keep;

	if (go_right) {
		pos->leaf = right;
		pos->i -= keep;
	}
	leaf_append(right, left, keep, left->n - keep);
	leaf_truncate(left, keep);
	adopt(pos, 0, left, right, go_right);
}

static void split_inner(struct ms_ranges_pos *pos, unsigned int height,
			struct ms_ranges_inner *right, bool at_end)
{
	struct ms_ranges_inner *left = pos->node[height - 1];
	unsigned int keep = at_end ? left->n - 1u : left->n / 2u;
	bool go_right = pos->at[height - 1] >= keep;

	if (go_right) {
		pos->node[height - 1] = right;
		pos->at[height - 1] -= keep;
	}
	inner_move(right, 0, left, keep, left->n - keep);
	right->n = (uint8_t)(left->n - keep);
	inner_derive(right);
	inner_truncate(left, keep);
	adopt(pos, height, left, right, go_right);
}

static void grow(struct ms_ranges *t, struct ms_ranges_pos *pos, struct ms_ranges_inner *root)
{
	inner_insert(root, 0, t->root, summary_of(t->root, t->height));
	pos->node[t->height] = root;
	pos->at[t->height] = 0;
	t->root = root;
	t->height++;
}

/* Allocates a leaf and `need` - 1 inner nodes. -ENOMEM: none is left allocated. */
static int have_nodes(struct ms_ranges *t, void **spare, unsigned int need)
{
	for (unsigned int i = 0; i < need; i++) {
		spare[i] = i ? (void *)inner_new(t) : leaf_new(t);
		if (!spare[i]) {
			while (i--)
				node_free(t, spare[i], i);
			return -ENOMEM;
		}
	}
	return 0;
}

/* Makes room at pos, whose leaf is full. All memory is allocated before anything changes. */
static __attribute__((noinline)) int make_room(struct ms_ranges *t, struct ms_ranges_pos *pos)
{
	void *spare[MS_RANGES_MAX_HEIGHT + 1];
	bool at_end = at_the_end(t, pos);
	unsigned int full = 1, need;

	while (full <= t->height && pos->node[full - 1]->n == MS_RANGES_INNER)
		full++;
	need = full + (full > t->height);
	if (need > MS_RANGES_MAX_HEIGHT || have_nodes(t, spare, need))
		return -ENOMEM;
	if (need > full)
		grow(t, pos, spare[full]);
	for (unsigned int height = full - 1; height; height--)
		split_inner(pos, height, spare[height], at_end);
	split_leaf(pos, spare[0], at_end);
	return 0;
}

/* Moves t->finger to a place in a leaf with room, for a range that starts at `start`. */
static inline int prepare(struct ms_ranges *t, uint64_t start)
{
	struct ms_ranges_pos *pos = &t->finger;

	if (!pos->leaf) {
		if (!t->root && !(t->root = leaf_new(t)))
			return -ENOMEM;
		ms_ranges_descend_above(t, start);
		pos->i = pos->leaf->n;
	}
	if (pos->leaf->n == MS_RANGES_LEAF) {
		if (make_room(t, pos))
			return -ENOMEM;
		pos->low = UINT64_MAX; // another leaf, whose lower bound is unknown
	}
	t->count++;
	return 0;
}

int ms_ranges_insert(struct ms_ranges *t, uint64_t start, uint64_t end, uintptr_t tag)
{
	struct ms_ranges_pos *pos = &t->finger;

	if (prepare(t, start))
		return -ENOMEM;
	if (leaf_insert(pos->leaf, pos->i, start, end, tag) && t->height)
		refresh(t, pos, 0);
	return 0;
}

/* ---- remove ---- */

static unsigned int capacity(unsigned int height)
{
	return height ? MS_RANGES_INNER : MS_RANGES_LEAF;
}

static unsigned int node_n(const void *node, unsigned int height)
{
	return height ? ((const struct ms_ranges_inner *)node)->n
		      : ((const struct ms_ranges_leaf *)node)->n;
}

/* Whether a node has so few entries that it is to be joined with a neighbour. */
static bool sparse(const void *node, unsigned int height)
{
	unsigned int n = node_n(node, height);

	return height ? n < MS_RANGES_INNER / 4 : leaf_is_sparse(n);
}

/* Whether two neighbours can be joined: the node that results has to have room left. */
static bool can_join(const void *left, const void *right, unsigned int height)
{
	return node_n(left, height) + node_n(right, height) <= capacity(height) * 3 / 4;
}

/* Moves everything of `right` behind everything of `left`. */
static void join(void *left, void *right, unsigned int height)
{
	struct ms_ranges_inner *in = left;
	const struct ms_ranges_inner *other = right;

	if (!height) {
		leaf_append(left, right, 0, node_n(right, 0));
		return;
	}
	inner_move(in, in->n, other, 0, other->n);
	in->n = (uint8_t)(in->n + other->n);
	inner_derive(in);
}

/* Child c of parent has become sparse: frees it if it is empty, or joins it with a neighbour.
 * false: it stays. */
static bool shed(struct ms_ranges *t, struct ms_ranges_inner *parent, unsigned int c,
		 unsigned int height)
{
	void **child = parent->child;
	unsigned int left;

	if (!node_n(child[c], height)) {
		node_free(t, child[c], height);
		inner_remove(parent, c);
		return true;
	}
	if (c && can_join(child[c - 1], child[c], height))
		left = c - 1;
	else if (c + 1u < parent->n && can_join(child[c], child[c + 1], height))
		left = c;
	else
		return false;
	join(child[left], child[left + 1], height);
	node_free(t, child[left + 1], height);
	inner_remove(parent, left + 1);
	inner_note(parent, left, summary_of(child[left], height));
	return true;
}

/* Where the root has one child left, that becomes the root. */
static void lower_root(struct ms_ranges *t)
{
	while (t->height) {
		struct ms_ranges_inner *root = t->root;

		if (root->n > 1)
			return;
		t->root = root->n ? root->child[0] : NULL;
		t->height = root->n ? t->height - 1 : 0;
		ms_free(t->alloc, root);
	}
}

/* pos's leaf is sparse: from there upward nodes are freed or joined, up to the first that stays. */
static __attribute__((noinline)) void thin_out(struct ms_ranges *t, const struct ms_ranges_pos *pos)
{
	void *node = pos->leaf;

	for (unsigned int height = 0; height < t->height; node = pos->node[height++]) {
		if (!sparse(node, height) || !shed(t, pos->node[height], pos->at[height], height)) {
			refresh(t, pos, height);
			return;
		}
		ms_ranges_forget(t);
	}
	lower_root(t);
}

void ms_ranges_remove(struct ms_ranges *t, struct ms_ranges_pos *pos)
{
	struct ms_ranges_leaf *leaf = pos->leaf;
	bool changed = leaf_remove(leaf, pos->i);

	if (pos != &t->finger)
		ms_ranges_forget(t);
	else if (!pos->last)
		pos->high = leaf->max;
	t->count--;
	if (!t->height)
		return;
	if (sparse(leaf, 0))
		thin_out(t, pos);
	else if (changed)
		refresh(t, pos, 0);
}

/* ---- shrink ---- */

void ms_ranges_shrink(struct ms_ranges *t, struct ms_ranges_pos *pos, uint64_t end)
{
	struct ms_range *r = ms_leaf_range(pos->leaf, pos->i);
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
	ms_ranges_forget(t);
}
