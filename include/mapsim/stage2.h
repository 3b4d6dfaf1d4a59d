/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * stage2.h - an arm64 stage-2 page table with real descriptors, usable with nothing else of mapsim.
 *
 * Mirrors arch/arm64/kvm/hyp/pgtable.c (5.10 .. 7.3; the differences are fields of ms_s2_config).
 * It knows no VMA, no memslot and no host page table: an IPA goes to a PA with some permissions.
 * What it does to the hardware (descriptor writes, TLB invalidations, cache maintenance) is told to
 * callbacks, in order. A table, cache or run that is NULL is refused: the answer is -EINVAL, 0 or
 * false, or nothing is done.
 *
 * What is done to one leaf takes O(levels), of which there are four at most, and O(1) where the
 * leaf is in a table that was used lately. A range takes O(1) for each table that it touches and,
 * at a vector's speed, for each descriptor that is written, or read because somebody listens; a
 * table of pages that goes as a whole, by unmap or for a block, is neither read nor written. Tables
 * take a page each and some 16 bytes, from what host.alloc gives. bench/ measures it.
 */
#ifndef MAPSIM_STAGE2_H
#define MAPSIM_STAGE2_H

#include <mapsim/trace.h>
#include <mapsim/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ms_s2_run;

/**
 * Where the table's memory comes from and who hears of what it does. Only alloc and free are
 * required; a callback that is not there costs nothing. No callback may use the table.
 */
struct ms_s2_host {
	void *ctx;
	/** `size` zeroed bytes aligned to `size` (a power of two, at least the granule); NULL:
	 * none. */
	void *(*alloc)(void *ctx, size_t size);
	void (*free)(void *ctx, void *table, size_t size);
	/**
	 * The descriptor that translates [ipa, ipa + size of level) changed. An entry that is
	 * broken before it is made again goes to 0 in between. A table descriptor's address is the
	 * number of the table, times the page size; numbers are the same in every run. Entries of a
	 * table that is unlinked as a whole (replaced by a block, or freed) do not change one by
	 * one.
	 */
	void (*desc)(void *ctx, ms_ipa_t ipa, unsigned int level, uint64_t old, uint64_t desc);
	void (*tlbi)(void *ctx, enum ms_tlbi_kind kind, ms_ipa_t ipa, uint64_t size,
		     unsigned int level);
	void (*cmo)(void *ctx, enum ms_cmo_kind kind, ms_pa_t pa, uint64_t size);
	/**
	 * Many leaves that change in one go: instead of desc, tlbi and cmo for each of them. For
	 * who wants the numbers only (ms_s2_run_count), or the events one by one only now and then
	 * (ms_s2_run_tell). Without it the other three are called. The run is gone after the call.
	 */
	void (*run)(void *ctx, const struct ms_s2_run *run);
};

struct ms_s2_config {
	unsigned int page_shift; ///< 12, 14 or 16
	unsigned int ipa_bits;   ///< 32 .. 52
	bool fwb;                ///< MemAttr encodings and no dcache maintenance
	bool tlbi_range;         ///< FEAT_TLBIRANGE
	bool same_leaf_eagain;   ///< mapping what is mapped already: -EAGAIN (5.12+), else success
	bool table_to_block_range; ///< a table replaced by a block: range TLBI, else the whole VMID
	bool unmap_defer;          ///< unmap defers TLBIs to one range TLBI if fwb and tlbi_range
	bool relax_local;          ///< relax_perms: TLBI of this CPU only (6.6+), else of all
	bool absent_eagain;    ///< relax and mkyoung of what is not mapped: -EAGAIN (6.2+), else
			       ///< success
	bool relax_takes_exec; ///< relax_perms without X takes X away (6.19 to 7.1), else it stays
	bool eagain_no_tlbi;   ///< relax that is -EAGAIN: no TLBI (6.2 to 6.6)
	bool xn_two_bits;      ///< XN[54:53]: separate EL1 and EL0 execute permission
	bool cmo_by_caller; ///< map and relax do no cache maintenance (<= 5.13): the abort handler
			    ///< does it before it calls them
};

struct ms_s2;
/**
 * An empty table. NULL, and errno says why. EINVAL: a field is out of range, an argument is NULL or
 * the host has no memory to give; ENOMEM. It is of no machine, and has no reason in words.
 */
struct ms_s2 *ms_s2_new(const struct ms_s2_config *config, const struct ms_s2_host *host);
/** Gives back every table, without a word to the host's other callbacks. NULL is allowed. */
void ms_s2_free(struct ms_s2 *s2);

enum ms_s2_run_kind {
	MS_S2_RUN_FILL,   ///< empty entries became leaves; each after its cache maintenance
	MS_S2_RUN_CLEAR,  ///< leaves went; after each its TLBI, if not deferred, and dcache clean
	MS_S2_RUN_CHANGE, ///< leaves lost `bit`; those that did not have it did not change
};

/** Neighbouring entries of one table of the last level, or of blocks. */
struct ms_s2_run {
	const struct ms_s2 *s2;
	enum ms_s2_run_kind kind;
	unsigned int level;
	ms_ipa_t ipa;         ///< that the first entry translates
	unsigned int count;   ///< entries
	unsigned int leaves;  ///< of FILL and CLEAR: those of them that are leaves
	const uint64_t *desc; ///< of FILL the new descriptors, else the old; 0: not a leaf
	uint64_t bit;         ///< of CHANGE: one bit
	bool maintain;        ///< of FILL: with cache maintenance (a split does none)
};

/** Calls of desc, tlbi and cmo that a run stands for. */
struct ms_s2_totals {
	uint64_t desc, tlbi, dcache, icache;
};
struct ms_s2_totals ms_s2_run_count(const struct ms_s2_run *run);
/** Makes them, in the kernel's order. */
void ms_s2_run_tell(const struct ms_s2_run *run);

