/* SPDX-License-Identifier: GPL-2.0-only */
/* A table that is broken on purpose: the check says what is wrong. */
#include "host.h"

#include "stage2/s2.h"

#define IPA UINT64_C(0x80000000)
#define PA UINT64_C(0x4000000000)

/* Three pages and a block behind them are mapped, one thing is spoilt, and this is what is said. */
static void check_with(struct ms_s2_config config, void (*spoil)(struct ms_s2 *s2),
		       const char *expected)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, config);
	const uint64_t page = s2_page_size(&s2->g);

	assert_int_equal(test_map(s2, IPA, 3 * page, PA, MS_PROT_R), 0);
	assert_int_equal(
		test_map(s2, IPA + level_size(&s2->g, 2), level_size(&s2->g, 2), PA, MS_PROT_R), 0);
	assert_null(ms_s2_check(s2));
	spoil(s2);
	assert_string_equal(ms_s2_check(s2), expected);
	ms_s2_free(s2);
	assert_int_equal(h.live, 0);
}

static void check_after(void (*spoil)(struct ms_s2 *s2), const char *expected)
{
	check_with(test_config(), spoil, expected);
}

/* ---- leaves ---- */

static void entry_not_valid(struct ms_s2 *s2)
{
	*walk(s2, IPA).word &= ~DESC_VALID;
}

static void block_not_aligned(struct ms_s2 *s2)
{
	*walk(s2, IPA + MS_2M).word += MS_4K;
}

static void leaf_with_a_software_bit(struct ms_s2 *s2)
{
	*walk(s2, IPA).word |= UINT64_C(1) << 55;
}

static void leaf_that_is_not_shareable(struct ms_s2 *s2)
{
	*walk(s2, IPA).word &= ~DESC_SH_INNER;
}

static void block_among_pages(struct ms_s2 *s2)
{
	*walk(s2, IPA).word &= ~DESC_TYPE;
}

/* The root of 48 bits is of level 0, where there are no blocks. */
static void block_of_512g(struct ms_s2 *s2)
{
	s2->tables[0].words[1] = *walk(s2, IPA + MS_2M).word;
	s2->tables[0].live++;
}

static void a_leaf_is_whole(void **state)
{
	struct ms_s2_config config = test_config();

	check_after(entry_not_valid, "an entry is neither valid nor 0");
	check_after(block_not_aligned, "a leaf's address is not aligned to its size");
	check_after(leaf_with_a_software_bit, "a leaf has bits that are not ours");
	check_after(leaf_that_is_not_shareable, "a leaf is not inner shareable");
	check_after(block_among_pages, "a block at the last level");
	config.ipa_bits = 48;
	check_with(config, block_of_512g, "a block at a level that has none");
}

/* ---- tables ---- */

static void count_too_high(struct ms_s2 *s2)
{
	s2->tables[walk(s2, IPA).table].live++;
}

static void leaf_removed_behind_its_count(struct ms_s2 *s2)
{
	*walk(s2, IPA).word = 0;
}

static void table_linked_twice(struct ms_s2 *s2)
{
	uint64_t *second = s2->tables[walk(s2, IPA + MS_2M).table].words;

	second[2] = second[0];
}

static void table_with_another_parent(struct ms_s2 *s2)
{
	s2->tables[walk(s2, IPA).table].parent++;
}

static void table_at_another_index(struct ms_s2 *s2)
{
	s2->tables[walk(s2, IPA).table].index++;
}

static void table_with_a_foreign_bit(struct ms_s2 *s2)
{
	s2->tables[0].words[2] |= UINT64_C(1) << 59;
}

static void table_behind_the_last(struct ms_s2 *s2)
{
	s2->tables[0].words[2] = table_desc(s2, s2->numbers);
}

static void root_as_a_table(struct ms_s2 *s2)
{
	s2->tables[0].words[2] = table_desc(s2, s2->g.root_pages - 1);
}

static void table_without_words(struct ms_s2 *s2)
{
	const uint32_t table = walk(s2, IPA).table;

	s2->host.free(s2->host.ctx, s2->tables[table].words, MS_4K);
	s2->tables[table].words = NULL;
}

