/* SPDX-License-Identifier: GPL-2.0-only */
/* Was it used? What the process asks a VM about its pages, and what asking does to them. */
#include "world.h"

#include "kvm/internal.h"

static bool clear_young(struct world *w, ms_hva_t start, ms_hva_t end)
{
	return ms_kvm_notifier_ops.clear_young(&w->vm->notifier, w->mm, start, end);
}

static struct world written_pages(const char *release, uint64_t npages)
{
	struct world w = world(release);

	map_pages(&w, HVA, npages * PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, npages * PAGE, HVA, 0), 0);
	for (uint64_t i = 0; i < npages; i++)
		assert_int_equal(ms_guest_write(w.vm, GPA + i * PAGE).exit, MS_GUEST_OK);
	events(&w);
	return w;
}

static void used_page_is_young_once(void **state)
{
	struct world w = written_pages("6.12.107", 1);

	assert_true(clear_young(&w, HVA, HVA + PAGE));
	assert_false(clear_young(&w, HVA, HVA + PAGE));
	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_OK);
	assert_string_equal(events(&w), "s2.young ipa=0x80000000\n");
	assert_true(clear_young(&w, HVA, HVA + PAGE));
	world_end(&w);
}

static void all_pages_of_a_range_become_old_from_6_5_on(void **state)
{
	struct world w = written_pages("6.12.107", 3);

	assert_true(clear_young(&w, HVA, HVA + 3 * PAGE));
	assert_false(clear_young(&w, HVA + 2 * PAGE, HVA + 3 * PAGE));
	assert_int_equal(ms_trace_total(w.m, MS_EV_VIOLATION), 0);
	world_end(&w);
}

static void the_first_page_of_a_range_became_old_alone(void **state)
{
	struct world w = written_pages("6.1.192", 3);

	assert_true(clear_young(&w, HVA, HVA + 3 * PAGE));
	assert_int_equal(ms_trace_total(w.m, MS_EV_VIOLATION), 1);
	assert_true(clear_young(&w, HVA + 2 * PAGE, HVA + 3 * PAGE));
	assert_false(clear_young(&w, HVA, HVA + PAGE));
	assert_int_equal(ms_trace_total(w.m, MS_EV_VIOLATION), 1);
	world_end(&w);
}

static void page_is_young_if_one_of_its_slots_used_it(void **state)
{
	struct world w = written_pages("6.12.107", 1);

	assert_int_equal(ms_vm_set_slot(w.vm, 2, 2 * GPA, PAGE, HVA, 0), 0);
	assert_int_equal(ms_guest_write(w.vm, 2 * GPA).exit, MS_GUEST_OK);
	assert_true(clear_young(&w, HVA, HVA + PAGE));
	assert_int_equal(ms_guest_write(w.vm, 2 * GPA).exit, MS_GUEST_OK);
	assert_true(clear_young(&w, HVA, HVA + PAGE));
	assert_false(clear_young(&w, HVA, HVA + PAGE));
	world_end(&w);
}

static void memory_that_no_slot_shows_is_not_young(void **state)
{
	struct world w = written_pages("6.12.107", 1);

	assert_false(clear_young(&w, HVA + MS_1G, HVA + MS_1G + PAGE));
	assert_true(clear_young(&w, HVA, HVA + PAGE));
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(used_page_is_young_once),
		cmocka_unit_test(all_pages_of_a_range_become_old_from_6_5_on),
		cmocka_unit_test(the_first_page_of_a_range_became_old_alone),
		cmocka_unit_test(page_is_young_if_one_of_its_slots_used_it),
		cmocka_unit_test(memory_that_no_slot_shows_is_not_young),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
