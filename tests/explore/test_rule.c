/* SPDX-License-Identifier: GPL-2.0-only */
/* What tells two values of a rule apart. */
#include <mapsim/explore.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BLOCK \
	"mapsim-world 1\n" \
	"arch arm64\n" \
	"> vm create\n" \
	"* mmap big off=0 at=32T len={3M, 4M} prot=rw flags=shared\n" \
	"* slot id=1 gpa=2G size=6M hva=32T\n" \
	"* guest access={r, w} gpa={2G, 0x80200000}\n"

static int search(const char *text, const char *release, unsigned int depth, const char *rule,
		  const char *value, struct ms_witness *witness, struct ms_script_error *err)
{
	const struct ms_explore_config config = { .release = release, .depth = depth };
	struct ms_world *w = ms_world_parse(text, strlen(text), NULL);

	assert_non_null(w);
	int ret = ms_explore_rule(w, &config, rule, value, witness, err);
	ms_world_free(w);
	return ret;
}

static void the_shortest_script_is_found(void **state)
{
	struct ms_witness w;

	assert_int_equal(
		search(BLOCK, "6.12.107", 4, "s2_pfnmap_block", "FROM_HOST_TABLE", &w, NULL), 1);
	assert_int_equal(w.letters, 3);
	assert_false(w.cut);
	assert_non_null(strstr(w.script, "kernel 6.12.107 arm64\n"));
	assert_non_null(strstr(w.script, "> guest access="));
	free(w.script);
}

static void none_is_found_below_its_length(void **state)
{
	struct ms_witness w;

	assert_int_equal(
		search(BLOCK, "6.12.107", 2, "s2_pfnmap_block", "FROM_HOST_TABLE", &w, NULL), 0);
	assert_null(w.script);
	assert_true(w.states > 3);
}

static void what_only_a_look_shows_is_found(void **state)
{
	// whether memory that was made read-only stays charged is in smaps alone
	static const char text[] = "mapsim-world 1\n"
				   "* mmap anon off=0 at=32T len=8K prot=rw flags=private\n"
				   "* mprotect at=32T len={4K, 8K} prot={r, rw}\n";
	struct ms_witness w;

	assert_int_equal(search(text, "6.12.117", 3, "mprotect_unaccount", "NO", &w, NULL), 1);
	assert_non_null(strstr(w.script, "> show vmas"));
	free(w.script);
}

static void a_script_is_cut_to_what_matters(void **state)
{
	static const char text[] = "> fork\n"
				   "> mmap anon off=0 at=32T len=8K prot=rw flags=private\n"
				   "> mprotect at=32T len=4K prot=r\n"
				   "> child exit\n";
	const struct ms_script_kernel kernel = { "6.12.117", "arm64" };
	struct ms_script *s = ms_script_parse(text, sizeof(text) - 1, &kernel, NULL);
	struct ms_witness w;

	assert_non_null(s);
	assert_int_equal(ms_explore_rule_in(s, "mprotect_unaccount", "NO", &w, NULL), 1);
	assert_null(strstr(w.script, "fork"));
	assert_non_null(strstr(w.script, "> show vmas"));
	assert_int_equal(w.letters, 3);
	free(w.script);
	assert_int_equal(ms_explore_rule_in(s, "vfio", "V1_RECHECK", &w, NULL), 0);
	assert_null(w.script);
	assert_int_equal(ms_explore_rule_in(s, "frob", "NO", &w, NULL), -EINVAL);
	ms_script_free(s);
}

static void what_is_no_rule_is_refused(void **state)
{
	struct ms_script_error err;
	struct ms_witness w;

	assert_int_equal(search(BLOCK, "6.12.107", 2, "frob", "FROM_HOST_TABLE", &w, &err),
			 -EINVAL);
	assert_non_null(strstr(err.what, "no such rule"));
	assert_int_equal(search(BLOCK, "1.0", 2, "vfio", "V3", &w, &err), -EINVAL);
	assert_non_null(strstr(err.what, "older than"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shortest_script_is_found),
		cmocka_unit_test(none_is_found_below_its_length),
		cmocka_unit_test(what_only_a_look_shows_is_found),
		cmocka_unit_test(a_script_is_cut_to_what_matters),
		cmocka_unit_test(what_is_no_rule_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
