/* SPDX-License-Identifier: GPL-2.0-only */
/* States of a machine, saved and put back. */
#include "core/core.h"

#include <mapsim/check.h>
#include <mapsim/drivers.h>
#include <mapsim/kvm.h>
#include <mapsim/mm.h>
#include <mapsim/phys.h>
#include <mapsim/state.h>

#include <errno.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HVA UINT64_C(0x200000000000)
#define GPA UINT64_C(0x80000000)
#define BAR UINT64_C(0x8000000000)

struct world {
	struct ms_machine *m;
	struct ms_mm *mm;
	struct ms_vm *vm;
	struct ms_file *file;
};

/* A BAR that is mapped, and a guest that has it in a memslot. */
static struct world world(void)
{
	struct world w = { .m = ms_machine_new(ms_policy_linux("6.12.107", MS_ARCH_ARM64)) };

	assert_non_null(w.m);
	assert_int_equal(ms_ram_add(w.m, 0x40000000, MS_1G), 0);
	w.file = ms_pci_resource(ms_device_add(w.m, "gpu", BAR, MS_1G));
	w.mm = ms_mm_new(w.m);
	w.vm = ms_vm_new(w.mm, 40);
	assert_int_equal(
		ms_mmap(w.mm, HVA, 2 * MS_2M, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, w.file, 0),
		HVA);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, 2 * MS_2M, HVA, 0), 0);
	return w;
}

static void world_end(struct world *w)
{
	assert_int_equal(ms_machine_check(w->m, stderr), 0);
	ms_machine_free(w->m);
}

static uint64_t kept[4];

static void what_is_kept_beside_the_machine_is_of_its_state(void **state)
{
	struct world w = world();
	uint64_t hash = ms_machine_hash(w.m);

	(void)state;
	assert_int_equal(ms_state_keep(w.m, kept, sizeof(kept)), 0);
	assert_int_not_equal(ms_machine_hash(w.m), hash);
	hash = ms_machine_hash(w.m);
	kept[3] = 7;
	assert_int_not_equal(ms_machine_hash(w.m), hash);
	struct ms_state *s = ms_state_save(w.m);

	assert_true(ms_state_bytes(s) > sizeof(kept));
	kept[0] = 1;
	kept[3] = 0;
	assert_int_equal(ms_state_restore(w.m, s), 0);
	assert_int_equal(kept[0], 0);
	assert_int_equal(kept[3], 7);
	kept[3] = 0;
	assert_int_equal(ms_machine_hash(w.m), hash);
	ms_state_free(s);
	world_end(&w);
}

/* A word that points into the machine counts as what it points to, wherever that lies. */
static void what_is_kept_refers_to_what_the_machine_has(void **state)
{
	uint64_t hash[2];

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct world w = world();
		struct ms_mm *mm[2] = { ms_mm_new(w.m), NULL };

		mm[1] = ms_fork(w.mm);
		memset(kept, 0, sizeof(kept));
		assert_int_equal(ms_state_keep(w.m, &kept[1], sizeof(kept[1])), 0);
		kept[1] = (uintptr_t)mm[1];
		hash[i] = ms_machine_hash(w.m);
		kept[1] = (uintptr_t)mm[0];
		assert_int_not_equal(ms_machine_hash(w.m), hash[i]);
		world_end(&w);
	}
	assert_int_equal(hash[0], hash[1]);
	memset(kept, 0, sizeof(kept));
}

static void what_cannot_be_kept(void **state)
{
	struct world w = world();

	(void)state;
	assert_int_equal(ms_state_keep(NULL, kept, 8), -EINVAL);
	assert_int_equal(ms_state_keep(w.m, NULL, 8), -EINVAL);
	assert_int_equal(ms_state_keep(w.m, kept, 0), -EINVAL);
	assert_int_equal(ms_state_keep(w.m, kept, SIZE_MAX), -EINVAL);
	assert_int_equal(ms_state_keep(w.m, w.file, 8), -EINVAL);
	ms_machine_fail_alloc(w.m, 1);
	assert_int_equal(ms_state_keep(w.m, kept, 16), -ENOMEM);
	assert_int_equal(ms_state_keep(w.m, kept, 16), 0);
	assert_int_equal(ms_state_keep(w.m, (char *)kept + 15, 8), -EINVAL);
	assert_int_equal(ms_state_keep(w.m, &kept[2], 16), 0);
	world_end(&w);
}

