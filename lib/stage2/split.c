/* SPDX-License-Identifier: GPL-2.0-only */
/* Eager splitting: blocks become tables of pages before the guest writes to them. */
#include "map.h"

struct split {
	struct ms_s2 *s2;
	struct ms_s2_cache *cache;
	ms_ipa_t end;
};

/* Of the block only its permissions are kept: the new leaves are normal memory, whatever it was. */
static uint64_t split_attr(const struct ms_s2 *s2, uint64_t block)
{
	unsigned int kept = MS_PROT_RW | MS_PROT_X | MS_PROT_PX | MS_PROT_UX;

	return s2->attr[ms_s2_desc_to_prot(&s2->f, block) & kept];
}

/* A table, not linked yet, that maps what the block maps. The cache has enough tables for it.
 * mirrors kvm_pgtable_stage2_create_unlinked(), arch/arm64/kvm/hyp/pgtable.c, 6.5+ */
static uint32_t build_table(struct split *s, uint64_t block, ms_ipa_t addr, unsigned int level,
			    bool force_pages)
{
	struct ms_s2 *s2 = s->s2;
	struct map m = {
		.s2 = s2,
		.addr = entry_start(&s2->g, addr, level),
		.end = entry_end(&s2->g, addr, level),
		.pa = desc_to_pa(&s2->f, block),
		.attr = split_attr(s2, block),
		.cache = s->cache,
		.force_pages = force_pages,
	};
	uint32_t child = ms_s2_table_take(s2, s->cache);

	ms_s2_map_table(&m, child, level + 1);
	return child;
}

/* Break-before-make: the new table is complete before the block is broken.
 * mirrors stage2_split_walker() and stage2_block_get_nr_page_tables(),
 * arch/arm64/kvm/hyp/pgtable.c, 6.5+ */
static int split_block(struct split *s, uint32_t table, uint64_t *word, ms_ipa_t addr,
		       unsigned int level)
{
	struct ms_s2 *s2 = s->s2;
	// With 4K pages a 1G block takes a table for each of its 2M, and one above them.
	bool force_pages = s->cache->count > s2->g.entries;
	uint32_t child;

	if (!s->cache->count)
		return -ENOMEM;
	child = build_table(s, *word, addr, level, force_pages);
	clear_entry(s2, table, word, addr, level);
	tell_tlbi(s2, MS_TLBI_IPA, addr, 0, level);
	ms_s2_link_table(s2, table, word, addr, level, child);
	return 0;
}

static int split_table(struct split *s, uint32_t table, ms_ipa_t addr, unsigned int level)
{
	const struct s2_geometry *g = &s->s2->g;
	ms_ipa_t stop = table_stop(g, addr, s->end, level);

	if (level == S2_LAST_LEVEL)
		return 0;
	for (; addr < stop; addr = entry_end(g, addr, level)) {
		uint64_t *word = s->s2->tables[table].words + entry_index(g, addr, level);
		int ret = 0;

		if (desc_is_leaf(*word, level))
			ret = split_block(s, table, word, addr, level);
		if (!ret && *word)
			ret = split_table(s, desc_table(s->s2, *word), addr, level + 1);
		if (ret)
			return ret;
	}
	return 0;
}

// mirrors kvm_pgtable_stage2_split(), arch/arm64/kvm/hyp/pgtable.c, 6.5+
int ms_s2_split(struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size, struct ms_s2_cache *cache)
{
	if (!s2)
		return -EINVAL;
	struct split s = { .s2 = s2, .cache = cache };
	struct s2_range range;
	int ret = s2_range(s2, ipa, size, &range);

	if (ret || !cache)
		return ret ? ret : -EINVAL;
	s.end = range.end;
	for (ms_ipa_t addr = range.start; !ret && addr < range.end;
	     addr = table_stop(&s2->g, addr, range.end, s2->g.start_level))
		ret = split_table(&s, root_table(s2, addr), addr, s2->g.start_level);
	return ret;
}
