/* SPDX-License-Identifier: GPL-2.0-only */
/* Each cause for which an access, or the taking of a page, is refused, and its words. */
#include "world_of.h"

#include "mm/lock.h"
#include "refused.h"

static struct ms_file *memory(struct world *w, uint64_t size)
{
	struct ms_file *file = ms_memfd_new(w->m, size);

	assert_non_null(file);
	return file;
}

static void an_access_that_the_vma_does_not_allow(void **state)
{
	struct world w = world("6.12.117");

	assert_access(&w, ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_SIGSEGV, -EFAULT,
		      "no VMA at 0x200000000000");
	map_anon(&w, A, PAGE, MS_PROT_R);
	assert_access(&w, ms_touch(w.mm, A + 8, MS_PROT_W), MS_ACCESS_SIGSEGV, -EFAULT,
		      "VMA 0x200000000000-0x200000001000 (r--) does not allow the access (-w-) to "
		      "0x200000000008");
	assert_access(&w, ms_touch(w.mm, A, MS_PROT_X), MS_ACCESS_SIGSEGV, -EFAULT,
		      "VMA 0x200000000000-0x200000001000 (r--) does not allow the access (--x) to "
		      "0x200000000000");
	world_end(&w);
}

static void an_access_to_what_may_be_executed_alone(void **state)
{
	struct world w = world_thp("6.12.117", MS_ARCH_X86_64, MS_THP_NEVER);
	ms_pfn_t pfn;

	map_anon(&w, A, PAGE, MS_PROT_X);
	assert_access(&w, ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_SIGSEGV, -EFAULT,
		      "0x200000000000 has a protection key");
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_X), MS_ACCESS_OK);
	assert_access(&w, ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_SIGSEGV, -EFAULT,
		      "0x200000000000 has a protection key");
	assert_refused(&w, ms_get_user_page(w.mm, A, false, &pfn, NULL), -EFAULT,
		       "VMA 0x200000000000-0x200000001000 (--x) has a protection key");
	world_end(&w);
}

static void an_access_beyond_the_files_end(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *huge = ms_memfd_hugetlb_new(w.m, MS_2M, MS_2M);

	map_shared(&w, memory(&w, PAGE), A, 4 * PAGE, 0);
	assert_access(&w, ms_touch(w.mm, A + 2 * PAGE, MS_PROT_R), MS_ACCESS_SIGBUS, -EFAULT,
		      "0x200000002000 shows offset 0x2000 of a file that has 0x1000 bytes");
	assert_int_equal(
		ms_mmap(w.mm, B, 2 * MS_2M, MS_PROT_R, MS_MAP_SHARED | MS_MAP_FIXED, huge, 0), B);
	assert_access(&w, ms_touch(w.mm, B + MS_2M, MS_PROT_R), MS_ACCESS_SIGBUS, -EFAULT,
		      "0x210000200000 shows offset 0x200000 of a file that has 0x200000 bytes");
	world_end(&w);
}

static void an_access_for_which_no_page_is_left(void **state)
{
	struct ms_machine_config config = { .thp = MS_THP_NEVER, .hugetlb = { { MS_2M, 0 } } };
	struct world w = world_config(ms_policy_linux("6.12.117", MS_ARCH_ARM64), &config);
	struct ms_file *huge = ms_memfd_hugetlb_new(w.m, MS_2M, MS_2M);
	ms_pfn_t pfn;

	assert_int_equal(ms_mmap(w.mm, B, MS_2M, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED | MS_MAP_NORESERVE, huge, 0),
			 B);
	assert_access(&w, ms_touch(w.mm, B, MS_PROT_W), MS_ACCESS_SIGBUS, -EFAULT,
		      "no huge page of 0x200000 bytes is left for VMA "
		      "0x210000000000-0x210000200000 (rw-)");
	map_anon(&w, A, MS_1G, MS_PROT_R);
	ms_mprotect(w.mm, A, PAGE, MS_PROT_RW);
	touch(&w, A, MS_PROT_W);
	while (ms_page_alloc(w.m, 0, 0, &pfn))
		;
	map_anon(&w, A + MS_1G, PAGE, MS_PROT_RW);
	assert_access(&w, ms_touch(w.mm, A + MS_1G, MS_PROT_W), MS_ACCESS_OOM, -ENOMEM,
		      "no page of RAM is free");
	ms_machine_free(w.m);
}

static ms_vm_fault_t answer_sigbus(struct ms_vm_fault *vmf)
{
	return MS_VM_FAULT_SIGBUS;
}

static ms_vm_fault_t answer_poison(struct ms_vm_fault *vmf)
{
	return MS_VM_FAULT_HWPOISON;
}

static ms_vm_fault_t answer_oom(struct ms_vm_fault *vmf)
{
	return MS_VM_FAULT_OOM;
}

static ms_vm_fault_t answer_segv(struct ms_vm_fault *vmf)
{
	return MS_VM_FAULT_SIGSEGV;
}

