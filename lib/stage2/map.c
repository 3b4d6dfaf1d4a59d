/* SPDX-License-Identifier: GPL-2.0-only */
/* Mapping: leaves as large as the request allows, tables and blocks replacing each other. */
#include "map.h"

/* ---- one entry ---- */

/* Empties a valid entry that something else will replace. The TLBI's address is the walk's. */
static void break_leaf(struct ms_s2 *s2, uint32_t table, uint64_t *word, ms_ipa_t addr,
		       unsigned int level)
{
	clear_entry(s2, table, word, addr, level);
	tell_tlbi(s2, MS_TLBI_IPA, addr, 0, level);
}

/* mirrors stage2_try_break_pte(), arch/arm64/kvm/hyp/pgtable.c, 6.3+, of a table; before it was
 * stage2_map_walk_table_pre() */
static void break_table(struct ms_s2 *s2, uint32_t table, uint64_t *word, ms_ipa_t addr,
			unsigned int level)
{
	clear_entry(s2, table, word, addr, level);
	if (s2->config.table_to_block_range)
		ms_s2_tlb_flush_range(s2, entry_start(&s2->g, addr, level),
				      level_size(&s2->g, level));
	else
		tell_tlbi(s2, MS_TLBI_VMID, 0, 0, 0);
}

static void tell_map_cmo(const struct map *m, uint64_t leaf, unsigned int level)
{
	if (m->quiet)
		return;
	clean_dcache(m->s2, leaf, level);
	invalidate_icache(m->s2, leaf, level);
}

/* mirrors stage2_map_walker_try_leaf(), arch/arm64/kvm/hyp/pgtable.c, 5.12+ */
static int replace_leaf(struct map *m, uint32_t table, uint64_t *word, unsigned int level,
			uint64_t leaf)
{
	struct ms_s2 *s2 = m->s2;

	if (!desc_differs_beyond_perms(&s2->f, *word, leaf)) {
		if (s2->config.same_leaf_eagain)
			return -EAGAIN;
		if (*word == leaf)
			return 0;
	}
	break_leaf(s2, table, word, m->addr, level);
	tell_map_cmo(m, leaf, level);
	fill_entry(s2, table, word, m->addr, level, leaf);
	return 0;
}

/* mirrors stage2_map_walk_table_pre(), arch/arm64/kvm/hyp/pgtable.c, 5.10+ */
static void replace_table(struct map *m, uint32_t table, uint64_t *word, unsigned int level,
			  uint64_t leaf)
{
	struct ms_s2 *s2 = m->s2;
	uint32_t child = desc_table(s2, *word);

	break_table(s2, table, word, m->addr, level);
	tell_map_cmo(m, leaf, level);
	fill_entry(s2, table, word, m->addr, level, leaf);
	ms_s2_subtree_put(s2, child, level + 1);
	s2->linked--;
}

static int map_entry(struct map *m, uint32_t table, uint64_t *word, unsigned int level)
{
	uint64_t leaf = leaf_desc(&m->s2->f, m->pa, m->attr, level);

	if (desc_is_table(*word, level)) {
		replace_table(m, table, word, level, leaf);
		return 0;
	}
	if (*word)
		return replace_leaf(m, table, word, level, leaf);
	tell_map_cmo(m, leaf, level);
	fill_entry(m->s2, table, word, m->addr, level, leaf);
	return 0;
}

/* ---- runs of leaves in one table ---- */

static void advance(struct map *m, uint64_t size)
{
	m->addr += size;
	m->pa += size;
}

static bool all_empty(const uint64_t *words, unsigned int n)
{
	uint64_t any = 0;

	for (unsigned int i = 0; i < n; i++)
		any |= words[i];
	return !any;
}

/* n empty entries of which nobody needs to hear one by one. */
static void fill_run(struct map *m, uint32_t table, uint64_t *words, unsigned int n,
		     unsigned int level)
{
	uint64_t leaf = leaf_desc(&m->s2->f, m->pa, m->attr, level);
	uint64_t step = level_size(&m->s2->g, level);

	for (unsigned int i = 0; i < n; i++)
		words[i] = leaf + i * step;
	m->s2->tables[table].live += n;
	advance(m, n * step);
}

/* Consecutive descriptors differ by the size of the leaf, unless the address' upper bits, which
 * stand elsewhere, change in between. */
static bool can_fill_run(const struct map *m, uint32_t table, const uint64_t *words, unsigned int n,
			 unsigned int level)
{
	ms_pa_t last = m->pa + (n - 1) * level_size(&m->s2->g, level);

	return m->quiet && !m->s2->per_leaf_desc &&
	       pa_hi(&m->s2->f, m->pa) == pa_hi(&m->s2->f, last) &&
	       (m->s2->tables[table].live == 0 || all_empty(words, n));
}

