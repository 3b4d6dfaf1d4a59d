/* SPDX-License-Identifier: GPL-2.0-only */
/* What the table of steps and the player share. */
#ifndef MAPSIM_TOOLS_PLAYER_H
#define MAPSIM_TOOLS_PLAYER_H

#include "driver.h"

#include <mapsim/kvm.h>
#include <mapsim/mm.h>

#define DRV_RAM_START UINT64_C(0x40000000)
#define DRV_RAM_SIZE (UINT64_C(64) << 20)
#define DRV_PROCESSES 2 /* the parent and a child */
#define DRV_FILES 4
#define DRV_MAPS 4 /* of a process */

struct drv_map {
	ms_hva_t addr;
	uint64_t len; /* bytes; 0: unmapped */
};

struct drv_process {
	struct ms_mm *mm; /* NULL: it has ended, or was never there */
	struct drv_map map[DRV_MAPS];
	size_t nr_maps;
};

struct drv_player {
	const struct drv_module *module;
	const struct drv_config *config;
	const struct drv_teller *teller;
	struct drv_outcome *outcome;
	struct ms_machine *m;
	uint64_t page_size;
	const char *device;                               /* that is opened */
	struct drv_process process[DRV_PROCESSES], *self; /* whose step it is */
	struct ms_file *file[DRV_FILES];
	size_t nr_files;
	struct ms_vm *vm;
	unsigned int nr_slots;
	uint64_t slot_size; /* of the newest slot */
	uint64_t allocs;    /* before the module was loaded */
	bool loaded;        /* the module is */
};

struct drv_op {
	const char *name;
	/* false: it could not be played, so that the rest of the play has no sense. */
	bool (*play)(struct drv_player *p, const struct drv_step *step);
	const char *synopsis, *help;
};
extern const struct drv_op drv_ops[];

/* On p->m, which has RAM and nothing else: devices, a process, and the module is loaded, where that
 * allocation fails (0: none). 0, or a negative errno. */
int drv_player_begin(struct drv_player *p, size_t device, uint64_t fail_alloc);
/* false: it could not be played. */
bool drv_player_step(struct drv_player *p, const struct drv_step *step);
/* All that is left is closed, the module is unloaded, and what remains is told. */
void drv_player_end(struct drv_player *p);

bool drv_op_open(struct drv_player *p, const struct drv_step *step);
bool drv_op_map(struct drv_player *p, const struct drv_step *step);
bool drv_op_read(struct drv_player *p, const struct drv_step *step);
bool drv_op_write(struct drv_player *p, const struct drv_step *step);
bool drv_op_unmap(struct drv_player *p, const struct drv_step *step);
bool drv_op_protect(struct drv_player *p, const struct drv_step *step);
bool drv_op_grow(struct drv_player *p, const struct drv_step *step);
bool drv_op_shrink(struct drv_player *p, const struct drv_step *step);
bool drv_op_move(struct drv_player *p, const struct drv_step *step);
bool drv_op_zap(struct drv_player *p, const struct drv_step *step);
bool drv_op_pin(struct drv_player *p, const struct drv_step *step);
bool drv_op_fork(struct drv_player *p, const struct drv_step *step);
bool drv_op_exit(struct drv_player *p, const struct drv_step *step);
bool drv_op_close(struct drv_player *p, const struct drv_step *step);
bool drv_op_ioctl(struct drv_player *p, const struct drv_step *step);
bool drv_op_revoke(struct drv_player *p, const struct drv_step *step);
bool drv_op_unbind(struct drv_player *p, const struct drv_step *step);
bool drv_op_guest(struct drv_player *p, const struct drv_step *step);
bool drv_op_guest_read(struct drv_player *p, const struct drv_step *step);
bool drv_op_guest_write(struct drv_player *p, const struct drv_step *step);

#endif
