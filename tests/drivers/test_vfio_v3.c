/* SPDX-License-Identifier: GPL-2.0-only */
/* vfio-pci 6.12 and later: a page or a leaf at a time, revoked by file offset. */
#include "world.h"

#define OFF_2 (UINT64_C(2) << 40)

static struct ms_machine *thp_machine(const char *release, enum ms_arch arch, enum ms_thp_mode thp)
{
	const struct ms_machine_config config = { .thp = thp };

	return ms_machine_new_config(ms_policy_linux(release, arch), &config);
}

static void a_fault_maps_one_page_and_reserves_nothing(void **state)
{
	struct ms_machine *m = machine("6.12.117", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);

	map(mm, A, B_SIZE, ms_vfio_open(bar_b(m)), OFF_2);
	ms_trace_clear(m);
	ms_touch(mm, A + 0x3000, MS_PROT_R);
	assert_string_equal(EVENTS(m), "");
	assert_int_equal(present(mm, A, A + B_SIZE), 1);
	assert_int_equal(leaf_pa(mm, A + 0x3000), B_PA + 0x3000);
	machine_end(m);
}

static void the_largest_leaf_is_the_architectures(void **state)
{
	static const struct {
		enum ms_arch arch;
		uint64_t size;
	} cpu[] = { { MS_ARCH_X86_64, MS_1G }, { MS_ARCH_ARM64, MS_2M } };

	for (size_t i = 0; i < 2; i++) {
		struct ms_machine *m = machine("6.12.117", cpu[i].arch);
		struct ms_mm *mm = ms_mm_new(m);

		map(mm, A, MS_1G, ms_vfio_open(bar_h(m)), OFF_2);
		ms_touch(mm, A + 0x1000, MS_PROT_R);
		assert_int_equal(leaf_size(mm, A + 0x1000), cpu[i].size);
		assert_int_equal(leaf_pa(mm, A + 0x1000), H_PA + 0x1000);
		machine_end(m);
	}
}

