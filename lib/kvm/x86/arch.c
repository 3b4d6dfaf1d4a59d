/* SPDX-License-Identifier: GPL-2.0-only */
/* A VM of x86: its configuration, what the hardware makes of an access, and the table of it all. */
#include "kvm/x86/x86.h"

// mirrors KVM_USER_MEM_SLOTS, arch/x86/include/asm/kvm_host.h, 5.10 .. 5.11; KVM_USER_MEM_SLOTS,
// include/linux/kvm_host.h, 5.12+
static unsigned int user_mem_slots(const struct ms_vm *vm)
{
	return vm->machine->policy.slot_limit == MS_SLOT_LIMIT_512 ? 509 : 32764;
}

/* KVM_ENABLE_CAP, while there is no slot and no vCPU.
 * mirrors kvm_vm_ioctl_enable_cap(), arch/x86/kvm/x86.c, 5.10+ */
static int check_config(struct ms_machine *m, struct ms_vm_config *config)
{
	if (config->dirty_initset && !config->dirty_manual)
		return ms_refuse(m, -EINVAL,
				 "dirty log: INITIALLY_SET without MANUAL_PROTECT_ENABLE");
	if (config->zap_slot && m->policy.slot_zap_quirk == MS_SLOT_ZAP_QUIRK_ABSENT)
		return ms_refuse(m, -EINVAL, "this kernel has no KVM_X86_QUIRK_SLOT_ZAP_ALL");
	if (config->no_nx_huge_pages && m->policy.vm_disable_nx == MS_VM_DISABLE_NX_ABSENT)
		return ms_refuse(m, -EINVAL, "this kernel has no KVM_CAP_VM_DISABLE_NX_HUGE_PAGES");
	if (config->split_chunk)
		return ms_refuse(m, -EINVAL, "x86: eager splitting has no chunk size");
	if (config->mte)
		return ms_refuse(m, -EINVAL, "x86: there is no MTE");
	config->ipa_bits = m->config.pa_bits; // nobody can ask for others
	return 0;
}

static void log_done(struct ms_vm *vm, const struct ms_memslot *slot)
{
	(void)vm, (void)slot; // the TLB is flushed, which is no event
}

/* ---- notifiers ---- */

// mirrors kvm_unmap_gfn_range(), arch/x86/kvm/mmu/mmu.c, 5.13+; kvm_tdp_mmu_unmap_gfn_range(),
// arch/x86/kvm/mmu/tdp_mmu.c, 5.13+
static void unmap(struct ms_vm *vm, ms_ipa_t ipa, uint64_t size)
{
	MS_EMIT(vm->machine, .type = MS_EV_S2_UNMAP, .vm = vm->id, .ipa = ipa, .size = size);
	ms_tdp_zap(vm->x86.tdp, ipa, size);
}

static void before_change_pte(struct ms_vm *vm, ms_pa_t pa)
{
	(void)vm, (void)pa;
}

/* An entry of 4K, if there is one, goes, and maps the new page for reading if the process may not
 * write it either.
 * mirrors kvm_set_spte_gfn(), arch/x86/kvm/mmu/mmu.c, 5.13 .. 6.9; kvm_tdp_mmu_set_spte_gfn(),
 * arch/x86/kvm/mmu/tdp_mmu.c, 5.13 .. 6.9 */
static void change_pte(struct ms_vm *vm, ms_ipa_t ipa, uint64_t entry)
{
	struct ms_tdp_leaf leaf;

	MS_EMIT(vm->machine, .type = MS_EV_S2_CHANGE_PTE, .vm = vm->id, .ipa = ipa, .size = MS_4K);
	if (!ms_tdp_get_leaf(vm->x86.tdp, ipa, &leaf) || leaf.level != MS_TDP_4K)
		return;
	ms_tdp_zap(vm->x86.tdp, ipa, MS_4K);
	if (entry & MS_PTE_WRITE)
		return;
	vm->x86.why = MS_WHY_CHANGE_PTE;
	ms_tdp_map(vm->x86.tdp, ipa, MS_TDP_4K, entry & MS_PTE_PA_MASK,
		   (leaf.prot & ~MS_PROT_W) | (leaf.bits & MS_TDP_DIRTY));
}

