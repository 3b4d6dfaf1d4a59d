/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Xilinx/dma_ip_drivers, issue 330: mmap of a BAR's sysfs resource file fails with EINVAL once the
 * XDMA driver is loaded, on some distributions and not on others.
 *
 * The driver claims its BARs (pci_request_regions). With CONFIG_IO_STRICT_DEVMEM a claimed range is
 * the driver's alone: the sysfs file answers EINVAL, /dev/mem EPERM. Without it (or booted with
 * iomem=relaxed) both go on working. The driver's own device maps the BAR everywhere.
 */
#include "field.h"

#define BAR 0xfd000000ul
#define BAR_SIZE 0x10000ul

static int xdma_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	return io_remap_pfn_range(vma, vma->vm_start, PHYS_PFN(BAR) + vma->vm_pgoff,
				  vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

static const struct file_operations xdma_fops = { .mmap = xdma_mmap };
static struct miscdevice xdma = { .minor = MISC_DYNAMIC_MINOR,
				  .name = "xdma0_user",
				  .fops = &xdma_fops };

static int xdma_probe(void)
{
	if (!request_mem_region(BAR, BAR_SIZE, "xdma"))
		return -EBUSY;
	return misc_register(&xdma);
}

static void xdma_remove(void)
{
	misc_deregister(&xdma);
	release_mem_region(BAR, BAR_SIZE);
}

/* ---- tests ---- */

struct outcome {
	int64_t sysfs, devmem, own;
};

static struct outcome try_all(struct ms_machine *m)
{
	struct mm_struct *mm = ms_mm_new(m);
	struct file *own = ms_linux_open(m, "xdma0_user", O_RDWR);
	struct outcome out = {
		.sysfs = ms_mmap(mm, VA, BAR_SIZE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED,
				 ms_pci_resource(ms_device_find(m, "bar")), 0),
		.devmem = ms_mmap(mm, VA, BAR_SIZE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED,
				  ms_devmem_open(m, true), BAR),
		.own = own ? field_mmap(mm, BAR_SIZE, own) : -ENOENT,
	};

	ms_linux_close(own);
	ms_mm_exit(mm);
	return out;
}

static struct ms_machine *machine(const char *release, enum ms_iomem_strict strict)
{
	struct ms_machine *m = field_machine(release, MS_ARCH_X86_64);

	ms_device_add(m, "bar", BAR, BAR_SIZE);
	ms_iomem_set_strict(m, strict);
	return m;
}

static void a_claimed_bar_is_the_drivers_alone_where_the_kernel_is_strict(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct ms_machine *m = machine(k->release, MS_IOMEM_STRICT);
		struct outcome before = try_all(m), with, after;

		assert_int_equal(ms_linux_insmod(m, xdma_probe), 0);
		with = try_all(m);
		ms_linux_rmmod(m, xdma_remove);
		after = try_all(m);

		assert_int_equal(before.sysfs, VA);
		assert_int_equal(before.devmem, VA);
		assert_int_equal(with.sysfs, -EINVAL);
		assert_int_equal(with.devmem, -EPERM);
		assert_int_equal(with.own, VA);
		assert_int_equal(after.sysfs, VA);
		ms_machine_free(m);
	}
}

static void a_claimed_bar_is_everybodys_where_the_kernel_is_not_strict(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct ms_machine *m = machine(k->release, MS_IOMEM_RELAXED);
		struct outcome with;

		assert_int_equal(ms_linux_insmod(m, xdma_probe), 0);
		with = try_all(m);
		assert_int_equal(with.sysfs, VA);
		assert_int_equal(with.devmem, VA);
		assert_int_equal(with.own, VA);
		ms_machine_free(m);
	}
}

/* What was mapped before the driver came is taken away: of sysfs since 5.12, of /dev/mem always. */
static void the_claim_takes_older_mappings_away(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct ms_machine *m = machine(k->release, MS_IOMEM_STRICT);
		struct mm_struct *mm = ms_mm_new(m);

		field_mmap(mm, BAR_SIZE, ms_pci_resource(ms_device_find(m, "bar")));
		ms_linux_insmod(m, xdma_probe);
		assert_int_equal(ms_touch(mm, VA, MS_PROT_R),
				 k->revoke_scope == MS_REVOKE_SCOPE_DEVMEM ? MS_ACCESS_OK
									   : MS_ACCESS_SIGBUS);
		ms_machine_free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_claimed_bar_is_the_drivers_alone_where_the_kernel_is_strict),
		cmocka_unit_test(a_claimed_bar_is_everybodys_where_the_kernel_is_not_strict),
		cmocka_unit_test(the_claim_takes_older_mappings_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
