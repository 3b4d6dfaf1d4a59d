/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of lib/kvm/x86: the nested table of a VM, and the faults that fill it.
 * - arch.c: configuration, the hardware's walk, the table of functions
 * - fault.c: a page fault of the guest: fast, mapped, emulated; prefault
 * - level.c: how large an entry may be
 * - tdp.c: the VM's table, and its changes as events
 * - slots.c: what a change of a slot does, dirty logs
 * - nx.c: tables that a fetch has made small (nx_huge_pages), and how they are recovered
 * - check_tdp.c: is it whole?
 */
#ifndef MS_KVM_X86_H
#define MS_KVM_X86_H

#include "kvm/arch.h"

#define MS_PAGE_SHIFT 12u /* there are no others on x86 */

/* ---- tdp.c ---- */

int ms_x86_table_new(struct ms_vm *vm);
void ms_x86_table_free(struct ms_vm *vm);
/* kvm_mmu_zap_all_fast(): everything goes. */
void ms_x86_zap_all_fast(struct ms_vm *vm);
static inline ms_ipa_t ms_x86_block(ms_ipa_t ipa, unsigned int level)
{
	return ms_align_down(ipa, ms_tdp_level_size(level));
}

/* ---- level.c ---- */

struct ms_x86_level {
	unsigned int level;
	enum ms_kvm_reason why;
};
/* Whether the slot allows an entry of this level around a guest address. */
bool ms_x86_slot_allows(const struct ms_vm *vm, const struct ms_memslot *slot, ms_ipa_t ipa,
			unsigned int level);
/* The largest level that slot and host allow. */
struct ms_x86_level ms_x86_max_level(const struct ms_vm *vm, const struct ms_memslot *slot,
				     ms_ipa_t ipa);

/* ---- fault.c ---- */

enum ms_guest_exit ms_x86_handle_fault(struct ms_vm *vm, struct ms_abort *abort, int *err);
/* Whether a mark was made since the slots changed last. */
bool ms_x86_mark_is_valid(const struct ms_vm *vm, const struct ms_tdp_mark *mark);

/* ---- slots.c ---- */

int ms_x86_prepare_region(struct ms_vm *vm, const struct ms_memslot *old, struct ms_memslot *new,
			  enum ms_mr_change change);
void ms_x86_commit_region(struct ms_vm *vm, const struct ms_memslot *old,
			  const struct ms_memslot *new, enum ms_mr_change change);
void ms_x86_flush_slot(struct ms_vm *vm, const struct ms_memslot *slot);
void ms_x86_log_dirty(struct ms_vm *vm, const struct ms_memslot *slot, uint64_t word,
		      uint64_t mask);

/* ---- nx.c ---- */

/* A table that is there because a fetch wanted a page where nx_huge_pages forbids a block. */
struct ms_nx_table {
	RB_ENTRY(ms_nx_table) by_place;
	TAILQ_ENTRY(ms_nx_table) by_age; /* of those that could have been a block */
	ms_ipa_t ipa;
	unsigned int level; /* of the entry that points to it */
	bool recoverable;
};

/* is_nx_huge_page_enabled() */
bool ms_x86_nx_enabled(const struct ms_vm *vm);
/* nx_huge_page_disallowed of the table that the entry of this level points to. */
bool ms_x86_nx_disallowed(struct ms_vm *vm, ms_ipa_t ipa, unsigned int level);
/* Notes it; recoverable: possible_nx_huge_pages. -ENOMEM. */
int ms_x86_nx_track(struct ms_vm *vm, ms_ipa_t ipa, unsigned int level, bool recoverable);
/* Tables of the range may have gone: forgets those that did. */
void ms_x86_nx_forget_gone(struct ms_vm *vm, ms_ipa_t ipa, uint64_t size);
void ms_x86_nx_forget_all(struct ms_vm *vm);
void ms_x86_nx_check(struct ms_check *c, struct ms_vm *vm);

/* ---- check_tdp.c ---- */

void ms_x86_check(struct ms_check *c, struct ms_vm *vm);

#endif
