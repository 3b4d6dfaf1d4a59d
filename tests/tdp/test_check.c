/* SPDX-License-Identifier: GPL-2.0-only */
/* A table that is broken on purpose: the check says what is wrong. */
#include "host.h"

#include "tdp/mmu.h"

/* Memory that is given back in the end only, since what is spoilt may be what knows of it. */
struct kept {
	void *memory[64];
	size_t n;
};

static void *kept_alloc(void *ctx, size_t size)
{
	struct kept *kept = ctx;
	void *p = aligned_alloc(size, size);

	assert_non_null(p);
	assert_true(kept->n < 64);
	kept->memory[kept->n++] = p;
	return memset(p, 0, size);
}

static void kept_free(void *ctx, void *memory, size_t size)
{
}

static uint64_t *word_at(struct ms_tdp *tdp, ms_ipa_t ipa)
{
	return walk(tdp, ipa, TDP_LAST_LEVEL).word;
}

static struct tdp_table *table_at(struct ms_tdp *tdp, ms_ipa_t ipa, unsigned int level)
{
	return &tdp->tables[walk(tdp, ipa, level).table];
}

/* Three pages, a huge leaf behind them, a mark, a table in which nothing is and spare pages: one
 * thing is spoilt, and this is what is said. */
static void check_with(struct ms_tdp_config config, void (*spoil)(struct ms_tdp *tdp),
		       const char *expected)
{
	struct kept kept = { .n = 0 };
	struct ms_tdp_host host = { &kept, kept_alloc, kept_free, NULL };
	struct ms_tdp *tdp = NULL;

	assert_int_equal(ms_tdp_new(&tdp, &config, &host), 0);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(ms_tdp_map(tdp, IPA + i * MS_4K, MS_TDP_4K, PA, RWX), 0);
	assert_int_equal(ms_tdp_map(tdp, IPA + MS_2M, MS_TDP_2M, PA, RX), 0);
	assert_int_equal(ms_tdp_map(tdp, IPA + 2 * MS_2M, MS_TDP_4K, PA, RX), 0);
	assert_int_equal(ms_tdp_zap(tdp, IPA + 2 * MS_2M, MS_4K), 1);
	assert_int_equal(ms_tdp_mark_mmio(tdp, IPA + MS_1G, 1), 0);
	assert_int_equal(ms_tdp_map(tdp, IPA + 3 * MS_4K, MS_TDP_4K, PA, RX), 0);
	assert_true(ms_tdp_zap_table(tdp, IPA + 2 * MS_2M, MS_TDP_2M));
	assert_int_equal(ms_tdp_map(tdp, IPA + 3 * MS_2M, MS_TDP_4K, PA, RX), 0);
	assert_int_equal(ms_tdp_map(tdp, IPA + 4 * MS_2M, MS_TDP_4K, PA, RX), 0);
	assert_int_equal(ms_tdp_zap(tdp, IPA + 3 * MS_2M, MS_4K), 1);
	assert_true(ms_tdp_zap_table(tdp, IPA + 4 * MS_2M, MS_TDP_2M));
	assert_int_equal(ms_tdp_map(tdp, IPA + 4 * MS_4K, MS_TDP_4K, PA, RX), 0);
	assert_true(tdp->spares && tdp->free_numbers);
	assert_null(ms_tdp_check(tdp));
	spoil(tdp);
	assert_non_null(ms_tdp_check(tdp));
	assert_string_equal(ms_tdp_check(tdp), expected);
	while (kept.n)
		free(kept.memory[--kept.n]);
}

static void check_after(void (*spoil)(struct ms_tdp *tdp), const char *expected)
{
	check_with(test_config(), spoil, expected);
}

/* ---- leaves ---- */

static void leaf_not_aligned(struct ms_tdp *tdp)
{
	*word_at(tdp, IPA + MS_2M) += MS_4K;
}

static void leaf_beyond_the_last_address(struct ms_tdp *tdp)
{
	*word_at(tdp, IPA) |= UINT64_C(1) << 41;
}

static void leaf_with_a_foreign_bit(struct ms_tdp *tdp)
{
	*word_at(tdp, IPA) |= UINT64_C(1) << 60;
}

static void large_leaf_among_pages(struct ms_tdp *tdp)
{
	*word_at(tdp, IPA) |= TDP_LARGE;
}

static void leaf_that_is_not_for_users(struct ms_tdp *tdp)
{
	*word_at(tdp, IPA) &= ~NPT_USER;
}

static void leaf_that_is_writable_without_the_mark(struct ms_tdp *tdp)
{
	*word_at(tdp, IPA) &= ~tdp->f.mmu_writable;
}

static void leaf_with_one_mark(struct ms_tdp *tdp)
{
	*word_at(tdp, IPA) &= ~(tdp->f.host_writable | TDP_W);
}

