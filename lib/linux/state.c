/* SPDX-License-Identifier: GPL-2.0-only */
/* What lib/linux keeps of a machine: how it is made and freed, its texts, and what it said once. */
#include "linux/state.h"

#include <stdio.h>

static int text_cmp(const struct ms_text *a, const struct ms_text *b)
{
	return strcmp(a->text, b->text);
}

RB_GENERATE_INTERNAL(ms_texts, ms_text, node, text_cmp, static __attribute__((unused)))

struct ms_linux *ms_linux_of(struct ms_machine *m)
{
	struct ms_linux *lx = m->kernel;

	if (lx)
		return lx;
	lx = ms_zalloc(&m->alloc, sizeof(*lx));
	if (!lx)
		return NULL;
	RB_INIT(&lx->texts);
	SLIST_INIT(&lx->places);
	RB_INIT(&lx->by_addr);
	RB_INIT(&lx->by_pfn);
	RB_INIT(&lx->remappings);
	RB_INIT(&lx->regions);
	lx->class[0] = (struct ms_lock_class){ .name = "mmap_lock", .file = "" };
	lx->nr_classes = 1;
	m->kernel = lx;
	return lx;
}

static void destroy_texts(struct ms_machine *m, struct ms_linux *lx)
{
	struct ms_text *text;

	while ((text = RB_ROOT(&lx->texts))) {
		RB_REMOVE(ms_texts, &lx->texts, text);
		ms_free(&m->alloc, text);
	}
}

static void linux_destroy(struct ms_machine *m)
{
	struct ms_linux *lx = m->kernel;
	struct ms_place *place;

	if (!lx)
		return;
	ms_linux_memory_destroy(m);
	ms_linux_io_destroy(m);
	ms_linux_devices_destroy(m, lx->devices);
	while ((place = SLIST_FIRST(&lx->places))) {
		SLIST_REMOVE_HEAD(&lx->places, link);
		ms_free(&m->alloc, place);
	}
	destroy_texts(m, lx);
	ms_free(&m->alloc, lx);
	m->kernel = NULL;
}

const struct ms_room ms_linux_room = {
	.name = "linux",
	.destroy = linux_destroy,
	.check = ms_linux_check,
	.hash = ms_linux_hash,
};

/* ---- for file.c ---- */

void *ms_linux_zalloc(struct ms_machine *m, size_t size)
{
	return ms_zalloc(&m->alloc, size);
}

void ms_linux_release(struct ms_machine *m, void *p)
{
	ms_free(&m->alloc, p);
}

unsigned int ms_linux_page_shift(const struct ms_machine *m)
{
	return m->page_shift;
}

uint64_t ms_linux_refusals(const struct ms_machine *m)
{
	return ms_refusals(m);
}

void **ms_linux_devices(struct ms_machine *m)
{
	struct ms_linux *lx = ms_linux_of(m);

	return lx ? &lx->devices : NULL;
}

int ms_linux_file_set_mapping(struct ms_file *file, const void *key)
{
	return ms_file_set_mapping(file, key);
}

/* ---- which machine ---- */

struct ms_machine *ms_linux_machine(void)
{
	return ms_current_machine();
}

struct ms_machine *ms_linux_set_machine(struct ms_machine *m)
{
	return ms_set_current_machine(m);
}

struct ms_machine *ms_linux_here(const char *what)
{
	struct ms_machine *m = ms_current_machine();

	if (!m)
		fprintf(stderr, "mapsim: %s outside of a call into a driver: see ms_linux_use()\n",
			what);
	return m;
}

struct ms_mm *ms_linux_current_mm(void)
{
	struct ms_machine *m = ms_current_machine();

	return m ? m->call.mm : NULL;
}

/* ---- texts ---- */

/* One of each: a message in a loop does not grow without end. */
static const char *keep(struct ms_machine *m, struct ms_linux *lx, struct ms_text *text)
{
	struct ms_text *same = RB_INSERT(ms_texts, &lx->texts, text);

	if (!same)
		return text->text;
	ms_free(&m->alloc, text);
	return same->text;
}

const char *ms_linux_text(struct ms_machine *m, const char *format, ...)
{
	struct ms_linux *lx = ms_linux_of(m);
	struct ms_text *text;
	va_list args;
	int len;

	if (!lx)
		return NULL;
	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	text = len < 0 ? NULL : ms_zalloc(&m->alloc, sizeof(*text) + (size_t)len + 1);
	if (!text)
		return NULL;
	va_start(args, format);
	vsnprintf(text->text, (size_t)len + 1, format, args);
	va_end(args);
	return keep(m, lx, text);
}

/* ---- once ---- */

bool ms_linux_first_time(const void *place)
{
	struct ms_machine *m = ms_linux_here("a message");
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	struct ms_place *seen;

	if (!lx)
		return true;
	SLIST_FOREACH (seen, &lx->places, link)
		if (seen->place == place)
			return false;
	// without memory to remember it is said again
	seen = ms_zalloc(&m->alloc, sizeof(*seen));
	if (seen) {
		seen->place = place;
		SLIST_INSERT_HEAD(&lx->places, seen, link);
	}
	return true;
}
