/* SPDX-License-Identifier: GPL-2.0-only */
/* Handlers that show pages of RAM which the driver has allocated. */
#include "handlers.h"

#include <linux/dma-mapping.h>
#include <linux/mmu_notifier.h>
#include <linux/scatterlist.h>

#define BUFFER 4ul

/* A buffer of single pages, as most of these drivers have one. */
struct buffer {
	struct page *page[BUFFER];
	struct mutex lock;
	int users;
};

static void buffer_make(struct buffer *buf)
{
	mutex_init(&buf->lock);
	buf->users = 0;
	for (unsigned long i = 0; i < BUFFER; i++) {
		buf->page[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		assert_non_null(buf->page[i]);
	}
}

static void buffer_free(struct buffer *buf)
{
	for (unsigned long i = 0; i < BUFFER; i++)
		__free_page(buf->page[i]);
}

/* What each of these handlers has to show. */
static void assert_shows(struct world *w, const struct buffer *buf, unsigned long at)
{
	for (unsigned long i = 0; i < BUFFER; i++) {
		assert_int_equal(writes(w, at + i * PAGE_SIZE), MS_ACCESS_OK);
		assert_int_equal(pa_of(w, at + i * PAGE_SIZE), page_to_phys(buf->page[i]));
	}
}

static void run_buffer(struct world *w, const struct file_operations *fops)
{
	struct buffer buf;
	struct file *file;

	buffer_make(&buf);
	file = opened(w, fops, &buf);
	assert_int_equal(map(w, A, BUFFER, file), A);
	assert_shows(w, &buf, A);
	ms_munmap(w->mm, A, BUFFER * PAGE_SIZE);
	ms_linux_close(file);
	buffer_free(&buf);
}

/* ---- usbmon, sg: ->fault gives a page with a reference ---- */

static vm_fault_t mon_fault(struct vm_fault *vmf)
{
	struct buffer *buf = vmf->vma->vm_private_data;

	if (vmf->pgoff >= BUFFER)
		return VM_FAULT_SIGBUS;
	get_page(buf->page[vmf->pgoff]);
	vmf->page = buf->page[vmf->pgoff];
	return 0;
}

static void mon_open(struct vm_area_struct *vma)
{
	((struct buffer *)vma->vm_private_data)->users++;
}

static void mon_close(struct vm_area_struct *vma)
{
	((struct buffer *)vma->vm_private_data)->users--;
}

static int mon_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .open = mon_open,
							 .close = mon_close,
							 .fault = mon_fault };

	vma->vm_ops = &ops;
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = file->private_data;
	mon_open(vma);
	return 0;
}

static void run_mon(struct world *w)
{
	static const struct file_operations fops = { .mmap = mon_mmap };
	struct buffer buf;
	struct file *file;

	buffer_make(&buf);
	file = opened(w, &fops, &buf);
	assert_int_equal(map(w, A, BUFFER + 1, file), A);
	assert_shows(w, &buf, A);
	assert_int_equal(reads(w, A + BUFFER * PAGE_SIZE), MS_ACCESS_SIGBUS);
	assert_int_equal(buf.users, 1);
	ms_munmap(w->mm, A + PAGE_SIZE, PAGE_SIZE); // two pieces now
	assert_int_equal(buf.users, 2);
	ms_munmap(w->mm, A, (BUFFER + 1) * PAGE_SIZE);
	assert_int_equal(buf.users, 0);
	ms_linux_close(file);
	buffer_free(&buf);
}

/* ---- a shmem GEM object: pages by vmf_insert_pfn ---- */

static vm_fault_t shmem_fault(struct vm_fault *vmf)
{
	struct buffer *buf = vmf->vma->vm_private_data;
	const pgoff_t offset = (vmf->address - vmf->vma->vm_start) >> PAGE_SHIFT;
	vm_fault_t ret = VM_FAULT_SIGBUS;

	mutex_lock(&buf->lock);
	if (offset < BUFFER && !WARN_ON_ONCE(!buf->page[offset]))
		ret = vmf_insert_pfn(vmf->vma, vmf->address, page_to_pfn(buf->page[offset]));
	mutex_unlock(&buf->lock);
	return ret;
}

