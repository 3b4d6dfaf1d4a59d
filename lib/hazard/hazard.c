/* SPDX-License-Identifier: GPL-2.0-only */
/* Hazards in words. */
#include "hazard/internal.h"

#include <inttypes.h>

static const struct {
	const char *name, *doc;
} kinds[MS_HAZARD_KINDS] = {
	[MS_HAZARD_GUEST_BEYOND_SLOT] = { "guest-beyond-slot",
					  "A guest has mapped what no memslot shows it." },
	[MS_HAZARD_GUEST_BEYOND_VMA] = { "guest-beyond-vma",
					 "A guest has mapped memory where its process has no VMA." },
	[MS_HAZARD_GUEST_OTHER_PAGE] = { "guest-other-page",
					 "A guest has mapped another page than its process." },
	[MS_HAZARD_GUEST_UNMAPPED] = { "guest-unmapped",
				       "A guest has mapped what its process has not mapped." },
	[MS_HAZARD_GUEST_WRITE] = { "guest-write",
				    "A guest may write what its process may not write." },
	[MS_HAZARD_GUEST_READ] = { "guest-read", "A guest may read where its process has no access "
						 "at all (PROT_NONE)." },
	[MS_HAZARD_GUEST_EXEC_DEVICE] = { "guest-exec-device",
					  "A guest may execute device memory (arm64)." },
	[MS_HAZARD_GUEST_RAM_AS_DEVICE] = { "guest-ram-as-device",
					    "A guest has RAM as memory that is not cacheable "
					    "(arm64)." },
	[MS_HAZARD_GUEST_UNLOGGED] = { "guest-unlogged",
				       "A guest may write RAM of a logged memslot without a trace "
				       "in the log." },
	[MS_HAZARD_HOST_BEYOND_VMA] = { "host-beyond-vma",
					"A process has mapped memory outside of every VMA." },
	[MS_HAZARD_HOST_WRITE] = { "host-write",
				   "A process may write by an entry where its VMA is not "
				   "writable." },
	[MS_HAZARD_HOST_FREED_PAGE] = { "host-freed-page",
					"A process has mapped a raw pfn of RAM that nobody has "
					"allocated, or that is somebody else's." },
	[MS_HAZARD_HOST_COW] = { "host-cow", "A process may write a private page that is mapped "
					     "elsewhere, too." },
	[MS_HAZARD_DEVICE_OFF] = { "device-off",
				   "Device memory is mapped though it is turned off." },
	[MS_HAZARD_DEVICE_CLAIMED] = { "device-claimed",
				       "User space has mapped what a driver has claimed." },
	[MS_HAZARD_DEVICE_CACHEABLE] = { "device-cacheable",
					 "Device memory is mapped as cacheable memory (arm64)." },
	[MS_HAZARD_TYPES] = { "types",
			      "A page of device memory is mapped with two memory types that "
			      "contradict each other." },
	[MS_HAZARD_TYPE_NOT_HELD] = { "type-not-held",
				      "Device memory is mapped with another memory type than the "
				      "one reserved (x86)." },
	[MS_HAZARD_TYPE_CHANGED] = { "type-changed",
				     "The memory type of device memory has changed while it was "
				     "mapped." },
	[MS_HAZARD_TYPE_LEAK] = { "type-leak",
				  "A memory type is reserved that nobody will give back (x86)." },
	[MS_HAZARD_CRASH] = { "crash", "The kernel crashes." },
	[MS_HAZARD_WARNING] = { "warning", "The kernel would BUG, WARN or complain." },
	[MS_HAZARD_UNSEEN] = { "unseen", "Something happened that the kernel does not notice." },
	[MS_HAZARD_ENDLESS] = { "endless", "The same fault is handled for ever." },
	[MS_HAZARD_GUEST_REFUSED] = { "guest-refused",
				      "A guest is refused what its process may do." },
	[MS_HAZARD_PAGE_LEAK] = { "page-leak", "In the end pages of RAM are not free." },
};

const char *ms_hazard_name(enum ms_hazard_kind kind)
{
	return (unsigned int)kind < MS_HAZARD_KINDS ? kinds[kind].name : "?";
}

const char *ms_hazard_doc(enum ms_hazard_kind kind)
{
	return (unsigned int)kind < MS_HAZARD_KINDS ? kinds[kind].doc : "";
}

const char *ms_blame_name(enum ms_blame blame)
{
	static const char *const names[] = {
		[MS_BLAME_UNKNOWN] = "unknown",
		[MS_BLAME_KERNEL] = "kernel",
		[MS_BLAME_DRIVER] = "driver",
	};

	return (unsigned int)blame < sizeof(names) / sizeof(names[0]) ? names[blame] : "?";
}

bool ms_hazard_equal(const struct ms_hazard *a, const struct ms_hazard *b)
{
	if (!a || !b)
		return false;
	return a->kind == b->kind && a->blame == b->blame && a->mm == b->mm && a->vm == b->vm &&
	       a->addr == b->addr && a->size == b->size && a->hva == b->hva && a->pa == b->pa &&
	       a->types == b->types && a->device == b->device;
}

/* ---- printing ---- */

static bool is_guests(const struct ms_hazard *h)
{
	return h->vm && h->kind != MS_HAZARD_WARNING && h->kind != MS_HAZARD_UNSEEN &&
	       h->kind != MS_HAZARD_CRASH;
}

static void print_place(const struct ms_hazard *h, FILE *out)
{
	if (h->vm)
		fprintf(out, " vm=%" PRIu32, h->vm);
	else if (h->mm)
		fprintf(out, " mm=%" PRIu32, h->mm);
	if (h->addr)
		fprintf(out, " %s=0x%" PRIx64, is_guests(h) ? "ipa" : "addr", h->addr);
	if (h->size)
		fprintf(out, " size=0x%" PRIx64, h->size);
	if (h->hva)
		fprintf(out, " hva=0x%" PRIx64, h->hva);
}

static void print_types(enum ms_arch arch, unsigned int types, FILE *out)
{
	const char *before = " types=";

	for (unsigned int type = 0; type <= MS_CACHE_NGNRNE; type++) {
		if (!(types >> type & 1))
			continue;
		fprintf(out, "%s%s", before, ms_cache_name(arch, type));
		before = ",";
	}
}

void ms_hazard_print(const struct ms_machine *m, const struct ms_hazard *h, FILE *out)
{
	if (!m || !h || !out)
		return;
	fputs(ms_hazard_name(h->kind), out);
	print_place(h, out);
	if (h->pa && ms_pfn_is_ram(m, h->pa >> m->page_shift))
		fputs(" pa=ram", out);
	else if (h->pa)
		fprintf(out, " pa=0x%" PRIx64, h->pa);
	print_types(m->policy.arch, h->types, out);
	if (h->device)
		fprintf(out, " device=%s", ms_device_name(h->device));
	if (h->rule)
		fprintf(out, " rule=%s", h->rule);
	if (h->value)
		fprintf(out, "=%s", h->value);
	fprintf(out, " (%s)\n", h->text ? h->text : ms_hazard_doc(h->kind));
}
