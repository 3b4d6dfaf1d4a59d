/* SPDX-License-Identifier: GPL-2.0-only */
/* Shapes of tables, and descriptors bit by bit. */
#include "host.h"

#define IPA UINT64_C(0x80000000)

struct shape {
	unsigned int page_shift, ipa_bits, start_level, root_pages;
};

static const struct shape shapes[] = {
	{ 12, 32, 2, 4 }, { 12, 36, 1, 1 },  { 12, 39, 1, 1 },  { 12, 40, 1, 2 }, { 12, 42, 1, 8 },
	{ 12, 44, 0, 1 }, { 12, 48, 0, 1 },  { 12, 52, 0, 16 }, { 14, 32, 2, 1 }, { 14, 36, 2, 1 },
	{ 14, 39, 2, 8 }, { 14, 40, 2, 16 }, { 14, 42, 1, 1 },  { 14, 44, 1, 1 }, { 14, 48, 1, 2 },
	{ 14, 52, 0, 1 }, { 16, 32, 2, 1 },  { 16, 36, 2, 1 },  { 16, 39, 2, 1 }, { 16, 40, 2, 1 },
	{ 16, 42, 2, 1 }, { 16, 44, 2, 4 },  { 16, 48, 1, 1 },  { 16, 52, 1, 1 },
};

static struct ms_s2 *new_of_shape(struct test_host *h, unsigned int page_shift,
				  unsigned int ipa_bits)
{
	struct ms_s2_config config = test_config();

	config.page_shift = page_shift;
	config.ipa_bits = ipa_bits;
	return test_s2(h, config);
}

static void start_level_and_root_pages_follow_from_granule_and_ipa(void **state)
{
	struct test_host h;

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct ms_s2 *s2 = new_of_shape(&h, shapes[i].page_shift, shapes[i].ipa_bits);

		assert_int_equal(ms_s2_start_level(s2), shapes[i].start_level);
		assert_int_equal(ms_s2_root_pages(s2), shapes[i].root_pages);
		assert_int_equal(ms_s2_cache_min(s2), 3 - shapes[i].start_level);
		test_s2_end(&h, s2);
	}
}

/* In every shape of every IPA size the first and the last page can be mapped and found. */
static void every_ipa_size_maps_its_first_and_last_page(void **state)
{
	struct test_host h;

	for (unsigned int page_shift = 12; page_shift <= 16; page_shift += 2)
		for (unsigned int bits = 32; bits <= 52; bits++) {
			struct ms_s2 *s2 = new_of_shape(&h, page_shift, bits);
			uint64_t page = UINT64_C(1) << page_shift;
			ms_ipa_t last = (UINT64_C(1) << bits) - page;

			assert_in_range(ms_s2_root_pages(s2), 1, 16);
			assert_int_equal(test_map(s2, 0, page, page, MS_PROT_R), 0);
			assert_int_equal(test_map(s2, last, page, 2 * page, MS_PROT_R), 0);
			assert_leaf(s2, 0, 0, page, page, MS_PROT_R);
			assert_leaf(s2, last, last, page, 2 * page, MS_PROT_R);
			assert_int_equal(test_map(s2, last + page, page, page, MS_PROT_R), -ERANGE);
			test_s2_end(&h, s2);
		}
}

static void level_sizes_are_those_of_the_granule(void **state)
{
	static const uint64_t size[3][4] = {
		{ UINT64_C(1) << 39, MS_1G, MS_2M, MS_4K },
		{ UINT64_C(1) << 47, UINT64_C(1) << 36, UINT64_C(1) << 25, UINT64_C(1) << 14 },
		{ UINT64_C(1) << 55, UINT64_C(1) << 42, UINT64_C(1) << 29, UINT64_C(1) << 16 },
	};
	struct test_host h;

	for (unsigned int i = 0; i < 3; i++) {
		struct ms_s2 *s2 = new_of_shape(&h, 12 + 2 * i, 40);

		for (unsigned int level = 0; level < 4; level++)
			assert_int_equal(ms_s2_level_size(s2, level), size[i][level]);
		assert_int_equal(ms_s2_level_size(s2, 4), 0);
		test_s2_end(&h, s2);
	}
}

