/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens in one leaf of the tree of ranges: small functions, to be inlined.
 */
#ifndef MS_PAT_RANGES_LEAF_H
#define MS_PAT_RANGES_LEAF_H

#include "pat/ranges.h"

/* What a parent knows of a child. */
struct summary {
	uint64_t start, max;
	uint8_t types;
};

static inline bool has_one_type(uint8_t types)
{
	return !(types & (types - 1));
}

static inline struct summary leaf_summary(struct ms_ranges_leaf *leaf)
{
	return (struct summary){ .start = ms_leaf_range(leaf, 0)->start,
				 .max = leaf->max,
				 .types = leaf->types };
}

/* ---- the order: slots in use, then free ones, of which the last is used next ---- */

/* The last free slot becomes range i. */
static inline uint64_t order_insert(uint64_t order, unsigned int i)
{
	uint64_t later = order >> 4 * i << 4 * i;

	return (order - later) | (order >> 60) << 4 * i | later << 4;
}

/* Range i goes; its slot becomes the last free one. */
static inline uint64_t order_remove(uint64_t order, unsigned int i)
{
	uint64_t below = (UINT64_C(1) << 4 * i) - 1;

	return (order & below) | (order >> 4 & ~below) | (order >> 4 * i) << 60;
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
	struct ms_ranges_leaf *leaf = ms_pool_get(&t->leaves);

	if (leaf)
		leaf_clear(leaf);
	return leaf;
}

/* Computes all that follows from the ranges and their order. */
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

/* Puts a range at place i. The caller brings types, max and tangled up to date. */
static inline void leaf_put(struct ms_ranges_leaf *leaf, unsigned int i, uint64_t start,
			    uint64_t end, uintptr_t tag)
{
	unsigned int slot = ms_leaf_slot(leaf, MS_RANGES_LEAF - 1);

	leaf->order = order_insert(leaf->order, i);
	leaf->slot[slot] = (struct ms_range){ start, end, tag };
	leaf->end[slot] = end;
	leaf->n++;
}

/* Puts ranges first .. first + n - 1 of another leaf behind the leaf's own. */
static inline void leaf_append(struct ms_ranges_leaf *leaf, struct ms_ranges_leaf *from,
			       unsigned int first, unsigned int n)
{
	for (unsigned int i = first; i < first + n; i++) {
		const struct ms_range *r = ms_leaf_range(from, i);

		leaf_put(leaf, leaf->n, r->start, r->end, r->tag);
		leaf->types |= (uint8_t)(1u << ms_range_type(r));
		leaf->tangled |= r->end < leaf->max;
		leaf->max = ms_max_u64(leaf->max, r->end);
	}
}

/* The largest end of a leaf that is not tangled. */
static inline uint64_t leaf_last_end(const struct ms_ranges_leaf *leaf)
{
	return leaf->n ? leaf->end[ms_leaf_slot(leaf, leaf->n - 1u)] : 0;
}

/* As leaf_derive(), where ranges were removed and nothing else has changed. */
static inline void leaf_derive_fewer(struct ms_ranges_leaf *leaf)
{
	if (leaf->tangled || !has_one_type(leaf->types))
		leaf_derive(leaf);
	else
		leaf->max = leaf_last_end(leaf);
}

/* Keeps the first n ranges. */
static inline void leaf_truncate(struct ms_ranges_leaf *leaf, unsigned int n)
{
	while (leaf->n > n)
		leaf->end[ms_leaf_slot(leaf, --leaf->n)] = UINT64_MAX;
	leaf_derive_fewer(leaf);
}

/* Removes range i. The caller brings types, max and tangled up to date. */
static inline void leaf_take(struct ms_ranges_leaf *leaf, unsigned int i)
{
	unsigned int slot = ms_leaf_slot(leaf, i);

	leaf->order = order_remove(leaf->order, i);
	leaf->end[slot] = UINT64_MAX;
	leaf->n--;
}

/* Inserts any range at place i. true: the leaf's summary may have changed. */
static inline bool leaf_insert(struct ms_ranges_leaf *leaf, unsigned int i, uint64_t start,
			       uint64_t end, uintptr_t tag)
{
	uint64_t max = leaf->max;
	uint8_t types = leaf->types;

	if ((i && ms_leaf_range(leaf, i - 1)->end > end) ||
	    (i < leaf->n && ms_leaf_range(leaf, i)->end < end))
		leaf->tangled = true;
	leaf_put(leaf, i, start, end, tag);
	leaf->max = ms_max_u64(max, end);
	leaf->types |= (uint8_t)(1u << (tag & 7));
	return i == 0 || leaf->max != max || leaf->types != types;
}

