/* SPDX-License-Identifier: GPL-2.0-only */
/* All of a table, for who compares one with another. */
#include "s2.h"

#include "internal.h"

struct each {
	const struct ms_s2 *s2;
	ms_s2_entry_fn *fn;
	void *ctx;
};

static void each_entry(const struct each *e, uint32_t number, ms_ipa_t base, unsigned int level);

static void tell_entry(const struct each *e, uint64_t desc, ms_ipa_t ipa, unsigned int level)
{
	const struct s2_format *f = &e->s2->f;

	if (desc_is_table(desc, level)) {
		e->fn(e->ctx, ipa, level, 0, 0);
		each_entry(e, desc_table(e->s2, desc), ipa, level + 1);
	} else if (desc_valid(desc)) {
		const ms_pa_t pa = desc_to_pa(f, desc);

		e->fn(e->ctx, ipa, level, desc & ~pa_to_desc(f, pa), pa);
	} else {
		e->fn(e->ctx, ipa, level, desc, 0);
	}
}

static void each_entry(const struct each *e, uint32_t number, ms_ipa_t base, unsigned int level)
{
	const struct s2_table *table = &e->s2->tables[number];
	const unsigned int shift = level_shift(&e->s2->g, level);

	for (unsigned int i = 0, left = table->live; left; i++)
		if (table->words[i]) {
			left--;
			tell_entry(e, table->words[i], base + ((uint64_t)i << shift), level);
		}
}

void ms_s2_each(const struct ms_s2 *s2, ms_s2_entry_fn *fn, void *ctx)
{
	const struct each e = { s2, fn, ctx };

	for (unsigned int i = 0; i < s2->g.root_pages; i++)
		each_entry(&e, i, (ms_ipa_t)i << s2->g.root_shift, s2->g.start_level);
}
