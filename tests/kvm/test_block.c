/* SPDX-License-Identifier: GPL-2.0-only */
/* The size of a stage-2 mapping: the VMA's promise, the memslot's limits, the host's leaf. */
#include "world.h"

static void set_slot(struct world *w, ms_ipa_t gpa, uint64_t size, ms_hva_t hva)
{
	assert_int_equal(ms_vm_set_slot(w->vm, 1, gpa, size, hva, 0), 0);
	events(w);
}

static struct ms_s2_leaf read_leaf(struct world *w, ms_ipa_t gpa)
{
	struct ms_guest_access access = ms_guest_read(w->vm, gpa);

	assert_int_equal(access.exit, MS_GUEST_OK);
	return access.leaf;
}

/* ---- device memory, by the rule FROM_VM_PGOFF ---- */

/*
 *  hva     :---------:---------:
 *  VMA     |-------------------|
 *  slot    [-------------------)
 *  touch    ^
 *  block   [---------)
 */
static void congruent_device_memory_is_mapped_by_2m(void **state)
{
	struct world w = world("6.12.107");
	struct ms_s2_leaf leaf;

	map_bar(&w, HVA, 2 * MS_2M, 0);
	set_slot(&w, GPA, 2 * MS_2M, HVA);
	leaf = read_leaf(&w, GPA + 0x1000);
	assert_string_equal(events(&w),
			    "s2.map ipa=0x80000000 size=0x200000 pa=0x8000000000 prot=rw,device\n");
	assert_string_equal(leaf.reason,
			    "VMA and PA congruent modulo 2M, block inside VMA and memslot");
	world_end(&w);
}

static void a_whole_gib_is_mapped_by_1g(void **state)
{
	struct world w = world("6.12.107");
	struct ms_s2_leaf leaf;

	map_bar(&w, HVA, MS_1G, MS_1G);
	set_slot(&w, 4 * MS_1G, MS_1G, HVA);
	leaf = read_leaf(&w, 4 * MS_1G + 0x123000);
	assert_int_equal(leaf.size, MS_1G);
	assert_int_equal(leaf.pa, BAR + MS_1G);
	assert_string_equal(leaf.reason,
			    "VMA and PA congruent modulo 1G, block inside VMA and memslot");
	world_end(&w);
}

/* 39 bits of 4K pages are three levels, and the first has leaves, too. */
static void with_39_bits_of_addresses_there_still_are_blocks_of_1g(void **state)
{
	const struct ms_machine_config config = { .va_bits = 39 };
	const ms_hva_t hva = UINT64_C(0x2000000000);
	struct world w = world_config("6.12.107", &config);

	map_bar(&w, hva, MS_1G, MS_1G);
	set_slot(&w, 4 * MS_1G, MS_1G, hva);
	assert_int_equal(read_leaf(&w, 4 * MS_1G).size, MS_1G);
	world_end(&w);
}

/*
 * The VMA is a page shorter than 4M at either end:
 *
 *  hva     :---------:---------:
 *  VMA      |-----------------|
 *  block   [---------)              would begin before it
 *  block             [---------)    would end after it
 */
static void a_block_must_lie_inside_the_vma(void **state)
{
	struct world w = world("6.12.107");

	map_bar(&w, HVA + 0x1000, 2 * MS_2M - 0x2000, 0x1000);
	set_slot(&w, GPA, 2 * MS_2M, HVA);
	assert_string_equal(read_leaf(&w, GPA + 0x1000).reason,
			    "block of 2M would begin before the VMA");
	assert_string_equal(read_leaf(&w, GPA + MS_2M + 0x1000).reason,
			    "block of 2M would end after the VMA");
	world_end(&w);
}

/*
 *  hva     :---------:---------:
 *  VMA               |4K|
 *  touch             ^
 *  block             [---------)
 */
static void a_touch_at_the_blocks_start_does_not_ask_for_the_vmas_end(void **state)
{
	struct world w = world("6.12.107");
	struct ms_s2_leaf leaf;

	map_bar(&w, HVA + MS_2M, PAGE, MS_2M);
	set_slot(&w, GPA, 2 * MS_2M, HVA);
	leaf = read_leaf(&w, GPA + MS_2M);
	assert_int_equal(leaf.size, MS_2M);
	assert_string_equal(
		leaf.reason,
		"VMA and PA congruent modulo 2M, fault at the block's start: VMA end not checked");
	world_end(&w);
}

