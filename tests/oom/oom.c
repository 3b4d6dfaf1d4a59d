/* SPDX-License-Identifier: GPL-2.0-only */
#include "oom.h"

#define BAR UINT64_C(0x8000000000)
#define X86_BAR UINT64_C(0x180000000)
#define SIZE (2 * MS_2M)

static struct world build(const struct kernel *kernel, const struct operation *op)
{
	struct world w = { .m = ms_machine_new(ms_policy_linux(kernel->release, kernel->arch)) };
	bool x86 = kernel->arch == MS_ARCH_X86_64;

	assert_non_null(w.m);
	assert_int_equal(ms_ram_add(w.m, MS_1G, MS_1G), 0);
	w.bar = ms_device_add(w.m, "bar", x86 ? X86_BAR : BAR, SIZE);
	w.mm = ms_mm_new(w.m);
	w.vm = ms_vm_new(w.mm, 40);
	w.memory = ms_memfd_new(w.m, SIZE);
	w.hugetlb = ms_memfd_hugetlb_new(w.m, SIZE, MS_2M);
	assert_true(w.bar && w.mm && w.memory && w.hugetlb && w.vm);
	if (op->prepare)
		op->prepare(&w);
	// an event that cannot be kept is no failure of the operation
	ms_trace_keep(w.m, 0);
	return w;
}

static void tell(const struct kernel *kernel, const struct operation *op, uint64_t n,
		 const char *what)
{
	print_error("%s on %s: allocation %llu fails: %s\n", op->name, kernel->release,
		    (unsigned long long)n, what);
}

static bool is_refusal(const struct operation *op, int64_t answer)
{
	if (answer == -ENOMEM)
		return true;
	for (size_t i = 0; i < 4 && op->refusals[i]; i++)
		if (answer == op->refusals[i])
			return true;
	return false;
}

static void assert_whole(const struct kernel *kernel, const struct operation *op, uint64_t n,
			 const struct ms_machine *m)
{
	if (!ms_machine_check(m, stderr))
		return;
	tell(kernel, op, n, "the machine is not whole");
	fail();
}

static void assert_same_state(const struct kernel *kernel, const struct operation *op, uint64_t n,
			      struct ms_machine *m, const char *sound)
{
	char text[1024], *state = state_of(m, STATE_ALL);

	if (strcmp(state, sound)) {
		tell(kernel, op, n, "repeated, the state is another:");
		state_difference(state, sound, text, sizeof(text));
		fail_msg("%s", text);
	}
	free(state);
}

/* What a failed remap had written stays, so that the next access may not fault. */
static bool keeps_failed_remap(const struct ms_machine *m)
{
	return m->policy.remap_error == MS_REMAP_ERROR_KEEP_PTES;
}

/* Its fault leaves an entry on its list when it fails, and the next makes another. */
static bool vfio_lists_twice(const struct ms_machine *m)
{
	return m->policy.vfio == MS_VFIO_V1_LIST_FIRST;
}

struct sound {
	int64_t answer;
	char *state;
	uint64_t live; /* allocations that are not freed */
};

/* The n-th allocation fails; false: the operation did not get that far. */
static bool fail_one(const struct kernel *kernel, const struct operation *op, uint64_t n,
		     const struct sound *sound)
{
	struct world w = build(kernel, op);
	uint64_t before = ms_machine_allocs(w.m);
	int64_t answer;
	bool fired;

	ms_machine_fail_alloc(w.m, n);
	answer = op->run(&w);
	fired = ms_machine_allocs(w.m) - before >= n;
	ms_machine_fail_alloc(w.m, 0);
	assert_whole(kernel, op, n, w.m);
	if (fired && answer != sound->answer) {
		if (!is_refusal(op, answer)) {
			tell(kernel, op, n, "no answer of the kernel's");
			assert_int_equal(answer, sound->answer);
		}
		assert_int_equal(op->run(&w), sound->answer);
		assert_whole(kernel, op, n, w.m);
		if ((op->remaps_in_fault && keeps_failed_remap(w.m)) ||
		    (op->faults_vfio && vfio_lists_twice(w.m)))
			goto out;
		assert_same_state(kernel, op, n, w.m, sound->state);
		assert_int_equal(w.m->alloc.live - ms_causes_allocs(w.m), sound->live);
	} else if (!op->may_succeed_otherwise) {
		assert_same_state(kernel, op, n, w.m, sound->state);
	}
out:
	ms_machine_free(w.m);
	return fired;
}

size_t fail_each_allocation(const struct kernel *kernel, const struct operation *op)
{
	struct world w = build(kernel, op);
	struct sound sound = { .answer = op->run(&w) };
	uint64_t n = 1;

	sound.state = state_of(w.m, STATE_ALL);
	sound.live = w.m->alloc.live - ms_causes_allocs(w.m);
	if (sound.answer < 0 && !op->not_everywhere)
		fail_msg("%s on %s: %lld", op->name, kernel->release, (long long)sound.answer);
	ms_machine_free(w.m);
	while (fail_one(kernel, op, n, &sound))
		n++;
	free(sound.state);
	return n - 1;
}
