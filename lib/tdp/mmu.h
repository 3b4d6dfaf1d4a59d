/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table, as the files of lib/tdp see it.
 *
 * Tables have numbers. The address in an entry that points to a table is the number of that table
 * (in units of 4K), so that entries do not depend on where the host's memory happens to be.
 * tables[number] says where the table's entries are, and how many of them are in use. The root has
 * the number 0.
 *
 * As in the kernel a table stays linked when its last leaf is zapped; but then it shares one
 * constant page of zeros with all tables in which nothing is. Whoever is about to write there gives
 * it a page of its own before (ms_tdp_own_words()).
 */
#ifndef MS_TDP_MMU_H
#define MS_TDP_MMU_H

#include "entry.h"

#include "stage2/words.h"

#include <errno.h>
#include <string.h>

enum {
	TDP_SPARE_MAX = 64,   // pages that are kept for later use
	TDP_NEAR_PAGES = 512, // slots for tables of 4K leaves that are found without a walk,
	TDP_NEAR_UPPER = 32,  // and for tables of each level above that has leaves
	TDP_NEAR = TDP_NEAR_PAGES + 2 * TDP_NEAR_UPPER,
	TDP_BYTES = 16384, // of struct ms_tdp in the host's memory
};
#define TDP_NONE UINT32_MAX

struct tdp_table {
	uint64_t *words;     // NULL: the number is free
	uint32_t parent;     // the table that points here; of a free number: the next one
	uint16_t index : 15; // of the entry in parent
	uint16_t marked : 1; // a page may be marked as MMIO here: look before you clear
	uint16_t live;       // entries that are not 0
};
static_assert(sizeof(struct tdp_table) == 16, "a walk reads one cache line a level for it");

/* One slot of a cache like a CPU's walk cache: which table of a level translates an address. The
 * slot follows from the table's index in its parent, so that a table that goes finds its slot. Only
 * tables with a page of their own are here. */
struct tdp_near {
	uint32_t key; // near_key() of the addresses that it translates; 0: the slot is empty
	uint32_t table;
	uint64_t *words;
};

/* The table in which a single leaf was mapped or zapped last: the next one of that level is mostly
 * there. */
struct tdp_last {
	ms_ipa_t base; // where the range that the table translates begins
	uint64_t span; // its size, up to the last address; 0: nothing is known
	uint64_t *words;
	uint64_t large;    // bits that a leaf of the level has besides
	unsigned int keep; // the attr that a leaf of the level may have
	unsigned int level, shift;
	uint32_t table;
};

struct ms_tdp {
	struct tdp_last last;
	struct tdp_format f;
	struct ms_tdp_host host;
	struct ms_tdp_config config;
	ms_ipa_t limit; // beyond the last address
	ms_pa_t pa_limit;
	bool nx_huge_pages;

	struct tdp_table *tables;
	uint32_t numbers;      // numbers handed out so far
	uint32_t capacity;     // of tables[]
	uint32_t free_number;  // the first of those given back, TDP_NONE
	uint32_t free_numbers; // how many
	uint32_t linked;       // tables without the root
	uint32_t spares;
	uint64_t *spare; // pages: the first word is the address of the next, the second TDP_CLEAN
	struct tdp_near near[TDP_NEAR];
};
static_assert(sizeof(struct ms_tdp) <= TDP_BYTES, "it is one allocation of that size");

/* ---- memory of tables (table.c) ---- */

extern const uint64_t ms_tdp_nothing[TDP_ENTRIES];

static inline bool shares_nothing(const struct tdp_table *table)
{
	return table->words == ms_tdp_nothing;
}

/* Makes sure that n pages and numbers can be had. false: no memory. */
bool ms_tdp_reserve(struct ms_tdp *tdp, uint64_t n);
/* Gives a table a page of its own, which was reserved. */
void ms_tdp_own_words(struct ms_tdp *tdp, uint32_t table);
/* A table without an entry and with a page, both reserved, that this entry points to from now on.
 * The caller counts the entry if it was empty. */
uint32_t ms_tdp_link_table(struct ms_tdp *tdp, uint32_t parent, uint64_t *word);
/* A table in which nothing is left gives its page back. clean: it holds zeros. */
void ms_tdp_release_words(struct ms_tdp *tdp, uint32_t table, unsigned int level, bool clean);
/* Gives back a table that has just been unlinked, and all tables below it. */
void ms_tdp_put_tables(struct ms_tdp *tdp, uint32_t table, unsigned int level);

