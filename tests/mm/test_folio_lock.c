/* SPDX-License-Identifier: GPL-2.0-only */
/* The pages of memory files that a fault or a hole holds: what a hook meets meanwhile. */
#include "files.h"

#define B (A + MS_1G)

struct race {
	struct ms_mm *mm, *other;
	int hole, hole_elsewhere, collapse;
	enum ms_access same_page, next_page;
	uint64_t mapped_around; /* pages of `other` after it touched the next page */
};

static void race(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct race *r = arg;
	struct ms_host_leaf leaf;

	ms_machine_set_hook(m, point, NULL, NULL);
	assert_int_equal(addr, A + PAGE);
	r->hole = ms_madvise(r->mm, A, 4 * PAGE, MS_MADV_REMOVE);
	r->hole_elsewhere = ms_madvise(r->mm, A + 4 * PAGE, PAGE, MS_MADV_REMOVE);
	r->same_page = ms_touch(r->other, A + PAGE, MS_PROT_R);
	r->next_page = ms_touch(r->other, A, MS_PROT_R);
	for (uint64_t i = 0; i < 4; i++)
		r->mapped_around += ms_host_leaf(r->other, A + i * PAGE, &leaf);
	r->collapse = ms_madvise(r->other, A, MS_2M, MS_MADV_COLLAPSE);
}

static struct ms_mm *other_process(struct world *w, struct ms_file *file, uint64_t len)
{
	struct ms_mm *mm = ms_mm_new(w->m);

	assert_non_null(mm);
	assert_int_equal(ms_mmap(mm, A, len, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, file, 0), A);
	return mm;
}

/*
 *    page     0        1        2        3        4
 *    cached   yes      *        yes      yes      yes      * the fault that is interrupted
 */
static void who_needs_the_page_of_a_fault_waits(void **state)
{
	const struct ms_policy *k;

	(void)state;
	for_each_kernel (k, MS_ARCH_ARM64) {
		struct ms_machine_config config = { .thp = MS_THP_NEVER };
		struct world w = world_config(k, &config);
		struct ms_file *file = memfd(&w, MS_2M);
		struct race r = { .mm = w.mm, .other = other_process(&w, file, MS_2M) };

		map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
		for (uint64_t i = 4; i != 0; i--)
			touch(&w, A + (i == 1 ? 0 : i) * PAGE, MS_PROT_W);
		ms_machine_set_hook(w.m, MS_HOOK_DRIVER_FAULT_DONE, race, &r);
		touch(&w, A + PAGE, MS_PROT_W);
		assert_int_equal(r.hole, -EBUSY);
		assert_int_equal(r.hole_elsewhere, 0);
		assert_int_equal(r.same_page, MS_ACCESS_WAITS);
		assert_int_equal(r.next_page, MS_ACCESS_OK);
		assert_int_equal(r.mapped_around, 3);
		assert_true(r.collapse == -EAGAIN || r.collapse == -EINVAL);
		assert_int_equal(count_present(&w, A, 4), 4);
		assert_int_equal(ms_touch(r.other, A + PAGE, MS_PROT_R), MS_ACCESS_OK);
		assert_int_equal(pa_of(r.other, A + PAGE), pa_of(w.mm, A + PAGE));
		assert_int_equal(ms_madvise(w.mm, A, 4 * PAGE, MS_MADV_REMOVE), 0);
		assert_int_equal(count_present(&w, A, 4), 0);
		world_end(&w);
	}
}

static void collapse_in_race(struct ms_machine *m, enum ms_hook_point point, uint64_t addr,
			     void *arg)
{
	struct race *r = arg;

	(void)addr;
	ms_machine_set_hook(m, point, NULL, NULL);
	r->collapse = ms_madvise(r->other, A, MS_2M, MS_MADV_COLLAPSE);
	r->hole = ms_madvise(r->other, A + MS_2M - PAGE, PAGE, MS_MADV_REMOVE);
}