static ms_vm_fault_t install_nothing(struct ms_vm_fault *vmf)
{
	return MS_VM_FAULT_NOPAGE;
}

static ms_vm_fault_t fall_back(struct ms_vm_fault *vmf)
{
	return MS_VM_FAULT_FALLBACK;
}

static ms_vm_fault_t give_no_page(struct ms_vm_fault *vmf)
{
	vmf->pfn = BAR >> 12;
	return MS_VM_FAULT_LOCKED;
}

static ms_vm_fault_t insert_beside(struct ms_vm_fault *vmf)
{
	return ms_vmf_insert_pfn(vmf->vma, vmf->vma->vm_end, BAR >> 12);
}

static void what_a_fault_handler_answers(void **state)
{
	static const struct {
		ms_vm_fault_t (*fault)(struct ms_vm_fault *vmf);
		enum ms_access access;
		int err;
		const char *reason;
	} handlers[] = {
		{ NULL, MS_ACCESS_SIGBUS, -EFAULT, "the VMA has no ->fault, at 0x200000001000" },
		{ answer_sigbus, MS_ACCESS_SIGBUS, -EFAULT,
		  "driver: ->fault of 0x200000001000 answers VM_FAULT_SIGBUS" },
		{ answer_poison, MS_ACCESS_SIGBUS, -EHWPOISON,
		  "driver: ->fault of 0x200000001000 answers VM_FAULT_HWPOISON" },
		{ answer_oom, MS_ACCESS_OOM, -ENOMEM,
		  "driver: ->fault of 0x200000001000 answers VM_FAULT_OOM" },
		{ answer_segv, MS_ACCESS_SIGSEGV, -EFAULT,
		  "driver: ->fault of 0x200000001000 answers VM_FAULT_SIGSEGV" },
		{ install_nothing, MS_ACCESS_ENDLESS, -EFAULT,
		  "the handler claims success and installs nothing, at 0x200000001000" },
		{ fall_back, MS_ACCESS_SIGBUS, -EFAULT,
		  "the handler answers FALLBACK to a fault of one page, at 0x200000001000" },
		{ give_no_page, MS_ACCESS_SIGBUS, -EFAULT,
		  "the handler gives no page of RAM, at 0x200000001000" },
		{ insert_beside, MS_ACCESS_SIGBUS, -EFAULT,
		  "0x200000002000 is outside of VMA 0x200000000000-0x200000002000 (rw-)" },
	};

	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		struct driver d = { .ops.fault = handlers[i].fault, .vm_flags = MS_VM_PFNMAP };
		struct world w = world("6.12.117");

		map_shared(&w, driver_file(&w, &d), A, 2 * PAGE, 0);
		assert_access(&w, ms_touch(w.mm, A + PAGE, MS_PROT_R), handlers[i].access,
			      handlers[i].err, handlers[i].reason);
		// where the flags allow it somebody else's fault is refused for the same reason
		if (handlers[i].fault == install_nothing)
			assert_int_equal(ms_fixup_user_fault(w.mm, A + PAGE, false), 0);
		else
			assert_refused(&w, ms_fixup_user_fault(w.mm, A + PAGE, false),
				       handlers[i].err == -EHWPOISON ? -EFAULT : handlers[i].err,
				       handlers[i].reason);
		world_end(&w);
	}
}

static ms_vm_fault_t ask_again(struct ms_vm_fault *vmf)
{
	return MS_VM_FAULT_RETRY;
}

static void touch_in_hook(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct world *w = arg;

	ms_machine_set_hook(m, point, NULL, NULL);
	assert_access(w, ms_touch(w->mm, B, MS_PROT_R), MS_ACCESS_WAITS, -EBUSY,
		      "driver: ->fault of 0x210000000000 answers VM_FAULT_RETRY");
}

static void a_handler_that_waits_for_the_hooks_caller(void **state)
{
	struct driver d = { .ops.fault = ask_again };
	struct world w = world("6.12.117");

	map_shared(&w, driver_file(&w, &d), B, PAGE, 0);
	map_shared(&w, memory(&w, PAGE), A, PAGE, 0);
	ms_machine_set_hook(w.m, MS_HOOK_DRIVER_FAULT, touch_in_hook, &w);
	touch(&w, A, MS_PROT_R);
	world_end(&w);
}

