/* SPDX-License-Identifier: GPL-2.0-only */
/* What stands in an entry, bit by bit, in both formats. */
#include "host.h"

#include "tdp/mmu.h"

#define BIT(n) (UINT64_C(1) << (n))
#define PRESENT BIT(11)
#define LARGE BIT(7)

static uint64_t entry_of_map(struct ms_tdp_config config, unsigned int level, unsigned int attr)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, config);
	uint64_t entry;

	assert_int_equal(ms_tdp_map(tdp, IPA, level, PA, attr), 0);
	entry = entry_at(tdp, IPA);
	test_tdp_end(&h, tdp);
	return entry;
}

static int answer_to_map(struct ms_tdp_config config, unsigned int attr)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, config);
	int ret = ms_tdp_map(tdp, IPA, MS_TDP_4K, PA, attr);

	if (ret)
		assert_nothing(tdp, IPA);
	test_tdp_end(&h, tdp);
	return ret;
}

/* ---- NPT ---- */

static void npt_leaf_is_present_writable_user_and_has_its_marks_in_bits_9_and_10(void **state)
{
	struct ms_tdp_config config = test_config();

	assert_int_equal(entry_of_map(config, MS_TDP_4K, RWX), PA | BIT(0) | BIT(1) | BIT(2) |
								       BIT(5) | BIT(6) | BIT(9) |
								       BIT(10) | PRESENT);
	assert_int_equal(entry_of_map(config, MS_TDP_4K, RX),
			 PA | BIT(0) | BIT(2) | BIT(5) | PRESENT);
	assert_int_equal(entry_of_map(config, MS_TDP_4K, R),
			 PA | BIT(0) | BIT(2) | BIT(63) | PRESENT);
	assert_int_equal(entry_of_map(config, MS_TDP_2M, RX),
			 PA | BIT(0) | BIT(2) | BIT(5) | LARGE | PRESENT);
	assert_int_equal(entry_of_map(config, MS_TDP_1G, RX), entry_of_map(config, MS_TDP_2M, RX));
}

static void npt_has_no_memory_type_but_wb(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());
	struct ms_tdp_leaf leaf;

	assert_int_equal(answer_to_map(test_config(), RX | ms_tdp_cache(MS_CACHE_UC)), -EINVAL);
	assert_int_equal(answer_to_map(test_config(), RX | ms_tdp_cache(MS_CACHE_WC)), -EINVAL);
	assert_int_equal(answer_to_map(test_config(), RX | MS_TDP_IGNORE_PAT), -EINVAL);
	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_4K, PA, RX | ms_tdp_cache(MS_CACHE_WB)), 0);
	assert_true(ms_tdp_get_leaf(tdp, IPA, &leaf));
	assert_int_equal(leaf.cache, MS_CACHE_WB);
	assert_false(leaf.ignore_pat);
	test_tdp_end(&h, tdp);
}

/* The entries of all levels above a leaf of 4K, the root's first. */
static void entries_above_a_page(struct ms_tdp_config config, uint64_t entry[3])
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, config);

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_4K, PA, RX), 0);
	for (unsigned int i = 0; i < 3; i++)
		entry[i] = *walk(tdp, IPA, 4 - i).word;
	test_tdp_end(&h, tdp);
}

static void a_table_has_its_number_as_address_and_all_rights(void **state)
{
	struct ms_tdp_config ept = test_config_ept(true);
	uint64_t entry[3];

	entries_above_a_page(test_config(), entry);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(entry[i], (i + 1) * MS_4K | 7 | BIT(5) | PRESENT);
	entries_above_a_page(ept, entry);
	assert_int_equal(entry[2], 3 * MS_4K | 7 | BIT(10) | BIT(60) | BIT(63) | PRESENT);
	ept.ad_bits = true;
	ept.user_exec = false;
	ept.suppress_ve = false;
	entries_above_a_page(ept, entry);
	assert_int_equal(entry[2], 3 * MS_4K | 7 | BIT(8) | PRESENT);
}

