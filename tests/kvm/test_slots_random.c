/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slots that come, move, change and go at random, against a plain array: every answer of
 * KVM_SET_USER_MEMORY_REGION, every lookup by guest page, every walk over a host range.
 */
#include "world.h"

#include "kvm/internal.h"

#define NR_SLOTS 24u
#define NR_STEPS 4000u
#define NR_GFNS 64u /* small spaces, so that slots collide */
#define NR_HVAS 16u

struct plain_slot {
	uint64_t npages; /* 0: none */
	ms_gfn_t gfn;
	ms_hva_t hva;
	unsigned int flags;
	uint64_t age; /* when it was created or changed last */
};

struct random_world {
	struct world w;
	struct plain_slot slot[NR_SLOTS];
	uint64_t age;
	uint32_t seed;
};

static uint32_t roll(struct random_world *r, uint32_t limit)
{
	r->seed = r->seed * 1664525u + 1013904223u;
	return (r->seed >> 8) % limit;
}

static bool collides(const struct random_world *r, unsigned int id, ms_gfn_t gfn, uint64_t npages)
{
	for (unsigned int i = 0; i < NR_SLOTS; i++) {
		const struct plain_slot *s = &r->slot[i];

		if (i != id && s->npages && gfn < s->gfn + s->npages && s->gfn < gfn + npages)
			return true;
	}
	return false;
}

/* What the call must answer; the plain array follows. */
static int expected(struct random_world *r, unsigned int id, const struct plain_slot *want)
{
	struct plain_slot *s = &r->slot[id];

	if (!want->npages) {
		if (!s->npages)
			return -EINVAL;
		s->npages = 0;
		return 0;
	}
	if (s->npages) {
		if (want->hva != s->hva || want->npages != s->npages)
			return -EINVAL;
		if (want->gfn == s->gfn && want->flags == s->flags)
			return 0;
	}
	if ((!s->npages || want->gfn != s->gfn) && collides(r, id, want->gfn, want->npages))
		return -EEXIST;
	*s = *want;
	s->age = ++r->age;
	return 0;
}

static void step(struct random_world *r)
{
	unsigned int id = roll(r, NR_SLOTS);
	struct plain_slot want = {
		.npages = roll(r, 4) ? 1 + roll(r, 6) : 0,
		.gfn = roll(r, NR_GFNS),
		.hva = HVA + roll(r, NR_HVAS) * PAGE,
		.flags = roll(r, 2) ? MS_SLOT_LOG_DIRTY : 0,
	};

	// Half of the calls change a live slot.
	if (roll(r, 2) && r->slot[id].npages && want.npages) {
		want.npages = r->slot[id].npages;
		want.hva = r->slot[id].hva;
	}
	assert_int_equal(ms_vm_set_slot(r->w.vm, id, want.gfn * PAGE, want.npages * PAGE, want.hva,
					want.flags),
			 expected(r, id, &want));
}

static void check_gfns(struct random_world *r)
{
	for (ms_gfn_t gfn = 0; gfn < NR_GFNS + 8; gfn++) {
		const struct ms_memslot *slot = ms_gfn_to_memslot(r->w.vm, gfn);
		const struct plain_slot *found = NULL;

		for (unsigned int i = 0; i < NR_SLOTS; i++) {
			const struct plain_slot *s = &r->slot[i];

			if (s->npages && gfn >= s->gfn && gfn < s->gfn + s->npages)
				found = s;
		}
		assert_int_equal(!slot, !found);
		if (slot)
			assert_int_equal(slot->id, found - r->slot);
	}
}

static bool comes_before(bool falling_gpa, const struct plain_slot *a, const struct plain_slot *b)
{
	if (falling_gpa)
		return a->gfn > b->gfn;
	return a->hva != b->hva ? a->hva < b->hva : a->age < b->age;
}

/* Of the plain slots that overlap the range the one that comes next after `last`. */
static const struct plain_slot *plain_next(const struct random_world *r, bool falling_gpa,
					   const struct ms_hva_range *range,
					   const struct plain_slot *last)
{
	const struct plain_slot *best = NULL;

	for (unsigned int i = 0; i < NR_SLOTS; i++) {
		const struct plain_slot *s = &r->slot[i];

		if (!s->npages || s->hva >= range->end || s->hva + s->npages * PAGE <= range->start)
			continue;
		if (last && !comes_before(falling_gpa, last, s))
			continue;
		if (!best || comes_before(falling_gpa, s, best))
			best = s;
	}
	return best;
}

static void check_hvas(struct random_world *r)
{
	bool falling_gpa =
		r->w.m->policy.notifier_slot_order == MS_NOTIFIER_SLOT_ORDER_GPA_DESCENDING;
	ms_hva_t start = HVA + roll(r, NR_HVAS) * PAGE;
	const struct ms_hva_range range = { start, start + (1 + roll(r, 8)) * PAGE };
	const struct plain_slot *s = plain_next(r, falling_gpa, &range, NULL);
	struct ms_memslot *slot = ms_slot_first_in_hva(r->w.vm, &range);

	while (s) {
		assert_non_null(slot);
		assert_int_equal(slot->id, s - r->slot);
		s = plain_next(r, falling_gpa, &range, s);
		slot = ms_slot_next_in_hva(r->w.vm, &range, slot);
	}
	assert_null(slot);
}

static void play(const char *release)
{
	struct random_world r = { .w = world(release), .seed = 1 };

	ms_trace_keep(r.w.m, 0);
	for (unsigned int i = 0; i < NR_STEPS; i++) {
		step(&r);
		check_gfns(&r);
		check_hvas(&r);
		if (i % 64 == 0)
			assert_int_equal(ms_machine_check(r.w.m, stderr), 0);
	}
	world_end(&r.w);
}

static void slots_are_found_as_in_an_array_and_told_by_host_address(void **state)
{
	play("6.12.107");
}

static void slots_are_found_as_in_an_array_and_told_by_falling_guest_address(void **state)
{
	play("5.10.223");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_are_found_as_in_an_array_and_told_by_host_address),
		cmocka_unit_test(slots_are_found_as_in_an_array_and_told_by_falling_guest_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
