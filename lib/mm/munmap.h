/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An unmap in its steps, for munmap (all in a row) and for MAP_FIXED (which may fail in between, by
 * policy mmap_fixed).
 */
#ifndef MS_MM_MUNMAP_H
#define MS_MM_MUNMAP_H

#include "mm/internal.h"

struct ms_munmap {
	struct ms_mm *mm;
	ms_hva_t start, end;
	struct ms_vma *vmas;   /* detached, by address, through next_detached */
	struct ms_vma_gap gap; /* what it leaves: the neighbours that stay */
	bool closed;
};

/* Splits what reaches over the borders alone, as the first step of ms_gather_munmap(). */
int ms_split_munmap(struct ms_munmap *um, struct ms_vma *vma, ms_hva_t start, ms_hva_t end);
/*
 * Splits the borders and takes the VMAs of [start, end) out of the tree; vma is the first that
 * overlaps it. An error leaves the splits, and nothing detached.
 */
int ms_gather_munmap(struct ms_munmap *um, struct ms_vma *vma, ms_hva_t start, ms_hva_t end);
/* Notifier, untrack, zap, page tables. */
void ms_clear_munmap(struct ms_munmap *um);
/* vm_ops->close of each, ahead of ms_complete_munmap. */
void ms_close_munmap(struct ms_munmap *um);
/* Closes (unless done) and frees the VMAs. */
void ms_complete_munmap(struct ms_munmap *um);

#endif
