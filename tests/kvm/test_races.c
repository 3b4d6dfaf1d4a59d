/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The process changes its memory in the middle of a guest's fault. Where the other side can act:
 *
 *  VMA looked at   VMA_SAMPLED   pfn looked up   PFN_FOUND   mapped   MAPPED
 *
 * Up to 6.2 the notifiers' sequence was sampled once the mmap lock had been dropped, at
 * VMA_SAMPLED: nobody then asked whether the VMA had still been the same.
 */
#include "world.h"

#include <mapsim/drivers.h>

static bool samples_early(const struct ms_policy *k)
{
	return k->s2_seq_sample == MS_S2_SEQ_SAMPLE_BEFORE_UNLOCK;
}

/* A device's memory is mapped by faults, and in blocks. */
static bool may_map_blocks(const struct ms_policy *k)
{
	return k->s2_pfnmap_block == MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF;
}

/* What the process does, once, at a hook point. */
struct other {
	struct world *w;
	void (*act)(struct world *w);
	unsigned int calls;
};

static void run_once(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct other *other = arg;

	assert_int_equal(addr & ~(PAGE - 1), addr);
	ms_machine_set_hook(m, point, NULL, NULL);
	other->calls++;
	other->act(other->w);
}

static struct ms_guest_access touch_while(struct world *w, ms_ipa_t gpa, unsigned int prot,
					  enum ms_hook_point point, void (*act)(struct world *w))
{
	struct other other = { .w = w, .act = act };
	struct ms_guest_access access;

	events(w);
	ms_machine_set_hook(w->m, point, run_once, &other);
	access = ms_guest_touch(w->vm, gpa, prot);
	assert_int_equal(other.calls, 1);
	return access;
}

static struct ms_guest_access read_while(struct world *w, ms_ipa_t gpa, enum ms_hook_point point,
					 void (*act)(struct world *w))
{
	return touch_while(w, gpa, MS_PROT_R, point, act);
}

static void unmap_2m(struct world *w)
{
	assert_int_equal(ms_munmap(w->mm, HVA, MS_2M), 0);
}

/* ---- memory goes ---- */

static void memory_that_goes_after_its_lookup_is_not_mapped(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);
		struct ms_guest_access access;

		map_anon(&w, HVA, MS_2M);
		assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), 0);
		access = read_while(&w, GPA, MS_HOOK_S2_PFN_FOUND, unmap_2m);
		assert_int_equal(access.faults, 2);
		assert_int_equal(access.err, -EFAULT);
		assert_int_equal(access.leaf.size, 0);
		assert_string_equal(events(&w), "s2.unmap ipa=0x80000000 size=0x200000\n");
		world_end(&w);
	}
}

static void memory_that_goes_once_it_is_mapped_is_faulted_for_again(void **state)
{
	struct world w = world("6.12.117");
	struct ms_guest_access access;

	map_pages(&w, HVA, MS_2M);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), 0);
	access = read_while(&w, GPA, MS_HOOK_S2_MAPPED, unmap_2m);
	assert_int_equal(access.err, -EFAULT);
	assert_string_equal(events(&w), "s2.map ipa=0x80000000 size=0x1000 pa=ram prot=r\n"
					"s2.unmap ipa=0x80000000 size=0x200000\n");
	world_end(&w);
}

static void retry_says_why(void **state)
{
	struct world w = world("6.12.117");
	const struct ms_event *ev;

	map_anon(&w, HVA, MS_2M);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), 0);
	ms_trace_keep(w.m, 1u << MS_EV_GUEST_ABORT);
	read_while(&w, GPA, MS_HOOK_S2_PFN_FOUND, unmap_2m);
	ev = ms_trace_get(w.m, 0);
	assert_int_equal(ev->ret, 0);
	assert_string_equal(ev->reason, "MMU notifier ran since the VMA was looked at: retry");
	assert_int_equal(ms_trace_get(w.m, 1)->ret, -EFAULT);
	world_end(&w);
}

/* ---- another VMA comes in place of the one that was looked at ---- */

static void device_becomes_memory(struct world *w)
{
	assert_int_equal(ms_munmap(w->mm, HVA, MS_2M), 0);
	map_pages(w, HVA, MS_2M);
	for (uint64_t off = 0; off < MS_2M; off += PAGE)
		assert_int_equal(ms_touch(w->mm, HVA + off, MS_PROT_W), MS_ACCESS_OK);
}

