// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of the nested table when a slot or the VM goes, and which slots there can be.
 *
 *   host    HVA |-- 2M --|          HVA + 2M |-- pages --|
 *   guest   GPA |slot 1: a block|    OTHER   |slot 2: pages|
 */
#include "world.h"

#define OTHER (GPA + MS_1G)

static struct world two_slots(const struct ms_policy *policy, const struct ms_vm_config *config)
{
	struct world w = x86_start(policy, NULL);

	x86_vm(&w, config);
	map_anon(&w, HVA, MS_2M);
	map_pages(&w, HVA + MS_2M, 4 * PAGE);
	show(&w, MS_2M, 0);
	show_at(&w, 2, OTHER, 4 * PAGE, HVA + MS_2M, 0);
	guest(&w, GPA, MS_PROT_W);
	guest(&w, OTHER, MS_PROT_W);
	events(&w);
	return w;
}

static const struct ms_policy *kernel(const char *release)
{
	return ms_policy_linux(release, MS_ARCH_X86_64);
}

static void making_a_slot_changes_no_entry(void **state)
{
	struct world w = two_slots(kernel("6.12.117"), NULL);

	show_at(&w, 3, 0, PAGE, HVA, 0);
	show_at(&w, 4, GPA + MS_2M, PAGE, HVA, MS_SLOT_LOG_DIRTY);
	assert_string_equal(events(&w), "");
	world_end(&w);
}

static const char all_by_address[] = "s2.zap-all\n"
				     "s2.zap ipa=0x80000000 size=0x200000 leaf=0x200000\n"
				     "s2.zap ipa=0xc0000000 size=0x1000 leaf=0x1000\n";
static const char all_by_size[] = "s2.zap-all\n"
				  "s2.zap ipa=0xc0000000 size=0x1000 leaf=0x1000\n"
				  "s2.zap ipa=0x80000000 size=0x200000 leaf=0x200000\n";

static const char *all(const struct ms_policy *k)
{
	return k->tdp_zap_order == MS_TDP_ZAP_ORDER_BY_SIZE ? all_by_size : all_by_address;
}

static void deleting_a_slot_takes_the_entries_of_all_slots(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		struct world w = two_slots(k, NULL);

		show_at(&w, 1, GPA, 0, HVA, 0);
		assert_string_equal(events(&w), all(k));
		world_end(&w);
	}
}

static void moving_a_slot_takes_the_entries_of_all_slots(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		struct world w = two_slots(k, NULL);

		show_at(&w, 2, OTHER + MS_2M, 4 * PAGE, HVA + MS_2M, 0);
		assert_string_equal(events(&w), all(k));
		guest(&w, OTHER + MS_2M, MS_PROT_W);
		assert_exit(&w, OTHER, MS_PROT_W, MS_GUEST_MMIO, 0);
		world_end(&w);
	}
}

static void without_the_quirk_a_slot_takes_its_own_entries_alone(void **state)
{
	const struct ms_vm_config config = { .zap_slot = true };
	struct world w = two_slots(kernel("6.12.117"), &config);

	show_at(&w, 1, GPA + MS_2M, MS_2M, HVA, 0);
	assert_string_equal(events(&w), "s2.unmap ipa=0x80000000 size=0x200000\n"
					"s2.zap ipa=0x80000000 size=0x200000 leaf=0x200000\n");
	show_at(&w, 2, OTHER, 0, HVA + MS_2M, 0);
	assert_string_equal(events(&w), "s2.unmap ipa=0xc0000000 size=0x4000\n"
					"s2.zap ipa=0xc0000000 size=0x1000 leaf=0x1000\n");
	world_end(&w);
}

static void the_quirk_can_be_switched_off_where_the_kernel_knows_it(void **state)
{
	const struct ms_vm_config config = { .zap_slot = true };
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		struct world w = x86_start(k, NULL);
		struct ms_vm *vm = ms_vm_new_config(w.mm, &config);

		if (k->slot_zap_quirk == MS_SLOT_ZAP_QUIRK_PRESENT) {
			assert_non_null(vm);
		} else {
			assert_null(vm);
			assert_refused(&w, -EINVAL,
				       "this kernel has no KVM_X86_QUIRK_SLOT_ZAP_ALL");
		}
		world_end(&w);
	}
}

