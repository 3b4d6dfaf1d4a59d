/* SPDX-License-Identifier: GPL-2.0-only */
/* What lib/linux keeps of a machine: how it is made and freed, and what it said once. */
#include "linux/state.h"

#include <stdio.h>

struct ms_linux *ms_linux_of(struct ms_machine *m)
{
	struct ms_linux *lx = m->kernel;

	if (lx)
		return lx;
	lx = ms_zalloc(&m->alloc, sizeof(*lx));
	if (!lx)
		return NULL;
	lx->page_shift = m->page_shift;
	SLIST_INIT(&lx->places);
	RB_INIT(&lx->by_addr);
	RB_INIT(&lx->by_pfn);
	RB_INIT(&lx->slabs_by_addr);
	for (size_t i = 0; i < MS_SLAB_CLASSES; i++)
		TAILQ_INIT(&lx->slabs[i]);
	RB_INIT(&lx->remappings);
	RB_INIT(&lx->regions);
	lx->rcu_end = &lx->rcu;
	ms_phys_ask_driver_bytes(m, ms_linux_driver_bytes);
	lx->class[0] = (struct ms_lock_class){ .name = "mmap_lock", .file = "" };
	lx->nr_classes = 1;
	lx->page_table_lock = (struct ms_linux_lock){
		.magic = MS_LINUX_LOCK_MAGIC,
		.kind = MS_LINUX_LOCK_SPINNING,
		.name = "page table lock",
		.file = "",
	};
	m->kernel = lx;
	return lx;
}

static void linux_destroy(struct ms_machine *m)
{
	struct ms_linux *lx = m->kernel;
	struct ms_place *place;

	if (!lx)
		return;
	ms_linux_rcu_destroy(m, lx);
	ms_linux_fds_destroy(m);
	ms_vmaps_destroy(m);
	ms_linux_memory_destroy(m);
	ms_linux_io_destroy(m);
	ms_linux_devices_destroy(m, lx->devices);
	ms_linux_tasks_destroy(m, lx->tasks);
	ms_linux_chrdevs_destroy(m, lx->chrdevs);
	ms_linux_bus_destroy(m, lx->bus);
	ms_linux_platform_destroy(m, lx->platform);
	while ((place = SLIST_FIRST(&lx->places))) {
		SLIST_REMOVE_HEAD(&lx->places, link);
		ms_free(&m->alloc, place);
	}
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

void **ms_linux_chrdevs(struct ms_machine *m)
{
	struct ms_linux *lx = ms_linux_of(m);

	return lx ? &lx->chrdevs : NULL;
}

void **ms_linux_works(struct ms_machine *m)
{
	struct ms_linux *lx = ms_linux_of(m);

	return lx ? &lx->works : NULL;
}

bool ms_linux_set_atomic(struct ms_machine *m, bool atomic)
{
	const bool was = m->kernel && m->kernel->atomic;

	if (m->kernel)
		m->kernel->atomic = atomic;
	return was;
}

void **ms_linux_bus(struct ms_machine *m)
{
	struct ms_linux *lx = ms_linux_of(m);

	return lx ? &lx->bus : NULL;
}

void **ms_linux_platform(struct ms_machine *m)
{
	struct ms_linux *lx = ms_linux_of(m);

	return lx ? &lx->platform : NULL;
}

bool ms_linux_knows_mmap_prepare(const struct ms_machine *m)
{
	return m->policy.file_mmap_prepare == MS_FILE_MMAP_PREPARE_PRESENT;
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

void **ms_linux_tasks(struct ms_machine *m)
{
	struct ms_linux *lx = ms_linux_of(m);

	return lx ? &lx->tasks : NULL;
}

int ms_linux_file_set_mapping(struct ms_file *file, const void *key)
{
	return ms_file_set_mapping(file, key);
}

int ms_linux_notifier_add(struct ms_mm *mm, struct ms_mmu_notifier *mn,
			  const struct ms_mmu_notifier_ops *ops)
{
	return ms_mmu_notifier_add(mm, mn, ops);
}

bool ms_linux_call_begin(struct ms_machine *m)
{
	return ms_call_begin(m, 0);
}

void ms_linux_call_end(struct ms_machine *m)
{
	ms_call_end(m);
}

void ms_linux_file_set_ops(struct ms_file *file, const struct ms_file_ops *ops)
{
	ms_file_set_ops(file, ops);
}

bool ms_linux_is_ending(const struct ms_machine *m)
{
	return m->ending;
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

struct ms_mm *ms_linux_set_current_mm(struct ms_machine *m, struct ms_mm *mm)
{
	struct ms_mm *former = m ? m->call.mm : NULL;

	if (m)
		m->call.mm = mm;
	return former;
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
