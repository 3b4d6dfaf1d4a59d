/* SPDX-License-Identifier: GPL-2.0-only */
/* What the process tells a VM: ranges that go, copied pages, use, and the races with faults. */
#include "world.h"

#include "kvm/internal.h"
#include "mm/internal.h"

static void written_slot(struct world *w, uint64_t npages)
{
	map_pages(w, HVA, npages * PAGE);
	assert_int_equal(ms_vm_set_slot(w->vm, 1, GPA, npages * PAGE, HVA, 0), 0);
	for (uint64_t i = 0; i < npages; i++)
		assert_int_equal(ms_guest_write(w->vm, GPA + i * PAGE).exit, MS_GUEST_OK);
	events(w);
}

static void munmap_unmaps_what_the_slot_shows(void **state)
{
	struct world w = world("6.12.107");

	written_slot(&w, 4);
	assert_int_equal(ms_munmap(w.mm, HVA + PAGE, 8 * PAGE), 0);
	assert_string_equal(events(&w), "s2.unmap ipa=0x80001000 size=0x3000\n");
	assert_int_equal(ms_guest_read(w.vm, GPA).faults, 0);
	assert_int_equal(ms_guest_read(w.vm, GPA + PAGE).err, -EFAULT);
	world_end(&w);
}

static void memory_outside_of_slots_tells_nothing(void **state)
{
	struct world w = world("6.12.107");

	map_pages(&w, HVA + MS_1G, PAGE);
	written_slot(&w, 1);
	assert_int_equal(ms_munmap(w.mm, HVA + MS_1G, PAGE), 0);
	assert_string_equal(events(&w), "");
	world_end(&w);
}

/*
 *  host   |0    |1    |2    |3    |4    |
 *  slot 5 |-----------|                      gpa 0x30000, made first
 *  slot 7 |-----------|                      gpa 0x10000
 *  slot 3       |-----------|                gpa 0x20000
 */
static void three_slots(struct world *w)
{
	map_pages(w, HVA, 4 * PAGE);
	assert_int_equal(ms_vm_set_slot(w->vm, 5, 0x30000, 2 * PAGE, HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(w->vm, 7, 0x10000, 2 * PAGE, HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(w->vm, 3, 0x20000, 2 * PAGE, HVA + PAGE, 0), 0);
	events(w);
}

static void slots_are_told_by_host_address_then_age(void **state)
{
	struct world w = world("6.1.192");

	three_slots(&w);
	assert_int_equal(ms_munmap(w.mm, HVA, 2 * PAGE), 0);
	assert_string_equal(events(&w), "s2.unmap ipa=0x30000 size=0x2000\n"
					"s2.unmap ipa=0x10000 size=0x2000\n"
					"s2.unmap ipa=0x20000 size=0x1000\n");
	world_end(&w);
}

static void slots_were_told_by_falling_guest_address(void **state)
{
	struct world w = world("5.10.223");

	three_slots(&w);
	assert_int_equal(ms_munmap(w.mm, HVA, 2 * PAGE), 0);
	assert_string_equal(events(&w), "s2.unmap ipa=0x30000 size=0x2000\n"
					"s2.unmap ipa=0x20000 size=0x1000\n"
					"s2.unmap ipa=0x10000 size=0x2000\n");
	world_end(&w);
}

static void changed_slot_is_told_after_others_at_its_host_address(void **state)
{
	struct world w = world("6.1.192");

	three_slots(&w);
	assert_int_equal(ms_vm_set_slot(w.vm, 5, 0x40000, 2 * PAGE, HVA, 0), 0);
	events(&w);
	assert_int_equal(ms_munmap(w.mm, HVA, PAGE), 0);
	assert_string_equal(events(&w), "s2.unmap ipa=0x10000 size=0x1000\n"
					"s2.unmap ipa=0x40000 size=0x1000\n");
	world_end(&w);
}

static void refused_move_changes_the_order_of_the_set_that_is_used_next(void **state)
{
	struct world w = world("6.1.192");

	map_bar(&w, HVA, PAGE, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, 0x10000, PAGE, HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 2, 0x20000, PAGE, HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, 0x30000, PAGE, HVA, MS_SLOT_LOG_DIRTY), -EINVAL);
	events(&w);
	assert_int_equal(ms_mprotect(w.mm, HVA, PAGE, MS_PROT_R), 0);
	assert_string_equal(events(&w), "s2.unmap ipa=0x10000 size=0x1000\n"
					"s2.unmap ipa=0x20000 size=0x1000\n");
	// one more change swaps the sets
	assert_int_equal(ms_vm_set_slot(w.vm, 9, 0x90000, PAGE, HVA + MS_1G, 0), 0);
	assert_int_equal(ms_mprotect(w.mm, HVA, PAGE, MS_PROT_RW), 0);
	assert_string_equal(events(&w), "s2.unmap ipa=0x20000 size=0x1000\n"
					"s2.unmap ipa=0x10000 size=0x1000\n");
	world_end(&w);
}

/* ---- copied pages ---- */

static void copy_maps_the_new_page_readonly_up_to_6_9(void **state)
{
	struct world w = world("6.1.192");

	written_slot(&w, 2);
	assert_non_null(ms_fork(w.mm));
	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_OK);
	assert_int_equal(ms_guest_read(w.vm, GPA + PAGE).exit, MS_GUEST_OK);
	events(&w);
	// the table of GPA's 2M stays because of the other page
	assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_OK);
	assert_string_equal(events(&w), "s2.unmap ipa=0x80000000 size=0x1000\n"
					"s2.map ipa=0x80000000 size=0x1000 pa=ram prot=r\n"
					"s2.relax ipa=0x80000000 prot=rw\n");
	world_end(&w);
}

