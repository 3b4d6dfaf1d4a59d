/* SPDX-License-Identifier: GPL-2.0-only */
/* What the check of scripts and the search for them share. */
#ifndef MAPSIM_TEST_WITNESSES_H
#define MAPSIM_TEST_WITNESSES_H

#include <mapsim/script.h>

/* Two values of a rule that kernels of the architecture have. */
struct pair {
	enum ms_arch arch;
	size_t rule;
	int value[2]; /* the smaller first */
};

void for_each_pair(void (*fn)(const struct pair *pair, void *arg), void *arg);
/* The name of its script: ARCH/RULE.VALUE.VALUE.ms in the folder. */
void path_of(const struct pair *pair, const char *folder, char *path, size_t size);
/* NULL: there is no such file. What cannot be read ends the program. */
struct ms_script *read_script(const char *path);
void set_rule(struct ms_script *script, size_t rule, int value);
/* Whether the answers to the operations that `keep` has (NULL: to all) differ with the two. */
bool tells_apart(struct ms_script *script, const bool *keep, const struct pair *pair);

/* Looks for scripts for pairs that have none in the recordings named. */
int find(const char *folder, const char *const *paths, size_t nr_paths);

#endif
