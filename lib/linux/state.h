/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of lib/linux: what stands behind the kernel functions of <mapsim/linux.h>.
 *
 *   state.c    a machine's part of it; what happens once
 *   memory.c   kmalloc, vmalloc              lock.c     mutex, rwsem, spinlock, the mmap lock
 *   slab.c     small kmallocs                blocks.c   records of pages, and their bytes
 *   pages.c    alloc_pages, get_page ...    dma.c      coherent DMA memory
 *   report.c   printk, WARN                  mapping.c  remap_pfn_range, unmap_mapping_range ...
 *   io.c       claims, ioremap               file.c     files, devices, calls of file_operations
 *   rcu.c      rcu_read_lock, kfree_rcu    task.c     current
 *   pci.c      pci_register_driver, pci_request_regions
 *   cdev.c     cdev_add, device_create     xarray.c   xarray, idr, ida
 *   platform.c platform_driver_register
 *   user.c     copy_from_user ...          access.c   access_process_vm, generic_access_phys
 *   notifier.c mmu_notifier                pte.c      apply_to_page_range, follow_pfnmap_start
 *   gup.c      get_user_pages, pin_user_pages
 *   work.c     work queues, timers
 *   fd.c       descriptors of files
 *   vmap.c     vmap
 *   leaks.c    what was not given back       format*.c  a format of printk's
 *
 * file.c alone is written against linux.h, whose names for the library's structures are the
 * kernel's; the others include the library's inside, and never linux.h.
 */
#ifndef MS_LINUX_STATE_H
#define MS_LINUX_STATE_H

#include "core/room.h"
#include "core/text.h"
#include "linux/bridge.h"
#include "mm/view.h"
#include "phys/internal.h"

#include <mapsim/pat.h>

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#define MS_LINUX_CLASSES 64 /* of locks; more are not checked for their order, and that is said */
#define MS_LINUX_HELD 48    /* MAX_LOCK_DEPTH */

struct ms_check;

/* Bytes that one or several blocks are parts of. */
struct ms_bytes {
	char *at;
	uint64_t size;  /* that were asked for */
	uint64_t pages; /* of them in some block; the last one takes the bytes with it */
	bool usermap;   /* vmalloc_user(): remap_vmalloc_range() takes it */
	bool dma;       /* dma_alloc_coherent() */
	bool asked;     /* the driver was told an address in it */
	bool whole;     /* one block has all of them, although it is MS_BLOCK_VMALLOC */
};

enum ms_block_kind {
	MS_BLOCK_PAGES,   /* alloc_pages(); after a part of it is gone, what is left */
	MS_BLOCK_KMALLOC, /* a kmalloc() that is too large for slab.c */
	MS_BLOCK_VMALLOC, /* one page of a vmalloc(); on a machine without RAM all of it */
};

/* A run of pages that driver code has, or a kmalloc or vmalloc of a machine without RAM. */
struct ms_block {
	RB_ENTRY(ms_block) by_addr, by_pfn;
	enum ms_block_kind kind;
	struct ms_bytes *bytes; /* of pages NULL, until they are asked for */
	char *start;            /* of this block's bytes */
	uint64_t size;          /* bytes */
	ms_pfn_t pfn;           /* 0: not in RAM (page 0 is never handed out) */
	bool seen;              /* vmap.c, while it counts */
};
RB_HEAD(ms_blocks_by_addr, ms_block);
RB_HEAD(ms_blocks_by_pfn, ms_block);
RB_PROTOTYPE(ms_blocks_by_addr, ms_block, by_addr, )
RB_PROTOTYPE(ms_blocks_by_pfn, ms_block, by_pfn, )

#define MS_SLAB_CLASSES 16

/* A page of small kmallocs of one size (slab.c). */
struct ms_slab {
	RB_ENTRY(ms_slab) by_addr;
	TAILQ_ENTRY(ms_slab) of_class;
	char *at;            /* a page of bytes */
	unsigned int class;  /* of ms_linux.slabs */
	unsigned int in_use; /* objects */
	unsigned int next;   /* the object at which the search for a free one begins */
	ms_pfn_t pfn;        /* 0: nobody has asked where it lies in RAM */
	uint32_t size[];     /* of each object: 1 + the bytes that were asked for; 0: it is free */
};
RB_HEAD(ms_slabs_by_addr, ms_slab);
RB_PROTOTYPE(ms_slabs_by_addr, ms_slab, by_addr, )
TAILQ_HEAD(ms_slabs, ms_slab);

