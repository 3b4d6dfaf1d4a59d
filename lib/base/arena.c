/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An arena: runs of pages (segment.c), and blocks that are cut off runs. arena_copy.c copies it.
 *
 * A block has a head of eight bytes before it. What was got is a run exactly if it is at the start
 * of a page: no block is.
 */
#include "base/arena_inside.h"

#include <stdlib.h>
#include <string.h>

#define PAGE MS_ARENA_PAGE
#define SPAN ((size_t)16 << 10) /* a run that blocks are cut off; longer than any block */
#define SPAN_LARGE ((size_t)64 << 10)
#define BLOCK_MAX ((size_t)8 << 10)

#define UNIT 16u
#define LINE 64u
/* Before each block. */
struct head {
	uint32_t class;
	uint32_t line; /* 1: it is aligned to a cache line */
};

struct ms_arena *ms_arena_new(void)
{
	char *memory = malloc(MS_ARENA_FIRST);
	struct ms_arena *a;

	if (!memory)
		return NULL;
	a = (struct ms_arena *)ms_align_up((uintptr_t)memory, MS_ARENA_PIECE);
	*a = (struct ms_arena){ .memory = memory };
	ms_segment_init_small(&a->segment[0], (char *)(a + 1), memory + MS_ARENA_FIRST);
	a->next = ms_arena_get_raw(a, PAGE, SPAN);
	a->next_end = a->next + SPAN;
	return a;
}

void ms_arena_free(struct ms_arena *a)
{
	for (size_t i = 0; i < 2; i++)
		if (a->segment[i].base)
			ms_unpoison(a->segment[i].base,
				    (size_t)(a->segment[i].end - a->segment[i].base));
	ms_segment_unreserve(&a->segment[1]);
	free(a->memory);
}

bool ms_arena_has(const struct ms_arena *a, const void *p)
{
	for (size_t i = 0; i < 2; i++)
		if ((const char *)p >= a->segment[i].base && (const char *)p < a->segment[i].top)
			return true;
	return false;
}

size_t ms_arena_bytes(const struct ms_arena *a)
{
	return (size_t)(a->segment[0].top - (const char *)a) +
	       (size_t)(a->segment[1].top - a->segment[1].base);
}

/* ---- runs ---- */

static struct ms_segment *segment_of(struct ms_arena *a, const void *p)
{
	const struct ms_segment *large = &a->segment[1];

	return &a->segment[(const char *)p >= large->base && (const char *)p < large->limit];
}

/* How many bytes the run at p has. */
static size_t run_size(struct ms_arena *a, const char *p)
{
	const struct ms_segment *s = segment_of(a, p);

	return ms_segment_run(s, (size_t)(p - s->base) / PAGE)->pages * PAGE;
}

static char *run_get(struct ms_arena *a, size_t align, size_t size)
{
	const size_t pages = size / PAGE + !!(size % PAGE);
	char *p;

	if (size > MS_ARENA_MAX)
		return NULL;
	align = ms_max_u64(align, PAGE);
	p = ms_segment_get(&a->segment[0], align, pages);
	if (p)
		return p;
	if (!a->segment[1].base && !ms_segment_reserve(&a->segment[1]))
		return NULL;
	return ms_segment_get(&a->segment[1], align, pages);
}

/* All of the run's pages are zeroed: what a copy keeps does not depend on what malloc has left. */
static void *large_get(struct ms_arena *a, size_t align, size_t size)
{
	char *p = run_get(a, align, size);
	const char *written = p ? segment_of(a, p)->written : NULL;
	size_t whole;

	if (!p)
		return NULL;
	whole = ms_align_up(size, PAGE);
	ms_unpoison(p, whole);
	if (p < written)
		memset(p, 0, ms_min_u64(whole, (uint64_t)(written - p)));
	ms_poison(p + size, whole - size);
	ms_segment_wrote(segment_of(a, p), p, size);
	return p;
}

/* Also these are zeroed: what is not handed out of them then costs a copy nothing. */
void *ms_arena_get_raw(struct ms_arena *a, size_t align, size_t size)
{
	char *p = large_get(a, align, size);

	if (p)
		ms_poison(p, size);
	return p;
}

/* ---- blocks ---- */

/* Sizes in units of 16 bytes: up to 16 of each number, then eight between powers of two. */
static unsigned int class_of(size_t units)
{
	unsigned int log;

	if (units <= 16)
		return (unsigned int)units;
	log = 63u - (unsigned int)__builtin_clzll(units - 1);
	return 16 + (log - 4) * 8 + (unsigned int)((units - 1) >> (log - 3)) - 7;
}

