// SPDX-License-Identifier: GPL-2.0-only
/*
 * nx_huge_pages: blocks are not executable, and a fetch makes pages of one.
 *
 *   guest  GPA |------ 2M: rw ------|------ 2M: rw ------|
 *                 fetch
 *              ||||||||||||||||||||||------ 2M: rw ------|
 */
#include "world.h"

#define TWO (2 * MS_2M)

static struct world forced(const struct ms_policy *policy)
{
	struct world w = x86_start(policy, NULL);

	ms_kvm_set_nx_huge_pages(w.m, MS_NX_HUGE_PAGES_FORCE);
	map_anon(&w, HVA, TWO);
	show(&w, TWO, 0);
	events(&w);
	return w;
}

static struct world forced_with(const char *rule, const char *value)
{
	struct ms_policy policy = *ms_policy_linux("7.2.13", MS_ARCH_X86_64);

	assert_int_equal(ms_policy_set(&policy, rule, value), 0);
	return forced(&policy);
}

static struct world forced_7_2(void)
{
	return forced(ms_policy_linux("7.2.13", MS_ARCH_X86_64));
}

#define BLOCK_RW \
	"s2.map ipa=0x80000000 size=0x200000 pa=ram prot=rw type=WB bits=hmad leaf=0x200000\n"

static void a_block_is_executable_unless_it_is_forced_not_to_be(void **state)
{
	static const enum ms_nx_huge_pages value[] = { MS_NX_HUGE_PAGES_OFF, MS_NX_HUGE_PAGES_AUTO,
						       MS_NX_HUGE_PAGES_FORCE };

	for (size_t i = 0; i < 3; i++) {
		struct world w = x86_world("7.2.13");

		ms_kvm_set_nx_huge_pages(w.m, value[i]);
		map_anon(&w, HVA, MS_2M);
		show(&w, MS_2M, 0);
		guest(&w, GPA, MS_PROT_W);
		assert_int_equal(leaf_at(&w, GPA).prot,
				 i == 2 ? MS_PROT_RW : MS_PROT_RW | MS_PROT_X);
		guest(&w, GPA, MS_PROT_X);
		assert_int_equal(leaf_at(&w, GPA).size, i == 2 ? PAGE : MS_2M);
		world_end(&w);
	}
}

static void a_vm_can_be_excepted(void **state)
{
	struct world w = x86_world("7.2.13");

	ms_kvm_set_nx_huge_pages(w.m, MS_NX_HUGE_PAGES_FORCE);
	x86_vm(&w, &(struct ms_vm_config){ .no_nx_huge_pages = true });
	map_anon(&w, HVA, MS_2M);
	show(&w, MS_2M, 0);
	guest(&w, GPA, MS_PROT_X);
	assert_int_equal(leaf_at(&w, GPA).size, MS_2M);
	assert_true(leaf_at(&w, GPA).prot & MS_PROT_X);
	world_end(&w);
}

static void a_read_only_block_is_readable_alone(void **state)
{
	struct world w = forced_7_2();

	guest(&w, GPA, MS_PROT_R); // the huge zero page
	assert_string_equal(events(&w), "s2.map ipa=0x80000000 size=0x200000 pa=ram prot=r "
					"type=WB bits=a leaf=0x200000\n");
	world_end(&w);
}

/* ---- a fetch ---- */

static void a_fetch_zaps_the_block_and_maps_a_page_up_to_6_1(void **state)
{
	struct world w = forced_with("tdp_huge_fault", "ZAP");

	guest(&w, GPA, MS_PROT_W);
	events(&w);
	guest(&w, GPA + PAGE, MS_PROT_X);
	assert_string_equal(events(&w),
			    "s2.zap ipa=0x80000000 size=0x200000 leaf=0x200000\n"
			    "s2.map ipa=0x80001000 size=0x1000 pa=ram " RWX " leaf=0x1000\n");
	world_end(&w);
}

