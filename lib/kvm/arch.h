/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the architectures of a VM: arm64/ and x86/ give one table each, and know
 * nothing of each other. Memslots, dirty logs, notifiers and the loop of a guest's access are in
 * common, and call these.
 */
#ifndef MS_KVM_ARCH_H
#define MS_KVM_ARCH_H

#include "kvm/internal.h"

struct ms_check;

/* What a fault of the guest reports. */
struct ms_abort {
	ms_ipa_t ipa;     /* 4K granular whatever the page size */
	uint64_t granule; /* permission fault: bytes of the leaf; else 0 */
	bool access_flag; /* arm64: the leaf was only old */
	bool write, exec;
	bool emulated;          /* out: KVM has made the access itself */
	enum ms_kvm_reason why; /* out: why nothing was mapped */
};
static inline bool ms_abort_is_perm(const struct ms_abort *a)
{
	return a->granule != 0;
}

enum ms_mr_change { MS_MR_CREATE, MS_MR_DELETE, MS_MR_MOVE, MS_MR_FLAGS_ONLY };

struct ms_kvm_arch {
	unsigned int (*user_mem_slots)(const struct ms_vm *vm); /* a slot's number is below this */

	/* Completes the configuration of a VM to be. 0, or refuses: -EINVAL. */
	int (*check_config)(struct ms_machine *m, struct ms_vm_config *config);
	/* The VM's table: made (0, -ENOMEM, -EINVAL); gone, with the VM or its process. */
	int (*table_new)(struct ms_vm *vm);
	void (*table_free)(struct ms_vm *vm);

	/* A slot changes. prepare: `new` is not in the trees yet, old NULL: it is created; may
	 * refuse. commit: it has changed, old is what it was before, new NULL: it was deleted. */
	int (*prepare_region)(struct ms_vm *vm, const struct ms_memslot *old,
			      struct ms_memslot *new, enum ms_mr_change change);
	void (*commit_region)(struct ms_vm *vm, const struct ms_memslot *old,
			      const struct ms_memslot *new, enum ms_mr_change change);
	/* The slot is about to be deleted or moved: nothing of it may stay mapped. */
	void (*flush_slot)(struct ms_vm *vm, const struct ms_memslot *slot);

	/* The dirty log hands out the pages whose bits are set in `mask`, which is word number
	 * `word` of the slot's bitmap; then, if there were any, it is done. */
	void (*log_dirty)(struct ms_vm *vm, const struct ms_memslot *slot, uint64_t word,
			  uint64_t mask);
	void (*log_done)(struct ms_vm *vm, const struct ms_memslot *slot);

	/* Notifiers: [ipa, +size) is the part of a slot that is meant. */
	void (*unmap)(struct ms_vm *vm, ms_ipa_t ipa, uint64_t size);
	/* An entry of the process has become pa (one page); before_: once, then for each slot. */
	void (*before_change_pte)(struct ms_vm *vm, ms_pa_t pa);
	void (*change_pte)(struct ms_vm *vm, ms_ipa_t ipa, ms_pa_t pa);
	bool (*age)(struct ms_vm *vm, ms_ipa_t ipa, uint64_t size);

	/* A guest's access. walk: what the hardware does: false: it is made; true: it faults, as
	 * *abort says; *leaf is what translates the address. handle: OK: the guest goes on; ERROR:
	 * *err. */
	bool (*walk)(struct ms_vm *vm, ms_ipa_t gpa, unsigned int prot, struct ms_s2_leaf *leaf,
		     struct ms_abort *abort);
	enum ms_guest_exit (*handle)(struct ms_vm *vm, struct ms_abort *abort, int *err);
	void (*get_leaf)(const struct ms_vm *vm, ms_ipa_t gpa, struct ms_s2_leaf *leaf);

	void (*check)(struct ms_check *c, struct ms_vm *vm);
};

extern const struct ms_kvm_arch ms_kvm_arm64;

#endif
