/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An access of the guest: the stage-2 walk, the abort, and the walk again, until the access is made
 * or KVM_RUN returns.
 */
#include "kvm/arch.h"
#include "phys/internal.h"

/* How often the same fault is handled while other things still change. */
#define MAX_EQUAL_FAULTS 1000u

/* One access being made. */
struct access {
	struct ms_vm *vm;
	ms_ipa_t gpa;
	unsigned int prot;
	struct ms_guest_access *result;
	enum ms_kvm_reason why; /* of the last abort */

	unsigned int equal; /* faults in a row after which the descriptor was as before */
	uint64_t last_desc;
	uint64_t last_activity; /* activity() at the last fault, from the second one on */
};

/* A number that rises with every event but those of aborts and of calls that each abort repeats. */
static uint64_t activity(const struct ms_vm *vm)
{
	uint64_t sum = 0;

	for (unsigned int type = 0; type < MS_EV_TYPES; type++) {
		switch (type) {
		case MS_EV_S2_MAP:
		case MS_EV_S2_RELAX:
		case MS_EV_S2_YOUNG:
		case MS_EV_TLBI:
		case MS_EV_CMO:
		case MS_EV_HOST_FAULT:
		case MS_EV_GUEST_ABORT:
		case MS_EV_VIOLATION:
		case MS_EV_LOG:
			break;
		default:
			sum += ms_events_total(&vm->machine->events, type);
		}
	}
	return sum;
}

/*
 * Was the fault that is about to be handled handled before, without any change? It takes two faults
 * to tell.
 */
static bool is_endless(struct access *a)
{
	uint64_t desc = a->result->leaf.desc;
	bool equal = a->result->faults && desc == a->last_desc;
	bool idle = false;

	if (a->result->faults) {
		uint64_t now = activity(a->vm);

		idle = a->result->faults > 1 && now == a->last_activity;
		a->last_activity = now;
	}
	a->last_desc = desc;
	a->equal = equal ? a->equal + 1 : 0;
	return equal && (idle || a->equal >= MAX_EQUAL_FAULTS);
}

static void refuse_endless(const struct access *a)
{
	struct ms_machine *m = a->vm->machine;
	const char *why = ms_kvm_reason(m, a->why);

	ms_refuse(m, -EFAULT, "ipa %x: the same fault is handled for ever: %s", a->gpa,
		  ms_refusal_text(why ? why : "the entry stays as it is"));
}

/* Handles faults until the access is made (true) or cannot be (false). */
static bool run(struct access *a)
{
	struct ms_guest_access *result = a->result;
	struct ms_vm *vm = a->vm;
	struct ms_abort abort;

	while (vm->arch->walk(vm, a->gpa, a->prot, &result->leaf, &abort)) {
		if (is_endless(a)) {
			result->exit = MS_GUEST_RETRY;
			refuse_endless(a);
			return false;
		}
		result->faults++;
		result->exit = vm->arch->handle(vm, &abort, &result->err);
		a->why = abort.why;
		if (!vm->mm) {
			result->exit = MS_GUEST_ERROR;
			result->err = ms_vm_refuse_gone(vm);
		}
		if (result->exit != MS_GUEST_OK || abort.emulated)
			return false;
	}
	return true;
}

/* By a guest, through the mapping of its process. */
static void device_accessed(struct ms_vm *vm, ms_ipa_t gpa, ms_pa_t pa)
{
	const ms_gfn_t gfn = gpa >> vm->machine->page_shift;
	const struct ms_memslot *slot = ms_gfn_to_memslot(vm, gfn);
	const struct ms_vma *vma =
		slot ? ms_vma_lookup(vm->mm, ms_gfn_to_hva_memslot(vm, slot, gfn)) : NULL;
	const struct ms_where outer = ms_where_enter(vm->machine, vma);

	ms_device_accessed(vm->machine, gpa, pa);
	ms_where_leave(vm->machine, &outer);
}

/* The access is made: it reaches memory or a device. */
static void made(const struct access *a)
{
	struct ms_machine *m = a->vm->machine;
	const ms_pa_t pa = a->result->leaf.pa + (a->gpa - a->result->leaf.ipa);

	if (a->prot == MS_PROT_W)
		ms_page_write(m, pa >> m->page_shift);
	if (ms_device_is_off(m))
		device_accessed(a->vm, a->gpa, pa);
}

/* Says why the leaf has its size, if it is the last that was mapped. */
static void give_reason(const struct ms_vm *vm, struct ms_s2_leaf *leaf)
{
	if (leaf->size && leaf->ipa - vm->mapped_ipa < vm->mapped_size)
		leaf->reason = ms_kvm_reason(vm->machine, vm->mapped_why);
}

static int check_access(const struct ms_vm *vm, ms_ipa_t gpa, unsigned int prot)
{
	if (gpa % 4)
		return ms_refuse(vm->machine, -EINVAL, "gpa %x is not a multiple of 4", gpa);
	if (prot != MS_PROT_R && prot != MS_PROT_W && prot != MS_PROT_X)
		return ms_refuse(vm->machine, -EINVAL,
				 "an access of %x is none of a read, a write and a fetch", prot);
	return vm->mm ? 0 : ms_vm_refuse_gone(vm);
}

struct ms_guest_access ms_guest_touch(struct ms_vm *vm, ms_ipa_t gpa, unsigned int prot)
{
	struct ms_guest_access result = { .exit = MS_GUEST_ERROR };
	struct access a = { .vm = vm, .gpa = gpa, .prot = prot, .result = &result };

	result.err = vm ? check_access(vm, gpa, prot) : -EINVAL;
	if (result.err)
		return result;
	result.exit = MS_GUEST_OK;
	if (run(&a))
		made(&a);
	else
		vm->arch->get_leaf(vm, gpa, &result.leaf);
	give_reason(vm, &result.leaf);
	return result;
}

struct ms_guest_access ms_guest_read(struct ms_vm *vm, ms_ipa_t gpa)
{
	return ms_guest_touch(vm, gpa, MS_PROT_R);
}

struct ms_guest_access ms_guest_write(struct ms_vm *vm, ms_ipa_t gpa)
{
	return ms_guest_touch(vm, gpa, MS_PROT_W);
}

struct ms_guest_access ms_guest_exec(struct ms_vm *vm, ms_ipa_t gpa)
{
	return ms_guest_touch(vm, gpa, MS_PROT_X);
}
