// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process, its VMM and a guest do something at random, and after each step the nested table is
 * what a flat list of pages says (flat.h): each entry's size, rights and marks, and each log.
 *
 *   process  HVA  |==== 1G ====|==== 1G ====|==== 1G ====|   memory, huge pages, BARs, holes
 *   guest    GPA  |==== 1G ====|==== 1G ====|==== 1G ====|   up to four slots, which show parts
 */
#include "flat.h"

#define STEPS 250

struct play {
	struct world w;
	struct flat *f;
	struct ms_file *resource, *vfio, *lazy, *huge_2m, *huge_1g;
	struct ms_mm *child;
	uint64_t random;
	unsigned int seed, step;
	const char *op;
};

static uint64_t roll(struct play *p, uint64_t below)
{
	p->random ^= p->random << 13;
	p->random ^= p->random >> 7;
	p->random ^= p->random << 17;
	return (p->random >> 11) % below;
}

static uint64_t unit(struct play *p)
{
	static const uint64_t units[] = { PAGE, MS_2M, MS_2M, MS_1G };

	return units[roll(p, 4)];
}

/* A part of SPAN: whole blocks of a size, or nearly. */
static uint64_t range(struct play *p, uint64_t *len)
{
	const uint64_t u = unit(p);
	uint64_t off = roll(p, SPAN / u) * u;

	*len = (1 + roll(p, 3)) * u;
	if (!roll(p, 3) && *len > 2 * PAGE) {
		off += PAGE;
		*len -= 2 * PAGE;
	}
	if (*len > SPAN - off)
		*len = SPAN - off;
	return off;
}

/* ---- what a process does ---- */

static void map_memory(struct play *p)
{
	uint64_t len, off = range(p, &len);

	p->op = "mmap of memory";
	ms_mmap(p->w.mm, HVA + off, len, roll(p, 4) ? MS_PROT_RW : MS_PROT_R,
		MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS, NULL, 0);
}

static void map_huge(struct play *p)
{
	const bool large = !roll(p, 2);
	const uint64_t size = large ? MS_1G : MS_2M;

	p->op = "mmap of hugetlb";
	ms_mmap(p->w.mm, HVA + roll(p, SPAN / size) * size, size, MS_PROT_RW,
		MS_MAP_FIXED | (roll(p, 4) ? MS_MAP_SHARED : MS_MAP_PRIVATE),
		large ? p->huge_1g : p->huge_2m, 0);
}

static void map_device(struct play *p)
{
	struct ms_file *const file[] = { p->resource, p->vfio, p->vfio, p->lazy };
	uint64_t len, off = range(p, &len), which = roll(p, 4);
	uint64_t file_off = off;

	p->op = "mmap of a device";
	if (file[which] == p->vfio)
		file_off += ms_vfio_offset(p->vfio);
	ms_mmap(p->w.mm, HVA + off, len, roll(p, 4) ? MS_PROT_RW : MS_PROT_R,
		MS_MAP_FIXED | (which || roll(p, 4) ? MS_MAP_SHARED : MS_MAP_PRIVATE), file[which],
		file_off);
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
	if (len < MS_1G)
		ms_madvise(p->w.mm, HVA + off, len, advice[roll(p, 5)]);
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
		ms_touch(p->w.mm, HVA + roll(p, SPAN), roll(p, 3) ? MS_PROT_W : MS_PROT_R);
}

static void revoke(struct play *p)
{
	p->op = "revoke";
	if (roll(p, 2)) {
		ms_pieces_revoke(ms_device_find(p->w.m, "bar"), roll(p, SPAN), roll(p, MS_2M));
	} else {
		ms_vfio_set_memory(p->vfio, false);
		ms_vfio_set_memory(p->vfio, true);
	}
}

static void age(struct play *p)
{
	uint64_t len, off = range(p, &len);

	p->op = "age";
	ms_mm_clear_young(p->w.mm, HVA + off, HVA + off + len);
}

static void process_step(struct play *p)
{
	static void (*const ops[])(struct play *) = {
		map_memory, map_memory, map_huge, map_huge,     map_device, map_device, unmap,
		protect,    protect,    advise,   fork_or_wait, touch,      revoke,     age,
	};

	ops[roll(p, sizeof(ops) / sizeof(ops[0]))](p);
}

/* ---- what a VMM and its guest do ---- */

/* The guest's addresses are those of the process in 1G, in 2M, in pages, or all the way. */
static struct flat_slot any_slot(struct play *p)
{
	static const unsigned int flags[] = { 0, 0, 0, MS_SLOT_LOG_DIRTY, MS_SLOT_READONLY };
	struct flat_slot s;
	uint64_t off = range(p, &s.size), moved;

	if (roll(p, 2))
		s.size = SPAN - off;
	moved = off + roll(p, 4) * unit(p);
	if (roll(p, 2) || moved + s.size > SPAN)
		moved = off;
	s.hva = HVA + off;
	s.gpa = GPA + moved;
	s.flags = flags[roll(p, 5)];
	return s;
}

static void set_slot(struct play *p)
{
	const unsigned int id = (unsigned int)roll(p, NR_SLOTS);
	struct flat_slot new = p->f->slot[id];

	p->op = "slot";
	if (!new.size)
		new = any_slot(p);
	else if (roll(p, 4))
		new.flags ^= MS_SLOT_LOG_DIRTY;
	else if (roll(p, 2))
		new.gpa = GPA + roll(p, (SPAN - new.size) / PAGE + 1) * PAGE;
	else
		new.size = 0;
	if (!ms_vm_set_slot(p->w.vm, id, new.gpa, new.size, new.hva, new.flags))
		flat_set_slot(p->f, id, &new);
}

