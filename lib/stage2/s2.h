/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stage-2 table, as the files of lib/stage2 see it.
 *
 * Tables have numbers. What a table descriptor holds as output address is the number of the next
 * table (in units of the page size), so that descriptors do not depend on where the host's memory
 * happens to be. tables[number] says where the table's words are and how many of them are in use,
 * so that nobody reads a table's entries to learn whether it is empty. The root's tables have the
 * numbers from 0 to root_pages - 1.
 */
#ifndef MS_S2_S2_H
#define MS_S2_S2_H

#include "desc.h"
#include "geometry.h"

#include <mapsim/stage2.h>

#include <assert.h>
#include <errno.h>
#include <string.h>

enum {
	S2_POOL_MAX = 64,      // freed tables that are kept for later use
	S2_PROT_VALUES = 0x80, // MS_PROT_* are seven bits
	S2_NEAR_PAGES = 512,   // slots for tables of pages that are found without a walk,
	S2_NEAR_UPPER = 32,    // and for tables of each level above
	S2_NEAR = S2_NEAR_PAGES + S2_LAST_LEVEL * S2_NEAR_UPPER,
	S2_BYTES = 16384, // of struct ms_s2 in the host's memory, if the granule is not more
};
#define S2_NONE UINT32_MAX

struct s2_table {
	uint64_t *words; // NULL: the number is free
	uint32_t parent; // the table that points here; S2_NONE: none; free number: the next one
	uint16_t index;  // of the entry in parent
	uint16_t live;   // entries that are not 0; of a pooled table, not 0: it is to be cleared
};
static_assert(sizeof(struct s2_table) == 16, "a walk reads one cache line a level for it");

/* One slot of a cache like a CPU's walk cache: which table of a level translates an address. The
 * slot follows from the table's index in its parent, so that a table that goes finds its slot. */
struct s2_near {
	uint32_t key; // 1 + (ipa >> shift of the whole table); 0: empty, and so are the others
	uint32_t table;
	uint64_t *words;
};

/* The table in which a single leaf was mapped or unmapped last: the next one of that size is
 * mostly there. */
struct s2_last {
	uint64_t size; // of the leaf
	ms_ipa_t base; // where the range that the table translates begins
	uint64_t span; // its size, up to the end of the IPA space; 0: nothing is known
	uint64_t *words;
	uint32_t table;
	unsigned int level, shift;
	uint64_t type; // leaf_type()
};

struct ms_s2 {
	struct s2_geometry g;
	struct s2_format f;
	struct ms_s2_host host;
	struct ms_s2_config config;
	bool defer_tlbi;    // unmap does one TLBI of the range, at its end
	bool maintains;     // map and relax do cache maintenance
	bool hears_icache;  // of a leaf that map makes the host hears of the instruction cache only
	bool hears_filled;  // the host hears of each leaf that map makes,
	bool hears_cleared; // and of each that unmap removes
	struct s2_last last;

	struct s2_table *tables;
	uint32_t numbers;     // numbers handed out so far
	uint32_t capacity;    // of tables[]
	uint32_t free_number; // the first of those given back, S2_NONE
	uint32_t linked;      // tables below the root
	uint32_t cached;      // tables in callers' caches
	uint32_t pooled;
	uint32_t pool[S2_POOL_MAX];
	uint64_t attr[S2_PROT_VALUES]; // of each prot; 0: not accepted
	uint8_t prot[S2_ATTR_VALUES];  // of each desc_attr_number()
	struct s2_near near[S2_NEAR];
};
static_assert(sizeof(struct ms_s2) <= S2_BYTES, "it is one allocation of that size");

/* ---- tables (table.c) ---- */

/* A zeroed table that nothing points to: from the cache, or from the host if the cache is empty.
 * S2_NONE: no memory, or cache is NULL. */
uint32_t ms_s2_table_take(struct ms_s2 *s2, struct ms_s2_cache *cache);
/* Gives back a table that has just been unlinked. If its `live` is not 0 its words may hold
 * anything. */
void ms_s2_linked_table_put(struct ms_s2 *s2, uint32_t number, unsigned int level);
/* The same, and all tables below it. */
void ms_s2_subtree_put(struct ms_s2 *s2, uint32_t number, unsigned int level);