static void copy_maps_nothing_where_the_table_went(void **state)
{
	struct world w = world("6.1.192");

	written_slot(&w, 1);
	assert_non_null(ms_fork(w.mm));
	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_OK);
	events(&w);
	assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_OK);
	assert_string_equal(events(&w),
			    "s2.unmap ipa=0x80000000 size=0x1000\n"
			    "s2.map ipa=0x80000000 size=0x1000 pa=ram prot=r ret=ENOMEM\n"
			    "s2.map ipa=0x80000000 size=0x1000 pa=ram prot=rw\n");
	world_end(&w);
}

static void copy_only_unmaps_from_6_10_on(void **state)
{
	struct world w = world("6.12.107");

	written_slot(&w, 2);
	assert_non_null(ms_fork(w.mm));
	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_OK);
	events(&w);
	assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_OK);
	assert_string_equal(events(&w), "s2.unmap ipa=0x80000000 size=0x1000\n"
					"s2.map ipa=0x80000000 size=0x1000 pa=ram prot=rw\n");
	world_end(&w);
}

/* ---- races with a fault ---- */

static void zap_once(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct ms_mm *mm = arg;

	ms_machine_set_hook(m, point, NULL, NULL);
	assert_int_equal(ms_madvise(mm, HVA, PAGE, MS_MADV_DONTNEED), 0);
}

static void page_that_goes_while_it_is_looked_up_is_looked_up_again(void **state)
{
	struct world w = world("6.12.107");
	struct ms_guest_access access;

	written_slot(&w, 1);
	assert_int_equal(ms_madvise(w.mm, HVA, PAGE, MS_MADV_DONTNEED), 0);
	events(&w);
	ms_machine_set_hook(w.m, MS_HOOK_S2_PFN_FOUND, zap_once, w.mm);
	access = ms_guest_write(w.vm, GPA);
	assert_int_equal(access.exit, MS_GUEST_OK);
	assert_int_equal(access.faults, 2);
	assert_string_equal(events(&w), "s2.unmap ipa=0x80000000 size=0x1000\n"
					"s2.map ipa=0x80000000 size=0x1000 pa=ram prot=rw\n");
	world_end(&w);
}

static void unmap_between_vma_and_sequence_is_noticed_from_6_3_on(void **state)
{
	struct world w = world("6.12.107");

	written_slot(&w, 1);
	assert_int_equal(ms_madvise(w.mm, HVA, PAGE, MS_MADV_DONTNEED), 0);
	ms_machine_set_hook(w.m, MS_HOOK_S2_VMA_SAMPLED, zap_once, w.mm);
	assert_int_equal(ms_guest_write(w.vm, GPA).faults, 2);
	world_end(&w);
}

