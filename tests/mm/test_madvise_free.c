/* SPDX-License-Identifier: GPL-2.0-only */
/* MADV_FREE, MADV_COLD and MADV_PAGEOUT: pages stay mapped, huge ones that are cut are split. */
#include "mm/processes.h"
#include "mm/view.h"
#include "world_of.h"

static uint64_t entry_at(const struct world *w, ms_hva_t addr)
{
	struct ms_host_leaf leaf;

	return ms_host_leaf(w->mm, addr, &leaf) ? leaf.entry : 0;
}

static void free_makes_pages_clean_and_tells_others_once(void **state)
{
	(void)state;
	struct world w = world("6.12.117");

	map_anon(&w, A, 2 * PAGE, MS_PROT_RW);
	touch(&w, A, MS_PROT_W);
	ms_trace_clear(w.m);
	assert_int_equal(ms_madvise(w.mm, A, 2 * PAGE, MS_MADV_FREE), 0);
	assert_int_equal(ms_trace_count(w.m, MS_EV_NOTIFIER_START), 1);
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A, 2 * PAGE);
	assert_int_equal(event(&w, MS_EV_NOTIFIER_START, 0)->notifier, MS_NOTIFY_CLEAR);
	assert_int_equal(ms_trace_count(w.m, MS_EV_ZAP), 0);
	assert_true(present(&w, A));
	assert_false(entry_at(&w, A) & (MS_PTE_DIRTY | MS_PTE_YOUNG));
	assert_true(entry_at(&w, A) & MS_PTE_WRITE);
	world_end(&w);
}

static void free_is_for_anonymous_memory_only(void **state)
{
	(void)state;
	struct world w = world("6.12.117");

	map_shared(&w, ms_memfd_new(w.m, PAGE), A, PAGE, 0);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_FREE), -EINVAL);
	world_end(&w);
}

static void cold_tells_nobody_and_leaves_pages_dirty(void **state)
{
	(void)state;
	struct world w = world("6.12.117");

	map_anon(&w, A, PAGE, MS_PROT_RW);
	touch(&w, A, MS_PROT_W);
	ms_trace_clear(w.m);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_PAGEOUT), 0);
	assert_true(entry_at(&w, A) & MS_PTE_YOUNG);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_COLD), 0);
	assert_int_equal(entry_at(&w, A) & (MS_PTE_YOUNG | MS_PTE_DIRTY), MS_PTE_DIRTY);
	assert_int_equal(ms_trace_len(w.m), 0);
	world_end(&w);
}

static void a_huge_page_in_the_range_stays_whole(void **state)
{
	(void)state;
	struct world w = world_huge("6.12.117");

	map_anon(&w, A, MS_2M, MS_PROT_RW);
	touch(&w, A, MS_PROT_W);
	assert_int_equal(ms_madvise(w.mm, A, MS_2M, MS_MADV_FREE), 0);
	assert_int_equal(leaf_size(&w, A), MS_2M);
	assert_false(entry_at(&w, A) & MS_PTE_DIRTY);
	world_end(&w);
}

/*  2M: |#### range ####|----|     the range's own notifier, then those of the split  */
static void a_huge_page_that_is_cut_is_split(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct ms_policy p = *ms_policy_linux("6.12.117", MS_ARCH_ARM64);
		struct world w;

		p.anon_split_notify = (enum ms_policy_anon_split_notify)i;
		p.anon_split_zero = MS_ANON_SPLIT_ZERO_STAYS;
		w = world_of(&p, MS_THP_ALWAYS);
		map_anon(&w, A, MS_2M, MS_PROT_RW);
		touch(&w, A, MS_PROT_W);
		ms_trace_clear(w.m);
		assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_FREE), 0);
		assert_int_equal(leaf_size(&w, A), PAGE);
		assert_false(entry_at(&w, A) & MS_PTE_DIRTY);
		assert_true(entry_at(&w, A + PAGE) & MS_PTE_DIRTY);
		assert_int_equal(ms_trace_count(w.m, MS_EV_NOTIFIER_START),
				 i == MS_ANON_SPLIT_NOTIFY_TWICE ? 3 : 2);
		assert_event(&w, MS_EV_NOTIFIER_START, 0, A, PAGE);
		assert_event(&w, MS_EV_NOTIFIER_START, 1, A, MS_2M);
		world_end(&w);
	}
}

