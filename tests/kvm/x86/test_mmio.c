// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where no slot is: each page that is touched gets a mark, which holds as long as the slots stay
 * as they are.
 *
 *   guest  GPA |=== slot 1 ===|  no slot: HOLE
 */
#include "world.h"

#define HOLE (GPA + MS_2M)
#define MARK(ipa) "s2.mmio ipa=" ipa " size=0x1000 leaf=0x1000\n"

static struct world beside_a_slot(const char *release)
{
	struct world w = x86_world(release);

	map_anon(&w, HVA, 2 * MS_2M);
	show(&w, MS_2M, 0);
	events(&w);
	return w;
}

static uint64_t generation(const struct world *w, ms_ipa_t ipa)
{
	struct ms_tdp_mark mark;

	assert_true(ms_tdp_next_mmio(ms_vm_tdp(w->vm), ipa, ipa + PAGE, &mark));
	return mark.generation;
}

static void a_page_without_a_slot_is_marked_once(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		struct world w = beside_a_slot(k->release);

		assert_exit(&w, HOLE + 8, MS_PROT_R, MS_GUEST_MMIO, 0);
		assert_refused(&w, -EFAULT, "ipa 0x80200000: no memslot");
		assert_string_equal(events(&w), MARK("0x80200000"));
		assert_exit(&w, HOLE, MS_PROT_W, MS_GUEST_MMIO, 0);
		assert_refused(&w, -EFAULT, "ipa 0x80200000: no memslot");
		assert_string_equal(events(&w), "");
		assert_exit(&w, HOLE + PAGE, MS_PROT_W, MS_GUEST_MMIO, 0);
		assert_string_equal(events(&w), MARK("0x80201000"));
		world_end(&w);
	}
}

static void what_is_no_memory_cannot_be_executed(void **state)
{
	struct world w = beside_a_slot("6.12.117");

	assert_exit(&w, HOLE, MS_PROT_X, MS_GUEST_INTERNAL_ERROR, 0);
	assert_string_equal(events(&w), MARK("0x80200000"));
	assert_exit(&w, HOLE, MS_PROT_X, MS_GUEST_INTERNAL_ERROR, 0);
	assert_refused(&w, -EFAULT, "ipa 0x80200000: no memslot");
	world_end(&w);
}

static void a_mark_is_renewed_after_a_slot_was_made(void **state)
{
	struct world w = beside_a_slot("6.12.117");
	uint64_t before;

	assert_exit(&w, HOLE, MS_PROT_R, MS_GUEST_MMIO, 0);
	before = generation(&w, HOLE);
	show_at(&w, 2, 2 * GPA, PAGE, HVA, 0);
	events(&w);
	assert_exit(&w, HOLE, MS_PROT_R, MS_GUEST_MMIO, 0);
	assert_string_equal(events(&w), MARK("0x80200000"));
	assert_int_equal(generation(&w, HOLE), before + 1);
	assert_exit(&w, HOLE, MS_PROT_R, MS_GUEST_MMIO, 0);
	assert_string_equal(events(&w), "");
	world_end(&w);
}

static void a_mark_is_renewed_after_a_slot_got_a_log(void **state)
{
	struct world w = beside_a_slot("6.12.117");

	assert_exit(&w, HOLE, MS_PROT_R, MS_GUEST_MMIO, 0);
	show(&w, MS_2M, MS_SLOT_LOG_DIRTY);
	events(&w);
	assert_exit(&w, HOLE, MS_PROT_R, MS_GUEST_MMIO, 0);
	assert_string_equal(events(&w), MARK("0x80200000"));
	// what changes nothing renews nothing
	show(&w, MS_2M, MS_SLOT_LOG_DIRTY);
	assert_exit(&w, HOLE, MS_PROT_R, MS_GUEST_MMIO, 0);
	assert_string_equal(events(&w), "");
	world_end(&w);
}

static void memory_takes_the_place_of_marks(void **state)
{
	struct world w = beside_a_slot("7.2.13");

	assert_exit(&w, HOLE, MS_PROT_R, MS_GUEST_MMIO, 0);
	assert_exit(&w, HOLE + 3 * PAGE, MS_PROT_R, MS_GUEST_MMIO, 0);
	show_at(&w, 2, HOLE, MS_2M, HVA + MS_2M, 0);
	assert_int_equal(marks_in(&w, HOLE, MS_2M), 2);
	events(&w);
	guest(&w, HOLE, MS_PROT_W);
	assert_string_equal(events(&w),
			    "s2.map ipa=0x80200000 size=0x200000 pa=ram " RWX " leaf=0x200000\n");
	assert_int_equal(marks_in(&w, HOLE, MS_2M), 0);
	world_end(&w);
}

