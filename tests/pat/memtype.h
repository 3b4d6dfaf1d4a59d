/* SPDX-License-Identifier: GPL-2.0-only */
/* A machine with memory types: devices below and above 4G, RAM, the ISA range. */
#ifndef TESTS_PAT_MEMTYPE_H
#define TESTS_PAT_MEMTYPE_H

#include <mapsim/check.h>
#include <mapsim/machine.h>
#include <mapsim/pat.h>
#include <mapsim/pfnmap.h>
#include <mapsim/phys.h>
#include <mapsim/policy.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "list.h"

#define LOW UINT64_C(0xfea00000)   /* a BAR below 4G: MTRR UC */
#define HIGH UINT64_C(0x180000000) /* a BAR above: MTRR WB */
#define RAM UINT64_C(0x200000)     /* inside of System RAM, which ends at RAM_END */
#define RAM_END UINT64_C(0x10000000)

static inline struct ms_machine *machine(const char *release, enum ms_feature pat)
{
	const struct ms_machine_config config = { .pat = pat };
	struct ms_machine *m =
		ms_machine_new_config(ms_policy_linux(release, MS_ARCH_X86_64), &config);

	assert_non_null(m);
	assert_int_equal(ms_ram_add(m, 0x1000, 0x9e000), 0);
	assert_int_equal(ms_ram_add(m, 0x100000, RAM_END - 0x100000), 0);
	assert_non_null(ms_device_add(m, "low", LOW, 0x100000));
	assert_non_null(ms_device_add(m, "high", HIGH, 0x100000));
	return m;
}

static inline int setup(void **state)
{
	*state = machine("6.12.107", MS_FEATURE_PRESENT);
	return 0;
}

/* Something was reserved in this device before: what is usual now goes a quicker way. */
static inline int setup_again(void **state)
{
	struct ms_machine *m;

	setup(state);
	m = *state;
	assert_int_equal(ms_memtype_reserve(m, HIGH + 0xf0000, HIGH + 0xf1000, MS_CACHE_WC, NULL),
			 0);
	assert_int_equal(ms_memtype_free(m, HIGH + 0xf0000, HIGH + 0xf1000), 0);
	ms_trace_clear(m);
	return 0;
}

static inline int setup_exact(void **state)
{
	*state = machine("7.2.13", MS_FEATURE_PRESENT);
	return 0;
}

static inline int setup_off(void **state)
{
	*state = machine("6.12.107", MS_FEATURE_ABSENT);
	return 0;
}

static inline int teardown(void **state)
{
	assert_int_equal(ms_machine_check(*state, stderr), 0);
	ms_machine_free(*state);
	return 0;
}

static inline void hold(struct ms_machine *m, ms_pa_t start, ms_pa_t end, enum ms_cache type)
{
	enum ms_cache got;

	assert_int_equal(ms_memtype_reserve(m, start, end, type, &got), 0);
	assert_int_equal(got, type);
}

static inline enum ms_cache granted(struct ms_machine *m, ms_pa_t start, ms_pa_t end,
				    enum ms_cache type)
{
	enum ms_cache got;

	assert_int_equal(ms_memtype_reserve(m, start, end, type, &got), 0);
	return got;
}

/* The last line of the kernel's log. */
static inline void assert_logged(const struct ms_machine *m, const char *line, ms_pa_t pa,
				 uint64_t size)
{
	const struct ms_event *ev = ms_trace_last(m, MS_EV_LOG);

	assert_non_null(ev);
	assert_string_equal(ev->reason, line);
	assert_int_equal(ev->addr, pa);
	assert_int_equal(ev->size, size);
}

#define RULE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define RULE_AGAIN(f) \
	{ \
#f " (again)", f, setup_again, teardown, NULL \
	}

#endif
