/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading and playing a script when memory runs out: each allocation of the library fails once. The
 * linker puts the functions below in place of malloc() and its kin (ld --wrap).
 */
#include "world.h"

static uint64_t asked, fail_at; /* allocations so far, and which of them fails; 0: none does */

static bool fails(void)
{
	return ++asked == fail_at;
}

/* Defines __wrap_NAME, to which calls of NAME go, by __real_NAME, which is NAME itself. */
#define WRAP(type, name, parameters, arguments) \
	type __real_##name parameters; \
	type __wrap_##name parameters; \
	type __wrap_##name parameters \
	{ \
		return fails() ? NULL : __real_##name arguments; \
	}

WRAP(void *, malloc, (size_t size), (size))
WRAP(void *, calloc, (size_t n, size_t size), (n, size))
WRAP(void *, realloc, (void *p, size_t size), (p, size))
WRAP(void *, reallocarray, (void *p, size_t n, size_t size), (p, n, size))
WRAP(char *, strndup, (const char *s, size_t n), (s, n))
WRAP(FILE *, open_memstream, (char **text, size_t *size), (text, size))

static const char text[] =
	"#!thp=never\n"
	"#!rule=s2_lock=SPIN\n"
	"> mmap driver:big off=64K at=32T len=64K prot=r flags=shared pieces=0+4K,8K+4K\n"
	"> munmap at=32T len=64K\n";

static void fail_from(uint64_t n)
{
	asked = 0;
	fail_at = n;
}

static void without_memory_nothing_is_read_and_it_is_said(void **state)
{
	uint64_t n = 0, failed = 0;
	struct ms_script *script = NULL;

	while (!script) {
		struct ms_script_error err = { 0 };

		fail_from(++n);
		script = ms_script_parse(text, strlen(text), NULL, &err);
		fail_from(0);
		if (!script) {
			assert_int_equal(errno, ENOMEM);
			assert_string_equal(err.what, "no memory");
			failed++;
		}
	}
	ms_script_free(script);
	assert_true(failed > 10);
}

static void a_player_that_is_not_made_says_why(void **state)
{
	struct ms_script *script = parsed(text);
	struct ms_player *player = NULL;
	uint64_t n = 0;

	while (!player) {
		struct ms_script_error err = { 0 };

		fail_from(++n);
		player = ms_player_new(script, &err);
		fail_from(0);
		assert_int_equal(!player, err.what[0] != '\0');
	}
	// the player, and the memory of its machine, of which all else is
	assert_int_equal(n, 3);
	ms_player_free(player);
	ms_script_free(script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_memory_nothing_is_read_and_it_is_said),
		cmocka_unit_test(a_player_that_is_not_made_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
