/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plays recordings, saves the player before some operations, and plays what follows again from
 * there, in any order of the states: it must answer as it did.
 *
 *     test_script_states [--every N] PATH...
 */
#include "../check/files.h"

#define STATES 8u

struct run {
	size_t every, seen, recordings, replayed;
};

struct saved {
	struct ms_player_state *state;
	size_t op;
};

static const char *step(struct ms_player *player, size_t op)
{
	const char *answer = ms_player_step(player, op);

	if (!answer)
		errx(EXIT_FAILURE, "no memory");
	return answer;
}

/* Plays from a state on to the end, or so many operations. */
static void replay(struct run *r, const char *path, struct ms_player *player,
		   const struct saved *from, char *const *answer, size_t end)
{
	if (ms_player_restore(player, from->state))
		errx(EXIT_FAILURE, "%s: operation %zu: the state is not put back", path, from->op);
	for (size_t op = from->op; op < end; op++) {
		if (strcmp(step(player, op), answer[op]))
			errx(EXIT_FAILURE,
			     "%s: operation %zu, played again from before %zu, answers\n%s"
			     "and before\n%s",
			     path, op, from->op, step(player, op), answer[op]);
		r->replayed++;
	}
	if (ms_machine_check(ms_player_machine(player), stderr))
		errx(EXIT_FAILURE, "%s: the machine is not whole", path);
}

static void try_recording(const struct ms_script *script, const char *path, void *arg)
{
	struct run *r = arg;
	const size_t n = ms_script_nr_ops(script);
	struct ms_player *player;
	struct saved saved[STATES];
	size_t nr = 0;
	char **answer;

	if (r->seen++ % r->every)
		return;
	r->recordings++;
	player = ms_player_new(script, NULL);
	answer = calloc(n + 1, sizeof(*answer));
	if (!player || !answer)
		errx(EXIT_FAILURE, "%s: no player", path);
	for (size_t op = 0; op < n; op++) {
		if (nr < STATES && op >= nr * n / STATES) {
			saved[nr] = (struct saved){ ms_player_save(player), op };
			if (!saved[nr++].state)
				err(EXIT_FAILURE, "%s", path);
		}
		answer[op] = strdup(step(player, op));
	}
	for (size_t i = 0; i < 2 * nr; i++)
		replay(r, path, player, &saved[i * 5 % nr], answer, n);
	for (size_t i = 0; i < nr; i++)
		ms_player_state_free(saved[i].state);
	for (size_t op = 0; op < n; op++)
		free(answer[op]);
	free(answer);
	ms_player_free(player);
}

int main(int argc, char **argv)
{
	struct run r = { .every = 1 };
	int first = 1;

	if (argc > 2 && !strcmp(argv[1], "--every")) {
		r.every = strtoul(argv[2], NULL, 10);
		first = 3;
	}
	if (first >= argc || !r.every)
		errx(2, "usage: %s [--every N] PATH...", argv[0]);
	for_each_recording(argv + first, try_recording, &r);
	printf("%zu recordings, %zu operations played again\n", r.recordings, r.replayed);
	return r.recordings ? 0 : EXIT_FAILURE;
}
