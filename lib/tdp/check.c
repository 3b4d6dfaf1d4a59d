/* SPDX-License-Identifier: GPL-2.0-only */
/* What must hold between two operations. */
#include "mmu.h"

// mirrors check_spte_writable_invariants(), arch/x86/kvm/mmu/spte.h, 6.1+
static const char *check_writable(const struct tdp_format *f, uint64_t w)
{
	if ((w & f->mmu_writable) && !(w & f->host_writable))
		return "a leaf is KVM-writable but not host-writable";
	if ((w & TDP_W) && !(w & f->mmu_writable))
		return "a leaf is writable but not KVM-writable";
	return NULL;
}

static const char *check_leaf(const struct ms_tdp *tdp, uint64_t w, unsigned int level)
{
	const struct tdp_format *f = &tdp->f;
	uint64_t large = level > TDP_LAST_LEVEL ? TDP_LARGE : 0, rights = f->track;
	bool tracked = leaf_is_tracked(f, w);

	if (!level_has_leaves(level))
		return "a leaf at a level that has none";
	if (!is_aligned(entry_pa(w), level_size(level)) || entry_pa(w) >= tdp->pa_limit)
		return "a leaf's address is not aligned to its size, or too large";
	if (w & ~(f->known | TDP_ADDRESS | large))
		return "a leaf has bits that are not ours";
	if ((f->leaf & ~rights) & ~w)
		return "a leaf lacks what every leaf has";
	if (!tracked && !(w & TDP_R))
		return "a leaf is not readable";
	if (!tracked && (w & f->saved << f->saved_shift) && f->track)
		return "an accessed leaf has rights put by";
	if (tracked && (w & f->accessed))
		return "a leaf without rights is accessed";
	if ((w & f->x) != f->x && (w & f->x))
		return "a leaf is half executable";
	return check_writable(f, w);
}

static const char *check_mark(const struct ms_tdp *tdp, const struct tdp_table *table, uint64_t w,
			      ms_ipa_t ipa, unsigned int level)
{
	const struct tdp_format *f = &tdp->f;

	if (level != TDP_LAST_LEVEL || (w & f->mmio_mask) != f->mmio_value)
		return "an entry is neither empty nor present nor a mark";
	if (w != ms_tdp_make_mark(f, ipa, ms_tdp_mark_generation(f, w)))
		return "a mark is not that of its page";
	return table->marked ? NULL : "a table does not know that it has marks";
}

static const char *check_table(const struct ms_tdp *tdp, uint32_t number, ms_ipa_t ipa,
			       unsigned int level, uint32_t *seen);

/* A table has one parent and one index there; that they lead back shows that it is linked once
 * only. */
static const char *check_link(const struct ms_tdp *tdp, uint32_t parent, unsigned int index,
			      ms_ipa_t ipa, unsigned int level, uint32_t *seen)
{
	uint64_t w = tdp->tables[parent].words[index];
	uint32_t child = entry_table(w);

	if (w != table_entry(tdp, child))
		return "an entry to a table has bits that are not ours";
	if (!child || child >= tdp->numbers || !tdp->tables[child].words)
		return "an entry points to no table";
	if (tdp->tables[child].parent != parent || tdp->tables[child].index != index)
		return "a table is linked twice or does not know where";
	++*seen;
	return check_table(tdp, child, ipa, level - 1, seen);
}

static const char *check_entry(const struct ms_tdp *tdp, uint32_t number, unsigned int index,
			       ms_ipa_t ipa, unsigned int level, uint32_t *seen)
{
	const struct tdp_table *table = &tdp->tables[number];
	uint64_t w = table->words[index];

	if (ipa >= tdp->limit)
		return "an entry beyond the last address is in use";
	if (entry_is_table(w, level))
		return check_link(tdp, number, index, ipa, level, seen);
	if (entry_present(w))
		return check_leaf(tdp, w, level);
	return check_mark(tdp, table, w, ipa, level);
}

