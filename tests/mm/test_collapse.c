/* SPDX-License-Identifier: GPL-2.0-only */
/* MADV_COLLAPSE: pages become one huge page. */
#include "world_of.h"

/* thp=never, since the switch does not count; 2 aligned blocks of anonymous memory at A */
static struct world collapsible(const struct ms_policy *policy)
{
	struct world w = world_of(policy, MS_THP_NEVER);

	map_anon(&w, A, 2 * MS_2M, MS_PROT_RW);
	return w;
}

static struct world collapsible_of(const char *release)
{
	return collapsible(ms_policy_linux(release, MS_ARCH_ARM64));
}

static int collapse(struct world *w, ms_hva_t addr, uint64_t len)
{
	return ms_madvise(w->mm, addr, len, MS_MADV_COLLAPSE);
}

/*
 *            A               A + 2M
 *  before    | . |w* |z* | . |    w: written, z: read
 *  after     |------2M*------|
 *  notifier  [---------------)
 */
static void pages_become_one_leaf_and_others_hear_of_it_once(void **state)
{
	struct world w = collapsible_of("6.12.117");
	struct ms_host_leaf leaf;

	touch(&w, A + PAGE, MS_PROT_W);
	touch(&w, A + 2 * PAGE, MS_PROT_R);
	ms_trace_clear(w.m);
	assert_int_equal(collapse(&w, A, MS_2M), 0);
	assert_true(ms_host_leaf(w.mm, A, &leaf));
	assert_int_equal(leaf.size, MS_2M);
	assert_true(leaf.entry & MS_PTE_WRITE);
	assert_int_equal(ms_trace_count(w.m, MS_EV_NOTIFIER_START), 1);
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A, MS_2M);
	assert_int_equal(event(&w, MS_EV_NOTIFIER_START, 0)->notifier, MS_NOTIFY_CLEAR);
	world_end(&w);
}

static void the_pages_are_given_back_and_the_leaf_can_be_split(void **state)
{
	struct world w = collapsible_of("6.12.117");
	uint64_t before;

	for (uint64_t i = 0; i < 512; i++)
		touch(&w, A + i * PAGE, MS_PROT_W);
	before = ms_ram_free_pages(w.m);
	assert_int_equal(collapse(&w, A, MS_2M), 0);
	assert_int_equal(ms_ram_free_pages(w.m), before);
	assert_int_equal(ms_mprotect(w.mm, A, PAGE, MS_PROT_R), 0);
	assert_int_equal(leaf_size(&w, A + PAGE), PAGE);
	world_end(&w);
}

static void a_huge_page_is_a_success_already(void **state)
{
	struct world w = world_huge("6.12.117");

	map_anon(&w, A, MS_2M, MS_PROT_RW);
	touch(&w, A, MS_PROT_W);
	ms_trace_clear(w.m);
	assert_int_equal(collapse(&w, A, MS_2M), 0);
	assert_int_equal(ms_trace_len(w.m), 0);
	world_end(&w);
}

static void memory_that_was_never_written_is_EINVAL(void **state)
{
	struct world w = collapsible_of("7.2.13");

	touch(&w, A, MS_PROT_R);
	assert_int_equal(collapse(&w, A, MS_2M), -EINVAL);
	world_end(&w);
}

static void mappings_that_may_not_have_huge_pages_are_EINVAL(void **state)
{
	struct driver d = { .vm_flags = MS_VM_PFNMAP };
	struct world w = collapsible_of("6.12.117");

	touch(&w, A, MS_PROT_W);
	assert_int_equal(ms_madvise(w.mm, A, 2 * MS_2M, MS_MADV_NOHUGEPAGE), 0);
	assert_int_equal(collapse(&w, A, MS_2M), -EINVAL);
	map_shared(&w, driver_file(&w, &d), B, MS_2M, 0);
	assert_int_equal(collapse(&w, B, MS_2M), -EINVAL);
	map_anon(&w, B + MS_1G + PAGE, MS_2M, MS_PROT_RW);
	touch(&w, B + MS_1G + PAGE, MS_PROT_W);
	assert_int_equal(collapse(&w, B + MS_1G + PAGE, MS_2M), -EINVAL);
	world_end(&w);
}

/*
 *          A               A + 2M          A + 4M
 *  VMA     |w* .   .   .   |z* .   .   .   |
 *  range                   [---------------)
 */
static void zero_pages_alone_are_a_matter_of_policy(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct ms_policy p = *ms_policy_linux("6.12.117", MS_ARCH_ARM64);
		struct world w;

		p.collapse_read_only = (enum ms_policy_collapse_read_only)i;
		w = collapsible(&p);
		touch(&w, A, MS_PROT_W);
		touch(&w, A + MS_2M, MS_PROT_R);
		assert_int_equal(collapse(&w, A + MS_2M, MS_2M), i ? 0 : -EINVAL);
		assert_int_equal(leaf_size(&w, A + MS_2M), i ? MS_2M : PAGE);
		world_end(&w);
	}
}

