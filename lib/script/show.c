/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes state as answer lines. A run of neighbouring entries that differ in nothing but their
 * address is one line.
 */
#include "script/player.h"

#include <inttypes.h>

/* ---- VMAs: /proc/PID/maps and the VmFlags of smaps ---- */

static void add_vma(struct ms_player *p, const struct ms_vma *vma)
{
	char flags[MS_VMFLAGS_MAX];
	uint64_t f = vma->vm_flags;

	fprintf(p->out, "vma 0x%" PRIx64 " 0x%" PRIx64 " %c%c%c%c 0x%" PRIx64 " %s\n",
		vma->vm_start, vma->vm_end, f & MS_VM_READ ? 'r' : '-', f & MS_VM_WRITE ? 'w' : '-',
		f & MS_VM_EXEC ? 'x' : '-', f & MS_VM_MAYSHARE ? 's' : 'p',
		vma->vm_file ? vma->vm_pgoff * p->page_size : 0,
		ms_vma_flags_str(vma, flags, sizeof(flags)));
}

void ms_play_show_vmas(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	ms_hva_t start = op->value[MS_K_AT], end = ms_range_end(start, op->value[MS_K_LEN]);

	ms_print_ret(p, 0);
	for (struct ms_vma *vma = ms_find_vma(mm, start); vma && vma->vm_start < end;
	     vma = ms_vma_next(vma))
		add_vma(p, vma);
}

/* ---- the host page table ---- */

/* The end of the range that was asked for, at most that of the addresses a process can have. */
static ms_hva_t host_end(const struct ms_player *p, const struct ms_op *op)
{
	return ms_lower(ms_range_end(op->value[MS_K_AT], op->value[MS_K_LEN]),
			UINT64_C(1) << ms_machine_config(p->m)->va_bits);
}

/* A run of neighbouring leaves, as far as it lies in the range that was asked for. */
struct pte_run {
	ms_hva_t start, end; /* equal: no leaf yet */
	ms_pa_t pa;          /* of `start`; 0 where it is RAM */
	bool ram;
	uint64_t leaf_size;
	const char *type, *prot;
};

static void add_pte_run(struct ms_player *p, const struct pte_run *run)
{
	if (run->start == run->end)
		return;
	fprintf(p->out, "pte 0x%" PRIx64 " 0x%" PRIx64 " ", run->start, run->end - run->start);
	if (run->ram)
		fprintf(p->out, "pa=ram");
	else
		fprintf(p->out, "pa=0x%" PRIx64, run->pa);
	fprintf(p->out, " type=%s prot=%s size=0x%" PRIx64 "\n", run->type, run->prot,
		run->leaf_size);
}

static const char *prot_name(uint64_t entry)
{
	if (entry & MS_PTE_EXEC)
		return entry & MS_PTE_WRITE ? "rwx" : "rx";
	return entry & MS_PTE_WRITE ? "rw" : "r";
}

/* The part of a leaf that lies in [start, end), as a run by itself. */
static struct pte_run run_of_leaf(const struct ms_player *p, struct ms_mm *mm,
				  const struct ms_host_leaf *leaf, ms_hva_t start, ms_hva_t end)
{
	bool valid = ms_host_leaf_is_valid(mm, leaf);
	ms_pa_t pa = leaf->entry & MS_PTE_PA_MASK;
	struct pte_run run = {
		.start = leaf->start > start ? leaf->start : start,
		.end = ms_lower(ms_range_end(leaf->start, leaf->size), end),
		.ram = ms_player_is_ram(p, pa),
		.leaf_size = leaf->size,
		.type = ms_cache_name(p->header->arch, ms_pgprot_cache(leaf->entry)),
		.prot = valid ? prot_name(leaf->entry) : "-",
	};
	// No access uses an arm64 entry without its valid bit, so that its type means nothing.
	if (!valid && p->header->arch == MS_ARCH_ARM64)
		run.type = "-";
	run.pa = run.ram ? 0 : pa + (run.start - leaf->start);
	return run;
}

static bool pte_run_continues(const struct pte_run *a, const struct pte_run *b)
{
	return a->end == b->start && a->start != a->end && a->ram == b->ram &&
	       (a->ram || a->pa + (a->end - a->start) == b->pa) && a->leaf_size == b->leaf_size &&
	       !strcmp(a->type, b->type) && !strcmp(a->prot, b->prot);
}

