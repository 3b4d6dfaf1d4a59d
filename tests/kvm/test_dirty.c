/* SPDX-License-Identifier: GPL-2.0-only */
/* The dirty log, and what starting, reading and clearing it does to stage 2. */
#include "world.h"

#include "kvm/internal.h"

#define LOG MS_SLOT_LOG_DIRTY

static void start(struct world *w, const char *release, const struct ms_vm_config *config,
		  uint64_t npages)
{
	*w = world(release);
	if (config) {
		ms_vm_free(w->vm);
		w->vm = ms_vm_new_config(w->mm, config);
		assert_non_null(w->vm);
	}
	map_pages(w, HVA, npages * PAGE);
	assert_int_equal(ms_vm_set_slot(w->vm, 1, GPA, npages * PAGE, HVA, LOG), 0);
}

static void write_page(struct world *w, uint64_t page)
{
	assert_int_equal(ms_guest_write(w->vm, GPA + page * PAGE).exit, MS_GUEST_OK);
}

static const struct ms_vm_config manual = { .dirty_manual = true };
static const struct ms_vm_config initset = { .dirty_manual = true, .dirty_initset = true };

static void new_log_protects_the_empty_slot(void **state)
{
	struct world w;

	start(&w, "6.12.107", NULL, 4);
	assert_string_equal(events(&w), "s2.wrprotect ipa=0x80000000 size=0x4000\n");
	world_end(&w);
}

static void log_that_begins_full_protects_nothing(void **state)
{
	struct world w;
	uint64_t bits[2], npages;

	start(&w, "6.12.107", &initset, 66);
	assert_string_equal(events(&w), "");
	assert_int_equal(ms_vm_get_dirty(w.vm, 1, bits, 2, &npages), 0);
	assert_int_equal(npages, 66);
	assert_int_equal(bits[0], UINT64_MAX);
	assert_int_equal(bits[1], 0x3);
	world_end(&w);
}

static void logged_write_breaks_no_rule_of_the_lock(void **state)
{
	struct world w;

	start(&w, "6.1.192", NULL, 4);
	write_page(&w, 2);
	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_OK);
	write_page(&w, 0);
	assert_int_equal(ms_trace_total(w.m, MS_EV_VIOLATION), 0);
	world_end(&w);
}

static void written_pages_are_dirty_and_read_ones_are_not(void **state)
{
	struct world w;
	uint64_t bits, npages;

	start(&w, "6.12.107", NULL, 4);
	write_page(&w, 2);
	assert_int_equal(ms_guest_read(w.vm, GPA + PAGE).exit, MS_GUEST_OK);
	assert_int_equal(ms_vm_get_dirty(w.vm, 1, &bits, 1, &npages), 0);
	assert_int_equal(bits, 0x4);
	world_end(&w);
}

/*
 * One call for each word of 64 pages, from its first dirty page to its last:
 *
 *  dirty   |0 1 ... 63|64 65 ... 69 ... 127|
 *  call    [--)           [-------)
 */
static void get_protects_each_words_pages_from_first_to_last(void **state)
{
	struct world w;
	uint64_t bits[2], npages;

	start(&w, "6.12.107", NULL, 128);
	write_page(&w, 0);
	write_page(&w, 1);
	write_page(&w, 0x41);
	write_page(&w, 0x45);
	events(&w);
	assert_int_equal(ms_vm_get_dirty(w.vm, 1, bits, 2, &npages), 0);
	assert_string_equal(events(&w), "s2.wrprotect ipa=0x80000000 size=0x2000\n"
					"s2.wrprotect ipa=0x80041000 size=0x5000\n");
	write_page(&w, 0x41);
	assert_string_equal(events(&w), "s2.relax ipa=0x80041000 prot=rw\n");
	assert_int_equal(ms_vm_get_dirty(w.vm, 1, bits, 2, &npages), 0);
	assert_int_equal(bits[0], 0);
	assert_int_equal(bits[1], 0x2);
	world_end(&w);
}

