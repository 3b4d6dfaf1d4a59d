/* SPDX-License-Identifier: GPL-2.0-only */
/* Checks what must hold in the tree of VMAs. */
#include "mm/check.h"

struct walk {
	const struct ms_vma_tree *t;
	const struct ms_vma_leaf *last; /* the leaf before */
	struct ms_vma_tree_count count;
	ms_hva_t last_end; /* of the VMA before */
	bool cursor;       /* the cursor's leaf was found, and its range is right */
};

static const char *check_slot(struct walk *w, const struct ms_vma_leaf *leaf, unsigned int i,
			      ms_hva_t below, ms_hva_t above)
{
	const struct ms_vma_slot *slot = &leaf->slot[i];

	if (slot->end <= below || slot->end > above)
		return "a VMA ends outside of its leaf's range";
	if (leaf->start[i] >= slot->end || (i && leaf->start[i] < slot[-1].end))
		return "a leaf is out of order";
	if (leaf->start[i] != slot->vma->vm_start || slot->end != slot->vma->vm_end)
		return "a VMA's borders are not those of its place";
	if (ms_linked(slot->vma)->pending)
		return "a VMA is said not to be there yet";
	if (leaf->start[i] - w->last_end > leaf->gap)
		return "a gap is larger than its leaf says";
	w->last_end = slot->end;
	return NULL;
}

static const char *check_leaf(struct walk *w, const struct ms_vma_leaf *leaf, ms_hva_t below,
			      ms_hva_t above)
{
	const char *broken = NULL;

	if (leaf->n > MS_VMA_LEAF || (!leaf->n && w->t->height))
		return "a leaf has a wrong number of VMAs";
	if (leaf->prev != w->last || (w->last && w->last->next != leaf))
		return "neighbouring leaves do not know each other";
	w->last = leaf;
	w->count.vmas += leaf->n;
	w->cursor |= leaf == w->t->leaf && below == w->t->below && above == w->t->above;
	for (unsigned int i = 0; i < leaf->n && !broken; i++)
		broken = check_slot(w, leaf, i, below, above);
	for (unsigned int i = leaf->n; i <= MS_VMA_LEAF && !broken; i++)
		if (leaf->slot[i].end != UINT64_MAX)
			broken = "an empty slot has an end";
	return broken;
}

static const char *check_node(struct walk *w, const void *node, unsigned int height, ms_hva_t below,
			      ms_hva_t above)
{
	const struct ms_vma_inner *in = node;
	const char *broken = NULL;

	w->count.nodes++;
	if (!height)
		return check_leaf(w, node, below, above);
	if (in->n > MS_VMA_INNER || in->n < (height == w->t->height ? 2 : 1))
		return "an inner node has a wrong number of children";
	if (in->bound[0] != below || in->bound[in->n] != above)
		return "an inner node's bounds are not those above it";
	for (unsigned int c = in->n + 1; c < MS_VMA_INNER + 2; c++)
		if (in->bound[c] != UINT64_MAX)
			return "an absent child has a bound";
	for (unsigned int c = 0; c < in->n && !broken; c++) {
		if (in->bound[c] >= in->bound[c + 1])
			return "an inner node's bounds are out of order";
		if (ms_vma_node_gap(in->child[c], height - 1) > in->gap)
			return "a gap is larger than the node above it says";
		broken = check_node(w, in->child[c], height - 1, in->bound[c], in->bound[c + 1]);
	}
	return broken;
}

/* The cursor is at a leaf, or nowhere. Its last answer must be right, unless it is marked as
 * outdated. */
static const char *check_cursor(const struct walk *w)
{
	const struct ms_vma_tree *t = w->t;
	unsigned int i = 0;

	if (t->below == t->above)
		return t->asked == UINT64_MAX ? NULL : "the cursor is nowhere, and knows an answer";
	if (!w->cursor)
		return "the cursor is at no leaf";
	while (t->leaf->slot[i].end <= t->asked && i < t->leaf->n)
		i++;
	return t->asked == UINT64_MAX || t->answer == i ? NULL : "the cursor's answer is wrong";
}

const char *ms_vma_tree_check(const struct ms_vma_tree *t, struct ms_vma_tree_count *count)
{
	struct walk w = { .t = t };
	const char *broken = check_node(&w, t->root, t->height, 0, UINT64_MAX);

	*count = w.count;
	if (broken)
		return broken;
	if (w.last->next)
		return "there is a leaf behind the last";
	return check_cursor(&w);
}