/*
 *  hva     :---------:---------:
 *  pa       :---------:---------:    a page further in its 2M
 */
static void memory_that_is_not_congruent_is_mapped_by_pages(void **state)
{
	struct world w = world("6.12.107");
	struct ms_s2_leaf leaf;

	map_bar(&w, HVA, 2 * MS_2M, 0x1000);
	set_slot(&w, GPA, 2 * MS_2M, HVA);
	leaf = read_leaf(&w, GPA + MS_2M);
	assert_int_equal(leaf.size, PAGE);
	assert_string_equal(leaf.reason, "VMA and PA not congruent modulo 2M");
	world_end(&w);
}

/*
 *  hva     :---------:---------:
 *  gpa      :---------:---------:    a page further in its 2M
 */
static void guest_addresses_that_are_not_congruent_get_pages(void **state)
{
	struct world w = world("6.12.107");

	map_bar(&w, HVA, 2 * MS_2M, 0);
	set_slot(&w, GPA + 0x1000, 2 * MS_2M, HVA);
	assert_string_equal(read_leaf(&w, GPA + MS_2M).reason,
			    "gpa and hva not congruent modulo 2M");
	world_end(&w);
}

/*
 * The slot is a page shorter than 4M at either end:
 *
 *  gpa     :---------:---------:
 *  slot     [-----------------)
 *  block   [---------)              would begin before it
 *  block             [---------)    would end after it
 */
static void a_block_must_lie_inside_the_slot(void **state)
{
	struct world w = world("6.12.107");

	map_bar(&w, HVA, 2 * MS_2M, 0);
	set_slot(&w, GPA + 0x1000, 2 * MS_2M - 0x2000, HVA + 0x1000);
	assert_string_equal(read_leaf(&w, GPA + 0x2000).reason,
			    "block of 2M would begin before the memslot");
	assert_string_equal(read_leaf(&w, GPA + MS_2M).reason,
			    "block of 2M would end after the memslot");
	world_end(&w);
}

/*
 *  hva     :------------------1G------------------:
 *  gpa      :------------------1G------------------:    2M further in its 1G
 *  touch     ^
 *  block     [2M)
 */
static void a_gib_that_the_slot_refuses_becomes_2m(void **state)
{
	struct world w = world("6.12.107");
	struct ms_s2_leaf leaf;

	map_bar(&w, HVA, MS_1G, 0);
	set_slot(&w, GPA + MS_2M, MS_1G, HVA);
	leaf = read_leaf(&w, GPA + MS_2M);
	assert_int_equal(leaf.size, MS_2M);
	assert_string_equal(leaf.reason, "gpa and hva not congruent modulo 1G, smaller block");
	world_end(&w);
}

static int remap_without_pgoff(struct ms_file *file, struct ms_vma *vma)
{
	vma->vm_page_prot = ms_pgprot_device(vma->vm_page_prot);
	return ms_remap_pfn_range(vma, vma->vm_start, (BAR >> 12) + 1, vma->vm_end - vma->vm_start,
				  vma->vm_page_prot);
}

static const struct ms_file_ops no_pgoff_ops = { .name = "no-pgoff", .mmap = remap_without_pgoff };

/*
 *  hva            :------------2M------------:
 *  by vm_pgoff    :------------2M------------:      the block that is chosen
 *  pa              :------------2M------------:     a page further in its 2M: pages are laid
 */
static void block_of_a_driver_with_its_own_offsets_is_laid_by_pages(void **state)
{
	struct world w = world("6.12.107");
	struct ms_s2_leaf leaf;

	// vm_pgoff stays 0, so 2M look congruent; the PA begins at 4K
	map_file(&w, HVA, MS_2M, MS_PROT_RW, MS_MAP_SHARED, &no_pgoff_ops, 0);
	set_slot(&w, GPA, MS_2M, HVA);
	leaf = read_leaf(&w, GPA + 0x3000);
	assert_string_equal(events(&w),
			    "s2.map ipa=0x80000000 size=0x200000 pa=0x8000001000 prot=rw,device\n");
	assert_int_equal(leaf.size, PAGE);
	assert_int_equal(leaf.pa, BAR + 0x4000);
	assert_string_equal(leaf.reason,
			    "block chosen, but PA not aligned to it: smaller leaves laid");
	world_end(&w);
}

