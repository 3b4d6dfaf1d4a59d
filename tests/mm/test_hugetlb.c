/* SPDX-License-Identifier: GPL-2.0-only */
/* hugetlb memory: mapping, sizes, faults. */
#include "files.h"

#define B (A + 4 * MS_1G) /* a second place */
#define K64 UINT64_C(0x10000)
#define M32 UINT64_C(0x2000000)

/* ---- mapping ---- */

static void address_and_offset_must_be_aligned_and_the_length_is_rounded_up(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = hugetlb(&w, 4 * MS_2M, MS_2M);
	const unsigned int flags = MS_MAP_SHARED | MS_MAP_FIXED;

	assert_int_equal(ms_mmap(w.mm, A + PAGE, MS_2M, MS_PROT_RW, flags, file, 0), -EINVAL);
	assert_int_equal(ms_mmap(w.mm, A, MS_2M, MS_PROT_RW, flags, file, PAGE), -EINVAL);
	assert_int_equal(ms_mmap(w.mm, A, PAGE, MS_PROT_RW, flags, file, 0), A);
	assert_vma(&w, A, A + MS_2M);
	world_end(&w);
}

/*
 * The highest gap in which whole huge pages lie, whatever the hint:
 *
 *	|    2M    |    2M    | page | end of user addresses
 *	            |=========|
 */
static void an_address_that_the_kernel_chooses_is_aligned(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = hugetlb(&w, 4 * MS_2M, MS_2M);
	const ms_hva_t end = UINT64_C(1) << 48;

	map_anon(&w, end - PAGE, PAGE, MS_PROT_R);
	assert_int_equal(ms_mmap(w.mm, 0, MS_2M, MS_PROT_RW, MS_MAP_SHARED, file, 0),
			 end - 2 * MS_2M);
	assert_int_equal(ms_mmap(w.mm, A + PAGE, MS_2M, MS_PROT_RW, MS_MAP_SHARED, file, 0),
			 A + MS_2M);
	assert_vma(&w, A + MS_2M, A + 2 * MS_2M);
	world_end(&w);
}

static void the_kernels_page_size_is_the_files(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 2 * MS_2M, MS_PROT_RW);
	assert_int_equal(ms_vma_kernel_pagesize(ms_vma_lookup(w.mm, A)), PAGE);
	map_file(&w, hugetlb(&w, MS_2M, K64), B, 0, MS_2M, MS_MAP_SHARED);
	assert_int_equal(ms_vma_kernel_pagesize(ms_vma_lookup(w.mm, B)), K64);
	world_end(&w);
}

static void a_refused_mapping_zaps_nothing(void **state)
{
	struct world w = world("6.1.192");
	struct ms_file *file = hugetlb(&w, 4 * MS_2M, MS_2M);

	assert_int_equal(
		ms_mmap(w.mm, A, MS_2M, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, file, PAGE),
		-EINVAL);
	assert_int_equal(ms_trace_count(w.m, MS_EV_ZAP), 0);
	world_end(&w);
}

static void a_refused_mapping_is_said_to_be_zapped_where_the_callers_say_it(void **state)
{
	struct world w = world("7.2.13");
	struct ms_file *file = hugetlb(&w, 4 * MS_2M, MS_2M);

	assert_int_equal(
		ms_mmap(w.mm, A, MS_2M, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, file, PAGE),
		-EINVAL);
	assert_event(&w, MS_EV_ZAP, 0, A, MS_2M);
	assert_int_equal(ms_trace_count(w.m, MS_EV_ZAP), 1);
	world_end(&w);
}

static void the_vma_is_hugetlb_and_does_not_expand(void **state)
{
	struct world w = world("6.12.117");

	map_file(&w, hugetlb(&w, MS_2M, MS_2M), A, 0, MS_2M, MS_MAP_SHARED);
	assert_int_equal(ms_vma_lookup(w.mm, A)->vm_flags & (MS_VM_HUGETLB | MS_VM_DONTEXPAND),
			 MS_VM_HUGETLB | MS_VM_DONTEXPAND);
	world_end(&w);
}

static void a_mapping_that_ram_cannot_fill_is_refused_unless_nothing_is_reserved(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = hugetlb(&w, 4 * MS_1G, MS_2M);
	const unsigned int flags = MS_MAP_SHARED | MS_MAP_FIXED;

	assert_int_equal(ms_mmap(w.mm, A, 2 * MS_1G, MS_PROT_RW, flags, file, 0), -ENOMEM);
	assert_null(ms_vma_lookup(w.mm, A));
	assert_int_equal(ms_mmap(w.mm, A, 2 * MS_1G, MS_PROT_RW, flags | MS_MAP_NORESERVE, file, 0),
			 A);
	world_end(&w);
}

