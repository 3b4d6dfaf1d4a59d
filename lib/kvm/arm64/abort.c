/* SPDX-License-Identifier: GPL-2.0-only */
/* A stage-2 abort reaches the host: it goes back to the guest, or to the VMM, or a page is
 * mapped. */
#include "kvm/arm64/arm64.h"

static enum ms_guest_exit inject(const struct ms_abort *abort)
{
	return abort->exec ? MS_GUEST_IABT : MS_GUEST_DABT;
}

/* Beyond the VM's IPA space, where the guest gets the abort back: some kernels do not look. */
static bool beyond_ipa_space(const struct ms_vm *vm, const struct ms_abort *abort)
{
	if (vm->machine->policy.abort_address_checks != MS_ABORT_ADDRESS_CHECKS_YES)
		return false;
	if (ms_abort_is_perm(abort) || abort->access_flag)
		return false;
	return abort->ipa >= UINT64_C(1) << vm->config.ipa_bits;
}

/* No memslot has memory for it: a fetch goes back to the guest, a load or store to the VMM. */
static enum ms_guest_exit not_memory(struct ms_abort *abort, enum ms_kvm_reason why)
{
	abort->why = why;
	return abort->exec ? MS_GUEST_IABT : MS_GUEST_MMIO;
}

/* What KVM_RUN makes of user_mem_abort()'s answer. */
static enum ms_guest_exit answer(int ret, int *err)
{
	switch (ret) {
	case 0:
		return MS_GUEST_OK;
	case 1:
		return MS_GUEST_SIGBUS;
	case -ENOEXEC:
		return MS_GUEST_IABT;
	default:
		*err = ret;
		return MS_GUEST_ERROR;
	}
}

// mirrors kvm_handle_guest_abort() and handle_access_fault(), arch/arm64/kvm/mmu.c, 5.10+
static enum ms_guest_exit handle(struct ms_vm *vm, struct ms_abort *abort, int *err)
{
	ms_gfn_t gfn = abort->ipa >> vm->machine->page_shift;
	struct ms_memslot *slot;

	if (beyond_ipa_space(vm, abort)) {
		abort->why = MS_WHY_BEYOND_IPA;
		return inject(abort);
	}
	slot = ms_gfn_to_memslot(vm, gfn);
	if (!slot)
		return not_memory(abort, MS_WHY_NO_SLOT);
	if (abort->write && slot->flags & MS_SLOT_READONLY)
		return not_memory(abort, MS_WHY_SLOT_READONLY);
	if (abort->access_flag) {
		ms_vm_s2_mkyoung(vm, abort->ipa);
		return MS_GUEST_OK;
	}
	return answer(ms_user_mem_abort(vm, slot, ms_gfn_to_hva_memslot(vm, slot, gfn), abort),
		      err);
}

/* A hook may ask while what it interrupted holds a lock that the abort needs. */
static bool may_run(const struct ms_vm *vm, struct ms_abort *abort, int *err)
{
	if (!ms_mm_fault_waits(vm->mm))
		return true;
	abort->why = MS_WHY_LOCKED;
	*err = ms_refuse_locked(vm->machine, vm->mm);
	return false;
}

static size_t keep_event(struct ms_vm *vm, const struct ms_abort *abort)
{
	const struct ms_event ev = {
		.type = MS_EV_GUEST_ABORT,
		.vm = vm->id,
		.ipa = abort->ipa,
		.prot = abort->write  ? MS_PROT_W
			: abort->exec ? MS_PROT_X
				      : MS_PROT_R,
	};

	return ms_events_begin(&vm->machine->events, &ev);
}

static void keep_outcome(struct ms_vm *vm, size_t at, const struct ms_abort *abort, int err)
{
	const struct ms_event like = {
		.type = MS_EV_GUEST_ABORT,
		.vm = vm->id,
		.ipa = abort->ipa,
		.ret = err,
		.reason = ms_kvm_reason(vm->machine, abort->why),
	};

	ms_events_end(&vm->machine->events, at, &like);
}

/* The guest's access cannot be made. Where others have refused it they have told, since refusal
 * number `before`. */
static __attribute__((noinline)) void tell(struct ms_vm *vm, const struct ms_abort *abort, int err,
					   uint64_t before)
{
	struct ms_machine *m = vm->machine;

	switch (abort->why) {
	case MS_WHY_NO_PFN:
	case MS_WHY_NO_MEMORY:
	case MS_WHY_LOCKED:
		if (ms_refusals(m) != before && m->refused.err == err)
			return;
		break;
	default:
		break;
	}
	ms_refuse(m, err, "ipa %x: %s", abort->ipa, ms_refusal_text(ms_kvm_reason(m, abort->why)));
}

// mirrors kvm_handle_guest_abort(), arch/arm64/kvm/mmu.c, 5.10+
enum ms_guest_exit ms_arm64_handle_abort(struct ms_vm *vm, struct ms_abort *abort, int *err)
{
	const uint64_t before = ms_refusals(vm->machine);
	size_t at = MS_EVENT_NOT_KEPT;
	enum ms_guest_exit exit;

	if (ms_event_kept(vm->machine, MS_EV_GUEST_ABORT))
		at = keep_event(vm, abort);
	vm->in_abort++;
	exit = may_run(vm, abort, err) ? handle(vm, abort, err) : MS_GUEST_ERROR;
	vm->in_abort--;
	if (at != MS_EVENT_NOT_KEPT)
		keep_outcome(vm, at, abort, *err);
	if (exit != MS_GUEST_OK)
		tell(vm, abort, *err ? *err : -EFAULT, before);
	return exit;
}
