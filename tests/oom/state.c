/* SPDX-License-Identifier: GPL-2.0-only */
#include "state.h"

#include "kvm/x86/x86.h"
#include "mm/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void print_pa(struct ms_machine *m, ms_pa_t pa, FILE *out)
{
	const ms_pfn_t pfn = pa >> m->page_shift;

	if (ms_is_zero_pfn(m, pfn) || ms_is_huge_zero_pfn(m, pfn))
		fprintf(out, " zero");
	else if (ms_pfn_is_ram(m, pfn))
		fprintf(out, " ram");
	else
		fprintf(out, " %#" PRIx64, pa);
}

/* id: numbers of processes that were never made are not used again. */
static void print_vmas(struct ms_mm *mm, unsigned int id, FILE *out)
{
	char flags[MS_VMFLAGS_MAX];

	for (const struct ms_vma *vma = ms_find_vma(mm, 0); vma; vma = ms_vma_next(vma))
		fprintf(out,
			"mm %u: VMA %#" PRIx64 "-%#" PRIx64 " %s page %#" PRIx64 " prot %#" PRIx64
			"\n",
			id, vma->vm_start, vma->vm_end, ms_vma_flags_str(vma, flags, sizeof(flags)),
			vma->vm_pgoff, vma->vm_page_prot);
}

#define LEAF_BITS \
	(~(MS_PTE_PA_MASK | MS_PTE_YOUNG | MS_PTE_DIRTY)) /* used: by whom says nothing \
							   */

/* Neighbouring leaves of one size that map pages behind each other, or pages of RAM. */
struct run {
	ms_hva_t start, end;
	uint64_t size, bits;
	ms_pa_t pa;
	bool ram;
};

static bool continues(const struct ms_machine *m, const struct run *run,
		      const struct ms_host_leaf *leaf)
{
	ms_pa_t pa = leaf->entry & MS_PTE_PA_MASK;
	const ms_pfn_t pfn = pa >> m->page_shift;

	if (leaf->start != run->end || leaf->size != run->size ||
	    (leaf->entry & LEAF_BITS) != run->bits)
		return false;
	if (ms_is_zero_pfn(m, pfn) || ms_is_huge_zero_pfn(m, pfn))
		return pa == run->pa;
	return ms_pfn_is_ram(m, pfn) ? run->ram : pa == run->pa + (run->end - run->start);
}

static void print_run(struct ms_machine *m, unsigned int id, const struct run *run, FILE *out)
{
	if (run->start == run->end)
		return;
	fprintf(out, "mm %u: %#" PRIx64 "-%#" PRIx64 " by %#" PRIx64 " bits %#" PRIx64, id,
		run->start, run->end, run->size, run->bits);
	print_pa(m, run->pa, out);
	fprintf(out, "\n");
}

static void print_leaves(struct ms_mm *mm, unsigned int id, FILE *out)
{
	struct ms_machine *m = mm->machine;
	struct run run = { 0 };
	struct ms_host_leaf leaf;

	for (ms_hva_t va = 0; ms_host_next_leaf(mm, va, mm->task_size, &leaf);
	     va = leaf.start + leaf.size) {
		ms_pa_t pa = leaf.entry & MS_PTE_PA_MASK;
		const ms_pfn_t pfn = pa >> m->page_shift;

		if (!continues(m, &run, &leaf)) {
			print_run(m, id, &run, out);
			run = (struct run){
				.start = leaf.start,
				.size = leaf.size,
				.bits = leaf.entry & LEAF_BITS,
				.pa = pa,
				.ram = ms_pfn_is_ram(m, pfn) && !ms_is_zero_pfn(m, pfn) &&
				       !ms_is_huge_zero_pfn(m, pfn),
			};
		}
		run.end = leaf.start + leaf.size;
	}
	print_run(m, id, &run, out);
}

static void print_slots(struct ms_vm *vm, unsigned int id, struct state_parts parts, FILE *out)
{
	for (unsigned int number = 0; number < 512; number++) {
		const struct ms_memslot *slot = ms_id_to_memslot(vm, number);

		if (!slot)
			continue;
		fprintf(out,
			"vm %u: slot %u at %#" PRIx64 " %" PRIu64 " pages of %#" PRIx64
			" flags %#x",
			id, number, ms_slot_gpa(vm, slot), slot->npages, slot->hva, slot->flags);
		for (size_t i = 0; parts.host_pages && slot->dirty && i < ms_slot_words(slot); i++)
			if (slot->dirty[i])
				fprintf(out, " %zu:%" PRIx64, i, slot->dirty[i]);
		fprintf(out, "\n");
	}
}

