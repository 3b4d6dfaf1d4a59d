/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The list of recordings that the model is known to answer otherwise than the kernel.
 *
 *     NAME: ARCH/KERNEL ARCH/KERNEL...: what is missing
 *
 * A line starting with # is a comment. KERNEL is written as the folder of the recordings:
 * "6.12.117", "6.12.117-16k".
 */
#ifndef MAPSIM_KNOWN_H
#define MAPSIM_KNOWN_H

#include <stdbool.h>
#include <stddef.h>

/* One recording of one kernel. */
struct known {
	char *name, *kernel, *reason;
};

struct known_list {
	struct known *entries;
	size_t count, capacity;
};

/* 0; -1 after a message. */
int known_read(struct known_list *list, const char *path);
/* reason may be NULL. -1: no memory. */
int known_add(struct known_list *list, const char *name, const char *kernel, const char *reason);
const struct known *known_find(const struct known_list *list, const char *name, const char *kernel);
/* Prints `found` as such a file; reasons are those of `list` where it has them. */
void known_print(struct known_list *found, const struct known_list *list);
void known_free(struct known_list *list);

#endif
