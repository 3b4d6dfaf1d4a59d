/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM_SET_USER_MEMORY_REGION: what may change, and in which order it is done. */
#include "kvm/arch.h"

#define KVM_MEM_MAX_NR_PAGES ((UINT64_C(1) << 31) - 1)

struct region {
	unsigned int id;
	unsigned int flags;
	ms_ipa_t gpa;
	uint64_t size;
	ms_hva_t hva;
};

// mirrors USER_DS, arch/arm64/include/asm/processor.h, 5.10 .. 5.10; TASK_SIZE_MAX,
// arch/arm64/include/asm/processor.h, 5.11+; valid_user_address(),
// arch/x86/include/asm/uaccess_64.h, 6.4+
ms_hva_t ms_user_end(const struct ms_vm *vm)
{
	switch (vm->machine->policy.slot_hva_end) {
	case MS_SLOT_HVA_END_TASK_SIZE:
		break;
	case MS_SLOT_HVA_END_52_BITS:
		return UINT64_C(1) << 52;
	case MS_SLOT_HVA_END_SIGN_BIT:
		return (UINT64_C(1) << 63) - 1;
	}
	return ms_task_size(vm->machine);
}

/* Whatever is refused here is EINVAL.
 * mirrors check_memory_region_flags(), virt/kvm/kvm_main.c, 5.10+; __kvm_set_memory_region(),
 * virt/kvm/kvm_main.c, 5.10 .. 6.12: its first checks */
static int check_region(const struct ms_vm *vm, const struct region *r)
{
	struct ms_machine *m = vm->machine;
	ms_hva_t end = ms_user_end(vm);

	if (r->id >= vm->arch->user_mem_slots(vm))
		return ms_refuse_slot_number(vm, r->id);
	if (r->flags & ~(MS_SLOT_LOG_DIRTY | MS_SLOT_READONLY))
		return ms_refuse(m, -EINVAL, "slot %u: flags %x, of which %x are known", r->id,
				 r->flags, MS_SLOT_LOG_DIRTY | MS_SLOT_READONLY);
	if (!ms_aligned(r->size | r->gpa | r->hva, m->page_size))
		return ms_refuse(m, -EINVAL,
				 "slot %u: gpa %x, size %x and hva %x are not all multiples of %x",
				 r->id, r->gpa, r->size, r->hva, m->page_size);
	if (r->size > end || r->hva > end - r->size)
		return ms_refuse(m, -EINVAL,
				 "slot %u: %x bytes from hva %x on reach beyond user space, "
				 "which ends at %x",
				 r->id, r->size, r->hva, end);
	if (r->gpa + r->size < r->gpa)
		return ms_refuse(m, -EINVAL, "slot %u: %x bytes from gpa %x on wrap around", r->id,
				 r->size, r->gpa);
	if (r->size >> m->page_shift > KVM_MEM_MAX_NR_PAGES)
		return ms_refuse(m, -EINVAL, "slot %u: %u pages, a slot has at most %u", r->id,
				 r->size >> m->page_shift, KVM_MEM_MAX_NR_PAGES);
	return 0;
}

static int check_overlap(struct ms_vm *vm, unsigned int id, ms_gfn_t start, ms_gfn_t end)
{
	const struct ms_memslot *other = ms_memslot_overlap(vm, id, start, end);
	const unsigned int shift = vm->machine->page_shift;

	if (!other)
		return 0;
	return ms_refuse(vm->machine, -EEXIST, "slot %u of [%x, %x): slot %u has [%x, %x)", id,
			 start << shift, end << shift, other->id, ms_slot_gpa(vm, other),
			 ms_slot_gpa(vm, other) + ms_slot_bytes(vm, other));
}

/* With KVM_DIRTY_LOG_INITIALLY_SET all bits are set.
 * mirrors kvm_alloc_dirty_bitmap(), virt/kvm/kvm_main.c, 5.10+ */
static int alloc_dirty_bitmap(struct ms_vm *vm, struct ms_memslot *slot)
{
	slot->dirty = ms_calloc(&vm->machine->alloc, ms_slot_words(slot), sizeof(*slot->dirty));
	if (!slot->dirty)
		return -ENOMEM;
	if (!vm->config.dirty_initset)
		return 0;
	for (uint64_t page = 0; page < slot->npages; page++)
		slot->dirty[page / 64] |= UINT64_C(1) << page % 64;
	return 0;
}

