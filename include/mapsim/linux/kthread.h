/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/kthread.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model kernel threads: there is one thread (<linux/kthread.h>)"
