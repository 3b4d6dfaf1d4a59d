/* SPDX-License-Identifier: GPL-2.0-only */
/* user_mem_abort: rights, attributes, and what a permission fault does. */
#include "world.h"

static void pages_with(struct world *w, uint64_t npages)
{
	map_pages(w, HVA, npages * PAGE);
	assert_int_equal(ms_vm_set_slot(w->vm, 1, GPA, npages * PAGE, HVA, 0), 0);
}

static void write_maps_rw_and_read_of_a_fresh_page_r(void **state)
{
	struct world w = world("6.12.107");

	pages_with(&w, 2);
	assert_int_equal(ms_guest_write(w.vm, GPA).leaf.prot, MS_PROT_RW);
	assert_int_equal(ms_guest_read(w.vm, GPA + PAGE).leaf.prot, MS_PROT_R);
	world_end(&w);
}

static void read_of_a_writable_page_maps_rw(void **state)
{
	struct world w = world("6.12.107");

	pages_with(&w, 1);
	assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_guest_read(w.vm, GPA).leaf.prot, MS_PROT_RW);
	world_end(&w);
}

static void fetch_adds_x_by_relaxing(void **state)
{
	struct world w = world("6.12.107");

	pages_with(&w, 1);
	assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_OK);
	events(&w);
	assert_int_equal(ms_guest_exec(w.vm, GPA).leaf.prot, MS_PROT_RW | MS_PROT_X);
	assert_string_equal(events(&w), "s2.relax ipa=0x80000000 prot=rwx\n");
	world_end(&w);
}

static void write_to_an_executable_page_keeps_x(void **state)
{
	struct world w = world("6.12.107");

	pages_with(&w, 1);
	assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_mprotect(w.mm, HVA, PAGE, MS_PROT_R), 0);
	assert_int_equal(ms_guest_exec(w.vm, GPA).leaf.prot, MS_PROT_R | MS_PROT_X);
	world_end(&w);
}

static void with_dic_memory_is_executable_from_the_start(void **state)
{
	const struct ms_machine_config config = { .dic = MS_FEATURE_PRESENT };
	struct world w = world_config("6.12.117", &config);

	pages_with(&w, 1);
	assert_int_equal(ms_guest_write(w.vm, GPA).leaf.prot, MS_PROT_RW | MS_PROT_X);
	assert_int_equal(ms_guest_exec(w.vm, GPA).faults, 0);
	world_end(&w);
}

static void with_dic_a_device_is_not_executable(void **state)
{
	const struct ms_machine_config config = { .dic = MS_FEATURE_PRESENT };
	struct world w = world_config("6.12.117", &config);

	map_bar(&w, HVA, PAGE, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	assert_int_equal(ms_guest_read(w.vm, GPA).leaf.prot, MS_PROT_RW | MS_PROT_DEVICE);
	world_end(&w);
}

/* A block of a THP that was read first, its host leaf made writable: the fault is at page 0x23. */
static const char *relax_of_a_thp_block(struct world *w, const char *release)
{
	*w = world(release);
	map_anon(w, HVA, MS_2M);
	assert_int_equal(ms_vm_set_slot(w->vm, 1, GPA, MS_2M, HVA, 0), 0);
	assert_int_equal(ms_guest_write(w->vm, GPA).exit, MS_GUEST_OK);
	events(w);
	assert_int_equal(ms_guest_exec(w->vm, GPA + 0x23000).exit, MS_GUEST_OK);
	return events(w);
}

static void relax_of_a_block_is_at_the_fault_from_5_15_on(void **state)
{
	struct world w;

	assert_string_equal(relax_of_a_thp_block(&w, "6.1.192"),
			    "s2.relax ipa=0x80023000 prot=rwx\n");
	world_end(&w);
}

static void relax_of_a_block_was_at_its_start(void **state)
{
	struct world w;

	assert_string_equal(relax_of_a_thp_block(&w, "5.10.223"),
			    "s2.relax ipa=0x80000000 prot=rwx\n");
	world_end(&w);
}

static void pages_left_by_logging_become_a_block_at_the_next_permission_fault(void **state)
{
	struct world w = world("6.12.107");

	map_anon(&w, HVA, MS_2M);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, MS_SLOT_LOG_DIRTY), 0);
	assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_OK);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), 0);
	events(&w);
	assert_int_equal(ms_guest_exec(w.vm, GPA).exit, MS_GUEST_OK);
	assert_string_equal(events(&w), "s2.map ipa=0x80000000 size=0x200000 pa=ram prot=rwx\n");
	world_end(&w);
}