static void print_stage2(struct ms_vm *vm, unsigned int id, struct state_parts parts, FILE *out)
{
	const ms_ipa_t end = UINT64_C(1) << vm->config.ipa_bits;
	struct ms_s2_leaf leaf;

	for (ms_ipa_t ipa = 0; ms_s2_next_leaf(vm->arm64.s2, ipa, end, &leaf);
	     ipa = leaf.ipa + leaf.size) {
		fprintf(out, "vm %u: %#" PRIx64 " (%#" PRIx64 " bytes)", id, leaf.ipa, leaf.size);
		if (parts.host_pages) {
			fprintf(out, " prot %#x", leaf.prot);
			print_pa(vm->machine, leaf.pa, out);
		}
		fprintf(out, "\n");
	}
}

/* Entries, marks, and what is remembered of tables. */
static void print_nested(struct ms_vm *vm, unsigned int id, struct state_parts parts, FILE *out)
{
	const struct ms_tdp *tdp = vm->x86.tdp;
	struct ms_tdp_leaf leaf;
	struct ms_tdp_mark mark;
	struct ms_nx_table *t;

	for (ms_ipa_t ipa = 0; ms_tdp_next_leaf(tdp, ipa, UINT64_MAX, &leaf);
	     ipa = leaf.ipa + leaf.size) {
		fprintf(out, "vm %u: %#" PRIx64 " (%#" PRIx64 " bytes)", id, leaf.ipa, leaf.size);
		if (parts.host_pages) {
			fprintf(out, " prot %#x bits %#x", leaf.prot, leaf.bits);
			print_pa(vm->machine, leaf.pa, out);
		}
		fprintf(out, "\n");
	}
	for (ms_ipa_t ipa = 0; ms_tdp_next_mmio(tdp, ipa, UINT64_MAX, &mark);
	     ipa = mark.ipa + MS_4K)
		fprintf(out, "vm %u: mark at %#" PRIx64 "\n", id, mark.ipa);
	TAILQ_FOREACH (t, &vm->x86.nx_recoverable, by_age)
		fprintf(out, "vm %u: table of level %u at %#" PRIx64 " is to be recovered\n", id,
			t->level, t->ipa);
}

static void print_vm(struct ms_vm *vm, unsigned int id, struct state_parts parts, FILE *out)
{
	print_slots(vm, id, parts, out);
	if (parts.stage2 && vm->arm64.s2)
		print_stage2(vm, id, parts, out);
	if (parts.stage2 && vm->x86.tdp)
		print_nested(vm, id, parts, out);
}

static int by_range(const void *a, const void *b)
{
	const struct ms_memtype *x = a, *y = b;

	if (x->start != y->start)
		return x->start > y->start ? 1 : -1;
	if (x->end != y->end)
		return x->end > y->end ? 1 : -1;
	return (int)x->type - (int)y->type;
}

/*
 * Of equal entries any one may be the one that a failed mapping gave back: their order is not told.
 */
static void print_memtypes(const struct ms_machine *m, FILE *out)
{
	struct ms_memtype *entries, entry;
	size_t n = 0;

	while (ms_memtype_get(m, n, &entry))
		n++;
	entries = calloc(n + 1, sizeof(*entries));
	if (!entries)
		abort();
	for (size_t i = 0; i < n; i++)
		ms_memtype_get(m, i, &entries[i]);
	qsort(entries, n, sizeof(*entries), by_range);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "memtype %#" PRIx64 "-%#" PRIx64 " %u\n", entries[i].start,
			entries[i].end, (unsigned int)entries[i].type);
	free(entries);
}

char *state_of(struct ms_machine *m, struct state_parts parts)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	unsigned int id = 0;
	struct ms_mm *mm;
	struct ms_vm *vm;

	if (!out)
		abort();
	TAILQ_FOREACH (mm, &m->processes->mms, link) {
		print_vmas(mm, ++id, out);
		if (parts.host_pages)
			print_leaves(mm, id, out);
	}
	if (parts.memtypes)
		print_memtypes(m, out);
	id = 0;
	TAILQ_FOREACH (vm, &m->kvm->vms, link)
		print_vm(vm, ++id, parts, out);
	fclose(out);
	return text;
}

void state_difference(const char *a, const char *b, char *text, size_t size)
{
	size_t i = 0, line = 0;

	for (; a[i] && a[i] == b[i]; i++)
		if (a[i] == '\n')
			line = i + 1;
	snprintf(text, size, "%.*s\n  instead of\n%.*s", (int)strcspn(a + line, "\n"), a + line,
		 (int)strcspn(b + line, "\n"), b + line);
}
