/* SPDX-License-Identifier: GPL-2.0-only */
/* The search: what it finds, and that nothing but the world, the kernel and the bounds decides. */
#include <mapsim/explore.h>
#include <mapsim/machine.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A moved vfio mapping, of which up to 6.1 the tracking is ended twice. */
#define MOVED \
	"mapsim-world 1\n" \
	"arch x86_64\n" \
	"let A = 32T\n" \
	"> vm create\n" \
	"* mmap vfio:big off=0 at=A len=4M prot=rw flags=shared\n" \
	"* touch at={A, A+2M} access={r, w}\n" \
	"* mprotect at=A+2M len={4K, 2M} prot=r\n" \
	"* mremap at={A, A+2M} len=2M newlen=2M to={A+9M, A+8M}\n" \
	"* munmap at=A len=4M\n"
#define FREED "warning: x86/PAT: freeing invalid memtype (device, unknown)"

static struct ms_world *parse(const char *text)
{
	struct ms_world *w = ms_world_parse(text, strlen(text), NULL);

	assert_non_null(w);
	return w;
}

static struct ms_explore *begin(const struct ms_world *w, const struct ms_explore_config *config)
{
	struct ms_script_error err;
	struct ms_explore *x = ms_explore_new(w, config, &err);

	if (!x)
		print_error("%s\n", err.what);
	assert_non_null(x);
	return x;
}

/* All that a search has found, as one text, to be freed. */
static char *told(struct ms_explore *x)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct ms_finding f;

	fprintf(out, "%llu states\n", (unsigned long long)ms_explore_progress(x).states);
	for (size_t i = 0; (f = ms_explore_finding(x, i)).signature; i++)
		fprintf(out, "%s (%s) %u\n%s", f.signature, f.rule ? f.rule : "-", f.letters,
			f.script);
	fclose(out);
	return text;
}

static char *search(const char *world, const struct ms_explore_config *config)
{
	struct ms_world *w = parse(world);
	struct ms_explore *x = begin(w, config);

	assert_int_equal(ms_explore_run(x), 0);
	char *text = told(x);
	ms_explore_free(x);
	ms_world_free(w);
	return text;
}

static void the_shortest_script_is_found_and_its_rule(void **state)
{
	const struct ms_explore_config config = { .release = "6.1.192", .depth = 4 };
	struct ms_world *w = parse(MOVED);
	struct ms_explore *x = begin(w, &config);
	bool found = false;
	struct ms_finding f;

	assert_int_equal(ms_explore_run(x), 0);
	for (size_t i = 0; (f = ms_explore_finding(x, i)).signature; i++) {
		if (strcmp(f.signature, FREED))
			continue;
		found = true;
		assert_int_equal(f.letters, 3);
		assert_non_null(f.rule);
		assert_non_null(strstr(f.rule, "vfio=V1_RECHECK"));
		assert_non_null(strstr(f.script, "\n> mmap vfio:big "));
		assert_null(strstr(f.script, "vm create"));
	}
	assert_true(found);
	ms_explore_free(x);
	ms_world_free(w);
}

static void a_kernel_that_is_free_of_it_has_no_such_finding(void **state)
{
	const struct ms_explore_config config = { .release = "7.2.13", .depth = 4 };
	char *text = search(MOVED, &config);

	assert_null(strstr(text, FREED));
	free(text);
}

static void the_script_shows_it_when_it_is_played(void **state)
{
	const struct ms_explore_config config = { .release = "6.1.192", .depth = 3 };
	struct ms_world *w = parse(MOVED);
	struct ms_explore *x = begin(w, &config);

	assert_int_equal(ms_explore_run(x), 0);
	const char *text = ms_explore_finding(x, 0).script;
	assert_non_null(text);
	struct ms_script *s = ms_script_parse(text, strlen(text), NULL, NULL);
	assert_non_null(s);
	assert_string_equal(ms_script_release(s), "6.1.192");
	struct ms_player *p = ms_player_new(s, NULL);
	for (size_t i = 0; i < ms_script_nr_ops(s); i++)
		assert_non_null(ms_player_step(p, i));
	assert_true(ms_violations(ms_player_machine(p)) > 0);
	ms_player_free(p);
	ms_script_free(s);
	ms_explore_free(x);
	ms_world_free(w);
}

static void the_answer_does_not_depend_on_jobs(void **state)
{
	struct ms_explore_config config = { .release = "6.1.192", .depth = 3, .walks = 20 };
	char *one = search(MOVED, &config);

	config.jobs = 3;
	char *three = search(MOVED, &config);
	assert_string_equal(one, three);
	free(one);
	free(three);
}

