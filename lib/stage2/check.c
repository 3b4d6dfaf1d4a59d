/* SPDX-License-Identifier: GPL-2.0-only */
/* What must hold between two operations. */
#include "internal.h"
#include "s2.h"

static const char *check_leaf(const struct ms_s2 *s2, uint64_t d, unsigned int level)
{
	const struct s2_format *f = &s2->f;
	ms_pa_t pa = desc_to_pa(f, d);
	uint64_t rest = d & ~pa_to_desc(f, pa);
	uint64_t known = DESC_VALID | DESC_TYPE | DESC_MEMATTR | DESC_R | DESC_W | DESC_AF |
			 f->shareability | f->xn_mask;

	if (!desc_valid(d))
		return "an entry is neither valid nor 0";
	if (!level_has_leaves(&s2->g, level))
		return "a block at a level that has none";
	if (!is_aligned(pa, level_size(&s2->g, level)))
		return "a leaf's address is not aligned to its size";
	if (rest & ~known)
		return "a leaf has bits that are not ours";
	if (level == S2_LAST_LEVEL && !(d & DESC_TYPE))
		return "a block at the last level";
	if ((d & f->shareability) != f->shareability)
		return "a leaf is not inner shareable";
	return NULL;
}

static const char *check_table(const struct ms_s2 *s2, uint32_t number, unsigned int level,
			       unsigned int reachable, uint32_t *seen);

/* A table has one parent and one index there; that they lead back shows that it is linked once
 * only. */
static const char *check_link(const struct ms_s2 *s2, uint32_t parent, unsigned int index,
			      unsigned int level, uint32_t *seen)
{
	uint64_t d = s2->tables[parent].words[index];
	uint32_t child = desc_table(s2, d);

	if (d != table_desc(s2, child))
		return "a table descriptor has bits that are not ours";
	if (child < s2->g.root_pages || child >= s2->numbers || !s2->tables[child].words)
		return "a table descriptor names no table";
	if (s2->tables[child].parent != parent || s2->tables[child].index != index)
		return "a table is linked twice or does not know where";
	++*seen;
	return check_table(s2, child, level + 1, s2->g.entries, seen);
}

/* reachable: how many entries translate addresses of the IPA space. */
static const char *check_table(const struct ms_s2 *s2, uint32_t number, unsigned int level,
			       unsigned int reachable, uint32_t *seen)
{
	const struct s2_table *table = &s2->tables[number];
	unsigned int live = 0;

	for (unsigned int i = 0; i < s2->g.entries; i++) {
		uint64_t d = table->words[i];
		const char *broken;

		if (!d)
			continue;
		live++;
		if (i >= reachable)
			return "an entry beyond the IPA space is in use";
		broken = desc_is_table(d, level) ? check_link(s2, number, i, level, seen)
						 : check_leaf(s2, d, level);
		if (broken)
			return broken;
	}
	return live == table->live ? NULL : "a table's count is not the number of its entries";
}

/* Of one root table: all, unless the IPA space is smaller than what one table translates. */
static unsigned int reachable_root_entries(const struct ms_s2 *s2)
{
	uint64_t n = s2->g.ipa_limit >> level_shift(&s2->g, s2->g.start_level);

	return n < s2->g.entries ? (unsigned int)n : s2->g.entries;
}

static uint32_t count_tables(const struct ms_s2 *s2)
{
	uint32_t n = 0;

	for (uint32_t i = s2->g.root_pages; i < s2->numbers; i++)
		n += s2->tables[i].words != NULL;
	return n;
}

static const char *check_pool(const struct ms_s2 *s2)
{
	for (uint32_t i = 0; i < s2->pooled; i++) {
		const struct s2_table *table = &s2->tables[s2->pool[i]];

		if (!table->words || table->parent != S2_NONE)
			return "a freed table is linked";
		for (unsigned int k = 0; !table->live && k < s2->g.entries; k++)
			if (table->words[k])
				return "a freed table that counts as clean is not";
	}
	return NULL;
}

/* The number of the table of this level through which ipa is translated; S2_NONE: there is none. */
static uint32_t table_at(const struct ms_s2 *s2, ms_ipa_t ipa, unsigned int level)
{
	uint32_t table = root_table(s2, ipa);

	for (unsigned int above = s2->g.start_level; above < level; above++) {
		uint64_t d = s2->tables[table].words[entry_index(&s2->g, ipa, above)];

		if (!desc_is_table(d, above))
			return S2_NONE;
		table = desc_table(s2, d);
	}
	return table;
}

static const char *check_near(const struct ms_s2 *s2, unsigned int slot, unsigned int level)
{
	const struct s2_near *near = &s2->near[slot];
	ms_ipa_t ipa = (ms_ipa_t)(near->key - 1) << s2->g.whole_shift[level];

	if (!near->key)
		return !near->table && !near->words ? NULL
						    : "a table is remembered without its place";
	if (near_slot(near->key - 1, level) != slot || ipa >= s2->g.ipa_limit ||
	    table_at(s2, ipa, level) != near->table || s2->tables[near->table].words != near->words)
		return "a table is remembered where it is not";
	return NULL;
}

static const char *check_all_near(const struct ms_s2 *s2)
{
	const char *broken = NULL;

	for (unsigned int i = 0; !broken && i < S2_NEAR_PAGES; i++)
		broken = check_near(s2, i, S2_LAST_LEVEL);
	for (unsigned int i = 0; !broken && i < S2_NEAR - S2_NEAR_PAGES; i++)
		broken = check_near(s2, S2_NEAR_PAGES + i, i / S2_NEAR_UPPER);
	return broken;
}

static const char *check_last(const struct ms_s2 *s2)
{
	const struct s2_last *last = &s2->last;

	if (!last->span)
		return NULL;
	if (last->size != level_size(&s2->g, last->level) ||
	    last->base + last->span > s2->g.ipa_limit ||
	    table_at(s2, last->base, last->level) != last->table ||
	    s2->tables[last->table].words != last->words)
		return "the table of the last leaf is not where it was";
	return NULL;
}

const char *ms_s2_check(const struct ms_s2 *s2)
{
	const char *broken = NULL;
	uint32_t seen = 0;

	if (!s2)
		return "there is no table";
	for (uint32_t i = 0; !broken && i < s2->g.root_pages; i++)
		broken = check_table(s2, i, s2->g.start_level, reachable_root_entries(s2), &seen);
	if (broken)
		return broken;
	if (seen != s2->linked)
		return "the number of linked tables is wrong";
	if (seen + s2->cached + s2->pooled != count_tables(s2))
		return "a table is lost";
	broken = check_pool(s2);
	if (!broken)
		broken = check_last(s2);
	return broken ? broken : check_all_near(s2);
}

unsigned int ms_s2_cached_tables(const struct ms_s2 *s2)
{
	return s2->cached;
}
