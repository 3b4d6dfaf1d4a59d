// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log: what is split and protected when it is switched on, read and cleared, and how
 * writes come back.
 *
 *   guest  GPA |------- 2M -------|------- 2M -------|    slot 1
 */
#include "world.h"

#define TWO (2 * MS_2M)

/* Both blocks are written to. */
static struct world two_blocks(const struct ms_policy *policy, const struct ms_vm_config *config)
{
	struct world w = x86_start(policy, NULL);

	x86_vm(&w, config);
	map_anon(&w, HVA, TWO);
	show(&w, TWO, 0);
	guest(&w, GPA, MS_PROT_W);
	guest(&w, GPA + MS_2M, MS_PROT_W);
	events(&w);
	return w;
}

static const struct ms_policy *kernel(const char *release)
{
	return ms_policy_linux(release, MS_ARCH_X86_64);
}

/* With one rule of another kernel. */
static struct ms_policy with(const char *release, const char *rule, const char *value)
{
	struct ms_policy policy = *kernel(release);

	assert_int_equal(ms_policy_set(&policy, rule, value), 0);
	return policy;
}

static void log_on(struct world *w)
{
	show(w, TWO, MS_SLOT_LOG_DIRTY);
}

/* ---- switched on ---- */

#define BOTH(before, after) before "0x80000000" after before "0x80200000" after
static const char split_and_protected[] = BOTH("s2.split ipa=", " size=0x200000 leaf=0x200000\n")
	BOTH("s2.wrprotect ipa=", " size=0x200000 prot=rx bits=hmad leaf=0x1000\n");
static const char protected_whole[] =
	BOTH("s2.wrprotect ipa=", " size=0x200000 prot=rx bits=hmad leaf=0x200000\n");

static void a_log_splits_blocks_first_where_that_is_done_eagerly(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		struct world w = two_blocks(k, NULL);

		log_on(&w);
		assert_string_equal(events(&w), k->tdp_eager_split == MS_TDP_EAGER_SPLIT_ABSENT
							? protected_whole
							: split_and_protected);
		world_end(&w);
	}
}

static void without_eager_splitting_blocks_are_protected_whole(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		struct world w = two_blocks(k, NULL);

		ms_kvm_set_eager_page_split(w.m, false);
		log_on(&w);
		assert_string_equal(events(&w), protected_whole);
		ms_kvm_set_eager_page_split(w.m, true);
		world_end(&w);
	}
}

static void blocks_of_1g_and_of_a_device_are_split_to_pages_as_well(void **state)
{
	struct world w = x86_world("7.2.13");

	map_hugetlb(&w, HVA, MS_1G, MS_1G);
	map_lazy_huge(&w, HVA + MS_1G, MS_2M, MS_PROT_RW);
	show(&w, MS_1G + MS_2M, 0);
	guest(&w, GPA, MS_PROT_W);
	guest(&w, GPA + MS_1G, MS_PROT_W);
	assert_int_equal(leaf_at(&w, GPA).size, MS_1G);
	assert_int_equal(leaf_at(&w, GPA + MS_1G).size, MS_2M);
	show(&w, MS_1G + MS_2M, MS_SLOT_LOG_DIRTY);
	for (uint64_t off = 0; off < MS_1G + MS_2M; off += MS_2M - PAGE) {
		const struct ms_tdp_leaf leaf = leaf_at(&w, GPA + off);

		assert_int_equal(leaf.size, PAGE);
		assert_int_equal(leaf.prot, MS_PROT_R | MS_PROT_X);
		assert_true(leaf.bits & MS_TDP_MMU_WRITABLE);
	}
	world_end(&w);
}

/* ---- writes ---- */

static void a_write_to_a_protected_page_is_fast_where_the_kernel_can(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		struct world w = x86_start(k, NULL);

		map_pages(&w, HVA, 2 * PAGE);
		show(&w, 2 * PAGE, 0);
		guest(&w, GPA, MS_PROT_W);
		show(&w, 2 * PAGE, MS_SLOT_LOG_DIRTY);
		events(&w);
		guest(&w, GPA, MS_PROT_W);
		assert_string_equal(
			events(&w),
			k->tdp_fast_fault == MS_TDP_FAST_FAULT_NONE
				? "s2.relax ipa=0x80000000 size=0x1000 prot=rwx bits=hmad "
				  "leaf=0x1000\n"
				: "s2.fast ipa=0x80000000 prot=rwx bits=hmad\n");
		assert_int_equal(get_dirty(&w), 1);
		world_end(&w);
	}
}