static void a_move_that_is_refused_has_zapped_everything(void **state)
{
	struct world w = two_slots(kernel("6.12.117"), NULL);
	const ms_ipa_t end = ms_tdp_limit(ms_vm_tdp(w.vm));

	assert_int_equal(ms_vm_set_slot(w.vm, 1, end - PAGE, MS_2M, HVA, 0), -EINVAL);
	assert_string_equal(events(&w), all_by_size);
	// the slot stays where it was
	guest(&w, GPA, MS_PROT_W);
	world_end(&w);
}

static void a_log_moves_with_its_slot(void **state)
{
	struct world w = x86_world("6.12.117");

	map_pages(&w, HVA, 4 * PAGE);
	show(&w, 4 * PAGE, MS_SLOT_LOG_DIRTY);
	guest(&w, GPA + PAGE, MS_PROT_W);
	show_at(&w, 1, OTHER, 4 * PAGE, HVA, MS_SLOT_LOG_DIRTY);
	guest(&w, OTHER + 3 * PAGE, MS_PROT_W);
	assert_int_equal(get_dirty(&w), 0xa);
	world_end(&w);
}

/* ---- the end ---- */

/*
 *   GPA          |1G|
 *   GPA + 1G        |2M|
 *   GPA + 1G + 2M      |4K|   and once more the other way round below GPA
 */
static void at_its_end_a_vm_zaps_in_its_kernel_s_order(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		const bool by_size = k->tdp_zap_order == MS_TDP_ZAP_ORDER_BY_SIZE;
		struct world w = x86_start(k, NULL);

		map_hugetlb(&w, HVA, MS_1G, MS_1G);
		map_anon(&w, HVA + MS_1G, MS_2M);
		map_pages(&w, HVA + MS_1G + MS_2M, PAGE);
		show(&w, MS_1G + MS_2M + PAGE, 0);
		show_at(&w, 2, GPA - MS_1G, PAGE, HVA + MS_1G + MS_2M, 0);
		show_at(&w, 3, 2 * GPA, MS_2M, HVA + MS_1G, 0);
		guest(&w, GPA, MS_PROT_W);
		guest(&w, GPA + MS_1G, MS_PROT_W);
		guest(&w, GPA + MS_1G + MS_2M, MS_PROT_W);
		guest(&w, GPA - MS_1G, MS_PROT_W);
		guest(&w, 2 * GPA, MS_PROT_W);
		events(&w);
		ms_vm_free(w.vm);
		w.vm = NULL;
		assert_string_equal(
			events(&w),
			by_size ? "s2.zap ipa=0x40000000 size=0x1000 leaf=0x1000\n"
				  "s2.zap ipa=0xc0200000 size=0x1000 leaf=0x1000\n"
				  "s2.zap ipa=0xc0000000 size=0x200000 leaf=0x200000\n"
				  "s2.zap ipa=0x100000000 size=0x200000 leaf=0x200000\n"
				  "s2.zap ipa=0x80000000 size=0x40000000 leaf=0x40000000\n"
				: "s2.zap ipa=0x40000000 size=0x1000 leaf=0x1000\n"
				  "s2.zap ipa=0x80000000 size=0x40000000 leaf=0x40000000\n"
				  "s2.zap ipa=0xc0000000 size=0x200000 leaf=0x200000\n"
				  "s2.zap ipa=0xc0200000 size=0x1000 leaf=0x1000\n"
				  "s2.zap ipa=0x100000000 size=0x200000 leaf=0x200000\n");
		world_end(&w);
	}
}

static void a_process_that_ends_takes_the_guest_s_entries_before_its_own(void **state)
{
	struct world w = two_slots(kernel("6.12.117"), NULL);

	ms_trace_keep(w.m, X86_EVENTS | 1u << MS_EV_ZAP);
	ms_mm_exit(w.mm);
	// what exit itself zaps comes after, with no word to a guest
	assert_non_null(strstr(events(&w), "zap va="));
	assert_ptr_equal(strstr(w.text, all_by_size + strlen("s2.zap-all\n")), w.text);
	assert_null(strstr(w.text, "s2.unmap"));
	assert_null(ms_vm_tdp(w.vm));
	assert_exit(&w, GPA, MS_PROT_R, MS_GUEST_ERROR, -EIO);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 0, HVA, 0), -EIO);
	world_end(&w);
}

