/* SPDX-License-Identifier: GPL-2.0-only */
/* Drivers under uio, exporters of dma-bufs, and names beside them. */
#include "world.h"

#include <linux/dma-buf.h>
#include <linux/mmu_notifier.h>
#include <linux/pci.h>
#include <linux/uio_driver.h>

/* ---- uio ---- */

static struct file *uio_open(struct world *w, struct uio_info *info, struct device *dev)
{
	*info = (struct uio_info){ .name = "card", .version = "1" };
	info->mem[0] = (struct uio_mem){ .addr = BAR, .size = 4 * PAGE_SIZE,
					 .memtype = UIO_MEM_PHYS };
	info->mem[1] = (struct uio_mem){ .addr = (unsigned long)__get_free_page(GFP_KERNEL),
					 .size = PAGE_SIZE, .memtype = UIO_MEM_LOGICAL };
	info->mem[2] = (struct uio_mem){ .addr = (unsigned long)vzalloc(3 * PAGE_SIZE),
					 .size = 3 * PAGE_SIZE, .memtype = UIO_MEM_VIRTUAL };
	assert_int_equal(uio_register_device(dev, info), 0);
	return ms_linux_open(w->m, "uio0", O_RDWR);
}

static int64_t uio_map(struct world *w, unsigned long at, unsigned long npages, struct file *file,
		       unsigned long index)
{
	return ms_mmap(w->mm, at, npages * PAGE_SIZE, MS_PROT_RW,
		       MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE, file, index * PAGE_SIZE);
}

static void uio_maps_each_kind_of_memory(void **state)
{
	static const char *const releases[] = { "5.10.223", "6.1.192", "6.12.117", "7.3.4" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(releases); i++) {
		struct world w = world(releases[i]);
		struct device dev = { .init_name = "card" };
		struct uio_info info;
		struct file *file = uio_open(&w, &info, &dev);
		struct ms_host_leaf leaf;

		assert_int_equal(uio_map(&w, A, 4, file, 0), A);
		assert_int_equal(pa_of(&w, A + 3 * PAGE_SIZE), BAR + 3 * PAGE_SIZE);
		assert_true(ms_host_leaf(w.mm, A, &leaf));
		assert_int_equal(ms_pgprot_cache(leaf.entry), MS_CACHE_UC_MINUS);
		assert_int_equal(uio_map(&w, A + SZ_1M, 1, file, 1), A + SZ_1M);
		assert_int_equal(ms_touch(w.mm, A + SZ_1M, MS_PROT_W), MS_ACCESS_OK);
		assert_int_equal(pa_of(&w, A + SZ_1M), virt_to_phys((void *)info.mem[1].addr));
		assert_int_equal(uio_map(&w, A + SZ_2M, 3, file, 2), A + SZ_2M);
		assert_int_equal(ms_touch(w.mm, A + SZ_2M + 2 * PAGE_SIZE, MS_PROT_R),
				 MS_ACCESS_OK);
		assert_int_equal(pa_of(&w, A + SZ_2M + 2 * PAGE_SIZE),
				 page_to_phys(vmalloc_to_page((char *)info.mem[2].addr +
							      2 * PAGE_SIZE)));
		// more than there is, and what is not there
		assert_int_equal(uio_map(&w, A + SZ_4M, 5, file, 0), -EINVAL);
		assert_int_equal(uio_map(&w, A + SZ_4M, 1, file, 3), -EINVAL);
		uio_unregister_device(&info);
		assert_int_equal(uio_map(&w, A + SZ_4M, 1, file, 0), -EINVAL);
		ms_linux_close(file);
		ms_munmap(w.mm, A, SZ_4M);
		free_page(info.mem[1].addr);
		vfree((void *)info.mem[2].addr);
		assert_int_equal(ms_violations(w.m), 0);
		assert_int_equal(ms_linux_leaks(w.m), 0);
		world_end(&w);
	}
}

