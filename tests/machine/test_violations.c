/* SPDX-License-Identifier: GPL-2.0-only */
/* Violations: counted, one by one, and fatal where a test wants them to be. */
#include "core/core.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct ms_machine *machine(bool fatal)
{
	const struct ms_machine_config config = { .fatal_violations = fatal };
	struct ms_machine *m =
		ms_machine_new_config(ms_policy_linux("6.12.107", MS_ARCH_X86_64), &config);

	assert_non_null(m);
	return m;
}

static void violations_are_counted_and_found_in_order(void **state)
{
	struct ms_machine *m = machine(false);

	assert_int_equal(ms_violations(m), 0);
	assert_null(ms_violation_get(m, 0));
	ms_violation(m, "first", 0x1000);
	ms_log(m, "in between", 0, 0);
	ms_violation_entry(m, "second", 0x2000, 0xfd000000);
	assert_int_equal(ms_violations(m), 2);
	assert_string_equal(ms_violation_get(m, 0)->reason, "first");
	assert_int_equal(ms_violation_get(m, 0)->addr, 0x1000);
	assert_string_equal(ms_violation_get(m, 1)->reason, "second");
	assert_int_equal(ms_violation_get(m, 1)->pa, 0xfd000000);
	assert_null(ms_violation_get(m, 2));
	ms_machine_free(m);
}

static void the_count_outlives_the_trace(void **state)
{
	struct ms_machine *m = machine(false);

	ms_violation(m, "kept", 0);
	ms_trace_clear(m);
	ms_trace_keep(m, 0);
	ms_violation(m, "not kept", 0);
	assert_int_equal(ms_violations(m), 2);
	assert_null(ms_violation_get(m, 0));
	ms_machine_free(m);
}

static void an_entry_is_printed_with_what_it_maps(void **state)
{
	struct ms_machine *m = machine(false);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	ms_violation_entry(m, "bad", 0x2000, 0xfd000000);
	ms_violation(m, "worse", 0x3000);
	ms_trace_print(m, out);
	fclose(out);
	assert_string_equal(text, "violation addr=0x2000 pa=0xfd000000 (bad)\n"
				  "violation addr=0x3000 (worse)\n");
	free(text);
	ms_machine_free(m);
}

static void words_about_no_address_are_printed_alone(void **state)
{
	struct ms_machine *m = machine(false);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	ms_log(m, "hello", 0, 0);
	ms_log(m, "range", 0x1000, 0x2000);
	ms_trace_print(m, out);
	fclose(out);
	assert_string_equal(text, "log (hello)\nlog addr=0x1000 size=0x2000 (range)\n");
	free(text);
	ms_machine_free(m);
}

/* What a child says on stderr, and the signal that ends it (0: none). */
static int run_child(bool fatal, char *said, size_t size)
{
	int pipefd[2], status;
	FILE *in;
	pid_t pid;

	assert_int_equal(pipe(pipefd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct ms_machine *m = machine(fatal);

		signal(SIGABRT, SIG_DFL);
		dup2(pipefd[1], STDERR_FILENO);
		ms_violation(m, "the end", 0x1000);
		ms_machine_free(m);
		_exit(0);
	}
	close(pipefd[1]);
	in = fdopen(pipefd[0], "r");
	said[fread(said, 1, size - 1, in)] = '\0';
	fclose(in);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void a_fatal_violation_ends_the_program_with_its_words(void **state)
{
	char said[256];

	assert_int_equal(run_child(false, said, sizeof(said)), 0);
	assert_string_equal(said, "");
	assert_int_equal(run_child(true, said, sizeof(said)), SIGABRT);
	assert_string_equal(said, "mapsim: violation addr=0x1000 (the end)\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(violations_are_counted_and_found_in_order),
		cmocka_unit_test(the_count_outlives_the_trace),
		cmocka_unit_test(an_entry_is_printed_with_what_it_maps),
		cmocka_unit_test(words_about_no_address_are_printed_alone),
		cmocka_unit_test(a_fatal_violation_ends_the_program_with_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
