/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared memory: its size, its huge pages, holes. */
#include "world.h"

#include "mm/memfile.h"

#define B (A + MS_1G) /* a second place */

static const char *const all_releases[] = { "5.10.223", "6.1.192", "6.12.117", "7.2.13" };

/* arm64 with shmem_enabled=always */
static struct world world_shmem(const char *release)
{
	struct ms_machine_config config = { .shmem_set = true, .shmem = MS_THP_ALWAYS };
	struct world w = { .m = ms_machine_new_config(ms_policy_linux(release, MS_ARCH_ARM64),
						      &config) };

	assert_non_null(w.m);
	assert_int_equal(ms_ram_add(w.m, MS_1G, MS_1G), 0);
	w.mm = ms_mm_new(w.m);
	assert_non_null(w.mm);
	ms_trace_keep(w.m, UINT32_MAX);
	return w;
}

static struct ms_file *memfd(struct world *w, uint64_t size)
{
	struct ms_file *file = ms_memfd_new(w->m, size);

	assert_non_null(file);
	return file;
}

static void map_file(struct world *w, struct ms_file *file, ms_hva_t at, uint64_t off, uint64_t len,
		     unsigned int kind)
{
	assert_int_equal(ms_mmap(w->mm, at, len, MS_PROT_RW, kind | MS_MAP_FIXED, file, off), at);
}

static void touch(struct world *w, ms_hva_t addr, unsigned int prot)
{
	assert_int_equal(ms_touch(w->mm, addr, prot), MS_ACCESS_OK);
}

static uint64_t leaf_size(const struct world *w, ms_hva_t addr)
{
	struct ms_host_leaf leaf;

	return ms_host_leaf(w->mm, addr, &leaf) ? leaf.size : 0;
}

static ms_pa_t pa_of(const struct world *w, ms_hva_t addr)
{
	struct ms_host_leaf leaf;

	assert_true(ms_host_leaf(w->mm, addr, &leaf));
	return (leaf.entry & MS_PTE_PA_MASK) + (addr - leaf.start);
}

static bool writable(const struct world *w, ms_hva_t addr)
{
	struct ms_host_leaf leaf;

	assert_true(ms_host_leaf(w->mm, addr, &leaf));
	return leaf.entry & MS_PTE_WRITE;
}

static uint64_t count_present(const struct world *w, ms_hva_t at, uint64_t npages)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < npages; i++)
		n += present(w, at + i * PAGE);
	return n;
}

static size_t notifications(const struct world *w)
{
	return ms_trace_count(w->m, MS_EV_NOTIFIER_START);
}

/* ---- pages ---- */

static void mappings_of_a_file_share_its_pages(void **state)
{
	(void)state;
	struct world w = world("6.12.117");
	struct ms_file *file = memfd(&w, 16 * PAGE);

	map_file(&w, file, A, 0, 4 * PAGE, MS_MAP_SHARED);
	map_file(&w, file, B, 2 * PAGE, 4 * PAGE, MS_MAP_SHARED);
	touch(&w, A + 2 * PAGE, MS_PROT_W);
	touch(&w, B, MS_PROT_W);
	assert_int_equal(pa_of(&w, A + 2 * PAGE), pa_of(&w, B));
	world_end(&w);
}

static void beyond_the_end_of_the_file_is_sigbus(void **state)
{
	(void)state;
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
	(void)state;
	struct world w = world("6.12.117");
	struct ms_file *file = memfd(&w, 16 * PAGE);
	ms_pa_t pa;

	map_file(&w, file, A, 0, PAGE, MS_MAP_SHARED);
	touch(&w, A, MS_PROT_W);
	pa = pa_of(&w, A);
	assert_int_equal(ms_munmap(w.mm, A, PAGE), 0);
	map_file(&w, file, B, 0, PAGE, MS_MAP_SHARED);
	touch(&w, B, MS_PROT_W);
	assert_int_equal(pa_of(&w, B), pa);
	world_end(&w);
}

static void the_last_user_of_a_file_gives_its_pages_back(void **state)
{
	(void)state;
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
	(void)state;
	struct world w = world("6.12.117");
	struct ms_host_leaf leaf;
	struct ms_mm *child;

	assert_int_equal(
		ms_mmap(w.mm, A, 4 * PAGE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, NULL, 0), A);
	child = ms_fork(w.mm, NULL);
	assert_non_null(child);
	touch(&w, A, MS_PROT_W);
	assert_false(ms_host_leaf(child, A, &leaf));
	assert_int_equal(ms_touch(child, A, MS_PROT_R), MS_ACCESS_OK);
	assert_true(ms_host_leaf(child, A, &leaf));
	assert_int_equal(leaf.entry & MS_PTE_PA_MASK, pa_of(&w, A));
	ms_mm_exit(child);
	world_end(&w);
}

