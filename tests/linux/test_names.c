/* SPDX-License-Identifier: GPL-2.0-only */
/* Names beside those of mappings: user memory, a debugger's accesses, entries, notifiers, waits. */
#include "world.h"

#include <linux/cdev.h>
#include <linux/idr.h>
#include <linux/mmu_notifier.h>
#include <linux/scatterlist.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#define KERNELS(name) \
	static void name##_5_10(void **state) \
	{ \
		(void)state; \
		name("5.10.223"); \
	} \
	static void name##_6_12(void **state) \
	{ \
		(void)state; \
		name("6.12.117"); \
	} \
	static void name##_7_3(void **state) \
	{ \
		(void)state; \
		name("7.3.4"); \
	}
#define TESTS(name) \
	cmocka_unit_test(name##_5_10), cmocka_unit_test(name##_6_12), cmocka_unit_test(name##_7_3)

static int64_t anonymous(struct world *w, unsigned long at, unsigned long npages)
{
	return ms_mmap(w->mm, at, npages * PAGE_SIZE, MS_PROT_RW,
		       MS_MAP_PRIVATE | MS_MAP_ANONYMOUS | MS_MAP_FIXED_NOREPLACE, NULL, 0);
}

/* ---- user memory ---- */

static void what_is_copied_to_user_is_read_back(const char *release)
{
	struct world w = world(release);
	char text[32] = "";

	assert_int_equal(anonymous(&w, A, 2), A);
	ms_linux_as(w.mm);
	assert_int_equal(copy_to_user((void *)(A + PAGE_SIZE - 3), "across", 7), 0);
	assert_int_equal(copy_from_user(text, (void *)(A + PAGE_SIZE - 3), 7), 0);
	assert_string_equal(text, "across");
	assert_int_equal(strnlen_user((void *)(A + PAGE_SIZE - 3), 32), 7);
	assert_int_equal(strncpy_from_user(text, (void *)(A + PAGE_SIZE), 32), 3);
	assert_string_equal(text, "oss");
	ms_linux_as(NULL);
	world_end(&w);
}
KERNELS(what_is_copied_to_user_is_read_back)

static void a_copy_stops_where_nothing_is_mapped(const char *release)
{
	struct world w = world(release);
	char bytes[64];
	u32 value = 7;

	assert_int_equal(anonymous(&w, A, 1), A);
	ms_linux_as(w.mm);
	memset(bytes, 1, sizeof(bytes));
	assert_int_equal(copy_from_user(bytes, (void *)(A + PAGE_SIZE - 16), 64), 48);
	assert_int_equal(bytes[0], 0);
	assert_int_equal(bytes[63], 0); // what could not be had is zeroed
	assert_int_equal(get_user(value, (u32 *)(A + PAGE_SIZE)), -EFAULT);
	assert_int_equal(put_user(5, (u32 *)A), 0);
	assert_int_equal(get_user(value, (u32 *)A), 0);
	assert_int_equal(value, 5);
	assert_false(access_ok((void *)~0ul, 1));
	assert_int_equal(ms_violations(w.m), 0);
	ms_linux_as(NULL);
	world_end(&w);
}
KERNELS(a_copy_stops_where_nothing_is_mapped)

/* A fork shares the page; the write copies it with its bytes. */
static void bytes_go_with_copy_on_write(const char *release)
{
	struct world w = world(release);
	struct mm_struct *child;
	u32 value = 0;

	assert_int_equal(anonymous(&w, A, 1), A);
	assert_int_equal(ms_linux_store(w.mm, A, &(u32[]){ 1, 2 }, 8), 0);
	child = ms_fork(w.mm);
	assert_non_null(child);
	assert_int_equal(ms_linux_store(child, A, &(u32){ 3 }, 4), 0);
	ms_linux_load(w.mm, &value, A, 4);
	assert_int_equal(value, 1);
	ms_linux_load(child, &value, A, 4);
	assert_int_equal(value, 3);
	ms_linux_load(child, &value, A + 4, 4);
	assert_int_equal(value, 2);
	assert_int_equal(ms_madvise(w.mm, A, PAGE_SIZE, MS_MADV_DONTNEED), 0);
	ms_linux_load(w.mm, &value, A, 4);
	assert_int_equal(value, 0);
	world_end(&w);
}
KERNELS(bytes_go_with_copy_on_write)

static struct page *shown;

static vm_fault_t page_fault(struct vm_fault *vmf)
{
	get_page(shown);
	vmf->page = shown;
	return 0;
}

static int page_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = page_fault };

	(void)file;
	vma->vm_ops = &ops;
	return 0;
}

