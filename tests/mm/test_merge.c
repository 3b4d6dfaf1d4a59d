/* SPDX-License-Identifier: GPL-2.0-only */
/* Which neighbours a range joins. */
#include "world.h"

static void touch(struct world *w, ms_hva_t addr)
{
	assert_int_equal(ms_touch(w->mm, addr, MS_PROT_W), MS_ACCESS_OK);
}

/* Two pages with a hole in between. The neighbours may be touched; the hole is mapped last. */
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

/*
 *  before  |rw | . |rw |
 *  filled  |rw  rw  rw |
 */
static void a_hole_between_two_untouched_neighbours_makes_all_three_one(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);

		fill_hole(&w, false, false);
		assert_vma(&w, A, A + 3 * PAGE);
		world_end(&w);
	}
}

/*
 *  before          |rw*| . |rw*|
 *  previous first  |rw* rw |rw*|
 *  next first      |rw*|rw  rw*|
 */
static void a_hole_between_two_touched_neighbours_joins_the_one_that_is_asked_first(void **state)
{
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

/*
 *  before      |rw | . |rw*|
 *  next first  |rw |rw  rw*|
 *  otherwise   |rw  rw  rw*|
 */
static void an_untouched_previous_is_left_out_where_the_next_is_asked_first(void **state)
{
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

/* |rw |r  | stays two VMAs. */
static void different_rights_keep_neighbours_apart(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, PAGE, MS_PROT_RW);
	map_anon(&w, A + PAGE, PAGE, MS_PROT_R);
	assert_int_equal(ms_mm_map_count(w.mm), 2);
	world_end(&w);
}

/*
 *  before  |rw* rw  rw |
 *  r       |rw*|r  |rw |
 *  rw      |rw* rw  rw |
 */
static void mprotect_of_the_middle_makes_three_and_back_makes_one(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 3 * PAGE, MS_PROT_RW);
	touch(&w, A);
	assert_int_equal(ms_mprotect(w.mm, A + PAGE, PAGE, MS_PROT_R), 0);
	assert_int_equal(ms_mm_map_count(w.mm), 3);
	assert_int_equal(ms_mprotect(w.mm, A + PAGE, PAGE, MS_PROT_RW), 0);
	assert_vma(&w, A, A + 3 * PAGE);
	world_end(&w);
}

/*
 * The number of VMAs in the end:
 *
 *  before    |rx |rw*|
 *  mprotect  |rx  rx*|  or  |rx |rx*|
 */
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
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64)
		assert_int_equal(
			touched_beside_untouched(k->release),
			k->anon_merge_untouched == MS_ANON_MERGE_UNTOUCHED_TARGET_TOUCHED_ONLY ? 2
											       : 1);
}

static int driver_mmap(struct ms_file *file, struct ms_vma *vma)
{
	vma->vm_ops = ms_file_priv(file);
	return 0;
}

static void driver_close(struct ms_vma *vma)
{
}

/*
 * The number of VMAs in the end:
 *
 *  first   |0  | .        pages of the file
 *  second  |0   1  |  or  |0  |1  |
 */
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

static void a_close_hook_forbids_merging_up_to_6_3(void **state)
{
	struct ms_vm_ops ops = { .close = driver_close };
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64)
		assert_int_equal(two_adjacent_of_a_driver(k->release, &ops),
				 k->vma_merge_close == MS_VMA_MERGE_CLOSE_NEVER_IF_CLOSE ? 2 : 1);
}

/* A driver's file and a kernel with that value of vma_merge_close. */
static struct world driver_world(enum ms_policy_vma_merge_close value, struct ms_vm_ops *ops,
				 struct ms_file **file)
{
	static const struct ms_file_ops fops = { .name = "test", .mmap = driver_mmap };
	struct ms_policy policy = *ms_policy_linux("6.1.176", MS_ARCH_ARM64);
	struct world w;

	policy.vma_merge_close = value;
	w.m = ms_machine_new(&policy);
	assert_non_null(w.m);
	w.mm = ms_mm_new(w.m);
	*file = ms_file_new(w.m, &fops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, ops);
	return w;
}

