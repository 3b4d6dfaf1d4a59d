/* SPDX-License-Identifier: GPL-2.0-only */
/* Single entries: leaves are mapped, get other rights; pages are marked as MMIO. */
#include "mmu.h"

/* A leaf of the level without its address; UINT64_MAX: attr says nothing that there is. */
static inline uint64_t leaf_of_attr(const struct ms_tdp *tdp, unsigned int attr)
{
	if (attr & ~TDP_ATTR)
		return UINT64_MAX;
	return tdp->f.attr[tdp_attr_number(attr)] | tdp->f.memtype[tdp_memtype_number(attr)];
}

/* The same, as the level has it.
 * mirrors make_spte(), arch/x86/kvm/mmu/spte.c, 6.1+: the workaround for huge pages */
static uint64_t leaf_of_level(const struct ms_tdp *tdp, unsigned int level, unsigned int attr)
{
	uint64_t leaf;

	if (tdp->nx_huge_pages && level > TDP_LAST_LEVEL)
		attr &= ~MS_PROT_X;
	leaf = leaf_of_attr(tdp, attr);
	return level > TDP_LAST_LEVEL ? leaf | TDP_LARGE : leaf;
}

/* ---- the way to an entry ---- */

/* Goes from where a walk ended to the level, by tables that it makes, which were reserved. A huge
 * leaf on the way is split, or zapped and of no further effect.
 * mirrors kvm_tdp_mmu_map(), arch/x86/kvm/mmu/tdp_mmu.c, 6.1+: above the target level */
static struct tdp_spot make_way(struct ms_tdp *tdp, struct tdp_spot spot, ms_ipa_t ipa,
				unsigned int level)
{
	ms_tdp_own_words(tdp, spot.table);
	spot.word = tdp->tables[spot.table].words + entry_index(ipa, spot.level);
	if (spot.level > level && *spot.word && !tdp->config.map_splits) {
		tell_one(tdp, MS_TDP_ZAP, spot.level, entry_start(ipa, spot.level), *spot.word);
		*spot.word = 0;
		tdp->tables[spot.table].live--;
	}
	while (spot.level > level) {
		if (*spot.word) {
			ms_tdp_split_leaf(tdp, &spot, ipa);
		} else {
			ms_tdp_link_table(tdp, spot.table, spot.word);
			tdp->tables[spot.table].live++;
		}
		spot.table = entry_table(*spot.word);
		spot.level--;
		spot.word = tdp->tables[spot.table].words + entry_index(ipa, spot.level);
	}
	remember_table(tdp, ipa, spot.table, spot.level);
	return spot;
}

/* Memory for make_way(). */
static bool reserve_way(struct ms_tdp *tdp, const struct tdp_spot *spot, unsigned int level)
{
	return ms_tdp_reserve(tdp, spot->level - level + shares_nothing(&tdp->tables[spot->table]));
}

/* ---- leaves ---- */

/* A table gives way to a leaf.
 * mirrors handle_removed_pt(), arch/x86/kvm/mmu/tdp_mmu.c, 6.1+ */
static void replace_table(struct ms_tdp *tdp, const struct tdp_spot *spot, ms_ipa_t ipa,
			  uint64_t leaf)
{
	uint32_t child = entry_table(*spot->word);

	ms_tdp_tell_zaps(tdp, child, ipa, spot->level - 1, 0);
	*spot->word = leaf;
	ms_tdp_put_tables(tdp, child, spot->level - 1);
	tell_one(tdp, MS_TDP_MAP, spot->level, ipa, leaf);
}

// mirrors tdp_mmu_map_handle_target_level(), arch/x86/kvm/mmu/tdp_mmu.c, 6.1+
static int map_at(struct ms_tdp *tdp, const struct tdp_spot *spot, ms_ipa_t ipa, uint64_t leaf)
{
	uint64_t w = *spot->word;

	if (entry_is_table(w, spot->level)) {
		replace_table(tdp, spot, ipa, leaf);
	} else if (entry_present(w)) {
		if (entry_pa(w) != entry_pa(leaf))
			return -EEXIST;
		replace_leaf(tdp, spot->level, ipa, spot->word, leaf);
	} else {
		*spot->word = leaf;
		tdp->tables[spot->table].live += !w;
		tell_one(tdp, MS_TDP_MAP, spot->level, ipa, leaf);
	}
	return 0;
}

/* Would what is left of a huge leaf, when it is split, be at another address? */
static bool would_move(const struct ms_tdp *tdp, const struct tdp_spot *spot, ms_ipa_t ipa,
		       ms_pa_t pa)
{
	return tdp->config.map_splits && entry_is_leaf(*spot->word, spot->level) &&
	       entry_pa(*spot->word) + (ipa - entry_start(ipa, spot->level)) != pa;
}

static __attribute__((noinline)) int map_slowly(struct ms_tdp *tdp, ms_ipa_t ipa,
						unsigned int level, ms_pa_t pa, uint64_t leaf)
{
	struct tdp_spot spot;

	if (leaf == UINT64_MAX || !is_aligned(ipa | pa, level_size(level)))
		return -EINVAL;
	if (ipa >= tdp->limit || pa >= tdp->pa_limit)
		return -ERANGE;
	spot = walk(tdp, ipa, level);
	if (spot.level > level || shares_nothing(&tdp->tables[spot.table])) {
		if (spot.level > level && would_move(tdp, &spot, ipa, pa))
			return -EEXIST;
		if (!reserve_way(tdp, &spot, level))
			return -ENOMEM;
	}
	spot = make_way(tdp, spot, ipa, level);
	return map_at(tdp, &spot, ipa, leaf | pa);
}

