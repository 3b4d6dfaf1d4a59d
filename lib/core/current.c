/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which machine's driver code runs on this thread.
 *
 * A driver that calls kmalloc() or printk() does not say on which machine: in a kernel there is but
 * one. This is the only variable of the library that is not part of a machine. It is a thread's
 * own, and set only while driver code runs: by the library around each call into a driver, by a
 * test around its own calls (ms_linux_use()). Whoever sets it puts back what was there, so that a
 * driver of one machine whose code makes another machine call a driver finds its own again.
 */
#include "core/core.h"

static _Thread_local struct ms_machine *current_machine __attribute__((tls_model("initial-exec")));

struct ms_machine *ms_current_machine(void)
{
	return current_machine;
}

struct ms_machine *ms_set_current_machine(struct ms_machine *m)
{
	struct ms_machine *former = current_machine;

	current_machine = m;
	return former;
}
