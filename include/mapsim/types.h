/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * types.h - the words that every other header uses: addresses, sizes, memory types.
 *
 * Addresses, sizes and lengths are bytes. Page frame numbers (`pfn`, `gfn`, `vm_pgoff`) count pages
 * of the machine's base page size. Ranges are `start` (inclusive) and `end` (exclusive).
 * Errors are negative errno values, as in the kernel; 0 is success. A constructor answers the
 * object, or NULL with errno set; why a machine refused something is what ms_last_refusal() tells.
 * Since a refused constructor answers NULL, every function accepts NULL in place of an object, and
 * each header says what it answers then. A pointer through which a function answers must not be
 * NULL, unless the function says that it may be.
 */
#ifndef MAPSIM_TYPES_H
#define MAPSIM_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef uint64_t ms_hva_t; ///< host virtual address
typedef uint64_t ms_ipa_t; ///< guest physical (intermediate physical) address
typedef uint64_t ms_pa_t;  ///< host physical address
typedef uint64_t ms_pfn_t; ///< host physical page number
typedef uint64_t ms_gfn_t; ///< guest physical page number

#define MS_4K UINT64_C(0x1000)
#define MS_2M UINT64_C(0x200000)
#define MS_1G UINT64_C(0x40000000)

enum ms_arch { MS_ARCH_ARM64, MS_ARCH_X86_64 };
/** "arm64", "x86_64"; "?" of what is no architecture. */
const char *ms_arch_name(enum ms_arch arch);

/** What a page-table entry says about caching. The first six are x86's memory types; arm64 has WB,
 * WC and the last two. */
enum ms_cache {
	MS_CACHE_WB, ///< normal cacheable memory
	MS_CACHE_WC, ///< x86 write-combining; arm64 Normal-NC
	MS_CACHE_UC_MINUS,
	MS_CACHE_UC,
	MS_CACHE_WT,
	MS_CACHE_WP,
	MS_CACHE_NGNRE,  ///< arm64 Device-nGnRE
	MS_CACHE_NGNRNE, ///< arm64 Device-nGnRnE
};
/** "WB", "UC-", "nGnRE"; MS_CACHE_WC is "WC" on x86 and "NC" on arm64; "?" of what is no type. */
const char *ms_cache_name(enum ms_arch arch, enum ms_cache cache);

/** Values of transparent_hugepage/enabled and shmem_enabled in sysfs. The last three exist only in
 * shmem_enabled, where MADVISE is spelled "advise". */
enum ms_thp_mode {
	MS_THP_DEFAULT, ///< the default that struct ms_machine_config names
	MS_THP_ALWAYS,
	MS_THP_MADVISE,
	MS_THP_NEVER,
	MS_THP_WITHIN_SIZE, ///< where the huge page is within the file's size, else as MADVISE
	MS_THP_DENY,        ///< not even MADV_COLLAPSE
	MS_THP_FORCE,
};

struct ms_machine;
struct ms_policy;
struct ms_device;
struct ms_file;
struct ms_mm;
struct ms_vma;
struct ms_vm;

#ifdef __cplusplus
}
#endif
#endif
