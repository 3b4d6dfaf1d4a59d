/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * policy.h - a kernel version as data: every behaviour in which kernels differ is a field here.
 *
 * ms_policy_linux() hands out a constant; a user copies it, changes fields or sets a function, and
 * gives it to ms_machine_new(). Any combination of enumerators is a valid policy, also ones that no
 * kernel shipped.
 */
#ifndef MAPSIM_POLICY_H
#define MAPSIM_POLICY_H

#include <mapsim/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- host: VMAs, page table, drivers, PAT ---- */

/** may a VMA with vm_ops->close take part in a merge: none (up to 6.1), or any that does not die by
 * it (is_mergeable_vma, can_merge_remove_vma) */
enum ms_policy_vma_merge_close {
	MS_VMA_MERGE_CLOSE_NEVER_IF_CLOSE,
	MS_VMA_MERGE_CLOSE_ONLY_SURVIVOR_MAY_CLOSE,
};

/** anonymous mmap into a hole between two mergeable VMAs: which neighbour is asked first, and
 * whether both must have anon_vmas that fit (vma_merge, vma_merge_new_range) */
enum ms_policy_anon_hole_merge {
	MS_ANON_HOLE_MERGE_PREV_FIRST,
	MS_ANON_HOLE_MERGE_NEXT_FIRST_STRICT,
};

/** merging existing VMAs of which only one has an anon_vma (is_mergeable_anon_vma) */
enum ms_policy_anon_merge_untouched {
	MS_ANON_MERGE_UNTOUCHED_TARGET_TOUCHED_ONLY,
	MS_ANON_MERGE_UNTOUCHED_ANY,
};

/** MREMAP_DONTUNMAP of untouched memory: may the copy merge with its own source (copy_vma) */
enum ms_policy_dontunmap_self_merge {
	MS_DONTUNMAP_SELF_MERGE_YES,
	MS_DONTUNMAP_SELF_MERGE_NO,
	MS_DONTUNMAP_SELF_MERGE_NONE_BESIDE_SOURCE, ///< then it merges with nobody at all
};

/** MREMAP_DONTUNMAP of a whole VMA: what the emptied source keeps (dontunmap_complete) */
enum ms_policy_dontunmap_source {
	MS_DONTUNMAP_SOURCE_KEEPS_ANON_VMA,
	MS_DONTUNMAP_SOURCE_DROPS_ANON_VMA,
	MS_DONTUNMAP_SOURCE_DROPS_ANON_VMA_AND_PGOFF, ///< vm_pgoff as of a fresh mapping
};

/** MREMAP_DONTUNMAP of a part of a locked VMA (move_vma, needs_pre_split) */
enum ms_policy_dontunmap_locked {
	MS_DONTUNMAP_LOCKED_UNLOCKS_WHOLE_VMA,
	MS_DONTUNMAP_LOCKED_SPLITS_FIRST,
};

/** MREMAP_DONTUNMAP from the middle of a charged VMA: the next VMA becomes charged, too (move_vma)
 */
enum ms_policy_dontunmap_account {
	MS_DONTUNMAP_ACCOUNT_NEXT_VMA_GAINS,
	MS_DONTUNMAP_ACCOUNT_OWN_ONLY,
};

/** mprotect to read-only gives back the charge, VM_ACCOUNT (mprotect_fixup) */
enum ms_policy_mprotect_unaccount {
	MS_MPROTECT_UNACCOUNT_NO,
	MS_MPROTECT_UNACCOUNT_UNTOUCHED_ANON,
};

/** which private pages mprotect makes writable at once (change_pte_range, can_change_pte_writable)
 */
enum ms_policy_mprotect_pte_upgrade {
	MS_MPROTECT_PTE_UPGRADE_SHARED_ONLY,
	MS_MPROTECT_PTE_UPGRADE_ANON_DIRTY,
	MS_MPROTECT_PTE_UPGRADE_ANON_ANY,
};

/** the same for an anonymous PMD leaf (change_huge_pmd, can_change_pmd_writable) */
enum ms_policy_mprotect_pmd_upgrade {
	MS_MPROTECT_PMD_UPGRADE_NO,
	MS_MPROTECT_PMD_UPGRADE_ANON_EXCLUSIVE,
};

/** range of the PROTECTION_VMA notifier: from the first PMD entry that is there, in each 1G
 * (change_pmd_range), or once from the first PUD entry on (change_pud_range) */
enum ms_policy_mprotect_notify {
	MS_MPROTECT_NOTIFY_PER_1G_FROM_FIRST_PMD,
	MS_MPROTECT_NOTIFY_ONCE_FROM_FIRST_PUD,
};

/** do_wp_page(): when a write takes an anonymous page as it is, instead of a copy */
enum ms_policy_anon_reuse {
	MS_ANON_REUSE_SOLE_REFERENCE, ///< nobody else holds it, not even the queue to the LRU lists
	MS_ANON_REUSE_EXCLUSIVE,      ///< PageAnonExclusive, or no other holder once the queue is
				      ///< drained
};

/** the same for a page of a huge page whose leaf was split (wp_can_reuse_anon_folio) */
enum ms_policy_anon_large_reuse {
	MS_ANON_LARGE_REUSE_EXCLUSIVE_ONLY,
	MS_ANON_LARGE_REUSE_IF_ALL_MAPPED_HERE,
};

