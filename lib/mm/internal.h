/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of lib/mm, shared by its files and by lib/pfnmap.
 *
 * Who does what:
 *   mm.c           an address space
 *   vma.c          VMA objects: duplicate, split, adjust, free
 *   vma_tree*.c    VMAs by address, vma_gap.c: the holes between them
 *   merge.c        which neighbours join
 *   file.c         files, address_space, i_mmap
 *   mmap.c munmap.c mprotect.c mremap.c madvise.c mlock.c fork.c   the system calls
 *   move_vma.c     what mremap moves; move.c: its page-table entries
 *   madvise_free.c pages that stay mapped; collapse*.c: pages that become a huge one
 *   pgtable.c      the host page table
 *   zap.c          entries go
 *   fault.c        the order of a fault, and what ends in anonymous memory
 *   cow.c huge.c filemap.c shmem*.c hugetlb*.c   what else it ends in
 *   lru.c          pages on their way to the LRU lists
 *   driver.c       calls of vm_ops and file operations
 *   notifier.c     MMU notifiers
 *   gup.c look.c   how others look at a process
 *   check*.c       is all of it whole?
 */
#ifndef MS_MM_INTERNAL_H
#define MS_MM_INTERNAL_H

#include "machine/internal.h"
#include "mm/vma_tree.h"
#include "phys/internal.h"

#include <mapsim/mm.h>
#include <mapsim/pat.h>
#include <mapsim/pfnmap.h>

#include <sys/queue.h>
#include <sys/tree.h>

/* ---- files and address spaces (file.c) ---- */

/* A libbsd RB_HEAD, by first page; equal ones in order of insertion. */
struct ms_i_mmap {
	struct ms_vma *rbh_root;
};

/* Disjoint ranges [from, to) of indices, rising. */
struct ms_regions {
	struct ms_index_range {
		uint64_t from, to;
	} * region;
	size_t nr;
};

/* struct address_space: the VMAs over some files, and for shmem and hugetlb the pages in it. */
struct ms_mapping {
	LIST_ENTRY(ms_mapping) link;
	RB_ENTRY(ms_mapping) by_key;
	struct ms_machine *machine;
	const void *key;       /* NULL: of one file alone, and in no tree */
	unsigned int refcount; /* files */
	LIST_HEAD(, ms_file) files;
	struct ms_i_mmap i_mmap;

	/* page cache: index (in units of 2^order pages) to the pfn of its first page, 0: absent */
	uint64_t size;              /* i_size, bytes */
	unsigned int order;         /* log2 pages of one index: 0 but for hugetlb */
	uint64_t hole_first, hole_end; /* shmem: pages that are being taken away; both 0: none */
	struct ms_regions reserved; /* hugetlb of a pool: indices for which there is a page */
	ms_pfn_t **chunk;           /* MS_CACHE_CHUNK indices each, made when first used */
	size_t nr_chunks;
	/* what ms_machine_check() has met; 0 outside of it */
	unsigned int counted_files, counted_vmas;
};
#define MS_CACHE_CHUNK 512u

enum ms_file_kind { MS_FILE_DRIVER, MS_FILE_SHMEM, MS_FILE_HUGETLB };

struct ms_file {
	_Alignas(16) char head[MS_FILE_HEAD_BYTES]; /* linux.h's struct file: stays first */
	LIST_ENTRY(ms_file) link;
	struct ms_machine *machine;
	const struct ms_file_ops *ops;
	enum ms_file_kind kind;
	unsigned int fmode;
	uint64_t max_bytes;
	void *priv;
	struct ms_mapping *mapping;
	LIST_ENTRY(ms_file) of_mapping;
	unsigned int refcount; /* the user's one, and one a VMA */
	bool user_ref;         /* the user has not put his yet */
	unsigned int counted;  /* VMAs that ms_machine_check() has met; 0 outside of it */
};

/* A fault that comes to no end by itself, besides MS_VM_FAULT_*. */
#define MS_FAULT_ENDLESS 0x80000000u

void ms_file_get(struct ms_file *file);
/* The address_space that files were made with; NULL: there is none (any more). */
struct ms_mapping *ms_mapping_find(struct ms_machine *m, const void *key);
/* f_mapping: the address_space `key` instead of the file's own; no VMA maps it yet. -ENOMEM. */
int ms_file_set_mapping(struct ms_file *file, const void *key);
/* fput of a VMA's reference. */
void ms_file_drop(struct ms_file *file);
/* One reference, no user_ref. NULL: no memory. */
struct ms_file *ms_shmem_file_new(struct ms_machine *m, uint64_t size);

