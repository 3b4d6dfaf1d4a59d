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
	struct world w = world("6.12.117");

	map_shared(&w, ms_memfd_new(w.m, PAGE), A, PAGE, 0);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_FREE), -EINVAL);
	world_end(&w);
}

static void cold_tells_nobody_and_leaves_pages_dirty(void **state)
{
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
	struct world w = world_huge("6.12.117");

	map_anon(&w, A, MS_2M, MS_PROT_RW);
	touch(&w, A, MS_PROT_W);
	assert_int_equal(ms_madvise(w.mm, A, MS_2M, MS_MADV_FREE), 0);
	assert_int_equal(leaf_size(&w, A), MS_2M);
	assert_false(entry_at(&w, A) & MS_PTE_DIRTY);
	world_end(&w);
}

/*
 * The range's own notifier comes first, then those of the split:
 *
 *  before    |-------------2M*-------------|
 *  FREE      [4K)
 *  after     |4K|4K*|4K*|    ...       |4K*|
 *  notifiers [4K)
 *            [-----------------------------)    once or twice
 */
static void a_huge_page_that_is_cut_is_split(void **state)
{
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
 * One huge page, mapped by pages in two VMAs. Each of them is told, wherever the freed page is:
 *
 *             A              A + 1M
 *  VMAs       |rw------------|r-------------|
 *  notifiers                 [4K)
 *             [--------------)                   once or twice
 *                            [--------------)    once or twice
 */
static void each_vma_of_a_huge_page_is_told_of_its_split(void **state)
{
	const uint64_t half = MS_2M / 2;
	const struct ms_policy *k;

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

/*
 *             A              A + 1M
 *  VMAs       |rw*-----------|r .   .   .   |    DONTNEED has taken the second half's pages
 *  notifiers  [4K)
 *             [--------------)
 */
static void a_vma_behind_the_last_mapped_page_is_not_told(void **state)
{
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
 * What nobody wrote is the zero page afterwards, and its pages are free again:
 *
 *  page     0   1  ...  8   9   10 ... 511
 *  before  |w*                  w*            |    one leaf of 2M
 *  FREE    [-----------)                           pages 0 to 7
 *  after   |w  |z  |...|z  |w  |z  |...|z     |    z: the zero page
 */
static void pages_without_content_become_the_zero_page_when_a_huge_page_is_split(void **state)
{
	const struct ms_policy *k;

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
 * The page that was moved knows where it came from, and is split off as all others:
 *
 *          A                            B
 *  before  |------------2M*------------|
 *  moved   |4K|4K|      ...    |4K| .   |4K|    mapped by pages, still one huge page
 *  FREE    [4K)                                 now it is split
 */
static void a_page_that_was_moved_is_found_when_its_huge_page_is_split(void **state)
{
	const struct ms_policy *k;

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
		// where munmap does not empty it, the queue of freed pages still has it
		assert_int_equal(ms_ram_free_pages(w.m),
				 free_pages + (k->unmap_drains == MS_UNMAP_DRAINS_YES));
		world_end(&w);
	}
}

static void a_huge_page_that_a_child_shares_is_left_alone(void **state)
{
	struct world w = world_huge("6.12.117");

	map_anon(&w, A, MS_2M, MS_PROT_RW);
	touch(&w, A, MS_PROT_W);
	assert_non_null(ms_fork(w.mm));
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_FREE), 0);
	assert_int_equal(leaf_size(&w, A), MS_2M);
	world_end(&w);
}

static void the_huge_zero_page_is_left_alone(void **state)
{
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
	struct world w = mapped_by_pages(MS_MADV_FREE_SPLITS_CUT_ONLY);
	uint64_t free_pages = ms_ram_free_pages(w.m);

	assert_int_equal(ms_madvise(w.mm, A, 8 * PAGE, MS_MADV_DONTNEED), 0);
	assert_int_equal(ms_ram_free_pages(w.m), free_pages);
	assert_int_equal(ms_madvise(w.mm, A + 8 * PAGE, PAGE, MS_MADV_FREE), 0);
	assert_int_equal(ms_ram_free_pages(w.m), free_pages + 8);
	world_end(&w);
}

/* What empties the queue of freed pages between MADV_FREE and the write. */
enum drain { NOTHING, MUNMAP, POPULATE };

/* A page that a child has had, too, is freed and written to: is it copied? */
static bool is_copied_after_free(enum ms_policy_lazyfree_queue queue,
				 enum ms_policy_anon_reuse reuse, enum drain drain)
{
	struct ms_policy p = *ms_policy_linux("6.12.117", MS_ARCH_ARM64);
	struct world w;
	struct ms_mm *child;
	uint64_t before;
	bool copied;

	p.lazyfree_queue = queue;
	p.anon_reuse = reuse;
	if (reuse == MS_ANON_REUSE_SOLE_REFERENCE)
		p.wp_drain = MS_WP_DRAIN_NEVER;
	w = world_of(&p, MS_THP_NEVER);
	map_anon(&w, A, PAGE, MS_PROT_RW);
	map_anon(&w, A + MS_2M, PAGE, MS_PROT_RW);
	touch(&w, A, MS_PROT_W);
	child = ms_fork(w.mm);
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
	const enum ms_policy_lazyfree_queue on_list = MS_LAZYFREE_QUEUE_ON_LIST;

	assert_true(is_copied_after_free(on_list, MS_ANON_REUSE_SOLE_REFERENCE, NOTHING));
	assert_true(is_copied_after_free(on_list, MS_ANON_REUSE_EXCLUSIVE, NOTHING));
}

static void a_freed_page_is_reused_once_its_queue_was_emptied(void **state)
{
	const enum ms_policy_lazyfree_queue on_list = MS_LAZYFREE_QUEUE_ON_LIST;

	assert_false(is_copied_after_free(on_list, MS_ANON_REUSE_EXCLUSIVE, MUNMAP));
	assert_false(is_copied_after_free(on_list, MS_ANON_REUSE_EXCLUSIVE, POPULATE));
	assert_false(
		is_copied_after_free(MS_LAZYFREE_QUEUE_OFF_LIST, MS_ANON_REUSE_EXCLUSIVE, NOTHING));
}

/*
 * n pages are freed so many times: how many does the queue hold then? Each call empties the queue
 * first, and queues no page that it has queued before.
 */
static unsigned int queued(enum ms_policy_lru_queue queue, unsigned int n, unsigned int times)
{
	struct ms_policy p = *ms_policy_linux("6.12.117", MS_ARCH_ARM64);
	struct world w;
	unsigned int count;

	p.lru_queue = queue;
	w = world_of(&p, MS_THP_NEVER);
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
	assert_int_equal(queued(MS_LRU_QUEUE_PAGES_15, 14, 1), 14);
	assert_int_equal(queued(MS_LRU_QUEUE_PAGES_15, 16, 1), 1);
	assert_int_equal(queued(MS_LRU_QUEUE_PAGES_31, 30, 1), 30);
	assert_int_equal(queued(MS_LRU_QUEUE_PAGES_31, 32, 1), 1);
	assert_int_equal(queued(MS_LRU_QUEUE_PAGES_15, 2, 2), 0);
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
		cmocka_unit_test(a_freed_page_is_reused_once_its_queue_was_emptied),
		cmocka_unit_test(the_queue_of_freed_pages_is_emptied_when_full_and_has_each_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
