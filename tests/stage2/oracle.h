/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a stage-2 table must answer, kept without any table: for every page of a window, the leaf
 * that it belongs to. Each rule of mapping is written here a second time, over pages.
 */
#ifndef TEST_STAGE2_ORACLE_H
#define TEST_STAGE2_ORACLE_H

#include "host.h"

struct oracle_page {
	ms_pa_t pa;     // of the leaf
	uint32_t first; // page of the window where the leaf begins
	uint8_t level;  // 0: nothing is mapped
	uint8_t prot;
	bool young;
};

struct oracle {
	struct oracle_page *pages;
	ms_ipa_t base;
	uint32_t npages;
	unsigned int page_shift, min_block_level;
	uint32_t per_level[4]; // pages in a leaf
	bool same_leaf_eagain, absent_eagain, xn_two_bits, relax_takes_exec;
};

/* What KVM asks for; the rest of 7 bits is for who wants to see it refused. */
static inline unsigned int oracle_common_prot(uint64_t i)
{
	static const unsigned int common[] = {
		MS_PROT_R,
		MS_PROT_RW,
		MS_PROT_R | MS_PROT_X,
		MS_PROT_RW | MS_PROT_X,
		MS_PROT_RW | MS_PROT_DEVICE,
		MS_PROT_RW | MS_PROT_NORMAL_NC,
	};

	return common[i % 6];
}

#ifndef ORACLE_CALLOC
#define ORACLE_CALLOC calloc
#endif

static inline void oracle_init(struct oracle *o, const struct ms_s2_config *config, ms_ipa_t base,
			       uint64_t size)
{
	*o = (struct oracle){
		.base = base,
		.npages = (uint32_t)(size >> config->page_shift),
		.page_shift = config->page_shift,
		.min_block_level = config->page_shift == 12 ? 1 : 2,
		.same_leaf_eagain = config->same_leaf_eagain,
		.absent_eagain = config->absent_eagain,
		.relax_takes_exec = config->relax_takes_exec,
		.xn_two_bits = config->xn_two_bits,
	};
	o->pages = ORACLE_CALLOC(o->npages, sizeof(*o->pages));
	assert_non_null(o->pages);
	for (unsigned int level = 1; level < 4; level++)
		o->per_level[level] = 1u << (config->page_shift - 3) * (3 - level);
}

static inline ms_ipa_t oracle_ipa(const struct oracle *o, uint32_t page)
{
	return o->base + ((uint64_t)page << o->page_shift);
}

static inline void oracle_clear(struct oracle *o, uint32_t first, uint32_t n)
{
	memset(o->pages + first, 0, n * sizeof(*o->pages));
}

static inline void oracle_drop_leaf(struct oracle *o, uint32_t page)
{
	const struct oracle_page leaf = o->pages[page];

	if (leaf.level)
		oracle_clear(o, leaf.first, o->per_level[leaf.level]);
}

static inline void oracle_set_leaf(struct oracle *o, uint32_t first, unsigned int level, ms_pa_t pa,
				   unsigned int prot)
{
	for (uint32_t i = 0; i < o->per_level[level]; i++)
		o->pages[first + i] =
			(struct oracle_page){ pa, first, (uint8_t)level, (uint8_t)prot, true };
}

/* The page after the leaf, or after the hole of one page. */
static inline uint32_t oracle_next(const struct oracle *o, uint32_t page)
{
	const struct oracle_page *p = &o->pages[page];

	return p->level ? p->first + o->per_level[p->level] : page + 1;
}

static inline bool oracle_prot_is_valid(const struct oracle *o, unsigned int prot)
{
	bool px = prot & (MS_PROT_X | MS_PROT_PX), ux = prot & (MS_PROT_X | MS_PROT_UX);

	if ((prot & MS_PROT_DEVICE) && (prot & MS_PROT_NORMAL_NC))
		return false;
	if ((prot & (MS_PROT_DEVICE | MS_PROT_NORMAL_NC)) && (px || ux))
		return false;
	return px == ux || o->xn_two_bits;
}

/* As the table reports it: both execute permissions are X. */
static inline unsigned int oracle_prot(unsigned int prot)
{
	const unsigned int both = MS_PROT_PX | MS_PROT_UX;

	if ((prot & MS_PROT_X) || (prot & both) == both)
		return (prot & ~both) | MS_PROT_X;
	return prot;
}

/* The largest leaf for what is left of a request. */
static inline unsigned int oracle_level(const struct oracle *o, uint32_t page, uint32_t left,
					ms_pa_t pa)
{
	unsigned int level = o->min_block_level;

	for (; level < 3; level++) {
		uint64_t size = (uint64_t)o->per_level[level] << o->page_shift;

		if (o->per_level[level] <= left && !((oracle_ipa(o, page) | pa) & (size - 1)))
			break;
	}
	return level;
}

static inline bool oracle_same_but_perms(const struct oracle_page *old, unsigned int level,
					 ms_pa_t pa, unsigned int prot)
{
	const unsigned int type = MS_PROT_DEVICE | MS_PROT_NORMAL_NC;

	return old->level == level && old->pa == pa && old->young &&
	       (old->prot & type) == (prot & type);
}

