/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An ordered multiset of physical ranges, made for the questions that the memtype list asks.
 *
 * Order: by start; equal starts in order of insertion. Ranges may overlap and may be equal. It
 * knows no rule of PAT: it finds, inserts, removes and shrinks.
 *
 * A B+-tree. Beside each range of a leaf stands its `reach`: the largest end among the leaf's
 * ranges up to and with itself; an inner node has the same of its children. So "the first range
 * that ends above x" is one descent over sorted numbers, and where nothing overlaps it is the place
 * to insert at, too.
 */
#ifndef MS_PAT_RANGES_H
#define MS_PAT_RANGES_H

#include "machine/internal.h"

#define MS_RANGES_LEAF 32u       /* ranges of a leaf */
#define MS_RANGES_INNER 64u      /* children of an inner node */
#define MS_RANGES_MAX_HEIGHT 12u /* levels of inner nodes */

struct ms_pfnmap_ctx;

struct ms_range {
	uint64_t start, end; /* [start, end), not empty */
	uintptr_t tag;       /* enum ms_cache in the low three bits, owner above */
};

struct ms_ranges_leaf {
	/* sorted over all slots: 0 below slot lo, UINT64_MAX from hi on */
	uint64_t reach[MS_RANGES_LEAF];
	struct ms_range slot[MS_RANGES_LEAF]; /* lo .. hi - 1 are in use */
	uint8_t lo, hi;
	uint8_t types; /* 1 << type of every range */
};

struct ms_ranges_inner {
	/* sorted over all children: UINT64_MAX from n on */
	uint64_t reach[MS_RANGES_INNER]; /* largest max[] up to this child */
	uint64_t start[MS_RANGES_INNER]; /* of the child's first range */
	uint64_t max[MS_RANGES_INNER];   /* largest end in the child */
	void *child[MS_RANGES_INNER];
	uint8_t types[MS_RANGES_INNER];
	uint8_t n;
};

/* A place in the order: slot i of a leaf (i == hi: behind its last), and the way down to it. */
struct ms_ranges_pos {
	struct ms_ranges_leaf *leaf; /* NULL: nowhere */
	unsigned int i;
	bool last;      /* no leaf is behind this one ... */
	uint64_t below; /* ... and no range before it ends above this; UINT64_MAX: unknown */
	struct ms_ranges_inner *node[MS_RANGES_MAX_HEIGHT]; /* [0]: the leaf's parent */
	unsigned int at[MS_RANGES_MAX_HEIGHT];              /* which child of node[] it is */
};

struct ms_ranges {
	struct ms_machine *machine;
	void *root;          /* NULL: nothing was ever inserted */
	unsigned int height; /* levels of inner nodes above the leaves */
	size_t count;
	/* Where ms_ranges_above() was last: the next question is often about the same leaf. Its
	 * leaf is NULL where nothing is known. */
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
 * How many of 8 sorted numbers, `step` apart, are not above x. By arithmetic: a branch on the data
 * would be guessed wrong every other time.
 */
static inline unsigned int ms_not_above(const uint64_t *a, unsigned int step, uint64_t x)
{
	unsigned int n = a[0] <= x;

	n += a[step] <= x;
	n += a[2 * step] <= x;
	n += a[3 * step] <= x;
	n += a[4 * step] <= x;
	n += a[5 * step] <= x;
	n += a[6 * step] <= x;
	n += a[7 * step] <= x;
	return n;
}

/* The first i with reach or start a[i] > x; x < UINT64_MAX. */
static inline unsigned int ms_first_above_of_64(const uint64_t *a, uint64_t x)
{
	unsigned int i = ms_not_above(a + 7, 8, x);

	if (i == 8)
		return 64;
	return 8 * i + ms_not_above(a + 8 * i, 1, x);
}
static inline unsigned int ms_first_above_of_32(const uint64_t *a, uint64_t x)
{
	unsigned int i = 4 * ms_not_above(a + 3, 4, x);

	if (i == 32)
		return 32;
	a += i;
	i += a[0] <= x;
	i += a[1] <= x;
	i += a[2] <= x;
	return i;
}

/* The child of an inner node in which the ranges with start <= x end. */
static inline unsigned int ms_ranges_child_behind(const struct ms_ranges_inner *in, uint64_t x)
{
	unsigned int c = ms_first_above_of_64(in->start, x);

	return c ? c - 1 : 0;
}

void ms_ranges_init(struct ms_ranges *t, struct ms_machine *m);
void ms_ranges_destroy(struct ms_ranges *t);

/*
 * Each of these finds a range, or NULL, and leaves its place in *pos; of NULL the place is the end
 * of the order. Places are undone by any change of the tree.
 */

/* Down to the leaf with the first range that ends above x, or to the last leaf. */
void ms_ranges_descend_above(struct ms_ranges *t, uint64_t x);

/* The first range with end > x, x < UINT64_MAX; its place is t->finger. */
static inline struct ms_range *ms_ranges_above(struct ms_ranges *t, uint64_t x)
{
	struct ms_ranges_pos *pos = &t->finger;

	if (!pos->leaf || x < pos->below ||
	    (!pos->last && x >= pos->leaf->reach[pos->leaf->hi - 1])) {
		if (!t->count) {
			pos->leaf = NULL;
			return NULL;
		}
		ms_ranges_descend_above(t, x);
	}
	pos->i = ms_first_above_of_32(pos->leaf->reach, x);
	return pos->i < pos->leaf->hi ? &pos->leaf->slot[pos->i] : NULL;
}

/* The next one after pos with end > x. */
struct ms_range *ms_ranges_next_above(const struct ms_ranges *t, uint64_t x,
				      struct ms_ranges_pos *pos);
/* The first range with start >= x. */
struct ms_range *ms_ranges_from(const struct ms_ranges *t, uint64_t x, struct ms_ranges_pos *pos);
/* The same behind t->finger, where ms_ranges_above() has just been; its place is t->finger. */
struct ms_range *ms_ranges_forward(struct ms_ranges *t, uint64_t x);
/* The one after pos. */
struct ms_range *ms_ranges_next(const struct ms_ranges *t, struct ms_ranges_pos *pos);

/*
 * The set (1 << type) of the types of t->finger's range, which ms_ranges_above(t, start) has found,
 * and of all ranges with start <= range.start < end.
 */
unsigned int ms_ranges_types(const struct ms_ranges *t, uint64_t start, uint64_t end);

/*
 * Inserts [start, end) at t->finger, where ms_ranges_above(t, start) has found no range that
 * overlaps it, or else where ms_ranges_forward(t, start + 1) has been then. -ENOMEM: nothing has
 * changed.
 */
int ms_ranges_insert(struct ms_ranges *t, uint64_t start, uint64_t end, uintptr_t tag);
void ms_ranges_remove(struct ms_ranges *t, struct ms_ranges_pos *pos);
/* Gives the range at pos a lower end, and its place behind all with the same start. Never fails. */
void ms_ranges_shrink(struct ms_ranges *t, struct ms_ranges_pos *pos, uint64_t end);

/* NULL, or what is wrong with the structure. For tests. */
const char *ms_ranges_check(const struct ms_ranges *t);

#endif
