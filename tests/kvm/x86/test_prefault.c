// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_PRE_FAULT_MEMORY: a range is mapped before the guest comes.
 *
 *   guest  GPA |------- 2M -------|------- 2M -------|   slot 1, then nothing
 */
#include "world.h"

#define TWO (2 * MS_2M)
#define NOT_ACCESSED "prot=rwx type=WB bits=hmd"

static struct world blocks(const char *spurious)
{
	struct world w = x86_world_with("6.12.117", "tdp_spurious", spurious);

	map_anon(&w, HVA, TWO);
	host_write(&w, HVA);
	host_write(&w, HVA + MS_2M);
	show(&w, TWO, 0);
	events(&w);
	return w;
}

static void assert_prefault(struct world *w, ms_ipa_t gpa, uint64_t size, int ret, uint64_t left)
{
	uint64_t rest = 1;

	assert_int_equal(ms_vm_prefault(w->vm, gpa, size, &rest), ret);
	assert_int_equal(rest, left);
}

static void kernels_before_6_11_have_none(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		const bool absent = k->kvm_prefault == MS_KVM_PREFAULT_ABSENT;
		struct world w = x86_start(k, NULL);

		map_pages(&w, HVA, PAGE);
		show(&w, PAGE, 0);
		assert_prefault(&w, GPA, PAGE, absent ? -EINVAL : 0, absent ? PAGE : 0);
		if (absent)
			assert_refused(&w, -EINVAL, "this kernel has no KVM_PRE_FAULT_MEMORY");
		world_end(&w);
	}
}

static void the_largest_entries_are_mapped_and_nobody_has_accessed_them(void **state)
{
	struct world w = blocks("LEFT");

	assert_prefault(&w, GPA + PAGE, MS_2M, 0, 0);
	assert_string_equal(events(&w), "s2.map ipa=0x80000000 size=0x200000 pa=ram " NOT_ACCESSED
					" leaf=0x200000\n"
					"s2.map ipa=0x80200000 size=0x200000 pa=ram " NOT_ACCESSED
					" leaf=0x200000\n");
	world_end(&w);
}

static void it_maps_as_a_read_would(void **state)
{
	struct world w = x86_world("6.12.117");

	map_pages(&w, HVA, 2 * PAGE);
	host_write(&w, HVA + PAGE);
	show(&w, 2 * PAGE, 0);
	assert_prefault(&w, GPA, 2 * PAGE, 0, 0);
	assert_string_equal(events(&w),
			    "s2.map ipa=0x80000000 size=0x1000 pa=ram prot=rx type=WB bits=- "
			    "leaf=0x1000\n"
			    "s2.map ipa=0x80001000 size=0x1000 pa=ram " NOT_ACCESSED
			    " leaf=0x1000\n");
	world_end(&w);
}

static void what_is_prefaulted_while_a_log_is_on_is_dirty(void **state)
{
	struct world w = x86_world("6.12.117");

	map_pages(&w, HVA, 2 * PAGE);
	host_write(&w, HVA + PAGE);
	show(&w, 2 * PAGE, MS_SLOT_LOG_DIRTY);
	assert_prefault(&w, GPA, 2 * PAGE, 0, 0);
	assert_int_equal(get_dirty(&w), 2); // not the zero page
	world_end(&w);
}

/* ---- over what is there ---- */

static void an_entry_is_made_anew_up_to_6_12(void **state)
{
	struct world w = blocks("MADE_ANEW");

	assert_prefault(&w, GPA, MS_2M, 0, 0);
	events(&w);
	assert_prefault(&w, GPA, MS_2M, 0, 0);
	assert_string_equal(events(&w), "s2.change ipa=0x80000000 size=0x200000 prot=rwx bits=hm "
					"leaf=0x200000\n");
	world_end(&w);
}

static void an_entry_is_left_as_it_is_from_6_13_on(void **state)
{
	static const char *const left[] = { "LEFT", "LEFT_TABLES_TOO" };

	for (size_t i = 0; i < 2; i++) {
		struct world w = blocks(left[i]);

		guest(&w, GPA, MS_PROT_W);
		assert_int_equal(ms_mm_clear_young(w.mm, HVA, HVA + PAGE), true);
		events(&w);
		assert_prefault(&w, GPA, MS_2M, 0, 0);
		assert_string_equal(events(&w), "");
		world_end(&w);
	}
}

/* A table is there, and a block could be; the host's block is of a collapse. */
static struct world block_under_a_table(const char *spurious)
{
	struct world w = x86_world_with("6.12.117", "tdp_spurious", spurious);

	map_pages(&w, HVA, MS_2M);
	show(&w, MS_2M, 0);
	guest(&w, GPA, MS_PROT_W);
	assert_int_equal(ms_madvise(w.mm, HVA, MS_2M, MS_MADV_HUGEPAGE), 0);
	assert_int_equal(ms_madvise(w.mm, HVA, MS_2M, MS_MADV_COLLAPSE), 0);
	assert_int_equal(leaf_at(&w, GPA).size, 0);
	return w;
}

static void a_table_makes_way_for_a_block(void **state)
{
	static const char *const rule[] = { "MADE_ANEW", "LEFT" };

	for (size_t i = 0; i < 2; i++) {
		struct world w = block_under_a_table(rule[i]);

		assert_prefault(&w, GPA, MS_2M, 0, 0);
		assert_int_equal(leaf_at(&w, GPA).size, MS_2M);
		world_end(&w);
	}
}

