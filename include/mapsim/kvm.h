/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * kvm.h - a KVM VM: memslots over an mm, and guest accesses that become faults of the guest's
 * second-level table, which is stage 2 on arm64 (stage2.h) and the nested table of the TDP MMU on
 * x86 (tdp.h; AMD's NPT, without a nested guest, and with one vCPU that has no async page faults).
 *
 * Mirrors virt/kvm/kvm_main.c, arch/arm64/kvm/mmu.c and arch/x86/kvm/mmu as the machine's policy
 * says. A process or VM that is NULL is refused: the answer is NULL, -EINVAL (of a guest's access
 * MS_GUEST_ERROR with -EINVAL) or 0.
 *
 * A VM is told of its process through the MMU notifiers. When the process ends before the VM is
 * freed, the VM stays as an empty shell: every call answers -EIO. A hook that runs inside an access
 * of a VM's guest may do anything but free that VM; what would have to wait for a lock that is held
 * there answers -EBUSY (machine.h says where).
 *
 * Of s memslots, one is found, made, moved or deleted in O(log s), and O(1) where it is the one
 * used last. A notifier visits the slots of its range in O(log s) each (policy notifier_slot_order
 * GPA_DESCENDING: all s, as that kernel does); k slots that begin at the same host address cost it
 * O(k * k). An access that the table translates is one walk; a fault adds a look at the process
 * (mm.h) and a map (stage2.h, tdp.h). Reading or clearing a dirty log takes O(1) for each word of
 * its bitmap, and a write protection for each word that is not 0.
 */
#ifndef MAPSIM_KVM_H
#define MAPSIM_KVM_H

#include <mapsim/mm.h>
#include <mapsim/stage2.h>
#include <mapsim/tdp.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ms_vm_config {
	unsigned int ipa_bits; ///< 32 .. the machine's ipa_bits; 0: 40. x86: always its pa_bits
	bool dirty_manual;     ///< KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 with MANUAL_PROTECT_ENABLE
	bool dirty_initset;    ///< ... and INITIALLY_SET
	uint64_t split_chunk;  ///< KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE, bytes; 0: not asked for
	bool zap_slot; ///< x86: KVM_X86_QUIRK_SLOT_ZAP_ALL is disabled (policy slot_zap_quirk)
	bool no_nx_huge_pages; ///< x86: KVM_CAP_VM_DISABLE_NX_HUGE_PAGES
	bool mte; ///< KVM_CAP_ARM_MTE, on a machine with mte: memory must be taggable (policy
		  ///< mte_vma)
};

/**
 * A VM with one vCPU, bound to mm. ipa_bits 0: 40; x86 does not look at it. NULL, and errno says
 * why. EINVAL: ipa_bits is refused by this machine; EBUSY: a hook asks where the mmap lock is held;
 * ENOMEM.
 */
struct ms_vm *ms_vm_new(struct ms_mm *mm, unsigned int ipa_bits);
/** As above with everything to choose (config NULL: the defaults). EINVAL: a field is refused by
 * this machine or kernel. */
struct ms_vm *ms_vm_new_config(struct ms_mm *mm, const struct ms_vm_config *config);
/** Closing the VM: no stage-2 event on arm64; on x86 every entry is zapped. NULL is allowed. A
 * violation, and the VM stays: an access of its guest, or a notifier that it was told the start of,
 * is under way (a hook or a driver asks).
 */
void ms_vm_free(struct ms_vm *vm);
uint32_t ms_vm_id(const struct ms_vm *vm); ///< 1, 2, 3 … in order of creation

/** Every VM, in order of creation: the first (vm NULL), the next one; NULL: no more. O(1). */
struct ms_vm *ms_vm_next(const struct ms_machine *m, const struct ms_vm *vm);
/** Its process; NULL: that has ended. */
struct ms_mm *ms_vm_mm(const struct ms_vm *vm);

