// SPDX-License-Identifier: GPL-2.0-only
/*
 * Was it used? What the process asks, and what asking does to entries; and the notifier that tells
 * of a new page (up to 6.9).
 */
#include "world.h"

#include "kvm/internal.h"

static struct world written(uint64_t npages)
{
	struct world w = x86_world("6.12.117");

	map_pages(&w, HVA, npages * PAGE);
	show(&w, npages * PAGE, 0);
	for (uint64_t i = 0; i < npages; i++)
		guest(&w, GPA + i * PAGE, MS_PROT_W);
	events(&w);
	return w;
}

static void a_page_that_was_used_is_young_once(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		struct world w = x86_start(k, NULL);

		map_pages(&w, HVA, PAGE);
		show(&w, PAGE, 0);
		guest(&w, GPA, MS_PROT_W);
		events(&w);
		assert_true(ms_mm_test_young(w.mm, HVA));
		assert_string_equal(events(&w), "s2.test-age ipa=0x80000000 size=0x1000\n");
		assert_true(ms_mm_clear_young(w.mm, HVA, HVA + PAGE));
		assert_string_equal(events(&w),
				    "s2.age ipa=0x80000000 size=0x1000\n"
				    "s2.change ipa=0x80000000 size=0x1000 prot=rwx bits=hmd "
				    "leaf=0x1000\n");
		assert_false(ms_mm_test_young(w.mm, HVA));
		assert_false(ms_mm_clear_young(w.mm, HVA, HVA + PAGE));
		// the CPU makes it young again, which is no fault and no event
		events(&w);
		assert_int_equal(ms_guest_read(w.vm, GPA).faults, 0);
		assert_string_equal(events(&w), "");
		assert_true(ms_mm_test_young(w.mm, HVA));
		world_end(&w);
	}
}

static void all_pages_of_a_range_become_old(void **state)
{
	struct world w = written(3);

	assert_true(ms_mm_clear_young(w.mm, HVA, HVA + 3 * PAGE));
	for (unsigned int i = 0; i < 3; i++)
		assert_false(ms_mm_test_young(w.mm, HVA + i * PAGE));
	world_end(&w);
}

/*
 *   2M   |-------------------|
 *   asked      |4K|
 */
static void a_block_becomes_old_through_any_of_its_pages(void **state)
{
	struct world w = x86_world("6.12.117");

	map_anon(&w, HVA, MS_2M);
	show(&w, MS_2M, 0);
	guest(&w, GPA, MS_PROT_W);
	events(&w);
	assert_true(ms_mm_clear_young(w.mm, HVA + 9 * PAGE, HVA + 10 * PAGE));
	assert_string_equal(events(&w), "s2.age ipa=0x80009000 size=0x1000\n"
					"s2.change ipa=0x80000000 size=0x200000 prot=rwx bits=hmd "
					"leaf=0x200000\n");
	assert_false(ms_mm_test_young(w.mm, HVA));
	world_end(&w);
}

static void each_slot_is_asked_also_after_one_was_young(void **state)
{
	struct world w = written(1);

	show_at(&w, 2, 2 * GPA, PAGE, HVA, 0);
	guest(&w, 2 * GPA, MS_PROT_R);
	events(&w);
	assert_true(ms_mm_test_young(w.mm, HVA));
	assert_non_null(strstr(events(&w), "s2.test-age ipa=0x80000000"));
	assert_non_null(strstr(w.text, "s2.test-age ipa=0x100000000"));
	assert_true(ms_mm_clear_young(w.mm, HVA, HVA + PAGE));
	// one of them is enough
	guest(&w, 2 * GPA, MS_PROT_R);
	assert_true(ms_mm_test_young(w.mm, HVA));
	world_end(&w);
}

static void one_page_is_tested(void **state)
{
	struct world w = written(2);

	assert_true(ms_mm_clear_young(w.mm, HVA, HVA + PAGE));
	assert_false(ms_mm_test_young(w.mm, HVA));
	assert_true(ms_mm_test_young(w.mm, HVA + PAGE));
	world_end(&w);
}

static void a_device_has_an_age_too(void **state)
{
	struct world w = x86_world("7.2.13");

	map_bar(&w, HVA, PAGE, 0);
	show(&w, PAGE, 0);
	guest(&w, GPA, MS_PROT_R);
	assert_true(ms_mm_clear_young(w.mm, HVA, HVA + PAGE));
	assert_false(ms_mm_test_young(w.mm, HVA));
	guest(&w, GPA, MS_PROT_R);
	assert_true(ms_mm_test_young(w.mm, HVA));
	world_end(&w);
}

static void memory_that_no_slot_shows_is_old(void **state)
{
	struct world w = written(1);

	assert_false(ms_mm_test_young(w.mm, HVA + PAGE));
	assert_false(ms_mm_clear_young(w.mm, HVA + PAGE, HVA + 2 * PAGE));
	assert_string_equal(events(&w), "");
	world_end(&w);
}

static void a_prefaulted_page_is_old_until_the_guest_comes(void **state)
{
	struct world w = x86_world("6.12.117");

	map_pages(&w, HVA, PAGE);
	show(&w, PAGE, 0);
	assert_int_equal(ms_vm_prefault(w.vm, GPA, PAGE, NULL), 0);
	assert_false(ms_mm_test_young(w.mm, HVA));
	guest(&w, GPA, MS_PROT_R);
	assert_true(ms_mm_test_young(w.mm, HVA));
	world_end(&w);
}

