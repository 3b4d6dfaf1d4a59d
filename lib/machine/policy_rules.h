/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules of one kernel: included once for each kernel and architecture, as an initialiser of
 * struct ms_policy. KERNEL, RELEASE and ARCH say which.
 *
 * Kernels are compared by the enum of policy_linux.c, which goes by release. SINCE(V) holds from V
 * on. A change that a stable branch took before the next mainline release had it is written as what
 * it is: IN(V, W) is a part of a branch, from V on and before W. "inferred": nothing but its
 * neighbours, or the history of the code, speaks for the kernel that is named.
 */
#define SINCE(v) (KERNEL >= (v))
#define IN(v, w) (KERNEL >= (v) && KERNEL < (w))
#define IS_X86 (ARCH == MS_ARCH_X86_64)

{
	.arch = ARCH,
	.release = RELEASE,

	/* ---- VMAs: merging, accounting ---- */

	.vma_merge_close = SINCE(V6_12_0) ? MS_VMA_MERGE_CLOSE_ONLY_SURVIVOR_MAY_CLOSE
					  : MS_VMA_MERGE_CLOSE_NEVER_IF_CLOSE,
	.anon_hole_merge = IN(V6_1_0, V6_12_0) ? MS_ANON_HOLE_MERGE_NEXT_FIRST_STRICT
					       : MS_ANON_HOLE_MERGE_PREV_FIRST,
	// 6.17: read; the change to is_mergeable_anon_vma() was made for 6.16, its repair came to
	// 6.18.y and 6.19
	.anon_merge_untouched = SINCE(V7_2_13) ? MS_ANON_MERGE_UNTOUCHED_ANY
				: SINCE(V6_17) ? MS_ANON_MERGE_UNTOUCHED_ANY_IF_MOVED
					       : MS_ANON_MERGE_UNTOUCHED_TARGET_TOUCHED_ONLY,
	// 6.12.113, 6.12.115: inferred, that 6.12 took the change when 6.1 did. 6.17: inferred,
	// that 6.17.0 is older than both
	.dontunmap_self_merge = IN(V6_1_192, V6_12_0) ? MS_DONTUNMAP_SELF_MERGE_NONE_BESIDE_SOURCE
				: IN(V6_12_113, V6_17) || SINCE(V7_2_13)
					? MS_DONTUNMAP_SELF_MERGE_NO
					: MS_DONTUNMAP_SELF_MERGE_YES,
	// the next two changed with dontunmap_self_merge. 5.15: inferred, here and for the charge
	.dontunmap_source = IN(V6_1_192, V6_12_0) || IN(V6_12_113, V6_17) || SINCE(V7_2_13)
				    ? MS_DONTUNMAP_SOURCE_DROPS_ANON_VMA_AND_PGOFF
			    : SINCE(V5_15) ? MS_DONTUNMAP_SOURCE_DROPS_ANON_VMA
					   : MS_DONTUNMAP_SOURCE_KEEPS_ANON_VMA,
	.dontunmap_locked = IN(V6_1_192, V6_12_0) || IN(V6_12_113, V6_17) || SINCE(V7_2_13)
				    ? MS_DONTUNMAP_LOCKED_SPLITS_FIRST
				    : MS_DONTUNMAP_LOCKED_UNLOCKS_WHOLE_VMA,
	.dontunmap_account =
		SINCE(V5_15) ? MS_DONTUNMAP_ACCOUNT_OWN_ONLY : MS_DONTUNMAP_ACCOUNT_NEXT_VMA_GAINS,

	/* ---- mprotect ---- */

	.mprotect_unaccount =
		SINCE(V6_12_0) ? MS_MPROTECT_UNACCOUNT_UNTOUCHED_ANON : MS_MPROTECT_UNACCOUNT_NO,
	// 5.15: inferred
	.mprotect_pte_upgrade = SINCE(V6_12_0)  ? MS_MPROTECT_PTE_UPGRADE_ANON_ANY
				: SINCE(V6_1_0) ? MS_MPROTECT_PTE_UPGRADE_ANON_DIRTY
						: MS_MPROTECT_PTE_UPGRADE_SHARED_ONLY,
	.mprotect_pmd_upgrade = SINCE(V6_12_0) ? MS_MPROTECT_PMD_UPGRADE_ANON_EXCLUSIVE
					       : MS_MPROTECT_PMD_UPGRADE_NO,
	.mprotect_notify = SINCE(V6_12_0) ? MS_MPROTECT_NOTIFY_ONCE_FROM_FIRST_PUD
					  : MS_MPROTECT_NOTIFY_PER_1G_FROM_FIRST_PMD,

	/* ---- huge pages ---- */

	.anon_reuse = SINCE(V6_1_0) ? MS_ANON_REUSE_EXCLUSIVE : MS_ANON_REUSE_SOLE_REFERENCE,
	// 6.17: inferred; __wp_can_reuse_large_anon_folio() was added for 6.15
	.anon_large_reuse = SINCE(V6_17)     ? MS_ANON_LARGE_REUSE_IF_ALL_MAPPED_HERE
			    : SINCE(V6_12_0) ? MS_ANON_LARGE_REUSE_EXCLUSIVE_ONLY
					     : MS_ANON_LARGE_REUSE_IF_SOLE_REFERENCE,
	.thp_split_dirty = SINCE(V6_12_0) ? MS_THP_SPLIT_DIRTY_CARRIED : MS_THP_SPLIT_DIRTY_DROPPED,
	// 6.17: inferred; do_huge_zero_wp_pmd() was added for 6.13
	.thp_zero_write =
		SINCE(V6_17) ? MS_THP_ZERO_WRITE_REPLACE_BY_PMD : MS_THP_ZERO_WRITE_SPLIT_COPY_ONE,
	// 6.17: inferred; CONFIG_PT_RECLAIM began in 6.14 as x86's alone
	.pte_table_reclaim = SINCE(V7_2_13) || (SINCE(V6_17) && IS_X86)
				     ? MS_PTE_TABLE_RECLAIM_DONTNEED_2M
				     : MS_PTE_TABLE_RECLAIM_NO,
	.hugetlb_unmap_notify =
		SINCE(V6_12_0) ? MS_HUGETLB_UNMAP_NOTIFY_ONCE : MS_HUGETLB_UNMAP_NOTIFY_TWICE,
	.hugetlb_mremap = SINCE(V6_1_0) ? MS_HUGETLB_MREMAP_ALLOWED : MS_HUGETLB_MREMAP_EINVAL,
	.hugetlb_dontneed =
		SINCE(V6_1_0) ? MS_HUGETLB_DONTNEED_ALLOWED : MS_HUGETLB_DONTNEED_EINVAL,
	.shmem_huge = SINCE(V6_12_0) ? MS_SHMEM_HUGE_SUITABLE_VMA : MS_SHMEM_HUGE_ANY_VMA,
	// 6.17: inferred; shmem_get_orders_within_size() was added for 6.14
	.shmem_within_size = SINCE(V6_17)    ? MS_SHMEM_WITHIN_SIZE_TWO_PAGES
			     : SINCE(V6_1_0) ? MS_SHMEM_WITHIN_SIZE_WHOLE
					     : MS_SHMEM_WITHIN_SIZE_NOT_FIRST_PAGE,
	// 6.17: inferred; the fault-around of whole folios came in 6.18
	.shmem_map_folio = SINCE(V7_2_13)   ? MS_SHMEM_MAP_FOLIO_WHOLE
			   : SINCE(V6_12_0) ? MS_SHMEM_MAP_FOLIO_WHOLE_BY_FAULT
					    : MS_SHMEM_MAP_FOLIO_ONE_PAGE,
	.file_pmd_map =
		SINCE(V6_12_0) ? MS_FILE_PMD_MAP_NOT_IF_NOHUGEPAGE : MS_FILE_PMD_MAP_ANY_VMA,
	.folio_unmap_notify =
		SINCE(V6_12_0) ? MS_FOLIO_UNMAP_NOTIFY_RANGE : MS_FOLIO_UNMAP_NOTIFY_PMD_AND_RANGE,
	// 6.17: inferred; truncation splits unevenly since 6.15
	.folio_split = SINCE(V6_17) ? MS_FOLIO_SPLIT_HALVES : MS_FOLIO_SPLIT_PAGES,
	.hugetlb_zap = SINCE(V7_2_13) ? MS_HUGETLB_ZAP_BY_CALLERS : MS_HUGETLB_ZAP_BY_ITSELF,
	// by the file's offset from 6.12.118 and 7.3 on
	.hugetlb_take_back = MS_HUGETLB_TAKE_BACK_BY_ADDRESS,
	.hugetlb_unmap_reserve = IN(V6_12_111, V6_17) || SINCE(V7_2_13)
					 ? MS_HUGETLB_UNMAP_RESERVE_RESTORED_BY_LAST
				 : SINCE(V6_12_0) ? MS_HUGETLB_UNMAP_RESERVE_RESTORED
						  : MS_HUGETLB_UNMAP_RESERVE_STAYS_USED,
	.hugetlb_fork = SINCE(V6_1_0) ? MS_HUGETLB_FORK_LAZY : MS_HUGETLB_FORK_COPIES,
	// 6.1.0: inferred; the fix is of 6.2 and early 6.1.y
	.hugetlb_split = SINCE(V6_1_176) ? MS_HUGETLB_SPLIT_NOTIFY_1G : MS_HUGETLB_SPLIT_SILENT,
	// 6.17: inferred
	.hugetlb_contiguous = SINCE(V6_17) ? MS_HUGETLB_CONTIGUOUS_BY_PROTECTION
					   : MS_HUGETLB_CONTIGUOUS_ALWAYS_VALID,

	/* ---- madvise ---- */

	.hugetlb_hole = SINCE(V6_1_0) ? MS_HUGETLB_HOLE_EXACT : MS_HUGETLB_HOLE_TOUCHES_NEXT,
	.madv_populate = SINCE(V5_15) ? MS_MADV_POPULATE_PRESENT : MS_MADV_POPULATE_ABSENT,
	// 5.10 has no such advice: what its successor does, should somebody add it
	.madv_populate_hole = SINCE(V6_12_0) ? MS_MADV_POPULATE_HOLE_FIRST_HOLE_STOPS
					     : MS_MADV_POPULATE_HOLE_LEADING_HOLE_SKIPPED,
	.madv_collapse = SINCE(V6_1_0) ? MS_MADV_COLLAPSE_PRESENT : MS_MADV_COLLAPSE_ABSENT,
	// the three at 6.17: inferred from 6.12
	.collapse_read_only =
		SINCE(V7_2_13) ? MS_COLLAPSE_READ_ONLY_ALLOWED : MS_COLLAPSE_READ_ONLY_EINVAL,
	.collapse_small =
		SINCE(V7_2_13) ? MS_COLLAPSE_SMALL_NOTHING : MS_COLLAPSE_SMALL_EINVAL_UNLESS_EMPTY,
	.collapse_empty_pmd =
		SINCE(V7_2_13) ? MS_COLLAPSE_EMPTY_PMD_GOES_ON : MS_COLLAPSE_EMPTY_PMD_STOPS,
	// 6.17: inferred from 6.12
	.collapse_file = SINCE(V7_2_13)   ? MS_COLLAPSE_FILE_ALL_TABLES_AND_NEW
			 : SINCE(V6_12_0) ? MS_COLLAPSE_FILE_ALL_TABLES
					  : MS_COLLAPSE_FILE_CALLER_ONLY,
	// 6.17: inferred from 6.12
	.anon_split_notify =
		SINCE(V7_2_13) ? MS_ANON_SPLIT_NOTIFY_ONCE : MS_ANON_SPLIT_NOTIFY_TWICE,
	.anon_split_zero =
		SINCE(V6_12_0) ? MS_ANON_SPLIT_ZERO_BECOMES_ZERO_PAGE : MS_ANON_SPLIT_ZERO_STAYS,
	.madv_free_splits =
		SINCE(V6_12_0) ? MS_MADV_FREE_SPLITS_CUT_ONLY : MS_MADV_FREE_SPLITS_EVERY,
	// 6.17: inferred from 6.12
	.madv_dofork_refuses =
		SINCE(V7_2_13) ? MS_MADV_DOFORK_REFUSES_VM_SPECIAL : MS_MADV_DOFORK_REFUSES_VM_IO,
	.madv_split_limit = SINCE(V6_1_0) ? MS_MADV_SPLIT_LIMIT_EAGAIN : MS_MADV_SPLIT_LIMIT_ENOMEM,
	// 5.15, 6.1.0: inferred; vma_is_shared_maywrite() is of 6.7 and came to 6.1.y later
	.madv_remove_needs =
		SINCE(V6_1_176) ? MS_MADV_REMOVE_NEEDS_VM_MAYWRITE : MS_MADV_REMOVE_NEEDS_VM_WRITE,
	// 6.17: inferred from 6.12
	.madv_remove_sysfs =
		SINCE(V7_2_13) ? MS_MADV_REMOVE_SYSFS_EOPNOTSUPP : MS_MADV_REMOVE_SYSFS_EFBIG,

	/* ---- mremap ---- */

	.mremap_dontunmap = SINCE(V5_15) ? MS_MREMAP_DONTUNMAP_NOT_PFNMAP_DONTEXPAND
					 : MS_MREMAP_DONTUNMAP_PRIVATE_ANON_ONLY,
	// 5.15: inferred; the early lookup came with mremap of hugetlb, in 5.16
	.mremap_inplace_needs_vma =
		SINCE(V6_1_0) ? MS_MREMAP_INPLACE_NEEDS_VMA_YES : MS_MREMAP_INPLACE_NEEDS_VMA_NO,
	// 5.15: inferred, for the same reason
	.mremap_fixed_order = SINCE(V6_17)    ? MS_MREMAP_FIXED_ORDER_ALL_CHECKS_THEN_DEST
			      : SINCE(V6_1_0) ? MS_MREMAP_FIXED_ORDER_LOOKUP_THEN_DEST
					      : MS_MREMAP_FIXED_ORDER_DEST_FIRST,
	.mremap_many_vmas =
		SINCE(V6_17) ? MS_MREMAP_MANY_VMAS_MOVES_EACH : MS_MREMAP_MANY_VMAS_EFAULT,
	// 5.15: inferred; merging after growth is of 6.0
	.mremap_grow_merge = SINCE(V6_1_0) ? MS_MREMAP_GROW_MERGE_YES : MS_MREMAP_GROW_MERGE_NO,
	// by CONFIG_HAVE_MOVE_PMD and CONFIG_HAVE_MOVE_PUD
	.mremap_table_move = SINCE(V5_15) ? MS_MREMAP_TABLE_MOVE_PTE_AND_PMD_TABLES
					  : MS_MREMAP_TABLE_MOVE_PTE_TABLES,
	.mremap_realign = SINCE(V6_12_0) ? MS_MREMAP_REALIGN_TO_PMD : MS_MREMAP_REALIGN_NO,
	.mremap_may_split =
		SINCE(V5_15) ? MS_MREMAP_MAY_SPLIT_ASKED_FIRST : MS_MREMAP_MAY_SPLIT_NOT_ASKED,
	// 6.17: inferred from 6.12
	.mremap_map_count = SINCE(V7_2_13) ? MS_MREMAP_MAP_COUNT_WORST_CASE_FIRST
					   : MS_MREMAP_MAP_COUNT_MOVE_NEAR_LIMIT,

	/* ---- mmap, munmap, fork ---- */

	.mmap_fixed =
		SINCE(V6_12_0) ? MS_MMAP_FIXED_REPLACE_AFTER_CHECKS : MS_MMAP_FIXED_UNMAP_FIRST,
	.mmap_second_merge = SINCE(V6_17) ? MS_MMAP_SECOND_MERGE_NO : MS_MMAP_SECOND_MERGE_YES,
	.devmem_refusal =
		SINCE(V7_2_13) ? MS_DEVMEM_REFUSAL_SILENT : MS_DEVMEM_REFUSAL_ZAPS_NEW_RANGE,
	.munmap_split_new =
		SINCE(V6_12_0) ? MS_MUNMAP_SPLIT_NEW_KEPT_PART : MS_MUNMAP_SPLIT_NEW_DYING_PART,
	.fork_order = SINCE(V6_1_192) ? MS_FORK_ORDER_OPEN_THEN_COPY : MS_FORK_ORDER_COPY_THEN_OPEN,
	.fork_tracking = SINCE(V6_17) ? MS_FORK_TRACKING_SHARE_CONTEXT
			 : IN(V6_1_176, V6_12_0) || SINCE(V6_12_107)
				 ? MS_FORK_TRACKING_FLAG_AFTER_RESERVE
				 : MS_FORK_TRACKING_FLAG_INHERITED,

	/* ---- PAT and remap_pfn_range ---- */

	.untrack_at = SINCE(V6_17) ? MS_UNTRACK_AT_LAST_VMA_FREED : MS_UNTRACK_AT_ANY_ZAP,
	// 5.10.223 has the fix that 5.15 (as of .85) and 6.1.0 lack
	.untrack_address = SINCE(V6_17)          ? MS_UNTRACK_ADDRESS_REMEMBERED
			   : IN(V5_15, V6_1_176) ? MS_UNTRACK_ADDRESS_FIRST_PTE_EVEN_ANON
						 : MS_UNTRACK_ADDRESS_FIRST_PTE_ELSE_PGOFF,
	.memtype_free = SINCE(V6_17) ? MS_MEMTYPE_FREE_EXACT : MS_MEMTYPE_FREE_EXACT_OR_TAIL,
	.remap_error = SINCE(V7_2_13)    ? MS_REMAP_ERROR_ZAP_NOT_COW_RULE
		       : SINCE(V6_1_176) ? MS_REMAP_ERROR_ZAP
					 : MS_REMAP_ERROR_KEEP_PTES,
	.remap_checks = SINCE(V7_2_13) ? MS_REMAP_CHECKS_COW_TRACK_ALIGN
			: SINCE(V5_15) ? MS_REMAP_CHECKS_TRACK_ALIGN_COW
				       : MS_REMAP_CHECKS_ALIGN_COW_TRACK,
	// 6.9 made the assertion a plain WARN_ON. 6.17: inferred; in 7.2 remap_pfn_range() sets its
	// flags without vm_flags_set()
	.vma_flags_lock = SINCE(V7_2_13)   ? MS_VMA_FLAGS_LOCK_ASSERTED_NOT_BY_REMAP
			  : SINCE(V6_12_0) ? MS_VMA_FLAGS_LOCK_ASSERTED
					   : MS_VMA_FLAGS_LOCK_UNCHECKED,

	/* ---- huge leaves of raw pfns, lookups ---- */

	// mainline went back and forth: 6.17.0 asks sysfs again. 6.12.113 was seen to obey it
	.pfnmap_huge_fault = IN(V6_12_115, V6_17) || SINCE(V7_2_13) ? MS_PFNMAP_HUGE_FAULT_ALWAYS
			     : SINCE(V6_12_0)                       ? MS_PFNMAP_HUGE_FAULT_BY_SYSFS
			     : SINCE(V6_1_0)                        ? MS_PFNMAP_HUGE_FAULT_NEVER
					     : MS_PFNMAP_HUGE_FAULT_BY_SYSFS_ANY_VMA,
	// up to 5.15 what the driver makes; no driver did, and arm64 has no PUD leaves for it
	.pfnmap_leaf_max = IN(V6_1_0, V6_12_0) ? MS_PFNMAP_LEAF_MAX_PTE
			   : IS_X86            ? MS_PFNMAP_LEAF_MAX_PUD
					       : MS_PFNMAP_LEAF_MAX_PMD,
	.pud_insert_prot = IN(V6_12_0, V6_17) ? MS_PUD_INSERT_PROT_VMA : MS_PUD_INSERT_PROT_LOOKUP,
	.pfn_lookup_writable = MS_PFN_LOOKUP_WRITABLE_LEAF_BIT,
	.insert_mixed_bad = SINCE(V6_12_0) ? MS_INSERT_MIXED_BAD_SIGBUS : MS_INSERT_MIXED_BAD_BUG,
	.pfn_lookup = SINCE(V6_12_0) ? MS_PFN_LOOKUP_ANY_LEAF : MS_PFN_LOOKUP_PTE_ONLY,

	/* ---- drivers ---- */

	.vfio = SINCE(V6_12_0) ? MS_VFIO_V3 : MS_VFIO_V1_RECHECK,
	// before 6.12 vfio has no huge leaves: what its successor does
	.vfio_huge_align = SINCE(V6_12_107) ? MS_VFIO_HUGE_ALIGN_ROUNDED_AND_PFN
					    : MS_VFIO_HUGE_ALIGN_FAULT_ADDRESS,
	.vfio_uncached_flag = SINCE(V6_12_0) ? MS_VFIO_UNCACHED_FLAG_YES : MS_VFIO_UNCACHED_FLAG_NO,
	.vfio_bar_claim =
		SINCE(V7_2_13) ? MS_VFIO_BAR_CLAIM_DEVICE_OPEN : MS_VFIO_BAR_CLAIM_FIRST_MMAP,
	// 6.17: inferred; anonymous inodes are on a noexec mount since 6.16
	.vfio_noexec = SINCE(V6_17) ? MS_VFIO_NOEXEC_YES : MS_VFIO_NOEXEC_NO,
	.revoke_scope = SINCE(V5_15) ? MS_REVOKE_SCOPE_DEVMEM_AND_SYSFS : MS_REVOKE_SCOPE_DEVMEM,

	/* ---- KVM: the fault ---- */

	// 6.17.0 has the old rule of mainline, which 7.2.13 no longer has
	.s2_pfnmap_block = IN(V6_12_113, V6_17) || SINCE(V7_2_13)
				   ? MS_S2_PFNMAP_BLOCK_FROM_HOST_TABLE
			   : IN(V6_1_192, V6_12_0) ? MS_S2_PFNMAP_BLOCK_HUGETLB_ONLY
			   : SINCE(V5_15)          ? MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF
						   : MS_S2_PFNMAP_BLOCK_PAGES_ONLY,
	.s2_log_pfnmap = MS_S2_LOG_PFNMAP_PAGES,
	.s2_device_upgrade = IN(V6_12_113, V6_17) || SINCE(V7_2_13) ? MS_S2_DEVICE_UPGRADE_ALLOWED
			     : SINCE(V5_15) ? MS_S2_DEVICE_UPGRADE_NO_UPGRADE
					    : MS_S2_DEVICE_UPGRADE_FORCES_PAGES,
	.s2_device_test = SINCE(V6_17)   ? MS_S2_DEVICE_TEST_VMA_FLAG_AND_NOT_MAP_MEMORY
			  : SINCE(V5_15) ? MS_S2_DEVICE_TEST_NOT_MAP_MEMORY
					 : MS_S2_DEVICE_TEST_NOT_PFN_VALID,
	.s2_cacheable_pfnmap =
		SINCE(V6_17) ? MS_S2_CACHEABLE_PFNMAP_BY_VMA_PROT : MS_S2_CACHEABLE_PFNMAP_DEVICE,
	.s2_device_type =
		SINCE(V6_12_0) ? MS_S2_DEVICE_TYPE_NC_IF_VMA_ALLOWS : MS_S2_DEVICE_TYPE_NGNRE,
	.slot_pfnmap = SINCE(V5_15) ? MS_SLOT_PFNMAP_LAZY : MS_SLOT_PFNMAP_PREMAP,
	// 5.15, the next two: inferred from 6.1 and the history of the code (5.12, 5.14)
	.slot_limit = SINCE(V5_15) ? MS_SLOT_LIMIT_32767 : MS_SLOT_LIMIT_512,
	.slot_update = SINCE(V5_15) ? MS_SLOT_UPDATE_WAITS_FOR_NOTIFIERS : MS_SLOT_UPDATE_AT_ONCE,
	.slot_flush = SINCE(V6_12_0) ? MS_SLOT_FLUSH_RANGE : MS_SLOT_FLUSH_VMID,
	// 5.10.13 excluded it; late 5.10 does not
	.slot_end = MS_SLOT_END_LIMIT_ALLOWED,
	.slot_hva_end = SINCE(V6_12_0) ? MS_SLOT_HVA_END_52_BITS : MS_SLOT_HVA_END_TASK_SIZE,
	.mte_vma = SINCE(V6_12_0) ? MS_MTE_VMA_MTE_ALLOWED
		   : SINCE(V5_15) ? MS_MTE_VMA_NO_SHARED
				  : MS_MTE_VMA_NONE,
	// 6.17: inferred; the tags of hugetlb pages came in 6.13
	.mte_hugetlb = SINCE(V6_17) ? MS_MTE_HUGETLB_YES : MS_MTE_HUGETLB_NO,
	.mte_check = SINCE(V7_2_13) ? MS_MTE_CHECK_BEFORE_MMU_LOCK : MS_MTE_CHECK_UNDER_MMU_LOCK,
	// 6.17: the rework of 6.13
	.pfn_refcount_test = SINCE(V6_17) ? MS_PFN_REFCOUNT_TEST_NO : MS_PFN_REFCOUNT_TEST_YES,
	.pfn_poison_probe = SINCE(V6_17) ? MS_PFN_POISON_PROBE_ONCE : MS_PFN_POISON_PROBE_TWICE,
	.host_leaf_absent = SINCE(V6_1_176) ? MS_HOST_LEAF_ABSENT_EAGAIN
			    : SINCE(V5_15)  ? MS_HOST_LEAF_ABSENT_BY_LEVEL
					    : MS_HOST_LEAF_ABSENT_PAGE_STRUCT,
	.s2_topup = SINCE(V6_1_176) ? MS_S2_TOPUP_BEFORE : MS_S2_TOPUP_AFTER_MMAP_LOCK,
	// every fault from 7.3 on
	.s2_log_topup = MS_S2_LOG_TOPUP_WRITE_FAULTS,
	// the fix of 6.3, which 6.1.y took with the order of s2_topup
	.s2_seq_sample =
		SINCE(V6_1_176) ? MS_S2_SEQ_SAMPLE_BEFORE_UNLOCK : MS_S2_SEQ_SAMPLE_AFTER_UNLOCK,
	// 6.17: inferred; it came with 7.1's rework of the fault
	.s2_map_address = SINCE(V7_2_13) ? MS_S2_MAP_ADDRESS_GFN : MS_S2_MAP_ADDRESS_FAULT_4K,
	.s2_cmo_at = SINCE(V5_15) ? MS_S2_CMO_AT_WALK : MS_S2_CMO_AT_ABORT,
	.s2_dirty_mark =
		SINCE(V5_15) ? MS_S2_DIRTY_MARK_AFTER_SUCCESS : MS_S2_DIRTY_MARK_BEFORE_MAP,
	.s2_lock = SINCE(V6_12_0)  ? MS_S2_LOCK_READ
		   : SINCE(V6_1_0) ? MS_S2_LOCK_WRITE_READ_FOR_LOG
				   : MS_S2_LOCK_SPIN,

	/* ---- KVM: the stage-2 table ---- */

	.s2_same_leaf = SINCE(V5_15) ? MS_S2_SAME_LEAF_EAGAIN : MS_S2_SAME_LEAF_SUCCESS,
	.s2_absent_leaf = SINCE(V6_12_0) ? MS_S2_ABSENT_LEAF_EAGAIN : MS_S2_ABSENT_LEAF_SUCCESS,
	// 5.15: inferred from its permission fault, which takes the granule and rounds no address
	.s2_relax_address = SINCE(V5_15) ? MS_S2_RELAX_ADDRESS_FAULT : MS_S2_RELAX_ADDRESS_BLOCK,
	.s2_table_to_block =
		SINCE(V6_12_0) ? MS_S2_TABLE_TO_BLOCK_RANGE : MS_S2_TABLE_TO_BLOCK_FLUSH_VMID,
	.s2_unmap_tlbi = SINCE(V6_12_0) ? MS_S2_UNMAP_TLBI_DEFER_IF_RANGE_AND_FWB
					: MS_S2_UNMAP_TLBI_EACH_LEAF,
	.s2_relax_scope =
		SINCE(V6_12_0) ? MS_S2_RELAX_SCOPE_LOCAL : MS_S2_RELAX_SCOPE_INNER_SHAREABLE,
	.s2_relax_flush = SINCE(V6_12_0) ? MS_S2_RELAX_FLUSH_EAGAIN_TOO
					 : MS_S2_RELAX_FLUSH_IF_SUCCESSFUL,
	// 6.1.0: inferred; the change is of 6.2, and 6.1.176 has it
	.s2_range_pieces = SINCE(V6_1_176) ? MS_S2_RANGE_PIECES_LARGEST_BLOCKS
					   : MS_S2_RANGE_PIECES_ROOT_ENTRIES,
	.s2_age = SINCE(V6_12_0) ? MS_S2_AGE_RANGE : MS_S2_AGE_ONE_ADDRESS,
	.s2_eager_split = SINCE(V6_12_0) ? MS_S2_EAGER_SPLIT_YES : MS_S2_EAGER_SPLIT_NO,
	.s2_exec_bits = SINCE(V7_2_13) ? MS_S2_EXEC_BITS_XN_TWO : MS_S2_EXEC_BITS_XN,

	/* ---- KVM: notifiers, aborts ---- */

	.notifier_change_pte =
		SINCE(V6_12_0) ? MS_NOTIFIER_CHANGE_PTE_NO : MS_NOTIFIER_CHANGE_PTE_YES,
	// 5.15: inferred; the slots' interval tree is of 5.17
	.notifier_slot_order = SINCE(V6_1_0) ? MS_NOTIFIER_SLOT_ORDER_HVA_THEN_AGE
					     : MS_NOTIFIER_SLOT_ORDER_GPA_DESCENDING,
	.notifier_counts =
		SINCE(V5_15) ? MS_NOTIFIER_COUNTS_ONLY_IF_SLOT_HIT : MS_NOTIFIER_COUNTS_ALWAYS,
	.abort_address_checks =
		SINCE(V6_1_0) ? MS_ABORT_ADDRESS_CHECKS_YES : MS_ABORT_ADDRESS_CHECKS_NO,
#ifdef BETWEEN
	BETWEEN
#endif
},

#undef SINCE
#undef IN
#undef IS_X86
