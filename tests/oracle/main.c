/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * oracle_host [-n OPS] [-s SEED] [-k "RELEASE ARCH"]: random operations on the library and on the
 * flat arrays, side by side. After each their answers are compared, and what it can have touched;
 * everything every few operations. Without -k all known kernels take part. What
 * differs is cut down to as few operations as it takes, and printed as a script.
 */
#include "ops.h"

#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EPISODE 300u
#define SPELL 8u /* operations between two looks at everything */

struct episode {
	const struct ms_policy *policy;
	enum ms_thp_mode thp;
	enum log_mode log;
	bool mte;
	struct op op[EPISODE];
	bool made[EPISODE];
	unsigned int n;
	unsigned int done; /* operations that were made */
	char what[400];    /* the last of them: what differs */
	bool each;         /* everything is looked at after each operation */
};

#ifdef WITH_GUEST
static bool has_mte(const struct episode *ep)
{
	return ep->mte && ep->policy->mte_vma != MS_MTE_VMA_NONE;
}

static void open_vm(struct real *r, const struct episode *ep)
{
	struct ms_vm_config config = { .ipa_bits = 40,
				       .dirty_manual = ep->log != LOG_AT_ONCE,
				       .dirty_initset = ep->log == LOG_MANUAL_INITSET,
				       .mte = has_mte(ep) };

	r->vm = ms_vm_new_config(r->mm[0], &config);
	if (!r->vm)
		err(2, "no VM");
}
#endif

static void open_real(struct real *r, const struct episode *ep)
{
	struct ms_machine_config config = { .thp = ep->thp,
					    .mte = ep->mte ? MS_FEATURE_PRESENT
							   : MS_FEATURE_ABSENT };

	memset(r, 0, sizeof(*r));
	r->m = ms_machine_new_config(ep->policy, &config);
	if (!r->m || ms_ram_add(r->m, RAM_PA, RAM_SIZE))
		errx(2, "no machine");
	ms_trace_keep(r->m, 0);
	r->bar = ms_device_add(r->m, "bar", BAR_PA, BAR_PAGES * PAGE);
	r->devmem = ms_devmem_open(r->m, true);
	r->nosync = ms_devmem_open(r->m, false);
	r->vbar = ms_device_add(r->m, "vbar", VFIO_PA, BAR_PAGES * PAGE);
	r->vfio = r->vbar ? ms_vfio_open(r->vbar) : NULL;
	r->hugetlb = ms_memfd_hugetlb_new(r->m, HUGETLB_PAGES * MS_2M, MS_2M);
	r->memfd = ms_memfd_new(r->m, 64 << 20);
	r->mm[0] = ms_mm_new(r->m);
#ifdef WITH_GUEST
	open_vm(r, ep);
#endif
	if (!r->bar || !r->devmem || !r->nosync || !r->memfd || !r->hugetlb || !r->vfio ||
	    !r->mm[0])
		errx(2, "no world");
}

/* For the script: a slot is named with all that it is. */
static void tell_slot(struct op *op, const struct guest *g)
{
	const struct slot *slot = &g->slot[op->slot];

	if (op->kind != OP_SLOT_TOGGLE && op->kind != OP_SLOT_DELETE)
		return;
	op->at = slot->hva;
	op->gpa = slot->gpa;
	op->len = slot->npages;
	op->flags = slot->flags ^ (op->kind == OP_SLOT_TOGGLE ? MS_SLOT_LOG_DIRTY : 0);
}

/* Is the answer an errno of which the machine has not said why? The slots of ioremaps are ours.
 * *refusals: those that have been asked for so far. */
static bool is_unexplained(struct ms_machine *m, const struct op *op, int64_t answer,
			   uint64_t *refusals)
{
	uint64_t before = *refusals;
	struct ms_refusal last;

	if (answer >= 0 || op->kind == OP_IOREMAP || op->kind == OP_IOUNMAP)
		return false;
	last = ms_last_refusal(m);
	*refusals = last.number;
	return last.number == before || last.err != answer;
}