/* 40 bits are a quarter of what the root of 64K pages could translate. */
static void leaf_beyond_the_ipa_space(struct ms_s2 *s2)
{
	s2->tables[0].words[s2->g.ipa_limit >> level_shift(&s2->g, 2)] =
		*walk(s2, IPA + level_size(&s2->g, 2)).word;
	s2->tables[0].live++;
}

static void table_not_counted(struct ms_s2 *s2)
{
	s2->linked--;
}

static void table_in_no_cache(struct ms_s2 *s2)
{
	s2->cached++;
}

static void tables_are_linked_once_and_counted(void **state)
{
	struct ms_s2_config config = test_config();

	check_after(count_too_high, "a table's count is not the number of its entries");
	check_after(leaf_removed_behind_its_count,
		    "a table's count is not the number of its entries");
	check_after(table_linked_twice, "a table is linked twice or does not know where");
	check_after(table_with_another_parent, "a table is linked twice or does not know where");
	check_after(table_at_another_index, "a table is linked twice or does not know where");
	check_after(table_with_a_foreign_bit, "a table descriptor has bits that are not ours");
	check_after(table_behind_the_last, "a table descriptor names no table");
	check_after(root_as_a_table, "a table descriptor names no table");
	check_after(table_without_words, "a table descriptor names no table");
	check_after(table_not_counted, "the number of linked tables is wrong");
	check_after(table_in_no_cache, "a table is lost");
	config.page_shift = 16;
	check_with(config, leaf_beyond_the_ipa_space, "an entry beyond the IPA space is in use");
}

/* ---- tables that wait to be used again ---- */

/* The two tables that the pages and the block needed; the second one counts as clean. */
static void empty(struct ms_s2 *s2)
{
	assert_int_equal(ms_s2_unmap(s2, IPA, 2 * MS_2M), 0);
	assert_int_equal(s2->pooled, 2);
	assert_null(ms_s2_check(s2));
	s2->tables[s2->pool[0]].live = 0;
	memset(s2->tables[s2->pool[0]].words, 0, MS_4K);
	s2->tables[s2->pool[1]].live = 0;
	memset(s2->tables[s2->pool[1]].words, 0, MS_4K);
	assert_null(ms_s2_check(s2));
}

static void freed_table_with_a_parent(struct ms_s2 *s2)
{
	empty(s2);
	s2->tables[s2->pool[0]].parent = 0;
}

static void first_word_of_a_clean_table(struct ms_s2 *s2)
{
	empty(s2);
	s2->tables[s2->pool[0]].words[0] = 1;
}

static void last_word_of_the_last_clean_table(struct ms_s2 *s2)
{
	empty(s2);
	s2->tables[s2->pool[1]].words[511] = 1;
}

static void freed_table_twice(struct ms_s2 *s2)
{
	empty(s2);
	s2->pool[s2->pooled++] = s2->pool[0];
}

static void freed_tables_are_clean_or_known_not_to_be(void **state)
{
	check_after(freed_table_with_a_parent, "a freed table is linked");
	check_after(first_word_of_a_clean_table, "a freed table that counts as clean is not");
	check_after(last_word_of_the_last_clean_table, "a freed table that counts as clean is not");
	check_after(freed_table_twice, "a table is lost");
}

/* ---- tables that are found without a walk ---- */

static struct s2_near *near_of(struct ms_s2 *s2, ms_ipa_t ipa, unsigned int level)
{
	struct s2_near *near = &s2->near[near_slot(ipa >> s2->g.whole_shift[level], level)];

	assert_ptr_equal(near, near_table(s2, ipa, level));
	return near;
}

static void another_address(struct ms_s2 *s2)
{
	remember_table(s2, IPA + MS_2M, walk(s2, IPA).table, 3);
}

static void another_slot(struct ms_s2 *s2)
{
	const struct s2_near *near = near_of(s2, IPA, 3);

	s2->near[near_slot(near->key, 3)] = *near;
}

static void another_table(struct ms_s2 *s2)
{
	near_of(s2, IPA, 3)->table = walk(s2, IPA + MS_2M).table;
}

