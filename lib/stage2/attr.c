/* SPDX-License-Identifier: GPL-2.0-only */
/* What changes leaves in place: write protection, more permissions, the access flag. And
 * flushing. */
#include "s2.h"
#include "words.h"

/* What to do with the leaves of a range, and what was found. */
struct attr_walk {
	struct ms_s2 *s2;
	ms_ipa_t end;
	uint64_t clear; // a bit that is cleared in every leaf, or 0
	uint64_t found; // all bits that were set in some leaf
};

static inline void change_leaf(struct ms_s2 *s2, uint64_t *word, ms_ipa_t addr, unsigned int level,
			       uint64_t desc)
{
	uint64_t old = *word;

	if (old == desc)
		return;
	*word = desc;
	tell_desc(s2, addr, level, old, desc);
}

static void clear_bits_of_pages(struct attr_walk *w, uint32_t table, ms_ipa_t addr, ms_ipa_t stop)
{
	struct ms_s2 *s2 = w->s2;
	uint64_t *words = s2->tables[table].words + entry_index(&s2->g, addr, S2_LAST_LEVEL);
	unsigned int n = whole_entries(&s2->g, addr, stop, S2_LAST_LEVEL);

	if (!w->clear) {
		w->found |= words_or(words, n);
		return;
	}
	if (s2->host.desc || s2->host.run)
		ms_s2_tell_run(&(struct ms_s2_run){
			.s2 = s2,
			.kind = MS_S2_RUN_CHANGE,
			.level = S2_LAST_LEVEL,
			.ipa = addr,
			.count = n,
			.desc = words,
			.bit = w->clear,
		});
	w->found |= words_clear_bits(words, n, w->clear);
}

/* Every leaf that the range touches changes as a whole, however little of it is in the range.
 * mirrors stage2_attr_walker(), arch/arm64/kvm/hyp/pgtable.c, 5.10+ */
static void clear_bits(struct attr_walk *w, uint32_t table, ms_ipa_t addr, unsigned int level)
{
	struct ms_s2 *s2 = w->s2;
	ms_ipa_t stop = table_stop(&s2->g, addr, w->end, level);

	if (level == S2_LAST_LEVEL) {
		clear_bits_of_pages(w, table, addr, stop);
		return;
	}
	for (; addr < stop; addr = entry_end(&s2->g, addr, level)) {
		uint64_t *word = s2->tables[table].words + entry_index(&s2->g, addr, level);

		if (desc_is_table(*word, level)) {
			clear_bits(w, desc_table(s2, *word), addr, level + 1);
		} else {
			w->found |= *word;
			change_leaf(s2, word, addr, level, *word & ~w->clear);
		}
	}
}

static uint64_t clear_bits_of_range(struct ms_s2 *s2, const struct s2_range *range, uint64_t clear)
{
	struct attr_walk w = { .s2 = s2, .end = range->end, .clear = clear };
	unsigned int start = s2->g.start_level;

	for (ms_ipa_t addr = range->start; addr < range->end;
	     addr = table_stop(&s2->g, addr, range->end, start))
		clear_bits(&w, root_table(s2, addr), addr, start);
	return w.found;
}

/* Clears a bit in every leaf that the range touches; *found: all bits that were set in some leaf.
 * mirrors stage2_update_leaf_attrs(), arch/arm64/kvm/hyp/pgtable.c, 5.10+ */
static int clear_attr(struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size, uint64_t clear,
		      uint64_t *found)
{
	struct s2_range range;
	int ret = s2_range(s2, ipa, size, &range);

	if (ret)
		return ret;
	if (range.end - range.start == s2_page_size(&s2->g)) {
		struct s2_spot spot = walk_near(s2, range.start);

		*found = *spot.word;
		change_leaf(s2, spot.word, range.start, spot.level, *spot.word & ~clear);
	} else {
		*found = clear_bits_of_range(s2, &range, clear);
	}
	return 0;
}

/* More than a page, or a page whose table is not among those remembered. */
static __attribute__((noinline)) int wrprotect_range(struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size)
{
	uint64_t found;

	return clear_attr(s2, ipa, size, DESC_W, &found);
}

// mirrors kvm_pgtable_stage2_wrprotect(), arch/arm64/kvm/hyp/pgtable.c, 5.10+
int ms_s2_wrprotect(struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size)
{
	if (!s2)
		return -EINVAL;
	const struct s2_near *near = near_table(s2, ipa, S2_LAST_LEVEL);
	uint64_t *word;

	if (!near || size != s2_page_size(&s2->g))
		return wrprotect_range(s2, ipa, size);
	word = near_word(s2, near, ipa, S2_LAST_LEVEL);
	change_leaf(s2, word, ipa, S2_LAST_LEVEL, *word & ~DESC_W);
	return 0;
}

