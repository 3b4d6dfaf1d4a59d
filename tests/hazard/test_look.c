/* SPDX-License-Identifier: GPL-2.0-only */
/* Going over all that a machine has. */
#include "world.h"

#include <mapsim/drivers.h>
#include <mapsim/kvm.h>
#include <mapsim/policy.h>

#define HVA UINT64_C(0x200000000000)
#define GPA UINT64_C(0x80000000)
#define BAR UINT64_C(0x8000000000)

struct world {
	struct ms_machine *m;
	struct ms_device *bar;
	struct ms_mm *mm;
};

static struct world world(enum ms_arch arch)
{
	struct world w = { .m = ms_machine_new(ms_policy_linux("6.12.117", arch)) };

	assert_non_null(w.m);
	assert_int_equal(ms_ram_add(w.m, MS_1G, MS_1G), 0);
	w.bar = ms_device_add(w.m, "bar", BAR, 4 * MS_2M);
	w.mm = ms_mm_new(w.m);
	assert_non_null(w.mm);
	return w;
}

static void world_end(struct world *w)
{
	assert_int_equal(ms_hazards(w->m, NULL, NULL), 0);
	assert_int_equal(ms_machine_check(w->m, stderr), 0);
	ms_machine_free(w->m);
}

static void map_anon(struct world *w, ms_hva_t at, uint64_t size)
{
	assert_int_equal(ms_mmap(w->mm, at, size, MS_PROT_RW,
				 MS_MAP_PRIVATE | MS_MAP_ANONYMOUS | MS_MAP_FIXED, NULL, 0),
			 at);
}

static void assert_host_run(const struct ms_mm *mm, ms_hva_t from, ms_hva_t start, uint64_t size)
{
	struct ms_host_run run;

	assert_true(ms_host_next_run(mm, from, UINT64_MAX, &run));
	assert_int_equal(run.start, start);
	assert_int_equal(run.size, size);
}

/*
 *  |rw*       2M   |r.|rw*|rw*|  . |rw*|
 */
static void a_run_of_a_process_goes_over_leaves_of_all_sizes(void **state)
{
	struct world w = world(MS_ARCH_X86_64);
	const ms_hva_t pages = HVA + MS_2M;
	struct ms_host_run run;

	assert_int_equal(ms_mmap(w.mm, HVA, 2 * MS_2M, MS_PROT_RW, MS_MAP_SHARED,
				 ms_vfio_open(w.bar), UINT64_C(2) << 40),
			 HVA);
	assert_false(ms_host_next_run(w.mm, 0, UINT64_MAX, &run));
	assert_int_equal(ms_touch(w.mm, HVA, MS_PROT_W), MS_ACCESS_OK);
	// the second 2M is two VMAs, so that it is mapped by pages
	assert_int_equal(ms_madvise(w.mm, pages + MS_4K, MS_4K, MS_MADV_DONTFORK), 0);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(ms_touch(w.mm, pages + i * MS_4K, MS_PROT_R), MS_ACCESS_OK);
	assert_host_run(w.mm, 0, HVA, MS_2M + 4 * MS_4K);
	assert_host_run(w.mm, HVA + MS_4K, HVA, MS_2M + 4 * MS_4K);
	assert_host_run(w.mm, pages + MS_4K, pages + MS_4K, 3 * MS_4K);
	assert_true(ms_host_next_run(w.mm, HVA, HVA + MS_4K, &run));
	assert_int_equal(run.size, MS_2M); // no leaf that begins behind the end
	assert_int_equal(run.pa, BAR);
	// other rights end it
	assert_int_equal(ms_mprotect(w.mm, pages + MS_4K, MS_4K, MS_PROT_R), 0);
	assert_host_run(w.mm, 0, HVA, MS_2M + MS_4K);
	assert_host_run(w.mm, pages + MS_4K, pages + MS_4K, MS_4K);
	assert_false(ms_host_next_run(w.mm, pages + 4 * MS_4K, UINT64_MAX, &run));
	world_end(&w);
}

static void a_run_of_a_guest_goes_over_leaves_of_all_sizes(void **state)
{
	for (unsigned int arch = MS_ARCH_ARM64; arch <= MS_ARCH_X86_64; arch++) {
		struct world w = world(arch);
		struct ms_vm *vm = ms_vm_new(w.mm, 0);
		struct ms_guest_run run;

		map_anon(&w, HVA, 2 * MS_2M);
		assert_int_equal(ms_vm_set_slot(vm, 1, GPA, 2 * MS_2M, HVA, 0), 0);
		assert_false(ms_guest_next_run(vm, 0, UINT64_MAX, &run));
		for (unsigned int i = 0; i < 2; i++)
			assert_int_equal(ms_guest_write(vm, GPA + i * MS_2M).leaf.size, MS_2M);
		assert_true(ms_guest_next_run(vm, 0, UINT64_MAX, &run));
		assert_int_equal(run.ipa, GPA);
		assert_int_equal(run.size, 2 * MS_2M);
		assert_true(run.prot & MS_PROT_W);
		assert_true(ms_guest_next_run(vm, 0, GPA + 1, &run));
		assert_int_equal(run.size, MS_2M);
		assert_false(ms_guest_next_run(vm, GPA + 2 * MS_2M, UINT64_MAX, &run));
		world_end(&w);
	}
}