void ms_i_mmap_insert(struct ms_vma *vma);                            /* vma_interval_tree_insert */
void ms_i_mmap_insert_after(struct ms_vma *vma, struct ms_vma *prev); /* ..._insert_after: fork */
void ms_i_mmap_remove(struct ms_vma *vma);
/* VMAs that overlap pages [first, last] (inclusive): the first one, and the next after vma; NULL:
 * no more. */
struct ms_vma *ms_i_mmap_first(struct ms_mapping *mapping, uint64_t first, uint64_t last);
struct ms_vma *ms_i_mmap_next(struct ms_vma *vma, uint64_t first, uint64_t last);

ms_pfn_t ms_cache_find(const struct ms_mapping *mapping, uint64_t index);
int ms_cache_set(struct ms_mapping *mapping, uint64_t index, ms_pfn_t pfn); /* -ENOMEM */
/* Room for indices below nr. -ENOMEM. */
int ms_cache_reserve(struct ms_mapping *mapping, uint64_t nr);

/* ---- an address space (mm.c) ---- */

struct ms_anon_vma {
	uint64_t root;         /* that a fork copied it from, by number; unique in an mm */
	unsigned int refcount; /* VMAs whose anon_vma it is */
	unsigned int counted;  /* those that ms_machine_check() has met; 0 outside of it */
};

/*
 * One page table. Its process knows it even where nothing points to it any more: the kernel loses
 * what a driver makes it lose, and still counts it.
 */
struct ms_pt {
	LIST_ENTRY(ms_pt) link;
	_Alignas(64) uint64_t entry[]; /* what the functions below hand about */
};

struct ms_mm {
	TAILQ_ENTRY(ms_mm) link;
	struct ms_machine *machine;
	uint32_t id;
	struct ms_vma_tree vmas;
	unsigned int map_count;
	uint64_t task_size; /* addresses end here (exclusive) */
	unsigned int start_level;
	uint64_t *pgd;
	LIST_HEAD(, ms_pt) tables; /* the pgd among them */
	uint64_t nr_tables;        /* of these; mm_pgtables_bytes, and the pgd */
	/* pgtable_trans_huge_deposit: tables put by for the split of anonymous PMD leaves, a list
	 * through entry 0 */
	uint64_t *deposits;
	uint64_t anon_roots; /* the last number of an anon_vma that no fork made */
	struct ms_mmu_notifier *notifiers;

	/* lock.h */
	unsigned int mmap_readers;
	unsigned int mmu_locked; /* VMs of which a hook runs under the MMU lock: no notifier can */
	bool mmap_writer;
};

/* ---- VMA objects (vma.c) ---- */

struct ms_vma *ms_vma_alloc(struct ms_mm *mm);
/* vm_area_dup + references of file, anon_vma (anon_vma_clone) and tracking context; not in any
 * tree. NULL: -ENOMEM. */
struct ms_vma *ms_vma_dup(struct ms_vma *vma);
/* remove_vma: close (if call_close), file put, tracking context put, free. The VMA is in no tree
 * any more. */
void ms_vma_free(struct ms_vma *vma, bool call_close);
/*
 * __split_vma: [start, end) becomes [start, addr) and [addr, end). new_below: the new object is the
 * lower half. may_split is asked, open(new) called, a PMD leaf across addr split. The map_count
 * limit is the caller's (ms_split_vma has it).
 */
int ms_split_vma_nolimit(struct ms_vma *vma, ms_hva_t addr, bool new_below,
			 struct ms_vma **new_vma);
/* As above; -ENOMEM at the map_count limit. */
int ms_split_vma(struct ms_vma *vma, ms_hva_t addr, bool new_below, struct ms_vma **new_vma);
/* Moves a VMA's borders (i_mmap and tree follow; pgoff given); splits huge leaves across the new
 * borders. */
