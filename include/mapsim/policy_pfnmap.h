/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * policy_pfnmap.h - the behaviours in which kernels differ of raw page frame numbers, their memory
 * types (x86 PAT), and the drivers that map them. Each is a field of struct ms_policy, policy.h; a
 * doc names the kernel functions that hold the rule.
 */
#ifndef MAPSIM_POLICY_PFNMAP_H
#define MAPSIM_POLICY_PFNMAP_H

/** PAT tracking of the child: VM_PAT copied with the flags, set once reserved (track_pfn_copy), or
 * a context with a count (vma_pfnmap_track_ctx_dup, from 6.16) */
enum ms_policy_fork_tracking {
	MS_FORK_TRACKING_FLAG_INHERITED,
	MS_FORK_TRACKING_FLAG_AFTER_RESERVE,
	MS_FORK_TRACKING_SHARE_CONTEXT,
};

/** when a memtype is given back: any zap (unmap_single_vma), munmap alone (proposed, never merged),
 * or the last VMA freed (pfnmap_track_ctx_release, from 6.16): where MAP_FIXED frees what it
 * replaces at the end (mmap_fixed), the old type counts while the new one is asked for */
enum ms_policy_untrack_at {
	MS_UNTRACK_AT_ANY_ZAP,
	MS_UNTRACK_AT_UNMAP_ONLY,
	MS_UNTRACK_AT_LAST_VMA_FREED,
};

/** where untrack_pfn finds the physical address (get_pat_info) */
enum ms_policy_untrack_address {
	MS_UNTRACK_ADDRESS_FIRST_PTE_EVEN_ANON,
	MS_UNTRACK_ADDRESS_FIRST_PTE_ELSE_PGOFF,
	MS_UNTRACK_ADDRESS_REMEMBERED,
};

/** which entry memtype_free accepts: one of that range, or one that ends where it does
 * (memtype_erase) */
enum ms_policy_memtype_free {
	MS_MEMTYPE_FREE_EXACT_OR_TAIL,
	MS_MEMTYPE_FREE_EXACT,
};

/** what a failing remap_pfn_range leaves (remap_pfn_range_notrack) */
enum ms_policy_remap_error {
	MS_REMAP_ERROR_KEEP_PTES,
	MS_REMAP_ERROR_ZAP,
	MS_REMAP_ERROR_ZAP_NOT_COW_RULE,
};

/** order of the checks of remap_pfn_range: address alignment, the COW rule, memtype tracking */
enum ms_policy_remap_checks {
	MS_REMAP_CHECKS_ALIGN_COW_TRACK,
	MS_REMAP_CHECKS_TRACK_ALIGN_COW,
	MS_REMAP_CHECKS_COW_TRACK_ALIGN,
};

/** who notices that a VMA's flags change while the mmap lock is not held for writing, as in a
 * fault: nobody (up to 6.8; debug kernels from 6.3 on), vm_flags_set and its kin with
 * remap_pfn_range, or without it (vma_start_write, mmap_assert_write_locked) */
enum ms_policy_vma_flags_lock {
	MS_VMA_FLAGS_LOCK_UNCHECKED,
	MS_VMA_FLAGS_LOCK_ASSERTED,
	MS_VMA_FLAGS_LOCK_ASSERTED_NOT_BY_REMAP,
};

/** when VM_PFNMAP gets ->huge_fault (hugepage_vma_check, __thp_vma_allowable_orders) */
enum ms_policy_pfnmap_huge_fault {
	MS_PFNMAP_HUGE_FAULT_BY_SYSFS_ANY_VMA,
	MS_PFNMAP_HUGE_FAULT_NEVER,
	MS_PFNMAP_HUGE_FAULT_BY_SYSFS,
	MS_PFNMAP_HUGE_FAULT_ALWAYS,
};

/** largest leaf of a VM_PFNMAP VMA (CONFIG_ARCH_SUPPORTS_PMD_PFNMAP, _PUD_PFNMAP) */
enum ms_policy_pfnmap_leaf_max {
	MS_PFNMAP_LEAF_MAX_PTE,
	MS_PFNMAP_LEAF_MAX_PMD,
	MS_PFNMAP_LEAF_MAX_PUD,
};

/** cache mode of vmf_insert_pfn_pud: as vm_page_prot says, or as the memtype list does
 * (track_pfn_insert) */
enum ms_policy_pud_insert_prot {
	MS_PUD_INSERT_PROT_VMA,
	MS_PUD_INSERT_PROT_LOOKUP,
};

/** KVM takes a raw pfn as writable always, or as its leaf is (hva_to_pfn_remapped) */
enum ms_policy_pfn_lookup_writable {
	MS_PFN_LOOKUP_WRITABLE_ALWAYS,
	MS_PFN_LOOKUP_WRITABLE_LEAF_BIT,
};

/** vmf_insert_mixed into the wrong kind of VMA (vm_mixed_ok) */
enum ms_policy_insert_mixed_bad {
	MS_INSERT_MIXED_BAD_BUG,
	MS_INSERT_MIXED_BAD_SIGBUS,
};

/** leaves that a lookup of a raw pfn knows (follow_pte; follow_pfnmap_start, from 6.12) */
enum ms_policy_pfn_lookup {
	MS_PFN_LOOKUP_PTE_ONLY,
	MS_PFN_LOOKUP_ANY_LEAF,
};

/** vfio-pci: V1 keeps a list of VMAs and maps them whole at the first fault (5.8 to 6.9; RECHECK:
 * looks at its list again), V3 maps what is touched and revokes by address_space */
enum ms_policy_vfio {
	MS_VFIO_V1_LIST_FIRST,
	MS_VFIO_V1_RECHECK,
	MS_VFIO_V3,
};

/** what vfio tests before a huge leaf (vfio_pci_mmap_huge_fault) */
enum ms_policy_vfio_huge_align {
	MS_VFIO_HUGE_ALIGN_FAULT_ADDRESS,
	MS_VFIO_HUGE_ALIGN_ROUNDED_AND_PFN,
};

/** vfio sets VM_ALLOW_ANY_UNCACHED (vfio_pci_core_mmap, from 6.9) */
enum ms_policy_vfio_uncached_flag {
	MS_VFIO_UNCACHED_FLAG_NO,
	MS_VFIO_UNCACHED_FLAG_YES,
};

/** when vfio claims and ioremaps a BAR (vfio_pci_core_setup_barmap) */
enum ms_policy_vfio_bar_claim {
	MS_VFIO_BAR_CLAIM_FIRST_MMAP,
	MS_VFIO_BAR_CLAIM_DEVICE_OPEN,
};

/** vfio files refuse PROT_EXEC (path_noexec: anonymous inodes are on a noexec mount) */
enum ms_policy_vfio_noexec {
	MS_VFIO_NOEXEC_NO,
	MS_VFIO_NOEXEC_YES,
};

/** /dev/mem refuses after (mmap_mem) or before (its mmap_prepare) a VMA exists */
enum ms_policy_devmem_refusal {
	MS_DEVMEM_REFUSAL_ZAPS_NEW_RANGE,
	MS_DEVMEM_REFUSAL_SILENT,
};

/** mappings that a claim tears down (revoke_iomem; sysfs shares its address_space from 5.12) */
enum ms_policy_revoke_scope {
	MS_REVOKE_SCOPE_DEVMEM,
	MS_REVOKE_SCOPE_DEVMEM_AND_SYSFS,
};

#endif
