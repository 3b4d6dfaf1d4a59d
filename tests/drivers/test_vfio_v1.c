/* SPDX-License-Identifier: GPL-2.0-only */
/* vfio-pci 5.8 .. 6.9: whole VMAs, a list of them, and a vm_ops->open that zaps. */
#include "world.h"

#define OFF_2 (UINT64_C(2) << 40)

struct world {
	struct ms_machine *m;
	struct ms_mm *mm;
	struct ms_file *file;
};

static struct world world(const char *release, enum ms_arch arch)
{
	struct world w = { .m = machine(release, arch) };

	w.mm = ms_mm_new(w.m);
	w.file = ms_vfio_open(bar_b(w.m));
	return w;
}

/*
 *  touched            [---)
 *  after  |0*  1*  2*  3* |
 */
static void the_first_fault_maps_and_reserves_the_whole_vma(void **state)
{
	struct world w = world("6.1.192", MS_ARCH_X86_64);

	map(w.mm, A, B_SIZE, w.file, OFF_2);
	assert_int_equal(present(w.mm, A, A + B_SIZE), 0);
	ms_trace_clear(w.m);
	ms_touch(w.mm, A + 0x3000, MS_PROT_R);
	assert_string_equal(EVENTS(w.m), "reserve fd000000 fd004000;");
	assert_int_equal(present(w.mm, A, A + B_SIZE), 4);
	assert_int_equal(memtypes(w.m), 2);
	assert_true(ms_vma_lookup(w.mm, A)->vm_flags & MS_VM_PAT);
	machine_end(w.m);
}

/*
 *          A                A + 2M
 *  VMAs    |1st touch|      |2nd touch|
 *  zapped   2nd              1st
 */
static void the_most_recently_faulted_vma_is_zapped_first(void **state)
{
	struct world w = world("6.1.176", MS_ARCH_ARM64);

	map(w.mm, A, B_SIZE, w.file, OFF_2);
	map(w.mm, A + MS_2M, B_SIZE, w.file, OFF_2);
	ms_touch(w.mm, A, MS_PROT_R);
	ms_touch(w.mm, A + MS_2M, MS_PROT_R);
	ms_trace_keep(w.m, 1u << MS_EV_ZAP);
	ms_trace_clear(w.m);
	ms_vfio_set_memory(w.file, false);
	assert_string_equal(EVENTS(w.m), "zap 7e0000200000 4000;zap 7e0000000000 4000;");
	machine_end(w.m);
}

/* Faulted: parent A, child, parent A+2M. The mm at the head of the list goes first, as a whole. */
static void the_list_is_walked_mm_by_mm(void **state)
{
	struct world w = world("6.1.176", MS_ARCH_ARM64);
	struct ms_mm *child;

	map(w.mm, A, B_SIZE, w.file, OFF_2);
	map(w.mm, A + MS_2M, B_SIZE, w.file, OFF_2);
	child = ms_fork(w.mm);
	ms_touch(w.mm, A, MS_PROT_R);
	ms_touch(child, A, MS_PROT_R);
	ms_touch(w.mm, A + MS_2M, MS_PROT_R);
	ms_trace_keep(w.m, 1u << MS_EV_ZAP);
	ms_trace_clear(w.m);
	ms_vfio_set_memory(w.file, false);
	assert_int_equal(ms_trace_get(w.m, 0)->mm, ms_mm_id(w.mm));
	assert_int_equal(ms_trace_get(w.m, 0)->addr, A + MS_2M);
	assert_int_equal(ms_trace_get(w.m, 1)->mm, ms_mm_id(w.mm));
	assert_int_equal(ms_trace_get(w.m, 1)->addr, A);
	assert_int_equal(ms_trace_get(w.m, 2)->mm, ms_mm_id(child));
	machine_end(w.m);
}

/*
 *  before  |0*  1*  2*  3* |
 *  after   |0*  1* | .   .
 */
static void munmap_of_the_tail_keeps_the_head(void **state)
{
	struct world w = world("6.1.192", MS_ARCH_X86_64);

	map(w.mm, A, B_SIZE, w.file, OFF_2);
	ms_touch(w.mm, A, MS_PROT_R);
	ms_munmap(w.mm, A + 0x2000, 0x2000);
	assert_int_equal(present(w.mm, A, A + 0x2000), 2);
	machine_end(w.m);
}

/*
 * What a split makes anew is emptied by its open:
 *
 *  before   |0*  1*  2*  3* |
 *  r            [---)
 *  after    |0  |1* |2   3  |
 */
