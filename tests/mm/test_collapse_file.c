/* SPDX-License-Identifier: GPL-2.0-only */
/* MADV_COLLAPSE of a memory file: the page cache, everybody's entries, whose page tables go. */
#include "world_of.h"

static const struct ms_policy *late(void)
{
	return ms_policy_linux("6.12.117", MS_ARCH_ARM64);
}

static int collapse(struct world *w, ms_hva_t addr)
{
	return ms_madvise(w->mm, addr, MS_2M, MS_MADV_COLLAPSE);
}

static uint64_t entry_at(const struct world *w, ms_hva_t addr)
{
	struct ms_host_leaf leaf;

	return ms_host_leaf(w->mm, addr, &leaf) ? leaf.entry : 0;
}

static void cached_pages_become_one_leaf(void **state)
{
	struct world w = world("6.12.117");
	uint64_t free_pages;

	map_shared(&w, ms_memfd_new(w.m, MS_2M), A, MS_2M, 0);
	touch(&w, A + PAGE, MS_PROT_W);
	touch(&w, A + 8 * PAGE, MS_PROT_W);
	free_pages = ms_ram_free_pages(w.m);
	assert_int_equal(collapse(&w, A), 0);
	assert_int_equal(leaf_size(&w, A), MS_2M);
	assert_true(entry_at(&w, A) & MS_PTE_WRITE);
	assert_int_equal(ms_ram_free_pages(w.m), free_pages + 2 - 512);
	assert_int_equal(collapse(&w, A), 0);
	world_end(&w);
}

/* each page that is mapped, then the block for its table */
static void others_hear_of_each_page_and_of_the_table(void **state)
{
	struct world w = world("6.12.117");

	map_shared(&w, ms_memfd_new(w.m, MS_2M), A, MS_2M, 0);
	touch(&w, A + PAGE, MS_PROT_W);
	touch(&w, A + 8 * PAGE, MS_PROT_W);
	ms_trace_clear(w.m);
	assert_int_equal(collapse(&w, A), 0);
	assert_int_equal(ms_trace_count(w.m, MS_EV_NOTIFIER_START), 3);
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A + PAGE, PAGE);
	assert_event(&w, MS_EV_NOTIFIER_START, 1, A + 8 * PAGE, PAGE);
	assert_event(&w, MS_EV_NOTIFIER_START, 2, A, MS_2M);
	world_end(&w);
}

static void an_empty_block_is_EINVAL(void **state)
{
	struct world w = world("6.12.117");

	map_shared(&w, ms_memfd_new(w.m, MS_2M), A, MS_2M, 0);
	assert_int_equal(collapse(&w, A), -EINVAL);
	world_end(&w);
}

static void a_mapping_that_is_not_congruent_is_EINVAL(void **state)
{
	struct world w = world("6.12.117");

	map_shared(&w, ms_memfd_new(w.m, 2 * MS_2M), A, MS_2M, PAGE);
	touch(&w, A, MS_PROT_W);
	assert_int_equal(collapse(&w, A), -EINVAL);
	assert_int_equal(leaf_size(&w, A), PAGE);
	world_end(&w);
}

/* Another mapping of the file: its pages go in any case, its table by policy. */
static void the_table_of_another_mapping_goes_or_stays(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct ms_policy p = *late();
		struct world w;
		struct ms_file *f;

		p.collapse_file = (enum ms_policy_collapse_file)i;
		w = world_of(&p, MS_THP_NEVER);
		f = ms_memfd_new(w.m, MS_2M);
		map_shared(&w, f, A, MS_2M, 0);
		map_shared(&w, f, B, MS_2M, 0);
		touch(&w, A, MS_PROT_W);
		touch(&w, B, MS_PROT_W);
		assert_int_equal(collapse(&w, A), 0);
		assert_int_equal(leaf_size(&w, A), MS_2M);
		assert_false(present(&w, B));
		touch(&w, B, MS_PROT_R);
		assert_int_equal(leaf_size(&w, B),
				 i == MS_COLLAPSE_FILE_CALLER_ONLY ? PAGE : MS_2M);
		world_end(&w);
	}
}

