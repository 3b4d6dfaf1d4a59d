/* SPDX-License-Identifier: GPL-2.0-only */
/* Recordings found under paths, read one after the other. */
#ifndef TESTS_CHECK_FILES_H
#define TESTS_CHECK_FILES_H

#include <mapsim/mapsim.h>

#include <err.h>
#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>

typedef void recording_fn(const struct ms_script *script, const char *path, void *arg);

static inline int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static inline struct ms_script *read_recording(const char *path)
{
	struct ms_script_error error;
	struct ms_script *script;
	FILE *in = fopen(path, "r");

	if (!in)
		err(EXIT_FAILURE, "%s", path);
	script = ms_script_read(in, NULL, &error);
	if (!script)
		errx(EXIT_FAILURE, "%s: line %llu: %s", path, (unsigned long long)error.line,
		     error.what);
	fclose(in);
	return script;
}

/* Calls fn for each recording under the paths (NULL-ended), by name. */
static inline void for_each_recording(char **paths, recording_fn *fn, void *arg)
{
	FTS *fts = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
	FTSENT *entry;

	if (!fts)
		err(EXIT_FAILURE, "fts_open");
	while ((entry = fts_read(fts))) {
		struct ms_script *script;

		if (entry->fts_info != FTS_F || entry->fts_namelen < 4 ||
		    strcmp(entry->fts_name + entry->fts_namelen - 4, ".rec"))
			continue;
		script = read_recording(entry->fts_path);
		fn(script, entry->fts_path, arg);
		ms_script_free(script);
	}
	fts_close(fts);
}

#endif
