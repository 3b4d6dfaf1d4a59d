/* SPDX-License-Identifier: GPL-2.0-only */
/* What KVM refuses, and the words in which it says why. */
#include "world.h"

#include "kvm/internal.h"

static void assert_why(struct world *w, int err, const char *words)
{
	assert_int_equal(ms_last_refusal(w->m).err, err);
	assert_string_equal(ms_last_reason(w->m), words);
}

struct bad_vm {
	const char *release;
	struct ms_vm_config config;
	const char *words;
};

static void a_vm_is_refused_with_the_field_that_is_wrong(void **state)
{
	static const struct bad_vm bad[] = {
		{ "6.12.107",
		  { .ipa_bits = 31 },
		  "IPA space of 31 bits: this machine's VMs have 32 to 40" },
		{ "6.12.107",
		  { .ipa_bits = 41 },
		  "IPA space of 41 bits: this machine's VMs have 32 to 40" },
		{ "6.12.107",
		  { .dirty_initset = true },
		  "dirty log: INITIALLY_SET without MANUAL_PROTECT_ENABLE" },
		{ "6.1.192", { .split_chunk = MS_2M }, "this kernel splits no blocks eagerly" },
		{ "6.12.107",
		  { .split_chunk = 2 * MS_2M },
		  "eager split chunk 0x400000 is no size of a page or a block" },
		{ "5.10.223", { .mte = true }, "this kernel gives no VM MTE" },
		{ "6.12.107", { .mte = true }, "the machine has no MTE" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct world w = world(bad[i].release);

		errno = 0;
		assert_null(ms_vm_new_config(w.mm, &bad[i].config));
		assert_int_equal(errno, EINVAL);
		assert_why(&w, -EINVAL, bad[i].words);
		world_end(&w);
	}
}

static void lack_of_memory_has_words(void **state)
{
	struct world w = world("6.12.107");

	ms_machine_fail_alloc(w.m, 1);
	assert_null(ms_vm_new(w.mm, 0));
	assert_int_equal(errno, ENOMEM);
	assert_why(&w, -ENOMEM, "no memory");
	world_end(&w);
}

struct bad_slot {
	unsigned int id;
	ms_ipa_t gpa;
	uint64_t size;
	ms_hva_t hva;
	unsigned int flags;
	int err;
	const char *words;
};

static void a_slot_is_refused_with_the_numbers_that_decide(void **state)
{
	static const struct bad_slot bad[] = {
		{ 40000, GPA, PAGE, HVA, 0, -EINVAL,
		  "slot 40000: the slots of a VM are below 32767" },
		{ 2, GPA, PAGE, HVA, 0x5, -EINVAL, "slot 2: flags 0x5, of which 0x3 are known" },
		{ 2, GPA + 1, PAGE, HVA, 0, -EINVAL,
		  "slot 2: gpa 0x80000001, size 0x1000 and hva 0x200000000000 are not all "
		  "multiples of 0x1000" },
		{ 2, GPA, PAGE, UINT64_C(1) << 52, 0, -EINVAL,
		  "slot 2: 0x1000 bytes from hva 0x10000000000000 on reach beyond user space, "
		  "which ends at 0x10000000000000" },
		{ 2, 0 - 2 * PAGE, 4 * PAGE, HVA, 0, -EINVAL,
		  "slot 2: 0x4000 bytes from gpa 0xffffffffffffe000 on wrap around" },
		{ 2, 0, UINT64_C(1) << 43, HVA, 0, -EINVAL,
		  "slot 2: 2147483648 pages, a slot has at most 2147483647" },
		{ 2, GPA, 0, HVA, 0, -EINVAL, "there is no slot 2 to delete" },
		{ 1, GPA, 2 * PAGE, HVA, 0, -EINVAL,
		  "slot 1 is in use: its size 0x4000 cannot become 0x2000" },
		{ 1, GPA, 4 * PAGE, HVA + PAGE, 0, -EINVAL,
		  "slot 1 is in use: its hva 0x200000000000 cannot become 0x200000001000" },
		{ 1, GPA, 4 * PAGE, HVA, MS_SLOT_READONLY, -EINVAL,
		  "slot 1 is in use: it cannot change between read-only and writable" },
		{ 2, GPA + PAGE, PAGE, HVA, 0, -EEXIST,
		  "slot 2 of [0x80001000, 0x80002000): slot 1 has [0x80000000, 0x80004000)" },
		{ 2, UINT64_C(1) << 40, PAGE, HVA, 0, -EFAULT,
		  "slot 2: [0x10000000000, 0x10000001000) reaches beyond the IPA space of 40 "
		  "bits" },
	};
	struct world w = world("6.12.107");

	map_pages(&w, HVA, 4 * PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 4 * PAGE, HVA, 0), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct bad_slot *b = &bad[i];

		assert_int_equal(ms_vm_set_slot(w.vm, b->id, b->gpa, b->size, b->hva, b->flags),
				 b->err);
		assert_why(&w, b->err, b->words);
	}
	assert_int_equal(ms_last_refusal(w.m).number, sizeof(bad) / sizeof(bad[0]));
	ms_machine_fail_alloc(w.m, 1);
	assert_int_equal(ms_vm_set_slot(w.vm, 2, 2 * GPA, PAGE, HVA, 0), -ENOMEM);
	assert_why(&w, -ENOMEM, "no memory");
	world_end(&w);
}

