/* SPDX-License-Identifier: GPL-2.0-only */
/* What an entry has of the one before it, and pages that are missed where a log is cleared. */
#include "world.h"

#define TWO (2 * MS_2M)

/* ---- nx_huge_pages ---- */

/* [HVA, +2M) is a huge page behind a table of one entry, which no fetch has made. */
static struct world collapsed_under_a_table(const char *release)
{
	struct world w = x86_world(release);

	ms_kvm_set_nx_huge_pages(w.m, MS_NX_HUGE_PAGES_FORCE);
	map_anon(&w, HVA, TWO);
	show(&w, TWO, 0);
	assert_int_equal(ms_madvise(w.mm, HVA, TWO, MS_MADV_NOHUGEPAGE), 0);
	guest(&w, GPA + PAGE, MS_PROT_W);
	assert_int_equal(ms_madvise(w.mm, HVA, TWO, MS_MADV_HUGEPAGE), 0);
	assert_int_equal(ms_madvise(w.mm, HVA, MS_2M, MS_MADV_COLLAPSE), 0);
	guest(&w, GPA + 2 * PAGE, MS_PROT_W);
	return w;
}

static void up_to_6_1_any_table_keeps_its_block_small(void **state)
{
	struct world w = collapsed_under_a_table("6.1.176");

	assert_int_equal(leaf_at(&w, GPA + 2 * PAGE).size, PAGE);
	ms_kvm_recover_nx_huge_pages(w.m);
	assert_int_equal(leaf_at(&w, GPA + 2 * PAGE).size, PAGE);
	world_end(&w);
	w = collapsed_under_a_table("6.2");
	assert_int_equal(leaf_at(&w, GPA + 2 * PAGE).size, MS_2M);
	world_end(&w);
}

/* Nothing recovers what it made: it was not known that a block could have been there. */
static void a_fetch_where_no_memory_is_keeps_later_blocks_small(void **state)
{
	struct world w = x86_world("7.3.4");

	ms_kvm_set_nx_huge_pages(w.m, MS_NX_HUGE_PAGES_FORCE);
	map_anon(&w, HVA, TWO);
	host_write(&w, HVA);
	host_write(&w, HVA + MS_2M);
	assert_exit(&w, GPA + PAGE, MS_PROT_X, MS_GUEST_INTERNAL_ERROR, 0);
	show(&w, TWO, 0);
	guest(&w, GPA + 2 * PAGE, MS_PROT_W);
	guest(&w, GPA + MS_2M, MS_PROT_W);
	ms_kvm_recover_nx_huge_pages(w.m);
	guest(&w, GPA + 2 * PAGE, MS_PROT_W);
	assert_int_equal(leaf_at(&w, GPA + 2 * PAGE).size, PAGE);
	assert_int_equal(leaf_at(&w, GPA + MS_2M).size, MS_2M);
	world_end(&w);
}

static void a_vm_can_be_excepted_from_6_0_on(void **state)
{
	const struct ms_vm_config config = { .no_nx_huge_pages = true };
	struct world w = x86_world("5.19");

	ms_vm_free(w.vm);
	w.vm = ms_vm_new_config(w.mm, &config);
	assert_null(w.vm);
	assert_refused(&w, -EINVAL, "this kernel has no KVM_CAP_VM_DISABLE_NX_HUGE_PAGES");
	world_end(&w);
	w = x86_world("6.0");
	x86_vm(&w, &config);
	world_end(&w);
}

/* ---- the dirty bit ---- */

static void assert_bits_over_a_mark(const char *release, unsigned int prot, bool dirty)
{
	struct world w = x86_world(release);

	assert_exit(&w, GPA + PAGE, MS_PROT_R, MS_GUEST_MMIO, 0);
	map_anon(&w, HVA, 16 * PAGE);
	host_write(&w, HVA + PAGE);
	host_write(&w, HVA + 2 * PAGE);
	show(&w, 16 * PAGE, 0);
	guest(&w, GPA + PAGE, prot);
	guest(&w, GPA + 2 * PAGE, prot);
	assert_int_equal(!!(leaf_at(&w, GPA + PAGE).bits & MS_TDP_DIRTY), dirty);
	assert_true(leaf_at(&w, GPA + 2 * PAGE).bits & MS_TDP_DIRTY);
	world_end(&w);
}

