/* SPDX-License-Identifier: GPL-2.0-only */
/* Handlers that show devices' memory, by page frame numbers. */
#include "handlers.h"

#include <linux/io-mapping.h>

/* ---- uio: a table of regions, chosen by vm_pgoff ---- */

struct uio_map {
	phys_addr_t addr;
	resource_size_t size;
};

static const struct uio_map uio_maps[2] = { { BAR, 2 * PAGE_SIZE },
					    { BAR + 8 * PAGE_SIZE, PAGE_SIZE } };

static int uio_find(const struct vm_area_struct *vma)
{
	return vma->vm_pgoff < ARRAY_SIZE(uio_maps) ? (int)vma->vm_pgoff : -1;
}

static int uio_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .access = generic_access_phys };
	const int index = uio_find(vma);

	(void)file;
	if (index < 0)
		return -EINVAL;
	if (vma->vm_end - vma->vm_start > uio_maps[index].size)
		return -EINVAL;
	vma->vm_ops = &ops;
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	return remap_pfn_range(vma, vma->vm_start, uio_maps[index].addr >> PAGE_SHIFT,
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

static void run_uio(struct world *w)
{
	static const struct file_operations fops = { .mmap = uio_mmap };
	struct file *file = opened(w, &fops, NULL);
	u32 value = 0;

	assert_int_equal(ms_mmap(w->mm, A, PAGE_SIZE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED,
				 file, PAGE_SIZE),
			 A);
	assert_int_equal(pa_of(w, A), BAR + 8 * PAGE_SIZE);
	assert_int_equal(cache_of(w, A), is_x86(w) ? MS_CACHE_UC_MINUS : MS_CACHE_NGNRNE);
	assert_int_equal(ms_mmap(w->mm, A + SZ_1M, 2 * PAGE_SIZE, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED, file, PAGE_SIZE),
			 -EINVAL);
	assert_int_equal(ms_mmap(w->mm, A + SZ_1M, PAGE_SIZE, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED, file, 2 * PAGE_SIZE),
			 -EINVAL);
	assert_int_equal(access_process_vm(ms_linux_task(w->mm), A, &value, 4, 0), 4);
	ms_munmap(w->mm, A, PAGE_SIZE);
	ms_linux_close(file);
}

/* ---- hpet: one page of registers, all of it or nothing ---- */

static int hpet_mmap(struct file *file, struct vm_area_struct *vma)
{
	const unsigned long addr = *(const unsigned long *)file->private_data;

	if (addr & (PAGE_SIZE - 1))
		return -ENOSYS;
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	return vm_iomap_memory(vma, addr, PAGE_SIZE);
}

static void run_hpet(struct world *w)
{
	static const struct file_operations fops = { .mmap = hpet_mmap };
	unsigned long at = BAR + PAGE_SIZE, odd = BAR + 0x400;
	struct file *file = opened(w, &fops, &at), *shared = opened(w, &fops, &odd);

	assert_int_equal(map(w, A, 1, file), A);
	assert_int_equal(pa_of(w, A), BAR + PAGE_SIZE);
	assert_int_equal(map(w, A + SZ_1M, 2, file), -EINVAL); // longer than the registers
	assert_int_equal(map(w, A + SZ_1M, 1, shared), -ENOSYS);
	ms_munmap(w->mm, A, PAGE_SIZE);
	ms_linux_close(file);
	ms_linux_close(shared);
}

/* ---- as /dev/mem: any pfn, uncached where it is no RAM ---- */

static int mem_mmap(struct file *file, struct vm_area_struct *vma)
{
	const size_t size = vma->vm_end - vma->vm_start;

	if (vma->vm_pgoff + (size >> PAGE_SHIFT) < vma->vm_pgoff)
		return -EINVAL;
	if (pfn_valid(vma->vm_pgoff) && !capable(CAP_SYS_RAWIO))
		return -EPERM;
	if (file->f_flags & O_DSYNC || !pfn_valid(vma->vm_pgoff))
		vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	if (remap_pfn_range(vma, vma->vm_start, vma->vm_pgoff, size, vma->vm_page_prot))
		return -EAGAIN;
	return 0;
}

static void run_mem(struct world *w)
{
	static const struct file_operations fops = { .mmap = mem_mmap };
	struct file *file = opened(w, &fops, NULL);

	assert_int_equal(ms_mmap(w->mm, A, 4 * PAGE_SIZE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED,
				 file, BAR),
			 A);
	assert_int_equal(pa_of(w, A + 3 * PAGE_SIZE), BAR + 3 * PAGE_SIZE);
	ms_linux_set_capable(w->m, false);
	assert_int_equal(ms_mmap(w->mm, A + SZ_1M, PAGE_SIZE, MS_PROT_R,
				 MS_MAP_SHARED | MS_MAP_FIXED, file, RAM),
			 -EPERM);
	ms_linux_set_capable(w->m, true);
	ms_munmap(w->mm, A, 4 * PAGE_SIZE);
	ms_linux_close(file);
}

/* ---- a framebuffer: memory first, registers behind it ---- */

static int fb_mmap(struct file *file, struct vm_area_struct *vma)
{
	const unsigned long smem_pages = 8;

	(void)file;
	if (vma->vm_pgoff >= smem_pages) {
		vma->vm_pgoff -= smem_pages;
		vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
		return vm_iomap_memory(vma, BAR + 8 * PAGE_SIZE, 2 * PAGE_SIZE);
	}
	vma->vm_page_prot = vm_get_page_prot(vma->vm_flags);
	vma->vm_page_prot =
		pgprot_framebuffer(vma->vm_page_prot, vma->vm_start, vma->vm_end, BAR);
	return vm_iomap_memory(vma, BAR, smem_pages * PAGE_SIZE);
}

static void run_fb(struct world *w)
{
	static const struct file_operations fops = { .mmap = fb_mmap };
	struct file *file = opened(w, &fops, NULL);

	assert_int_equal(map(w, A, 8, file), A);
	assert_int_equal(cache_of(w, A), is_x86(w) ? MS_CACHE_UC_MINUS : MS_CACHE_WC);
	assert_int_equal(ms_mmap(w->mm, A + SZ_1M, PAGE_SIZE, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED, file, 9 * PAGE_SIZE),
			 A + SZ_1M);
	assert_int_equal(pa_of(w, A + SZ_1M), BAR + 9 * PAGE_SIZE);
	assert_int_equal(map(w, A + SZ_2M, 9, file), -EINVAL);
	ms_munmap(w->mm, A, SZ_2M);
	ms_linux_close(file);
}

/* ---- a GEM object: pages of the aperture by vmf_insert_pfn_prot, until it is evicted ---- */

struct gem {
	struct mutex lock;
	unsigned long pfn, pages;
	bool evicted;
};

static vm_fault_t gem_fault(struct vm_fault *vmf)
{
	struct gem *gem = vmf->vma->vm_private_data;
	const unsigned long page = vmf->pgoff;
	vm_fault_t ret = VM_FAULT_SIGBUS;

	mutex_lock(&gem->lock);
	if (!gem->evicted && page < gem->pages)
		ret = vmf_insert_pfn_prot(vmf->vma, vmf->address, gem->pfn + page,
					  pgprot_writecombine(vmf->vma->vm_page_prot));
	mutex_unlock(&gem->lock);
	return ret;
}

static int gem_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = gem_fault };

	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = file->private_data;
	vma->vm_ops = &ops;
	return 0;
}

