/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A stage-2 fault on a memslot: from the VMA to a mapping. Up to 7.0 the kernel's user_mem_abort()
 * does all of it; from 7.1 on it calls functions, named below, for the parts.
 */
#include "kvm/arm64/arm64.h"

/* One fault, as far as it is handled. It is kept small, as it is cleared for each fault. */
struct fault {
	struct ms_vm *vm;
	struct ms_memslot *slot;
	struct ms_abort *abort;
	ms_hva_t hva; /* of the page that the guest touched */
	ms_ipa_t ipa; /* where the mapping will begin; 4K granular while it is a page */
	ms_gfn_t gfn; /* the page that is looked up and marked dirty */

	/* of the VMA, sampled before the pfn is looked up */
	struct ms_vma_block block;
	ms_hva_t vma_start, vma_end;
	uint64_t vm_flags;
	ms_pgprot_t page_prot;
	uint64_t seq;

	ms_pfn_t pfn;
	ms_pfn_t page; /* the pfn that was looked up; `pfn` becomes that of the block */
	unsigned int prot;
	bool logging;
	bool chosen; /* `block` was chosen by the policy's function */
	bool writable;
	bool device;       /* the pfn is no memory of the linear map */
	bool noncacheable; /* and it is mapped as a device */

	struct ms_block_inputs *in; /* for the policy's function; NULL: it has none */
};

static int refuse(struct fault *f, enum ms_kvm_reason why, int err)
{
	f->abort->why = why;
	return err;
}

/* May this fault break a block for the sake of logging? Up to 7.2 the kernel expects it of
 * writes alone. */
static bool may_break_block(const struct fault *f)
{
	return f->logging && (f->abort->write ||
			      f->vm->machine->policy.s2_log_topup == MS_S2_LOG_TOPUP_EVERY_FAULT);
}

/* Fills the cache of tables: for what was not mapped, for a block that logging breaks, and for a
 * size that the policy's function may choose.
 * mirrors prepare_mmu_memcache(), arch/arm64/kvm/mmu.c, 6.18 .. 7.0; topup_mmu_memcache(),
 * arch/arm64/kvm/mmu.c, 7.1+ */
static int topup(struct fault *f)
{
	const unsigned int tables = ms_s2_cache_min(f->vm->arm64.s2);

	if (ms_abort_is_perm(f->abort) && !may_break_block(f) && !f->in)
		return 0;
	// the kernel puts far more by than a fault can take, of which nobody sees anything
	if (ms_s2_cache_fill(f->vm->arm64.s2, &f->vm->arm64.vcpu_cache, tables + 1, tables))
		return refuse(f, MS_WHY_NO_MEMORY, -ENOMEM);
	return 0;
}

static void sample_inputs(struct ms_block_inputs *in, const struct ms_vma *vma)
{
	*in = (struct ms_block_inputs){
		.vma_start = vma->vm_start,
		.vma_end = vma->vm_end,
		.vma_flags = vma->vm_flags,
		.vma_pgoff = vma->vm_pgoff,
		.vma_page_prot = vma->vm_page_prot,
	};
}

/* Under the mmap lock: notes what is needed of the VMA.
 * mirrors kvm_s2_fault_get_vma_info(), arch/arm64/kvm/mmu.c, 7.1+ */
static int sample_vma(struct fault *f)
{
	const struct ms_vma *vma = ms_vma_lookup(f->vm->mm, f->hva);
	struct ms_machine *m = f->vm->machine;

	if (!vma) {
		ms_log(m, "kvm: Failed to find VMA for hva", f->hva, 0);
		return refuse(f, MS_WHY_NO_VMA, -EFAULT);
	}
	f->block = ms_vma_block(f->vm, f->slot, vma, f->hva);
	// The pfn of the block's first page is looked up, not that of the page that was touched.
	if (f->block.size > m->page_size || m->policy.s2_map_address == MS_S2_MAP_ADDRESS_GFN)
		f->ipa = ms_align_down(f->ipa, f->block.size);
	f->gfn = f->ipa >> m->page_shift;
	f->vma_start = vma->vm_start;
	f->vma_end = vma->vm_end;
	f->vm_flags = vma->vm_flags;
	f->page_prot = vma->vm_page_prot;
	if (f->in)
		sample_inputs(f->in, vma);
	return 0;
}

/* From 6.17 on the VMA's flags count as well.
 * mirrors kvm_is_device_pfn(), arch/arm64/kvm/mmu.c, 5.10 .. 6.16; pfn_is_map_memory(),
 * arch/arm64/mm/init.c, 5.14+ */
