/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * hazard.h - what a kernel lets stand wrong although no rule of its own is broken: a guest that
 * reaches beyond its VMA, a mapping of a device that outlives the device's memory, two memory types
 * of one page.
 *
 * ms_machine_check() (check.h) asks whether the model is whole, and what a kernel does wrong by
 * itself is nothing to it. Here the kernel is judged: the state of a machine, what happened since
 * the trace was cleared, how a guest's access ended, what is left in the end. A hazard is not an
 * exploit, and not even always a bug: it says that some hardware, process or guest can reach, or
 * keeps, what a reader of the kernel's documentation would not expect it to. docs/findings.md tells
 * what was found so.
 *
 * It knows what the machine knows. That a device is unplugged, that a TLB is stale, or what a guest
 * makes of memory by its own page tables, is not modelled and so never told. In a hook or a
 * driver's callback an operation is under way, and what that has not finished yet is told, too.
 *
 * Nothing changes a machine. A machine, VM, result or place for an answer that is NULL has no
 * hazard.
 */
#ifndef MAPSIM_HAZARD_H
#define MAPSIM_HAZARD_H

#include <mapsim/kvm.h>
#include <mapsim/mm.h>
#include <mapsim/phys.h>

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

enum ms_hazard_kind {
	/* a guest has mapped what its process has not; vm, mm, addr (ipa), size, hva, pa */
	MS_HAZARD_GUEST_BEYOND_SLOT, ///< "guest-beyond-slot": no memslot has the address; hva 0
	MS_HAZARD_GUEST_BEYOND_VMA,  ///< "guest-beyond-vma": no VMA is there
	MS_HAZARD_GUEST_OTHER_PAGE,  ///< "guest-other-page": the process maps another page there
	MS_HAZARD_GUEST_UNMAPPED,    ///< "guest-unmapped": the process maps nothing there
	MS_HAZARD_GUEST_WRITE,       ///< "guest-write": the guest may write, the process may not
	MS_HAZARD_GUEST_READ,        ///< "guest-read": the process has no access at all (PROT_NONE)
	MS_HAZARD_GUEST_EXEC_DEVICE, ///< "guest-exec-device": arm64: device memory is executable
	MS_HAZARD_GUEST_RAM_AS_DEVICE, ///< "guest-ram-as-device": arm64: RAM, not cacheable
	MS_HAZARD_GUEST_UNLOGGED,      ///< "guest-unlogged": RAM of a logged slot is writable, and
				       ///< the log does not say so

	/* entries of a process; mm, addr, size, pa */
	MS_HAZARD_HOST_BEYOND_VMA, ///< "host-beyond-vma": they are outside of every VMA
	MS_HAZARD_HOST_WRITE,      ///< "host-write": writable in a VMA that is not
	MS_HAZARD_HOST_FREED_PAGE, ///< "host-freed-page": a raw pfn of RAM that nobody has
				   ///< allocated, or any more, or that is another process's memory
	MS_HAZARD_HOST_COW,        ///< "host-cow": a private page is writable, and others read it

	/* entries of a process, or of a guest (then vm and hva, too); device */
	MS_HAZARD_DEVICE_OFF,     ///< "device-off": its memory is turned off
	MS_HAZARD_DEVICE_CLAIMED, ///< "device-claimed": by sysfs or /dev/mem, of what a driver has
				  ///< claimed for itself
	MS_HAZARD_DEVICE_CACHEABLE, ///< "device-cacheable": arm64: as cacheable memory

	/* memory types; pa, size, types; device */
	MS_HAZARD_TYPES,         ///< "types": two of one page; addr 0
	MS_HAZARD_TYPE_NOT_HELD, ///< "type-not-held": x86: a process maps device memory by another
				 ///< type than is reserved, so that the next user may get that
	MS_HAZARD_TYPE_CHANGED,  ///< "type-changed": of device memory that stayed mapped
	MS_HAZARD_TYPE_LEAK,     ///< "type-leak": x86: a reservation that nobody will give back

	/* what happened */
	MS_HAZARD_CRASH,   ///< "crash": the kernel crashes; the model goes on as if it had not
	MS_HAZARD_WARNING, ///< "warning": the kernel would BUG, WARN or complain
	MS_HAZARD_UNSEEN,  ///< "unseen": it should, and does not notice
	MS_HAZARD_ENDLESS, ///< "endless": the same fault is handled for ever
	MS_HAZARD_GUEST_REFUSED, ///< "guest-refused": what the process may do without a fault

	MS_HAZARD_PAGE_LEAK, ///< "page-leak": in the end pages of RAM are not free; size, bytes

