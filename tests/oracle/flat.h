/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The second opinion: Linux's rules for VMAs, page-table entries and memtypes on flat arrays. Each
 * process is one array of pages; a page knows all that its VMA is, and a VMA is a maximal run of
 * pages with the same number. Nothing is looked up in a tree, nothing is shared with the library
 * but the headers' names.
 *
 *	page   0   1   2   3   4   5   6   7
 *	vma    .   1   1   1   4   4   .   2      three VMAs, two holes
 */
#ifndef TEST_ORACLE_FLAT_H
#define TEST_ORACLE_FLAT_H

#include <mapsim/mapsim.h>

#include <stdio.h>

#if defined(WITH_GUEST)
#define PAGES 1152 /* two times 2M, and a part */
#define WINDOW UINT64_C(0x200000000000)
#define BAR_PAGES 2048
#define MAX_FRAMES 65536
#define RAM_SIZE UINT64_C(0x40000000)
#elif defined(WITH_HUGE)
#define PAGES 2148 /* four times 2M, and a part */
#define WINDOW UINT64_C(0x200000000000)
#define BAR_PAGES 4096
#define MAX_FRAMES 65536
#define RAM_SIZE UINT64_C(0x40000000)
#else
#define PAGES 40
#define WINDOW UINT64_C(0x200000004000) /* inside of one 2M: no table moves, no huge page */
#define BAR_PAGES 32
#define MAX_FRAMES 4096
#define RAM_SIZE UINT64_C(0x2000000)
#endif
#define RAM_PA UINT64_C(0x100000)
#define RAM_END_PFN ((RAM_PA + RAM_SIZE) / PAGE)
#define PAGE UINT64_C(0x1000)
#define BLOCK 512u
#define BLOCKS (PAGES / BLOCK + 1)
#define BAR_PA UINT64_C(0x180000000)
#define VFIO_PA (BAR_PA + BAR_PAGES * PAGE) /* of a BAR that vfio has for itself */
#define MAX_MEMTYPES 512
#define MAX_CONTEXTS 512
#define PROCESSES 2
#define IOREMAPS 2
#define HUGETLB_PAGES 12 /* of 2M */
#define MEMFD_PAGES (2 * PAGES + 48)

enum source {
	SRC_ANON,
	SRC_MEMFD,
	SRC_BAR,
	SRC_BAR_WC,
	SRC_DEVMEM,
	SRC_DEVMEM_NOSYNC,
	SRC_HUGETLB, /* a file of pages of 2M */
	SRC_VFIO,
	SRC_DRIVER,      /* remap_pfn_range of the whole VMA at mmap */
	SRC_DRIVER_PART, /* of its first page only */
	SRC_DRIVER_LAZY, /* one page a fault */
	SRC_DRIVER_HUGE, /* or 2M */
	SOURCES
};

enum op_kind {
	OP_MMAP,
	OP_MUNMAP,
	OP_MPROTECT,
	OP_MREMAP,
	OP_MADVISE,
	OP_MLOCK,
	OP_MUNLOCK,
	OP_TOUCH,
	OP_FORK,
	OP_EXIT, /* of the child */
	OP_REVOKE,
	OP_REVOKE_DRIVER,
	OP_IOREMAP,
	OP_IOUNMAP,
	OP_MEMORY_ON,
	OP_MEMORY_OFF,
	OP_SLOT,
	OP_SLOT_DELETE,
	OP_SLOT_TOGGLE, /* the dirty log */
	OP_GUEST,
	OP_DIRTY,
	OP_CLEAR, /* the dirty log of `len` pages from `off` on */
	OP_KINDS
};

/* One operation: numbers of pages in the window, so that it means something after any other. */
struct op {
	enum op_kind kind;
	bool child, fixed, shared, to, dontunmap;
	unsigned int at, len, new_len, new_at, off, prot;
	enum source source;
	enum ms_advice advice;
	enum ms_cache type;
	unsigned int slot, gpa, flags;
};

enum entry_kind { E_NONE, E_ZERO, E_FRAME, E_CACHE /* a file's page */, E_PFN };

/* A page-table entry. */
struct entry {
	enum entry_kind kind;
	uint64_t what; /* a frame's number, or a pfn */
	bool write, dirty, none /* PROT_NONE */;
	bool soft; /* soft-dirty: a fault made it dirty, or it was moved */
	enum ms_cache cache;
};

