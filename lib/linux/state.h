/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of lib/linux: what stands behind the kernel functions of <mapsim/linux.h>.
 *
 *   state.c    a machine's part of it; texts; what happens once
 *   memory.c   kmalloc, pages                lock.c     mutex, rwsem, spinlock, the mmap lock
 *   report.c   printk, WARN                  mapping.c  remap_pfn_range, unmap_mapping_range ...
 *   io.c       claims, ioremap               file.c     files, devices, calls of file_operations
 *   leaks.c    what was not given back       format*.c  a format of printk's
 *
 * file.c alone is written against linux.h, whose names for the library's structures are the
 * kernel's; the others include the library's inside, and never linux.h.
 */
#ifndef MS_LINUX_STATE_H
#define MS_LINUX_STATE_H

#include "core/room.h"
#include "linux/bridge.h"
#include "mm/view.h"
#include "phys/internal.h"

#include <mapsim/pat.h>

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#define MS_LINUX_CLASSES 64 /* of locks; more are not checked for their order, and that is said */
#define MS_LINUX_HELD 48    /* MAX_LOCK_DEPTH */

struct ms_check;

struct ms_text {
	RB_ENTRY(ms_text) node;
	char text[];
};
RB_HEAD(ms_texts, ms_text);

/* One kmalloc, or one alloc_pages. */
struct ms_block {
	RB_ENTRY(ms_block) by_addr, by_pfn;
	void *bytes;   /* of pages NULL, until they are asked for */
	uint64_t size; /* of the bytes */
	ms_pfn_t pfn;  /* of pages; 0: none (page 0 is never handed out) */
	bool kmalloc;  /* kfree takes it back */
};
RB_HEAD(ms_blocks_by_addr, ms_block);
RB_HEAD(ms_blocks_by_pfn, ms_block);

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

struct ms_linux {
	struct ms_texts texts;
	SLIST_HEAD(, ms_place) places;
	struct ms_blocks_by_addr by_addr;             /* what has bytes */
	struct ms_blocks_by_pfn by_pfn;               /* what is in RAM */
	size_t small;                                 /* kmallocs outside of RAM */
	struct ms_lock_class class[MS_LINUX_CLASSES]; /* 0: the mmap lock */
	unsigned int nr_classes;
	struct ms_held held[MS_LINUX_HELD]; /* m->call.locks of them */
	struct ms_remappings remappings;
	struct ms_regions_by_start regions;
	uint64_t next_cookie;
	void *devices; /* file.c's alone */
};

/* The machine's, made when first asked for; NULL: no memory. */
struct ms_linux *ms_linux_of(struct ms_machine *m);
/* The current machine; NULL, and a line on stderr that names `what`: there is none. */
struct ms_machine *ms_linux_here(const char *what);
/* A text that lives as long as the machine, made from printf's format; NULL: no memory. */
__attribute__((format(printf, 2, 3))) const char *ms_linux_text(struct ms_machine *m,
								const char *format, ...);
#define MS_LINUX_COMPLAINT 128 /* bytes */
/*
 * A kernel's format into text[size], which is always ended; size > 0. complaint: a sentence about
 * the first conversion that is not printed as the kernel prints it, "" where all are. The text
 * stops before a conversion that the kernel, or this library, cannot print.
 */
void ms_linux_format(char *text, size_t size, char complaint[MS_LINUX_COMPLAINT],
		     const char *format, va_list args);
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
