/* SPDX-License-Identifier: GPL-2.0-only */
/* The machines of the physical memory tests. */
#ifndef TESTS_PHYS_WORLD_H
#define TESTS_PHYS_WORLD_H

#include "phys/internal.h"

#include <mapsim/policy.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static inline struct ms_machine *machine_of(enum ms_arch arch)
{
	struct ms_machine *m = ms_machine_new(ms_policy_linux("6.12.107", arch));

	assert_non_null(m);
	return m;
}

static inline int setup_arm64(void **state)
{
	*state = machine_of(MS_ARCH_ARM64);
	return 0;
}

static inline int setup_x86(void **state)
{
	*state = machine_of(MS_ARCH_X86_64);
	return 0;
}

static inline int teardown(void **state)
{
	ms_machine_free(*state);
	return 0;
}

#define ARM64(test) cmocka_unit_test_setup_teardown(test, setup_arm64, teardown)
#define X86(test) cmocka_unit_test_setup_teardown(test, setup_x86, teardown)

#endif
