// SPDX-License-Identifier: GPL-2.0-only
/* Why an x86 VM, its guest's accesses and hooks are refused, and what is told of what is mapped. */
#include "world.h"

#include "kvm/internal.h"

static void a_vm_is_refused_with_the_field_that_is_wrong(void **state)
{
	static const struct {
		const char *release;
		struct ms_vm_config config;
		const char *words;
	} bad[] = {
		{ "6.12.117",
		  { .dirty_initset = true },
		  "dirty log: INITIALLY_SET without MANUAL_PROTECT_ENABLE" },
		{ "6.1.192",
		  { .zap_slot = true },
		  "this kernel has no KVM_X86_QUIRK_SLOT_ZAP_ALL" },
		{ "6.12.117", { .split_chunk = MS_2M }, "x86: eager splitting has no chunk size" },
		{ "6.12.117", { .mte = true }, "x86: there is no MTE" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct world w = x86_world(bad[i].release);

		assert_null(ms_vm_new_config(w.mm, &bad[i].config));
		assert_int_equal(errno, EINVAL);
		assert_refused(&w, -EINVAL, bad[i].words);
		world_end(&w);
	}
}

static void nobody_can_ask_for_other_addresses_than_the_host_has(void **state)
{
	struct world w = x86_world("6.12.117");

	x86_vm(&w, &(struct ms_vm_config){ .ipa_bits = 36 });
	assert_int_equal(ms_tdp_limit(ms_vm_tdp(w.vm)), UINT64_C(1) << 46);
	assert_null(ms_vm_s2(w.vm));
	world_end(&w);
}

/* ---- what is told of an entry ---- */

static void the_event_of_an_entry_says_why_it_has_its_size(void **state)
{
	struct world w = x86_world("6.12.117");
	const struct ms_event *ev;

	map_anon(&w, HVA, MS_2M);
	show(&w, MS_2M, 0);
	guest(&w, GPA + PAGE, MS_PROT_W);
	ev = ms_trace_last(w.m, MS_EV_S2_MAP);
	assert_non_null(ev);
	assert_string_equal(ev->reason, "block of 1G would end after the memslot, smaller block");
	assert_int_equal(ev->level, MS_TDP_2M);
	assert_int_equal(ev->bits, MS_TDP_BITS);
	assert_int_equal(ev->cache, MS_CACHE_WB);
	assert_int_equal(ms_madvise(w.mm, HVA, PAGE, MS_MADV_DONTNEED), 0);
	guest(&w, GPA, MS_PROT_W);
	ev = ms_trace_last(w.m, MS_EV_S2_MAP);
	assert_string_equal(ev->reason, "host maps less than 2M here");
	assert_int_equal(ev->level, MS_TDP_4K);
	world_end(&w);
}

/* NPT says WB of everything; what the host says is the host's alone. */
static void a_device_s_memory_type_plays_no_part(void **state)
{
	static const enum ms_cache type[] = { MS_CACHE_WC, MS_CACHE_UC_MINUS, MS_CACHE_UC };

	for (size_t i = 0; i < 3; i++) {
		struct world w = x86_world("6.12.117");
		struct ms_file *file = ms_lazy_open(ms_device_find(w.m, "bar"), 0, type[i], 0);

		assert_int_equal(ms_mmap(w.mm, HVA, PAGE, MS_PROT_RW,
					 MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE, file, 0),
				 HVA);
		show(&w, PAGE, 0);
		guest(&w, GPA, MS_PROT_W);
		assert_int_equal(leaf_at(&w, GPA).cache, MS_CACHE_WB);
		ms_file_put(file);
		world_end(&w);
	}
}

/* ---- a guest's access ---- */

static void an_access_is_refused_with_its_address(void **state)
{
	struct world w = x86_world("6.12.117");

	assert_exit(&w, GPA + 2, MS_PROT_R, MS_GUEST_ERROR, -EINVAL);
	assert_refused(&w, -EINVAL, "gpa 0x80000002 is not a multiple of 4");
	assert_exit(&w, GPA, MS_PROT_RW, MS_GUEST_ERROR, -EINVAL);
	assert_refused(&w, -EINVAL, "an access of 0x3 is none of a read, a write and a fetch");
	assert_exit(&w, GPA, MS_PROT_X, MS_GUEST_INTERNAL_ERROR, 0);
	assert_refused(&w, -EFAULT, "ipa 0x80000000: no memslot");
	world_end(&w);
}

/* Where the process cannot have the page, the process's own reason is the one to know. */
static void a_guest_is_refused_for_its_process_s_reason(void **state)
{
	struct world w = x86_world("6.12.117");

	map_pages(&w, HVA, PAGE);
	assert_int_equal(ms_mprotect(w.mm, HVA, PAGE, 0), 0);
	show(&w, 2 * PAGE, 0);
	assert_exit(&w, GPA, MS_PROT_R, MS_GUEST_ERROR, -EFAULT);
	assert_refused(&w, -EFAULT, "VMA 0x200000000000-0x200000001000 (---) is not readable");
	assert_exit(&w, GPA + PAGE, MS_PROT_R, MS_GUEST_ERROR, -EFAULT);
	assert_refused(&w, -EFAULT, "no VMA at 0x200000001000");
	world_end(&w);
}

static int remap_free_ram(struct ms_file *file, struct ms_vma *vma)
{
	return ms_remap_pfn_range(vma, vma->vm_start, (MS_1G + MS_2M) >> 12, PAGE,
				  vma->vm_page_prot);
}

static void a_page_that_nobody_holds_is_named(void **state)
{
	static const struct ms_file_ops ram = { .name = "ram", .mmap = remap_free_ram };
	struct world w = x86_world_with("6.12.117", "pfn_refcount_test", "YES");

	map_file(&w, HVA, PAGE, MS_PROT_RW, MS_MAP_SHARED, &ram, 0);
	show(&w, PAGE, 0);
	assert_exit(&w, GPA, MS_PROT_R, MS_GUEST_ERROR, -EFAULT);
	assert_refused(&w, -EFAULT,
		       "hva 0x200000000000: to pfn 0x40200, a page of RAM, nobody has a "
		       "reference");
	world_end(&w);
}

static void lack_of_memory_is_told(void **state)
{
	struct world w = x86_world("6.12.117");

	map_pages(&w, HVA, PAGE);
	host_write(&w, HVA);
	show(&w, PAGE, 0);
	ms_machine_fail_alloc(w.m, 1);
	assert_exit(&w, GPA, MS_PROT_R, MS_GUEST_ERROR, -ENOMEM);
	assert_refused(&w, -ENOMEM, "ipa 0x80000000: no memory for tables");
	assert_int_equal(leaf_at(&w, GPA).size, 0);
	// a mark is of no less
	ms_machine_fail_alloc(w.m, 1);
	assert_exit(&w, 8 * GPA, MS_PROT_R, MS_GUEST_ERROR, -ENOMEM);
	guest(&w, GPA, MS_PROT_R);
	world_end(&w);
}

static void a_fault_without_end_has_the_reason_of_the_last_one(void **state)
{
	struct world w = x86_world("6.12.117");

	map_pages(&w, HVA, PAGE);
	show(&w, PAGE, 0);
	// a notifier that never ends
	w.vm->invalidate_in_progress = 1;
	w.vm->invalidated.ipa_start = GPA;
	w.vm->invalidated.ipa_end = GPA + PAGE;
	assert_exit(&w, GPA, MS_PROT_R, MS_GUEST_RETRY, 0);
	assert_refused(&w, -EFAULT,
		       "ipa 0x80000000: the same fault is handled for ever: MMU notifier ran since "
		       "the VMA was looked at: retry");
	assert_int_equal(ms_vm_prefault(w.vm, GPA, PAGE, NULL), -EAGAIN);
	assert_refused(&w, -EAGAIN, "ipa 0x80000000: notifiers come in between");
	w.vm->invalidate_in_progress = 0;
	guest(&w, GPA, MS_PROT_R);
	world_end(&w);
}

/* ---- pages that no entry can hold ---- */

static int remap_beyond(struct ms_file *file, struct ms_vma *vma)
{
	return ms_remap_pfn_range(vma, vma->vm_start, UINT64_C(1) << (40 - 12), PAGE,
				  vma->vm_page_prot);
}

static void a_page_beyond_the_host_s_addresses_is_a_violation(void **state)
{
	static const struct ms_file_ops beyond = { .name = "beyond", .mmap = remap_beyond };
	const struct ms_machine_config config = { .pa_bits = 40 };
	struct world w = x86_start(ms_policy_linux("6.12.117", MS_ARCH_X86_64), &config);
	const struct ms_event *ev;

	map_file(&w, HVA, PAGE, MS_PROT_RW, MS_MAP_SHARED, &beyond, 0);
	show(&w, PAGE, 0);
	ms_trace_keep(w.m, 1u << MS_EV_VIOLATION);
	assert_exit(&w, GPA, MS_PROT_R, MS_GUEST_MMIO, 0);
	assert_int_equal(ms_violations(w.m), 1);
	ev = ms_violation_get(w.m, 0);
	assert_string_equal(ev->reason, "a page beyond the physical addresses of the host");
	assert_int_equal(ev->addr, GPA);
	assert_int_equal(ev->pa, UINT64_C(1) << 40);
	assert_refused(&w, -EFAULT, "ipa 0x80000000: the nested table cannot map the page");
	world_end(&w);
}

/* ---- what should be gone ---- */

/* A driver that turns its device off and leaves the mappings. */
static void a_device_that_is_reached_while_it_is_off_is_a_violation(void **state)
{
	struct world w = x86_world("7.2.13");
	struct ms_device *bar = ms_device_find(w.m, "bar");

	map_bar(&w, HVA, 2 * PAGE, 0);
	show(&w, 2 * PAGE, 0);
	guest(&w, GPA, MS_PROT_W);
	assert_int_equal(ms_violations(w.m), 0);
	ms_device_set_memory(bar, false);
	guest(&w, GPA, MS_PROT_R);
	assert_int_equal(ms_violations(w.m), 1);
	guest(&w, GPA + PAGE, MS_PROT_R); // newly mapped, and no better
	assert_int_equal(ms_violations(w.m), 2);
	// what is prefaulted is not reached
	assert_int_equal(ms_vm_prefault(w.vm, GPA, 2 * PAGE, NULL), 0);
	assert_int_equal(ms_violations(w.m), 2);
	ms_device_set_memory(bar, true);
	world_end(&w);
}

static void a_device_that_kvm_writes_to_while_it_is_off_is_a_violation(void **state)
{
	struct world w = x86_world("7.2.13");
	struct ms_device *bar = ms_device_find(w.m, "bar");

	map_resource(&w, HVA, PAGE, MS_PROT_RW, MS_MAP_SHARED);
	assert_int_equal(ms_mprotect(w.mm, HVA, PAGE, MS_PROT_R), 0);
	assert_int_equal(ms_mprotect(w.mm, HVA, PAGE, MS_PROT_RW), 0);
	show(&w, PAGE, 0);
	ms_device_set_memory(bar, false);
	guest(&w, GPA, MS_PROT_W); // emulated
	assert_int_equal(ms_violations(w.m), 1);
	ms_device_set_memory(bar, true);
	world_end(&w);
}

static void a_process_that_has_ended_is_named(void **state)
{
	struct world w = x86_world("6.12.117");
	uint64_t bitmap;

	map_pages(&w, HVA, PAGE);
	show(&w, PAGE, 0);
	guest(&w, GPA, MS_PROT_W);
	ms_mm_exit(w.mm);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), -EIO);
	assert_refused(&w, -EIO, "the process of VM 1 has ended");
	assert_int_equal(ms_vm_get_dirty(w.vm, 1, &bitmap, 1, NULL), -EIO);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 0, 64), -EIO);
	assert_exit(&w, GPA, MS_PROT_R, MS_GUEST_ERROR, -EIO);
	assert_int_equal(ms_last_refusal(w.m).number, 4);
	// parameters of the module find an empty shell
	ms_kvm_set_nx_huge_pages(w.m, MS_NX_HUGE_PAGES_FORCE);
	ms_kvm_recover_nx_huge_pages(w.m);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vm_is_refused_with_the_field_that_is_wrong),
		cmocka_unit_test(nobody_can_ask_for_other_addresses_than_the_host_has),
		cmocka_unit_test(the_event_of_an_entry_says_why_it_has_its_size),
		cmocka_unit_test(a_device_s_memory_type_plays_no_part),
		cmocka_unit_test(an_access_is_refused_with_its_address),
		cmocka_unit_test(a_guest_is_refused_for_its_process_s_reason),
		cmocka_unit_test(a_page_that_nobody_holds_is_named),
		cmocka_unit_test(lack_of_memory_is_told),
		cmocka_unit_test(a_fault_without_end_has_the_reason_of_the_last_one),
		cmocka_unit_test(a_page_beyond_the_host_s_addresses_is_a_violation),
		cmocka_unit_test(a_device_that_is_reached_while_it_is_off_is_a_violation),
		cmocka_unit_test(a_device_that_kvm_writes_to_while_it_is_off_is_a_violation),
		cmocka_unit_test(a_process_that_has_ended_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
