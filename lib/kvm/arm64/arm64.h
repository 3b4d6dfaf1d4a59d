/* SPDX-License-Identifier: GPL-2.0-only */
/* The inside of lib/kvm/arm64: the stage-2 table of a VM, and the faults that fill it. */
#ifndef MS_KVM_ARM64_H
#define MS_KVM_ARM64_H

#include "kvm/arch.h"

/* ---- slots.c ---- */

int ms_arm64_prepare_region(struct ms_vm *vm, const struct ms_memslot *old, struct ms_memslot *new,
			    enum ms_mr_change change);
void ms_arm64_commit_region(struct ms_vm *vm, const struct ms_memslot *old,
			    const struct ms_memslot *new, enum ms_mr_change change);
void ms_arm64_log_dirty(struct ms_vm *vm, const struct ms_memslot *slot, uint64_t word,
			uint64_t mask);
bool ms_kvm_supports_cacheable_pfnmap(const struct ms_machine *m);
/* Of a VMA's vm_page_prot. */
bool ms_kvm_is_cacheable(ms_pgprot_t prot);
bool ms_kvm_mte_refuses(const struct ms_vm *vm, uint64_t vm_flags);

/* ---- s2.c: stage-2 calls with their events ---- */

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

/* ---- an abort (abort.c, fault.c, block.c) ---- */

/* OK: the guest goes on; ERROR: *err, which was 0, says why. */
enum ms_guest_exit ms_arm64_handle_abort(struct ms_vm *vm, struct ms_abort *abort, int *err);

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

/* The table of a VM against its memslots and its process's page table (check_s2.c). */
void ms_check_stage2(struct ms_check *c, struct ms_vm *vm);

#endif