static void leaf_of_512g(struct ms_tdp *tdp)
{
	tdp->tables[0].words[1] = *word_at(tdp, IPA + MS_2M);
	tdp->tables[0].live++;
}

static void leaf_that_cannot_be_read(struct ms_tdp *tdp)
{
	*word_at(tdp, IPA) &= ~TDP_R;
}

static void accessed_leaf_with_rights_put_by(struct ms_tdp *tdp)
{
	*word_at(tdp, IPA) |= TDP_R << tdp->f.saved_shift;
}

static void leaf_without_rights_that_is_accessed(struct ms_tdp *tdp)
{
	*word_at(tdp, IPA) &= ~tdp->f.track;
}

static void half_executable_leaf(struct ms_tdp *tdp)
{
	*word_at(tdp, IPA) &= ~(UINT64_C(1) << 10);
}

static void a_leaf_is_whole(void **state)
{
	const char *alignment = "a leaf's address is not aligned to its size, or too large";
	const char *bits = "a leaf has bits that are not ours";
	struct ms_tdp_config ept = test_config_ept(true);

	check_after(leaf_not_aligned, alignment);
	check_after(leaf_beyond_the_last_address, alignment);
	check_after(leaf_with_a_foreign_bit, bits);
	check_after(large_leaf_among_pages, bits);
	check_after(leaf_that_is_not_for_users, "a leaf lacks what every leaf has");
	check_after(leaf_that_is_writable_without_the_mark,
		    "a leaf is writable but not KVM-writable");
	check_after(leaf_with_one_mark, "a leaf is KVM-writable but not host-writable");
	check_after(leaf_of_512g, "a leaf at a level that has none");
	check_with(ept, leaf_that_cannot_be_read, "a leaf is not readable");
	check_with(ept, accessed_leaf_with_rights_put_by, "an accessed leaf has rights put by");
	check_with(ept, leaf_without_rights_that_is_accessed, "a leaf without rights is accessed");
	check_with(ept, half_executable_leaf, "a leaf is half executable");
}

/* ---- marks ---- */

static void mark_without_its_value(struct ms_tdp *tdp)
{
	*word_at(tdp, IPA + MS_1G) &= ~(UINT64_C(1) << 51);
}

static void mark_of_another_page(struct ms_tdp *tdp)
{
	*word_at(tdp, IPA + MS_1G) += MS_4K;
}

static void mark_in_a_table_that_knows_of_none(struct ms_tdp *tdp)
{
	table_at(tdp, IPA + MS_1G, MS_TDP_4K)->marked = 0;
}

static void mark_of_2m(struct ms_tdp *tdp)
{
	*word_at(tdp, IPA + MS_2M) = *word_at(tdp, IPA + MS_1G);
}

static void a_mark_is_whole(void **state)
{
	const char *neither = "an entry is neither empty nor present nor a mark";

	check_after(mark_without_its_value, neither);
	check_after(mark_of_2m, neither);
	check_after(mark_of_another_page, "a mark is not that of its page");
	check_after(mark_in_a_table_that_knows_of_none, "a table does not know that it has marks");
}

/* ---- tables ---- */

static void count_too_high(struct ms_tdp *tdp)
{
	table_at(tdp, IPA, MS_TDP_4K)->live++;
}

static void leaf_removed_behind_its_count(struct ms_tdp *tdp)
{
	*word_at(tdp, IPA) = 0;
}

static void table_linked_twice(struct ms_tdp *tdp)
{
	uint64_t *words = table_at(tdp, IPA, MS_TDP_2M)->words;

	words[1] = words[0];
}

static void table_with_another_parent(struct ms_tdp *tdp)
{
	table_at(tdp, IPA, MS_TDP_4K)->parent++;
}

static void table_at_another_index(struct ms_tdp *tdp)
{
	table_at(tdp, IPA, MS_TDP_4K)->index++;
}

static void table_with_a_foreign_bit(struct ms_tdp *tdp)
{
	tdp->tables[0].words[0] |= UINT64_C(1) << 59;
}

static void table_behind_the_last(struct ms_tdp *tdp)
{
	tdp->tables[0].words[0] = table_entry(tdp, tdp->numbers);
}

static void table_that_was_given_back(struct ms_tdp *tdp)
{
	tdp->tables[0].words[0] = table_entry(tdp, tdp->free_number);
}

static void root_as_a_table(struct ms_tdp *tdp)
{
	tdp->tables[0].words[0] = table_entry(tdp, 0);
}

static void entry_beyond_the_last_address(struct ms_tdp *tdp)
{
	tdp->tables[0].words[2] = *word_at(tdp, IPA + MS_2M);
}

