/* SPDX-License-Identifier: GPL-2.0-only */
/* The counting allocator, on an arena. */
#include "base/alloc.h"

#include "base/arena.h"

#include <string.h>

#define ALIGN 16u /* of what is not asked for with another alignment: as malloc's */

void *ms_zalloc(struct ms_alloc *a, size_t size)
{
	return ms_zalloc_aligned(a, ALIGN, size);
}

void *ms_calloc(struct ms_alloc *a, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		bytes = SIZE_MAX;
	return ms_zalloc(a, bytes);
}

void *ms_zalloc_aligned(struct ms_alloc *a, size_t align, size_t size)
{
	void *p = ms_alloc_allowed(a) ? ms_arena_get(a->arena, align, size) : NULL;

	a->live += !!p;
	return p;
}

void *ms_reallocarray(struct ms_alloc *a, void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		bytes = SIZE_MAX;
	if (!p)
		return ms_zalloc(a, bytes);
	return ms_alloc_allowed(a) ? ms_arena_resize(a->arena, p, ALIGN, bytes) : NULL;
}

char *ms_strdup(struct ms_alloc *a, const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = ms_calloc(a, 1, size);

	if (copy)
		memcpy(copy, s, size);
	return copy;
}

void ms_free(struct ms_alloc *a, void *p)
{
	if (!p)
		return;
	a->live--;
	ms_arena_put(a->arena, p);
}
