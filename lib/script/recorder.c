/* SPDX-License-Identifier: GPL-2.0-only */
/* What the recorders of some kernels could not print, as data. */
#include "script/internal.h"

/*
 * Where the compiler put memtype_free() into its callers, pat.free was taken in the function that
 * removes the entry from the tree. A free that ends before that is not seen there.
 */
static const struct ms_recorder recorders[] = {
	{ .arch = MS_ARCH_X86_64, .release = "5.10.223", .pat_free_inner = true },
	{ .arch = MS_ARCH_X86_64, .release = "6.19.0", .pat_free_inner = true },
	{ .arch = MS_ARCH_X86_64, .release = "7.2.13", .pat_free_inner = true },
	{ .arch = MS_ARCH_X86_64, .release = "7.3.4", .pat_free_inner = true },
};

const struct ms_recorder *ms_recorder_of(const struct ms_policy *policy, const char *release)
{
	static const struct ms_recorder sees_all = { 0 };

	for (size_t i = 0; i < sizeof(recorders) / sizeof(recorders[0]); i++) {
		if (recorders[i].arch == policy->arch &&
		    (!strcmp(recorders[i].release, release) ||
		     !strcmp(recorders[i].release, policy->release)))
			return &recorders[i];
	}
	return &sees_all;
}

/* No kernel maps nothing: this is an event of which only the name fitted into the buffer. */
bool ms_recorder_lost_events(const char *answer)
{
	return !strcmp(answer, "s2.map ipa=0x0 size=0x0 pa=0x0 prot=-");
}

bool ms_recorder_comment(const char *comment)
{
	static const char *const begins[] = {
		"# kernel log: ", "# debian kernel ", "# revoke: ",
		MS_LEFT_BEHIND,   "# memtype ",       MS_WHY,
	};

	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
		if (!strncmp(comment, begins[i], strlen(begins[i])))
			return true;
	}
	return false;
}
