/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What of a driver's state is in the model's memory: its kmallocs with what it wrote to them,
 * pages, claims, ioremaps, locks, what it has registered, and what it has been told once; and
 * beside that memory what ms_state_keep() names, such as its static variables.
 *
 * Nobody knows which words of a kmalloc are pointers. One that has the address of something that
 * was met, or of a place in a kmalloc, counts as that; other words count as they are.
 */
#include "core/hash.h"
#include "linux/state.h"
#include "phys/hash.h"

/* ---- kmallocs and pages ---- */

/* Where a word points to: the beginning of a kmalloc, or of what has bytes. NULL: nowhere. */
static const char *start_around(const struct ms_linux *lx, uint64_t addr)
{
	const struct ms_block *block = RB_ROOT(&lx->by_addr);
	const struct ms_slab *slab;

	while (block) {
		const uint64_t start = (uintptr_t)block->start;

		if (addr >= start && addr - start < block->size)
			return block->start;
		block = addr < start ? RB_LEFT(block, by_addr) : RB_RIGHT(block, by_addr);
	}
	slab = ms_slab_at(lx, addr);
	return slab ? ms_slab_object(slab, addr) : NULL;
}

static void add_word(struct ms_hash *h, const struct ms_linux *lx, uint64_t word)
{
	const char *to = word ? start_around(lx, word) : NULL;

	if (!word) { // most of what a page has
		ms_hash_add(h, 0);
	} else if (to) {
		ms_hash_known(h, ms_hash_object(to));
		ms_hash_add(h, word - (uintptr_t)to);
	} else if (!(word & 1) && ms_hash_is_known(h, word)) {
		ms_hash_known(h, word);
	} else {
		ms_hash_add(h, word);
	}
}

/*
 * What is kept beside the machine, in its order: so what its words point to gets a number, which
 * what is hashed later can refer to. A page is told by itself.
 */
static void add_kept_word(struct ms_hash *h, const struct ms_linux *lx, uint64_t word)
{
	const char *to = lx ? start_around(lx, word) : NULL;

	if (to) {
		ms_hash_name(h, ms_hash_object(to));
		ms_hash_known(h, ms_hash_object(to));
		ms_hash_add(h, word - (uintptr_t)to);
	} else if (!(word & 1) && word && ms_hash_is_known(h, word)) {
		ms_hash_known(h, word);
	} else {
		ms_hash_add(h, word);
	}
}

static void add_kept(struct ms_hash *h, const struct ms_linux *lx)
{
	for (const struct ms_kept *kept = h->machine->kept; kept; kept = kept->next) {
		const char *bytes = kept->start;

		ms_hash_add(h, kept->size);
		for (size_t at = 0; at < kept->size; at += sizeof(uint64_t)) {
			uint64_t word = 0;

			memcpy(&word, bytes + at, ms_min_u64(kept->size - at, sizeof(word)));
			add_kept_word(h, lx, word);
		}
	}
}

/* What somebody got, by itself: it lies where the allocator had put it. */
static uint64_t bytes_apart(struct ms_hash *h, const struct ms_linux *lx, const char *bytes,
			    uint64_t size, unsigned int kind)
{
	const uint64_t outer = ms_hash_apart(h);

	ms_hash_known(h, ms_hash_object(bytes));
	ms_hash_add(h, size << 2 | kind);
	for (uint64_t at = 0; at < size; at += sizeof(uint64_t)) {
		uint64_t word = 0;

		memcpy(&word, bytes + at, ms_min_u64(size - at, sizeof(word)));
		add_word(h, lx, word);
	}
	return ms_hash_apart_end(h, outer);
}

static uint64_t sum_of_blocks(struct ms_hash *h, const struct ms_linux *lx,
			      const struct ms_block *block)
{
	if (!block)
		return 0;
	return sum_of_blocks(h, lx, RB_LEFT(block, by_addr)) +
	       bytes_apart(h, lx, block->start, block->size, block->kind) +
	       sum_of_blocks(h, lx, RB_RIGHT(block, by_addr));
}

static uint64_t sum_of_slabs(struct ms_hash *h, const struct ms_linux *lx,
			     const struct ms_slab *slab)
{
	uint64_t sum;
	size_t size;

	if (!slab)
		return 0;
	sum = sum_of_slabs(h, lx, RB_LEFT(slab, by_addr)) +
	      sum_of_slabs(h, lx, RB_RIGHT(slab, by_addr));
	for (const char *p = NULL; (p = ms_slab_next(h->machine, slab, p, &size));)
		sum += bytes_apart(h, lx, p, size, 3);
	return sum;
}

/* The record of pages may outlive them; then it says nothing. */
static uint64_t sum_of_pages(struct ms_hash *h, const struct ms_block *block)
{
	const struct ms_page *page;
	uint64_t sum, outer;

	if (!block)
		return 0;
	sum = sum_of_pages(h, RB_LEFT(block, by_pfn)) + sum_of_pages(h, RB_RIGHT(block, by_pfn));
	page = ms_page_look(h->machine, block->pfn);
	if (!page || !page->refcount)
		return sum;
	outer = ms_hash_apart(h);
	ms_phys_hash_page(h, block->pfn);
	ms_hash_add(h, block->size);
	if (block->bytes)
		ms_hash_known(h, ms_hash_object(block->start));
	return sum + ms_hash_apart_end(h, outer);
}

