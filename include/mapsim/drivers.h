/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * drivers.h - the ways in which Linux lets a process map device memory, ready made: sysfs PCI
 * resource files, /dev/mem, vfio-pci, and a small driver of pieces for tests.
 *
 * Each is written against mm.h and pfnmap.h alone, as a user's own driver would be. They mirror
 * drivers/pci/mmap.c, drivers/char/mem.c, drivers/vfio/pci/vfio_pci_core.c and kernel/resource.c.
 *
 * A function that answers a file gives a file that lives until the machine ends; ms_file_put()
 * gives it back earlier.
 */
#ifndef MAPSIM_DRIVERS_H
#define MAPSIM_DRIVERS_H

#include <mapsim/mm.h>
#include <mapsim/phys.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * /sys/bus/pci/devices/.../resourceN of the BAR; the same file each time. NULL: no memory. mmap
 * offsets count from the BAR's start.
 */
struct ms_file *ms_pci_resource(struct ms_device *bar);
/** .../resourceN_wc. NULL when there is no such file (BAR not prefetchable; x86: PAT off) or no
 * memory. */
struct ms_file *ms_pci_resource_wc(struct ms_device *bar);

/** /dev/mem, opened with O_SYNC or without; mmap offsets are physical addresses. */
struct ms_file *ms_devmem_open(struct ms_machine *m, bool o_sync);

/**
 * The BAR as region `index` of a vfio-pci device: its mmap offsets start at index << 40 (see
 * ms_vfio_offset). A device of its own for each BAR. From policy vfio_bar_claim on: the first mmap,
 * or the open itself, claims the BAR and ioremaps it.
 */
struct ms_file *ms_vfio_open(struct ms_device *bar);
/** The mmap offset at which the BAR starts in its vfio file. */
uint64_t ms_vfio_offset(const struct ms_file *file);
/** Sets or clears the memory-enable bit of the device's PCI command register. -ENODEV: not a vfio
 * file. */
int ms_vfio_set_memory(struct ms_file *file, bool enabled);

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
 * copied. The driver's files share one address_space in physical offsets.
 */
struct ms_file *ms_pieces_open(struct ms_device *bar, enum ms_pieces_mode mode, enum ms_cache type,
			       const struct ms_piece *pieces, size_t npieces);
/** unmap_mapping_range (even_cows) by the piecewise driver of BAR bytes [off, off + len). */
void ms_pieces_revoke(struct ms_device *bar, uint64_t off, uint64_t len);

/**
 * request_mem_region / release_mem_region of physical [pa, pa + len) (page granular). A claim tears
 * down user mappings as revoke_iomem does (IO_STRICT_DEVMEM=y; policy revoke_scope) and makes new
 * sysfs and /dev/mem mappings fail. -EBUSY: part of it is claimed already; release: -EINVAL unless
 * exactly so claimed; -ENOMEM.
 */
int ms_iomem_claim(struct ms_machine *m, ms_pa_t pa, uint64_t len);
int ms_iomem_release(struct ms_machine *m, ms_pa_t pa, uint64_t len);
/** iomem_is_exclusive of the page at pa. */
bool ms_iomem_is_exclusive(const struct ms_machine *m, ms_pa_t pa);

#ifdef __cplusplus
}
#endif
#endif