static void empty_table_with_a_page(struct ms_tdp *tdp)
{
	struct tdp_table *table = table_at(tdp, IPA + 3 * MS_2M, MS_TDP_4K);

	assert_true(shares_nothing(table));
	table->words = kept_alloc(tdp->host.ctx, MS_4K);
}

static void empty_table_with_marks(struct ms_tdp *tdp)
{
	table_at(tdp, IPA + 3 * MS_2M, MS_TDP_4K)->marked = 1;
}

static void a_table_counts_its_entries_and_is_linked_once(void **state)
{
	const char *count = "a table's count is not the number of its entries";
	const char *link = "a table is linked twice or does not know where";

	check_after(count_too_high, count);
	check_after(leaf_removed_behind_its_count, count);
	check_after(table_linked_twice, link);
	check_after(table_with_another_parent, link);
	check_after(table_at_another_index, link);
	check_after(table_with_a_foreign_bit, "an entry to a table has bits that are not ours");
	check_after(table_behind_the_last, "an entry points to no table");
	check_after(table_that_was_given_back, "an entry points to no table");
	check_after(root_as_a_table, "an entry points to no table");
	check_after(entry_beyond_the_last_address, "an entry beyond the last address is in use");
	check_after(empty_table_with_a_page, "a table in which nothing is has a page");
	check_after(empty_table_with_marks, "a table in which nothing is has marks");
}

/* ---- numbers and pages ---- */

static void wrong_number_of_tables(struct ms_tdp *tdp)
{
	tdp->linked++;
}

static void table_that_is_not_linked(struct ms_tdp *tdp)
{
	tdp->numbers++;
	tdp->tables[tdp->numbers - 1] = (struct tdp_table){ .words = tdp->tables[0].words };
}

static void number_that_is_free_and_in_use(struct ms_tdp *tdp)
{
	tdp->tables[tdp->free_number].words = tdp->tables[0].words;
}

static void number_that_nobody_has(struct ms_tdp *tdp)
{
	tdp->free_numbers--;
}

static void spare_page_that_nobody_counted(struct ms_tdp *tdp)
{
	tdp->spares--;
}

static void spare_page_that_is_not_there(struct ms_tdp *tdp)
{
	tdp->spares++;
}

static void spare_page_that_is_not_clean(struct ms_tdp *tdp)
{
	tdp->spare[1] = 1;
	tdp->spare[7] = 1;
}

static void numbers_and_pages_add_up(void **state)
{
	check_after(wrong_number_of_tables, "the number of linked tables is wrong");
	check_after(table_that_is_not_linked, "a table is lost");
	check_after(number_that_is_free_and_in_use, "a number is free and in use");
	check_after(number_that_nobody_has, "a number is lost");
	check_after(spare_page_that_nobody_counted, "there are more spare pages than were counted");
	check_after(spare_page_that_is_not_there, "a spare page is lost");
	check_after(spare_page_that_is_not_clean, "a spare page that counts as clean is not");
}

/* ---- what is remembered ---- */

static struct tdp_near *slot_of(struct ms_tdp *tdp, ms_ipa_t ipa)
{
	return &tdp->near[near_slot(near_key(ipa, MS_TDP_4K), MS_TDP_4K)];
}

static void remembered_table_that_is_another(struct ms_tdp *tdp)
{
	assert_int_not_equal(slot_of(tdp, IPA)->key, 0);
	slot_of(tdp, IPA)->table = 0;
}

static void remembered_table_with_other_words(struct ms_tdp *tdp)
{
	slot_of(tdp, IPA)->words += 1;
}

static void remembered_table_in_another_slot(struct ms_tdp *tdp)
{
	tdp->near[5] = *slot_of(tdp, IPA);
}

static void remembered_table_without_a_key(struct ms_tdp *tdp)
{
	slot_of(tdp, IPA)->key = 0;
}

static void last_table_that_is_another(struct ms_tdp *tdp)
{
	assert_int_not_equal(tdp->last.span, 0);
	tdp->last.base += MS_2M;
}

static void last_table_of_another_level(struct ms_tdp *tdp)
{
	tdp->last.shift = level_shift(MS_TDP_2M);
}

static void what_is_remembered_is_where_it_was(void **state)
{
	const char *near = "a table is remembered where it is not";
	const char *last = "the table of the last leaf is not where it was";

	check_after(remembered_table_that_is_another, near);
	check_after(remembered_table_with_other_words, near);
	check_after(remembered_table_in_another_slot, near);
	check_after(remembered_table_without_a_key, "a table is remembered without its place");
	check_after(last_table_that_is_another, last);
	check_after(last_table_of_another_level, last);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leaf_is_whole),
		cmocka_unit_test(a_mark_is_whole),
		cmocka_unit_test(a_table_counts_its_entries_and_is_linked_once),
		cmocka_unit_test(numbers_and_pages_add_up),
		cmocka_unit_test(what_is_remembered_is_where_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
