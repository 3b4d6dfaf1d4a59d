/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations at random. */
#include "ops.h"

uint64_t roll(struct dice *d, uint64_t below)
{
	d->state ^= d->state << 13;
	d->state ^= d->state >> 7;
	d->state ^= d->state << 17;
	return (d->state >> 11) % below;
}

#ifndef WITH_GUEST
/* Both processes meet at a few pages of an episode more often than elsewhere. */
static void roll_touch(struct dice *d, struct op *op)
{
	op->prot = roll(d, 2) ? MS_PROT_W : MS_PROT_R;
	if (!roll(d, 3))
		return;
	op->at = PAGES / 4 * d->theme + (unsigned int)roll(d, 3);
	op->child = roll(d, 2);
}

static enum op_kind roll_kind(struct dice *d, const enum op_kind *kinds, size_t n)
{
	static const enum op_kind calm[] = { OP_TOUCH, OP_TOUCH, OP_TOUCH,
					     OP_TOUCH, OP_FORK,  OP_EXIT };

	return d->calm && roll(d, 4) ? calm[roll(d, 6)] : kinds[roll(d, n)];
}
#endif

#if !defined(WITH_GUEST) && !defined(WITH_HUGE)

/* Kinds by weight: the commoner ones stand more than once. */
static const enum op_kind kinds[] = {
	OP_MMAP,     OP_MMAP,     OP_MMAP,          OP_MMAP,    OP_MMAP,    OP_MUNMAP,  OP_MUNMAP,
	OP_MPROTECT, OP_MPROTECT, OP_MREMAP,        OP_MREMAP,  OP_MREMAP,  OP_MADVISE, OP_MADVISE,
	OP_MLOCK,    OP_MUNLOCK,  OP_TOUCH,         OP_TOUCH,   OP_TOUCH,   OP_TOUCH,   OP_FORK,
	OP_EXIT,     OP_REVOKE,   OP_REVOKE_DRIVER, OP_IOREMAP, OP_IOUNMAP, OP_TOUCH,
};

static const enum ms_advice advices[] = {
	MS_MADV_DONTNEED, MS_MADV_DONTFORK, MS_MADV_DOFORK,     MS_MADV_DONTDUMP,
	MS_MADV_DODUMP,   MS_MADV_HUGEPAGE, MS_MADV_NOHUGEPAGE,
};

static void roll_range(struct dice *d, unsigned int *at, unsigned int *len)
{
	unsigned int most = roll(d, 3) ? 4 : 12;

	*at = (unsigned int)roll(d, PAGES);
	if (most > PAGES - *at)
		most = PAGES - *at;
	*len = 1 + (unsigned int)roll(d, most);
}

static void roll_mmap(struct dice *d, struct op *op)
{
	op->fixed = roll(d, 2);
	op->source = (enum source)roll(d, SRC_DRIVER_HUGE);
	// there is no room for a huge page
	if (roll(d, 3) || op->source == SRC_HUGETLB)
		op->source = roll(d, 3) ? SRC_ANON : SRC_MEMFD;
	op->shared = op->source == SRC_DRIVER_LAZY || (op->source != SRC_ANON && roll(d, 3));
	op->off = (unsigned int)roll(d, 3) ? 0 : (unsigned int)roll(d, 12);
	if (op->source == SRC_ANON)
		op->off = 0;
	// mostly where it may join what is there
	if (op->source == SRC_MEMFD)
		op->off = op->at + (roll(d, 4) ? 0 : (unsigned int)roll(d, 3));
}

struct op op_roll(struct dice *d, enum ms_arch arch, unsigned int i)
{
	static const unsigned int prots[] = { MS_PROT_RW, MS_PROT_RW, MS_PROT_R, 0 };
	static const enum ms_cache x86[] = { MS_CACHE_WB, MS_CACHE_WC, MS_CACHE_UC_MINUS,
					     MS_CACHE_UC };
	static const enum ms_cache arm[] = { MS_CACHE_WB, MS_CACHE_WC, MS_CACHE_NGNRE,
					     MS_CACHE_NGNRNE };
	struct op op = { .kind = roll_kind(d, kinds, sizeof(kinds) / sizeof(*kinds)) };

	op.child = !roll(d, 4);
	roll_range(d, &op.at, &op.len);
	roll_range(d, &op.new_at, &op.new_len);
	op.prot = prots[roll(d, 4)];
	op.type = (arch == MS_ARCH_X86_64 ? x86 : arm)[roll(d, 4)];
	op.advice = advices[roll(d, sizeof(advices) / sizeof(*advices))];
	op.slot = (unsigned int)roll(d, IOREMAPS);
	if (op.kind == OP_MMAP)
		roll_mmap(d, &op);
	if (op.kind == OP_TOUCH)
		roll_touch(d, &op);
	if (op.kind == OP_MREMAP) {
		op.to = roll(d, 3);
		op.dontunmap = op.to && !roll(d, 3);
		if (op.dontunmap || roll(d, 2))
			op.new_len = op.len;
		if (op.new_at + op.new_len > PAGES)
			op.new_at = PAGES - op.new_len;
		if (!op.to && op.at + op.new_len > PAGES)
			op.new_len = PAGES - op.at;
	}
	if (op.kind == OP_REVOKE || op.kind == OP_REVOKE_DRIVER || op.kind == OP_IOREMAP) {
		op.off = roll(d, 2) ? 0 : (unsigned int)roll(d, 12);
		op.len = roll(d, 2) ? BAR_PAGES - op.off : op.len;
	}
	return op;
}