/** pages of a written huge page whose leaf is split are marked as written, too
 * (__split_huge_pmd_locked, from 6.4) */
enum ms_policy_thp_split_dirty {
	MS_THP_SPLIT_DIRTY_DROPPED,
	MS_THP_SPLIT_DIRTY_CARRIED,
};

/** write to the 2M zero page (do_huge_pmd_wp_page, do_huge_zero_wp_pmd) */
enum ms_policy_thp_zero_write {
	MS_THP_ZERO_WRITE_SPLIT_COPY_ONE,
	MS_THP_ZERO_WRITE_REPLACE_BY_PMD,
};

/** MADV_DONTNEED frees a page table that it emptied (CONFIG_PT_RECLAIM, zap_pte_range) */
enum ms_policy_pte_table_reclaim {
	MS_PTE_TABLE_RECLAIM_NO,
	MS_PTE_TABLE_RECLAIM_DONTNEED_2M,
};

/** notifier calls when hugetlb memory is unmapped (__unmap_hugepage_range had its own, up to 6.1)
 */
enum ms_policy_hugetlb_unmap_notify {
	MS_HUGETLB_UNMAP_NOTIFY_TWICE,
	MS_HUGETLB_UNMAP_NOTIFY_ONCE,
};

/** mremap of hugetlb memory (move_hugetlb_page_tables, from 5.16) */
enum ms_policy_hugetlb_mremap {
	MS_HUGETLB_MREMAP_EINVAL,
	MS_HUGETLB_MREMAP_ALLOWED,
};

/** MADV_DONTNEED of hugetlb memory (madvise_dontneed_free_valid_vma, from 5.18) */
enum ms_policy_hugetlb_dontneed {
	MS_HUGETLB_DONTNEED_EINVAL,
	MS_HUGETLB_DONTNEED_ALLOWED,
};

/** memory files with huge pages: which VMA's fault makes one (shmem_suitable_orders) */
enum ms_policy_shmem_huge {
	MS_SHMEM_HUGE_ANY_VMA,
	MS_SHMEM_HUGE_SUITABLE_VMA,
};

/** memory files with huge pages `within_size`: how far the file has to reach for a fault of a page
 * (shmem_getpage_gfp, shmem_is_huge, shmem_get_orders_within_size) */
enum ms_policy_shmem_within_size {
	MS_SHMEM_WITHIN_SIZE_NOT_FIRST_PAGE, ///< to the huge page's end; of its first page: to that
	MS_SHMEM_WITHIN_SIZE_WHOLE,          ///< to the huge page's end
	MS_SHMEM_WITHIN_SIZE_TWO_PAGES,      ///< to the end of the two aligned pages
};

/** how much of a huge page of a memory file one fault maps where no PMD leaf is possible
 * (finish_fault, filemap_map_pages) */
enum ms_policy_shmem_map_folio {
	MS_SHMEM_MAP_FOLIO_ONE_PAGE,
	MS_SHMEM_MAP_FOLIO_WHOLE_BY_FAULT,
	MS_SHMEM_MAP_FOLIO_WHOLE,
};

/** a huge page that the page cache has, mapped as one leaf (do_set_pmd) */
enum ms_policy_file_pmd_map {
	MS_FILE_PMD_MAP_ANY_VMA,
	MS_FILE_PMD_MAP_NOT_IF_NOHUGEPAGE,
};

/** notifier calls when a file's huge page is unmapped to be split (try_to_unmap_one) */
enum ms_policy_folio_unmap_notify {
	MS_FOLIO_UNMAP_NOTIFY_PMD_AND_RANGE,
	MS_FOLIO_UNMAP_NOTIFY_RANGE,
};

/** into what a file's huge page is split by a hole in it */
enum ms_policy_folio_split {
	MS_FOLIO_SPLIT_PAGES,
	MS_FOLIO_SPLIT_HALVES,
};

/** fork of a shared hugetlb mapping */
enum ms_policy_hugetlb_fork {
	MS_HUGETLB_FORK_COPIES,
	MS_HUGETLB_FORK_LAZY,
};

/** splitting a shared hugetlb VMA inside of a 1G that it covers whole (hugetlb_split) */
enum ms_policy_hugetlb_split {
	MS_HUGETLB_SPLIT_SILENT,
	MS_HUGETLB_SPLIT_NOTIFY_1G,
};

/** a hole in a hugetlb file: are mappings that begin where it ends asked to unmap nothing
 * (hugetlb_vmdelete_list, up to 5.16) */
enum ms_policy_hugetlb_hole {
	MS_HUGETLB_HOLE_TOUCHES_NEXT,
	MS_HUGETLB_HOLE_EXACT,
};

/** MADV_POPULATE_READ and _WRITE (madvise_populate, from 5.14) */
enum ms_policy_madv_populate {
	MS_MADV_POPULATE_ABSENT,
	MS_MADV_POPULATE_PRESENT,
};

/** populate of a range that begins in a hole (madvise_populate, faultin_page_range) */
enum ms_policy_madv_populate_hole {
	MS_MADV_POPULATE_HOLE_LEADING_HOLE_SKIPPED,
	MS_MADV_POPULATE_HOLE_FIRST_HOLE_STOPS,
};

/** MADV_COLLAPSE (madvise_collapse, from 6.1) */
enum ms_policy_madv_collapse {
	MS_MADV_COLLAPSE_ABSENT,
	MS_MADV_COLLAPSE_PRESENT,
};

