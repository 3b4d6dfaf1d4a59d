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

static struct ms_machine *machine_of(bool fatal, unsigned int classes)
{
	const struct ms_machine_config config = { .fatal_violations = fatal,
						  .fatal_classes = classes };
	struct ms_machine *m =
		ms_machine_new_config(ms_policy_linux("6.12.107", MS_ARCH_X86_64), &config);

	assert_non_null(m);
	return m;
}

static struct ms_machine *machine(bool fatal)
{
	return machine_of(fatal, 0);
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

/*
 *   VMA 1  |----|        VMA 2  |----|
 *           a  a                 a      one cause each, however often; of another class or driver
 *                                       it is another cause
 */
static void the_same_in_one_vma_is_one_cause(void **state)
{
	const struct ms_where first = { "scratch", "fault", 1, 0x1000, 0x3000 },
			      second = { "scratch", "fault", 1, 0x8000, 0x9000 },
			      other = { "other", "fault", 1, 0x1000, 0x3000 };
	struct ms_machine *m = machine(false);
	const struct ms_violation *v;

	for (unsigned int i = 0; i < 3; i++)
		ms_violation_at(m, MS_VIOLATION_DRIVER, "a", 0x1000 + i * 0x1000, 0, &first);
	ms_violation_at(m, MS_VIOLATION_DRIVER, "a", 0x8000, 0, &second);
	ms_violation_at(m, MS_VIOLATION_DRIVER, "a", 0x1000, 0, &other);
	ms_violation_at(m, MS_VIOLATION_KERNEL, "a", 0x1000, 0, &first);
	ms_violation_at(m, MS_VIOLATION_DRIVER, "b", 0x1000, 0, &first);
	assert_int_equal(ms_violations(m), 7);
	assert_int_equal(ms_violation_causes(m), 5);
	assert_int_equal(ms_trace_count(m, MS_EV_VIOLATION), 5);
	v = ms_violation_cause(m, 1);
	assert_int_equal(v->number, 1);
	assert_int_equal(v->whose, MS_VIOLATION_DRIVER);
	assert_string_equal(v->condition, "a");
	assert_string_equal(v->driver, "scratch");
	assert_string_equal(v->callback, "fault");
	assert_int_equal(v->mm, 1);
	assert_int_equal(v->vma_start, 0x1000);
	assert_int_equal(v->vma_end, 0x3000);
	assert_int_equal(v->addr, 0x1000);
	assert_int_equal(v->times, 3);
	assert_int_equal(ms_violation_get(m, 0)->times, 3);
	assert_int_equal(ms_violation_get(m, 0)->mm, 1);
	assert_int_equal(ms_violation_get(m, 0)->cause, 1);
	assert_int_equal(ms_violation_cause(m, 4)->whose, MS_VIOLATION_KERNEL);
	assert_null(ms_violation_cause(m, 0));
	assert_null(ms_violation_cause(m, 6));
	assert_int_equal(ms_violations_of(m, MS_VIOLATION_BIT(MS_VIOLATION_DRIVER)), 6);
	assert_int_equal(ms_violations_of(m, MS_VIOLATION_BIT(MS_VIOLATION_KERNEL)), 1);
	assert_int_equal(ms_violations_of(m, MS_VIOLATION_BIT(MS_VIOLATION_TEST)), 0);
	assert_int_equal(ms_violations_of(m, ~0u), 7);
	ms_machine_free(m);
}

static void a_cleared_trace_keeps_a_cause_anew(void **state)
{
	struct ms_machine *m = machine(false);

	ms_violation(m, "again", 0x1000);
	ms_violation(m, "again", 0x1000);
	ms_trace_clear(m);
	ms_log(m, "in its place", 0, 0);
	ms_violation(m, "again", 0x1000);
	assert_int_equal(ms_trace_count(m, MS_EV_VIOLATION), 1);
	assert_int_equal(ms_violation_get(m, 0)->times, 1);
	assert_int_equal(ms_violation_get(m, 0)->addr, 0x1000);
	assert_int_equal(ms_violation_causes(m), 1);
	assert_int_equal(ms_violation_cause(m, 1)->times, 3);
	ms_machine_free(m);
}

/* Whatever fails, each is counted, of its class, and kept. */
static void a_violation_without_memory_is_counted_nevertheless(void **state)
{
	for (unsigned int n = 1; n <= 4; n++) {
		struct ms_machine *m = machine(false);

		ms_machine_fail_alloc(m, n);
		ms_violation(m, "a", 0x1000);
		ms_violation_by(m, MS_VIOLATION_KERNEL, "b", 0x2000, 0);
		assert_int_equal(ms_violations(m), 2);
		assert_int_equal(ms_violations_of(m, MS_VIOLATION_BIT(MS_VIOLATION_KERNEL)), 1);
		assert_in_range(ms_violation_causes(m), 1, 2);
		assert_int_equal(ms_trace_count(m, MS_EV_VIOLATION) + ms_trace_lost(m), 2);
		ms_machine_free(m);
	}
}

static void note(const struct ms_machine *m, const struct ms_violation *v, void *arg)
{
	char *seen = arg;

	(void)m;
	strcat(seen, v->condition);
}

static void an_observer_is_told_each_time(void **state)
{
	struct ms_machine *m = machine(false);
	char seen[16] = "";

	ms_violation_observe(m, note, seen);
	ms_violation(m, "a", 0x1000);
	ms_violation(m, "b", 0x1000);
	ms_violation(m, "a", 0x1000);
	ms_violation_observe(m, NULL, NULL);
	ms_violation(m, "c", 0x1000);
	assert_string_equal(seen, "aba");
	ms_machine_free(m);
}

static void classes_have_names(void **state)
{
	assert_string_equal(ms_violation_class_name(MS_VIOLATION_DRIVER), "driver");
	assert_string_equal(ms_violation_class_name(MS_VIOLATION_KERNEL), "kernel");
	assert_string_equal(ms_violation_class_name(MS_VIOLATION_HARDWARE), "hardware");
	assert_string_equal(ms_violation_class_name(MS_VIOLATION_TEST), "test");
	assert_string_equal(ms_violation_class_name(MS_VIOLATION_CLASSES), "?");
}

static void an_entry_is_printed_with_what_it_maps(void **state)
{
	const struct ms_where where = { "scratch", "fault", 1, 0x4000, 0x6000 };
	struct ms_machine *m = machine(false);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	ms_violation_entry(m, "bad", 0x2000, 0xfd000000);
	ms_violation_by(m, MS_VIOLATION_KERNEL, "worse", 0x3000, 0);
	ms_violation_at(m, MS_VIOLATION_DRIVER, "worst", 0x4000, 0, &where);
	ms_violation_at(m, MS_VIOLATION_DRIVER, "worst", 0x5000, 0, &where);
	ms_trace_print(m, out);
	fclose(out);
	assert_string_equal(text,
			    "violation addr=0x2000 pa=0xfd000000 class=driver (bad)\n"
			    "violation addr=0x3000 class=kernel (worse)\n"
			    "violation addr=0x4000 class=driver driver=scratch vma=0x4000-0x6000 "
			    "(worst) (2 times)\n");
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
static int run_child(bool fatal, unsigned int classes, enum ms_violation_class whose, char *said,
		     size_t size)
{
	int pipefd[2], status;
	FILE *in;
	pid_t pid;

	assert_int_equal(pipe(pipefd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct ms_machine *m = machine_of(fatal, classes);

		signal(SIGABRT, SIG_DFL);
		dup2(pipefd[1], STDERR_FILENO);
		ms_violation_by(m, whose, "the end", 0x1000, 0);
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

	assert_int_equal(run_child(false, 0, MS_VIOLATION_DRIVER, said, sizeof(said)), 0);
	assert_string_equal(said, "");
	assert_int_equal(run_child(true, 0, MS_VIOLATION_DRIVER, said, sizeof(said)), SIGABRT);
	assert_string_equal(said, "mapsim: violation addr=0x1000 (the end)\n");
}

static void only_the_drivers_are_fatal_unless_others_are_asked_for(void **state)
{
	const unsigned int kernel = MS_VIOLATION_BIT(MS_VIOLATION_KERNEL);
	char said[256];

	assert_int_equal(run_child(true, 0, MS_VIOLATION_KERNEL, said, sizeof(said)), 0);
	assert_int_equal(run_child(true, 0, MS_VIOLATION_TEST, said, sizeof(said)), 0);
	assert_int_equal(run_child(false, kernel, MS_VIOLATION_KERNEL, said, sizeof(said)),
			 SIGABRT);
	assert_int_equal(run_child(true, kernel, MS_VIOLATION_DRIVER, said, sizeof(said)), 0);
}

static void a_class_that_there_is_not_is_refused(void **state)
{
	const struct ms_machine_config config = { .fatal_classes =
							  MS_VIOLATION_BIT(MS_VIOLATION_CLASSES) };
	const struct ms_policy *policy = ms_policy_linux("6.12.107", MS_ARCH_X86_64);

	assert_null(ms_machine_new_config(policy, &config));
	assert_string_equal(ms_machine_refusal(policy, &config),
			    "fatal_classes: no such class of violations");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(violations_are_counted_and_found_in_order),
		cmocka_unit_test(the_count_outlives_the_trace),
		cmocka_unit_test(the_same_in_one_vma_is_one_cause),
		cmocka_unit_test(a_cleared_trace_keeps_a_cause_anew),
		cmocka_unit_test(a_violation_without_memory_is_counted_nevertheless),
		cmocka_unit_test(an_observer_is_told_each_time),
		cmocka_unit_test(classes_have_names),
		cmocka_unit_test(an_entry_is_printed_with_what_it_maps),
		cmocka_unit_test(words_about_no_address_are_printed_alone),
		cmocka_unit_test(a_fatal_violation_ends_the_program_with_its_words),
		cmocka_unit_test(only_the_drivers_are_fatal_unless_others_are_asked_for),
		cmocka_unit_test(a_class_that_there_is_not_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
