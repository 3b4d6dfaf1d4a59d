/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The queues to the LRU lists: which write empties them, what else does, and which pages a write
 * copies because a queue holds them. P is the page that is asked for, OTHER one beside it.
 */
#include "mm/processes.h"
#include "mm/view.h"
#include "world_of.h"

#define P A
#define OTHER (A + PAGE)
#define MANY (A + 2 * PAGE) /* 40 pages more */

/* A kernel that empties the queues by itself as rarely as any, and of which pages become active. */
static struct ms_policy rare(enum ms_policy_wp_drain wp_drain)
{
	struct ms_policy p = *ms_policy_linux("7.2.13", MS_ARCH_X86_64);

	p.anon_reuse = wp_drain == MS_WP_DRAIN_NEVER ? MS_ANON_REUSE_SOLE_REFERENCE
						     : MS_ANON_REUSE_EXCLUSIVE;
	p.wp_drain = wp_drain;
	p.unmap_drains = MS_UNMAP_DRAINS_NO;
	p.lru_queue = MS_LRU_QUEUE_PAGES_31;
	p.lru_activate = MS_LRU_ACTIVATE_QUEUED;
	p.lazyfree_queue = MS_LAZYFREE_QUEUE_ON_LIST;
	return p;
}

static struct world world_rare(enum ms_policy_wp_drain wp_drain)
{
	const struct ms_policy p = rare(wp_drain);
	struct world w = world_of(&p, MS_THP_NEVER);

	map_anon(&w, A, 42 * PAGE, MS_PROT_RW);
	map_anon(&w, B, PAGE, MS_PROT_RW);
	return w;
}

static void drain(struct world *w)
{
	assert_int_equal(ms_madvise(w->mm, B, PAGE, MS_MADV_POPULATE_READ), 0);
}

/* Two uses of P, as a guest's fault makes them. */
static void use(struct world *w)
{
	ms_pfn_t pfn;

	assert_int_equal(ms_get_user_page(w->mm, P, false, &pfn, NULL), 0);
	ms_lru_accessed(w->mm, P, pfn);
}

/* Does a write to the page give the process another one? */
static bool copies(struct ms_mm *mm, ms_hva_t addr)
{
	struct ms_host_leaf before, after;

	assert_true(ms_host_leaf(mm, addr, &before));
	assert_int_equal(ms_touch(mm, addr, MS_PROT_W), MS_ACCESS_OK);
	assert_true(ms_host_leaf(mm, addr, &after));
	return (before.entry ^ after.entry) & MS_PTE_PA_MASK;
}

/* P and OTHER are new, a child has them, too, and goes; in between so many pages are written,
 * OTHER, P is used, or the queues are emptied. */
enum step { NOTHING, WRITE_OTHER, USE, FREE, DRAIN, CHILD_GOES };

static bool copies_after(struct world *w, const enum step *step, unsigned int n)
{
	struct ms_mm *child;

	touch(w, P, MS_PROT_W);
	touch(w, OTHER, MS_PROT_W);
	child = ms_fork(w->mm);
	assert_non_null(child);
	for (unsigned int i = 0; i < n; i++) {
		switch (step[i]) {
		case NOTHING:
			break;
		case WRITE_OTHER:
			touch(w, OTHER, MS_PROT_W);
			break;
		case USE:
			use(w);
			break;
		case FREE:
			assert_int_equal(ms_madvise(w->mm, P, PAGE, MS_MADV_FREE), 0);
			break;
		case DRAIN:
			drain(w);
			break;
		case CHILD_GOES:
			ms_mm_exit(child);
			break;
		}
		assert_int_equal(ms_machine_check(w->m, stderr), 0);
	}
	return copies(w->mm, P);
}

#define AFTER(wp_drain, ...) \
	({ \
		const enum step steps[] = { __VA_ARGS__ }; \
		struct world of = world_rare(wp_drain); \
		const bool result = copies_after(&of, steps, sizeof(steps) / sizeof(steps[0])); \
\
		world_end(&of); \
		result; \
	})

static void a_new_page_is_copied_where_the_queues_are_never_emptied_for_a_write(void **state)
{
	assert_true(AFTER(MS_WP_DRAIN_NEVER, CHILD_GOES));
	assert_false(AFTER(MS_WP_DRAIN_UP_TO_THREE, CHILD_GOES));
	assert_false(AFTER(MS_WP_DRAIN_COULD_BE_SOLE, CHILD_GOES));
	assert_true(AFTER(MS_WP_DRAIN_UP_TO_THREE, NOTHING));
	assert_true(AFTER(MS_WP_DRAIN_COULD_BE_SOLE, NOTHING));
}

