/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What releases do, as their sources and what is told of them say: behaviour that began or ended
 * with a release, and a table of rules that were read in the sources, whatever the rules' own files
 * say. Releases are the subject here; elsewhere tests ask the rules which kernels there are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../kernels.h"

#include <mapsim/drivers.h>
#include <mapsim/kvm.h>
#include <mapsim/machine.h>
#include <mapsim/mm.h>
#include <mapsim/pat.h>
#include <mapsim/pfnmap.h>
#include <mapsim/phys.h>

#include <errno.h>

#define A UINT64_C(0x200000000000)
#define GPA UINT64_C(0x80000000)
#define BAR UINT64_C(0x8100000000)
#define PAGE UINT64_C(0x1000)

static struct ms_machine *machine(const char *release, enum ms_arch arch)
{
	struct ms_machine *m = ms_machine_new(ms_policy_linux(release, arch));

	assert_non_null(m);
	assert_non_null(ms_device_add(m, "bar", BAR, 8 * MS_2M));
	return m;
}

static void map(struct ms_mm *mm, uint64_t len, struct ms_file *file)
{
	assert_int_equal(ms_mmap(mm, A, len, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, file, 0), A);
}

static bool has(const char *release, enum ms_arch arch, const char *rule, const char *value)
{
	return kernel_has(ms_policy_linux(release, arch), rule, value);
}

/* ---- a guest's block and the end of its VMA ---- */

/*
 *   VMA    |--------- 3M ---------|
 *   slot   |------------------- 6M --------------------|
 *   reads                 ^ second 2M     ^ behind the VMA
 */
