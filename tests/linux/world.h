/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests of linux.h share. Include it first: linux.h wants to be. */
#ifndef TESTS_LINUX_WORLD_H
#define TESTS_LINUX_WORLD_H

#include <mapsim/linux.h>

#include <mapsim/check.h>
#include <mapsim/drivers.h>
#include <mapsim/pat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "../kernels.h"

#define A 0x7e0000000000ul
#define BAR 0xfd000000ul /* below 4G: the MTRRs say UC */
#define BAR_PAGES 16ul
#define RAM 0x40000000ul
#define LARGE_BAR 0x4000000000ul /* arm64_world() */

struct world {
	struct ms_machine *m;
	struct mm_struct *mm;
};

/* A machine with 16M of RAM, a BAR and a process; its driver code is this thread's. */
static inline struct world world_of(const struct ms_policy *policy)
{
	struct world w = { .m = ms_machine_new(policy) };

	assert_non_null(w.m);
	assert_int_equal(ms_ram_add(w.m, RAM, 16 << 20), 0);
	assert_non_null(ms_device_add(w.m, "bar", BAR, BAR_PAGES * PAGE_SIZE));
	w.mm = ms_mm_new(w.m);
	assert_non_null(w.mm);
	ms_linux_use(w.m);
	return w;
}

static inline struct world world(const char *release)
{
	return world_of(ms_policy_linux(release, MS_ARCH_X86_64));
}

/* With a BAR of 1G beside the other. */
static inline struct world arm64_world(const char *release)
{
	struct world w = world_of(ms_policy_linux(release, MS_ARCH_ARM64));

	assert_non_null(ms_device_add(w.m, "large", LARGE_BAR, SZ_1G));
	return w;
}

static inline void world_end(struct world *w)
{
	ms_linux_use(NULL);
	assert_int_equal(ms_machine_check(w->m, stderr), 0);
	ms_machine_free(w->m);
}

/* A shared mapping of npages of the file, from its start on, at `at`. */
static inline int64_t map(struct world *w, unsigned long at, unsigned long npages,
			  struct file *file)
{
	return ms_mmap(w->mm, at, npages * PAGE_SIZE, MS_PROT_RW,
		       MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE, file, 0);
}

/* Physical address that `at` is mapped to, 0: none. */
static inline ms_pa_t pa_of(const struct world *w, unsigned long at)
{
	struct ms_host_leaf leaf;

	if (!ms_host_leaf(w->mm, at, &leaf))
		return 0;
	return (leaf.entry & MS_PTE_PA_MASK) + (at - leaf.start);
}

/* The text of the i-th violation, "" where there is none. */
static inline const char *violation(const struct world *w, size_t i)
{
	const struct ms_event *ev = ms_violation_get(w->m, i);

	return ev ? ev->reason : "";
}

static inline void assert_violated(const struct world *w, size_t i, const char *text, uint64_t addr,
				   ms_pa_t pa)
{
	const struct ms_event *ev = ms_violation_get(w->m, i);

	assert_non_null(ev);
	assert_string_equal(ev->reason, text);
	assert_int_equal(ev->addr, addr);
	assert_int_equal(ev->pa, pa);
}

/* The text of the last message, "" where there is none. */
static inline const char *last_log(const struct world *w)
{
	const struct ms_event *ev = ms_trace_last(w->m, MS_EV_LOG);

	return ev ? ev->reason : "";
}

#endif