/* An MMIO mark looks like a writable entry. The CPU sets the bit when the guest writes. */
static void from_5_16_to_6_12_a_page_over_a_mark_is_not_dirty(void **state)
{
	assert_bits_over_a_mark("5.15.100", MS_PROT_R, true);
	assert_bits_over_a_mark("5.16", MS_PROT_R, false);
	assert_bits_over_a_mark("6.1.176", MS_PROT_R, false);
	assert_bits_over_a_mark("6.12.117", MS_PROT_R, false);
	assert_bits_over_a_mark("6.13", MS_PROT_R, true);
	assert_bits_over_a_mark("6.12.117", MS_PROT_W, true);
}

/* A table of old entries makes way for a block. */
static void assert_bits_over_a_table(const char *release, bool dirty)
{
	struct world w = x86_world(release);
	struct ms_tdp_leaf leaf;

	map_anon(&w, HVA, TWO);
	show(&w, TWO, 0);
	assert_int_equal(ms_madvise(w.mm, HVA, TWO, MS_MADV_NOHUGEPAGE), 0);
	guest(&w, GPA, MS_PROT_W);
	assert_int_equal(ms_madvise(w.mm, HVA, TWO, MS_MADV_HUGEPAGE), 0);
	assert_int_equal(ms_madvise(w.mm, HVA, MS_2M, MS_MADV_COLLAPSE), 0);
	guest(&w, GPA + PAGE, MS_PROT_R);
	leaf = leaf_at(&w, GPA);
	assert_int_equal(leaf.size, MS_2M);
	assert_int_equal(!!(leaf.bits & MS_TDP_DIRTY), dirty);
	world_end(&w);
}

static void up_to_6_1_119_a_block_over_a_table_is_not_dirty(void **state)
{
	assert_bits_over_a_table("6.1.119", false);
	assert_bits_over_a_table("6.1.120", true);
	assert_bits_over_a_table("6.12.117", true);
}

/* ---- clearing a log whose pages are all dirty at first ---- */

/*
 *  GPA            801c1          80200          80400          807c1
 *  memslot          |-------------------------------------------|
 *  blocks                          |------ 2M -----|------ 2M -----
 *  cleared          *--------------*
 *                 64 pages, the last of which begins a block
 */
#define SLOT_AT UINT64_C(0x801c1000)
#define SECOND UINT64_C(0x80200000)

static struct world logged(const char *release, ms_ipa_t gpa, uint64_t size, bool eager)
{
	const struct ms_vm_config config = { .dirty_manual = true, .dirty_initset = true };
	struct world w = x86_world(release);
	const ms_hva_t hva = HVA + (gpa - GPA);

	ms_kvm_set_eager_page_split(w.m, eager);
	x86_vm(&w, &config);
	map_anon(&w, HVA, 4 * MS_2M);
	host_write(&w, HVA + MS_2M);
	host_write(&w, HVA + 2 * MS_2M);
	show_at(&w, 1, gpa, size, hva, 0);
	guest(&w, SECOND, MS_PROT_W);
	assert_int_equal(leaf_at(&w, SECOND).size, MS_2M);
	show_at(&w, 1, gpa, size, hva, MS_SLOT_LOG_DIRTY);
	return w;
}

static void a_block_that_begins_with_the_last_page_is_missed(void **state)
{
	struct world w = logged("7.3.4", SLOT_AT, 3 * MS_2M, false);

	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 0, 64), 0);
	assert_int_equal(leaf_at(&w, SECOND).size, MS_2M);
	assert_true(leaf_at(&w, SECOND).prot & MS_PROT_W);
	guest(&w, SECOND, MS_PROT_W);
	assert_int_equal(get_dirty(&w) >> 63, 0);
	world_end(&w);
}

static void one_that_begins_before_the_last_page_is_protected(void **state)
{
	struct world w = logged("7.3.4", SLOT_AT - PAGE, 3 * MS_2M, false);

	// of 64 pages the last is the one before the block; of the next 64 all are in it
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 64, 64), 0);
	assert_false(leaf_at(&w, SECOND).prot & MS_PROT_W);
	guest(&w, SECOND, MS_PROT_W);
	assert_int_equal(leaf_at(&w, SECOND).size, PAGE);
	world_end(&w);
}

static void eager_splitting_comes_before_it_from_6_8_on(void **state)
{
	struct world w = logged("6.7", SLOT_AT, 3 * MS_2M, true);

	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 0, 64), 0);
	assert_int_equal(leaf_at(&w, SECOND).size, MS_2M);
	assert_true(leaf_at(&w, SECOND).prot & MS_PROT_W);
	world_end(&w);
	w = logged("6.8", SLOT_AT, 3 * MS_2M, true);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 0, 64), 0);
	assert_int_equal(leaf_at(&w, SECOND).size, PAGE);
	assert_false(leaf_at(&w, SECOND).prot & MS_PROT_W);
	guest(&w, SECOND, MS_PROT_W);
	assert_int_equal(get_dirty(&w) >> 63, 1);
	world_end(&w);
}

