/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/tracepoint.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model trace events (<linux/tracepoint.h>)"
