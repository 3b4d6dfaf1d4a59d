/* SPDX-License-Identifier: GPL-2.0-only */
/* A page fault from its beginning, with the CPU's access that leads to it. */
#include "mm/lock.h"
#include "mm/pgtable.h"

#define MS_ENDLESS_FAULTS 8 /* so many successful faults of one access are taken for endless */

/* ---- PTE level ---- */

// mirrors do_anonymous_page(), mm/memory.c, 5.10+
static ms_vm_fault_t do_anonymous_page(struct ms_vm_fault *vmf)
{
	struct ms_vma *vma = vmf->vma;
	struct ms_machine *m = ms_vma_machine(vma);
	uint64_t *slot, entry;
	ms_pfn_t pfn;

	if (vma->vm_flags & MS_VM_SHARED)
		return ms_refuse_fault(m, "a shared mapping without operations", vmf->address);
	slot = ms_pt_alloc_slot(vma->vm_mm, vmf->address, MS_LEVEL_PTE);
	if (!slot)
		return MS_VM_FAULT_OOM;
	if (!(vmf->flags & MS_FAULT_FLAG_WRITE)) {
		pfn = ms_zero_pfn(m);
		if (!pfn)
			return ms_refuse_page(m);
		*slot = ms_mk_pte(m, pfn, vma->vm_page_prot) | MS_PTE_SPECIAL;
		return 0;
	}
	if (ms_anon_vma_prepare(vma) ||
	    !ms_page_alloc(m, 0, MS_PG_ANON | MS_PG_ANON_EXCLUSIVE, &pfn))
		return ms_refuse_page(m);
	ms_lru_add_new(vma, pfn);
	entry = ms_mk_pte(m, pfn, vma->vm_page_prot);
	if (vma->vm_flags & MS_VM_WRITE)
		entry |= MS_PTE_MKDIRTY | MS_PTE_WRITE;
	*slot = entry;
	return 0;
}

// mirrors handle_pte_fault(), mm/memory.c, 5.10+
static ms_vm_fault_t handle_pte_fault(struct ms_vm_fault *vmf)
{
	struct ms_vma *vma = vmf->vma;
	uint64_t *slot = ms_pt_slot(vma->vm_mm, vmf->address, MS_LEVEL_PTE);

	if (!slot || ms_pte_none(*slot))
		return ms_vma_is_anonymous(vma) ? do_anonymous_page(vmf) : ms_do_fault(vmf);
	if ((vmf->flags & (MS_FAULT_FLAG_WRITE | MS_FAULT_FLAG_UNSHARE)) &&
	    !(*slot & MS_PTE_WRITE))
		return ms_do_wp_page(vmf, slot);
	if (vmf->flags & MS_FAULT_FLAG_WRITE)
		*slot |= MS_PTE_MKDIRTY;
	*slot |= MS_PTE_YOUNG;
	return 0;
}

/* ---- huge levels ---- */

/*
 * Of a VMA with ->huge_fault: drivers' VM_PFNMAP mappings.
 * mirrors __transparent_hugepage_enabled(), include/linux/huge_mm.h, 5.10 .. 5.19;
 * hugepage_vma_check(), mm/huge_memory.c, 6.0 .. 6.7; __thp_vma_allowable_orders(),
 * mm/huge_memory.c, 6.8+
 */
static bool huge_pfnmap_allowed(const struct ms_vma *vma)
{
	switch (ms_vma_machine(vma)->policy.pfnmap_huge_fault) {
	case MS_PFNMAP_HUGE_FAULT_NEVER:
		return false;
	case MS_PFNMAP_HUGE_FAULT_ALWAYS:
		return !(vma->vm_flags & MS_VM_NOHUGEPAGE);
	case MS_PFNMAP_HUGE_FAULT_BY_SYSFS:
	case MS_PFNMAP_HUGE_FAULT_BY_SYSFS_ANY_VMA:
		break;
	}
	return ms_thp_allowed(vma);
}

/* May a fault where nothing is mapped try to make a leaf at this level? */
static bool huge_allowed(const struct ms_vma *vma, unsigned int level)
{
	const struct ms_machine *m = ms_vma_machine(vma);

	if (ms_vma_is_anonymous(vma))
		return level == MS_LEVEL_PMD && ms_thp_allowed(vma);
	if (!vma->vm_ops || !vma->vm_ops->huge_fault)
		return false;
	if (level == MS_LEVEL_PUD &&
	    (m->policy.pfnmap_leaf_max != MS_PFNMAP_LEAF_MAX_PUD || m->page_shift != 12))
		return false;
	return huge_pfnmap_allowed(vma);
}

