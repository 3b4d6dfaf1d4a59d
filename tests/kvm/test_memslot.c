/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM_SET_USER_MEMORY_REGION: what is refused, in which order, and what a change does. */
#include "world.h"

static void addresses_and_sizes_are_whole_pages(void **state)
{
	struct world w = world("6.12.107");

	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA + 0x800, PAGE, HVA, 0), -EINVAL);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 0x800, HVA, 0), -EINVAL);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA + 0x800, 0), -EINVAL);
	world_end(&w);
}

static void unknown_flags_are_refused(void **state)
{
	struct world w = world("6.12.107");

	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0x4), -EINVAL);
	world_end(&w);
}

static void kernels_before_5_12_have_512_slots(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);
		const unsigned int limit = k->slot_limit == MS_SLOT_LIMIT_512 ? 512 : 32767;

		assert_int_equal(ms_vm_set_slot(w.vm, limit - 1, GPA, PAGE, HVA, 0), 0);
		assert_int_equal(ms_vm_set_slot(w.vm, limit, GPA + PAGE, PAGE, HVA, 0), -EINVAL);
		world_end(&w);
	}
}

static void host_addresses_are_those_of_user_space(void **state)
{
	struct world w = world("6.1.176");

	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, 0xfffffffff000, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 2, GPA + PAGE, 2 * PAGE, 0xfffffffff000, 0), -EINVAL);
	assert_int_equal(ms_vm_set_slot(w.vm, 2, GPA + PAGE, PAGE, 0xffff800000000000, 0), -EINVAL);
	world_end(&w);
}

static void kernel_built_for_52_bits_takes_host_addresses_that_no_process_has(void **state)
{
	struct world w = world("6.12.107");

	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 2 * PAGE, 0xfffffffff000, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 2, 2 * GPA, PAGE, 0xffffffffff000, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 3, 3 * GPA, 2 * PAGE, 0xffffffffff000, 0), -EINVAL);
	assert_int_equal(ms_vm_set_slot(w.vm, 3, 3 * GPA, PAGE, 0xffff800000000000, 0), -EINVAL);
	assert_int_equal(ms_guest_write(w.vm, GPA + PAGE).err, -EFAULT);
	assert_int_equal(ms_guest_exec(w.vm, 2 * GPA).err, -EFAULT);
	world_end(&w);
}

static void guest_addresses_may_not_wrap(void **state)
{
	struct world w = world("6.12.107");

	assert_int_equal(ms_vm_set_slot(w.vm, 1, UINT64_C(0) - PAGE, 2 * PAGE, HVA, 0), -EINVAL);
	world_end(&w);
}

/*
 * A digit a page:
 *
 *        : limit
 *       1:
 *        :2     -EFAULT
 */
static void slot_may_end_at_the_ipa_limit_and_not_beyond(void **state)
{
	struct world w = world_with("6.12.107", "slot_end", "LIMIT_ALLOWED");
	uint64_t limit = UINT64_C(1) << 40;

	assert_int_equal(ms_vm_set_slot(w.vm, 1, limit - PAGE, PAGE, HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 2, limit, PAGE, HVA, 0), -EFAULT);
	world_end(&w);
}

/*
 * A digit a page:
 *
 *        : limit
 *       1:      -EFAULT
 *      1.:
 */
static void slot_that_ends_at_the_ipa_limit_is_refused_by_the_older_rule(void **state)
{
	struct world w = world_with("6.12.107", "slot_end", "LIMIT_EXCLUDED");
	uint64_t limit = UINT64_C(1) << 40;

	assert_int_equal(ms_vm_set_slot(w.vm, 1, limit - PAGE, PAGE, HVA, 0), -EFAULT);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, limit - 2 * PAGE, PAGE, HVA, 0), 0);
	world_end(&w);
}

/*
 * A digit a page; from gpa 0xe000 on:
 *
 *  ..11111111......    there
 *  .22.............    -EEXIST
 *  ......2.........    -EEXIST
 *  .........22.....    -EEXIST
 *  2222222222222222    -EEXIST
 *  .211111111......    before it
 *  .2111111113.....    and behind it
 */
