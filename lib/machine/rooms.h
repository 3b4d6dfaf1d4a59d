/* SPDX-License-Identifier: GPL-2.0-only */
/* The rooms of a machine, all at once. */
#ifndef MS_MACHINE_ROOMS_H
#define MS_MACHINE_ROOMS_H

#include "core/check.h"

struct ms_hash;

/* 0, -ENOMEM: and nothing is left. */
int ms_rooms_init(struct ms_machine *m);
void ms_rooms_destroy(struct ms_machine *m);
void ms_rooms_check(struct ms_check *c);
void ms_rooms_hash(struct ms_hash *h);

/*
 * ms_machine_new_config(), in which allocation number fail_at fails (1: the machine's own; 0:
 * none).
 */
struct ms_machine *ms_machine_new_failing(const struct ms_policy *policy,
					  const struct ms_machine_config *config, uint64_t fail_at);

#endif