static int shmem_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = shmem_fault };

	if (is_cow_mapping(vma->vm_flags))
		return -EINVAL;
	vma->vm_private_data = file->private_data;
	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_page_prot = vm_get_page_prot(vma->vm_flags);
	vma->vm_ops = &ops;
	return 0;
}

static void run_shmem(struct world *w)
{
	static const struct file_operations fops = { .mmap = shmem_mmap };

	run_buffer(w, &fops);
}

/* ---- udmabuf: the fault maps its page, and those that follow ---- */

static vm_fault_t udmabuf_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct buffer *buf = vma->vm_private_data;
	unsigned long addr = vmf->address;
	pgoff_t pgoff = vmf->pgoff;
	vm_fault_t ret;

	if (pgoff >= BUFFER)
		return VM_FAULT_SIGBUS;
	ret = vmf_insert_pfn(vma, addr, page_to_pfn(buf->page[pgoff]));
	if (ret & VM_FAULT_ERROR)
		return ret;
	for (addr += PAGE_SIZE, pgoff++; addr < vma->vm_end && pgoff < BUFFER;
	     addr += PAGE_SIZE, pgoff++)
		if (vmf_insert_pfn(vma, addr, page_to_pfn(buf->page[pgoff])) & VM_FAULT_ERROR)
			break;
	return ret;
}

static int udmabuf_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = udmabuf_fault };

	if ((vma->vm_flags & (VM_SHARED | VM_MAYSHARE)) == 0)
		return -EINVAL;
	vma->vm_ops = &ops;
	vma->vm_private_data = file->private_data;
	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	return 0;
}

static void run_udmabuf(struct world *w)
{
	static const struct file_operations fops = { .mmap = udmabuf_mmap };

	run_buffer(w, &fops);
}

/* ---- a dma heap: a scatter list, remapped page by page ---- */

static int heap_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct sg_table *table = file->private_data;
	unsigned long addr = vma->vm_start;
	struct sg_page_iter iter;

	for_each_sgtable_page (table, &iter, vma->vm_pgoff) {
		int err = remap_pfn_range(vma, addr, page_to_pfn(sg_page_iter_page(&iter)),
					  PAGE_SIZE, vma->vm_page_prot);

		if (err)
			return err;
		addr += PAGE_SIZE;
		if (addr >= vma->vm_end)
			return 0;
	}
	return 0;
}

static void run_heap(struct world *w)
{
	static const struct file_operations fops = { .mmap = heap_mmap };
	struct buffer buf;
	struct sg_table table;
	struct file *file;

	buffer_make(&buf);
	assert_int_equal(sg_alloc_table_from_pages(&table, buf.page, BUFFER, 0, BUFFER * PAGE_SIZE,
						   GFP_KERNEL),
			 0);
	file = opened(w, &fops, &table);
	assert_int_equal(ms_mmap(w->mm, A, 2 * PAGE_SIZE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED,
				 file, PAGE_SIZE),
			 A);
	assert_int_equal(pa_of(w, A), page_to_phys(buf.page[1]));
	assert_int_equal(pa_of(w, A + PAGE_SIZE), page_to_phys(buf.page[2]));
	ms_munmap(w->mm, A, 2 * PAGE_SIZE);
	ms_linux_close(file);
	sg_free_table(&table);
	buffer_free(&buf);
}

/* ---- videobuf2: contiguous memory for a device ---- */

struct contig {
	void *vaddr;
	dma_addr_t handle;
	size_t size;
	refcount_t users;
};

static void contig_open(struct vm_area_struct *vma)
{
	refcount_inc(&((struct contig *)vma->vm_private_data)->users);
}

static void contig_close(struct vm_area_struct *vma)
{
	if (refcount_dec_and_test(&((struct contig *)vma->vm_private_data)->users))
		WARN_ON(1); // the queue has one, too
}

