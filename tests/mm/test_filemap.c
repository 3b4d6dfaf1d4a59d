/* SPDX-License-Identifier: GPL-2.0-only */
/* Absent entries of VMAs with vm_ops: what a handler's answer becomes, and fault-around. */
#include "world.h"

#include "mm/internal.h"

/* What the handler of the test's driver answers, and what it has seen. */
struct driver {
	ms_vm_fault_t ret;
	ms_vm_fault_t mkwrite;
	ms_pfn_t pfn;
	unsigned int faults, mkwrites;
	unsigned int flags, mkwrite_flags;
	uint64_t pgoff;
	bool insert;
};

static ms_vm_fault_t fault(struct ms_vm_fault *vmf)
{
	struct driver *d = vmf->vma->vm_private_data;

	d->faults++;
	d->flags = vmf->flags;
	d->pgoff = vmf->pgoff;
	vmf->pfn = d->pfn;
	if (d->insert)
		return ms_vmf_insert_pfn(vmf->vma, vmf->address, d->pfn);
	return d->ret;
}

static ms_vm_fault_t page_mkwrite(struct ms_vm_fault *vmf)
{
	struct driver *d = vmf->vma->vm_private_data;

	d->mkwrites++;
	d->mkwrite_flags = vmf->flags;
	return d->mkwrite;
}

static int driver_mmap(struct ms_file *file, struct ms_vma *vma)
{
	static const struct ms_vm_ops ops = { .fault = fault };

	vma->vm_ops = &ops;
	vma->vm_private_data = ms_file_priv(file);
	return 0;
}

static int driver_mmap_mkwrite(struct ms_file *file, struct ms_vma *vma)
{
	static const struct ms_vm_ops ops = { .fault = fault, .page_mkwrite = page_mkwrite };

	vma->vm_ops = &ops;
	vma->vm_private_data = ms_file_priv(file);
	return 0;
}

static int driver_mmap_no_fault(struct ms_file *file, struct ms_vma *vma)
{
	static const struct ms_vm_ops ops = { .fault = NULL };

	vma->vm_ops = &ops;
	return 0;
}

static const struct ms_file_ops plain = { .name = "plain", .mmap = driver_mmap };
static const struct ms_file_ops notified = { .name = "notified", .mmap = driver_mmap_mkwrite };
static const struct ms_file_ops no_fault = { .name = "no fault", .mmap = driver_mmap_no_fault };

static struct ms_vma *map_driver(struct world *w, const struct ms_file_ops *ops, struct driver *d,
				 unsigned int kind)
{
	struct ms_file *file = ms_file_new(w->m, ops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, d);

	assert_non_null(file);
	assert_int_equal(
		ms_mmap(w->mm, A, 4 * PAGE, MS_PROT_RW, kind | MS_MAP_FIXED, file, 5 * PAGE), A);
	return ms_vma_lookup(w->mm, A);
}

static ms_pfn_t some_page(struct world *w)
{
	ms_pfn_t pfn;

	assert_true(ms_page_alloc(w->m, 0, 0, &pfn));
	return pfn;
}

/* The driver gives its page back. */
static void driver_end(struct world *w, const struct driver *d)
{
	ms_page_put(w->m, d->pfn, 1);
	world_end(w);
}

static uint32_t refs(struct world *w, ms_pfn_t pfn)
{
	return ms_pfn_to_page(w->m, pfn)->refcount;
}

static uint64_t entry_at(const struct world *w, ms_hva_t addr)
{
	struct ms_host_leaf leaf;

	return ms_host_leaf(w->mm, addr, &leaf) ? leaf.entry : 0;
}

static uint64_t violations(const struct world *w)
{
	return ms_trace_total(w->m, MS_EV_VIOLATION);
}

/* ---- answers ---- */

static void a_vma_without_a_handler_is_sigbus(void **state)
{
	struct world w = world("6.12.117");

	map_driver(&w, &no_fault, NULL, MS_MAP_SHARED);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_SIGBUS);
	world_end(&w);
}

static void errors_of_the_handler_become_signals(void **state)
{
	static const struct {
		ms_vm_fault_t ret;
		enum ms_access access;
	} cases[] = {
		{ MS_VM_FAULT_SIGBUS, MS_ACCESS_SIGBUS },
		{ MS_VM_FAULT_HWPOISON, MS_ACCESS_SIGBUS },
		{ MS_VM_FAULT_OOM, MS_ACCESS_OOM },
		{ MS_VM_FAULT_SIGSEGV, MS_ACCESS_SIGSEGV },
	};

	for (size_t i = 0; i < 4; i++) {
		struct world w = world("6.12.117");
		struct driver d = { .ret = cases[i].ret };

		map_driver(&w, &plain, &d, MS_MAP_SHARED);
		assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), cases[i].access);
		assert_int_equal(d.faults, 1);
		assert_int_equal(entry_at(&w, A), 0);
		world_end(&w);
	}
}

