// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest faults while notifiers are under way: which fault is tried again, and whether the host
 * has mapped the page by then.
 *
 *   host   HVA |0|1|2|3|       pages; a notifier is under way for some of them
 */
#include "world.h"

#include "kvm/internal.h"

static const char *const rules[] = { "ANY", "HVA_RANGE", "GFN_RANGE" };

/* Pages 0 to 3, each in a slot of its own, at GPA + gpa[i] pages. */
static struct world four_slots(const char *retry, const unsigned int gpa[4])
{
	struct world w = x86_world_with("6.12.117", "notifier_retry", retry);

	map_pages(&w, HVA, 4 * PAGE);
	for (unsigned int i = 0; i < 4; i++) {
		host_write(&w, HVA + i * PAGE);
		show_at(&w, i, GPA + gpa[i] * PAGE, PAGE, HVA + i * PAGE, 0);
	}
	events(&w);
	return w;
}

static void start(struct world *w, unsigned int page)
{
	const ms_hva_t hva = HVA + page * PAGE;

	ms_kvm_notifier_ops.invalidate_range_start(&w->vm->notifier, w->mm, hva, hva + PAGE,
						   MS_NOTIFY_CLEAR);
}

static void end(struct world *w, unsigned int page)
{
	const ms_hva_t hva = HVA + page * PAGE;

	ms_kvm_notifier_ops.invalidate_range_end(&w->vm->notifier, w->mm, hva, hva + PAGE,
						 MS_NOTIFY_CLEAR);
}

/* The guest's read of a page is tried again for ever, as the notifier never ends. */
static bool is_retried(struct world *w, ms_ipa_t gpa)
{
	const struct ms_guest_access access = ms_guest_read(w->vm, gpa);

	if (access.exit == MS_GUEST_OK)
		return false;
	assert_int_equal(access.exit, MS_GUEST_RETRY);
	assert_int_equal(access.leaf.size, 0);
	return true;
}

static void the_page_of_a_notifier_is_tried_again_by_every_rule(void **state)
{
	static const unsigned int gpa[] = { 0, 1, 2, 3 };

	for (size_t i = 0; i < 3; i++) {
		struct world w = four_slots(rules[i], gpa);

		start(&w, 1);
		assert_true(is_retried(&w, GPA + PAGE));
		end(&w, 1);
		assert_false(is_retried(&w, GPA + PAGE));
		world_end(&w);
	}
}

static void another_page_is_tried_again_by_5_10_alone(void **state)
{
	static const unsigned int gpa[] = { 0, 1, 2, 3 };

	for (size_t i = 0; i < 3; i++) {
		struct world w = four_slots(rules[i], gpa);

		start(&w, 1);
		assert_int_equal(is_retried(&w, GPA), i == 0);
		assert_int_equal(is_retried(&w, GPA + 2 * PAGE), i == 0);
		end(&w, 1);
		world_end(&w);
	}
}

/*
 *   host    |0|.|2|        0 and 2 are under way; 1 lies between them
 *   guest   |0|2|...|1|    but not in the guest
 */
static void what_lies_between_two_notifiers_is_in_their_range_of_host_addresses(void **state)
{
	static const unsigned int gpa[] = { 0, 9, 1, 20 };

	for (size_t i = 0; i < 3; i++) {
		struct world w = four_slots(rules[i], gpa);

		start(&w, 0);
		start(&w, 2);
		assert_int_equal(is_retried(&w, GPA + 9 * PAGE), i < 2);
		end(&w, 2);
		end(&w, 0);
		world_end(&w);
	}
}

/*
 *   host    |0|1|.|3|      0 and 1 are under way
 *   guest   |0|..|3|..|1|  3 lies between them in the guest
 */
static void what_lies_between_their_guest_pages_is_in_their_range_of_frames(void **state)
{
	static const unsigned int gpa[] = { 0, 20, 30, 9 };

	for (size_t i = 0; i < 3; i++) {
		struct world w = four_slots(rules[i], gpa);

		start(&w, 0);
		start(&w, 1);
		assert_int_equal(is_retried(&w, GPA + 9 * PAGE), i != 1);
		end(&w, 1);
		end(&w, 0);
		world_end(&w);
	}
}

static void the_range_grows_until_no_notifier_is_under_way(void **state)
{
	static const unsigned int gpa[] = { 0, 1, 2, 3 };

	for (size_t i = 1; i < 3; i++) {
		struct world w = four_slots(rules[i], gpa);

		start(&w, 0);
		start(&w, 3);
		end(&w, 3);
		assert_true(is_retried(&w, GPA + 3 * PAGE));
		end(&w, 0);
		start(&w, 0);
		assert_false(is_retried(&w, GPA + 3 * PAGE));
		end(&w, 0);
		world_end(&w);
	}
}

/* A page without a slot is nobody's business. */
static void mmio_is_never_tried_again(void **state)
{
	static const unsigned int gpa[] = { 0, 1, 2, 3 };

	for (size_t i = 0; i < 3; i++) {
		struct world w = four_slots(rules[i], gpa);

		start(&w, 0);
		assert_exit(&w, GPA + 9 * PAGE, MS_PROT_R, MS_GUEST_MMIO, 0);
		end(&w, 0);
		world_end(&w);
	}
}

