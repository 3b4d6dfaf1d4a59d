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

static const char *prot_of_vfio(const struct ms_policy *k)
{
	return k->s2_device_type == MS_S2_DEVICE_TYPE_NC_IF_VMA_ALLOWS &&
			       k->vfio_uncached_flag == MS_VFIO_UNCACHED_FLAG_YES
		       ? "rw,normal-nc"
		       : "rw,device";
}

static void two_gib_of_vfio_are_mapped_by_blocks(void **state)
{
	const struct ms_policy *k;

	for_each_lazy (k) {
		struct world w = case_world(k->release, NULL);

		map_vfio(&w, A, 2 * MS_1G, 0);
		case_slot(&w, 0x100000000, 2 * MS_1G, A);
		assert_read_maps_block(&w, 0x100123000, block_size(k, MS_1G, MS_2M), 0x4000123000,
				       prot_of_vfio(k));
		world_end(&w);
	}
}

static void block_base_is_faulted_in_by_vfio_where_vm_pgoff_is_believed(void **state)
{
	struct world w = case_world("6.12.0", NULL);
	struct ms_host_leaf leaf;

	map_vfio(&w, A, 2 * MS_1G, 0);
	case_slot(&w, 0x100000000, 2 * MS_1G, A);
	assert_int_equal(ms_guest_read(w.vm, 0x100723000).leaf.size, MS_1G);
	assert_true(ms_host_leaf(w.mm, A, &leaf));
	assert_int_equal(leaf.size, MS_2M);
	assert_false(ms_host_leaf(w.mm, A + 0x723000, &leaf));
	world_end(&w);
}

static void host_address_that_is_not_congruent_gets_pages_everywhere(void **state)
{
	const struct ms_policy *k;

	for_each_lazy (k) {
		struct world w = case_world(k->release, NULL);

		map_resource(&w, A + 0x100000, MS_1G, 0);
		case_slot(&w, 0x100100000, MS_1G, A + 0x100000);
		assert_read_maps(
			&w, 0x100300000,
			"s2.map ipa=0x100300000 size=0x1000 pa=0x4000200000 prot=rw,device\n");
		world_end(&w);
	}
}

/* The host maps a sysfs resource by pages. */
static void sysfs_memory_is_mapped_by_blocks_where_vm_pgoff_is_believed(void **state)
{
	const struct ms_policy *k;

	for_each_lazy (k) {
		struct world w = case_world(k->release, NULL);

		map_resource(&w, A, 0x400000, 0);
		case_slot(&w, 0x10000000, 0x400000, A);
		assert_read_maps_block(&w, 0x10001000, block_size(k, MS_2M, PAGE), 0x4000001000,
				       "rw,device");
		world_end(&w);
	}
}

/*
 *         A                             A + 4M
 *  VMAs   |BAR|anonymous                |
 *  slot   [----------------------------)
 *  touch  ^
 *  block  [-------------)                     where vm_pgoff is believed
 */
static void a_block_covers_the_anonymous_memory_behind_one_page_of_bar(void **state)
{
	const struct ms_policy *k;

	for_each_lazy (k) {
		struct world w = case_world(k->release, NULL);

		map_resource(&w, A, PAGE, 0);
		map_anon(&w, A + PAGE, 0x400000 - PAGE);
		case_slot(&w, 0x10000000, 0x400000, A);
		assert_int_equal(ms_guest_read(w.vm, 0x10000000).leaf.size,
				 block_size(k, MS_2M, PAGE));
		world_end(&w);
	}
}

static void a_gib_from_the_middle_of_a_gib_of_bar_is_mapped_by_2m(void **state)
{
	const struct ms_policy *k;

	for_each_lazy (k) {
		struct world w = case_world(k->release, NULL);

		map_vfio(&w, A, MS_1G, 0x200000);
		case_slot(&w, 0x100000000, MS_1G, A);
		assert_read_maps_block(&w, 0x100001000, block_size(k, MS_2M, MS_2M), 0x4000201000,
				       prot_of_vfio(k));
		world_end(&w);
	}
}