static void what_was_done_since_is_undone(void **state)
{
	struct world w = world();
	struct ms_state *s = ms_state_save(w.m);
	const uint64_t unmaps = ms_trace_total(w.m, MS_EV_S2_UNMAP);

	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(ms_guest_read(w.vm, GPA).leaf.size, MS_2M);
		assert_int_equal(ms_munmap(w.mm, HVA, 2 * MS_2M), 0);
		assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_ERROR);
		assert_true(ms_trace_total(w.m, MS_EV_S2_UNMAP) > unmaps);
		assert_int_equal(ms_state_restore(w.m, s), 0);
		assert_int_equal(ms_trace_total(w.m, MS_EV_S2_UNMAP), unmaps);
		assert_non_null(ms_vma_lookup(w.mm, HVA));
		assert_int_equal(ms_machine_check(w.m, stderr), 0);
	}
	ms_state_free(s);
	world_end(&w);
}

static void objects_that_were_freed_are_there_again(void **state)
{
	struct world w = world();
	struct ms_state *s = ms_state_save(w.m);

	ms_vm_free(w.vm);
	ms_mm_exit(w.mm);
	assert_int_equal(ms_state_restore(w.m, s), 0);
	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_OK);
	ms_state_free(s);
	world_end(&w);
}

static void states_are_put_back_in_any_order(void **state)
{
	enum { N = 6 };
	struct world w = world();
	struct ms_state *s[N];

	for (unsigned int i = 0; i < N; i++) {
		s[i] = ms_state_save(w.m);
		assert_non_null(s[i]);
		assert_int_equal(ms_mmap(w.mm, HVA + (i + 8) * MS_2M, MS_2M, MS_PROT_RW,
					 MS_MAP_PRIVATE | MS_MAP_ANONYMOUS | MS_MAP_FIXED, NULL, 0),
				 HVA + (i + 8) * MS_2M);
		assert_int_equal(ms_touch(w.mm, HVA + (i + 8) * MS_2M, MS_PROT_W), MS_ACCESS_OK);
	}
	for (unsigned int i = 0; i < 5 * N; i++) {
		const unsigned int n = i * 5 % N;

		assert_int_equal(ms_state_restore(w.m, s[n]), 0);
		for (unsigned int k = 0; k < N; k++)
			assert_int_equal(!!ms_vma_lookup(w.mm, HVA + (k + 8) * MS_2M), k < n);
		assert_int_equal(ms_machine_check(w.m, stderr), 0);
	}
	for (unsigned int i = 0; i < N; i++)
		ms_state_free(s[i]);
	world_end(&w);
}

/* Beyond the first segment of its arena, and back. */
static void a_machine_that_has_become_large_is_small_again(void **state)
{
	struct world w = world();
	struct ms_state *small = ms_state_save(w.m), *large;
	const uint64_t size = 64 * MS_2M;

	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(ms_mmap(w.mm, HVA + MS_1G, size, MS_PROT_RW,
					 MS_MAP_PRIVATE | MS_MAP_ANONYMOUS | MS_MAP_FIXED, NULL, 0),
				 HVA + MS_1G);
		assert_int_equal(ms_madvise(w.mm, HVA + MS_1G, size, MS_MADV_NOHUGEPAGE), 0);
		for (uint64_t at = 0; at < size; at += MS_4K)
			assert_int_equal(ms_touch(w.mm, HVA + MS_1G + at, MS_PROT_W), MS_ACCESS_OK);
		large = ms_state_save(w.m);
		assert_true(ms_state_bytes(large) > 10 * ms_state_bytes(small));
		assert_int_equal(ms_state_restore(w.m, small), 0);
		assert_int_equal(ms_touch(w.mm, HVA + MS_1G, MS_PROT_W), MS_ACCESS_SIGSEGV);
		assert_int_equal(ms_state_restore(w.m, large), 0);
		assert_int_equal(ms_munmap(w.mm, HVA + MS_1G, size), 0);
		assert_int_equal(ms_machine_check(w.m, stderr), 0);
		assert_int_equal(ms_state_restore(w.m, small), 0);
		ms_state_free(large);
	}
	ms_state_free(small);
	world_end(&w);
}

static void never(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	fail_msg("this hook was set after the state was saved");
}