static void mprotect_of_a_part_empties_what_is_around_it(void **state)
{
	struct world w = world("6.1.192", MS_ARCH_X86_64);

	map(w.mm, A, B_SIZE, w.file, OFF_2);
	ms_touch(w.mm, A, MS_PROT_R);
	ms_mprotect(w.mm, A + 0x1000, 0x1000, MS_PROT_R);
	assert_int_equal(present(w.mm, A, A + 0x1000), 0);
	assert_int_equal(present(w.mm, A + 0x1000, A + 0x2000), 1);
	assert_int_equal(present(w.mm, A + 0x2000, A + B_SIZE), 0);
	ms_touch(w.mm, A, MS_PROT_R);
	assert_int_equal(present(w.mm, A, A + B_SIZE), 2);
	ms_touch(w.mm, A + 0x3000, MS_PROT_R);
	assert_int_equal(present(w.mm, A, A + B_SIZE), 4);
	machine_end(w.m);
}

/*
 *  before    |0   1   2   3  |
 *  DONTFORK          [-------)
 *  after     |0   1  |2   3  |    one zap
 */
static void a_split_zaps_untouched_vmas_too(void **state)
{
	struct world w = world("6.1.192", MS_ARCH_ARM64);

	map(w.mm, A, B_SIZE, w.file, OFF_2);
	ms_trace_keep(w.m, 1u << MS_EV_ZAP);
	ms_trace_clear(w.m);
	ms_madvise(w.mm, A + 0x2000, 0x2000, MS_MADV_DONTFORK);
	assert_int_equal(ms_trace_count(w.m, MS_EV_ZAP), 1);
	machine_end(w.m);
}

/* The copy is zapped by open; or open comes first, and vfio does not know what is copied then. */
static void a_child_starts_empty_or_unknown_to_vfio(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct world w = world(k->release, MS_ARCH_X86_64);
		const bool open_first = k->fork_order == MS_FORK_ORDER_OPEN_THEN_COPY;
		struct ms_mm *child;

		if (k->vfio == MS_VFIO_V3) {
			machine_end(w.m);
			continue;
		}
		map(w.mm, A, B_SIZE, w.file, OFF_2);
		ms_touch(w.mm, A, MS_PROT_R);
		child = ms_fork(w.mm);
		assert_int_equal(present(child, A, A + B_SIZE), open_first ? 4 : 0);
		ms_vfio_set_memory(w.file, false);
		assert_int_equal(present(w.mm, A, A + B_SIZE), 0);
		assert_int_equal(ms_touch(child, A, MS_PROT_R),
				 open_first ? MS_ACCESS_OK : MS_ACCESS_SIGBUS);
		machine_end(w.m);
	}
}

/*
 *          A                A + 1G
 *  before  |0*  1*  2*  3* |
 *  after    .   .   .   .   |0*  1*  2*  3* |    memory off does not reach it
 */
static void a_moved_vma_keeps_its_pages_and_leaves_the_list(void **state)
{
	struct world w = world("6.1.192", MS_ARCH_ARM64);

	map(w.mm, A, B_SIZE, w.file, OFF_2);
	ms_touch(w.mm, A, MS_PROT_R);
	ms_mremap(w.mm, A, B_SIZE, B_SIZE, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, A + MS_1G);
	assert_int_equal(present(w.mm, A + MS_1G, A + MS_1G + B_SIZE), 4);
	ms_vfio_set_memory(w.file, false);
	assert_int_equal(ms_touch(w.mm, A + MS_1G, MS_PROT_R), MS_ACCESS_OK);
	machine_end(w.m);
}

static void a_vma_that_is_unmapped_leaves_the_list(void **state)
{
	struct world w = world("6.1.192", MS_ARCH_ARM64);

	map(w.mm, A, B_SIZE, w.file, OFF_2);
	ms_touch(w.mm, A, MS_PROT_R);
	ms_munmap(w.mm, A, B_SIZE);
	ms_trace_clear(w.m);
	ms_vfio_set_memory(w.file, false);
	assert_string_equal(EVENTS(w.m), "");
	machine_end(w.m);
}

/*
 * One page of a listed VMA is zapped and touched. The early driver remaps the whole VMA over the
 * pages that are there, which is the kernel's BUG.
 *
 *  |0*  1   2*  3* |
 */
static void a_fault_in_a_listed_vma_does_nothing_or_is_a_bug(void **state)
{
	struct ms_policy first = *ms_policy_linux("6.1.192", MS_ARCH_ARM64);
	static const enum ms_policy_vfio regime[] = { MS_VFIO_V1_RECHECK, MS_VFIO_V1_LIST_FIRST };
	static const enum ms_access answer[] = { MS_ACCESS_ENDLESS, MS_ACCESS_SIGBUS };

	for (size_t i = 0; i < 2; i++) {
		struct ms_machine *m;
		struct ms_mm *mm;

		first.vfio = regime[i];
		m = ms_machine_new(&first);
		mm = ms_mm_new(m);
		map(mm, A, B_SIZE, ms_vfio_open(bar_b(m)), OFF_2);
		ms_touch(mm, A, MS_PROT_R);
		ms_zap_vma_ptes(ms_vma_lookup(mm, A), A + 0x1000, 0x1000);
		ms_trace_clear(m);
		assert_int_equal(ms_touch(mm, A + 0x1000, MS_PROT_R), answer[i]);
		assert_true(ms_trace_count(m, MS_EV_VIOLATION) >= 1);
		machine_end(m);
	}
}