/*
 *  GPA           801ff          80200             80400
 *  memslot         |--------------|-----------------|
 *  cleared                                         *      one page, inside of a block
 */
static void a_single_page_splits_its_block_unless_it_begins_it(void **state)
{
	const ms_ipa_t start = SECOND - PAGE;
	struct world w = logged("6.1.176", start, MS_2M + PAGE, true);

	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 512, 1), 0);
	assert_int_equal(leaf_at(&w, SECOND).size, PAGE);
	assert_false(leaf_at(&w, SECOND + MS_2M - PAGE).prot & MS_PROT_W);
	assert_true(leaf_at(&w, SECOND).prot & MS_PROT_W);
	world_end(&w);
	w = logged("6.1.176", SECOND, MS_2M + PAGE, true);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 512, 1), 0);
	assert_int_equal(leaf_at(&w, SECOND).size, MS_2M);
	world_end(&w);
}

/* ---- where addresses end ---- */

static void up_to_5_17_slots_may_reach_beyond_the_hosts_addresses(void **state)
{
	const ms_ipa_t end = UINT64_C(1) << 46;
	struct world w = x86_world("5.17");

	map_anon(&w, HVA, TWO);
	show_at(&w, 1, end - MS_2M, TWO, HVA, 0);
	guest(&w, end - PAGE, MS_PROT_W);
	world_end(&w);
	w = x86_world("5.18");
	map_anon(&w, HVA, TWO);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, end - MS_2M, TWO, HVA, 0), -EINVAL);
	show_at(&w, 1, end - TWO, TWO, HVA, 0);
	world_end(&w);
}

static void from_6_4_to_6_11_slots_may_show_addresses_that_no_process_has(void **state)
{
	const ms_hva_t sign = UINT64_C(1) << 63;
	struct world w = x86_world("6.6.150");

	show_at(&w, 1, GPA, MS_2M, sign - TWO, 0);
	assert_exit(&w, GPA, MS_PROT_R, MS_GUEST_ERROR, -EFAULT);
	assert_int_equal(ms_vm_set_slot(w.vm, 2, GPA + TWO, MS_2M, sign - MS_2M, 0), -EINVAL);
	world_end(&w);
	w = x86_world("6.12.117");
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, sign - TWO, 0), -EINVAL);
	world_end(&w);
}

/* ---- a leaf of 1G without access ---- */

static void with_PROT_NONE_a_leaf_of_1G_cannot_be_had_and_one_of_2M_can(void **state)
{
	struct world w = x86_world("7.3.4");
	struct ms_file *vfio;

	vfio = ms_vfio_open(ms_device_add(w.m, "gpu", 64 * MS_1G, 2 * MS_1G));
	assert_int_equal(ms_mmap(w.mm, HVA, MS_1G + MS_2M, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED,
				 vfio, ms_vfio_offset(vfio)),
			 HVA);
	show(&w, MS_1G + MS_2M, 0);
	assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(ms_touch(w.mm, HVA + MS_1G, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(ms_mprotect(w.mm, HVA, MS_1G + MS_2M, 0), 0);
	assert_exit(&w, GPA, MS_PROT_R, MS_GUEST_ERROR, -EFAULT);
	guest(&w, GPA + MS_1G, MS_PROT_R);
	assert_int_equal(leaf_at(&w, GPA + MS_1G).size, MS_2M);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(up_to_6_1_any_table_keeps_its_block_small),
		cmocka_unit_test(a_fetch_where_no_memory_is_keeps_later_blocks_small),
		cmocka_unit_test(a_vm_can_be_excepted_from_6_0_on),
		cmocka_unit_test(from_5_16_to_6_12_a_page_over_a_mark_is_not_dirty),
		cmocka_unit_test(up_to_6_1_119_a_block_over_a_table_is_not_dirty),
		cmocka_unit_test(a_block_that_begins_with_the_last_page_is_missed),
		cmocka_unit_test(one_that_begins_before_the_last_page_is_protected),
		cmocka_unit_test(eager_splitting_comes_before_it_from_6_8_on),
		cmocka_unit_test(a_single_page_splits_its_block_unless_it_begins_it),
		cmocka_unit_test(up_to_5_17_slots_may_reach_beyond_the_hosts_addresses),
		cmocka_unit_test(from_6_4_to_6_11_slots_may_show_addresses_that_no_process_has),
		cmocka_unit_test(with_PROT_NONE_a_leaf_of_1G_cannot_be_had_and_one_of_2M_can),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
