/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each kind of violation as a driver brings it about: the condition in words, and the place. What a
 * WARN, a lock or an allocation says is in test_messages.c, test_locks.c and test_memory.c; a bad
 * page map in tests/field/copied_vma.c.
 */
#include "world.h"

#include <mapsim/kvm.h>

#define LARGE_BAR 0x4000000000ul
#define GPA 0x80000000ul

static void assert_violated(const struct world *w, size_t i, const char *text, uint64_t addr,
			    ms_pa_t pa)
{
	const struct ms_event *ev = ms_violation_get(w->m, i);

	assert_non_null(ev);
	assert_string_equal(ev->reason, text);
	assert_int_equal(ev->addr, addr);
	assert_int_equal(ev->pa, pa);
}

static struct world arm64_world(const char *release)
{
	struct world w = world_of(ms_policy_linux(release, MS_ARCH_ARM64));

	assert_non_null(ms_device_add(w.m, "large", LARGE_BAR, SZ_1G));
	return w;
}

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

/* ---- entries where the driver has no VMA ---- */

static vm_fault_t huge_fault(struct vm_fault *vmf, unsigned int order)
{
	return order == PMD_ORDER ? vmf_insert_pfn_pmd(vmf, PHYS_PFN(LARGE_BAR), false)
				  : VM_FAULT_FALLBACK;
}

static int outside_mmap(struct file *file, struct vm_area_struct *vma)
{
	const unsigned long *addr = file->private_data;

	remap_pfn_range(vma, *addr, PHYS_PFN(BAR), SZ_2M + PAGE_SIZE, vma->vm_page_prot);
	return -EAGAIN;
}

/*
 *   VMA     |--|             goes, and with it the tables above its page
 *   remap      |=========|   its second table would be lost
 */
static void what_is_remapped_outside_of_the_vma_is_found(void **state)
{
	static const struct file_operations fops = { .mmap = outside_mmap };
	static const char *const release[] = { "5.10.223", "6.12.117", "7.2.13" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(release); i++) {
		struct world w = world(release[i]);
		unsigned long addr = A + PAGE_SIZE;
		struct mm_struct *mm = ms_mm_new(w.m);

		w.mm = mm;
		assert_int_equal(map(&w, A, 1, ms_linux_file(w.m, &fops, O_RDWR, &addr)), -EAGAIN);
		assert_violated(&w, 0, "remap_pfn_range: range outside of the VMA", addr, 0);
		ms_mm_exit(mm);
		assert_string_equal(violation(&w, ms_violations(w.m) - 1),
				    "non-zero pgtables_bytes on freeing mm");
		world_end(&w);
	}
}

/*
 *   VMAs    |-|              |-|   go one by one, with the tables that they have a part in
 *   remap            |=|           is in nobody's: lost with the table above
 */
static void what_is_remapped_between_two_vmas_is_found(void **state)
{
	static const struct file_operations fops = { .mmap = outside_mmap };
	static const struct file_operations large = { .mmap = large_mmap };
	unsigned long between = A + SZ_8M;
	struct world w = arm64_world("6.12.117");
	struct file *file = ms_linux_file(w.m, &large, O_RDWR, NULL);

	(void)state;
	map(&w, A, 1, file);
	map(&w, A + SZ_16M, 1, file);
	ms_touch(w.mm, A, MS_PROT_R);
	assert_int_equal(map(&w, A + SZ_4M, 1, ms_linux_file(w.m, &fops, O_RDWR, &between)),
			 -EAGAIN);
	assert_violated(&w, 0, "remap_pfn_range: range outside of the VMA", between, 0);
	ms_mm_exit(w.mm);
	assert_int_equal(ms_violations(w.m), 2);
	assert_string_equal(violation(&w, 1), "non-zero pgtables_bytes on freeing mm");
	world_end(&w);
}

static void inserting_close(struct vm_area_struct *vma)
{
	vmf_insert_pfn(vma, vma->vm_start, PHYS_PFN(BAR));
}