/** MADV_COLLAPSE of anonymous memory in which no page is writable */
enum ms_policy_collapse_read_only {
	MS_COLLAPSE_READ_ONLY_EINVAL,
	MS_COLLAPSE_READ_ONLY_ALLOWED,
};

/** MADV_COLLAPSE of a range without a whole aligned block */
enum ms_policy_collapse_small {
	MS_COLLAPSE_SMALL_EINVAL_UNLESS_EMPTY, ///< 0 where start and end round to the same address
	MS_COLLAPSE_SMALL_NOTHING,
};

/** MADV_COLLAPSE of many blocks meets an empty PMD entry */
enum ms_policy_collapse_empty_pmd {
	MS_COLLAPSE_EMPTY_PMD_STOPS,
	MS_COLLAPSE_EMPTY_PMD_GOES_ON,
};

/** MADV_COLLAPSE of a memory file: whose page tables go, and where the leaf comes */
enum ms_policy_collapse_file {
	MS_COLLAPSE_FILE_CALLER_ONLY,        ///< the caller's, which must exist and hold no copies
	MS_COLLAPSE_FILE_ALL_TABLES,         ///< everybody's; the caller's PMD table must exist
	MS_COLLAPSE_FILE_ALL_TABLES_AND_NEW, ///< the same, and the caller's is made where it is
					     ///< missing
};

/** notifier calls when an anonymous huge page itself is split, not only its leaf */
enum ms_policy_anon_split_notify {
	MS_ANON_SPLIT_NOTIFY_TWICE,
	MS_ANON_SPLIT_NOTIFY_ONCE,
};

/** an anonymous huge page itself is split: pages that are all zeroes stay, or the zero page takes
 * their places (try_to_map_unused_to_zeropage, from 6.12) */
enum ms_policy_anon_split_zero {
	MS_ANON_SPLIT_ZERO_STAYS,
	MS_ANON_SPLIT_ZERO_BECOMES_ZERO_PAGE,
};

/** which huge pages, mapped by pages, MADV_FREE, COLD and PAGEOUT split */
enum ms_policy_madv_free_splits {
	MS_MADV_FREE_SPLITS_EVERY,
	MS_MADV_FREE_SPLITS_CUT_ONLY, ///< those that lie in the range only in part
};

/** flags with which MADV_DOFORK is EINVAL */
enum ms_policy_madv_dofork_refuses {
	MS_MADV_DOFORK_REFUSES_VM_IO,
	MS_MADV_DOFORK_REFUSES_VM_SPECIAL,
};

/** madvise would split a VMA at the map count limit */
enum ms_policy_madv_split_limit {
	MS_MADV_SPLIT_LIMIT_ENOMEM,
	MS_MADV_SPLIT_LIMIT_EAGAIN,
};

/** which flag of a shared mapping MADV_REMOVE asks for (madvise_remove) */
enum ms_policy_madv_remove_needs {
	MS_MADV_REMOVE_NEEDS_VM_WRITE,
	MS_MADV_REMOVE_NEEDS_VM_MAYWRITE,
};

/** MADV_REMOVE of a sysfs BAR: which of its checks vfs_fallocate makes first */
enum ms_policy_madv_remove_sysfs {
	MS_MADV_REMOVE_SYSFS_EFBIG,
	MS_MADV_REMOVE_SYSFS_EOPNOTSUPP,
};

/** what MREMAP_DONTUNMAP accepts (vma_to_resize, check_prep_vma) */
enum ms_policy_mremap_dontunmap {
	MS_MREMAP_DONTUNMAP_PRIVATE_ANON_ONLY,
	MS_MREMAP_DONTUNMAP_NOT_PFNMAP_DONTEXPAND,
};

/** mremap to the same or a smaller size, not FIXED, looks for a VMA first (mremap) */
enum ms_policy_mremap_inplace_needs_vma {
	MS_MREMAP_INPLACE_NEEDS_VMA_NO,
	MS_MREMAP_INPLACE_NEEDS_VMA_YES,
};

/** when MREMAP_FIXED unmaps the destination (mremap_to) */
enum ms_policy_mremap_fixed_order {
	MS_MREMAP_FIXED_ORDER_DEST_FIRST,
	MS_MREMAP_FIXED_ORDER_LOOKUP_THEN_DEST,
	MS_MREMAP_FIXED_ORDER_ALL_CHECKS_THEN_DEST,
};

/** mremap of a range over several VMAs (remap_move, from 6.17) */
enum ms_policy_mremap_many_vmas {
	MS_MREMAP_MANY_VMAS_EFAULT,
	MS_MREMAP_MANY_VMAS_MOVES_EACH,
};

/** a VMA that mremap grows up to its next one joins it (vma_merge_extend, from 6.0) */
enum ms_policy_mremap_grow_merge {
	MS_MREMAP_GROW_MERGE_NO,
	MS_MREMAP_GROW_MERGE_YES,
};

/** which whole page tables mremap moves instead of their entries (move_normal_pmd, move_normal_pud)
 */
enum ms_policy_mremap_table_move {
	MS_MREMAP_TABLE_MOVE_NONE,
	MS_MREMAP_TABLE_MOVE_PTE_TABLES,
	MS_MREMAP_TABLE_MOVE_PTE_AND_PMD_TABLES,
};