static void map_page(struct world *w, struct ms_file *file, uint64_t page)
{
	assert_int_equal(ms_mmap(w->mm, A + page * PAGE, PAGE, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED, file, page * PAGE),
			 A + page * PAGE);
}

/*
 *              before       after
 *  growing up  |0  | .      |0   1  |  or  |0  |1  |
 *  and down     .  |1  |    |0   1  |  or  |0  |1  |
 */
static void a_close_hook_lets_a_vma_grow_up_from_6_4(void **state)
{
	static const enum ms_policy_vma_merge_close values[] = {
		MS_VMA_MERGE_CLOSE_NEVER_IF_CLOSE,
		MS_VMA_MERGE_CLOSE_MAY_GROW_UP,
		MS_VMA_MERGE_CLOSE_MAY_GROW_UP_CHECKED,
		MS_VMA_MERGE_CLOSE_ONLY_SURVIVOR_MAY_CLOSE,
	};
	static const unsigned int up[] = { 2, 1, 1, 1 }, down[] = { 2, 2, 2, 1 };
	struct ms_vm_ops ops = { .close = driver_close };

	for (size_t i = 0; i < 4; i++) {
		struct ms_file *file;
		struct world w = driver_world(values[i], &ops, &file);

		map_page(&w, file, 0);
		map_page(&w, file, 1);
		assert_int_equal(ms_mm_map_count(w.mm), up[i]);
		assert_int_equal(ms_munmap(w.mm, A, 2 * PAGE), 0);
		map_page(&w, file, 1);
		map_page(&w, file, 0);
		assert_int_equal(ms_mm_map_count(w.mm), down[i]);
		world_end(&w);
	}
}

/*
 *  whole, before  |rw |r  |rw |    head, before  |rw |r   r  |
 *  its page rw    |rw  rw |rw |    its page rw   |rw  rw |r  |
 *  or             |rw |rw |rw |    or            |rw |rw |r  |
 */
static void a_whole_vma_with_a_close_hook_dies_in_a_merge_from_6_4_to_6_7(void **state)
{
	static const enum ms_policy_vma_merge_close values[] = {
		MS_VMA_MERGE_CLOSE_NEVER_IF_CLOSE,
		MS_VMA_MERGE_CLOSE_MAY_GROW_UP,
		MS_VMA_MERGE_CLOSE_MAY_GROW_UP_CHECKED,
		MS_VMA_MERGE_CLOSE_ONLY_SURVIVOR_MAY_CLOSE,
	};
	static const unsigned int whole[] = { 3, 2, 3, 3 }, head[] = { 3, 2, 2, 2 };
	struct ms_vm_ops ops = { .close = driver_close };

	for (size_t i = 0; i < 4; i++) {
		struct ms_file *file;
		struct world w = driver_world(values[i], &ops, &file);

		// rw | r | rw, then all rw: the next one has a hook, too, and stays apart
		for (uint64_t page = 0; page < 3; page++)
			map_page(&w, file, page);
		assert_int_equal(ms_mprotect(w.mm, A + PAGE, PAGE, MS_PROT_R), 0);
		assert_int_equal(ms_mm_map_count(w.mm), 3);
		assert_int_equal(ms_mprotect(w.mm, A + PAGE, PAGE, MS_PROT_RW), 0);
		assert_int_equal(ms_mm_map_count(w.mm), whole[i]);
		assert_int_equal(ms_munmap(w.mm, A, 3 * PAGE), 0);

		// rw | r r: only the head becomes rw
		map_page(&w, file, 0);
		assert_int_equal(ms_mmap(w.mm, A + PAGE, 2 * PAGE, MS_PROT_R,
					 MS_MAP_SHARED | MS_MAP_FIXED, file, PAGE),
				 A + PAGE);
		assert_int_equal(ms_mprotect(w.mm, A + PAGE, PAGE, MS_PROT_RW), 0);
		assert_int_equal(ms_mm_map_count(w.mm), head[i]);
		world_end(&w);
	}
}

static void a_driver_without_close_hook_merges_in_every_kernel(void **state)
{
	struct ms_vm_ops ops = { 0 };
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64)
		assert_int_equal(two_adjacent_of_a_driver(k->release, &ops), 1);
}

