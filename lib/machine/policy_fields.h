/* SPDX-License-Identifier: GPL-2.0-only */
/* The table behind everything that knows a policy's fields by name. */
#ifndef MS_MACHINE_POLICY_FIELDS_H
#define MS_MACHINE_POLICY_FIELDS_H

#include "machine/internal.h"

#define MS_POLICY_MAX_VALUES 5

struct ms_policy_field {
	const char *name, *doc;
	size_t offset;                           /* in struct ms_policy */
	const char *value[MS_POLICY_MAX_VALUES]; /* by number; the rest is NULL */
};

extern const struct ms_policy_field ms_policy_fields[];
extern const size_t ms_policy_fields_count;

#endif
