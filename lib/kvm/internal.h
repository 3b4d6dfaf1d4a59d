/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of lib/kvm. What is in common:
 * - vm.c: a VM is created and closed
 * - memslot.c: the slots and how they are found
 * - region.c: KVM_SET_USER_MEMORY_REGION
 * - dirty.c: the dirty log
 * - guest.c: an access of the guest
 * - pfn.c: hva_to_pfn
 * - notifier.c: what the process tells the VM
 * - look.c: looking at all of it
 * - reason.c: the texts of reasons
 * - check.c: is all of it whole?
 * What is an architecture's own is called through arch.h, and lies in a folder of its own. arm64/:
 * - arch.c: configuration, the hardware's walk, the table of functions
 * - slots.c: before and after a slot changes
 * - abort.c: kvm_handle_guest_abort; fault.c: user_mem_abort; block.c: how large the mapping may be
 * - s2.c: the VM's stage-2 table, with the events; check_s2.c: is it whole?
 * x86/: see x86.h there.
 */
#ifndef MS_KVM_INTERNAL_H
#define MS_KVM_INTERNAL_H

#include "core/room.h"
#include "mm/view.h"

#include <mapsim/kvm.h>
#include <mapsim/phys.h>

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

/* ---- reasons (reason.c) ---- */

enum ms_kvm_reason {
	MS_WHY_NONE,
	/* a block */
	MS_WHY_VMA_PUD,
	MS_WHY_VMA_PMD,
	MS_WHY_VMA_PUD_END_UNCHECKED,
	MS_WHY_VMA_PMD_END_UNCHECKED,
	MS_WHY_HUGETLB_PUD,
	MS_WHY_HUGETLB_PMD,
	MS_WHY_PMD_GPA_NOT_CONGRUENT, /* with the host address, modulo PUD */
	MS_WHY_PMD_SLOT_START,
	MS_WHY_PMD_SLOT_END,
	MS_WHY_HOST_LEAF,
	MS_WHY_HOST_LEAF_PUD,
	MS_WHY_THP,
	MS_WHY_PERM_BLOCK,
	MS_WHY_POLICY, /* or a page */
	MS_WHY_PA_MISALIGNED,
	/* a page */
	MS_WHY_LOGGING,
	MS_WHY_PFNMAP_PAGES,
	MS_WHY_VMA_NOT_CONGRUENT,
	MS_WHY_VMA_START,
	MS_WHY_VMA_END,
	MS_WHY_GPA_NOT_CONGRUENT,
	MS_WHY_SLOT_START,
	MS_WHY_SLOT_END,
	MS_WHY_HUGETLB_CONT_PTE,
	MS_WHY_DEVICE_NOT_UPGRADED,
	MS_WHY_HOST_LEAF_SMALL,
	MS_WHY_NOT_THP,
	MS_WHY_PREMAP,
	MS_WHY_CHANGE_PTE,
	MS_WHY_NX_FETCH,
	MS_WHY_NX_TABLE,
	/* an abort that maps nothing */
	MS_WHY_NO_SLOT,
	MS_WHY_SLOT_READONLY,
	MS_WHY_BEYOND_IPA,
	MS_WHY_NO_VMA,
	MS_WHY_NO_MEMORY,
	MS_WHY_NO_PFN,
	MS_WHY_LEAF_READONLY,
	MS_WHY_POISON,
	MS_WHY_CACHEABLE_UNSUPPORTED,
	MS_WHY_EXEC_DEVICE,
	MS_WHY_MTE,
	MS_WHY_MTE_NO_PAGE,
	MS_WHY_READ_PERMISSION,
	MS_WHY_NOTIFIER_RETRY,
	MS_WHY_HOST_ENTRY_GONE,
	MS_WHY_SAME_LEAF,
	MS_WHY_MM_GONE,
	MS_WHY_LOCKED,
	MS_WHY_COUNT
};

/* A static text, with the block sizes of the machine's page size; NULL for MS_WHY_NONE. */
const char *ms_kvm_reason(const struct ms_machine *m, enum ms_kvm_reason why);

/* ---- memslots (memslot.c) ---- */