static void run_gem(struct world *w)
{
	static const struct file_operations fops = { .mmap = gem_mmap };
	struct gem gem = { .pfn = PHYS_PFN(BAR), .pages = 4 };
	struct file *file;
	struct io_mapping aperture;

	mutex_init(&gem.lock);
	assert_ptr_equal(io_mapping_init_wc(&aperture, BAR, BAR_PAGES * PAGE_SIZE), &aperture);
	file = opened(w, &fops, &gem);
	assert_int_equal(map(w, A, 8, file), A);
	assert_int_equal(writes(w, A + 2 * PAGE_SIZE), MS_ACCESS_OK);
	assert_int_equal(pa_of(w, A + 2 * PAGE_SIZE), BAR + 2 * PAGE_SIZE);
	assert_int_equal(cache_of(w, A + 2 * PAGE_SIZE), MS_CACHE_WC);
	assert_int_equal(reads(w, A + 4 * PAGE_SIZE), MS_ACCESS_SIGBUS);
	gem.evicted = true;
	unmap_mapping_range(file->f_mapping, 0, 0, 1);
	assert_int_equal(reads(w, A + 2 * PAGE_SIZE), MS_ACCESS_SIGBUS);
	ms_munmap(w->mm, A, 8 * PAGE_SIZE);
	ms_linux_close(file);
	io_mapping_fini(&aperture);
}

