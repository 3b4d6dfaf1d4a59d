/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An ordered multiset of physical ranges, made for the questions that the memtype list asks.
 *
 * They are in order of their starts, and those with equal starts in order of insertion. Ranges may
 * overlap and may be equal. Nothing here knows a rule of PAT: it finds, inserts, removes and
 * shrinks.
 *
 * A B+-tree. In a leaf the ranges stay where they were put; their order is a list of slot numbers,
 * so that inserting and removing moves nothing but that:
 *
 *	slot     0    1    2    3         order  3 0 1 | 2
 *	       [20, [40,  -   [10,
 *	        30)  50)       15)
 *
 * Where nothing overlaps, the ends rise along that order, too. Then as many ranges stand before the
 * first one that ends above x as have an end that is not above x, and that number is also the place
 * at which a range that begins at x is inserted. So ends are counted, in any order of the slots and
 * without a branch. The ends may rise although ranges overlap; a leaf in which they do not is
 * `tangled`.
 *
 * An inner node has beside each child the `reach`: the largest end of all children up to and with
 * it. These rise, whatever overlaps, so that the way to the first range that ends above x is found
 * by the same counting. At the right edge of the tree nobody reads the reach of a node's last
 * child, so that ranges come and go at the end of the last leaf without a change above it.
 */
#ifndef MS_PAT_RANGES_H
#define MS_PAT_RANGES_H

#include "base/align.h"
#include "base/pool.h"

#include <mapsim/types.h>

#include <assert.h>
#include <errno.h>
#include <string.h>

#define MS_RANGES_LEAF 16u       /* ranges of a leaf: as many as a word has hexadecimal digits */
#define MS_RANGES_INNER 128u     /* children of an inner node */
#define MS_RANGES_MAX_HEIGHT 12u /* levels of inner nodes */

struct ms_pfnmap_ctx;

struct ms_range {
	uint64_t start, end; /* [start, end), not empty */
	uintptr_t tag;       /* enum ms_cache in the low three bits, owner above */
};

struct ms_ranges_leaf {
	uint64_t order; /* digit i: slot of range i; from n on: slots not in use */
	uint64_t max;   /* largest end; 0: none */
	uint8_t n;
	uint8_t types;                /* 1 << type of every range; a root may have more bits set */
	bool tangled;                 /* the ends may not rise along the order */
	uint64_t end[MS_RANGES_LEAF]; /* of slot[], UINT64_MAX: not in use */
	struct ms_range slot[MS_RANGES_LEAF];
};

struct ms_ranges_inner {
	/* sorted over all children: UINT64_MAX from n on */
	uint64_t reach[MS_RANGES_INNER]; /* largest max[] up to this child */
	/* a lower bound of the starts in the child, an upper one of those in the child before */
	uint64_t start[MS_RANGES_INNER];
	/* largest end in the child; any number for the last child at the tree's right edge */
	uint64_t max[MS_RANGES_INNER];
	void *child[MS_RANGES_INNER];
	uint8_t types[MS_RANGES_INNER];
	uint8_t n;
	uint8_t all_types;
};

/* A place in the order: range i of a leaf (i == n: behind its last), and the way down to it. */
struct ms_ranges_pos {
	struct ms_ranges_leaf *leaf; /* NULL: nowhere */
	unsigned int i;
	bool last; /* no leaf is behind this one */
	/* For any x in [low, high) the first range that ends above x is in this leaf, or there is
	 * none. low == UINT64_MAX: that is known of no x. */
	uint64_t low, high;
	struct ms_ranges_inner *node[MS_RANGES_MAX_HEIGHT]; /* [0]: the leaf's parent */
	unsigned int at[MS_RANGES_MAX_HEIGHT];              /* which child of node[] it is */
};

struct ms_ranges {
	struct ms_alloc *alloc;
	void *root;          /* NULL: nothing was ever inserted */
	unsigned int height; /* levels of inner nodes above the leaves */
	size_t count;
	struct ms_pool leaves;
	/* Where ms_ranges_above() was last: the next question is often about the same leaf. */
	struct ms_ranges_pos finger;
};

static inline enum ms_cache ms_range_type(const struct ms_range *r)
{
	return (enum ms_cache)(r->tag & 7);
}
static inline struct ms_pfnmap_ctx *ms_range_owner(const struct ms_range *r)
{
	return (struct ms_pfnmap_ctx *)(r->tag & ~(uintptr_t)7);
}
static inline uintptr_t ms_range_tag(const struct ms_pfnmap_ctx *owner, enum ms_cache type)
{
	return (uintptr_t)owner | type;
}

/*
 * How many of 8 numbers, `step` apart, are not above x. It is added up, because a CPU would guess
 * every other branch on such data wrong; and in two sums, because in one each addition waits for
 * the one before. The asm keeps the compiler from making one sum of them.
 */
static inline unsigned int ms_not_above(const uint64_t *a, unsigned int step, uint64_t x)
{
	unsigned int n = a[0] <= x, m = a[4 * step] <= x;

	n += a[step] <= x;
	m += a[5 * step] <= x;
	n += a[2 * step] <= x;
	m += a[6 * step] <= x;
	n += a[3 * step] <= x;
	m += a[7 * step] <= x;
	__asm__("" : "+r"(n), "+r"(m));
	return n + m;
}

