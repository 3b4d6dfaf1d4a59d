/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A copy of an arena, and how it is put back. What was got lies in a range of each segment; of
 * these the pieces are kept that are not all zeroes, as most of a page table is.
 */
#include "base/arena_inside.h"

#include <stdlib.h>
#include <string.h>

#define PIECE MS_ARENA_PIECE

/* What of a segment is copied: with the runs that are below its base, and the arena itself. */
struct range {
	char *low, *base, *top;
};

struct ms_arena_copy {
	struct range range[2];
	size_t nr_pieces;         /* that are not all zeroes */
	char *piece;              /* they */
	unsigned char *shadow[2]; /* the sanitizer's, of what is above the base */
	uint64_t filled[];        /* a bit for each piece of both ranges: it is not all zeroes */
};

/* ---- what the sanitizer knows, which is part of the state ---- */

#ifdef MS_SANITIZED
static volatile unsigned char *shadow_of(const void *p, size_t *scale)
{
	size_t offset;

	__asan_get_shadow_mapping(scale, &offset);
	return (volatile unsigned char *)(((uintptr_t)p >> *scale) + offset);
}

/* By hand: what the sanitizer has in place of memcpy() would ask whether its own bytes are handed
 * out. */
static MS_LOOKS_AT_POISON void copy_bytes(volatile unsigned char *to,
					  const volatile unsigned char *from, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = from[i];
}

static bool shadow_save(struct ms_arena_copy *copy, size_t i)
{
	const struct range *range = &copy->range[i];
	const size_t bytes = (size_t)(range->top - range->base);
	size_t scale;
	volatile unsigned char *shadow = shadow_of(range->base, &scale);

	copy->shadow[i] = malloc((bytes >> scale) + 1);
	if (!copy->shadow[i])
		return false;
	copy_bytes(copy->shadow[i], shadow, bytes >> scale);
	ms_unpoison(range->base, bytes);
	return true;
}

static void shadow_put_back(const struct ms_arena_copy *copy, size_t i)
{
	const struct range *range = &copy->range[i];
	size_t scale;
	volatile unsigned char *shadow = shadow_of(range->base, &scale);

	if (copy->shadow[i])
		copy_bytes(shadow, copy->shadow[i], (size_t)(range->top - range->base) >> scale);
}
#else
static bool shadow_save(struct ms_arena_copy *copy, size_t i)
{
	(void)copy, (void)i;
	return true;
}

static void shadow_put_back(const struct ms_arena_copy *copy, size_t i)
{
	(void)copy, (void)i;
}
#endif

/* ---- pieces ---- */

static size_t pieces_of(const struct range *range)
{
	return (size_t)(range->top - range->low) / PIECE;
}

static size_t words_of(const struct range *range)
{
	return (pieces_of(range) + 63) / 64;
}

static bool is_zero(const char *piece)
{
	const uint64_t *word = (const uint64_t *)(const void *)piece;
	uint64_t any = 0;

	for (size_t i = 0; i < PIECE / sizeof(*word); i++)
		any |= word[i];
	return !any;
}

/* Sets the bits of a range's pieces; answers how many are set. */
static size_t find_filled(const struct range *range, uint64_t *filled)
{
	const size_t n = pieces_of(range);
	size_t found = 0;

	for (size_t i = 0; i < n; i += 64) {
		uint64_t bits = 0;

		for (size_t k = 0; k < 64 && i + k < n; k++)
			bits |= (uint64_t)!is_zero(range->low + (i + k) * PIECE) << k;
		filled[i / 64] = bits;
		found += (size_t)__builtin_popcountll(bits);
	}
	return found;
}

static char *copy_filled(const struct range *range, const uint64_t *filled, char *to)
{
	for (size_t i = 0; i < words_of(range); i++)
		for (uint64_t bits = filled[i]; bits; bits &= bits - 1, to += PIECE)
			memcpy(to, range->low + (64 * i + (size_t)__builtin_ctzll(bits)) * PIECE,
			       PIECE);
	return to;
}

