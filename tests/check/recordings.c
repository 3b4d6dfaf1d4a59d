/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plays recordings and looks after every operation whether the machine is whole, and says of what
 * it refuses why.
 *
 *     check_recordings [--every N] PATH...
 *
 * --every N: of the recordings only each N-th.
 */
#include "files.h"

#include <getopt.h>

struct result {
	unsigned int every;
	size_t seen, recordings, operations, broken;
};

/* What is wrong after an operation that was answered so; NULL: nothing. */
static const char *wrong(struct ms_player *player, const char *answer)
{
	const char *reason = ms_player_reason(player);
	bool refused = strncmp(answer, "ret 0", strlen("ret 0"));

	if (ms_machine_check(ms_player_machine(player), stdout))
		return "the machine is not whole";
	if (refused && !reason)
		return "it is refused for no reason";
	if (!refused && reason)
		return "it is not refused, and has a reason";
	// memory is never out here
	return reason && !strcmp(reason, "no memory") ? "it is refused for no true reason" : NULL;
}

static void play(const struct ms_script *script, const char *path, void *arg)
{
	struct result *result = arg;
	struct ms_script_error error;
	struct ms_player *player;

	if (result->seen++ % result->every)
		return;
	result->recordings++;
	player = ms_player_new(script, &error);
	if (!player)
		errx(EXIT_FAILURE, "%s: %s", path, error.what);
	for (size_t i = 0; i < ms_script_nr_ops(script); i++) {
		struct ms_script_op op = ms_script_get_op(script, i);
		const char *answer = ms_player_step(player, i), *what;

		if (!answer)
			errx(EXIT_FAILURE, "no memory");
		result->operations++;
		what = wrong(player, answer);
		if (!what)
			continue;
		printf("%s: after line %llu: %s: %s\n", path, (unsigned long long)op.line, op.text,
		       what);
		result->broken++;
		break;
	}
	ms_player_free(player);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "every", required_argument, NULL, 'e' },
		{ NULL, 0, NULL, 0 },
	};
	struct result result = { .every = 1 };
	int opt;

	while ((opt = getopt_long(argc, argv, "e:", options, NULL)) != -1) {
		if (opt != 'e')
			return EXIT_FAILURE;
		result.every = (unsigned int)strtoul(optarg, NULL, 10);
	}
	if (optind == argc || !result.every)
		errx(EXIT_FAILURE, "usage: %s [--every N] PATH...", argv[0]);
	for_each_recording(argv + optind, play, &result);
	printf("%zu recordings, %zu checks, %zu recordings in which something is broken\n",
	       result.recordings, result.operations, result.broken);
	return !result.recordings || result.broken;
}
