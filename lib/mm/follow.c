/* SPDX-License-Identifier: GPL-2.0-only */
/* What others see of an entry: the lookup of a raw pfn, and the normal page behind an entry. */
#include "mm/pgtable.h"

/* The checks of the VMA came with follow_pfnmap_start(), as did the knowledge of huge leaves. */
static bool vma_refuses(const struct ms_vma *vma, ms_hva_t addr)
{
	if (ms_vma_machine(vma)->policy.pfn_lookup == MS_PFN_LOOKUP_PTE_ONLY)
		return false;
	if (addr < vma->vm_start || addr >= vma->vm_end)
		return true;
	return !(vma->vm_flags & (MS_VM_IO | MS_VM_PFNMAP));
}

bool ms_try_follow_pfnmap(struct ms_vma *vma, ms_hva_t addr, struct ms_pfnmap_leaf *leaf)
{
	struct ms_machine *m = ms_vma_machine(vma);
	unsigned int level;
	uint64_t entry;

	if (vma_refuses(vma, addr))
		return false;
	entry = ms_pt_walk(vma->vm_mm, addr, &level);
	if (!ms_leaf_present(m, entry, level))
		return false;
	if (level < MS_LEVEL_PTE && m->policy.pfn_lookup == MS_PFN_LOOKUP_PTE_ONLY) {
		ms_vma_violation(vma, MS_VIOLATION_KERNEL, "follow_pte met a huge leaf", addr, 0);
		return false;
	}
	*leaf = (struct ms_pfnmap_leaf){
		.pfn = ms_leaf_pfn(m, entry, level, addr),
		.prot = (entry & ~MS_PTE_PA_MASK) | (ms_is_x86(m) ? MS_PTE_X86 : 0),
		.writable = entry & MS_PTE_WRITE,
		.special = entry & MS_PTE_SPECIAL,
		.size = ms_level_size(m, level),
	};
	return true;
}

// mirrors follow_pte(), mm/memory.c, 5.10 .. 6.11; follow_pfnmap_start(), mm/memory.c, 6.12+
int ms_follow_pfnmap(struct ms_vma *vma, ms_hva_t addr, struct ms_pfnmap_leaf *leaf)
{
	if (!vma)
		return -EINVAL;
	struct ms_machine *m = ms_vma_machine(vma);
	unsigned int level;
	uint64_t entry;

	if (ms_try_follow_pfnmap(vma, addr, leaf))
		return 0;
	if (vma_refuses(vma, addr))
		return ms_refuse(m, -EINVAL,
				 "%x is outside of " MS_VMA_WORDS ", or that is not VM_PFNMAP",
				 addr, MS_VMA_NUMBERS(vma));
	entry = ms_pt_walk(vma->vm_mm, addr, &level);
	if (!ms_leaf_present(m, entry, level))
		return ms_refuse(m, -EINVAL, "nothing is mapped at %x", addr);
	return ms_refuse(m, -EINVAL, "follow_pte met a huge leaf, at %x", addr);
}

/* The driver knows the page behind an entry that says there is none. */
static bool special_page(struct ms_vma *vma, ms_hva_t addr, ms_pfn_t *pfn)
{
	const struct ms_struct_page *page = ms_vma_call_find_special_page(vma, addr);

	if (page && pfn)
		*pfn = ms_page_struct_to_pfn(ms_vma_machine(vma), page);
	return page;
}

// mirrors vm_normal_page(), mm/memory.c, 5.10+
bool ms_vm_normal_page(struct ms_vma *vma, ms_hva_t addr, uint64_t entry, ms_pfn_t *pfn)
{
	if (!vma)
		return false;
	struct ms_machine *m = ms_vma_machine(vma);
	ms_pfn_t found = ms_pte_pfn(m, entry);

	if ((entry & MS_PTE_SPECIAL) && vma->vm_ops && vma->vm_ops->find_special_page)
		return special_page(vma, addr, pfn);
	if ((entry & MS_PTE_SPECIAL) && (vma->vm_flags & (MS_VM_PFNMAP | MS_VM_MIXEDMAP)))
		return false;
	if (ms_is_zero_pfn(m, found) || ms_is_huge_zero_pfn(m, found))
		return false;
	if (entry & MS_PTE_SPECIAL) {
		ms_vma_violation(vma, MS_VIOLATION_DRIVER,
				 "bad page map: special entry in an ordinary VMA", addr,
				 ms_pte_pa(entry));
		return false;
	}
	if (!ms_pfn_is_ram(m, found)) {
		ms_vma_violation(vma, MS_VIOLATION_DRIVER,
				 "bad page map: no struct page behind an ordinary entry", addr,
				 ms_pte_pa(entry));
		return false;
	}
	if (pfn)
		*pfn = found;
	return true;
}

uint64_t *ms_pte_at(struct ms_mm *mm, ms_hva_t addr)
{
	uint64_t *slot = addr < mm->task_size ? ms_pt_slot(mm, addr, MS_LEVEL_PTE) : NULL;

	return slot && ms_pte_present(*slot) ? slot : NULL;
}
