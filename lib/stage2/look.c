/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading the table. */
#include "s2.h"

static inline void describe(const struct ms_s2 *s2, ms_ipa_t ipa, unsigned int level, uint64_t d,
			    struct ms_s2_leaf *leaf)
{
	leaf->ipa = entry_start(&s2->g, ipa, level);
	leaf->size = level_size(&s2->g, level);
	leaf->pa = desc_to_pa(&s2->f, d);
	leaf->prot = s2->prot[desc_attr_number(d)];
	leaf->level = level;
	leaf->desc = d;
	leaf->young = desc_young(d);
	leaf->reason = NULL;
}

static bool find_nothing(struct ms_s2_leaf *leaf)
{
	*leaf = (struct ms_s2_leaf){ .size = 0 };
	return false;
}

static bool walk_to_leaf(const struct ms_s2 *s2, ms_ipa_t ipa, struct ms_s2_leaf *leaf)
{
	struct s2_spot spot;

	if (ipa >= s2->g.ipa_limit)
		return find_nothing(leaf);
	spot = walk(s2, ipa);
	if (!*spot.word)
		return find_nothing(leaf);
	describe(s2, ipa, spot.level, *spot.word, leaf);
	return true;
}

// mirrors kvm_pgtable_get_leaf(), arch/arm64/kvm/hyp/pgtable.c, 5.15+
bool ms_s2_get_leaf(const struct ms_s2 *s2, ms_ipa_t ipa, struct ms_s2_leaf *leaf)
{
	if (!s2)
		return find_nothing(leaf);
	const struct s2_near *near = near_table(s2, ipa, S2_LAST_LEVEL);
	uint64_t d;

	if (!near)
		return walk_to_leaf(s2, ipa, leaf);
	d = *near_word(s2, near, ipa, S2_LAST_LEVEL);
	if (!d)
		return find_nothing(leaf);
	describe(s2, ipa, S2_LAST_LEVEL, d, leaf);
	return true;
}

static bool next_in_table(const struct ms_s2 *s2, uint32_t number, ms_ipa_t addr, ms_ipa_t end,
			  unsigned int level, struct ms_s2_leaf *leaf)
{
	const struct s2_table *table = &s2->tables[number];
	ms_ipa_t stop = table_stop(&s2->g, addr, end, level);

	if (!table->live)
		return false;
	for (; addr < stop; addr = entry_end(&s2->g, addr, level)) {
		uint64_t d = table->words[entry_index(&s2->g, addr, level)];

		if (desc_is_leaf(d, level)) {
			describe(s2, addr, level, d, leaf);
			return true;
		}
		if (d && next_in_table(s2, desc_table(s2, d), addr, stop, level + 1, leaf))
			return true;
	}
	return false;
}

bool ms_s2_next_leaf(const struct ms_s2 *s2, ms_ipa_t ipa, ms_ipa_t end, struct ms_s2_leaf *leaf)
{
	if (!s2)
		return find_nothing(leaf);
	unsigned int start = s2->g.start_level;

	if (end > s2->g.ipa_limit)
		end = s2->g.ipa_limit;
	for (ms_ipa_t addr = ipa; addr < end; addr = table_stop(&s2->g, addr, end, start))
		if (next_in_table(s2, root_table(s2, addr), addr, end, start, leaf))
			return true;
	return find_nothing(leaf);
}

unsigned int ms_s2_walk_level(const struct ms_s2 *s2, ms_ipa_t ipa)
{
	if (!s2)
		return 0;
	return ipa < s2->g.ipa_limit ? walk(s2, ipa).level : s2->g.start_level;
}

unsigned int ms_s2_start_level(const struct ms_s2 *s2)
{
	return s2 ? s2->g.start_level : 0;
}

unsigned int ms_s2_root_pages(const struct ms_s2 *s2)
{
	return s2 ? s2->g.root_pages : 0;
}

uint64_t ms_s2_level_size(const struct ms_s2 *s2, unsigned int level)
{
	return s2 && level <= S2_LAST_LEVEL ? level_size(&s2->g, level) : 0;
}

uint64_t ms_s2_table_pages(const struct ms_s2 *s2)
{
	return s2 ? s2->linked : 0;
}
