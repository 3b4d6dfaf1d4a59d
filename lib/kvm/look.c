/* SPDX-License-Identifier: GPL-2.0-only */
/* Looking at VMs, their memslots and what their guests have mapped, without changing anything. */
#include "kvm/arch.h"

struct ms_vm *ms_vm_next(const struct ms_machine *m, const struct ms_vm *vm)
{
	if (!m)
		return NULL;
	return vm ? TAILQ_NEXT(vm, link) : TAILQ_FIRST(&m->kvm->vms);
}

struct ms_mm *ms_vm_mm(const struct ms_vm *vm)
{
	return vm ? vm->mm : NULL;
}

/* ---- memslots ---- */

static bool describe(const struct ms_vm *vm, const struct ms_memslot *from, struct ms_slot *slot)
{
	if (!from) {
		*slot = (struct ms_slot){ .size = 0 };
		return false;
	}
	*slot = (struct ms_slot){
		.id = from->id,
		.gpa = ms_slot_gpa(vm, from),
		.size = ms_slot_bytes(vm, from),
		.hva = from->hva,
		.flags = from->flags,
		.dirty = from->dirty,
	};
	return true;
}

bool ms_vm_next_slot(const struct ms_vm *vm, ms_ipa_t gpa, struct ms_slot *slot)
{
	const struct ms_memslot *at = vm ? RB_ROOT(&vm->slots.by_gfn) : NULL, *found = NULL;

	while (at) {
		if (ms_slot_gpa(vm, at) + ms_slot_bytes(vm, at) > gpa) {
			found = at;
			at = RB_LEFT(at, by_gfn);
		} else {
			at = RB_RIGHT(at, by_gfn);
		}
	}
	return describe(vm, found, slot);
}

bool ms_vm_get_slot(const struct ms_vm *vm, unsigned int id, struct ms_slot *slot)
{
	return describe(vm, vm ? ms_id_to_memslot(vm, id) : NULL, slot);
}

/* ---- runs ---- */

static struct ms_guest_run of_s2(const struct ms_s2_leaf *leaf)
{
	return (struct ms_guest_run){ leaf->ipa, leaf->size, leaf->pa, leaf->prot, 0 };
}

static struct ms_guest_run of_tdp(const struct ms_tdp_leaf *leaf)
{
	const unsigned int bits = MS_TDP_HOST_WRITABLE | MS_TDP_MMU_WRITABLE;

	return (struct ms_guest_run){ leaf->ipa, leaf->size, leaf->pa, leaf->prot,
				      leaf->bits & bits };
}

static bool first_leaf(const struct ms_vm *vm, ms_ipa_t ipa, ms_ipa_t end, struct ms_guest_run *run)
{
	struct ms_tdp_leaf tdp;
	struct ms_s2_leaf s2;

	if (vm->arm64.s2 && ms_s2_next_leaf(vm->arm64.s2, ipa, end, &s2))
		*run = of_s2(&s2);
	else if (vm->x86.tdp && ms_tdp_next_leaf(vm->x86.tdp, ipa, end, &tdp))
		*run = of_tdp(&tdp);
	return run->size;
}

/* The leaf that begins where the run ends: both tables find that without a walk mostly. */
static bool next_leaf(const struct ms_vm *vm, ms_ipa_t ipa, struct ms_guest_run *next)
{
	struct ms_tdp_leaf tdp;
	struct ms_s2_leaf s2;

	if (vm->arm64.s2 && ms_s2_get_leaf(vm->arm64.s2, ipa, &s2))
		*next = of_s2(&s2);
	else if (vm->x86.tdp && ms_tdp_get_leaf(vm->x86.tdp, ipa, &tdp))
		*next = of_tdp(&tdp);
	else
		return false;
	return true;
}

static bool continues(const struct ms_guest_run *run, const struct ms_guest_run *next)
{
	return next->pa == run->pa + run->size && next->prot == run->prot &&
	       next->bits == run->bits;
}

bool ms_guest_next_run(const struct ms_vm *vm, ms_ipa_t ipa, ms_ipa_t end, struct ms_guest_run *run)
{
	struct ms_guest_run next;

	*run = (struct ms_guest_run){ .size = 0 };
	if (!vm || !first_leaf(vm, ipa, end, run))
		return false;
	while (run->ipa + run->size < end && next_leaf(vm, run->ipa + run->size, &next) &&
	       continues(run, &next))
		run->size += next.size;
	return true;
}
