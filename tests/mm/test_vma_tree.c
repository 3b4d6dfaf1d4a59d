/* SPDX-License-Identifier: GPL-2.0-only */
/* The tree of VMAs against a sorted array. */
#include "vma_tree_oracle.h"

/* ---- random histories ---- */

/* The free addresses around addr, which is free; [start, end). */
static void free_around(const struct oracle *o, ms_hva_t addr, ms_hva_t *start, ms_hva_t *end)
{
	unsigned int i = above(o, addr);

	*start = i ? o->vma[i - 1]->vm_end : 1;
	*end = i < o->n ? o->vma[i]->vm_start : SPACE;
}

static void insert_somewhere(struct oracle *o)
{
	ms_hva_t addr = 1 + draw(o, SPACE - 1), start, end;
	unsigned int i = above(o, addr);

	if (i < o->n && o->vma[i]->vm_start <= addr)
		return;
	free_around(o, addr, &start, &end);
	// now and then a border touches a neighbour
	start = draw(o, 4) ? addr : start;
	end = draw(o, 4) ? addr + 1 + draw(o, ms_min_u64(end - addr, 64)) : end;
	assert_non_null(insert(o, start, end));
}

/* Borders move into the VMA, or into the holes around it. */
static void move_some(struct oracle *o)
{
	unsigned int i = (unsigned int)draw(o, o->n);
	struct ms_vma *vma = o->vma[i];
	ms_hva_t low = i ? o->vma[i - 1]->vm_end : 1,
		 high = i + 1 < o->n ? o->vma[i + 1]->vm_start : SPACE;
	ms_hva_t start = low + draw(o, high - low), end = start + 1 + draw(o, high - start);

	if (end <= vma->vm_start || start >= vma->vm_end)
		return;
	ms_vma_tree_move(o->w.mm, vma, start, end);
}

static void take_some(struct oracle *o, unsigned int max)
{
	unsigned int i = (unsigned int)draw(o, o->n);
	unsigned int last = (unsigned int)ms_min_u64(i + draw(o, max), o->n - 1);

	take(o, o->vma[i]->vm_start, o->vma[last]->vm_end);
}

static void step(struct oracle *o, bool growing)
{
	uint64_t what = draw(o, 16);

	if (!o->n || (o->n < MAX && what < (growing ? 9 : 3)))
		insert_somewhere(o);
	else if (what < 11)
		remove_at(o, (unsigned int)draw(o, o->n));
	else if (what < 15)
		move_some(o);
	else
		take_some(o, growing ? 4 : 60);
	ask(o, 1 + draw(o, SPACE));
	// of any size, most often of one that is hard to find
	ask_for_a_gap(o, 1 + (draw(o, SPACE) >> draw(o, 20)));
}

static void random_histories_are_those_of_a_sorted_array(void **state)
{
	struct oracle *o = oracle();

	for (unsigned int round = 0; round < 40; round++) {
		for (unsigned int i = 0; i < 1000; i++) {
			step(o, round % 8 < 5);
			if (i % 64 == 0)
				check(o);
		}
	}
	done(o);
}

static void small_trees_are_right_after_each_step(void **state)
{
	struct oracle *o = oracle();

	for (unsigned int i = 0; i < 20000; i++) {
		step(o, o->n < 90);
		check(o);
	}
	done(o);
}

/* ---- patterns ---- */

static void rising_and_falling_mappings_fill_the_leaves(void **state)
{
	for (int falling = 0; falling < 2; falling++) {
		struct oracle *o = oracle();
		const struct ms_vma_leaf *leaf;
		unsigned int leaves = 0;

		for (unsigned int i = 0; i < 2000; i++) {
			ms_hva_t start = 4 * (falling ? 2000 - i : i + 1);

			insert(o, start, start + 3);
		}
		check(o);
		ms_find_vma(o->w.mm, 0);
		for (leaf = o->w.mm->vmas.leaf; leaf; leaf = leaf->next)
			leaves++;
		assert_true(leaves <= 2000 / MS_VMA_LEAF + 1);
		done(o);
	}
}