/* An entry that is empty reads as KVM leaves it. */
static void nothing_has_the_bit_that_suppresses_ve(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config());
	unsigned int level;

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_4K, PA, RX), 0);
	assert_int_equal(ms_tdp_walk(tdp, IPA + MS_4K, &level), BIT(63));
	assert_int_equal(level, 1);
	assert_int_equal(ms_tdp_walk(tdp, IPA + MS_2M, &level), BIT(63));
	assert_int_equal(level, 2);
	assert_int_equal(ms_tdp_walk(tdp, UINT64_C(1) << 39, &level), BIT(63));
	assert_int_equal(level, 4);
	test_tdp_end(&h, tdp);
}

/* ---- EPT ---- */

static void ept_leaf_of_6_1_has_its_marks_in_bits_57_and_58(void **state)
{
	struct ms_tdp_config config = test_config_ept(false);

	config.ad_bits = true;
	config.suppress_ve = false;
	assert_int_equal(entry_of_map(config, MS_TDP_4K, RWX),
			 PA | 7 | 6 << 3 | BIT(8) | BIT(9) | BIT(57) | BIT(58) | PRESENT);
	assert_int_equal(entry_of_map(config, MS_TDP_2M, RX),
			 PA | 5 | 6 << 3 | LARGE | BIT(8) | PRESENT);
}

static void ept_leaf_with_two_execute_bits_has_its_marks_in_bits_53_and_55(void **state)
{
	struct ms_tdp_config config = test_config_ept(true);

	config.ad_bits = true;
	assert_int_equal(entry_of_map(config, MS_TDP_4K, RWX), PA | 7 | 6 << 3 | BIT(8) | BIT(9) |
								       BIT(10) | BIT(53) | BIT(55) |
								       BIT(63) | PRESENT);
	assert_int_equal(entry_of_map(config, MS_TDP_4K, R), PA | 1 | 6 << 3 | BIT(63) | PRESENT);
}

static void ept_without_accessed_bits_says_so_in_bit_60(void **state)
{
	assert_int_equal(entry_of_map(test_config_ept(false), MS_TDP_4K, RWX),
			 PA | 7 | 6 << 3 | BIT(57) | BIT(58) | BIT(60) | BIT(63) | PRESENT);
	assert_int_equal(entry_of_map(test_config_ept(true), MS_TDP_4K, RWX),
			 PA | 7 | 6 << 3 | BIT(8) | BIT(9) | BIT(10) | BIT(53) | BIT(55) | BIT(60) |
				 BIT(63) | PRESENT);
}

static void ept_leaf_that_was_not_accessed_puts_its_rights_by_and_loses_w(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config_ept(false));
	struct ms_tdp_leaf leaf;

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_4K, PA, RWX & ~A), 0);
	assert_int_equal(entry_at(tdp, IPA), PA | 6 << 3 | BIT(54) | BIT(56) | BIT(57) | BIT(58) |
						     BIT(60) | BIT(63) | PRESENT);
	assert_true(ms_tdp_get_leaf(tdp, IPA, &leaf));
	assert_int_equal(leaf.prot, 0);
	assert_int_equal(leaf.saved, R | X);
	assert_int_equal(leaf.bits, H | M);
	assert_int_equal(ms_tdp_set(tdp, IPA, leaf.saved | leaf.bits | A | W), 0);
	assert_leaf(tdp, IPA, IPA, MS_4K, PA, RWX);
	test_tdp_end(&h, tdp);

	assert_int_equal(entry_of_map(test_config_ept(true), MS_TDP_4K, RX & ~A),
			 PA | 6 << 3 | BIT(52) | BIT(54) | BIT(62) | BIT(60) | BIT(63) | PRESENT);
}

static void ept_without_accessed_bits_is_dirty_where_it_is_writable(void **state)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, test_config_ept(false));

	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_4K, PA, RWX & ~D), 0);
	assert_leaf(tdp, IPA, IPA, MS_4K, PA, RWX);
	assert_true(ms_tdp_wrprotect(tdp, IPA, MS_4K, MS_TDP_4K, MS_TDP_PROTECT_WRITE));
	assert_leaf(tdp, IPA, IPA, MS_4K, PA, R | X | H | M | A);
	test_tdp_end(&h, tdp);

	tdp = test_tdp(&h, test_config_ept(true));
	assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_4K, PA, RWX), 0);
	assert_true(ms_tdp_wrprotect(tdp, IPA, MS_4K, MS_TDP_4K, MS_TDP_PROTECT_WRITE));
	assert_leaf(tdp, IPA, IPA, MS_4K, PA, R | X | H | M | A | D);
	test_tdp_end(&h, tdp);
}

