/* SPDX-License-Identifier: GPL-2.0-only */
/* Holes in shared memory. */
#include "files.h"

#define B (A + MS_1G) /* a second place */

/*
 *  file     0   1   2   3   4   5   6   7   8   9   10  11
 *  at A    |0*  1*  2*  3*  4*  5*  6*  7* |
 *  at B                    |4*  5   6   7   8   9   10  11 |
 *  hole                [-------)
 */
static void a_hole_of_pages_zaps_each_mapping_and_forgets_the_pages(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = memfd(&w, 16 * PAGE);
	uint64_t free_pages;

	map_file(&w, file, A, 0, 8 * PAGE, MS_MAP_SHARED);
	map_file(&w, file, B, 4 * PAGE, 8 * PAGE, MS_MAP_SHARED);
	for (uint64_t i = 0; i < 8; i++)
		touch(&w, A + i * PAGE, MS_PROT_W);
	touch(&w, B, MS_PROT_W);
	free_pages = ms_ram_free_pages(w.m);
	ms_trace_clear(w.m);
	assert_int_equal(ms_shmem_punch_hole(file, 3 * PAGE, 2 * PAGE), 0);
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A + 3 * PAGE, 2 * PAGE);
	assert_event(&w, MS_EV_NOTIFIER_START, 1, B, PAGE);
	assert_event(&w, MS_EV_ZAP, 0, A + 3 * PAGE, 2 * PAGE);
	assert_event(&w, MS_EV_ZAP, 1, B, PAGE);
	assert_int_equal(ms_ram_free_pages(w.m), free_pages + 2);
	assert_true(present(&w, A + 2 * PAGE));
	assert_false(present(&w, A + 3 * PAGE));
	assert_true(present(&w, A + 5 * PAGE));
	world_end(&w);
}

/*
 *  file    |0*  1*  2*  3* |
 *  hole      [---)              no whole page in it
 *  hole      [-------)          page 1
 */
static void a_hole_takes_whole_pages_only(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = memfd(&w, 16 * PAGE);

	map_file(&w, file, A, 0, 4 * PAGE, MS_MAP_SHARED);
	for (uint64_t i = 0; i < 4; i++)
		touch(&w, A + i * PAGE, MS_PROT_W);
	ms_trace_clear(w.m);
	assert_int_equal(ms_shmem_punch_hole(file, PAGE / 2, PAGE), 0);
	assert_int_equal(notifications(&w), 0);
	assert_int_equal(ms_shmem_punch_hole(file, PAGE / 2, 2 * PAGE), 0);
	assert_event(&w, MS_EV_ZAP, 0, A + PAGE, PAGE);
	world_end(&w);
}

/*
 *  file     0   1   2   3
 *  VMA     |0   1   2   3   4   5   6   7  |
 *  hole                    [---------------)
 */
static void a_hole_beyond_the_file_is_no_error(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = memfd(&w, 4 * PAGE);

	map_file(&w, file, A, 0, 8 * PAGE, MS_MAP_SHARED);
	assert_int_equal(ms_shmem_punch_hole(file, 4 * PAGE, 4 * PAGE), 0);
	assert_event(&w, MS_EV_ZAP, 0, A + 4 * PAGE, 4 * PAGE);
	world_end(&w);
}

/*
 *  VMA     |c*  1* |    private; c: copied by a write
 *  hole    [-------)
 *  after   |c*  1  |
 */
static void copied_pages_survive_a_hole(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = memfd(&w, 4 * PAGE);

	map_file(&w, file, A, 0, 2 * PAGE, MS_MAP_PRIVATE);
	touch(&w, A, MS_PROT_W);
	touch(&w, A + PAGE, MS_PROT_R);
	assert_int_equal(ms_shmem_punch_hole(file, 0, 2 * PAGE), 0);
	assert_true(present(&w, A));
	assert_false(present(&w, A + PAGE));
	world_end(&w);
}

static void a_hole_of_a_whole_huge_page_gives_it_back(void **state)
{
	struct world w = world_shmem("6.12.117");
	struct ms_file *file = memfd(&w, 2 * MS_2M);
	uint64_t free_pages;

	map_file(&w, file, A, 0, 2 * MS_2M, MS_MAP_SHARED);
	free_pages = ms_ram_free_pages(w.m);
	touch(&w, A, MS_PROT_W);
	ms_trace_clear(w.m);
	assert_int_equal(ms_shmem_punch_hole(file, 0, MS_2M), 0);
	assert_int_equal(ms_ram_free_pages(w.m), free_pages);
	assert_int_equal(notifications(&w), 1);
	touch(&w, A, MS_PROT_R);
	assert_int_equal(leaf_size(w.mm, A), MS_2M);
	world_end(&w);
}

/*
 * The page, the leaf's split inside of the zap, and what the split of the folio itself tells:
 *
 *              A                        A + 2M
 *  leaf        [-----------2M-----------)
 *  hole                             [4K-)
 *  notifier 1                       [4K-)
 *  the others  [------------------------)    two or three times
 */
