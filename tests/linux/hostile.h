/* SPDX-License-Identifier: GPL-2.0-only */
/* What the test of hostile drivers and its acts share. */
#ifndef TESTS_LINUX_HOSTILE_H
#define TESTS_LINUX_HOSTILE_H

#include "world.h"

#include <mapsim/kvm.h>
#include <mapsim/state.h>


#define MEMFD (A + 3ul * SZ_64M)

/* Where a driver's code runs. */
enum place {
	IN_MMAP,
	IN_OPEN,
	IN_CLOSE,
	IN_MAY_SPLIT,
	IN_MREMAP,
	IN_MPROTECT,
	IN_FAULT,
	AFTER_FAULT, // the same, when it has its answer
	IN_HUGE_FAULT,
	IN_PAGE_MKWRITE,
	IN_PFN_MKWRITE,
	IN_ACCESS,
	IN_PAGESIZE,
	IN_SPECIAL,
	IN_FILE_OPEN,
	IN_RELEASE,
	IN_NOTIFIER_START,
	IN_NOTIFIER_END,
	IN_NOTIFIER_RELEASE,
	IN_HOOK,
	PLACES
};

struct hostile;
struct act {
	const char *name;
	void (*fn)(struct hostile *h);
	uint64_t legal; // places in which nobody minds
};
/* All of them; the last has no function. */
extern const struct act acts[];
const char *place_name(enum place place);

struct hostile {
	const struct act *act;
	enum place place;
	int hook;
	unsigned int done, most, pages;
	unsigned int reached[PLACES];
	struct ms_machine *m;
	struct mm_struct *mm, *other;
	struct file *files[2], *file, *memfd;
	struct page *page;
	struct miscdevice *misc;
	struct mmu_notifier *notifier;
	struct mutex mutex;
	spinlock_t spin;
	/* at hand where the act is done; NULL: there is none */
	struct vm_area_struct *vma;
	struct vm_fault *vmf;
	struct file *now;
};
extern struct hostile hostile;

#endif