static const char *put_back_pieces(const struct range *range, const uint64_t *filled,
				   const char *from)
{
	const size_t n = pieces_of(range);

	for (size_t i = 0; i < n; i++) {
		char *to = range->low + i * PIECE;

		if (filled[i / 64] >> i % 64 & 1) {
			memcpy(to, from, PIECE);
			from += PIECE;
		} else {
			memset(to, 0, PIECE);
		}
	}
	return from;
}

/* ---- the whole ---- */

static struct range range_of(const struct ms_arena *a, size_t i)
{
	const struct ms_segment *s = &a->segment[i];
	const size_t runs = (size_t)(s->top - s->base) / MS_ARENA_PAGE * sizeof(struct ms_run);

	if (!i)
		return (struct range){ (char *)(uintptr_t)a, s->base, s->top };
	if (!s->base)
		return (struct range){ 0 };
	return (struct range){ s->base - ms_align_up(runs, PIECE), s->base, s->top };
}

struct ms_arena_copy *ms_arena_copy_new(const struct ms_arena *a)
{
	const struct range small = range_of(a, 0), large = range_of(a, 1);
	const size_t words = words_of(&small);
	struct ms_arena_copy *copy =
		malloc(sizeof(*copy) + (words + words_of(&large)) * sizeof(copy->filled[0]));

	if (!copy)
		return NULL;
	*copy = (struct ms_arena_copy){ .range = { small, large } };
	if (shadow_save(copy, 0) && (!large.base || shadow_save(copy, 1))) {
		copy->nr_pieces = find_filled(&small, copy->filled) +
				  find_filled(&large, copy->filled + words);
		copy->piece = malloc(copy->nr_pieces * PIECE);
	}
	if (copy->piece)
		copy_filled(&large, copy->filled + words,
			    copy_filled(&small, copy->filled, copy->piece));
	shadow_put_back(copy, 0);
	shadow_put_back(copy, 1);
	if (copy->piece)
		return copy;
	ms_arena_copy_free(copy);
	return NULL;
}

void ms_arena_copy_free(struct ms_arena_copy *copy)
{
	if (!copy)
		return;
	free(copy->shadow[0]);
	free(copy->shadow[1]);
	free(copy->piece);
	free(copy);
}

/* The segment as it was, but that what has become memory since, or may have been written, stays so.
 * One that was not reserved at the time is empty. */
static void reconcile(struct ms_segment *s, const struct ms_segment *now)
{
	if (!s->base && now->base)
		*s = (struct ms_segment){ .top = now->base + MS_ARENA_PAGE };
	s->low = now->low;
	s->high = now->high;
	s->base = now->base;
	s->limit = now->limit;
	s->runs_low = now->runs_low;
	s->end = now->end;
	s->written = now->written > s->top ? now->written : s->top;
}

void ms_arena_put_back(struct ms_arena *a, const struct ms_arena_copy *copy)
{
	const struct ms_segment now[2] = { a->segment[0], a->segment[1] };
	const size_t words = words_of(&copy->range[0]);

	for (size_t i = 0; i < 2; i++)
		if (now[i].base)
			ms_unpoison(now[i].base, (size_t)(now[i].end - now[i].base));
	put_back_pieces(&copy->range[1], copy->filled + words,
			put_back_pieces(&copy->range[0], copy->filled, copy->piece));
	for (size_t i = 0; i < 2; i++) {
		struct ms_segment *s = &a->segment[i];

		reconcile(s, &now[i]);
		if (s->base)
			ms_poison(s->top, (size_t)(s->end - s->top));
		shadow_put_back(copy, i);
	}
}

size_t ms_arena_copy_bytes(const struct ms_arena_copy *copy)
{
	const size_t words = words_of(&copy->range[0]) + words_of(&copy->range[1]);

	return sizeof(*copy) + words * sizeof(copy->filled[0]) + copy->nr_pieces * PIECE;
}
