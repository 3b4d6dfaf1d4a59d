/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading the table. */
#include "mmu.h"

/* MS_PROT_* and MS_TDP_BITS. Looking a leaf up is what is done most: where the bits stand is known
 * here for NPT. */
static inline unsigned int attr_of_npt(uint64_t w)
{
	static_assert(NPT_HOST_WRITABLE >> 1 == MS_TDP_HOST_WRITABLE &&
			      NPT_MMU_WRITABLE >> 1 == MS_TDP_MMU_WRITABLE &&
			      NPT_ACCESSED << 5 == MS_TDP_ACCESSED &&
			      NPT_DIRTY << 5 == MS_TDP_DIRTY && NPT_NX == TDP_BIT(63),
		      "two shifts bring the bits to their places");

	return (unsigned int)((w & MS_PROT_RW) | (w >> 1 & 0x300) | (w << 5 & 0xc00) |
			      (~w >> 61 & MS_PROT_X));
}

/* The same of EPT.
 * mirrors is_dirty_spte(), arch/x86/kvm/mmu/spte.h, 6.1 .. 6.12: without a bit for it */
static unsigned int attr_of_ept(const struct tdp_format *f, uint64_t w)
{
	return ((unsigned int)w & (MS_PROT_RW | MS_PROT_X)) |
	       (w & f->host_writable ? MS_TDP_HOST_WRITABLE : 0) |
	       (w & f->mmu_writable ? MS_TDP_MMU_WRITABLE : 0) |
	       (leaf_accessed(f, w) ? MS_TDP_ACCESSED : 0) |
	       (w & (f->dirty ? f->dirty : TDP_W) ? MS_TDP_DIRTY : 0);
}

static enum ms_cache leaf_cache(uint64_t w)
{
	static const enum ms_cache of_ept[] = {
		MS_CACHE_UC, MS_CACHE_WC, MS_CACHE_UC, MS_CACHE_UC,
		MS_CACHE_WT, MS_CACHE_WP, MS_CACHE_WB, MS_CACHE_UC,
	};

	return of_ept[w >> EPT_MEMTYPE_SHIFT & 7];
}

static void describe_ept(const struct tdp_format *f, uint64_t w, struct ms_tdp_leaf *leaf)
{
	unsigned int attr = attr_of_ept(f, w);

	leaf->prot = attr & ~MS_TDP_BITS;
	leaf->bits = attr & MS_TDP_BITS;
	leaf->saved = (unsigned int)(w >> f->saved_shift & f->saved) & (MS_PROT_R | MS_PROT_X);
	leaf->cache = leaf_cache(w);
	leaf->ignore_pat = w & EPT_IGNORE_PAT;
}

static inline void describe(const struct ms_tdp *tdp, ms_ipa_t ipa, unsigned int level, uint64_t w,
			    struct ms_tdp_leaf *leaf)
{
	unsigned int attr;

	leaf->ipa = entry_start(ipa, level);
	leaf->size = level_size(level);
	leaf->pa = entry_pa(w);
	leaf->level = level;
	leaf->entry = w;
	if (tdp->f.ept) {
		describe_ept(&tdp->f, w, leaf);
		return;
	}
	attr = attr_of_npt(w);
	leaf->prot = attr & ~MS_TDP_BITS;
	leaf->bits = attr & MS_TDP_BITS;
	leaf->saved = 0;
	leaf->cache = MS_CACHE_WB;
	leaf->ignore_pat = false;
}

static bool find_nothing(struct ms_tdp_leaf *leaf)
{
	*leaf = (struct ms_tdp_leaf){ .size = 0 };
	return false;
}

void ms_tdp_describe(const struct ms_tdp *tdp, uint64_t entry, unsigned int level,
		     struct ms_tdp_leaf *leaf)
{
	if (tdp && level_has_leaves(level) && entry_is_leaf(entry, level))
		describe(tdp, 0, level, entry, leaf);
	else
		find_nothing(leaf);
}

static bool walk_to_leaf(const struct ms_tdp *tdp, ms_ipa_t ipa, struct ms_tdp_leaf *leaf)
{
	struct tdp_spot spot;

	if (ipa >= tdp->limit)
		return find_nothing(leaf);
	spot = walk(tdp, ipa, TDP_LAST_LEVEL);
	if (!entry_present(*spot.word))
		return find_nothing(leaf);
	describe(tdp, ipa, spot.level, *spot.word, leaf);
	return true;
}