/* The first write to a block that is protected; of the page of it. */
static void assert_write_to_protected_block(const char *huge_fault, const char *expected)
{
	struct ms_policy policy = with("7.2.13", "tdp_huge_fault", huge_fault);
	struct world w = two_blocks(&policy, NULL);

	ms_kvm_set_eager_page_split(w.m, false);
	log_on(&w);
	events(&w);
	guest(&w, GPA + PAGE, MS_PROT_W);
	assert_string_equal(events(&w), expected);
	assert_int_equal(get_dirty(&w), 2);
	// the other block is as it was
	assert_int_equal(leaf_at(&w, GPA + MS_2M).size, MS_2M);
	world_end(&w);
}

static void a_write_to_a_protected_block_is_never_fast_while_the_log_is_on(void **state)
{
	assert_write_to_protected_block("ZAP", "s2.zap ipa=0x80000000 size=0x200000 leaf=0x200000\n"
					       "s2.map ipa=0x80001000 size=0x1000 pa=ram " RWX
					       " leaf=0x1000\n");
	assert_write_to_protected_block(
		"SPLIT", "s2.split ipa=0x80000000 size=0x200000 leaf=0x200000\n"
			 "s2.relax ipa=0x80001000 size=0x1000 prot=rwx bits=hmad leaf=0x1000\n");
}

/*
 *   1G  |------------------------------|
 *   2M  |----|----|----|----|  ...           all of them
 *   4K       |||||                           of the block that is written to
 */
static void a_write_splits_1g_along_its_way_alone(void **state)
{
	struct world w = x86_world("7.2.13");

	map_hugetlb(&w, HVA, MS_1G, MS_1G);
	show(&w, MS_1G, 0);
	guest(&w, GPA, MS_PROT_W);
	ms_kvm_set_eager_page_split(w.m, false);
	show(&w, MS_1G, MS_SLOT_LOG_DIRTY);
	events(&w);
	guest(&w, GPA + MS_2M + PAGE, MS_PROT_W);
	assert_string_equal(events(&w),
			    "s2.split ipa=0x80000000 size=0x40000000 leaf=0x40000000\n"
			    "s2.split ipa=0x80200000 size=0x200000 leaf=0x200000\n"
			    "s2.relax ipa=0x80201000 size=0x1000 prot=rwx bits=hmad leaf=0x1000\n");
	assert_int_equal(leaf_at(&w, GPA).size, MS_2M);
	assert_int_equal(leaf_at(&w, GPA + MS_2M).size, PAGE);
	world_end(&w);
}

static void what_is_mapped_writable_while_the_log_is_on_is_dirty(void **state)
{
	struct world w = x86_world("6.12.117");

	map_pages(&w, HVA, 4 * PAGE);
	host_write(&w, HVA);
	show(&w, 4 * PAGE, MS_SLOT_LOG_DIRTY);
	guest(&w, GPA, MS_PROT_R);        // writable on the host: rwx
	guest(&w, GPA + PAGE, MS_PROT_R); // the zero page: rx
	guest(&w, GPA + 2 * PAGE, MS_PROT_W);
	host_write(&w, HVA + 3 * PAGE); // never
	assert_int_equal(get_dirty(&w), 0x5);
	world_end(&w);
}

static void entries_go_and_bits_stay(void **state)
{
	struct world w = x86_world("6.12.117");

	map_pages(&w, HVA, 4 * PAGE);
	show(&w, 4 * PAGE, MS_SLOT_LOG_DIRTY);
	guest(&w, GPA + PAGE, MS_PROT_W);
	guest(&w, GPA + 2 * PAGE, MS_PROT_W);
	assert_int_equal(ms_madvise(w.mm, HVA, 2 * PAGE, MS_MADV_DONTNEED), 0);
	assert_int_equal(ms_mprotect(w.mm, HVA + 2 * PAGE, PAGE, MS_PROT_R), 0);
	assert_int_equal(get_dirty(&w), 0x6);
	world_end(&w);
}