static void a_fetch_splits_the_block_and_makes_all_pages_executable(void **state)
{
	static const char *const left[] = { "LEFT", "LEFT_TABLES_TOO" };

	for (size_t i = 0; i < 2; i++) {
		struct world w = forced_with("tdp_spurious", left[i]);

		guest(&w, GPA, MS_PROT_W);
		assert_string_equal(events(&w), BLOCK_RW);
		guest(&w, GPA + PAGE, MS_PROT_X);
		assert_string_equal(events(&w),
				    "s2.split ipa=0x80000000 size=0x200000 leaf=0x200000\n");
		guest(&w, GPA + 300 * PAGE, MS_PROT_X);
		assert_string_equal(events(&w), "");
		world_end(&w);
	}
}

static void up_to_6_12_the_page_that_is_fetched_is_then_made_anew(void **state)
{
	struct world w = forced(ms_policy_linux("6.12.117", MS_ARCH_X86_64));

	guest(&w, GPA, MS_PROT_W);
	events(&w);
	guest(&w, GPA + PAGE, MS_PROT_X);
	assert_string_equal(events(&w), "s2.split ipa=0x80000000 size=0x200000 leaf=0x200000\n"
					"s2.change ipa=0x80001000 size=0x1000 prot=rwx bits=hma "
					"leaf=0x1000\n");
	world_end(&w);
}

static void a_fetch_makes_a_block_of_1g_small_along_its_way(void **state)
{
	struct world w = x86_world("7.2.13");

	ms_kvm_set_nx_huge_pages(w.m, MS_NX_HUGE_PAGES_FORCE);
	map_hugetlb(&w, HVA, MS_1G, MS_1G);
	show(&w, MS_1G, 0);
	guest(&w, GPA, MS_PROT_W);
	assert_int_equal(leaf_at(&w, GPA).size, MS_1G);
	events(&w);
	guest(&w, GPA + MS_2M, MS_PROT_X);
	assert_string_equal(events(&w), "s2.split ipa=0x80000000 size=0x40000000 leaf=0x40000000\n"
					"s2.split ipa=0x80200000 size=0x200000 leaf=0x200000\n");
	assert_int_equal(leaf_at(&w, GPA).size, MS_2M);
	assert_int_equal(leaf_at(&w, GPA).prot, MS_PROT_RW);
	assert_int_equal(leaf_at(&w, GPA + MS_2M).prot, MS_PROT_RW | MS_PROT_X);
	// both tables are recovered, and 1G comes back
	ms_kvm_recover_nx_huge_pages(w.m);
	assert_int_equal(leaf_at(&w, GPA).size, 0);
	guest(&w, GPA, MS_PROT_W);
	assert_int_equal(leaf_at(&w, GPA).size, MS_1G);
	world_end(&w);
}

static void a_block_that_is_fetched_from_first_stays_pages(void **state)
{
	struct world w = forced_7_2();
	struct ms_guest_access access;

	host_write(&w, HVA);
	access = ms_guest_exec(w.vm, GPA);
	assert_int_equal(access.leaf.size, PAGE);
	assert_string_equal(access.leaf.reason,
			    "a fetch gets a page: blocks are not executable (nx_huge_pages)");
	access = ms_guest_write(w.vm, GPA + 5 * PAGE);
	assert_int_equal(access.leaf.size, PAGE);
	assert_string_equal(access.leaf.reason, "a fetch has made the block small (nx_huge_pages)");
	assert_int_equal(ms_guest_write(w.vm, GPA + MS_2M).leaf.size, MS_2M);
	world_end(&w);
}

static void a_device_s_block_is_broken_likewise(void **state)
{
	struct world w = x86_world("7.2.13");

	ms_kvm_set_nx_huge_pages(w.m, MS_NX_HUGE_PAGES_FORCE);
	map_lazy_huge(&w, HVA, MS_2M, MS_PROT_RW);
	show(&w, MS_2M, 0);
	guest(&w, GPA, MS_PROT_W);
	assert_int_equal(leaf_at(&w, GPA).prot, MS_PROT_RW);
	guest(&w, GPA, MS_PROT_X);
	assert_int_equal(leaf_at(&w, GPA).size, PAGE);
	world_end(&w);
}