/* The driver's view of a page and the process's are one. */
static void a_mapped_page_has_the_drivers_bytes(const char *release)
{
	static const struct file_operations fops = { .mmap = page_mmap };
	struct world w = world(release);
	struct file *file = ms_linux_file(w.m, &fops, O_RDWR, NULL);
	u32 value = 0;

	shown = alloc_page(GFP_KERNEL | __GFP_ZERO);
	*(u32 *)page_address(shown) = 77;
	assert_int_equal(map(&w, A, 1, file), A);
	assert_int_equal(ms_linux_load(w.mm, &value, A, 4), 0);
	assert_int_equal(value, 77);
	assert_int_equal(ms_linux_store(w.mm, A, &(u32){ 78 }, 4), 0);
	assert_int_equal(*(u32 *)page_address(shown), 78);
	ms_munmap(w.mm, A, PAGE_SIZE);
	put_page(shown);
	ms_linux_close(file);
	assert_int_equal(ms_linux_leaks(w.m), 0);
	world_end(&w);
}
KERNELS(a_mapped_page_has_the_drivers_bytes)

static int copying_mmap(struct file *file, struct vm_area_struct *vma)
{
	u32 value;

	(void)file, (void)vma;
	return copy_from_user(&value, (void *)(A + 0x100000), 4) ? -EFAULT : 0;
}

static void a_copy_under_the_mmap_lock_is_a_deadlock(const char *release)
{
	static const struct file_operations fops = { .mmap = copying_mmap };
	struct world w = world(release);
	struct file *file = ms_linux_file(w.m, &fops, O_RDWR, NULL);

	assert_int_equal(anonymous(&w, A + 0x100000, 1), A + 0x100000);
	assert_int_equal(map(&w, A, 1, file), -EFAULT);
	assert_string_equal(violation(&w, 0),
			    "copy_from_user may fault, and the mmap lock is held: a deadlock");
	ms_linux_close(file);
	world_end(&w);
}
KERNELS(a_copy_under_the_mmap_lock_is_a_deadlock)

/* ---- as a debugger looks ---- */

static int bar_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .access = generic_access_phys };

	(void)file;
	vma->vm_ops = &ops;
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	return remap_pfn_range(vma, vma->vm_start, PHYS_PFN(BAR), vma->vm_end - vma->vm_start,
			       vma->vm_page_prot);
}

static void a_debugger_reads_a_device_by_access(const char *release)
{
	static const struct file_operations fops = { .mmap = bar_mmap };
	struct world w = world(release);
	struct file *file = ms_linux_file(w.m, &fops, O_RDWR, NULL);
	struct task_struct *task = ms_linux_task(w.mm);
	u32 value = 0;

	assert_int_equal(map(&w, A, 1, file), A);
	assert_int_equal(access_process_vm(task, A, &value, 4, 0), 4);
	assert_int_equal(value, 0xffffffff); // registers do not exist
	assert_int_equal(access_process_vm(task, A, &value, 4, FOLL_WRITE), 4);
	assert_int_equal(anonymous(&w, A + 0x100000, 1), A + 0x100000);
	value = 6;
	assert_int_equal(access_process_vm(task, A + 0x100000, &value, 4, FOLL_WRITE), 4);
	value = 0;
	assert_int_equal(ms_linux_load(w.mm, &value, A + 0x100000, 4), 0);
	assert_int_equal(value, 6);
	assert_int_equal(access_process_vm(task, A + 0x200000, &value, 4, 0), 0);
	assert_int_equal(ms_violations(w.m), 0);
	ms_linux_close(file);
	world_end(&w);
}
KERNELS(a_debugger_reads_a_device_by_access)