/* true: the two agree to the end. */
static bool play(struct episode *ep)
{
	struct flat *f = malloc(sizeof(*f));
	struct same *same = calloc(1, sizeof(*same));
	const char *what = NULL;
	uint64_t refusals = 0;
	struct real r;

	if (!f || !same)
		err(2, NULL);
	flat_init(f, ep->policy, ep->thp);
	f->mte = ep->mte;
	f->guest = calloc(1, sizeof(*f->guest));
	if (!f->guest)
		err(2, NULL);
	f->guest->log = ep->log;
#ifdef WITH_GUEST
	f->guest->mte = has_mte(ep);
#endif
	open_real(&r, ep);
	ep->done = 0;
	memset(ep->made, 0, sizeof(ep->made));
	for (unsigned int i = 0; i < ep->n && !what && !f->full; i++) {
		int64_t want, got;

		tell_slot(&ep->op[i], f->guest);
		want = flat_apply(f, &ep->op[i]);
		if (want == FLAT_SKIP || f->full)
			continue;
		got = op_do(&r, &ep->op[i]);
		ep->done = i + 1;
		ep->made[i] = true;
		if (want != got) {
			snprintf(ep->what, sizeof(ep->what),
				 "the answer should be %" PRId64 ", is %" PRId64, want, got);
			what = ep->what;
		} else if (is_unexplained(r.m, &ep->op[i], got, &refusals)) {
			what = "the answer has no reason";
		} else {
			bool all = ep->each || i % SPELL == 0 || i + 1 == ep->n;

			what = compare(f, &r, same, all ? NULL : &ep->op[i], ep->what,
				       sizeof(ep->what));
		}
	}
	if (what && what != ep->what)
		snprintf(ep->what, sizeof(ep->what), "%s", what);
	ms_machine_free(r.m);
	free(same);
	free(f->guest);
	free(f);
	return !what;
}

/* Leaves out each piece of `chunk` operations without which something still differs. */
static bool shrink_by(struct episode *ep, struct episode *less, unsigned int chunk)
{
	bool shorter = false;

	for (unsigned int at = 0; at + chunk <= ep->n;) {
		*less = *ep;
		memmove(&less->op[at], &less->op[at + chunk],
			(ep->n - at - chunk) * sizeof(*ep->op));
		less->n = ep->n - chunk;
		if (play(less)) {
			at++;
			continue;
		}
		less->n = less->done;
		*ep = *less;
		shorter = true;
	}
	return shorter;
}

/* Long pieces first, then shorter ones, until not one operation can be spared. */
static void shrink(struct episode *ep)
{
	struct episode *less = malloc(sizeof(*less));

	if (!less)
		err(2, NULL);
	ep->each = true;
	play(ep);
	ep->n = ep->done;
	for (unsigned int chunk = ep->n / 2; chunk > 1; chunk /= 2)
		shrink_by(ep, less, chunk);
	while (shrink_by(ep, less, 1) || shrink_by(ep, less, 2))
		;
	free(less);
}

static void print_script(const struct episode *ep, uint64_t seed)
{
	bool x86 = ep->policy->arch == MS_ARCH_X86_64;

	printf("# seed %" PRIu64 ": %s\n", seed, ep->what);
	printf("mapsim-recording 1\nkernel %s %s\n", ep->policy->release, x86 ? "x86_64" : "arm64");
	printf("config page_size=4096 va_bits=48 %s thp=%s cpu=max\n",
	       x86 ? "pa_bits=40 pat=on" : "ipa_bits=40 fwb=1 dic=0 idc=0",
	       ep->thp == MS_THP_NEVER    ? "never"
	       : ep->thp == MS_THP_ALWAYS ? "always"
					  : "madvise");
	printf("device bar pa=%#" PRIx64 " size=%#" PRIx64 " prefetchable=1%s\n", BAR_PA,
	       (uint64_t)(BAR_PAGES * PAGE), x86 ? " mtrr=WB" : "");
	printf("device vbar pa=%#" PRIx64 " size=%#" PRIx64 " prefetchable=1%s\n",
	       (uint64_t)VFIO_PA, (uint64_t)(BAR_PAGES * PAGE), x86 ? " mtrr=WB" : "");
	printf("ram pa=%#" PRIx64 " size=%#" PRIx64 "\n", RAM_PA, RAM_SIZE);
#ifdef WITH_GUEST
	printf("%s", ep->mte ? "# with MTE, which no script can ask for\n" : "");
	printf("> vm create%s\n", ep->log == LOG_MANUAL           ? " dirty=manual"
				  : ep->log == LOG_MANUAL_INITSET ? " dirty=manual-initset"
								  : "");
#endif
	for (unsigned int i = 0; i < ep->n; i++)
		if (ep->made[i])
			op_print(&ep->op[i], ep->policy->arch, stdout);
}