static size_t units_of(unsigned int class)
{
	const unsigned int log = 4 + (class - 17) / 8;

	return class <= 16 ? class : (size_t)(9 + (class - 17) % 8) << (log - 3);
}

/* What a block of the class can hold. */
static size_t room_of(unsigned int class)
{
	return units_of(class) * UNIT - sizeof(struct head);
}

/* The head is poisoned, as what is not handed out is; so is a free block, whose first word is the
 * next one of its list. */
static MS_LOOKS_AT_POISON struct head head_of(const void *p)
{
	return ((const struct head *)p)[-1];
}
static MS_LOOKS_AT_POISON void set_head(void *p, struct head head)
{
	((struct head *)p)[-1] = head;
}
static MS_LOOKS_AT_POISON void *next_of(void *p)
{
	return *(void **)p;
}
static MS_LOOKS_AT_POISON void set_next(void *p, void *next)
{
	*(void **)p = next;
}

/* A new span; directly behind what is left of the latest one it makes that longer. */
static bool span_new(struct ms_arena *a)
{
	const struct ms_segment *large = &a->segment[1];
	const size_t size = (size_t)(large->top - large->base) > PAGE ? SPAN_LARGE : SPAN;
	char *span = ms_arena_get_raw(a, PAGE, size);

	if (!span)
		return false;
	if (span != a->next_end)
		a->next = span;
	a->next_end = span + size;
	return true;
}

/* Where the next block of an alignment would be. */
static char *place(const struct ms_arena *a, size_t align)
{
	char *p = (char *)ms_align_up((uintptr_t)a->next + sizeof(struct head), align);

	return (uintptr_t)p % PAGE ? p : p + align;
}

static void *block_cut(struct ms_arena *a, unsigned int class, bool line)
{
	const size_t room = room_of(class), align = line ? LINE : UNIT;
	char *p = place(a, align);

	while (p + room > a->next_end) {
		if (!span_new(a))
			return NULL;
		p = place(a, align);
	}
	a->next = p + room;
	set_head(p, (struct head){ .class = class, .line = line });
	return p;
}

static void *block_get(struct ms_arena *a, size_t align, size_t size)
{
	const bool line = align > UNIT;
	size_t units = (size + sizeof(struct head) + UNIT - 1) / UNIT;
	unsigned int class;
	void *p;

	if (line)
		units = ms_align_up(units, LINE / UNIT);
	class = class_of(units);
	p = a->block[line][class];
	if (!p)
		return block_cut(a, class, line);
	a->block[line][class] = next_of(p);
	return p;
}

static void block_put(struct ms_arena *a, void *p)
{
	const struct head head = head_of(p);

	ms_poison(p, room_of(head.class));
	set_next(p, a->block[head.line][head.class]);
	a->block[head.line][head.class] = p;
}

/* ---- either ---- */

static bool is_run(const void *p)
{
	return !((uintptr_t)p % PAGE);
}

static bool is_large(size_t align, size_t size)
{
	return size > BLOCK_MAX || align > LINE;
}

void *ms_arena_get(struct ms_arena *a, size_t align, size_t size)
{
	void *p;

	size = ms_max_u64(size, 1);
	if (is_large(align, size))
		return large_get(a, align, size);
	p = block_get(a, align, size);
	if (!p)
		return NULL;
	ms_unpoison(p, size);
	return memset(p, 0, size);
}

void ms_arena_put(struct ms_arena *a, void *p)
{
	if (is_run(p))
		ms_segment_put(segment_of(a, p), p, run_size(a, p) / PAGE);
	else
		block_put(a, p);
}

/* A run that stays where it is gets another size. false: it cannot stay. */
static bool resize_in_place(struct ms_arena *a, char *p, size_t size)
{
	const size_t old = run_size(a, p), bytes = ms_align_up(size, PAGE);

	if (!ms_segment_resize(segment_of(a, p), p, bytes / PAGE))
		return false;
	if (bytes >= old)
		ms_segment_wrote(segment_of(a, p), p, size);
	ms_unpoison(p, size);
	ms_poison(p + size, bytes - size);
	return true;
}

void *ms_arena_resize(struct ms_arena *a, void *p, size_t align, size_t size)
{
	const size_t old = is_run(p) ? run_size(a, p) : room_of(head_of(p).class);
	void *moved;

	size = ms_max_u64(size, 1);
	if (size > MS_ARENA_MAX)
		return NULL;
	if (is_run(p) && is_large(align, size) && resize_in_place(a, p, size))
		return p;
	moved = ms_arena_get(a, align, size);
	if (!moved)
		return NULL;
	ms_unpoison(p, old);
	memcpy(moved, p, ms_min_u64(old, size));
	ms_arena_put(a, p);
	return moved;
}
