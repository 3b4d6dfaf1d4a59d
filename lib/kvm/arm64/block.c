/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How large a stage-2 mapping may be: what the VMA promises, what the slot lets through, and what
 * the host maps.
 */
#include "kvm/arm64/arm64.h"
#include "phys/internal.h"

// mirrors kvm_is_block_size_supported(), arch/arm64/include/asm/kvm_pgtable.h, 6.12+
bool ms_is_block_size(const struct ms_machine *m, uint64_t size)
{
	return size == m->page_size || size == ms_pmd_size(m) ||
	       (m->page_shift == 12 && size == ms_pud_size(m));
}

/* 16, 128 or 32 pages, of 4K, 16K and 64K.
 * mirrors CONT_PTE_SIZE, arch/arm64/include/asm/pgtable-hwdef.h, 5.10+ */
static uint64_t cont_pte_size(const struct ms_machine *m)
{
	static const unsigned int shift[] = { 4, 7, 5 };

	return m->page_size << shift[(m->page_shift - 12) / 2];
}

/* 16, 32 or 32 PMDs.
 * mirrors CONT_PMD_SIZE, arch/arm64/include/asm/pgtable-hwdef.h, 5.10+ */
static uint64_t cont_pmd_size(const struct ms_machine *m)
{
	static const unsigned int shift[] = { 4, 5, 5 };

	return ms_pmd_size(m) << shift[(m->page_shift - 12) / 2];
}

enum fit { FITS, NOT_CONGRUENT, SLOT_START, SLOT_END };

/* Neither the PA nor the VMA is looked at.
 * mirrors fault_supports_stage2_huge_mapping(), arch/arm64/kvm/mmu.c, 5.10+ */
static enum fit fits_slot(const struct ms_vm *vm, const struct ms_memslot *slot, ms_hva_t hva,
			  uint64_t size)
{
	ms_hva_t start = ms_align_down(hva, size);

	if ((ms_slot_gpa(vm, slot) ^ slot->hva) & (size - 1))
		return NOT_CONGRUENT;
	if (start < slot->hva)
		return SLOT_START;
	return start + size <= slot->hva_end ? FITS : SLOT_END;
}

/* Why the mapping is a page. */
static enum ms_kvm_reason page_reason(enum fit fit)
{
	static const enum ms_kvm_reason why[] = {
		[NOT_CONGRUENT] = MS_WHY_GPA_NOT_CONGRUENT,
		[SLOT_START] = MS_WHY_SLOT_START,
		[SLOT_END] = MS_WHY_SLOT_END,
	};

	return why[fit];
}

/* Why the mapping is a PMD block and not a PUD block. */
static enum ms_kvm_reason smaller_reason(enum fit fit)
{
	static const enum ms_kvm_reason why[] = {
		[NOT_CONGRUENT] = MS_WHY_PMD_GPA_NOT_CONGRUENT,
		[SLOT_START] = MS_WHY_PMD_SLOT_START,
		[SLOT_END] = MS_WHY_PMD_SLOT_END,
	};

	return why[fit];
}

/*
 * The checks of get_vma_page_shift() for one size. The end is tested for the next multiple of the
 * size at or above hva: when hva is such a multiple itself, the block need not end inside the VMA.
 */
static enum ms_kvm_reason vma_allows(const struct ms_vma *vma, ms_hva_t hva, ms_pa_t pa,
				     uint64_t size)
{
	if ((hva ^ pa) & (size - 1))
		return MS_WHY_VMA_NOT_CONGRUENT;
	if (ms_align_down(hva, size) < vma->vm_start)
		return MS_WHY_VMA_START;
	if (ms_align_up(hva, size) > vma->vm_end)
		return MS_WHY_VMA_END;
	return MS_WHY_NONE;
}

static bool block_leaves_vma(const struct ms_vma *vma, ms_hva_t hva, uint64_t size)
{
	return ms_align_down(hva, size) + size > vma->vm_end;
}

/*
 * Arithmetic on vm_pgoff; no table is read. A forerunner of it, which was never merged, was called
 * device_rough_page_shift().
 * mirrors get_vma_page_shift(), arch/arm64/kvm/mmu.c, 5.14 .. 7.1: of a VM_PFNMAP VMA
 */
