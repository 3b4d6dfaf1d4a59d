/* SPDX-License-Identifier: GPL-2.0-only */
/* Drivers' handlers of the kinds that a kernel tree has, each run on kernels of both architectures. */
#ifndef TESTS_LINUX_HANDLERS_H
#define TESTS_LINUX_HANDLERS_H

#include "world.h"

/* For each kernel: a machine with RAM, two BARs and a process; nothing may be complained about. */
static inline void on_each_kernel(void (*run)(struct world *w))
{
	static const char *const release[] = { "5.10.223", "6.1.192", "6.12.117", "7.2.13" };

	for (int i = 0; i < 8; i++) {
		struct world w = world_of(ms_policy_linux(
			release[i / 2], i % 2 ? MS_ARCH_ARM64 : MS_ARCH_X86_64));

		assert_non_null(ms_device_add(w.m, "large", LARGE_BAR, SZ_1G));
		run(&w);
		ms_linux_as(NULL);
		ms_linux_use(w.m);
		assert_int_equal(ms_linux_leaks(w.m), 0);
		assert_int_equal(ms_violations(w.m), 0);
		world_end(&w);
	}
}

static inline struct file *opened(struct world *w, const struct file_operations *fops, void *data)
{
	struct file *file = ms_linux_file(w->m, fops, O_RDWR, data);

	assert_non_null(file);
	return file;
}

static inline enum ms_access reads(struct world *w, unsigned long addr)
{
	return ms_touch(w->mm, addr, MS_PROT_R);
}

static inline enum ms_access writes(struct world *w, unsigned long addr)
{
	return ms_touch(w->mm, addr, MS_PROT_W);
}

static inline enum ms_cache cache_of(struct world *w, unsigned long addr)
{
	struct ms_host_leaf leaf;

	assert_true(ms_host_leaf(w->mm, addr, &leaf));
	return ms_pgprot_cache(leaf.entry);
}

static inline bool is_x86(struct world *w)
{
	return ms_machine_policy(w->m)->arch == MS_ARCH_X86_64;
}

#endif