static void a_page_that_cannot_be_taken(void **state)
{
	struct driver d = { .ops.fault = driver_fault, .vm_flags = MS_VM_PFNMAP };
	struct world w = world("6.12.117");
	ms_pfn_t pfn;

	assert_refused(&w, ms_get_user_page(w.mm, A, false, &pfn, NULL), -EFAULT,
		       "no VMA at 0x200000000000");
	map_anon(&w, A, PAGE, MS_PROT_R);
	assert_refused(&w, ms_get_user_page(w.mm, A, true, &pfn, NULL), -EFAULT,
		       "VMA 0x200000000000-0x200000001000 (r--) is not writable");
	map_anon(&w, A + PAGE, PAGE, 0);
	assert_refused(&w, ms_get_user_page(w.mm, A + PAGE, false, &pfn, NULL), -EFAULT,
		       "VMA 0x200000001000-0x200000002000 (---) is not readable");
	map_shared(&w, driver_file(&w, &d), B, 2 * PAGE, 0);
	assert_refused(
		&w, ms_get_user_page(w.mm, B, false, &pfn, NULL), -EFAULT,
		"VMA 0x210000000000-0x210000002000 (rw-) is VM_IO or VM_PFNMAP: no pages can "
		"be taken");
	// a driver without the flag that inserts a raw page
	d.vm_flags = MS_VM_MIXEDMAP;
	map_shared(&w, driver_file(&w, &d), B + MS_2M, 2 * PAGE, 0);
	assert_refused(&w, ms_get_user_page(w.mm, B + MS_2M, false, &pfn, NULL), -EFAULT,
		       "0x210000200000 maps no struct page");
	ms_mm_lock(w.mm, false);
	assert_refused(&w, ms_get_user_page(w.mm, A, false, &pfn, NULL), -EBUSY,
		       "the mmap lock of process 1 is held for writing");
	ms_mm_unlock(w.mm, false);
	world_end(&w);
}

static void a_page_that_is_not_there_at_once(void **state)
{
	struct driver d = { .ops.fault = driver_fault, .vm_flags = MS_VM_PFNMAP };
	struct world w = world("6.12.117");
	ms_pfn_t pfn;

	map_anon(&w, A, PAGE, MS_PROT_R);
	assert_refused(&w, ms_get_user_page_fast(w.mm, UINT64_C(1) << 48, false, &pfn), -EFAULT,
		       "0x1 bytes at 0x1000000000000 end beyond user space, which ends at "
		       "0x1000000000000");
	assert_refused(&w, ms_get_user_page_fast(w.mm, A, false, &pfn), -EFAULT,
		       "nothing is mapped at 0x200000000000");
	touch(&w, A, MS_PROT_R);
	assert_refused(&w, ms_get_user_page_fast(w.mm, A, true, &pfn), -EFAULT,
		       "0x200000000000 is mapped read-only");
	map_shared(&w, driver_file(&w, &d), B, PAGE, 0);
	touch(&w, B, MS_PROT_R);
	assert_refused(&w, ms_get_user_page_fast(w.mm, B, false, &pfn), -EFAULT,
		       "0x210000000000 maps no struct page");
	world_end(&w);
}

static void a_fault_for_somebody_else(void **state)
{
	struct world w = world("6.12.117");

	assert_refused(&w, ms_fixup_user_fault(w.mm, A, false), -EFAULT,
		       "no VMA at 0x200000000000");
	map_anon(&w, A, PAGE, MS_PROT_R);
	assert_refused(&w, ms_fixup_user_fault(w.mm, A, true), -EFAULT,
		       "VMA 0x200000000000-0x200000001000 (r--) is not writable");
	map_anon(&w, A + PAGE, PAGE, 0);
	assert_refused(&w, ms_fixup_user_fault(w.mm, A + PAGE, false), -EFAULT,
		       "VMA 0x200000001000-0x200000002000 (---) is not readable");
	ms_mm_lock(w.mm, false);
	assert_refused(&w, ms_fixup_user_fault(w.mm, A, false), -EBUSY,
		       "the mmap lock of process 1 is held for writing");
	ms_mm_unlock(w.mm, false);
	world_end(&w);
}

static void what_succeeds_refuses_nothing(void **state)
{
	struct driver d = { .ops.fault = driver_fault, .vm_flags = MS_VM_PFNMAP };
	struct world w = world("6.12.117");
	ms_pfn_t pfn;

	map_anon(&w, A, PAGE, MS_PROT_RW);
	map_shared(&w, driver_file(&w, &d), B, PAGE, 0);
	touch(&w, A, MS_PROT_W);
	touch(&w, B, MS_PROT_W);
	assert_int_equal(ms_get_user_page(w.mm, A, true, &pfn, NULL), 0);
	assert_int_equal(ms_fixup_user_fault(w.mm, B, true), 0);
	assert_int_equal(move_to(&w, A, PAGE, A + MS_2M), A + MS_2M);
	ms_mm_exit(ms_fork(w.mm));
	assert_int_equal(ms_munmap(w.mm, A + MS_2M, PAGE), 0);
	assert_int_equal(ms_last_refusal(w.m).number, 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_access_that_the_vma_does_not_allow),
		cmocka_unit_test(an_access_to_what_may_be_executed_alone),
		cmocka_unit_test(an_access_beyond_the_files_end),
		cmocka_unit_test(an_access_for_which_no_page_is_left),
		cmocka_unit_test(what_a_fault_handler_answers),
		cmocka_unit_test(a_handler_that_waits_for_the_hooks_caller),
		cmocka_unit_test(a_page_that_cannot_be_taken),
		cmocka_unit_test(a_page_that_is_not_there_at_once),
		cmocka_unit_test(a_fault_for_somebody_else),
		cmocka_unit_test(what_succeeds_refuses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
