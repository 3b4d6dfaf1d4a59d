/* SPDX-License-Identifier: GPL-2.0-only */
/* Pools of huge pages: what mappings reserve, what faults find, what comes back. */
#include "files.h"

#define B (A + MS_1G)
#define C (A + 2 * MS_1G)
#define SHARED MS_MAP_SHARED
#define PRIVATE MS_MAP_PRIVATE

static struct world pool_of(uint64_t pages)
{
	return world_pool(ms_policy_linux("6.12.117", MS_ARCH_ARM64), pages);
}

/* `pages` huge pages of the file from page `first` on */
static int64_t map(struct world *w, struct ms_file *file, ms_hva_t at, uint64_t first,
		   uint64_t pages, unsigned int flags)
{
	return ms_mmap(w->mm, at, pages * MS_2M, MS_PROT_RW, flags | MS_MAP_FIXED, file,
		       first * MS_2M);
}

static void assert_maps(struct world *w, struct ms_file *file, ms_hva_t at, uint64_t pages,
			unsigned int flags)
{
	assert_int_equal(map(w, file, at, 0, pages, flags), at);
}

static void assert_full(struct world *w, struct ms_file *file, ms_hva_t at, uint64_t pages,
			unsigned int flags)
{
	assert_int_equal(map(w, file, at, 0, pages, flags), -ENOMEM);
}

/* Exactly so many can still be reserved. */
static void assert_available(struct world *w, uint64_t pages)
{
	struct ms_file *file = hugetlb(w, MS_2M, MS_2M);

	assert_full(w, file, A + 8 * MS_1G, pages + 1, PRIVATE);
	if (pages) {
		assert_maps(w, file, A + 8 * MS_1G, pages, PRIVATE);
		assert_int_equal(ms_munmap(w->mm, A + 8 * MS_1G, pages * MS_2M), 0);
	}
	ms_file_put(file);
}

/* ---- reserving ---- */

/* What MAP_FIXED replaces has given its pages and reservations back before the new mapping asks. */
static void what_MAP_FIXED_replaces_is_given_back_first(void **state)
{
	struct world w = pool_of(2);
	struct ms_file *file = hugetlb(&w, 4 * MS_2M, MS_2M);

	assert_maps(&w, file, A, 2, PRIVATE);
	touch(&w, A, MS_PROT_W);
	assert_maps(&w, file, A, 2, MS_MAP_SHARED);
	world_end(&w);
}

static void private_mappings_reserve_all_that_they_map(void **state)
{
	struct world w = pool_of(4);
	struct ms_file *file = hugetlb(&w, 4 * MS_2M, MS_2M);

	assert_maps(&w, file, A, 3, PRIVATE);
	assert_available(&w, 1);
	assert_full(&w, file, B, 2, PRIVATE);
	assert_null(ms_vma_lookup(w.mm, B));
	assert_int_equal(ms_munmap(w.mm, A, MS_2M), 0);
	assert_available(&w, 2);
	world_end(&w);
}

/*
 *   file      |  |  |  |  |
 *   mapped    |=====|
 *   mapped       |=====|      one page more
 */
static void shared_mappings_reserve_what_their_file_has_not(void **state)
{
	struct world w = pool_of(4);
	struct ms_file *file = hugetlb(&w, 4 * MS_2M, MS_2M);

	assert_int_equal(map(&w, file, A, 0, 2, SHARED), A);
	assert_int_equal(map(&w, file, B, 1, 2, SHARED), B);
	assert_available(&w, 1);
	touch(&w, A, MS_PROT_W);
	assert_available(&w, 1);
	world_end(&w);
}

static void a_shared_reservation_is_the_files_until_it_goes(void **state)
{
	struct world w = pool_of(4);
	struct ms_file *file = hugetlb(&w, 4 * MS_2M, MS_2M);

	assert_maps(&w, file, A, 3, SHARED);
	touch(&w, A, MS_PROT_W);
	assert_int_equal(ms_munmap(w.mm, A, 3 * MS_2M), 0);
	assert_available(&w, 1);
	ms_file_put(file);
	assert_available(&w, 4);
	world_end(&w);
}

static void each_size_has_a_pool_of_its_own(void **state)
{
	struct ms_machine_config config = { .hugetlb = { { MS_2M, 1 }, { 16 * MS_4K, 2 } } };
	struct world w = { .m = ms_machine_new_config(ms_policy_linux("6.12.117", MS_ARCH_ARM64),
						      &config) };
	assert_int_equal(ms_ram_add(w.m, MS_1G, 2 * MS_1G), 0);
	w.mm = ms_mm_new(w.m);
	struct ms_file *small = hugetlb(&w, MS_2M, 16 * MS_4K), *gig = hugetlb(&w, MS_1G, MS_1G);

	assert_available(&w, 1);
	assert_int_equal(ms_mmap(w.mm, A, 48 * MS_4K, MS_PROT_RW, PRIVATE | MS_MAP_FIXED, small, 0),
			 -ENOMEM);
	assert_int_equal(ms_mmap(w.mm, A, 32 * MS_4K, MS_PROT_RW, PRIVATE | MS_MAP_FIXED, small, 0),
			 A);
	// what nobody has said is as large as RAM
	assert_int_equal(ms_mmap(w.mm, B, MS_1G, MS_PROT_RW, PRIVATE | MS_MAP_FIXED, gig, 0), B);
	touch(&w, B, MS_PROT_W);
	world_end(&w);
}

