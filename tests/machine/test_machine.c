/* SPDX-License-Identifier: GPL-2.0-only */
/* A machine's configuration, hooks, and what it does when memory is out. */
#include "machine/rooms.h"

#include <mapsim/kvm.h>
#include <mapsim/mm.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct ms_policy *arm64(void)
{
	return ms_policy_linux("6.12.107", MS_ARCH_ARM64);
}

static const struct ms_policy *x86(void)
{
	return ms_policy_linux("6.12.107", MS_ARCH_X86_64);
}

/* Whether a machine can be made of it. */
static bool accepted(const struct ms_policy *policy, struct ms_machine_config config)
{
	struct ms_machine *m = ms_machine_new_config(policy, &config);

	ms_machine_free(m);
	return m;
}

static void zero_fields_take_arm64_defaults(void **state)
{
	struct ms_machine *m = ms_machine_new(arm64());
	const struct ms_machine_config *config = ms_machine_config(m);

	assert_int_equal(config->page_size, 4096);
	assert_int_equal(config->va_bits, 48);
	assert_int_equal(config->pa_bits, 48);
	assert_int_equal(config->ipa_bits, 40);
	assert_int_equal(config->thp, MS_THP_ALWAYS);
	assert_int_equal(config->shmem, MS_THP_NEVER);
	ms_machine_free(m);
}

static void zero_fields_take_x86_defaults(void **state)
{
	struct ms_machine *m = ms_machine_new(x86());

	assert_int_equal(ms_machine_config(m)->pa_bits, 46);
	assert_int_equal(ms_machine_config(m)->va_bits, 48);
	ms_machine_free(m);
}

static void machine_with_16k_pages_has_47_va_bits(void **state)
{
	const struct ms_machine_config config = { .page_size = 16384 };
	struct ms_machine *m = ms_machine_new_config(arm64(), &config);

	assert_int_equal(ms_machine_config(m)->va_bits, 47);
	ms_machine_free(m);
}

static void what_is_not_said_of_a_machine_takes_its_default(void **state)
{
	struct ms_machine *m = ms_machine_new_config(arm64(), &(struct ms_machine_config){ 0 });
	const struct ms_machine_config *config = ms_machine_config(m);

	assert_int_equal(config->thp, MS_THP_ALWAYS);
	assert_int_equal(config->shmem, MS_THP_NEVER);
	assert_int_equal(config->fwb, MS_FEATURE_PRESENT);
	assert_int_equal(config->tlbi_range, MS_FEATURE_PRESENT);
	assert_int_equal(config->pku, MS_FEATURE_PRESENT);
	assert_int_equal(config->pat, MS_FEATURE_PRESENT);
	assert_int_equal(config->dic, MS_FEATURE_ABSENT);
	assert_int_equal(config->idc, MS_FEATURE_ABSENT);
	assert_int_equal(config->mte, MS_FEATURE_ABSENT);
	ms_machine_free(m);
}

static void a_feature_is_there_or_not(void **state)
{
	assert_null(ms_machine_new_config(
		arm64(), &(struct ms_machine_config){ .mte = (enum ms_feature)3 }));
	assert_null(ms_machine_new_config(
		arm64(), &(struct ms_machine_config){ .pat = (enum ms_feature) - 1 }));
}

static void each_page_size_has_its_table_geometry(void **state)
{
	static const struct {
		uint64_t page_size;
		unsigned int page_shift, pmd_shift, pud_shift;
	} sizes[] = {
		{ 4096, 12, 21, 30 },
		{ 16384, 14, 25, 36 },
		{ 65536, 16, 29, 42 },
	};

	for (size_t i = 0; i < 3; i++) {
		const struct ms_machine_config config = { .page_size = sizes[i].page_size };
		struct ms_machine *m = ms_machine_new_config(arm64(), &config);

		assert_int_equal(m->page_size, sizes[i].page_size);
		assert_int_equal(m->page_shift, sizes[i].page_shift);
		assert_int_equal(m->pmd_shift, sizes[i].pmd_shift);
		assert_int_equal(m->pud_shift, sizes[i].pud_shift);
		ms_machine_free(m);
	}
}