static void get_of_a_manual_log_changes_nothing(void **state)
{
	struct world w;
	uint64_t bits, npages;

	start(&w, "6.12.107", &manual, 4);
	write_page(&w, 3);
	events(&w);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ms_vm_get_dirty(w.vm, 1, &bits, 1, &npages), 0);
		assert_int_equal(bits, 0x8);
	}
	assert_string_equal(events(&w), "");
	world_end(&w);
}

static void clear_protects_the_pages_whose_bits_were_set(void **state)
{
	struct world w;
	uint64_t bits[2], npages;

	start(&w, "6.12.107", &manual, 128);
	write_page(&w, 3);
	write_page(&w, 5);
	write_page(&w, 0x7f);
	events(&w);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 0, 64), 0);
	assert_string_equal(events(&w), "s2.wrprotect ipa=0x80003000 size=0x3000\n");
	assert_int_equal(ms_vm_get_dirty(w.vm, 1, bits, 2, &npages), 0);
	assert_int_equal(bits[0], 0);
	assert_int_equal(bits[1], UINT64_C(1) << 63);
	world_end(&w);
}

static void reading_and_clearing_end_with_a_flush_where_something_was_dirty(void **state)
{
	struct world w;
	uint64_t bits[1], npages;

	start(&w, "6.12.107", NULL, 64);
	write_page(&w, 5);
	ms_trace_clear(w.m);
	ms_trace_keep(w.m, 1u << MS_EV_TLBI);
	assert_int_equal(ms_vm_get_dirty(w.vm, 1, bits, 1, &npages), 0);
	assert_non_null(ms_trace_last(w.m, MS_EV_TLBI));
	assert_int_equal(ms_trace_last(w.m, MS_EV_TLBI)->addr, GPA);
	assert_int_equal(ms_trace_last(w.m, MS_EV_TLBI)->size, 64 * PAGE);
	ms_trace_clear(w.m);
	assert_int_equal(ms_vm_get_dirty(w.vm, 1, bits, 1, &npages), 0);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 0, 64), 0);
	assert_null(ms_trace_last(w.m, MS_EV_TLBI));
	write_page(&w, 5);
	ms_trace_clear(w.m);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 0, 64), 0);
	assert_non_null(ms_trace_last(w.m, MS_EV_TLBI));
	assert_int_equal(ms_trace_last(w.m, MS_EV_TLBI)->tlbi, MS_TLBI_IPA_RANGE);
	assert_int_equal(ms_trace_last(w.m, MS_EV_TLBI)->addr, GPA);
	assert_int_equal(ms_trace_last(w.m, MS_EV_TLBI)->size, 64 * PAGE);
	world_end(&w);
}

static void clear_needs_no_manual_mode(void **state)
{
	struct world w;

	start(&w, "6.12.107", NULL, 64);
	write_page(&w, 0);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 0, 64), 0);
	world_end(&w);
}

static void clear_takes_whole_words_or_the_slots_end(void **state)
{
	struct world w;

	start(&w, "6.12.107", &manual, 100);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 1, 64), -EINVAL);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 0, 63), -EINVAL);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 64, 36), 0);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 64, 37), -EINVAL);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 128, 0), -EINVAL);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 64, 0), 0);
	world_end(&w);
}

static void clear_of_no_page_at_the_slots_end_is_nothing(void **state)
{
	struct world w;

	start(&w, "6.12.107", &manual, 64);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 64, 0), 0);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 64, 1), -EINVAL);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 128, 0), -EINVAL);
	world_end(&w);
}

