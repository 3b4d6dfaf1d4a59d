/* SPDX-License-Identifier: GPL-2.0-only */
/* Changing the tree of VMAs: insert, move borders, remove. */
#include "mm/vma_cursor.h"

/* ---- nodes ---- */

/* The nodes have changed: the cursor is nowhere. */
static void reset_cursor(struct ms_vma_tree *t)
{
	t->below = t->above = 0;
	t->asked = UINT64_MAX;
}

static struct ms_vma_leaf *leaf_new(struct ms_vma_tree *t)
{
	struct ms_vma_leaf *leaf = ms_pool_take(&t->machine->processes->vma_nodes);

	for (unsigned int i = 0; i <= MS_VMA_LEAF; i++)
		leaf->slot[i].end = UINT64_MAX;
	leaf->prev = leaf->next = NULL;
	leaf->gap = 0;
	leaf->n = 0;
	return leaf;
}

static struct ms_vma_inner *inner_new(struct ms_vma_tree *t)
{
	struct ms_vma_inner *in = ms_pool_take(&t->machine->processes->vma_nodes);

	memset(in->bound, 0xff, sizeof(in->bound));
	in->bound[0] = 0;
	in->gap = 0;
	in->n = 0;
	return in;
}

static void node_free(struct ms_vma_tree *t, void *node)
{
	ms_pool_put(&t->machine->processes->vma_nodes, node);
}

static void free_below(struct ms_vma_tree *t, void *node, unsigned int height)
{
	struct ms_vma_inner *in = node;

	for (unsigned int c = 0; height && c < in->n; c++)
		free_below(t, in->child[c], height - 1);
	node_free(t, node);
}

int ms_vma_tree_init(struct ms_vma_tree *t, struct ms_machine *m)
{
	// the nodes that are reserved for pending VMAs are left alone
	if (!ms_pool_reserve(&m->processes->vma_nodes,
			     ms_vma_tree_nodes(m->processes, m->processes->vmas_pending) + 1))
		return -ENOMEM;
	*t = (struct ms_vma_tree){ .machine = m };
	t->root = leaf_new(t);
	reset_cursor(t);
	return 0;
}

void ms_vma_tree_destroy(struct ms_vma_tree *t)
{
	free_below(t, t->root, t->height);
	t->root = NULL;
}

/* ---- the way down to the cursor's leaf ---- */

struct step {
	struct ms_vma_inner *node;
	unsigned int at; /* the child that is taken */
};

struct way {
	struct step step[MS_VMA_TREE_MAX_HEIGHT + 1]; /* [0]: the leaf's parent */
};

static void find_way(const struct ms_vma_tree *t, struct way *way)
{
	void *node = t->root;

	for (unsigned int height = t->height; height--;) {
		struct ms_vma_inner *in = node;
		unsigned int c = ms_vma_child_for(in, t->below);

		way->step[height] = (struct step){ in, c };
		node = in->child[c];
	}
}

/* Set the lower or the upper bound of a node, and of its first or last children down to the leaves,
 * to `bound`. */
static void set_lower(struct ms_vma_inner *in, unsigned int height, ms_hva_t bound)
{
	for (; height; height--, in = in->child[0])
		in->bound[0] = bound;
}
static void set_upper(struct ms_vma_inner *in, unsigned int height, ms_hva_t bound)
{
	for (; height; height--, in = in->child[in->n - 1])
		in->bound[in->n] = bound;
}

/* Sets the border between child c - 1 and child c of a node. */
static void set_border(struct ms_vma_inner *in, unsigned int height, unsigned int c, ms_hva_t bound)
{
	in->bound[c] = bound;
	set_upper(in->child[c - 1], height, bound);
	set_lower(in->child[c], height, bound);
}

/* The cursor's leaf is to hold an end above its range; the VMAs behind it end higher still. */
static void raise_above(struct ms_vma_tree *t, ms_hva_t end)
{
	unsigned int height = 0;
	struct way way;

	find_way(t, &way);
	while (way.step[height].at + 1 == way.step[height].node->n)
		height++;
	set_border(way.step[height].node, height, way.step[height].at + 1, end);
	t->above = end;
}

/* The cursor's leaf is to hold an end below its range; the VMAs before it end lower still. */
static void lower_below(struct ms_vma_tree *t, ms_hva_t end)
{
	unsigned int height = 0;
	struct way way;

	find_way(t, &way);
	while (!way.step[height].at)
		height++;
	set_border(way.step[height].node, height, way.step[height].at, end - 1);
	t->below = end - 1;
}

