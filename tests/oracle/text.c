/* SPDX-License-Identifier: GPL-2.0-only */
/* Operations as lines of a script. */
#include "ops.h"

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
	static const char *const names[] = { "anon",       "memfd",      "bar",
					     "bar_wc",     "devmem",     "devmem_nosync",
					     "hugetlb2m",  "vfio:vbar",  "driver:bar",
					     "driver:bar", "driver:bar", "driver:bar" };
	bool devmem = op->source == SRC_DEVMEM || op->source == SRC_DEVMEM_NOSYNC;

	fprintf(out, "mmap %s off=%#llx at=%#llx len=%#llx prot=%s flags=%s%s", names[op->source],
		(unsigned long long)(op->off * PAGE + (devmem ? BAR_PA : 0)),
		(unsigned long long)(WINDOW + op->at * PAGE), (unsigned long long)(op->len * PAGE),
		prot_text(op->prot), op->shared ? "shared" : "private", op->fixed ? ",fixed" : "");
	if (op->source >= SRC_DRIVER)
		fprintf(out, " pieces=0x0+%#llx type=%s%s",
			(unsigned long long)((op->source == SRC_DRIVER_PART ? 1 : op->len) * PAGE),
			type_text(arch, op->type),
			op->source == SRC_DRIVER_LAZY   ? " lazy"
			: op->source == SRC_DRIVER_HUGE ? " lazy=huge"
							: "");
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

static void print_guest(const struct op *op, FILE *out)
{
	unsigned long long gpa = GPA + op->gpa * PAGE;

	if (op->kind == OP_GUEST)
		fprintf(out, "guest access=%s gpa=%#llx",
			op->prot == MS_PROT_X ? "x" : prot_text(op->prot), gpa);
	else if (op->kind == OP_DIRTY)
		fprintf(out, "dirty id=%u get", op->slot);
	else if (op->kind == OP_CLEAR)
		fprintf(out, "dirty id=%u clear first=%u pages=%u", op->slot, op->off, op->len);
	else
		fprintf(out, "slot id=%u gpa=%#llx size=%#llx hva=%#llx%s", op->slot, gpa,
			(unsigned long long)(op->kind == OP_SLOT_DELETE ? 0 : op->len * PAGE),
			(unsigned long long)(WINDOW + op->at * PAGE),
			op->flags == MS_SLOT_LOG_DIRTY  ? " flags=log"
			: op->flags == MS_SLOT_READONLY ? " flags=ro"
							: "");
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
	else if (op->kind == OP_MEMORY_ON || op->kind == OP_MEMORY_OFF)
		fprintf(out, "vfio-memory vbar %s", op->kind == OP_MEMORY_ON ? "on" : "off");
	else if (op->kind >= OP_SLOT)
		print_guest(op, out);
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
