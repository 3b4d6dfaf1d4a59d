/* SPDX-License-Identifier: GPL-2.0-only */
/* Names that more than one room prints. */
#include "core/core.h"

const char *ms_arch_name(enum ms_arch arch)
{
	static const char *const names[] = {
		[MS_ARCH_ARM64] = "arm64",
		[MS_ARCH_X86_64] = "x86_64",
	};

	return (unsigned int)arch < sizeof(names) / sizeof(names[0]) ? names[arch] : "?";
}

const char *ms_cache_name(enum ms_arch arch, enum ms_cache cache)
{
	static const char *const names[] = {
		[MS_CACHE_WB] = "WB",        [MS_CACHE_WC] = "WC",
		[MS_CACHE_UC_MINUS] = "UC-", [MS_CACHE_UC] = "UC",
		[MS_CACHE_WT] = "WT",        [MS_CACHE_WP] = "WP",
		[MS_CACHE_NGNRE] = "nGnRE",  [MS_CACHE_NGNRNE] = "nGnRnE",
	};

	if (arch == MS_ARCH_ARM64 && cache == MS_CACHE_WC)
		return "NC";
	return (unsigned int)cache < sizeof(names) / sizeof(names[0]) ? names[cache] : "?";
}

const char *ms_violation_class_name(enum ms_violation_class whose)
{
	static const char *const names[MS_VIOLATION_CLASSES] = {
		[MS_VIOLATION_DRIVER] = "driver",
		[MS_VIOLATION_KERNEL] = "kernel",
		[MS_VIOLATION_HARDWARE] = "hardware",
		[MS_VIOLATION_TEST] = "test",
	};

	return (unsigned int)whose < MS_VIOLATION_CLASSES ? names[whose] : "?";
}