struct ms_lock_class {
	const char *name, *file;
	unsigned int line;
	uint64_t after; /* classes that were taken while one of this class was held */
};

struct ms_held {
	const void *lock; /* a ms_linux_lock, or a ms_mm whose mmap lock it is */
	unsigned int class;
	bool spins;
};

struct ms_remapping {
	RB_ENTRY(ms_remapping) node;
	ms_pa_t start;
	uint64_t len;
	void *cookie;
};
RB_HEAD(ms_remappings, ms_remapping); /* by cookie */

struct ms_region {
	RB_ENTRY(ms_region) node;
	ms_pa_t start;
	uint64_t len;
};
RB_HEAD(ms_regions_by_start, ms_region);

struct ms_place {
	SLIST_ENTRY(ms_place) link;
	const void *place;
};

/* rcu_head */
struct ms_rcu_head {
	struct ms_rcu_head *next;
	void (*func)(void *head);
};

struct ms_linux {
	unsigned int page_shift; /* the machine's */
	SLIST_HEAD(, ms_place) places;
	struct ms_blocks_by_addr by_addr; /* what has bytes */
	struct ms_blocks_by_pfn by_pfn;   /* what is in RAM; no two have a page in common */
	struct ms_slabs_by_addr slabs_by_addr;
	struct ms_slabs slabs[MS_SLAB_CLASSES];
	size_t small;                                 /* objects of slabs, blocks outside of RAM */
	size_t vmallocs;                              /* that are in RAM */
	struct ms_lock_class class[MS_LINUX_CLASSES]; /* 0: the mmap lock */
	unsigned int nr_classes;
	struct ms_held held[MS_LINUX_HELD]; /* m->call.locks of them */
	struct ms_remappings remappings;
	struct ms_regions_by_start regions;
	uint64_t next_cookie;
	uint64_t next_iova;     /* bytes of the IOMMU's addresses that were handed out */
	void *devices;          /* file.c's alone */
	void *tasks;            /* task.c's alone */
	void *chrdevs;          /* cdev.c's alone */
	void *bus;              /* pci.c's alone */
	void *platform;         /* platform.c's alone */
	struct ms_linux_lock page_table_lock; /* of all of them, for who looks at entries */
	SLIST_HEAD(, ms_descriptor) descriptors; /* fd.c's alone */
	SLIST_HEAD(, ms_vmap) vmaps; /* vmap.c's alone */
	void *works;            /* work.c's alone */
	bool atomic;            /* a timer's function runs */
	bool incapable;         /* capable() says no */
	unsigned int rcu_depth; /* rcu_read_lock()s that are held */
	struct ms_rcu_head *rcu, **rcu_end; /* what waits for their end */
};

/* The machine's, made when first asked for; NULL: no memory. */
struct ms_linux *ms_linux_of(struct ms_machine *m);
/* The current machine; NULL, and a line on stderr that names `what`: there is none. */
struct ms_machine *ms_linux_here(const char *what);
#define MS_LINUX_COMPLAINT 128 /* bytes */
/*
 * A kernel's format into text[size], which is always ended; size > 0. complaint: a sentence about
 * the first conversion that is not printed as the kernel prints it, "" where all are. The text
 * stops before a conversion that the kernel, or this library, cannot print.
 */
void ms_linux_format(char *text, size_t size, char complaint[MS_LINUX_COMPLAINT],
		     const char *format, va_list args);

/* ---- blocks.c ---- */

/* The block whose bytes contain addr, or that has the page; NULL: none. */
struct ms_block *ms_block_at(const struct ms_linux *lx, uintptr_t addr);
struct ms_block *ms_block_of_pfn(const struct ms_linux *lx, ms_pfn_t pfn);
/* A block of pages that were just allocated; `bytes` NULL: none yet. NULL: no memory. */
struct ms_block *ms_block_new(struct ms_machine *m, ms_pfn_t pfn, uint64_t size,
			      struct ms_bytes *bytes, char *start);
/* size bytes, filled with 0x5a or zeroed, in no block yet; NULL: no memory. */
struct ms_bytes *ms_bytes_new(struct ms_machine *m, uint64_t size, bool zero);
void ms_bytes_free(struct ms_machine *m, struct ms_bytes *bytes);
/* Sees to it that a block has bytes. false: no memory. */
bool ms_block_bytes(struct ms_machine *m, struct ms_block *block, bool zero);
/* The block, which has all pages of its bytes or has none, has these bytes from now on, with what
 * was in its own. */