/** mremap begins below the range to move a whole table where nothing else is in it
 * (try_realign_addr, from 6.7) */
enum ms_policy_mremap_realign {
	MS_MREMAP_REALIGN_NO,
	MS_MREMAP_REALIGN_TO_PMD,
};

/** mremap asks vm_ops->may_split at the borders of what it moves (move_vma, prep_move_vma) */
enum ms_policy_mremap_may_split {
	MS_MREMAP_MAY_SPLIT_NOT_ASKED,
	MS_MREMAP_MAY_SPLIT_ASKED_FIRST,
};

/** when mremap refuses for the number of VMAs */
enum ms_policy_mremap_map_count {
	MS_MREMAP_MAP_COUNT_MOVE_NEAR_LIMIT,
	MS_MREMAP_MAP_COUNT_WORST_CASE_FIRST,
};

/** when MAP_FIXED removes the old mappings: before anything else, or after the checks that can fail
 * (mmap_region) */
enum ms_policy_mmap_fixed {
	MS_MMAP_FIXED_UNMAP_FIRST,
	MS_MMAP_FIXED_REPLACE_AFTER_CHECKS,
};

/** merge attempt after ->mmap changed the flags (mmap_region, __mmap_complete) */
enum ms_policy_mmap_second_merge {
	MS_MMAP_SECOND_MERGE_YES,
	MS_MMAP_SECOND_MERGE_NO,
};

/** /dev/mem refuses after (mmap_mem) or before (its mmap_prepare) a VMA exists */
enum ms_policy_devmem_refusal {
	MS_DEVMEM_REFUSAL_ZAPS_NEW_RANGE,
	MS_DEVMEM_REFUSAL_SILENT,
};

/** munmap that splits a VMA: the part for which vm_ops->open is called (do_vmi_align_munmap,
 * vms_gather_munmap_vmas) */
enum ms_policy_munmap_split_new {
	MS_MUNMAP_SPLIT_NEW_DYING_PART,
	MS_MUNMAP_SPLIT_NEW_KEPT_PART,
};

/** copy_page_range against vm_ops->open of the child (dup_mmap) */
enum ms_policy_fork_order {
	MS_FORK_ORDER_COPY_THEN_OPEN,
	MS_FORK_ORDER_OPEN_THEN_COPY,
};

/** PAT tracking of the child: VM_PAT copied with the flags, set once reserved (track_pfn_copy), or
 * a context with a count (vma_pfnmap_track_ctx_dup, from 6.16) */
enum ms_policy_fork_tracking {
	MS_FORK_TRACKING_FLAG_INHERITED,
	MS_FORK_TRACKING_FLAG_AFTER_RESERVE,
	MS_FORK_TRACKING_SHARE_CONTEXT,
};

/** when a memtype is given back: any zap (unmap_single_vma), munmap alone (proposed, never merged),
 * or the last VMA freed (pfnmap_track_ctx_release, from 6.16) */
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

