/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a second-level table must answer, kept without any table: for every page of a window, the
 * leaf that it belongs to or its mark. Each rule is written here a second time, over pages.
 *
 * A second one, which is changed by what the table tells alone (oracle_hear()), must be the same.
 */
#ifndef TEST_TDP_ORACLE_H
#define TEST_TDP_ORACLE_H

#include "host.h"

struct oracle_page {
	ms_pa_t pa;      // of the leaf
	uint64_t mark;   // generation + 1; 0: none
	uint32_t first;  // page of the window where the leaf begins
	uint16_t prot;   // that was asked for: rights that are put by are among them
	uint16_t bits;   // MS_TDP_BITS
	uint8_t level;   // 0: nothing is mapped
	uint8_t memtype; // enum ms_cache, 8: the guest's PAT is ignored
};

struct oracle {
	struct oracle_page *pages;
	/* For each 2M and 1G of the window: is there a table below? Tables stay when leaves go. */
	bool *table[4];
	struct ms_tdp_config config;
	ms_ipa_t base; // aligned to 1G
	uint32_t npages;
	bool nx;
};

static inline uint32_t per_level(unsigned int level)
{
	return 1u << 9 * (level - 1);
}

static inline void oracle_init(struct oracle *o, const struct ms_tdp_config *config, ms_ipa_t base,
			       uint64_t size)
{
	*o = (struct oracle){ .config = *config, .base = base, .npages = (uint32_t)(size >> 12) };
	o->pages = calloc(o->npages, sizeof(*o->pages));
	assert_non_null(o->pages);
	for (unsigned int level = 2; level < 4; level++) {
		o->table[level] = calloc(o->npages / per_level(level), sizeof(bool));
		assert_non_null(o->table[level]);
	}
}

static inline void oracle_end(struct oracle *o)
{
	free(o->pages);
	free(o->table[2]);
	free(o->table[3]);
}

static inline ms_ipa_t oracle_ipa(const struct oracle *o, uint32_t page)
{
	return o->base + page * MS_4K;
}

static inline bool tracks(const struct oracle *o)
{
	return !o->config.ad_bits;
}

/* What of an attr an entry keeps. */
static inline void oracle_put(struct oracle *o, uint32_t first, unsigned int level, ms_pa_t pa,
			      unsigned int attr, uint8_t memtype)
{
	struct oracle_page p = {
		.pa = pa,
		.first = first,
		.level = (uint8_t)level,
		.prot = (uint16_t)(attr & (R | W | X)),
		.bits = (uint16_t)(attr & MS_TDP_BITS),
		.memtype = memtype,
	};

	if (tracks(o) && !(p.bits & A))
		p.prot &= (uint16_t)~W;
	if (tracks(o) && !o->config.keeps_ad)
		p.bits = (uint16_t)((p.bits & ~D) | (p.prot & W ? D : 0));
	for (uint32_t i = 0; i < per_level(level); i++)
		o->pages[first + i] = p;
}

static inline void oracle_drop(struct oracle *o, uint32_t page)
{
	const struct oracle_page p = o->pages[page];

	if (p.level)
		memset(o->pages + p.first, 0, per_level(p.level) * sizeof(p));
}

static inline uint32_t oracle_next(const struct oracle *o, uint32_t page)
{
	const struct oracle_page *p = &o->pages[page];

	return p->level ? p->first + per_level(p->level) : page + 1;
}

/* Sets what the leaf at a page has; the rest stays. */
static inline bool oracle_set(struct oracle *o, uint32_t page, unsigned int attr)
{
	const struct oracle_page p = o->pages[page];

	if (!p.level)
		return false;
	oracle_put(o, p.first, p.level, p.pa, attr, p.memtype);
	return true;
}

static inline bool attr_is_valid(unsigned int attr)
{
	return (attr & R) && (!(attr & W) || (attr & M)) && (!(attr & M) || (attr & H));
}