#else

/* Often whole blocks, often a few pages. */
static void roll_range(struct dice *d, unsigned int *at, unsigned int *len)
{
	unsigned int unit = roll(d, 2) ? BLOCK : 1;

	*at = (unsigned int)roll(d, PAGES / unit) * unit;
	*len = roll(d, 3) ? (1 + (unsigned int)roll(d, 3)) * unit : 1 + (unsigned int)roll(d, 700);
	if (*len > PAGES - *at)
		*len = PAGES - *at;
}

static void roll_hugetlb(struct dice *d, struct op *op, bool shared)
{
	op->source = SRC_HUGETLB;
	op->shared = shared;
	op->at -= roll(d, 8) ? op->at % BLOCK : 0;
	op->off = (unsigned int)roll(d, HUGETLB_PAGES - PAGES / BLOCK) * BLOCK + !roll(d, 20);
}

/* Half of the moves go as far as keeps the place in the 2M. */
static void roll_mremap(struct dice *d, struct op *op)
{
	op->to = roll(d, 6);
	op->dontunmap = op->to && !roll(d, 4);
	if (op->dontunmap || roll(d, 4))
		op->new_len = op->len;
	if (roll(d, 2))
		op->new_at = (op->new_at / BLOCK * BLOCK + op->at % BLOCK) % PAGES;
	if (op->new_at + op->new_len > PAGES)
		op->new_at = PAGES - op->new_len;
	if (!op->to && op->at + op->new_len > PAGES)
		op->new_len = PAGES - op->at;
}

#endif

#ifdef WITH_HUGE

static const enum op_kind kinds[] = {
	OP_MMAP,   OP_MMAP,          OP_MMAP,   OP_MUNMAP,  OP_MPROTECT, OP_MPROTECT,
	OP_MREMAP, OP_MREMAP,        OP_MREMAP, OP_MADVISE, OP_MADVISE,  OP_TOUCH,
	OP_TOUCH,  OP_TOUCH,         OP_TOUCH,  OP_TOUCH,   OP_TOUCH,    OP_FORK,
	OP_EXIT,   OP_REVOKE_DRIVER, OP_MLOCK,  OP_MUNLOCK,
};

static const enum ms_advice advices[] = {
	MS_MADV_DONTNEED, MS_MADV_DONTNEED, MS_MADV_DONTNEED,   MS_MADV_DONTFORK,
	MS_MADV_DOFORK,   MS_MADV_HUGEPAGE, MS_MADV_NOHUGEPAGE,
};

/* Devices and children do not meet: a leaf of theirs is no concern of fork's rules here. */
static void roll_mmap(struct dice *d, struct op *op)
{
	op->fixed = roll(d, 4);
	op->source = roll(d, 4) ? SRC_ANON : SRC_MEMFD;
	if (op->source == SRC_MEMFD)
		op->off = op->at;
	if (d->theme != 1 && roll(d, 2)) {
		op->source = roll(d, 3) ? SRC_DRIVER_HUGE : SRC_DRIVER_LAZY;
		op->off = roll(d, 3) ? op->at : op->at + 1;
		op->shared = true;
	}
	if (op->source == SRC_MEMFD)
		op->shared = roll(d, 2);
	// private ones have no children
	if (!roll(d, 6))
		roll_hugetlb(d, op, d->theme || roll(d, 2));
}

struct op op_roll(struct dice *d, enum ms_arch arch, unsigned int i)
{
	static const unsigned int prots[] = { MS_PROT_RW, MS_PROT_RW, MS_PROT_R, 0 };
	struct op op = { .kind = roll_kind(d, kinds, sizeof(kinds) / sizeof(*kinds)) };

	// something to begin with
	if (i < 3)
		op.kind = OP_MMAP;
	if (!d->theme && op.kind == OP_FORK)
		op.kind = OP_TOUCH;
	op.child = d->theme && !roll(d, 3);
	roll_range(d, &op.at, &op.len);
	roll_range(d, &op.new_at, &op.new_len);
	op.prot = prots[roll(d, 4)];
	op.type = arch == MS_ARCH_X86_64 ? MS_CACHE_UC_MINUS : MS_CACHE_NGNRE;
	op.advice = advices[roll(d, sizeof(advices) / sizeof(*advices))];
	if (op.kind == OP_MMAP)
		roll_mmap(d, &op);
	if (op.kind == OP_TOUCH)
		roll_touch(d, &op);
	if (op.kind == OP_MREMAP)
		roll_mremap(d, &op);
	if (op.kind == OP_REVOKE_DRIVER)
		op.off = op.at;
	return op;
}

#endif

#ifdef WITH_GUEST

