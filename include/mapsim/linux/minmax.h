/* SPDX-License-Identifier: GPL-2.0-only */
/* Arithmetic: <linux/minmax.h>, <linux/align.h>, <linux/bits.h>, <linux/math.h>, <linux/log2.h>. */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_MINMAX_H)
#define MAPSIM_LINUX_MINMAX_H

/*
 * Up to 6.6 the comparison of the pointers warns where a and b are of different types. Later kernels
 * ask that both are signed or both unsigned, or that the signed one is a constant that is not
 * negative.
 */
#define MS_LINUX_IS_CONSTANT(x) \
	__builtin_types_compatible_p(__typeof__(8 ? ((void *)((long)(x) * 0l)) : (int *)8), int *)
#define MS_LINUX_IS_SIGNED(x) ((__typeof__(x))-1 < (__typeof__(x))1)
#define MS_LINUX_NOT_NEGATIVE(x) \
	(MS_LINUX_IS_CONSTANT(x) && \
	 (long)__builtin_choose_expr(MS_LINUX_IS_CONSTANT(x), (x), -1) >= 0)
#if MS_LINUX_SINCE(6, 7)
#define MS_LINUX_CMP_TYPES(a, b, x, y) \
	_Static_assert(MS_LINUX_IS_SIGNED(a) == MS_LINUX_IS_SIGNED(b) || \
			       MS_LINUX_IS_SIGNED((a) + 0) == MS_LINUX_IS_SIGNED((b) + 0) || \
			       MS_LINUX_NOT_NEGATIVE(a) || MS_LINUX_NOT_NEGATIVE(b), \
		       "min() or max() of a signed and an unsigned number")
#else
#define MS_LINUX_CMP_TYPES(a, b, x, y) (void)(&x == &y)
#endif
#define MS_LINUX_CMP_(op, a, b, x, y) \
	({ \
		__typeof__(a) x = (a); \
		__typeof__(b) y = (b); \
		MS_LINUX_CMP_TYPES(a, b, x, y); \
		x op y ? x : y; \
	})
#define MS_LINUX_CMP(op, a, b) MS_LINUX_CMP_(op, a, b, MS_LINUX_UNIQUE(ms_a), MS_LINUX_UNIQUE(ms_b))
#define MS_LINUX_CMP_T_(op, type, a, b, x, y) \
	({ \
		type x = (a), y = (b); \
		x op y ? x : y; \
	})
#define MS_LINUX_CMP_T(op, type, a, b) \
	MS_LINUX_CMP_T_(op, type, a, b, MS_LINUX_UNIQUE(ms_a), MS_LINUX_UNIQUE(ms_b))
#undef min
#undef max
#define min(a, b) MS_LINUX_CMP(<, a, b)
#define max(a, b) MS_LINUX_CMP(>, a, b)
#define min3(a, b, c) min(min(a, b), c)
#define max3(a, b, c) max(max(a, b), c)
#define min_t(type, a, b) MS_LINUX_CMP_T(<, type, a, b)
#define max_t(type, a, b) MS_LINUX_CMP_T(>, type, a, b)
#define clamp(value, low, high) min(max(value, low), high)
#define clamp_val(value, low, high) clamp_t(__typeof__(value), value, low, high)
#define min_not_zero(a, b) \
	({ \
		__typeof__(a) ms_x = (a); \
		__typeof__(b) ms_y = (b); \
		!ms_x ? ms_y : (!ms_y ? ms_x : min(ms_x, ms_y)); \
	})
#define clamp_t(type, value, low, high) min_t(type, max_t(type, value, low), high)
#define swap(a, b) \
	do { \
		__typeof__(a) ms_swap = (a); \
		(a) = (b); \
		(b) = ms_swap; \
	} while (0)

#define ALIGN(x, a) (((x) + ((__typeof__(x))(a)-1)) & ~((__typeof__(x))(a)-1))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a)-1)) == 0)
#define PTR_ALIGN(p, a) ((__typeof__(p))ALIGN((unsigned long)(p), (a)))
#undef roundup
#undef rounddown
#define round_up(x, y) ALIGN(x, y)
#define round_down(x, y) ALIGN_DOWN(x, y)
#define roundup(x, y) ((((x) + ((y)-1)) / (y)) * (y))
#define rounddown(x, y) ((x) - ((x) % (y)))
#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))

#define DIV_ROUND_UP_ULL(n, d) DIV_ROUND_UP((unsigned long long)(n), (d))
#define DIV_ROUND_CLOSEST(n, d) (((n) + (d) / 2) / (d))
#define do_div(n, base) \
	({ \
		u32 ms_rest = (u32)((u64)(n) % (u32)(base)); \
		(n) = (u64)(n) / (u32)(base); \
		ms_rest; \
	})

static inline u64 div_u64(u64 n, u32 d)
{
	return n / d;
}

static inline u64 div64_u64(u64 n, u64 d)
{
	return n / d;
}

