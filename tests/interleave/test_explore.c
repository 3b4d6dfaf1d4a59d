/* SPDX-License-Identifier: GPL-2.0-only */
/* The helper itself: which schedules it tries, and which one it names. */
#include "world.h"

/* Operations that write their letter into a line, and come to points of their own. */
struct line {
	struct ms_machine *m;
	struct explore_run *run;
	char text[32];
	bool locked;
};

static void *build(const void *arg, struct explore_run *run, struct ms_machine **m)
{
	struct line *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	l->run = run;
	l->m = *m = ms_machine_new(ms_policy_linux("6.12.117", MS_ARCH_ARM64));
	assert_non_null(l->m);
	return l;
}

static void destroy(void *world)
{
	struct line *l = world;

	ms_machine_free(l->m);
	free(l);
}

static void write_letter(struct line *l, char letter)
{
	l->text[strlen(l->text)] = letter;
}

static int op_a(void *world)
{
	struct line *l = world;

	write_letter(l, 'a');
	explore_point(l->run, "first");
	write_letter(l, 'A');
	explore_point(l->run, "second");
	return EXPLORE_DONE;
}

static int op_b(void *world)
{
	write_letter(world, 'b');
	return EXPLORE_DONE;
}

static int op_c(void *world)
{
	write_letter(world, 'c');
	return EXPLORE_DONE;
}

static int op_lock(void *world)
{
	struct line *l = world;

	l->locked = true;
	explore_point(l->run, "locked");
	l->locked = false;
	return EXPLORE_DONE;
}

static int op_needs_lock(void *world)
{
	return ((struct line *)world)->locked ? EXPLORE_WAITS : EXPLORE_DONE;
}

static const struct explore_op a[] = { { "a", op_a }, { 0 } };
static const struct explore_op b[] = { { "b", op_b }, { 0 } };
static const struct explore_op bc[] = { { "b", op_b }, { "c", op_c }, { 0 } };
static const struct explore_op none[] = { { 0 } };

static bool always(void *world)
{
	return true;
}

static bool never(void *world)
{
	return false;
}

static struct explore_found run(const struct explore_op *first, const struct explore_op *second,
				bool (*holds)(void *))
{
	return explore(&(struct explore){
		.build = build, .destroy = destroy, .side = { first, second }, .holds = holds });
}

static void one_operation_fits_before_into_each_point_and_after(void **state)
{
	assert_int_equal(run(a, b, always).schedules, 4);
}

/* Two in their order, in four places: 4 + 3 + 2 + 1. */
static void two_operations_keep_their_order_and_may_share_a_point(void **state)
{
	assert_int_equal(run(a, bc, always).schedules, 10);
}

static void side_without_operations_leaves_one_schedule(void **state)
{
	assert_int_equal(run(a, none, always).schedules, 1);
	assert_int_equal(run(none, bc, always).schedules, 1);
}

static void points_beyond_the_limit_are_passed_by(void **state)
{
	struct explore_found f = explore(&(struct explore){
		.build = build,
		.destroy = destroy,
		.side = { a, b },
		.holds = always,
		.max_points = 1,
	});

	assert_int_equal(f.schedules, 3);
}

/* The other side's operation comes to its points as well: what waits there has begun. */
static void points_of_both_sides_count(void **state)
{
	assert_int_equal(run(a, a, always).schedules, 6);
}

static bool not_both_inside(void *world)
{
	return strcmp(((struct line *)world)->text, "abcA") != 0;
}

static bool not_between(void *world)
{
	const char *text = ((struct line *)world)->text;

	return !strstr(text, "ab") || !strstr(text, "A");
}

static void schedule_says_what_ran_where(void **state)
{
	struct explore_found f = run(a, bc, not_both_inside);

	assert_int_equal(f.failing, 1);
	assert_string_equal(f.shortest, "a[first: b, c]");
}

static void schedule_with_the_fewest_changes_is_named(void **state)
{
	struct explore_found f = run(a, bc, not_between);

	assert_int_equal(f.failing, 3); // c there too, at the second point, or after
	assert_string_equal(f.shortest, "a[first: b, c]");
	assert_string_equal(run(a, bc, never).shortest, "a, b, c");
}

static void what_has_to_wait_is_no_schedule(void **state)
{
	const struct explore_op locks[] = { { "lock", op_lock }, { 0 } };
	const struct explore_op needs[] = { { "needs", op_needs_lock }, { 0 } };
	struct explore_found f = run(locks, needs, never);

	assert_int_equal(f.schedules, 2);
	assert_int_equal(f.waiting, 1);
	assert_int_equal(f.failing, 2);
}

static void where_nothing_fails_there_is_no_schedule_to_name(void **state)
{
	struct explore_found f = run(a, bc, always);

	assert_int_equal(f.failing, 0);
	assert_string_equal(f.shortest, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_operation_fits_before_into_each_point_and_after),
		cmocka_unit_test(two_operations_keep_their_order_and_may_share_a_point),
		cmocka_unit_test(side_without_operations_leaves_one_schedule),
		cmocka_unit_test(points_beyond_the_limit_are_passed_by),
		cmocka_unit_test(points_of_both_sides_count),
		cmocka_unit_test(schedule_says_what_ran_where),
		cmocka_unit_test(schedule_with_the_fewest_changes_is_named),
		cmocka_unit_test(what_has_to_wait_is_no_schedule),
		cmocka_unit_test(where_nothing_fails_there_is_no_schedule_to_name),
	};

	return cmocka_run_group_tests_name("interleave_explore", tests, NULL, NULL);
}