/*
 * `new` gets the bitmap that it is to have, the old slot's or one of its own; after an error it has
 * none of its own.
 * mirrors kvm_prepare_memory_region(), virt/kvm/kvm_main.c, 6.1+
 */
static int prepare(struct ms_vm *vm, const struct ms_memslot *old, struct ms_memslot *new,
		   enum ms_mr_change change)
{
	const bool has_one = old && old->dirty;
	int ret;

	new->dirty = NULL;
	if (new->flags & MS_SLOT_LOG_DIRTY) {
		if (has_one)
			new->dirty = old->dirty;
		else if (alloc_dirty_bitmap(vm, new))
			return -ENOMEM;
	}
	ret = vm->arch->prepare_region(vm, old, new, change);
	if (ret && !has_one) {
		ms_free(&vm->machine->alloc, new->dirty);
		new->dirty = NULL;
	}
	return ret;
}

/* The slot enters the inactive set, the sets are swapped, and it enters the one that was active.
 * mirrors kvm_activate_memslot(), virt/kvm/kvm_main.c, 6.1+ */
static void activate(struct ms_vm *vm, struct ms_memslot *slot)
{
	ms_memslot_renew(vm, slot, 1);
	ms_memslots_swap(vm);
	ms_memslot_renew(vm, slot, 1);
}

