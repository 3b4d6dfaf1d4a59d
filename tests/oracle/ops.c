/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations: chosen at random, made on the library, written as lines of a script. */
#include "ops.h"

#include <errno.h>
#include <string.h>

/* ---- at random ---- */

uint64_t roll(struct dice *d, uint64_t below)
{
	d->state ^= d->state << 13;
	d->state ^= d->state >> 7;
	d->state ^= d->state << 17;
	return (d->state >> 11) % below;
}

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
	op->source = roll(d, 2) ? SRC_ANON : (enum source)roll(d, SOURCES);
	op->shared = op->source == SRC_DRIVER_LAZY || (op->source != SRC_ANON && roll(d, 3));
	op->off = (unsigned int)roll(d, 3) ? 0 : (unsigned int)roll(d, 12);
	if (op->source == SRC_ANON)
		op->off = 0;
}

struct op op_roll(struct dice *d, enum ms_arch arch)
{
	static const unsigned int prots[] = { MS_PROT_RW, MS_PROT_RW, MS_PROT_R, 0 };
	static const enum ms_cache x86[] = { MS_CACHE_WB, MS_CACHE_WC, MS_CACHE_UC_MINUS,
					     MS_CACHE_UC };
	static const enum ms_cache arm[] = { MS_CACHE_WB, MS_CACHE_WC, MS_CACHE_NGNRE,
					     MS_CACHE_NGNRNE };
	struct op op = { .kind = kinds[roll(d, sizeof(kinds) / sizeof(*kinds))] };

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
		op.prot = roll(d, 2) ? MS_PROT_W : MS_PROT_R;
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

/* ---- on the library ---- */

static struct ms_file *open_source(struct real *r, const struct op *op)
{
	struct ms_piece piece = { .len = (op->source == SRC_DRIVER_PART ? 1 : op->len) * PAGE };

