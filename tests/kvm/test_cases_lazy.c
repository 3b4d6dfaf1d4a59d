/* SPDX-License-Identifier: GPL-2.0-only */
/* Drivers that map when they are touched: VM_PFNMAP appears inside of the fault. */
#include "cases.h"

static int remap_from(struct ms_vma *vma, ms_pa_t pa)
{
	return ms_remap_pfn_range(vma, vma->vm_start, pa >> 12, vma->vm_end - vma->vm_start,
				  vma->vm_page_prot);
}

static ms_vm_fault_t fault_whole(struct ms_vm_fault *vmf)
{
	return remap_from(vmf->vma, H) ? MS_VM_FAULT_SIGBUS : MS_VM_FAULT_NOPAGE;
}

static ms_vm_fault_t fault_whole_shifted(struct ms_vm_fault *vmf)
{
	return remap_from(vmf->vma, H + 0x1000) ? MS_VM_FAULT_SIGBUS : MS_VM_FAULT_NOPAGE;
}

static ms_vm_fault_t fault_page(struct ms_vm_fault *vmf)
{
	return ms_vmf_insert_pfn(vmf->vma, vmf->address,
				 (H + (vmf->address - vmf->vma->vm_start)) >> 12);
}

static const struct ms_vm_ops whole_vm_ops = { .fault = fault_whole };
static const struct ms_vm_ops shifted_vm_ops = { .fault = fault_whole_shifted };
static const struct ms_vm_ops page_vm_ops = { .fault = fault_page };

static int mmap_whole(struct ms_file *file, struct ms_vma *vma)
{
	vma->vm_page_prot = ms_pgprot_device(vma->vm_page_prot);
	vma->vm_ops = &whole_vm_ops;
	return 0;
}

static int mmap_shifted(struct ms_file *file, struct ms_vma *vma)
{
	mmap_whole(file, vma);
	vma->vm_ops = &shifted_vm_ops;
	return 0;
}

static int mmap_page(struct ms_file *file, struct ms_vma *vma)
{
	mmap_whole(file, vma);
	vma->vm_flags |= MS_VM_IO | MS_VM_PFNMAP | MS_VM_DONTEXPAND | MS_VM_DONTDUMP;
	vma->vm_ops = &page_vm_ops;
	return 0;
}

static const struct ms_file_ops whole = { .name = "whole", .mmap = mmap_whole };
static const struct ms_file_ops shifted = { .name = "shifted", .mmap = mmap_shifted };
static const struct ms_file_ops page = { .name = "page", .mmap = mmap_page };

#define FIRST_DEVICE "s2.map ipa=0x10000000 size=0x1000 pa=0x4000000000 prot=rw,device\n"
#define FIRST_NORMAL "s2.map ipa=0x10000000 size=0x1000 pa=0x4000000000 prot=rw\n"
#define SECOND_PAGE "s2.map ipa=0x10001000 size=0x1000 pa=0x4000001000 prot=rw,device\n"
#define SECOND_BLOCK "s2.map ipa=0x10000000 size=0x200000 pa=0x4000000000 prot=rw,device\n"

static bool asks_flags_early(const struct ms_policy *k)
{
	return k->s2_device_test == MS_S2_DEVICE_TEST_VMA_FLAG_AND_NOT_MAP_MEMORY;
}

static void first_touch_is_a_device_page_or_normal_memory_where_flags_were_seen_early(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		struct world w = case_world(k->release, NULL);
		struct ms_vma *vma;

		case_map(&w, 0x400000, &whole);
		case_slot(&w, 0x10000000, 0x400000, A);
		assert_read_maps(&w, 0x10000000, asks_flags_early(k) ? FIRST_NORMAL : FIRST_DEVICE);
		vma = ms_vma_lookup(w.mm, A);
		assert_true(vma->vm_flags & MS_VM_PFNMAP && vma->vm_flags & MS_VM_IO);
		assert_true(vma->vm_flags & MS_VM_DONTEXPAND && vma->vm_flags & MS_VM_DONTDUMP);
		world_end(&w);
	}
}

static void second_touch_is_a_block_where_vm_pgoff_is_believed(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		struct world w = case_world(k->release, NULL);

		case_map(&w, 0x400000, &whole);
		case_slot(&w, 0x10000000, 0x400000, A);
		assert_int_equal(ms_guest_read(w.vm, 0x10000000).exit, MS_GUEST_OK);
		events(&w);
		assert_read_maps(&w, 0x10001000, believes_vm_pgoff(k) ? SECOND_BLOCK : SECOND_PAGE);
		world_end(&w);
	}
}

#define SHIFTED_PAGE "s2.map ipa=0x10001000 size=0x1000 pa=0x4000002000 prot=rw,device\n"

static void second_touch_of_shifted_memory_maps_its_page_where_vm_pgoff_is_not_asked(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		struct world w;

		if (believes_vm_pgoff(k))
			continue;
		w = case_world(k->release, NULL);
		case_map(&w, 0x400000, &shifted);
		case_slot(&w, 0x10000000, 0x400000, A);
		assert_int_equal(ms_guest_read(w.vm, 0x10000000).exit, MS_GUEST_OK);
		events(&w);
		assert_read_maps(&w, 0x10001000, SHIFTED_PAGE);
		world_end(&w);
	}
}