static int map_leaves(struct map *m, uint32_t table, unsigned int first, unsigned int n,
		      unsigned int level)
{
	uint64_t *words = m->s2->tables[table].words + first;

	if (can_fill_run(m, table, words, n, level)) {
		fill_run(m, table, words, n, level);
		return 0;
	}
	for (unsigned int i = 0; i < n; i++) {
		int ret = map_entry(m, table, words + i, level);

		if (ret)
			return ret;
		advance(m, level_size(&m->s2->g, level));
	}
	return 0;
}

/* ---- the walk ---- */

void ms_s2_link_table(struct ms_s2 *s2, uint32_t table, uint64_t *word, ms_ipa_t addr,
		      unsigned int level, uint32_t child)
{
	s2->tables[child].parent = table;
	s2->tables[child].index = (uint16_t)(word - s2->tables[table].words);
	fill_entry(s2, table, word, addr, level, table_desc(s2, child));
	s2->linked++;
}

/* The table below an entry that is too large for the request; S2_NONE: no memory for it.
 * mirrors stage2_map_walk_leaf(), arch/arm64/kvm/hyp/pgtable.c, 5.10+: a block loses what is not
 * in the request */
static uint32_t table_below(struct map *m, uint32_t table, unsigned int level)
{
	struct ms_s2 *s2 = m->s2;
	uint64_t *word = s2->tables[table].words + entry_index(&s2->g, m->addr, level);
	uint32_t child;

	if (desc_is_table(*word, level))
		return desc_table(s2, *word);
	child = ms_s2_table_take(s2, m->cache);
	if (child == S2_NONE)
		return S2_NONE;
	if (*word)
		break_leaf(s2, table, word, m->addr, level);
	ms_s2_link_table(s2, table, word, m->addr, level, child);
	return child;
}

/* mirrors stage2_leaf_mapping_allowed() and kvm_block_mapping_supported(),
 * arch/arm64/kvm/hyp/pgtable.c, 5.10+ */
static bool leaf_allowed(const struct map *m, unsigned int level)
{
	const struct s2_geometry *g = &m->s2->g;

	if (level == S2_LAST_LEVEL)
		return true;
	return !m->force_pages && level_has_leaves(g, level) &&
	       level_size(g, level) <= m->end - m->addr &&
	       is_aligned(m->addr | m->pa, level_size(g, level));
}

int ms_s2_map_table(struct map *m, uint32_t table, unsigned int level)
{
	const struct s2_geometry *g = &m->s2->g;
	ms_ipa_t stop = table_stop(g, m->addr, m->end, level);

	while (m->addr < stop) {
		int ret;

		if (leaf_allowed(m, level)) {
			ret = map_leaves(m, table, entry_index(g, m->addr, level),
					 whole_entries(g, m->addr, stop, level), level);
		} else {
			uint32_t child = table_below(m, table, level);

			ret = child == S2_NONE ? -ENOMEM : ms_s2_map_table(m, child, level + 1);
		}
		if (ret)
			return ret;
	}
	return 0;
}

static int map_range(struct map *m)
{
	struct ms_s2 *s2 = m->s2;

	if (m->end - m->addr == s2_page_size(&s2->g)) {
		struct s2_spot spot = walk_near(s2, m->addr);

		if (spot.level == S2_LAST_LEVEL)
			return map_entry(m, spot.table, spot.word, S2_LAST_LEVEL);
	}
	while (m->addr < m->end) {
		int ret = ms_s2_map_table(m, root_table(s2, m->addr), s2->g.start_level);

		if (ret)
			return ret;
	}
	return 0;
}

static bool pa_fits(const struct ms_s2 *s2, ms_pa_t pa, uint64_t size)
{
	uint64_t limit = UINT64_C(1) << s2->f.pa_bits;

	return pa <= limit && size <= limit - pa;
}

/* Whether no new leaf calls for cache maintenance that somebody hears of. */
static bool map_is_quiet(const struct ms_s2 *s2, uint64_t attr)
{
	if (!s2->host.cmo || s2->config.cmo_by_caller)
		return true;
	return !desc_executable(&s2->f, attr | DESC_VALID) &&
	       (s2->config.fwb || !desc_cacheable(&s2->f, attr | DESC_VALID));
}

// mirrors kvm_pgtable_stage2_map(), arch/arm64/kvm/hyp/pgtable.c, 5.10+
int ms_s2_map(struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size, ms_pa_t pa, unsigned int prot,
	      struct ms_s2_cache *cache)
{
	uint64_t attr = prot < S2_PROT_VALUES ? s2->attr[prot] : 0;
	struct map m = { .s2 = s2, .attr = attr, .cache = cache };
	struct s2_range range;
	int ret;

	if (!attr)
		return -EINVAL;
	ret = s2_range(s2, ipa, size, &range);
	if (ret)
		return ret;
	m.addr = range.start;
	m.end = range.end;
	m.pa = pa & ~(s2_page_size(&s2->g) - 1);
	m.quiet = map_is_quiet(s2, attr);
	return pa_fits(s2, m.pa, m.end - m.addr) ? map_range(&m) : -EINVAL;
}