// mirrors kvm_create_memslot(), virt/kvm/kvm_main.c, 6.1+
static int create_slot(struct ms_vm *vm, const struct region *r)
{
	const struct ms_machine *m = vm->machine;
	struct ms_memslot *slot;
	int ret;

	ret = check_overlap(vm, r->id, r->gpa >> m->page_shift,
			    (r->gpa + r->size) >> m->page_shift);
	if (ret)
		return ret;
	slot = ms_zalloc(&vm->machine->alloc, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	slot->id = r->id;
	slot->flags = r->flags;
	slot->base_gfn = r->gpa >> m->page_shift;
	slot->npages = r->size >> m->page_shift;
	slot->hva = r->hva;
	ret = prepare(vm, NULL, slot, MS_MR_CREATE);
	if (ret) {
		ms_memslot_free(vm, slot);
		return ret;
	}
	ms_memslot_insert(vm, slot);
	activate(vm, slot);
	vm->slots.generation++;
	vm->arch->commit_region(vm, NULL, slot, MS_MR_CREATE);
	return 0;
}

// mirrors kvm_delete_memslot(), virt/kvm/kvm_main.c, 5.10+
static int delete_slot(struct ms_vm *vm, struct ms_memslot *slot)
{
	vm->arch->flush_slot(vm, slot);
	ms_memslot_remove(vm, slot);
	vm->slots.generation++;
	vm->arch->commit_region(vm, slot, NULL, MS_MR_DELETE);
	ms_memslot_free(vm, slot);
	return 0;
}

/* The slot becomes what `new` says.
 * mirrors kvm_update_flags_memslot() and kvm_commit_memory_region(), virt/kvm/kvm_main.c, 6.1+ */
static void commit_change(struct ms_vm *vm, struct ms_memslot *slot, const struct ms_memslot *new,
			  enum ms_mr_change change)
{
	const struct ms_memslot old = *slot;

	if (slot->base_gfn != new->base_gfn)
		ms_memslot_rebase(vm, slot, new->base_gfn);
	slot->flags = new->flags;
	slot->dirty = new->dirty;
	activate(vm, slot);
	vm->slots.generation++;
	vm->arch->commit_region(vm, &old, slot, change);
	if (old.dirty != slot->dirty)
		ms_free(&vm->machine->alloc, old.dirty);
}

// mirrors kvm_move_memslot(), virt/kvm/kvm_main.c, 6.1+
static int move_slot(struct ms_vm *vm, struct ms_memslot *slot, struct ms_memslot *new)
{
	int ret;

	vm->arch->flush_slot(vm, slot);
	ret = prepare(vm, slot, new, MS_MR_MOVE);
	if (ret) {
		// The kernel had marked the slot invalid in one set, and puts it back there: in
		// that set alone it is now behind the others of its host address.
		ms_memslot_renew(vm, slot, 1);
		vm->slots.generation++;
		return ret;
	}
	commit_change(vm, slot, new, MS_MR_MOVE);
	return 0;
}

/* What of a live slot nobody may change. */
static int check_unchanged(const struct ms_vm *vm, const struct ms_memslot *slot,
			   const struct region *r)
{
	if (r->size != ms_slot_bytes(vm, slot))
		return ms_refuse(vm->machine, -EINVAL,
				 "slot %u is in use: its size %x cannot become %x", r->id,
				 ms_slot_bytes(vm, slot), r->size);
	if (r->hva != slot->hva)
		return ms_refuse(vm->machine, -EINVAL,
				 "slot %u is in use: its hva %x cannot become %x", r->id, slot->hva,
				 r->hva);
	if ((r->flags ^ slot->flags) & MS_SLOT_READONLY)
		return ms_refuse(vm->machine, -EINVAL,
				 "slot %u is in use: it cannot change between read-only and "
				 "writable",
				 r->id);
	return 0;
}

static int modify_slot(struct ms_vm *vm, struct ms_memslot *slot, const struct region *r)
{
	const struct ms_machine *m = vm->machine;
	struct ms_memslot new = *slot;
	int ret;

	ret = check_unchanged(vm, slot, r);
	if (ret)
		return ret;
	new.base_gfn = r->gpa >> m->page_shift;
	new.flags = r->flags;
	if (new.base_gfn != slot->base_gfn) {
		ret = check_overlap(vm, r->id, new.base_gfn, new.base_gfn + new.npages);
		return ret ? ret : move_slot(vm, slot, &new);
	}
	if (new.flags == slot->flags)
		return 0;
	ret = prepare(vm, slot, &new, MS_MR_FLAGS_ONLY);
	if (ret)
		return ret;
	commit_change(vm, slot, &new, MS_MR_FLAGS_ONLY);
	return 0;
}

/* A hook asks, and the kernel would wait for what the hook has interrupted: in
 * synchronize_srcu() for an abort, or for mn_active_invalidate_count to become 0. */
static int check_wait(const struct ms_vm *vm)
{
	if (vm->in_abort)
		return ms_refuse(vm->machine, -EBUSY,
				 "a hook asks, and the kernel would wait for the end of VM %u's "
				 "abort",
				 vm->id);
	if (vm->active_invalidate &&
	    vm->machine->policy.slot_update == MS_SLOT_UPDATE_WAITS_FOR_NOTIFIERS)
		return ms_refuse(vm->machine, -EBUSY,
				 "a hook asks, and the kernel would wait for the end of a notifier "
				 "of VM %u",
				 vm->id);
	return 0;
}

static int set_slot(struct ms_vm *vm, const struct region *r)
{
	int ret = check_region(vm, r);
	struct ms_memslot *slot;

	if (!ret)
		ret = check_wait(vm);
	if (ret)
		return ret;
	slot = ms_id_to_memslot(vm, r->id);
	if (r->size)
		return slot ? modify_slot(vm, slot, r) : create_slot(vm, r);
	if (slot)
		return delete_slot(vm, slot);
	return ms_refuse(vm->machine, -EINVAL, "there is no slot %u to delete", r->id);
}

// mirrors __kvm_set_memory_region(), virt/kvm/kvm_main.c, 5.10 .. 6.12; kvm_set_memory_region() and
// kvm_set_memslot(), virt/kvm/kvm_main.c, 5.10+
int ms_vm_set_slot(struct ms_vm *vm, unsigned int id, ms_ipa_t gpa, uint64_t size, ms_hva_t hva,
		   unsigned int flags)
{
	const struct region r = { .id = id, .flags = flags, .gpa = gpa, .size = size, .hva = hva };
	uint64_t before;

	if (!vm)
		return -EINVAL;
	if (!vm->mm)
		return ms_vm_refuse_gone(vm);
	before = ms_refusals(vm->machine);
	return (int)ms_answered(vm->machine, before, set_slot(vm, &r), NULL);
}

uint64_t ms_vm_slot_pages(const struct ms_vm *vm, unsigned int id)
{
	const struct ms_memslot *slot = vm ? ms_id_to_memslot(vm, id) : NULL;

	return slot ? slot->npages : 0;
}