static void slot_without_a_log_is_enoent(void **state)
{
	struct world w = world("6.12.107");
	uint64_t bits, npages;

	assert_int_equal(ms_vm_get_dirty(w.vm, 1, &bits, 1, &npages), -ENOENT);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	assert_int_equal(ms_vm_get_dirty(w.vm, 1, &bits, 1, &npages), -ENOENT);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 0, 1), -ENOENT);
	// the first page is tested before the slot is looked for, its number before both
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 1, 1), -EINVAL);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 40000, 0, 1), -EINVAL);
	assert_int_equal(ms_vm_get_dirty(w.vm, 40000, &bits, 1, &npages), -EINVAL);
	assert_int_equal(ms_vm_get_dirty(w.vm, 32767, &bits, 1, &npages), -EINVAL);
	assert_int_equal(ms_vm_get_dirty(w.vm, 32766, &bits, 1, &npages), -ENOENT);
	world_end(&w);
}

static void bitmap_that_is_too_small_is_refused(void **state)
{
	struct world w;
	uint64_t bits, npages;

	start(&w, "6.12.107", NULL, 65);
	assert_int_equal(ms_vm_get_dirty(w.vm, 1, &bits, 1, &npages), -EINVAL);
	world_end(&w);
}

static void log_that_goes_on_keeps_its_bits_when_the_slot_moves(void **state)
{
	struct world w;
	uint64_t bits, npages;

	start(&w, "6.12.107", NULL, 4);
	write_page(&w, 1);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA + MS_1G, 4 * PAGE, HVA, LOG), 0);
	assert_int_equal(ms_vm_get_dirty(w.vm, 1, &bits, 1, &npages), 0);
	assert_int_equal(bits, 0x2);
	world_end(&w);
}

static void log_that_stops_forgets_and_leaves_pages_protected(void **state)
{
	struct world w;
	uint64_t bits, npages;

	start(&w, "6.12.107", NULL, 4);
	write_page(&w, 1);
	assert_int_equal(ms_vm_get_dirty(w.vm, 1, &bits, 1, &npages), 0);
	events(&w);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 4 * PAGE, HVA, 0), 0);
	assert_string_equal(events(&w), "");
	assert_int_equal(ms_vm_get_dirty(w.vm, 1, &bits, 1, &npages), -ENOENT);
	write_page(&w, 1);
	assert_string_equal(events(&w), "s2.relax ipa=0x80001000 prot=rw\n");
	world_end(&w);
}

static void write_to_a_block_breaks_it_while_logging(void **state)
{
	struct world w = world("6.12.107");

	map_anon(&w, HVA, MS_2M);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), 0);
	write_page(&w, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, LOG), 0);
	events(&w);
	write_page(&w, 3);
	assert_string_equal(events(&w), "s2.map ipa=0x80003000 size=0x1000 pa=ram prot=rw\n");
	assert_int_equal(ms_guest_read(w.vm, GPA).leaf.size, PAGE);
	world_end(&w);
}

static void split_comes_after_protection_in_chunks_over_the_whole_slot(void **state)
{
	const struct ms_vm_config config = { .split_chunk = MS_2M };
	struct world w = world("6.12.107");

	ms_vm_free(w.vm);
	w.vm = ms_vm_new_config(w.mm, &config);
	assert_non_null(w.vm);
	map_anon(&w, HVA, 2 * MS_2M);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 2 * MS_2M, HVA, 0), 0);
	assert_non_null(ms_guest_write(w.vm, GPA).leaf.reason);
	events(&w);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 2 * MS_2M, HVA, LOG), 0);
	assert_string_equal(events(&w), "s2.wrprotect ipa=0x80000000 size=0x400000\n"
					"s2.split ipa=0x80000000 size=0x200000\n"
					"s2.split ipa=0x80200000 size=0x200000\n");
	assert_int_equal(ms_guest_read(w.vm, GPA + 0x1ff000).faults, 0);
	assert_int_equal(ms_guest_read(w.vm, GPA + 0x1ff000).leaf.size, PAGE);
	// what was said of the block is not said of its pages
	assert_null(ms_guest_read(w.vm, GPA + 0x1ff000).leaf.reason);
	world_end(&w);
}