static int contig_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .open = contig_open,
							 .close = contig_close };
	struct contig *buf = file->private_data;
	int ret = dma_mmap_coherent(NULL, vma, buf->vaddr, buf->handle, buf->size);

	if (ret)
		return ret;
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = buf;
	vma->vm_ops = &ops;
	contig_open(vma);
	return 0;
}

static void run_contig(struct world *w)
{
	static const struct file_operations fops = { .mmap = contig_mmap };
	struct contig buf = { .size = BUFFER * PAGE_SIZE, .users = REFCOUNT_INIT(1) };
	struct file *file;

	buf.vaddr = dma_alloc_coherent(NULL, buf.size, &buf.handle, GFP_KERNEL);
	assert_non_null(buf.vaddr);
	file = opened(w, &fops, &buf);
	assert_int_equal(map(w, A, BUFFER + 1, file), -ENXIO);
	assert_int_equal(map(w, A, BUFFER, file), A);
	assert_int_equal(pa_of(w, A + PAGE_SIZE), buf.handle + PAGE_SIZE);
	ms_munmap(w->mm, A, BUFFER * PAGE_SIZE);
	assert_int_equal(refcount_read(&buf.users), 1);
	ms_linux_close(file);
	dma_free_coherent(NULL, buf.size, buf.vaddr, buf.handle);
}

/* ---- videobuf2: pages, all at once ---- */

static int pages_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct buffer *buf = file->private_data;
	int err = vm_map_pages(vma, buf->page, BUFFER);

	if (err)
		pr_err("Remapping memory, error: %d\n", err);
	return err;
}

static void run_pages(struct world *w)
{
	static const struct file_operations fops = { .mmap = pages_mmap };

	run_buffer(w, &fops);
}

/* ---- pcm: one page of status, to be read only ---- */

static vm_fault_t status_fault(struct vm_fault *vmf)
{
	void *status = vmf->vma->vm_private_data;

	if (!status)
		return VM_FAULT_SIGBUS;
	vmf->page = virt_to_page(status);
	get_page(vmf->page);
	return 0;
}

static int status_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = status_fault };

	if (!(vma->vm_flags & VM_READ) || vma->vm_end - vma->vm_start != PAGE_SIZE)
		return -EINVAL;
	vma->vm_ops = &ops;
	vma->vm_private_data = file->private_data;
	vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTDUMP, VM_WRITE | VM_MAYWRITE);
	return 0;
}

static void run_status(struct world *w)
{
	static const struct file_operations fops = { .mmap = status_mmap };
	void *status = (void *)get_zeroed_page(GFP_KERNEL);
	struct file *file = opened(w, &fops, status);
	u32 seen = 0;

	*(u32 *)status = 4;
	assert_int_equal(map(w, A, 2, file), -EINVAL);
	assert_int_equal(map(w, A, 1, file), A);
	assert_int_equal(ms_linux_load(w->mm, &seen, A, 4), 0);
	assert_int_equal(seen, 4);
	assert_int_equal(writes(w, A), MS_ACCESS_SIGSEGV);
	assert_int_equal(ms_mprotect(w->mm, A, PAGE_SIZE, MS_PROT_RW), -EACCES);
	ms_munmap(w->mm, A, PAGE_SIZE);
	ms_linux_close(file);
	free_page((unsigned long)status);
}

/* ---- af_packet: the blocks of a ring, inserted one behind the other ---- */

static int ring_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct buffer *ring = file->private_data;
	unsigned long start = vma->vm_start;
	int err = 0;

	if (vma->vm_pgoff)
		return -EINVAL;
	mutex_lock(&ring->lock);
	if (vma->vm_end - vma->vm_start != BUFFER * PAGE_SIZE)
		err = -EINVAL;
	for (unsigned long i = 0; !err && i < BUFFER; i++, start += PAGE_SIZE)
		err = vm_insert_page(vma, start, ring->page[i]);
	mutex_unlock(&ring->lock);
	return err;
}

static void run_ring(struct world *w)
{
	static const struct file_operations fops = { .mmap = ring_mmap };

	run_buffer(w, &fops);
}

/* ---- a control page whose first write is told: fault and page_mkwrite ---- */

