/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tables that generate.py makes from rules/: what is known about each rule, and the policy of
 * each release at which a rule takes another value. This room knows no other.
 */
#ifndef MS_POLICY_INTERNAL_H
#define MS_POLICY_INTERNAL_H

#include <mapsim/policy.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A release x.y.z; z is 0 in mainline. */
struct ms_version {
	unsigned int major, minor, point;
};

struct ms_rule_value {
	const char *name, *what;
	const char *never; /* why no kernel has it; NULL: some have */
};

/* From release `since` on, in its line, the rule has this value. */
struct ms_rule_cell {
	const char *since;
	unsigned int arches; /* bits, by enum ms_arch */
	enum ms_evidence how;
	unsigned int value;
	const char *evidence;
};

struct ms_rule {
	const char *name, *what, *functions, *subject;
	const char *invalid; /* to be said where its value is none of those that it has */
	unsigned int arches; /* bits, by enum ms_arch, where the rule means something */
	size_t offset;       /* in struct ms_policy */
	unsigned int nr_values, nr_cells;
	const struct ms_rule_value *value;
	const struct ms_rule_cell *cell;
};
extern const struct ms_rule ms_rules[];
extern const size_t ms_nr_rules;

#define MS_NO_CELL UINT8_MAX

/* The policy from a release on, until the next step of its line. */
struct ms_step {
	struct ms_version from;
	struct ms_policy policy;
	const uint8_t *cell; /* of each rule, which one holds; MS_NO_CELL: none, see arches */
};
extern const struct ms_step *const ms_steps[2]; /* by enum ms_arch; rising */
extern const size_t ms_nr_steps[2];

/* How far a line of releases was looked through. The first is mainline, up to x.y. */
struct ms_branch {
	struct ms_version end;
	const char *looked; /* in what */
};
extern const struct ms_branch ms_branches[];
extern const size_t ms_nr_branches;

struct ms_recorded {
	const char *release;
	unsigned int arches;
};
extern const struct ms_recorded ms_recorded[];
extern const size_t ms_nr_recorded;

/* NULL: every field is one of its enumerators. Else which one is not, in words. */
const char *ms_policy_refusal(const struct ms_policy *p);

#endif
