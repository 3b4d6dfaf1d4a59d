/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loops over the words of one table, written so that a compiler uses vectors for them at any level
 * of optimisation: what is done to many words is to cost no more than writing the memory. Every
 * CPU has vectors of two words; two vectors in each turn keep it busy.
 */
#ifndef MS_S2_WORDS_H
#define MS_S2_WORDS_H

#include <stdbool.h>
#include <stdint.h>

typedef uint64_t two_words __attribute__((vector_size(16), aligned(8), may_alias));

static inline two_words both(uint64_t x)
{
	return (two_words){ x, x };
}

static inline two_words load_two(const uint64_t *words)
{
	return *(const two_words *)words;
}

static inline void store_two(uint64_t *words, two_words v)
{
	*(two_words *)words = v;
}

/* first, first + step, first + 2 * step, ... */
static inline void words_fill(uint64_t *words, unsigned int n, uint64_t first, uint64_t step)
{
	two_words a = { first, first + step }, b = a + both(2 * step);
	unsigned int i = 0;

	for (; i + 4 <= n; i += 4) {
		store_two(words + i, a);
		store_two(words + i + 2, b);
		a += both(4 * step);
		b += both(4 * step);
	}
	for (; i < n; i++)
		words[i] = first + i * step;
}

/* The bitwise or of all words. */
static inline uint64_t words_or(const uint64_t *words, unsigned int n)
{
	two_words a = both(0), b = both(0);
	uint64_t rest = 0;
	unsigned int i = 0;

	for (; i + 4 <= n; i += 4) {
		a |= load_two(words + i);
		b |= load_two(words + i + 2);
	}
	for (; i < n; i++)
		rest |= words[i];
	a |= b;
	return a[0] | a[1] | rest;
}

/* Clears bits in all words; answers the bitwise or of what the words were. */
static inline uint64_t words_clear_bits(uint64_t *words, unsigned int n, uint64_t bits)
{
	two_words a = both(0), b = both(0), keep = both(~bits);
	uint64_t rest = 0;
	unsigned int i = 0;

	for (; i + 4 <= n; i += 4) {
		two_words v = load_two(words + i), w = load_two(words + i + 2);

		a |= v;
		b |= w;
		store_two(words + i, v & keep);
		store_two(words + i + 2, w & keep);
	}
	for (; i < n; i++) {
		rest |= words[i];
		words[i] &= ~bits;
	}
	a |= b;
	return a[0] | a[1] | rest;
}

/* How many words have the bit. */
static inline unsigned int words_count_bit(const uint64_t *words, unsigned int n, unsigned int bit)
{
	two_words a = both(0), b = both(0), one = both(1);
	unsigned int rest = 0, i = 0;

	for (; i + 4 <= n; i += 4) {
		a += load_two(words + i) >> bit & one;
		b += load_two(words + i + 2) >> bit & one;
	}
	for (; i < n; i++)
		rest += words[i] >> bit & 1;
	a += b;
	return (unsigned int)(a[0] + a[1]) + rest;
}

/* In how many words the field has this value. A comparison yields all ones, which is -1, where
 * it holds. */
static inline unsigned int words_count_field(const uint64_t *words, unsigned int n, uint64_t mask,
					     uint64_t value)
{
	two_words a = both(0), b = both(0);
	unsigned int rest = 0, i = 0;

	for (; i + 4 <= n; i += 4) {
		a -= (two_words)((load_two(words + i) & both(mask)) == both(value));
		b -= (two_words)((load_two(words + i + 2) & both(mask)) == both(value));
	}
	for (; i < n; i++)
		rest += (words[i] & mask) == value;
	a += b;
	return (unsigned int)(a[0] + a[1]) + rest;
}

#endif