/* ---- which slots there can be ---- */

static void the_number_of_slots_is_three_below_the_limit(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		const unsigned int n = k->slot_limit == MS_SLOT_LIMIT_512 ? 509 : 32764;
		struct world w = x86_start(k, NULL);

		show_at(&w, n - 1, GPA, PAGE, HVA, 0);
		assert_int_equal(ms_vm_set_slot(w.vm, n, 2 * GPA, PAGE, HVA, 0), -EINVAL);
		assert_refused(&w, -EINVAL,
			       n == 509 ? "slot 509: the slots of a VM are below 509"
					: "slot 32764: the slots of a VM are below 32764");
		world_end(&w);
	}
}

static void a_slot_s_host_range_ends_where_its_kernel_says(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		const ms_hva_t end = k->slot_hva_end == MS_SLOT_HVA_END_SIGN_BIT
					     ? (UINT64_C(1) << 63) - PAGE
					     : (UINT64_C(1) << 47) - PAGE;
		struct world w = x86_start(k, NULL);

		assert_int_not_equal(k->slot_hva_end, MS_SLOT_HVA_END_52_BITS);
		show_at(&w, 1, GPA, PAGE, end - PAGE, 0);
		assert_int_equal(ms_vm_set_slot(w.vm, 2, 2 * GPA, PAGE, end, 0), -EINVAL);
		assert_int_equal(ms_vm_set_slot(w.vm, 2, 2 * GPA, 2 * PAGE, end - PAGE, 0),
				 -EINVAL);
		assert_exit(&w, GPA, MS_PROT_R, MS_GUEST_ERROR, -EFAULT);
		world_end(&w);
	}
}

static void a_slot_ends_at_the_host_s_last_physical_address(void **state)
{
	const struct ms_machine_config config = { .pa_bits = 40 };
	struct world w = x86_start(kernel("6.12.117"), &config);
	const ms_ipa_t end = UINT64_C(1) << 40;

	map_pages(&w, HVA, PAGE);
	show_at(&w, 1, end - PAGE, PAGE, HVA, 0);
	guest(&w, end - PAGE, MS_PROT_W);
	assert_int_equal(ms_vm_set_slot(w.vm, 2, end, PAGE, HVA, 0), -EINVAL);
	assert_refused(&w, -EINVAL,
		       "slot 2 ends at 0x10000001000: guests have addresses below 0x10000000000");
	world_end(&w);
}

static void a_device_s_slot_may_have_a_log(void **state)
{
	struct world w = x86_world("7.2.13");

	map_bar(&w, HVA, MS_2M, 0);
	show(&w, MS_2M, MS_SLOT_LOG_DIRTY);
	guest(&w, GPA + PAGE, MS_PROT_R);
	assert_int_equal(get_dirty(&w), 2);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(making_a_slot_changes_no_entry),
		cmocka_unit_test(deleting_a_slot_takes_the_entries_of_all_slots),
		cmocka_unit_test(moving_a_slot_takes_the_entries_of_all_slots),
		cmocka_unit_test(without_the_quirk_a_slot_takes_its_own_entries_alone),
		cmocka_unit_test(the_quirk_can_be_switched_off_where_the_kernel_knows_it),
		cmocka_unit_test(a_move_that_is_refused_has_zapped_everything),
		cmocka_unit_test(a_log_moves_with_its_slot),
		cmocka_unit_test(at_its_end_a_vm_zaps_in_its_kernel_s_order),
		cmocka_unit_test(a_process_that_ends_takes_the_guest_s_entries_before_its_own),
		cmocka_unit_test(the_number_of_slots_is_three_below_the_limit),
		cmocka_unit_test(a_slot_s_host_range_ends_where_its_kernel_says),
		cmocka_unit_test(a_slot_ends_at_the_host_s_last_physical_address),
		cmocka_unit_test(a_device_s_slot_may_have_a_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
