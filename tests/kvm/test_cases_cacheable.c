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
	(void)file;
	return remap_with(vma, vma->vm_page_prot);
}

static int mmap_noncached(struct ms_file *file, struct ms_vma *vma)
{
	(void)file;
	return remap_with(vma, ms_pgprot_noncached(vma->vm_page_prot));
}

static int mmap_writecombine(struct ms_file *file, struct ms_vma *vma)
{
	(void)file;
	return remap_with(vma, ms_pgprot_writecombine(vma->vm_page_prot));
}

static const struct ms_file_ops cacheable = { .name = "cacheable", .mmap = mmap_cacheable };
static const struct ms_file_ops noncached = { .name = "noncached", .mmap = mmap_noncached };
static const struct ms_file_ops writecombine = { .name = "writecombine",
						 .mmap = mmap_writecombine };

static const struct ms_machine_config with_dic = { .dic = true };
static const struct ms_machine_config without_fwb = { .dic = true, .no_fwb = true };

#define G_DEVICE "s2.map ipa=0x100000000 size=0x40000000 pa=0x80000000000 prot=rw,device\n"
#define P_DEVICE "s2.map ipa=0x100000000 size=0x1000 pa=0x80000000000 prot=rw,device\n"
#define G_NORMAL "s2.map ipa=0x100000000 size=0x40000000 pa=0x80000000000 prot=rwx\n"
#define P_NORMAL "s2.map ipa=0x100000000 size=0x1000 pa=0x80000000000 prot=rwx\n"

static void cacheable_memory_is_normal_from_6_17_on(void **state)
{
	static const struct answer answers[] = {
		{ "5.15", G_DEVICE },   { "6.1.0", G_DEVICE },    { "6.1.192", P_DEVICE },
		{ "6.12.0", G_DEVICE }, { "6.12.117", P_DEVICE }, { "6.17", G_NORMAL },
		{ "7.2.13", P_NORMAL }, { NULL, NULL },
	};

	(void)state;
	for (const struct answer *a = answers; a->release; a++) {
		struct world w = case_world(a->release, &with_dic);

		case_map(&w, MS_1G, &cacheable);
		case_slot(&w, 0x100000000, MS_1G, A);
		assert_read_maps(&w, 0x100000000, a->events);
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
	static const struct {
		const char *release;
		int ret;
	} answers[] = {
		{ "5.15", 0 },     { "6.1.192", 0 },    { "6.12.0", 0 },
		{ "6.12.117", 0 }, { "6.17", -EINVAL }, { "7.2.13", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		assert_int_equal(slot_over(answers[i].release, &without_fwb, &cacheable),
				 answers[i].ret);
		assert_int_equal(slot_over(answers[i].release, NULL, &cacheable), answers[i].ret);
		assert_int_equal(slot_over(answers[i].release, NULL, &noncached), 0);
		assert_int_equal(slot_over(answers[i].release, NULL, &writecombine), 0);
	}
}

static void noncached_memory_is_a_device_everywhere(void **state)
{
	static const struct answer answers[] = {
		{ "5.15", G_DEVICE }, { "6.1.192", P_DEVICE }, { "6.12.117", P_DEVICE },
		{ "6.17", G_DEVICE }, { "7.2.13", P_DEVICE },  { NULL, NULL },
	};

	(void)state;
	for (const struct answer *a = answers; a->release; a++) {
		struct world w = case_world(a->release, &with_dic);

		case_map(&w, MS_1G, &noncached);
		case_slot(&w, 0x100000000, MS_1G, A);
		assert_read_maps(&w, 0x100000000, a->events);
		assert_int_equal(ms_guest_exec(w.vm, 0x100000000).exit, MS_GUEST_IABT);
		world_end(&w);
	}
}

static void writecombine_memory_is_a_device_and_not_executable(void **state)
{
	struct world w = case_world("7.2.13", &with_dic);

	(void)state;
	case_map(&w, MS_2M, &writecombine);
	case_slot(&w, 0x100000000, MS_2M, A);
	assert_int_equal(ms_guest_exec(w.vm, 0x100000000).exit, MS_GUEST_IABT);
	assert_read_maps(&w, 0x100000000, P_DEVICE);
	world_end(&w);
}

static void fetch_from_cacheable_memory_is_mapped_from_6_17_on(void **state)
{
	static const struct {
		const char *release;
		enum ms_guest_exit exit;
	} answers[] = {
		{ "5.15", MS_GUEST_IABT },     { "6.1.192", MS_GUEST_IABT },
		{ "6.12.117", MS_GUEST_IABT }, { "6.17", MS_GUEST_OK },
		{ "7.2.13", MS_GUEST_OK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct world w = case_world(answers[i].release, &with_dic);

		case_map(&w, MS_2M, &cacheable);
		case_slot(&w, 0x100000000, MS_2M, A);
		assert_int_equal(ms_guest_exec(w.vm, 0x100000000).exit, answers[i].exit);
		world_end(&w);
	}
}

static void private_mapping_is_readable_and_its_writes_are_efault(void **state)
{
	static const char *const releases[] = { "5.15", "6.1.192", "6.12.117", "6.17", "7.2.13" };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct world w = case_world(releases[i], NULL);

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

	(void)state;
	map_file(&w, A, PAGE, MS_PROT_RW, MS_MAP_PRIVATE, &noncached, 0);
	case_slot(&w, 0x100000000, PAGE, A);
	assert_int_equal(ms_guest_write(w.vm, 0x100000000).leaf.pa, M);
	world_end(&w);
}

static void mapping_that_became_cacheable_is_efault_without_fwb(void **state)
{
	struct world w = case_world("7.2.13", &without_fwb);

	(void)state;
	case_map(&w, PAGE, &noncached);
	case_slot(&w, 0x100000000, PAGE, A);
	assert_int_equal(ms_munmap(w.mm, A, PAGE), 0);
	case_map(&w, PAGE, &cacheable);
	assert_int_equal(ms_guest_read(w.vm, 0x100000000).err, -EFAULT);
	world_end(&w);
}

static void mte_refuses_cacheable_device_memory_everywhere(void **state)
{
	static const char *const releases[] = { "5.15", "6.1.192", "6.12.117", "6.17", "7.2.13" };

	const struct ms_machine_config config = { .dic = true, .mte = true };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct world w = case_world(releases[i], &config);
		struct ms_vm *vm;

		assert_int_equal(ms_vm_create(w.mm, &(struct ms_vm_config){ .mte = true }, &vm), 0);
		case_map(&w, PAGE, &cacheable);
		assert_int_equal(ms_vm_set_slot(vm, 1, 0x100000000, PAGE, A, 0), -EINVAL);
		world_end(&w);
	}
}

static void cacheable_memory_is_not_logged_either(void **state)
{
	static const char *const releases[] = { "5.15", "6.1.192", "6.12.117", "6.17", "7.2.13" };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct world w = case_world(releases[i], &with_dic);

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