/* ---- a TTM object: the fault maps some pages ahead ---- */

#define TTM_PREFAULT 4u

static vm_fault_t ttm_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	const unsigned long last = vma->vm_pgoff + vma_pages(vma);
	unsigned long address = vmf->address;
	vm_fault_t ret = VM_FAULT_NOPAGE;

	for (unsigned int i = 0; i < TTM_PREFAULT && vmf->pgoff + i < last; i++) {
		ret = vmf_insert_pfn_prot(vma, address, PHYS_PFN(BAR) + vmf->pgoff + i,
					  vma->vm_page_prot);
		// an error at the pages ahead is none
		if (unlikely(ret & VM_FAULT_ERROR))
			return i ? VM_FAULT_NOPAGE : ret;
		address += PAGE_SIZE;
	}
	return ret;
}

static int ttm_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = ttm_fault };

	(void)file;
	if (is_cow_mapping(vma->vm_flags))
		return -EINVAL;
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_ops = &ops;
	vm_flags_set(vma, VM_PFNMAP | VM_IO | VM_DONTEXPAND | VM_DONTDUMP);
	return 0;
}

static void run_ttm(struct world *w)
{
	static const struct file_operations fops = { .mmap = ttm_mmap };
	struct file *file = opened(w, &fops, NULL);

	assert_int_equal(map(w, A, 6, file), A);
	assert_int_equal(reads(w, A), MS_ACCESS_OK);
	assert_int_equal(pa_of(w, A + 3 * PAGE_SIZE), BAR + 3 * PAGE_SIZE);
	assert_int_equal(pa_of(w, A + 4 * PAGE_SIZE), 0);
	assert_int_equal(reads(w, A + 5 * PAGE_SIZE), MS_ACCESS_OK);
	assert_int_equal(ms_mmap(w->mm, A + SZ_1M, PAGE_SIZE, MS_PROT_RW,
				 MS_MAP_PRIVATE | MS_MAP_FIXED, file, 0),
			 -EINVAL);
	ms_munmap(w->mm, A, 6 * PAGE_SIZE);
	ms_linux_close(file);
}

/* ---- rdma: a doorbell page, and the list of mappings that goes with the device ---- */

struct umap {
	struct vm_area_struct *vma;
	struct list_head list;
};

struct uctx {
	struct mutex lock;
	struct list_head umaps;
};

static void umap_forget(struct vm_area_struct *vma)
{
	struct uctx *ctx = vma->vm_file->private_data;
	struct umap *umap = vma->vm_private_data;

	if (!umap)
		return;
	mutex_lock(&ctx->lock);
	list_del(&umap->list);
	mutex_unlock(&ctx->lock);
	kfree(umap);
}

static void umap_note(struct vm_area_struct *vma, struct uctx *ctx, struct umap *umap)
{
	umap->vma = vma;
	vma->vm_private_data = umap;
	mutex_lock(&ctx->lock);
	list_add(&umap->list, &ctx->umaps);
	mutex_unlock(&ctx->lock);
}

static void umap_open(struct vm_area_struct *vma)
{
	struct umap *umap = kzalloc(sizeof(*umap), GFP_KERNEL);

	vma->vm_private_data = NULL;
	if (umap)
		umap_note(vma, vma->vm_file->private_data, umap);
	else
		zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
}

static vm_fault_t umap_fault(struct vm_fault *vmf)
{
	(void)vmf;
	return VM_FAULT_SIGBUS;
}

