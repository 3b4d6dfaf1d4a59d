// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nothing is mapped in the nested table that a notifier took away, whoever comes in between. A
 * process, its VMM and a guest do something at random, now and then in the middle of each other's
 * work, and after each step ms_machine_check() holds every entry against the process's own table:
 * which page it is, what it permits, that its slot allows its size, and that no write misses its
 * log.
 */
#include "play.h"

#define STEPS 200

struct slot {
	uint64_t size; /* 0: there is none */
	ms_ipa_t gpa;
	ms_hva_t hva;
	unsigned int flags;
};

struct guest {
	struct play p;
	struct slot slot[NR_SLOTS];
	bool initset;
};

static void set_slot(struct guest *g)
{
	static const unsigned int flags[] = { 0, 0, MS_SLOT_LOG_DIRTY, MS_SLOT_READONLY };
	const unsigned int id = (unsigned int)roll(&g->p, NR_SLOTS);
	struct slot new = g->slot[id];

	g->p.op = "slot";
	if (!new.size) {
		const uint64_t off = range(&g->p, &new.size);

		new.hva = HVA + off;
		new.gpa = GPA + (roll(&g->p, 2) ? off : roll(&g->p, PAGES) * PAGE);
		new.flags = flags[roll(&g->p, 4)];
	} else if (roll(&g->p, 3)) {
		new.flags ^= MS_SLOT_LOG_DIRTY;
	} else if (roll(&g->p, 2)) {
		new.gpa = GPA + roll(&g->p, PAGES) * PAGE;
	} else {
		new.size = 0;
	}
	if (!ms_vm_set_slot(g->p.w.vm, id, new.gpa, new.size, new.hva, new.flags))
		g->slot[id] = new;
}

static void use_log(struct guest *g)
{
	static uint64_t bitmap[PAGES / 64];
	const unsigned int id = (unsigned int)roll(&g->p, NR_SLOTS);

	g->p.op = "dirty log";
	if (roll(&g->p, 2))
		ms_vm_get_dirty(g->p.w.vm, id, bitmap, PAGES / 64, NULL);
	else
		ms_vm_clear_dirty(g->p.w.vm, id, roll(&g->p, 16) * 64, 64);
}

static void use_module(struct guest *g)
{
	g->p.op = "module";
	switch (roll(&g->p, 3)) {
	case 0:
		ms_kvm_set_nx_huge_pages(g->p.w.m, (enum ms_nx_huge_pages)roll(&g->p, 2));
		break;
	case 1:
		ms_kvm_set_eager_page_split(g->p.w.m, roll(&g->p, 2));
		break;
	default:
		ms_kvm_recover_nx_huge_pages(g->p.w.m);
	}
}

/* What others do in between. */
static void other_step(struct guest *g)
{
	switch (roll(&g->p, 6)) {
	case 0:
		use_log(g);
		break;
	case 1:
		use_module(g);
		break;
	case 2:
		set_slot(g);
		break;
	default:
		process_step(&g->p);
	}
}

static void interrupt(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	ms_machine_set_hook(m, point, NULL, NULL);
	other_step(arg);
}

static ms_ipa_t some_ipa(struct guest *g)
{
	const struct slot *s = &g->slot[roll(&g->p, NR_SLOTS)];

	if (!s->size)
		return GPA + roll(&g->p, PAGES) * PAGE;
	return s->gpa + (roll(&g->p, 3) ? roll(&g->p, s->size / PAGE) * PAGE : 0);
}

static void guest_step(struct guest *g)
{
	static const unsigned int prot[] = { MS_PROT_R, MS_PROT_W, MS_PROT_W, MS_PROT_X };

	g->p.op = "guest access";
	for (uint64_t n = 1 + roll(&g->p, 4); n; n--)
		if (roll(&g->p, 8))
			ms_guest_touch(g->p.w.vm, some_ipa(g), prot[roll(&g->p, 4)]);
		else
			ms_vm_prefault(g->p.w.vm, some_ipa(g), PAGE * (1 + roll(&g->p, 999)), NULL);
}

static void step(struct guest *g)
{
	static const enum ms_hook_point points[] = {
		MS_HOOK_S2_PFN_FOUND, MS_HOOK_S2_MMU_LOCK,       MS_HOOK_S2_MAPPED,
		MS_HOOK_DRIVER_FAULT, MS_HOOK_DRIVER_FAULT_DONE, MS_HOOK_ZAP_UNTRACKED,
		MS_HOOK_UNMAP_ZAPPED, MS_HOOK_DRIVER_INSERT,     MS_HOOK_DRIVER_CLOSE,
	};
	const enum ms_hook_point point = points[roll(&g->p, sizeof(points) / sizeof(points[0]))];

	if (!roll(&g->p, 3))
		ms_machine_set_hook(g->p.w.m, point, interrupt, g);
	if (roll(&g->p, 3))
		guest_step(g);
	else
		other_step(g);
	ms_machine_set_hook(g->p.w.m, point, NULL, NULL);
}

static void play(const struct ms_policy *k, unsigned int seed)
{
	const struct ms_machine_config config = { .thp = seed % 2 ? MS_THP_ALWAYS : MS_THP_NEVER };
	const struct ms_vm_config vm = {
		.dirty_manual = seed % 4 > 1,
		.dirty_initset = seed % 4 > 2,
		.zap_slot = seed % 3 && k->slot_zap_quirk == MS_SLOT_ZAP_QUIRK_PRESENT,
	};
	struct guest g = { .p.seed = seed };

	g.p.random = UINT64_C(0x9e3779b97f4a7c15) * (seed + 1);
	g.p.w = x86_start(k, &config);
	ms_trace_keep(g.p.w.m, 0);
	x86_vm(&g.p.w, &vm);
	play_open(&g.p);
	for (g.p.step = 0; g.p.step < STEPS; g.p.step++) {
		step(&g);
		if (ms_machine_check(g.p.w.m, stderr))
			fail_msg("%s, seed %u, step %u, %s", k->release, seed, g.p.step, g.p.op);
	}
	world_end(&g.p.w);
}

static void each_recorded_kernel_keeps_its_promises(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64)
		for (unsigned int seed = 0; seed < 4; seed++)
			play(k, seed);
}

static void each_kernel_that_was_not_recorded_keeps_its_promises(void **state)
{
	const struct ms_policy *k;
	unsigned int seed = 100;

	for_each_step (k, MS_ARCH_X86_64)
		play(k, seed++);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_recorded_kernel_keeps_its_promises),
		cmocka_unit_test(each_kernel_that_was_not_recorded_keeps_its_promises),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