/* ---- private mappings of a file: the offset of their anonymous memory ---- */

static void map_private(struct world *w, struct ms_file *f, ms_hva_t addr, uint64_t pages,
			uint64_t first, unsigned int prot)
{
	assert_int_equal(ms_mmap(w->mm, addr, pages * PAGE, prot, MS_MAP_PRIVATE | MS_MAP_FIXED, f,
				 first * PAGE),
			 addr);
}

static void move(struct world *w, ms_hva_t from, uint64_t pages, ms_hva_t to)
{
	assert_int_equal(ms_mremap(w->mm, from, pages * PAGE, pages * PAGE,
				   MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, to),
			 to);
}

/*
 * The number of VMAs in the end. The first page of the second mapping may have been written:
 *
 *          A               A + 2M
 *  before  |0   1  | ...   |2   3  |      pages of the file
 *  moved   |0   1   2   3  |  or  |0   1  |2   3  |
 */
static unsigned int moved_behind(const char *kernel, bool written)
{
	struct world w = world(kernel);
	struct ms_file *f = ms_memfd_new(w.m, 16 * PAGE);
	unsigned int count;

	map_private(&w, f, A, 2, 0, MS_PROT_RW);
	map_private(&w, f, A + MS_2M, 2, 2, MS_PROT_RW);
	if (written)
		touch(&w, A + MS_2M);
	move(&w, A + MS_2M, 2, A + 2 * PAGE);
	count = ms_mm_map_count(w.mm);
	world_end(&w);
	return count;
}

static void what_was_written_elsewhere_joins_no_private_file_mapping_from_7_3(void **state)
{
	assert_int_equal(moved_behind("7.2.13", false), 1);
	assert_int_equal(moved_behind("7.3.4", false), 1);
	assert_int_equal(moved_behind("7.2.13", true), 1);
	assert_int_equal(moved_behind("7.3.4", true), 2);
}

/*
 *  mapped    |r   r  | ... |rw* rw |
 *  moved     |r   r  |rw* rw |
 *  mprotect  |rw  rw |rw* rw |
 */
static void what_was_written_elsewhere_stays_apart_when_mprotect_makes_both_alike(void **state)
{
	struct world w = world("7.3.4");
	struct ms_file *f = ms_memfd_new(w.m, 16 * PAGE);

	map_private(&w, f, A, 2, 0, MS_PROT_R);
	map_private(&w, f, A + MS_2M, 2, 2, MS_PROT_RW);
	touch(&w, A + MS_2M);
	move(&w, A + MS_2M, 2, A + 2 * PAGE);
	assert_int_equal(ms_mprotect(w.mm, A, 2 * PAGE, MS_PROT_RW), 0);
	assert_int_equal(ms_mm_map_count(w.mm), 2);
	world_end(&w);
}

/*
 *           A                      A + 2M
 *  before   |4   5*  6  |                             pages of the file
 *  moved     .   .   .             |4   5*  6  |7  |  7 is mapped behind it, and stays apart
 *  back     |4   5*  6   7  |       .   .   .  |7  |  7 is mapped behind it, and joins
 */
static void a_mapping_that_comes_back_where_it_was_written_joins(void **state)
{
	struct world w = world("7.3.4");
	struct ms_file *f = ms_memfd_new(w.m, 16 * PAGE);

	map_private(&w, f, A, 3, 4, MS_PROT_RW);
	touch(&w, A + PAGE);
	move(&w, A, 3, A + MS_2M);
	map_private(&w, f, A + MS_2M + 3 * PAGE, 1, 7, MS_PROT_RW);
	assert_int_equal(ms_mm_map_count(w.mm), 2);
	move(&w, A + MS_2M, 3, A);
	map_private(&w, f, A + 3 * PAGE, 1, 7, MS_PROT_RW);
	assert_vma(&w, A, A + 4 * PAGE);
	world_end(&w);
}

/*
 * A split gives each part its share: what is cut out comes back.
 *
 *  moved  |rw  rw* rw |
 *  r      |rw |r* |rw |
 *  rw     |rw  rw* rw |
 */
