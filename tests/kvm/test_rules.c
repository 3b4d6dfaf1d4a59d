/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rules of KVM one by one: a kernel with the older or newer rule of another, and no other change.
 */
#include "world.h"

#include "kvm/internal.h"

/* ---- memslots ---- */

static void slots_may_be_limited_to_512(void **state)
{
	struct world w = world_with("6.12.117", "slot_limit", "512");
	struct world old = world_with("5.10.223", "slot_limit", "32767");

	assert_int_equal(ms_vm_set_slot(w.vm, 512, GPA, PAGE, HVA, 0), -EINVAL);
	assert_int_equal(ms_vm_set_slot(w.vm, 511, GPA, PAGE, HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(old.vm, 32767, GPA, PAGE, HVA, 0), -EINVAL);
	assert_int_equal(ms_vm_set_slot(old.vm, 32766, GPA, PAGE, HVA, 0), 0);
	world_end(&w);
	world_end(&old);
}

static struct ms_event tlbi_of_a_log(const char *value)
{
	struct world w = world_with("6.12.117", "slot_flush", value);
	struct ms_event ev;

	ms_trace_keep(w.m, 1u << MS_EV_TLBI);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, MS_SLOT_LOG_DIRTY), 0);
	assert_int_equal(ms_trace_count(w.m, MS_EV_TLBI), 1);
	ev = *ms_trace_last(w.m, MS_EV_TLBI);
	world_end(&w);
	return ev;
}

static void write_protected_slot_is_flushed_alone_or_with_all_of_the_vm(void **state)
{
	struct ms_event range = tlbi_of_a_log("RANGE");

	assert_int_equal(range.tlbi, MS_TLBI_IPA_RANGE);
	assert_int_equal(range.addr, GPA);
	assert_int_equal(range.size, PAGE);
	assert_int_equal(range.level, 0);
	assert_int_equal(tlbi_of_a_log("VMID").tlbi, MS_TLBI_VMID);
}

/* One range instruction reaches 32 << 16 pages, 8G of 4K. */
static void flush_of_a_large_slot_takes_several_ranges(void **state)
{
	struct world w = world_with("6.12.117", "slot_flush", "RANGE");

	ms_trace_keep(w.m, 1u << MS_EV_TLBI);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 9 * MS_1G, HVA, MS_SLOT_LOG_DIRTY), 0);
	assert_int_equal(ms_trace_len(w.m), 2);
	assert_int_equal(ms_trace_get(w.m, 0)->addr, GPA);
	assert_int_equal(ms_trace_get(w.m, 0)->size, 8 * MS_1G);
	assert_int_equal(ms_trace_get(w.m, 1)->addr, GPA + 8 * MS_1G);
	assert_int_equal(ms_trace_get(w.m, 1)->size, MS_1G);
	world_end(&w);
}

static void range_is_cut_at_root_entries_or_largest_blocks(void **state)
{
	static const char *const value[] = { "ROOT_ENTRIES", "LARGEST_BLOCKS" };
	static const char *const expected[] = { "s2.unmap ipa=0x3ffff000 size=0x2000\n",
						"s2.unmap ipa=0x3ffff000 size=0x1000\n"
						"s2.unmap ipa=0x40000000 size=0x1000\n" };

	for (size_t i = 0; i < 2; i++) {
		// 44 bits of 4K pages: an entry of the root is 512G, the largest block 1G
		const struct ms_machine_config config = { .ipa_bits = 44 };
		struct ms_policy policy = *ms_policy_linux("6.12.117", MS_ARCH_ARM64);
		struct ms_vm *vm;
		struct world w;

		assert_int_equal(ms_policy_set(&policy, "s2_range_pieces", value[i]), 0);
		world_start(&w, &policy, &config);
		vm = ms_vm_new(w.mm, 44);
		assert_int_equal(ms_vm_set_slot(vm, 1, MS_1G - PAGE, 2 * PAGE, HVA, 0), 0);
		assert_int_equal(ms_vm_set_slot(vm, 1, 0, 0, 0, 0), 0);
		assert_string_equal(events(&w), expected[i]);
		world_end(&w);
	}
}