/* struct kvm_memory_slot */
struct ms_memslot {
	RB_ENTRY(ms_memslot) by_id;
	RB_ENTRY(ms_memslot) by_gfn;
	RB_ENTRY(ms_memslot) by_hva;
	ms_hva_t max_hva_end; /* largest in the subtree of by_hva */
	/* place among slots that begin at the same host address, in each of the kernel's two
	 * sets */
	uint64_t age[2];

	unsigned int id;
	unsigned int flags; /* MS_SLOT_* */
	ms_gfn_t base_gfn;
	uint64_t npages;
	ms_hva_t hva, hva_end;
	uint64_t *dirty; /* one bit a page, NULL: not logged */
};

RB_HEAD(ms_slots_by_id, ms_memslot);
RB_HEAD(ms_slots_by_gfn, ms_memslot);
RB_HEAD(ms_slots_by_hva, ms_memslot);

struct ms_memslots {
	struct ms_slots_by_id by_id;
	struct ms_slots_by_gfn by_gfn;
	struct ms_slots_by_hva by_hva;
	struct ms_memslot *last_used; /* of ms_gfn_to_memslot */
	unsigned int active;          /* which of the two sets is in use */
	uint64_t next_age;
	uint64_t generation; /* rises with every change of a slot */
};

/* ---- a VM ---- */

struct ms_kvm {
	TAILQ_HEAD(, ms_vm) vms; /* in order of creation */
	/* x86: parameters of the module */
	enum ms_nx_huge_pages nx_huge_pages;
	bool no_eager_page_split;
};

/* An arm64 VM's own. */
struct ms_vm_arm64 {
	struct ms_s2 *s2; /* NULL when mm is gone */
	struct ms_s2_cache vcpu_cache;
	struct ms_s2_cache split_cache;
	bool in_map;          /* a map call is under way */
	bool missed_notifier; /* one came where this kernel does not notice: s2_seq_sample */
};

/* An x86 VM's own. */
RB_HEAD(ms_nx_tables, ms_nx_table);
struct ms_vm_x86 {
	struct ms_tdp *tdp; /* NULL when mm is gone */
	bool by_cpu;        /* it is the CPU that changes an entry */
	bool in_fast;       /* fast_page_fault() does, for the page at: */
	ms_ipa_t fast_ipa;
	enum ms_kvm_reason why; /* the entry that is being made has its size */
	struct ms_nx_tables nx_tables;
	TAILQ_HEAD(, ms_nx_table) nx_recoverable; /* possible_nx_huge_pages */
};

/* mmu_invalidate_range_start and _end. Kernels have one of the two; end 0: nothing. */
struct ms_invalidated {
	ms_hva_t hva_start, hva_end;
	ms_ipa_t ipa_start, ipa_end;
};

struct ms_vm {
	TAILQ_ENTRY(ms_vm) link;
	struct ms_machine *machine;
	struct ms_mm *mm; /* NULL: the process is gone, every call answers -EIO */
	uint32_t id;
	struct ms_vm_config config;
	struct ms_mmu_notifier notifier;
	const struct ms_kvm_arch *arch;
	struct ms_vm_arm64 arm64;
	struct ms_vm_x86 x86;
	struct ms_memslots slots;

	unsigned int invalidate_in_progress; /* mmu_invalidate_in_progress */
	unsigned int active_invalidate;      /* mn_active_invalidate_count */
	uint64_t invalidate_seq;             /* mmu_invalidate_seq */
	struct ms_invalidated invalidated;   /* of those in progress */

	bool mmu_locked;       /* a hook runs in the middle of a map call */
	unsigned int in_abort; /* aborts being handled: SRCU readers of the slots */
	/* the last stage-2 map: what it covered and why it had this size */
	ms_ipa_t mapped_ipa;
	uint64_t mapped_size;
	enum ms_kvm_reason mapped_why;
};