static void every_allocation_may_fail(void **state)
{
	(void)state;

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
	(void)state;
	struct world w = world_huge("6.12.117");

	map_file(&w, memfd(&w, MS_2M), A, 0, MS_2M, MS_MAP_SHARED);
	touch(&w, A, MS_PROT_W);
	assert_int_equal(leaf_size(&w, A), PAGE);
	world_end(&w);
}

static void a_read_maps_a_writable_huge_leaf_in_a_shared_mapping(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct world w = world_shmem(all_releases[i]);

		map_file(&w, memfd(&w, 2 * MS_2M), A, 0, 2 * MS_2M, MS_MAP_SHARED);
		touch(&w, A + MS_2M + 5 * PAGE, MS_PROT_R);
		assert_int_equal(leaf_size(&w, A + MS_2M), MS_2M);
		assert_true(writable(&w, A + MS_2M));
		assert_int_equal(leaf_size(&w, A), 0);
		world_end(&w);
	}
}

static void a_private_mapping_reads_a_huge_leaf_and_copies_one_page(void **state)
{
	(void)state;
	struct world w = world_shmem("6.12.117");

	map_file(&w, memfd(&w, MS_2M), A, 0, MS_2M, MS_MAP_PRIVATE);
	touch(&w, A, MS_PROT_R);
	assert_int_equal(leaf_size(&w, A), MS_2M);
	assert_false(writable(&w, A));
	ms_trace_clear(w.m);
	touch(&w, A + PAGE, MS_PROT_W);
	assert_int_equal(leaf_size(&w, A + PAGE), PAGE);
	assert_int_equal(leaf_size(&w, A), 0);
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A, MS_2M);
	assert_int_equal(notifications(&w), 1);
	world_end(&w);
}

static void a_cached_page_keeps_its_2m_from_becoming_huge(void **state)
{
	(void)state;
	struct world w = world_shmem("6.12.117");
	struct ms_file *file = memfd(&w, MS_2M);

	map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
	assert_int_equal(ms_madvise(w.mm, A, MS_2M, MS_MADV_NOHUGEPAGE), 0);
	touch(&w, A, MS_PROT_W);
	map_file(&w, file, B, 0, MS_2M, MS_MAP_SHARED);
	touch(&w, B + 7 * PAGE, MS_PROT_W);
	assert_int_equal(leaf_size(&w, B + 7 * PAGE), PAGE);
	world_end(&w);
}

static void a_cached_huge_page_is_one_leaf_in_a_nohugepage_vma_of_old_kernels(void **state)
{
	(void)state;
	static const uint64_t sizes[] = { MS_2M, MS_2M, PAGE, PAGE };

	for (size_t i = 0; i < 4; i++) {
		struct world w = world_shmem(all_releases[i]);
		struct ms_file *file = memfd(&w, MS_2M);

		map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
		touch(&w, A, MS_PROT_W);
		map_file(&w, file, B, 0, MS_2M, MS_MAP_SHARED);
		assert_int_equal(ms_madvise(w.mm, B, MS_2M, MS_MADV_NOHUGEPAGE), 0);
		touch(&w, B, MS_PROT_W);
		assert_int_equal(leaf_size(&w, B), sizes[i]);
		world_end(&w);
	}
}

/*
 *    file       [       2M       ]
 *    at A+4K    [       2M       ]      not congruent: pages only
 */
static void old_kernels_make_a_huge_page_for_a_vma_that_cannot_map_it(void **state)
{
	(void)state;
	static const uint64_t used[] = { 512, 512, 1, 1 };

	for (size_t i = 0; i < 4; i++) {
		struct world w = world_shmem(all_releases[i]);
		uint64_t free_pages = ms_ram_free_pages(w.m);

		map_file(&w, memfd(&w, MS_2M), A + PAGE, 0, MS_2M, MS_MAP_SHARED);
		touch(&w, A + PAGE, MS_PROT_W);
		assert_int_equal(leaf_size(&w, A + PAGE), PAGE);
		assert_int_equal(free_pages - ms_ram_free_pages(w.m), used[i]);
		world_end(&w);
	}
}

/* The PMD has a table, so a huge page of the cache has to be pages there. */
static void a_write_maps_the_whole_huge_page_by_pages_since_6_11(void **state)
{
	(void)state;
	static const uint64_t mapped[] = { 1, 1, 512, 512 };

	for (size_t i = 0; i < 4; i++) {
		struct world w = world_shmem(all_releases[i]);
		struct ms_file *file = memfd(&w, MS_2M);

		map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
		touch(&w, A, MS_PROT_W);
		map_file(&w, file, B, 0, MS_2M, MS_MAP_SHARED);
		assert_non_null(ms_pt_alloc_slot(w.mm, B, MS_LEVEL_PTE));
		touch(&w, B + 40 * PAGE, MS_PROT_W);
		assert_int_equal(count_present(&w, B, 512), mapped[i]);
		assert_true(writable(&w, B + 40 * PAGE));
		world_end(&w);
	}
}

