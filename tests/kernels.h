/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernels that tests run on. No test has a list of releases or says what a release does: which
 * were recorded, and which rules they have, stands in lib/policy/rules alone. cmocka first.
 */
#ifndef TESTS_KERNELS_H
#define TESTS_KERNELS_H

#include <mapsim/policy.h>

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The rules of the i-th recorded kernel of an architecture, rising; NULL: no more. */
static inline const struct ms_policy *recorded_kernel(size_t i, enum ms_arch arch)
{
	const char *release = ms_release_recorded(i, arch);

	return release ? ms_policy_linux(release, arch) : NULL;
}

/* for_each_kernel (k, MS_ARCH_ARM64): k is the rules of each recorded kernel in turn. */
#define for_each_kernel(k, arch) \
	for (size_t k##_nr = 0; ((k) = recorded_kernel(k##_nr, (arch))); k##_nr++)

/* The i-th set of rules that any release of an architecture has, recorded or not; NULL: no more. */
static inline const struct ms_policy *kernel_step(size_t i, enum ms_arch arch)
{
	const struct ms_policy *k;
	size_t n = 0;

	while ((k = ms_policy_get(n++)))
		if (k->arch == arch && i-- == 0)
			break;
	return k;
}

/* The same for all rules that there ever were: several times as many, for what is quick. */
#define for_each_step(k, arch) \
	for (size_t k##_nr = 0; ((k) = kernel_step(k##_nr, (arch))); k##_nr++)

static inline size_t rule_of_name(const char *rule)
{
	size_t f = 0;

	while (ms_policy_field_name(f) && strcmp(ms_policy_field_name(f), rule))
		f++;
	if (!ms_policy_field_name(f))
		fail_msg("no rule %s", rule);
	return f;
}

/* Does a kernel have that value of a rule, both by name? */
static inline bool kernel_has(const struct ms_policy *k, const char *rule, const char *value)
{
	size_t f = rule_of_name(rule);
	const char *name;

	for (int v = 0; (name = ms_policy_value_name(f, v)); v++)
		if (!strcmp(name, value))
			return ms_policy_field(k, f) == v;
	fail_msg("rule %s has no value %s", rule, value);
	return false;
}

/* The first recorded kernel that has a value of a rule. None: the test fails. */
static inline const struct ms_policy *kernel_where(enum ms_arch arch, const char *rule,
						   const char *value)
{
	const struct ms_policy *k;

	for_each_kernel (k, arch)
		if (kernel_has(k, rule, value))
			return k;
	fail_msg("no recorded kernel has %s=%s", rule, value);
	return NULL;
}

/* The first release of all, recorded or not, whose line has a value of a rule. */
static inline const char *first_release_where(enum ms_arch arch, const char *rule,
					      const char *value)
{
	const struct ms_policy *k;

	for_each_step (k, arch)
		if (kernel_has(k, rule, value))
			return k->release;
	fail_msg("no kernel has %s=%s", rule, value);
	return NULL;
}

#endif