static void the_handler_sees_the_page_offset_and_the_write(void **state)
{
	struct world w = world("6.12.117");
	struct driver d = { .ret = MS_VM_FAULT_SIGBUS };

	map_driver(&w, &plain, &d, MS_MAP_SHARED);
	ms_touch(w.mm, A + 2 * PAGE, MS_PROT_R);
	assert_int_equal(d.pgoff, 7);
	assert_int_equal(d.flags & MS_FAULT_FLAG_WRITE, 0);
	ms_touch(w.mm, A + 2 * PAGE, MS_PROT_W);
	assert_int_equal(d.flags & MS_FAULT_FLAG_WRITE, MS_FAULT_FLAG_WRITE);
	world_end(&w);
}

static void a_handler_that_inserts_says_nopage(void **state)
{
	struct world w = world("6.12.117");
	struct driver d = { .pfn = 0x8000000, .insert = true };

	map_driver(&w, &plain, &d, MS_MAP_SHARED)->vm_flags |= MS_VM_PFNMAP;
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(d.faults, 1);
	assert_true(entry_at(&w, A) & MS_PTE_SPECIAL);
	world_end(&w);
}

static void a_handler_that_says_nopage_and_inserts_nothing_is_endless(void **state)
{
	struct world w = world("6.12.117");
	struct driver d = { .ret = MS_VM_FAULT_NOPAGE };

	map_driver(&w, &plain, &d, MS_MAP_SHARED);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_ENDLESS);
	assert_int_equal(violations(&w), 1);
	world_end(&w);
}

static void fallback_to_a_fault_of_one_page_is_a_violation(void **state)
{
	struct world w = world("6.12.117");
	struct driver d = { .ret = MS_VM_FAULT_FALLBACK };

	map_driver(&w, &plain, &d, MS_MAP_SHARED);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	assert_int_equal(violations(&w), 1);
	world_end(&w);
}

static void a_page_that_is_no_ram_is_a_violation(void **state)
{
	struct world w = world("6.12.117");
	struct driver d = { .ret = MS_VM_FAULT_LOCKED, .pfn = 0x8000000 };

	map_driver(&w, &plain, &d, MS_MAP_SHARED);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	assert_int_equal(violations(&w), 1);
	world_end(&w);
}

/* ---- pages ---- */

static void a_read_of_a_shared_writable_mapping_maps_writable_and_clean(void **state)
{
	struct world w = world("6.12.117");
	struct driver d = { .ret = MS_VM_FAULT_LOCKED, .pfn = some_page(&w) };

	map_driver(&w, &plain, &d, MS_MAP_SHARED);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(entry_at(&w, A),
			 d.pfn << 12 | MS_PTE_PRESENT | MS_PTE_WRITE | MS_PTE_YOUNG);
	assert_int_equal(refs(&w, d.pfn), 2);
	assert_int_equal(ms_munmap(w.mm, A, 4 * PAGE), 0);
	assert_int_equal(refs(&w, d.pfn), 1);
	driver_end(&w, &d);
}

static void a_read_of_a_private_mapping_maps_the_files_page_read_only(void **state)
{
	struct world w = world("6.12.117");
	struct driver d = { .ret = MS_VM_FAULT_LOCKED, .pfn = some_page(&w) };

	map_driver(&w, &plain, &d, MS_MAP_PRIVATE);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(entry_at(&w, A), d.pfn << 12 | MS_PTE_PRESENT | MS_PTE_YOUNG);
	driver_end(&w, &d);
}

static void a_write_to_a_private_mapping_copies_at_once_and_notifies_nobody(void **state)
{
	struct world w = world("6.12.117");
	struct driver d = { .ret = MS_VM_FAULT_LOCKED, .pfn = some_page(&w) };
	uint64_t entry;

	map_driver(&w, &plain, &d, MS_MAP_PRIVATE);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	entry = entry_at(&w, A);
	assert_int_not_equal((entry & MS_PTE_PA_MASK) >> 12, d.pfn);
	assert_true(entry & MS_PTE_WRITE);
	assert_true(entry & MS_PTE_DIRTY);
	assert_int_equal(refs(&w, d.pfn), 1);
	assert_int_equal(ms_trace_count(w.m, MS_EV_NOTIFIER_START), 0);
	driver_end(&w, &d);
}

/* The copy is new, and the queue to the LRU lists holds it: 5.10 copies it once more. */
static void a_fresh_copy_is_copied_again_after_mprotect_up_to_5_17(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);
		struct driver d = { .ret = MS_VM_FAULT_LOCKED, .pfn = some_page(&w) };

		map_driver(&w, &plain, &d, MS_MAP_PRIVATE);
		assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
		assert_int_equal(ms_mprotect(w.mm, A, PAGE, MS_PROT_R), 0);
		assert_int_equal(ms_mprotect(w.mm, A, PAGE, MS_PROT_RW), 0);
		ms_trace_clear(w.m);
		assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
		assert_int_equal(ms_trace_count(w.m, MS_EV_NOTIFIER_START),
				 k->anon_reuse == MS_ANON_REUSE_SOLE_REFERENCE);
		driver_end(&w, &d);
	}
}