static void a_hole_of_one_page_in_a_huge_leaf_notifies_the_2m_again(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world_shmem(k->release);
		struct ms_file *file = memfd(&w, 2 * MS_2M);
		const size_t count =
			k->folio_unmap_notify == MS_FOLIO_UNMAP_NOTIFY_PMD_AND_RANGE ? 4 : 3;

		map_file(&w, file, A, 0, 2 * MS_2M, MS_MAP_SHARED);
		touch(&w, A, MS_PROT_W);
		ms_trace_clear(w.m);
		assert_int_equal(ms_shmem_punch_hole(file, 511 * PAGE, PAGE), 0);
		assert_event(&w, MS_EV_NOTIFIER_START, 0, A + 511 * PAGE, PAGE);
		assert_int_equal(notifications(&w), count);
		for (size_t n = 1; n < count; n++)
			assert_event(&w, MS_EV_NOTIFIER_START, n, A, MS_2M);
		assert_int_equal(ms_trace_count(w.m, MS_EV_ZAP), 1);
		world_end(&w);
	}
}

/*
 *  page     0   1   2   3  ...  7   8   9  ... 511
 *  before  |------------------2M*-----------------|
 *  hole                [-----------)
 *  after   |0   1   2    .  ...  .  8   9  ... 511|    the others are where they were
 */
static void a_huge_page_with_a_hole_keeps_its_other_pages(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world_shmem(k->release);
		struct ms_file *file = memfd(&w, MS_2M);
		uint64_t free_pages;
		ms_pa_t pa;

		map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
		free_pages = ms_ram_free_pages(w.m);
		touch(&w, A, MS_PROT_W);
		pa = pa_of(w.mm, A);
		assert_int_equal(ms_shmem_punch_hole(file, 3 * PAGE, 5 * PAGE), 0);
		assert_int_equal(ms_ram_free_pages(w.m), free_pages - 507);
		touch(&w, A + 2 * PAGE, MS_PROT_W);
		touch(&w, A + 8 * PAGE, MS_PROT_W);
		touch(&w, A + 300 * PAGE, MS_PROT_W);
		assert_int_equal(leaf_size(w.mm, A + 2 * PAGE), PAGE);
		assert_int_equal(pa_of(w.mm, A + 2 * PAGE), pa + 2 * PAGE);
		assert_int_equal(pa_of(w.mm, A + 8 * PAGE), pa + 8 * PAGE);
		assert_int_equal(pa_of(w.mm, A + 300 * PAGE), pa + 300 * PAGE);
		touch(&w, A + 3 * PAGE, MS_PROT_W);
		assert_int_equal(ms_munmap(w.mm, A, MS_2M), 0);
		assert_int_equal(ms_shmem_punch_hole(file, 0, MS_2M), 0);
		assert_int_equal(ms_ram_free_pages(w.m), free_pages);
		world_end(&w);
	}
}

/*
 * A write to page 300 maps the block that it is in:
 *
 *  hole    [0]
 *  halves     [1][2 3][4 . . 7][8 . . . . . . . 15] ... [256 . . . 511]
 *  pages      [1][2][3] ...
 */
static void the_rest_of_a_punched_huge_page_is_pages_or_halves(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world_shmem(k->release);
		struct ms_file *file = memfd(&w, MS_2M);

		map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
		touch(&w, A, MS_PROT_W);
		assert_int_equal(ms_shmem_punch_hole(file, 0, PAGE), 0);
		touch(&w, A + 300 * PAGE, MS_PROT_W);
		assert_int_equal(count_present(&w, A, 512),
				 k->folio_split == MS_FOLIO_SPLIT_HALVES &&
						 k->shmem_map_folio != MS_SHMEM_MAP_FOLIO_ONE_PAGE
					 ? 256
					 : 1);
		world_end(&w);
	}
}

/*
 *  file    [------2M------)[------2M------)[------2M------)
 *  hole                  [--------------------)                two pages before and behind
 *  after   [4K) ...  [4K)                    [4K) ...  [4K)
 */
static void a_hole_across_huge_pages_splits_those_at_its_ends(void **state)
{
	struct world w = world_shmem("6.12.117");
	struct ms_file *file = memfd(&w, 3 * MS_2M);
	uint64_t free_pages = ms_ram_free_pages(w.m);

	map_file(&w, file, A, 0, 3 * MS_2M, MS_MAP_SHARED);
	for (uint64_t i = 0; i < 3; i++)
		touch(&w, A + i * MS_2M, MS_PROT_W);
	assert_int_equal(ms_shmem_punch_hole(file, MS_2M - 2 * PAGE, MS_2M + 4 * PAGE), 0);
	assert_int_equal(free_pages - ms_ram_free_pages(w.m), 2 * 510);
	touch(&w, A + MS_2M, MS_PROT_W);
	assert_int_equal(leaf_size(w.mm, A + MS_2M), MS_2M);
	touch(&w, A, MS_PROT_W);
	assert_int_equal(leaf_size(w.mm, A), PAGE);
	world_end(&w);
}

/*
 *  file    [-----------------------2M----------------------)
 *  at A    |-----------------------2M*---------------------|
 *  at B                |100* ... 107|                            is zapped, too
 *  hole    [4K)
 */
