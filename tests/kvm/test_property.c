/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nothing is mapped in stage 2 that a notifier took away. A process and its guest do something at
 * random, now and then in the middle of each other's work, and after each step every leaf of
 * stage 2 is held against the process's own table, page by page:
 *
 *  - it lies in a memslot, and what that shows there is present, at the same place in memory;
 *  - where the guest may write, the process may, the slot is not read-only, and what is logged is
 *    dirty;
 *  - the table is consistent.
 *
 *  process  HVA  |=======|=======|=======|=======|      four times 2M: memory, BARs, holes
 *  guest    GPA  |=======|=======|=======|=======|      up to four slots, which show parts of it
 */
#include "world.h"

#include "kvm/internal.h"

#include <mapsim/drivers.h>

#define WINDOW (4 * MS_2M)
#define NR_SLOTS 4
#define STEPS 1500

struct slot {
	uint64_t size; /* 0: there is none */
	ms_ipa_t gpa;
	ms_hva_t hva;
	unsigned int flags;
};

struct play {
	struct world w;
	struct ms_device *bar;
	struct ms_file *resource, *vfio, *lazy;
	struct ms_mm *child;
	struct slot slot[NR_SLOTS];
	uint64_t random;
	unsigned int seed, step;
	const char *op;
	/* Device memory may be mapped that the process does not map: the kernel's own rule. */
	bool trusts_pgoff;
	/* The policy's function chooses sizes at random: only slots and rights are sure. */
	bool chooses;
	/* A VMA that changes between the look at it and the look at its page goes unnoticed. */
	bool samples_late;
};

static uint64_t roll(struct play *p, uint64_t below)
{
	p->random ^= p->random << 13;
	p->random ^= p->random >> 7;
	p->random ^= p->random << 17;
	return (p->random >> 11) % below;
}

/* A range in the window: often whole blocks, often small. */
static uint64_t range(struct play *p, uint64_t *len)
{
	uint64_t unit = roll(p, 2) ? MS_2M : PAGE;
	uint64_t off = roll(p, WINDOW / unit) * unit;
	uint64_t max = WINDOW - off;

	*len = roll(p, 3) ? (1 + roll(p, 4)) * unit : (1 + roll(p, 600)) * PAGE;
	if (*len > max)
		*len = max;
	return off;
}

/* ---- what a process does ---- */

static void map_memory(struct play *p)
{
	uint64_t len, off = range(p, &len);
	unsigned int prot = roll(p, 4) ? MS_PROT_RW : MS_PROT_R;

	p->op = "mmap of memory";
	ms_mmap(p->w.mm, HVA + off, len, prot, MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS,
		NULL, 0);
}

static void map_device(struct play *p)
{
	struct ms_file *const file[] = { p->resource, p->vfio, p->lazy };
	uint64_t len, off = range(p, &len), which = roll(p, 3);
	uint64_t file_off = off + (roll(p, 3) ? 0 : roll(p, 8) * PAGE);
	// A copy of a device's page where vm_pgoff promises a block shows memory that is nobody's.
	bool private = which != 1 && !p->trusts_pgoff && !roll(p, 4);

	p->op = "mmap of a device";
	if (which == 1)
		file_off += ms_vfio_offset(p->vfio);
	ms_mmap(p->w.mm, HVA + off, len, roll(p, 4) ? MS_PROT_RW : MS_PROT_R,
		MS_MAP_FIXED | (private ? MS_MAP_PRIVATE : MS_MAP_SHARED), file[which], file_off);
}

static void unmap(struct play *p)
{
	uint64_t len, off = range(p, &len);

	p->op = "munmap";
	ms_munmap(p->w.mm, HVA + off, len);
}

static void protect(struct play *p)
{
	static const unsigned int prot[] = { 0, MS_PROT_R, MS_PROT_RW, MS_PROT_RW };
	uint64_t len, off = range(p, &len);

	p->op = "mprotect";
	ms_mprotect(p->w.mm, HVA + off, len, prot[roll(p, 4)]);
}

