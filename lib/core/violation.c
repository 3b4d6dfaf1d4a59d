/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel would complain about, and what it would log. */
#include "core/core.h"

#include <inttypes.h>
#include <stdlib.h>

/* The program ends, with the kernel's words. */
static _Noreturn void die(const struct ms_event *ev)
{
	fflush(stdout);
	fprintf(stderr, "mapsim: violation addr=0x%" PRIx64, ev->addr);
	if (ev->pa)
		fprintf(stderr, " pa=0x%" PRIx64, ev->pa);
	fprintf(stderr, " (%s)\n", ev->reason);
	abort();
}

void ms_violation(struct ms_machine *m, const char *condition, uint64_t addr)
{
	ms_violation_entry(m, condition, addr, 0);
}

void ms_violation_entry(struct ms_machine *m, const char *condition, uint64_t addr, uint64_t pa)
{
	const struct ms_event ev = {
		.type = MS_EV_VIOLATION, .addr = addr, .pa = pa, .reason = condition
	};

	ms_emit(m, &ev);
	if (m->config.fatal_violations)
		die(&ev);
}

void ms_log(struct ms_machine *m, const char *message, uint64_t addr, uint64_t size)
{
	MS_EMIT(m, .type = MS_EV_LOG, .addr = addr, .size = size, .reason = message);
}