/*
 *  2M: |rw------|r-------|     two VMAs of one huge page, mapped by pages: the first is freed,
 *  but every VMA that shows a part is told, in turn, until no page is mapped
 */
static void each_vma_of_a_huge_page_is_told_of_its_split(void **state)
{
	const uint64_t half = MS_2M / 2;
	const struct ms_policy *k;

	(void)state;
	for_each_step (k, MS_ARCH_ARM64) {
		struct world w = world_huge(k->release);
		const bool twice = k->anon_split_notify == MS_ANON_SPLIT_NOTIFY_TWICE;

		map_anon(&w, A, MS_2M, MS_PROT_RW);
		touch(&w, A, MS_PROT_W);
		assert_int_equal(ms_mprotect(w.mm, A + half, half, MS_PROT_R), 0);
		ms_trace_clear(w.m);
		assert_int_equal(ms_madvise(w.mm, A + half, PAGE, MS_MADV_FREE), 0);
		assert_event(&w, MS_EV_NOTIFIER_START, 0, A + half, PAGE);
		assert_event(&w, MS_EV_NOTIFIER_START, twice ? 2 : 1, A, half);
		assert_event(&w, MS_EV_NOTIFIER_START, twice ? 4 : 2, A + half, half);
		assert_int_equal(ms_trace_count(w.m, MS_EV_NOTIFIER_START), twice ? 5 : 3);
		world_end(&w);
	}
}

static void a_vma_behind_the_last_mapped_page_is_not_told(void **state)
{
	(void)state;
	struct world w = world_huge("7.2.13");
	const uint64_t half = MS_2M / 2;

	map_anon(&w, A, MS_2M, MS_PROT_RW);
	touch(&w, A, MS_PROT_W);
	assert_int_equal(ms_mprotect(w.mm, A + half, half, MS_PROT_R), 0);
	assert_int_equal(ms_madvise(w.mm, A + half, half, MS_MADV_DONTNEED), 0);
	ms_trace_clear(w.m);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_FREE), 0);
	assert_event(&w, MS_EV_NOTIFIER_START, 1, A, half);
	assert_int_equal(ms_trace_count(w.m, MS_EV_NOTIFIER_START), 2);
	world_end(&w);
}

static void pages_of_a_split_huge_page_are_freed_one_by_one(void **state)
{
	(void)state;
	struct ms_policy p = *ms_policy_linux("6.12.117", MS_ARCH_ARM64);
	struct world w;
	uint64_t free_pages;

	p.anon_split_zero = MS_ANON_SPLIT_ZERO_STAYS;
	w = world_of(&p, MS_THP_ALWAYS);
	map_anon(&w, A, MS_2M, MS_PROT_RW);
	touch(&w, A, MS_PROT_W);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_FREE), 0);
	free_pages = ms_ram_free_pages(w.m);
	assert_int_equal(ms_madvise(w.mm, A, 4 * PAGE, MS_MADV_DONTNEED), 0);
	assert_int_equal(ms_ram_free_pages(w.m), free_pages + 4);
	world_end(&w);
}

/*
 *  2M: |w-------w|---- ... ----|    written: first page and page 9; the range: the first 8 pages.
 *  What nobody wrote is the zero page then, and its pages are free again.
 */