/* 4K has blocks of 1G and 2M, 16K of 32M only, 64K of 512M only; level 0 has none. */
static void blocks_exist_at_the_levels_of_the_granule(void **state)
{
	static const uint64_t largest[3] = { MS_1G, UINT64_C(32) << 20, UINT64_C(512) << 20 };
	struct test_host h;

	for (unsigned int i = 0; i < 3; i++) {
		struct ms_s2 *s2 = new_of_shape(&h, 12 + 2 * i, 48);
		struct ms_s2_leaf leaf;

		assert_int_equal(test_map(s2, 0, MS_1G * 512, 0, MS_PROT_R), 0);
		assert_true(ms_s2_get_leaf(s2, 0, &leaf));
		assert_int_equal(leaf.size, largest[i]);
		test_s2_end(&h, s2);
	}
}

static void assert_refused(const struct ms_s2_config *config, const struct ms_s2_host *host)
{
	errno = 0;
	assert_null(ms_s2_new(config, host));
	assert_int_equal(errno, EINVAL);
}

static void bad_configurations_are_refused(void **state)
{
	struct test_host h = { .allocs = 0 };
	struct ms_s2_host host = test_hooks(&h);
	struct ms_s2_config config = test_config();

	config.page_shift = 13;
	assert_refused(&config, &host);
	config.page_shift = 12;
	config.ipa_bits = 31;
	assert_refused(&config, &host);
	config.ipa_bits = 53;
	assert_refused(&config, &host);
	config.ipa_bits = 40;
	host.alloc = NULL;
	assert_refused(&config, &host);
	host.alloc = host_alloc;
	host.free = NULL;
	assert_refused(&config, &host);
	host.free = host_free;
	assert_refused(&config, NULL);
	assert_refused(NULL, &host);
	assert_int_equal(h.allocs, 0);
}

static void tables_need_no_callbacks_but_memory(void **state)
{
	struct test_host h = { .allocs = 0 };
	struct ms_s2_host host = { .ctx = &h, .alloc = host_alloc, .free = host_free };
	struct ms_s2_config config = test_config();
	struct ms_s2 *s2;

	config.fwb = false;
	config.unmap_defer = false;
	s2 = ms_s2_new(&config, &host);
	assert_non_null(s2);
	assert_int_equal(test_map(s2, IPA, MS_2M, MS_4K, MS_PROT_RW | MS_PROT_X), 0);
	assert_int_equal(ms_s2_wrprotect(s2, IPA, MS_2M), 0);
	assert_leaf(s2, IPA, IPA, MS_4K, MS_4K, MS_PROT_R | MS_PROT_X);
	assert_int_equal(ms_s2_flush(s2, IPA, MS_2M), 0);
	assert_int_equal(test_map(s2, IPA, MS_2M, 0, MS_PROT_R), 0);
	assert_int_equal(ms_s2_unmap(s2, IPA, MS_2M), 0);
	assert_int_equal(ms_s2_table_pages(s2), 0);
	ms_s2_flush_vmid(s2);
	test_s2_end(&h, s2);
}

static uint64_t desc_of(struct ms_s2_config config, uint64_t size, ms_pa_t pa, unsigned int prot)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, config);
	struct ms_s2_leaf leaf;

	assert_int_equal(test_map(s2, IPA, size, pa, prot), 0);
	assert_true(ms_s2_get_leaf(s2, IPA, &leaf));
	assert_int_equal(leaf.pa, pa);
	assert_int_equal(leaf.prot, prot);
	assert_int_equal(leaf.size, size);
	test_s2_end(&h, s2);
	return leaf.desc;
}

static void a_leaf_has_the_bits_of_the_architecture(void **state)
{
	struct ms_s2_config c = test_config();
	const uint64_t af_sh = 0x700, xn = UINT64_C(1) << 54;

	/* page: bits 1:0 = 3; block: 1 */
	assert_int_equal(desc_of(c, MS_4K, 0x12345000, MS_PROT_RW | MS_PROT_X),
			 0x12345000 | af_sh | 0xc0 | 6 << 2 | 3);
	assert_int_equal(desc_of(c, MS_2M, 0x12200000, MS_PROT_R),
			 0x12200000 | af_sh | 0x40 | xn | 6 << 2 | 1);
	assert_int_equal(desc_of(c, MS_1G, 0x40000000, MS_PROT_W),
			 0x40000000 | af_sh | 0x80 | xn | 6 << 2 | 1);
	assert_int_equal(desc_of(c, MS_4K, 0, MS_PROT_R | MS_PROT_DEVICE),
			 af_sh | 0x40 | xn | 1 << 2 | 3);
	assert_int_equal(desc_of(c, MS_4K, 0, MS_PROT_R | MS_PROT_NORMAL_NC),
			 af_sh | 0x40 | xn | 5 << 2 | 3);
}

