/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bits in arrays of longs: <linux/bitops.h>, <linux/bitmap.h>, <linux/find.h>. One thread: what is
 * atomic in a kernel is the same as what is not.
 */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_BITOPS_H)
#define MAPSIM_LINUX_BITOPS_H

#define BIT_MASK(nr) (1UL << ((nr) % BITS_PER_LONG))
#define BIT_WORD(nr) ((nr) / BITS_PER_LONG)
#define BITS_TO_LONGS(nr) DIV_ROUND_UP(nr, BITS_PER_LONG)
#define BITS_PER_TYPE(type) (sizeof(type) * BITS_PER_BYTE)
#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]
#define BITMAP_FIRST_WORD_MASK(start) (~0UL << ((start) & (BITS_PER_LONG - 1)))
#define BITMAP_LAST_WORD_MASK(nbits) (~0UL >> (-(nbits) & (BITS_PER_LONG - 1)))

static inline void set_bit(long nr, volatile unsigned long *addr)
{
	addr[BIT_WORD(nr)] |= BIT_MASK(nr);
}

static inline void clear_bit(long nr, volatile unsigned long *addr)
{
	addr[BIT_WORD(nr)] &= ~BIT_MASK(nr);
}

static inline void change_bit(long nr, volatile unsigned long *addr)
{
	addr[BIT_WORD(nr)] ^= BIT_MASK(nr);
}

static inline bool test_bit(long nr, const volatile unsigned long *addr)
{
	return addr[BIT_WORD(nr)] & BIT_MASK(nr);
}

static inline bool test_and_set_bit(long nr, volatile unsigned long *addr)
{
	const bool former = test_bit(nr, addr);

	set_bit(nr, addr);
	return former;
}

static inline bool test_and_clear_bit(long nr, volatile unsigned long *addr)
{
	const bool former = test_bit(nr, addr);

	clear_bit(nr, addr);
	return former;
}

static inline bool test_and_change_bit(long nr, volatile unsigned long *addr)
{
	const bool former = test_bit(nr, addr);

	change_bit(nr, addr);
	return former;
}

#define __set_bit(nr, addr) set_bit(nr, addr)
#define __clear_bit(nr, addr) clear_bit(nr, addr)
#define __change_bit(nr, addr) change_bit(nr, addr)
#define __test_and_set_bit(nr, addr) test_and_set_bit(nr, addr)
#define __test_and_clear_bit(nr, addr) test_and_clear_bit(nr, addr)
#define test_and_set_bit_lock(nr, addr) test_and_set_bit(nr, addr)
#define clear_bit_unlock(nr, addr) clear_bit(nr, addr)
#define test_bit_acquire(nr, addr) test_bit(nr, addr)
#define assign_bit(nr, addr, value) ((value) ? set_bit(nr, addr) : clear_bit(nr, addr))
#define __assign_bit(nr, addr, value) assign_bit(nr, addr, value)

static inline unsigned long __ffs(unsigned long word)
{
	return (unsigned long)__builtin_ctzl(word);
}

static inline unsigned long __fls(unsigned long word)
{
	return (unsigned long)(63 - __builtin_clzl(word));
}

static inline int fls(unsigned int x)
{
	return x ? 32 - __builtin_clz(x) : 0;
}

