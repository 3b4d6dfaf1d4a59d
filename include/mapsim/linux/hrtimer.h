/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/hrtimer.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model timers: time does not pass (<linux/hrtimer.h>)"