static bool is_device(const struct fault *f)
{
	const struct ms_machine *m = f->vm->machine;

	if (m->policy.s2_device_test == MS_S2_DEVICE_TEST_VMA_FLAG_AND_NOT_MAP_MEMORY &&
	    !(f->vm_flags & (MS_VM_PFNMAP | MS_VM_MIXEDMAP)))
		return false;
	return !ms_pfn_is_ram(m, f->pfn);
}

/* A hook may have ended the process. */
static int still_there(struct fault *f)
{
	return f->vm->mm ? 0 : refuse(f, MS_WHY_MM_GONE, -EIO);
}

/* 0; 1: a machine-check signal was sent; or an error.
 * mirrors kvm_s2_fault_pin_pfn(), arch/arm64/kvm/mmu.c, 7.1+: the part up to __kvm_faultin_pfn() */
static int lookup_pfn(struct fault *f)
{
	struct ms_pfn_lookup found = ms_gfn_to_pfn(f->vm, f->slot, f->gfn, f->abort->write, false);

	switch (found.error) {
	case MS_PFN_OK:
		f->pfn = f->page = found.pfn;
		f->writable = found.writable;
		ms_hook(f->vm->machine, MS_HOOK_S2_PFN_FOUND, f->abort->ipa);
		return still_there(f);
	case MS_PFN_HWPOISON:
		return refuse(f, MS_WHY_POISON, 1);
	case MS_PFN_RO_FAULT:
		return refuse(f, MS_WHY_LEAF_READONLY, -EFAULT);
	case MS_PFN_WAITS:
		return refuse(f, MS_WHY_LOCKED, -EBUSY);
	case MS_PFN_NEEDS_IO:
	case MS_PFN_FAULT:
		break;
	}
	return refuse(f, MS_WHY_NO_PFN, -EFAULT);
}

/* Is it a device or memory, and what does that forbid?
 * mirrors kvm_s2_fault_pin_pfn(), arch/arm64/kvm/mmu.c, 7.1+: the part after __kvm_faultin_pfn() */
static int classify(struct fault *f)
{
	const struct ms_machine *m = f->vm->machine;

	f->device = is_device(f);
	f->noncacheable = f->device;
	if (f->device && m->policy.s2_cacheable_pfnmap == MS_S2_CACHEABLE_PFNMAP_BY_VMA_PROT &&
	    ms_kvm_is_cacheable(f->page_prot)) {
		if (!ms_kvm_supports_cacheable_pfnmap(m))
			return refuse(f, MS_WHY_CACHEABLE_UNSUPPORTED, -EFAULT);
		f->noncacheable = false;
	}
	// A read maps memory of a logged slot read-only; a device's writes are not logged.
	if (!f->device && f->logging && !f->abort->write)
		f->writable = false;
	if (f->abort->exec && f->noncacheable)
		return refuse(f, MS_WHY_EXEC_DEVICE, -ENOEXEC);
	return 0;
}

/* May a page take the size of what the host maps? Says why not. */
static bool may_upgrade(struct fault *f)
{
	const struct ms_policy *p = &f->vm->machine->policy;

	if (f->block.size != f->vm->machine->page_size || f->block.force_pte || f->chosen)
		return false;
	if (f->noncacheable && (p->s2_device_upgrade != MS_S2_DEVICE_UPGRADE_ALLOWED ||
				p->s2_pfnmap_block == MS_S2_PFNMAP_BLOCK_ROUGH_VM_PGOFF_V3)) {
		if (f->block.why == MS_WHY_HOST_LEAF_SMALL)
			f->block.why = MS_WHY_DEVICE_NOT_UPGRADED;
		return false;
	}
	return true;
}

/* Under the mmu lock: the final size of the mapping, and the address and pfn where it begins. */
static int choose_size(struct fault *f)
{
	const struct ms_machine *m = f->vm->machine;
	uint64_t granule = f->abort->granule;
	int64_t size;

	if (!may_upgrade(f))
		return 0;
	if (granule > m->page_size && m->policy.s2_relax_address == MS_S2_RELAX_ADDRESS_FAULT) {
		f->block.size = granule;
		f->block.why = MS_WHY_PERM_BLOCK;
		return 0;
	}
	size = ms_thp_adjust(f->vm, f->slot, f->hva, &f->block.why);
	if (size < 0)
		return refuse(f, f->block.why, (int)size);
	if ((uint64_t)size > m->page_size) {
		f->ipa = ms_align_down(f->ipa, (uint64_t)size);
		f->pfn = ms_align_down(f->pfn, (uint64_t)size >> m->page_shift);
	}
	f->block.size = (uint64_t)size;
	return 0;
}

