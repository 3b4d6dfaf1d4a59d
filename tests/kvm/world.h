/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The smallest world with a VM: an arm64 machine of a kernel with RAM, a BAR, one process, and one
 * VM whose memory is not shown yet. Events are read as the lines that they print, without reasons.
 */
#ifndef TEST_KVM_WORLD_H
#define TEST_KVM_WORLD_H

#include <mapsim/check.h>
#include <mapsim/kvm.h>
#include <mapsim/machine.h>
#include <mapsim/mm.h>
#include <mapsim/pfnmap.h>
#include <mapsim/phys.h>
#include <mapsim/policy.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../kernels.h"

#define HVA UINT64_C(0x200000000000) /* 1G aligned */
#define GPA UINT64_C(0x80000000)
#define BAR UINT64_C(0x8000000000)
#define PAGE UINT64_C(0x1000)

struct world {
	struct ms_machine *m;
	struct ms_mm *mm;
	struct ms_vm *vm;
	char *text; /* of events() */
	size_t text_size;
};

/* Calls of the table, without what lies under them. */
#define S2_EVENTS \
	((1u << MS_EV_S2_MAP) | (1u << MS_EV_S2_RELAX) | (1u << MS_EV_S2_UNMAP) | \
	 (1u << MS_EV_S2_WRPROTECT) | (1u << MS_EV_S2_SPLIT) | (1u << MS_EV_S2_YOUNG))

static inline void world_start(struct world *w, const struct ms_policy *policy,
			       const struct ms_machine_config *config)
{
	memset(w, 0, sizeof(*w));
	assert_non_null(policy);
	w->m = ms_machine_new_config(policy, config);
	assert_non_null(w->m);
	assert_int_equal(ms_ram_add(w->m, MS_1G, 3 * MS_1G), 0);
	assert_non_null(ms_device_add(w->m, "bar", BAR, 4 * MS_1G));
	w->mm = ms_mm_new(w->m);
	assert_non_null(w->mm);
	w->vm = ms_vm_new(w->mm, 0);
	assert_non_null(w->vm);
	ms_trace_keep(w->m, S2_EVENTS);
}

/* 4K pages, transparent huge pages */
static inline struct world world(const char *release)
{
	struct world w;

	world_start(&w, ms_policy_linux(release, MS_ARCH_ARM64), NULL);
	return w;
}

static inline struct world world_config(const char *release, const struct ms_machine_config *config)
{
	struct world w;

	world_start(&w, ms_policy_linux(release, MS_ARCH_ARM64), config);
	return w;
}

/* A kernel with one rule of another. */
static inline struct world world_with(const char *release, const char *field, const char *value)
{
	struct ms_policy policy = *ms_policy_linux(release, MS_ARCH_ARM64);
	struct world w;

	assert_int_equal(ms_policy_set(&policy, field, value), 0);
	world_start(&w, &policy, NULL);
	return w;
}

static inline void world_end(struct world *w)
{
	assert_null(w->vm && ms_vm_s2(w->vm) ? ms_s2_check(ms_vm_s2(w->vm)) : NULL);
	free(w->text);
	assert_int_equal(ms_machine_check(w->m, stderr), 0);
	ms_machine_free(w->m);
}

/* The kept events since the last call, one a line, without the VM's number. */
static inline const char *events(struct world *w)
{
	char *line, *next, *tail;
	FILE *out;

	free(w->text);
	w->text = NULL;
	out = open_memstream(&w->text, &w->text_size);
	assert_non_null(out);
	ms_trace_print(w->m, out);
	fclose(out);
	ms_trace_clear(w->m);
	for (line = w->text; *line; line = next) {
		next = strchr(line, '\n') + 1;
		tail = strstr(line, " vm=");
		if (!tail || tail > next)
			tail = strstr(line, " (");
		if (tail && tail < next) {
			memmove(tail, next - 1, strlen(next - 1) + 1);
			next = tail + 1;
		}
	}
	return w->text;
}

static inline void map_anon(struct world *w, ms_hva_t hva, uint64_t len)
{
	assert_int_equal(ms_mmap(w->mm, hva, len, MS_PROT_RW,
				 MS_MAP_PRIVATE | MS_MAP_FIXED_NOREPLACE | MS_MAP_ANONYMOUS, NULL,
				 0),
			 hva);
}

static inline void map_pages(struct world *w, ms_hva_t hva, uint64_t len)
{
	map_anon(w, hva, len);
	assert_int_equal(ms_madvise(w->mm, hva, len, MS_MADV_NOHUGEPAGE), 0);
}

/* A driver that maps its BAR whole when it is mapped: file offset 0 is BAR, vm_pgoff the pfn. */
static inline int remap_bar(struct ms_file *file, struct ms_vma *vma)
{
	vma->vm_pgoff += BAR >> 12;
	vma->vm_page_prot = ms_pgprot_device(vma->vm_page_prot);
	return ms_remap_pfn_range(vma, vma->vm_start, vma->vm_pgoff, vma->vm_end - vma->vm_start,
				  vma->vm_page_prot);
}

static inline void map_file(struct world *w, ms_hva_t hva, uint64_t len, unsigned int prot,
			    unsigned int flags, const struct ms_file_ops *ops, uint64_t off)
{
	struct ms_file *file =
		ms_file_new(w->m, ops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, NULL);

	assert_non_null(file);
	assert_int_equal(ms_mmap(w->mm, hva, len, prot, flags | MS_MAP_FIXED_NOREPLACE, file, off),
			 hva);
	ms_file_put(file);
}

static inline void map_bar(struct world *w, ms_hva_t hva, uint64_t len, uint64_t off)
{
	static const struct ms_file_ops ops = { .name = "bar", .mmap = remap_bar };

	map_file(w, hva, len, MS_PROT_RW, MS_MAP_SHARED, &ops, off);
}

#endif
