/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each kind of violation as a driver brings it about: the condition in words, and the place. What a
 * WARN, a lock or an allocation says is in test_messages.c, test_locks.c and test_memory.c; a bad
 * page map in tests/field/copied_vma.c.
 */
#include "world.h"

#include <mapsim/kvm.h>

#define GPA 0x80000000ul

/* ---- drivers ---- */

static int remap_mmap(struct file *file, struct vm_area_struct *vma)
{
	return io_remap_pfn_range(vma, vma->vm_start, PHYS_PFN(BAR), vma->vm_end - vma->vm_start,
				  pgprot_noncached(vma->vm_page_prot));
}

static const struct file_operations remap_fops = { .mmap = remap_mmap };

static vm_fault_t large_fault(struct vm_fault *vmf)
{
	return vmf_insert_pfn(vmf->vma, vmf->address, vmf->pgoff);
}

static int large_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = large_fault };

	vma->vm_pgoff += PHYS_PFN(LARGE_BAR);
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND);
	vma->vm_ops = &ops;
	return 0;
}

static const struct file_operations large_fops = { .mmap = large_mmap };

static vm_fault_t lazy_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;

	return remap_pfn_range(vma, vma->vm_start, PHYS_PFN(LARGE_BAR), vma->vm_end - vma->vm_start,
			       vma->vm_page_prot)
		       ? VM_FAULT_SIGBUS
		       : VM_FAULT_NOPAGE;
}

static int lazy_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = lazy_fault };

	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_ops = &ops;
	return 0;
}

static const struct file_operations lazy_fops = { .mmap = lazy_mmap };

/* ---- an access that survives a revoke ---- */

static void a_process_that_kept_its_pages_is_found_when_it_touches_them(void **state)
{
	struct world w = world("6.12.117");
	struct file *file = ms_linux_file(w.m, &remap_fops, O_RDWR, NULL);
	struct ms_device *bar = ms_device_find(w.m, "bar");

	map(&w, A, 2, file);
	ms_device_set_memory(bar, false); // and the driver has forgotten to zap
	assert_int_equal(ms_violations(w.m), 0);
	assert_int_equal(ms_touch(w.mm, A + PAGE_SIZE, MS_PROT_R), MS_ACCESS_OK);
	assert_violated(&w, 0,
			"device memory is accessed while it is turned off: "
			"a mapping has survived the revoke",
			A + PAGE_SIZE, BAR + PAGE_SIZE);
	unmap_mapping_range(file->f_mapping, 0, 0, 1);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	assert_int_equal(ms_violations(w.m), 1);
	ms_device_set_memory(bar, true);
	world_end(&w);
}

static void a_guest_is_found_too(void **state)
{
	struct world w = arm64_world("6.12.117");
	struct file *file = ms_linux_file(w.m, &large_fops, O_RDWR, NULL);
	struct ms_vm *vm = ms_vm_new(w.mm, 40);

	map(&w, A, 16, file);
	ms_vm_set_slot(vm, 1, GPA, 16 * PAGE_SIZE, A, 0);
	assert_int_equal(ms_guest_read(vm, GPA).exit, MS_GUEST_OK);
	ms_device_set_memory(ms_device_find(w.m, "large"), false);
	ms_guest_write(vm, GPA + 4);
	assert_int_equal(ms_violations(w.m), 1);
	assert_int_equal(ms_violation_get(w.m, 0)->addr, GPA + 4);
	assert_int_equal(ms_violation_get(w.m, 0)->pa, LARGE_BAR + 4);
	world_end(&w);
}

/*
 * vfio-pci up to 6.9 learns of a child's VMA when the child faults. It empties the VMA when it is
 * told of it: in vain where the pages are copied only then.
 */
static void vfios_forked_child_survives_where_open_comes_before_the_copy(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct world w = world(k->release);
		struct file *file = ms_vfio_open(ms_device_find(w.m, "bar"));
		struct mm_struct *child;
		bool survived = false;

		assert_int_equal(ms_mmap(w.mm, A, PAGE_SIZE, MS_PROT_RW,
					 MS_MAP_SHARED | MS_MAP_FIXED, file, ms_vfio_offset(file)),
				 A);
		ms_touch(w.mm, A, MS_PROT_R);
		child = ms_fork(w.mm);
		ms_vfio_set_memory(file, false);
		ms_touch(w.mm, A, MS_PROT_R);
		ms_touch(child, A, MS_PROT_R);
		for (size_t n = 0; n < ms_violations(w.m); n++)
			survived |= !!strcmp(violation(&w, n), "mmap lock not held for writing");
		assert_int_equal(survived, k->vfio != MS_VFIO_V3 &&
						   k->fork_order == MS_FORK_ORDER_OPEN_THEN_COPY);
		world_end(&w);
	}
}