/* What a page's VMA is. */
struct area {
	unsigned int vma; /* 0: none */
	enum source source;
	unsigned int file; /* 0: anonymous */
	uint64_t flags, pgoff /* of this page */;
	uint64_t anon_pgoff;      /* of this page: where its private memory was made */
	unsigned int anon, chain; /* anon_vma and the length of its chain; 0: never written */
	enum ms_cache cache;      /* of vm_page_prot */
	unsigned int
		listed;   /* vfio up to 6.9: its place on the list of VMAs with entries; 0: none */
	unsigned int ctx; /* 6.16 and later: of its reservation; 0: none */
};

struct process {
	bool alive;
	struct area a[PAGES];
	struct entry e[PAGES];
	/*
	 * The tables above: whether anything was ever faulted in, per 2M a table, or a leaf. What
	 * a leaf maps stands in each of its pages.
	 */
	bool populated, table[BLOCKS], leaf[BLOCKS];
};

struct guest;

struct flat {
	const struct ms_policy *policy;
	enum ms_thp_mode thp;
	bool mte;                    /* memory can have tags */
	struct process p[PROCESSES]; /* the worker, and its child */
	unsigned int vmas, files, anons, frames, ctxs;
	bool exclusive[MAX_FRAMES], cached[MAX_FRAMES];
	unsigned int copy_of[MAX_FRAMES];    /* the frame that was still there; 0: none */
	unsigned int folio[MAX_FRAMES];      /* the first frame of its huge page; 0: a plain page */
	unsigned int memfd[MEMFD_PAGES];     /* the frame of each page of the file; 0: none yet */
	unsigned int hugetlb[HUGETLB_PAGES]; /* the same, the first frame of each */
	struct {
		uint64_t start, end; /* physical; 0, 0: given back */
	} ctx[MAX_CONTEXTS];
	struct ms_memtype memtype[MAX_MEMTYPES];
	size_t memtypes;
	struct {
		uint64_t start, end;
	} ioremap[IOREMAPS];
	/* The queue of new pages to the LRU lists, which holds a reference to each. */
	unsigned int lru[31], lrus;
	/* From 5.18 on: that of pages which came into a locked VMA, new and on no list, or left it.
	 */
	struct {
		unsigned int frame;
		bool fresh;
	} mlock[31];
	unsigned int mlocks;
	bool double_map[MAX_FRAMES]; /* of a huge page: pages as well as a leaf have mapped it */
	bool mlocked[MAX_FRAMES];    /* up to 5.15: PageMlocked */
	/* vfio's BAR */
	bool claimed, memory_off;
	unsigned int listed;
	bool full; /* an array is: the episode ends here */
	struct guest *guest;
};

#define FLAT_SKIP INT64_MIN /* the operation's answer lies outside of the window */

/* flat.c: VMAs as runs of pages */
void flat_init(struct flat *f, const struct ms_policy *policy, enum ms_thp_mode thp);
int64_t flat_apply(struct flat *f, const struct op *op);
unsigned int flat_first(const struct process *p, unsigned int i);
unsigned int flat_end(const struct process *p, unsigned int i);
void flat_split(struct flat *f, struct process *p, unsigned int at, bool new_below);
int flat_unmap(struct flat *f, struct process *p, unsigned int at, unsigned int end);
bool flat_empty(const struct process *p, unsigned int at, unsigned int end);
static inline bool flat_special(const struct area *a)
{
	return a->flags & MS_VM_SPECIAL;
}
static inline bool flat_hugetlb(const struct area *a)
{
	return a->flags & MS_VM_HUGETLB;
}
static inline struct area flat_page_of(struct area a, int64_t distance)
{
	a.pgoff += (uint64_t)distance;
	a.anon_pgoff += (uint64_t)distance;
	return a;
}

/* merge.c */
struct range {
	struct area a;             /* its first page, as it shall be */
	unsigned int at, end;      /* pages */
	unsigned int parent_chain; /* of the VMA that it was copied from */
	bool not_prev, not_next;   /* a neighbour that is not asked */
	bool existing;             /* it is there, and changes */
	bool fresh;                /* mmap's */
};
bool flat_merge(struct flat *f, struct process *p, struct range *r);
int flat_modify(struct flat *f, struct process *p, unsigned int at, unsigned int end,
		uint64_t flags);

