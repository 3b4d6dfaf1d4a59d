// SPDX-License-Identifier: GPL-2.0-only
/*
 * How large an entry is: the largest level that the slot allows and that the host's leaf has.
 *
 *   host   HVA  |------------- 1G -------------|------------- 1G -------------|
 *   guest  GPA  |------------------------------|------------------------------|
 */
#include "world.h"

struct slot_case {
	uint64_t gpa, hva, size; /* of the slot, from GPA and HVA on */
	uint64_t at;             /* the guest writes at GPA + at */
	uint64_t leaf;
	const char *why;
};

static void assert_sizes(const struct slot_case *cases, size_t n)
{
	struct world w = x86_world("6.12.117");

	map_hugetlb(&w, HVA, 2 * MS_1G, MS_1G);
	for (size_t i = 0; i < n; i++) {
		const struct slot_case *c = &cases[i];
		struct ms_guest_access access;

		show_at(&w, 1, GPA + c->gpa, c->size, HVA + c->hva, 0);
		access = ms_guest_write(w.vm, GPA + c->at);
		assert_int_equal(access.exit, MS_GUEST_OK);
		assert_int_equal(access.leaf.size, c->leaf);
		assert_int_equal(access.leaf.ipa, (GPA + c->at) & ~(c->leaf - 1));
		assert_string_equal(access.leaf.reason, c->why);
		show_at(&w, 1, GPA, 0, 0, 0);
	}
	world_end(&w);
}

#define HOST "host maps at least 1G here, block inside memslot"
#define HOST_2M "host maps at least 2M here, block inside memslot"

static void slot_of_whole_blocks_has_entries_as_large_as_the_host_s(void **state)
{
	static const struct slot_case cases[] = {
		{ 0, 0, 2 * MS_1G, 5 * PAGE, MS_1G, HOST },
		{ 0, 0, 2 * MS_1G, 2 * MS_1G - PAGE, MS_1G, HOST },
		{ MS_1G, 0, MS_1G, MS_1G, MS_1G, HOST },
	};

	assert_sizes(cases, sizeof(cases) / sizeof(cases[0]));
}

/*
 *   host   |------- 1G -------|
 *   guest  2M|------- 1G -------|      no block of 1G, every one of 2M
 *   guest  4K|------- 1G -------|      pages only
 */
static void a_level_modulo_which_gpa_and_hva_differ_is_nowhere_in_the_slot(void **state)
{
	static const struct slot_case cases[] = {
		{ MS_2M, 0, MS_1G, MS_2M, MS_2M,
		  "gpa and hva not congruent modulo 1G, smaller block" },
		{ MS_2M, 0, 2 * MS_1G, MS_1G, MS_2M,
		  "gpa and hva not congruent modulo 1G, smaller block" },
		{ PAGE, 0, MS_1G, MS_2M, PAGE, "gpa and hva not congruent modulo 2M" },
		{ 0, MS_2M - PAGE, MS_1G, MS_2M, PAGE, "gpa and hva not congruent modulo 2M" },
	};

	assert_sizes(cases, sizeof(cases) / sizeof(cases[0]));
}

/*
 *   1G       |----------------|----------------|
 *   slot       [...................]            2M at both ends, 1G nowhere
 *   slot       [..............|================]  2M first, then 1G
 *   slot     [================|...............]   1G first, then 2M
 */
static void a_block_that_is_partly_outside_of_the_slot_falls_to_the_next_level(void **state)
{
	static const char before[] = "block of 1G would begin before the memslot, smaller block";
	static const char behind[] = "block of 1G would end after the memslot, smaller block";
	static const struct slot_case cases[] = {
		{ MS_2M, MS_2M, 2 * MS_1G - MS_2M, MS_2M, MS_2M, before },
		{ MS_2M, MS_2M, 2 * MS_1G - MS_2M, MS_1G - PAGE, MS_2M, before },
		{ MS_2M, MS_2M, 2 * MS_1G - MS_2M, MS_1G, MS_1G, HOST },
		{ 0, 0, 2 * MS_1G - MS_2M, PAGE, MS_1G, HOST },
		{ 0, 0, 2 * MS_1G - MS_2M, MS_1G, MS_2M, behind },
		{ 0, 0, MS_1G - MS_2M, PAGE, MS_2M, behind },
		// both levels
		{ PAGE, PAGE, MS_1G, PAGE, PAGE, "block of 2M would begin before the memslot" },
		{ PAGE, PAGE, MS_1G, MS_2M - PAGE, PAGE,
		  "block of 2M would begin before the memslot" },
		{ PAGE, PAGE, MS_1G, MS_2M, MS_2M, before },
		{ 0, 0, 2 * MS_1G - PAGE, 2 * MS_1G - MS_2M, PAGE,
		  "block of 2M would end after the memslot" },
		{ 0, 0, 2 * MS_1G - PAGE, 2 * MS_1G - MS_2M - PAGE, MS_2M, behind },
		{ 0, 0, MS_2M - PAGE, PAGE, PAGE, "block of 2M would end after the memslot" },
	};

	assert_sizes(cases, sizeof(cases) / sizeof(cases[0]));
}