/* ---- device memory, by the other rules ---- */

static void device_memory_is_mapped_by_pages(const char *release, const char *reason)
{
	struct world w = world(release);
	struct ms_s2_leaf leaf;

	map_bar(&w, HVA, MS_2M, 0);
	set_slot(&w, GPA, MS_2M, HVA);
	leaf = read_leaf(&w, GPA + 0x1000);
	assert_int_equal(leaf.size, PAGE);
	if (reason)
		assert_string_equal(leaf.reason, reason);
	world_end(&w);
}

static void device_memory_is_mapped_by_pages_where_vm_pgoff_is_not_asked(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_ARM64) {
		switch (k->s2_pfnmap_block) {
		case MS_S2_PFNMAP_BLOCK_PAGES_ONLY:
			device_memory_is_mapped_by_pages(k->release, NULL);
			break;
		case MS_S2_PFNMAP_BLOCK_HUGETLB_ONLY:
			device_memory_is_mapped_by_pages(k->release,
							 "VM_PFNMAP is mapped by pages");
			break;
		case MS_S2_PFNMAP_BLOCK_FROM_HOST_TABLE: // page leaves of the host
			device_memory_is_mapped_by_pages(k->release, "host maps less than 2M here");
			break;
		default:
			break;
		}
	}
}

static ms_vm_fault_t huge_fault(struct ms_vm_fault *vmf, unsigned int order)
{
	ms_hva_t start = vmf->address & ~(MS_2M - 1);

	if (order != 9 || start < vmf->vma->vm_start || start + MS_2M > vmf->vma->vm_end)
		return MS_VM_FAULT_FALLBACK;
	return ms_vmf_insert_pfn_pmd(vmf, (BAR + (start - vmf->vma->vm_start)) >> 12,
				     vmf->flags & MS_FAULT_FLAG_WRITE);
}

static ms_vm_fault_t page_fault(struct ms_vm_fault *vmf)
{
	return ms_vmf_insert_pfn(vmf->vma, vmf->address,
				 (BAR + (vmf->address - vmf->vma->vm_start)) >> 12);
}

static const struct ms_vm_ops lazy_huge_vm_ops = { .fault = page_fault, .huge_fault = huge_fault };

static int mmap_lazy_huge(struct ms_file *file, struct ms_vma *vma)
{
	vma->vm_flags |= MS_VM_IO | MS_VM_PFNMAP | MS_VM_DONTEXPAND | MS_VM_DONTDUMP;
	vma->vm_page_prot = ms_pgprot_device(vma->vm_page_prot);
	vma->vm_pgoff += 1; // of no use to anybody
	vma->vm_ops = &lazy_huge_vm_ops;
	return 0;
}

static const struct ms_file_ops lazy_huge_ops = { .name = "lazy-huge", .mmap = mmap_lazy_huge };

static void lazy_huge_world(struct world *w, const char *release)
{
	*w = world(release);
	map_file(w, HVA, 2 * MS_2M, MS_PROT_RW, MS_MAP_SHARED, &lazy_huge_ops, 0);
	set_slot(w, GPA, 2 * MS_2M, HVA);
}

/*
 *  host    |---2M----|---2M----|
 *  slot    [-------------------)
 *  touch              ^
 *  block             [---------)
 */
static void a_block_leaf_of_the_host_makes_a_block(void **state)
{
	struct world w;

	lazy_huge_world(&w, "6.12.117");
	assert_string_equal(read_leaf(&w, GPA + MS_2M + 0x5000).reason,
			    "host maps at least 2M here, block inside memslot");
	assert_string_equal(events(&w),
			    "s2.map ipa=0x80200000 size=0x200000 pa=0x8000200000 prot=rw,device\n");
	world_end(&w);
}

static void a_block_leaf_of_the_host_does_not_count_up_to_6_12_112(void **state)
{
	struct world w;

	lazy_huge_world(&w, "6.12.107");
	// vm_pgoff does not fit either: a page
	assert_int_equal(read_leaf(&w, GPA + 0x5000).size, PAGE);
	world_end(&w);
}

