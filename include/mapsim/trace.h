/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * trace.h - every state change of a machine as one typed event, in the order in which it happened.
 *
 * Events are kept in memory until ms_trace_clear(). Counters count every event since the machine
 * was made, whether its type is recorded or not. When memory for an event cannot be had, the event
 * is counted, not kept, and ms_trace_lost() says how many are missing: tracing never makes an
 * operation fail.
 *
 * Keeping and counting an event take O(1), and so does each question but ms_trace_last() and
 * ms_violation_get(), which go over the kept events.
 *
 * A machine, event or file to print to that is NULL is refused: the answer is NULL or 0, or nothing
 * is done.
 */
#ifndef MAPSIM_TRACE_H
#define MAPSIM_TRACE_H

#include <mapsim/types.h>

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/** After each: the fields of struct ms_event that it uses, beside `type` and, as said, mm or vm. */
enum ms_event_type {
	MS_EV_ZAP,          ///< unmap_page_range: entries go. mm, va, size
	MS_EV_PAT_RESERVE,  ///< memtype_reserve. start, size, cache (asked for), ret
	MS_EV_PAT_FREE,     ///< memtype_free. start, size, ret, reason
	MS_EV_PAT_UNTRACK,  ///< untrack_pfn as called. mm, va (vm_start), pfn, size
	MS_EV_PAT_CLEAR,    ///< untrack_pfn_clear. mm, va (vm_start)
	MS_EV_S2_MAP,       ///< kvm_pgtable_stage2_map. vm, ipa, size, pa, prot, ret, reason
	MS_EV_S2_RELAX,     ///< kvm_pgtable_stage2_relax_perms. vm, ipa, prot, ret
	MS_EV_S2_UNMAP,     ///< kvm_pgtable_stage2_unmap. vm, ipa, size
	MS_EV_S2_WRPROTECT, ///< kvm_pgtable_stage2_wrprotect. vm, ipa, size
	MS_EV_S2_SPLIT,     ///< kvm_pgtable_stage2_split. vm, ipa, size, ret
	MS_EV_S2_YOUNG,     ///< kvm_pgtable_stage2_mkyoung. vm, ipa
	/* x86: of entries, not of calls; bits, and of MAP cache, beside prot; level (1: 4K, 2: 2M,
	 * 3: 1G) of each; size of all of them. So are MAP, RELAX, WRPROTECT and SPLIT there. */
	MS_EV_S2_ZAP,      ///< entries were removed. vm, ipa, size, level
	MS_EV_S2_FAST,     ///< write permission was given back without a lock. vm, ipa, prot, bits
	MS_EV_S2_CHANGE,   ///< another change of entries. vm, ipa, size, prot, bits, level
	MS_EV_S2_MMIO,     ///< pages were remembered as such without memory. vm, ipa, size
	MS_EV_S2_ZAP_ALL,  ///< kvm_mmu_zap_all_fast: all roots are invalid; their zaps follow. vm
	MS_EV_S2_AGE,      ///< kvm_age_gfn. vm, ipa, size
	MS_EV_S2_TEST_AGE, ///< kvm_test_age_gfn. vm, ipa, size
	MS_EV_S2_CHANGE_PTE, ///< kvm_set_spte_gfn (up to 6.9). vm, ipa, size
	MS_EV_S2_DESC,       ///< a stage-2 descriptor was written. vm, ipa, size (that it covers),
		       ///< level, desc, old_desc
	MS_EV_TLBI,           ///< vm, tlbi, ipa, size (0: one address), level (a hint)
	MS_EV_CMO,            ///< cache maintenance. vm, cmo, pa, size
	MS_EV_NOTIFIER_START, ///< mmu notifier invalidate_range_start. mm, va, size, notifier
	MS_EV_NOTIFIER_END,   ///< mmu notifier invalidate_range_end. mm, va, size, notifier
	MS_EV_CHANGE_PTE,     ///< mmu notifier change_pte. mm, va, pa, prot (MS_PROT_W or 0)
	MS_EV_HOST_FAULT,     ///< a host fault was handled. mm, va, prot (the access), fault
	MS_EV_GUEST_ABORT, ///< a stage-2 abort reached the host. vm, ipa, prot (the access), ret,
			   ///< reason
	MS_EV_VMA_OPEN,    ///< vm_ops->open. mm, va (vm_start), size
	MS_EV_VMA_CLOSE,   ///< vm_ops->close. mm, va (vm_start), size
	MS_EV_PAT_HAZARD,  ///< what the kernel does not see. mm, va (vm_start of the VMA at fault),
			   ///< size (of the VMA), pa and pa_size (the physical range), reason
	MS_EV_VIOLATION, ///< what the kernel would BUG, WARN or complain about, and what it should
			 ///< not have let happen. mm, reason (the condition), addr, pa (of an entry
			 ///< that is wrong, of what is reached or left; else 0), cause, times
	MS_EV_LOG,       ///< what the kernel would log. reason (the message), addr, size
	MS_EV_TYPES
};