bool ms_tdp_get_leaf(const struct ms_tdp *tdp, ms_ipa_t ipa, struct ms_tdp_leaf *leaf)
{
	const struct tdp_near *near;
	uint64_t w;

	if (!tdp)
		return find_nothing(leaf);
	near = near_table(tdp, ipa, TDP_LAST_LEVEL);
	if (!near)
		return walk_to_leaf(tdp, ipa, leaf);
	w = near->words[entry_index(ipa, TDP_LAST_LEVEL)];
	if (!entry_present(w))
		return find_nothing(leaf);
	describe(tdp, ipa, TDP_LAST_LEVEL, w, leaf);
	return true;
}

static bool next_in_table(const struct ms_tdp *tdp, uint32_t number, ms_ipa_t ipa, ms_ipa_t end,
			  unsigned int level, struct ms_tdp_leaf *leaf)
{
	const struct tdp_table *table = &tdp->tables[number];
	ms_ipa_t stop = table_stop(ipa, end, level);

	for (; ipa < stop && table->live; ipa = entry_end(ipa, level)) {
		uint64_t w = table->words[entry_index(ipa, level)];

		if (entry_is_leaf(w, level)) {
			describe(tdp, ipa, level, w, leaf);
			return true;
		}
		if (entry_is_table(w, level) &&
		    next_in_table(tdp, entry_table(w), ipa, stop, level - 1, leaf))
			return true;
	}
	return false;
}

bool ms_tdp_next_leaf(const struct ms_tdp *tdp, ms_ipa_t ipa, ms_ipa_t end,
		      struct ms_tdp_leaf *leaf)
{
	if (!tdp)
		return find_nothing(leaf);
	if (end > tdp->limit)
		end = tdp->limit;
	if (ipa < end && next_in_table(tdp, 0, ipa, end, tdp->config.levels, leaf))
		return true;
	return find_nothing(leaf);
}

// mirrors kvm_tdp_mmu_get_walk(), arch/x86/kvm/mmu/tdp_mmu.c, 6.1+
uint64_t ms_tdp_walk(const struct ms_tdp *tdp, ms_ipa_t ipa, unsigned int *level)
{
	struct tdp_spot spot;

	*level = 0;
	if (!tdp || ipa >= tdp->limit)
		return 0;
	spot = walk(tdp, ipa, TDP_LAST_LEVEL);
	*level = spot.level;
	return *spot.word ? *spot.word : tdp->f.empty;
}

/* ---- marks ---- */

static bool next_mark(const struct ms_tdp *tdp, uint32_t number, ms_ipa_t ipa, ms_ipa_t end,
		      unsigned int level, struct ms_tdp_mark *mark)
{
	const struct tdp_table *table = &tdp->tables[number];
	ms_ipa_t stop = table_stop(ipa, end, level);
	bool some = level > TDP_LAST_LEVEL ? table->live > 0 : table->marked;

	for (; ipa < stop && some; ipa = entry_end(ipa, level)) {
		uint64_t w = table->words[entry_index(ipa, level)];

		if (entry_is_mark(w)) {
			*mark = (struct ms_tdp_mark){ ms_tdp_mark_ipa(&tdp->f, w),
						      ms_tdp_mark_generation(&tdp->f, w), w };
			return true;
		}
		if (entry_is_table(w, level) &&
		    next_mark(tdp, entry_table(w), ipa, stop, level - 1, mark))
			return true;
	}
	return false;
}

bool ms_tdp_next_mmio(const struct ms_tdp *tdp, ms_ipa_t ipa, ms_ipa_t end,
		      struct ms_tdp_mark *mark)
{
	*mark = (struct ms_tdp_mark){ .entry = 0 };
	if (!tdp)
		return false;
	if (end > tdp->limit)
		end = tdp->limit;
	return ipa < end && next_mark(tdp, 0, ipa, end, tdp->config.levels, mark);
}

/* ---- sizes ---- */

uint64_t ms_tdp_level_size(unsigned int level)
{
	return level_has_leaves(level) ? level_size(level) : 0;
}

ms_ipa_t ms_tdp_limit(const struct ms_tdp *tdp)
{
	return tdp ? tdp->limit : 0;
}

uint64_t ms_tdp_tables(const struct ms_tdp *tdp)
{
	return tdp ? tdp->linked : 0;
}