/* ---- entries ---- */

struct writer {
	struct mm_struct *mm;
	unsigned long pfn;
	pgprot_t prot;
	unsigned int met;
};

static int write_pte(pte_t *pte, unsigned long addr, void *data)
{
	struct writer *writer = data;

	writer->met++;
	set_pte_at(writer->mm, addr, pte, pte_mkspecial(pfn_pte(writer->pfn++, writer->prot)));
	return 0;
}

static int count_pte(pte_t *pte, unsigned long addr, void *data)
{
	struct writer *writer = data;

	(void)addr;
	assert_true(pte_present(*pte));
	assert_true(pte_special(*pte));
	assert_int_equal(pte_pfn(*pte), PHYS_PFN(BAR) + writer->met);
	writer->met++;
	return 0;
}

static int entries_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct writer writer = { vma->vm_mm, PHYS_PFN(BAR), vma->vm_page_prot, 0 };

	(void)file;
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND);
	return apply_to_page_range(vma->vm_mm, vma->vm_start, 4 * PAGE_SIZE, write_pte, &writer);
}

static void a_driver_writes_entries(const char *release)
{
	static const struct file_operations fops = { .mmap = entries_mmap };
	struct world w = world(release);
	struct file *file = ms_linux_file(w.m, &fops, O_RDWR, NULL);
	struct writer writer = { 0 };

	assert_int_equal(map(&w, A, 8, file), A);
	assert_int_equal(pa_of(&w, A + 3 * PAGE_SIZE), BAR + 3 * PAGE_SIZE);
	assert_int_equal(pa_of(&w, A + 4 * PAGE_SIZE), 0);
	assert_int_equal(apply_to_existing_page_range(w.mm, A, 8 * PAGE_SIZE, count_pte, &writer), 0);
	assert_int_equal(writer.met, 4);
	zap_vma_pages(ms_find_vma(w.mm, A));
	assert_int_equal(pa_of(&w, A), 0);
	assert_int_equal(apply_to_page_range(w.mm, A, 0, count_pte, &writer), -EINVAL);
	assert_string_equal(violation(&w, 0), "apply_to_page_range: empty or wrapping range");
	ms_linux_close(file);
	world_end(&w);
}
KERNELS(a_driver_writes_entries)

static void a_pfn_is_followed(const char *release)
{
	static const struct file_operations fops = { .mmap = bar_mmap };
	struct world w = world(release);
	struct file *file = ms_linux_file(w.m, &fops, O_RDWR, NULL);
	struct follow_pfnmap_args args = { .address = A + PAGE_SIZE };
	unsigned long pfn = 0;

	assert_int_equal(map(&w, A, 2, file), A);
	args.vma = ms_find_vma(w.mm, A);
	mmap_read_lock(w.mm);
	assert_int_equal(follow_pfnmap_start(&args), 0);
	assert_int_equal(args.pfn, PHYS_PFN(BAR) + 1);
	assert_true(args.writable);
	follow_pfnmap_end(&args);
	assert_int_equal(follow_pfn(args.vma, A, &pfn), 0);
	assert_int_equal(pfn, PHYS_PFN(BAR));
	mmap_read_unlock(w.mm);
	ms_linux_close(file);
	world_end(&w);
}
KERNELS(a_pfn_is_followed)

/* ---- notifiers ---- */

struct follower {
	struct mmu_interval_notifier mni;
	unsigned long start, end;
	unsigned int calls;
	enum mmu_notifier_event event;
};

static bool invalidate(struct mmu_interval_notifier *mni, const struct mmu_notifier_range *range,
		       unsigned long cur_seq)
{
	struct follower *f = container_of(mni, struct follower, mni);

	assert_true(mmu_notifier_range_blockable(range));
	mmu_interval_set_seq(mni, cur_seq);
	f->calls++;
	f->start = range->start;
	f->end = range->end;
	f->event = range->event;
	return true;
}

