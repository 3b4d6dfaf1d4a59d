/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * drivers.h - the ways in which Linux lets a process map device memory, ready made: sysfs PCI
 * resource files, /dev/mem, vfio-pci, and a small driver of pieces for tests.
 *
 * Each is written against mm.h and pfnmap.h alone, as a user's own driver would be. They mirror
 * drivers/pci/mmap.c, drivers/char/mem.c, drivers/vfio/pci/vfio_pci_core.c and kernel/resource.c.
 *
 * A function that answers a file gives a file that lives until the machine ends; ms_file_put()
 * gives it back earlier. ms_mmap() refuses the NULL that an open may give.
 *
 * A machine, device or file that is NULL is refused: the answer is NULL (and errno is EINVAL),
 * -EINVAL, 0 or false, or nothing is done.
 */
#ifndef MAPSIM_DRIVERS_H
#define MAPSIM_DRIVERS_H

#include <mapsim/mm.h>
#include <mapsim/phys.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * /sys/bus/pci/devices/.../resourceN of the BAR; the same file each time, until it is put and
 * nothing maps it any more (whoever puts it asks anew before each use). NULL, and errno says why:
 * ENOMEM. mmap offsets count from the BAR's start.
 */
struct ms_file *ms_pci_resource(struct ms_device *bar);
/** .../resourceN_wc. NULL, and errno says why. ENOENT: there is no such file (BAR not prefetchable;
 * x86: PAT off); ENOMEM. */
struct ms_file *ms_pci_resource_wc(struct ms_device *bar);
/**
 * open(2) of one of the two: a file of its own. fmode: MS_FMODE_READ, with MS_FMODE_WRITE or
 * without. NULL, and errno says why, as above.
 */
struct ms_file *ms_pci_resource_open(struct ms_device *bar, bool write_combine, unsigned int fmode);

/** /dev/mem, opened with O_SYNC or without; mmap offsets are physical addresses. NULL, and errno
 * says why: ENOMEM. */
struct ms_file *ms_devmem_open(struct ms_machine *m, bool o_sync);

/**
 * The BAR as region `index` of a vfio-pci device: its mmap offsets start at index << 40 (see
 * ms_vfio_offset). A device of its own for each such BAR: every file of it shares its state, and
 * with the last one (put, and no VMA left) it is closed. By policy vfio_bar_claim the first mmap,
 * or the first open, claims the BAR and ioremaps it, until the device is closed; a BAR that
 * somebody else has claimed makes mmap fail (-EBUSY), never the open. The region is 2 for a
 * prefetchable BAR and 0 for another. NULL, and errno says why: ENOMEM.
 */
struct ms_file *ms_vfio_open(struct ms_device *bar);
/** The same as region 0..5. NULL, and errno says why. EINVAL: no such region; EBUSY: the device is
 * open with another; ENOMEM. */
struct ms_file *ms_vfio_open_region(struct ms_device *bar, unsigned int index);
/**
 * `other` is BAR `index` (0..5) of the PCI device whose BAR `bar` is opened: the device's first
 * open claims and ioremaps it, too, where a kernel claims all BARs then (policy vfio_bar_claim).
 * -EINVAL: NULL, no such index, one that is taken, or the device is open; -ENOMEM.
 */
int ms_vfio_add_bar(struct ms_device *bar, unsigned int index, struct ms_device *other);
/** The mmap offset at which the BAR starts in its vfio file. 0: not a vfio file. */
uint64_t ms_vfio_offset(const struct ms_file *file);
/** The BAR that the vfio file maps; NULL: not a vfio file. */
struct ms_device *ms_vfio_bar(const struct ms_file *file);
/** Sets or clears the memory-enable bit of the device's PCI command register. -ENODEV: not a vfio
 * file, or NULL; -EBUSY: a hook asks where the kernel would wait for a fault to end. */
int ms_vfio_set_memory(struct ms_file *file, bool enabled);
/**
 * Policy vfio V1_*: mmap maps the whole VMA at once where memory is enabled, instead of the first
 * fault (proposed in 2020, not merged). -ENODEV: not a vfio file, or NULL.
 */
int ms_vfio_set_prepopulate(struct ms_file *file, bool prepopulate);

/** One remap_pfn_range of the piecewise driver: VMA bytes [off, off+len) go to BAR + file offset +
 * off + shift. */
