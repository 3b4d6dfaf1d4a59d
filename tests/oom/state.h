/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a machine has, as text: VMAs, page tables, memtypes, memslots, stage 2. Pages of RAM are
 * told by what they are, not by their numbers: which page is free first depends on what was tried
 * before.
 */
#ifndef TESTS_OOM_STATE_H
#define TESTS_OOM_STATE_H

#include <mapsim/mapsim.h>

#include <stddef.h>

struct ms_machine;

/* What is told besides VMAs, memslots and where stage 2 has leaves. */
struct state_parts {
	bool host_pages; /* host page tables, what stage 2 does with their pages, dirty logs */
	bool memtypes;
	bool stage2; /* that leaves are there */
};
#define STATE_ALL ((struct state_parts){ true, true, true })
/* To be freed. */
char *state_of(struct ms_machine *m, struct state_parts parts);
/* Where two states differ first: the line of each, to be printed. */
void state_difference(const char *a, const char *b, char *text, size_t size);

#endif