#undef BITS_PER_LONG
#define BITS_PER_LONG 64
#define BITS_PER_LONG_LONG 64
#define BITS_PER_BYTE 8
#define BIT(nr) (1UL << (nr))
#define BIT_ULL(nr) (1ULL << (nr))
#define GENMASK(h, l) ((~0UL << (l)) & (~0UL >> (BITS_PER_LONG - 1 - (h))))
#define GENMASK_ULL(h, l) ((~0ULL << (l)) & (~0ULL >> (63 - (h))))

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define sizeof_field(type, member) sizeof(((type *)0)->member)
#define upper_32_bits(n) ((u32)((u64)(n) >> 32))
#define lower_32_bits(n) ((u32)((n)&0xffffffff))

#define SZ_1K 0x400
#define SZ_2K 0x800
#define SZ_4K 0x1000
#define SZ_8K 0x2000
#define SZ_16K 0x4000
#define SZ_32K 0x8000
#define SZ_64K 0x10000
#define SZ_128K 0x20000
#define SZ_256K 0x40000
#define SZ_512K 0x80000
#define SZ_1M 0x100000
#define SZ_2M 0x200000
#define SZ_4M 0x400000
#define SZ_8M 0x800000
#define SZ_16M 0x1000000
#define SZ_32M 0x2000000
#define SZ_64M 0x4000000
#define SZ_128M 0x8000000
#define SZ_256M 0x10000000
#define SZ_512M 0x20000000
#define SZ_1G 0x40000000
#define SZ_2G 0x80000000
#define SZ_4G 0x100000000ULL
#define SZ_8G 0x200000000ULL
#define SZ_16G 0x400000000ULL
#define SZ_32G 0x800000000ULL
#define SZ_64T 0x400000000000ULL

static inline bool is_power_of_2(unsigned long n)
{
	return n && !(n & (n - 1));
}

static inline int ilog2(u64 n)
{
	return 63 - __builtin_clzll(n);
}

/* The same checks as the kernel's, whose names say all. */
#define check_add_overflow(a, b, result) __builtin_add_overflow(a, b, result)
#define check_sub_overflow(a, b, result) __builtin_sub_overflow(a, b, result)
#define check_mul_overflow(a, b, result) __builtin_mul_overflow(a, b, result)

#define BUILD_BUG_ON(condition) _Static_assert(!(condition), "BUILD_BUG_ON(" #condition ")")
#ifndef static_assert
#define static_assert(...) _Static_assert(__VA_ARGS__)
#endif

#define BUILD_BUG_ON_MSG(condition, text) _Static_assert(!(condition), text)
#define BUILD_BUG_ON_NOT_POWER_OF_2(n) \
	BUILD_BUG_ON((n) == 0 || (((n) & ((n)-1)) != 0))
#define BUILD_BUG_ON_ZERO(condition) \
	((int)(sizeof(struct { int : (-!!(condition)); })))

static inline unsigned long roundup_pow_of_two(unsigned long n)
{
	return n <= 1 ? 1 : 1UL << (64 - __builtin_clzl(n - 1));
}

static inline unsigned long rounddown_pow_of_two(unsigned long n)
{
	return n ? 1UL << (63 - __builtin_clzl(n)) : 0;
}

static inline unsigned int order_base_2(unsigned long n)
{
	return n > 1 ? 64 - (unsigned int)__builtin_clzl(n - 1) : 0;
}

/* ---- <linux/overflow.h>: what does not fit is SIZE_MAX, which no allocation has ---- */

static inline size_t __must_check size_mul(size_t a, size_t b)
{
	size_t bytes;

	return __builtin_mul_overflow(a, b, &bytes) ? SIZE_MAX : bytes;
}

static inline size_t __must_check size_add(size_t a, size_t b)
{
	size_t bytes;

	return __builtin_add_overflow(a, b, &bytes) ? SIZE_MAX : bytes;
}

static inline size_t __must_check size_sub(size_t a, size_t b)
{
	return a == SIZE_MAX || b == SIZE_MAX || b > a ? SIZE_MAX : a - b;
}

static inline size_t __must_check array3_size(size_t a, size_t b, size_t c)
{
	return size_mul(size_mul(a, b), c);
}

#define array_size(a, b) size_mul(a, b)
#define flex_array_size(p, member, count) size_mul(count, sizeof(*(p)->member))
#define struct_size(p, member, count) size_add(sizeof(*(p)), flex_array_size(p, member, count))
#define struct_size_t(type, member, count) struct_size((type *)NULL, member, count)
#define check_shl_overflow(a, s, d) \
	({ \
		__typeof__(a) ms_a = (a); \
		__typeof__(*(d)) ms_d = (__typeof__(*(d)))ms_a << (s); \
		*(d) = ms_d; \
		(s) < 0 || (size_t)(s) >= 8 * sizeof(ms_d) || \
			(__typeof__(a))(ms_d >> (s)) != ms_a; \
	})
#define overflows_type(n, t) \
	({ \
		__typeof__(t) ms_t; \
		__builtin_add_overflow(n, 0, &ms_t); \
	})

static inline ssize_t strscpy(char *to, const char *from, size_t size)
{
	size_t len = strnlen(from, size);

	if (!size)
		return -E2BIG;
	if (len < size) {
		memcpy(to, from, len + 1);
		return (ssize_t)len;
	}
	memcpy(to, from, size - 1);
	to[size - 1] = '\0';
	return -E2BIG;
}

#endif
