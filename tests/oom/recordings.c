/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plays recordings, and makes each allocation of each operation fail once. After the failure the
 * machine must be whole; when the operation said so it is repeated, and then the machine must be
 * what it is without a failure. In the end nothing is allocated any more.
 *
 *     oom_recordings [--every N] [--most M] [--verbose] PATH...
 *
 * --every N: of the recordings only each N-th (those called random-* and wide-* are always left
 * out: a call that moves several VMAs, and fails behind the first, cannot be repeated).
 * --most M: of the allocations of an operation at most M, at even distances, the first among them;
 * and no recording that takes long.
 */
#include "../check/files.h"
#include "state.h"

#include "core/core.h"

#include <getopt.h>
#include <stdio.h>

struct run {
	unsigned int every;
	uint64_t most; /* 0: all */
	bool verbose;
	size_t seen, recordings, operations, failed, repeated, broken;
	/* of the recording at hand */
	const struct ms_script *script;
	const char *path;
};

static bool is_random(const char *path)
{
	const char *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	return !strncmp(base, "random-", 7) || !strncmp(base, "wide-", 5);
}

static const char *step(struct ms_player *player, size_t op)
{
	const char *answer = ms_player_step(player, op);

	if (!answer)
		errx(EXIT_FAILURE, "no memory");
	return answer;
}

/* A player that has executed the operations before `op`. */
static struct ms_player *play_before(const struct run *r, size_t op)
{
	struct ms_script_error error;
	struct ms_player *player = ms_player_new(r->script, &error);

	if (!player)
		errx(EXIT_FAILURE, "%s: %s", r->path, error.what);
	for (size_t i = 0; i < op; i++)
		step(player, i);
	return player;
}

static void complain(struct run *r, size_t op, uint64_t n, const char *what)
{
	const struct ms_script_op text = ms_script_get_op(r->script, op);

	printf("%s: line %llu: %s: allocation %llu fails: %s\n", r->path,
	       (unsigned long long)text.line, text.text, (unsigned long long)n, what);
	r->broken++;
}

static bool is_operation(const struct run *r, size_t op, const char *name)
{
	return strstr(ms_script_get_op(r->script, op).text, name);
}

static bool uses(const struct run *r, const char *name)
{
	for (size_t op = 0; op < ms_script_nr_ops(r->script); op++)
		if (is_operation(r, op, name))
			return true;
	return false;
}

/* What may be otherwise once an operation has failed, in the kernel as here. */
static struct state_parts comparable(const struct run *r, size_t op, const struct ms_machine *m)
{
	// What MAP_FIXED replaces is gone, and on x86 its type with it, when the new mapping fails.
	bool replaces =
		ms_is_x86(m) && is_operation(r, op, "mmap ") && is_operation(r, op, ",fixed");

	return (struct state_parts){
		// Up to 6.12 KVM asks once more, and for writing, for a page that it could not
		// get: whether it is poisoned. So a page to be read may have been written to.
		.host_pages =
			!replaces && (!is_operation(r, op, "guest ") ||
				      m->policy.pfn_poison_probe != MS_PFN_POISON_PROBE_TWICE),
		// Up to 6.14 what was reserved for a child whose page table could not be copied
		// stays: its first entry would tell where it is.
		.memtypes =
			!replaces && (!is_operation(r, op, "fork") ||
				      m->policy.fork_tracking != MS_FORK_TRACKING_FLAG_INHERITED),
		// A fault of vfio that fails zaps the VMA; the VM hears of it, and waits for the
		// guest's next access.
		.stage2 = !uses(r, "vfio"),
	};
}

/* What the operation is without a failure. */
struct sound {
	char *answer; /* its first line */
	char *state;
	uint64_t allocs;
};

static char *first_line(const char *answer)
{
	char *line = strndup(answer, strcspn(answer, "\n"));

	if (!line)
		errx(EXIT_FAILURE, "no memory");
	return line;
}

static struct sound play_soundly(struct run *r, size_t op)
{
	struct ms_player *player = play_before(r, op);
	struct ms_machine *m = ms_player_machine(player);
	uint64_t before = ms_machine_allocs(m);
	struct sound s = { .answer = first_line(step(player, op)) };