static void advise(struct play *p)
{
	static const enum ms_advice advice[] = { MS_MADV_DONTNEED, MS_MADV_HUGEPAGE,
						 MS_MADV_NOHUGEPAGE, MS_MADV_COLLAPSE,
						 MS_MADV_FREE };
	uint64_t len, off = range(p, &len);

	p->op = "madvise";
	ms_madvise(p->w.mm, HVA + off, len, advice[roll(p, 5)]);
}

static void move(struct play *p)
{
	uint64_t len, new_len, off = range(p, &len), new_off = range(p, &new_len);

	p->op = "mremap";
	if (new_off + len <= WINDOW)
		ms_mremap(p->w.mm, HVA + off, len, len, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED,
			  HVA + new_off);
}

static void fork_or_wait(struct play *p)
{
	p->op = "fork";
	if (p->child)
		ms_mm_exit(p->child);
	p->child = p->child ? NULL : ms_fork(p->w.mm);
}

static void touch(struct play *p)
{
	p->op = "touch";
	for (uint64_t n = 1 + roll(p, 8); n; n--)
		ms_touch(p->w.mm, HVA + roll(p, WINDOW), roll(p, 3) ? MS_PROT_W : MS_PROT_R);
}

static void revoke(struct play *p)
{
	p->op = "revoke";
	if (roll(p, 2)) {
		ms_pieces_revoke(p->bar, roll(p, WINDOW), roll(p, MS_2M));
	} else {
		ms_vfio_set_memory(p->vfio, false);
		if (roll(p, 4))
			ms_vfio_set_memory(p->vfio, true);
	}
}

static void age(struct play *p)
{
	uint64_t len, off = range(p, &len);

	p->op = "age";
	ms_kvm_notifier_ops.clear_young(&p->w.vm->notifier, p->w.mm, HVA + off, HVA + off + PAGE);
}

static void process_step(struct play *p)
{
	static void (*const ops[])(struct play *) = {
		map_memory, map_memory, map_device, map_device,   unmap,  protect, protect,
		advise,     move,       touch,      fork_or_wait, revoke, age,
	};

	ops[roll(p, sizeof(ops) / sizeof(ops[0]))](p);
}

/* ---- what a VMM and its guest do ---- */

static void set_slot(struct play *p)
{
	static const unsigned int flags[] = { 0, 0, MS_SLOT_LOG_DIRTY, MS_SLOT_READONLY };
	unsigned int id = (unsigned int)roll(p, NR_SLOTS);
	struct slot new = p->slot[id];

	p->op = "slot";
	if (new.size && roll(p, 2)) {
		new.flags ^= MS_SLOT_LOG_DIRTY;
	} else if (new.size && roll(p, 2)) {
		new.gpa = GPA + range(p, &(uint64_t){ 0 });
	} else if (new.size) {
		new = (struct slot){ 0 };
	} else {
		uint64_t off = range(p, &new.size);

		if (roll(p, 2)) {
			off = 0;
			new.size = WINDOW;
		}
		new.hva = HVA + off;
		new.gpa = GPA + (roll(p, 3) ? off : range(p, &(uint64_t){ 0 }));
		new.flags = flags[roll(p, 4)];
	}
	if (!ms_vm_set_slot(p->w.vm, id, new.gpa, new.size, new.hva, new.flags))
		p->slot[id] = new;
}

static void log_dirty(struct play *p)
{
	const uint64_t words = WINDOW / PAGE / 64 + 1;
	unsigned int id = (unsigned int)roll(p, NR_SLOTS);
	uint64_t bitmap[WINDOW / PAGE / 64 + 1];

	p->op = "dirty log";
	if (roll(p, 2))
		ms_vm_get_dirty(p->w.vm, id, bitmap, words, NULL);
	else
		ms_vm_clear_dirty(p->w.vm, id, 0, ms_vm_slot_pages(p->w.vm, id));
}

static void interrupt(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct play *p = arg;

	ms_machine_set_hook(m, point, NULL, NULL);
	if (point == MS_HOOK_S2_VMA_SAMPLED && p->samples_late)
		return;
	process_step(p);
}

/* Mostly where there is a slot. */
static ms_ipa_t some_ipa(struct play *p)
{
	const struct slot *slot = &p->slot[roll(p, NR_SLOTS)];

	if (!slot->size)
		return GPA + (roll(p, WINDOW) & ~UINT64_C(3));
	return slot->gpa + (roll(p, slot->size) & ~UINT64_C(3));
}