static void overlapping_slots_are_eexist(void **state)
{
	struct world w = world("6.12.107");

	assert_int_equal(ms_vm_set_slot(w.vm, 1, 0x10000, 0x8000, HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 2, 0xf000, 0x2000, HVA, 0), -EEXIST);
	assert_int_equal(ms_vm_set_slot(w.vm, 2, 0x14000, 0x1000, HVA, 0), -EEXIST);
	assert_int_equal(ms_vm_set_slot(w.vm, 2, 0x17000, 0x2000, HVA, 0), -EEXIST);
	assert_int_equal(ms_vm_set_slot(w.vm, 2, 0xe000, 0x10000, HVA, 0), -EEXIST);
	assert_int_equal(ms_vm_set_slot(w.vm, 2, 0xf000, 0x1000, HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 3, 0x18000, 0x1000, HVA, 0), 0);
	world_end(&w);
}

/*
 * A digit a page:
 *
 *        : limit
 *      1.:      there
 *      22:2     -EEXIST, though it goes beyond the limit, too
 */
static void overlap_is_tested_before_the_ipa_limit(void **state)
{
	struct world w = world("6.12.107");

	assert_int_equal(ms_vm_set_slot(w.vm, 1, 0xffffffe000, 0x1000, HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 2, 0xffffffe000, 0x3000, HVA, 0), -EEXIST);
	world_end(&w);
}

/*
 * A digit a page; from gpa 0x10000 on:
 *
 *  11111111....2
 *  ..11111111..2    moved
 *  .....11111111    -EEXIST
 */
static void moved_slot_does_not_overlap_itself(void **state)
{
	struct world w = world("6.12.107");

	assert_int_equal(ms_vm_set_slot(w.vm, 1, 0x10000, 0x8000, HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 2, 0x1c000, 0x1000, HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, 0x12000, 0x8000, HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, 0x15000, 0x8000, HVA, 0), -EEXIST);
	world_end(&w);
}

static void live_slot_keeps_size_host_address_and_readonly(void **state)
{
	struct world w = world("6.12.107");

	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 0x4000, HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 0x2000, HVA, 0), -EINVAL);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 0x4000, HVA + PAGE, 0), -EINVAL);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 0x4000, HVA, MS_SLOT_READONLY), -EINVAL);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 0x4000, HVA, 0), 0);
	assert_int_equal(ms_vm_slot_pages(w.vm, 1), 4);
	world_end(&w);
}

static void what_is_not_there_cannot_be_deleted(void **state)
{
	struct world w = world("6.12.107");

	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 0, HVA, 0), -EINVAL);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 0, HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 0, HVA, 0), -EINVAL);
	assert_int_equal(ms_vm_slot_pages(w.vm, 1), 0);
	world_end(&w);
}

/*
 *  gpa    0x1f000000   0x40000000     0x80000000   0x80100000
 *  slot   [------------:--------------:------------)
 *  unmap  [------------)
 *                      [--------------)
 *                                     [------------)
 */
static void deleting_a_slot_unmaps_it_in_pieces_of_a_gib(void **state)
{
	struct world w = world("6.12.107");

	assert_int_equal(ms_vm_set_slot(w.vm, 1, 0x1f000000, 0x61100000, HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, 0, 0, 0, 0), 0);
	assert_string_equal(events(&w), "s2.unmap ipa=0x1f000000 size=0x21000000\n"
					"s2.unmap ipa=0x40000000 size=0x40000000\n"
					"s2.unmap ipa=0x80000000 size=0x100000\n");
	world_end(&w);
}

/*
 *  gpa    0x1ffc000    0x2000000    0x2004000
 *  slot   [------------:------------)
 *  unmap  [------------)
 *                      [------------)
 */
static void with_16k_pages_the_pieces_are_32m(void **state)
{
	const struct ms_machine_config config = { .page_size = 0x4000 };
	struct world w = world_config("6.12.107", &config);

	assert_int_equal(ms_vm_set_slot(w.vm, 1, 0x1ffc000, 0x8000, HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, 0, 0, 0, 0), 0);
	assert_string_equal(events(&w), "s2.unmap ipa=0x1ffc000 size=0x4000\n"
					"s2.unmap ipa=0x2000000 size=0x4000\n");
	world_end(&w);
}

/*
 *  gpa    0x3ffff000   0x40000000   0x40001000
 *  slot   [------------:------------)
 *  unmap  [-------------------------)
 */
