/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The names of linux.h that take a machine, a process, a VMA, a file or what belongs to a device
 * are given NULL, as ../machine/test_null.c does it for the other headers.
 */
#include "world.h"

static const struct file_operations fops = { .owner = THIS_MODULE };

static int never_runs(void)
{
	fail();
	return 0;
}

static void never_ends(void)
{
	fail();
}

static void null_is_harmless_as_a_machine(void **state)
{
	struct world w = world("6.12.107");

	assert_int_equal(ms_linux_insmod(NULL, never_runs), -EINVAL);
	assert_int_equal(ms_linux_insmod(w.m, NULL), -EINVAL);
	ms_linux_rmmod(NULL, never_ends);
	ms_linux_rmmod(w.m, NULL);
	assert_null(ms_linux_open(NULL, "scratch", O_RDWR));
	assert_int_equal(errno, EINVAL);
	errno = 0;
	assert_null(ms_linux_open(w.m, NULL, O_RDWR));
	assert_int_equal(errno, EINVAL);
	assert_null(ms_linux_open_device(NULL, "scratch", O_RDWR));
	assert_null(ms_linux_file(NULL, &fops, O_RDWR, NULL));
	assert_null(ms_linux_file(w.m, NULL, O_RDWR, NULL));
	assert_null(ms_linux_open_fops(NULL, &fops, O_RDWR, NULL, PAGE_SHIFT));
	ms_linux_close(NULL);
	assert_int_equal(ms_linux_leaks(NULL), 0);
	assert_int_equal(ms_linux_report_leaks(NULL), 0);
	assert_int_equal(ms_linux_allocated(NULL), 0);
	assert_int_equal(ms_linux_live(NULL), 0);
	ms_linux_unmap_mapping(NULL, NULL, 0, 0, true);
	// the driver code of this thread is still the machine's
	assert_ptr_equal(ms_linux_use(w.m), w.m);
	assert_ptr_equal(ms_linux_set_machine(NULL), w.m);
	assert_null(ms_linux_use(NULL));
	world_end(&w);
}