/** MAP_FIXED over a tracked mapping: is the old type still held when the new one is asked for */
enum ms_policy_fixed_over_tracked {
	MS_FIXED_OVER_TRACKED_OLD_TYPE_GONE,
	MS_FIXED_OVER_TRACKED_OLD_TYPE_COUNTS,
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

/** when vm_ops->huge_fault is called for VM_PFNMAP (hugepage_vma_check, __thp_vma_allowable_orders)
 */
enum ms_policy_pfnmap_huge_fault {
	MS_PFNMAP_HUGE_FAULT_BY_SYSFS_ANY_VMA,
	MS_PFNMAP_HUGE_FAULT_NEVER,
	MS_PFNMAP_HUGE_FAULT_BY_SYSFS,
	MS_PFNMAP_HUGE_FAULT_ALWAYS,
};

/** largest leaf of a VM_PFNMAP VMA (__thp_vma_allowable_orders, CONFIG_ARCH_SUPPORTS_HUGE_PFNMAP)
 */
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

/** which mappings a claim tears down (revoke_iomem; sysfs files share its address_space from 5.12)
 */
enum ms_policy_revoke_scope {
	MS_REVOKE_SCOPE_DEVMEM,
	MS_REVOKE_SCOPE_DEVMEM_AND_SYSFS,
};

/* ---- KVM and stage 2 ---- */

/** block size of a VM_PFNMAP VMA (user_mem_abort; get_vma_page_shift, get_user_mapping_size) */
enum ms_policy_s2_pfnmap_block {
	MS_S2_PFNMAP_BLOCK_PAGES_ONLY,
	/** device_rough_page_shift() of the patch's third version, 2021, never merged: the same
	 * arithmetic, hugetlb is asked first, and a device's page never takes its host leaf's size
	 */
	MS_S2_PFNMAP_BLOCK_ROUGH_VM_PGOFF_V3,
	MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF,
	MS_S2_PFNMAP_BLOCK_HUGETLB_ONLY,
	MS_S2_PFNMAP_BLOCK_FROM_HOST_TABLE,
};

/** VM_PFNMAP memory in a memslot with a dirty log, mapped after the slot was made: by pages, or as
 * in any other slot (proposed in 2021, not merged) */
enum ms_policy_s2_log_pfnmap {
	MS_S2_LOG_PFNMAP_PAGES,
	MS_S2_LOG_PFNMAP_AS_UNLOGGED,
};

/** may a device mapping take the size of its host leaf (user_mem_abort,
 * transparent_hugepage_adjust) */
enum ms_policy_s2_device_upgrade {
	MS_S2_DEVICE_UPGRADE_FORCES_PAGES,
	MS_S2_DEVICE_UPGRADE_NO_UPGRADE,
	MS_S2_DEVICE_UPGRADE_ALLOWED,
};

/** what is a device (kvm_is_device_pfn; from 6.17 VMA flags and pfn_is_map_memory) */
enum ms_policy_s2_device_test {
	MS_S2_DEVICE_TEST_NOT_PFN_VALID,
	MS_S2_DEVICE_TEST_NOT_MAP_MEMORY,
	MS_S2_DEVICE_TEST_VMA_FLAG_AND_NOT_MAP_MEMORY,
};

/** cacheable VM_PFNMAP memory (kvm_vma_is_cacheable, from 6.17) */
enum ms_policy_s2_cacheable_pfnmap {
	MS_S2_CACHEABLE_PFNMAP_DEVICE,
	MS_S2_CACHEABLE_PFNMAP_BY_VMA_PROT,
};

/** stage-2 attribute of devices (KVM_PGTABLE_PROT_NORMAL_NC, from 6.9) */
enum ms_policy_s2_device_type {
	MS_S2_DEVICE_TYPE_NGNRE,
	MS_S2_DEVICE_TYPE_NC_IF_VMA_ALLOWS,
};

/** VM_PFNMAP memory at memslot creation (kvm_arch_prepare_memory_region; premapped by
 * kvm_phys_addr_ioremap) */
enum ms_policy_slot_pfnmap {
	MS_SLOT_PFNMAP_PREMAP,
	MS_SLOT_PFNMAP_LAZY,
};

/** memslots that a VM may have (KVM_USER_MEM_SLOTS) */
enum ms_policy_slot_limit {
	MS_SLOT_LIMIT_512,
	MS_SLOT_LIMIT_32767,
};

/** may a memslot change between a notifier's start and its end (mn_active_invalidate_count) */
enum ms_policy_slot_update {
	MS_SLOT_UPDATE_AT_ONCE,
	MS_SLOT_UPDATE_WAITS_FOR_NOTIFIERS,
};

/** TLBI after a memslot was write-protected (kvm_flush_remote_tlbs_memslot) */
enum ms_policy_slot_flush {
	MS_SLOT_FLUSH_VMID,
	MS_SLOT_FLUSH_RANGE,
};

/** may a memslot end at the IPA limit (kvm_arch_prepare_memory_region) */
enum ms_policy_slot_end {
	MS_SLOT_END_LIMIT_EXCLUDED,
	MS_SLOT_END_LIMIT_ALLOWED,
};

/** where a memslot's host addresses end: where the process's do, or at 2^52 whatever the CPU has
 * (access_ok, TASK_SIZE_MAX of a kernel that is built for 52 bits, as Debian's are from 6.12 on) */
enum ms_policy_slot_hva_end {
	MS_SLOT_HVA_END_TASK_SIZE,
	MS_SLOT_HVA_END_52_BITS,
};

/** which VMAs a VM with MTE accepts (kvm_vma_mte_allowed) */
enum ms_policy_mte_vma {
	MS_MTE_VMA_NONE,
	MS_MTE_VMA_NO_SHARED,
	MS_MTE_VMA_MTE_ALLOWED,
};

/** may mappings of hugetlb files have tags, as anonymous memory and memory files may
 * (arch_calc_vm_flag_bits) */
enum ms_policy_mte_hugetlb {
	MS_MTE_HUGETLB_NO,
	MS_MTE_HUGETLB_YES,
};

/** when a fault of a VM with MTE is refused for its VMA (user_mem_abort,
 * kvm_s2_fault_compute_prot) */
enum ms_policy_mte_check {
	MS_MTE_CHECK_UNDER_MMU_LOCK, ///< after the check for notifiers
	MS_MTE_CHECK_BEFORE_MMU_LOCK,
};

/** KVM asks a raw pfn of RAM for a reference (kvm_try_get_pfn, up to 6.12) */
enum ms_policy_pfn_refcount_test {
	MS_PFN_REFCOUNT_TEST_NO,
	MS_PFN_REFCOUNT_TEST_YES,
};

/** a page that get_user_pages refused is asked for once more, for writing, to tell poison
 * (check_user_page_hwpoison, up to 6.12) */
enum ms_policy_pfn_poison_probe {
	MS_PFN_POISON_PROBE_TWICE,
	MS_PFN_POISON_PROBE_ONCE,
};

/** the host walk meets an invalid entry: no walk at all but the struct page, the level where it
 * ended, or -EAGAIN (get_user_mapping_size) */
enum ms_policy_host_leaf_absent {
	MS_HOST_LEAF_ABSENT_PAGE_STRUCT,
	MS_HOST_LEAF_ABSENT_BY_LEVEL,
	MS_HOST_LEAF_ABSENT_EAGAIN,
};

/** when the memcache is filled (user_mem_abort, kvm_mmu_topup_memory_cache) */
enum ms_policy_s2_topup {
	MS_S2_TOPUP_AFTER_MMAP_LOCK,
	MS_S2_TOPUP_BEFORE,
};

/** when the notifiers' sequence is sampled; AFTER_UNLOCK: what a notifier did between the look at
 * the VMA and the sample goes unnoticed (user_mem_abort, mmu_invalidate_seq) */
enum ms_policy_s2_seq_sample {
	MS_S2_SEQ_SAMPLE_AFTER_UNLOCK,
	MS_S2_SEQ_SAMPLE_BEFORE_UNLOCK,
};

/** address of a map by pages: as HPFAR tells it, 4K granular, or the page's own (user_mem_abort,
 * kvm_s2_fault_map) */
enum ms_policy_s2_map_address {
	MS_S2_MAP_ADDRESS_FAULT_4K,
	MS_S2_MAP_ADDRESS_GFN,
};

/** who maintains caches: the abort (clean_dcache_guest_page), or the walk that maps */
enum ms_policy_s2_cmo_at {
	MS_S2_CMO_AT_ABORT,
	MS_S2_CMO_AT_WALK,
};

/** when a page becomes dirty: before it is mapped writable, or once that succeeded
 * (user_mem_abort, mark_page_dirty) */
enum ms_policy_s2_dirty_mark {
	MS_S2_DIRTY_MARK_BEFORE_MAP,
	MS_S2_DIRTY_MARK_AFTER_SUCCESS,
};

/** lock of the fault path (user_mem_abort, kvm_fault_lock) */
enum ms_policy_s2_lock {
	MS_S2_LOCK_SPIN,
	MS_S2_LOCK_WRITE_READ_FOR_LOG,
	MS_S2_LOCK_READ,
};

/** mapping what is mapped (stage2_map_walker_try_leaf) */
enum ms_policy_s2_same_leaf {
	MS_S2_SAME_LEAF_SUCCESS,
	MS_S2_SAME_LEAF_EAGAIN,
};

/** address of kvm_pgtable_stage2_relax_perms for a THP block (user_mem_abort) */
enum ms_policy_s2_relax_address {
	MS_S2_RELAX_ADDRESS_BLOCK,
	MS_S2_RELAX_ADDRESS_FAULT,
};

/** TLBI when a table becomes a block (stage2_map_walk_table_pre) */
enum ms_policy_s2_table_to_block {
	MS_S2_TABLE_TO_BLOCK_FLUSH_VMID,
	MS_S2_TABLE_TO_BLOCK_RANGE,
};

/** TLBI of unmap (stage2_unmap_defer_tlb_flush, from 6.6) */
enum ms_policy_s2_unmap_tlbi {
	MS_S2_UNMAP_TLBI_EACH_LEAF,
	MS_S2_UNMAP_TLBI_DEFER_IF_RANGE_AND_FWB,
};

/** TLBI scope of relax_perms (__kvm_tlb_flush_vmid_ipa, _nsh from 6.6) */
enum ms_policy_s2_relax_scope {
	MS_S2_RELAX_SCOPE_INNER_SHAREABLE,
	MS_S2_RELAX_SCOPE_LOCAL,
};

/** where the range of an unmap, write protection or flush is cut (stage2_pgd_addr_end,
 * stage2_range_addr_end) */
enum ms_policy_s2_range_pieces {
	MS_S2_RANGE_PIECES_ROOT_ENTRIES,
	MS_S2_RANGE_PIECES_LARGEST_BLOCKS,
};

/** what the clear_young notifier looks at: the leaf at a range's start, or all of them
 * (kvm_age_gfn) */
enum ms_policy_s2_age {
	MS_S2_AGE_ONE_ADDRESS,
	MS_S2_AGE_RANGE,
};

/** KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE (kvm_pgtable_stage2_split, from 6.5) */
enum ms_policy_s2_eager_split {
	MS_S2_EAGER_SPLIT_NO,
	MS_S2_EAGER_SPLIT_YES,
};

/** one execute-never bit, or separate ones for EL1 and EL0 (stage2_set_xn_attr) */
enum ms_policy_s2_exec_bits {
	MS_S2_EXEC_BITS_XN,
	MS_S2_EXEC_BITS_XN_TWO,
};

/** the change_pte notifier exists (set_pte_at_notify, up to 6.9) */
enum ms_policy_notifier_change_pte {
	MS_NOTIFIER_CHANGE_PTE_YES,
	MS_NOTIFIER_CHANGE_PTE_NO,
};

/** order in which a notifier visits several slots over one host range (kvm_handle_hva_range) */
enum ms_policy_notifier_slot_order {
	MS_NOTIFIER_SLOT_ORDER_GPA_DESCENDING,
	MS_NOTIFIER_SLOT_ORDER_HVA_THEN_AGE,
};

/** a range that hits no slot bumps the sequence (kvm_mmu_notifier_invalidate_range_start,
 * kvm_mmu_invalidate_begin) */
enum ms_policy_notifier_counts {
	MS_NOTIFIER_COUNTS_ALWAYS,
	MS_NOTIFIER_COUNTS_ONLY_IF_SLOT_HIT,
};

/** aborts beyond the IPA space are injected into the guest (kvm_handle_guest_abort, from 5.19) */
enum ms_policy_abort_address_checks {
	MS_ABORT_ADDRESS_CHECKS_NO,
	MS_ABORT_ADDRESS_CHECKS_YES,
};

/** All that the size of a stage-2 mapping can be chosen from, at a fault. Sizes are bytes. */
struct ms_block_inputs {
	ms_ipa_t ipa;      ///< of the fault, page aligned
	unsigned int prot; ///< the access: MS_PROT_R, W or X
	uint64_t granule;  ///< of the leaf that forbade the access; 0: nothing is mapped
	/* the memslot */
	ms_ipa_t slot_gpa;
	ms_hva_t slot_hva;
	uint64_t slot_size;
	bool logging; ///< it has a dirty log
	/* the process */
	ms_hva_t hva;                ///< that ipa shows
	ms_hva_t vma_start, vma_end; ///< [start, end), as the rest of the VMA when it was sampled
	uint64_t vma_flags;          ///< MS_VM_*
	uint64_t vma_pgoff;          ///< in pages
	uint64_t vma_page_prot;      ///< ms_pgprot_t
	uint64_t host_leaf;          ///< of the host's leaf at hva; 0: nothing is present
	/* what was looked up: by the kernel's rules at a block's first page, which decides for all
	 */
	ms_pa_t pa; ///< of hva; where the host maps nothing there yet: if it goes on as it begins
	bool writable;
	bool device; ///< not System RAM for KVM
	/* what the kernel's rules would do */
	uint64_t size;
	const char *reason; ///< static text
};

/**
 * Answers the size of the mapping: a page or a block that the granule has (2M, 1G with 4K pages);
 * 0: as the kernel. The block is the one around in->ipa; for another size than the kernel's the
 * page that was touched is looked up where the kernel looked up another. A size that is not
 * supported, leaves the memslot, or for which guest address, host address and PA are not congruent,
 * is a violation, and the kernel's choice holds. That the host maps the whole block is not asked
 * for.
 */
typedef uint64_t ms_choose_block_fn(const struct ms_block_inputs *in, void *arg);

struct ms_policy {
	enum ms_arch arch;
	char release[24]; ///< the release whose rules these are, e.g. "6.12.107"

