/* SPDX-License-Identifier: GPL-2.0-only */
/* Which neighbours a range joins. */
#include "world.h"

static void touch(struct world *w, ms_hva_t addr)
{
	assert_int_equal(ms_touch(w->mm, addr, MS_PROT_W), MS_ACCESS_OK);
}

/*  | a |    |   then  |    | b |   and  | a | hole | b |  with the hole filled last  */
static void fill_hole(struct world *w, bool touch_prev, bool touch_next)
{
	map_anon(w, A, PAGE, MS_PROT_RW);
	map_anon(w, A + 2 * PAGE, PAGE, MS_PROT_RW);
	if (touch_prev)
		touch(w, A);
	if (touch_next)
		touch(w, A + 2 * PAGE);
	map_anon(w, A + PAGE, PAGE, MS_PROT_RW);
}

static void a_hole_between_two_untouched_neighbours_makes_all_three_one(void **state)
{
	(void)state;
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);

		fill_hole(&w, false, false);
		assert_vma(&w, A, A + 3 * PAGE);
		world_end(&w);
	}
}

static void a_hole_between_two_touched_neighbours_joins_the_one_that_is_asked_first(void **state)
{
	(void)state;
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);
		const ms_hva_t border = k->anon_hole_merge == MS_ANON_HOLE_MERGE_PREV_FIRST
						? A + 2 * PAGE
						: A + PAGE;

		fill_hole(&w, true, true);
		assert_vma(&w, A, border);
		assert_vma(&w, border, A + 3 * PAGE);
		world_end(&w);
	}
}

static void an_untouched_previous_is_left_out_where_the_next_is_asked_first(void **state)
{
	(void)state;
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);

		fill_hole(&w, false, true);
		if (k->anon_hole_merge == MS_ANON_HOLE_MERGE_NEXT_FIRST_STRICT) {
			assert_vma(&w, A, A + PAGE);
			assert_vma(&w, A + PAGE, A + 3 * PAGE);
		} else {
			assert_vma(&w, A, A + 3 * PAGE);
		}
		world_end(&w);
	}
}

static void different_rights_keep_neighbours_apart(void **state)
{
	(void)state;
	struct world w = world("6.12.117");

	map_anon(&w, A, PAGE, MS_PROT_RW);
	map_anon(&w, A + PAGE, PAGE, MS_PROT_R);
	assert_int_equal(ms_mm_map_count(w.mm), 2);
	world_end(&w);
}

static void mprotect_of_the_middle_makes_three_and_back_makes_one(void **state)
{
	(void)state;
	struct world w = world("6.12.117");

	map_anon(&w, A, 3 * PAGE, MS_PROT_RW);
	touch(&w, A);
	assert_int_equal(ms_mprotect(w.mm, A + PAGE, PAGE, MS_PROT_R), 0);
	assert_int_equal(ms_mm_map_count(w.mm), 3);
	assert_int_equal(ms_mprotect(w.mm, A + PAGE, PAGE, MS_PROT_RW), 0);
	assert_vma(&w, A, A + 3 * PAGE);
	world_end(&w);
}

/*  | untouched rx | touched rw |  then the touched one becomes rx, too  */
static unsigned int touched_beside_untouched(const char *release)
{
	const unsigned int flags = MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_NORESERVE;
	struct world w = world(release);
	unsigned int count;

	ms_mmap(w.mm, A, PAGE, MS_PROT_R | MS_PROT_X, flags | MS_MAP_ANONYMOUS, NULL, 0);
	ms_mmap(w.mm, A + PAGE, PAGE, MS_PROT_RW, flags | MS_MAP_ANONYMOUS, NULL, 0);
	touch(&w, A + PAGE);
	ms_mprotect(w.mm, A + PAGE, PAGE, MS_PROT_R | MS_PROT_X);
	count = ms_mm_map_count(w.mm);
	world_end(&w);
	return count;
}

static void a_touched_range_joins_an_untouched_neighbour_from_6_16_on(void **state)
{
	(void)state;
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64)
		assert_int_equal(touched_beside_untouched(k->release),
				 k->anon_merge_untouched == MS_ANON_MERGE_UNTOUCHED_ANY ? 1 : 2);
}

static int driver_mmap(struct ms_file *file, struct ms_vma *vma)
{
	vma->vm_ops = ms_file_priv(file);
	return 0;
}

static void driver_close(struct ms_vma *vma)
{
	(void)vma;
}

static unsigned int two_adjacent_of_a_driver(const char *release, struct ms_vm_ops *ops)
{
	static const struct ms_file_ops fops = { .name = "test", .mmap = driver_mmap };
	struct world w = world(release);
	struct ms_file *f = ms_file_new(w.m, &fops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, ops);
	unsigned int count;

	ms_mmap(w.mm, A, PAGE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, f, 0);
	ms_mmap(w.mm, A + PAGE, PAGE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, f, PAGE);
	count = ms_mm_map_count(w.mm);
	world_end(&w);
	return count;
}

static void a_close_hook_forbids_merging_up_to_6_11(void **state)
{
	(void)state;
	struct ms_vm_ops ops = { .close = driver_close };
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64)
		assert_int_equal(two_adjacent_of_a_driver(k->release, &ops),
				 k->vma_merge_close == MS_VMA_MERGE_CLOSE_NEVER_IF_CLOSE ? 2 : 1);
}

static void a_driver_without_close_hook_merges_in_every_kernel(void **state)
{
	(void)state;
	struct ms_vm_ops ops = { 0 };
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64)
		assert_int_equal(two_adjacent_of_a_driver(k->release, &ops), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hole_between_two_untouched_neighbours_makes_all_three_one),
		cmocka_unit_test(
			a_hole_between_two_touched_neighbours_joins_the_one_that_is_asked_first),
		cmocka_unit_test(an_untouched_previous_is_left_out_where_the_next_is_asked_first),
		cmocka_unit_test(different_rights_keep_neighbours_apart),
		cmocka_unit_test(mprotect_of_the_middle_makes_three_and_back_makes_one),
		cmocka_unit_test(a_touched_range_joins_an_untouched_neighbour_from_6_16_on),
		cmocka_unit_test(a_close_hook_forbids_merging_up_to_6_11),
		cmocka_unit_test(a_driver_without_close_hook_merges_in_every_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