/*
 *   2M     |---------------|
 *   slots  [1111111|2222222]
 */
static void two_slots_that_meet_in_a_block_have_pages_there(void **state)
{
	struct world w = x86_world("7.3.4");

	map_anon(&w, HVA, MS_2M);
	host_write(&w, HVA);
	show(&w, MS_2M / 2, 0);
	show_at(&w, 2, GPA + MS_2M / 2, MS_2M / 2, HVA + MS_2M / 2, 0);
	guest(&w, GPA, MS_PROT_W);
	guest(&w, GPA + MS_2M - PAGE, MS_PROT_W);
	assert_string_equal(events(&w),
			    "s2.map ipa=0x80000000 size=0x1000 pa=ram " RWX " leaf=0x1000\n"
			    "s2.map ipa=0x801ff000 size=0x1000 pa=ram " RWX " leaf=0x1000\n");
	world_end(&w);
}

/* ---- the host's leaf ---- */

static uint64_t size_of_first_write(struct world *w, uint64_t len)
{
	struct ms_guest_access access;

	show(w, len, 0);
	access = ms_guest_write(w->vm, GPA + 3 * PAGE);
	assert_int_equal(access.exit, MS_GUEST_OK);
	world_end(w);
	return access.leaf.size;
}

static void ram_is_mapped_as_the_host_maps_it_on_every_kernel(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		struct world w = x86_start(k, NULL);

		map_anon(&w, HVA, 2 * MS_2M);
		assert_int_equal(size_of_first_write(&w, 2 * MS_2M), MS_2M);
		w = x86_start(k, NULL);
		map_pages(&w, HVA, 2 * MS_2M);
		assert_int_equal(size_of_first_write(&w, 2 * MS_2M), PAGE);
		w = x86_start(k, NULL);
		map_hugetlb(&w, HVA, 2 * MS_2M, MS_2M);
		assert_int_equal(size_of_first_write(&w, 2 * MS_2M), MS_2M);
		w = x86_start(k, NULL);
		map_hugetlb(&w, HVA, MS_1G, MS_1G);
		assert_int_equal(size_of_first_write(&w, MS_1G), MS_1G);
	}
}

/* Without a look at vm_pgoff, and without 2M that arm64 would find in it. */
static void remapped_pages_are_mapped_as_pages_on_every_kernel(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		struct world w = x86_start(k, NULL);

		map_bar(&w, HVA, 2 * MS_2M, 0);
		assert_int_equal(size_of_first_write(&w, 2 * MS_2M), PAGE);
		w = x86_start(k, NULL);
		map_resource(&w, HVA, 2 * MS_2M, MS_PROT_RW, MS_MAP_SHARED);
		assert_int_equal(size_of_first_write(&w, 2 * MS_2M), PAGE);
	}
}

static void leaves_of_a_device_count_where_blocks_need_no_struct_page(void **state)
{
	struct world w = x86_world("7.2.13");

	map_lazy_huge(&w, HVA, 2 * MS_2M, MS_PROT_RW);
	assert_int_equal(size_of_first_write(&w, 2 * MS_2M), MS_2M);
}

static void leaves_of_a_device_are_pages_where_a_block_is_a_compound_page(void **state)
{
	struct world w = x86_world_with("7.2.13", "tdp_block_page", "COMPOUND");
	struct ms_guest_access access;

	map_lazy_huge(&w, HVA, 2 * MS_2M, MS_PROT_RW);
	map_anon(&w, HVA + 2 * MS_2M, MS_2M);
	show(&w, 3 * MS_2M, 0);
	access = ms_guest_write(w.vm, GPA + PAGE);
	assert_int_equal(access.leaf.size, PAGE);
	assert_string_equal(access.leaf.reason,
			    "device memory does not take the size of its host leaf");
	assert_int_equal(ms_guest_write(w.vm, GPA + 2 * MS_2M).leaf.size, MS_2M);
	world_end(&w);
}

/*
 *   file   |- 2M -|- 2M -|  ...  |  1G from HVA on, then 4M
 */
static void vfio_is_mapped_by_2m_and_1g_where_its_faults_make_such_leaves(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct world w = x86_start(k, NULL);
		struct ms_file *vfio = ms_vfio_open(ms_device_find(w.m, "bar"));
		struct ms_host_leaf host;

		assert_int_equal(ms_mmap(w.mm, HVA, MS_1G + 2 * MS_2M, MS_PROT_RW,
					 MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE, vfio,
					 ms_vfio_offset(vfio)),
				 HVA);
		show(&w, MS_1G + 2 * MS_2M, 0);
		guest(&w, GPA + 9 * PAGE, MS_PROT_R);
		assert_true(ms_host_leaf(w.mm, HVA, &host));
		assert_int_equal(leaf_at(&w, GPA + 9 * PAGE).size, host.size);
		guest(&w, GPA + MS_1G, MS_PROT_R);
		assert_true(ms_host_leaf(w.mm, HVA + MS_1G, &host));
		assert_int_equal(leaf_at(&w, GPA + MS_1G).size, host.size);
		if (!strcmp(k->release, "7.2.13"))
			assert_int_equal(leaf_at(&w, GPA).size, MS_1G);
		ms_file_put(vfio);
		world_end(&w);
	}
}