static void hooks_counters_and_the_last_refusal_are_put_back(void **state)
{
	struct world w = world();
	uint64_t allocs, refusals;
	struct ms_state *s;

	assert_int_equal(ms_munmap(w.mm, 1, MS_4K), -EINVAL);
	s = ms_state_save(w.m);
	allocs = ms_machine_allocs(w.m);
	refusals = ms_last_refusal(w.m).number;
	ms_machine_set_hook(w.m, MS_HOOK_S2_MAPPED, never, NULL);
	ms_machine_fail_alloc(w.m, 1);
	assert_int_equal(ms_munmap(w.mm, HVA, 0), -EINVAL);
	assert_int_equal(ms_state_restore(w.m, s), 0);
	assert_int_equal(ms_machine_allocs(w.m), allocs);
	assert_int_equal(ms_last_refusal(w.m).number, refusals);
	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_OK);
	ms_state_free(s);
	world_end(&w);
}

struct running {
	struct ms_state *state;
	unsigned int times;
};

static void save_and_restore(struct ms_machine *m, enum ms_hook_point point, uint64_t addr,
			     void *arg)
{
	struct running *r = arg;

	assert_null(ms_state_save(m));
	assert_int_equal(errno, EBUSY);
	assert_int_equal(ms_state_restore(m, r->state), -EBUSY);
	assert_string_equal(ms_last_reason(m), "a hook is running");
	r->times++;
}

static void a_hook_neither_saves_nor_puts_back(void **state)
{
	struct world w = world();
	struct running r = { .state = ms_state_save(w.m) };

	ms_machine_set_hook(w.m, MS_HOOK_S2_MAPPED, save_and_restore, &r);
	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_OK);
	assert_int_equal(r.times, 1);
	ms_state_free(r.state);
	world_end(&w);
}

static int map_and_save(struct ms_file *file, struct ms_vma *vma)
{
	struct running *r = ms_file_priv(file);
	struct ms_machine *m = ms_file_machine(file);

	assert_null(ms_state_save(m));
	assert_int_equal(errno, EBUSY);
	assert_int_equal(ms_state_restore(m, r->state), -EBUSY);
	assert_string_equal(ms_last_reason(m), "a driver's function is running");
	r->times++;
	return 0;
}

static void a_driver_neither_saves_nor_puts_back(void **state)
{
	static const struct ms_file_ops ops = { .name = "saves", .mmap = map_and_save };
	struct world w = world();
	struct running r = { .state = ms_state_save(w.m) };
	struct ms_file *file = ms_file_new(w.m, &ops, MS_FMODE_READ, 0, NULL, &r);

	assert_true(ms_mmap(w.mm, 0, MS_4K, MS_PROT_R, MS_MAP_SHARED, file, 0) > 0);
	assert_int_equal(r.times, 1);
	ms_state_free(r.state);
	world_end(&w);
}

static void a_state_of_another_machine_is_refused(void **state)
{
	struct world w = world(), other = world();
	struct ms_state *s = ms_state_save(other.m);

	assert_int_equal(ms_state_restore(w.m, s), -EINVAL);
	assert_string_equal(ms_last_reason(w.m), "a state of another machine");
	world_end(&other);
	ms_state_free(s);
	world_end(&w);
}

static void a_state_without_memory_is_refused(void **state)
{
	struct world w = world();

	ms_machine_fail_alloc(w.m, 1);
	assert_null(ms_state_save(w.m));
	assert_int_equal(errno, ENOMEM);
	assert_string_equal(ms_last_reason(w.m), "no memory");
	world_end(&w);
}

static void a_small_machine_has_small_states(void **state)
{
	struct world w = world();
	struct ms_state *s = ms_state_save(w.m);

	assert_true(ms_state_bytes(s) < 32768);
	ms_state_free(s);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_done_since_is_undone),
		cmocka_unit_test(what_is_kept_beside_the_machine_is_of_its_state),
		cmocka_unit_test(what_is_kept_refers_to_what_the_machine_has),
		cmocka_unit_test(what_cannot_be_kept),
		cmocka_unit_test(objects_that_were_freed_are_there_again),
		cmocka_unit_test(states_are_put_back_in_any_order),
		cmocka_unit_test(a_machine_that_has_become_large_is_small_again),
		cmocka_unit_test(hooks_counters_and_the_last_refusal_are_put_back),
		cmocka_unit_test(a_hook_neither_saves_nor_puts_back),
		cmocka_unit_test(a_driver_neither_saves_nor_puts_back),
		cmocka_unit_test(a_state_of_another_machine_is_refused),
		cmocka_unit_test(a_state_without_memory_is_refused),
		cmocka_unit_test(a_small_machine_has_small_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
