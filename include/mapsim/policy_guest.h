/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * policy_guest.h - the behaviours of KVM and stage 2 in which kernels differ. Each is a field of
 * struct ms_policy, policy.h; a doc names the kernel functions that hold the rule.
 */
#ifndef MAPSIM_POLICY_GUEST_H
#define MAPSIM_POLICY_GUEST_H

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

/** for which permission faults in a memslot with a dirty log the memcache is filled: writes, or all
 * (user_mem_abort, from 7.3) */
enum ms_policy_s2_log_topup {
	MS_S2_LOG_TOPUP_WRITE_FAULTS,
	MS_S2_LOG_TOPUP_EVERY_FAULT,
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

/** relaxing or making young what is not mapped (stage2_attr_walker) */
enum ms_policy_s2_absent_leaf {
	MS_S2_ABSENT_LEAF_SUCCESS,
	MS_S2_ABSENT_LEAF_EAGAIN,
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

/** when relax_perms flushes the TLB: not where there was nothing to relax and that is -EAGAIN, or
 * then, too (from 6.7) */
enum ms_policy_s2_relax_flush {
	MS_S2_RELAX_FLUSH_IF_SUCCESSFUL,
	MS_S2_RELAX_FLUSH_EAGAIN_TOO,
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

/** aborts beyond the IPA space are injected into the guest (kvm_handle_guest_abort, from 5.19; 6.8
 * asks permission faults in place of translation faults, and there are none) */
enum ms_policy_abort_address_checks {
	MS_ABORT_ADDRESS_CHECKS_NO,
	MS_ABORT_ADDRESS_CHECKS_YES,
};

#endif
