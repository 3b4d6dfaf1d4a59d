/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Block sizes for the MMIO of a device: the rules that were proposed or merged, side by side on one
 * kernel, each chosen by itself.
 *
 *	             |0           |2M          |4M
 *	VMA          [=========================)          file offset 0, or 4K
 *	VMA, edge    [==================)                 3M long
 *	slot         [=========================)
 */
#include "world.h"

#include <mapsim/drivers.h>

static struct ms_policy policy_with(const char *release, const char *field, const char *value)
{
	struct ms_policy p = *ms_policy_linux(release, MS_ARCH_ARM64);

	if (field)
		assert_int_equal(ms_policy_set(&p, field, value), 0);
	return p;
}

static struct ms_policy rule(const char *value)
{
	struct ms_policy p = policy_with("6.12.107", "s2_pfnmap_block", value);

	// of its own the host's table is asked for memory alone
	if (p.s2_pfnmap_block == MS_S2_PFNMAP_BLOCK_FROM_HOST_TABLE)
		p.s2_device_upgrade = MS_S2_DEVICE_UPGRADE_ALLOWED;
	return p;
}

/* A function of the user's: what the arithmetic promises, if all of the block is in the VMA. */
static uint64_t inside_vma(const struct ms_block_inputs *in, void *arg)
{
	ms_hva_t start = in->hva & ~(MS_2M - 1);

	if (!in->device || in->size < MS_2M)
		return 0;
	return start >= in->vma_start && start + MS_2M <= in->vma_end ? MS_2M : PAGE;
}

/* Bytes of the leaf that a read of `touch` in the slot gets; the BAR is mapped by pages. */
static uint64_t leaf_of_pages(const struct ms_policy *policy, uint64_t len, uint64_t off,
			      uint64_t touch)
{
	struct ms_guest_access access;
	struct world w;

	world_start(&w, policy, NULL);
	map_bar(&w, HVA, len, off);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 2 * MS_2M, HVA, 0), 0);
	access = ms_guest_read(w.vm, GPA + touch);
	assert_int_equal(access.exit, MS_GUEST_OK);
	assert_int_equal(access.leaf.pa, BAR + off + (access.leaf.ipa - GPA));
	assert_int_equal(ms_violations(w.m), access.leaf.ipa + access.leaf.size > GPA + len);
	world_end(&w);
	return access.leaf.size;
}

/* The same, mapped by the 2M where the host may. */
static uint64_t leaf_of_blocks(const struct ms_policy *policy, uint64_t off)
{
	const struct ms_piece whole = { .len = 2 * MS_2M };
	struct ms_guest_access access;
	struct ms_file *file;
	struct world w;

	world_start(&w, policy, NULL);
	file = ms_pieces_open(ms_device_find(w.m, "bar"), MS_PIECES_LAZY_HUGE, MS_CACHE_NGNRE,
			      &whole, 1);
	assert_int_equal(ms_mmap(w.mm, HVA, 2 * MS_2M, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE, file, off),
			 HVA);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 2 * MS_2M, HVA, 0), 0);
	access = ms_guest_read(w.vm, GPA + PAGE);
	assert_int_equal(access.exit, MS_GUEST_OK);
	world_end(&w);
	return access.leaf.size;
}

