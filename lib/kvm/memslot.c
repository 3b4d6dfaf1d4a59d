/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memslots of a VM: by number, by guest address, by host address.
 *
 * From 5.17 on the kernel has two sets of slots, of which one is in use; a change is made to the
 * other, the two are swapped, and the change is repeated. The trees of both hold the same slots;
 * the one thing in which they can differ is the order among slots that begin at the same host
 * address, so that is all that is kept twice.
 */
#include "kvm/arch.h"

static int cmp_id(const struct ms_memslot *a, const struct ms_memslot *b)
{
	return (a->id > b->id) - (a->id < b->id);
}

static int cmp_gfn(const struct ms_memslot *a, const struct ms_memslot *b)
{
	return (a->base_gfn > b->base_gfn) - (a->base_gfn < b->base_gfn);
}

static int cmp_hva(const struct ms_memslot *a, const struct ms_memslot *b)
{
	if (a->hva != b->hva)
		return a->hva > b->hva ? 1 : -1;
	return cmp_id(a, b);
}

static void augment(struct ms_memslot *slot)
{
	const struct ms_memslot *left = RB_LEFT(slot, by_hva);
	const struct ms_memslot *right = RB_RIGHT(slot, by_hva);

	slot->max_hva_end = slot->hva_end;
	if (left)
		slot->max_hva_end = ms_max_u64(slot->max_hva_end, left->max_hva_end);
	if (right)
		slot->max_hva_end = ms_max_u64(slot->max_hva_end, right->max_hva_end);
}

// libbsd augments only the nodes next to a change.
static void augment_up(struct ms_memslot *slot)
{
	for (; slot; slot = RB_PARENT(slot, by_hva))
		augment(slot);
}

RB_GENERATE_INTERNAL(ms_slots_by_id, ms_memslot, by_id, cmp_id, static __attribute__((unused)))
RB_GENERATE_INTERNAL(ms_slots_by_gfn, ms_memslot, by_gfn, cmp_gfn, static __attribute__((unused)))
#undef RB_AUGMENT
#define RB_AUGMENT(slot) augment(slot)
RB_GENERATE_INTERNAL(ms_slots_by_hva, ms_memslot, by_hva, cmp_hva, static __attribute__((unused)))

int ms_refuse_slot_number(const struct ms_vm *vm, unsigned int id)
{
	return ms_refuse(vm->machine, -EINVAL, "slot %u: the slots of a VM are below %u", id,
			 vm->arch->user_mem_slots(vm));
}

// mirrors id_to_memslot(), include/linux/kvm_host.h, 5.10+
struct ms_memslot *ms_id_to_memslot(const struct ms_vm *vm, unsigned int id)
{
	struct ms_slots_by_id tree = vm->slots.by_id;
	struct ms_memslot key = { .id = id };

	return RB_FIND(ms_slots_by_id, &tree, &key);
}

/* The slot with the largest base that is not above gfn.
 * mirrors search_memslots(), include/linux/kvm_host.h, 5.10+ */
static struct ms_memslot *slot_at_or_below(const struct ms_vm *vm, ms_gfn_t gfn)
{
	struct ms_memslot *slot = RB_ROOT(&vm->slots.by_gfn), *found = NULL;

	while (slot) {
		if (slot->base_gfn <= gfn) {
			found = slot;
			slot = RB_RIGHT(slot, by_gfn);
		} else {
			slot = RB_LEFT(slot, by_gfn);
		}
	}
	return found;
}

static bool slot_has_gfn(const struct ms_memslot *slot, ms_gfn_t gfn)
{
	return gfn >= slot->base_gfn && gfn - slot->base_gfn < slot->npages;
}

// mirrors gfn_to_memslot(), virt/kvm/kvm_main.c, 5.10+; __gfn_to_memslot(),
// include/linux/kvm_host.h, 5.10+
struct ms_memslot *ms_gfn_to_memslot(struct ms_vm *vm, ms_gfn_t gfn)
{
	struct ms_memslot *slot = vm->slots.last_used;

