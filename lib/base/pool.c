/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pools of objects. A block is aligned to its size, so that its address follows from that of an
 * object in it. It has a bit for each object, which is set while the object is free; the lowest
 * free one is handed out first. Blocks are cut from chunks. The first chunk has one block, each
 * later one is as large as all before it, up to a huge page:
 *
 *   | head 0 1 2 ... | head 0 1 2 ... |                 |
 *                                     next_block        end of the chunk
 */
#include "base/pool.h"

#include "base/align.h"
#include "base/arena.h"
#include "base/poison.h"

#include <assert.h>
#include <sys/mman.h>

#define BLOCK_SIZE ((size_t)4096)
#define CHUNK_MAX ((size_t)2 << 20)
#define OBJECTS_MAX (BLOCK_SIZE / MS_POOL_ALIGN)

struct ms_pool_block {
	struct ms_pool_block *next_chunk; /* of a chunk's first block */
	struct ms_pool_block *next_some;  /* of those with a free object */
	uint64_t free[OBJECTS_MAX / 64];  /* bit n: object n is free */
	unsigned int nr_free;
};
static_assert(sizeof(struct ms_pool_block) <= MS_POOL_ALIGN, "the first object is aligned");

static char *object_at(const struct ms_pool *pool, struct ms_pool_block *block, size_t n)
{
	return (char *)block + MS_POOL_ALIGN + n * pool->size;
}

/* By multiplication: the distance is a multiple of the size, and far below 2^32. */
static size_t number_of(const struct ms_pool *pool, const struct ms_pool_block *block,
			const void *object)
{
	uint64_t distance = (uint64_t)((const char *)object - (const char *)block) - MS_POOL_ALIGN;

	return distance * pool->inverse >> 32;
}

void ms_pool_init(struct ms_pool *pool, struct ms_alloc *alloc, size_t size)
{
	size = ms_align_up(size, MS_POOL_ALIGN);
	*pool = (struct ms_pool){
		.alloc = alloc,
		.size = size,
		.inverse = (UINT64_C(1) << 32) / size + 1,
	};
}

void ms_pool_destroy(struct ms_pool *pool)
{
	for (struct ms_pool_block *chunk; (chunk = pool->chunks);) {
		pool->chunks = chunk->next_chunk;
		ms_arena_put(pool->alloc->arena, chunk);
	}
}

static struct ms_pool_block *chunk_new(struct ms_pool *pool)
{
	size_t size = ms_min_u64(ms_max_u64(pool->bytes, BLOCK_SIZE), CHUNK_MAX);
	const size_t align = size == CHUNK_MAX ? CHUNK_MAX : BLOCK_SIZE;
	struct ms_pool_block *chunk = ms_arena_get_raw(pool->alloc->arena, align, size);

	if (!chunk)
		return NULL;
	// objects of large pools are accessed at random, and huge pages spare TLB misses
	if (size == CHUNK_MAX)
		madvise(chunk, size, MADV_HUGEPAGE);
	pool->bytes += size;
	pool->next_block = (char *)chunk;
	pool->chunk_end = pool->next_block + size;
	return chunk;
}

static unsigned int objects_of_block(const struct ms_pool *pool)
{
	return (unsigned int)((BLOCK_SIZE - MS_POOL_ALIGN) / pool->size);
}

static bool block_new(struct ms_pool *pool)
{
	const unsigned int n = objects_of_block(pool);
	struct ms_pool_block *chunk = NULL, *block;

	if (pool->next_block == pool->chunk_end) {
		chunk = chunk_new(pool);
		if (!chunk)
			return false;
	}
	block = (struct ms_pool_block *)pool->next_block;
	ms_unpoison(block, MS_POOL_ALIGN);
	*block = (struct ms_pool_block){ .next_some = pool->some, .nr_free = n };
	for (unsigned int i = 0; i < n; i++)
		block->free[i / 64] |= UINT64_C(1) << i % 64;
	if (chunk) {
		chunk->next_chunk = pool->chunks;
		pool->chunks = chunk;
	}
	pool->some = block;
	pool->next_block += BLOCK_SIZE;
	pool->nr_free += block->nr_free;
	return true;
}

/* The first block with a free object stays the first until it has none. */
static inline void *take(struct ms_pool *pool)
{
	struct ms_pool_block *block = pool->some;
	unsigned int word = 0, n;
	void *object;

	while (!block->free[word])
		word++;
	n = 64 * word + (unsigned int)__builtin_ctzll(block->free[word]);
	block->free[word] &= block->free[word] - 1;
	if (!--block->nr_free)
		pool->some = block->next_some;
	pool->nr_free--;
	pool->alloc->live++;
	object = object_at(pool, block, n);
	ms_unpoison(object, pool->size);
	return object;
}

void *ms_pool_get(struct ms_pool *pool)
{
	if (!ms_alloc_allowed(pool->alloc) || (!pool->nr_free && !block_new(pool)))
		return NULL;
	return take(pool);
}

void *ms_pool_take(struct ms_pool *pool)
{
	return take(pool);
}

bool ms_pool_grow(struct ms_pool *pool, size_t n)
{
	while (pool->nr_free < n)
		if (!ms_alloc_allowed(pool->alloc) || !block_new(pool))
			return false;
	return true;
}

void ms_pool_put(struct ms_pool *pool, void *object)
{
	struct ms_pool_block *block = (void *)((uintptr_t)object & ~(BLOCK_SIZE - 1));
	size_t n = number_of(pool, block, object);

	ms_poison(object, pool->size);
	block->free[n / 64] |= UINT64_C(1) << n % 64;
	if (!block->nr_free++) {
		block->next_some = pool->some;
		pool->some = block;
	}
	pool->nr_free++;
	pool->alloc->live--;
}

size_t ms_pool_in_use(const struct ms_pool *pool)
{
	size_t unused = (size_t)(pool->chunk_end - pool->next_block);
	size_t blocks = (pool->bytes - unused) / BLOCK_SIZE;

	return blocks * objects_of_block(pool) - pool->nr_free;
}