static void each_rule_gives_the_leaves_of_its_row(void **state)
{
	struct ms_policy own = rule("FROM_VM_PGOFF");
	const struct {
		struct ms_policy policy;
		uint64_t congruent, shifted; /* 4K host leaves */
		uint64_t edge_start, edge_next;
		uint64_t host_2m, host_shifted;
	} expected[] = {
		{ rule("PAGES_ONLY"), PAGE, PAGE, PAGE, PAGE, PAGE, PAGE },
		{ rule("ROUGH_VM_PGOFF_V3"), MS_2M, PAGE, MS_2M, PAGE, MS_2M, PAGE },
		{ rule("FROM_VM_PGOFF"), MS_2M, PAGE, MS_2M, PAGE, MS_2M, PAGE },
		{ rule("HUGETLB_ONLY"), PAGE, PAGE, PAGE, PAGE, PAGE, PAGE },
		{ rule("FROM_HOST_TABLE"), PAGE, PAGE, PAGE, PAGE, MS_2M, PAGE },
		{ own, MS_2M, PAGE, PAGE, PAGE, MS_2M, PAGE },
	};

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct ms_policy p = expected[i].policy;

		if (i == 5)
			p.choose_block = inside_vma;
		assert_int_equal(leaf_of_pages(&p, 2 * MS_2M, 0, PAGE), expected[i].congruent);
		assert_int_equal(leaf_of_pages(&p, 2 * MS_2M, PAGE, PAGE), expected[i].shifted);
		assert_int_equal(leaf_of_pages(&p, 3 * MS_2M / 2, 0, MS_2M),
				 expected[i].edge_start);
		assert_int_equal(leaf_of_pages(&p, 3 * MS_2M / 2, 0, MS_2M + PAGE),
				 expected[i].edge_next);
		assert_int_equal(leaf_of_blocks(&p, 0), expected[i].host_2m);
		assert_int_equal(leaf_of_blocks(&p, PAGE), expected[i].host_shifted);
	}
}

static void up_to_5_13_a_slot_is_mapped_by_pages_at_once(void **state)
{
	struct world w = world("5.10.223");

	map_bar(&w, HVA, MS_2M, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), 0);
	assert_int_equal(ms_trace_count(w.m, MS_EV_S2_MAP), 512);
	assert_int_equal(ms_guest_read(w.vm, GPA + PAGE).faults, 0);
	world_end(&w);
}

/* ---- where the patch's third version and what was merged differ ---- */

static uint64_t leaf_of_a_shifted_pgoff(const char *value)
{
	const struct ms_piece shifted = { .len = 2 * MS_2M, .shift = PAGE };
	struct ms_policy p = policy_with("6.12.117", "s2_pfnmap_block", value);
	struct ms_guest_access access;
	struct ms_file *file;
	struct world w;

	world_start(&w, &p, NULL);
	file = ms_pieces_open(ms_device_find(w.m, "bar"), MS_PIECES_LAZY_HUGE, MS_CACHE_NGNRE,
			      &shifted, 1);
	// vm_pgoff tells the BAR's second 2M less a page, the host maps the second 2M
	assert_int_equal(ms_mmap(w.mm, HVA, 2 * MS_2M, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE, file, MS_2M - PAGE),
			 HVA);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 2 * MS_2M, HVA, 0), 0);
	access = ms_guest_read(w.vm, GPA + PAGE);
	assert_int_equal(access.leaf.pa, BAR + MS_2M + (access.leaf.ipa - GPA));
	world_end(&w);
	return access.leaf.size;
}

static void a_page_of_a_device_stays_one_in_the_third_version(void **state)
{
	assert_int_equal(leaf_of_a_shifted_pgoff("FROM_VM_PGOFF"), MS_2M);
	assert_int_equal(leaf_of_a_shifted_pgoff("FROM_HOST_TABLE"), MS_2M);
	assert_int_equal(leaf_of_a_shifted_pgoff("ROUGH_VM_PGOFF_V3"), PAGE);
}

static uint64_t violations_of_pfnmap_hugetlb(const char *value, uint64_t *size)
{
	struct world w = world_with("6.12.107", "s2_pfnmap_block", value);
	struct ms_file *file = ms_memfd_hugetlb_new(w.m, MS_2M, MS_2M);
	uint64_t violations;

	assert_int_equal(ms_mmap(w.mm, HVA, MS_2M, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE, file, 0),
			 HVA);
	assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_W), MS_ACCESS_OK);
	ms_find_vma(w.mm, HVA)->vm_flags |= MS_VM_PFNMAP;
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), 0);
	*size = ms_guest_read(w.vm, GPA + PAGE).leaf.size;
	violations = ms_trace_total(w.m, MS_EV_VIOLATION);
	ms_find_vma(w.mm, HVA)->vm_flags &= ~MS_VM_PFNMAP;
	world_end(&w);
	return violations;
}