static void uio_devices_are_numbered(void **state)
{
	struct world w = world("6.12.117");
	struct device dev = { .init_name = "card" };
	struct uio_info first, second = { .name = "other", .version = "1" };
	struct file *file = uio_open(&w, &first, &dev);

	(void)state;
	assert_int_equal(uio_register_device(&dev, &second), 0);
	assert_string_equal(ms_linux_device(w.m, 1), "uio1");
	uio_unregister_device(&first);
	first.name = NULL;
	assert_int_equal(uio_register_device(&dev, &first), -EINVAL);
	uio_unregister_device(&second);
	ms_linux_close(file);
	world_end(&w);
}

/* ---- dma-buf ---- */

struct buffer {
	struct page *page[2];
	unsigned int released;
};

static struct sg_table *map_buffer(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct buffer *b = attach->dmabuf->priv;
	struct sg_table *table = kzalloc(sizeof(*table), GFP_KERNEL);

	(void)dir;
	if (table && sg_alloc_table_from_pages(table, b->page, 2, 0, 2 * PAGE_SIZE, GFP_KERNEL)) {
		kfree(table);
		table = NULL;
	}
	return table;
}

static void unmap_buffer(struct dma_buf_attachment *attach, struct sg_table *table,
			 enum dma_data_direction dir)
{
	(void)attach, (void)dir;
	sg_free_table(table);
	kfree(table);
}

static vm_fault_t buffer_fault(struct vm_fault *vmf)
{
	struct buffer *b = vmf->vma->vm_private_data;

	if (vmf->pgoff >= 2)
		return VM_FAULT_SIGBUS;
	vmf->page = b->page[vmf->pgoff];
	get_page(vmf->page);
	return 0;
}

static int mmap_buffer(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = buffer_fault };

	vma->vm_ops = &ops;
	vma->vm_private_data = dmabuf->priv;
	return 0;
}

static void release_buffer(struct dma_buf *dmabuf)
{
	struct buffer *b = dmabuf->priv;

	b->released++;
	__free_page(b->page[0]);
	__free_page(b->page[1]);
}

static const struct dma_buf_ops buffer_ops = {
	.map_dma_buf = map_buffer,
	.unmap_dma_buf = unmap_buffer,
	.mmap = mmap_buffer,
	.release = release_buffer,
};

static struct dma_buf *export(struct buffer *b)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	info.ops = &buffer_ops;
	info.size = 2 * PAGE_SIZE;
	info.flags = O_RDWR;
	info.priv = b;
	b->page[0] = alloc_page(GFP_KERNEL);
	b->page[1] = alloc_page(GFP_KERNEL);
	return dma_buf_export(&info);
}

