/* SPDX-License-Identifier: GPL-2.0-only */
/* Holds of memory types, for those who have them and are hashed. */
#ifndef MS_PAT_HASH_H
#define MS_PAT_HASH_H

#include "core/hash.h"
#include "pat/tracking.h"

/* The hold, and where it is met first all that is known of it. NULL is allowed. */
void ms_pat_hash_ctx(struct ms_hash *h, const struct ms_pfnmap_ctx *ctx);

#endif