static void a_read_only_mapping_collapses_to_a_read_only_leaf(void **state)
{
	struct world w = collapsible_of("7.2.13");
	struct ms_host_leaf leaf;

	touch(&w, A, MS_PROT_W);
	assert_int_equal(ms_mprotect(w.mm, A, 2 * MS_2M, MS_PROT_R), 0);
	assert_int_equal(collapse(&w, A, MS_2M), 0);
	assert_true(ms_host_leaf(w.mm, A, &leaf));
	assert_int_equal(leaf.size, MS_2M);
	assert_false(leaf.entry & MS_PTE_WRITE);
	world_end(&w);
}

/*
 *           A               A + 2M          A + 4M
 *  VMA      |w* .   .   .   : .             |
 *  range        [---)                            within a block: -EINVAL, or 0
 *  range    [---)                                from a border on: 0
 *  range        [---------------)                over a border: 0
 */
static void a_range_without_a_whole_block_is_EINVAL_or_nothing(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct ms_policy p = *ms_policy_linux("6.12.117", MS_ARCH_ARM64);
		struct world w;

		p.collapse_small = (enum ms_policy_collapse_small)i;
		w = collapsible(&p);
		touch(&w, A, MS_PROT_W);
		assert_int_equal(collapse(&w, A + PAGE, PAGE), i ? 0 : -EINVAL);
		assert_int_equal(collapse(&w, A, PAGE), 0);
		assert_int_equal(collapse(&w, A + PAGE, MS_2M), 0);
		assert_int_equal(leaf_size(&w, A), PAGE);
		world_end(&w);
	}
}

/*
 * The answer is -EINVAL in either case:
 *
 *          A               A + 2M          A + 4M
 *  before  | .             |w* .   .   .   |    no table for the first block
 *  after   | .             |------2M*------|    or as before
 */
static void an_empty_pmd_entry_ends_the_call_or_not(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct ms_policy p = *ms_policy_linux("6.12.117", MS_ARCH_ARM64);
		struct world w;

		p.collapse_empty_pmd = (enum ms_policy_collapse_empty_pmd)i;
		w = collapsible(&p);
		touch(&w, A + MS_2M, MS_PROT_W);
		assert_int_equal(collapse(&w, A, 2 * MS_2M), -EINVAL);
		assert_int_equal(leaf_size(&w, A + MS_2M), i ? MS_2M : PAGE);
		world_end(&w);
	}
}

/*
 *                          A + 1G
 *  before  | .             |w* .   .   .   |    no table for the whole first 1G
 *  after   | .             |------2M*------|
 */
static void a_missing_table_does_not_end_the_call(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A + MS_1G - MS_2M, 2 * MS_2M, MS_PROT_RW);
	touch(&w, A + MS_1G, MS_PROT_W);
	assert_int_equal(collapse(&w, A + MS_1G - MS_2M, 2 * MS_2M), -EINVAL);
	assert_int_equal(leaf_size(&w, A + MS_1G), MS_2M);
	world_end(&w);
}

static void pages_shared_with_a_child_are_copied_for_this_process(void **state)
{
	struct world w = collapsible_of("6.12.117");
	struct ms_host_leaf leaf;
	struct ms_mm *child;

	touch(&w, A, MS_PROT_W);
	child = ms_fork(w.mm);
	assert_non_null(child);
	assert_int_equal(collapse(&w, A, MS_2M), -EINVAL);
	touch(&w, A + PAGE, MS_PROT_W);
	assert_int_equal(collapse(&w, A, MS_2M), 0);
	assert_int_equal(leaf_size(&w, A), MS_2M);
	assert_true(ms_host_leaf(child, A, &leaf));
	assert_int_equal(leaf.size, PAGE);
	world_end(&w);
}

static void no_huge_page_is_ENOMEM_and_nothing_happens(void **state)
{
	struct ms_machine_config config = { .thp = MS_THP_NEVER };
	struct world w = { .m = ms_machine_new_config(ms_policy_linux("6.12.117", MS_ARCH_ARM64),
						      &config) };

	// enough for the pages, but not side by side
	assert_int_equal(ms_ram_add(w.m, MS_1G + MS_2M / 2, MS_2M + MS_2M / 32), 0);
	w.mm = ms_mm_new(w.m);
	map_anon(&w, A, MS_2M, MS_PROT_RW);
	touch(&w, A, MS_PROT_W);
	ms_trace_clear(w.m);
	assert_int_equal(collapse(&w, A, MS_2M), -ENOMEM);
	assert_int_equal(ms_trace_len(w.m), 0);
	assert_int_equal(leaf_size(&w, A), PAGE);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_become_one_leaf_and_others_hear_of_it_once),
		cmocka_unit_test(the_pages_are_given_back_and_the_leaf_can_be_split),
		cmocka_unit_test(a_huge_page_is_a_success_already),
		cmocka_unit_test(memory_that_was_never_written_is_EINVAL),
		cmocka_unit_test(mappings_that_may_not_have_huge_pages_are_EINVAL),
		cmocka_unit_test(zero_pages_alone_are_a_matter_of_policy),
		cmocka_unit_test(a_read_only_mapping_collapses_to_a_read_only_leaf),
		cmocka_unit_test(a_range_without_a_whole_block_is_EINVAL_or_nothing),
		cmocka_unit_test(an_empty_pmd_entry_ends_the_call_or_not),
		cmocka_unit_test(a_missing_table_does_not_end_the_call),
		cmocka_unit_test(pages_shared_with_a_child_are_copied_for_this_process),
		cmocka_unit_test(no_huge_page_is_ENOMEM_and_nothing_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