static void while_the_lock_was_a_spinlock_the_pieces_were_root_entries(void **state)
{
	const struct ms_machine_config config = { .ipa_bits = 44 };
	struct world w = world_config("5.10.223", &config);
	struct ms_vm *vm = ms_vm_new(w.mm, 44);

	assert_non_null(vm);
	assert_int_equal(ms_vm_set_slot(vm, 1, MS_1G - PAGE, 2 * PAGE, HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(vm, 1, 0, 0, 0, 0), 0);
	// 44 bits of 4K pages: an entry of the root is 512G
	assert_string_equal(events(&w), "s2.unmap ipa=0x3ffff000 size=0x2000\n");
	world_end(&w);
}

/*
 * A digit a page:
 *
 *  GPA    GPA + 1G
 *  11     ..          before
 *  ..     11          after
 */
static void moving_a_slot_unmaps_where_it_was(void **state)
{
	struct world w = world("6.12.107");

	map_pages(&w, HVA, 2 * PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 2 * PAGE, HVA, 0), 0);
	assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_OK);
	events(&w);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA + MS_1G, 2 * PAGE, HVA, 0), 0);
	assert_string_equal(events(&w), "s2.unmap ipa=0x80000000 size=0x2000\n");
	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_MMIO);
	assert_int_equal(ms_guest_read(w.vm, GPA + MS_1G).exit, MS_GUEST_OK);
	world_end(&w);
}

static void move_that_is_refused_has_unmapped_the_old_place(void **state)
{
	struct world w = world("6.12.107");

	map_bar(&w, HVA, PAGE, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA + PAGE, PAGE, HVA, MS_SLOT_LOG_DIRTY),
			 -EINVAL);
	assert_string_equal(events(&w), "s2.unmap ipa=0x80000000 size=0x1000\n");
	// A changed read-only flag is refused before anything is done.
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA + PAGE, PAGE, HVA, MS_SLOT_READONLY), -EINVAL);
	assert_string_equal(events(&w), "");
	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_OK);
	world_end(&w);
}

static void device_memory_is_not_logged(void **state)
{
	struct world w = world("6.12.107");

	map_bar(&w, HVA, PAGE, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, MS_SLOT_LOG_DIRTY), -EINVAL);
	assert_int_equal(ms_vm_slot_pages(w.vm, 1), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, MS_SLOT_LOG_DIRTY), -EINVAL);
	assert_int_equal(ms_vm_slot_pages(w.vm, 1), 1);
	world_end(&w);
}

static int remap_cacheable(struct ms_file *file, struct ms_vma *vma)
{
	return ms_remap_pfn_range(vma, vma->vm_start, BAR >> 12, vma->vm_end - vma->vm_start,
				  vma->vm_page_prot);
}

static const struct ms_file_ops cacheable_ops = { .name = "cacheable", .mmap = remap_cacheable };

/*
 *  hva      |a  |0   1  | . |4  |    a: anonymous; the rest: pages of the BAR
 *  stage 2    .  0   1    .  4
 */
static void up_to_5_13_a_new_slot_maps_device_memory_at_once(void **state)
{
	struct world w = world("5.10.223");

	map_anon(&w, HVA, PAGE);
	map_bar(&w, HVA + PAGE, 2 * PAGE, 0);
	map_bar(&w, HVA + 4 * PAGE, PAGE, 4 * PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 5 * PAGE, HVA, 0), 0);
	assert_string_equal(events(&w),
			    "s2.map ipa=0x80001000 size=0x1000 pa=0x8000000000 prot=rw,device\n"
			    "s2.map ipa=0x80002000 size=0x1000 pa=0x8000001000 prot=rw,device\n"
			    "s2.map ipa=0x80004000 size=0x1000 pa=0x8000004000 prot=rw,device\n");
	assert_int_equal(ms_guest_write(w.vm, GPA + PAGE).faults, 0);
	world_end(&w);
}

static void the_premap_of_a_readonly_slot_is_readonly(void **state)
{
	struct world w = world("5.10.223");

	map_bar(&w, HVA, PAGE, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, MS_SLOT_READONLY), 0);
	assert_string_equal(events(&w),
			    "s2.map ipa=0x80000000 size=0x1000 pa=0x8000000000 prot=r,device\n");
	world_end(&w);
}

static void changed_flags_premap_what_came_since(void **state)
{
	struct world w = world("5.10.223");

	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, MS_SLOT_LOG_DIRTY), 0);
	map_bar(&w, HVA, PAGE, 0);
	events(&w);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	assert_string_equal(events(&w),
			    "s2.map ipa=0x80000000 size=0x1000 pa=0x8000000000 prot=rw,device\n");
	world_end(&w);
}

/*
 * A check that says no undoes nothing:
 *
 *  hva      |0  |c  |    a page of the BAR, and a cacheable one
 *  stage 2   0    .
 */
