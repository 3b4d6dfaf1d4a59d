/* SPDX-License-Identifier: GPL-2.0-only */
/* Mapping: leaves as large as the request allows. Blocks replace tables, and tables blocks. */
#include "map.h"
#include "words.h"

/* ---- one entry ---- */

/* The first half of break-before-make: empties a valid entry that something else will replace.
 * The address of the TLBI is the one that the walk has come to, not the start of the entry.
 * mirrors stage2_try_break_pte(), arch/arm64/kvm/hyp/pgtable.c, 6.2+ */
static void break_leaf(struct ms_s2 *s2, uint32_t table, uint64_t *word, ms_ipa_t addr,
		       unsigned int level)
{
	clear_entry(s2, table, word, addr, level);
	tell_tlbi(s2, MS_TLBI_IPA, addr, 0, level);
}

/* The same for a table: break-before-make with a TLBI for all that the table translates.
 * mirrors stage2_map_walk_table_pre(), arch/arm64/kvm/hyp/pgtable.c, 5.10 .. 6.1;
 * stage2_try_break_pte(), arch/arm64/kvm/hyp/pgtable.c, 6.2+ */
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

/* Cache maintenance comes before the descriptor that lets the guest use the leaf. */
static void tell_new_leaf(const struct ms_s2 *s2, ms_ipa_t addr, unsigned int level, uint64_t leaf,
			  bool maintain)
{
	if (maintain) {
		clean_dcache(s2, leaf, level);
		invalidate_icache(s2, leaf, level);
	}
	tell_desc(s2, addr, level, 0, leaf);
}

/* Fills an empty entry with a leaf, and tells of it. */
static inline void make_leaf(struct ms_s2 *s2, uint32_t table, uint64_t *word, ms_ipa_t addr,
			     unsigned int level, uint64_t leaf, bool maintain)
{
	*word = leaf;
	s2->tables[table].live++;
	if (s2->hears_filled)
		tell_new_leaf(s2, addr, level, leaf, maintain);
}

// mirrors stage2_map_walker_try_leaf(), arch/arm64/kvm/hyp/pgtable.c, 5.10+
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
	make_leaf(s2, table, word, m->addr, level, leaf, m->maintain);
	return 0;
}

/* A leaf in the place of a table, whose tables are freed.
 * mirrors stage2_map_walk_table_pre(), arch/arm64/kvm/hyp/pgtable.c, 5.10+;
 * stage2_map_walk_table_post(), arch/arm64/kvm/hyp/pgtable.c, 5.10 .. 6.1 */
static void replace_table(struct map *m, uint32_t table, uint64_t *word, unsigned int level,
			  uint64_t leaf)
{
	struct ms_s2 *s2 = m->s2;
	uint32_t child = desc_table(s2, *word);

	break_table(s2, table, word, m->addr, level);
	make_leaf(s2, table, word, m->addr, level, leaf, m->maintain);
	ms_s2_subtree_put(s2, child, level + 1);
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
	make_leaf(m->s2, table, word, m->addr, level, leaf, m->maintain);
	return 0;
}

/* ---- runs of leaves in one table ---- */

static void advance(struct map *m, uint64_t size)
{
	m->addr += size;
	m->pa += size;
}

static void fill_run(struct map *m, uint32_t table, uint64_t *words, unsigned int n,
		     unsigned int level)
{
	struct ms_s2 *s2 = m->s2;
	uint64_t size = level_size(&s2->g, level);

	words_fill(words, n, leaf_desc(&s2->f, m->pa, m->attr, level), size);
	s2->tables[table].live = (uint16_t)(s2->tables[table].live + n);
	if (s2->hears_filled || s2->host.run)
		ms_s2_tell_run(&(struct ms_s2_run){
			.s2 = s2,
			.kind = MS_S2_RUN_FILL,
			.level = level,
			.ipa = m->addr,
			.count = n,
			.leaves = n,
			.desc = words,
			.maintain = m->maintain,
		});
	advance(m, n * size);
}

/* Whether all n entries are empty, and each descriptor will be the one before plus the leaf's size.
 * It is not where the address's upper bits, which stand elsewhere in a descriptor, change in
 * between. */
static bool can_fill_run(const struct map *m, uint32_t table, const uint64_t *words, unsigned int n,
			 unsigned int level)
{
	const struct s2_format *f = &m->s2->f;
	ms_pa_t last = m->pa + (n - 1) * level_size(&m->s2->g, level);

	return n > 1 && pa_hi(f, m->pa) == pa_hi(f, last) &&
	       (m->s2->tables[table].live == 0 || !words_or(words, n));
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
	remember_table(s2, addr, child, level + 1);
}

/* The table below an entry that translates more than a leaf of the request can, made if there is
 * none; S2_NONE: no memory for it. Of a block in its place nothing is kept.
 * mirrors stage2_map_walk_leaf(), arch/arm64/kvm/hyp/pgtable.c, 5.10+ */