static inline uint64_t table_desc(const struct ms_s2 *s2, uint32_t number)
{
	return (uint64_t)number << s2->g.page_shift | DESC_VALID | DESC_TYPE;
}

static inline uint32_t desc_table(const struct ms_s2 *s2, uint64_t d)
{
	return (uint32_t)(d >> s2->g.page_shift);
}

static inline uint32_t root_table(const struct ms_s2 *s2, ms_ipa_t ipa)
{
	return (uint32_t)(ipa >> s2->g.root_shift);
}

/* ---- tables that are found without a walk ---- */

/* Root tables have a slot each, which no other table takes. */
static_assert(S2_NEAR_UPPER >= 16, "a root of up to 16 tables is always near");

static inline unsigned int near_slot(uint64_t key, unsigned int level)
{
	if (level == S2_LAST_LEVEL)
		return key % S2_NEAR_PAGES;
	return S2_NEAR_PAGES + level * S2_NEAR_UPPER + key % S2_NEAR_UPPER;
}

/* NULL: none is known, or ipa is beyond the IPA space. */
static inline const struct s2_near *near_table(const struct ms_s2 *s2, ms_ipa_t ipa,
					       unsigned int level)
{
	uint64_t key = ipa >> s2->g.whole_shift[level];
	const struct s2_near *near = &s2->near[near_slot(key, level)];

	return near->key == key + 1 ? near : NULL;
}

static inline uint64_t *near_word(const struct ms_s2 *s2, const struct s2_near *near, ms_ipa_t ipa,
				  unsigned int level)
{
	return near->words + entry_index(&s2->g, ipa, level);
}

static inline void remember_table(struct ms_s2 *s2, ms_ipa_t ipa, uint32_t table,
				  unsigned int level)
{
	uint32_t key = (uint32_t)(ipa >> s2->g.whole_shift[level]);

	s2->near[near_slot(key, level)] =
		(struct s2_near){ key + 1, table, s2->tables[table].words };
}

static inline void remember_last(struct ms_s2 *s2, ms_ipa_t ipa, const struct s2_near *near,
				 unsigned int level)
{
	ms_ipa_t base = ipa >> s2->g.whole_shift[level] << s2->g.whole_shift[level];

	s2->last = (struct s2_last){
		.size = level_size(&s2->g, level),
		.base = base,
		.span = table_stop(&s2->g, base, s2->g.ipa_limit, level) - base,
		.words = near->words,
		.table = near->table,
		.level = level,
		.shift = level_shift(&s2->g, level),
		.type = leaf_type(level),
	};
}

/* Is a leaf of this size in the same table as the last one? Mostly it is. ipa is aligned to the
 * size. */
static inline bool in_last_table(const struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size)
{
	return __builtin_expect(size == s2->last.size, 1) &&
	       __builtin_expect(ipa - s2->last.base < s2->last.span, 1);
}

/* The leaf's entry there. */
static inline uint64_t *last_word(const struct ms_s2 *s2, ms_ipa_t ipa)
{
	return s2->last.words + ((ipa - s2->last.base) >> s2->last.shift);
}

/* A table is unlinked, and must not be found any more. */
static inline void forget_table(struct ms_s2 *s2, uint32_t table, unsigned int level)
{
	struct s2_near *near = &s2->near[near_slot(s2->tables[table].index, level)];

	if (s2->last.table == table)
		s2->last.span = 0;

	if (near->table == table)
		*near = (struct s2_near){ 0 };
}

/* ---- what an operation tells the host ---- */

static inline void tell_desc(const struct ms_s2 *s2, ms_ipa_t ipa, unsigned int level, uint64_t old,
			     uint64_t desc)
{
	if (s2->host.desc)
		s2->host.desc(s2->host.ctx, entry_start(&s2->g, ipa, level), level, old, desc);
}

static inline void tell_tlbi(const struct ms_s2 *s2, enum ms_tlbi_kind kind, ms_ipa_t ipa,
			     uint64_t size, unsigned int level)
{
	if (s2->host.tlbi)
		s2->host.tlbi(s2->host.ctx, kind, ipa, size, level);
}

