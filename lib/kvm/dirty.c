/* SPDX-License-Identifier: GPL-2.0-only */
/* The dirty log: KVM_GET_DIRTY_LOG and KVM_CLEAR_DIRTY_LOG. */
#include "kvm/arch.h"

// mirrors mark_page_dirty_in_slot(), virt/kvm/kvm_main.c, 5.10+
void ms_mark_page_dirty(struct ms_memslot *slot, ms_gfn_t gfn)
{
	uint64_t page = gfn - slot->base_gfn;

	if (slot->dirty)
		slot->dirty[page / 64] |= UINT64_C(1) << page % 64;
}

/* -EIO, or -EBUSY where a hook asks. */
static int check_callable(const struct ms_vm *vm)
{
	if (!vm->mm)
		return ms_vm_refuse_gone(vm);
	if (vm->mmu_locked)
		return ms_refuse(vm->machine, -EBUSY,
				 "a hook asks, and what it interrupted holds the MMU lock of VM %u",
				 vm->id);
	return 0;
}

/* The slot with this number, which must be logged. -EINVAL: no such number; -ENOENT: no such
 * slot, or no log. */
static int logged_slot(struct ms_vm *vm, unsigned int id, struct ms_memslot **slot)
{
	if (id >= vm->arch->user_mem_slots(vm))
		return ms_refuse_slot_number(vm, id);
	*slot = ms_id_to_memslot(vm, id);
	if (!*slot)
		return ms_refuse(vm->machine, -ENOENT, "there is no slot %u", id);
	if (!(*slot)->dirty)
		return ms_refuse(vm->machine, -ENOENT, "slot %u has no dirty log", id);
	return 0;
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
		vm->arch->log_dirty(vm, slot, i, bitmap[i]);
	}
	if (flush)
		vm->arch->log_done(vm, slot);
}

// mirrors kvm_get_dirty_log_protect(), virt/kvm/kvm_main.c, 5.10+
int ms_vm_get_dirty(struct ms_vm *vm, unsigned int id, uint64_t *bitmap, size_t words,
		    uint64_t *npages)
{
	struct ms_memslot *slot;
	int ret;

	if (!vm)
		return -EINVAL;
	ret = check_callable(vm);
	if (ret)
		return ret;
	ret = logged_slot(vm, id, &slot);
	if (ret)
		return ret;
	if (!bitmap)
		return ms_refuse(vm->machine, -EINVAL, "no bitmap to copy the dirty log to");
	if (words < ms_slot_words(slot))
		return ms_refuse(vm->machine, -EINVAL,
				 "a bitmap of %u words: slot %u has %u pages, which take %u", words,
				 id, slot->npages, ms_slot_words(slot));
	if (npages)
		*npages = slot->npages;
	if (vm->config.dirty_manual)
		memcpy(bitmap, slot->dirty, ms_slot_words(slot) * sizeof(*bitmap));
	else
		take_and_protect(vm, slot, bitmap);
	return 0;
}

static int check_clear_range(const struct ms_vm *vm, const struct ms_memslot *slot, uint64_t first,
			     uint64_t npages)
{
	if (first > slot->npages || npages > slot->npages - first)
		return ms_refuse(vm->machine, -EINVAL,
				 "%u pages from page %u on: slot %u has %u pages", npages, first,
				 slot->id, slot->npages);
	if (npages != slot->npages - first && npages % 64)
		return ms_refuse(vm->machine, -EINVAL,
				 "%u pages from page %u on are no multiple of 64, and do not end "
				 "with slot %u",
				 npages, first, slot->id);
	return 0;
}

// mirrors kvm_clear_dirty_log_protect(), virt/kvm/kvm_main.c, 5.10+
int ms_vm_clear_dirty(struct ms_vm *vm, unsigned int id, uint64_t first, uint64_t npages)
{
	struct ms_memslot *slot;
	bool flush = false;
	int ret;

	if (!vm)
		return -EINVAL;
	ret = check_callable(vm);
	if (ret)
		return ret;
	if (id < vm->arch->user_mem_slots(vm) && first % 64)
		return ms_refuse(vm->machine, -EINVAL, "first page %u is no multiple of 64", first);
	ret = logged_slot(vm, id, &slot);
	if (!ret)
		ret = check_clear_range(vm, slot, first, npages);
	if (ret)
		return ret;
	// Whole words are cleared: the caller cannot name single bits here.
	for (uint64_t i = first / 64; i < first / 64 + (npages + 63) / 64; i++) {
		uint64_t mask = slot->dirty[i];

		if (!mask)
			continue;
		slot->dirty[i] = 0;
		flush = true;
		vm->arch->log_dirty(vm, slot, i, mask);
	}
	if (flush)
		vm->arch->log_done(vm, slot);
	return 0;
}