/** kvm_mmu_memory_cache: tables put by so that a map under a lock allocates nothing.
 * Zero-initialised by its owner. */
#define MS_S2_CACHE_CAPACITY 40
struct ms_s2_cache {
	unsigned int count;
	void *table[MS_S2_CACHE_CAPACITY];
	void *more; ///< those beyond MS_S2_CACHE_CAPACITY, chained
};
/** Nothing if count >= min; else fills to capacity. -ENOMEM if even min cannot be had. */
int ms_s2_cache_topup(struct ms_s2 *s2, struct ms_s2_cache *cache, unsigned int min);
/** The same with another capacity, for ms_s2_split(). -EINVAL: min > capacity. */
int ms_s2_cache_fill(struct ms_s2 *s2, struct ms_s2_cache *cache, unsigned int capacity,
		     unsigned int min);
/** Before ms_s2_free(), which takes the tables in caches with it. */
void ms_s2_cache_free(struct ms_s2 *s2, struct ms_s2_cache *cache);
/** Tables that one fault may need: levels - 1. */
unsigned int ms_s2_cache_min(const struct ms_s2 *s2);
/** Tables that splitting `size` bytes may need (kvm_mmu_split_nr_page_tables). */
unsigned int ms_s2_split_tables(const struct ms_s2 *s2, uint64_t size);

/**
 * kvm_pgtable_stage2_map of [ipa, ipa + size) to pa; prot: MS_PROT_R/W/X/PX/UX/DEVICE/NORMAL_NC.
 * Lays down the largest blocks that ipa, pa and size allow; ipa and pa are rounded down to pages,
 * size up. cache may be NULL: then a needed table is -ENOMEM; from an empty one the host is asked,
 * as the kernel does with a warning. -ERANGE: beyond the IPA space; -EINVAL: prot, or pa wider than
 * a descriptor holds; -EAGAIN: an entry was already so but for its permissions, as configured.
 * Entries before the one that failed stay written.
 */
int ms_s2_map(struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size, ms_pa_t pa, unsigned int prot,
	      struct ms_s2_cache *cache);
/** Every leaf that overlaps the range goes whole; emptied tables are freed. -ERANGE. */
int ms_s2_unmap(struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size);
/** Write permission goes from every leaf that overlaps the range. No TLBI. -ERANGE. */
int ms_s2_wrprotect(struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size);
/**
 * Adds the R, W, X of prot to the leaf at ipa; never removes (but with two XN bits PX or UX alone
 * replaces what was executable before, as in the kernel). -EAGAIN or 0 where there is none, as
 * configured (absent_eagain); -EINVAL: PX or UX alone without two bits; -ERANGE.
 */
int ms_s2_relax(struct ms_s2 *s2, ms_ipa_t ipa, unsigned int prot);
/** Sets the access flag of the leaf at ipa. Where there is none: as relax. -ERANGE. */
int ms_s2_mkyoung(struct ms_s2 *s2, ms_ipa_t ipa);
/** Whether a leaf in the range was accessed; clear: and makes it old. No TLBI. */
bool ms_s2_test_clear_young(struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size, bool clear);
/**
 * kvm_pgtable_stage2_split: blocks in the range become pages (or next-level blocks when the cache
 * is short), with the tables in `cache`. -ENOMEM when it is empty. Memory attributes other than
 * R/W/X are not kept, as in the kernel. The new table's entries are written before it is linked.
 */
int ms_s2_split(struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size, struct ms_s2_cache *cache);
/** Cleans the data cache of every cacheable leaf in the range (nothing with FWB). */
int ms_s2_flush(struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size);
/** A TLB invalidation of the whole VMID, as callers of wrprotect do. */
void ms_s2_flush_vmid(struct ms_s2 *s2);

struct ms_s2_leaf {
	ms_ipa_t ipa;       ///< start of the leaf
	uint64_t size;      ///< bytes; 0: nothing is mapped
	ms_pa_t pa;         ///< what `ipa` goes to
	unsigned int prot;  ///< MS_PROT_*
	unsigned int level; ///< 1..3
	uint64_t desc;      ///< the descriptor as it stands in the table
	bool young;
	const char *reason; ///< filled by kvm.h: why this size was chosen; else NULL
};
/** The leaf that translates ipa; false: none. */
bool ms_s2_get_leaf(const struct ms_s2 *s2, ms_ipa_t ipa, struct ms_s2_leaf *leaf);
/** The first leaf that overlaps [ipa, end); false: none. O(entries passed over); a table without
 * any is passed over as one. */
bool ms_s2_next_leaf(const struct ms_s2 *s2, ms_ipa_t ipa, ms_ipa_t end, struct ms_s2_leaf *leaf);
/** Level at which a walk for ipa ends (of a leaf, or of the empty entry). */
unsigned int ms_s2_walk_level(const struct ms_s2 *s2, ms_ipa_t ipa);

unsigned int ms_s2_start_level(const struct ms_s2 *s2);                ///< of the root: 0..2
unsigned int ms_s2_root_pages(const struct ms_s2 *s2);                 ///< concatenated root tables
uint64_t ms_s2_level_size(const struct ms_s2 *s2, unsigned int level); ///< bytes an entry covers
uint64_t ms_s2_table_pages(const struct ms_s2 *s2);                    ///< tables below the root
/** Checks count, alignment, reachability of every entry. NULL: consistent; else what is broken; so
 * it is that the table is NULL. */
const char *ms_s2_check(const struct ms_s2 *s2);

#ifdef __cplusplus
}
#endif
#endif
