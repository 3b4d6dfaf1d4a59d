/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages of processes that driver code has taken (pin.c). */
#ifndef MS_MM_PIN_H
#define MS_MM_PIN_H

#include "core/check.h"
#include "mm/view.h"
#include "phys/hash.h"

void ms_taken_init(struct ms_machine *m);
void ms_taken_destroy(struct ms_machine *m);
void ms_taken_check(struct ms_check *c);
void ms_taken_hash(struct ms_hash *h);

#endif
