/* SPDX-License-Identifier: GPL-2.0-only */
/* The block size of device memory, asked of every family of kernels. */
#include "cases.h"

#include <mapsim/drivers.h>

static void map_resource(struct world *w, ms_hva_t hva, uint64_t len, uint64_t off)
{
	struct ms_file *file = ms_pci_resource(ms_device_find(w->m, "H"));

	assert_int_equal(ms_mmap(w->mm, hva, len, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE, file, off),
			 hva);
}

static void map_vfio(struct world *w, ms_hva_t hva, uint64_t len, uint64_t off)
{
	struct ms_file *file = ms_vfio_open(ms_device_find(w->m, "H"));

	assert_non_null(file);
	assert_int_equal(ms_mmap(w->mm, hva, len, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE, file,
				 ms_vfio_offset(file) + off),
			 hva);
}

static void two_gib_of_vfio(void **state)
{
	static const struct answer answers[] = {
		{ "5.15",
		  "s2.map ipa=0x100000000 size=0x40000000 pa=0x4000000000 prot=rw,device\n" },
		{ "6.1.0",
		  "s2.map ipa=0x100000000 size=0x40000000 pa=0x4000000000 prot=rw,device\n" },
		{ "6.1.192",
		  "s2.map ipa=0x100123000 size=0x1000 pa=0x4000123000 prot=rw,device\n" },
		{ "6.12.0",
		  "s2.map ipa=0x100000000 size=0x40000000 pa=0x4000000000 prot=rw,normal-nc\n" },
		{ "6.12.117",
		  "s2.map ipa=0x100000000 size=0x200000 pa=0x4000000000 prot=rw,normal-nc\n" },
		{ "6.17",
		  "s2.map ipa=0x100000000 size=0x40000000 pa=0x4000000000 prot=rw,normal-nc\n" },
		{ "7.2.13",
		  "s2.map ipa=0x100000000 size=0x200000 pa=0x4000000000 prot=rw,normal-nc\n" },
		{ NULL, NULL },
	};

	(void)state;
	for (const struct answer *a = answers; a->release; a++) {
		struct world w = case_world(a->release, NULL);

		map_vfio(&w, A, 2 * MS_1G, 0);
		case_slot(&w, 0x100000000, 2 * MS_1G, A);
		assert_read_maps(&w, 0x100123000, a->events);
		world_end(&w);
	}
}

static void block_base_is_faulted_in_by_vfio_where_vm_pgoff_is_believed(void **state)
{
	struct world w = case_world("6.12.0", NULL);
	struct ms_host_leaf leaf;

	(void)state;
	map_vfio(&w, A, 2 * MS_1G, 0);
	case_slot(&w, 0x100000000, 2 * MS_1G, A);
	assert_int_equal(ms_guest_read(w.vm, 0x100723000).leaf.size, MS_1G);
	assert_true(ms_host_leaf(w.mm, A, &leaf));
	assert_int_equal(leaf.size, MS_2M);
	assert_false(ms_host_leaf(w.mm, A + 0x723000, &leaf));
	world_end(&w);
}

static const char *const lazy_releases[] = { "5.15",     "6.1.0", "6.1.192", "6.12.0",
					     "6.12.117", "6.17",  "7.2.13" };
#define NR_LAZY (sizeof(lazy_releases) / sizeof(lazy_releases[0]))

static void host_address_that_is_not_congruent_gets_pages_everywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_LAZY; i++) {
		struct world w = case_world(lazy_releases[i], NULL);

		map_resource(&w, A + 0x100000, MS_1G, 0);
		case_slot(&w, 0x100100000, MS_1G, A + 0x100000);
		assert_read_maps(
			&w, 0x100300000,
			"s2.map ipa=0x100300000 size=0x1000 pa=0x4000200000 prot=rw,device\n");
		world_end(&w);
	}
}

#define PAGE_1 "s2.map ipa=0x10001000 size=0x1000 pa=0x4000001000 prot=rw,device\n"
#define BLOCK_0 "s2.map ipa=0x10000000 size=0x200000 pa=0x4000000000 prot=rw,device\n"