static bool stop_at_once(const struct ms_explore_progress *progress, void *arg)
{
	return true;
}

static void a_stopped_search_goes_on_to_the_same_answer(void **state)
{
	struct ms_explore_config config = { .release = "6.1.192", .depth = 3, .walks = 100 };
	char *whole = search(MOVED, &config);
	struct ms_world *w = parse(MOVED);
	char *standing = NULL;
	size_t size = 0;
	unsigned int stops = 0;
	int ret;

	config.progress = stop_at_once;
	struct ms_explore *x = begin(w, &config);
	while ((ret = ms_explore_run(x)) == 1) {
		FILE *out = open_memstream(&standing, &size);

		assert_int_equal(ms_explore_save(x, out), 0);
		fclose(out);
		ms_explore_free(x);
		x = begin(w, &config);
		FILE *in = fmemopen(standing, size, "r");
		assert_int_equal(ms_explore_load(x, in, NULL), 0);
		fclose(in);
		free(standing);
		stops++;
	}
	assert_int_equal(ret, 0);
	assert_true(stops > 2);
	char *text = told(x);
	assert_string_equal(text, whole);
	free(text);
	free(whole);
	ms_explore_free(x);
	ms_world_free(w);
}

/* Every byte of a standing that is cut short or changed is noticed, or does no harm. */
static void a_broken_standing_is_refused(void **state)
{
	struct ms_explore_config config = { .release = "6.1.192", .depth = 2 };
	struct ms_world *w = parse(MOVED);
	struct ms_script_error err;
	char *standing = NULL;
	size_t size = 0;
	struct ms_explore *x = begin(w, &config);

	assert_int_equal(ms_explore_run(x), 0);
	FILE *out = open_memstream(&standing, &size);
	assert_int_equal(ms_explore_save(x, out), 0);
	fclose(out);
	for (size_t n = 1; n < size; n += 5) {
		FILE *in = fmemopen(standing, n, "r");

		assert_int_equal(ms_explore_load(x, in, &err), -EINVAL);
		assert_true(strlen(err.what) > 0);
		fclose(in);
	}
	config.depth = 3;
	struct ms_explore *other = begin(w, &config);
	FILE *in = fmemopen(standing, size, "r");
	assert_int_equal(ms_explore_load(other, in, &err), -EINVAL);
	assert_non_null(strstr(err.what, "another world"));
	fclose(in);
	free(standing);
	ms_explore_free(other);
	ms_explore_free(x);
	ms_world_free(w);
}

static void shards_find_together_what_one_search_finds(void **state)
{
	struct ms_explore_config config = { .release = "6.1.192", .depth = 3 };
	struct ms_world *w = parse(MOVED);
	struct ms_explore *whole = begin(w, &config), *shard[3];
	struct ms_finding f;

	assert_int_equal(ms_explore_run(whole), 0);
	for (unsigned int i = 0; i < 3; i++) {
		config.shard = i;
		config.shards = 3;
		shard[i] = begin(w, &config);
		assert_int_equal(ms_explore_run(shard[i]), 0);
		assert_true(ms_explore_progress(shard[i]).operations <=
			    ms_explore_progress(whole).operations);
	}
	for (size_t i = 0; (f = ms_explore_finding(whole, i)).signature; i++) {
		bool found = false;
		struct ms_finding g;

		for (size_t k = 0; k < 3; k++) {
			for (size_t n = 0; (g = ms_explore_finding(shard[k], n)).signature; n++)
				found |= !strcmp(f.signature, g.signature);
		}
		assert_true(found);
	}
	for (unsigned int i = 0; i < 3; i++)
		ms_explore_free(shard[i]);
	ms_explore_free(whole);
	ms_world_free(w);
}

static void the_bound_of_states_cuts_it_short(void **state)
{
	const struct ms_explore_config config = { .release = "6.1.192", .states = 20 };
	struct ms_world *w = parse(MOVED);
	struct ms_explore *x = begin(w, &config);

	assert_int_equal(ms_explore_run(x), 0);
	assert_true(ms_explore_is_cut(x));
	assert_int_equal(ms_explore_progress(x).states, 20);
	ms_explore_free(x);
	ms_world_free(w);
}

static void what_is_ignored_is_not_told(void **state)
{
	const struct ms_explore_config config = { .release = "6.1.192", .depth = 3 };
	char *text = search(MOVED "ignore freeing invalid\n", &config);

	assert_null(strstr(text, FREED));
	free(text);
}

/* ---- a user's part ---- */