static ms_vm_fault_t call_huge_fault(struct ms_vm_fault *vmf, unsigned int level)
{
	struct ms_vma *vma = vmf->vma;
	const struct ms_machine *m = ms_vma_machine(vma);

	// the handler was asked for a larger leaf before, and may have taken the operations away
	if (!vma->vm_ops || !vma->vm_ops->huge_fault)
		return MS_VM_FAULT_FALLBACK;
	return ms_vma_call_huge_fault(vmf, ms_level_shift(m, level) - m->page_shift);
}

// mirrors create_huge_pmd() and create_huge_pud(), mm/memory.c, 5.10+
static ms_vm_fault_t create_huge(struct ms_vm_fault *vmf, unsigned int level)
{
	if (!ms_vma_is_anonymous(vmf->vma))
		return call_huge_fault(vmf, level);
	return level == MS_LEVEL_PMD ? ms_do_huge_anonymous(vmf) : MS_VM_FAULT_FALLBACK;
}

/* A write to a read-only leaf.
 * mirrors wp_huge_pmd() and wp_huge_pud(), mm/memory.c, 5.10+ */
static ms_vm_fault_t wp_huge(struct ms_vm_fault *vmf, uint64_t *slot, unsigned int level)
{
	struct ms_vma *vma = vmf->vma;

	if (ms_is_anon_huge(vma, *slot, level))
		return ms_do_huge_wp(vmf, slot);
	// do_huge_pmd_wp_page() would use a struct page that a raw leaf has not
	if (ms_vma_is_anonymous(vma) && level == MS_LEVEL_PMD)
		ms_vma_violation(vma, MS_VIOLATION_DRIVER,
				 "write to a raw huge leaf in an anonymous VMA", vmf->address, 0);
	if (vma->vm_flags & (MS_VM_SHARED | MS_VM_MAYSHARE)) {
		ms_vm_fault_t ret = call_huge_fault(vmf, level);

		if (!(ret & MS_VM_FAULT_FALLBACK))
			return ret;
	}
	ms_split_huge_leaf(vma, vmf->address, level);
	return MS_VM_FAULT_FALLBACK;
}

/* One huge level of the fault; FALLBACK: go on with the next smaller one.
 * mirrors __handle_mm_fault(), mm/memory.c, 5.10+ */
static ms_vm_fault_t handle_huge_level(struct ms_vm_fault *vmf, unsigned int level)
{
	uint64_t *slot;

	if (!ms_pt_has_level(vmf->vma->vm_mm, level))
		return MS_VM_FAULT_FALLBACK;
	slot = ms_pt_alloc_slot(vmf->vma->vm_mm, vmf->address, level);
	if (!slot)
		return MS_VM_FAULT_OOM;
	if (ms_pte_none(*slot))
		return huge_allowed(vmf->vma, level) ? create_huge(vmf, level)
						     : MS_VM_FAULT_FALLBACK;
	if (!ms_pte_is_leaf(*slot))
		return MS_VM_FAULT_FALLBACK;
	if ((vmf->flags & (MS_FAULT_FLAG_WRITE | MS_FAULT_FLAG_UNSHARE)) &&
	    !(*slot & MS_PTE_WRITE))
		return wp_huge(vmf, slot, level);
	*slot |= MS_PTE_YOUNG | (vmf->flags & MS_FAULT_FLAG_WRITE ? MS_PTE_MKDIRTY : 0);
	return 0;
}

/*
 * GFP_KERNEL; of files the mask that an inode begins with, GFP_HIGHUSER_MOVABLE.
 * mirrors __get_fault_gfp_mask(), mm/memory.c, 5.10+
 */
#define MS_GFP_OF_MEMORY 0xcc0u
#define MS_GFP_OF_FILE 0xccau

