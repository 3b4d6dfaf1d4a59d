/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory, counted: every request has a number, and any one of them can be made to fail. What is
 * made here is freed here.
 */
#ifndef MS_BASE_ALLOC_H
#define MS_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ms_arena;

struct ms_alloc {
	struct ms_arena *arena; /* where the memory is from */
	uint64_t allocs;        /* requests so far, failed ones included */
	uint64_t fail_at;       /* the value of `allocs` at which one fails; 0: none */
	uint64_t live;          /* allocations that are not freed */
};

/* Counts a request; false: it is the one that shall fail. */
static inline bool ms_alloc_allowed(struct ms_alloc *a)
{
	if (++a->allocs != a->fail_at)
		return true;
	a->fail_at = 0;
	return false;
}
/* Zeroed memory; NULL: none. */
void *ms_zalloc(struct ms_alloc *a, size_t size);
/* The same, aligned to `align` (a power of two). */
void *ms_zalloc_aligned(struct ms_alloc *a, size_t align, size_t size);
/* Array of n zeroed elements; NULL also when n * size overflows. */
void *ms_calloc(struct ms_alloc *a, size_t n, size_t size);
/* Grows or shrinks an array, which no function above has made, to n elements; those that an array
 * of p NULL begins with are zeroed, later ones are not. NULL: no memory, and p stays. */
void *ms_reallocarray(struct ms_alloc *a, void *p, size_t n, size_t size);
char *ms_strdup(struct ms_alloc *a, const char *s);
/* NULL is allowed. */
void ms_free(struct ms_alloc *a, void *p);

#endif
