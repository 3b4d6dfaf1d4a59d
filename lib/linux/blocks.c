/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pages that driver code has, in blocks as they were allocated, and their bytes, which are made
 * when somebody first asks where they are. The pages of a block may go one by one, and be allocated
 * anew: the block is then cut in two around them, and the parts have the same bytes.
 */
#include "linux/state.h"

#define POISON 0x5a

static int addr_cmp(const struct ms_block *a, const struct ms_block *b)
{
	const uintptr_t x = (uintptr_t)a->start, y = (uintptr_t)b->start;

	return x < y ? -1 : x > y;
}

static int pfn_cmp(const struct ms_block *a, const struct ms_block *b)
{
	return a->pfn < b->pfn ? -1 : a->pfn > b->pfn;
}

RB_GENERATE(ms_blocks_by_addr, ms_block, by_addr, addr_cmp)
RB_GENERATE(ms_blocks_by_pfn, ms_block, by_pfn, pfn_cmp)

struct ms_block *ms_block_at(const struct ms_linux *lx, uintptr_t addr)
{
	struct ms_block *block = RB_ROOT(&lx->by_addr);

	while (block) {
		const uintptr_t start = (uintptr_t)block->start;

		if (addr >= start && addr - start < block->size)
			return block;
		block = addr < start ? RB_LEFT(block, by_addr) : RB_RIGHT(block, by_addr);
	}
	return NULL;
}

/* The last block that begins at pfn or below; NULL: none. */
static struct ms_block *block_below(const struct ms_linux *lx, ms_pfn_t pfn)
{
	struct ms_block *block = RB_ROOT(&lx->by_pfn), *found = NULL;

	while (block) {
		if (block->pfn <= pfn) {
			found = block;
			block = RB_RIGHT(block, by_pfn);
		} else {
			block = RB_LEFT(block, by_pfn);
		}
	}
	return found;
}

struct ms_block *ms_block_of_pfn(const struct ms_linux *lx, ms_pfn_t pfn)
{
	struct ms_block *block = block_below(lx, pfn);

	// a page has at least 4096 bytes, and a block whole pages
	return block && pfn - block->pfn < block->size >> lx->page_shift ? block : NULL;
}

struct ms_bytes *ms_bytes_new(struct ms_machine *m, uint64_t size, bool zero)
{
	struct ms_bytes *bytes = ms_zalloc(&m->alloc, sizeof(*bytes));

	if (!bytes)
		return NULL;
	bytes->at = ms_zalloc_aligned(&m->alloc, m->page_size, size);
	if (!bytes->at) {
		ms_free(&m->alloc, bytes);
		return NULL;
	}
	bytes->size = size;
	if (!zero)
		memset(bytes->at, POISON, size);
	return bytes;
}

void ms_bytes_free(struct ms_machine *m, struct ms_bytes *bytes)
{
	ms_free(&m->alloc, bytes->at);
	ms_free(&m->alloc, bytes);
}

static void set_bytes(struct ms_linux *lx, struct ms_block *block, struct ms_bytes *bytes,
		      char *start)
{
	block->bytes = bytes;
	block->start = start;
	bytes->pages += block->size >> lx->page_shift;
	RB_INSERT(ms_blocks_by_addr, &lx->by_addr, block);
}

static void drop_bytes(struct ms_machine *m, struct ms_block *block, uint64_t npages)
{
	if (!block->bytes)
		return;
	block->bytes->pages -= npages;
	if (!block->bytes->pages)
		ms_bytes_free(m, block->bytes);
}

struct ms_block *ms_block_new(struct ms_machine *m, ms_pfn_t pfn, uint64_t size,
			      struct ms_bytes *bytes, char *start)
{
	struct ms_linux *lx = m->kernel;
	struct ms_block *block = ms_zalloc(&m->alloc, sizeof(*block));

	if (!block)
		return NULL;
	block->size = size;
	block->pfn = pfn;
	if (pfn) {
		ms_blocks_forget(m, pfn, size >> m->page_shift);
		RB_INSERT(ms_blocks_by_pfn, &lx->by_pfn, block);
	}
	if (bytes)
		set_bytes(lx, block, bytes, start);
	return block;
}

