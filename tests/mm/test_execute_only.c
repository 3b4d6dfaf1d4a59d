/* SPDX-License-Identifier: GPL-2.0-only */
/* x86: memory that is only executable has a protection key, which forbids every data access. */
#include "world_of.h"

static struct world x86_world(enum ms_feature pku)
{
	struct ms_machine_config config = { .thp = MS_THP_NEVER, .pku = pku };

	return world_config(ms_policy_linux("6.12.117", MS_ARCH_X86_64), &config);
}

static void a_data_access_is_SIGSEGV_and_maps_nothing(void **state)
{
	struct world w = x86_world(MS_FEATURE_PRESENT);

	map_anon(&w, A, PAGE, MS_PROT_X);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_SIGSEGV);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_SIGSEGV);
	assert_false(present(&w, A));
	assert_null(event(&w, MS_EV_HOST_FAULT, 0));
	touch(&w, A, MS_PROT_X);
	assert_true(present(&w, A));
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_SIGSEGV);
	world_end(&w);
}

static void a_drivers_handler_is_not_asked(void **state)
{
	struct world w = x86_world(MS_FEATURE_PRESENT);
	struct driver d = { .ops.fault = driver_fault, .vm_flags = MS_VM_PFNMAP };
	struct ms_file *f = driver_file(&w, &d);

	assert_int_equal(ms_mmap(w.mm, A, PAGE, MS_PROT_X, MS_MAP_SHARED | MS_MAP_FIXED, f, 0), A);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_SIGSEGV);
	assert_null(event(&w, MS_EV_HOST_FAULT, 0));
	world_end(&w);
}

static void execute_only_memory_is_never_populated(void **state)
{
	struct world w = x86_world(MS_FEATURE_PRESENT);

	assert_int_equal(ms_mmap(w.mm, A, 2 * PAGE, MS_PROT_X,
				 MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS | MS_MAP_POPULATE,
				 NULL, 0),
			 A);
	assert_int_equal(ms_mlock(w.mm, A, PAGE), -ENOMEM);
	assert_true(flags_at(&w, A) & MS_VM_LOCKED);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_POPULATE_READ), -EINVAL);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_POPULATE_WRITE), -EINVAL);
	assert_false(present(&w, A));
	assert_false(present(&w, A + PAGE));
	world_end(&w);
}

static void pages_stay_and_are_readable_again_with_other_rights(void **state)
{
	struct world w = x86_world(MS_FEATURE_PRESENT);

	map_anon(&w, A, PAGE, MS_PROT_RW);
	touch(&w, A, MS_PROT_W);
	assert_int_equal(ms_mprotect(w.mm, A, PAGE, MS_PROT_X), 0);
	assert_true(present(&w, A));
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_SIGSEGV);
	assert_int_equal(ms_mprotect(w.mm, A, PAGE, MS_PROT_R | MS_PROT_X), 0);
	touch(&w, A, MS_PROT_R);
	world_end(&w);
}

static void a_child_has_the_key_too(void **state)
{
	struct world w = x86_world(MS_FEATURE_PRESENT);
	struct ms_mm *child;

	map_anon(&w, A, PAGE, MS_PROT_X);
	touch(&w, A, MS_PROT_X);
	child = ms_fork(w.mm);
	assert_non_null(child);
	assert_int_equal(ms_touch(child, A, MS_PROT_R), MS_ACCESS_SIGSEGV);
	world_end(&w);
}

/* Neighbours of which one has the key differ in more than rights: no anon_vma is lent. */
static void the_key_keeps_neighbours_apart(void **state)
{
	struct world w = x86_world(MS_FEATURE_PRESENT);

	map_anon(&w, A, 2 * PAGE, MS_PROT_R);
	ms_mprotect(w.mm, A, PAGE, MS_PROT_X);
	ms_mprotect(w.mm, A + PAGE, PAGE, MS_PROT_RW);
	touch(&w, A + PAGE, MS_PROT_W);
	assert_true((flags_at(&w, A) ^ flags_at(&w, A + PAGE)) & MS_VM_PKEY);
	ms_mprotect(w.mm, A, PAGE, MS_PROT_RW);
	assert_vma(&w, A, A + 2 * PAGE);
	assert_false(flags_at(&w, A) & MS_VM_PKEY);
	world_end(&w);
}

static void a_cpu_without_keys_reads_what_it_may_execute(void **state)
{
	struct world w = x86_world(MS_FEATURE_ABSENT);

	map_anon(&w, A, PAGE, MS_PROT_X);
	touch(&w, A, MS_PROT_R);
	assert_false(flags_at(&w, A) & MS_VM_PKEY);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_data_access_is_SIGSEGV_and_maps_nothing),
		cmocka_unit_test(a_drivers_handler_is_not_asked),
		cmocka_unit_test(execute_only_memory_is_never_populated),
		cmocka_unit_test(pages_stay_and_are_readable_again_with_other_rights),
		cmocka_unit_test(a_child_has_the_key_too),
		cmocka_unit_test(the_key_keeps_neighbours_apart),
		cmocka_unit_test(a_cpu_without_keys_reads_what_it_may_execute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