static enum ms_thp_mode thp_of(uint64_t seed)
{
#if defined(WITH_GUEST) || defined(WITH_HUGE)
	static const enum ms_thp_mode modes[] = { MS_THP_ALWAYS, MS_THP_ALWAYS, MS_THP_MADVISE,
						  MS_THP_NEVER };

	return modes[seed / 3 % 4];
#else
	return MS_THP_NEVER;
#endif
}

/* false: they disagree somewhere. Stops there. */
static bool run(const struct ms_policy *policy, uint64_t ops, uint64_t seed)
{
	struct episode *ep = calloc(1, sizeof(*ep));
	uint64_t done = 0;
	bool same = true;

	if (!ep)
		err(2, NULL);
	for (; same && done < ops; seed++) {
		struct dice d = { seed * UINT64_C(0x9e3779b97f4a7c15) + 1, seed / 3 % 2, seed % 3 };

		ep->policy = policy;
		ep->thp = thp_of(seed);
		ep->log = (enum log_mode)(seed / 12 % 3);
#ifdef WITH_GUEST
		ep->mte = seed / 36 % 4 == 0;
#endif
		ep->n = EPISODE;
		ep->each = false;
		for (unsigned int i = 0; i < EPISODE; i++)
			ep->op[i] = op_roll(&d, policy->arch, i);
		same = play(ep);
		done += ep->done;
		if (same)
			continue;
		shrink(ep);
		play(ep);
		print_script(ep, seed);
	}
	free(ep);
	printf("# %s %s: %" PRIu64 " operations, %s\n", policy->release,
	       policy->arch == MS_ARCH_X86_64 ? "x86_64" : "arm64", done,
	       same ? "no difference" : "a difference");
	return same;
}

static bool can_play(const struct ms_policy *policy)
{
#ifdef WITH_GUEST
	return policy->arch == MS_ARCH_ARM64;
#else
	return true;
#endif
}

/* Are these the rules of a recorded kernel? */
static bool was_recorded(const struct ms_policy *policy)
{
	const char *release;

	for (size_t i = 0; (release = ms_release_recorded(i, policy->arch)); i++)
		if (ms_policy_linux(release, policy->arch) == policy)
			return true;
	return false;
}

/* "6.12.117 x86_64"; NULL: no such kernel, or not one of this program's. */
static const struct ms_policy *kernel_of_text(const char *text)
{
	const struct ms_policy *policy;
	char release[24], arch[8];

	if (sscanf(text, "%23s %7s", release, arch) != 2)
		return NULL;
	policy = ms_policy_linux(release, !strcmp(arch, "x86_64") ? MS_ARCH_X86_64 : MS_ARCH_ARM64);
	return policy && can_play(policy) ? policy : NULL;
}

int main(int argc, char **argv)
{
	uint64_t ops = 30000, seed = 1;
	const struct ms_policy *policy;
	const char *kernel = NULL;
	bool same = true, all = false;
	int c;

	while ((c = getopt(argc, argv, "n:s:k:a")) != -1) {
		if (c == 'n')
			ops = strtoull(optarg, NULL, 0);
		else if (c == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (c == 'k')
			kernel = optarg;
		else if (c == 'a')
			all = true;
		else
			errx(2, "usage: %s [-a] [-n OPS] [-s SEED] [-k \"RELEASE ARCH\"]", argv[0]);
	}
	if (kernel) {
		policy = kernel_of_text(kernel);
		if (!policy)
			errx(2, "no kernel %s", kernel);
		return !run(policy, ops, seed);
	}
	for (size_t i = 0; (policy = ms_policy_get(i)); i++)
		if (can_play(policy) && (all || was_recorded(policy)))
			same &= run(policy, ops, seed);
	return !same;
}