enum ms_notifier_event {
	MS_NOTIFY_UNMAP,
	MS_NOTIFY_CLEAR,
	MS_NOTIFY_PROTECTION_VMA,
	MS_NOTIFY_PROTECTION_PAGE,
	MS_NOTIFY_RELEASE,
};

enum ms_tlbi_kind {
	MS_TLBI_VMID,      ///< all of a VMID
	MS_TLBI_IPA,       ///< one IPA, inner shareable
	MS_TLBI_IPA_NSH,   ///< one IPA, this CPU only
	MS_TLBI_IPA_RANGE, ///< [addr, +size)
};

enum ms_cmo_kind { MS_CMO_DCACHE_CLEAN, MS_CMO_ICACHE_INVAL };

/** Permission and attribute bits of `prot` in events and in stage-2 leaves. */
#define MS_PROT_R 0x1u
#define MS_PROT_W 0x2u
#define MS_PROT_X \
	0x4u ///< executable for EL0 and EL1 (both of PX, UX where the kernel has two bits)
#define MS_PROT_PX 0x8u  ///< executable at EL1 only
#define MS_PROT_UX 0x10u ///< executable at EL0 only
#define MS_PROT_DEVICE 0x20u
#define MS_PROT_NORMAL_NC 0x40u
#define MS_PROT_RW (MS_PROT_R | MS_PROT_W)

/** Each type has fields of its own (see above); those of one union are of different types.
 * (__extension__: a union without a name is of C11, and shall be one of C99, too.) */
struct ms_event {
	enum ms_event_type type;
	__extension__ union {
		int ret;            ///< 0 or a negative errno
		unsigned int fault; ///< VM_FAULT_* bits
	};
	uint32_t prot;    ///< MS_PROT_*
	uint32_t bits;    ///< x86: MS_TDP_HOST_WRITABLE, MMU_WRITABLE, ACCESSED, DIRTY
	uint8_t level;    ///< page-table level, 0..3
	uint8_t cache;    ///< enum ms_cache
	uint8_t notifier; ///< enum ms_notifier_event
	__extension__ union {
		uint8_t tlbi; ///< enum ms_tlbi_kind
		uint8_t cmo;  ///< enum ms_cmo_kind
	};
	uint32_t mm; ///< id of the mm (ms_mm_id), 0: none
	uint32_t vm; ///< id of the vm (ms_vm_id), 0: none
	__extension__ union {
		uint64_t addr; ///< of any kind
		ms_hva_t va;   ///< host virtual
		ms_ipa_t ipa;  ///< guest physical
		ms_pa_t start; ///< host physical
	};
	__extension__ union {
		uint64_t size;  ///< bytes
		uint64_t cause; ///< number of a cause for ms_violation_cause(), from 1 on; 0:
				///< unknown
	};
	__extension__ union {
		ms_pa_t pa;
		ms_pfn_t pfn;  ///< a page number
		uint64_t desc; ///< a stage-2 descriptor, as it is now
	};
	__extension__ union {
		uint64_t old_desc; ///< as it was before
		uint64_t pa_size;  ///< bytes from pa on
		uint64_t times;    ///< how often the cause was met while this event is kept
	};
	const char *reason; ///< text that lives as long as the machine, or NULL
};

/** Number of kept events; events are indexed 0 .. count-1, oldest first. */
size_t ms_trace_len(const struct ms_machine *m);
/** The i-th kept event, NULL when there is none. Valid until the next operation or clear. */
const struct ms_event *ms_trace_get(const struct ms_machine *m, size_t i);
/** Kept events of one type. */
size_t ms_trace_count(const struct ms_machine *m, enum ms_event_type type);
/** Events of one type since the machine was made, kept or not. */
uint64_t ms_trace_total(const struct ms_machine *m, enum ms_event_type type);
/** The last kept event of a type, NULL when there is none. */
const struct ms_event *ms_trace_last(const struct ms_machine *m, enum ms_event_type type);
/** Forgets the kept events; the counters stay. */
void ms_trace_clear(struct ms_machine *m);
/** Which types are kept: bit (1u << type) each. All but S2_DESC, TLBI and CMO at first. 0 turns the
 * trace off. */
void ms_trace_keep(struct ms_machine *m, uint32_t types);
/** Events that could not be kept for want of memory. */
uint64_t ms_trace_lost(const struct ms_machine *m);

/* ---- violations: what the kernel would BUG or WARN about, and some that it does not notice ----
 */

/** Whose doing a violation is. docs/violations.md lists the class of each. */
enum ms_violation_class {
	MS_VIOLATION_DRIVER,   ///< a mistake of the driver's
	MS_VIOLATION_KERNEL,   ///< the kernel brings it about by itself, whatever the driver does
	MS_VIOLATION_HARDWARE, ///< a limit of the hardware that nobody asks about beforehand
	MS_VIOLATION_TEST,     ///< a misuse of this library: what no driver and no process could do
	MS_VIOLATION_CLASSES
};
/** A class as one bit of a mask of them. */
#define MS_VIOLATION_BIT(class_) (1u << (class_))

