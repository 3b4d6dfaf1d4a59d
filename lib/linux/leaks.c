/* SPDX-License-Identifier: GPL-2.0-only */
/* What a driver took and has not given back, and the memtypes that nobody will give back. */
#include "linux/state.h"

#include <mapsim/pat.h>

static void report_device(struct ms_machine *m, const char *name)
{
	ms_violation(m, ms_text(m, "misc device %s is never deregistered", name), 0);
}

/* what: with one %s at most, which is the name */
static void report_chrdev(struct ms_machine *m, const char *what, const char *name)
{
	const char *at = strstr(what, "%s");
	const char *text = at ? ms_text(m, "%.*s%s%s", (int)(at - what), what, name, at + 2) : what;

	ms_violation(m, text ? text : "a device is never given back", 0);
}

static void report_locks(struct ms_machine *m)
{
	for (unsigned int i = 0; i < m->call.locks; i++)
		ms_violation(m, "a lock is still held", 0);
}

static void report_reservation(const struct ms_memtype *entry, void *arg)
{
	// a mapping's own: it is the kernel that reserves and frees it
	ms_violation_by(arg, MS_VIOLATION_KERNEL, "a memtype reservation is never freed",
			entry->start, entry->start);
}

size_t ms_linux_report_leaks(struct ms_machine *m)
{
	if (!m)
		return 0;
	const uint64_t before = ms_events_total(&m->events, MS_EV_VIOLATION);
	const char *name;
	unsigned int minor;
	struct ms_linux *lx = m->kernel;

	if (lx) {
		ms_linux_memory_report(m, lx);
		ms_linux_io_report(m, lx);
		report_locks(m);
		for (const void *device = NULL;
		     (device = ms_linux_device_next(lx->devices, device, &name, &minor));)
			report_device(m, name);
		ms_linux_chrdevs_walk(m, lx->chrdevs, report_chrdev);
		ms_linux_bus_walk(m, lx->bus, report_chrdev);
		ms_linux_platform_walk(m, lx->platform, report_chrdev);
	}
	if (lx) {
		ms_linux_works_walk(m, report_chrdev);
		ms_vmaps_report(m, lx);
	}
	ms_taken_report(m);
	ms_memtype_leaks(m, report_reservation, m);
	return (size_t)(ms_events_total(&m->events, MS_EV_VIOLATION) - before);
}
