/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of lib/mm.
 *
 * Who does what:
 *   mm.c           an address space
 *   vma.c          VMA objects: duplicate, split, adjust, free
 *   vma_tree*.c    VMAs by address, vma_gap.c: the holes between them
 *   merge.c        which neighbours join
 *   file.c i_mmap.c  files, address_space, the VMAs over it
 *   unmapped_area.c  where mmap puts a mapping
 *   mmap.c munmap.c mprotect.c mremap.c madvise.c mlock.c fork.c   the system calls
 *   move_vma.c     what mremap moves; move.c: its page-table entries
 *   madvise_free.c pages that stay mapped; collapse*.c: pages that become a huge one
 *   pgtable.c      the host page table
 *   lock.c         the mmap lock
 *   refuse.c       why something is refused
 *   zap.c          entries go
 *   fault.c        the order of a fault, and what ends in anonymous memory
 *   cow.c huge.c filemap.c shmem*.c hugetlb*.c   what else it ends in
 *   lru.c          pages on their way to the LRU lists
 *   driver.c       calls of vm_ops and file operations
 *   remap.c insert.c          raw pfns are mapped: remap_pfn_range(), vmf_insert_pfn(), …
 *   unmap_mapping.c follow.c  how drivers take them away, and what others see of them
 *   raw.c target.c    RAM that is shown by its pfn, when it is freed; what is mapped by its pfn
 *   track.c aliases.c         their memory types on x86: reservations, and what is mapped twice
 *   notifier.c     MMU notifiers
 *   gup.c look.c   how others look at a process; pin.c: pages that drivers take from it
 *   check*.c       is all of it whole?
 */
#ifndef MS_MM_INTERNAL_H
#define MS_MM_INTERNAL_H

#include "core/room.h"
#include "mm/view.h"
#include "mm/vma_tree.h"
#include "pat/tracking.h"
#include "phys/internal.h"

#include <mapsim/mm.h>
#include <mapsim/pat.h>
#include <mapsim/pfnmap.h>

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

/* ---- files and address spaces (file.c, i_mmap.c) ---- */

/* A VMA as the library makes it. Drivers may copy the struct ms_vma, but not what links it. */
struct ms_linked_vma {
	struct ms_vma vma;
	bool pending;                   /* not in its process's tree yet; it has room for it */
	struct ms_vma *next_detached;   /* of the VMAs that an unmap has taken out */
	RB_ENTRY(ms_linked_vma) i_mmap; /* of vm_file */
	uint64_t i_mmap_last;           /* largest last page in the subtree of i_mmap */
};
static inline struct ms_linked_vma *ms_linked(const struct ms_vma *vma)
{
	return (struct ms_linked_vma *)(uintptr_t)vma;
}

/* VMAs in the order of their first page, equal ones in that of insertion. */
RB_HEAD(ms_i_mmap, ms_linked_vma);

/* A set of indices: disjoint ranges [from, to), in rising order. */
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

	/* the page cache: the first pfn of each index, of 2^order pages; 0: absent */
	uint64_t size;                 /* i_size, bytes */
	unsigned int order;            /* log2 pages of one index: 0 but for hugetlb */
	uint64_t hole_first, hole_end; /* shmem: pages that are being taken away; both 0: none */
	struct ms_regions reserved;    /* hugetlb with a pool: indices present or reserved */
	ms_pfn_t **chunk;              /* MS_CACHE_CHUNK indices each, made when first used */
	size_t nr_chunks;
};
#define MS_CACHE_CHUNK 512u

enum ms_file_kind { MS_FILE_DRIVER, MS_FILE_SHMEM, MS_FILE_HUGETLB };

