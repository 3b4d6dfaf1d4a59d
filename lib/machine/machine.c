/* SPDX-License-Identifier: GPL-2.0-only */
/* A machine's beginning and end, its configuration, and its hooks. */
#include "base/arena.h"
#include "core/core.h"
#include "core/text.h"
#include "machine/rooms.h"
#include "policy/internal.h"

#define SHIFT_4K 12u
#define SHIFT_16K 14u
#define SHIFT_64K 16u

static unsigned int page_shift_of(uint64_t page_size)
{
	switch (page_size) {
	case UINT64_C(1) << SHIFT_4K:
		return SHIFT_4K;
	case UINT64_C(1) << SHIFT_16K:
		return SHIFT_16K;
	case UINT64_C(1) << SHIFT_64K:
		return SHIFT_64K;
	default:
		return 0;
	}
}

static void default_feature(enum ms_feature *feature, enum ms_feature value)
{
	if (*feature == MS_FEATURE_DEFAULT)
		*feature = value;
}

static void set_defaults(struct ms_machine_config *config, enum ms_arch arch)
{
	if (!config->page_size)
		config->page_size = MS_4K;
	if (!config->max_map_count)
		config->max_map_count = 65530;
	if (!config->va_bits)
		config->va_bits = page_shift_of(config->page_size) == SHIFT_16K ? 47 : 48;
	if (!config->pa_bits)
		config->pa_bits = arch == MS_ARCH_X86_64 ? 46 : 48;
	if (!config->ipa_bits)
		config->ipa_bits = 40;
	// CONFIG_LSM_MMAP_MIN_ADDR, which is above CONFIG_DEFAULT_MMAP_MIN_ADDR
	if (!config->mmap_min_addr)
		config->mmap_min_addr = arch == MS_ARCH_X86_64 ? 0x10000 : 0x8000;
	if (!config->thp)
		config->thp = MS_THP_ALWAYS;
	if (!config->shmem)
		config->shmem = MS_THP_NEVER;
	default_feature(&config->pku, MS_FEATURE_PRESENT);
	default_feature(&config->pat, MS_FEATURE_PRESENT);
	default_feature(&config->fwb, MS_FEATURE_PRESENT);
	default_feature(&config->dic, MS_FEATURE_ABSENT);
	default_feature(&config->idc, MS_FEATURE_ABSENT);
	default_feature(&config->mte, MS_FEATURE_ABSENT);
	default_feature(&config->tlbi_range, MS_FEATURE_PRESENT);
}

/* ---- what is refused; each function answers why, or NULL ---- */

/* CONFIG_ARM64_VA_BITS as far as the page size offers them without LPA2. */
static const char *refuse_va_bits(const struct ms_machine_config *config, enum ms_arch arch)
{
	const unsigned int va_bits = config->va_bits;

	if (arch == MS_ARCH_X86_64)
		return va_bits == 48 ? NULL : "va_bits: x86 has 48";
	switch (page_shift_of(config->page_size)) {
	case SHIFT_4K:
		return va_bits == 39 || va_bits == 48 ? NULL : "va_bits: 4K pages have 39 or 48";
	case SHIFT_16K:
		return va_bits == 36 || va_bits == 47 || va_bits == 48
			       ? NULL
			       : "va_bits: 16K pages have 36, 47 or 48";
	default:
		return va_bits == 42 || va_bits == 48 || va_bits == 52
			       ? NULL
			       : "va_bits: 64K pages have 42, 48 or 52";
	}
}

/* Without LPA2 only the 64K granule's descriptors hold more than 48 bits. */
static const char *refuse_address_bits(const struct ms_machine_config *config, enum ms_arch arch)
{
	const bool has_52 = arch == MS_ARCH_X86_64 || page_shift_of(config->page_size) == SHIFT_64K;
	const unsigned int max = has_52 ? 52 : 48;

	if (config->pa_bits < 32 || config->pa_bits > max)
		return has_52 ? "pa_bits: 32 to 52" : "pa_bits: 32 to 48, 52 only with 64K pages";
	if (config->ipa_bits < 32 || config->ipa_bits > max)
		return has_52 ? "ipa_bits: 32 to 52" : "ipa_bits: 32 to 48, 52 only with 64K pages";
	return NULL;
}

static const char *refuse_features(const struct ms_machine_config *config)
{
	const struct {
		enum ms_feature value;
		const char *why;
	} features[] = {
		{ config->pku, "pku: no such value of enum ms_feature" },
		{ config->pat, "pat: no such value of enum ms_feature" },
		{ config->fwb, "fwb: no such value of enum ms_feature" },
		{ config->dic, "dic: no such value of enum ms_feature" },
		{ config->idc, "idc: no such value of enum ms_feature" },
		{ config->mte, "mte: no such value of enum ms_feature" },
		{ config->tlbi_range, "tlbi_range: no such value of enum ms_feature" },
	};

	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		if ((unsigned int)features[i].value > MS_FEATURE_ABSENT)
			return features[i].why;
	return NULL;
}

/* Of a configuration in which every default is filled in. */
static const char *refuse_config(const struct ms_machine_config *config, enum ms_arch arch)
{
	const char *why;

	if (!page_shift_of(config->page_size))
		return "page_size: 4096, 16384 or 65536";
	if (arch == MS_ARCH_X86_64 && config->page_size != MS_4K)
		return "page_size: x86 has 4096";
	if ((unsigned int)config->thp > MS_THP_NEVER)
		return "thp: always, madvise or never";
	if ((unsigned int)config->shmem > MS_THP_FORCE)
		return "shmem: always, madvise, never, within_size, deny or force";
	if (config->fatal_classes >= MS_VIOLATION_BIT(MS_VIOLATION_CLASSES))
		return "fatal_classes: no such class of violations";
	why = refuse_features(config);
	if (why)
		return why;
	// whatever va_bits says, the address space is larger than that
	if (config->mmap_min_addr > UINT64_C(1) << 32)
		return "mmap_min_addr: at most 0x100000000";
	why = refuse_va_bits(config, arch);
	return why ? why : refuse_address_bits(config, arch);
}