static bool second_page_is_still_young(const char *value)
{
	struct world w = world_with("6.12.117", "s2_age", value);
	bool young;

	map_pages(&w, HVA, 2 * PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 2 * PAGE, HVA, 0), 0);
	assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_OK);
	assert_int_equal(ms_guest_write(w.vm, GPA + PAGE).exit, MS_GUEST_OK);
	ms_kvm_notifier_ops.clear_young(&w.vm->notifier, w.mm, HVA, HVA + 2 * PAGE);
	young = ms_s2_test_clear_young(w.vm->arm64.s2, GPA + PAGE, PAGE, false);
	world_end(&w);
	return young;
}

static void ageing_looks_at_a_range_or_its_first_address(void **state)
{
	assert_true(second_page_is_still_young("ONE_ADDRESS"));
	assert_false(second_page_is_still_young("RANGE"));
}

static uint64_t violations_of_ageing(uint64_t size)
{
	struct world w = world_with("6.12.117", "s2_age", "ONE_ADDRESS");
	uint64_t violations;

	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 2 * MS_1G, HVA, 0), 0);
	ms_kvm_notifier_ops.clear_young(&w.vm->notifier, w.mm, HVA, HVA + size);
	violations = ms_trace_total(w.m, MS_EV_VIOLATION);
	world_end(&w);
	return violations;
}

static void ageing_of_one_address_is_of_a_page_or_a_block(void **state)
{
	assert_int_equal(violations_of_ageing(PAGE), 0);
	assert_int_equal(violations_of_ageing(MS_2M), 0);
	assert_int_equal(violations_of_ageing(MS_1G), 0);
	assert_int_equal(violations_of_ageing(2 * PAGE), 1);
}

/* ---- the page behind the fault ---- */

static unsigned int host_faults_of_a_refused_read(const char *value)
{
	struct world w = world_with("6.12.117", "pfn_poison_probe", value);
	struct ms_file *file = ms_memfd_new(w.m, 2 * PAGE);
	unsigned int faults;

	// beyond the end of the file there is no page
	assert_int_equal(ms_mmap(w.mm, HVA, 3 * PAGE, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE, file, 0),
			 HVA);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 3 * PAGE, HVA, 0), 0);
	assert_int_equal(ms_guest_read(w.vm, GPA + 2 * PAGE).err, -EFAULT);
	faults = (unsigned int)ms_trace_total(w.m, MS_EV_HOST_FAULT);
	world_end(&w);
	return faults;
}

static void refused_page_may_be_asked_for_again(void **state)
{
	assert_int_equal(host_faults_of_a_refused_read("TWICE"), 2);
	assert_int_equal(host_faults_of_a_refused_read("ONCE"), 1);
}

static int remap_ram(struct ms_file *file, struct ms_vma *vma)
{
	return ms_remap_pfn_range(vma, vma->vm_start, (MS_1G + MS_2M) >> 12, PAGE,
				  vma->vm_page_prot);
}

static const struct ms_file_ops ram_ops = { .name = "ram", .mmap = remap_ram };

static int read_of_a_page_that_nobody_holds(const char *value)
{
	struct world w = world_with("6.12.117", "pfn_refcount_test", value);
	int err;

	map_file(&w, HVA, PAGE, MS_PROT_RW, MS_MAP_SHARED, &ram_ops, 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	err = ms_guest_read(w.vm, GPA).err;
	world_end(&w);
	return err;
}

static void raw_page_of_ram_may_have_to_be_held_by_somebody(void **state)
{
	assert_int_equal(read_of_a_page_that_nobody_holds("YES"), -EFAULT);
	assert_int_equal(read_of_a_page_that_nobody_holds("NO"), 0);
}

/* ---- the fault ---- */

static int error_without_vma_and_memory(const char *value)
{
	struct world w = world_with("6.12.117", "s2_topup", value);
	int err;

	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	ms_machine_fail_alloc(w.m, 1);
	err = ms_guest_read(w.vm, GPA).err;
	ms_machine_fail_alloc(w.m, 0);
	world_end(&w);
	return err;
}

static void tables_are_had_before_the_lock_is_taken_at_the_latest(void **state)
{
	static const char *const value[] = { "BEFORE", "AFTER_MMAP_LOCK" };

	for (size_t i = 0; i < 2; i++) {
		struct world w = world_with("6.12.117", "s2_topup", value[i]);

		map_pages(&w, HVA, PAGE);
		assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_W), MS_ACCESS_OK);
		assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
		ms_machine_fail_alloc(w.m, 1);
		assert_int_equal(ms_guest_read(w.vm, GPA).err, -ENOMEM);
		assert_string_equal(events(&w), "");
		world_end(&w);
	}
}