static void a_write_to_a_protected_page_waits_for_no_notifier(void **state)
{
	static const unsigned int gpa[] = { 0, 1, 2, 3 };
	struct world w = four_slots("GFN_RANGE", gpa);

	guest(&w, GPA + PAGE, MS_PROT_W);
	show_at(&w, 1, GPA + PAGE, PAGE, HVA + PAGE, MS_SLOT_LOG_DIRTY);
	start(&w, 0);
	w.vm->invalidated.ipa_end = GPA + 4 * PAGE; // it means that page, too, but took no entry
	guest(&w, GPA + PAGE, MS_PROT_W);
	end(&w, 0);
	world_end(&w);
}

/* ---- one that ends while the page is looked up ---- */

struct other {
	struct world *w;
	unsigned int page;
	unsigned int calls;
};

static void whole_notifier(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct other *other = arg;

	ms_machine_set_hook(m, point, NULL, NULL);
	other->calls++;
	start(other->w, other->page);
	end(other->w, other->page);
}

static void one_that_has_ended_since_is_a_reason_whatever_its_range(void **state)
{
	static const unsigned int gpa[] = { 0, 1, 2, 3 };

	for (size_t i = 0; i < 3; i++) {
		struct world w = four_slots(rules[i], gpa);
		struct other other = { .w = &w, .page = 3 };
		struct ms_guest_access access;

		ms_machine_set_hook(w.m, MS_HOOK_S2_PFN_FOUND, whole_notifier, &other);
		access = ms_guest_read(w.vm, GPA);
		assert_int_equal(other.calls, 1);
		assert_int_equal(access.exit, MS_GUEST_OK);
		assert_int_equal(access.faults, 2);
		world_end(&w);
	}
}

/* ---- before the host is asked ---- */

static bool host_maps_page_of_retried_fault(const char *early)
{
	struct world w = x86_world_with("6.12.117", "notifier_early_retry", early);
	struct ms_host_leaf host;
	bool maps;

	map_pages(&w, HVA, 4 * PAGE);
	show(&w, 4 * PAGE, 0);
	start(&w, 1);
	assert_true(is_retried(&w, GPA + PAGE));
	maps = ms_host_leaf(w.mm, HVA + PAGE, &host);
	// another page is of no concern
	assert_false(is_retried(&w, GPA));
	end(&w, 1);
	world_end(&w);
	return maps;
}

static void from_6_8_on_the_host_is_not_asked_for_a_page_that_goes(void **state)
{
	assert_true(host_maps_page_of_retried_fault("NO"));
	assert_false(host_maps_page_of_retried_fault("YES"));
}

/* ---- in a real notifier ---- */

struct watcher {
	struct ms_mmu_notifier notifier; /* the first member */
	struct world *w;
	ms_ipa_t gpa;
	struct ms_guest_access access;
	int slot;
};

static void read_in_progress(struct ms_mmu_notifier *mn, struct ms_mm *mm, ms_hva_t first,
			     ms_hva_t last, enum ms_notifier_event event)
{
	struct watcher *watcher = (struct watcher *)(void *)mn;

	watcher->access = ms_guest_read(watcher->w->vm, watcher->gpa);
	watcher->slot = ms_vm_set_slot(watcher->w->vm, 9, MS_1G * 16, PAGE, HVA, 0);
}

/* The guest reads page `read` while page 1 is given back by the process. */
static void assert_read_in_madvise(const struct ms_policy *k, unsigned int read)
{
	static const struct ms_mmu_notifier_ops ops = { .invalidate_range_start =
								read_in_progress };
	struct world w = x86_start(k, NULL);
	struct watcher watcher = { .notifier.ops = &ops, .w = &w, .gpa = GPA + read * PAGE };
	const bool waits = k->notifier_retry == MS_NOTIFIER_RETRY_ANY || read == 1;

	map_pages(&w, HVA, 4 * PAGE);
	for (unsigned int i = 0; i < 4; i++)
		host_write(&w, HVA + i * PAGE);
	show(&w, 4 * PAGE, 0);
	ms_mmu_notifier_register(w.mm, &watcher.notifier);
	assert_int_equal(ms_madvise(w.mm, HVA + PAGE, PAGE, MS_MADV_DONTNEED), 0);
	ms_mmu_notifier_unregister(w.mm, &watcher.notifier);
	assert_int_equal(watcher.access.exit, waits ? MS_GUEST_RETRY : MS_GUEST_OK);
	assert_int_equal(watcher.access.leaf.size, waits ? 0 : PAGE);
	assert_int_equal(watcher.slot, k->slot_update == MS_SLOT_UPDATE_AT_ONCE ? 0 : -EBUSY);
	guest(&w, GPA + read * PAGE, MS_PROT_R);
	world_end(&w);
}

static void each_kernel_waits_for_the_pages_that_its_rule_says(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		assert_read_in_madvise(k, 1);
		assert_read_in_madvise(k, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_of_a_notifier_is_tried_again_by_every_rule),
		cmocka_unit_test(another_page_is_tried_again_by_5_10_alone),
		cmocka_unit_test(
			what_lies_between_two_notifiers_is_in_their_range_of_host_addresses),
		cmocka_unit_test(what_lies_between_their_guest_pages_is_in_their_range_of_frames),
		cmocka_unit_test(the_range_grows_until_no_notifier_is_under_way),
		cmocka_unit_test(mmio_is_never_tried_again),
		cmocka_unit_test(a_write_to_a_protected_page_waits_for_no_notifier),
		cmocka_unit_test(one_that_has_ended_since_is_a_reason_whatever_its_range),
		cmocka_unit_test(from_6_8_on_the_host_is_not_asked_for_a_page_that_goes),
		cmocka_unit_test(each_kernel_waits_for_the_pages_that_its_rule_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
