/* SPDX-License-Identifier: GPL-2.0-only */
/* What madvise does to pages that stay mapped (madvise_free.c). */
#ifndef MS_MM_MADVISE_H
#define MS_MM_MADVISE_H

#include "mm/internal.h"

/* madvise_free_single_vma: pages of [start, end), inside the VMA, become old and clean. -EINVAL:
 * not anonymous. */
int ms_madvise_free(struct ms_vma *vma, ms_hva_t start, ms_hva_t end);
/* madvise_cold, madvise_pageout: pages become old; there is no swap that they could go to. */
void ms_madvise_cold(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, bool pageout);

#endif
