/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations in the middle of another: "at POINT: OPERATION". */
#include <mapsim/script.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GUEST \
	"> vm create\n" \
	"> mmap vfio:big off=0 at=32T len=4M prot=rw flags=shared\n" \
	"> slot id=1 gpa=2G size=4M hva=32T\n"

static struct ms_script *parse(const char *text)
{
	const struct ms_script_kernel kernel = { "6.1.192", "arm64" };
	struct ms_script_error err;
	struct ms_script *s = ms_script_parse(text, strlen(text), &kernel, &err);

	if (!s)
		print_error("line %llu: %s\n", (unsigned long long)err.line, err.what);
	assert_non_null(s);
	return s;
}

/* What the last operation of the script answers, to be freed. */
static char *last_answer(const char *text)
{
	struct ms_script *s = parse(text);
	struct ms_player *p = ms_player_new(s, NULL);
	const char *answer = NULL;

	assert_non_null(p);
	for (size_t i = 0; i < ms_script_nr_ops(s); i++)
		answer = ms_player_step(p, i);
	char *copy = strdup(answer);
	ms_player_free(p);
	ms_script_free(s);
	return copy;
}

static void expect(const char *text, const char *answer)
{
	char *got = last_answer(text);

	assert_string_equal(got, answer);
	free(got);
}

static void it_is_carried_out_at_the_point_and_answers_after_the_events(void **state)
{
	expect(GUEST "> at s2-pfn-found: munmap at=32T len=4M\n"
		     "> guest access=r gpa=2G\n",
	       "ret EFAULT\n"
	       "s2.unmap ipa=0x80000000 size=0x400000\n"
	       "zap va=0x200000000000 size=0x400000\n"
	       "at s2-pfn-found ret 0\n");
}

static void one_that_waits_answers_0(void **state)
{
	expect(GUEST "> at s2-pfn-found: munmap at=32T len=4M\n", "ret 0\n");
}

static void a_point_that_is_not_reached_is_said(void **state)
{
	expect(GUEST "> at driver-close: munmap at=32T len=4M\n"
		     "> at s2-mapped#7: munmap at=32T len=4M\n"
		     "> touch at=32T access=r\n",
	       "ret 0\n"
	       "at driver-close not-reached\n"
	       "at s2-mapped#7 not-reached\n");
}

static void it_does_not_wait_for_the_one_after(void **state)
{
	char *got = last_answer(GUEST "> at s2-pfn-found: munmap at=32T len=4M\n"
				      "> touch at=32T access=r\n"
				      "> guest access=r gpa=2G\n");

	assert_null(strstr(got, "at s2"));
	assert_non_null(strstr(got, "ret 0\ns2.map"));
	free(got);
}

static void what_would_wait_for_a_lock_says_so(void **state)
{
	expect("> at driver-mmap: munmap at=33T len=4K\n"
	       "> mmap big off=0 at=32T len=4K prot=r flags=shared\n",
	       "ret 0\nat driver-mmap ret EBUSY\n");
}

static void it_is_not_itself_interrupted(void **state)
{
	// the mapping in the middle comes to driver-mmap again, where nothing is carried out
	char *got =
		last_answer(GUEST "> at s2-pfn-found: mmap driver:small off=0 at=33T len=4K prot=r "
				  "flags=shared pieces=0x0+0x1000\n"
				  "> at driver-mmap: munmap at=33T len=4K\n"
				  "> guest access=r gpa=2G\n");

	assert_non_null(strstr(got, "at s2-pfn-found ret 0\n"));
	assert_non_null(strstr(got, "at driver-mmap not-reached\n"));
	free(got);
}

static void eight_may_wait(void **state)
{
	char text[2000] = "";

	for (int i = 0; i < 8; i++)
		strcat(text, "> at driver-open: munmap at=33T len=4K\n");
	expect(text, "ret 0\n");
	strcat(text, "> at driver-open: munmap at=33T len=4K\n");
	expect(text, "ret ENOSPC\n");
}