/* A fault in a listed VMA may list it once more; that entry is still there when the VMA is gone. */
static void a_vma_listed_twice_is_a_violation_at_close(void **state)
{
	struct ms_policy policy = *ms_policy_linux("5.10.223", MS_ARCH_ARM64);
	struct ms_machine *m;
	struct ms_file *file;
	struct ms_mm *mm;

	policy.vfio = MS_VFIO_V1_LIST_FIRST;
	m = ms_machine_new(&policy);
	mm = ms_mm_new(m);
	file = ms_vfio_open(bar_b(m));
	map(mm, A, B_SIZE, file, OFF_2);
	ms_touch(mm, A, MS_PROT_R);
	ms_zap_vma_ptes(ms_vma_lookup(mm, A), A, B_SIZE);
	assert_int_equal(ms_touch(mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(ms_trace_count(m, MS_EV_VIOLATION), 0);
	ms_munmap(mm, A, B_SIZE);
	assert_int_equal(ms_trace_count(m, MS_EV_VIOLATION), 1);
	ms_trace_clear(m);
	ms_vfio_set_memory(file, false);
	assert_string_equal(EVENTS(m), "");
	machine_end(m);
}

/* x86: a foreign WB memtype over the BAR refuses the remap of the fault. */
static void a_refused_remap_is_sigbus(void **state)
{
	struct world w = world("6.1.192", MS_ARCH_X86_64);

	map(w.mm, A, B_SIZE, w.file, OFF_2);
	// the ioremap's UC- entry goes, another kernel user comes with WB
	ms_memtype_free(w.m, B_PA, B_PA + B_SIZE);
	ms_device_set_mtrr(ms_device_find(w.m, "b"), MS_CACHE_WB);
	assert_int_equal(ms_memtype_reserve(w.m, B_PA, B_PA + B_SIZE, MS_CACHE_WB, NULL), 0);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	assert_int_equal(present(w.mm, A, A + B_SIZE), 0);
	machine_end(w.m);
}

static void prepopulation_maps_at_mmap_where_memory_is_enabled(void **state)
{
	struct world w = world("6.1.192", MS_ARCH_X86_64);

	ms_vfio_set_prepopulate(w.file, true);
	map(w.mm, A, B_SIZE, w.file, OFF_2);
	assert_int_equal(present(w.mm, A, A + B_SIZE), 4);
	assert_int_equal(memtypes(w.m), 2);
	ms_vfio_set_memory(w.file, false);
	assert_int_equal(present(w.mm, A, A + B_SIZE), 0);
	map(w.mm, A + MS_2M, B_SIZE, w.file, OFF_2);
	assert_int_equal(present(w.mm, A + MS_2M, A + MS_2M + B_SIZE), 0);
	ms_vfio_set_memory(w.file, true);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
	machine_end(w.m);
}

/* With tracking contexts a whole VMA is remapped once only. */
static void prepopulation_and_tracking_contexts_do_not_go_together(void **state)
{
	struct ms_policy policy = *ms_policy_linux("7.2.13", MS_ARCH_X86_64);
	struct ms_machine *m;
	struct ms_file *file;
	struct ms_mm *mm;

	policy.vfio = MS_VFIO_V1_RECHECK;
	m = ms_machine_new(&policy);
	mm = ms_mm_new(m);
	file = ms_vfio_open(bar_b(m));
	ms_vfio_set_prepopulate(file, true);
	map(mm, A, B_SIZE, file, OFF_2);
	ms_vfio_set_memory(file, false);
	ms_vfio_set_memory(file, true);
	assert_int_equal(ms_touch(mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	machine_end(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_fault_maps_and_reserves_the_whole_vma),
		cmocka_unit_test(the_most_recently_faulted_vma_is_zapped_first),
		cmocka_unit_test(the_list_is_walked_mm_by_mm),
		cmocka_unit_test(munmap_of_the_tail_keeps_the_head),
		cmocka_unit_test(mprotect_of_a_part_empties_what_is_around_it),
		cmocka_unit_test(a_split_zaps_untouched_vmas_too),
		cmocka_unit_test(a_child_starts_empty_or_unknown_to_vfio),
		cmocka_unit_test(a_moved_vma_keeps_its_pages_and_leaves_the_list),
		cmocka_unit_test(a_vma_that_is_unmapped_leaves_the_list),
		cmocka_unit_test(a_fault_in_a_listed_vma_does_nothing_or_is_a_bug),
		cmocka_unit_test(a_vma_listed_twice_is_a_violation_at_close),
		cmocka_unit_test(a_refused_remap_is_sigbus),
		cmocka_unit_test(prepopulation_maps_at_mmap_where_memory_is_enabled),
		cmocka_unit_test(prepopulation_and_tracking_contexts_do_not_go_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
