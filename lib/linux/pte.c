/* SPDX-License-Identifier: GPL-2.0-only */
/* Page-table entries as drivers look at them and write them. */
#include "linux/state.h"

struct call_pte {
	int (*fn)(void *pte, unsigned long addr, void *data);
	void *data;
};

/* A pte_t is the entry, and nothing besides. */
static int call_fn(uint64_t *entry, ms_hva_t addr, void *arg)
{
	const struct call_pte *call = arg;

	return call->fn(entry, addr, call->data);
}

int ms_linux_apply_to_page_range(struct ms_mm *mm, unsigned long addr, unsigned long size,
				 bool create, int (*fn)(void *pte, unsigned long addr, void *data),
				 void *data)
{
	struct call_pte call = { .fn = fn, .data = data };

	return fn ? ms_apply_to_page_range(mm, addr, size, create, call_fn, &call) : -EINVAL;
}

uint64_t ms_linux_mk_pte(unsigned long pfn, ms_pgprot_t prot)
{
	struct ms_machine *m = ms_linux_here("pfn_pte");

	if (!m)
		return 0;
	if (pfn << m->page_shift >> m->page_shift != pfn ||
	    (pfn << m->page_shift) & ~MS_PTE_PA_MASK) {
		ms_violation(m, "pfn_pte of a pfn that no physical address has", 0);
		return 0;
	}
	return (pfn << m->page_shift) | (prot & ~MS_PTE_X86) | MS_PTE_YOUNG;
}

ms_pgprot_t ms_linux_page_prot(uint64_t vm_flags)
{
	struct ms_machine *m = ms_linux_here("vm_get_page_prot");

	return m ? ms_vm_get_page_prot(m, vm_flags) : 0;
}

/* The part of [addr, addr + size) that the VMA has. */
void ms_linux_zap_range(struct ms_vma *vma, unsigned long addr, unsigned long size)
{
	if (!vma)
		return;
	const ms_hva_t start = ms_max_u64(addr, vma->vm_start);
	const ms_hva_t end = ms_min_u64(addr + size, vma->vm_end);

	ms_linux_might_sleep("zap_page_range_single");
	if (start < end)
		ms_zap_page_range_single(vma, start, end - start);
}

ms_pfn_t ms_linux_zero_pfn(void)
{
	struct ms_machine *m = ms_linux_here("ZERO_PAGE");

	return m ? ms_zero_pfn(m) : 0;
}

uint64_t *ms_linux_pte_at(struct ms_mm *mm, unsigned long addr, struct ms_linux_lock **lock)
{
	struct ms_linux *lx = mm ? ms_linux_of(ms_mm_machine(mm)) : NULL;
	uint64_t *entry = lx ? ms_pte_at(mm, addr) : NULL;

	if (entry)
		*lock = &lx->page_table_lock;
	return entry;
}

struct ms_mmu_notifier *ms_linux_first_notifier(struct ms_mm *mm)
{
	return ms_mm_first_notifier(mm);
}

/* In ->mmap, or where driver code holds the mmap lock itself. */
int ms_linux_do_munmap(struct ms_mm *mm, unsigned long start, unsigned long len)
{
	if (!mm)
		return -EINVAL;
	ms_linux_might_sleep("do_munmap");
	ms_linux_mmap_assert(mm, true);
	return ms_do_munmap(mm, start, len);
}

/* mirrors vmf_insert_folio_pmd() and vmf_insert_folio_pud(), mm/huge_memory.c, 6.15+ */
unsigned int ms_linux_insert_folio(struct ms_vm_fault *vmf, struct ms_struct_page *page,
				   unsigned int order, bool write)
{
	struct ms_machine *m;

	if (!vmf || !vmf->vma)
		return MS_VM_FAULT_SIGBUS;
	m = ms_mm_machine(vmf->vma->vm_mm);
	return ms_vmf_insert_folio(vmf, ms_page_struct_to_pfn(m, page), order, write);
}
