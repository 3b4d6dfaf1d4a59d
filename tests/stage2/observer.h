/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A CPU's view of a stage-2 table: it sees writes of descriptors and TLB invalidations, nothing
 * else, and keeps
 *   - each entry as the last write left it,
 *   - every translation that was once reachable and that a TLB may still hold.
 * Break-before-make (Arm ARM D8.16.1): a valid entry does not become another valid one, except for
 * permissions and the access flag; and nothing is made reachable where a TLB may hold something
 * else. Whoever breaks the rule fails the test at that write.
 */
#ifndef TEST_STAGE2_OBSERVER_H
#define TEST_STAGE2_OBSERVER_H

#include "host.h"

#include <assert.h>

#define OBSERVER_PERMS (UINT64_C(3) << 53 | UINT64_C(1) << 10 | UINT64_C(3) << 6)

struct stale {
	ms_ipa_t ipa;
	unsigned int level;
};

struct observer {
	struct test_host memory; // first: the host's alloc and free take it for their own
	ms_ipa_t base;           // of the window
	unsigned int page_shift, start_level;
	uint64_t *entry[4]; // of each level, from the one that translates base on
	size_t count[4];
	struct stale *stale;
	size_t nr_stale, room;
};
static_assert(offsetof(struct observer, memory) == 0, "one context serves all callbacks");

static inline unsigned int observer_shift(const struct observer *b, unsigned int level)
{
	return b->page_shift + (3 - level) * (b->page_shift - 3);
}

static inline void observer_init(struct observer *b, const struct ms_s2_config *config,
				 ms_ipa_t base, uint64_t size, unsigned int start_level)
{
	*b = (struct observer){
		.base = base,
		.page_shift = config->page_shift,
		.start_level = start_level,
	};
	for (unsigned int level = 0; level < 4; level++) {
		unsigned int shift = observer_shift(b, level);

		b->count[level] = ((base + size - 1) >> shift) - (base >> shift) + 1;
		b->entry[level] = calloc(b->count[level], sizeof(uint64_t));
		assert_non_null(b->entry[level]);
	}
}

static inline void observer_end(struct observer *b)
{
	for (unsigned int level = 0; level < 4; level++)
		free(b->entry[level]);
	free(b->stale);
}

static inline uint64_t *observer_entry(struct observer *b, ms_ipa_t ipa, unsigned int level)
{
	unsigned int shift = observer_shift(b, level);
	size_t i = (ipa >> shift) - (b->base >> shift);

	assert_true(i < b->count[level]);
	return &b->entry[level][i];
}

static inline bool observer_is_table(uint64_t d, unsigned int level)
{
	return level < 3 && (d & 3) == 3;
}

static inline bool observer_reachable(struct observer *b, ms_ipa_t ipa, unsigned int level)
{
	for (unsigned int above = b->start_level; above < level; above++)
		if (!observer_is_table(*observer_entry(b, ipa, above), above))
			return false;
	return true;
}

static inline void observer_add_stale(struct observer *b, ms_ipa_t ipa, unsigned int level)
{
	if (b->nr_stale == b->room) {
		b->room = b->room ? 2 * b->room : 64;
		b->stale = realloc(b->stale, b->room * sizeof(*b->stale));
		assert_non_null(b->stale);
	}
	b->stale[b->nr_stale++] = (struct stale){ ipa, level };
}

/* What an entry that goes leaves behind in a TLB; entries of a table that goes are forgotten. */
static inline void observer_retire(struct observer *b, ms_ipa_t ipa, unsigned int level,
				   uint64_t old)
{
	unsigned int shift = observer_shift(b, level);
	ms_ipa_t end = b->base + ((uint64_t)b->count[3] << b->page_shift);

	observer_add_stale(b, ipa, level);
	if (!observer_is_table(old, level))
		return;
	for (ms_ipa_t at = ipa; at < ipa + (UINT64_C(1) << shift);
	     at += UINT64_C(1) << observer_shift(b, level + 1)) {
		uint64_t *child;

		if (at + (UINT64_C(1) << observer_shift(b, level + 1)) <= b->base || at >= end)
			continue;
		child = observer_entry(b, at, level + 1);
		if (*child)
			observer_retire(b, at, level + 1, *child);
		*child = 0;
	}
}

static inline bool observer_overlaps(const struct observer *b, const struct stale *s, ms_ipa_t ipa,
				     uint64_t size)
{
	return s->ipa < ipa + size && ipa < s->ipa + (UINT64_C(1) << observer_shift(b, s->level));
}

static inline void observer_assert_nothing_stale(struct observer *b, ms_ipa_t ipa,
						 unsigned int level)
{
	for (size_t i = 0; i < b->nr_stale; i++)
		if (observer_overlaps(b, &b->stale[i], ipa,
				      UINT64_C(1) << observer_shift(b, level)))
			fail_msg("made before the TLBI: ipa %" PRIx64 " level %u", ipa, level);
}

static inline void observer_desc(void *ctx, ms_ipa_t ipa, unsigned int level, uint64_t old,
				 uint64_t desc)
{
	struct observer *b = ctx;
	uint64_t *entry = observer_entry(b, ipa, level);
	bool reachable = observer_reachable(b, ipa, level);

	assert_int_equal(*entry, old);
	assert_int_not_equal(old, desc);
	if (old && desc) {
		assert_false(observer_is_table(old, level) || observer_is_table(desc, level));
		assert_int_equal((old ^ desc) & ~OBSERVER_PERMS, 0);
	} else if (desc && reachable) {
		observer_assert_nothing_stale(b, ipa, level);
	} else if (old && reachable) {
		observer_retire(b, ipa, level, old);
	}
	*entry = desc;
}

/* level: the hint, 0: any. */
static inline void observer_invalidate(struct observer *b, ms_ipa_t ipa, uint64_t size,
				       unsigned int level)
{
	size_t kept = 0;

	for (size_t i = 0; i < b->nr_stale; i++)
		if (!observer_overlaps(b, &b->stale[i], ipa, size) ||
		    (level && b->stale[i].level != level))
			b->stale[kept++] = b->stale[i];
	b->nr_stale = kept;
}

static inline void observer_tlbi(void *ctx, enum ms_tlbi_kind kind, ms_ipa_t ipa, uint64_t size,
				 unsigned int level)
{
	struct observer *b = ctx;

	if (kind == MS_TLBI_VMID)
		b->nr_stale = 0;
	else if (kind == MS_TLBI_IPA)
		observer_invalidate(b, ipa, 1, level);
	else if (kind == MS_TLBI_IPA_RANGE)
		observer_invalidate(b, ipa, size, 0);
}

/* The entries that were seen are those that are there. */
static inline void observer_assert_same(struct observer *b, const struct ms_s2 *s2, ms_ipa_t ipa)
{
	struct ms_s2_leaf leaf;
	unsigned int level = b->start_level;

	while (observer_is_table(*observer_entry(b, ipa, level), level))
		level++;
	ms_s2_get_leaf(s2, ipa, &leaf);
	assert_int_equal(ms_s2_walk_level(s2, ipa), level);
	assert_int_equal(leaf.desc, *observer_entry(b, ipa, level));
}

#endif
