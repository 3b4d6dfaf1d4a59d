/* SPDX-License-Identifier: GPL-2.0-only */
/* What lib/mm keeps of a machine: its processes and files, and what they share. */
#ifndef MS_MM_PROCESSES_H
#define MS_MM_PROCESSES_H

#include "base/pool.h"
#include "core/core.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

// mirrors PAGEVEC_SIZE, include/linux/pagevec.h, 5.10 .. 6.12; FOLIO_BATCH_SIZE,
// include/linux/folio_batch.h, 7.2+: the most that a kernel has (policy lru_queue)
#define MS_LRU_ROOM 31u

struct ms_lru_queue {
	uint64_t pfn[MS_LRU_ROOM];
	unsigned int count;
};
/* In the queue of mlock: the page is on no list yet. */
#define MS_LRU_NEW (UINT64_C(1) << 63)

struct ms_processes {
	TAILQ_HEAD(, ms_mm) mms; /* in order of creation */
	LIST_HEAD(, ms_file) files;
	SLIST_HEAD(, ms_file) delayed; /* their last reference went during a ->release */
	const struct ms_mmu_notifier_ops *own_notifiers; /* the library's */
	bool ops_in_memory; /* a VMA had operations in memory of the machine's */
	bool releasing;                /* a ->release runs */
	unsigned int reopened;         /* files that were made in one */
	LIST_HEAD(, ms_mapping) mappings;
	RB_HEAD(ms_mappings_by_key, ms_mapping) mappings_by_key;
	const struct ms_folio_lock *folio_locks; /* of folios that callers of hooks hold */
	struct ms_pool vmas, vma_nodes;          /* VMAs, nodes of their trees */
	unsigned int vmas_pending;               /* VMAs on their way into a tree */
	unsigned int tallest; /* the largest height that a tree of VMAs ever had */
	/* New pages on their way to the LRU lists. Their references are not counted. */
	struct ms_lru_queue lru;
	/* Pages on their way from one LRU list to another, each with a reference: those that
	 * MADV_FREE gave up, those that were used a second time, and (from 5.18 on) those that came
	 * into a locked VMA or left it. */
	struct ms_lru_queue lazyfree, activate, mlock;
	/* raw.c: pages of RAM that are mapped by their number */
	RB_HEAD(ms_raw_pages, ms_raw_page) raw_pages;
	/* pin.c: pages that driver code has taken from processes */
	RB_HEAD(ms_taken_pages, ms_taken_page) taken_pages;
	/* page_mkwrite has answered 0 for a page without page->mapping: the fault will be taken
	 * again (fault.c). */
	bool endless_mkwrite;
};

struct ms_hash;
void ms_mm_hash(struct ms_hash *h);

#endif
