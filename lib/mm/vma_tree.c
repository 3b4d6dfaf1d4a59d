/* SPDX-License-Identifier: GPL-2.0-only */
/* Finding VMAs in their tree; vma_tree_update.c changes it. */
#include "mm/vma_cursor.h"

/*
 * What the search in a node reads next depends on what it has read before. If the node is not in
 * the cache, it is better to load all of it at once.
 */
static inline void prefetch_inner(const struct ms_vma_inner *in)
{
	__builtin_prefetch(&in->bound[0]);
	for (unsigned int c = 0; c < MS_VMA_INNER; c += 8)
		__builtin_prefetch(&in->child[c]);
}
static inline void prefetch_leaf(const struct ms_vma_leaf *leaf)
{
	__builtin_prefetch(&leaf->slot[0]);
	__builtin_prefetch(&leaf->slot[16]);
}

void ms_vma_descend(struct ms_vma_tree *t, ms_hva_t addr)
{
	const struct ms_vma_inner *in = NULL;
	void *node = t->root;
	unsigned int c = 0;

	for (unsigned int height = t->height; height; height--) {
		in = node;
		prefetch_inner(in);
		c = ms_vma_child_for(in, addr);
		node = in->child[c];
	}
	prefetch_leaf(node);
	t->leaf = node;
	t->below = in ? in->bound[c] : 0;
	t->above = in ? in->bound[c + 1] : UINT64_MAX;
	t->asked = UINT64_MAX;
}

static inline struct ms_vma *find_vma(struct ms_mm *mm, ms_hva_t addr)
{
	unsigned int i;

	if (addr == UINT64_MAX)
		return NULL;
	i = ms_vma_seek(&mm->vmas, addr);
	return ms_vma_of(ms_vma_place_at(mm->vmas.leaf, i));
}

// mirrors find_vma(), mm/mmap.c, 5.10+
struct ms_vma *ms_find_vma(struct ms_mm *mm, ms_hva_t addr)
{
	return mm ? find_vma(mm, addr) : NULL;
}

// mirrors vma_lookup(), include/linux/mm.h, 6.1+
struct ms_vma *ms_vma_lookup(struct ms_mm *mm, ms_hva_t addr)
{
	struct ms_vma *vma = mm ? find_vma(mm, addr) : NULL;

	return vma && vma->vm_start <= addr ? vma : NULL;
}

/* mirrors find_vma_intersection(), include/linux/mm.h, 5.10 .. 5.10; find_vma_intersection(),
 * mm/mmap.c, 6.1+ */
struct ms_vma *ms_find_vma_intersection(struct ms_mm *mm, ms_hva_t start, ms_hva_t end)
{
	unsigned int i = ms_vma_seek_place(&mm->vmas, start);
	struct ms_vma_place p = ms_vma_place_at(mm->vmas.leaf, i);

	return p.leaf && ms_vma_start_of(p) < end ? ms_vma_of(p) : NULL;
}

// mirrors find_vma_prev(), mm/mmap.c, 5.10+: of its `pprev`
struct ms_vma *ms_find_vma_before(struct ms_mm *mm, ms_hva_t addr)
{
	unsigned int i = ms_vma_seek(&mm->vmas, addr);
	struct ms_vma_place p = ms_vma_place_at(mm->vmas.leaf, i);

	if (!p.leaf || ms_vma_start_of(p) >= addr)
		p = ms_vma_place_before(mm->vmas.leaf, i);
	return ms_vma_of(p);
}

struct ms_vma *ms_vma_next(const struct ms_vma *vma)
{
	if (!vma)
		return NULL;
	unsigned int i = ms_vma_seek_vma(vma);

	return ms_vma_of(ms_vma_place_at(vma->vm_mm->vmas.leaf, i + 1));
}

struct ms_vma *ms_vma_prev(const struct ms_vma *vma)
{
	unsigned int i = ms_vma_seek_vma(vma);

	return ms_vma_of(ms_vma_place_before(vma->vm_mm->vmas.leaf, i));
}

struct ms_vma *ms_find_gap(struct ms_mm *mm, ms_hva_t start, ms_hva_t end, struct ms_vma_gap *gap)
{
	unsigned int i = ms_vma_seek_place(&mm->vmas, start);
	struct ms_vma_place next = ms_vma_place_at(mm->vmas.leaf, i), prev;

	if (next.leaf && ms_vma_start_of(next) < end)
		return ms_vma_of(next);
	prev = ms_vma_place_before(mm->vmas.leaf, i);
	*gap = (struct ms_vma_gap){
		.prev = ms_vma_of(prev),
		.next = ms_vma_of(next),
		.prev_end = ms_vma_end_of(prev),
		.next_start = next.leaf ? ms_vma_start_of(next) : 0,
	};
	return NULL;
}