static void an_interval_notifier_hears_of_its_range(const char *release)
{
	static const struct mmu_interval_notifier_ops ops = { .invalidate = invalidate };
	struct world w = world(release);
	struct follower f = { .calls = 0 };
	unsigned long seq;

	assert_int_equal(anonymous(&w, A, 8), A);
	for (unsigned long i = 0; i < 8; i++)
		assert_int_equal(ms_touch(w.mm, A + i * PAGE_SIZE, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(mmu_interval_notifier_insert(&f.mni, w.mm, A, 0, &ops), -EOVERFLOW);
	assert_int_equal(mmu_interval_notifier_insert(&f.mni, w.mm, A, 4 * PAGE_SIZE, &ops), 0);
	seq = mmu_interval_read_begin(&f.mni);
	ms_munmap(w.mm, A + 4 * PAGE_SIZE, PAGE_SIZE);
	assert_int_equal(f.calls, 0);
	assert_false(mmu_interval_read_retry(&f.mni, seq));
	ms_munmap(w.mm, A + 3 * PAGE_SIZE, PAGE_SIZE);
	assert_int_equal(f.calls, 1);
	assert_int_equal(f.event, MMU_NOTIFY_UNMAP);
	assert_int_equal(f.start, A + 3 * PAGE_SIZE);
	assert_true(mmu_interval_read_retry(&f.mni, seq));
	mmu_interval_notifier_remove(&f.mni);
	ms_munmap(w.mm, A, PAGE_SIZE);
	assert_int_equal(f.calls, 1);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}
KERNELS(an_interval_notifier_hears_of_its_range)

static unsigned int released;

static void count_release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	assert_ptr_equal(mn->mm, mm);
	released++;
}

static void a_notifier_is_released_once(const char *release)
{
	static const struct mmu_notifier_ops ops = { .release = count_release };
	struct world w = world(release);
	struct mmu_notifier mn = { .ops = &ops };

	released = 0;
	assert_int_equal(mmu_notifier_register(&mn, w.mm), 0);
	ms_mm_exit(w.mm);
	assert_int_equal(released, 1);
	mmu_notifier_unregister(&mn, w.mm);
	assert_int_equal(released, 1);
	world_end(&w);
}
KERNELS(a_notifier_is_released_once)

/* ---- waits, RCU ---- */

struct object {
	int value;
	struct rcu_head rcu;
};

static void rcu_frees_when_nobody_reads(const char *release)
{
	struct world w = world(release);
	struct object *object = kzalloc(sizeof(*object), GFP_KERNEL);

	rcu_read_lock();
	kfree_rcu(object, rcu);
	assert_int_equal(ms_linux_allocated(w.m), 1);
	synchronize_rcu();
	assert_string_equal(violation(&w, 0), "synchronize_rcu inside of rcu_read_lock(): a deadlock");
	msleep(1);
	assert_string_equal(violation(&w, 1), "msleep may sleep, and rcu_read_lock() is held");
	rcu_read_unlock();
	assert_int_equal(ms_linux_allocated(w.m), 0);
	rcu_read_unlock();
	assert_string_equal(violation(&w, 2), "rcu_read_unlock without rcu_read_lock");
	world_end(&w);
}
KERNELS(rcu_frees_when_nobody_reads)

static void nobody_wakes_who_waits(const char *release)
{
	struct world w = world(release);
	DECLARE_WAIT_QUEUE_HEAD(wq);
	struct completion done;
	int ready = 0;

	init_completion(&done);
	assert_int_equal(wait_event_timeout(wq, ready, HZ), 0);
	assert_int_equal(wait_for_completion_timeout(&done, HZ), 0);
	assert_int_equal(ms_violations(w.m), 0);
	assert_int_equal(wait_event_interruptible(wq, ready), -ERESTARTSYS);
	assert_string_equal(violation(&w, 0),
			    "waits for ready, which nobody makes true: sleeps for ever");
	wait_for_completion(&done);
	assert_string_equal(violation(&w, 1),
			    "waits for a completion, which nobody makes true: sleeps for ever");
	complete(&done);
	ready = 1;
	wait_for_completion(&done);
	wait_event(wq, ready);
	assert_int_equal(wait_event_timeout(wq, ready, HZ), HZ);
	assert_int_equal(ms_violations(w.m), 2);
	world_end(&w);
}
KERNELS(nobody_wakes_who_waits)

/* ---- current, rights ---- */

static void current_is_the_process(const char *release)
{
	struct world w = world(release);

	assert_null(current->mm);
	assert_int_equal(current->pid, 0);
	ms_linux_as(w.mm);
	assert_ptr_equal(current->mm, w.mm);
	assert_ptr_equal(current->group_leader, current);
	assert_ptr_equal(current, ms_linux_task(w.mm));
	assert_int_equal(current->pid, ms_mm_id(w.mm));
	assert_string_equal(current->comm, "process-1");
	assert_true(capable(CAP_SYS_ADMIN));
	assert_true(ms_linux_set_capable(w.m, false));
	assert_false(capable(CAP_SYS_RAWIO));
	ms_linux_as(NULL);
	world_end(&w);
}
KERNELS(current_is_the_process)

/* ---- numbers and entries by index ---- */

static void entries_by_index(const char *release)
{
	struct world w = world(release);
	DEFINE_XARRAY_ALLOC1(xa);
	DEFINE_IDR(idr);
	DEFINE_IDA(ida);
	unsigned long index;
	int a = 1, b = 2, id, *entry, sum = 0;
	u32 number;

	assert_int_equal(xa_alloc(&xa, &number, &a, xa_limit_32b, GFP_KERNEL), 0);
	assert_int_equal(number, 1);
	assert_int_equal(xa_insert(&xa, 1, &b, GFP_KERNEL), -EBUSY);
	assert_null(xa_store(&xa, 1ul << 40, &b, GFP_KERNEL));
	xa_for_each (&xa, index, entry)
		sum += *entry;
	assert_int_equal(sum, 3);
	assert_ptr_equal(xa_erase(&xa, 1), &a);
	assert_ptr_equal(xa_cmpxchg(&xa, 1ul << 40, &b, NULL, GFP_KERNEL), &b);
	assert_true(xa_empty(&xa));
	assert_int_equal(idr_alloc(&idr, &a, 5, 7, GFP_KERNEL), 5);
	assert_int_equal(idr_alloc(&idr, &b, 5, 7, GFP_KERNEL), 6);
	assert_int_equal(idr_alloc(&idr, &b, 5, 7, GFP_KERNEL), -ENOSPC);
	sum = 0;
	idr_for_each_entry (&idr, entry, id)
		sum += id;
	assert_int_equal(sum, 11);
	assert_ptr_equal(idr_remove(&idr, 5), &a);
	assert_null(idr_find(&idr, 5));
	idr_destroy(&idr);
	assert_int_equal(ida_alloc(&ida, GFP_KERNEL), 0);
	assert_int_equal(ida_alloc(&ida, GFP_KERNEL), 1);
	ida_free(&ida, 0);
	assert_int_equal(ida_alloc_max(&ida, 0, GFP_KERNEL), 0);
	assert_int_equal(ida_alloc_max(&ida, 0, GFP_KERNEL), -ENOSPC);
	ida_destroy(&ida);
	assert_int_equal(ms_linux_leaks(w.m), 0);
	world_end(&w);
}
KERNELS(entries_by_index)

/* ---- devices by number ---- */

static int numbered_open(struct inode *inode, struct file *file)
{
	file->private_data = inode->i_cdev;
	return iminor(inode) == 7 && imajor(inode) == MAJOR(inode->i_cdev->dev) ? 0 : -ENODEV;
}

static long numbered_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	u32 value;

	(void)file;
	if (copy_from_user(&value, (void *)arg, sizeof(value)))
		return -EFAULT;
	return (long)(value + cmd);
}