void ms_vma_adjust(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, uint64_t pgoff);
/* vma_set_page_prot: from vm_flags, cache bits stay; no write right where writes are noticed. */
void ms_vma_set_page_prot(struct ms_vma *vma);
ms_pgprot_t ms_vm_get_page_prot(const struct ms_machine *m, uint64_t vm_flags);
/* anon_vma_prepare: -ENOMEM. */
int ms_anon_vma_prepare(struct ms_vma *vma);
/* anon_vma_fork into the child's fresh duplicate (which has none yet). -ENOMEM. */
int ms_anon_vma_fork(struct ms_vma *child, const struct ms_vma *parent);
void ms_anon_vma_drop(struct ms_vma *vma); /* unlink_anon_vmas */
/* anon_vma_clone: dst, which has none yet, shares what src has. */
void ms_anon_vma_clone(struct ms_vma *dst, const struct ms_vma *src);

static inline uint64_t ms_vma_size(const struct ms_vma *vma)
{
	return vma->vm_end - vma->vm_start;
}
static inline struct ms_machine *ms_vma_machine(const struct ms_vma *vma)
{
	return vma->vm_mm->machine;
}
static inline uint64_t ms_vma_pages(const struct ms_vma *vma)
{
	return ms_vma_size(vma) >> ms_vma_machine(vma)->page_shift;
}
/*
 * __vm_enough_memory(), overcommit by guess: what alone is more than all of RAM is refused, but for
 * what the kernel has taken at boot: of that the array of struct page is known. Where a machine has
 * no RAM nobody counts.
 */
#define MS_STRUCT_PAGE 64u
static inline bool ms_obvious_overcommit(const struct ms_machine *m, uint64_t size)
{
	const uint64_t pages = ms_ram_pages(m), memmap = pages * MS_STRUCT_PAGE >> m->page_shift;

	return pages && size >> m->page_shift > pages - memmap;
}
/* linear_page_index */
static inline uint64_t ms_vma_pgoff_of(const struct ms_vma *vma, ms_hva_t addr)
{
	return vma->vm_pgoff + ((addr - vma->vm_start) >> ms_vma_machine(vma)->page_shift);
}
/*
 * linear_anon_page_index(), 7.3: as vm_pgoff, but of the anonymous memory in a private mapping. At
 * first the page number of the address, it stays what it is when a mapping with such memory moves.
 */
static inline uint64_t ms_vma_anon_pgoff_of(const struct ms_vma *vma, ms_hva_t addr)
{
	return vma->anon_pgoff + ((addr - vma->vm_start) >> ms_vma_machine(vma)->page_shift);
}
/* calc_vm_prot_bits: the access flags of MS_PROT_ bits */
static inline uint64_t ms_calc_vm_prot_bits(unsigned int prot)
{
	return (prot & MS_PROT_R ? MS_VM_READ : 0) | (prot & MS_PROT_W ? MS_VM_WRITE : 0) |
	       (prot & MS_PROT_X ? MS_VM_EXEC : 0);
}
/*
 * calc_vm_prot_bits' key, x86: execute_only_pkey() where execution is all that is asked for. The
 * key is the first that a process gets, and forbids every data access.
 */
static inline uint64_t ms_execute_only_key(const struct ms_machine *m, unsigned int prot)
{
	return prot == MS_PROT_X && ms_is_x86(m) && !m->config.no_pku ? MS_VM_PKEY : 0;
}
static inline bool ms_is_cow_mapping(uint64_t flags)
{
	return (flags & (MS_VM_SHARED | MS_VM_MAYWRITE)) == MS_VM_MAYWRITE;
}
static inline bool ms_vma_is_hugetlb(const struct ms_vma *vma)
{
	return vma->vm_flags & MS_VM_HUGETLB;
}
static inline bool ms_vma_is_anonymous(const struct ms_vma *vma)
{
	return !vma->vm_ops;
}
static inline bool ms_vma_is_shmem(const struct ms_vma *vma)
{
	return vma->vm_file && vma->vm_file->kind == MS_FILE_SHMEM;
}

/* ---- calls into a driver (driver.c) ---- */

/*
 * Each says to lib/linux on which machine and for which process driver code runs, and how the mmap
 * lock is held meanwhile. ->open and ->close are called if there are any; the others must be there.
 */