static void what_the_file_has_already_needs_no_room(void **state)
{
	struct world w = world("6.12.117");
	const uint64_t len = 384 * MS_2M;
	struct ms_file *file = hugetlb(&w, len, MS_2M);
	const unsigned int priv = MS_MAP_PRIVATE | MS_MAP_FIXED;

	map_file(&w, file, A, 0, len, MS_MAP_SHARED);
	for (uint64_t off = 0; off < len; off += MS_2M)
		touch(&w, A + off, MS_PROT_W);
	map_file(&w, file, B, 0, len, MS_MAP_SHARED);
	// private pages are always new ones
	assert_int_equal(ms_mmap(w.mm, B, len, MS_PROT_RW, priv, file, 0), -ENOMEM);
	world_end(&w);
}

static void a_fault_without_a_page_is_sigbus(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = hugetlb(&w, 4 * MS_1G, MS_1G);
	const unsigned int flags = MS_MAP_SHARED | MS_MAP_FIXED | MS_MAP_NORESERVE;

	assert_int_equal(ms_mmap(w.mm, A, 2 * MS_1G, MS_PROT_RW, flags, file, 0), A);
	touch(&w, A, MS_PROT_W);
	assert_int_equal(ms_touch(w.mm, A + MS_1G, MS_PROT_W), MS_ACCESS_SIGBUS);
	world_end(&w);
}

static void beyond_the_end_is_sigbus_for_a_read_only_mapping_alone(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = hugetlb(&w, MS_2M, MS_2M);

	assert_int_equal(
		ms_mmap(w.mm, A, 2 * MS_2M, MS_PROT_R, MS_MAP_SHARED | MS_MAP_FIXED, file, 0), A);
	touch(&w, A, MS_PROT_R);
	assert_int_equal(ms_touch(w.mm, A + MS_2M, MS_PROT_R), MS_ACCESS_SIGBUS);
	// a writable mapping makes the file longer
	map_file(&w, file, B, 0, 2 * MS_2M, MS_MAP_SHARED);
	touch(&w, B + MS_2M, MS_PROT_W);
	touch(&w, A + MS_2M, MS_PROT_R);
	world_end(&w);
}

/* ---- sizes ---- */

static void each_size_is_a_run_of_its_levels_entries(void **state)
{
	static const struct {
		uint64_t huge, leaf;
	} sizes[] = { { K64, PAGE }, { MS_2M, MS_2M }, { M32, MS_2M }, { MS_1G, MS_1G } };

	for (size_t i = 0; i < 4; i++) {
		struct world w = world("6.12.117");
		uint64_t huge = sizes[i].huge;
		uint64_t free_pages = ms_ram_free_pages(w.m);
		struct ms_file *file = hugetlb(&w, huge, huge);

		map_file(&w, file, A, 0, huge, MS_MAP_SHARED);
		touch(&w, A + huge / 2, MS_PROT_R);
		for (uint64_t off = 0; off < huge; off += sizes[i].leaf) {
			assert_true(leaf_at(w.mm, A + off).entry & MS_PTE_WRITE);
			assert_int_equal(leaf_size(w.mm, A + off), sizes[i].leaf);
			assert_int_equal(pa_of(w.mm, A + off), pa_of(w.mm, A) + off);
		}
		assert_true(ms_aligned(pa_of(w.mm, A), huge));
		assert_int_equal(ms_munmap(w.mm, A, huge), 0);
		ms_file_put(file);
		assert_int_equal(ms_ram_free_pages(w.m), free_pages);
		world_end(&w);
	}
}

static void pages_of_16k_have_sizes_of_their_own(void **state)
{
	static const struct {
		uint64_t huge, leaf;
	} sizes[] = { { MS_2M, 0x4000 }, { M32, M32 }, { MS_1G, M32 } };
	struct ms_machine_config config = { .page_size = 0x4000 };

	for (size_t i = 0; i < 3; i++) {
		struct world w;

		w.m = ms_machine_new_config(ms_policy_linux("6.12.117", MS_ARCH_ARM64), &config);
		assert_int_equal(ms_ram_add(w.m, MS_1G, MS_1G), 0);
		w.mm = ms_mm_new(w.m);
		map_file(&w, hugetlb(&w, sizes[i].huge, sizes[i].huge), A, 0, sizes[i].huge,
			 MS_MAP_SHARED);
		touch(&w, A, MS_PROT_W);
		assert_int_equal(leaf_size(w.mm, A + sizes[i].huge - 1), sizes[i].leaf);
		world_end(&w);
	}
}

static void unknown_sizes_have_no_file(void **state)
{
	struct world w = world("6.12.117");

	assert_null(ms_memfd_hugetlb_new(w.m, MS_1G, PAGE));
	assert_null(ms_memfd_hugetlb_new(w.m, MS_1G, 4 * MS_2M));
	world_end(&w);
}

