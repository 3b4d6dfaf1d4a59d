/* SPDX-License-Identifier: GPL-2.0-only */
/* A misc device's driver as it is in the kernel: registered, opened, mapped, revoked, removed. */
#include "world.h"

#include "revocable.c"

static struct file *insert_and_open(struct world *w)
{
	struct file *file;

	base = BAR;
	size = BAR_PAGES * PAGE_SIZE;
	assert_int_equal(ms_linux_insmod(w->m, ms_module_init), 0);
	file = ms_linux_open(w->m, "revocable", O_RDWR);
	assert_non_null(file);
	return file;
}

static void set_memory(struct file *file, unsigned int cmd)
{
	assert_int_equal(file->f_op->unlocked_ioctl(file, cmd, 0), 0);
}

static void each_touch_maps_its_page(void **state)
{
	struct world w = world("6.12.117");
	struct file *file = insert_and_open(&w);

	assert_int_equal(map(&w, A, 4, file), A);
	assert_int_equal(ms_touch(w.mm, A + 2 * PAGE_SIZE, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(pa_of(&w, A + 2 * PAGE_SIZE), BAR + 2 * PAGE_SIZE);
	assert_int_equal(pa_of(&w, A), 0);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

static void a_mapping_beyond_the_window_is_refused(void **state)
{
	struct world w = world("6.12.117");
	struct file *file = insert_and_open(&w);

	assert_int_equal(map(&w, A, BAR_PAGES + 1, file), -EINVAL);
	assert_int_equal(
		ms_mmap(w.mm, A, PAGE_SIZE, MS_PROT_R, MS_MAP_PRIVATE | MS_MAP_FIXED, file, 0),
		-EINVAL);
	assert_int_equal(map(&w, A, BAR_PAGES, file), A);
	world_end(&w);
}

static void memory_off_takes_every_process_its_mapping(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct world w = world(k->release);
		struct file *file = insert_and_open(&w);
		struct mm_struct *child;

		map(&w, A, 4, file);
		ms_touch(w.mm, A, MS_PROT_W);
		child = ms_fork(w.mm);
		assert_int_equal(ms_touch(child, A, MS_PROT_R), MS_ACCESS_OK);

		set_memory(file, REVOCABLE_MEMORY_OFF);
		assert_string_equal(last_log(&w), "revocable: memory off");
		assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
		assert_int_equal(ms_touch(child, A, MS_PROT_R), MS_ACCESS_SIGBUS);

		set_memory(file, REVOCABLE_MEMORY_ON);
		assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
		assert_int_equal(ms_touch(child, A, MS_PROT_R), MS_ACCESS_OK);
		assert_int_equal(ms_violations(w.m), 0);
		world_end(&w);
	}
}

static void all_opens_share_one_address_space(void **state)
{
	struct world w = world("6.12.117");
	struct file *first = insert_and_open(&w);
	struct file *second = ms_linux_open(w.m, "revocable", O_RDWR);

	map(&w, A, 4, second);
	ms_touch(w.mm, A, MS_PROT_R);
	set_memory(first, REVOCABLE_MEMORY_OFF);
	assert_int_equal(pa_of(&w, A), 0);
	world_end(&w);
}

static void a_mapping_keeps_the_file_open(void **state)
{
	struct world w = world("6.12.117");
	struct file *file = insert_and_open(&w);

	map(&w, A, 4, file);
	ms_linux_close(file);
	assert_int_equal(the_device->opened, 1);
	ms_munmap(w.mm, A, 4 * PAGE_SIZE);
	assert_int_equal(the_device->opened, 0);
	ms_linux_rmmod(w.m, ms_module_exit);
	assert_int_equal(ms_linux_allocated(w.m), 0);
	assert_false(ms_iomem_is_exclusive(w.m, BAR));
	world_end(&w);
}

static void a_window_that_is_claimed_or_odd_is_not_taken(void **state)
{
	struct world w = world("6.12.117");

	base = BAR;
	size = PAGE_SIZE + 1;
	assert_int_equal(ms_linux_insmod(w.m, ms_module_init), -EINVAL);
	size = PAGE_SIZE;
	assert_int_equal(ms_iomem_claim(w.m, BAR, PAGE_SIZE), 0);
	assert_int_equal(ms_linux_insmod(w.m, ms_module_init), -EBUSY);
	world_end(&w);
}

/* Whichever allocation fails, the driver and the machine are as before, and the next try works. */
static void any_allocation_may_fail(void **state)
{
	for (uint64_t n = 1;; n++) {
		struct world w = world("7.2.13");
		struct file *file = NULL;
		uint64_t asked;
		int err;

		base = BAR;
		size = BAR_PAGES * PAGE_SIZE;
		ms_machine_fail_alloc(w.m, n);
		asked = ms_machine_allocs(w.m);
		err = ms_linux_insmod(w.m, ms_module_init);
		if (!err)
			file = ms_linux_open(w.m, "revocable", O_RDWR);
		if (!err && !file)
			err = -errno;
		if (!err)
			err = map(&w, A, 4, file) < 0 ? -ENOMEM : 0;
		if (!err)
			err = ms_touch(w.mm, A, MS_PROT_W) == MS_ACCESS_OK ? 0 : -ENOMEM;
		ms_linux_close(file);
		ms_munmap(w.mm, A, 4 * PAGE_SIZE);
		asked = ms_machine_allocs(w.m) - asked;
		ms_machine_fail_alloc(w.m, 0);
		if (the_device)
			ms_linux_rmmod(w.m, ms_module_exit);
		assert_int_equal(ms_linux_allocated(w.m), 0);
		assert_false(ms_iomem_is_exclusive(w.m, BAR));
		assert_int_equal(ms_linux_insmod(w.m, ms_module_init), 0);
		ms_linux_rmmod(w.m, ms_module_exit);
		assert_int_equal(ms_violations(w.m), 0);
		world_end(&w);
		if (asked < n)
			break;
		// what only keeps a record (a message, an event) may fail unseen
		assert_true(err == 0 || err == -ENOMEM || err == -EBUSY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_touch_maps_its_page),
		cmocka_unit_test(a_mapping_beyond_the_window_is_refused),
		cmocka_unit_test(memory_off_takes_every_process_its_mapping),
		cmocka_unit_test(all_opens_share_one_address_space),
		cmocka_unit_test(a_mapping_keeps_the_file_open),
		cmocka_unit_test(a_window_that_is_claimed_or_odd_is_not_taken),
		cmocka_unit_test(any_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
