/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest on flat arrays: memslots as ranges of pages, stage 2 as one array of guest pages. */
#ifndef TEST_ORACLE_GUEST_H
#define TEST_ORACLE_GUEST_H

#include "flat.h"

#define GPA UINT64_C(0x80000000)
#define GUEST_PAGES (2 * PAGES)
#define SLOTS 2

/* What a guest page goes to. */
struct stage2 {
	bool there, block /* a part of 2M */;
	enum entry_kind kind; /* what `what` counts, as in struct entry */
	uint64_t what;
	unsigned int prot; /* MS_PROT_* */
};

struct slot {
	unsigned int npages; /* 0: none */
	unsigned int gpa, hva, flags;
	bool dirty[PAGES];
};

enum log_mode { LOG_AT_ONCE, LOG_MANUAL, LOG_MANUAL_INITSET };

struct guest {
	enum log_mode log;
	bool mte; /* all memory must be such as can have tags */
	struct stage2 s2[GUEST_PAGES];
	struct slot slot[SLOTS];
	unsigned int told; /* notifications that hit a slot */
};

bool guest_may_have_tags(const struct flat *f, const struct area *a);
int64_t guest_slot(struct flat *f, const struct op *op);
int64_t guest_dirty(struct flat *f, const struct op *op);
int64_t guest_clear(struct flat *f, const struct op *op);
int64_t guest_access(struct flat *f, const struct op *op);
void guest_unmap(struct guest *g, unsigned int at, unsigned int end);
int guest_map(struct flat *f, unsigned int at, unsigned int npages, struct stage2 page);

#endif