static void tables_are_had_before_the_vma_is_looked_at_or_after(void **state)
{
	assert_int_equal(error_without_vma_and_memory("BEFORE"), -ENOMEM);
	assert_int_equal(error_without_vma_and_memory("AFTER_MMAP_LOCK"), -EFAULT);
}

/* Does an access to a page that is mapped, read-only and without x, fill the empty cache? */
static bool access_fills_cache(const char *value, unsigned int access)
{
	struct world w = world_with("6.12.117", "s2_log_topup", value);
	bool filled;

	map_pages(&w, HVA, PAGE);
	assert_int_equal(ms_mprotect(w.mm, HVA, PAGE, MS_PROT_RW | MS_PROT_X), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, MS_SLOT_LOG_DIRTY), 0);
	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_OK);
	ms_s2_cache_free(w.vm->arm64.s2, &w.vm->arm64.vcpu_cache);
	assert_int_equal(ms_guest_touch(w.vm, GPA, access).exit, MS_GUEST_OK);
	filled = w.vm->arm64.vcpu_cache.count;
	world_end(&w);
	return filled;
}

static void permission_faults_of_a_logged_slot_fill_the_cache_if_they_write_or_always(void **state)
{
	assert_true(access_fills_cache("WRITE_FAULTS", MS_PROT_W));
	assert_true(access_fills_cache("EVERY_FAULT", MS_PROT_W));
	assert_false(access_fills_cache("WRITE_FAULTS", MS_PROT_X));
	assert_true(access_fills_cache("EVERY_FAULT", MS_PROT_X));
}

static void map_by_pages_begins_at_the_4k_of_the_fault_or_at_the_page(void **state)
{
	static const char *const value[] = { "FAULT_4K", "GFN" };
	static const ms_ipa_t expected[] = { GPA + 0x5000, GPA + 0x4000 };

	for (size_t i = 0; i < 2; i++) {
		const struct ms_machine_config config = { .page_size = 0x4000 };
		struct ms_policy policy = *ms_policy_linux("6.12.117", MS_ARCH_ARM64);
		struct world w;

		assert_int_equal(ms_policy_set(&policy, "s2_map_address", value[i]), 0);
		world_start(&w, &policy, &config);
		map_pages(&w, HVA, 0x8000);
		assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 0x8000, HVA, 0), 0);
		assert_int_equal(ms_guest_write(w.vm, GPA + 0x5000).exit, MS_GUEST_OK);
		assert_int_equal(ms_trace_last(w.m, MS_EV_S2_MAP)->addr, expected[i]);
		world_end(&w);
	}
}

static void caches_are_maintained_by_the_abort_or_by_the_walk(void **state)
{
	static const char *const value[] = { "ABORT", "WALK" };
	static const enum ms_event_type first[] = { MS_EV_CMO, MS_EV_S2_MAP };

	for (size_t i = 0; i < 2; i++) {
		const struct ms_machine_config config = { .fwb = MS_FEATURE_ABSENT };
		struct ms_policy policy = *ms_policy_linux("6.12.117", MS_ARCH_ARM64);
		struct world w;

		assert_int_equal(ms_policy_set(&policy, "s2_cmo_at", value[i]), 0);
		world_start(&w, &policy, &config);
		map_pages(&w, HVA, PAGE);
		assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
		ms_trace_keep(w.m, 1u << MS_EV_CMO | 1u << MS_EV_S2_MAP);
		assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_OK);
		assert_int_equal(ms_trace_len(w.m), 2);
		assert_int_equal(ms_trace_get(w.m, 0)->type, first[i]);
		world_end(&w);
	}
}

