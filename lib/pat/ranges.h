/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An ordered multiset of physical ranges, made for the questions that the memtype list asks.
 *
 * Order: by start; equal starts in order of insertion. Ranges may overlap and may be equal. It
 * knows no rule of PAT: it finds, inserts, removes and shrinks.
 *
 * A B+-tree. A leaf holds ranges side by side, each with its `reach`: the largest end among the
 * leaf's ranges up to and with itself. An inner node holds the same of its children. So "the first
 * range that ends above x" is one descent of binary searches, and where nothing overlaps it is the
 * place to insert at, too.
 */
#ifndef MS_PAT_RANGES_H
#define MS_PAT_RANGES_H

#include "machine/internal.h"

#define MS_RANGES_LEAF 32u       /* ranges of a leaf */
#define MS_RANGES_INNER 32u      /* children of an inner node */
#define MS_RANGES_MAX_HEIGHT 16u /* levels of inner nodes */

struct ms_pfnmap_ctx;

struct ms_range {
	uint64_t start, end; /* [start, end), not empty */
	uint64_t reach;      /* largest end of the leaf's ranges up to this one */
	uintptr_t tag;       /* enum ms_cache in the low three bits, owner above */
};

struct ms_ranges_leaf {
	uint16_t first, n; /* the ranges are slot[first] .. slot[first + n - 1] */
	uint8_t types;     /* 1 << type of every range */
	struct ms_range slot[MS_RANGES_LEAF];
};

struct ms_ranges_inner {
	uint64_t reach[MS_RANGES_INNER]; /* largest max[] up to this child */
	uint64_t start[MS_RANGES_INNER]; /* of the child's first range */
	uint64_t max[MS_RANGES_INNER];   /* largest end in the child */
	void *child[MS_RANGES_INNER];
	uint8_t types[MS_RANGES_INNER];
	uint16_t n;
};

struct ms_ranges {
	struct ms_machine *machine;
	void *root;          /* NULL: nothing was ever inserted */
	unsigned int height; /* levels of inner nodes above the leaves */
	size_t count;
};

/* A place in the order: slot i of a leaf (i == n: behind its last), and the way down to it. */
struct ms_ranges_pos {
	struct ms_ranges_leaf *leaf;
	unsigned int i;
	struct ms_ranges_inner *node[MS_RANGES_MAX_HEIGHT]; /* [0]: the leaf's parent */
	unsigned int at[MS_RANGES_MAX_HEIGHT];              /* which child of node[] it is */
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
static inline struct ms_range *ms_ranges_slot(const struct ms_ranges_leaf *leaf, unsigned int i)
{
	return (struct ms_range *)&leaf->slot[leaf->first + i];
}

/* The first i with a[i] > x, where a[0] <= a[1] <= ...; n > 0. Without a branch on the data. */
static inline unsigned int ms_first_above(const uint64_t *a, unsigned int n, uint64_t x)
{
	const uint64_t *p = a;

	while (n > 1) {
		unsigned int half = n / 2;

		p += p[half - 1] <= x ? half : 0;
		n -= half;
	}
	return (unsigned int)(p - a) + (*p <= x);
}

/* The child of an inner node in which the ranges with start <= x end. */
static inline unsigned int ms_ranges_child_behind(const struct ms_ranges_inner *in, uint64_t x)
{
	unsigned int c = ms_first_above(in->start, in->n, x);

	return c ? c - 1 : 0;
}

void ms_ranges_init(struct ms_ranges *t, struct ms_machine *m);
void ms_ranges_destroy(struct ms_ranges *t);

/*
 * Each of these finds a range, or NULL, and leaves its place in *pos; of NULL the place is the end
 * of the order. They are undone by any change of the tree.
 */

/* The first range with end > x. */
struct ms_range *ms_ranges_above(const struct ms_ranges *t, uint64_t x, struct ms_ranges_pos *pos);
/* The next one after pos with end > x. */
struct ms_range *ms_ranges_next_above(const struct ms_ranges *t, uint64_t x,
				      struct ms_ranges_pos *pos);
/* The first range with start >= x. */
struct ms_range *ms_ranges_from(const struct ms_ranges *t, uint64_t x, struct ms_ranges_pos *pos);
/* The one after pos. */
struct ms_range *ms_ranges_next(const struct ms_ranges *t, struct ms_ranges_pos *pos);

/* The set (1 << type) of the types of all ranges with start <= range.start < end. */
unsigned int ms_ranges_types(const struct ms_ranges *t, uint64_t start, uint64_t end);

/*
 * Inserts [start, end) behind all ranges with the same start. pos: from ms_ranges_above(t, start),
 * if no range overlaps [start, end); else NULL. -ENOMEM: nothing has changed.
 */
int ms_ranges_insert(struct ms_ranges *t, struct ms_ranges_pos *pos, uint64_t start, uint64_t end,
		     uintptr_t tag);
void ms_ranges_remove(struct ms_ranges *t, struct ms_ranges_pos *pos);
/* Gives the range at pos a lower end, and its place behind all with the same start. Never fails. */
void ms_ranges_shrink(struct ms_ranges *t, struct ms_ranges_pos *pos, uint64_t end);

/* NULL, or what is wrong with the structure. For tests. */
const char *ms_ranges_check(const struct ms_ranges *t);

#endif