static void a_size_that_the_machine_has_not_is_ignored(void **state)
{
	struct ms_machine_config config = { .hugetlb = { { 3 * MS_4K, 1 }, { MS_2M, 2 } } };
	struct world w = world_config(ms_policy_linux("6.12.117", MS_ARCH_X86_64), &config);

	assert_available(&w, 2);
	world_end(&w);
}

static void an_empty_pool_has_files_and_no_mappings(void **state)
{
	struct world w = pool_of(0);
	struct ms_file *file = hugetlb(&w, MS_2M, MS_2M);

	assert_full(&w, file, A, 1, SHARED);
	assert_maps(&w, file, A, 1, SHARED | MS_MAP_NORESERVE);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	world_end(&w);
}

static void every_allocation_of_a_mapping_may_fail(void **state)
{
	static const unsigned int kinds[] = { SHARED, PRIVATE };

	for (size_t i = 0; i < 2; i++) {
		struct world w = pool_of(2);
		struct ms_file *file = hugetlb(&w, 2 * MS_2M, MS_2M);
		int64_t ret = -ENOMEM;

		for (uint64_t n = 1; ret < 0; n++) {
			ms_machine_fail_alloc(w.m, n);
			ret = map(&w, file, A, 0, 2, kinds[i]);
			ms_machine_fail_alloc(w.m, 0);
			if (ret < 0)
				assert_available(&w, 2);
		}
		assert_available(&w, 0);
		world_end(&w);
	}
}

/* ---- faults ---- */

static void a_reservation_finds_its_page_and_others_do_not(void **state)
{
	struct world w = pool_of(2);
	struct ms_file *file = hugetlb(&w, 2 * MS_2M, MS_2M);

	assert_maps(&w, file, A, 1, PRIVATE);
	assert_maps(&w, file, B, 2, PRIVATE | MS_MAP_NORESERVE);
	touch(&w, B, MS_PROT_W);
	assert_int_equal(ms_touch(w.mm, B + MS_2M, MS_PROT_W), MS_ACCESS_SIGBUS);
	touch(&w, A, MS_PROT_W);
	world_end(&w);
}

static void every_allocation_of_a_fault_may_fail(void **state)
{
	static const unsigned int kinds[] = { SHARED, PRIVATE };

	for (size_t i = 0; i < 2; i++) {
		enum ms_access access = MS_ACCESS_OOM;

		for (uint64_t n = 1; access != MS_ACCESS_OK; n++) {
			struct world w = pool_of(2);
			struct ms_file *file = hugetlb(&w, 2 * MS_2M, MS_2M);

			assert_maps(&w, file, A, 2, kinds[i]);
			ms_machine_fail_alloc(w.m, n);
			access = ms_touch(w.mm, A, MS_PROT_W);
			ms_machine_fail_alloc(w.m, 0);
			touch(&w, A, MS_PROT_W);
			touch(&w, A + MS_2M, MS_PROT_W);
			ms_file_put(file);
			assert_int_equal(ms_munmap(w.mm, A, 2 * MS_2M), 0);
			assert_available(&w, 2);
			world_end(&w);
		}
	}
}

static void a_page_that_a_hole_took_is_reserved_for_nobody(void **state)
{
	struct world w = pool_of(3);
	struct ms_file *file = hugetlb(&w, 3 * MS_2M, MS_2M);

	assert_maps(&w, file, A, 3, SHARED);
	for (uint64_t i = 0; i < 3; i++)
		touch(&w, A + i * MS_2M, MS_PROT_W);
	assert_int_equal(ms_madvise(w.mm, A + MS_2M, MS_2M, MS_MADV_REMOVE), 0);
	assert_available(&w, 1);
	assert_int_equal(map(&w, hugetlb(&w, MS_2M, MS_2M), B, 0, 1, PRIVATE), B);
	assert_int_equal(ms_touch(w.mm, A + MS_2M, MS_PROT_W), MS_ACCESS_SIGBUS);
	assert_int_equal(ms_munmap(w.mm, B, MS_2M), 0);
	touch(&w, A + MS_2M, MS_PROT_W);
	world_end(&w);
}

/* ---- what goes and comes back ---- */

