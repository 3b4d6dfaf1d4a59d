/* SPDX-License-Identifier: GPL-2.0-only */
/* Are the VMs consistent: their memslots in each of the three orders, and what they count? */
#include "kvm/arch.h"
#include "kvm/check.h"

#define SLOT "vm %u: slot %u at %#" PRIx64
#define SLOT_ARGS(w, slot) (w)->vm->id, (slot)->id, ms_slot_gpa((w)->vm, slot)

struct walk {
	struct ms_check *c;
	struct ms_vm *vm;
	const struct ms_memslot *before;
	size_t count;
	bool last_used; /* the slot used last was met */
};

/* ---- one slot ---- */

static void check_log(const struct walk *w, const struct ms_memslot *slot)
{
	const uint64_t rest = slot->npages % 64;

	if (!!slot->dirty != !!(slot->flags & MS_SLOT_LOG_DIRTY))
		ms_check_found(w->c, SLOT ": a dirty bitmap and no log, or a log without",
			       SLOT_ARGS(w, slot));
	else if (slot->dirty && rest && slot->dirty[slot->npages / 64] >> rest)
		ms_check_found(w->c, SLOT ": pages beyond its end are dirty", SLOT_ARGS(w, slot));
}

static void check_slot(const struct walk *w, const struct ms_memslot *slot)
{
	const struct ms_machine *m = w->vm->machine;
	const uint64_t bytes = ms_slot_bytes(w->vm, slot);

	if (!slot->npages || slot->id >= w->vm->arch->user_mem_slots(w->vm) ||
	    slot->flags & ~(MS_SLOT_LOG_DIRTY | MS_SLOT_READONLY))
		ms_check_found(w->c, SLOT ": empty, or a number or flag that does not exist",
			       SLOT_ARGS(w, slot));
	if (ms_slot_gpa(w->vm, slot) + bytes > UINT64_C(1) << w->vm->config.ipa_bits &&
	    !(ms_is_x86(m) && m->policy.slot_gpa_end == MS_SLOT_GPA_END_UNLIMITED))
		ms_check_found(w->c, SLOT ": beyond the IPA space", SLOT_ARGS(w, slot));
	if (!ms_aligned(slot->hva, m->page_size) || slot->hva_end != slot->hva + bytes ||
	    slot->hva_end > ms_user_end(w->vm))
		ms_check_found(w->c, SLOT ": its host range is wrong", SLOT_ARGS(w, slot));
	check_log(w, slot);
}

/* ---- the three orders ---- */

static void check_by_id(struct walk *w, const struct ms_memslot *slot)
{
	if (!slot)
		return;
	check_by_id(w, RB_LEFT(slot, by_id));
	if (w->before && w->before->id >= slot->id)
		ms_check_found(w->c, SLOT ": out of order among the numbers", SLOT_ARGS(w, slot));
	w->before = slot;
	w->count++;
	w->last_used |= slot == w->vm->slots.last_used;
	check_slot(w, slot);
	check_by_id(w, RB_RIGHT(slot, by_id));
}

static void check_by_gfn(struct walk *w, const struct ms_memslot *slot)
{
	if (!slot)
		return;
	check_by_gfn(w, RB_LEFT(slot, by_gfn));
	if (w->before && w->before->base_gfn + w->before->npages > slot->base_gfn)
		ms_check_found(w->c, SLOT ": overlaps slot %u, or is out of order",
			       SLOT_ARGS(w, slot), w->before->id);
	w->before = slot;
	w->count++;
	check_by_gfn(w, RB_RIGHT(slot, by_gfn));
}

/* Slots that begin at one host address are in order of their numbers, and no two have the same
 * age. */
static void check_hva_order(const struct walk *w, const struct ms_memslot *slot)
{
	const struct ms_memslot *before = w->before;

	if (!before || before->hva < slot->hva)
		return;
	if (before->hva > slot->hva || before->id >= slot->id)
		ms_check_found(w->c, SLOT ": out of order among the host addresses",
			       SLOT_ARGS(w, slot));
	for (unsigned int set = 0; set < 2; set++)
		if (before->age[set] == slot->age[set])
			ms_check_found(w->c, SLOT ": as old as slot %u", SLOT_ARGS(w, slot),
				       before->id);
}

/* Answers the largest end of the subtree's slots. */
static ms_hva_t check_by_hva(struct walk *w, const struct ms_memslot *slot)
{
	ms_hva_t end;

	if (!slot)
		return 0;
	end = ms_max_u64(check_by_hva(w, RB_LEFT(slot, by_hva)), slot->hva_end);
	check_hva_order(w, slot);
	w->before = slot;
	w->count++;
	end = ms_max_u64(end, check_by_hva(w, RB_RIGHT(slot, by_hva)));
	if (slot->max_hva_end != end)
		ms_check_found(w->c,
			       SLOT ": the host addresses below it end at %#" PRIx64
				    ", not %#" PRIx64,
			       SLOT_ARGS(w, slot), end, slot->max_hva_end);
	return end;
}

static void check_slots(struct ms_check *c, struct ms_vm *vm)
{
	const struct ms_memslots *slots = &vm->slots;
	struct walk ids = { .c = c, .vm = vm }, gfns = ids, hvas = ids;

	check_by_id(&ids, RB_ROOT(&slots->by_id));
	check_by_gfn(&gfns, RB_ROOT(&slots->by_gfn));
	check_by_hva(&hvas, RB_ROOT(&slots->by_hva));
	if (ids.count != gfns.count || ids.count != hvas.count)
		ms_check_found(c, "vm %u: %zu slots by number, %zu by guest, %zu by host address",
			       vm->id, ids.count, gfns.count, hvas.count);
	if (slots->last_used && !ids.last_used)
		ms_check_found(c, "vm %u: the slot used last is none any more", vm->id);
}

/* ---- the VM ---- */

static void check_idle(struct ms_check *c, const struct ms_vm *vm)
{
	if (vm->mmu_locked || vm->in_abort)
		ms_check_found(c, "vm %u: an abort has not come to its end", vm->id);
	if (vm->invalidate_in_progress || vm->active_invalidate)
		ms_check_found(c, "vm %u: %u invalidations go on, %u count", vm->id,
			       vm->active_invalidate, vm->invalidate_in_progress);
}

static void check_vm(struct ms_check *c, struct ms_vm *vm)
{
	vm->arch->check(c, vm);
	if (!vm->mm)
		return;
	if (!ms_check_is_registered(vm->mm, &vm->notifier))
		ms_check_found(c, "vm %u: its process does not notify it", vm->id);
	check_slots(c, vm);
	check_idle(c, vm);
}

void ms_kvm_check(struct ms_check *c)
{
	struct ms_vm *vm;
	uint32_t last = 0;

	TAILQ_FOREACH (vm, &c->machine->kvm->vms, link) {
		if (vm->id <= last || vm->id > c->machine->nr_vm_ids)
			ms_check_found(c, "vm %u: its number is out of order", vm->id);
		last = vm->id;
		check_vm(c, vm);
	}
}
