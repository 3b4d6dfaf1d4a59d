/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device memory that its driver maps cacheable (or not), asked of every family of kernels. The
 * memory is 1G at 0x80000000000, is no RAM, and is mapped whole; vm_pgoff is its pfn.
 */
#include "cases.h"

#define M UINT64_C(0x80000000000)

static int remap_with(struct ms_vma *vma, ms_pgprot_t prot)
{
	vma->vm_pgoff = M >> 12;
	vma->vm_page_prot = prot;
	return ms_remap_pfn_range(vma, vma->vm_start, M >> 12, vma->vm_end - vma->vm_start, prot);
}

static int mmap_cacheable(struct ms_file *file, struct ms_vma *vma)
{
	return remap_with(vma, vma->vm_page_prot);
}

static int mmap_noncached(struct ms_file *file, struct ms_vma *vma)
{
	return remap_with(vma, ms_pgprot_noncached(vma->vm_page_prot));
}

static int mmap_writecombine(struct ms_file *file, struct ms_vma *vma)
{
	return remap_with(vma, ms_pgprot_writecombine(vma->vm_page_prot));
}

static const struct ms_file_ops cacheable = { .name = "cacheable", .mmap = mmap_cacheable };
static const struct ms_file_ops noncached = { .name = "noncached", .mmap = mmap_noncached };
static const struct ms_file_ops writecombine = { .name = "writecombine",
						 .mmap = mmap_writecombine };

static const struct ms_machine_config with_dic = { .dic = MS_FEATURE_PRESENT };
static const struct ms_machine_config without_fwb = { .dic = MS_FEATURE_PRESENT,
						      .fwb = MS_FEATURE_ABSENT };

static bool asks_for_protection(const struct ms_policy *k)
{
	return k->s2_cacheable_pfnmap == MS_S2_CACHEABLE_PFNMAP_BY_VMA_PROT;
}

static void cacheable_memory_is_normal_from_6_17_on(void **state)
{
	const struct ms_policy *k;

	for_each_lazy (k) {
		struct world w = case_world(k->release, &with_dic);

		case_map(&w, MS_1G, &cacheable);
		case_slot(&w, 0x100000000, MS_1G, A);
		assert_read_maps_block(&w, 0x100000000, block_size(k, MS_1G, PAGE), 0x80000000000,
				       asks_for_protection(k) ? "rwx" : "rw,device");
		assert_int_equal(ms_violations(w.m), 0);
		world_end(&w);
	}
}

static int slot_over(const char *release, const struct ms_machine_config *config,
		     const struct ms_file_ops *ops)
{
	struct world w = case_world(release, config);
	int ret;

	case_map(&w, MS_2M, ops);
	ret = ms_vm_set_slot(w.vm, 1, 0x100000000, MS_2M, A, 0);
	world_end(&w);
	return ret;
}

static void cacheable_memory_needs_fwb_and_dic_from_6_17_on(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		const int ret = asks_for_protection(k) ? -EINVAL : 0;

		assert_int_equal(slot_over(k->release, &without_fwb, &cacheable), ret);
		assert_int_equal(slot_over(k->release, NULL, &cacheable), ret);
		assert_int_equal(slot_over(k->release, NULL, &noncached), 0);
		assert_int_equal(slot_over(k->release, NULL, &writecombine), 0);
	}
}

static void noncached_memory_is_a_device_everywhere(void **state)
{
	const struct ms_policy *k;

	for_each_lazy (k) {
		struct world w = case_world(k->release, &with_dic);

		case_map(&w, MS_1G, &noncached);
		case_slot(&w, 0x100000000, MS_1G, A);
		assert_read_maps_block(&w, 0x100000000, block_size(k, MS_1G, PAGE), 0x80000000000,
				       "rw,device");
		assert_int_equal(ms_guest_exec(w.vm, 0x100000000).exit, MS_GUEST_IABT);
		world_end(&w);
	}
}

static void writecombine_memory_is_a_device_and_not_executable(void **state)
{
	struct world w = case_world("7.2.13", &with_dic);

	case_map(&w, MS_2M, &writecombine);
	case_slot(&w, 0x100000000, MS_2M, A);
	assert_int_equal(ms_guest_exec(w.vm, 0x100000000).exit, MS_GUEST_IABT);
	assert_read_maps_block(&w, 0x100000000, PAGE, 0x80000000000, "rw,device");
	world_end(&w);
}

