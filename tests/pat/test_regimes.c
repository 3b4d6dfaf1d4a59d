/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of docs/pat-regimes.md, made from the model: what each way of tracking a
 * write-combining mapping of four pages does when the mapping goes, whole or in parts. Without
 * arguments the table must be what the file says; with `--write FILE` it is written there.
 *
 *   test_regimes FILE | test_regimes --write FILE
 */
#include <mapsim/mapsim.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE UINT64_C(0x1000)
#define A UINT64_C(0x200000000000)
#define B (A + 0x100000)
#define BAR UINT64_C(0xfd000000)

struct world {
	struct ms_machine *m;
	struct ms_mm *mm, *child;
	struct ms_file *file;
};

/* ---- a driver that maps its BAR write-combining at mmap, and page by page after a zap ---- */

static ms_vm_fault_t wc_fault(struct ms_vm_fault *vmf)
{
	return ms_vmf_insert_pfn(vmf->vma, vmf->address, BAR / PAGE + vmf->pgoff);
}

static const struct ms_vm_ops wc_ops = { .fault = wc_fault };

static int wc_mmap(struct ms_file *file, struct ms_vma *vma)
{
	vma->vm_page_prot = ms_pgprot_writecombine(vma->vm_page_prot);
	vma->vm_ops = &wc_ops;
	return ms_remap_pfn_range(vma, vma->vm_start, BAR / PAGE + vma->vm_pgoff,
				  vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

static const struct ms_file_ops wc_fops = { .name = "wc", .mmap = wc_mmap };

/* ---- what is done to it ---- */

static void whole(struct world *w)
{
	ms_munmap(w->mm, A, 4 * PAGE);
}

static void head(struct world *w)
{
	ms_munmap(w->mm, A, 2 * PAGE);
}

static void middle(struct world *w)
{
	ms_munmap(w->mm, A + PAGE, 2 * PAGE);
}

static void tail(struct world *w)
{
	ms_munmap(w->mm, A + 2 * PAGE, 2 * PAGE);
}

static void zap(struct world *w)
{
	ms_unmap_mapping_range(w->file, 0, PAGE, true);
}

static void refault(struct world *w)
{
	ms_touch(w->mm, A, MS_PROT_R);
}

static void fork_child(struct world *w)
{
	w->child = ms_fork(w->mm);
}

static void exit_child(struct world *w)
{
	ms_mm_exit(w->child);
	w->child = NULL;
}

static void move_whole(struct world *w)
{
	ms_mremap(w->mm, A, 4 * PAGE, 4 * PAGE, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, B);
}

static void unmap_moved(struct world *w)
{
	ms_munmap(w->mm, B, 4 * PAGE);
}

static void move_tail(struct world *w)
{
	ms_mremap(w->mm, A + 2 * PAGE, 2 * PAGE, 2 * PAGE, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED,
		  B + 2 * PAGE);
}

static void nothing(struct world *w)
{
}

static const struct sequence {
	const char *title;
	struct step {
		const char *text;
		void (*play)(struct world *w);
	} step[4];
} sequences[] = {
	{ "whole munmap", { { "mmap", nothing }, { "munmap 0..3", whole } } },
	{ "head first", { { "munmap 0..1", head }, { "munmap the rest", whole } } },
	{ "middle first", { { "munmap 1..2", middle }, { "munmap the rest", whole } } },
	{ "tail first", { { "munmap 2..3", tail }, { "munmap the rest", whole } } },
	{ "zap and refault",
	  { { "zap page 0", zap }, { "touch page 0", refault }, { "munmap 0..3", whole } } },
	{ "fork, child exits",
	  { { "fork", fork_child }, { "child exits", exit_child }, { "munmap 0..3", whole } } },
	{ "mremap of the whole",
	  { { "mremap 0..3", move_whole }, { "munmap there", unmap_moved } } },
	{ "mremap of a part",
	  { { "mremap 2..3", move_tail },
	    { "munmap there", unmap_moved },
	    { "munmap 0..1", head } } },
};

/* ---- printing ---- */

static const char *cache_name(enum ms_cache cache)
{
	static const char *const names[] = { "WB", "WC", "UC-", "UC", "WT", "WP" };

	return cache <= MS_CACHE_WP ? names[cache] : "?";
}

static unsigned int page_of(uint64_t pa)
{
	return (unsigned int)((pa - BAR) / PAGE);
}

static void print_event(FILE *out, const struct ms_event *ev, bool *first)
{
	const char *comma = *first ? "" : ", ";

	switch (ev->type) {
	case MS_EV_PAT_RESERVE:
		fprintf(out, "%sreserve %u..%u %s", comma, page_of(ev->addr),
			page_of(ev->addr + ev->size) - 1, cache_name((enum ms_cache)ev->cache));
		break;
	case MS_EV_PAT_FREE:
		fprintf(out, "%sfree %u..%u%s", comma, page_of(ev->addr),
			page_of(ev->addr + ev->size) - 1, ev->ret ? " **EINVAL**" : "");
		break;
	case MS_EV_PAT_CLEAR:
		fprintf(out, "%sclear flag", comma);
		break;
	case MS_EV_ZAP:
		fprintf(out, "%szap", comma);
		break;
	default:
		return;
	}
	*first = false;
}

static void print_entry(const struct ms_memtype *entry, void *arg)
{
	fprintf(arg, " %u..%u %s", page_of(entry->start), page_of(entry->end) - 1,
		cache_name(entry->type));
}

static void print_step(FILE *out, struct world *w, const struct step *step)
{
	bool first = true;
	struct ms_memtype any;

	step->play(w);
	fprintf(out, "%s: ", step->text);
	for (size_t i = 0; i < ms_trace_len(w->m); i++)
		print_event(out, ms_trace_get(w->m, i), &first);
	fprintf(out, "%s; list", first ? "nothing" : "");
	ms_memtype_walk(w->m, BAR, BAR + 4 * PAGE, print_entry, out);
	if (!ms_memtype_get(w->m, 0, &any))
		fputs(" empty", out);
	ms_trace_clear(w->m);
}

static void print_cell(FILE *out, const struct ms_policy *policy, const struct sequence *seq)
{
	struct world w = { .m = ms_machine_new(policy) };
	bool at_mmap = seq->step[0].play == nothing;

	if (!w.m || !ms_device_add(w.m, "bar", BAR, 4 * PAGE) || ms_ram_add(w.m, MS_1G, MS_1G))
		abort();
	w.mm = ms_mm_new(w.m);
	w.file = ms_file_new(w.m, &wc_fops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, NULL);
	if (!w.mm || !w.file ||
	    ms_mmap(w.mm, A, 4 * PAGE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, w.file, 0) < 0)
		abort();
	if (!at_mmap)
		ms_trace_clear(w.m);
	for (size_t i = 0; i < 4 && seq->step[i].play; i++) {
		fputs(i ? "<br>" : " ", out);
		print_step(out, &w, &seq->step[i]);
	}
	fputs(" |", out);
	ms_machine_free(w.m);
}

static void print_table(FILE *out)
{
	struct ms_policy unmap_only = *ms_policy_linux("6.12.117", MS_ARCH_X86_64);
	const struct ms_policy *const policies[] = { ms_policy_linux("6.12.117", MS_ARCH_X86_64),
						     &unmap_only,
						     ms_policy_linux("7.2.13", MS_ARCH_X86_64) };

	ms_policy_set(&unmap_only, "untrack_at", "UNMAP_ONLY");
	fputs("# How long a write-combining reservation lives\n\n"
	      "A driver maps its BAR's four pages (0..3) write-combining with one `remap_pfn_range` at mmap, and page by\n"
	      "page with `vmf_insert_pfn` after a zap. Each cell: what is done, the events it brings, and what the memtype\n"
	      "list holds of the BAR afterwards. This file is made by `tests/pat/test_regimes.c` and checked by it.\n\n"
	      "- **any zap** (`untrack_at=ANY_ZAP`): Linux up to 6.15, here 6.12.117.\n"
	      "- **unmap only** (`untrack_at=UNMAP_ONLY`): proposed in 2024, never merged; the rest is 6.12.117.\n"
	      "- **last VMA** (`untrack_at=LAST_VMA_FREED`): Linux from 6.16 on, here 7.2.13.\n\n"
	      "| | any zap | unmap only | last VMA |\n|---|---|---|---|\n",
	      out);
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
		fprintf(out, "| %s |", sequences[i].title);
		for (size_t k = 0; k < 3; k++)
			print_cell(out, policies[k], &sequences[i]);
		fputs("\n", out);
	}
}

static int compare(const char *path, const char *table, size_t len)
{
	FILE *f = fopen(path, "r");
	char *file = calloc(1, len + 2);
	size_t n = f && file ? fread(file, 1, len + 1, f) : 0;
	int ret = !(n == len && !memcmp(file, table, len));

	if (f)
		fclose(f);
	free(file);
	if (ret)
		fprintf(stderr, "%s is not what the model says:\n%s", path, table);
	return ret;
}

int main(int argc, char **argv)
{
	bool write = argc == 3 && !strcmp(argv[1], "--write");
	char *table = NULL;
	size_t len = 0;
	FILE *out;
	int ret;

	if (argc != 2 && !write) {
		fprintf(stderr, "usage: %s [--write] FILE\n", argv[0]);
		return 2;
	}
	out = write ? fopen(argv[2], "w") : open_memstream(&table, &len);
	if (!out) {
		perror(argv[argc - 1]);
		return 2;
	}
	print_table(out);
	if (fclose(out))
		return 2;
	ret = write ? 0 : compare(argv[1], table, len);
	free(table);
	return ret;
}