/* A huge leaf becomes one of the next level; only the part around the page is needed to be small,
 * but the kernel splits all of it. */
static inline void oracle_split_leaf(struct oracle *o, uint32_t page)
{
	const struct oracle_page p = o->pages[page];
	unsigned int level = p.level - 1u, attr = p.prot | p.bits;

	if (level == 1 && o->nx)
		attr |= X;
	o->table[p.level][p.first / per_level(p.level)] = true;
	for (uint32_t i = 0; i < 512; i++)
		oracle_put(o, p.first + i * per_level(level), level,
			   p.pa + i * per_level(level) * MS_4K, attr, p.memtype);
}

/* Tables down to the level. */
static inline void oracle_make_way(struct oracle *o, uint32_t page, unsigned int level)
{
	while (o->pages[page].level > level) {
		if (o->config.map_splits)
			oracle_split_leaf(o, page);
		else
			oracle_drop(o, page);
	}
	for (unsigned int above = level + 1; above < 4; above++)
		o->table[above][page / per_level(above)] = true;
}

/* Nothing stays below the entry of a level. */
static inline void oracle_remove_table(struct oracle *o, uint32_t page, unsigned int level)
{
	uint32_t first = page - page % per_level(level);

	memset(o->pages + first, 0, per_level(level) * sizeof(*o->pages));
	o->table[level][first / per_level(level)] = false;
	if (level == 3)
		memset(o->table[2] + first / 512, 0, 512 * sizeof(bool));
}

static inline bool oracle_has_table(const struct oracle *o, uint32_t page, unsigned int level)
{
	return o->table[level][page / per_level(level)];
}

static inline int oracle_map(struct oracle *o, uint32_t page, unsigned int level, ms_pa_t pa,
			     unsigned int attr, uint8_t memtype)
{
	const struct oracle_page *p = &o->pages[page];
	bool inside = p->level > level;

	if (o->nx && level > 1)
		attr &= ~X;
	if (!attr_is_valid(attr) || (pa & (per_level(level) * MS_4K - 1)))
		return -EINVAL;
	if (p->level == level && p->pa != pa)
		return -EEXIST;
	if (inside && o->config.map_splits && p->pa + (page - p->first) * MS_4K != pa)
		return -EEXIST;
	oracle_make_way(o, page, level);
	if (level > 1 && oracle_has_table(o, page, level))
		oracle_remove_table(o, page, level);
	oracle_put(o, page, level, pa, attr, memtype);
	return 0;
}

static inline int oracle_mark(struct oracle *o, uint32_t page, uint64_t generation)
{
	if (o->pages[page].level)
		return -EEXIST;
	oracle_make_way(o, page, 1);
	o->pages[page] = (struct oracle_page){ .mark = generation + 1 };
	return 0;
}

static inline uint64_t oracle_zap(struct oracle *o, uint32_t page, uint32_t n)
{
	uint64_t zapped = 0;

	for (uint32_t i = page, next; i < page + n; i = next) {
		next = oracle_next(o, i);
		if (!o->pages[i].level)
			continue;
		oracle_drop(o, i);
		zapped++;
	}
	return zapped;
}

static inline unsigned int oracle_protected(const struct oracle *o, unsigned int attr,
					    enum ms_tdp_protect what)
{
	if (what == MS_TDP_PROTECT_FOR_GOOD)
		return attr & ~(W | M);
	return what == MS_TDP_PROTECT_DIRTY && o->config.ad_bits ? attr & ~D : attr & ~W;
}

static inline bool oracle_protect_leaf(struct oracle *o, uint32_t page, enum ms_tdp_protect what)
{
	const struct oracle_page p = o->pages[page];
	unsigned int attr = p.prot | p.bits, then = oracle_protected(o, attr, what);

	return p.level && then != attr && oracle_set(o, page, then);
}

