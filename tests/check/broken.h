/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Machines that are broken on purpose: some bytes of their inside are overwritten, the check must
 * say so in words, and once the bytes are back it must find nothing.
 */
#ifndef TESTS_CHECK_BROKEN_H
#define TESTS_CHECK_BROKEN_H

#include "core/core.h"

#include <mapsim/mapsim.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../kernels.h"

static inline void assert_whole(const struct ms_machine *m)
{
	assert_int_equal(ms_machine_check(m, stderr), 0);
}

/* What is broken is told in lines, one of which has these words. */
static inline void assert_found(const struct ms_machine *m, const char *words)
{
	char *text = NULL;
	size_t size, found;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	found = ms_machine_check(m, out);
	fclose(out);
	assert_true(found > 0);
	if (!strstr(text, words))
		print_error("expected \"%s\" in:\n%s", words, text);
	assert_non_null(strstr(text, words));
	free(text);
	assert_int_equal(ms_machine_check(m, NULL), found);
}

static inline void breaks(const struct ms_machine *m, const void *where, const void *value,
			  size_t size, const char *words)
{
	void *at = (void *)(uintptr_t)where;
	char before[16];

	assert_true(size <= sizeof(before));
	assert_whole(m);
	memcpy(before, at, size);
	memcpy(at, value, size);
	assert_found(m, words);
	memcpy(at, before, size);
	assert_whole(m);
}

static inline void breaks_u64(const struct ms_machine *m, const uint64_t *at, uint64_t value,
			      const char *words)
{
	breaks(m, at, &value, sizeof(value), words);
}

static inline void breaks_u32(const struct ms_machine *m, const uint32_t *at, uint32_t value,
			      const char *words)
{
	breaks(m, at, &value, sizeof(value), words);
}

static inline void breaks_u8(const struct ms_machine *m, const uint8_t *at, unsigned int value,
			     const char *words)
{
	uint8_t byte = (uint8_t)value;

	breaks(m, at, &byte, sizeof(byte), words);
}

static inline void breaks_bool(const struct ms_machine *m, const bool *at, bool value,
			       const char *words)
{
	breaks(m, at, &value, sizeof(value), words);
}

/* at: of a pointer */
static inline void breaks_pointer(const struct ms_machine *m, const void *at, const void *value,
				  const char *words)
{
	breaks(m, at, &value, sizeof(value), words);
}

#endif
