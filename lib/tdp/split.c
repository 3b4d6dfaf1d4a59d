/* SPDX-License-Identifier: GPL-2.0-only */
/* Huge leaves become tables of smaller ones, in place. */
#include "mmu.h"

/* The first of the small leaves.
 * mirrors make_huge_page_split_spte(), arch/x86/kvm/mmu/spte.c, 6.1 .. 6.12; make_small_spte(),
 * arch/x86/kvm/mmu/spte.c, 7.2+ */
static uint64_t small_leaf(const struct ms_tdp *tdp, uint64_t huge, unsigned int level)
{
	if (level > TDP_LAST_LEVEL)
		return huge;
	huge &= ~TDP_LARGE;
	return tdp->nx_huge_pages ? leaf_set_exec(&tdp->f, huge, true) : huge;
}

// mirrors tdp_mmu_split_huge_page(), arch/x86/kvm/mmu/tdp_mmu.c, 6.1+
void ms_tdp_split_leaf(struct ms_tdp *tdp, const struct tdp_spot *spot, ms_ipa_t ipa)
{
	uint64_t huge = *spot->word;
	unsigned int level = spot->level - 1;
	uint32_t child = ms_tdp_link_table(tdp, spot->table, spot->word);

	words_fill(tdp->tables[child].words, TDP_ENTRIES, small_leaf(tdp, huge, level),
		   level_size(level));
	tdp->tables[child].live = TDP_ENTRIES;
	remember_table(tdp, ipa, child, level);
	tell_one(tdp, MS_TDP_SPLIT, spot->level, entry_start(ipa, spot->level), huge);
}

struct split {
	struct ms_tdp *tdp;
	ms_ipa_t end;
	unsigned int target;
};

/* Tables that a huge leaf, of which [ipa, stop) is in the range, needs. */
static uint64_t tables_of_leaf(const struct split *s, ms_ipa_t ipa, ms_ipa_t stop,
			       unsigned int level)
{
	ms_ipa_t end = entry_end(ipa, level);

	if (level - 1 == s->target)
		return 1;
	if (end > stop)
		end = stop;
	return 1 + ((end - 1) >> level_shift(MS_TDP_2M)) - (ipa >> level_shift(MS_TDP_2M)) + 1;
}

static uint64_t count_tables(const struct split *s, uint32_t number, ms_ipa_t ipa,
			     unsigned int level)
{
	const struct tdp_table *table = &s->tdp->tables[number];
	ms_ipa_t stop = table_stop(ipa, s->end, level);
	uint64_t n = 0;

	for (; ipa < stop && table->live && level > s->target; ipa = entry_end(ipa, level)) {
		uint64_t w = table->words[entry_index(ipa, level)];

		if (entry_is_table(w, level))
			n += count_tables(s, entry_table(w), ipa, level - 1);
		else if (w)
			n += tables_of_leaf(s, ipa, stop, level);
	}
	return n;
}

// mirrors tdp_mmu_split_huge_pages_root(), arch/x86/kvm/mmu/tdp_mmu.c, 6.1+
static void split_table(const struct split *s, uint32_t number, ms_ipa_t ipa, unsigned int level)
{
	ms_ipa_t stop = table_stop(ipa, s->end, level);
	bool some = level > s->target && s->tdp->tables[number].live;

	for (; ipa < stop && some; ipa = entry_end(ipa, level)) {
		struct tdp_spot spot = { number, level,
					 s->tdp->tables[number].words + entry_index(ipa, level) };

		if (entry_is_leaf(*spot.word, level))
			ms_tdp_split_leaf(s->tdp, &spot, ipa);
		if (*spot.word)
			split_table(s, entry_table(*spot.word), ipa, level - 1);
	}
}

// mirrors kvm_tdp_mmu_try_split_huge_pages(), arch/x86/kvm/mmu/tdp_mmu.c, 6.1+
int ms_tdp_split(struct ms_tdp *tdp, ms_ipa_t ipa, uint64_t size, unsigned int level)
{
	struct split s = { .tdp = tdp, .target = level };
	struct tdp_range range;

	if (!tdp || (level != MS_TDP_4K && level != MS_TDP_2M))
		return -EINVAL;
	range = tdp_range(tdp, ipa, size);
	if (range.start >= range.end)
		return 0;
	s.end = range.end;
	if (!ms_tdp_reserve(tdp, count_tables(&s, 0, range.start, tdp->config.levels)))
		return -ENOMEM;
	split_table(&s, 0, range.start, tdp->config.levels);
	return 0;
}
