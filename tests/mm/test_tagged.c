/* SPDX-License-Identifier: GPL-2.0-only */
/* arm64: the top byte of a user address is a tag. */
#include "world_of.h"

#define TAG (UINT64_C(0x5a) << 56)

static void the_cpu_does_not_see_tags(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, PAGE, MS_PROT_RW);
	touch(&w, A | TAG, MS_PROT_W);
	assert_true(present(&w, A));
	// with bit 55 the address is the kernel's
	assert_int_equal(ms_touch(w.mm, A | (UINT64_C(1) << 55), MS_PROT_R), MS_ACCESS_SIGSEGV);
	world_end(&w);
}

static void calls_on_what_is_mapped_take_tagged_addresses(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);

		map_anon(&w, A, 2 * PAGE, MS_PROT_RW);
		assert_int_equal(ms_mprotect(w.mm, A | TAG, PAGE, MS_PROT_R), 0);
		assert_int_equal(flags_at(&w, A) & MS_VM_ACCESS, MS_VM_READ);
		assert_int_equal(ms_mlock(w.mm, A | TAG, PAGE), 0);
		assert_true(flags_at(&w, A) & MS_VM_LOCKED);
		assert_int_equal(ms_munlock(w.mm, A | TAG, PAGE), 0);
		assert_false(flags_at(&w, A) & MS_VM_LOCKED);
		assert_int_equal(ms_madvise(w.mm, A | TAG, PAGE, MS_MADV_DONTFORK), 0);
		assert_true(flags_at(&w, A) & MS_VM_DONTCOPY);
		assert_int_equal(move_to(&w, A | TAG, PAGE, B), B);
		assert_int_equal(ms_munmap(w.mm, (A + PAGE) | TAG, PAGE), 0);
		assert_int_equal(ms_mm_map_count(w.mm), 1);
		world_end(&w);
	}
}

static void calls_that_choose_an_address_refuse_tagged_ones(void **state)
{
	struct world w = world("6.12.117");

	assert_int_equal(map_anon(&w, A | TAG, PAGE, MS_PROT_RW), -ENOMEM);
	map_anon(&w, A, PAGE, MS_PROT_RW);
	assert_int_equal(move_to(&w, A, PAGE, B | TAG), -EINVAL);
	world_end(&w);
}

static void taking_a_users_page_takes_tagged_addresses(void **state)
{
	struct world w = world("6.12.117");
	ms_pfn_t pfn = 0, again = 0;

	map_anon(&w, A, PAGE, MS_PROT_RW);
	assert_int_equal(ms_fixup_user_fault(w.mm, A | TAG, true), 0);
	assert_int_equal(ms_get_user_page(w.mm, A | TAG, true, &pfn, NULL), 0);
	assert_int_equal(ms_get_user_page_fast(w.mm, A | TAG, true, &again), 0);
	assert_int_equal(pfn, again);
	world_end(&w);
}

static void x86_has_no_tags(void **state)
{
	struct world w = world_thp("6.12.117", MS_ARCH_X86_64, MS_THP_NEVER);

	map_anon(&w, A, PAGE, MS_PROT_RW);
	assert_int_equal(ms_touch(w.mm, A | TAG, MS_PROT_R), MS_ACCESS_SIGSEGV);
	assert_int_equal(ms_munmap(w.mm, A | TAG, PAGE), -EINVAL);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cpu_does_not_see_tags),
		cmocka_unit_test(calls_on_what_is_mapped_take_tagged_addresses),
		cmocka_unit_test(calls_that_choose_an_address_refuse_tagged_ones),
		cmocka_unit_test(taking_a_users_page_takes_tagged_addresses),
		cmocka_unit_test(x86_has_no_tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
