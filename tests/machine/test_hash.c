/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * States as numbers: equal where nothing can tell them apart, different where something can.
 * ../script/test_hashes.c looks for states that are wrongly equal among many.
 */
#include "core/core.h"

#include <mapsim/mapsim.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define A UINT64_C(0x200000000000)
#define B UINT64_C(0x200040000000)
#define GPA UINT64_C(0x80000000)
#define BAR UINT64_C(0x8000000000)
#define PAGE UINT64_C(0x1000)

struct world {
	struct ms_machine *m;
	struct ms_device *bar;
	struct ms_mm *mm;
	struct ms_vm *vm;
};

static struct world world(enum ms_arch arch)
{
	struct world w = { .m = ms_machine_new(ms_policy_linux("6.12.107", arch)) };

	assert_non_null(w.m);
	assert_int_equal(ms_ram_add(w.m, 0x40000000, MS_1G), 0);
	w.bar = ms_device_add(w.m, "gpu", BAR, MS_1G);
	w.mm = ms_mm_new(w.m);
	w.vm = ms_vm_new(w.mm, 40);
	return w;
}

static void map_anon(struct world *w, ms_hva_t at, uint64_t size)
{
	assert_int_equal(ms_mmap(w->mm, at, size, MS_PROT_RW,
				 MS_MAP_PRIVATE | MS_MAP_ANONYMOUS | MS_MAP_FIXED, NULL, 0),
			 at);
}

static void map_bar(struct world *w, ms_hva_t at)
{
	assert_int_equal(ms_mmap(w->mm, at, MS_2M, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED,
				 ms_pci_resource(w->bar), 0),
			 at);
}

/* ---- steps, in an order that does not count ---- */

typedef void step_fn(struct world *w);

static void anon_at_a(struct world *w)
{
	map_anon(w, A, 4 * PAGE);
}
static void bar_at_b(struct world *w)
{
	map_bar(w, B);
}
static void slot_1(struct world *w)
{
	assert_int_equal(ms_vm_set_slot(w->vm, 1, GPA, MS_2M, B, 0), 0);
}
static void slot_2(struct world *w)
{
	assert_int_equal(ms_vm_set_slot(w->vm, 2, GPA + MS_1G, 4 * PAGE, A, MS_SLOT_LOG_DIRTY), 0);
}
static void claim_low(struct world *w)
{
	assert_int_equal(ms_iomem_claim(w->m, BAR + MS_2M, PAGE), 0);
}
static void claim_high(struct world *w)
{
	assert_int_equal(ms_iomem_claim(w->m, BAR + 2 * MS_2M, PAGE), 0);
}
static void vfio(struct world *w)
{
	assert_non_null(ms_vfio_open(w->bar));
}
static void refused(struct world *w)
{
	assert_int_equal(ms_munmap(w->mm, 1, PAGE), -EINVAL);
}

static void the_order_of_independent_steps_does_not_count(void **state)
{
	static step_fn *const steps[] = { anon_at_a, bar_at_b,   slot_1, slot_2,
					  claim_low, claim_high, vfio,   refused };
	enum { N = sizeof(steps) / sizeof(steps[0]) };
	uint64_t hash[2];

	for (size_t first = 0; first < N; first++)
		for (size_t second = first + 1; second < N; second++) {
			for (size_t i = 0; i < 2; i++) {
				struct world w = world(MS_ARCH_ARM64);

				steps[i ? second : first](&w);
				steps[i ? first : second](&w);
				hash[i] = ms_machine_hash(w.m);
				ms_machine_free(w.m);
			}
			if (hash[0] != hash[1])
				fail_msg("steps %zu and %zu", first, second);
		}
}