struct ms_piece {
	uint64_t off, len; ///< bytes, whole pages
	int64_t shift;
};
enum ms_pieces_mode {
	MS_PIECES_AT_MMAP, ///< each piece by remap_pfn_range in mmap; the type goes into the call's
			   ///< prot only
	MS_PIECES_LAZY,    ///< flags and type set at mmap; a fault inserts its page; outside of the
			   ///< pieces SIGBUS
	MS_PIECES_LAZY_HUGE, ///< as lazy, a PMD leaf where VA, PA, VMA and piece allow
};
/**
 * A file of the piecewise driver: vm_pgoff becomes (BAR + offset) >> page shift. The pieces are
 * copied; they may overlap (a fault takes the first that fits). mmap answers -EINVAL for a piece
 * that is not inside of the VMA, else the first error of a remap. The driver's files share one
 * address_space in physical offsets. NULL, and errno says why. EINVAL: a piece that is empty or not
 * whole pages, a type that the architecture does not have; ENOMEM.
 */
struct ms_file *ms_pieces_open(struct ms_device *bar, enum ms_pieces_mode mode, enum ms_cache type,
			       const struct ms_piece *pieces, size_t npieces);
/**
 * The same driver's device node, which is not one BAR's: file offsets are physical addresses.
 * ms_pieces_plan() says what the file's next mmaps map and how (at first nothing); -EINVAL: not
 * such a file, or what ms_pieces_open() refuses; -ENOMEM. A VMA of which nothing was mapped is an
 * ordinary file's: a mapping beside it at the offset that follows makes it larger, and mmap is not
 * called. NULL, and errno says why: ENOMEM.
 */
struct ms_file *ms_pieces_open_physical(struct ms_machine *m);
int ms_pieces_plan(struct ms_file *file, enum ms_pieces_mode mode, enum ms_cache type,
		   const struct ms_piece *pieces, size_t npieces);
/**
 * From now on the file's driver remembers one lazy mapping at a time: the pieces and the start of
 * the newest take the place of those of all earlier ones. (A driver that keeps them in a variable
 * of its own, not in the VMA, behaves so.) -EINVAL: not a file of the piecewise driver.
 */
int ms_pieces_one_lazy(struct ms_file *file);
/** unmap_mapping_range (even_cows) by the piecewise driver of BAR bytes [off, off + len). */
void ms_pieces_revoke(struct ms_device *bar, uint64_t off, uint64_t len);

#define MS_LAZY_ONE_PAGE 0x1u   ///< a fault remaps its own page; without: the whole VMA
#define MS_LAZY_CLOSE_HOOK 0x2u ///< vm_ops has a (void) close, which stands in the way of merging
/**
 * A file of the lazy driver: mmap sets `type` in vm_page_prot and a fault handler, and leaves the
 * flags alone; the handler calls remap_pfn_range from BAR + off on (which sets them), whatever the
 * file offset is. An error is SIGBUS. flags: MS_LAZY_*. NULL, and errno says why. EINVAL: off not
 * page aligned, a type that the architecture does not have, other flags; ENOMEM.
 */
struct ms_file *ms_lazy_open(struct ms_device *bar, uint64_t off, enum ms_cache type,
			     unsigned int flags);

/**
 * request_mem_region / release_mem_region of physical [pa, pa + len), bytes; a page counts as
 * claimed when a part of it is. A claim tears down user mappings as revoke_iomem does
 * (IO_STRICT_DEVMEM=y; policy revoke_scope) and makes new sysfs and /dev/mem mappings fail. -EBUSY:
 * part of it is claimed already or System RAM, it crosses a device's border, or it is empty or
 * wraps; release: -EINVAL unless exactly so claimed; -ENOMEM.
 */
int ms_iomem_claim(struct ms_machine *m, ms_pa_t pa, uint64_t len);
int ms_iomem_release(struct ms_machine *m, ms_pa_t pa, uint64_t len);
/** What is claimed: [start, end), bytes. */
struct ms_claimed {
	ms_pa_t start, end;
};
/** By address the first claim that ends above pa, whoever made it (vfio-pci claims, too); false:
 * none. O(log claims). */
bool ms_iomem_next_claim(const struct ms_machine *m, ms_pa_t pa, struct ms_claimed *claim);
/** Is it a file of sysfs or /dev/mem, through which user space is to map nothing that is claimed?
 */
bool ms_iomem_is_file(const struct ms_file *file);
/** iomem_is_exclusive of the page at pa: claimed, or System RAM. */
bool ms_iomem_is_exclusive(const struct ms_machine *m, ms_pa_t pa);

/** How far user space is kept from memory that is in use. */
enum ms_iomem_strict {
	MS_IOMEM_STRICT,  ///< CONFIG_STRICT_DEVMEM=y, CONFIG_IO_STRICT_DEVMEM=y: at first
	MS_IOMEM_RELAXED, ///< booted with iomem=relaxed: what is claimed may be mapped, RAM not
	MS_IOMEM_OPEN, ///< CONFIG_STRICT_DEVMEM=n: RAM too, through /dev/mem (x86 with PAT: EINVAL)
};
/** Only of mappings to come: those that are there stay. */
void ms_iomem_set_strict(struct ms_machine *m, enum ms_iomem_strict strict);

#ifdef __cplusplus
}
#endif
#endif
