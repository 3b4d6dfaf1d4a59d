/* SPDX-License-Identifier: GPL-2.0-only */
/* What each step does. */
#include "player.h"

#include <mapsim/linux/ms_calls.h>
#include <mapsim/phys.h>

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define GUEST_START UINT64_C(0x80000000)
#define MOVED_TO UINT64_C(0x100000000000)
#define MOST_TOUCHED 16u /* pages of one step, and the last one */

/* ---- words ---- */

static bool has_word(const struct drv_step *step, const char *word)
{
	for (size_t i = 0; i < step->nr_args; i++)
		if (!strcmp(step->arg[i], word))
			return true;
	return false;
}

static unsigned int prot_of(const struct drv_step *step)
{
	if (has_word(step, "none"))
		return 0;
	if (has_word(step, "r"))
		return MS_PROT_R;
	if (has_word(step, "w"))
		return MS_PROT_W;
	return has_word(step, "rx") ? MS_PROT_R | MS_PROT_X : MS_PROT_RW;
}

/* A range of the mapping, in pages: [*first, *end). */
static void range_of(const struct drv_step *step, uint64_t pages, uint64_t *first, uint64_t *end)
{
	*first = 0;
	*end = pages;
	if (has_word(step, "first"))
		*end = 1;
	else if (has_word(step, "middle"))
		*first = pages / 2, *end = *first + 1;
	else if (has_word(step, "last"))
		*first = pages - 1;
}

static struct drv_map *newest_map(struct drv_player *p)
{
	struct drv_process *self = p->self;

	while (self->nr_maps && !self->map[self->nr_maps - 1].len)
		self->nr_maps--;
	return self->nr_maps ? &self->map[self->nr_maps - 1] : NULL;
}

static struct ms_file *newest_file(struct drv_player *p)
{
	return p->nr_files ? p->file[p->nr_files - 1] : NULL;
}

/* ---- files ---- */

bool drv_op_open(struct drv_player *p, const struct drv_step *step)
{
	int flags = has_word(step, "read") ? O_RDONLY : has_word(step, "write") ? O_WRONLY : O_RDWR;
	struct ms_file *file;

	if (has_word(step, "sync"))
		flags |= O_SYNC;
	if (p->nr_files == DRV_FILES)
		return false;
	file = ms_linux_open_device(p->m, p->device, flags);
	if (file)
		p->file[p->nr_files++] = file;
	return file;
}

bool drv_op_close(struct drv_player *p, const struct drv_step *step)
{
	(void)step;
	if (!p->nr_files)
		return false;
	ms_file_put(p->file[--p->nr_files]);
	return true;
}

static bool call_ioctl(struct drv_player *p, unsigned int cmd, unsigned long arg)
{
	struct ms_file *file = newest_file(p);
	struct ms_machine *former;
	struct ms_mm *former_mm;

	if (!file || !p->module->ioctl)
		return false;
	former = ms_linux_set_machine(p->m);
	former_mm = ms_linux_set_current_mm(p->m, p->self->mm);
	p->module->ioctl(file, cmd, arg);
	ms_linux_set_current_mm(p->m, former_mm);
	ms_linux_set_machine(former);
	return true;
}

bool drv_op_ioctl(struct drv_player *p, const struct drv_step *step)
{
	if (!step->nr_args)
		return false;
	return call_ioctl(p, (unsigned int)strtoul(step->arg[0], NULL, 0),
			  step->nr_args > 1 ? strtoul(step->arg[1], NULL, 0) : 0);
}

static void turn_off(struct drv_player *p)
{
	for (size_t i = 0; i < p->config->nr_devices; i++)
		ms_device_set_memory(ms_device_find(p->m, p->config->device[i].name), false);
}

bool drv_op_revoke(struct drv_player *p, const struct drv_step *step)
{
	(void)step;
	if (!call_ioctl(p, p->config->revoke, 0))
		return false;
	turn_off(p);
	return true;
}

