/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * check.h - is a machine whole? Everything that must hold between two operations, in every room.
 *
 * What it verifies is the model's own state against itself: VMAs against the host page table, page
 * tables against page frames and the page cache, memtypes against who holds them, memslots against
 * stage 2, stage 2 against the host page table. What a kernel version lets stand wrong by itself (a
 * block that reaches beyond its VMA, a memtype that nobody frees) is no finding here: trace.h and
 * pat.h tell of those. What a driver's bug leaves behind is one, whether the kernel warns or not.
 * Nothing is broken in a machine that is NULL.
 */
#ifndef MAPSIM_CHECK_H
#define MAPSIM_CHECK_H

#include <mapsim/types.h>

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MS_CHECK_MAX_LINES 20u

/**
 * Answers how many things are broken; 0: none. Each is a line in words on `out` (NULL: none is
 * printed), with the place: at most MS_CHECK_MAX_LINES, then how many more. It changes nothing of
 * the machine, and counts holders in memory of its own; where that cannot be had is a finding. In a
 * hook or a driver's callback an operation is under way, and what that has not finished yet is
 * told, too.
 *
 *     assert_int_equal(ms_machine_check(m, stderr), 0);
 */
size_t ms_machine_check(const struct ms_machine *m, FILE *out);

#ifdef __cplusplus
}
#endif
#endif
