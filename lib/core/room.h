/* SPDX-License-Identifier: GPL-2.0-only */
/* What a room of the library gives to lib/machine, the roof, which knows no more of it. */
#ifndef MS_CORE_ROOM_H
#define MS_CORE_ROOM_H

struct ms_machine;
struct ms_check;
struct ms_hash;

/* Any function may be NULL. */
struct ms_room {
	const char *name;
	/* The room's part of a new machine; 0, -ENOMEM. */
	int (*init)(struct ms_machine *m);
	/* Ends what may call into other rooms: VMs, processes, files. All rooms still stand. */
	void (*empty)(struct ms_machine *m);
	/* Gives back what init() has made. Rooms above have done so. */
	void (*destroy)(struct ms_machine *m);
	/* Is the room whole? check.h */
	void (*check)(struct ms_check *c);
	/* Adds the room's state; those below have done so. hash.h */
	void (*hash)(struct ms_hash *h);
};

/* A room knows those above it in this list by no name. */
extern const struct ms_room ms_phys_room;
extern const struct ms_room ms_pat_room;
extern const struct ms_room ms_mm_room;
extern const struct ms_room ms_drivers_room;
extern const struct ms_room ms_linux_room;
extern const struct ms_room ms_kvm_room;

#endif