static void a_leaf_without_fwb_has_the_architectures_other_memory_types(void **state)
{
	struct ms_s2_config c = test_config();
	const uint64_t af_sh = 0x700, xn = UINT64_C(1) << 54;

	c.fwb = false;
	assert_int_equal(desc_of(c, MS_4K, 0, MS_PROT_R), af_sh | 0x40 | xn | 0xf << 2 | 3);
	assert_int_equal(desc_of(c, MS_4K, 0, MS_PROT_R | MS_PROT_DEVICE),
			 af_sh | 0x40 | xn | 1 << 2 | 3);
	assert_int_equal(desc_of(c, MS_4K, 0, MS_PROT_R | MS_PROT_NORMAL_NC),
			 af_sh | 0x40 | xn | 5 << 2 | 3);
}

static void execute_never_takes_one_bit_or_two(void **state)
{
	struct ms_s2_config c = test_config();
	const uint64_t mask = UINT64_C(3) << 53;

	assert_int_equal(desc_of(c, MS_4K, 0, MS_PROT_R) & mask, UINT64_C(2) << 53);
	assert_int_equal(desc_of(c, MS_4K, 0, MS_PROT_X) & mask, 0);
	c.xn_two_bits = true;
	assert_int_equal(desc_of(c, MS_4K, 0, MS_PROT_R) & mask, UINT64_C(2) << 53);
	assert_int_equal(desc_of(c, MS_4K, 0, MS_PROT_X) & mask, 0);
	assert_int_equal(desc_of(c, MS_4K, 0, MS_PROT_UX) & mask, UINT64_C(1) << 53);
	assert_int_equal(desc_of(c, MS_4K, 0, MS_PROT_PX) & mask, UINT64_C(3) << 53);
}

static void pa_51_48_of_64k_pages_stands_in_bits_15_12(void **state)
{
	struct ms_s2_config c = test_config();

	c.page_shift = 16;
	c.ipa_bits = 52;
	assert_int_equal(desc_of(c, 0x10000, UINT64_C(0xa123456780000), MS_PROT_R) &
				 UINT64_C(0xfffffffff000),
			 UINT64_C(0x12345678a000));
}

/* LPA2: PA[51:50] in bits 9:8 where SH was, PA[49:48] in their own place. */
static void lpa2_keeps_pa_51_50_where_shareability_was(void **state)
{
	struct ms_s2_config c = test_config();

	c.ipa_bits = 52;
	assert_int_equal(desc_of(c, MS_4K, UINT64_C(0xb123456789000), MS_PROT_R),
			 UINT64_C(0x3123456789000) | 0x400 | 2 << 8 | 0x40 | UINT64_C(1) << 54 |
				 6 << 2 | 3);
	// one bit less, and it is not LPA2
	c.ipa_bits = 48;
	assert_int_equal(desc_of(c, MS_4K, UINT64_C(0x456789000), MS_PROT_R) & 0x300, 0x300);
	c.ipa_bits = 52;
	c.page_shift = 14;
	assert_int_equal(desc_of(c, 0x4000, UINT64_C(0xb123456788000), MS_PROT_R),
			 UINT64_C(0x3123456788000) | 0x400 | 2 << 8 | 0x40 | UINT64_C(1) << 54 |
				 6 << 2 | 3);
}

/* The same holds where the table is there already, page by page. */
static void upper_address_bits_are_kept_in_every_page_of_a_table(void **state)
{
	static const ms_pa_t high[] = { UINT64_C(1) << 48, UINT64_C(1) << 50 };
	struct ms_s2_config c = test_config();
	struct test_host h;

	c.ipa_bits = 52;
	for (c.page_shift = 12; c.page_shift <= 16; c.page_shift += 2)
		for (unsigned int i = 0; i < 2; i++) {
			struct ms_s2 *s2 = test_s2(&h, c);
			uint64_t page = UINT64_C(1) << c.page_shift;

			assert_int_equal(test_map(s2, IPA, page, 0, MS_PROT_R), 0);
			assert_int_equal(test_map(s2, IPA + page, page, high[i], MS_PROT_R), 0);
			assert_leaf(s2, IPA + page, IPA + page, page, high[i], MS_PROT_R);
			// and where that table was the one of the last page
			assert_int_equal(test_map(s2, IPA + 2 * page, page, 0, MS_PROT_R), 0);
			assert_int_equal(test_map(s2, IPA + 3 * page, page, high[i], MS_PROT_R), 0);
			assert_leaf(s2, IPA + 3 * page, IPA + 3 * page, page, high[i], MS_PROT_R);
			test_s2_end(&h, s2);
		}
}