static void what_is_printed_is_played_again_to_the_same(void **state)
{
	static const char text[] = GUEST "> at s2-pfn-found: dirty id=1 get\n"
					 "> at s2-mapped: munmap at=32T len=4M\n"
					 "> at s2-mapped#2: child munmap at=32T len=4M\n"
					 "> guest access=r gpa=2G\n";
	struct ms_script *s = parse(text);
	struct ms_script_count count;
	char *printed = NULL;
	size_t size;
	FILE *out = open_memstream(&printed, &size);

	assert_int_equal(ms_script_run(s, 0, out, NULL), 0);
	fclose(out);
	struct ms_script *again = ms_script_parse(printed, size, NULL, NULL);
	assert_non_null(again);
	assert_int_equal(ms_script_check(again, NULL, NULL, &count, NULL), 0);
	assert_int_equal(count.same, count.answers);
	free(printed);
	ms_script_free(again);
	ms_script_free(s);
}

static void is_refused(const char *text, const char *words)
{
	struct ms_script_error err;

	assert_null(ms_script_parse(text, strlen(text), NULL, &err));
	assert_non_null(strstr(err.what, words));
}

static void what_cannot_be_is_refused(void **state)
{
	is_refused("> at nowhere: fork\n", "unknown hook point \"nowhere\"");
	is_refused("> at s2-mapped fork\n", "not \"at POINT: OPERATION\"");
	is_refused("> at s2-mapped:fork\n", "not \"at POINT: OPERATION\"");
	is_refused("> at s2-mapped#0: fork\n", "not a number from 1 on");
	is_refused("> at s2-mapped: exit\n", "not in the middle of another");
	is_refused("> at s2-mapped: child exit\n", "not in the middle of another");
	is_refused("> at s2-mapped: at s2-mapped: fork\n", "unknown operation");
	is_refused("> at s2-mapped: frob\n", "unknown operation \"frob\"");
}

static void a_program_counts_points_and_lets_operations_wait(void **state)
{
	struct ms_script *s = parse(GUEST "> guest access=r gpa=2G\n> munmap at=32T len=4M\n"
					  "> exit\n> at s2-mapped: fork\n");
	struct ms_player *p = ms_player_new(s, NULL);

	for (size_t i = 0; i < 3; i++)
		ms_player_step(p, i);
	ms_player_watch(p, true);
	assert_int_equal(ms_player_at(p, 4, MS_HOOK_S2_PFN_FOUND, 1), 0);
	assert_int_equal(ms_player_at(p, 4, MS_HOOK_S2_PFN_FOUND, 0), -EINVAL);
	assert_int_equal(ms_player_at(p, 5, MS_HOOK_S2_PFN_FOUND, 1), -EINVAL);
	assert_int_equal(ms_player_at(p, 6, MS_HOOK_S2_PFN_FOUND, 1), -EINVAL);
	assert_int_equal(ms_player_at(p, 7, MS_HOOK_S2_PFN_FOUND, 1), -EINVAL);
	assert_int_equal(ms_player_at(p, 4, MS_HOOK_POINTS, 1), -EINVAL);
	assert_non_null(strstr(ms_player_step(p, 3), "at s2-pfn-found ret 0\n"));
	assert_true(ms_player_came(p, MS_HOOK_S2_PFN_FOUND) >= 1);
	assert_int_equal(ms_player_came(p, MS_HOOK_DRIVER_MMAP), 0);
	ms_player_watch(p, false);
	ms_player_step(p, 3);
	assert_int_equal(ms_player_came(p, MS_HOOK_S2_PFN_FOUND), 0);
	ms_player_free(p);
	ms_script_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_carried_out_at_the_point_and_answers_after_the_events),
		cmocka_unit_test(one_that_waits_answers_0),
		cmocka_unit_test(a_point_that_is_not_reached_is_said),
		cmocka_unit_test(it_does_not_wait_for_the_one_after),
		cmocka_unit_test(what_would_wait_for_a_lock_says_so),
		cmocka_unit_test(it_is_not_itself_interrupted),
		cmocka_unit_test(eight_may_wait),
		cmocka_unit_test(what_is_printed_is_played_again_to_the_same),
		cmocka_unit_test(what_cannot_be_is_refused),
		cmocka_unit_test(a_program_counts_points_and_lets_operations_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
