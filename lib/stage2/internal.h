/* SPDX-License-Identifier: GPL-2.0-only */
/* What other rooms of the library may ask of a stage-2 table besides <mapsim/stage2.h>. */
#ifndef MS_STAGE2_INTERNAL_H
#define MS_STAGE2_INTERNAL_H

#include <mapsim/stage2.h>

/* How many of its tables are in its callers' caches. */
unsigned int ms_s2_cached_tables(const struct ms_s2 *s2);

#endif
