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
/** vmf_insert_mixed_mkwrite: for a write; an entry that is there for this pfn becomes writable. */
ms_vm_fault_t ms_vmf_insert_mixed_mkwrite(struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn);
/** vmf_insert_pfn_pmd / _pud: one leaf at the aligned address. pfn alignment is the caller's duty,
 * as in the kernel. */
ms_vm_fault_t ms_vmf_insert_pfn_pmd(struct ms_vm_fault *vmf, ms_pfn_t pfn, bool write);
ms_vm_fault_t ms_vmf_insert_pfn_pud(struct ms_vm_fault *vmf, ms_pfn_t pfn, bool write);
/**
 * vm_insert_page: a page of System RAM, with a reference. 0, -EFAULT: outside of the VMA; -EBUSY:
 * something is mapped there; -ENOMEM; -EINVAL: no RAM, a page without a reference, anonymous
 * memory, memory of kmalloc, and by policy insert_page_kinds a page of hugetlb.
 */
int ms_vm_insert_page(struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn);
/** vmf_insert_page_mkwrite (6.14+): the same from a fault; write: the entry becomes writable and
 * dirty, also where it is there already for this page. NOPAGE, SIGBUS, OOM. */
ms_vm_fault_t ms_vmf_insert_page_mkwrite(struct ms_vm_fault *vmf, ms_pfn_t pfn, bool write);

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

/* ---- the tracking of VMAs: only on x86 is anything done ---- */

/** track_pfn_remap / pfnmap_track: may change *prot. 0, -EINVAL, -ENOMEM. */
int ms_track_pfn_remap(struct ms_vma *vma, ms_pgprot_t *prot, ms_pfn_t pfn, ms_hva_t addr,
		       uint64_t size);
/** track_pfn_insert / pfnmap_setup_cachemode: *prot takes the type of the page. */
void ms_track_pfn_insert(struct ms_vma *vma, ms_pgprot_t *prot, ms_pfn_t pfn);
/** track_pfn_copy at fork, before the child's entries exist. src's first entry is passed in (0:
 * absent). */
int ms_track_pfn_copy(struct ms_vma *dst, struct ms_vma *src, uint64_t src_first_entry);
/** untrack_pfn: pfn 0 and size 0: the whole VMA, address by first_entry (0: absent) and policy
 * untrack_address. */
void ms_untrack_pfn(struct ms_vma *vma, ms_pfn_t pfn, uint64_t size, uint64_t first_entry);
/** untrack_pfn_clear / _moved: VM_PAT goes, the reservation stays. */
void ms_untrack_pfn_clear(struct ms_vma *vma);
/**
 * A VMA object was duplicated (split, fork, mremap), whatever the policy: dst shares src's context.
 * -ENOMEM when the count saturates (6.16+). Where the policy goes by VM_PAT the context decides
 * nothing, but tells whose an entry is.
 */
int ms_pfnmap_ctx_dup(struct ms_vma *dst, const struct ms_vma *src);
/** A VMA object is being freed, whatever the policy, or (6.16+) its remap failed: drops the
 * context; 6.16+: the last one frees the memtype. */
void ms_pfnmap_ctx_put(struct ms_vma *vma);

struct ms_memtype_alias {
	ms_pa_t start, end; ///< [start, end)
	unsigned int types; ///< 1u << enum ms_cache of each type in use
};
/**
 * Physical ranges that page-table entries of processes, or ioremaps, map with more than one cache
 * type at this moment: what memtypes are there to prevent. Calls fn (may be NULL) for each, by
 * address; fn changes nothing. Answers how many, or -ENOMEM.
 */
int ms_memtype_aliases(struct ms_machine *m,
		       void (*fn)(const struct ms_memtype_alias *alias, void *arg), void *arg);

#ifdef __cplusplus
}
#endif
#endif
