/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each operation at each point of each other one, over each kind of mapping: whatever is refused or
 * done there, both end, no lock stays behind, and an unmap of everything leaves nothing. What is
 * used after it was freed is for the address sanitizer to find.
 */
#include "world.h"

#define SIZE (2 * MS_2M)
#define ROOM (8 * MS_2M) /* where things move to, and back */

enum kind { ANON, MEMFD, HUGETLB, REMAPPED, LAZY, VFIO, NR_KINDS };

struct pair_world {
	struct kernel k;
	enum kind kind;
	bool touched;
};

/* ---- mappings ---- */

/* A driver that hears of every VMA and does nothing about it. */
static void hear(struct ms_vma *vma)
{
}

static int remap_mmap(struct ms_file *file, struct ms_vma *vma)
{
	static const struct ms_vm_ops vm_ops = { .open = hear, .close = hear };

	vma->vm_ops = &vm_ops;
	vma->vm_page_prot = ms_pgprot_device(vma->vm_page_prot);
	return ms_remap_pfn_range(vma, vma->vm_start, BAR / PAGE, vma->vm_end - vma->vm_start,
				  vma->vm_page_prot);
}

static struct ms_file *file_of(struct world *w, enum kind kind)
{
	static const struct ms_file_ops file_ops = { .name = "remap", .mmap = remap_mmap };

	switch (kind) {
	case MEMFD:
		return ms_memfd_new(w->m, SIZE);
	case HUGETLB:
		return ms_memfd_hugetlb_new(w->m, SIZE, MS_2M);
	case REMAPPED:
		return ms_file_new(w->m, &file_ops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, NULL);
	case LAZY:
		return ms_lazy_open(w->bar, 0, w->vm ? MS_CACHE_NGNRE : MS_CACHE_UC_MINUS,
				    MS_LAZY_ONE_PAGE);
	case VFIO:
		return ms_vfio_open(w->bar);
	default:
		return NULL;
	}
}

static uint64_t offset_of(const struct world *w)
{
	return w->file ? ms_vfio_offset(w->file) : 0;
}

static int64_t map_kind(struct world *w)
{
	const unsigned int kind = w->file ? MS_MAP_SHARED : MS_MAP_PRIVATE | MS_MAP_ANONYMOUS;

	return ms_mmap(w->mm, w->va, SIZE, MS_PROT_RW, kind | MS_MAP_FIXED, w->file, offset_of(w));
}

static void *build_pair(const void *arg, struct explore_run *run, struct ms_machine **m)
{
	const struct pair_world *p = arg;
	struct world *w = world_new(&p->k, run, m);

	w->file = file_of(w, p->kind);
	assert_int_equal(map_kind(w), w->va);
	if (w->vm)
		assert_int_equal(ms_vm_set_slot(w->vm, 1, GPA, SIZE, w->va,
						p->kind == ANON ? MS_SLOT_LOG_DIRTY : 0),
				 0);
	if (p->touched)
		ms_touch(w->mm, w->va, MS_PROT_R);
	if (p->touched && w->vm)
		ms_guest_read(w->vm, GPA);
	return w;
}

/* ---- operations ---- */

static int op_write(void *world)
{
	struct world *w = world;

	return ms_touch(w->mm, w->va + PAGE, MS_PROT_W) == MS_ACCESS_WAITS ? EXPLORE_WAITS
									   : EXPLORE_DONE;
}

static int op_munmap_part(void *world)
{
	struct world *w = world;

	return done_or_waits(ms_munmap(w->mm, w->va + MS_2M, MS_2M));
}

static int op_munmap_page(void *world)
{
	struct world *w = world;

	return done_or_waits(ms_munmap(w->mm, w->va, PAGE));
}

static int op_mmap(void *world)
{
	int64_t ret = map_kind(world);

	return done_or_waits(ret < 0 ? (int)ret : 0);
}

static int op_mprotect(void *world)
{
	struct world *w = world;

	return done_or_waits(ms_mprotect(w->mm, w->va, MS_2M, MS_PROT_R));
}

static int op_move(void *world)
{
	struct world *w = world;
	int64_t ret = ms_mremap(w->mm, w->va, MS_2M, MS_2M, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED,
				w->va + ROOM);

	return done_or_waits(ret < 0 ? (int)ret : 0);
}

static int op_shrink(void *world)
{
	struct world *w = world;
	int64_t ret = ms_mremap(w->mm, w->va, SIZE, MS_2M, 0, 0);

	return done_or_waits(ret < 0 ? (int)ret : 0);
}

static int advise(struct world *w, enum ms_advice advice)
{
	return done_or_waits(ms_madvise(w->mm, w->va, SIZE, advice));
}

static int op_dontneed(void *world)
{
	return advise(world, MS_MADV_DONTNEED);
}

static int op_nohugepage(void *world)
{
	return advise(world, MS_MADV_NOHUGEPAGE);
}

static int op_remove(void *world)
{
	return advise(world, MS_MADV_REMOVE);
}

static int op_collapse(void *world)
{
	return advise(world, MS_MADV_COLLAPSE);
}

static int op_mlock(void *world)
{
	struct world *w = world;

	return done_or_waits(ms_mlock(w->mm, w->va, SIZE));
}

