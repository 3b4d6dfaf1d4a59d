/* SPDX-License-Identifier: GPL-2.0-only */
/* The dirty log: KVM_GET_DIRTY_LOG and KVM_CLEAR_DIRTY_LOG. */
#include "kvm/internal.h"

// mirrors mark_page_dirty_in_slot(), virt/kvm/kvm_main.c, 5.10+
void ms_mark_page_dirty(struct ms_memslot *slot, ms_gfn_t gfn)
{
	uint64_t page = gfn - slot->base_gfn;

	if (slot->dirty)
		slot->dirty[page / 64] |= UINT64_C(1) << page % 64;
}

/* The slot with this number, which must be logged. -EINVAL: no such number; -ENOENT: no such
 * slot, or no log. */
static int logged_slot(struct ms_vm *vm, unsigned int id, struct ms_memslot **slot)
{
	if (id >= ms_user_mem_slots(vm))
		return -EINVAL;
	*slot = ms_id_to_memslot(vm, id);
	return *slot && (*slot)->dirty ? 0 : -ENOENT;
}

/* Moves the slot's bits to the caller's bitmap, and write-protects the pages of set bits. */
static void take_and_protect(struct ms_vm *vm, struct ms_memslot *slot, uint64_t *bitmap)
{
	bool flush = false;

	for (size_t i = 0; i < ms_slot_words(slot); i++) {
		bitmap[i] = slot->dirty[i];
		if (!bitmap[i])
			continue;
		slot->dirty[i] = 0;
		flush = true;
		ms_arch_log_dirty_masked(vm, slot, i, bitmap[i]);
	}
	if (flush)
		ms_vm_flush_tlbs(vm, ms_slot_gpa(vm, slot), ms_slot_bytes(vm, slot));
}

// mirrors kvm_get_dirty_log_protect(), virt/kvm/kvm_main.c, 5.10+
int ms_vm_get_dirty(struct ms_vm *vm, unsigned int id, uint64_t *bitmap, size_t words,
		    uint64_t *npages)
{
	struct ms_memslot *slot;
	int ret;

	if (!vm)
		return -EINVAL;
	if (!vm->mm)
		return -EIO;
	if (vm->mmu_locked)
		return -EBUSY;
	ret = logged_slot(vm, id, &slot);
	if (ret)
		return ret;
	if (!bitmap || words < ms_slot_words(slot))
		return -EINVAL;
	if (npages)
		*npages = slot->npages;
	if (vm->config.dirty_manual)
		memcpy(bitmap, slot->dirty, ms_slot_words(slot) * sizeof(*bitmap));
	else
		take_and_protect(vm, slot, bitmap);
	return 0;
}

static bool clear_range_is_sane(const struct ms_memslot *slot, uint64_t first, uint64_t npages)
{
	if (first > slot->npages || npages > slot->npages - first)
		return false;
	return npages == slot->npages - first || npages % 64 == 0;
}

// mirrors kvm_clear_dirty_log_protect(), virt/kvm/kvm_main.c, 5.10+
int ms_vm_clear_dirty(struct ms_vm *vm, unsigned int id, uint64_t first, uint64_t npages)
{
	struct ms_memslot *slot;
	bool flush = false;
	int ret;

	if (!vm)
		return -EINVAL;
	if (!vm->mm)
		return -EIO;
	if (vm->mmu_locked)
		return -EBUSY;
	if (id < ms_user_mem_slots(vm) && first % 64)
		return -EINVAL;
	ret = logged_slot(vm, id, &slot);
	if (ret)
		return ret;
	if (!clear_range_is_sane(slot, first, npages))
		return -EINVAL;
	// Whole words are cleared: the caller cannot name single bits here.
	for (uint64_t i = first / 64; i < first / 64 + (npages + 63) / 64; i++) {
		uint64_t mask = slot->dirty[i];

		if (!mask)
			continue;
		slot->dirty[i] = 0;
		flush = true;
		ms_arch_log_dirty_masked(vm, slot, i, mask);
	}
	if (flush)
		ms_vm_flush_tlbs(vm, ms_slot_gpa(vm, slot), ms_slot_bytes(vm, slot));
	return 0;
}
