/* SPDX-License-Identifier: GPL-2.0-only */
/* What lib/linux refuses a driver, and the words in which it says why. */
#include "world.h"

static void assert_why(struct world *w, int err, const char *words)
{
	assert_int_equal(ms_last_refusal(w->m).err, err);
	assert_string_equal(ms_last_reason(w->m), words);
}

static void assert_not_open(struct world *w, const struct file *file, int err, const char *words)
{
	assert_null(file);
	assert_int_equal(errno, -err);
	assert_why(w, err, words);
}

/* ---- misc devices ---- */

static int busy_open(struct inode *inode, struct file *file)
{
	return -EBUSY;
}

static const struct file_operations busy_fops = { .open = busy_open };

static void a_misc_device_is_refused_for_what_it_lacks_or_shares(void **state)
{
	struct world w = world("6.12.117");
	struct miscdevice none = { .minor = 1 },
			  dev = { .minor = 1, .name = "dev", .fops = &busy_fops },
			  again = { .minor = 2, .name = "dev", .fops = &busy_fops },
			  other = { .minor = 1, .name = "other", .fops = &busy_fops };

	assert_int_equal(misc_register(&none), -EINVAL);
	assert_why(&w, -EINVAL, "misc_register: a device has a name and operations");
	assert_int_equal(ms_linux_misc_register(&dev, PAGE_SHIFT + 2), -EINVAL);
	assert_why(&w, -EINVAL,
		   "the driver was compiled for pages of 16384 bytes, the machine has 4096");
	for (uint64_t n = 1; n <= 2; n++) {
		struct world fresh = world("6.12.117");

		ms_machine_fail_alloc(fresh.m, n);
		assert_int_equal(misc_register(&dev), -ENOMEM);
		assert_why(&fresh, -ENOMEM, "no memory");
		ms_machine_free(fresh.m);
	}
	ms_linux_use(w.m);
	assert_int_equal(misc_register(&dev), 0);
	assert_int_equal(misc_register(&again), -EEXIST);
	assert_why(&w, -EEXIST, "misc_register: the device is registered already");
	assert_int_equal(misc_register(&other), -EBUSY);
	assert_why(&w, -EBUSY, "misc_register: another device has minor 1");

	assert_not_open(&w, ms_linux_open(w.m, NULL, O_RDWR), -EINVAL, "open: a device has a name");
	assert_not_open(&w, ms_linux_open(w.m, "none", O_RDWR), -ENOENT,
			"open: nobody has registered such a device");
	assert_not_open(&w, ms_linux_open(w.m, "dev", O_RDWR), -EBUSY,
			"driver: ->open answers this error");
	for (uint64_t n = 1; n <= 2; n++) {
		ms_machine_fail_alloc(w.m, n);
		assert_not_open(&w, ms_linux_open(w.m, "dev", O_RDWR), -ENOMEM, "no memory");
	}
	ms_machine_fail_alloc(w.m, 0);
	misc_deregister(&dev);
	world_end(&w);
}

static void a_file_is_refused_for_what_it_lacks(void **state)
{
	struct world w = world("6.12.117");

	assert_not_open(&w, ms_linux_file(w.m, NULL, O_RDWR, NULL), -EINVAL,
			"a file has operations");
	assert_not_open(&w, ms_linux_open_fops(w.m, &busy_fops, O_RDWR, NULL, PAGE_SHIFT + 4),
			-EINVAL,
			"the driver was compiled for pages of 65536 bytes, the machine has 4096");
	for (uint64_t n = 1; n <= 3; n++) {
		ms_machine_fail_alloc(w.m, n);
		assert_not_open(&w, ms_linux_file(w.m, &busy_fops, O_RDWR, NULL), -ENOMEM,
				"no memory");
	}
	ms_machine_fail_alloc(w.m, 0);
	world_end(&w);
}

/* ---- mmap_prepare ---- */

static int (*prepare)(struct vm_area_desc *desc);

static int do_prepare(struct vm_area_desc *desc)
{
	return prepare(desc);
}

static const struct file_operations prepare_fops = { .mmap_prepare = do_prepare };

static int64_t map_prepared(struct world *w, int (*how)(struct vm_area_desc *desc),
			    unsigned long npages, unsigned int flags)
{
	prepare = how;
	return ms_mmap(w->mm, A, npages * PAGE_SIZE, MS_PROT_RW, flags | MS_MAP_FIXED,
		       ms_linux_file(w->m, &prepare_fops, O_RDWR, NULL), 0);
}

static int beyond_the_vma(struct vm_area_desc *desc)
{
	mmap_action_ioremap(desc, desc->start + PAGE_SIZE, PHYS_PFN(BAR), 2 * PAGE_SIZE);
	return 0;
}