struct ms_file {
	_Alignas(16) char head[MS_FILE_HEAD_BYTES]; /* linux.h's struct file: stays first */
	LIST_ENTRY(ms_file) link;
	struct ms_machine *machine;
	const struct ms_file_ops *ops;
	const char *name; /* of the driver or its device; NULL: ops->name */
	enum ms_file_kind kind;
	unsigned int fmode;
	uint64_t max_bytes;
	void *priv;
	struct ms_mapping *mapping;
	LIST_ENTRY(ms_file) of_mapping;
	unsigned int refcount; /* the user's reference, one for each VMA, and the driver's */
	int driver_refs;       /* that driver code took by get_file(); < 0: it gave ->mmap's away */
	bool user_ref;         /* the user still has his reference */
	bool going;            /* the last reference went: ->release runs, or will */
	SLIST_ENTRY(ms_file) delayed;
};

/* The last reference has gone: nobody may have a new one. */
static inline bool ms_file_is_going(const struct ms_file *file)
{
	return file->going;
}
/* ->mmap is back, in which vm_file was `was` and is `now`: the references that driver code took and
 * gave become those of the VMA. */
void ms_file_handed_over(struct ms_file *was, struct ms_file *now);

/* A result beside MS_VM_FAULT_*: the kernel would repeat the fault without end. */
#define MS_FAULT_ENDLESS 0x80000000u

/* A new file with one reference, which is not the user's. NULL: no memory. */
struct ms_file *ms_shmem_file_new(struct ms_machine *m, uint64_t size);

/* A VMA without a file is not inserted. insert_after: directly behind prev, as fork does it. */
void ms_i_mmap_insert(struct ms_vma *vma);
void ms_i_mmap_insert_after(struct ms_vma *vma, struct ms_vma *prev);
void ms_i_mmap_remove(struct ms_vma *vma);
/* The VMAs that overlap pages [first, last] (inclusive): the first one, and the one after vma;
 * NULL: no more. */
struct ms_vma *ms_i_mmap_first(struct ms_mapping *mapping, uint64_t first, uint64_t last);
struct ms_vma *ms_i_mmap_next(struct ms_vma *vma, uint64_t first, uint64_t last);

ms_pfn_t ms_cache_find(const struct ms_mapping *mapping, uint64_t index);
int ms_cache_set(struct ms_mapping *mapping, uint64_t index, ms_pfn_t pfn); /* -ENOMEM */
/* Makes room for indices below nr. 0 or -ENOMEM. */
int ms_cache_reserve(struct ms_mapping *mapping, uint64_t nr);

/* ---- an address space (mm.c) ---- */

struct ms_anon_vma {
	uint64_t root;         /* number of the first anon_vma that forks derived it from */
	unsigned int refcount; /* VMAs that have it as their anon_vma */
};

/*
 * One page table. It stays in its process's list even if no entry points to it any more: a driver
 * can make the kernel lose a table, which is still counted then.
 */
struct ms_pt {
	LIST_ENTRY(ms_pt) link;
	_Alignas(64) uint64_t entry[]; /* the functions below take and answer pointers to this */
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
	LIST_HEAD(, ms_pt) tables; /* all of them, also the pgd */
	uint64_t nr_tables;        /* their number: mm_pgtables_bytes in tables, and the pgd */
	/* pgtable_trans_huge_deposit(): spare tables, from which a split of an anonymous PMD leaf
	 * takes one; a list through entry 0 */
	uint64_t *deposits;
	uint64_t anon_roots; /* the last number that was given to ms_anon_vma.root */
	struct ms_mmu_notifier *notifiers;
	bool has_pinned; /* MMF_HAS_PINNED: pages of it were pinned once */
	struct ms_notifier_walk *walks; /* over them, that are under way */

	/* lock.h */
	unsigned int mmap_readers;
	unsigned int mmu_locked; /* VMs whose hook runs under the MMU lock: notifiers may not */
	bool mmap_writer;
	/* How often the library itself has the lock, which is also in the two above: whatever
	 * driver code does with those, the library has it. */
	unsigned int held, held_for_writing;
	bool exiting; /* ms_mm_exit() is at it */
};

