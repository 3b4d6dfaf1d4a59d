/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared memory: its size and its huge pages. */
#include "files.h"
#include "mm/pgtable.h"

#define B (A + MS_1G) /* a second place */

/* The world anew, on another configuration. */
static struct world world_with(struct world *old, const struct ms_machine_config *config)
{
	struct world w = world_config(ms_machine_policy(old->m), config);

	world_end(old);
	return w;
}

/* log2 of the pages of the folio that holds a page of the file */
static unsigned int cached_order(struct world *w, const struct ms_file *file, uint64_t index)
{
	return ms_folio_order(w->m, ms_cache_find(file->mapping, index));
}

/* ---- pages ---- */

static void mappings_of_a_file_share_its_pages(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = memfd(&w, 16 * PAGE);

	map_file(&w, file, A, 0, 4 * PAGE, MS_MAP_SHARED);
	map_file(&w, file, B, 2 * PAGE, 4 * PAGE, MS_MAP_SHARED);
	touch(&w, A + 2 * PAGE, MS_PROT_W);
	touch(&w, B, MS_PROT_W);
	assert_int_equal(pa_of(w.mm, A + 2 * PAGE), pa_of(w.mm, B));
	world_end(&w);
}

static void beyond_the_end_of_the_file_is_sigbus(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = memfd(&w, 2 * PAGE + 1);

	map_file(&w, file, A, 0, 4 * PAGE, MS_MAP_SHARED);
	map_file(&w, file, B, 0, 4 * PAGE, MS_MAP_PRIVATE);
	touch(&w, A + 2 * PAGE, MS_PROT_W);
	assert_int_equal(ms_touch(w.mm, A + 3 * PAGE, MS_PROT_R), MS_ACCESS_SIGBUS);
	assert_int_equal(ms_touch(w.mm, A + 3 * PAGE, MS_PROT_W), MS_ACCESS_SIGBUS);
	assert_int_equal(ms_touch(w.mm, B + 3 * PAGE, MS_PROT_R), MS_ACCESS_SIGBUS);
	assert_int_equal(ms_touch(w.mm, B + 3 * PAGE, MS_PROT_W), MS_ACCESS_SIGBUS);
	world_end(&w);
}

static void pages_stay_in_the_file_when_nobody_maps_them(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = memfd(&w, 16 * PAGE);
	ms_pa_t pa;

	map_file(&w, file, A, 0, PAGE, MS_MAP_SHARED);
	touch(&w, A, MS_PROT_W);
	pa = pa_of(w.mm, A);
	assert_int_equal(ms_munmap(w.mm, A, PAGE), 0);
	map_file(&w, file, B, 0, PAGE, MS_MAP_SHARED);
	touch(&w, B, MS_PROT_W);
	assert_int_equal(pa_of(w.mm, B), pa);
	world_end(&w);
}

static void the_last_user_of_a_file_gives_its_pages_back(void **state)
{
	struct world w = world_shmem("6.12.117");
	uint64_t free_pages = ms_ram_free_pages(w.m);
	struct ms_file *file = memfd(&w, 2 * MS_2M);

	map_file(&w, file, A, 0, 2 * MS_2M, MS_MAP_SHARED);
	touch(&w, A, MS_PROT_W);
	assert_int_equal(ms_ram_free_pages(w.m), free_pages - 512);
	ms_file_put(file);
	assert_int_equal(ms_munmap(w.mm, A, 2 * MS_2M), 0);
	assert_int_equal(ms_ram_free_pages(w.m), free_pages);
	world_end(&w);
}

static void anonymous_shared_memory_is_a_file_that_a_child_shares(void **state)
{
	struct world w = world("6.12.117");
	struct ms_host_leaf leaf;
	struct ms_mm *child;

	assert_int_equal(ms_mmap(w.mm, A, 4 * PAGE, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED | MS_MAP_ANONYMOUS, NULL, 0),
			 A);
	child = ms_fork(w.mm);
	assert_non_null(child);
	touch(&w, A, MS_PROT_W);
	assert_false(ms_host_leaf(child, A, &leaf));
	assert_int_equal(ms_touch(child, A, MS_PROT_R), MS_ACCESS_OK);
	assert_true(ms_host_leaf(child, A, &leaf));
	assert_int_equal(leaf.entry & MS_PTE_PA_MASK, pa_of(w.mm, A));
	ms_mm_exit(child);
	world_end(&w);
}

