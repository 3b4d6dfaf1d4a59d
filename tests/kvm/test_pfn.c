/* SPDX-License-Identifier: GPL-2.0-only */
/* hva_to_pfn: which page is found, with which right, and how often fault handlers run for it. */
#include "world.h"

static struct ms_guest_access write_at(struct world *w, ms_hva_t hva)
{
	assert_int_equal(ms_vm_set_slot(w->vm, 1, GPA, PAGE, hva, 0), 0);
	return ms_guest_write(w->vm, GPA);
}

static void write_to_a_readonly_vma_is_efault(void **state)
{
	struct world w = world("6.12.107");

	map_pages(&w, HVA, PAGE);
	assert_int_equal(ms_mprotect(w.mm, HVA, PAGE, MS_PROT_R), 0);
	assert_int_equal(write_at(&w, HVA).err, -EFAULT);
	world_end(&w);
}

/* ---- entries that GUP refuses ---- */

static ms_vm_fault_t mkwrite(struct ms_vm_fault *vmf)
{
	return 0;
}

static ms_vm_fault_t insert_page(struct ms_vm_fault *vmf)
{
	return ms_vmf_insert_pfn(vmf->vma, vmf->address,
				 (BAR + (vmf->address - vmf->vma->vm_start)) >> 12);
}

/* As sysfs: with page_mkwrite mprotect leaves entries read-only. */
static const struct ms_vm_ops noticing_vm_ops = { .fault = insert_page, .page_mkwrite = mkwrite };
static const struct ms_vm_ops plain_vm_ops = { .fault = insert_page };

static int mmap_with(struct ms_vma *vma, const struct ms_vm_ops *ops)
{
	vma->vm_flags |= MS_VM_IO | MS_VM_PFNMAP | MS_VM_DONTEXPAND | MS_VM_DONTDUMP;
	vma->vm_page_prot = ms_pgprot_device(vma->vm_page_prot);
	vma->vm_ops = ops;
	return 0;
}

static int mmap_noticing(struct ms_file *file, struct ms_vma *vma)
{
	return mmap_with(vma, &noticing_vm_ops);
}

static int mmap_plain(struct ms_file *file, struct ms_vma *vma)
{
	return mmap_with(vma, &plain_vm_ops);
}

static const struct ms_file_ops noticing_ops = { .name = "noticing", .mmap = mmap_noticing };
static const struct ms_file_ops plain_ops = { .name = "plain", .mmap = mmap_plain };

static void readonly_entry_is_efault_at_once_though_the_vma_is_writable(void **state)
{
	struct world w = world("6.12.107");

	map_file(&w, HVA, PAGE, MS_PROT_RW, MS_MAP_SHARED, &noticing_ops, 0);
	assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(ms_mprotect(w.mm, HVA, PAGE, MS_PROT_R), 0);
	assert_int_equal(ms_mprotect(w.mm, HVA, PAGE, MS_PROT_RW), 0);
	assert_int_equal(write_at(&w, HVA).err, -EFAULT);
	// until the host has written there
	assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_OK);
	world_end(&w);
}

static void readonly_entry_did_not_stop_a_write(void **state)
{
	struct world w = world_with("6.12.107", "pfn_lookup_writable", "ALWAYS");

	map_file(&w, HVA, PAGE, MS_PROT_RW, MS_MAP_SHARED, &noticing_ops, 0);
	assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(ms_mprotect(w.mm, HVA, PAGE, MS_PROT_R), 0);
	assert_int_equal(ms_mprotect(w.mm, HVA, PAGE, MS_PROT_RW), 0);
	assert_int_equal(write_at(&w, HVA).exit, MS_GUEST_OK);
	world_end(&w);
}

static void absent_entry_is_faulted_in_at_the_touched_page_alone(void **state)
{
	struct world w = world("6.12.117");
	struct ms_host_leaf leaf;

	map_file(&w, HVA, MS_2M, MS_PROT_RW, MS_MAP_SHARED, &plain_ops, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), 0);
	assert_int_equal(ms_guest_read(w.vm, GPA + 3 * PAGE).exit, MS_GUEST_OK);
	assert_true(ms_host_leaf(w.mm, HVA + 3 * PAGE, &leaf));
	assert_false(ms_host_leaf(w.mm, HVA, &leaf));
	world_end(&w);
}

static void block_faults_in_its_first_page_not_the_touched_one(void **state)
{
	struct world w = world("6.12.107");
	struct ms_host_leaf leaf;

	map_file(&w, HVA, MS_2M, MS_PROT_RW, MS_MAP_SHARED, &plain_ops, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), 0);
	assert_int_equal(ms_guest_read(w.vm, GPA + 3 * PAGE).leaf.size, MS_2M);
	assert_true(ms_host_leaf(w.mm, HVA, &leaf));
	assert_false(ms_host_leaf(w.mm, HVA + 3 * PAGE, &leaf));
	world_end(&w);
}