static void guest_access(struct play *p)
{
	static const unsigned int prot[] = { MS_PROT_R, MS_PROT_W, MS_PROT_W, MS_PROT_X };
	static const enum ms_hook_point points[] = {
		MS_HOOK_S2_VMA_SAMPLED, MS_HOOK_S2_PFN_FOUND, MS_HOOK_S2_MMU_LOCK,
		MS_HOOK_S2_MAPPED,      MS_HOOK_DRIVER_FAULT, MS_HOOK_DRIVER_FAULT_DONE
	};
	enum ms_hook_point point = points[roll(p, sizeof(points) / sizeof(points[0]))];

	if (!roll(p, 4))
		ms_machine_set_hook(p->w.m, point, interrupt, p);
	p->op = "guest access";
	for (uint64_t n = 1 + roll(p, 8); n; n--)
		ms_guest_touch(p->w.vm, some_ipa(p), prot[roll(p, 4)]);
	ms_machine_set_hook(p->w.m, point, NULL, NULL);
}

/* ---- what must hold ---- */

static void wrong(const struct play *p, const struct ms_s2_leaf *leaf, ms_ipa_t ipa,
		  const char *what)
{
	fail_msg("%s: %s at ipa %#llx of a leaf [%#llx, +%#llx) to %#llx; seed %u, step %u, %s",
		 ms_machine_policy(p->w.m)->release, what, (unsigned long long)ipa,
		 (unsigned long long)leaf->ipa, (unsigned long long)leaf->size,
		 (unsigned long long)leaf->pa, p->seed, p->step, p->op);
}

static unsigned int slot_at(const struct play *p, ms_ipa_t ipa)
{
	unsigned int id = 0;

	while (id < NR_SLOTS &&
	       (ipa < p->slot[id].gpa || ipa - p->slot[id].gpa >= p->slot[id].size))
		id++;
	return id;
}

/*
 * 5.12 and 5.13 map a device's pages when logging is switched off, too. Meeting one that is there
 * already is -EAGAIN by then: the slot goes on as it was, logged, over the pages that were mapped
 * for writing before that one.
 */
static bool is_left_by_premap(const struct play *p, ms_pa_t pa)
{
	const struct ms_policy *policy = ms_machine_policy(p->w.m);

	return policy->slot_pfnmap == MS_SLOT_PFNMAP_PREMAP &&
	       policy->s2_same_leaf == MS_S2_SAME_LEAF_EAGAIN && !ms_pfn_is_ram(p->w.m, pa >> 12);
}

/* One page of a leaf. */
static void check_page(const struct play *p, const struct ms_s2_leaf *leaf, ms_ipa_t ipa)
{
	bool writable = leaf->prot & MS_PROT_W;
	ms_pa_t pa = leaf->pa + (ipa - leaf->ipa);
	unsigned int id = slot_at(p, ipa);
	const struct ms_memslot *slot;
	struct ms_host_leaf host;
	uint64_t page;
	ms_hva_t hva;

	if (id == NR_SLOTS)
		wrong(p, leaf, ipa, "no memslot");
	slot = ms_id_to_memslot(p->w.vm, id);
	page = (ipa - p->slot[id].gpa) / PAGE;
	if (writable && p->slot[id].flags & MS_SLOT_READONLY)
		wrong(p, leaf, ipa, "read-only memslot");
	if (p->chooses)
		return;
	if (writable && slot->dirty && !(slot->dirty[page / 64] >> page % 64 & 1) &&
	    !is_left_by_premap(p, pa))
		wrong(p, leaf, ipa, "writable and logged, but not dirty");
	if (p->trusts_pgoff && !ms_pfn_is_ram(p->w.m, pa >> 12))
		return;
	hva = p->slot[id].hva + (ipa - p->slot[id].gpa);
	if (!ms_host_leaf(p->w.mm, hva, &host))
		wrong(p, leaf, ipa, "the process maps nothing");
	if ((host.entry & MS_PTE_PA_MASK) + (hva - host.start) != pa)
		wrong(p, leaf, ipa, "the process maps something else");
	if (writable && !(host.entry & MS_PTE_WRITE))
		wrong(p, leaf, ipa, "the process may not write");
}