static void a_device_is_opened_by_its_number(const char *release)
{
	static const struct file_operations fops = {
		.owner = THIS_MODULE, .open = numbered_open, .unlocked_ioctl = numbered_ioctl
	};
	struct world w = world(release);
	struct class *class = class_create("lab");
	struct cdev cdev;
	struct file *file;
	dev_t dev;

	assert_int_equal(alloc_chrdev_region(&dev, 7, 1, "lab"), 0);
	assert_int_equal(MAJOR(dev), 254);
	assert_int_equal(register_chrdev_region(dev, 1, "other"), -EBUSY);
	cdev_init(&cdev, &fops);
	assert_false(IS_ERR(device_create(class, NULL, dev, NULL, "lab%d", 0)));
	assert_int_equal(PTR_ERR(device_create(class, NULL, dev, NULL, "lab%d", 0)), -EEXIST);
	assert_null(ms_linux_open(w.m, "lab0", O_RDWR));
	assert_int_equal(errno, ENXIO);
	assert_int_equal(cdev_add(&cdev, dev, 1), 0);
	ms_linux_use(w.m);
	file = ms_linux_open(w.m, "lab0", O_RDWR);
	assert_non_null(file);
	assert_ptr_equal(file->private_data, &cdev);
	assert_int_equal(anonymous(&w, A, 1), A);
	assert_int_equal(ms_linux_store(w.mm, A, &(u32){ 40 }, 4), 0);
	assert_int_equal(ms_linux_ioctl(w.mm, file, 2, A), 42);
	assert_int_equal(ms_linux_ioctl(w.mm, file, 2, 8), -EFAULT);
	ms_linux_close(file);
	assert_int_equal(ms_linux_leaks(w.m), 5); // numbers, device, cdev; class and device as kmalloc
	cdev_del(&cdev);
	device_destroy(class, dev);
	class_destroy(class);
	unregister_chrdev_region(dev, 1);
	assert_int_equal(ms_linux_leaks(w.m), 0);
	world_end(&w);
}
KERNELS(a_device_is_opened_by_its_number)

