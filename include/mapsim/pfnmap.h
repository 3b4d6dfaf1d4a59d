/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * pfnmap.h - how drivers put raw page frame numbers into a process: remap_pfn_range, vmf_insert_pfn
 * and their kin, the ways in which the entries go again, and what others see of them. Mirrors
 * mm/memory.c, mm/huge_memory.c.
 *
 * Each page-table entry that is written, removed or looked at costs O(1), and O(levels) for each
 * table of them; what is asked of the memory types, once a call, is in pat.h. Of the n VMAs of a
 * file the first that shows a range is found in O(log n); the next ones are looked for among those
 * that begin behind it, up to the range's end.
 *
 * A VMA, fault or file that is NULL is refused: the answer is -EINVAL, SIGBUS or false, or nothing
 * is done.
 */
#ifndef MAPSIM_PFNMAP_H
#define MAPSIM_PFNMAP_H

#include <mapsim/mm.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * remap_pfn_range: maps [addr, addr + size) to pfn onward with `prot`, page by page; size is
 * rounded up to pages. Sets VM_IO, VM_PFNMAP, VM_DONTEXPAND, VM_DONTDUMP. Order of checks and what
 * an error leaves: policy fields remap_checks, remap_error. -EINVAL: addr not page aligned, a COW
 * mapping that is not mapped whole, a memory type refused; -EACCES; -ENOMEM. A present entry in the
 * range is the kernel's BUG: a violation and -EBUSY.
 */
int ms_remap_pfn_range(struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn, uint64_t size,
		       ms_pgprot_t prot);
/** vm_iomap_memory: the VMA's part (by vm_pgoff) of physical [start, start + len). -EINVAL when it
 * does not fit. */
int ms_vm_iomap_memory(struct ms_vma *vma, ms_pa_t start, uint64_t len);

/** vmf_insert_pfn: NOPAGE (also when an entry is already there), SIGBUS, OOM. */
ms_vm_fault_t ms_vmf_insert_pfn(struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn);
ms_vm_fault_t ms_vmf_insert_pfn_prot(struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn,
				     ms_pgprot_t prot);
/** vmf_insert_mixed: as above for VM_MIXEDMAP VMAs, raw pfns or pages. */
ms_vm_fault_t ms_vmf_insert_mixed(struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn);
/** vmf_insert_pfn_pmd / _pud: one leaf at the aligned address. pfn alignment is the caller's duty,
 * as in the kernel. */
ms_vm_fault_t ms_vmf_insert_pfn_pmd(struct ms_vm_fault *vmf, ms_pfn_t pfn, bool write);
ms_vm_fault_t ms_vmf_insert_pfn_pud(struct ms_vm_fault *vmf, ms_pfn_t pfn, bool write);
/** vm_insert_page: a page of System RAM, with a reference. 0, -EFAULT, -EINVAL, -EBUSY, -ENOMEM. */
int ms_vm_insert_page(struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn);

/** zap_vma_ptes: silently nothing unless the range is inside a VM_PFNMAP VMA. */
void ms_zap_vma_ptes(struct ms_vma *vma, ms_hva_t addr, uint64_t size);
/**
 * unmap_mapping_range on the file's address_space: [off, off + len) in bytes, rounded outward; len
 * 0: to the end. VMAs are found by their vm_pgoff as it is now. even_cows: copied pages of private
 * mappings go too.
 */
void ms_unmap_mapping_range(struct ms_file *file, uint64_t off, uint64_t len, bool even_cows);

struct ms_pfnmap_leaf {
	ms_pfn_t pfn; ///< of the page that was asked for, also inside a huge leaf
	ms_pgprot_t prot;
	bool writable;
	bool special;
	uint64_t size; ///< bytes of the leaf
};
/**
 * follow_pfnmap_start (6.12+) / follow_pte: the entry at addr. -EINVAL: absent, or (by policy) the
 * VMA is not VM_IO|VM_PFNMAP, or the leaf is huge where only PTEs are known.
 */
int ms_follow_pfnmap(struct ms_vma *vma, ms_hva_t addr, struct ms_pfnmap_leaf *leaf);

/** vm_normal_page: whether the entry at addr has a struct page behind it; *pfn may be NULL. Prints
 * "bad page map" as a violation where the kernel does. */
bool ms_vm_normal_page(struct ms_vma *vma, ms_hva_t addr, uint64_t entry, ms_pfn_t *pfn);

#ifdef __cplusplus
}
#endif
#endif