static void unmap_between_vma_and_sequence_went_unnoticed(void **state)
{
	struct world w = world("5.10.223");

	written_slot(&w, 1);
	assert_int_equal(ms_madvise(w.mm, HVA, PAGE, MS_MADV_DONTNEED), 0);
	ms_machine_set_hook(w.m, MS_HOOK_S2_VMA_SAMPLED, zap_once, w.mm);
	assert_int_equal(ms_guest_write(w.vm, GPA).faults, 1);
	world_end(&w);
}

static void zap_elsewhere(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct ms_mm *mm = arg;

	ms_machine_set_hook(m, point, NULL, NULL);
	assert_int_equal(ms_madvise(mm, HVA + MS_1G, PAGE, MS_MADV_DONTNEED), 0);
}

static unsigned int faults_with_a_zap_outside_of_slots(const char *release)
{
	struct world w = world(release);
	unsigned int faults;

	map_pages(&w, HVA + MS_1G, PAGE);
	assert_int_equal(ms_touch(w.mm, HVA + MS_1G, MS_PROT_W), MS_ACCESS_OK);
	map_pages(&w, HVA, PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	ms_machine_set_hook(w.m, MS_HOOK_S2_PFN_FOUND, zap_elsewhere, w.mm);
	faults = ms_guest_write(w.vm, GPA).faults;
	world_end(&w);
	return faults;
}

static void range_that_hits_no_slot_made_faults_repeat_up_to_5_14(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64)
		assert_int_equal(faults_with_a_zap_outside_of_slots(k->release),
				 k->notifier_counts == MS_NOTIFIER_COUNTS_ALWAYS ? 2 : 1);
}

static void zap_always(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct ms_mm *mm = arg;

	assert_int_equal(ms_madvise(mm, HVA, PAGE, MS_MADV_DONTNEED), 0);
}

static void page_that_goes_every_time_is_given_up(void **state)
{
	struct world w = world("6.12.107");
	struct ms_guest_access access;

	map_pages(&w, HVA, PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	ms_machine_set_hook(w.m, MS_HOOK_S2_PFN_FOUND, zap_always, w.mm);
	access = ms_guest_write(w.vm, GPA);
	assert_int_equal(access.exit, MS_GUEST_RETRY);
	assert_int_equal(access.faults, 1000);
	world_end(&w);
}

static void write_neighbour(struct ms_machine *m, enum ms_hook_point point, uint64_t addr,
			    void *arg)
{
	struct ms_vm *vm = arg;

	ms_machine_set_hook(m, point, NULL, NULL);
	assert_int_equal(ms_guest_write(vm, GPA + PAGE).exit, MS_GUEST_OK);
}

static void another_access_may_come_between(void **state)
{
	struct world w = world("6.12.107");

	map_pages(&w, HVA, 2 * PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 2 * PAGE, HVA, 0), 0);
	events(&w);
	ms_machine_set_hook(w.m, MS_HOOK_S2_PFN_FOUND, write_neighbour, w.vm);
	assert_int_equal(ms_guest_write(w.vm, GPA).faults, 1);
	assert_string_equal(events(&w), "s2.map ipa=0x80001000 size=0x1000 pa=ram prot=rw\n"
					"s2.map ipa=0x80000000 size=0x1000 pa=ram prot=rw\n");
	world_end(&w);
}

struct slot_change {
	struct ms_vm *vm;
	int ret;
};

static void change_slot(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct slot_change *change = arg;

	change->ret = ms_vm_set_slot(change->vm, 1, 0, 0, 0, 0);
}

static void slots_do_not_change_under_a_fault(void **state)
{
	struct world w = world("6.12.107");
	struct slot_change change = { .vm = w.vm };

	map_pages(&w, HVA, PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	ms_machine_set_hook(w.m, MS_HOOK_S2_PFN_FOUND, change_slot, &change);
	assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_OK);
	assert_int_equal(change.ret, -EBUSY);
	assert_int_equal(ms_vm_slot_pages(w.vm, 1), 1);
	world_end(&w);
}