/* *full: config (may be NULL) with every default filled in. */
static const char *refuse(const struct ms_policy *policy, const struct ms_machine_config *config,
			  struct ms_machine_config *full)
{
	const char *why;

	if (!policy)
		return "policy: there is none";
	why = ms_policy_refusal(policy);
	if (why)
		return why;
	*full = config ? *config : (struct ms_machine_config){ 0 };
	set_defaults(full, policy->arch);
	return refuse_config(full, policy->arch);
}

const char *ms_machine_refusal(const struct ms_policy *policy,
			       const struct ms_machine_config *config)
{
	struct ms_machine_config full;

	return refuse(policy, config, &full);
}

/* ---- a machine ---- */

static void machine_setup(struct ms_machine *m)
{
	m->page_size = m->config.page_size;
	m->page_shift = page_shift_of(m->page_size);
	m->pmd_shift = ms_level_shift(m, 2);
	m->pud_shift = ms_level_shift(m, 1);
	ms_events_init(&m->events, &m->alloc);
}

struct ms_machine *ms_machine_new_failing(const struct ms_policy *policy,
					  const struct ms_machine_config *config, uint64_t fail_at)
{
	struct ms_machine_config full;
	struct ms_arena *arena;
	struct ms_machine *m;

	if (refuse(policy, config, &full))
		return ms_refusal_null(-EINVAL);
	// the machine itself is the first allocation that it counts
	arena = fail_at == 1 ? NULL : ms_arena_new();
	if (!arena)
		return ms_refusal_null(-ENOMEM);
	m = ms_arena_get(arena, _Alignof(struct ms_machine), sizeof(*m));
	m->alloc = (struct ms_alloc){ .arena = arena, .allocs = 1, .fail_at = fail_at };
	m->policy = *policy;
	m->config = full;
	machine_setup(m);
	if (ms_rooms_init(m)) {
		ms_arena_free(arena);
		return ms_refusal_null(-ENOMEM);
	}
	m->alloc.fail_at = 0;
	return m;
}

struct ms_machine *ms_machine_new_config(const struct ms_policy *policy,
					 const struct ms_machine_config *config)
{
	return ms_machine_new_failing(policy, config, 0);
}

struct ms_machine *ms_machine_new(const struct ms_policy *policy)
{
	return ms_machine_new_config(policy, NULL);
}

void ms_machine_free(struct ms_machine *m)
{
	if (!m)
		return;
	if (ms_is_called(m) || m->ending) {
		ms_violation_by(m, MS_VIOLATION_TEST, "a hook or a driver frees its machine", 0, 0);
		return;
	}
	// no hook may run and no event is kept while the machine is taken down, and nothing may
	// fail
	memset(m->hook, 0, sizeof(m->hook));
	ms_trace_keep(m, 0);
	ms_machine_fail_alloc(m, 0);
	m->ending = true;

	ms_rooms_destroy(m);
	for (struct ms_kept *kept; (kept = m->kept);) {
		m->kept = kept->next;
		ms_free(&m->alloc, kept);
	}
	ms_causes_destroy(m);
	ms_texts_destroy(m);
	ms_events_destroy(&m->events);
	if (ms_current_machine() == m)
		ms_set_current_machine(NULL);
	ms_arena_free(m->alloc.arena);
}

void ms_machine_fail_alloc(struct ms_machine *m, uint64_t n)
{
	if (m)
		m->alloc.fail_at = n ? m->alloc.allocs + n : 0;
}

uint64_t ms_machine_allocs(const struct ms_machine *m)
{
	return m ? m->alloc.allocs : 0;
}

const struct ms_policy *ms_machine_policy(const struct ms_machine *m)
{
	return m ? &m->policy : NULL;
}

const struct ms_machine_config *ms_machine_config(const struct ms_machine *m)
{
	return m ? &m->config : NULL;
}

const char *ms_hook_name(enum ms_hook_point point)
{
	static const char *const names[MS_HOOK_POINTS] = {
		[MS_HOOK_S2_VMA_SAMPLED] = "s2-vma-sampled",
		[MS_HOOK_S2_PFN_FOUND] = "s2-pfn-found",
		[MS_HOOK_S2_MAPPED] = "s2-mapped",
		[MS_HOOK_DRIVER_FAULT] = "driver-fault",
		[MS_HOOK_DRIVER_FAULT_DONE] = "driver-fault-done",
		[MS_HOOK_ZAP_UNTRACKED] = "zap-untracked",
		[MS_HOOK_S2_MMU_LOCK] = "s2-mmu-lock",
		[MS_HOOK_S2_BROKEN] = "s2-broken",
		[MS_HOOK_DRIVER_MMAP] = "driver-mmap",
		[MS_HOOK_DRIVER_OPEN] = "driver-open",
		[MS_HOOK_DRIVER_CLOSE] = "driver-close",
		[MS_HOOK_DRIVER_INSERT] = "driver-insert",
		[MS_HOOK_UNMAP_ZAPPED] = "unmap-zapped",
	};

	return (unsigned int)point < MS_HOOK_POINTS ? names[point] : "?";
}

void ms_machine_set_hook(struct ms_machine *m, enum ms_hook_point point, ms_hook_fn *fn, void *arg)
{
	if (!m || (unsigned int)point >= MS_HOOK_POINTS)
		return;
	m->hook[point].fn = fn;
	m->hook[point].arg = arg;
}