static void one_chunk_of_1g_splits_a_1g_block_into_pages(void **state)
{
	const struct ms_vm_config config = { .split_chunk = MS_1G };
	struct world w = world("6.12.107");
	struct ms_file *file = ms_memfd_hugetlb_new(w.m, MS_1G, MS_1G);

	ms_vm_free(w.vm);
	w.vm = ms_vm_new_config(w.mm, &config);
	assert_non_null(w.vm);
	assert_int_equal(ms_mmap(w.mm, HVA, MS_1G, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE, file, 0),
			 HVA);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_1G, HVA, 0), 0);
	write_page(&w, 0);
	events(&w);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_1G, HVA, LOG), 0);
	assert_string_equal(events(&w), "s2.wrprotect ipa=0x80000000 size=0x40000000\n"
					"s2.split ipa=0x80000000 size=0x40000000\n");
	assert_int_equal(ms_s2_table_pages(ms_vm_s2(w.vm)), 513);
	world_end(&w);
}

static void full_log_splits_what_is_cleared(void **state)
{
	const struct ms_vm_config config = { .dirty_manual = true,
					     .dirty_initset = true,
					     .split_chunk = MS_2M };
	struct world w = world("6.12.107");

	ms_vm_free(w.vm);
	w.vm = ms_vm_new_config(w.mm, &config);
	assert_non_null(w.vm);
	map_anon(&w, HVA, MS_2M);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, LOG), 0);
	events(&w);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 64, 64), 0);
	assert_string_equal(events(&w), "s2.wrprotect ipa=0x80040000 size=0x40000\n"
					"s2.split ipa=0x80040000 size=0x40000\n");
	world_end(&w);
}

static void page_of_a_device_that_came_later_is_dirty_when_read(void **state)
{
	struct world w;
	uint64_t bits, npages;

	start(&w, "6.12.107", NULL, 1);
	assert_int_equal(ms_munmap(w.mm, HVA, PAGE), 0);
	map_bar(&w, HVA, PAGE, 0);
	events(&w);
	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_OK);
	assert_string_equal(events(&w),
			    "s2.map ipa=0x80000000 size=0x1000 pa=0x8000000000 prot=rw,device\n");
	assert_int_equal(ms_vm_get_dirty(w.vm, 1, &bits, 1, &npages), 0);
	assert_int_equal(bits, 0x1);
	world_end(&w);
}

static void look_while_broken(struct ms_machine *m, enum ms_hook_point point, uint64_t addr,
			      void *arg)
{
	struct world *w = arg;
	uint64_t bits[8];

	ms_machine_set_hook(m, point, NULL, NULL);
	assert_int_equal(ms_vm_get_dirty(w->vm, 1, bits, 8, NULL), -EBUSY);
	assert_int_equal(ms_vm_clear_dirty(w->vm, 1, 0, 512), -EBUSY);
	w->vm = NULL;
}

/* Between break and make of the entry of a block the lock is held that the log needs. */
static void log_waits_while_a_block_is_broken(void **state)
{
	struct world w = world("6.12.107"), seen = w;
	uint64_t bits[8];

	map_anon(&w, HVA, MS_2M);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), 0);
	assert_int_equal(ms_guest_write(w.vm, GPA).leaf.size, MS_2M);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, LOG), 0);
	ms_machine_set_hook(w.m, MS_HOOK_S2_BROKEN, look_while_broken, &seen);
	assert_int_equal(ms_guest_write(w.vm, GPA + PAGE).leaf.size, PAGE);
	assert_null(seen.vm);
	assert_int_equal(ms_vm_get_dirty(w.vm, 1, bits, 8, NULL), 0);
	assert_int_equal(bits[0], 0x2);
	world_end(&w);
}