/* ---- VMA objects (vma.c) ---- */

extern const struct ms_vm_ops ms_dummy_vm_ops; /* of mmap.c */

struct ms_vma *ms_vma_alloc(struct ms_mm *mm);
/* A copy of vma, with references of its own to the file, the anon_vma and the tracking context. It
 * is in no tree. NULL: no memory. */
struct ms_vma *ms_vma_dup(struct ms_vma *vma);
/* remove_vma(): calls close if call_close, drops what the VMA refers to, and frees it. The VMA is
 * in no tree any more. */
void ms_vma_free(struct ms_vma *vma, bool call_close);
/*
 * __split_vma(): [start, end) becomes [start, addr) and [addr, end). new_below: the new object is
 * the lower half. Asks may_split, calls open of the new one, and splits a PMD leaf across addr. It
 * does not look at the limit of map_count; ms_split_vma() does.
 */
int ms_split_vma_nolimit(struct ms_vma *vma, ms_hva_t addr, bool new_below,
			 struct ms_vma **new_vma);
/* As above; -ENOMEM at the limit of map_count. */
int ms_split_vma(struct ms_vma *vma, ms_hva_t addr, bool new_below, struct ms_vma **new_vma);
/* Moves a VMA's borders, also in i_mmap and tree, and sets vm_pgoff; splits huge leaves across the
 * new borders. */
void ms_vma_adjust(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, uint64_t pgoff);
/* vma_set_page_prot(): vm_page_prot from vm_flags; the cache bits stay. Without the write right if
 * the driver wants to be told of the first write. */
void ms_vma_set_page_prot(struct ms_vma *vma);
ms_pgprot_t ms_vm_get_page_prot(const struct ms_machine *m, uint64_t vm_flags);
/* anon_vma_prepare(): sees to it that the VMA has an anon_vma. 0 or -ENOMEM. */
int ms_anon_vma_prepare(struct ms_vma *vma);
/* anon_vma_fork(): gives the child's new VMA, which has no anon_vma yet, one of its own, derived
 * from the parent's. 0 or -ENOMEM. */
int ms_anon_vma_fork(struct ms_vma *child, const struct ms_vma *parent);
void ms_anon_vma_drop(struct ms_vma *vma); /* unlink_anon_vmas() */
/* anon_vma_clone(): dst, which has no anon_vma yet, shares that of src. */
void ms_anon_vma_clone(struct ms_vma *dst, const struct ms_vma *src);

static inline uint64_t ms_vma_size(const struct ms_vma *vma)
{
	return vma->vm_end - vma->vm_start;
}
static inline struct ms_machine *ms_vma_machine(const struct ms_vma *vma)
{
	return vma->vm_mm->machine;
}
// mirrors vma_pages(), include/linux/mm.h, 5.10+
static inline uint64_t ms_vma_pages(const struct ms_vma *vma)
{
	return ms_vma_size(vma) >> ms_vma_machine(vma)->page_shift;
}
#define MS_STRUCT_PAGE 64u
static inline uint64_t ms_memmap_pages(const struct ms_machine *m)
{
	return ms_ram_pages(m) * MS_STRUCT_PAGE >> m->page_shift;
}
/*
 * With overcommit by guess a request is refused if it alone exceeds the RAM that the kernel has not
 * taken at boot. Of that part the array of struct page is known. If the machine has no RAM nothing
 * is refused.
 * mirrors __vm_enough_memory(), mm/util.c, 5.10+
 */
static inline bool ms_obvious_overcommit(const struct ms_machine *m, uint64_t size)
{
	const uint64_t pages = ms_ram_pages(m);

	return pages && size >> m->page_shift > pages - ms_memmap_pages(m);
}
// mirrors linear_page_index(), include/linux/pagemap.h, 5.10+
static inline uint64_t ms_vma_pgoff_of(const struct ms_vma *vma, ms_hva_t addr)
{
	return vma->vm_pgoff + ((addr - vma->vm_start) >> ms_vma_machine(vma)->page_shift);
}
/*
 * As vm_pgoff, but of the anonymous memory in a private mapping. At first it is the page number of
 * the address. It does not change when a mapping with such memory moves.
 * mirrors linear_anon_page_index(), include/linux/pagemap.h, 7.3+
 */