#define MS_SLOT_LOG_DIRTY 0x1u
#define MS_SLOT_READONLY 0x2u
/**
 * KVM_SET_USER_MEMORY_REGION; size 0 deletes. The kernel's errno: -EINVAL: misaligned, beyond user
 * space, wraps, id or flags out of range, nothing to delete, a live slot's size, hva or read-only
 * flag changed, or memory that may not be shown or not be logged; -EEXIST: overlaps another slot;
 * beyond the guest's physical addresses: -EFAULT, x86 -EINVAL; -ENOMEM. A move that is refused has
 * unmapped the slot's old range, as in the kernel. -EBUSY: a hook asks during an abort or a
 * notifier of this VM, where the kernel would sleep.
 *
 * gpa, size and hva are plain integers in the order of struct kvm_userspace_memory_region, so that
 * a call of KVM's is copied as it stands, and no compiler notices when gpa and hva are swapped. KVM
 * does not either: an address of the process that is above the IPA space is refused as a gpa, and
 * one inside of it makes a slot whose guest accesses find no VMA at its hva.
 */
int ms_vm_set_slot(struct ms_vm *vm, unsigned int id, ms_ipa_t gpa, uint64_t size, ms_hva_t hva,
		   unsigned int flags);

/**
 * KVM_GET_DIRTY_LOG: copies the slot's bitmap (1 bit a page, 64-bit words) into `bitmap`, which has
 * `words` words, at least (npages + 63) / 64. *npages gets the slot's size. -ENOENT: no such slot
 * or no bitmap; -EBUSY: a hook asks where the MMU lock is held; -EINVAL.
 */
int ms_vm_get_dirty(struct ms_vm *vm, unsigned int id, uint64_t *bitmap, size_t words,
		    uint64_t *npages);
/** Pages of a slot, 0 when there is none. */
uint64_t ms_vm_slot_pages(const struct ms_vm *vm, unsigned int id);

/** A memslot: guest addresses [gpa, gpa + size) show the process's from hva on. */
struct ms_slot {
	unsigned int id;
	ms_ipa_t gpa;
	uint64_t size; ///< bytes
	ms_hva_t hva;
	unsigned int flags; ///< MS_SLOT_*
	/** The dirty log, to look at: a bit a page as ms_vm_get_dirty() gives it, until the next
	 * call that may change the VM. NULL: it is not logged. */
	const uint64_t *dirty;
};
/**
 * By guest address the first slot that ends above gpa; false: none. O(log s).
 *
 *     for (ms_ipa_t at = 0; ms_vm_next_slot(vm, at, &slot); at = slot.gpa + slot.size)
 */
bool ms_vm_next_slot(const struct ms_vm *vm, ms_ipa_t gpa, struct ms_slot *slot);
/** The slot with that number; false: there is none. O(log s). */
bool ms_vm_get_slot(const struct ms_vm *vm, unsigned int id, struct ms_slot *slot);
/** KVM_CLEAR_DIRTY_LOG of [first, first + npages) with every bit set. Errors as above. */
int ms_vm_clear_dirty(struct ms_vm *vm, unsigned int id, uint64_t first, uint64_t npages);

enum ms_guest_exit {
	MS_GUEST_OK,             ///< the access was made
	MS_GUEST_MMIO,           ///< KVM_EXIT_MMIO
	MS_GUEST_IABT,           ///< an instruction abort was injected into the guest
	MS_GUEST_DABT,           ///< a data abort was injected into the guest
	MS_GUEST_ERROR,          ///< KVM_RUN failed: the errno is in `err`
	MS_GUEST_RETRY,          ///< the kernel handles the same fault for ever without progress
	MS_GUEST_SIGBUS,         ///< a machine-check signal was sent to the process
	MS_GUEST_INTERNAL_ERROR, ///< x86: KVM_EXIT_INTERNAL_ERROR: what is no memory cannot be
				 ///< executed
};
struct ms_guest_access {
	enum ms_guest_exit exit;
	int err;                ///< negative errno with MS_GUEST_ERROR, else 0
	unsigned int faults;    ///< stage-2 aborts that were handled for it
	struct ms_s2_leaf leaf; ///< what translates gpa now; leaf.reason: why it has this size (the
				///< last map's reason)
};
/**
 * One aligned 4-byte access of the guest with its own translation off (arm64: at EL1). prot:
 * MS_PROT_R, W or X. MS_GUEST_ERROR with -EINVAL: gpa is not aligned or prot none of these; nothing
 * was done.
 */