static void four_megabytes_of_sysfs(void **state)
{
	static const struct answer answers[] = {
		{ "5.15", BLOCK_0 },   { "6.1.0", BLOCK_0 },   { "6.1.192", PAGE_1 },
		{ "6.12.0", BLOCK_0 }, { "6.12.117", PAGE_1 }, { "6.17", BLOCK_0 },
		{ "7.2.13", PAGE_1 },  { NULL, NULL },
	};

	(void)state;
	for (const struct answer *a = answers; a->release; a++) {
		struct world w = case_world(a->release, NULL);

		map_resource(&w, A, 0x400000, 0);
		case_slot(&w, 0x10000000, 0x400000, A);
		assert_read_maps(&w, 0x10001000, a->events);
		world_end(&w);
	}
}

/*  hva  A| BAR page 0 | anon ......................... |A+4M   one slot over both */
static void block_over_the_anonymous_memory_behind_one_page_of_bar(void **state)
{
	static const struct {
		const char *release;
		uint64_t size;
	} answers[] = {
		{ "5.15", MS_2M },    { "6.1.0", MS_2M }, { "6.1.192", PAGE }, { "6.12.0", MS_2M },
		{ "6.12.117", PAGE }, { "6.17", MS_2M },  { "7.2.13", PAGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct world w = case_world(answers[i].release, NULL);

		map_resource(&w, A, PAGE, 0);
		map_anon(&w, A + PAGE, 0x400000 - PAGE);
		case_slot(&w, 0x10000000, 0x400000, A);
		assert_int_equal(ms_guest_read(w.vm, 0x10000000).leaf.size, answers[i].size);
		world_end(&w);
	}
}

static void one_gib_from_the_middle_of_a_gib_of_bar(void **state)
{
	static const struct answer answers[] = {
		{ "5.15", "s2.map ipa=0x100000000 size=0x200000 pa=0x4000200000 prot=rw,device\n" },
		{ "6.1.0",
		  "s2.map ipa=0x100000000 size=0x200000 pa=0x4000200000 prot=rw,device\n" },
		{ "6.1.192",
		  "s2.map ipa=0x100001000 size=0x1000 pa=0x4000201000 prot=rw,device\n" },
		{ "6.12.0",
		  "s2.map ipa=0x100000000 size=0x200000 pa=0x4000200000 prot=rw,normal-nc\n" },
		{ "6.12.117",
		  "s2.map ipa=0x100000000 size=0x200000 pa=0x4000200000 prot=rw,normal-nc\n" },
		{ "7.2.13",
		  "s2.map ipa=0x100000000 size=0x200000 pa=0x4000200000 prot=rw,normal-nc\n" },
		{ NULL, NULL },
	};

	(void)state;
	for (const struct answer *a = answers; a->release; a++) {
		struct world w = case_world(a->release, NULL);

		map_vfio(&w, A, MS_1G, 0x200000);
		case_slot(&w, 0x100000000, MS_1G, A);
		assert_read_maps(&w, 0x100001000, a->events);
		world_end(&w);
	}
}

static void guest_address_that_is_not_congruent_gets_pages_everywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_LAZY; i++) {
		struct world w = case_world(lazy_releases[i], NULL);

		map_resource(&w, A, 0x400000, 0);
		case_slot(&w, 0x10001000, 0x400000, A);
		assert_int_equal(ms_guest_read(w.vm, 0x10201000).leaf.size, PAGE);
		world_end(&w);
	}
}

