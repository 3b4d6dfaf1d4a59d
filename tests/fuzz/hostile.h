/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world of fuzz_driver: what its two halves share. The bytes are taken one after the other, by
 * whoever has to choose.
 */
#ifndef TEST_FUZZ_HOSTILE_H
#define TEST_FUZZ_HOSTILE_H

#include <mapsim/linux.h>

#include <mapsim/linux/mmu_notifier.h>

#include <mapsim/check.h>
#include <mapsim/kvm.h>
#include <mapsim/pat.h>

#include "fuzz.h"

#define VA 0x7e0000000000ul
#define BAR 0x4000000000ul
#define GPA 0x80000000ul
#define RAM 0x40000000ul
#define NR_FILES 3
#define NR_MMS 3
#define MOST_STEPS 400 /* of processes, guest and driver together */

struct play {
	const uint8_t *at, *end;
	struct ms_machine *m;
	struct mm_struct *mm[NR_MMS];
	struct file *file[NR_FILES];
	struct ms_vm *vm;
	void *memory;
	struct page *page;
	struct mmu_notifier *notifier;
	unsigned int hooks; // points at which the hook does something
	unsigned int depth, steps;
};

/*
 * A number below n. One a statement: the order in which a call's arguments are made is the
 * compiler's.
 */
unsigned int hostile_below(struct play *p, unsigned int n);
/*
 * Addresses near each other, lengths that fit and that do not, pfns of RAM, of the BAR, of nobody.
 */
unsigned long hostile_address(struct play *p);
unsigned long hostile_length(struct play *p);
unsigned long hostile_pfn(struct play *p);

/* fuzz_driver.c: one thing that a process, the guest or memory does. */
void hostile_step(struct play *p);

/* hostile.c: the driver; a file's private_data is the play. */
extern const struct file_operations hostile_fops, hostile_prepare_fops;
extern const struct mmu_notifier_ops hostile_notifier_ops;
extern struct play *hostile_play; // the one that is played, for the notifier
void hostile_hook(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg);
/* Puts something somewhere in, by any of the functions; answers are not looked at. */
void hostile_insert(struct play *p, struct vm_area_struct *vma, unsigned long addr);

#endif