/* One page of RAM is taken first: those of the process begin at no block's start. */
static struct ms_guest_access read_of_device_that_becomes_memory(struct world *w,
								 const struct ms_policy *policy)
{
	world_start(w, policy, NULL);
	map_pages(w, HVA + MS_1G, PAGE);
	assert_int_equal(ms_touch(w->mm, HVA + MS_1G, MS_PROT_W), MS_ACCESS_OK);
	map_bar(w, HVA, MS_2M, 0);
	assert_int_equal(ms_vm_set_slot(w->vm, 1, GPA, MS_2M, HVA, 0), 0);
	return read_while(w, GPA + PAGE, MS_HOOK_S2_VMA_SAMPLED, device_becomes_memory);
}

static void new_vma_is_noticed_where_the_sequence_is_sampled_under_the_mmap_lock(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		struct ms_guest_access access;
		struct ms_host_leaf host;
		struct world w;

		if (!samples_early(k))
			continue;
		access = read_of_device_that_becomes_memory(&w, k);
		assert_int_equal(access.exit, MS_GUEST_OK);
		assert_int_equal(access.faults, 2);
		assert_int_equal(access.leaf.size, PAGE);
		assert_true(ms_host_leaf(w.mm, HVA + PAGE, &host));
		assert_int_equal(access.leaf.pa, host.entry & MS_PTE_PA_MASK);
		assert_int_equal(access.leaf.prot, MS_PROT_RW);
		world_end(&w);
	}
}

/* The old VMA's block size with the new VMA's page: 2M from one page of RAM on. */
static void new_vma_went_unnoticed_and_its_page_became_a_block(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		struct ms_guest_access access;
		struct ms_host_leaf host;
		struct ms_s2_leaf last;
		struct world w;

		if (samples_early(k) || !may_map_blocks(k))
			continue;
		access = read_of_device_that_becomes_memory(&w, k);
		assert_int_equal(access.exit, MS_GUEST_OK);
		assert_int_equal(access.faults, 1);
		assert_string_equal(events(&w),
				    "s2.unmap ipa=0x80000000 size=0x200000\n"
				    "s2.map ipa=0x80000000 size=0x200000 pa=ram prot=rw\n");
		assert_true(ms_host_leaf(w.mm, HVA, &host));
		assert_true(ms_s2_get_leaf(ms_vm_s2(w.vm), GPA + MS_2M - PAGE, &last));
		assert_int_equal(last.pa, (host.entry & MS_PTE_PA_MASK) + MS_2M - PAGE);
		world_end(&w);
	}
}

static void when_the_sequence_is_sampled_is_a_rule_of_its_own(void **state)
{
	struct ms_policy fixed = *ms_policy_linux("6.1.0", MS_ARCH_ARM64);
	struct ms_policy broken = *ms_policy_linux("6.12.107", MS_ARCH_ARM64);
	struct world w;

	fixed.s2_seq_sample = MS_S2_SEQ_SAMPLE_BEFORE_UNLOCK;
	broken.s2_seq_sample = MS_S2_SEQ_SAMPLE_AFTER_UNLOCK;
	assert_int_equal(read_of_device_that_becomes_memory(&w, &fixed).faults, 2);
	world_end(&w);
	assert_int_equal(read_of_device_that_becomes_memory(&w, &broken).faults, 1);
	world_end(&w);
}

static void another_part_of_the_bar(struct world *w)
{
	assert_int_equal(ms_munmap(w->mm, HVA, MS_2M), 0);
	map_bar(w, HVA, MS_2M, MS_1G + PAGE);
}

static struct ms_guest_access read_of_a_bar_that_moves(const char *release,
						       enum ms_hook_point point)
{
	struct world w = world(release);
	struct ms_guest_access access;

	map_bar(&w, HVA, MS_2M, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), 0);
	access = read_while(&w, GPA + 3 * PAGE, point, another_part_of_the_bar);
	assert_int_equal(access.exit, MS_GUEST_OK);
	world_end(&w);
	return access;
}