/* ---- read and cleared ---- */

/* Pages 1, 2, 66 and 67 are written to. */
static struct world written(const struct ms_vm_config *config)
{
	static const unsigned int pages[] = { 1, 2, 66, 67 };
	struct world w = x86_world("6.12.117");

	x86_vm(&w, config);
	map_pages(&w, HVA, 100 * PAGE);
	show(&w, 100 * PAGE, MS_SLOT_LOG_DIRTY);
	for (size_t i = 0; i < 4; i++)
		guest(&w, GPA + pages[i] * PAGE, MS_PROT_W);
	events(&w);
	return w;
}

#define FIRST_WORD "s2.wrprotect ipa=0x80001000 size=0x2000 prot=rx bits=hmad leaf=0x1000\n"
#define SECOND_WORD "s2.wrprotect ipa=0x80042000 size=0x2000 prot=rx bits=hmad leaf=0x1000\n"

static void what_is_read_is_protected_page_by_page(void **state)
{
	struct world w = written(NULL);

	assert_int_equal(get_dirty(&w), 0x6);
	assert_string_equal(events(&w), FIRST_WORD SECOND_WORD);
	assert_int_equal(get_dirty(&w), 0);
	assert_string_equal(events(&w), "");
	guest(&w, GPA + 2 * PAGE, MS_PROT_W);
	assert_int_equal(get_dirty(&w), 0x4);
	world_end(&w);
}

static void in_manual_mode_only_clearing_protects(void **state)
{
	struct world w = written(&(struct ms_vm_config){ .dirty_manual = true });

	assert_int_equal(get_dirty(&w), 0x6);
	assert_string_equal(events(&w), "");
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 0, 64), 0);
	assert_string_equal(events(&w), FIRST_WORD);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 64, 36), 0); // up to the slot's end
	assert_string_equal(events(&w), SECOND_WORD);
	assert_int_equal(get_dirty(&w), 0);
	world_end(&w);
}

static void clearing_needs_no_manual_mode(void **state)
{
	struct world w = written(NULL);

	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 64, 36), 0);
	assert_string_equal(events(&w), SECOND_WORD);
	world_end(&w);
}

/*
 *   slot           |0 1 2 ... 63|64 ...        words of the log
 *   guest  GPA + 5 pages
 */
static void words_begin_with_the_slot(void **state)
{
	struct world w = x86_world("6.12.117");

	map_pages(&w, HVA, 100 * PAGE);
	show_at(&w, 1, GPA + 5 * PAGE, 100 * PAGE, HVA, MS_SLOT_LOG_DIRTY);
	guest(&w, GPA + 5 * PAGE, MS_PROT_W);
	guest(&w, GPA + 68 * PAGE, MS_PROT_W);
	guest(&w, GPA + 69 * PAGE, MS_PROT_W); // of the second word
	assert_int_equal(get_dirty(&w), 1 | UINT64_C(1) << 63);
	world_end(&w);
}

/* ---- all pages dirty from the start ---- */

static const struct ms_vm_config initset = { .dirty_manual = true, .dirty_initset = true };

static void with_all_bits_set_switching_on_changes_nothing(void **state)
{
	struct world w = two_blocks(kernel("7.2.13"), &initset);

	log_on(&w);
	assert_string_equal(events(&w), "");
	assert_true(leaf_at(&w, GPA).prot & MS_PROT_W);
	assert_int_equal(get_dirty(&w), UINT64_MAX);
	world_end(&w);
}

static void with_all_bits_set_clearing_splits_and_protects_word_by_word(void **state)
{
	struct world w = two_blocks(kernel("7.2.13"), &initset);

	log_on(&w);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 64, 128), 0);
	assert_string_equal(
		events(&w),
		"s2.split ipa=0x80000000 size=0x200000 leaf=0x200000\n"
		"s2.wrprotect ipa=0x80040000 size=0x40000 prot=rx bits=hmad leaf=0x1000\n"
		"s2.wrprotect ipa=0x80080000 size=0x40000 prot=rx bits=hmad leaf=0x1000\n");
	assert_int_equal(leaf_at(&w, GPA + MS_2M).size, MS_2M);
	world_end(&w);
}