/* ---- private mappings ---- */

static void a_private_read_maps_a_page_of_its_own_read_only(void **state)
{
	struct world w = world("6.12.117");

	map_file(&w, hugetlb(&w, MS_2M, MS_2M), A, 0, MS_2M, MS_MAP_PRIVATE);
	touch(&w, A, MS_PROT_R);
	assert_false(writable(&w, A));
	ms_trace_clear(w.m);
	touch(&w, A, MS_PROT_W);
	assert_true(writable(&w, A));
	// nobody else has the page: no copy, no notification
	assert_int_equal(notifications(&w), 0);
	world_end(&w);
}

static void a_private_write_copies_a_page_that_the_file_has(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);
		struct ms_file *file = hugetlb(&w, MS_2M, MS_2M);

		map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
		touch(&w, A, MS_PROT_W);
		map_file(&w, file, B, 0, MS_2M, MS_MAP_PRIVATE);
		touch(&w, B, MS_PROT_R);
		assert_int_equal(pa_of(w.mm, B), pa_of(w.mm, A));
		ms_trace_clear(w.m);
		touch(&w, B, MS_PROT_W);
		assert_int_not_equal(pa_of(w.mm, B), pa_of(w.mm, A));
		assert_event(&w, MS_EV_NOTIFIER_START, 0, B, MS_2M);
		assert_int_equal(notifications(&w), 1);
		// the file's page is the cache's and A's again
		assert_int_equal(ms_pfn_to_page(w.m, pa_of(w.mm, A) >> 12)->refcount, 2);
		world_end(&w);
	}
}

/* 64K: each of the sixteen entries holds the page */
static void a_contiguous_private_page_is_reused_by_its_only_owner(void **state)
{
	struct world w = world("6.12.117");
	struct ms_mm *child;
	ms_pa_t pa;

	map_file(&w, hugetlb(&w, K64, K64), A, 0, K64, MS_MAP_PRIVATE);
	touch(&w, A, MS_PROT_W);
	pa = pa_of(w.mm, A);
	child = ms_fork(w.mm);
	assert_non_null(child);
	assert_false(writable(&w, A));
	ms_mm_exit(child);
	ms_trace_clear(w.m);
	touch(&w, A + 5 * PAGE, MS_PROT_W);
	assert_int_equal(pa_of(w.mm, A), pa);
	assert_int_equal(notifications(&w), 0);
	world_end(&w);
}

static void every_allocation_may_fail(void **state)
{
	static const unsigned int kinds[] = { MS_MAP_SHARED, MS_MAP_PRIVATE };

	for (size_t i = 0; i < 2; i++) {
		enum ms_access access = MS_ACCESS_OOM;

		for (uint64_t n = 1; access != MS_ACCESS_OK; n++) {
			struct world w = world("6.12.117");
			struct ms_file *file = hugetlb(&w, M32, M32);
			uint64_t free_pages = ms_ram_free_pages(w.m);

			map_file(&w, file, A, 0, M32, kinds[i]);
			ms_machine_fail_alloc(w.m, n);
			access = ms_touch(w.mm, A, MS_PROT_W);
			ms_machine_fail_alloc(w.m, 0);
			touch(&w, A, MS_PROT_W);
			ms_file_put(file);
			assert_int_equal(ms_munmap(w.mm, A, M32), 0);
			assert_int_equal(ms_ram_free_pages(w.m), free_pages);
			world_end(&w);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(address_and_offset_must_be_aligned_and_the_length_is_rounded_up),
		cmocka_unit_test(an_address_that_the_kernel_chooses_is_aligned),
		cmocka_unit_test(the_kernels_page_size_is_the_files),
		cmocka_unit_test(a_refused_mapping_zaps_nothing),
		cmocka_unit_test(a_refused_mapping_is_said_to_be_zapped_where_the_callers_say_it),
		cmocka_unit_test(the_vma_is_hugetlb_and_does_not_expand),
		cmocka_unit_test(
			a_mapping_that_ram_cannot_fill_is_refused_unless_nothing_is_reserved),
		cmocka_unit_test(what_the_file_has_already_needs_no_room),
		cmocka_unit_test(a_fault_without_a_page_is_sigbus),
		cmocka_unit_test(beyond_the_end_is_sigbus_for_a_read_only_mapping_alone),
		cmocka_unit_test(each_size_is_a_run_of_its_levels_entries),
		cmocka_unit_test(pages_of_16k_have_sizes_of_their_own),
		cmocka_unit_test(unknown_sizes_have_no_file),
		cmocka_unit_test(a_private_read_maps_a_page_of_its_own_read_only),
		cmocka_unit_test(a_private_write_copies_a_page_that_the_file_has),
		cmocka_unit_test(a_contiguous_private_page_is_reused_by_its_only_owner),
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