static void device_memory_does_not_take_the_size_of_its_host_leaf(void **state)
{
	struct world w = world_with("6.12.117", "s2_device_upgrade", "NO_UPGRADE");
	struct ms_s2_leaf leaf;

	map_file(&w, HVA, 2 * MS_2M, MS_PROT_RW, MS_MAP_SHARED, &lazy_huge_ops, 0);
	set_slot(&w, GPA, 2 * MS_2M, HVA);
	leaf = read_leaf(&w, GPA + 0x5000);
	assert_int_equal(leaf.size, PAGE);
	assert_string_equal(leaf.reason, "device memory does not take the size of its host leaf");
	world_end(&w);
}

/*
 * Two rules begin with pages without looking at the host's table. PAGES_ONLY ends there;
 * HUGETLB_ONLY takes the host's leaf, as for other memory, where that is larger.
 */
static void rules_without_a_table_force_pages_or_only_begin_with_them(void **state)
{
	static const char *const value[] = { "PAGES_ONLY", "HUGETLB_ONLY" };
	static const uint64_t expected[] = { PAGE, MS_2M };

	for (size_t i = 0; i < 2; i++) {
		struct world w = world_with("6.12.117", "s2_pfnmap_block", value[i]);

		map_file(&w, HVA, 2 * MS_2M, MS_PROT_RW, MS_MAP_SHARED, &lazy_huge_ops, 0);
		set_slot(&w, GPA, 2 * MS_2M, HVA);
		assert_int_equal(read_leaf(&w, GPA + 0x5000).size, expected[i]);
		world_end(&w);
	}
}

static void device_memory_stays_pages_where_the_host_has_no_leaf(void **state)
{
	struct world w = world_with("6.12.117", "s2_pfnmap_block", "HUGETLB_ONLY");
	struct ms_s2_leaf leaf;

	map_bar(&w, HVA, MS_2M, 0);
	set_slot(&w, GPA, MS_2M, HVA);
	leaf = read_leaf(&w, GPA + 0x5000);
	assert_int_equal(leaf.size, PAGE);
	assert_string_equal(leaf.reason, "host maps less than 2M here");
	world_end(&w);
}

/* ---- memory ---- */

/*
 *  host    |---2M----|---2M----|
 *  slot    [-------------------)
 *  touch              ^
 *  block             [---------)
 */
static void transparent_huge_page_makes_a_block(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);
		struct ms_guest_access access;

		map_anon(&w, HVA, 2 * MS_2M);
		set_slot(&w, GPA, 2 * MS_2M, HVA);
		access = ms_guest_write(w.vm, GPA + MS_2M + 0x3000);
		assert_int_equal(access.leaf.size, MS_2M);
		assert_int_equal(access.leaf.ipa, GPA + MS_2M);
		assert_string_equal(
			access.leaf.reason,
			k->host_leaf_absent == MS_HOST_LEAF_ABSENT_PAGE_STRUCT
				? "page of a transparent huge page of 2M, block inside memslot"
				: "host maps at least 2M here, block inside memslot");
		world_end(&w);
	}
}

static void up_to_5_14_the_page_tells_of_its_huge_page(void **state)
{
	struct world w = world("5.10.223");
	struct ms_guest_access access;

	map_anon(&w, HVA, 2 * MS_2M);
	set_slot(&w, GPA, 2 * MS_2M, HVA);
	access = ms_guest_write(w.vm, GPA + MS_2M + 0x3000);
	assert_int_equal(access.leaf.size, MS_2M);
	assert_string_equal(access.leaf.reason,
			    "page of a transparent huge page of 2M, block inside memslot");
	access = ms_guest_write(w.vm, GPA); // the first page
	assert_int_equal(access.leaf.size, MS_2M);
	world_end(&w);
}

