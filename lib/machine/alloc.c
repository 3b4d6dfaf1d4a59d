/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The allocator of a machine: every allocation is counted, and any one of them can be made to fail.
 */
#include "machine/internal.h"

#include <stdlib.h>

void *ms_zalloc(struct ms_machine *m, size_t size)
{
	return ms_calloc(m, 1, size);
}

void *ms_calloc(struct ms_machine *m, size_t n, size_t size)
{
	size_t bytes;
	void *p;

	if (!ms_alloc_allowed(m) || __builtin_mul_overflow(n, size, &bytes))
		return NULL;
	p = calloc(1, bytes ? bytes : 1);
	if (p)
		m->live++;
	return p;
}

void *ms_zalloc_aligned(struct ms_machine *m, size_t align, size_t size)
{
	void *p = NULL;

	if (!ms_alloc_allowed(m))
		return NULL;
	if (posix_memalign(&p, align < sizeof(p) ? sizeof(p) : align, size ? size : 1))
		return NULL;
	memset(p, 0, size);
	m->live++;
	return p;
}

void *ms_reallocarray(struct ms_machine *m, void *p, size_t n, size_t size)
{
	size_t bytes;
	void *grown;

	if (!ms_alloc_allowed(m) || __builtin_mul_overflow(n, size, &bytes))
		return NULL;
	grown = realloc(p, bytes ? bytes : 1);
	if (grown && !p)
		m->live++;
	return grown;
}

char *ms_strdup(struct ms_machine *m, const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = ms_calloc(m, 1, size);

	if (copy)
		memcpy(copy, s, size);
	return copy;
}

void ms_free(struct ms_machine *m, void *p)
{
	if (!p)
		return;
	m->live--;
	free(p);
}

void ms_machine_fail_alloc(struct ms_machine *m, uint64_t n)
{
	if (m)
		m->fail_at = n ? m->allocs + n : 0;
}

uint64_t ms_machine_allocs(const struct ms_machine *m)
{
	return m ? m->allocs : 0;
}