bool drv_op_unbind(struct drv_player *p, const struct drv_step *step)
{
	struct ms_machine *former = ms_linux_set_machine(p->m);
	const bool done = p->module->unbind && p->module->unbind();

	(void)step;
	ms_linux_set_machine(former);
	if (done)
		turn_off(p);
	return done;
}

/* ---- mappings ---- */

/* A number, or "end-N": N pages before the end of the first device. */
static uint64_t page_of(const struct drv_player *p, const char *word)
{
	if (strncmp(word, "end-", 4))
		return strtoull(word, NULL, 0);
	return p->config->device[0].size / p->page_size - strtoull(word + 4, NULL, 0);
}

bool drv_op_map(struct drv_player *p, const struct drv_step *step)
{
	struct drv_process *self = p->self;
	uint64_t pages = 1, first = 0;
	int64_t addr;

	for (size_t i = 0; i < step->nr_args; i++) {
		if (!strcmp(step->arg[i], "at") && i + 1 < step->nr_args)
			first = page_of(p, step->arg[++i]);
		else if (isdigit((unsigned char)step->arg[i][0]))
			pages = strtoull(step->arg[i], NULL, 0);
	}
	if (self->nr_maps == DRV_MAPS || !newest_file(p))
		return false;
	addr = ms_mmap(self->mm, 0, pages * p->page_size, prot_of(step),
		       has_word(step, "private") ? MS_MAP_PRIVATE : MS_MAP_SHARED, newest_file(p),
		       first * p->page_size);
	if (addr < 0) {
		p->outcome->refused++;
		return false;
	}
	p->outcome->mapped++;
	self->map[self->nr_maps++] = (struct drv_map){ (ms_hva_t)addr, pages * p->page_size };
	return true;
}

/* Calls touch for pages of the newest mapping that the step names: not for all of a large one. */
static bool each_page(struct drv_player *p, const struct drv_step *step, uint64_t len,
		      void (*touch)(struct drv_player *p, uint64_t offset))
{
	const uint64_t pages = len / p->page_size;
	uint64_t first, end;

	if (!pages)
		return false;
	range_of(step, pages, &first, &end);
	for (uint64_t i = first; i < end && i < first + MOST_TOUCHED; i++)
		touch(p, i * p->page_size);
	if (end - first > MOST_TOUCHED)
		touch(p, (end - 1) * p->page_size);
	return true;
}

static void read_page(struct drv_player *p, uint64_t offset)
{
	ms_touch(p->self->mm, newest_map(p)->addr + offset, MS_PROT_R);
}

static void write_page(struct drv_player *p, uint64_t offset)
{
	ms_touch(p->self->mm, newest_map(p)->addr + offset, MS_PROT_W);
}

static void pin_to_read(struct drv_player *p, uint64_t offset)
{
	ms_pfn_t pfn;

	ms_get_user_page(p->self->mm, newest_map(p)->addr + offset, false, &pfn, NULL);
}

static void pin_to_write(struct drv_player *p, uint64_t offset)
{
	ms_pfn_t pfn;

	ms_get_user_page(p->self->mm, newest_map(p)->addr + offset, true, &pfn, NULL);
}

static bool each_mapped_page(struct drv_player *p, const struct drv_step *step,
			     void (*touch)(struct drv_player *p, uint64_t offset))
{
	const struct drv_map *map = newest_map(p);

	return map && each_page(p, step, map->len, touch);
}

bool drv_op_read(struct drv_player *p, const struct drv_step *step)
{
	return each_mapped_page(p, step, read_page);
}

bool drv_op_write(struct drv_player *p, const struct drv_step *step)
{
	return each_mapped_page(p, step, write_page);
}

bool drv_op_pin(struct drv_player *p, const struct drv_step *step)
{
	return each_mapped_page(p, step, has_word(step, "write") ? pin_to_write : pin_to_read);
}