static int uar_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .open = umap_open,
							 .close = umap_forget,
							 .fault = umap_fault };
	struct umap *umap;
	int err;

	if (vma->vm_end - vma->vm_start != PAGE_SIZE || !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	umap = kzalloc(sizeof(*umap), GFP_KERNEL);
	if (!umap)
		return -ENOMEM;
	vma->vm_page_prot = pgprot_device(vma->vm_page_prot);
	err = io_remap_pfn_range(vma, vma->vm_start, PHYS_PFN(BAR) + vma->vm_pgoff, PAGE_SIZE,
				 vma->vm_page_prot);
	if (err) {
		kfree(umap);
		return -EAGAIN;
	}
	vma->vm_ops = &ops;
	umap_note(vma, file->private_data, umap);
	return 0;
}

static void run_uar(struct world *w)
{
	static const struct file_operations fops = { .mmap = uar_mmap };
	struct uctx ctx = { .umaps = LIST_HEAD_INIT(ctx.umaps) };
	struct file *file;
	struct mm_struct *child;
	struct umap *umap;

	mutex_init(&ctx.lock);
	file = opened(w, &fops, &ctx);
	assert_int_equal(map(w, A, 1, file), A);
	child = ms_fork(w->mm);
	assert_non_null(child);
	// the device goes: every mapping of it loses its pages
	list_for_each_entry (umap, &ctx.umaps, list) {
		mmap_read_lock(umap->vma->vm_mm);
		zap_vma_ptes(umap->vma, umap->vma->vm_start, PAGE_SIZE);
		mmap_read_unlock(umap->vma->vm_mm);
	}
	assert_int_equal(writes(w, A), MS_ACCESS_SIGBUS);
	assert_int_equal(ms_touch(child, A, MS_PROT_W), MS_ACCESS_SIGBUS);
	ms_mm_exit(child);
	ms_munmap(w->mm, A, PAGE_SIZE);
	assert_true(list_empty(&ctx.umaps));
	ms_linux_close(file);
}

/* ---- vfio-pci: a fault maps as large a leaf as fits ---- */

static vm_fault_t bar_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct vm_area_struct *vma = vmf->vma;
	const unsigned long addr = vmf->address & ~((PAGE_SIZE << order) - 1);
	const unsigned long pfn =
		PHYS_PFN(LARGE_BAR) + ((addr - vma->vm_start) >> PAGE_SHIFT) + vma->vm_pgoff;

	if (order && (addr < vma->vm_start || addr + (PAGE_SIZE << order) > vma->vm_end ||
		      pfn & ((1 << order) - 1)))
		return VM_FAULT_FALLBACK;
	switch (order) {
	case 0:
		return vmf_insert_pfn(vma, vmf->address, pfn);
#ifdef CONFIG_ARCH_SUPPORTS_PMD_PFNMAP
	case PMD_ORDER:
		return vmf_insert_pfn_pmd(vmf, __pfn_to_pfn_t(pfn, PFN_DEV), false);
#endif
	default:
		return VM_FAULT_FALLBACK;
	}
}

static vm_fault_t bar_fault(struct vm_fault *vmf)
{
	return bar_huge_fault(vmf, 0);
}

static int bar_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = bar_fault,
							 .huge_fault = bar_huge_fault };

	(void)file;
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &ops;
	return 0;
}

/* Not every kernel asks a driver's huge_fault for raw pfns. */
static bool asks_for_huge(struct world *w)
{
	return ms_machine_policy(w->m)->pfnmap_huge_fault != MS_PFNMAP_HUGE_FAULT_NEVER;
}

static void run_bar(struct world *w)
{
	static const struct file_operations fops = { .mmap = bar_mmap };
	struct file *file = opened(w, &fops, NULL);
	struct ms_host_leaf leaf;

	assert_int_equal(map(w, A, 3 * SZ_1M / PAGE_SIZE, file), A);
	assert_int_equal(reads(w, A + SZ_1M), MS_ACCESS_OK);
	assert_true(ms_host_leaf(w->mm, A + SZ_1M, &leaf));
	assert_int_equal(leaf.size, asks_for_huge(w) ? SZ_2M : PAGE_SIZE);
	assert_int_equal(pa_of(w, A + SZ_1M), LARGE_BAR + SZ_1M);
	assert_int_equal(reads(w, A + SZ_2M), MS_ACCESS_OK); // the VMA ends inside of the next 2M
	assert_true(ms_host_leaf(w->mm, A + SZ_2M, &leaf));
	assert_int_equal(leaf.size, PAGE_SIZE);
	ms_munmap(w->mm, A, 3 * SZ_1M);
	ms_linux_close(file);
}

