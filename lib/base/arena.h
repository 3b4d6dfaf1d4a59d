/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All the memory of one machine, so that what the machine is can be copied as a few pieces of
 * bytes and put back at the same addresses. It has two segments:
 *
 *	  struct ms_run of page n, ..., 2, 1, 0 | pages of 4K ...    | room
 *	                                        ^ base               ^ top
 *
 * The first one is malloc's, and as large as a small machine needs: making it and freeing it costs
 * no system call and no page fault where malloc has such memory at hand. Only a machine that needs
 * more has the second, a range of addresses that is reserved at once and becomes memory as it is
 * needed.
 *
 * Whatever is large, or aligned to more than a cache line, is a run of pages. The rest are blocks:
 * each has one of a few dozen sizes, and one that is freed waits in the list of its size.
 *
 * Where a thing is put in an arena depends only on what was asked for and freed before.
 */
#ifndef MS_BASE_ARENA_H
#define MS_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most that a second segment can become, in bytes. Where a process may not reserve as much, it
 * is a part of it. */
#ifndef MS_ARENA_MAX // a build for an emulator says less: qemu-user keeps records of what is reserved
#define MS_ARENA_MAX ((size_t)64 << 30)
#endif

struct ms_arena;

/* NULL: no memory. */
struct ms_arena *ms_arena_new(void);
/* With all that was got from it. */
void ms_arena_free(struct ms_arena *a);
/* align: a power of two. The memory is zeroed. NULL: none. */
void *ms_arena_get(struct ms_arena *a, size_t align, size_t size);
/* Gives what was got another size, at another place if need be; new bytes are not zeroed. align: as
 * it was got. NULL: no memory, and p stays. */
void *ms_arena_resize(struct ms_arena *a, void *p, size_t align, size_t size);
void ms_arena_put(struct ms_arena *a, void *p);
/* As ms_arena_get(), of whole pages, which are poisoned: for who cuts them up. */
void *ms_arena_get_raw(struct ms_arena *a, size_t align, size_t size);
/* Whether p is an address in the arena. */
bool ms_arena_has(const struct ms_arena *a, const void *p);
/* What lies between the beginnings of the segments and the ends of all that was got of them, in
 * bytes. */
size_t ms_arena_bytes(const struct ms_arena *a);

/*
 * A copy of all that an arena holds. Pieces of it that are all zeroes cost a bit each. NULL: no
 * memory (it is not the arena's own).
 */
struct ms_arena_copy;
struct ms_arena_copy *ms_arena_copy_new(const struct ms_arena *a);
void ms_arena_copy_free(struct ms_arena_copy *copy);
/* Puts back what the arena held. It never fails. */
void ms_arena_put_back(struct ms_arena *a, const struct ms_arena_copy *copy);
size_t ms_arena_copy_bytes(const struct ms_arena_copy *copy);

#endif
