/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * policy.h - a kernel version as data: every behaviour in which kernels differ is a field here;
 * what its values mean stands in policy_host.h, policy_pfnmap.h and policy_guest.h.
 *
 * ms_policy_linux() hands out a constant; a user copies it, changes fields or sets a function, and
 * gives it to ms_machine_new(). Any combination of enumerators is a valid policy, also ones that no
 * kernel shipped.
 */
#ifndef MAPSIM_POLICY_H
#define MAPSIM_POLICY_H

#include <mapsim/policy_guest.h>
#include <mapsim/policy_host.h>
#include <mapsim/policy_pfnmap.h>
#include <mapsim/types.h>

#ifdef __cplusplus
extern "C" {
#endif

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
	/* what was looked up: by the kernel at a block's first page, which decides for all */
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
	enum ms_policy_hugetlb_zap hugetlb_zap;
	enum ms_policy_hugetlb_take_back hugetlb_take_back;
	enum ms_policy_hugetlb_unmap_reserve hugetlb_unmap_reserve;
	enum ms_policy_hugetlb_fork hugetlb_fork;
	enum ms_policy_hugetlb_split hugetlb_split;
	enum ms_policy_hugetlb_contiguous hugetlb_contiguous;
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
	enum ms_policy_s2_log_topup s2_log_topup;
	enum ms_policy_s2_seq_sample s2_seq_sample;
	enum ms_policy_s2_map_address s2_map_address;
	enum ms_policy_s2_cmo_at s2_cmo_at;
	enum ms_policy_s2_dirty_mark s2_dirty_mark;
	enum ms_policy_s2_lock s2_lock;
	enum ms_policy_s2_same_leaf s2_same_leaf;
	enum ms_policy_s2_absent_leaf s2_absent_leaf;
	enum ms_policy_s2_relax_address s2_relax_address;
	enum ms_policy_s2_table_to_block s2_table_to_block;
	enum ms_policy_s2_unmap_tlbi s2_unmap_tlbi;
	enum ms_policy_s2_relax_scope s2_relax_scope;
	enum ms_policy_s2_relax_flush s2_relax_flush;
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