/* Another vCPU reads the page that this one is about to map for writing: that map fails. */
struct lost_race {
	struct ms_vm *vm;
	uint64_t dirty; /* when the fault is taken again */
};

static void look_at_the_log(struct ms_machine *m, enum ms_hook_point point, uint64_t addr,
			    void *arg)
{
	struct lost_race *race = arg;

	ms_machine_set_hook(m, point, NULL, NULL);
	assert_int_equal(ms_vm_get_dirty(race->vm, 1, &race->dirty, 1, NULL), 0);
}

static void read_first(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct lost_race *race = arg;

	ms_machine_set_hook(m, point, NULL, NULL);
	assert_int_equal(ms_guest_read(race->vm, GPA).exit, MS_GUEST_OK);
	ms_machine_set_hook(m, MS_HOOK_S2_VMA_SAMPLED, look_at_the_log, race);
}

static uint64_t dirty_after_a_lost_race(const char *value)
{
	struct world w = world_with("6.12.117", "s2_dirty_mark", value);
	struct lost_race race;

	ms_vm_free(w.vm);
	w.vm = ms_vm_new_config(w.mm, &(struct ms_vm_config){ .dirty_manual = true });
	assert_non_null(w.vm);
	race = (struct lost_race){ .vm = w.vm, .dirty = UINT64_MAX };
	map_pages(&w, HVA, PAGE);
	assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, MS_SLOT_LOG_DIRTY), 0);
	ms_machine_set_hook(w.m, MS_HOOK_S2_PFN_FOUND, read_first, &race);
	assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_OK);
	world_end(&w);
	return race.dirty;
}

static void page_is_dirty_before_it_is_mapped_or_once_it_is(void **state)
{
	assert_int_equal(dirty_after_a_lost_race("BEFORE_MAP"), 1);
	assert_int_equal(dirty_after_a_lost_race("AFTER_SUCCESS"), 0);
}

static uint64_t tlbis_of_two_pages(const char *value)
{
	struct world w = world_with("6.12.117", "s2_unmap_tlbi", value);
	uint64_t before, count;

	map_pages(&w, HVA, 3 * PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 3 * PAGE, HVA, 0), 0);
	for (uint64_t off = 0; off < 3 * PAGE; off += PAGE)
		assert_int_equal(ms_guest_write(w.vm, GPA + off).exit, MS_GUEST_OK);
	before = ms_trace_total(w.m, MS_EV_TLBI);
	assert_int_equal(ms_munmap(w.mm, HVA, 2 * PAGE), 0);
	count = ms_trace_total(w.m, MS_EV_TLBI) - before;
	world_end(&w);
	return count;
}

static void unmap_invalidates_each_leaf_or_the_range(void **state)
{
	assert_int_equal(tlbis_of_two_pages("EACH_LEAF"), 2);
	assert_int_equal(tlbis_of_two_pages("DEFER_IF_RANGE_AND_FWB"), 1);
}

static struct ms_event last_tlbi(struct world *w)
{
	return *ms_trace_last(w->m, MS_EV_TLBI);
}

static unsigned int tlbi_of_a_relax(const char *value)
{
	struct world w = world_with("6.12.117", "s2_relax_scope", value);
	struct ms_event ev;

	map_pages(&w, HVA, PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, MS_SLOT_LOG_DIRTY), 0);
	assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_guest_read(w.vm, GPA).leaf.prot, MS_PROT_R);
	ms_trace_keep(w.m, 1u << MS_EV_TLBI);
	assert_int_equal(ms_guest_write(w.vm, GPA).leaf.prot, MS_PROT_RW);
	ev = last_tlbi(&w);
	world_end(&w);
	return ev.tlbi;
}