struct ms_guest_access ms_guest_touch(struct ms_vm *vm, ms_ipa_t gpa, unsigned int prot);
/** The same with prot MS_PROT_R, MS_PROT_W, MS_PROT_X. */
struct ms_guest_access ms_guest_read(struct ms_vm *vm, ms_ipa_t gpa);
struct ms_guest_access ms_guest_write(struct ms_vm *vm, ms_ipa_t gpa);
struct ms_guest_access ms_guest_exec(struct ms_vm *vm, ms_ipa_t gpa);

/**
 * A range that leaves of any sizes map without a gap, to pages that follow each other, all with the
 * same rights and type. Whether they are accessed or dirty does not count.
 */
struct ms_guest_run {
	ms_ipa_t ipa;
	uint64_t size;     ///< bytes
	ms_pa_t pa;        ///< of `ipa`
	unsigned int prot; ///< MS_PROT_*
	unsigned int bits; ///< x86: MS_TDP_HOST_WRITABLE and MS_TDP_MMU_WRITABLE
};
/**
 * The first run of leaves that overlaps [ipa, end), of both architectures: it begins where the leaf
 * does that has ipa, if there is one, and goes on over leaves that begin below end. false: none, or
 * the process is gone. One look at each leaf, and O(entries) where there is none.
 *
 *     for (ms_ipa_t at = 0; ms_guest_next_run(vm, at, UINT64_MAX, &run); at = run.ipa + run.size)
 */
bool ms_guest_next_run(const struct ms_vm *vm, ms_ipa_t ipa, ms_ipa_t end,
		       struct ms_guest_run *run);

/** The VM's stage-2 table, to look at. NULL: its process is gone, or it is a VM of x86. */
const struct ms_s2 *ms_vm_s2(const struct ms_vm *vm);
/** The x86 VM's nested table, to look at. NULL: its process is gone, or it is a VM of arm64. */
const struct ms_tdp *ms_vm_tdp(const struct ms_vm *vm);

/* ---- x86 ---- */

/**
 * KVM_PRE_FAULT_MEMORY of [gpa, gpa + size), bytes: maps as reads of the vCPU would. *left (may be
 * NULL): the bytes that were not done; 0 when something was done, whatever stopped it. -EINVAL: not
 * whole pages, or nothing, or a kernel without it (policy kvm_prefault), or arm64; -ENOENT: no
 * memslot; -EFAULT; -EINTR: a poisoned page, for which the process gets a signal; -EAGAIN: a
 * notifier is under way, and does not end; -EBUSY: a hook asks where a lock is held; -ENOMEM; -EIO.
 */
int ms_vm_prefault(struct ms_vm *vm, ms_ipa_t gpa, uint64_t size, uint64_t *left);

/** Parameters of the kvm module, of all VMs. x86; on arm64 nothing is done. */
enum ms_nx_huge_pages {
	MS_NX_HUGE_PAGES_OFF, ///< at first
	MS_NX_HUGE_PAGES_FORCE,
	MS_NX_HUGE_PAGES_AUTO, ///< on for a CPU with the erratum, which the model's has not
};
/** nx_huge_pages: a change zaps all of every VM. */
void ms_kvm_set_nx_huge_pages(struct ms_machine *m, enum ms_nx_huge_pages value);
/** eager_page_split, which is on at first. */
void ms_kvm_set_eager_page_split(struct ms_machine *m, bool on);
/** The thread that recovers what a fetch made small (nx_huge_pages), once, over everything. */
void ms_kvm_recover_nx_huge_pages(struct ms_machine *m);

#ifdef __cplusplus
}
#endif
#endif
