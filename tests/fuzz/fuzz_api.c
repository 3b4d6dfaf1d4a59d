/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The public functions in any order, with arguments near each other, on one machine or two, of
 * every kernel and of kernels that never were. Drivers keep the rules. Memory runs out where the
 * bytes say so, hooks do something in the middle of something else.
 *
 * - Nothing happens that the kernel would warn about, except what a process can bring about
 * (below); every few operations, and in the end, the machine is in order.
 * - What is refused is refused for a reason.
 * - Done again, everything is answered and said as before; and as if the other machine were not
 *   there, nor anybody who looks at them.
 * - In the end nothing is left: no page, no VMA that was opened and not closed.
 */
#include "api.h"

#include "mm/processes.h"
#include "phys/phys.h"

#include <stdlib.h>

#define MOST_RECORDS 256
#define LOOK_EVERY 4 /* operations */

/* ---- arguments ---- */

void api_answer(struct api_side *s, uint64_t value)
{
	s->answers = (s->answers ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	s->answers ^= s->answers >> 29;
}

void api_refused(struct api_side *s)
{
	const struct ms_refusal last = ms_last_refusal(s->m);

	if (last.number == s->refusals)
		fuzz_fail("%s: refused without a word", ms_machine_policy(s->m)->release);
	if (!s->memory_fails && !strcmp(last.reason, "no memory"))
		fuzz_fail("%s: there is memory", ms_machine_policy(s->m)->release);
	s->refusals = last.number;
	for (const char *c = last.reason; *c; c++)
		api_answer(s, (uint64_t)*c);
}

void api_result(struct api_side *s, int64_t result)
{
	api_answer(s, (uint64_t)result);
	if (result >= 0 || result < -4095)
		return;
	api_refused(s);
	if (ms_last_refusal(s->m).err != result)
		fuzz_fail("%s: refused as %d, said is %d, %s", ms_machine_policy(s->m)->release,
			  (int)result, ms_last_refusal(s->m).err, ms_last_reason(s->m));
}

uint64_t api_offset(const struct api_side *s, const uint8_t *r, uint64_t window)
{
	uint64_t pages = window / s->page, blocks = window / s->block;
	uint64_t n = record_u16(r + 2);

	switch (r[1] & 3) {
	case 0:
		return n % blocks * s->block;
	case 1:
		return n % pages * s->page;
	case 2: // beside a block's border
		return (r[2] % (blocks - 1) + 1) * s->block + (r[3] % 16) * s->page - 8 * s->page;
	default:
		return r[3] % 32 * s->page + (r[2] == 0xff);
	}
}

uint64_t api_small_length(const struct api_side *s, const uint8_t *r)
{
	if (r[4] < 0x80)
		return (1 + r[4] % 40) * s->page;
	if (r[4] < 0xc0)
		return (1 + r[4] % 4) * s->block;
	if (r[4] < 0xf0)
		return r[4] % 16 * (s->block / 8) + s->page;
	return s->page * (r[4] % 4) + (r[4] == 0xff);
}

uint64_t api_length(const struct api_side *s, const uint8_t *r)
{
	static const uint64_t wild[] = { 0, UINT64_MAX, -UINT64_C(0x1000), UINT64_C(1) << 63,
					 UINT64_C(1) << 47 };

	return r[4] >= 0xf8 ? wild[r[4] % 5] : api_small_length(s, r);
}

struct ms_mm *api_mm(struct api_side *s, const uint8_t *r)
{
	return s->mm[r[1] >> 4 & 3];
}

struct ms_device *api_bar(struct api_side *s, uint8_t which)
{
	return s->bar[which % API_BARS];
}

/* ---- operations that are about others ---- */

static api_op set_hook, fail_alloc, keep_events;

static api_op *const ops[] = {
	api_mmap,        api_mmap,        api_mmap,        api_mmap,        api_munmap,
	api_mprotect,    api_mremap,      api_madvise,     api_madvise,     api_mlock,
	api_touch,       api_touch,       api_touch,       api_gup,         api_look,
	api_fork,        api_new_mm,      api_exit_mm,     api_open_memory, api_open_device,
	api_open_device, api_open_pieces, api_open_driver, api_put,         api_vfio,
	api_revoke,      api_driver_zap,  api_claim,       api_ioremap,     api_memtype,
	api_phys,        api_vm_create,   api_vm_free,     api_slot,        api_slot,
	api_guest,       api_guest,       api_guest,       api_dirty,       api_look_s2,
	set_hook,        set_hook,        fail_alloc,      fail_alloc,      keep_events,
};
#define NR_OPS (sizeof(ops) / sizeof(ops[0]))

/* The last numbers, so that older inputs keep their meaning. */
static api_op *const last_ops[] = { api_prefault, api_prefault, api_kvm, api_kvm, api_age };
#define FIRST_LAST_OP (0x80 - sizeof(last_ops) / sizeof(last_ops[0]))

static api_op *op_of(const uint8_t *r)
{
	const size_t number = r[0] & 0x7f;

	return number < FIRST_LAST_OP ? ops[number % NR_OPS] : last_ops[number - FIRST_LAST_OP];
}

static void run_op(struct api_side *s, const uint8_t *r)
{
	api_op *op = op_of(r);

	s->refusals = ms_refusals(s->m);
	op(s, r);
	if (op == fail_alloc)
		return;
	ms_machine_fail_alloc(s->m, 0);
	s->memory_fails = false;
}

static void in_hook(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct api_side *s = arg;
	const uint64_t refusals = s->refusals;
	uint8_t r[RECORD];

	ms_machine_set_hook(m, point, NULL, NULL);
	memcpy(r, s->hook, RECORD);
	api_answer(s, addr << 8 | point);
	s->depth++;
	s->refusals = ms_refusals(m);
	op_of(r)(s, r);
	s->refusals = refusals;
	s->depth--;
}

/* Once, at a point. */
static void set_hook(struct api_side *s, const uint8_t *r)
{
	const uint8_t hook[RECORD] = {
		r[3], r[1], r[4], r[5], r[6], r[7], (uint8_t)(r[5] ^ r[6]), (uint8_t)(r[4] ^ r[7])
	};

	memcpy(s->hook, hook, RECORD);
	ms_machine_set_hook(s->m, (enum ms_hook_point)(r[2] % (MS_HOOK_POINTS + 1)),
			    r[2] & 0x80 ? NULL : in_hook, s);
}

static void fail_alloc(struct api_side *s, const uint8_t *r)
{
	s->memory_fails = true;
	ms_machine_fail_alloc(s->m, 1 + r[1] % 32);
}

static void keep_events(struct api_side *s, const uint8_t *r)
{
	uint32_t types = r[2] & 1 ? UINT32_MAX : (uint32_t)record_u16(r + 3) << 4;

	ms_trace_keep(s->m, types | 1u << MS_EV_VIOLATION);
}

/* ---- a world ---- */

static enum ms_feature feature(bool present)
{
	return present ? MS_FEATURE_PRESENT : MS_FEATURE_ABSENT;
}

static struct ms_machine_config config_of(const uint8_t *head, enum ms_arch arch)
{
	static const uint64_t page_sizes[] = { 4096, 4096, 4096, 16384, 65536, 4096, 16384, 0 };
	static const unsigned int va_bits[] = { 0, 0, 0, 39, 36, 42, 47, 48, 52, 20 };
	uint8_t flags = head[2];

	return (struct ms_machine_config){
		.page_size = arch == MS_ARCH_X86_64 ? 0 : page_sizes[head[3] % 8],
		.va_bits = arch == MS_ARCH_X86_64 ? 0 : va_bits[(head[3] >> 3) % 10],
		.max_map_count = head[4] & 1 ? 6 + head[4] / 8 : 0,
		.thp = (enum ms_thp_mode)(MS_THP_ALWAYS + flags % 4),
		.shmem = head[4] & 2 ? MS_THP_ALWAYS : MS_THP_NEVER,
		.pku = feature(flags & 4),
		.pat = feature((flags & 0x18) != 0x18),
		.fwb = feature(!(flags & 0x20)),
		.dic = feature(flags & 0x40),
		.idc = feature(flags & 0x40),
		.tlbi_range = feature(!(flags & 0x80)),
	};
}

/* Two fields at most are not as any kernel has them. */
static void change_policy(struct ms_policy *p, const uint8_t *head)
{
	for (int i = 0; i < 2; i++) {
		size_t field = head[6 + 2 * i];
		int values = 0;

		while (ms_policy_value_name(field, values))
			values++;
		if (field && values)
			ms_policy_set(p, ms_policy_field_name(field),
				      ms_policy_value_name(field, head[7 + 2 * i] % values));
	}
}

static const struct ms_policy *policy_of(uint8_t which)
{
	size_t n = 0;

	while (ms_policy_get(n))
		n++;
	return ms_policy_get(which % n);
}

static void add_memory(struct api_side *s, const uint8_t *head, enum ms_arch arch)
{
	bool x86 = arch == MS_ARCH_X86_64;
	uint64_t size = s->block * (2 + head[5] % 40);

	s->ram = x86 ? 0x100000 : MS_1G;
	if (x86)
		ms_ram_add(s->m, 0x1000, 0x9ec00);
	ms_ram_add(s->m, s->ram, size + 3 * s->page);
	if (head[5] & 0x80)
		ms_ram_add(s->m, MS_1G * 3 + s->page, size / 2);
	s->ram_pages = ms_ram_free_pages(s->m);
	s->bar[0] = ms_device_add(s->m, "a", x86 ? MS_1G * 4 : MS_1G * 512, 4 * s->block);
	s->bar[1] = ms_device_add(s->m, "b", (x86 ? MS_1G * 4 : MS_1G * 512) + 4 * s->block,
				  2 * s->block);
	s->bar[2] = ms_device_add(s->m, "c", 0xfea00000, 256 * s->page);
	s->bar[3] = ms_device_add(s->m, "d", MS_1G * 8 + 3 * s->page, s->block + 5 * s->page);
	if (s->bar[2])
		ms_device_set_prefetchable(s->bar[2], false);
	if (s->bar[1])
		ms_device_set_mtrr(s->bar[1], head[10] % 7 == 6 ? -1 : head[10] % 7);
}

/* false: a machine that cannot be. */
static bool begin(struct api_side *s, const uint8_t *head, uint8_t which)
{
	struct ms_policy policy = *policy_of(which);
	struct ms_machine_config config = config_of(head, policy.arch);
	const struct ms_machine_config *full;

	*s = (struct api_side){ .answers = 1 };
	change_policy(&policy, head);
	s->m = ms_machine_new_config(&policy, &config);
	if (!s->m)
		return false;
	full = ms_machine_config(s->m);
	s->page = full->page_size;
	s->block = s->page * (s->page / 8);
	s->window = 8 * s->block;
	s->hva = UINT64_C(1) << (full->va_bits - 3);
	add_memory(s, head, policy.arch);
	s->mm[0] = ms_mm_new(s->m);
	if (head[11] & 1)
		ms_trace_keep(s->m, UINT32_MAX);
	return s->mm[0];
}

/* ---- what must hold ---- */

/* What processes can make a kernel warn about, and drivers that keep the other rules. */
static bool is_known_warning(const char *condition)
{
	static const char *const known[] = {
		// the driver of ms_lazy_open() remaps in a fault, under the lock for reading
		"mmap lock not held for writing",
		"VM_PFNMAP set too late: device memory is mapped as memory",
		// the driver of ms_pieces_open() lets a private mapping be touched page by page
		"pfn inserted into a private VM_PFNMAP VMA",
		// who reserves a memtype may ask for any, also where there is RAM
		"reserve_ram_pages_type: strong UC of RAM",
		// what goes by VM_PAT and the first page-table entry goes wrong after a split, and
		// in a child that failed before it had any
		"x86/PAT: freeing invalid memtype",
		"PAT: the first page of a tracked VMA is not mapped",
		// a range is asked for its age of which a memslot has a part
		"size != PAGE_SIZE && size != PMD_SIZE && size != PUD_SIZE",
		// blocks chosen from vm_pgoff
		"guest block reaches below its VMA",
		"guest block reaches beyond its VMA",
		// vfio-pci does not know who else maps the BAR
		"device memory is accessed while it is turned off: a mapping has survived the revoke",
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(condition, known[i]))
			return true;
	return false;
}

static void check_violations(struct api_side *s)
{
	const struct ms_event *ev;

	for (size_t i = 0; (ev = ms_violation_get(s->m, i)); i++)
		if (!is_known_warning(ev->reason))
			fuzz_fail("%s: the kernel would warn: %s, at %#llx",
				  ms_machine_policy(s->m)->release, ev->reason,
				  (unsigned long long)ev->addr);
}

static void hear(struct api_side *s)
{
	const struct ms_event *ev;

	for (size_t i = 0; (ev = ms_trace_get(s->m, i)); i++) {
		api_answer(s, ev->addr ^ (uint64_t)ev->type << 56);
		api_answer(s, ev->size ^ (uint64_t)ev->ret << 40 ^ (uint64_t)ev->prot << 32);
		api_answer(s, ev->pa ^ (uint64_t)ev->mm << 56 ^ (uint64_t)ev->vm << 60);
		api_answer(s, ev->bits);
		api_answer(s, ev->old_desc ^ (uint64_t)ev->level << 8 ^ (uint64_t)ev->cache << 16 ^
				      (uint64_t)ev->notifier << 24 ^ (uint64_t)ev->tlbi << 32);
		for (const char *c = ev->reason; c && *c; c++)
			api_answer(s, (uint64_t)*c);
	}
	api_answer(s, ms_trace_lost(s->m));
	ms_trace_clear(s->m);
}

static void check(const struct api_side *s)
{
	if (ms_machine_check(s->m, stderr))
		fuzz_fail("%s: the machine is not whole", ms_machine_policy(s->m)->release);
}

/* Pages that the queues to the LRU lists hold, each counted once. */
static uint64_t queued_pages(const struct ms_machine *m)
{
	const struct ms_lru_queue *queue[] = { &m->processes->lazyfree, &m->processes->activate,
					       &m->processes->mlock };
	uint64_t pfn[3 * MS_LRU_ROOM];
	unsigned int n = 0;

	for (unsigned int q = 0; q < 3; q++)
		for (unsigned int i = 0; i < queue[q]->count; i++) {
			unsigned int before = 0;

			pfn[n] = queue[q]->pfn[i] & ~MS_LRU_NEW;
			while (pfn[before] != pfn[n])
				before++;
			n += before == n;
		}
	return n;
}

/* Pages that the machine itself keeps for ever, or for a while. */
static uint64_t kept_pages(const struct ms_machine *m)
{
	uint64_t pages = queued_pages(m);

	pages += m->phys->zero_pfn != 0;
	if (m->phys->huge_zero_pfn)
		pages += UINT64_C(1) << (m->pmd_shift - m->page_shift);
	return pages;
}

static void end_orderly(struct api_side *s)
{
	uint64_t free_pages;

	for (unsigned int i = 0; i < MS_HOOK_POINTS; i++)
		ms_machine_set_hook(s->m, (enum ms_hook_point)i, NULL, NULL);
	for (unsigned int i = 0; i < API_MMS; i++)
		if (s->mm[i])
			ms_mm_exit(s->mm[i]);
	for (unsigned int i = 0; i < API_VMS; i++)
		ms_vm_free(s->vm[i].vm);
	api_close_all(s);
	for (unsigned int i = 0; i < API_IOREMAPS; i++)
		if (s->ioremap[i].size && ms_iounmap(s->m, s->ioremap[i].pa, s->ioremap[i].size))
			fuzz_fail("iounmap of what ioremap gave is refused");
	check(s);
	check_violations(s);
	hear(s);
	free_pages = ms_ram_free_pages(s->m);
	if (free_pages + kept_pages(s->m) != s->ram_pages)
		fuzz_fail("%s: %llu pages are free in the end, and %llu kept, of %llu",
			  ms_machine_policy(s->m)->release, (unsigned long long)free_pages,
			  (unsigned long long)kept_pages(s->m), (unsigned long long)s->ram_pages);
	if (s->opened != s->closed)
		fuzz_fail("%llu VMAs of drivers were opened, %llu closed",
			  (unsigned long long)s->opened, (unsigned long long)s->closed);
}

/* ---- the whole ---- */

struct pass {
	struct api_side side[2];
	uint64_t after[2][MOST_RECORDS + 1]; /* answers up to each record and, last, in all */
};

/* which: bit 0: the first machine is there, bit 1: the second. looked_at: see LOOK_EVERY. */
static bool run(struct pass *p, struct records r, unsigned int which, bool looked_at)
{
	bool two = r.head[15] & 1;
	const uint8_t *record;

	memset(p, 0, sizeof(*p));
	for (unsigned int i = 0; i < 2; i++) {
		if (!(which & 1u << i))
			continue;
		if (!begin(&p->side[i], r.head, r.head[i])) {
			ms_machine_free(p->side[0].m);
			ms_machine_free(p->side[1].m);
			return false;
		}
	}
	for (int n = 0; n < MOST_RECORDS && (record = records_next(&r)); n++) {
		unsigned int i = two ? record[0] >> 7 : 0;

		if (!(which & 1u << i))
			continue;
		run_op(&p->side[i], record);
		if (looked_at && n % LOOK_EVERY == LOOK_EVERY - 1)
			check(&p->side[i]);
		check_violations(&p->side[i]);
		hear(&p->side[i]);
		p->after[i][n] = p->side[i].answers;
	}
	for (unsigned int i = 0; i < 2; i++) {
		if (!(which & 1u << i))
			continue;
		if (looked_at)
			check(&p->side[i]);
		if (!(r.head[14] & 1))
			end_orderly(&p->side[i]);
		p->after[i][MOST_RECORDS] = p->side[i].answers;
		ms_machine_free(p->side[i].m);
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pass first, again;
	struct records r;
	unsigned int which;

	if (!records_begin(&r, data, size))
		return 0;
	which = r.head[15] & 1 ? 3 : 1;
	if (!run(&first, r, which, true))
		return 0;
	for (unsigned int i = 0; i < 2; i++) {
		if (!(which & 1u << i))
			continue;
		run(&again, r, 1u << i, false);
		for (int n = 0; n <= MOST_RECORDS; n++)
			if (again.after[i][n] != first.after[i][n])
				fuzz_fail(
					"machine %u says something else the second time, record %d",
					i, n);
	}
	return 0;
}
