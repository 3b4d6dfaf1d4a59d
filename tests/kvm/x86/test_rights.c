// SPDX-License-Identifier: GPL-2.0-only
/* What an entry permits, which accesses fail, and which writes KVM makes itself. */
#include "world.h"

#define PAGE_RWX(ipa) "s2.map ipa=" ipa " size=0x1000 pa=ram " RWX " leaf=0x1000\n"
#define PAGE_RX(ipa) "s2.map ipa=" ipa " size=0x1000 pa=ram " RX " leaf=0x1000\n"

static void every_access_to_a_writable_page_gives_all_rights_and_marks(void **state)
{
	static const unsigned int access[] = { MS_PROT_R, MS_PROT_W, MS_PROT_X };

	for (size_t i = 0; i < 3; i++) {
		struct world w = x86_world("6.12.117");

		map_pages(&w, HVA, PAGE);
		host_write(&w, HVA);
		show(&w, PAGE, 0);
		guest(&w, GPA, access[i]);
		assert_string_equal(events(&w), PAGE_RWX("0x80000000"));
		// once and for all
		guest(&w, GPA, MS_PROT_R);
		guest(&w, GPA, MS_PROT_W);
		guest(&w, GPA, MS_PROT_X);
		assert_string_equal(events(&w), "");
		world_end(&w);
	}
}

static void the_zero_page_is_read_only_until_it_is_written(void **state)
{
	struct world w = x86_world("6.12.117");

	map_pages(&w, HVA, PAGE);
	show(&w, PAGE, 0);
	guest(&w, GPA, MS_PROT_R);
	assert_string_equal(events(&w), PAGE_RX("0x80000000"));
	guest(&w, GPA, MS_PROT_W);
	assert_string_equal(events(&w), "s2.unmap ipa=0x80000000 size=0x1000\n"
					"s2.zap ipa=0x80000000 size=0x1000 leaf=0x1000\n" PAGE_RWX(
						"0x80000000"));
	world_end(&w);
}

static void the_huge_zero_page_is_a_read_only_block(void **state)
{
	struct world w = x86_world("7.2.13");

	map_anon(&w, HVA, MS_2M);
	show(&w, MS_2M, 0);
	guest(&w, GPA, MS_PROT_R);
	assert_string_equal(events(&w),
			    "s2.map ipa=0x80000000 size=0x200000 pa=ram " RX " leaf=0x200000\n");
	world_end(&w);
}

static void a_page_that_a_child_shares_is_read_only(void **state)
{
	struct world w = x86_world("6.12.117");
	struct ms_mm *child;

	map_pages(&w, HVA, PAGE);
	show(&w, PAGE, 0);
	guest(&w, GPA, MS_PROT_W);
	events(&w);
	child = ms_fork(w.mm);
	assert_non_null(child);
	assert_string_equal(events(&w), "s2.unmap ipa=0x80000000 size=0x1000\n"
					"s2.zap ipa=0x80000000 size=0x1000 leaf=0x1000\n");
	guest(&w, GPA, MS_PROT_R);
	assert_string_equal(events(&w), PAGE_RX("0x80000000"));
	// once it is not shared any more the same page is written: the entry stays
	ms_mm_exit(child);
	guest(&w, GPA, MS_PROT_W);
	assert_string_equal(events(&w), "s2.relax ipa=0x80000000 size=0x1000 prot=rwx bits=hmad "
					"leaf=0x1000\n");
	world_end(&w);
}

static void a_file_s_private_page_is_read_only(void **state)
{
	struct world w = x86_world("6.12.117");
	struct ms_file *file = ms_memfd_new(w.m, PAGE);

	assert_int_equal(ms_mmap(w.mm, HVA, PAGE, MS_PROT_RW,
				 MS_MAP_PRIVATE | MS_MAP_FIXED_NOREPLACE, file, 0),
			 HVA);
	show(&w, PAGE, 0);
	guest(&w, GPA, MS_PROT_R);
	assert_string_equal(events(&w), PAGE_RX("0x80000000"));
	ms_file_put(file);
	world_end(&w);
}

static void memory_that_the_process_may_not_write_is_read_only(void **state)
{
	struct world w = x86_world("6.12.117");

	map_pages(&w, HVA, PAGE);
	host_write(&w, HVA);
	assert_int_equal(ms_mprotect(w.mm, HVA, PAGE, MS_PROT_R), 0);
	show(&w, PAGE, 0);
	guest(&w, GPA, MS_PROT_X); // which the process may not do
	assert_string_equal(events(&w), PAGE_RX("0x80000000"));
	assert_exit(&w, GPA, MS_PROT_W, MS_GUEST_ERROR, -EFAULT);
	assert_string_equal(events(&w), "");
	world_end(&w);
}

