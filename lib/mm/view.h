/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lib/kvm, lib/drivers and lib/linux may ask of lib/mm beyond <mapsim/mm.h> and
 * <mapsim/pfnmap.h>: what stands in the kernel's headers for everybody, and is no user's business
 * here.
 */
#ifndef MS_MM_VIEW_H
#define MS_MM_VIEW_H

#include "core/core.h"

#include <mapsim/mm.h>
#include <mapsim/pfnmap.h>

/* mirrors is_cow_mapping(), mm/internal.h, 5.10 .. 5.10; is_cow_mapping(), include/linux/mm.h,
 * 6.1 .. 7.2; vma_flags_is_cow_mapping() and vma_is_cow_mapping(), include/linux/mm.h, 7.3+ */
static inline bool ms_is_cow_mapping(uint64_t flags)
{
	return (flags & (MS_VM_SHARED | MS_VM_MAYWRITE)) == MS_VM_MAYWRITE;
}

/* TASK_SIZE: where the addresses of processes end (exclusive). */
ms_hva_t ms_task_size(const struct ms_machine *m);

/* ---- files ---- */

void ms_file_get(struct ms_file *file);
/* fput(): gives up one reference, such as a VMA's. */
void ms_file_drop(struct ms_file *file);
/* get_file() and fput() of driver code, which gives up what it has taken alone. */
void ms_file_driver_get(struct ms_file *file);
void ms_file_driver_put(struct ms_file *file);
/* Its driver gives it other operations. */
void ms_file_set_ops(struct ms_file *file, const struct ms_file_ops *ops);
/* What violations call the driver by: text that lives as long as the machine. */
void ms_file_set_name(struct ms_file *file, const char *name);
/* Its driver's name; NULL: the file is no driver's, or there is none. */
const char *ms_file_driver(const struct ms_file *file);
/* Sets f_mapping: all files with the same `key` share an address_space. No VMA may map the file
 * yet. 0 or -ENOMEM. */
int ms_file_set_mapping(struct ms_file *file, const void *key);
/* A file of the address_space `key`; NULL: there is none, so that nothing of it is mapped. */
struct ms_file *ms_file_of_mapping(const struct ms_machine *m, const void *key);

/* The machine's files, in any order: the first (file NULL), the next one; NULL: no more. */
const struct ms_file *ms_file_each(const struct ms_machine *m, const struct ms_file *file);
bool ms_file_is(const struct ms_file *file, const struct ms_file_ops *ops);

/* Puts back what the functions that run have changed of their VMAs, and tells it. */
void ms_handlers_verify(struct ms_machine *m);
/* For the doors by which driver code comes in with a VMA, before anything of the VMA is used. */
static inline void ms_vma_door(void)
{
	struct ms_machine *m = ms_current_machine();

	if (m && m->call.handlers)
		ms_handlers_verify(m);
}
/* A driver's function that runs has asked whether it may change the VMA's flags. */
void ms_handlers_open_flags(const struct ms_vma *vma);

/* Does memory [from, to) hold a notifier that is registered, or a table of operations that a VMA has?
 */
bool ms_mmu_notifiers_use(const struct ms_machine *m, uintptr_t from, uintptr_t to);
bool ms_vmas_use(const struct ms_machine *m, uintptr_t from, uintptr_t to);
/* These are the library's own notifiers. */
void ms_mmu_notifier_trust(struct ms_machine *m, const struct ms_mmu_notifier_ops *ops);
/* As ms_mmu_notifier_register(), with these ops: 0, or -EINVAL with a violation, and nothing is
 * changed. */
int ms_mmu_notifier_add(struct ms_mm *mm, struct ms_mmu_notifier *mn,
			const struct ms_mmu_notifier_ops *ops);

/* ---- violations ---- */

/* As ms_violation_at(), about this VMA and the driver of its file. */
void ms_vma_violation(const struct ms_vma *vma, enum ms_violation_class whose,
		      const char *condition, ms_hva_t addr, ms_pa_t pa);
/* The same of the VMA at addr. */
void ms_mm_violation(struct ms_mm *mm, enum ms_violation_class whose, const char *condition,
		     ms_hva_t addr, ms_pa_t pa);
/* Begins to be about the VMA; answers what it was about, for ms_where_leave(). */
struct ms_where ms_where_enter(struct ms_machine *m, const struct ms_vma *vma);
void ms_where_leave(struct ms_machine *m, const struct ms_where *outer);

/* ---- the mmap lock, as hooks and driver code meet it (lock.h) ---- */

enum ms_mmap_state { MS_MMAP_FREE, MS_MMAP_READ, MS_MMAP_WRITE };
enum ms_mmap_state ms_mm_lock_state(const struct ms_mm *mm);
/* Held by code of a driver's own; nobody else's call asks for it. */
void ms_mm_lock(struct ms_mm *mm, bool read);
void ms_mm_unlock(struct ms_mm *mm, bool read);
void ms_mm_lock_downgrade(struct ms_mm *mm); /* is held for writing */
/* Would a fault of this process wait: for the mmap lock, or for a notifier's MMU lock? */
bool ms_mm_fault_waits(const struct ms_mm *mm);
/* While the MMU lock of one of the process's VMs is held nobody can notify it. */
void ms_mm_block_notifiers(struct ms_mm *mm);
void ms_mm_unblock_notifiers(struct ms_mm *mm);

/* ---- entries ---- */

/*
 * apply_to_page_range: calls fn with each entry (MS_PTE_ bits) of [addr, addr + size), whole pages;
 * fn may change it, and an answer that is not 0 ends it. create: tables are made, and absent
 * entries are met too. -EINVAL: a range that is empty, wraps or is no user space, a huge entry;
 * -ENOMEM.
 */