static void which_page_of_ram_it_is_does_not_count(void **state)
{
	struct world v = world(MS_ARCH_ARM64), w = world(MS_ARCH_ARM64);

	map_anon(&v, A, 4 * PAGE);
	map_anon(&w, A, 4 * PAGE);
	assert_int_equal(ms_touch(v.mm, A, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_touch(v.mm, A + PAGE, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_touch(w.mm, A + PAGE, MS_PROT_W), MS_ACCESS_OK);
	assert_int_not_equal(ms_machine_hash(v.m), ms_machine_hash(w.m));
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	// the queue of new pages has them in their order; a huge page empties it
	for (unsigned int i = 0; i < 2; i++) {
		struct world *u = i ? &w : &v;

		map_anon(u, B, MS_2M);
		assert_int_equal(ms_touch(u->mm, B, MS_PROT_W), MS_ACCESS_OK);
	}
	assert_int_equal(ms_machine_hash(v.m), ms_machine_hash(w.m));
	ms_machine_free(v.m);
	ms_machine_free(w.m);
}

static void what_is_undone_leaves_nothing(void **state)
{
	struct world w = world(MS_ARCH_ARM64);
	uint64_t hash;

	map_bar(&w, B);
	hash = ms_machine_hash(w.m);
	for (unsigned int i = 0; i < 3; i++) {
		map_anon(&w, A, MS_2M);
		assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
		assert_int_not_equal(ms_machine_hash(w.m), hash);
		assert_int_equal(ms_munmap(w.mm, A, MS_2M), 0);
		assert_int_equal(ms_machine_hash(w.m), hash);
		slot_1(&w);
		assert_int_equal(ms_vm_set_slot(w.vm, 1, 0, 0, 0, 0), 0);
		claim_low(&w);
		assert_int_equal(ms_iomem_release(w.m, BAR + MS_2M, PAGE), 0);
		ms_mm_exit(ms_fork(w.mm));
		ms_trace_clear(w.m);
		assert_int_equal(ms_machine_hash(w.m), hash);
	}
	ms_machine_free(w.m);
}

static void looking_changes_nothing(void **state)
{
	struct world w = world(MS_ARCH_ARM64);
	struct ms_state *s;
	uint64_t hash;

	map_bar(&w, B);
	slot_1(&w);
	assert_int_equal(ms_guest_read(w.vm, GPA).exit, MS_GUEST_OK);
	hash = ms_machine_hash(w.m);
	ms_trace_print(w.m, stderr);
	s = ms_state_save(w.m);
	assert_int_equal(ms_machine_check(w.m, stderr), 0);
	assert_int_equal(ms_machine_hash(w.m), hash);
	assert_int_equal(ms_munmap(w.mm, B, MS_2M), 0);
	assert_int_not_equal(ms_machine_hash(w.m), hash);
	assert_int_equal(ms_state_restore(w.m, s), 0);
	assert_int_equal(ms_machine_hash(w.m), hash);
	ms_state_free(s);
	ms_machine_free(w.m);
}

/* ---- steps that count, each behind those before it ---- */

static void ignored(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
}

static void protect(struct world *w)
{
	assert_int_equal(ms_mprotect(w->mm, A, PAGE, MS_PROT_R), 0);
}
static void advise(struct world *w)
{
	assert_int_equal(ms_madvise(w->mm, A + PAGE, PAGE, MS_MADV_DONTFORK), 0);
}
static void lock_memory(struct world *w)
{
	assert_int_equal(ms_mlock(w->mm, A + 2 * PAGE, PAGE), 0);
}
static void read_page(struct world *w)
{
	assert_int_equal(ms_touch(w->mm, A + 3 * PAGE, MS_PROT_R), MS_ACCESS_OK);
}
static void write_page(struct world *w)
{
	assert_int_equal(ms_touch(w->mm, A + 3 * PAGE, MS_PROT_W), MS_ACCESS_OK);
}
static void guest_reads(struct world *w)
{
	assert_int_equal(ms_guest_read(w->vm, GPA).exit, MS_GUEST_OK);
}
static void guest_writes(struct world *w)
{
	assert_int_equal(ms_guest_write(w->vm, GPA + MS_1G + 3 * PAGE).exit, MS_GUEST_OK);
}
static void log_is_read(struct world *w)
{
	uint64_t bits[1], pages;

	assert_int_equal(ms_vm_get_dirty(w->vm, 2, bits, 1, &pages), 0);
}
static void fork_process(struct world *w)
{
	assert_non_null(ms_fork(w->mm));
}
static void set_hook(struct world *w)
{
	ms_machine_set_hook(w->m, MS_HOOK_S2_MAPPED, ignored, NULL);
}
static void memory_off(struct world *w)
{
	ms_device_set_memory(w->bar, false);
}
static void another_process(struct world *w)
{
	assert_non_null(ms_mm_new(w->m));
}
static void allocation_will_fail(struct world *w)
{
	ms_machine_fail_alloc(w->m, 3);
}
static void memory_file(struct world *w)
{
	struct ms_file *file = ms_memfd_new(w->m, MS_2M);

	assert_int_equal(
		ms_mmap(w->mm, A + MS_2M, MS_2M, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, file, 0),
		A + MS_2M);
}
static void file_page(struct world *w)
{
	assert_int_equal(ms_touch(w->mm, A + MS_2M, MS_PROT_R), MS_ACCESS_OK);
}

static void what_can_be_noticed_counts(void **state)
{
	static step_fn *const steps[] = {
		anon_at_a,       bar_at_b,     slot_1,
		slot_2,          protect,      advise,
		lock_memory,     read_page,    write_page,
		guest_reads,     guest_writes, log_is_read,
		memory_file,     file_page,    fork_process,
		claim_low,       vfio,         set_hook,
		another_process, memory_off,   allocation_will_fail,
	};
	enum { N = sizeof(steps) / sizeof(steps[0]) };
	struct world w = world(MS_ARCH_ARM64);
	uint64_t hash[N + 1] = { ms_machine_hash(w.m) };

	for (size_t i = 0; i < N; i++) {
		steps[i](&w);
		hash[i + 1] = ms_machine_hash(w.m);
		for (size_t k = 0; k <= i; k++)
			if (hash[i + 1] == hash[k])
				fail_msg("step %zu leads to where %zu steps had led", i, k);
	}
	ms_machine_free(w.m);
}

static void memory_types_and_their_holders_count(void **state)
{
	struct world w = world(MS_ARCH_X86_64);
	uint64_t hash[4] = { ms_machine_hash(w.m) };

	assert_int_equal(ms_ioremap(w.m, BAR, PAGE, MS_CACHE_WC), 0);
	hash[1] = ms_machine_hash(w.m);
	assert_int_equal(ms_ioremap(w.m, BAR, PAGE, MS_CACHE_WC), 0);
	hash[2] = ms_machine_hash(w.m);
	assert_int_equal(ms_iounmap(w.m, BAR, PAGE), 0);
	assert_int_equal(ms_machine_hash(w.m), hash[1]);
	assert_int_equal(ms_iounmap(w.m, BAR, PAGE), 0);
	assert_int_equal(ms_machine_hash(w.m), hash[0]);
	assert_int_equal(ms_ioremap(w.m, BAR, PAGE, MS_CACHE_UC_MINUS), 0);
	hash[3] = ms_machine_hash(w.m);
	for (unsigned int i = 0; i < 4; i++)
		for (unsigned int k = 0; k < i; k++)
			assert_int_not_equal(hash[i], hash[k]);
	ms_machine_free(w.m);
}

static void objects_of_the_user_count_by_their_places(void **state)
{
	struct world w = world(MS_ARCH_ARM64);
	const void *objects[2];
	uint64_t hash;

	objects[0] = ms_memfd_new(w.m, MS_2M);
	objects[1] = ms_memfd_new(w.m, 2 * MS_2M);
	hash = ms_machine_hash_with(w.m, objects, 2);
	assert_int_equal(ms_machine_hash_with(w.m, objects, 2), hash);
	objects[1] = objects[0];
	assert_int_not_equal(ms_machine_hash_with(w.m, objects, 2), hash);
	assert_int_not_equal(ms_machine_hash_with(w.m, objects, 1), hash);
	objects[0] = NULL;
	assert_int_not_equal(ms_machine_hash_with(w.m, objects, 2), hash);
	assert_int_equal(ms_machine_hash_with(w.m, NULL, 2), ms_machine_hash(w.m));
	ms_machine_free(w.m);
}

/* More things than have room where the hash begins. */
static void a_large_machine_has_a_hash(void **state)
{
	struct world w = world(MS_ARCH_ARM64);
	uint64_t hash;

	map_anon(&w, A, 2000 * PAGE);
	assert_int_equal(ms_madvise(w.mm, A, 2000 * PAGE, MS_MADV_NOHUGEPAGE), 0);
	for (uint64_t i = 0; i < 2000; i++)
		assert_int_equal(ms_touch(w.mm, A + i * PAGE, MS_PROT_W), MS_ACCESS_OK);
	hash = ms_machine_hash(w.m);
	assert_int_not_equal(hash, 0);
	assert_int_equal(ms_machine_hash(w.m), hash);
	assert_int_equal(ms_madvise(w.mm, A + 1999 * PAGE, PAGE, MS_MADV_DONTNEED), 0);
	assert_int_not_equal(ms_machine_hash(w.m), hash);
	ms_machine_free(w.m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_of_independent_steps_does_not_count),
		cmocka_unit_test(which_page_of_ram_it_is_does_not_count),
		cmocka_unit_test(what_is_undone_leaves_nothing),
		cmocka_unit_test(looking_changes_nothing),
		cmocka_unit_test(what_can_be_noticed_counts),
		cmocka_unit_test(memory_types_and_their_holders_count),
		cmocka_unit_test(objects_of_the_user_count_by_their_places),
		cmocka_unit_test(a_large_machine_has_a_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