/* What a table descriptor says.
 * mirrors make_nonleaf_spte(), arch/x86/kvm/mmu/spte.c, 6.1+ */
static inline uint64_t table_entry(const struct ms_tdp *tdp, uint32_t number)
{
	return (uint64_t)number << TDP_PAGE_SHIFT | tdp->f.table;
}

// mirrors spte_to_child_pt(), arch/x86/kvm/mmu/tdp_iter.c, 6.1+
static inline uint32_t entry_table(uint64_t w)
{
	return (uint32_t)(entry_pa(w) >> TDP_PAGE_SHIFT);
}

/* ---- tables that are found without a walk ---- */

/* Not 0 for any address, and more than 32 bits for what no table translates. */
static inline uint64_t near_key(ms_ipa_t ipa, unsigned int level)
{
	return (ipa >> table_shift(level)) + 1;
}

static inline unsigned int near_slot(uint64_t key, unsigned int level)
{
	if (level == TDP_LAST_LEVEL)
		return key % TDP_NEAR_PAGES;
	return TDP_NEAR_PAGES + (level - 2) * TDP_NEAR_UPPER + key % TDP_NEAR_UPPER;
}

/* NULL: none is known. The level has leaves. */
static inline const struct tdp_near *near_table(const struct ms_tdp *tdp, ms_ipa_t ipa,
						unsigned int level)
{
	uint64_t key = near_key(ipa, level);
	const struct tdp_near *near = &tdp->near[near_slot(key, level)];

	return near->key == key ? near : NULL;
}

static inline void remember_table(struct ms_tdp *tdp, ms_ipa_t ipa, uint32_t table,
				  unsigned int level)
{
	uint32_t key = (uint32_t)near_key(ipa, level);

	if (level_has_leaves(level) && !shares_nothing(&tdp->tables[table]))
		tdp->near[near_slot(key, level)] =
			(struct tdp_near){ key, table, tdp->tables[table].words };
}

static inline void remember_last(struct ms_tdp *tdp, ms_ipa_t ipa, const struct tdp_near *near,
				 unsigned int level)
{
	ms_ipa_t base = ipa >> table_shift(level) << table_shift(level);
	bool takes_exec = tdp->nx_huge_pages && level > TDP_LAST_LEVEL;

	tdp->last = (struct tdp_last){
		.base = base,
		.span = table_stop(base, tdp->limit, level) - base,
		.words = near->words,
		.large = level > TDP_LAST_LEVEL ? TDP_LARGE : 0,
		.keep = takes_exec ? ~MS_PROT_X : ~0u,
		.level = level,
		.shift = level_shift(level),
		.table = near->table,
	};
}

/* Is a leaf of this level in the same table as the last one? Mostly it is. */
static inline bool in_last_table(const struct ms_tdp *tdp, ms_ipa_t ipa, unsigned int level)
{
	return __builtin_expect(level == tdp->last.level, 1) &&
	       __builtin_expect(ipa - tdp->last.base < tdp->last.span, 1);
}

/* The leaf's entry there. */
static inline uint64_t *last_word(const struct ms_tdp *tdp, ms_ipa_t ipa)
{
	return tdp->last.words + ((ipa - tdp->last.base) >> tdp->last.shift);
}

/* A table is unlinked or gives its page back, and must not be found any more. */
static inline void forget_table(struct ms_tdp *tdp, uint32_t table, unsigned int level)
{
	struct tdp_near *near;

	if (tdp->last.table == table)
		tdp->last.span = 0;
	if (!level_has_leaves(level))
		return;
	near = &tdp->near[near_slot(tdp->tables[table].index + 1, level)];
	if (near->table == table)
		*near = (struct tdp_near){ 0, 0, NULL };
}

/* ---- what is told (run.c) ---- */

/* Neighbouring entries of one table, some of which are leaves. */
static inline void tell(const struct ms_tdp *tdp, enum ms_tdp_change kind, unsigned int level,
			ms_ipa_t ipa, unsigned int count, unsigned int leaves,
			const uint64_t *entries)
{
	if (tdp->host.change && leaves)
		tdp->host.change(tdp->host.ctx, &(struct ms_tdp_run){
							.tdp = tdp,
							.kind = kind,
							.level = level,
							.ipa = ipa,
							.count = count,
							.leaves = leaves,
							.entries = entries,
						});
}