/* Removes range i. true: the leaf's largest end or its types have changed. */
static inline bool leaf_remove(struct ms_ranges_leaf *leaf, unsigned int i)
{
	uint64_t max = leaf->max;
	uint8_t types = leaf->types;

	leaf_take(leaf, i);
	leaf_derive_fewer(leaf);
	return leaf->max != max || leaf->types != types;
}

/* Whether a leaf that is left with n ranges is to be freed, or joined with a neighbour. It is asked
 * for exact numbers, so that a leaf that cannot be joined is not tried again at each removal. */
static inline bool leaf_is_sparse(unsigned int n)
{
	return n == 0 || n == MS_RANGES_LEAF / 4 - 1;
}

/*
 * ---- the most frequent changes, at t->finger; what is not so simple is left alone ----
 *
 * They change nothing but the leaf, so its summary has to stay as it is: no range becomes its first
 * one, its last one stays (unless the leaf is the last of all), and its types are the same.
 */

enum ms_quickly { MS_NOT_QUICKLY, MS_QUICKLY, MS_OVERLAPS };

/* Inserts [start, end), unless it overlaps another. */
static inline enum ms_quickly ms_ranges_insert_quickly(struct ms_ranges *t, uint64_t start,
						       uint64_t end, uintptr_t tag)
{
	struct ms_ranges_leaf *leaf = t->finger.leaf;
	unsigned int i;

	if (leaf->tangled)
		return MS_NOT_QUICKLY;
	if (start >= leaf->max) {
		i = leaf->n;
		if (!t->finger.last)
			return MS_NOT_QUICKLY;
	} else {
		i = ms_ends_not_above(leaf, start);
		if (ms_leaf_range(leaf, i)->start < end) {
			t->finger.i = i;
			return MS_OVERLAPS;
		}
		if (i == 0 && t->height)
			return MS_NOT_QUICKLY;
	}
	if (leaf->n == MS_RANGES_LEAF || !(leaf->types >> (tag & 7) & 1))
		return MS_NOT_QUICKLY;
	leaf_put(leaf, i, start, end, tag);
	leaf->max = ms_max_u64(leaf->max, end);
	t->count++;
	return MS_QUICKLY;
}

/*
 * Inserts [start, end), which overlaps range t->finger.i and perhaps later ones, with the type of
 * that range, if all that it overlaps have this type.
 */
static inline bool ms_ranges_insert_alias_quickly(struct ms_ranges *t, uint64_t start, uint64_t end)
{
	struct ms_ranges_leaf *leaf = t->finger.leaf;
	unsigned int n = leaf->n, i = t->finger.i;
	enum ms_cache type = ms_range_type(ms_leaf_range(leaf, i));

	if (n == MS_RANGES_LEAF || leaf->types != 1u << type)
		return false;
	if (!t->finger.last && ms_leaf_range(leaf, n - 1)->start < end)
		return false;
	while (i < n && ms_leaf_range(leaf, i)->start <= start)
		i++;
	if ((i && ms_leaf_range(leaf, i - 1)->end > end) ||
	    (i < n && ms_leaf_range(leaf, i)->end < end))
		return false;
	if (t->height && (i == 0 || (i == n && !t->finger.last)))
		return false;
	leaf_put(leaf, i, start, end, ms_range_tag(NULL, type));
	leaf->max = ms_max_u64(leaf->max, end);
	t->count++;
	return true;
}

/*
 * Removes the first range that is [start, end), if it has no owner, and if at most one range before
 * it ends above `start`.
 */
static inline bool ms_ranges_remove_quickly(struct ms_ranges *t, uint64_t start, uint64_t end)
{
	struct ms_ranges_leaf *leaf = t->finger.leaf;
	unsigned int n = leaf->n, i = 0;
	const struct ms_range *r;

	if (!n || leaf->tangled || !has_one_type(leaf->types))
		return false;
	// often ranges are removed in their order
	if (ms_leaf_range(leaf, 0)->start != start) {
		i = ms_ends_not_above(leaf, start);
		if (i < n && ms_leaf_range(leaf, i)->start < start)
			i++;
	}
	if (i >= n)
		return false;
	r = ms_leaf_range(leaf, i);
	if (r->start != start || r->end != end || ms_range_owner(r))
		return false;
	if (t->height && leaf_is_sparse(n - 1))
		return false;
	if (i + 1 == n) {
		if (!t->finger.last)
			return false;
		leaf_take(leaf, i);
		leaf->max = leaf_last_end(leaf);
	} else {
		leaf_take(leaf, i);
	}
	t->count--;
	return true;
}

#endif