void ms_vma_call_open(struct ms_vma *vma);
void ms_vma_call_close(struct ms_vma *vma);
int ms_vma_call_may_split(struct ms_vma *vma, ms_hva_t addr);
int ms_vma_call_mremap(const struct ms_vma *source, struct ms_vma *copy);
int ms_vma_call_mprotect(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, uint64_t newflags);
int ms_file_call_mmap(struct ms_file *file, struct ms_vma *vma);
int ms_file_call_mmap_prepare(struct ms_file *file, struct ms_vma_desc *desc);
/* ->fault and ->huge_fault, with the hooks before and after */
ms_vm_fault_t ms_vma_call_fault(struct ms_vm_fault *vmf);
ms_vm_fault_t ms_vma_call_huge_fault(struct ms_vm_fault *vmf, unsigned int order);
/* ->page_mkwrite or ->pfn_mkwrite */
ms_vm_fault_t ms_vma_call_mkwrite(struct ms_vm_fault *vmf, bool pfn);
/*
 * vm_flags_set(): false, with a violation, when a driver changes a VMA's flags that may not while
 * the lock is held for reading, and somebody notices (policy vma_flags_lock).
 */
bool ms_vma_flags_assert_locked(struct ms_vma *vma);

/* ---- merging (merge.c) ---- */

/* The state that a range would have; what a neighbour must equal to join it. */
struct ms_vma_merge {
	struct ms_mm *mm;
	struct ms_vma *prev, *next; /* neighbours by address, or NULL */
	ms_hva_t start, end;
	uint64_t vm_flags;
	uint64_t pgoff;
	uint64_t anon_pgoff;
	struct ms_file *file;
	const struct ms_vma *anon_from; /* whose anon_vma the range has, or NULL: a new range */
	bool moved;                     /* it is the copy that mremap makes of anon_from */
	bool from_mmap;                 /* mmap_region asks, which has an order of its own in 6.1 */
};
/*
 * vma_merge_new_range / vma_merge (new mapping): lets prev and/or next grow over [start, end). The
 * VMA that covers the range now, or NULL: nothing merged.
 */
struct ms_vma *ms_vma_merge_new(struct ms_vma_merge *vmg);
/*
 * vma_modify: gives [start, end) of vma the flags new_flags: merges with neighbours or splits.
 * *out: the VMA that covers the range now (its vm_flags are not changed unless it was merged into).
 * 0, -ENOMEM, or may_split's error.
 */
int ms_vma_modify_flags(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, uint64_t new_flags,
			struct ms_vma **out);

/* ---- system calls' inner halves ---- */

/* get_unmapped_area without MAP_FIXED: the hint, rounded down, if [hint, hint + len) is free, else
 * the highest gap that fits. -ENOMEM: none. */
int64_t ms_get_unmapped_area(struct ms_mm *mm, ms_hva_t hint, uint64_t len);
/* do_munmap: -EINVAL for what is no range of user addresses */
int ms_do_munmap(struct ms_mm *mm, ms_hva_t start, uint64_t len);
/* unmap_region of detached [start, end): notifier, zap, free_pgtables; `vmas` is an
 * address-ordered, NULL-ended chain through next_detached. prev_end/next_start: borders that page
 * tables are shared with (0: none). */
void ms_unmap_region(struct ms_mm *mm, struct ms_vma *vmas, ms_hva_t start, ms_hva_t end,
		     ms_hva_t prev_end, ms_hva_t next_start);
/* mm_populate / __mm_populate: faults [start, end) in, VMA by VMA, skipping VM_IO and VM_PFNMAP;
 * errors are ignored. */
void ms_mm_populate(struct ms_mm *mm, ms_hva_t start, uint64_t len);

/* ---- page table (pgtable.c) ---- */

#define MS_LEVEL_PTE 3u
#define MS_LEVEL_PMD 2u
#define MS_LEVEL_PUD 1u

static inline bool ms_pte_none(uint64_t e)
{
	return e == 0;
}
/*
 * A huge page of an anonymous VMA, or the huge zero page: a table was put by for it. A raw leaf is
 * a driver's, which has made it larger than its VMA.
 */
