/* SPDX-License-Identifier: GPL-2.0-only */
/* Random operations, made on the library and written as a script. */
#ifndef TEST_ORACLE_OPS_H
#define TEST_ORACLE_OPS_H

#include "guest.h"

struct dice {
	uint64_t state;     /* not 0 */
	bool calm;          /* an episode of accesses and forks */
	unsigned int theme; /* of a guest's episode: 0: memory alone, else devices, too */
};
uint64_t roll(struct dice *d, uint64_t below);

/* The library's side. */
struct real {
	struct ms_machine *m;
	struct ms_device *bar, *vbar;
	struct ms_file *devmem, *nosync, *memfd, *hugetlb, *vfio;
	struct ms_mm *mm[PROCESSES];
	struct ms_vm *vm; /* NULL: no guest takes part */
	struct {
		uint64_t size;
		ms_ipa_t gpa;
		ms_hva_t hva;
		unsigned int flags;
	} slot[SLOTS];
	struct {
		uint64_t pa, len;
	} ioremap[IOREMAPS];
};

/* dice.c */
struct op op_roll(struct dice *d, enum ms_arch arch, unsigned int i);
/* ops.c */
int64_t op_do(struct real *r, const struct op *op);
/* text.c */
void op_print(const struct op *op, enum ms_arch arch, FILE *out);

/* compare.c */
struct pages {
	unsigned int at, end;
};

struct same {
	uint64_t pfn_of[MAX_FRAMES];        /* where the library put each frame; 0: not known yet */
	unsigned int frame_of[RAM_END_PFN]; /* the last frame that was seen there */
	bool stale;                         /* `seen` is */
	unsigned int looks, seen[MAX_FRAMES]; /* the last look at which a frame was mapped */
};

/*
 * NULL, or what differs, in the buffer. op: what was done, where entries far from where it began
 * need not be looked at; NULL: everything.
 */
const char *compare(const struct flat *f, struct real *r, struct same *same, const struct op *op,
		    char *buf, size_t size);

#endif