/* The lock is that of the huge page, wherever in it the fault is. */
static void a_locked_huge_page_is_locked_as_a_whole(void **state)
{
	(void)state;
	struct world w = world_shmem("6.12.117");
	struct ms_file *file = memfd(&w, MS_2M);
	struct race r = { .mm = w.mm, .other = other_process(&w, file, MS_2M) };

	map_file(&w, file, A, 0, MS_2M, MS_MAP_SHARED);
	ms_machine_set_hook(w.m, MS_HOOK_DRIVER_FAULT_DONE, collapse_in_race, &r);
	touch(&w, A + 8 * PAGE, MS_PROT_W);
	assert_int_equal(r.collapse, -EBUSY);
	assert_int_equal(r.hole, -EBUSY);
	assert_int_equal(leaf_size(w.mm, A), MS_2M);
	assert_int_equal(ms_touch(r.other, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(ms_madvise(r.other, A, MS_2M, MS_MADV_COLLAPSE), 0);
	world_end(&w);
}

/* ---- a hole that is being made ---- */

struct punch {
	struct ms_mm *mm; /* whose entries are gone when the hook runs for the second time */
	int calls, hole;
	enum ms_access in_hole, outside;
	uint64_t mapped_around;
};

static void while_punching(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct punch *p = arg;
	struct ms_host_leaf leaf;

	(void)addr;
	if (!p->calls++)
		return;
	ms_machine_set_hook(m, point, NULL, NULL);
	p->in_hole = ms_touch(p->mm, A + PAGE, MS_PROT_W);
	p->outside = ms_touch(p->mm, A, MS_PROT_R);
	for (uint64_t i = 1; i < 3; i++)
		p->mapped_around += ms_host_leaf(p->mm, A + i * PAGE, &leaf);
	p->hole = ms_madvise(p->mm, A + 8 * PAGE, PAGE, MS_MADV_REMOVE);
}

/*
 *    page     0        1        2        3        two processes map them
 *    hole              |=================|
 *    fault    *  maps 1 and 2 once more, as they are cached still
 */
static void no_page_of_a_hole_stays_mapped(void **state)
{
	const struct ms_policy *k;

	(void)state;
	for_each_kernel (k, MS_ARCH_ARM64) {
		struct ms_machine_config config = { .thp = MS_THP_NEVER };
		struct world w = world_config(k, &config);
		struct ms_file *file = memfd(&w, 16 * PAGE);
		struct ms_mm *other;
		struct punch p = { .mm = w.mm };
		struct ms_host_leaf leaf;

		map_file(&w, file, A, 0, 16 * PAGE, MS_MAP_SHARED);
		other = other_process(&w, file, 16 * PAGE);
		for (uint64_t i = 1; i < 4; i++)
			touch(&w, A + i * PAGE, MS_PROT_W);
		assert_int_equal(ms_touch(other, A, MS_PROT_W), MS_ACCESS_OK);
		ms_machine_set_hook(w.m, MS_HOOK_ZAP_UNTRACKED, while_punching, &p);
		assert_int_equal(ms_madvise(w.mm, A + PAGE, 2 * PAGE, MS_MADV_REMOVE), 0);
		assert_int_equal(p.calls, 2);
		assert_int_equal(p.in_hole, MS_ACCESS_WAITS);
		assert_int_equal(p.outside, MS_ACCESS_OK);
		assert_int_equal(p.mapped_around, 2);
		assert_int_equal(p.hole, -EBUSY);
		assert_int_equal(count_present(&w, A + PAGE, 2), 0);
		assert_false(ms_host_leaf(other, A + PAGE, &leaf));
		touch(&w, A + PAGE, MS_PROT_W);
		assert_int_equal(ms_touch(other, A + PAGE, MS_PROT_W), MS_ACCESS_OK);
		assert_int_equal(pa_of(other, A + PAGE), pa_of(w.mm, A + PAGE));
		assert_int_equal(ms_madvise(w.mm, A + 8 * PAGE, PAGE, MS_MADV_REMOVE), 0);
		world_end(&w);
	}
}

/* ---- a driver's page ---- */

static ms_vm_fault_t give_away(struct ms_vm_fault *vmf)
{
	ms_pfn_t pfn;

	if (!ms_page_alloc(ms_mm_machine(vmf->vma->vm_mm), 0, 0, &pfn))
		return MS_VM_FAULT_OOM;
	vmf->page = ms_pfn_to_page_struct(ms_mm_machine(vmf->vma->vm_mm), pfn);
	return 0;
}

static int give_away_mmap(struct ms_file *file, struct ms_vma *vma)
{
	static const struct ms_vm_ops vm_ops = { .fault = give_away };

	(void)file;
	vma->vm_ops = &vm_ops;
	return 0;
}

static void need_a_page(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	(void)m, (void)point, (void)addr;
	assert_int_equal(ms_touch(arg, B, MS_PROT_W), MS_ACCESS_OK);
}

/* The handler's reference keeps the page until the mapping has its own. */
static void a_page_that_a_handler_gave_is_not_given_to_anybody_else(void **state)
{
	static const struct ms_file_ops ops = { .name = "test", .mmap = give_away_mmap };

	(void)state;
	struct world w = world("6.12.117");
	struct ms_file *file =
		ms_file_new(w.m, &ops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, NULL);

	map_file(&w, file, A, 0, PAGE, MS_MAP_SHARED);
	assert_int_equal(ms_mmap(w.mm, B, PAGE, MS_PROT_RW,
				 MS_MAP_PRIVATE | MS_MAP_ANONYMOUS | MS_MAP_FIXED, NULL, 0),
			 B);
	ms_machine_set_hook(w.m, MS_HOOK_DRIVER_FAULT_DONE, need_a_page, w.mm);
	touch(&w, A, MS_PROT_R);
	assert_int_not_equal(pa_of(w.mm, A), pa_of(w.mm, B));
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_needs_the_page_of_a_fault_waits),
		cmocka_unit_test(a_locked_huge_page_is_locked_as_a_whole),
		cmocka_unit_test(no_page_of_a_hole_stays_mapped),
		cmocka_unit_test(a_page_that_a_handler_gave_is_not_given_to_anybody_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
