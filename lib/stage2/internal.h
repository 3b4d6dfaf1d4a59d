/* SPDX-License-Identifier: GPL-2.0-only */
/* What other rooms of the library may ask of a stage-2 table besides <mapsim/stage2.h>. */
#ifndef MS_STAGE2_INTERNAL_H
#define MS_STAGE2_INTERNAL_H

#include <mapsim/stage2.h>

/* How many of its tables are in its callers' caches. */
unsigned int ms_s2_cached_tables(const struct ms_s2 *s2);

/* An entry that is not 0. bits: all but the address; 0 where it points to a table, whose entries
 * follow. pa: of a leaf. */
typedef void ms_s2_entry_fn(void *ctx, ms_ipa_t ipa, unsigned int level, uint64_t bits, ms_pa_t pa);
/* Calls fn for each, by address. */
void ms_s2_each(const struct ms_s2 *s2, ms_s2_entry_fn *fn, void *ctx);

#endif