static void pages_without_content_become_the_zero_page_when_a_huge_page_is_split(void **state)
{
	const struct ms_policy *k;

	(void)state;
	for_each_step (k, MS_ARCH_ARM64) {
		struct world w = world_huge(k->release);
		const bool freed = k->anon_split_zero == MS_ANON_SPLIT_ZERO_BECOMES_ZERO_PAGE;
		uint64_t zero, free_pages = ms_ram_free_pages(w.m);

		map_anon(&w, A, MS_2M, MS_PROT_RW);
		touch(&w, A, MS_PROT_W);
		touch(&w, A + 9 * PAGE, MS_PROT_W);
		assert_int_equal(ms_madvise(w.mm, A, 8 * PAGE, MS_MADV_FREE), 0);
		assert_true(entry_at(&w, A) & MS_PTE_WRITE);
		assert_int_equal(!!(entry_at(&w, A + 9 * PAGE) & MS_PTE_DIRTY),
				 k->thp_split_dirty == MS_THP_SPLIT_DIRTY_CARRIED);
		zero = freed ? MS_PTE_SPECIAL : MS_PTE_WRITE;
		assert_int_equal(entry_at(&w, A + PAGE) & (MS_PTE_SPECIAL | MS_PTE_WRITE), zero);
		assert_int_equal(entry_at(&w, A + MS_2M - PAGE) & (MS_PTE_SPECIAL | MS_PTE_WRITE),
				 zero);
		// the two pages, a page table is no RAM of the model, and the zero page
		assert_int_equal(ms_ram_free_pages(w.m), free_pages - (freed ? 3 : 512));
		world_end(&w);
	}
}

static void what_a_copy_or_a_collapsed_page_contains_is_known_when_it_is_split(void **state)
{
	(void)state;
	struct world w = world("6.12.117");

	map_anon(&w, A, MS_2M, MS_PROT_RW);
	touch(&w, A, MS_PROT_W);
	assert_int_equal(ms_madvise(w.mm, A, 2 * PAGE, MS_MADV_POPULATE_WRITE), 0);
	touch(&w, A + 3 * PAGE, MS_PROT_W);
	assert_int_equal(ms_madvise(w.mm, A, MS_2M, MS_MADV_COLLAPSE), 0);
	assert_int_equal(leaf_size(&w, A), MS_2M);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_FREE), 0);
	assert_false(entry_at(&w, A) & MS_PTE_SPECIAL);
	assert_true(entry_at(&w, A + PAGE) & MS_PTE_SPECIAL);
	assert_true(entry_at(&w, A + 2 * PAGE) & MS_PTE_SPECIAL);
	assert_false(entry_at(&w, A + 3 * PAGE) & MS_PTE_SPECIAL);
	world_end(&w);
}

/*
 *  2M: |w---- ... ----|--|      the last page is moved away, then the range cuts what is left:
 *  B:                 |--|      the page knows where it came from, and is split off as all others
 */
static void a_page_that_was_moved_is_found_when_its_huge_page_is_split(void **state)
{
	const struct ms_policy *k;

	(void)state;
	for_each_step (k, MS_ARCH_ARM64) {
		struct world w = world_huge(k->release);
		const bool freed = k->anon_split_zero == MS_ANON_SPLIT_ZERO_BECOMES_ZERO_PAGE;
		uint64_t zero = freed ? MS_PTE_SPECIAL : 0, free_pages;

		map_anon(&w, A, MS_2M, MS_PROT_RW);
		touch(&w, A, MS_PROT_W);
		assert_int_equal(ms_mremap(w.mm, A + MS_2M - PAGE, PAGE, PAGE,
					   MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, B),
				 B);
		assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_FREE), 0);
		assert_int_equal(entry_at(&w, A + PAGE) & MS_PTE_SPECIAL, zero);
		assert_int_equal(entry_at(&w, B) & MS_PTE_SPECIAL, zero);
		free_pages = ms_ram_free_pages(w.m);
		assert_int_equal(ms_munmap(w.mm, A, PAGE), 0);
		assert_int_equal(ms_ram_free_pages(w.m), free_pages + 1);
		world_end(&w);
	}
}

static void a_huge_page_that_a_child_shares_is_left_alone(void **state)
{
	(void)state;
	struct world w = world_huge("6.12.117");

	map_anon(&w, A, MS_2M, MS_PROT_RW);
	touch(&w, A, MS_PROT_W);
	assert_non_null(ms_fork(w.mm, NULL));
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_FREE), 0);
	assert_int_equal(leaf_size(&w, A), MS_2M);
	world_end(&w);
}

static void the_huge_zero_page_is_left_alone(void **state)
{
	(void)state;
	struct world w = world_huge("6.12.117");

	map_anon(&w, A, MS_2M, MS_PROT_RW);
	touch(&w, A, MS_PROT_R);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_FREE), 0);
	assert_int_equal(leaf_size(&w, A), MS_2M);
	world_end(&w);
}