static void refused_vma_leaves_what_was_premapped_before_it(void **state)
{
	struct world w = world_with("5.10.223", "s2_cacheable_pfnmap", "BY_VMA_PROT");

	map_bar(&w, HVA, PAGE, 0);
	map_file(&w, HVA + PAGE, PAGE, MS_PROT_RW, MS_MAP_SHARED, &cacheable_ops, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 2 * PAGE, HVA, 0), -EINVAL);
	assert_string_equal(events(&w),
			    "s2.map ipa=0x80000000 size=0x1000 pa=0x8000000000 prot=rw,device\n");
	world_end(&w);
}

static void premap_that_fails_leaves_nothing_mapped(void **state)
{
	struct world w = world("5.10.223");

	map_bar(&w, HVA, MS_2M, 0);
	// the slot itself, then the 40 tables of the first top-up
	ms_machine_fail_alloc(w.m, 2);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), -ENOMEM);
	assert_string_equal(events(&w), "s2.unmap ipa=0x80000000 size=0x200000\n");
	assert_int_equal(ms_vm_slot_pages(w.vm, 1), 0);
	world_end(&w);
}

static void later_kernels_map_device_memory_when_it_is_touched(void **state)
{
	struct world w = world("6.1.176");

	map_bar(&w, HVA, PAGE, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	assert_string_equal(events(&w), "");
	world_end(&w);
}

static void cacheable_device_memory_needs_fwb_and_dic(void **state)
{
	const struct ms_machine_config with = { .dic = MS_FEATURE_PRESENT };
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release), dic = world_config(k->release, &with);

		map_file(&w, HVA, PAGE, MS_PROT_RW, MS_MAP_SHARED, &cacheable_ops, 0);
		map_file(&dic, HVA, PAGE, MS_PROT_RW, MS_MAP_SHARED, &cacheable_ops, 0);
		assert_int_equal(
			ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0),
			k->s2_cacheable_pfnmap == MS_S2_CACHEABLE_PFNMAP_BY_VMA_PROT ? -EINVAL : 0);
		assert_int_equal(ms_vm_set_slot(dic.vm, 1, GPA, PAGE, HVA, 0), 0);
		world_end(&w);
		world_end(&dic);
	}
}

static int slot_with_mte(struct world *w, unsigned int flags)
{
	struct ms_vm *vm;
	int ret;

	vm = ms_vm_new_config(w->mm, &(struct ms_vm_config){ .mte = true });
	assert_non_null(vm);
	map_file(w, HVA, PAGE, MS_PROT_RW, flags, &cacheable_ops, 0);
	ret = ms_vm_set_slot(vm, 1, GPA, PAGE, HVA, 0);
	return ret;
}

static void mte_refuses_shared_memory_up_to_6_1_and_memory_without_tags_later(void **state)
{
	const struct ms_machine_config config = { .mte = MS_FEATURE_PRESENT };
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w;

		if (k->mte_vma == MS_MTE_VMA_NONE)
			continue;
		w = world_config(k->release, &config);
		assert_int_equal(slot_with_mte(&w, MS_MAP_SHARED), -EINVAL);
		assert_int_equal(ms_munmap(w.mm, HVA, PAGE), 0);
		assert_int_equal(slot_with_mte(&w, MS_MAP_PRIVATE),
				 k->mte_vma == MS_MTE_VMA_NO_SHARED ? 0 : -EINVAL);
		world_end(&w);
	}
}

/* Descriptors, TLBIs and cache maintenance of a slot's life, whether somebody wants them or not. */
static void count_a_slots_life(uint32_t keep, uint64_t total[3])
{
	static const enum ms_event_type type[] = { MS_EV_S2_DESC, MS_EV_TLBI, MS_EV_CMO };
	const struct ms_machine_config config = { .fwb = MS_FEATURE_ABSENT };
	struct world w = world_config("6.12.107", &config);

	ms_trace_keep(w.m, keep);
	map_bar(&w, HVA, MS_2M, PAGE);
	map_anon(&w, HVA + MS_2M, MS_2M);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 2 * MS_2M, HVA, 0), 0);
	for (uint64_t off = 0; off < 2 * MS_2M; off += PAGE)
		assert_int_equal(ms_guest_write(w.vm, GPA + off).exit, MS_GUEST_OK);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 2 * MS_2M, HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, 0, 0, 0, 0), 0);
	for (size_t i = 0; i < 3; i++)
		total[i] = ms_trace_total(w.m, type[i]);
	world_end(&w);
}

