/* SPDX-License-Identifier: GPL-2.0-only */
/* The hook points: each has a name and a place, and what a hook may not do is refused. */
#include "world.h"

static void each_point_has_a_name_of_its_own(void **state)
{
	for (unsigned int i = 0; i < MS_HOOK_POINTS; i++) {
		const char *name = ms_hook_name((enum ms_hook_point)i);

		assert_non_null(name);
		for (unsigned int j = 0; j < i; j++)
			assert_string_not_equal(name, ms_hook_name((enum ms_hook_point)j));
	}
	assert_string_equal(ms_hook_name(MS_HOOK_POINTS), "?");
}

static void count(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	unsigned int *counts = arg;

	counts[point]++;
}

/* Block by VMA, and a first page that is none: the second access breaks a table. */
static void each_point_is_come_to(void **state)
{
	const struct kernel k = { "6.1.176", MS_ARCH_ARM64, NULL, NULL };
	unsigned int counts[MS_HOOK_POINTS] = { 0 };
	struct ms_machine *m;
	struct world *w = world_new(&k, NULL, &m);
	struct ms_file *vfio = ms_vfio_open(w->bar);

	for (unsigned int i = 0; i < MS_HOOK_POINTS; i++)
		ms_machine_set_hook(m, (enum ms_hook_point)i, count, counts);
	map(w, MS_2M, ms_lazy_open(w->bar, 0, MS_CACHE_NGNRE, 0), 0);
	slot(w, MS_2M);
	ms_guest_read(w->vm, GPA);
	assert_int_equal(counts[MS_HOOK_S2_BROKEN], 0);
	ms_guest_read(w->vm, GPA + PAGE);
	assert_int_equal(counts[MS_HOOK_S2_BROKEN], 1);
	// nobody is between break and make any more
	assert_int_not_equal(ms_guest_write(w->vm, GPA).err, -EBUSY);
	assert_int_equal(counts[MS_HOOK_DRIVER_OPEN], 0);
	map(w, LEN, vfio, ms_vfio_offset(vfio));
	assert_int_equal(ms_munmap(w->mm, w->va, PAGE), 0);
	for (unsigned int i = 0; i < MS_HOOK_POINTS; i++)
		assert_true(counts[i] > 0);
	world_free(w);
}

static void free_machine(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	ms_machine_free(m);
}

static void end_process(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	ms_mm_exit(arg);
}

/* The touch of a page of the test's driver with that hook before the handler. */
static void touch_with(ms_hook_fn *fn)
{
	const struct kernel k = { "6.1.192", MS_ARCH_X86_64, NULL, NULL };
	struct ms_machine *m;
	struct world *w = world_new(&k, NULL, &m);

	map(w, LEN, ms_lazy_open(w->bar, 0, MS_CACHE_UC_MINUS, 0), 0);
	ms_machine_set_hook(m, MS_HOOK_DRIVER_FAULT, fn, w->mm);
	assert_int_equal(ms_touch(w->mm, w->va, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(violations(m), 1);
	world_free(w);
}

static void machine_is_not_freed_by_a_hook(void **state)
{
	touch_with(free_machine);
}

static void process_does_not_end_in_its_own_fault(void **state)
{
	touch_with(end_process);
}

/* While mmap is held for writing nobody faults; what is mapped is no fault. */
static void touch_all(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct world *w = arg;

	assert_int_equal(ms_touch(w->mm, w->va, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(ms_touch(w->mm, w->va + PAGE, MS_PROT_R), MS_ACCESS_WAITS);
	assert_int_equal(ms_munmap(w->mm, w->va, PAGE), -EBUSY);
	assert_int_equal(ms_madvise(w->mm, w->va, PAGE, MS_MADV_DONTNEED), -EBUSY);
	assert_int_equal(ms_fixup_user_fault(w->mm, w->va + PAGE, false), -EBUSY);
	w->enabled = false; // was here
}

static void access_in_the_mmap_of_a_driver_waits_unless_it_is_mapped(void **state)
{
	const struct kernel k = { "6.12.117", MS_ARCH_X86_64, NULL, NULL };
	struct ms_machine *m;
	struct world *w = world_new(&k, NULL, &m);

	map(w, LEN, ms_lazy_open(w->bar, 0, MS_CACHE_UC_MINUS, MS_LAZY_ONE_PAGE), 0);
	assert_int_equal(ms_touch(w->mm, w->va, MS_PROT_R), MS_ACCESS_OK);
	ms_machine_set_hook(m, MS_HOOK_DRIVER_MMAP, touch_all, w);
	assert_int_equal(ms_mmap(w->mm, w->va + LEN, LEN, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED,
				 w->file, 0),
			 w->va + LEN);
	assert_false(w->enabled);
	assert_int_equal(ms_touch(w->mm, w->va + PAGE, MS_PROT_R), MS_ACCESS_OK);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_point_has_a_name_of_its_own),
		cmocka_unit_test(each_point_is_come_to),
		cmocka_unit_test(machine_is_not_freed_by_a_hook),
		cmocka_unit_test(process_does_not_end_in_its_own_fault),
		cmocka_unit_test(access_in_the_mmap_of_a_driver_waits_unless_it_is_mapped),
	};

	return cmocka_run_group_tests_name("interleave_points", tests, NULL, NULL);
}