static void a_read_around_maps_the_whole_huge_page_only_in_7_2(void **state)
{
	(void)state;
	static const uint64_t mapped[] = { 16, 16, 16, 512 };

	for (size_t i = 0; i < 4; i++) {
		struct world w = world_shmem(all_releases[i]);
		struct ms_file *file = memfd(&w, MS_2M);

		map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
		touch(&w, A, MS_PROT_W);
		map_file(&w, file, B, 0, MS_2M, MS_MAP_SHARED);
		assert_non_null(ms_pt_alloc_slot(w.mm, B, MS_LEVEL_PTE));
		touch(&w, B + 40 * PAGE, MS_PROT_R);
		assert_int_equal(count_present(&w, B, 512), mapped[i]);
		world_end(&w);
	}
}

/* ---- holes ---- */

static void a_hole_of_pages_zaps_each_mapping_and_forgets_the_pages(void **state)
{
	(void)state;
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

static void a_hole_takes_whole_pages_only(void **state)
{
	(void)state;
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

static void a_hole_beyond_the_file_is_no_error(void **state)
{
	(void)state;
	struct world w = world("6.12.117");
	struct ms_file *file = memfd(&w, 4 * PAGE);

	map_file(&w, file, A, 0, 8 * PAGE, MS_MAP_SHARED);
	assert_int_equal(ms_shmem_punch_hole(file, 4 * PAGE, 4 * PAGE), 0);
	assert_event(&w, MS_EV_ZAP, 0, A + 4 * PAGE, 4 * PAGE);
	world_end(&w);
}

static void copied_pages_survive_a_hole(void **state)
{
	(void)state;
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
	(void)state;
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
	assert_int_equal(leaf_size(&w, A), MS_2M);
	world_end(&w);
}

/* The page, the leaf's split inside of the zap, and what the split of the folio itself tells. */
static void a_hole_of_one_page_in_a_huge_leaf_notifies_the_2m_again(void **state)
{
	(void)state;
	static const size_t counts[] = { 4, 4, 3, 3 };

	for (size_t i = 0; i < 4; i++) {
		struct world w = world_shmem(all_releases[i]);
		struct ms_file *file = memfd(&w, 2 * MS_2M);

		map_file(&w, file, A, 0, 2 * MS_2M, MS_MAP_SHARED);
		touch(&w, A, MS_PROT_W);
		ms_trace_clear(w.m);
		assert_int_equal(ms_shmem_punch_hole(file, 511 * PAGE, PAGE), 0);
		assert_event(&w, MS_EV_NOTIFIER_START, 0, A + 511 * PAGE, PAGE);
		assert_int_equal(notifications(&w), counts[i]);
		for (size_t n = 1; n < counts[i]; n++)
			assert_event(&w, MS_EV_NOTIFIER_START, n, A, MS_2M);
		assert_int_equal(ms_trace_count(w.m, MS_EV_ZAP), 1);
		world_end(&w);
	}
}

static void a_huge_page_with_a_hole_keeps_its_other_pages(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct world w = world_shmem(all_releases[i]);
		struct ms_file *file = memfd(&w, MS_2M);
		uint64_t free_pages;
		ms_pa_t pa;

		map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
		free_pages = ms_ram_free_pages(w.m);
		touch(&w, A, MS_PROT_W);
		pa = pa_of(&w, A);
		assert_int_equal(ms_shmem_punch_hole(file, 3 * PAGE, 5 * PAGE), 0);
		assert_int_equal(ms_ram_free_pages(w.m), free_pages - 507);
		touch(&w, A + 2 * PAGE, MS_PROT_W);
		touch(&w, A + 8 * PAGE, MS_PROT_W);
		touch(&w, A + 300 * PAGE, MS_PROT_W);
		assert_int_equal(leaf_size(&w, A + 2 * PAGE), PAGE);
		assert_int_equal(pa_of(&w, A + 2 * PAGE), pa + 2 * PAGE);
		assert_int_equal(pa_of(&w, A + 8 * PAGE), pa + 8 * PAGE);
		assert_int_equal(pa_of(&w, A + 300 * PAGE), pa + 300 * PAGE);
		touch(&w, A + 3 * PAGE, MS_PROT_W);
		assert_int_equal(ms_munmap(w.mm, A, MS_2M), 0);
		assert_int_equal(ms_shmem_punch_hole(file, 0, MS_2M), 0);
		assert_int_equal(ms_ram_free_pages(w.m), free_pages);
		world_end(&w);
	}
}

/*
 * A hole of page 0:  [0][1][2 3][4 . . 7][8 . . . . . . . 15] ... [256 . . . 511]
 * and a write to page 300 then maps the block that it is in.
 */
static void the_rest_of_a_huge_page_is_pages_or_halves(void **state)
{
	(void)state;
	static const uint64_t mapped[] = { 1, 1, 1, 256 };

	for (size_t i = 0; i < 4; i++) {
		struct world w = world_shmem(all_releases[i]);
		struct ms_file *file = memfd(&w, MS_2M);

		map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
		touch(&w, A, MS_PROT_W);
		assert_int_equal(ms_shmem_punch_hole(file, 0, PAGE), 0);
		touch(&w, A + 300 * PAGE, MS_PROT_W);
		assert_int_equal(count_present(&w, A, 512), mapped[i]);
		world_end(&w);
	}
}

/*
 *    file    [       2M       ][       2M       ][       2M       ]
 *    hole                ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
 */
static void a_hole_across_huge_pages_splits_those_at_its_ends(void **state)
{
	(void)state;
	struct world w = world_shmem("6.12.117");
	struct ms_file *file = memfd(&w, 3 * MS_2M);
	uint64_t free_pages = ms_ram_free_pages(w.m);

	map_file(&w, file, A, 0, 3 * MS_2M, MS_MAP_SHARED);
	for (uint64_t i = 0; i < 3; i++)
		touch(&w, A + i * MS_2M, MS_PROT_W);
	assert_int_equal(ms_shmem_punch_hole(file, MS_2M - 2 * PAGE, MS_2M + 4 * PAGE), 0);
	assert_int_equal(free_pages - ms_ram_free_pages(w.m), 2 * 510);
	touch(&w, A + MS_2M, MS_PROT_W);
	assert_int_equal(leaf_size(&w, A + MS_2M), MS_2M);
	touch(&w, A, MS_PROT_W);
	assert_int_equal(leaf_size(&w, A), PAGE);
	world_end(&w);
}

static void a_split_takes_the_pages_of_other_mappings_along(void **state)
{
	(void)state;
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

static void pages_beyond_the_end_go_with_the_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct world w = world_shmem(all_releases[i]);
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
	(void)state;
	struct ms_machine_config config = { .page_size = 0x4000,
					    .shmem_set = true,
					    .shmem = MS_THP_ALWAYS };
	static const char *const releases[] = { "6.12.117", "7.2.13" };
	const uint64_t huge = 16 * MS_2M, page = 0x4000;

	for (size_t i = 0; i < 2; i++) {
		uint64_t gone = 0;

		for (uint64_t n = 1; !gone; n++) {
			const struct ms_policy *policy =
				ms_policy_linux(releases[i], MS_ARCH_ARM64);
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
			touch(&w, A + page, MS_PROT_W);
			assert_int_equal(free_pages - ms_ram_free_pages(w.m), 2048);
			assert_int_equal(ms_shmem_punch_hole(file, 0, huge), 0);
			assert_int_equal(ms_ram_free_pages(w.m), free_pages);
			world_end(&w);
		}
		assert_int_equal(gone, 1);
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
		cmocka_unit_test(old_kernels_make_a_huge_page_for_a_vma_that_cannot_map_it),
		cmocka_unit_test(a_write_maps_the_whole_huge_page_by_pages_since_6_11),
		cmocka_unit_test(a_read_around_maps_the_whole_huge_page_only_in_7_2),
		cmocka_unit_test(a_hole_of_pages_zaps_each_mapping_and_forgets_the_pages),
		cmocka_unit_test(a_hole_takes_whole_pages_only),
		cmocka_unit_test(a_hole_beyond_the_file_is_no_error),
		cmocka_unit_test(copied_pages_survive_a_hole),
		cmocka_unit_test(a_hole_of_a_whole_huge_page_gives_it_back),
		cmocka_unit_test(a_hole_of_one_page_in_a_huge_leaf_notifies_the_2m_again),
		cmocka_unit_test(a_huge_page_with_a_hole_keeps_its_other_pages),
		cmocka_unit_test(the_rest_of_a_huge_page_is_pages_or_halves),
		cmocka_unit_test(a_hole_across_huge_pages_splits_those_at_its_ends),
		cmocka_unit_test(a_split_takes_the_pages_of_other_mappings_along),
		cmocka_unit_test(pages_beyond_the_end_go_with_the_split),
		cmocka_unit_test(a_split_without_memory_keeps_the_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
