/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of lib/drivers: what a machine's drivers share, and the parts of vfio-pci.
 *
 * The drivers themselves are written against the public headers; only what a driver in the kernel
 * would ask the kernel's core (allocation, the resource tree, the PCI device) comes from the
 * inside.
 */
#ifndef MS_DRIVERS_INTERNAL_H
#define MS_DRIVERS_INTERNAL_H

#include "core/room.h"
#include "mm/view.h"
#include "phys/internal.h"

#include <mapsim/drivers.h>
#include <mapsim/pat.h>
#include <mapsim/pfnmap.h>

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

struct ms_check;

/* A busy resource of the iomem tree, by bytes. */
struct ms_claim {
	RB_ENTRY(ms_claim) node;
	ms_pa_t start, end;
};
RB_HEAD(ms_claims, ms_claim);

/*
 * A file through which user space maps physical memory: sysfs or /dev/mem. Those of one
 * address_space are found by their physical offsets; which of them they are is policy revoke_scope.
 */
struct ms_iomem_file {
	LIST_ENTRY(ms_iomem_file) link;
	RB_ENTRY(ms_iomem_file) by_bar; /* where it is shared */
	struct ms_file *file;
	struct ms_device *bar; /* sysfs only */
	bool write_combine;    /* sysfs: resourceN_wc */
	bool shared;           /* sysfs: the one file that everybody is given */
	bool o_sync;           /* /dev/mem */
};

RB_HEAD(ms_shared_files, ms_iomem_file);
RB_HEAD(ms_vfio_by_bar, ms_vfio);
RB_HEAD(ms_vfio_by_file, ms_vfio_file);

struct ms_drivers {
	LIST_HEAD(, ms_iomem_file)
	iomem_files; /* its address is the key of the address_space that they share */
	LIST_HEAD(, ms_pieces) pieces; /* likewise */
	LIST_HEAD(, ms_vfio_file) vfio_files;
	LIST_HEAD(, ms_vfio) vfio_devices;
	struct ms_vfio_by_bar vfio_by_bar;
	struct ms_vfio_by_file vfio_by_file; /* for look-ups only */
	struct ms_shared_files shared_files; /* of sysfs, by BAR and kind */
	LIST_HEAD(, ms_vfio_bar) vfio_bars;
	struct ms_claims claims;
	enum ms_iomem_strict strict;
};

/*
 * A record of an open sysfs or /dev/mem file, linked; NULL with errno: no memory, and nothing is
 * left. key: of its address_space; NULL: the one that revoke_iomem() empties.
 */
struct ms_iomem_file *ms_iomem_file_open(struct ms_machine *m, const struct ms_file_ops *ops,
					 unsigned int fmode, uint64_t max_bytes, const void *key);
/* sysfs: nobody is given it any more. */
void ms_shared_file_forget(struct ms_iomem_file *f);
/* ->release of both. */
void ms_iomem_file_release(struct ms_file *file);
/* Is a page of [start, end) System RAM or (where that counts) claimed? */
bool ms_iomem_in_use(const struct ms_machine *m, ms_pa_t start, ms_pa_t end);
/* Says which claim or RAM is in [start, end). Answers err. */
int ms_iomem_refuse(struct ms_machine *m, int err, ms_pa_t start, ms_pa_t end);
void ms_claims_destroy(struct ms_machine *m);
/* devmem_is_allowed: may user space see this page through /dev/mem? */
bool ms_devmem_is_allowed(const struct ms_machine *m, ms_pfn_t pfn);

/* ->punch_hole of what is no regular file, as vfs_fallocate() has it: a character device, or vfio's
 * anonymous inode. -ENODEV. */
int ms_no_regular_file(struct ms_file *file, uint64_t off, uint64_t len);

/* Can a page-table entry of the machine say `type`? 0, -EINVAL. */
int ms_check_cache_type(struct ms_machine *m, enum ms_cache type);
/* A fault handler's error since refusal number `before`, whatever it was, becomes SIGBUS. */
ms_vm_fault_t ms_fault_sigbus(struct ms_machine *m, uint64_t before);
/* The protection with that type alone; x86 without PAT: the type that the table has instead. */
ms_pgprot_t ms_pgprot_of_type(const struct ms_machine *m, ms_pgprot_t prot, enum ms_cache type);

/* Inserts a leaf of 2^order pages: FALLBACK where the architecture has no such pfn leaf. */
ms_vm_fault_t ms_insert_pfn_order(struct ms_vm_fault *vmf, ms_pfn_t pfn, unsigned int order);

/* ---- vfio-pci ---- */

#define MS_VFIO_OFFSET_SHIFT 40u /* VFIO_PCI_OFFSET_SHIFT */
#define MS_VFIO_ROM_REGION 6u    /* VFIO_PCI_ROM_REGION_INDEX: BARs lie below */

/* vfio_pci_mmap_vma: a VMA that has been faulted in since the last zap. */
struct ms_vfio_vma {
	TAILQ_ENTRY(ms_vfio_vma) link;
	struct ms_vma *vma;
};

/* A BAR of a device that is opened as another BAR of it. */
struct ms_vfio_bar {
	LIST_ENTRY(ms_vfio_bar) link;
	const struct ms_device *of;
	struct ms_device *bar;
	unsigned int index;
	bool mapped;
};

/* vfio_pci_core_device, with a single BAR that can be mapped. */
struct ms_vfio {
	LIST_ENTRY(ms_vfio) link;
	RB_ENTRY(ms_vfio) by_bar;
	struct ms_machine *machine;
	struct ms_device *bar;
	unsigned int index;
	unsigned int opened;         /* files */
	bool memory_enabled;         /* COMMAND.MEMORY */
	bool prepopulate;            /* mmap maps at once */
	bool mapped;                 /* barmap: claimed and ioremapped */
	int map_error;               /* policy vfio_bar_claim DEVICE_OPEN: why it is not mapped */
	unsigned int memory_readers; /* memory_lock: faults that are past the test of the bit */
	bool memory_locked;          /* memory_lock for writing: a zap goes on (6.10+) */
	bool vma_locked;             /* vma_lock: of the list */
	TAILQ_HEAD(, ms_vfio_vma) vmas; /* most recently faulted first */
};

struct ms_vfio_file {
	LIST_ENTRY(ms_vfio_file) link;
	RB_ENTRY(ms_vfio_file) by_file;
	struct ms_file *file;
	struct ms_vfio *dev;
};

/* What a regime does at the end of mmap, and when memory is turned off. */
int ms_vfio_v1_mmap(struct ms_vfio *dev, struct ms_vma *vma);
void ms_vfio_v1_zap(struct ms_vfio *dev);
/* Would ms_vfio_v1_zap() have to wait for a lock that a hook's caller holds? Its name, or NULL. */
const char *ms_vfio_v1_zap_waits(const struct ms_vfio *dev);
/* Fault handlers: the memory is turned off (SIGBUS), or the handler waits for a lock (RETRY). */
ms_vm_fault_t ms_vfio_memory_off(const struct ms_vfio *dev, ms_hva_t addr);
ms_vm_fault_t ms_vfio_fault_waits(const struct ms_vfio *dev, const char *lock);
int ms_vfio_v3_mmap(struct ms_vfio *dev, struct ms_vma *vma);
void ms_vfio_v3_zap(struct ms_file *file);

void ms_drivers_check(struct ms_check *c);

/* ---- hash.c ---- */

struct ms_hash;
void ms_drivers_hash(struct ms_hash *h);
/* What is in the files of the small drivers. */
void ms_pieces_hash(struct ms_hash *h);
void ms_lazy_hash(struct ms_hash *h);

#endif
