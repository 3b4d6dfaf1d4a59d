/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * policy_host.h - the behaviours of a process in which kernels differ: VMAs, page table, memory
 * files. Each is a field of struct ms_policy, policy.h. Enumerators are in the order in which
 * kernels took them up; a doc names the kernel functions that hold the rule.
 */
#ifndef MAPSIM_POLICY_HOST_H
#define MAPSIM_POLICY_HOST_H

/** may a VMA with vm_ops->close take part in a merge: none (up to 6.3), one that grows over what is
 * behind it (up to 6.11), or any that does not die by it (is_mergeable_vma, can_merge_remove_vma)
 */
enum ms_policy_vma_merge_close {
	MS_VMA_MERGE_CLOSE_NEVER_IF_CLOSE,
	MS_VMA_MERGE_CLOSE_MAY_GROW_UP,         ///< also over one with close, which is not called
	MS_VMA_MERGE_CLOSE_MAY_GROW_UP_CHECKED, ///< not over a whole one with close alone
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
	MS_ANON_MERGE_UNTOUCHED_ANY_IF_MOVED, ///< but what came by a fork, unless mremap moves it
	MS_ANON_MERGE_UNTOUCHED_ANY,          ///< but what came by a fork
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

/** MREMAP_DONTUNMAP from the middle of a charged VMA: the next one becomes charged (move_vma) */
enum ms_policy_dontunmap_account {
	MS_DONTUNMAP_ACCOUNT_NEXT_VMA_GAINS,
	MS_DONTUNMAP_ACCOUNT_OWN_ONLY,
};

/** mprotect to read-only gives back the charge, VM_ACCOUNT (mprotect_fixup) */
enum ms_policy_mprotect_unaccount {
	MS_MPROTECT_UNACCOUNT_NO,
	MS_MPROTECT_UNACCOUNT_UNTOUCHED_ANON,
};

/** private pages that mprotect makes writable (change_pte_range, can_change_pte_writable) */
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
	MS_ANON_LARGE_REUSE_IF_SOLE_REFERENCE, ///< or no other page of the huge one is mapped
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

/** notifier calls when hugetlb memory is unmapped (__unmap_hugepage_range: its own, up to 6.1) */
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

/** memory files with huge pages: which VMA's fault makes one (shmem_suitable_orders); with SUITABLE
 * none that is larger than the page cache takes (MAX_PAGECACHE_ORDER, from 6.11) */
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
	MS_FILE_PMD_MAP_HEAD_PAGE_ONLY, ///< of the huge page the first page is asked for
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

/** hugetlb memory is unmapped: which functions say so, MS_EV_ZAP. Its own has a file and is inside
 * of the notification; its callers (__zap_vma_range, from 7.1) have what the file has refused, too,
 * and are outside of a hole's */
enum ms_policy_hugetlb_zap {
	MS_HUGETLB_ZAP_BY_ITSELF,
	MS_HUGETLB_ZAP_BY_CALLERS,
};

/** private hugetlb memory, of which the owner's copy-on-write finds no page: where a page is taken
 * away from a copy of the mapping (unmap_ref_private) */
enum ms_policy_hugetlb_take_back {
	MS_HUGETLB_TAKE_BACK_BY_ADDRESS, ///< the owner's, wherever the copy has moved
	MS_HUGETLB_TAKE_BACK_BY_OFFSET,  ///< the file's
};

/** a page of a private hugetlb mapping is unmapped: is the reservation there again that it was
 * taken by (__unmap_hugepage_range, from 6.9) */
enum ms_policy_hugetlb_unmap_reserve {
	MS_HUGETLB_UNMAP_RESERVE_STAYS_USED,
	MS_HUGETLB_UNMAP_RESERVE_RESTORED,
	MS_HUGETLB_UNMAP_RESERVE_RESTORED_BY_LAST, ///< if no child maps the page, either
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

/** is an entry of the hugetlb size of contiguous pages (64K of 4K pages) valid for the hardware
 * whatever its protection (pte_mkcont); of contiguous PMDs (32M) it never is (pmd_mkcont) */
enum ms_policy_hugetlb_contiguous {
	MS_HUGETLB_CONTIGUOUS_ALWAYS_VALID,
	MS_HUGETLB_CONTIGUOUS_BY_PROTECTION,
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

/** page tables that mremap moves as a whole (move_normal_pmd, move_normal_pud) */
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

#endif
