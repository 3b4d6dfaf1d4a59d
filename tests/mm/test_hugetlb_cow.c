/* SPDX-License-Identifier: GPL-2.0-only */
/* Private hugetlb memory whose owner copies on write and finds no page: a child loses its own. */
#include "files.h"

#define B (A + MS_1G)

/* A world of one page, which its owner has written, and a child that has it, too. */
struct family {
	struct world w;
	struct ms_mm *child;
	struct ms_file *file;
};

static struct family family(const struct ms_policy *policy, uint64_t pages)
{
	struct family f = { .w = world_pool(policy, pages) };

	f.file = hugetlb(&f.w, 2 * MS_2M, MS_2M);
	map_file(&f.w, f.file, A, 0, MS_2M, MS_MAP_PRIVATE);
	touch(&f.w, A, MS_PROT_W);
	f.child = ms_fork(f.w.mm);
	assert_non_null(f.child);
	ms_trace_clear(f.w.m);
	return f;
}

static const struct ms_policy *linux_of(const char *release)
{
	return ms_policy_linux(release, MS_ARCH_ARM64);
}

static bool has_page(const struct ms_mm *mm, ms_hva_t addr)
{
	struct ms_host_leaf leaf;

	return ms_host_leaf(mm, addr, &leaf);
}

static void the_owner_takes_its_page_back(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct family f = family(k, 1);
		ms_pa_t pa = pa_of(f.w.mm, A);

		touch(&f.w, A + PAGE, MS_PROT_W);
		assert_int_equal(pa_of(f.w.mm, A), pa);
		assert_true(writable(&f.w, A));
		assert_false(has_page(f.child, A));
		assert_int_equal(ms_trace_count(f.w.m, MS_EV_ZAP), 1);
		assert_event(&f.w, MS_EV_ZAP, 0, A, MS_2M);
		assert_int_equal(event(&f.w, MS_EV_ZAP, 0)->mm, ms_mm_id(f.child));
		for (size_t n = 0; n < ms_trace_count(f.w.m, MS_EV_NOTIFIER_START); n++)
			assert_int_equal(event(&f.w, MS_EV_NOTIFIER_START, n)->mm,
					 ms_mm_id(f.child));
		world_end(&f.w);
	}
}

