/* SPDX-License-Identifier: GPL-2.0-only */
/* The lazy driver: remap_pfn_range in the fault handler, flags not before. */
#include "world.h"

#define PFNMAP_FLAGS (MS_VM_IO | MS_VM_PFNMAP | MS_VM_DONTEXPAND | MS_VM_DONTDUMP)

static uint64_t pfnmap_flags(struct ms_mm *mm, uint64_t addr)
{
	return ms_vma_lookup(mm, addr)->vm_flags & PFNMAP_FLAGS;
}

static void the_first_fault_sets_the_flags(void **state)
{
	static const struct {
		unsigned int flags;
		uint64_t pages;
	} variant[] = { { 0, 4 }, { MS_LAZY_ONE_PAGE, 1 } };

	for (size_t i = 0; i < 2; i++) {
		struct ms_machine *m = machine("6.12.107", MS_ARCH_ARM64);
		struct ms_mm *mm = ms_mm_new(m);

		map(mm, A, B_SIZE, ms_lazy_open(bar_b(m), 0, MS_CACHE_NGNRE, variant[i].flags), 0);
		assert_int_equal(pfnmap_flags(mm, A), 0);
		assert_int_equal(ms_touch(mm, A + 0x2000, MS_PROT_R), MS_ACCESS_OK);
		assert_int_equal(pfnmap_flags(mm, A), PFNMAP_FLAGS);
		assert_int_equal(present(mm, A, A + B_SIZE), variant[i].pages);
		assert_int_equal(leaf_pa(mm, A + 0x2000), B_PA + 0x2000);
		assert_int_equal(leaf_cache(mm, A + 0x2000), MS_CACHE_NGNRE);
		machine_end(m);
	}
}

static void the_pfn_comes_from_the_driver_not_from_the_offset(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);

	map(mm, A, 0x1000, ms_lazy_open(bar_b(m), 0x2000, MS_CACHE_NGNRE, 0), 0x1000);
	ms_touch(mm, A, MS_PROT_R);
	assert_int_equal(leaf_pa(mm, A), B_PA + 0x2000);
	assert_int_equal(ms_vma_lookup(mm, A)->vm_pgoff, 1);
	machine_end(m);
}

/*
 *  before     |0   1  |
 *  grown      |0   1   2   3  |
 *  touched    |0*  1*  2*  3* |    grows no more
 */
static void a_lazy_vma_grows_before_the_first_touch_and_not_after(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_X86_64);
		struct ms_mm *mm = ms_mm_new(m);

		map(mm, A, 0x2000, ms_lazy_open(bar_b(m), 0, MS_CACHE_UC_MINUS, 0), 0);
		assert_int_equal(ms_mremap(mm, A, 0x2000, 0x4000, MS_MREMAP_MAYMOVE, 0), A);
		ms_touch(mm, A, MS_PROT_R);
		assert_int_equal(ms_mremap(mm, A, 0x4000, 0x5000, MS_MREMAP_MAYMOVE, 0), -EFAULT);
		machine_end(m);
	}
}

/*
 * Untouched, of one file, with a close hook:
 *
 *  |0   1   2   3  |  or  |0   1  |2   3  |
 */
static void neighbours_with_a_close_hook_merge_from_6_4_on(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_X86_64);
		struct ms_mm *mm = ms_mm_new(m);
		struct ms_file *file = ms_lazy_open(bar_b(m), 0, MS_CACHE_WB, MS_LAZY_CLOSE_HOOK);

		map(mm, A, 0x2000, file, 0);
		map(mm, A + 0x2000, 0x2000, file, 0x2000);
		assert_int_equal(ms_mm_map_count(mm),
				 k->vma_merge_close == MS_VMA_MERGE_CLOSE_NEVER_IF_CLOSE ? 2 : 1);
		machine_end(m);
	}
}

/* |0*  1* |2   3  | */
static void after_a_touch_nothing_merges(void **state)
{
	struct ms_machine *m = machine("7.2.13", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_file *file = ms_lazy_open(bar_b(m), 0, MS_CACHE_WB, MS_LAZY_CLOSE_HOOK);

	map(mm, A, 0x2000, file, 0);
	ms_touch(mm, A, MS_PROT_R);
	map(mm, A + 0x2000, 0x2000, file, 0x2000);
	assert_int_equal(ms_mm_map_count(mm), 2);
	machine_end(m);
}

static enum ms_access touch_after_revoke(const struct ms_policy *k)
{
	struct ms_machine *m = machine(k->release, k->arch);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_file *file = ms_lazy_open(bar_b(m), 0, MS_CACHE_WB, 0);
	enum ms_access answer;

	map(mm, A, B_SIZE, file, 0);
	ms_touch(mm, A, MS_PROT_R);
	ms_unmap_mapping_range(file, 0, 0, true);
	assert_int_equal(present(mm, A, A + B_SIZE), 0);
	answer = ms_touch(mm, A, MS_PROT_R);
	machine_end(m);
	return answer;
}

/* All is revoked, and touched again. Where the range is remembered, a second remap is -EINVAL. */
static void a_second_whole_remap_works_or_is_sigbus(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64)
		assert_int_equal(touch_after_revoke(k),
				 k->untrack_at == MS_UNTRACK_AT_LAST_VMA_FREED ? MS_ACCESS_SIGBUS
									       : MS_ACCESS_OK);
	for_each_kernel (k, MS_ARCH_ARM64) // tracks nothing
		assert_int_equal(touch_after_revoke(k), MS_ACCESS_OK);
}

