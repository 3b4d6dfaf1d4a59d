/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * tdp.h - an x86 second-level page table with real entries, as KVM's TDP MMU keeps it, usable with
 * nothing else of mapsim.
 *
 * Mirrors arch/x86/kvm/mmu/tdp_mmu.c and spte.c (6.1 .. 7.3; the differences are fields of
 * ms_tdp_config). It knows no machine, memslot or process: a guest's address goes to a physical one
 * with some rights and marks, by an entry of 4K, 2M or 1G. Which size, which rights, and when: the
 * caller says it. Everything that changes is told to one callback. A table that is NULL is refused:
 * the answer is -EINVAL, 0, NULL or false, or nothing is done.
 *
 * There are two formats. What NPT (AMD) does has been compared with recordings of real kernels.
 * EPT (Intel) could not be recorded: each of its rules comes from the kernel's sources alone.
 *
 * Levels are the kernel's: 1, 2, 3 for 4K, 2M, 1G. Addresses are bytes. A range is rounded to whole
 * pages, and what lies beyond the guest's last address is left out of it. A leaf that a range
 * touches is changed as a whole.
 *
 * What is done to one leaf takes O(levels), and O(1) where the leaf is in a table that was used
 * lately. A range takes O(1) for each table that it touches and, at a vector's speed, for each
 * entry that is written, or read because somebody asks for it. A table in which nothing is left
 * takes no page of memory, although it stays linked as in the kernel. bench/ measures it.
 */
#ifndef MAPSIM_TDP_H
#define MAPSIM_TDP_H

#include <mapsim/trace.h>
#include <mapsim/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MS_TDP_4K 1u ///< levels of leaves
#define MS_TDP_2M 2u
#define MS_TDP_1G 3u

enum ms_tdp_format { MS_TDP_NPT, MS_TDP_EPT };

/**
 * The kernels whose sources were read are 6.1, 6.12, 7.2 and 7.3; "6.12+" is of these.
 */
struct ms_tdp_config {
	enum ms_tdp_format format;
	unsigned int levels;  ///< 4 or 5
	unsigned int pa_bits; ///< physical address bits of the host, 32 to 52: of guests as well
	/** Address bits of the caches of a CPU with the L1TF bug, whose five upper ones are set in
	 * MMIO marks: 37 to 46. 0: the CPU does not have it. */
	unsigned int l1tf_bits;
	bool ad_bits;          ///< the CPU sets accessed and dirty bits; NPT always does
	bool suppress_ve;      ///< bit 63 of what is not present, and of each EPT entry (6.12+)
	bool user_exec;        ///< EPT has a second execute bit, other software bits (7.2+)
	bool keeps_ad;         ///< EPT without ad_bits: KVM itself keeps both bits (7.2+)
	bool map_splits;       ///< a huge leaf above a new one is split (6.12+), else zapped
	bool recover_in_place; ///< ms_tdp_recover() puts a leaf there (7.2+), else zaps
	bool zap_by_size; ///< ms_tdp_zap_all() begins with small leaves (6.12+), else by address
};

/**
 * What an entry gives and remembers: MS_PROT_R (always), MS_PROT_W, MS_PROT_X, and these. W goes
 * with both HOST_ and MMU_WRITABLE, MMU_WRITABLE with HOST_WRITABLE. A leaf without ACCESSED where
 * the CPU has no accessed bits (EPT) gives nothing: its rights are put by for the next access.
 */
#define MS_TDP_HOST_WRITABLE 0x100u ///< the host's own entry is writable
#define MS_TDP_MMU_WRITABLE 0x200u  ///< W may be given back without a lock
#define MS_TDP_ACCESSED 0x400u
#define MS_TDP_DIRTY 0x800u       ///< without ad_bits and keeps_ad: W, and not asked for
#define MS_TDP_BITS 0xf00u        ///< all of them
#define MS_TDP_IGNORE_PAT 0x8000u ///< EPT: the guest's PAT does not count
/** EPT's memory type, of those that EPT has: WB (if none is said), WC, WT, WP, UC. */
static inline unsigned int ms_tdp_cache(enum ms_cache cache)
{
	return (unsigned int)cache << 12;
}

struct ms_tdp_run;

/** Where the table's memory comes from and who hears of what it does. No callback may use the
 * table, but for ms_tdp_describe(). */
struct ms_tdp_host {
	void *ctx;
	/** `size` zeroed bytes aligned to `size` (a power of two, at least 4K); NULL: none. */
	void *(*alloc)(void *ctx, size_t size);
	void (*free)(void *ctx, void *memory, size_t size);
	/** Leaves change, or have just changed. Without it, nothing is spent on telling. The run is
	 * gone after the call. */
	void (*change)(void *ctx, const struct ms_tdp_run *run);
};