static void a_used_page_is_copied_if_it_was_on_its_list_already(void **state)
{
	assert_false(AFTER(MS_WP_DRAIN_UP_TO_THREE, USE, CHILD_GOES));
	assert_true(AFTER(MS_WP_DRAIN_UP_TO_THREE, DRAIN, USE, CHILD_GOES));
	assert_true(AFTER(MS_WP_DRAIN_COULD_BE_SOLE, DRAIN, USE, CHILD_GOES));
	assert_false(AFTER(MS_WP_DRAIN_UP_TO_THREE, DRAIN, USE, DRAIN, CHILD_GOES));
	// it is active then, and does not move again
	assert_false(AFTER(MS_WP_DRAIN_UP_TO_THREE, DRAIN, USE, DRAIN, USE, CHILD_GOES));
}

static void a_write_to_another_new_page_that_is_shared_puts_it_on_its_list(void **state)
{
	assert_true(AFTER(MS_WP_DRAIN_UP_TO_THREE, WRITE_OTHER, USE, CHILD_GOES));
	assert_false(AFTER(MS_WP_DRAIN_COULD_BE_SOLE, WRITE_OTHER, USE, CHILD_GOES));
	assert_false(AFTER(MS_WP_DRAIN_UP_TO_THREE, USE, WRITE_OTHER, CHILD_GOES));
}

/* Such a write empties the other queues as well. OTHER has to be new, or nothing is emptied. */
static void a_write_to_another_new_page_lets_go_of_a_used_one(void **state)
{
	for (int could = 0; could < 2; could++) {
		struct world w =
			world_rare(could ? MS_WP_DRAIN_COULD_BE_SOLE : MS_WP_DRAIN_UP_TO_THREE);
		struct ms_mm *child;

		touch(&w, P, MS_PROT_W);
		drain(&w);
		touch(&w, OTHER, MS_PROT_W);
		child = ms_fork(w.mm);
		use(&w);
		touch(&w, OTHER, MS_PROT_W);
		ms_mm_exit(child);
		assert_int_equal(copies(w.mm, P), could);
		world_end(&w);
	}
}

static void a_write_to_a_page_of_four_holders_empties_nothing(void **state)
{
	struct world w = world_rare(MS_WP_DRAIN_UP_TO_THREE);
	struct ms_mm *first, *second;

	touch(&w, P, MS_PROT_W);
	touch(&w, OTHER, MS_PROT_W);
	first = ms_fork(w.mm);
	second = ms_fork(w.mm);
	touch(&w, OTHER, MS_PROT_W);
	use(&w);
	ms_mm_exit(first);
	ms_mm_exit(second);
	assert_false(copies(w.mm, P));
	world_end(&w);
}

static void a_freed_page_is_held_by_its_queue_as_a_used_one_is(void **state)
{
	assert_true(AFTER(MS_WP_DRAIN_UP_TO_THREE, FREE, CHILD_GOES));
	assert_false(AFTER(MS_WP_DRAIN_UP_TO_THREE, FREE, DRAIN, CHILD_GOES));
	// what was given up is active no more
	assert_true(AFTER(MS_WP_DRAIN_UP_TO_THREE, USE, FREE, DRAIN, USE, CHILD_GOES));
}

/* Up to 6.12.49 a page that moves is on no list, so that the queue is emptied for it. */
static void a_page_that_moves_off_its_list_is_reused(void **state)
{
	struct ms_policy p = rare(MS_WP_DRAIN_UP_TO_THREE);
	const enum step steps[] = { DRAIN, USE, CHILD_GOES };
	struct world w;

	p.lazyfree_queue = MS_LAZYFREE_QUEUE_OFF_LIST;
	w = world_of(&p, MS_THP_NEVER);
	map_anon(&w, A, 42 * PAGE, MS_PROT_RW);
	map_anon(&w, B, PAGE, MS_PROT_RW);
	assert_false(copies_after(&w, steps, 3));
	world_end(&w);
}

static void uses_are_only_counted_where_the_lists_have_generations(void **state)
{
	struct ms_policy p = rare(MS_WP_DRAIN_UP_TO_THREE);
	const enum step steps[] = { DRAIN, USE, CHILD_GOES };
	struct world w;

	p.lru_activate = MS_LRU_ACTIVATE_COUNTED;
	w = world_of(&p, MS_THP_NEVER);
	map_anon(&w, A, 42 * PAGE, MS_PROT_RW);
	map_anon(&w, B, PAGE, MS_PROT_RW);
	assert_false(copies_after(&w, steps, 3));
	world_end(&w);
}

