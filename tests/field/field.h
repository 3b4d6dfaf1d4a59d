/* SPDX-License-Identifier: GPL-2.0-only */
/* What the field reports' tests share: linux.h first, then cmocka, and a machine with a process. */
#ifndef TESTS_FIELD_FIELD_H
#define TESTS_FIELD_FIELD_H

#include <mapsim/linux.h>

#include <mapsim/drivers.h>
#include <mapsim/pat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "../kernels.h"

#define VA 0x7e0000000000ul

/* A machine like Linux `release` with 64M of RAM; its driver code is this thread's. */
static inline struct ms_machine *field_machine(const char *release, enum ms_arch arch)
{
	struct ms_machine *m = ms_machine_new(ms_policy_linux(release, arch));

	assert_non_null(m);
	assert_int_equal(ms_ram_add(m, 0x40000000, SZ_64M), 0);
	ms_linux_use(m);
	return m;
}

static inline int64_t field_mmap(struct mm_struct *mm, unsigned long size, struct file *file)
{
	return ms_mmap(mm, VA, size, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, file, 0);
}

#endif