static void slots_are_gone_over_by_guest_address(void **state)
{
	struct world w = world(MS_ARCH_ARM64);
	struct ms_vm *vm = ms_vm_new(w.mm, 0);
	struct ms_slot slot;

	map_anon(&w, HVA, 2 * MS_2M);
	assert_false(ms_vm_next_slot(vm, 0, &slot));
	assert_int_equal(ms_vm_set_slot(vm, 7, GPA + MS_2M, MS_2M, HVA, MS_SLOT_LOG_DIRTY), 0);
	assert_int_equal(ms_vm_set_slot(vm, 9, GPA, MS_4K, HVA + MS_2M, MS_SLOT_READONLY), 0);
	assert_true(ms_vm_next_slot(vm, 0, &slot));
	assert_int_equal(slot.id, 9);
	assert_int_equal(slot.flags, MS_SLOT_READONLY);
	assert_null(slot.dirty);
	assert_true(ms_vm_next_slot(vm, slot.gpa + slot.size, &slot));
	assert_int_equal(slot.id, 7);
	assert_int_equal(slot.gpa, GPA + MS_2M);
	assert_int_equal(slot.size, MS_2M);
	assert_int_equal(slot.hva, HVA);
	assert_int_equal(slot.dirty[0], 0);
	assert_int_equal(ms_guest_write(vm, GPA + MS_2M + MS_4K).exit, MS_GUEST_OK);
	assert_true(ms_vm_get_slot(vm, 7, &slot));
	assert_int_equal(slot.dirty[0], 2);
	assert_false(ms_vm_get_slot(vm, 8, &slot));
	assert_false(ms_vm_next_slot(vm, GPA + 2 * MS_2M, &slot));
	world_end(&w);
}

static void vms_files_devices_and_claims_are_gone_over(void **state)
{
	struct world w = world(MS_ARCH_ARM64);
	struct ms_vm *first = ms_vm_new(w.mm, 0), *second = ms_vm_new(w.mm, 0);
	struct ms_device *other = ms_device_add(w.m, "another", MS_4K, MS_4K);
	struct ms_file *vfio = ms_vfio_open(w.bar), *sysfs = ms_pci_resource(other);
	struct ms_claimed claim;

	assert_ptr_equal(ms_vm_next(w.m, NULL), first);
	assert_ptr_equal(ms_vm_next(w.m, first), second);
	assert_null(ms_vm_next(w.m, second));
	assert_ptr_equal(ms_vm_mm(second), w.mm);
	assert_ptr_equal(ms_device_next(w.m, w.bar), other);
	assert_null(ms_device_next(w.m, other));
	assert_ptr_equal(ms_device_at(w.m, BAR + 1), w.bar);
	assert_ptr_equal(ms_file_next(w.m, NULL), sysfs);
	assert_ptr_equal(ms_file_next(w.m, sysfs), vfio);
	assert_string_equal(ms_file_name(vfio), "vfio");
	assert_true(ms_iomem_is_file(sysfs));
	assert_false(ms_iomem_is_file(vfio));
	assert_ptr_equal(ms_vfio_bar(vfio), w.bar);
	assert_null(ms_vfio_bar(sysfs));
	assert_true(ms_device_memory(w.bar));
	assert_int_equal(ms_vfio_set_memory(vfio, false), 0);
	assert_false(ms_device_memory(w.bar));
	assert_false(ms_iomem_next_claim(w.m, 0, &claim));
	assert_int_equal(ms_iomem_claim(w.m, BAR + MS_4K, 16), 0);
	assert_int_equal(ms_iomem_claim(w.m, MS_4K, MS_4K), 0);
	assert_true(ms_iomem_next_claim(w.m, 0, &claim));
	assert_int_equal(claim.start, MS_4K);
	assert_true(ms_iomem_next_claim(w.m, claim.end, &claim));
	assert_int_equal(claim.start, BAR + MS_4K);
	assert_int_equal(claim.end, BAR + MS_4K + 16);
	assert_false(ms_iomem_next_claim(w.m, claim.end, &claim));
	ms_vm_free(second);
	ms_mm_exit(w.mm);
	assert_null(ms_vm_mm(first));
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_of_a_process_goes_over_leaves_of_all_sizes),
		cmocka_unit_test(a_run_of_a_guest_goes_over_leaves_of_all_sizes),
		cmocka_unit_test(slots_are_gone_over_by_guest_address),
		cmocka_unit_test(vms_files_devices_and_claims_are_gone_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