/* PageDoubleMap: a child has had it by pages. From 5.15 on the process's own leaf is asked. */
static void a_thp_that_a_child_has_split_is_mapped_by_pages_up_to_5_14(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);
		struct ms_mm *child;

		map_anon(&w, HVA, MS_2M);
		assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_W), MS_ACCESS_OK);
		set_slot(&w, GPA, MS_2M, HVA);
		child = ms_fork(w.mm);
		assert_non_null(child);
		assert_int_equal(read_leaf(&w, GPA).size, MS_2M);
		assert_int_equal(ms_touch(child, HVA, MS_PROT_W), MS_ACCESS_OK);
		ms_mm_exit(child);
		assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_W), MS_ACCESS_OK);
		assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 0, HVA, 0), 0);
		set_slot(&w, GPA, MS_2M, HVA);
		assert_int_equal(read_leaf(&w, GPA).size,
				 k->host_leaf_absent == MS_HOST_LEAF_ABSENT_PAGE_STRUCT ? PAGE
											: MS_2M);
		world_end(&w);
	}
}

/*
 *  host    |---2M----|---2M----|
 *  slot    [-----------)            a page longer than 2M
 *  touch             ^
 *  block             [---------)    would end after it
 */
static void thp_that_the_slot_cuts_gets_pages(void **state)
{
	struct world w = world("6.12.107");

	map_anon(&w, HVA, 2 * MS_2M);
	set_slot(&w, GPA, MS_2M + PAGE, HVA);
	assert_string_equal(ms_guest_write(w.vm, GPA + MS_2M).leaf.reason,
			    "block of 2M would end after the memslot");
	world_end(&w);
}

static void pages_of_the_host_are_pages_of_the_guest(void **state)
{
	struct world w = world("6.12.107");

	map_pages(&w, HVA, 2 * MS_2M);
	set_slot(&w, GPA, 2 * MS_2M, HVA);
	assert_string_equal(ms_guest_write(w.vm, GPA + 0x1000).leaf.reason,
			    "host maps less than 2M here");
	world_end(&w);
}

static struct ms_s2_leaf hugetlb_leaf(uint64_t huge, uint64_t len, ms_ipa_t gpa)
{
	struct world w = world("6.12.107");
	struct ms_file *file = ms_memfd_hugetlb_new(w.m, len, huge);
	struct ms_s2_leaf leaf;

	assert_non_null(file);
	assert_int_equal(ms_mmap(w.mm, HVA, len, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE,
				 file, 0),
			 HVA);
	set_slot(&w, gpa, len, HVA);
	leaf = ms_guest_write(w.vm, gpa + 0x1000).leaf;
	world_end(&w);
	return leaf;
}

static void hugetlb_pages_give_their_size_or_the_block_below(void **state)
{
	assert_int_equal(hugetlb_leaf(MS_2M, 2 * MS_2M, GPA).size, MS_2M);
	assert_int_equal(hugetlb_leaf(MS_1G, MS_1G, GPA).size, MS_1G);
	assert_string_equal(hugetlb_leaf(MS_1G, MS_1G, GPA).reason,
			    "hugetlb page of 1G, block inside memslot");
	assert_string_equal(hugetlb_leaf(16 * MS_2M, 16 * MS_2M, GPA).reason,
			    "hugetlb page of 2M or its multiple, block inside memslot");
	assert_int_equal(hugetlb_leaf(MS_1G, MS_1G, GPA + MS_2M).size, MS_2M);
	assert_int_equal(hugetlb_leaf(16 * MS_2M, 16 * MS_2M, GPA).size, MS_2M);
	assert_int_equal(hugetlb_leaf(0x10000, 0x10000, GPA).size, PAGE);
	assert_string_equal(hugetlb_leaf(0x10000, 0x10000, GPA).reason,
			    "hugetlb page of contiguous PTEs is mapped by pages");
}

static void logging_maps_pages(void **state)
{
	struct world w = world("6.12.107");

	map_anon(&w, HVA, MS_2M);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, MS_SLOT_LOG_DIRTY), 0);
	assert_string_equal(ms_guest_write(w.vm, GPA).leaf.reason, "dirty logging maps pages");
	world_end(&w);
}

/*
 *  ipa     ..4000  ..5000                  ..8000
 *  page    |-------:-------:-------:-------|
 *  touch            ^
 *  map             [-------------------------------)    16K
 */
static void with_16k_pages_the_map_begins_at_the_4k_of_the_fault(void **state)
{
	const struct ms_machine_config config = { .page_size = 0x4000 };
	struct world w = world_config("6.12.107", &config);

	map_pages(&w, HVA, 0x10000);
	set_slot(&w, GPA, 0x10000, HVA);
	assert_int_equal(ms_guest_write(w.vm, GPA + 0x5008).exit, MS_GUEST_OK);
	assert_string_equal(events(&w), "s2.map ipa=0x80005000 size=0x4000 pa=ram prot=rw\n");
	assert_int_equal(ms_guest_write(w.vm, GPA + 0x7000).faults, 0);
	world_end(&w);
}

