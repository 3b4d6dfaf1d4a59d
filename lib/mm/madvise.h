/* SPDX-License-Identifier: GPL-2.0-only */
/* What madvise does to pages that stay mapped (madvise_free.c). */
#ifndef MS_MM_MADVISE_H
#define MS_MM_MADVISE_H

#include "mm/internal.h"

/* Pages of [start, end), inside the VMA, become old and clean. -EINVAL: it is not anonymous. */
int ms_madvise_free(struct ms_vma *vma, ms_hva_t start, ms_hva_t end);
/* Pages become old; pageout: they stay as they are, since there is no swap. In both cases huge
 * pages that the range cuts are split. */
void ms_madvise_cold(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, bool pageout);

#endif
