/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory for a VM with MTE: which VMAs it takes, at memslot creation and, for what came later, at
 * the fault.
 */
#include "world.h"

static struct world mte_world(const struct ms_policy *policy, bool dic)
{
	const struct ms_machine_config config = { .dic = dic ? MS_FEATURE_PRESENT
							     : MS_FEATURE_ABSENT,
						  .mte = MS_FEATURE_PRESENT };
	struct world w;

	world_start(&w, policy, &config);
	ms_vm_free(w.vm);
	w.vm = ms_vm_new_config(w.mm, &(struct ms_vm_config){ .mte = true });
	assert_non_null(w.vm);
	return w;
}

static const struct ms_policy *kernel(const char *release)
{
	return ms_policy_linux(release, MS_ARCH_ARM64);
}

static void map_shared(struct world *w)
{
	struct ms_file *file = ms_memfd_new(w->m, PAGE);

	assert_int_equal(ms_mmap(w->mm, HVA, PAGE, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE, file, 0),
			 HVA);
}

/* Memory that nobody said could have tags. */
static void map_untaggable(struct world *w)
{
	map_pages(w, HVA, PAGE);
	ms_find_vma(w->mm, HVA)->vm_flags &= ~MS_VM_MTE_ALLOWED;
}

static void map_hugetlb(struct world *w)
{
	assert_int_equal(ms_mmap(w->mm, HVA, MS_2M, MS_PROT_RW,
				 MS_MAP_PRIVATE | MS_MAP_FIXED_NOREPLACE,
				 ms_memfd_hugetlb_new(w->m, MS_2M, MS_2M), 0),
			 HVA);
}

static int set_slot(struct world *w)
{
	return ms_vm_set_slot(w->vm, 1, GPA, PAGE, HVA, 0);
}

enum memory { PRIVATE, SHARED, UNTAGGABLE, HUGETLB, DEVICE };

static void map_memory(struct world *w, enum memory memory)
{
	switch (memory) {
	case PRIVATE:
		map_pages(w, HVA, PAGE);
		break;
	case SHARED:
		map_shared(w);
		break;
	case UNTAGGABLE:
		map_untaggable(w);
		break;
	case HUGETLB:
		map_hugetlb(w);
		break;
	case DEVICE:
		map_bar(w, HVA, PAGE, 0);
		break;
	}
}

static int slot_over(const char *release, enum memory memory)
{
	struct world w = mte_world(kernel(release), false);
	int ret;

	map_memory(&w, memory);
	ret = set_slot(&w);
	world_end(&w);
	return ret;
}

static int write_to_what_came_later(const char *release, enum memory memory)
{
	struct world w = mte_world(kernel(release), false);
	struct ms_guest_access access;

	assert_int_equal(set_slot(&w), 0);
	map_memory(&w, memory);
	access = ms_guest_write(w.vm, GPA);
	assert_int_equal(access.exit, access.err ? MS_GUEST_ERROR : MS_GUEST_OK);
	world_end(&w);
	return access.err;
}

static void up_to_6_1_no_memory_may_be_shared(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		if (k->mte_vma != MS_MTE_VMA_NO_SHARED)
			continue;
		assert_int_equal(slot_over(k->release, PRIVATE), 0);
		assert_int_equal(slot_over(k->release, UNTAGGABLE), 0);
		assert_int_equal(slot_over(k->release, SHARED), -EINVAL);
		assert_int_equal(slot_over(k->release, DEVICE), -EINVAL);
		assert_int_equal(write_to_what_came_later(k->release, PRIVATE), 0);
		assert_int_equal(write_to_what_came_later(k->release, HUGETLB), 0);
		assert_int_equal(write_to_what_came_later(k->release, SHARED), -EFAULT);
	}
}

static void later_all_memory_must_be_taggable(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		const bool hugetlb = k->mte_hugetlb == MS_MTE_HUGETLB_YES;

		if (k->mte_vma != MS_MTE_VMA_MTE_ALLOWED)
			continue;
		assert_int_equal(slot_over(k->release, PRIVATE), 0);
		assert_int_equal(slot_over(k->release, SHARED), 0);
		assert_int_equal(slot_over(k->release, UNTAGGABLE), -EINVAL);
		assert_int_equal(slot_over(k->release, HUGETLB), hugetlb ? 0 : -EINVAL);
		assert_int_equal(slot_over(k->release, DEVICE), -EINVAL);
		assert_int_equal(write_to_what_came_later(k->release, PRIVATE), 0);
		assert_int_equal(write_to_what_came_later(k->release, SHARED), 0);
		assert_int_equal(write_to_what_came_later(k->release, UNTAGGABLE), -EFAULT);
		assert_int_equal(write_to_what_came_later(k->release, HUGETLB),
				 hugetlb ? 0 : -EFAULT);
	}
}

static void vm_has_mte_where_the_machine_has(void **state)
{
	struct world w = world("6.12.117");
	char flags[64];

	assert_null(ms_vm_new_config(w.mm, &(struct ms_vm_config){ .mte = true }));
	assert_int_equal(errno, EINVAL);
	map_pages(&w, HVA, PAGE);
	assert_false(ms_find_vma(w.mm, HVA)->vm_flags & MS_VM_MTE_ALLOWED);
	world_end(&w);
	w = mte_world(kernel("6.12.117"), false);
	map_pages(&w, HVA, PAGE);
	assert_true(ms_find_vma(w.mm, HVA)->vm_flags & MS_VM_MTE_ALLOWED);
	// smaps has no letters for it
	ms_vma_flags_str(ms_find_vma(w.mm, HVA), flags, sizeof(flags));
	assert_string_equal(flags, "rd,wr,mr,mw,me,ac,nh");
	world_end(&w);
}