static void a_device_gives_back_what_is_managed(const char *release)
{
	struct world w = world(release);
	struct device dev = { .init_name = "managed" };
	struct resource res = { .start = BAR, .end = BAR + 0xfff, .flags = IORESOURCE_MEM };
	void *p;

	assert_non_null(devm_kzalloc(&dev, 100, GFP_KERNEL));
	p = devm_kmemdup(&dev, "abc", 4, GFP_KERNEL);
	assert_string_equal(p, "abc");
	devm_kfree(&dev, p);
	assert_false(IS_ERR(devm_ioremap_resource(&dev, &res)));
	assert_int_equal(PTR_ERR(devm_ioremap_resource(&dev, &res)), -EBUSY);
	ms_linux_devres_release_all(&dev);
	assert_int_equal(ms_linux_leaks(w.m), 0);
	world_end(&w);
}
KERNELS(a_device_gives_back_what_is_managed)

/* ---- what a file alone has ---- */

static int only_prepare(struct vm_area_desc *desc)
{
	mmap_action_ioremap_full(desc, PHYS_PFN(BAR));
	return 0;
}

static void mmap_prepare_alone_is_enodev_before_6_16(void **state)
{
	static const struct file_operations fops = { .mmap_prepare = only_prepare };

	(void)state;
	for (int i = 0; i < 3; i++) {
		static const char *const release[] = { "6.1.192", "6.12.117", "7.2.13" };
		struct world w = world(release[i]);
		struct file *file = ms_linux_file(w.m, &fops, O_RDWR, NULL);

		assert_int_equal(map(&w, A, 1, file), i < 2 ? -ENODEV : (int64_t)A);
		ms_linux_close(file);
		world_end(&w);
	}
}

static struct page *kernel_pages[4];
static unsigned int mapped_calls;

