/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of raw page frame numbers share: a machine with a BAR, a process, and a driver
 * file whose mmap does nothing, so that a test calls what it asks about itself.
 */
#ifndef TESTS_MM_PFNMAP_WORLD_H
#define TESTS_MM_PFNMAP_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <mapsim/check.h>
#include <mapsim/machine.h>
#include <mapsim/mm.h>
#include <mapsim/pat.h>
#include <mapsim/pfnmap.h>
#include <mapsim/phys.h>
#include <mapsim/policy.h>
#include <mapsim/trace.h>

#include "../kernels.h"
#include "mm/internal.h"

#include <errno.h>
#include <string.h>

#define A UINT64_C(0x200000000000)
#define PAGE UINT64_C(0x1000)
#define BAR UINT64_C(0x8000000000) /* 4G, naturally aligned */
#define BAR_PFN (BAR >> 12)
#define RAM UINT64_C(0x40000000)

#define PFNMAP_FLAGS (MS_VM_IO | MS_VM_PFNMAP | MS_VM_DONTEXPAND | MS_VM_DONTDUMP)

struct world {
	struct ms_machine *m;
	struct ms_mm *mm;
	struct ms_file *file;
};

static inline int mmap_nothing(struct ms_file *file, struct ms_vma *vma)
{
	static const struct ms_vm_ops none = { .open = NULL };

	vma->vm_ops = &none;
	return 0;
}

static inline struct world world_of(const char *release, enum ms_arch arch,
				    const struct ms_file_ops *ops)
{
	struct world w = { .m = ms_machine_new(ms_policy_linux(release, arch)) };

	assert_non_null(w.m);
	assert_int_equal(ms_ram_add(w.m, RAM, MS_1G), 0);
	assert_non_null(ms_device_add(w.m, "bar", BAR, 4 * MS_1G));
	w.mm = ms_mm_new(w.m);
	assert_non_null(w.mm);
	w.file = ms_file_new(w.m, ops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, NULL);
	assert_non_null(w.file);
	ms_trace_keep(w.m, UINT32_MAX);
	return w;
}

static inline struct world world(const char *release, enum ms_arch arch)
{
	static const struct ms_file_ops ops = { .name = "plain", .mmap = mmap_nothing };

	return world_of(release, arch, &ops);
}

static inline void world_end(struct world *w)
{
	assert_int_equal(ms_machine_check(w->m, stderr), 0);
	ms_machine_free(w->m);
}

/* A VMA [at, at + npages) of the file from its page `pgoff` on; flags: more VM_ flags. */
static inline struct ms_vma *map_at(struct world *w, ms_hva_t at, uint64_t npages, uint64_t pgoff,
				    unsigned int kind, uint64_t flags)
{
	struct ms_vma *vma;

	assert_int_equal(ms_mmap(w->mm, at, npages * PAGE, MS_PROT_RW,
				 kind | MS_MAP_FIXED_NOREPLACE, w->file, pgoff * PAGE),
			 at);
	vma = ms_vma_lookup(w->mm, at);
	assert_non_null(vma);
	vma->vm_flags |= flags;
	return vma;
}

static inline struct ms_vma *map_shared(struct world *w, uint64_t npages, uint64_t flags)
{
	return map_at(w, A, npages, 0, MS_MAP_SHARED, flags);
}

static inline struct ms_vma *map_private(struct world *w, uint64_t npages, uint64_t flags)
{
	return map_at(w, A, npages, 0, MS_MAP_PRIVATE, flags);
}

/* The entry that translates addr, 0: none; of the size expected. */
static inline uint64_t entry_at(const struct world *w, ms_hva_t addr, uint64_t size)
{
	struct ms_host_leaf leaf;

	if (!ms_host_leaf(w->mm, addr, &leaf))
		return 0;
	assert_int_equal(leaf.size, size);
	return leaf.entry;
}

static inline ms_pa_t pa_at(const struct world *w, ms_hva_t addr)
{
	return entry_at(w, addr, PAGE) & MS_PTE_PA_MASK;
}

static inline uint64_t violations(const struct world *w)
{
	return ms_trace_total(w->m, MS_EV_VIOLATION);
}

/* The n-th kept event of a type names [addr, addr + size). */
static inline void assert_event(const struct world *w, enum ms_event_type type, size_t n,
				uint64_t addr, uint64_t size)
{
	for (size_t i = 0; i < ms_trace_len(w->m); i++) {
		const struct ms_event *ev = ms_trace_get(w->m, i);

		if (ev->type != type || n-- != 0)
			continue;
		assert_int_equal(ev->addr, addr);
		assert_int_equal(ev->size, size);
		return;
	}
	fail_msg("no such event: %s", ms_event_name(type));
}

#endif