static void the_last_page_of_the_ipa_space_is_refused_by_some_kernels(void **state)
{
	struct world w = world_with("6.12.107", "slot_end", "LIMIT_EXCLUDED");

	map_pages(&w, HVA, PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, (UINT64_C(1) << 40) - PAGE, PAGE, HVA, 0),
			 -EFAULT);
	assert_why(&w, -EFAULT,
		   "slot 1: [0xfffffff000, 0x10000000000) has the last page of the IPA space of 40 "
		   "bits, which this kernel refuses");
	world_end(&w);
}

static int cacheable_bar(struct ms_file *file, struct ms_vma *vma)
{
	(void)file;
	return ms_remap_pfn_range(vma, vma->vm_start, BAR >> 12, vma->vm_end - vma->vm_start,
				  vma->vm_page_prot);
}

static void a_vma_under_a_slot_is_named(void **state)
{
	static const struct ms_file_ops cacheable = { .name = "cacheable", .mmap = cacheable_bar };
	const struct ms_machine_config mte = { .mte = MS_FEATURE_PRESENT };
	struct world w = world("7.0");

	map_bar(&w, HVA, PAGE, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, MS_SLOT_LOG_DIRTY), -EINVAL);
	assert_why(&w, -EINVAL,
		   "VMA 0x200000000000-0x200000001000 (rw-): VM_PFNMAP cannot be logged");
	map_file(&w, HVA + PAGE, PAGE, MS_PROT_R, MS_MAP_SHARED, &cacheable, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA + PAGE, 0), -EINVAL);
	assert_why(&w, -EINVAL,
		   "VMA 0x200000001000-0x200000002000 (r--): cacheable VM_PFNMAP needs FWB and "
		   "DIC");
	world_end(&w);

	w = world_config("7.0", &mte);
	ms_vm_free(w.vm);
	w.vm = ms_vm_new_config(w.mm, &(struct ms_vm_config){ .mte = true });
	map_file(&w, HVA, PAGE, MS_PROT_R, MS_MAP_SHARED, &cacheable, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), -EINVAL);
	assert_why(&w, -EINVAL,
		   "VMA 0x200000000000-0x200000001000 (r--): the VM has MTE, its memory cannot be "
		   "tagged");
	world_end(&w);
}

/* The kernels that map device memory when a slot is made trust vm_pgoff. */
static void a_premap_beyond_the_physical_addresses_is_refused_by_stage_2(void **state)
{
	struct world w = world("5.10.223");
	struct ms_vma *vma;
	uint64_t pgoff;

	map_bar(&w, HVA, PAGE, 0);
	vma = ms_find_vma(w.mm, HVA);
	pgoff = vma->vm_pgoff;
	vma->vm_pgoff = UINT64_C(1) << 40;
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), -EINVAL);
	assert_why(&w, -EINVAL,
		   "stage 2 cannot map 0x1000 bytes of ipa 0x80000000 to pa 0x10000000000000");
	vma->vm_pgoff = pgoff;
	world_end(&w);
}

static void a_dirty_log_is_refused_with_the_slot(void **state)
{
	struct world w = world("6.12.107");
	uint64_t bitmap[2], npages;

	map_pages(&w, HVA, 100 * PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 100 * PAGE, HVA, MS_SLOT_LOG_DIRTY), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 2, 2 * GPA, PAGE, HVA, 0), 0);

	assert_int_equal(ms_vm_get_dirty(w.vm, 40000, bitmap, 2, &npages), -EINVAL);
	assert_why(&w, -EINVAL, "slot 40000: the slots of a VM are below 32767");
	assert_int_equal(ms_vm_get_dirty(w.vm, 3, bitmap, 2, &npages), -ENOENT);
	assert_why(&w, -ENOENT, "there is no slot 3");
	assert_int_equal(ms_vm_get_dirty(w.vm, 2, bitmap, 2, &npages), -ENOENT);
	assert_why(&w, -ENOENT, "slot 2 has no dirty log");
	assert_int_equal(ms_vm_get_dirty(w.vm, 1, NULL, 2, &npages), -EINVAL);
	assert_why(&w, -EINVAL, "no bitmap to copy the dirty log to");
	assert_int_equal(ms_vm_get_dirty(w.vm, 1, bitmap, 1, &npages), -EINVAL);
	assert_why(&w, -EINVAL, "a bitmap of 1 words: slot 1 has 100 pages, which take 2");

	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 3, 64), -EINVAL);
	assert_why(&w, -EINVAL, "first page 3 is no multiple of 64");
	assert_int_equal(ms_vm_clear_dirty(w.vm, 2, 0, 64), -ENOENT);
	assert_why(&w, -ENOENT, "slot 2 has no dirty log");
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 64, 64), -EINVAL);
	assert_why(&w, -EINVAL, "64 pages from page 64 on: slot 1 has 100 pages");
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 0, 3), -EINVAL);
	assert_why(&w, -EINVAL,
		   "3 pages from page 0 on are no multiple of 64, and do not end with slot 1");
	world_end(&w);
}