static void mapping_that_moves_in_its_bar_is_mapped_where_it_went(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		struct ms_guest_access access;

		if (k->slot_pfnmap == MS_SLOT_PFNMAP_PREMAP)
			continue;
		if (samples_early(k)) {
			access = read_of_a_bar_that_moves(k->release, MS_HOOK_S2_VMA_SAMPLED);
			assert_int_equal(access.faults, 2);
			assert_int_equal(access.leaf.size, PAGE);
			assert_int_equal(access.leaf.pa, BAR + MS_1G + 4 * PAGE);
		}
		// After the lookup nobody can be fooled.
		access = read_of_a_bar_that_moves(k->release, MS_HOOK_S2_PFN_FOUND);
		assert_int_equal(access.faults, 2);
		assert_int_equal(access.leaf.pa, BAR + MS_1G + 4 * PAGE);
	}
}

/* ---- a device's memory is switched off ---- */

static void memory_off(struct world *w)
{
	assert_int_equal(ms_vfio_set_memory(ms_find_vma(w->mm, HVA)->vm_file, false), 0);
}

static void assert_off_is_not_mapped(const struct ms_policy *k, enum ms_hook_point point)
{
	struct world w = world(k->release);
	struct ms_file *vfio = ms_vfio_open(ms_device_find(w.m, "bar"));
	struct ms_guest_access access;
	struct ms_s2_leaf leaf;

	assert_int_equal(ms_mmap(w.mm, HVA, 2 * MS_2M, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE, vfio,
				 ms_vfio_offset(vfio)),
			 HVA);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 2 * MS_2M, HVA, 0), 0);
	access = read_while(&w, GPA + PAGE, point, memory_off);
	assert_int_equal(access.err, -EFAULT);
	assert_false(ms_s2_next_leaf(ms_vm_s2(w.vm), 0, MS_1G * 8, &leaf));
	// and comes back when it is switched on
	assert_int_equal(ms_vfio_set_memory(vfio, true), 0);
	assert_int_equal(ms_guest_read(w.vm, GPA + PAGE).exit, MS_GUEST_OK);
	world_end(&w);
}

static void device_that_is_switched_off_is_not_mapped(void **state)
{
	const struct ms_policy *k;
	static const enum ms_hook_point points[] = { MS_HOOK_S2_VMA_SAMPLED, MS_HOOK_S2_PFN_FOUND,
						     MS_HOOK_S2_MAPPED };

	for_each_step (k, MS_ARCH_ARM64)
		if (k->slot_pfnmap == MS_SLOT_PFNMAP_LAZY)
			for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
				assert_off_is_not_mapped(k, points[i]);
}

/* ---- between a notifier's start and its end ---- */

struct watcher {
	struct ms_mmu_notifier notifier; /* the first member */
	struct ms_vm *vm;
	ms_ipa_t gpa;
	struct ms_guest_access access;
	int slot_ret;
};

static void read_in_progress(struct ms_mmu_notifier *mn, struct ms_mm *mm, ms_hva_t start,
			     ms_hva_t end, enum ms_notifier_event event)
{
	struct watcher *watcher = (struct watcher *)(void *)mn;

	watcher->access = ms_guest_read(watcher->vm, watcher->gpa);
	watcher->slot_ret = ms_vm_set_slot(watcher->vm, 9, MS_1G * 16, PAGE, HVA, 0);
}

/* The guest reads a page that stays, while [hva, +1 page) goes; the VM has been told already. */
static struct watcher watch(const struct ms_policy *policy, ms_hva_t hva)
{
	static const struct ms_mmu_notifier_ops ops = { .invalidate_range_start =
								read_in_progress };
	struct watcher watcher = { .notifier.ops = &ops, .gpa = GPA + PAGE };
	struct world w;

	world_start(&w, policy, NULL);
	watcher.vm = w.vm;
	map_pages(&w, HVA, 2 * PAGE);
	map_pages(&w, HVA + MS_1G, PAGE);
	assert_int_equal(ms_touch(w.mm, hva, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 2 * PAGE, HVA, 0), 0);
	ms_mmu_notifier_register(w.mm, &watcher.notifier);
	assert_int_equal(ms_madvise(w.mm, hva, PAGE, MS_MADV_DONTNEED), 0);
	ms_mmu_notifier_unregister(w.mm, &watcher.notifier);
	// afterwards the guest goes on
	assert_int_equal(ms_guest_read(w.vm, GPA + PAGE).exit, MS_GUEST_OK);
	world_end(&w);
	return watcher;
}

