/* SPDX-License-Identifier: GPL-2.0-only */
/* Unmapping: every leaf that the range touches is removed as a whole, and every table that
 * becomes empty. */
#include "s2.h"
#include "words.h"

static void tell_old_leaf(const struct ms_s2 *s2, ms_ipa_t addr, unsigned int level, uint64_t old)
{
	tell_desc(s2, addr, level, old, 0);
	if (!s2->defer_tlbi)
		tell_tlbi(s2, MS_TLBI_IPA, addr, 0, level);
	clean_dcache(s2, old, level);
}

// mirrors stage2_unmap_walker(), arch/arm64/kvm/hyp/pgtable.c, 5.10+; stage2_put_pte(),
// arch/arm64/kvm/hyp/pgtable.c, 5.14 .. 6.5; stage2_unmap_put_pte(), arch/arm64/kvm/hyp/pgtable.c,
// 6.6+: of a leaf
static inline void unmap_leaf(struct ms_s2 *s2, uint32_t table, uint64_t *word, ms_ipa_t addr,
			      unsigned int level)
{
	uint64_t old = *word;

	*word = 0;
	s2->tables[table].live--;
	if (s2->hears_cleared)
		tell_old_leaf(s2, addr, level, old);
}

/* A table whose entries have been visited. Its TLBI is never deferred, and says no level.
 * mirrors stage2_unmap_walker(), arch/arm64/kvm/hyp/pgtable.c, 5.10+ */
static void unmap_table(struct ms_s2 *s2, uint32_t table, uint64_t *word, ms_ipa_t addr,
			unsigned int level)
{
	uint32_t child = desc_table(s2, *word);

	clear_entry(s2, table, word, addr, level);
	tell_tlbi(s2, MS_TLBI_IPA, addr, 0, 0);
	ms_s2_linked_table_put(s2, child, level + 1);
}

/* After a leaf was removed: removes the tables above it, up to the first that is not empty. */
static __attribute__((noinline)) void unmap_empty_tables(struct ms_s2 *s2, uint32_t table,
							 ms_ipa_t addr, unsigned int level)
{
	while (!s2->tables[table].live && level > s2->g.start_level) {
		const struct s2_table child = s2->tables[table];

		level--;
		table = child.parent;
		unmap_table(s2, table, s2->tables[table].words + child.index, addr, level);
	}
}

static void tell_cleared(const struct ms_s2 *s2, ms_ipa_t addr, const uint64_t *words,
			 unsigned int n, unsigned int leaves, unsigned int level)
{
	ms_s2_tell_run(&(struct ms_s2_run){
		.s2 = s2,
		.kind = MS_S2_RUN_CLEAR,
		.level = level,
		.ipa = addr,
		.count = n,
		.leaves = leaves,
		.desc = words,
	});
}

static void unmap_pages(struct ms_s2 *s2, uint32_t number, ms_ipa_t addr, ms_ipa_t stop)
{
	struct s2_table *table = &s2->tables[number];
	uint64_t *words = table->words + entry_index(&s2->g, addr, S2_LAST_LEVEL);
	unsigned int n = whole_entries(&s2->g, addr, stop, S2_LAST_LEVEL);
	unsigned int leaves = words_count_bit(words, n, 0);

	if (s2->hears_cleared || s2->host.run)
		tell_cleared(s2, addr, words, n, leaves, S2_LAST_LEVEL);
	memset(words, 0, n * sizeof(*words));
	table->live = (uint16_t)(table->live - leaves);
}

static bool covers_entry(const struct ms_s2 *s2, ms_ipa_t addr, ms_ipa_t end, unsigned int level)
{
	return is_aligned(addr, level_size(&s2->g, level)) &&
	       end - addr >= level_size(&s2->g, level);
}

static void unmap_range(struct ms_s2 *s2, uint32_t table, ms_ipa_t addr, ms_ipa_t end,
			unsigned int level);

/* Unmaps what is below an entry, and answers whether that table is empty now. A table of pages that
 * is unmapped as a whole is told of, but neither read nor cleared. */
static bool unmap_below(struct ms_s2 *s2, uint32_t child, ms_ipa_t addr, ms_ipa_t stop,
			unsigned int level)
{
	const struct s2_table *table = &s2->tables[child];

	if (level + 1 == S2_LAST_LEVEL && covers_entry(s2, addr, stop, level)) {
		if (s2->hears_cleared || s2->host.run)
			tell_cleared(s2, addr, table->words, s2->g.entries, table->live,
				     S2_LAST_LEVEL);
		return true;
	}
	remember_table(s2, addr, child, level + 1);
	unmap_range(s2, child, addr, stop, level + 1);
	return !table->live;
}