static void second_touch_of_shifted_memory_never_ends_where_its_first_page_is_met(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		struct world w;

		if (!believes_vm_pgoff(k) || asks_flags_early(k))
			continue;
		w = case_world(k->release, NULL);
		case_map(&w, 0x400000, &shifted);
		case_slot(&w, 0x10000000, 0x400000, A);
		assert_int_equal(ms_guest_read(w.vm, 0x10000000).exit, MS_GUEST_OK);
		assert_int_equal(ms_guest_read(w.vm, 0x10001000).exit, MS_GUEST_RETRY);
		world_end(&w);
	}
}

static void second_touch_of_shifted_memory_replaces_a_first_page_of_another_type(void **state)
{
	struct world w = case_world("6.17", NULL);

	case_map(&w, 0x400000, &shifted);
	case_slot(&w, 0x10000000, 0x400000, A);
	assert_int_equal(ms_guest_read(w.vm, 0x10000000).leaf.prot, MS_PROT_RW);
	events(&w);
	assert_read_maps(&w, 0x10001000,
			 "s2.map ipa=0x10000000 size=0x200000 pa=0x4000001000 prot=rw,device\n");
	assert_int_equal(ms_guest_read(w.vm, 0x10000000).leaf.prot, MS_PROT_RW | MS_PROT_DEVICE);
	assert_int_equal(ms_guest_read(w.vm, 0x101ff000).leaf.pa, H + 0x200000);
	world_end(&w);
}

#define PAGE_5 "s2.map ipa=0x10005000 size=0x1000 pa=0x4000005000 prot=rw,device\n"

/* A mapping that is VM_PFNMAP from the start, made after the slot so that nothing is premapped. */
static void touched_page_or_the_blocks_first_page_is_made_in_the_host(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		struct world w = case_world(k->release, NULL);
		const bool first = believes_vm_pgoff(k);
		struct ms_host_leaf leaf;

		case_slot(&w, 0x10000000, 0x400000, A);
		case_map(&w, 0x400000, &page);
		assert_read_maps(&w, 0x10005000, first ? SECOND_BLOCK : PAGE_5);
		assert_true(ms_host_next_leaf(w.mm, A, A + 0x400000, &leaf));
		assert_int_equal(leaf.start, first ? A : A + 0x5000);
		assert_false(ms_host_next_leaf(w.mm, leaf.start + 0x1000, A + 0x400000, &leaf));
		world_end(&w);
	}
}

static void logged_slot_accepts_what_is_not_yet_pfnmap_and_refuses_it_later(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		struct world w = case_world(k->release, NULL);
		uint64_t bits[16], npages;

		case_map(&w, 0x400000, &whole);
		assert_int_equal(
			ms_vm_set_slot(w.vm, 1, 0x10000000, 0x400000, A, MS_SLOT_LOG_DIRTY), 0);
		assert_int_equal(ms_guest_write(w.vm, 0x10000000).leaf.size, PAGE);
		assert_int_equal(ms_vm_get_dirty(w.vm, 1, bits, 16, &npages), 0);
		assert_int_equal(bits[0], 1);
		assert_int_equal(ms_vm_set_slot(w.vm, 1, 0, 0, 0, 0), 0);
		assert_int_equal(
			ms_vm_set_slot(w.vm, 1, 0x10000000, 0x400000, A, MS_SLOT_LOG_DIRTY),
			-EINVAL);
		assert_int_equal(ms_vm_set_slot(w.vm, 1, 0x10000000, 0x400000, A, 0), 0);
		world_end(&w);
	}
}

static void premap_believes_vm_pgoff_where_a_driver_does_not_set_it(void **state)
{
	struct world w = case_world("5.10.223", NULL);

	case_map(&w, PAGE, &whole);
	case_slot(&w, 0x10000000, PAGE, A);
	assert_int_equal(ms_guest_write(w.vm, 0x10000000).exit, MS_GUEST_OK);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, 0, 0, 0, 0), 0);
	events(&w);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, 0x10000000, PAGE, A, 0), 0);
	assert_string_equal(events(&w),
			    "s2.map ipa=0x10000000 size=0x1000 pa=0x0 prot=rw,device\n");
	assert_int_equal(ms_guest_read(w.vm, 0x10000000).leaf.pa, 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			first_touch_is_a_device_page_or_normal_memory_where_flags_were_seen_early),
		cmocka_unit_test(second_touch_is_a_block_where_vm_pgoff_is_believed),
		cmocka_unit_test(
			second_touch_of_shifted_memory_maps_its_page_where_vm_pgoff_is_not_asked),
		cmocka_unit_test(
			second_touch_of_shifted_memory_never_ends_where_its_first_page_is_met),
		cmocka_unit_test(
			second_touch_of_shifted_memory_replaces_a_first_page_of_another_type),
		cmocka_unit_test(touched_page_or_the_blocks_first_page_is_made_in_the_host),
		cmocka_unit_test(logged_slot_accepts_what_is_not_yet_pfnmap_and_refuses_it_later),
		cmocka_unit_test(premap_believes_vm_pgoff_where_a_driver_does_not_set_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