	switch (op->source) {
	case SRC_BAR:
		return ms_pci_resource(r->bar);
	case SRC_BAR_WC:
		return ms_pci_resource_wc(r->bar);
	case SRC_DEVMEM:
		return r->devmem;
	case SRC_DEVMEM_NOSYNC:
		return r->nosync;
	default:
		return ms_pieces_open(
			r->bar, op->source == SRC_DRIVER_LAZY ? MS_PIECES_LAZY : MS_PIECES_AT_MMAP,
			op->type, &piece, 1);
	}
}

static int64_t do_mmap(struct real *r, struct ms_mm *mm, const struct op *op)
{
	struct ms_file *file = op->source == SRC_ANON ? NULL : open_source(r, op);
	unsigned int flags = (op->shared ? MS_MAP_SHARED : MS_MAP_PRIVATE) |
			     (op->fixed ? MS_MAP_FIXED : MS_MAP_FIXED_NOREPLACE);
	bool devmem = op->source == SRC_DEVMEM || op->source == SRC_DEVMEM_NOSYNC;
	int64_t ret = ms_mmap(mm, WINDOW + op->at * PAGE, op->len * PAGE, op->prot, flags, file,
			      op->off * PAGE + (devmem ? BAR_PA : 0));

	if (op->source >= SRC_DRIVER)
		ms_file_put(file);
	return ret < 0 ? ret : 0;
}

static int64_t do_mremap(struct ms_mm *mm, const struct op *op)
{
	unsigned int flags = MS_MREMAP_MAYMOVE | (op->to ? MS_MREMAP_FIXED : 0) |
			     (op->dontunmap ? MS_MREMAP_DONTUNMAP : 0);
	int64_t ret = ms_mremap(mm, WINDOW + op->at * PAGE, op->len * PAGE, op->new_len * PAGE,
				flags, op->to ? WINDOW + op->new_at * PAGE : 0);

	return ret < 0 ? ret : 0;
}

static int64_t do_ioremap(struct real *r, const struct op *op)
{
	uint64_t *len = &r->ioremap[op->slot].len, *pa = &r->ioremap[op->slot].pa;
	int ret = -EINVAL;

	if (op->kind == OP_IOREMAP && !*len) {
		*pa = BAR_PA + op->off * PAGE;
		ret = ms_ioremap(r->m, *pa, op->len * PAGE, op->type);
		*len = ret ? 0 : op->len * PAGE;
	} else if (op->kind == OP_IOUNMAP && *len) {
		ms_iounmap(r->m, *pa, *len);
		*len = ret = 0;
	}
	return ret;
}

static int64_t do_revoke(struct real *r, const struct op *op)
{
	int err;

	if (op->kind == OP_REVOKE_DRIVER) {
		ms_pieces_revoke(r->bar, op->off * PAGE, op->len * PAGE);
		return 0;
	}
	err = ms_iomem_claim(r->m, BAR_PA + op->off * PAGE, op->len * PAGE);
	return err ? err : ms_iomem_release(r->m, BAR_PA + op->off * PAGE, op->len * PAGE);
}

int64_t op_do(struct real *r, const struct op *op)
{
	struct ms_mm *mm = r->mm[op->child];
	ms_hva_t at = WINDOW + op->at * PAGE;
	uint64_t len = op->len * PAGE;
	int err = 0;

	switch (op->kind) {
	case OP_MMAP:
		return do_mmap(r, mm, op);
	case OP_MUNMAP:
		return ms_munmap(mm, at, len);
	case OP_MPROTECT:
		return ms_mprotect(mm, at, len, op->prot);
	case OP_MREMAP:
		return do_mremap(mm, op);
	case OP_MADVISE:
		return ms_madvise(mm, at, len, op->advice);
	case OP_MLOCK:
		return ms_mlock(mm, at, len);
	case OP_MUNLOCK:
		return ms_munlock(mm, at, len);
	case OP_TOUCH:
		return ms_touch(mm, at, op->prot);
	case OP_FORK:
		r->mm[1] = ms_fork(r->mm[0], &err);
		return r->mm[1] ? 0 : err;
	case OP_EXIT:
		ms_mm_exit(r->mm[1]);
		r->mm[1] = NULL;
		return 0;
	case OP_REVOKE:
	case OP_REVOKE_DRIVER:
		return do_revoke(r, op);
	default:
		return do_ioremap(r, op);
	}
}

/* ---- as text ---- */

static const char *prot_text(unsigned int prot)
{
	return !prot ? "-" : prot == MS_PROT_R ? "r" : prot == MS_PROT_W ? "w" : "rw";
}

static const char *type_text(enum ms_arch arch, enum ms_cache type)
{
	static const char *const names[] = {
		[MS_CACHE_WB] = "WB",        [MS_CACHE_WC] = "WC",
		[MS_CACHE_UC_MINUS] = "UC-", [MS_CACHE_UC] = "UC",
		[MS_CACHE_WT] = "WT",        [MS_CACHE_WP] = "WP",
		[MS_CACHE_NGNRE] = "nGnRE",  [MS_CACHE_NGNRNE] = "nGnRnE",
	};

	return arch == MS_ARCH_ARM64 && type == MS_CACHE_WC ? "NC" : names[type];
}

static void print_mmap(const struct op *op, enum ms_arch arch, FILE *out)
{
	static const char *const names[] = { "anon",       "bar",           "bar_wc",
					     "devmem",     "devmem_nosync", "driver:bar",
					     "driver:bar", "driver:bar" };
	bool devmem = op->source == SRC_DEVMEM || op->source == SRC_DEVMEM_NOSYNC;

	fprintf(out, "mmap %s off=%#llx at=%#llx len=%#llx prot=%s flags=%s%s", names[op->source],
		(unsigned long long)(op->off * PAGE + (devmem ? BAR_PA : 0)),
		(unsigned long long)(WINDOW + op->at * PAGE), (unsigned long long)(op->len * PAGE),
		prot_text(op->prot), op->shared ? "shared" : "private", op->fixed ? ",fixed" : "");
	if (op->source >= SRC_DRIVER)
		fprintf(out, " pieces=0x0+%#llx type=%s%s",
			(unsigned long long)((op->source == SRC_DRIVER_PART ? 1 : op->len) * PAGE),
			type_text(arch, op->type), op->source == SRC_DRIVER_LAZY ? " lazy" : "");
}

static void print_bar(const struct op *op, enum ms_arch arch, FILE *out)
{
	unsigned long long off = op->off * PAGE, len = op->len * PAGE;

	if (op->kind == OP_IOREMAP)
		fprintf(out, "ioremap bar id=%u off=%#llx len=%#llx type=%s", op->slot, off, len,
			type_text(arch, op->type));
	else if (op->kind == OP_IOUNMAP)
		fprintf(out, "iounmap bar id=%u", op->slot);
	else
		fprintf(out, "revoke %sbar off=%#llx len=%#llx",
			op->kind == OP_REVOKE_DRIVER ? "driver:" : "", off, len);
}

static void print_mremap(const struct op *op, FILE *out)
{
	fprintf(out, " newlen=%#llx", (unsigned long long)(op->new_len * PAGE));
	if (op->to)
		fprintf(out, " to=%#llx", (unsigned long long)(WINDOW + op->new_at * PAGE));
	if (op->dontunmap)
		fprintf(out, " dontunmap");
}

static const char *advice_text(enum ms_advice advice)
{
	switch (advice) {
	case MS_MADV_DONTNEED:
		return "dontneed";
	case MS_MADV_DONTFORK:
		return "dontfork";
	case MS_MADV_DOFORK:
		return "dofork";
	case MS_MADV_DONTDUMP:
		return "dontdump";
	case MS_MADV_DODUMP:
		return "dodump";
	case MS_MADV_HUGEPAGE:
		return "hugepage";
	default:
		return "nohugepage";
	}
}

/* A line of the recording format. */
void op_print(const struct op *op, enum ms_arch arch, FILE *out)
{
	static const char *const names[] = {
		[OP_MUNMAP] = "munmap",   [OP_MPROTECT] = "mprotect", [OP_MREMAP] = "mremap",
		[OP_MADVISE] = "madvise", [OP_MLOCK] = "mlock",       [OP_MUNLOCK] = "munlock",
	};

	fprintf(out, "> ");
	if (op->kind == OP_EXIT || (op->child && op->kind < OP_FORK))
		fprintf(out, "child ");
	if (op->kind == OP_MMAP)
		print_mmap(op, arch, out);
	else if (op->kind == OP_FORK || op->kind == OP_EXIT)
		fprintf(out, op->kind == OP_FORK ? "fork" : "exit");
	else if (op->kind == OP_TOUCH)
		fprintf(out, "touch at=%#llx access=%s",
			(unsigned long long)(WINDOW + op->at * PAGE), prot_text(op->prot));
	else if (op->kind > OP_EXIT)
		print_bar(op, arch, out);
	else
		fprintf(out, "%s at=%#llx len=%#llx", names[op->kind],
			(unsigned long long)(WINDOW + op->at * PAGE),
			(unsigned long long)(op->len * PAGE));
	if (op->kind == OP_MREMAP)
		print_mremap(op, out);
	if (op->kind == OP_MPROTECT)
		fprintf(out, " prot=%s", prot_text(op->prot));
	if (op->kind == OP_MADVISE)
		fprintf(out, " advice=%s", advice_text(op->advice));
	fprintf(out, "\n");
}