static int closing_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .close = inserting_close };

	vm_flags_set(vma, VM_IO | VM_PFNMAP);
	vma->vm_ops = &ops;
	return 0;
}

static void what_a_close_inserts_is_found_when_the_process_ends(void **state)
{
	static const struct file_operations fops = { .mmap = closing_mmap };
	struct world w = arm64_world("6.12.117");

	(void)state;
	map(&w, A, 1, ms_linux_file(w.m, &fops, O_RDWR, NULL));
	ms_munmap(w.mm, A, PAGE_SIZE);
	assert_int_equal(ms_violations(w.m), 0);
	ms_mm_exit(w.mm);
	assert_string_equal(violation(&w, 0), "non-zero pgtables_bytes on freeing mm");
	world_end(&w);
}

static int huge_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .huge_fault = huge_fault };

	vm_flags_set(vma, VM_IO | VM_PFNMAP);
	vma->vm_ops = &ops;
	return 0;
}

/* The kernel asks for a leaf that begins in the VMA; that it ends there is the driver's to see to.
 */
static void a_huge_leaf_beyond_its_vma_is_found(void **state)
{
	static const struct file_operations fops = { .mmap = huge_mmap };
	struct world w = arm64_world("6.12.117");
	struct vm_area_struct *vma;
	struct vm_fault vmf;

	(void)state;
	map(&w, A, 16, ms_linux_file(w.m, &fops, O_RDWR, NULL));
	vma = vma_lookup(w.mm, A);
	vmf = (struct vm_fault){ .vma = vma, .address = A };
	assert_int_equal(huge_fault(&vmf, PMD_ORDER), VM_FAULT_NOPAGE);
	assert_violated(&w, 0, "huge leaf reaches beyond its VMA", A, 0);
	ms_linux_use(NULL);
	ms_machine_free(w.m); // not in order as it is
}

/*
 *   VMAs      |driver| anonymous |
 *   block     |=================================|   the driver's, with no table put by
 */
static void a_huge_leaf_that_reaches_into_anonymous_memory_is_none_of_it(void **state)
{
	static const struct file_operations fops = { .mmap = huge_mmap };
	struct world w = arm64_world("6.12.117");
	const unsigned long anonymous = A + 16 * PAGE_SIZE;
	struct ms_host_leaf leaf;
	struct vm_fault vmf;

	(void)state;
	ms_mmap(w.mm, A, 16 * PAGE_SIZE, MS_PROT_R, MS_MAP_SHARED | MS_MAP_FIXED,
		ms_linux_file(w.m, &fops, O_RDWR, NULL), 0);
	vmf = (struct vm_fault){ .vma = vma_lookup(w.mm, A), .address = A };
	huge_fault(&vmf, PMD_ORDER);
	ms_mmap(w.mm, anonymous, 16 * PAGE_SIZE, MS_PROT_RW,
		MS_MAP_PRIVATE | MS_MAP_ANONYMOUS | MS_MAP_FIXED, NULL, 0);
	assert_int_equal(ms_violations(w.m), 1);
	assert_int_equal(ms_touch(w.mm, anonymous, MS_PROT_W), MS_ACCESS_OK);
	assert_violated(&w, 1, "write to a raw huge leaf in an anonymous VMA", anonymous, 0);
	assert_true(ms_host_leaf(w.mm, anonymous, &leaf));
	assert_int_equal(leaf.size, PAGE_SIZE);

	ms_munmap(w.mm, anonymous, 16 * PAGE_SIZE);
	huge_fault(&vmf, PMD_ORDER); // there is a table now
	assert_int_equal(pa_of(&w, anonymous), 0);
	world_end(&w);
}

static void remapping_open(struct vm_area_struct *vma)
{
	remap_pfn_range(vma, A + SZ_2M, PHYS_PFN(BAR), PAGE_SIZE, vma->vm_page_prot);
}

