/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "vfio-pci: Fault mmaps to enable vma tracking" (2020): a user's mapping of a BAR has to go while
 * the device's memory is disabled, and to come back afterwards. Up to 6.9 vfio keeps a list of the
 * VMAs that were faulted in; from 6.10 on it asks the file's address space. A child of fork that
 * the list does not know keeps its pages: vfio is told of it before they are copied (late 6.1).
 */
#include "seed.h"

static const char *touch(struct ms_mm *mm, const char *who)
{
	enum ms_access a = ms_touch(mm, HVA, MS_PROT_R);
	const char *name = a == MS_ACCESS_OK ? "ok" : a == MS_ACCESS_SIGBUS ? "SIGBUS" : "?";

	printf("    %s touches: %s\n", who, name);
	return name;
}

static struct ms_file *map_bar(struct seed *s)
{
	struct ms_file *f = ms_vfio_open(s->bar);

	EXPECT(f);
	seed_map(s, f, ms_vfio_offset(f), 4 * PAGE);
	return f;
}

/* off, on: revoked and faulted in again */
static void revoke(const char *release)
{
	struct seed s = seed_new(ms_policy_linux(release, MS_ARCH_X86_64), NULL, BAR, 4 * PAGE);
	struct ms_file *f = map_bar(&s);
	struct ms_host_leaf leaf;
	bool present = ms_host_leaf(s.mm, HVA, &leaf);

	printf("Linux %s: after mmap the page is %s\n", release, present ? "there" : "absent");
	EXPECT(!present);
	EXPECT(!strcmp(touch(s.mm, "the process"), "ok"));
	EXPECT(!ms_vfio_set_memory(f, false));
	puts("    memory off");
	EXPECT(!strcmp(touch(s.mm, "the process"), "SIGBUS"));
	EXPECT(!ms_vfio_set_memory(f, true));
	puts("    memory on");
	EXPECT(!strcmp(touch(s.mm, "the process"), "ok"));
	ms_machine_free(s.m);
}

/* Does a child see the revoke? */
static const char *child_after_revoke(const char *release)
{
	struct seed s = seed_new(ms_policy_linux(release, MS_ARCH_X86_64), NULL, BAR, 4 * PAGE);
	struct ms_file *f = map_bar(&s);
	struct ms_mm *child;
	const char *answer;

	printf("Linux %s: touch, fork, memory off\n", release);
	touch(s.mm, "the parent");
	child = ms_fork(s.mm);
	EXPECT(child && !ms_vfio_set_memory(f, false));
	answer = touch(child, "the child");
	ms_machine_free(s.m);
	return answer;
}

/* The thread's second idea: map in mmap where the BAR is active, to spare the first fault. */
static void prepopulate(const char *release)
{
	struct seed s = seed_new(ms_policy_linux(release, MS_ARCH_X86_64), NULL, BAR, 4 * PAGE);
	struct ms_file *f = ms_vfio_open(s.bar);
	struct ms_host_leaf leaf;

	EXPECT(f && !ms_vfio_set_prepopulate(f, true));
	seed_map(&s, f, ms_vfio_offset(f), 4 * PAGE);
	EXPECT(ms_host_leaf(s.mm, HVA, &leaf));
	printf("Linux %s, prepopulating: after mmap the page is there\n", release);
	EXPECT(!ms_vfio_set_memory(f, false));
	EXPECT(!strcmp(touch(s.mm, "the process"), "SIGBUS"));
	ms_machine_free(s.m);
}

int main(void)
{
	const char *release;

	for (size_t i = 0; (release = ms_release_recorded(i, MS_ARCH_X86_64)); i++) {
		const struct ms_policy *k = ms_policy_linux(release, MS_ARCH_X86_64);
		bool unknown =
			k->vfio != MS_VFIO_V3 && k->fork_order == MS_FORK_ORDER_OPEN_THEN_COPY;

		revoke(release);
		// a child that the list does not know reaches a disabled device
		EXPECT(!strcmp(child_after_revoke(release), unknown ? "ok" : "SIGBUS"));
		if (k->vfio != MS_VFIO_V3)
			prepopulate(release);
	}
	return 0;
}