static void page_sizes_are_those_of_the_architecture(void **state)
{
	assert_false(accepted(arm64(), (struct ms_machine_config){ .page_size = 8192 }));
	assert_false(accepted(arm64(), (struct ms_machine_config){ .page_size = 1 }));
	assert_false(accepted(x86(), (struct ms_machine_config){ .page_size = 16384 }));
	assert_true(accepted(x86(), (struct ms_machine_config){ .page_size = 4096 }));
}

static void va_bits_are_those_of_the_page_size(void **state)
{
	assert_true(accepted(arm64(), (struct ms_machine_config){ .va_bits = 39 }));
	assert_false(accepted(arm64(), (struct ms_machine_config){ .va_bits = 47 }));
	assert_false(accepted(arm64(), (struct ms_machine_config){ .va_bits = 52 }));
	assert_true(
		accepted(arm64(), (struct ms_machine_config){ .page_size = 16384, .va_bits = 36 }));
	assert_true(
		accepted(arm64(), (struct ms_machine_config){ .page_size = 65536, .va_bits = 52 }));
	assert_false(accepted(x86(), (struct ms_machine_config){ .va_bits = 57 }));
}

static void address_bits_have_bounds(void **state)
{
	assert_true(accepted(arm64(), (struct ms_machine_config){ .ipa_bits = 32 }));
	assert_false(accepted(arm64(), (struct ms_machine_config){ .ipa_bits = 31 }));
	assert_false(accepted(arm64(), (struct ms_machine_config){ .ipa_bits = 49 }));
	assert_true(accepted(arm64(),
			     (struct ms_machine_config){ .page_size = 65536, .ipa_bits = 52 }));
	assert_false(accepted(arm64(), (struct ms_machine_config){ .pa_bits = 52 }));
	assert_true(accepted(x86(), (struct ms_machine_config){ .pa_bits = 52 }));
	assert_false(accepted(x86(), (struct ms_machine_config){ .pa_bits = 53 }));
	assert_false(accepted(x86(), (struct ms_machine_config){ .pa_bits = 31 }));
}

static void thp_has_three_modes_and_shmem_six(void **state)
{
	assert_true(accepted(arm64(), (struct ms_machine_config){ .thp = MS_THP_NEVER }));
	assert_false(accepted(arm64(), (struct ms_machine_config){ .thp = MS_THP_WITHIN_SIZE }));
	assert_true(accepted(arm64(), (struct ms_machine_config){ .shmem = MS_THP_FORCE }));
	assert_false(accepted(arm64(), (struct ms_machine_config){ .shmem = (enum ms_thp_mode)7 }));
}

static void policy_must_be_there_and_valid(void **state)
{
	struct ms_policy policy = *arm64();

	assert_null(ms_machine_new(NULL));
	assert_true(accepted(&policy, (struct ms_machine_config){ 0 }));
	policy.s2_lock = (enum ms_policy_s2_lock)3;
	assert_false(accepted(&policy, (struct ms_machine_config){ 0 }));
	policy = *arm64();
	policy.arch = (enum ms_arch)2;
	assert_false(accepted(&policy, (struct ms_machine_config){ 0 }));
}

static void policy_is_copied(void **state)
{
	struct ms_policy policy = *arm64();
	struct ms_machine *m = ms_machine_new(&policy);

	assert_int_equal(ms_policy_set(&policy, "s2_lock", "SPIN"), 0);
	assert_int_equal(ms_machine_policy(m)->s2_lock, MS_S2_LOCK_READ);
	ms_machine_free(m);
}

static void free_of_no_machine_is_nothing(void **state)
{
	ms_machine_free(NULL);
}

static void new_machine_is_null_whichever_allocation_fails(void **state)
{
	struct ms_machine *m = ms_machine_new(x86());
	uint64_t allocs = ms_machine_allocs(m);

	ms_machine_free(m);
	assert_true(allocs > 2);
	for (uint64_t n = 1; n <= allocs; n++) {
		errno = 0;
		assert_null(ms_machine_new_failing(x86(), NULL, n));
		assert_int_equal(errno, ENOMEM);
	}
	m = ms_machine_new_failing(x86(), NULL, allocs + 1);
	assert_non_null(m);
	ms_machine_free(m);
}

