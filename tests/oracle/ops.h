/* SPDX-License-Identifier: GPL-2.0-only */
/* Random operations, made on the library and written as a script. */
#ifndef TEST_ORACLE_OPS_H
#define TEST_ORACLE_OPS_H

#include "flat.h"

struct dice {
	uint64_t state; /* not 0 */
};
uint64_t roll(struct dice *d, uint64_t below);

/* The library's side. */
struct real {
	struct ms_machine *m;
	struct ms_device *bar;
	struct ms_file *devmem, *nosync;
	struct ms_mm *mm[PROCESSES];
	struct {
		uint64_t pa, len;
	} ioremap[IOREMAPS];
};

struct op op_roll(struct dice *d, enum ms_arch arch);
int64_t op_do(struct real *r, const struct op *op);
void op_print(const struct op *op, enum ms_arch arch, FILE *out);

/* compare.c: NULL, or what differs, in the buffer */
struct same {
	uint64_t pfn_of[MAX_FRAMES]; /* where the library put each frame; 0: not known yet */
};
const char *compare(const struct flat *f, struct real *r, struct same *same, char *buf,
		    size_t size);

#endif
