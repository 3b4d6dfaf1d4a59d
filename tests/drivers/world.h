/* SPDX-License-Identifier: GPL-2.0-only */
/* What the drivers' tests share: cmocka, two BARs, and the trace as text. */
#ifndef TESTS_DRIVERS_WORLD_H
#define TESTS_DRIVERS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <mapsim/check.h>
#include <mapsim/drivers.h>
#include <mapsim/machine.h>
#include <mapsim/mm.h>
#include <mapsim/pat.h>
#include <mapsim/pfnmap.h>
#include <mapsim/phys.h>
#include <mapsim/policy.h>
#include <mapsim/trace.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../kernels.h"
#include "../pat/list.h"

#define A UINT64_C(0x7e0000000000)
#define B_PA UINT64_C(0xfd000000) /* four pages, below 4G: MTRR UC */
#define B_SIZE UINT64_C(0x4000)
#define H_PA UINT64_C(0x4000000000) /* 2G, naturally aligned, above 4G: MTRR WB */
#define H_SIZE UINT64_C(0x80000000)

static inline struct ms_machine *machine(const char *release, enum ms_arch arch)
{
	struct ms_machine *m = ms_machine_new(ms_policy_linux(release, arch));

	assert_non_null(m);
	return m;
}

static inline void machine_end(struct ms_machine *m)
{
	assert_int_equal(ms_machine_check(m, stderr), 0);
	ms_machine_free(m);
}

static inline struct ms_device *bar_b(struct ms_machine *m)
{
	struct ms_device *b = ms_device_add(m, "b", B_PA, B_SIZE);

	assert_non_null(b);
	return b;
}

static inline struct ms_device *bar_h(struct ms_machine *m)
{
	struct ms_device *h = ms_device_add(m, "h", H_PA, H_SIZE);

	assert_non_null(h);
	return h;
}

static inline int64_t map(struct ms_mm *mm, uint64_t at, uint64_t len, struct ms_file *file,
			  uint64_t off)
{
	return ms_mmap(mm, at, len, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, file, off);
}

/* Pages of [start, end) that are present. */
static inline uint64_t present(const struct ms_mm *mm, uint64_t start, uint64_t end)
{
	struct ms_host_leaf leaf;
	uint64_t n = 0;

	while (start < end && ms_host_next_leaf(mm, start, end, &leaf)) {
		uint64_t from = leaf.start > start ? leaf.start : start;
		uint64_t to = leaf.start + leaf.size < end ? leaf.start + leaf.size : end;

		n += (to - from) / MS_4K;
		start = to;
	}
	return n;
}

static inline uint64_t leaf_size(const struct ms_mm *mm, uint64_t addr)
{
	struct ms_host_leaf leaf;

	return ms_host_leaf(mm, addr, &leaf) ? leaf.size : 0;
}

static inline uint64_t leaf_pa(const struct ms_mm *mm, uint64_t addr)
{
	struct ms_host_leaf leaf;

	if (!ms_host_leaf(mm, addr, &leaf))
		return 0;
	return (leaf.entry & MS_PTE_PA_MASK) + (addr - leaf.start);
}

static inline enum ms_cache leaf_cache(const struct ms_mm *mm, uint64_t addr)
{
	struct ms_host_leaf leaf;

	assert_true(ms_host_leaf(mm, addr, &leaf));
	return ms_pgprot_cache(leaf.entry);
}

/*
 * The kept events of memory types, zaps and notifiers since the last call, one word and two numbers
 * each: "reserve START END;", "free START END;", "untrack VA MM;", "zap VA SIZE;",
 * "notify VA SIZE;".
 */
static inline const char *events(struct ms_machine *m, char *buf, size_t size)
{
	size_t len = 0;

	buf[0] = 0;
	for (size_t i = 0; i < ms_trace_len(m) && len < size; i++) {
		const struct ms_event *ev = ms_trace_get(m, i);
		const char *word = NULL;
		uint64_t second = ev->size;

		switch (ev->type) {
		case MS_EV_ZAP:
			word = "zap";
			break;
		case MS_EV_PAT_RESERVE:
			word = "reserve";
			second += ev->addr;
			break;
		case MS_EV_PAT_FREE:
			word = "free";
			second += ev->addr;
			break;
		case MS_EV_PAT_UNTRACK:
			word = "untrack";
			second = ev->mm;
			break;
		case MS_EV_NOTIFIER_START:
			word = "notify";
			break;
		default:
			break;
		}
		if (word)
			len += (size_t)snprintf(buf + len, size - len,
						"%s %" PRIx64 " %" PRIx64 ";", word, ev->addr,
						second);
	}
	ms_trace_clear(m);
	return buf;
}

#define EVENTS(m) events(m, (char[1024]){ 0 }, 1024)

#endif