/* ---- the parameter ---- */

static void changing_the_parameter_zaps_everything_of_every_vm(void **state)
{
	struct world w = forced_7_2();
	struct ms_vm *other = ms_vm_new(w.mm, 0);

	assert_int_equal(ms_vm_set_slot(other, 1, GPA, TWO, HVA, 0), 0);
	guest(&w, GPA, MS_PROT_W);
	assert_int_equal(ms_guest_write(other, GPA).exit, MS_GUEST_OK);
	events(&w);
	ms_kvm_set_nx_huge_pages(w.m, MS_NX_HUGE_PAGES_FORCE); // no change
	assert_string_equal(events(&w), "");
	ms_kvm_set_nx_huge_pages(w.m, MS_NX_HUGE_PAGES_AUTO);
	assert_string_equal(events(&w), "s2.zap-all\n"
					"s2.zap ipa=0x80000000 size=0x200000 leaf=0x200000\n"
					"s2.zap-all\n"
					"s2.zap ipa=0x80000000 size=0x200000 leaf=0x200000\n");
	ms_kvm_set_nx_huge_pages(w.m, MS_NX_HUGE_PAGES_OFF); // which AUTO was
	assert_string_equal(events(&w), "");
	guest(&w, GPA, MS_PROT_R);
	assert_true(leaf_at(&w, GPA).prot & MS_PROT_X);
	ms_vm_free(other);
	world_end(&w);
}

static void a_block_that_was_made_small_may_be_large_once_it_is_off(void **state)
{
	struct world w = forced_7_2();

	guest(&w, GPA, MS_PROT_X);
	ms_kvm_set_nx_huge_pages(w.m, MS_NX_HUGE_PAGES_OFF);
	guest(&w, GPA, MS_PROT_W);
	assert_int_equal(leaf_at(&w, GPA).size, MS_2M);
	ms_kvm_set_nx_huge_pages(w.m, MS_NX_HUGE_PAGES_FORCE);
	guest(&w, GPA, MS_PROT_W);
	assert_int_equal(leaf_at(&w, GPA).size, MS_2M);
	world_end(&w);
}

/* ---- recovery ---- */

static void recovery_zaps_what_a_fetch_has_made_small(void **state)
{
	struct world w = forced_7_2();

	guest(&w, GPA, MS_PROT_W);
	guest(&w, GPA + MS_2M, MS_PROT_W);
	guest(&w, GPA, MS_PROT_X);
	events(&w);
	ms_kvm_recover_nx_huge_pages(w.m);
	assert_string_equal(events(&w), "s2.zap ipa=0x80000000 size=0x200000 leaf=0x1000\n");
	ms_kvm_recover_nx_huge_pages(w.m); // once
	assert_string_equal(events(&w), "");
	guest(&w, GPA, MS_PROT_R);
	assert_string_equal(events(&w), BLOCK_RW);
	world_end(&w);
}

/* In the order in which the fetches came. */
static void recovery_begins_with_the_oldest(void **state)
{
	struct world w = forced_7_2();

	host_write(&w, HVA);
	host_write(&w, HVA + MS_2M);
	guest(&w, GPA + MS_2M, MS_PROT_X);
	guest(&w, GPA, MS_PROT_X);
	events(&w);
	ms_kvm_recover_nx_huge_pages(w.m);
	assert_string_equal(events(&w), "s2.zap ipa=0x80200000 size=0x1000 leaf=0x1000\n"
					"s2.zap ipa=0x80000000 size=0x1000 leaf=0x1000\n");
	world_end(&w);
}

static void what_could_not_be_a_block_is_not_recovered(void **state)
{
	struct world w = x86_world("7.2.13");

	ms_kvm_set_nx_huge_pages(w.m, MS_NX_HUGE_PAGES_FORCE);
	map_anon(&w, HVA, MS_2M);
	host_write(&w, HVA);
	show(&w, MS_2M - PAGE, 0);
	guest(&w, GPA, MS_PROT_X);
	events(&w);
	ms_kvm_recover_nx_huge_pages(w.m);
	assert_string_equal(events(&w), "");
	assert_int_equal(leaf_at(&w, GPA).size, PAGE);
	world_end(&w);
}