static void a_guest_access_is_refused_with_its_address(void **state)
{
	struct world w = world("6.12.107");

	map_bar(&w, HVA, PAGE, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 2, 2 * GPA, PAGE, HVA, MS_SLOT_READONLY), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 3, 3 * GPA, PAGE, 4 * MS_1G, 0), 0);

	assert_int_equal(ms_guest_read(w.vm, GPA + 2).err, -EINVAL);
	assert_why(&w, -EINVAL, "gpa 0x80000002 is not a multiple of 4");
	assert_int_equal(ms_guest_touch(w.vm, GPA, MS_PROT_RW).err, -EINVAL);
	assert_why(&w, -EINVAL, "an access of 0x3 is none of a read, a write and a fetch");
	assert_int_equal(ms_guest_read(w.vm, 0).exit, MS_GUEST_MMIO);
	assert_why(&w, -EFAULT, "ipa 0x0: no memslot");
	assert_int_equal(ms_guest_exec(w.vm, 0).exit, MS_GUEST_IABT);
	assert_why(&w, -EFAULT, "ipa 0x0: no memslot");
	assert_int_equal(ms_guest_write(w.vm, 2 * GPA).exit, MS_GUEST_MMIO);
	assert_why(&w, -EFAULT, "ipa 0x100000000: write to a read-only memslot");
	assert_int_equal(ms_guest_exec(w.vm, GPA).exit, MS_GUEST_IABT);
	assert_why(&w, -EFAULT, "ipa 0x80000000: instruction fetch from device memory");
	assert_int_equal(ms_guest_read(w.vm, 3 * GPA).err, -EFAULT);
	assert_why(&w, -EFAULT, "ipa 0x180000000: no VMA at the host address");
	assert_int_equal(ms_guest_read(w.vm, UINT64_C(1) << 41).exit, MS_GUEST_DABT);
	assert_why(&w, -EFAULT, "ipa 0x20000000000: beyond the IPA space");
	world_end(&w);
}

/* Where the process cannot have the page, the process's own reason is the one to know. */
static void a_guest_is_refused_for_its_process_s_reason(void **state)
{
	struct world w = world("6.12.107");

	assert_int_equal(ms_mmap(w.mm, HVA, PAGE, 0,
				 MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS, NULL, 0),
			 HVA);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	assert_int_equal(ms_guest_read(w.vm, GPA).err, -EFAULT);
	assert_why(&w, -EFAULT, "VMA 0x200000000000-0x200000001000 (---) is not readable");
	world_end(&w);
}

static void a_fault_without_end_has_the_reason_of_the_last_one(void **state)
{
	struct world w = world("6.12.107");

	// a notifier that never ends
	map_pages(&w, HVA, PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	w.vm->invalidate_in_progress = 1;
	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_RETRY);
	w.vm->invalidate_in_progress = 0;
	assert_why(&w, -EFAULT,
		   "ipa 0x80000000: the same fault is handled for ever: MMU notifier ran since the "
		   "VMA was looked at: retry");
	world_end(&w);
}

static int remap_free_ram(struct ms_file *file, struct ms_vma *vma)
{
	(void)file;
	return ms_remap_pfn_range(vma, vma->vm_start, (MS_1G + MS_2M) >> 12, PAGE,
				  vma->vm_page_prot);
}

