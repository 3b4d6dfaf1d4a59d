/* SPDX-License-Identifier: GPL-2.0-only */
/* The policies of one ARCH, by rising release: included in an array initialiser. */

#define KERNEL V5_10_223
#define RELEASE "5.10.223"
#include "machine/policy_rules.h"
#undef KERNEL
#undef RELEASE

#define KERNEL V5_15
#define RELEASE "5.15"
#include "machine/policy_rules.h"
#undef KERNEL
#undef RELEASE

#define KERNEL V6_1_0
#define RELEASE "6.1.0"
#include "machine/policy_rules.h"
#undef KERNEL
#undef RELEASE

#define KERNEL V6_1_176
#define RELEASE "6.1.176"
#include "machine/policy_rules.h"
#undef KERNEL
#undef RELEASE

#define KERNEL V6_1_190
#define RELEASE "6.1.190"
#include "machine/policy_rules.h"
#undef KERNEL
#undef RELEASE

#define KERNEL V6_1_192
#define RELEASE "6.1.192"
#include "machine/policy_rules.h"
#undef KERNEL
#undef RELEASE

#define KERNEL V6_12_0
#define RELEASE "6.12.0"
#include "machine/policy_rules.h"
#undef KERNEL
#undef RELEASE

#define KERNEL V6_12_107
#define RELEASE "6.12.107"
#include "machine/policy_rules.h"
#undef KERNEL
#undef RELEASE

#define KERNEL V6_12_111
#define RELEASE "6.12.111"
#include "machine/policy_rules.h"
#undef KERNEL
#undef RELEASE

#define KERNEL V6_12_113
#define RELEASE "6.12.113"
#include "machine/policy_rules.h"
#undef KERNEL
#undef RELEASE

#define KERNEL V6_12_115
#define RELEASE "6.12.115"
#include "machine/policy_rules.h"
#undef KERNEL
#undef RELEASE

#define KERNEL V6_12_117
#define RELEASE "6.12.117"
#include "machine/policy_rules.h"
#undef KERNEL
#undef RELEASE

#define KERNEL V6_17
#define RELEASE "6.17"
#include "machine/policy_rules.h"
#undef KERNEL
#undef RELEASE

#define KERNEL V7_2_13
#define RELEASE "7.2.13"
#include "machine/policy_rules.h"
#undef KERNEL
#undef RELEASE

#define KERNEL V7_3_4
#define RELEASE "7.3.4"
#include "machine/policy_rules.h"
#undef KERNEL
#undef RELEASE
