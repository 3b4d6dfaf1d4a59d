/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the process tells its VMs: a range goes, an entry changed, was it used, the end.
 *
 * mirrors kvm_mmu_notifier_*(), virt/kvm/kvm_main.c, and kvm_unmap_gfn_range(), kvm_set_spte_gfn(),
 * kvm_age_gfn(), arch/arm64/kvm/mmu.c
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

/* The part of the range that a slot shows, as guest addresses. */
static void slot_part(const struct ms_vm *vm, const struct ms_memslot *slot,
		      const struct ms_hva_range *range, ms_ipa_t *ipa, uint64_t *size)
{
	ms_hva_t start = ms_max_u64(range->start, slot->hva);
	ms_hva_t end = ms_min_u64(range->end, slot->hva_end);
	uint64_t page = vm->machine->page_size;

	*ipa = ms_slot_gpa(vm, slot) + (ms_align_down(start, page) - slot->hva);
	*size = ms_align_up(end, page) - ms_align_down(start, page);
}

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

static void invalidate_range_end(struct ms_mmu_notifier *mn, struct ms_mm *mm, ms_hva_t start,
				 ms_hva_t end, enum ms_notifier_event event)
{
	const struct ms_hva_range range = { start, end };
	struct ms_vm *vm = notifier_to_vm(mn);

	(void)mm;
	(void)event;
	// A VM that a hook made since the start knows nothing of it.
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

/* kvm_set_spte_gfn(), up to 6.9: after copy-on-write the new page, read-only; no table is made */
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

/* kvm_age_gfn(); up to 6.4 kvm_pgtable_stage2_mkold() of the first address */
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

/* kvm_flush_shadow_all(): the tables are given back as they are */
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
