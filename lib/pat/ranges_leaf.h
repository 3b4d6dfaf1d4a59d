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

/* ---- the order: the slots in use first, then the others, the last of them to be used next ---- */

/* The last free slot becomes range i. */
static inline uint64_t order_insert(uint64_t order, unsigned int i)
{
	uint64_t earlier = order & ((UINT64_C(1) << 4 * i) - 1);

	return earlier | (order >> 60) << 4 * i | (order ^ earlier) << 4;
}

/* Range i leaves a free slot. */
static inline uint64_t order_remove(uint64_t order, unsigned int i)
{
	uint64_t below = (UINT64_C(1) << 4 * i) - 1;

	return (order & below) | (order >> 4 & ~below) | (order >> 4 * i) << 60;
}

/* ---- the leaf ---- */

static inline void leaf_clear(struct ms_ranges_leaf *leaf)
{
	memset(leaf->end, 0xff, sizeof(leaf->end));
	for (unsigned int i = 0; i < MS_RANGES_LEAF; i++)
		leaf->slot[i].start = UINT64_MAX;
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

static inline void leaf_forget_slot(struct ms_ranges_leaf *leaf, unsigned int slot)
{
	leaf->end[slot] = UINT64_MAX;
	leaf->slot[slot].start = UINT64_MAX;
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
		leaf_forget_slot(leaf, ms_leaf_slot(leaf, --leaf->n));
	leaf_derive(leaf);
}

/* A range that does not end before an earlier one, nor after a later one. Not the types. */
static inline void leaf_put(struct ms_ranges_leaf *leaf, unsigned int i, uint64_t start,
			    uint64_t end, uintptr_t tag)
{
	unsigned int slot = ms_leaf_slot(leaf, MS_RANGES_LEAF - 1);

	leaf->order = order_insert(leaf->order, i);
	leaf->slot[slot] = (struct ms_range){ start, end, tag };
	leaf->end[slot] = end;
	leaf->max = ms_max_u64(leaf->max, end);
	leaf->n++;
}

/* Not the types, nor the largest end. */
static inline void leaf_take(struct ms_ranges_leaf *leaf, unsigned int i)
{
	unsigned int slot = ms_leaf_slot(leaf, i);

	leaf->order = order_remove(leaf->order, i);
	leaf_forget_slot(leaf, slot);
	leaf->n--;
}

/* Any range. true: the leaf's summary may be another one now. */
static inline bool leaf_insert(struct ms_ranges_leaf *leaf, unsigned int i, uint64_t start,
			       uint64_t end, uintptr_t tag)
{
	uint64_t max = leaf->max;
	uint8_t types = leaf->types;

	if ((i && ms_leaf_range(leaf, i - 1)->end > end) ||
	    (i < leaf->n && ms_leaf_range(leaf, i)->end < end))
		leaf->tangled = true;
	leaf_put(leaf, i, start, end, tag);
	leaf->types |= (uint8_t)(1u << (tag & 7));
	return i == 0 || leaf->max != max || leaf->types != types;
}

/* true: the leaf's largest end or its types are others now. */
static inline bool leaf_remove(struct ms_ranges_leaf *leaf, unsigned int i)
{
	uint64_t max = leaf->max;
	uint8_t types = leaf->types;
	bool last = ms_leaf_range(leaf, i)->end == max;

	leaf_take(leaf, i);
	if (leaf->tangled || last || (types & (types - 1)))
		leaf_derive(leaf);
	return leaf->max != max || leaf->types != types;
}

/* ---- what is done most, if nothing is special about it; else nothing has changed ---- */

enum { MS_RANGES_UNKNOWN = -1, MS_RANGES_CONFLICT = -2 };

/* The part of the next one for a range that overlaps range i and maybe later ones. */
static __attribute__((noinline)) int insert_overlapping_quickly(struct ms_ranges *t, unsigned int i,
								uint64_t start, uint64_t end,
								unsigned int type, bool loose)
{
	struct ms_ranges_leaf *leaf = t->finger.leaf;
	unsigned int n = leaf->n, found = ms_range_type(ms_leaf_range(leaf, i));

	if (found != type && !loose)
		return MS_RANGES_CONFLICT;
	if (leaf->types != 1u << found)
		return MS_RANGES_UNKNOWN;
	if (!t->finger.last && ms_leaf_range(leaf, n - 1)->start < end)
		return MS_RANGES_UNKNOWN;
	while (i < n && ms_leaf_range(leaf, i)->start <= start)
		i++;
	if ((i && ms_leaf_range(leaf, i - 1)->end > end) ||
	    (i < n && ms_leaf_range(leaf, i)->end < end))
		return MS_RANGES_UNKNOWN;
	if (t->height && (i == 0 || end > leaf->max))
		return MS_RANGES_UNKNOWN;
	leaf_put(leaf, i, start, end, ms_range_tag(NULL, (enum ms_cache)found));
	t->count++;
	return (int)found;
}

/*
 * Inserts [start, end), nobody's, and answers its type: the one that is asked for where it overlaps
 * nothing; else that of all it overlaps, if it is the same or `loose`. Or MS_RANGES_CONFLICT: the
 * first that it overlaps has another type, and that was not allowed.
 */
static inline int ms_ranges_insert_quickly(struct ms_ranges *t, uint64_t start, uint64_t end,
					   enum ms_cache type, bool loose)
{
	struct ms_ranges_leaf *leaf = t->finger.leaf;
	unsigned int i;

	if (start < t->finger.low || start >= t->finger.high)
		return MS_RANGES_UNKNOWN;
	if (leaf->n == MS_RANGES_LEAF || leaf->tangled)
		return MS_RANGES_UNKNOWN;
	i = ms_ends_not_above(leaf, start);
	if (ms_leaf_range(leaf, i)->start < end)
		return insert_overlapping_quickly(t, i, start, end, type, loose);
	// else the parent must hear of it
	if (t->height && (i == 0 || i == leaf->n || !(leaf->types & 1u << type)))
		return MS_RANGES_UNKNOWN;
	leaf_put(leaf, i, start, end, ms_range_tag(NULL, type));
	leaf->types |= (uint8_t)(1u << type);
	t->count++;
	return (int)type;
}

/*
 * Removes the first range that is [start, end), if it is nobody's, and if only one range before it
 * ends above `start`.
 */
static inline bool ms_ranges_remove_quickly(struct ms_ranges *t, uint64_t start, uint64_t end)
{
	struct ms_ranges_leaf *leaf = t->finger.leaf;
	const struct ms_range *r;
	unsigned int i;

	if (start < t->finger.low || start >= t->finger.high)
		return false;
	if (leaf->tangled || (leaf->types & (leaf->types - 1)))
		return false;
	i = ms_ends_not_above(leaf, start);
	if (i < leaf->n && ms_leaf_range(leaf, i)->start < start)
		i++;
	if (i >= leaf->n)
		return false;
	r = ms_leaf_range(leaf, i);
	if (r->start != start || r->end != end || ms_range_owner(r))
		return false;
	if (t->height && (leaf->n <= MS_RANGES_LEAF / 4 || i + 1 == leaf->n))
		return false;
	leaf_take(leaf, i);
	t->count--;
	return true;
}

#endif
