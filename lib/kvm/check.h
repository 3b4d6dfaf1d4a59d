/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of ms_kvm_check(): check.c memslots, check_s2.c stage 2. */
#ifndef MS_KVM_CHECK_H
#define MS_KVM_CHECK_H

#include "core/check.h"
#include "kvm/internal.h"

/* The stage-2 table of a VM against its memslots and its process's page table. */
void ms_check_stage2(struct ms_check *c, struct ms_vm *vm);

void ms_kvm_check(struct ms_check *c);

#endif
