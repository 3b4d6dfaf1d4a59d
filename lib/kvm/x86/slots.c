/* SPDX-License-Identifier: GPL-2.0-only */
/* What x86 does about slots: refusals, entries that go, and those that are protected for a dirty
 * log or made large again after it. */
#include "kvm/x86/x86.h"

/* From 5.18 on a slot may not reach beyond the physical address bits.
 * mirrors kvm_arch_prepare_memory_region(), arch/x86/kvm/x86.c, 5.10+ */
int ms_x86_prepare_region(struct ms_vm *vm, const struct ms_memslot *old, struct ms_memslot *new,
			  enum ms_mr_change change)
{
	const ms_ipa_t limit = ms_tdp_limit(vm->x86.tdp);
	const ms_ipa_t start = ms_slot_gpa(vm, new), end = start + ms_slot_bytes(vm, new);

	(void)old;
	if ((change != MS_MR_CREATE && change != MS_MR_MOVE) || end <= limit ||
	    vm->machine->policy.slot_gpa_end == MS_SLOT_GPA_END_UNLIMITED)
		return 0;
	return ms_refuse(vm->machine, -EINVAL, "slot %u ends at %x: guests have addresses below %x",
			 new->id, end, limit);
}

static void protect(struct ms_vm *vm, ms_ipa_t ipa, uint64_t size)
{
	ms_tdp_wrprotect(vm->x86.tdp, ipa, size, MS_TDP_4K, MS_TDP_PROTECT_WRITE);
}

/* If it is switched on, and best effort: without memory some stay large.
 * mirrors kvm_mmu_slot_try_split_huge_pages() and kvm_mmu_try_split_huge_pages(),
 * arch/x86/kvm/mmu/mmu.c, 6.1+ */
static void try_split(struct ms_vm *vm, ms_ipa_t ipa, uint64_t size, unsigned int level)
{
	if (vm->machine->kvm->no_eager_page_split ||
	    vm->machine->policy.tdp_eager_split == MS_TDP_EAGER_SPLIT_ABSENT)
		return;
	ms_tdp_split(vm->x86.tdp, ipa, size, level);
	vm->mapped_size = 0;
}

static bool may_recover(void *ctx, ms_ipa_t ipa, unsigned int level)
{
	struct ms_vm *vm = ctx;
	const struct ms_memslot *slot = ms_gfn_to_memslot(vm, ipa >> MS_PAGE_SHIFT);

	return slot && ms_x86_max_level(vm, slot, ipa).level >= level;
}

/* mirrors kvm_mmu_slot_apply_flags(), arch/x86/kvm/x86.c, 5.10+; kvm_mmu_zap_collapsible_sptes(),
 * arch/x86/kvm/mmu/mmu.c, 5.10 .. 6.12; kvm_mmu_recover_huge_pages(), arch/x86/kvm/mmu/mmu.c, 7.2+;
 * kvm_mmu_slot_remove_write_access(), arch/x86/kvm/mmu/mmu.c, 5.10+ */
static void apply_flags(struct ms_vm *vm, const struct ms_memslot *slot)
{
	const ms_ipa_t ipa = ms_slot_gpa(vm, slot);
	const uint64_t size = ms_slot_bytes(vm, slot);

	if (!(slot->flags & MS_SLOT_LOG_DIRTY)) {
		ms_tdp_recover(vm->x86.tdp, ipa, size, may_recover, vm);
		ms_x86_nx_forget_gone(vm, ipa, size);
		vm->mapped_size = 0;
		return;
	}
	// With all bits set from the start, clearing them write-protects little by little.
	if (vm->config.dirty_initset)
		return;
	try_split(vm, ipa, size, MS_TDP_4K);
	protect(vm, ipa, size);
}

// mirrors kvm_arch_commit_memory_region(), arch/x86/kvm/x86.c, 5.10+
void ms_x86_commit_region(struct ms_vm *vm, const struct ms_memslot *old,
			  const struct ms_memslot *new, enum ms_mr_change change)
{
	if (change == MS_MR_FLAGS_ONLY && !(new->flags &MS_SLOT_READONLY) &&
	    (old->flags ^ new->flags) & MS_SLOT_LOG_DIRTY)
		apply_flags(vm, new);
}