void ms_vma_tree_move(struct ms_mm *mm, struct ms_vma *vma, ms_hva_t start, ms_hva_t end)
{
	struct ms_vma_tree *t = &mm->vmas;
	unsigned int i = ms_vma_seek_vma(vma);
	bool grew_before = start > vma->vm_start, grew_behind = end < vma->vm_end;

	t->asked = UINT64_MAX;
	t->leaf->start[i] = vma->vm_start = start;
	t->leaf->slot[i].end = vma->vm_end = end;
	if (end > t->above)
		raise_above(t, end);
	else if (end <= t->below)
		lower_below(t, end);
	if (grew_before)
		ms_vma_gap_grew(t, ms_vma_place_at(t->leaf, i),
				ms_vma_end_of(ms_vma_place_before(t->leaf, i)));
	if (grew_behind)
		ms_vma_gap_grew(t, ms_vma_place_at(t->leaf, i + 1), end);
}

/* ---- insert ---- */

/* The number of VMAs that stay in a full leaf when it is split for an insertion at i. */
static unsigned int leaf_keeps(unsigned int i)
{
	// if mappings are made one behind the other, upward or downward, leaves stay full
	if (i == 0 || i == MS_VMA_LEAF)
		return i;
	return (MS_VMA_LEAF + 1) / 2;
}

static void split_inner(struct ms_vma_tree *t, struct way *way, unsigned int height);

/* Adds a node to the right of the one on the way down; `bound` is between them. */
static void add_sibling(struct ms_vma_tree *t, struct way *way, unsigned int height, void *node,
			ms_hva_t bound)
{
	struct step *step = &way->step[height];
	struct ms_vma_inner *in;
	unsigned int c;

	if (height == t->height) {
		*step = (struct step){ inner_new(t), 0 };
		step->node->child[0] = t->root;
		step->node->n = 1;
		step->node->gap = ms_vma_node_gap(t->root, height);
		t->root = step->node;
		t->height++;
		if (t->height > t->machine->processes->tallest)
			t->machine->processes->tallest = t->height;
	} else if (step->node->n == MS_VMA_INNER) {
		split_inner(t, way, height);
	}
	in = step->node;
	c = step->at + 1;
	memmove(in->bound + c + 1, in->bound + c, (in->n + 1 - c) * sizeof(*in->bound));
	memmove(in->child + c + 1, in->child + c, (in->n - c) * sizeof(void *));
	in->bound[c] = bound;
	in->child[c] = node;
	in->gap = ms_max_u64(in->gap, ms_vma_node_gap(node, height));
	in->n++;
}

static void split_inner(struct ms_vma_tree *t, struct way *way, unsigned int height)
{
	struct step *step = &way->step[height];
	struct ms_vma_inner *left = step->node, *right = inner_new(t);
	// always in the middle: MS_VMA_TREE_MAX_HEIGHT relies on that
	const unsigned int keep = MS_VMA_INNER / 2;
	ms_hva_t bound = left->bound[keep];

	right->n = MS_VMA_INNER - keep;
	memcpy(right->child, left->child + keep, right->n * sizeof(void *));
	memcpy(right->bound, left->bound + keep, (right->n + 1) * sizeof(*left->bound));
	memset(left->bound + keep + 1, 0xff, right->n * sizeof(*left->bound));
	left->n = keep;
	right->gap = left->gap;
	add_sibling(t, way, height + 1, right, bound);
	if (step->at >= keep)
		*step = (struct step){ right, step->at - keep };
}

static void leaf_move(struct ms_vma_leaf *dst, unsigned int to, const struct ms_vma_leaf *src,
		      unsigned int from, unsigned int n)
{
	memmove(dst->slot + to, src->slot + from, n * sizeof(*src->slot));
	memmove(dst->start + to, src->start + from, n * sizeof(*src->start));
}

/* Splits the cursor's leaf, which is full, so that a VMA can be inserted at slot i. */
static void split_leaf(struct ms_vma_tree *t, unsigned int i)
{
	const unsigned int keep = leaf_keeps(i);
	struct ms_vma_leaf *left = t->leaf, *right = leaf_new(t);
	ms_hva_t bound = keep ? left->slot[keep - 1].end : left->start[0];
	struct way way;

	find_way(t, &way);
	right->n = MS_VMA_LEAF - keep;
	leaf_move(right, 0, left, keep, right->n);
	for (unsigned int k = keep; k < MS_VMA_LEAF; k++)
		left->slot[k].end = UINT64_MAX;
	left->n = keep;
	right->prev = left;
	right->next = left->next;
	if (left->next)
		left->next->prev = right;
	left->next = right;
	// while the left leaf is empty, the gap before the right one cannot be computed
	right->gap = keep ? ms_vma_leaf_gap(right) : left->gap;
	add_sibling(t, &way, 0, right, bound);
	reset_cursor(t);
}