bool ms_block_bytes(struct ms_machine *m, struct ms_block *block, bool zero)
{
	struct ms_bytes *bytes;

	if (block->bytes)
		return true;
	bytes = ms_bytes_new(m, block->size, zero);
	if (bytes)
		set_bytes(m->kernel, block, bytes, bytes->at);
	return bytes;
}

void ms_block_move(struct ms_machine *m, struct ms_block *block, struct ms_bytes *bytes,
		   char *start)
{
	if (block->bytes) {
		memcpy(start, block->start, block->size);
		RB_REMOVE(ms_blocks_by_addr, &m->kernel->by_addr, block);
		drop_bytes(m, block, ms_block_pages(m, block));
	}
	set_bytes(m->kernel, block, bytes, start);
}

void ms_block_remove(struct ms_machine *m, struct ms_block *block)
{
	struct ms_linux *lx = m->kernel;

	if (block->bytes)
		RB_REMOVE(ms_blocks_by_addr, &lx->by_addr, block);
	if (block->pfn)
		RB_REMOVE(ms_blocks_by_pfn, &lx->by_pfn, block);
	drop_bytes(m, block, ms_block_pages(m, block));
	ms_free(&m->alloc, block);
}

/* The block ends before its page number `at` from now on; what was behind is a block of its own. */
static void cut(struct ms_machine *m, struct ms_block *block, uint64_t at)
{
	struct ms_linux *lx = m->kernel;
	struct ms_block *behind = ms_zalloc(&m->alloc, sizeof(*behind));
	const uint64_t before = at << m->page_shift;

	if (!behind) { // the pages behind are no block's any more
		if (block->bytes)
			block->bytes->pages -= ms_block_pages(m, block) - at;
		block->size = before;
		return;
	}
	*behind = (struct ms_block){
		.kind = block->kind,
		.bytes = block->bytes,
		.start = block->start ? block->start + before : NULL,
		.size = block->size - before,
		.pfn = block->pfn + at,
	};
	block->size = before;
	RB_INSERT(ms_blocks_by_pfn, &lx->by_pfn, behind);
	if (behind->bytes)
		RB_INSERT(ms_blocks_by_addr, &lx->by_addr, behind);
}

/* Takes pages from the block's beginning. */
static void behead(struct ms_machine *m, struct ms_block *block, uint64_t npages)
{
	const uint64_t size = npages << m->page_shift;

	// the order in both trees stays
	block->pfn += npages;
	block->size -= size;
	if (block->start)
		block->start += size;
	if (block->bytes)
		block->bytes->pages -= npages;
}

void ms_blocks_forget(struct ms_machine *m, ms_pfn_t pfn, uint64_t npages)
{
	struct ms_linux *lx = m->kernel;
	const ms_pfn_t end = pfn + npages;
	struct ms_block *block, *next;

	block = block_below(lx, pfn);
	if (block && block->pfn < pfn) {
		next = RB_NEXT(ms_blocks_by_pfn, &lx->by_pfn, block);
		if (pfn - block->pfn < ms_block_pages(m, block)) {
			cut(m, block, pfn - block->pfn);
			next = RB_NEXT(ms_blocks_by_pfn, &lx->by_pfn, block);
		}
		block = next;
	} else if (!block) {
		block = RB_MIN(ms_blocks_by_pfn, &lx->by_pfn);
	}
	for (; block && block->pfn < end; block = next) {
		next = RB_NEXT(ms_blocks_by_pfn, &lx->by_pfn, block);
		if (block->pfn + ms_block_pages(m, block) > end)
			behead(m, block, end - block->pfn);
		else
			ms_block_remove(m, block);
	}
}

bool ms_block_is_live(const struct ms_machine *m, const struct ms_block *block)
{
	for (uint64_t i = 0; i < ms_block_pages(m, block); i++) {
		const ms_pfn_t head = ms_page_head(m, block->pfn + i);
		const struct ms_page *page = ms_page_look(m, head);

		if (page && page->driver && (page->refcount || page->part))
			return true;
		if (page && page->order)
			i |= (UINT64_C(1) << page->order) - 1;
	}
	return false;
}