// mirrors kvm_arch_flush_shadow_memslot(), arch/x86/kvm/x86.c, 5.10 .. 6.1;
// kvm_arch_flush_shadow_memslot(), arch/x86/kvm/mmu/mmu.c, 6.12+; kvm_mmu_zap_memslot(),
// arch/x86/kvm/mmu/mmu.c, 6.12+
void ms_x86_flush_slot(struct ms_vm *vm, const struct ms_memslot *slot)
{
	const ms_ipa_t ipa = ms_slot_gpa(vm, slot);
	const uint64_t size = ms_slot_bytes(vm, slot);

	if (!vm->config.zap_slot) {
		ms_x86_zap_all_fast(vm);
		return;
	}
	MS_EMIT(vm->machine, .type = MS_EV_S2_UNMAP, .vm = vm->id, .ipa = ipa, .size = size);
	ms_tdp_zap(vm->x86.tdp, ipa, size);
}

/* Up to 6.7 a block that begins with the last page stays whole. */
static void split_cleared(struct ms_vm *vm, ms_ipa_t start, ms_ipa_t last)
{
	if (vm->machine->policy.tdp_eager_split == MS_TDP_EAGER_SPLIT_PRESENT)
		try_split(vm, start, last + MS_4K - start, MS_TDP_4K);
	else if (start < last)
		try_split(vm, start, last - start, MS_TDP_4K);
	else if (!ms_aligned(last, MS_2M))
		try_split(vm, last, MS_4K, MS_TDP_4K);
	else if (!ms_aligned(last, MS_1G))
		try_split(vm, last, MS_4K, MS_TDP_2M);
}

/*
 * The huge entries around the word's pages: split, and what is still huge protected for good.
 * Whether the last page is in another block than the first is asked of where the blocks end, so
 * that a block that begins with the last page is missed: the guest writes to it, and the log does
 * not know.
 *
 *                    2M               2M               2M
 *  first to last     |           *----*                |        the second block stays writable
 *                    |           *----|--*             |        it is protected
 *
 * mirrors kvm_arch_mmu_enable_log_dirty_pt_masked(), arch/x86/kvm/mmu/mmu.c, 5.10+;
 * kvm_mmu_slot_gfn_write_protect(), arch/x86/kvm/mmu/mmu.c, 5.10+
 */
static void protect_huge(struct ms_vm *vm, ms_ipa_t start, ms_ipa_t last)
{
	split_cleared(vm, start, last);
	ms_tdp_wrprotect(vm->x86.tdp, start, MS_4K, MS_TDP_2M, MS_TDP_PROTECT_FOR_GOOD);
	if (ms_align_up(start, MS_2M) != ms_align_up(last, MS_2M))
		ms_tdp_wrprotect(vm->x86.tdp, last, MS_4K, MS_TDP_2M, MS_TDP_PROTECT_FOR_GOOD);
}

// mirrors kvm_mmu_write_protect_pt_masked(), arch/x86/kvm/mmu/mmu.c, 5.10 .. 6.12;
// kvm_tdp_mmu_clear_dirty_pt_masked(), arch/x86/kvm/mmu/tdp_mmu.c, 5.10+
void ms_x86_log_dirty(struct ms_vm *vm, const struct ms_memslot *slot, uint64_t word, uint64_t mask)
{
	const ms_ipa_t first = (slot->base_gfn + word * 64) << MS_PAGE_SHIFT;
	const unsigned int low = (unsigned int)__builtin_ctzll(mask);
	const unsigned int high = 63 - (unsigned int)__builtin_clzll(mask);

	if (vm->config.dirty_initset)
		protect_huge(vm, first + ((ms_ipa_t)low << MS_PAGE_SHIFT),
			     first + ((ms_ipa_t)high << MS_PAGE_SHIFT));
	ms_tdp_wrprotect_word(vm->x86.tdp, first, mask, MS_TDP_PROTECT_WRITE);
}
