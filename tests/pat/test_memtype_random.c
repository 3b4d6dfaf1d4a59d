/* SPDX-License-Identifier: GPL-2.0-only */
/* Random reservations, frees and lookups against the kernel's rules on a flat array. */
#include <mapsim/machine.h>
#include <mapsim/pat.h>
#include <mapsim/phys.h>
#include <mapsim/policy.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE UINT64_C(0xc0000000) /* no RAM, below 4 GiB: the MTRRs do not say WB */
#define ENTRIES_MAX 4000u

struct oracle {
	struct ms_memtype v[ENTRIES_MAX];
	size_t n;
	bool tails; /* END_MATCH */
};

struct world {
	struct ms_machine *m;
	struct oracle o;
	uint64_t seed;
};

static struct world *world(const char *release)
{
	struct world *w = calloc(1, sizeof(*w));

	w->m = ms_machine_new(ms_policy_linux(release, MS_ARCH_X86_64));
	assert_non_null(w->m);
	ms_trace_keep(w->m, 0);
	w->o.tails = ms_machine_policy(w->m)->memtype_free == MS_MEMTYPE_FREE_EXACT_OR_TAIL;
	w->seed = 7;
	return w;
}

static int setup_612(void **state)
{
	*state = world("6.12.107");
	return 0;
}

static int setup_72(void **state)
{
	*state = world("7.2.13");
	return 0;
}

/* In a device's memory, what is usual goes a quicker way. */
static int setup_device(void **state)
{
	struct world *w = world("6.12.107");

	assert_non_null(ms_device_add(w->m, "bar", BASE, MS_1G));
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	ms_machine_free(w->m);
	free(w);
	return 0;
}

static uint64_t rnd(struct world *w, uint64_t n)
{
	w->seed = w->seed * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (w->seed >> 33) % n;
}

static bool overlaps(const struct ms_memtype *e, ms_pa_t start, ms_pa_t end)
{
	return e->start < end && start < e->end;
}

static void oracle_insert(struct oracle *o, struct ms_memtype e)
{
	size_t i = o->n++;

	for (; i && o->v[i - 1].start > e.start; i--)
		o->v[i] = o->v[i - 1];
	o->v[i] = e;
}

static struct ms_memtype oracle_remove(struct oracle *o, size_t i)
{
	struct ms_memtype e = o->v[i];

	memmove(&o->v[i], &o->v[i + 1], (--o->n - i) * sizeof(e));
	return e;
}

static int oracle_reserve(struct oracle *o, struct ms_memtype e, enum ms_cache *got)
{
	bool first = true;

	if (e.type == MS_CACHE_WB)
		e.type = MS_CACHE_UC_MINUS; // the MTRRs say nothing here
	for (size_t i = 0; i < o->n; i++) {
		if (!overlaps(&o->v[i], e.start, e.end))
			continue;
		if (o->v[i].type != e.type && (!first || !got))
			return -EBUSY;
		e.type = o->v[i].type;
		first = false;
	}
	oracle_insert(o, e);
	if (got)
		*got = e.type;
	return 0;
}

static int oracle_free(struct oracle *o, ms_pa_t start, ms_pa_t end)
{
	struct ms_memtype e;

	for (size_t i = 0; i < o->n; i++)
		if (o->v[i].start == start && o->v[i].end == end) {
			oracle_remove(o, i);
			return 0;
		}
	for (size_t i = 0; i < o->n && o->tails; i++)
		if (o->v[i].start < start && o->v[i].end == end) {
			e = oracle_remove(o, i);
			e.end = start;
			oracle_insert(o, e);
			return 0;
		}
	return -EINVAL;
}

static enum ms_cache oracle_lookup(const struct oracle *o, ms_pa_t pa)
{
	for (size_t i = 0; i < o->n; i++)
		if (overlaps(&o->v[i], pa, pa + 0x1000))
			return o->v[i].type;
	return MS_CACHE_UC_MINUS;
}

struct walk {
	const struct world *w;
	size_t i;
	ms_pa_t start, end;
};

static void same_entry(const struct ms_memtype *e, void *arg)
{
	struct walk *walk = arg;
	const struct oracle *o = &walk->w->o;

	while (walk->i < o->n && !overlaps(&o->v[walk->i], walk->start, walk->end))
		walk->i++;
	assert_true(walk->i < o->n);
	assert_int_equal(e->start, o->v[walk->i].start);
	assert_int_equal(e->end, o->v[walk->i].end);
	assert_int_equal(e->type, o->v[walk->i].type);
	walk->i++;
}

