/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of ms_mm_check(): check.c checks VMAs, vma_tree_check.c their tree, check_table.c page
 * tables, and check_file.c files.
 */
#ifndef MS_MM_CHECK_H
#define MS_MM_CHECK_H

#include "core/check.h"
#include "mm/vma_cursor.h"

#define MS_VMA_FORMAT "mm %u: VMA %#" PRIx64 "-%#" PRIx64
#define MS_VMA_ARGS(vma) (vma)->vm_mm->id, (vma)->vm_start, (vma)->vm_end

/* The page table of mm against its VMAs; counts the pages that are mapped. */
void ms_check_page_table(struct ms_check *c, struct ms_mm *mm);
/* Files, their address spaces and page caches, once every VMA has been counted. */
void ms_check_files(struct ms_check *c);

/* How much is in a tree of VMAs. */
struct ms_vma_tree_count {
	size_t vmas, nodes;
};
/* Answers NULL, or what is wrong with the tree; then *count covers only a part of it. */
const char *ms_vma_tree_check(const struct ms_vma_tree *t, struct ms_vma_tree_count *count);

/*
 * Walks the VMAs in the order of the tree's leaves. It trusts the leaves' links alone, not what the
 * VMAs say of themselves: for (struct ms_vma_place p = ms_check_first(mm); ms_check_vma(p);
 * p = ms_check_next(p))
 */
static inline struct ms_vma_place ms_check_first(const struct ms_mm *mm)
{
	void *node = mm->vmas.root;

	for (unsigned int height = mm->vmas.height; height; height--)
		node = ((struct ms_vma_inner *)node)->child[0];
	return (struct ms_vma_place){ node, 0 };
}
static inline bool ms_check_has_vma(const struct ms_vma_leaf *leaf, unsigned int i)
{
	return i < leaf->n && leaf->slot[i].end != UINT64_MAX;
}
static inline struct ms_vma *ms_check_vma(struct ms_vma_place p)
{
	return p.leaf && ms_check_has_vma(p.leaf, p.i) ? p.leaf->slot[p.i].vma : NULL;
}
static inline struct ms_vma_place ms_check_next(struct ms_vma_place p)
{
	return ms_check_has_vma(p.leaf, p.i + 1) ? (struct ms_vma_place){ p.leaf, p.i + 1 }
						 : (struct ms_vma_place){ p.leaf->next, 0 };
}

bool ms_check_is_mm(const struct ms_machine *m, const struct ms_mm *mm);
/* Counts a reference to a page; `who` and `addr` say where it was found. */
void ms_check_page(struct ms_check *c, ms_pfn_t pfn, const char *who, uint64_t addr);

#endif