static uint32_t table_below(struct map *m, uint32_t table, unsigned int level)
{
	struct ms_s2 *s2 = m->s2;
	uint64_t *word = s2->tables[table].words + entry_index(&s2->g, m->addr, level);
	uint32_t child;

	if (desc_is_table(*word, level)) {
		remember_table(s2, m->addr, desc_table(s2, *word), level + 1);
		return desc_table(s2, *word);
	}
	child = ms_s2_table_take(s2, m->cache);
	if (child == S2_NONE)
		return S2_NONE;
	if (*word)
		break_leaf(s2, table, word, m->addr, level);
	ms_s2_link_table(s2, table, word, m->addr, level, child);
	return child;
}

// mirrors kvm_block_mapping_supported(), arch/arm64/kvm/hyp/pgtable.c, 5.10+;
// stage2_leaf_mapping_allowed(), arch/arm64/kvm/hyp/pgtable.c, 6.1+
static bool leaf_allowed(const struct map *m, unsigned int level)
{
	const struct s2_geometry *g = &m->s2->g;

	if (level == S2_LAST_LEVEL)
		return true;
	return !m->force_pages && level_has_leaves(g, level) &&
	       level_size(g, level) <= m->end - m->addr &&
	       is_aligned(m->addr | m->pa, level_size(g, level));
}

// mirrors stage2_map_walker(), arch/arm64/kvm/hyp/pgtable.c, 5.10+
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

	if (m->pa > s2->f.pa_limit || m->end - m->addr > s2->f.pa_limit - m->pa)
		return -EINVAL;
	while (m->addr < m->end) {
		int ret = ms_s2_map_table(m, root_table(s2, m->addr), s2->g.start_level);

		if (ret)
			return ret;
	}
	return 0;
}

static __attribute__((noinline)) int map_slowly(struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size,
						ms_pa_t pa, uint64_t attr,
						struct ms_s2_cache *cache)
{
	struct s2_range range;
	int ret;

	if (!attr)
		return -EINVAL;
	ret = s2_range(s2, ipa, size, &range);
	if (ret)
		return ret;
	return map_range(&(struct map){
		.s2 = s2,
		.addr = range.start,
		.end = range.end,
		.pa = pa & ~(s2_page_size(&s2->g) - 1),
		.attr = attr,
		.cache = cache,
		.maintain = s2->maintains,
	});
}

/* Is it one leaf of this size, with nothing to round, and with a PA whose bits stand in a
 * descriptor where they are? */
static inline bool is_plain_leaf(const struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size, ms_pa_t pa)
{
	return is_aligned(ipa | pa, size) && ipa < s2->g.ipa_limit && pa < s2->f.plain_limit;
}

/* One leaf in an empty entry of a table that is remembered. */
static __attribute__((noinline)) int map_near(struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size,
					      ms_pa_t pa, uint64_t attr, struct ms_s2_cache *cache)
{
	unsigned int level = leaf_level(&s2->g, size);
	const struct s2_near *near = near_table(s2, ipa, level);
	uint64_t *word;

	if (!near || !level || !attr || !is_plain_leaf(s2, ipa, size, pa))
		return map_slowly(s2, ipa, size, pa, attr, cache);
	word = near_word(s2, near, ipa, level);
	if (*word)
		return map_slowly(s2, ipa, size, pa, attr, cache);
	remember_last(s2, ipa, near, level);
	make_leaf(s2, near->table, word, ipa, level, pa | attr | leaf_type(level), s2->maintains);
	return 0;
}

/* Tells of the leaf that was just made. A function of its own, so that ms_s2_map() stays small
 * where nobody listens. */
static __attribute__((noinline)) int tell_last(const struct ms_s2 *s2, ms_ipa_t ipa, uint64_t leaf)
{
	tell_new_leaf(s2, ipa, s2->last.level, leaf, s2->maintains);
	return 0;
}

/* The same where there can only be an invalidation of the instruction cache to tell of. */
static __attribute__((noinline)) int tell_last_icache(const struct ms_s2 *s2, ms_pa_t pa,
						      uint64_t leaf)
{
	if (desc_executable(&s2->f, leaf))
		s2->host.cmo(s2->host.ctx, MS_CMO_ICACHE_INVAL, pa, s2->last.size);
	return 0;
}

/* Most calls by far are for one leaf, in an empty entry of the table that the last call used.
 * mirrors kvm_pgtable_stage2_map(), arch/arm64/kvm/hyp/pgtable.c, 5.10+ */
int ms_s2_map(struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size, ms_pa_t pa, unsigned int prot,
	      struct ms_s2_cache *cache)
{
	uint64_t *word, attr;

	if (!s2)
		return -EINVAL;
	attr = prot < S2_PROT_VALUES ? s2->attr[prot] : 0;
	if (!attr || !in_last_table(s2, ipa, size))
		return map_near(s2, ipa, size, pa, attr, cache);
	word = last_word(s2, ipa);
	if (*word || !is_aligned(ipa | pa, size) || pa >= s2->f.plain_limit)
		return map_near(s2, ipa, size, pa, attr, cache);
	*word = pa | attr | s2->last.type;
	s2->tables[s2->last.table].live++;
	if (!s2->hears_filled)
		return 0;
	return s2->hears_icache ? tell_last_icache(s2, pa, *word) : tell_last(s2, ipa, *word);
}
