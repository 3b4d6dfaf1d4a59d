/* SPDX-License-Identifier: GPL-2.0-only */
/* A machine's beginning and end, its configuration, and its hooks. */
#include "machine/internal.h"
#include "policy/internal.h"

#include <stdlib.h>

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
	if (!config->shmem_set)
		config->shmem = MS_THP_NEVER;
}

/* CONFIG_ARM64_VA_BITS as far as the page size offers them without LPA2. */
static bool arm64_va_bits_valid(unsigned int page_shift, unsigned int va_bits)
{
	switch (page_shift) {
	case SHIFT_4K:
		return va_bits == 39 || va_bits == 48;
	case SHIFT_16K:
		return va_bits == 36 || va_bits == 47 || va_bits == 48;
	default:
		return va_bits == 42 || va_bits == 48 || va_bits == 52;
	}
}

static bool address_bits_valid(const struct ms_machine_config *config, enum ms_arch arch)
{
	unsigned int page_shift = page_shift_of(config->page_size);
	// without LPA2 only the 64K granule's descriptors hold more than 48 bits
	unsigned int arm64_max = page_shift == SHIFT_64K ? 52 : 48;

	if (config->pa_bits < 32 || config->ipa_bits < 32)
		return false;
	if (arch == MS_ARCH_X86_64)
		return config->va_bits == 48 && config->pa_bits <= 52 && config->ipa_bits <= 52;
	return arm64_va_bits_valid(page_shift, config->va_bits) && config->pa_bits <= arm64_max &&
	       config->ipa_bits <= arm64_max;
}

static bool config_valid(const struct ms_machine_config *config, enum ms_arch arch)
{
	unsigned int page_shift = page_shift_of(config->page_size);

	if (!page_shift || (arch == MS_ARCH_X86_64 && page_shift != SHIFT_4K))
		return false;
	if ((unsigned int)config->thp > MS_THP_NEVER)
		return false;
	if ((unsigned int)config->shmem > MS_THP_FORCE)
		return false;
	// the address space is larger than that, whatever it is
	if (config->mmap_min_addr > UINT64_C(1) << 32)
		return false;
	return address_bits_valid(config, arch);
}

static void machine_setup(struct ms_machine *m)
{
	m->page_size = m->config.page_size;
	m->page_shift = page_shift_of(m->page_size);
	m->pmd_shift = ms_level_shift(m, 2);
	m->pud_shift = ms_level_shift(m, 1);
	TAILQ_INIT(&m->mms);
	TAILQ_INIT(&m->vms);
	LIST_INIT(&m->files);
	LIST_INIT(&m->mappings);
	RB_INIT(&m->mappings_by_key);
	ms_trace_init(m);
}

static const struct room {
	int (*init)(struct ms_machine *m);
	void (*destroy)(struct ms_machine *m);
} rooms[] = {
	{ ms_mm_init, ms_mm_destroy },
	{ ms_phys_init, ms_phys_destroy },
	{ ms_pat_init, ms_pat_destroy },
	{ ms_drivers_init, ms_drivers_destroy },
};

/* Undoes the first `count` rooms, the last one first. */
static void rooms_destroy(struct ms_machine *m, size_t count)
{
	while (count-- > 0)
		rooms[count].destroy(m);
}

#define NR_ROOMS (sizeof(rooms) / sizeof(rooms[0]))

static bool rooms_init(struct ms_machine *m)
{
	for (size_t i = 0; i < NR_ROOMS; i++) {
		if (rooms[i].init(m)) {
			rooms_destroy(m, i);
			return false;
		}
	}
	return true;
}

struct ms_machine *ms_machine_new_failing(const struct ms_policy *policy,
					  const struct ms_machine_config *config, uint64_t fail_at)
{
	struct ms_machine_config full = config ? *config : (struct ms_machine_config){ 0 };
	struct ms_machine *m;

	if (!policy || !ms_policy_valid(policy))
		return NULL;
	set_defaults(&full, policy->arch);
	if (!config_valid(&full, policy->arch))
		return NULL;
	// the machine itself is the first allocation that it counts
	m = fail_at == 1 ? NULL : calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	m->allocs = 1;
	m->fail_at = fail_at;
	m->policy = *policy;
	m->config = full;
	machine_setup(m);
	if (!rooms_init(m)) {
		free(m);
		return NULL;
	}
	m->fail_at = 0;
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
	if (m->in_hook || m->driver_mm) {
		ms_violation(m, "a hook or a driver frees its machine", 0);
		return;
	}
	// nobody can look at what the teardown does, and nothing of it may fail
	memset(m->hook, 0, sizeof(m->hook));
	ms_trace_keep(m, 0);
	ms_machine_fail_alloc(m, 0);

	ms_vms_destroy(m);
	ms_mms_destroy(m);
	ms_files_destroy(m);
	ms_linux_destroy(m);
	rooms_destroy(m, NR_ROOMS);
	ms_trace_destroy(m);
	if (ms_current_machine() == m)
		ms_set_current_machine(NULL);
	free(m);
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