// mirrors kvm_age_gfn(), arch/x86/kvm/mmu/mmu.c, 5.13+; kvm_tdp_mmu_age_gfn_range(),
// arch/x86/kvm/mmu/tdp_mmu.c, 5.13+
static bool age(struct ms_vm *vm, ms_ipa_t ipa, uint64_t size)
{
	MS_EMIT(vm->machine, .type = MS_EV_S2_AGE, .vm = vm->id, .ipa = ipa, .size = size);
	return ms_tdp_clear_young(vm->x86.tdp, ipa, size);
}

// mirrors kvm_test_age_gfn(), arch/x86/kvm/mmu/mmu.c, 5.13+; kvm_tdp_mmu_test_age_gfn(),
// arch/x86/kvm/mmu/tdp_mmu.c, 5.13+
static bool test_age(struct ms_vm *vm, ms_ipa_t ipa)
{
	MS_EMIT(vm->machine, .type = MS_EV_S2_TEST_AGE, .vm = vm->id, .ipa = ipa, .size = MS_4K);
	return ms_tdp_test_young(vm->x86.tdp, ipa);
}

/* ---- an access ---- */

static struct ms_s2_leaf as_s2_leaf(const struct ms_tdp_leaf *leaf)
{
	return (struct ms_s2_leaf){
		.ipa = leaf->ipa,
		.size = leaf->size,
		.pa = leaf->pa,
		.prot = leaf->prot,
		.level = leaf->level,
		.desc = leaf->entry,
		.young = leaf->bits & MS_TDP_ACCESSED,
	};
}

static void get_leaf(const struct ms_vm *vm, ms_ipa_t gpa, struct ms_s2_leaf *leaf)
{
	struct ms_tdp_leaf found = { 0 };

	if (vm->x86.tdp)
		ms_tdp_get_leaf(vm->x86.tdp, gpa, &found);
	*leaf = as_s2_leaf(&found);
}

/* The CPU sets the accessed bit, and the dirty bit of what is written. */
static void set_bits_by_cpu(struct ms_vm *vm, ms_ipa_t gpa, unsigned int prot,
			    struct ms_tdp_leaf *leaf)
{
	const unsigned int bits =
		leaf->bits | MS_TDP_ACCESSED | (prot == MS_PROT_W ? MS_TDP_DIRTY : 0);

	if (bits == leaf->bits)
		return;
	vm->x86.by_cpu = true;
	ms_tdp_set(vm->x86.tdp, gpa, leaf->prot | bits);
	vm->x86.by_cpu = false;
	ms_tdp_get_leaf(vm->x86.tdp, gpa, leaf);
}

static bool walk(struct ms_vm *vm, ms_ipa_t gpa, unsigned int prot, struct ms_s2_leaf *leaf,
		 struct ms_abort *abort)
{
	struct ms_tdp_leaf found;
	bool faults = true;

	if (ms_tdp_get_leaf(vm->x86.tdp, gpa, &found) && found.prot & prot) {
		set_bits_by_cpu(vm, gpa, prot, &found);
		faults = false;
	}
	*leaf = as_s2_leaf(&found);
	*abort = (struct ms_abort){
		.ipa = ms_align_down(gpa, MS_4K),
		.granule = found.size,
		.write = prot == MS_PROT_W,
		.exec = prot == MS_PROT_X,
	};
	return faults;
}

const struct ms_kvm_arch ms_kvm_x86 = {
	.user_mem_slots = user_mem_slots,
	.check_config = check_config,
	.table_new = ms_x86_table_new,
	.table_free = ms_x86_table_free,
	.prepare_region = ms_x86_prepare_region,
	.commit_region = ms_x86_commit_region,
	.flush_slot = ms_x86_flush_slot,
	.log_dirty = ms_x86_log_dirty,
	.log_done = log_done,
	.unmap = unmap,
	.before_change_pte = before_change_pte,
	.change_pte = change_pte,
	.age = age,
	.test_age = test_age,
	.walk = walk,
	.handle = ms_x86_handle_fault,
	.get_leaf = get_leaf,
	.check = ms_x86_check,
};
