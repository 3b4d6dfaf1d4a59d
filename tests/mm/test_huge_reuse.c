/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes to pages of a huge page whose leaf was split, after a fork: taken as they are, or copied.
 */
#include "world.h"

static ms_pa_t page_at(const struct world *w, ms_hva_t addr)
{
	struct ms_host_leaf leaf;

	assert_true(ms_host_leaf(w->mm, addr, &leaf));
	return (leaf.entry & MS_PTE_PA_MASK) + (addr - leaf.start);
}

/* A huge page that a child had, too, and that is mapped by pages. */
static struct world world_split(const char *release)
{
	struct world w = world_huge(release);
	struct ms_mm *child;

	map_anon(&w, A, MS_2M, MS_PROT_RW);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	child = ms_fork(w.mm);
	assert_non_null(child);
	assert_int_equal(ms_munmap(w.mm, A + MS_2M - PAGE, PAGE), 0);
	ms_mm_exit(child);
	return w;
}

static bool write_copies(const struct world *w, ms_hva_t addr)
{
	ms_pa_t before = page_at(w, addr);

	assert_int_equal(ms_touch(w->mm, addr, MS_PROT_W), MS_ACCESS_OK);
	return page_at(w, addr) != before;
}

/*
 *	A                    A+2M
 *	|p|..................|      one page is left of the huge one
 */
static void the_last_page_of_a_huge_page_is_taken_up_to_6_8(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		struct world w = world_split(k->release);

		assert_int_equal(ms_munmap(w.mm, A + PAGE, MS_2M - PAGE), 0);
		assert_int_equal(write_copies(&w, A),
				 k->anon_large_reuse != MS_ANON_LARGE_REUSE_IF_SOLE_REFERENCE);
		world_end(&w);
	}
}

static void one_of_many_pages_is_copied_up_to_6_14(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		struct world w = world_split(k->release);

		assert_int_equal(write_copies(&w, A),
				 k->anon_large_reuse != MS_ANON_LARGE_REUSE_IF_ALL_MAPPED_HERE);
		world_end(&w);
	}
}

/*
 *	A         A+2M              A+4M
 *	|p...qq...|                   |qq|      two of its pages have moved away
 */
static void pages_that_mremap_moved_belong_to_the_huge_page_still(void **state)
{
	struct world w = world_split("7.2.13");

	assert_int_equal(ms_mremap(w.mm, A + 4 * PAGE, 2 * PAGE, 2 * PAGE,
				   MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, A + 2 * MS_2M),
			 A + 2 * MS_2M);
	assert_false(write_copies(&w, A));
	assert_false(write_copies(&w, A + 2 * MS_2M));
	world_end(&w);
}

/*
 *	|==A==|=B=|==C==|      the child's VMAs have one huge page together
 */
static void pages_in_other_vmas_of_a_child_count(void **state)
{
	struct world w = world_huge("7.2.13");
	struct ms_host_leaf before, after;
	struct ms_mm *child;

	map_anon(&w, A, MS_2M, MS_PROT_RW);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_madvise(w.mm, A + 8 * PAGE, PAGE, MS_MADV_DONTDUMP), 0);
	child = ms_fork(w.mm);
	assert_non_null(child);
	assert_int_equal(ms_munmap(w.mm, A, MS_2M), 0);
	assert_true(ms_host_leaf(child, A, &before));
	assert_int_equal(ms_touch(child, A, MS_PROT_W), MS_ACCESS_OK);
	assert_true(ms_host_leaf(child, A, &after));
	assert_int_equal(after.entry & MS_PTE_PA_MASK, before.entry & MS_PTE_PA_MASK);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_page_of_a_huge_page_is_taken_up_to_6_8),
		cmocka_unit_test(one_of_many_pages_is_copied_up_to_6_14),
		cmocka_unit_test(pages_that_mremap_moved_belong_to_the_huge_page_still),
		cmocka_unit_test(pages_in_other_vmas_of_a_child_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