static void a_page_that_nobody_holds_is_named(void **state)
{
	static const struct ms_file_ops ram = { .name = "ram", .mmap = remap_free_ram };
	struct world w = world("6.12.107");

	map_file(&w, HVA, PAGE, MS_PROT_RW, MS_MAP_SHARED, &ram, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	assert_int_equal(ms_guest_read(w.vm, GPA).err, -EFAULT);
	assert_why(&w, -EFAULT,
		   "hva 0x200000000000: to pfn 0x40200, a page of RAM, nobody has a reference");
	world_end(&w);
}

/* ---- hooks ---- */

static void ask_all(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct world *w = arg;
	uint64_t bitmap;
	const bool abort = point == MS_HOOK_S2_PFN_FOUND;

	(void)addr;
	ms_machine_set_hook(m, point, NULL, NULL);
	if (abort) {
		assert_int_equal(ms_vm_set_slot(w->vm, 2, 0, PAGE, HVA, 0), -EBUSY);
		assert_why(w, -EBUSY,
			   "a hook asks, and the kernel would wait for the end of VM 1's abort");
		return;
	}
	assert_int_equal(ms_vm_get_dirty(w->vm, 1, &bitmap, 1, NULL), -EBUSY);
	assert_why(w, -EBUSY, "a hook asks, and what it interrupted holds the MMU lock of VM 1");
	assert_int_equal(ms_vm_clear_dirty(w->vm, 1, 0, 64), -EBUSY);
	assert_int_equal(ms_guest_write(w->vm, GPA + PAGE).err, -EBUSY);
	assert_why(w, -EBUSY,
		   "a hook asks, and what it interrupted holds an MMU lock of process 1");
	assert_null(ms_vm_new(w->mm, 0));
	assert_int_equal(errno, EBUSY);
	assert_why(w, -EBUSY,
		   "a hook asks, and what it interrupted holds an MMU lock of process 1");
}

static void ask_for_a_vm(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct world *w = arg;

	(void)addr;
	ms_machine_set_hook(m, point, NULL, NULL);
	assert_null(ms_vm_new(w->mm, 0));
	assert_int_equal(errno, EBUSY);
	assert_why(w, -EBUSY,
		   "a hook asks, and what it interrupted holds the mmap lock of process 1");
}

static void a_hook_is_told_which_lock_is_held(void **state)
{
	struct world w = world("6.12.107");

	map_anon(&w, HVA, MS_2M);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), 0);
	ms_machine_set_hook(w.m, MS_HOOK_S2_PFN_FOUND, ask_all, &w);
	assert_int_equal(ms_guest_write(w.vm, GPA).leaf.size, MS_2M);
	// a write to a logged block breaks it
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, MS_SLOT_LOG_DIRTY), 0);
	ms_machine_set_hook(w.m, MS_HOOK_S2_BROKEN, ask_all, &w);
	assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_OK);
	assert_null(w.m->hook[MS_HOOK_S2_BROKEN].fn);
	map_bar(&w, HVA + MS_2M, PAGE, 0);
	ms_machine_set_hook(w.m, MS_HOOK_UNMAP_ZAPPED, ask_for_a_vm, &w);
	assert_int_equal(ms_munmap(w.mm, HVA + MS_2M, PAGE), 0);
	assert_null(w.m->hook[MS_HOOK_UNMAP_ZAPPED].fn);
	world_end(&w);
}

static void a_slot_waits_for_a_notifier(void **state)
{
	struct world w = world("6.12.107");

	w.vm->active_invalidate = 1; // as between the start and the end of one
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), -EBUSY);
	assert_why(&w, -EBUSY,
		   "a hook asks, and the kernel would wait for the end of a notifier of VM 1");
	w.vm->active_invalidate = 0;
	world_end(&w);
}

static void a_process_that_has_ended_is_named(void **state)
{
	struct world w = world("6.12.107");
	uint64_t bitmap;

	ms_mm_exit(w.mm);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), -EIO);
	assert_why(&w, -EIO, "the process of VM 1 has ended");
	assert_int_equal(ms_vm_get_dirty(w.vm, 1, &bitmap, 1, NULL), -EIO);
	assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 0, 64), -EIO);
	assert_int_equal(ms_guest_read(w.vm, GPA).err, -EIO);
	assert_int_equal(ms_last_refusal(w.m).number, 4);
	assert_why(&w, -EIO, "the process of VM 1 has ended");
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vm_is_refused_with_the_field_that_is_wrong),
		cmocka_unit_test(lack_of_memory_has_words),
		cmocka_unit_test(a_slot_is_refused_with_the_numbers_that_decide),
		cmocka_unit_test(the_last_page_of_the_ipa_space_is_refused_by_some_kernels),
		cmocka_unit_test(a_vma_under_a_slot_is_named),
		cmocka_unit_test(a_premap_beyond_the_physical_addresses_is_refused_by_stage_2),
		cmocka_unit_test(a_dirty_log_is_refused_with_the_slot),
		cmocka_unit_test(a_guest_access_is_refused_with_its_address),
		cmocka_unit_test(a_guest_is_refused_for_its_process_s_reason),
		cmocka_unit_test(a_fault_without_end_has_the_reason_of_the_last_one),
		cmocka_unit_test(a_page_that_nobody_holds_is_named),
		cmocka_unit_test(a_slot_waits_for_a_notifier),
		cmocka_unit_test(a_hook_is_told_which_lock_is_held),
		cmocka_unit_test(a_process_that_has_ended_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