/* A huge page whose leaf is gone, but not the page: mprotect of a part and back has done that. */
static struct world mapped_by_pages(enum ms_policy_madv_free_splits rule)
{
	struct ms_policy p = *ms_policy_linux("6.12.117", MS_ARCH_ARM64);
	struct world w;

	p.madv_free_splits = rule;
	p.anon_split_zero = MS_ANON_SPLIT_ZERO_STAYS;
	w = world_of(&p, MS_THP_ALWAYS);
	map_anon(&w, A, MS_2M, MS_PROT_RW);
	touch(&w, A, MS_PROT_W);
	assert_int_equal(ms_mprotect(w.mm, A, PAGE, MS_PROT_R), 0);
	assert_int_equal(ms_mprotect(w.mm, A, PAGE, MS_PROT_RW), 0);
	assert_int_equal(leaf_size(&w, A), PAGE);
	ms_trace_clear(w.m);
	return w;
}

static void a_huge_page_mapped_by_pages_is_split_if_it_is_cut_or_always(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct world w = mapped_by_pages((enum ms_policy_madv_free_splits)i);

		assert_int_equal(ms_madvise(w.mm, A, MS_2M, MS_MADV_FREE), 0);
		assert_int_equal(ms_trace_count(w.m, MS_EV_NOTIFIER_START),
				 i == MS_MADV_FREE_SPLITS_EVERY ? 3 : 1);
		world_end(&w);
		w = mapped_by_pages((enum ms_policy_madv_free_splits)i);
		assert_int_equal(ms_madvise(w.mm, A + PAGE, PAGE, MS_MADV_FREE), 0);
		assert_int_equal(ms_trace_count(w.m, MS_EV_NOTIFIER_START), 3);
		ms_trace_clear(w.m);
		assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_FREE), 0);
		assert_int_equal(ms_trace_count(w.m, MS_EV_NOTIFIER_START), 1);
		world_end(&w);
	}
}

static void pages_that_nobody_maps_go_with_the_split(void **state)
{
	(void)state;
	struct world w = mapped_by_pages(MS_MADV_FREE_SPLITS_CUT_ONLY);
	uint64_t free_pages = ms_ram_free_pages(w.m);

	assert_int_equal(ms_madvise(w.mm, A, 8 * PAGE, MS_MADV_DONTNEED), 0);
	assert_int_equal(ms_ram_free_pages(w.m), free_pages);
	assert_int_equal(ms_madvise(w.mm, A + 8 * PAGE, PAGE, MS_MADV_FREE), 0);
	assert_int_equal(ms_ram_free_pages(w.m), free_pages + 8);
	world_end(&w);
}

/* A page that a child has had, too, written to after MADV_FREE. */
enum drain { NOTHING, MUNMAP, POPULATE };

static bool is_copied_after_free(const char *release, enum drain drain)
{
	struct world w = world(release);
	struct ms_mm *child;
	uint64_t before;
	bool copied;

	map_anon(&w, A, PAGE, MS_PROT_RW);
	map_anon(&w, A + MS_2M, PAGE, MS_PROT_RW);
	touch(&w, A, MS_PROT_W);
	child = ms_fork(w.mm, NULL);
	assert_non_null(child);
	ms_mm_exit(child);
	before = entry_at(&w, A) & MS_PTE_PA_MASK;
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_FREE), 0);
	if (drain == MUNMAP)
		assert_int_equal(ms_munmap(w.mm, A + MS_2M, PAGE), 0);
	else if (drain == POPULATE)
		assert_int_equal(ms_madvise(w.mm, A + MS_2M, PAGE, MS_MADV_POPULATE_READ), 0);
	touch(&w, A, MS_PROT_W);
	copied = (entry_at(&w, A) & MS_PTE_PA_MASK) != before;
	world_end(&w);
	return copied;
}

static void a_page_that_free_has_queued_is_copied_by_a_write_that_would_reuse_it(void **state)
{
	(void)state;
	assert_true(is_copied_after_free("5.10.223", NOTHING));
	assert_true(is_copied_after_free("6.1.192", NOTHING));
	assert_false(is_copied_after_free("6.1.192", MUNMAP));
	assert_false(is_copied_after_free("6.1.192", POPULATE));
	assert_false(is_copied_after_free("6.12.10", NOTHING));
	assert_true(is_copied_after_free("6.12.117", NOTHING));
	assert_true(is_copied_after_free("7.3.4", NOTHING));
}