/* A counter that must not come to 3; the machine knows nothing of it. */
struct counter {
	unsigned int n;
};

static int counter_begin(struct ms_player *player, void **own, void *arg)
{
	assert_non_null(ms_player_machine(player));
	*own = calloc(1, sizeof(struct counter));
	return *own ? 0 : -ENOMEM;
}

static void counter_end(struct ms_player *player, void *own, void *arg)
{
	free(own);
}

static const char *counter_name(size_t op, void *arg)
{
	return op ? "reset" : "count";
}

static int counter_op(size_t op, struct ms_player *player, void *own, void *arg)
{
	struct counter *c = own;

	c->n = op ? 0 : c->n + 1;
	return 0;
}

static void *counter_save(const void *own, void *arg)
{
	struct counter *copy = malloc(sizeof(*copy));

	if (copy)
		*copy = *(const struct counter *)own;
	return copy;
}

static void counter_restore(void *own, const void *saved, void *arg)
{
	*(struct counter *)own = *(const struct counter *)saved;
}

static void counter_drop(void *saved, void *arg)
{
	free(saved);
}

static uint64_t counter_hash(const void *own, void *arg)
{
	return ((const struct counter *)own)->n;
}

static bool counter_judge(struct ms_player *player, const void *own, char *text, size_t size,
			  void *arg)
{
	if (((const struct counter *)own)->n < 3)
		return false;
	snprintf(text, size, "counted too far");
	return true;
}

static void a_users_operations_and_judgement_are_part_of_the_world(void **state)
{
	const struct ms_explore_user user = {
		.begin = counter_begin,
		.end = counter_end,
		.nr_ops = 2,
		.op_name = counter_name,
		.op = counter_op,
		.save = counter_save,
		.restore = counter_restore,
		.drop = counter_drop,
		.hash = counter_hash,
		.judge = counter_judge,
	};
	const struct ms_explore_config config = { .user = &user, .depth = 4, .jobs = 2 };
	struct ms_world *w = parse("mapsim-world 1\n* fork\n");
	struct ms_explore *x = begin(w, &config);

	assert_int_equal(ms_explore_run(x), 0);
	const struct ms_finding f = ms_explore_finding(x, 0);
	assert_string_equal(f.signature, "judged: counted too far");
	assert_int_equal(f.letters, 3);
	assert_null(f.rule);
	assert_non_null(strstr(f.script, "# the user's: count\n# the user's: count\n"));
	assert_null(strstr(f.script, "fork"));
	assert_null(ms_explore_finding(x, 1).signature);
	ms_explore_free(x);
	ms_world_free(w);
}

static void a_search_that_cannot_be_is_refused(void **state)
{
	struct ms_world *w = parse("mapsim-world 1\narch x86_64\n* fork\n");
	const struct ms_explore_user half = { .nr_ops = 1 };
	static const struct {
		struct ms_explore_config config;
		const char *what;
	} bad[] = {
		{ { .arch = "arm64" }, "not of arm64" },
		{ { .release = "1.0" }, "older than" },
		{ { .depth = 65 }, "at most 64" },
		{ { .shard = 2, .shards = 2 }, "no such shard" },
		{ { .rules = "frob=1" }, "no such rule" },
	};
	struct ms_script_error err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(ms_explore_new(w, &bad[i].config, &err));
		assert_int_equal(errno, EINVAL);
		assert_non_null(strstr(err.what, bad[i].what));
	}
	const struct ms_explore_config config = { .user = &half };
	assert_null(ms_explore_new(w, &config, &err));
	assert_non_null(strstr(err.what, "no function"));
	ms_world_free(w);
	w = parse("mapsim-world 1\narch x86_64\n");
	assert_null(ms_explore_new(w, NULL, &err));
	assert_non_null(strstr(err.what, "no letter"));
	ms_world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shortest_script_is_found_and_its_rule),
		cmocka_unit_test(a_kernel_that_is_free_of_it_has_no_such_finding),
		cmocka_unit_test(the_script_shows_it_when_it_is_played),
		cmocka_unit_test(the_answer_does_not_depend_on_jobs),
		cmocka_unit_test(a_stopped_search_goes_on_to_the_same_answer),
		cmocka_unit_test(a_broken_standing_is_refused),
		cmocka_unit_test(shards_find_together_what_one_search_finds),
		cmocka_unit_test(the_bound_of_states_cuts_it_short),
		cmocka_unit_test(what_is_ignored_is_not_told),
		cmocka_unit_test(a_users_operations_and_judgement_are_part_of_the_world),
		cmocka_unit_test(a_search_that_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
