/* SPDX-License-Identifier: GPL-2.0-only */
/* i_mmap: the VMAs over an address space, an interval tree by file pages. Mirrors
 * mm/interval_tree.c. */
#include "mm/internal.h"

static uint64_t first_page(const struct ms_linked_vma *l)
{
	return l->vma.vm_pgoff;
}

static uint64_t last_page(const struct ms_linked_vma *l)
{
	return l->vma.vm_pgoff + ms_vma_pages(&l->vma) - 1;
}

static void augment(struct ms_linked_vma *l)
{
	const struct ms_linked_vma *left = RB_LEFT(l, i_mmap), *right = RB_RIGHT(l, i_mmap);
	uint64_t last = last_page(l);

	if (left)
		last = ms_max_u64(last, left->i_mmap_last);
	if (right)
		last = ms_max_u64(last, right->i_mmap_last);
	l->i_mmap_last = last;
}

// VMAs with equal starts stay in the order of their insertion.
static int i_mmap_cmp(const struct ms_linked_vma *a, const struct ms_linked_vma *b)
{
	return first_page(a) < first_page(b) ? -1 : 1;
}

#undef RB_AUGMENT
#define RB_AUGMENT(l) augment(l)
RB_GENERATE_INTERNAL(ms_i_mmap, ms_linked_vma, i_mmap, i_mmap_cmp, static __attribute__((unused)))

static void augment_up(struct ms_linked_vma *l)
{
	for (; l; l = RB_PARENT(l, i_mmap))
		augment(l);
}

/* mirrors vma_interval_tree_insert(), mm/interval_tree.c, 5.10 .. 7.2;
 * mapping_rmap_tree_insert(), mm/interval_tree.c, 7.3+ */
void ms_i_mmap_insert(struct ms_vma *vma)
{
	struct ms_linked_vma *l = ms_linked(vma);

	if (!vma->vm_file)
		return;
	RB_INSERT(ms_i_mmap, &vma->vm_file->mapping->i_mmap, l);
	augment_up(l);
}

/* Directly behind prev in the tree's order.
 * mirrors vma_interval_tree_insert_after(), mm/interval_tree.c, 5.10 .. 7.2;
 * mapping_rmap_tree_insert_after(), mm/interval_tree.c, 7.3+ */
void ms_i_mmap_insert_after(struct ms_vma *vma, struct ms_vma *prev)
{
	struct ms_linked_vma *l = ms_linked(vma), *parent = ms_linked(prev);
	struct ms_i_mmap *root;

	if (!vma->vm_file)
		return;
	root = &vma->vm_file->mapping->i_mmap;
	if (!RB_RIGHT(parent, i_mmap)) {
		RB_SET(l, parent, i_mmap);
		RB_RIGHT(parent, i_mmap) = l;
	} else {
		parent = RB_RIGHT(parent, i_mmap);
		while (RB_LEFT(parent, i_mmap))
			parent = RB_LEFT(parent, i_mmap);
		RB_SET(l, parent, i_mmap);
		RB_LEFT(parent, i_mmap) = l;
	}
	augment_up(l);
	ms_i_mmap_RB_INSERT_COLOR(root, l);
	augment_up(l);
}

/* mirrors vma_interval_tree_remove(), mm/interval_tree.c, 5.10 .. 7.2;
 * mapping_rmap_tree_remove(), mm/interval_tree.c, 7.3+ */
void ms_i_mmap_remove(struct ms_vma *vma)
{
	struct ms_linked_vma *l = ms_linked(vma), *parent;

	if (!vma->vm_file)
		return;
	parent = RB_PARENT(l, i_mmap);
	RB_REMOVE(ms_i_mmap, &vma->vm_file->mapping->i_mmap, l);
	// RB_REMOVE augments up to the root only if another VMA takes the place of this one
	augment_up(parent);
}

/* The first of the subtree, which reaches to `first`, that overlaps [first, last]. */
static struct ms_vma *first_in(struct ms_linked_vma *l, uint64_t first, uint64_t last)
{
	for (;;) {
		struct ms_linked_vma *left = RB_LEFT(l, i_mmap);

		if (left && left->i_mmap_last >= first) {
			l = left;
			continue;
		}
		if (first_page(l) > last)
			return NULL;
		if (last_page(l) >= first)
			return &l->vma;
		l = RB_RIGHT(l, i_mmap);
		if (!l || l->i_mmap_last < first)
			return NULL;
	}
}

/* mirrors vma_interval_tree_iter_first(), mm/interval_tree.c, 5.10 .. 7.2;
 * mapping_rmap_tree_iter_first(), mm/interval_tree.c, 7.3+ */
struct ms_vma *ms_i_mmap_first(struct ms_mapping *mapping, uint64_t first, uint64_t last)
{
	struct ms_linked_vma *root = RB_ROOT(&mapping->i_mmap);

	return root && root->i_mmap_last >= first ? first_in(root, first, last) : NULL;
}

/* mirrors vma_interval_tree_iter_next(), mm/interval_tree.c, 5.10 .. 7.2;
 * mapping_rmap_tree_iter_next(), mm/interval_tree.c, 7.3+ */
struct ms_vma *ms_i_mmap_next(struct ms_vma *vma, uint64_t first, uint64_t last)
{
	struct ms_linked_vma *l = ms_linked(vma);

	while ((l = RB_NEXT(ms_i_mmap, NULL, l))) {
		if (first_page(l) > last)
			return NULL;
		if (last_page(l) >= first)
			return &l->vma;
	}
	return NULL;
}
