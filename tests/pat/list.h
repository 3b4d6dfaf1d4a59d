/* SPDX-License-Identifier: GPL-2.0-only */
/* The list of memory types, as tests ask for it. cmocka.h comes before. */
#ifndef TESTS_PAT_LIST_H
#define TESTS_PAT_LIST_H

#include <mapsim/pat.h>

static inline void assert_entry(struct ms_machine *m, size_t i, ms_pa_t start, ms_pa_t end,
				enum ms_cache type)
{
	struct ms_memtype e;

	assert_true(ms_memtype_get(m, i, &e));
	assert_int_equal(e.start, start);
	assert_int_equal(e.end, end);
	assert_int_equal(e.type, type);
}

static inline size_t memtypes(const struct ms_machine *m)
{
	struct ms_memtype e;
	size_t n = 0;

	while (ms_memtype_get(m, n, &e))
		n++;
	return n;
}

#endif
