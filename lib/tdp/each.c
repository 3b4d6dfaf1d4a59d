/* SPDX-License-Identifier: GPL-2.0-only */
#include "each.h"

#include "mmu.h"

struct each {
	const struct ms_tdp *tdp;
	ms_tdp_entry_fn *fn;
	void *ctx;
};

static void each_entry(const struct each *e, uint32_t number, ms_ipa_t base, unsigned int level);

static void tell_entry(const struct each *e, uint64_t w, ms_ipa_t ipa, unsigned int level)
{
	struct ms_tdp_entry entry = { .ipa = ipa, .level = level };

	if (entry_is_table(w, level)) {
		entry.kind = MS_TDP_TABLE;
		entry.tagged = e->tdp->tables[entry_table(w)].tagged;
	} else if (entry_is_leaf(w, level)) {
		entry.kind = MS_TDP_LEAF;
		entry.pa = entry_pa(w);
		entry.bits = w & ~TDP_ADDRESS;
	} else {
		entry.kind = MS_TDP_MARK;
		entry.generation = ms_tdp_mark_generation(&e->tdp->f, w);
	}
	e->fn(e->ctx, &entry);
	if (entry.kind == MS_TDP_TABLE)
		each_entry(e, entry_table(w), ipa, level - 1);
}

static void each_entry(const struct each *e, uint32_t number, ms_ipa_t base, unsigned int level)
{
	const struct tdp_table *table = &e->tdp->tables[number];
	const unsigned int shift = level_shift(level);

	for (unsigned int i = 0, left = table->live; left; i++)
		if (table->words[i]) {
			left--;
			tell_entry(e, table->words[i], base + ((uint64_t)i << shift), level);
		}
}

void ms_tdp_each(const struct ms_tdp *tdp, ms_tdp_entry_fn *fn, void *ctx)
{
	const struct each e = { tdp, fn, ctx };

	each_entry(&e, 0, 0, tdp->config.levels);
}
