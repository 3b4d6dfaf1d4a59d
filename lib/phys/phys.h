/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of lib/phys: RAM ranges, and the three levels under each of them.
 *
 *     range   any number of areas          a tree of areas
 *     area    MS_MAX_ORDER: 512 sections   a tree of sections   made when first needed
 *     section 512 pages                    a tree of pages      made when first needed
 *
 * Each tree (tree.h) knows the largest free block below each of its nodes; a leaf of one level is
 * the root of the next. So RAM that nobody uses costs a few bytes a gigabyte.
 */
#ifndef MS_PHYS_PHYS_H
#define MS_PHYS_PHYS_H

#include "phys/internal.h"
#include "phys/tree.h"

#include <bsd/sys/tree.h>

#define MS_SECTION_ORDER 9u
#define MS_SECTION_PAGES (1u << MS_SECTION_ORDER)
#define MS_AREA_DEPTH (MS_MAX_ORDER - MS_SECTION_ORDER)
#define MS_AREA_SECTIONS (1u << MS_AREA_DEPTH)

struct ms_frames {
	uint8_t node[2 * MS_SECTION_PAGES];
	struct ms_page page[MS_SECTION_PAGES];
};

struct ms_section {
	struct ms_frames *frames; /* NULL: no page of it was looked at yet */
	uint8_t order; /* of the compound page that this section is part of, if that covers whole
			  sections; else 0 */
	uint8_t flags; /* of that compound page's tails */
};

struct ms_area {
	uint8_t node[2 * MS_AREA_SECTIONS];
	struct ms_section section[MS_AREA_SECTIONS];
};

/* struct page of [pfn, pfn + npages), which drivers see. */
struct ms_memmap {
	struct ms_struct_page *page;
	ms_pfn_t pfn;
	uint64_t npages;
};

struct ms_ram {
	ms_pfn_t start, end;   /* frames exist for [start, end) */
	ms_pfn_t usable_start; /* the allocator hands out [usable_start, end) */
	ms_pfn_t base;         /* start of the first area */
	struct ms_area **area;
	uint8_t *node; /* tree of the areas */
	unsigned int depth;
};

struct ms_device {
	RB_ENTRY(ms_device) by_pa, by_name;
	TAILQ_ENTRY(ms_device) by_age;
	struct ms_machine *machine;
	char *name;
	ms_pa_t pa;
	uint64_t size;
	bool prefetchable;
	bool off; /* its memory is turned off */
	int mtrr; /* enum ms_cache, -1: mixed or unknown, or: */
#define MS_MTRR_NOT_SAID (-2)
};

RB_HEAD(ms_device_tree, ms_device);
RB_HEAD(ms_devices_by_name, ms_device);

/* The MTRRs say `type` (enum ms_cache, or -1) of [start, end). */
struct ms_mtrr {
	ms_pa_t start, end;
	int type;
};

struct ms_phys {
	struct ms_ram *ram; /* ascending, apart from each other or touching */
	size_t nr_ram;
	size_t last; /* the range that was found last */
	/* The section whose frames were asked for last, if all of it is RAM; frames stay. */
	ms_pfn_t last_section;
	struct ms_frames *last_frames; /* NULL: none */
	uint64_t free_pages;
	struct ms_memmap *memmap; /* in the order in which somebody first asked for a part */
	size_t nr_memmap, last_memmap;
	uint64_t nr_raw; /* pages whose `raw` is set */
	ms_raw_freed_fn *raw_freed;
	struct ms_device_tree by_pa;
	struct ms_devices_by_name by_name;
	TAILQ_HEAD(, ms_device) by_age;
	struct ms_mtrr *mtrr; /* in the order in which they were added */
	size_t nr_mtrr;
	unsigned int devices_off;         /* devices whose memory is turned off */
	ms_pfn_t zero_pfn, huge_zero_pfn; /* 0: not made yet */
	struct ms_hugetlb_pool hugetlb[MS_HUGETLB_SIZES];
	ms_driver_bytes_fn *driver_bytes; /* NULL: no driver has pages */
	void *contents; /* contents.c: the root of its tree; NULL: no page has bytes */
};

/* The range that holds pfn, or NULL. */
struct ms_ram *ms_ram_of(const struct ms_machine *m, ms_pfn_t pfn);
/* Never handed out, of a page without a frame: where the allocator begins. */
static inline bool ms_page_is_reserved(const struct ms_machine *m, ms_pfn_t pfn)
{
	return pfn < ms_ram_of(m, pfn)->usable_start;
}
/* The index of the first range that ends after pfn (nr_ram: none). */
size_t ms_ram_after(const struct ms_phys *phys, ms_pfn_t pfn);

/* Does [pa, pa + size) exist? 0, -EINVAL. */
int ms_phys_check_range(struct ms_machine *m, ms_pa_t pa, uint64_t size);
/* Is there neither RAM nor a device in [start, end)? 0, -EEXIST. */
int ms_phys_check_free(struct ms_machine *m, ms_pa_t start, ms_pa_t end);

void ms_devices_destroy(struct ms_machine *m);
void ms_memmap_destroy(struct ms_machine *m);
/* All of struct page of these is 0 again. */
void ms_page_structs_clear(struct ms_machine *m, ms_pfn_t pfn, uint64_t npages);

/* A block that nobody holds goes back: its frames become plain, and it may be handed out. */
void ms_page_free(struct ms_machine *m, ms_pfn_t pfn, unsigned int order);
/* What is wrong with freeing it is told, and what a driver keeps in its struct page is forgotten.
 */
void ms_page_check_freed(struct ms_machine *m, ms_pfn_t pfn, unsigned int order);
/* The compound page of `order` becomes plain pages; the counts of all are 0. false: no memory. */
bool ms_page_disband(struct ms_machine *m, ms_pfn_t pfn, unsigned int order);

/* The area, or the frames of the section, in which a range's pfn lies; made if absent. NULL: no
 * memory. */
struct ms_area *ms_ram_area(struct ms_machine *m, struct ms_ram *ram, ms_pfn_t pfn);
struct ms_frames *ms_ram_frames(struct ms_machine *m, struct ms_ram *ram, ms_pfn_t pfn);
void ms_ram_destroy(struct ms_machine *m, struct ms_ram *ram);

static inline size_t ms_area_index(const struct ms_ram *ram, ms_pfn_t pfn)
{
	return (pfn - ram->base) >> MS_MAX_ORDER;
}
static inline size_t ms_section_index(ms_pfn_t pfn)
{
	return (pfn >> MS_SECTION_ORDER) & (MS_AREA_SECTIONS - 1);
}
static inline size_t ms_page_index(ms_pfn_t pfn)
{
	return pfn & (MS_SECTION_PAGES - 1);
}

/* The trees of a range, and of an area and of a section that exist. */
static inline struct ms_free_tree ms_ram_tree(const struct ms_ram *ram)
{
	return (struct ms_free_tree){ ram->node, ram->depth, MS_MAX_ORDER };
}
static inline struct ms_free_tree ms_area_tree(struct ms_area *area)
{
	return (struct ms_free_tree){ area->node, MS_AREA_DEPTH, MS_SECTION_ORDER };
}
static inline struct ms_free_tree ms_frames_tree(struct ms_frames *frames)
{
	return (struct ms_free_tree){ frames->node, MS_SECTION_ORDER, 0 };
}

#endif