/* One leaf in an empty entry of a table that is remembered. */
static __attribute__((noinline)) int map_near(struct ms_tdp *tdp, ms_ipa_t ipa, unsigned int level,
					      ms_pa_t pa, unsigned int attr)
{
	const struct tdp_near *near;
	uint64_t leaf, *word;

	if (!level_has_leaves(level))
		return -EINVAL;
	leaf = leaf_of_level(tdp, level, attr);
	near = near_table(tdp, ipa, level);
	if (!near || leaf == UINT64_MAX || !is_aligned(ipa | pa, level_size(level)) ||
	    ipa >= tdp->limit || pa >= tdp->pa_limit)
		return map_slowly(tdp, ipa, level, pa, leaf);
	word = near->words + entry_index(ipa, level);
	if (*word)
		return map_slowly(tdp, ipa, level, pa, leaf);
	remember_last(tdp, ipa, near, level);
	*word = leaf | pa;
	tdp->tables[near->table].live++;
	tell_one(tdp, MS_TDP_MAP, level, ipa, leaf | pa);
	return 0;
}

/* A function of its own, so that ms_tdp_map() stays small where nobody listens. */
static __attribute__((noinline)) int tell_mapped(const struct ms_tdp *tdp, unsigned int level,
						 ms_ipa_t ipa, const uint64_t *word)
{
	tell(tdp, MS_TDP_MAP, level, ipa, 1, 1, word);
	return 0;
}

/* Most calls by far are for one leaf, in an empty entry of the table that the last call used. */
int ms_tdp_map(struct ms_tdp *tdp, ms_ipa_t ipa, unsigned int level, ms_pa_t pa, unsigned int attr)
{
	uint64_t *word, leaf;

	if (!tdp)
		return -EINVAL;
	if (!in_last_table(tdp, ipa, level))
		return map_near(tdp, ipa, level, pa, attr);
	word = last_word(tdp, ipa);
	leaf = leaf_of_attr(tdp, attr & tdp->last.keep);
	if (*word || leaf == UINT64_MAX || (ipa | pa) << (64 - tdp->last.shift) ||
	    pa >= tdp->pa_limit)
		return map_near(tdp, ipa, level, pa, attr);
	*word = leaf | tdp->last.large | pa;
	tdp->tables[tdp->last.table].live++;
	return tdp->host.change ? tell_mapped(tdp, level, ipa, word) : 0;
}

// mirrors fast_pf_fix_direct_spte(), arch/x86/kvm/mmu/mmu.c, 6.1+
int ms_tdp_set(struct ms_tdp *tdp, ms_ipa_t ipa, unsigned int attr)
{
	uint64_t kept = TDP_ADDRESS, leaf;
	struct tdp_spot spot;

	if (!tdp || attr & ~(MS_PROT_RW | MS_PROT_X | MS_TDP_BITS))
		return -EINVAL;
	leaf = tdp->f.attr[tdp_attr_number(attr)];
	if (leaf == UINT64_MAX)
		return -EINVAL;
	if (ipa >= tdp->limit)
		return -ENOENT;
	spot = walk_near(tdp, ipa);
	if (!entry_present(*spot.word))
		return -ENOENT;
	if (spot.level > TDP_LAST_LEVEL)
		kept |= TDP_LARGE;
	if (tdp->f.ept)
		kept |= EPT_MEMTYPE | EPT_IGNORE_PAT;
	replace_leaf(tdp, spot.level, ipa, spot.word, leaf | (*spot.word & kept));
	return 0;
}

/* ---- marks ---- */

// mirrors tdp_mmu_map_handle_target_level(), arch/x86/kvm/mmu/tdp_mmu.c, 6.1+: without a slot
int ms_tdp_mark_mmio(struct ms_tdp *tdp, ms_ipa_t ipa, uint64_t generation)
{
	struct tdp_spot spot;
	uint64_t mark;

	if (!tdp || !is_aligned(ipa, TDP_PAGE_SIZE))
		return -EINVAL;
	if (ipa >= tdp->limit)
		return -ERANGE;
	if (!tdp->f.mmio_value)
		return -EOPNOTSUPP;
	spot = walk_near(tdp, ipa);
	if (entry_present(*spot.word))
		return -EEXIST;
	mark = ms_tdp_make_mark(&tdp->f, ipa, generation);
	if (*spot.word == mark)
		return 0;
	if (!reserve_way(tdp, &spot, TDP_LAST_LEVEL))
		return -ENOMEM;
	spot = make_way(tdp, spot, ipa, TDP_LAST_LEVEL);
	tdp->tables[spot.table].live += !*spot.word;
	tdp->tables[spot.table].marked = 1;
	*spot.word = mark;
	tell_one(tdp, MS_TDP_MMIO, TDP_LAST_LEVEL, ipa, mark);
	return 0;
}
