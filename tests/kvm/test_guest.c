/* SPDX-License-Identifier: GPL-2.0-only */
/* How an access of the guest ends: made, emulated, injected, refused, or never. */
#include "world.h"

#include "phys/internal.h"

#include "kvm/internal.h"

static void access_is_aligned_and_of_one_kind(void **state)
{
	struct world w = world("6.12.107");

	assert_int_equal(ms_guest_read(w.vm, GPA + 2).err, -EINVAL);
	assert_int_equal(ms_guest_touch(w.vm, GPA, MS_PROT_RW).err, -EINVAL);
	assert_int_equal(ms_guest_touch(w.vm, GPA, 0).err, -EINVAL);
	world_end(&w);
}

static void load_and_store_without_a_slot_are_mmio(void **state)
{
	struct world w = world("6.12.107");

	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_MMIO);
	assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_MMIO);
	assert_int_equal(ms_guest_exec(w.vm, GPA).exit, MS_GUEST_IABT);
	world_end(&w);
}

static void store_to_a_readonly_slot_is_mmio(void **state)
{
	struct world w = world("6.12.107");

	map_pages(&w, HVA, PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, MS_SLOT_READONLY), 0);
	assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_MMIO);
	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_OK);
	// a second time with the page mapped: a permission fault
	assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_MMIO);
	world_end(&w);
}

static void readonly_slot_is_mapped_readonly(void **state)
{
	struct world w = world("6.12.107");

	map_pages(&w, HVA, PAGE);
	assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, MS_SLOT_READONLY), 0);
	assert_int_equal(ms_guest_read(w.vm, GPA).leaf.prot, MS_PROT_R);
	world_end(&w);
}

static void access_beyond_the_ipa_space_goes_back_to_the_guest(void **state)
{
	struct world w = world("6.1.176");

	assert_int_equal(ms_guest_read(w.vm, UINT64_C(1) << 40).exit, MS_GUEST_DABT);
	assert_int_equal(ms_guest_exec(w.vm, UINT64_C(1) << 40).exit, MS_GUEST_IABT);
	world_end(&w);
}

static void access_beyond_the_ipa_space_was_mmio(void **state)
{
	struct world w = world("5.10.223");

	assert_int_equal(ms_guest_read(w.vm, UINT64_C(1) << 40).exit, MS_GUEST_MMIO);
	world_end(&w);
}

static void slot_over_a_hole_is_efault(void **state)
{
	struct world w = world("6.12.107");
	struct ms_guest_access access;

	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	access = ms_guest_read(w.vm, GPA);
	assert_int_equal(access.exit, MS_GUEST_ERROR);
	assert_int_equal(access.err, -EFAULT);
	assert_int_equal(access.leaf.size, 0);
	world_end(&w);
}

static void abort_says_why_nothing_was_mapped(void **state)
{
	struct world w = world("6.12.107");
	const struct ms_event *ev;

	ms_trace_keep(w.m, 1u << MS_EV_GUEST_ABORT);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	ms_guest_write(w.vm, GPA + 8);
	ev = ms_trace_last(w.m, MS_EV_GUEST_ABORT);
	assert_int_equal(ev->addr, GPA);
	assert_int_equal(ev->prot, MS_PROT_W);
	assert_int_equal(ev->ret, -EFAULT);
	assert_string_equal(ev->reason, "no VMA at the host address");
	world_end(&w);
}

static void fetch_from_a_device_is_injected(void **state)
{
	struct world w = world("6.12.107");

	map_bar(&w, HVA, PAGE, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	assert_int_equal(ms_guest_exec(w.vm, GPA).exit, MS_GUEST_IABT);
	assert_string_equal(events(&w), "");
	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_OK);
	assert_int_equal(ms_guest_exec(w.vm, GPA).exit, MS_GUEST_IABT);
	world_end(&w);
}

/* A driver that maps its BAR, from the second page on, when it is touched first. */
static ms_vm_fault_t remap_in_fault(struct ms_vm_fault *vmf)
{
	struct ms_vma *vma = vmf->vma;
	int ret = ms_remap_pfn_range(vma, vma->vm_start, (BAR >> 12) + 1,
				     vma->vm_end - vma->vm_start, vma->vm_page_prot);

	return ret ? MS_VM_FAULT_SIGBUS : MS_VM_FAULT_NOPAGE;
}