	s.allocs = ms_machine_allocs(m) - before;
	if (s.allocs)
		s.state = state_of(m, comparable(r, op, m));
	ms_player_free(player);
	return s;
}

static void compare(struct run *r, size_t op, uint64_t n, struct ms_machine *m,
		    const struct sound *s)
{
	char text[1024], *state = state_of(m, comparable(r, op, m));

	if (strcmp(state, s->state)) {
		state_difference(state, s->state, text, sizeof(text));
		complain(r, op, n, "repeated, the state is another:");
		printf("  %s\n", text);
	}
	free(state);
}

/* Makes the n-th allocation of an operation fail; false: it did not get that far. */
static bool fail_one(struct run *r, size_t op, uint64_t n, const struct sound *s)
{
	struct ms_player *player = play_before(r, op);
	struct ms_machine *m = ms_player_machine(player);
	uint64_t before = ms_machine_allocs(m);
	bool fired, refused;
	char *answer;

	ms_machine_fail_alloc(m, n);
	answer = first_line(step(player, op));
	fired = ms_machine_allocs(m) - before >= n;
	ms_machine_fail_alloc(m, 0);
	refused = strcmp(answer, s->answer);
	if (fired && r->verbose)
		printf("answer %.*s: %s, without failure %s\n",
		       (int)strcspn(ms_script_get_op(r->script, op).text, " "),
		       ms_script_get_op(r->script, op).text, answer, s->answer);
	if (fired && ms_machine_check(m, stdout))
		complain(r, op, n, "the machine is not whole");
	if (fired && refused) {
		r->repeated++;
		free(answer);
		answer = first_line(step(player, op));
		if (strcmp(answer, s->answer))
			complain(r, op, n, "repeated, the answer is another");
		if (ms_machine_check(m, stdout))
			complain(r, op, n, "repeated, the machine is not whole");
		compare(r, op, n, m, s);
	}
	r->failed += fired;
	free(answer);
	ms_player_free(player);
	return fired;
}

/* With that many allocations a machine is large: each of its repetitions takes milliseconds. */
#define MANY_ALLOCS 2000u

static bool takes_long(const struct run *r)
{
	struct ms_player *player = play_before(r, ms_script_nr_ops(r->script));
	bool many = ms_machine_allocs(ms_player_machine(player)) > MANY_ALLOCS;

	ms_player_free(player);
	return many;
}

static void fail_each(const struct ms_script *script, const char *path, void *arg)
{
	struct run *r = arg;

	if (is_random(path) || r->seen++ % r->every)
		return;
	r->script = script;
	r->path = path;
	if (r->most && takes_long(r))
		return;
	r->recordings++;
	for (size_t op = 0; op < ms_script_nr_ops(script); op++) {
		struct sound s = play_soundly(r, op);

		uint64_t distance = r->most && s.allocs > r->most ? s.allocs / r->most : 1;

		for (uint64_t n = 1; n <= s.allocs && fail_one(r, op, n, &s);)
			n += distance;
		free(s.answer);
		free(s.state);
		r->operations++;
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "every", required_argument, NULL, 'e' },
		{ "most", required_argument, NULL, 'm' },
		{ "verbose", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	struct run r = { .every = 1 };
	int opt;

	while ((opt = getopt_long(argc, argv, "e:m:v", options, NULL)) != -1) {
		if (opt == 'e')
			r.every = (unsigned int)strtoul(optarg, NULL, 10);
		else if (opt == 'm')
			r.most = strtoull(optarg, NULL, 10);
		else if (opt == 'v')
			r.verbose = true;
		else
			return EXIT_FAILURE;
	}
	if (optind == argc || !r.every)
		errx(EXIT_FAILURE, "usage: %s [--every N] [--most M] [--verbose] PATH...", argv[0]);
	for_each_recording(argv + optind, fail_each, &r);
	printf("%zu recordings, %zu operations, %zu allocations failed, %zu operations repeated, "
	       "%zu findings\n",
	       r.recordings, r.operations, r.failed, r.repeated, r.broken);
	return !r.failed || r.broken;
}
