/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * enjoy-digital/litex_m2sdr, PR 136 (issue 85): "Bad page map" at munmap.
 *
 * The driver shows its DMA buffers as one range. For each buffer it makes a copy of the VMA on its
 * stack, moves the copy's borders and calls dma_mmap_coherent() with it. The entries land in the
 * process's page table, VM_PFNMAP and VM_IO on the copy: the VMA that munmap walks does not own up
 * to raw entries.
 */
#include "field.h"

#define NR_BUFFERS 4ul
#define BUFFER_SIZE (2 * PAGE_SIZE)

struct channel {
	struct device dev;
	void *addr[NR_BUFFERS];
	dma_addr_t handle[NR_BUFFERS];
};

static int copies_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct channel *chan = file->private_data;
	struct vm_area_struct sub_vma;

	for (unsigned long i = 0; i < NR_BUFFERS; i++) {
		memcpy(&sub_vma, vma, sizeof(sub_vma));
		sub_vma.vm_start = vma->vm_start + i * BUFFER_SIZE;
		sub_vma.vm_end = sub_vma.vm_start + BUFFER_SIZE;
		if (dma_mmap_coherent(&chan->dev, &sub_vma, chan->addr[i], chan->handle[i],
				      BUFFER_SIZE))
			return -EAGAIN;
	}
	return 0;
}

/* The fix: the real VMA learns what is in it. */
static int real_vma_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct channel *chan = file->private_data;

	for (unsigned long i = 0; i < NR_BUFFERS; i++)
		if (remap_pfn_range(vma, vma->vm_start + i * BUFFER_SIZE,
				    PHYS_PFN(virt_to_phys(chan->addr[i])), BUFFER_SIZE,
				    vma->vm_page_prot))
			return -EAGAIN;
	return 0;
}

/* ---- tests ---- */

/* mmap, touch, munmap; the machine is the caller's to look at and to free. */
static struct ms_machine *run(const char *release, enum ms_arch arch, struct channel *chan,
			      int (*handler)(struct file *file, struct vm_area_struct *vma))
{
	const struct file_operations fops = { .mmap = handler };
	struct ms_machine *m = field_machine(release, arch);
	struct mm_struct *mm = ms_mm_new(m);
	struct file *file;

	for (unsigned long i = 0; i < NR_BUFFERS; i++)
		chan->addr[i] =
			dma_alloc_coherent(&chan->dev, BUFFER_SIZE, &chan->handle[i], GFP_KERNEL);
	file = ms_linux_file(m, &fops, O_RDWR, chan);
	assert_int_equal(field_mmap(mm, NR_BUFFERS * BUFFER_SIZE, file), VA);
	assert_int_equal(ms_touch(mm, VA + 3 * PAGE_SIZE, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_violations(m), 0); // all seems well
	assert_int_equal(ms_munmap(mm, VA, NR_BUFFERS * BUFFER_SIZE), 0);
	ms_linux_close(file);
	return m;
}

static void assert_bad_page_maps(const struct ms_policy *k)
{
	struct channel chan = { .dev.init_name = "m2sdr" };
	struct ms_machine *m = run(k->release, k->arch, &chan, copies_mmap);

	assert_int_equal(ms_violations(m), NR_BUFFERS * 2);
	assert_int_equal(ms_violation_causes(m), 1); // one cause, met at each page
	const struct ms_violation *v = ms_violation_cause(m, 1);
	assert_string_equal(v->condition, "bad page map: special entry in an ordinary VMA");
	assert_int_equal(v->vma_start, VA);
	assert_int_equal(v->addr, VA);
	assert_int_equal(PHYS_PFN(v->pa), PHYS_PFN(chan.handle[0]));
	assert_int_equal(v->times, NR_BUFFERS * 2);
	ms_machine_free(m);
}

static void munmap_reports_the_pages_with_the_pfn_of_the_first(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64)
		assert_bad_page_maps(k);
	for_each_kernel (k, MS_ARCH_ARM64)
		assert_bad_page_maps(k);
}

static void the_real_vma_has_nothing_to_hide(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct channel chan = { .dev.init_name = "m2sdr" };
		struct ms_machine *m = run(k->release, MS_ARCH_X86_64, &chan, real_vma_mmap);

		assert_int_equal(ms_violations(m), 0);
		ms_machine_free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(munmap_reports_the_pages_with_the_pfn_of_the_first),
		cmocka_unit_test(the_real_vma_has_nothing_to_hide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
