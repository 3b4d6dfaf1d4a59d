/* SPDX-License-Identifier: GPL-2.0-only */
/* What was found, for people and for programs. */
#include "driver.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- which kernels ---- */

static uint64_t number_of(const char *release)
{
	unsigned int part[3] = { 0 };

	sscanf(release, "%u.%u.%u", &part[0], &part[1], &part[2]);
	return (uint64_t)part[0] << 40 | (uint64_t)part[1] << 20 | part[2];
}

static bool has(const struct drv_finding *f, size_t kernel)
{
	return f->kernels >> kernel & 1;
}

/*
 * "all kernels", "6.12.107 and later", "up to 6.8", or a list; of `arch`, -1: of both, where the
 * architectures agree. false: it is none of the first three.
 */
static bool say_range(const struct drv_finding *f, const struct drv_config *c, int arch, FILE *out)
{
	const char *least = NULL, *most = NULL;
	bool all = true, upward = true, downward = true;

	for (size_t i = 0; i < c->nr_kernels; i++) {
		const char *release = c->kernel[i].release;

		if ((arch >= 0 && (int)c->kernel[i].arch != arch) || !has(f, i))
			continue;
		if (!least || number_of(release) < number_of(least))
			least = release;
		if (!most || number_of(release) > number_of(most))
			most = release;
	}
	for (size_t i = 0; i < c->nr_kernels; i++) {
		if ((arch >= 0 && (int)c->kernel[i].arch != arch) || has(f, i))
			continue;
		all = false;
		if (least && number_of(c->kernel[i].release) >= number_of(least))
			upward = false;
		if (most && number_of(c->kernel[i].release) <= number_of(most))
			downward = false;
	}
	if (!least)
		return false;
	if (all)
		fputs("all kernels", out);
	else if (upward)
		fprintf(out, "%s and later", least);
	else if (downward)
		fprintf(out, "up to %s", most);
	return all || upward || downward;
}

static void say_arch(const struct drv_finding *f, const struct drv_config *c, enum ms_arch arch,
		     FILE *out, bool *second)
{
	bool any = false;

	for (size_t i = 0; i < c->nr_kernels; i++)
		any |= c->kernel[i].arch == arch && has(f, i);
	if (!any)
		return;
	fprintf(out, "%s%s: ", *second ? ", " : "", ms_arch_name(arch));
	*second = true;
	if (say_range(f, c, (int)arch, out))
		return;
	any = false;
	for (size_t i = 0; i < c->nr_kernels; i++) {
		if (c->kernel[i].arch != arch || !has(f, i))
			continue;
		fprintf(out, "%s%s", any ? " " : "", c->kernel[i].release);
		any = true;
	}
}

static void say_kernels(const struct drv_finding *f, const struct drv_config *c, FILE *out)
{
	bool second = false;

	if (say_range(f, c, -1, out))
		return;
	say_arch(f, c, MS_ARCH_ARM64, out, &second);
	say_arch(f, c, MS_ARCH_X86_64, out, &second);
}

/* ---- for people ---- */

static void say_where(const struct drv_finding *f, FILE *out)
{
	const struct ms_violation *v = &f->example;
	const char *separator = "    ";

	if (v->mm) {
		fprintf(out, "%sprocess %" PRIu32, separator, v->mm);
		separator = ", ";
	}
	if (v->vma_end) {
		fprintf(out, "%sVMA 0x%" PRIx64 "-0x%" PRIx64, separator, v->vma_start, v->vma_end);
		separator = ", ";
	}
	if (v->addr) {
		fprintf(out, "%saddress 0x%" PRIx64, separator, v->addr);
		separator = ", ";
	}
	if (v->pa) {
		fprintf(out, "%sphysical 0x%" PRIx64, separator, v->pa);
		separator = ", ";
	}
	if (*separator == ',')
		fputc('\n', out);
}

static void say_steps(const struct drv_finding *f, const struct drv_config *c, FILE *out)
{
	fputs("    steps: ", out);
	if (f->steps)
		drv_play_print(&f->play, f->steps, out);
	else
		fputs("(none: loading and unloading)", out);
	if (f->play.fail_alloc)
		fprintf(out, "; allocation %" PRIu64 " fails", f->play.fail_alloc);
	fprintf(out, " (%s %s)\n", c->kernel[f->kernel].release,
		ms_arch_name(c->kernel[f->kernel].arch));
}

static void print_finding(const struct drv_finding *f, const struct drv_config *c)
{
	const char *slash = strrchr(c->source, '/');

	if (f->has_place)
		printf("%s:%u: %s: ", f->place.file, f->place.line, f->place.function);
	else
		printf("%s: ", slash ? slash + 1 : c->source);
	printf("%s [", f->condition);
	if (!drv_finding_counts(f))
		printf("%s's, ", ms_violation_class_name(f->whose));
	say_kernels(f, c, stdout);
	printf("]\n");
	say_where(f, stdout);
	say_steps(f, c, stdout);
}

static size_t count(const struct drv_findings *findings, bool counts)
{
	size_t n = 0;

	for (size_t i = 0; i < findings->nr; i++)
		n += drv_finding_counts(&findings->finding[i]) == counts;
	return n;
}

