/* SPDX-License-Identifier: GPL-2.0-only */
/* As test_null.c: the names beside those of mappings are given NULL. */
#include "world.h"

#include <linux/cdev.h>
#include <linux/io-mapping.h>
#include <linux/mmu_notifier.h>
#include <linux/poll.h>

static void never_acts(void *data)
{
	(void)data;
	fail();
}

static int never_meets(pte_t *pte, unsigned long addr, void *data)
{
	(void)pte, (void)addr, (void)data;
	fail();
	return 0;
}

static int never_meets_entry(void *pte, unsigned long addr, void *data)
{
	(void)pte, (void)addr, (void)data;
	fail();
	return 0;
}

static void null_is_harmless_as_a_process_that_is_looked_into(void **state)
{
	struct world w = world("6.12.107");
	struct mmu_notifier mn = { .ops = NULL };
	struct mmu_interval_notifier mni = { .ops = NULL };
	struct file *file;
	char c = 1;

	(void)state;
	assert_null(ms_linux_as(NULL));
	assert_null(ms_linux_set_current_mm(NULL, w.mm));
	assert_false(ms_linux_set_capable(NULL, false));
	assert_null(ms_linux_task(NULL));
	assert_int_equal(ms_linux_load(NULL, &c, A, 1), 1);
	assert_int_equal(ms_linux_load(w.mm, NULL, A, 1), 1);
	assert_int_equal(ms_linux_store(NULL, A, &c, 1), 1);
	assert_int_equal(ms_linux_store(w.mm, A, NULL, 1), 1);
	assert_int_equal(ms_access_remote_vm(NULL, A, &c, 1, false), 0);
	assert_int_equal(ms_access_remote_vm(w.mm, A, NULL, 1, false), 0);
	assert_int_equal(access_process_vm(NULL, A, &c, 1, 0), 0);
	assert_int_equal(apply_to_page_range(NULL, A, PAGE_SIZE, never_meets, NULL), -EINVAL);
	assert_int_equal(apply_to_page_range(w.mm, A, PAGE_SIZE, NULL, NULL), -EINVAL);
	assert_int_equal(apply_to_existing_page_range(NULL, A, PAGE_SIZE, never_meets, NULL),
			 -EINVAL);
	assert_int_equal(
		ms_linux_apply_to_page_range(NULL, A, PAGE_SIZE, true, never_meets_entry, NULL),
		-EINVAL);
	assert_int_equal(account_locked_vm(NULL, 1, true), -EINVAL);
	set_pte_at(NULL, A, &(pte_t){ 0 }, (pte_t){ 0 });
	mmput_async(NULL);
	mmgrab(NULL);
	mmdrop(NULL);
	assert_int_equal(ms_linux_mmu_notifier_register(NULL, w.mm), -EINVAL);
	assert_int_equal(ms_linux_mmu_notifier_register(&mn, NULL), -EINVAL);
	ms_linux_mmu_notifier_unregister(NULL, w.mm);
	ms_linux_mmu_notifier_unregister(&mn, NULL);
	assert_int_equal(ms_linux_mmu_interval_notifier_insert(NULL, w.mm, A, 1, NULL), -EINVAL);
	assert_int_equal(ms_linux_mmu_interval_notifier_insert(&mni, NULL, A, 1, NULL), -EINVAL);
	ms_linux_mmu_interval_notifier_remove(NULL);
	ms_linux_mmu_interval_notifier_remove(&mni);
	file = ms_linux_file(w.m, &(struct file_operations){ .owner = NULL }, O_RDWR, NULL);
	assert_int_equal(ms_linux_ioctl(NULL, file, 0, 0), -EINVAL);
	assert_int_equal(ms_linux_ioctl(w.mm, NULL, 0, 0), -EINVAL);
	assert_int_equal(ms_linux_ioctl(w.mm, file, 0, 0), -ENOTTY);
	assert_int_equal(ms_linux_read(NULL, file, A, 1), -EINVAL);
	assert_int_equal(ms_linux_read(w.mm, NULL, A, 1), -EINVAL);
	assert_int_equal(ms_linux_write(NULL, file, A, 1), -EINVAL);
	assert_int_equal(ms_linux_write(w.mm, NULL, A, 1), -EINVAL);
	assert_int_equal(ms_linux_poll(NULL, file), EPOLLERR);
	assert_int_equal(ms_linux_poll(w.mm, NULL), EPOLLERR);
	poll_wait(NULL, NULL, NULL);
	assert_int_equal(default_llseek(NULL, 0, 0), -EINVAL);
	assert_int_equal(stream_open(NULL, NULL), 0);
	assert_int_equal(imajor(NULL), 0);
	assert_int_equal(ms_violations(w.m), 0);
	ms_linux_close(file);
	world_end(&w);
}

