/* SPDX-License-Identifier: GPL-2.0-only */
/* What was found, each once: whose, what, where in the driver's source, on which kernels. */
#include "driver.h"

#include <stdlib.h>
#include <string.h>

/*
 * Two locks that are taken in two orders are one mistake, whichever order came first and was taken
 * for the right one.
 */
static bool is_same_order(const char *a, const char *b)
{
	static const char format[] = "possible circular locking: %63s taken under %63[^,]";
	char lock[4][64];

	return sscanf(a, format, lock[0], lock[1]) == 2 &&
	       sscanf(b, format, lock[2], lock[3]) == 2 && !strcmp(lock[0], lock[3]) &&
	       !strcmp(lock[1], lock[2]);
}

/*
 * Conditions of one mistake that come in several words: where a driver does not look at the bounds,
 * and how many references it leaks.
 */
static bool is_same_kind(const char *a, const char *b)
{
	static const char *const begins[] = { "a mapping ", "pages of RAM are never freed" };

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (!strncmp(a, begins[i], strlen(begins[i])) &&
		    !strncmp(b, begins[i], strlen(begins[i])))
			return true;
	return !strcmp(a, b);
}

bool drv_finding_like(const struct drv_finding *a, const struct drv_finding *b)
{
	if (a->what != b->what || a->whose != b->whose)
		return false;
	if (is_same_order(a->condition, b->condition))
		return true;
	if (a->has_place != b->has_place || !is_same_kind(a->condition, b->condition))
		return false;
	return !a->has_place ||
	       (a->place.line == b->place.line && !strcmp(a->place.function, b->place.function));
}

/* What the driver is to answer for. */
bool drv_finding_counts(const struct drv_finding *finding)
{
	return finding->what == DRV_CRASH || finding->whose == MS_VIOLATION_DRIVER;
}

static uint64_t hash_of(const struct drv_report *report)
{
	uint64_t hash = report->nr_frames;

	for (size_t i = 0; i < report->nr_frames; i++)
		hash = (hash ^ report->frame[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static bool place_of(struct drv_findings *findings, const struct drv_module *module,
		     const struct drv_config *config, const struct drv_report *report,
		     struct drv_place *place)
{
	struct drv_known known = { .hash = hash_of(report) ^ (uintptr_t)module }, *grown;

	for (size_t i = 0; i < findings->nr_known; i++)
		if (findings->known[i].hash == known.hash) {
			*place = findings->known[i].place;
			return findings->known[i].found;
		}
	known.found =
		drv_module_place(module, config, report->frame, report->nr_frames, &known.place);
	*place = known.place;
	grown = realloc(findings->known, (findings->nr_known + 1) * sizeof(known));
	if (grown) {
		findings->known = grown;
		grown[findings->nr_known++] = known;
	}
	return known.found;
}

static void fill(struct drv_finding *f, struct drv_findings *findings,
		 const struct drv_config *config, const struct drv_play *play, size_t kernel,
		 size_t device, const struct drv_report *report)
{
	const struct ms_violation *v = &report->violation;

	*f = (struct drv_finding){ .what = report->what,
				   .whose = v->whose,
				   .hangs = report->hangs };
	snprintf(f->condition, sizeof(f->condition), "%s", v->condition);
	snprintf(f->driver, sizeof(f->driver), "%s", v->driver);
	snprintf(f->callback, sizeof(f->callback), "%s", v->callback);
	f->has_place = place_of(findings, config->kernel[kernel].module, config, report, &f->place);
	f->play = *play;
	f->steps = report->step < play->nr ? report->step + 1 : play->nr;
	f->kernel = kernel;
	f->device = device;
	f->example = *v;
	f->example.condition = f->example.driver = f->example.callback = NULL;
}

/* Is the new one a better example: with fewer steps, and without an allocation that fails? */
static bool is_better(const struct drv_finding *new, const struct drv_finding *old)
{
	if (!new->play.fail_alloc != !old->play.fail_alloc)
		return !new->play.fail_alloc;
	return new->steps < old->steps;
}

struct drv_finding *drv_findings_add(struct drv_findings *findings, const struct drv_config *config,
				     const struct drv_play *play, size_t kernel, size_t device,
				     const struct drv_report *report)
{
	struct drv_finding new, *old = NULL, *grown;

	if (report->play)
		play = report->play;
	fill(&new, findings, config, play, kernel, device, report);
	for (size_t i = 0; i < findings->nr && !old; i++)
		if (drv_finding_like(&findings->finding[i], &new))
			old = &findings->finding[i];
	if (!old) {
		grown = realloc(findings->finding, (findings->nr + 1) * sizeof(new));
		if (!grown)
			return NULL;
		findings->finding = grown;
		old = &findings->finding[findings->nr++];
		*old = new;
	} else if (is_better(&new, old)) {
		new.kernels = old->kernels;
		*old = new;
	}
	old->kernels |= UINT64_C(1) << kernel;
	return old;
}

void drv_findings_free(struct drv_findings *findings)
{
	free(findings->finding);
	free(findings->known);
	*findings = (struct drv_findings){ 0 };
}