static inline uint64_t ms_vma_anon_pgoff_of(const struct ms_vma *vma, ms_hva_t addr)
{
	return vma->anon_pgoff + ((addr - vma->vm_start) >> ms_vma_machine(vma)->page_shift);
}
/* The access flags of MS_PROT_ bits.
 * mirrors calc_vm_prot_bits(), include/linux/mman.h, 5.10+ */
static inline uint64_t ms_calc_vm_prot_bits(unsigned int prot)
{
	return (prot & MS_PROT_R ? MS_VM_READ : 0) | (prot & MS_PROT_W ? MS_VM_WRITE : 0) |
	       (prot & MS_PROT_X ? MS_VM_EXEC : 0);
}
/*
 * On x86 a mapping that may be executed and nothing else gets a protection key that forbids all
 * data access. It is the first key that a process gets.
 * mirrors execute_only_pkey(), arch/x86/include/asm/pkeys.h, 5.10+
 */
static inline uint64_t ms_execute_only_key(const struct ms_machine *m, unsigned int prot)
{
	return prot == MS_PROT_X && ms_is_x86(m) && ms_has(m->config.pku) ? MS_VM_PKEY : 0;
}
// mirrors is_vm_hugetlb_page(), include/linux/hugetlb_inline.h, 5.10+
static inline bool ms_vma_is_hugetlb(const struct ms_vma *vma)
{
	return vma->vm_flags & MS_VM_HUGETLB;
}
// mirrors vma_is_anonymous(), include/linux/mm.h, 5.10+
static inline bool ms_vma_is_anonymous(const struct ms_vma *vma)
{
	return !vma->vm_ops;
}
// mirrors vma_is_shmem(), mm/shmem.c, 5.10+
static inline bool ms_vma_is_shmem(const struct ms_vma *vma)
{
	return vma->vm_file && vma->vm_file->kind == MS_FILE_SHMEM;
}

/* ---- why something is refused (refuse.c) ---- */

/* Of ms_refuse(): a VMA in words, and what fills them. */
#define MS_VMA_WORDS "VMA %x-%x (%r)"
#define MS_VMA_NUMBERS(vma) (vma)->vm_start, (vma)->vm_end, (vma)->vm_flags

int ms_refuse_alignment(struct ms_machine *m, ms_hva_t addr); /* -EINVAL: not page aligned */
int ms_refuse_end(const struct ms_mm *mm, int err, ms_hva_t addr, uint64_t len);
int ms_refuse_wrap(struct ms_machine *m, int err, uint64_t addr, uint64_t len);
int ms_refuse_no_vma(const struct ms_mm *mm, int err, ms_hva_t addr);
int ms_refuse_map_count(const struct ms_mm *mm);                         /* -ENOMEM */
int ms_refuse_near_map_count(const struct ms_mm *mm, unsigned int more); /* -ENOMEM */
int ms_refuse_overcommit(struct ms_machine *m, uint64_t size);           /* -ENOMEM */
ms_vm_fault_t ms_refuse_page(struct ms_machine *m);                      /* MS_VM_FAULT_OOM */
ms_vm_fault_t ms_refuse_fault(struct ms_machine *m, const char *why, ms_hva_t addr); /* SIGBUS */
ms_vm_fault_t ms_refuse_beyond_file(const struct ms_vm_fault *vmf);                  /* SIGBUS */
/* A file's callback has answered err, or a fault ret. If it is an error of which nobody has said
 * why since refusal number `before`, that is the reason. Answers err. */