void ms_block_move(struct ms_machine *m, struct ms_block *block, struct ms_bytes *bytes,
		   char *start);
/* Pages are free, or somebody else's, from now on: no block has them any more. */
void ms_blocks_forget(struct ms_machine *m, ms_pfn_t pfn, uint64_t npages);
void ms_block_remove(struct ms_machine *m, struct ms_block *block);
/* Has driver code any of its pages still? Somebody else may have put the last reference. */
bool ms_block_is_live(const struct ms_machine *m, const struct ms_block *block);

static inline uint64_t ms_block_pages(const struct ms_machine *m, const struct ms_block *block)
{
	return block->size >> m->page_shift;
}

/* ---- pages.c ---- */

/* Pages in a block of their own, each of them marked as driver code's. compound: with one count.
 * NULL: none left, or no memory. */
struct ms_block *ms_linux_pages_new(struct ms_machine *m, unsigned int order, bool compound);
/* put_page(), and free_pages() of what is no compound page. */
void ms_linux_pages_put(struct ms_machine *m, ms_pfn_t pfn);
void ms_linux_pages_free(struct ms_machine *m, ms_pfn_t pfn, unsigned int order);

/* ---- memory.c: for dma.c ---- */

/* Bytes in pages that are allocated one by one; NULL: none. And back. */
char *ms_linux_vmalloc_pages(struct ms_machine *m, uint64_t size, bool zero);
void ms_linux_vfree_pages(struct ms_machine *m, struct ms_block *first);

/* ---- slab.c ---- */

/* Is a request so small that a slab serves it? */
bool ms_slab_serves(const struct ms_machine *m, uint64_t size);
void *ms_slab_alloc(struct ms_machine *m, uint64_t size, bool zero);
struct ms_slab *ms_slab_at(const struct ms_linux *lx, uintptr_t addr);
/* The beginning of the object that addr is in; NULL: it is free. */
const char *ms_slab_object(const struct ms_slab *slab, uintptr_t addr);
/* Bytes that were asked for of the object that p is in; 0: it is free. */
size_t ms_slab_size(const struct ms_slab *slab, const void *p);
/* The first object of a slab that is in use (p NULL), the next one; NULL: no more. *size: bytes. */
const char *ms_slab_next(const struct ms_machine *m, const struct ms_slab *slab, const char *p,
			 size_t *size);
/* false: no object begins at p. */
bool ms_slab_free(struct ms_machine *m, struct ms_slab *slab, const void *p);
/* The page of RAM that it is, taken when first asked for; 0: there is none. */
ms_pfn_t ms_slab_pfn(struct ms_machine *m, struct ms_slab *slab);
void ms_slabs_report(struct ms_machine *m, struct ms_linux *lx);
/* Answers how many objects there are. */
size_t ms_slabs_check(struct ms_check *c, const struct ms_linux *lx);
void ms_slabs_destroy(struct ms_machine *m, struct ms_linux *lx);

/* The bytes of a page of a driver's, for lib/phys. */
void *ms_linux_driver_bytes(struct ms_machine *m, ms_pfn_t pfn, bool *known);
/* Reads or writes bytes of a page of RAM. false: no memory for them. */
bool ms_linux_page_bytes(struct ms_machine *m, ms_pfn_t pfn, uint64_t offset, void *buf, uint64_t n,
			 bool write);
/* Is addr in a vmap()? *size: its bytes, where it begins at addr, else 0. */
bool ms_vmap_has(const struct ms_linux *lx, uintptr_t addr, uint64_t *size, bool *usermap);
void ms_vmaps_report(struct ms_machine *m, const struct ms_linux *lx);
void ms_vmaps_destroy(struct ms_machine *m);
void ms_linux_fds_destroy(struct ms_machine *m);
void ms_linux_rcu_destroy(struct ms_machine *m, struct ms_linux *lx);
void ms_linux_memory_destroy(struct ms_machine *m);
void ms_linux_io_destroy(struct ms_machine *m);
/* A violation for each claim and each ioremap that is held. */
void ms_linux_io_report(struct ms_machine *m, struct ms_linux *lx);
/* A violation for each allocation that lives. */
void ms_linux_memory_report(struct ms_machine *m, struct ms_linux *lx);

void ms_linux_check(struct ms_check *c);

struct ms_hash;
void ms_linux_hash(struct ms_hash *h);

#endif
