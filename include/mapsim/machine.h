/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * machine.h - one simulated host: it owns its memory map, processes, VMs, memtypes and trace.
 *
 * Destroying the machine frees everything that hangs off it. Two machines share nothing. A machine
 * is used by one thread at a time, two machines by two threads (docs/platforms.md). Nothing in it
 * depends on time, randomness or the order of pointers.
 *
 * A policy or machine that is NULL is refused: the answer is NULL or 0, or nothing is done.
 */
#ifndef MAPSIM_MACHINE_H
#define MAPSIM_MACHINE_H

#include <mapsim/trace.h>
#include <mapsim/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Huge page sizes that a machine can have: of 4K pages on arm64 64K, 2M, 32M and 1G. */
#define MS_HUGETLB_SIZES 4
/** Huge pages that are set aside (hugepagesz=, hugepages=). A pool does not grow. */
struct ms_hugetlb_pages {
	uint64_t size;  ///< bytes of one; 0: nothing is said
	uint64_t pages; ///< how many there are; 0: mappings of this size are -ENOMEM
};

/** What a CPU or kernel may have or not. */
enum ms_feature { MS_FEATURE_DEFAULT, MS_FEATURE_PRESENT, MS_FEATURE_ABSENT };

/** What hardware and kernel configuration say. Zero fields take the default in brackets. */
struct ms_machine_config {
	uint64_t page_size;   ///< bytes: 4096 (default), 16384 or 65536; x86: 4096
	unsigned int va_bits; ///< host virtual address bits: 39, 48 (4K pages), 36, 47, 48 (16K),
			      ///< 42, 48, 52 (64K); x86: 48. [48; 47 with 16K pages]
	unsigned int pa_bits; ///< host physical address bits, 32..48; 52 on x86 and with 64K pages.
			      ///< [48; x86: 46]
	unsigned int ipa_bits;      ///< largest IPA space of a VM, 32..48; 52 with 64K pages. [40]
	unsigned int max_map_count; ///< sysctl vm.max_map_count: [65530]
	uint64_t mmap_min_addr; ///< the lowest address that mmap chooses, bytes. [Debian's: 32768;
				///< x86: 65536]
	enum ms_thp_mode thp;   ///< transparent_hugepage/enabled [always]
	enum ms_thp_mode shmem; ///< shmem_enabled [never]
	enum ms_feature
		pku; ///< x86: protection keys; without, what may be executed may be read [present]
	enum ms_feature pat; ///< x86: the PAT is in use [present]
	enum ms_feature fwb; ///< arm64: FEAT_S2FWB [present]
	enum ms_feature dic; ///< arm64: CTR_EL0.DIC [absent]
	enum ms_feature
		idc; ///< arm64: CTR_EL0.IDC; nothing that is modelled depends on it [absent]
	enum ms_feature mte;        ///< arm64: FEAT_MTE2: memory can have tags [absent]
	enum ms_feature tlbi_range; ///< arm64: FEAT_TLBIRANGE [present]
	/** Pools, in any order. Of a size that is not said every mapping gets what RAM is free; a
	 * size that the machine does not have is ignored. */
	struct ms_hugetlb_pages hugetlb[MS_HUGETLB_SIZES];
	bool fatal_violations; ///< a violation of the driver's is printed to stderr and aborts the
			       ///< program
	unsigned int fatal_classes; ///< violations of which classes do so: MS_VIOLATION_BIT()s.
				    ///< [with fatal_violations: the driver's; else none]
};

/**
 * A machine that behaves like the kernel of `policy` (copied). NULL, and errno says why. EINVAL:
 * policy is NULL or has a field outside of its enum; ENOMEM. The machine has no RAM and no devices;
 * see phys.h.
 */
struct ms_machine *ms_machine_new(const struct ms_policy *policy);
/** As above; EINVAL also when a config field is not one of the values named above. config may be
 * NULL. */
struct ms_machine *ms_machine_new_config(const struct ms_policy *policy,
					 const struct ms_machine_config *config);
/**
 * Why ms_machine_new_config() makes no such machine: which field, and what it may be. Static text,
 * since there is no machine that could be asked; NULL: nothing but memory can be missing.
 */
const char *ms_machine_refusal(const struct ms_policy *policy,
			       const struct ms_machine_config *config);
/** Frees the machine and everything in it. NULL is allowed; inside of a hook or a driver's function
 * it is a violation, and the machine stays. */
void ms_machine_free(struct ms_machine *m);

/** The machine's own copies, with every default filled in; they do not change. */
const struct ms_policy *ms_machine_policy(const struct ms_machine *m);
const struct ms_machine_config *ms_machine_config(const struct ms_machine *m);

/**
 * What the machine has refused last. Every call that answers a negative errno or, from a
 * constructor, NULL with errno set, is a refusal, and so is an access that a process or a guest
 * cannot make. So is a step that was refused on the way of a call which then succeeded, such as
 * populating memory in mmap: ask after a call that has failed. What a hook's calls were refused is
 * forgotten, and not counted, when the hook returns.
 */