int ms_answered_by(struct ms_machine *m, uint64_t before, const struct ms_file *file,
		   const char *callback, int err);
void ms_fault_answered_by(const struct ms_vm_fault *vmf, uint64_t before, const char *callback,
			  ms_vm_fault_t ret);

/* ---- what drivers may change (handler.c) ---- */

/* The library itself has changed the VMA. */
void ms_handlers_note(const struct ms_vma *vma);
/* Has prot bits of a protection alone, and those that every protection has? */
/* May a driver make these flags of what they were? */
bool ms_vma_flags_are_valid(const struct ms_machine *m, uint64_t was, uint64_t flags);
/*
 * May a driver map npages from pfn on with prot at addr? false, with a violation. No kernel asks
 * about either: on x86 pfn_pte() cuts what no entry holds off the pfn (so that other memory is
 * mapped), and a bit beyond those of the CPU makes the CPU fault and the kernel oops; on arm64 it
 * is or'ed in, and becomes attributes of the entry.
 */
bool ms_may_map_raw(const struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn, uint64_t npages,
		    ms_pgprot_t prot);
bool ms_pgprot_is_valid(const struct ms_machine *m, ms_pgprot_t prot);

/* ---- calls into a driver (driver.c) ---- */

/*
 * Each call notes on which machine and for which process the driver's code runs, and how the mmap
 * lock is held meanwhile, for lib/linux. ->open and ->close may be absent; the others may not.
 */
void ms_vma_call_open(struct ms_vma *vma);
void ms_vma_call_close(struct ms_vma *vma);
int ms_vma_call_may_split(struct ms_vma *vma, ms_hva_t addr);
int ms_vma_call_mremap(const struct ms_vma *source, struct ms_vma *copy);
uint64_t ms_vma_call_pagesize(const struct ms_vma *vma);
struct ms_struct_page *ms_vma_call_find_special_page(struct ms_vma *vma, ms_hva_t addr);
int ms_vma_call_mprotect(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, uint64_t newflags);
int ms_file_call_mmap(struct ms_file *file, struct ms_vma *vma);
int ms_file_call_mmap_prepare(struct ms_file *file, struct ms_vma_desc *desc);
/* ->fault and ->huge_fault, with the hooks before and after */
ms_vm_fault_t ms_vma_call_fault(struct ms_vm_fault *vmf);
ms_vm_fault_t ms_vma_call_huge_fault(struct ms_vm_fault *vmf, unsigned int order);
ms_vm_fault_t ms_vma_call_pfn_mkwrite(struct ms_vm_fault *vmf);
/* ->map_pages of the pages [first, last] of the file, both inclusive */
ms_vm_fault_t ms_vma_call_map_pages(struct ms_vm_fault *vmf, uint64_t first, uint64_t last);
/*
 * ->page_mkwrite for the page vmf->pfn. Answers 0, NOPAGE or an error; retry: the fault is over,
 * with nothing installed, and the access will be tried again (do_page_mkwrite() answers 0).
 */
ms_vm_fault_t ms_do_page_mkwrite(struct ms_vm_fault *vmf, bool *retry);
/* At the end of a fault: the reference that came with vmf->page is put. */
void ms_put_given_page(struct ms_vm_fault *vmf);
/* vm_fault_to_errno(): the errno of a fault that ended so; 0: it did not fail (gup.c). */
int ms_fault_errno(const struct ms_machine *m, ms_vm_fault_t ret);
/*
 * May a driver change the VMA's flags now? false, with a violation: the mmap lock is held for
 * reading only, and the kernel notices (policy vma_flags_lock).
 */
bool ms_vma_flags_assert_locked(struct ms_vma *vma);

/* ---- merging (merge.c) ---- */