static void events_that_nobody_keeps_are_counted(void **state)
{
	uint64_t kept[3], counted[3];

	count_a_slots_life(1u << MS_EV_S2_DESC | 1u << MS_EV_TLBI | 1u << MS_EV_CMO, kept);
	count_a_slots_life(0, counted);
	for (size_t i = 0; i < 3; i++) {
		assert_true(kept[i] > 1);
		assert_int_equal(kept[i], counted[i]);
	}
}

/* The slot stays where it was, so that there is nothing to unmap and nothing to undo. */
static void changed_flags_that_fail_unmap_nothing(void **state)
{
	struct world w = world("5.10.223");

	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, MS_SLOT_LOG_DIRTY), 0);
	map_bar(&w, HVA, MS_2M, 0);
	events(&w);
	ms_machine_fail_alloc(w.m, 1);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), -ENOMEM);
	assert_string_equal(events(&w), "");
	world_end(&w);
}

static uint64_t caches_cleaned_by_a_log(const char *release)
{
	const struct ms_machine_config config = { .fwb = MS_FEATURE_ABSENT };
	struct world w = world_config(release, &config);
	uint64_t before, count;

	map_pages(&w, HVA, PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_OK);
	before = ms_trace_total(w.m, MS_EV_CMO);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, MS_SLOT_LOG_DIRTY), 0);
	count = ms_trace_total(w.m, MS_EV_CMO) - before;
	world_end(&w);
	return count;
}

static void changed_flags_clean_no_cache(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64)
		assert_int_equal(caches_cleaned_by_a_log(k->release), 0);
}

static void slot_may_show_all_of_user_space(void **state)
{
	const struct ms_machine_config config = { .va_bits = 39 };
	struct world w = world_config("6.1.176", &config);
	const uint64_t all = UINT64_C(1) << 39;

	assert_int_equal(ms_vm_set_slot(w.vm, 1, 0, all + PAGE, 0, 0), -EINVAL);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, 0, all, PAGE, 0), -EINVAL);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, 0, all, 0, 0), 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_and_sizes_are_whole_pages),
		cmocka_unit_test(unknown_flags_are_refused),
		cmocka_unit_test(kernels_before_5_12_have_512_slots),
		cmocka_unit_test(host_addresses_are_those_of_user_space),
		cmocka_unit_test(kernel_built_for_52_bits_takes_host_addresses_that_no_process_has),
		cmocka_unit_test(guest_addresses_may_not_wrap),
		cmocka_unit_test(slot_may_end_at_the_ipa_limit_and_not_beyond),
		cmocka_unit_test(slot_that_ends_at_the_ipa_limit_is_refused_by_the_older_rule),
		cmocka_unit_test(overlapping_slots_are_eexist),
		cmocka_unit_test(overlap_is_tested_before_the_ipa_limit),
		cmocka_unit_test(moved_slot_does_not_overlap_itself),
		cmocka_unit_test(live_slot_keeps_size_host_address_and_readonly),
		cmocka_unit_test(what_is_not_there_cannot_be_deleted),
		cmocka_unit_test(deleting_a_slot_unmaps_it_in_pieces_of_a_gib),
		cmocka_unit_test(with_16k_pages_the_pieces_are_32m),
		cmocka_unit_test(while_the_lock_was_a_spinlock_the_pieces_were_root_entries),
		cmocka_unit_test(moving_a_slot_unmaps_where_it_was),
		cmocka_unit_test(move_that_is_refused_has_unmapped_the_old_place),
		cmocka_unit_test(device_memory_is_not_logged),
		cmocka_unit_test(up_to_5_13_a_new_slot_maps_device_memory_at_once),
		cmocka_unit_test(the_premap_of_a_readonly_slot_is_readonly),
		cmocka_unit_test(changed_flags_premap_what_came_since),
		cmocka_unit_test(refused_vma_leaves_what_was_premapped_before_it),
		cmocka_unit_test(premap_that_fails_leaves_nothing_mapped),
		cmocka_unit_test(later_kernels_map_device_memory_when_it_is_touched),
		cmocka_unit_test(cacheable_device_memory_needs_fwb_and_dic),
		cmocka_unit_test(mte_refuses_shared_memory_up_to_6_1_and_memory_without_tags_later),
		cmocka_unit_test(events_that_nobody_keeps_are_counted),
		cmocka_unit_test(changed_flags_that_fail_unmap_nothing),
		cmocka_unit_test(changed_flags_clean_no_cache),
		cmocka_unit_test(slot_may_show_all_of_user_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