/* | 0 | 1 | ... | 999 | |  one of them goes, and the next of its size comes there */
static void a_gap_that_opens_is_found_and_one_that_is_filled_is_not(void **state)
{
	struct oracle *o = oracle();

	for (unsigned int i = 0; i < 1000; i++)
		insert(o, SPACE - 8 * (i + 1), SPACE - 8 * i);
	for (unsigned int i = 7; i < 1000; i += 11) {
		ms_hva_t start = o->vma[i]->vm_start, end = o->vma[i]->vm_end;

		remove_at(o, i);
		ask_for_a_gap(o, 9);
		assert_int_equal(ms_vma_tree_highest_gap(&o->w.mm->vmas, SPACE, 8), end);
		check(o);
		insert(o, start, end);
		ask_for_a_gap(o, 8);
		check(o);
	}
	ask_for_a_gap(o, SPACE - 8000);
	ask_for_a_gap(o, SPACE - 8000 + 1);
	done(o);
}

/* | 3 | free | 3 | free | ...  a search that was misled once knows better */
static void bounds_of_gaps_are_exact_after_a_search_in_vain(void **state)
{
	struct oracle *o = oracle();
	const struct ms_vma_tree *t = &o->w.mm->vmas;

	for (unsigned int i = 0; i < 1000; i++)
		insert(o, 8 * i, 8 * i + 3);
	while (o->n > 1)
		remove_at(o, (unsigned int)draw(o, o->n - 1));
	for (unsigned int i = 0; i < 999; i++)
		insert(o, 8 * i, 8 * i + 3);
	insert(o, 8000, SPACE);
	assert_int_equal(ms_vma_tree_highest_gap(&o->w.mm->vmas, SPACE, 6), 0);
	assert_int_equal(ms_vma_node_gap(t->root, t->height), 5);
	done(o);
}

/* Whatever is the first question. */
static void a_new_tree_is_empty(void **state)
{
	for (int first = 0; first < 4; first++) {
		struct oracle *o = oracle();

		if (first == 0)
			take(o, 0, UINT64_MAX);
		else if (first == 1)
			ask(o, 0);
		else if (first == 2)
			assert_non_null(insert(o, 0, 1));
		done(o);
	}
}

static void every_vma_of_a_range_is_taken_in_order(void **state)
{
	for (unsigned int n = 0; n < 700; n += 37) {
		struct oracle *o = oracle();

		for (unsigned int i = 0; i < 700; i++)
			insert(o, 10 * i + 10, 10 * i + 20);
		take(o, 10 * n + 10, 10 * n + 10 + 10 * ((n * 7) % (700 - n) + 1));
		check(o);
		take(o, 0, UINT64_MAX);
		assert_int_equal(o->n, 0);
		check(o);
		done(o);
	}
}

static void the_last_address_is_in_no_vma(void **state)
{
	struct oracle *o = oracle();

	assert_null(ms_find_vma(o->w.mm, UINT64_MAX));
	for (unsigned int i = 0; i < 100; i++)
		insert(o, 10 * i + 10, 10 * i + 20);
	assert_null(ms_find_vma(o->w.mm, UINT64_MAX));
	assert_null(ms_vma_lookup(o->w.mm, UINT64_MAX));
	ask(o, UINT64_MAX - 1);
	done(o);
}

/* 40000 VMAs in an order that jumps to and fro, and out again in another one. */
static void tall_trees_are_right(void **state)
{
	enum { N = 40000, STRIDE = 15013, OTHER_STRIDE = 27211 }; // coprime
	struct oracle *o = oracle();
	const struct ms_vma_tree *t = &o->w.mm->vmas;
	struct ms_vma_tree_count count;

	for (uint64_t i = 0; i < N; i++) {
		struct ms_vma *vma = ms_vma_alloc(o->w.mm);

		vma->vm_start = 4 * (i * STRIDE % N) + 4;
		vma->vm_end = vma->vm_start + 3;
		ms_vma_tree_insert(o->w.mm, vma);
	}
	assert_true(t->height >= 3);
	assert_null(ms_vma_tree_check(t, &count));
	assert_int_equal(count.vmas, N);
	for (uint64_t i = 0; i < N; i++) {
		ms_hva_t start = 4 * (i * OTHER_STRIDE % N) + 4;
		struct ms_vma *vma = ms_vma_lookup(o->w.mm, start + 1);

		assert_int_equal(vma->vm_start, start);
		ms_vma_tree_remove(o->w.mm, vma);
		ms_vma_free(vma, false);
		assert_null(ms_vma_lookup(o->w.mm, start + 1));
	}
	assert_int_equal(t->height, 0);
	done(o);
}

