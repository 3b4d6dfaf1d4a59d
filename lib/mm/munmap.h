/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The steps of an unmap. munmap takes all of them in a row; mmap with MAP_FIXED may fail in between
 * (policy mmap_fixed).
 */
#ifndef MS_MM_MUNMAP_H
#define MS_MM_MUNMAP_H

#include "mm/internal.h"

struct ms_munmap {
	struct ms_mm *mm;
	ms_hva_t start, end;
	struct ms_vma *vmas;   /* the detached ones: a chain through next_detached, by address */
	struct ms_vma_gap gap; /* the neighbours of the gap that the unmap makes */
	bool closed;
};

/* Splits the VMAs that reach over the borders of [start, end); vma is the first that overlaps it.
 */
int ms_split_munmap(struct ms_munmap *um, struct ms_vma *vma, ms_hva_t start, ms_hva_t end);
/* Then takes the VMAs out of the tree. */
void ms_detach_munmap(struct ms_munmap *um);
/* Both of them. After an error splits may stay, but nothing is detached. */
int ms_gather_munmap(struct ms_munmap *um, struct ms_vma *vma, ms_hva_t start, ms_hva_t end);
/* Unmaps the detached VMAs: notifiers, untracking, zap, page tables. */
void ms_clear_munmap(struct ms_munmap *um);
/* Calls vm_ops->close of each, earlier than ms_complete_munmap() would. */
void ms_close_munmap(struct ms_munmap *um);
/* Closes the VMAs, unless that is done, and frees them. */
void ms_complete_munmap(struct ms_munmap *um);

#endif
