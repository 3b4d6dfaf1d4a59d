/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A driver's memory. A kmalloc is a block of the machine's allocator with a record in front of it;
 * pages are the machine's RAM, and have bytes once the driver asks where they are.
 */
#include "linux/state.h"

#define HEADER 128 /* keeps what follows aligned, too */
#define POISON 0x5a

static_assert(sizeof(struct ms_block) <= HEADER, "the record of a block precedes it");

/* ---- records ---- */

static int addr_cmp(const struct ms_block *a, const struct ms_block *b)
{
	const uintptr_t x = (uintptr_t)a->bytes, y = (uintptr_t)b->bytes;

	return x < y ? -1 : x > y;
}

static int pfn_cmp(const struct ms_block *a, const struct ms_block *b)
{
	return a->pfn < b->pfn ? -1 : a->pfn > b->pfn;
}

RB_GENERATE_INTERNAL(ms_blocks_by_addr, ms_block, by_addr, addr_cmp, static __attribute__((unused)))
RB_GENERATE_INTERNAL(ms_blocks_by_pfn, ms_block, by_pfn, pfn_cmp, static __attribute__((unused)))

/* The record whose bytes contain addr, NULL: none. */
static struct ms_block *block_at(struct ms_linux *lx, uintptr_t addr)
{
	struct ms_block *block = RB_ROOT(&lx->by_addr);

	while (block) {
		const uintptr_t start = (uintptr_t)block->bytes;

		if (addr >= start && addr - start < block->size)
			return block;
		block = addr < start ? RB_LEFT(block, by_addr) : RB_RIGHT(block, by_addr);
	}
	return NULL;
}

static struct ms_block *block_of_pfn(struct ms_linux *lx, ms_pfn_t pfn)
{
	struct ms_block key = { .pfn = pfn };

	return RB_FIND(ms_blocks_by_pfn, &lx->by_pfn, &key);
}

static void free_block(struct ms_machine *m, struct ms_linux *lx, struct ms_block *block)
{
	if (block->bytes)
		RB_REMOVE(ms_blocks_by_addr, &lx->by_addr, block);
	if (block->pfn) {
		RB_REMOVE(ms_blocks_by_pfn, &lx->by_pfn, block);
		ms_free(&m->alloc, block->bytes);
	}
	ms_free(&m->alloc, block);
}

/* ---- pages ---- */

static bool make_bytes(struct ms_machine *m, struct ms_linux *lx, struct ms_block *block)
{
	if (block->bytes)
		return true;
	block->bytes = ms_zalloc_aligned(&m->alloc, m->page_size, block->size);
	if (!block->bytes)
		return false;
	memset(block->bytes, POISON, block->size);
	RB_INSERT(ms_blocks_by_addr, &lx->by_addr, block);
	return true;
}

/* The record of pages whose last reference somebody else has put: they are free, and it goes. */
static void forget_former(struct ms_machine *m, struct ms_linux *lx, ms_pfn_t pfn)
{
	struct ms_block *former = block_of_pfn(lx, pfn);

	if (former)
		free_block(m, lx, former);
}

static struct ms_block *alloc_pages(struct ms_machine *m, struct ms_linux *lx, unsigned int order)
{
	struct ms_block *block;
	ms_pfn_t pfn;

	if (order > MS_MAX_ORDER)
		return NULL;
	block = ms_zalloc(&m->alloc, sizeof(*block));
	if (!block)
		return NULL;
	if (!ms_page_alloc(m, order, 0, &pfn)) {
		ms_free(&m->alloc, block);
		return NULL;
	}
	forget_former(m, lx, pfn);
	block->pfn = pfn;
	block->size = m->page_size << order;
	RB_INSERT(ms_blocks_by_pfn, &lx->by_pfn, block);
	return block;
}

static void put_pages(struct ms_machine *m, struct ms_linux *lx, ms_pfn_t pfn)
{
	const struct ms_page *head;
	struct ms_block *block;

	pfn = ms_page_head(m, pfn);
	head = ms_pfn_to_page(m, pfn);
	block = head && head->refcount == 1 ? block_of_pfn(lx, pfn) : NULL;
	if (block)
		free_block(m, lx, block);
	ms_page_put(m, pfn, 1);
}

void *ms_linux_alloc_pages(unsigned int gfp, unsigned int order)
{
	struct ms_machine *m = ms_linux_here("alloc_pages");
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	struct ms_block *block;

	if (gfp & MS_LINUX_GFP_MAY_SLEEP)
		ms_linux_might_sleep("alloc_pages");
	block = lx ? alloc_pages(m, lx, order) : NULL;
	if (!block)
		return NULL;
	if (gfp & MS_LINUX_GFP_ZERO) {
		if (!make_bytes(m, lx, block)) {
			put_pages(m, lx, block->pfn);
			return NULL;
		}
		memset(block->bytes, 0, block->size);
	}
	return ms_pfn_to_page_struct(block->pfn);
}

void ms_linux_get_page(void *page)
{
	struct ms_machine *m = ms_linux_here("get_page");

	if (m)
		ms_page_get(m, ms_page_struct_to_pfn(page), 1);
}

void ms_linux_put_page(void *page)
{
	struct ms_machine *m = ms_linux_here("put_page");
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	ms_pfn_t pfn = ms_page_struct_to_pfn(page);

	if (!lx)
		return;
	if (ms_pfn_is_ram(m, pfn))
		put_pages(m, lx, pfn);
	else
		ms_violation(m, "put_page of what is no page of RAM", 0);
}

