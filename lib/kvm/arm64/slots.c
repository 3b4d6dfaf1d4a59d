/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What arm64 does before a slot changes and after it has: refusals, the premap of device memory,
 * write protection and eager splitting.
 */
#include "kvm/arm64/arm64.h"

// mirrors kvm_supports_cacheable_pfnmap(), arch/arm64/include/asm/kvm_mmu.h, 6.17+
bool ms_kvm_supports_cacheable_pfnmap(const struct ms_machine *m)
{
	return ms_has(m->config.fwb) && ms_has(m->config.dic);
}

/* The protection is that of the VMA, not of its page-table entries.
 * mirrors kvm_vma_is_cacheable(), arch/arm64/kvm/mmu.c, 6.17+ */
bool ms_kvm_is_cacheable(ms_pgprot_t prot)
{
	switch (ms_pgprot_cache(prot)) {
	case MS_CACHE_WC:
	case MS_CACHE_NGNRE:
	case MS_CACHE_NGNRNE:
		return false;
	default:
		return true;
	}
}

/* Whether memory of a VMA with these flags may not be given to a VM with MTE.
 * mirrors kvm_vma_mte_allowed(), arch/arm64/kvm/mmu.c, 6.2+ */
bool ms_kvm_mte_refuses(const struct ms_vm *vm, uint64_t vm_flags)
{
	if (!vm->config.mte)
		return false;
	if (vm->machine->policy.mte_vma == MS_MTE_VMA_NO_SHARED)
		return vm_flags & MS_VM_SHARED;
	return !(vm_flags & MS_VM_MTE_ALLOWED);
}

// mirrors kvm_phys_addr_ioremap(), arch/arm64/kvm/mmu.c, 5.10+
static int ioremap_range(struct ms_vm *vm, ms_ipa_t ipa, ms_pa_t pa, uint64_t size, bool writable)
{
	unsigned int prot = MS_PROT_DEVICE | MS_PROT_R | (writable ? MS_PROT_W : 0);
	const unsigned int tables = ms_s2_cache_min(vm->arm64.s2);
	uint64_t page = vm->machine->page_size;
	struct ms_s2_cache cache = { 0 };
	int ret = 0;

	for (uint64_t off = 0; off < size && !ret; off += page) {
		ret = ms_s2_cache_fill(vm->arm64.s2, &cache, tables, tables);
		if (!ret)
			ret = ms_vm_s2_map(vm, ipa + off, page, pa + off, prot, &cache,
					   MS_WHY_PREMAP);
	}
	ms_s2_cache_free(vm->arm64.s2, &cache);
	return ret;
}

/* Maps [start, end) of a VM_PFNMAP VMA, which the slot shows, to the address that vm_pgoff
 * implies. */
static int premap(struct ms_vm *vm, const struct ms_memslot *slot, const struct ms_vma *vma,
		  ms_hva_t start, ms_hva_t end)
{
	ms_pa_t pa = (vma->vm_pgoff << vm->machine->page_shift) + (start - vma->vm_start);

	return ioremap_range(vm, ms_slot_gpa(vm, slot) + (start - slot->hva), pa, end - start,
			     !(slot->flags & MS_SLOT_READONLY));
}

static bool is_premapping(const struct ms_vm *vm)
{
	return vm->machine->policy.slot_pfnmap == MS_SLOT_PFNMAP_PREMAP;
}

static int refuse_vma(struct ms_machine *m, const struct ms_vma *vma, const char *why)
{
	return ms_refuse(m, -EINVAL, "VMA %x-%x (%r): %s", vma->vm_start, vma->vm_end,
			 vma->vm_flags & MS_VM_ACCESS, ms_refusal_text(why));
}

static int check_vma(const struct ms_vm *vm, const struct ms_memslot *slot,
		     const struct ms_vma *vma)
{
	struct ms_machine *m = vm->machine;

	if (ms_kvm_mte_refuses(vm, vma->vm_flags))
		return refuse_vma(m, vma, "the VM has MTE, its memory cannot be tagged");
	if (!(vma->vm_flags & MS_VM_PFNMAP))
		return 0;
	if (slot->flags & MS_SLOT_LOG_DIRTY)
		return refuse_vma(m, vma, "VM_PFNMAP cannot be logged");
	if (m->policy.s2_cacheable_pfnmap == MS_S2_CACHEABLE_PFNMAP_BY_VMA_PROT &&
	    ms_kvm_is_cacheable(vma->vm_page_prot) && !ms_kvm_supports_cacheable_pfnmap(m))
		return refuse_vma(m, vma, "cacheable VM_PFNMAP needs FWB and DIC");
	return 0;
}