typedef int ms_pte_fn(uint64_t *entry, ms_hva_t addr, void *arg);
int ms_apply_to_page_range(struct ms_mm *mm, ms_hva_t addr, uint64_t size, bool create,
			   ms_pte_fn *fn, void *arg);
/* filemap_map_pages(): of the pages [first, last], inclusive, of the VMA's file those that are
 * cached. */
ms_vm_fault_t ms_filemap_map_pages(struct ms_vm_fault *vmf, uint64_t first, uint64_t last);
/* The entry of a present page at addr; NULL: nothing is, or a huge leaf. */
uint64_t *ms_pte_at(struct ms_mm *mm, ms_hva_t addr);
struct ms_mmu_notifier *ms_mm_first_notifier(const struct ms_mm *mm);
/* do_munmap(): the caller holds the mmap lock for writing. */
int ms_do_munmap(struct ms_mm *mm, ms_hva_t start, uint64_t len);
/* vmf_insert_folio_pmd and _pud: one leaf of 2^order pages, of the compound page of that order that
 * begins at pfn; it is counted. MS_VM_FAULT_ bits. */
ms_vm_fault_t ms_vmf_insert_folio(struct ms_vm_fault *vmf, ms_pfn_t pfn, unsigned int order,
				  bool write);
/* vm_ops->access */
int ms_vma_call_access(struct ms_vma *vma, ms_hva_t addr, void *buf, int len, bool write);
/* vm_get_page_prot() */
ms_pgprot_t ms_vm_get_page_prot(const struct ms_machine *m, uint64_t vm_flags);
/* Of any VMA; the range is inside of it. */
void ms_zap_page_range_single(struct ms_vma *vma, ms_hva_t addr, uint64_t size);

/* ---- pages ---- */

/*
 * For those who have another way where these fail: nobody is told why. ms_try_get_user_page() tells
 * it where the VMA is neither VM_IO nor VM_PFNMAP.
 */
bool ms_try_get_user_page_fast(const struct ms_mm *mm, ms_hva_t addr, bool write, ms_pfn_t *pfn);
int ms_try_get_user_page(struct ms_mm *mm, ms_hva_t addr, bool write, ms_pfn_t *pfn);
bool ms_try_follow_pfnmap(struct ms_vma *vma, ms_hva_t addr, struct ms_pfnmap_leaf *leaf);

/* How pages are taken: FOLL_ flags. */
enum ms_gup {
	MS_GUP_WRITE = 1,
	MS_GUP_FORCE = 2,    /* FOLL_FORCE */
	MS_GUP_REMOTE = 4,   /* FOLL_REMOTE: another process's, as it is said; its keys do not bind */
	MS_GUP_PIN = 8,      /* FOLL_PIN */
	MS_GUP_LONGTERM = 16 /* FOLL_LONGTERM */
};
/*
 * Takes pages from addr on, with a reference or (MS_GUP_PIN) a pin to each. The mmap lock is held.
 * Answers how many; of none -EFAULT, -ENOMEM, -EHWPOISON, -EBUSY. pfns NULL: they are not told.
 */
int64_t ms_gup_pages(struct ms_mm *mm, ms_hva_t addr, uint64_t npages, unsigned int how,
		     ms_pfn_t *pfns);
/* The same for one page from the page table alone; false: nothing was done. */
bool ms_gup_page_fast(struct ms_mm *mm, ms_hva_t addr, unsigned int how, ms_pfn_t *pfn);
/* One page without a reference, for who looks at it at once. 0, -EFAULT, -ENOMEM, -EHWPOISON,
 * -EBUSY. */
int ms_look_at_page(struct ms_mm *mm, ms_hva_t addr, unsigned int how, ms_pfn_t *pfn);
/* page_maybe_dma_pinned(): also a page that so many hold for other reasons. */
bool ms_page_maybe_pinned(const struct ms_machine *m, ms_pfn_t pfn);
/* A pin goes. Answers the references that the caller has to put; 0: none, or a violation. */
uint32_t ms_unpin(struct ms_machine *m, ms_pfn_t pfn);
/* A driver puts a reference to the page, which may be one of get_user_pages(). */
void ms_got_is_put(struct ms_machine *m, ms_pfn_t pfn);
/* A violation for each page that was taken and not given back. Answers how many. */
size_t ms_taken_report(struct ms_machine *m);

/*
 * mark_page_accessed() of the page behind addr, for an anonymous one: the first time it becomes
 * referenced, the second time it moves to the list of active pages, by a queue that holds it.
 */
void ms_lru_accessed(struct ms_mm *mm, ms_hva_t addr, ms_pfn_t pfn);

/* References to pages that the queues to the LRU lists hold. */
size_t ms_lru_references(const struct ms_machine *m);
/* Memory in the page is freed, and the page itself may not be: a violation where a page table shows
 * it by its pfn. */
void ms_raw_memory_freed(struct ms_machine *m, ms_pfn_t pfn);
/* Entries of page tables that map the page, not by its pfn alone. They are all looked through. */
uint64_t ms_page_mappings(const struct ms_machine *m, ms_pfn_t pfn);

/* ---- for ms_machine_check(): pointers that may be to what was freed ---- */

bool ms_check_is_file(const struct ms_machine *m, const struct ms_file *file);
bool ms_check_is_vma(const struct ms_machine *m, const struct ms_vma *vma); /* of any process */
bool ms_check_is_registered(const struct ms_mm *mm, const struct ms_mmu_notifier *mn);

#endif
