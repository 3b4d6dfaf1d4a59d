/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cornelisnetworks/opa-psm2, issue 74: mmap fails with EINVAL from Linux 6.16 on.
 *
 * A receive context's buffers are many allocations, which one mmap shows as one range. The handler
 * moves the VMA's borders so that to dma_mmap_coherent() each buffer is the whole VMA. From 6.16 on
 * the tracking of memory types (x86) hangs what it remembers on the VMA, once: the second call is
 * refused, although nothing of it overlaps the first.
 *
 *   VMA      |                      |
 *   call 1   |======|                    remembered
 *   call 2          |======|             EINVAL
 */
#include "field.h"

#define NR_BUFFERS 3

struct context {
	struct device dev;
	struct {
		void *virt;
		dma_addr_t dma;
		size_t len;
	} buffer[NR_BUFFERS];
	int calls; // that succeeded
};

static int buffers_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct context *ctx = file->private_data;
	unsigned long vm_start_save = vma->vm_start, vm_end_save = vma->vm_end;
	int ret = 0;

	if (vma->vm_flags & VM_WRITE)
		return -EPERM;
	vm_flags_clear(vma, VM_MAYWRITE);
	vma->vm_end = vma->vm_start;
	for (int i = 0; i < NR_BUFFERS && !ret; i++) {
		vma->vm_end += ctx->buffer[i].len;
		ret = dma_mmap_coherent(&ctx->dev, vma, ctx->buffer[i].virt, ctx->buffer[i].dma,
					ctx->buffer[i].len);
		vma->vm_start += ctx->buffer[i].len;
		if (!ret)
			ctx->calls++;
	}
	vma->vm_start = vm_start_save;
	vma->vm_end = vm_end_save;
	return ret;
}

/* The way out: one protection and one tracking for none of them, a piece is not the whole VMA. */
static int pieces_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct context *ctx = file->private_data;
	unsigned long addr = vma->vm_start;

	for (int i = 0; i < NR_BUFFERS; i++) {
		int ret = remap_pfn_range(vma, addr, PHYS_PFN(ctx->buffer[i].dma),
					  ctx->buffer[i].len, vma->vm_page_prot);

		if (ret)
			return ret;
		ctx->calls++;
		addr += ctx->buffer[i].len;
	}
	return 0;
}

/* ---- tests ---- */

struct outcome {
	int64_t mmap; // VA or a negative errno
	int calls;
};

static struct outcome run(const char *release, enum ms_arch arch,
			  int (*handler)(struct file *file, struct vm_area_struct *vma))
{
	const struct file_operations fops = { .mmap = handler };
	struct ms_machine *m = field_machine(release, arch);
	struct mm_struct *mm = ms_mm_new(m);
	struct context ctx = { .calls = 0 };
	struct outcome out;

	for (int i = 0; i < NR_BUFFERS; i++) {
		ctx.buffer[i].len = 4 * PAGE_SIZE;
		ctx.buffer[i].virt = dma_alloc_coherent(&ctx.dev, ctx.buffer[i].len,
							&ctx.buffer[i].dma, GFP_KERNEL);
	}
	out.mmap = ms_mmap(mm, VA, NR_BUFFERS * 4 * PAGE_SIZE, MS_PROT_R,
			   MS_MAP_SHARED | MS_MAP_FIXED, ms_linux_file(m, &fops, O_RDWR, &ctx), 0);
	out.calls = ctx.calls;
	if (out.mmap == VA)
		for (int i = 0; i < NR_BUFFERS * 4; i++)
			assert_int_equal(ms_touch(mm, VA + i * PAGE_SIZE, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(ms_violations(m), 0);
	ms_machine_free(m);
	return out;
}

static void the_second_buffer_is_einval_from_6_16_on(void **state)
{
	assert_int_equal(run("6.15", MS_ARCH_X86_64, buffers_mmap).mmap, VA);
	assert_int_equal(run("6.16", MS_ARCH_X86_64, buffers_mmap).mmap, -EINVAL);
}

static void the_handler_works_where_a_vma_may_be_tracked_twice(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		struct outcome out = run(k->release, MS_ARCH_X86_64, buffers_mmap);
		const bool once = k->untrack_at == MS_UNTRACK_AT_LAST_VMA_FREED;

		assert_int_equal(out.mmap, once ? -EINVAL : (int64_t)VA);
		assert_int_equal(out.calls, once ? 1 : NR_BUFFERS);
	}
}

static void arm64_tracks_nothing_and_works(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64)
		assert_int_equal(run(k->release, MS_ARCH_ARM64, buffers_mmap).mmap, VA);
}

static void pieces_of_the_vma_as_it_is_work_everywhere(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64)
		assert_int_equal(run(k->release, MS_ARCH_X86_64, pieces_mmap).mmap, VA);
}

/* The rule behind it is a field: 6.12 with that one changed refuses, too. */
static void it_is_the_tracking_that_lasts_until_the_vma_is_freed(void **state)
{
	struct ms_policy policy = *ms_policy_linux("6.12.117", MS_ARCH_X86_64);
	struct ms_machine *m;
	const struct file_operations fops = { .mmap = buffers_mmap };
	struct context ctx = { .calls = 0 };

	assert_int_equal(ms_policy_set(&policy, "untrack_at", "LAST_VMA_FREED"), 0);
	m = ms_machine_new(&policy);
	ms_ram_add(m, 0x40000000, SZ_64M);
	ms_linux_use(m);
	for (int i = 0; i < NR_BUFFERS; i++) {
		ctx.buffer[i].len = PAGE_SIZE;
		ctx.buffer[i].virt =
			dma_alloc_coherent(&ctx.dev, PAGE_SIZE, &ctx.buffer[i].dma, GFP_KERNEL);
	}
	assert_int_equal(ms_mmap(ms_mm_new(m), VA, NR_BUFFERS * PAGE_SIZE, MS_PROT_R,
				 MS_MAP_SHARED | MS_MAP_FIXED,
				 ms_linux_file(m, &fops, O_RDWR, &ctx), 0),
			 -EINVAL);
	ms_machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_second_buffer_is_einval_from_6_16_on),
		cmocka_unit_test(the_handler_works_where_a_vma_may_be_tracked_twice),
		cmocka_unit_test(arm64_tracks_nothing_and_works),
		cmocka_unit_test(pieces_of_the_vma_as_it_is_work_everywhere),
		cmocka_unit_test(it_is_the_tracking_that_lasts_until_the_vma_is_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
