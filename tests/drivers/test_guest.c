/* SPDX-License-Identifier: GPL-2.0-only */
/* What a guest sees of a device's mapping when it is revoked and comes back. */
#include "world.h"

#include <mapsim/kvm.h>

#define OFF_2 (UINT64_C(2) << 40)
#define GPA UINT64_C(0x80000000)

static struct ms_vm *vm_over(struct ms_mm *mm, uint64_t size)
{
	struct ms_vm *vm = ms_vm_new(mm, 40);

	assert_int_equal(ms_vm_set_slot(vm, 1, GPA, size, A, 0), 0);
	return vm;
}

/* How much of a naturally aligned 2M of vfio's a guest's fault maps. */
static uint64_t block_of_vfio(const struct ms_policy *k)
{
	switch (k->s2_pfnmap_block) {
	case MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF:
		return MS_2M;
	case MS_S2_PFNMAP_BLOCK_FROM_HOST_TABLE: // which has what vfio made
		return k->vfio == MS_VFIO_V3 &&
				       k->vfio_huge_align == MS_VFIO_HUGE_ALIGN_ROUNDED_AND_PFN
			       ? MS_2M
			       : MS_4K;
	default:
		return MS_4K;
	}
}

/* A VMA of 2M of vfio under a slot that is mapped by faults alone. */
static void memory_off_is_efault_for_the_guest_and_on_maps_again(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_ARM64);
		struct ms_mm *mm = ms_mm_new(m);
		struct ms_file *file = ms_vfio_open(bar_h(m));
		const uint64_t size = block_of_vfio(k);
		struct ms_guest_access got;
		struct ms_vm *vm;

		if (k->slot_pfnmap == MS_SLOT_PFNMAP_PREMAP) {
			machine_end(m);
			continue;
		}
		map(mm, A, MS_2M, file, OFF_2);
		vm = vm_over(mm, MS_2M);
		got = ms_guest_read(vm, GPA + 0x1000);
		assert_int_equal(got.exit, MS_GUEST_OK);
		assert_int_equal(got.leaf.size, size);
		ms_trace_clear(m);
		ms_vfio_set_memory(file, false);
		assert_int_equal(ms_trace_count(m, MS_EV_S2_UNMAP), 1);
		got = ms_guest_read(vm, GPA + 0x1000);
		assert_int_equal(got.exit, MS_GUEST_ERROR);
		assert_int_equal(got.err, -EFAULT);
		ms_vfio_set_memory(file, true);
		got = ms_guest_read(vm, GPA + 0x1000);
		assert_int_equal(got.exit, MS_GUEST_OK);
		assert_int_equal(got.leaf.size, size);
		assert_int_equal(got.leaf.pa, size == MS_2M ? H_PA : H_PA + 0x1000);
		machine_end(m);
	}
}

/* Where the slot is premapped; vfio knows of no touch, so that memory off reaches nobody. */
static void a_premapped_slot_outlives_memory_off_until_the_host_touches(void **state)
{
	struct ms_machine *m = machine(
		kernel_where(MS_ARCH_ARM64, "slot_pfnmap", "PREMAP")->release, MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_file *file = ms_vfio_open(bar_b(m));
	struct ms_vm *vm;

	map(mm, A, B_SIZE, file, OFF_2);
	vm = vm_over(mm, B_SIZE);
	ms_vfio_set_memory(file, false);
	assert_int_equal(ms_guest_write(vm, GPA).exit, MS_GUEST_OK);
	ms_vfio_set_memory(file, true);
	ms_touch(mm, A, MS_PROT_R);
	ms_vfio_set_memory(file, false);
	assert_int_equal(ms_guest_write(vm, GPA).err, -EFAULT);
	machine_end(m);
}

static void a_claimed_bar_is_lost_to_the_guest_or_not(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_ARM64);
		struct ms_mm *mm = ms_mm_new(m);
		struct ms_vm *vm;

		map(mm, A, B_SIZE, ms_pci_resource(bar_b(m)), 0);
		vm = vm_over(mm, B_SIZE);
		assert_int_equal(ms_guest_read(vm, GPA).exit, MS_GUEST_OK);
		ms_iomem_claim(m, B_PA, B_SIZE);
		ms_iomem_release(m, B_PA, B_SIZE);
		assert_int_equal(ms_guest_read(vm, GPA).exit,
				 k->revoke_scope == MS_REVOKE_SCOPE_DEVMEM ? MS_GUEST_OK
									   : MS_GUEST_ERROR);
		machine_end(m);
	}
}

/* kernfs' page_mkwrite keeps entries read-only after mprotect: no write for the guest. */
static void after_mprotect_the_guest_writes_when_the_host_has_written(void **state)
{
	struct ms_machine *m = machine("6.12.117", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_vm *vm;

	map(mm, A, B_SIZE, ms_pci_resource(bar_b(m)), 0);
	vm = vm_over(mm, B_SIZE);
	ms_mprotect(mm, A, B_SIZE, MS_PROT_R);
	ms_mprotect(mm, A, B_SIZE, MS_PROT_RW);
	assert_int_equal(ms_guest_write(vm, GPA).err, -EFAULT);
	ms_touch(mm, A, MS_PROT_W);
	assert_int_equal(ms_guest_write(vm, GPA).exit, MS_GUEST_OK);
	machine_end(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_off_is_efault_for_the_guest_and_on_maps_again),
		cmocka_unit_test(a_premapped_slot_outlives_memory_off_until_the_host_touches),
		cmocka_unit_test(a_claimed_bar_is_lost_to_the_guest_or_not),
		cmocka_unit_test(after_mprotect_the_guest_writes_when_the_host_has_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
