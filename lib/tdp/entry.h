/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One entry of the table: its bits behind questions, and the arithmetic of levels.
 *
 *   level        5      4     3     2     1
 *   an entry   256T   512G   1G    2M    4K     leaves at 3, 2, 1
 *
 * An entry is 0 (empty; what KVM would leave there is tdp_format.empty), a leaf, points to a table,
 * or marks a page as MMIO. Leaves and tables have the bit TDP_PRESENT, whatever the CPU makes of
 * them; marks do not.
 */
#ifndef MS_TDP_ENTRY_H
#define MS_TDP_ENTRY_H

#include <mapsim/tdp.h>

#include <assert.h>

enum {
	TDP_LAST_LEVEL = 1,
	TDP_MAX_LEVEL = 5,
	TDP_ENTRIES = 512,
	TDP_STRIDE = 9,
	TDP_PAGE_SHIFT = 12,
	TDP_PAGE_SIZE = 1 << TDP_PAGE_SHIFT,
};

#define TDP_BIT(n) (UINT64_C(1) << (n))
/* Bits from to `to`, both included. */
#define TDP_FIELD(from, to) ((TDP_BIT(to) << 1) - TDP_BIT(from))

// the same bits in both formats
#define TDP_R TDP_BIT(0) // of NPT: present
#define TDP_W TDP_BIT(1)
#define TDP_LARGE TDP_BIT(7) // of a leaf above the last level
// mirrors SPTE_MMU_PRESENT_MASK, arch/x86/kvm/mmu/spte.h, 6.1+
#define TDP_PRESENT TDP_BIT(11)
#define TDP_ADDRESS TDP_FIELD(12, 51)

#define NPT_USER TDP_BIT(2)
#define NPT_ACCESSED TDP_BIT(5)
#define NPT_DIRTY TDP_BIT(6)
#define NPT_HOST_WRITABLE TDP_BIT(9)
#define NPT_MMU_WRITABLE TDP_BIT(10)
#define NPT_NX TDP_BIT(63)

#define EPT_MEMTYPE_SHIFT 3
#define EPT_MEMTYPE TDP_FIELD(3, 5)
#define EPT_IGNORE_PAT TDP_BIT(6)

enum { TDP_ATTR_VALUES = 128, TDP_MEMTYPE_VALUES = 16 };
/* The bits of attr that may be set. */
#define TDP_ATTR (MS_PROT_RW | MS_PROT_X | MS_TDP_BITS | MS_TDP_IGNORE_PAT | 0x7000u)
static_assert(MS_PROT_R == 1 && MS_PROT_W == 2 && MS_PROT_X == 4, "they are R, W, X of EPT");

struct tdp_format {
	bool ept;
	uint64_t leaf;  // every leaf has these,
	uint64_t table; // and what points to a table these
	uint64_t known; // no leaf has others
	uint64_t nx, x; // not executable: nx is set; executable: x is set
	uint64_t host_writable, mmu_writable;
	uint64_t accessed, dirty; // 0: there are none
	uint64_t track;           // rights that a leaf without accessed bit loses; 0: it keeps them
	uint64_t saved;           // those of them that are put by,
	unsigned int saved_shift; // so much further up
	uint64_t empty;
	uint64_t mmio_mask, mmio_value, mmio_rights; // value 0: there are no marks
	uint64_t mmio_low_gpa, mmio_l1tf;            // how a mark holds an address
	unsigned int gen_low_bits;                   // of a generation, from bit 3 on
	uint64_t attr[TDP_ATTR_VALUES];       // a leaf of tdp_attr_number(); UINT64_MAX: refused
	uint64_t memtype[TDP_MEMTYPE_VALUES]; // of tdp_memtype_number(); the same
};

struct tdp_format ms_tdp_format(const struct ms_tdp_config *config);

/* ---- levels ---- */

static inline unsigned int level_shift(unsigned int level)
{
	return TDP_PAGE_SHIFT + (level - 1) * TDP_STRIDE;
}

static inline uint64_t level_size(unsigned int level)
{
	return TDP_BIT(level_shift(level));
}

/* Of all that a table translates whose entries are of this level. */
static inline unsigned int table_shift(unsigned int level)
{
	return level_shift(level) + TDP_STRIDE;
}

static inline unsigned int entry_index(ms_ipa_t ipa, unsigned int level)
{
	return (unsigned int)(ipa >> level_shift(level)) & (TDP_ENTRIES - 1);
}