static int remap_any_uncached(struct ms_file *file, struct ms_vma *vma)
{
	vma->vm_flags |= MS_VM_ALLOW_ANY_UNCACHED;
	vma->vm_page_prot = ms_pgprot_noncached(vma->vm_page_prot);
	return ms_remap_pfn_range(vma, vma->vm_start, BAR >> 12, vma->vm_end - vma->vm_start,
				  vma->vm_page_prot);
}

static const struct ms_file_ops uncached_ops = { .name = "uncached", .mmap = remap_any_uncached };

static void vma_may_allow_normal_nc_from_6_9_on(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);

		map_file(&w, HVA, PAGE, MS_PROT_RW, MS_MAP_SHARED, &uncached_ops, 0);
		assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
		assert_int_equal(ms_guest_read(w.vm, GPA).leaf.prot,
				 k->s2_device_type == MS_S2_DEVICE_TYPE_NC_IF_VMA_ALLOWS
					 ? MS_PROT_RW | MS_PROT_NORMAL_NC
					 : MS_PROT_RW | MS_PROT_DEVICE);
		world_end(&w);
	}
}

/* ---- VM_PFNMAP that is set inside of the fault ---- */

static ms_vm_fault_t remap_in_fault(struct ms_vm_fault *vmf)
{
	struct ms_vma *vma = vmf->vma;
	int ret = ms_remap_pfn_range(vma, vma->vm_start, BAR >> 12, vma->vm_end - vma->vm_start,
				     vma->vm_page_prot);

	return ret ? MS_VM_FAULT_SIGBUS : MS_VM_FAULT_NOPAGE;
}

static const struct ms_vm_ops late_vm_ops = { .fault = remap_in_fault };

static int mmap_late(struct ms_file *file, struct ms_vma *vma)
{
	vma->vm_ops = &late_vm_ops;
	return 0;
}

static const struct ms_file_ops late_ops = { .name = "late", .mmap = mmap_late };

static unsigned int prot_of_a_late_pfnmap(const char *release)
{
	struct world w = world(release);
	struct ms_guest_access access;

	map_file(&w, HVA, 4 * PAGE, MS_PROT_RW, MS_MAP_SHARED, &late_ops, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 4 * PAGE, HVA, 0), 0);
	access = ms_guest_read(w.vm, GPA);
	assert_int_equal(access.exit, MS_GUEST_OK);
	assert_int_equal(access.leaf.pa, BAR);
	world_end(&w);
	return access.leaf.prot;
}

static void memory_is_told_from_device_by_pfn_then_by_flags_seen_too_early(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64)
		assert_int_equal(prot_of_a_late_pfnmap(k->release),
				 k->s2_device_test == MS_S2_DEVICE_TEST_VMA_FLAG_AND_NOT_MAP_MEMORY
					 ? MS_PROT_RW
					 : MS_PROT_RW | MS_PROT_DEVICE);
}

/* ---- cacheable VM_PFNMAP ---- */

static int remap_cacheable(struct ms_file *file, struct ms_vma *vma)
{
	return ms_remap_pfn_range(vma, vma->vm_start, BAR >> 12, vma->vm_end - vma->vm_start,
				  vma->vm_page_prot);
}

static const struct ms_file_ops cacheable_ops = { .name = "cacheable", .mmap = remap_cacheable };