/* ---- hooks ---- */

struct seen {
	unsigned int calls;
	struct ms_machine *machine;
	enum ms_hook_point point;
	uint64_t addr;
};

static void see(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct seen *seen = arg;

	seen->calls++;
	seen->machine = m;
	seen->point = point;
	seen->addr = addr;
}

static void hook_is_called_at_its_point_alone(void **state)
{
	struct ms_machine *m = ms_machine_new(arm64());
	struct seen seen = { 0 };

	ms_machine_set_hook(m, MS_HOOK_S2_PFN_FOUND, see, &seen);
	ms_hook(m, MS_HOOK_S2_MAPPED, 0x1000);
	assert_int_equal(seen.calls, 0);
	ms_hook(m, MS_HOOK_S2_PFN_FOUND, 0x2000);
	assert_int_equal(seen.calls, 1);
	assert_ptr_equal(seen.machine, m);
	assert_int_equal(seen.point, MS_HOOK_S2_PFN_FOUND);
	assert_int_equal(seen.addr, 0x2000);
	ms_machine_free(m);
}

static void hook_that_was_removed_is_not_called(void **state)
{
	struct ms_machine *m = ms_machine_new(arm64());
	struct seen seen = { 0 };

	ms_machine_set_hook(m, MS_HOOK_S2_MAPPED, see, &seen);
	ms_machine_set_hook(m, MS_HOOK_S2_MAPPED, NULL, NULL);
	ms_hook(m, MS_HOOK_S2_MAPPED, 0);
	assert_int_equal(seen.calls, 0);
	ms_machine_free(m);
}

static void hook_at_no_point_is_ignored(void **state)
{
	struct ms_machine *m = ms_machine_new(arm64());
	struct seen seen = { 0 };

	ms_machine_set_hook(m, MS_HOOK_POINTS, see, &seen);
	for (enum ms_hook_point point = 0; point < MS_HOOK_POINTS; point++)
		ms_hook(m, point, 0);
	assert_int_equal(seen.calls, 0);
	ms_machine_free(m);
}

static void freeing_a_machine_calls_no_hook(void **state)
{
	struct ms_machine *m = ms_machine_new(arm64());
	struct ms_mm *mm = ms_mm_new(m);
	struct seen seen = { 0 };

	assert_non_null(mm);
	for (enum ms_hook_point point = 0; point < MS_HOOK_POINTS; point++)
		ms_machine_set_hook(m, point, see, &seen);
	ms_machine_free(m);
	assert_int_equal(seen.calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zero_fields_take_arm64_defaults),
		cmocka_unit_test(zero_fields_take_x86_defaults),
		cmocka_unit_test(machine_with_16k_pages_has_47_va_bits),
		cmocka_unit_test(what_is_not_said_of_a_machine_takes_its_default),
		cmocka_unit_test(a_feature_is_there_or_not),
		cmocka_unit_test(each_page_size_has_its_table_geometry),
		cmocka_unit_test(page_sizes_are_those_of_the_architecture),
		cmocka_unit_test(va_bits_are_those_of_the_page_size),
		cmocka_unit_test(address_bits_have_bounds),
		cmocka_unit_test(thp_has_three_modes_and_shmem_six),
		cmocka_unit_test(policy_must_be_there_and_valid),
		cmocka_unit_test(policy_is_copied),
		cmocka_unit_test(free_of_no_machine_is_nothing),
		cmocka_unit_test(new_machine_is_null_whichever_allocation_fails),
		cmocka_unit_test(hook_is_called_at_its_point_alone),
		cmocka_unit_test(hook_that_was_removed_is_not_called),
		cmocka_unit_test(hook_at_no_point_is_ignored),
		cmocka_unit_test(freeing_a_machine_calls_no_hook),
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
