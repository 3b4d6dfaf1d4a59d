/* SPDX-License-Identifier: GPL-2.0-only */
/* Leaves go: those of a range, those of one table, all. */
#include "mmu.h"

/* How many leaves of one size follow each other, at most n. */
static unsigned int huge_leaves(const uint64_t *words, unsigned int n)
{
	unsigned int i = 1;

	while (i < n && entry_is_leaf(words[i], MS_TDP_2M))
		i++;
	return i;
}

/* The counterpart of an entry that was cleared: a table in which nothing is left has no page. */
static inline void count_cleared(struct ms_tdp *tdp, uint32_t number, unsigned int level,
				 unsigned int n)
{
	struct tdp_table *table = &tdp->tables[number];

	table->live = (uint16_t)(table->live - n);
	if (!table->live)
		ms_tdp_release_words(tdp, number, level, true);
}

/* ---- a range ---- */

/* All leaves of a table in which no page is marked: it is told of, but neither read nor cleared. */
static uint64_t zap_all_pages(struct ms_tdp *tdp, uint32_t number, ms_ipa_t ipa)
{
	const struct tdp_table *table = &tdp->tables[number];
	unsigned int leaves = table->live;

	tell(tdp, MS_TDP_ZAP, TDP_LAST_LEVEL, ipa, TDP_ENTRIES, leaves, table->words);
	ms_tdp_release_words(tdp, number, TDP_LAST_LEVEL, false);
	return leaves;
}

static void clear_leaves(uint64_t *words, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (entry_present(words[i]))
			words[i] = 0;
}

static uint64_t zap_pages(struct ms_tdp *tdp, uint32_t number, ms_ipa_t ipa, ms_ipa_t stop)
{
	const struct tdp_table *table = &tdp->tables[number];
	uint64_t *words = table->words + entry_index(ipa, TDP_LAST_LEVEL);
	unsigned int n = (unsigned int)((stop - ipa) >> TDP_PAGE_SHIFT), leaves;

	if (n == TDP_ENTRIES && !table->marked)
		return zap_all_pages(tdp, number, ipa);
	leaves = words_count_field(words, n, TDP_PRESENT, TDP_PRESENT);
	if (!leaves)
		return 0;
	tell(tdp, MS_TDP_ZAP, TDP_LAST_LEVEL, ipa, n, leaves, words);
	if (table->marked)
		clear_leaves(words, n);
	else
		memset(words, 0, n * sizeof(*words));
	remember_table(tdp, ipa, number, TDP_LAST_LEVEL);
	count_cleared(tdp, number, TDP_LAST_LEVEL, leaves);
	return leaves;
}

static uint64_t zap_range(struct ms_tdp *tdp, uint32_t number, ms_ipa_t ipa, ms_ipa_t end,
			  unsigned int level)
{
	ms_ipa_t stop = table_stop(ipa, end, level);
	const struct tdp_table *table = &tdp->tables[number];
	uint64_t zapped = 0;

	if (level == TDP_LAST_LEVEL)
		return zap_pages(tdp, number, ipa, stop);
	remember_table(tdp, ipa, number, level);
	while (ipa < stop && table->live) {
		uint64_t *word = table->words + entry_index(ipa, level);
		ms_ipa_t start = entry_start(ipa, level);
		unsigned int n = 1;

		if (entry_is_table(*word, level)) {
			zapped += zap_range(tdp, entry_table(*word), ipa, stop, level - 1);
		} else if (*word) {
			n = huge_leaves(
				word, (unsigned int)((stop - 1 - start) >> level_shift(level)) + 1);
			tell(tdp, MS_TDP_ZAP, level, start, n, n, word);
			memset(word, 0, n * sizeof(*word));
			count_cleared(tdp, number, level, n);
			zapped += n;
		}
		ipa = start + n * level_size(level);
	}
	return zapped;
}

/* A range, or a leaf of a table that is not remembered. */
static __attribute__((noinline)) uint64_t zap_slowly(struct ms_tdp *tdp, ms_ipa_t ipa,
						     uint64_t size)
{
	struct tdp_range range = tdp_range(tdp, ipa, size);

	if (range.start >= range.end)
		return 0;
	return zap_range(tdp, 0, range.start, range.end, tdp->config.levels);
}

static unsigned int leaf_level(uint64_t size)
{
	if (size == MS_4K)
		return MS_TDP_4K;
	if (size == MS_2M)
		return MS_TDP_2M;
	return size == MS_1G ? MS_TDP_1G : 0;
}

/* One leaf of a table that is remembered. */
static __attribute__((noinline)) uint64_t zap_near(struct ms_tdp *tdp, ms_ipa_t ipa, uint64_t size)
{
	unsigned int level = leaf_level(size);
	const struct tdp_near *near = level ? near_table(tdp, ipa, level) : NULL;
	uint32_t table;
	uint64_t *word;

	if (!near || !is_aligned(ipa, size) || ipa >= tdp->limit)
		return zap_slowly(tdp, ipa, size);
	word = near->words + entry_index(ipa, level);
	if (!entry_is_leaf(*word, level))
		return zap_slowly(tdp, ipa, size);
	table = near->table;
	remember_last(tdp, ipa, near, level);
	tell_one(tdp, MS_TDP_ZAP, level, ipa, *word);
	*word = 0;
	count_cleared(tdp, table, level, 1);
	return 1;
}

