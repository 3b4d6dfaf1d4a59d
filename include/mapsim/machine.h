/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * machine.h - one simulated host: it owns its memory map, processes, VMs, memtypes and trace.
 *
 * Destroying the machine frees everything that hangs off it. Two machines share nothing. A machine
 * is used by one thread at a time. Nothing in it depends on time, randomness or the order of
 * pointers.
 */
#ifndef MAPSIM_MACHINE_H
#define MAPSIM_MACHINE_H

#include <mapsim/trace.h>
#include <mapsim/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What the hardware and the kernel's configuration say. Zero fields take the default in brackets.
 */
struct ms_machine_config {
	uint64_t page_size;   ///< bytes: 4096 (default), 16384 or 65536; x86: 4096
	unsigned int va_bits; ///< host virtual address bits: 39, 48 (4K pages), 36, 47, 48 (16K),
			      ///< 42, 48, 52 (64K); x86: 48. [48; 47 with 16K pages]
	unsigned int pa_bits; ///< host physical address bits, 32..48; 52 on x86 and with 64K pages.
			      ///< [48; x86: 46]
	unsigned int ipa_bits;      ///< largest IPA space of a VM, 32..48; 52 with 64K pages. [40]
	unsigned int max_map_count; ///< sysctl vm.max_map_count: [65530]
	enum ms_thp_mode thp;       ///< transparent_hugepage/enabled [always]
	enum ms_thp_mode shmem; ///< shmem_enabled: MS_THP_ALWAYS or MS_THP_NEVER [use shmem_set]
	bool shmem_set;         ///< false: shmem_enabled is `never`
	bool pku;               ///< x86: protection keys: what is only executable cannot be read
	bool pat_off;           ///< x86: the PAT is not in use
	bool no_fwb;            ///< arm64: FEAT_S2FWB is absent
	bool dic;               ///< arm64: CTR_EL0.DIC
	bool idc;               ///< arm64: CTR_EL0.IDC
	bool no_tlbi_range;     ///< arm64: FEAT_TLBIRANGE is absent
};

/**
 * A machine that behaves like the kernel of `policy` (copied). NULL when policy is NULL or has a
 * field outside of its enum, or memory is out. The machine has no RAM and no devices; see phys.h.
 */
struct ms_machine *ms_machine_new(const struct ms_policy *policy);
/** As above; NULL also when a config field is not one of the values named above. config may be
 * NULL. */
struct ms_machine *ms_machine_new_config(const struct ms_policy *policy,
					 const struct ms_machine_config *config);
/** Frees the machine and everything in it. NULL is allowed. */
void ms_machine_free(struct ms_machine *m);

const struct ms_policy *ms_machine_policy(const struct ms_machine *m);
const struct ms_machine_config *ms_machine_config(const struct ms_machine *m);

/**
 * Makes one allocation fail: the n-th from now (1: the next one). 0 turns it off. For tests.
 * Every allocation of the library that belongs to a machine is counted.
 */
void ms_machine_fail_alloc(struct ms_machine *m, uint64_t n);
/** Allocations asked for since the machine was made, failed ones included. */
uint64_t ms_machine_allocs(const struct ms_machine *m);

/** Where a hook may act: the places at which the kernel could be interrupted. */
enum ms_hook_point {
	MS_HOOK_S2_VMA_SAMPLED, ///< user_mem_abort: VMA looked at, mmap lock about to be dropped
	MS_HOOK_S2_PFN_FOUND,   ///< user_mem_abort: pfn looked up, mmu lock not yet taken
	MS_HOOK_S2_MAPPED,      ///< user_mem_abort: leaf installed, lock dropped
	MS_HOOK_DRIVER_FAULT,   ///< about to call vm_ops->fault or huge_fault
	MS_HOOK_DRIVER_FAULT_DONE,
	MS_HOOK_ZAP_UNTRACKED, ///< between untrack_pfn and the zap of the entries
	MS_HOOK_POINTS
};

/** Called at `point`; may call the library again. addr: hva or ipa at hand. */
typedef void ms_hook_fn(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg);
/** At most one hook a point; fn NULL removes it. */
void ms_machine_set_hook(struct ms_machine *m, enum ms_hook_point point, ms_hook_fn *fn, void *arg);

#ifdef __cplusplus
}
#endif
#endif