struct ms_tdp;
/** -EINVAL: a field is out of range; -ENOMEM. On success *tdp is an empty table. */
int ms_tdp_new(struct ms_tdp **tdp, const struct ms_tdp_config *config,
	       const struct ms_tdp_host *host);
/** Gives back all memory, without a word to host.change. NULL is allowed. */
void ms_tdp_free(struct ms_tdp *tdp);
/**
 * Whether huge leaves are not executable (the workaround for the iTLB multihit erratum); it is off
 * at first. While it is on, map and recover take X from leaves of 2M and 1G, and what is split to
 * 4K gets X. What is mapped stays as it is: KVM zaps all when it changes this.
 */
void ms_tdp_set_nx_huge_pages(struct ms_tdp *tdp, bool on);

/* ---- what is told ---- */

enum ms_tdp_change {
	MS_TDP_MAP,    ///< leaves were made where there was none
	MS_TDP_ZAP,    ///< leaves go
	MS_TDP_CHANGE, ///< leaves get other rights, marks or memory types
	MS_TDP_SPLIT,  ///< a huge leaf became a table of 512 of the next smaller size
	MS_TDP_MMIO,   ///< a page was marked as one without memory, or its mark was renewed
};

/** Changes of one kind to entries of one table, in the order of their addresses. */
struct ms_tdp_run {
	const struct ms_tdp *tdp;
	enum ms_tdp_change kind;
	unsigned int level;
	ms_ipa_t ipa;        ///< that the first entry translates
	unsigned int count;  ///< of entries, among them some that do not change
	unsigned int leaves; ///< how many do
	/** `count` entries: of MAP and MMIO as they are now, else as they were. */
	const uint64_t *entries;
	uint64_t clear, set; ///< of CHANGE: the bits that went, and those that came
};

/** A part of a run: neighbours that were equal and are equal, but for their addresses. Those of
 * MAP follow each other as the leaves do. */
struct ms_tdp_piece {
	ms_ipa_t ipa;
	uint64_t size; ///< of the whole piece, bytes
	unsigned int count;
	uint64_t old, entry; ///< the first entry before and after the change
};
/**
 * The first piece at or behind the run's entry number `from`. Answers the number of the entry after
 * it; 0: there is none.
 *
 *     for (unsigned int i = 0; (i = ms_tdp_run_piece(run, i, &piece)) != 0;)
 */
unsigned int ms_tdp_run_piece(const struct ms_tdp_run *run, unsigned int from,
			      struct ms_tdp_piece *piece);

/* ---- looking ---- */

struct ms_tdp_leaf {
	ms_ipa_t ipa;  ///< start of the leaf
	uint64_t size; ///< bytes; 0: nothing is mapped
	ms_pa_t pa;    ///< what `ipa` goes to
	unsigned int level;
	unsigned int prot;   ///< MS_PROT_R, W, X that the entry gives now
	unsigned int saved;  ///< those that were put by until the next access (EPT without ad_bits)
	unsigned int bits;   ///< MS_TDP_HOST_WRITABLE to MS_TDP_DIRTY
	enum ms_cache cache; ///< of NPT always MS_CACHE_WB
	bool ignore_pat;
	uint64_t entry; ///< as it stands in the table
};
/** What an entry of this level says; ipa of the leaf is left 0. size 0: it is no leaf. */
void ms_tdp_describe(const struct ms_tdp *tdp, uint64_t entry, unsigned int level,
		     struct ms_tdp_leaf *leaf);
/** The leaf that translates ipa; false: none. */
bool ms_tdp_get_leaf(const struct ms_tdp *tdp, ms_ipa_t ipa, struct ms_tdp_leaf *leaf);
/** The first leaf that overlaps [ipa, end); false: none. */
bool ms_tdp_next_leaf(const struct ms_tdp *tdp, ms_ipa_t ipa, ms_ipa_t end,
		      struct ms_tdp_leaf *leaf);
/**
 * The entry at which a walk for ipa ends, of whatever kind, and its level. One that is empty reads
 * as KVM leaves it. Beyond the last address: 0, and level 0.
 */
uint64_t ms_tdp_walk(const struct ms_tdp *tdp, ms_ipa_t ipa, unsigned int *level);

struct ms_tdp_mark {
	ms_ipa_t ipa;
	uint64_t generation; ///< the lower 18 or 19 bits, as many as an entry holds
	uint64_t entry;
};
/** The first page in [ipa, end) that is marked as MMIO; false: none. */
bool ms_tdp_next_mmio(const struct ms_tdp *tdp, ms_ipa_t ipa, ms_ipa_t end,
		      struct ms_tdp_mark *mark);