void ms_play_show_ptes(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	ms_hva_t start = op->value[MS_K_AT], end = host_end(p, op);
	struct ms_host_leaf leaf;
	struct pte_run run = { 0 };

	ms_print_ret(p, 0);
	for (ms_hva_t at = start; at < end && ms_host_next_leaf(mm, at, end, &leaf);
	     at = ms_range_end(leaf.start, leaf.size)) {
		struct pte_run next = run_of_leaf(p, mm, &leaf, start, end);

		if (pte_run_continues(&run, &next)) {
			run.end = next.end;
			continue;
		}
		add_pte_run(p, &run);
		run = next;
	}
	add_pte_run(p, &run);
}

void ms_play_show_present(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	ms_hva_t start = op->value[MS_K_AT], end = host_end(p, op);
	struct ms_host_leaf leaf;
	ms_hva_t from = start, to = start;

	ms_print_ret(p, 0);
	for (ms_hva_t at = start; at < end && ms_host_next_leaf(mm, at, end, &leaf);
	     at = ms_range_end(leaf.start, leaf.size)) {
		if (leaf.start > to) {
			if (from < to)
				fprintf(p->out, "present 0x%" PRIx64 " 0x%" PRIx64 "\n", from,
					to - from);
			from = leaf.start;
		}
		to = ms_lower(ms_range_end(leaf.start, leaf.size), end);
	}
	if (from < to)
		fprintf(p->out, "present 0x%" PRIx64 " 0x%" PRIx64 "\n", from, to - from);
}

/* ---- stage 2 of arm64 ---- */

static void add_s2_run(struct ms_player *p, const struct ms_s2_leaf *run)
{
	uint64_t leaf_size;

	if (!run->size)
		return;
	leaf_size = ms_s2_level_size(ms_vm_s2(p->vm), run->level);
	fprintf(p->out, "s2 0x%" PRIx64 " 0x%" PRIx64 " ", run->ipa, run->size);
	if (ms_player_is_ram(p, run->pa))
		fprintf(p->out, "pa=ram");
	else
		fprintf(p->out, "pa=0x%" PRIx64, run->pa);
	fputs(" prot=", p->out);
	ms_prot_print(run->prot, p->out);
	fprintf(p->out, " size=0x%" PRIx64 "\n", leaf_size);
}

/* run->size is that of the whole run; its other members are those of its first leaf. */
static bool s2_run_continues(const struct ms_player *p, const struct ms_s2_leaf *run,
			     const struct ms_s2_leaf *leaf)
{
	bool ram = ms_player_is_ram(p, run->pa);

	return run->size && run->ipa + run->size == leaf->ipa && run->level == leaf->level &&
	       run->prot == leaf->prot && ram == ms_player_is_ram(p, leaf->pa) &&
	       (ram || run->pa + run->size == leaf->pa);
}

static void show_s2(struct ms_player *p, ms_ipa_t at, ms_ipa_t end)
{
	struct ms_s2_leaf leaf, run = { 0 };

	while (at < end && ms_s2_next_leaf(ms_vm_s2(p->vm), at, end, &leaf)) {
		at = ms_range_end(leaf.ipa, leaf.size);
		if (leaf.ipa >= MS_GUEST_CODE_START && leaf.ipa < MS_GUEST_CODE_END)
			continue;
		if (s2_run_continues(p, &run, &leaf)) {
			run.size += leaf.size;
			continue;
		}
		add_s2_run(p, &run);
		run = leaf;
	}
	add_s2_run(p, &run);
}

/* ---- the nested table of x86 ---- */

/* A run of neighbouring leaves or marks, as far as it lies in the range that was asked for. */
struct tdp_run {
	ms_ipa_t start, end; /* equal: nothing yet */
	bool mmio;           /* marks; else `leaf` is the first leaf, and pa what `start` goes to */
	ms_pa_t pa;
	struct ms_tdp_leaf leaf;
};

