/* SPDX-License-Identifier: GPL-2.0-only */
/* As test_null.c: names of pins, work, devices and files are given NULL. */
#include "world.h"

#include <linux/dma-buf.h>
#include <linux/mmu_notifier.h>
#include <linux/pci.h>
#include <linux/uio_driver.h>
#include <linux/workqueue.h>

static void null_is_harmless_as_a_process_or_a_page(void **state)
{
	struct world w = world("6.12.117");
	struct ms_linux_lock *lock = NULL;
	struct page *page = NULL;
	char c = 0;

	(void)state;
	assert_int_equal(ms_linux_gup(NULL, A, 1, 0, 0, &page, NULL), -EFAULT);
	assert_int_equal(ms_linux_gup(w.mm, A, 1, 0, MS_LINUX_GUP_PIN, NULL, NULL), -EINVAL);
	assert_int_equal(ms_violations(w.m), 1); // no room for what is pinned
	assert_int_equal(ms_linux_access_vm(NULL, A, &c, 1, false, true), 0);
	assert_int_equal(ms_linux_access_vm(w.mm, A, NULL, 1, false, true), 0);
	assert_int_equal(ms_linux_fixup_user_fault(NULL, A, true), -EFAULT);
	assert_int_equal(ms_linux_do_munmap(NULL, A, PAGE_SIZE), -EINVAL);
	assert_null(ms_linux_pte_at(NULL, A, &lock));
	assert_int_equal(ms_linux_filemap_map_pages(NULL, 0, 1), VM_FAULT_SIGBUS);
	assert_int_equal(ms_linux_insert_folio(NULL, NULL, PMD_ORDER, false), VM_FAULT_SIGBUS);
	assert_false(ms_linux_maybe_pinned(NULL));
	ms_linux_unpin(NULL);
	assert_int_equal(ms_violations(w.m), 2); // which is no page
	world_end(&w);
}

static void null_is_harmless_as_a_notifier_or_a_device(void **state)
{
	struct world w = world("6.12.117");
	static const struct mmu_notifier_ops ops = { .release = NULL };

	(void)state;
	assert_int_equal(PTR_ERR(ms_linux_mmu_notifier_get(NULL, w.mm)), -EINVAL);
	assert_int_equal(PTR_ERR(ms_linux_mmu_notifier_get(&ops, NULL)), -EINVAL);
	ms_linux_mmu_notifier_put(NULL);
	assert_int_equal(ms_linux_pci_mmap_resource_range(NULL, 0, NULL, pci_mmap_mem, 0), -EINVAL);
	world_end(&w);
}

static void null_is_harmless_as_work_or_a_file(void **state)
{
	struct world w = world("6.12.117");

	(void)state;
	assert_false(ms_linux_queue_pending(NULL, NULL, 0, false));
	assert_false(ms_linux_cancel_pending(NULL));
	assert_false(ms_linux_run_one_pending(NULL));
	assert_int_equal(ms_linux_run_pending(NULL, 0), 0);
	ms_linux_flush_pending(NULL); // of the system's queue
	ms_linux_queue_is_gone(NULL);
	ms_linux_sleeps(NULL, 0);
	assert_int_equal(ms_linux_fd_install(NULL), -EINVAL);
	assert_null(ms_linux_fd_file(NULL, 3));
	ms_linux_fd_forget(NULL);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

static void null_is_harmless_as_what_names_are_given(void **state)
{
	struct world w = world("6.12.117");
	struct device dev = { .init_name = "none" };
	struct vm_fault vmf = { .vma = NULL };
	spinlock_t *ptl;
	pte_t *ptep;
	char c = 0;

	(void)state;
	assert_int_equal(access_remote_vm(NULL, A, &c, 1, FOLL_WRITE), 0);
	assert_int_equal(do_munmap(NULL, A, PAGE_SIZE, NULL), -EINVAL);
	assert_int_equal((long)vm_mmap(NULL, A, PAGE_SIZE, MS_PROT_R, MS_MAP_SHARED, 0), -EINVAL);
	assert_int_equal(filemap_map_pages(NULL, 0, 1), VM_FAULT_SIGBUS);
	assert_int_equal(filemap_map_pages(&vmf, 0, 1), VM_FAULT_SIGBUS);
	assert_int_equal(fixup_user_fault(NULL, A, 0, NULL), -EFAULT);
	assert_int_equal(vmf_insert_folio_pmd(NULL, NULL, false), VM_FAULT_SIGBUS);
	assert_int_equal(vmf_insert_folio_pud(&vmf, NULL, false), VM_FAULT_SIGBUS);
	assert_int_equal(follow_pte((struct mm_struct *)NULL, A, &ptep, &ptl), -EINVAL);
	assert_int_equal(follow_pte((struct vm_area_struct *)NULL, A, &ptep, &ptl), -EINVAL);
	assert_int_equal(ms_linux_run_work(NULL), 0);
	assert_int_equal(ms_linux_run_timers(NULL), 0);
	assert_int_equal(pci_iobar_pfn(NULL, 0, NULL), -EINVAL);
	assert_int_equal(dma_mmap_noncontiguous(&dev, NULL, PAGE_SIZE, NULL), -EINVAL);
	assert_null(dma_vmap_noncontiguous(NULL, PAGE_SIZE, NULL));
	assert_int_equal(dma_mapping_error(NULL, DMA_MAPPING_ERROR), -ENOMEM);
	assert_null(ms_linux_vmap(NULL, 1, false));
	assert_int_equal(uio_register_device(NULL, NULL), -EINVAL);
	assert_int_equal(uio_register_device(&dev, NULL), -EINVAL);
	assert_int_equal(devm_uio_register_device(&dev, NULL), -EINVAL);
	uio_unregister_device(NULL);
	assert_int_equal(ms_violations(w.m), 0);
	assert_int_equal(dma_buf_mmap(NULL, NULL, 0), -EINVAL); // WARN_ON, as in the kernel
	assert_int_equal(PTR_ERR(dma_buf_attach(NULL, NULL)), -EINVAL);
	assert_int_equal(ms_violations(w.m), 2);
	world_end(&w);
}

/* Without a machine nothing is done either. */
static void no_machine_is_harmless(void **state)
{
	struct ms_linux_pending pending = { .kind = MS_LINUX_PENDING_WORK };

	(void)state;
	ms_linux_use(NULL);
	assert_false(ms_linux_queue_pending(&pending, NULL, 0, false));
	assert_false(ms_linux_cancel_pending(&pending));
	assert_false(ms_linux_run_one_pending(&pending));
	ms_linux_flush_pending(NULL);
	ms_linux_queue_is_gone(NULL);
	ms_linux_sleeps("a test", 1);
	assert_false(ms_linux_maybe_pinned(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(null_is_harmless_as_a_process_or_a_page),
		cmocka_unit_test(null_is_harmless_as_a_notifier_or_a_device),
		cmocka_unit_test(null_is_harmless_as_work_or_a_file),
		cmocka_unit_test(null_is_harmless_as_what_names_are_given),
		cmocka_unit_test(no_machine_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