static void every_allocation_may_fail(void **state)
{
	for (size_t huge = 0; huge < 2; huge++) {
		enum ms_access access = MS_ACCESS_OOM;

		for (uint64_t n = 1; access == MS_ACCESS_OOM; n++) {
			struct world w = huge ? world_shmem("6.12.117") : world("6.12.117");
			struct ms_file *file = memfd(&w, 2 * MS_2M);
			uint64_t free_pages = ms_ram_free_pages(w.m);

			map_file(&w, file, A, 0, 2 * MS_2M, MS_MAP_SHARED);
			ms_machine_fail_alloc(w.m, n);
			access = ms_touch(w.mm, A, MS_PROT_W);
			ms_machine_fail_alloc(w.m, 0);
			touch(&w, A, MS_PROT_W);
			ms_file_put(file);
			assert_int_equal(ms_munmap(w.mm, A, 2 * MS_2M), 0);
			assert_int_equal(ms_ram_free_pages(w.m), free_pages);
			world_end(&w);
		}
		assert_int_equal(access, MS_ACCESS_OK);
	}
}

/* ---- huge pages ---- */

static void huge_pages_are_off_unless_shmem_enabled_says_otherwise(void **state)
{
	struct world w = world_huge("6.12.117");

	map_file(&w, memfd(&w, MS_2M), A, 0, MS_2M, MS_MAP_SHARED);
	touch(&w, A, MS_PROT_W);
	assert_int_equal(leaf_size(w.mm, A), PAGE);
	world_end(&w);
}

/* A page of a huge page that a kernel maps by one leaf, the first where it has to be that one. */
static uint64_t page_for_leaf(const struct ms_policy *k)
{
	return k->file_pmd_map == MS_FILE_PMD_MAP_HEAD_PAGE_ONLY ? 0 : 5 * PAGE;
}

static void a_read_maps_a_writable_huge_leaf_in_a_shared_mapping(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world_shmem(k->release);

		map_file(&w, memfd(&w, 2 * MS_2M), A, 0, 2 * MS_2M, MS_MAP_SHARED);
		touch(&w, A + MS_2M + page_for_leaf(k), MS_PROT_R);
		assert_int_equal(leaf_size(w.mm, A + MS_2M), MS_2M);
		assert_true(writable(&w, A + MS_2M));
		assert_int_equal(leaf_size(w.mm, A), 0);
		world_end(&w);
	}
}

static void a_private_mapping_reads_a_huge_leaf_and_copies_one_page(void **state)
{
	struct world w = world_shmem("6.12.117");

	map_file(&w, memfd(&w, MS_2M), A, 0, MS_2M, MS_MAP_PRIVATE);
	touch(&w, A, MS_PROT_R);
	assert_int_equal(leaf_size(w.mm, A), MS_2M);
	assert_false(writable(&w, A));
	ms_trace_clear(w.m);
	touch(&w, A + PAGE, MS_PROT_W);
	assert_int_equal(leaf_size(w.mm, A + PAGE), PAGE);
	assert_int_equal(leaf_size(w.mm, A), 0);
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A, MS_2M);
	assert_int_equal(notifications(&w), 1);
	world_end(&w);
}

static void a_cached_page_keeps_its_2m_from_becoming_huge(void **state)
{
	struct world w = world_shmem("6.12.117");
	struct ms_file *file = memfd(&w, MS_2M);

	map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
	assert_int_equal(ms_madvise(w.mm, A, MS_2M, MS_MADV_NOHUGEPAGE), 0);
	touch(&w, A, MS_PROT_W);
	map_file(&w, file, B, 0, MS_2M, MS_MAP_SHARED);
	touch(&w, B + 7 * PAGE, MS_PROT_W);
	assert_int_equal(leaf_size(w.mm, B + 7 * PAGE), PAGE);
	world_end(&w);
}

static void a_cached_huge_page_is_one_leaf_in_a_nohugepage_vma_of_old_kernels(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world_shmem(k->release);
		struct ms_file *file = memfd(&w, MS_2M);

		map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
		touch(&w, A, MS_PROT_W);
		map_file(&w, file, B, 0, MS_2M, MS_MAP_SHARED);
		assert_int_equal(ms_madvise(w.mm, B, MS_2M, MS_MADV_NOHUGEPAGE), 0);
		touch(&w, B, MS_PROT_W);
		assert_int_equal(leaf_size(w.mm, B),
				 k->file_pmd_map == MS_FILE_PMD_MAP_NOT_IF_NOHUGEPAGE ? PAGE
										      : MS_2M);
		world_end(&w);
	}
}

/*
 * Fault-around asks for the first page of its window, 16 pages that are aligned; a write for its
 * own page.
 */