static void the_child_gets_no_other_page(void **state)
{
	struct family f = family(linux_of("6.12.117"), 1);

	touch(&f.w, A, MS_PROT_W);
	assert_int_equal(ms_touch(f.child, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	assert_int_equal(ms_munmap(f.w.mm, A, MS_2M), 0);
	// there is a free one now, but what it had would be lost
	assert_int_equal(ms_touch(f.child, A, MS_PROT_W), MS_ACCESS_SIGBUS);
	ms_mm_exit(f.child);
	world_end(&f.w);
}

static void a_free_page_that_another_has_reserved_is_not_for_the_copy(void **state)
{
	struct family f = family(linux_of("6.12.117"), 2);

	map_file(&f.w, f.file, B, 0, MS_2M, MS_MAP_PRIVATE);
	touch(&f.w, A, MS_PROT_W);
	assert_false(has_page(f.child, A));
	touch(&f.w, B, MS_PROT_W);
	world_end(&f.w);
}

static void a_free_page_is_copied_to_and_the_child_keeps_its_own(void **state)
{
	struct family f = family(linux_of("6.12.117"), 2);

	touch(&f.w, A, MS_PROT_W);
	assert_true(has_page(f.child, A));
	assert_int_equal(ms_trace_count(f.w.m, MS_EV_ZAP), 0);
	world_end(&f.w);
}

static void a_child_that_writes_first_takes_nothing_away(void **state)
{
	struct family f = family(linux_of("6.12.117"), 1);

	assert_int_equal(ms_touch(f.child, A, MS_PROT_W), MS_ACCESS_SIGBUS);
	assert_true(has_page(f.w.mm, A));
	assert_true(has_page(f.child, A));
	world_end(&f.w);
}

/* The file's own page is in private tables, too, and stays there. */
static void a_page_of_the_file_is_not_taken_away(void **state)
{
	struct world w = world_pool(linux_of("6.12.117"), 2);
	struct ms_file *file = hugetlb(&w, 2 * MS_2M, MS_2M);

	map_file(&w, file, B, 0, MS_2M, MS_MAP_SHARED);
	touch(&w, B, MS_PROT_W);
	map_file(&w, file, A, 0, MS_2M, MS_MAP_PRIVATE);
	touch(&w, A, MS_PROT_R);
	struct ms_mm *child = ms_fork(w.mm);
	assert_int_equal(ms_touch(child, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(ms_touch(child, A, MS_PROT_W), MS_ACCESS_SIGBUS);
	touch(&w, A, MS_PROT_W);
	assert_true(has_page(child, A));
	assert_true(present(&w, B));
	world_end(&w);
}

/*
 *   owner  A |page|
 *   child         B |page|      moved
 */
static void a_child_that_has_moved_loses_its_page_by_the_files_offset(void **state)
{
	struct ms_policy policy = *linux_of("7.2.13");

	policy.hugetlb_take_back = MS_HUGETLB_TAKE_BACK_BY_OFFSET;
	struct family f = family(&policy, 1);

	assert_int_equal(
		ms_mremap(f.child, A, MS_2M, MS_2M, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, B), B);
	ms_trace_clear(f.w.m);
	touch(&f.w, A, MS_PROT_W);
	assert_event(&f.w, MS_EV_ZAP, 0, B, MS_2M);
	assert_false(has_page(f.child, B));
	assert_int_equal(ms_touch(f.child, B, MS_PROT_R), MS_ACCESS_SIGBUS);
	world_end(&f.w);
}

static void where_the_child_is_looked_for_at_the_owners_address_the_write_never_ends(void **state)
{
	struct family f = family(linux_of("7.2.13"), 1);

	assert_int_equal(
		ms_mremap(f.child, A, MS_2M, MS_2M, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, B), B);
	ms_trace_clear(f.w.m);
	assert_int_equal(ms_touch(f.w.mm, A, MS_PROT_W), MS_ACCESS_ENDLESS);
	assert_event(&f.w, MS_EV_ZAP, 0, A, MS_2M);
	assert_true(has_page(f.child, B));
	assert_string_equal(event(&f.w, MS_EV_VIOLATION, 0)->reason,
			    "hugetlb copy-on-write never ends: a child has moved the page");
	assert_int_equal(ms_trace_count(f.w.m, MS_EV_VIOLATION), 1);
	world_end(&f.w);
}

/* Where the child has put other memory at the owner's address, that is left alone. */
static void other_memory_of_the_child_at_that_address_stays(void **state)
{
	static const unsigned int flags =
		MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS | MS_MAP_POPULATE;

	struct family f = family(linux_of("7.2.13"), 1);

	assert_int_equal(
		ms_mremap(f.child, A, MS_2M, MS_2M, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, B), B);
	assert_int_equal(ms_mmap(f.child, A, MS_2M, MS_PROT_RW, flags, NULL, 0), A);
	assert_int_equal(ms_touch(f.w.mm, A, MS_PROT_W), MS_ACCESS_ENDLESS);
	assert_true(has_page(f.child, A));
	assert_true(has_page(f.child, B));
	world_end(&f.w);
}

static void without_a_pool_the_page_is_taken_back_when_ram_is_out(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *file = hugetlb(&w, MS_1G, MS_1G);

	map_file(&w, file, A, 0, MS_1G, MS_MAP_PRIVATE);
	touch(&w, A, MS_PROT_W);
	struct ms_mm *child = ms_fork(w.mm);
	touch(&w, A, MS_PROT_W);
	assert_false(has_page(child, A));
	assert_int_equal(ms_touch(child, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_owner_takes_its_page_back),
		cmocka_unit_test(the_child_gets_no_other_page),
		cmocka_unit_test(a_free_page_that_another_has_reserved_is_not_for_the_copy),
		cmocka_unit_test(a_free_page_is_copied_to_and_the_child_keeps_its_own),
		cmocka_unit_test(a_child_that_writes_first_takes_nothing_away),
		cmocka_unit_test(a_page_of_the_file_is_not_taken_away),
		cmocka_unit_test(a_child_that_has_moved_loses_its_page_by_the_files_offset),
		cmocka_unit_test(
			where_the_child_is_looked_for_at_the_owners_address_the_write_never_ends),
		cmocka_unit_test(other_memory_of_the_child_at_that_address_stays),
		cmocka_unit_test(without_a_pool_the_page_is_taken_back_when_ram_is_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