static inline bool ms_is_anon_huge(const struct ms_vma *vma, uint64_t e, unsigned int level)
{
	return level == MS_LEVEL_PMD && ms_vma_is_anonymous(vma) && !(e & MS_PTE_SPECIAL);
}
/* pte_present: also PROT_NONE */
static inline bool ms_pte_present(uint64_t e)
{
	return e & (MS_PTE_PRESENT | MS_PTE_PROTNONE);
}
static inline bool ms_pte_is_table(uint64_t e)
{
	return e & MS_PTE_TABLE;
}
static inline bool ms_pte_is_leaf(uint64_t e)
{
	return e && !(e & MS_PTE_TABLE);
}
static inline uint64_t *ms_pte_table(uint64_t e)
{
	return (uint64_t *)(uintptr_t)(e & ~MS_PTE_TABLE);
}
static inline ms_pa_t ms_pte_pa(uint64_t e)
{
	return e & MS_PTE_PA_MASK;
}
static inline ms_pfn_t ms_pte_pfn(const struct ms_machine *m, uint64_t e)
{
	return ms_pte_pa(e) >> m->page_shift;
}
/* pfn_pte: an entry from a protection */
static inline uint64_t ms_mk_pte(const struct ms_machine *m, ms_pfn_t pfn, ms_pgprot_t prot)
{
	return (pfn << m->page_shift) | (prot & ~MS_PTE_X86) | MS_PTE_YOUNG;
}

/* The pfn behind addr, of the leaf at `level` that translates it. */
static inline ms_pfn_t ms_leaf_pfn(const struct ms_machine *m, uint64_t e, unsigned int level,
				   ms_hva_t addr)
{
	return ms_pte_pfn(m, e) + ((addr & (ms_level_size(m, level) - 1)) >> m->page_shift);
}
/* pte_mkdirty(): what the kernel makes dirty is soft-dirty, too; the CPU knows nothing of that */
#define MS_PTE_MKDIRTY (MS_PTE_DIRTY | MS_PTE_SOFT_DIRTY)

/* maybe_mkwrite() */
static inline uint64_t ms_maybe_mkwrite(const struct ms_vma *vma, uint64_t e)
{
	return vma->vm_flags & MS_VM_WRITE ? e | MS_PTE_WRITE : e;
}
/* What a fault makes of a page: a write's entry is dirty, and writable if the VMA is. */
static inline uint64_t ms_fault_entry(const struct ms_vma *vma, ms_pfn_t pfn, bool write)
{
	uint64_t e = ms_mk_pte(ms_vma_machine(vma), pfn, vma->vm_page_prot);

	return write ? ms_maybe_mkwrite(vma, e | MS_PTE_MKDIRTY) : e;
}

/*
 * untagged_addr(), arch/arm64/include/asm/memory.h: the top byte of a user address (bit 55 is 0) is
 * free for tags, which the CPU and most system calls do not see.
 */
static inline ms_hva_t ms_untagged_addr(const struct ms_machine *m, ms_hva_t addr)
{
	return ms_is_x86(m) || (addr & (UINT64_C(1) << 55)) ? addr : addr & (UINT64_MAX >> 8);
}

/* Nothing is mapped, for there is nowhere that it could be: every leaf is below the top level. */
static inline bool ms_pt_is_empty(const struct ms_mm *mm)
{
	return mm->nr_tables == 1 && mm->start_level < MS_LEVEL_PUD;
}
/* The slot at `level` for addr; NULL: a table above is absent, or a leaf stands above (never at
 * `level`). */
uint64_t *ms_pt_slot(const struct ms_mm *mm, ms_hva_t addr, unsigned int level);
/* As above, but makes the tables. NULL: no memory (or a leaf above, the caller's mistake). */
uint64_t *ms_pt_alloc_slot(struct ms_mm *mm, ms_hva_t addr, unsigned int level);
/* The entry that translates addr (leaf, or 0) and the level where the walk ended. */
uint64_t ms_pt_walk(const struct ms_mm *mm, ms_hva_t addr, unsigned int *level);
uint64_t *ms_pt_new_table(struct ms_mm *mm);
void ms_pt_free_table(struct ms_mm *mm, uint64_t *table);
void ms_pt_free_tables(struct ms_mm *mm); /* all */
/* free_pgd_range of [start, end), tables shared with [.., floor) and [ceiling, ..) stay; ceiling 0:
 * none */
void ms_free_pgd_range(struct ms_mm *mm, ms_hva_t start, ms_hva_t end, ms_hva_t floor,
		       ms_hva_t ceiling);