	if (slot && slot_has_gfn(slot, gfn))
		return slot;
	slot = slot_at_or_below(vm, gfn);
	if (!slot || !slot_has_gfn(slot, gfn))
		return NULL;
	vm->slots.last_used = slot;
	return slot;
}

const struct ms_memslot *ms_memslot_look(const struct ms_vm *vm, ms_gfn_t gfn)
{
	const struct ms_memslot *slot = RB_ROOT(&vm->slots.by_gfn);

	while (slot && !slot_has_gfn(slot, gfn))
		slot = gfn < slot->base_gfn ? RB_LEFT(slot, by_gfn) : RB_RIGHT(slot, by_gfn);
	return slot;
}

// mirrors kvm_check_memslot_overlap(), virt/kvm/kvm_main.c, 6.1+
const struct ms_memslot *ms_memslot_overlap(struct ms_vm *vm, unsigned int id, ms_gfn_t start,
					    ms_gfn_t end)
{
	struct ms_memslot *slot = slot_at_or_below(vm, end - 1);

	// Slots do not overlap each other, so that of those that begin below `end` the last ends
	// last.
	if (slot && slot->id == id)
		slot = RB_PREV(ms_slots_by_gfn, &vm->slots.by_gfn, slot);
	return slot && slot->base_gfn + slot->npages > start ? slot : NULL;
}

void ms_memslot_insert(struct ms_vm *vm, struct ms_memslot *slot)
{
	struct ms_memslots *slots = &vm->slots;

	slot->hva_end = slot->hva + ms_slot_bytes(vm, slot);
	RB_INSERT(ms_slots_by_id, &slots->by_id, slot);
	RB_INSERT(ms_slots_by_gfn, &slots->by_gfn, slot);
	RB_INSERT(ms_slots_by_hva, &slots->by_hva, slot);
	augment_up(slot);
}

void ms_memslot_remove(struct ms_vm *vm, struct ms_memslot *slot)
{
	struct ms_memslots *slots = &vm->slots;
	struct ms_memslot *parent = RB_PARENT(slot, by_hva);

	if (slots->last_used == slot)
		slots->last_used = NULL;
	RB_REMOVE(ms_slots_by_id, &slots->by_id, slot);
	RB_REMOVE(ms_slots_by_gfn, &slots->by_gfn, slot);
	RB_REMOVE(ms_slots_by_hva, &slots->by_hva, slot);
	augment_up(parent);
}

void ms_memslot_rebase(struct ms_vm *vm, struct ms_memslot *slot, ms_gfn_t base_gfn)
{
	RB_REMOVE(ms_slots_by_gfn, &vm->slots.by_gfn, slot);
	slot->base_gfn = base_gfn;
	RB_INSERT(ms_slots_by_gfn, &vm->slots.by_gfn, slot);
}

void ms_memslot_free(struct ms_vm *vm, struct ms_memslot *slot)
{
	ms_free(&vm->machine->alloc, slot->dirty);
	ms_free(&vm->machine->alloc, slot);
}

void ms_memslots_destroy(struct ms_vm *vm)
{
	struct ms_memslot *slot;

	while ((slot = RB_ROOT(&vm->slots.by_id))) {
		ms_memslot_remove(vm, slot);
		ms_memslot_free(vm, slot);
	}
}

// mirrors kvm_replace_memslot(), virt/kvm/kvm_main.c, 6.1+
void ms_memslot_renew(struct ms_vm *vm, struct ms_memslot *slot, unsigned int set)
{
	slot->age[vm->slots.active ^ set] = ++vm->slots.next_age;
}

// mirrors install_new_memslots(), virt/kvm/kvm_main.c, 5.10 .. 5.16; kvm_swap_active_memslots(),
// virt/kvm/kvm_main.c, 5.17+
void ms_memslots_swap(struct ms_vm *vm)
{
	vm->slots.active ^= 1;
}