static inline int oracle_map(struct oracle *o, uint32_t page, uint32_t n, ms_pa_t pa,
			     unsigned int prot)
{
	if (!oracle_prot_is_valid(o, prot))
		return -EINVAL;
	prot = oracle_prot(prot);
	while (n) {
		unsigned int level = oracle_level(o, page, n, pa);
		uint32_t span = o->per_level[level];

		if (o->same_leaf_eagain && oracle_same_but_perms(&o->pages[page], level, pa, prot))
			return -EAGAIN;
		for (uint32_t i = 0; i < span; i++)
			oracle_drop_leaf(o, page + i);
		oracle_set_leaf(o, page, level, pa, prot);
		page += span;
		n -= span;
		pa += (uint64_t)span << o->page_shift;
	}
	return 0;
}

static inline void oracle_unmap(struct oracle *o, uint32_t page, uint32_t n)
{
	for (uint32_t i = page; i < page + n; i++)
		oracle_drop_leaf(o, i);
}

/* Sets and clears in every page of the leaf. */
static inline void oracle_change(struct oracle *o, uint32_t page, unsigned int set,
				 unsigned int clear, int young)
{
	const struct oracle_page leaf = o->pages[page];

	for (uint32_t i = 0; leaf.level && i < o->per_level[leaf.level]; i++) {
		struct oracle_page *p = &o->pages[leaf.first + i];

		p->prot = (uint8_t)((p->prot & ~clear) | set);
		if (young >= 0)
			p->young = young;
	}
}

static inline void oracle_wrprotect(struct oracle *o, uint32_t page, uint32_t n)
{
	for (uint32_t i = page; i < page + n; i = oracle_next(o, i))
		oracle_change(o, i, 0, MS_PROT_W, -1);
}

static inline bool oracle_test_clear_young(struct oracle *o, uint32_t page, uint32_t n, bool clear)
{
	bool young = false;

	for (uint32_t i = page; i < page + n; i = oracle_next(o, i)) {
		young |= o->pages[i].young;
		if (clear)
			oracle_change(o, i, 0, 0, false);
	}
	return young;
}

static inline int oracle_mkyoung(struct oracle *o, uint32_t page)
{
	if (!o->pages[page].level)
		return o->absent_eagain ? -EAGAIN : 0;
	oracle_change(o, page, 0, 0, true);
	return 0;
}

static inline int oracle_relax(struct oracle *o, uint32_t page, unsigned int prot)
{
	const unsigned int x = MS_PROT_X | MS_PROT_PX | MS_PROT_UX;

	if (!oracle_prot_is_valid(o, prot & x))
		return -EINVAL;
	if (!o->pages[page].level)
		return o->absent_eagain ? -EAGAIN : 0;
	prot = oracle_prot(prot) & (MS_PROT_RW | x);
	oracle_change(o, page, prot, o->relax_takes_exec || (prot & x) ? x : 0, -1);
	return 0;
}

static inline int oracle_split(struct oracle *o, uint32_t page, uint32_t n, unsigned int tables)
{
	const unsigned int kept = MS_PROT_RW | MS_PROT_X | MS_PROT_PX | MS_PROT_UX;
	uint32_t i = page;

	while (i < page + n) {
		const struct oracle_page leaf = o->pages[i];
		unsigned int need = leaf.level == 2 ? 1 : o->per_level[2] + 1;
		unsigned int level = tables >= need ? 3 : leaf.level + 1;

		if (!leaf.level || leaf.level == 3) {
			i++;
			continue;
		}
		if (!tables)
			return -ENOMEM;
		tables -= level == 3 ? need : 1;
		for (uint32_t k = 0; k < o->per_level[leaf.level]; k += o->per_level[level])
			oracle_set_leaf(o, leaf.first + k, level,
					leaf.pa + ((uint64_t)k << o->page_shift), leaf.prot & kept);
	}
	return 0;
}

static inline void oracle_assert_leaf(const struct oracle *o, uint32_t page,
				      const struct ms_s2_leaf *leaf)
{
	const struct oracle_page *p = &o->pages[page];

	assert_int_equal(leaf->level, p->level);
	assert_int_equal(leaf->ipa, oracle_ipa(o, p->first));
	assert_int_equal(leaf->pa, p->pa);
	assert_int_equal(leaf->prot, p->prot);
	assert_int_equal(leaf->young, p->young);
	assert_int_equal(leaf->size, (uint64_t)o->per_level[p->level] << o->page_shift);
}

/* Every leaf of the table is the oracle's, and the other way round. */
static inline void oracle_assert_same(const struct oracle *o, const struct ms_s2 *s2)
{
	ms_ipa_t at = 0, end = UINT64_MAX;
	struct ms_s2_leaf leaf;
	uint32_t page = 0;

	while (ms_s2_next_leaf(s2, at, end, &leaf)) {
		uint32_t first = (uint32_t)((leaf.ipa - o->base) >> o->page_shift);

		assert_in_range(leaf.ipa, o->base, oracle_ipa(o, o->npages) - 1);
		for (; page < first; page++)
			assert_int_equal(o->pages[page].level, 0);
		oracle_assert_leaf(o, first, &leaf);
		page = oracle_next(o, first);
		at = leaf.ipa + leaf.size;
	}
	for (; page < o->npages; page++)
		assert_int_equal(o->pages[page].level, 0);
}

#endif