static void guest_address_that_is_not_congruent_gets_pages_everywhere(void **state)
{
	const struct ms_policy *k;

	for_each_lazy (k) {
		struct world w = case_world(k->release, NULL);

		map_resource(&w, A, 0x400000, 0);
		case_slot(&w, 0x10001000, 0x400000, A);
		assert_int_equal(ms_guest_read(w.vm, 0x10201000).leaf.size, PAGE);
		world_end(&w);
	}
}

/*
 *           A             A + 2M        A + 4M
 *  VMA      |-------------|-------------|
 *  slot      [-------------------------)      from A + 4K on
 *  touch 1    ^                               a page
 *  touch 2                ^                   a block where vm_pgoff is believed
 */
static void a_slot_that_begins_inside_a_block_has_pages_there_and_a_block_behind(void **state)
{
	const struct ms_policy *k;

	for_each_lazy (k) {
		struct world w = case_world(k->release, NULL);

		map_resource(&w, A, 0x400000, 0);
		case_slot(&w, 0x10001000, 0x3ff000, A + 0x1000);
		assert_int_equal(ms_guest_read(w.vm, 0x10002000).leaf.size, PAGE);
		assert_int_equal(ms_guest_read(w.vm, 0x10200000).leaf.size,
				 block_size(k, MS_2M, PAGE));
		world_end(&w);
	}
}

/*
 *           A                           A + 1G
 *  block    [--------------------------)
 *  munmap      [4K)                               splits the VMA: the block is unmapped
 *  touch 1     ^                                  -EFAULT
 *  touch 2   ^                                    a page, whose end is looked at
 *  touch 3  ^                                     the block again, over the hole
 */
static void a_hole_in_a_gib_of_bar_is_covered_when_its_start_is_touched(void **state)
{
	const struct ms_policy *k;

	for_each_lazy (k) {
		struct world w;

		if (!believes_vm_pgoff(k))
			continue;
		w = case_world(k->release, NULL);
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
	const struct ms_machine_config config = { .page_size = 0x10000 };
	const struct ms_policy *k;

	for_each_lazy (k) {
		struct world w = case_world(k->release, &config);
		struct ms_s2_leaf leaf;

		map_resource(&w, A, MS_1G, 0);
		case_slot(&w, 0x100000000, MS_1G, A);
		leaf = ms_guest_read(w.vm, 0x100010000).leaf;
		assert_int_equal(leaf.size, believes_vm_pgoff(k) ? 0x20000000 : 0x10000);
		if (believes_vm_pgoff(k))
			assert_string_equal(
				leaf.reason,
				"VMA and PA congruent modulo 512M, block inside VMA and memslot");
		world_end(&w);
	}
}

static void fetch_from_device_memory_is_injected_everywhere(void **state)
{
	const struct ms_policy *k;

	for_each_lazy (k) {
		struct world w = case_world(k->release, NULL);

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
		cmocka_unit_test(two_gib_of_vfio_are_mapped_by_blocks),
		cmocka_unit_test(block_base_is_faulted_in_by_vfio_where_vm_pgoff_is_believed),
		cmocka_unit_test(host_address_that_is_not_congruent_gets_pages_everywhere),
		cmocka_unit_test(sysfs_memory_is_mapped_by_blocks_where_vm_pgoff_is_believed),
		cmocka_unit_test(a_block_covers_the_anonymous_memory_behind_one_page_of_bar),
		cmocka_unit_test(a_gib_from_the_middle_of_a_gib_of_bar_is_mapped_by_2m),
		cmocka_unit_test(guest_address_that_is_not_congruent_gets_pages_everywhere),
		cmocka_unit_test(
			a_slot_that_begins_inside_a_block_has_pages_there_and_a_block_behind),
		cmocka_unit_test(a_hole_in_a_gib_of_bar_is_covered_when_its_start_is_touched),
		cmocka_unit_test(with_64k_pages_the_block_is_512m),
		cmocka_unit_test(fetch_from_device_memory_is_injected_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