/* As much as the block that was wanted counts as done. */
static void a_table_was_left_in_6_13_and_6_14_and_counted_as_mapped(void **state)
{
	struct world w = block_under_a_table("LEFT_TABLES_TOO");

	events(&w);
	assert_prefault(&w, GPA + PAGE, MS_2M - PAGE, 0, 0);
	assert_string_equal(events(&w), "");
	assert_int_equal(leaf_at(&w, GPA).size, 0);
	// the guest's own access is no prefetch
	guest(&w, GPA, MS_PROT_R);
	assert_int_equal(leaf_at(&w, GPA).size, MS_2M);
	world_end(&w);
}

/* ---- what is not done ---- */

static void a_range_is_whole_pages(void **state)
{
	static const struct {
		ms_ipa_t gpa;
		uint64_t size;
		const char *words;
	} bad[] = {
		{ GPA, 0, "[0x80000000, +0x0) is not whole pages, empty, or wraps" },
		{ GPA + 4, PAGE, "[0x80000004, +0x1000) is not whole pages, empty, or wraps" },
		{ GPA, 4, "[0x80000000, +0x4) is not whole pages, empty, or wraps" },
		{ GPA, 0 - GPA,
		  "[0x80000000, +0xffffffff80000000) is not whole pages, empty, or "
		  "wraps" },
	};
	struct world w = blocks("LEFT");

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_prefault(&w, bad[i].gpa, bad[i].size, -EINVAL, bad[i].size);
		assert_refused(&w, -EINVAL, bad[i].words);
	}
	assert_string_equal(events(&w), "");
	world_end(&w);
}

static void without_a_slot_a_mark_stays(void **state)
{
	struct world w = blocks("LEFT");

	for (unsigned int i = 0; i < 2; i++) {
		assert_prefault(&w, GPA + TWO, PAGE, -ENOENT, PAGE);
		assert_refused(&w, -ENOENT, "ipa 0x80400000: no memslot");
		assert_int_equal(marks_in(&w, GPA + TWO, PAGE), 1);
	}
	assert_string_equal(events(&w), "s2.mmio ipa=0x80400000 size=0x1000 leaf=0x1000\n");
	// where there can be none
	assert_prefault(&w, UINT64_C(1) << 46, PAGE, -ENOENT, PAGE);
	world_end(&w);
}

static void what_came_before_the_slot_s_end_is_done(void **state)
{
	struct world w = blocks("LEFT");

	assert_prefault(&w, GPA, TWO + 3 * PAGE, 0, 3 * PAGE);
	assert_int_equal(leaf_at(&w, GPA + MS_2M).size, MS_2M);
	assert_int_equal(marks_in(&w, GPA + TWO, 3 * PAGE), 1);
	world_end(&w);
}

static void what_came_before_a_hole_is_done(void **state)
{
	struct world w = x86_world("6.12.117");

	map_pages(&w, HVA, 2 * PAGE);
	show(&w, 4 * PAGE, 0);
	assert_prefault(&w, GPA, 4 * PAGE, 0, 2 * PAGE);
	assert_prefault(&w, GPA + 2 * PAGE, 2 * PAGE, -EFAULT, 2 * PAGE);
	assert_refused(&w, -EFAULT, "no VMA at 0x200000002000");
	world_end(&w);
}

static ms_vm_fault_t poisoned(struct ms_vm_fault *vmf)
{
	return MS_VM_FAULT_HWPOISON;
}

static int map_poisoned(struct ms_file *file, struct ms_vma *vma)
{
	static const struct ms_vm_ops ops = { .fault = poisoned };

	vma->vm_ops = &ops;
	return 0;
}

static void a_poisoned_page_ends_it_with_a_signal(void **state)
{
	static const struct ms_file_ops ops = { .name = "poison", .mmap = map_poisoned };
	struct world w = x86_world("6.12.117");

	map_file(&w, HVA, PAGE, MS_PROT_RW, MS_MAP_SHARED, &ops, 0);
	show(&w, PAGE, 0);
	assert_exit(&w, GPA, MS_PROT_R, MS_GUEST_SIGBUS, 0);
	assert_refused(&w, -EFAULT, "ipa 0x80000000: host page is poisoned");
	assert_prefault(&w, GPA, PAGE, -EINTR, PAGE);
	assert_refused(&w, -EINTR, "ipa 0x80000000: host page is poisoned");
	world_end(&w);
}

static void without_a_process_it_is_an_error(void **state)
{
	struct world w = blocks("LEFT");

	ms_mm_exit(w.mm);
	assert_prefault(&w, GPA, PAGE, -EIO, PAGE);
	assert_refused(&w, -EIO, "the process of VM 1 has ended");
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernels_before_6_11_have_none),
		cmocka_unit_test(the_largest_entries_are_mapped_and_nobody_has_accessed_them),
		cmocka_unit_test(it_maps_as_a_read_would),
		cmocka_unit_test(what_is_prefaulted_while_a_log_is_on_is_dirty),
		cmocka_unit_test(an_entry_is_made_anew_up_to_6_12),
		cmocka_unit_test(an_entry_is_left_as_it_is_from_6_13_on),
		cmocka_unit_test(a_table_makes_way_for_a_block),
		cmocka_unit_test(a_table_was_left_in_6_13_and_6_14_and_counted_as_mapped),
		cmocka_unit_test(a_range_is_whole_pages),
		cmocka_unit_test(without_a_slot_a_mark_stays),
		cmocka_unit_test(what_came_before_the_slot_s_end_is_done),
		cmocka_unit_test(what_came_before_a_hole_is_done),
		cmocka_unit_test(a_poisoned_page_ends_it_with_a_signal),
		cmocka_unit_test(without_a_process_it_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