static void parts_of_a_moved_mapping_join_each_other(void **state)
{
	struct world w = world("7.3.4");
	struct ms_file *f = ms_memfd_new(w.m, 16 * PAGE);

	map_private(&w, f, A, 3, 0, MS_PROT_RW);
	touch(&w, A + PAGE);
	move(&w, A, 3, A + MS_2M);
	assert_int_equal(ms_mprotect(w.mm, A + MS_2M + PAGE, PAGE, MS_PROT_R), 0);
	assert_int_equal(ms_mm_map_count(w.mm), 3);
	assert_int_equal(ms_mprotect(w.mm, A + MS_2M + PAGE, PAGE, MS_PROT_RW), 0);
	assert_vma(&w, A + MS_2M, A + MS_2M + 3 * PAGE);
	world_end(&w);
}

/*
 *  shared file  |0  | ... |1* |  ->  |0   1* |
 *  anonymous, moved, then r and rw again  |rw* rw |  ->  |r* |rw |  ->  |rw* rw |
 */
static void shared_and_anonymous_memory_go_by_one_offset(void **state)
{
	struct world w = world("7.3.4");
	struct ms_file *f = ms_memfd_new(w.m, 16 * PAGE);

	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(ms_mmap(w.mm, A + i * MS_2M, PAGE, MS_PROT_RW,
					 MS_MAP_SHARED | MS_MAP_FIXED, f, i * PAGE),
				 A + i * MS_2M);
	touch(&w, A + MS_2M);
	move(&w, A + MS_2M, 1, A + PAGE);
	assert_vma(&w, A, A + 2 * PAGE);
	map_anon(&w, A + MS_1G, 2 * PAGE, MS_PROT_RW);
	touch(&w, A + MS_1G);
	move(&w, A + MS_1G, 2, A + 2 * MS_1G);
	assert_int_equal(ms_mprotect(w.mm, A + 2 * MS_1G, PAGE, MS_PROT_R), 0);
	assert_int_equal(ms_mprotect(w.mm, A + 2 * MS_1G, PAGE, MS_PROT_RW), 0);
	assert_vma(&w, A + 2 * MS_1G, A + 2 * MS_1G + 2 * PAGE);
	world_end(&w);
}

/*
 *                              A          A + 1G
 *  written, and moved to here   . |1* |
 *  DONTUNMAP                    . |1  |   |1* |
 *  page 0 comes before it      |0   1  |  |1* |
 */
static void what_dontunmap_leaves_behind_has_the_offset_of_its_address_again(void **state)
{
	struct world w = world("7.3.4");
	struct ms_file *f = ms_memfd_new(w.m, 16 * PAGE);

	map_private(&w, f, A + MS_2M, 1, 1, MS_PROT_RW);
	touch(&w, A + MS_2M);
	move(&w, A + MS_2M, 1, A + PAGE);
	assert_int_equal(ms_mremap(w.mm, A + PAGE, PAGE, PAGE,
				   MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED | MS_MREMAP_DONTUNMAP,
				   A + MS_1G),
			 A + MS_1G);
	map_private(&w, f, A, 1, 0, MS_PROT_RW);
	assert_vma(&w, A, A + 2 * PAGE);
	world_end(&w);
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
		cmocka_unit_test(a_close_hook_forbids_merging_up_to_6_3),
		cmocka_unit_test(a_close_hook_lets_a_vma_grow_up_from_6_4),
		cmocka_unit_test(a_whole_vma_with_a_close_hook_dies_in_a_merge_from_6_4_to_6_7),
		cmocka_unit_test(a_driver_without_close_hook_merges_in_every_kernel),
		cmocka_unit_test(what_was_written_elsewhere_joins_no_private_file_mapping_from_7_3),
		cmocka_unit_test(
			what_was_written_elsewhere_stays_apart_when_mprotect_makes_both_alike),
		cmocka_unit_test(a_mapping_that_comes_back_where_it_was_written_joins),
		cmocka_unit_test(parts_of_a_moved_mapping_join_each_other),
		cmocka_unit_test(shared_and_anonymous_memory_go_by_one_offset),
		cmocka_unit_test(what_dontunmap_leaves_behind_has_the_offset_of_its_address_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
