/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects of one size in large numbers: many of them share a block of memory, so that making and
 * freeing one costs less than with malloc, and objects that are made one after the other lie one
 * behind the other. Blocks are kept until the pool's end.
 *
 * Objects are counted as the allocations of ms_zalloc() are, and can be made to fail like them.
 * They are not zeroed.
 */
#ifndef MS_BASE_POOL_H
#define MS_BASE_POOL_H

#include "base/alloc.h"

struct ms_pool_block;

struct ms_pool {
	struct ms_alloc *alloc;       /* that counts the objects */
	size_t size;                  /* of an object, a multiple of MS_POOL_ALIGN */
	uint64_t inverse;             /* of the size, in units of 2^-32 */
	size_t nr_free;               /* objects that exist and are not handed out */
	struct ms_pool_block *some;   /* blocks with a free object, a list */
	struct ms_pool_block *chunks; /* a list */
	size_t bytes;                 /* of all chunks */
	char *next_block, *chunk_end; /* what is left of the latest chunk */
};

#define MS_POOL_ALIGN 64u /* of each object: a cache line */

/* size: any, up to 1K. Takes no memory yet. */
void ms_pool_init(struct ms_pool *pool, struct ms_alloc *alloc, size_t size);
void ms_pool_destroy(struct ms_pool *pool);
/* NULL: no memory. */
void *ms_pool_get(struct ms_pool *pool);
void ms_pool_put(struct ms_pool *pool, void *object);
/* An object that ms_pool_reserve() has promised. */
void *ms_pool_take(struct ms_pool *pool);

/* How many objects are handed out. */
size_t ms_pool_in_use(const struct ms_pool *pool);

bool ms_pool_grow(struct ms_pool *pool, size_t n);
/* Makes sure that n objects are there for ms_pool_take(). false: no memory. */
static inline bool ms_pool_reserve(struct ms_pool *pool, size_t n)
{
	return pool->nr_free >= n || ms_pool_grow(pool, n);
}

#endif