static void fault_waits_for_a_notifier_in_progress_whatever_its_range(void **state)
{
	const struct ms_policy *k;

	// also where the sequence of the fault is the notifier's own: it is in progress
	for_each_step (k, MS_ARCH_ARM64) {
		struct watcher watcher = watch(k, HVA);

		assert_int_equal(watcher.access.exit, MS_GUEST_RETRY);
		assert_int_equal(watcher.access.leaf.size, 0);
	}
}

static void notifier_that_hits_no_slot_stopped_faults_up_to_5_14(void **state)
{
	const ms_hva_t elsewhere = HVA + MS_1G;
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64)
		assert_int_equal(watch(k, elsewhere).access.exit,
				 k->notifier_counts == MS_NOTIFIER_COUNTS_ALWAYS ? MS_GUEST_RETRY
										 : MS_GUEST_OK);
}

static void slots_wait_for_a_notifier_in_progress(void **state)
{
	struct ms_policy at_once = *ms_policy_linux("6.12.117", MS_ARCH_ARM64);
	const struct ms_policy *k;

	at_once.slot_update = MS_SLOT_UPDATE_AT_ONCE;
	assert_int_equal(watch(&at_once, HVA).slot_ret, 0);
	for_each_kernel (k, MS_ARCH_ARM64)
		assert_int_equal(watch(k, HVA).slot_ret,
				 k->slot_update == MS_SLOT_UPDATE_AT_ONCE ? 0 : -EBUSY);
}

/* ---- another vCPU ---- */

static void write_the_page(struct world *w)
{
	assert_int_equal(ms_guest_write(w->vm, GPA).exit, MS_GUEST_OK);
}

static void page_that_somebody_else_mapped_meanwhile_is_found_there(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		struct ms_guest_access access;
		struct world w;

		if (k->s2_same_leaf == MS_S2_SAME_LEAF_SUCCESS)
			continue;
		w = world(k->release);
		map_pages(&w, HVA, PAGE);
		assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_W), MS_ACCESS_OK);
		assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
		access = read_while(&w, GPA, MS_HOOK_S2_PFN_FOUND, write_the_page);
		assert_int_equal(access.exit, MS_GUEST_OK);
		assert_int_equal(access.faults, 1);
		assert_string_equal(
			events(&w),
			"s2.map ipa=0x80000000 size=0x1000 pa=ram prot=rw\n"
			"s2.map ipa=0x80000000 size=0x1000 pa=ram prot=rw ret=EAGAIN\n");
		world_end(&w);
	}
}

static void map_of_what_is_there_says_why(void **state)
{
	struct world w = world("6.12.117");

	map_pages(&w, HVA, PAGE);
	assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	ms_trace_keep(w.m, 1u << MS_EV_GUEST_ABORT);
	read_while(&w, GPA, MS_HOOK_S2_PFN_FOUND, write_the_page);
	assert_int_equal(ms_trace_len(w.m), 2);
	assert_string_equal(ms_trace_get(w.m, 0)->reason, "entry was already there: retry");
	assert_null(ms_trace_get(w.m, 1)->reason);
	world_end(&w);
}

static void make_the_page_old(struct world *w)
{
	assert_true(ms_s2_test_clear_young((struct ms_s2 *)(uintptr_t)ms_vm_s2(w->vm), GPA, PAGE,
					   true));
}

/* The entry is another one after each of them. */
static void fault_that_changes_its_entry_each_time_is_no_endless_one(void **state)
{
	struct world w = world("6.12.117");
	struct ms_guest_access access;

	map_pages(&w, HVA, PAGE);
	assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	write_the_page(&w);
	make_the_page_old(&w);
	// young again, then executable but old again
	access = touch_while(&w, GPA, MS_PROT_X, MS_HOOK_S2_PFN_FOUND, make_the_page_old);
	assert_int_equal(access.exit, MS_GUEST_OK);
	assert_int_equal(access.faults, 3);
	world_end(&w);
}