static void the_leaf_counts_that_is_there_at_the_fault(void **state)
{
	struct world w = x86_world("7.2.13");

	map_anon(&w, HVA, 2 * MS_2M);
	host_write(&w, HVA);
	host_write(&w, HVA + MS_2M);
	// of the first block a page is torn out of the leaf
	assert_int_equal(ms_madvise(w.mm, HVA + PAGE, PAGE, MS_MADV_DONTNEED), 0);
	// the second keeps its leaf, whatever it is advised now
	assert_int_equal(ms_madvise(w.mm, HVA + MS_2M, MS_2M, MS_MADV_NOHUGEPAGE), 0);
	show(&w, 2 * MS_2M, 0);
	assert_int_equal(ms_guest_write(w.vm, GPA).leaf.size, PAGE);
	assert_int_equal(ms_guest_write(w.vm, GPA + MS_2M).leaf.size, MS_2M);
	world_end(&w);
}

static void a_collapsed_block_takes_the_place_of_a_table(void **state)
{
	struct world w = x86_world("7.2.13");

	map_pages(&w, HVA, MS_2M);
	show(&w, MS_2M, 0);
	guest(&w, GPA, MS_PROT_W);
	guest(&w, GPA + 5 * PAGE, MS_PROT_W);
	assert_int_equal(ms_madvise(w.mm, HVA, MS_2M, MS_MADV_HUGEPAGE), 0);
	assert_int_equal(ms_madvise(w.mm, HVA, MS_2M, MS_MADV_COLLAPSE), 0);
	events(&w);
	guest(&w, GPA, MS_PROT_W);
	assert_string_equal(events(&w),
			    "s2.map ipa=0x80000000 size=0x200000 pa=ram " RWX " leaf=0x200000\n");
	world_end(&w);
}

/* ---- logs ---- */

static void a_logged_slot_has_pages(void **state)
{
	struct world w = x86_world("7.2.13");
	struct ms_guest_access access;

	map_anon(&w, HVA, MS_2M);
	show(&w, MS_2M, MS_SLOT_LOG_DIRTY);
	access = ms_guest_write(w.vm, GPA + PAGE);
	assert_int_equal(access.leaf.size, PAGE);
	assert_string_equal(access.leaf.reason, "dirty logging maps pages");
	world_end(&w);
}

static void a_read_only_slot_has_blocks_until_it_is_logged(void **state)
{
	struct world w = x86_world("7.2.13");

	map_anon(&w, HVA, 2 * MS_2M);
	host_write(&w, HVA);
	host_write(&w, HVA + MS_2M);
	show(&w, 2 * MS_2M, MS_SLOT_READONLY);
	assert_int_equal(ms_guest_read(w.vm, GPA).leaf.size, MS_2M);
	events(&w);
	// switching it on touches nothing
	show(&w, 2 * MS_2M, MS_SLOT_READONLY | MS_SLOT_LOG_DIRTY);
	assert_string_equal(events(&w), "");
	assert_int_equal(ms_guest_read(w.vm, GPA + MS_2M).leaf.size, PAGE);
	events(&w);
	// nor does switching it off
	show(&w, 2 * MS_2M, MS_SLOT_READONLY);
	assert_string_equal(events(&w), "");
	assert_int_equal(leaf_at(&w, GPA).size, MS_2M);
	assert_int_equal(leaf_at(&w, GPA + MS_2M).size, PAGE);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slot_of_whole_blocks_has_entries_as_large_as_the_host_s),
		cmocka_unit_test(a_level_modulo_which_gpa_and_hva_differ_is_nowhere_in_the_slot),
		cmocka_unit_test(
			a_block_that_is_partly_outside_of_the_slot_falls_to_the_next_level),
		cmocka_unit_test(two_slots_that_meet_in_a_block_have_pages_there),
		cmocka_unit_test(ram_is_mapped_as_the_host_maps_it_on_every_kernel),
		cmocka_unit_test(remapped_pages_are_mapped_as_pages_on_every_kernel),
		cmocka_unit_test(leaves_of_a_device_count_where_blocks_need_no_struct_page),
		cmocka_unit_test(leaves_of_a_device_are_pages_where_a_block_is_a_compound_page),
		cmocka_unit_test(vfio_is_mapped_by_2m_and_1g_where_its_faults_make_such_leaves),
		cmocka_unit_test(the_leaf_counts_that_is_there_at_the_fault),
		cmocka_unit_test(a_collapsed_block_takes_the_place_of_a_table),
		cmocka_unit_test(a_logged_slot_has_pages),
		cmocka_unit_test(a_read_only_slot_has_blocks_until_it_is_logged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