static void a_dma_buf_is_mapped_by_its_file(void **state)
{
	struct world w = world("6.12.117");
	struct buffer b = { .released = 0 };
	struct dma_buf *dmabuf = export(&b);
	struct file *file;
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	(void)state;
	assert_int_equal(fd, 3);
	assert_null(ms_linux_fd_file(w.m, 4));
	assert_int_equal(PTR_ERR(dma_buf_get(4)), -EBADF);
	file = ms_linux_fd_file(w.m, fd);
	assert_ptr_equal(dma_buf_get(fd), dmabuf);
	dma_buf_put(dmabuf);
	assert_int_equal(map(&w, A, 3, file), -EINVAL);
	assert_int_equal(map(&w, A, 2, file), A);
	assert_int_equal(ms_touch(w.mm, A + PAGE_SIZE, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(pa_of(&w, A + PAGE_SIZE), page_to_phys(b.page[1]));
	ms_linux_close(file);
	assert_int_equal(b.released, 0);
	assert_int_equal(ms_munmap(w.mm, A, 2 * PAGE_SIZE), 0);
	assert_int_equal(b.released, 1);
	assert_null(ms_linux_fd_file(w.m, fd));
	assert_int_equal(ms_violations(w.m), 0);
	assert_int_equal(ms_linux_leaks(w.m), 0);
	world_end(&w);
}

static struct dma_buf *imported;

static int importer_mmap(struct file *file, struct vm_area_struct *vma)
{
	(void)file;
	return dma_buf_mmap(imported, vma, vma->vm_pgoff + 1);
}

/* The importer's mapping becomes one of the exporter's file. */
static void an_importer_maps_a_part_of_a_dma_buf(void **state)
{
	static const struct file_operations fops = { .mmap = importer_mmap };
	struct world w = world("6.12.117");
	struct buffer b = { .released = 0 };
	struct device dev = { .init_name = "importer" };
	struct file *file = ms_linux_file(w.m, &fops, O_RDWR, NULL);
	struct dma_buf_attachment *attach;
	struct sg_table *table;

	(void)state;
	imported = export(&b);
	attach = dma_buf_attach(imported, &dev);
	table = dma_buf_map_attachment(attach, DMA_BIDIRECTIONAL);
	assert_ptr_equal(sg_page(table->sgl), b.page[0]);
	assert_int_equal(map(&w, A, 2, file), -EINVAL);
	assert_int_equal(map(&w, A, 1, file), A);
	assert_ptr_equal(ms_vma_lookup(w.mm, A)->vm_file, imported->file);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(pa_of(&w, A), page_to_phys(b.page[1]));
	dma_buf_unmap_attachment(attach, table, DMA_BIDIRECTIONAL);
	dma_buf_detach(imported, attach);
	dma_buf_put(imported);
	assert_int_equal(b.released, 0);
	assert_int_equal(ms_munmap(w.mm, A, PAGE_SIZE), 0);
	assert_int_equal(b.released, 1);
	ms_linux_close(file);
	assert_int_equal(ms_violations(w.m), 0);
	assert_int_equal(ms_linux_leaks(w.m), 0);
	world_end(&w);
}

static void a_dma_buf_without_its_operations_is_refused(void **state)
{
	struct world w = world("6.12.117");
	const struct dma_buf_export_info info = { .priv = &w };

	(void)state;
	assert_int_equal(PTR_ERR(dma_buf_export(&info)), -EINVAL);
	assert_int_equal(ms_violations(w.m), 1);
	world_end(&w);
}

/* ---- pages that are seen together ---- */

static void pages_are_seen_in_one_range(void **state)
{
	struct world w = world("6.12.117");
	struct page *page[4], *twice[2];
	char *at, *other;

	(void)state;
	for (unsigned int i = 0; i < 4; i++)
		page[i] = alloc_page(i & 1 ? GFP_KERNEL : GFP_KERNEL | __GFP_ZERO);
	at = vmap(page, 3, VM_MAP, PAGE_KERNEL);
	assert_non_null(at);
	assert_true(is_vmalloc_addr(at));
	assert_int_equal(at[2 * PAGE_SIZE], 0);
	at[2 * PAGE_SIZE] = 5;
	assert_ptr_equal(vmalloc_to_page(at + 2 * PAGE_SIZE), page[2]);
	assert_ptr_equal(page_address(page[2]), at + 2 * PAGE_SIZE);
	// in the same order once more
	other = vm_map_ram(page + 1, 2, NUMA_NO_NODE);
	assert_ptr_equal(other, at + PAGE_SIZE);
	vm_unmap_ram(other, 2);
	vunmap(at);
	assert_int_equal(*(char *)page_address(page[2]), 5);
	vunmap(at);
	assert_string_equal(violation(&w, 0), "vunmap of what vmap did not give");
	// page 2 has its place already, and a page has but one
	twice[0] = page[3];
	twice[1] = page[2];
	assert_null(vmap(twice, 2, VM_MAP, PAGE_KERNEL));
	twice[1] = page[3];
	assert_null(vmap(twice, 2, VM_MAP, PAGE_KERNEL));
	assert_int_equal(ms_last_refusal(w.m).err, -ENOMEM);
	at = vmap(twice, 1, VM_MAP, PAGE_KERNEL);
	assert_int_equal(ms_linux_leaks(w.m), 5); // pages, too
	vunmap(at);
	for (unsigned int i = 0; i < 4; i++)
		__free_page(page[i]);
	assert_int_equal(ms_linux_leaks(w.m), 0);
	world_end(&w);
}

static char *ring;

static int ring_mmap(struct file *file, struct vm_area_struct *vma)
{
	(void)file;
	return remap_vmalloc_range(vma, ring, vma->vm_pgoff);
}

static void a_vmap_for_users_is_mapped(void **state)
{
	static const struct file_operations fops = { .mmap = ring_mmap };
	struct world w = world("6.12.117");
	struct file *file = ms_linux_file(w.m, &fops, O_RDWR, NULL);
	struct page *page[2] = { alloc_page(GFP_KERNEL), alloc_page(GFP_KERNEL) };

	(void)state;
	ring = vmap(page, 2, VM_MAP, PAGE_KERNEL);
	assert_int_equal(map(&w, A, 2, file), -EINVAL); // not for users
	vunmap(ring);
	ring = vmap(page, 2, VM_MAP | VM_USERMAP, PAGE_KERNEL);
	assert_int_equal(map(&w, A, 3, file), -EINVAL);
	assert_int_equal(map(&w, A, 2, file), A);
	assert_int_equal(pa_of(&w, A + PAGE_SIZE), page_to_phys(page[1]));
	assert_int_equal(ms_munmap(w.mm, A, 2 * PAGE_SIZE), 0);
	vunmap(ring);
	__free_page(page[0]);
	__free_page(page[1]);
	ms_linux_close(file);
	assert_int_equal(ms_linux_leaks(w.m), 0);
	world_end(&w);
}

static struct sg_table *apart;
static struct device engine = { .init_name = "engine" };

static int apart_mmap(struct file *file, struct vm_area_struct *vma)
{
	(void)file;
	return dma_mmap_noncontiguous(&engine, vma, 3 * PAGE_SIZE, apart);
}

static void memory_of_pieces_is_mapped(void **state)
{
	static const struct file_operations fops = { .mmap = apart_mmap };

	(void)state;
	for (int iommu = 0; iommu < 2; iommu++) {
		struct world w = world("6.12.117");
		struct file *file = ms_linux_file(w.m, &fops, O_RDWR, NULL);
		char *at;

		engine.dma_iommu = iommu;
		apart = dma_alloc_noncontiguous(&engine, 3 * PAGE_SIZE, DMA_FROM_DEVICE, GFP_KERNEL,
						0);
		assert_non_null(apart);
		assert_int_equal(apart->nents, 1);
		assert_int_equal(apart->orig_nents, iommu ? 3 : 1);
		assert_int_equal(sg_dma_len(apart->sgl), 3 * PAGE_SIZE);
		assert_int_equal(sg_dma_address(apart->sgl) == sg_phys(apart->sgl), !iommu);
		at = dma_vmap_noncontiguous(&engine, 3 * PAGE_SIZE, apart);
		assert_non_null(at);
		assert_int_equal(at[3 * PAGE_SIZE - 1], 0);
		assert_int_equal(map(&w, A, 4, file), -ENXIO);
		assert_int_equal(map(&w, A, 3, file), A);
		assert_int_equal(ms_touch(w.mm, A + 2 * PAGE_SIZE, MS_PROT_W), MS_ACCESS_OK);
		assert_int_equal(ms_munmap(w.mm, A, 3 * PAGE_SIZE), 0);
		dma_vunmap_noncontiguous(&engine, at);
		dma_free_noncontiguous(&engine, 3 * PAGE_SIZE, apart, DMA_FROM_DEVICE);
		ms_linux_close(file);
		assert_int_equal(ms_violations(w.m), 0);
		assert_int_equal(ms_linux_leaks(w.m), 0);
		world_end(&w);
	}
}

static void a_device_reaches_memory_by_its_own_addresses(void **state)
{
	struct world w = world("6.12.117");
	struct page *page = alloc_page(GFP_KERNEL);
	dma_addr_t first, second;

	(void)state;
	engine.dma_iommu = false;
	assert_int_equal(dma_map_page(&engine, page, 16, 32, DMA_TO_DEVICE), page_to_phys(page) + 16);
	engine.dma_iommu = true;
	first = dma_map_single(&engine, (char *)page_address(page) + 8, 8, DMA_TO_DEVICE);
	second = dma_map_page(&engine, page, 0, PAGE_SIZE, DMA_TO_DEVICE);
	assert_int_equal(dma_mapping_error(&engine, first), 0);
	assert_int_equal(second - first, PAGE_SIZE - 8);
	dma_unmap_single(&engine, first, 8, DMA_TO_DEVICE);
	dma_unmap_page(&engine, second, PAGE_SIZE, DMA_TO_DEVICE);
	__free_page(page);
	world_end(&w);
}

/* ---- a BAR, by the PCI core ---- */

static struct pci_dev *card;

static int card_mmap(struct file *file, struct vm_area_struct *vma)
{
	(void)file;
	return pci_mmap_resource_range(card, 0, vma, pci_mmap_mem, 1);
}

static void a_bar_is_mapped_by_the_pci_core(void **state)
{
	static const struct file_operations fops = { .mmap = card_mmap };
	struct world w = world("6.12.117");
	struct file *file = ms_linux_file(w.m, &fops, O_RDWR, NULL);
	struct ms_host_leaf leaf;

	(void)state;
	card = ms_linux_pci_device(w.m, 1, 2);
	assert_int_equal(ms_linux_pci_bar(card, 0, BAR, 4 * PAGE_SIZE, IORESOURCE_MEM), 0);
	assert_int_equal(ms_mmap(w.mm, A, 4 * PAGE_SIZE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED,
				 file, PAGE_SIZE),
			 -EINVAL);
	assert_int_equal(ms_mmap(w.mm, A, 3 * PAGE_SIZE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED,
				 file, PAGE_SIZE),
			 A);
	assert_true(ms_host_leaf(w.mm, A, &leaf));
	assert_int_equal(pa_of(&w, A), BAR + PAGE_SIZE);
	assert_int_equal(ms_pgprot_cache(leaf.entry), MS_CACHE_WC);
	assert_int_equal(ms_munmap(w.mm, A, 3 * PAGE_SIZE), 0);
	ms_linux_close(file);
	ms_linux_pci_free(card);
	world_end(&w);
}

/* ---- mmu_notifier_get() ---- */

static unsigned int alive, heard;

static int hears(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	(void)mn, (void)range;
	heard++;
	return 0;
}

static struct mmu_notifier *alloc_notifier(struct mm_struct *mm)
{
	struct mmu_notifier *mn = kzalloc(sizeof(*mn), GFP_KERNEL);

	(void)mm;
	if (!mn)
		return ERR_PTR(-ENOMEM);
	alive++;
	return mn;
}

static void free_notifier(struct mmu_notifier *mn)
{
	alive--;
	kfree(mn);
}

static void a_notifier_is_shared_by_its_users(void **state)
{
	static const struct mmu_notifier_ops ops = {
		.invalidate_range_start = hears,
		.alloc_notifier = alloc_notifier,
		.free_notifier = free_notifier,
	};
	struct world w = world("6.12.117");
	struct mm_struct *other = ms_mm_new(w.m);
	struct mmu_notifier *mn, *of_other;

	(void)state;
	alive = heard = 0;
	mn = mmu_notifier_get(&ops, w.mm);
	assert_false(IS_ERR_OR_NULL(mn));
	assert_ptr_equal(mmu_notifier_get(&ops, w.mm), mn);
	of_other = mmu_notifier_get(&ops, other);
	assert_ptr_not_equal(of_other, mn);
	assert_int_equal(alive, 2);
	assert_int_equal(ms_mmap(w.mm, A, PAGE_SIZE, MS_PROT_RW,
				 MS_MAP_PRIVATE | MS_MAP_ANONYMOUS | MS_MAP_FIXED, NULL, 0),
			 A);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_madvise(w.mm, A, PAGE_SIZE, MS_MADV_DONTNEED), 0);
	assert_int_equal(heard, 1);
	mmu_notifier_put(mn);
	assert_int_equal(alive, 2);
	mmu_notifier_put(mn);
	assert_int_equal(alive, 1);
	assert_int_equal(ms_munmap(w.mm, A, PAGE_SIZE), 0);
	assert_int_equal(heard, 1);
	mmu_notifier_put(of_other);
	mmu_notifier_synchronize();
	assert_int_equal(ms_linux_leaks(w.m), 0);
	world_end(&w);
}

/* ---- entries ---- */

static int bar_mmap(struct file *file, struct vm_area_struct *vma)
{
	int err = io_remap_pfn_range(vma, vma->vm_start, PHYS_PFN(BAR),
				     vma->vm_end - vma->vm_start, vma->vm_page_prot);

	(void)file;
	// a range that no VMA has yet is empty already
	return err ? err : do_munmap(vma->vm_mm, vma->vm_start, PAGE_SIZE, NULL);
}

static void the_entry_behind_an_address_is_found(void **state)
{
	static const struct file_operations fops = { .mmap = bar_mmap };
	struct world w = world("6.1.192");
	struct file *file = ms_linux_file(w.m, &fops, O_RDWR, NULL);
	spinlock_t *ptl;
	pte_t *ptep;

	(void)state;
	assert_int_equal(map(&w, A, 2, file), A);
	mmap_read_lock(w.mm);
	assert_int_equal(follow_pte(w.mm, A + PAGE_SIZE, &ptep, &ptl), 0);
	assert_int_equal(pte_pfn(ptep_get(ptep)), PHYS_PFN(BAR) + 1);
	kfree(kmalloc(8, GFP_KERNEL)); // under the page table's lock
	pte_unmap_unlock(ptep, ptl);
	assert_int_equal(follow_pte(ms_vma_lookup(w.mm, A), A, &ptep, &ptl), 0);
	pte_unmap_unlock(ptep, ptl);
	assert_int_equal(follow_pte(w.mm, A + 2 * PAGE_SIZE, &ptep, &ptl), -EINVAL);
	mmap_read_unlock(w.mm);
	assert_violated(&w, 0, "kmalloc may sleep, and spinlock page table lock is held", 0, 0);
	assert_int_equal(ms_violations(w.m), 1);
	ms_linux_as(w.mm);
	assert_int_equal(vm_munmap(A, PAGE_SIZE), 0);
	assert_int_equal(vm_mmap(file, A, PAGE_SIZE, MS_PROT_R, MS_MAP_SHARED | MS_MAP_FIXED, 0), A);
	ms_linux_as(NULL);
	ms_linux_close(file);
	world_end(&w);
}

static void a_machine_without_ram_says_so(void **state)
{
	struct ms_machine *m = ms_machine_new(ms_policy_linux("6.12.117", MS_ARCH_X86_64));

	(void)state;
	ms_linux_use(m);
	assert_null(alloc_page(GFP_KERNEL));
	assert_string_equal(ms_last_refusal(m).reason,
			    "alloc_pages: the machine has no RAM; ms_ram_add() adds some");
	ms_linux_use(NULL);
	ms_machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uio_maps_each_kind_of_memory),
		cmocka_unit_test(uio_devices_are_numbered),
		cmocka_unit_test(a_dma_buf_is_mapped_by_its_file),
		cmocka_unit_test(an_importer_maps_a_part_of_a_dma_buf),
		cmocka_unit_test(a_dma_buf_without_its_operations_is_refused),
		cmocka_unit_test(pages_are_seen_in_one_range),
		cmocka_unit_test(a_vmap_for_users_is_mapped),
		cmocka_unit_test(memory_of_pieces_is_mapped),
		cmocka_unit_test(a_device_reaches_memory_by_its_own_addresses),
		cmocka_unit_test(a_bar_is_mapped_by_the_pci_core),
		cmocka_unit_test(a_notifier_is_shared_by_its_users),
		cmocka_unit_test(the_entry_behind_an_address_is_found),
		cmocka_unit_test(a_machine_without_ram_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