uint64_t ms_tdp_level_size(unsigned int level); ///< bytes of a leaf; 0: there are none
/** The first address that no guest has: of the host's address bits, and of what the levels reach.
 */
ms_ipa_t ms_tdp_limit(const struct ms_tdp *tdp);
uint64_t ms_tdp_tables(const struct ms_tdp *tdp); ///< linked tables, without the root
/** All that must hold between two calls. NULL: it does; else what is broken; so it is that the
 * table is NULL. */
const char *ms_tdp_check(const struct ms_tdp *tdp);

/* ---- changing ---- */

/**
 * A leaf of this level from ipa to pa; attr: MS_PROT_*, MS_TDP_*, ms_tdp_cache(). An MMIO mark
 * there is overwritten. A table there goes, its leaves are told as zaps first. A leaf with the same
 * pa gets the new rights; where they are the same, nothing happens. A huge leaf around ipa is
 * zapped or split, as configured. -EINVAL: attr, level, or an address that is not aligned;
 * -ERANGE: beyond the last address, of guest or host; -EEXIST: a leaf to another pa is there (which
 * must be zapped first: KVM would stop the host); -ENOMEM: nothing has changed.
 */
int ms_tdp_map(struct ms_tdp *tdp, ms_ipa_t ipa, unsigned int level, ms_pa_t pa, unsigned int attr);
/** The leaf at ipa gets exactly these rights and marks; its memory type stays. -ENOENT: no leaf;
 * -EINVAL: attr. */
int ms_tdp_set(struct ms_tdp *tdp, ms_ipa_t ipa, unsigned int attr);
/**
 * Marks a page as one without memory, with the generation of the memslots. 0 also where the same
 * mark is there. -EINVAL: ipa is not aligned; -ERANGE; -ENOMEM; -EEXIST: a leaf is there;
 * -EOPNOTSUPP: no entry can say so, with NPT and 52 address bits.
 */
int ms_tdp_mark_mmio(struct ms_tdp *tdp, ms_ipa_t ipa, uint64_t generation);

/** Every leaf that overlaps the range goes. Tables and marks stay. Answers how many leaves went. */
uint64_t ms_tdp_zap(struct ms_tdp *tdp, ms_ipa_t ipa, uint64_t size);
/** The table that the entry of this level (2M, 1G) at ipa points to goes, with all below it.
 * false: there is none. */
bool ms_tdp_zap_table(struct ms_tdp *tdp, ms_ipa_t ipa, unsigned int level);
/** Everything goes: leaves, in the configured order, tables and marks. */
void ms_tdp_zap_all(struct ms_tdp *tdp);

/** What protection takes from a leaf. */
enum ms_tdp_protect {
	MS_TDP_PROTECT_WRITE,    ///< W
	MS_TDP_PROTECT_FOR_GOOD, ///< W and MMU_WRITABLE
	MS_TDP_PROTECT_DIRTY,    ///< DIRTY; without ad_bits W
};
/** Protects the leaves that overlap the range and are of min_level or larger. true: one changed. */
bool ms_tdp_wrprotect(struct ms_tdp *tdp, ms_ipa_t ipa, uint64_t size, unsigned int min_level,
		      enum ms_tdp_protect what);
/** Protects the leaves of 4K among the 64 pages from ipa's on whose bit is set in the mask. */
bool ms_tdp_wrprotect_word(struct ms_tdp *tdp, ms_ipa_t ipa, uint64_t mask,
			   enum ms_tdp_protect what);
/** Whether a leaf in the range was accessed; it is not any more. */
bool ms_tdp_clear_young(struct ms_tdp *tdp, ms_ipa_t ipa, uint64_t size);
/** Whether the leaf at ipa was accessed. */
bool ms_tdp_test_young(const struct ms_tdp *tdp, ms_ipa_t ipa);

/**
 * Leaves above the level that overlap the range are split, step by step, until those that overlap
 * it have that level (4K, 2M). -EINVAL: level; -ENOMEM: nothing has changed (in the kernel some
 * are split by then).
 */
int ms_tdp_split(struct ms_tdp *tdp, ms_ipa_t ipa, uint64_t size, unsigned int level);

/** May a leaf of this level be at ipa? */
typedef bool ms_tdp_allowed_fn(void *ctx, ms_ipa_t ipa, unsigned int level);
/**
 * Each table that begins in the range and could be a leaf, the largest first, is zapped, or
 * replaced by a leaf with rights, marks and address of the first leaf in it, as configured. In
 * place, a table without leaves stays. Answers how many tables went that way.
 */
uint64_t ms_tdp_recover(struct ms_tdp *tdp, ms_ipa_t ipa, uint64_t size, ms_tdp_allowed_fn *allowed,
			void *ctx);

#ifdef __cplusplus
}
#endif
#endif