static void relax_is_seen_by_one_cpu_or_by_all(void **state)
{
	assert_int_equal(tlbi_of_a_relax("LOCAL"), MS_TLBI_IPA_NSH);
	assert_int_equal(tlbi_of_a_relax("INNER_SHAREABLE"), MS_TLBI_IPA);
}

/* A page is logged, the log ends, and another page of the THP is touched. */
static unsigned int tlbi_of_a_block_over_a_table(const char *value)
{
	struct world w = world_with("6.12.117", "s2_table_to_block", value);
	struct ms_event ev;

	map_anon(&w, HVA, MS_2M);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, MS_SLOT_LOG_DIRTY), 0);
	assert_int_equal(ms_guest_write(w.vm, GPA).leaf.size, PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_2M, HVA, 0), 0);
	ms_trace_keep(w.m, 1u << MS_EV_TLBI);
	assert_int_equal(ms_guest_write(w.vm, GPA + PAGE).leaf.size, MS_2M);
	ev = last_tlbi(&w);
	world_end(&w);
	return ev.tlbi;
}

static void table_that_becomes_a_block_is_flushed_alone_or_with_all_of_the_vm(void **state)
{
	assert_int_equal(tlbi_of_a_block_over_a_table("RANGE"), MS_TLBI_IPA_RANGE);
	assert_int_equal(tlbi_of_a_block_over_a_table("FLUSH_VMID"), MS_TLBI_VMID);
}

/* Has the abort of this access put tables by? */
static bool tops_up(struct world *w, unsigned int prot)
{
	ms_s2_cache_free(w->vm->arm64.s2, &w->vm->arm64.vcpu_cache);
	assert_int_equal(ms_guest_touch(w->vm, GPA, prot).faults, 1);
	return w->vm->arm64.vcpu_cache.count > 0;
}

static void tables_are_had_where_one_may_be_needed(void **state)
{
	struct world w = world("6.12.117");

	map_pages(&w, HVA, PAGE);
	assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, MS_SLOT_LOG_DIRTY), 0);
	assert_true(tops_up(&w, MS_PROT_R));
	assert_true(tops_up(&w, MS_PROT_W));
	assert_false(tops_up(&w, MS_PROT_X));
	assert_int_equal(ms_vm_set_slot(w.vm, 1, 0, 0, 0, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	assert_true(tops_up(&w, MS_PROT_W));
	assert_false(tops_up(&w, MS_PROT_X));
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_may_be_limited_to_512),
		cmocka_unit_test(write_protected_slot_is_flushed_alone_or_with_all_of_the_vm),
		cmocka_unit_test(flush_of_a_large_slot_takes_several_ranges),
		cmocka_unit_test(range_is_cut_at_root_entries_or_largest_blocks),
		cmocka_unit_test(ageing_looks_at_a_range_or_its_first_address),
		cmocka_unit_test(ageing_of_one_address_is_of_a_page_or_a_block),
		cmocka_unit_test(refused_page_may_be_asked_for_again),
		cmocka_unit_test(raw_page_of_ram_may_have_to_be_held_by_somebody),
		cmocka_unit_test(tables_are_had_before_the_lock_is_taken_at_the_latest),
		cmocka_unit_test(tables_are_had_before_the_vma_is_looked_at_or_after),
		cmocka_unit_test(
			permission_faults_of_a_logged_slot_fill_the_cache_if_they_write_or_always),
		cmocka_unit_test(map_by_pages_begins_at_the_4k_of_the_fault_or_at_the_page),
		cmocka_unit_test(caches_are_maintained_by_the_abort_or_by_the_walk),
		cmocka_unit_test(page_is_dirty_before_it_is_mapped_or_once_it_is),
		cmocka_unit_test(unmap_invalidates_each_leaf_or_the_range),
		cmocka_unit_test(relax_is_seen_by_one_cpu_or_by_all),
		cmocka_unit_test(table_that_becomes_a_block_is_flushed_alone_or_with_all_of_the_vm),
		cmocka_unit_test(tables_are_had_where_one_may_be_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
