/* SPDX-License-Identifier: GPL-2.0-only */
/* A VM of arm64: its configuration, what the hardware makes of an access, and the table of it all.
 */
#include "core/check.h"
#include "kvm/arm64/arm64.h"

#define DEFAULT_IPA_BITS 40u /* KVM_PHYS_SHIFT */
#define MIN_IPA_BITS 32u     /* ARM64_MIN_PARANGE_BITS */

// mirrors KVM_USER_MEM_SLOTS, arch/arm64/include/asm/kvm_host.h, 5.10 .. 5.11; KVM_USER_MEM_SLOTS,
// include/linux/kvm_host.h, 5.12+
static unsigned int user_mem_slots(const struct ms_vm *vm)
{
	return vm->machine->policy.slot_limit == MS_SLOT_LIMIT_512 ? 512 : 32767;
}

// mirrors kvm_arm_setup_stage2(), arch/arm64/kvm/reset.c, 5.10 .. 6.1; kvm_init_ipa_range(),
// arch/arm64/kvm/mmu.c, 6.12+
static int check_ipa_bits(struct ms_machine *m, unsigned int *ipa_bits)
{
	if (!*ipa_bits)
		*ipa_bits = DEFAULT_IPA_BITS;
	if (*ipa_bits >= MIN_IPA_BITS && *ipa_bits <= m->config.ipa_bits)
		return 0;
	return ms_refuse(m, -EINVAL, "IPA space of %u bits: this machine's VMs have %u to %u",
			 *ipa_bits, MIN_IPA_BITS, m->config.ipa_bits);
}

/* KVM_ENABLE_CAP, while there is no slot and no vCPU.
 * mirrors kvm_vm_ioctl_enable_cap(), arch/arm64/kvm/arm.c, 5.10+ */
static int check_capabilities(struct ms_machine *m, const struct ms_vm_config *config)
{
	const struct ms_policy *p = &m->policy;

	if (config->dirty_initset && !config->dirty_manual)
		return ms_refuse(m, -EINVAL,
				 "dirty log: INITIALLY_SET without MANUAL_PROTECT_ENABLE");
	if (config->split_chunk && p->s2_eager_split == MS_S2_EAGER_SPLIT_NO)
		return ms_refuse(m, -EINVAL, "this kernel splits no blocks eagerly");
	if (config->split_chunk && !ms_is_block_size(m, config->split_chunk))
		return ms_refuse(m, -EINVAL, "eager split chunk %x is no size of a page or a block",
				 config->split_chunk);
	if (config->mte && p->mte_vma == MS_MTE_VMA_NONE)
		return ms_refuse(m, -EINVAL, "this kernel gives no VM MTE");
	if (config->mte && !ms_has(m->config.mte))
		return ms_refuse(m, -EINVAL, "the machine has no MTE");
	return 0;
}

static int check_config(struct ms_machine *m, struct ms_vm_config *config)
{
	int ret = check_ipa_bits(m, &config->ipa_bits);

	return ret ? ret : check_capabilities(m, config);
}

// mirrors kvm_arch_flush_shadow_memslot(), arch/arm64/kvm/mmu.c, 5.10+
static void flush_slot(struct ms_vm *vm, const struct ms_memslot *slot)
{
	ms_vm_s2_unmap_range(vm, ms_slot_gpa(vm, slot), ms_slot_bytes(vm, slot));
}

static void log_done(struct ms_vm *vm, const struct ms_memslot *slot)
{
	ms_vm_flush_tlbs(vm, ms_slot_gpa(vm, slot), ms_slot_bytes(vm, slot));
}

/* ---- notifiers ---- */

// mirrors kvm_unmap_hva_handler(), arch/arm64/kvm/mmu.c, 5.10 .. 5.12; kvm_unmap_gfn_range(),
// arch/arm64/kvm/mmu.c, 5.13+
static void unmap(struct ms_vm *vm, ms_ipa_t ipa, uint64_t size)
{
	ms_vm_s2_unmap_range(vm, ipa, size);
}

static void before_change_pte(struct ms_vm *vm, ms_pa_t pa)
{
	const struct ms_machine *m = vm->machine;

	if (m->policy.s2_cmo_at == MS_S2_CMO_AT_ABORT && !ms_has(m->config.fwb))
		ms_vm_cmo(vm, MS_CMO_DCACHE_CLEAN, pa, m->page_size);
}

