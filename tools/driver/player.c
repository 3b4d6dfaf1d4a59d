/* SPDX-License-Identifier: GPL-2.0-only */
/* Plays the steps on a machine, from loading the module to its end. */
#include "player.h"

#include <mapsim/check.h>
#include <mapsim/linux/ms_calls.h>
#include <mapsim/phys.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- what no violation tells ---- */

static void tell(struct drv_player *p, const char *condition, const struct drv_map *map,
		 uint64_t addr, uint64_t pa)
{
	const struct ms_violation v = {
		.whose = MS_VIOLATION_DRIVER,
		.condition = condition,
		.driver = p->device,
		.mm = ms_mm_id(p->self->mm),
		.vma_start = map ? map->addr : 0,
		.vma_end = map ? map->addr + map->len : 0,
		.addr = addr,
		.pa = pa,
		.times = 1,
	};

	p->teller->violation(&v, p->teller->arg);
}

/* Is there something behind [pa, pa + size)? */
static bool is_somewhere(const struct drv_player *p, uint64_t pa, uint64_t size)
{
	if (ms_pfn_is_ram(p->m, pa / p->page_size))
		return true;
	for (size_t i = 0; i < p->config->nr_devices; i++) {
		const struct drv_device *dev = &p->config->device[i];

		if (pa >= dev->pa && pa - dev->pa < dev->size && size <= dev->size - (pa - dev->pa))
			return true;
	}
	return false;
}

/* Every entry of the mapping leads to RAM or to a device. */
static void look_at_map(struct drv_player *p, const struct drv_map *map)
{
	const ms_hva_t end = map->addr + map->len;
	struct ms_host_leaf leaf;

	for (ms_hva_t at = map->addr; at < end && ms_host_next_leaf(p->self->mm, at, end, &leaf);
	     at = leaf.start + leaf.size) {
		const uint64_t pa = leaf.entry & MS_PTE_PA_MASK;

		if (is_somewhere(p, pa, leaf.size))
			continue;
		tell(p, "maps physical addresses where neither a device nor RAM is", map,
		     leaf.start, pa);
		return;
	}
}

static void look(struct drv_player *p)
{
	for (size_t i = 0; p->self->mm && i < p->self->nr_maps; i++)
		if (p->self->map[i].len)
			look_at_map(p, &p->self->map[i]);
}

/* ---- beginning and end ---- */

static int make_machine(struct drv_player *p, const struct drv_kernel *kernel)
{
	p->m = ms_machine_new(kernel->policy);
	return p->m ? ms_ram_add(p->m, DRV_RAM_START, DRV_RAM_SIZE) : -errno;
}

static int add_devices(struct drv_player *p)
{
	int err = 0;

	p->page_size = ms_machine_config(p->m)->page_size;
	for (size_t i = 0; !err && i < p->config->nr_devices; i++) {
		const struct drv_device *dev = &p->config->device[i];

		if (!ms_device_add(p->m, dev->name, dev->pa, dev->size))
			err = -errno;
	}
	p->process[0].mm = err ? NULL : ms_mm_new(p->m);
	return p->process[0].mm ? 0 : -ENOMEM;
}

static int insmod(struct drv_player *p, size_t device)
{
	struct drv_outcome *outcome = p->outcome;
	struct ms_machine *former = ms_linux_set_machine(p->m);
	int found = 0, err = p->module->init ? p->module->init() : 0;
	const char *name;

	p->loaded = !err;
	if (!err && p->module->find)
		err = p->module->find(p->m, p->config->bar, p->config->nr_bars, p->config->resource,
				      p->config->nr_resources, &found);
	outcome->on_bus = found > 0;
	if (err)
		snprintf(outcome->why, sizeof(outcome->why), "%s answers: %s",
			 found ? "the probe of its device" : "module_init()", strerror(-err));
	ms_linux_set_machine(former);
	for (size_t i = 0; i < 16 && (name = ms_linux_device(p->m, i)); i++)
		snprintf(outcome->device[outcome->nr_devices++], sizeof(outcome->device[0]), "%s",
			 name);
	p->device = device < outcome->nr_devices ? outcome->device[device] : "";
	return err;
}

/* All that the play has left is closed, then the module is unloaded. */
static void finish(struct drv_player *p)
{
	struct ms_machine *former;

	ms_vm_free(p->vm);
	for (size_t i = 0; i < DRV_PROCESSES; i++) {
		p->self = &p->process[i];
		if (p->self->mm)
			ms_mm_exit(p->self->mm);
		p->self->mm = NULL;
	}
	while (p->nr_files)
		ms_file_put(p->file[--p->nr_files]);
	former = ms_linux_set_machine(p->m);
	if (p->loaded && p->module->exit)
		p->module->exit();
	p->loaded = false;
	if (p->module->unbind)
		p->module->unbind();
	ms_linux_set_machine(former);
	ms_linux_report_leaks(p->m);
}

/* What a bug leaves behind, where nobody has complained. */
static void check_whole(struct drv_player *p)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out;

	if (ms_violations(p->m))
		return;
	out = open_memstream(&text, &size);
	if (!out)
		return;
	if (ms_machine_check(p->m, out)) {
		fflush(out);
		text[strcspn(text, "\n")] = '\0';
		tell(p, text, NULL, 0, 0);
	}
	fclose(out);
	free(text);
}

static void seen(const struct ms_machine *m, const struct ms_violation *v, void *arg)
{
	const struct drv_teller *teller = arg;

	(void)m;
	// what there was no memory to say is said where another allocation fails
	if (v->times <= 1 && v->condition && strcmp(v->condition, MS_VIOLATION_NO_WORDS))
		teller->violation(v, teller->arg);
}

int drv_player_begin(struct drv_player *p, size_t device, uint64_t fail_alloc)
{
	int err = add_devices(p);

	p->self = &p->process[0];
	ms_violation_observe(p->m, seen, (void *)(uintptr_t)p->teller);
	ms_machine_fail_alloc(p->m, fail_alloc);
	p->allocs = ms_machine_allocs(p->m);
	return err ? err : insmod(p, device);
}

bool drv_player_step(struct drv_player *p, const struct drv_step *step)
{
	p->self = &p->process[step->child];
	// a process that has never begun or has ended does nothing
	if (!p->self->mm || !step->op->play(p, step))
		return false;
	p->outcome->steps++;
	look(p);
	return true;
}

void drv_player_end(struct drv_player *p)
{
	finish(p);
	check_whole(p);
}

static void play_steps(struct drv_player *p, const struct drv_play *play)
{
	bool plays = true;

	for (size_t i = 0; plays && i < play->nr; i++) {
		p->teller->step(i, p->teller->arg);
		plays = drv_player_step(p, &play->step[i]);
	}
}

void drv_player_play(const struct drv_config *config, const struct drv_kernel *kernel,
		     size_t device, const struct drv_play *play, struct drv_outcome *outcome,
		     const struct drv_teller *teller)
{
	struct drv_player p = { .module = kernel->module,
				.config = config,
				.teller = teller,
				.outcome = outcome };
	int err = make_machine(&p, kernel);

	if (!err) {
		err = drv_player_begin(&p, device, play->fail_alloc);
		if (!err)
			play_steps(&p, play);
		teller->step(play->nr, teller->arg);
		drv_player_end(&p);
		outcome->allocs = ms_machine_allocs(p.m) - p.allocs;
	}
	outcome->refused_init = err;
	if (err && !*outcome->why)
		snprintf(outcome->why, sizeof(outcome->why), "no machine: %s", strerror(-err));
	ms_machine_free(p.m);
}
