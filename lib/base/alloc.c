/* SPDX-License-Identifier: GPL-2.0-only */
/* The counting allocator, on malloc. */
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

void *ms_zalloc(struct ms_alloc *a, size_t size)
{
	return ms_calloc(a, 1, size);
}

void *ms_calloc(struct ms_alloc *a, size_t n, size_t size)
{
	size_t bytes;
	void *p;

	if (!ms_alloc_allowed(a) || __builtin_mul_overflow(n, size, &bytes))
		return NULL;
	p = calloc(1, bytes ? bytes : 1);
	if (p)
		a->live++;
	return p;
}

void *ms_zalloc_aligned(struct ms_alloc *a, size_t align, size_t size)
{
	void *p = NULL;

	if (!ms_alloc_allowed(a))
		return NULL;
	if (posix_memalign(&p, align < sizeof(p) ? sizeof(p) : align, size ? size : 1))
		return NULL;
	memset(p, 0, size);
	a->live++;
	return p;
}

void *ms_reallocarray(struct ms_alloc *a, void *p, size_t n, size_t size)
{
	size_t bytes;
	void *grown;

	if (!ms_alloc_allowed(a) || __builtin_mul_overflow(n, size, &bytes))
		return NULL;
	grown = realloc(p, bytes ? bytes : 1);
	if (grown && !p)
		a->live++;
	return grown;
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
	free(p);
}