static int was_mapped(unsigned long start, unsigned long end, pgoff_t pgoff,
		      const struct file *file, void **vm_private_data)
{
	assert_int_equal(start, A);
	assert_int_equal(end, A + 4 * PAGE_SIZE);
	assert_int_equal(pgoff, 0);
	assert_non_null(file);
	mapped_calls++;
	*vm_private_data = kernel_pages;
	return 0;
}

static int pages_prepare(struct vm_area_desc *desc)
{
	static const struct vm_operations_struct ops = { .mapped = was_mapped };

	if (!vma_desc_test(desc, VMA_SHARED_BIT))
		return -EINVAL;
	desc->vm_ops = &ops;
	vma_desc_set_flags(desc, VMA_DONTEXPAND_BIT, VMA_DONTDUMP_BIT);
	mmap_action_map_kernel_pages_full(desc, kernel_pages);
	return 0;
}

static void mmap_prepare_maps_kernel_pages(void **state)
{
	static const struct file_operations fops = { .mmap_prepare = pages_prepare };
	struct world w = world("7.2.13");
	struct file *file = ms_linux_file(w.m, &fops, O_RDWR, NULL);
	struct vm_area_struct *vma;

	(void)state;
	mapped_calls = 0;
	for (int i = 0; i < 4; i++)
		kernel_pages[i] = alloc_page(GFP_KERNEL);
	assert_int_equal(map(&w, A, 4, file), A);
	vma = ms_find_vma(w.mm, A);
	assert_true(vma_test_all(vma, VMA_MIXEDMAP_BIT, VMA_DONTEXPAND_BIT));
	assert_true(vma_flags_test(&vma->flags, VMA_DONTDUMP_BIT));
	assert_ptr_equal(vma->vm_private_data, kernel_pages);
	assert_int_equal(mapped_calls, 1);
	for (unsigned long i = 0; i < 4; i++)
		assert_int_equal(pa_of(&w, A + i * PAGE_SIZE), page_to_phys(kernel_pages[i]));
	ms_munmap(w.mm, A, 4 * PAGE_SIZE);
	for (int i = 0; i < 4; i++)
		__free_page(kernel_pages[i]);
	ms_linux_close(file);
	assert_int_equal(ms_linux_leaks(w.m), 0);
	world_end(&w);
}

static void minimum_of_numbers_of_different_width(void **state)
{
	const u16 small = 3;
	const unsigned long large = 1ul << 40;
	struct flexible {
		int n;
		u64 item[];
	} *p = NULL;

	(void)state;
	assert_int_equal(min(small, large), 3);
	assert_int_equal(max(large, small), large);
	assert_int_equal(min(large, 7), 7);
	assert_int_equal(struct_size(p, item, 3), sizeof(struct flexible) + 24);
	assert_int_equal(struct_size(p, item, SIZE_MAX / 8), SIZE_MAX);
	assert_int_equal(roundup_pow_of_two(5), 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTS(what_is_copied_to_user_is_read_back),
		TESTS(a_copy_stops_where_nothing_is_mapped),
		TESTS(bytes_go_with_copy_on_write),
		TESTS(a_mapped_page_has_the_drivers_bytes),
		TESTS(a_copy_under_the_mmap_lock_is_a_deadlock),
		TESTS(a_debugger_reads_a_device_by_access),
		TESTS(a_driver_writes_entries),
		TESTS(a_pfn_is_followed),
		TESTS(an_interval_notifier_hears_of_its_range),
		TESTS(a_notifier_is_released_once),
		TESTS(rcu_frees_when_nobody_reads),
		TESTS(nobody_wakes_who_waits),
		TESTS(current_is_the_process),
		TESTS(entries_by_index),
		TESTS(a_device_is_opened_by_its_number),
		TESTS(a_device_gives_back_what_is_managed),
		cmocka_unit_test(mmap_prepare_alone_is_enodev_before_6_16),
		cmocka_unit_test(mmap_prepare_maps_kernel_pages),
		cmocka_unit_test(minimum_of_numbers_of_different_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
