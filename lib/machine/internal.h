/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine as the other rooms of the library see it: allocator, trace, and the lists that hang
 * off it. Not installed. Each room keeps its own state behind a pointer that only it looks into.
 */
#ifndef MS_MACHINE_INTERNAL_H
#define MS_MACHINE_INTERNAL_H

#include "machine/pool.h"

#include <mapsim/machine.h>
#include <mapsim/policy.h>
#include <mapsim/trace.h>

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/tree.h>

struct ms_phys;    /* lib/phys */
struct ms_pat;     /* lib/pat */
struct ms_drivers; /* lib/drivers */
struct ms_linux;   /* lib/linux */

#define MS_LRU_QUEUE 15u      /* PAGEVEC_SIZE */
#define MS_LAZYFREE_QUEUE 31u /* the same, 6.9+ */

struct ms_trace {
	struct ms_event *events;
	size_t len, capacity;
	uint32_t keep;
	uint64_t lost;
	size_t kept[MS_EV_TYPES];    /* of `len` */
	uint64_t total[MS_EV_TYPES]; /* ever */
};

/* struct hstate */
struct ms_hugetlb_pool {
	unsigned int order; /* log2 of base pages; 0: no pool */
	uint64_t pages, used;
	int64_t reserved; /* below 0: a kernel has miscounted */
};

struct ms_machine {
	struct ms_policy policy;
	struct ms_machine_config config;
	unsigned int page_shift;
	unsigned int pmd_shift; /* of one entry of the last table level but one */
	unsigned int pud_shift;
	uint64_t page_size;

	uint64_t allocs;  /* asked for so far */
	uint64_t fail_at; /* the value of `allocs` that fails; 0: none */
	uint64_t live;    /* allocations not freed, for tests */
	struct ms_trace trace;

	struct {
		ms_hook_fn *fn;
		void *arg;
	} hook[MS_HOOK_POINTS];
	unsigned int in_hook; /* hooks that are running */
	const struct ms_folio_lock *folio_locks; /* lib/mm: folios that those hooks' callers hold */

	struct ms_phys *phys;
	struct ms_pat *pat;
	struct ms_drivers *drivers;
	struct ms_linux *kernel; /* made when a driver first asks for something of it */
	struct ms_mm *driver_mm; /* of the call into a driver that goes on: its current->mm */
	/* lib/linux: locks that driver code holds, and times it took an mmap lock that it had */
	unsigned int driver_locks, driver_mmap_again;
	unsigned int devices_off;       /* lib/phys: devices whose memory is turned off */
	struct ms_pool vmas, vma_nodes; /* lib/mm: VMAs, nodes of their trees */
	unsigned int vmas_pending;      /* lib/mm: VMAs on their way into a tree */
	TAILQ_HEAD(, ms_mm) mms;
	TAILQ_HEAD(, ms_vm) vms;
	LIST_HEAD(, ms_file) files;
	LIST_HEAD(, ms_mapping) mappings;
	RB_HEAD(ms_mappings_by_key, ms_mapping) mappings_by_key;
	uint32_t next_mm_id, next_vm_id;
	struct {
		uint64_t pfn[MS_LRU_QUEUE];
		unsigned int count;
	} lru; /* lib/mm: pages on their way to the LRU lists, each with a reference (up to 5.15) */
	struct {
		uint64_t pfn[MS_LAZYFREE_QUEUE];
		unsigned int count;
	} lazyfree, activate; /* the same, from one list to another: MADV_FREE, second use */
	struct ms_hugetlb_pool hugetlb[MS_HUGETLB_SIZES];
	uint64_t zero_pfn, huge_zero_pfn; /* lib/mm: the zero pages, 0: not made yet */
};

/*
 * lib/mm, mark_page_accessed() twice, as a guest's fault does it: an anonymous page moves to the
 * list of those in use. is_new: the fault has made it, so that it is on no list yet.
 */
void ms_lru_activate(struct ms_machine *m, ms_pfn_t pfn, bool is_new);

/* Counts one request for memory; false: it is the one that shall fail. */
static inline bool ms_alloc_allowed(struct ms_machine *m)
{
	if (++m->allocs != m->fail_at)
		return true;
	m->fail_at = 0;
	return false;
}
/* Zeroed memory that counts against ms_machine_fail_alloc(); NULL: none. */
void *ms_zalloc(struct ms_machine *m, size_t size);
/* Zeroed, aligned to `align` (a power of two). Freed by ms_free. */
void *ms_zalloc_aligned(struct ms_machine *m, size_t align, size_t size);
/* Array of n zeroed elements; NULL also when n * size overflows. */
void *ms_calloc(struct ms_machine *m, size_t n, size_t size);
/* Grows or shrinks an array to n elements; new ones are not zeroed. NULL: none, and p stays. */
void *ms_reallocarray(struct ms_machine *m, void *p, size_t n, size_t size);
char *ms_strdup(struct ms_machine *m, const char *s);
void ms_free(struct ms_machine *m, void *p);

/* Counts an event; true: it is to be stored. Mostly it is not, and need not be put together. */
static inline bool ms_event_kept(struct ms_machine *m, enum ms_event_type type)
{
	m->trace.total[type]++;
	return m->trace.keep & (1u << type);
}
void ms_trace_store(struct ms_machine *m, const struct ms_event *ev);
/* Counts the event, and stores it if its type is kept. */
static inline void ms_emit(struct ms_machine *m, const struct ms_event *ev)
{
	if (ms_event_kept(m, ev->type))
		ms_trace_store(m, ev);
}
/* Emits an event of named fields: MS_EMIT(m, .type = MS_EV_ZAP, .addr = va, .size = len); */
#define MS_EMIT(m, ...) ms_emit((m), &(struct ms_event){ __VA_ARGS__ })

