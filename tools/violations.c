/* SPDX-License-Identifier: GPL-2.0-only */
/* Finds the operations of a script at which the kernel would BUG or WARN, or should have. */
#define _GNU_SOURCE /* program_invocation_short_name */
#include "tool.h"

#include <mapsim/machine.h>

#include <err.h>
#include <errno.h>
#include <stdlib.h>

/* Prints the violations of the operation that was carried out last. line 0: of the script's end. */
static void report(const struct ms_machine *m, const char *path, uint64_t line)
{
	const struct ms_event *ev;

	for (size_t i = 0; (ev = ms_violation_get(m, i)); i++) {
		fprintf(stderr, "%s: %s: ", program_invocation_short_name, path);
		if (line)
			fprintf(stderr, "line %llu: ", (unsigned long long)line);
		else
			fprintf(stderr, "at the end: ");
		ms_event_print(m, ev, stderr);
	}
}

int report_violations(const struct ms_script *script, const char *path)
{
	struct ms_script_error err;
	struct ms_player *player = ms_player_new(script, &err);
	const struct ms_machine *m = ms_player_machine(player);
	const char *answer = "";

	if (!player) {
		script_warn(path, &err);
		return EXIT_TROUBLE;
	}
	for (size_t i = 0; answer && i < ms_script_nr_ops(script); i++) {
		answer = ms_player_step(player, i);
		report(m, path, ms_script_get_op(script, i).line);
	}
	if (answer) {
		answer = ms_player_end(player);
		report(m, path, 0);
	}
	int code = !answer ? EXIT_TROUBLE : ms_violations(m) ? EXIT_VIOLATION : EXIT_DONE;
	if (!answer)
		warnx("%s: no memory", path);
	ms_player_free(player);
	return code;
}