/* What was compiled with the names of which versions, unless all was with its own. */
static void say_versions(const struct drv_config *c, const char *why)
{
	struct drv_finding compiles = { .kernels = 0 }, not_played = { .kernels = 0 };
	size_t n = 0;

	for (size_t i = 0; i < c->nr_kernels; i++) {
		compiles.kernels |= (uint64_t)c->kernel[i].compiles << i;
		not_played.kernels |= (uint64_t)!c->kernel[i].module << i;
		n += c->kernel[i].compiles;
	}
	if (n == c->nr_kernels)
		return;
	fprintf(stderr, "compiles with the names of ");
	if (n)
		say_kernels(&compiles, c, stderr);
	else
		fprintf(stderr, "no kernel");
	fprintf(stderr, "; with those of others: %s\n", why);
	if (not_played.kernels)
		fprintf(stderr, "there it was not played\n");
	else
		fprintf(stderr, "there it was compiled with the names of all versions\n");
}

/* What was done, beside what was found. */
static void say_what_was_done(const struct drv_findings *findings, const struct drv_config *c,
			      const char *why)
{
	const size_t mistakes = count(findings, true), others = count(findings, false);
	size_t arm64 = 0;

	for (size_t i = 0; i < c->nr_kernels; i++)
		arm64 += c->kernel[i].arch == MS_ARCH_ARM64;
	fprintf(stderr,
		"%zu mistake%s; played %" PRIu64
		" times on %zu kernels (%zu arm64, %zu x86_64), %" PRIu64 " steps, %" PRIu64
		" mappings made, %" PRIu64 " refused",
		mistakes, mistakes == 1 ? "" : "s", findings->plays, c->nr_kernels, arm64,
		c->nr_kernels - arm64, findings->steps, findings->mapped, findings->refused);
	if (findings->states)
		fprintf(stderr,
			"; searched: %" PRIu64 " sequences, %" PRIu64 " states, all of %u steps",
			findings->sequences, findings->states, findings->depth);
	if (findings->deepest > findings->depth)
		fprintf(stderr, ", on some kernels of %u", findings->deepest);
	if (others && !c->all)
		fprintf(stderr, "; %zu not the driver's: --all", others);
	fprintf(stderr, "\n");
	say_versions(c, why);
	if (findings->hangs)
		fprintf(stderr, "a driver that hangs is not played with to the end: not all is "
				"known of it\n");
	else if (!findings->mapped)
		fprintf(stderr, "no mapping was made: nothing is known of one\n");
}

void drv_print(const struct drv_findings *findings, const struct drv_config *c, const char *why)
{
	for (size_t i = 0; i < findings->nr; i++)
		if (drv_finding_counts(&findings->finding[i]))
			print_finding(&findings->finding[i], c);
	for (size_t i = 0; i < findings->nr && c->all; i++)
		if (!drv_finding_counts(&findings->finding[i]))
			print_finding(&findings->finding[i], c);
	fflush(stdout);
	say_what_was_done(findings, c, why);
}

/* ---- for programs ---- */

static void json_text(const char *key, const char *text, const char *after)
{
	printf("\"%s\":\"", key);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if ((unsigned char)*text < ' ')
			printf("\\u%04x", *text);
		else
			putchar(*text);
	}
	printf("\"%s", after);
}

static void json_steps(const struct drv_finding *f)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	drv_play_print(&f->play, f->steps, out);
	fclose(out);
	json_text("steps", text, ",");
	free(text);
}

static void json_finding(const struct drv_finding *f, const struct drv_config *c)
{
	const struct ms_violation *v = &f->example;
	const char *separator = "";

	printf("{");
	json_text("class", f->what == DRV_CRASH ? "driver" : ms_violation_class_name(f->whose),
		  ",");
	json_text("what", f->condition, ",");
	if (f->has_place) {
		json_text("file", f->place.file, ",");
		json_text("function", f->place.function, ",");
		printf("\"line\":%u,", f->place.line);
	}
	json_text("driver", f->driver, ",");
	json_text("callback", f->callback, ",");
	printf("\"process\":%" PRIu32 ",\"vma\":[%" PRIu64 ",%" PRIu64 "],\"address\":%" PRIu64
	       ",\"physical\":%" PRIu64 ",",
	       v->mm, v->vma_start, v->vma_end, v->addr, v->pa);
	json_steps(f);
	printf("\"fail_alloc\":%" PRIu64 ",\"kernels\":[", f->play.fail_alloc);
	for (size_t i = 0; i < c->nr_kernels; i++) {
		if (!has(f, i))
			continue;
		printf("%s\"%s %s\"", separator, c->kernel[i].release,
		       ms_arch_name(c->kernel[i].arch));
		separator = ",";
	}
	printf("]}");
}

void drv_print_json(const struct drv_findings *findings, const struct drv_config *c)
{
	const char *separator = "\n";

	printf("{\"plays\":%" PRIu64 ",\"steps\":%" PRIu64 ",\"mapped\":%" PRIu64
	       ",\"refused\":%" PRIu64 ",\"findings\":[",
	       findings->plays, findings->steps, findings->mapped, findings->refused);
	for (size_t i = 0; i < findings->nr; i++) {
		fputs(separator, stdout);
		json_finding(&findings->finding[i], c);
		separator = ",\n";
	}
	printf("\n]}\n");
}