/* The state that a range would have. A neighbour that is to join it must have the same. */
struct ms_vma_merge {
	struct ms_mm *mm;
	struct ms_vma *prev, *next; /* neighbours by address, or NULL */
	ms_hva_t start, end;
	uint64_t vm_flags;
	uint64_t pgoff;
	uint64_t anon_pgoff;
	struct ms_file *file;
	const struct ms_vma *anon_from; /* the VMA whose anon_vma the range has; NULL: new range */
	bool moved;                     /* it is the copy that mremap makes of anon_from */
	bool from_mmap;                 /* mmap asks: 6.1 .. 6.11 then prefer the next one */
};
/*
 * Lets prev or next or both grow over the empty range [start, end). Answers the VMA that covers the
 * range now; NULL: none could.
 */
struct ms_vma *ms_vma_merge_new(struct ms_vma_merge *vmg);
/*
 * Prepares [start, end) of vma to have the flags new_flags, by merging it with its neighbours or
 * splitting it off. *out is the VMA that covers the range then; if it is not a neighbour, the
 * caller still has to set its vm_flags. 0, -ENOMEM, or may_split's error.
 */
int ms_vma_modify_flags(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, uint64_t new_flags,
			struct ms_vma **out);

/* ---- system calls' inner halves ---- */

/* Where mmap without MAP_FIXED maps len bytes: at the hint if [hint, hint + len) is free, else at
 * the end of the highest gap that is large enough. -ENOMEM: there is none. */
int64_t ms_get_unmapped_area(struct ms_mm *mm, ms_hva_t hint, uint64_t len);
/* Where mmap maps len bytes, by all of its flags; an error: nowhere. */
int64_t ms_place_mapping(struct ms_mm *mm, ms_hva_t addr, uint64_t len, unsigned int flags,
			 const struct ms_file *file);
/* Unmaps the detached VMAs of [start, end): notifiers, zap, page tables. `vmas` is a chain through
 * next_detached, by address. prev_end and next_start: where the neighbours end and begin, which may
 * share page tables with the range (0: none). */
void ms_unmap_region(struct ms_mm *mm, struct ms_vma *vmas, ms_hva_t start, ms_hva_t end,
		     ms_hva_t prev_end, ms_hva_t next_start);
/* Faults in [start, start + len), VMA by VMA, without VM_IO and VM_PFNMAP; ignores errors. */
void ms_mm_populate(struct ms_mm *mm, ms_hva_t start, uint64_t len);

/* ---- RAM that entries show by its pfn (raw.c) ---- */

/* Entries that show [pfn, pfn + npages) come, or are gone. What is no RAM, and the zero page, does
 * not count. false: no memory, and none was added. */
bool ms_raw_add(struct ms_machine *m, ms_pfn_t pfn, uint64_t npages);
void ms_raw_drop(struct ms_machine *m, ms_pfn_t pfn, uint64_t npages);
/* A driver maps [pfn, pfn + npages) at addr: a violation where it should not (target.c). */
void ms_check_target(const struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn, uint64_t npages);
void ms_raw_init(struct ms_machine *m);
void ms_raw_destroy(struct ms_machine *m);

/* ---- removing entries (zap.c) ---- */

/* unmap_single_vma(): clips the range to the VMA, untracks its memory type (by policy), and removes
 * the entries. in_unmap: the caller is an unmap, and not a zap. */
void ms_unmap_single_vma(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, bool in_unmap);
/* zap_page_range_single(): ms_unmap_single_vma() between notifier calls (CLEAR), which for hugetlb
 * have a wider range. */
void ms_zap_page_range_single(struct ms_vma *vma, ms_hva_t addr, uint64_t size);
/* As above; keep_cows: private copies stay, as in unmap_mapping_range() without even_cows. */
void ms_zap_range_details(struct ms_vma *vma, ms_hva_t addr, uint64_t size, bool keep_cows);
/* The zap of MADV_DONTNEED; by policy pte_table_reclaim it also frees tables that it emptied. */
void ms_zap_dontneed(struct ms_vma *vma, ms_hva_t addr, uint64_t size);
/* The page of a leaf that was removed loses the reference that the leaf held. */
void ms_drop_leaf(struct ms_vma *vma, uint64_t entry, unsigned int level);

