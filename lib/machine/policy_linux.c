/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernels whose rules are known. The rules themselves: policy_rules.h. */
#include "machine/internal.h"

/* By release. */
enum kernel {
	V5_10_223,
	V5_15,
	V6_1_0,
	V6_1_176,
	V6_1_190,
	V6_1_192,
	V6_12_0,
	V6_12_107,
	V6_12_111,
	V6_12_113,
	V6_12_115,
	V6_12_117,
	V6_17,
	V7_2_13,
	NR_KERNELS
};

static const struct ms_policy policies[] = {
#define ARCH MS_ARCH_ARM64
#include "machine/policy_kernels.h"
#undef ARCH
#define ARCH MS_ARCH_X86_64
#include "machine/policy_kernels.h"
#undef ARCH
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
/* Found by their own release only. */
static const struct ms_policy between[] = {
#define ARCH MS_ARCH_ARM64
#include "machine/policy_between.h"
#undef ARCH
#define ARCH MS_ARCH_X86_64
#include "machine/policy_between.h"
#undef ARCH
};
#pragma GCC diagnostic pop

#define NR_POLICIES (sizeof(policies) / sizeof(policies[0]))

static_assert(NR_POLICIES == 2 * NR_KERNELS, "each kernel on both architectures");

#define MAX_PARTS 3

/* "6.12.107": parts that are missing are 0. */
struct version {
	unsigned int part[MAX_PARTS];
};

/* Reads decimal digits without leading zeros; the end of them, or NULL. */
static const char *parse_part(const char *s, unsigned int *part)
{
	const char *first = s;

	*part = 0;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (s - first >= 6)
			return NULL;
		*part = *part * 10 + (unsigned int)(*s - '0');
	}
	return s == first || (*first == '0' && s - first > 1) ? NULL : s;
}

/* Two or three parts, and nothing else. */
static bool parse_version(const char *s, struct version *v)
{
	*v = (struct version){ 0 };
	for (unsigned int i = 0; i < MAX_PARTS; i++) {
		s = parse_part(s, &v->part[i]);
		if (!s)
			return false;
		if (!*s)
			return i > 0;
		if (*s++ != '.')
			return false;
	}
	return false;
}

static int version_cmp(const struct version *a, const struct version *b)
{
	for (unsigned int i = 0; i < MAX_PARTS; i++) {
		if (a->part[i] != b->part[i])
			return a->part[i] < b->part[i] ? -1 : 1;
	}
	return 0;
}

const struct ms_policy *ms_policy_linux(const char *release, enum ms_arch arch)
{
	const struct ms_policy *found = NULL;
	struct version asked, known;

	if (!release || !parse_version(release, &asked))
		return NULL;
	for (size_t i = 0; i < sizeof(between) / sizeof(between[0]); i++) {
		if (between[i].arch == arch && !strcmp(between[i].release, release))
			return &between[i];
	}
	for (size_t i = 0; i < NR_POLICIES; i++) {
		if (policies[i].arch != arch || !parse_version(policies[i].release, &known))
			continue;
		if (version_cmp(&known, &asked) <= 0)
			found = &policies[i];
	}
	return found;
}

const struct ms_policy *ms_policy_get(size_t i)
{
	return i < NR_POLICIES ? &policies[i] : NULL;
}
