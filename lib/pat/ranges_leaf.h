/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens in one leaf of the tree of ranges, for ranges_update.c: small functions that belong
 * into their callers.
 */
#ifndef MS_PAT_RANGES_LEAF_H
#define MS_PAT_RANGES_LEAF_H

#include "pat/ranges.h"

#define LEAF_MIDDLE (MS_RANGES_LEAF / 4) /* where half a leaf's ranges have room on both sides */

/* What a parent knows of a child. */
struct summary {
	uint64_t start, max;
	uint8_t types;
};

static inline unsigned int leaf_n(const struct ms_ranges_leaf *leaf)
{
	return leaf->hi - leaf->lo;
}

static inline struct summary leaf_summary(const struct ms_ranges_leaf *leaf)
{
	return (struct summary){ .start = leaf->slot[leaf->lo].start,
				 .max = leaf->reach[leaf->hi - 1],
				 .types = leaf->types };
}

/* No range, and the first one will be put into slot `lo`. */
static inline void leaf_clear(struct ms_ranges_leaf *leaf, unsigned int lo)
{
	leaf->lo = leaf->hi = (uint8_t)lo;
	leaf->types = 0;
	memset(leaf->reach, 0, lo * sizeof(*leaf->reach));
	memset(&leaf->reach[lo], 0xff, sizeof(leaf->reach) - lo * sizeof(*leaf->reach));
}

static inline struct ms_ranges_leaf *leaf_new(struct ms_ranges *t)
{
	struct ms_ranges_leaf *leaf = ms_zalloc(t->machine, sizeof(*leaf));

	if (leaf)
		leaf_clear(leaf, 0);
	return leaf;
}

static inline void leaf_derive_types(struct ms_ranges_leaf *leaf)
{
	leaf->types = 0;
	for (unsigned int i = leaf->lo; i < leaf->hi; i++)
		leaf->types |= (uint8_t)(1u << ms_range_type(&leaf->slot[i]));
}

/* Reach, and whether it changed the leaf's largest end, from slot i on. */
static inline bool leaf_derive_reach(struct ms_ranges_leaf *leaf, unsigned int i)
{
	uint64_t reach = i > leaf->lo ? leaf->reach[i - 1] : 0;

	for (; i < leaf->hi; i++) {
		reach = ms_max_u64(reach, leaf->slot[i].end);
		if (leaf->reach[i] == reach)
			return false;
		leaf->reach[i] = reach;
	}
	return true;
}

/* Puts n ranges behind the leaf's own. */
static inline void leaf_append(struct ms_ranges_leaf *leaf, const struct ms_range *ranges,
			       unsigned int n)
{
	unsigned int hi = leaf->hi;
	uint64_t reach = hi > leaf->lo ? leaf->reach[hi - 1] : 0;

	memcpy(&leaf->slot[hi], ranges, n * sizeof(*ranges));
	for (unsigned int i = 0; i < n; i++) {
		reach = ms_max_u64(reach, ranges[i].end);
		leaf->reach[hi + i] = reach;
		leaf->types |= (uint8_t)(1u << ms_range_type(&ranges[i]));
	}
	leaf->hi = (uint8_t)(hi + n);
}

/* Keeps the ranges below slot hi. */
static inline void leaf_truncate(struct ms_ranges_leaf *leaf, unsigned int hi)
{
	memset(&leaf->reach[hi], 0xff, (leaf->hi - hi) * sizeof(*leaf->reach));
	leaf->hi = (uint8_t)hi;
	if (leaf->types & (leaf->types - 1))
		leaf_derive_types(leaf);
}

/* All of the leaf's free slots are to be behind its ranges. */
static inline void leaf_align(struct ms_ranges_leaf *leaf)
{
	unsigned int n = leaf_n(leaf);

	memmove(leaf->slot, &leaf->slot[leaf->lo], n * sizeof(*leaf->slot));
	memmove(leaf->reach, &leaf->reach[leaf->lo], n * sizeof(*leaf->reach));
	memset(&leaf->reach[n], 0xff, leaf->lo * sizeof(*leaf->reach));
	leaf->lo = 0;
	leaf->hi = (uint8_t)n;
}

/* Moves the slots [from, to) by one, up or down. */
static inline void leaf_shift(struct ms_ranges_leaf *leaf, unsigned int from, unsigned int to,
			      int by)
{
	if (from >= to)
		return;
	memmove(&leaf->slot[(int)from + by], &leaf->slot[from], (to - from) * sizeof(*leaf->slot));
	memmove(&leaf->reach[(int)from + by], &leaf->reach[from],
		(to - from) * sizeof(*leaf->reach));
}

/* Room for one range before slot i: the shorter side moves, if it can. The slot that is free now.
 */
static inline unsigned int leaf_open(struct ms_ranges_leaf *leaf, unsigned int i)
{
	if (leaf->lo && (i - leaf->lo < leaf->hi - i || leaf->hi == MS_RANGES_LEAF)) {
		leaf_shift(leaf, leaf->lo, i, -1);
		leaf->lo--;
		return i - 1;
	}
	leaf_shift(leaf, i, leaf->hi, 1);
	leaf->hi++;
	return i;
}

/* true: the leaf's summary may be another one now. */
static inline bool leaf_insert(struct ms_ranges_leaf *leaf, unsigned int i, uint64_t start,
			       uint64_t end, uintptr_t tag)
{
	uint8_t types = leaf->types;
	uint64_t reach = end;

	i = leaf_open(leaf, i);
	if (i > leaf->lo)
		reach = ms_max_u64(leaf->reach[i - 1], end);
	leaf->slot[i] = (struct ms_range){ start, end, tag };
	leaf->reach[i] = reach;
	leaf->types |= (uint8_t)(1u << ms_range_type(&leaf->slot[i]));
	if (i == leaf->lo || leaf->types != types)
		types = 0;
	while (++i < leaf->hi && leaf->reach[i] < reach)
		leaf->reach[i] = reach;
	return !types || i == leaf->hi;
}

/* Whether the leaf has slot i's type without it, as far as is seen at once. */
static inline bool type_stays(const struct ms_ranges_leaf *leaf, unsigned int i)
{
	const struct ms_range *r = &leaf->slot[i];

	if (!(leaf->types & (leaf->types - 1)))
		return true;
	return (i > leaf->lo && ms_range_type(r - 1) == ms_range_type(r)) ||
	       (i + 1u < leaf->hi && ms_range_type(r + 1) == ms_range_type(r));
}

/* true: the leaf's summary may be another one now. */
static inline bool leaf_remove(struct ms_ranges_leaf *leaf, unsigned int i)
{
	bool first = i == leaf->lo, stays = type_stays(leaf, i);

	if (i - leaf->lo < leaf->hi - i - 1u) {
		leaf_shift(leaf, leaf->lo, i, 1);
		leaf->reach[leaf->lo++] = 0;
		i++;
	} else {
		leaf_shift(leaf, i + 1, leaf->hi, -1);
		leaf->reach[--leaf->hi] = UINT64_MAX;
	}
	if (leaf->lo == leaf->hi)
		leaf_clear(leaf, 0);
	if (!stays)
		leaf_derive_types(leaf);
	return leaf_derive_reach(leaf, i) || first || !stays;
}

/* After ranges were replaced. */
static inline void leaf_derive(struct ms_ranges_leaf *leaf)
{
	uint64_t reach = 0;

	for (unsigned int i = leaf->lo; i < leaf->hi; i++) {
		reach = ms_max_u64(reach, leaf->slot[i].end);
		leaf->reach[i] = reach;
	}
	leaf_derive_types(leaf);
}

#endif