void ms_trace_init(struct ms_machine *m);
void ms_trace_destroy(struct ms_machine *m);

/* An event as the recording format writes it: no mm, vm, reason or '\n'. */
void ms_event_print_fields(const struct ms_machine *m, const struct ms_event *ev, FILE *out);
/* "rw,device"; "-": no right at all */
void ms_prot_print(uint32_t prot, FILE *out);
/* "EINVAL" of -EINVAL; a number where the error has no name, and for 0 and above */
void ms_error_print(int err, FILE *out);
/* "UC-", "nGnRE"; arm64's MS_CACHE_WC is "NC". Never NULL. */
const char *ms_cache_name(enum ms_arch arch, enum ms_cache cache);

/*
 * ms_machine_new_config() of which allocation number fail_at fails (1: the machine's own; 0: none).
 */
struct ms_machine *ms_machine_new_failing(const struct ms_policy *policy,
					  const struct ms_machine_config *config, uint64_t fail_at);

/* What the kernel would BUG or WARN about. condition: text that lives as long as the machine. */
void ms_violation(struct ms_machine *m, const char *condition, uint64_t addr);
/* As above, of a page-table entry that maps pa. */
void ms_violation_entry(struct ms_machine *m, const char *condition, uint64_t addr, uint64_t pa);
/* What the kernel would log. */
void ms_log(struct ms_machine *m, const char *message, uint64_t addr, uint64_t size);

static inline void ms_hook(struct ms_machine *m, enum ms_hook_point point, uint64_t addr)
{
	if (!m->hook[point].fn)
		return;
	m->in_hook++;
	m->hook[point].fn(m, point, addr, m->hook[point].arg);
	m->in_hook--;
}

/*
 * The machine whose driver code this thread is running, NULL: none (current.c). Kernel functions
 * without an argument that tells the machine, as kmalloc and printk, go by it.
 */
struct ms_machine *ms_current_machine(void);
/* Answers the former one. */
struct ms_machine *ms_set_current_machine(struct ms_machine *m);

/* Each room's beginning and end, called by ms_machine_new and ms_machine_free. */
int ms_mm_init(struct ms_machine *m);
void ms_mm_destroy(struct ms_machine *m);
int ms_phys_init(struct ms_machine *m);
void ms_phys_destroy(struct ms_machine *m);
int ms_pat_init(struct ms_machine *m);
void ms_pat_destroy(struct ms_machine *m);
int ms_drivers_init(struct ms_machine *m);
void ms_drivers_destroy(struct ms_machine *m);
void ms_linux_destroy(struct ms_machine *m); /* what lib/linux made, if anything */
void ms_vms_destroy(struct ms_machine *m);   /* lib/kvm: every VM */
void ms_mms_destroy(struct ms_machine *m);   /* lib/mm: every process */
void ms_files_destroy(struct ms_machine *m); /* lib/mm: every file and address_space */

static inline uint64_t ms_align_down(uint64_t x, uint64_t a)
{
	return x & ~(a - 1);
}
static inline uint64_t ms_align_up(uint64_t x, uint64_t a)
{
	return (x + a - 1) & ~(a - 1);
}
static inline bool ms_aligned(uint64_t x, uint64_t a)
{
	return (x & (a - 1)) == 0;
}
static inline uint64_t ms_min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}
static inline uint64_t ms_max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}
/* What an entry at a level of the host's page table covers, 3: a page. A table is one page of
 * eight-byte entries. */
static inline unsigned int ms_level_shift(const struct ms_machine *m, unsigned int level)
{
	return m->page_shift + (3 - level) * (m->page_shift - 3);
}
static inline uint64_t ms_level_size(const struct ms_machine *m, unsigned int level) /* bytes */
{
	return UINT64_C(1) << ms_level_shift(m, level);
}
/* PMD_SIZE, PUD_SIZE: bytes */
static inline uint64_t ms_pmd_size(const struct ms_machine *m)
{
	return UINT64_C(1) << m->pmd_shift;
}
static inline uint64_t ms_pud_size(const struct ms_machine *m)
{
	return UINT64_C(1) << m->pud_shift;
}
/* HPAGE_PMD_ORDER, HPAGE_PUD_ORDER: log2 of pages */
static inline unsigned int ms_pmd_order(const struct ms_machine *m)
{
	return m->pmd_shift - m->page_shift;
}
static inline unsigned int ms_pud_order(const struct ms_machine *m)
{
	return m->pud_shift - m->page_shift;
}
/* The pool of huge pages of an order, NULL: they are free RAM. */
static inline struct ms_hugetlb_pool *ms_hugetlb_pool(struct ms_machine *m, unsigned int order)
{
	for (unsigned int i = 0; order && i < MS_HUGETLB_SIZES; i++) {
		if (m->hugetlb[i].order == order)
			return &m->hugetlb[i];
	}
	return NULL;
}
static inline bool ms_is_x86(const struct ms_machine *m)
{
	return m->policy.arch == MS_ARCH_X86_64;
}

#endif