/* V2: the page that was touched, then all of the VMA; what was there stays. */
static void without_a_list_and_huge_leaves_the_first_fault_maps_the_whole_vma(void **state)
{
	struct ms_policy policy = *ms_policy_linux("6.10", MS_ARCH_X86_64);
	struct ms_machine *m = ms_machine_new(&policy);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_file *file = ms_vfio_open(bar_b(m));

	assert_int_equal(policy.vfio, MS_VFIO_V2);
	map(mm, A, B_SIZE, file, OFF_2);
	ms_touch(mm, A + 0x3000, MS_PROT_R);
	assert_int_equal(present(mm, A, A + B_SIZE), 4);
	assert_int_equal(leaf_pa(mm, A), B_PA);
	assert_int_equal(leaf_pa(mm, A + 0x3000), B_PA + 0x3000);
	assert_int_equal(ms_vma_lookup(mm, A)->vm_pgoff, OFF_2 / MS_4K);
	ms_madvise(mm, A + 0x1000, 0x2000, MS_MADV_DONTNEED);
	assert_int_equal(ms_vfio_set_memory(file, false), 0);
	assert_int_equal(present(mm, A, A + B_SIZE), 0);
	assert_int_equal(ms_touch(mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	assert_int_equal(ms_vfio_set_memory(file, true), 0);
	assert_int_equal(ms_touch(mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(present(mm, A, A + B_SIZE), 4);
	machine_end(m);
}

/*
 *            A                             A + 1G
 *  VMA       |-----------------------------|
 *  touched    ^ A + 4K
 *  mapped    [-----------------------------)    or that page alone
 */
static void a_leaf_needs_an_aligned_fault_address_or_only_to_be_aligned_itself(void **state)
{
	static const struct {
		enum ms_policy_vfio_huge_align align;
		uint64_t size;
	} rule[] = {
		{ MS_VFIO_HUGE_ALIGN_FAULT_ADDRESS, MS_4K },
		{ MS_VFIO_HUGE_ALIGN_FAULT_ADDRESS_AND_PFN, MS_4K },
		{ MS_VFIO_HUGE_ALIGN_ROUNDED_AND_PFN, MS_1G },
	};
	struct ms_policy policy = *ms_policy_linux("6.12.107", MS_ARCH_X86_64);

	for (size_t i = 0; i < sizeof(rule) / sizeof(rule[0]); i++) {
		struct ms_machine *m;
		struct ms_mm *mm;

		policy.vfio_huge_align = rule[i].align;
		m = ms_machine_new(&policy);
		mm = ms_mm_new(m);
		map(mm, A, MS_1G, ms_vfio_open(bar_h(m)), OFF_2);
		ms_touch(mm, A + 0x1000, MS_PROT_R);
		assert_int_equal(leaf_size(mm, A + 0x1000), rule[i].size);
		machine_end(m);
	}
}

/*
 * A rule that looks at the address alone maps the wrong place:
 *
 *  VMA     :---------2M---------:
 *  BAR      :---------2M---------:    a page further in its 2M
 */
static void a_leaf_needs_a_congruent_offset_or_does_not_ask(void **state)
{
	static const struct {
		enum ms_policy_vfio_huge_align align;
		uint64_t size;
	} rule[] = {
		{ MS_VFIO_HUGE_ALIGN_FAULT_ADDRESS, MS_2M },
		{ MS_VFIO_HUGE_ALIGN_FAULT_ADDRESS_AND_PFN, MS_4K },
		{ MS_VFIO_HUGE_ALIGN_ROUNDED_AND_PFN, MS_4K },
	};
	struct ms_policy policy = *ms_policy_linux("6.12.117", MS_ARCH_ARM64);

	for (size_t i = 0; i < sizeof(rule) / sizeof(rule[0]); i++) {
		struct ms_machine *m;
		struct ms_mm *mm;

		policy.vfio_huge_align = rule[i].align;
		m = ms_machine_new(&policy);
		mm = ms_mm_new(m);
		map(mm, A, MS_2M * 2, ms_vfio_open(bar_h(m)), OFF_2 + 0x1000);
		ms_touch(mm, A, MS_PROT_R);
		assert_int_equal(leaf_size(mm, A), rule[i].size);
		machine_end(m);
	}
}

/*
 *            A         A + 2M    A + 4M
 *  VMA        |-------------------|      from A + 4K on
 *  touched    ^          ^       ^
 *  mapped     [4K)     [2M------)[4K)
 */
static void a_leaf_must_lie_inside_of_the_vma(void **state)
{
	struct ms_machine *m = machine("6.12.117", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);

	map(mm, A + 0x1000, MS_2M * 2, ms_vfio_open(bar_h(m)), OFF_2 + 0x1000);
	ms_touch(mm, A + 0x1000, MS_PROT_R);
	ms_touch(mm, A + MS_2M + 0x5000, MS_PROT_R);
	ms_touch(mm, A + 2 * MS_2M, MS_PROT_R);
	assert_int_equal(leaf_size(mm, A + 0x1000), MS_4K);
	assert_int_equal(leaf_size(mm, A + MS_2M), MS_2M);
	assert_int_equal(leaf_size(mm, A + 2 * MS_2M), MS_4K);
	machine_end(m);
}

/* Some kernels ask the switch for transparent huge pages before they have a leaf made. */
static void thp_never_stops_leaves_by_policy(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct ms_machine *m = thp_machine(k->release, MS_ARCH_ARM64, MS_THP_NEVER);
		struct ms_mm *mm = ms_mm_new(m);

		map(mm, A, MS_2M, ms_vfio_open(bar_h(m)), OFF_2);
		ms_touch(mm, A, MS_PROT_R);
		assert_int_equal(leaf_size(mm, A),
				 k->vfio == MS_VFIO_V3 &&
						 k->pfnmap_huge_fault == MS_PFNMAP_HUGE_FAULT_ALWAYS
					 ? MS_2M
					 : MS_4K);
		machine_end(m);
	}
}

static void madv_nohugepage_stops_leaves_always(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_ARM64);
		struct ms_mm *mm = ms_mm_new(m);

		map(mm, A, MS_2M, ms_vfio_open(bar_h(m)), OFF_2);
		ms_madvise(mm, A, MS_2M, MS_MADV_NOHUGEPAGE);
		ms_touch(mm, A, MS_PROT_R);
		assert_int_equal(leaf_size(mm, A), MS_4K);
		machine_end(m);
	}
}

static void a_pfnmap_vma_has_no_large_leaf_before_6_12(void **state)
{
	struct ms_machine *m = machine("6.1.192", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);

	map(mm, A, MS_2M, ms_vfio_open(bar_h(m)), OFF_2);
	ms_touch(mm, A, MS_PROT_R);
	assert_int_equal(leaf_size(mm, A), MS_4K);
	assert_int_equal(present(mm, A, A + MS_2M), 512);
	machine_end(m);
}

/* A leaf of 1G fits, so that its SIGBUS is final: nothing smaller is tried. */
static void memory_off_is_sigbus_from_the_largest_leaf(void **state)
{
	struct ms_machine *m = machine("6.12.117", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_file *file = ms_vfio_open(bar_h(m));

	map(mm, A, MS_1G, file, OFF_2);
	ms_vfio_set_memory(file, false);
	assert_int_equal(ms_touch(mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	ms_vfio_set_memory(file, true);
	ms_touch(mm, A, MS_PROT_R);
	assert_int_equal(leaf_size(mm, A), MS_1G);
	machine_end(m);
}

/*
 *  before   |0*  1*  2*  3* |
 *  r            [---)
 *  after    |0* |1* |2*  3* |
 */
static void a_split_keeps_what_is_present(void **state)
{
	struct ms_machine *m = machine("6.12.117", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);

	map(mm, A, B_SIZE, ms_vfio_open(bar_b(m)), OFF_2);
	for (uint64_t page = 0; page < 4; page++)
		ms_touch(mm, A + page * 0x1000, MS_PROT_R);
	ms_mprotect(mm, A + 0x1000, 0x1000, MS_PROT_R);
	assert_int_equal(present(mm, A, A + B_SIZE), 4);
	machine_end(m);
}

/*
 *             A    A + 2M                   A + 1G
 *  leaf       [----------------------------)
 *  munmap          [--)
 *  after      |----| . |-------------------|    no leaf
 *  touched    [2M-)    [2M-)
 */
static void munmap_of_a_part_drops_the_whole_leaf(void **state)
{
	struct ms_machine *m = machine("6.12.117", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);

	map(mm, A, MS_1G, ms_vfio_open(bar_h(m)), OFF_2);
	ms_touch(mm, A, MS_PROT_R);
	ms_trace_keep(m, 1u << MS_EV_NOTIFIER_START);
	ms_trace_clear(m);
	ms_munmap(mm, A + MS_2M, MS_2M);
	assert_string_equal(EVENTS(m), "notify 7e0000200000 200000;notify 7e0000000000 40000000;");
	assert_int_equal(present(mm, A, A + MS_1G), 0);
	ms_touch(mm, A, MS_PROT_R);
	ms_touch(mm, A + 2 * MS_2M, MS_PROT_R);
	assert_int_equal(leaf_size(mm, A), MS_2M);
	assert_int_equal(leaf_size(mm, A + 2 * MS_2M), MS_2M);
	machine_end(m);
}

/*
 *              A    A + 6M                  A + 1G
 *  leaf        [----------------------------)
 *  munmap           [-----------------------)    fine
 *  munmap            [----------------------)    a page further on: the leaf is taken for a table,
 *                                                which is a crash
 */
static void a_1g_leaf_may_be_cut_at_a_2m_border_only(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		for (unsigned int off = 0; off < 2; off++) {
			struct ms_machine *m = machine(k->release, MS_ARCH_X86_64);
			struct ms_mm *mm = ms_mm_new(m);
			const uint64_t at = 3 * MS_2M + off * MS_4K;

			map(mm, A, MS_1G, ms_vfio_open(bar_h(m)), OFF_2);
			ms_touch(mm, A, MS_PROT_R);
			if (leaf_size(mm, A) == MS_1G) {
				assert_int_equal(ms_munmap(mm, A + at, MS_1G - at), 0);
				assert_int_equal(ms_violations(m), off);
				if (off) {
					assert_int_equal(ms_violation_get(m, 0)->addr, A + at);
					assert_non_null(strstr(ms_violation_get(m, 0)->reason,
							       "kernel crash"));
				}
			} else {
				assert_true(k->vfio != MS_VFIO_V3 ||
					    k->pfnmap_huge_fault == MS_PFNMAP_HUGE_FAULT_NEVER);
			}
			machine_end(m);
		}
	}
}

/*
 *          A                   A + 1G
 *  before  |0   1   2   3  |
 *  munmap  |0  | . |2   3* |
 *  moved   |0  | .   .   .     |2*  3* |
 */
static void a_split_or_moved_vma_still_finds_its_pages(void **state)
{
	struct ms_machine *m = machine("6.12.117", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);

	map(mm, A, B_SIZE, ms_vfio_open(bar_b(m)), OFF_2);
	ms_munmap(mm, A + 0x1000, 0x1000);
	ms_touch(mm, A + 0x3000, MS_PROT_R);
	assert_int_equal(leaf_pa(mm, A + 0x3000), B_PA + 0x3000);
	ms_mremap(mm, A + 0x2000, 0x2000, 0x2000, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, A + MS_1G);
	ms_touch(mm, A + MS_1G, MS_PROT_R);
	assert_int_equal(leaf_pa(mm, A + MS_1G), B_PA + 0x2000);
	machine_end(m);
}

static void a_child_has_the_parents_leaves_and_both_are_revoked(void **state)
{
	struct ms_machine *m = machine("6.12.117", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m), *child;
	struct ms_file *file = ms_vfio_open(bar_h(m));

	map(mm, A, MS_2M, file, OFF_2);
	ms_touch(mm, A, MS_PROT_R);
	child = ms_fork(mm);
	assert_int_equal(leaf_size(child, A), MS_2M);
	ms_vfio_set_memory(file, false);
	assert_int_equal(present(mm, A, A + MS_2M), 0);
	assert_int_equal(present(child, A, A + MS_2M), 0);
	assert_int_equal(ms_touch(child, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	machine_end(m);
}

static void every_open_file_of_the_device_is_revoked(void **state)
{
	struct ms_machine *m = machine("6.12.117", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_device *b = bar_b(m);
	struct ms_file *first = ms_vfio_open(b), *second = ms_vfio_open(b);

	map(mm, A, B_SIZE, first, OFF_2);
	ms_touch(mm, A, MS_PROT_R);
	ms_vfio_set_memory(second, false);
	assert_int_equal(present(mm, A, A + B_SIZE), 0);
	machine_end(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_maps_one_page_and_reserves_nothing),
		cmocka_unit_test(the_largest_leaf_is_the_architectures),
		cmocka_unit_test(without_a_list_and_huge_leaves_the_first_fault_maps_the_whole_vma),
		cmocka_unit_test(
			a_leaf_needs_an_aligned_fault_address_or_only_to_be_aligned_itself),
		cmocka_unit_test(a_leaf_needs_a_congruent_offset_or_does_not_ask),
		cmocka_unit_test(a_leaf_must_lie_inside_of_the_vma),
		cmocka_unit_test(thp_never_stops_leaves_by_policy),
		cmocka_unit_test(madv_nohugepage_stops_leaves_always),
		cmocka_unit_test(a_pfnmap_vma_has_no_large_leaf_before_6_12),
		cmocka_unit_test(memory_off_is_sigbus_from_the_largest_leaf),
		cmocka_unit_test(a_split_keeps_what_is_present),
		cmocka_unit_test(munmap_of_a_part_drops_the_whole_leaf),
		cmocka_unit_test(a_1g_leaf_may_be_cut_at_a_2m_border_only),
		cmocka_unit_test(a_split_or_moved_vma_still_finds_its_pages),
		cmocka_unit_test(a_child_has_the_parents_leaves_and_both_are_revoked),
		cmocka_unit_test(every_open_file_of_the_device_is_revoked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