static void other_words(struct ms_s2 *s2)
{
	near_of(s2, IPA, 2)->words++;
}

static void a_table_without_a_key(struct ms_s2 *s2)
{
	near_of(s2, IPA, 3)->key = 0;
}

/* Its number is that of a third table of the root, which is not there. */
static void a_root_table_beyond_the_ipa_space(struct ms_s2 *s2)
{
	assert_int_equal(s2->g.root_pages, 2);
	s2->near[near_slot(2, 1)] = (struct s2_near){ 3, 2, s2->tables[2].words };
}

static void tables_are_remembered_where_they_are(void **state)
{
	check_after(another_address, "a table is remembered where it is not");
	check_after(another_slot, "a table is remembered where it is not");
	check_after(another_table, "a table is remembered where it is not");
	check_after(other_words, "a table is remembered where it is not");
	check_after(a_root_table_beyond_the_ipa_space, "a table is remembered where it is not");
	check_after(a_table_without_a_key, "a table is remembered without its place");
}

static void use_last(struct ms_s2 *s2)
{
	assert_int_equal(test_map(s2, IPA + 7 * MS_4K, MS_4K, PA, MS_PROT_R), 0);
	assert_int_equal(s2->last.base, IPA);
	assert_int_equal(s2->last.span, MS_2M);
	assert_null(ms_s2_check(s2));
}

static void last_of_another_size(struct ms_s2 *s2)
{
	use_last(s2);
	s2->last.size = MS_2M;
}

static void last_of_another_table(struct ms_s2 *s2)
{
	use_last(s2);
	s2->last.table--;
}

static void last_of_other_words(struct ms_s2 *s2)
{
	use_last(s2);
	s2->last.words++;
}

static void last_beyond_the_ipa_space(struct ms_s2 *s2)
{
	use_last(s2);
	s2->last.span = s2->g.ipa_limit - IPA + MS_4K;
}

static void the_table_of_the_last_leaf_is_where_it_was(void **state)
{
	static const char where[] = "the table of the last leaf is not where it was";

	check_after(last_of_another_size, where);
	check_after(last_of_another_table, where);
	check_after(last_of_other_words, where);
	check_after(last_beyond_the_ipa_space, where);
}

/* ---- nothing is read behind the list of tables ---- */

/* Behind each piece of memory lies as much that is not the table's. */
static void *alloc_with_a_guard(void *ctx, size_t size)
{
	struct test_host *h = ctx;
	char *p = aligned_alloc(size, 2 * size);

	if (!p)
		return NULL;
	h->live++;
	memset(p, 0, size);
	memset(p + size, 0xff, size);
	return p;
}

static void a_list_that_is_full_has_nothing_behind_it(void **state)
{
	struct test_host h = { .allocs = 0 };
	struct ms_s2_host host = { .ctx = &h, .alloc = alloc_with_a_guard, .free = host_free };
	struct ms_s2_config config = test_config();
	struct ms_s2_cache cache = { .count = 0 };
	struct ms_s2 *s2;
	uint64_t *word;

	s2 = ms_s2_new(&config, &host);
	assert_non_null(s2);
	assert_int_equal(test_map(s2, IPA, MS_4K, PA, MS_PROT_R), 0);
	assert_int_equal(ms_s2_cache_fill(s2, &cache, 252, 252), 0);
	assert_int_equal(s2->numbers, s2->capacity);
	assert_null(ms_s2_check(s2));
	word = &s2->tables[0].words[2];
	*word = table_desc(s2, s2->numbers);
	assert_string_equal(ms_s2_check(s2), "a table descriptor names no table");
	ms_s2_free(s2);
	assert_int_equal(h.live, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leaf_is_whole),
		cmocka_unit_test(tables_are_linked_once_and_counted),
		cmocka_unit_test(freed_tables_are_clean_or_known_not_to_be),
		cmocka_unit_test(tables_are_remembered_where_they_are),
		cmocka_unit_test(the_table_of_the_last_leaf_is_where_it_was),
		cmocka_unit_test(a_list_that_is_full_has_nothing_behind_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