/* ---- whose, and where ---- */

static vm_fault_t private_fault(struct vm_fault *vmf)
{
	return vmf_insert_pfn(vmf->vma, vmf->address, PHYS_PFN(BAR) + vmf->pgoff);
}

static int private_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = private_fault };

	vm_flags_set(vma, VM_IO | VM_PFNMAP);
	vma->vm_ops = &ops;
	return 0;
}

/* Four pages are touched, in two VMAs of a file of the driver's. */
static void touch_private(struct world *w, struct file *file)
{
	const unsigned int flags = MS_MAP_PRIVATE | MS_MAP_FIXED;

	ms_mmap(w->mm, A, 3 * PAGE_SIZE, MS_PROT_RW, flags, file, 0);
	ms_mmap(w->mm, A + SZ_2M, PAGE_SIZE, MS_PROT_RW, flags, file, 0);
	for (unsigned long i = 0; i < 3; i++)
		ms_touch(w->mm, A + i * PAGE_SIZE, MS_PROT_R);
	ms_touch(w->mm, A + SZ_2M, MS_PROT_R);
}

static void a_mistake_is_told_once_in_a_vma_with_the_drivers_name(void **state)
{
	static const struct file_operations fops = { .mmap = private_mmap };
	static struct miscdevice misc = { MISC_DYNAMIC_MINOR, "scratch", &fops };
	struct world w = world("6.12.117");
	const struct ms_violation *v;
	struct file *file;

	assert_int_equal(misc_register(&misc), 0);
	file = ms_linux_open(w.m, "scratch", O_RDWR);
	touch_private(&w, file);
	assert_int_equal(ms_violations(w.m), 4);
	assert_int_equal(ms_violation_causes(w.m), 2);
	v = ms_violation_cause(w.m, 1);
	assert_string_equal(v->condition, "pfn inserted into a private VM_PFNMAP VMA");
	assert_int_equal(v->whose, MS_VIOLATION_DRIVER);
	assert_string_equal(v->driver, "scratch");
	assert_string_equal(v->callback, "fault");
	assert_int_equal(v->mm, ms_mm_id(w.mm));
	assert_int_equal(v->vma_start, A);
	assert_int_equal(v->vma_end, A + 3 * PAGE_SIZE);
	assert_int_equal(v->addr, A);
	assert_int_equal(v->times, 3);
	assert_int_equal(ms_violation_cause(w.m, 2)->vma_start, A + SZ_2M);
	misc_deregister(&misc);
	world_end(&w);
}

static void a_file_without_a_device_has_its_sources_or_its_own_name(void **state)
{
	static const struct file_operations fops = { .mmap = private_mmap };
	struct world w = world("6.12.117");

	touch_private(&w, ms_linux_file(w.m, &fops, O_RDWR, NULL));
	assert_string_equal(ms_violation_cause(w.m, 1)->driver, "test_violations.c");
	touch_private(&w, anon_inode_getfile("[scratch]", &fops, NULL, O_RDWR));
	assert_string_equal(ms_violation_cause(w.m, 3)->driver, "[scratch]");
	world_end(&w);
}

static void a_process_and_a_guest_name_the_vma_that_survived(void **state)
{
	struct world w = arm64_world("6.12.117");
	struct ms_vm *vm = ms_vm_new(w.mm, 40);

	map(&w, A, 16, ms_linux_file(w.m, &large_fops, O_RDWR, NULL));
	ms_vm_set_slot(vm, 1, GPA, 16 * PAGE_SIZE, A, 0);
	ms_guest_read(vm, GPA);
	ms_device_set_memory(ms_device_find(w.m, "large"), false);
	ms_guest_write(vm, GPA + 4);
	ms_touch(w.mm, A, MS_PROT_R);
	assert_int_equal(ms_violation_causes(w.m), 1);
	assert_int_equal(ms_violation_cause(w.m, 1)->vma_start, A);
	assert_int_equal(ms_violation_cause(w.m, 1)->vma_end, A + 16 * PAGE_SIZE);
	assert_int_equal(ms_violation_cause(w.m, 1)->times, 2);
	world_end(&w);
}