static void end_process(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	ms_machine_set_hook(m, point, NULL, NULL);
	ms_mm_exit(arg);
}

static void process_that_ends_under_a_fault_is_eio(void **state)
{
	static const enum ms_hook_point points[] = { MS_HOOK_S2_VMA_SAMPLED, MS_HOOK_S2_PFN_FOUND,
						     MS_HOOK_S2_MMU_LOCK, MS_HOOK_S2_MAPPED };

	for (size_t i = 0; i < 4; i++) {
		struct world w = world("6.12.107");
		struct ms_guest_access access;
		const struct ms_event *ev;

		ms_trace_keep(w.m, 1u << MS_EV_GUEST_ABORT);
		map_pages(&w, HVA, PAGE);
		assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
		assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_OK);
		ms_machine_set_hook(w.m, points[i], end_process, w.mm);
		access = ms_guest_exec(w.vm, GPA);
		assert_int_equal(access.exit, MS_GUEST_ERROR);
		assert_int_equal(access.err, -EIO);
		assert_int_equal(access.leaf.size, 0);
		ev = ms_trace_last(w.m, MS_EV_GUEST_ABORT);
		if (points[i] == MS_HOOK_S2_MAPPED)
			assert_null(ev->reason);
		else
			assert_string_equal(ev->reason, "the VM's process is gone");
		world_end(&w);
	}
}

static void slot_at_host_address_0_is_told(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);

		assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, 0, 0), 0);
		ms_kvm_notifier_ops.invalidate_range_start(&w.vm->notifier, w.mm, 0, PAGE,
							   MS_NOTIFY_UNMAP);
		assert_string_equal(events(&w), "s2.unmap ipa=0x80000000 size=0x1000\n");
		ms_kvm_notifier_ops.invalidate_range_end(&w.vm->notifier, w.mm, 0, PAGE,
							 MS_NOTIFY_UNMAP);
		world_end(&w);
	}
}

/* A driver or hook that is called with the mmap lock held for writing lets the guest run. */
static void fault_that_would_wait_for_the_mmap_lock_is_ebusy(void **state)
{
	struct world w = world("6.12.107");
	const struct ms_event *ev;

	map_pages(&w, HVA, PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	ms_trace_keep(w.m, 1u << MS_EV_GUEST_ABORT);
	w.mm->mmap_writer = true;
	assert_int_equal(ms_guest_read(w.vm, GPA).err, -EBUSY);
	w.mm->mmap_writer = false;
	ev = ms_trace_last(w.m, MS_EV_GUEST_ABORT);
	assert_int_equal(ev->ret, -EBUSY);
	assert_string_equal(ev->reason, "a lock is held by what the hook interrupted");
	world_end(&w);
}

struct some_times {
	struct ms_mm *mm;
	unsigned int left;
};

static void discard_some_times(struct ms_machine *m, enum ms_hook_point point, uint64_t addr,
			       void *arg)
{
	struct some_times *t = arg;

	assert_int_equal(ms_madvise(t->mm, HVA, PAGE, MS_MADV_DONTNEED), 0);
	if (!--t->left)
		ms_machine_set_hook(m, point, NULL, NULL);
}

static void fault_is_repeated_as_long_as_something_changes(void **state)
{
	for (unsigned int times = 1; times < 6; times++) {
		struct world w = world("6.12.117");
		struct some_times t = { w.mm, times };
		struct ms_guest_access access;

		map_pages(&w, HVA, PAGE);
		assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
		ms_machine_set_hook(w.m, MS_HOOK_S2_PFN_FOUND, discard_some_times, &t);
		access = ms_guest_write(w.vm, GPA);
		assert_int_equal(access.exit, MS_GUEST_OK);
		assert_int_equal(access.faults, times + 1);
		world_end(&w);
	}
}

static void change_the_entry(struct ms_machine *m, enum ms_hook_point point, uint64_t addr,
			     void *arg)
{
	struct ms_vm *vm = arg;

	ms_machine_set_hook(m, point, NULL, NULL);
	ms_kvm_notifier_ops.change_pte(&vm->notifier, vm->mm, HVA, MS_1G | MS_PTE_PRESENT);
}

static unsigned int faults_with_a_changed_entry(const char *release)
{
	struct world w = world(release);
	unsigned int faults;

	map_pages(&w, HVA, PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	ms_machine_set_hook(w.m, MS_HOOK_S2_PFN_FOUND, change_the_entry, w.vm);
	faults = ms_guest_write(w.vm, GPA).faults;
	world_end(&w);
	return faults;
}

/* A changed entry counts as a notifier of its own; later only what goes on around it counts. */
static void changed_entry_made_faults_repeat_up_to_5_14(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64)
		assert_int_equal(faults_with_a_changed_entry(k->release),
				 k->notifier_counts == MS_NOTIFIER_COUNTS_ALWAYS ? 2 : 1);
}

static uint64_t caches_cleaned_by_a_copy(const char *release)
{
	const struct ms_machine_config config = { .fwb = MS_FEATURE_ABSENT };
	struct world w = world_config(release, &config);
	uint64_t before, count;

	map_pages(&w, HVA, 2 * PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 2 * PAGE, HVA, 0), 0);
	assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_OK);
	assert_int_equal(ms_guest_write(w.vm, GPA + PAGE).exit, MS_GUEST_OK);
	before = ms_trace_total(w.m, MS_EV_CMO);
	ms_kvm_notifier_ops.invalidate_range_start(&w.vm->notifier, w.mm, HVA, HVA + PAGE,
						   MS_NOTIFY_CLEAR);
	before += ms_trace_total(w.m, MS_EV_CMO) - before;
	ms_kvm_notifier_ops.change_pte(&w.vm->notifier, w.mm, HVA,
				       (2 * MS_1G) | MS_PTE_PRESENT | MS_PTE_WRITE);
	count = ms_trace_total(w.m, MS_EV_CMO) - before;
	ms_kvm_notifier_ops.invalidate_range_end(&w.vm->notifier, w.mm, HVA, HVA + PAGE,
						 MS_NOTIFY_CLEAR);
	assert_int_equal(ms_munmap(w.mm, HVA, 2 * PAGE), 0);
	world_end(&w);
	return count;
}

