/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is left of a VM's operations when memory is out. That each of them answers as it should, and
 * leaves the machine whole, is tests/oom's.
 */
#include "world.h"

#include "core/core.h"

#define LOG MS_SLOT_LOG_DIRTY

static void assert_consistent(const struct world *w)
{
	assert_null(ms_s2_check(ms_vm_s2(w->vm)));
}

static void creation_fails_and_leaves_nothing(void **state)
{
	struct world w = world("6.12.107");
	struct ms_vm *vm;
	const size_t live = w.m->alloc.live;
	uint64_t n = 0;

	do {
		assert_int_equal(w.m->alloc.live, live);
		ms_machine_fail_alloc(w.m, ++n);
		errno = 0;
		vm = ms_vm_new_config(w.mm, NULL);
	} while (!vm && errno == ENOMEM);
	assert_true(n > 2);
	assert_int_equal(ms_vm_id(vm), 2);
	world_end(&w);
}

static void slot_with_a_log_is_made_whole_or_not_at_all(void **state)
{
	struct world w = world("6.12.107");
	uint64_t n = 0;
	int ret;

	map_pages(&w, HVA, 4 * PAGE);
	do {
		assert_int_equal(ms_vm_slot_pages(w.vm, 1), 0);
		ms_machine_fail_alloc(w.m, ++n);
		ret = ms_vm_set_slot(w.vm, 1, GPA, 4 * PAGE, HVA, LOG);
	} while (ret == -ENOMEM);
	assert_int_equal(ret, 0);
	assert_true(n > 2);
	assert_consistent(&w);
	world_end(&w);
}

static void slot_whose_log_has_no_memory_stays_without(void **state)
{
	struct world w = world("6.12.107");
	uint64_t bits, npages;

	map_pages(&w, HVA, PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	ms_machine_fail_alloc(w.m, 1);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, LOG), -ENOMEM);
	assert_int_equal(ms_vm_get_dirty(w.vm, 1, &bits, 1, &npages), -ENOENT);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, LOG), 0);
	world_end(&w);
}

static void premap_is_made_whole_or_not_at_all(void **state)
{
	struct world w = world("5.10.223");
	uint64_t n = 0;
	int ret;

	map_bar(&w, HVA, 2 * MS_2M, 0);
	do {
		assert_int_equal(ms_vm_slot_pages(w.vm, 1), 0);
		assert_int_equal(ms_s2_table_pages(ms_vm_s2(w.vm)), 0);
		ms_machine_fail_alloc(w.m, ++n);
		ret = ms_vm_set_slot(w.vm, 1, GPA, 2 * MS_2M, HVA, 0);
		assert_consistent(&w);
	} while (ret == -ENOMEM);
	assert_int_equal(ret, 0);
	world_end(&w);
}

static void split_without_memory_stops_quietly(void **state)
{
	const struct ms_vm_config config = { .split_chunk = MS_2M };
	struct world w = world("6.12.107");

	ms_vm_free(w.vm);
	w.vm = ms_vm_new_config(w.mm, &config);
	assert_non_null(w.vm);
	map_anon(&w, HVA, MS_2M);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), 0);
	assert_int_equal(ms_guest_write(w.vm, GPA).leaf.size, MS_2M);
	events(&w);
	// the bitmap has memory, the first table has none
	ms_machine_fail_alloc(w.m, 2);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, LOG), 0);
	assert_string_equal(events(&w), "s2.wrprotect ipa=0x80000000 size=0x200000\n");
	assert_int_equal(ms_guest_read(w.vm, GPA).leaf.size, MS_2M);
	world_end(&w);
}

static void what_goes_gives_its_memory_back(void **state)
{
	struct world w = world("6.12.107");
	const size_t before = w.m->alloc.live;
	struct ms_vm *vm;
	size_t with_vm;

	ms_trace_keep(w.m, 0);
	vm = ms_vm_new_config(w.mm, NULL);
	assert_non_null(vm);
	with_vm = w.m->alloc.live;
	for (unsigned int id = 0; id < 3; id++)
		assert_int_equal(ms_vm_set_slot(vm, id, GPA + id * MS_2M, MS_2M, HVA, LOG), 0);
	assert_true(w.m->alloc.live > with_vm);
	// a log that ends, a slot that goes
	assert_int_equal(ms_vm_set_slot(vm, 0, GPA, MS_2M, HVA, 0), 0);
	for (unsigned int id = 0; id < 3; id++)
		assert_int_equal(ms_vm_set_slot(vm, id, 0, 0, 0, 0), 0);
	assert_int_equal(w.m->alloc.live, with_vm);
	// a slot that is refused
	assert_int_equal(ms_vm_set_slot(vm, 0, UINT64_C(1) << 40, MS_2M, HVA, LOG), -EFAULT);
	assert_int_equal(w.m->alloc.live, with_vm);
	// all at once
	assert_int_equal(ms_vm_set_slot(vm, 0, GPA, MS_2M, HVA, LOG), 0);
	map_anon(&w, HVA, PAGE);
	assert_int_equal(ms_munmap(w.mm, HVA, PAGE), 0);
	ms_vm_free(vm);
	assert_int_equal(w.m->alloc.live, before);
	world_end(&w);
}

static void event_that_cannot_be_kept_has_no_outcome_either(void **state)
{
	struct world w = world("6.12.107");

	ms_trace_keep(w.m, 1u << MS_EV_GUEST_ABORT);
	ms_machine_fail_alloc(w.m, 1);
	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_MMIO);
	assert_int_equal(ms_trace_len(w.m), 0);
	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_MMIO);
	assert_string_equal(ms_trace_last(w.m, MS_EV_GUEST_ABORT)->reason, "no memslot");
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(creation_fails_and_leaves_nothing),
		cmocka_unit_test(slot_with_a_log_is_made_whole_or_not_at_all),
		cmocka_unit_test(slot_whose_log_has_no_memory_stays_without),
		cmocka_unit_test(premap_is_made_whole_or_not_at_all),
		cmocka_unit_test(split_without_memory_stops_quietly),
		cmocka_unit_test(what_goes_gives_its_memory_back),
		cmocka_unit_test(event_that_cannot_be_kept_has_no_outcome_either),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
