/* SPDX-License-Identifier: GPL-2.0-only */
/* Leaves lose bits: write permission for the dirty log, the accessed bit. */
#include "mmu.h"

/* What is done to the leaves of a range, and whether one has changed. */
struct protect {
	struct ms_tdp *tdp;
	ms_ipa_t end;
	unsigned int min_level, max_level; // of leaves that change
	uint64_t clear;                    // these bits go;
	bool track;                        // or rights are put by until the next access
	bool found;
};

static void protect_leaf(struct protect *p, unsigned int level, ms_ipa_t ipa, uint64_t *word)
{
	uint64_t leaf = p->track ? leaf_mark_old(&p->tdp->f, *word) : *word & ~p->clear;

	if (leaf == *word || level < p->min_level || level > p->max_level)
		return;
	p->found = true;
	replace_leaf(p->tdp, level, ipa, word, leaf);
}

static void protect_pages(struct protect *p, uint32_t number, ms_ipa_t ipa, ms_ipa_t stop)
{
	const struct tdp_table *table = &p->tdp->tables[number];
	unsigned int n = (unsigned int)((stop - ipa) >> TDP_PAGE_SHIFT);
	uint64_t *words = table->words + entry_index(ipa, TDP_LAST_LEVEL);

	if (!table->live || p->min_level > TDP_LAST_LEVEL)
		return;
	if (!table->marked && !p->track) { // there is nothing but leaves
		ms_tdp_tell_cleared(p->tdp, TDP_LAST_LEVEL, ipa, n, words, p->clear);
		p->found |= words_clear_bits(words, n, p->clear) & p->clear;
		return;
	}
	for (unsigned int i = 0; i < n; i++)
		if (entry_present(words[i]))
			protect_leaf(p, TDP_LAST_LEVEL, ipa + i * MS_4K, words + i);
}

static void protect_table(struct protect *p, uint32_t number, ms_ipa_t ipa, unsigned int level)
{
	const struct tdp_table *table = &p->tdp->tables[number];
	ms_ipa_t stop = table_stop(ipa, p->end, level);

	if (level == TDP_LAST_LEVEL) {
		protect_pages(p, number, ipa, stop);
		return;
	}
	for (; ipa < stop && table->live; ipa = entry_end(ipa, level)) {
		uint64_t *word = table->words + entry_index(ipa, level);

		if (entry_is_table(*word, level))
			protect_table(p, entry_table(*word), ipa, level - 1);
		else if (*word)
			protect_leaf(p, level, ipa, word);
	}
}

static bool protect_range(struct protect *p, ms_ipa_t ipa, uint64_t size)
{
	struct tdp_range range = tdp_range(p->tdp, ipa, size);

	p->end = range.end;
	if (range.end - range.start == MS_4K) {
		struct tdp_spot spot = walk_near(p->tdp, range.start);

		if (entry_present(*spot.word))
			protect_leaf(p, spot.level, range.start, spot.word);
	} else if (range.start < range.end) {
		protect_table(p, 0, range.start, p->tdp->config.levels);
	}
	return p->found;
}

static uint64_t protect_bits(const struct ms_tdp *tdp, enum ms_tdp_protect what)
{
	if (what == MS_TDP_PROTECT_FOR_GOOD)
		return TDP_W | tdp->f.mmu_writable;
	return what == MS_TDP_PROTECT_DIRTY && tdp->config.ad_bits ? tdp->f.dirty : TDP_W;
}

/* More than a page, or a page whose table is not among those remembered. */
static __attribute__((noinline)) bool wrprotect_range(struct ms_tdp *tdp, ms_ipa_t ipa,
						      uint64_t size, unsigned int min_level,
						      enum ms_tdp_protect what)
{
	struct protect p = {
		.tdp = tdp,
		.min_level = min_level,
		.max_level = MS_TDP_1G,
		.clear = protect_bits(tdp, what),
	};

	return protect_range(&p, ipa, size);
}

// mirrors wrprot_gfn_range(), write_protect_gfn() and clear_dirty_gfn_range(),
// arch/x86/kvm/mmu/tdp_mmu.c, 6.1+
bool ms_tdp_wrprotect(struct ms_tdp *tdp, ms_ipa_t ipa, uint64_t size, unsigned int min_level,
		      enum ms_tdp_protect what)
{
	const struct tdp_near *near;
	uint64_t *word, old;

	if (!tdp)
		return false;
	near = near_table(tdp, ipa, TDP_LAST_LEVEL);
	if (!near || size != MS_4K || ipa % MS_4K || min_level > TDP_LAST_LEVEL)
		return wrprotect_range(tdp, ipa, size, min_level, what);
	word = near->words + entry_index(ipa, TDP_LAST_LEVEL);
	old = *word;
	if (!entry_present(old) || !(old & protect_bits(tdp, what)))
		return false;
	replace_leaf(tdp, TDP_LAST_LEVEL, ipa, word, old & ~protect_bits(tdp, what));
	return true;
}

/* Neighbours whose bits are set are done as one.
 * mirrors clear_dirty_pt_masked(), arch/x86/kvm/mmu/tdp_mmu.c, 6.1+ */
bool ms_tdp_wrprotect_word(struct ms_tdp *tdp, ms_ipa_t ipa, uint64_t mask,
			   enum ms_tdp_protect what)
{
	struct protect p = { .tdp = tdp, .min_level = MS_TDP_4K, .max_level = MS_TDP_4K };

	if (!tdp || ipa >= tdp->limit)
		return false;
	p.clear = protect_bits(tdp, what);
	ipa &= ~(MS_4K - 1);
	while (mask) {
		unsigned int first = (unsigned int)__builtin_ctzll(mask);
		uint64_t rest = ~(mask >> first); // its lowest bit that is set ends the neighbours
		unsigned int n = rest ? (unsigned int)__builtin_ctzll(rest) : 64;

		protect_range(&p, ipa + first * MS_4K, n * MS_4K);
		mask &= ~(((n < 64 ? TDP_BIT(n) : 0) - 1) << first);
	}
	return p.found;
}

// mirrors kvm_tdp_mmu_age_gfn_range(), arch/x86/kvm/mmu/tdp_mmu.c, 6.1+
bool ms_tdp_clear_young(struct ms_tdp *tdp, ms_ipa_t ipa, uint64_t size)
{
	struct protect p = { .tdp = tdp, .min_level = MS_TDP_4K, .max_level = MS_TDP_1G };

	if (!tdp)
		return false;
	p.clear = tdp->f.accessed;
	p.track = tdp->f.track;
	return protect_range(&p, ipa, size);
}

// mirrors kvm_tdp_mmu_test_age_gfn(), arch/x86/kvm/mmu/tdp_mmu.c, 6.1+
bool ms_tdp_test_young(const struct ms_tdp *tdp, ms_ipa_t ipa)
{
	struct ms_tdp_leaf leaf;

	return ms_tdp_get_leaf(tdp, ipa, &leaf) && (leaf.bits & MS_TDP_ACCESSED);
}