/* ---- device dax: aligned faults only, and no split across a page of the device ---- */

static int dax_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	(void)vma;
	return IS_ALIGNED(addr, PMD_SIZE) ? 0 : -EINVAL;
}

static unsigned long dax_pagesize(struct vm_area_struct *vma)
{
	(void)vma;
	return PMD_SIZE;
}

static int dax_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = bar_fault,
							 .huge_fault = bar_huge_fault,
							 .may_split = dax_may_split,
							 .pagesize = dax_pagesize };

	(void)file;
	if (!(vma->vm_flags & VM_MAYSHARE) || vma->vm_start & ~PMD_MASK || vma->vm_end & ~PMD_MASK)
		return -EINVAL;
	vma->vm_ops = &ops;
	vm_flags_set(vma, VM_IO | VM_PFNMAP);
	return 0;
}

static void run_dax(struct world *w)
{
	static const struct file_operations fops = { .mmap = dax_mmap };
	struct file *file = opened(w, &fops, NULL);

	assert_int_equal(map(w, A + PAGE_SIZE, SZ_2M / PAGE_SIZE, file), -EINVAL);
	assert_int_equal(map(w, A, 2 * SZ_2M / PAGE_SIZE, file), A);
	assert_int_equal(reads(w, A + PAGE_SIZE), MS_ACCESS_OK);
	assert_int_equal(ms_vma_kernel_pagesize(ms_find_vma(w->mm, A)), SZ_2M);
	assert_int_equal(ms_munmap(w->mm, A, PAGE_SIZE), -EINVAL);
	assert_int_equal(ms_munmap(w->mm, A, SZ_2M), 0);
	assert_int_equal(ms_munmap(w->mm, A + SZ_2M, SZ_2M), 0);
	ms_linux_close(file);
}

/* ---- an aperture that is mapped by io_mapping_map_user ---- */

static int aperture_mmap(struct file *file, struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	return io_mapping_map_user(file->private_data, vma, vma->vm_start,
				   PHYS_PFN(BAR) + vma->vm_pgoff, vma->vm_end - vma->vm_start);
}

static void run_aperture(struct world *w)
{
	static const struct file_operations fops = { .mmap = aperture_mmap };
	struct io_mapping aperture;
	struct file *file;

	assert_non_null(io_mapping_init_wc(&aperture, BAR, BAR_PAGES * PAGE_SIZE));
	file = opened(w, &fops, &aperture);
	assert_int_equal(map(w, A, 2, file), A);
	assert_int_equal(pa_of(w, A + PAGE_SIZE), BAR + PAGE_SIZE);
	assert_int_equal(cache_of(w, A), MS_CACHE_WC);
	ms_munmap(w->mm, A, 2 * PAGE_SIZE);
	ms_linux_close(file);
	io_mapping_fini(&aperture);
}

#define KIND(kind) \
	static void kind##_on_each_kernel(void **state) \
	{ \
		(void)state; \
		on_each_kernel(run_##kind); \
	}
KIND(uio)
KIND(hpet)
KIND(mem)
KIND(fb)
KIND(gem)
KIND(ttm)
KIND(uar)
KIND(bar)
KIND(dax)
KIND(aperture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uio_on_each_kernel), cmocka_unit_test(hpet_on_each_kernel),
		cmocka_unit_test(mem_on_each_kernel), cmocka_unit_test(fb_on_each_kernel),
		cmocka_unit_test(gem_on_each_kernel), cmocka_unit_test(ttm_on_each_kernel),
		cmocka_unit_test(uar_on_each_kernel), cmocka_unit_test(bar_on_each_kernel),
		cmocka_unit_test(dax_on_each_kernel), cmocka_unit_test(aperture_on_each_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
