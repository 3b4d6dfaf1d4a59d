/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of a printed event. */
#ifndef MS_MACHINE_PRINT_H
#define MS_MACHINE_PRINT_H

#include "core/core.h"

/* An event as the recording format writes it: no mm, vm, reason or '\n'. */
void ms_event_print_fields(const struct ms_machine *m, const struct ms_event *ev, FILE *out);
/* "rw,device"; "-": no right at all */
void ms_prot_print(uint32_t prot, FILE *out);
/* "EINVAL" of -EINVAL; a number where the error has no name, and for 0 and above */
void ms_error_print(int err, FILE *out);

#endif