static const enum op_kind kinds[] = {
	OP_MMAP,        OP_MMAP,          OP_MMAP,   OP_MUNMAP, OP_MPROTECT,
	OP_MPROTECT,    OP_MADVISE,       OP_TOUCH,  OP_TOUCH,  OP_TOUCH,
	OP_REVOKE,      OP_REVOKE_DRIVER, OP_SLOT,   OP_SLOT,   OP_SLOT,
	OP_SLOT_DELETE, OP_DIRTY,         OP_DIRTY,  OP_DIRTY,  OP_SLOT_TOGGLE,
	OP_CLEAR,       OP_MREMAP,        OP_MREMAP, OP_CLEAR,  OP_CLEAR,
};

/* Where the guest sees a page of the process: at the same distance, or shifted. */
static unsigned int roll_gpa(struct dice *d, unsigned int page)
{
	static const unsigned int shifts[] = { 0, 0, 0, 0, 0, BLOCK, 1, 9 };

	return page + shifts[roll(d, 8)];
}

static void roll_mmap(struct dice *d, struct op *op)
{
	static const enum source sources[] = { SRC_ANON,        SRC_ANON,       SRC_BAR,
					       SRC_BAR_WC,      SRC_DEVMEM,     SRC_DRIVER_LAZY,
					       SRC_DRIVER_HUGE, SRC_DRIVER_HUGE };

	op->fixed = roll(d, 4);
	op->source = d->theme == 2 ? sources[roll(d, 8)] : SRC_ANON;
	op->shared = op->source != SRC_ANON;
	if (op->shared)
		op->off = roll(d, 4) ? op->at : (unsigned int)roll(d, 800);
	if (!roll(d, 6))
		roll_hugetlb(d, op, d->theme || roll(d, 2));
}

/* Most ask for whole words, or up to the end of a slot. */
static void roll_clear(struct dice *d, struct op *op)
{
	op->off = (unsigned int)roll(d, PAGES / 64) * 64 + !roll(d, 20);
	op->len = (1 + (unsigned int)roll(d, 8)) * 64 + !roll(d, 20);
	if (roll(d, 2))
		op->len = PAGES - (unsigned int)roll(d, 2) * 9 - op->off;
}

struct op op_roll(struct dice *d, enum ms_arch arch, unsigned int i)
{
	static const unsigned int prots[] = { MS_PROT_RW, MS_PROT_RW, MS_PROT_R, 0 };
	static const unsigned int flags[] = { 0, 0, 0, MS_SLOT_READONLY };
	static const unsigned int accesses[] = { MS_PROT_R, MS_PROT_R, MS_PROT_R, MS_PROT_W,
						 MS_PROT_W, MS_PROT_W, MS_PROT_W, MS_PROT_X };
	static const enum ms_cache types[] = { MS_CACHE_WC, MS_CACHE_NGNRE, MS_CACHE_NGNRNE };
	struct op op = { .kind = OP_GUEST };

	if (roll(d, 5) < 2)
		op.kind = kinds[roll(d, sizeof(kinds) / sizeof(*kinds))];
	if ((op.kind == OP_SLOT_DELETE || op.kind == OP_MUNMAP) && roll(d, 3))
		op.kind = OP_GUEST;
	// something to begin with: most of it mapped, and in a slot
	if (i < 5)
		op.kind = i < 4 ? OP_MMAP : OP_SLOT;
	roll_range(d, &op.at, &op.len);
	op.prot = prots[roll(d, 4)];
	op.type = types[roll(d, 3)];
	op.advice = roll(d, 3) ? MS_MADV_DONTNEED : MS_MADV_NOHUGEPAGE;
	op.slot = !roll(d, 4);
	op.flags = !roll(d, d->theme ? 9 : 2) ? MS_SLOT_LOG_DIRTY : flags[roll(d, 4)];
	if (op.kind == OP_MMAP)
		roll_mmap(d, &op);
	if (op.kind == OP_TOUCH)
		op.prot = roll(d, 2) ? MS_PROT_W : MS_PROT_R;
	if (op.kind == OP_SLOT && (i < 5 || roll(d, 3))) {
		op.at = 0;
		op.len = PAGES - (unsigned int)roll(d, 2) * 9;
	}
	if (op.kind == OP_GUEST) {
		op.prot = accesses[roll(d, 8)];
		op.at = !roll(d, 4) ? (unsigned int)roll(d, PAGES)
				    : (unsigned int)(roll(d, 12) * 96);
	}
	// private hugetlb has no children, and leaves of devices have none
	if (op.kind == OP_FORK && d->theme != 1)
		op.kind = OP_TOUCH;
	op.child = d->theme == 1 && !roll(d, 4);
	op.gpa = i < 5 && roll(d, 4) ? op.at : roll_gpa(d, op.at);
	if (op.kind == OP_REVOKE || op.kind == OP_REVOKE_DRIVER)
		op.off = op.at;
	if (op.kind == OP_CLEAR)
		roll_clear(d, &op);
	if (op.kind == OP_MREMAP) {
		roll_range(d, &op.new_at, &op.new_len);
		roll_mremap(d, &op);
	}
	return op;
}

#endif
