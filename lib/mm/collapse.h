/* SPDX-License-Identifier: GPL-2.0-only */
/* MADV_COLLAPSE of one block: anonymous memory (collapse.c) and memory files (collapse_file.c). */
#ifndef MS_MM_COLLAPSE_H
#define MS_MM_COLLAPSE_H

#include "mm/move.h"

/* The kernel's enum scan_result, reduced to the results that have different consequences. */
enum ms_scan {
	MS_SCAN_SUCCEED,
	MS_SCAN_LOCKED,    /* EAGAIN; other blocks are still tried */
	MS_SCAN_REFUSED,   /* EINVAL; other blocks are still tried */
	MS_SCAN_STOP,      /* EINVAL, and no other block is tried */
	MS_SCAN_NO_MEMORY, /* ENOMEM, and no other block is tried */
};
#define MS_SCAN_EMPTY "nothing of the block is mapped"
/* Says why the block at addr is not collapsed. Answers result. */
enum ms_scan ms_scan_refuse(const struct ms_vma *vma, ms_hva_t addr, enum ms_scan result,
			    const char *why);

/* Collapses the aligned block at addr, in the VMA of a memory file. */
enum ms_scan ms_collapse_file(struct ms_vma *vma, ms_hva_t addr);

#endif