/*  what the caller has at the block: a table, an empty PMD entry, no PMD table at all  */
static void where_the_caller_has_no_table_the_leaf_comes_or_not(void **state)
{
	const int empty_entry[] = { -EINVAL, 0, 0 }, nothing[] = { -EINVAL, -EINVAL, 0 };

	for (unsigned int i = 0; i < 3; i++) {
		struct ms_policy p = *late();
		struct world w;
		struct ms_file *f;

		p.collapse_file = (enum ms_policy_collapse_file)i;
		w = world_of(&p, MS_THP_NEVER);
		f = ms_memfd_new(w.m, 2 * MS_2M);
		map_shared(&w, f, B, 2 * MS_2M, 0);
		touch(&w, B, MS_PROT_W);
		touch(&w, B + MS_2M, MS_PROT_W);
		map_shared(&w, f, A, MS_2M, 0);
		map_anon(&w, A + MS_2M, PAGE, MS_PROT_RW);
		touch(&w, A + MS_2M, MS_PROT_W);
		assert_int_equal(collapse(&w, A), empty_entry[i]);
		assert_int_equal(present(&w, A), !empty_entry[i]);
		map_shared(&w, f, A + MS_1G, MS_2M, MS_2M);
		assert_int_equal(collapse(&w, A + MS_1G), nothing[i]);
		assert_int_equal(present(&w, A + MS_1G), !nothing[i]);
		world_end(&w);
	}
}

static void a_block_that_is_huge_in_the_cache_is_mapped_over_its_pages(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *f = ms_memfd_new(w.m, MS_2M);

	map_shared(&w, f, B, MS_2M, 0);
	touch(&w, B, MS_PROT_W);
	assert_int_equal(collapse(&w, B), 0);
	map_shared(&w, f, A, MS_2M - PAGE, 0);
	touch(&w, A, MS_PROT_R);
	assert_int_equal(leaf_size(&w, A), PAGE);
	map_shared(&w, f, A + MS_2M - PAGE, PAGE, MS_2M - PAGE);
	assert_vma(&w, A, A + MS_2M);
	ms_trace_clear(w.m);
	assert_int_equal(collapse(&w, A), 0);
	assert_int_equal(leaf_size(&w, A), MS_2M);
	assert_int_equal(leaf_pa(&w, A), leaf_pa(&w, B));
	assert_int_equal(ms_trace_count(w.m, MS_EV_NOTIFIER_START), 1);
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A, MS_2M);
	world_end(&w);
}

static void copies_in_a_private_mapping_stay_and_keep_the_leaf_out(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *f = ms_memfd_new(w.m, MS_2M);
	ms_pa_t copy;

	assert_true(ms_mmap(w.mm, A, MS_2M, MS_PROT_RW, MS_MAP_PRIVATE | MS_MAP_FIXED, f, 0) > 0);
	touch(&w, A, MS_PROT_W);
	touch(&w, A + PAGE, MS_PROT_R);
	copy = leaf_pa(&w, A);
	assert_int_equal(collapse(&w, A), -EINVAL);
	assert_int_equal(leaf_pa(&w, A), copy);
	assert_false(present(&w, A + PAGE));
	world_end(&w);
}

static void every_failing_allocation_leaves_the_file_as_it_was(void **state)
{
	int err = -ENOMEM;

	for (uint64_t n = 1; err; n++) {
		struct world w = world("7.2.13");
		struct ms_file *f = ms_memfd_new(w.m, 2 * MS_2M);
		uint64_t free_pages;

		map_shared(&w, f, A, MS_2M, 0);
		touch(&w, A, MS_PROT_W);
		free_pages = ms_ram_free_pages(w.m);
		ms_machine_fail_alloc(w.m, n);
		err = collapse(&w, A);
		ms_machine_fail_alloc(w.m, 0);
		if (err) {
			assert_true(present(&w, A));
			assert_int_equal(ms_ram_free_pages(w.m), free_pages);
		}
		ms_munmap(w.mm, A, MS_2M);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cached_pages_become_one_leaf),
		cmocka_unit_test(others_hear_of_each_page_and_of_the_table),
		cmocka_unit_test(an_empty_block_is_EINVAL),
		cmocka_unit_test(a_mapping_that_is_not_congruent_is_EINVAL),
		cmocka_unit_test(the_table_of_another_mapping_goes_or_stays),
		cmocka_unit_test(where_the_caller_has_no_table_the_leaf_comes_or_not),
		cmocka_unit_test(a_block_that_is_huge_in_the_cache_is_mapped_over_its_pages),
		cmocka_unit_test(copies_in_a_private_mapping_stay_and_keep_the_leaf_out),
		cmocka_unit_test(every_failing_allocation_leaves_the_file_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