static struct ms_vma_block from_vm_pgoff(const struct ms_machine *m, const struct ms_vma *vma,
					 ms_hva_t hva)
{
	ms_pa_t pa = (vma->vm_pgoff << m->page_shift) + (hva - vma->vm_start);
	enum ms_kvm_reason why;
	bool leaves;

	// With two table levels (__PAGETABLE_PMD_FOLDED) a PUD is all of the address space, and no
	// VMA is as large.
	if (!vma_allows(vma, hva, pa, ms_pud_size(m))) {
		leaves = block_leaves_vma(vma, hva, ms_pud_size(m));
		return (struct ms_vma_block){
			.size = ms_pud_size(m),
			.why = leaves ? MS_WHY_VMA_PUD_END_UNCHECKED : MS_WHY_VMA_PUD,
		};
	}
	why = vma_allows(vma, hva, pa, ms_pmd_size(m));
	if (why)
		return (struct ms_vma_block){ .size = m->page_size, .why = why };
	leaves = block_leaves_vma(vma, hva, ms_pmd_size(m));
	return (struct ms_vma_block){
		.size = ms_pmd_size(m),
		.why = leaves ? MS_WHY_VMA_PMD_END_UNCHECKED : MS_WHY_VMA_PMD,
	};
}

static struct ms_vma_block of_hugetlb(const struct ms_machine *m, const struct ms_vma *vma)
{
	uint64_t size = ms_vma_kernel_pagesize(vma);

	return (struct ms_vma_block){
		.size = size,
		.why = size == ms_pud_size(m) ? MS_WHY_HUGETLB_PUD : MS_WHY_HUGETLB_PMD,
	};
}

/* The size that the VMA alone promises.
 * mirrors get_vma_page_shift(), arch/arm64/kvm/mmu.c, 5.14+ */
static struct ms_vma_block vma_size(const struct ms_vm *vm, const struct ms_vma *vma, ms_hva_t hva)
{
	struct ms_machine *m = vm->machine;
	bool pfnmap = vma->vm_flags & MS_VM_PFNMAP;

	switch (m->policy.s2_pfnmap_block) {
	case MS_S2_PFNMAP_BLOCK_PAGES_ONLY:
		if (pfnmap)
			return (struct ms_vma_block){ m->page_size, true, MS_WHY_PFNMAP_PAGES };
		break;
	case MS_S2_PFNMAP_BLOCK_ROUGH_VM_PGOFF_V3:
		if (pfnmap && !(vma->vm_flags & MS_VM_HUGETLB))
			return from_vm_pgoff(m, vma, hva);
		break;
	case MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF:
		if (pfnmap && vma->vm_flags & MS_VM_HUGETLB)
			ms_vma_violation(vma, MS_VIOLATION_DRIVER,
					 "is_vm_hugetlb_page(vma) and VM_PFNMAP", hva, 0);
		if (pfnmap)
			return from_vm_pgoff(m, vma, hva);
		break;
	case MS_S2_PFNMAP_BLOCK_HUGETLB_ONLY:
		if (pfnmap)
			return (struct ms_vma_block){ m->page_size, false, MS_WHY_PFNMAP_PAGES };
		break;
	case MS_S2_PFNMAP_BLOCK_FROM_HOST_TABLE:
		break;
	}
	if (vma->vm_flags & MS_VM_HUGETLB)
		return of_hugetlb(m, vma);
	return (struct ms_vma_block){ m->page_size, false, MS_WHY_HOST_LEAF_SMALL };
}

static bool logging_forces_pages(const struct ms_vm *vm, const struct ms_vma *vma)
{
	return !(vma->vm_flags & MS_VM_PFNMAP) ||
	       vm->machine->policy.s2_log_pfnmap == MS_S2_LOG_PFNMAP_PAGES;
}

/* The switch on vma_shift: from a size that the slot refuses it falls through to the next smaller.
 * mirrors user_mem_abort(), arch/arm64/kvm/mmu.c, 5.10 .. 7.0; kvm_s2_resolve_vma_size(),
 * arch/arm64/kvm/mmu.c, 7.1+ */
