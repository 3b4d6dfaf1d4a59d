/* SPDX-License-Identifier: GPL-2.0-only */
/* Faults on anonymous memory and in drivers: what is installed, what the access ends in. */
#include "world.h"

static uint64_t entry_at(const struct world *w, ms_hva_t addr)
{
	struct ms_host_leaf leaf;

	return ms_host_leaf(w->mm, addr, &leaf) ? leaf.entry : 0;
}

static void no_vma_or_no_right_is_SIGSEGV(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, PAGE, MS_PROT_R);
	map_anon(&w, A + 2 * PAGE, PAGE, 0);
	assert_int_equal(ms_touch(w.mm, A + PAGE, MS_PROT_R), MS_ACCESS_SIGSEGV);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_SIGSEGV);
	assert_int_equal(ms_touch(w.mm, A + 2 * PAGE, MS_PROT_R), MS_ACCESS_SIGSEGV);
	assert_int_equal(ms_touch(w.mm, UINT64_MAX, MS_PROT_R), MS_ACCESS_SIGSEGV);
	world_end(&w);
}

static void an_access_that_is_none_is_refused(void **state)
{
	struct world w = world("6.12.117");
	static const unsigned int none[] = { 0, MS_PROT_RW, MS_PROT_DEVICE,
					     MS_PROT_R | MS_PROT_DEVICE };

	map_anon(&w, A, PAGE, MS_PROT_RW);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_int_equal(ms_touch(w.mm, A, none[i]), MS_ACCESS_SIGSEGV);
		assert_int_equal(ms_last_refusal(w.m).err, -EINVAL);
	}
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_RW), MS_ACCESS_SIGSEGV);
	assert_string_equal(ms_last_reason(w.m),
			    "an access of 0x3 is none of a read, a write and a fetch");
	assert_false(present(&w, A));
	world_end(&w);
}

static void a_read_gets_the_zero_page_and_a_write_a_page_of_its_own(void **state)
{
	struct world w = world("6.12.117");
	uint64_t zero, page;

	map_anon(&w, A, 2 * PAGE, MS_PROT_RW);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(ms_touch(w.mm, A + PAGE, MS_PROT_R), MS_ACCESS_OK);
	zero = entry_at(&w, A);
	assert_int_equal(zero & MS_PTE_PA_MASK, entry_at(&w, A + PAGE) & MS_PTE_PA_MASK);
	assert_false(zero & MS_PTE_WRITE);
	assert_null(ms_vma_lookup(w.mm, A)->anon_vma);
	ms_trace_clear(w.m);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	page = entry_at(&w, A);
	assert_true(page & MS_PTE_WRITE);
	assert_int_not_equal(page & MS_PTE_PA_MASK, zero & MS_PTE_PA_MASK);
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A, PAGE);
	world_end(&w);
}

static void change_pte_is_told_up_to_6_9(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);

		map_anon(&w, A, PAGE, MS_PROT_RW);
		ms_touch(w.mm, A, MS_PROT_R);
		ms_touch(w.mm, A, MS_PROT_W);
		assert_int_equal(ms_trace_count(w.m, MS_EV_CHANGE_PTE),
				 k->notifier_change_pte == MS_NOTIFIER_CHANGE_PTE_YES);
		world_end(&w);
	}
}

static void pages_come_back_when_everything_is_unmapped(void **state)
{
	struct world w = world("6.12.117");
	uint64_t before;

	map_anon(&w, A, 64 * PAGE, MS_PROT_RW);
	before = ms_ram_free_pages(w.m);
	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(ms_touch(w.mm, A + i * PAGE, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_ram_free_pages(w.m), before - 64);
	assert_int_equal(ms_munmap(w.mm, A, 64 * PAGE), 0);
	assert_int_equal(ms_ram_free_pages(w.m), before);
	world_end(&w);
}

static ms_vm_fault_t lying_fault(struct ms_vm_fault *vmf)
{
	return MS_VM_FAULT_NOPAGE;
}

static ms_vm_fault_t sigbus_fault(struct ms_vm_fault *vmf)
{
	return MS_VM_FAULT_SIGBUS;
}

static int driver_mmap(struct ms_file *file, struct ms_vma *vma)
{
	vma->vm_ops = ms_file_priv(file);
	vma->vm_flags |= MS_VM_PFNMAP | MS_VM_IO;
	return 0;
}

static enum ms_access touch_driver(struct world *w, struct ms_vm_ops *ops)
{
	static const struct ms_file_ops fops = { .name = "driver", .mmap = driver_mmap };
	struct ms_file *f = ms_file_new(w->m, &fops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, ops);

	ms_mmap(w->mm, A, PAGE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, f, 0);
	return ms_touch(w->mm, A, MS_PROT_R);
}

static void a_handler_that_installs_nothing_is_found_and_reported(void **state)
{
	struct world w = world("6.12.117");
	struct ms_vm_ops ops = { .fault = lying_fault };

	assert_int_equal(touch_driver(&w, &ops), MS_ACCESS_ENDLESS);
	assert_int_equal(ms_trace_count(w.m, MS_EV_VIOLATION), 1);
	world_end(&w);
}

static void a_driver_without_handler_and_one_that_refuses_are_SIGBUS(void **state)
{
	struct world w = world("6.12.117");
	struct ms_vm_ops none = { 0 }, refusing = { .fault = sigbus_fault };

	assert_int_equal(touch_driver(&w, &none), MS_ACCESS_SIGBUS);
	assert_int_equal(touch_driver(&w, &refusing), MS_ACCESS_SIGBUS);
	world_end(&w);
}

static void every_failing_allocation_is_out_of_memory_and_the_access_can_be_repeated(void **state)
{
	enum ms_access ret = MS_ACCESS_OOM;

	for (uint64_t n = 1; ret != MS_ACCESS_OK; n++) {
		struct world w = world("6.12.117");

		map_anon(&w, A, PAGE, MS_PROT_RW);
		ms_machine_fail_alloc(w.m, n);
		ret = ms_touch(w.mm, A, MS_PROT_W);
		ms_machine_fail_alloc(w.m, 0);
		if (ret != MS_ACCESS_OK) {
			assert_int_equal(ret, MS_ACCESS_OOM);
			assert_false(present(&w, A));
			assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
		}
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_vma_or_no_right_is_SIGSEGV),
		cmocka_unit_test(an_access_that_is_none_is_refused),
		cmocka_unit_test(a_read_gets_the_zero_page_and_a_write_a_page_of_its_own),
		cmocka_unit_test(change_pte_is_told_up_to_6_9),
		cmocka_unit_test(pages_come_back_when_everything_is_unmapped),
		cmocka_unit_test(a_handler_that_installs_nothing_is_found_and_reported),
		cmocka_unit_test(a_driver_without_handler_and_one_that_refuses_are_SIGBUS),
		cmocka_unit_test(
			every_failing_allocation_is_out_of_memory_and_the_access_can_be_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
