/* SPDX-License-Identifier: GPL-2.0-only */
/* Splitting compound pages, which the page cache asks for when a hole cuts a huge page. */
#ifndef MS_PHYS_SPLIT_H
#define MS_PHYS_SPLIT_H

#include "phys/internal.h"

/*
 * The compound page that pfn is in becomes blocks of 2^new_order pages, and its references are
 * dealt out among them in equal shares. Nothing is done where it is no larger than that. false: no
 * memory for the frames, or its references cannot be shared evenly; nothing has changed then.
 */
bool ms_page_split(struct ms_machine *m, ms_pfn_t pfn, unsigned int new_order);

#endif