	enum ms_policy_vma_merge_close vma_merge_close;
	enum ms_policy_anon_hole_merge anon_hole_merge;
	enum ms_policy_anon_merge_untouched anon_merge_untouched;
	enum ms_policy_dontunmap_self_merge dontunmap_self_merge;
	enum ms_policy_dontunmap_source dontunmap_source;
	enum ms_policy_dontunmap_locked dontunmap_locked;
	enum ms_policy_dontunmap_account dontunmap_account;
	enum ms_policy_mprotect_unaccount mprotect_unaccount;
	enum ms_policy_mprotect_pte_upgrade mprotect_pte_upgrade;
	enum ms_policy_mprotect_pmd_upgrade mprotect_pmd_upgrade;
	enum ms_policy_mprotect_notify mprotect_notify;
	enum ms_policy_anon_reuse anon_reuse;
	enum ms_policy_anon_large_reuse anon_large_reuse;
	enum ms_policy_thp_split_dirty thp_split_dirty;
	enum ms_policy_thp_zero_write thp_zero_write;
	enum ms_policy_pte_table_reclaim pte_table_reclaim;
	enum ms_policy_hugetlb_unmap_notify hugetlb_unmap_notify;
	enum ms_policy_hugetlb_mremap hugetlb_mremap;
	enum ms_policy_hugetlb_dontneed hugetlb_dontneed;
	enum ms_policy_shmem_huge shmem_huge;
	enum ms_policy_shmem_within_size shmem_within_size;
	enum ms_policy_shmem_map_folio shmem_map_folio;
	enum ms_policy_file_pmd_map file_pmd_map;
	enum ms_policy_folio_unmap_notify folio_unmap_notify;
	enum ms_policy_folio_split folio_split;
	enum ms_policy_hugetlb_fork hugetlb_fork;
	enum ms_policy_hugetlb_split hugetlb_split;
	enum ms_policy_hugetlb_hole hugetlb_hole;
	enum ms_policy_madv_populate madv_populate;
	enum ms_policy_madv_populate_hole madv_populate_hole;
	enum ms_policy_madv_collapse madv_collapse;
	enum ms_policy_collapse_read_only collapse_read_only;
	enum ms_policy_collapse_small collapse_small;
	enum ms_policy_collapse_empty_pmd collapse_empty_pmd;
	enum ms_policy_collapse_file collapse_file;
	enum ms_policy_anon_split_notify anon_split_notify;
	enum ms_policy_anon_split_zero anon_split_zero;
	enum ms_policy_madv_free_splits madv_free_splits;
	enum ms_policy_madv_dofork_refuses madv_dofork_refuses;
	enum ms_policy_madv_split_limit madv_split_limit;
	enum ms_policy_madv_remove_needs madv_remove_needs;
	enum ms_policy_madv_remove_sysfs madv_remove_sysfs;
	enum ms_policy_mremap_dontunmap mremap_dontunmap;
	enum ms_policy_mremap_inplace_needs_vma mremap_inplace_needs_vma;
	enum ms_policy_mremap_fixed_order mremap_fixed_order;
	enum ms_policy_mremap_many_vmas mremap_many_vmas;
	enum ms_policy_mremap_grow_merge mremap_grow_merge;
	enum ms_policy_mremap_table_move mremap_table_move;
	enum ms_policy_mremap_realign mremap_realign;
	enum ms_policy_mremap_may_split mremap_may_split;
	enum ms_policy_mremap_map_count mremap_map_count;
	enum ms_policy_mmap_fixed mmap_fixed;
	enum ms_policy_mmap_second_merge mmap_second_merge;
	enum ms_policy_devmem_refusal devmem_refusal;
	enum ms_policy_munmap_split_new munmap_split_new;
	enum ms_policy_fork_order fork_order;
	enum ms_policy_fork_tracking fork_tracking;
	enum ms_policy_untrack_at untrack_at;
	enum ms_policy_untrack_address untrack_address;
	enum ms_policy_fixed_over_tracked fixed_over_tracked;
	enum ms_policy_memtype_free memtype_free;
	enum ms_policy_remap_error remap_error;
	enum ms_policy_remap_checks remap_checks;
	enum ms_policy_vma_flags_lock vma_flags_lock;
	enum ms_policy_pfnmap_huge_fault pfnmap_huge_fault;
	enum ms_policy_pfnmap_leaf_max pfnmap_leaf_max;
	enum ms_policy_pud_insert_prot pud_insert_prot;
	enum ms_policy_pfn_lookup_writable pfn_lookup_writable;
	enum ms_policy_insert_mixed_bad insert_mixed_bad;
	enum ms_policy_pfn_lookup pfn_lookup;
	enum ms_policy_vfio vfio;
	enum ms_policy_vfio_huge_align vfio_huge_align;
	enum ms_policy_vfio_uncached_flag vfio_uncached_flag;
	enum ms_policy_vfio_bar_claim vfio_bar_claim;
	enum ms_policy_vfio_noexec vfio_noexec;
	enum ms_policy_revoke_scope revoke_scope;
	enum ms_policy_s2_pfnmap_block s2_pfnmap_block;
	enum ms_policy_s2_log_pfnmap s2_log_pfnmap;
	enum ms_policy_s2_device_upgrade s2_device_upgrade;
	enum ms_policy_s2_device_test s2_device_test;
	enum ms_policy_s2_cacheable_pfnmap s2_cacheable_pfnmap;
	enum ms_policy_s2_device_type s2_device_type;
	enum ms_policy_slot_pfnmap slot_pfnmap;
	enum ms_policy_slot_limit slot_limit;
	enum ms_policy_slot_update slot_update;
	enum ms_policy_slot_flush slot_flush;
	enum ms_policy_slot_end slot_end;
	enum ms_policy_slot_hva_end slot_hva_end;
	enum ms_policy_mte_vma mte_vma;
	enum ms_policy_mte_hugetlb mte_hugetlb;
	enum ms_policy_mte_check mte_check;
	enum ms_policy_pfn_refcount_test pfn_refcount_test;
	enum ms_policy_pfn_poison_probe pfn_poison_probe;
	enum ms_policy_host_leaf_absent host_leaf_absent;
	enum ms_policy_s2_topup s2_topup;
	enum ms_policy_s2_seq_sample s2_seq_sample;
	enum ms_policy_s2_map_address s2_map_address;
	enum ms_policy_s2_cmo_at s2_cmo_at;
	enum ms_policy_s2_dirty_mark s2_dirty_mark;
	enum ms_policy_s2_lock s2_lock;
	enum ms_policy_s2_same_leaf s2_same_leaf;
	enum ms_policy_s2_relax_address s2_relax_address;
	enum ms_policy_s2_table_to_block s2_table_to_block;
	enum ms_policy_s2_unmap_tlbi s2_unmap_tlbi;
	enum ms_policy_s2_relax_scope s2_relax_scope;
	enum ms_policy_s2_range_pieces s2_range_pieces;
	enum ms_policy_s2_age s2_age;
	enum ms_policy_s2_eager_split s2_eager_split;
	enum ms_policy_s2_exec_bits s2_exec_bits;
	enum ms_policy_notifier_change_pte notifier_change_pte;
	enum ms_policy_notifier_slot_order notifier_slot_order;
	enum ms_policy_notifier_counts notifier_counts;
	enum ms_policy_abort_address_checks abort_address_checks; // the last field with a name