bool drv_op_unmap(struct drv_player *p, const struct drv_step *step)
{
	struct drv_map *map = newest_map(p);
	uint64_t first, end;

	if (!map)
		return false;
	range_of(step, map->len / p->page_size, &first, &end);
	if (ms_munmap(p->self->mm, map->addr + first * p->page_size, (end - first) * p->page_size))
		return true;
	if (end - first == map->len / p->page_size)
		map->len = 0;
	return true;
}

bool drv_op_protect(struct drv_player *p, const struct drv_step *step)
{
	struct drv_map *map = newest_map(p);
	uint64_t first, end;

	if (!map)
		return false;
	range_of(step, map->len / p->page_size, &first, &end);
	ms_mprotect(p->self->mm, map->addr + first * p->page_size, (end - first) * p->page_size,
		    prot_of(step));
	return true;
}

static bool remap(struct drv_player *p, uint64_t len, unsigned int flags, ms_hva_t to)
{
	struct drv_map *map = newest_map(p);
	int64_t addr;

	if (!map || !len)
		return false;
	addr = ms_mremap(p->self->mm, map->addr, map->len, len, flags, to);
	if (addr >= 0)
		*map = (struct drv_map){ (ms_hva_t)addr, len };
	return true;
}

bool drv_op_grow(struct drv_player *p, const struct drv_step *step)
{
	const struct drv_map *map = newest_map(p);

	(void)step;
	return map && remap(p, map->len * 2, MS_MREMAP_MAYMOVE, 0);
}

bool drv_op_shrink(struct drv_player *p, const struct drv_step *step)
{
	const struct drv_map *map = newest_map(p);

	(void)step;
	return map && remap(p, map->len / 2 / p->page_size * p->page_size, 0, 0);
}

bool drv_op_move(struct drv_player *p, const struct drv_step *step)
{
	const struct drv_map *map = newest_map(p);
	const unsigned int keep = has_word(step, "keep") ? MS_MREMAP_DONTUNMAP : 0;

	return map && remap(p, map->len, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED | keep, MOVED_TO);
}

bool drv_op_zap(struct drv_player *p, const struct drv_step *step)
{
	const struct drv_map *map = newest_map(p);

	(void)step;
	if (map)
		ms_madvise(p->self->mm, map->addr, map->len, MS_MADV_DONTNEED);
	return map;
}

/* ---- processes ---- */

bool drv_op_fork(struct drv_player *p, const struct drv_step *step)
{
	struct drv_process *child = &p->process[1];

	(void)step;
	if (child->mm || !p->process[0].mm)
		return false;
	*child = p->process[0];
	child->mm = ms_fork(p->process[0].mm);
	return child->mm;
}

bool drv_op_exit(struct drv_player *p, const struct drv_step *step)
{
	(void)step;
	ms_mm_exit(p->self->mm);
	*p->self = (struct drv_process){ 0 };
	return true;
}

/* ---- a guest ---- */

bool drv_op_guest(struct drv_player *p, const struct drv_step *step)
{
	const struct drv_map *map = newest_map(p);

	if (!p->vm)
		p->vm = ms_vm_new(p->self->mm, 40);
	if (!p->vm || !map)
		return false;
	p->slot_size = map->len;
	return !ms_vm_set_slot(p->vm, p->nr_slots++, GUEST_START, map->len, map->addr,
			       has_word(step, "readonly") ? MS_SLOT_READONLY : 0);
}

static void guest_reads(struct drv_player *p, uint64_t offset)
{
	ms_guest_read(p->vm, GUEST_START + offset);
}

static void guest_writes(struct drv_player *p, uint64_t offset)
{
	ms_guest_write(p->vm, GUEST_START + offset);
}

bool drv_op_guest_read(struct drv_player *p, const struct drv_step *step)
{
	return p->vm && each_page(p, step, p->slot_size, guest_reads);
}

bool drv_op_guest_write(struct drv_player *p, const struct drv_step *step)
{
	return p->vm && each_page(p, step, p->slot_size, guest_writes);
}