static vm_fault_t control_mkwrite(struct vm_fault *vmf)
{
	struct buffer *buf = vmf->vma->vm_private_data;

	buf->users++;
	return vmf->pgoff ? VM_FAULT_SIGBUS : VM_FAULT_LOCKED;
}

static int control_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = mon_fault,
							 .page_mkwrite = control_mkwrite };

	vma->vm_ops = &ops;
	vma->vm_private_data = file->private_data;
	return 0;
}

static void run_control(struct world *w)
{
	static const struct file_operations fops = { .mmap = control_mmap };
	struct buffer buf;
	struct file *file;

	buffer_make(&buf);
	file = opened(w, &fops, &buf);
	assert_int_equal(map(w, A, BUFFER, file), A);
	assert_int_equal(reads(w, A + PAGE_SIZE), MS_ACCESS_OK);
	assert_int_equal(buf.users, 0);
	assert_int_equal(writes(w, A + PAGE_SIZE), MS_ACCESS_SIGBUS);
	assert_int_equal(buf.users, 1);
	ms_munmap(w->mm, A, BUFFER * PAGE_SIZE);
	ms_linux_close(file);
	buffer_free(&buf);
}

/* ---- io_uring, hyperv: contiguous pages of the kernel by their pfn ---- */

static int uring_mmap(struct file *file, struct vm_area_struct *vma)
{
	const size_t sz = vma->vm_end - vma->vm_start;
	void *ptr = file->private_data;

	switch ((u64)vma->vm_pgoff << PAGE_SHIFT) {
	case 0:
		break;
	case 0x8000000:
		ptr = (char *)ptr + PAGE_SIZE;
		break;
	default:
		return -EINVAL;
	}
	if (sz > BUFFER * PAGE_SIZE)
		return -EINVAL;
	return remap_pfn_range(vma, vma->vm_start, virt_to_phys(ptr) >> PAGE_SHIFT, sz,
			       vma->vm_page_prot);
}

static void run_uring(struct world *w)
{
	static const struct file_operations fops = { .mmap = uring_mmap };
	void *ring = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO | __GFP_COMP, 2);
	struct file *file = opened(w, &fops, ring);
	u32 head = 9;

	assert_int_equal(map(w, A, 2, file), A);
	assert_int_equal(pa_of(w, A), virt_to_phys(ring));
	assert_int_equal(ms_mmap(w->mm, A + SZ_1M, PAGE_SIZE, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED, file, 0x8000000),
			 A + SZ_1M);
	assert_int_equal(ms_linux_store(w->mm, A + SZ_1M, &head, 4), 0);
	assert_int_equal(*(u32 *)((char *)ring + PAGE_SIZE), 9);
	assert_int_equal(ms_mmap(w->mm, A + SZ_2M, PAGE_SIZE, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED, file, PAGE_SIZE),
			 -EINVAL);
	ms_munmap(w->mm, A, SZ_2M);
	ms_linux_close(file);
	free_pages((unsigned long)ring, 2);
}

/* ---- binder: another process's request puts a page into the mapping ---- */

struct alloc {
	struct mm_struct *mm;
	unsigned long vm_start;
	struct page *page[BUFFER];
};

static int alloc_install(struct alloc *alloc, unsigned long index)
{
	const unsigned long addr = alloc->vm_start + index * PAGE_SIZE;
	struct vm_area_struct *vma;
	struct page *page;
	int ret = -ESRCH;

	if (!mmget_not_zero(alloc->mm))
		return -ESRCH;
	page = alloc_page(GFP_KERNEL | __GFP_HIGHMEM | __GFP_ZERO);
	if (!page) {
		mmput_async(alloc->mm);
		return -ENOMEM;
	}
	mmap_write_lock(alloc->mm);
	vma = vma_lookup(alloc->mm, addr);
	if (vma)
		ret = vm_insert_page(vma, addr, page);
	mmap_write_unlock(alloc->mm);
	if (ret)
		__free_page(page);
	else
		alloc->page[index] = page;
	mmput_async(alloc->mm);
	return ret;
}

