/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of lib/kvm. Who does what:
 * - vm.c: a VM is created and closed
 * - memslot.c: the slots and how they are found
 * - region.c: KVM_SET_USER_MEMORY_REGION
 * - arch.c: what arm64 does before and after a slot changes
 * - dirty.c: the dirty log
 * - guest.c: an access of the guest
 * - abort.c: kvm_handle_guest_abort
 * - fault.c: user_mem_abort
 * - block.c: how large the mapping may be
 * - pfn.c: hva_to_pfn
 * - s2.c: the VM's stage-2 table, with the events
 * - notifier.c: what the process tells the VM
 * - reason.c: the texts of reasons
 * - check.c, check_s2.c: is all of it whole?
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
};

/* ---- a VM ---- */

struct ms_kvm {
	TAILQ_HEAD(, ms_vm) vms; /* in order of creation */
};

struct ms_vm {
	TAILQ_ENTRY(ms_vm) link;
	struct ms_machine *machine;
	struct ms_mm *mm; /* NULL: the process is gone, every call answers -EIO */
	uint32_t id;
	struct ms_vm_config config;
	struct ms_mmu_notifier notifier;
	struct ms_s2 *s2; /* NULL when mm is gone */
	struct ms_s2_cache vcpu_cache;
	struct ms_s2_cache split_cache;
	struct ms_memslots slots;

	unsigned int invalidate_in_progress; /* mmu_invalidate_in_progress */
	unsigned int active_invalidate;      /* mn_active_invalidate_count */
	uint64_t invalidate_seq;             /* mmu_invalidate_seq */
	bool missed_notifier; /* one came where this kernel does not notice: s2_seq_sample */

	bool in_map;           /* a map call is under way */
	bool mmu_locked;       /* a hook runs in the middle of it */
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
/* A slot's number is below this. */
unsigned int ms_user_mem_slots(const struct ms_vm *vm);
/* The first host address that no slot may show. */
ms_hva_t ms_user_end(const struct ms_machine *m);
struct ms_memslot *ms_id_to_memslot(const struct ms_vm *vm, unsigned int id);
struct ms_memslot *ms_gfn_to_memslot(struct ms_vm *vm, ms_gfn_t gfn);
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

/* ---- what arm64 does about slots (arch.c) ---- */

enum ms_mr_change { MS_MR_CREATE, MS_MR_DELETE, MS_MR_MOVE, MS_MR_FLAGS_ONLY };

/* `new` is not in the trees yet. */
int ms_arch_prepare_memory_region(struct ms_vm *vm, const struct ms_memslot *new,
				  enum ms_mr_change change);
/* slot NULL: it was deleted. */
void ms_arch_commit_memory_region(struct ms_vm *vm, const struct ms_memslot *slot);
/* For the pages whose bits are set in `mask`, which is word number `word` of the slot's bitmap. */
void ms_arch_log_dirty_masked(struct ms_vm *vm, const struct ms_memslot *slot, uint64_t word,
			      uint64_t mask);
bool ms_kvm_supports_cacheable_pfnmap(const struct ms_machine *m);
/* Of a VMA's vm_page_prot. */
bool ms_kvm_is_cacheable(ms_pgprot_t prot);
bool ms_kvm_mte_refuses(const struct ms_vm *vm, uint64_t vm_flags);

/* ---- stage-2 calls with their events (s2.c) ---- */

int ms_vm_s2_new(struct ms_vm *vm);
void ms_vm_s2_free(struct ms_vm *vm);
int ms_vm_s2_map(struct ms_vm *vm, ms_ipa_t ipa, uint64_t size, ms_pa_t pa, unsigned int prot,
		 struct ms_s2_cache *cache, enum ms_kvm_reason why);
int ms_vm_s2_relax(struct ms_vm *vm, ms_ipa_t ipa, unsigned int prot);
void ms_vm_s2_mkyoung(struct ms_vm *vm, ms_ipa_t ipa);
/* The range is cut into pieces as the kernel does, with an event for each. */
void ms_vm_s2_unmap_range(struct ms_vm *vm, ms_ipa_t start, uint64_t size);
void ms_vm_s2_wp_range(struct ms_vm *vm, ms_ipa_t start, uint64_t size);
/* Does nothing where no chunk size is set. */
void ms_vm_s2_split_range(struct ms_vm *vm, ms_ipa_t start, uint64_t size);
void ms_vm_flush_tlbs(struct ms_vm *vm, ms_ipa_t ipa, uint64_t size);
void ms_vm_cmo(struct ms_vm *vm, enum ms_cmo_kind kind, ms_pa_t pa, uint64_t size);

/* ---- an abort (abort.c, fault.c, block.c, pfn.c) ---- */

/* What the syndrome registers say. */
struct ms_abort {
	ms_ipa_t ipa;     /* HPFAR: 4K granular whatever the page size */
	uint64_t granule; /* permission fault: bytes of the leaf; else 0 */
	bool access_flag;
	bool write, exec;
	enum ms_kvm_reason why; /* out: why nothing was mapped */
};
static inline bool ms_abort_is_perm(const struct ms_abort *a)
{
	return a->granule != 0;
}

/* OK: the guest goes on; ERROR: *err, which was 0, says why. */
enum ms_guest_exit ms_kvm_handle_guest_abort(struct ms_vm *vm, struct ms_abort *abort, int *err);

/* 0, 1: a machine-check signal was sent, or a negative errno. */
int ms_user_mem_abort(struct ms_vm *vm, struct ms_memslot *slot, ms_hva_t hva,
		      struct ms_abort *abort);

/* The size that the VMA promises, clamped to the slot. */
struct ms_vma_block {
	uint64_t size;  /* page, PMD or PUD size */
	bool force_pte; /* pages, whatever the host maps */
	enum ms_kvm_reason why;
};
struct ms_vma_block ms_vma_block(const struct ms_vm *vm, const struct ms_memslot *slot,
				 const struct ms_vma *vma, ms_hva_t hva);
/* Is it the size of a page or a block? */
bool ms_is_block_size(const struct ms_machine *m, uint64_t size);
/* The size that policy choose_block answers; in->size where that is none. */
uint64_t ms_choose_block(struct ms_vm *vm, const struct ms_memslot *slot,
			 const struct ms_block_inputs *in);
/*
 * PMD size if the slot and the host's leaf allow it, else page size;
 * -EAGAIN: the host's entry is gone.
 */
int64_t ms_thp_adjust(const struct ms_vm *vm, const struct ms_memslot *slot, ms_hva_t hva,
		      enum ms_kvm_reason *why);

enum ms_pfn_error {
	MS_PFN_OK,
	MS_PFN_FAULT,
	MS_PFN_RO_FAULT,
	MS_PFN_HWPOISON,
	MS_PFN_WAITS, /* in a hook: a lock is held */
};
struct ms_pfn_lookup {
	enum ms_pfn_error error;
	bool writable;
	ms_pfn_t pfn;
};
/* The host's page behind a guest page of the slot. */
struct ms_pfn_lookup ms_gfn_to_pfn(struct ms_vm *vm, const struct ms_memslot *slot, ms_gfn_t gfn,
				   bool write);
/* Sets the page's bit, if the slot is logged. */
void ms_mark_page_dirty(struct ms_memslot *slot, ms_gfn_t gfn);

extern const struct ms_mmu_notifier_ops ms_kvm_notifier_ops;

#endif
