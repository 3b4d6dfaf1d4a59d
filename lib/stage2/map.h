/* SPDX-License-Identifier: GPL-2.0-only */
/* A request to map, as far as it is done: map.c maps leaves with it, split.c builds tables. */
#ifndef MS_S2_MAP_H
#define MS_S2_MAP_H

#include "s2.h"

struct map {
	struct ms_s2 *s2;
	ms_ipa_t addr, end; // what is left
	ms_pa_t pa;         // of addr
	uint64_t attr;
	struct ms_s2_cache *cache;
	bool force_pages; // no blocks
	bool maintain;    // caches, for the new leaves
};

/* Maps the part of the request that lies in this table, and advances m past it; after an error m
 * is where it failed. */
int ms_s2_map_table(struct map *m, uint32_t table, unsigned int level);

/* Puts a table into an empty entry. */
void ms_s2_link_table(struct ms_s2 *s2, uint32_t table, uint64_t *word, ms_ipa_t addr,
		      unsigned int level, uint32_t child);

#endif
