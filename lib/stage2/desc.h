/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bits of a stage-2 descriptor (Arm ARM D8.3), and functions that ask for them.
 *
 *   63       58..55   54 53      47 .. PS   15..12   10   9:8  7  6   5..2     1      0
 *   |  -   | software| XN   |  output addr | PA hi | AF | SH | W| R| MemAttr | type | valid |
 *
 * Bits 15:12 hold PA[51:48] with 64K pages. With a 52-bit address in 4K or 16K pages (LPA2) the
 * output address is 49:PS, bits 9:8 are PA[51:50], and there is no SH.
 * An entry that is not valid is 0: unlike the kernel's it holds nothing else.
 */
#ifndef MS_S2_DESC_H
#define MS_S2_DESC_H

#include "geometry.h"

#include <mapsim/trace.h>

#define DESC_VALID UINT64_C(1)
#define DESC_TYPE (UINT64_C(1) << 1) /* set: a table, or a page at the last level */
#define DESC_MEMATTR_SHIFT 2
#define DESC_MEMATTR (UINT64_C(0xf) << DESC_MEMATTR_SHIFT)
#define DESC_R (UINT64_C(1) << 6)
#define DESC_W (UINT64_C(1) << 7)
#define DESC_SH_INNER (UINT64_C(3) << 8)
#define DESC_AF (UINT64_C(1) << 10)
#define DESC_XN (UINT64_C(1) << 54)  /* alone: no execution; or the upper of two bits */
#define DESC_XN0 (UINT64_C(1) << 53) /* the lower of two bits */

/* How a table's descriptors hold an output address, and which of their bits mean what. */
struct s2_format {
	uint64_t pa_mask;     // address bits that stand where they are
	uint64_t pa_limit;    // the first address that has too many bits,
	uint64_t plain_limit; // and the first with bits that stand elsewhere
	unsigned int hi_from; // the bits above pa_mask: first of them,
	unsigned int hi_to;   // where they go,
	uint64_t hi_mask;     // how many (0: none)
	uint64_t xn_mask;     // DESC_XN, or both bits
	uint64_t perms;       // the bits that say what is allowed
	uint64_t normal;      // MemAttr of cacheable memory, in place
	uint64_t normal_nc;
	uint64_t shareability; // SH, none with LPA2
};

static inline bool desc_valid(uint64_t d)
{
	return d & DESC_VALID;
}

static inline bool desc_is_table(uint64_t d, unsigned int level)
{
	return level < S2_LAST_LEVEL && (d & (DESC_VALID | DESC_TYPE)) == (DESC_VALID | DESC_TYPE);
}

static inline bool desc_is_leaf(uint64_t d, unsigned int level)
{
	return desc_valid(d) && !desc_is_table(d, level);
}

static inline bool desc_young(uint64_t d)
{
	return d & DESC_AF;
}

static inline uint64_t pa_hi(const struct s2_format *f, ms_pa_t pa)
{
	return (pa >> f->hi_from) & f->hi_mask;
}

static inline uint64_t pa_to_desc(const struct s2_format *f, ms_pa_t pa)
{
	return (pa & f->pa_mask) | pa_hi(f, pa) << f->hi_to;
}

static inline ms_pa_t desc_to_pa(const struct s2_format *f, uint64_t d)
{
	return (d & f->pa_mask) | ((d >> f->hi_to) & f->hi_mask) << f->hi_from;
}

static inline uint64_t leaf_type(unsigned int level)
{
	return level == S2_LAST_LEVEL ? DESC_VALID | DESC_TYPE : DESC_VALID;
}

/* A leaf of any level. attr: from ms_s2_prot_to_attr(); pa is aligned to the leaf's size. */
static inline uint64_t leaf_desc(const struct s2_format *f, ms_pa_t pa, uint64_t attr,
				 unsigned int level)
{
	return pa_to_desc(f, pa) | attr | leaf_type(level);
}

// mirrors stage2_pte_cacheable(), arch/arm64/kvm/hyp/pgtable.c, 5.10+
static inline bool desc_cacheable(const struct s2_format *f, uint64_t d)
{
	return desc_valid(d) && (d & DESC_MEMATTR) == f->normal;
}

/* Of two XN bits, 01 and 11 forbid execution at one exception level, 10 at both.
 * mirrors stage2_pte_executable(), arch/arm64/kvm/hyp/pgtable.c, 6.1+ */
static inline bool desc_executable(const struct s2_format *f, uint64_t d)
{
	return desc_valid(d) && (d & f->xn_mask) != DESC_XN;
}

// mirrors stage2_pte_needs_update(), arch/arm64/kvm/hyp/pgtable.c, 5.12+
static inline bool desc_differs_beyond_perms(const struct s2_format *f, uint64_t old, uint64_t new)
{
	return !desc_valid(old) || !desc_valid(new) || ((old ^ new) & ~f->perms);
}

/* The bits of a leaf that say what it allows and what memory it is, as one small number. */
enum { S2_ATTR_VALUES = 0x100 };
static inline unsigned int desc_attr_number(uint64_t d)
{
	return (unsigned int)(d >> DESC_MEMATTR_SHIFT & 0x3f) | (unsigned int)(d >> 53 & 3) << 6;
}

static inline uint64_t attr_number_desc(unsigned int number)
{
	return (uint64_t)(number & 0x3f) << DESC_MEMATTR_SHIFT | (uint64_t)(number >> 6) << 53;
}

struct s2_format ms_s2_format(const struct s2_geometry *g, bool fwb, bool xn_two_bits);
/* The attribute bits of a mapping. 0: KVM does not accept this prot. */
uint64_t ms_s2_prot_to_attr(const struct s2_format *f, unsigned int prot);
/* MS_PROT_* of a leaf. */
unsigned int ms_s2_desc_to_prot(const struct s2_format *f, uint64_t d);

#endif