static void fetch_from_cacheable_memory_is_mapped_from_6_17_on(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		struct world w = case_world(k->release, &with_dic);

		case_map(&w, MS_2M, &cacheable);
		case_slot(&w, 0x100000000, MS_2M, A);
		assert_int_equal(ms_guest_exec(w.vm, 0x100000000).exit,
				 asks_for_protection(k) ? MS_GUEST_OK : MS_GUEST_IABT);
		world_end(&w);
	}
}

static void private_mapping_is_readable_and_its_writes_are_efault(void **state)
{
	const struct ms_policy *k;

	for_each_lazy (k) {
		struct world w = case_world(k->release, NULL);

		map_file(&w, A, PAGE, MS_PROT_RW, MS_MAP_PRIVATE, &noncached, 0);
		case_slot(&w, 0x100000000, PAGE, A);
		assert_int_equal(ms_guest_read(w.vm, 0x100000000).leaf.prot,
				 MS_PROT_R | MS_PROT_DEVICE);
		assert_int_equal(ms_guest_write(w.vm, 0x100000000).err, -EFAULT);
		world_end(&w);
	}
}

static void premap_lets_the_guest_write_through_a_private_mapping(void **state)
{
	struct world w = case_world("5.10.223", NULL);

	map_file(&w, A, PAGE, MS_PROT_RW, MS_MAP_PRIVATE, &noncached, 0);
	case_slot(&w, 0x100000000, PAGE, A);
	assert_int_equal(ms_guest_write(w.vm, 0x100000000).leaf.pa, M);
	world_end(&w);
}

static void mapping_that_became_cacheable_is_efault_without_fwb(void **state)
{
	struct world w = case_world("7.2.13", &without_fwb);

	case_map(&w, PAGE, &noncached);
	case_slot(&w, 0x100000000, PAGE, A);
	assert_int_equal(ms_munmap(w.mm, A, PAGE), 0);
	case_map(&w, PAGE, &cacheable);
	assert_int_equal(ms_guest_read(w.vm, 0x100000000).err, -EFAULT);
	world_end(&w);
}

static void mte_refuses_cacheable_device_memory_everywhere(void **state)
{
	const struct ms_machine_config config = { .dic = MS_FEATURE_PRESENT,
						  .mte = MS_FEATURE_PRESENT };
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		struct world w;
		struct ms_vm *vm;

		if (k->mte_vma == MS_MTE_VMA_NONE)
			continue;
		w = case_world(k->release, &config);
		vm = ms_vm_new_config(w.mm, &(struct ms_vm_config){ .mte = true });
		assert_non_null(vm);
		case_map(&w, PAGE, &cacheable);
		assert_int_equal(ms_vm_set_slot(vm, 1, 0x100000000, PAGE, A, 0), -EINVAL);
		world_end(&w);
	}
}

static void cacheable_memory_is_not_logged_either(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		struct world w = case_world(k->release, &with_dic);

		case_map(&w, PAGE, &cacheable);
		assert_int_equal(ms_vm_set_slot(w.vm, 1, 0x100000000, PAGE, A, MS_SLOT_LOG_DIRTY),
				 -EINVAL);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cacheable_memory_is_normal_from_6_17_on),
		cmocka_unit_test(cacheable_memory_needs_fwb_and_dic_from_6_17_on),
		cmocka_unit_test(noncached_memory_is_a_device_everywhere),
		cmocka_unit_test(writecombine_memory_is_a_device_and_not_executable),
		cmocka_unit_test(fetch_from_cacheable_memory_is_mapped_from_6_17_on),
		cmocka_unit_test(private_mapping_is_readable_and_its_writes_are_efault),
		cmocka_unit_test(premap_lets_the_guest_write_through_a_private_mapping),
		cmocka_unit_test(mapping_that_became_cacheable_is_efault_without_fwb),
		cmocka_unit_test(mte_refuses_cacheable_device_memory_everywhere),
		cmocka_unit_test(cacheable_memory_is_not_logged_either),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
