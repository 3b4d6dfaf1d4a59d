/* SPDX-License-Identifier: GPL-2.0-only */
/* What lib/pat refuses, and the words in which it says why. */
#include "memtype.h"

#define PAGE UINT64_C(0x1000)

static void assert_why(struct ms_machine *m, int err, const char *words)
{
	assert_int_equal(ms_last_refusal(m).err, err);
	assert_string_equal(ms_last_reason(m), words);
}

static void a_conflict_names_the_holder_and_both_types(void **state)
{
	struct ms_machine *m = *state;
	enum ms_cache got;

	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH + PAGE, MS_CACHE_UC_MINUS, NULL), 0);
	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH + 2 * PAGE, MS_CACHE_WC, NULL), -EBUSY);
	assert_why(m, -EBUSY, "0x180000000-0x180001000 is reserved as UC-, WC was asked for");
	// the first entry agrees, the second does not
	assert_int_equal(ms_memtype_reserve(m, HIGH + PAGE, HIGH + 2 * PAGE, MS_CACHE_WC, NULL), 0);
	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH + 2 * PAGE, MS_CACHE_UC_MINUS, NULL),
			 -EBUSY);
	assert_why(m, -EBUSY, "0x180001000-0x180002000 is reserved as WC, UC- was asked for");
	// whoever takes any type cannot have two
	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH + 2 * PAGE, MS_CACHE_WB, &got), -EBUSY);
	assert_why(m, -EBUSY,
		   "0x180000000-0x180001000 is reserved as UC- and 0x180001000-0x180002000 as WC");
}

static void a_range_is_refused_for_what_it_is(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH, MS_CACHE_WC, NULL), -EINVAL);
	assert_why(m, -EINVAL, "0x180000000-0x180000000 is an empty range");
	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH + PAGE, MS_CACHE_NGNRE, NULL), -EINVAL);
	assert_why(m, -EINVAL, "nGnRE is no memory type of x86");
	assert_int_equal(ms_memtype_reserve(m, 0xff000, 0x101000, MS_CACHE_WC, NULL), -EINVAL);
	assert_why(m, -EINVAL, "0xff000-0x101000 is RAM and other memory mixed");
	assert_int_equal(ms_memtype_free(m, 0xff000, 0x101000), -EINVAL);
	assert_why(m, -EINVAL, "0xff000-0x101000 is RAM and other memory mixed");
}

static void pages_of_ram_are_refused_one_by_one(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_memtype_reserve(m, RAM, RAM + PAGE, MS_CACHE_WP, NULL), -EINVAL);
	assert_why(m, -EINVAL, "0x200000-0x201000 is RAM, which cannot be WP");
	assert_int_equal(ms_memtype_reserve(m, RAM + PAGE, RAM + 2 * PAGE, MS_CACHE_WC, NULL), 0);
	assert_int_equal(ms_memtype_reserve(m, RAM, RAM + 4 * PAGE, MS_CACHE_UC_MINUS, NULL),
			 -EBUSY);
	assert_why(m, -EBUSY, "page 0x201000 of RAM is reserved as WC, UC- was asked for");
}

static void a_free_names_what_is_there_instead(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_memtype_free(m, HIGH, HIGH + PAGE), -EINVAL);
	assert_why(m, -EINVAL, "nothing is reserved in 0x180000000-0x180001000");
	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH + 4 * PAGE, MS_CACHE_WC, NULL), 0);
	assert_int_equal(ms_memtype_free(m, HIGH + PAGE, HIGH + 2 * PAGE), -EINVAL);
	assert_why(m, -EINVAL,
		   "no reservation is 0x180001000-0x180002000, one is 0x180000000-0x180004000 "
		   "(WC)");
	assert_int_equal(ms_memtype_free(m, HIGH, HIGH), -EINVAL);
	assert_why(m, -EINVAL, "nothing is reserved in 0x180000000-0x180000000");
}

static void an_ioremap_is_refused_for_its_range_or_its_type(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ioremap(m, HIGH, 0, MS_CACHE_WC), -EINVAL);
	assert_why(m, -EINVAL, "0x0 bytes at 0x180000000 are none, or wrap around");
	assert_int_equal(ms_ioremap(m, HIGH, PAGE, MS_CACHE_WP), -EINVAL);
	assert_why(m, -EINVAL, "x86 has no ioremap as WP");
	assert_int_equal(ms_ioremap(m, UINT64_C(1) << 46, PAGE, MS_CACHE_WC), -ENOMEM);
	assert_why(m, -ENOMEM,
		   "0x1000 bytes at 0x400000000000 reach beyond 46 physical address bits");
	assert_int_equal(ms_ioremap(m, RAM, PAGE, MS_CACHE_WC), -ENOMEM);
	assert_why(m, -ENOMEM, "ioremap of 0x200000-0x201000: RAM is in it");

	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH + PAGE, MS_CACHE_WB, NULL), 0);
	assert_int_equal(ms_ioremap(m, HIGH, PAGE, MS_CACHE_WC), -ENOMEM);
	assert_why(m, -ENOMEM,
		   "0x180000000-0x180001000 is reserved as WB, which an ioremap as WC cannot have");
	assert_int_equal(ms_memtype_reserve(m, HIGH + PAGE, HIGH + 2 * PAGE, MS_CACHE_WC, NULL), 0);
	// the memtype's reason, with the errno of ioremap
	assert_int_equal(ms_ioremap(m, HIGH, 2 * PAGE, MS_CACHE_WC), -ENOMEM);
	assert_why(m, -ENOMEM,
		   "0x180000000-0x180001000 is reserved as WB and 0x180001000-0x180002000 as WC");

	assert_int_equal(ms_iounmap(m, HIGH, PAGE), -EINVAL);
	assert_why(m, -EINVAL, "no ioremap is 0x180000000-0x180001000");
	assert_int_equal(ms_iounmap(m, HIGH, 0), -EINVAL);
	assert_why(m, -EINVAL, "0x0 bytes at 0x180000000 are none, or wrap around");
}

/* Each allocation fails once; what was refused has a reason each time. */
static void lack_of_memory_has_words(void **state)
{
	struct ms_machine *m = *state;
	uint64_t refused = 0, n = 0;
	int err;

	do {
		ms_machine_fail_alloc(m, ++n);
		err = ms_ioremap(m, HIGH, PAGE, MS_CACHE_UC_MINUS);
		ms_machine_fail_alloc(m, 0);
		if (!err)
			break;
		assert_int_equal(ms_last_refusal(m).number, ++refused);
		assert_why(m, -ENOMEM, "no memory");
	} while (err == -ENOMEM);
	assert_int_equal(err, 0);
	assert_true(refused > 0);

	ms_machine_fail_alloc(m, 1);
	assert_int_equal(ms_memtype_reserve(m, RAM, RAM + PAGE, MS_CACHE_WC, NULL), -ENOMEM);
	assert_why(m, -ENOMEM, "no memory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_conflict_names_the_holder_and_both_types, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_conflict_names_the_holder_and_both_types,
						setup_again, teardown),
		cmocka_unit_test_setup_teardown(a_range_is_refused_for_what_it_is, setup, teardown),
		cmocka_unit_test_setup_teardown(pages_of_ram_are_refused_one_by_one, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_free_names_what_is_there_instead, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_free_names_what_is_there_instead, setup_again,
						teardown),
		cmocka_unit_test_setup_teardown(an_ioremap_is_refused_for_its_range_or_its_type,
						setup, teardown),
		cmocka_unit_test_setup_teardown(lack_of_memory_has_words, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