/*
 *  ipa     ..4000  ..5000                  ..8000
 *  page    |-------:-------:-------:-------|
 *  touch            ^
 *  map     [-------------------------------)    16K
 */
static void with_16k_pages_the_fault_is_rounded_to_its_page_from_7_0(void **state)
{
	const struct ms_machine_config config = { .page_size = 0x4000 };
	struct world w = world_config("7.2.13", &config);

	map_pages(&w, HVA, 0x10000);
	set_slot(&w, GPA, 0x10000, HVA);
	assert_int_equal(ms_guest_write(w.vm, GPA + 0x5008).exit, MS_GUEST_OK);
	assert_string_equal(events(&w), "s2.map ipa=0x80004000 size=0x4000 pa=ram prot=rw\n");
	world_end(&w);
}

/*
 *  hva     :------------------1G------------------:
 *  VMA     |2M|
 *  slot    [--------------------------------------)
 *  touch   ^
 *  block   [--------------------------------------)
 */
static void a_touch_at_the_start_of_a_gib_does_not_ask_for_the_vmas_end(void **state)
{
	struct world w = world("6.12.107");
	struct ms_s2_leaf leaf;

	map_bar(&w, HVA, MS_2M, MS_1G);
	set_slot(&w, 4 * MS_1G, MS_1G, HVA);
	leaf = read_leaf(&w, 4 * MS_1G);
	assert_int_equal(leaf.size, MS_1G);
	assert_string_equal(leaf.reason, "VMA and PA congruent modulo 1G, fault at the block's "
					 "start: VMA end not checked");
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(congruent_device_memory_is_mapped_by_2m),
		cmocka_unit_test(a_whole_gib_is_mapped_by_1g),
		cmocka_unit_test(with_39_bits_of_addresses_there_still_are_blocks_of_1g),
		cmocka_unit_test(a_block_must_lie_inside_the_vma),
		cmocka_unit_test(a_touch_at_the_blocks_start_does_not_ask_for_the_vmas_end),
		cmocka_unit_test(memory_that_is_not_congruent_is_mapped_by_pages),
		cmocka_unit_test(guest_addresses_that_are_not_congruent_get_pages),
		cmocka_unit_test(a_block_must_lie_inside_the_slot),
		cmocka_unit_test(a_gib_that_the_slot_refuses_becomes_2m),
		cmocka_unit_test(block_of_a_driver_with_its_own_offsets_is_laid_by_pages),
		cmocka_unit_test(device_memory_is_mapped_by_pages_where_vm_pgoff_is_not_asked),
		cmocka_unit_test(a_block_leaf_of_the_host_makes_a_block),
		cmocka_unit_test(a_block_leaf_of_the_host_does_not_count_up_to_6_12_112),
		cmocka_unit_test(device_memory_does_not_take_the_size_of_its_host_leaf),
		cmocka_unit_test(rules_without_a_table_force_pages_or_only_begin_with_them),
		cmocka_unit_test(device_memory_stays_pages_where_the_host_has_no_leaf),
		cmocka_unit_test(transparent_huge_page_makes_a_block),
		cmocka_unit_test(up_to_5_14_the_page_tells_of_its_huge_page),
		cmocka_unit_test(a_thp_that_a_child_has_split_is_mapped_by_pages_up_to_5_14),
		cmocka_unit_test(thp_that_the_slot_cuts_gets_pages),
		cmocka_unit_test(pages_of_the_host_are_pages_of_the_guest),
		cmocka_unit_test(hugetlb_pages_give_their_size_or_the_block_below),
		cmocka_unit_test(logging_maps_pages),
		cmocka_unit_test(with_16k_pages_the_map_begins_at_the_4k_of_the_fault),
		cmocka_unit_test(with_16k_pages_the_fault_is_rounded_to_its_page_from_7_0),
		cmocka_unit_test(a_touch_at_the_start_of_a_gib_does_not_ask_for_the_vmas_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