struct ms_vma_block ms_vma_block(const struct ms_vm *vm, const struct ms_memslot *slot,
				 const struct ms_vma *vma, ms_hva_t hva)
{
	struct ms_machine *m = vm->machine;
	struct ms_vma_block block;
	enum fit fit;

	if (ms_slot_is_logging(slot) && logging_forces_pages(vm, vma))
		return (struct ms_vma_block){ m->page_size, true, MS_WHY_LOGGING };
	block = vma_size(vm, vma, hva);
	if (block.size == m->page_size)
		return block;
	if (block.size == ms_pud_size(m)) {
		fit = fits_slot(vm, slot, hva, ms_pud_size(m));
		if (fit == FITS)
			return block;
		block.size = ms_pmd_size(m);
		block.why = smaller_reason(fit);
	} else if (block.size == cont_pmd_size(m)) {
		block.size = ms_pmd_size(m);
	}
	if (block.size == ms_pmd_size(m)) {
		fit = fits_slot(vm, slot, hva, ms_pmd_size(m));
		if (fit == FITS)
			return block;
		return (struct ms_vma_block){ m->page_size, true, page_reason(fit) };
	}
	if (block.size == cont_pte_size(m))
		return (struct ms_vma_block){ m->page_size, true, MS_WHY_HUGETLB_CONT_PTE };
	ms_violation_by(m, MS_VIOLATION_KERNEL, "Unknown vma_shift", hva, 0);
	return block;
}

/*
 * The size of the leaf that maps hva in the host's own table; contiguous entries count one by one.
 * It is an int, as in the kernel: a size that an int does not hold becomes 0, and seems small.
 * mirrors get_user_mapping_size(), arch/arm64/kvm/mmu.c, 5.15+
 */
static int user_mapping_size(const struct ms_vm *vm, ms_hva_t hva)
{
	const struct ms_machine *m = vm->machine;
	uint64_t entry;
	unsigned int level = ms_host_walk(vm->mm, hva, &entry);
	unsigned int shift = ms_level_shift(m, level);

	if (m->policy.host_leaf_absent == MS_HOST_LEAF_ABSENT_EAGAIN && !(entry & MS_PTE_PRESENT))
		return -EAGAIN;
	return shift < 31 ? 1 << shift : 0;
}

/*
 * Whether the page is one of a THP that nobody maps page by page. Once another process has split
 * its own leaf, each page counts as mapped (PageDoubleMap).
 * mirrors kvm_is_transparent_hugepage(), virt/kvm/kvm_main.c, 5.10 .. 5.13
 */
static bool is_transparent_hugepage(const struct ms_vm *vm, ms_hva_t hva)
{
	const struct ms_page *page;
	struct ms_host_leaf leaf;

	if (!ms_host_leaf(vm->mm, hva, &leaf) || leaf.size != ms_pmd_size(vm->machine))
		return false;
	page = ms_pfn_to_page(vm->machine,
			      (leaf.entry & MS_PTE_PA_MASK) >> vm->machine->page_shift);
	return !page || !(page->flags & MS_PG_DOUBLE_MAP);
}

// mirrors transparent_hugepage_adjust(), arch/arm64/kvm/mmu.c, 5.10+
int64_t ms_thp_adjust(const struct ms_vm *vm, const struct ms_memslot *slot, ms_hva_t hva,
		      enum ms_kvm_reason *why)
{
	const struct ms_machine *m = vm->machine;
	bool by_page = m->policy.host_leaf_absent == MS_HOST_LEAF_ABSENT_PAGE_STRUCT;
	enum fit fit = fits_slot(vm, slot, hva, ms_pmd_size(m));
	int size;

	if (fit != FITS) {
		*why = page_reason(fit);
		return (int64_t)m->page_size;
	}
	if (by_page) {
		bool thp = is_transparent_hugepage(vm, hva);

		*why = thp ? MS_WHY_THP : MS_WHY_NOT_THP;
		return (int64_t)(thp ? ms_pmd_size(m) : m->page_size);
	}
	size = user_mapping_size(vm, hva);
	if (size < 0) {
		*why = MS_WHY_HOST_ENTRY_GONE;
		return size;
	}
	if ((uint64_t)size < ms_pmd_size(m)) {
		*why = MS_WHY_HOST_LEAF_SMALL;
		return (int64_t)m->page_size;
	}
	*why = MS_WHY_HOST_LEAF;
	return (int64_t)ms_pmd_size(m);
}

uint64_t ms_choose_block(struct ms_vm *vm, const struct ms_memslot *slot,
			 const struct ms_block_inputs *in)
{
	struct ms_machine *m = vm->machine;
	uint64_t size = m->policy.choose_block(in, m->policy.choose_block_arg);

	if (!size || size == in->size)
		return in->size;
	if (!ms_is_block_size(m, size)) {
		ms_violation_by(m, MS_VIOLATION_TEST, "choose_block: no size of a page or a block",
				in->ipa, 0);
		return in->size;
	}
	if (fits_slot(vm, slot, in->hva, size) != FITS) {
		ms_violation_by(m, MS_VIOLATION_TEST,
				"choose_block: block does not fit the memslot", in->ipa, 0);
		return in->size;
	}
	return size;
}
