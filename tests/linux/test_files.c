/* SPDX-License-Identifier: GPL-2.0-only */
/* Files and misc devices: what a driver sees of them, and when it is called. */
#include "world.h"

/* ---- a device that notes what happens to it ---- */

struct noted {
	struct miscdevice misc;
	int open_error;
	unsigned int opens, releases;
	struct file *last;
	struct address_space shared; // given to files that are opened with O_SYNC
};

static struct noted *noted_of(struct file *file)
{
	return container_of(file->private_data, struct noted, misc);
}

static int noted_open(struct inode *inode, struct file *file)
{
	struct noted *dev = noted_of(file);

	assert_ptr_equal(file_inode(file), inode);
	assert_int_equal(iminor(inode), dev->misc.minor);
	dev->opens++;
	dev->last = file;
	if (file->f_flags & O_SYNC)
		file->f_mapping = &dev->shared;
	return dev->open_error;
}

static int noted_release(struct inode *inode, struct file *file)
{
	struct noted *dev = noted_of(file);

	assert_ptr_equal(ms_linux_machine(), ms_file_machine(file));
	assert_ptr_equal(file_inode(file), inode);
	dev->releases++;
	return 0;
}

static vm_fault_t noted_fault(struct vm_fault *vmf)
{
	return vmf_insert_pfn(vmf->vma, vmf->address, PHYS_PFN(BAR) + vmf->pgoff);
}

static int noted_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = noted_fault };

	assert_ptr_equal(vma->vm_file, file);
	vm_flags_set(vma, VM_PFNMAP | VM_IO);
	vma->vm_ops = &ops;
	return 0;
}

static const struct file_operations noted_fops = {
	.owner = THIS_MODULE,
	.open = noted_open,
	.release = noted_release,
	.mmap = noted_mmap,
	.llseek = noop_llseek,
};

static void noted_init(struct noted *dev, const char *name)
{
	*dev = (struct noted){
		.misc = { .minor = MISC_DYNAMIC_MINOR, .name = name, .fops = &noted_fops },
	};
	address_space_init_once(&dev->shared);
}

/* ---- tests ---- */

static void a_registered_device_can_be_opened_by_its_name(void **state)
{
	struct world w = world("6.12.117");
	struct noted dev, other;
	struct file *file;

	noted_init(&dev, "dev");
	noted_init(&other, "other");
	assert_null(ms_linux_open(w.m, "dev", O_RDWR));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(misc_register(&dev.misc), 0);
	assert_int_equal(misc_register(&other.misc), 0);
	assert_int_not_equal(dev.misc.minor, other.misc.minor);
	assert_string_equal(dev_name(dev.misc.this_device), "dev");
	file = ms_linux_open(w.m, "dev", O_RDWR);
	assert_ptr_equal(dev.last, file);
	assert_int_equal(file->f_mode, FMODE_READ | FMODE_WRITE);
	assert_int_equal(file->f_op->llseek(file, 7, 0), 0);
	assert_int_equal(other.opens, 0);
	ms_linux_close(file);
	assert_int_equal(dev.releases, 1);
	world_end(&w);
}

static void the_mode_of_the_open_is_the_mode_of_the_mappings(void **state)
{
	struct world w = world("6.12.117");
	struct noted dev;

	noted_init(&dev, "dev");
	misc_register(&dev.misc);
	assert_int_equal(map(&w, A, 1, ms_linux_open(w.m, "dev", O_RDONLY)), -EACCES);
	assert_int_equal(dev.last->f_mode, FMODE_READ);
	assert_int_equal(map(&w, A, 1, ms_linux_open(w.m, "dev", O_WRONLY)), -EACCES);
	assert_int_equal(map(&w, A, 1, ms_linux_open(w.m, "dev", O_RDWR)), A);
	world_end(&w);
}

static void an_open_that_fails_is_not_released(void **state)
{
	struct world w = world("6.12.117");
	struct noted dev;

	noted_init(&dev, "dev");
	misc_register(&dev.misc);
	dev.open_error = -ENXIO;
	assert_null(ms_linux_open(w.m, "dev", O_RDWR));
	assert_int_equal(errno, ENXIO);
	assert_int_equal(dev.opens, 1);
	assert_int_equal(dev.releases, 0);
	world_end(&w);
}

static void names_and_minors_are_taken_once(void **state)
{
	struct world w = world("6.12.117");
	struct noted dev, twin;

	noted_init(&dev, "dev");
	noted_init(&twin, "dev");
	assert_int_equal(misc_register(&dev.misc), 0);
	assert_int_equal(misc_register(&twin.misc), -EEXIST);
	twin.misc.name = "twin";
	twin.misc.minor = dev.misc.minor;
	assert_int_equal(misc_register(&twin.misc), -EBUSY);
	misc_deregister(&dev.misc);
	assert_int_equal(misc_register(&twin.misc), 0);
	misc_deregister(&dev.misc);
	assert_string_equal(violation(&w, 0), "misc_deregister of what is not registered");
	world_end(&w);
}