/* ---- huge leaves (huge.c) ---- */

/* __split_huge_pmd(): notifiers (CLEAR) hear of the PMD's range, whatever is there. An anonymous
 * leaf becomes pages; any other leaf is removed. */
void ms_split_huge_pmd(struct ms_vma *vma, ms_hva_t addr);
/* Splits the leaf of `level` at addr: as above, or by __split_huge_pud(), which removes it. */
void ms_split_huge_leaf(struct ms_vma *vma, ms_hva_t addr, unsigned int level);
/* vma_adjust_trans_huge(): splits the PMD leaves that the new borders of vma would cut. */
void ms_vma_adjust_trans_huge(struct ms_vma *vma, ms_hva_t start, ms_hva_t end);
/* Do sysfs, VM_HUGEPAGE and VM_NOHUGEPAGE allow the VMA huge pages at all? */
bool ms_thp_allowed(const struct ms_vma *vma);
/* Could a PMD leaf map addr: does it fit into the VMA, and, for a file, does the offset match? */
bool ms_thp_suitable(const struct ms_vma *vma, ms_hva_t addr);
ms_vm_fault_t ms_do_huge_anonymous(struct ms_vm_fault *vmf);
ms_vm_fault_t ms_do_huge_wp(struct ms_vm_fault *vmf, uint64_t *slot);

/* ---- faults ---- */

/* handle_mm_fault(): flags are MS_FAULT_FLAG_*; addr need not be aligned. The caller has checked
 * the access rights. */
ms_vm_fault_t ms_handle_mm_fault(struct ms_vma *vma, ms_hva_t addr, unsigned int flags);
/* Faults of one access do not end: ret is what the last one has answered. A violation. */
void ms_endless_fault(struct ms_mm *mm, ms_vm_fault_t ret, ms_hva_t addr);
/* do_fault(): there is no entry, in a VMA with vm_ops. */
ms_vm_fault_t ms_do_fault(struct ms_vm_fault *vmf);
/* do_wp_page(): a write to an entry that is present, and not writable. */
ms_vm_fault_t ms_do_wp_page(struct ms_vm_fault *vmf, uint64_t *slot);
/* ---- lru.c: the queues to the LRU lists ---- */

/* How many pages make a queue full, so that it is emptied. */
static inline unsigned int ms_lru_room(const struct ms_machine *m)
{
	return m->policy.lru_queue == MS_LRU_QUEUE_PAGES_15 ? 15 : MS_LRU_ROOM;
}
/* lru_cache_add() of a small page; of a huge one, which does not wait: it empties the queue. */
void ms_lru_add(struct ms_machine *m, ms_pfn_t pfn);
void ms_lru_add_large(struct ms_machine *m);
/* lru_cache_add_inactive_or_unevictable(): for an anonymous page that a fault in vma has made. */
void ms_lru_add_new(const struct ms_vma *vma, ms_pfn_t pfn);
/* munlock_folio(), from 5.18 on: of a small page that has left a locked VMA. */
void ms_lru_munlock(struct ms_machine *m, ms_pfn_t pfn);
/* lru_add_drain(): empties all queues of the CPU. */
void ms_lru_drain(struct ms_machine *m);
/* Is the page in the queue of new pages, whose reference to it ms_page does not count? */
bool ms_lru_is_new(const struct ms_machine *m, ms_pfn_t pfn);
/* !folio_test_lru() of a small page: does a queue have it that keeps it off its list? */
bool ms_lru_is_off_list(const struct ms_machine *m, ms_pfn_t pfn);
/* mark_page_lazyfree(): MADV_FREE queues an anonymous page for another LRU list. */
void ms_lru_lazyfree(struct ms_machine *m, ms_pfn_t pfn);
/* folio_set_referenced(), where a page is taken from the page table alone. */
void ms_lru_referenced(struct ms_machine *m, ms_pfn_t pfn);
/* mlock takes a page from the list of active pages. */
void ms_lru_deactivate(struct ms_machine *m, ms_pfn_t pfn);
/* FOLL_MLOCK, in the same kernels: marks the page at addr of a locked VMA. */
void ms_mlock_page(const struct ms_vma *vma, ms_hva_t addr);
/* munlock_vma_pages_range(): clears the mark of the pages in [start, end), up to 5.17. */
void ms_munlock_range(struct ms_vma *vma, ms_hva_t start, ms_hva_t end);
/* munlock_vma_page() of the page behind `entry`, which a locked VMA has just replaced by a copy. */
void ms_munlock_copied(struct ms_machine *m, uint64_t entry);
/* ---- shmem.c, hugetlb.c: vm_ops and file_ops of memory files ---- */