static inline ms_ipa_t entry_start(ms_ipa_t ipa, unsigned int level)
{
	return ipa & ~(level_size(level) - 1);
}

static inline ms_ipa_t entry_end(ms_ipa_t ipa, unsigned int level)
{
	return entry_start(ipa, level) + level_size(level);
}

static inline bool is_aligned(uint64_t x, uint64_t size)
{
	return (x & (size - 1)) == 0;
}

static inline bool level_has_leaves(unsigned int level)
{
	return level - MS_TDP_4K <= MS_TDP_1G - MS_TDP_4K;
}

/* Where a walk of [ipa, end) leaves the table of this level that translates ipa. */
static inline ms_ipa_t table_stop(ms_ipa_t ipa, ms_ipa_t end, unsigned int level)
{
	ms_ipa_t stop = ((ipa >> table_shift(level)) + 1) << table_shift(level);

	return stop < end ? stop : end;
}

/* ---- what an entry is ---- */

// mirrors is_shadow_present_pte(), arch/x86/kvm/mmu/spte.h, 6.1+
static inline bool entry_present(uint64_t w)
{
	return w & TDP_PRESENT;
}

// mirrors is_last_spte(), arch/x86/kvm/mmu/spte.h, 6.1+
static inline bool entry_is_leaf(uint64_t w, unsigned int level)
{
	return entry_present(w) && (level == TDP_LAST_LEVEL || (w & TDP_LARGE));
}

static inline bool entry_is_table(uint64_t w, unsigned int level)
{
	return level != TDP_LAST_LEVEL && (w & (TDP_PRESENT | TDP_LARGE)) == TDP_PRESENT;
}

// mirrors is_mmio_spte(), arch/x86/kvm/mmu/spte.h, 6.1+
static inline bool entry_is_mark(uint64_t w)
{
	return w && !entry_present(w);
}

// mirrors spte_to_pfn(), arch/x86/kvm/mmu/spte.h, 6.1+
static inline ms_pa_t entry_pa(uint64_t w)
{
	return w & TDP_ADDRESS;
}

/* ---- rights ---- */

static inline unsigned int tdp_attr_number(unsigned int attr)
{
	return (attr & 7) | (attr >> 5 & 0x78);
}

static inline unsigned int tdp_memtype_number(unsigned int attr)
{
	return attr >> 12 & 15;
}

/* A leaf that gives nothing until it is accessed, which the CPU could not tell otherwise.
 * mirrors is_access_track_spte(), arch/x86/kvm/mmu/spte.h, 6.1+ */
static inline bool leaf_is_tracked(const struct tdp_format *f, uint64_t w)
{
	return f->track && !(w & f->track);
}

// mirrors is_accessed_spte(), arch/x86/kvm/mmu/spte.h, 6.1+
static inline bool leaf_accessed(const struct tdp_format *f, uint64_t w)
{
	return w & (f->track ? f->track : f->accessed);
}

/* The leaf, not accessed.
 * mirrors mark_spte_for_access_track(), arch/x86/kvm/mmu/spte.c, 6.1+ */
static inline uint64_t leaf_mark_old(const struct tdp_format *f, uint64_t w)
{
	if (!f->track)
		return w & ~f->accessed;
	if (!leaf_is_tracked(f, w))
		w |= (w & f->saved) << f->saved_shift;
	return w & ~(f->track | f->accessed);
}

/* Takes X away, or gives it.
 * mirrors make_spte_executable(), arch/x86/kvm/mmu/spte.c, 6.1 .. 6.12; change_spte_executable(),
 * arch/x86/kvm/mmu/spte.c, 7.2+ */
static inline uint64_t leaf_set_exec(const struct tdp_format *f, uint64_t w, bool exec)
{
	unsigned int shift = leaf_is_tracked(f, w) ? f->saved_shift : 0;

	return exec ? (w & ~f->nx) | f->x << shift : (w | f->nx) & ~(f->x << shift);
}

/* ---- marks of pages without memory ---- */

uint64_t ms_tdp_make_mark(const struct tdp_format *f, ms_ipa_t ipa, uint64_t generation);
ms_ipa_t ms_tdp_mark_ipa(const struct tdp_format *f, uint64_t w);
uint64_t ms_tdp_mark_generation(const struct tdp_format *f, uint64_t w);

#endif