static void only_the_first_page_asks_for_the_leaf_by_the_rule_HEAD_PAGE_ONLY(void **state)
{
	static const struct {
		ms_hva_t off;
		unsigned int prot;
		uint64_t size;
	} cases[] = {
		{ 0, MS_PROT_W, MS_2M },         { 15 * PAGE, MS_PROT_R, MS_2M },
		{ 15 * PAGE, MS_PROT_W, PAGE },  { 16 * PAGE, MS_PROT_R, PAGE },
		{ 511 * PAGE, MS_PROT_W, PAGE },
	};
	struct ms_policy policy = *ms_policy_linux("6.1.192", MS_ARCH_ARM64);

	policy.file_pmd_map = MS_FILE_PMD_MAP_HEAD_PAGE_ONLY;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world w = world_shmem_of(&policy);
		struct ms_file *file = memfd(&w, MS_2M);

		map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
		touch(&w, A, MS_PROT_W);
		map_file(&w, file, B, 0, MS_2M, MS_MAP_SHARED);
		touch(&w, B + cases[i].off, cases[i].prot);
		assert_int_equal(leaf_size(w.mm, B + cases[i].off), cases[i].size);
		world_end(&w);
	}
}

/*
 *    file       [       2M       ]
 *    at A+4K    [       2M       ]      not congruent: pages only
 */
static void old_kernels_make_a_huge_page_for_a_vma_that_cannot_map_it(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world_shmem(k->release);
		uint64_t free_pages = ms_ram_free_pages(w.m);

		map_file(&w, memfd(&w, MS_2M), A + PAGE, 0, MS_2M, MS_MAP_SHARED);
		touch(&w, A + PAGE, MS_PROT_W);
		assert_int_equal(leaf_size(w.mm, A + PAGE), PAGE);
		assert_int_equal(free_pages - ms_ram_free_pages(w.m),
				 k->shmem_huge == MS_SHMEM_HUGE_ANY_VMA ? 512 : 1);
		world_end(&w);
	}
}

/* The PMD has a table, so a huge page of the cache has to be pages there. */
static void a_write_maps_the_whole_huge_page_by_pages_since_6_11(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world_shmem(k->release);
		struct ms_file *file = memfd(&w, MS_2M);

		map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
		touch(&w, A, MS_PROT_W);
		map_file(&w, file, B, 0, MS_2M, MS_MAP_SHARED);
		assert_non_null(ms_pt_alloc_slot(w.mm, B, MS_LEVEL_PTE));
		touch(&w, B + 40 * PAGE, MS_PROT_W);
		assert_int_equal(count_present(&w, B, 512),
				 k->shmem_map_folio == MS_SHMEM_MAP_FOLIO_ONE_PAGE ? 1 : 512);
		assert_true(writable(&w, B + 40 * PAGE));
		world_end(&w);
	}
}

static void an_entry_in_the_way_makes_it_one_page(void **state)
{
	struct world w = world_shmem("6.12.117");
	struct ms_file *file = memfd(&w, MS_2M);

	map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
	touch(&w, A, MS_PROT_W);
	map_file(&w, file, B, 0, MS_2M, MS_MAP_SHARED);
	assert_non_null(ms_pt_alloc_slot(w.mm, B, MS_LEVEL_PTE));
	touch(&w, B, MS_PROT_R);
	assert_int_equal(count_present(&w, B, 512), 16);
	touch(&w, B + 200 * PAGE, MS_PROT_W);
	assert_int_equal(count_present(&w, B, 512), 17);
	world_end(&w);
}

static void a_read_around_maps_the_whole_huge_page_from_6_18(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world_shmem(k->release);
		struct ms_file *file = memfd(&w, MS_2M);

		map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
		touch(&w, A, MS_PROT_W);
		map_file(&w, file, B, 0, MS_2M, MS_MAP_SHARED);
		assert_non_null(ms_pt_alloc_slot(w.mm, B, MS_LEVEL_PTE));
		touch(&w, B + 40 * PAGE, MS_PROT_R);
		assert_int_equal(count_present(&w, B, 512),
				 k->shmem_map_folio == MS_SHMEM_MAP_FOLIO_WHOLE ? 512 : 16);
		world_end(&w);
	}
}

static bool is_huge_within(const struct ms_policy *k, bool first_page)
{
	switch (k->shmem_within_size) {
	case MS_SHMEM_WITHIN_SIZE_NOT_FIRST_PAGE:
		return first_page;
	case MS_SHMEM_WITHIN_SIZE_WHOLE:
		return false;
	default: // MS_SHMEM_WITHIN_SIZE_TWO_PAGES
		return true;
	}
}