static void add_tdp_run(struct ms_player *p, const struct tdp_run *run)
{
	const struct ms_tdp_leaf *leaf = &run->leaf;

	if (run->start == run->end)
		return;
	fprintf(p->out, "%s 0x%" PRIx64 " 0x%" PRIx64, run->mmio ? "s2-mmio" : "s2", run->start,
		run->end - run->start);
	if (!run->mmio) {
		if (ms_player_is_ram(p, run->pa))
			fprintf(p->out, " pa=ram");
		else
			fprintf(p->out, " pa=0x%" PRIx64, run->pa);
		fprintf(p->out, " type=%s prot=", ms_cache_name(p->header->arch, leaf->cache));
		ms_prot_print(leaf->prot, p->out);
		fprintf(p->out, " size=0x%" PRIx64 " bits=", leaf->size);
		ms_tdp_bits_print(leaf->bits, p->out);
	}
	fputc('\n', p->out);
}

static bool tdp_run_continues(const struct ms_player *p, const struct tdp_run *a,
			      const struct tdp_run *b)
{
	const bool ram = ms_player_is_ram(p, b->pa);

	if (a->start == a->end || a->end != b->start || a->mmio != b->mmio)
		return false;
	return a->mmio || (ram == ms_player_is_ram(p, a->pa) &&
			   (ram || a->pa + (a->end - a->start) == b->pa) &&
			   a->leaf.level == b->leaf.level && a->leaf.prot == b->leaf.prot &&
			   a->leaf.bits == b->leaf.bits && a->leaf.cache == b->leaf.cache);
}

/* The first leaf or mark in [at, end), as a run by itself. Empty, at `end`: there is none. */
static struct tdp_run next_in_tdp(const struct ms_tdp *tdp, ms_ipa_t at, ms_ipa_t end)
{
	struct tdp_run run = { .start = end, .end = end };
	struct ms_tdp_mark mark;

	if (ms_tdp_next_leaf(tdp, at, end, &run.leaf)) {
		run.start = run.leaf.ipa > at ? run.leaf.ipa : at;
		run.end = ms_lower(run.leaf.ipa + run.leaf.size, end);
		run.pa = run.leaf.pa + (run.start - run.leaf.ipa);
	}
	if (ms_tdp_next_mmio(tdp, at, run.start, &mark))
		run = (struct tdp_run){ mark.ipa, mark.ipa + MS_4K, true, 0, { 0 } };
	return run;
}

static void show_tdp(struct ms_player *p, ms_ipa_t at, ms_ipa_t end)
{
	const struct ms_tdp *tdp = ms_vm_tdp(p->vm);
	struct tdp_run run = { 0 };

	end = ms_lower(end, ms_tdp_limit(tdp));
	end += -end % MS_4K;
	for (at -= at % MS_4K; at < end;) {
		struct tdp_run next = next_in_tdp(tdp, at, end);

		at = next.end;
		if (next.start < MS_GUEST_CODE_END && next.end > MS_GUEST_CODE_START)
			continue;
		if (tdp_run_continues(p, &run, &next)) {
			run.end = next.end;
			continue;
		}
		add_tdp_run(p, &run);
		run = next;
	}
	add_tdp_run(p, &run);
}

void ms_play_show_s2(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	ms_ipa_t at = op->value[MS_K_GPA], end = ms_range_end(at, op->value[MS_K_LEN]);

	(void)mm;
	ms_print_ret(p, 0);
	if (p->vm && ms_player_is_x86(p))
		show_tdp(p, at, end);
	else if (p->vm)
		show_s2(p, at, end);
}

/* ---- memtypes ---- */

static bool touches_device(const struct ms_header *h, const struct ms_memtype *entry)
{
	for (size_t i = 0; i < h->nr_devices; i++) {
		if (entry->start < h->device[i].pa + h->device[i].size &&
		    h->device[i].pa < entry->end)
			return true;
	}
	return false;
}

struct memtype_printer {
	struct ms_player *p;
	const char *before;
};

static void add_memtype(const struct ms_memtype *entry, void *arg)
{
	struct memtype_printer *printer = arg;
	struct ms_player *p = printer->p;

	if (!touches_device(p->header, entry))
		return;
	fprintf(p->out, "%s0x%" PRIx64 " 0x%" PRIx64 " %s\n", printer->before, entry->start,
		entry->end, ms_cache_name(p->header->arch, entry->type));
}

void ms_print_memtypes(struct ms_player *p, const char *before)
{
	struct memtype_printer printer = { p, before };

	ms_memtype_walk(p->m, 0, UINT64_MAX, add_memtype, &printer);
}

void ms_play_show_memtypes(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	(void)op;
	(void)mm;
	ms_print_ret(p, 0);
	ms_print_memtypes(p, "memtype ");
}