static void device_that_came_later_is_not_asked_for_tags(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64)
		if (k->mte_vma != MS_MTE_VMA_NONE)
			assert_int_equal(write_to_what_came_later(k->release, DEVICE), 0);
}

static void vm_without_mte_takes_everything(void **state)
{
	struct world w = world("6.12.117");

	map_shared(&w);
	assert_int_equal(set_slot(&w), 0);
	assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_OK);
	world_end(&w);
}

static void permission_faults_are_not_asked(void **state)
{
	struct world w = mte_world(kernel("6.12.117"), false);

	map_pages(&w, HVA, PAGE);
	assert_int_equal(set_slot(&w), 0);
	assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_OK);
	ms_find_vma(w.mm, HVA)->vm_flags &= ~MS_VM_MTE_ALLOWED;
	assert_int_equal(ms_guest_exec(w.vm, GPA).exit, MS_GUEST_OK);
	world_end(&w);
}

static void refusal_says_why(void **state)
{
	struct world w = mte_world(kernel("6.12.117"), false);
	const struct ms_event *ev;

	assert_int_equal(set_slot(&w), 0);
	map_untaggable(&w);
	ms_trace_keep(w.m, 1u << MS_EV_GUEST_ABORT);
	assert_int_equal(ms_guest_write(w.vm, GPA).err, -EFAULT);
	ev = ms_trace_last(w.m, MS_EV_GUEST_ABORT);
	assert_int_equal(ev->ret, -EFAULT);
	assert_string_equal(ev->reason, "VMA does not allow MTE");
	world_end(&w);
}

/* ---- against a notifier ---- */

static void zap_once(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	ms_machine_set_hook(m, point, NULL, NULL);
	assert_int_equal(ms_madvise(arg, HVA, PAGE, MS_MADV_DONTNEED), 0);
}

static unsigned int faults_of_a_refusal_with_a_zap(const struct ms_policy *policy)
{
	struct world w = mte_world(policy, false);
	struct ms_guest_access access;

	assert_int_equal(set_slot(&w), 0);
	map_untaggable(&w);
	ms_machine_set_hook(w.m, MS_HOOK_S2_PFN_FOUND, zap_once, w.mm);
	access = ms_guest_write(w.vm, GPA);
	assert_int_equal(access.err, -EFAULT);
	world_end(&w);
	return access.faults;
}

static void refusal_came_after_the_check_for_notifiers_up_to_7_0(void **state)
{
	struct ms_policy early = *kernel("6.12.117");
	const struct ms_policy *k;

	early.mte_check = MS_MTE_CHECK_BEFORE_MMU_LOCK;
	assert_int_equal(faults_of_a_refusal_with_a_zap(&early), 1);
	for_each_step (k, MS_ARCH_ARM64)
		if (k->mte_vma == MS_MTE_VMA_MTE_ALLOWED)
			assert_int_equal(faults_of_a_refusal_with_a_zap(k),
					 k->mte_check == MS_MTE_CHECK_BEFORE_MMU_LOCK ? 1 : 2);
}

/* ---- cacheable device memory has no pages that could be tagged ---- */

static int remap_cacheable(struct ms_file *file, struct ms_vma *vma)
{
	vma->vm_flags |= MS_VM_MTE_ALLOWED;
	return ms_remap_pfn_range(vma, vma->vm_start, BAR >> 12, vma->vm_end - vma->vm_start,
				  vma->vm_page_prot);
}

static const struct ms_file_ops cacheable_ops = { .name = "cacheable", .mmap = remap_cacheable };

static void memory_without_a_page_is_refused_by_the_rule_of_6_1_and_unseen_later(void **state)
{
	struct ms_policy policy = *kernel("7.2.13");
	struct world w = mte_world(&policy, true);

	map_file(&w, HVA, PAGE, MS_PROT_RW, MS_MAP_PRIVATE, &cacheable_ops, 0);
	assert_int_equal(set_slot(&w), 0);
	ms_trace_keep(w.m, 1u << MS_EV_VIOLATION);
	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_OK);
	assert_string_equal(ms_trace_last(w.m, MS_EV_VIOLATION)->reason,
			    "sanitise_mte_tags: no page behind the pfn");
	world_end(&w);

	policy.mte_vma = MS_MTE_VMA_NO_SHARED;
	w = mte_world(&policy, true);
	map_file(&w, HVA, PAGE, MS_PROT_RW, MS_MAP_PRIVATE, &cacheable_ops, 0);
	assert_int_equal(set_slot(&w), 0);
	assert_int_equal(ms_guest_read(w.vm, GPA).err, -EFAULT);
	assert_int_equal(ms_trace_total(w.m, MS_EV_VIOLATION), 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(up_to_6_1_no_memory_may_be_shared),
		cmocka_unit_test(later_all_memory_must_be_taggable),
		cmocka_unit_test(vm_has_mte_where_the_machine_has),
		cmocka_unit_test(device_that_came_later_is_not_asked_for_tags),
		cmocka_unit_test(vm_without_mte_takes_everything),
		cmocka_unit_test(permission_faults_are_not_asked),
		cmocka_unit_test(refusal_says_why),
		cmocka_unit_test(refusal_came_after_the_check_for_notifiers_up_to_7_0),
		cmocka_unit_test(
			memory_without_a_page_is_refused_by_the_rule_of_6_1_and_unseen_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