	/** The user's own choice of stage-2 block sizes; NULL: the kernel's. */
	ms_choose_block_fn *choose_block;
	void *choose_block_arg;
};

/**
 * The rules of a release ("6.12.107", "6.17") on an architecture. A release that is not known gets
 * the nearest older one that is, whatever its branch: the constant's `release` says which, so it
 * differs from what was asked for (missing parts count as 0: "6.12" is "6.12.0"). NULL: older than
 * every known release, or not two or three numbers with dots between them.
 */
const struct ms_policy *ms_policy_linux(const char *release, enum ms_arch arch);
/** The i-th known policy, by architecture and rising release; NULL: no more. */
const struct ms_policy *ms_policy_get(size_t i);

/** Fields as text, for printing and for setting by name; `field` is 0 .. nr_fields-1. */
size_t ms_policy_nr_fields(void);
const char *ms_policy_field_name(size_t field); ///< "s2_pfnmap_block", NULL: no such field
const char *ms_policy_field_doc(size_t field);  ///< one line, NULL: no such field
int ms_policy_field(const struct ms_policy *p, size_t field); ///< the value's number, -1: no field
/** "FROM_VM_PGOFF", NULL: no such value. A field's values are 0, 1, ... up to the first NULL. */
const char *ms_policy_value_name(size_t field, int value);
/** Sets a field by the names above; -EINVAL: no such field or value, and nothing is changed. */
int ms_policy_set(struct ms_policy *p, const char *field, const char *value);

#ifdef __cplusplus
}
#endif
#endif
