/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each allocation of an operation fails once. After the failure the answer is one that the kernel
 * gives, the machine is whole, and the operation repeated gives what it gives without a failure.
 */
#ifndef TESTS_OOM_OOM_H
#define TESTS_OOM_OOM_H

#include "core/core.h"
#include "machine/rooms.h"

#include <mapsim/mapsim.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "state.h"

/* What an operation finds. */
struct world {
	struct ms_machine *m;
	struct ms_mm *mm;
	struct ms_vm *vm;
	struct ms_device *bar;   /* 4M; 1G aligned */
	struct ms_file *memory;  /* 4M, pages */
	struct ms_file *hugetlb; /* 4M in pages of 2M */
	struct ms_file *vfio;    /* of the BAR, not mapped; made by those who want it */
	struct ms_file *file;    /* for the operation's use */
};

/* Something was not had for want of memory, where the answer is a pointer. */
#define NO_POINTER (-ENOMEM)

struct operation {
	const char *name;
	void (*prepare)(struct world *w); /* NULL: nothing */
	int64_t (*run)(struct world *w);  /* the answer */
	int64_t refusals[4];              /* answers for want of memory besides -ENOMEM; 0 ends */
	bool may_succeed_otherwise;       /* with less: the state after that is not compared */
	bool remaps_in_fault;             /* more than the page of the fault */
	bool faults_vfio;                 /* whose handler may have a list */
	bool not_everywhere;              /* some kernels refuse it */
};

struct kernel {
	const char *release;
	enum ms_arch arch;
};

/* Answers how many allocations failed. */
size_t fail_each_allocation(const struct kernel *kernel, const struct operation *op);

#endif