/* Two slots over one host range; the second is gone but for its marks. */
static void notifiers_leave_marks(void **state)
{
	struct world w = beside_a_slot("6.12.117");

	assert_exit(&w, HOLE, MS_PROT_R, MS_GUEST_MMIO, 0);
	show_at(&w, 2, HOLE, MS_2M, HVA + MS_2M, 0);
	assert_int_equal(ms_munmap(w.mm, HVA, 2 * MS_2M), 0);
	assert_int_equal(marks_in(&w, HOLE, MS_2M), 1);
	world_end(&w);
}

static void a_slot_that_goes_takes_all_marks_with_everything(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		struct world w = beside_a_slot(k->release);

		assert_exit(&w, HOLE, MS_PROT_R, MS_GUEST_MMIO, 0);
		show_at(&w, 1, GPA, 0, HVA, 0);
		assert_int_equal(marks_in(&w, 0, UINT64_C(1) << 40), 0);
		events(&w);
		assert_exit(&w, HOLE, MS_PROT_R, MS_GUEST_MMIO, 0);
		assert_string_equal(events(&w), MARK("0x80200000"));
		world_end(&w);
	}
}

static void a_slot_that_goes_alone_leaves_marks_which_are_stale(void **state)
{
	struct world w = x86_world("6.12.117");

	x86_vm(&w, &(struct ms_vm_config){ .zap_slot = true });
	map_anon(&w, HVA, MS_2M);
	show(&w, MS_2M, 0);
	assert_exit(&w, HOLE, MS_PROT_R, MS_GUEST_MMIO, 0);
	show_at(&w, 1, GPA, 0, HVA, 0);
	assert_int_equal(marks_in(&w, HOLE, PAGE), 1);
	events(&w);
	assert_exit(&w, HOLE, MS_PROT_R, MS_GUEST_MMIO, 0);
	assert_string_equal(events(&w), MARK("0x80200000"));
	world_end(&w);
}

/* ---- addresses that cannot be marked ---- */

static void beyond_the_guest_s_addresses_nothing_is_marked(void **state)
{
	struct world w = beside_a_slot("6.12.117");
	const ms_ipa_t end = ms_tdp_limit(ms_vm_tdp(w.vm));

	assert_int_equal(end, UINT64_C(1) << 46);
	for (unsigned int i = 0; i < 2; i++) {
		assert_exit(&w, end, MS_PROT_W, MS_GUEST_MMIO, 0);
		assert_exit(&w, UINT64_MAX - 3, MS_PROT_X, MS_GUEST_INTERNAL_ERROR, 0);
		assert_string_equal(events(&w), "");
	}
	assert_exit(&w, end - PAGE, MS_PROT_W, MS_GUEST_MMIO, 0);
	assert_string_equal(events(&w), MARK("0x3ffffffff000"));
	world_end(&w);
}

static void with_52_address_bits_no_entry_can_be_a_mark(void **state)
{
	const struct ms_machine_config config = { .pa_bits = 52 };
	struct world w = x86_start(ms_policy_linux("6.12.117", MS_ARCH_X86_64), &config);

	assert_exit(&w, HOLE, MS_PROT_R, MS_GUEST_MMIO, 0);
	assert_exit(&w, HOLE, MS_PROT_R, MS_GUEST_MMIO, 0);
	assert_string_equal(events(&w), "");
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_without_a_slot_is_marked_once),
		cmocka_unit_test(what_is_no_memory_cannot_be_executed),
		cmocka_unit_test(a_mark_is_renewed_after_a_slot_was_made),
		cmocka_unit_test(a_mark_is_renewed_after_a_slot_got_a_log),
		cmocka_unit_test(memory_takes_the_place_of_marks),
		cmocka_unit_test(notifiers_leave_marks),
		cmocka_unit_test(a_slot_that_goes_takes_all_marks_with_everything),
		cmocka_unit_test(a_slot_that_goes_alone_leaves_marks_which_are_stale),
		cmocka_unit_test(beyond_the_guest_s_addresses_nothing_is_marked),
		cmocka_unit_test(with_52_address_bits_no_entry_can_be_a_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