/* One leaf, with the entry that is to be told of. */
static inline void tell_one(const struct ms_tdp *tdp, enum ms_tdp_change kind, unsigned int level,
			    ms_ipa_t ipa, uint64_t entry)
{
	tell(tdp, kind, level, ipa, 1, 1, &entry);
}

/* n entries of which some lose bits. */
void ms_tdp_tell_cleared(const struct ms_tdp *tdp, unsigned int level, ms_ipa_t ipa, unsigned int n,
			 const uint64_t *entries, uint64_t clear);
void ms_tdp_tell_replaced(const struct ms_tdp *tdp, unsigned int level, ms_ipa_t ipa, uint64_t old,
			  uint64_t entry);
/* A leaf gets another entry. */
static inline void replace_leaf(struct ms_tdp *tdp, unsigned int level, ms_ipa_t ipa,
				uint64_t *word, uint64_t entry)
{
	uint64_t old = *word;

	*word = entry;
	if (tdp->host.change && old != entry)
		ms_tdp_tell_replaced(tdp, level, ipa, old, entry);
}

/* ---- ranges and walks ---- */

struct tdp_range {
	ms_ipa_t start, end;
};

/* Whole pages, and none beyond the last. */
static inline struct tdp_range tdp_range(const struct ms_tdp *tdp, ms_ipa_t ipa, uint64_t size)
{
	const uint64_t mask = TDP_PAGE_SIZE - 1;
	uint64_t left = ipa < tdp->limit ? tdp->limit - ipa : 0;

	if (!size)
		return (struct tdp_range){ 0, 0 };
	if (size >= left)
		return (struct tdp_range){ ipa & ~mask, left ? tdp->limit : 0 };
	return (struct tdp_range){ ipa & ~mask, (ipa + size + mask) & ~mask };
}

/* Where a walk ended. */
struct tdp_spot {
	uint32_t table;
	unsigned int level;
	uint64_t *word; // may be in the page of zeros
};

/* The entry that translates ipa: the first that points to no table, or is of the level.
 * mirrors tdp_iter_next(), arch/x86/kvm/mmu/tdp_iter.c, 6.1+: on the way to one address */
static inline struct tdp_spot walk(const struct ms_tdp *tdp, ms_ipa_t ipa, unsigned int level)
{
	struct tdp_spot spot = { 0, tdp->config.levels, NULL };

	for (;;) {
		spot.word = tdp->tables[spot.table].words + entry_index(ipa, spot.level);
		if (spot.level == level || !entry_is_table(*spot.word, spot.level))
			return spot;
		spot.table = entry_table(*spot.word);
		spot.level--;
	}
}

/* The entry that translates ipa, as above; faster where the table of 4K leaves is remembered, and
 * it remembers the table. */
static inline struct tdp_spot walk_near(struct ms_tdp *tdp, ms_ipa_t ipa)
{
	const struct tdp_near *near = near_table(tdp, ipa, TDP_LAST_LEVEL);
	struct tdp_spot spot;

	if (near)
		return (struct tdp_spot){ near->table, TDP_LAST_LEVEL,
					  near->words + entry_index(ipa, TDP_LAST_LEVEL) };
	spot = walk(tdp, ipa, TDP_LAST_LEVEL);
	remember_table(tdp, ipa, spot.table, spot.level);
	return spot;
}

/* ---- parts of operations ---- */

/* A huge leaf becomes a table; a page for it was reserved. (split.c) */
void ms_tdp_split_leaf(struct ms_tdp *tdp, const struct tdp_spot *spot, ms_ipa_t ipa);
/* Tells of all leaves below a table as they go, by address; of one level, or 0: of all. (zap.c) */
void ms_tdp_tell_zaps(const struct ms_tdp *tdp, uint32_t table, ms_ipa_t ipa, unsigned int level,
		      unsigned int only);
/* Empties an entry that points to a table, with all below it. (zap.c) */
void ms_tdp_remove_table(struct ms_tdp *tdp, uint32_t table, uint64_t *word, ms_ipa_t ipa,
			 unsigned int level);

#endif
