/* SPDX-License-Identifier: GPL-2.0-only */
/* Who may change a VMA's flags, and what a zap says of raw entries in a VMA without the flags. */
#include "pfnmap_world.h"

static ms_vm_fault_t remap_in_fault(struct ms_vm_fault *vmf)
{
	struct ms_vma *vma = vmf->vma;

	return ms_remap_pfn_range(vma, vma->vm_start, BAR_PFN, vma->vm_end - vma->vm_start,
				  vma->vm_page_prot)
		       ? MS_VM_FAULT_SIGBUS
		       : MS_VM_FAULT_NOPAGE;
}

static int mmap_lazy(struct ms_file *file, struct ms_vma *vma)
{
	static const struct ms_vm_ops ops = { .fault = remap_in_fault };

	vma->vm_ops = &ops;
	return 0;
}

static int mmap_at_once(struct ms_file *file, struct ms_vma *vma)
{
	static const struct ms_vm_ops none = { .open = NULL };

	vma->vm_ops = &none;
	return ms_remap_pfn_range(vma, vma->vm_start, BAR_PFN, vma->vm_end - vma->vm_start,
				  vma->vm_page_prot);
}

static uint64_t violations_of(int (*mmap)(struct ms_file *, struct ms_vma *),
			      enum ms_policy_vma_flags_lock lock)
{
	const struct ms_file_ops ops = { .name = "lazy", .mmap = mmap };
	struct ms_policy policy = *ms_policy_linux("6.12.117", MS_ARCH_ARM64);
	struct ms_machine *m;
	struct ms_mm *mm;
	struct ms_file *file;
	uint64_t count;

	policy.vma_flags_lock = lock;
	m = ms_machine_new(&policy);
	assert_non_null(m);
	mm = ms_mm_new(m);
	file = ms_file_new(m, &ops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, NULL);
	assert_int_equal(
		ms_mmap(mm, A, 4 * PAGE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, file, 0), A);
	assert_int_equal(ms_touch(mm, A, MS_PROT_R), MS_ACCESS_OK);
	count = ms_violations(m);
	if (count) {
		assert_string_equal(ms_violation_get(m, 0)->reason,
				    "mmap lock not held for writing");
		assert_int_equal(ms_violation_get(m, 0)->addr, A);
	}
	ms_machine_free(m);
	return count;
}

static void remap_in_a_fault_is_noticed_by_policy(void **state)
{
	assert_int_equal(violations_of(mmap_lazy, MS_VMA_FLAGS_LOCK_UNCHECKED), 0);
	assert_int_equal(violations_of(mmap_lazy, MS_VMA_FLAGS_LOCK_ASSERTED), 1);
	assert_int_equal(violations_of(mmap_lazy, MS_VMA_FLAGS_LOCK_ASSERTED_NOT_BY_REMAP), 0);
}

static void remap_in_mmap_never_is(void **state)
{
	for (int lock = 0; lock <= MS_VMA_FLAGS_LOCK_ASSERTED_NOT_BY_REMAP; lock++)
		assert_int_equal(violations_of(mmap_at_once, (enum ms_policy_vma_flags_lock)lock),
				 0);
}

static ms_vm_fault_t insert_page_in_fault(struct ms_vm_fault *vmf)
{
	ms_pfn_t page = ms_zero_pfn(ms_mm_machine(vmf->vma->vm_mm));

	return ms_vm_insert_page(vmf->vma, vmf->address, page) ? MS_VM_FAULT_SIGBUS
							       : MS_VM_FAULT_NOPAGE;
}

static int mmap_page(struct ms_file *file, struct ms_vma *vma)
{
	static const struct ms_vm_ops ops = { .fault = insert_page_in_fault };

	vma->vm_ops = &ops;
	if (ms_file_priv(file))
		vma->vm_flags |= MS_VM_MIXEDMAP;
	return 0;
}

/* vm_insert_page: BUG_ON(mmap_read_trylock), where it would have to set VM_MIXEDMAP itself. */
static void a_page_inserted_by_a_fault_needs_mixedmap_before(void **state)
{
	static const struct ms_file_ops ops = { .name = "page", .mmap = mmap_page };
	static int yes;

	for (int mixed = 0; mixed <= 1; mixed++) {
		struct world w = world_of("6.1.192", MS_ARCH_X86_64, &ops);
		struct ms_file *file = ms_file_new(w.m, &ops, MS_FMODE_READ | MS_FMODE_WRITE, 0,
						   NULL, mixed ? &yes : NULL);

		ms_mmap(w.mm, A, PAGE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, file, 0);
		assert_int_equal(ms_touch(w.mm, A, MS_PROT_R),
				 mixed ? MS_ACCESS_OK : MS_ACCESS_SIGBUS);
		assert_int_equal(ms_violations(w.m), !mixed);
		world_end(&w);
	}
}

/* print_bad_pte(): the entry is removed all the same. */
static void a_zap_of_raw_entries_in_an_ordinary_vma_is_a_bad_page_map(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 2, MS_VM_PFNMAP);
	const struct ms_event *ev;

	ms_vmf_insert_pfn(vma, A + PAGE, BAR_PFN + 7);
	vma->vm_flags &= ~MS_VM_PFNMAP;
	ms_munmap(w.mm, A, 2 * PAGE);
	assert_int_equal(ms_violations(w.m), 1);
	ev = ms_violation_get(w.m, 0);
	assert_string_equal(ev->reason, "bad page map: special entry in an ordinary VMA");
	assert_int_equal(ev->addr, A + PAGE);
	assert_int_equal(ev->pa, BAR + 7 * PAGE);
	assert_int_equal(entry_at(&w, A + PAGE, PAGE), 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remap_in_a_fault_is_noticed_by_policy),
		cmocka_unit_test(remap_in_mmap_never_is),
		cmocka_unit_test(a_page_inserted_by_a_fault_needs_mixedmap_before),
		cmocka_unit_test(a_zap_of_raw_entries_in_an_ordinary_vma_is_a_bad_page_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
