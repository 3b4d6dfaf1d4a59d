/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The list of known differences: recordings that the model does not answer as the kernel did.
 *
 *     NAME: ARCH/KERNEL ARCH/KERNEL...: what is missing
 *
 * A line that begins with # is a comment. KERNEL is written as the folder of the recordings:
 * "6.12.117", "6.12.117-16k".
 */
#ifndef MAPSIM_KNOWN_H
#define MAPSIM_KNOWN_H

#include <stdbool.h>
#include <stddef.h>

/* One recording of one kernel; `reason` is what is missing. */
struct known {
	char *name, *kernel, *reason;
};

struct known_list {
	struct known *entries;
	size_t count, capacity;
};

/* Reads a file into *list. 0, or -1 after a message. */
int known_read(struct known_list *list, const char *path);
/* Adds an entry. reason may be NULL: it is not known. 0, or -1: no memory. */
int known_add(struct known_list *list, const char *name, const char *kernel, const char *reason);
const struct known *known_find(const struct known_list *list, const char *name, const char *kernel);
/* Sorts `found` and prints it as such a file, with the reasons that `list` gives. */
void known_print(struct known_list *found, const struct known_list *list);
void known_free(struct known_list *list);

#endif