/* Each VMA under the slot, by rising address. *refused: a check has refused it, and the caller
 * has nothing to undo. */
static int prepare_vmas(struct ms_vm *vm, const struct ms_memslot *slot, ms_hva_t end,
			bool *refused)
{
	struct ms_vma *vma = ms_find_vma(vm->mm, slot->hva);
	int ret = 0;

	for (; vma && vma->vm_start < end && !ret; vma = ms_vma_next(vma)) {
		ret = check_vma(vm, slot, vma);
		if (ret)
			*refused = true;
		else if (is_premapping(vm) && vma->vm_flags & MS_VM_PFNMAP)
			ret = premap(vm, slot, vma, ms_max_u64(slot->hva, vma->vm_start),
				     ms_min_u64(end, vma->vm_end));
	}
	return ret;
}

static int check_ipa_space(const struct ms_vm *vm, const struct ms_memslot *slot)
{
	ms_gfn_t limit = (UINT64_C(1) << vm->config.ipa_bits) >> vm->machine->page_shift;
	ms_gfn_t end = slot->base_gfn + slot->npages;

	if (end > limit)
		return ms_refuse(vm->machine, -EFAULT,
				 "slot %u: [%x, %x) reaches beyond the IPA space of %u bits",
				 slot->id, ms_slot_gpa(vm, slot), end << vm->machine->page_shift,
				 vm->config.ipa_bits);
	if (end == limit && vm->machine->policy.slot_end == MS_SLOT_END_LIMIT_EXCLUDED)
		return ms_refuse(vm->machine, -EFAULT,
				 "slot %u: [%x, %x) has the last page of the IPA space of %u bits, "
				 "which this kernel refuses",
				 slot->id, ms_slot_gpa(vm, slot), end << vm->machine->page_shift,
				 vm->config.ipa_bits);
	return 0;
}

// mirrors kvm_arch_prepare_memory_region(), arch/arm64/kvm/mmu.c, 5.10+
int ms_arm64_prepare_region(struct ms_vm *vm, const struct ms_memslot *old, struct ms_memslot *new,
			    enum ms_mr_change change)
{
	ms_ipa_t gpa = ms_slot_gpa(vm, new);
	uint64_t size = ms_slot_bytes(vm, new);
	bool refused = false;
	int ret = check_ipa_space(vm, new);

	(void)old;
	if (ret)
		return ret;
	// Without FWB the kernel cleans caches for what it has mapped here; for devices it cleans
	// none.
	ret = prepare_vmas(vm, new, new->hva + size, &refused);
	if (ret && !refused && change != MS_MR_FLAGS_ONLY)
		ms_vm_s2_unmap_range(vm, gpa, size);
	return ret;
}

// mirrors kvm_arch_commit_memory_region() and kvm_mmu_wp_memory_region(), arch/arm64/kvm/mmu.c,
// 5.10+; kvm_mmu_split_memory_region(), arch/arm64/kvm/mmu.c, 6.5+
void ms_arm64_commit_region(struct ms_vm *vm, const struct ms_memslot *old,
			    const struct ms_memslot *slot, enum ms_mr_change change)
{
	(void)old, (void)change;
	if (!slot || !(slot->flags & MS_SLOT_LOG_DIRTY)) {
		ms_s2_cache_free(vm->arm64.s2, &vm->arm64.split_cache);
		return;
	}
	// With all bits set from the start, clearing them write-protects little by little.
	if (vm->config.dirty_initset)
		return;
	ms_vm_s2_wp_range(vm, ms_slot_gpa(vm, slot), ms_slot_bytes(vm, slot));
	ms_vm_flush_tlbs(vm, ms_slot_gpa(vm, slot), ms_slot_bytes(vm, slot));
	ms_vm_s2_split_range(vm, ms_slot_gpa(vm, slot), ms_slot_bytes(vm, slot));
}

// mirrors kvm_arch_mmu_enable_log_dirty_pt_masked(), arch/arm64/kvm/mmu.c, 5.10+;
// kvm_mmu_write_protect_pt_masked(), arch/arm64/kvm/mmu.c, 5.10 .. 6.1
void ms_arm64_log_dirty(struct ms_vm *vm, const struct ms_memslot *slot, uint64_t word,
			uint64_t mask)
{
	unsigned int first = (unsigned int)__builtin_ctzll(mask);
	unsigned int end = 64 - (unsigned int)__builtin_clzll(mask);
	ms_ipa_t start = (slot->base_gfn + word * 64 + first) << vm->machine->page_shift;
	uint64_t size = (uint64_t)(end - first) << vm->machine->page_shift;

	ms_vm_s2_wp_range(vm, start, size);
	if (vm->config.dirty_initset)
		ms_vm_s2_split_range(vm, start, size);
}
