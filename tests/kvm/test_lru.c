/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest's fault uses the page of the host twice: it becomes active, by a queue that holds it
 * until something empties the queue (mm/test_lru.c has what does). A write by the host tells.
 */
#include "world.h"

/* What has happened to the page before the guest reads it. */
enum before { NEW, LISTED, ACTIVE, LOCKED };

static void drain(struct world *w)
{
	assert_int_equal(ms_madvise(w->mm, HVA + MS_2M, PAGE, MS_MADV_POPULATE_READ), 0);
}

static void guest_reads(struct world *w)
{
	assert_int_equal(ms_guest_read(w->vm, GPA).exit, MS_GUEST_OK);
}

/* The page is shared with a child; the guest reads it, the child goes, the host writes. */
static bool copies(const struct ms_policy *kernel, enum ms_policy_lru_activate activate,
		   enum before before)
{
	struct ms_policy p = *kernel;
	struct ms_host_leaf old, new;
	struct ms_mm *child;
	struct world w;

	p.lru_activate = activate;
	p.unmap_drains = MS_UNMAP_DRAINS_NO;
	p.lazyfree_queue = MS_LAZYFREE_QUEUE_ON_LIST;
	p.recorder_fork_writes = MS_RECORDER_FORK_WRITES_FEW;
	world_start(&w, &p, &(struct ms_machine_config){ .thp = MS_THP_NEVER });
	assert_int_equal(ms_mmap(w.mm, HVA, 2 * MS_2M, MS_PROT_RW,
				 MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS, NULL, 0),
			 (int64_t)HVA);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), 0);
	assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_W), MS_ACCESS_OK);
	if (before != NEW)
		drain(&w);
	if (before == ACTIVE) {
		guest_reads(&w);
		drain(&w);
	} else if (before == LOCKED) {
		assert_int_equal(ms_mlock(w.mm, HVA, PAGE), 0);
	}
	child = ms_fork(w.mm);
	assert_non_null(child);
	guest_reads(&w);
	assert_int_equal(ms_machine_check(w.m, stderr), 0);
	ms_mm_exit(child);
	assert_true(ms_host_leaf(w.mm, HVA, &old));
	assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_W), MS_ACCESS_OK);
	assert_true(ms_host_leaf(w.mm, HVA, &new));
	world_end(&w);
	return (old.entry ^ new.entry) & MS_PTE_PA_MASK;
}

/* In kernels that empty the queues for a write. */
static void is_held_if_it_was_on_its_list(enum ms_arch arch)
{
	const enum ms_policy_lru_activate queued = MS_LRU_ACTIVATE_QUEUED;
	const struct ms_policy *k;

	for_each_kernel (k, arch) {
		if (k->wp_drain == MS_WP_DRAIN_NEVER)
			continue;
		assert_true(copies(k, queued, LISTED));
		assert_false(copies(k, queued, NEW));
		assert_false(copies(k, queued, ACTIVE));
		assert_false(copies(k, queued, LOCKED));
		assert_false(copies(k, MS_LRU_ACTIVATE_COUNTED, LISTED));
	}
}

static void a_page_that_a_guest_of_arm64_has_read_is_held_if_it_was_on_its_list(void **state)
{
	is_held_if_it_was_on_its_list(MS_ARCH_ARM64);
}

static void a_page_that_a_guest_of_x86_has_read_is_held_if_it_was_on_its_list(void **state)
{
	is_held_if_it_was_on_its_list(MS_ARCH_X86_64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_page_that_a_guest_of_arm64_has_read_is_held_if_it_was_on_its_list),
		cmocka_unit_test(a_page_that_a_guest_of_x86_has_read_is_held_if_it_was_on_its_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