/* map.c, move.c, advise.c, fork.c: operations */
int64_t flat_mmap(struct flat *f, struct process *p, const struct op *op);
int64_t flat_mprotect(struct flat *f, struct process *p, const struct op *op);
int64_t flat_mremap(struct flat *f, struct process *p, const struct op *op);
int64_t flat_madvise(struct flat *f, struct process *p, const struct op *op);
int64_t flat_mlock(struct flat *f, struct process *p, const struct op *op);
int flat_populate(struct flat *f, struct process *p, unsigned int at, unsigned int end);
int64_t flat_fork(struct flat *f);
void flat_exit(struct flat *f, struct process *p);
void flat_revoke(struct flat *f, const struct op *op);

/* vfio.c */
int flat_vfio_mmap(struct flat *f, struct process *p, const struct op *op);
void flat_vfio_claim(struct flat *f);
enum ms_access flat_vfio_fault(struct flat *f, struct process *p, unsigned int page, bool write);
void flat_vfio_open(struct flat *f, struct process *p, unsigned int at, unsigned int end);
void flat_vfio_memory_off(struct flat *f);

/* fault.c: entries */
enum ms_access flat_touch(struct flat *f, struct process *p, unsigned int page, bool write);
void flat_zap(struct flat *f, struct process *p, unsigned int at, unsigned int end);
void flat_change_protection(struct flat *f, struct process *p, unsigned int at, unsigned int end);
bool flat_cow(const struct area *a);
void flat_prepare_anon(struct flat *f, struct process *p, unsigned int page);
unsigned int flat_new_frames(struct flat *f, unsigned int count);
unsigned int flat_users(const struct flat *f, unsigned int frame);

void flat_fill(struct process *p, unsigned int page, struct entry e);

/* lru.c: the queues to the LRU lists, and which pages mlock has marked */
void flat_lru_add(struct flat *f, unsigned int frame);
void flat_lru_drain(struct flat *f);
void flat_unmap_drain(struct flat *f);
void flat_lru_add_copy(struct flat *f, const struct area *a, unsigned int frame);
void flat_left(struct flat *f, const struct area *a, const struct entry *e);
bool flat_is_sole(struct flat *f, unsigned int frame);
bool flat_queued(const struct flat *f, unsigned int frame);
void flat_mlock_page(struct flat *f, const struct process *p, unsigned int page);
void flat_munlock(struct flat *f, const struct process *p, unsigned int at, unsigned int end);
void flat_lock_copy(struct flat *f, unsigned int frame, const struct entry *old);
void flat_unmark(struct flat *f, const struct process *p, unsigned int at, unsigned int end);

/* huge.c: leaves of 2M */
bool flat_thp_allowed(const struct flat *f, const struct area *a);
bool flat_fits_leaf(const struct process *p, unsigned int page);
bool flat_huge_fault(struct flat *f, struct process *p, unsigned int page, bool write);
bool flat_huge_write(struct flat *f, struct process *p, unsigned int page);
unsigned int flat_holders(const struct flat *f, unsigned int frame);
void flat_split_leaf(struct flat *f, struct process *p, unsigned int block);
void flat_border(struct flat *f, struct process *p, unsigned int at);

/* hugetlb.c */
bool flat_bad_cut(const struct process *p, unsigned int at);
enum ms_access flat_hugetlb_fault(struct flat *f, struct process *p, unsigned int page, bool write);

/* guest.c: stage 2 hears of what the process does */
void flat_notify(struct flat *f, const struct process *p, unsigned int at, unsigned int end);
void flat_change_pte(struct flat *f, const struct process *p, unsigned int page);

/* memtype.c: the list of reservations, and who holds what */
int flat_reserve(struct flat *f, uint64_t start, uint64_t end, enum ms_cache want,
		 enum ms_cache *got);
int flat_free(struct flat *f, uint64_t start, uint64_t end);
enum ms_cache flat_lookup(const struct flat *f, uint64_t pa);
int flat_track(struct flat *f, struct process *p, unsigned int at, unsigned int len, uint64_t pfn,
	       bool whole, enum ms_cache *cache);
void flat_untrack(struct flat *f, struct process *p, unsigned int page);
void flat_collect(struct flat *f);
int flat_ioremap(struct flat *f, const struct op *op);
int flat_iounmap(struct flat *f, const struct op *op);
bool flat_tracks(const struct flat *f);

#endif