static inline bool oracle_protect(struct oracle *o, uint32_t page, uint32_t n,
				  unsigned int min_level, enum ms_tdp_protect what)
{
	bool changed = false;

	for (uint32_t i = page; i < page + n; i = oracle_next(o, i))
		if (o->pages[i].level >= min_level)
			changed |= oracle_protect_leaf(o, i, what);
	return changed;
}

static inline bool oracle_protect_word(struct oracle *o, uint32_t page, uint64_t mask,
				       enum ms_tdp_protect what)
{
	bool changed = false;

	for (uint32_t i = 0; i < 64 && page + i < o->npages; i++)
		if (mask >> i & 1 && o->pages[page + i].level == 1)
			changed |= oracle_protect_leaf(o, page + i, what);
	return changed;
}

static inline bool oracle_clear_young(struct oracle *o, uint32_t page, uint32_t n)
{
	bool young = false;

	for (uint32_t i = page; i < page + n; i = oracle_next(o, i)) {
		const struct oracle_page p = o->pages[i];

		if (!p.level || !(p.bits & A))
			continue;
		young = true;
		oracle_set(o, i, (p.prot | p.bits) & ~A);
	}
	return young;
}

static inline void oracle_split(struct oracle *o, uint32_t page, uint32_t n, unsigned int level)
{
	for (uint32_t i = page; i < page + n; i = oracle_next(o, i))
		while (o->pages[i].level > level)
			oracle_split_leaf(o, i);
}

/* The first leaf below the entry of a level; NULL: none. */
static inline const struct oracle_page *oracle_first(const struct oracle *o, uint32_t first,
						     unsigned int level)
{
	for (uint32_t i = first; i < first + per_level(level); i++)
		if (o->pages[i].level)
			return &o->pages[i];
	return NULL;
}

static inline bool oracle_recover_table(struct oracle *o, uint32_t first, unsigned int level)
{
	const struct oracle_page *p = oracle_first(o, first, level);
	struct oracle_page leaf;

	if (!o->config.recover_in_place) {
		oracle_remove_table(o, first, level);
		return true;
	}
	if (!p)
		return false;
	leaf = *p;
	oracle_remove_table(o, first, level);
	oracle_put(o, first, level, leaf.pa & ~(per_level(level) * MS_4K - 1),
		   (leaf.prot | leaf.bits) & (o->nx ? ~X : ~0u), leaf.memtype);
	return true;
}

static inline uint64_t oracle_recover(struct oracle *o, uint32_t page, uint32_t n,
				      ms_tdp_allowed_fn *allowed, void *ctx)
{
	uint64_t recovered = 0;

	for (unsigned int level = 3; level > 1; level--) {
		uint32_t size = per_level(level);

		for (uint32_t i = (page + size - 1) / size * size; i < page + n; i += size)
			if (oracle_has_table(o, i, level) && allowed(ctx, oracle_ipa(o, i), level))
				recovered += oracle_recover_table(o, i, level);
	}
	return recovered;
}

/* As the table reports it. */
static inline void oracle_assert_page(const struct oracle *o, const struct ms_tdp *tdp,
				      uint32_t page)
{
	const struct oracle_page *p = &o->pages[page];
	bool put_by = tracks(o) && !(p->bits & A);
	struct ms_tdp_leaf leaf;
	struct ms_tdp_mark mark;
	ms_ipa_t ipa = oracle_ipa(o, page);

	assert_int_equal(ms_tdp_get_leaf(tdp, ipa + page % 4096, &leaf), p->level != 0);
	assert_int_equal(ms_tdp_next_mmio(tdp, ipa, ipa + MS_4K, &mark), p->mark != 0);
	if (p->mark) {
		assert_int_equal(mark.ipa, ipa);
		assert_int_equal(mark.generation, p->mark - 1);
	}
	if (!p->level)
		return;
	assert_int_equal(leaf.level, p->level);
	assert_int_equal(leaf.ipa, oracle_ipa(o, p->first));
	assert_int_equal(leaf.size, per_level(p->level) * MS_4K);
	assert_int_equal(leaf.pa, p->pa);
	assert_int_equal(leaf.prot, put_by ? 0 : p->prot);
	assert_int_equal(leaf.saved, put_by ? p->prot : 0);
	assert_int_equal(leaf.bits, p->bits);
	assert_int_equal(leaf.cache | (leaf.ignore_pat ? 8 : 0), p->memtype);
}