/* A root of 16K pages translates 64G, of which 32 bits are 4G. */
static void entries_of_the_root_beyond_the_ipa_space_stay_empty(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = new_of_shape(&h, 14, 32);
	const uint64_t block = UINT64_C(32) << 20;

	assert_int_equal(test_map(s2, UINT64_C(1) << 32, block, 0, MS_PROT_R), -ERANGE);
	assert_int_equal(ms_s2_unmap(s2, UINT64_C(1) << 32, block), -ERANGE);
	assert_int_equal(test_map(s2, (UINT64_C(1) << 32) - block, block, 0, MS_PROT_R), 0);
	test_s2_end(&h, s2);
}

/* One run of pages may cross the border where the upper address bits change. */
static void a_run_of_pages_carries_into_the_upper_address_bits(void **state)
{
	struct ms_s2_host host;
	struct test_host h = { .allocs = 0 };
	struct ms_s2_config c = test_config();
	struct ms_s2 *s2;
	ms_pa_t pa = (UINT64_C(1) << 48) - 0x20000;

	c.page_shift = 16;
	c.ipa_bits = 52;
	host = test_hooks(&h);
	host.desc = NULL;
	host.cmo = NULL;
	s2 = ms_s2_new(&c, &host);
	assert_non_null(s2);
	assert_int_equal(test_map(s2, IPA, 0x40000, pa, MS_PROT_R), 0);
	for (uint64_t off = 0; off < 0x40000; off += 0x10000)
		assert_leaf(s2, IPA + off, IPA + off, 0x10000, pa + off, MS_PROT_R);
	test_s2_end(&h, s2);
}

struct granule_host {
	struct test_host memory; // first: it serves free
	size_t granule;
};

static void *alloc_of_granules(void *ctx, size_t size)
{
	const struct granule_host *h = ctx;

	assert_true(size >= h->granule && !(size & (size - 1)));
	return host_alloc(ctx, size);
}

/* A host may have nothing smaller to give. */
static void memory_is_asked_for_in_whole_granules(void **state)
{
	struct ms_s2_config config = test_config();

	for (config.page_shift = 12; config.page_shift <= 16; config.page_shift += 2) {
		struct granule_host h = { .granule = (size_t)1 << config.page_shift };
		struct ms_s2_host host = { .ctx = &h,
					   .alloc = alloc_of_granules,
					   .free = host_free };
		struct ms_s2 *s2;

		s2 = ms_s2_new(&config, &host);
		assert_non_null(s2);
		assert_int_equal(test_map(s2, IPA, h.granule, 0, MS_PROT_R), 0);
		test_s2_end(&h.memory, s2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_level_and_root_pages_follow_from_granule_and_ipa),
		cmocka_unit_test(every_ipa_size_maps_its_first_and_last_page),
		cmocka_unit_test(level_sizes_are_those_of_the_granule),
		cmocka_unit_test(blocks_exist_at_the_levels_of_the_granule),
		cmocka_unit_test(bad_configurations_are_refused),
		cmocka_unit_test(tables_need_no_callbacks_but_memory),
		cmocka_unit_test(a_leaf_has_the_bits_of_the_architecture),
		cmocka_unit_test(a_leaf_without_fwb_has_the_architectures_other_memory_types),
		cmocka_unit_test(execute_never_takes_one_bit_or_two),
		cmocka_unit_test(pa_51_48_of_64k_pages_stands_in_bits_15_12),
		cmocka_unit_test(lpa2_keeps_pa_51_50_where_shareability_was),
		cmocka_unit_test(upper_address_bits_are_kept_in_every_page_of_a_table),
		cmocka_unit_test(entries_of_the_root_beyond_the_ipa_space_stay_empty),
		cmocka_unit_test(a_run_of_pages_carries_into_the_upper_address_bits),
		cmocka_unit_test(memory_is_asked_for_in_whole_granules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