unsigned long ms_linux_page_address(void *page)
{
	struct ms_machine *m = ms_linux_here("page_address");
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	const ms_pfn_t pfn = ms_page_struct_to_pfn(page);
	struct ms_block *block;
	ms_pfn_t head;

	if (!lx || !ms_pfn_to_page(m, pfn))
		return 0;
	head = ms_page_head(m, pfn);
	block = block_of_pfn(lx, head);
	if (!block || !make_bytes(m, lx, block))
		return 0;
	return (unsigned long)block->bytes + ((pfn - head) << m->page_shift);
}

void *ms_linux_virt_to_page(unsigned long addr)
{
	struct ms_machine *m = ms_linux_here("virt_to_page");
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	const struct ms_block *block = lx ? block_at(lx, addr) : NULL;

	if (block && block->pfn)
		return ms_pfn_to_page_struct(block->pfn +
					     ((addr - (uintptr_t)block->bytes) >> m->page_shift));
	if (m)
		ms_violation(m, "virt_to_page of an address that is not in pages of RAM", 0);
	return NULL;
}

bool ms_linux_pfn_valid(unsigned long pfn)
{
	struct ms_machine *m = ms_linux_here("pfn_valid");

	return m && ms_pfn_is_ram(m, pfn);
}

/* ---- kmalloc ---- */

static unsigned int order_of(const struct ms_machine *m, uint64_t size)
{
	unsigned int order = 0;

	while (m->page_size << order < size && order <= MS_MAX_ORDER)
		order++;
	return order;
}

/* A page or more: RAM that drivers hand out by virt_to_phys(). NULL: there is none. */
static void *alloc_large(struct ms_machine *m, struct ms_linux *lx, uint64_t size, bool zero)
{
	struct ms_block *block = alloc_pages(m, lx, order_of(m, size));

	if (!block)
		return NULL;
	if (!make_bytes(m, lx, block)) {
		put_pages(m, lx, block->pfn);
		return NULL;
	}
	if (zero)
		memset(block->bytes, 0, block->size);
	block->kmalloc = true;
	return block->bytes;
}

static void *alloc_small(struct ms_machine *m, struct ms_linux *lx, uint64_t size, bool zero)
{
	struct ms_block *block = ms_zalloc_aligned(&m->alloc, HEADER, HEADER + ms_max_u64(size, 1));

	if (!block)
		return NULL;
	block->bytes = (char *)block + HEADER;
	block->size = ms_max_u64(size, 1);
	block->kmalloc = true;
	RB_INSERT(ms_blocks_by_addr, &lx->by_addr, block);
	lx->small++;
	if (!zero)
		memset(block->bytes, POISON, size);
	return block->bytes;
}

void *ms_linux_alloc(size_t n, size_t size, unsigned int gfp)
{
	struct ms_machine *m = ms_linux_here("kmalloc");
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	const bool zero = gfp & MS_LINUX_GFP_ZERO;
	size_t bytes;

	if (gfp & MS_LINUX_GFP_MAY_SLEEP)
		ms_linux_might_sleep("kmalloc");
	if (!lx || __builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 2)
		return NULL;
	if (bytes >= m->page_size && !(gfp & MS_LINUX_GFP_VMALLOC) && ms_ram_free_pages(m))
		return alloc_large(m, lx, bytes, zero);
	return alloc_small(m, lx, bytes, zero);
}

void ms_linux_free(const void *p)
{
	struct ms_machine *m = p ? ms_linux_here("kfree") : NULL;
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	struct ms_block *block = lx ? block_at(lx, (uintptr_t)p) : NULL;

	if (!lx)
		return;
	if (!block || !block->kmalloc || block->bytes != p) {
		ms_violation(m, "kfree of what kmalloc did not give, or has been freed", 0);
		return;
	}
	if (block->pfn) {
		put_pages(m, lx, block->pfn);
		return;
	}
	lx->small--;
	free_block(m, lx, block);
}

/* ---- all of it ---- */

static bool is_live(struct ms_machine *m, const struct ms_block *block)
{
	const struct ms_page *page = ms_pfn_to_page(m, block->pfn);

	return page && page->refcount && !(page->flags & MS_PG_ANON);
}

size_t ms_linux_live(const struct ms_machine *machine)
{
	struct ms_machine *m = (struct ms_machine *)(uintptr_t)machine;
	struct ms_block *block;
	size_t live;

	if (!m || !m->kernel)
		return 0;
	live = m->kernel->small;
	RB_FOREACH (block, ms_blocks_by_pfn, &m->kernel->by_pfn)
		live += is_live(m, block);
	return live;
}

void ms_linux_memory_report(struct ms_machine *m, struct ms_linux *lx)
{
	struct ms_block *block;

	RB_FOREACH (block, ms_blocks_by_addr, &lx->by_addr)
		if (!block->pfn)
			ms_violation(m,
				     ms_linux_text(m, "kmalloc of %llu bytes is never freed",
						   (unsigned long long)block->size),
				     0);
	RB_FOREACH (block, ms_blocks_by_pfn, &lx->by_pfn) {
		const ms_pa_t pa = block->pfn << m->page_shift;

		if (is_live(m, block))
			ms_violation_entry(m, "pages of RAM are never freed", pa, pa);
	}
}

void ms_linux_memory_destroy(struct ms_machine *m)
{
	struct ms_linux *lx = m->kernel;
	struct ms_block *block;

	while ((block = RB_ROOT(&lx->by_addr)))
		free_block(m, lx, block);
	while ((block = RB_ROOT(&lx->by_pfn)))
		free_block(m, lx, block);
}