/*
 * File of 2M + 2 pages, VMA of 4M:   |#### 2M ####|##------------|
 *                                                  ^ pages 512, 513; 514 is beyond the end
 */
static void within_size_asks_how_far_the_file_reaches(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		for (uint64_t page = 512; page < 514; page++) {
			struct world w = world_shmem(k->release);
			struct ms_machine_config config = *ms_machine_config(w.m);
			struct ms_file *file;

			config.shmem = MS_THP_WITHIN_SIZE;
			w = world_with(&w, &config);
			file = memfd(&w, MS_2M + 2 * PAGE);
			map_file(&w, file, A, 0, 2 * MS_2M, MS_MAP_SHARED);
			touch(&w, A + page_for_leaf(k), MS_PROT_W);
			assert_int_equal(leaf_size(w.mm, A), MS_2M);
			touch(&w, A + page * PAGE, MS_PROT_W);
			assert_int_equal(cached_order(&w, file, page),
					 is_huge_within(k, page == 512) ? 9 : 0);
			world_end(&w);
		}
	}
}

static void advise_asks_for_the_flag_and_within_size_takes_it_as_well(void **state)
{
	static const enum ms_thp_mode mode[] = { MS_THP_MADVISE, MS_THP_WITHIN_SIZE };

	for (size_t i = 0; i < 2; i++) {
		struct world w = world_shmem("6.12.117");
		struct ms_machine_config config = *ms_machine_config(w.m);

		config.shmem = mode[i];
		w = world_with(&w, &config);
		map_file(&w, memfd(&w, MS_2M - PAGE), A, 0, MS_2M, MS_MAP_SHARED);
		map_file(&w, memfd(&w, MS_2M - PAGE), B, 0, MS_2M, MS_MAP_SHARED);
		assert_int_equal(ms_madvise(w.mm, B, MS_2M, MS_MADV_HUGEPAGE), 0);
		touch(&w, A, MS_PROT_W);
		touch(&w, B, MS_PROT_W);
		assert_int_equal(count_present(&w, A, 512), 1);
		assert_int_equal(leaf_size(w.mm, B), MS_2M);
		world_end(&w);
	}
}

static void deny_forbids_even_a_collapse_and_force_is_like_always(void **state)
{
	for (unsigned int force = 0; force < 2; force++) {
		struct world w = world_shmem("6.12.117");
		struct ms_machine_config config = *ms_machine_config(w.m);

		config.shmem = force ? MS_THP_FORCE : MS_THP_DENY;
		w = world_with(&w, &config);
		map_file(&w, memfd(&w, MS_2M), A, 0, MS_2M, MS_MAP_SHARED);
		touch(&w, A, MS_PROT_W);
		assert_int_equal(leaf_size(w.mm, A), force ? MS_2M : PAGE);
		assert_int_equal(ms_madvise(w.mm, A, MS_2M, MS_MADV_COLLAPSE), force ? 0 : -EINVAL);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mappings_of_a_file_share_its_pages),
		cmocka_unit_test(beyond_the_end_of_the_file_is_sigbus),
		cmocka_unit_test(pages_stay_in_the_file_when_nobody_maps_them),
		cmocka_unit_test(the_last_user_of_a_file_gives_its_pages_back),
		cmocka_unit_test(anonymous_shared_memory_is_a_file_that_a_child_shares),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(huge_pages_are_off_unless_shmem_enabled_says_otherwise),
		cmocka_unit_test(a_read_maps_a_writable_huge_leaf_in_a_shared_mapping),
		cmocka_unit_test(a_private_mapping_reads_a_huge_leaf_and_copies_one_page),
		cmocka_unit_test(a_cached_page_keeps_its_2m_from_becoming_huge),
		cmocka_unit_test(a_cached_huge_page_is_one_leaf_in_a_nohugepage_vma_of_old_kernels),
		cmocka_unit_test(only_the_first_page_asks_for_the_leaf_by_the_rule_HEAD_PAGE_ONLY),
		cmocka_unit_test(old_kernels_make_a_huge_page_for_a_vma_that_cannot_map_it),
		cmocka_unit_test(a_write_maps_the_whole_huge_page_by_pages_since_6_11),
		cmocka_unit_test(an_entry_in_the_way_makes_it_one_page),
		cmocka_unit_test(a_read_around_maps_the_whole_huge_page_from_6_18),
		cmocka_unit_test(within_size_asks_how_far_the_file_reaches),
		cmocka_unit_test(advise_asks_for_the_flag_and_within_size_takes_it_as_well),
		cmocka_unit_test(deny_forbids_even_a_collapse_and_force_is_like_always),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
