// SPDX-License-Identifier: GPL-2.0-only
/* A hook asks for a guest's access that would wait for a lock of what it has interrupted. */
#include "world.h"

/* The mmap lock is held for writing: what is mapped is reached, what is not waits. */
static void ask_under_mmap_lock(struct world *w)
{
	uint64_t left;

	assert_int_equal(ms_guest_read(w->vm, GPA).exit, MS_GUEST_OK);
	assert_exit(w, GPA + PAGE, MS_PROT_R, MS_GUEST_ERROR, -EBUSY);
	assert_refused(w, -EBUSY,
		       "a hook asks, and what it interrupted holds the mmap lock of process 1");
	assert_int_equal(ms_vm_prefault(w->vm, GPA + PAGE, PAGE, &left), -EBUSY);
	assert_int_equal(left, PAGE);
	assert_int_equal(leaf_at(w, GPA + PAGE).size, 0);
}

static void a_fault_under_the_mmap_lock_would_wait(void **state)
{
	struct world w = x86_world("6.12.117");
	struct hooked hooked = { .w = &w, .act = ask_under_mmap_lock };

	map_pages(&w, HVA, 2 * PAGE);
	show(&w, 2 * PAGE, 0);
	guest(&w, GPA, MS_PROT_W);
	ms_machine_set_hook(w.m, MS_HOOK_DRIVER_MMAP, act_once, &hooked);
	map_bar(&w, HVA + MS_1G, PAGE, 0);
	assert_int_equal(hooked.calls, 1);
	guest(&w, GPA + PAGE, MS_PROT_R);
	world_end(&w);
}

/* The host is about to map a file's page, which it has locked. */
static void ask_for_the_locked_page(struct world *w)
{
	uint64_t left;

	assert_exit(w, GPA, MS_PROT_R, MS_GUEST_ERROR, -EBUSY);
	assert_non_null(ms_last_reason(w->m));
	assert_int_equal(ms_vm_prefault(w->vm, GPA, 2 * PAGE, &left), -EBUSY);
	assert_int_equal(left, 2 * PAGE);
	guest(w, GPA + PAGE, MS_PROT_R); // another one is free
}

static void a_page_that_the_host_has_locked_would_be_waited_for(void **state)
{
	struct world w = x86_world("6.12.117");
	struct hooked hooked = { .w = &w, .act = ask_for_the_locked_page };

	map_memfd(&w, HVA, MS_2M);
	show(&w, MS_2M, 0);
	ms_machine_set_hook(w.m, MS_HOOK_DRIVER_FAULT_DONE, act_once, &hooked);
	host_write(&w, HVA);
	assert_int_equal(hooked.calls, 1);
	guest(&w, GPA, MS_PROT_W);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_under_the_mmap_lock_would_wait),
		cmocka_unit_test(a_page_that_the_host_has_locked_would_be_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