/* A table that is gone with its slot, or made by somebody else since, is not recovered. */
static void a_table_that_is_gone_is_forgotten(void **state)
{
	struct world w = forced_7_2();

	host_write(&w, HVA);
	guest(&w, GPA, MS_PROT_X);
	show_at(&w, 2, 2 * GPA, PAGE, HVA, 0);
	show_at(&w, 2, 2 * GPA, 0, HVA, 0); // zaps all
	guest(&w, GPA, MS_PROT_W);
	assert_int_equal(leaf_at(&w, GPA).size, MS_2M);
	events(&w);
	ms_kvm_recover_nx_huge_pages(w.m);
	assert_string_equal(events(&w), "");
	world_end(&w);
}

/*
 * The log is switched on, everything is split, and off again. While it is on a fetch gets a page
 * as every access does, in a table that could not have been a block then.
 */
static void recovery_under_a_log_zaps_or_skips(void **state)
{
	static const char *const rule[] = { "ZAPS", "SKIPS" };

	for (size_t i = 0; i < 2; i++) {
		struct world w = forced_with("tdp_nx_recovery_log", rule[i]);

		host_write(&w, HVA);
		guest(&w, GPA, MS_PROT_X);
		show(&w, TWO, MS_SLOT_LOG_DIRTY);
		events(&w);
		ms_kvm_recover_nx_huge_pages(w.m);
		assert_string_equal(events(&w),
				    i ? "" : "s2.zap ipa=0x80000000 size=0x1000 leaf=0x1000\n");
		// what was skipped is forgotten
		show(&w, TWO, 0);
		events(&w);
		ms_kvm_recover_nx_huge_pages(w.m);
		assert_string_equal(events(&w), "");
		world_end(&w);
	}
}

static void a_block_that_is_recovered_after_a_log_is_not_executable(void **state)
{
	struct world w = forced_7_2();

	guest(&w, GPA, MS_PROT_W);
	show(&w, TWO, MS_SLOT_LOG_DIRTY);
	guest(&w, GPA, MS_PROT_X);
	assert_true(leaf_at(&w, GPA).prot & MS_PROT_X);
	show(&w, TWO, 0);
	assert_int_equal(leaf_at(&w, GPA).size, MS_2M);
	assert_false(leaf_at(&w, GPA).prot & MS_PROT_X);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_is_executable_unless_it_is_forced_not_to_be),
		cmocka_unit_test(a_vm_can_be_excepted),
		cmocka_unit_test(a_read_only_block_is_readable_alone),
		cmocka_unit_test(a_fetch_zaps_the_block_and_maps_a_page_up_to_6_1),
		cmocka_unit_test(a_fetch_splits_the_block_and_makes_all_pages_executable),
		cmocka_unit_test(up_to_6_12_the_page_that_is_fetched_is_then_made_anew),
		cmocka_unit_test(a_fetch_makes_a_block_of_1g_small_along_its_way),
		cmocka_unit_test(a_block_that_is_fetched_from_first_stays_pages),
		cmocka_unit_test(a_device_s_block_is_broken_likewise),
		cmocka_unit_test(changing_the_parameter_zaps_everything_of_every_vm),
		cmocka_unit_test(a_block_that_was_made_small_may_be_large_once_it_is_off),
		cmocka_unit_test(recovery_zaps_what_a_fetch_has_made_small),
		cmocka_unit_test(recovery_begins_with_the_oldest),
		cmocka_unit_test(what_could_not_be_a_block_is_not_recovered),
		cmocka_unit_test(a_table_that_is_gone_is_forgotten),
		cmocka_unit_test(recovery_under_a_log_zaps_or_skips),
		cmocka_unit_test(a_block_that_is_recovered_after_a_log_is_not_executable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
