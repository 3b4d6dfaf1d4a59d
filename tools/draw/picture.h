/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a drawing shows, before anything is drawn: a script is played, and after each operation all
 * that is mapped becomes boxes in lanes. Lanes belong to a space, which has one axis of addresses:
 * a process with the guests whose slots show its memory, or the physical addresses.
 */
#ifndef MAPSIM_DRAW_PICTURE_H
#define MAPSIM_DRAW_PICTURE_H

#include <mapsim/script.h>

#include <stdbool.h>
#include <stdint.h>

/* From top to bottom in a space. */
enum lane_kind {
	LANE_VMAS,
	LANE_HOST,  /* leaves of the process's page table */
	LANE_SLOTS, /* at the process's addresses that they show */
	LANE_GUEST, /* leaves of the guest's table, at the same */
	LANE_DEVICES,
	LANE_CLAIMS,
	LANE_MEMTYPES,
};

struct lane {
	uint32_t mm; /* its id; PHYSICAL: not a process's */
	enum lane_kind kind;
	uint32_t vm; /* its id, of slots and a guest's leaves; else 0 */
};
#define PHYSICAL UINT32_MAX

enum change { BOX_SAME, BOX_NEW, BOX_GONE };

struct box {
	struct lane lane;
	uint64_t start, end; /* [start, end) on the axis of the lane's space */
	uint64_t leaf;       /* bytes of each leaf that it is made of; 0: it is no leaves */
	enum change change;  /* by the last operation */
	bool wrong;          /* a hazard is in it */
	char label[64];      /* the most important first */
	char title[224];     /* all of it */
};

/* After one operation. */
struct frame {
	const char *op; /* "the start" of the first, "the end" of the last; the script's */
	char *answer, *events, *wrong; /* lines of text; never NULL */
	size_t nr_wrong;               /* lines of `wrong` */
	struct box *boxes;
	size_t nr_there; /* boxes that are there, by lane and address; those that are gone follow */
	size_t nr_boxes;
};

struct picture {
	struct ms_script *script;
	const char *kernel; /* "6.12.107 arm64" */
	uint64_t page_size;
	struct frame *frames; /* one more than operations: the first is before them */
	size_t nr_frames;
};

/* Plays the script, which stays the caller's. 0, or -1 after a message. */
int picture_take(struct picture *picture, struct ms_script *script, const char *path);
void picture_free(struct picture *picture);

/* Order of lanes from top to bottom: < 0, 0, > 0 */
int lane_compare(const struct lane *a, const struct lane *b);

/* Fills the boxes of a frame from a machine as it stands (look.c); page_size in bytes. 0, -1: no
 * memory. */
int frame_look(struct frame *frame, struct ms_machine *m, uint64_t page_size);
/* A box more; NULL: no memory. Valid until the next one. */
struct box *frame_add(struct frame *frame, struct lane lane, uint64_t start, uint64_t end);

#endif