void ms_vma_tree_insert(struct ms_mm *mm, struct ms_vma *vma)
{
	struct ms_vma_tree *t = &mm->vmas;
	unsigned int i = ms_vma_seek_place(t, vma->vm_start);
	struct ms_vma_leaf *leaf;

	if (t->leaf->n == MS_VMA_LEAF) {
		split_leaf(t, i);
		i = ms_vma_seek(t, vma->vm_start);
	}
	t->asked = UINT64_MAX;
	leaf = t->leaf;
	leaf_move(leaf, i + 1, leaf, i, leaf->n++ - i);
	leaf->slot[i] = (struct ms_vma_slot){ .end = vma->vm_end, .vma = vma };
	leaf->start[i] = vma->vm_start;
	if (vma->vm_end > t->above)
		raise_above(t, vma->vm_end);
	ms_vma_gap_grew(t, ms_vma_place_at(leaf, i), ms_vma_end_of(ms_vma_place_before(leaf, i)));
	mm->map_count++;
	ms_linked(vma)->pending = false;
	ms_vma_tree_unreserve(t->machine);
}

/* ---- remove ---- */

/* Removes child c of a node; a neighbour takes over its range. */
static void remove_child(struct ms_vma_inner *in, unsigned int height, unsigned int c)
{
	unsigned int bound = c ? c : 1;

	memmove(in->bound + bound, in->bound + bound + 1, (in->n - bound) * sizeof(*in->bound));
	in->bound[in->n] = UINT64_MAX;
	in->n--;
	memmove(in->child + c, in->child + c + 1, (in->n - c) * sizeof(void *));
	if (c)
		set_upper(in->child[c - 1], height, in->bound[c]);
	else
		set_lower(in->child[0], height, in->bound[0]);
}

/* Frees the cursor's leaf, which is empty, and not the only one. */
static void drop_leaf(struct ms_vma_tree *t)
{
	struct ms_vma_leaf *leaf = t->leaf;
	struct ms_vma_inner *root;
	unsigned int height = 0;
	struct way way;

	find_way(t, &way);
	if (leaf->prev)
		leaf->prev->next = leaf->next;
	if (leaf->next)
		leaf->next->prev = leaf->prev;
	node_free(t, leaf);
	for (; way.step[height].node->n == 1; height++)
		node_free(t, way.step[height].node);
	remove_child(way.step[height].node, height, way.step[height].at);
	while (t->height && (root = t->root)->n == 1) {
		t->root = root->child[0];
		t->height--;
		node_free(t, root);
	}
	reset_cursor(t);
}

/* Takes `count` VMAs from slot i on out of the cursor's leaf. */
static void erase(struct ms_mm *mm, unsigned int i, unsigned int count)
{
	struct ms_vma_leaf *leaf = mm->vmas.leaf;
	unsigned int end = i + count;

	leaf_move(leaf, i, leaf, end, leaf->n - end);
	for (end = leaf->n, leaf->n -= count; end > leaf->n;)
		leaf->slot[--end].end = UINT64_MAX;
	mm->map_count -= count;
	mm->vmas.asked = UINT64_MAX;
	if (!leaf->n && mm->vmas.height)
		drop_leaf(&mm->vmas);
}

void ms_vma_tree_remove(struct ms_mm *mm, struct ms_vma *vma)
{
	unsigned int i = ms_vma_seek_vma(vma);
	struct ms_vma_leaf *leaf = mm->vmas.leaf;

	ms_vma_gap_grew(&mm->vmas, ms_vma_place_at(leaf, i + 1),
			ms_vma_end_of(ms_vma_place_before(leaf, i)));
	erase(mm, i, 1);
}

/* Appends the VMAs of the leaf from slot i on that start below `end` to the chain. */
static unsigned int chain(const struct ms_vma_leaf *leaf, unsigned int i, ms_hva_t end,
			  struct ms_vma ***tail)
{
	for (; i < leaf->n && leaf->start[i] < end; i++) {
		**tail = leaf->slot[i].vma;
		*tail = &ms_linked(**tail)->next_detached;
	}
	return i;
}

struct ms_vma *ms_vma_tree_detach(struct ms_mm *mm, ms_hva_t start, ms_hva_t end,
				  struct ms_vma_gap *gap)
{
	struct ms_vma_tree *t = &mm->vmas;
	struct ms_vma *first = NULL, **tail = &first;
	unsigned int i = ms_vma_seek_place(t, start), stop;
	struct ms_vma_place prev = ms_vma_place_before(t->leaf, i), next;
	bool one_leaf = t->above >= end;

	gap->prev = ms_vma_of(prev);
	gap->prev_end = ms_vma_end_of(prev);
	stop = chain(t->leaf, i, end, &tail);
	while (t->above < end) {
		ms_hva_t border = t->above;

		erase(mm, i, stop - i);
		i = ms_vma_seek(t, border);
		stop = chain(t->leaf, i, end, &tail);
	}
	*tail = NULL;
	next = ms_vma_place_at(t->leaf, stop);
	gap->next = ms_vma_of(next);
	gap->next_start = next.leaf ? ms_vma_start_of(next) : 0;
	ms_vma_gap_grew(t, next, gap->prev_end);
	erase(mm, i, stop - i);
	// whoever maps something there instead will look for this place
	if (one_leaf && t->above) {
		t->asked = start;
		t->answer = i;
	}
	return first;
}
