/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * phys.h - the host's physical memory map: System RAM with page frames, and MMIO devices.
 *
 * It knows no virtual address and no page table. RAM is handed out by a buddy allocator whose
 * choices depend only on the calls made before: it takes the lowest free block that fits. Page 0,
 * and on x86 what is below 1 MiB, have frames but are never handed out. A page that is put into a
 * page table by its number, as drivers do, is not handed out while it is there.
 *
 * Pages are allocated and freed in O(log n) of the n pages of a range of RAM, and a range or device
 * is found by address in O(log n) of their number. RAM that nobody uses takes a few bytes a GiB.
 *
 * A machine or device that is NULL is refused: the answer is NULL, -EINVAL, 0 or false, or nothing
 * is done.
 */
#ifndef MAPSIM_PHYS_H
#define MAPSIM_PHYS_H

#include <mapsim/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Adds System RAM [pa, pa + size). The range is shrunk to whole pages; page frames exist for those.
 * -EINVAL: empty, wraps, beyond pa_bits; -EEXIST: overlaps RAM or a device; -ENOMEM.
 */
int ms_ram_add(struct ms_machine *m, ms_pa_t pa, uint64_t size);

/**
 * Sets System RAM [pa, pa + size) aside, whole pages that nobody has: it is never handed out, as
 * what "memmap=" or a reserved-memory node takes, and drivers may map it. -EINVAL: empty, not whole
 * pages, or not RAM; -EBUSY: a page is in use; -ENOMEM.
 */
int ms_ram_reserve(struct ms_machine *m, ms_pa_t pa, uint64_t size);

/**
 * Adds an MMIO range (a PCI BAR) [pa, pa + size), prefetchable, MTRR type WB above 4 GiB and UC
 * below (x86) if nobody says anything else. The name is copied. The device lives as long as the
 * machine. NULL, and errno says why. EINVAL: the range is empty, wraps or is beyond
 * pa_bits, or the name is NULL; EEXIST: it overlaps RAM or a device, or the name is taken; ENOMEM.
 */
struct ms_device *ms_device_add(struct ms_machine *m, const char *name, ms_pa_t pa, uint64_t size);
/** Whether the BAR is prefetchable (the sysfs write-combining file exists only then). */
void ms_device_set_prefetchable(struct ms_device *dev, bool prefetchable);
/** x86: what the MTRRs say about the whole BAR: MS_CACHE_WB/UC/WC/WT/WP, or -1 for mixed, off or
 * unknown. */
void ms_device_set_mtrr(struct ms_device *dev, int type);

/**
 * x86: the MTRRs say `type` (as above) of [pa, pa + size), bytes; where several ranges overlap the
 * one that was added last counts, and where none is WB, the default type. What was set for a device
 * stays. As long as no range is added the machine has the MTRRs that QEMU's firmware makes: RAM is
 * WB, from 3 GiB to 4 GiB is UC, in the first megabyte 0xa0000 to 0xc0000 is UC and the rest above
 * is WP, and all else is WB. -EINVAL: empty, wraps, or no such type; -ENOMEM.
 */
int ms_mtrr_add(struct ms_machine *m, ms_pa_t pa, uint64_t size, int type);

/**
 * Turns the device's memory off, or on again, as the memory-enable bit of PCI's command register
 * does (ms_vfio_set_memory() does it, too). Who still has it mapped and accesses it while it is off
 * would make a real bus answer with an error: a violation, at the address of the process (or the
 * IPA of the guest) whose mapping has survived.
 */
void ms_device_set_memory(struct ms_device *dev, bool enabled);

/** By name; NULL: none. O(devices). */
struct ms_device *ms_device_find(struct ms_machine *m, const char *name);
/** Every device, in order of creation: the first (dev NULL), the next one; NULL: no more. O(1). */
struct ms_device *ms_device_next(const struct ms_machine *m, const struct ms_device *dev);
/** The device that has pa; NULL: none. O(log devices). */
struct ms_device *ms_device_at(const struct ms_machine *m, ms_pa_t pa);
/** Is its memory on, as it is at first? */
bool ms_device_memory(const struct ms_device *dev);
const char *ms_device_name(const struct ms_device *dev);
ms_pa_t ms_device_pa(const struct ms_device *dev);    ///< of its first byte
uint64_t ms_device_size(const struct ms_device *dev); ///< bytes

/** linux.h's struct page. */
struct ms_struct_page;
/**
 * pfn_to_page / page_to_pfn. Consecutive pages lie 64 bytes apart. Behind the struct page of what
 * is no RAM there is no memory, as in a kernel. NULL: not enough memory, or no machine (pfn: 0).
 */
struct ms_struct_page *ms_pfn_to_page_struct(struct ms_machine *m, ms_pfn_t pfn);
ms_pfn_t ms_page_struct_to_pfn(const struct ms_machine *m, const struct ms_struct_page *page);

/** pfn_valid / pfn_is_map_memory: a page of System RAM with a frame. */
bool ms_pfn_is_ram(const struct ms_machine *m, ms_pfn_t pfn);
/** Frames of System RAM that nobody holds, in pages. */
uint64_t ms_ram_free_pages(const struct ms_machine *m);

#ifdef __cplusplus
}
#endif
#endif