static inline int fls64(u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

#define ffz(word) __ffs(~(word))
/* <strings.h> declares a function of this name and meaning. */
#define ffs(x) __builtin_ffs((int)(x))
#define hweight8(x) ((unsigned int)__builtin_popcount((u8)(x)))
#define hweight16(x) ((unsigned int)__builtin_popcount((u16)(x)))
#define hweight32(x) ((unsigned int)__builtin_popcount((u32)(x)))
#define hweight64(x) ((unsigned int)__builtin_popcountll(x))
#define hweight_long(x) hweight64(x)

/* The first bit from `from` on, below size, that is `value`; size: none. */
static inline unsigned long ms_find_bit(const unsigned long *addr, unsigned long size,
					unsigned long from, bool value)
{
	while (from < size && test_bit((long)from, addr) != value)
		from++;
	return from < size ? from : size;
}

#define find_first_bit(addr, size) ms_find_bit(addr, size, 0, true)
#define find_next_bit(addr, size, from) ms_find_bit(addr, size, from, true)
#define find_first_zero_bit(addr, size) ms_find_bit(addr, size, 0, false)
#define find_next_zero_bit(addr, size, from) ms_find_bit(addr, size, from, false)

static inline unsigned long find_last_bit(const unsigned long *addr, unsigned long size)
{
	for (unsigned long i = size; i--;)
		if (test_bit((long)i, addr))
			return i;
	return size;
}

#define for_each_set_bit(bit, addr, size) \
	for ((bit) = find_first_bit((addr), (size)); (bit) < (size); \
	     (bit) = find_next_bit((addr), (size), (bit) + 1))
#define for_each_clear_bit(bit, addr, size) \
	for ((bit) = find_first_zero_bit((addr), (size)); (bit) < (size); \
	     (bit) = find_next_zero_bit((addr), (size), (bit) + 1))
#define for_each_set_bit_from(bit, addr, size) \
	for ((bit) = find_next_bit((addr), (size), (bit)); (bit) < (size); \
	     (bit) = find_next_bit((addr), (size), (bit) + 1))

/* ---- whole bitmaps ---- */

static inline void bitmap_set(unsigned long *map, unsigned int start, unsigned int nbits)
{
	for (unsigned int i = 0; i < nbits; i++)
		set_bit(start + i, map);
}

static inline void bitmap_clear(unsigned long *map, unsigned int start, unsigned int nbits)
{
	for (unsigned int i = 0; i < nbits; i++)
		clear_bit(start + i, map);
}

static inline void bitmap_zero(unsigned long *map, unsigned int nbits)
{
	memset(map, 0, BITS_TO_LONGS(nbits) * sizeof(*map));
}

static inline void bitmap_fill(unsigned long *map, unsigned int nbits)
{
	memset(map, 0xff, BITS_TO_LONGS(nbits) * sizeof(*map));
}

static inline void bitmap_copy(unsigned long *to, const unsigned long *from, unsigned int nbits)
{
	memcpy(to, from, BITS_TO_LONGS(nbits) * sizeof(*to));
}

static inline bool bitmap_empty(const unsigned long *map, unsigned int nbits)
{
	return find_first_bit(map, nbits) == nbits;
}

static inline bool bitmap_full(const unsigned long *map, unsigned int nbits)
{
	return find_first_zero_bit(map, nbits) == nbits;
}

static inline unsigned int bitmap_weight(const unsigned long *map, unsigned int nbits)
{
	unsigned int set = 0;

	for (unsigned int i = 0; i < nbits; i++)
		set += test_bit(i, map);
	return set;
}

/* true: something is left */
static inline bool bitmap_and(unsigned long *to, const unsigned long *a, const unsigned long *b,
			      unsigned int nbits)
{
	for (unsigned int i = 0; i < BITS_TO_LONGS(nbits); i++)
		to[i] = a[i] & b[i];
	return !bitmap_empty(to, nbits);
}

static inline void bitmap_or(unsigned long *to, const unsigned long *a, const unsigned long *b,
			     unsigned int nbits)
{
	for (unsigned int i = 0; i < BITS_TO_LONGS(nbits); i++)
		to[i] = a[i] | b[i];
}

static inline bool bitmap_andnot(unsigned long *to, const unsigned long *a, const unsigned long *b,
				 unsigned int nbits)
{
	for (unsigned int i = 0; i < BITS_TO_LONGS(nbits); i++)
		to[i] = a[i] & ~b[i];
	return !bitmap_empty(to, nbits);
}

/*
 * The first run of nr bits that are 0, from `start` on, at a multiple of align_mask + 1. Where there
 * is none: a number of which the end is beyond size.
 */
static inline unsigned long bitmap_find_next_zero_area(unsigned long *map, unsigned long size,
						       unsigned long start, unsigned int nr,
						       unsigned long align_mask)
{
	for (;;) {
		const unsigned long at =
			(find_next_zero_bit(map, size, start) + align_mask) & ~align_mask;
		unsigned long used;

		if (at + nr > size)
			return at + nr;
		used = find_next_bit(map, at + nr, at);
		if (used >= at + nr)
			return at;
		start = used + 1;
	}
}

static inline unsigned long *bitmap_zalloc(unsigned int nbits, gfp_t flags)
{
	return (unsigned long *)ms_linux_alloc(BITS_TO_LONGS(nbits), sizeof(unsigned long),
					       flags | MS_LINUX_GFP_ZERO);
}

#define bitmap_alloc(nbits, flags) bitmap_zalloc(nbits, flags)

static inline void bitmap_free(const unsigned long *map)
{
	ms_linux_free(map);
}

#endif