/* A page that a child has had, too, written to after a guest's fault. */
static bool is_copied_after_use(const char *release, bool is_new, bool populated)
{
	struct world w = world(release);
	uint64_t before;
	bool copied;

	map_anon(&w, A, PAGE, MS_PROT_RW);
	touch(&w, A, MS_PROT_W);
	ms_mm_exit(ms_fork(w.mm, NULL));
	before = entry_at(&w, A) & MS_PTE_PA_MASK;
	for (unsigned int i = 0; populated && i < 2; i++)
		assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_POPULATE_READ), 0);
	ms_lru_activate(w.m, before / PAGE, is_new);
	touch(&w, A, MS_PROT_W);
	copied = (entry_at(&w, A) & MS_PTE_PA_MASK) != before;
	world_end(&w);
	return copied;
}

static void a_page_on_its_way_to_the_active_list_is_copied_by_a_write(void **state)
{
	(void)state;
	assert_true(is_copied_after_use("5.10.223", false, false));
	assert_true(is_copied_after_use("6.1.192", false, false));
	assert_false(is_copied_after_use("6.1.192", true, false));
	assert_false(is_copied_after_use("6.1.192", false, true));
	assert_false(is_copied_after_use("6.12.117", false, false));
}

/* Of n pages that MADV_FREE meets, how many does the queue hold then? */
static unsigned int queued(const char *release, unsigned int n, unsigned int times)
{
	struct world w = world(release);
	unsigned int count;

	map_anon(&w, A, n * PAGE, MS_PROT_RW);
	for (unsigned int i = 0; i < n; i++)
		touch(&w, A + i * PAGE, MS_PROT_W);
	while (times--)
		assert_int_equal(ms_madvise(w.mm, A, n * PAGE, MS_MADV_FREE), 0);
	count = w.m->processes->lazyfree.count;
	world_end(&w);
	return count;
}

static void the_queue_of_freed_pages_is_emptied_when_full_and_has_each_once(void **state)
{
	(void)state;
	assert_int_equal(queued("6.1.192", 14, 1), 14);
	assert_int_equal(queued("6.1.192", 16, 1), 1);
	assert_int_equal(queued("7.3.4", 30, 1), 30);
	assert_int_equal(queued("7.3.4", 32, 1), 1);
	assert_int_equal(queued("6.1.192", 2, 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(free_makes_pages_clean_and_tells_others_once),
		cmocka_unit_test(free_is_for_anonymous_memory_only),
		cmocka_unit_test(cold_tells_nobody_and_leaves_pages_dirty),
		cmocka_unit_test(a_huge_page_in_the_range_stays_whole),
		cmocka_unit_test(a_huge_page_that_is_cut_is_split),
		cmocka_unit_test(each_vma_of_a_huge_page_is_told_of_its_split),
		cmocka_unit_test(a_vma_behind_the_last_mapped_page_is_not_told),
		cmocka_unit_test(pages_of_a_split_huge_page_are_freed_one_by_one),
		cmocka_unit_test(
			pages_without_content_become_the_zero_page_when_a_huge_page_is_split),
		cmocka_unit_test(
			what_a_copy_or_a_collapsed_page_contains_is_known_when_it_is_split),
		cmocka_unit_test(a_page_that_was_moved_is_found_when_its_huge_page_is_split),
		cmocka_unit_test(a_huge_page_that_a_child_shares_is_left_alone),
		cmocka_unit_test(the_huge_zero_page_is_left_alone),
		cmocka_unit_test(a_huge_page_mapped_by_pages_is_split_if_it_is_cut_or_always),
		cmocka_unit_test(pages_that_nobody_maps_go_with_the_split),
		cmocka_unit_test(
			a_page_that_free_has_queued_is_copied_by_a_write_that_would_reuse_it),
		cmocka_unit_test(a_page_on_its_way_to_the_active_list_is_copied_by_a_write),
		cmocka_unit_test(the_queue_of_freed_pages_is_emptied_when_full_and_has_each_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