static void a_write_after_a_read_of_a_private_mapping_notifies_one_page(void **state)
{
	struct world w = world("6.12.117");
	struct driver d = { .ret = MS_VM_FAULT_LOCKED, .pfn = some_page(&w) };

	map_driver(&w, &plain, &d, MS_MAP_PRIVATE);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A, PAGE);
	assert_int_equal(refs(&w, d.pfn), 1);
	driver_end(&w, &d);
}

static void a_failing_handler_of_a_private_write_leaves_no_page(void **state)
{
	struct world w = world("6.12.117");
	struct driver d = { .ret = MS_VM_FAULT_SIGBUS };
	uint64_t free_pages;

	map_driver(&w, &plain, &d, MS_MAP_PRIVATE);
	free_pages = ms_ram_free_pages(w.m);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_SIGBUS);
	assert_int_equal(ms_ram_free_pages(w.m), free_pages);
	world_end(&w);
}

/* ---- page_mkwrite ---- */

static void a_shared_write_asks_page_mkwrite(void **state)
{
	struct world w = world("6.12.117");
	struct driver d = { .ret = MS_VM_FAULT_LOCKED, .mkwrite = MS_VM_FAULT_LOCKED };

	d.pfn = some_page(&w);
	map_driver(&w, &notified, &d, MS_MAP_SHARED);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(d.faults, 1);
	assert_int_equal(d.mkwrites, 1);
	assert_int_equal(d.mkwrite_flags, MS_FAULT_FLAG_WRITE | MS_FAULT_FLAG_MKWRITE);
	assert_true(entry_at(&w, A) & MS_PTE_WRITE);
	driver_end(&w, &d);
}

static void a_shared_read_with_page_mkwrite_maps_read_only(void **state)
{
	struct world w = world("6.12.117");
	struct driver d = { .ret = MS_VM_FAULT_LOCKED, .mkwrite = MS_VM_FAULT_LOCKED };

	d.pfn = some_page(&w);
	map_driver(&w, &notified, &d, MS_MAP_SHARED);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_false(entry_at(&w, A) & MS_PTE_WRITE);
	assert_int_equal(d.mkwrites, 0);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(d.mkwrites, 1);
	assert_int_equal(d.faults, 1);
	driver_end(&w, &d);
}

static void a_refusing_page_mkwrite_maps_nothing(void **state)
{
	struct world w = world("6.12.117");
	struct driver d = { .ret = MS_VM_FAULT_LOCKED, .mkwrite = MS_VM_FAULT_SIGBUS };

	d.pfn = some_page(&w);
	map_driver(&w, &notified, &d, MS_MAP_SHARED);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_SIGBUS);
	assert_int_equal(entry_at(&w, A), 0);
	assert_int_equal(refs(&w, d.pfn), 1);
	driver_end(&w, &d);
}

/* ---- out of memory ---- */

static void every_allocation_may_fail(void **state)
{
	static const unsigned int kinds[] = { MS_MAP_SHARED, MS_MAP_PRIVATE };

	for (size_t i = 0; i < 2; i++) {
		enum ms_access access = MS_ACCESS_OOM;

		for (uint64_t n = 1; access == MS_ACCESS_OOM; n++) {
			struct world w = world("6.12.117");
			struct driver d = { .ret = MS_VM_FAULT_LOCKED, .pfn = some_page(&w) };

			map_driver(&w, &plain, &d, kinds[i]);
			ms_machine_fail_alloc(w.m, n);
			access = ms_touch(w.mm, A, MS_PROT_W);
			ms_machine_fail_alloc(w.m, 0);
			if (access == MS_ACCESS_OOM)
				assert_int_equal(entry_at(&w, A), 0);
			assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
			assert_int_equal(ms_munmap(w.mm, A, 4 * PAGE), 0);
			assert_int_equal(refs(&w, d.pfn), 1);
			driver_end(&w, &d);
		}
		assert_int_equal(access, MS_ACCESS_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vma_without_a_handler_is_sigbus),
		cmocka_unit_test(errors_of_the_handler_become_signals),
		cmocka_unit_test(the_handler_sees_the_page_offset_and_the_write),
		cmocka_unit_test(a_handler_that_inserts_says_nopage),
		cmocka_unit_test(a_handler_that_says_nopage_and_inserts_nothing_is_endless),
		cmocka_unit_test(fallback_to_a_fault_of_one_page_is_a_violation),
		cmocka_unit_test(a_page_that_is_no_ram_is_a_violation),
		cmocka_unit_test(a_read_of_a_shared_writable_mapping_maps_writable_and_clean),
		cmocka_unit_test(a_read_of_a_private_mapping_maps_the_files_page_read_only),
		cmocka_unit_test(a_write_to_a_private_mapping_copies_at_once_and_notifies_nobody),
		cmocka_unit_test(a_fresh_copy_is_copied_again_after_mprotect_up_to_5_17),
		cmocka_unit_test(a_write_after_a_read_of_a_private_mapping_notifies_one_page),
		cmocka_unit_test(a_failing_handler_of_a_private_write_leaves_no_page),
		cmocka_unit_test(a_shared_write_asks_page_mkwrite),
		cmocka_unit_test(a_shared_read_with_page_mkwrite_maps_read_only),
		cmocka_unit_test(a_refusing_page_mkwrite_maps_nothing),
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
