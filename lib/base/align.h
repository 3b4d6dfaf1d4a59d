/* SPDX-License-Identifier: GPL-2.0-only */
/* Arithmetic on addresses and sizes. */
#ifndef MS_BASE_ALIGN_H
#define MS_BASE_ALIGN_H

#include <stdbool.h>
#include <stdint.h>

/* a: a power of two */
static inline uint64_t ms_align_down(uint64_t x, uint64_t a)
{
	return x & ~(a - 1);
}
static inline uint64_t ms_align_up(uint64_t x, uint64_t a)
{
	return (x + a - 1) & ~(a - 1);
}
static inline bool ms_aligned(uint64_t x, uint64_t a)
{
	return (x & (a - 1)) == 0;
}
static inline uint64_t ms_min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}
static inline uint64_t ms_max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

#endif
