/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a process tells its VMs by MMU notifiers: a range is invalidated, an entry has changed,
 * was a range used, the process ends.
 */
#include "kvm/internal.h"

static struct ms_vm *notifier_to_vm(struct ms_mmu_notifier *mn)
{
	return (struct ms_vm *)(void *)((char *)mn - offsetof(struct ms_vm, notifier));
}

static bool counts_always(const struct ms_vm *vm)
{
	return vm->machine->policy.notifier_counts == MS_NOTIFIER_COUNTS_ALWAYS;
}

/* The part of the range that a slot shows, in guest addresses. */
static void slot_part(const struct ms_vm *vm, const struct ms_memslot *slot,
		      const struct ms_hva_range *range, ms_ipa_t *ipa, uint64_t *size)
{
	ms_hva_t start = ms_max_u64(range->start, slot->hva);
	ms_hva_t end = ms_min_u64(range->end, slot->hva_end);
	uint64_t page = vm->machine->page_size;

	*ipa = ms_slot_gpa(vm, slot) + (ms_align_down(start, page) - slot->hva);
	*size = ms_align_up(end, page) - ms_align_down(start, page);
}

// mirrors kvm_mmu_notifier_invalidate_range_start(), virt/kvm/kvm_main.c, 5.10+;
// kvm_inc_notifier_count(), virt/kvm/kvm_main.c, 5.13 .. 5.19; kvm_mmu_invalidate_begin(),
// virt/kvm/kvm_main.c, 6.0 .. 7.1; kvm_mmu_invalidate_start(), virt/kvm/kvm_main.c, 7.2+;
// kvm_unmap_hva_handler(), arch/arm64/kvm/mmu.c, 5.10 .. 5.12; kvm_unmap_gfn_range(),
// arch/arm64/kvm/mmu.c, 5.13+
static void invalidate_range_start(struct ms_mmu_notifier *mn, struct ms_mm *mm, ms_hva_t start,
				   ms_hva_t end, enum ms_notifier_event event)
{
	const struct ms_hva_range range = { start, end };
	struct ms_vm *vm = notifier_to_vm(mn);
	struct ms_memslot *slot = ms_slot_first_in_hva(vm, &range);

	(void)mm;
	(void)event;
	vm->active_invalidate++;
	if (slot || counts_always(vm))
		vm->invalidate_in_progress++;
	for (; slot; slot = ms_slot_next_in_hva(vm, &range, slot)) {
		ms_ipa_t ipa;
		uint64_t size;

		slot_part(vm, slot, &range, &ipa, &size);
		ms_vm_s2_unmap_range(vm, ipa, size);
	}
}

// mirrors kvm_mmu_notifier_invalidate_range_end(), virt/kvm/kvm_main.c, 5.10+;
// kvm_mmu_invalidate_end(), virt/kvm/kvm_main.c, 6.0+
static void invalidate_range_end(struct ms_mmu_notifier *mn, struct ms_mm *mm, ms_hva_t start,
				 ms_hva_t end, enum ms_notifier_event event)
{
	const struct ms_hva_range range = { start, end };
	struct ms_vm *vm = notifier_to_vm(mn);

	(void)mm;
	(void)event;
	// A VM that a hook has made since the start was not told of the start.
	if (!vm->active_invalidate)
		return;
	vm->active_invalidate--;
	if (!counts_always(vm) && !ms_slot_first_in_hva(vm, &range))
		return;
	vm->invalidate_seq++;
	if (vm->invalidate_in_progress)
		vm->invalidate_in_progress--;
	else
		ms_violation(vm->machine, "kvm->mmu_invalidate_in_progress < 0", start);
}

/* After a copy-on-write the new page is mapped read-only, if no table has to be made for it.
 * mirrors kvm_mmu_notifier_change_pte(), virt/kvm/kvm_main.c, 5.10 .. 6.9;
 * kvm_set_spte_hva() and kvm_set_spte_handler(), arch/arm64/kvm/mmu.c, 5.10 .. 5.12;
 * kvm_set_spte_gfn(), arch/arm64/kvm/mmu.c, 5.13 .. 6.9 */