static int remapping_open_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .open = remapping_open };

	vma->vm_ops = &ops;
	return 0;
}

/*
 *   parent          |-|     |======= block =======|
 *   child: open     |-|     |=|                      a page where the next VMA will be
 *          copy     |-|     |======= block =======|  takes the place of the page's table
 */
static void a_table_that_a_fork_writes_a_block_over_is_found(void **state)
{
	static const struct file_operations fops = { .mmap = remapping_open_mmap };
	static const struct file_operations blocks = { .mmap = huge_mmap };
	struct world w = arm64_world("6.12.117");
	struct mm_struct *child;

	(void)state;
	map(&w, A, 1, ms_linux_file(w.m, &fops, O_RDWR, NULL));
	map(&w, A + SZ_2M, SZ_2M >> PAGE_SHIFT, ms_linux_file(w.m, &blocks, O_RDWR, NULL));
	assert_int_equal(ms_touch(w.mm, A + SZ_2M, MS_PROT_R), MS_ACCESS_OK);
	child = ms_fork(w.mm, NULL);
	assert_violated(&w, 0, "remap_pfn_range: range outside of the VMA", A + SZ_2M, 0);
	assert_int_equal(pa_of(&(struct world){ .m = w.m, .mm = child }, A + SZ_2M), LARGE_BAR);
	ms_mm_exit(child);
	assert_int_equal(ms_violations(w.m), 2);
	assert_string_equal(violation(&w, 1), "non-zero pgtables_bytes on freeing mm");
	ms_mm_exit(w.mm);
	assert_int_equal(ms_violations(w.m), 2);
	world_end(&w);
}

/* ---- an access that survives a revoke ---- */

static void a_process_that_kept_its_pages_is_found_when_it_touches_them(void **state)
{
	struct world w = world("6.12.117");
	struct file *file = ms_linux_file(w.m, &remap_fops, O_RDWR, NULL);
	struct ms_device *bar = ms_device_find(w.m, "bar");

	(void)state;
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

	(void)state;
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

/* vfio-pci up to 6.9 learns of a child's VMA when the child faults; 6.1.192 copies the pages first.
 */
static void vfios_forked_child_survives_in_6_1_192(void **state)
{
	static const struct {
		const char *release;
		unsigned int violations;
	} kernel[] = { { "5.10.223", 0 }, { "6.1.192", 1 }, { "6.12.117", 0 }, { "7.2.13", 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kernel); i++) {
		struct world w = world(kernel[i].release);
		struct file *file = ms_vfio_open(ms_device_find(w.m, "bar"));
		struct mm_struct *child;

		assert_int_equal(ms_mmap(w.mm, A, PAGE_SIZE, MS_PROT_RW,
					 MS_MAP_SHARED | MS_MAP_FIXED, file, ms_vfio_offset(file)),
				 A);
		ms_touch(w.mm, A, MS_PROT_R);
		child = ms_fork(w.mm, NULL);
		ms_vfio_set_memory(file, false);
		ms_touch(w.mm, A, MS_PROT_R);
		ms_touch(child, A, MS_PROT_R);
		assert_int_equal(ms_violations(w.m), kernel[i].violations);
		world_end(&w);
	}
}

/* ---- guests ---- */

/*
 *   VMA    |--------- 3M ---------|
 *   slot   |--------------- 4M --------------|
 *   block                 |======= 2M =======|   where only the VMA's start is looked at
 */
static void a_guest_block_beyond_its_vma_is_found(void **state)
{
	static const struct {
		const char *release;
		unsigned int violations;
	} kernel[] = { { "6.1.192", 0 }, { "6.12.107", 1 }, { "6.12.117", 0 }, { "7.2.13", 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kernel); i++) {
		struct world w = arm64_world(kernel[i].release);
		struct ms_vm *vm = ms_vm_new(w.mm, 40);

		map(&w, A, (3 * SZ_1M) >> PAGE_SHIFT,
		    ms_linux_file(w.m, &large_fops, O_RDWR, NULL));
		ms_vm_set_slot(vm, 1, GPA, SZ_4M, A, 0);
		assert_int_equal(ms_guest_read(vm, GPA + SZ_2M).exit, MS_GUEST_OK);
		assert_int_equal(ms_violations(w.m), kernel[i].violations);
		if (kernel[i].violations)
			assert_violated(&w, 0, "guest block reaches beyond its VMA",
					GPA + 3 * SZ_1M, LARGE_BAR + 3 * SZ_1M);
		world_end(&w);
	}
}

/* Linux 6.17 and later look at the VMA's flags before the fault that sets them. */
static void vm_pfnmap_that_comes_in_the_fault_is_too_late_for_a_guest(void **state)
{
	static const struct {
		const char *release;
		bool too_late;
	} kernel[] = { { "5.10.223", false },
		       { "6.1.192", false },
		       { "6.12.117", false },
		       { "7.2.13", true } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kernel); i++) {
		static const char text[] =
			"VM_PFNMAP set too late: device memory is mapped as memory";
		struct world w = arm64_world(kernel[i].release);
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
		assert_int_equal(too_late, kernel[i].too_late);
		world_end(&w);
	}
}