static void null_is_harmless_as_a_process(void **state)
{
	struct world w = world("6.12.107");

	assert_null(find_vma(NULL, A));
	assert_null(vma_lookup(NULL, A));
	assert_false(mmget_not_zero(NULL));
	mmget(NULL);
	mmput(NULL);
	assert_false(ms_linux_mmap_lock(NULL, 0));
	mmap_read_lock(NULL);
	assert_false(mmap_read_trylock(NULL));
	assert_int_equal(mmap_read_lock_killable(NULL), -EINVAL);
	ms_linux_mmap_unlock(NULL, true);
	mmap_read_unlock(NULL);
	mmap_write_lock(NULL);
	assert_false(mmap_write_trylock(NULL));
	assert_int_equal(mmap_write_lock_killable(NULL), -EINVAL);
	mmap_write_unlock(NULL);
	ms_linux_mmap_downgrade(NULL);
	mmap_write_downgrade(NULL);
	ms_linux_mmap_assert(NULL, true);
	mmap_assert_locked(NULL);
	mmap_assert_write_locked(NULL);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

static void null_is_harmless_as_a_vma(void **state)
{
	struct world w = world("6.12.107");

	assert_int_equal(vma_pages(NULL), 0);
	assert_false(vma_is_anonymous(NULL));
	assert_false(range_in_vma(NULL, A, A + PAGE_SIZE));
	assert_int_equal(linear_page_index(NULL, A), 0);
	vm_flags_init(NULL, VM_IO);
	vm_flags_reset(NULL, VM_IO);
	vm_flags_set(NULL, VM_IO);
	vm_flags_clear(NULL, VM_IO);
	vm_flags_mod(NULL, VM_IO, VM_PFNMAP);
	vma_start_write(NULL);
	ms_linux_vma_start_write(NULL);
	zap_vma_ptes(NULL, A, PAGE_SIZE);
	zap_special_vma_range(NULL, A, PAGE_SIZE);
	world_end(&w);
}

static void null_is_harmless_as_a_vma_for_pfns(void **state)
{
	struct world w = world("6.12.107");
	struct page *page = alloc_page(GFP_KERNEL);
	struct vm_fault vmf = { .address = A };
	unsigned long left = 1;

	assert_int_equal(remap_pfn_range(NULL, A, 1, PAGE_SIZE, 0), -EINVAL);
	assert_int_equal(io_remap_pfn_range(NULL, A, 1, PAGE_SIZE, 0), -EINVAL);
	assert_int_equal(ms_linux_remap_pfn_range(NULL, A, 1, PAGE_SIZE, 0), -EINVAL);
	assert_int_equal(vm_iomap_memory(NULL, BAR, PAGE_SIZE), -EINVAL);
	assert_int_equal(ms_linux_vm_iomap_memory(NULL, BAR, PAGE_SIZE), -EINVAL);
	assert_int_equal(dma_mmap_coherent(NULL, NULL, NULL, BAR, PAGE_SIZE), -EINVAL);
	assert_int_equal(vmf_insert_pfn(NULL, A, 1), VM_FAULT_SIGBUS);
	assert_int_equal(vmf_insert_pfn_prot(NULL, A, 1, 0), VM_FAULT_SIGBUS);
	assert_int_equal(vmf_insert_mixed(NULL, A, 1), VM_FAULT_SIGBUS);
	assert_int_equal(vmf_insert_pfn_pmd(NULL, 1, true), VM_FAULT_SIGBUS);
	assert_int_equal(vmf_insert_pfn_pmd(&vmf, 1, true), VM_FAULT_SIGBUS);
	assert_int_equal(vmf_insert_pfn_pud(NULL, 1, true), VM_FAULT_SIGBUS);
	assert_int_equal(vm_insert_page(NULL, A, page), -EINVAL);
	assert_int_equal(ms_linux_vm_insert_page(NULL, A, page), -EINVAL);
	assert_int_equal(vm_insert_pages(NULL, A, &page, &left), -EINVAL);
	assert_int_equal(left, 1);
	assert_int_equal(vm_map_pages(NULL, &page, 1), -EINVAL);
	assert_int_equal(vm_map_pages_zero(NULL, &page, 1), -EINVAL);
	assert_int_equal(ms_linux_map_pages(NULL, &page, 1, 0), -EINVAL);
	put_page(page);
	world_end(&w);
}

static void null_is_harmless_as_a_description_of_a_vma(void **state)
{
	struct world w = world("6.12.107");

	assert_int_equal(vma_desc_size(NULL), 0);
	assert_int_equal(vma_desc_pages(NULL), 0);
	vma_desc_set_flags(NULL, VMA_IO_BIT);
	vma_desc_clear_flags(NULL, VMA_IO_BIT);
	assert_false(vma_desc_test_any(NULL, VMA_IO_BIT));
	assert_false(vma_desc_test_all(NULL, VMA_IO_BIT));
	mmap_action_remap(NULL, A, 1, PAGE_SIZE);
	mmap_action_remap_full(NULL, 1);
	mmap_action_ioremap(NULL, A, 1, PAGE_SIZE);
	mmap_action_ioremap_full(NULL, 1);
	mmap_action_simple_ioremap(NULL, BAR, PAGE_SIZE);
	world_end(&w);
}

static void null_is_harmless_as_a_file(void **state)
{
	struct world w = world("6.12.107");
	struct file *file = ms_linux_file(w.m, &fops, O_RDWR, NULL);
	struct vm_area_struct vma = { .vm_file = file };

	assert_int_equal(iminor(NULL), 0);
	assert_null(file_inode(NULL));
	assert_int_equal(noop_llseek(NULL, 0, SEEK_SET), -EINVAL);
	assert_int_equal(no_llseek(NULL, 0, SEEK_SET), -ESPIPE);
	assert_int_equal(nonseekable_open(NULL, NULL), 0);
	assert_null(get_file(NULL));
	ms_linux_get_file(NULL);
	assert_null(ms_linux_device(NULL, 0));
	assert_null(ms_linux_set_current_mm(NULL, NULL));
	ms_linux_name_file(NULL, "scratch");
	ms_linux_name_file(file, NULL);
	fput(NULL);
	ms_linux_fput(NULL);
	vma_set_file(NULL, file);
	vma_set_file(&vma, NULL);
	assert_ptr_equal(vma.vm_file, file);
	address_space_init_once(NULL);
	unmap_mapping_range(NULL, 0, 0, 1);
	unmap_mapping_pages(NULL, 0, 1, true);
	assert_int_equal(PTR_ERR(anon_inode_getfile("scratch", NULL, NULL, O_RDWR)), -ENOMEM);
	ms_linux_close(file);
	world_end(&w);
}

static void null_is_harmless_as_a_device(void **state)
{
	struct world w = world("6.12.107");

	assert_int_equal(misc_register(NULL), -EINVAL);
	assert_int_equal(ms_linux_misc_register(NULL, PAGE_SHIFT), -EINVAL);
	misc_deregister(NULL);
	ms_linux_misc_deregister(NULL);
	assert_non_null(dev_name(NULL));
	assert_null(dev_get_drvdata(NULL));
	dev_set_drvdata(NULL, &w);
	assert_int_equal(resource_size(NULL), 0);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(null_is_harmless_as_a_machine),
		cmocka_unit_test(null_is_harmless_as_a_process),
		cmocka_unit_test(null_is_harmless_as_a_vma),
		cmocka_unit_test(null_is_harmless_as_a_vma_for_pfns),
		cmocka_unit_test(null_is_harmless_as_a_description_of_a_vma),
		cmocka_unit_test(null_is_harmless_as_a_file),
		cmocka_unit_test(null_is_harmless_as_a_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