static int alloc_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct alloc *alloc = file->private_data;

	if (vma->vm_flags & VM_WRITE)
		return -EPERM;
	vm_flags_mod(vma, VM_DONTCOPY | VM_MIXEDMAP, VM_MAYWRITE);
	alloc->mm = vma->vm_mm;
	alloc->vm_start = vma->vm_start;
	return 0;
}

static void run_alloc(struct world *w)
{
	static const struct file_operations fops = { .mmap = alloc_mmap };
	struct alloc alloc = { .mm = NULL };
	struct file *file = opened(w, &fops, &alloc);
	struct mm_struct *other = ms_mm_new(w->m);

	assert_int_equal(map(w, A, BUFFER, file), -EPERM);
	assert_int_equal(ms_mmap(w->mm, A, BUFFER * PAGE_SIZE, MS_PROT_R,
				 MS_MAP_PRIVATE | MS_MAP_FIXED, file, 0),
			 A);
	ms_linux_as(other);
	assert_int_equal(alloc_install(&alloc, 1), 0);
	assert_int_equal(pa_of(w, A + PAGE_SIZE), page_to_phys(alloc.page[1]));
	ms_munmap(w->mm, A, BUFFER * PAGE_SIZE);
	assert_int_equal(alloc_install(&alloc, 2), -ESRCH);
	ms_linux_as(NULL);
	ms_linux_use(w->m);
	__free_page(alloc.page[1]);
	ms_linux_close(file);
}

/* ---- gntdev: pages that follow the process by an interval notifier ---- */

struct grant {
	struct mmu_interval_notifier notifier;
	struct buffer buf;
	unsigned int unmapped; // pages
};

static bool grant_invalidate(struct mmu_interval_notifier *mn,
			     const struct mmu_notifier_range *range, unsigned long cur_seq)
{
	struct grant *grant = container_of(mn, struct grant, notifier);
	const unsigned long start = max(range->start, mn->interval_tree.start);
	const unsigned long end = min(range->end, mn->interval_tree.last + 1);

	if (!mmu_notifier_range_blockable(range))
		return false;
	mutex_lock(&grant->buf.lock);
	mmu_interval_set_seq(mn, cur_seq);
	grant->unmapped += (unsigned int)((end - start) >> PAGE_SHIFT);
	mutex_unlock(&grant->buf.lock);
	return true;
}

static const struct mmu_interval_notifier_ops grant_ops = { .invalidate = grant_invalidate };

static void grant_close(struct vm_area_struct *vma)
{
	struct grant *grant = vma->vm_private_data;

	mmu_interval_notifier_remove(&grant->notifier);
}

static int grant_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .close = grant_close };
	struct grant *grant = file->private_data;
	int err = mmu_interval_notifier_insert_locked(&grant->notifier, vma->vm_mm, vma->vm_start,
						      vma->vm_end - vma->vm_start, &grant_ops);

	if (err)
		return err;
	mmu_interval_read_begin(&grant->notifier);
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP | VM_MIXEDMAP | VM_DONTCOPY);
	vma->vm_ops = &ops;
	vma->vm_private_data = grant;
	return vm_map_pages_zero(vma, grant->buf.page, BUFFER);
}

static void run_grant(struct world *w)
{
	static const struct file_operations fops = { .mmap = grant_mmap };
	struct grant grant = { .unmapped = 0 };
	struct file *file;

	buffer_make(&grant.buf);
	file = opened(w, &fops, &grant);
	assert_int_equal(map(w, A, BUFFER, file), A);
	assert_shows(w, &grant.buf, A);
	assert_int_equal(ms_madvise(w->mm, A + PAGE_SIZE, PAGE_SIZE, MS_MADV_DONTNEED), 0);
	assert_int_equal(grant.unmapped, 1);
	ms_munmap(w->mm, A, BUFFER * PAGE_SIZE);
	assert_int_equal(grant.unmapped, 1 + BUFFER);
	ms_linux_close(file);
	buffer_free(&grant.buf);
}

/* ---- comedi: pages by their pfn, and a debugger's way to them ---- */