/*  slot begins one page into the first 2M: pages there, a block in the second 2M */
static void slot_that_begins_inside_a_block(void **state)
{
	static const struct {
		const char *release;
		uint64_t second;
	} answers[] = {
		{ "5.15", MS_2M },    { "6.1.0", MS_2M }, { "6.1.192", PAGE }, { "6.12.0", MS_2M },
		{ "6.12.117", PAGE }, { "6.17", MS_2M },  { "7.2.13", PAGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct world w = case_world(answers[i].release, NULL);

		map_resource(&w, A, 0x400000, 0);
		case_slot(&w, 0x10001000, 0x3ff000, A + 0x1000);
		assert_int_equal(ms_guest_read(w.vm, 0x10002000).leaf.size, PAGE);
		assert_int_equal(ms_guest_read(w.vm, 0x10200000).leaf.size, answers[i].second);
		world_end(&w);
	}
}

/*
 *  A 1G block; one page in it is unmapped on the host. The VMA's split tells of 2M, of which the
 *  whole 1G goes; touched at its start, the hole is covered again.
 */
static void hole_in_a_gib_of_bar_is_covered_when_its_start_is_touched(void **state)
{
	static const char *const releases[] = { "5.15", "6.1.0" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct world w = case_world(releases[i], NULL);

		map_resource(&w, A, 2 * MS_1G, 0);
		case_slot(&w, 0x100000000, 2 * MS_1G, A);
		assert_int_equal(ms_guest_read(w.vm, 0x100123000).leaf.size, MS_1G);
		events(&w);
		assert_int_equal(ms_munmap(w.mm, A + 0x123000, PAGE), 0);
		assert_string_equal(events(&w), "s2.unmap ipa=0x100000000 size=0x200000\n"
						"s2.unmap ipa=0x100123000 size=0x1000\n");
		assert_int_equal(ms_guest_read(w.vm, 0x100123000).err, -EFAULT);
		assert_int_equal(ms_guest_read(w.vm, 0x100001000).leaf.size, PAGE);
		assert_int_equal(ms_guest_read(w.vm, 0x100000000).faults, 1);
		assert_int_equal(ms_guest_read(w.vm, 0x100123000).leaf.size, MS_1G);
		world_end(&w);
	}
}

static void with_64k_pages_the_block_is_512m(void **state)
{
	static const struct {
		const char *release;
		uint64_t size;
	} answers[] = {
		{ "5.15", 0x20000000 },   { "6.1.0", 0x20000000 }, { "6.1.192", 0x10000 },
		{ "6.12.0", 0x20000000 }, { "6.12.117", 0x10000 }, { "6.17", 0x20000000 },
		{ "7.2.13", 0x10000 },
	};
	const struct ms_machine_config config = { .page_size = 0x10000 };

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct world w = case_world(answers[i].release, &config);
		struct ms_s2_leaf leaf;

		map_resource(&w, A, MS_1G, 0);
		case_slot(&w, 0x100000000, MS_1G, A);
		leaf = ms_guest_read(w.vm, 0x100010000).leaf;
		assert_int_equal(leaf.size, answers[i].size);
		if (leaf.size == 0x20000000)
			assert_string_equal(
				leaf.reason,
				"VMA and PA congruent modulo 512M, block inside VMA and memslot");
		world_end(&w);
	}
}

static void fetch_from_device_memory_is_injected_everywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_LAZY; i++) {
		struct world w = case_world(lazy_releases[i], NULL);

		map_resource(&w, A, 0x400000, 0);
		case_slot(&w, 0x10000000, 0x400000, A);
		assert_int_equal(ms_guest_exec(w.vm, 0x10000000).exit, MS_GUEST_IABT);
		assert_string_equal(events(&w), "");
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_gib_of_vfio),
		cmocka_unit_test(block_base_is_faulted_in_by_vfio_where_vm_pgoff_is_believed),
		cmocka_unit_test(host_address_that_is_not_congruent_gets_pages_everywhere),
		cmocka_unit_test(four_megabytes_of_sysfs),
		cmocka_unit_test(block_over_the_anonymous_memory_behind_one_page_of_bar),
		cmocka_unit_test(one_gib_from_the_middle_of_a_gib_of_bar),
		cmocka_unit_test(guest_address_that_is_not_congruent_gets_pages_everywhere),
		cmocka_unit_test(slot_that_begins_inside_a_block),
		cmocka_unit_test(hole_in_a_gib_of_bar_is_covered_when_its_start_is_touched),
		cmocka_unit_test(with_64k_pages_the_block_is_512m),
		cmocka_unit_test(fetch_from_device_memory_is_injected_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
