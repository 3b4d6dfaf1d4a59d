/* SPDX-License-Identifier: GPL-2.0-only */
/* A read fault of a memory file maps what is cached around it. */
#include "files.h"

/* Pages [first, first + n) of the file come into the cache through a mapping of their own. */
static void fill_cache(struct world *w, struct ms_file *file, uint64_t first, uint64_t n)
{
	const ms_hva_t at = A + MS_1G;

	map_file(w, file, at, first * PAGE, n * PAGE, MS_MAP_SHARED);
	for (uint64_t i = 0; i < n; i++)
		assert_int_equal(ms_touch(w->mm, at + i * PAGE, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_munmap(w->mm, at, n * PAGE), 0);
}

static void a_read_maps_what_is_cached_in_its_64k(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = memfd(&w, 64 * PAGE);

	fill_cache(&w, file, 0, 64);
	map_file(&w, file, A, 0, 64 * PAGE, MS_MAP_SHARED);
	assert_int_equal(ms_touch(w.mm, A + 20 * PAGE, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(count_present(&w, A, 64), 16);
	assert_int_equal(count_present(&w, A + 16 * PAGE, 16), 16);
	world_end(&w);
}

static void a_read_of_an_uncached_page_maps_the_cached_ones_around_it_too(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = memfd(&w, 64 * PAGE);

	fill_cache(&w, file, 4, 2);
	map_file(&w, file, A, 0, 64 * PAGE, MS_MAP_SHARED);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(count_present(&w, A, 64), 3);
	assert_true(present(&w, A + 4 * PAGE));
	assert_true(present(&w, A + 5 * PAGE));
	world_end(&w);
}

static void a_write_maps_one_page(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = memfd(&w, 64 * PAGE);

	fill_cache(&w, file, 0, 64);
	map_file(&w, file, A, 0, 64 * PAGE, MS_MAP_SHARED);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(count_present(&w, A, 64), 1);
	world_end(&w);
}

/*
 *    64K          |---------------|---------------|
 *    VMA                [ 8 pages . . . . . . . . . 12 pages ]
 *    window             [    16 pages    ]
 */
static void a_window_that_the_vma_cuts_at_its_start_keeps_its_length(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = memfd(&w, 64 * PAGE);
	const ms_hva_t at = A + 8 * PAGE;

	fill_cache(&w, file, 0, 64);
	map_file(&w, file, at, 0, 20 * PAGE, MS_MAP_SHARED);
	assert_int_equal(ms_touch(w.mm, at, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(count_present(&w, at, 20), 16);
	assert_false(present(&w, at + 16 * PAGE));
	world_end(&w);
}

static void a_window_ends_with_the_vma_the_table_and_the_file(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = memfd(&w, 12 * PAGE);

	fill_cache(&w, file, 0, 12);
	map_file(&w, file, A, 0, 4 * PAGE, MS_MAP_SHARED);
	map_file(&w, file, A + MS_2M - 2 * PAGE, 0, 10 * PAGE, MS_MAP_SHARED);
	map_file(&w, file, A + 2 * MS_2M, 8 * PAGE, 8 * PAGE, MS_MAP_SHARED);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(count_present(&w, A, 16), 4);
	assert_int_equal(ms_touch(w.mm, A + MS_2M - PAGE, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(count_present(&w, A + MS_2M - 2 * PAGE, 10), 2);
	assert_int_equal(ms_touch(w.mm, A + 2 * MS_2M, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(count_present(&w, A + 2 * MS_2M, 8), 4);
	world_end(&w);
}

static void a_private_read_maps_around_read_only(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = memfd(&w, 64 * PAGE);

	fill_cache(&w, file, 0, 16);
	map_file(&w, file, A, 0, 64 * PAGE, MS_MAP_PRIVATE);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(count_present(&w, A, 64), 16);
	assert_false(writable(&w, A + 3 * PAGE));
	world_end(&w);
}

static void entries_that_are_there_are_left_alone(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = memfd(&w, 64 * PAGE);
	uint64_t copied;

	fill_cache(&w, file, 0, 16);
	map_file(&w, file, A, 0, 64 * PAGE, MS_MAP_PRIVATE);
	assert_int_equal(ms_touch(w.mm, A + 3 * PAGE, MS_PROT_W), MS_ACCESS_OK);
	copied = leaf_at(w.mm, A + 3 * PAGE).entry;
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(count_present(&w, A, 64), 16);
	assert_int_equal(leaf_at(w.mm, A + 3 * PAGE).entry, copied);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_read_maps_what_is_cached_in_its_64k),
		cmocka_unit_test(a_read_of_an_uncached_page_maps_the_cached_ones_around_it_too),
		cmocka_unit_test(a_write_maps_one_page),
		cmocka_unit_test(a_window_that_the_vma_cuts_at_its_start_keeps_its_length),
		cmocka_unit_test(a_window_ends_with_the_vma_the_table_and_the_file),
		cmocka_unit_test(a_private_read_maps_around_read_only),
		cmocka_unit_test(entries_that_are_there_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
