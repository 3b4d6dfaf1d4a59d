/* SPDX-License-Identifier: GPL-2.0-only */
/* What the MTRRs say of physical addresses. */
#include "phys/phys.h"

#define FIXED_END UINT64_C(0x100000) /* of the fixed ranges */
#define FOUR_GIB (UINT64_C(1) << 32)

/*
 * Where nobody has set a machine's MTRRs they are as firmware sets them, like those of the recorded
 * machines: the fixed ranges of the first megabyte, and a hole for PCI below 4G. The default is WB.
 */
static const struct ms_mtrr firmware[] = {
	{ 0xa0000, 0xc0000, MS_CACHE_UC },
	{ 0xc0000, 0x100000, MS_CACHE_WP },
	{ 0xc0000000, FOUR_GIB, MS_CACHE_UC },
};

int ms_mtrr_add(struct ms_machine *m, ms_pa_t pa, uint64_t size, int type)
{
	struct ms_phys *phys;
	struct ms_mtrr *all;

	if (!m)
		return -EINVAL;
	if (!size || size > UINT64_MAX - pa)
		return ms_refuse(m, -EINVAL, "%x bytes at %x are none, or wrap around", size, pa);
	if (type > MS_CACHE_WP || type == MS_CACHE_UC_MINUS)
		return ms_refuse(
			m, -EINVAL, "no MTRR can say %s",
			ms_refusal_text(ms_cache_name(m->policy.arch, (enum ms_cache)type)));
	phys = m->phys;
	all = ms_calloc(&m->alloc, phys->nr_mtrr + 1, sizeof(*all));
	if (!all)
		return ms_refuse(m, -ENOMEM, "no memory");
	if (phys->nr_mtrr)
		memcpy(all, phys->mtrr, phys->nr_mtrr * sizeof(*all));
	ms_free(&m->alloc, phys->mtrr);
	all[phys->nr_mtrr++] = (struct ms_mtrr){ pa, pa + size, type < 0 ? -1 : type };
	phys->mtrr = all;
	return 0;
}

/*
 * The type at pa: that of the last of the n ranges that covers it, or MS_MTRR_NOT_SAID where none
 * does. *end is lowered to where the answer may change.
 */
static int said(const struct ms_mtrr *mtrr, size_t n, ms_pa_t pa, ms_pa_t *end)
{
	while (n-- > 0) {
		if (mtrr[n].start > pa) {
			*end = ms_min_u64(*end, mtrr[n].start);
		} else if (mtrr[n].end > pa) {
			*end = ms_min_u64(*end, mtrr[n].end);
			return mtrr[n].type;
		}
	}
	return MS_MTRR_NOT_SAID;
}

/* The type at pa of a machine whose MTRRs nobody has set: RAM is WB, a BAR is as its address
 * says. */
static int by_firmware(const struct ms_machine *m, const struct ms_device *dev, ms_pa_t pa,
		       ms_pa_t *end)
{
	const struct ms_phys *phys = m->phys;
	size_t i = ms_ram_after(phys, pa >> m->page_shift);
	int type;

	if (dev)
		return dev->pa >= FOUR_GIB ? MS_CACHE_WB : MS_CACHE_UC;
	if (i < phys->nr_ram) {
		ms_pa_t ram_start = phys->ram[i].start << m->page_shift;

		if (ram_start <= pa) {
			*end = ms_min_u64(*end, phys->ram[i].end << m->page_shift);
			return MS_CACHE_WB;
		}
		*end = ms_min_u64(*end, ram_start);
	}
	type = said(firmware, sizeof(firmware) / sizeof(firmware[0]), pa, end);
	return type == MS_MTRR_NOT_SAID ? MS_CACHE_WB : type;
}

/* The type at pa. *end, the end of the range that is asked about, is lowered to where the type may
 * change. */
static int mtrr_at(const struct ms_machine *m, ms_pa_t pa, ms_pa_t *end)
{
	const struct ms_phys *phys = m->phys;
	const struct ms_device *dev = ms_device_after(phys, pa);
	int type;

	if (dev && dev->pa > pa) {
		*end = ms_min_u64(*end, dev->pa);
		dev = NULL;
	} else if (dev) {
		*end = ms_min_u64(*end, dev->pa + dev->size);
		if (dev->mtrr != MS_MTRR_NOT_SAID)
			return dev->mtrr;
	}
	if (!phys->nr_mtrr)
		return by_firmware(m, dev, pa, end);
	type = said(phys->mtrr, phys->nr_mtrr, pa, end);
	return type == MS_MTRR_NOT_SAID ? MS_CACHE_WB : type;
}

// mirrors mtrr_type_lookup(), arch/x86/kernel/cpu/mtrr/generic.c, 5.10+; mtrr_type_lookup_fixed(),
// arch/x86/kernel/cpu/mtrr/generic.c, 5.10 .. 6.4
int ms_mtrr_type(const struct ms_machine *m, ms_pa_t start, ms_pa_t end)
{
	int type = -1;

	if (start < FIXED_END && m->policy.mtrr_low_range == MS_MTRR_LOW_RANGE_FIRST_PAGE)
		end = ms_min_u64(end, start + m->page_size);

	for (ms_pa_t pa = start; pa < end;) {
		ms_pa_t next = end;
		int here = mtrr_at(m, pa, &next);

		if (here < 0 || (pa > start && here != type))
			return -1;
		type = here;
		pa = next;
	}
	return type;
}
