/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * state.h - what a machine is at a moment: saved, and put back.
 *
 * A state is all that a machine holds: memory map, processes, VMs, memory types, drivers, the
 * trace, counters, hooks, what was refused last, and what drivers have got by kmalloc() and
 * alloc_pages(). It is a copy of the machine's memory as it lies, so that every pointer which was
 * valid when the state was saved is valid again when it has been put back, and one that was got
 * since is not.
 *
 * Not in a state is what does not belong to the machine: what a user's driver or hook keeps in
 * variables or in memory of its own, the files that something was printed to, and which machine
 * this thread's driver code runs on. A user who has such data saves it himself.
 *
 * Saving and putting back cost a copy of what the machine uses; pages of zeroes cost next to
 * nothing. A machine with a BAR that is mapped, a VM and a memslot is some 50 K, of which a state
 * keeps less than half.
 */
#ifndef MAPSIM_STATE_H
#define MAPSIM_STATE_H

#include <mapsim/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ms_machine;
struct ms_state;

/**
 * The machine's state. It is the caller's, of memory that is not the machine's, and no longer of
 * use when the machine has been freed; it must be freed all the same, before or after.
 *
 * It counts as an allocation of the machine (ms_machine_fail_alloc()). NULL with errno: ENOMEM;
 * EBUSY: a hook or a driver's function is running; EINVAL: m is NULL.
 */
struct ms_state *ms_state_save(struct ms_machine *m);
/**
 * Makes the machine what it was, any number of times and states of it in any order. It needs no
 * memory. 0; -EBUSY as above; -EINVAL: m or s is NULL, or s is of another machine.
 */
int ms_state_restore(struct ms_machine *m, const struct ms_state *s);
/** NULL is allowed. */
void ms_state_free(struct ms_state *s);
/** How much memory the state takes, in bytes; 0 of NULL. */
size_t ms_state_bytes(const struct ms_state *s);

#ifdef __cplusplus
}
#endif
#endif