static void ept_leaf_says_its_memory_type(void **state)
{
	static const struct {
		enum ms_cache cache;
		uint64_t bits;
	} types[] = {
		{ MS_CACHE_UC, 0 }, { MS_CACHE_WC, 1 }, { MS_CACHE_WT, 4 },
		{ MS_CACHE_WP, 5 }, { MS_CACHE_WB, 6 },
	};
	struct ms_tdp_config config = test_config_ept(false);

	for (unsigned int i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct test_host h;
		struct ms_tdp *tdp = test_tdp(&h, config);
		struct ms_tdp_leaf leaf;

		assert_int_equal(ms_tdp_map(tdp, IPA, MS_TDP_2M, PA,
					    RX | ms_tdp_cache(types[i].cache) | MS_TDP_IGNORE_PAT),
				 0);
		assert_true(ms_tdp_get_leaf(tdp, IPA, &leaf));
		assert_int_equal(leaf.entry & 0x78, types[i].bits << 3 | BIT(6));
		assert_int_equal(leaf.cache, types[i].cache);
		assert_true(leaf.ignore_pat);
		test_tdp_end(&h, tdp);
	}
	assert_int_equal(answer_to_map(config, RX | ms_tdp_cache(MS_CACHE_UC_MINUS)), -EINVAL);
	assert_int_equal(answer_to_map(config, RX | 7u << 12), -EINVAL);
}

/* ---- both ---- */

static void rights_and_marks_that_kvm_would_warn_of_are_refused(void **state)
{
	static const unsigned int refused[] = {
		0,     X | A,          W | H | M,          R | W,        R | W | H, R | W | M,
		R | M, R | MS_PROT_PX, R | MS_PROT_DEVICE, R | 1u << 16,
	};

	for (unsigned int i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		assert_int_equal(answer_to_map(test_config(), refused[i]), -EINVAL);
		assert_int_equal(answer_to_map(test_config_ept(true), refused[i]), -EINVAL);
	}
	assert_int_equal(answer_to_map(test_config(), R | H), 0);
	assert_int_equal(answer_to_map(test_config(), R | H | M), 0);
}

static int answer_to_new(struct ms_tdp_config config)
{
	struct test_host h = { .allocs = 0 };
	struct ms_tdp_host host = { &h, host_alloc, host_free, NULL };
	struct ms_tdp *tdp = NULL;
	int ret = ms_tdp_new(&tdp, &config, &host);

	ms_tdp_free(tdp);
	assert_int_equal(h.live, 0);
	return ret;
}

static void configurations_that_no_cpu_has_are_refused(void **state)
{
	struct ms_tdp_config npt = test_config(), ept = test_config_ept(false), c;

	assert_int_equal(answer_to_new(npt), 0);
	assert_int_equal(answer_to_new(ept), 0);
	c = npt, c.levels = 3;
	assert_int_equal(answer_to_new(c), -EINVAL);
	c = npt, c.levels = 6;
	assert_int_equal(answer_to_new(c), -EINVAL);
	c = npt, c.pa_bits = 31;
	assert_int_equal(answer_to_new(c), -EINVAL);
	c = npt, c.pa_bits = 53;
	assert_int_equal(answer_to_new(c), -EINVAL);
	c = npt, c.ad_bits = false;
	assert_int_equal(answer_to_new(c), -EINVAL);
	c = npt, c.l1tf_bits = 46;
	assert_int_equal(answer_to_new(c), -EINVAL);
	c = npt, c.format = (enum ms_tdp_format)2;
	assert_int_equal(answer_to_new(c), -EINVAL);
	c = ept, c.l1tf_bits = 36, c.pa_bits = 36;
	assert_int_equal(answer_to_new(c), -EINVAL);
	c = ept, c.l1tf_bits = 47;
	assert_int_equal(answer_to_new(c), -EINVAL);
	c = ept, c.l1tf_bits = 44, c.pa_bits = 45;
	assert_int_equal(answer_to_new(c), -EINVAL);
	c = ept, c.l1tf_bits = 46, c.pa_bits = 46;
	assert_int_equal(answer_to_new(c), 0);
}

/* ---- marks ---- */