/* Mostly where there is a slot, and often at its ends. */
static ms_ipa_t some_page(struct play *p)
{
	const struct flat_slot *s = &p->f->slot[roll(p, NR_SLOTS)];

	if (!s->size)
		return GPA + roll(p, PAGES) * PAGE;
	switch (roll(p, 4)) {
	case 0:
		return s->gpa;
	case 1:
		return s->gpa + s->size - PAGE;
	default:
		return s->gpa + roll(p, s->size / PAGE) * PAGE;
	}
}

static void guest_access(struct play *p)
{
	static const unsigned int prot[] = { MS_PROT_R, MS_PROT_W, MS_PROT_W, MS_PROT_X };

	p->op = "guest access";
	flat_access(p->f, p->w.vm, some_page(p), prot[roll(p, 4)]);
}

static void prefault(struct play *p)
{
	// whether a table without entries is there, pages do not say
	if (p->f->k->tdp_spurious == MS_TDP_SPURIOUS_LEFT_TABLES_TOO)
		return;
	p->op = "prefault";
	flat_prefault(p->f, p->w.vm, some_page(p));
}

static void set_eager(struct play *p)
{
	p->op = "eager_page_split";
	p->f->eager = roll(p, 2);
	ms_kvm_set_eager_page_split(p->w.m, p->f->eager);
}

static void step(struct play *p)
{
	switch (roll(p, 16)) {
	case 0:
	case 1:
		set_slot(p);
		break;
	case 2:
		p->op = "dirty log";
		flat_get_dirty(p->f, p->w.vm, (unsigned int)roll(p, NR_SLOTS));
		break;
	case 3:
	case 4:
		process_step(p);
		break;
	case 5:
		prefault(p);
		break;
	case 6:
		set_eager(p);
		break;
	default:
		guest_access(p);
		break;
	}
}

/* ---- the play ---- */

static void begin(struct play *p, const struct ms_policy *k, unsigned int seed)
{
	static const struct ms_mmu_notifier_ops ops = { .invalidate_range_start = flat_notified };
	const struct ms_machine_config config = { .thp = seed % 3 ? MS_THP_ALWAYS
								  : MS_THP_MADVISE };
	const struct ms_piece whole = { .len = SPAN };
	struct ms_device *bar;

	p->seed = seed;
	p->random = UINT64_C(0x9e3779b97f4a7c15) * (seed + 1);
	p->w = x86_start(k, &config);
	ms_trace_keep(p->w.m, 0);
	p->f->zap_slot = k->slot_zap_quirk == MS_SLOT_ZAP_QUIRK_PRESENT && seed % 2;
	x86_vm(&p->w, &(struct ms_vm_config){ .zap_slot = p->f->zap_slot });
	p->f->k = k;
	p->f->m = p->w.m;
	p->f->mm = p->w.mm;
	p->f->eager = true;
	p->f->notifier.ops = &ops;
	ms_mmu_notifier_register(p->w.mm, &p->f->notifier);
	bar = ms_device_find(p->w.m, "bar");
	p->resource = ms_pci_resource(bar);
	p->vfio = ms_vfio_open(bar);
	p->lazy = ms_pieces_open(bar, MS_PIECES_LAZY_HUGE, MS_CACHE_UC_MINUS, &whole, 1);
	p->huge_2m = ms_memfd_hugetlb_new(p->w.m, MS_2M, MS_2M);
	p->huge_1g = ms_memfd_hugetlb_new(p->w.m, MS_1G, MS_1G);
	assert_true(p->resource && p->vfio && p->lazy && p->huge_2m && p->huge_1g);
}

static void compare(const struct play *p)
{
	const uint64_t i = flat_difference(p->f, p->w.vm);

	if (i != PAGES)
		fail_msg("%s, seed %u, step %u, %s: at %#llx the entry is %#x instead of %#x",
			 p->f->k->release, p->seed, p->step, p->op,
			 (unsigned long long)(GPA + i * PAGE), p->f->actual[i], p->f->page[i]);
}

static void play(const struct ms_policy *k, unsigned int seed)
{
	struct play p = { .f = calloc(1, sizeof(*p.f)) };

	assert_non_null(p.f);
	begin(&p, k, seed);
	for (p.step = 0; p.step < STEPS; p.step++) {
		step(&p);
		compare(&p);
		if (p.step % 32 == 0 && ms_machine_check(p.w.m, stderr))
			fail_msg("%s, seed %u, step %u, %s", k->release, seed, p.step, p.op);
	}
	ms_mmu_notifier_unregister(p.w.mm, &p.f->notifier);
	world_end(&p.w);
	free(p.f);
}

static void the_table_is_what_pages_say_on_each_recorded_kernel(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64)
		for (unsigned int seed = 0; seed < 6; seed++)
			play(k, seed);
}

static void the_table_is_what_pages_say_with_all_rules_that_there_were(void **state)
{
	const struct ms_policy *k;
	unsigned int seed = 100;

	for_each_step (k, MS_ARCH_X86_64)
		play(k, seed++);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_what_pages_say_on_each_recorded_kernel),
		cmocka_unit_test(the_table_is_what_pages_say_with_all_rules_that_there_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