/* A zap where the MMU lock is held is reported, not answered. */
static int op_take_away(void *world)
{
	struct world *w = world;
	uint64_t before = violations(w->m);

	if (w->file)
		ms_unmap_mapping_range(w->file, 0, 0, true);
	return violations(w->m) > before ? EXPLORE_WAITS : EXPLORE_DONE;
}

static int op_memory(void *world)
{
	struct world *w = world;
	uint64_t before = violations(w->m);
	int err = w->file ? ms_vfio_set_memory(w->file, false) : 0;

	return violations(w->m) > before ? EXPLORE_WAITS : done_or_waits(err);
}

static int guest(struct world *w, ms_ipa_t gpa, unsigned int prot)
{
	return w->vm ? done_or_waits(ms_guest_touch(w->vm, gpa, prot).err) : EXPLORE_DONE;
}

static int op_guest_read(void *world)
{
	return guest(world, GPA, MS_PROT_R);
}

static int op_guest_write(void *world)
{
	return guest(world, GPA + PAGE, MS_PROT_W);
}

static int op_slot(void *world)
{
	struct world *w = world;

	return w->vm ? done_or_waits(ms_vm_set_slot(w->vm, 1, 0, 0, 0, 0)) : EXPLORE_DONE;
}

static int op_dirty(void *world)
{
	struct world *w = world;
	uint64_t bitmap[SIZE / PAGE / 64];

	return w->vm ? done_or_waits(ms_vm_get_dirty(w->vm, 1, bitmap, SIZE / PAGE / 64, NULL))
		     : EXPLORE_DONE;
}

/* A child that ends at once takes its VMAs out of the middle of every list. */
static int op_fork_exit(void *world)
{
	struct world *w = world;
	struct ms_mm *child = ms_fork(w->mm);
	int err = child ? 0 : -errno;

	if (child) {
		ms_touch(child, w->va, MS_PROT_W);
		ms_mm_exit(child);
	}
	return done_or_waits(err);
}

/* The only reference that is not a VMA's. */
static int op_put(void *world)
{
	struct world *w = world;

	if (w->file)
		ms_file_put(w->file);
	w->file = NULL;
	return EXPLORE_DONE;
}

static const struct explore_op ops[] = {
	{ "touch", op_touch },
	{ "write", op_write },
	{ "munmap-part", op_munmap_part },
	{ "munmap-page", op_munmap_page },
	{ "mmap", op_mmap },
	{ "mprotect", op_mprotect },
	{ "move", op_move },
	{ "shrink", op_shrink },
	{ "dontneed", op_dontneed },
	{ "nohugepage", op_nohugepage },
	{ "remove", op_remove },
	{ "collapse", op_collapse },
	{ "mlock", op_mlock },
	{ "take-away", op_take_away },
	{ "memory-off", op_memory },
	{ "guest-read", op_guest_read },
	{ "guest-write", op_guest_write },
	{ "slot", op_slot },
	{ "dirty", op_dirty },
	{ "fork-exit", op_fork_exit },
	{ "put", op_put },
};
#define NR_OPS (sizeof(ops) / sizeof(ops[0]))

/* ---- the end ---- */

static bool all_can_go(void *world)
{
	struct world *w = world;

	if (ms_touch(w->mm, w->va, MS_PROT_R) == MS_ACCESS_WAITS)
		return false;
	if (w->vm && ms_s2_check(ms_vm_s2(w->vm)))
		return false;
	if (ms_munmap(w->mm, w->va, ROOM) || ms_munmap(w->mm, w->va + ROOM, ROOM))
		return false;
	if (ms_mm_map_count(w->mm) || !nothing_present(w->mm, w->va, 2 * ROOM))
		return false;
	return !w->vm || guest_sees_nothing(w, SIZE);
}

static void all_pairs(const struct pair_world *p)
{
	for (size_t i = 0; i < NR_OPS; i++) {
		for (size_t j = i; j < NR_OPS; j++) {
			const struct explore_op first[] = { ops[i], { 0 } };
			const struct explore_op second[] = { ops[j], { 0 } };
			struct explore_found f = explore(&(struct explore){
				.build = build_pair,
				.destroy = world_free,
				.side = { first, second },
				.holds = all_can_go,
				.max_points = 8,
				.arg = p,
			});

			assert_true(f.schedules >= 2);
			assert_string_equal(f.shortest, "");
		}
	}
}

static void pairs_of(const char *release, enum ms_arch arch)
{
	for (enum kind kind = ANON; kind < NR_KINDS; kind++)
		for (unsigned int touched = 0; touched < 2; touched++)
			all_pairs(&(struct pair_world){
				.k = { release, arch, NULL, NULL },
				.kind = kind,
				.touched = touched,
			});
}

static void operations_of_arm64_may_meet(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64)
		pairs_of(k->release, MS_ARCH_ARM64);
}

static void operations_of_x86_may_meet(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64)
		pairs_of(k->release, MS_ARCH_X86_64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_of_arm64_may_meet),
		cmocka_unit_test(operations_of_x86_may_meet),
	};

	return cmocka_run_group_tests_name("interleave_pairs", tests, NULL, NULL);
}
