/* SPDX-License-Identifier: GPL-2.0-only */
/* A VM: how it is created, which capabilities it may have, how it is closed. */
#include "kvm/arch.h"
#include "kvm/check.h"

int ms_refuse_locked(struct ms_machine *m, const struct ms_mm *mm)
{
	const bool notifies = ms_mm_fault_waits(mm) && ms_mm_lock_state(mm) != MS_MMAP_WRITE;
	const char *lock = notifies ? "an MMU lock" : "the mmap lock";

	return ms_refuse(m, -EBUSY, "a hook asks, and what it interrupted holds %s of process %u",
			 ms_refusal_text(lock), ms_mm_id(mm));
}

static const struct ms_kvm_arch *arch_of(const struct ms_machine *m)
{
	return ms_is_x86(m) ? &ms_kvm_x86 : &ms_kvm_arm64;
}

/* May a VM be made here and now? */
static int check_place(struct ms_machine *m, const struct ms_mm *mm)
{
	// mmu_notifier_register() takes the mmap lock for writing
	if (ms_mm_fault_waits(mm) || ms_mm_lock_state(mm) != MS_MMAP_FREE)
		return ms_refuse_locked(m, mm);
	return 0;
}

static struct ms_vm *vm_alloc(struct ms_machine *m, const struct ms_vm_config *config)
{
	struct ms_vm *vm = ms_zalloc(&m->alloc, sizeof(*vm));

	if (!vm)
		return NULL;
	vm->machine = m;
	vm->config = *config;
	vm->arch = arch_of(m);
	if (!vm->arch->table_new(vm))
		return vm;
	ms_free(&m->alloc, vm);
	return NULL;
}

// mirrors kvm_create_vm(), virt/kvm/kvm_main.c, 5.10+
struct ms_vm *ms_vm_new_config(struct ms_mm *mm, const struct ms_vm_config *config)
{
	struct ms_vm_config checked = { 0 };
	struct ms_machine *m;
	struct ms_vm *vm;
	int ret;

	if (!mm)
		return ms_refusal_null(-EINVAL);
	m = ms_mm_machine(mm);
	if (config)
		checked = *config;
	ret = check_place(m, mm);
	if (!ret)
		ret = arch_of(m)->check_config(m, &checked);
	if (ret)
		return ms_refusal_null(ret);
	vm = vm_alloc(m, &checked);
	if (!vm)
		return ms_refuse_null(m, -ENOMEM, "no memory");
	vm->mm = mm;
	vm->id = ++m->nr_vm_ids;
	if (ms_mmu_notifier_add(mm, &vm->notifier, &ms_kvm_notifier_ops)) {
		vm->arch->table_free(vm);
		ms_free(&m->alloc, vm);
		return ms_refusal_null(-EINVAL);
	}
	TAILQ_INSERT_TAIL(&m->kvm->vms, vm, link);
	return vm;
}

struct ms_vm *ms_vm_new(struct ms_mm *mm, unsigned int ipa_bits)
{
	const struct ms_vm_config config = { .ipa_bits = ipa_bits };

	return ms_vm_new_config(mm, &config);
}

int ms_vm_refuse_gone(const struct ms_vm *vm)
{
	return ms_refuse(vm->machine, -EIO, "the process of VM %u has ended", vm->id);
}

/* The tables are freed: on arm64 without an event, as nobody can use them any more.
 * mirrors kvm_destroy_vm(), virt/kvm/kvm_main.c, 5.10+ */
void ms_vm_free(struct ms_vm *vm)
{
	if (!vm)
		return;
	if (vm->in_abort || vm->mmu_locked || vm->active_invalidate) {
		ms_violation_by(vm->machine, MS_VIOLATION_TEST,
				"a VM is freed while an access or a notifier of it is under way", 0,
				0);
		return;
	}
	if (vm->mm)
		ms_mmu_notifier_unregister(vm->mm, &vm->notifier);
	TAILQ_REMOVE(&vm->machine->kvm->vms, vm, link);
	vm->arch->table_free(vm);
	ms_memslots_destroy(vm);
	ms_free(&vm->machine->alloc, vm);
}

static int kvm_init(struct ms_machine *m)
{
	m->kvm = ms_zalloc(&m->alloc, sizeof(*m->kvm));
	if (!m->kvm)
		return -ENOMEM;
	TAILQ_INIT(&m->kvm->vms);
	ms_mmu_notifier_trust(m, &ms_kvm_notifier_ops);
	return 0;
}

static void kvm_empty(struct ms_machine *m)
{
	struct ms_vm *vm;

	while ((vm = TAILQ_FIRST(&m->kvm->vms)))
		ms_vm_free(vm);
}

static void kvm_destroy(struct ms_machine *m)
{
	ms_free(&m->alloc, m->kvm);
	m->kvm = NULL;
}

const struct ms_room ms_kvm_room = {
	.name = "kvm",
	.init = kvm_init,
	.empty = kvm_empty,
	.destroy = kvm_destroy,
	.check = ms_kvm_check,
	.hash = ms_kvm_hash,
};

uint32_t ms_vm_id(const struct ms_vm *vm)
{
	return vm ? vm->id : 0;
}

const struct ms_tdp *ms_vm_tdp(const struct ms_vm *vm)
{
	return vm ? vm->x86.tdp : NULL;
}

const struct ms_s2 *ms_vm_s2(const struct ms_vm *vm)
{
	return vm ? vm->arm64.s2 : NULL;
}