static void assert_same(struct world *w, ms_pa_t start, ms_pa_t end)
{
	struct walk walk = { .w = w, .start = start, .end = end };

	ms_memtype_walk(w->m, start, end, same_entry, &walk);
	for (; walk.i < w->o.n; walk.i++)
		assert_false(overlaps(&w->o.v[walk.i], start, end));
}

static void reserve(struct world *w, ms_pa_t start, ms_pa_t end)
{
	struct ms_memtype e = { start, end, (enum ms_cache)rnd(w, 6) };
	enum ms_cache got = MS_CACHE_WB, want = MS_CACHE_WB;
	bool choice = rnd(w, 4);
	int err = oracle_reserve(&w->o, e, choice ? &want : NULL);

	assert_int_equal(ms_memtype_reserve(w->m, start, end, e.type, choice ? &got : NULL), err);
	if (!err)
		assert_int_equal(got, want);
}

/* A range to free: an entry's own, its tail, its head, or any. */
static void free_some(struct world *w, ms_pa_t start, ms_pa_t end)
{
	size_t i = w->o.n ? rnd(w, w->o.n) : 0;
	uint64_t how = rnd(w, 8);

	if (w->o.n && how < 7) {
		ms_pa_t middle = (w->o.v[i].start + w->o.v[i].end) / 2;

		start = how == 5 ? middle : w->o.v[i].start;
		end = how == 6 ? middle : w->o.v[i].end;
	}
	if (start < end)
		assert_int_equal(ms_memtype_free(w->m, start, end), oracle_free(&w->o, start, end));
}

static void run(struct world *w, unsigned int steps, uint64_t space, uint64_t longest,
		unsigned int percent)
{
	for (unsigned int i = 0; i < steps; i++) {
		ms_pa_t start = BASE + rnd(w, space) * 0x800;
		ms_pa_t end = start + (1 + rnd(w, longest)) * 0x800;

		if (rnd(w, 100) < percent && w->o.n < ENTRIES_MAX)
			reserve(w, start, end);
		else
			free_some(w, start, end);
		start = BASE + rnd(w, space / 2) * 0x1000;
		assert_int_equal(ms_memtype_lookup(w->m, start), oracle_lookup(&w->o, start));
		if (i % 32 == 0)
			assert_same(w, start, start + (1 + rnd(w, space)) * 0x800);
	}
	assert_same(w, 0, UINT64_MAX);
}

static void crowded_ranges_behave_as_the_array(void **state)
{
	run(*state, 30000, 64, 16, 60);
}

static void many_ranges_behave_as_the_array(void **state)
{
	run(*state, 10000, 100000, 40, 75);
	run(*state, 10000, 100000, 40, 25);
}

static void long_and_short_ranges_behave_as_the_array(void **state)
{
	struct world *w = *state;

	for (unsigned int i = 0; i < 12; i++) {
		run(w, 40, 20000, 20000, 70);
		run(w, 700, 20000, 6, i < 6 ? 80 : 35);
	}
}

static void with_allocations_that_fail_the_list_stays_whole(void **state)
{
	struct world *w = *state;
	unsigned int refused = 0;

	for (unsigned int i = 0; i < 6000; i++) {
		ms_pa_t start = BASE + rnd(w, 100000) * 0x1000, end = start + 0x1000;
		enum ms_cache got;
		int err;

		ms_machine_fail_alloc(w->m, 1 + rnd(w, 2));
		err = ms_memtype_reserve(w->m, start, end, MS_CACHE_WC, &got);
		ms_machine_fail_alloc(w->m, 0);
		if (err) {
			assert_int_equal(err, -ENOMEM);
			refused++;
			assert_same(w, 0, UINT64_MAX);
		} else if (w->o.n < ENTRIES_MAX) {
			oracle_insert(&w->o, (struct ms_memtype){ start, end, got });
		} else {
			assert_int_equal(ms_memtype_free(w->m, start, end), 0);
		}
	}
	assert_true(refused > 5);
	assert_same(w, 0, UINT64_MAX);
}

#define ON(kernel, f) \
	{ \
#f " (" #kernel ")", f, setup_##kernel, teardown, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(612, crowded_ranges_behave_as_the_array),
		ON(device, crowded_ranges_behave_as_the_array),
		ON(72, crowded_ranges_behave_as_the_array),
		ON(612, many_ranges_behave_as_the_array),
		ON(device, many_ranges_behave_as_the_array),
		ON(72, many_ranges_behave_as_the_array),
		ON(612, long_and_short_ranges_behave_as_the_array),
		ON(device, long_and_short_ranges_behave_as_the_array),
		ON(72, long_and_short_ranges_behave_as_the_array),
		ON(612, with_allocations_that_fail_the_list_stays_whole),
		ON(device, with_allocations_that_fail_the_list_stays_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