static const struct ms_vm_ops late_vm_ops = { .fault = remap_in_fault };

static int mmap_late(struct ms_file *file, struct ms_vma *vma)
{
	vma->vm_ops = &late_vm_ops;
	return 0;
}

static const struct ms_file_ops late_ops = { .name = "late", .mmap = mmap_late };

static void block_that_begins_with_a_mapped_page_is_never_mapped(void **state)
{
	struct world w = world("6.12.107");

	map_file(&w, HVA, MS_2M, MS_PROT_RW, MS_MAP_SHARED, &late_ops, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), 0);
	// The VMA is not VM_PFNMAP yet: a page.
	assert_int_equal(ms_guest_read(w.vm, GPA).leaf.size, PAGE);
	// Now vm_pgoff promises 2M; laid by pages, the walk stops at the first, which is there.
	assert_int_equal(ms_guest_read(w.vm, GPA + PAGE).exit, MS_GUEST_RETRY);
	world_end(&w);
}

static void prot_none_device_memory_repeats_for_ever_where_a_block_would_fit(void **state)
{
	struct world w = world("6.12.117");
	struct ms_guest_access access;

	map_bar(&w, HVA, MS_2M, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), 0);
	assert_int_equal(ms_mprotect(w.mm, HVA, MS_2M, 0), 0);
	events(&w);
	access = ms_guest_read(w.vm, GPA);
	assert_int_equal(access.exit, MS_GUEST_RETRY);
	// The second abort did as much as the first and left the same: so will each.
	assert_int_equal(access.faults, 2);
	assert_string_equal(events(&w), "");
	assert_int_equal(ms_guest_write(w.vm, GPA).err, -EFAULT);
	world_end(&w);
}

static void prot_none_device_memory_is_readable_for_the_guest(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		struct world w;

		if (k->slot_pfnmap == MS_SLOT_PFNMAP_PREMAP)
			continue;
		w = world(k->release);
		map_bar(&w, HVA, PAGE, 0);
		assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
		assert_int_equal(ms_mprotect(w.mm, HVA, PAGE, 0), 0);
		assert_int_equal(ms_guest_read(w.vm, GPA).leaf.prot, MS_PROT_R | MS_PROT_DEVICE);
		world_end(&w);
	}
}

static void page_that_was_not_used_is_made_young(void **state)
{
	struct world w = world("6.12.107");

	map_pages(&w, HVA, PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_OK);
	events(&w);
	ms_s2_test_clear_young(w.vm->arm64.s2, GPA, PAGE, true);
	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_OK);
	assert_string_equal(events(&w), "s2.young ipa=0x80000000\n");
	assert_int_equal(ms_guest_read(w.vm, GPA).faults, 0);
	world_end(&w);
}

struct elsewhere {
	struct ms_mm *mm;
	unsigned int left;
};

/* Another process, without a VM, lets a page go. */
static void zap_in_another_process(struct ms_machine *m, enum ms_hook_point point, uint64_t addr,
				   void *arg)
{
	struct elsewhere *e = arg;

	assert_int_equal(ms_madvise(e->mm, HVA, PAGE, MS_MADV_DONTNEED), 0);
	if (!--e->left)
		ms_machine_set_hook(m, point, NULL, NULL);
}

/* What another does could be what this one waits for. */
static void fault_that_repeats_is_no_endless_one_while_others_do_something(void **state)
{
	struct world w = world("6.12.107");
	struct elsewhere e = { ms_mm_new(w.m), 4 };

	map_file(&w, HVA, MS_2M, MS_PROT_RW, MS_MAP_SHARED, &late_ops, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), 0);
	assert_int_equal(ms_guest_read(w.vm, GPA).leaf.size, PAGE);
	assert_int_equal(ms_mmap(e.mm, HVA, PAGE, MS_PROT_RW,
				 MS_MAP_PRIVATE | MS_MAP_ANONYMOUS | MS_MAP_FIXED_NOREPLACE, NULL,
				 0),
			 HVA);
	ms_machine_set_hook(w.m, MS_HOOK_S2_PFN_FOUND, zap_in_another_process, &e);
	assert_int_equal(ms_guest_read(w.vm, GPA + PAGE).faults, 4 + 1);
	assert_int_equal(ms_guest_read(w.vm, GPA + PAGE).faults, 2);
	world_end(&w);
}