/*
 *  mapped   |0   1   2   3  |    held: nothing
 *  touched  |0*  1*  2*  3* |    held  [WC-------------)
 *  munmap           [-------)    held  [WC-----), or as before
 *  munmap   [-------)            held: nothing
 */
static void the_memtype_is_reserved_by_the_first_fault(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_X86_64);
		struct ms_mm *mm = ms_mm_new(m);
		struct ms_memtype entry;

		map(mm, A, B_SIZE, ms_lazy_open(bar_b(m), 0, MS_CACHE_WC, 0), 0);
		assert_int_equal(memtypes(m), 0);
		ms_touch(mm, A + 0x2000, MS_PROT_R);
		assert_true(ms_memtype_get(m, 0, &entry));
		assert_int_equal(entry.start, B_PA);
		assert_int_equal(entry.end, B_PA + B_SIZE);
		assert_int_equal(entry.type, MS_CACHE_WC);
		ms_munmap(mm, A + 0x2000, 0x2000);
		ms_memtype_get(m, 0, &entry);
		assert_int_equal(entry.end, k->untrack_at == MS_UNTRACK_AT_LAST_VMA_FREED
						    ? B_PA + B_SIZE
						    : B_PA + 0x2000);
		ms_munmap(mm, A, 0x2000);
		assert_int_equal(memtypes(m), 0);
		machine_end(m);
	}
}

/* An untouched VMA has nothing that a child could share; each reserves at its own first touch. */
static void a_child_of_an_untouched_vma_reserves_for_itself(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_X86_64);
		struct ms_mm *mm = ms_mm_new(m), *child;
		struct ms_file *file = ms_lazy_open(bar_b(m), 0, MS_CACHE_WC, 0);

		map(mm, A, B_SIZE, file, 0);
		child = ms_fork(mm);
		ms_touch(child, A, MS_PROT_R);
		ms_touch(mm, A, MS_PROT_R);
		assert_int_equal(memtypes(m), 2);
		ms_mm_exit(child);
		assert_int_equal(memtypes(m), 1);
		child = ms_fork(mm);
		assert_int_equal(memtypes(m),
				 k->fork_tracking == MS_FORK_TRACKING_SHARE_CONTEXT ? 1 : 2);
		ms_mm_exit(child);
		assert_int_equal(memtypes(m), 1);
		machine_end(m);
	}
}

/* Only some pages are gone: the handler remaps the others, too, which are present: the BUG. */
static void a_hole_in_a_whole_vma_is_the_kernels_bug(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);

	map(mm, A, B_SIZE, ms_lazy_open(bar_b(m), 0, MS_CACHE_NGNRE, 0), 0);
	ms_touch(mm, A, MS_PROT_R);
	ms_zap_vma_ptes(ms_vma_lookup(mm, A), A + 0x2000, 0x1000);
	assert_int_equal(ms_touch(mm, A + 0x2000, MS_PROT_R), MS_ACCESS_SIGBUS);
	assert_true(ms_trace_count(m, MS_EV_VIOLATION) >= 1);
	machine_end(m);
}

static void bad_arguments_give_no_file(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_ARM64);
	struct ms_device *b = bar_b(m);

	assert_null(ms_lazy_open(b, 0x800, MS_CACHE_WB, 0));
	assert_null(ms_lazy_open(b, 0, MS_CACHE_UC, 0));
	assert_null(ms_lazy_open(b, 0, MS_CACHE_WB, 4));
	assert_null(ms_lazy_open(NULL, 0, MS_CACHE_WB, 0));
	machine_end(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_fault_sets_the_flags),
		cmocka_unit_test(the_pfn_comes_from_the_driver_not_from_the_offset),
		cmocka_unit_test(a_lazy_vma_grows_before_the_first_touch_and_not_after),
		cmocka_unit_test(neighbours_with_a_close_hook_merge_from_6_4_on),
		cmocka_unit_test(after_a_touch_nothing_merges),
		cmocka_unit_test(a_second_whole_remap_works_or_is_sigbus),
		cmocka_unit_test(the_memtype_is_reserved_by_the_first_fault),
		cmocka_unit_test(a_child_of_an_untouched_vma_reserves_for_itself),
		cmocka_unit_test(a_hole_in_a_whole_vma_is_the_kernels_bug),
		cmocka_unit_test(bad_arguments_give_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