static void with_all_bits_set_and_no_splitting_a_block_is_protected_for_good(void **state)
{
	struct world w = two_blocks(kernel("7.2.13"), &initset);

	ms_kvm_set_eager_page_split(w.m, false);
	log_on(&w);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 64, 64), 0);
	assert_string_equal(events(&w), "s2.change ipa=0x80000000 size=0x200000 prot=rx bits=had "
					"leaf=0x200000\n");
	// so that no write to it is fast, until a page was writable once
	for (unsigned int i = 0; i < 2; i++) {
		guest(&w, GPA + (64 + i) * PAGE, MS_PROT_W);
		assert_null(strstr(events(&w), "s2.fast"));
		assert_non_null(strstr(w.text, "s2.relax"));
	}
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 64, 64), 0);
	events(&w);
	guest(&w, GPA + 64 * PAGE, MS_PROT_W);
	assert_string_equal(events(&w), "s2.fast ipa=0x80040000 prot=rwx bits=hmad\n");
	world_end(&w);
}

/*
 *   blocks   |------- 2M -------|------- 2M -------|
 *   slot           |............|.................|     its first page is no block's first
 *   a word                   [63|0]                      its last page begins a block
 */
static void assert_clear_of_a_word_whose_last_page_begins_a_block(const char *split, bool splits)
{
	const uint64_t first = MS_2M - 63 * PAGE;
	struct ms_policy policy = with("7.2.13", "tdp_eager_split", split);
	struct world w = x86_start(&policy, NULL);

	x86_vm(&w, &initset);
	map_anon(&w, HVA, TWO);
	show_at(&w, 1, GPA + first, TWO - first, HVA + first, 0);
	guest(&w, GPA + MS_2M, MS_PROT_W);
	assert_int_equal(leaf_at(&w, GPA + MS_2M).size, MS_2M);
	show_at(&w, 1, GPA + first, TWO - first, HVA + first, MS_SLOT_LOG_DIRTY);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 0, 64), 0);
	assert_int_equal(leaf_at(&w, GPA + MS_2M).size, splits ? PAGE : MS_2M);
	// a block that stays whole is missed by the protection, too
	assert_int_equal(!(leaf_at(&w, GPA + MS_2M).prot & MS_PROT_W), splits);
	world_end(&w);
}

static void the_last_page_that_is_cleared_splits_its_block_from_6_8_on(void **state)
{
	assert_clear_of_a_word_whose_last_page_begins_a_block("ABSENT", false);
	assert_clear_of_a_word_whose_last_page_begins_a_block("BEFORE_LAST_CLEARED", false);
	assert_clear_of_a_word_whose_last_page_begins_a_block("PRESENT", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_splits_blocks_first_where_that_is_done_eagerly),
		cmocka_unit_test(without_eager_splitting_blocks_are_protected_whole),
		cmocka_unit_test(blocks_of_1g_and_of_a_device_are_split_to_pages_as_well),
		cmocka_unit_test(a_write_to_a_protected_page_is_fast_where_the_kernel_can),
		cmocka_unit_test(a_write_to_a_protected_block_is_never_fast_while_the_log_is_on),
		cmocka_unit_test(a_write_splits_1g_along_its_way_alone),
		cmocka_unit_test(what_is_mapped_writable_while_the_log_is_on_is_dirty),
		cmocka_unit_test(entries_go_and_bits_stay),
		cmocka_unit_test(what_is_read_is_protected_page_by_page),
		cmocka_unit_test(in_manual_mode_only_clearing_protects),
		cmocka_unit_test(clearing_needs_no_manual_mode),
		cmocka_unit_test(words_begin_with_the_slot),
		cmocka_unit_test(with_all_bits_set_switching_on_changes_nothing),
		cmocka_unit_test(with_all_bits_set_clearing_splits_and_protects_word_by_word),
		cmocka_unit_test(with_all_bits_set_and_no_splitting_a_block_is_protected_for_good),
		cmocka_unit_test(the_last_page_that_is_cleared_splits_its_block_from_6_8_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