/* s2.fast leaves `a` alone; the access that follows sets it. */
static void a_fast_fault_does_not_make_young(void **state)
{
	struct world w = written(1);

	show(&w, PAGE, MS_SLOT_LOG_DIRTY);
	assert_true(ms_mm_clear_young(w.mm, HVA, HVA + PAGE));
	events(&w);
	guest(&w, GPA, MS_PROT_W);
	assert_string_equal(events(&w), "s2.fast ipa=0x80000000 prot=rwx bits=hmd\n");
	assert_true(ms_mm_test_young(w.mm, HVA));
	world_end(&w);
}

/* ---- change_pte ---- */

static bool tells(const struct ms_policy *k)
{
	return k->notifier_change_pte == MS_NOTIFIER_CHANGE_PTE_YES;
}

static void change_pte(struct world *w, ms_hva_t hva, uint64_t entry)
{
	struct ms_vm *vm = w->vm;

	// as between the start and the end of the notifier around it
	vm->invalidate_in_progress++;
	ms_kvm_notifier_ops.change_pte(&vm->notifier, w->mm, hva, entry);
	vm->invalidate_in_progress--;
}

/* The new page is one that the process has elsewhere. */
static uint64_t entry_of_other_page(struct world *w)
{
	struct ms_host_leaf host;

	map_pages(w, HVA + MS_1G, PAGE);
	host_write(w, HVA + MS_1G);
	assert_true(ms_host_leaf(w->mm, HVA + MS_1G, &host));
	return host.entry;
}

/* The entry that it takes is back before the machine is looked at. */
static void a_new_page_takes_an_entry_s_place_for_reading(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		struct world w = x86_start(k, NULL);
		uint64_t entry = entry_of_other_page(&w);

		map_pages(&w, HVA, 2 * PAGE);
		show(&w, 2 * PAGE, 0);
		guest(&w, GPA, MS_PROT_W);
		events(&w);
		change_pte(&w, HVA + PAGE, entry & ~MS_PTE_WRITE); // no entry there
		assert_string_equal(events(&w),
				    tells(k) ? "s2.change-pte ipa=0x80001000 size=0x1000\n" : "");
		change_pte(&w, HVA, entry & ~MS_PTE_WRITE);
		assert_string_equal(events(&w),
				    tells(k) ? "s2.change-pte ipa=0x80000000 size=0x1000\n"
					       "s2.zap ipa=0x80000000 size=0x1000 leaf=0x1000\n"
					       "s2.map ipa=0x80000000 size=0x1000 pa=ram prot=rx "
					       "type=WB bits=d leaf=0x1000\n"
					     : "");
		if (tells(k))
			assert_int_equal(leaf_at(&w, GPA).pa, entry & MS_PTE_PA_MASK);
		show_at(&w, 1, GPA, 0, 0, 0);
		world_end(&w);
	}
}

static void a_new_writable_page_is_left_to_the_next_access(void **state)
{
	struct world w = x86_world_with("6.12.117", "notifier_change_pte", "YES");
	uint64_t entry = entry_of_other_page(&w);

	map_pages(&w, HVA, PAGE);
	show(&w, PAGE, 0);
	guest(&w, GPA, MS_PROT_W);
	events(&w);
	change_pte(&w, HVA, entry | MS_PTE_WRITE);
	assert_string_equal(events(&w), "s2.change-pte ipa=0x80000000 size=0x1000\n"
					"s2.zap ipa=0x80000000 size=0x1000 leaf=0x1000\n");
	world_end(&w);
}

static void a_block_is_no_place_for_a_new_page(void **state)
{
	struct world w = x86_world_with("6.12.117", "notifier_change_pte", "YES");
	uint64_t entry = entry_of_other_page(&w);

	map_anon(&w, HVA, MS_2M);
	show(&w, MS_2M, 0);
	guest(&w, GPA, MS_PROT_W);
	events(&w);
	change_pte(&w, HVA, entry & ~MS_PTE_WRITE);
	assert_string_equal(events(&w), "s2.change-pte ipa=0x80000000 size=0x1000\n");
	assert_int_equal(leaf_at(&w, GPA).size, MS_2M);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_that_was_used_is_young_once),
		cmocka_unit_test(all_pages_of_a_range_become_old),
		cmocka_unit_test(a_block_becomes_old_through_any_of_its_pages),
		cmocka_unit_test(each_slot_is_asked_also_after_one_was_young),
		cmocka_unit_test(one_page_is_tested),
		cmocka_unit_test(a_device_has_an_age_too),
		cmocka_unit_test(memory_that_no_slot_shows_is_old),
		cmocka_unit_test(a_prefaulted_page_is_old_until_the_guest_comes),
		cmocka_unit_test(a_fast_fault_does_not_make_young),
		cmocka_unit_test(a_new_page_takes_an_entry_s_place_for_reading),
		cmocka_unit_test(a_new_writable_page_is_left_to_the_next_access),
		cmocka_unit_test(a_block_is_no_place_for_a_new_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
