/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The worlds of fuzz_api: a machine and what lives on it, and operations whose arguments come from
 * the bytes of a record.
 *
 *	byte 0  the operation; its high bit: of the second machine
 *	     1  which process, VM or file, and how bytes 2 and 3 are to be read
 *	   2 3  a place in a window
 *	     4  a length
 *	   5-7  whatever the operation has
 */
#ifndef TEST_FUZZ_API_H
#define TEST_FUZZ_API_H

#include "records.h"

#include <mapsim/mapsim.h>

#define API_MMS 4
#define API_VMS 3
#define API_FILES 10
#define API_BARS 4
#define API_IOREMAPS 6
#define API_DRIVERS 8

/* A driver's file: what it does is in its number. */
struct api_driver {
	struct api_side *side;
	struct ms_device *bar;
	uint8_t habits;
	unsigned int used; /* of the slot */
};

struct api_side {
	struct ms_machine *m;
	struct ms_device *bar[API_BARS];
	struct ms_mm *mm[API_MMS];
	struct {
		struct ms_vm *vm;
		uint8_t mm; /* index; of a process that may have ended */
	} vm[API_VMS];
	struct {
		struct ms_file *file;
		uint64_t base; /* where its offsets begin */
		bool driver;   /* one of ours */
	} file[API_FILES];
	struct {
		ms_pa_t pa;
		uint64_t size; /* 0: there is none */
	} ioremap[API_IOREMAPS];
	struct api_driver driver[API_DRIVERS];
	unsigned int drivers;
	struct {
		ms_pa_t pa;
		uint64_t len; /* 0: nothing is reserved */
	} memtype[API_IOREMAPS];
	uint64_t opened, closed; /* VMAs of drivers that count */
	uint64_t page, block;    /* bytes */
	ms_hva_t hva;            /* where the window of each process begins */
	uint64_t window;
	ms_pa_t ram;
	uint64_t ram_pages;   /* that are free while nobody uses any */
	uint64_t answers;     /* a hash of everything that was answered */
	unsigned int depth;   /* hooks that are running */
	uint8_t hook[RECORD]; /* what the next hook does */
	uint64_t refusals;    /* of the machine before the operation */
	bool memory_fails;    /* an allocation may */
};

typedef void api_op(struct api_side *s, const uint8_t *r);

/* An answer that must be the same each time. */
void api_answer(struct api_side *s, uint64_t value);

/* The same, of what may be an errno: then the machine has said why, in words that are the same each
 * time. */
void api_result(struct api_side *s, int64_t result);
/* The machine has said why the call that was just made was refused. */
void api_refused(struct api_side *s);

/* Bytes 2 and 3 as an offset into a window of `window` bytes; byte 1 says in which unit. */
uint64_t api_offset(const struct api_side *s, const uint8_t *r, uint64_t window);
/* Byte 4 as a length; now and then one that no call can want. */
uint64_t api_length(const struct api_side *s, const uint8_t *r);
/* The same, at most a few blocks. */
uint64_t api_small_length(const struct api_side *s, const uint8_t *r);
static inline ms_hva_t api_address(const struct api_side *s, const uint8_t *r)
{
	return s->hva + api_offset(s, r, s->window);
}
/* By byte 1; NULL: there is none. */
struct ms_mm *api_mm(struct api_side *s, const uint8_t *r);
struct ms_device *api_bar(struct api_side *s, uint8_t which);

/* api_host.c */
api_op api_mmap, api_munmap, api_mprotect, api_mremap, api_madvise, api_mlock, api_touch, api_gup,
	api_look, api_fork, api_new_mm, api_exit_mm;
/* api_device.c */
api_op api_open_memory, api_open_device, api_open_pieces, api_open_driver, api_put, api_vfio,
	api_revoke, api_driver_zap, api_claim, api_ioremap, api_memtype, api_phys;
/* The file that byte 5 names, and where it begins; NULL: anonymous memory. */
struct ms_file *api_file(struct api_side *s, uint8_t which, uint64_t *base);
void api_close_all(struct api_side *s);
/* api_guest.c */
api_op api_vm_create, api_vm_free, api_slot, api_guest, api_dirty, api_look_s2, api_prefault,
	api_kvm, api_age;

#endif
