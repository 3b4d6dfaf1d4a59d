/* SPDX-License-Identifier: GPL-2.0-only */
/* Changing the tree of VMAs: insert, move borders, remove. */
#include "mm/vma_hand.h"

/* ---- nodes ---- */

/* Nodes change: the hand is nowhere. */
static void lift_hand(struct ms_vma_tree *t)
{
	t->below = t->above = 0;
	t->asked = UINT64_MAX;
}

union node {
	struct ms_vma_leaf leaf;
	struct ms_vma_inner inner;
};

int ms_mm_init(struct ms_machine *m)
{
	ms_pool_init(&m->vmas, sizeof(struct ms_vma));
	ms_pool_init(&m->vma_nodes, sizeof(union node));
	return 0;
}

void ms_mm_destroy(struct ms_machine *m)
{
	ms_pool_destroy(&m->vmas);
	ms_pool_destroy(&m->vma_nodes);
}

static struct ms_vma_leaf *leaf_new(struct ms_vma_tree *t)
{
	struct ms_vma_leaf *leaf = ms_pool_take(t->machine, &t->machine->vma_nodes);

	for (unsigned int i = 0; i <= MS_VMA_LEAF; i++)
		leaf->slot[i].end = UINT64_MAX;
	leaf->prev = leaf->next = NULL;
	leaf->n = 0;
	return leaf;
}

static struct ms_vma_inner *inner_new(struct ms_vma_tree *t)
{
	struct ms_vma_inner *in = ms_pool_take(t->machine, &t->machine->vma_nodes);

	memset(in->bound, 0xff, sizeof(in->bound));
	in->bound[0] = 0;
	in->n = 0;
	return in;
}

static void node_free(struct ms_vma_tree *t, void *node)
{
	ms_pool_put(t->machine, &t->machine->vma_nodes, node);
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
	// what pending VMAs were promised stays
	if (!ms_pool_reserve(m, &m->vma_nodes, MS_VMA_TREE_NODES * m->vmas_pending + 1))
		return -ENOMEM;
	*t = (struct ms_vma_tree){ .machine = m };
	t->root = leaf_new(t);
	lift_hand(t);
	return 0;
}

void ms_vma_tree_destroy(struct ms_vma_tree *t)
{
	free_below(t, t->root, t->height);
	t->root = NULL;
}

/* ---- the way down to the hand's leaf ---- */

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

/* The VMAs below a node end above `bound`, as each first child says, and at `bound` or below. */
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

/* The border between child c - 1 and child c of a node. */
static void set_border(struct ms_vma_inner *in, unsigned int height, unsigned int c, ms_hva_t bound)
{
	in->bound[c] = bound;
	set_upper(in->child[c - 1], height, bound);
	set_lower(in->child[c], height, bound);
}

/* The hand's leaf is to hold an end above its range. What is behind it ends higher still. */
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

/* ... or one below its range. What is before it ends lower still. */
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

	t->asked = UINT64_MAX;
	t->leaf->start[i] = vma->vm_start = start;
	t->leaf->slot[i].end = vma->vm_end = end;
	if (end > t->above)
		raise_above(t, end);
	else if (end <= t->below)
		lower_below(t, end);
}

/* ---- insert ---- */

/* VMAs that stay in a full leaf when it is split for an insertion at i. */
static unsigned int leaf_keeps(unsigned int i)
{
	// mappings that follow each other upward or downward leave full leaves behind
	if (i == 0 || i == MS_VMA_LEAF)
		return i;
	return (MS_VMA_LEAF + 1) / 2;
}

static void split_inner(struct ms_vma_tree *t, struct way *way, unsigned int height);

/* A new node to the right of the one on the way down, `bound` between them. */
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
		t->root = step->node;
		t->height++;
	} else if (step->node->n == MS_VMA_INNER) {
		split_inner(t, way, height);
	}
	in = step->node;
	c = step->at + 1;
	memmove(in->bound + c + 1, in->bound + c, (in->n + 1 - c) * sizeof(*in->bound));
	memmove(in->child + c + 1, in->child + c, (in->n - c) * sizeof(void *));
	in->bound[c] = bound;
	in->child[c] = node;
	in->n++;
}

static void split_inner(struct ms_vma_tree *t, struct way *way, unsigned int height)
{
	struct step *step = &way->step[height];
	struct ms_vma_inner *left = step->node, *right = inner_new(t);
	// always in the middle: the bound of the height rests on that
	const unsigned int keep = MS_VMA_INNER / 2;
	ms_hva_t bound = left->bound[keep];

	right->n = MS_VMA_INNER - keep;
	memcpy(right->child, left->child + keep, right->n * sizeof(void *));
	memcpy(right->bound, left->bound + keep, (right->n + 1) * sizeof(*left->bound));
	memset(left->bound + keep + 1, 0xff, right->n * sizeof(*left->bound));
	left->n = keep;
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

/* Makes room for a VMA at slot i of the hand's leaf, which is full. */
static void split_leaf(struct ms_vma_tree *t, unsigned int i)
{
	unsigned int keep = leaf_keeps(i);
	struct ms_vma_leaf *left = t->leaf, *right = leaf_new(t);
	ms_hva_t bound = keep ? left->slot[keep - 1].end : left->start[0];
	struct way way;

	find_way(t, &way);
	right->n = MS_VMA_LEAF - keep;
	leaf_move(right, 0, left, keep, right->n);
	for (left->n = keep; keep < MS_VMA_LEAF; keep++)
		left->slot[keep].end = UINT64_MAX;
	right->prev = left;
	right->next = left->next;
	if (left->next)
		left->next->prev = right;
	left->next = right;
	add_sibling(t, &way, 0, right, bound);
	lift_hand(t);
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
	mm->map_count++;
	vma->pending = false;
	ms_vma_tree_unreserve(t->machine);
}

/* ---- remove ---- */

/* Child c of a node goes; its range falls to a neighbour. */
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

/* The hand's leaf is empty, and not the only one. */
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
	lift_hand(t);
}

/* Takes `count` VMAs from slot i on out of the hand's leaf. */
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
	erase(mm, ms_vma_seek_vma(vma), 1);
}

struct ms_vma *ms_vma_tree_take(struct ms_mm *mm, ms_hva_t start, ms_hva_t end,
				struct ms_vma_hole *hole)
{
	struct ms_vma_tree *t = &mm->vmas;
	struct ms_vma *first = NULL, **tail = &first;
	unsigned int i = ms_vma_seek_place(t, start), n = i;
	ms_hva_t from = start;

	ms_vma_hole_prev(hole, ms_vma_place_before(t->leaf, i));
	for (;;) {
		for (; n < t->leaf->n && t->leaf->start[n] < end; n++) {
			*tail = t->leaf->slot[n].vma;
			tail = &(*tail)->next_detached;
		}
		if (t->above >= end)
			break;
		from = t->above;
		erase(mm, i, n - i);
		i = n = ms_vma_seek(t, from);
	}
	*tail = NULL;
	ms_vma_hole_next(hole, ms_vma_place_at(t->leaf, n));
	erase(mm, i, n - i);
	// what comes instead will ask where
	if (from == start && t->above) {
		t->asked = start;
		t->answer = i;
	}
	return first;
}