static int samples_access(struct vm_area_struct *vma, unsigned long addr, void *buf, int len,
			  int write)
{
	struct buffer *samples = vma->vm_private_data;
	const unsigned long offset = addr - vma->vm_start + (vma->vm_pgoff << PAGE_SHIFT);
	char *page;

	if (offset >= BUFFER * PAGE_SIZE)
		return -EINVAL;
	len = min_t(int, len, (int)(PAGE_SIZE - offset_in_page(offset)));
	page = page_address(samples->page[offset >> PAGE_SHIFT]);
	if (write)
		memcpy(page + offset_in_page(offset), buf, len);
	else
		memcpy(buf, page + offset_in_page(offset), len);
	return len;
}

static int samples_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .access = samples_access };
	struct buffer *samples = file->private_data;
	unsigned long start = vma->vm_start;

	if (vma->vm_pgoff || vma_pages(vma) > BUFFER)
		return -EINVAL;
	for (unsigned long i = 0; i < vma_pages(vma); i++, start += PAGE_SIZE)
		if (remap_pfn_range(vma, start, page_to_pfn(samples->page[i]), PAGE_SIZE,
				    PAGE_SHARED))
			return -EAGAIN;
	vma->vm_ops = &ops;
	vma->vm_private_data = samples;
	return 0;
}

static void run_samples(struct world *w)
{
	static const struct file_operations fops = { .mmap = samples_mmap };
	struct buffer buf;
	struct file *file;
	u64 value = 11;

	buffer_make(&buf);
	file = opened(w, &fops, &buf);
	assert_int_equal(map(w, A, BUFFER, file), A);
	assert_shows(w, &buf, A);
	// across two pages: two calls of ->access
	assert_int_equal(
		access_process_vm(ms_linux_task(w->mm), A + PAGE_SIZE - 4, &value, 8, FOLL_WRITE),
		8);
	assert_int_equal(*(u32 *)((char *)page_address(buf.page[0]) + PAGE_SIZE - 4), 11);
	ms_munmap(w->mm, A, BUFFER * PAGE_SIZE);
	ms_linux_close(file);
	buffer_free(&buf);
}

/* ---- entries that a driver writes by itself ---- */

struct remap {
	struct mm_struct *mm;
	struct page **page;
	pgprot_t prot;
};

static int remap_pte(pte_t *pte, unsigned long addr, void *data)
{
	struct remap *r = data;

	set_pte_at(r->mm, addr, pte, pte_mkspecial(pfn_pte(page_to_pfn(*r->page++), r->prot)));
	return 0;
}

static int entries_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct buffer *buf = file->private_data;
	struct remap r = { vma->vm_mm, buf->page, vma->vm_page_prot };

	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP | VM_IO);
	return apply_to_page_range(r.mm, vma->vm_start, vma->vm_end - vma->vm_start, remap_pte, &r);
}

static void run_entries(struct world *w)
{
	static const struct file_operations fops = { .mmap = entries_mmap };

	run_buffer(w, &fops);
}

#define KIND(kind) \
	static void kind##_on_each_kernel(void **state) \
	{ \
		(void)state; \
		on_each_kernel(run_##kind); \
	}
KIND(mon)
KIND(shmem)
KIND(udmabuf)
KIND(heap)
KIND(contig)
KIND(pages)
KIND(status)
KIND(ring)
KIND(control)
KIND(uring)
KIND(alloc)
KIND(grant)
KIND(samples)
KIND(entries)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mon_on_each_kernel),     cmocka_unit_test(shmem_on_each_kernel),
		cmocka_unit_test(udmabuf_on_each_kernel), cmocka_unit_test(heap_on_each_kernel),
		cmocka_unit_test(contig_on_each_kernel),  cmocka_unit_test(pages_on_each_kernel),
		cmocka_unit_test(status_on_each_kernel),  cmocka_unit_test(ring_on_each_kernel),
		cmocka_unit_test(control_on_each_kernel), cmocka_unit_test(uring_on_each_kernel),
		cmocka_unit_test(alloc_on_each_kernel),   cmocka_unit_test(grant_on_each_kernel),
		cmocka_unit_test(samples_on_each_kernel), cmocka_unit_test(entries_on_each_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