static void hugetlb_that_is_pfnmap_is_a_block_in_the_third_version_and_then_a_bug(void **state)
{
	uint64_t size;

	assert_int_equal(violations_of_pfnmap_hugetlb("ROUGH_VM_PGOFF_V3", &size), 0);
	assert_int_equal(size, MS_2M);
	assert_int_equal(violations_of_pfnmap_hugetlb("FROM_VM_PGOFF", &size), 1);
}

static struct ms_s2_leaf leaf_of_a_log(const char *value)
{
	struct world w = world_with("6.12.107", "s2_log_pfnmap", value);
	struct ms_s2_leaf leaf;

	// a slot with a log cannot be made over VM_PFNMAP memory, but that can come later
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, MS_SLOT_LOG_DIRTY), 0);
	map_bar(&w, HVA, MS_2M, 0);
	leaf = ms_guest_read(w.vm, GPA + PAGE).leaf;
	world_end(&w);
	return leaf;
}

static void the_third_version_maps_a_logged_block_of_device_memory(void **state)
{
	assert_int_equal(leaf_of_a_log("PAGES").size, PAGE);
	assert_string_equal(leaf_of_a_log("PAGES").reason, "dirty logging maps pages");
	assert_int_equal(leaf_of_a_log("AS_UNLOGGED").size, MS_2M);
}

static void memory_that_is_no_device_takes_the_size_of_its_host_leaf(void **state)
{
	static const char *const all[] = { "ROUGH_VM_PGOFF_V3", "FROM_VM_PGOFF", "HUGETLB_ONLY" };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct world w = world_with("6.12.107", "s2_pfnmap_block", all[i]);

		map_pages(&w, HVA, MS_2M);
		assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), 0);
		assert_int_equal(ms_guest_write(w.vm, GPA + PAGE).leaf.size, PAGE);
		world_end(&w);
	}
}

static int remap_2m_of_ram(struct ms_file *file, struct ms_vma *vma)
{
	vma->vm_pgoff = 2 * MS_1G >> 12;
	return ms_remap_pfn_range(vma, vma->vm_start, vma->vm_pgoff, vma->vm_end - vma->vm_start,
				  vma->vm_page_prot);
}

/* A block of it is written to, and one page of the block is in the log: nothing says more. */
static void the_third_version_logs_one_page_of_a_block_of_memory(void **state)
{
	static const struct ms_file_ops ops = { .name = "ram", .mmap = remap_2m_of_ram };
	struct ms_policy policy = *ms_policy_linux("6.12.107", MS_ARCH_ARM64);
	struct world w;
	uint64_t bits[8];

	assert_int_equal(ms_policy_set(&policy, "s2_log_pfnmap", "AS_UNLOGGED"), 0);
	assert_int_equal(ms_policy_set(&policy, "pfn_refcount_test", "NO"), 0);
	world_start(&w, &policy, NULL);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, MS_SLOT_LOG_DIRTY), 0);
	map_file(&w, HVA, MS_2M, MS_PROT_RW, MS_MAP_SHARED, &ops, 0);
	assert_int_equal(ms_guest_write(w.vm, GPA + PAGE).leaf.size, MS_2M);
	assert_int_equal(ms_machine_check(w.m, stderr), 0);
	assert_int_equal(ms_vm_get_dirty(w.vm, 1, bits, 8, NULL), 0);
	assert_int_equal(bits[0], 0x1);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_gives_the_leaves_of_its_row),
		cmocka_unit_test(up_to_5_13_a_slot_is_mapped_by_pages_at_once),
		cmocka_unit_test(a_page_of_a_device_stays_one_in_the_third_version),
		cmocka_unit_test(
			hugetlb_that_is_pfnmap_is_a_block_in_the_third_version_and_then_a_bug),
		cmocka_unit_test(the_third_version_maps_a_logged_block_of_device_memory),
		cmocka_unit_test(memory_that_is_no_device_takes_the_size_of_its_host_leaf),
		cmocka_unit_test(the_third_version_logs_one_page_of_a_block_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
