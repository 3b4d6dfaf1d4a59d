/* SPDX-License-Identifier: GPL-2.0-only */
/* Plays recordings and looks after every operation whether the machine is whole. */
#include "files.h"

struct result {
	size_t operations, broken;
};

static void play(const struct ms_script *script, const char *path, void *arg)
{
	struct result *result = arg;
	struct ms_script_error error;
	struct ms_player *player = ms_player_new(script, &error);

	if (!player)
		errx(EXIT_FAILURE, "%s: %s", path, error.what);
	for (size_t i = 0; i < ms_script_nr_ops(script); i++) {
		struct ms_script_op op = ms_script_get_op(script, i);

		if (!ms_player_step(player, i))
			errx(EXIT_FAILURE, "no memory");
		result->operations++;
		if (!ms_machine_check(ms_player_machine(player), stdout))
			continue;
		printf("%s: after line %llu: %s\n", path, (unsigned long long)op.line, op.text);
		result->broken++;
		break;
	}
	ms_player_free(player);
}

int main(int argc, char **argv)
{
	struct result result = { 0 };
	size_t n;

	if (argc < 2)
		errx(EXIT_FAILURE, "usage: %s PATH...", argv[0]);
	n = for_each_recording(argv + 1, play, &result);
	printf("%zu recordings, %zu checks, %zu recordings in which something is broken\n", n,
	       result.operations, result.broken);
	return !n || result.broken;
}
