/* SPDX-License-Identifier: GPL-2.0-only */
/* All of a table, for who compares one with another. */
#ifndef MS_TDP_EACH_H
#define MS_TDP_EACH_H

#include <mapsim/tdp.h>

enum ms_tdp_kind { MS_TDP_TABLE, MS_TDP_LEAF, MS_TDP_MARK };

/* An entry that is not 0. */
struct ms_tdp_entry {
	ms_ipa_t ipa;
	unsigned int level;
	enum ms_tdp_kind kind;
	uint64_t bits;       /* of a leaf: all but the address */
	ms_pa_t pa;          /* of a leaf */
	uint64_t generation; /* of a mark: as ms_tdp_next_mmio() says it */
	bool tagged;         /* of a table: by the caller */
};
typedef void ms_tdp_entry_fn(void *ctx, const struct ms_tdp_entry *entry);
/* Calls fn for each, by address; behind one that points to a table for those in it. */
void ms_tdp_each(const struct ms_tdp *tdp, ms_tdp_entry_fn *fn, void *ctx);

#endif
