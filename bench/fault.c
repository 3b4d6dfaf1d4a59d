/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a whole guest fault costs, from the access over memslot, VMA and host page to the leaf of
 *the guest's second-level table. The host's memory is there already.
 *
 *	fault4k x86-fault4k   256 MiB of pages      fault2m x86-fault2m   4 GiB of huge pages
 *	fault                 events are counted    fault.trace           and kept
 */
#include "bench.h"

#include <mapsim/kvm.h>
#include <mapsim/machine.h>
#include <mapsim/mm.h>
#include <mapsim/phys.h>
#include <mapsim/policy.h>

#define HVA UINT64_C(0x200000000000)
#define GPA UINT64_C(0x80000000)

struct load {
	const char *name;
	enum ms_arch arch;
	enum ms_thp_mode thp;
	uint64_t size, step;
};

static double touch_all(struct ms_mm *mm, const struct load *load)
{
	struct ms_vm *vm = ms_vm_new(mm, 40);
	double t;

	bench_require(vm && !ms_vm_set_slot(vm, 1, GPA, load->size, HVA, 0), "a VM with a memslot");
	t = bench_now();
	for (uint64_t off = 0; off < load->size; off += load->step)
		bench_require(ms_guest_write(vm, GPA + off).exit == MS_GUEST_OK, "guest write");
	t = bench_now() - t;
	ms_vm_free(vm);
	return t;
}

static void one_load(const struct bench_run *run, const struct load *load)
{
	bool keep = bench_is(run, "trace");
	const struct ms_machine_config config = { .thp = load->thp };
	struct ms_machine *m =
		ms_machine_new_config(ms_policy_linux("6.12.117", load->arch), &config);
	struct ms_mm *mm = m ? ms_mm_new(m) : NULL;
	struct bench_series s = { .count = 0 };
	double leaves = (double)(load->size / load->step);

	bench_require(mm && !ms_ram_add(m, 4 * MS_1G, 8 * MS_1G), "a machine with RAM");
	ms_trace_keep(m, 0);
	bench_require(ms_mmap(mm, HVA, load->size, MS_PROT_RW,
			      MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS, NULL, 0) > 0,
		      "mmap");
	for (uint64_t off = 0; off < load->size; off += load->step)
		bench_require(ms_touch(mm, HVA + off, MS_PROT_W) == MS_ACCESS_OK, "host write");
	for (unsigned int i = 0; i <= run->rounds; i++) {
		ms_trace_clear(m);
		ms_trace_keep(m, keep ? 1u << MS_EV_S2_MAP | 1u << MS_EV_GUEST_ABORT : 0);
		bench_add(&s, touch_all(mm, load), leaves);
	}
	bench_print(run, load->name, "-", leaves, &s);
	ms_machine_free(m);
}

void bench_fault(const struct bench_run *run)
{
	const uint64_t pages = run->sizes ? MS_1G / 4 : MS_1G / 64;
	const uint64_t blocks = run->sizes ? 4 * MS_1G : MS_1G / 4;
	const struct load loads[] = {
		{ "fault4k", MS_ARCH_ARM64, MS_THP_NEVER, pages, MS_4K },
		{ "fault2m", MS_ARCH_ARM64, MS_THP_ALWAYS, blocks, MS_2M },
		{ "x86-fault4k", MS_ARCH_X86_64, MS_THP_NEVER, pages, MS_4K },
		{ "x86-fault2m", MS_ARCH_X86_64, MS_THP_ALWAYS, blocks, MS_2M },
	};

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++)
		one_load(run, &loads[i]);
}
