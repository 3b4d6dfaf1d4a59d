/* SPDX-License-Identifier: GPL-2.0-only */
/* The ranges of System RAM. */
#include "core/room.h"
#include "phys/phys.h"

#define X86_LOW_MEMORY_END UINT64_C(0x100000) /* also the end of the ISA range */

static int phys_init(struct ms_machine *m)
{
	m->phys = ms_zalloc(&m->alloc, sizeof(*m->phys));
	if (!m->phys)
		return -ENOMEM;
	RB_INIT(&m->phys->by_pa);
	RB_INIT(&m->phys->by_name);
	TAILQ_INIT(&m->phys->by_age);
	return 0;
}

size_t ms_ram_after(const struct ms_phys *phys, ms_pfn_t pfn)
{
	size_t low = 0, high = phys->nr_ram;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (phys->ram[mid].end <= pfn)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct ms_ram *ms_ram_of(const struct ms_machine *m, ms_pfn_t pfn)
{
	struct ms_phys *phys = m->phys;
	size_t i = phys->last;

	if (i < phys->nr_ram && pfn >= phys->ram[i].start && pfn < phys->ram[i].end)
		return &phys->ram[i];
	i = ms_ram_after(phys, pfn);
	if (i == phys->nr_ram || pfn < phys->ram[i].start)
		return NULL;
	phys->last = i;
	return &phys->ram[i];
}

bool ms_pfn_is_ram(const struct ms_machine *m, ms_pfn_t pfn)
{
	return m && ms_ram_of(m, pfn);
}

int ms_phys_check_free(struct ms_machine *m, ms_pa_t start, ms_pa_t end)
{
	const struct ms_phys *phys = m->phys;
	const struct ms_device *dev = ms_device_after(phys, start);
	size_t i = ms_ram_after(phys, start >> m->page_shift);
	const struct ms_ram *ram = i < phys->nr_ram ? &phys->ram[i] : NULL;

	if (ram && ram->start << m->page_shift < end)
		return ms_refuse(m, -EEXIST, "%x-%x: RAM %x-%x is in the way", start, end,
				 ram->start << m->page_shift, ram->end << m->page_shift);
	if (dev && dev->pa < end)
		return ms_refuse(m, -EEXIST, "%x-%x: device %s (%x-%x) is in the way", start, end,
				 ms_refusal_text(dev->name), dev->pa, dev->pa + dev->size);
	return 0;
}

int ms_phys_check_range(struct ms_machine *m, ms_pa_t pa, uint64_t size)
{
	ms_pa_t limit = UINT64_C(1) << m->config.pa_bits;

	if (!size)
		return ms_refuse(m, -EINVAL, "no bytes at %x", pa);
	if (pa >= limit || size > limit - pa)
		return ms_refuse(m, -EINVAL, "%x bytes at %x reach beyond %u physical address bits",
				 size, pa, m->config.pa_bits);
	return 0;
}

/* The first page that may be handed out. Page 0 is not, as 0 often means that there is none; x86
 * leaves what is below 1 MiB to the firmware. */
static ms_pfn_t usable_start(const struct ms_machine *m, ms_pfn_t start, ms_pfn_t end)
{
	ms_pfn_t low = ms_is_x86(m) ? X86_LOW_MEMORY_END >> m->page_shift : 1;

	return ms_min_u64(ms_max_u64(start, low), end);
}

static int ram_init(struct ms_machine *m, struct ms_ram *ram, ms_pfn_t start, ms_pfn_t end)
{
	size_t nr_areas;

	*ram = (struct ms_ram){
		.start = start,
		.end = end,
		.usable_start = usable_start(m, start, end),
		.base = ms_align_down(start, UINT64_C(1) << MS_MAX_ORDER),
	};
	nr_areas = ms_area_index(ram, end - 1) + 1;
	while ((size_t)1 << ram->depth < nr_areas)
		ram->depth++;
	ram->area = ms_calloc(&m->alloc, nr_areas, sizeof(struct ms_area *));
	ram->node = ms_calloc(&m->alloc, 2, (size_t)1 << ram->depth);
	if (!ram->area || !ram->node) {
		ms_ram_destroy(m, ram);
		return -ENOMEM;
	}
	ms_free_tree_init(ms_ram_tree(ram), ram->usable_start - ram->base, end - ram->base);
	return 0;
}

static int ram_insert(struct ms_machine *m, ms_pfn_t start, ms_pfn_t end)
{
	struct ms_phys *phys = m->phys;
	struct ms_ram *grown, ram;
	size_t i = ms_ram_after(phys, start);

	grown = ms_reallocarray(&m->alloc, phys->ram, phys->nr_ram + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	phys->ram = grown;
	if (ram_init(m, &ram, start, end))
		return -ENOMEM;
	memmove(&grown[i + 1], &grown[i], (phys->nr_ram - i) * sizeof(*grown));
	grown[i] = ram;
	phys->nr_ram++;
	phys->free_pages += end - ram.usable_start;
	return 0;
}

int ms_ram_add(struct ms_machine *m, ms_pa_t pa, uint64_t size)
{
	if (!m)
		return -EINVAL;
	ms_pfn_t start, end;
	int err = ms_phys_check_range(m, pa, size);

	if (err)
		return err;
	start = ms_align_up(pa, m->page_size) >> m->page_shift;
	end = (pa + size) >> m->page_shift;
	if (start >= end)
		return ms_refuse(m, -EINVAL, "%x bytes at %x hold no whole page of %x", size, pa,
				 m->page_size);
	err = ms_phys_check_free(m, start << m->page_shift, end << m->page_shift);
	if (err)
		return err;
	if (ram_insert(m, start, end))
		return ms_refuse(m, -ENOMEM, "no memory");
	return 0;
}

/* The first page behind what a range touches. */
static ms_pfn_t pfn_up(const struct ms_machine *m, ms_pa_t end)
{
	return (end >> m->page_shift) + !ms_aligned(end, m->page_size);
}

bool ms_range_has_ram(const struct ms_machine *m, ms_pa_t start, ms_pa_t end)
{
	size_t i = ms_ram_after(m->phys, start >> m->page_shift);

	return i < m->phys->nr_ram && m->phys->ram[i].start < pfn_up(m, end);
}

/*
 * Pages below 1 MiB are never RAM here. Only a hole in front of some RAM makes the range mixed:
 * what follows the last piece of RAM is not looked at.
 * mirrors pat_pagerange_is_ram(), arch/x86/mm/pat/memtype.c, 5.10+; walk_system_ram_range(),
 * kernel/resource.c, 5.10+
 */
int ms_pagerange_is_ram(const struct ms_machine *m, ms_pa_t start, ms_pa_t end)
{
	const struct ms_phys *phys = m->phys;
	ms_pfn_t seen = start >> m->page_shift;
	ms_pfn_t end_pfn = pfn_up(m, end);
	ms_pfn_t from = ms_max_u64(seen, X86_LOW_MEMORY_END >> m->page_shift);
	bool found = false;

	for (size_t i = ms_ram_after(phys, from); i < phys->nr_ram; i++) {
		const struct ms_ram *ram = &phys->ram[i];

		if (ram->start >= end_pfn)
			break;
		if (ms_max_u64(ram->start, from) > seen)
			return -1;
		found = true;
		seen = ms_min_u64(ram->end, end_pfn);
	}
	return found;
}

static void ram_destroy_all(struct ms_machine *m)
{
	for (size_t i = 0; i < m->phys->nr_ram; i++)
		ms_ram_destroy(m, &m->phys->ram[i]);
	ms_free(&m->alloc, m->phys->ram);
}

static void phys_destroy(struct ms_machine *m)
{
	if (!m->phys)
		return;
	ms_page_bytes_destroy(m);
	ram_destroy_all(m);
	ms_memmap_destroy(m);
	ms_devices_destroy(m);
	ms_free(&m->alloc, m->phys->mtrr);
	ms_free(&m->alloc, m->phys);
	m->phys = NULL;
}

const struct ms_room ms_phys_room = {
	.name = "phys",
	.init = phys_init,
	.destroy = phys_destroy,
	.check = ms_phys_check,
	.hash = ms_phys_hash,
};