// mirrors kvm_pgtable_stage2_mkold(), arch/arm64/kvm/hyp/pgtable.c, 5.10 .. 6.4;
// kvm_pgtable_stage2_test_clear_young(), arch/arm64/kvm/hyp/pgtable.c, 6.5+
bool ms_s2_test_clear_young(struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size, bool clear)
{
	uint64_t found = 0;

	if (s2)
		clear_attr(s2, ipa, size, clear ? DESC_AF : 0, &found);
	return desc_young(found);
}

static int page_spot(struct ms_s2 *s2, ms_ipa_t ipa, struct s2_spot *spot)
{
	if (ipa >= s2->g.ipa_limit)
		return -ERANGE;
	*spot = walk_near(s2, ipa);
	return 0;
}

/* The answer where nothing is mapped.
 * mirrors stage2_attr_walker(), arch/arm64/kvm/hyp/pgtable.c, 5.10+ */
static int nothing_there(const struct ms_s2 *s2)
{
	return s2->config.absent_eagain ? -EAGAIN : 0;
}

// mirrors kvm_pgtable_stage2_mkyoung(), arch/arm64/kvm/hyp/pgtable.c, 5.10+
int ms_s2_mkyoung(struct ms_s2 *s2, ms_ipa_t ipa)
{
	if (!s2)
		return -EINVAL;
	struct s2_spot spot;
	int ret = page_spot(s2, ipa, &spot);

	if (ret)
		return ret;
	if (!*spot.word)
		return nothing_there(s2);
	change_leaf(s2, spot.word, ipa, spot.level, *spot.word | DESC_AF);
	return 0;
}

/* Before the guest may execute a leaf, its instruction cache is invalidated. */
static void relax_leaf(struct ms_s2 *s2, const struct s2_spot *spot, ms_ipa_t ipa, uint64_t desc)
{
	if (s2->maintains && !desc_executable(&s2->f, *spot->word))
		invalidate_icache(s2, desc, spot->level);
	change_leaf(s2, spot->word, ipa, spot->level, desc);
}

/* The leaf with `prot` added. attr: the attributes of a mapping that allows `prot` alone. */
static uint64_t relaxed(const struct ms_s2 *s2, uint64_t desc, unsigned int prot, uint64_t attr)
{
	desc |= attr & (DESC_R | DESC_W);
	if (s2->config.relax_takes_exec || (prot & (MS_PROT_X | MS_PROT_PX | MS_PROT_UX)))
		desc = (desc & ~s2->f.xn_mask) | (attr & s2->f.xn_mask);
	return desc;
}

// mirrors kvm_pgtable_stage2_relax_perms(), arch/arm64/kvm/hyp/pgtable.c, 5.10+
int ms_s2_relax(struct ms_s2 *s2, ms_ipa_t ipa, unsigned int prot)
{
	if (!s2)
		return -EINVAL;
	uint64_t attr = s2->attr[prot & (MS_PROT_RW | MS_PROT_X | MS_PROT_PX | MS_PROT_UX)];
	unsigned int level = 0;
	struct s2_spot spot;
	int ret;

	if (!attr)
		return -EINVAL;
	ret = page_spot(s2, ipa, &spot);
	if (ret)
		return ret;
	if (*spot.word) {
		level = spot.level;
		relax_leaf(s2, &spot, ipa, relaxed(s2, *spot.word, prot, attr));
	} else {
		ret = nothing_there(s2);
	}
	if (ret && s2->config.eagain_no_tlbi)
		return ret;
	tell_tlbi(s2, s2->config.relax_local ? MS_TLBI_IPA_NSH : MS_TLBI_IPA, ipa, 0, level);
	return ret;
}

// mirrors stage2_flush_walker(), arch/arm64/kvm/hyp/pgtable.c, 5.10+
static void flush_table(struct ms_s2 *s2, uint32_t table, ms_ipa_t addr, ms_ipa_t end,
			unsigned int level)
{
	ms_ipa_t stop = table_stop(&s2->g, addr, end, level);

	for (; addr < stop; addr = entry_end(&s2->g, addr, level)) {
		uint64_t d = s2->tables[table].words[entry_index(&s2->g, addr, level)];

		if (desc_is_table(d, level))
			flush_table(s2, desc_table(s2, d), addr, stop, level + 1);
		else
			clean_dcache(s2, d, level);
	}
}

// mirrors kvm_pgtable_stage2_flush(), arch/arm64/kvm/hyp/pgtable.c, 5.10+
int ms_s2_flush(struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size)
{
	if (!s2)
		return -EINVAL;
	struct s2_range range;
	int ret = 0;

	if (s2->config.fwb)
		return 0;
	ret = s2_range(s2, ipa, size, &range);
	if (ret || !s2->host.cmo)
		return ret;
	for (ms_ipa_t addr = range.start; addr < range.end;
	     addr = table_stop(&s2->g, addr, range.end, s2->g.start_level))
		flush_table(s2, root_table(s2, addr), addr, range.end, s2->g.start_level);
	return 0;
}
