/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What mremap.c, madvise.c and mlock.c use: moving VMAs (move_vma.c) and page-table entries
 * (move.c), faulting pages in for others (gup.c), collapsing pages into a huge one (collapse.c).
 */
#ifndef MS_MM_MOVE_H
#define MS_MM_MOVE_H

#include "mm/internal.h"

/* The state of an mremap. Shrinking shortens old_len, choosing a place sets new_addr. */
struct ms_remap {
	struct ms_mm *mm;
	ms_hva_t addr;
	uint64_t old_len, new_len; /* bytes, rounded up */
	unsigned int flags;        /* MS_MREMAP_* */
	ms_hva_t new_addr;
	struct ms_vma *vma; /* the one that addr lies in, once it has been looked up */
	bool populate;      /* the VMA is locked and grows */
};

static inline const struct ms_policy *ms_remap_policy(const struct ms_remap *rm)
{
	return &rm->mm->machine->policy;
}

/*
 * move_vma(): moves [addr, addr + old_len), inside of vma, to [new_addr, new_addr + new_len), which
 * is empty. Answers new_addr, or a negative errno: then everything is where it was.
 */
int64_t ms_move_vma(struct ms_remap *rm);

/*
 * move_page_tables(): moves the entries of [old_addr, old_addr + len) of vma to new_addr of
 * new_vma. Answers the number of bytes that were moved: less than len if there is no memory.
 */
uint64_t ms_move_page_tables(struct ms_vma *vma, ms_hva_t old_addr, struct ms_vma *new_vma,
			     ms_hva_t new_addr, uint64_t len);

/* check_vma_flags(): may get_user_pages take pages of the VMA? how: MS_GUP_ bits. 0 or -EFAULT. */
int ms_check_vma_flags(const struct ms_vma *vma, unsigned int how);
/* Makes [start, end), inside the VMA, present (write: and writable). 0, -EFAULT, -ENOMEM; what was
 * faulted in before an error stays. */
int ms_fault_in_range(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, bool write);
/* __mm_populate() that does not ignore errors, as mlock calls it. 0, -EFAULT, -ENOMEM. */
int ms_mm_populate_strict(struct ms_mm *mm, ms_hva_t start, uint64_t len);

/* madvise_collapse() of [start, end) of the VMA. */
int ms_madvise_collapse(struct ms_vma *vma, ms_hva_t start, ms_hva_t end);

#endif
