/* SPDX-License-Identifier: GPL-2.0-only */
/* The program: which workloads, how often, at which sizes. */
#include "bench.h"

#include <err.h>
#include <fnmatch.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const struct bench_workload workloads[] = {
	{ "memory", bench_memory, "writing a table's memory once, and nothing else" },
	{ "pat", bench_pat, "memory types: reserve, free, look up; events are counted" },
	{ "pat.trace", bench_pat, "  and kept" },
	{ "devices", bench_devices, "devices, their files and ioremaps, many at a time" },
	{ "vma", bench_vma, "mmap, munmap, mprotect, lookup; events are counted" },
	{ "vma.trace", bench_vma, "  and kept" },
	{ "stage2", bench_stage2, "map, unmap, protect, walk; TLBIs and CMOs are counted" },
	{ "stage2.silent", bench_stage2, "  nobody hears of anything" },
	{ "stage2.desc", bench_stage2, "  every descriptor that changes is told one by one" },
	{ "stage2.legacy", bench_stage2, "  as stage2, of a CPU with neither FWB nor range TLBI" },
	{ "tdp", bench_tdp, "the same of an x86 second-level table; changes are counted" },
	{ "tdp.pieces", bench_tdp, "  and each piece of equal changes is looked for" },
	{ "tdp.silent", bench_tdp, "  nobody hears of anything" },
	{ "tdp.ept", bench_tdp, "  as tdp, of EPT without accessed bits" },
	{ "fault", bench_fault, "a guest's first access to a page; events are counted" },
	{ "fault.trace", bench_fault, "  and kept" },
	{ "state", bench_state, "states of a small machine, and a script of nine operations" },
};
enum { WORKLOADS = sizeof(workloads) / sizeof(workloads[0]) };

static const char *const sizes_name[] = {
	[BENCH_SMOKE] = "smoke",
	[BENCH_PEERS] = "peers",
	[BENCH_GROWTH] = "growth",
	[BENCH_HUGE] = "huge",
};

static void usage(FILE *out)
{
	fputs("usage: bench [OPTION]... [WORKLOAD]...\n"
	      "Measures the workloads named (patterns as in 'stage2*'), or all.\n\n"
	      "  --rounds N    rounds that count, after one to warm up [7]\n"
	      "  --sizes S     smoke, peers, growth (up to 10^6 and 256 GiB) or huge (1 TiB of\n"
	      "                4K pages, 5 GiB of memory) [peers]\n"
	      "  --csv FILE    write workload, op, size, min, median, p90, MAD there, too\n"
	      "  --list        print the workloads\n"
	      "  --help        print this\n",
	      out);
}

static void list(void)
{
	for (size_t i = 0; i < WORKLOADS; i++)
		printf("%-14s  %s\n", workloads[i].name, workloads[i].text);
}

bool bench_is(const struct bench_run *run, const char *variant)
{
	return strcmp(run->variant, variant) == 0;
}

size_t bench_numbers(const struct bench_run *run, uint32_t numbers[6])
{
	static const uint32_t few[] = { 10, 1000, 100000 };
	static const uint32_t many[] = { 10, 100, 1000, 10000, 100000, 1000000 };
	bool all = run->sizes >= BENCH_GROWTH;
	size_t n = all ? 6 : run->sizes == BENCH_PEERS ? 3 : 2;

	memcpy(numbers, all ? many : few, n * sizeof(*numbers));
	return n;
}

static enum bench_sizes parse_sizes(const char *word)
{
	for (int i = 0; i <= BENCH_HUGE; i++)
		if (strcmp(word, sizes_name[i]) == 0)
			return (enum bench_sizes)i;
	errx(2, "no such sizes: %s", word);
}

static unsigned int parse_rounds(const char *word)
{
	char *end;
	unsigned long n = strtoul(word, &end, 10);

	if (*end || n < 1 || n > BENCH_ROUNDS_MAX)
		errx(2, "rounds: 1 to %d", BENCH_ROUNDS_MAX);
	return (unsigned int)n;
}

static FILE *open_csv(const char *path)
{
	FILE *csv = fopen(path, "w");

	if (!csv)
		err(1, "%s", path);
	bench_csv_head(csv);
	return csv;
}

static bool is_named(const char *name, char *const *patterns, int n)
{
	for (int i = 0; i < n; i++)
		if (fnmatch(patterns[i], name, 0) == 0)
			return true;
	return n == 0;
}

static unsigned int run_named(struct bench_run *run, char *const *patterns, int n)
{
	unsigned int count = 0;

	for (size_t i = 0; i < WORKLOADS; i++) {
		const char *dot = strchr(workloads[i].name, '.');

		if (!is_named(workloads[i].name, patterns, n))
			continue;
		run->workload = workloads[i].name;
		run->variant = dot ? dot + 1 : "";
		workloads[i].run(run);
		count++;
	}
	return count;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rounds", required_argument, NULL, 'r' },
		{ "sizes", required_argument, NULL, 's' },
		{ "csv", required_argument, NULL, 'c' },
		{ "list", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct bench_run run = { .sizes = BENCH_PEERS, .rounds = 7 };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'r':
			run.rounds = parse_rounds(optarg);
			break;
		case 's':
			run.sizes = parse_sizes(optarg);
			break;
		case 'c':
			run.csv = open_csv(optarg);
			break;
		case 'l':
			list();
			return 0;
		default:
			usage(option == 'h' ? stdout : stderr);
			return option == 'h' ? 0 : 2;
		}
	}
	if (!run_named(&run, argv + optind, argc - optind))
		errx(2, "no such workload; --list prints them");
	if (run.csv && fclose(run.csv))
		err(1, "writing the CSV file");
	return 0;
}
