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
 * this thread's driver code runs on. A user who has such data saves it himself, or names where it
 * lies (ms_state_keep()).
 *
 * Saving and putting back cost a copy of what the machine uses; pages of zeroes cost next to
 * nothing. A machine with a BAR that is mapped, a VM and a memslot is some 50 K, of which a state
 * keeps less than half.
 */
#ifndef MAPSIM_STATE_H
#define MAPSIM_STATE_H

#include <mapsim/types.h>

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ms_machine;
struct ms_state;

/**
 * From now on the states of m have the `size` bytes at start, too, and its hash counts what is in
 * them: the static variables of a driver that is loaded as a shared object (its writable segments
 * but for those that the loader has made read-only), or of a hook. They must stay where they are as
 * long as the machine lives, and no other machine may be at work with them. States that were saved
 * before do not have them.
 *
 * 0. -EINVAL: m or start is NULL, size is 0 or wraps around, the range has bytes that are kept
 * already, or is the machine's own memory. -ENOMEM.
 */
int ms_state_keep(struct ms_machine *m, void *start, size_t size);

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

/**
 * What the machine is, as a number: equal for two states that no sequence of calls can tell apart,
 * and (but for the chance of 2^-64) different where one can. 0: m is NULL, or there was no memory
 * to look at more than a few hundred things with.
 *
 * - Pages of RAM are told by who holds them, processes, VMs and VMAs by their places, never by
 *   their numbers or by where they lie in memory. What has led to the state does not count:
 *   counters, the trace, refusals, ids, the words of reasons.
 * - The states are of machines of one kernel and one configuration, which do not count.
 * - Which of the free pages of RAM are free is not told; how many are, and how large a piece, is.
 *   So two states may have the same number where a later call finds no huge page in one of them.
 * - Functions of drivers and hooks, and constants that they refer to, count by how far they are
 *   from the library's own: as long as the program runs, and always in a program that is linked
 *   with the static library.
 * - Of what drivers got by kmalloc(), and of what ms_state_keep() names, the contents count. An
 *   aligned word that is the address of something in the machine counts as that thing, every other
 *   word as it is: a pointer to memory of malloc's makes states different that nobody can tell
 *   apart. What a driver keeps elsewhere does not count.
 * - What drivers have registered counts: misc devices with their minors, numbers of character
 *   devices, cdevs, devices with a name, and PCI drivers. Of a PCI device its identity, BARs,
 *   whether it is enabled, claimed, found and by whom it is driven count. A struct
 *   platform_device is its user's own memory, and counts where that is kept.
 * - Files that no process maps are told by what they are, not by their order. A user who holds
 *   such files, or keeps pointers of which he knows which is which, uses ms_machine_hash_with().
 *
 * It goes over all that the machine has: some microseconds for a small one.
 */
uint64_t ms_machine_hash(const struct ms_machine *m);
/**
 * The same, where it also counts which of the machine's objects the user holds at which of n
 * places: files, VMs, processes, devices; NULL: none there. Two states are equal if they are so for
 * somebody who knows the objects by these places. objects NULL: there are none.
 */
uint64_t ms_machine_hash_with(const struct ms_machine *m, const void *const *objects, size_t n);

#ifdef __cplusplus
}
#endif
#endif
