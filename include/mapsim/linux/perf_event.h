/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/perf_event.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model perf (<linux/perf_event.h>)"
