/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recordings that end where the kernel stopped (NAME.panic): the model answers alike up to the last
 * operation, and calls that one, and none before it, a crash.
 *
 *     hazard_crashes FOLDER
 */
#include <mapsim/hazard.h>
#include <mapsim/script.h>

#include <err.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

static void count_crashes(const struct ms_hazard *hazard, void *arg)
{
	*(size_t *)arg += hazard->kind == MS_HAZARD_CRASH;
}

/* Is the answer to the i-th operation what the kernel said? */
static bool is_same(const struct ms_script *script, size_t i, const char *answer)
{
	const size_t lines = ms_script_get_op(script, i).nr_answers;

	for (size_t j = 0; j < lines; j++) {
		const char *line = ms_script_get_answer(script, i, j, NULL);
		const size_t len = strcspn(answer, "\n");

		if (strlen(line) != len || strncmp(line, answer, len) || !answer[len])
			return false;
		answer += len + 1;
	}
	return !*answer;
}

/* What is wrong with the i-th operation; NULL: nothing. */
static const char *wrong(struct ms_player *player, const struct ms_script *script, size_t i)
{
	const bool last = i + 1 == ms_script_nr_ops(script);
	const char *answer = ms_player_step(player, i);
	size_t crashes = 0;

	if (!answer)
		return "no memory";
	ms_player_hazards(player, count_crashes, &crashes);
	if (!last && !is_same(script, i, answer))
		return "the answers differ";
	if (last && ms_script_get_op(script, i).nr_answers)
		return "the kernel has answered its last operation";
	if (!last != !crashes)
		return last ? "the model does not say that the kernel crashes"
			    : "it crashes too early";
	return NULL;
}

static bool play(const char *path)
{
	FILE *in = fopen(path, "re");
	struct ms_script_error error;
	struct ms_script *script = in ? ms_script_read(in, NULL, &error) : NULL;
	struct ms_player *player;
	const char *what = NULL;

	if (!script)
		errx(EXIT_FAILURE, "%s: cannot be read", path);
	fclose(in);
	player = ms_player_new(script, &error);
	if (!player)
		errx(EXIT_FAILURE, "%s: %s", path, error.what);
	for (size_t i = 0; !what && i < ms_script_nr_ops(script); i++) {
		what = wrong(player, script, i);
		if (what)
			printf("%s: %s: %s\n", path, ms_script_get_op(script, i).text, what);
	}
	ms_player_free(player);
	ms_script_free(script);
	return !what;
}

static bool is_crash(const FTSENT *entry)
{
	const size_t len = entry->fts_namelen;

	return entry->fts_info == FTS_F && len > 6 && !strcmp(entry->fts_name + len - 6, ".panic");
}

int main(int argc, char **argv)
{
	size_t recordings = 0, good = 0;
	FTSENT *entry;

	if (argc != 2)
		errx(EXIT_FAILURE, "usage: %s FOLDER", argv[0]);
	FTS *fts = fts_open(argv + 1, FTS_LOGICAL | FTS_NOCHDIR, NULL);

	if (!fts)
		err(EXIT_FAILURE, "%s", argv[1]);
	while ((entry = fts_read(fts))) {
		if (!is_crash(entry))
			continue;
		recordings++;
		good += play(entry->fts_path);
	}
	fts_close(fts);
	printf("%zu of %zu recordings end as in the kernel\n", good, recordings);
	return !recordings || good != recordings;
}
