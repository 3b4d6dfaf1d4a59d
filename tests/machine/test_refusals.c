/* SPDX-License-Identifier: GPL-2.0-only */
/* Why no machine is made. */
#include "core/core.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct ms_policy *kernel(enum ms_arch arch)
{
	return ms_policy_linux("6.12.107", arch);
}

struct bad_config {
	enum ms_arch arch;
	struct ms_machine_config config;
	const char *words;
};

static void a_field_is_refused_by_its_name_and_what_it_may_be(void **state)
{
	static const struct bad_config bad[] = {
		{ MS_ARCH_ARM64, { .page_size = 8192 }, "page_size: 4096, 16384 or 65536" },
		{ MS_ARCH_X86_64, { .page_size = 16384 }, "page_size: x86 has 4096" },
		{ MS_ARCH_ARM64, { .va_bits = 47 }, "va_bits: 4K pages have 39 or 48" },
		{ MS_ARCH_ARM64,
		  { .page_size = 16384, .va_bits = 39 },
		  "va_bits: 16K pages have 36, 47 or 48" },
		{ MS_ARCH_ARM64,
		  { .page_size = 65536, .va_bits = 39 },
		  "va_bits: 64K pages have 42, 48 or 52" },
		{ MS_ARCH_X86_64, { .va_bits = 57 }, "va_bits: x86 has 48" },
		{ MS_ARCH_ARM64, { .pa_bits = 52 }, "pa_bits: 32 to 48, 52 only with 64K pages" },
		{ MS_ARCH_X86_64, { .pa_bits = 31 }, "pa_bits: 32 to 52" },
		{ MS_ARCH_ARM64, { .ipa_bits = 49 }, "ipa_bits: 32 to 48, 52 only with 64K pages" },
		{ MS_ARCH_ARM64, { .page_size = 65536, .ipa_bits = 31 }, "ipa_bits: 32 to 52" },
		{ MS_ARCH_ARM64,
		  { .mmap_min_addr = UINT64_C(1) << 33 },
		  "mmap_min_addr: at most 0x100000000" },
		{ MS_ARCH_ARM64, { .thp = MS_THP_FORCE }, "thp: always, madvise or never" },
		{ MS_ARCH_ARM64,
		  { .shmem = (enum ms_thp_mode)7 },
		  "shmem: always, madvise, never, within_size, deny or force" },
		{ MS_ARCH_X86_64,
		  { .pku = (enum ms_feature)3 },
		  "pku: no such value of enum ms_feature" },
		{ MS_ARCH_X86_64,
		  { .pat = (enum ms_feature)3 },
		  "pat: no such value of enum ms_feature" },
		{ MS_ARCH_ARM64,
		  { .fwb = (enum ms_feature)3 },
		  "fwb: no such value of enum ms_feature" },
		{ MS_ARCH_ARM64,
		  { .dic = (enum ms_feature)3 },
		  "dic: no such value of enum ms_feature" },
		{ MS_ARCH_ARM64,
		  { .idc = (enum ms_feature)3 },
		  "idc: no such value of enum ms_feature" },
		{ MS_ARCH_ARM64,
		  { .mte = (enum ms_feature)3 },
		  "mte: no such value of enum ms_feature" },
		{ MS_ARCH_ARM64,
		  { .tlbi_range = (enum ms_feature)3 },
		  "tlbi_range: no such value of enum ms_feature" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct ms_policy *policy = kernel(bad[i].arch);

		assert_string_equal(ms_machine_refusal(policy, &bad[i].config), bad[i].words);
		errno = 0;
		assert_null(ms_machine_new_config(policy, &bad[i].config));
		assert_int_equal(errno, EINVAL);
	}
}

static void a_policy_is_refused_by_the_rule(void **state)
{
	struct ms_policy policy = *kernel(MS_ARCH_ARM64);

	assert_null(ms_machine_refusal(&policy, NULL));
	assert_string_equal(ms_machine_refusal(NULL, NULL), "policy: there is none");
	errno = 0;
	assert_null(ms_machine_new(NULL));
	assert_int_equal(errno, EINVAL);
	policy.s2_lock = (enum ms_policy_s2_lock)3;
	assert_string_equal(ms_machine_refusal(&policy, NULL),
			    "policy: rule s2_lock has no such value");
	policy = *kernel(MS_ARCH_ARM64);
	policy.arch = (enum ms_arch)2;
	assert_string_equal(ms_machine_refusal(&policy, NULL),
			    "policy: arch is neither arm64 nor x86_64");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_field_is_refused_by_its_name_and_what_it_may_be),
		cmocka_unit_test(a_policy_is_refused_by_the_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
