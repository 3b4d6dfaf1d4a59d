/* SPDX-License-Identifier: GPL-2.0-only */
/* The table of the rooms, the lowest first: who may call whom is downwards in it. */
#include "machine/rooms.h"

#include "core/room.h"

static const struct ms_room *const rooms[] = {
	&ms_phys_room, &ms_pat_room, &ms_mm_room, &ms_drivers_room, &ms_linux_room, &ms_kvm_room,
};

#define NR_ROOMS (sizeof(rooms) / sizeof(rooms[0]))

/* Destroys the first `count` rooms, the last of them first. */
static void destroy(struct ms_machine *m, size_t count)
{
	while (count-- > 0)
		if (rooms[count]->destroy)
			rooms[count]->destroy(m);
}

int ms_rooms_init(struct ms_machine *m)
{
	for (size_t i = 0; i < NR_ROOMS; i++) {
		int err = rooms[i]->init ? rooms[i]->init(m) : 0;

		if (err) {
			destroy(m, i);
			return err;
		}
	}
	return 0;
}

void ms_rooms_destroy(struct ms_machine *m)
{
	for (size_t i = NR_ROOMS; i-- > 0;)
		if (rooms[i]->empty)
			rooms[i]->empty(m);
	destroy(m, NR_ROOMS);
}

void ms_rooms_check(struct ms_check *c)
{
	for (size_t i = NR_ROOMS; i-- > 0;)
		if (rooms[i]->check)
			rooms[i]->check(c);
}

void ms_rooms_hash(struct ms_hash *h)
{
	for (size_t i = 0; i < NR_ROOMS; i++)
		rooms[i]->hash(h);
}