static void check(const struct play *p)
{
	const struct ms_s2 *s2 = ms_vm_s2(p->w.vm);
	struct ms_s2_leaf leaf;
	ms_ipa_t ipa = 0;

	while (ms_s2_next_leaf(s2, ipa, UINT64_C(1) << 40, &leaf)) {
		for (ipa = leaf.ipa; ipa < leaf.ipa + leaf.size; ipa += PAGE)
			check_page(p, &leaf, ipa);
	}
	if (p->step % 16 == 0)
		assert_null(ms_s2_check(s2));
}

/* ---- the play ---- */

static uint64_t any_size(const struct ms_block_inputs *in, void *arg)
{
	static const uint64_t sizes[] = { 0, PAGE, PAGE, MS_2M, MS_2M, MS_1G, 3 * PAGE };

	return sizes[roll(arg, sizeof(sizes) / sizeof(sizes[0]))];
}

static void begin(struct play *p, const struct ms_policy *policy, enum ms_thp_mode thp,
		  unsigned int seed)
{
	const struct ms_machine_config config = { .thp = thp };
	const struct ms_piece whole = { .len = WINDOW };

	p->seed = seed;
	p->random = UINT64_C(0x9e3779b97f4a7c15) * (seed + 1);
	p->chooses = policy->choose_block;
	world_start(&p->w, policy, &config);
	ms_trace_keep(p->w.m, 0);
	p->bar = ms_device_find(p->w.m, "bar");
	p->resource = ms_pci_resource(p->bar);
	p->vfio = ms_vfio_open(p->bar);
	p->lazy = ms_pieces_open(p->bar, MS_PIECES_LAZY_HUGE, MS_CACHE_NGNRE, &whole, 1);
	assert_true(p->resource && p->vfio && p->lazy);
	p->trusts_pgoff =
		ms_machine_policy(p->w.m)->s2_pfnmap_block == MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF ||
		ms_machine_policy(p->w.m)->slot_pfnmap == MS_SLOT_PFNMAP_PREMAP;
	p->samples_late = ms_machine_policy(p->w.m)->s2_seq_sample == MS_S2_SEQ_SAMPLE_AFTER_UNLOCK;
}

static void play(const char *release, enum ms_thp_mode thp, unsigned int seed, bool chooses)
{
	struct ms_policy policy = *ms_policy_linux(release, MS_ARCH_ARM64);
	struct play p = { .step = 0 };

	if (chooses) {
		policy.choose_block = any_size;
		policy.choose_block_arg = &p;
	}
	begin(&p, &policy, thp, seed);
	for (p.step = 0; p.step < STEPS; p.step++) {
		switch (roll(&p, 16)) {
		case 0:
			set_slot(&p);
			break;
		case 1:
			log_dirty(&p);
			break;
		case 2:
		case 3:
		case 4:
			process_step(&p);
			break;
		default:
			guest_access(&p);
			break;
		}
		check(&p);
	}
	world_end(&p.w);
}

static void each_recorded_kernel_keeps_its_promises(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64)
		for (unsigned int seed = 0; seed < 6; seed++)
			play(k->release, seed % 2 ? MS_THP_NEVER : MS_THP_ALWAYS, seed, false);
}

static void each_kernel_that_was_not_recorded_keeps_its_promises(void **state)
{
	const struct ms_policy *k;
	unsigned int seed = 6;

	for_each_step (k, MS_ARCH_ARM64) {
		play(k->release, seed % 2 ? MS_THP_NEVER : MS_THP_ALWAYS, seed, false);
		seed++;
	}
}

static void promises_are_kept_where_a_function_chooses_sizes_at_random(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64)
		for (unsigned int seed = 0; seed < 2; seed++)
			play(k->release, seed % 2 ? MS_THP_NEVER : MS_THP_ALWAYS, seed, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_recorded_kernel_keeps_its_promises),
		cmocka_unit_test(each_kernel_that_was_not_recorded_keeps_its_promises),
		cmocka_unit_test(promises_are_kept_where_a_function_chooses_sizes_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