static void a_file_outlives_its_device(void **state)
{
	struct world w = world("6.12.117");
	struct noted dev;
	struct file *file;

	noted_init(&dev, "dev");
	misc_register(&dev.misc);
	file = ms_linux_open(w.m, "dev", O_RDWR);
	map(&w, A, 2, file);
	misc_deregister(&dev.misc);
	assert_null(ms_linux_open(w.m, "dev", O_RDWR));
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
	unmap_mapping_range(file->f_mapping, 0, 0, 1);
	assert_int_equal(pa_of(&w, A), 0);
	world_end(&w);
	assert_int_equal(dev.releases, 1); // with the machine
}

static void files_of_one_device_share_what_is_unmapped(void **state)
{
	struct world w = world("6.12.117");
	struct noted dev;
	struct file *first, *second, *apart;

	noted_init(&dev, "dev");
	misc_register(&dev.misc);
	first = ms_linux_open(w.m, "dev", O_RDWR);
	second = ms_linux_open(w.m, "dev", O_RDWR);
	apart = ms_linux_open(w.m, "dev", O_RDWR | O_SYNC);
	map(&w, A, 2, first);
	map(&w, A + SZ_1M, 2, second);
	map(&w, A + SZ_2M, 2, apart);
	for (unsigned long at = A; at <= A + SZ_2M; at += SZ_1M) {
		ms_touch(w.mm, at, MS_PROT_R);
		ms_touch(w.mm, at + PAGE_SIZE, MS_PROT_R);
	}
	unmap_mapping_pages(first->f_mapping, 1, 1, true);
	assert_int_equal(pa_of(&w, A), BAR);
	assert_int_equal(pa_of(&w, A + PAGE_SIZE), 0);
	assert_int_equal(pa_of(&w, A + SZ_1M + PAGE_SIZE), 0);
	assert_int_equal(pa_of(&w, A + SZ_2M + PAGE_SIZE), BAR + PAGE_SIZE);
	unmap_mapping_range(&dev.shared, 0, 0, 1);
	assert_int_equal(pa_of(&w, A + SZ_2M), 0);
	assert_int_equal(pa_of(&w, A), BAR);
	world_end(&w);
}

static void references_keep_a_file(void **state)
{
	struct world w = world("6.12.117");
	struct noted dev;
	struct file *file;

	noted_init(&dev, "dev");
	misc_register(&dev.misc);
	file = get_file(ms_linux_open(w.m, "dev", O_RDWR));
	ms_linux_close(file);
	assert_int_equal(dev.releases, 0);
	fput(file);
	assert_int_equal(dev.releases, 1);
	world_end(&w);
}

/* dma-buf's way: the VMA is one of another file. */
static int lending_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct file *lent = file->private_data;

	vma_set_file(vma, lent);
	return lent->f_op->mmap(lent, vma);
}

static void a_vma_can_be_given_another_file(void **state)
{
	static const struct file_operations lending = { .mmap = lending_mmap };
	struct world w = world("6.12.117");
	struct file *lent, *lender;
	struct noted dev;

	noted_init(&dev, "dev");
	misc_register(&dev.misc);
	lent = ms_linux_open(w.m, "dev", O_RDWR);
	lender = anon_inode_getfile("lender", &lending, lent, O_RDWR);
	assert_false(IS_ERR(lender));
	assert_int_equal(map(&w, A, 1, lender), A);
	ms_touch(w.mm, A, MS_PROT_R);
	unmap_mapping_range(lender->f_mapping, 0, 0, 1);
	assert_int_equal(pa_of(&w, A), BAR);
	unmap_mapping_range(lent->f_mapping, 0, 0, 1);
	assert_int_equal(pa_of(&w, A), 0);
	ms_linux_close(lent);
	assert_int_equal(dev.releases, 0);
	ms_munmap(w.mm, A, PAGE_SIZE);
	assert_int_equal(dev.releases, 1);
	world_end(&w);
}

static void without_mmap_there_is_none(void **state)
{
	static const struct file_operations none = { .owner = THIS_MODULE };
	struct world w = world("6.12.117");

	assert_int_equal(map(&w, A, 1, ms_linux_file(w.m, &none, O_RDWR, NULL)), -ENODEV);
	world_end(&w);
}

static void a_driver_for_other_pages_is_refused(void **state)
{
	const struct ms_machine_config config = { .page_size = SZ_64K };
	struct ms_machine *m =
		ms_machine_new_config(ms_policy_linux("6.12.117", MS_ARCH_ARM64), &config);
	struct noted dev;

	ms_linux_use(m);
	noted_init(&dev, "dev");
	assert_int_equal(misc_register(&dev.misc), -EINVAL);
	assert_null(ms_linux_file(m, &noted_fops, O_RDWR, NULL));
	assert_int_equal(ms_violations(m), 2);
	ms_linux_use(NULL);
	ms_machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_registered_device_can_be_opened_by_its_name),
		cmocka_unit_test(the_mode_of_the_open_is_the_mode_of_the_mappings),
		cmocka_unit_test(an_open_that_fails_is_not_released),
		cmocka_unit_test(names_and_minors_are_taken_once),
		cmocka_unit_test(a_file_outlives_its_device),
		cmocka_unit_test(files_of_one_device_share_what_is_unmapped),
		cmocka_unit_test(references_keep_a_file),
		cmocka_unit_test(a_vma_can_be_given_another_file),
		cmocka_unit_test(without_mmap_there_is_none),
		cmocka_unit_test(a_driver_for_other_pages_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