// mirrors handle_mm_fault(), mm/memory.c, 5.10+
ms_vm_fault_t ms_handle_mm_fault(struct ms_vma *vma, ms_hva_t addr, unsigned int flags)
{
	ms_vma_door();
	struct ms_machine *m = ms_vma_machine(vma);
	struct ms_vm_fault vmf = {
		.vma = vma,
		.address = ms_align_down(addr, m->page_size),
		.flags = flags,
		.gfp_mask = vma->vm_file ? MS_GFP_OF_FILE : MS_GFP_OF_MEMORY,
	};
	struct ms_mm *mm = vma->vm_mm;
	ms_vm_fault_t ret = MS_VM_FAULT_FALLBACK;

	ms_mmap_pin(mm);
	vmf.pgoff = ms_vma_pgoff_of(vma, vmf.address);
	if (ms_vma_is_hugetlb(vma)) {
		ret = ms_hugetlb_fault(&vmf);
	} else {
		for (unsigned int level = MS_LEVEL_PUD;
		     level < MS_LEVEL_PTE && (ret & MS_VM_FAULT_FALLBACK); level++)
			ret = handle_huge_level(&vmf, level);
		if (ret & MS_VM_FAULT_FALLBACK)
			ret = handle_pte_fault(&vmf);
	}
	ms_mmap_unpin(mm);
	MS_EMIT(m, .type = MS_EV_HOST_FAULT, .mm = mm->id, .va = vmf.address, .fault = ret,
		.prot = flags & MS_FAULT_FLAG_WRITE ? MS_PROT_W : MS_PROT_R);
	return ret;
}

void ms_endless_fault(struct ms_mm *mm, ms_vm_fault_t ret, ms_hva_t addr)
{
	struct ms_machine *m = mm->machine;

	if (ret & MS_VM_FAULT_RETRY) {
		ms_mm_violation(mm, MS_VIOLATION_DRIVER,
				"fault handler answers VM_FAULT_RETRY without end", addr, 0);
		ms_refuse_fault(m, "the handler answers VM_FAULT_RETRY without end", addr);
	} else if (m->processes->endless_mkwrite) {
		ms_mm_violation(mm, MS_VIOLATION_DRIVER,
				"page_mkwrite answers 0, and page->mapping is not set: the write "
				"faults for ever",
				addr, 0);
		ms_refuse_fault(m, "page_mkwrite answers 0, and page->mapping is not set", addr);
	} else {
		ms_mm_violation(mm, MS_VIOLATION_DRIVER,
				"fault handler claims success and installs nothing", addr, 0);
		ms_refuse_fault(m, "the handler claims success and installs nothing", addr);
	}
}

/* ---- the CPU ---- */

/*
 * On x86 a read needs any of the three rights, and no protection key that forbids it. arm64 asks
 * for READ or WRITE, and accepts EXEC where the CPU has no execute-only memory, as the CPU that is
 * modelled.
 * mirrors access_error(), arch/x86/mm/fault.c, 5.10+; __do_page_fault(), arch/arm64/mm/fault.c,
 * 5.10 .. 6.1; do_page_fault(), arch/arm64/mm/fault.c, 6.12+
 */
static bool access_granted(const struct ms_vma *vma, unsigned int prot)
{
	if (prot & MS_PROT_X)
		return vma->vm_flags & MS_VM_EXEC;
	if (vma->vm_flags & MS_VM_PKEY)
		return false;
	if (prot & MS_PROT_W)
		return vma->vm_flags & MS_VM_WRITE;
	return vma->vm_flags & MS_VM_ACCESS;
}

static void device_accessed(struct ms_mm *mm, ms_hva_t addr, ms_pa_t pa)
{
	const struct ms_where outer = ms_where_enter(mm->machine, ms_vma_lookup(mm, addr));

	ms_device_accessed(mm->machine, addr, pa);
	ms_where_leave(mm->machine, &outer);
}

/* What the hardware does by itself; false: it raises a fault. */
static bool hardware_access(struct ms_mm *mm, ms_hva_t addr, unsigned int prot)
{
	struct ms_machine *m = mm->machine;
	uint64_t *slot = NULL, need = MS_PTE_PRESENT;
	unsigned int level;

	if (addr >= UINT64_C(1) << m->config.va_bits)
		return false;
	if (prot & MS_PROT_W)
		need |= MS_PTE_WRITE;
	if ((ms_pt_walk(mm, addr, &level) & need) != need)
		return false;
	slot = ms_pt_slot(mm, addr, level);
	*slot |= MS_PTE_YOUNG | (prot & MS_PROT_W ? MS_PTE_DIRTY : 0);
	if (prot & MS_PROT_W)
		ms_page_write(m, ms_leaf_pfn(m, *slot, level, addr));
	if (ms_device_is_off(m))
		device_accessed(mm, addr, ms_leaf_pfn(m, *slot, level, addr) << m->page_shift);
	return true;
}

/* Is the page there, with a protection key that forbids to read it? */
static bool is_execute_only(const struct ms_mm *mm, ms_hva_t addr)
{
	unsigned int level;

	return ms_is_x86(mm->machine) && ms_has(mm->machine->config.pku) && addr < mm->task_size &&
	       (ms_pt_walk(mm, addr, &level) & MS_PTE_EXECUTE_ONLY);
}