/* ---- guests ---- */

/*
 *   VMA    |--------- 3M ---------|
 *   slot   |--------------- 4M --------------|
 *   block                 |======= 2M =======|   where only the VMA's start is looked at
 */
static void a_guest_block_beyond_its_vma_is_found(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = arm64_world(k->release);
		const bool beyond = k->s2_pfnmap_block == MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF;
		struct ms_vm *vm = ms_vm_new(w.mm, 40);

		map(&w, A, (3 * SZ_1M) >> PAGE_SHIFT,
		    ms_linux_file(w.m, &large_fops, O_RDWR, NULL));
		ms_vm_set_slot(vm, 1, GPA, SZ_4M, A, 0);
		assert_int_equal(ms_guest_read(vm, GPA + SZ_2M).exit, MS_GUEST_OK);
		assert_int_equal(ms_violations(w.m), beyond);
		if (beyond)
			assert_violated(&w, 0, "guest block reaches beyond its VMA",
					GPA + 3 * SZ_1M, LARGE_BAR + 3 * SZ_1M);
		world_end(&w);
	}
}

/* Where the VMA's flags are looked at, and before the fault that sets them. */
static void vm_pfnmap_that_comes_in_the_fault_is_too_late_for_a_guest(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		static const char text[] =
			"VM_PFNMAP set too late: device memory is mapped as memory";
		struct world w = arm64_world(k->release);
		struct ms_vm *vm = ms_vm_new(w.mm, 40);
		bool too_late = false;

		map(&w, A, 16, ms_linux_file(w.m, &lazy_fops, O_RDWR, NULL));
		ms_vm_set_slot(vm, 1, GPA, 16 * PAGE_SIZE, A, 0);
		assert_int_equal(ms_guest_read(vm, GPA + PAGE_SIZE).exit, MS_GUEST_OK);
		for (size_t n = 0; n < ms_violations(w.m); n++) {
			if (strcmp(violation(&w, n), text))
				continue;
			assert_violated(&w, n, text, A + PAGE_SIZE, LARGE_BAR + PAGE_SIZE);
			too_late = true;
		}
		assert_int_equal(too_late, k->s2_device_test ==
						   MS_S2_DEVICE_TEST_VMA_FLAG_AND_NOT_MAP_MEMORY);
		world_end(&w);
	}
}

/* The driver takes away what it has just mapped. */
static void take_away_once(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	(void)addr;
	ms_machine_set_hook(m, point, NULL, NULL);
	ms_unmap_mapping_range(arg, 0, 0, true);
}

/* The fault begins again, and finds VM_PFNMAP in time. */
static void vm_pfnmap_in_a_fault_that_begins_again_is_no_violation(void **state)
{
	struct world w = arm64_world("7.2.13");
	struct file *file = ms_linux_file(w.m, &lazy_fops, O_RDWR, NULL);
	struct ms_vm *vm = ms_vm_new(w.mm, 40);
	struct ms_guest_access access;
	struct ms_s2_leaf leaf;

	(void)state;
	map(&w, A, 16, file);
	ms_vm_set_slot(vm, 1, GPA, 16 * PAGE_SIZE, A, 0);
	ms_machine_set_hook(w.m, MS_HOOK_S2_MMU_LOCK, take_away_once, file);
	access = ms_guest_read(vm, GPA + PAGE_SIZE);
	assert_int_equal(access.exit, MS_GUEST_OK);
	leaf = access.leaf;
	assert_true(leaf.prot & MS_PROT_DEVICE);
	for (size_t n = 0; n < ms_violations(w.m); n++)
		assert_string_equal(violation(&w, n), "");
	world_end(&w);
}

/* ---- memory types ---- */

/* Of old the reservation of three pages is given back piece by piece, as VMAs go. */
static void a_hole_in_a_tracked_vma_frees_an_invalid_memtype(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct world w = world(k->release);

		map(&w, A, 3, ms_linux_file(w.m, &remap_fops, O_RDWR, NULL));
		assert_int_equal(ms_violations(w.m), 0);
		ms_munmap(w.mm, A + PAGE_SIZE, PAGE_SIZE);
		if (k->untrack_at == MS_UNTRACK_AT_LAST_VMA_FREED) {
			ms_munmap(w.mm, A, 3 * PAGE_SIZE);
			assert_int_equal(ms_violations(w.m), 0);
			assert_int_equal(ms_linux_leaks(w.m), 0);
		} else {
			assert_violated(&w, 0, "x86/PAT: freeing invalid memtype", BAR + PAGE_SIZE,
					BAR + PAGE_SIZE);
		}
		world_end(&w);
	}
}

