/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What it costs to save, put back and hash a small machine (a BAR that is mapped, a VM, a memslot),
 * and to play a script of nine operations:
 *
 *	script9            on a new machine, which is freed then
 *	script9-restored   on one that is put back to where the script begins
 */
#include "bench.h"

#include <mapsim/mapsim.h>

#include <string.h>

#define HVA UINT64_C(0x200000000000)
#define GPA UINT64_C(0x80000000)

static const char script9[] =
	"> vm create\n"
	"> mmap big off=0 at=0x200000000000 len=0x400000 prot=rw flags=shared\n"
	"> slot id=1 gpa=0x80000000 size=0x400000 hva=0x200000000000\n"
	"> guest access=r gpa=0x80000000\n"
	"> guest access=w gpa=0x80201000\n"
	"> munmap at=0x200000200000 len=0x1000\n"
	"> touch at=0x200000000000 access=r\n"
	"> mprotect at=0x200000000000 len=0x200000 prot=r\n"
	"> guest access=w gpa=0x80000000\n";

static struct ms_machine *small_machine(void)
{
	struct ms_machine *m = ms_machine_new(ms_policy_linux("6.12.107", MS_ARCH_ARM64));
	struct ms_file *file = ms_pci_resource(ms_device_add(m, "gpu", 0x8000000000, MS_1G));
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_vm *vm = ms_vm_new(mm, 40);

	bench_require(ms_mmap(mm, HVA, 2 * MS_2M, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, file,
			      0) > 0 &&
			      !ms_vm_set_slot(vm, 1, GPA, 2 * MS_2M, HVA, 0),
		      "a machine with a BAR, a VM and a memslot");
	return m;
}

static void states(const struct bench_run *run, unsigned int n)
{
	struct bench_series save = { 0 }, restore = { 0 }, hash = { 0 };
	struct ms_machine *m = small_machine();
	struct ms_state *s = ms_state_save(m);
	const uint64_t first = ms_machine_hash(m);

	bench_require(s && first, "a state and its hash");
	for (unsigned int round = 0; round <= run->rounds; round++) {
		double since = bench_now();

		for (unsigned int i = 0; i < n; i++)
			ms_state_free(ms_state_save(m));
		bench_sample(&save, since, n);
		since = bench_now();
		for (unsigned int i = 0; i < n; i++)
			ms_state_restore(m, s);
		bench_sample(&restore, since, n);
		since = bench_now();
		for (unsigned int i = 0; i < n; i++)
			bench_require(ms_machine_hash(m) == first, "the same hash each time");
		bench_sample(&hash, since, n);
	}
	bench_print(run, "state-save", "-", 1, &save);
	bench_print(run, "state-restore", "-", 1, &restore);
	bench_print(run, "state-hash", "-", 1, &hash);
	bench_print_number(run, "state-bytes", "-", (double)ms_state_bytes(s));
	ms_state_free(s);
	ms_machine_free(m);
}

static void play(struct ms_player *player)
{
	for (size_t i = 0; i < 9; i++)
		bench_require(ms_player_step(player, i), "an answer");
}

static void scripts(const struct bench_run *run, unsigned int n)
{
	struct bench_series anew = { 0 }, restored = { 0 };
	struct ms_script *script = ms_script_parse(script9, strlen(script9), NULL, NULL);
	struct ms_player *kept = ms_player_new(script, NULL);
	struct ms_player_state *s = ms_player_save(kept);

	bench_require(s, "a player and its state");
	for (unsigned int round = 0; round <= run->rounds; round++) {
		double since = bench_now();

		for (unsigned int i = 0; i < n; i++) {
			struct ms_player *player = ms_player_new(script, NULL);

			play(player);
			ms_player_free(player);
		}
		bench_sample(&anew, since, n);
		since = bench_now();
		for (unsigned int i = 0; i < n; i++) {
			ms_player_restore(kept, s);
			play(kept);
		}
		bench_sample(&restored, since, n);
	}
	bench_print(run, "script9", "-", 9, &anew);
	bench_print(run, "script9-restored", "-", 9, &restored);
	ms_player_state_free(s);
	ms_player_free(kept);
	ms_script_free(script);
}

void bench_state(const struct bench_run *run)
{
	const unsigned int n = run->sizes ? 2000 : 50;

	states(run, n);
	scripts(run, n);
}
