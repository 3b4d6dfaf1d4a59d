/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a process tells its VMs by MMU notifiers: a range is invalidated, an entry has changed,
 * was a range used, the process ends.
 */
#include "kvm/arch.h"

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

/* The ranges that are being invalidated grow to one, until none is any more.
 * mirrors kvm_inc_notifier_count(), virt/kvm/kvm_main.c, 5.13 .. 5.19;
 * kvm_mmu_invalidate_range_add(), virt/kvm/kvm_main.c, 6.8+ */
static void add_hva(struct ms_vm *vm, ms_hva_t start, ms_hva_t end)
{
	struct ms_invalidated *all = &vm->invalidated;

	if (vm->invalidate_in_progress == 1)
		*all = (struct ms_invalidated){ .hva_start = start, .ipa_start = UINT64_MAX };
	all->hva_start = ms_min_u64(all->hva_start, start);
	all->hva_end = ms_max_u64(all->hva_end, end);
}

static void add_ipa(struct ms_vm *vm, ms_ipa_t ipa, uint64_t size)
{
	struct ms_invalidated *all = &vm->invalidated;

	all->ipa_start = ms_min_u64(all->ipa_start, ipa);
	all->ipa_end = ms_max_u64(all->ipa_end, ipa + size);
}

// mirrors kvm_mmu_notifier_invalidate_range_start(), virt/kvm/kvm_main.c, 5.10+;
// kvm_inc_notifier_count(), virt/kvm/kvm_main.c, 5.13 .. 5.19; kvm_mmu_invalidate_begin(),
// virt/kvm/kvm_main.c, 6.0 .. 7.1; kvm_mmu_invalidate_start(), virt/kvm/kvm_main.c, 7.2+
static void invalidate_range_start(struct ms_mmu_notifier *mn, struct ms_mm *mm, ms_hva_t start,
				   ms_hva_t end, enum ms_notifier_event event)
{
	const struct ms_hva_range range = { start, end };
	struct ms_vm *vm = notifier_to_vm(mn);
	struct ms_memslot *slot = ms_slot_first_in_hva(vm, &range);

	(void)mm;
	(void)event;
	vm->active_invalidate++;
	if (slot || counts_always(vm)) {
		vm->invalidate_in_progress++;
		add_hva(vm, start, end);
	}
	for (; slot; slot = ms_slot_next_in_hva(vm, &range, slot)) {
		ms_ipa_t ipa;
		uint64_t size;

		slot_part(vm, slot, &range, &ipa, &size);
		add_ipa(vm, ipa, size);
		vm->arch->unmap(vm, ipa, size);
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
		ms_violation_by(vm->machine, MS_VIOLATION_KERNEL,
				"kvm->mmu_invalidate_in_progress < 0", start, 0);
}

// mirrors kvm_mmu_notifier_change_pte(), virt/kvm/kvm_main.c, 5.10 .. 6.9
static void change_pte(struct ms_mmu_notifier *mn, struct ms_mm *mm, ms_hva_t addr, uint64_t entry)
{
	struct ms_vm *vm = notifier_to_vm(mn);
	const struct ms_machine *m = vm->machine;
	const struct ms_hva_range range = { addr, addr + m->page_size };
	const ms_pa_t pa = entry & MS_PTE_PA_MASK;
	struct ms_memslot *slot;

	(void)mm;
	if (m->policy.notifier_change_pte != MS_NOTIFIER_CHANGE_PTE_YES)
		return;
	if (counts_always(vm))
		vm->invalidate_seq++;
	else if (!vm->invalidate_in_progress)
		return;
	vm->arch->before_change_pte(vm, pa);
	for (slot = ms_slot_first_in_hva(vm, &range); slot;
	     slot = ms_slot_next_in_hva(vm, &range, slot)) {
		ms_ipa_t ipa;
		uint64_t size;

		slot_part(vm, slot, &range, &ipa, &size);
		vm->arch->change_pte(vm, ipa, entry);
	}
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
		young |= vm->arch->age(vm, ipa, size);
	}
	return young;
}

// mirrors kvm_mmu_notifier_test_young(), virt/kvm/kvm_main.c, 5.10+
static bool test_young(struct ms_mmu_notifier *mn, struct ms_mm *mm, ms_hva_t addr)
{
	struct ms_vm *vm = notifier_to_vm(mn);
	const struct ms_hva_range range = { addr, addr + vm->machine->page_size };
	bool young = false;

	(void)mm;
	for (struct ms_memslot *slot = ms_slot_first_in_hva(vm, &range); slot;
	     slot = ms_slot_next_in_hva(vm, &range, slot)) {
		ms_ipa_t ipa;
		uint64_t size;

		slot_part(vm, slot, &range, &ipa, &size);
		young |= vm->arch->test_age(vm, ipa);
	}
	return young;
}

/* The tables are freed; on x86 each entry is zapped before, on arm64 none is unmapped.
 * mirrors kvm_mmu_notifier_release() and kvm_flush_shadow_all(), virt/kvm/kvm_main.c, 5.10+;
 * kvm_arch_flush_shadow_all(), arch/arm64/kvm/mmu.c, 5.10 .. 6.1; kvm_arch_flush_shadow_all(),
 * arch/arm64/kvm/nested.c, 6.12+ */
static void release(struct ms_mmu_notifier *mn, struct ms_mm *mm)
{
	struct ms_vm *vm = notifier_to_vm(mn);

	(void)mm;
	vm->mm = NULL;
	vm->arch->table_free(vm);
}

const struct ms_mmu_notifier_ops ms_kvm_notifier_ops = {
	.invalidate_range_start = invalidate_range_start,
	.invalidate_range_end = invalidate_range_end,
	.change_pte = change_pte,
	.clear_young = clear_young,
	.test_young = test_young,
	.release = release,
};
