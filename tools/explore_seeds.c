/* SPDX-License-Identifier: GPL-2.0-only */
/* The worlds and scripts in which mapsim explore --diff searches. */
#define _GNU_SOURCE /* asprintf */
#include "explore_diff.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int no_memory(void)
{
	warnx("no memory");
	return EXIT_TROUBLE;
}

static int add_world(struct diff *d, const char *path)
{
	struct ms_world **more = realloc(d->world, (d->nr_worlds + 1) * sizeof(struct ms_world *));

	if (!more)
		return no_memory();
	d->world = more;
	char **paths = realloc(d->world_path, (d->nr_worlds + 1) * sizeof(char *));
	if (!paths)
		return no_memory();
	d->world_path = paths;
	d->world[d->nr_worlds] = read_world(path);
	if (!d->world[d->nr_worlds])
		return EXIT_TROUBLE;
	d->world_path[d->nr_worlds] = strdup(path);
	return d->world_path[d->nr_worlds++] ? 0 : no_memory();
}

static int add_script(struct diff *d, const char *path)
{
	struct ms_script *own = read_script(path, NULL);

	if (!own)
		return EXIT_TROUBLE;
	struct seed s = { .arch = ms_script_arch(own) };
	ms_script_free(own);
	if (!d->policy[s.arch][0])
		return 0;
	struct seed *more = realloc(d->seeds.seed, (d->seeds.nr + 1) * sizeof(s));
	if (!more)
		return no_memory();
	d->seeds.seed = more;
	s.path = strdup(path);
	for (int i = 0; s.path && i < 2; i++) {
		const struct ms_script_kernel kernel = { d->release[i], NULL };

		s.script[i] = read_script(path, &kernel);
	}
	d->seeds.seed[d->seeds.nr++] = s;
	return !s.path ? no_memory() : s.script[0] && s.script[1] ? 0 : EXIT_TROUBLE;
}

static bool ends(const char *path, const char *end)
{
	const size_t len = strlen(path), n = strlen(end);

	return len > n && !strcmp(path + len - n, end);
}

/* What of a folder's is read; other files, as a list of what is there, are not. */
static int is_read(const struct dirent *entry)
{
	return entry->d_name[0] != '.' &&
	       (!strchr(entry->d_name, '.') || ends(entry->d_name, ".ms") ||
		ends(entry->d_name, ".rec") || ends(entry->d_name, ".world"));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int one_path(struct diff *d, const char *path, bool named);

static int add_folder(struct diff *d, const char *path)
{
	struct dirent **entry;
	int code = 0, n = scandir(path, &entry, is_read, by_name);

	if (n < 0) {
		warn("%s", path);
		return EXIT_TROUBLE;
	}
	for (int i = 0; i < n; i++) {
		char *inside = NULL;

		if (!code && asprintf(&inside, "%s/%s", path, entry[i]->d_name) < 0) {
			inside = NULL;
			code = no_memory();
		}
		if (!code)
			code = one_path(d, inside, false);
		free(inside);
		free(entry[i]);
	}
	free(entry);
	return code;
}

/* Whatever the command line names is read; in a folder a name tells what is. */
static int one_path(struct diff *d, const char *path, bool named)
{
	struct stat s;

	if (stat(path, &s)) {
		warn("%s", path);
		return EXIT_TROUBLE;
	}
	if (S_ISDIR(s.st_mode))
		return add_folder(d, path);
	if (ends(path, ".ms") || ends(path, ".rec"))
		return add_script(d, path);
	return named || ends(path, ".world") ? add_world(d, path) : 0;
}

int diff_read(struct diff *d, const char *path)
{
	return one_path(d, path, true);
}

void diff_free(struct diff *d)
{
	for (size_t i = 0; i < d->seeds.nr; i++) {
		free(d->seeds.seed[i].path);
		ms_script_free(d->seeds.seed[i].script[0]);
		ms_script_free(d->seeds.seed[i].script[1]);
	}
	free(d->seeds.seed);
	for (size_t i = 0; i < d->nr_worlds; i++) {
		ms_world_free(d->world[i]);
		free(d->world_path[i]);
	}
	free(d->world);
	free(d->world_path);
}