/* ---- memory ---- */

static void without_memory_nothing_changes_and_insertion_never_fails(void **state)
{
	struct oracle *o = oracle();
	unsigned int refused = 0;

	for (unsigned int i = 0; i < 3000; i++) {
		ms_hva_t start = 16 * (1 + draw(o, SPACE / 32));

		if (ms_vma_lookup(o->w.mm, start))
			continue;
		// the first or the second request of the insertion is refused
		ms_machine_fail_alloc(o->w.m, 1 + draw(o, 2));
		if (!insert(o, start, start + 9)) {
			refused++;
			assert_non_null(insert(o, start, start + 9));
		}
		ms_machine_fail_alloc(o->w.m, 0);
		if (i % 32 == 0)
			check(o);
	}
	assert_true(refused > 1000);
	done(o);
}

/* Each of 40 trees has a full leaf, so each insertion takes two nodes. */
static void vmas_on_their_way_at_the_same_time_all_have_room(void **state)
{
	enum { N = 40 };
	struct oracle *o = oracle();
	struct ms_mm *mm[N];
	struct ms_vma *vma[N];

	for (unsigned int i = 0; i < N; i++) {
		mm[i] = ms_mm_new(o->w.m);
		for (unsigned int k = 0; k <= MS_VMA_LEAF; k++) {
			vma[i] = ms_vma_alloc(mm[i]);
			vma[i]->vm_start = PAGE * (k + 1);
			vma[i]->vm_end = PAGE * (k + 2);
			if (k < MS_VMA_LEAF)
				ms_vma_tree_insert(mm[i], vma[i]);
		}
	}
	assert_int_equal(o->w.m->processes->vmas_pending, N);
	for (unsigned int i = 0; i < N; i++)
		ms_vma_tree_insert(mm[i], vma[i]);
	assert_int_equal(o->w.m->processes->vmas_pending, 0);
	for (unsigned int i = 0; i < N; i++) {
		assert_int_equal(mm[i]->vmas.height, 1);
		ms_mm_exit(mm[i]);
	}
	done(o);
}

static void what_was_put_by_for_a_vma_is_given_back_with_it(void **state)
{
	struct oracle *o = oracle();
	struct ms_vma *vma = ms_vma_alloc(o->w.mm);

	assert_int_equal(o->w.m->processes->vmas_pending, 1);
	ms_vma_free(vma, false);
	assert_int_equal(o->w.m->processes->vmas_pending, 0);
	// the nodes are there, the VMA is refused
	ms_machine_fail_alloc(o->w.m, 1);
	assert_null(ms_vma_alloc(o->w.mm));
	assert_int_equal(o->w.m->processes->vmas_pending, 0);
	done(o);
}

static void nodes_and_vmas_all_come_back(void **state)
{
	struct oracle *o = oracle();
	uint64_t live = o->w.m->alloc.live;

	for (unsigned int i = 0; i < 2500; i++)
		insert(o, 4 * i + 4, 4 * i + 7);
	while (o->n)
		remove_at(o, (unsigned int)draw(o, o->n));
	assert_int_equal(o->w.m->alloc.live, live);
	done(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_histories_are_those_of_a_sorted_array),
		cmocka_unit_test(small_trees_are_right_after_each_step),
		cmocka_unit_test(rising_and_falling_mappings_fill_the_leaves),
		cmocka_unit_test(a_gap_that_opens_is_found_and_one_that_is_filled_is_not),
		cmocka_unit_test(bounds_of_gaps_are_exact_after_a_search_in_vain),
		cmocka_unit_test(a_new_tree_is_empty),
		cmocka_unit_test(every_vma_of_a_range_is_taken_in_order),
		cmocka_unit_test(the_last_address_is_in_no_vma),
		cmocka_unit_test(without_memory_nothing_changes_and_insertion_never_fails),
		cmocka_unit_test(tall_trees_are_right),
		cmocka_unit_test(vmas_on_their_way_at_the_same_time_all_have_room),
		cmocka_unit_test(what_was_put_by_for_a_vma_is_given_back_with_it),
		cmocka_unit_test(nodes_and_vmas_all_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