/* P, OTHER and n more are new: is P on its list? A use tells. */
static bool is_on_list_after(enum ms_policy_lru_queue queue, unsigned int n)
{
	struct ms_policy p = rare(MS_WP_DRAIN_COULD_BE_SOLE);
	struct ms_mm *child;
	struct world w;
	bool copied;

	p.lru_queue = queue;
	w = world_of(&p, MS_THP_NEVER);
	map_anon(&w, A, 42 * PAGE, MS_PROT_RW);
	touch(&w, P, MS_PROT_W);
	touch(&w, OTHER, MS_PROT_W);
	child = ms_fork(w.mm);
	for (unsigned int i = 0; i < n; i++)
		touch(&w, MANY + i * PAGE, MS_PROT_W);
	use(&w);
	ms_mm_exit(child);
	copied = copies(w.mm, P);
	world_end(&w);
	return copied;
}

static void new_pages_reach_their_lists_when_their_queue_is_full(void **state)
{
	assert_false(is_on_list_after(MS_LRU_QUEUE_PAGES_15, 12));
	assert_true(is_on_list_after(MS_LRU_QUEUE_PAGES_15, 13));
	assert_false(is_on_list_after(MS_LRU_QUEUE_PAGES_31, 28));
	assert_true(is_on_list_after(MS_LRU_QUEUE_PAGES_31, 29));
}

/* The queue of new pages is full: those that move stay in theirs. */
static void a_full_queue_of_new_pages_does_not_empty_the_others(void **state)
{
	struct world w = world_rare(MS_WP_DRAIN_UP_TO_THREE);
	struct ms_mm *child;

	touch(&w, P, MS_PROT_W);
	drain(&w);
	child = ms_fork(w.mm);
	use(&w);
	for (unsigned int i = 0; i < 40; i++)
		touch(&w, MANY + i * PAGE, MS_PROT_W);
	ms_mm_exit(child);
	assert_true(copies(w.mm, P));
	world_end(&w);
}

enum unmapping { EXIT, MUNMAP, DONTNEED };

/* P is used while it is on its list; then something is unmapped. */
static bool copies_after_unmapping(enum ms_policy_unmap_drains drains, enum unmapping what)
{
	struct ms_policy p = rare(MS_WP_DRAIN_COULD_BE_SOLE);
	struct ms_mm *child;
	struct world w;
	bool copied;

	p.unmap_drains = drains;
	w = world_of(&p, MS_THP_NEVER);
	map_anon(&w, A, 42 * PAGE, MS_PROT_RW);
	map_anon(&w, B, PAGE, MS_PROT_RW);
	touch(&w, P, MS_PROT_W);
	touch(&w, MANY, MS_PROT_W);
	drain(&w);
	child = ms_fork(w.mm);
	if (what != EXIT)
		ms_mm_exit(child);
	use(&w);
	if (what == EXIT)
		ms_mm_exit(child);
	else if (what == MUNMAP)
		assert_int_equal(ms_munmap(w.mm, MANY, PAGE), 0);
	else
		assert_int_equal(ms_madvise(w.mm, MANY, PAGE, MS_MADV_DONTNEED), 0);
	copied = copies(w.mm, P);
	world_end(&w);
	return copied;
}

static void unmapping_empties_the_queues_or_does_not(void **state)
{
	for (enum unmapping what = EXIT; what <= DONTNEED; what++) {
		assert_true(copies_after_unmapping(MS_UNMAP_DRAINS_NO, what));
		assert_false(copies_after_unmapping(MS_UNMAP_DRAINS_YES, what));
	}
}

/* Pages leave the cache of a memory file, by a hole or with the file. */
static void pages_that_leave_a_cache_empty_the_queues(void **state)
{
	for (int hole = 0; hole < 3; hole++) {
		struct world w = world_rare(MS_WP_DRAIN_COULD_BE_SOLE);
		struct ms_file *f = ms_memfd_new(w.m, 4 * PAGE);
		struct ms_mm *child;

		map_shared(&w, f, B + MS_2M, 4 * PAGE, 0);
		touch(&w, B + MS_2M, MS_PROT_W);
		touch(&w, P, MS_PROT_W);
		drain(&w);
		child = ms_fork(w.mm);
		assert_int_equal(ms_munmap(child, B + MS_2M, 4 * PAGE), 0);
		use(&w);
		ms_mm_exit(child);
		if (hole == 0)
			assert_int_equal(ms_madvise(w.mm, B + MS_2M, PAGE, MS_MADV_REMOVE), 0);
		else if (hole == 1) // there is none
			assert_int_equal(ms_madvise(w.mm, B + MS_2M + PAGE, PAGE, MS_MADV_REMOVE),
					 0);
		ms_file_put(f);
		if (hole == 2)
			assert_int_equal(ms_munmap(w.mm, B + MS_2M, 4 * PAGE), 0);
		assert_int_equal(copies(w.mm, P), hole == 1);
		world_end(&w);
	}
}

