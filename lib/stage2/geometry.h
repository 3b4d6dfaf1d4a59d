/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shape of a stage-2 table: levels, how much an entry of each translates, where an address is
 * found. It knows nothing of a descriptor's bits.
 *
 * Bytes that one entry translates:
 *
 *   granule   level 0   level 1   level 2   level 3
 *     4K       512G       1G        2M        4K      blocks at 1, 2
 *    16K       128T      64G       32M       16K      blocks at 2
 *    64K         -        4T      512M       64K      blocks at 2
 */
#ifndef MS_S2_GEOMETRY_H
#define MS_S2_GEOMETRY_H

#include <mapsim/types.h>

enum { S2_LAST_LEVEL = 3, S2_LEVELS = 4 };

struct s2_geometry {
	unsigned int page_shift;
	uint64_t ipa_limit; // the first address beyond the IPA space
	unsigned int start_level;
	unsigned int root_pages;       // concatenated tables of the start level, a power of two
	unsigned int min_block_level;  // the largest leaf
	unsigned int entries;          // of one table
	unsigned int stride;           // address bits that one level translates
	unsigned int root_shift;       // of the bytes that one root table translates
	uint64_t size[S2_LEVELS];      // bytes that one entry translates,
	unsigned int shift[S2_LEVELS]; // and their shift;
	unsigned int whole_shift[S2_LEVELS]; // of the bytes that a whole table translates
};

static inline unsigned int level_shift(const struct s2_geometry *g, unsigned int level)
{
	return g->shift[level];
}

static inline uint64_t level_size(const struct s2_geometry *g, unsigned int level)
{
	return g->size[level];
}

static inline unsigned int entry_index(const struct s2_geometry *g, ms_ipa_t ipa,
				       unsigned int level)
{
	return (unsigned int)(ipa >> level_shift(g, level)) & (g->entries - 1);
}

/* Start of the entry of this level that translates ipa. */
static inline ms_ipa_t entry_start(const struct s2_geometry *g, ms_ipa_t ipa, unsigned int level)
{
	return ipa & ~(level_size(g, level) - 1);
}

/* Start of the entry that comes after the one that translates ipa. */
static inline ms_ipa_t entry_end(const struct s2_geometry *g, ms_ipa_t ipa, unsigned int level)
{
	return entry_start(g, ipa, level) + level_size(g, level);
}

static inline bool level_has_leaves(const struct s2_geometry *g, unsigned int level)
{
	return level >= g->min_block_level;
}

static inline uint64_t s2_page_size(const struct s2_geometry *g)
{
	return g->size[S2_LAST_LEVEL];
}

/* The level whose leaves have this size; 0, a level without leaves: no leaf has it. */
static inline unsigned int leaf_level(const struct s2_geometry *g, uint64_t size)
{
	if (size == g->size[3])
		return 3;
	if (size == g->size[2])
		return 2;
	return size == g->size[1] && g->min_block_level == 1 ? 1 : 0;
}

static inline bool is_aligned(uint64_t x, uint64_t size)
{
	return (x & (size - 1)) == 0;
}

/* Entries of one level that lie whole within [addr, end). */
static inline unsigned int whole_entries(const struct s2_geometry *g, ms_ipa_t addr, ms_ipa_t end,
					 unsigned int level)
{
	return (unsigned int)((end - addr) >> level_shift(g, level));
}

/* Entries of one level that [addr, end) touches; addr is aligned to them. */
static inline unsigned int entries_touched(const struct s2_geometry *g, ms_ipa_t addr, ms_ipa_t end,
					   unsigned int level)
{
	return (unsigned int)((end - addr + level_size(g, level) - 1) >> level_shift(g, level));
}

/* Where a walk of [addr, end) leaves the table of this level that translates addr. */
static inline ms_ipa_t table_stop(const struct s2_geometry *g, ms_ipa_t addr, ms_ipa_t end,
				  unsigned int level)
{
	ms_ipa_t stop = ((addr >> g->whole_shift[level]) + 1) << g->whole_shift[level];

	return stop < end ? stop : end;
}

/*
 * Levels and root as KVM chooses them: one level less than the size of the IPA space asks for, with
 * up to 16 tables side by side at the top instead, but at least two levels.
 * mirrors stage2_pgtable_levels(), arch/arm64/include/asm/stage2_pgtable.h, 5.10+;
 * kvm_get_vtcr(), arch/arm64/kvm/hyp/pgtable.c, 6.1+; kvm_pgd_pages(),
 * arch/arm64/kvm/hyp/pgtable.c, 5.10+
 */
static inline struct s2_geometry s2_geometry(unsigned int page_shift, unsigned int ipa_bits)
{
	struct s2_geometry g = {
		.page_shift = page_shift,
		.ipa_limit = UINT64_C(1) << ipa_bits,
		.min_block_level = page_shift == 12 ? 1 : 2,
		.entries = 1u << (page_shift - 3),
		.stride = page_shift - 3,
	};
	unsigned int levels = (ipa_bits - 8) / g.stride;

	for (unsigned int level = 0; level < S2_LEVELS; level++) {
		g.shift[level] = page_shift + (S2_LAST_LEVEL - level) * g.stride;
		g.size[level] = UINT64_C(1) << g.shift[level];
		g.whole_shift[level] =
			g.shift[level] + g.stride < 64 ? g.shift[level] + g.stride : 63;
	}
	g.start_level = S2_LEVELS - (levels < 2 ? 2 : levels);
	g.root_shift = g.whole_shift[g.start_level];
	g.root_pages = (unsigned int)((g.ipa_limit - 1) >> g.root_shift) + 1;
	return g;
}

#endif
