/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The smallest world for tests of a process: a machine of a kernel, 1 GiB of RAM at 1 GiB, one mm.
 */
#ifndef TEST_MM_WORLD_H
#define TEST_MM_WORLD_H

#include <mapsim/check.h>
#include <mapsim/machine.h>
#include <mapsim/mm.h>
#include <mapsim/pfnmap.h>
#include <mapsim/phys.h>
#include <mapsim/policy.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../kernels.h"

#define A UINT64_C(0x200000000000)
#define PAGE UINT64_C(0x1000)

struct world {
	struct ms_machine *m;
	struct ms_mm *mm;
};

/* 1 GiB of RAM and one mm on a machine as configured; every event is kept. */
static inline struct world world_config(const struct ms_policy *policy,
					const struct ms_machine_config *config)
{
	struct world w = { .m = ms_machine_new_config(policy, config) };

	assert_non_null(w.m);
	assert_int_equal(ms_ram_add(w.m, MS_1G, MS_1G), 0);
	w.mm = ms_mm_new(w.m);
	assert_non_null(w.mm);
	ms_trace_keep(w.m, UINT32_MAX);
	return w;
}

static inline struct world world_thp(const char *release, enum ms_arch arch, enum ms_thp_mode thp)
{
	struct ms_machine_config config = { .thp = thp };

	return world_config(ms_policy_linux(release, arch), &config);
}

/* arm64, pages only */
static inline struct world world(const char *release)
{
	return world_thp(release, MS_ARCH_ARM64, MS_THP_NEVER);
}

/* The first recorded arm64 kernel that has a value of a rule, pages only. */
static inline struct world world_where(const char *rule, const char *value)
{
	return world(kernel_where(MS_ARCH_ARM64, rule, value)->release);
}

/* arm64, huge pages */
static inline struct world world_huge(const char *release)
{
	return world_thp(release, MS_ARCH_ARM64, MS_THP_ALWAYS);
}

static inline void world_end(struct world *w)
{
	assert_int_equal(ms_machine_check(w->m, stderr), 0);
	ms_machine_free(w->m);
}

static inline int64_t map_anon(struct world *w, ms_hva_t addr, uint64_t len, unsigned int prot)
{
	return ms_mmap(w->mm, addr, len, prot,
		       MS_MAP_PRIVATE | MS_MAP_FIXED_NOREPLACE | MS_MAP_ANONYMOUS, NULL, 0);
}

/* The n-th kept event of a type, counted from 0; NULL: none. */
static inline const struct ms_event *event(const struct world *w, enum ms_event_type type, size_t n)
{
	for (size_t i = 0; i < ms_trace_len(w->m); i++) {
		const struct ms_event *ev = ms_trace_get(w->m, i);

		if (ev->type == type && n-- == 0)
			return ev;
	}
	return NULL;
}

static inline void assert_event(const struct world *w, enum ms_event_type type, size_t n,
				uint64_t addr, uint64_t size)
{
	const struct ms_event *ev = event(w, type, n);

	assert_non_null(ev);
	assert_int_equal(ev->addr, addr);
	assert_int_equal(ev->size, size);
}

static inline void assert_vma(const struct world *w, ms_hva_t start, ms_hva_t end)
{
	const struct ms_vma *vma = ms_vma_lookup(w->mm, start);

	assert_non_null(vma);
	assert_int_equal(vma->vm_start, start);
	assert_int_equal(vma->vm_end, end);
}

static inline bool present(const struct world *w, ms_hva_t addr)
{
	struct ms_host_leaf leaf;

	return ms_host_leaf(w->mm, addr, &leaf);
}

#endif