static void cacheable_device_memory_is_normal_and_executable(void **state)
{
	const struct ms_machine_config config = { .dic = MS_FEATURE_PRESENT };
	struct world w = world_config("7.2.13", &config);

	map_file(&w, HVA, PAGE, MS_PROT_RW, MS_MAP_SHARED, &cacheable_ops, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	assert_int_equal(ms_guest_read(w.vm, GPA).leaf.prot, MS_PROT_RW | MS_PROT_X);
	assert_int_equal(ms_guest_exec(w.vm, GPA).exit, MS_GUEST_OK);
	world_end(&w);
}

static void cacheable_mapping_that_came_later_is_efault_without_dic(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);
		struct ms_guest_access access;

		assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
		map_file(&w, HVA, PAGE, MS_PROT_RW, MS_MAP_SHARED, &cacheable_ops, 0);
		access = ms_guest_read(w.vm, GPA);
		if (k->s2_cacheable_pfnmap == MS_S2_CACHEABLE_PFNMAP_BY_VMA_PROT)
			assert_int_equal(access.err, -EFAULT);
		else
			assert_int_equal(access.leaf.prot, MS_PROT_RW | MS_PROT_DEVICE);
		world_end(&w);
	}
}

/* ---- MTE ---- */

static void memory_that_came_later_without_tags_is_efault_with_mte(void **state)
{
	const struct ms_machine_config config = { .mte = MS_FEATURE_PRESENT };
	struct world w = world_config("6.1.192", &config);
	struct ms_file *file = ms_memfd_new(w.m, PAGE);

	ms_vm_free(w.vm);
	w.vm = ms_vm_new_config(w.mm, &(struct ms_vm_config){ .mte = true });
	assert_non_null(w.vm);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	assert_int_equal(ms_mmap(w.mm, HVA, PAGE, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE, file, 0),
			 HVA);
	assert_int_equal(ms_guest_write(w.vm, GPA).err, -EFAULT);
	world_end(&w);
}

/* ---- caches ---- */

static void without_fwb_memory_is_cleaned_as_it_is_mapped(void **state)
{
	const struct ms_policy *k;
	const struct ms_machine_config config = { .fwb = MS_FEATURE_ABSENT };

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world_config(k->release, &config);

		pages_with(&w, 1);
		assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_OK);
		assert_int_equal(ms_trace_total(w.m, MS_EV_CMO), 1);
		world_end(&w);
	}
}

static void with_fwb_only_fetches_maintain_caches(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);

		pages_with(&w, 1);
		assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_OK);
		assert_int_equal(ms_trace_total(w.m, MS_EV_CMO), 0);
		assert_int_equal(ms_guest_exec(w.vm, GPA).exit, MS_GUEST_OK);
		assert_int_equal(ms_trace_total(w.m, MS_EV_CMO), 1);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(write_maps_rw_and_read_of_a_fresh_page_r),
		cmocka_unit_test(read_of_a_writable_page_maps_rw),
		cmocka_unit_test(fetch_adds_x_by_relaxing),
		cmocka_unit_test(write_to_an_executable_page_keeps_x),
		cmocka_unit_test(with_dic_memory_is_executable_from_the_start),
		cmocka_unit_test(with_dic_a_device_is_not_executable),
		cmocka_unit_test(relax_of_a_block_is_at_the_fault_from_5_15_on),
		cmocka_unit_test(relax_of_a_block_was_at_its_start),
		cmocka_unit_test(pages_left_by_logging_become_a_block_at_the_next_permission_fault),
		cmocka_unit_test(vma_may_allow_normal_nc_from_6_9_on),
		cmocka_unit_test(memory_is_told_from_device_by_pfn_then_by_flags_seen_too_early),
		cmocka_unit_test(cacheable_device_memory_is_normal_and_executable),
		cmocka_unit_test(cacheable_mapping_that_came_later_is_efault_without_dic),
		cmocka_unit_test(memory_that_came_later_without_tags_is_efault_with_mte),
		cmocka_unit_test(without_fwb_memory_is_cleaned_as_it_is_mapped),
		cmocka_unit_test(with_fwb_only_fetches_maintain_caches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