static void collapsing_empties_the_queues(void **state)
{
	struct world w = world_rare(MS_WP_DRAIN_COULD_BE_SOLE);
	struct ms_mm *child;

	map_anon(&w, B + MS_2M, MS_2M, MS_PROT_RW);
	touch(&w, P, MS_PROT_W);
	touch(&w, B + MS_2M, MS_PROT_W);
	drain(&w);
	child = ms_fork(w.mm);
	use(&w);
	ms_mm_exit(child);
	assert_int_equal(ms_madvise(w.mm, B + MS_2M, MS_2M, MS_MADV_COLLAPSE), 0);
	assert_false(copies(w.mm, P));
	world_end(&w);
}

/* ---- mlock ---- */

static void a_locked_page_does_not_become_active(void **state)
{
	struct world w = world_rare(MS_WP_DRAIN_COULD_BE_SOLE);
	struct ms_mm *child;

	assert_int_equal(ms_mlock(w.mm, P, PAGE), 0);
	child = ms_fork(w.mm);
	use(&w);
	assert_int_equal(w.m->processes->activate.count, 0);
	ms_mm_exit(child);
	assert_false(copies(w.mm, P));
	world_end(&w);
}

static void locking_a_page_takes_it_from_the_active_ones(void **state)
{
	struct world w = world_rare(MS_WP_DRAIN_COULD_BE_SOLE);

	touch(&w, P, MS_PROT_W);
	use(&w);
	drain(&w);
	use(&w);
	assert_int_equal(w.m->processes->activate.count, 0);
	assert_int_equal(ms_mlock(w.mm, P, PAGE), 0);
	assert_int_equal(ms_munlock(w.mm, P, PAGE), 0);
	use(&w);
	assert_int_equal(w.m->processes->activate.count, 1);
	world_end(&w);
}

static void locking_and_unlocking_empty_the_queues(void **state)
{
	struct world w = world_rare(MS_WP_DRAIN_COULD_BE_SOLE);

	for (int i = 0; i < 3; i++) {
		touch(&w, MANY + (uint64_t)i * PAGE, MS_PROT_W);
		assert_int_equal(w.m->processes->lru.count, 1);
		assert_int_equal(i == 1 ? ms_munlock(w.mm, B, PAGE) : ms_mlock(w.mm, B, PAGE), 0);
		assert_int_equal(w.m->processes->lru.count, 0);
	}
	world_end(&w);
}

/* A copy in a locked VMA waits in the queue of mlock; it is on no list there. */
static void a_new_page_of_a_locked_vma_waits_elsewhere(void **state)
{
	struct world w = world_rare(MS_WP_DRAIN_UP_TO_THREE);
	struct ms_mm *child;

	assert_int_equal(ms_mlock(w.mm, P, 2 * PAGE), 0);
	child = ms_fork(w.mm);
	touch(&w, OTHER, MS_PROT_W);
	ms_mm_exit(child);
	// the copy, and the page that it has replaced
	assert_int_equal(w.m->processes->mlock.count, 2);
	assert_int_equal(w.m->processes->lru.count, 0);
	assert_int_equal(ms_machine_check(w.m, stderr), 0);
	child = ms_fork(w.mm);
	ms_mm_exit(child);
	assert_false(copies(w.mm, OTHER));
	assert_int_equal(w.m->processes->mlock.count, 0);
	world_end(&w);
}

/* The page stays in the queue of mlock, which holds it, after its locked VMA is gone. */
static void a_page_that_a_locked_vma_has_left_is_copied_by_the_child(void **state)
{
	struct world w = world_rare(MS_WP_DRAIN_UP_TO_THREE);
	struct ms_mm *child;

	assert_int_equal(ms_mlock(w.mm, P, PAGE), 0);
	child = ms_fork(w.mm);
	assert_int_equal(ms_munmap(w.mm, P, PAGE), 0);
	assert_true(copies(child, P));
	ms_mm_exit(child);
	drain(&w);
	assert_int_equal(w.m->processes->mlock.count, 0);
	world_end(&w);
}

/* ---- what is not counted ---- */