extern const struct ms_vm_ops ms_shmem_vm_ops;
/* shmem_fallocate() with FALLOC_FL_PUNCH_HOLE. 0 or -EINVAL. */
int ms_shmem_punch_hole(struct ms_file *file, uint64_t off, uint64_t len);

uint64_t ms_hugetlb_size(const struct ms_vma *vma); /* bytes of a huge page */
int ms_hugetlb_mmap(struct ms_file *file, struct ms_vma *vma);
/* Whether the machine has huge pages of this size. */
bool ms_huge_page_order(const struct ms_machine *m, uint64_t size, unsigned int *order);
void ms_hugetlb_init(struct ms_machine *m); /* pools, from the machine's config */
/* The reservation of a private mapping: dup: one more VMA has it. forget: vma has it no more.
 * close: vma is removed, and the part that was not used is given back. */
void ms_hugetlb_dup(const struct ms_vma *vma);
void ms_hugetlb_forget(struct ms_vma *vma);
void ms_hugetlb_close(struct ms_vma *vma);
/* A file that has nr_present huge pages is removed: its other reservations are given back. */
void ms_hugetlb_evict(struct ms_mapping *mapping, uint64_t nr_present);
ms_vm_fault_t ms_hugetlb_fault(struct ms_vm_fault *vmf);
/* Unmaps huge pages, with the zap event and, by policy, notifier calls of its own. */
void ms_hugetlb_unmap(struct ms_vma *vma, ms_hva_t start, ms_hva_t end);
int ms_hugetlb_copy(struct ms_vma *dst, struct ms_vma *src); /* for fork; 0 or -ENOMEM */
void ms_hugetlb_change_protection(struct ms_vma *vma, ms_hva_t start, ms_hva_t end);
/* Moves the entries from old_addr of vma to new_addr of new_vma. 0 or -ENOMEM. */
int ms_hugetlb_move(struct ms_vma *vma, struct ms_vma *new_vma, ms_hva_t old_addr,
		    ms_hva_t new_addr, uint64_t len);
/* Widens a range of a shared mapping to the borders of PUDs that lie inside the VMA, since their
 * page tables might be shared. */
void ms_hugetlb_widen(const struct ms_vma *vma, ms_hva_t *start, ms_hva_t *end);

/* ---- notifiers (notifier.c) ---- */

void ms_notify_start(struct ms_mm *mm, ms_hva_t start, ms_hva_t end, enum ms_notifier_event event);
void ms_notify_end(struct ms_mm *mm, ms_hva_t start, ms_hva_t end, enum ms_notifier_event event);
void ms_notify_change_pte(struct ms_mm *mm, ms_hva_t addr, uint64_t entry);
void ms_notify_release(struct ms_mm *mm);

/* ---- the room's end and check ---- */

struct ms_check;
void ms_files_destroy(struct ms_machine *m); /* every file and address_space */
void ms_mm_check(struct ms_check *c);

#endif