static ms_vm_fault_t insert_bar_page(struct ms_vm_fault *vmf)
{
	return ms_vmf_insert_mixed(vmf->vma, vmf->address, BAR >> 12);
}

static int mmap_mixed(struct ms_file *file, struct ms_vma *vma)
{
	static const struct ms_vm_ops ops = { .fault = insert_bar_page };

	vma->vm_flags |= MS_VM_IO | MS_VM_MIXEDMAP;
	vma->vm_page_prot = ms_pgprot_device(vma->vm_page_prot);
	vma->vm_ops = &ops;
	return 0;
}

/* A slot over VM_PFNMAP memory has no log; over a device's page in a VM_MIXEDMAP VMA it may. */
static void device_memory_is_written_unseen_by_the_log(void **state)
{
	static const struct ms_file_ops mixed = { .name = "mixed", .mmap = mmap_mixed };
	struct world w = world("6.12.107");
	uint64_t bits;

	map_file(&w, HVA, PAGE, MS_PROT_RW, MS_MAP_SHARED, &mixed, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, LOG), 0);
	assert_int_equal(ms_vm_get_dirty(w.vm, 1, &bits, 1, NULL), 0);
	assert_int_equal(ms_guest_read(w.vm, GPA).leaf.prot, MS_PROT_RW | MS_PROT_DEVICE);
	assert_int_equal(ms_guest_write(w.vm, GPA).faults, 0);
	assert_int_equal(ms_machine_check(w.m, stderr), 0);
	world_end(&w);
}

static void tables_for_splitting_go_with_the_slot_or_its_log(void **state)
{
	const struct ms_vm_config config = { .split_chunk = MS_2M };

	for (int i = 0; i < 2; i++) {
		struct world w;

		start(&w, "6.12.107", &config, 4);
		assert_true(w.vm->arm64.split_cache.count > 0);
		if (i)
			assert_int_equal(ms_vm_set_slot(w.vm, 1, 0, 0, 0, 0), 0);
		else
			assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 4 * PAGE, HVA, 0), 0);
		assert_int_equal(w.vm->arm64.split_cache.count, 0);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_log_protects_the_empty_slot),
		cmocka_unit_test(log_that_begins_full_protects_nothing),
		cmocka_unit_test(logged_write_breaks_no_rule_of_the_lock),
		cmocka_unit_test(written_pages_are_dirty_and_read_ones_are_not),
		cmocka_unit_test(get_protects_each_words_pages_from_first_to_last),
		cmocka_unit_test(get_of_a_manual_log_changes_nothing),
		cmocka_unit_test(clear_protects_the_pages_whose_bits_were_set),
		cmocka_unit_test(reading_and_clearing_end_with_a_flush_where_something_was_dirty),
		cmocka_unit_test(clear_needs_no_manual_mode),
		cmocka_unit_test(clear_takes_whole_words_or_the_slots_end),
		cmocka_unit_test(clear_of_no_page_at_the_slots_end_is_nothing),
		cmocka_unit_test(slot_without_a_log_is_enoent),
		cmocka_unit_test(bitmap_that_is_too_small_is_refused),
		cmocka_unit_test(log_that_goes_on_keeps_its_bits_when_the_slot_moves),
		cmocka_unit_test(log_that_stops_forgets_and_leaves_pages_protected),
		cmocka_unit_test(write_to_a_block_breaks_it_while_logging),
		cmocka_unit_test(split_comes_after_protection_in_chunks_over_the_whole_slot),
		cmocka_unit_test(one_chunk_of_1g_splits_a_1g_block_into_pages),
		cmocka_unit_test(full_log_splits_what_is_cleared),
		cmocka_unit_test(page_of_a_device_that_came_later_is_dirty_when_read),
		cmocka_unit_test(log_waits_while_a_block_is_broken),
		cmocka_unit_test(device_memory_is_written_unseen_by_the_log),
		cmocka_unit_test(tables_for_splitting_go_with_the_slot_or_its_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