/* Where the child is marked as tracked before its pages are copied. */
static void a_tracked_child_that_failed_for_memory_has_no_first_page(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		static const char text[] = "PAT: the first page of a tracked VMA is not mapped";
		struct world w = world(k->release);
		struct mm_struct *child = NULL;
		bool found = false;

		map(&w, A, 2, ms_linux_file(w.m, &remap_fops, O_RDWR, NULL));
		for (unsigned int n = 1; !child; n++) {
			ms_machine_fail_alloc(w.m, n);
			child = ms_fork(w.mm);
		}
		for (size_t n = 0; n < ms_violations(w.m); n++)
			found |= !strcmp(violation(&w, n), text);
		assert_int_equal(found, k->fork_tracking == MS_FORK_TRACKING_FLAG_INHERITED);
		world_end(&w);
	}
}

/* ---- leaks ---- */

static void a_reservation_that_nobody_will_free_is_a_leak(void **state)
{
	struct world w = world("6.1.192");
	uint64_t before;

	map(&w, A, 3, ms_linux_file(w.m, &remap_fops, O_RDWR, NULL));
	assert_int_equal(ms_linux_leaks(w.m), 0);
	ms_munmap(w.mm, A, PAGE_SIZE);
	ms_munmap(w.mm, A + PAGE_SIZE, 2 * PAGE_SIZE);
	before = ms_violations(w.m);
	assert_int_equal(ms_linux_leaks(w.m), 1);
	assert_violated(&w, before, "a memtype reservation is never freed", BAR, BAR);
	world_end(&w);
}

static struct miscdevice forgotten = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "forgotten",
	.fops = &remap_fops,
};

static void what_a_driver_does_not_give_back_is_a_leak(void **state)
{
	static DEFINE_MUTEX(lock);
	struct world w = world("6.12.117");
	struct page *page = alloc_page(GFP_KERNEL);
	void *p = kmalloc(24, GFP_KERNEL);
	void __iomem *regs = ioremap(BAR, PAGE_SIZE);

	request_mem_region(BAR, PAGE_SIZE, "forgotten");
	misc_register(&forgotten);
	mutex_lock(&lock);
	assert_int_equal(ms_linux_leaks(w.m), 6);
	assert_violated(&w, 0, "kmalloc of 24 bytes is never freed", 0, 0);
	assert_violated(&w, 1, "pages of RAM are never freed", page_to_phys(page),
			page_to_phys(page));
	assert_violated(&w, 2, "request_mem_region without release_mem_region", BAR, BAR);
	assert_violated(&w, 3, "ioremap without iounmap", BAR, BAR);
	assert_violated(&w, 4, "a lock is still held", 0, 0);
	assert_violated(&w, 5, "misc device forgotten is never deregistered", 0, 0);
	mutex_unlock(&lock);
	misc_deregister(&forgotten);
	iounmap(regs);
	release_mem_region(BAR, PAGE_SIZE);
	kfree(p);
	put_page(page);
	assert_int_equal(ms_linux_leaks(w.m), 0);
	assert_int_equal(ms_violations(w.m), 6);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_that_kept_its_pages_is_found_when_it_touches_them),
		cmocka_unit_test(a_guest_is_found_too),
		cmocka_unit_test(vfios_forked_child_survives_where_open_comes_before_the_copy),
		cmocka_unit_test(a_mistake_is_told_once_in_a_vma_with_the_drivers_name),
		cmocka_unit_test(a_file_without_a_device_has_its_sources_or_its_own_name),
		cmocka_unit_test(a_process_and_a_guest_name_the_vma_that_survived),
		cmocka_unit_test(a_guest_block_beyond_its_vma_is_found),
		cmocka_unit_test(vm_pfnmap_that_comes_in_the_fault_is_too_late_for_a_guest),
		cmocka_unit_test(vm_pfnmap_in_a_fault_that_begins_again_is_no_violation),
		cmocka_unit_test(a_hole_in_a_tracked_vma_frees_an_invalid_memtype),
		cmocka_unit_test(a_tracked_child_that_failed_for_memory_has_no_first_page),
		cmocka_unit_test(a_reservation_that_nobody_will_free_is_a_leak),
		cmocka_unit_test(what_a_driver_does_not_give_back_is_a_leak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
