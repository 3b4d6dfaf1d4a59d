/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/timer.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model timers: time does not pass (<linux/timer.h>)"