/* A page that was freed while its number waited is another one when it is allocated anew. */
static void the_queue_of_new_pages_keeps_none_of_them(void **state)
{
	struct world w = world_rare(MS_WP_DRAIN_UP_TO_THREE);
	const uint64_t free_pages = ms_ram_free_pages(w.m);

	for (unsigned int i = 0; i < 20; i++) {
		touch(&w, P, MS_PROT_W);
		assert_int_equal(ms_madvise(w.mm, P, PAGE, MS_MADV_DONTNEED), 0);
		assert_int_equal(ms_ram_free_pages(w.m), free_pages);
	}
	assert_int_equal(w.m->processes->lru.count, 20);
	touch(&w, P, MS_PROT_W);
	ms_mm_exit(ms_fork(w.mm));
	assert_false(copies(w.mm, P));
	assert_int_equal(w.m->processes->lru.count, 0);
	world_end(&w);
}

/* The same where the other one waits for mlock: it has one holder too many otherwise. */
static void a_number_in_the_queue_of_new_pages_is_no_holder_of_a_locked_page(void **state)
{
	struct world w = world_rare(MS_WP_DRAIN_COULD_BE_SOLE);
	struct ms_mm *child;
	ms_pa_t pa;

	touch(&w, P, MS_PROT_W);
	pa = leaf_pa(&w, P);
	assert_int_equal(ms_munmap(w.mm, P, PAGE), 0);
	assert_int_equal(ms_mmap(w.mm, P, PAGE, MS_PROT_RW,
				 MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS, NULL, 0),
			 (int64_t)P);
	ms_vma_lookup(w.mm, P)->vm_flags |= MS_VM_LOCKED;
	touch(&w, P, MS_PROT_W);
	assert_int_equal(leaf_pa(&w, P), pa);
	assert_int_equal(w.m->processes->lru.count, 1);
	assert_int_equal(w.m->processes->mlock.count, 1);
	child = ms_fork(w.mm);
	ms_mm_exit(child);
	assert_false(copies(w.mm, P));
	world_end(&w);
}

/* The recorder's worker writes to a page of its own which is new, and which the child has, too. */
static void the_recorders_own_write_counts_where_a_shared_page_empties_the_queues(void **state)
{
	for (int could = 0; could < 2; could++) {
		struct ms_policy p =
			rare(could ? MS_WP_DRAIN_COULD_BE_SOLE : MS_WP_DRAIN_UP_TO_THREE);
		const enum step steps[] = { USE, CHILD_GOES };
		struct world w;

		p.recorder_fork_writes = MS_RECORDER_FORK_WRITES_SHARED_QUEUED;
		w = world_of(&p, MS_THP_NEVER);
		map_anon(&w, A, 42 * PAGE, MS_PROT_RW);
		assert_int_equal(copies_after(&w, steps, 2), !could);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_new_page_is_copied_where_the_queues_are_never_emptied_for_a_write),
		cmocka_unit_test(a_used_page_is_copied_if_it_was_on_its_list_already),
		cmocka_unit_test(a_write_to_another_new_page_that_is_shared_puts_it_on_its_list),
		cmocka_unit_test(a_write_to_another_new_page_lets_go_of_a_used_one),
		cmocka_unit_test(a_write_to_a_page_of_four_holders_empties_nothing),
		cmocka_unit_test(a_freed_page_is_held_by_its_queue_as_a_used_one_is),
		cmocka_unit_test(a_page_that_moves_off_its_list_is_reused),
		cmocka_unit_test(uses_are_only_counted_where_the_lists_have_generations),
		cmocka_unit_test(new_pages_reach_their_lists_when_their_queue_is_full),
		cmocka_unit_test(a_full_queue_of_new_pages_does_not_empty_the_others),
		cmocka_unit_test(unmapping_empties_the_queues_or_does_not),
		cmocka_unit_test(pages_that_leave_a_cache_empty_the_queues),
		cmocka_unit_test(collapsing_empties_the_queues),
		cmocka_unit_test(a_locked_page_does_not_become_active),
		cmocka_unit_test(locking_a_page_takes_it_from_the_active_ones),
		cmocka_unit_test(locking_and_unlocking_empty_the_queues),
		cmocka_unit_test(a_new_page_of_a_locked_vma_waits_elsewhere),
		cmocka_unit_test(a_page_that_a_locked_vma_has_left_is_copied_by_the_child),
		cmocka_unit_test(the_queue_of_new_pages_keeps_none_of_them),
		cmocka_unit_test(a_number_in_the_queue_of_new_pages_is_no_holder_of_a_locked_page),
		cmocka_unit_test(
			the_recorders_own_write_counts_where_a_shared_page_empties_the_queues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