static void memory_that_the_process_may_not_read_is_an_error(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		struct world w = x86_start(k, NULL);

		map_pages(&w, HVA, 2 * PAGE);
		host_write(&w, HVA);
		assert_int_equal(ms_mprotect(w.mm, HVA, 2 * PAGE, 0), 0);
		show(&w, 3 * PAGE, 0); // the last one has no VMA
		for (unsigned int i = 0; i < 3; i++) {
			assert_exit(&w, GPA + i * PAGE, MS_PROT_R, MS_GUEST_ERROR, -EFAULT);
			assert_exit(&w, GPA + i * PAGE, MS_PROT_W, MS_GUEST_ERROR, -EFAULT);
			assert_exit(&w, GPA + i * PAGE, MS_PROT_X, MS_GUEST_ERROR, -EFAULT);
		}
		assert_string_equal(events(&w), "");
		world_end(&w);
	}
}

/* ---- read-only slots ---- */

static void a_read_only_slot_is_never_written(void **state)
{
	struct world w = x86_world("6.12.117");

	map_anon(&w, HVA, MS_2M);
	host_write(&w, HVA);
	show(&w, MS_2M, MS_SLOT_READONLY);
	// no entry, no mark
	assert_exit(&w, GPA, MS_PROT_W, MS_GUEST_MMIO, 0);
	assert_string_equal(events(&w), "");
	assert_int_equal(marks_in(&w, GPA, MS_2M), 0);
	guest(&w, GPA, MS_PROT_R);
	assert_string_equal(events(&w),
			    "s2.map ipa=0x80000000 size=0x200000 pa=ram " RX " leaf=0x200000\n");
	assert_exit(&w, GPA + PAGE, MS_PROT_W, MS_GUEST_MMIO, 0);
	assert_refused(&w, -EFAULT, "ipa 0x80001000: write to a read-only memslot");
	assert_string_equal(events(&w), "");
	world_end(&w);
}

/* ---- devices ---- */

static void a_device_that_may_not_be_read_is_readable_once_it_is_mapped(void **state)
{
	struct world w = x86_world("7.2.13");

	map_resource(&w, HVA, 2 * PAGE, MS_PROT_RW, MS_MAP_SHARED);
	assert_int_equal(ms_mprotect(w.mm, HVA, 2 * PAGE, 0), 0);
	show(&w, 2 * PAGE, 0);
	guest(&w, GPA, MS_PROT_R);
	assert_string_equal(events(&w), "s2.map ipa=0x80000000 size=0x1000 pa=0x8000000000 " RX
					" leaf=0x1000\n");
	assert_exit(&w, GPA + PAGE, MS_PROT_W, MS_GUEST_MMIO, 0);
	assert_refused(&w, -EFAULT, "ipa 0x80001000: host entry is read-only");
	world_end(&w);
}

static void what_a_driver_would_map_at_a_fault_must_be_permitted_by_the_vma(void **state)
{
	struct world w = x86_world("7.2.13");

	map_lazy_huge(&w, HVA, 2 * MS_2M, MS_PROT_R);
	show(&w, 2 * MS_2M, 0);
	assert_exit(&w, GPA, MS_PROT_W, MS_GUEST_ERROR, -EFAULT);
	guest(&w, GPA, MS_PROT_R);
	assert_string_equal(events(&w), "s2.map ipa=0x80000000 size=0x200000 pa=0x8000000000 " RX
					" leaf=0x200000\n");
	// the block that is touched has an entry of the host's, the other none
	assert_exit(&w, GPA + PAGE, MS_PROT_W, MS_GUEST_MMIO, 0);
	assert_exit(&w, GPA + MS_2M, MS_PROT_W, MS_GUEST_ERROR, -EFAULT);
	world_end(&w);
}

static void a_device_that_was_revoked_is_an_error_and_comes_back(void **state)
{
	struct world w = x86_world("7.2.13");
	struct ms_file *vfio = ms_vfio_open(ms_device_find(w.m, "bar"));

	assert_int_equal(ms_mmap(w.mm, HVA, MS_2M, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE, vfio,
				 ms_vfio_offset(vfio)),
			 HVA);
	show(&w, MS_2M, 0);
	guest(&w, GPA, MS_PROT_W);
	assert_int_equal(ms_vfio_set_memory(vfio, false), 0);
	assert_int_equal(leaf_at(&w, GPA).size, 0);
	assert_exit(&w, GPA, MS_PROT_R, MS_GUEST_ERROR, -EFAULT);
	assert_int_equal(ms_vfio_set_memory(vfio, true), 0);
	guest(&w, GPA, MS_PROT_R);
	ms_file_put(vfio);
	world_end(&w);
}

/* ---- writes that KVM makes ---- */

/* mprotect leaves the entries of a BAR read-only, although the VMA is writable again. */
static struct world with_read_only_entries(const char *release, unsigned int flags)
{
	struct world w = x86_world(release);