/* One spare table for a PMD leaf is put by (-ENOMEM), or taken: then there is one. */
int ms_pt_deposit(struct ms_mm *mm);
uint64_t *ms_pt_withdraw(struct ms_mm *mm);
/* pte_modify: new protection, address and state kept. x86 keeps the cache bits too, arm64 takes the
 * new ones. */
uint64_t ms_pte_modify(const struct ms_machine *m, uint64_t e, ms_pgprot_t newprot);

/*
 * Calls fn for each slot at PTE level, and for each PMD or PUD slot that holds a leaf, that
 * overlaps [start, end) and is not empty. addr: start of the slot's range; fn may clear or replace
 * the slot by another leaf or 0.
 */
typedef void ms_leaf_fn(struct ms_vma *vma, uint64_t *slot, ms_hva_t addr, unsigned int level,
			void *arg);
void ms_pt_for_each_leaf(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, ms_leaf_fn *fn,
			 void *arg);
/*
 * copy_p4d_range() and below: `to` gets a table wherever `from` has one in the range, be it empty.
 * false: no memory.
 */
bool ms_pt_copy_tables(struct ms_mm *to, const struct ms_mm *from, ms_hva_t start, ms_hva_t end);

/* ---- entries go (zap.c) ---- */

/* unmap_single_vma: clip, untrack (by policy; in_unmap: called from unmap_vmas), then the entries
 * of [start, end). */
void ms_unmap_single_vma(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, bool in_unmap);
/* zap_page_range_single: notifier CLEAR (hugetlb: widened) around ms_unmap_single_vma. */
void ms_zap_page_range_single(struct ms_vma *vma, ms_hva_t addr, uint64_t size);
/* As above; keep_cows: private copies stay (unmap_mapping_range without even_cows). */
void ms_zap_range_details(struct ms_vma *vma, ms_hva_t addr, uint64_t size, bool keep_cows);
/* MADV_DONTNEED's zap: no notifier of its own; by policy pte_table_reclaim an emptied whole table
 * goes. */
void ms_zap_dontneed(struct ms_vma *vma, ms_hva_t addr, uint64_t size);
/* One leaf's page loses this mapping: rmap and reference. */
void ms_drop_leaf(struct ms_vma *vma, uint64_t entry, unsigned int level);

/* ---- huge leaves (huge.c) ---- */

/* __split_huge_pmd: notifier CLEAR of the PMD's range whatever is there; an anonymous leaf becomes
 * pages, another goes. */
void ms_split_huge_pmd(struct ms_vma *vma, ms_hva_t addr);
/* The same, or __split_huge_pud, where a leaf goes: by the level of what stands at addr. */
void ms_split_huge_leaf(struct ms_vma *vma, ms_hva_t addr, unsigned int level);
/* vma_adjust_trans_huge: the PMDs that new borders of vma would cut (0: border does not move) */
void ms_vma_adjust_trans_huge(struct ms_vma *vma, ms_hva_t start, ms_hva_t end);
/* thp allowed for an anonymous VMA at all (sysfs, VM_HUGEPAGE, VM_NOHUGEPAGE) */
bool ms_thp_allowed(const struct ms_vma *vma);
/* the aligned 2M around addr lie inside the VMA; files: pgoff congruent */
bool ms_thp_suitable(const struct ms_vma *vma, ms_hva_t addr);
ms_vm_fault_t ms_do_huge_anonymous(struct ms_vm_fault *vmf);
ms_vm_fault_t ms_do_huge_wp(struct ms_vm_fault *vmf, uint64_t *slot);

/* ---- faults ---- */

/* handle_mm_fault: prot is MS_PROT_R/W/X; addr any. VM_FAULT_ code. Access rights have been
 * checked. */
ms_vm_fault_t ms_handle_mm_fault(struct ms_vma *vma, ms_hva_t addr, unsigned int flags);
/* do_fault: absent entry of a VMA with vm_ops */
ms_vm_fault_t ms_do_fault(struct ms_vm_fault *vmf);
/* do_wp_page: write to a present, not writable PTE */
ms_vm_fault_t ms_do_wp_page(struct ms_vm_fault *vmf, uint64_t *slot);
/*
 * lru_cache_add() and lru_add_drain(), where they matter (policy anon_reuse): a page on its way to
 * the LRU lists has one reference more.
 */