static inline uint64_t ms_slot_bytes(const struct ms_vm *vm, const struct ms_memslot *slot)
{
	return slot->npages << vm->machine->page_shift;
}
static inline ms_ipa_t ms_slot_gpa(const struct ms_vm *vm, const struct ms_memslot *slot)
{
	return slot->base_gfn << vm->machine->page_shift;
}
// mirrors __gfn_to_hva_memslot(), include/linux/kvm_host.h, 5.10+
static inline ms_hva_t ms_gfn_to_hva_memslot(const struct ms_vm *vm, const struct ms_memslot *slot,
					     ms_gfn_t gfn)
{
	return slot->hva + ((gfn - slot->base_gfn) << vm->machine->page_shift);
}
// mirrors memslot_is_logging(), arch/arm64/kvm/mmu.c, 5.10+
static inline bool ms_slot_is_logging(const struct ms_memslot *slot)
{
	return slot->dirty && !(slot->flags & MS_SLOT_READONLY);
}
static inline size_t ms_slot_words(const struct ms_memslot *slot)
{
	return (size_t)((slot->npages + 63) / 64);
}

/* The process has ended: -EIO. */
int ms_vm_refuse_gone(const struct ms_vm *vm);
/* A hook asks for what would wait for a lock of the process: -EBUSY. */
int ms_refuse_locked(struct ms_machine *m, const struct ms_mm *mm);

void ms_memslots_destroy(struct ms_vm *vm);
/* No slot can have this number: -EINVAL. */
int ms_refuse_slot_number(const struct ms_vm *vm, unsigned int id);
/* The first host address that no slot may show. */
ms_hva_t ms_user_end(const struct ms_vm *vm);
struct ms_memslot *ms_id_to_memslot(const struct ms_vm *vm, unsigned int id);
struct ms_memslot *ms_gfn_to_memslot(struct ms_vm *vm, ms_gfn_t gfn);
/* The same for a check, which remembers nothing. */
const struct ms_memslot *ms_memslot_look(const struct ms_vm *vm, ms_gfn_t gfn);
/* A slot other than number id that overlaps [start, end); NULL: none. */
const struct ms_memslot *ms_memslot_overlap(struct ms_vm *vm, unsigned int id, ms_gfn_t start,
					    ms_gfn_t end);
void ms_memslot_insert(struct ms_vm *vm, struct ms_memslot *slot);
void ms_memslot_remove(struct ms_vm *vm, struct ms_memslot *slot);
/* Moves a slot, which is in the trees, to another base_gfn. */
void ms_memslot_rebase(struct ms_vm *vm, struct ms_memslot *slot, ms_gfn_t base_gfn);
void ms_memslot_free(struct ms_vm *vm, struct ms_memslot *slot);
/*
 * Takes the slot out of one of the two sets (0: the active one, 1: the other) and puts it in again:
 * in that set it is then behind all others that begin at its host address.
 */
void ms_memslot_renew(struct ms_vm *vm, struct ms_memslot *slot, unsigned int set);
/* The other set becomes the active one. */
void ms_memslots_swap(struct ms_vm *vm);

/* Slots that overlap host range [start, end), in the kernel's order; NULL: no more. */
struct ms_hva_range {
	ms_hva_t start, end;
};
struct ms_memslot *ms_slot_first_in_hva(struct ms_vm *vm, const struct ms_hva_range *range);
struct ms_memslot *ms_slot_next_in_hva(struct ms_vm *vm, const struct ms_hva_range *range,
				       struct ms_memslot *slot);

/* ---- the host's page (pfn.c) ---- */

enum ms_pfn_error {
	MS_PFN_OK,
	MS_PFN_FAULT,
	MS_PFN_RO_FAULT,
	MS_PFN_HWPOISON,
	MS_PFN_NEEDS_IO, /* it could not be had without waiting */
	MS_PFN_WAITS,    /* in a hook: a lock is held */
};
struct ms_pfn_lookup {
	enum ms_pfn_error error;
	bool writable;
	ms_pfn_t pfn;
};
/* The host's page behind a guest page of the slot. nowait: FOLL_NOWAIT; only then NEEDS_IO. */
struct ms_pfn_lookup ms_gfn_to_pfn(struct ms_vm *vm, const struct ms_memslot *slot, ms_gfn_t gfn,
				   bool write, bool nowait);
/* Sets the page's bit, if the slot is logged. */
void ms_mark_page_dirty(struct ms_memslot *slot, ms_gfn_t gfn);

extern const struct ms_mmu_notifier_ops ms_kvm_notifier_ops;

struct ms_hash;
void ms_kvm_hash(struct ms_hash *h);

#endif
