/* SPDX-License-Identifier: GPL-2.0-only */
/* Creation of VMs, and what remains of one when its process or its machine ends. */
#include "world.h"

static int create(struct world *w, const struct ms_vm_config *config)
{
	struct ms_vm *vm = ms_vm_new_config(w->mm, config);
	int ret = vm ? 0 : -errno;

	ms_vm_free(vm);
	return ret;
}

static void vms_are_numbered_in_order_of_creation(void **state)
{
	struct world w = world("6.12.107");
	struct ms_vm *second = ms_vm_new(w.mm, 0);

	assert_int_equal(ms_vm_id(w.vm), 1);
	assert_int_equal(ms_vm_id(second), 2);
	world_end(&w);
}

static void an_x86_vm_has_a_nested_table_and_the_hosts_address_bits(void **state)
{
	struct ms_machine *m = ms_machine_new(ms_policy_linux("6.12.107", MS_ARCH_X86_64));
	struct ms_vm *vm = ms_vm_new(ms_mm_new(m), 40);

	assert_non_null(ms_vm_tdp(vm));
	assert_null(ms_vm_s2(vm));
	assert_int_equal(ms_tdp_limit(ms_vm_tdp(vm)), UINT64_C(1) << ms_machine_config(m)->pa_bits);
	ms_machine_free(m);
}

static void ipa_size_is_between_32_bits_and_the_hosts(void **state)
{
	const struct ms_machine_config config = { .ipa_bits = 44 };
	struct world w = world_config("6.12.107", &config);

	assert_int_equal(create(&w, &(struct ms_vm_config){ .ipa_bits = 31 }), -EINVAL);
	assert_int_equal(create(&w, &(struct ms_vm_config){ .ipa_bits = 32 }), 0);
	assert_int_equal(create(&w, &(struct ms_vm_config){ .ipa_bits = 44 }), 0);
	assert_int_equal(create(&w, &(struct ms_vm_config){ .ipa_bits = 45 }), -EINVAL);
	world_end(&w);
}

static void the_default_ipa_size_is_refused_by_a_host_below_40_bits(void **state)
{
	const struct ms_machine_config config = { .ipa_bits = 36 };
	struct ms_machine *m =
		ms_machine_new_config(ms_policy_linux("6.12.107", MS_ARCH_ARM64), &config);

	assert_null(ms_vm_new(ms_mm_new(m), 0));
	assert_non_null(ms_vm_new(ms_mm_new(m), 36));
	ms_machine_free(m);
}

static void initially_set_asks_for_manual_protect(void **state)
{
	struct world w = world("6.12.107");

	assert_int_equal(create(&w, &(struct ms_vm_config){ .dirty_initset = true }), -EINVAL);
	assert_int_equal(
		create(&w, &(struct ms_vm_config){ .dirty_initset = true, .dirty_manual = true }),
		0);
	world_end(&w);
}

static void eager_split_chunk_is_a_page_or_a_block(void **state)
{
	struct world w = world("6.12.107");

	assert_int_equal(create(&w, &(struct ms_vm_config){ .split_chunk = 0x1000 }), 0);
	assert_int_equal(create(&w, &(struct ms_vm_config){ .split_chunk = MS_2M }), 0);
	assert_int_equal(create(&w, &(struct ms_vm_config){ .split_chunk = MS_1G }), 0);
	assert_int_equal(create(&w, &(struct ms_vm_config){ .split_chunk = 2 * MS_2M }), -EINVAL);
	world_end(&w);
}

static void with_16k_pages_2m_is_no_block(void **state)
{
	const struct ms_machine_config config = { .page_size = 0x4000 };
	struct ms_machine *m =
		ms_machine_new_config(ms_policy_linux("6.12.107", MS_ARCH_ARM64), &config);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_vm *vm;

	assert_null(ms_vm_new_config(mm, &(struct ms_vm_config){ .split_chunk = MS_2M }));
	assert_int_equal(errno, EINVAL);
	vm = ms_vm_new_config(mm, &(struct ms_vm_config){ .split_chunk = 0x4000 });
	assert_non_null(vm);
	vm = ms_vm_new_config(mm, &(struct ms_vm_config){ .split_chunk = 0x2000000 });
	assert_non_null(vm);
	ms_machine_free(m);
}

static void kernels_before_6_5_split_nothing_eagerly(void **state)
{
	struct world w = world("6.1.192");

	assert_int_equal(create(&w, &(struct ms_vm_config){ .split_chunk = MS_2M }), -EINVAL);
	world_end(&w);
}

static void kernels_before_5_14_have_no_mte(void **state)
{
	const struct ms_machine_config config = { .mte = MS_FEATURE_PRESENT };
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world_config(k->release, &config);

		assert_int_equal(create(&w, &(struct ms_vm_config){ .mte = true }),
				 k->mte_vma == MS_MTE_VMA_NONE ? -EINVAL : 0);
		world_end(&w);
	}
}

static void closing_a_vm_tells_nothing(void **state)
{
	struct world w = world("6.12.107");

	map_pages(&w, HVA, PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_OK);
	events(&w);
	ms_vm_free(w.vm);
	w.vm = NULL;
	assert_string_equal(events(&w), "");
	// and the process does not know it any more
	assert_int_equal(ms_munmap(w.mm, HVA, PAGE), 0);
	assert_string_equal(events(&w), "");
	world_end(&w);
}

static void a_vm_whose_process_ended_answers_eio(void **state)
{
	struct world w = world("6.12.107");
	uint64_t word, npages;

	map_pages(&w, HVA, PAGE);
	assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, PAGE, HVA, 0), 0);
	assert_int_equal(ms_guest_write(w.vm, GPA).exit, MS_GUEST_OK);
	events(&w);
	ms_mm_exit(w.mm);
	assert_string_equal(events(&w), ""); // no s2.unmap
	assert_null(ms_vm_s2(w.vm));
	assert_int_equal(ms_vm_set_slot(w.vm, 2, 0, PAGE, HVA, 0), -EIO);
	assert_int_equal(ms_guest_read(w.vm, GPA).err, -EIO);
	assert_int_equal(ms_vm_get_dirty(w.vm, 1, &word, 1, &npages), -EIO);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vms_are_numbered_in_order_of_creation),
		cmocka_unit_test(an_x86_vm_has_a_nested_table_and_the_hosts_address_bits),
		cmocka_unit_test(ipa_size_is_between_32_bits_and_the_hosts),
		cmocka_unit_test(the_default_ipa_size_is_refused_by_a_host_below_40_bits),
		cmocka_unit_test(initially_set_asks_for_manual_protect),
		cmocka_unit_test(eager_split_chunk_is_a_page_or_a_block),
		cmocka_unit_test(with_16k_pages_2m_is_no_block),
		cmocka_unit_test(kernels_before_6_5_split_nothing_eagerly),
		cmocka_unit_test(kernels_before_5_14_have_no_mte),
		cmocka_unit_test(closing_a_vm_tells_nothing),
		cmocka_unit_test(a_vm_whose_process_ended_answers_eio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