/** The condition of a violation for whose words there was no memory. */
#define MS_VIOLATION_NO_WORDS "(there is no memory for the words)"

/**
 * One cause of violations. What has the same condition, class, driver and VMA (process and start;
 * where it is about no VMA, the same address) is one cause, however often it is met: a fault
 * handler that is wrong is wrong for each page.
 */
struct ms_violation {
	uint64_t number; ///< 1, 2, 3 … in the order in which causes were first met
	enum ms_violation_class whose;
	const char *condition; ///< text that lives as long as the machine
	/** The driver's file, as it is registered: a misc device's name, or the source file where
	 * the file has no device; of the library's own drivers "vfio", "mem", "resource" … NULL: it
	 * is about no file of a driver, or happens outside of a call into one. */
	const char *driver;
	const char *callback; ///< the driver's function that was called ("fault"); NULL: none
	uint32_t mm;          ///< id of the process; 0: none
	ms_hva_t vma_start, vma_end; ///< [start, end) of the VMA, as it was; both 0: none
	uint64_t addr;               ///< the first place: an address of any kind, or 0
	ms_pa_t pa;                  ///< the first physical address, or 0
	uint64_t times;              ///< since the machine was made
};

/**
 * Violations since the machine was made: what the kernel would BUG or WARN about, and some that it
 * does not notice: device memory that is accessed after a revoke or is given to a guest as memory,
 * a guest that reaches beyond its VMA. Each time that a cause is met counts, so that a difference
 * of two answers is 0 where nothing was wrong in between. A test of a driver ends with
 * ms_violations_of(m, MS_VIOLATION_BIT(MS_VIOLATION_DRIVER)) being 0. (struct ms_machine_config:
 * fatal_violations ends the program at the first one.)
 */
uint64_t ms_violations(const struct ms_machine *m);
/** Those of some classes, a mask of MS_VIOLATION_BIT(). */
uint64_t ms_violations_of(const struct ms_machine *m, unsigned int classes);
/**
 * The i-th violation that is kept, oldest first; NULL: no more. As ms_trace_get(). A cause is one
 * event, which is kept when it is first met and then counts `times`; after ms_trace_clear() it is
 * kept anew.
 */
const struct ms_event *ms_violation_get(const struct ms_machine *m, size_t i);
/** Causes that were met since the machine was made; clearing the trace does not change them. */
size_t ms_violation_causes(const struct ms_machine *m);
/** The cause of this number, 1 .. ms_violation_causes(); NULL: there is none. Valid as long as the
 * machine; `times` goes on counting. O(1). */
const struct ms_violation *ms_violation_cause(const struct ms_machine *m, uint64_t number);
/** "driver", "kernel", "hardware", "test"; "?" of what is no class. */
const char *ms_violation_class_name(enum ms_violation_class whose);
/**
 * Calls fn at each violation, after it was counted and before a fatal one ends the program; fn
 * NULL: no more. `v` is as ms_violation_cause() has it, but for want of memory, where number is 0
 * and it is valid during the call only. fn must not call into the machine, except to look.
 */
typedef void ms_violation_fn(const struct ms_machine *m, const struct ms_violation *v, void *arg);
void ms_violation_observe(struct ms_machine *m, ms_violation_fn *fn, void *arg);
/** Name of a type ("s2.map"), never NULL. */
const char *ms_event_name(enum ms_event_type type);
/**
 * Prints one event as one line with '\n', e.g. "s2.map ipa=0x80000000 size=0x200000 pa=ram prot=rw
 * (reason)". The words are those of the recording format where it has them; mm=ID and vm=ID follow
 * once the machine has had more than one.
 */
void ms_event_print(const struct ms_machine *m, const struct ms_event *ev, FILE *out);
/** The same without mm, vm, reason and '\n': the event as a recording has it. */
void ms_event_print_fields(const struct ms_machine *m, const struct ms_event *ev, FILE *out);
/** Prints MS_PROT_* bits as events have them: "rw", "rx,device"; "-" where nothing is allowed. */
void ms_prot_print(uint32_t prot, FILE *out);
/** Prints MS_TDP_ bits (tdp.h) as events have them: letters of "hmad", HOST_WRITABLE, MMU_WRITABLE,
 * ACCESSED and DIRTY; "-" where there is none. */
void ms_tdp_bits_print(uint32_t bits, FILE *out);
/** Prints the name of a negative errno, "EINVAL"; 0, and what has no name, as a number. */
void ms_error_print(int err, FILE *out);
/** Prints all kept events, one a line. */
void ms_trace_print(const struct ms_machine *m, FILE *out);

#ifdef __cplusplus
}
#endif
#endif