static enum ms_access segv(struct ms_mm *mm, ms_hva_t addr, unsigned int prot)
{
	const struct ms_vma *vma = ms_vma_lookup(mm, addr);

	if (!vma)
		ms_refuse_no_vma(mm, -EFAULT, addr);
	else if (access_granted(vma, prot) || (!(prot & MS_PROT_X) && vma->vm_flags & MS_VM_PKEY))
		ms_refuse(mm->machine, -EFAULT, "%x has a protection key", addr);
	else
		ms_refuse(mm->machine, -EFAULT,
			  MS_VMA_WORDS " does not allow the access (%r) to %x", MS_VMA_NUMBERS(vma),
			  prot, addr);
	return MS_ACCESS_SIGSEGV;
}

/* How an access ends whose fault ended so; MS_ACCESS_OK: it is tried again. */
static enum ms_access failed_access(const struct ms_machine *m, ms_vm_fault_t ret)
{
	// in a hook: the handler waits for somebody who is interrupted by this hook
	if ((ret & MS_VM_FAULT_RETRY) && m->in_hook)
		return MS_ACCESS_WAITS;
	if (ret & MS_FAULT_ENDLESS)
		return MS_ACCESS_ENDLESS;
	if (ret & MS_VM_FAULT_OOM)
		return MS_ACCESS_OOM;
	if (ret & (MS_VM_FAULT_SIGBUS | MS_VM_FAULT_HWPOISON))
		return MS_ACCESS_SIGBUS;
	return ret & MS_VM_FAULT_SIGSEGV ? MS_ACCESS_SIGSEGV : MS_ACCESS_OK;
}

static bool is_one_access(unsigned int prot)
{
	return prot == MS_PROT_R || prot == MS_PROT_W || prot == MS_PROT_X;
}

/* mirrors do_user_addr_fault(), arch/x86/mm/fault.c, 5.10+; do_page_fault(), arch/arm64/mm/fault.c,
 * 5.10+: and repeats the access until it succeeds, as the CPU does */
enum ms_access ms_touch(struct ms_mm *mm, ms_hva_t addr, unsigned int prot)
{
	if (!mm)
		return MS_ACCESS_SIGSEGV;
	const uint64_t before = ms_refusals(mm->machine);

	if (!is_one_access(prot)) {
		ms_refuse(mm->machine, -EINVAL,
			  "an access of %x is none of a read, a write and a fetch", prot);
		return MS_ACCESS_SIGSEGV;
	}
	unsigned int flags = MS_FAULT_FLAG_USER | MS_FAULT_FLAG_ALLOW_RETRY |
			     MS_FAULT_FLAG_KILLABLE | MS_FAULT_FLAG_INTERRUPTIBLE;
	ms_vm_fault_t ret = 0;

	addr = ms_untagged_addr(mm->machine, addr);
	flags |= prot & MS_PROT_W ? MS_FAULT_FLAG_WRITE : 0;
	flags |= prot & MS_PROT_X ? MS_FAULT_FLAG_INSTRUCTION : 0;
	mm->machine->processes->endless_mkwrite = false;
	for (unsigned int i = 0; i < MS_ENDLESS_FAULTS; i++) {
		struct ms_vma *vma;

		if (!(prot & MS_PROT_X) && is_execute_only(mm, addr))
			return segv(mm, addr, prot);
		if (!(prot & MS_PROT_X) && hardware_access(mm, addr, prot))
			return MS_ACCESS_OK;
		vma = ms_vma_lookup(mm, addr);
		if (!vma || !access_granted(vma, prot))
			return segv(mm, addr, prot);
		if ((prot & MS_PROT_X) && hardware_access(mm, addr, prot))
			return MS_ACCESS_OK;
		if (!ms_mmap_may_read(mm)) {
			ms_mmap_waits(mm);
			return MS_ACCESS_WAITS;
		}
		ret = ms_handle_mm_fault(vma, addr, flags);
		if (ret & MS_VM_FAULT_RETRY)
			flags |= MS_FAULT_FLAG_TRIED;
		if (ret & (MS_VM_FAULT_ERROR | MS_VM_FAULT_RETRY | MS_FAULT_ENDLESS)) {
			enum ms_access failed = failed_access(mm->machine, ret);

			ms_answered(mm->machine, before, ms_fault_errno(mm->machine, ret), NULL);
			if (failed != MS_ACCESS_OK)
				return failed;
		}
	}
	ms_endless_fault(mm, ret, addr);
	return MS_ACCESS_ENDLESS;
}
