/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/workqueue.h>: refused, so that nothing is taken silently from the system. */
#error "mapsim does not model work that runs later: there is one thread (<linux/workqueue.h>)"