static int a_part(struct vm_area_desc *desc)
{
	mmap_action_ioremap(desc, desc->start + PAGE_SIZE, PHYS_PFN(BAR), PAGE_SIZE);
	return 0;
}

static int too_few_pages(struct vm_area_desc *desc)
{
	mmap_action_simple_ioremap(desc, BAR, PAGE_SIZE);
	return 0;
}

static int wraps(struct vm_area_desc *desc)
{
	mmap_action_simple_ioremap(desc, BAR, -BAR);
	desc->action.simple_ioremap.size = ~0ul;
	return 0;
}

static int no_errno(struct vm_area_desc *desc)
{
	mmap_action_remap_full(desc, PHYS_PFN(BAR));
	desc->action.error_override = 5;
	return 0;
}

static int another_file(struct vm_area_desc *desc)
{
	desc->vm_file = NULL;
	return 0;
}

static int conflicting(struct vm_area_desc *desc)
{
	mmap_action_remap_full(desc, PHYS_PFN(BAR));
	desc->action.error_override = -EAGAIN;
	return 0;
}

static void what_mmap_prepare_asks_for_is_refused_with_its_numbers(void **state)
{
	struct world w = world("7.2.13");

	assert_int_equal(map_prepared(&w, beyond_the_vma, 2, MS_MAP_SHARED), -EFAULT);
	assert_why(&w, -EFAULT,
		   "remap of 0x7e0000001000-0x7e0000003000 outside of the VMA "
		   "0x7e0000000000-0x7e0000002000");
	assert_int_equal(map_prepared(&w, a_part, 2, MS_MAP_PRIVATE), -EINVAL);
	assert_why(&w, -EINVAL,
		   "VMA 0x7e0000000000-0x7e0000002000 is private: 0x7e0000001000-0x7e0000002000 "
		   "is not all of it");
	assert_int_equal(map_prepared(&w, too_few_pages, 2, MS_MAP_SHARED), -EINVAL);
	assert_why(&w, -EINVAL, "simple_ioremap: 2 pages from page 0 on, of 1");
	assert_int_equal(map_prepared(&w, wraps, 1, MS_MAP_SHARED), -EINVAL);
	assert_why(&w, -EINVAL,
		   "simple_ioremap: 0xffffffffffffffff bytes at 0xfd000000 wrap around");
	assert_int_equal(map_prepared(&w, no_errno, 1, MS_MAP_SHARED), -EINVAL);
	assert_why(&w, -EINVAL, "mmap_prepare: error_override is no errno");
	assert_int_equal(map_prepared(&w, another_file, 1, MS_MAP_SHARED), -EINVAL);
	assert_why(&w, -EINVAL, "mmap_prepare gives another vm_file");

	// the memtype's reason, with the driver's errno
	assert_int_equal(ms_memtype_reserve(w.m, BAR, BAR + PAGE_SIZE, MS_CACHE_WC, NULL), 0);
	assert_int_equal(
		ms_memtype_reserve(w.m, BAR + PAGE_SIZE, BAR + 2 * PAGE_SIZE, MS_CACHE_WT, NULL),
		0);
	assert_int_equal(map_prepared(&w, conflicting, 2, MS_MAP_SHARED), -EAGAIN);
	assert_why(&w, -EAGAIN,
		   "0xfd000000-0xfd001000 is reserved as WC and 0xfd001000-0xfd002000 as WT");
	ms_machine_free(w.m); // WARN() has been a violation
}

/* ---- mapped files ---- */

static int anon_mmap(struct file *file, struct vm_area_struct *vma)
{
	return 0;
}

static const struct file_operations anon_fops = { .mmap = anon_mmap };

static void a_mapped_file_is_refused_what_it_cannot_do(void **state)
{
	struct world w = world("6.12.117");
	struct page *page = alloc_page(GFP_KERNEL);

	assert_int_equal(ms_mmap(w.mm, A, PAGE_SIZE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED,
				 ms_linux_file(w.m, &anon_fops, O_RDWR, NULL), 0),
			 A);
	assert_int_equal(ms_madvise(w.mm, A, PAGE_SIZE, MS_MADV_REMOVE), -ENODEV);
	assert_why(&w, -ENODEV, "a device's file has no holes: it is no regular file");
	assert_int_equal(vm_insert_page(vma_lookup(w.mm, A), A, page), -EINVAL);
	assert_why(&w, -EINVAL, "vm_insert_page sets VM_MIXEDMAP, and nobody holds the mmap lock");
	put_page(page);
	ms_machine_free(w.m); // and this, too
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_misc_device_is_refused_for_what_it_lacks_or_shares),
		cmocka_unit_test(a_file_is_refused_for_what_it_lacks),
		cmocka_unit_test(what_mmap_prepare_asks_for_is_refused_with_its_numbers),
		cmocka_unit_test(a_mapped_file_is_refused_what_it_cannot_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