static void null_is_harmless_as_a_vma(void **state)
{
	struct io_mapping map = { .size = PAGE_SIZE };
	unsigned long pfn;
	char c;

	(void)state;
	ms_linux_zap_range(NULL, A, PAGE_SIZE);
	zap_page_range_single(NULL, A, PAGE_SIZE, NULL);
	zap_vma_pages(NULL);
	assert_int_equal(follow_pfn(NULL, A, &pfn), -EINVAL);
	assert_int_equal(follow_pfnmap_start(NULL), -EINVAL);
	assert_int_equal(ms_generic_access_phys(NULL, A, &c, 1, false), -EINVAL);
	assert_int_equal(generic_access_phys(NULL, A, &c, 1, false), -EINVAL);
	assert_int_equal(io_mapping_map_user(&map, NULL, A, 1, PAGE_SIZE), -EINVAL);
	assert_false(vma_is_shared_maywrite(NULL));
	assert_false(vma_test(NULL, VMA_IO_BIT));
	assert_false(vma_test_any_mask(NULL, EMPTY_VMA_FLAGS));
	assert_false(vma_test_all_mask(NULL, EMPTY_VMA_FLAGS));
	assert_false(vma_test_single_mask(NULL, EMPTY_VMA_FLAGS));
	vma_set_flags_mask(NULL, EMPTY_VMA_FLAGS);
	vma_clear_flags_mask(NULL, EMPTY_VMA_FLAGS);
	assert_false(vma_desc_test(NULL, VMA_IO_BIT));
	assert_false(vma_desc_test_any_mask(NULL, EMPTY_VMA_FLAGS));
	assert_false(vma_desc_test_all_mask(NULL, EMPTY_VMA_FLAGS));
	vma_desc_set_flags_mask(NULL, EMPTY_VMA_FLAGS);
	vma_desc_clear_flags_mask(NULL, EMPTY_VMA_FLAGS);
	assert_false(vma_desc_is_cow_mapping(NULL));
	vma_desc_set_anonymous(NULL);
	mmap_action_map_kernel_pages(NULL, A, NULL, 1);
	mmap_action_map_kernel_pages_full(NULL, NULL);
}

static void null_is_harmless_as_a_device(void **state)
{
	struct world w = world("6.12.107");

	(void)state;
	assert_string_equal(dev_driver_string(NULL), "");
	assert_null(dev_get_platdata(NULL));
	assert_null(get_device(NULL));
	put_device(NULL);
	device_initialize(NULL);
	assert_int_equal(devm_add_action(NULL, never_acts, NULL), -EINVAL);
	assert_int_equal(devm_add_action_or_reset(NULL, NULL, NULL), -EINVAL);
	assert_int_equal(ms_linux_devres_end(NULL, never_acts, NULL, true), -EINVAL);
	ms_linux_devres_release_all(NULL);
	assert_null(devm_kmalloc(NULL, 8, GFP_KERNEL));
	assert_null(devm_kzalloc(NULL, 8, GFP_KERNEL));
	assert_null(devm_kcalloc(NULL, 8, 8, GFP_KERNEL));
	assert_null(devm_kstrdup(NULL, "x", GFP_KERNEL));
	assert_null(devm_kmemdup(NULL, "x", 1, GFP_KERNEL));
	assert_null(ms_linux_devm_ioremap(NULL, NULL));
	assert_null(devm_request_mem_region(NULL, BAR, PAGE_SIZE, "x"));
	assert_int_equal(PTR_ERR(devm_ioremap_resource(NULL, NULL)), -EINVAL);
	assert_int_equal(resource_type(NULL), 0);
	assert_int_equal(pm_runtime_get(NULL), -EINVAL);
	assert_int_equal(pm_runtime_put(NULL), -EINVAL);
	assert_int_equal(dma_set_mask(NULL, 0), -EIO);
	assert_int_equal(dma_set_coherent_mask(NULL, 0), -EIO);
	assert_int_equal(dma_set_mask_and_coherent(NULL, 0), -EIO);
	assert_int_equal(alloc_chrdev_region(NULL, 0, 1, "x"), -EINVAL);
	assert_int_equal(ms_linux_chrdev_region(NULL, 1, "x", true), -EINVAL);
	assert_int_equal(ms_linux_cdev_add(NULL, MKDEV(240, 0), 1, PAGE_SHIFT), -EINVAL);
	ms_linux_cdev_del(NULL);
	cdev_del(NULL);
	assert_int_equal(ms_linux_device_add(NULL), -EINVAL);
	assert_int_equal(device_add(NULL), -EINVAL);
	assert_int_equal(device_register(NULL), -EINVAL);
	ms_linux_device_del(NULL);
	device_del(NULL);
	device_unregister(NULL);
	ms_linux_device_free(NULL);
	assert_null(ms_linux_device_of(NULL, MKDEV(240, 0)));
	device_destroy(NULL, MKDEV(240, 0));
	assert_int_equal(cdev_device_add(NULL, NULL), -EINVAL);
	cdev_device_del(NULL, NULL);
	assert_int_equal(ms_violations(w.m), 0);
	assert_int_equal(ms_linux_leaks(w.m), 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(null_is_harmless_as_a_process_that_is_looked_into),
		cmocka_unit_test(null_is_harmless_as_a_vma),
		cmocka_unit_test(null_is_harmless_as_a_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
