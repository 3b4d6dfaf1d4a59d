/* SPDX-License-Identifier: GPL-2.0-only */
/* What lib/mm keeps of a machine: its processes and files, and what they share. */
#ifndef MS_MM_PROCESSES_H
#define MS_MM_PROCESSES_H

#include "base/pool.h"
#include "core/core.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

// mirrors PAGEVEC_SIZE, include/linux/pagevec.h, 5.10 .. 6.8
#define MS_LRU_QUEUE 15u
// mirrors PAGEVEC_SIZE, include/linux/pagevec.h, 6.9 .. 6.12; FOLIO_BATCH_SIZE,
// include/linux/folio_batch.h, 7.2+
#define MS_LAZYFREE_QUEUE 31u

struct ms_processes {
	TAILQ_HEAD(, ms_mm) mms; /* in order of creation */
	LIST_HEAD(, ms_file) files;
	LIST_HEAD(, ms_mapping) mappings;
	RB_HEAD(ms_mappings_by_key, ms_mapping) mappings_by_key;
	const struct ms_folio_lock *folio_locks; /* of folios that callers of hooks hold */
	struct ms_pool vmas, vma_nodes;          /* VMAs, nodes of their trees */
	unsigned int vmas_pending;               /* VMAs on their way into a tree */
	/* Pages on their way to the LRU lists, each with a reference (up to 5.15). */
	struct {
		uint64_t pfn[MS_LRU_QUEUE];
		unsigned int count;
	} lru;
	/* Pages on their way from one LRU list to another, each with a reference: those that
	 * MADV_FREE gave up, and those that were used a second time. */
	struct {
		uint64_t pfn[MS_LAZYFREE_QUEUE];
		unsigned int count;
	} lazyfree, activate;
};

#endif