static bool is_written(const struct world *w, const struct ms_guest_access *access, ms_ipa_t gpa)
{
	ms_pa_t pa = access->leaf.pa + (gpa - access->leaf.ipa);

	return ms_pfn_to_page(w->m, pa >> 12)->flags & MS_PG_WRITTEN;
}

static void store_changes_the_page_and_a_load_does_not(void **state)
{
	struct world w = world("6.12.107");
	struct ms_guest_access access;

	map_anon(&w, HVA, MS_2M);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), 0);
	access = ms_guest_write(w.vm, GPA);
	assert_int_equal(access.leaf.size, MS_2M);
	assert_true(is_written(&w, &access, GPA));
	ms_guest_read(w.vm, GPA + PAGE);
	assert_false(is_written(&w, &access, GPA + PAGE));
	world_end(&w);
}

/* A hook clears the trace: what comes in the event's place keeps its own outcome. */
struct other_event {
	struct ms_mm *mm;
	struct ms_vm *vm; /* NULL: the page goes */
	ms_ipa_t gpa;
};

static void clear_and_make_another(struct ms_machine *m, enum ms_hook_point point, uint64_t addr,
				   void *arg)
{
	const struct other_event *other = arg;

	ms_machine_set_hook(m, point, NULL, NULL);
	if (!other->vm)
		ms_trace_clear(m);
	assert_int_equal(ms_madvise(other->mm, HVA, PAGE, MS_MADV_DONTNEED), 0);
	if (!other->vm)
		return;
	ms_trace_clear(m);
	ms_guest_read(other->vm, other->gpa);
}

static void outcome_is_of_its_own_event_alone(void **state)
{
	for (int i = 0; i < 3; i++) {
		struct world w = world("6.12.117");
		struct ms_vm *second = ms_vm_new(w.mm, 0);
		struct other_event other[] = {
			{ w.mm, NULL, 0 },
			{ w.mm, w.vm, GPA + 8 * PAGE },
			{ w.mm, second, GPA },
		};

		map_pages(&w, HVA, PAGE);
		assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
		ms_trace_keep(w.m, 1u << MS_EV_GUEST_ABORT | 1u << MS_EV_S2_UNMAP);
		ms_machine_set_hook(w.m, MS_HOOK_S2_PFN_FOUND, clear_and_make_another, &other[i]);
		assert_int_equal(ms_guest_write(w.vm, GPA).faults, 2);
		assert_int_equal(ms_trace_len(w.m), 2);
		if (other[i].vm)
			assert_string_equal(ms_trace_get(w.m, 0)->reason, "no memslot");
		else
			assert_null(ms_trace_get(w.m, 0)->reason);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(access_is_aligned_and_of_one_kind),
		cmocka_unit_test(load_and_store_without_a_slot_are_mmio),
		cmocka_unit_test(store_to_a_readonly_slot_is_mmio),
		cmocka_unit_test(readonly_slot_is_mapped_readonly),
		cmocka_unit_test(access_beyond_the_ipa_space_goes_back_to_the_guest),
		cmocka_unit_test(access_beyond_the_ipa_space_was_mmio),
		cmocka_unit_test(slot_over_a_hole_is_efault),
		cmocka_unit_test(abort_says_why_nothing_was_mapped),
		cmocka_unit_test(fetch_from_a_device_is_injected),
		cmocka_unit_test(block_that_begins_with_a_mapped_page_is_never_mapped),
		cmocka_unit_test(prot_none_device_memory_repeats_for_ever_where_a_block_would_fit),
		cmocka_unit_test(prot_none_device_memory_is_readable_for_the_guest),
		cmocka_unit_test(page_that_was_not_used_is_made_young),
		cmocka_unit_test(fault_that_repeats_is_no_endless_one_while_others_do_something),
		cmocka_unit_test(store_changes_the_page_and_a_load_does_not),
		cmocka_unit_test(outcome_is_of_its_own_event_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
