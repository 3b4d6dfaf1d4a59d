/* SPDX-License-Identifier: GPL-2.0-only */
#include "known.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define UNKNOWN_REASON "not looked into"

int known_add(struct known_list *list, const char *name, const char *kernel, const char *reason)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 64;
		struct known *entries = reallocarray(list->entries, capacity, sizeof(*entries));

		if (!entries)
			return -1;
		list->entries = entries;
		list->capacity = capacity;
	}
	struct known entry = { strdup(name), strdup(kernel),
			       strdup(reason ? reason : UNKNOWN_REASON) };
	list->entries[list->count++] = entry;
	return entry.name && entry.kernel && entry.reason ? 0 : -1;
}

const struct known *known_find(const struct known_list *list, const char *name, const char *kernel)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!strcmp(list->entries[i].name, name) &&
		    !strcmp(list->entries[i].kernel, kernel))
			return &list->entries[i];
	}
	return NULL;
}

/* "NAME: KERNEL KERNEL: reason", cut into its parts. */
static int add_line(struct known_list *list, char *line)
{
	char *kernels = strstr(line, ": ");
	char *reason = kernels ? strstr(kernels + 2, ": ") : NULL;
	char *rest = NULL;

	if (!reason || !reason[2])
		return -1;
	*kernels = *reason = '\0';
	for (char *k = strtok_r(kernels + 2, " ", &rest); k; k = strtok_r(NULL, " ", &rest)) {
		if (known_find(list, line, k) || known_add(list, line, k, reason + 2))
			return -1;
	}
	return 0;
}

#define MAX_LIST_SIZE (16l << 20) /* bytes */

/* Opens a list, which must be a regular file: a device may have no end. NULL after a message. */
static FILE *open_list(const char *path)
{
	FILE *in = fopen(path, "re");
	struct stat st;

	if (in && !fstat(fileno(in), &st) && S_ISREG(st.st_mode) && st.st_size <= MAX_LIST_SIZE)
		return in;
	if (!in)
		warn("%s", path);
	else
		warnx("%s: not a file of at most 16 MiB", path);
	if (in)
		fclose(in);
	return NULL;
}

int known_read(struct known_list *list, const char *path)
{
	FILE *in = open_list(path);
	char *line = NULL;
	size_t capacity = 0, number = 0;
	int ret = 0;

	if (!in)
		return -1;
	while (!ret && getline(&line, &capacity, in) >= 0) {
		number++;
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '#' && line[0] && add_line(list, line)) {
			warnx("%s: line %zu: not \"NAME: ARCH/KERNEL...: what is missing\", or twice",
			      path, number);
			ret = -1;
		}
	}
	free(line);
	fclose(in);
	return ret;
}

static int by_name_and_reason(const void *a, const void *b)
{
	const struct known *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (!order)
		order = strcmp(x->reason, y->reason);
	return order ? order : strcmp(x->kernel, y->kernel);
}

void known_print(struct known_list *found, const struct known_list *list)
{
	for (size_t i = 0; i < found->count; i++) {
		struct known *entry = &found->entries[i];
		const struct known *old = known_find(list, entry->name, entry->kernel);
		char *reason = old ? strdup(old->reason) : NULL;

		if (!reason)
			continue;
		free(entry->reason);
		entry->reason = reason;
	}
	if (found->count)
		qsort(found->entries, found->count, sizeof(*found->entries), by_name_and_reason);
	for (size_t i = 0; i < found->count; i++) {
		const struct known *entry = &found->entries[i], *next = entry + 1;
		bool first = !i || strcmp(entry[-1].name, entry->name) ||
			     strcmp(entry[-1].reason, entry->reason);
		bool last = i + 1 == found->count || strcmp(next->name, entry->name) ||
			    strcmp(next->reason, entry->reason);

		if (first)
			printf("%s:", entry->name);
		printf(" %s", entry->kernel);
		if (last)
			printf(": %s\n", entry->reason);
	}
}

void known_free(struct known_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->entries[i].name);
		free(list->entries[i].kernel);
		free(list->entries[i].reason);
	}
	free(list->entries);
}
