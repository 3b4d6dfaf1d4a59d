/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What devices and their files cost: N BARs of a page, and of each a file with an address_space of
 * its own, an ioremap, and a file of sysfs and of vfio. What is taken away goes in an order by
 * chance. No operation may cost more the more devices there are, but for the depth of a tree.
 */
#include "bench.h"

#include <mapsim/drivers.h>
#include <mapsim/machine.h>
#include <mapsim/mm.h>
#include <mapsim/pat.h>
#include <mapsim/phys.h>
#include <mapsim/policy.h>

#include <stdlib.h>

#define BASE UINT64_C(0x1000000000)

enum op {
	DEVICE_ADD,
	FILE_NEW,
	FILE_PUT,
	IOREMAP,
	IOUNMAP,
	SYSFS,
	VFIO_OPEN,
	VFIO_PUT,
	OPERATIONS
};

static const char *const op_name[OPERATIONS] = {
	[DEVICE_ADD] = "device-add", [FILE_NEW] = "file-new-key",  [FILE_PUT] = "file-put-key",
	[IOREMAP] = "ioremap",       [IOUNMAP] = "iounmap-rand",   [SYSFS] = "sysfs-file",
	[VFIO_OPEN] = "vfio-open",   [VFIO_PUT] = "vfio-put-rand",
};

struct bench {
	struct ms_machine *m;
	uint32_t n, *order;
	struct ms_device **bar;
	struct ms_file **file;
};

static void add_device(struct bench *b, uint32_t i)
{
	char name[16];

	snprintf(name, sizeof(name), "%u", b->order[i]);
	b->bar[i] = ms_device_add(b->m, name, BASE + b->order[i] * MS_4K, MS_4K);
	bench_require(b->bar[i], "no device");
}

static void new_file(struct bench *b, uint32_t i)
{
	static const struct ms_file_ops ops = { .name = "bench" };

	b->file[i] = ms_file_new(b->m, &ops, MS_FMODE_READ, 0, &b->bar[b->order[i]], NULL);
	bench_require(b->file[i], "no file");
}

static void put_file(struct bench *b, uint32_t i)
{
	ms_file_put(b->file[b->order[i]]);
}

static void remap(struct bench *b, uint32_t i)
{
	bench_require(!ms_ioremap(b->m, BASE + i * MS_4K, MS_4K, MS_CACHE_WC), "no ioremap");
}

static void unmap(struct bench *b, uint32_t i)
{
	bench_require(!ms_iounmap(b->m, BASE + b->order[i] * MS_4K, MS_4K), "no iounmap");
}

static void sysfs_file(struct bench *b, uint32_t i)
{
	bench_require(ms_pci_resource(b->bar[i]), "no file of sysfs");
}

static void vfio_open(struct bench *b, uint32_t i)
{
	b->file[i] = ms_vfio_open(b->bar[i]);
	bench_require(b->file[i] && ms_vfio_offset(b->file[i]), "no file of vfio");
}

static void one_round(struct bench *b, struct bench_series *series)
{
	static void (*const run[OPERATIONS])(struct bench * b, uint32_t i) = {
		[DEVICE_ADD] = add_device, [FILE_NEW] = new_file, [FILE_PUT] = put_file,
		[IOREMAP] = remap,         [IOUNMAP] = unmap,     [SYSFS] = sysfs_file,
		[VFIO_OPEN] = vfio_open,   [VFIO_PUT] = put_file,
	};

	b->m = ms_machine_new(ms_policy_linux("6.12.117", MS_ARCH_X86_64));
	bench_require(b->m, "no machine");
	ms_trace_keep(b->m, 0);
	for (int op = 0; op < OPERATIONS; op++) {
		const double since = bench_now();

		for (uint32_t i = 0; i < b->n; i++)
			run[op](b, i);
		bench_sample(&series[op], since, b->n);
	}
	ms_machine_free(b->m);
}

void bench_devices(const struct bench_run *run)
{
	uint32_t numbers[6];
	const size_t count = bench_numbers(run, numbers);

	for (size_t i = 0; i < count; i++) {
		struct bench_series series[OPERATIONS] = { 0 };
		struct bench b = { .n = numbers[i] };
		char param[32];

		b.order = bench_alloc(b.n, sizeof(*b.order));
		b.bar = bench_alloc(b.n, sizeof(struct ms_device *));
		b.file = bench_alloc(b.n, sizeof(struct ms_file *));
		bench_shuffle(b.order, b.n, 7);
		for (unsigned int round = 0; round <= run->rounds; round++)
			one_round(&b, series);
		snprintf(param, sizeof(param), "N=%u", b.n);
		for (int op = 0; op < OPERATIONS; op++)
			bench_print(run, op_name[op], param, b.n, &series[op]);
		free(b.order);
		free(b.bar);
		free(b.file);
	}
}