	MS_HAZARD_KINDS
};

/** Who let it happen. */
enum ms_blame {
	MS_BLAME_UNKNOWN,
	MS_BLAME_KERNEL, ///< mm, KVM or the tracking of memory types
	MS_BLAME_DRIVER, ///< the driver whose mapping it is, one of the kernel's or a user's
};

struct ms_hazard {
	enum ms_hazard_kind kind;
	enum ms_blame blame;
	uint32_t mm, vm;    ///< ms_mm_id(), ms_vm_id(); 0: none
	uint64_t addr;      ///< host address, or ipa where vm is set and the kind is a guest's
	uint64_t size;      ///< bytes
	ms_hva_t hva;       ///< a guest's: the process's address of the same byte
	ms_pa_t pa;         ///< of the first byte
	unsigned int types; ///< 1u << enum ms_cache each
	const struct ms_device *device; ///< that has pa; NULL: none
	/** The rule and its value that let it happen, where that is known: policy.h's names,
	 * static; "choose_block" without a value is the user's own function. NULL: not known, or
	 * all kernels do it. */
	const char *rule, *value;
	const char *text; ///< what is wrong, in words that live as long as the machine
};

/** Called for each hazard, by process or VM and address; changes nothing. It is gone afterwards. */
typedef void ms_hazard_fn(const struct ms_hazard *hazard, void *arg);

/**
 * What is wrong in the machine as it stands: all kinds up to "type-leak" but "type-changed".
 * Answers how many; tell may be NULL. A hazard is as long as it can be: neighbouring bytes that are
 * wrong in the same way are one. SIZE_MAX: no memory to compare the types of more than some 50
 * mapped ranges of device memory; the other kinds were told.
 *
 * O(leaves) of all processes and guests, at a few nanoseconds each, and O(log n) for each run of
 * them (mm.h, kvm.h); r runs of device memory take O(r log r).
 */
size_t ms_hazards(const struct ms_machine *m, ms_hazard_fn *tell, void *arg);

/**
 * Crashes, warnings, what went unseen and endless faults, of the events that are kept
 * (ms_trace_clear()). addr and pa as the event has them. O(events).
 */
size_t ms_hazards_of_events(const struct ms_machine *m, ms_hazard_fn *tell, void *arg);

/**
 * How an access of a guest ended: prot is what it was, `access` what ms_guest_touch() answered, and
 * nothing was done since. "endless", or "guest-refused". At most one.
 */
size_t ms_hazards_of_guest(const struct ms_vm *vm, ms_ipa_t gpa, unsigned int prot,
			   const struct ms_guest_access *access, ms_hazard_fn *tell, void *arg);

/**
 * When every process has ended, and every file, VM, ioremap and claim was given back: reservations
 * of memory types that are left, and pages of RAM. Pages that are kept for good are none: the zero
 * pages, and those that wait in the CPU's queues. One process or VM that lives: 0, nothing is
 * asked.
 */
size_t ms_hazards_at_end(const struct ms_machine *m, ms_hazard_fn *tell, void *arg);

/** Device memory that a process has mapped with one type: a run, as it was at some moment. */
struct ms_mapped_type {
	uint32_t mm;
	ms_hva_t addr;
	uint64_t size; ///< bytes
	ms_pa_t pa;
	enum ms_cache type;
};
/** All of them, by process and address: the first `max` into `types` (may be NULL when max is 0).
 * Answers how many there are. */
size_t ms_mapped_types(const struct ms_machine *m, struct ms_mapped_type *types, size_t max);
/** "type-changed": what `n` runs were before, and is mapped to the same memory by another type now,
 * even if it was unmapped in between. `types` of a hazard: both. */
size_t ms_hazards_of_types(const struct ms_machine *m, const struct ms_mapped_type *before,
			   size_t n, ms_hazard_fn *tell, void *arg);

/** "guest-beyond-vma", "?": no such kind. What it means, in a sentence; "" of none. */
const char *ms_hazard_name(enum ms_hazard_kind kind);
const char *ms_hazard_doc(enum ms_hazard_kind kind);
/** "kernel", "driver", "unknown"; "?" of none. */
const char *ms_blame_name(enum ms_blame blame);
/** Whether two hazards are the same: all but the text. */
bool ms_hazard_equal(const struct ms_hazard *a, const struct ms_hazard *b);
/** One line with its '\n': "guest-beyond-vma vm=1 ipa=0x80300000 size=0x100000 ...". */
void ms_hazard_print(const struct ms_machine *m, const struct ms_hazard *hazard, FILE *out);

#ifdef __cplusplus
}
#endif
#endif