/* ipa: where the range that the table translates begins. */
static const char *check_table(const struct ms_tdp *tdp, uint32_t number, ms_ipa_t ipa,
			       unsigned int level, uint32_t *seen)
{
	const struct tdp_table *table = &tdp->tables[number];
	unsigned int live = 0;

	for (unsigned int i = 0; i < TDP_ENTRIES; i++) {
		const char *broken;

		if (!table->words[i])
			continue;
		live++;
		broken = check_entry(tdp, number, i, ipa + i * level_size(level), level, seen);
		if (broken)
			return broken;
	}
	if (live != table->live)
		return "a table's count is not the number of its entries";
	if (shares_nothing(table) && table->marked)
		return "a table in which nothing is has marks";
	return live || shares_nothing(table) ? NULL : "a table in which nothing is has a page";
}

static const char *check_numbers(const struct ms_tdp *tdp)
{
	uint32_t used = 0, free = 0;

	for (uint32_t i = 0; i < tdp->numbers; i++)
		used += tdp->tables[i].words != NULL;
	for (uint32_t i = tdp->free_number; i != TDP_NONE && free <= tdp->numbers; free++) {
		if (i >= tdp->numbers || tdp->tables[i].words)
			return "a number is free and in use";
		i = tdp->tables[i].parent;
	}
	if (free != tdp->free_numbers || used + free != tdp->numbers)
		return "a number is lost";
	return used == tdp->linked + 1 ? NULL : "a table is lost";
}

static const char *check_spares(const struct ms_tdp *tdp)
{
	const uint64_t *page = tdp->spare;

	for (uint32_t i = 0; i < tdp->spares; i++) {
		if (!page)
			return "a spare page is lost";
		for (unsigned int k = 2; page[1] && k < TDP_ENTRIES; k++)
			if (page[k])
				return "a spare page that counts as clean is not";
		page = (const uint64_t *)(uintptr_t)page[0];
	}
	return page ? "there are more spare pages than were counted" : NULL;
}

static bool is_table_at(const struct ms_tdp *tdp, ms_ipa_t ipa, unsigned int level, uint32_t table,
			const uint64_t *words)
{
	struct tdp_spot spot = walk(tdp, ipa, level);

	return spot.level == level && spot.table == table && tdp->tables[table].words == words &&
	       !shares_nothing(&tdp->tables[table]);
}

static const char *check_near(const struct ms_tdp *tdp, unsigned int slot, unsigned int level)
{
	const struct tdp_near *near = &tdp->near[slot];
	ms_ipa_t ipa = ((ms_ipa_t)near->key - 1) << table_shift(level);

	if (!near->key)
		return !near->table && !near->words ? NULL
						    : "a table is remembered without its place";
	if (near_slot(near->key, level) != slot || ipa >= tdp->limit ||
	    !is_table_at(tdp, ipa, level, near->table, near->words))
		return "a table is remembered where it is not";
	return NULL;
}

static const char *check_all_near(const struct ms_tdp *tdp)
{
	const char *broken = NULL;

	for (unsigned int i = 0; !broken && i < TDP_NEAR; i++)
		broken = check_near(tdp, i,
				    i < TDP_NEAR_PAGES
					    ? MS_TDP_4K
					    : MS_TDP_2M + (i - TDP_NEAR_PAGES) / TDP_NEAR_UPPER);
	return broken;
}

static const char *check_last(const struct ms_tdp *tdp)
{
	const struct tdp_last *last = &tdp->last;

	if (!last->span)
		return NULL;
	if (last->shift != level_shift(last->level) || last->base + last->span > tdp->limit ||
	    !is_table_at(tdp, last->base, last->level, last->table, last->words))
		return "the table of the last leaf is not where it was";
	return NULL;
}

const char *ms_tdp_check(const struct ms_tdp *tdp)
{
	const char *broken;
	uint32_t seen = 0;

	if (!tdp)
		return "there is no table";
	broken = check_table(tdp, 0, 0, tdp->config.levels, &seen);
	if (broken)
		return broken;
	if (seen != tdp->linked)
		return "the number of linked tables is wrong";
	broken = check_numbers(tdp);
	if (!broken)
		broken = check_spares(tdp);
	if (!broken)
		broken = check_last(tdp);
	return broken ? broken : check_all_near(tdp);
}