/* Most calls by far are for one leaf of the table that the last call used, which has others, too.
 * mirrors tdp_mmu_zap_leafs(), arch/x86/kvm/mmu/tdp_mmu.c, 6.1+
 * mirrors kvm_tdp_mmu_unmap_gfn_range(), arch/x86/kvm/mmu/tdp_mmu.c, 6.1+ */
uint64_t ms_tdp_zap(struct ms_tdp *tdp, ms_ipa_t ipa, uint64_t size)
{
	struct tdp_table *table;
	uint64_t *word;

	if (!tdp)
		return 0;
	if (size != UINT64_C(1) << tdp->last.shift || ipa - tdp->last.base >= tdp->last.span ||
	    ipa << (64 - tdp->last.shift))
		return zap_near(tdp, ipa, size);
	word = last_word(tdp, ipa);
	table = &tdp->tables[tdp->last.table];
	if (!entry_is_leaf(*word, tdp->last.level) || table->live == 1)
		return zap_near(tdp, ipa, size);
	tell_one(tdp, MS_TDP_ZAP, tdp->last.level, ipa, *word);
	*word = 0;
	table->live--;
	return 1;
}

/* ---- tables that go ---- */

static void tell_zaps_of_pages(const struct ms_tdp *tdp, const struct tdp_table *table,
			       ms_ipa_t ipa)
{
	unsigned int leaves = table->live;

	if (table->marked)
		leaves = words_count_field(table->words, TDP_ENTRIES, TDP_PRESENT, TDP_PRESENT);
	tell(tdp, MS_TDP_ZAP, TDP_LAST_LEVEL, ipa, TDP_ENTRIES, leaves, table->words);
}

void ms_tdp_tell_zaps(const struct ms_tdp *tdp, uint32_t number, ms_ipa_t ipa, unsigned int level,
		      unsigned int only)
{
	const struct tdp_table *table = &tdp->tables[number];

	if (!tdp->host.change || !table->live || level < only)
		return;
	if (level == TDP_LAST_LEVEL) {
		tell_zaps_of_pages(tdp, table, ipa);
		return;
	}
	for (unsigned int i = 0, n; i < TDP_ENTRIES; i += n) {
		const uint64_t *word = table->words + i;
		ms_ipa_t at = ipa + i * level_size(level);

		n = 1;
		if (entry_is_table(*word, level)) {
			ms_tdp_tell_zaps(tdp, entry_table(*word), at, level - 1, only);
		} else if (*word) {
			n = huge_leaves(word, TDP_ENTRIES - i);
			if (!only || only == level)
				tell(tdp, MS_TDP_ZAP, level, at, n, n, word);
		}
	}
}

// mirrors handle_removed_pt(), arch/x86/kvm/mmu/tdp_mmu.c, 6.1+
void ms_tdp_remove_table(struct ms_tdp *tdp, uint32_t number, uint64_t *word, ms_ipa_t ipa,
			 unsigned int level)
{
	uint32_t child = entry_table(*word);

	ms_tdp_tell_zaps(tdp, child, entry_start(ipa, level), level - 1, 0);
	*word = 0;
	ms_tdp_put_tables(tdp, child, level - 1);
	count_cleared(tdp, number, level, 1);
}

// mirrors kvm_tdp_mmu_zap_sp(), arch/x86/kvm/mmu/tdp_mmu.c, 6.1 .. 6.12;
// kvm_tdp_mmu_zap_possible_nx_huge_page(), arch/x86/kvm/mmu/tdp_mmu.c, 7.2+
bool ms_tdp_zap_table(struct ms_tdp *tdp, ms_ipa_t ipa, unsigned int level)
{
	struct tdp_spot spot;

	if (!tdp || !find_table(tdp, ipa, level, &spot))
		return false;
	ms_tdp_remove_table(tdp, spot.table, spot.word, ipa, level);
	return true;
}

/* Where small leaves go first, each size is a walk of its own over the whole table.
 * mirrors tdp_mmu_zap_root(), arch/x86/kvm/mmu/tdp_mmu.c, 6.1+
 * mirrors kvm_tdp_mmu_zap_all(), arch/x86/kvm/mmu/tdp_mmu.c, 6.1+ */
void ms_tdp_zap_all(struct ms_tdp *tdp)
{
	unsigned int root_level;

	if (!tdp)
		return;
	root_level = tdp->config.levels;
	if (!tdp->config.zap_by_size)
		ms_tdp_tell_zaps(tdp, 0, 0, root_level, 0);
	else
		for (unsigned int level = MS_TDP_4K; level <= MS_TDP_1G; level++)
			ms_tdp_tell_zaps(tdp, 0, 0, root_level, level);
	for (unsigned int i = 0; i < TDP_ENTRIES; i++)
		if (tdp->tables[0].words[i])
			ms_tdp_put_tables(tdp, entry_table(tdp->tables[0].words[i]),
					  root_level - 1);
	ms_tdp_release_words(tdp, 0, root_level, false);
}