static void assert_second_block(const char *release, bool beyond_the_vma)
{
	struct ms_machine *m = machine(release, MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_vm *vm = ms_vm_new(mm, 40);
	struct ms_guest_access at_start, behind;
	const ms_ipa_t outside = GPA + MS_2M + 0x180000;

	map(mm, 3 * MS_2M / 2, ms_pci_resource(ms_device_find(m, "bar")));
	assert_int_equal(ms_vm_set_slot(vm, 1, GPA, 3 * MS_2M, A, 0), 0);
	at_start = ms_guest_read(vm, GPA + MS_2M);
	behind = ms_guest_read(vm, outside);
	assert_int_equal(at_start.exit, MS_GUEST_OK);
	assert_int_equal(at_start.leaf.size, beyond_the_vma ? MS_2M : PAGE);
	assert_int_equal(behind.err, beyond_the_vma ? 0 : -EFAULT);
	if (beyond_the_vma)
		assert_int_equal(behind.leaf.pa + (outside - behind.leaf.ipa),
				 BAR + MS_2M + 0x180000);
	ms_machine_free(m);
}

static void a_guests_block_reaches_beyond_its_vma_up_to_the_fix(void **state)
{
	assert_second_block("6.6", true);
	assert_second_block("6.6.9", true);
	assert_second_block("6.8", true);
	assert_second_block("6.8.0", true);
	assert_second_block("6.11", true);
	assert_second_block("6.12.117", false);
}

/* ---- remap_pfn_range in a fault ---- */

static uint64_t violations_of_a_lazy_driver(const char *release)
{
	struct ms_machine *m = machine(release, MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);
	uint64_t n;

	map(mm, 4 * PAGE, ms_lazy_open(ms_device_find(m, "bar"), 0, MS_CACHE_UC_MINUS, 0));
	assert_int_equal(ms_touch(mm, A, MS_PROT_R), MS_ACCESS_OK);
	n = ms_violations(m);
	ms_machine_free(m);
	return n;
}

static void a_remap_in_a_fault_is_a_violation_from_6_10_on(void **state)
{
	assert_string_equal(first_release_where(MS_ARCH_X86_64, "vma_flags_lock", "ASSERTED"),
			    "6.10");
	assert_int_equal(violations_of_a_lazy_driver("6.8"), 0);
	assert_int_equal(violations_of_a_lazy_driver("6.9"), 0);
	assert_int_equal(violations_of_a_lazy_driver("6.10"), 1);
	assert_int_equal(violations_of_a_lazy_driver("6.19"), 1);
	// where remap_pfn_range sets its flags past the assertion
	assert_int_equal(violations_of_a_lazy_driver("7.0"), 0);
}

/* ---- how long a memory type stays ---- */

/* Entries on the list after a zap of one page of four, and after the munmap. */
static void assert_memtypes(const char *release, bool after_zap)
{
	struct ms_machine *m = machine(release, MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_memtype entry;

	map(mm, 4 * PAGE, ms_pci_resource_wc(ms_device_find(m, "bar")));
	assert_true(ms_memtype_get(m, 0, &entry));
	ms_zap_vma_ptes(ms_vma_lookup(mm, A), A + PAGE, PAGE);
	assert_int_equal(ms_memtype_get(m, 0, &entry), after_zap);
	assert_int_equal(ms_munmap(mm, A, 4 * PAGE), 0);
	assert_false(ms_memtype_get(m, 0, &entry));
	ms_machine_free(m);
}

static void a_memtype_is_freed_with_the_last_vma_from_6_16_on(void **state)
{
	assert_memtypes("6.15", false);
	assert_memtypes("6.16", true);
}

/* ---- one point release ---- */

static void linux_6_1_191_took_what_6_1_190_has_not(void **state)
{
	for (unsigned int arch = 0; arch < 2; arch++) {
		assert_true(has("6.1.190", arch, "fork_order", "COPY_THEN_OPEN"));
		assert_true(has("6.1.191", arch, "fork_order", "OPEN_THEN_COPY"));
	}
	assert_true(has("6.1.190", MS_ARCH_ARM64, "s2_pfnmap_block", "FROM_VM_PGOFF"));
	assert_true(has("6.1.191", MS_ARCH_ARM64, "s2_pfnmap_block", "HUGETLB_ONLY"));
	assert_second_block("6.1.190", true);
	assert_second_block("6.1.191", false);
}

static void linux_7_3_4_is_recorded_and_has_the_newest_of_all_lines(void **state)
{
	for (unsigned int arch = 0; arch < 2; arch++) {
		struct ms_release r = ms_release_known("7.3.4", arch);

		assert_true(r.recorded);
		assert_false(r.beyond);
		assert_true(has("7.3.4", arch, "pfnmap_huge_fault", "ALWAYS"));
		assert_true(has("7.3.4", arch, "vfio_bar_claim", "DEVICE_OPEN"));
		assert_true(has("7.3.4", arch, "vfio_noexec", "YES"));
		assert_true(has("7.3.4", arch, "dontunmap_source", "DROPS_ANON_VMA_AND_PGOFF"));
	}
	assert_second_block("7.3.4", false);
	assert_memtypes("7.3.4", true);
}

/* ---- read in the sources ---- */

/* From trees of these very releases; 5.14 from its fifth candidate. */
static const struct {
	const char *release, *rules;
} read_in_the_source[] = {
	{ "5.10.40", "s2_pfnmap_block=PAGES_ONLY slot_pfnmap=PREMAP slot_limit=512 mte_vma=NONE "
		     "fork_order=COPY_THEN_OPEN revoke_scope=DEVMEM vma_flags_lock=UNCHECKED" },
	{ "5.10.100", "s2_pfnmap_block=PAGES_ONLY memtype_free=EXACT_OR_TAIL remap_error=KEEP_PTES "
		      "vma_merge_close=NEVER_IF_CLOSE madv_populate=ABSENT notifier_change_pte=YES "
		      "s2_seq_sample=AFTER_UNLOCK" },
	{ "5.11", "slot_limit=512 slot_pfnmap=PREMAP revoke_scope=DEVMEM pfn_lookup=PTE_ONLY "
		  "mremap_dontunmap=PRIVATE_ANON_ONLY" },
	{ "5.12.9", "slot_limit=32767 slot_pfnmap=PREMAP revoke_scope=DEVMEM_AND_SYSFS "
		    "slot_update=AT_ONCE mte_vma=NONE mremap_dontunmap=PRIVATE_ANON_ONLY" },
	{ "5.14", "s2_pfnmap_block=FROM_VM_PGOFF slot_pfnmap=LAZY mte_vma=NO_SHARED "
		  "madv_populate=PRESENT mremap_dontunmap=NOT_PFNMAP_DONTEXPAND "
		  "slot_update=AT_ONCE" },
	{ "5.15.60", "s2_seq_sample=AFTER_UNLOCK s2_topup=AFTER_MMAP_LOCK "
		     "slot_update=WAITS_FOR_NOTIFIERS abort_address_checks=NO "
		     "notifier_slot_order=GPA_DESCENDING" },
	{ "5.15.120", "s2_seq_sample=BEFORE_UNLOCK s2_topup=BEFORE abort_address_checks=NO "
		      "anon_reuse=SOLE_REFERENCE hugetlb_fork=COPIES remap_error=KEEP_PTES" },
	{ "5.19", "s2_seq_sample=AFTER_UNLOCK abort_address_checks=YES anon_reuse=EXCLUSIVE "
		  "notifier_slot_order=HVA_THEN_AGE hugetlb_fork=COPIES "
		  "mprotect_pte_upgrade=SHARED_ONLY" },
	{ "6.0.1", "hugetlb_fork=LAZY mprotect_pte_upgrade=ANON_DIRTY madv_collapse=ABSENT "
		   "s2_topup=AFTER_MMAP_LOCK mte_vma=NO_SHARED" },
	{ "6.1.30", "s2_seq_sample=BEFORE_UNLOCK s2_topup=BEFORE fork_order=COPY_THEN_OPEN "
		    "madv_collapse=PRESENT mte_vma=NO_SHARED remap_error=KEEP_PTES" },
	{ "6.1.100", "fork_order=COPY_THEN_OPEN remap_error=KEEP_PTES untrack_at=ANY_ZAP "
		     "vfio=V1_RECHECK s2_pfnmap_block=FROM_VM_PGOFF" },
	{ "6.2", "s2_seq_sample=AFTER_UNLOCK s2_topup=AFTER_MMAP_LOCK mte_vma=MTE_ALLOWED "
		 "mremap_realign=NO mprotect_unaccount=NO" },
	{ "6.4.6", "s2_seq_sample=BEFORE_UNLOCK s2_eager_split=NO mremap_realign=NO "
		   "mprotect_unaccount=NO vma_flags_lock=UNCHECKED" },
	{ "6.6.60", "s2_eager_split=YES remap_error=ZAP fork_order=COPY_THEN_OPEN "
		    "fork_tracking=FLAG_INHERITED vfio=V1_RECHECK" },
	{ "6.6.140", "fork_order=OPEN_THEN_COPY fork_tracking=FLAG_AFTER_RESERVE vfio=V2 "
		     "vfio_uncached_flag=NO notifier_change_pte=YES vma_flags_lock=UNCHECKED" },
	{ "6.7.3", "mprotect_unaccount=UNTOUCHED_ANON mremap_realign=TO_PMD remap_error=KEEP_PTES "
		   "abort_address_checks=YES anon_large_reuse=IF_SOLE_REFERENCE" },
	{ "6.8", "abort_address_checks=NO fork_order=COPY_THEN_OPEN vma_flags_lock=UNCHECKED "
		 "vfio_uncached_flag=NO s2_device_type=NGNRE vfio=V1_RECHECK" },
	{ "6.9", "abort_address_checks=YES fork_order=OPEN_THEN_COPY vma_flags_lock=UNCHECKED "
		 "vfio_uncached_flag=YES s2_device_type=NC_IF_VMA_ALLOWS "
		 "anon_large_reuse=EXCLUSIVE_ONLY notifier_change_pte=YES" },
	{ "6.10", "vma_flags_lock=ASSERTED notifier_change_pte=NO remap_error=KEEP_PTES "
		  "mmap_fixed=UNMAP_FIRST pfn_lookup=PTE_ONLY" },
	{ "6.11.11", "remap_error=ZAP vma_merge_close=MAY_GROW_UP_CHECKED mmap_fixed=UNMAP_FIRST "
		     "pfn_lookup=PTE_ONLY mprotect_notify=PER_1G_FROM_FIRST_PMD" },
	{ "6.12.20", "mmap_fixed=REPLACE_AFTER_CHECKS pfn_lookup=ANY_LEAF "
		     "vma_merge_close=ONLY_SURVIVOR_MAY_CLOSE "
		     "vfio_huge_align=FAULT_ADDRESS_AND_PFN "
		     "fork_tracking=FLAG_INHERITED mprotect_notify=ONCE_FROM_FIRST_PUD" },
	{ "6.12.63", "vfio_huge_align=ROUNDED_AND_PFN fork_tracking=FLAG_AFTER_RESERVE "
		     "s2_pfnmap_block=FROM_VM_PGOFF untrack_at=ANY_ZAP vfio=V3" },
	{ "6.13.7", "fork_tracking=FLAG_INHERITED vfio=V3 mte_vma=MTE_ALLOWED "
		    "memtype_free=EXACT_OR_TAIL vma_flags_lock=ASSERTED" },
	{ "6.14", "vfio_huge_align=FAULT_ADDRESS_AND_PFN vfio_noexec=NO memtype_free=EXACT_OR_TAIL "
		  "untrack_at=ANY_ZAP anon_large_reuse=EXCLUSIVE_ONLY "
		  "s2_device_test=NOT_MAP_MEMORY s2_cacheable_pfnmap=DEVICE" },
	{ "6.18.20", "untrack_at=LAST_VMA_FREED memtype_free=EXACT vfio_noexec=YES "
		     "anon_large_reuse=IF_ALL_MAPPED_HERE s2_cacheable_pfnmap=BY_VMA_PROT "
		     "s2_device_test=VMA_FLAG_AND_NOT_MAP_MEMORY s2_pfnmap_block=FROM_VM_PGOFF" },
	{ "6.19", "vma_flags_lock=ASSERTED remap_error=ZAP_NOT_COW_RULE "
		  "remap_checks=COW_TRACK_ALIGN vfio_bar_claim=FIRST_MMAP s2_relax_exec=TAKEN" },
	{ "7.0", "vma_flags_lock=ASSERTED_NOT_BY_REMAP remap_checks=COW_TRACK_ALIGN "
		 "vfio_bar_claim=FIRST_MMAP fork_order=OPEN_THEN_COPY "
		 "s2_pfnmap_block=FROM_VM_PGOFF" },
	{ "7.1.2", "vfio_bar_claim=DEVICE_OPEN remap_error=ZAP_NOT_COW_RULE "
		   "vma_flags_lock=ASSERTED_NOT_BY_REMAP s2_pfnmap_block=FROM_VM_PGOFF "
		   "mprotect_unaccount=UNTOUCHED_ANON" },
	{ "7.2.6", "s2_pfnmap_block=FROM_VM_PGOFF vfio_bar_claim=DEVICE_OPEN memtype_free=EXACT "
		   "s2_cacheable_pfnmap=BY_VMA_PROT untrack_at=LAST_VMA_FREED" },
	{ "7.2.13", "s2_pfnmap_block=FROM_HOST_TABLE vfio_bar_claim=DEVICE_OPEN "
		    "memtype_free=EXACT fork_order=OPEN_THEN_COPY mremap_realign=TO_PMD" },
};

static void assert_rule(const char *release, const char *rule, const char *value)
{
	const size_t field = rule_of_name(rule);

	for (unsigned int arch = 0; arch < 2; arch++)
		if (ms_policy_field_applies(field, arch) && !has(release, arch, rule, value))
			fail_msg("%s has not %s=%s", release, rule, value);
}

static void rules_are_those_of_the_sources(void **state)
{
	for (size_t i = 0; i < sizeof(read_in_the_source) / sizeof(read_in_the_source[0]); i++) {
		const char *at = read_in_the_source[i].rules;
		char rule[64], value[64];
		int len;

		while (sscanf(at, " %63[^=]=%63s%n", rule, value, &len) == 2) {
			assert_rule(read_in_the_source[i].release, rule, value);
			at += len;
		}
		assert_int_equal(*at, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guests_block_reaches_beyond_its_vma_up_to_the_fix),
		cmocka_unit_test(a_remap_in_a_fault_is_a_violation_from_6_10_on),
		cmocka_unit_test(a_memtype_is_freed_with_the_last_vma_from_6_16_on),
		cmocka_unit_test(linux_6_1_191_took_what_6_1_190_has_not),
		cmocka_unit_test(linux_7_3_4_is_recorded_and_has_the_newest_of_all_lines),
		cmocka_unit_test(rules_are_those_of_the_sources),
	};

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