static void a_split_takes_the_pages_of_other_mappings_along(void **state)
{
	struct world w = world_shmem("6.12.117");
	struct ms_file *file = memfd(&w, MS_2M);

	map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
	touch(&w, A, MS_PROT_W);
	map_file(&w, file, B, 100 * PAGE, 8 * PAGE, MS_MAP_SHARED);
	touch(&w, B, MS_PROT_W);
	ms_trace_clear(w.m);
	assert_int_equal(ms_shmem_punch_hole(file, 0, PAGE), 0);
	assert_false(present(&w, B));
	assert_event(&w, MS_EV_NOTIFIER_START, 3, B, 8 * PAGE);
	assert_int_equal(notifications(&w), 4);
	touch(&w, B, MS_PROT_W);
	world_end(&w);
}

static void a_split_asks_no_mapping_once_nobody_has_the_page(void **state)
{
	struct world w = world_shmem("6.12.117");
	struct ms_file *file = memfd(&w, MS_2M);

	map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
	touch(&w, A, MS_PROT_W);
	map_file(&w, file, B, 100 * PAGE, 8 * PAGE, MS_MAP_SHARED);
	ms_trace_clear(w.m);
	assert_int_equal(ms_shmem_punch_hole(file, 0, PAGE), 0);
	// the page, the leaf, and the first mapping of the folio
	assert_int_equal(notifications(&w), 3);
	world_end(&w);
}

static void pages_beyond_the_end_go_with_the_split(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world_shmem(k->release);
		struct ms_file *file = memfd(&w, 4 * PAGE);
		uint64_t free_pages = ms_ram_free_pages(w.m);

		map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
		touch(&w, A, MS_PROT_W);
		assert_int_equal(free_pages - ms_ram_free_pages(w.m), 512);
		assert_int_equal(ms_shmem_punch_hole(file, 0, PAGE), 0);
		assert_int_equal(free_pages - ms_ram_free_pages(w.m), 3);
		world_end(&w);
	}
}

/*
 * With 16K pages the frames of a huge page are made in four parts, so its split may lack memory:
 * then it stays whole, or what was split stays split, and a later hole takes it all the same.
 */
static void a_split_without_memory_keeps_the_pages(void **state)
{
	struct ms_machine_config config = { .page_size = 0x4000, .shmem = MS_THP_ALWAYS };
	const struct ms_policy *k;
	const uint64_t huge = 16 * MS_2M, page = 0x4000;

	for_each_kernel (k, MS_ARCH_ARM64) {
		uint64_t gone = 0, kept = 0;

		for (uint64_t n = 1; !gone; n++) {
			const struct ms_policy *policy = ms_policy_linux(k->release, MS_ARCH_ARM64);
			struct world w = { .m = ms_machine_new_config(policy, &config) };
			struct ms_file *file;
			uint64_t free_pages;

			assert_int_equal(ms_ram_add(w.m, MS_1G, MS_1G), 0);
			w.mm = ms_mm_new(w.m);
			free_pages = ms_ram_free_pages(w.m);
			file = memfd(&w, huge);
			map_file(&w, file, A, 0, huge, MS_MAP_SHARED);
			touch(&w, A, MS_PROT_W);
			ms_machine_fail_alloc(w.m, n);
			assert_int_equal(ms_shmem_punch_hole(file, page, page), 0);
			ms_machine_fail_alloc(w.m, 0);
			gone = 2048 - (free_pages - ms_ram_free_pages(w.m));
			kept += !gone;
			touch(&w, A + page, MS_PROT_W);
			assert_int_equal(free_pages - ms_ram_free_pages(w.m), 2048);
			assert_int_equal(ms_shmem_punch_hole(file, 0, huge), 0);
			assert_int_equal(ms_ram_free_pages(w.m), free_pages);
			world_end(&w);
		}
		assert_int_equal(gone, 1);
		assert_int_equal(kept, 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hole_of_pages_zaps_each_mapping_and_forgets_the_pages),
		cmocka_unit_test(a_hole_takes_whole_pages_only),
		cmocka_unit_test(a_hole_beyond_the_file_is_no_error),
		cmocka_unit_test(copied_pages_survive_a_hole),
		cmocka_unit_test(a_hole_of_a_whole_huge_page_gives_it_back),
		cmocka_unit_test(a_hole_of_one_page_in_a_huge_leaf_notifies_the_2m_again),
		cmocka_unit_test(a_huge_page_with_a_hole_keeps_its_other_pages),
		cmocka_unit_test(the_rest_of_a_punched_huge_page_is_pages_or_halves),
		cmocka_unit_test(a_hole_across_huge_pages_splits_those_at_its_ends),
		cmocka_unit_test(a_split_takes_the_pages_of_other_mappings_along),
		cmocka_unit_test(a_split_asks_no_mapping_once_nobody_has_the_page),
		cmocka_unit_test(pages_beyond_the_end_go_with_the_split),
		cmocka_unit_test(a_split_without_memory_keeps_the_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
