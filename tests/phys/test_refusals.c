/* SPDX-License-Identifier: GPL-2.0-only */
/* What lib/phys refuses, and the words in which it says why. */
#include "world.h"

#define RAM UINT64_C(0x40000000)
#define BAR UINT64_C(0x180000000)

static void assert_why(struct ms_machine *m, int err, const char *words)
{
	assert_int_equal(ms_last_refusal(m).err, err);
	assert_string_equal(ms_last_reason(m), words);
}

static void add_both(struct ms_machine *m)
{
	assert_int_equal(ms_ram_add(m, RAM, MS_2M), 0);
	assert_non_null(ms_device_add(m, "bar", BAR, MS_2M));
	assert_int_equal(ms_last_refusal(m).number, 0);
}

struct bad_range {
	ms_pa_t pa;
	uint64_t size;
	int err;
	const char *words;
};

static void ram_is_refused_with_what_is_in_the_way(void **state)
{
	static const struct bad_range bad[] = {
		{ RAM, 0, -EINVAL, "no bytes at 0x40000000" },
		{ UINT64_C(1) << 48, MS_4K, -EINVAL,
		  "0x1000 bytes at 0x1000000000000 reach beyond 48 physical address bits" },
		{ 0x1001, 0x1ffe, -EINVAL, "0x1ffe bytes at 0x1001 hold no whole page of 0x1000" },
		{ RAM - MS_4K, MS_2M, -EEXIST,
		  "0x3ffff000-0x401ff000: RAM 0x40000000-0x40200000 is in the way" },
		{ BAR + 0x800, MS_2M, -EEXIST,
		  "0x180001000-0x180200000: device bar (0x180000000-0x180200000) is in the way" },
	};
	struct ms_machine *m = *state;

	add_both(m);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(ms_ram_add(m, bad[i].pa, bad[i].size), bad[i].err);
		assert_why(m, bad[i].err, bad[i].words);
	}
	ms_machine_fail_alloc(m, 1);
	assert_int_equal(ms_ram_add(m, 2 * RAM, MS_2M), -ENOMEM);
	assert_why(m, -ENOMEM, "no memory");
}

static void assert_no_device(struct ms_machine *m, const char *name, ms_pa_t pa, uint64_t size,
			     int err, const char *words)
{
	errno = 0;
	assert_null(ms_device_add(m, name, pa, size));
	assert_int_equal(errno, -err);
	assert_why(m, err, words);
}

static void a_device_is_refused_with_what_is_in_the_way(void **state)
{
	struct ms_machine *m = *state;

	add_both(m);
	assert_no_device(m, NULL, 0, MS_4K, -EINVAL, "a device has a name");
	assert_no_device(m, "new", BAR, 0, -EINVAL, "no bytes at 0x180000000");
	assert_no_device(m, "new", BAR, 0 - BAR, -EINVAL,
			 "0xfffffffe80000000 bytes at 0x180000000 reach beyond 48 physical "
			 "address bits");
	assert_no_device(m, "new", RAM + MS_4K, MS_4K, -EEXIST,
			 "0x40001000-0x40002000: RAM 0x40000000-0x40200000 is in the way");
	assert_no_device(m, "new", BAR - 1, 2, -EEXIST,
			 "0x17fffffff-0x180000001: device bar (0x180000000-0x180200000) is in the "
			 "way");
	assert_no_device(m, "bar", 2 * BAR, MS_4K, -EEXIST,
			 "device bar is there already, at 0x180000000");
	for (uint64_t n = 1; n <= 2; n++) {
		ms_machine_fail_alloc(m, n);
		assert_no_device(m, "new", 2 * BAR, MS_4K, -ENOMEM, "no memory");
	}
}

static void an_mtrr_is_refused_for_its_range_or_its_type(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_mtrr_add(m, BAR, 0, MS_CACHE_WB), -EINVAL);
	assert_why(m, -EINVAL, "0x0 bytes at 0x180000000 are none, or wrap around");
	assert_int_equal(ms_mtrr_add(m, BAR, UINT64_MAX, MS_CACHE_WB), -EINVAL);
	assert_why(m, -EINVAL, "0xffffffffffffffff bytes at 0x180000000 are none, or wrap around");
	assert_int_equal(ms_mtrr_add(m, BAR, MS_4K, MS_CACHE_UC_MINUS), -EINVAL);
	assert_why(m, -EINVAL, "no MTRR can say UC-");
	assert_int_equal(ms_mtrr_add(m, BAR, MS_4K, MS_CACHE_NGNRE), -EINVAL);
	assert_why(m, -EINVAL, "no MTRR can say nGnRE");
	ms_machine_fail_alloc(m, 1);
	assert_int_equal(ms_mtrr_add(m, BAR, MS_4K, MS_CACHE_WB), -ENOMEM);
	assert_why(m, -ENOMEM, "no memory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ram_is_refused_with_what_is_in_the_way, setup_arm64,
						teardown),
		cmocka_unit_test_setup_teardown(a_device_is_refused_with_what_is_in_the_way,
						setup_arm64, teardown),
		cmocka_unit_test_setup_teardown(an_mtrr_is_refused_for_its_range_or_its_type,
						setup_x86, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