/* ---- ranges ---- */

static uint64_t sum_of_remappings(struct ms_hash *h, const struct ms_remapping *r)
{
	uint64_t sum, outer;

	if (!r)
		return 0;
	sum = sum_of_remappings(h, RB_LEFT(r, node)) + sum_of_remappings(h, RB_RIGHT(r, node));
	outer = ms_hash_apart(h);
	ms_hash_add(h, r->start);
	ms_hash_add(h, r->len);
	return sum + ms_hash_apart_end(h, outer);
}

static void add_regions(struct ms_hash *h, const struct ms_region *r)
{
	if (!r)
		return;
	add_regions(h, RB_LEFT(r, node));
	ms_hash_add(h, r->start);
	ms_hash_add(h, r->len);
	add_regions(h, RB_RIGHT(r, node));
}

/* ---- locks, and what happens once ---- */

static void add_locks(struct ms_hash *h, const struct ms_linux *lx)
{
	ms_hash_add(h, lx->nr_classes);
	for (unsigned int i = 0; i < lx->nr_classes; i++) {
		ms_hash_text(h, lx->class[i].name);
		ms_hash_text(h, lx->class[i].file);
		ms_hash_add(h, lx->class[i].line);
		ms_hash_add(h, lx->class[i].after);
	}
	for (unsigned int i = 0; i < h->machine->call.locks && i < MS_LINUX_HELD; i++) {
		ms_hash_pointer(h, lx->held[i].lock);
		ms_hash_add(h, (uint64_t)lx->held[i].class << 1 | lx->held[i].spins);
	}
}

/* What waits for the end of rcu_read_lock(), in its order. */
static void add_rcu(struct ms_hash *h, const struct ms_linux *lx)
{
	ms_hash_add(h, (uint64_t)lx->rcu_depth << 1 | lx->incapable);
	for (const struct ms_rcu_head *head = lx->rcu; head; head = head->next) {
		add_word(h, lx, (uintptr_t)head);
		ms_hash_pointer(h, (const void *)(uintptr_t)head->func);
	}
}

static void add_places(struct ms_hash *h, const struct ms_linux *lx)
{
	const struct ms_place *place;
	uint64_t sum = 0;

	SLIST_FOREACH (place, &lx->places, link) {
		const uint64_t outer = ms_hash_apart(h);

		ms_hash_pointer(h, place->place);
		sum += ms_hash_apart_end(h, outer);
	}
	ms_hash_add(h, sum);
}

static void add_devices(struct ms_hash *h, const struct ms_linux *lx)
{
	const void *device = NULL;
	unsigned int minor;
	const char *name;
	uint64_t sum = 0;

	while ((device = ms_linux_device_next(lx->devices, device, &name, &minor))) {
		const uint64_t outer = ms_hash_apart(h);

		ms_hash_text(h, name);
		ms_hash_add(h, minor);
		sum += ms_hash_apart_end(h, outer);
	}
	ms_hash_add(h, sum);
}

/* ---- for files that are written against linux.h ---- */

void ms_linux_hash_add(struct ms_hash *h, uint64_t word)
{
	ms_hash_add(h, word);
}

void ms_linux_hash_text(struct ms_hash *h, const char *text)
{
	ms_hash_text(h, text);
}

void ms_linux_hash_object(struct ms_hash *h, const void *object)
{
	ms_hash_name(h, ms_hash_object(object));
	ms_hash_refer(h, object);
}

void ms_linux_hash_word(struct ms_hash *h, const void *word)
{
	add_kept_word(h, h->machine->kernel, (uintptr_t)word);
}

void ms_linux_hash_pointer(struct ms_hash *h, const void *p)
{
	ms_hash_pointer(h, p);
}

uint64_t ms_linux_hash_apart(struct ms_hash *h)
{
	return ms_hash_apart(h);
}

uint64_t ms_linux_hash_apart_end(struct ms_hash *h, uint64_t outer)
{
	return ms_hash_apart_end(h, outer);
}

void ms_linux_hash(struct ms_hash *h)
{
	const struct ms_linux *lx = h->machine->kernel;

	ms_hash_add(h, !!lx);
	// PCI devices first: others point to them
	if (lx)
		ms_linux_bus_hash(h, lx->bus);
	add_kept(h, lx);
	if (!lx)
		return;
	ms_linux_platform_hash(h, lx->platform);
	ms_linux_chrdevs_hash(h, lx->chrdevs);
	h->frozen = true;
	ms_hash_add(h, sum_of_blocks(h, lx, RB_ROOT(&lx->by_addr)));
	ms_hash_add(h, sum_of_slabs(h, lx, RB_ROOT(&lx->slabs_by_addr)));
	ms_hash_add(h, sum_of_pages(h, RB_ROOT(&lx->by_pfn)));
	h->frozen = false;
	ms_hash_add(h, sum_of_remappings(h, RB_ROOT(&lx->remappings)));
	add_regions(h, RB_ROOT(&lx->regions));
	add_locks(h, lx);
	add_places(h, lx);
	add_rcu(h, lx);
	add_devices(h, lx);
}
