/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What holds whenever a function of a driver is called (driver.c, and file.c for ->release).
 *
 * A snapshot of the VMA is taken when the function is entered. When it comes back, and before the
 * library looks at the VMA in a call that the function makes itself, each field that a driver may
 * not change there is put back, with a violation. What may be changed:
 *
 *   vm_private_data, vm_ops      always
 *   vm_page_prot                 always, to bits that a protection has
 *   vm_flags                     under the mmap lock held for writing, by vm_flags_set() and the
 *                                like, and anywhere in kernels that do not notice; those that only
 *                                the kernel sets never
 *   vm_pgoff, vm_file            in ->mmap; the file must be one
 *   vm_start, vm_end             in ->mmap for a while, to smaller borders
 *   vm_mm, and what the library keeps behind it: never
 *
 * The library's own changes are told by ms_handlers_note().
 */
#ifndef MS_MM_HANDLER_H
#define MS_MM_HANDLER_H

#include "mm/lock.h"

struct ms_handler {
	struct ms_handler *outer;
	struct ms_machine *machine, *outer_machine;
	struct ms_mm *mm, *outer_mm; /* mm NULL: of no process */
	struct ms_where outer_place;
	uint64_t refusals; /* before it */
	struct ms_mmap_hold hold, outer_hold; /* of mm, and of outer_mm where that is another */
	unsigned int driver_locks;
	struct ms_vma *vma;       /* NULL: none */
	struct ms_vma before;     /* the snapshot */
	struct ms_file *was_file; /* vm_file when it was entered */
	bool is_mmap;             /* ->mmap: the VMA is being made */
	bool is_back;             /* the function has come back */
	bool flags_may_change;
	struct ms_vm_fault *vmf;  /* of a fault's handlers; NULL: it is none */
	struct ms_vm_fault fault; /* what they were asked */
};

/* vma NULL: it has none, or none yet. false: the function is not to be called, and there is nothing
 * to leave. Entering does not change how the mmap lock is held. */
bool ms_handler_enter(struct ms_handler *h, struct ms_machine *m, struct ms_mm *mm,
		      struct ms_vma *vma, const struct ms_where *place);
void ms_handler_leave(struct ms_handler *h, ms_hva_t addr);

/* A VMA has these operations from now on. */
void ms_note_ops(struct ms_machine *m, const struct ms_vm_ops *ops);

#endif