static void absent_entry_of_a_prot_none_vma_is_efault(void **state)
{
	struct world w = world("6.12.107");

	map_file(&w, HVA, PAGE, 0, MS_MAP_SHARED, &plain_ops, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	assert_int_equal(ms_guest_read(w.vm, GPA).err, -EFAULT);
	world_end(&w);
}

static const struct ms_file_ops remap_ops = { .name = "remap", .mmap = remap_bar };

static void private_device_memory_is_readable_until_the_host_has_copied_it(void **state)
{
	struct world w = world("6.12.107");

	map_file(&w, HVA, PAGE, MS_PROT_RW, MS_MAP_PRIVATE, &remap_ops, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	assert_int_equal(ms_guest_read(w.vm, GPA).leaf.prot, MS_PROT_R | MS_PROT_DEVICE);
	assert_int_equal(ms_guest_write(w.vm, GPA).err, -EFAULT);
	assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_guest_write(w.vm, GPA).leaf.prot, MS_PROT_RW);
	world_end(&w);
}

/* ---- how often a handler runs ---- */

struct calls {
	unsigned int read, write;
};

static ms_vm_fault_t refuse_and_count(struct ms_vm_fault *vmf)
{
	struct calls *calls = ms_file_priv(vmf->vma->vm_file);

	if (vmf->flags & MS_FAULT_FLAG_WRITE)
		calls->write++;
	else
		calls->read++;
	return MS_VM_FAULT_SIGBUS;
}

static const struct ms_vm_ops counting_vm_ops = { .fault = refuse_and_count };

static int mmap_counting(struct ms_file *file, struct ms_vma *vma)
{
	vma->vm_ops = &counting_vm_ops;
	return 0;
}

static const struct ms_file_ops counting_ops = { .name = "counting", .mmap = mmap_counting };

static struct calls calls_of_a_guest_read(const char *release)
{
	struct world w = world(release);
	struct calls calls = { 0 };
	struct ms_file *file =
		ms_file_new(w.m, &counting_ops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, &calls);

	assert_int_equal(ms_mmap(w.mm, HVA, PAGE, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE, file, 0),
			 HVA);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	assert_int_equal(ms_guest_read(w.vm, GPA).err, -EFAULT);
	world_end(&w);
	return calls;
}

static void refused_page_is_asked_for_again_as_a_write_up_to_6_12(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct calls calls = calls_of_a_guest_read(k->release);

		assert_int_equal(calls.read, 1);
		assert_int_equal(calls.write, k->pfn_poison_probe == MS_PFN_POISON_PROBE_TWICE);
	}
}

/* ---- RAM behind a VM_PFNMAP entry ---- */

static int remap_ram(struct ms_file *file, struct ms_vma *vma)
{
	return ms_remap_pfn_range(vma, vma->vm_start, MS_2M >> 12 | MS_1G >> 12, PAGE,
				  vma->vm_page_prot);
}

static const struct ms_file_ops ram_ops = { .name = "ram", .mmap = remap_ram };

static int read_of_free_ram(const char *release)
{
	const struct ms_machine_config config = { .dic = MS_FEATURE_PRESENT };
	struct world w = world_config(release, &config);
	struct ms_guest_access access;

	map_file(&w, HVA, PAGE, MS_PROT_RW, MS_MAP_SHARED, &ram_ops, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	access = ms_guest_read(w.vm, GPA);
	if (access.exit == MS_GUEST_OK)
		assert_int_equal(access.leaf.prot & MS_PROT_DEVICE, 0);
	world_end(&w);
	return access.err;
}

static void page_that_nobody_holds_cannot_be_mapped_up_to_6_12(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64)
		if (k->slot_pfnmap == MS_SLOT_PFNMAP_LAZY)
			assert_int_equal(read_of_free_ram(k->release),
					 k->pfn_refcount_test == MS_PFN_REFCOUNT_TEST_YES ? -EFAULT
											  : 0);
}

/* ---- poison ---- */

static ms_vm_fault_t poisoned(struct ms_vm_fault *vmf)
{
	return MS_VM_FAULT_HWPOISON;
}

static int mmap_poisoned(struct ms_file *file, struct ms_vma *vma)
{
	static const struct ms_vm_ops ops = { .fault = poisoned };

	vma->vm_ops = &ops;
	return 0;
}

static void poisoned_page_sends_a_signal_whether_the_guest_reads_or_writes(void **state)
{
	static const struct ms_file_ops ops = { .name = "poisoned", .mmap = mmap_poisoned };
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);

		map_file(&w, HVA, PAGE, MS_PROT_RW, MS_MAP_SHARED, &ops, 0);
		assert_int_equal(write_at(&w, HVA).exit, MS_GUEST_SIGBUS);
		assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_SIGBUS);
		assert_int_equal(ms_trace_total(w.m, MS_EV_S2_MAP), 0);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(poisoned_page_sends_a_signal_whether_the_guest_reads_or_writes),
		cmocka_unit_test(write_to_a_readonly_vma_is_efault),
		cmocka_unit_test(readonly_entry_is_efault_at_once_though_the_vma_is_writable),
		cmocka_unit_test(readonly_entry_did_not_stop_a_write),
		cmocka_unit_test(absent_entry_is_faulted_in_at_the_touched_page_alone),
		cmocka_unit_test(block_faults_in_its_first_page_not_the_touched_one),
		cmocka_unit_test(absent_entry_of_a_prot_none_vma_is_efault),
		cmocka_unit_test(private_device_memory_is_readable_until_the_host_has_copied_it),
		cmocka_unit_test(refused_page_is_asked_for_again_as_a_write_up_to_6_12),
		cmocka_unit_test(page_that_nobody_holds_cannot_be_mapped_up_to_6_12),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