	map_resource(&w, HVA, 2 * PAGE, MS_PROT_RW, MS_MAP_SHARED);
	assert_int_equal(ms_mprotect(w.mm, HVA, 2 * PAGE, MS_PROT_R), 0);
	assert_int_equal(ms_mprotect(w.mm, HVA, 2 * PAGE, MS_PROT_RW), 0);
	show(&w, 2 * PAGE, flags);
	events(&w);
	return w;
}

static void a_write_to_a_read_only_entry_is_made_by_kvm_and_maps_nothing(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct world w = with_read_only_entries(k->release, 0);
		struct ms_host_leaf host;

		assert_true(ms_host_leaf(w.mm, HVA, &host));
		assert_false(host.entry & MS_PTE_WRITE);
		guest(&w, GPA, MS_PROT_W);
		assert_string_equal(events(&w), "");
		assert_int_equal(leaf_at(&w, GPA).size, 0);
		// the host's own fault has made its entry writable: the next write maps it
		guest(&w, GPA, MS_PROT_W);
		assert_string_equal(events(&w),
				    "s2.map ipa=0x80000000 size=0x1000 pa=0x8000000000 " RWX
				    " leaf=0x1000\n");
		world_end(&w);
	}
}

static void a_write_that_kvm_makes_is_in_the_log(void **state)
{
	struct world w = with_read_only_entries("6.12.117", MS_SLOT_LOG_DIRTY);

	guest(&w, GPA + PAGE, MS_PROT_W);
	assert_string_equal(events(&w), "");
	assert_int_equal(get_dirty(&w), 2);
	world_end(&w);
}

static void a_write_over_a_read_only_entry_of_the_guest_s_leaves_that(void **state)
{
	struct world w = with_read_only_entries("6.12.117", 0);

	guest(&w, GPA, MS_PROT_R);
	assert_string_equal(events(&w), "s2.map ipa=0x80000000 size=0x1000 pa=0x8000000000 " RX
					" leaf=0x1000\n");
	guest(&w, GPA, MS_PROT_W);
	assert_string_equal(events(&w), "");
	guest(&w, GPA, MS_PROT_W);
	assert_string_equal(events(&w), "s2.relax ipa=0x80000000 size=0x1000 prot=rwx bits=hmad "
					"leaf=0x1000\n");
	world_end(&w);
}

static void a_write_that_the_vma_forbids_is_the_vmm_s(void **state)
{
	struct world w = x86_world("6.12.117");

	map_resource(&w, HVA, PAGE, MS_PROT_R, MS_MAP_SHARED);
	show(&w, PAGE, MS_SLOT_LOG_DIRTY);
	assert_exit(&w, GPA, MS_PROT_W, MS_GUEST_MMIO, 0);
	assert_refused(&w, -EFAULT, "ipa 0x80000000: host entry is read-only");
	assert_int_equal(get_dirty(&w), 0);
	assert_int_equal(marks_in(&w, GPA, PAGE), 0);
	world_end(&w);
}

static void a_write_to_a_device_that_is_mapped_privately_copies_it(void **state)
{
	struct world w = x86_world("6.12.117");

	map_resource(&w, HVA, PAGE, MS_PROT_RW, MS_MAP_PRIVATE);
	show(&w, PAGE, 0);
	guest(&w, GPA, MS_PROT_R);
	events(&w);
	guest(&w, GPA, MS_PROT_W);
	assert_string_equal(events(&w), "s2.unmap ipa=0x80000000 size=0x1000\n"
					"s2.zap ipa=0x80000000 size=0x1000 leaf=0x1000\n");
	guest(&w, GPA, MS_PROT_R);
	assert_string_equal(events(&w), PAGE_RWX("0x80000000"));
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_access_to_a_writable_page_gives_all_rights_and_marks),
		cmocka_unit_test(the_zero_page_is_read_only_until_it_is_written),
		cmocka_unit_test(the_huge_zero_page_is_a_read_only_block),
		cmocka_unit_test(a_page_that_a_child_shares_is_read_only),
		cmocka_unit_test(a_file_s_private_page_is_read_only),
		cmocka_unit_test(memory_that_the_process_may_not_write_is_read_only),
		cmocka_unit_test(memory_that_the_process_may_not_read_is_an_error),
		cmocka_unit_test(a_read_only_slot_is_never_written),
		cmocka_unit_test(a_device_that_may_not_be_read_is_readable_once_it_is_mapped),
		cmocka_unit_test(what_a_driver_would_map_at_a_fault_must_be_permitted_by_the_vma),
		cmocka_unit_test(a_device_that_was_revoked_is_an_error_and_comes_back),
		cmocka_unit_test(a_write_to_a_read_only_entry_is_made_by_kvm_and_maps_nothing),
		cmocka_unit_test(a_write_that_kvm_makes_is_in_the_log),
		cmocka_unit_test(a_write_over_a_read_only_entry_of_the_guest_s_leaves_that),
		cmocka_unit_test(a_write_that_the_vma_forbids_is_the_vmm_s),
		cmocka_unit_test(a_write_to_a_device_that_is_mapped_privately_copies_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