void ms_lru_add(struct ms_machine *m, ms_pfn_t pfn);
void ms_lru_drain(struct ms_machine *m);
/* mark_page_lazyfree(): MADV_FREE moves an anonymous page to another list */
void ms_lru_lazyfree(struct ms_machine *m, ms_pfn_t pfn);
/* FOLL_TOUCH of what populates: once makes a page referenced, twice active */
#define MS_LRU_ACTIVE 2u
void ms_lru_touched(struct ms_machine *m, ms_pfn_t pfn);
bool ms_lru_queued(const struct ms_machine *m, ms_pfn_t pfn);
/* lru_cache_add_inactive_or_unevictable(): of an anonymous page that a fault of vma made */
void ms_lru_add_new(const struct ms_vma *vma, ms_pfn_t pfn);
/* FOLL_MLOCK, the same kernels: the page at addr of a locked VMA */
void ms_mlock_page(const struct ms_vma *vma, ms_hva_t addr);
/* munlock_vma_pages_range() */
void ms_munlock_range(struct ms_vma *vma, ms_hva_t start, ms_hva_t end);
/* munlock_vma_page() of what a locked VMA's copy was made of */
void ms_munlock_copied(struct ms_machine *m, uint64_t entry);
/* The zero page, made when first asked for; 0: no memory. */
ms_pfn_t ms_zero_pfn(struct ms_machine *m);
ms_pfn_t ms_huge_zero_pfn(struct ms_machine *m);
bool ms_is_zero_pfn(const struct ms_machine *m, ms_pfn_t pfn);      /* the 4K one */
bool ms_is_huge_zero_pfn(const struct ms_machine *m, ms_pfn_t pfn); /* its 2M sibling: first page */

/* ---- shmem.c, hugetlb.c: vm_ops and file_ops of memory files ---- */

extern const struct ms_vm_ops ms_shmem_vm_ops;
/* shmem_fallocate(PUNCH_HOLE) */
int ms_shmem_punch_hole(struct ms_file *file, uint64_t off, uint64_t len);

uint64_t ms_hugetlb_size(const struct ms_vma *vma); /* bytes of a huge page */
int ms_hugetlb_mmap(struct ms_file *file, struct ms_vma *vma);
/* Whether the machine has huge pages of this size. */
bool ms_huge_page_order(const struct ms_machine *m, uint64_t size, unsigned int *order);
void ms_hugetlb_init(struct ms_machine *m); /* pools, from the machine's config */
/* The reservation of a private mapping: one VMA more has it; vma has it no more; vma goes, and what
 * of it was not used is given back. */
void ms_hugetlb_dup(const struct ms_vma *vma);
void ms_hugetlb_forget(struct ms_vma *vma);
void ms_hugetlb_close(struct ms_vma *vma);
/* A file goes that has nr_present huge pages: and what else was reserved for it. */
void ms_hugetlb_evict(struct ms_mapping *mapping, uint64_t nr_present);
ms_vm_fault_t ms_hugetlb_fault(struct ms_vm_fault *vmf);
/* __unmap_hugepage_range with its zap event and, by policy, its own notifier */
void ms_hugetlb_unmap(struct ms_vma *vma, ms_hva_t start, ms_hva_t end);
int ms_hugetlb_copy(struct ms_vma *dst, struct ms_vma *src); /* copy_hugetlb_page_range */
void ms_hugetlb_change_protection(struct ms_vma *vma, ms_hva_t start, ms_hva_t end);
/* move_hugetlb_page_tables from old_addr of vma to new_addr of new_vma */
int ms_hugetlb_move(struct ms_vma *vma, struct ms_vma *new_vma, ms_hva_t old_addr,
		    ms_hva_t new_addr, uint64_t len);
/* adjust_range_if_pmd_sharing_possible: a shared mapping's range grows outward to whole PUDs inside
 * the VMA */
void ms_hugetlb_widen(const struct ms_vma *vma, ms_hva_t *start, ms_hva_t *end);

/* ---- notifiers (notifier.c) ---- */

void ms_notify_start(struct ms_mm *mm, ms_hva_t start, ms_hva_t end, enum ms_notifier_event event);
void ms_notify_end(struct ms_mm *mm, ms_hva_t start, ms_hva_t end, enum ms_notifier_event event);
void ms_notify_change_pte(struct ms_mm *mm, ms_hva_t addr, uint64_t entry);
void ms_notify_release(struct ms_mm *mm);

#endif
