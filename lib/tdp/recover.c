/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables of small leaves make room for huge ones again. */
#include "mmu.h"

struct recover {
	struct ms_tdp *tdp;
	ms_ipa_t end;
	ms_tdp_allowed_fn *allowed;
	void *ctx;
	uint64_t recovered;
};

/* The first leaf below a table; 0: there is none. */
static uint64_t first_leaf(const struct ms_tdp *tdp, uint32_t number, unsigned int level)
{
	const struct tdp_table *table = &tdp->tables[number];

	for (unsigned int i = 0; table->live && i < TDP_ENTRIES; i++) {
		uint64_t w = table->words[i];

		if (entry_is_leaf(w, level))
			return w;
		if (entry_is_table(w, level))
			w = first_leaf(tdp, entry_table(w), level - 1);
		if (entry_present(w))
			return w;
	}
	return 0;
}

// mirrors make_huge_spte(), arch/x86/kvm/mmu/spte.c, 7.2+
static uint64_t huge_leaf(const struct ms_tdp *tdp, uint64_t small, unsigned int level)
{
	uint64_t huge = (small | TDP_LARGE) & ~(TDP_ADDRESS & (level_size(level) - 1));

	return tdp->nx_huge_pages ? leaf_set_exec(&tdp->f, huge, false) : huge;
}

// mirrors tdp_mmu_make_huge_spte(), arch/x86/kvm/mmu/tdp_mmu.c, 7.2+
static bool put_leaf(struct ms_tdp *tdp, uint64_t *word, ms_ipa_t ipa, unsigned int level)
{
	uint32_t child = entry_table(*word);
	uint64_t small = first_leaf(tdp, child, level - 1);

	if (!small)
		return false;
	ms_tdp_tell_zaps(tdp, child, ipa, level - 1, 0);
	*word = huge_leaf(tdp, small, level);
	ms_tdp_put_tables(tdp, child, level - 1);
	tell_one(tdp, MS_TDP_MAP, level, ipa, *word);
	return true;
}

/* Whether the table below an entry has gone. */
static bool recover_entry(struct recover *r, uint32_t number, uint64_t *word, ms_ipa_t ipa,
			  unsigned int level)
{
	if (!level_has_leaves(level) || !is_aligned(ipa, level_size(level)) ||
	    !r->allowed(r->ctx, ipa, level))
		return false;
	if (r->tdp->config.recover_in_place)
		return put_leaf(r->tdp, word, ipa, level);
	ms_tdp_remove_table(r->tdp, number, word, ipa, level);
	return true;
}

// mirrors zap_collapsible_spte_range(), arch/x86/kvm/mmu/tdp_mmu.c, 6.1 .. 6.12;
// recover_huge_pages_range(), arch/x86/kvm/mmu/tdp_mmu.c, 7.2+
static void recover_table(struct recover *r, uint32_t number, ms_ipa_t ipa, unsigned int level)
{
	const struct tdp_table *table = &r->tdp->tables[number];
	ms_ipa_t stop = table_stop(ipa, r->end, level);

	for (; ipa < stop && table->live && level > TDP_LAST_LEVEL; ipa = entry_end(ipa, level)) {
		uint64_t *word = table->words + entry_index(ipa, level), w = *word;

		if (!entry_is_table(w, level))
			continue;
		if (recover_entry(r, number, word, ipa, level))
			r->recovered++;
		else
			recover_table(r, entry_table(w), ipa, level - 1);
	}
}

uint64_t ms_tdp_recover(struct ms_tdp *tdp, ms_ipa_t ipa, uint64_t size, ms_tdp_allowed_fn *allowed,
			void *ctx)
{
	struct recover r = { .tdp = tdp, .allowed = allowed, .ctx = ctx };
	struct tdp_range range;

	if (!tdp || !allowed)
		return 0;
	range = tdp_range(tdp, ipa, size);
	r.end = range.end;
	if (range.start < range.end)
		recover_table(&r, 0, range.start, tdp->config.levels);
	return r.recovered;
}