static inline void tell_cmo(const struct ms_s2 *s2, enum ms_cmo_kind kind, ms_pa_t pa,
			    uint64_t size)
{
	if (s2->host.cmo)
		s2->host.cmo(s2->host.ctx, kind, pa, size);
}

static inline void clean_dcache(const struct ms_s2 *s2, uint64_t leaf, unsigned int level)
{
	if (!s2->config.fwb && desc_cacheable(&s2->f, leaf))
		tell_cmo(s2, MS_CMO_DCACHE_CLEAN, desc_to_pa(&s2->f, leaf),
			 level_size(&s2->g, level));
}

static inline void invalidate_icache(const struct ms_s2 *s2, uint64_t leaf, unsigned int level)
{
	if (desc_executable(&s2->f, leaf))
		tell_cmo(s2, MS_CMO_ICACHE_INVAL, desc_to_pa(&s2->f, leaf),
			 level_size(&s2->g, level));
}

/* Range TLBIs, each as large as the instruction takes, or one for all of the VMID where the CPU has
 * no range instructions. */
void ms_s2_tlb_flush_range(const struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size);

/* Tells of neighbouring entries that were filled, or are about to be cleared or changed. */
void ms_s2_tell_run(const struct ms_s2_run *run);

/* ---- ranges and walks ---- */

struct s2_range {
	ms_ipa_t start, end;
};

/* Whole pages as a walk sees them. -ERANGE: beyond the IPA space.
 * mirrors kvm_pgtable_walk(), arch/arm64/kvm/hyp/pgtable.c, 5.10+ */
static inline int s2_range(const struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size,
			   struct s2_range *range)
{
	uint64_t limit = s2->g.ipa_limit, page_mask = s2_page_size(&s2->g) - 1;

	if (ipa > limit + page_mask || size > limit)
		return -ERANGE;
	range->start = ipa & ~page_mask;
	range->end = (range->start + size + page_mask) & ~page_mask;
	return range->start > limit || range->end > limit ? -ERANGE : 0;
}

/* Where a walk ended: the entry that translates ipa, which may be 0. */
struct s2_spot {
	uint32_t table;
	unsigned int level;
	uint64_t *word;
};

static inline struct s2_spot walk(const struct ms_s2 *s2, ms_ipa_t ipa)
{
	struct s2_spot spot = { root_table(s2, ipa), s2->g.start_level, NULL };

	for (;;) {
		spot.word = s2->tables[spot.table].words + entry_index(&s2->g, ipa, spot.level);
		if (!desc_is_table(*spot.word, spot.level))
			return spot;
		spot.table = desc_table(s2, *spot.word);
		spot.level++;
	}
}

/* The same; faster where the table of pages is remembered, and it remembers the table. */
static inline struct s2_spot walk_near(struct ms_s2 *s2, ms_ipa_t ipa)
{
	const struct s2_near *near = near_table(s2, ipa, S2_LAST_LEVEL);
	struct s2_spot spot;

	if (near)
		return (struct s2_spot){ near->table, S2_LAST_LEVEL,
					 near_word(s2, near, ipa, S2_LAST_LEVEL) };
	spot = walk(s2, ipa);
	if (spot.level == S2_LAST_LEVEL)
		remember_table(s2, ipa, spot.table, spot.level);
	return spot;
}

/* Empties the entry of a leaf or a table, counts it, and tells of it. */
static inline void clear_entry(struct ms_s2 *s2, uint32_t table, uint64_t *word, ms_ipa_t ipa,
			       unsigned int level)
{
	uint64_t old = *word;

	*word = 0;
	s2->tables[table].live--;
	tell_desc(s2, ipa, level, old, 0);
}

/* Fills an empty entry, counts it, and tells of it. */
static inline void fill_entry(struct ms_s2 *s2, uint32_t table, uint64_t *word, ms_ipa_t ipa,
			      unsigned int level, uint64_t desc)
{
	*word = desc;
	s2->tables[table].live++;
	tell_desc(s2, ipa, level, 0, desc);
}

#endif