/* How many of a leaf's ends are not above x < UINT64_MAX. */
static inline unsigned int ms_ends_not_above(const struct ms_ranges_leaf *leaf, uint64_t x)
{
	return ms_not_above(leaf->end, 1, x) + ms_not_above(leaf->end + 8, 1, x);
}

/* The first i with a[i] > x, of an inner node's reach or start; x < UINT64_MAX. */
static inline unsigned int ms_first_above(const uint64_t a[MS_RANGES_INNER], uint64_t x)
{
	unsigned int i = 16 * ms_not_above(a + 15, 16, x);

	if (i == MS_RANGES_INNER)
		return i;
	return i + ms_not_above(a + i, 1, x) + ms_not_above(a + i + 8, 1, x);
}
/* The last child of an inner node that may have a range with start <= x; 0 if none has. */
static inline unsigned int ms_ranges_child_behind(const struct ms_ranges_inner *in, uint64_t x)
{
	unsigned int c = ms_first_above(in->start, x);

	return c ? c - 1 : 0;
}

/* The slot of range i; i < MS_RANGES_LEAF. */
static inline unsigned int ms_leaf_slot(const struct ms_ranges_leaf *leaf, unsigned int i)
{
	return leaf->order >> 4 * i & 15;
}
static inline struct ms_range *ms_leaf_range(struct ms_ranges_leaf *leaf, unsigned int i)
{
	return &leaf->slot[ms_leaf_slot(leaf, i)];
}

void ms_ranges_init(struct ms_ranges *t, struct ms_alloc *alloc);
void ms_ranges_destroy(struct ms_ranges *t);

/*
 * Each of these finds a range, or NULL, and leaves its place in *pos; for NULL that is the place
 * behind the last range. A place is good until the tree is changed.
 */

/* Nothing is known of t->finger any more. */
static inline void ms_ranges_forget(struct ms_ranges *t)
{
	t->finger.leaf = NULL;
	t->finger.low = UINT64_MAX;
}

/* Moves t->finger to the leaf with the first range that ends above x, or to the last leaf. */
void ms_ranges_descend_above(struct ms_ranges *t, uint64_t x);
/* The first i of a tangled leaf with end > x, n: none. */
unsigned int ms_leaf_tangled_above(struct ms_ranges_leaf *leaf, uint64_t x);

/* The first i of a leaf with end > x, n: none. */
static inline unsigned int ms_leaf_above(struct ms_ranges_leaf *leaf, uint64_t x)
{
	if (__builtin_expect(leaf->tangled, false))
		return ms_leaf_tangled_above(leaf, x);
	return ms_ends_not_above(leaf, x);
}

/* Whether t->finger is in the leaf with the first range that ends above x, or in the last leaf. */
static inline bool ms_ranges_at_finger(const struct ms_ranges *t, uint64_t x)
{
	return x >= t->finger.low && x < t->finger.high;
}

/* The first range with end > x, x < UINT64_MAX; its place is t->finger. */
static inline struct ms_range *ms_ranges_above(struct ms_ranges *t, uint64_t x)
{
	struct ms_ranges_pos *pos = &t->finger;

	if (!ms_ranges_at_finger(t, x)) {
		if (!t->count) {
			ms_ranges_forget(t);
			return NULL;
		}
		ms_ranges_descend_above(t, x);
	}
	pos->i = ms_leaf_above(pos->leaf, x);
	return pos->i < pos->leaf->n ? ms_leaf_range(pos->leaf, pos->i) : NULL;
}

/* The next one after pos with end > x. */
struct ms_range *ms_ranges_next_above(const struct ms_ranges *t, uint64_t x,
				      struct ms_ranges_pos *pos);
/* The first range with start >= x. */
struct ms_range *ms_ranges_from(const struct ms_ranges *t, uint64_t x, struct ms_ranges_pos *pos);
/* The same, looked for from t->finger on, where ms_ranges_above() has just been. Its place is
 * t->finger. */
struct ms_range *ms_ranges_forward(struct ms_ranges *t, uint64_t x);
/* The one after pos. */
struct ms_range *ms_ranges_next(const struct ms_ranges *t, struct ms_ranges_pos *pos);

/*
 * The set (1 << type) of the types of t->finger's range, which ms_ranges_above(t, start) has found,
 * and of all ranges with start <= range.start < end.
 */
unsigned int ms_ranges_types(const struct ms_ranges *t, uint64_t start, uint64_t end);

/*
 * Inserts [start, end) at t->finger. The caller has called ms_ranges_above(t, start) for that, and
 * then, if it found a range that overlaps this one, ms_ranges_forward(t, start + 1). -ENOMEM:
 * nothing has changed.
 */
int ms_ranges_insert(struct ms_ranges *t, uint64_t start, uint64_t end, uintptr_t tag);
void ms_ranges_remove(struct ms_ranges *t, struct ms_ranges_pos *pos);
/* Lowers the end of the range at pos, and moves it behind all others with the same start. It never
 * fails. */
void ms_ranges_shrink(struct ms_ranges *t, struct ms_ranges_pos *pos, uint64_t end);

/* NULL, or what is wrong with the structure. */
const char *ms_ranges_check(const struct ms_ranges *t);

#endif