/* After a copy-on-write the new page is mapped read-only, if no table has to be made for it.
 * mirrors kvm_set_spte_hva() and kvm_set_spte_handler(), arch/arm64/kvm/mmu.c, 5.10 .. 5.12;
 * kvm_set_spte_gfn(), arch/arm64/kvm/mmu.c, 5.13 .. 6.9 */
static void change_pte(struct ms_vm *vm, ms_ipa_t ipa, uint64_t entry)
{
	ms_vm_s2_map(vm, ipa, vm->machine->page_size, entry & MS_PTE_PA_MASK, MS_PROT_R, NULL,
		     MS_WHY_CHANGE_PTE);
}

/* Up to 6.4 only the leaf at the first address is asked, by kvm_pgtable_stage2_mkold().
 * mirrors kvm_age_hva_handler(), arch/arm64/kvm/mmu.c, 5.10 .. 5.12; kvm_age_gfn(),
 * arch/arm64/kvm/mmu.c, 5.13+ */
static bool age(struct ms_vm *vm, ms_ipa_t ipa, uint64_t size)
{
	const struct ms_machine *m = vm->machine;

	if (m->policy.s2_age == MS_S2_AGE_RANGE)
		return ms_s2_test_clear_young(vm->arm64.s2, ipa, size, true);
	if (size != m->page_size && size != ms_pmd_size(m) && size != ms_pud_size(m))
		ms_violation_by(vm->machine, MS_VIOLATION_KERNEL,
				"size != PAGE_SIZE && size != PMD_SIZE && size != PUD_SIZE", ipa,
				0);
	return ms_s2_test_clear_young(vm->arm64.s2, ipa, m->page_size, true);
}

// mirrors kvm_test_age_hva_handler(), arch/arm64/kvm/mmu.c, 5.10 .. 5.12; kvm_test_age_gfn(),
// arch/arm64/kvm/mmu.c, 5.13+
static bool test_age(struct ms_vm *vm, ms_ipa_t ipa)
{
	return ms_s2_test_clear_young(vm->arm64.s2, ipa, vm->machine->page_size, false);
}

/* ---- an access ---- */

/* Guest code runs at EL1, its own stage 1 is off. */
static bool leaf_permits(const struct ms_s2_leaf *leaf, unsigned int prot)
{
	if (prot == MS_PROT_X)
		return leaf->prot & (MS_PROT_X | MS_PROT_PX);
	return leaf->prot & prot;
}

static bool find_leaf(const struct ms_vm *vm, ms_ipa_t gpa, struct ms_s2_leaf *leaf)
{
	if (vm->arm64.s2)
		return ms_s2_get_leaf(vm->arm64.s2, gpa, leaf);
	*leaf = (struct ms_s2_leaf){ 0 };
	return false;
}

static void get_leaf(const struct ms_vm *vm, ms_ipa_t gpa, struct ms_s2_leaf *leaf)
{
	find_leaf(vm, gpa, leaf);
}

static bool walk(struct ms_vm *vm, ms_ipa_t gpa, unsigned int prot, struct ms_s2_leaf *leaf,
		 struct ms_abort *abort)
{
	bool found = find_leaf(vm, gpa, leaf);

	if (found && leaf->young && leaf_permits(leaf, prot))
		return false;
	*abort = (struct ms_abort){
		.ipa = ms_align_down(gpa, MS_4K),
		.granule = leaf->young ? leaf->size : 0,
		.access_flag = found && !leaf->young,
		.write = prot == MS_PROT_W,
		.exec = prot == MS_PROT_X,
	};
	return true;
}

static void check(struct ms_check *c, struct ms_vm *vm)
{
	if (!vm->mm != !vm->arm64.s2)
		ms_check_found(c, "vm %u: has one of process and stage-2 table", vm->id);
	else if (vm->mm)
		ms_check_stage2(c, vm);
	if (vm->arm64.in_map)
		ms_check_found(c, "vm %u: a map call has not come to its end", vm->id);
}

const struct ms_kvm_arch ms_kvm_arm64 = {
	.user_mem_slots = user_mem_slots,
	.check_config = check_config,
	.table_new = ms_vm_s2_new,
	.table_free = ms_vm_s2_free,
	.prepare_region = ms_arm64_prepare_region,
	.commit_region = ms_arm64_commit_region,
	.flush_slot = flush_slot,
	.log_dirty = ms_arm64_log_dirty,
	.log_done = log_done,
	.unmap = unmap,
	.before_change_pte = before_change_pte,
	.change_pte = change_pte,
	.age = age,
	.test_age = test_age,
	.walk = walk,
	.handle = ms_arm64_handle_abort,
	.get_leaf = get_leaf,
	.check = check,
};