static enum ms_kvm_reason map_reason(const struct fault *f)
{
	bool relaxes = f->abort->granule == f->block.size;

	if (!relaxes && !ms_aligned(f->pfn << f->vm->machine->page_shift, f->block.size))
		return MS_WHY_PA_MISALIGNED;
	return f->block.why;
}

/* ---- the policy's own choice ---- */

static ms_ipa_t touched_page(const struct fault *f)
{
	return ms_align_down(f->abort->ipa, f->vm->machine->page_size);
}

/* The rest of what the function is told. `kernel`: the fault as it would go on by the kernel's
 * own choice. */
static void fill_inputs(const struct fault *f, const struct fault *kernel)
{
	const struct ms_machine *m = f->vm->machine;
	struct ms_block_inputs *in = f->in;
	struct ms_host_leaf leaf;

	in->ipa = touched_page(f);
	in->prot = f->abort->write ? MS_PROT_W : f->abort->exec ? MS_PROT_X : MS_PROT_R;
	in->granule = f->abort->granule;
	in->slot_gpa = ms_slot_gpa(f->vm, f->slot);
	in->slot_hva = f->slot->hva;
	in->slot_size = ms_slot_bytes(f->vm, f->slot);
	in->logging = f->logging;
	in->hva = f->hva;
	in->pa = (f->pfn << m->page_shift) + (in->ipa - (f->gfn << m->page_shift));
	if (ms_host_leaf(f->vm->mm, f->hva, &leaf)) {
		in->host_leaf = leaf.size;
		in->pa = (leaf.entry & MS_PTE_PA_MASK) + (f->hva - leaf.start);
	}
	in->writable = f->writable;
	in->device = f->device;
	in->size = kernel->block.size;
	in->reason = ms_kvm_reason(m, map_reason(kernel));
}

/* Takes another size than the kernel's, for a block around the page that was touched. */
static int take_size(struct fault *f, uint64_t size)
{
	struct ms_machine *m = f->vm->machine;
	const struct fault kernel = *f;
	ms_ipa_t ipa = touched_page(f);

	f->gfn = ipa >> m->page_shift;
	if (f->gfn != kernel.gfn) {
		int ret = lookup_pfn(f);

		if (!ret)
			ret = classify(f);
		if (ret)
			return ret;
	}
	if (((f->pfn << m->page_shift) ^ ipa) & (size - 1)) {
		ms_violation_by(m, MS_VIOLATION_TEST, "choose_block: IPA and PA are not congruent",
				ipa, 0);
		*f = kernel;
		return 0;
	}
	f->chosen = true;
	f->block = (struct ms_vma_block){ .size = size, .why = MS_WHY_POLICY };
	f->pfn = ms_align_down(f->pfn, size >> m->page_shift);
	f->ipa = f->abort->ipa;
	if (size > m->page_size || m->policy.s2_map_address == MS_S2_MAP_ADDRESS_GFN)
		f->ipa = ms_align_down(f->ipa, size);
	return 0;
}

static int ask_policy(struct fault *f)
{
	struct fault kernel = *f;
	uint64_t size;

	// where the host's entry is gone the kernel begins again, and the function is not asked
	if (!f->vm->mm || choose_size(&kernel))
		return 0;
	fill_inputs(f, &kernel);
	size = ms_choose_block(f->vm, f->slot, f->in);
	return size == f->in->size ? 0 : take_size(f, size);
}

/* ---- the mapping ---- */

// mirrors kvm_s2_fault_compute_prot(), arch/arm64/kvm/mmu.c, 7.1+
static unsigned int choose_prot(const struct fault *f)
{
	const struct ms_machine *m = f->vm->machine;
	unsigned int prot = MS_PROT_R;

	if (f->writable)
		prot |= MS_PROT_W;
	if (f->abort->exec)
		prot |= MS_PROT_X;
	if (!f->noncacheable)
		return ms_has(m->config.dic) ? prot | MS_PROT_X : prot;
	if (m->policy.s2_device_type == MS_S2_DEVICE_TYPE_NC_IF_VMA_ALLOWS &&
	    f->vm_flags & MS_VM_ALLOW_ANY_UNCACHED)
		return prot | MS_PROT_NORMAL_NC;
	return prot | MS_PROT_DEVICE;
}