/* By the notifier itself, later by the walk that maps it. */
static void copied_page_is_cleaned_once_without_fwb(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64)
		assert_int_equal(caches_cleaned_by_a_copy(k->release),
				 k->notifier_change_pte == MS_NOTIFIER_CHANGE_PTE_YES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(munmap_unmaps_what_the_slot_shows),
		cmocka_unit_test(memory_outside_of_slots_tells_nothing),
		cmocka_unit_test(slots_are_told_by_host_address_then_age),
		cmocka_unit_test(slots_were_told_by_falling_guest_address),
		cmocka_unit_test(changed_slot_is_told_after_others_at_its_host_address),
		cmocka_unit_test(refused_move_changes_the_order_of_the_set_that_is_used_next),
		cmocka_unit_test(copy_maps_the_new_page_readonly_up_to_6_9),
		cmocka_unit_test(copy_maps_nothing_where_the_table_went),
		cmocka_unit_test(copy_only_unmaps_from_6_10_on),
		cmocka_unit_test(page_that_goes_while_it_is_looked_up_is_looked_up_again),
		cmocka_unit_test(unmap_between_vma_and_sequence_is_noticed_from_6_3_on),
		cmocka_unit_test(unmap_between_vma_and_sequence_went_unnoticed),
		cmocka_unit_test(range_that_hits_no_slot_made_faults_repeat_up_to_5_14),
		cmocka_unit_test(page_that_goes_every_time_is_given_up),
		cmocka_unit_test(another_access_may_come_between),
		cmocka_unit_test(slots_do_not_change_under_a_fault),
		cmocka_unit_test(process_that_ends_under_a_fault_is_eio),
		cmocka_unit_test(slot_at_host_address_0_is_told),
		cmocka_unit_test(fault_that_would_wait_for_the_mmap_lock_is_ebusy),
		cmocka_unit_test(fault_is_repeated_as_long_as_something_changes),
		cmocka_unit_test(changed_entry_made_faults_repeat_up_to_5_14),
		cmocka_unit_test(copied_page_is_cleaned_once_without_fwb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
