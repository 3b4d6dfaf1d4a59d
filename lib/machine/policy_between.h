/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernels between those whose rules are in policy_kernels.h, of one ARCH: a base, and changes. */

#define CHANGES_6_6_9 \
	.vma_merge_close = MS_VMA_MERGE_CLOSE_MAY_GROW_UP, \
	.mprotect_pte_upgrade = MS_MPROTECT_PTE_UPGRADE_ANON_ANY, \
	.mprotect_pmd_upgrade = MS_MPROTECT_PMD_UPGRADE_ANON_EXCLUSIVE, \
	.thp_split_dirty = MS_THP_SPLIT_DIRTY_CARRIED, \
	.hugetlb_unmap_notify = MS_HUGETLB_UNMAP_NOTIFY_ONCE, \
	.hugetlb_split = MS_HUGETLB_SPLIT_NOTIFY_1G, \
	.collapse_file = MS_COLLAPSE_FILE_ALL_TABLES, \
	.munmap_split_new = MS_MUNMAP_SPLIT_NEW_KEPT_PART, \
	.pud_insert_prot = MS_PUD_INSERT_PROT_VMA, \
	.slot_flush = MS_SLOT_FLUSH_RANGE, \
	.mte_vma = MS_MTE_VMA_MTE_ALLOWED, \
	.host_leaf_absent = MS_HOST_LEAF_ABSENT_EAGAIN, \
	.s2_topup = MS_S2_TOPUP_BEFORE, \
	.s2_seq_sample = MS_S2_SEQ_SAMPLE_BEFORE_UNLOCK, \
	.s2_lock = MS_S2_LOCK_READ, \
	.s2_absent_leaf = MS_S2_ABSENT_LEAF_EAGAIN, \
	.s2_table_to_block = MS_S2_TABLE_TO_BLOCK_RANGE, \
	.s2_unmap_tlbi = MS_S2_UNMAP_TLBI_DEFER_IF_RANGE_AND_FWB, \
	.s2_relax_scope = MS_S2_RELAX_SCOPE_LOCAL, \
	.s2_range_pieces = MS_S2_RANGE_PIECES_LARGEST_BLOCKS, \
	.s2_age = MS_S2_AGE_RANGE, \
	.s2_eager_split = MS_S2_EAGER_SPLIT_YES,

#define KERNEL V6_1_0
#define RELEASE "6.6.9"
#define BETWEEN CHANGES_6_6_9
#include "machine/policy_rules.h"
#undef KERNEL
#undef RELEASE
#undef BETWEEN

#define KERNEL V6_1_0
#define RELEASE "6.8.0"
#define BETWEEN \
	CHANGES_6_6_9 \
	.vma_merge_close = MS_VMA_MERGE_CLOSE_MAY_GROW_UP_CHECKED, \
	.mprotect_unaccount = MS_MPROTECT_UNACCOUNT_UNTOUCHED_ANON, \
	.madv_remove_needs = MS_MADV_REMOVE_NEEDS_VM_MAYWRITE, \
	.mremap_realign = MS_MREMAP_REALIGN_TO_PMD, \
	.pfnmap_huge_fault = MS_PFNMAP_HUGE_FAULT_BY_SYSFS, \
	.s2_relax_flush = MS_S2_RELAX_FLUSH_EAGAIN_TOO, \
	.file_pmd_map = MS_FILE_PMD_MAP_HEAD_PAGE_ONLY, \
	.pfnmap_leaf_max = ARCH == MS_ARCH_X86_64 ? MS_PFNMAP_LEAF_MAX_PUD \
						  : MS_PFNMAP_LEAF_MAX_PMD, \
	.abort_address_checks = MS_ABORT_ADDRESS_CHECKS_NO,
#include "machine/policy_rules.h"
#undef KERNEL
#undef RELEASE
#undef BETWEEN

#define KERNEL V6_17
#define RELEASE "6.19.0"
#define BETWEEN \
	.anon_merge_untouched = MS_ANON_MERGE_UNTOUCHED_ANY, \
	.collapse_read_only = MS_COLLAPSE_READ_ONLY_ALLOWED, \
	.collapse_empty_pmd = MS_COLLAPSE_EMPTY_PMD_GOES_ON, \
	.collapse_file = MS_COLLAPSE_FILE_ALL_TABLES_AND_NEW, \
	.anon_split_notify = MS_ANON_SPLIT_NOTIFY_ONCE, \
	.shmem_map_folio = MS_SHMEM_MAP_FOLIO_WHOLE, \
	.devmem_refusal = MS_DEVMEM_REFUSAL_SILENT, \
	.remap_checks = MS_REMAP_CHECKS_COW_TRACK_ALIGN, \
	.remap_error = MS_REMAP_ERROR_ZAP_NOT_COW_RULE, \
	.s2_exec_bits = MS_S2_EXEC_BITS_XN_TWO, \
	.madv_remove_sysfs = MS_MADV_REMOVE_SYSFS_EOPNOTSUPP,
#include "machine/policy_rules.h"
#undef KERNEL
#undef RELEASE
#undef BETWEEN

#define KERNEL V7_2_13
#define RELEASE "7.3.4"
#define BETWEEN \
	.hugetlb_take_back = MS_HUGETLB_TAKE_BACK_BY_OFFSET, \
	.s2_log_topup = MS_S2_LOG_TOPUP_EVERY_FAULT,
#include "machine/policy_rules.h"
#undef KERNEL
#undef RELEASE
#undef BETWEEN
#undef CHANGES_6_6_9