struct ms_refusal {
	uint64_t number; ///< refusals of the machine so far, this one counted; 0: there was none
	int err;         ///< the errno, negative
	/** Which check refused, with the other side by name: the VMA, the slot, the memtype's
	 * holder. Valid until the next call of the machine's. NULL: there was none. */
	const char *reason;
};
struct ms_refusal ms_last_refusal(struct ms_machine *m);
/** Its reason alone. */
const char *ms_last_reason(struct ms_machine *m);

/**
 * Makes one allocation fail: the n-th from now (1: the next one). 0 turns it off. For tests.
 * Every allocation of the library that belongs to a machine is counted.
 */
void ms_machine_fail_alloc(struct ms_machine *m, uint64_t n);
/** Allocations asked for since the machine was made, failed ones included. */
uint64_t ms_machine_allocs(const struct ms_machine *m);

/**
 * Where a hook may act: the places at which the kernel could be interrupted. In brackets: the locks
 * that are held there. `mmap` is the mmap lock of the process in which it happens.
 */
enum ms_hook_point {
	MS_HOOK_S2_VMA_SAMPLED,    ///< user_mem_abort: VMA looked at [none: mmap was just dropped]
	MS_HOOK_S2_PFN_FOUND,      ///< user_mem_abort: pfn looked up, nothing made of it yet [none]
	MS_HOOK_S2_MAPPED,         ///< user_mem_abort: leaf installed, lock dropped [none]
	MS_HOOK_DRIVER_FAULT,      ///< about to call vm_ops->fault or huge_fault [mmap, read]
	MS_HOOK_DRIVER_FAULT_DONE, ///< it has returned [mmap, read; a page of a memory file: its
				   ///< folio]
	MS_HOOK_ZAP_UNTRACKED,     ///< between untrack_pfn (up to 6.15) and the zap [mmap, read; in
				   ///< MAP_FIXED, mremap and exit: write; of a driver that zaps
				   ///< its locks, too]
	MS_HOOK_S2_MMU_LOCK,       ///< user_mem_abort: about to take the mmu lock [none]
	MS_HOOK_S2_BROKEN,         ///< a map call emptied an entry and has not filled it [mmu lock]
	MS_HOOK_DRIVER_MMAP,       ///< about to call ->mmap [mmap, write]
	MS_HOOK_DRIVER_OPEN,       ///< about to call vm_ops->open [mmap, write]
	MS_HOOK_DRIVER_CLOSE,      ///< about to call vm_ops->close [as ZAP_UNTRACKED]
	MS_HOOK_DRIVER_INSERT, ///< remap_pfn_range, vmf_insert_*: about to write entries [mmap of
			       ///< the caller, and the locks of the driver]
	MS_HOOK_UNMAP_ZAPPED, ///< unmap: entries gone, notifiers told; VMAs, and from 6.16 on their
			      ///< memtypes, still there [as ZAP_UNTRACKED]
	MS_HOOK_POINTS
};
/** "s2-vma-sampled", never NULL. */
const char *ms_hook_name(enum ms_hook_point point);

/**
 * Called at `point`; may call the library again. addr: hva or ipa at hand.
 *
 * There is no other thread that could wait for a lock which the interrupted call holds. A call that
 * would have to wait changes nothing and says so:
 * - mmap held in any way: calls that change VMAs (mmap, munmap, mprotect, mremap, mlock, fork, the
 *   madvise that sets flags or collapses) answer -EBUSY, and exiting is a violation;
 * - mmap held for writing: all of these, every madvise, ms_get_user_page() and
 *   ms_fixup_user_fault() answer -EBUSY, ms_touch() of what is not mapped answers MS_ACCESS_WAITS,
 *   a guest access that is not mapped MS_GUEST_ERROR with -EBUSY;
 * - mmu lock held: as mmap held for writing; the VM's dirty log answers -EBUSY; a zap by a driver,
 *   which would tell the VM, is a violation;
 * - a folio of a memory file: a hole in it (MADV_REMOVE) answers -EBUSY, an access that faults on
 *   it waits as above; MADV_COLLAPSE answers -EBUSY where it is a huge page, else -EAGAIN, as the
 *   kernel only tries that lock;
 * - a hole that is being made in a memory file (MADV_REMOVE zaps): another hole in it answers
 *   -EBUSY, an access that faults inside of the hole waits as above;
 * - a driver's lock: ms_vfio_set_memory() answers -EBUSY, an access that faults waits as above.
 * While a driver's zap (ms_unmap_mapping_range, ms_zap_vma_ptes) is at a VMA, the mmap lock of the
 * VMA's process counts as held for reading.
 *
 * What a hook or a driver does with the mmap lock that the library holds changes nothing of that, and
 * is a violation; so is what it changes of the VMA in hand, which is put back. Hooks and drivers'
 * functions that call each other without end are not called any more.
 *
 * A hook or a driver that frees the machine, or a VM of which an access or a notifier is under way,
 * changes nothing: that is a violation.
 */
typedef void ms_hook_fn(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg);
/** At most one hook a point; fn NULL removes it. */
void ms_machine_set_hook(struct ms_machine *m, enum ms_hook_point point, ms_hook_fn *fn, void *arg);

#ifdef __cplusplus
}
#endif
#endif