/* Each leaf and mark of the list is in the table, and as many. */
static inline void oracle_assert_same(const struct oracle *o, const struct ms_tdp *tdp)
{
	struct ms_tdp_leaf leaf = { .size = 0 };
	struct ms_tdp_mark mark = { .ipa = 0 };
	unsigned long things = 0;

	for (uint32_t i = 0; i < o->npages; i = oracle_next(o, i)) {
		if (!o->pages[i].level && !o->pages[i].mark)
			continue;
		oracle_assert_page(o, tdp, i);
		things++;
	}
	while (ms_tdp_next_leaf(tdp, leaf.ipa + leaf.size, UINT64_MAX, &leaf))
		things--;
	for (ms_ipa_t ipa = 0; ms_tdp_next_mmio(tdp, ipa, UINT64_MAX, &mark); things--)
		ipa = mark.ipa + MS_4K;
	assert_int_equal(things, 0);
}

/* ---- what is told ---- */

static inline void oracle_hear_piece(struct oracle *o, const struct ms_tdp_run *run,
				     const struct ms_tdp_piece *p)
{
	bool old = run->kind != MS_TDP_MAP, new = run->kind != MS_TDP_ZAP;
	uint32_t page = (uint32_t)((p->ipa - o->base) / MS_4K), n = per_level(run->level);
	struct ms_tdp_leaf leaf;

	for (unsigned int i = 0; i < p->count; i++, page += n) {
		ms_pa_t pa = o->pages[page].pa;

		assert_int_equal(o->pages[page].level, old ? run->level : 0);
		assert_int_equal(o->pages[page].first, old ? page : 0);
		oracle_drop(o, page);
		if (!new)
			continue;
		ms_tdp_describe(run->tdp, p->entry, run->level, &leaf);
		oracle_put(o, page, run->level, old ? pa : leaf.pa + i * leaf.size,
			   leaf.prot | leaf.saved | leaf.bits,
			   (uint8_t)(leaf.cache | (leaf.ignore_pat ? 8 : 0)));
	}
}

static inline void oracle_hear(struct oracle *o, const struct ms_tdp_run *run)
{
	struct ms_tdp_piece p;
	unsigned int leaves = 0;

	for (unsigned int i = 0; (i = ms_tdp_run_piece(run, i, &p)) != 0; leaves += p.count) {
		if (run->kind == MS_TDP_SPLIT)
			oracle_split_leaf(o, (uint32_t)((p.ipa - o->base) / MS_4K));
		else if (run->kind != MS_TDP_MMIO)
			oracle_hear_piece(o, run, &p);
	}
	assert_int_equal(leaves, run->leaves);
}

static inline void oracle_assert_told(const struct oracle *o, const struct oracle *told)
{
	for (uint32_t i = 0; i < o->npages; i++) {
		const struct oracle_page *p = &o->pages[i], *t = &told->pages[i];

		assert_int_equal(p->level, t->level);
		assert_true(p->pa == t->pa && p->first == t->first && p->prot == t->prot &&
			    p->bits == t->bits && p->memtype == t->memtype);
	}
}

/* ---- tables ---- */

/* Those that translate parts of the window only. */
static inline uint64_t oracle_tables(const struct oracle *o)
{
	uint64_t n = 0;

	for (unsigned int level = 2; level < 4; level++)
		for (uint32_t i = 0; i < o->npages / per_level(level); i++)
			n += o->table[level][i];
	return n;
}

#endif