/* ---- slots over a host range ---- */

static bool overlaps(const struct ms_memslot *slot, const struct ms_hva_range *range)
{
	return slot->hva < range->end && slot->hva_end > range->start;
}

/* The first slot under `node` that begins at `from` or above and ends above the range's start. */
static struct ms_memslot *lowest(struct ms_memslot *node, ms_hva_t from,
				 const struct ms_hva_range *range)
{
	struct ms_memslot *found;

	if (!node || node->max_hva_end <= range->start)
		return NULL;
	if (node->hva >= from) {
		found = lowest(RB_LEFT(node, by_hva), from, range);
		if (found)
			return found;
		if (node->hva_end > range->start)
			return node;
	}
	return lowest(RB_RIGHT(node, by_hva), from, range);
}

/* `first` is the first of the slots that begin at one host address: of these, and of those that
 * overlap the range, the one with the lowest age above `after`. */
static struct ms_memslot *next_in_age(struct ms_vm *vm, struct ms_memslot *first,
				      const struct ms_hva_range *range, uint64_t after)
{
	struct ms_memslot *best = NULL, *slot = first;
	unsigned int set = vm->slots.active;

	for (; slot && slot->hva == first->hva;
	     slot = RB_NEXT(ms_slots_by_hva, &vm->slots.by_hva, slot)) {
		if (overlaps(slot, range) && slot->age[set] > after &&
		    (!best || slot->age[set] < best->age[set]))
			best = slot;
	}
	return best;
}

static struct ms_memslot *first_by_hva(struct ms_vm *vm, const struct ms_hva_range *range,
				       ms_hva_t from)
{
	struct ms_memslot *first = lowest(RB_ROOT(&vm->slots.by_hva), from, range);

	return first ? next_in_age(vm, first, range, 0) : NULL;
}

static struct ms_memslot *down_to_overlap(const struct ms_hva_range *range, struct ms_memslot *slot)
{
	while (slot && !overlaps(slot, range))
		slot = RB_PREV(ms_slots_by_gfn, &vm->slots.by_gfn, slot);
	return slot;
}

static bool by_falling_gpa(const struct ms_vm *vm)
{
	return vm->machine->policy.notifier_slot_order == MS_NOTIFIER_SLOT_ORDER_GPA_DESCENDING;
}

// mirrors handle_hva_to_gpa(), arch/arm64/kvm/mmu.c, 5.10 .. 5.12; __kvm_handle_hva_range(),
// virt/kvm/kvm_main.c, 5.13 .. 6.14; kvm_handle_hva_range(), virt/kvm/kvm_main.c, 5.13+;
// kvm_for_each_memslot_in_hva_range(), virt/kvm/kvm_main.c, 5.17+
struct ms_memslot *ms_slot_first_in_hva(struct ms_vm *vm, const struct ms_hva_range *range)
{
	if (range->end <= range->start)
		return NULL;
	if (by_falling_gpa(vm))
		return down_to_overlap(range, RB_MAX(ms_slots_by_gfn, &vm->slots.by_gfn));
	return first_by_hva(vm, range, 0);
}

struct ms_memslot *ms_slot_next_in_hva(struct ms_vm *vm, const struct ms_hva_range *range,
				       struct ms_memslot *slot)
{
	struct ms_memslot *next;

	if (by_falling_gpa(vm))
		return down_to_overlap(range, RB_PREV(ms_slots_by_gfn, &vm->slots.by_gfn, slot));
	// First the others that begin where this slot does.
	next = lowest(RB_ROOT(&vm->slots.by_hva), slot->hva, range);
	next = next_in_age(vm, next, range, slot->age[vm->slots.active]);
	return next ? next : first_by_hva(vm, range, slot->hva + 1);
}