// mirrors clean_dcache_guest_page() and invalidate_icache_guest_page(), arch/arm64/kvm/mmu.c, 5.10+
static void maintain_caches(struct fault *f)
{
	const struct ms_machine *m = f->vm->machine;
	ms_pa_t pa = f->pfn << m->page_shift;

	if (!ms_abort_is_perm(f->abort) && !f->device && !ms_has(m->config.fwb))
		ms_vm_cmo(f->vm, MS_CMO_DCACHE_CLEAN, pa, f->block.size);
	if (f->abort->exec)
		ms_vm_cmo(f->vm, MS_CMO_ICACHE_INVAL, pa, f->block.size);
}

/* Up to 6.1 a permission fault of a logged page takes the lock for reading. */
static bool has_read_lock_only(const struct fault *f)
{
	const struct ms_machine *m = f->vm->machine;

	return m->policy.s2_lock == MS_S2_LOCK_WRITE_READ_FOR_LOG && f->logging &&
	       f->abort->write && f->abort->granule == m->page_size;
}

/* A block may give the guest more than its process has mapped. No kernel notices. */
static void check_reach(const struct fault *f, ms_pa_t pa)
{
	const ms_hva_t start = f->hva - (touched_page(f) - f->ipa);
	struct ms_machine *m = f->vm->machine;

	if (start < f->vma_start)
		ms_violation_by(m, MS_VIOLATION_KERNEL, "guest block reaches below its VMA", f->ipa,
				pa);
	if (start + f->block.size > f->vma_end)
		ms_violation_by(m, MS_VIOLATION_KERNEL, "guest block reaches beyond its VMA",
				f->ipa + (f->vma_end - start), pa + (f->vma_end - start));
}

/*
 * Device memory that is_device() takes for memory: the driver's fault handler, which looking up the
 * pfn called, has set VM_PFNMAP only after the VMA's flags were sampled.
 */
static void check_pfnmap(const struct fault *f)
{
	struct ms_machine *m = f->vm->machine;

	if (!f->device && !ms_pfn_is_ram(m, f->page))
		ms_mm_violation(f->vm->mm, MS_VIOLATION_DRIVER,
				"VM_PFNMAP set too late: device memory is mapped as memory", f->hva,
				f->page << m->page_shift);
}

static int map(struct fault *f)
{
	struct ms_machine *m = f->vm->machine;
	int ret;

	if (has_read_lock_only(f))
		ms_violation_by(m, MS_VIOLATION_KERNEL,
				"Attempted stage-2 map outside of write lock", f->ipa, 0);
	ret = ms_vm_s2_map(f->vm, f->ipa, f->block.size, f->pfn << m->page_shift, f->prot,
			   &f->vm->arm64.vcpu_cache, map_reason(f));
	if (ret)
		return ret;
	// what is refused, or begun again, gives the guest nothing
	check_pfnmap(f);
	if (f->block.size > m->page_size)
		check_reach(f, f->pfn << m->page_shift);
	return 0;
}

static int install(struct fault *f)
{
	const struct ms_machine *m = f->vm->machine;
	bool dirty_first = m->policy.s2_dirty_mark == MS_S2_DIRTY_MARK_BEFORE_MAP;
	int ret;

	if (f->writable && dirty_first)
		ms_mark_page_dirty(f->slot, f->gfn);
	if (m->policy.s2_cmo_at == MS_S2_CMO_AT_ABORT)
		maintain_caches(f);
	if (f->abort->granule == f->block.size)
		ret = ms_vm_s2_relax(f->vm, f->ipa, f->prot);
	else
		ret = map(f);
	if (ret)
		f->abort->why = ret == -EAGAIN ? MS_WHY_SAME_LEAF : MS_WHY_NO_MEMORY;
	else if (f->writable && !dirty_first)
		ms_mark_page_dirty(f->slot, f->gfn);
	return ret;
}

// mirrors mmu_notifier_retry(), include/linux/kvm_host.h, 5.10 .. 5.19; mmu_invalidate_retry(),
// include/linux/kvm_host.h, 6.0+
static bool invalidated(const struct fault *f)
{
	return f->vm->invalidate_in_progress || f->vm->invalidate_seq != f->seq;
}