/* ---- memory types ---- */

/* Up to 6.15 the reservation of three pages is given back piece by piece, as VMAs go. */
static void a_hole_in_a_tracked_vma_frees_an_invalid_memtype(void **state)
{
	struct world w = world("6.1.192");

	(void)state;
	map(&w, A, 3, ms_linux_file(w.m, &remap_fops, O_RDWR, NULL));
	assert_int_equal(ms_violations(w.m), 0);
	ms_munmap(w.mm, A + PAGE_SIZE, PAGE_SIZE);
	assert_violated(&w, 0, "x86/PAT: freeing invalid memtype", BAR + PAGE_SIZE,
			BAR + PAGE_SIZE);
	world_end(&w);

	w = world("7.2.13");
	map(&w, A, 3, ms_linux_file(w.m, &remap_fops, O_RDWR, NULL));
	ms_munmap(w.mm, A + PAGE_SIZE, PAGE_SIZE);
	ms_munmap(w.mm, A, 3 * PAGE_SIZE);
	assert_int_equal(ms_violations(w.m), 0);
	assert_int_equal(ms_linux_leaks(w.m), 0);
	world_end(&w);
}

/* ---- leaks ---- */

static void a_reservation_that_nobody_will_free_is_a_leak(void **state)
{
	struct world w = world("6.1.192");
	uint64_t before;

	(void)state;
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

	(void)state;
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
		cmocka_unit_test(what_is_remapped_outside_of_the_vma_is_found),
		cmocka_unit_test(what_is_remapped_between_two_vmas_is_found),
		cmocka_unit_test(what_a_close_inserts_is_found_when_the_process_ends),
		cmocka_unit_test(a_huge_leaf_beyond_its_vma_is_found),
		cmocka_unit_test(a_huge_leaf_that_reaches_into_anonymous_memory_is_none_of_it),
		cmocka_unit_test(a_table_that_a_fork_writes_a_block_over_is_found),
		cmocka_unit_test(a_process_that_kept_its_pages_is_found_when_it_touches_them),
		cmocka_unit_test(a_guest_is_found_too),
		cmocka_unit_test(vfios_forked_child_survives_in_6_1_192),
		cmocka_unit_test(a_guest_block_beyond_its_vma_is_found),
		cmocka_unit_test(vm_pfnmap_that_comes_in_the_fault_is_too_late_for_a_guest),
		cmocka_unit_test(a_hole_in_a_tracked_vma_frees_an_invalid_memtype),
		cmocka_unit_test(a_reservation_that_nobody_will_free_is_a_leak),
		cmocka_unit_test(what_a_driver_does_not_give_back_is_a_leak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