static void parts_of_a_mapping_give_back_what_they_have_not_used(void **state)
{
	struct world w = pool_of(8);

	assert_maps(&w, hugetlb(&w, MS_2M, MS_2M), A, 8, PRIVATE);
	touch(&w, A + MS_2M, MS_PROT_W);
	touch(&w, A + 5 * MS_2M, MS_PROT_W);
	assert_int_equal(ms_munmap(w.mm, A + 2 * MS_2M, 3 * MS_2M), 0);
	assert_available(&w, 3);
	assert_int_equal(ms_munmap(w.mm, A, 2 * MS_2M), 0);
	assert_available(&w, 5);
	assert_int_equal(ms_munmap(w.mm, A, MS_1G), 0);
	assert_available(&w, 8);
	world_end(&w);
}

/* The copy of a moved part has the whole mapping's reservation; what stays behind has none. */
static void a_move_leaves_no_reservation_behind(void **state)
{
	struct world w = pool_of(4);

	assert_maps(&w, hugetlb(&w, MS_2M, MS_2M), A, 4, PRIVATE);
	assert_int_equal(
		ms_mremap(w.mm, A, 2 * MS_2M, 2 * MS_2M, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, B),
		B);
	touch(&w, B, MS_PROT_W);
	assert_int_equal(ms_touch(w.mm, A + 2 * MS_2M, MS_PROT_W), MS_ACCESS_SIGBUS);
	assert_int_equal(ms_munmap(w.mm, A, 4 * MS_2M), 0);
	assert_available(&w, 0);
	assert_int_equal(ms_munmap(w.mm, B, 2 * MS_2M), 0);
	assert_available(&w, 2);
	world_end(&w);
}

static void an_unmapped_private_page_is_reserved_again_by_policy(void **state)
{
	struct ms_policy policy = *ms_policy_linux("6.12.117", MS_ARCH_ARM64);

	for (int value = 0; value <= MS_HUGETLB_UNMAP_RESERVE_RESTORED_BY_LAST; value++) {
		policy.hugetlb_unmap_reserve = (enum ms_policy_hugetlb_unmap_reserve)value;
		struct world w = world_pool(&policy, 4);

		assert_maps(&w, hugetlb(&w, MS_2M, MS_2M), A, 3, PRIVATE);
		for (uint64_t i = 0; i < 3; i++)
			touch(&w, A + i * MS_2M, MS_PROT_W);
		assert_int_equal(ms_madvise(w.mm, A, 2 * MS_2M, MS_MADV_DONTNEED), 0);
		assert_available(&w, value == MS_HUGETLB_UNMAP_RESERVE_STAYS_USED ? 3 : 1);
		assert_int_equal(ms_munmap(w.mm, A, 3 * MS_2M), 0);
		assert_available(&w, 4);
		world_end(&w);
	}
}

static void a_page_that_a_child_goes_on_with_may_be_reserved_again_at_once(void **state)
{
	struct ms_policy policy = *ms_policy_linux("6.12.117", MS_ARCH_ARM64);

	for (int value = 0; value <= MS_HUGETLB_UNMAP_RESERVE_RESTORED_BY_LAST; value++) {
		policy.hugetlb_unmap_reserve = (enum ms_policy_hugetlb_unmap_reserve)value;
		struct world w = world_pool(&policy, 4);

		assert_maps(&w, hugetlb(&w, MS_2M, MS_2M), A, 1, PRIVATE);
		touch(&w, A, MS_PROT_W);
		struct ms_mm *child = ms_fork(w.mm);
		assert_int_equal(ms_madvise(w.mm, A, MS_2M, MS_MADV_DONTNEED), 0);
		assert_available(&w, 3);
		touch(&w, A, MS_PROT_W);
		// the page was taken by a reservation that the pool does not know of yet
		assert_available(&w, value == MS_HUGETLB_UNMAP_RESERVE_RESTORED ? 3 : 2);
		ms_mm_exit(child);
		assert_available(&w, 3);
		assert_int_equal(ms_munmap(w.mm, A, MS_2M), 0);
		assert_available(&w, 4);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_MAP_FIXED_replaces_is_given_back_first),
		cmocka_unit_test(private_mappings_reserve_all_that_they_map),
		cmocka_unit_test(shared_mappings_reserve_what_their_file_has_not),
		cmocka_unit_test(a_shared_reservation_is_the_files_until_it_goes),
		cmocka_unit_test(each_size_has_a_pool_of_its_own),
		cmocka_unit_test(a_size_that_the_machine_has_not_is_ignored),
		cmocka_unit_test(an_empty_pool_has_files_and_no_mappings),
		cmocka_unit_test(every_allocation_of_a_mapping_may_fail),
		cmocka_unit_test(a_reservation_finds_its_page_and_others_do_not),
		cmocka_unit_test(every_allocation_of_a_fault_may_fail),
		cmocka_unit_test(a_page_that_a_hole_took_is_reserved_for_nobody),
		cmocka_unit_test(parts_of_a_mapping_give_back_what_they_have_not_used),
		cmocka_unit_test(a_move_leaves_no_reservation_behind),
		cmocka_unit_test(an_unmapped_private_page_is_reserved_again_by_policy),
		cmocka_unit_test(a_page_that_a_child_goes_on_with_may_be_reserved_again_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
