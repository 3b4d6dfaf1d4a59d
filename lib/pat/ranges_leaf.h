/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens in one leaf of the tree of ranges: small functions that belong into their callers.
 */
#ifndef MS_PAT_RANGES_LEAF_H
#define MS_PAT_RANGES_LEAF_H

#include "pat/ranges.h"

/* What a parent knows of a child. */
struct summary {
	uint64_t start, max;
	uint8_t types;
};

static inline struct summary leaf_summary(struct ms_ranges_leaf *leaf)
{
	return (struct summary){ .start = ms_leaf_range(leaf, 0)->start,
				 .max = leaf->max,
				 .types = leaf->types };
}

/* ---- the order ---- */

/* The digits below digit i. */
static inline uint64_t digits_below(unsigned int i)
{
	return (UINT64_C(1) << 4 * i) - 1;
}

/* The digits above digit i. */
static inline uint64_t digits_above(unsigned int i)
{
	return UINT64_MAX << 4 * i << 4;
}

/* Digit n moves to place i <= n: a free slot becomes range i of n + 1. */
static inline uint64_t order_insert(uint64_t order, unsigned int i, unsigned int n)
{
	uint64_t slot = order >> 4 * n & 15;
	uint64_t later = order & digits_below(n) & ~digits_below(i);

	return (order & (digits_below(i) | digits_above(n))) | slot << 4 * i | later << 4;
}

/* Digit i moves to place n >= i: range i of n + 1 leaves a free slot. */
static inline uint64_t order_remove(uint64_t order, unsigned int i, unsigned int n)
{
	uint64_t slot = order >> 4 * i & 15;
	uint64_t later = (order & digits_above(i) & ~digits_above(n)) >> 4;

	return (order & (digits_below(i) | digits_above(n))) | slot << 4 * n | later;
}

/* ---- the leaf ---- */

static inline void leaf_clear(struct ms_ranges_leaf *leaf)
{
	memset(leaf->end, 0xff, sizeof(leaf->end));
	leaf->order = UINT64_C(0xfedcba9876543210);
	leaf->max = 0;
	leaf->n = 0;
	leaf->types = 0;
	leaf->tangled = false;
}

static inline struct ms_ranges_leaf *leaf_new(struct ms_ranges *t)
{
	struct ms_ranges_leaf *leaf = ms_pool_get(t->machine, &t->leaves);

	if (leaf)
		leaf_clear(leaf);
	return leaf;
}

/* All that follows from the ranges in their order. */
static inline void leaf_derive(struct ms_ranges_leaf *leaf)
{
	leaf->max = 0;
	leaf->types = 0;
	leaf->tangled = false;
	for (unsigned int i = 0; i < leaf->n; i++) {
		unsigned int slot = ms_leaf_slot(leaf, i);
		uint64_t end = leaf->slot[slot].end;

		leaf->end[slot] = end;
		leaf->types |= (uint8_t)(1u << ms_range_type(&leaf->slot[slot]));
		leaf->tangled |= end < leaf->max;
		leaf->max = ms_max_u64(leaf->max, end);
	}
}

/* Puts ranges first .. first + n - 1 of another leaf behind the leaf's own. */
static inline void leaf_append(struct ms_ranges_leaf *leaf, struct ms_ranges_leaf *from,
			       unsigned int first, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		*ms_leaf_range(leaf, leaf->n + i) = *ms_leaf_range(from, first + i);
	leaf->n = (uint8_t)(leaf->n + n);
	leaf_derive(leaf);
}

/* Keeps the first n ranges. */
static inline void leaf_truncate(struct ms_ranges_leaf *leaf, unsigned int n)
{
	while (leaf->n > n)
		leaf->end[ms_leaf_slot(leaf, --leaf->n)] = UINT64_MAX;
	leaf_derive(leaf);
}

/* A range that does not end before an earlier one, nor after a later one. true: the leaf's summary
 * may be another one now. */
static inline bool leaf_insert_untangled(struct ms_ranges_leaf *leaf, unsigned int i,
					 uint64_t start, uint64_t end, uintptr_t tag)
{
	unsigned int n = leaf->n, slot = ms_leaf_slot(leaf, n), type = 1u << (tag & 7);
	bool changed = i == 0 || i == n || !(leaf->types & type);

	leaf->order = order_insert(leaf->order, i, n);
	leaf->slot[slot] = (struct ms_range){ start, end, tag };
	leaf->end[slot] = end;
	leaf->max = ms_max_u64(leaf->max, end);
	leaf->types |= (uint8_t)type;
	leaf->n = (uint8_t)(n + 1);
	return changed;
}

/* Any range; the same answer. */
static inline bool leaf_insert(struct ms_ranges_leaf *leaf, unsigned int i, uint64_t start,
			       uint64_t end, uintptr_t tag)
{
	uint64_t max = leaf->max;

	if ((i && ms_leaf_range(leaf, i - 1)->end > end) ||
	    (i < leaf->n && ms_leaf_range(leaf, i)->end < end))
		leaf->tangled = true;
	return leaf_insert_untangled(leaf, i, start, end, tag) || end > max;
}

/* true: the leaf's largest end or its types are others now. */
static inline bool leaf_remove(struct ms_ranges_leaf *leaf, unsigned int i)
{
	unsigned int slot = ms_leaf_slot(leaf, i), n = leaf->n - 1u, types = leaf->types;
	uint64_t max = leaf->max, end = leaf->slot[slot].end;

	leaf->order = order_remove(leaf->order, i, n);
	leaf->end[slot] = UINT64_MAX;
	leaf->n = (uint8_t)n;
	if (leaf->tangled || end == max || (types & (types - 1)))
		leaf_derive(leaf);
	return leaf->max != max || leaf->types != types;
}

#endif