static uint64_t mark_of(struct ms_tdp_config config, ms_ipa_t ipa, uint64_t generation)
{
	struct test_host h;
	struct ms_tdp *tdp = test_tdp(&h, config);
	struct ms_tdp_mark mark;

	assert_int_equal(ms_tdp_mark_mmio(tdp, ipa, generation), 0);
	assert_true(ms_tdp_next_mmio(tdp, 0, UINT64_MAX, &mark));
	assert_int_equal(mark.ipa, ipa);
	assert_int_equal(mark.entry, entry_at(tdp, ipa));
	assert_int_equal(mark.generation, generation & (config.user_exec ? 0x3ffff : 0x7ffff));
	assert_nothing(tdp, ipa);
	test_tdp_end(&h, tdp);
	return mark.entry;
}

static void npt_mark_has_a_reserved_address_bit_and_the_generation_in_two_parts(void **state)
{
	struct ms_tdp_config config = test_config();

	assert_int_equal(mark_of(config, IPA, 0), IPA | BIT(51) | 7);
	assert_int_equal(mark_of(config, IPA, 0xff), IPA | BIT(51) | 7 | 0xffull << 3);
	assert_int_equal(mark_of(config, IPA, 0x100), IPA | BIT(51) | 7 | BIT(52));
	assert_int_equal(mark_of(config, IPA, 0xfff80000), IPA | BIT(51) | 7);
	config.user_exec = true;
	assert_int_equal(mark_of(config, IPA, 0xff), IPA | BIT(51) | 7 | 0x7full << 3 | BIT(52));
}

static void npt_with_52_address_bits_has_no_marks(void **state)
{
	struct ms_tdp_config config = test_config();
	struct test_host h;
	struct ms_tdp *tdp;

	config.pa_bits = 52;
	tdp = test_tdp(&h, config);
	assert_int_equal(ms_tdp_mark_mmio(tdp, IPA, 1), -EOPNOTSUPP);
	test_tdp_end(&h, tdp);
}

static void ept_mark_is_writable_and_not_readable(void **state)
{
	assert_int_equal(mark_of(test_config_ept(false), IPA, 3), IPA | 6 | 3 << 3);
}

/* 40 bits, five of which are set in every mark; what they hide stands five bits further up. */
static void mark_of_a_cpu_with_l1tf_sets_the_upper_address_bits_and_moves_them(void **state)
{
	struct ms_tdp_config config = test_config_ept(false);
	ms_ipa_t ipa = UINT64_C(0xa912345000);

	config.l1tf_bits = 40;
	assert_int_equal(mark_of(config, ipa, 0), (ipa & 0x7ffffffff) | UINT64_C(0xf8) << 32 |
							  (ipa & UINT64_C(0xf8) << 32) << 5 | 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			npt_leaf_is_present_writable_user_and_has_its_marks_in_bits_9_and_10),
		cmocka_unit_test(npt_has_no_memory_type_but_wb),
		cmocka_unit_test(a_table_has_its_number_as_address_and_all_rights),
		cmocka_unit_test(nothing_has_the_bit_that_suppresses_ve),
		cmocka_unit_test(ept_leaf_of_6_1_has_its_marks_in_bits_57_and_58),
		cmocka_unit_test(ept_leaf_with_two_execute_bits_has_its_marks_in_bits_53_and_55),
		cmocka_unit_test(ept_without_accessed_bits_says_so_in_bit_60),
		cmocka_unit_test(ept_leaf_that_was_not_accessed_puts_its_rights_by_and_loses_w),
		cmocka_unit_test(ept_without_accessed_bits_is_dirty_where_it_is_writable),
		cmocka_unit_test(ept_leaf_says_its_memory_type),
		cmocka_unit_test(rights_and_marks_that_kvm_would_warn_of_are_refused),
		cmocka_unit_test(configurations_that_no_cpu_has_are_refused),
		cmocka_unit_test(
			npt_mark_has_a_reserved_address_bit_and_the_generation_in_two_parts),
		cmocka_unit_test(npt_with_52_address_bits_has_no_marks),
		cmocka_unit_test(ept_mark_is_writable_and_not_readable),
		cmocka_unit_test(
			mark_of_a_cpu_with_l1tf_sets_the_upper_address_bits_and_moves_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
