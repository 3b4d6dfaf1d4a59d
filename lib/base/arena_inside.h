/* SPDX-License-Identifier: GPL-2.0-only */
/* What segment.c, arena.c and arena_copy.c know of an arena. */
#ifndef MS_BASE_ARENA_INSIDE_H
#define MS_BASE_ARENA_INSIDE_H

#include "base/align.h"
#include "base/arena.h"
#include "base/poison.h"

#define MS_ARENA_PAGE ((size_t)4096)
/* The first segment, of malloc. glibc takes the first such piece from the kernel, and keeps later
 * ones at hand once that one has been freed. */
#define MS_ARENA_FIRST ((size_t)248 << 10)
#define MS_ARENA_PIECE ((size_t)128) /* a copy is made of such pieces */
#define MS_ARENA_BINS 25u            /* of free runs: by the logarithm of their pages */
#define MS_ARENA_CLASSES 96u         /* sizes of blocks */

/* Of the first and of the last page of a run that was got, or of one that was freed. */
struct ms_run {
	uint32_t pages;
	bool is_free;
	uint32_t next, prev; /* the first pages of free runs of the same bin; 0: none */
};

/* A range of addresses with runs in it. */
struct ms_segment {
	char *low, *high;     /* what is reserved; NULL: nothing */
	char *base, *limit;   /* where pages can be */
	char *runs_low, *end; /* what is memory: struct ms_run downwards from base, pages upwards */
	char *top;            /* runs lie below it */
	char *written;        /* from here on every byte is 0 */
	uint32_t bins;        /* bit n: there is a free run in bin n */
	uint32_t bin[MS_ARENA_BINS];
};

/* It lies at the beginning of its first segment's memory. */
struct ms_arena {
	void *memory;                 /* of malloc: the first segment */
	struct ms_segment segment[2]; /* small and at hand; large */
	char *next, *next_end;        /* what is left of the latest span: blocks are cut off it */
	/* The first free block of each size, those of a cache line's alignment apart; NULL: none */
	void *block[2][MS_ARENA_CLASSES];
};

static inline struct ms_run *ms_segment_run(const struct ms_segment *s, size_t page)
{
	return (struct ms_run *)s->base - 1 - page;
}

/* [start, end) is memory, and all that the segment will ever be. */
void ms_segment_init_small(struct ms_segment *s, char *start, char *end);
/* Reserves what MS_ARENA_MAX says, or less. false: nothing can be had. */
bool ms_segment_reserve(struct ms_segment *s);
void ms_segment_unreserve(struct ms_segment *s);
/* Pages at an aligned address (align: at least a page), poisoned and of any content. NULL: none. */
char *ms_segment_get(struct ms_segment *s, size_t align, size_t pages);
/* Of p on, so many bytes may be other than 0 from now on. */
void ms_segment_wrote(struct ms_segment *s, char *p, size_t size);
void ms_segment_put(struct ms_segment *s, char *p, size_t pages);
/* The run stays where it is. false: it cannot, and nothing has changed. */
bool ms_segment_resize(struct ms_segment *s, char *p, size_t pages);

#endif
