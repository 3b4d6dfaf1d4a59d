/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Machines of different threads, at the same time (valgrind's helgrind looks whether they touch the
 * same memory). The arguments are recordings: each thread plays one of them again and again.
 */
#include "core/core.h"

#include <mapsim/script.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ROUNDS 5
#define MOST_THREADS 4

static char **paths;
static size_t nr_paths;
static pthread_barrier_t all_are_there;

struct thread {
	pthread_t id;
	const char *path;
	const char *wrong; /* NULL: nothing */
};

static const char *play(const char *path)
{
	struct ms_script_count count = { 0 };
	FILE *in = fopen(path, "r");
	struct ms_script *script = in ? ms_script_read(in, NULL, NULL) : NULL;
	int err = script ? ms_script_check(script, NULL, NULL, &count, NULL) : -errno;

	if (in)
		fclose(in);
	ms_script_free(script);
	if (err)
		return "cannot be played";
	return count.answers && count.same == count.answers ? NULL : "other answers";
}

/* What drivers of this thread run on stays this thread's, whatever the others do. */
static void *run(void *arg)
{
	struct thread *thread = arg;
	struct ms_machine *m = ms_machine_new(ms_policy_linux("6.12.117", MS_ARCH_X86_64));
	struct ms_machine *former = ms_set_current_machine(m);

	pthread_barrier_wait(&all_are_there);
	for (size_t i = 0; i < ROUNDS && !thread->wrong; i++) {
		thread->wrong = play(thread->path);
		if (!m || former || ms_current_machine() != m)
			thread->wrong = "another machine is the thread's";
	}
	ms_set_current_machine(NULL);
	ms_machine_free(m);
	return NULL;
}

static void machines_of_different_threads_share_nothing(void **state)
{
	struct thread threads[MOST_THREADS] = { 0 };

	(void)state;
	assert_in_range(nr_paths, 2, MOST_THREADS);
	assert_int_equal(pthread_barrier_init(&all_are_there, NULL, (unsigned int)nr_paths), 0);
	for (size_t i = 0; i < nr_paths; i++) {
		threads[i].path = paths[i];
		assert_int_equal(pthread_create(&threads[i].id, NULL, run, &threads[i]), 0);
	}
	for (size_t i = 0; i < nr_paths; i++)
		assert_int_equal(pthread_join(threads[i].id, NULL), 0);
	pthread_barrier_destroy(&all_are_there);
	for (size_t i = 0; i < nr_paths; i++) {
		if (threads[i].wrong)
			fail_msg("%s: %s", threads[i].path, threads[i].wrong);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(machines_of_different_threads_share_nothing),
	};

	paths = argv + 1;
	nr_paths = (size_t)argc - 1;
	return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