/* Unmaps blocks that follow each other; addr is the start of the first. Answers how many. */
static unsigned int unmap_blocks(struct ms_s2 *s2, uint32_t number, uint64_t *words, ms_ipa_t addr,
				 ms_ipa_t stop, unsigned int level)
{
	unsigned int limit = entries_touched(&s2->g, addr, stop, level), n = 1;
	struct s2_table *table = &s2->tables[number];

	while (n < limit && desc_is_leaf(words[n], level))
		n++;
	if (s2->hears_cleared || s2->host.run)
		tell_cleared(s2, addr, words, n, n, level);
	memset(words, 0, n * sizeof(*words));
	table->live = (uint16_t)(table->live - n);
	return n;
}

static void unmap_range(struct ms_s2 *s2, uint32_t table, ms_ipa_t addr, ms_ipa_t end,
			unsigned int level)
{
	ms_ipa_t stop = table_stop(&s2->g, addr, end, level);
	uint64_t *word = s2->tables[table].words + entry_index(&s2->g, addr, level);
	uint64_t size = level_size(&s2->g, level);

	if (level == S2_LAST_LEVEL) {
		unmap_pages(s2, table, addr, stop);
		return;
	}
	while (addr < stop) {
		unsigned int n = 1;

		if (desc_is_table(*word, level)) {
			if (unmap_below(s2, desc_table(s2, *word), addr, stop, level))
				unmap_table(s2, table, word, addr, level);
		} else if (*word && is_aligned(addr, size)) {
			n = unmap_blocks(s2, table, word, addr, stop, level);
		} else if (*word) {
			unmap_leaf(s2, table, word, addr, level);
		}
		addr = entry_start(&s2->g, addr, level) + n * size;
		word += n;
	}
}

static __attribute__((noinline)) int unmap_slowly(struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size)
{
	unsigned int start = s2->g.start_level;
	struct s2_range range;
	int ret = s2_range(s2, ipa, size, &range);

	if (ret)
		return ret;
	for (ms_ipa_t addr = range.start; addr < range.end;
	     addr = table_stop(&s2->g, addr, range.end, start))
		unmap_range(s2, root_table(s2, addr), addr, range.end, start);
	if (s2->defer_tlbi && s2->host.tlbi)
		ms_s2_tlb_flush_range(s2, ipa, size);
	return 0;
}

/* One leaf of a table that is remembered. */
static __attribute__((noinline)) int unmap_near(struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size)
{
	unsigned int level = leaf_level(&s2->g, size);
	const struct s2_near *near = near_table(s2, ipa, level);
	uint64_t *word;
	uint32_t table;

	if (!near || !is_aligned(ipa, size))
		return unmap_slowly(s2, ipa, size);
	word = near_word(s2, near, ipa, level);
	if (!desc_is_leaf(*word, level))
		return unmap_slowly(s2, ipa, size);
	table = near->table;
	remember_last(s2, ipa, near, level);
	unmap_leaf(s2, table, word, ipa, level);
	if (!s2->tables[table].live)
		unmap_empty_tables(s2, table, ipa, level);
	if (s2->defer_tlbi)
		tell_tlbi(s2, MS_TLBI_IPA_RANGE, ipa, size, 0);
	return 0;
}

/* Most calls by far are for one leaf of the table that the last call used, which has others, too.
 * mirrors kvm_pgtable_stage2_unmap(), arch/arm64/kvm/hyp/pgtable.c, 5.10+ */
int ms_s2_unmap(struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size)
{
	struct s2_table *table;
	uint64_t *word;

	if (!s2)
		return -EINVAL;
	if (!in_last_table(s2, ipa, size) || s2->hears_cleared || !is_aligned(ipa, size))
		return unmap_near(s2, ipa, size);
	word = last_word(s2, ipa);
	table = &s2->tables[s2->last.table];
	if ((*word & (DESC_VALID | DESC_TYPE)) != s2->last.type || table->live == 1)
		return unmap_near(s2, ipa, size);
	*word = 0;
	table->live--;
	if (s2->defer_tlbi)
		tell_tlbi(s2, MS_TLBI_IPA_RANGE, ipa, size, 0);
	return 0;
}