static void change_pte(struct ms_mmu_notifier *mn, struct ms_mm *mm, ms_hva_t addr, uint64_t entry)
{
	struct ms_vm *vm = notifier_to_vm(mn);
	const struct ms_machine *m = vm->machine;
	const struct ms_hva_range range = { addr, addr + m->page_size };
	ms_pa_t pa = entry & MS_PTE_PA_MASK;
	struct ms_memslot *slot;

	(void)mm;
	if (m->policy.notifier_change_pte != MS_NOTIFIER_CHANGE_PTE_YES)
		return;
	if (counts_always(vm))
		vm->invalidate_seq++;
	else if (!vm->invalidate_in_progress)
		return;
	if (m->policy.s2_cmo_at == MS_S2_CMO_AT_ABORT && !ms_has(m->config.fwb))
		ms_vm_cmo(vm, MS_CMO_DCACHE_CLEAN, pa, m->page_size);
	for (slot = ms_slot_first_in_hva(vm, &range); slot;
	     slot = ms_slot_next_in_hva(vm, &range, slot)) {
		ms_ipa_t ipa;
		uint64_t size;

		slot_part(vm, slot, &range, &ipa, &size);
		ms_vm_s2_map(vm, ipa, m->page_size, pa, MS_PROT_R, NULL, MS_WHY_CHANGE_PTE);
	}
}

/* Up to 6.4 only the leaf at the first address is asked, by kvm_pgtable_stage2_mkold().
 * mirrors kvm_age_hva_handler(), arch/arm64/kvm/mmu.c, 5.10 .. 5.12; kvm_age_gfn(),
 * arch/arm64/kvm/mmu.c, 5.13+ */
static bool age_range(struct ms_vm *vm, ms_ipa_t ipa, uint64_t size)
{
	const struct ms_machine *m = vm->machine;

	if (m->policy.s2_age == MS_S2_AGE_RANGE)
		return ms_s2_test_clear_young(vm->s2, ipa, size, true);
	if (size != m->page_size && size != ms_pmd_size(m) && size != ms_pud_size(m))
		ms_violation(vm->machine,
			     "size != PAGE_SIZE && size != PMD_SIZE && size != PUD_SIZE", ipa);
	return ms_s2_test_clear_young(vm->s2, ipa, m->page_size, true);
}

// mirrors kvm_mmu_notifier_clear_flush_young() and kvm_mmu_notifier_clear_young(),
// virt/kvm/kvm_main.c, 5.10+
static bool clear_young(struct ms_mmu_notifier *mn, struct ms_mm *mm, ms_hva_t start, ms_hva_t end)
{
	const struct ms_hva_range range = { start, end };
	struct ms_vm *vm = notifier_to_vm(mn);
	bool young = false;

	(void)mm;
	for (struct ms_memslot *slot = ms_slot_first_in_hva(vm, &range); slot;
	     slot = ms_slot_next_in_hva(vm, &range, slot)) {
		ms_ipa_t ipa;
		uint64_t size;

		slot_part(vm, slot, &range, &ipa, &size);
		young |= age_range(vm, ipa, size);
	}
	return young;
}

/* The tables are freed as they are, without unmapping anything.
 * mirrors kvm_mmu_notifier_release() and kvm_flush_shadow_all(), virt/kvm/kvm_main.c, 5.10+;
 * kvm_arch_flush_shadow_all(), arch/arm64/kvm/mmu.c, 5.10 .. 6.1; kvm_arch_flush_shadow_all(),
 * arch/arm64/kvm/nested.c, 6.12+ */
static void release(struct ms_mmu_notifier *mn, struct ms_mm *mm)
{
	struct ms_vm *vm = notifier_to_vm(mn);

	(void)mm;
	vm->mm = NULL;
	ms_vm_s2_free(vm);
}

const struct ms_mmu_notifier_ops ms_kvm_notifier_ops = {
	.invalidate_range_start = invalidate_range_start,
	.invalidate_range_end = invalidate_range_end,
	.change_pte = change_pte,
	.clear_young = clear_young,
	.release = release,
};