/* ---- the VM goes ---- */

static void free_vm(struct world *w)
{
	ms_vm_free(w->vm);
}

static void assert_was_refused(struct world *w, const char *text)
{
	assert_int_equal(ms_violations(w->m), 1);
	assert_string_equal(ms_violation_get(w->m, 0)->reason, text);
}

static void vm_is_not_freed_under_its_own_access(void **state)
{
	static const enum ms_hook_point points[] = { MS_HOOK_S2_VMA_SAMPLED, MS_HOOK_S2_PFN_FOUND,
						     MS_HOOK_S2_MMU_LOCK, MS_HOOK_S2_MAPPED };

	(void)state;
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		struct world w = world("6.12.117");
		struct ms_guest_access access;

		ms_trace_keep(w.m, UINT32_MAX);
		map_anon(&w, HVA, MS_2M);
		assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), 0);
		access = read_while(&w, GPA, points[i], free_vm);
		assert_int_equal(access.exit, MS_GUEST_OK);
		assert_int_equal(ms_vm_id(w.vm), 1);
		assert_was_refused(
			&w, "a VM is freed while an access or a notifier of it is under way");
		ms_vm_free(w.vm);
		w.vm = NULL;
		world_end(&w);
	}
}

/* The VM was told that the range goes, and will be told that it is gone. */
static void vm_is_not_freed_between_a_notifiers_start_and_end(void **state)
{
	(void)state;
	struct world w = world("6.12.117");
	struct other other = { .w = &w, .act = free_vm };

	ms_trace_keep(w.m, UINT32_MAX);
	map_anon(&w, HVA, MS_2M);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), 0);
	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_OK);
	ms_machine_set_hook(w.m, MS_HOOK_ZAP_UNTRACKED, run_once, &other);
	unmap_2m(&w);
	assert_int_equal(other.calls, 1);
	assert_was_refused(&w, "a VM is freed while an access or a notifier of it is under way");
	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_ERROR);
	world_end(&w);
}

static int free_the_machine(struct ms_file *file, struct ms_vma *vma)
{
	(void)vma;
	ms_machine_free(ms_file_machine(file));
	return 0;
}

static void machine_is_not_freed_by_a_driver(void **state)
{
	static const struct ms_file_ops ops = { .name = "test", .mmap = free_the_machine };

	(void)state;
	struct world w = world("6.12.117");
	struct ms_file *file =
		ms_file_new(w.m, &ops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, NULL);

	ms_trace_keep(w.m, UINT32_MAX);
	assert_int_equal(ms_mmap(w.mm, HVA, PAGE, MS_PROT_R, MS_MAP_SHARED | MS_MAP_FIXED, file, 0),
			 HVA);
	assert_was_refused(&w, "a hook or a driver frees its machine");
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_that_goes_after_its_lookup_is_not_mapped),
		cmocka_unit_test(memory_that_goes_once_it_is_mapped_is_faulted_for_again),
		cmocka_unit_test(retry_says_why),
		cmocka_unit_test(
			new_vma_is_noticed_where_the_sequence_is_sampled_under_the_mmap_lock),
		cmocka_unit_test(new_vma_went_unnoticed_and_its_page_became_a_block),
		cmocka_unit_test(when_the_sequence_is_sampled_is_a_rule_of_its_own),
		cmocka_unit_test(mapping_that_moves_in_its_bar_is_mapped_where_it_went),
		cmocka_unit_test(device_that_is_switched_off_is_not_mapped),
		cmocka_unit_test(fault_waits_for_a_notifier_in_progress_whatever_its_range),
		cmocka_unit_test(notifier_that_hits_no_slot_stopped_faults_up_to_5_14),
		cmocka_unit_test(slots_wait_for_a_notifier_in_progress),
		cmocka_unit_test(page_that_somebody_else_mapped_meanwhile_is_found_there),
		cmocka_unit_test(map_of_what_is_there_says_why),
		cmocka_unit_test(fault_that_changes_its_entry_each_time_is_no_endless_one),
		cmocka_unit_test(vm_is_not_freed_under_its_own_access),
		cmocka_unit_test(vm_is_not_freed_between_a_notifiers_start_and_end),
		cmocka_unit_test(machine_is_not_freed_by_a_driver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
