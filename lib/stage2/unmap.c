/* SPDX-License-Identifier: GPL-2.0-only */
/* Unmapping: every leaf that the range touches goes whole, and tables that it emptied. */
#include "s2.h"

/* mirrors stage2_unmap_walker() for a leaf, arch/arm64/kvm/hyp/pgtable.c, 5.10+ */
static void unmap_leaf(struct ms_s2 *s2, uint32_t table, uint64_t *word, ms_ipa_t addr,
		       unsigned int level)
{
	uint64_t old = *word;

	clear_entry(s2, table, word, addr, level);
	if (!s2->per_leaf_unmap)
		return;
	if (!s2->defer_tlbi)
		tell_tlbi(s2, MS_TLBI_IPA, addr, 0, level);
	clean_dcache(s2, old, level);
}

/* mirrors stage2_unmap_walker() for a table whose entries have been visited: never deferred, and
 * the TLBI covers any level */
static void unmap_table(struct ms_s2 *s2, uint32_t table, uint64_t *word, ms_ipa_t addr,
			unsigned int level)
{
	uint32_t child = desc_table(s2, *word);

	clear_entry(s2, table, word, addr, level);
	tell_tlbi(s2, MS_TLBI_IPA, addr, 0, 0);
	ms_s2_table_put(s2, child);
	s2->linked--;
}

/* Pages of one table of which nobody needs to hear one by one. */
static void drop_run(struct ms_s2 *s2, uint32_t table, uint64_t *words, unsigned int n)
{
	unsigned int dropped = 0;

	for (unsigned int i = 0; i < n; i++)
		dropped += words[i] != 0;
	memset(words, 0, n * sizeof(*words));
	s2->tables[table].live -= dropped;
}

static void unmap_pages(struct ms_s2 *s2, uint32_t table, ms_ipa_t addr, ms_ipa_t stop)
{
	uint64_t *words = s2->tables[table].words + entry_index(&s2->g, addr, S2_LAST_LEVEL);
	unsigned int n = whole_entries(&s2->g, addr, stop, S2_LAST_LEVEL);

	if (!s2->per_leaf_unmap) {
		drop_run(s2, table, words, n);
		return;
	}
	for (unsigned int i = 0; i < n; i++, addr += s2_page_size(&s2->g))
		if (words[i])
			unmap_leaf(s2, table, words + i, addr, S2_LAST_LEVEL);
}

/* Whether all pages of a table go and nobody needs to hear of them: then it goes unread. */
static bool goes_unread(const struct ms_s2 *s2, ms_ipa_t addr, ms_ipa_t end, unsigned int level)
{
	return level == S2_LAST_LEVEL - 1 && !s2->per_leaf_unmap &&
	       is_aligned(addr, level_size(&s2->g, level)) &&
	       end - addr >= level_size(&s2->g, level);
}

static void unmap_range(struct ms_s2 *s2, uint32_t table, ms_ipa_t addr, ms_ipa_t end,
			unsigned int level)
{
	ms_ipa_t stop = table_stop(&s2->g, addr, end, level);

	if (level == S2_LAST_LEVEL) {
		unmap_pages(s2, table, addr, stop);
		return;
	}
	for (; addr < stop; addr = entry_end(&s2->g, addr, level)) {
		uint64_t *word = s2->tables[table].words + entry_index(&s2->g, addr, level);

		if (!*word)
			continue;
		if (!desc_is_table(*word, level)) {
			unmap_leaf(s2, table, word, addr, level);
			continue;
		}
		if (!goes_unread(s2, addr, stop, level)) {
			uint32_t child = desc_table(s2, *word);

			unmap_range(s2, child, addr, stop, level + 1);
			if (s2->tables[child].live)
				continue;
		}
		unmap_table(s2, table, word, addr, level);
	}
}

/* One page whose table is at hand: up the path as far as tables become empty. */
static void unmap_page(struct ms_s2 *s2, uint32_t table, uint64_t *word, ms_ipa_t addr)
{
	unsigned int level = S2_LAST_LEVEL;

	if (*word)
		unmap_leaf(s2, table, word, addr, level);
	while (!s2->tables[table].live && level > s2->g.start_level) {
		const struct s2_table child = s2->tables[table];

		level--;
		table = child.parent;
		unmap_table(s2, table, s2->tables[table].words + child.index, addr, level);
	}
}

static void unmap_walk(struct ms_s2 *s2, const struct s2_range *range)
{
	if (range->end - range->start == s2_page_size(&s2->g)) {
		struct s2_spot spot = walk_near(s2, range->start);

		if (spot.level == S2_LAST_LEVEL) {
			unmap_page(s2, spot.table, spot.word, range->start);
			return;
		}
	}
	for (ms_ipa_t addr = range->start; addr < range->end;
	     addr = table_stop(&s2->g, addr, range->end, s2->g.start_level))
		unmap_range(s2, root_table(s2, addr), addr, range->end, s2->g.start_level);
}

// mirrors kvm_pgtable_stage2_unmap(), arch/arm64/kvm/hyp/pgtable.c, 5.10+
int ms_s2_unmap(struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size)
{
	struct s2_range range;
	int ret = s2_range(s2, ipa, size, &range);

	if (ret)
		return ret;
	unmap_walk(s2, &range);
	if (s2->defer_tlbi)
		ms_s2_tlb_flush_range(s2, ipa, size);
	return 0;
}