/* Has the VMM replaced the VMA by one whose memory a VM with MTE may not have? */
static int check_mte(struct fault *f)
{
	if (ms_abort_is_perm(f->abort) || f->noncacheable ||
	    !ms_kvm_mte_refuses(f->vm, f->vm_flags))
		return 0;
	return refuse(f, MS_WHY_MTE, -EFAULT);
}

/*
 * The tags of a page are cleared once. Up to 6.1 memory without a struct page is refused, later
 * nobody looks.
 * mirrors sanitise_mte_tags(), arch/arm64/kvm/mmu.c, 6.1+
 */
static int sanitise_mte_tags(struct fault *f)
{
	struct ms_machine *m = f->vm->machine;

	if (!f->vm->config.mte || ms_abort_is_perm(f->abort) || f->noncacheable ||
	    ms_pfn_is_ram(m, f->pfn))
		return 0;
	if (m->policy.mte_vma == MS_MTE_VMA_NO_SHARED)
		return refuse(f, MS_WHY_MTE_NO_PAGE, -EFAULT);
	ms_violation_by(m, MS_VIOLATION_KERNEL, "sanitise_mte_tags: no page behind the pfn",
			f->pfn << m->page_shift, 0);
	return 0;
}

/* What is done with the mmu lock held.
 * mirrors kvm_s2_fault_map(), arch/arm64/kvm/mmu.c, 7.1+ */
static int map_locked(struct fault *f)
{
	bool check_late = f->vm->machine->policy.mte_check == MS_MTE_CHECK_UNDER_MMU_LOCK;
	int ret;

	if (invalidated(f))
		return refuse(f, MS_WHY_NOTIFIER_RETRY, -EAGAIN);
	ret = choose_size(f);
	if (!ret && check_late)
		ret = check_mte(f);
	if (!ret)
		ret = sanitise_mte_tags(f);
	if (ret)
		return ret;
	f->prot = choose_prot(f);
	return install(f);
}

/* Fills the cache of tables, looks at the VMA and samples the notifiers' sequence, in the
 * kernel's order. */
static int prepare(struct fault *f)
{
	struct ms_machine *m = f->vm->machine;
	bool topup_first = m->policy.s2_topup == MS_S2_TOPUP_BEFORE;
	int ret = topup_first ? topup(f) : 0;

	if (!ret)
		ret = sample_vma(f);
	if (ret)
		return ret;
	f->seq = f->vm->invalidate_seq;
	ms_hook(m, MS_HOOK_S2_VMA_SAMPLED, f->abort->ipa);
	ret = still_there(f);
	if (!ret && !topup_first)
		ret = topup(f);
	// Such a kernel does not notice a notifier that ran during the hook.
	if (m->policy.s2_seq_sample == MS_S2_SEQ_SAMPLE_AFTER_UNLOCK) {
		f->vm->arm64.missed_notifier |= f->seq != f->vm->invalidate_seq;
		f->seq = f->vm->invalidate_seq;
	}
	return ret;
}

// mirrors user_mem_abort(), arch/arm64/kvm/mmu.c, 5.10+
int ms_user_mem_abort(struct ms_vm *vm, struct ms_memslot *slot, ms_hva_t hva,
		      struct ms_abort *abort)
{
	struct fault f = {
		.vm = vm,
		.slot = slot,
		.abort = abort,
		.hva = hva,
		.ipa = abort->ipa,
		.logging = ms_slot_is_logging(slot),
	};
	const struct ms_policy *p = &vm->machine->policy;
	struct ms_block_inputs inputs;
	int ret;

	if (p->choose_block)
		f.in = &inputs;
	if (ms_abort_is_perm(abort) && !abort->write && !abort->exec)
		return refuse(&f, MS_WHY_READ_PERMISSION, -EFAULT);
	ret = prepare(&f);
	if (!ret)
		ret = lookup_pfn(&f);
	if (!ret)
		ret = classify(&f);
	if (!ret && p->mte_check == MS_MTE_CHECK_BEFORE_MMU_LOCK)
		ret = check_mte(&f);
	if (!ret && f.in)
		ret = ask_policy(&f);
	if (ret)
		return ret;
	ms_hook(vm->machine, MS_HOOK_S2_MMU_LOCK, abort->ipa);
	ret = still_there(&f);
	if (!ret)
		ret = map_locked(&f);
	if (!ret && !f.device)
		ms_lru_accessed(vm->mm, f.hva, f.page);
	if (!ret)
		ms_hook(vm->machine, MS_HOOK_S2_MAPPED, abort->ipa);
	return ret == -EAGAIN ? 0 : ret;
}
